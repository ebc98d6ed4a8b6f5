"""What rates.yaml charges besides usage: fees and transfers, and currencies under a total."""

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial

from reportgen.core.model import Fee, MemoCurrency, MemoRate, Transfer
from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.sources.config.currency import minor_unit, too_fine
from reportgen.sources.config.dates import out_of_order
from reportgen.sources.config.schema import FeeSection, RatesFile
from reportgen.sources.config.shares import undeclared
from reportgen.sources.config.yamldoc import YamlDocument


def read_fees(file: RatesFile, document: YamlDocument) -> tuple[tuple[Fee, ...], list[Problem]]:
    """Give the fees in the order of the file, and every problem with file:line."""
    fees = tuple(
        Fee(
            name=fee.name,
            amount=fee.amount,
            fraction=fee.percent,
            to=fee.to,
            source=document.line("fees", index),
        )
        for index, fee in enumerate(file.fees)
    )
    problems = [
        problem
        for index, fee in enumerate(file.fees)
        for problem in _fee_problems(fee, index, file, document)
    ]
    return fees, [*problems, *_named_twice(file.fees, document)]


def read_transfers(
    file: RatesFile, document: YamlDocument
) -> tuple[tuple[Transfer, ...], list[Problem]]:
    """Give the transfers in the order of the file, and every problem with file:line."""
    transfers = tuple(
        Transfer(
            cycle=section.cycle,
            giver=section.from_,
            receiver=section.to,
            amount=section.amount,
            reason=section.reason,
            source=document.line("transfers", index),
        )
        for index, section in enumerate(file.transfers)
    )
    problems: list[Problem] = []
    for index, transfer in enumerate(transfers):
        line = partial(document.line, "transfers", index)
        problems += _transfer_problems(transfer, file, line)
    return transfers, problems


def read_memo_currencies(
    file: RatesFile, document: YamlDocument
) -> tuple[dict[str, MemoCurrency], list[Problem]]:
    """Give the other currencies by the cost center that reads them, and every problem."""
    memos: dict[str, MemoCurrency] = {}
    problems: list[Problem] = []
    for code, section in sorted(file.memo_currency.items()):
        rates = [
            MemoRate(start, units, document.line("memo_currency", code, start.isoformat()))
            for start, units in section.rates.items()
        ]
        memos[code] = MemoCurrency(
            currency=section.currency,
            decimals=minor_unit(section.currency),
            rates=tuple(rates),
            source=document.line("memo_currency", code),
        )
        problems += [
            *out_of_order(rates, code),
            *_memo_problems(memos[code], code, file.currency, document),
        ]
    return memos, problems


def undeclared_charged(
    file: RatesFile, document: YamlDocument, codes: Collection[str]
) -> Iterator[Problem]:
    """Report every cost center that is named in rates.yaml, and not among the declared `codes`."""
    for code, line in _named(file, document):
        if code not in codes:
            yield undeclared(code, codes, line)


def _transfer_problems(
    transfer: Transfer, file: RatesFile, line: Callable[[str], str]
) -> Iterator[Problem]:
    amount, reason = transfer.amount, transfer.reason
    yield from too_fine(amount, reason, file.currency, file.decimals, line("amount"))
    if transfer.giver == transfer.receiver:
        giver = quoted(transfer.giver)
        message = f"the transfer {quoted(reason)} gives to {giver} what comes from it"
        hint = "name two cost centers, or remove it"
        yield Problem(source=line("to"), message=message, hint=hint)


def _fee_problems(
    fee: FeeSection, index: int, file: RatesFile, document: YamlDocument
) -> Iterator[Problem]:
    if fee.amount is not None and fee.percent is not None:
        message = f"the fee {quoted(fee.name)} has both an amount and a percentage"
        yield Problem(
            source=document.line("fees", index, "percent"), message=message, hint="keep one of them"
        )
    if fee.amount is None and fee.percent is None:
        message = f"the fee {quoted(fee.name)} has neither an amount nor a percentage"
        hint = "write `amount: 500.00` or `percent: 2.5%`"
        yield Problem(source=document.line("fees", index), message=message, hint=hint)
    if fee.amount is not None:
        yield from too_fine(
            fee.amount,
            fee.name,
            file.currency,
            file.decimals,
            document.line("fees", index, "amount"),
        )


def _named_twice(fees: Iterable[FeeSection], document: YamlDocument) -> Iterator[Problem]:
    """Report fees of one name: they could not be told apart on an invoice."""
    seen: dict[str, str] = {}
    for index, fee in enumerate(fees):
        line = document.line("fees", index, "name")
        if other := seen.get(fee.name):
            message = f"two fees are named {quoted(fee.name)}, the other in {other}, "
            message += "and could not be told apart on an invoice"
            yield Problem(
                source=line,
                message=message,
                hint="rename one of them",
            )
        seen.setdefault(fee.name, line)


def _memo_problems(
    memo: MemoCurrency, code: str, currency: str, document: YamlDocument
) -> Iterator[Problem]:
    if memo.currency == currency:
        message = f"{quoted(code)} is charged in {currency} already"
        hint = "name another currency, or remove it"
        yield Problem(
            source=document.line("memo_currency", code, "currency"), message=message, hint=hint
        )
    if not memo.rates:
        message = f"{quoted(code)} has no rate of {memo.currency}"
        rate = f"what one {currency} is in {memo.currency}"
        hint = f"write {rate} from a date on, such as `2025-12-05: 155.20`"
        yield Problem(source=memo.source, message=message, hint=hint)


def _named(file: RatesFile, document: YamlDocument) -> Iterator[tuple[str, str]]:
    """Give every cost center that rates.yaml names, and where."""
    for index, fee in enumerate(file.fees):
        for place, code in enumerate(fee.to or ()):
            yield code, document.line("fees", index, "to", place)
    for index, transfer in enumerate(file.transfers):
        yield transfer.from_, document.line("transfers", index, "from")
        yield transfer.to, document.line("transfers", index, "to")
    for code in file.memo_currency:
        yield code, document.line("memo_currency", code)
