"""What is charged besides usage: fees, which add to the total, and transfers, which net to zero."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import Decimal

from reportgen.core.model import AddressedLine, Fee, InvoiceLine, Transfer
from reportgen.core.money import EXACT, ZERO, multiply, plain, round_half_up, total
from reportgen.core.problem import Problem
from reportgen.core.text import quoted, some

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


def idle_fees(fees: Iterable[Fee], charged: Iterable[AddressedLine]) -> list[Problem]:
    """Warn of fees that charge nobody in a cycle, or not all of those whom they name.

    `charged` are all lines of fees.
    """
    reached: dict[str | None, set[str]] = {}
    for code, line in charged:
        reached.setdefault(line.name, set()).add(code)
    idle = [(fee, reached.get(fee.name, set())) for fee in fees]
    return [_idle(fee, whom) for fee, whom in idle if not whom or not whom.issuperset(fee.to or ())]


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


def _idle(fee: Fee, reached: AbstractSet[str]) -> Problem:
    """Say of a fee whom it does not charge: nobody is, or some of those that it names are not."""
    effect = "charges nobody"
    if reached and fee.to:
        effect = f"charges {len(reached)} of the {len(fee.to)} that it names"
    missed = None if fee.to is None else [code for code in sorted(fee.to) if code not in reached]
    return Problem(
        source=fee.source,
        message=f"the fee {quoted(fee.name)} {effect} in this cycle: "
        f"{_without_usage(missed)} usage charges",
        hint="name cost centers that have some, or leave it for the cycles to come",
        warning=True,
        code="fee-idle",
    )


def _without_usage(codes: Sequence[str] | None) -> str:
    if codes is None:
        return "no cost center has"
    if len(codes) == 1:
        return f"{quoted(codes[0])} has no"
    return f"none of {some(codes, quoted)} has"


def _usage(lines: Iterable[InvoiceLine]) -> list[InvoiceLine]:
    return [line for line in lines if line.kind == "usage" and not line.left_over]
