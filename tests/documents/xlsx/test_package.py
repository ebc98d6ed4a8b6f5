"""The parts of a workbook as readers look for them: prefixes, targets, order, no false alarms."""

import re
import zipfile
from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest

from reportgen.documents.content.slots import Slot
from reportgen.documents.xlsx.workbook import workbook
from tests.documents.xlsx.sheets import ROW, page, part, table

LINKED = ROW.format('<td><a href="https://acme.example//xl/?a=1&amp;b=2">a</a></td><td>0042</td>')
LISTED = """<table title="Days" data-chart="T" data-chart-unit="ACUs" data-table="Days">
<colgroup><col data-field="day"/><col data-field="code"/>
<col data-field="acus" data-series="#1f4e79"/></colgroup>
<thead><tr><th>Day</th><th>Code</th><th>ACUs</th></tr></thead><tbody data-rows="days"/></table>"""
DAYS = [(date(2025, 12, 5), "1001", Decimal("7.25")), (date(2025, 12, 6), "0042", Decimal(1))]
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"
# ECMA-376 part 1, 18.3.1.99: what we write of it, in its order.
ORDER = [
    *("sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData", "autoFilter"),
    *("mergeCells", "hyperlinks", "pageMargins", "pageSetup", "headerFooter", "ignoredErrors"),
    *("drawing", "tableParts"),
]


@pytest.fixture(scope="module")
def package() -> bytes:
    slots = {"days": Slot(("day", "code", "acus"), DAYS)}
    return workbook(page(table(LINKED) + LISTED + table("").replace('"S"', '"Empty"')), slots)


def names(package: bytes) -> list[str]:
    return zipfile.ZipFile(BytesIO(package)).namelist()


def test_a_drawing_has_the_prefix_that_readers_look_for(package: bytes) -> None:
    xml = zipfile.ZipFile(BytesIO(package)).read("xl/drawings/drawing1.xml").decode()
    assert {name for name in re.findall(r"<([^\s/>]+)", xml) if ":" not in name} == set()
    root = part(package, "xl/drawings/drawing1.xml")
    assert root.tag == f"{{{DRAWING}}}wsDr"
    assert [child.tag.rpartition("}")[2] for child in root[0]] == [
        *("from", "ext", "graphicFrame", "clientData"),
    ]
    assert xml.startswith(f'<xdr:wsDr xmlns:xdr="{DRAWING}"><xdr:oneCellAnchor>')


def test_parts_point_at_each_other_by_relative_paths(package: bytes) -> None:
    targets = {
        name: [link.get("Target") for link in part(package, name)]
        for name in names(package)
        if name.endswith(".rels")
    }
    assert targets == {
        "_rels/.rels": ["xl/workbook.xml", "docProps/core.xml", "docProps/app.xml"],
        "xl/_rels/workbook.xml.rels": [
            *(f"worksheets/sheet{number}.xml" for number in (1, 2, 3)),
            *("styles.xml", "theme/theme1.xml"),
        ],
        "xl/drawings/_rels/drawing1.xml.rels": ["../charts/chart1.xml"],
        "xl/worksheets/_rels/sheet1.xml.rels": ["https://acme.example//xl/?a=1&b=2"],
        "xl/worksheets/_rels/sheet2.xml.rels": [
            "../drawings/drawing1.xml",
            "../tables/table1.xml",
        ],
    }


@pytest.mark.parametrize(("sheet", "cells"), [(1, "A1:B1"), (2, "A1:C3"), (3, "A1")])
def test_codes_that_are_all_digits_are_no_mistake_to_excel(package, sheet, cells) -> None:
    root = part(package, f"xl/worksheets/sheet{sheet}.xml")
    (ignored,) = [child for child in root if child.tag.endswith("}ignoredErrors")]
    assert [one.attrib for one in ignored] == [{"sqref": cells, "numberStoredAsText": "1"}]


@pytest.mark.parametrize("sheet", [1, 2, 3])
def test_the_elements_of_a_sheet_stand_in_the_order_of_the_standard(package, sheet) -> None:
    root = part(package, f"xl/worksheets/sheet{sheet}.xml")
    places = [ORDER.index(child.tag.rpartition("}")[2]) for child in root]
    assert places == sorted(places)
