"""`<td>` and `<th>` -> typed cells: what stands in them says what they hold."""

import re
from datetime import date
from typing import NamedTuple
from xml.etree.ElementTree import Element

from reportgen.documents.content.slots import Link
from reportgen.documents.xlsx.dialect import (
    WorkbookError,
    classes_of,
    fragment,
    matching,
    required,
    text_of,
)
from reportgen.documents.xlsx.rows import Content, Formula, Number, is_number

COLUMNS = 16_384
_LINK = re.compile(r"(https?://|mailto:)\S+", re.IGNORECASE)
_CELL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class SheetCell(NamedTuple):
    """One cell; its classes include those of its row, and `name` is what formulas may call it."""

    content: Content
    classes: tuple[str, ...]
    span: int
    name: str | None


def read_cell(element: Element, row_classes: tuple[str, ...]) -> SheetCell:
    """Read one cell of a row; raises WorkbookError."""
    return SheetCell(
        content=_content(element),
        classes=row_classes + classes_of(element),
        span=_span(element),
        name=matching(element, "id", _CELL_NAME, "a letter followed by letters, digits or _"),
    )


def _content(cell: Element) -> Content:
    children = [child for child in cell if child.tag != "br"]
    if not children:
        return text_of(cell) or None
    child = children[0]
    if len(cell) > 1 or (cell.text or "").strip() or (child.tail or "").strip():
        raise WorkbookError(f"<{child.tag}> is not alone in its cell: {fragment(cell)}")
    return _typed(child)


def _typed(element: Element) -> Number | date | Formula | Link:
    if element.tag == "data":
        return _number(element)
    if element.tag == "time":
        return _date(element)
    if element.tag == "output":
        return _formula(element)
    return _link(element)


def _number(element: Element) -> Number:
    value = required(element, "value")
    if not is_number(value):
        raise WorkbookError(f"value is not a plain decimal number: {fragment(element)}")
    return Number(value)


def _date(time: Element) -> date:
    try:
        day = date.fromisoformat(required(time, "datetime"))
    except ValueError:
        raise WorkbookError(
            f"datetime is not a date such as 2025-12-05: {fragment(time)}"
        ) from None
    if day.year < 1900:  # noqa: PLR2004  - the first year of Excel's calendar
        raise WorkbookError(f"Excel has no dates before 1900: {fragment(time)}")
    return day


def _formula(output: Element) -> Formula:
    formula = required(output, "data-formula").strip()
    if not formula or formula.startswith("="):
        raise WorkbookError(f"data-formula is written without a leading =: {fragment(output)}")
    return Formula(formula, required(output, "value"))


def _link(a: Element) -> Link:
    href = required(a, "href")
    if not _LINK.fullmatch(href):
        raise WorkbookError(f"href is not an http, https or mailto address: {fragment(a)}")
    return Link(text_of(a), href)


def _span(cell: Element) -> int:
    text = cell.get("colspan", "1")
    fits = text.isascii() and text.isdigit() and len(text) <= len(str(COLUMNS))
    if not fits or not 1 <= int(text) <= COLUMNS:
        raise WorkbookError(f"colspan is not a number of columns: {fragment(cell)}")
    return int(text)
