"""Dated entries of the rate card under a day on which no billing cycle starts.

A transfer and a vendor's invoice belong to the cycle whose first day they stand under; under any
other day they apply to nothing. A rate of a memo currency holds from a cycle's first day on; under
a day inside of one it misses that cycle.

Law: every entry stands under the first day of a known cycle, or lies in the future, or is told.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Literal, NamedTuple

from reportgen.core.cycle import BillingCycle, days_between
from reportgen.core.model import RateCard
from reportgen.core.problem import Problem, file_and_line
from reportgen.core.text import quoted, some

LONGEST_CYCLE = 31
"""A month has no more days: beyond them nobody knows in which cycle a day lies."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """The billing cycles that are known.

    Of those that were collected once and are told by nobody any more, only their `starts` are.
    `as_of` is the billing day on which the evidence was collected.
    """

    cycles: tuple[BillingCycle, ...]
    starts: tuple[date, ...] = ()
    as_of: date

    def first_days(self) -> list[date]:
        """Give the days on which a cycle starts, in order: one follows on each that ends."""
        ends = (cycle.end for cycle in self.cycles)
        return sorted({*(cycle.start for cycle in self.cycles), *ends, *self.starts})

    def around(self, day: date) -> BillingCycle | None:
        """Give the known cycle that a day lies in."""
        return next((cycle for cycle in self.cycles if day in cycle), None)


class _Entry(NamedTuple):
    """What stands under a day; a `rate` holds from it on, a `once` applies to one cycle alone."""

    kind: Literal["once", "rate"]
    name: str
    day: date
    source: str


class _Place(NamedTuple):
    """Where a day lies, and what to write instead; an `early` one is before all known cycles."""

    words: str
    hint: str
    early: bool = False


def misplaced(card: RateCard, calendar: Calendar) -> list[Problem]:
    """Warn of every dated entry that starts no known cycle and does not lie in the future.

    Those before the first known cycle may be of cycles that nobody tells any more: they are told in
    one line for each sort of entry.
    """
    first_days = calendar.first_days()
    out_of_place = [
        (entry, place)
        for entry in _entries(card)
        if entry.day not in first_days and (place := _place(entry, calendar, first_days))
    ]
    told = [_problem(entry, place) for entry, place in out_of_place if not place.early]
    early = ((entry, place) for entry, place in out_of_place if place.early)
    return sorted([*told, *_in_one_line(early)], key=lambda problem: file_and_line(problem.source))


def dated_days(card: RateCard) -> set[date]:
    """Give every day under which an entry stands."""
    return {entry.day for entry in _entries(card)}


def _entries(card: RateCard) -> Iterator[_Entry]:
    for transfer in card.transfers:
        name = f"the transfer {quoted(transfer.reason)}"
        yield _Entry("once", name, transfer.cycle, transfer.source)
    for start, invoice in card.vendor_invoices.items():
        name = f"the vendor's invoice {quoted(invoice.number)}"
        yield _Entry("once", name, start, invoice.source)
    for code, memo in card.memo_currencies.items():
        for rate in memo.rates:
            name = f"the rate of {memo.currency} for {quoted(code)}"
            yield _Entry("rate", name, rate.start, rate.source)


def _place(entry: _Entry, calendar: Calendar, first_days: list[date]) -> _Place | None:
    """Say where an entry lies; None in the future, and for a rate that held before all cycles."""
    day = entry.day
    cycle = calendar.around(day)
    if cycle:
        return _within(f"of {cycle}", cycle.start, first_days)
    if day > calendar.as_of:
        return None
    before = max((first for first in first_days if first < day), default=None)
    if before and days_between(before, day) < LONGEST_CYCLE:
        return _within(f"that starts on {before}", before, first_days)
    if entry.kind == "rate":
        return None
    after = min((first for first in first_days if first > day), default=None)
    return _between(day, before, after)


def _within(words: str, start: date, first_days: list[date]) -> _Place:
    """Place a day in a cycle of which the first day is known."""
    previous = max((first for first in first_days if first < start), default=None)
    other = f", or {previous} if the cycle before is meant" if previous else ""
    return _Place(f"in the cycle {words}", f"write {start}{other}")


def _between(day: date, before: date | None, after: date | None) -> _Place:
    """Place a day in none of the known cycles."""
    own = "the day on which its own cycle starts"
    if after is None:
        return _Place("in no known cycle", f"write {own}")
    if before is None:
        near = days_between(day, after) < LONGEST_CYCLE
        words = f"in the cycle before {after}" if near else f"before {after}"
        words = f"{words}, the first day that is known to start one"
        return _Place(words, f"write {after} if that cycle is meant, else {own}", early=not near)
    return _Place(f"between {before} and {after}, in no known cycle", f"write {own}")


def _problem(entry: _Entry, place: _Place) -> Problem:
    effect = "applies to nothing" if entry.kind == "once" else "misses that cycle"
    message = (
        f"{entry.name} stands under {entry.day}, on which no billing cycle starts, and {effect}: "
        f"the day lies {place.words}"
    )
    return Problem(
        source=entry.source,
        message=message,
        hint=place.hint,
        warning=True,
        code="date-starts-no-cycle",
    )


def _in_one_line(entries: Iterable[tuple[_Entry, _Place]]) -> Iterator[Problem]:
    """Tell entries of one sort together: the first, and which others there are."""

    def sort(one: tuple[_Entry, _Place]) -> str:
        return one[0].name.partition('"')[0]

    ordered = sorted(entries, key=lambda one: (sort(one), one[0].day, one[0].source))
    for _, alike in groupby(ordered, sort):
        (entry, place), *others = alike
        problem = _problem(entry, place)
        likewise = some(others, lambda one: f"{one[0].day} ({one[0].source})")
        message = f"{problem.message}; likewise under {likewise}" if others else problem.message
        yield replace(problem, message=message)
