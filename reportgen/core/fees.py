"""What is charged besides usage: fees, which add to the total, and transfers, which net to zero."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from reportgen.core.model import AddressedLine, Fee, InvoiceLine, Transfer
from reportgen.core.money import EXACT, ZERO, multiply, plain, round_half_up, total

Lines = Mapping[str, Sequence[InvoiceLine]]
"""The lines of every cost center, by its code."""


def fee_lines(fees: Iterable[Fee], usage: Lines, decimals: int) -> list[AddressedLine]:
    """Charge each fee to those it names, or to each cost center with usage.

    A percentage is of the usage amounts as rounded, half-up to the currency's `decimals`; of
    nothing it is no line.
    """
    users = sorted(code for code, lines in usage.items() if _usage(lines))
    lines = (
        AddressedLine(code, _fee_line(fee, usage.get(code, ()), decimals))
        for fee in fees
        for code in (users if fee.to is None else sorted(fee.to))
    )
    return [addressed for addressed in lines if addressed.line.exact_amount]


def transfer_lines(
    transfers: Iterable[Transfer], start: date, decimals: int
) -> list[AddressedLine]:
    """Move the amounts of the cycle that starts on a day.

    Who gives gets a line, and who receives its opposite.
    """
    return [
        line
        for transfer in transfers
        if transfer.cycle == start
        for line in _both_sides(transfer, round_half_up(transfer.amount, decimals))
    ]


def _both_sides(transfer: Transfer, amount: Decimal) -> Iterator[AddressedLine]:
    given = _transfer_line(transfer, transfer.receiver, EXACT.minus(amount))
    yield AddressedLine(transfer.giver, given)
    yield AddressedLine(transfer.receiver, _transfer_line(transfer, transfer.giver, amount))


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
