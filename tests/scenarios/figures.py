"""What a statement says, whenever the API was asked."""

from dataclasses import replace

from reportgen.core.model import Statement
from reportgen.core.written.statement_json import statement_json


def figures_of(statement: Statement) -> str:
    """Give `statement.json` without the moment whose pull requests it counts."""
    costs = statement.unit_costs
    return statement_json(replace(statement, unit_costs=costs and replace(costs, as_of="")))
