"""Figures in the box of totals: where one is too long for its cell, its row is set smaller.

Lengths are those of `columns`.
"""

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from reportgen.documents.pdf.columns import length, text_of, widths, words

BOX = 936_000
"""The inside of `.total`, without its padding and edge."""
GAP = 34_000
"""Between the cells of the box, of which most have as much to their right."""
FIGURE, STRONG = 30, 18
"""Half points of what is large in the box, and of what is bold."""
ON_ONE_LINE = 22
"""Half points from which on a figure is smaller rather than on two lines."""
SMALLEST = 10


def fit_figures(root: Element) -> None:
    """Set the rows of boxes so that every figure stands in its cell, those of a row alike."""
    for box in root.iter("div"):
        if box.get("class") == "total":
            for table in box.iter("table"):
                _fit(table)


def _fit(table: Element) -> None:
    rooms = widths(table.iterfind("colgroup/col"), BOX)
    for row in table.iter("tr"):
        cells = list(_cells(row, rooms))
        for kind, size in (({"figure"}, FIGURE), ({"strong", "calm", "alarm"}, STRONG)):
            _fit_alike([(one, room) for one, room, names in cells if names & kind], size)


def _cells(row: Element, rooms: Sequence[int]) -> Iterator[tuple[Element, int, set[str]]]:
    """Yield the paragraphs of a row with the room and the classes of each."""
    place = 0
    for cell in row.iterfind("td"):
        span = int(cell.get("colspan", "1"))
        room = sum(rooms[place : place + span]) - GAP
        for paragraph in cell.iterfind("p"):
            names = set(paragraph.get("class", "").split())
            yield paragraph, room, names - {"alarm"} if "figure" in names else names
        place += span


def _fit_alike(figures: Sequence[tuple[Element, int]], size: int) -> None:
    fitting = min([size, *(_fitting(text_of(figure), room, size) for figure, room in figures)])
    if fitting < size:
        for figure, _ in figures:
            figure.set("style", f"font-size: {fitting // 2}.{5 * (fitting % 2)}pt")


def _fitting(text: str, room: int, size: int) -> int:
    """Give the half points in which a text fits on a line, or its longest word does."""
    if not text or room <= 0:
        return size
    whole = room // length(text)
    if size == FIGURE and whole >= ON_ONE_LINE:
        return whole
    return max(SMALLEST, room // max(map(length, words(text))))
