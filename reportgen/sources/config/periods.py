"""A quarter, half, month, week or fiscal year, where one day is wanted: which days it has.

Nothing is read in this way: it is asked only where a text was refused, for what to write instead.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

MONTHS = (
    *("JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE"),
    *("JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"),
)
LEAST_LETTERS = 3
_YEAR = r"(?P<year>\d{4}|\d{2})"
_FORMS = (
    ("fiscal", rf"(?:[QH]?\d )?FY ?{_YEAR}(?: ?[QH]\d)?"),
    ("quarter", rf"Q ?(?P<part>[1-4])(?: ?{_YEAR})?"),
    ("quarter", rf"(?P<part>[1-4]) ?Q(?: ?{_YEAR})?"),
    ("quarter", r"(?P<year>\d{4}) ?Q ?(?P<part>[1-4])"),
    ("half", rf"H ?(?P<part>[12])(?: ?{_YEAR})?"),
    ("half", r"(?P<year>\d{4}) ?H ?(?P<part>[12])"),
    ("week", r"(?P<year>\d{4}) ?(?:W|CW|KW|WEEK) ?(?P<part>\d{1,2})"),
    ("week", r"(?:W|CW|KW|WEEK) ?(?P<part>\d{1,2}) (?P<year>\d{4})"),
    ("month", r"(?P<part>[A-Z]{3,9}) ?(?P<year>\d{4})"),
    ("month", r"(?P<year>\d{4}) ?(?P<part>[A-Z]{3,9})"),
)
"""How people write a period, in capitals, with a blank for every other sign."""


class Period(NamedTuple):
    """What a text names, and its first and last day where both are known."""

    name: str
    days: tuple[date, date] | None


def period_meant(text: str) -> Period | None:
    """Give the period that a text names; None of what is none.

    >>> period_meant("Q1 2026").days
    (datetime.date(2026, 1, 1), datetime.date(2026, 3, 31))
    >>> period_meant("CC-1001")
    """
    written = re.sub(r"[\s/'’.,_-]+", " ", text).strip().upper()
    for name, form in _FORMS:
        if match := re.fullmatch(form, written, re.ASCII):
            return _period(name, match)
    return None


def no_day(text: str) -> tuple[str, str] | None:
    """Say of a period that it is no day, and what to write; None of what is none.

    >>> no_day("Dec 2025")
    ('is a month, and one day is wanted', 'write its first, 2025-12-01, or its last, 2025-12-31')
    """
    period = period_meant(text)
    if period is None:
        return None
    hint = "write its first or its last day as YYYY-MM-DD"
    if period.days:
        hint = f"write its first, {period.days[0]}, or its last, {period.days[1]}"
    return f"is a {period.name}, and one day is wanted", hint


def _period(name: str, match: re.Match[str]) -> Period | None:
    if name == "fiscal":  # when it begins nobody says here
        return Period("fiscal period", None)
    part = _month(match["part"]) if name == "month" else int(match["part"])
    if not part:
        return None
    try:
        days = _DAYS[name](_full(match["year"]), part) if match["year"] else None
    except ValueError:  # a week that the year has not
        return None
    return Period(name, days)


def _full(year: str) -> int:
    return int(year) if len(year) > len("26") else 2000 + int(year)


def _month(word: str) -> int:
    """Give the number of a month by its name or the first letters of it; 0 of other words."""
    named = (at for at, month in enumerate(MONTHS, start=1) if month.startswith(word))
    return next(named, 0) if len(word) >= LEAST_LETTERS else 0


def _months(year: int, part: int, length: int) -> tuple[date, date]:
    """Give the first and last day of the part of a year that is so many months long."""
    first = date(year, (part - 1) * length + 1, 1)
    after = (
        date(year + 1, 1, 1)
        if part * length == len(MONTHS)
        else first.replace(month=part * length + 1)
    )
    return first, after - timedelta(days=1)


def _week(year: int, part: int) -> tuple[date, date]:
    return date.fromisocalendar(year, part, 1), date.fromisocalendar(year, part, 7)


_DAYS: Mapping[str, Callable[[int, int], tuple[date, date]]] = {
    "quarter": lambda year, part: _months(year, part, 3),
    "half": lambda year, part: _months(year, part, 6),
    "month": lambda year, part: _months(year, part, 1),
    "week": _week,
}
