"""An invoice line taken back to its records with their rules, and why it is rounded so.

Everything is looked up again in what was charged, or computed once more from it; nothing is
remembered from the charging, so that an explanation that adds up is a proof.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from reportgen.core.allocating.allocate import value_on
from reportgen.core.allocating.match import Matcher, Subject, subject_of
from reportgen.core.charging.rate import WholeCycle, price_on, whole_cycle
from reportgen.core.model import (
    AddressedLine,
    Allocation,
    Directory,
    Invoice,
    InvoiceLine,
    LineKey,
    Mapping,
    Quantities,
    RateCard,
    Rule,
    Statement,
)
from reportgen.core.money import EXACT, ZERO, multiply, round_half_up, total


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditTrail:
    """A cycle as it was charged: what is looked into; `lines` are by code, nobody's included."""

    statement: Statement
    lines: MappingOf[str, Sequence[InvoiceLine]]
    allocations: Sequence[Allocation]
    control: Quantities
    mapping: Mapping
    directory: Directory
    card: RateCard


class Ruled(NamedTuple):
    """An allocation, and the key that decided it; None where no rule covers it."""

    allocation: Allocation
    rule: Rule | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RoundingGroup:
    """Lines that are rounded together: what they come to exactly, and must add up to.

    `raised` of them were rounded up, those with the largest remainders.
    """

    lines: int
    exact_amount: Decimal
    target: Decimal
    raised: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """A line and what it was made of.

    `whole` is the amount of the cycle that an effective unit price comes from. `behind` are the
    lines it rests on: the usage lines of a percentage, the opposite of a transfer, what a pool had,
    or who took it over.
    """

    number: int
    line: InvoiceLine
    rounding: Decimal
    records: tuple[Ruled, ...] = ()
    group: RoundingGroup | None = None
    whole: WholeCycle | None = None
    behind: tuple[AddressedLine, ...] = ()


def explained(invoice: Invoice, trail: AuditTrail) -> list[Explanation]:
    """Explain every line of an invoice, in its order."""
    code, card = invoice.cost_center.code, trail.card
    whole, _ = whole_cycle(card, trail.control, trail.statement.heading.cycle.start)
    records = _records(code, trail)
    every = [line for lines in trail.lines.values() for line in lines if line.of_usage]
    return [
        Explanation(
            number=number,
            line=line,
            rounding=EXACT.subtract(line.amount, line.exact_amount),
            records=tuple(records.get(line.line_key, ())),
            group=_usage_group(line, every, trail, whole)
            if line.of_usage
            else _pool_group(line, trail),
            whole=whole if line.of_usage else None,
            behind=tuple(_behind(line, invoice, trail.statement)),
        )
        for number, line in enumerate(invoice.lines, start=1)
    ]


def ruled(allocations: Iterable[Allocation], trail: AuditTrail) -> Iterator[Ruled]:
    """Find the key that decided each allocation."""
    matcher = Matcher(trail.mapping.rules, trail.directory)
    candidates: dict[Subject, list[Rule]] = {}
    for allocation in allocations:
        subject = subject_of(allocation.record)
        if subject not in candidates:
            levels = trail.mapping.precedence
            candidates[subject] = [
                rule for level in levels for rule in matcher.candidates(level, subject)
            ]
        yield Ruled(allocation, _rule(allocation, candidates[subject]))


def _records(code: str, trail: AuditTrail) -> MappingOf[LineKey, list[Ruled]]:
    """Give what each line of a cost center is made of, in the order of the ledger."""
    records: dict[LineKey, list[Ruled]] = defaultdict(list)
    own = (allocation for allocation in trail.allocations if allocation.cost_center == code)
    for one in ruled(own, trail):
        allocation = one.allocation
        key = allocation.kind, allocation.record.product, allocation.unit_price
        records[key].append(one)
    return records


def _rule(allocation: Allocation, candidates: Iterable[Rule]) -> Rule | None:
    """Find the key of an allocation's rule (file:line of a value): a line may have several."""
    for rule in candidates:
        value = value_on(rule, allocation.record.day)
        if value and value.split and value.source == allocation.rule:
            return rule
    return None


def _usage_group(
    line: InvoiceLine, every: Iterable[InvoiceLine], trail: AuditTrail, whole: WholeCycle | None
) -> RoundingGroup:
    """Give the lines of a product and unit price, or all where one amount is spread."""
    if whole:
        return _group(every, whole.amount)
    members = [
        one for one in every if (one.product, one.unit_price) == (line.product, line.unit_price)
    ]
    acus = total(
        quantity
        for (day, product), quantity in trail.control.items()
        if product == line.product and price_on(trail.card, product, day)[0] == line.unit_price
    )
    exact = ZERO if line.unit_price is None else multiply(acus, line.unit_price)
    return _group(members, round_half_up(exact, trail.card.decimals))


def _pool_group(line: InvoiceLine, trail: AuditTrail) -> RoundingGroup | None:
    """Give the lines that a pool is shared in: they make what it had."""
    if line.kind != "pool" or line.counterpart is None:
        return None
    members = [addressed.line for addressed in _taken_over(line.counterpart, trail.statement)]
    return _group(
        members,
        total(addressed.line.amount for addressed in _had(line.counterpart, trail.statement)),
    )


def _group(members: Iterable[InvoiceLine], target: Decimal) -> RoundingGroup:
    lines = list(members)
    return RoundingGroup(
        lines=len(lines),
        exact_amount=total(line.exact_amount for line in lines),
        target=target,
        raised=len([line for line in lines if line.amount > line.exact_amount]),
    )


def _behind(line: InvoiceLine, invoice: Invoice, statement: Statement) -> Iterator[AddressedLine]:
    """Give the lines that a fee, a transfer or a pool's line rests on."""
    code = invoice.cost_center.code
    if line.kind == "fee" and line.share is not None:
        yield from (AddressedLine(code, one) for one in invoice.lines if one.kind == "usage")
    elif line.kind == "transfer":
        opposite = ("transfer", line.source, code, EXACT.minus(line.amount))
        for addressed in _lines_of(line.counterpart or "", statement):
            one = addressed.line
            if (one.kind, one.source, one.counterpart, one.amount) == opposite:
                yield addressed
    elif line.kind == "pool":
        yield from (
            _had(line.counterpart, statement) if line.counterpart else _taken_over(code, statement)
        )


def _had(pool: str, statement: Statement) -> Iterator[AddressedLine]:
    """Give what a pool had before it was shared: every line but the counter-line."""
    return (
        addressed
        for addressed in _lines_of(pool, statement)
        if not _is_counter_line(addressed.line)
    )


def _taken_over(pool: str, statement: Statement) -> Iterator[AddressedLine]:
    """Give the lines of those who share a pool."""
    for invoice in statement.invoices:
        for line in invoice.lines:
            if line.kind == "pool" and line.counterpart == pool:
                yield AddressedLine(invoice.cost_center.code, line)


def _lines_of(code: str, statement: Statement) -> Iterator[AddressedLine]:
    for invoice in statement.invoices:
        if invoice.cost_center.code == code:
            yield from (AddressedLine(code, line) for line in invoice.lines)


def _is_counter_line(line: InvoiceLine) -> bool:
    return line.kind == "pool" and line.counterpart is None
