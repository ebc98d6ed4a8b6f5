"""XHTML tables -> the description of a workbook: sheets, columns, rows, typed cells.

The vocabulary is closed: an element, an attribute or a value that is not in it is a mistake in the template and is
reported with its fragment, so that a misspelt `data-feild` never becomes an empty column.

    Book            title, language, core properties, style sheet
      Sheet         one `<table>`: name, print and view options
        Column      one `<col>`: width, and the slot's field that goes there
        Row         cells as the template has them
          Cell      str | Number | date | Formula | Link | None
        SlotRows    the place where a slot's rows are streamed in
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html.entities import html5
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError, XMLParser

from reportgen.documents.sheetxml import Content, Formula, Link, Number, is_number, legible

_CELLS = {"td", "th"}
_ROWS = {"thead", "tbody", "tfoot"}
_CHILDREN: Mapping[str, set[str]] = {
    "html": {"head", "body"},
    "head": {"title", "meta", "style"},
    "body": {"table"},
    "table": {"colgroup"} | _ROWS,
    "colgroup": {"col"},
    "thead": {"tr"},
    "tbody": {"tr"},
    "tfoot": {"tr"},
    "tr": _CELLS,
    "td": {"data", "time", "output", "a", "br"},
    "th": {"data", "time", "output", "a", "br"},
}
_ATTRIBUTES: Mapping[str, set[str]] = {
    "html": {"lang"},
    "meta": {"name", "content"},
    "table": {
        "title",
        "data-orientation",
        "data-paper",
        "data-freeze",
        "data-table",
        "data-table-style",
        "data-filter",
        "data-gridlines",
        "data-footer",
    },
    "col": {"style", "class", "data-field"},
    "tbody": {"data-rows"},
    "tr": {"style", "class"},
    "td": {"class", "colspan"},
    "th": {"class", "colspan"},
    "data": {"value"},
    "time": {"datetime"},
    "output": {"value", "data-formula"},
    "a": {"href"},
}
_TEXT = _CELLS | {"title", "style", "data", "time", "output", "a"}
_PROPERTIES = {"author", "subject", "keywords", "category", "created"}
_XML_ENTITIES = {"amp", "lt", "gt", "quot", "apos"}
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_LINK = re.compile(r"(https?://|mailto:)\S+", re.IGNORECASE)
_SHEET_NAME_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")
_SHEET_NAME_UNITS = 31
_TABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,254}")
# Excel takes such a name for a cell (ABC12, R1C1) and repairs the file by dropping the table.
_CELL_LIKE = re.compile(r"[A-Z]{1,3}[0-9]+|R([0-9]*)|C([0-9]*)|R[0-9]*C[0-9]*", re.IGNORECASE)
_FREEZE = re.compile(r"none|[A-Z]{1,3}[1-9][0-9]*")
_FOOTER_CHARACTERS = 255
_FRAGMENT_CHARACTERS = 100
_COLUMNS = 16_384
_WIDTH_CHARACTERS = 254
_HEIGHT_POINTS = 409
_EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001  - core properties are written as UTC without an offset


class WorkbookError(Exception):
    """A mistake in the template of a workbook; the message names it with its fragment."""


class Cell(NamedTuple):
    """One cell; its classes include those of its row, and it spans as many columns as it says."""

    content: Content
    classes: tuple[str, ...]
    span: int


class Column(NamedTuple):
    """One column: width in characters of the base font (None: Excel's own)."""

    width: float | None
    classes: tuple[str, ...]
    field: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: height in points (None: as high as its text)."""

    cells: tuple[Cell, ...]
    height: str | None
    header: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRows:
    """The place of a slot's rows."""

    slot: str
    fragment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet: its content, and how it is seen and printed."""

    name: str
    columns: tuple[Column, ...]
    blocks: tuple[Row | SlotRows, ...]
    landscape: bool
    paper: str
    freeze: str | None
    table: str | None
    table_style: str | None
    filter: bool
    gridlines: bool
    footer: str | None
    fragment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A workbook: its properties (created: UTC), its style sheet and its sheets in order."""

    title: str
    language: str | None
    properties: Mapping[str, str]
    created: datetime
    css: str
    sheets: tuple[Sheet, ...]


def read(xhtml: str) -> Book:
    """Read a template's output; raises WorkbookError at the first mistake."""
    root = _parse(xhtml)
    _check_vocabulary(root)
    properties = dict(_property(meta) for meta in root.iterfind("head/meta"))
    sheets = tuple(_sheet(table) for table in root.iterfind("body/table"))
    _check_names(sheets)
    return Book(
        title=_text(root.find("head/title")).strip(),
        language=root.get("lang"),
        created=_created(properties.pop("created", None)),
        properties=properties,
        css="\n".join(_text(style) for style in root.iterfind("head/style")),
        sheets=sheets,
    )


def fragment(element: Element) -> str:
    """Return the opening tag of an element and the start of its text, for a message."""
    attributes = "".join(f' {name}="{value}"' for name, value in element.attrib.items())
    shown = f"<{element.tag}{attributes}>{(element.text or '').strip()}"
    return shown if len(shown) <= _FRAGMENT_CHARACTERS else shown[: _FRAGMENT_CHARACTERS - 1] + "…"


def _parse(xhtml: str) -> Element:
    # Characters that XML cannot carry may come from any name in the data: expat would refuse the whole document.
    text = _ENTITY.sub(_entity, legible(xhtml))
    parser = XMLParser()  # noqa: S314  - the template's own output, escaped by Jinja; never a foreign document
    try:
        parser.feed(text)
        root: Element = parser.close()
    except ParseError as error:
        line, column = error.position
        where = (text.splitlines() or [""])[line - 1 : line]
        shown = where[0].strip()[:_FRAGMENT_CHARACTERS] if where else ""
        reason = str(error).split(":", 1)[0]
        raise WorkbookError(f"not well-formed XML, line {line}, column {column + 1}: {reason}: {shown}") from None
    if root.tag != "html":
        raise WorkbookError(f"the outermost element is not <html>: {fragment(root)}")
    return root


def _entity(match: re.Match[str]) -> str:
    name = match[1]
    if name in _XML_ENTITIES:
        return match[0]
    characters = html5.get(f"{name};")
    if characters is None:
        raise WorkbookError(f"unknown entity &{name};")
    # Entities such as &lsqb; are plain characters, but some (&AMP;, &LT;) are markup and stay escaped.
    return "".join(f"&#{ord(character)};" for character in characters)


def _check_vocabulary(root: Element) -> None:
    for element in root.iter():
        for name in element.attrib.keys() - _ATTRIBUTES.get(element.tag, set()):
            raise WorkbookError(f"unknown attribute {name}: {fragment(element)}")
        known = _CHILDREN.get(element.tag, set())
        for child in element:
            if child.tag not in known:
                raise WorkbookError(f"<{child.tag}> has no place in <{element.tag}>: {fragment(child)}")
        if element.tag not in _TEXT:
            _check_no_text(element)


def _check_no_text(element: Element) -> None:
    for text in (element.text, *(child.tail for child in element)):
        if text and not text.isspace():
            raise WorkbookError(f"text outside a cell, in {fragment(element)}: {text.strip()[:40]}")


def _property(meta: Element) -> tuple[str, str]:
    name = meta.get("name", "")
    if name not in _PROPERTIES:
        raise WorkbookError(f"meta name is not one of {', '.join(sorted(_PROPERTIES))}: {fragment(meta)}")
    return name, _required(meta, "content")


def _created(text: str | None) -> datetime:
    if text is None:
        return _EPOCH
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WorkbookError(f'meta created is not an ISO date and time: "{text}"') from None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _check_names(sheets: tuple[Sheet, ...]) -> None:
    if not sheets:
        raise WorkbookError("a workbook needs at least one <table>")
    for kind, names in (
        ("sheet", [sheet.name for sheet in sheets]),
        ("native table", [sheet.table for sheet in sheets if sheet.table]),
    ):
        seen: set[str] = set()
        for name in names:
            if name.casefold() in seen:
                raise WorkbookError(f'two {kind}s are called "{name}" (capitals do not count)')
            seen.add(name.casefold())


def _sheet(table: Element) -> Sheet:
    if len(table.findall("thead")) > 1:
        raise WorkbookError(f"more than one <thead>: {fragment(table)}")
    columns = tuple(_column(col) for col in table.iterfind("colgroup/col"))
    if len(columns) > _COLUMNS:
        raise WorkbookError(f"a table has more than {_COLUMNS} columns: {fragment(table)}")
    return Sheet(
        name=_sheet_name(table),
        columns=columns,
        blocks=tuple(_blocks(table)),
        landscape=_choice(table, "data-orientation", "portrait", "landscape") == "landscape",
        paper=_choice(table, "data-paper", "A4", "letter"),
        freeze=_matching(table, "data-freeze", _FREEZE, 'a cell such as "A7", or "none"'),
        table=_table_name(table),
        table_style=table.get("data-table-style"),
        filter=_choice(table, "data-filter", "off", "on") == "on",
        gridlines=_choice(table, "data-gridlines", "on", "off") == "on",
        footer=_footer(table),
        fragment=fragment(table),
    )


def _sheet_name(table: Element) -> str:
    name = _required(table, "title")
    if len(name.encode("utf-16-le")) > 2 * _SHEET_NAME_UNITS:
        raise WorkbookError(f"a sheet name is longer than {_SHEET_NAME_UNITS} characters: {fragment(table)}")
    if _SHEET_NAME_FORBIDDEN.search(name):
        raise WorkbookError(f"a sheet name holds one of [ ] : * ? / \\: {fragment(table)}")
    if not name.strip() or name[0] == "'" or name[-1] == "'" or name.casefold() == "history":
        raise WorkbookError(f"Excel does not allow this sheet name: {fragment(table)}")
    return name


def _table_name(table: Element) -> str | None:
    name = _matching(table, "data-table", _TABLE_NAME, "a letter followed by letters, digits, dots or _")
    if name and _CELL_LIKE.fullmatch(name):
        raise WorkbookError(f"data-table looks like a cell reference: {fragment(table)}")
    return name


def _footer(table: Element) -> str | None:
    footer = table.get("data-footer")
    if footer and len(footer) > _FOOTER_CHARACTERS:
        raise WorkbookError(f"data-footer is longer than {_FOOTER_CHARACTERS} characters: {fragment(table)}")
    return footer


def _column(col: Element) -> Column:
    width = _measure(col, "width", "ch", _WIDTH_CHARACTERS)
    # Excel counts five pixels of padding in; a width of 14 is shown as 14 only when they are added.
    return Column(float(width) + 0.71 if width else None, _classes(col), col.get("data-field"))


def _blocks(table: Element) -> Iterator[Row | SlotRows]:
    for part in table:
        slot = part.get("data-rows")
        if slot is not None:
            if len(part):
                raise WorkbookError(f"a slot holds rows of its own: {fragment(part)}")
            yield SlotRows(slot=slot, fragment=fragment(part))
        elif part.tag in _ROWS:
            for tr in part:
                yield _row(tr, header=part.tag == "thead")


def _row(tr: Element, *, header: bool) -> Row:
    classes = _classes(tr)
    cells = tuple(Cell(_content(cell), classes + _classes(cell), _span(cell)) for cell in tr)
    if sum(cell.span for cell in cells) > _COLUMNS:
        raise WorkbookError(f"a row has more than {_COLUMNS} columns: {fragment(tr)}")
    return Row(cells=cells, height=_measure(tr, "height", "pt", _HEIGHT_POINTS), header=header)


def _content(cell: Element) -> Content:
    children = [child for child in cell if child.tag != "br"]
    if not children:
        return _text(cell) or None
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


def _number(data: Element) -> Number:
    value = _required(data, "value")
    if not is_number(value):
        raise WorkbookError(f"value is not a plain decimal number: {fragment(data)}")
    return Number(value)


def _date(time: Element) -> date:
    try:
        day = date.fromisoformat(_required(time, "datetime"))
    except ValueError:
        raise WorkbookError(f"datetime is not a date such as 2025-12-05: {fragment(time)}") from None
    if day.year < 1900:  # noqa: PLR2004  - the first year of Excel's calendar
        raise WorkbookError(f"Excel has no dates before 1900: {fragment(time)}")
    return day


def _formula(output: Element) -> Formula:
    formula = _required(output, "data-formula").strip()
    if not formula or formula.startswith("="):
        raise WorkbookError(f"data-formula is written without a leading =: {fragment(output)}")
    return Formula(formula, _required(output, "value"))


def _link(a: Element) -> Link:
    href = _required(a, "href")
    if not _LINK.fullmatch(href):
        raise WorkbookError(f"href is not an http, https or mailto address: {fragment(a)}")
    return Link(_text(a), href)


def _text(element: Element | None) -> str:
    if element is None:
        return ""
    return (element.text or "") + "".join("\n" + (child.tail or "") for child in element)


def _classes(element: Element) -> tuple[str, ...]:
    return tuple(element.get("class", "").split())


def _span(cell: Element) -> int:
    text = cell.get("colspan", "1")
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= _COLUMNS:
        raise WorkbookError(f"colspan is not a number of columns: {fragment(cell)}")
    return int(text)


def _measure(element: Element, name: str, unit: str, most: int) -> str | None:
    style = element.get("style")
    if style is None:
        return None
    match = re.fullmatch(rf"\s*{name}:\s*([0-9]+(?:\.[0-9]+)?){unit}\s*;?\s*", style)
    if not match:
        raise WorkbookError(f'style is not "{name}: <number>{unit}": {fragment(element)}')
    if float(match[1]) > most:
        raise WorkbookError(f"{name} is over {most}{unit}: {fragment(element)}")
    return match[1]


def _required(element: Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise WorkbookError(f"{name} is missing: {fragment(element)}")
    return value


def _choice(element: Element, name: str, default: str, other: str) -> str:
    value = element.get(name, default)
    if value not in {default, other}:
        raise WorkbookError(f"{name} is neither {default} nor {other}: {fragment(element)}")
    return value


def _matching(element: Element, name: str, pattern: re.Pattern[str], wanted: str) -> str | None:
    value = element.get(name)
    if value is not None and not pattern.fullmatch(value):
        raise WorkbookError(f"{name} is not {wanted}: {fragment(element)}")
    return value
