"""What names more than a day, and which days it has; what is a code or a day is no period."""

from datetime import date

import pytest

from reportgen.sources.config.misread import number_meant
from reportgen.sources.config.periods import no_day, period_meant


@pytest.mark.parametrize(
    ("text", "name", "first", "last"),
    [
        ("Q1 2026", "quarter", "2026-01-01", "2026-03-31"),
        ("Q4/25", "quarter", "2025-10-01", "2025-12-31"),
        ("2026-q2", "quarter", "2026-04-01", "2026-06-30"),
        ("2026Q3", "quarter", "2026-07-01", "2026-09-30"),
        ("3Q26", "quarter", "2026-07-01", "2026-09-30"),
        ("H2 2026", "half", "2026-07-01", "2026-12-31"),
        ("2026 H1", "half", "2026-01-01", "2026-06-30"),
        ("2025-W49", "week", "2025-12-01", "2025-12-07"),
        ("KW 1/2026", "week", "2025-12-29", "2026-01-04"),
        ("Dec 2025", "month", "2025-12-01", "2025-12-31"),
        ("2024 February", "month", "2024-02-01", "2024-02-29"),
        ("sept. 2026", "month", "2026-09-01", "2026-09-30"),
    ],
)
def test_a_period_has_a_first_and_a_last_day(text, name, first, last):
    period = period_meant(text)
    assert period == (name, (date.fromisoformat(first), date.fromisoformat(last)))
    assert no_day(text)[1] == f"write its first, {first}, or its last, {last}"


@pytest.mark.parametrize(
    ("text", "name"), [("FY26", "fiscal period"), ("Q1 FY2026", "fiscal period"), ("Q3", "quarter")]
)
def test_of_some_nobody_knows_the_days(text, name):
    assert period_meant(text) == (name, None)
    assert no_day(text)[1] == "write its first or its last day as YYYY-MM-DD"


@pytest.mark.parametrize(
    "text",
    ["CC-1001", "2025-12-05", "Q5 2026", "2025-W54", "Team 2025", "Ma 2025", "4100", "soon", ""],
)
def test_what_is_none_is_left_alone(text):
    assert period_meant(text) is None
    assert no_day(text) is None


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("10k", "10000"),
        ("$10K", "10000"),
        ("1.5M", "1500000"),
        ("0.25 Mio.", "250000"),
        ("1,5 mio EUR", "1500000"),
        ("2 bn", "2000000000"),
        ("-3 tsd", "-3000"),
        ("10,000k", "10000000 or 10000, whichever is meant"),
    ],
)
def test_a_short_number_is_written_with_all_its_digits(text, written):
    said, hint = number_meant(text)
    assert hint == f"write {written}"
    assert "written as" in said


@pytest.mark.parametrize("text", ["10 kg", "10km", "5 Mark", "k", "10 k k"])
def test_no_number_is_short_for_one(text):
    assert number_meant(text) is None
