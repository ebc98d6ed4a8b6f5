"""Charging a cycle a second time, in Fractions: the rules as they are written, however slow.

Nothing here calls the code under test. It takes parts of records, the rate card and the mapping,
and gives every line that the invoices must have.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import NamedTuple

from reportgen.core.model import Mapping, Pool, RateCard

SMALLEST = Fraction(1, 10**12)
NOTHING = Fraction()


class Part(NamedTuple):
    """What a cost center bears of a record: the world from which everything is computed, twice."""

    day: date
    product: str
    place: tuple[str, str, str]
    cost_center: str
    kind: str
    quantity: Decimal


class UsageLine(NamedTuple):
    """What must stand on an invoice for one product and unit price; an unpriced one costs None."""

    code: str
    kind: str
    product: str
    unit_price: Fraction | None
    acus: Fraction
    exact: Fraction
    amount: Fraction


class NamedLine(NamedTuple):
    """What must stand on an invoice besides usage."""

    code: str
    kind: str
    name: str
    counterpart: str | None
    share: str | None
    exact: Fraction
    amount: Fraction


@dataclass(frozen=True, kw_only=True)
class Reckoned:
    """Every line of a cycle; `unshared` are the pools that nobody shares."""

    usage: list[UsageLine]
    named: list[NamedLine]
    chargeable: Fraction
    unshared: list[str]

    def amount_of(
        self, code: str, kinds: Iterable[str] = ("usage", "unallocated", "fee", "transfer", "pool")
    ) -> Fraction:
        """Add up what a cost center pays for these kinds."""
        lines: list[UsageLine | NamedLine] = [*self.usage, *self.named]
        paid = (line.amount for line in lines if line.code == code and line.kind in kinds)
        return sum(paid, NOTHING)


def half_up(value: Fraction, decimals: int) -> Fraction:
    steps = floor(abs(value) * 10**decimals + Fraction(1, 2))
    return Fraction(steps if value >= 0 else -steps, 10**decimals)


def rounded(exact: Sequence[Fraction], target: Fraction, step: Fraction) -> list[Fraction]:
    """Round down, then raise the largest remainders to the target; equal ones in order given."""
    floors = [floor(value / step) * step for value in exact]
    missing = (target - sum(floors)) / step
    assert missing.denominator == 1
    ranking = sorted(range(len(exact)), key=lambda index: (floors[index] - exact[index], index))
    return [
        low + (step if index in ranking[: int(missing)] else 0) for index, low in enumerate(floors)
    ]


def apportioned(amount: Fraction, weights: Sequence[Fraction]) -> list[Fraction]:
    """Split at 1e-12, a negative amount as its opposite."""
    whole = sum(weights, NOTHING)
    sign = -1 if amount < 0 else 1
    return [
        sign * part
        for part in rounded([abs(amount) * one / whole for one in weights], abs(amount), SMALLEST)
    ]


def price_of(card: RateCard, product: str, day: date) -> Fraction | None:
    """Look a price up the slow way."""
    for key in (product, "*"):
        started = [price for price in card.prices.get(key, ()) if price.start <= day]
        if started:
            return Fraction(max(started).unit_price)
    return None


def graduated(volume: Fraction, card: RateCard) -> Fraction:
    """Price a volume by the integral of its marginal price; a negative one at the first price."""
    if volume < 0:
        return volume * Fraction(card.tiers[0].unit_price)
    bounds = [
        NOTHING,
        *(Fraction(tier.up_to) if tier.up_to is not None else volume for tier in card.tiers),
    ]
    widths = [min(volume, high) - min(volume, low) for low, high in pairwise(bounds)]
    return sum(
        (
            max(NOTHING, wide) * Fraction(tier.unit_price)
            for wide, tier in zip(widths, card.tiers, strict=True)
        ),
        NOTHING,
    )


def whole_amount(parts: Iterable[Part], card: RateCard, start: date) -> Fraction | None:
    """Give the one amount of a cycle; None where every ACU has its own price."""
    if card.recover:
        return half_up(Fraction(card.vendor_invoices[start].amount or 0), card.decimals)
    if card.tiers:
        return half_up(
            graduated(sum((Fraction(one.quantity) for one in parts), NOTHING), card), card.decimals
        )
    return None


def weight_of(part: Part, card: RateCard) -> Fraction:
    listed = card.recover.weights if card.recover else {}
    return Fraction(part.quantity) * Fraction(listed.get(part.product, 1))


def usage_lines(parts: Sequence[Part], card: RateCard, start: date) -> list[UsageLine]:
    """Group parts into lines, and round each group to the half-up amount of its whole."""
    amount = whole_amount(parts, card, start)
    whole = sum((weight_of(one, card) for one in parts), NOTHING)
    groups: dict[object, dict[tuple[str, str, str, Fraction | None], list[Part]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for one in parts:
        price = price_of(card, one.product, one.day)
        if amount is not None:
            listed = card.recover.weights.get(one.product, 1) if card.recover else 1
            each = amount * Fraction(listed) / whole if whole else NOTHING
            price = Fraction(round(each * 10**10), 10**10)
        group = "whole" if amount is not None else (one.product, price)
        groups[group][one.cost_center, one.kind, one.product, price].append(one)
    lines = []
    for members in groups.values():
        keys = sorted(members, key=lambda key: (key[1] == "unallocated", key[0], key[2]))
        acus = [sum((Fraction(one.quantity) for one in members[key]), NOTHING) for key in keys]
        if amount is None:
            exact = [quantity * (key[3] or 0) for key, quantity in zip(keys, acus, strict=True)]
        else:
            weights = [sum((weight_of(one, card) for one in members[key]), NOTHING) for key in keys]
            exact = [amount * one / whole if whole else NOTHING for one in weights]
        target = half_up(sum(exact, NOTHING), card.decimals)
        amounts = rounded(exact, target, Fraction(1, 10**card.decimals))
        lines += [
            UsageLine(*key, *figures)
            for key, *figures in zip(keys, acus, exact, amounts, strict=True)
        ]
    return lines


def fee_lines(usage: Iterable[UsageLine], card: RateCard) -> list[NamedLine]:
    spent: dict[str, Fraction] = defaultdict(Fraction)
    for line in usage:
        if line.kind == "usage":
            spent[line.code] += line.amount
    lines = []
    for fee in card.fees:
        for code in fee.to or spent:
            part = None if fee.fraction is None else f"{fee.fraction:f}".rstrip("0").rstrip(".")
            exact = (
                Fraction(fee.amount or 0)
                if part is None
                else Fraction(part) * spent.get(code, NOTHING)
            )
            if exact:
                lines.append(
                    NamedLine(
                        code, "fee", fee.name, None, part, exact, half_up(exact, card.decimals)
                    )
                )
    return lines


def transfer_lines(card: RateCard, start: date) -> list[NamedLine]:
    lines = []
    for one in card.transfers:
        if one.cycle == start:
            amount = half_up(Fraction(one.amount), card.decimals)
            lines.append(
                NamedLine(one.giver, "transfer", one.reason, one.receiver, None, -amount, -amount)
            )
            lines.append(
                NamedLine(one.receiver, "transfer", one.reason, one.giver, None, amount, amount)
            )
    return lines


def receivers(pool: Pool, mapping: Mapping, usage: Iterable[UsageLine]) -> dict[str, Fraction]:
    """Give who shares a pool, and by which weight."""
    if pool.split:
        return {share.cost_center: Fraction(share.weight) for share in pool.split.shares}
    excluded = {mapping.unallocated, *(one.cost_center for one in mapping.pools)}
    spent: dict[str, Fraction] = defaultdict(Fraction)
    for line in usage:
        if line.kind == "usage" and line.code not in excluded:
            spent[line.code] += line.amount
    return {
        code: amount if pool.basis == "proportional" else Fraction(1)
        for code, amount in spent.items()
        if amount > 0
    }


def pool_lines(
    mapping: Mapping, usage: list[UsageLine], charged: Iterable[NamedLine], step: Fraction
) -> tuple[list[NamedLine], list[str]]:
    """Share out each pool once all that share with it have been shared out."""
    amounts: dict[str, Fraction] = defaultdict(Fraction)
    before: list[UsageLine | NamedLine] = [*usage, *charged]
    for line in before:
        amounts[line.code] += line.amount
    waiting = {pool.cost_center: pool for pool in mapping.pools}
    lines, unshared = [], []
    while waiting:
        to_come = {
            share.cost_center
            for pool in waiting.values()
            if pool.split
            for share in pool.split.shares
        }
        pool = waiting.pop(next(code for code in waiting if code not in to_come))
        code, amount, sharing = (
            pool.cost_center,
            amounts[pool.cost_center],
            receivers(pool, mapping, usage),
        )
        if amount and not sharing:
            unshared.append(code)
        if amount and sharing:
            codes = sorted(sharing)
            exact = apportioned(amount, [sharing[one] for one in codes])
            texts = (
                {share.cost_center: share.text for share in pool.split.shares} if pool.split else {}
            )
            name = next(center.name for center in mapping.cost_centers if center.code == code)
            lines.append(NamedLine(code, "pool", name, None, None, -amount, -amount))
            for one, precise, part in zip(codes, exact, rounded(exact, amount, step), strict=True):
                amounts[one] += part
                lines.append(NamedLine(one, "pool", name, code, texts.get(one), precise, part))
    return lines, unshared


def reckon(parts: Sequence[Part], card: RateCard, mapping: Mapping, start: date) -> Reckoned:
    """Charge usage, then fees, then transfers, and share out the pools in the end."""
    usage = usage_lines(parts, card, start)
    before = [*fee_lines(usage, card), *transfer_lines(card, start)]
    shared, unshared = pool_lines(mapping, usage, before, Fraction(1, 10**card.decimals))
    chargeable = sum((line.amount for line in usage), NOTHING)
    return Reckoned(usage=usage, named=[*before, *shared], chargeable=chargeable, unshared=unshared)
