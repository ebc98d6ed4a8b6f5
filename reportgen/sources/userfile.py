"""The HR export: a CSV file whose rows rank as rules for users."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from io import StringIO

from reportgen.core.model import DatedSplit, Rule
from reportgen.core.problem import Problem, did_you_mean, quoted
from reportgen.sources import text
from reportgen.sources.dated import out_of_order
from reportgen.sources.mapping import single
from reportgen.sources.schema import UserFileSection

Row = tuple[str, DatedSplit]


def read_user_file(section: UserFileSection, content: str, name: str) -> tuple[list[Rule], list[Problem]]:
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
        rules.append(Rule(section="user_file", key=user, values=tuple(values), source=values[0].source))
        problems += out_of_order(values, user)
    return rules, problems


def _rows(section: UserFileSection, content: str, name: str) -> Iterator[Row | Problem]:
    reader = csv.DictReader(StringIO(content, newline=""), strict=True)
    try:
        if problem := _missing_column(section, list(reader.fieldnames or ()), name):
            yield problem
            return
        for row in reader:
            line = f"{name}:{reader.line_num}"
            try:
                yield _row(section, row, line)
            except text.Unreadable as error:
                yield Problem(source=line, message=error.message, hint=error.hint)
    except csv.Error as error:
        yield Problem(
            source=f"{name}:{reader.line_num}", message=f"is not valid CSV: {error}", hint="export it again"
        )


def _row(section: UserFileSection, row: dict[str, str | None], line: str) -> Row:
    cells = {column: (value or "").strip() for column, value in row.items() if isinstance(value, str | None)}
    if not cells.get(section.user):
        raise text.Unreadable(f"the column {quoted(section.user)} is empty", "name the user, or remove the row")
    user = cells[section.user]
    code = cells.get(section.cost_center, "")
    if code != "none":
        text.code(code)
    start = cells.get(section.from_, "") if section.from_ else ""
    value = DatedSplit(start=text.day(start) if start else date.min, split=single(code), source=line)
    return (user.casefold() if "@" in user else user), value


def _missing_column(section: UserFileSection, columns: list[str], name: str) -> Problem | None:
    wanted = [section.user, section.cost_center, *([section.from_] if section.from_ else [])]
    for column in wanted:
        if column not in columns:
            near = did_you_mean(column, columns)
            hint = f"did you mean {quoted(near)}?" if near else f"it has: {', '.join(columns) or 'none'}"
            return Problem(source=f"{name}:1", message=f"has no column {quoted(column)}", hint=hint)
    return None
