"""Small workbooks, written as templates would, and the parts of a file, read."""

import re
import zipfile
from collections.abc import Iterable
from io import BytesIO
from xml.etree import ElementTree as ET

NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
ROW = "<tbody><tr>{}</tr></tbody>"


def page(body: str, css: str = "", head: str = "") -> str:
    return (
        f"<html><head><title>T</title>{head}<style>{css}</style></head><body>{body}</body></html>"
    )


def table(body: str, attributes: str = "") -> str:
    return f'<table title="S"{attributes}>{body}</table>'


def slot_table(fields: Iterable[str], attributes: str = "", header: str = "") -> str:
    columns = "".join(f'<col data-field="{field}"/>' for field in fields)
    return table(
        f'<colgroup>{columns}</colgroup><tbody>{header}</tbody><tbody data-rows="detail"/>',
        attributes,
    )


def part(package: bytes, name: str) -> ET.Element:
    return ET.fromstring(zipfile.ZipFile(BytesIO(package)).read(name))  # noqa: S314


def cells(package: bytes, sheet: int = 1) -> dict[str, ET.Element]:
    root = part(package, f"xl/worksheets/sheet{sheet}.xml")
    return {cell.get("r", ""): cell for cell in root.iterfind("m:sheetData/m:row/m:c", NS)}


def text_of(cell: ET.Element) -> str:
    """Return a text as Excel decodes it: _xHHHH_ stands for a character."""
    text = cell.findtext("m:is/m:t", None, NS)
    assert cell.get("t") == "inlineStr"
    assert text is not None
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), text)
