"""Columns that hold their figures, whatever the currency: long ones get room, or are smaller.

Templates give columns the widths that most amounts need. Here the figures of a page are counted. A
table in which they do not fit takes room from the columns of its texts, which can break; where that
is not enough, it is set in a smaller size. A word longer than its column is broken. The layout of
tables stays fixed, as no other is fast.

Nothing is measured: all digits of the typeface are of one width, and letters are taken for wide.
Lengths are whole numbers, so that every machine finds the same: 2,000 of them are a point.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width
from xml.etree.ElementTree import Element

LINE = 986_457
"""The text area of invoice.css, 174 mm, which tables of the class `rows` fill."""
SIZES = tuple(range(18, 9, -1))
"""Half points in which a table may be set, from 9 points down: the first that fits."""
HEAD_SIZE = DETAIL_SIZE = 16
GAP = 17_000
"""Between a figure and what stands before it."""
TEXT_GAP, INNER = 11_400, 40_000
"""Of a text's column, what is no room for words: the padding on its right, and that of `inner`."""
LEAST_TEXT = 55
"""Percent of its width that a column of texts keeps."""
WIDTHS = dict.fromkeys("0123456789–", 556) | {
    **dict.fromkeys(" .,\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}’'", 278),
    "-": 333,
    "+": 584,
    "−": 584,
    "(": 333,
    ")": 333,
    "%": 889,
}
"""Thousandths of the size of the type, as Liberation Sans has them, bold or not."""
LETTER, WIDE = 667, 1000
BREAKING = re.compile("([\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef])")
"""Letters after which a line may break."""
LINE_BREAK = "\v"
_PERCENT = re.compile(r"\bwidth:\s*([0-9]+)(?:\.([0-9]{1,2}))?%")


@dataclass(kw_only=True, slots=True)
class _Column:
    """A column: its width as written, and the longest figure and word of its head, in thousandths.

    A column of texts has no figure.
    """

    width: int
    figure: int = 0
    head: int = 0

    def needed(self, size: int) -> int:
        """Give the room for figures in a size of half points; texts need none."""
        return max(self.figure * size, self.head * HEAD_SIZE) + GAP if self.figure else 0


def fit_columns(root: Element) -> None:
    """Give figures in tables the room they need; a table in which all have it stays as it is."""
    small = {table for part in root.iter("div") if part.get("class") == "detail" for table in part}
    for table in root.iter("table"):
        if "rows" in table.get("class", "").split():
            usual = DETAIL_SIZE if table in small else SIZES[0]
            _break(table, *_fit(table, usual))


def length(text: str) -> int:
    """Give the width of a text in thousandths of its size, rather too large than too small."""
    return sum(WIDTHS.get(sign) or _letter(sign) for sign in text)


def words(text: str) -> list[str]:
    """Give what a line is not broken in."""
    return BREAKING.sub(r"\1 ", text).split(" ")


def text_of(element: Element) -> str:
    """Give the text of an element as it is set, in one line."""
    return " ".join(lines_of(element))


def lines_of(element: Element) -> list[str]:
    """Give the text of an element as it is set, by the lines that it asks for."""
    lines = "".join(_pieces(element)).split(LINE_BREAK)
    return [re.sub(r"[\t\n\r ]+", " ", line).strip(" ") for line in lines]


def _pieces(element: Element) -> Iterator[str]:
    if element.tag == "br":
        yield LINE_BREAK
    yield element.text or ""
    for child in element:
        yield from _pieces(child)
        yield child.tail or ""


def widths(cols: Iterable[Element], line: int) -> list[int]:
    """Give the widths of columns; those without one share what is left of the line."""
    written = [_PERCENT.search(col.get("style", "")) for col in cols]
    given = [
        line * int(width[1] + (width[2] or "").ljust(2, "0")) // 10_000 if width else None
        for width in written
    ]
    free = sum(1 for width in given if width is None)
    left = max(0, line - sum(width for width in given if width is not None))
    return [left // free if width is None else width for width in given]


def _letter(sign: str) -> int:
    return WIDE if east_asian_width(sign) in "WF" else LETTER


def _fit(table: Element, usual: int) -> tuple[list[int], int]:
    """Widen columns, or make the type smaller; gives the widths and the size that the table has."""
    cols = list(table.iterfind("colgroup/col"))
    columns = [_Column(width=width) for width in widths(cols, LINE)]
    for row in table.iter("tr"):
        _count(row, columns)
    if all(column.needed(usual) <= column.width for column in columns):
        return [column.width for column in columns], usual
    size = min(usual, _fitting(columns))
    shared = _shared_out(columns, size)
    for col, width in zip(cols, shared, strict=True):
        percent = 10_000 * width // LINE
        col.set("style", f"width: {percent // 100}.{percent % 100:02}%")
    if size < usual:
        table.set("style", f"font-size: {size // 2}.{5 * (size % 2)}pt; {table.get('style', '')}")
    return shared, size


def _break(table: Element, shared: Sequence[int], size: int) -> None:
    """Let words be broken that are longer than their column; looking for it takes time."""
    for row in table.iter("tr"):
        place = 0
        for cell in row:
            span = int(cell.get("colspan", "1"))
            names = cell.get("class", "").split()
            room = sum(shared[place : place + span]) - (INNER if "inner" in names else TEXT_GAP)
            longest = max(map(length, words(text_of(cell))))
            if cell.tag == "td" and not {"number", "wide"} & set(names) and longest * size > room:
                cell.set("class", " ".join([*names, "wide"]))
            place += span


def _count(row: Element, columns: Sequence[_Column]) -> None:
    """Note the longest figures of a row; what spans several columns is text."""
    place = 0
    for cell in row:
        span = int(cell.get("colspan", "1"))
        if span == 1 and place < len(columns) and "number" in cell.get("class", "").split():
            column, text = columns[place], text_of(cell)
            if cell.tag == "td":
                column.figure = max([column.figure, *map(length, lines_of(cell))])
            else:
                column.head = max([column.head, *map(length, words(text))])
        place += span


def _texts(columns: Iterable[_Column]) -> int:
    """Give the room that columns of texts have."""
    return sum(column.width for column in columns if not column.figure)


def _fitting(columns: Sequence[_Column]) -> int:
    """Choose the largest size in which figures fit beside what is left of the texts."""
    room = LINE - _texts(columns) * LEAST_TEXT // 100
    sizes = (size for size in SIZES if sum(column.needed(size) for column in columns) <= room)
    return next(sizes, SIZES[-1])


def _shared_out(columns: Sequence[_Column], size: int) -> list[int]:
    """Share out the line: figures have what they need, and texts their width or what is left.

    What is left beside both goes to the figures that had more than they need.
    """
    needed, texts = [column.needed(size) for column in columns], _texts(columns)
    least = texts * LEAST_TEXT // 100
    if sum(needed) > LINE - least:
        needed = [need * (LINE - least) // sum(needed) for need in needed]
    room = LINE - sum(needed)
    spare = [
        max(0, column.width - need) if column.figure else 0
        for column, need in zip(columns, needed, strict=True)
    ]
    left = max(0, room - texts)
    return [
        need + left * more // max(1, sum(spare))
        if column.figure
        else column.width * min(room, texts) // texts
        for column, need, more in zip(columns, needed, spare, strict=True)
    ]
