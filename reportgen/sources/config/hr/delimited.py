"""Rows of a text file, in the encodings and with the separators that spreadsheets save.

The encoding is told by a byte order mark, else it is UTF-8, else what Windows wrote in the west
(cp1252). The separator is the one that finds the columns that are asked for.
"""

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import StringIO
from itertools import islice

from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import quoted
from reportgen.core.written.tables import FORMULA_MARK, FORMULA_STARTS
from reportgen.sources.config.hr.table import TITLE_ROWS, Grid, Row, columns_named, has_value

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
MARKS = {
    codecs.BOM_UTF8: ("utf-8", "UTF-8"),
    codecs.BOM_UTF16_LE: ("utf-16-le", "UTF-16"),
    codecs.BOM_UTF16_BE: ("utf-16-be", "UTF-16"),
}
NUL = b"\0"
LOOKED_AT = 10_000
"""In so many characters the most frequent separator is looked for."""
SAVE = "save the file as UTF-8, or as .xlsx"
GUARDS = tuple(f"{FORMULA_MARK}{start}" for start in FORMULA_STARTS)
DECLARED = re.compile(r"\"?sep=([^\r\n])\"?(?:\r\n|\r|\n|$)", re.IGNORECASE)
"""A first line by which a file tells Excel its separator."""


def read_delimited(content: bytes, name: str, wanted: Sequence[str]) -> Grid:
    """Give the rows that hold a value, or raise Rejected; `wanted` are names of columns."""
    text, encoding = decoded(content, name)
    if "\0" in text:
        message = "holds characters that no text has"
        raise Rejected([Problem(source=name, message=message, hint=SAVE)])
    declared = DECLARED.match(text)
    separator = declared[1] if declared else _separator(text, name, wanted)
    usual = encoding == "UTF-8" and separator == ","
    words = SEPARATORS.get(separator, quoted(separator))
    return Grid(
        name=name,
        rows=list(_rows(text, declared.end() if declared else 0, separator, name)),
        taken="" if usual else f"read as {encoding}, separated by {words}",
        text=text,
    )


def decoded(content: bytes, name: str) -> tuple[str, str]:
    """Give the text of a file, without a byte order mark, and the name of its encoding."""
    codec, shown, start = _encoding(content)
    try:
        return content[start:].decode(codec), shown
    except UnicodeDecodeError as error:
        if start or codec != "utf-8":
            raise _not_text(content, start + error.start, name, f"is not {shown} text") from error
    try:
        return content.decode("cp1252"), "cp1252"
    except UnicodeDecodeError as error:
        message = "is neither UTF-8 nor Windows-1252 text"
        raise _not_text(content, error.start, name, message) from error


def _encoding(content: bytes) -> tuple[str, str, int]:
    """Give the codec, its name and where the text begins.

    UTF-16 without a mark shows by the NUL of its first letter.
    """
    for mark, (codec, shown) in MARKS.items():
        if content.startswith(mark):
            return codec, shown, len(mark)
    if NUL in content[:2]:
        return ("utf-16-be" if content[:1] == NUL else "utf-16-le"), "UTF-16", 0
    return "utf-8", "UTF-8", 0


def _not_text(content: bytes, at: int, name: str, message: str) -> Rejected:
    line = content[:at].count(b"\n") + 1
    return Rejected([Problem(source=f"{name}:{line}", message=message, hint=SAVE)])


def _separator(text: str, name: str, wanted: Sequence[str]) -> str:
    """Find the separator that shows the most of the wanted columns, else the most frequent one."""

    def shown(separator: str) -> tuple[int, int]:
        rows: list[Row] = []
        with suppress(Rejected):
            rows.extend(islice(_rows(text, 0, separator, name), TITLE_ROWS))
        named = max((columns_named(row.cells, wanted) for row in rows), default=0)
        return named, text.count(separator, 0, LOOKED_AT)

    return max(SEPARATORS, key=shown)


def _rows(text: str, start: int, separator: str, name: str) -> Iterator[Row]:
    """Give the rows from a place in the text on, or raise Rejected."""
    lines = StringIO(text, newline="")
    lines.seek(start)
    reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)
    first = line = 2 if start else 1
    try:
        for cells in reader:
            if has_value(cells):
                yield Row(line, [_without_guard(cell) for cell in cells])
            line = reader.line_num + first
    except csv.Error as error:
        message = (
            "the row that begins here has a quote that is not closed, or text beside a quoted cell"
        )
        hint = "correct the row, or export the file again"
        raise Rejected([Problem(source=f"{name}:{line}", message=message, hint=hint)]) from error


def _without_guard(cell: str) -> str:
    r"""Undo what keeps spreadsheets from reading a text as a formula, or as a number.

    >>> [_without_guard(cell) for cell in ("'=A", '="0100"', "'s")]
    ['=A', '0100', "'s"]
    """
    if cell.startswith(GUARDS):
        return cell.removeprefix(FORMULA_MARK)
    return cell[2:-1] if cell.startswith('="') and cell.endswith('"') else cell
