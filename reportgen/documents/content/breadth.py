"""How much room figures in drawings take: they are made for millions, and some need trillions.

Digits are counted, and nothing is measured: all digits of the typeface are of one width.
"""

from collections.abc import Iterable
from decimal import Decimal

from reportgen.core.money import multiply, ratio, total

LABEL, LEAST_LABEL = Decimal(8), Decimal(3)
ROOM = Decimal(56)
"""Units that a label may take: the place of a bar, less a gap."""
DIGIT, SEPARATOR, SIGN = Decimal("0.556"), Decimal("0.278"), Decimal("0.333")
"""Widths in the size of the type, as Liberation Sans has them."""


def label_size(amounts: Iterable[Decimal | None], decimals: int, room: Decimal = ROOM) -> str:
    """Give the size in units in which the longest of some amounts has room over its bar.

    >>> label_size([Decimal("12345678.90")], 2), label_size([Decimal("10404427442.56")], 2)
    ('8', '6.5')
    """
    digits = _digits(amounts, decimals)
    separators = (digits - decimals - 1) // 3 + 1
    width = total(
        (
            multiply(DIGIT, Decimal(digits)),
            multiply(SEPARATOR, Decimal(separators)),
            SIGN,
        )
    )
    fitting = ratio(room, width, decimals=1) or LABEL
    return f"{max(LEAST_LABEL, min(LABEL, fitting)):f}"


def _digits(amounts: Iterable[Decimal | None], decimals: int) -> int:
    """Count the digits of the longest amount, decimals included."""
    whole = (amount.adjusted() + 1 for amount in amounts if amount)
    return max([1, *whole]) + decimals
