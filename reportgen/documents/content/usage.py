"""Who used what, as documents list it: by user, by billing day, and both in detail.

People are named by their name, else their address, else their id. Beside it stands what tells them
from everybody else: the address, else the id.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Literal

from reportgen.core.allocating.directory import principal_of
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import (
    Cell,
    DetailRow,
    Directory,
    Principal,
    PrincipalUsage,
)
from reportgen.core.money import ZERO, add, total
from reportgen.documents.content.labels import HOLDERS, KINDS, NO_HOLDER, Word
from reportgen.documents.content.paper import Others, others_of, parted
from reportgen.documents.content.slots import CellValue

_NUMBER = re.compile(r"([0-9]{1,18})")
USER_FIELDS = ("user", "identity", "kind", "acus", "amount")
DETAIL_FIELDS = (
    "day",
    "product",
    "user",
    "identity",
    "organization",
    "kind",
    "acus",
    "unit_price",
    "exact_amount",
)
NO_IDENTITY = "–"
Holder = Literal["user", "service_user", "organization", "nobody"]


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageRow:
    """Who used how much: a person by name, with what tells them apart from everybody else.

    `identity` is an address or an id, and empty for nobody alone.
    """

    holder: Holder
    label: str
    identity: str
    usage: PrincipalUsage


@dataclass(frozen=True, kw_only=True, slots=True)
class UserList:
    """Who a page lists, the largest amount first, and what all `others` come to."""

    rows: tuple[UsageRow, ...]
    others: Others | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DayRow:
    """A billing day's ACUs by product, in the order of the document's products, and their sum."""

    day: date
    by_product: tuple[Decimal, ...]
    acus: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class DetailLine:
    """What somebody used of a product in an organization at one price, day by day, as printed.

    `identity` tells apart people of one name, and is empty where nobody else has it.
    """

    principal: Principal | None
    holder: Holder
    label: str
    identity: str
    organization: str
    product: str
    kind: str
    unit_price: Decimal | None
    days: tuple[tuple[date, Decimal], ...]
    acus: Decimal
    exact_amount: Decimal


def usage_rows(by_principal: Iterable[PrincipalUsage], directory: Directory) -> list[UsageRow]:
    """List usage by user, the largest amount first."""
    rows = [_usage_row(usage, directory) for usage in by_principal]
    return sorted(
        rows, key=lambda row: (-row.usage.amount, -row.usage.acus, row.label, row.identity)
    )


def listed_users(rows: Iterable[UsageRow], most: int) -> UserList:
    """Give the rows of the largest amounts, credits among them, and what all others come to."""
    shown, others = parted(rows, most, lambda row: (-abs(row.usage.amount), -abs(row.usage.acus)))
    sums = others_of([(row.usage.acus, row.usage.amount) for row in others])
    return UserList(rows=shown, others=sums)


def detail_lines(detail: Iterable[DetailRow], directory: Directory) -> list[DetailLine]:
    """Put the rows that differ in nothing but the day on one line each."""
    rows = sorted(detail, key=_but_the_day)  # stable: days stay in order
    lines = [_detail_line(list(same), directory) for _, same in groupby(rows, key=_but_the_day)]
    called = Counter(label for label, _ in {(line.label, line.identity) for line in lines})
    told = (line if called[line.label] > 1 else replace(line, identity="") for line in lines)
    return sorted(told, key=_by_name)


def day_rows(
    detail: Iterable[DetailRow], cycle: BillingCycle, products: Sequence[str]
) -> list[DayRow]:
    """List every billing day of a cycle."""
    cells = cells_of(detail)
    rows = []
    for day in cycle.days():
        acus = tuple(cells.get((day, product), ZERO) for product in products)
        rows.append(DayRow(day=day, by_product=acus, acus=total(acus)))
    return rows


def cells_of(detail: Iterable[DetailRow]) -> dict[Cell, Decimal]:
    """Add up ACUs by billing day and product."""
    cells: dict[Cell, Decimal] = {}
    for row in detail:
        cells[row.day, row.product] = add(cells.get((row.day, row.product), ZERO), row.acus)
    return cells


def who(org_id: str, kind: str, principal_id: str, directory: Directory) -> tuple[Holder, str, str]:
    """Name a principal, or the organization where nobody is known, and identify them."""
    if not principal_id:
        name = directory.organizations.get(org_id, org_id)
        return ("organization", name, org_id) if org_id else ("nobody", "", "")
    principal = principal_of(kind, principal_id)
    entry = directory.entries.get(principal)
    identity = (entry.email if entry else None) or principal_id
    return principal.kind, (entry.name if entry else None) or identity, identity


def label_of(directory: Directory, principal: Principal) -> str:
    """Name somebody by a name, else an address, else the id."""
    entry = directory.entries.get(principal)
    return (entry.name or entry.email if entry else None) or principal.id


def user_cells(row: UsageRow, word: Word) -> Sequence[CellValue]:
    """Give the cells of a user's row, by USER_FIELDS."""
    label = word(NO_HOLDER) if row.holder == "nobody" else row.label
    identity = row.identity or NO_IDENTITY
    return label, identity, word(HOLDERS[row.holder]), row.usage.acus, row.usage.amount


def day_fields(products: Sequence[str]) -> tuple[str, ...]:
    """Name the columns of days by product.

    >>> day_fields(["cascade", "devin"])
    ('day', 'product1', 'product2', 'acus')
    """
    return "day", *(f"product{number}" for number, _ in enumerate(products, start=1)), "acus"


def day_cells(row: DayRow) -> Sequence[CellValue]:
    """Give the cells of a day: the day, its ACUs by product, and their sum."""
    return row.day, *row.by_product, row.acus


def detail_cells(
    detail: Iterable[DetailRow], directory: Directory, word: Word
) -> Iterator[Sequence[CellValue]]:
    """Yield the cells of every row of the detail, by DETAIL_FIELDS."""
    kinds = {code: word(name) for code, name in KINDS.items()}
    for row in detail:
        holder, label, identity = who(row.org_id, row.principal_kind, row.principal_id, directory)
        organization = directory.organizations.get(row.org_id, row.org_id)
        yield (
            *(
                row.day,
                row.product,
                word(NO_HOLDER) if holder == "nobody" else label,
                identity or NO_IDENTITY,
                organization,
            ),
            *(kinds[row.kind], row.acus, row.unit_price, row.exact_amount),
        )


def _but_the_day(row: DetailRow) -> tuple[object, ...]:
    return (
        *(row.org_id, row.principal_kind, row.principal_id, row.kind, row.product),
        *(row.unit_price is not None, row.unit_price or 0),
    )


def _by_name(line: DetailLine) -> tuple[object, ...]:
    """Sort by name, numbers in it by their value (user-2 before user-10); nobody's comes last."""
    name = [
        (int(part), "") if part.isdecimal() else (-1, part) for part in _NUMBER.split(line.label)
    ]
    return not line.label, name, line.identity, line.organization, line.product, line.days


def _detail_line(rows: Sequence[DetailRow], directory: Directory) -> DetailLine:
    first = rows[0]
    holder, label, identity = who(first.org_id, first.principal_kind, first.principal_id, directory)
    known = holder in {"user", "service_user"}
    return DetailLine(
        principal=principal_of(first.principal_kind, first.principal_id) if known else None,
        holder=holder,
        label=label if known else "",
        identity=identity if known else "",
        organization=directory.organizations.get(first.org_id, first.org_id),
        product=first.product,
        kind=first.kind,
        unit_price=first.unit_price,
        days=tuple((row.day, row.acus) for row in rows),
        acus=total(row.acus for row in rows),
        exact_amount=total(row.exact_amount for row in rows),
    )


def _usage_row(usage: PrincipalUsage, directory: Directory) -> UsageRow:
    holder, label, identity = who(usage.org_id, usage.principal_kind, usage.principal_id, directory)
    return UsageRow(holder=holder, label=label, identity=identity, usage=usage)
