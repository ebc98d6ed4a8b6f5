"""Consumption turned into disjoint records, and who bears each of them."""
