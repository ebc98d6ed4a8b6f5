"""The list of people as a workbook: typed, filtered, with a list of cost centers to choose from.

It is read again once it is filled in, so ids and codes are texts, whatever they look like, and the
first sheet is a plain table.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import openpyxl
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties

from reportgen.core.model import CostCenter
from reportgen.core.written.people import ListedPerson
from reportgen.core.written.people_file import PEOPLE_COLUMNS, TO_FILL, PersonValue, people_rows
from reportgen.documents.xlsx.package import package

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell, MergedCell
    from openpyxl.worksheet.worksheet import Worksheet

PEOPLE_SHEET, CENTERS_SHEET = "People", "Cost centers"
CENTER_COLUMNS = ("code", "name", "department")
MORE_ROWS = 1000
"""Below the last person there is room for rows that somebody adds."""
TEXT, DAY, EXACT = "@", "yyyy-mm-dd", "#,##0.####"
WIDTHS = {"user_id": 40, "name": 24, "email": 34, "organizations": 28, "rule": 22}
WIDTH = 14
FIRST_YEAR = 1900
"""Of Excel's calendar."""
BOLD = Font(name="Calibri", size=11, bold=True)
FIGURES = {"acus", "amount"}
HEAD = PatternFill("solid", fgColor="E8EDF2")
FILL = PatternFill("solid", fgColor="FFF7D6")


def people_xlsx(
    people: Iterable[ListedPerson], centers: Sequence[CostCenter], decimals: int
) -> bytes:
    """Write the table, and beside it the cost centers that can be charged."""
    book = openpyxl.Workbook()
    sheet, declared = book.worksheets[0], book.create_sheet(CENTERS_SHEET)
    sheet.title = PEOPLE_SHEET
    last = _fill(sheet, PEOPLE_COLUMNS, people_rows(people), decimals)
    codes = ((center.code, center.name, center.department) for center in centers)
    _fill(declared, CENTER_COLUMNS, codes, decimals)
    _choose_from(sheet, len(centers), last)
    return package(book, [])


def _fill(
    sheet: "Worksheet",
    columns: Sequence[str],
    rows: Iterable[Sequence[PersonValue]],
    decimals: int,
) -> int:
    """Write a table with its names on top, to be filtered; give its last line."""
    for place, column in enumerate(columns, start=1):
        cell = sheet.cell(1, place)
        _write(cell, column)
        cell.font, cell.fill = BOLD, HEAD
        if column in FIGURES:
            cell.alignment = Alignment(horizontal="right")
        letter = get_column_letter(place)
        sheet.column_dimensions[letter].width = WIDTHS.get(column, WIDTH)
    last = 1
    for last, row in enumerate(rows, start=2):
        for place, (column, value) in enumerate(zip(columns, row, strict=True), start=1):
            _write(
                sheet.cell(last, place), value, _money(decimals) if column == "amount" else EXACT
            )
            if column == TO_FILL:
                sheet.cell(last, place).fill = FILL
    sheet.freeze_panes, sheet.print_title_rows = "A2", "1:1"
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{last}"
    return last


def _write(cell: "Cell | MergedCell", value: PersonValue, number_format: str = EXACT) -> None:
    """Write a value as what it is: a text stays one, though it begins like a formula."""
    if isinstance(value, date) and value.year < FIRST_YEAR:
        value = value.isoformat()
    cell.value = None if value == "" else value
    cell.alignment = Alignment(vertical="top")
    if isinstance(value, Decimal):
        cell.number_format = number_format
    elif isinstance(value, date):
        cell.number_format = DAY
    else:
        cell.number_format = TEXT
        if value:
            cell.data_type = "s"


def _money(decimals: int) -> str:
    return "#,##0" + (f".{'0' * decimals}" if decimals else "")


def _choose_from(sheet: "Worksheet", count: int, last: int) -> None:
    """Offer the cost centers in the column to fill; Excel warns of any other."""
    choice = DataValidation(
        type="list",
        formula1=f"'{CENTERS_SHEET}'!$A$2:$A${count + 1}",
        allow_blank=True,
        errorStyle="warning",
        errorTitle="Cost center",
        error="It is not among those that were declared when this list was made.",
        showErrorMessage=True,
    )
    letter = get_column_letter(PEOPLE_COLUMNS.index(TO_FILL) + 1)
    choice.add(f"{letter}2:{letter}{last + MORE_ROWS}")
    sheet.add_data_validation(choice)
