"""What documents say, as texts to be read in a diff; `pytest --update-golden` writes them."""

import re
from collections.abc import Iterator
from difflib import unified_diff
from email import message_from_bytes
from email.policy import SMTPUTF8
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from reportgen.documents.render import draw, filled
from tests.documents import correspondence, grove, harvest
from tests.documents.beech import design, markup, task

GOLDEN = Path(__file__).parents[1] / "golden"
LOGO = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGOQ96sEAAF2AOe2j1NWAAAAAElFTkSuQmCC"
)
"""One pixel, as other versions of Pillow may pack another."""
MARK = re.compile(r"(\bdraft |   ')[0-9a-f]{8}\b")
"""The mark of a draft changes with every word of a template."""


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
        colours = (
            f"{series.val.numRef.f} {series.spPr.solidFill.srgbClr}" for series in chart.series
        )
        yield f"chart {', '.join(colours)}"


def _shown(cell: Cell, cached: object) -> str:
    formula = f"   {cell.value}" if cell.data_type == "f" else ""
    return f"{cell.coordinate:<4} {cached!r}{formula}   [{cell.style}: {cell.number_format}]"


def readable(content: bytes) -> str:
    """Write the texts of a message as they are read; it stays one that a mail program opens."""
    found = message_from_bytes(content, policy=SMTPUTF8)
    for part in found.walk():
        if part.get_content_maintype() == "text":
            part.set_content(part.get_content(), subtype=part.get_content_subtype(), cte="8bit")
            del part["MIME-Version"]
    return found.as_bytes().decode().replace("\r\n", "\n")


CASES = {
    "invoice.html": lambda: markup("R-1.pdf"),
    "statement.html": lambda: markup("statement.pdf"),
    "invoice.xlsx.txt": lambda: "\n".join(dump(draw(task("Z-9.xlsx"), design()))) + "\n",
    "rich-invoice.html": lambda: grove.markup("R-1.pdf"),
    "sessions-invoice.html": lambda: grove.markup("R-1.pdf", harvest.derived(4)),
    "rich-pool.html": lambda: grove.markup("T-3.pdf"),
    "rich-statement.html": lambda: grove.markup("statement.pdf"),
    "rich-summary.html": lambda: grove.markup("summaries/department-engineering.pdf"),
    "credit-note.html": lambda: filled(correspondence.tasks()[-2], correspondence.design()),
    "email.eml": lambda: readable(
        correspondence.mail(correspondence.invoice(closed=False), logo=LOGO)
    ),
    "email-note.eml": lambda: readable(
        correspondence.message(
            correspondence.credit_notes()["R-1"],
            correspondence.design(),
            correspondence.ENVELOPE,
            correspondence.FILES,
            seal="5e" * 32,
        )
    ),
    "rich-invoice.xlsx.txt": lambda: (
        "\n".join(dump(draw(grove.task("S-2.xlsx"), grove.design()))) + "\n"
    ),
    "sessions-invoice.xlsx.txt": lambda: (
        "\n".join(dump(draw(grove.task("R-1.xlsx", harvest.derived(4)), grove.design()))) + "\n"
    ),
    "rich-statement.xlsx.txt": lambda: (
        "\n".join(dump(draw(grove.task("statement.xlsx"), grove.design()))) + "\n"
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_documents_are_as_they_were_read(name, request):
    found, path = MARK.sub(r"\g<1>00000000", CASES[name]()), GOLDEN / name
    if request.config.getoption("--update-golden"):
        path.write_text(found, encoding="utf-8")
    expected = path.read_text(encoding="utf-8")
    difference = unified_diff(
        expected.splitlines(), found.splitlines(), f"golden/{name}", "found", lineterm=""
    )
    assert found == expected, "read the difference, then `pytest --update-golden`:\n" + "\n".join(
        difference
    )
