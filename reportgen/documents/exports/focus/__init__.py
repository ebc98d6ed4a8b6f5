"""The FinOps Open Cost and Usage Specification (FOCUS, focus.finops.org), versions 1.2 and 1.4.

Column ids, enumerations and rules of nullability are the specification's (CC BY 4.0).
"""
