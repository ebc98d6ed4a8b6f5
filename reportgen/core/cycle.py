"""Billing days and billing cycles.

A billing day is named by the UTC date of its bucket; the boundary is 08:00 UTC all year. A billing
cycle is a half-open range of billing days, taken from the API and hardly ever a calendar month.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

BOUNDARY = "08:00Z"
BOUNDARY_SECONDS = 8 * 3600
DAY = timedelta(days=1)
LONGEST_CYCLE = 400


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class BillingCycle:
    """A range of billing days [start, end), with the API's own bounds (Unix seconds) as given."""

    start: date
    end: date
    after: int
    before: int

    def __str__(self) -> str:
        """Write the range as people read it: the end is not part of it."""
        return f"{self.start} to {self.end}"

    def __contains__(self, day: object) -> bool:
        """Tell whether a billing day lies in the cycle."""
        return isinstance(day, date) and self.start <= day < self.end

    def days(self) -> Iterator[date]:
        """Give every billing day in order."""
        return (self.start + DAY * index for index in range(self.length()))

    def length(self) -> int:
        """Count the billing days."""
        return days_between(self.start, self.end)

    def seconds(self) -> int:
        """Give the length in seconds."""
        return self.before - self.after

    def ended_at(self) -> datetime:
        """Give the moment the cycle ends, in UTC and without an offset."""
        return datetime.fromtimestamp(self.before, UTC).replace(tzinfo=None)

    def previous_day(self) -> date:
        """Give the last billing day of the cycle, for documents that print an inclusive range."""
        return day_before(self.end)


@dataclass(frozen=True, kw_only=True, slots=True)
class UnknownCycle:
    """Say that a `--cycle` names no cycle, or more than one (`candidates`)."""

    selector: str
    candidates: tuple[BillingCycle, ...]
    known: tuple[BillingCycle, ...]


def day_before(day: date) -> date:
    """Give the day before, such as the last of what ends where another begins."""
    return day - DAY


def day_after(day: date) -> date:
    """Give the day after, such as the first of what begins where another ends."""
    return day + DAY


def days_between(start: date, end: date) -> int:
    """Count the days of a half-open range."""
    return (end - start).days


def contract_cycles(day_of_month: int, months: Iterable[tuple[int, int]]) -> list[BillingCycle]:
    """Give the cycles that start on the contract's day (1 to 31) of each (year, month).

    For credentials that may not read the cycles. A month without that day has its last one count.
    """
    return [
        cycle_between(
            _boundary(year, month, day_of_month),
            _boundary(year + month // 12, month % 12 + 1, day_of_month),
        )
        for year, month in months
    ]


def _boundary(year: int, month: int, day: int) -> int:
    """Give the instant (Unix seconds) at which a day of a month begins, or the last one it has."""
    days = (date(year + month // 12, month % 12 + 1, 1) - date(year, month, 1)).days
    return int(datetime(year, month, min(day, days), hour=8, tzinfo=UTC).timestamp())


def months_until(today: date, count: int) -> list[tuple[int, int]]:
    """List the last months (year, month), that of `today` included.

    >>> months_until(date(2026, 1, 9), 3)
    [(2025, 11), (2025, 12), (2026, 1)]
    """
    last = today.year * 12 + today.month - 1
    return [(number // 12, number % 12 + 1) for number in range(last - count + 1, last + 1)]


def fiscal_year(day: date, first_month: int) -> date:
    """Give the first day of the fiscal year that a day lies in.

    >>> fiscal_year(date(2026, 6, 30), 7), fiscal_year(date(2026, 7, 1), 7)
    (datetime.date(2025, 7, 1), datetime.date(2026, 7, 1))
    """
    return date(day.year if day.month >= first_month else day.year - 1, first_month, 1)


def billing_day(seconds: int) -> date:
    """Name the billing day of a bucket: the UTC date of its instant.

    Right for buckets stamped 00:00Z, 07:00Z and 08:00Z alike; subtracting eight hours first is not.

    >>> billing_day(1764921600)
    datetime.date(2025, 12, 5)
    """
    return datetime.fromtimestamp(seconds, UTC).date()


def cycle_between(after: int, before: int) -> BillingCycle:
    """Make the cycle of two bounds in Unix seconds, which are kept unchanged for the requests."""
    return BillingCycle(
        start=billing_day(after), end=billing_day(before), after=after, before=before
    )


def is_plausible(cycle: BillingCycle) -> bool:
    """Tell whether a cycle has at least a day and hardly more than a year."""
    return 0 < cycle.length() <= LONGEST_CYCLE


def day_of_instant(instant: datetime) -> date:
    """Name the billing day that is running at an instant."""
    return (instant.astimezone(UTC) - timedelta(seconds=BOUNDARY_SECONDS)).date()


def is_over(cycle: BillingCycle, timestamp: str) -> bool:
    """Tell whether a cycle had ended at an instant, written in ISO 8601 as in the evidence."""
    return cycle.before <= _seconds(timestamp)


def elapsed(cycle: BillingCycle, timestamp: str) -> int:
    """Give the seconds of a cycle that had passed at an instant, written in ISO 8601."""
    return max(0, min(cycle.before, _seconds(timestamp)) - cycle.after)


def _seconds(timestamp: str) -> int:
    instant = datetime.fromisoformat(timestamp)
    return int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp())


def resolve(
    selector: str, cycles: Iterable[BillingCycle], today: date
) -> BillingCycle | UnknownCycle:
    """Find the cycle that `current`, `previous`, a start date or a month names."""
    known = tuple(sorted(set(cycles)))
    named = _named(selector, known, today)
    if len(named) == 1:
        return named[0]
    return UnknownCycle(selector=selector, candidates=tuple(named), known=known)


def _named(selector: str, known: Sequence[BillingCycle], today: date) -> list[BillingCycle]:
    running = [cycle for cycle in known if today in cycle]
    if selector == "current":
        return running
    if selector == "previous":
        until = running[0].start if running else today
        ended = [cycle for cycle in known if cycle.end <= until]
        return [cycle for cycle in ended if cycle.start == ended[-1].start]
    if re.fullmatch(r"\d{4}-\d{2}(-\d{2})?", selector, re.ASCII):
        return [cycle for cycle in known if cycle.start.isoformat().startswith(selector)]
    return []
