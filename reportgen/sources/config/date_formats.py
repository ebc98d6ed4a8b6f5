"""Dates as other systems write them: one format for a whole file, told or found, never guessed.

A time of day is cut off. The order of day and month is taken from the rows: where two orders fit
every one of them and give other dates, somebody has to say which is meant.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate
from typing import NamedTuple

from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.sources.config import scalars
from reportgen.sources.config.periods import no_day

TIMED = re.compile(
    r"(.*?\d)(?:T| +)\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: *[AaPp]\.?[Mm]\.?)?"
    r"(?: *(?:Z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?))?"
)
NO_DATE = re.compile(r"0[0./-]*")
"""What some systems write where there is no date: 00.00.0000."""
SERIAL = re.compile(r"(\d{5})(?:\.\d+)?", re.ASCII)
"""A day in a workbook: a number of five digits, from 1927 to 2173."""


class Written(NamedTuple):
    """A text that stands for a date, and its file:line."""

    text: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DateFormat:
    """An order of YYYY, MM and DD with what stands between them."""

    name: str
    pattern: re.Pattern[str] = field(repr=False, compare=False)

    def read(self, text: str) -> date | None:
        """Give the day, or None where the text is no date in this format."""
        match = self.pattern.fullmatch(text)
        try:
            return date(int(match["Y"]), int(match["M"]), int(match["D"])) if match else None
        except ValueError:
            return None


def date_format(text: str) -> DateFormat:
    """Read a format such as DD.MM.YYYY, or raise Unreadable."""
    name = text.upper()
    parts = re.split(r"(Y+|M+|D+)", name)
    letters = sorted(part[0] for part in parts[1::2])
    lengths = {part[0]: len(part) for part in parts[1::2]}
    between = parts[2:-1:2]
    known = re.fullmatch(r"[YMD./ -]+", name) and not parts[0] and not parts[-1]
    if not known or letters != ["D", "M", "Y"] or lengths["Y"] != len("YYYY"):
        hint = "write YYYY, MM and DD once each, such as DD.MM.YYYY"
        raise scalars.Unreadable(f"{quoted(text)} is not a form of dates", hint)
    digits = r"\d{2}" if "" in between else r"\d{1,2}"
    fields = {"Y": r"(?P<Y>\d{4})", "M": rf"(?P<M>{digits})", "D": rf"(?P<D>{digits})"}
    pattern = "".join(
        fields[part[0]] if index % 2 else re.escape(part) for index, part in enumerate(parts)
    )
    return DateFormat(name=name, pattern=re.compile(pattern, re.ASCII))


KNOWN = tuple(
    map(
        date_format,
        (
            *("YYYY-MM-DD", "YYYYMMDD", "YYYY/MM/DD", "YYYY.MM.DD", "DD.MM.YYYY"),
            *("DD/MM/YYYY", "MM/DD/YYYY", "DD-MM-YYYY", "MM-DD-YYYY"),
        ),
    )
)
ISO = KNOWN[0]


def no_day_of(text: str, form: DateFormat) -> scalars.Unreadable:
    """Say what stands where a day is wanted, and how to write one."""
    if period := no_day(text):
        return scalars.Unreadable(f"{quoted(text)} {period[0]}", period[1])
    hint = f"write it as {form.name}, or name its form by `date_format`"
    return scalars.Unreadable(f"{quoted(text)} is not a date", hint)


def without_time(text: str) -> str:
    """Cut off a time of day and its zone; an empty text where a system writes zeros for no date.

    >>> without_time("2025-12-05T00:00:00+01:00"), without_time("12/5/2025 12:00 AM")
    ('2025-12-05', '12/5/2025')
    """
    match = TIMED.fullmatch(text) if ":" in text else None
    cut = match[1] if match else text
    return "" if NO_DATE.fullmatch(cut) else cut


def of_workbook(text: str, day_zero: date | None) -> date | None:
    """Give a day that a workbook holds as such, or as a number; None of other tables."""
    return (ISO.read(text) or from_number(text, day_zero)) if day_zero else None


def from_number(text: str, day_zero: date | None) -> date | None:
    """Give the day that a number stands for in a workbook, whose days count from `day_zero`."""
    match = SERIAL.fullmatch(text) if day_zero else None
    return day_zero + timedelta(days=int(match[1])) if match and day_zero else None


def common_format(
    dates: Iterable[Written], key: str = "user_file"
) -> tuple[DateFormat, list[Problem]]:
    """Find the one format that all dates have; what is a date in none is left to its reader.

    `key` names the section that may say which it is.
    """
    first_of: dict[str, Written] = {}
    for written in dates:
        first_of.setdefault(written.text, written)
    forms = {written: _forms(written.text) for written in first_of.values()}
    readable = {written: fitting for written, fitting in forms.items() if fitting}
    shared = [known for known in KNOWN if all(known in fitting for fitting in readable.values())]
    if not shared:
        return ISO, [_two_forms(readable, key)]
    for written in readable:
        for other in shared[1:]:
            if other.read(written.text) != shared[0].read(written.text):
                return shared[0], [_two_readings(written, shared[0], other, key)]
    return shared[0], []


def _forms(text: str) -> list[DateFormat]:
    return [known for known in KNOWN if known.read(text)]


def _two_readings(written: Written, first: DateFormat, other: DateFormat, key: str) -> Problem:
    message = (
        f"{quoted(written.text)} is {first.read(written.text)} as {first.name}, "
        f"but {other.read(written.text)} as {other.name}, and no row tells which is meant"
    )
    hint = f"write `date_format: {first.name}` or `date_format: {other.name}` under `{key}`"
    return Problem(source=written.source, message=message, hint=hint)


def _two_forms(readable: Mapping[Written, Sequence[DateFormat]], key: str) -> Problem:
    """Name the first date that has no form in common with all before it, and one of those."""
    sets = [set(fitting) for fitting in readable.values()]
    shared = accumulate(sets, set[DateFormat].intersection)
    written, fitting = next(
        one for one, left in zip(readable.items(), shared, strict=True) if not left
    )
    apart = (one for one, others in readable.items() if not {*others} & {*fitting})
    other = next(apart, next(iter(readable)))
    message = (
        f"{quoted(written.text)} is written {fitting[0].name}, "
        f"but {quoted(other.text)} in {other.source} {readable[other][0].name}"
    )
    hint = f"write all dates in one form, or name theirs by `date_format` under `{key}`"
    return Problem(source=written.source, message=message, hint=hint)
