"""The fiscal year to date, as the head of a document shows it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from reportgen.core.model import CostCenter, Statement, YearToDate
from reportgen.documents.content.budget import Budget, budget_of

MOST_MISSING = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Year:
    """What the fiscal year came to from the cycle that begins on `since` on, this one included.

    Where the figures of some cycles are not known, `missing` has the first of the days on which
    they begin, `more` counts the others, and amount and ACUs are not shown. `preliminary` says that
    a cycle before this one is a draft.
    """

    since: date
    cycles: int
    acus: Decimal
    amount: Decimal
    preliminary: bool = False
    missing: tuple[date, ...] = ()
    more: int = 0
    budget: Budget | None = None


def year_of_statement(statement: Statement) -> Year | None:
    """Give the year of all cost centers, where it is more than this cycle."""
    year = statement.year_to_date
    return _year(year, year.acus, year.amount, None) if year else None


def year_of_invoice(statement: Statement, center: CostCenter) -> Year | None:
    """Give the year of a cost center, where it is more than this cycle or has a budget.

    That cycles are missing is told where a budget of the year waits for them; else the statement
    says it once, and no department has to wonder.
    """
    year = statement.year_to_date
    if year is None:
        return None
    own = year.by_cost_center.get(center.code)
    if own is None:
        told = year.missing and center.year_budget is not None
        return _year(year, year.acus, year.amount, None) if told else None
    return _year(year, own.acus, own.amount, budget_of(own.amount, center.year_budget))


def _year(year: YearToDate, acus: Decimal, amount: Decimal, budget: Budget | None) -> Year | None:
    if year.cycles == 1 and not year.missing and not budget:
        return None
    return Year(
        since=year.since,
        cycles=year.cycles,
        acus=acus,
        amount=amount,
        preliminary=year.preliminary,
        missing=year.missing[:MOST_MISSING],
        more=len(year.missing[MOST_MISSING:]),
        budget=budget,
    )
