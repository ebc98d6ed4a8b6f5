"""A table that another system wrote: rows of texts, and which of them names the columns.

Names of columns are compared without what nobody sees and with any run of blanks as one, so that a
trailing space or a line break in a heading does not count. Rows without any value do not count
either.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import NamedTuple
from unicodedata import normalize

from reportgen.core.problem import Problem
from reportgen.core.text import did_you_mean, quoted, visible

TITLE_ROWS = 20
"""So many rows may stand above the names of the columns, and be titles."""


class Row(NamedTuple):
    """The cells of a row, and the line on which it begins."""

    line: int
    cells: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """The rows of a file that hold a value.

    `taken` says how the file was read, and is empty where there was nothing to choose. `text` is
    the file as people read it, line by line. Days that are numbers count from `day_zero`.
    """

    name: str
    rows: Sequence[Row]
    taken: str
    text: str
    day_zero: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """The places of the wanted columns, and the rows below their names."""

    grid: Grid
    line: int
    places: Mapping[str, int]
    names: Sequence[str]
    rows: Sequence[Row]
    below_titles: bool

    @property
    def width(self) -> int:
        """Count the columns."""
        return len(self.names)

    def cell(self, row: Row, column: str | None) -> str:
        """Give a cell without what nobody sees; an empty text where the row is too short."""
        place = self.places.get(column) if column else None
        return visible(row.cells[place]) if place is not None and place < len(row.cells) else ""

    def source(self, row: Row) -> str:
        """Give file:line."""
        return f"{self.grid.name}:{row.line}"


def heading(text: str) -> str:
    r"""Write the name of a column as it is compared.

    >>> heading("\ufeffValid\n from ")
    'Valid from'
    """
    return normalize("NFC", " ".join(visible(text).split()))


def columns_named(cells: Iterable[str], wanted: Iterable[str]) -> int:
    """Count the wanted columns that a row names."""
    return len({heading(cell) for cell in cells} & {heading(column) for column in wanted})


def headed(grid: Grid, wanted: Sequence[str]) -> tuple[Table | None, list[Problem]]:
    """Find the row that names the most of the wanted columns, or say what it lacks or has twice."""
    first = list(islice(grid.rows, TITLE_ROWS))
    if not first:
        hint = "export it again, with the names of the columns in the first row"
        return None, [Problem(source=f"{grid.name}:1", message="holds no row", hint=hint)]
    at, head = max(
        enumerate(first), key=lambda placed: (columns_named(placed[1].cells, wanted), -placed[0])
    )
    names = [heading(cell) for cell in head.cells]
    source = f"{grid.name}:{head.line}"
    problems = [
        problem for column in wanted if (problem := _wrong_column(heading(column), names, source))
    ]
    if problems:
        return None, problems
    table = Table(
        grid=grid,
        line=head.line,
        places={column: names.index(heading(column)) for column in wanted},
        names=names,
        rows=grid.rows[at + 1 :],
        below_titles=at > 0,
    )
    return table, []


def has_value(cells: Iterable[str]) -> bool:
    """Tell whether a row says anything."""
    return any(map(visible, cells))


def _wrong_column(column: str, names: Sequence[str], source: str) -> Problem | None:
    if names.count(column) > 1:
        hint = "keep one of them, or give the other another name"
        return Problem(source=source, message=f"has the column {quoted(column)} twice", hint=hint)
    if column in names:
        return None
    near = did_you_mean(column, names)
    listed = ", ".join(map(quoted, filter(None, names))) or "none"
    hint = f"did you mean {quoted(near)}?" if near else f"it has: {listed}"
    return Problem(source=source, message=f"has no column {quoted(column)}", hint=hint)
