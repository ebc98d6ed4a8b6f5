"""The sheets of sessions and tags, recomputed by LibreOffice: a planted wrong value is found."""

from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from tests.documents import harvest
from tests.documents.test_sessions import by_tag, draw, tagged
from tests.documents.xlsx.test_books import WRONG, computed, spoiled
from tests.office import convert_all

Sheets = dict[str, Worksheet]


def content() -> bytes:
    """Draw an invoice with sessions, pull requests and usage by tag."""
    found = tagged(harvest.derived(centers=harvest.IN_ENGLISH), by_tag(3))
    drawn: bytes = draw("R-1.xlsx", found).content
    return drawn


@pytest.fixture(scope="module")
def books(tmp_path_factory) -> dict[str, tuple[Path, Sheets]]:
    """Let LibreOffice compute the workbook with wrong results, and with an amount changed."""
    folder = tmp_path_factory.mktemp("sessions")
    made = content()
    spoiled(made, folder / "spoiled.xlsx")
    for title in ("Sessions", "By tag"):
        book = openpyxl.load_workbook(BytesIO(made))
        column = [cell.value for cell in book[title][1]].index("Amount (EUR)") + 1
        book[title].cell(2, column).value += 1
        book.save(folder / f"{title}.xlsx")
    paths = sorted(folder.glob("*.xlsx"))
    again = convert_all(paths, "xlsx", folder / "out")
    return {path.stem: (path, computed(one)) for path, one in zip(paths, again, strict=True)}


def formulas(made: bytes, title: str) -> list[str]:
    sheet = openpyxl.load_workbook(BytesIO(made))[title]
    return [cell.coordinate for row in sheet for cell in row if cell.data_type == "f"]


@pytest.mark.heavy
@pytest.mark.parametrize("title", ["Sessions", "By tag"])
def test_wrong_results_are_corrected(title, books):
    path, again = books["spoiled"]
    made = content()
    built = {one.title: one for one in openpyxl.load_workbook(BytesIO(made), data_only=True)}
    places = formulas(made, title)
    assert len(places) == 2
    for place in places:
        assert computed(path)[title][place].value == float(WRONG)
        assert again[title][place].value == pytest.approx(built[title][place].value, abs=1e-6)


@pytest.mark.heavy
@pytest.mark.parametrize("title", ["Sessions", "By tag"])
def test_an_amount_that_is_not_what_was_built_is_found(title, books):
    """The sum below it is another, and of sessions the check of the line as well."""
    _, again = books[title]
    made = content()
    built = openpyxl.load_workbook(BytesIO(made), data_only=True)[title]
    *_, amount = formulas(made, title)
    assert again[title][amount].value - built[amount].value == pytest.approx(1)
    if title == "Sessions":
        checks = {row[0]: row[1:3] for row in again["Tie-out"].iter_rows(values_only=True)}
        recomputed, as_built = checks["Usage charges of devin by session"]
        assert recomputed - as_built == pytest.approx(1)
