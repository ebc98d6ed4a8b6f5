"""The chart of a sheet: what it points at, how it looks, where it stands, read by others."""

import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path, PurePosixPath
from posixpath import normpath
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from openpyxl.chart import BarChart
from openpyxl.utils.units import EMU_to_cm
from openpyxl.worksheet.worksheet import Worksheet

from reportgen.documents.content.slots import Slot
from reportgen.documents.xlsx.workbook import workbook
from tests.documents.xlsx.sheets import page
from tests.office import convert

C = {"c": "http://schemas.openxmlformats.org/drawingml/2006/chart"}
COLOURS = ("#1f4e79", "#9cc5e8", "#E0842B")
DAYS = 31
CM_PER_CHARACTER = 7 / 96 * 2.54


def day_sheet(
    products: int = 2, attributes: str = "", *, days: int = DAYS, name: str = "product"
) -> bytes:
    """Write days by product, as the built-in templates do."""
    names = [f"{name} {number}" for number in range(products)]
    columns = "".join(
        f'<col style="width: 15ch" data-field="p{number}" data-series="{COLOURS[number % 3]}"/>'
        for number in range(products)
    )
    header = "".join(f"<th>{name}</th>" for name in ("Billing day", *names, "All"))
    xhtml = page(
        '<table title="Day\'s sheet" data-chart="ACUs &amp; days" data-chart-unit="ACUs" '
        f"{attributes}><colgroup>"
        f'<col style="width: 14ch" data-field="day"/>{columns}<col data-field="all"/>'
        "<col/></colgroup>"
        f'<thead><tr>{header}</tr></thead><tbody data-rows="days"/>'
        "<tfoot><tr><td>Total</td></tr></tfoot></table>",
        '* { font-family: "Arial" }',
    )
    fields = ("day", *(f"p{number}" for number in range(products)), "all")
    return workbook(xhtml, {"days": Slot(fields, rows(products, days))})


def rows(products: int, days: int) -> Iterator[tuple[date | Decimal, ...]]:
    for day in range(days):
        quantities = [Decimal(day * number + 1) for number in range(products)]
        yield date(2025, 12, 5) + timedelta(days=day), *quantities, sum(quantities, Decimal(0))


def chart_of(sheet: Worksheet) -> BarChart:
    (chart,) = sheet._charts
    return chart


def read(package: bytes) -> Worksheet:
    return openpyxl.load_workbook(BytesIO(package)).worksheets[0]


def xml_of(package: bytes) -> ET.Element:
    return ET.fromstring(zipfile.ZipFile(BytesIO(package)).read("xl/charts/chart1.xml"))  # noqa: S314


def test_series_point_at_the_rows_of_the_slot_in_the_colours_given() -> None:
    chart = chart_of(read(day_sheet()))
    assert [series.tx.strRef.f for series in chart.series] == [
        "'Day''s sheet'!$B$1",
        "'Day''s sheet'!$C$1",
    ]
    assert [series.val.numRef.f for series in chart.series] == [
        "'Day''s sheet'!$B$2:$B$32",
        "'Day''s sheet'!$C$2:$C$32",
    ]
    assert {series.cat.numRef.f for series in chart.series} == {"'Day''s sheet'!$A$2:$A$32"}
    assert [series.spPr.solidFill.srgbClr for series in chart.series] == ["1F4E79", "9CC5E8"]
    assert (chart.grouping, chart.overlap, chart.barDir) == ("stacked", 100, "col")


def test_titles_axes_and_legend_are_shown_and_lie_on_nothing() -> None:
    root = xml_of(day_sheet())
    titles = ["".join(title.itertext()) for title in root.iter(f"{{{C['c']}}}title")]
    assert titles == ["ACUs & days", "Billing day", "ACUs"]
    assert {found.get("val") for found in root.iter(f"{{{C['c']}}}overlay")} == {"0"}
    axes = [root.find(f".//c:{kind}", C) for kind in ("catAx", "valAx")]
    assert [axis.find("c:delete", C).get("val") for axis in axes] == ["0", "0"]
    formats = [axis.find("c:numFmt", C) for axis in axes]
    assert [(found.get("formatCode"), found.get("sourceLinked")) for found in formats] == [
        ("mm-dd", "0"),
        ("[<1000]General;#,##0", "0"),
    ]
    assert root.find(".//c:legendPos", C).get("val") == "b"


@pytest.mark.parametrize("products", [1, 2, 14])
@pytest.mark.parametrize(("orientation", "beside"), [("landscape", True), ("portrait", False)])
def test_it_never_lies_over_the_list(products, orientation, beside) -> None:
    sheet = read(day_sheet(products, f'data-orientation="{orientation}"'))
    corner = chart_of(sheet).anchor._from
    assert (corner.col, corner.row) == ((products + 3, 0) if beside else (0, DAYS + 3))
    assert corner.col >= sheet.max_column or corner.row >= sheet.max_row


def test_it_keeps_its_size_when_rows_are_filtered_and_makes_room_for_many_names() -> None:
    few, many = (chart_of(read(day_sheet(products))).anchor.ext for products in (2, 14))
    assert (EMU_to_cm(few.width), EMU_to_cm(few.height)) == (17, 10.5)
    assert (EMU_to_cm(many.width), EMU_to_cm(many.height)) == (17, 11.5)
    long = chart_of(read(day_sheet(14, name="a name of many letters"))).anchor.ext
    assert (EMU_to_cm(long.width), EMU_to_cm(long.height)) == (17, 12.5)


def test_a_landscape_page_holds_a_list_of_few_products_and_its_chart_in_a_readable_size() -> None:
    """The list is two of five of the page; Excel shrinks both, and never below two thirds."""
    sheet = read(day_sheet(5, 'data-orientation="landscape"'))
    characters = sum(column.width for column in sheet.column_dimensions.values())
    assert 17 + characters * CM_PER_CHARACTER < 26.7 / 0.66


def test_without_a_row_it_is_empty_and_valid() -> None:
    package = day_sheet(days=0)
    assert [series.val.numRef.f for series in chart_of(read(package)).series] == [
        "'Day''s sheet'!$B$2:$B$2",
        "'Day''s sheet'!$C$2:$C$2",
    ]


def test_a_product_without_a_name_stops_nothing() -> None:
    """Products are named by the API: one that is blank, or another's in capitals, is no mistake."""
    header = "<tr><th>Day</th><th> </th><th>a</th><th>A</th></tr>"
    columns = "".join(f'<col data-field="{field}" data-series="#1f4e79"/>' for field in "xyz")
    xhtml = page(
        '<table title="S" data-filter="on" data-chart="T" data-chart-unit="ACUs">'
        f'<colgroup><col data-field="day"/>{columns}</colgroup><thead>{header}</thead>'
        '<tbody data-rows="days"/></table>'
    )
    assert (
        len(chart_of(read(workbook(xhtml, {"days": Slot(("day", "x", "y", "z"), [])}))).series) == 3
    )


def test_same_rows_same_bytes() -> None:
    assert day_sheet() == day_sheet()


def test_every_part_is_there_once_well_formed_and_found_by_its_relationships() -> None:
    package = zipfile.ZipFile(BytesIO(day_sheet(attributes='data-table="Days"')))
    names = package.namelist()
    assert len(names) == len(set(names))
    parts = {name: ET.fromstring(package.read(name)) for name in names}  # noqa: S314
    targets = {
        normpath(str(PurePosixPath(name).parent.parent / link.get("Target", "")))
        if not link.get("Target", "").startswith("/")
        else link.get("Target", "").lstrip("/")
        for name, root in parts.items()
        if name.endswith(".rels")
        for link in root
    }
    typed = {part.get("PartName", "").lstrip("/") for part in parts["[Content_Types].xml"]} - {""}
    assert targets <= set(names)
    assert {
        "xl/charts/chart1.xml",
        "xl/drawings/drawing1.xml",
        "xl/tables/table1.xml",
    } <= targets & typed
    assert typed <= set(names)


@pytest.mark.heavy
def test_libreoffice_reads_and_writes_it_again(tmp_path: Path) -> None:
    source = tmp_path / "days.xlsx"
    source.write_bytes(day_sheet(3, 'data-orientation="landscape"'))
    chart = chart_of(
        openpyxl.load_workbook(convert(source, "xlsx", tmp_path / "out")).worksheets[0]
    )
    assert [series.spPr.solidFill.srgbClr.upper() for series in chart.series] == [
        "1F4E79",
        "9CC5E8",
        "E0842B",
    ]
    assert [series.tx.strRef.strCache.pt[0].v for series in chart.series] == [
        "product 0",
        "product 1",
        "product 2",
    ]
    # What it has read from the cells: the third product grows by two a day.
    assert [point.v for point in chart.series[2].val.numRef.numCache.pt][:3] == [1, 3, 5]
    assert (chart.grouping, chart.x_axis.delete, chart.y_axis.delete) == ("stacked", False, False)
