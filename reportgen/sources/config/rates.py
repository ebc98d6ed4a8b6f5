"""rates.yaml turned into the rate card."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise

from reportgen.core.model import ANY_PRODUCT, Price, RateCard, Recover, Tier, VendorInvoice
from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.sources.config.currency import too_fine
from reportgen.sources.config.dates import out_of_order
from reportgen.sources.config.fees import read_fees, read_memo_currencies, read_transfers
from reportgen.sources.config.files import short_name
from reportgen.sources.config.schema import RatesFile
from reportgen.sources.config.yamldoc import YamlDocument

WAYS = ("prices", "tiers", "recover")


def not_one_way(document: YamlDocument) -> list[Problem]:
    """Report a card that does not say in exactly one way what an ACU costs."""
    given = [key.text for key, _ in document.root.entries if key.text in WAYS]
    if not given:
        hint = f"add one of: {', '.join(WAYS)}"
        return [
            Problem(source=document.line(), message="nothing says what an ACU costs", hint=hint)
        ]
    return [
        Problem(
            source=document.line(way),
            message=f"both {quoted(given[0])} and {quoted(way)} say what an ACU costs",
            hint="keep one of them",
        )
        for way in given[1:]
    ]


def read_rates(file: RatesFile, document: YamlDocument) -> tuple[RateCard, list[Problem]]:
    """Give the rate card, and every problem with file:line."""
    prices = {product: _prices(product, value, document) for product, value in file.prices.items()}
    fees, fee_problems = read_fees(file, document)
    transfers, transfer_problems = read_transfers(file, document)
    memo_currencies, memo_problems = read_memo_currencies(file, document)
    card = RateCard(
        currency=file.currency,
        decimals=file.decimals,
        prices=prices,
        tiers=_tiers(file, document),
        recover=Recover(weights=file.recover.weights, source=document.line("recover"))
        if file.recover
        else None,
        fees=fees,
        transfers=transfers,
        memo_currencies=memo_currencies,
        vendor_invoices=_vendor_invoices(file, document),
        contract=file.contract,
        source=document.line(next((way for way in WAYS if way in document.root.places), WAYS[0])),
    )
    problems = [
        *(problem for product in prices for problem in out_of_order(prices[product], product)),
        *_tier_problems(card, document),
        *_vendor_problems(card),
        *_recover_problems(card, document),
    ]
    return card, [*problems, *fee_problems, *transfer_problems, *memo_problems]


def _prices(
    product: str, value: Decimal | dict[date, Decimal], document: YamlDocument
) -> tuple[Price, ...]:
    if isinstance(value, Decimal):
        return (Price(date.min, value, document.line("prices", product)),)
    return tuple(
        Price(start, price, document.line("prices", product, start.isoformat()))
        for start, price in value.items()
    )


def _tiers(file: RatesFile, document: YamlDocument) -> tuple[Tier, ...]:
    return tuple(
        Tier(tier.up_to, tier.price, document.line("tiers", index))
        for index, tier in enumerate(file.tiers)
    )


def _vendor_invoices(file: RatesFile, document: YamlDocument) -> dict[date, VendorInvoice]:
    return {
        start: VendorInvoice(
            number=section.number,
            amount=section.amount,
            acus=section.acus,
            source=document.line("vendor_invoices", start.isoformat()),
            document=short_name(section.document) if section.document else None,
        )
        for start, section in file.vendor_invoices.items()
    }


def _tier_problems(card: RateCard, document: YamlDocument) -> Iterator[Problem]:
    """Report tiers that are out of order or endless before the last, and usage without a price."""
    ends = [
        (tier.up_to, document.line("tiers", index, "up_to"))
        for index, tier in enumerate(card.tiers)
    ]
    for end, line in ends[:-1]:
        if end is None:
            message = "a tier without `up_to` stands before another, which is never reached"
            yield Problem(source=line, message=message, hint="give it an `up_to`, or put it last")
    for (earlier, _), (later, line) in pairwise(ends):
        if earlier is not None and later is not None and later <= earlier:
            message = f"the tiers are out of order: {later:f} comes after {earlier:f}"
            yield Problem(
                source=line, message=message, hint="put the smallest `up_to` first, each once"
            )
    if ends and ends[-1][0] is not None:
        message = f"usage beyond {ends[-1][0]:f} ACUs would have no price"
        hint = "take `up_to` out of the last tier, or add a tier without it"
        yield Problem(source=ends[-1][1], message=message, hint=hint)


def _vendor_problems(card: RateCard) -> Iterator[Problem]:
    hint = "write the amount as it stands on the vendor's invoice"
    for invoice in card.vendor_invoices.values():
        if invoice.amount is not None:
            yield from too_fine(
                invoice.amount, invoice.number, card.currency, card.decimals, invoice.source, hint
            )


def _recover_problems(card: RateCard, document: YamlDocument) -> Iterator[Problem]:
    """Report what cannot be recovered, and a weight that would be of no product."""
    if card.recover is None:
        return
    if ANY_PRODUCT in card.recover.weights:
        message = '"*" has no weight: a product that is not listed weighs 1'
        hint = "name the products that weigh otherwise"
        line = document.line("recover", "weights", ANY_PRODUCT)
        yield Problem(source=line, message=message, hint=hint)
    for invoice in card.vendor_invoices.values():
        if invoice.amount is None:
            number = quoted(invoice.number)
            message = f"the vendor's invoice {number} is to be recovered, and has no amount"
            yield Problem(
                source=invoice.source,
                message=message,
                hint="write its `amount`: that is what is recovered",
            )
