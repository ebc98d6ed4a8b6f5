"""The HR export: a table of another system whose rows rank as rules for users.

What is wrong with the file as a whole, so that no row can be trusted, is a problem at once. What is
wrong in the rows of one person is a flaw, which is told where that person's usage needs the row.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from reportgen.core.model import Flaw, Rule, UserFile
from reportgen.core.problem import Problem
from reportgen.core.text import address, legible, quoted, some
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
from reportgen.sources.config.hr.table import Grid, Row, Table, curly_cells, has_value, headed
from reportgen.sources.config.hr.tenures import Person, Tenure, unreadable, values_of
from reportgen.sources.config.schema import UserFileSection

OPEN_END = date(9999, 12, 31)
"""What systems write where there is no last day."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HrExport:
    """A rule per person, what the file tells beside them, and how it was read, by choice."""

    rules: tuple[Rule, ...]
    summary: UserFile
    taken: str


def read_user_file(
    section: UserFileSection, grid: Grid, codes: Collection[str]
) -> tuple[HrExport | None, list[Problem]]:
    """Give the rules of an export, and every problem of the file as a whole.

    `codes` are the cost centers that are declared.
    """
    table, problems = headed(grid, section.columns())
    if table is None:
        return None, problems
    form, problems = _form(section, table)
    rows = _Rows(section=section, table=table, form=form)
    persons = [row for row in table.rows if rows.user(row)]
    source = f"{grid.name}:{table.line}"
    export = HrExport(
        rules=tuple(_rules(rows, persons, codes)),
        summary=UserFile(
            rows=len(persons),
            names=_names(rows, persons),
            source=source,
            columns=tuple(table.names),
        ),
        taken=_taken(section, table, form),
    )
    telling = (section.user, section.cost_center, section.from_, section.until, section.share)
    problems += [*too_long(table), *curly_cells(table, telling)]
    return export, [*problems, *_of_nobody(rows)]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rows:
    """What the rows of a table say, by what the columns mean."""

    section: UserFileSection
    table: Table
    form: DateFormat

    def user(self, row: Row) -> str:
        """Give the key of the person as it is compared; it is empty where the row names nobody."""
        user = self.table.cell(row, self.section.user)
        return address(user) if "@" in user else user

    def tenure(self, row: Row) -> Tenure | Flaw:
        """Read what a row says of its person, or why it says nothing."""
        source = self.table.source(row)
        try:
            return _in_order(
                Tenure(
                    start=self._day(row, self.section.from_) or date.min,
                    end=self._end(row),
                    code=self.table.cell(row, self.section.cost_center),
                    share=_share(self.table.cell(row, self.section.share)),
                    source=source,
                )
            )
        except scalars.Unreadable as error:
            return unreadable(source, error.message, error.hint)

    def _end(self, row: Row) -> date | None:
        end = self._day(row, self.section.until)
        return None if end == OPEN_END else end

    def _day(self, row: Row, column: str | None) -> date | None:
        text = without_time(self.table.cell(row, column))
        if not text:
            return None
        day = of_workbook(text, self.table.grid.day_zero) or self.form.read(text)
        if day is None:
            raise no_day_of(text, self.form)
        return day


def _in_order(tenure: Tenure) -> Tenure:
    if tenure.end and tenure.end < tenure.start:
        message = f"ends on {tenure.end}, before it begins on {tenure.start}"
        raise scalars.Unreadable(message, "correct one of the dates; both days are part of it")
    return tenure


def _share(text: str) -> Decimal | None:
    """Read a percentage, with or without its sign, as a fraction of 1; an empty cell is None."""
    number = text.removesuffix("%").rstrip().replace(",", ".")
    return scalars.percentage(f"{number}%") if text else None


def _form(section: UserFileSection, table: Table) -> tuple[DateFormat, list[Problem]]:
    """Give the form of all dates that are texts."""
    if section.date_format:
        return date_format(section.date_format), []
    return common_format(
        Written(text, table.source(row))
        for row in table.rows
        for column in (section.from_, section.until)
        if (text := without_time(table.cell(row, column)))
        and not of_workbook(text, table.grid.day_zero)
    )


def _rules(rows: _Rows, persons: Iterable[Row], codes: Collection[str]) -> Iterable[Rule]:
    by_user: dict[str, list[Row]] = defaultdict(list)
    for row in persons:
        by_user[rows.user(row)].append(row)
    for key, own in by_user.items():
        person = Person(key=key, source=rows.table.source(own[0]), codes=codes)
        values = values_of(person, list(map(rows.tenure, own)))
        yield Rule(section="user_file", key=key, values=tuple(values), source=values[0].source)


def _names(rows: _Rows, persons: Iterable[Row]) -> dict[str, str]:
    """Give the name of each person; where rows differ, the one that sorts last."""
    names: dict[str, str] = {}
    for row in persons if rows.section.name else ():
        name = legible(rows.table.cell(row, rows.section.name))
        names[rows.user(row)] = max(name, names.get(rows.user(row), ""))
    return names


def _taken(section: UserFileSection, table: Table, form: DateFormat) -> str:
    """Say how the file was read, as far as there was a choice."""
    found_form = form != ISO and not section.date_format
    return ", ".join(
        filter(
            None,
            (
                table.grid.taken,
                f"columns named on line {table.line}" if table.below_titles else "",
                f"dates as {form.name}" if found_form else "",
            ),
        )
    )


def _of_nobody(rows: _Rows) -> list[Problem]:
    """Warn once of rows that name no user."""
    nobody = [row for row in rows.table.rows if not rows.user(row)]
    if not nobody:
        return []
    lines = some(nobody, _line)
    message = f"the column {quoted(rows.section.user)} is empty in {_lines(nobody)} {lines}"
    hint = "such a row says nothing of anybody: nothing to do, unless somebody here uses ACUs"
    return [
        Problem(
            source=rows.table.source(nobody[0]),
            message=message,
            hint=hint,
            warning=True,
            code="user-file-row-of-nobody",
        )
    ]


def too_long(table: Table) -> list[Problem]:
    """Report once the rows with a value beyond the last column: their cells are out of place."""
    long = [row for row in table.rows if has_value(row.cells[table.width :])]
    if not long or table.grid.day_zero:
        return []
    message = f"has {len(long[0].cells)} cells, but there are {table.width} columns"
    if long[1:]:
        message += f", likewise in {_lines(long[1:])} {some(long[1:], _line)}"
    hint = "put a text that holds a separator in double quotes"
    return [Problem(source=table.source(long[0]), message=message, hint=hint)]


def _line(row: Row) -> str:
    return str(row.line)


def _lines(rows: Sequence[Row]) -> str:
    return "lines" if rows[1:] else "line"
