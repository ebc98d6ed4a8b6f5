"""The structure tree of a PDF that WeasyPrint has tagged, as ISO 32000-1 section 14.8 asks for it.

WeasyPrint tags what a page shows, and leaves open what somebody with a screen reader stumbles on:
headers and footers of pages belong to no element, tables that only place things say they are
tables, header cells do not say what they are the header of, and the box of a figure is in the units
of CSS. Nothing of it changes how a page looks.
"""

from collections.abc import Iterator
from typing import Any

import pydyf

POINTS_PER_PIXEL = 0.75
CELLS = {"/TH", "/TD"}
LAYOUT = {
    "/Table": "/Div",
    "/THead": "/NonStruct",
    "/TBody": "/NonStruct",
    "/TFoot": "/NonStruct",
} | dict.fromkeys(("/TR", "/TD"), "/NonStruct")
"""What the parts of a table without a header are instead: it places things, and has no rows."""

Element = Any
"""A pydyf.Dictionary of type StructElem; pydyf has no types."""


def mend(pdf: Any) -> None:  # noqa: ANN401 - a pydyf.PDF
    """Mend the structure tree of a PDF that has one, before it is written."""
    if "StructTreeRoot" in pdf.catalog:
        _Tree(pdf).mend()


class _Tree:
    """The structure tree of one document."""

    def __init__(self, pdf: Any) -> None:  # noqa: ANN401
        self._objects = pdf.objects
        self._root = self._at(pdf.catalog["StructTreeRoot"])
        self._document = self._at(self._root["K"][0])
        self._pages = [self._at(reference) for reference in pdf.page_references]

    def mend(self) -> None:
        """Mend tables, figures and empty elements; then let go what no element holds."""
        for element in list(self._below(self._document)):
            if element["S"] == "/Table":
                self._join_rows(element)
                self._tell_headers(element)
            elif element["S"] == "/Figure" and "Alt" in element:
                self._place(element)
        self._drop(self._document)
        self._release(self._reached())

    def _at(self, reference: bytes) -> Element:
        return self._objects[int(reference.split()[0])]

    def _children(self, element: Element) -> Iterator[Element]:
        """Yield the elements that an element holds, without what is marked on pages."""
        for kid in element["K"]:
            if isinstance(kid, bytes) and (child := self._at(kid)).get("Type") == "/StructElem":
                yield child

    def _below(self, element: Element) -> Iterator[Element]:
        for child in self._children(element):
            yield child
            yield from self._below(child)

    def _join_rows(self, table: Element) -> None:
        """Take rows out of the table in a table that stands for a row group nobody wrote."""
        kids: list[bytes] = []
        for child in self._children(table):
            inner = child["K"] if child["S"] == "/Table" else [child.reference]
            for reference in inner:
                self._at(reference)["P"] = table.reference
            kids += inner
            if child["S"] == "/Table":
                child["K"][:] = ()
        table["K"][:] = kids

    def _tell_headers(self, table: Element) -> None:
        """Give header cells their scope, or make a table without any the layout that it is."""
        parts = list(self._below(table))
        headers = [part for part in parts if part["S"] == "/TH"]
        for part in parts if headers else (table, *parts):
            attributes = part.get("A", {})
            attributes.pop("Headers", None)
            if not headers and part["S"] in LAYOUT:
                part["S"] = LAYOUT[part["S"]]
                part.pop("A", None)
        for header in headers:
            header["A"]["Scope"] = "/Column"
            header.pop("ID", None)

    def _place(self, figure: Element) -> None:
        """Give the box of a figure in points from the foot of its page."""
        page = next(page for page in self._pages if page.reference == figure["Pg"])
        top = page["MediaBox"][3]
        left, above, right, below = (POINTS_PER_PIXEL * side for side in figure["A"]["BBox"])
        figure["A"]["BBox"] = pydyf.Array((left, top - below, right, top - above))

    def _drop(self, element: Element) -> None:
        """Take out what tells nothing: figures without a description, and what holds only cells."""
        for child in list(self._children(element)):
            self._drop(child)
            nameless = child["S"] == "/Figure" and "Alt" not in child
            if nameless or not (child["K"] or child["S"] in CELLS):
                element["K"].remove(child.reference)

    def _reached(self) -> set[int]:
        return {element.number for element in (self._document, *self._below(self._document))}

    def _release(self, reached: set[int]) -> None:
        """Make an artifact of what no element holds; clear elements that nobody reaches."""
        numbers = self._at(self._root["ParentTree"])["Nums"]
        parents_of_page = dict(zip(numbers[::2], numbers[1::2], strict=True))
        for number, page in enumerate(self._pages):
            parents = parents_of_page[number]
            held_by_none = {
                mark
                for mark, parent in enumerate(parents)
                if self._at(parent).number not in reached
            }
            for mark in held_by_none:
                parents[mark] = "null"
            _make_artifacts(self._at(page["Contents"]).stream, held_by_none)
        for part in self._objects:
            is_element = isinstance(part, pydyf.Dictionary) and part.get("Type") == "/StructElem"
            if is_element and part.number not in reached:
                part.clear()


def _make_artifacts(stream: list[Any], marks: set[int]) -> None:
    """Rewrite `tag properties BDC` of some marks; the stream is still the list of its operands."""
    for index, operand in enumerate(stream):
        if isinstance(operand, pydyf.Dictionary) and operand.get("MCID") in marks:
            stream[index - 1], stream[index] = (
                "/Artifact",
                pydyf.Dictionary({"Type": "/Pagination"}),
            )
