"""Records of CSV, as templates write them: the one place that quotes, guards and cuts their cells.

Law: a record is one line, whatever its texts hold, and no text of it is a formula to a spreadsheet.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from jinja2 import TemplateRuntimeError

from reportgen.core.text import legible
from reportgen.core.written.tables import guarded

_UNPRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_QUOTED = re.compile(r'[",;\t]|^ | $')


class RowError(TemplateRuntimeError):
    """What cannot be a record, in a sentence of ours."""


def row(values: Iterable[object]) -> str:
    r"""Write a record: numbers with a point, days as 2025-12-05, nothing for None.

    >>> row(["0042", None, Decimal("7.00"), 'a "b", c', "=1+1", date(2025, 12, 5)])
    '0042,,7.00,"a ""b"", c",\'=1+1,2025-12-05'
    """
    return ",".join(map(_cell, values))


def cut(text: str, longest: int) -> str:
    """Cut a text as a system would whose field has no more room.

    >>> cut("Devin ACUs 2025-12-05 and so on", 25)
    'Devin ACUs 2025-12-05 and'
    """
    return _on_one_line(text)[:longest].rstrip()


def padded(values: Sequence[object], count: int) -> list[object]:
    """Add empty cells up to a number of columns.

    >>> padded(["1000"], 3)
    ['1000', '', '']
    """
    if len(values) > count:
        message = f"{len(values)} values are more than the {count} columns that there are for them"
        raise RowError(message)
    return [*values, *[""] * (count - len(values))]


def lines_as_in_csv(text: str) -> str:
    """End lines as RFC 4180 has it."""
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


ROW_FILTERS: Mapping[str, Callable[..., Any]] = {"row": row, "cut": cut, "padded": padded}


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    text = guarded(_on_one_line(str(value)))
    return f'"{text.replace(_MARK, _MARK * 2)}"' if _QUOTED.search(text) else text


def _on_one_line(text: str) -> str:
    return _UNPRINTED.sub(" ", legible(text))


_MARK = '"'
