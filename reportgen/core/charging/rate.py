"""The rate card applied to allocations: what each costs, exactly.

With prices an allocation costs its ACUs times the price of its product and day. With tiers, or
where the vendor's invoice is recovered, there is one amount for the whole cycle: it is spread over
every ACU, and a price per ACU is only what that comes to.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import pairwise
from operator import itemgetter

from reportgen.core.model import (
    ANY_PRODUCT,
    Allocation,
    Cell,
    Price,
    Quantities,
    RateCard,
    Recover,
    Tier,
)
from reportgen.core.money import (
    ONE,
    ZERO,
    add,
    multiply,
    ratio,
    round_half_up,
    spread_over_groups,
    subtract,
    total,
)
from reportgen.core.packed import packed
from reportgen.core.problem import Problem

PriceAt = tuple[Decimal | None, str]
unrated: Callable[[Allocation], tuple[object, ...]] = itemgetter(
    slice(Allocation._fields.index("unit_price"))
)
"""Gives what rating leaves as it was of an allocation; price, rate and amount follow."""
UNPRICED: PriceAt = (None, "")
DISPLAYED_DECIMALS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class WholeCycle:
    """One amount for the ACUs of a cycle; each weighs what `weights` says of its product, else 1.

    `weight` is that of the control total; `source` (file:line) says where the amount comes from.
    """

    amount: Decimal
    weight: Decimal
    weights: Mapping[str, Decimal] = field(default_factory=dict)
    source: str

    def weight_of(self, product: str, acus: Decimal) -> Decimal:
        """Give what ACUs of a product weigh."""
        weight = self.weights.get(product)
        return acus if weight is None else multiply(acus, weight)

    def price_of(self, product: str) -> Decimal:
        """Give what an ACU of a product comes to, for display."""
        weighted = multiply(self.amount, self.weights.get(product, ONE))
        return ratio(weighted, self.weight, DISPLAYED_DECIMALS) or ZERO


def whole_cycle(
    card: RateCard, control: Quantities, start: date
) -> tuple[WholeCycle | None, list[Problem]]:
    """Give the amount that is spread over the cycle of a day; None where the card has prices.

    It rests on the control total alone. Where there is no ACU, there is nothing to spread over.
    """
    if card.recover:
        return _recovered(card, card.recover, control, start)
    if not card.tiers:
        return None, []
    volume = total(control.values())
    amount = round_half_up(_graduated(volume, card.tiers), card.decimals)
    if not volume and any(control.values()):
        return None, [_no_weight(card.source, "the ACUs of this cycle add up to zero")]
    return WholeCycle(amount=amount, weight=volume, source=card.source), []


def _recovered(
    card: RateCard, recover: Recover, control: Quantities, start: date
) -> tuple[WholeCycle | None, list[Problem]]:
    invoice = card.vendor_invoices.get(start)
    if invoice is None or invoice.amount is None:
        message = (
            f"the vendor's invoice of the cycle that starts on {start} is missing, "
            "and is to be recovered"
        )
        hint = f"write it under `vendor_invoices`: `{start}: {{number: …, amount: …}}`"
        return None, [Problem(source=recover.source, message=message, hint=hint)]
    weight = _weight(control, recover.weights)
    if not weight and invoice.amount:
        if not any(control.values()):
            message = "nobody used an ACU in this cycle: the vendor's invoice cannot be spread"
            return None, [
                Problem(
                    source=recover.source, message=message, hint="charge it as a fee, with `prices`"
                )
            ]
        message = "every ACU of this cycle weighs nothing: the vendor's invoice cannot be spread"
        return None, [_no_weight(recover.source, message)]
    whole = WholeCycle(
        amount=round_half_up(invoice.amount, card.decimals),
        weight=weight,
        weights=recover.weights,
        source=invoice.source,
    )
    return whole, []


def _no_weight(source: str, message: str) -> Problem:
    return Problem(
        source=source,
        message=message,
        hint="give a product that was used a weight above zero, or prices",
    )


def _weight(control: Quantities, weights: Mapping[str, Decimal]) -> Decimal:
    return total(
        multiply(acus, weights.get(product, ONE)) for (_, product), acus in control.items()
    )


def _graduated(volume: Decimal, tiers: Iterable[Tier]) -> Decimal:
    """Price a volume tier by tier; a negative one is a credit at the price of the first."""
    amount, begin = ZERO, ZERO
    for number, tier in enumerate(tiers):
        end = volume if tier.up_to is None else min(volume, tier.up_to)
        if number and end <= begin:
            break
        amount, begin = add(amount, multiply(subtract(end, begin), tier.unit_price)), end
    return amount


def price_on(card: RateCard, product: str, day: date) -> PriceAt:
    """Give the price per ACU and its file:line: the product's own, else that of `*`, else none.

    A product's dated prices say nothing of the days before the first of them.
    """
    for key in (product, ANY_PRODUCT):
        if price := _in_force(card.prices.get(key, ()), day):
            return price.unit_price, price.source
    return UNPRICED


def rate(
    allocations: Iterable[Allocation], card: RateCard, whole: WholeCycle | None = None
) -> Iterator[Allocation]:
    """Price each allocation; without a price it stays unpriced, at an exact amount of zero."""
    return _spread(packed(Allocation, allocations), whole) if whole else _priced(allocations, card)


def _priced(allocations: Iterable[Allocation], card: RateCard) -> Iterator[Allocation]:
    known: dict[Cell, PriceAt] = {}
    for allocation in allocations:
        record = allocation.record
        cell = record.day, record.product
        if cell not in known:
            known[cell] = price_on(card, record.product, record.day)
        unit_price, source = known[cell]
        if unit_price is None:
            yield allocation
        else:
            amount = multiply(allocation.quantity, unit_price)
            yield _rated(allocation, unit_price, source, amount)


def _spread(allocations: Sequence[Allocation], whole: WholeCycle) -> Iterator[Allocation]:
    """Give each allocation its part of the whole, exact at 1e-12.

    What makes a line gets what the line would get as one, the lines in the order in which they are
    rounded: no split of a record and no order of the records changes a line, and equal lines differ
    by their codes alone.
    """
    lines: dict[tuple[bool, str, str], list[int]] = defaultdict(list)
    for index, one in _by_record(allocations):
        lines[one.kind == "unallocated", one.cost_center, one.record.product].append(index)
    groups = [lines[key] for key in sorted(lines)]
    weights = [whole.weight_of(one.record.product, one.quantity) for one in allocations]
    amounts = [ZERO for _ in allocations]
    if whole.weight:
        spread = spread_over_groups(
            whole.amount, [[weights[index] for index in group] for group in groups]
        )
        for group, parts in zip(groups, spread, strict=True):
            for index, amount in zip(group, parts, strict=True):
                amounts[index] = amount
    products = {one.record.product for one in allocations}
    prices = {product: whole.price_of(product) for product in products}
    for one, amount in zip(allocations, amounts, strict=True):
        yield _rated(one, prices[one.record.product], whole.source, amount)


def _by_record(allocations: Sequence[Allocation]) -> Iterable[tuple[int, Allocation]]:
    """Give allocations, numbered, in the order of their records, in which most come."""
    if all(one.record <= later.record for one, later in pairwise(allocations)):
        return enumerate(allocations)
    return sorted(enumerate(allocations), key=lambda numbered: numbered[1].record)


def _rated(
    allocation: Allocation, unit_price: Decimal, source: str, exact_amount: Decimal
) -> Allocation:
    """Give an allocation its price; `tuple.__new__` spares a constructor: there are millions."""
    return tuple.__new__(Allocation, (*unrated(allocation), unit_price, source, exact_amount))


def _in_force(prices: tuple[Price, ...], day: date) -> Price | None:
    index = bisect_right(prices, day, key=lambda price: price.start)
    return prices[index - 1] if index else None
