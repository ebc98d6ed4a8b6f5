"""The list of people as a table: a row for each, or one for each part of what their rule says.

The table is a user file as it stands, so it is filled in and read again: `user_id` says who,
`cost_center` who bears it, `share`, `from` and `until` as the rows of any user file.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from reportgen.core.money import fixed, plain, printed
from reportgen.core.written.people import ListedPerson, Placement
from reportgen.core.written.tables import csv_text

PEOPLE_COLUMNS = (
    *("user_id", "name", "email", "organizations", "acus", "amount"),
    *("charged_to", "rule", "suggestion", "cost_center", "share", "from", "until"),
)
TO_FILL = "cost_center"
BETWEEN = "; "
"""Stands between several names in a cell: a comma may be part of one."""
PersonValue = str | Decimal | date | None
_NOBODY = Placement("")


def people_rows(people: Iterable[ListedPerson]) -> Iterator[tuple[PersonValue, ...]]:
    """Give the cells of each row; only the first row of somebody has figures, so that sums foot."""
    for person in people:
        named = person.key, person.name, person.email
        first: tuple[PersonValue, ...] = (
            BETWEEN.join(person.organizations),
            *(person.acus, person.amount, BETWEEN.join(person.charged_to)),
            *(BETWEEN.join(person.rules), person.suggestion),
        )
        for number, said in enumerate(person.placements or [_NOBODY]):
            shown = [None for _ in first] if number else first
            yield (*named, *shown, said.cost_center, said.share, said.start, said.until)


def people_csv(people: Iterable[ListedPerson], decimals: int) -> str:
    """Write the table as text; amounts have the currency's decimals, ACUs at most ten."""
    return csv_text(
        PEOPLE_COLUMNS,
        (
            [
                _text(column, cell, decimals)
                for column, cell in zip(PEOPLE_COLUMNS, row, strict=True)
            ]
            for row in people_rows(people)
        ),
    )


def _text(column: str, cell: PersonValue, decimals: int) -> str:
    if isinstance(cell, Decimal):
        return fixed(cell, decimals) if column == "amount" else plain(printed(cell))
    return cell.isoformat() if isinstance(cell, date) else cell or ""
