"""rates.yaml turned into the rate card."""

from datetime import date
from decimal import Decimal

from babel.numbers import get_currency_precision

from reportgen.core.model import Price, RateCard, VendorInvoice
from reportgen.core.money import decimals_of
from reportgen.core.problem import Problem, quoted
from reportgen.sources.dated import out_of_order
from reportgen.sources.schema import RatesFile
from reportgen.sources.yamldoc import Document

WAYS = ("prices", "tiers", "recover")


def two_ways(document: Document) -> list[Problem]:
    """Report a card that says in two ways what an ACU costs."""
    given = [key.text for key, _ in document.root.entries if key.text in WAYS]
    message = f"both {quoted(given[0])} and {quoted(given[-1])} say what an ACU costs" if given else ""
    hint = 'keep one; this version supports "prices"'
    return [Problem(source=document.line(given[-1]), message=message, hint=hint)] if len(given) > 1 else []


def read_rates(file: RatesFile, document: Document) -> tuple[RateCard, list[Problem]]:
    """Give the rate card, and every problem with file:line."""
    prices = {product: _prices(product, value, document) for product, value in file.prices.items()}
    card = RateCard(
        currency=file.currency,
        decimals=get_currency_precision(file.currency),
        prices=prices,
        vendor_invoices={
            start: VendorInvoice(**section.model_dump(), source=document.line("vendor_invoices", start.isoformat()))
            for start, section in file.vendor_invoices.items()
        },
        contract=file.contract,
        source=document.line("prices"),
    )
    problems = [problem for product, found in prices.items() for problem in out_of_order(found, product)]
    return card, [*problems, *_too_fine(card)]


def _too_fine(card: RateCard) -> list[Problem]:
    """Report amounts with more decimals than their currency has."""
    return [
        Problem(
            source=found.source,
            message=f"the amount {found.amount} of {quoted(found.number)} has more decimals than {card.currency} has",
            hint="write the amount as it stands on the vendor's invoice",
        )
        for found in card.vendor_invoices.values()
        if found.amount is not None and decimals_of(found.amount) > card.decimals
    ]


def _prices(product: str, value: Decimal | dict[date, Decimal], document: Document) -> tuple[Price, ...]:
    if isinstance(value, Decimal):
        return (Price(date.min, value, document.line("prices", product)),)
    return tuple(
        Price(start, price, document.line("prices", product, start.isoformat())) for start, price in value.items()
    )
