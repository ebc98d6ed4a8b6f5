"""How many decimals a currency has: its minor unit by ISO 4217.

Not the digits that CLDR displays, by which RSD, IQD and a dozen others lose decimals that are owed.
Source: ISO 4217 list one, as SIX publishes it (2024-06-25); what stands in no set here has two.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from reportgen.core.money import decimals_of
from reportgen.core.problem import Problem
from reportgen.core.text import quoted

MINOR_UNITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


def minor_unit(currency: str) -> int:
    """Give the decimals of a currency.

    >>> minor_unit("USD"), minor_unit("RSD"), minor_unit("IQD"), minor_unit("JPY")
    (2, 2, 3, 0)
    """
    return MINOR_UNITS.get(currency, 2)


def too_fine(
    amount: Decimal, name: str, currency: str, decimals: int, line: str, hint: str = ""
) -> Iterator[Problem]:
    """Report an amount with more decimals than its currency has."""
    if decimals_of(amount) > decimals:
        message = f"the amount {amount:f} of {quoted(name)} has more decimals than {currency} has"
        yield Problem(source=line, message=message, hint=hint or _hint(amount, decimals))


def _hint(amount: Decimal, decimals: int) -> str:
    """Say how to write it; a point before three digits may be meant to stand between thousands."""
    hint = f"write it with at most {decimals} decimals" if decimals else "write it without decimals"
    written = f"{amount:f}"
    if re.fullmatch(r"-?[1-9]\d{0,2}\.\d{3}", written, re.ASCII):
        return f"{hint}, or as {written.replace('.', '')} if the point parts thousands"
    return hint
