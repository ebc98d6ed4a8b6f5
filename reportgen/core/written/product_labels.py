"""What products are called in documents, where the configuration has another name for them.

A statement is given with its products by their labels, so that whatever is drawn of it has them;
what machines read is made of the statement as it was. Law: no figure moves, and no two products
get one name, so that nothing is added up under it: a label that another product of the cycle is
called by already stands with the product's own name beside it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from reportgen.core.charging.credit_notes import Notes
from reportgen.core.model import (
    CostCenterChange,
    CreditNoteAmounts,
    DetailRow,
    Invoice,
    Statement,
    Variance,
)
from reportgen.core.packed import Packing

V = TypeVar("V")
Called = Mapping[str, str]
"""What each product of a cycle is called."""


def labelled(statement: Statement) -> Statement:
    """Give a statement whose products are called as its heading says."""
    if not any(product.label for product in statement.heading.products):
        return statement
    names, packing = names_of(statement), Packing(DetailRow)
    heading = statement.heading
    told = (one._replace(label=_name(one.product, names)) for one in heading.products)
    return replace(
        statement,
        heading=replace(heading, products=tuple(told)),
        control_by_product=_by_name(statement.control_by_product, names),
        invoices=tuple(_invoice(invoice, names, packing) for invoice in statement.invoices),
        unallocated=replace(
            statement.unallocated, by_product=_by_name(statement.unallocated.by_product, names)
        ),
        discrepancies=tuple(
            replace(one, product=_name(one.product, names)) for one in statement.discrepancies
        ),
        tie_out=replace(
            statement.tie_out,
            balancing_by_product=_by_name(statement.tie_out.balancing_by_product, names),
        ),
        tie_out_rows=tuple(
            row._replace(product=_name(row.product, names)) for row in statement.tie_out_rows
        ),
        unpriced=tuple(
            replace(one, product=_name(one.product, names)) for one in statement.unpriced
        ),
        variance=_variance(statement.variance, names) if statement.variance else None,
    )


def labelled_notes(notes: Notes, statement: Statement) -> dict[str, CreditNoteAmounts]:
    """Give the notes that are issued, by cost center, with products as the statement calls them."""
    names = names_of(statement)
    return {
        code: replace(
            amounts,
            lines=tuple(
                replace(line, product=_name(line.product, names)) for line in amounts.lines
            ),
        )
        for code, amounts in notes.issued.items()
    }


def names_of(statement: Statement) -> dict[str, str]:
    """Give what each product of a cycle is called; those that keep their own name included."""
    labels = {one.product: one.label for one in statement.heading.products if one.label}
    called = {product: labels.get(product, product) for product in _products(statement)} | labels
    counted = Counter(called.values())
    return {
        product: f"{name} ({product})" if counted[name] > 1 and name != product else name
        for product, name in called.items()
    }


def _products(statement: Statement) -> set[str]:
    changes = statement.variance.by_cost_center.values() if statement.variance else ()
    return {
        *statement.control_by_product,
        *(row.product for row in statement.tie_out_rows),
        *(line.product for made in statement.invoices for line in made.lines if line.product),
        *(one.product for change in changes for one in change.by_product),
    }


def _name(product: str, names: Called) -> str:
    return names.get(product, product)


def _by_name(values: Mapping[str, V], names: Called) -> dict[str, V]:
    return {_name(product, names): value for product, value in values.items()}


def _invoice(invoice: Invoice, names: Called, packing: Packing[DetailRow]) -> Invoice:
    detail = (row._replace(product=_name(row.product, names)) for row in invoice.detail)
    return replace(
        invoice,
        lines=tuple(replace(line, product=_name(line.product, names)) for line in invoice.lines),
        by_product=_by_name(invoice.by_product, names),
        by_principal=tuple(
            replace(usage, by_product=_by_name(usage.by_product, names))
            for usage in invoice.by_principal
        ),
        detail=packing.packed(detail),
    )


def _variance(variance: Variance, names: Called) -> Variance:
    def renamed(change: CostCenterChange) -> CostCenterChange:
        by_product = (replace(one, product=_name(one.product, names)) for one in change.by_product)
        return replace(change, by_product=tuple(by_product))

    changes = variance.by_cost_center.items()
    return replace(variance, by_cost_center={code: renamed(change) for code, change in changes})
