"""Dated entries: each starts a known cycle, lies in the future, or is told."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.charging.misplaced import Calendar, misplaced
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import MemoCurrency, MemoRate, RateCard, Transfer, VendorInvoice

NOVEMBER, DECEMBER, JANUARY = date(2025, 11, 5), date(2025, 12, 5), date(2026, 1, 5)
KNOWN = (
    BillingCycle(start=NOVEMBER, end=DECEMBER, after=0, before=0),
    BillingCycle(start=DECEMBER, end=JANUARY, after=0, before=0),
)
CALENDAR = Calendar(cycles=KNOWN, as_of=date(2026, 1, 9))


def transfer(day: date, line: int = 1) -> Transfer:
    return Transfer(
        cycle=day,
        giver="A",
        receiver="B",
        amount=Decimal(1),
        reason=f"T-{line}",
        source=f"rates.yaml:{line}",
    )


def told(*transfers: Transfer, calendar: Calendar = CALENDAR, **others: object) -> list[str]:
    card = RateCard(currency="USD", decimals=2, transfers=transfers, **others)  # type: ignore[arg-type]
    return [str(problem) for problem in misplaced(card, calendar)]


def memo(*days: date) -> dict[str, MemoCurrency]:
    rates = tuple(
        MemoRate(day, Decimal(155), f"rates.yaml:{line}") for line, day in enumerate(days, start=7)
    )
    return {"A": MemoCurrency(currency="JPY", decimals=0, rates=rates, source="rates.yaml:6")}


@pytest.mark.parametrize("day", [NOVEMBER, DECEMBER, JANUARY, date(2026, 1, 10), date(2031, 3, 3)])
def test_first_days_and_days_to_come_are_silent(day):
    vendor = {day: VendorInvoice(number="V", amount=None, acus=None, source="rates.yaml:9")}
    assert told(transfer(day), vendor_invoices=vendor, memo_currencies=memo(day)) == []


def test_a_day_inside_a_cycle_is_told_with_that_cycle_and_what_to_write():
    (only,) = told(transfer(date(2025, 12, 31), 8))
    assert only == (
        'rates.yaml:8: warning: the transfer "T-8" stands under 2025-12-31, on which no billing '
        "cycle starts, and applies to nothing: the day lies in the cycle of 2025-12-05 to "
        "2026-01-05; write 2025-12-05, or 2025-11-05 if the cycle before is meant"
    )


def test_a_day_to_come_inside_a_running_cycle_is_told():
    running = Calendar(cycles=KNOWN, as_of=date(2025, 12, 20))
    assert len(told(transfer(date(2025, 12, 31)), calendar=running)) == 1
    assert told(transfer(date(2026, 1, 6)), calendar=running) == []


def test_a_past_day_after_the_last_known_cycle_lies_in_the_one_that_follows():
    vendor = VendorInvoice(number="V-7", amount=None, acus=None, source="rates.yaml:4")
    (only,) = told(vendor_invoices={date(2026, 1, 6): vendor})
    assert only.endswith(
        "the day lies in the cycle that starts on 2026-01-05; "
        "write 2026-01-05, or 2025-12-05 if the cycle before is meant"
    )


def test_a_day_between_known_cycles_is_in_none():
    kept = Calendar(cycles=KNOWN, starts=(date(2024, 1, 5),), as_of=date(2026, 1, 9))
    assert told(transfer(date(2024, 1, 5)), calendar=kept) == []
    (only,) = told(transfer(date(2024, 6, 5)), calendar=kept)
    assert only.endswith(
        "the day lies between 2024-01-05 and 2025-11-05, in no known cycle; "
        "write the day on which its own cycle starts"
    )


def test_days_before_all_known_cycles_are_one_line():
    days = [date(2023, month, 5) for month in range(1, 7)]
    (only,) = told(*(transfer(day, line) for line, day in enumerate(days, start=3)))
    assert only == (
        'rates.yaml:3: warning: the transfer "T-3" stands under 2023-01-05, on which no billing '
        "cycle starts, and applies to nothing: the day lies before 2025-11-05, the first day that "
        "is known to start one; likewise under 2023-02-05 (rates.yaml:4), 2023-03-05 "
        "(rates.yaml:5), 2023-04-05 (rates.yaml:6) and 2 more; write 2025-11-05 if that cycle is "
        "meant, else the day on which its own cycle starts"
    )


def test_a_rate_is_told_by_its_own_line_where_it_misses_the_cycle_it_stands_in():
    (only,) = told(memo_currencies=memo(date(2020, 1, 1), DECEMBER, date(2025, 12, 10)))
    assert only.startswith(
        'rates.yaml:9: warning: the rate of JPY for "A" stands under 2025-12-10, on which no '
        "billing cycle starts, and misses that cycle: "
    )


@given(
    st.lists(st.integers(-800, 800), max_size=4),
    st.lists(st.integers(1, 31), min_size=1, max_size=6),
    st.integers(-100, 200),
)
def test_every_transfer_applies_lies_in_the_future_or_is_told(days, lengths, age):
    """The law, counted by hand: no transfer is dropped without a word."""
    starts = [DECEMBER]
    for length in lengths:
        starts.append(starts[-1] + timedelta(length))
    cycles = tuple(
        BillingCycle(start=start, end=end, after=0, before=0) for start, end in pairwise(starts)
    )
    as_of = DECEMBER + timedelta(age)
    entries = [transfer(DECEMBER + timedelta(day), line) for line, day in enumerate(days, start=1)]
    silent = {
        one.reason
        for one in entries
        if one.cycle in starts or (one.cycle > as_of and not starts[0] <= one.cycle < starts[-1])
    }
    lines = "\n".join(told(*entries, calendar=Calendar(cycles=cycles, as_of=as_of)))
    for one in entries:
        named = f'"{one.reason}"' in lines or f"({one.source})" in lines
        assert named == (one.reason not in silent)
