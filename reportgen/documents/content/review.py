"""What somebody looks at before a cycle is closed: what changed, and what no rule of its own says.

Each is named with what it comes to, and with the line of the configuration that decides about it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from reportgen.core.model import Statement
from reportgen.core.money import ZERO, subtract
from reportgen.documents.content.bearers import Bearers
from reportgen.documents.content.statement import CostCenterRow, StatementDocument

Reason = Literal[
    "unpriced",
    "unallocated",
    "by organization",
    "moved",
    "arrived",
    "departed",
    "new",
    "gone",
    "budget",
]
MOST_CONCERNS = 25


@dataclass(frozen=True, kw_only=True, slots=True)
class Concern:
    """Something to look at: what it comes to, and the `source` (file:line) that decides, if any.

    `name` is a product or a cost center, whose `code` stands with it; `anchor` is the list on the
    page that says it person by person; `people` are in it. Of a budget the amount is what is
    beyond it, of a cost center or people that are gone what that changed. `folded` are those that a
    long list shows only when it is asked to.
    """

    reason: Reason
    amount: Decimal
    acus: Decimal | None = None
    name: str = ""
    code: str = ""
    source: str = ""
    anchor: str = ""
    people: int = 0
    folded: bool = False

    @property
    def others(self) -> int:
        """Give 0: what one row stood for in version 0.1.0, whose archived templates ask for it."""
        return 0


def concerns(document: StatementDocument) -> tuple[Concern, ...]:
    """List what there is to look at, what nobody pays for first."""
    statement = document.statement
    declared = {made.cost_center.code: made.cost_center.source for made in statement.invoices}
    return (
        *_unpriced(statement),
        *_unallocated(statement),
        *_people("by organization", document.by_organization, "by-organization"),
        *_people("moved", document.moved, "moved"),
        *_people("arrived", document.arrived, "arrived"),
        *map(_taken_away, _people("departed", document.departed, "departed")),
        *_some(_new(document.rows, statement, declared)),
        *_some(_gone(document.rows)),
        *_some(_beyond_budget(document.rows, declared)),
    )


def _unpriced(statement: Statement) -> Iterator[Concern]:
    return (
        Concern(reason="unpriced", amount=ZERO, acus=one.acus, name=one.product, source=one.source)
        for one in statement.unpriced
    )


def _unallocated(statement: Statement) -> Iterator[Concern]:
    held = statement.unallocated
    if held.by_cause:
        yield Concern(
            reason="unallocated",
            amount=held.amount,
            acus=held.acus,
            code=held.cost_center or "",
            source=held.source,
            anchor="unallocated",
        )


def _people(reason: Reason, bearers: Bearers, anchor: str) -> Iterator[Concern]:
    if bearers.rows:
        sums = bearers.whole
        yield Concern(
            reason=reason, amount=sums.amount, acus=sums.acus, people=sums.people, anchor=anchor
        )


def _new(
    rows: Iterable[CostCenterRow], statement: Statement, declared: dict[str, str]
) -> Iterator[Concern]:
    """Give those that are charged and were not declared in the cycle before."""
    variance = statement.variance
    for row in rows if variance else ():
        if row.number and variance and row.code not in variance.previous.cost_centers:
            yield _of("new", row, row.amount, declared[row.code])


def _gone(rows: Iterable[CostCenterRow]) -> Iterator[Concern]:
    return (_of("gone", row, row.change or ZERO, "") for row in rows if row.gone)


def _beyond_budget(rows: Iterable[CostCenterRow], declared: dict[str, str]) -> Iterator[Concern]:
    for row in rows:
        if row.budget and row.budget.exceeded:
            beyond = subtract(row.amount, row.budget.amount)
            yield _of("budget", row, beyond, declared[row.code])


def _of(reason: Reason, row: CostCenterRow, amount: Decimal, source: str) -> Concern:
    return Concern(reason=reason, amount=amount, name=row.name, code=row.code, source=source)


def _some(several: Iterable[Concern]) -> Iterator[Concern]:
    """Give the largest first; of many, the further ones are folded."""
    ordered = sorted(several, key=lambda one: (-abs(one.amount), one.code))
    for place, concern in enumerate(ordered):
        yield replace(concern, folded=place >= MOST_CONCERNS)


def _taken_away(concern: Concern) -> Concern:
    """Let what people came to before stand as the change that it is."""
    acus = subtract(ZERO, concern.acus or ZERO)
    return replace(concern, amount=subtract(ZERO, concern.amount), acus=acus)
