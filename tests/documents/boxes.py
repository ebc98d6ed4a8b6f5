"""Where words stand on the pages of a PDF, as Poppler reads them."""

import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from xml.etree import ElementTree as ET

XHTML = {"h": "http://www.w3.org/1999/xhtml"}


@dataclass(frozen=True)
class Word:
    """A word and its sides, in points from the upper left corner of its page."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    def covers(self, other: "Word") -> bool:
        """Tell whether two words share more than the rounding of their sides."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        low = min(self.bottom - self.top, other.bottom - other.top)
        return across > -0.5 and down > low / 2


def pages_of(pdf: bytes) -> list[list[Word]]:
    """Give the words of each page."""
    command = ["pdftotext", "-bbox", "-", "-"]
    told = subprocess.run(command, input=pdf, capture_output=True, check=True).stdout
    return [
        [Word(word.text or "", *(float(word.get(side, "")) for side in SIDES)) for word in page]
        for page in ET.fromstring(told).iterfind(".//h:page", XHTML)  # noqa: S314 - Poppler's
    ]


SIDES = ("xMin", "yMin", "xMax", "yMax")


def clashes(pdf: bytes) -> Iterator[tuple[str, str]]:
    """Give every two words of a page that touch each other, and each that leaves the text area."""
    for page in pages_of(pdf):
        seen = [word for word in page if word.bottom - word.top > 1]  # running texts are of size 0
        for one, other in combinations(seen, 2):
            if one.covers(other):
                yield one.text, other.text
        for word in seen:
            if not (word.left > LEFT - 1 and word.right < RIGHT + 1):
                yield word.text, "the margin"


def torn(pdf: bytes, xhtml: str) -> Counter[str]:
    """Give the figures of tables that are no words on the pages: two that run together are one."""
    rows = ET.fromstring(xhtml).iter("tr")  # noqa: S314 - our own
    figures = (figure for row in rows for cell in row if is_figure(cell) for figure in _texts(cell))
    wanted = Counter(word for figure in figures for word in figure.split())
    return wanted - Counter(word.text for page in pages_of(pdf) for word in page)


def _texts(cell: ET.Element) -> Iterator[str]:
    """Give what stands in a cell; what a line break parts is no word."""
    for line_break in cell.iter("br"):
        line_break.text = " "
    yield "".join(cell.itertext())


def is_figure(cell: ET.Element) -> bool:
    return cell.tag == "td" and "number" in cell.get("class", "").split()


POINTS = 72 / 25.4
LEFT, RIGHT = 18 * POINTS, (210 - 18) * POINTS
"""The text area of invoice.css."""
