"""Cell values -> the XML of a sheet's rows.

Law: what is text stays text whatever it begins with, and a number is written as its own decimal
text, without a float on the way. Replaced in text are only: characters that XML 1.0 cannot carry
(U+FFFD), carriage returns (line feeds, as in Excel's own cells), and what exceeds 32,767 characters
(an ellipsis).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from reportgen.core.text import legible
from reportgen.documents.content.slots import CellValue, Link

_RETURN = re.compile("\r\n?")
# Excel reads _x0041_ in a text as the letter A; the underscore that begins such a group is written
# as a group itself.
_CODED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_TEXT_UNITS = 32_767  # of UTF-16, as Excel counts
_DAY_ZERO = date(1899, 12, 30).toordinal()
_LEAP_DAY_1900 = 60  # Excel's calendar has a 29 February 1900; the days before it are one lower
_CACHED_TEXTS = 4096


class Number(NamedTuple):
    """A number as the decimal text that is written."""

    text: str


class Formula(NamedTuple):
    """A formula without its `=`, and the value shown until it is recalculated."""

    text: str
    value: str


Content = str | Number | date | Formula | Link | None


class SlotColumn(NamedTuple):
    """Where a field of a slot's rows goes, and its cellXfs indices (dates have their own)."""

    letter: str
    field: str
    position: int
    style: int
    date_style: int


def is_number(text: str) -> bool:
    """Tell whether a text is a plain decimal number: ASCII digits, a point, a minus sign."""
    return _NUMBER.fullmatch(text) is not None


def coded(text: str) -> str:
    """Write a text so that Excel does not take `_x0041_` in it for a character."""
    return _CODED.sub("_x005F_", text)


def serial(day: date) -> int:
    """Return Excel's number of a day in the 1900 date system; raises ValueError before 1900."""
    number = day.toordinal() - _DAY_ZERO
    if number <= _LEAP_DAY_1900:
        number -= 1
    if number < 1:
        raise ValueError(f"Excel has no date {day}")
    return number


def decimal_text(value: Decimal) -> str:
    """Return a number without an exponent and without a negative zero; raises ValueError."""
    text = str(value)
    if "E" in text or text[0] == "-" or not value.is_finite():
        if not value.is_finite():
            raise ValueError(f"{value} is not a number Excel can hold")
        text = format(value or abs(value), "f")
    return text


def text_xml(text: str) -> str:
    """Return the `<is>` element of a text."""
    shown = coded(_cut(_RETURN.sub("\n", legible(text))))
    space = ' xml:space="preserve"' if shown != shown.strip() or "\n" in shown else ""
    return f"<is><t{space}>{escape(shown)}</t></is>"


def cell_xml(reference: str, style: int, content: Content) -> str:
    """Return the `<c>` element of one cell; empty text where there is neither content nor style."""
    start = f'<c r="{reference}"' + (f' s="{style}"' if style else "")
    if isinstance(content, str):
        return f'{start} t="inlineStr">{text_xml(content)}</c>'
    if isinstance(content, Link):
        return f'{start} t="inlineStr">{text_xml(content.text)}</c>'
    if isinstance(content, Number):
        return f"{start}><v>{content.text}</v></c>"
    if isinstance(content, Formula):
        kind = "" if is_number(content.value) else ' t="str"'
        return (
            f"{start}{kind}><f>{escape(content.text)}</f><v>{escape(coded(content.value))}</v></c>"
        )
    if content is None:
        return f"{start}/>" if style else ""
    return f"{start}><v>{serial(content)}</v></c>"


def slot_rows(
    columns: Sequence[SlotColumn],
    rows: Iterable[Sequence[CellValue]],
    first: int,
    links: dict[str, str],
) -> Iterator[str]:
    """Yield a `<row>` per row of a slot; raises TypeError or ValueError for a bad value.

    The addresses that cells open are added to `links`.
    """
    write = _writers(links)
    for number, row in enumerate(rows, first):
        cells = [
            write[type(value := row[column.position])](column, number, value) for column in columns
        ]
        yield f'<row r="{number}">{"".join(cells)}</row>'


_Writer = Callable[[SlotColumn, int, Any], str]


class _Writers(dict[type, _Writer]):
    """One writer per exact type of value; a float, a bool or a datetime has none."""

    def __missing__(self, kind: type) -> _Writer:
        if not issubclass(kind, str):
            raise TypeError(f"a {kind.__name__} is not a value of a cell")
        write = self[str]
        self[kind] = lambda column, number, value: write(column, number, str.__str__(value))
        return self[kind]


def _writers(links: dict[str, str]) -> _Writers:
    # Names and days repeat from row to row. The memory is that of one slot and goes with it.
    text = lru_cache(_CACHED_TEXTS)(text_xml)
    day = lru_cache(_CACHED_TEXTS)(serial)

    def link(to: SlotColumn, number: int, value: Link) -> str:
        links[f"{to.letter}{number}"] = value.href
        return cell_xml(f"{to.letter}{number}", to.style, value)

    return _Writers(
        {
            str: lambda to, number, value: (
                f'<c r="{to.letter}{number}" s="{to.style}" t="inlineStr">{text(value)}</c>'
            ),
            Decimal: lambda to, number, value: (
                f'<c r="{to.letter}{number}" s="{to.style}"><v>{decimal_text(value)}</v></c>'
            ),
            int: lambda to, number, value: (
                f'<c r="{to.letter}{number}" s="{to.style}"><v>{value}</v></c>'
            ),
            date: lambda to, number, value: (
                f'<c r="{to.letter}{number}" s="{to.date_style}"><v>{day(value)}</v></c>'
            ),
            Link: link,
            type(None): lambda to, number, _: f'<c r="{to.letter}{number}" s="{to.style}"/>',
        }
    )


def _cut(text: str) -> str:
    if len(text) <= _TEXT_UNITS // 2:
        return text
    units = text.encode("utf-16-le")
    if len(units) <= 2 * _TEXT_UNITS:
        return text
    # Half of a pair that the cut leaves behind is dropped.
    return units[: 2 * (_TEXT_UNITS - 1)].decode("utf-16-le", "ignore") + "…"
