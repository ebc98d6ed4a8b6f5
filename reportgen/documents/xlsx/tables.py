"""XHTML tables -> the description of a workbook: sheets, columns, rows, typed cells.

The description, from the outside in:

    Book            title, language, core properties, style sheet
      Sheet         one `<table>`: name, print and view options
        Column      one `<col>`: width, the slot's field that goes there, its colour in the chart
        ChartPlan   the columns of a slot, stacked: title, and what they are counted in
        SheetRow    cells as the template has them
          SheetCell str | Number | date | Formula | Link | None
        SlotRows    the place where a slot's rows are streamed in
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from xml.etree.ElementTree import Element

from reportgen.documents.xlsx.cells import COLUMNS, SheetCell, read_cell
from reportgen.documents.xlsx.dialect import (
    ROW_GROUPS,
    WorkbookError,
    choice,
    classes_of,
    fragment,
    matching,
    measure,
    parse,
    required,
    text_of,
)

_PROPERTIES = {"author", "subject", "keywords", "category", "created"}
_SHEET_NAME_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")
_SHEET_NAME_UNITS = 31
_TABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,254}")
# Excel takes such a name for a cell (ABC12, R1C1) and repairs the file by dropping the table.
_CELL_LIKE = re.compile(r"[A-Z]{1,3}[0-9]+|R[0-9]*|C[0-9]*|R[0-9]*C[0-9]*", re.IGNORECASE)
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_FREEZE = re.compile(r"none|[A-Z]{1,3}[1-9][0-9]*")
_FOOTER_CHARACTERS = 255
_WIDTH_CHARACTERS = 254
_HEIGHT_POINTS = 409
_EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001  - core properties are written as UTC without an offset


class Column(NamedTuple):
    """One column: width in characters (None: Excel's own); a series of the chart has a colour."""

    width: float | None
    classes: tuple[str, ...]
    field: str | None
    series: str | None


class ChartPlan(NamedTuple):
    """A chart of the sheet's slot: its title, and what its values are counted in."""

    title: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """One row: height in points (None: as high as its text)."""

    cells: tuple[SheetCell, ...]
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
    blocks: tuple[SheetRow | SlotRows, ...]
    landscape: bool
    paper: str
    freeze: str | None
    table: str | None
    table_style: str | None
    filter: bool
    gridlines: bool
    footer: str | None
    chart: ChartPlan | None
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
    root = parse(xhtml)
    properties = dict(_property(meta) for meta in root.iterfind("head/meta"))
    sheets = tuple(_sheet(table) for table in root.iterfind("body/table"))
    _check_names(sheets)
    return Book(
        title=text_of(root.find("head/title")).strip(),
        language=root.get("lang"),
        created=_created(properties.pop("created", None)),
        properties=properties,
        css="\n".join(text_of(style) for style in root.iterfind("head/style")),
        sheets=sheets,
    )


def _property(meta: Element) -> tuple[str, str]:
    name = meta.get("name", "")
    if name not in _PROPERTIES:
        raise WorkbookError(
            f"meta name is not one of {', '.join(sorted(_PROPERTIES))}: {fragment(meta)}"
        )
    return name, required(meta, "content")


def _created(text: str | None) -> datetime:
    if text is None:
        return _EPOCH
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (OverflowError, ValueError):
        raise WorkbookError(f'meta created is not an ISO date and time: "{text}"') from None


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
    if len(columns) > COLUMNS:
        raise WorkbookError(f"a table has more than {COLUMNS} columns: {fragment(table)}")
    return Sheet(
        name=_sheet_name(table),
        columns=columns,
        blocks=tuple(_blocks(table)),
        landscape=choice(table, "data-orientation", "portrait", "landscape") == "landscape",
        paper=choice(table, "data-paper", "A4", "letter"),
        freeze=matching(table, "data-freeze", _FREEZE, 'a cell such as "A7", or "none"'),
        table=_table_name(table),
        table_style=table.get("data-table-style"),
        filter=choice(table, "data-filter", "off", "on") == "on",
        gridlines=choice(table, "data-gridlines", "on", "off") == "on",
        footer=_footer(table),
        chart=_chart(table, columns),
        fragment=fragment(table),
    )


def _sheet_name(table: Element) -> str:
    name = required(table, "title")
    if len(name.encode("utf-16-le")) > 2 * _SHEET_NAME_UNITS:
        raise WorkbookError(
            f"a sheet name is longer than {_SHEET_NAME_UNITS} characters: {fragment(table)}"
        )
    if _SHEET_NAME_FORBIDDEN.search(name):
        raise WorkbookError(f"a sheet name holds one of [ ] : * ? / \\: {fragment(table)}")
    if not name.strip() or name[0] == "'" or name[-1] == "'" or name.casefold() == "history":
        raise WorkbookError(f"Excel does not allow this sheet name: {fragment(table)}")
    return name


def _table_name(table: Element) -> str | None:
    name = matching(
        table, "data-table", _TABLE_NAME, "a letter followed by letters, digits, dots or _"
    )
    if name and _CELL_LIKE.fullmatch(name):
        raise WorkbookError(f"data-table looks like a cell reference: {fragment(table)}")
    return name


def _footer(table: Element) -> str | None:
    footer = table.get("data-footer")
    if footer and len(footer) > _FOOTER_CHARACTERS:
        raise WorkbookError(
            f"data-footer is longer than {_FOOTER_CHARACTERS} characters: {fragment(table)}"
        )
    return footer


def _chart(table: Element, columns: tuple[Column, ...]) -> ChartPlan | None:
    title, unit = table.get("data-chart"), table.get("data-chart-unit")
    fields = [column for column in columns if column.field]
    charted = [column for column in fields if column.series]
    if title is None and unit is None and not charted:
        return None
    if not title or not unit:
        raise WorkbookError(
            f"a chart needs both data-chart, its title, and data-chart-unit: {fragment(table)}"
        )
    if not charted:
        raise WorkbookError(f"a chart needs a <col> with data-series: {fragment(table)}")
    if fields[0].series:
        raise WorkbookError(
            f"the first data-field of a chart is its categories, no series: {fragment(table)}"
        )
    return ChartPlan(title, unit)


def _column(col: Element) -> Column:
    width = measure(col, "width", "ch", _WIDTH_CHARACTERS)
    field, series = (
        col.get("data-field"),
        matching(col, "data-series", _COLOUR, "a colour such as #1f4e79"),
    )
    if series and field is None:
        raise WorkbookError(f"data-series stands without a data-field: {fragment(col)}")
    # Excel counts five pixels of padding in; a width of 14 is shown as 14 only when they are added.
    return Column(float(width) + 0.71 if width else None, classes_of(col), field, series)


def _blocks(table: Element) -> Iterator[SheetRow | SlotRows]:
    for part in table:
        slot = part.get("data-rows")
        if slot is not None:
            if len(part):
                raise WorkbookError(f"a slot holds rows of its own: {fragment(part)}")
            yield SlotRows(slot=slot, fragment=fragment(part))
        elif part.tag in ROW_GROUPS:
            for tr in part:
                yield _row(tr, header=part.tag == "thead")


def _row(tr: Element, *, header: bool) -> SheetRow:
    classes = classes_of(tr)
    cells = tuple(read_cell(cell, classes) for cell in tr)
    if sum(cell.span for cell in cells) > COLUMNS:
        raise WorkbookError(f"a row has more than {COLUMNS} columns: {fragment(tr)}")
    return SheetRow(cells=cells, height=measure(tr, "height", "pt", _HEIGHT_POINTS), header=header)
