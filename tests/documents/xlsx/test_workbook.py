"""The Excel engine, read back by openpyxl, by a plain XML parser and by LibreOffice."""

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from html import escape
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from reportgen.documents.content.slots import Link, Slot
from reportgen.documents.xlsx.rows import decimal_text, serial
from reportgen.documents.xlsx.workbook import workbook
from tests.documents.xlsx.sheets import NS, ROW, cells, page, part, slot_table, table, text_of
from tests.examples import examples
from tests.office import convert

ROOT = Path(__file__).parents[3]

CSS = """
* { font-family: "Arial"; font-size: 10pt }
.head { background-color: #1f4e79; color: white; font-weight: bold; border-bottom: medium #102a43 }
.amount { number-format: "#,##0.00"; text-align: right }
.exact { number-format: "0.0000000000" }
.day { number-format: "dd.mm.yyyy" }
.total { font-weight: bold; border-top: thin #1f4e79; border-bottom: double #1f4e79 }
.total.amount { color: #a00000 }
.note { font-style: italic; white-space: wrap; vertical-align: middle; text-align: left;
  text-indent: 2ch }
"""
FIELDS = ("day", "user", "quantity", "exact_amount", "requests")
ROWS = [
    (date(2025, 12, 5), "ada@acme.example", Decimal("7.25"), Decimal("14.5000000000"), 3),
    (date(2025, 12, 6), "=cmd|' /C calc'!A0", Decimal("0.1"), Decimal("0.2000000001"), 1),
    (date(2026, 1, 4), None, Decimal("1E-10"), Decimal("0.0000000002"), None),
]
INVOICE = f"""<!DOCTYPE html>
<html lang="en-GB"><head><title>Invoice &amp; detail</title>
<meta name="author" content="Acme"/><meta name="subject" content="Chargeback"/>
<meta name="keywords" content="ACU"/>
<meta name="category" content="Finance"/><meta name="created" content="2026-01-09T11:00:00+01:00"/>
<style>{CSS}</style></head><body>
<table title="Cover" data-gridlines="off" data-freeze="none">
<colgroup><col style="width: 30ch"/><col style="width: 14.5ch"/></colgroup>
<tbody>
<tr class="head" style="height: 24.5pt"><th colspan="2">Acme&nbsp;Corporation</th></tr>
<tr><td>  spaces  </td><td class="layout-only"><time datetime="2025-12-05"/></td></tr>
<tr><td class="note">two<br/>lines</td><td><a href="https://acme.example/?a=1&amp;b=2">portal</a></td></tr>
<tr class="total"><td>Total</td><td class="amount">
  <output value="99.99" data-formula="ROUND(SUM({{detail.exact_amount}}),2)"/>
</td></tr>
<tr><td>=1+1</td><td>
  <output value="stale" data-formula='IF(B4=14.7,"ties &amp; out","differs")'/>
</td></tr>
<tr><td>Nothing</td><td><output value="0" data-formula="SUM({{empty.quantity}},{{1,2}})"/></td></tr>
<tr><td>First day</td><td class="day">
  <output value="0" data-formula="MIN({{detail.day}})"/>
</td></tr>
</tbody></table>
<table title="Ada's detail" data-orientation="landscape" data-paper="letter" data-table="Detail"
  data-table-style="TableStyleLight1" data-footer="&amp;LCB-1&amp;RPage &amp;P of &amp;N">
<colgroup><col class="day" data-field="day"/><col data-field="user"/><col data-field="quantity"/>
<col class="exact" data-field="exact_amount"/><col data-field="requests"/></colgroup>
<thead><tr class="head">
<th>Day</th><th>User</th><th>ACUs</th><th>Exact_x0041_</th><th>Requests</th></tr></thead>
<tbody data-rows="detail"/>
<tfoot><tr class="total"><td>Total</td><td/><td/><td class="exact">
<output value="0" data-formula="SUM({{detail.exact_amount}})"/></td></tr></tfoot>
</table>
<table title="Empty" data-filter="on">
<colgroup><col/><col data-field="quantity" class="amount"/></colgroup>
<tbody><tr><td>above</td></tr></tbody>
<thead><tr><th/><th>ACUs</th></tr></thead><tbody data-rows="empty"/></table>
</body></html>"""


def invoice(rows: Iterable[tuple] = ROWS) -> bytes:
    return workbook(INVOICE, {"detail": Slot(FIELDS, iter(rows)), "empty": Slot(("quantity",), [])})


@pytest.fixture(scope="module")
def package() -> bytes:
    return invoice()


@pytest.fixture(scope="module")
def book(package: bytes) -> Workbook:
    return openpyxl.load_workbook(BytesIO(package))


# Reading back


def test_sheets_come_in_order_with_their_print_and_view_options(book: Workbook) -> None:
    cover, detail, empty = book.worksheets
    assert book.sheetnames == ["Cover", "Ada's detail", "Empty"]
    assert (cover.page_setup.orientation, cover.page_setup.paperSize) == ("portrait", 9)
    assert (detail.page_setup.orientation, detail.page_setup.paperSize) == ("landscape", 1)
    assert (detail.page_setup.fitToWidth, detail.page_setup.fitToHeight) == (1, 0)
    assert detail.sheet_properties.pageSetUpPr.fitToPage
    assert [sheet.sheet_view.showGridLines for sheet in book.worksheets] == [False, True, True]
    assert [sheet.freeze_panes for sheet in book.worksheets] == [None, "A2", "A3"]
    assert [sheet.print_title_rows for sheet in book.worksheets] == [None, "$1:$1", "$2:$2"]
    assert [sheet.dimensions for sheet in book.worksheets] == ["A1:B7", "A1:E5", "A1:B3"]
    assert empty.auto_filter.ref == "B2:B3"


def test_footers_are_written_as_the_template_has_them(package: bytes) -> None:
    footers = [
        part(package, f"xl/worksheets/sheet{n}.xml").findtext(".//m:oddFooter", None, NS)
        for n in (1, 2)
    ]
    assert footers == ["&LInvoice && detail&R&P / &N", "&LCB-1&RPage &P of &N"]


def test_values_have_their_types(book: Workbook) -> None:
    rows = list(book["Ada's detail"].iter_rows(min_row=2, max_row=4, values_only=True))
    assert rows[0] == (datetime(2025, 12, 5), "ada@acme.example", 7.25, 14.5, 3)  # noqa: DTZ001
    assert rows[2] == (datetime(2026, 1, 4), None, 1e-10, 2e-10, None)  # noqa: DTZ001
    assert book["Cover"]["B2"].is_date
    assert book["Cover"]["B2"].number_format == "yyyy-mm-dd"


def test_numbers_are_written_as_their_decimal_text(package: bytes) -> None:
    written = {name: cell.findtext("m:v", None, NS) for name, cell in cells(package, 2).items()}
    assert [written[f"C{row}"] for row in (2, 3, 4)] == ["7.25", "0.1", "0.0000000001"]
    assert written["D2"] == "14.5000000000"


def test_text_that_looks_like_a_formula_stays_text(package: bytes, book: Workbook) -> None:
    assert text_of(cells(package, 2)["B3"]) == "=cmd|' /C calc'!A0"
    assert (book["Cover"]["A5"].value, text_of(cells(package)["A5"])) == ("=1+1", "=1+1")
    assert cells(package)["A5"].find("m:f", NS) is None


def test_spaces_lines_and_entities_are_kept(book: Workbook) -> None:
    cover = book["Cover"]
    assert [cover["A1"].value, cover["A2"].value, cover["A3"].value] == [
        "Acme\N{NO-BREAK SPACE}Corporation",
        "  spaces  ",
        "two\nlines",
    ]


def test_formulas_stand_beside_their_cached_values(package: bytes) -> None:
    found = {
        name: (cell.findtext("m:f", None, NS), cell.get("t"), cell.findtext("m:v", None, NS))
        for name, cell in cells(package).items()
        if cell.find("m:f", NS) is not None
    }
    assert found == {
        "B4": ("ROUND(SUM('Ada''s detail'!$D$2:$D$4),2)", None, "99.99"),
        "B5": ('IF(B4=14.7,"ties & out","differs")', "str", "stale"),
        "B6": ("SUM('Empty'!$B$3:$B$3,{1,2})", None, "0"),
        "B7": ("MIN('Ada''s detail'!$A$2:$A$4)", None, "0"),
    }


def test_a_cell_is_called_by_its_id_from_any_sheet() -> None:
    named = table(
        ROW.format('<td>Fees</td><td colspan="2"/><td id="fees"><data value="2.5"/></td>')
    )
    formula = table(ROW.format('<td><output value="5" data-formula="ROUND({fees}*2,2)"/></td>'))
    package = workbook(page(formula.replace('"S"', '"A"') + named), {})
    assert cells(package)["A1"].findtext("m:f", None, NS) == "ROUND('S'!$D$1*2,2)"


def test_styles_are_named_after_their_classes(book: Workbook) -> None:
    cover, detail = book["Cover"], book["Ada's detail"]
    assert (cover["A1"].style, detail["A2"].style, cover["B4"].style) == (
        "head",
        "day",
        "amount total",
    )
    # "Total" is the name of a style of Excel's own.
    assert cover["A4"].style == "total (cell)"
    assert (cover["A2"].style, cover["A2"].font.name, cover["A2"].font.sz) == (
        "Normal",
        "Arial",
        10,
    )
    assert (cover["A1"].fill.fgColor.rgb, cover["A1"].font.color.rgb) == ("FF1F4E79", "FFFFFFFF")
    assert (cover["A1"].font.b, cover["A1"].border.bottom.style) == (True, "medium")
    assert cover["B1"].border.bottom.color.rgb == "FF102A43"
    note = cover["A3"]
    assert (note.font.i, note.alignment.wrap_text, note.alignment.vertical) == (
        True,
        True,
        "center",
    )
    assert (note.alignment.horizontal, note.alignment.indent) == ("left", 2)


def test_several_classes_merge_and_more_classes_win(book: Workbook) -> None:
    cell = book["Cover"]["B4"]
    assert (cell.number_format, cell.font.b, cell.alignment.horizontal) == (
        "#,##0.00",
        True,
        "right",
    )
    assert (cell.border.top.style, cell.border.bottom.style) == ("thin", "double")
    assert cell.font.color.rgb == "FFA00000"


def test_no_two_styles_share_a_name() -> None:
    css = (
        "* { vertical-align: top } .total { color: red } "
        ".cell { font-style: italic } .base { color: blue }"
    )
    body = ROW.format(
        '<td class="total">1</td><td class="total cell">2</td><td>3</td><td class="base">4</td>'
    )
    sheet = openpyxl.load_workbook(BytesIO(workbook(page(table(body), css), {})))["S"]
    assert [cell.style for cell in sheet[1]] == ["total (cell)", "total cell", "(base)", "base"]
    assert [cell.font.i for cell in sheet[1]] == [False, True, False, False]
    assert [cell.alignment.vertical for cell in sheet[1]] == ["top"] * 4


def test_each_combination_of_classes_has_one_format(package: bytes) -> None:
    formats = part(package, "xl/styles.xml").findall("m:cellXfs/m:xf", NS)
    used = {cell.get("s", "0") for sheet in (1, 2, 3) for cell in cells(package, sheet).values()}
    assert used <= {str(number) for number in range(len(formats))}
    assert len(formats) <= len(used) + 2


def test_widths_heights_spans_and_links(book: Workbook) -> None:
    cover = book["Cover"]
    assert cover.column_dimensions["A"].width == pytest.approx(30.71)
    assert cover.column_dimensions["B"].width == pytest.approx(15.21)
    assert cover.row_dimensions[1].height == 24.5
    assert [str(area) for area in cover.merged_cells.ranges] == ["A1:B1"]
    assert (cover["B3"].hyperlink.target, cover["B3"].value) == (
        "https://acme.example/?a=1&b=2",
        "portal",
    )


def test_a_streamed_row_has_links_too() -> None:
    rows = [("=1+1", Link("=1+1", "https://acme.example/?a=1&b=2")), ("b", None)]
    package = workbook(
        page(slot_table(("a", "link"), header="<tr><td>A</td><td>B</td></tr>")),
        {"detail": Slot(("a", "link"), [*rows, ("c", Link("c", f"https://{'x' * 3000}"))])},
    )
    sheet = openpyxl.load_workbook(BytesIO(package)).worksheets[0]
    links = {cell.coordinate: cell.hyperlink for row in sheet.iter_rows() for cell in row}
    opened = {place: link.target for place, link in links.items() if link}
    assert opened == {"B2": "https://acme.example/?a=1&b=2"}, "Excel repairs files with longer ones"
    assert [sheet[place].value for place in ("B2", "B3", "B4")] == ["=1+1", None, "c"]
    assert sheet["B2"].data_type != "f"


def test_native_table_covers_header_and_rows(package: bytes, book: Workbook) -> None:
    native = book["Ada's detail"].tables["Detail"]
    assert (native.ref, native.autoFilter.ref, native.tableStyleInfo.name) == (
        "A1:E4",
        "A1:E4",
        "TableStyleLight1",
    )
    names = [
        column.get("name")
        for column in part(package, "xl/tables/table1.xml").iterfind(".//m:tableColumn", NS)
    ]
    headers = [cells(package, 2)[f"{letter}1"].findtext("m:is/m:t", None, NS) for letter in "ABCDE"]
    assert names == headers == ["Day", "User", "ACUs", "Exact_x005F_x0041_", "Requests"]


def test_properties_come_from_the_template(book: Workbook) -> None:
    about = book.properties
    assert (about.title, about.creator, about.lastModifiedBy) == (
        "Invoice & detail",
        "Acme",
        "Acme",
    )
    assert (about.subject, about.keywords, about.category, about.language) == (
        "Chargeback",
        "ACU",
        "Finance",
        "en-GB",
    )
    assert about.created == about.modified == datetime(2026, 1, 9, 10)  # noqa: DTZ001


def test_without_a_created_date_the_clock_is_not_read() -> None:
    package = workbook(page(table("<tbody/>")), {})
    about = openpyxl.load_workbook(BytesIO(package)).properties
    assert about.created == about.modified == datetime(1980, 1, 1)  # noqa: DTZ001


def test_dimension_is_the_smallest_range_that_holds_every_cell() -> None:
    body = (
        '<tbody><tr/><tr><td/><td>x</td><td colspan="2">y</td></tr>'
        "<tr><td/><td/><td/><td>z</td></tr></tbody>"
    )
    root = part(workbook(page(table(body)), {}), "xl/worksheets/sheet1.xml")
    assert root.find("m:dimension", NS).get("ref") == "B2:D3"
    empty = part(workbook(page(table("")), {}), "xl/worksheets/sheet1.xml")
    assert empty.find("m:dimension", NS).get("ref") == "A1"


# Determinism


@pytest.mark.heavy
def test_same_input_gives_the_same_bytes_in_another_process() -> None:
    script = (
        "import sys; from tests.documents.xlsx.test_workbook import invoice; "
        "sys.stdout.buffer.write(invoice())"
    )
    for seed in ("1", "2"):
        environment = os.environ | {
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": str(ROOT),
            "TZ": "Asia/Tokyo",
        }
        command = [sys.executable, "-c", script]
        result = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=True)
        assert result.stdout == invoice()


def test_entries_are_sorted_and_dated_1980(package: bytes) -> None:
    entries = zipfile.ZipFile(BytesIO(package)).infolist()
    names = [entry.filename for entry in entries]
    assert names == sorted(names)
    assert names[0] == "[Content_Types].xml"
    assert {(entry.date_time, entry.create_system) for entry in entries} == {
        ((1980, 1, 1, 0, 0, 0), 3)
    }


# Bulk


@pytest.mark.heavy
def test_rows_are_streamed_once_and_spill_to_disk() -> None:
    asked = []

    def rows() -> Iterator[tuple[int, str]]:
        for number in range(60_000):
            asked.append(number)
            yield number, f"a text that differs from row to row: {number:040d}"

    package = workbook(
        page(slot_table(("number", "text"))), {"detail": Slot(("number", "text"), rows())}
    )
    found = cells(package)
    assert len(asked) == 60_000
    assert (found["A60000"].findtext("m:v", None, NS), text_of(found["B60000"])[-5:]) == (
        "59999",
        "59999",
    )


def test_an_unplaced_slot_is_not_read() -> None:
    def rows() -> Iterator[tuple[str]]:
        pytest.fail("read")
        yield ("",)

    workbook(page(table("")), {"detail": Slot(("a",), rows())})


def test_a_column_may_be_left_out_or_stand_twice() -> None:
    package = workbook(
        page(slot_table(("b", "a", "b"))), {"detail": Slot(("a", "b", "c"), [("1", "2", "3")])}
    )
    assert [text_of(cell) for cell in cells(package).values()] == ["2", "1", "2"]


class Kind(StrEnum):
    USAGE = "usage"


def test_a_string_of_a_subclass_is_text() -> None:
    package = workbook(page(slot_table(("a",))), {"detail": Slot(("a",), [(Kind.USAGE,)])})
    assert text_of(cells(package)["A1"]) == "usage"


@pytest.mark.parametrize("value", [1.5, True, datetime(2025, 12, 5, 8), b"x"])  # noqa: DTZ001
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match=f"a {type(value).__name__} is not a value of a cell"):
        workbook(page(slot_table(("a",))), {"detail": Slot(("a",), [(value,)])})


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("-Infinity"), date(1899, 12, 31)])
def test_values_that_excel_cannot_hold_are_refused(value: Decimal | date) -> None:
    with pytest.raises(ValueError, match=r"Excel"):
        workbook(page(slot_table(("a",))), {"detail": Slot(("a",), [(value,)])})


# Laws


def expected(text: str) -> str:
    """Return what a text becomes by the documented replacements (XML 1.0, production 2)."""
    allowed = [(0x9, 0xA), (0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF)]
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        c if any(low <= ord(c) <= high for low, high in allowed) else "\ufffd" for c in lines
    )


ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.from_regex(
    r"(_x?[0-9A-Fa-f]{0,4}_?|[=+@-]| ){1,5}"
)


@given(ANY_TEXT)
@examples(200)
def test_any_text_round_trips(text: str) -> None:
    static = table(f"<tbody><tr><td>{escape(text)}</td></tr></tbody>")
    bulk = slot_table(("a",)).replace('title="S"', 'title="B"')
    package = workbook(page(static + bulk), {"detail": Slot(("a",), [(text,)])})
    assert text_of(cells(package, 2)["A1"]) == expected(text)
    if text:
        assert text_of(cells(package, 1)["A1"]) == expected(text)


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=Decimal("-1e12"), max_value=Decimal("1e12")
    )
)
def test_decimal_text_is_exact_and_plain(value: Decimal) -> None:
    text = decimal_text(value)
    assert Decimal(text) == value
    assert re.fullmatch(r"-?\d+(\.\d+)?", text)
    assert not text.startswith("-") or value < 0


@given(st.dates(min_value=date(1900, 3, 1)))
def test_serials_agree_with_openpyxl(day: date) -> None:
    assert serial(day) == openpyxl.utils.datetime.to_excel(day)


def test_serials_before_the_leap_day_that_never_was() -> None:
    assert [serial(date(1900, 1, 1)), serial(date(1900, 2, 28)), serial(date(1900, 3, 1))] == [
        1,
        59,
        61,
    ]


@pytest.mark.parametrize("filler", ["a", "\N{GRINNING FACE}"])
def test_a_text_too_long_for_a_cell_ends_in_an_ellipsis(filler: str) -> None:
    package = workbook(
        page(slot_table(("a",))), {"detail": Slot(("a",), [("b" + filler * 40_000,)])}
    )
    text = text_of(cells(package)["A1"])
    assert 32_766 <= len(text.encode("utf-16-le")) // 2 <= 32_767
    assert text.endswith(filler + "…")


# LibreOffice


@pytest.mark.heavy
def test_libreoffice_recomputes_what_the_template_got_wrong(package: bytes, tmp_path: Path) -> None:
    source, out = tmp_path / "invoice.xlsx", tmp_path / "out"
    source.write_bytes(package)
    book = openpyxl.load_workbook(convert(source, "xlsx", out), data_only=True)
    cover, detail = book["Cover"], book["Ada's detail"]
    assert [cover[f"B{row}"].value for row in (4, 5, 6)] == [14.7, "ties & out", 3]
    assert cover["B7"].value == datetime(2025, 12, 5)  # noqa: DTZ001
    assert detail["D5"].value == pytest.approx(14.7000000003)
    assert (detail["B3"].value, cover["A5"].value) == ("=cmd|' /C calc'!A0", "=1+1")
    assert (cover["A1"].fill.fgColor.rgb, cover["B4"].number_format) == ("FF1F4E79", "#,##0.00")
    assert detail["D1"].value == "Exact_x0041_"
    assert detail.tables["Detail"].ref == "A1:E4"
