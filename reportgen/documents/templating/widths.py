"""How wide texts are: in columns of plain text, and in the cells of a workbook.

Laws: a value is one line before it is set, so that what looks like a line of ours is one, whatever
a name holds. In workbooks, widths are counted in digits of the font of the cells, as those of
columns are; what is reckoned is rather too high than too low, as another program may draw the font
a little wider.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from reportgen.core.text import columns

LINE = 72
"""Columns of a line, so that an answer can quote it."""
LINE_POINTS = 14
"""Of the font of the cells, 10 points; Chinese and Japanese letters come from a higher font."""
HIGHEST_POINTS = 409
"""No row of Excel is higher."""
CUT = "…"
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of whatever follows, beyond the text they came with."""
_BREAKS = {"Cc", "Zl", "Zp"}


def one_line(text: object) -> str:
    r"""Give a text without breaks, control characters and marks that turn its direction.

    >>> one_line("a\r\nBcc:  b\t")
    'a Bcc: b'
    """
    kept = (
        " " if unicodedata.category(sign) in _BREAKS else sign
        for sign in str(text)
        if sign not in _TURNS
    )
    return re.sub(" +", " ", "".join(kept)).strip(" ")


def left(text: object, width: int) -> str:
    """Fill a column from the left; a text that is too long takes lines of its own before the last.

    >>> left("devin", 8) + "|"
    'devin   |'
    """
    *whole, last = _lines(one_line(text), width - 1)
    return "\n".join([*whole, last + " " * (width - columns(last))])


def right(text: object, width: int) -> str:
    """Fill a column from the right, with a blank at least before the text.

    >>> right("1.50", 8), right("1.50", 2)
    ('    1.50', ' 1.50')
    """
    shown = one_line(text)
    return " " * max(1, width - columns(shown)) + shown


def wrapped(text: object, width: int = LINE, indent: int = 0) -> str:
    r"""Break a text into lines of at most so many columns; those after the first are indented.

    >>> wrapped("one two three", 8, 2)
    'one\n  two\n  three'
    """
    return f"\n{' ' * indent}".join(_lines(one_line(text), width - indent))


def row_height(texts: Iterable[str], width: int, least: int = 1) -> str:
    """Give the points of a row for all lines of its texts in cells so wide; nothing for one.

    >>> row_height(["Total"], 20), row_height(["Total", "a b c d e"], 3)
    ('', '42')
    >>> row_height(["Total"], 20, least=2)
    '28'
    """
    lines = max((_lines_in(text, width) for text in texts), default=least)
    return (
        str(min(max(lines, least) * LINE_POINTS, HIGHEST_POINTS)) if max(lines, least) > 1 else ""
    )


def fitted(text: str, width: int) -> str:
    """Cut a long text in the middle, as names that begin alike often end otherwise.

    >>> fitted("cascade", 7), fitted("cascade", 6), fitted("請求明細行", 6)
    ('cascade', 'ca…ade', '請…行')
    """
    if columns(text) <= width:
        return text
    end = _beginning(text[: -width - 1 : -1], width // 2)[::-1]
    return _beginning(text, width - columns(CUT + end)) + CUT + end


def _lines(text: str, width: int) -> list[str]:
    """Break between words, between any two wide letters, and inside a word longer than a line."""
    lines = [""]
    for piece in _pieces(text):
        if lines[-1] and columns(lines[-1] + piece) > width:
            lines.append("")
        for sign in piece.lstrip(" ") if not lines[-1] else piece:
            if columns(lines[-1] + sign) > width:
                lines.append("")
            lines[-1] += sign
    return lines


def _pieces(text: str) -> Iterator[str]:
    """Give what a line is never broken inside of: words, and wide letters with punctuation."""
    piece = ""
    for sign in text:
        if piece and not _joined(piece[-1], sign, alone=piece == " "):
            yield piece
            piece = ""
        piece += sign
    if piece:
        yield piece


def _joined(before: str, sign: str, *, alone: bool) -> bool:
    """Tell whether a sign stays with the one before it; a blank begins what it stands before."""
    if sign == " ":
        return False
    wide = columns(before) > 1 or columns(sign) > 1
    return alone or not wide or _closes(sign) or unicodedata.category(before) == "Ps"


def _closes(sign: str) -> bool:
    """Tell whether a line may not begin with a sign: brackets that close, points and commas."""
    return unicodedata.category(sign) in {"Pe", "Pf", "Po", "Mn", "Me"}


def _beginning(text: str, width: int) -> str:
    """Give as much of a text as fits."""
    return next(
        (text[:length] for length in range(width, 0, -1) if columns(text[:length]) <= width), ""
    )


def _lines_in(text: str, width: int) -> int:
    return sum(_lines_of_paragraph(one_line(paragraph), width) for paragraph in text.split("\n"))


def _lines_of_paragraph(text: str, width: int) -> int:
    # Of a digit's width, capitals take a quarter more and small letters of English a fifth less,
    # here an eighth.
    small = sum(1 for sign in text if sign.isascii() and sign.islower())
    taken = columns(text) + sum(map(str.isupper, text)) // 4 - small // 8
    return 1 + wrapped(text, max(2, width * columns(text) // max(1, taken))).count("\n")
