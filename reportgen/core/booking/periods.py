"""What invoices come to in each of some periods: the parts of every line make the line.

Usage goes by the days of its allocations. Fees and transfers have none, and neither has what a
correction left over, so they are spread over the days of the cycle. A pool shares in each period
what it has in it, so that it closes at zero in every one of them.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from graphlib import TopologicalSorter
from itertools import accumulate

from reportgen.core.cycle import BillingCycle, days_between
from reportgen.core.model import DetailRow, Invoice, InvoiceLine, LineKey
from reportgen.core.money import (
    ZERO,
    add,
    apportion,
    quantum_of,
    round_to_total,
    subtract,
    total,
)

PeriodAmounts = list[Decimal]
"""Amounts, one a period, in the order of the periods."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CyclePeriods:
    """A cycle taken apart: `cuts` are the first days of its second period, and of those after."""

    cycle: BillingCycle
    cuts: tuple[date, ...] = ()

    @property
    def starts(self) -> tuple[date, ...]:
        """Give the first day of every period."""
        return (self.cycle.start, *self.cuts)

    @property
    def ends(self) -> tuple[date, ...]:
        """Give the day after the last one of every period."""
        return (*self.cuts, self.cycle.end)

    def of(self, day: date) -> int:
        """Give the place of the period that a billing day lies in."""
        return bisect_right(self.cuts, day)

    def none(self) -> PeriodAmounts:
        """Give nothing for every period."""
        return [ZERO for _ in self.starts]

    def lengths(self) -> PeriodAmounts:
        """Count the billing days of every period."""
        return [
            Decimal(days_between(start, end))
            for start, end in zip(self.starts, self.ends, strict=True)
        ]


def calendar_months(cycle: BillingCycle) -> CyclePeriods:
    """Take a cycle apart where a calendar month begins.

    >>> cycle = BillingCycle(start=date(2025, 12, 5), end=date(2026, 1, 5), after=0, before=0)
    >>> calendar_months(cycle).cuts
    (datetime.date(2026, 1, 1),)
    """
    firsts = (day for day in cycle.days() if day.day == 1 and day != cycle.start)
    return CyclePeriods(cycle=cycle, cuts=tuple(firsts))


def amounts_by_period(
    invoices: Sequence[Invoice], periods: CyclePeriods, decimals: int
) -> dict[str, PeriodAmounts]:
    """Give what each cost center is charged in each period, by its code."""
    amounts = {invoice.cost_center.code: _own(invoice, periods, decimals) for invoice in invoices}
    for pool, receivers in _pools(invoices):
        shared = _shared(amounts[pool], receivers, decimals)
        amounts[pool] = periods.none()
        for code, parts in shared.items():
            amounts[code] = _together(amounts[code], parts)
    return amounts


def _own(invoice: Invoice, periods: CyclePeriods, decimals: int) -> PeriodAmounts:
    """Add up the parts of all lines that are not shared."""
    days = _by_day(invoice.detail, periods)
    amounts = periods.none()
    for line in invoice.lines:
        if line.kind != "pool":
            used = days.get(line.line_key) if line.of_usage else None
            amounts = _together(amounts, _parts(line, used, periods, decimals))
    return amounts


def _by_day(detail: Iterable[DetailRow], periods: CyclePeriods) -> dict[LineKey, PeriodAmounts]:
    """Give what the usage of each line comes to exactly in each period."""
    exact: dict[LineKey, PeriodAmounts] = {}
    for row in detail:
        parts = exact.setdefault(row.line_key, periods.none())
        place = periods.of(row.day)
        parts[place] = add(parts[place], row.exact_amount)
    return exact


def _parts(
    line: InvoiceLine, used: PeriodAmounts | None, periods: CyclePeriods, decimals: int
) -> PeriodAmounts:
    """Take a line apart, largest remainder first; what that cannot reach is in the last period."""
    if used is None:
        return apportion(line.amount, periods.lengths(), quantum_of(decimals))
    *before, last = round_to_total(used, line.amount, decimals)
    missing = subtract(line.amount, total((*before, last)))
    return [*before, add(last, missing)]


def _pools(invoices: Iterable[Invoice]) -> Iterator[tuple[str, dict[str, Decimal]]]:
    """Give every pool that shared something, after those that shared with it, and with whom."""
    receivers: dict[str, dict[str, Decimal]] = {}
    givers: dict[str, set[str]] = {}
    for invoice in invoices:
        code = invoice.cost_center.code
        for line in (line for line in invoice.lines if line.kind == "pool"):
            if line.counterpart is None:
                givers.setdefault(code, set())
                receivers.setdefault(code, {})
            else:
                receivers.setdefault(line.counterpart, {})[code] = line.amount
                givers.setdefault(code, set()).add(line.counterpart)
    for code in TopologicalSorter(givers).static_order():
        if code in receivers:
            yield code, receivers[code]


def _shared(
    had: PeriodAmounts, receivers: Mapping[str, Decimal], decimals: int
) -> dict[str, PeriodAmounts]:
    """Share what a pool has in each period, so that everybody's parts make what they bear.

    What was shared until the end of each period is rounded, and what that added is its part.
    """
    weights = [amount.copy_abs() for amount in receivers.values()]
    parts: dict[str, PeriodAmounts] = {code: [] for code in receivers}
    before = [ZERO for _ in receivers]
    for until in accumulate(had, add):
        now = round_to_total(apportion(until, weights), until, decimals)
        for code, then, amount in zip(receivers, before, now, strict=True):
            parts[code].append(subtract(amount, then))
        before = now
    return parts


def _together(one: PeriodAmounts, more: PeriodAmounts) -> PeriodAmounts:
    return [add(amount, other) for amount, other in zip(one, more, strict=True)]
