"""XHTML tables and streamed rows -> the bytes of an .xlsx file.

openpyxl builds the package: styles, native tables, charts, names, print set-up. The rows do not
pass through its cells, which take ten times as long and keep everything in memory: each sheet's
`<sheetData>` is written as XML and put into the package in place of openpyxl's empty one
(`package.py`).

Law: same template output and same rows in, same bytes out; nothing comes from the clock.
"""

from collections.abc import Mapping
from contextlib import ExitStack

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.header_footer import HeaderFooterItem
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.table import Table, TableColumn, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from reportgen.documents.content.slots import Link, Slot
from reportgen.documents.xlsx import tables
from reportgen.documents.xlsx.chart import stacked_columns
from reportgen.documents.xlsx.dialect import WorkbookError
from reportgen.documents.xlsx.layout import (
    Placed,
    check_slots,
    headers,
    listed,
    place,
    positions,
    references,
    sheet_data,
)
from reportgen.documents.xlsx.package import package
from reportgen.documents.xlsx.rows import coded
from reportgen.documents.xlsx.styles import StyleBook, read_rules
from reportgen.documents.xlsx.tables import Book, Sheet

_ADDRESS_CHARACTERS = 2_079  # a longer hyperlink makes Excel repair the file
_PAPER = {"A4": 9, "letter": 1}


def workbook(xhtml: str, slots: Mapping[str, Slot]) -> bytes:
    """Return the .xlsx file that a template's output describes; raises WorkbookError.

    A slot that no table places is not read. A value no cell can hold raises TypeError or
    ValueError.
    """
    template = tables.read(xhtml)
    check_slots(template.sheets, slots)
    book = _book(template)
    styles = StyleBook(book, read_rules(template.css))
    with ExitStack() as spools:
        placed = [place(sheet, slots, styles, spools) for sheet in template.sheets]
        for worksheet, sheet in zip(book.worksheets, placed, strict=True):
            _set_up(worksheet, sheet, template.title)
            if sheet.sheet.chart:
                worksheet.add_chart(stacked_columns(sheet, sheet.sheet.chart, styles.font_family))
        ranges = references(placed)
        contents = [sheet_data(sheet, styles, ranges) for sheet in placed]
        return package(book, contents)


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


def _set_up(worksheet: Worksheet, placed: Placed, title: str) -> None:
    sheet = placed.sheet
    for number, column in enumerate(sheet.columns, 1):
        if column.width is not None:
            worksheet.column_dimensions[get_column_letter(number)].width = column.width
    worksheet.sheet_view.showGridLines = sheet.gridlines
    repeated = [part.number for part in placed.static if part.row.header]
    if repeated:
        worksheet.print_title_rows = f"{repeated[0]}:{repeated[-1]}"
    freeze = sheet.freeze or (f"A{repeated[-1] + 1}" if repeated else "none")
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
    worksheet.page_margins = PageMargins(
        left=0.6, right=0.6, top=0.7, bottom=0.8, header=0.3, footer=0.4
    )
    default = "&L" + title.replace("&", "&&")[:200] + "&R&P / &N"
    footer = default if sheet.footer is None else sheet.footer
    position, text = (
        (footer[:2], footer[2:]) if footer[:2] in {"&L", "&C", "&R"} else ("&C", footer)
    )
    # Given whole to its first part, the literal is written as it stands.
    part = HeaderFooterItem()
    {"&L": part.left, "&C": part.center, "&R": part.right}[position].text = text
    worksheet.HeaderFooter.oddFooter = part


def _set_up_spans_and_links(worksheet: Worksheet, placed: Placed) -> None:
    for number, row in placed.static:
        for column, cell in positions(row):
            if cell.span > 1:
                last = column + cell.span - 1
                area = CellRange(min_row=number, max_row=number, min_col=column, max_col=last)
                worksheet.merged_cells.add(area)
            if isinstance(cell.content, Link):
                _link(worksheet, f"{get_column_letter(column)}{number}", cell.content.href)
    for part in placed.streamed:
        for reference, href in part.links.items():
            _link(worksheet, reference, href)


def _link(worksheet: Worksheet, reference: str, href: str) -> None:
    if len(href) <= _ADDRESS_CHARACTERS:
        # openpyxl collects the links of its cells; the cell itself is written by us.
        worksheet[reference].hyperlink = href


def _native_table(placed: Placed, name: str) -> Table:
    area = _table_range(placed)
    headers = _table_headers(placed)
    style = placed.sheet.table_style
    return Table(
        displayName=name,
        ref=area,
        autoFilter=AutoFilter(ref=area),
        tableColumns=[
            TableColumn(id=number, name=header) for number, header in enumerate(headers, 1)
        ],
        tableStyleInfo=TableStyleInfo(name=style, showRowStripes=True) if style else None,
    )


def _table_range(placed: Placed) -> str:
    part = listed(placed)
    letters = [column.letter for column in part.columns]
    first = next(number for number, column in enumerate(placed.sheet.columns, 1) if column.field)
    if letters != [get_column_letter(first + offset) for offset in range(len(letters))]:
        raise WorkbookError(
            f"the columns with a data-field are not side by side: {placed.sheet.fragment}"
        )
    return f"{letters[0]}{part.first - 1}:{letters[-1]}{part.last}"


def _table_headers(placed: Placed) -> list[str]:
    names = headers(placed)
    seen: set[str] = set()
    for column, name in zip(listed(placed).columns, names, strict=True):
        if not name.strip():
            raise WorkbookError(
                f"column {column.letter} of a native table has no header: {placed.sheet.fragment}"
            )
        if name.casefold() in seen:
            raise WorkbookError(
                f'two columns of a native table are called "{name}": {placed.sheet.fragment}'
            )
        seen.add(name.casefold())
    return [coded(name) for name in names]
