"""What is open to a template on each kind of value: nothing else, whatever a library may add.

What is open here gives the same for the same value, on every machine and on every day. So a day
has its figures, and no `today()`; it is written by filters, in the language of the document.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from jinja2.environment import TemplateModule
from jinja2.runtime import BlockReference, LoopContext, Macro, TemplateReference
from jinja2.utils import Namespace

from reportgen.core.text import quoted
from reportgen.documents.templating.kinds import MisuseError, kind, suggestion

_DAY = frozenset(
    {"day", "isocalendar", "isoformat", "isoweekday", "month", "replace", "strftime"}
    | {"weekday", "year"}
)
_SEQUENCE = frozenset({"count", "index"})
_TABLE = frozenset({"get", "items", "keys", "values"})
OPEN: Mapping[type, frozenset[str]] = {
    str: frozenset(
        {"capitalize", "casefold", "center", "count", "endswith", "expandtabs", "find", "index"}
        | {"isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "islower", "isnumeric"}
        | {"isprintable", "isspace", "istitle", "isupper", "join", "ljust", "lower", "lstrip"}
        | {"partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust"}
        | {"rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip"}
        | {"swapcase", "title", "upper", "zfill"}
    ),
    int: frozenset(),
    float: frozenset(),
    Decimal: frozenset(),
    datetime: _DAY | {"date", "hour", "minute", "second"},
    date: _DAY,
    timedelta: frozenset({"days"}),
    list: _SEQUENCE,
    tuple: _SEQUENCE,
    range: _SEQUENCE,
    dict: _TABLE,
    MappingProxyType: _TABLE,
    LoopContext: frozenset(
        {"changed", "cycle", "depth", "depth0", "first", "index", "index0", "last", "length"}
        | {"nextitem", "previtem", "revindex", "revindex0"}
    ),
    Macro: frozenset({"name"}),
    BlockReference: frozenset({"super"}),
    type(date.min.isocalendar()): frozenset({"week", "weekday", "year"}),
}
"""Attributes and methods by the type that has them; what is derived from it has the same."""
_ITS_OWN = (Namespace, TemplateModule, TemplateReference)
"""What has nothing but the names that a template gives it."""
_CLOCK = frozenset({"fromtimestamp", "now", "today", "utcfromtimestamp", "utcnow"})
_WRITING = "write a day with a filter, as {{ heading.cycle.start | day }}"
_CODE = re.compile(r"%(-?)(.?)", re.DOTALL)
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CODES: Mapping[str, Callable[[date], str]] = {
    "Y": lambda day: f"{day.year:04}",
    "y": lambda day: f"{day.year % 100:02}",
    "m": lambda day: f"{day.month:02}",
    "d": lambda day: f"{day.day:02}",
    "j": lambda day: f"{day.timetuple().tm_yday:03}",
    "G": lambda day: f"{day.isocalendar().year:04}",
    "V": lambda day: f"{day.isocalendar().week:02}",
    "u": lambda day: f"{day.isoweekday()}",
    "F": lambda day: day.isoformat()[:10],
    "B": lambda day: _MONTHS[day.month - 1],
    "b": lambda day: _MONTHS[day.month - 1][:3],
    "A": lambda day: _WEEKDAYS[day.weekday()],
    "a": lambda day: _WEEKDAYS[day.weekday()][:3],
    "%": lambda _: "%",
}


def opened(value: object) -> frozenset[str] | None:
    """Give what is open on a value of the language or a library; None for one of our own.

    A tuple with names for its places has those as well, as groups of `groupby` have.
    """
    if type(value).__module__.startswith("reportgen.") or isinstance(value, _ITS_OWN):
        return None
    listed = (OPEN[base] for base in type(value).__mro__ if base in OPEN)
    return next(listed, frozenset()).union(getattr(type(value), "_fields", ()))


def closed(value: object, name: str) -> str:
    """Say that something is closed, and what to write instead."""
    said = f"{quoted(name)} of {kind(value)} is closed to templates"
    if isinstance(value, date) or (isinstance(value, type) and issubclass(value, date)):
        return f"{said}{_instead_of_day(name)}"
    near = suggestion(name, sorted(opened(value) or ()))
    return said + near


def written_by(day: date, pattern: str) -> str:
    """Write a day as `strftime` does, but in English everywhere; raises MisuseError.

    >>> written_by(date(2025, 12, 5), "%y%m-%-d %b")
    '2512-5 Dec'
    """

    def figures(code: re.Match[str]) -> str:
        if code[2] not in _CODES:
            known = ", ".join(f"%{letter}" for letter in _CODES)
            raise MisuseError(
                f"{quoted(code[0])} of strftime differs between machines: "
                f"use {known}; or {_WRITING}"
            )
        written = _CODES[code[2]](day)
        return written.lstrip("0") if code[1] else written

    return _CODE.sub(figures, pattern)


def _instead_of_day(name: str) -> str:
    if name in _CLOCK:
        return (
            ": no document reads a clock; a closed one has its day in heading.issue.issued, "
            "and every one its days in heading.cycle"
        )
    return f": {_WRITING}, day_short or month; open are {_listed(_DAY)}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
