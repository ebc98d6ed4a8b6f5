"""Priced allocations turned into invoices: grouped into lines, each rounded once.

All lines of one product and unit price are a group, over every cost center and the unallocated
part; where one amount is spread over the whole cycle, all its lines are. The group is rounded
half-up as a whole, computed from the control total alone; its lines are then rounded down or up so
that they add up to it: the largest remainders go up, equal ones in the order of the codes, the
unallocated part last, whoever bears it. So no line moves by a cent or more, and the invoices add up
to what is being charged.

Where a closed cycle is corrected, the lines of a group are those that stood as well, and what they
change by is rounded instead (core/charging/correction.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from reportgen.core.charging.correction import Stood, corrected
from reportgen.core.charging.rate import WholeCycle, price_on
from reportgen.core.charging.rollup import by_month
from reportgen.core.model import (
    AddressedLine,
    Allocation,
    Cell,
    CostCenter,
    DetailRow,
    Invoice,
    InvoiceLine,
    LineKey,
    LineKind,
    PrincipalUsage,
    Quantities,
    RateCard,
    Standing,
)
from reportgen.core.money import ZERO, add, multiply, round_half_up, round_to_total, total
from reportgen.core.packed import Packed, Packers, Packing

LINE_KINDS: tuple[LineKind, ...] = ("usage", "unallocated", "fee", "transfer", "pool")
UNBORNE = ""
"""The cost center of what nobody bears."""

GroupKey = tuple[str, Decimal | None]
"""A product and its unit price (None: unpriced)."""
WHOLE: GroupKey = ("", ZERO)
"""The group of all lines, where one amount is spread over them."""
LinePlace = tuple[str, LineKey]
"""A cost center's code, and which of its lines it is."""
DetailKey = tuple[str, str, str, str, str, Decimal | None]
"""A cost center's code, and what tells its detail rows of a day and product apart."""
Figures = tuple[Decimal, Decimal]
"""The ACUs and the exact amount that rows come to."""
NOTHING: Figures = (ZERO, ZERO)
RowKey = tuple[str, str, str]
"""Organization, principal kind and id of a row of usage by principal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageCharges:
    """The lines of every cost center (`UNBORNE` included), and what they must add up to."""

    lines: Mapping[str, tuple[InvoiceLine, ...]]
    chargeable_amount: Decimal


def charge(
    detail: Mapping[str, Sequence[DetailRow]],
    control: Quantities,
    card: RateCard,
    whole: WholeCycle | None = None,
    standing: Standing | None = None,
) -> UsageCharges:
    """Group the detail of all cost centers into lines and round each group to its target.

    With `standing` the lines are those of a cycle that is corrected.
    """
    groups: dict[GroupKey, dict[LinePlace, Figures | None]] = defaultdict(dict)
    for code, rows in detail.items():
        for line_key, figures in _by_line(rows).items():
            group = WHOLE if whole else line_key[1:]
            groups[group][code, line_key] = figures
    targets = {WHOLE: whole.amount} if whole else _targets(control, card)
    lines: dict[str, list[InvoiceLine]] = defaultdict(list)
    stood = _stood(standing, groups) if standing else {}
    for group, members in groups.items():
        before = stood.get(group, {}) if standing else None
        for code, line in _rounded(members, targets.get(group, ZERO), card.decimals, before):
            lines[code].append(line)
    return UsageCharges(
        lines={code: tuple(sorted(unsorted, key=line_order)) for code, unsorted in lines.items()},
        chargeable_amount=total(targets.values()),
    )


def _by_line(rows: Iterable[DetailRow]) -> dict[LineKey, Figures]:
    """Add up the rows of each line of a cost center."""
    sums: dict[LineKey, Figures] = {}
    for row in rows:
        acus, exact_amount = sums.get(row.line_key, NOTHING)
        sums[row.line_key] = add(acus, row.acus), add(exact_amount, row.exact_amount)
    return sums


def detail_by_cost_center(allocations: Sequence[Allocation]) -> dict[str, Packed[DetailRow]]:
    """Sum allocations by cost center, day, product, organization, principal and unit price.

    Those of a day and product, which mostly come one after the other, are summed at a time.
    """
    packers, last = Packers(Packing(DetailRow)), (date.min, "")
    for cell, alike in groupby(allocations, key=_cell):
        if cell <= last:
            return detail_by_cost_center(sorted(allocations, key=_cell))
        packers.extend(_detail_of_cell(cell, alike))
        last = cell
    return packers.packed()


def _cell(allocation: Allocation) -> Cell:
    return allocation.record.day, allocation.record.product


def _detail_of_cell(cell: Cell, allocations: Iterable[Allocation]) -> dict[str, list[DetailRow]]:
    """Sum the allocations of a day and product, by cost center."""
    sums: dict[DetailKey, Figures] = {}
    for allocation in allocations:
        key = _detail_key(allocation)
        acus, exact_amount = sums.get(key, NOTHING)
        quantity, amount = allocation.quantity, allocation.exact_amount
        sums[key] = add(acus, quantity), add(exact_amount, amount)
    detail: dict[str, list[DetailRow]] = defaultdict(list)
    for (code, *whose, unit_price), (acus, exact_amount) in sums.items():
        row = *cell, *whose, acus, unit_price, exact_amount
        detail[code].append(tuple.__new__(DetailRow, row))
    return {code: sorted(rows, key=_detail_order) for code, rows in detail.items()}


def _detail_key(allocation: Allocation) -> DetailKey:
    record = allocation.record
    principal = record.principal_kind, record.principal_id
    place = allocation.cost_center, record.org_id, *principal
    return *place, allocation.kind, allocation.unit_price


def invoice(
    cost_center: CostCenter,
    number: str,
    lines: Sequence[InvoiceLine],
    detail: Sequence[DetailRow],
    decimals: int,
) -> Invoice:
    """Make the invoice of a cost center; without lines there is none, and it gets no number."""
    usage, rows = [line for line in lines if line.kind == "usage"], tuple(detail)
    return Invoice(
        cost_center=cost_center,
        number=number if lines else None,
        lines=tuple(lines),
        acus=total(line.acus for line in usage),
        by_product=sum_by((line.product, line.acus) for line in usage),
        amount=sum_of(lines, decimals),
        borne_acus=total(line.acus for line in lines),
        by_principal=tuple(by_principal(lines, rows, decimals)),
        detail=detail,
        by_month=by_month(lines, rows, decimals),
    )


def sum_by(pairs: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Add up quantities by key, in the order of the keys."""
    sums: dict[str, Decimal] = {}
    for key, quantity in pairs:
        sums[key] = add(sums.get(key, ZERO), quantity)
    return dict(sorted(sums.items()))


def sum_of(lines: Iterable[InvoiceLine], decimals: int) -> Decimal:
    """Add up the amounts of lines; a sum of none has the currency's decimals too."""
    return add(total(line.amount for line in lines), round_half_up(ZERO, decimals))


def line_order(line: InvoiceLine) -> tuple[int, str, bool, Decimal, str, str, Decimal, str]:
    """Sort lines by kind, product, unit price (unpriced last), name, counterpart, what is left."""
    priced = line.unit_price is None, line.unit_price or ZERO
    return LINE_KINDS.index(line.kind), line.product, *priced, *_named(line)


def _named(line: InvoiceLine) -> tuple[str, str, Decimal, str]:
    return line.name, line.counterpart or "", line.exact_amount, line.share or ""


def _targets(control: Quantities, card: RateCard) -> dict[GroupKey, Decimal]:
    """Round what each priced group of the control total costs: what its lines must add up to."""
    quantities: dict[GroupKey, Decimal] = {}
    for (day, product), acus in control.items():
        group = product, price_on(card, product, day)[0]
        quantities[group] = add(quantities.get(group, ZERO), acus)
    return {
        group: round_half_up(multiply(acus, group[1]), card.decimals)
        for group, acus in quantities.items()
        if group[1] is not None
    }


def _stood(
    standing: Standing, groups: MutableMapping[GroupKey, dict[LinePlace, Figures | None]]
) -> dict[GroupKey, dict[LinePlace, Stood]]:
    """Give the lines as they stood by the place that each has now, of what has ended its own.

    The groups get a place without rows for what has ended. A price that one amount came to tells no
    two lines apart.
    """
    now = {_unpriced(place): place for place in groups.get(WHOLE, ())}
    stood: dict[GroupKey, dict[LinePlace, Stood]] = defaultdict(dict)
    for code, before in standing.invoices.items():
        for line in filter(lambda line: line.of_usage, before.lines):
            place, group = (code, line.line_key), (line.product, line.unit_price)
            if standing.effective_prices:
                place, group = now.get(_unpriced(place), place), WHOLE
            stood[group][place] = Stood(line.exact_amount, line.amount)
            groups[group].setdefault(place, None)
    return stood


def _unpriced(place: LinePlace) -> tuple[str, str, str]:
    code, (kind, product, _) = place
    return code, kind, product


def _rounded(
    members: Mapping[LinePlace, Figures | None],
    target: Decimal,
    decimals: int,
    stood: Mapping[LinePlace, Stood] | None = None,
) -> Iterator[AddressedLine]:
    """Round the lines of a group; what has ended is a line only where something is left of it."""
    places = sorted(members, key=_rounding_order)
    figures = [members[place] or NOTHING for place in places]
    exact = [amount for _, amount in figures]
    if stood is None:
        amounts = round_to_total(exact, target, decimals)
    else:
        before = [stood.get(place, Stood()) for place in places]
        amounts = corrected(before, exact, target, decimals)
    for place, (acus, exact_amount), amount in zip(places, figures, amounts, strict=True):
        code, (kind, product, unit_price) = place
        if members[place] is None and not amount:
            continue
        yield AddressedLine(
            code,
            InvoiceLine(
                kind="usage" if kind == "usage" else "unallocated",
                product=product,
                acus=acus,
                unit_price=unit_price,
                exact_amount=exact_amount,
                amount=amount,
            ),
        )


def _rounding_order(place: LinePlace) -> tuple[bool, str, str, bool, Decimal]:
    """Sort the lines of a group as remainders are compared: unallocated last, then by code."""
    code, (kind, product, unit_price) = place
    return kind == "unallocated", code, product, unit_price is None, unit_price or ZERO


def by_principal(
    lines: Sequence[InvoiceLine], detail: Sequence[DetailRow], decimals: int
) -> Iterator[PrincipalUsage]:
    """Apportion each line's amount to its principals, so that the column makes the invoice."""
    rows: dict[RowKey, list[DetailRow]] = defaultdict(list)
    for row in detail:
        rows[_row_key(row)].append(row)
    amounts: dict[RowKey, Decimal] = defaultdict(lambda: round_half_up(ZERO, decimals))
    for line in filter(lambda line: line.of_usage, lines):
        for key, amount in apportioned(line, detail, decimals):
            amounts[key] = add(amounts[key], amount)
    for key, own_rows in sorted(rows.items()):
        by_product = sum_by((row.product, row.acus) for row in own_rows)
        org_id, kind, principal_id = key
        yield PrincipalUsage(
            org_id=org_id,
            principal_kind=kind,
            principal_id=principal_id,
            acus=total(by_product.values()),
            by_product=by_product,
            amount=amounts[key],
        )


def apportioned(
    line: InvoiceLine, detail: Sequence[DetailRow], decimals: int
) -> Iterator[tuple[RowKey, Decimal]]:
    """Apportion a line to those whose usage it is, by the keys of rows: the parts make the line."""
    exact: dict[RowKey, Decimal] = {}
    for row in detail:
        if row.line_key == line.line_key:
            exact[_row_key(row)] = add(exact.get(_row_key(row), ZERO), row.exact_amount)
    keys = sorted(exact)
    yield from zip(
        keys, round_to_total([exact[key] for key in keys], line.amount, decimals), strict=True
    )


def _row_key(row: DetailRow) -> RowKey:
    return ("" if row.principal_id else row.org_id), row.principal_kind, row.principal_id


def _detail_order(row: DetailRow) -> tuple[object, ...]:
    place = row.day, row.product, row.org_id, row.principal_kind, row.principal_id, row.kind
    return *place, row.unit_price is None, row.unit_price or ZERO
