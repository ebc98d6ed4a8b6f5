"""Rows get their numbers, slots become XML, formulas their ranges.

Slots are streamed first, because a formula may point at a slot of a later sheet and needs to know
where it ends.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from os import SEEK_END
from tempfile import SpooledTemporaryFile
from typing import NamedTuple

from openpyxl.utils import column_index_from_string, get_column_letter, quote_sheetname

from reportgen.documents.content.slots import CellValue, Slot
from reportgen.documents.xlsx.cells import SheetCell
from reportgen.documents.xlsx.dialect import WorkbookError
from reportgen.documents.xlsx.rows import Formula, SlotColumn, cell_xml, slot_rows
from reportgen.documents.xlsx.styles import StyleBook
from reportgen.documents.xlsx.tables import Sheet, SheetRow, SlotRows

_IN_MEMORY_BYTES = 2**20  # of a slot's rows; what exceeds it goes to a temporary file
_CHUNK_BYTES = 2**18
_ZIP64_BYTES = 2**30
_ROWS = 1_048_576
# An array constant, {1,2}, begins with no letter.
_REFERENCE = re.compile(r"\{([A-Za-z_][^{}]*)\}")


class StaticRow(NamedTuple):
    """A row of the template and its number."""

    number: int
    row: SheetRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """The rows of a slot as XML, and where they stand; `links` are the addresses of its cells."""

    slot: str
    columns: tuple[SlotColumn, ...]
    first: int
    last: int
    xml: SpooledTemporaryFile[bytes]
    links: Mapping[str, str]

    @property
    def size(self) -> int:
        """Return the length of the XML in bytes."""
        return self.xml.seek(0, SEEK_END)

    def chunks(self) -> Iterator[bytes]:
        """Yield the rows from the first, as often as asked."""
        self.xml.seek(0)
        while chunk := self.xml.read(_CHUNK_BYTES):
            yield chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A sheet whose rows have their numbers."""

    sheet: Sheet
    parts: tuple[StaticRow | Streamed, ...]

    @property
    def streamed(self) -> list[Streamed]:
        """Return the slots."""
        return [part for part in self.parts if isinstance(part, Streamed)]

    @property
    def static(self) -> list[StaticRow]:
        """Return the rows of the template."""
        return [part for part in self.parts if isinstance(part, StaticRow)]


def check_slots(sheets: Iterable[Sheet], slots: Mapping[str, Slot]) -> None:
    """Raise WorkbookError where a sheet places a slot that is unknown, or already placed."""
    used: set[str] = set()
    for block in (block for sheet in sheets for block in sheet.blocks):
        if isinstance(block, SlotRows):
            if block.slot not in slots:
                raise WorkbookError(
                    f"unknown slot (there are: {', '.join(sorted(slots))}): {block.fragment}"
                )
            if block.slot in used:
                raise WorkbookError(f"a slot is used twice: {block.fragment}")
            used.add(block.slot)


def place(sheet: Sheet, slots: Mapping[str, Slot], styles: StyleBook, spools: ExitStack) -> Placed:
    """Give the rows of a sheet their numbers and stream its slots to files that `spools` closes."""
    parts: list[StaticRow | Streamed] = []
    number = 1
    for block in sheet.blocks:
        if isinstance(block, SheetRow):
            parts.append(StaticRow(number, block))
            number += 1
        else:
            columns = _slot_columns(sheet, block, slots[block.slot].fields, styles)
            spool: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115
            spools.callback(spool.close)
            part = _stream(columns, block.slot, slots[block.slot], number, spool)
            parts.append(part)
            number = part.last + 1
    if number - 1 > _ROWS:
        raise WorkbookError(f"{number - 1} rows do not fit on a sheet of {_ROWS}: {sheet.fragment}")
    return Placed(sheet=sheet, parts=tuple(parts))


def listed(placed: Placed) -> Streamed:
    """Return the slot of a sheet that is one list below a header row; raises WorkbookError."""
    if len(placed.streamed) != 1:
        raise WorkbookError(
            f"a native table, filter or chart needs exactly one slot: {placed.sheet.fragment}"
        )
    (part,) = placed.streamed
    if part.first == 1:
        raise WorkbookError(
            "a native table, filter or chart needs a header row above its slot: "
            f"{placed.sheet.fragment}"
        )
    return part


def headers(placed: Placed) -> list[str]:
    """Return the texts above the columns of a sheet's one slot; raises WorkbookError."""
    part = listed(placed)
    (row,) = [static.row for static in placed.static if static.number == part.first - 1]
    cells = {
        get_column_letter(column): cell.content for column, cell in positions(row) if cell.span == 1
    }
    texts = (cells.get(column.letter) for column in part.columns)
    return [text if isinstance(text, str) else "" for text in texts]


def references(placed: Sequence[Placed]) -> Mapping[str, str]:
    """Return what formulas point at: `slot.field` -> rows, `id` -> cell; raises WorkbookError."""
    ranges: dict[str, str] = {}
    for sheet in placed:
        for name, area in _areas(sheet):
            if name in ranges and "." not in name:
                raise WorkbookError(f'two cells have the id "{name}": {sheet.sheet.fragment}')
            ranges[name] = f"{quote_sheetname(sheet.sheet.name)}!{area}"
    return ranges


def _areas(placed: Placed) -> Iterator[tuple[str, str]]:
    for part in placed.streamed:
        # Of a field that stands in two columns, the first is meant.
        for column in reversed(part.columns):
            yield (
                f"{part.slot}.{column.field}",
                f"${column.letter}${part.first}:${column.letter}${part.last}",
            )
    for number, row in placed.static:
        for column_number, cell in positions(row):
            if cell.name:
                yield cell.name, f"${get_column_letter(column_number)}${number}"


def positions(row: SheetRow) -> Iterator[tuple[int, SheetCell]]:
    """Yield the cells of a row with the number of their (first) column."""
    column = 1
    for cell in row.cells:
        yield column, cell
        column += cell.span


class SheetData(NamedTuple):
    """The `<sheetData>` of one sheet, and the range that holds its cells."""

    dimension: str
    parts: tuple[bytes | Streamed, ...]

    @property
    def is_huge(self) -> bool:
        """Tell whether the zip entry may need 64-bit sizes."""
        return sum(part.size for part in self.parts if isinstance(part, Streamed)) > _ZIP64_BYTES

    def chunks(self) -> Iterator[bytes]:
        """Yield the XML from `<sheetData>` to `</sheetData>`."""
        yield b"<sheetData>"
        for part in self.parts:
            if isinstance(part, Streamed):
                yield from part.chunks()
            else:
                yield part
        yield b"</sheetData>"


def sheet_data(placed: Placed, styles: StyleBook, ranges: Mapping[str, str]) -> SheetData:
    """Write the template's rows of a sheet, registering their styles; raises WorkbookError."""
    parts = tuple(
        part if isinstance(part, Streamed) else _row_xml(part, styles, ranges).encode()
        for part in placed.parts
    )
    return SheetData(_dimension(placed, styles), parts)


def _dimension(placed: Placed, styles: StyleBook) -> str:
    corners = [corner for part in placed.parts for corner in _corners(part, styles)] or [(1, 1)]
    rows, columns = zip(*corners, strict=True)
    first = f"{get_column_letter(min(columns))}{min(rows)}"
    last = f"{get_column_letter(max(columns))}{max(rows)}"
    return first if first == last else f"{first}:{last}"


def _corners(part: StaticRow | Streamed, styles: StyleBook) -> Iterator[tuple[int, int]]:
    if isinstance(part, Streamed):
        yield part.first, column_index_from_string(part.columns[0].letter)
        yield part.last, column_index_from_string(part.columns[-1].letter)
        return
    for column, cell in positions(part.row):
        if cell.content is not None or styles.index(cell.classes):
            yield part.number, column
        if styles.index(cell.classes):
            yield part.number, column + cell.span - 1


def _row_xml(part: StaticRow, styles: StyleBook, ranges: Mapping[str, str]) -> str:
    height = f' ht="{part.row.height}" customHeight="1"' if part.row.height else ""
    cells = "".join(_cells_xml(part, styles, ranges))
    return f'<row r="{part.number}"{height}>{cells}</row>'


def _cells_xml(part: StaticRow, styles: StyleBook, ranges: Mapping[str, str]) -> Iterator[str]:
    for column, cell in positions(part.row):
        content = cell.content
        if isinstance(content, Formula):
            content = _resolved(content, ranges)
        style = styles.index(cell.classes, is_date=isinstance(content, date))
        yield cell_xml(f"{get_column_letter(column)}{part.number}", style, content)
        # The cells under a span carry its style too: Excel draws borders and fills from them.
        for covered in range(column + 1, column + cell.span):
            yield cell_xml(f"{get_column_letter(covered)}{part.number}", style, None)


def _resolved(formula: Formula, ranges: Mapping[str, str]) -> Formula:
    def area(match: re.Match[str]) -> str:
        if match[1] not in ranges:
            known = ", ".join(sorted(ranges)) or "none"
            raise WorkbookError(
                f'unknown reference {match[0]} (there are: {known}): data-formula="{formula.text}"'
            )
        return ranges[match[1]]

    return formula._replace(text=_REFERENCE.sub(area, formula.text))


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
                f'slot "{place.slot}" has no such field (there are: {known}): '
                f'<col data-field="{column.field}">'
            )
        style, date_style = styles.index(column.classes), styles.index(column.classes, is_date=True)
        position = fields.index(column.field)
        columns.append(
            SlotColumn(get_column_letter(number), column.field, position, style, date_style)
        )
    if not columns:
        raise WorkbookError(f"no <col> has a data-field for the rows of {place.fragment}")
    return tuple(columns)


def _stream(
    columns: tuple[SlotColumn, ...],
    name: str,
    slot: Slot,
    first: int,
    spool: SpooledTemporaryFile[bytes],
) -> Streamed:
    """Write a slot's rows, or a blank one for formulas, to a file."""
    last, links = first - 1, dict[str, str]()
    for last, xml in enumerate(slot_rows(columns, slot.rows, first, links), first):  # noqa: B007
        spool.write(xml.encode())
    if last < first:
        blank: list[Sequence[CellValue]] = [(None,) * len(slot.fields)]
        spool.writelines(xml.encode() for xml in slot_rows(columns, blank, first, links))
        last = first
    return Streamed(slot=name, columns=columns, first=first, last=last, xml=spool, links=links)
