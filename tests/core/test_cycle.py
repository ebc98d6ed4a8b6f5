"""Billing days and cycles."""

import itertools
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.cycle import (
    BillingCycle,
    UnknownCycle,
    billing_day,
    contract_cycles,
    cycle_between,
    day_of_instant,
    is_over,
    resolve,
)


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def cycle(start: str, end: str) -> BillingCycle:
    return cycle_between(seconds(f"{start}T08:00:00Z"), seconds(f"{end}T08:00:00Z"))


OCTOBER, NOVEMBER, DECEMBER = (
    cycle("2025-10-05", "2025-11-05"),
    cycle("2025-11-05", "2025-12-05"),
    cycle("2025-12-05", "2026-01-05"),
)
CYCLES = (OCTOBER, NOVEMBER, DECEMBER)


@pytest.mark.parametrize("hour", ["00:00", "07:00", "08:00", "23:59"])
@pytest.mark.parametrize("day", ["2025-12-05", "2025-07-01", "2024-02-29", "2026-01-01"])
def test_a_bucket_is_named_by_its_utc_date(day, hour):
    assert billing_day(seconds(f"{day}T{hour}:00Z")) == date.fromisoformat(day)


def test_a_cycle_is_half_open_and_keeps_its_bounds():
    assert (DECEMBER.after, DECEMBER.before) == (
        seconds("2025-12-05T08:00Z"),
        seconds("2026-01-05T08:00Z"),
    )
    assert (DECEMBER.start, DECEMBER.end) == (date(2025, 12, 5), date(2026, 1, 5))
    assert DECEMBER.previous_day() == date(2026, 1, 4)
    days = list(DECEMBER.days())
    assert (len(days), days[0], days[-1]) == (31, date(2025, 12, 5), date(2026, 1, 4))
    assert date(2025, 12, 5) in DECEMBER
    assert date(2026, 1, 4) in DECEMBER
    assert date(2025, 12, 4) not in DECEMBER
    assert date(2026, 1, 5) not in DECEMBER
    assert "2025-12-05" not in DECEMBER
    assert str(DECEMBER) == "2025-12-05 to 2026-01-05"


def test_neighbouring_cycles_share_no_day():
    days = [day for one in CYCLES for day in one.days()]
    assert len(days) == len(set(days)) == (date(2026, 1, 5) - date(2025, 10, 5)).days


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2025-12-05T07:59:59Z", "2025-12-04"),
        ("2025-12-05T08:00:00Z", "2025-12-05"),
        ("2025-12-06T07:59:59Z", "2025-12-05"),
        ("2025-07-05T07:59:59Z", "2025-07-04"),  # the boundary stays where it is in summer
        ("2025-12-05T09:30:00+02:00", "2025-12-04"),
        ("2025-12-05T00:00:00-08:00", "2025-12-05"),
    ],
)
def test_the_running_day_turns_at_eight(instant, day):
    assert day_of_instant(datetime.fromisoformat(instant)) == date.fromisoformat(day)


@given(
    # hypothesis adds the zone
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(-12, 14),
)
def test_the_running_day_does_not_depend_on_the_zone(instant, hours):
    there = instant.astimezone(timezone(timedelta(hours=hours)))
    assert day_of_instant(there) == day_of_instant(instant)


@pytest.mark.parametrize(
    ("timestamp", "over"),
    [
        ("2026-01-05T07:59:59Z", False),
        ("2026-01-05T08:00:00Z", True),
        ("2026-01-05T09:00:00+02:00", False),
        ("2026-01-09T10:00:00Z", True),
    ],
)
def test_a_cycle_is_over_at_its_bound(timestamp, over):
    assert is_over(DECEMBER, timestamp) is over


@pytest.mark.parametrize(
    ("selector", "today", "expected"),
    [
        ("current", "2025-12-05", DECEMBER),
        ("current", "2025-12-04", NOVEMBER),
        ("current", "2026-01-04", DECEMBER),
        ("previous", "2025-12-05", NOVEMBER),
        ("previous", "2025-12-04", OCTOBER),
        ("previous", "2026-01-05", DECEMBER),  # none is running: the last that has ended
        ("previous", "2027-01-01", DECEMBER),
        ("2025-11-05", "2026-01-01", NOVEMBER),
        ("2025-12", "2026-01-01", DECEMBER),
        ("2025-10", "2020-01-01", OCTOBER),
    ],
)
@given(order=st.permutations(CYCLES))
def test_a_selector_names_a_cycle(selector, today, expected, order):
    assert resolve(selector, order, date.fromisoformat(today)) == expected


@pytest.mark.parametrize(
    ("selector", "today"),
    [
        ("current", "2026-01-05"),
        ("current", "2025-10-04"),
        ("previous", "2025-10-20"),
        ("2025-12-06", "2025-12-06"),
        ("2025-09", "2025-12-05"),
        ("2025", "2025-12-05"),
        ("2025-1", "2025-12-05"),
        ("2025-12-0", "2025-12-05"),
        ("2025-12-05 ", "2025-12-05"),
        ("٢٠٢٥-١٢", "2025-12-05"),
        ("", "2025-12-05"),
        ("last", "2025-12-05"),
        ("Current", "2025-12-05"),
    ],
)
def test_what_names_no_cycle_comes_back_with_all_that_are_known(selector, today):
    found = resolve(selector, reversed(CYCLES), date.fromisoformat(today))
    assert found == UnknownCycle(selector=selector, candidates=(), known=CYCLES)


def test_two_cycles_that_start_in_a_month_are_both_named():
    short, long = cycle("2025-12-01", "2025-12-30"), cycle("2025-12-30", "2026-01-30")
    assert resolve("2025-12", [long, short], date(2026, 1, 1)) == UnknownCycle(
        selector="2025-12", candidates=(short, long), known=(short, long)
    )
    assert resolve("2025-12-30", [long, short], date(2026, 1, 1)) == long


@pytest.mark.parametrize("selector", ["2025-12-05", "2025-12", "previous", "current"])
def test_two_cycles_of_one_start_are_never_told_apart_by_chance(selector):
    twin = cycle("2025-12-05", "2026-01-04")
    today = date(2026, 1, 1) if selector == "current" else date(2026, 1, 9)
    assert resolve(selector, [NOVEMBER, DECEMBER, twin], today) == UnknownCycle(
        selector=selector, candidates=(twin, DECEMBER), known=(NOVEMBER, twin, DECEMBER)
    )


def test_a_cycle_that_is_told_twice_is_one():
    assert resolve("2025-12", [DECEMBER, DECEMBER], date(2026, 1, 1)) == DECEMBER


def test_there_may_be_no_cycle_at_all():
    for selector in ("current", "previous", "2025-12"):
        assert resolve(selector, [], date(2026, 1, 1)) == UnknownCycle(
            selector=selector, candidates=(), known=()
        )


@pytest.mark.parametrize(
    ("day", "month", "start", "end"),
    [
        (28, (2026, 1), date(2026, 1, 28), date(2026, 2, 28)),
        (29, (2026, 1), date(2026, 1, 29), date(2026, 2, 28)),
        (31, (2026, 2), date(2026, 2, 28), date(2026, 3, 31)),
        (31, (2028, 2), date(2028, 2, 29), date(2028, 3, 31)),
        (30, (2025, 12), date(2025, 12, 30), date(2026, 1, 30)),
        (31, (2026, 4), date(2026, 4, 30), date(2026, 5, 31)),
    ],
)
def test_a_contract_day_that_a_month_lacks_falls_on_its_last(day, month, start, end):
    (cycle,) = contract_cycles(day, [month])
    assert (cycle.start, cycle.end) == (start, end)


@given(st.integers(1, 31))
def test_contract_cycles_follow_on_each_other(day):
    cycles = contract_cycles(day, [(2027, month) for month in range(1, 13)])
    assert all(one.end == two.start for one, two in itertools.pairwise(cycles))
