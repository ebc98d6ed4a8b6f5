"""What speaks against booking a cycle: an account that is not named, a day that is closed."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal

from reportgen.core.booking.journal import Posting, credit_account, entity_of
from reportgen.core.booking.vouchers import Voucher
from reportgen.core.model import CostCenter
from reportgen.core.problem import Problem
from reportgen.core.text import quoted


def unbookable(
    vouchers: Iterable[Voucher], centers: Iterable[CostCenter], posting: Posting
) -> Iterator[Problem]:
    """Report all of it at once."""
    vouchers = list(vouchers)
    by_code = {center.code: center for center in centers}
    booked = sorted({code for voucher in vouchers for code in _booked(voucher.amounts)})
    yield from _without_account([by_code[code] for code in booked])
    yield from _without_credit_account([by_code[code] for code in booked], posting)
    yield from _closed(vouchers, posting)


def _booked(amounts: Mapping[str, Decimal]) -> list[str]:
    return [code for code, amount in amounts.items() if amount]


def _without_account(centers: Iterable[CostCenter]) -> Iterator[Problem]:
    for center in centers:
        if not center.gl_account:
            message = (
                f"cost center {quoted(center.code)} has no account that its charges are booked on"
            )
            hint = 'add one, such as `gl_account: "6420"`'
            yield Problem(source=center.source, message=message, hint=hint)


def _without_credit_account(centers: Iterable[CostCenter], posting: Posting) -> Iterator[Problem]:
    """Report each entity once, with a cost center of it."""
    first: dict[str, str] = {}
    for center in centers:
        first.setdefault(entity_of(center, posting), center.code)
    for entity, code in sorted(first.items()):
        if credit_account(posting, entity):
            continue
        of = f"entity {quoted(entity)}" if entity else "cost centers without an entity"
        message = f'"credit_account": there is none for {of}, such as {quoted(code)}'
        hint = (
            f'add it, as in `{quoted(entity)}: "2999"`'
            if entity
            else "give them an `entity`, or name that of all who have none beside this key"
        )
        yield Problem(source=posting.sources["credit_account"], message=message, hint=hint)


def _closed(vouchers: Iterable[Voucher], posting: Posting) -> Iterator[Problem]:
    """Report days on which the ledger takes nothing any more."""
    until = posting.closed_through
    booked = sorted((one for one in vouchers if _booked(one.amounts)), key=_day)
    for voucher in booked if until else ():
        if until and voucher.posting_date <= until:
            day, hint = voucher.posting_date, f"{_remedy(voucher)}, or move `closed_through`"
            yield Problem(
                source=posting.sources["closed_through"],
                message=f"nothing can be booked on {day}: the ledger is closed through {until}",
                hint=hint,
            )


def _day(voucher: Voucher) -> date:
    return voucher.posting_date


def _remedy(voucher: Voucher) -> str:
    """Say how it is booked later; options that each say on which day do not go together."""
    if voucher.kind != "charge":
        return "accrue until a later day with --until"
    if voucher.mark:
        return "book all of it on a later day: --posting-date instead of --split-periods"
    return "name a later day with --posting-date"
