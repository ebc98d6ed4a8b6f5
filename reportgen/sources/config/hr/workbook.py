"""Rows of a sheet of an Excel workbook (.xlsx), each cell as the text that Excel shows for it.

A day is YYYY-MM-DD, a percentage keeps its sign, and leading zeros that only the number format
shows are kept. A workbook is a zip file: what it says it unpacks to is looked at first.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from csv import writer
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO, StringIO
from itertools import islice
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, simplefilter
from zipfile import ZipFile

from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import did_you_mean, quoted, some, visible
from reportgen.sources.config.hr.table import TITLE_ROWS, Grid, Row

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

ZIP, OLD_OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
"""How an .xlsx file begins; how an .xls file does, and one with a password."""
MOST_UNPACKED = 256 * 1024 * 1024
MOST_ROWS, MOST_COLUMNS = 1_048_576, 1_000
"""The rows are Excel's own limit."""
LOOKED_AT = 1_000
"""In so many lines the first rows must be found; what is empty can be long."""
AGAIN = "save it in Excel as .xlsx again, or as CSV"


def read_workbook(content: bytes, name: str, sheet: str | None, line: str) -> Grid:
    """Give the rows that hold a value of a sheet, the first that is not hidden where none is named.

    Raises Rejected; `line` is where the sheet is named.
    """
    if content.startswith(OLD_OFFICE):
        message = "is an .xls workbook, or one with a password"
        raise Rejected([Problem(source=name, message=message, hint=AGAIN)])
    with _opened(content, name) as book:
        chosen = _sheet_of(book, sheet, line)
        rows = list(_rows(book[chosen]))
        day_zero = book.epoch.date()
        others = len(book.sheetnames) - 1
    of = f" (it has {others} more)" if others else ""
    return Grid(
        name=name,
        rows=rows,
        taken=f"read as a workbook, sheet {quoted(chosen)}{of}",
        text=_text(rows),
        day_zero=day_zero,
    )


@contextmanager
def _opened(content: bytes, name: str) -> Iterator["Workbook"]:
    """Open a workbook to be read row by row; whatever is wrong inside is one problem."""
    from openpyxl import load_workbook  # noqa: PLC0415 - most exports are CSV files

    try:
        _refuse_bomb(content, name)
        with catch_warnings():
            simplefilter("ignore")
            book = load_workbook(BytesIO(content), read_only=True, data_only=True)
            yield book
            book.close()
    except Rejected:
        raise
    except Exception as error:  # a broken part makes openpyxl stumble over anything
        message = "cannot be read as an .xlsx workbook"
        raise Rejected([Problem(source=name, message=message, hint=AGAIN)]) from error


def _refuse_bomb(content: bytes, name: str) -> None:
    """Raise Rejected for what unpacks to too much; no part unpacks to more than it states."""
    with ZipFile(BytesIO(content)) as parts:
        unpacked = sum(part.file_size for part in parts.infolist())
    if unpacked > MOST_UNPACKED:
        message = f"unpacks to more than {MOST_UNPACKED // 1024**2} MiB"
        hint = "keep only the columns and rows that are needed"
        raise Rejected([Problem(source=name, message=message, hint=hint)])


def _sheet_of(book: "Workbook", sheet: str | None, line: str) -> str:
    sheets = [each.title for each in book.worksheets]
    shown = [each.title for each in book.worksheets if each.sheet_state == "visible"]
    if sheet is None:
        return (shown or sheets)[0]
    for title in sheets:
        if visible(title).casefold() == visible(sheet).casefold():
            return title
    near = did_you_mean(sheet, sheets)
    hint = f"did you mean {quoted(near)}?" if near else f"it has {some(sheets, quoted)}"
    message = f"the workbook has no sheet {quoted(sheet)}"
    raise Rejected([Problem(source=line, message=message, hint=hint)])


def _rows(sheet: Any) -> Iterator[Row]:  # noqa: ANN401 - openpyxl's types differ by mode
    """Give the rows that hold a value, as wide as the first ones, which name the columns."""
    sheet.reset_dimensions()  # what a file says of its own size is often wrong
    head = islice(sheet.iter_rows(max_col=MOST_COLUMNS), LOOKED_AT)
    width = max(map(_width, islice(filter(_width, head), TITLE_ROWS)), default=1)
    for line, cells in enumerate(sheet.iter_rows(max_col=width), start=1):
        if line > MOST_ROWS:
            raise ValueError(line)
        if _width(cells):
            yield Row(line, [_shown(cell) for cell in cells])


def _width(cells: Sequence[Any]) -> int:
    """Count the cells up to the last that holds a value."""
    values = (place for place, cell in enumerate(cells, start=1) if cell.value not in {None, ""})
    return max(values, default=0)


def _shown(cell: Any) -> str:  # noqa: ANN401 - openpyxl's types differ by mode
    """Write a value as Excel shows it."""
    value = cell.value
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).upper()
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        return _number(value, str(cell.number_format))
    return str(value)


def _number(value: float, number_format: str) -> str:
    """Write a number; 7 in the format 0000 is 0007, and 0.6 in the format 0% is 60%."""
    exact = Decimal(repr(value))
    if "%" in number_format:
        return f"{_plain(exact.scaleb(2))}%"
    text = _plain(exact)
    return text.zfill(len(number_format)) if re.fullmatch("0+", number_format) else text


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _text(rows: Sequence[Row]) -> str:
    """Write rows as people read them, each on its line."""
    target = StringIO(newline="")
    lines = writer(target, lineterminator="\n")
    below = 1
    for row in rows:
        target.write("\n" * (row.line - below))
        lines.writerow([" ".join(cell.split()) for cell in row.cells])
        below = row.line + 1
    return target.getvalue()
