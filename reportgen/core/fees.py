"""What is charged besides usage: fees, which add to the total, and transfers, which net to zero."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from reportgen.core.model import Fee, InvoiceLine, Transfer
from reportgen.core.money import EXACT, ZERO, multiply, plain, round_half_up, total

Lines = Mapping[str, Sequence[InvoiceLine]]
"""The lines of every cost center, by its code."""
Addressed = tuple[str, InvoiceLine]
"""A line, and the code of the cost center that it goes to."""


def fee_lines(fees: Iterable[Fee], usage: Lines, decimals: int) -> list[Addressed]:
    """Charge each fee to those it names, or to each cost center with usage.

    A percentage is of the usage amounts as rounded, half-up to the currency's `decimals`; of
    nothing it is no line.
    """
    users = sorted(code for code, lines in usage.items() if _usage(lines))
    found = []
    for fee in fees:
        for code in users if fee.to is None else sorted(fee.to):
            line = _fee_line(fee, usage.get(code, ()), decimals)
            if line.exact_amount:
                found.append((code, line))
    return found


def transfer_lines(transfers: Iterable[Transfer], start: date, decimals: int) -> list[Addressed]:
    """Move the amounts of the cycle that starts on a day: a line for who gives, and its opposite for who receives."""
    found = []
    for transfer in transfers:
        if transfer.cycle == start:
            amount = round_half_up(transfer.amount, decimals)
            found.append(
                (transfer.giver, _transfer_line(transfer, transfer.receiver, EXACT.minus(amount)))
            )
            found.append((transfer.receiver, _transfer_line(transfer, transfer.giver, amount)))
    return found


def _transfer_line(transfer: Transfer, counterpart: str, amount: Decimal) -> InvoiceLine:
    return InvoiceLine(
        kind="transfer",
        name=transfer.reason,
        counterpart=counterpart,
        exact_amount=amount,
        amount=amount,
        source=transfer.source,
    )


def _fee_line(fee: Fee, lines: Sequence[InvoiceLine], decimals: int) -> InvoiceLine:
    if fee.fraction is None:
        exact_amount = fee.amount or ZERO
    else:
        exact_amount = multiply(total(line.amount for line in _usage(lines)), fee.fraction)
    return InvoiceLine(
        kind="fee",
        name=fee.name,
        share=None if fee.fraction is None else plain(fee.fraction),
        exact_amount=exact_amount,
        amount=round_half_up(exact_amount, decimals),
        source=fee.source,
    )


def _usage(lines: Iterable[InvoiceLine]) -> list[InvoiceLine]:
    return [line for line in lines if line.kind == "usage"]
