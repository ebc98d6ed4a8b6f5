"""Five programs that finance pipelines read workbooks with, asked for the value of every cell.

The two in JavaScript lie in `.venv/readers`, where `.ci/setup heavy` puts them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.utils.escape import unescape
from python_calamine import CalamineWorkbook

from tests.office import convert

Value = str | float | date
Sheets = dict[str, dict[str, Value]]
"""The values of a workbook by sheet and address; of a formula, what is cached."""

_VENV = Path(sys.prefix)
_SCRIPT = Path(__file__).parent / "node" / "read.cjs"
_DIGITS = 14  # of a number; LibreOffice computes formulas anew, in floats


def libreoffice(path: Path) -> Sheets:
    """Let LibreOffice compute and save a workbook, and read what it made of it.

    It saves texts without Excel's escapes.
    """
    folder = path.parent / "saved"
    folder.mkdir(exist_ok=True)
    return _with_openpyxl(convert(path, "xlsx", folder), str)


def with_openpyxl(path: Path) -> Sheets:
    """Read with openpyxl, which leaves Excel's escapes to whoever reads with it."""
    return _with_openpyxl(path, unescape)


def calamine(path: Path) -> Sheets:
    book = CalamineWorkbook.from_path(path)
    return {
        name: _known(_addressed(book.get_sheet_by_name(name).to_python(skip_empty_area=False)))
        for name in book.sheet_names
    }


def sheetjs(path: Path) -> Sheets:
    return _in_javascript("sheetjs", path)


def exceljs(path: Path) -> Sheets:
    return _in_javascript("exceljs", path)


READERS: Mapping[str, Callable[[Path], Sheets]] = {
    "libreoffice": libreoffice,
    "openpyxl": with_openpyxl,
    "calamine": calamine,
    "sheetjs": sheetjs,
    "exceljs": exceljs,
}


def _with_openpyxl(path: Path, text: Callable[[str], str]) -> Sheets:
    book = openpyxl.load_workbook(path, data_only=True)
    return {
        sheet.title: _known(
            (cell.coordinate, text(cell.value) if isinstance(cell.value, str) else cell.value)
            for row in sheet.iter_rows()
            for cell in row
        )
        for sheet in book.worksheets
    }


def _in_javascript(library: str, path: Path) -> Sheets:
    done = subprocess.run(
        [_VENV / "bin" / "node", _SCRIPT, library, path],
        env=os.environ | {"NODE_PATH": str(_VENV / "readers" / "node_modules")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{library}: {done.stderr}"
    return {
        name: _known((address, _typed(*value)) for address, value in cells.items())
        for name, cells in json.loads(done.stdout).items()
    }


def _typed(kind: str, value: object) -> object:
    return date.fromisoformat(str(value)) if kind == "d" else value


def _addressed(rows: Iterable[Iterable[object]]) -> Iterator[tuple[str, object]]:
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row, 1):
            yield f"{get_column_letter(column)}{number}", value


def _known(cells: Iterable[tuple[str, object]]) -> dict[str, Value]:
    """Leave out what is empty, and let every program's values be of one kind each."""
    return {address: _value(value) for address, value in cells if value not in {None, ""}}


def _value(value: object) -> Value:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, int | float):
        return rounded(value)
    assert isinstance(value, str | date), value
    return value


def rounded(number: float | str) -> float:
    """Give a number as precisely as all programs keep it."""
    return float(f"{float(number):.{_DIGITS}g}")
