"""The products of a document, each with all that is shown of it.

Law: a product is listed once, whichever view of the cycle knows it, and comes with its own figures.
So no table that was made of one view is ever asked with a name from another: the vendor's total may
lack what an invoice has, credits may cancel it out, and an answer may come without a breakdown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from reportgen.core.charging.invoice import sum_by
from reportgen.core.model import Heading, InvoiceLine, Statement
from reportgen.core.money import ZERO
from reportgen.documents.content.chart import COLORS


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductRow:
    """A product: its colour, its ACUs, and the amount of its lines of usage."""

    product: str
    color: str
    acus: Decimal = ZERO
    amount: Decimal = ZERO


def meanings(heading: Heading, products: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Give what the products of a document are, by what they are called there."""
    shown = set(products)
    told = ((one.label or one.product, one.meaning) for one in heading.products if one.meaning)
    return tuple((name, meaning) for name, meaning in told if name in shown)


def products_of(statement: Statement) -> tuple[str, ...]:
    """Name the products of a cycle: of the control total, and of what is charged, by name."""
    compared = (row.product for row in statement.tie_out_rows)
    lines = (line for invoice in statement.invoices for line in invoice.lines if line.of_usage)
    charged = (line.product for line in lines)
    return tuple(sorted({*statement.control_by_product, *compared, *charged}))


def product_rows(
    products: Iterable[str],
    acus: Mapping[str, Decimal],
    lines: Iterable[InvoiceLine],
    palette: Mapping[str, str],
) -> tuple[ProductRow, ...]:
    """Put beside each product what it has of everything; what it has not comes to nothing."""
    amounts = amounts_of(lines)
    return tuple(
        ProductRow(
            product=product,
            color=palette.get(product, COLORS[-1]),
            acus=acus.get(product, ZERO),
            amount=amounts.get(product, ZERO),
        )
        for product in products
    )


def amounts_of(lines: Iterable[InvoiceLine]) -> dict[str, Decimal]:
    """Add up the lines of usage by product."""
    return sum_by((line.product, line.amount) for line in lines if line.of_usage)
