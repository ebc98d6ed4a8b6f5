"""What a change of amounts is made of: moves, prices, usage, fees, transfers, pools, rounding.

Law: the parts of a cost center add up, as they are printed, to the change of its invoice, and those
of all cost centers to the change of what is invoiced.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from reportgen.core.comparing.moves import Move
from reportgen.core.model import InvoiceLine, LineKind
from reportgen.core.money import ZERO, add, printed, subtract, total

ChargedLines = Mapping[str, Sequence[InvoiceLine]]
"""The lines of every cost center by its code; those that nobody bears stand under ""."""


class ChangeParts(NamedTuple):
    """Amounts by which an invoice changes, and `amount`, their sum; all in the currency's decimals.

    `moves` are ACUs that came or went, at the prices as they become, `prices` what the ACUs from
    before cost otherwise, `usage` what the API tells otherwise (in a correction). `rounding` is
    what the cent of each line makes of these three.
    """

    moves: Decimal = ZERO
    prices: Decimal = ZERO
    usage: Decimal = ZERO
    fees: Decimal = ZERO
    transfers: Decimal = ZERO
    pools: Decimal = ZERO
    rounding: Decimal = ZERO
    amount: Decimal = ZERO


class LineChange(NamedTuple):
    """A fee, a transfer or what a pool shares: what a cost center is charged before and after."""

    cost_center: str
    kind: LineKind
    name: str
    counterpart: str
    before: Decimal
    after: Decimal


def change_parts(
    before: ChargedLines,
    after: ChargedLines,
    moved: Iterable[Move],
    repriced: Mapping[str, Decimal],
    decimals: int,
) -> dict[str, ChangeParts]:
    """Account for the change of every cost center; `repriced` is its usage before at new prices."""
    flows = _flows(moved, decimals)
    parts = {}
    for code in sorted(filter(None, {*before, *after})):
        old, new = before.get(code, ()), after.get(code, ())
        moves, exact_moves = flows.get(code, (ZERO, ZERO))
        anew = repriced.get(code, ZERO)
        prices = _shown(subtract(anew, _exact(old)), decimals)
        usage = _shown(subtract(subtract(_exact(new), anew), exact_moves), decimals)
        charged = subtract(_amount(new, _OF_USAGE), _amount(old, _OF_USAGE))
        others = {
            name: subtract(_amount(new, frozenset({kind})), _amount(old, frozenset({kind})))
            for name, kind in _PARTS.items()
        }
        parts[code] = ChangeParts(
            moves=moves,
            prices=prices,
            usage=usage,
            **others,
            rounding=subtract(charged, total((moves, prices, usage))),
            amount=total((charged, *others.values())),
        )
    return parts


def sum_of_parts(parts: Iterable[ChangeParts]) -> ChangeParts:
    """Add up, part by part."""
    columns = zip(*(ChangeParts(), *parts), strict=True)
    return ChangeParts(*map(total, columns))


def line_changes(before: ChargedLines, after: ChargedLines) -> list[LineChange]:
    """Give every fee, transfer and share of a pool that is another, by cost center and kind."""
    old, new = _named(before), _named(after)
    return [
        LineChange(*key, old.get(key, ZERO), new.get(key, ZERO))
        for key in sorted({*old, *new}, key=lambda key: (key[0], _OTHERS.index(key[1]), key))
        if old.get(key, ZERO) != new.get(key, ZERO)
    ]


_OF_USAGE: frozenset[LineKind] = frozenset({"usage", "unallocated"})
_PARTS: Mapping[str, LineKind] = {"fees": "fee", "transfers": "transfer", "pools": "pool"}
_OTHERS = tuple(_PARTS.values())


def _flows(moved: Iterable[Move], decimals: int) -> dict[str, tuple[Decimal, Decimal]]:
    """Give what came less what went for every cost center: as it is printed, and exactly."""
    flows: dict[str, tuple[Decimal, Decimal]] = defaultdict(lambda: (ZERO, ZERO))
    for move in moved:
        both = _shown(move.exact_amount, decimals), move.exact_amount
        for code, reckon in ((move.receiver, add), (move.giver, subtract)):
            shown, exact = flows[code]
            flows[code] = reckon(shown, both[0]), reckon(exact, both[1])
    return flows


def _shown(exact: Decimal, decimals: int) -> Decimal:
    """Round for print, and to no zero below zero."""
    return add(ZERO, printed(exact, decimals))


def _exact(lines: Iterable[InvoiceLine]) -> Decimal:
    return total(line.exact_amount for line in lines if line.of_usage)


def _amount(lines: Iterable[InvoiceLine], kinds: frozenset[LineKind]) -> Decimal:
    return total(line.amount for line in lines if line.kind in kinds)


def _named(lines: ChargedLines) -> dict[tuple[str, LineKind, str, str], Decimal]:
    """Add up what is not usage by cost center, kind, name and counterpart."""
    sums: dict[tuple[str, LineKind, str, str], Decimal] = defaultdict(lambda: ZERO)
    for code, charged in lines.items():
        for line in charged:
            if not line.of_usage:
                key = code, line.kind, line.name, line.counterpart or ""
                sums[key] = add(sums[key], line.amount)
    return sums
