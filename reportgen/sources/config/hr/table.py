"""A table that another system wrote: rows of texts, and which of them names the columns.

Names of columns are compared without what nobody sees and with any run of blanks as one, so that a
trailing space or a line break in a heading does not count. Rows without any value do not count
either.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import NamedTuple
from unicodedata import normalize

from reportgen.core.problem import Problem
from reportgen.core.text import did_you_mean, quoted, some, visible
from reportgen.sources.config.misread import in_curly_quotes, unquoted

ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
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
    if problems := _wrong_names(grid, at, head, wanted):
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


def _wrong_names(grid: Grid, at: int, head: Row, wanted: Sequence[str]) -> list[Problem]:
    """Say what is wrong with the row that names the columns: values, parted otherwise, or names."""
    names, source = [heading(cell) for cell in head.cells], f"{grid.name}:{head.line}"
    if any(ADDRESS.fullmatch(name) for name in names) and not columns_named(head.cells, wanted):
        message = "no row names the columns: the first one holds values already"
        hint = f"write their names above it, such as {', '.join(dict.fromkeys(wanted))}"
        return [Problem(source=source, message=message, hint=hint)]
    if problem := _parted_otherwise(grid, at, names):
        return [problem]
    wrong = (_wrong_column(heading(column), names, source) for column in wanted)
    return [problem for problem in wrong if problem]


def curly_cells(table: Table, columns: Iterable[str | None]) -> list[Problem]:
    """Report once the cells of some columns that are in curly quotes: these part no cells."""
    told = [
        (row, cell, curly)
        for row in table.rows
        for column in columns
        if (curly := in_curly_quotes(cell := table.cell(row, column)))
    ]
    if not told:
        return []
    row, cell, (message, hint) = told[0]
    others = [line for line in dict.fromkeys(row.line for row, _, _ in told) if line != row.line]
    also = f", likewise in {'lines' if others[1:] else 'line'} {some(others, str)}"
    message = f"{quoted(cell)} {message}{also if others else ''}"
    return [Problem(source=table.source(row), message=message, hint=hint)]


def has_value(cells: Iterable[str]) -> bool:
    """Tell whether a row says anything."""
    return any(map(visible, cells))


def _parted_otherwise(grid: Grid, at: int, names: Sequence[str]) -> Problem | None:
    """Report rows that are one cell each, as other signs part them than the columns' names."""
    rows = grid.rows[at + 1 :]
    if not names[1:] or not rows or any(has_value(row.cells[1:]) for row in rows):
        return None
    mark = next((mark for mark in ";,\t|" if all(mark in row.cells[0] for row in rows)), None)
    if mark is None or grid.day_zero:
        return None
    message = f"the rows are parted by {quoted(mark)}, the names of the columns above by another"
    hint = "write the same sign between all cells, or export the file again"
    return Problem(source=f"{grid.name}:{rows[0].line}", message=message, hint=hint)


def _wrong_column(column: str, names: Sequence[str], source: str) -> Problem | None:
    if names.count(column) > 1:
        hint = "keep one of them, or give the other another name"
        return Problem(source=source, message=f"has the column {quoted(column)} twice", hint=hint)
    if column in names:
        return None
    curly = next((name for name in names if unquoted(name) == column != name), None)
    if curly and (said := in_curly_quotes(curly)):
        message = f"has no column {quoted(column)}: {quoted(curly)} {said[0]}"
        return Problem(source=source, message=message, hint=said[1])
    near = did_you_mean(column, names)
    listed = ", ".join(map(quoted, filter(None, names))) or "none"
    hint = f"did you mean {quoted(near)}?" if near else f"it has: {listed}"
    return Problem(source=source, message=f"has no column {quoted(column)}", hint=hint)
