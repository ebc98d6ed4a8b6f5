"""Exact arithmetic: the only place where quantities and amounts are reckoned with and rounded.

Decimal's default 28 digits are not exact: a sum would depend on its order. `EXACT` carries 100
digits and traps `Inexact`, so an operation is either exact or an exception. The door (`quantity`,
and the checks on prices and shares) bounds what comes in, which keeps every sum and product within
those digits.

There are two divisions. `apportion` divides what is charged and gives parts that add up to the
whole. `ratio` divides for display and is never read back.
"""

from collections.abc import Iterable, Sequence
from decimal import (
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
)
from functools import lru_cache, reduce

EXACT = Context(
    prec=100,
    rounding=ROUND_HALF_EVEN,
    Emin=-999,
    Emax=999,
    traps=[Clamped, DivisionByZero, FloatOperation, Inexact, InvalidOperation, Overflow],
)
ROUNDING = Context(prec=100, traps=[DivisionByZero, FloatOperation, InvalidOperation, Overflow])

ZERO = Decimal(0)
ONE = Decimal(1)
SPLIT_QUANTUM = Decimal("1e-12")
"""What is divided is divided at this grain, or at the last decimal of a total that is finer."""

LARGEST_ACUS = Decimal("1e12")
MOST_DECIMALS = 40

add = EXACT.add
subtract = EXACT.subtract
multiply = EXACT.multiply


def total(values: Iterable[Decimal]) -> Decimal:
    """Add up exactly; the order never matters.

    >>> total([Decimal("0.1"), Decimal("0.2"), Decimal("1e-30")])
    Decimal('0.300000000000000000000000000001')
    """
    return reduce(add, values, ZERO)


def is_quantity(value: Decimal) -> bool:
    """Tell whether a number of ACUs is within the bounds that keep all later arithmetic exact."""
    return (
        value.is_finite()
        and value.copy_abs() < LARGEST_ACUS
        and decimals_of(value) <= MOST_DECIMALS
    )


def decimals_of(value: Decimal) -> int:
    """Count the decimals a number is written with.

    >>> decimals_of(Decimal("2.50")), decimals_of(Decimal("1e3"))
    (2, 0)
    """
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def quantum_of(decimals: int) -> Decimal:
    """Give the smallest step of a number with so many decimals: 2 -> 0.01."""
    return ONE.scaleb(-decimals, EXACT)


def round_half_up(value: Decimal, decimals: int) -> Decimal:
    """Round to a currency's decimals, halves away from zero; there is no negative zero.

    >>> [round_half_up(Decimal(text), 2) for text in ("10.005", "-10.005", "-0.001")]
    [Decimal('10.01'), Decimal('-10.01'), Decimal('0.00')]
    """
    return add(value.quantize(quantum_of(decimals), rounding=ROUND_HALF_UP, context=ROUNDING), ZERO)


def printed(value: Decimal, decimals: int = 10) -> Decimal:
    """Round half-even for print; what is printed is never read back for rounding."""
    return value.quantize(quantum_of(decimals), rounding=ROUND_HALF_EVEN, context=ROUNDING)


def ratio(part: Decimal, whole: Decimal, decimals: int) -> Decimal | None:
    """Divide for display, half-even; None where there is nothing to divide by.

    >>> ratio(Decimal(1), Decimal(3), 4)
    Decimal('0.3333')
    """
    if not whole:
        return None
    return printed(ROUNDING.divide(part, whole), decimals)


def apportion(
    amount: Decimal, weights: Sequence[Decimal], quantum: Decimal = SPLIT_QUANTUM
) -> list[Decimal]:
    """Split an amount by weights into multiples of `quantum` that add up to it exactly.

    Largest remainder in whole numbers; equal remainders go to the earlier weight. The amount is
    split at its own last decimal that is not zero, where that is finer than `quantum`. Weights are
    not negative and not all zero (ValueError).

    >>> apportion(Decimal("1.00"), [Decimal(1)] * 3, Decimal("0.01"))
    [Decimal('0.34'), Decimal('0.33'), Decimal('0.33')]
    """
    whole_weights = _whole_weights(tuple(weights))
    if sum(whole_weights) <= 0 or min(whole_weights) < 0:
        raise ValueError("weights must not be negative, and not all zero")
    return _split(amount, whole_weights, quantum)


def spread_over_groups(amount: Decimal, groups: Sequence[Sequence[Decimal]]) -> list[list[Decimal]]:
    """Spread an amount over quantities of either sign: a group gets what it would as one quantity.

    At 1e-12; the sum of all quantities is not zero (ValueError). A credit takes its part away
    again. Equal remainders go in the order of the groups, whatever quantities they are made of; a
    negative amount is rounded down like any other, so that `round_to_total` keeps that order.

    >>> groups = [[Decimal(1)], [Decimal("0.5")] * 2, [Decimal(1)]]
    >>> parts = spread_over_groups(Decimal("1.00"), groups)
    >>> [f"{total(group)}" for group in parts]
    ['0.333333333334', '0.333333333333', '0.333333333333']
    """
    scale = decimals_of(
        total(map(total, groups))
    )  # an exact sum is written with the most decimals of its terms
    weights = [[_whole(quantity, scale) for quantity in group] for group in groups]
    sums = [sum(group) for group in weights]
    if not sum(sums):
        raise ValueError("the quantities add up to zero")
    if sum(sums) < 0:
        weights, sums = (
            [[-weight for weight in group] for group in weights],
            [-weight for weight in sums],
        )
    decimals = _decimals_to_split(amount, SPLIT_QUANTUM)
    steps = _whole(amount, decimals)
    targets = _largest_remainder(steps, sums, sum(sums), steps)
    parts = [
        _largest_remainder(steps, group, sum(sums), target)
        for group, target in zip(weights, targets, strict=True)
    ]
    return [[_stepped(part, decimals) for part in group] for group in parts]


def round_to_total(
    exact: Sequence[Decimal], target: Decimal, decimals: int, ranks: Sequence[int] = ()
) -> list[Decimal]:
    """Round each exact amount down or up to a step so that together they make `target`.

    The largest remainders go up first, of those of one rank where `ranks` are given, the lowest
    before the others; equal ones in the order given. No amount moves by a step or more. Where
    `target` cannot be reached that way (it is no rounding of the sum), the nearest reachable total
    is given and the difference is for the tie-out to show.

    >>> round_to_total([Decimal("10.004")] * 4, Decimal("40.02"), 2)
    [Decimal('10.01'), Decimal('10.01'), Decimal('10.00'), Decimal('10.00')]
    """
    quantum = quantum_of(decimals)
    floors = [value.quantize(quantum, rounding=ROUND_FLOOR, context=ROUNDING) for value in exact]
    remainders = [subtract(value, floor) for value, floor in zip(exact, floors, strict=True)]
    steps = _whole(subtract(target, total(floors)), decimals)
    order = sorted(
        range(len(exact)), key=lambda index: remainders[index], reverse=True
    )  # a minus would round
    if ranks:
        order.sort(key=ranks.__getitem__)
        order = [index for index in order if remainders[index]]
    raised = {index for index in order[: max(0, steps)] if remainders[index]}
    return [add(floor, quantum) if index in raised else floor for index, floor in enumerate(floors)]


def plain(value: Decimal) -> str:
    """Write a quantity: no exponent, no trailing zeros, no negative zero.

    >>> plain(Decimal("617.2500")), plain(Decimal("1E+3")), plain(Decimal("-0.0"))
    ('617.25', '1000', '0')
    """
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def shown(value: Decimal) -> str:
    """Write a quantity for a message or a terminal, at 4 decimals; files have it exactly.

    >>> shown(Decimal("1.5")), shown(Decimal("-1E-16"))
    ('1.5000', '0.0000')
    """
    rounded = printed(value, 4)
    return f"{rounded or rounded.copy_abs():f}"


def both_sides(quantities: Iterable[Decimal]) -> str:
    """Write a sum for a message, with what is above and below zero where both can be seen."""
    quantities = list(quantities)
    above = total(max(quantity, ZERO) for quantity in quantities)
    below = total(min(quantity, ZERO) for quantity in quantities)
    if not printed(above, 4) or not printed(below, 4):
        return shown(add(above, below))
    return f"{shown(above)} − {shown(below.copy_abs())} = {shown(add(above, below))}"


def fixed(value: Decimal, decimals: int) -> str:
    """Write an amount with exactly the currency's decimals, which it must not exceed.

    >>> fixed(Decimal("7"), 2)
    '7.00'
    """
    return f"{value.quantize(quantum_of(decimals), context=EXACT):f}"


def at_least(value: Decimal, decimals: int) -> str:
    """Write an exact amount at no more than 10 decimals, zeros dropped down to the currency's.

    >>> at_least(Decimal("204.750000"), 2), at_least(Decimal("0.12345"), 2)
    ('204.75', '0.12345')
    """
    text = plain(printed(value))
    have = len(text.partition(".")[2])
    return text if have >= decimals else fixed(Decimal(text), decimals)


def _whole(value: Decimal, decimals: int) -> int:
    return int(value.scaleb(decimals, EXACT))


def _decimals_to_split(amount: Decimal, quantum: Decimal) -> int:
    decimals = _decimals_of_quantum(quantum)
    scaled = amount.scaleb(decimals, EXACT)
    return decimals if scaled == int(scaled) else decimals_of(amount.normalize(EXACT))


@lru_cache(maxsize=64)
def _decimals_of_quantum(quantum: Decimal) -> int:
    return decimals_of(quantum)


@lru_cache(maxsize=4096)
def _whole_weights(weights: tuple[Decimal, ...]) -> tuple[int, ...]:
    """Scale weights to whole numbers; a split's weights come by the million."""
    scale = max(map(decimals_of, weights), default=0)
    return tuple(_whole(weight, scale) for weight in weights)


def _split(amount: Decimal, weights: tuple[int, ...], quantum: Decimal) -> list[Decimal]:
    """Split by whole numbers whose sum is above zero; a negative amount as its opposite."""
    decimals = _decimals_to_split(amount, quantum)
    steps, sign = _whole(amount.copy_abs(), decimals), -1 if amount < 0 else 1
    parts = _largest_remainder(steps, weights, sum(weights), steps)
    return [_stepped(sign * part, decimals) for part in parts]


def _stepped(steps: int, decimals: int) -> Decimal:
    return Decimal(steps).scaleb(-decimals, EXACT)


def _largest_remainder(steps: int, weights: Sequence[int], whole: int, target: int) -> list[int]:
    """Give each weight its part of `steps` per `whole` (above zero), rounded to make `target`."""
    divided = [divmod(steps * weight, whole) for weight in weights]
    parts = [part for part, _ in divided]
    missing = target - sum(parts)
    if missing:
        order = sorted(range(len(parts)), key=lambda index: (-divided[index][1], index))
        for index in order[:missing]:
            parts[index] += 1
    return parts
