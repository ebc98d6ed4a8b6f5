"""openpyxl's package -> the bytes of an .xlsx file: rows put in, parts as readers expect them.

What the standard leaves open is written as Excel writes it, as some readers know nothing else:
relationships by relative paths, the elements of a drawing under the prefix `xdr`. No text that
looks like a number is marked as a mistake: it is a code, and meant.

Law: same parts and rows in, same bytes out; nothing comes from the clock.
"""

import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from posixpath import dirname, relpath
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
from openpyxl.writer.excel import ExcelWriter

from reportgen.documents.xlsx.layout import SheetData

_UNIX = 3
_SHEET_DATA = re.compile(rb"<sheetData(?:/>|>.*?</sheetData>)", re.DOTALL)
_DIMENSION = re.compile(rb'<dimension ref="[^"]*"\s*/>')
# What the schema of a sheet has behind `ignoredErrors`, of what openpyxl writes.
_AFTER_IGNORED = re.compile(rb"<(?:drawing|legacyDrawing|tableParts)\b|</worksheet>")
_ABSOLUTE = re.compile(rb'(?<= Target=")/([^"]+)')
_ELEMENT = re.compile(rb"<(/?)(\w+)(?=[\s/>])")  # without a prefix


def package(book: openpyxl.Workbook, sheets: Sequence[SheetData]) -> bytes:
    """Return the file with every sheet's rows in it, its entries sorted and dated 1980-01-01."""
    empty, full = BytesIO(), BytesIO()
    # Workbook.save would stamp the time.
    ExcelWriter(book, ZipFile(empty, "w")).save()
    rows = {f"xl/worksheets/sheet{number}.xml": sheet for number, sheet in enumerate(sheets, 1)}
    with ZipFile(empty) as source, ZipFile(full, "w", ZIP_DEFLATED) as target:
        for name in sorted(source.namelist()):
            # An entry opened by its name is dated 1980-01-01.
            with target.open(name, "w", force_zip64=name in rows and rows[name].is_huge) as entry:
                entry.writelines(_part(name, source.read(name), rows.get(name)))
        for member in target.infolist():
            member.create_system = _UNIX
    return full.getvalue()


def _part(name: str, xml: bytes, rows: SheetData | None) -> Iterator[bytes]:
    if rows is not None:
        yield from _with_rows(xml, rows)
    elif name.endswith(".rels"):
        yield _relative(name, xml)
    elif name.startswith("xl/drawings/"):
        yield _prefixed(xml)
    else:
        yield xml


def _with_rows(xml: bytes, rows: SheetData) -> Iterator[bytes]:
    dimension = rows.dimension.encode()
    head, tail = _SHEET_DATA.split(xml, maxsplit=1)
    yield _DIMENSION.sub(b'<dimension ref="%s"/>' % dimension, head)
    yield from rows.chunks()
    behind = _AFTER_IGNORED.search(tail)
    end = behind.start() if behind else len(tail)
    yield tail[:end]
    yield b'<ignoredErrors><ignoredError sqref="%s" numberStoredAsText="1"/></ignoredErrors>' % (
        dimension
    )
    yield tail[end:]


def _relative(name: str, xml: bytes) -> bytes:
    """Name the parts that a part points at by the way from its folder."""
    folder = dirname(dirname(name))
    return _ABSOLUTE.sub(lambda path: relpath(path[1].decode(), folder or ".").encode(), xml)


def _prefixed(xml: bytes) -> bytes:
    """Write the elements of a drawing's own namespace, openpyxl's default one, with a prefix."""
    return _ELEMENT.sub(rb"<\1xdr:\2", xml.replace(b"<wsDr xmlns=", b"<wsDr xmlns:xdr=", 1))
