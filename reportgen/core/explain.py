"""An invoice line taken back to what it was made of: its records with their rules, and why it is rounded so.

Everything is looked up again in what was charged, or computed once more from it; nothing is
remembered from the charging, so that an explanation that adds up is a proof.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from reportgen.core.allocate import value_on
from reportgen.core.match import Matcher, Subject
from reportgen.core.model import (
    Allocation,
    Directory,
    Invoice,
    InvoiceLine,
    Mapping,
    Quantities,
    RateCard,
    Rule,
    Statement,
)
from reportgen.core.money import EXACT, ZERO, multiply, round_half_up, total
from reportgen.core.rate import WholeCycle, price_on, whole_cycle

LineKey = tuple[str, str, Decimal | None]
"""Kind, product and unit price of a line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Charged:
    """A cycle as it was charged: all that an explanation looks into; `lines` are by code, nobody's included."""

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


class Addressed(NamedTuple):
    """A line, and the code of the cost center on whose invoice it stands."""

    cost_center: str
    line: InvoiceLine


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Lines that are rounded together: what they come to exactly, and the figure they must add up to.

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
    group: Group | None = None
    whole: WholeCycle | None = None
    behind: tuple[Addressed, ...] = ()


def explained(invoice: Invoice, charged: Charged) -> list[Explanation]:
    """Explain every line of an invoice, in its order."""
    code, card = invoice.cost_center.code, charged.card
    whole, _ = whole_cycle(card, charged.control, charged.statement.heading.cycle.start)
    records = _records(code, charged)
    every = [line for lines in charged.lines.values() for line in lines if line.of_usage]
    return [
        Explanation(
            number=number,
            line=line,
            rounding=EXACT.subtract(line.amount, line.exact_amount),
            records=tuple(records.get((line.kind, line.product, line.unit_price), ())),
            group=_usage_group(line, every, charged, whole)
            if line.of_usage
            else _pool_group(line, charged),
            whole=whole if line.of_usage else None,
            behind=tuple(_behind(line, invoice, charged.statement)),
        )
        for number, line in enumerate(invoice.lines, start=1)
    ]


def _records(code: str, charged: Charged) -> MappingOf[LineKey, list[Ruled]]:
    """Give what each line of a cost center is made of, in the order of the ledger."""
    matcher = Matcher(charged.mapping.rules, charged.directory)
    candidates: dict[Subject, list[Rule]] = {}
    found: dict[LineKey, list[Ruled]] = defaultdict(list)
    for allocation in charged.allocations:
        if allocation.cost_center == code:
            subject = allocation.record[2:6]
            if subject not in candidates:
                levels = charged.mapping.precedence
                candidates[subject] = [
                    rule for level in levels for rule in matcher.candidates(level, subject)
                ]
            key = allocation.kind, allocation.record.product, allocation.unit_price
            found[key].append(Ruled(allocation, _rule(allocation, candidates[subject])))
    return found


def _rule(allocation: Allocation, candidates: Iterable[Rule]) -> Rule | None:
    """Find the key that an allocation's rule (file:line of the value) belongs to: several may stand on one line."""
    for rule in candidates:
        value = value_on(rule, allocation.record.day)
        if value and value.split and value.source == allocation.rule:
            return rule
    return None


def _usage_group(
    line: InvoiceLine, every: Iterable[InvoiceLine], charged: Charged, whole: WholeCycle | None
) -> Group:
    """Give the lines of one product and unit price, or all of them where one amount is spread over the cycle."""
    if whole:
        return _group(every, whole.amount)
    members = [
        one for one in every if (one.product, one.unit_price) == (line.product, line.unit_price)
    ]
    acus = total(
        quantity
        for (day, product), quantity in charged.control.items()
        if product == line.product and price_on(charged.card, product, day)[0] == line.unit_price
    )
    exact = ZERO if line.unit_price is None else multiply(acus, line.unit_price)
    return _group(members, round_half_up(exact, charged.card.decimals))


def _pool_group(line: InvoiceLine, charged: Charged) -> Group | None:
    """Give the lines that a pool is shared in: they make what it had."""
    if line.kind != "pool" or line.counterpart is None:
        return None
    members = [found.line for found in _taken_over(line.counterpart, charged.statement)]
    return _group(
        members, total(found.line.amount for found in _had(line.counterpart, charged.statement))
    )


def _group(members: Iterable[InvoiceLine], target: Decimal) -> Group:
    lines = list(members)
    return Group(
        lines=len(lines),
        exact_amount=total(line.exact_amount for line in lines),
        target=target,
        raised=len([line for line in lines if line.amount > line.exact_amount]),
    )


def _behind(line: InvoiceLine, invoice: Invoice, statement: Statement) -> Iterator[Addressed]:
    """Give the lines that a fee, a transfer or a pool's line rests on."""
    code = invoice.cost_center.code
    if line.kind == "fee" and line.share is not None:
        yield from (Addressed(code, one) for one in invoice.lines if one.kind == "usage")
    elif line.kind == "transfer":
        opposite = ("transfer", line.source, code, EXACT.minus(line.amount))
        for found in _lines_of(line.counterpart or "", statement):
            one = found.line
            if (one.kind, one.source, one.counterpart, one.amount) == opposite:
                yield found
    elif line.kind == "pool":
        yield from (
            _had(line.counterpart, statement) if line.counterpart else _taken_over(code, statement)
        )


def _had(pool: str, statement: Statement) -> Iterator[Addressed]:
    """Give what a pool had before it was shared: every line but the counter-line."""
    return (found for found in _lines_of(pool, statement) if not _is_counter_line(found.line))


def _taken_over(pool: str, statement: Statement) -> Iterator[Addressed]:
    """Give the lines of those who share a pool."""
    for invoice in statement.invoices:
        for line in invoice.lines:
            if line.kind == "pool" and line.counterpart == pool:
                yield Addressed(invoice.cost_center.code, line)


def _lines_of(code: str, statement: Statement) -> Iterator[Addressed]:
    for invoice in statement.invoices:
        if invoice.cost_center.code == code:
            yield from (Addressed(code, line) for line in invoice.lines)


def _is_counter_line(line: InvoiceLine) -> bool:
    return line.kind == "pool" and line.counterpart is None
