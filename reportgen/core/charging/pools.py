"""Pools: cost centers whose whole amount the others share, after everything else has been charged.

A pool's amount is apportioned exactly at 1e-12 and rounded once, so that what its receivers pay is
what it had. Its own invoice shows the counter-line and closes at zero. Shares may lead from pool to
pool, but never in a circle.
"""

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from decimal import Decimal
from graphlib import TopologicalSorter
from typing import NamedTuple

from reportgen.core.charging.correction import Stood, corrected
from reportgen.core.charging.fees import Lines
from reportgen.core.charging.invoice import sum_of
from reportgen.core.model import AddressedLine, InvoiceLine, Mapping, Pool, Standing
from reportgen.core.money import EXACT, ONE, ZERO, apportion, fixed, plain, round_to_total, total
from reportgen.core.problem import Problem
from reportgen.core.text import quoted

Receiver = tuple[str, Decimal, str]
"""A cost center's code, the weight it shares by, and the share as it is printed."""


class Shared(NamedTuple):
    """What a cost center bears of a pool; without a `share` it bore some, and does no more."""

    cost_center: str
    share: str
    exact_amount: Decimal
    amount: Decimal


def pool_lines(
    mapping: Mapping, charged: Lines, decimals: int, standing: Standing | None = None
) -> tuple[list[AddressedLine], list[Problem]]:
    """Share out every pool; `charged` are all lines before sharing.

    `proportional` goes by the usage charges before sharing, `even` to whoever has any; neither
    reaches a pool or who bears the unallocated. With `standing` the parts are those of a cycle that
    is corrected: what they change by is rounded.
    """
    amounts = defaultdict(
        lambda: ZERO, {code: sum_of(had, decimals) for code, had in charged.items()}
    )
    names = {center.code: center.name for center in mapping.cost_centers}
    lines: list[AddressedLine] = []
    problems = []
    for pool in _in_stages(mapping.pools):
        amount, receivers = amounts[pool.cost_center], _receivers(pool, mapping, charged)
        if amount and not receivers:
            problems.append(_no_receiver(pool, amount, decimals))
        elif amount:
            parts = _parts(pool, amount, receivers, decimals, standing)
            shared = _shared(pool, names[pool.cost_center], amount, parts)
            for code, line in shared:
                amounts[code] = EXACT.add(amounts[code], line.amount)
            lines.extend(shared)
        elif not charged.get(pool.cost_center) and not _received(lines, pool):
            problems.append(_idle(pool))
    return lines, problems


def _received(lines: Iterable[AddressedLine], pool: Pool) -> bool:
    """Tell whether other pools have shared with one."""
    return any(code == pool.cost_center for code, _ in lines)


def _in_stages(pools: Iterable[Pool]) -> list[Pool]:
    """Order pools so that each comes after those that share with it, whatever order sets have."""
    by_code = {pool.cost_center: pool for pool in sorted(pools, key=lambda pool: pool.cost_center)}
    givers: dict[str, list[str]] = {code: [] for code in by_code}
    for code, pool in by_code.items():
        for share in pool.split.shares if pool.split else ():
            if share.cost_center in givers:
                givers[share.cost_center].append(code)
    return [by_code[code] for code in TopologicalSorter(givers).static_order()]


def _receivers(pool: Pool, mapping: Mapping, charged: Lines) -> list[Receiver]:
    """Give who shares a pool, in the order of their codes."""
    if pool.split:
        return sorted((share.cost_center, share.weight, share.text) for share in pool.split.shares)
    left_out = {mapping.unallocated, *(other.cost_center for other in mapping.pools)}
    usage = {
        code: total(line.amount for line in lines if line.kind == "usage" and not line.left_over)
        for code, lines in charged.items()
        if code not in left_out
    }
    weights = {
        code: amount if pool.basis == "proportional" else ONE
        for code, amount in usage.items()
        if amount > 0
    }
    whole = plain(total(weights.values()))
    return sorted((code, weight, f"{plain(weight)}/{whole}") for code, weight in weights.items())


def _parts(
    pool: Pool,
    amount: Decimal,
    receivers: list[Receiver],
    decimals: int,
    standing: Standing | None,
) -> list[Shared]:
    """Give each receiver's part: exactly, and in cents that make what is shared."""
    exact = apportion(amount, [weight for _, weight, _ in receivers])
    shares = {code: (text, part) for (code, _, text), part in zip(receivers, exact, strict=True)}
    if standing is None:
        return _in_order(shares, round_to_total(exact, amount, decimals))
    stood = _stood(pool, standing)
    shares = dict(sorted((dict.fromkeys(stood, ("", ZERO)) | shares).items()))
    before = [stood.get(code, Stood()) for code in shares]
    amounts = corrected(before, [part for _, part in shares.values()], amount, decimals)
    return [part for part in _in_order(shares, amounts) if part.share or part.amount]


def _in_order(shares: MappingOf[str, tuple[str, Decimal]], amounts: list[Decimal]) -> list[Shared]:
    both = zip(shares.items(), amounts, strict=True)
    return [Shared(code, text, exact, amount) for (code, (text, exact)), amount in both]


def _stood(pool: Pool, standing: Standing) -> dict[str, Stood]:
    """Give what each cost center bore of a pool, by its code."""
    return {
        code: Stood(line.exact_amount, line.amount)
        for code, invoice in standing.invoices.items()
        for line in invoice.lines
        if line.kind == "pool" and line.counterpart == pool.cost_center
    }


def _shared(pool: Pool, name: str, amount: Decimal, parts: Iterable[Shared]) -> list[AddressedLine]:
    lines = [
        AddressedLine(
            part.cost_center,
            _line(
                pool,
                name,
                part.amount,
                part.exact_amount,
                counterpart=pool.cost_center,
                share=part.share or "0",
            ),
        )
        for part in parts
    ]
    counter = EXACT.minus(amount)
    return [*lines, AddressedLine(pool.cost_center, _line(pool, name, counter, counter))]


def _line(
    pool: Pool,
    name: str,
    amount: Decimal,
    exact_amount: Decimal,
    *,
    counterpart: str | None = None,
    share: str | None = None,
) -> InvoiceLine:
    return InvoiceLine(
        kind="pool",
        name=name,
        counterpart=counterpart,
        share=share,
        basis=pool.basis,
        exact_amount=exact_amount,
        amount=amount,
        source=pool.source,
    )


def _no_receiver(pool: Pool, amount: Decimal, decimals: int) -> Problem:
    message = f"nobody shares the {fixed(amount, decimals)} of pool {quoted(pool.cost_center)}"
    hint = f"no cost center has usage charges: write the shares, `{pool.cost_center}: {{…: 100%}}`"
    return Problem(source=pool.source, message=message, hint=hint)


def _idle(pool: Pool) -> Problem:
    message = f"nothing was charged to pool {quoted(pool.cost_center)} in this cycle"
    hint = "correct the rules that lead to it, or leave it for the cycles to come"
    return Problem(source=pool.source, message=message, hint=hint, warning=True, code="pool-idle")
