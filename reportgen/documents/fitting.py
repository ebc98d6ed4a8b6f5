"""How much room a text takes in a workbook: nothing makes a row higher for a text that wraps in joined cells.

Widths are counted in digits of the font of the cells, as those of columns are. Law: what is reckoned is rather too
high than too low, since another program may draw the font a little wider.
"""

from collections.abc import Iterable

from reportgen.documents.plaintext import columns, one_line, wrapped

LINE_POINTS = 14
"""Of the font of the cells, 10 points; Chinese and Japanese letters come from a higher font."""
HIGHEST_POINTS = 409
"""No row of Excel is higher."""
CUT = "…"


def row_height(texts: Iterable[str], width: int, least: int = 1) -> str:
    """Give the points of a row for all lines of its texts in cells so wide; nothing where one line will do.

    >>> row_height(["Total"], 20), row_height(["Total", "a b c d e"], 3), row_height(["Total"], 20, 2)
    ('', '42', '28')
    """
    lines = max((_lines(text, width) for text in texts), default=least)
    return str(min(max(lines, least) * LINE_POINTS, HIGHEST_POINTS)) if max(lines, least) > 1 else ""


def fitted(text: str, width: int) -> str:
    """Cut a long text in the middle, as names that begin alike often end otherwise.

    >>> fitted("cascade", 7), fitted("cascade", 6), fitted("請求明細行", 6)
    ('cascade', 'ca…ade', '請…行')
    """
    if columns(text) <= width:
        return text
    end = _beginning(text[: -width - 1 : -1], width // 2)[::-1]
    return _beginning(text, width - columns(CUT + end)) + CUT + end


def _beginning(text: str, width: int) -> str:
    """Give as much of a text as fits."""
    return next((text[:length] for length in range(width, 0, -1) if columns(text[:length]) <= width), "")


def _lines(text: str, width: int) -> int:
    return sum(_lines_of_paragraph(one_line(paragraph), width) for paragraph in text.split("\n"))


def _lines_of_paragraph(text: str, width: int) -> int:
    # Of a digit's width, capitals take a quarter more and small letters of English a fifth less, here an eighth.
    small = sum(1 for sign in text if sign.isascii() and sign.islower())
    taken = columns(text) + sum(map(str.isupper, text)) // 4 - small // 8
    return 1 + wrapped(text, max(2, width * columns(text) // max(1, taken))).count("\n")
