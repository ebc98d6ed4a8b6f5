"""What the money bought, as documents show it: counts, what each cost, and the change."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from reportgen.core.model import DEVIN, Invoice, NotCounted, Statement
from reportgen.core.money import subtract
from reportgen.core.sessions.unit_costs import (
    Between,
    Bought,
    of_cost_center,
    of_department,
    of_enterprise,
)
from reportgen.documents.content.paper import parted
from reportgen.documents.content.slots import CellValue, Slot

UNIT_COSTS_FIELDS = (
    *("code", "name", "department"),
    *("sessions", "sessions_at_most", "sessions_change"),
    *("pull_requests", "pull_requests_at_most", "pull_requests_change"),
    *("merged", "merged_at_most", "merged_change"),
    *("acus", "amount"),
    *("acus_per_session", "acus_per_session_change"),
    *("amount_per_session", "amount_per_session_change"),
    *("acus_per_merged", "acus_per_merged_change"),
    *("amount_per_merged", "amount_per_merged_change"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitCostsTerms:
    """What is counted: the product whose charges are divided, and the day of the states.

    Where sessions could not be counted, `not_counted` says why.
    """

    product: str
    as_of: date | None
    not_counted: NotCounted | None


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitCostsRow:
    """Sessions, their pull requests, or those that were merged: how many, and what each cost.

    A figure is nothing where there is no denominator; a change is, where either is not exact.
    """

    kind: Literal["sessions", "pull requests", "merged"]
    count: Between
    acus: Between | None = None
    amount: Between | None = None
    count_change: Decimal | None = None
    acus_change: Decimal | None = None
    amount_change: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitCostsLine:
    """A cost center (`code`) or a department in a list; `name` is empty for no department."""

    name: str
    code: str
    department: str | None
    bought: Bought


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitCostsList:
    """What a page lists of cost centers or departments, and how many `others` there are.

    What they share counts in each, so that those have no sum.
    """

    rows: tuple[UnitCostsLine, ...]
    others: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BoughtHere:
    """What a cost center or a department bought."""

    terms: UnitCostsTerms
    bought: Bought | None

    @property
    def rows(self) -> tuple[UnitCostsRow, ...]:
        """What was counted; nothing where it could not be."""
        return tuple(_rows(self.bought)) if self.bought else ()

    @property
    def compared(self) -> bool:
        """Tell whether any figure is compared with that of the cycle before."""
        changes = self.bought.changes if self.bought else None
        return any(change is not None for change in changes or ())

    @property
    def uncertain(self) -> Decimal:
        """How many sessions may count or may not."""
        return uncertain_of(self.bought)


def unit_costs_terms(statement: Statement) -> UnitCostsTerms | None:
    """Say what is counted; None where nobody tried to."""
    costs = statement.unit_costs
    if costs is None:
        return None
    labels = (one.label for one in statement.heading.products if one.product == DEVIN)
    return UnitCostsTerms(
        product=next(labels, "") or DEVIN,
        as_of=date.fromisoformat(costs.as_of[:10]) if costs.as_of else None,
        not_counted=costs.not_counted,
    )


def invoice_unit_costs(statement: Statement, invoice: Invoice) -> BoughtHere | None:
    """Give what a cost center bought; None where there is nothing to be told."""
    terms = unit_costs_terms(statement)
    bought = of_cost_center(statement, invoice.cost_center.code)
    if terms is None or not (_tells(bought) if bought else any(_usage(invoice))):
        return None
    return BoughtHere(terms=terms, bought=bought)


def department_unit_costs(statement: Statement, name: str) -> BoughtHere | None:
    """Give what a department bought; None where there is nothing to be told."""
    terms, bought = unit_costs_terms(statement), of_department(statement, name)
    return BoughtHere(terms=terms, bought=bought) if terms and bought and _tells(bought) else None


def by_cost_center(statement: Statement) -> tuple[UnitCostsLine, ...]:
    """Give every cost center that bought something, in their order."""
    return tuple(_centers(statement))


def by_department(statement: Statement) -> tuple[UnitCostsLine, ...]:
    """Give every department that bought something, where there are any; none last."""
    costs = statement.unit_costs
    names = sorted(costs.by_department, key=lambda name: (not name, name)) if costs else []
    lines = ((name, of_department(statement, name)) for name in names if any(names))
    return tuple(
        UnitCostsLine(name=name, code="", department=name or None, bought=bought)
        for name, bought in lines
        if bought and _tells(bought)
    )


def listed_unit_costs(lines: Iterable[UnitCostsLine], most: int) -> UnitCostsList:
    """Give the lines of the largest amounts in their order, and count the others."""
    rows, others = parted(lines, most, lambda line: -abs(line.bought.costs.amount))
    return UnitCostsList(rows=rows, others=len(others))


def of_all(statement: Statement) -> Bought | None:
    """Give what all cost centers bought; None where nothing was counted or used.

    Credits of one may make up for what another used: then there is something to be told.
    """
    bought = of_enterprise(statement)
    return bought if bought and (_tells(bought) or any(_centers(statement))) else None


def uncertain_of(bought: Bought | None) -> Decimal:
    """Count the sessions that may count or may not."""
    sessions = bought.figures.sessions if bought else None
    return subtract(sessions.high, sessions.low) if sessions else Decimal(0)


def unit_costs_slot(lines: Iterable[UnitCostsLine]) -> Slot:
    """Give the rows of a workbook; what is not known exactly is blank, but for its bounds."""
    return Slot(UNIT_COSTS_FIELDS, map(_cells, lines))


def _centers(statement: Statement) -> Iterator[UnitCostsLine]:
    for invoice in statement.invoices:
        center = invoice.cost_center
        bought = of_cost_center(statement, center.code)
        if bought and _tells(bought):
            yield UnitCostsLine(
                name=center.name, code=center.code, department=center.department, bought=bought
            )


def _tells(bought: Bought) -> bool:
    """Tell whether anything was used of what sessions use, or counted."""
    return bool(bought.costs.acus or bought.costs.sessions.at_most)


def _usage(invoice: Invoice) -> Iterator[Decimal]:
    return (line.acus for line in invoice.lines if line.of_usage)


def _rows(bought: Bought) -> Iterator[UnitCostsRow]:
    figures, changes = bought.figures, bought.changes
    yield UnitCostsRow(
        kind="sessions",
        count=figures.sessions,
        acus=figures.acus_per_session,
        amount=figures.amount_per_session,
        count_change=changes.sessions if changes else None,
        acus_change=changes.acus_per_session if changes else None,
        amount_change=changes.amount_per_session if changes else None,
    )
    yield UnitCostsRow(
        kind="pull requests",
        count=figures.pull_requests,
        count_change=changes.pull_requests if changes else None,
    )
    yield UnitCostsRow(
        kind="merged",
        count=figures.merged_pull_requests,
        acus=figures.acus_per_merged_pull_request,
        amount=figures.amount_per_merged_pull_request,
        count_change=changes.merged_pull_requests if changes else None,
        acus_change=changes.acus_per_merged_pull_request if changes else None,
        amount_change=changes.amount_per_merged_pull_request if changes else None,
    )


def _cells(line: UnitCostsLine) -> Sequence[CellValue]:
    costs = line.bought.costs
    sessions, pull_requests, merged = _rows(line.bought)
    return (
        *(line.code, line.name, line.department),
        *(costs.sessions.known, costs.sessions.at_most, sessions.count_change),
        *(costs.pull_requests.known, costs.pull_requests.at_most, pull_requests.count_change),
        *(costs.merged.known, costs.merged.at_most, merged.count_change),
        *(costs.acus, costs.amount),
        *(exact(sessions.acus), sessions.acus_change),
        *(exact(sessions.amount), sessions.amount_change),
        *(exact(merged.acus), merged.acus_change),
        *(exact(merged.amount), merged.amount_change),
    )


def exact(figure: Between | None) -> Decimal | None:
    """Give a figure that is known exactly."""
    return figure.low if figure and figure.exact else None
