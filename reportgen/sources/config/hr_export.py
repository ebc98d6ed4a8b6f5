"""The HR export: a CSV file whose rows rank as rules for users."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from io import StringIO

from reportgen.core.model import DatedSplit, Rule
from reportgen.core.problem import Problem
from reportgen.core.text import did_you_mean, quoted
from reportgen.sources.config import scalars
from reportgen.sources.config.dates import out_of_order
from reportgen.sources.config.mapping import single
from reportgen.sources.config.schema import UserFileSection

Row = tuple[str, DatedSplit]


def read_user_file(
    section: UserFileSection, content: str, name: str
) -> tuple[list[Rule], list[Problem]]:
    """Give a rule per user, dated where a column says from when, and every problem with file:line."""
    problems: list[Problem] = []
    by_user: dict[str, list[DatedSplit]] = defaultdict(list)
    for row in _rows(section, content, name):
        if isinstance(row, Problem):
            problems.append(row)
        else:
            by_user[row[0]].append(row[1])
    rules = []
    for user, values in by_user.items():
        rules.append(
            Rule(section="user_file", key=user, values=tuple(values), source=values[0].source)
        )
        problems += out_of_order(values, user)
    return rules, problems


def _rows(section: UserFileSection, content: str, name: str) -> Iterator[Row | Problem]:
    reader = csv.reader(StringIO(content, newline=""), strict=True)
    line = 1
    try:
        columns = next(reader, [])
        if problem := _wrong_columns(section, columns, f"{name}:1"):
            yield problem
            return
        line = reader.line_num + 1
        for cells in reader:
            if cells:
                yield _row(section, columns, cells, f"{name}:{line}")
            line = reader.line_num + 1
    except csv.Error:
        message = (
            "the row that begins here has a quote that is not closed, or text beside a quoted cell"
        )
        yield Problem(
            source=f"{name}:{line}",
            message=message,
            hint="correct the row, or export the file again",
        )


def _row(
    section: UserFileSection, columns: list[str], cells: list[str], line: str
) -> Row | Problem:
    if len(cells) > len(columns):
        message = f"has {len(cells)} cells, but there are {len(columns)} columns"
        return Problem(
            source=line, message=message, hint="put a text that holds a comma in double quotes"
        )
    try:
        return _read(section, dict(zip(columns, map(str.strip, cells), strict=False)), line)
    except scalars.Unreadable as error:
        return Problem(source=line, message=error.message, hint=error.hint)


def _read(section: UserFileSection, cells: dict[str, str], line: str) -> Row:
    for column, hint in (
        (section.user, "name the user"),
        (section.cost_center, "name a cost center, or write none"),
    ):
        if not cells.get(column):
            raise scalars.Unreadable(
                f"the column {quoted(column)} is empty", f"{hint}, or remove the row"
            )
    user, code = cells[section.user], cells[section.cost_center]
    if code != "none":
        scalars.code(code)
    start = cells.get(section.from_, "") if section.from_ else ""
    value = DatedSplit(
        start=scalars.day(start) if start else date.min, split=single(code), source=line
    )
    return (user.casefold() if "@" in user else user), value


def _wrong_columns(section: UserFileSection, columns: list[str], line: str) -> Problem | None:
    for column in filter(None, (section.user, section.cost_center, section.from_)):
        if columns.count(column) > 1:
            hint = "keep one of them, or give the other another name"
            return Problem(source=line, message=f"has the column {quoted(column)} twice", hint=hint)
        if column not in columns:
            hint = _columns_hint(column, columns)
            return Problem(source=line, message=f"has no column {quoted(column)}", hint=hint)
    return None


def _columns_hint(column: str, columns: list[str]) -> str:
    if near := did_you_mean(column, columns):
        return f"did you mean {quoted(near)}?"
    if any(separator in "".join(columns) for separator in ";\t"):
        return "separate the columns by commas"
    return f"it has: {', '.join(map(quoted, columns)) or 'none'}"
