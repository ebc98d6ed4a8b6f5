"""Five programs that finance pipelines read workbooks with, asked for the value of every cell.

The two in JavaScript lie in `.venv/readers`, where `.ci/setup heavy` puts them.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.utils.escape import unescape
from python_calamine import CalamineWorkbook

from tests.office import convert_all

Value = str | float | date
Sheets = dict[str, dict[str, Value]]
"""The values of a workbook by sheet and address; of a formula, what is cached."""

_VENV = Path(sys.prefix)
_SCRIPT = Path(__file__).parent / "node" / "read.cjs"
_DIGITS = 14  # of a number; LibreOffice computes formulas anew, in floats


def libreoffice(paths: Sequence[Path], folder: Path) -> list[Sheets]:
    """Let LibreOffice compute and save workbooks, and read what it made of them.

    It saves texts without Excel's escapes.
    """
    copies = [folder / f"{number}.xlsx" for number, _ in enumerate(paths)]
    for path, copy in zip(paths, copies, strict=True):
        shutil.copyfile(path, copy)
    saved = convert_all(copies, "xlsx", folder / "saved")
    return [_with_openpyxl(path, str) for path in saved]


def with_openpyxl(paths: Sequence[Path], _: Path) -> list[Sheets]:
    """Read with openpyxl, which leaves Excel's escapes to whoever reads with it."""
    return [_with_openpyxl(path, unescape) for path in paths]


def calamine(paths: Sequence[Path], _: Path) -> list[Sheets]:
    return [
        {
            name: _known(_addressed(book.get_sheet_by_name(name).to_python(skip_empty_area=False)))
            for name in book.sheet_names
        }
        for book in map(CalamineWorkbook.from_path, paths)
    ]


def sheetjs(paths: Sequence[Path], _: Path) -> list[Sheets]:
    return _in_javascript("sheetjs", paths)


def exceljs(paths: Sequence[Path], _: Path) -> list[Sheets]:
    return _in_javascript("exceljs", paths)


READERS: Mapping[str, Callable[[Sequence[Path], Path], list[Sheets]]] = {
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


def _in_javascript(library: str, paths: Sequence[Path]) -> list[Sheets]:
    done = subprocess.run(
        [_VENV / "bin" / "node", _SCRIPT, library, *paths],
        env=os.environ | {"NODE_PATH": str(_VENV / "readers" / "node_modules")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{library}: {done.stderr}"
    return [
        {
            name: _known((address, _typed(*value)) for address, value in cells.items())
            for name, cells in sheets.items()
        }
        for sheets in json.loads(done.stdout)
    ]


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
