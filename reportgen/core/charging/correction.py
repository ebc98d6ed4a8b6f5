"""How a closed cycle is corrected: exact differences are rounded, and nothing else is touched.

Laws: the amounts of a group as they stood, and what they change by, make its new total. Only lines
whose exact amount is another change: the largest remainders of their differences go up, equal ones
in the order given, and none moves by a step or more. What has ended ends at zero where the total
lets it. So a line that stands as it was never gets a note, and notes upon notes add up.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from reportgen.core.money import (
    ONE,
    ZERO,
    add,
    apportion,
    quantum_of,
    round_to_total,
    subtract,
    total,
)

UP, EITHER, DOWN = range(3)
"""Which way a difference is better rounded."""


class Stood(NamedTuple):
    """A line as it stood: what it came to exactly, and what was charged for it."""

    exact_amount: Decimal = ZERO
    amount: Decimal = ZERO


def corrected(
    stood: Sequence[Stood], exact: Sequence[Decimal], target: Decimal, decimals: int
) -> list[Decimal]:
    """Give the new amounts of a group's lines, which make `target` together.

    `exact` is what each comes to now, `stood` what it was, in one order. Where the total cannot be
    made by a step a line, those that changed take what is missing evenly. Where none changed, the
    amounts stand.
    """
    amounts = [line.amount for line in stood]
    places = [place for place, line in enumerate(stood) if line.exact_amount != exact[place]]
    differences = [subtract(exact[place], stood[place].exact_amount) for place in places]
    whole = subtract(target, total(amounts))
    ranks = [_better(stood[place], exact[place]) for place in places]
    for place, part in zip(places, _rounded(differences, whole, decimals, ranks), strict=True):
        amounts[place] = add(amounts[place], part)
    return amounts


def _rounded(
    differences: Sequence[Decimal], whole: Decimal, decimals: int, ranks: Sequence[int]
) -> list[Decimal]:
    parts = round_to_total(differences, whole, decimals, ranks)
    missing = subtract(whole, total(parts))
    if not missing or not parts:
        return parts
    evenly = apportion(missing, [ONE for _ in parts], quantum_of(decimals))
    return [add(part, more) for part, more in zip(parts, evenly, strict=True)]


def _better(line: Stood, now: Decimal) -> int:
    """Tell which way the difference of a line that has ended is rounded to leave nothing."""
    left = subtract(line.amount, line.exact_amount)
    if now or not left:
        return EITHER
    return UP if left < 0 else DOWN
