"""Who is charged by their organization's rule or by none, who moved to another cost center, is new.

All lists are of everybody, the largest amount first; a page shows the first of them and one row
for all others, so that its columns foot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from reportgen.core.allocating.directory import principal_of
from reportgen.core.charging.by_organization import over_products
from reportgen.core.model import ByOrganization, Directory, Moved, Statement, UnallocatedPart
from reportgen.core.money import total
from reportgen.documents.content.labels import NO_HOLDER, NO_RULE, NOBODY, ONE_PERSON, Word
from reportgen.documents.content.slots import CellValue, Slot
from reportgen.documents.content.usage import label_of

MOST_BEARERS = 25
MOST_FOLDED = 2000
"""So many a page that can be unfolded has of a list."""
BY_ORGANIZATION_FIELDS = ("user", "organization", "code", "rule", "own", "acus", "amount")
MOVED_FIELDS = ("user", "from", "to", "rule", "acus", "amount")
UNALLOCATED_FIELDS = ("cause", "user", "acus", "amount")


@dataclass(frozen=True, kw_only=True, slots=True)
class Borne:
    """What a cost center (`code`, empty where nobody) bears of somebody's usage, by which rules.

    Where nobody is told apart the `label` is empty, and `people` are counted. By organization:
    its name, and `passed_on`, the `none` that left it to its rule. Moved: the codes `from_` which;
    departed: those, and no other.
    Unallocated: the `cause`; there are no `people` where nobody is known.
    """

    label: str
    code: str
    rules: tuple[str, ...]
    acus: Decimal
    amount: Decimal
    people: int = 1
    organization: str = ""
    passed_on: str = ""
    from_: tuple[str, ...] = ()
    cause: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sums:
    """What rows come to together."""

    people: int
    acus: Decimal
    amount: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Bearers:
    """Rows of everybody, the largest amount first."""

    rows: tuple[Borne, ...]

    @property
    def shown(self) -> tuple[Borne, ...]:
        """The rows that a page shows."""
        return self.rows[:MOST_BEARERS]

    @property
    def others(self) -> Sums | None:
        """What all further rows come to, if there are any."""
        return _sums(self.rows[MOST_BEARERS:]) if self.rows[MOST_BEARERS:] else None

    @property
    def folded(self) -> tuple[Borne, ...]:
        """The further rows that a page can unfold."""
        return self.rows[MOST_BEARERS:MOST_FOLDED]

    @property
    def beyond(self) -> Sums | None:
        """What the rows beyond those come to, if there are any."""
        return _sums(self.rows[MOST_FOLDED:]) if self.rows[MOST_FOLDED:] else None

    @property
    def whole(self) -> Sums:
        """What all rows come to."""
        return _sums(self.rows)

    @property
    def told_apart(self) -> bool:
        """Tell whether people can be told apart."""
        return any(row.label for row in self.rows)


def charged_by_organization(statement: Statement, directory: Directory) -> Bearers:
    """List who has no rule of their own, over all products."""
    rows = (_by_organization(row, directory) for row in over_products(statement.by_organization))
    return Bearers(rows=tuple(sorted(rows, key=_order)))


def moved_since(statement: Statement, directory: Directory) -> Bearers:
    """List whom another cost center bears than in the cycle before."""
    moves = statement.variance.moved if statement.variance else ()
    return Bearers(rows=tuple(sorted((_moved(row, directory) for row in moves), key=_order)))


def arrived_since(statement: Statement, directory: Directory) -> Bearers:
    """List whom no cost center bore in the cycle before."""
    arrivals = statement.variance.arrived if statement.variance else ()
    return Bearers(rows=tuple(sorted((_moved(row, directory) for row in arrivals), key=_order)))


def departed_since(statement: Statement, directory: Directory) -> Bearers:
    """List of whom there is nothing to bear any more, with what they came to before."""
    gone = statement.variance.departed if statement.variance else ()
    return Bearers(rows=tuple(sorted((_moved(row, directory) for row in gone), key=_order)))


def without_a_rule(statement: Statement, directory: Directory) -> Bearers:
    """List whose usage no rule covers; an organization where no user is known."""
    code, parts = statement.unallocated.cost_center or "", statement.unallocated.parts
    rows = (_without_a_rule(part, code, directory) for part in parts)
    return Bearers(rows=tuple(sorted(rows, key=_order)))


def unallocated_slot(bearers: Bearers, word: Word) -> Slot:
    """Give the rows of the workbook's sheet of those whom no rule covers."""
    cells = ((word(row.cause), _called(row, word), row.acus, row.amount) for row in bearers.rows)
    return Slot(UNALLOCATED_FIELDS, cells)


def by_organization_slot(bearers: Bearers, word: Word) -> Slot:
    """Give the rows of the workbook's sheet of those whom organizations' rules charge."""
    return Slot(
        BY_ORGANIZATION_FIELDS,
        (
            (
                *(_called(row, word), row.organization, row.code, ", ".join(row.rules)),
                *(row.passed_on or None, row.acus, row.amount),
            )
            for row in bearers.rows
        ),
    )


def moved_slot(bearers: Bearers, word: Word) -> Slot:
    """Give the rows of the workbook's sheet of those whom another cost center bears."""
    return Slot(MOVED_FIELDS, (_moved_cells(row, word) for row in bearers.rows))


def _moved_cells(row: Borne, word: Word) -> Sequence[CellValue]:
    rules = ", ".join(row.rules) or (word(NO_RULE) if row.label else None)
    ways = ", ".join(row.from_), row.code or word(NOBODY), rules
    return _called(row, word), *ways, row.acus, row.amount


def _called(row: Borne, word: Word) -> str:
    if not row.people:
        return word(NO_HOLDER)
    if row.people == 1 and not row.label:
        return word(ONE_PERSON)
    return row.label or word("%(count)s people") % {"count": row.people}


def _by_organization(row: ByOrganization, directory: Directory) -> Borne:
    return Borne(
        label=_label(row.principal_kind, row.principal_id, directory),
        code=row.cost_center,
        rules=(row.rule,),
        acus=row.acus,
        amount=row.amount,
        people=row.people,
        organization=directory.organizations.get(row.org_id, row.org_id),
        passed_on=row.passed_on,
    )


def _without_a_rule(part: UnallocatedPart, code: str, directory: Directory) -> Borne:
    organization = directory.organizations.get(part.org_id, part.org_id)
    known = part.org_id or part.principal_kind
    return Borne(
        label=_label(part.principal_kind, part.principal_id, directory) or organization,
        code=code,
        rules=(),
        acus=part.acus,
        amount=part.amount,
        people=part.people if known else 0,
        organization=organization,
        cause=part.cause,
    )


def _moved(row: Moved, directory: Directory) -> Borne:
    return Borne(
        label=_label(row.principal_kind, row.principal_id, directory),
        code=row.receiver,
        rules=row.rules,
        acus=row.acus,
        amount=row.amount,
        people=row.people,
        from_=row.givers,
    )


def _label(kind: str, principal_id: str, directory: Directory) -> str:
    return label_of(directory, principal_of(kind, principal_id)) if principal_id else ""


def _order(row: Borne) -> tuple[object, ...]:
    return -row.amount, -row.acus, row.label, row.code, row.organization, row.rules, row.from_


def _sums(rows: Sequence[Borne]) -> Sums:
    return Sums(
        people=sum(row.people for row in rows),
        acus=total(row.acus for row in rows),
        amount=total(row.amount for row in rows),
    )
