"""XHTML tables and streamed rows -> the bytes of an .xlsx file.

openpyxl builds the package: styles, native tables, names, print set-up. The rows do not pass through its cells, which
take ten times as long and keep everything in memory: each sheet's `<sheetData>` is written as XML and put into the
package in place of openpyxl's empty one. Slots are streamed first, because a formula may point at a slot of a later
sheet and needs to know where it ends.

Law: same template output and same rows in, same bytes out; nothing comes from the clock.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.table import Table, TableColumn, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from reportgen.documents import cellstyles, tables
from reportgen.documents.cellstyles import StyleBook
from reportgen.documents.sheetxml import (
    CellValue,
    Content,
    Formula,
    Link,
    SlotColumn,
    cell_xml,
    coded,
    legible,
    slot_rows,
)
from reportgen.documents.tables import Book, Cell, Row, Sheet, SlotRows, WorkbookError

__all__ = ["CellValue", "Slot", "WorkbookError", "workbook"]

_IN_MEMORY_BYTES = 4 * 2**20  # of a slot's rows; what exceeds it goes to a temporary file
_CHUNK_BYTES = 2**18
_ZIP64_BYTES = 2**30
_ROWS = 1_048_576
_COLUMNS = 16_384
_ADDRESS_CHARACTERS = 2_079  # a longer hyperlink makes Excel repair the file
_UNIX = 3
_SHEET_DATA = re.compile(rb"<sheetData(?:/>|>.*?</sheetData>)", re.DOTALL)
_DIMENSION = re.compile(rb'<dimension ref="[^"]*"\s*/>')
# An array constant, {1,2}, begins with no letter.
_REFERENCE = re.compile(r"\{([A-Za-z_][^{}]*)\}")
_PAPER = {"A4": 9, "letter": 1}


class Slot(NamedTuple):
    """Bulk rows: the names of their columns, and the rows, which are read once."""

    fields: tuple[str, ...]
    rows: Iterable[Sequence[CellValue]]


class _StaticRow(NamedTuple):
    number: int
    row: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class _Streamed:
    """The rows of a slot as XML, and where they stand."""

    slot: str
    columns: tuple[SlotColumn, ...]
    first: int
    last: int
    xml: SpooledTemporaryFile[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """A sheet whose rows have their numbers."""

    sheet: Sheet
    parts: tuple[_StaticRow | _Streamed, ...]

    @property
    def streamed(self) -> list[_Streamed]:
        return [part for part in self.parts if isinstance(part, _Streamed)]

    @property
    def static(self) -> list[_StaticRow]:
        return [part for part in self.parts if isinstance(part, _StaticRow)]


def workbook(xhtml: str, slots: Mapping[str, Slot]) -> bytes:
    """Return the .xlsx file that a template's output describes; raises WorkbookError for a mistake in it.

    A slot that no table places is not read. A value no cell can hold raises TypeError or ValueError.
    """
    template = tables.read(xhtml)
    _check_slots(template, slots)
    book = _book(template)
    styles = StyleBook(book, cellstyles.read(template.css))
    with ExitStack() as spools:
        placed = [_place(sheet, slots, styles, spools) for sheet in template.sheets]
        references = _references(placed)
        for worksheet, sheet in zip(book.worksheets, placed, strict=True):
            _set_up(worksheet, sheet, template.title)
        contents = [_Contents(sheet, styles, references) for sheet in placed]
        return _package(book, contents)


def _check_slots(template: Book, slots: Mapping[str, Slot]) -> None:
    used: set[str] = set()
    for block in (block for sheet in template.sheets for block in sheet.blocks):
        if isinstance(block, SlotRows):
            if block.slot not in slots:
                raise WorkbookError(f"unknown slot (there are: {', '.join(sorted(slots))}): {block.fragment}")
            if block.slot in used:
                raise WorkbookError(f"a slot is used twice: {block.fragment}")
            used.add(block.slot)


def _book(template: Book) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for sheet in template.sheets:
        book.create_sheet(sheet.name)
    about = book.properties
    about.title = template.title
    about.language = template.language
    about.creator = about.lastModifiedBy = template.properties.get("author")
    about.subject = template.properties.get("subject")
    about.keywords = template.properties.get("keywords")
    about.category = template.properties.get("category")
    about.created = about.modified = template.created
    return book


def _place(sheet: Sheet, slots: Mapping[str, Slot], styles: StyleBook, spools: ExitStack) -> _Placed:
    parts: list[_StaticRow | _Streamed] = []
    number = 1
    for block in sheet.blocks:
        if isinstance(block, Row):
            parts.append(_StaticRow(number, block))
            number += 1
        else:
            spool = spools.enter_context(SpooledTemporaryFile(_IN_MEMORY_BYTES))
            columns = _slot_columns(sheet, block, slots[block.slot].fields, styles)
            last = _stream(columns, slots[block.slot], number, spool)
            parts.append(_Streamed(slot=block.slot, columns=columns, first=number, last=last, xml=spool))
            number = last + 1
    if number - 1 > _ROWS:
        raise WorkbookError(f"{number - 1} rows do not fit on a sheet of {_ROWS}: {sheet.fragment}")
    return _Placed(sheet=sheet, parts=tuple(parts))


def _slot_columns(
    sheet: Sheet, place: SlotRows, fields: tuple[str, ...], styles: StyleBook
) -> tuple[SlotColumn, ...]:
    columns = []
    for number, column in enumerate(sheet.columns, 1):
        if column.field is None:
            continue
        if column.field not in fields:
            known = ", ".join(fields)
            raise WorkbookError(
                f'slot "{place.slot}" has no such field (there are: {known}): <col data-field="{column.field}">'
            )
        style, date_style = styles.index(column.classes), styles.index(column.classes, is_date=True)
        index = fields.index(column.field)
        columns.append(SlotColumn(get_column_letter(number), column.field, index, style, date_style))
    if not columns:
        raise WorkbookError(f"no <col> has a data-field for the rows of {place.fragment}")
    return tuple(columns)


def _stream(columns: tuple[SlotColumn, ...], slot: Slot, first: int, spool: SpooledTemporaryFile[bytes]) -> int:
    """Write a slot's rows and return the number of the last; without rows, one blank row keeps formulas valid."""
    last = first - 1
    for last, xml in enumerate(slot_rows(columns, slot.rows, first), first):  # noqa: B007
        spool.write(xml.encode())
    if last >= first:
        return last
    blank: list[Sequence[CellValue]] = [(None,) * len(slot.fields)]
    spool.writelines(xml.encode() for xml in slot_rows(columns, blank, first))
    return first


def _references(placed: Sequence[_Placed]) -> Mapping[str, str]:
    """Return `slot.field` -> the absolute range of its rows."""
    references: dict[str, str] = {}
    for sheet in placed:
        name = quote_sheetname(sheet.sheet.name)
        for part in sheet.streamed:
            for column in reversed(part.columns):
                area = f"${column.letter}${part.first}:${column.letter}${part.last}"
                references[f"{part.slot}.{column.field}"] = f"{name}!{area}"
    return references


def _set_up(worksheet: Worksheet, placed: _Placed, title: str) -> None:
    sheet = placed.sheet
    for number, column in enumerate(sheet.columns, 1):
        if column.width is not None:
            worksheet.column_dimensions[get_column_letter(number)].width = column.width
    worksheet.sheet_view.showGridLines = sheet.gridlines
    headers = [part.number for part in placed.static if part.row.header]
    if headers:
        worksheet.print_title_rows = f"{headers[0]}:{headers[-1]}"
    freeze = sheet.freeze or (f"A{headers[-1] + 1}" if headers else "none")
    if freeze != "none":
        worksheet.freeze_panes = freeze
    _set_up_print(worksheet, sheet, title)
    _set_up_spans_and_links(worksheet, placed)
    if sheet.table:
        worksheet.add_table(_native_table(placed, sheet.table))
    elif sheet.filter:
        worksheet.auto_filter.ref = _table_range(placed)


def _set_up_print(worksheet: Worksheet, sheet: Sheet, title: str) -> None:
    worksheet.page_setup.orientation = "landscape" if sheet.landscape else "portrait"
    worksheet.page_setup.paperSize = _PAPER[sheet.paper]
    worksheet.page_setup.fitToWidth = 1
    worksheet.page_setup.fitToHeight = 0
    worksheet.sheet_properties.pageSetUpPr.fitToPage = True  # type: ignore[union-attr]
    worksheet.page_margins = PageMargins(left=0.6, right=0.6, top=0.7, bottom=0.8, header=0.3, footer=0.4)
    default = "&L" + legible(title).replace("&", "&&")[:200] + "&R&P / &N"
    footer = default if sheet.footer is None else sheet.footer
    position, text = (footer[:2], footer[2:]) if footer[:2] in {"&L", "&C", "&R"} else ("&C", footer)
    # Given whole to its first part, the literal is written as it stands.
    parts = {"&L": worksheet.oddFooter.left, "&C": worksheet.oddFooter.center, "&R": worksheet.oddFooter.right}
    parts[position].text = text


def _set_up_spans_and_links(worksheet: Worksheet, placed: _Placed) -> None:
    for number, row in placed.static:
        for column, cell in _positions(row):
            if cell.span > 1:
                last = column + cell.span - 1
                area = CellRange(min_row=number, max_row=number, min_col=column, max_col=last)
                worksheet.merged_cells.add(area)
            if isinstance(cell.content, Link) and len(cell.content.href) <= _ADDRESS_CHARACTERS:
                # openpyxl collects the links of its cells; the cell itself is written by us.
                worksheet.cell(number, column).hyperlink = cell.content.href


def _native_table(placed: _Placed, name: str) -> Table:
    area = _table_range(placed)
    headers = _table_headers(placed)
    style = placed.sheet.table_style
    return Table(
        displayName=name,
        ref=area,
        autoFilter=AutoFilter(ref=area),
        tableColumns=[TableColumn(id=number, name=header) for number, header in enumerate(headers, 1)],
        tableStyleInfo=TableStyleInfo(name=style, showRowStripes=True) if style else None,
    )


def _table_range(placed: _Placed) -> str:
    if len(placed.streamed) != 1:
        raise WorkbookError(f"a native table or filter needs exactly one slot: {placed.sheet.fragment}")
    part = placed.streamed[0]
    letters = [column.letter for column in part.columns]
    first = next(number for number, column in enumerate(placed.sheet.columns, 1) if column.field)
    if letters != [get_column_letter(first + offset) for offset in range(len(letters))]:
        raise WorkbookError(f"the columns with a data-field are not side by side: {placed.sheet.fragment}")
    if part.first == 1:
        raise WorkbookError(f"a native table or filter needs a header row above its slot: {placed.sheet.fragment}")
    return f"{letters[0]}{part.first - 1}:{letters[-1]}{part.last}"


def _table_headers(placed: _Placed) -> list[str]:
    part = placed.streamed[0]
    header = next(row for number, row in placed.static if number == part.first - 1)
    texts = {get_column_letter(column): cell.content for column, cell in _positions(header) if cell.span == 1}
    names: list[str] = []
    for column in part.columns:
        text = texts.get(column.letter)
        if not isinstance(text, str) or not text.strip():
            raise WorkbookError(f"column {column.letter} of a native table has no header: {placed.sheet.fragment}")
        if text.casefold() in (name.casefold() for name in names):
            raise WorkbookError(f'two columns of a native table are called "{text}": {placed.sheet.fragment}')
        names.append(text)
    return [coded(name) for name in names]


def _positions(row: Row) -> Iterator[tuple[int, Cell]]:
    column = 1
    for cell in row.cells:
        yield column, cell
        column += cell.span
    if column - 1 > _COLUMNS:
        raise WorkbookError(f"a row has more than {_COLUMNS} columns")


class _Contents(NamedTuple):
    """What a sheet's `<sheetData>` is made from."""

    placed: _Placed
    styles: StyleBook
    references: Mapping[str, str]

    def sheet_data(self) -> Iterator[bytes]:
        yield b"<sheetData>"
        for part in self.placed.parts:
            if isinstance(part, _StaticRow):
                yield self._row(part).encode()
            else:
                part.xml.seek(0)
                yield from iter(lambda xml=part.xml: xml.read(_CHUNK_BYTES), b"")
        yield b"</sheetData>"
