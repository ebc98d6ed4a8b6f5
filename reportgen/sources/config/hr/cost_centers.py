"""A table of cost centers, whatever it was saved as: a row for each, its columns named by keys.

What no key of the section names is found by its own name, however it is written: `GL Account` is
`gl_account`. Every other column is a field of the cost center, unless `fields` lists them. What is
wrong is told with the column it stands in.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import islice
from typing import Any

from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.sources.config import scalars
from reportgen.sources.config.date_formats import (
    ISO,
    DateFormat,
    Written,
    common_format,
    date_format,
    no_day_of,
    of_workbook,
    without_time,
)
from reportgen.sources.config.fields import LONGEST_LABEL
from reportgen.sources.config.hr.export import too_long
from reportgen.sources.config.hr.table import TITLE_ROWS, Grid, Row, Table, headed, heading
from reportgen.sources.config.messages import mistakes_in
from reportgen.sources.config.schema import CostCenterFileSection, CostCenterSection

CODE, NAME = "code", "name"
KEYS = (
    *(CODE, NAME, "department", "entity", "contacts", "gl_account"),
    *("cycle_budget", "year_budget", "locale", "closed"),
)
MEANT = {
    **dict.fromkeys(("budget", "budgets"), "cycle_budget"),
    **dict.fromkeys(("e_mail", "email", "mail"), "contacts"),
}
"""Names of columns that are no fields, but most likely what a key names."""
ALIKE = 0.85


@dataclass(frozen=True, kw_only=True, slots=True)
class CenterRow:
    """A row of the table, and file:line of it; `section` is as far as it could be read."""

    code: str
    section: CostCenterSection
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Columns:
    """By which name each key's column goes in the file, and which columns are fields."""

    keys: Mapping[str, str]
    fields: Sequence[str]


def wanted_columns(section: CostCenterFileSection) -> list[str]:
    """Give names by which the columns may go, for whoever looks for their separator."""
    words = [word for key in KEYS for word in (key, key.replace("_", " "))]
    spelt = [case(word) for word in words for case in (str, str.capitalize, str.title, str.upper)]
    return list(dict.fromkeys([*section.columns().values(), *(section.fields or ()), *spelt]))


def read_centers(
    section: CostCenterFileSection, grid: Grid
) -> tuple[list[CenterRow] | None, str, list[Problem]]:
    """Give the rows, how they were read by choice, and every problem; None of another table."""
    columns = _columns(section, grid)
    table, problems = headed(grid, [*columns.keys.values(), *columns.fields])
    if table is None:
        return None, "", [_with_key(problem, columns) for problem in problems]
    problems = [*_misspelt(section, columns, table), *_too_long_to_show(columns, table)]
    columns = replace(columns, fields=[one for one in columns.fields if len(one) <= LONGEST_LABEL])
    form, unclear = _form(section, columns, table)
    problems += [*unclear, *too_long(table)]
    rows = []
    for row in table.rows:
        read, mistakes = _read(row, columns, table, form)
        rows += [read] if read else []
        problems += mistakes
    return rows, _taken(table, columns), list(dict.fromkeys(problems))


# Columns


def _columns(section: CostCenterFileSection, grid: Grid) -> _Columns:
    """Find each key's column: by the name that is written, else by its own."""
    written = section.columns()
    first = [[heading(cell) for cell in row.cells] for row in islice(grid.rows, TITLE_ROWS)]
    names = max(first, key=lambda cells: _known(cells, written), default=[])
    by_key: dict[str, str] = {}
    for name in names:
        if name not in written.values():
            by_key.setdefault(_key(name), name)
    by_own_name = {key: by_key[key] for key in KEYS if key in by_key}
    keys = {CODE: CODE, NAME: NAME} | by_own_name | written
    used = {heading(name) for name in keys.values()}
    others = [name for name in dict.fromkeys(names) if name and name not in used]
    return _Columns(keys=keys, fields=others if section.fields is None else section.fields)


def _known(cells: Sequence[str], written: Mapping[str, str]) -> int:
    named = {heading(name) for name in written.values()}
    return len({key for key in map(_key, cells) if key in KEYS} | named.intersection(cells))


def _key(name: str) -> str:
    r"""Write the name of a column as keys are written.

    >>> _key("GL Account")
    'gl_account'
    """
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def _with_key(problem: Problem, columns: _Columns) -> Problem:
    """Say of a column that is not there, though none was named, how to name it."""
    lacks = (key for key in (CODE, NAME) if problem.message == f"has no column {quoted(key)}")
    key = next((key for key in lacks if columns.keys[key] == key), None)
    named = f"; the mapping names another as `cost_center_file: {{path: …, {key}: …}}`"
    return replace(problem, hint=f"{problem.hint}{named}") if key else problem


def _misspelt(section: CostCenterFileSection, columns: _Columns, table: Table) -> Iterator[Problem]:
    """Report columns that would be fields, but most likely are what a key names."""
    missing = [key for key in KEYS if key not in columns.keys]
    for name in columns.fields if section.fields is None else ():
        near = get_close_matches(_key(name), missing, 1, ALIKE)
        meant = next(iter(near), None) or MEANT.get(_key(name))
        if meant in missing:
            hint = f"name it in the mapping as `{meant}: {name}`, or list what are `fields`"
            message = f"the column {quoted(name)} would be a field, but may mean {quoted(meant)}"
            source = f"{table.grid.name}:{table.line}"
            yield Problem(source=source, message=message, hint=hint)


def _too_long_to_show(columns: _Columns, table: Table) -> Iterator[Problem]:
    """Report columns whose names are too long to stand in the head of a document."""
    for name in columns.fields:
        if len(name) > LONGEST_LABEL:
            yield Problem(
                source=f"{table.grid.name}:{table.line}",
                message=f"the column {quoted(name)} has a name of {len(name)} characters, and "
                f"fields have room for {LONGEST_LABEL}",
                hint="give it a shorter name, or list by `fields` which columns are fields",
            )


def _taken(table: Table, columns: _Columns) -> str:
    """Say how the file was read, as far as there was a choice."""
    fields = ", ".join(map(quoted, columns.fields))
    return ", ".join(
        filter(
            None,
            (
                table.grid.taken,
                f"columns named on line {table.line}" if table.below_titles else "",
                f"shown as fields: {fields}" if fields else "",
            ),
        )
    )


# Rows


def _read(
    row: Row, columns: _Columns, table: Table, form: DateFormat
) -> tuple[CenterRow | None, list[Problem]]:
    """Read a row as far as it can be: a code that is declared is missed nowhere else."""
    cells = {key: cell for key, name in columns.keys.items() if (cell := table.cell(row, name))}
    source = table.source(row)
    if CODE not in cells:
        return None, [
            _at(columns, table, CODE, source, "is empty", "write the code, or clear the row")
        ]
    code = cells.pop(CODE)
    problems = []
    try:
        scalars.code(code)
    except scalars.Unreadable as error:
        return None, [_at(columns, table, CODE, source, error.message, error.hint)]
    values, unreadable = _values(cells, row, columns, table, form)
    section, mistakes = mistakes_in(CostCenterSection, values)
    for loc, message, hint in [*unreadable, *mistakes]:
        problems.append(_at(columns, table, loc, source, message, hint))
    read = section or CostCenterSection(name=cells.get(NAME, code))
    return CenterRow(code=code, section=read, source=source), problems


def _values(
    cells: Mapping[str, str], row: Row, columns: _Columns, table: Table, form: DateFormat
) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    """Give what the cells hold by key, as the mapping has it, and which day cannot be read."""
    values: dict[str, Any] = dict(cells)
    mistakes = []
    if "contacts" in values:
        values["contacts"] = [one for one in re.split(r"[;,\s]+", values["contacts"]) if one]
    fields = {name: cell for name in columns.fields if (cell := table.cell(row, name))}
    if fields:
        values["fields"] = fields
    if "closed" in values and (text := without_time(values.pop("closed"))):
        day = of_workbook(text, table.grid.day_zero) or form.read(text)
        if day is None:
            refused = no_day_of(text, form)
            mistakes.append(("closed", refused.message, refused.hint))
        else:
            values["closed"] = day.isoformat()
    return values, mistakes


def _at(columns: _Columns, table: Table, key: str, source: str, message: str, hint: str) -> Problem:
    """Say what is wrong in a cell, with the letter and the name of its column."""
    name = columns.keys.get(key, key)
    place = table.places.get(name)
    letters = f" (column {_letters(place)})" if place is not None else ""
    colon = ":" if message.startswith('"') else ""
    return Problem(source=source, message=f"{quoted(name)}{letters}{colon} {message}", hint=hint)


def _letters(place: int) -> str:
    """Give the letters by which a spreadsheet calls a column.

    >>> _letters(0), _letters(27)
    ('A', 'AB')
    """
    above, last = divmod(place, 26)
    return (_letters(above - 1) if above else "") + chr(ord("A") + last)


# Dates


def _form(
    section: CostCenterFileSection, columns: _Columns, table: Table
) -> tuple[DateFormat, list[Problem]]:
    """Give the form of all last days that are texts."""
    if section.date_format:
        return date_format(section.date_format), []
    if "closed" not in columns.keys:
        return ISO, []
    days = ((row, without_time(table.cell(row, columns.keys["closed"]))) for row in table.rows)
    return common_format(
        (
            Written(text, table.source(row))
            for row, text in days
            if text and not of_workbook(text, table.grid.day_zero)
        ),
        "cost_center_file",
    )
