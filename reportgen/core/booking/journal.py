"""What a ledger books of a cycle: balanced entries, in the parts that a system takes at once.

Each cost center is debited at its account, or credited where its invoice is below zero. What an
entry comes to is booked against the credit account of its legal entity, in the entry itself: so
the books of every entity balance, and whatever an entry is cut into balances again. Amounts of zero
are not booked, and neither is what nobody bears, which is on no invoice.

A key is what a system knows an entry by that it has booked already. It is made of what is booked
and of a stamp of the cycle, so that the same journal has the same keys, however often it is made.
The first entry of a legal entity, and the first line of an invoice, have theirs however a journal
is taken apart, by months or by lines: so a cycle that is booked twice in two ways is known by them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import islice

from reportgen.core.booking.vouchers import Cited, Voucher, VoucherKind
from reportgen.core.model import CostCenter
from reportgen.core.money import ZERO, subtract, total
from reportgen.core.text import slug, told_apart

ANY_ENTITY = ""
APART = "_"
"""What comes before the month or the part of an entry; no name of an entity holds it."""
STAMPED = 6
"""How much of a stamp there is room for in a short reference."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalLine:
    """What is booked on one account; `amount` is above zero for a debit.

    `reference` is the number of the invoice or note, and `key` what tells the line from any other
    that was ever booked; the line against the cost centers has no reference. `segments` are what
    the account is combined of, in the order of the ledger.
    """

    account: str
    amount: Decimal
    key: str
    reference: str = ""
    cost_center: str = ""
    name: str = ""
    segments: tuple[str, ...] = ()

    @property
    def debit(self) -> Decimal | None:
        """Give what is debited."""
        return self.amount if self.amount > 0 else None

    @property
    def credit(self) -> Decimal | None:
        """Give what is credited, above zero."""
        return self.amount.copy_abs() if self.amount < 0 else None


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalEntry:
    """A document of a ledger, whose debits are its credits.

    `number` names it among those of its cycle, `key` for ever, and `reference` does so in 16
    characters. `text` has 25 at most, but for a correction beyond the ninth; `document` is the file
    of the archive that proves it.
    """

    kind: VoucherKind
    number: str
    key: str
    reference: str
    entity: str
    posting_date: date
    text: str
    description: str
    document: str
    lines: tuple[JournalLine, ...]

    @property
    def period(self) -> str:
        """Give the accounting period, a calendar month: 2025-12."""
        return self.posting_date.isoformat()[:7]

    @property
    def control_total(self) -> Decimal:
        """Give what all debits come to, and all credits."""
        return total(line.debit or ZERO for line in self.lines)


@dataclass(frozen=True, kw_only=True, slots=True)
class Posting:
    """How a cycle is booked.

    `credit_accounts` are by entity, that of any other under `ANY_ENTITY`; `entity` is that of cost
    centers which name none, `credit_cost_center` what stands for one in lines against them. A
    segment is `entity`, `cost_center`, `account`, or a code that is the same everywhere. Nothing is
    booked until the end of `closed_through`. `sources` are the lines of the keys, by their names.
    """

    credit_accounts: Mapping[str, str]
    credit_cost_center: str = ""
    entity: str = ""
    segments: tuple[str, ...] = ("entity", "cost_center", "account")
    closed_through: date | None = None
    sources: Mapping[str, str]


def journal(
    vouchers: Iterable[Voucher],
    centers: Iterable[CostCenter],
    cited: Cited,
    posting: Posting,
    most: int | None = None,
) -> list[JournalEntry]:
    """Give the entries of vouchers that can be booked, in order of the entities.

    What can be is told by core/booking/bookable.py. An entry of more than `most` lines, which
    are two at least, becomes several.
    """
    by_code = {center.code: center for center in sorted(centers, key=lambda one: one.code)}
    entities = sorted({entity_of(center, posting) for center in by_code.values()})
    names = told_apart({entity: slug(entity) for entity in filter(None, entities)})
    entries: list[JournalEntry] = []
    met: set[tuple[str, str]] = set()
    for voucher in vouchers:
        for entity, held in _by_entity(voucher, by_code, posting).items():
            number = _number(voucher, names.get(entity), cited, later=("entity", entity) in met)
            lines = [
                _debit(center, voucher, cited, later=("line", center.code) in met)
                for center in held
            ]
            head = _head(voucher, entity, number, cited)
            entries.extend(_cut(head, lines, posting, most))
            met |= {("entity", entity), *(("line", center.code) for center in held)}
    places = _places(entries)
    return [
        _keyed(entry, place, cited, posting) for entry, place in zip(entries, places, strict=True)
    ]


def files_of(
    entries: Iterable[JournalEntry], most: int | None, *, by_entity: bool = False
) -> list[list[JournalEntry]]:
    """Share entries out to files of so many lines, whole and in their order; at least one file.

    `by_entity` gives each entity files of its own.
    """
    files: list[list[JournalEntry]] = [[]]
    ordered = sorted(entries, key=lambda entry: entry.entity) if by_entity else entries
    for entry in ordered:
        lines = [line for one in (*files[-1], entry) for line in one.lines]
        full = most is not None and len(lines) > most
        other = by_entity and files[-1] and files[-1][-1].entity != entry.entity
        if files[-1] and (full or other):
            files.append([])
        files[-1].append(entry)
    return files


def credit_account(posting: Posting, entity: str) -> str | None:
    """Give the account that an entity's charges are booked against."""
    accounts = posting.credit_accounts
    return accounts.get(entity) or accounts.get(ANY_ENTITY)


def entity_of(center: CostCenter, posting: Posting) -> str:
    """Give the legal entity that a cost center is booked in; empty where none is named."""
    return center.entity or posting.entity


def _by_entity(
    voucher: Voucher, centers: Mapping[str, CostCenter], posting: Posting
) -> dict[str, list[CostCenter]]:
    """Give the cost centers that have an amount by their entity, both in order."""
    held: dict[str, list[CostCenter]] = defaultdict(list)
    for code, center in centers.items():
        if voucher.amounts.get(code):
            held[entity_of(center, posting)].append(center)
    return dict(sorted(held.items()))


def _number(voucher: Voucher, entity: str | None, cited: Cited, *, later: bool) -> str:
    """Name an entry before it is cut; what is `later` than its first has a mark, which no name has.

    An accrual is no part of what is charged, so it is always marked.
    """
    if voucher.kind != "charge":
        return "-".join(_named("JE", cited.folder, voucher.mark, entity))
    number = "-".join(_named("JE", cited.folder, entity))
    return f"{number}{APART}{voucher.mark}" if later else number


def _places(entries: Sequence[JournalEntry]) -> list[int]:
    """Count entries from 1, the first one of each legal entity before all others."""
    ordered = sorted(
        range(len(entries)),
        key=lambda place: (APART in entries[place].number, entries[place].entity),
    )
    places = {entry: place for place, entry in enumerate(ordered, start=1)}
    return [places[entry] for entry in range(len(entries))]


def _debit(center: CostCenter, voucher: Voucher, cited: Cited, *, later: bool) -> JournalLine:
    reference = voucher.references.get(center.code, "")
    mark = voucher.mark if later or voucher.kind != "charge" else None
    return JournalLine(
        account=center.gl_account or "",
        amount=voucher.amounts[center.code],
        key="-".join(_named(reference or center.code, mark, _stamp(voucher.kind, cited))),
        reference=reference,
        cost_center=center.code,
        name=center.name,
    )


def _head(voucher: Voucher, entity: str, number: str, cited: Cited) -> JournalEntry:
    """Give an entry that has no lines yet."""
    return JournalEntry(
        kind=voucher.kind,
        number=number,
        key="",
        reference="",
        entity=entity,
        posting_date=voucher.posting_date,
        text=voucher.text,
        description=voucher.description,
        document=cited.document,
        lines=(),
    )


def _cut(
    head: JournalEntry, lines: Sequence[JournalLine], posting: Posting, most: int | None
) -> Iterator[JournalEntry]:
    """Balance an entry, in parts that have room for the line against the cost centers."""
    if most is None or len(lines) < most:
        yield _balanced(head, lines, posting)
        return
    rest = iter(lines)
    parts = iter(lambda: tuple(islice(rest, most - 1)), ())
    for place, part in enumerate(parts, start=1):
        number = f"{head.number}{APART}{place}" if place > 1 else head.number
        yield _balanced(replace(head, number=number), part, posting)


def _balanced(head: JournalEntry, lines: Sequence[JournalLine], posting: Posting) -> JournalEntry:
    """Give an entry its lines, and one more where debits and credits differ."""
    against = JournalLine(
        account=credit_account(posting, head.entity) or "",
        amount=subtract(ZERO, total(line.amount for line in lines)),
        key="",
        cost_center=posting.credit_cost_center,
    )
    return replace(head, lines=(*lines, against) if against.amount else tuple(lines))


def _keyed(entry: JournalEntry, place: int, cited: Cited, posting: Posting) -> JournalEntry:
    """Give an entry its keys, which are those of lines against cost centers too, and segments."""
    key = "-".join(_named(entry.number, _stamp(entry.kind, cited)))
    lines = (
        replace(line, key=line.key or key, segments=_segments(line, entry.entity, posting))
        for line in entry.lines
    )
    reference = _reference(entry, place, cited)
    return replace(entry, key=key, reference=reference, lines=tuple(lines))


def _segments(line: JournalLine, entity: str, posting: Posting) -> tuple[str, ...]:
    told = {"entity": entity, "cost_center": line.cost_center, "account": line.account}
    return tuple(told.get(segment, segment) for segment in posting.segments)


def _stamp(kind: VoucherKind, cited: Cited) -> str | None:
    """Give what an entry is stamped with: an accrual of the same day is always the same."""
    return cited.stamp if kind == "charge" else None


def _reference(entry: JournalEntry, place: int, cited: Cited) -> str:
    """Name an entry in 16 characters: its cycle, its stamp or its day, and which one it is."""
    cycle = cited.folder[2:10].replace("-", "")
    if entry.kind == "charge":
        return f"{cycle}{cited.stamp[:STAMPED]:_<{STAMPED}}{place:04}"
    return f"{cycle}{entry.kind[0].upper()}{entry.posting_date:%m%d}{place:04}"


def _named(*parts: str | None) -> Iterator[str]:
    return filter(None, parts)
