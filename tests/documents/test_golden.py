"""What documents say, as texts that can be read in a diff; `pytest --update-golden` writes them anew."""

from collections.abc import Iterator
from difflib import unified_diff
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from reportgen.documents.render import draw
from tests.documents import grove
from tests.documents.beech import design, markup, task

GOLDEN = Path(__file__).parents[1] / "golden"


def dump(content: bytes) -> Iterator[str]:
    """List every cell of a workbook with its cached value, formula, style and number format."""
    formulas = openpyxl.load_workbook(BytesIO(content))
    cached = openpyxl.load_workbook(BytesIO(content), data_only=True)
    for sheet in formulas.worksheets:
        yield f"== {sheet.title} =="
        yield " · ".join(_view(sheet))
        for row in sheet.iter_rows():
            for cell in row:
                if cell.value is not None:
                    yield _shown(cell, cached[sheet.title][cell.coordinate].value)


def _view(sheet: Worksheet) -> Iterator[str]:
    yield f"frozen {sheet.freeze_panes or 'nowhere'}"
    yield f"{sheet.page_setup.orientation}, rows {sheet.print_title_rows or 'none'} on every page"
    yield f"filter {sheet.auto_filter.ref or 'none'}"
    yield from (f"table {table.displayName} {table.ref}" for table in sheet.tables.values())
    for chart in sheet._charts:
        colours = (f"{series.val.numRef.f} {series.spPr.solidFill.srgbClr}" for series in chart.series)
        yield f"chart {', '.join(colours)}"


def _shown(cell: Cell, cached: object) -> str:
    formula = f"   {cell.value}" if cell.data_type == "f" else ""
    return f"{cell.coordinate:<4} {cached!r}{formula}   [{cell.style}: {cell.number_format}]"


CASES = {
    "invoice.html": lambda: markup("R-1.pdf"),
    "statement.html": lambda: markup("statement.pdf"),
    "invoice.xlsx.txt": lambda: "\n".join(dump(draw(task("Z-9.xlsx"), design()))) + "\n",
    "rich-invoice.html": lambda: grove.markup("R-1.pdf"),
    "rich-pool.html": lambda: grove.markup("T-3.pdf"),
    "rich-statement.html": lambda: grove.markup("statement.pdf"),
    "rich-summary.html": lambda: grove.markup("summaries/department-engineering.pdf"),
    "rich-invoice.xlsx.txt": lambda: "\n".join(dump(draw(grove.task("S-2.xlsx"), grove.design()))) + "\n",
    "rich-statement.xlsx.txt": lambda: "\n".join(dump(draw(grove.task("statement.xlsx"), grove.design()))) + "\n",
}


@pytest.mark.parametrize("name", CASES)
def test_documents_are_as_they_were_read(name, request):
    found, path = CASES[name](), GOLDEN / name
    if request.config.getoption("--update-golden"):
        path.write_text(found, encoding="utf-8")
    expected = path.read_text(encoding="utf-8")
    difference = unified_diff(expected.splitlines(), found.splitlines(), f"golden/{name}", "found", lineterm="")
    assert found == expected, "read the difference, then `pytest --update-golden`:\n" + "\n".join(difference)
