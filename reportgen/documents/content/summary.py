"""What the template of a summary sees: the cost centers of a department or an entity."""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from reportgen.core.model import Heading, Statement, TieOut
from reportgen.core.money import ZERO, add, round_half_up, subtract, total
from reportgen.core.text import slug, told_apart
from reportgen.documents.content.budget import Budget, budget_of
from reportgen.documents.content.charges import across_entities
from reportgen.documents.content.comparison import StatementComparison, statement_comparison
from reportgen.documents.content.labels import Word
from reportgen.documents.content.paper import MOST_ROWS
from reportgen.documents.content.slots import Slot
from reportgen.documents.content.statement import (
    CostCenterList,
    CostCenterRow,
    listed_cost_centers,
    rows_of,
)
from reportgen.documents.content.unit_costs import BoughtHere, department_unit_costs

Holding = Literal["department", "entity"]
"""What a cost center belongs to."""
LONGEST_SLUG = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class SummaryDocument:
    """The cost centers of a department or an entity, and what they come to.

    No table on paper has more than `most_rows`.
    """

    heading: Heading
    tie_out: TieOut
    holding: Holding
    name: str
    rows: tuple[CostCenterRow, ...]
    comparison: StatementComparison | None = None
    across_entities: bool = False
    note: str | None = None
    unit_costs: BoughtHere | None = None
    most_rows: int = MOST_ROWS

    @property
    def listed(self) -> CostCenterList:
        """The cost centers that a page lists."""
        return listed_cost_centers(self.rows, self.most_rows)

    @property
    def acus(self) -> Decimal:
        """ACUs of all its cost centers."""
        return total(row.acus for row in self.rows)

    @property
    def amount(self) -> Decimal:
        """What all its cost centers are charged."""
        return add(
            total(row.amount for row in self.rows), round_half_up(ZERO, self.heading.decimals)
        )

    @property
    def issued(self) -> int:
        """How many invoices there are."""
        return sum(1 for row in self.rows if row.number)

    @property
    def change(self) -> Decimal:
        """What its amount changed by."""
        return total(row.change for row in self.rows if row.change is not None)

    @property
    def before(self) -> Decimal:
        """What the same cost centers were charged in the cycle before."""
        return subtract(self.amount, self.change)

    @property
    def budget(self) -> Budget | None:
        """All budgets, against what those who have one are charged."""
        held = [row for row in self.rows if row.budget]
        budgets = total(row.budget.amount for row in held if row.budget)
        return budget_of(total(row.amount for row in held), budgets) if held else None

    @property
    def all_have_budgets(self) -> bool:
        """Tell whether the sum of the budgets is one of all cost centers."""
        return all(row.budget for row in self.rows)

    def slots(self, word: Word) -> dict[str, Slot]:  # noqa: ARG002 - as the other documents have it
        """Give the rows that a workbook streams: there is none."""
        return {}


def summary_documents(
    statement: Statement, holding: Holding, note: str | None, most_rows: int = MOST_ROWS
) -> Iterator[tuple[str, SummaryDocument]]:
    """Give a document per department or entity that is named, with a slug for its file."""
    rows = rows_of(statement.invoices, statement)
    across = _across(statement)
    names = sorted({name for row in rows if (name := getattr(row, holding))})
    for name, named in slugs(names).items():
        held = tuple(row for row in rows if getattr(row, holding) == name)
        yield (
            named,
            SummaryDocument(
                heading=statement.heading,
                tie_out=statement.tie_out,
                holding=holding,
                name=name,
                rows=held,
                comparison=statement_comparison(statement.variance, ()),
                across_entities=any(row.code in across for row in held),
                note=note,
                most_rows=most_rows,
                unit_costs=department_unit_costs(statement, name)
                if holding == "department"
                else None,
            ),
        )


def slugs(names: Iterable[str]) -> dict[str, str]:
    """Give every name a slug that is fit for a file and that no other has, capitals or not.

    >>> slugs(["R&D", "R+D", "研究"])
    {'R&D': 'r-d', 'R+D': 'r-d-2', '研究': '研究'}
    """
    return told_apart({name: _slug(name) for name in names})


def _slug(name: str) -> str:
    return slug(unicodedata.normalize("NFKC", name).casefold())[:LONGEST_SLUG].strip("-")


def _across(statement: Statement) -> frozenset[str]:
    centers = {invoice.cost_center.code: invoice.cost_center for invoice in statement.invoices}
    return across_entities(statement.invoices, centers)
