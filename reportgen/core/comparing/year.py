"""The fiscal year to date: what its cycles came to, this one included, or which of them nobody has.

A cycle belongs to the fiscal year that its first billing day lies in, whole: so every cycle counts
in one year, and nothing is apportioned.

Law: a sum is given where every cycle that is known to lie in the year before this one is in it,
each as it was corrected last, and none overlaps another. Else the days on which the others begin
are named, and nothing is summed up.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise

from reportgen.core.comparing.compare import totals_of
from reportgen.core.cycle import BillingCycle, fiscal_year
from reportgen.core.model import CycleTotals, ProductTotals, Statement, YearToDate
from reportgen.core.money import add, total

NOTHING = ProductTotals()


def year_to_date(
    statement: Statement,
    earlier: Iterable[CycleTotals],
    told: Iterable[BillingCycle],
    first_month: int,
) -> YearToDate:
    """Add a statement to the cycles of its fiscal year before it.

    `earlier` are those whose figures are known, `told` all cycles that the API names.
    """
    now = totals_of(statement)
    begins = fiscal_year(now.cycle.start, first_month)
    known = [one for one in earlier if begins <= one.cycle.start < now.cycle.start]
    counted = sorted(
        (one for one in known if _money(one) == _money(now)), key=lambda one: one.cycle.start
    )
    cycles = [*(one.cycle for one in counted), now.cycle]
    starts = {one.start for one in told if begins <= one.start < now.cycle.start}
    starts |= {one.cycle.start for one in known}
    missing = sorted({*starts.difference(one.start for one in cycles), *_breaks(cycles, starts)})
    if missing:
        since = min(missing[0], cycles[0].start)
        return YearToDate(begins=begins, since=since, cycles=len(cycles), missing=tuple(missing))
    return _summed(begins, [*counted, now])


def _money(one: CycleTotals) -> tuple[str, int]:
    """Say in what amounts are: those in something else cannot be added."""
    return one.currency, one.decimals


def _breaks(cycles: Sequence[BillingCycle], starts: Iterable[date]) -> Iterator[date]:
    """Give the days on which a cycle must begin that nobody knows, or one that overlaps begins."""
    for before, after in pairwise(cycles):
        named = any(before.end <= start < after.start for start in starts)
        if before.end > after.start:
            yield before.start
        elif before.end < after.start and not named:
            yield before.end


def _summed(begins: date, counted: Sequence[CycleTotals]) -> YearToDate:
    codes = sorted({code for one in counted for code in one.cost_centers})
    return YearToDate(
        begins=begins,
        since=counted[0].cycle.start,
        cycles=len(counted),
        preliminary=any(one.status == "draft" for one in counted[:-1]),
        acus=total(one.control_acus for one in counted),
        amount=total(one.invoiced_amount for one in counted),
        by_cost_center={code: _of(code, counted) for code in codes},
    )


def _of(code: str, counted: Iterable[CycleTotals]) -> ProductTotals:
    acus, amount = NOTHING.acus, NOTHING.amount
    for one in counted:
        if center := one.cost_centers.get(code):
            acus, amount = add(acus, center.acus), add(amount, center.amount)
    return ProductTotals(acus=acus, amount=amount)
