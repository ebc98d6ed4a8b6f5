"""The cycle over all cost centers, assembled from its parts."""

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as MappingOf
from decimal import Decimal

from reportgen.core.invoice import NOBODY, charge, detail_by_cost_center, invoice, sum_by
from reportgen.core.model import (
    Allocation,
    Heading,
    InvoiceLine,
    Mapping,
    RateCard,
    Statement,
    Unallocated,
    Usage,
)
from reportgen.core.money import ZERO, add, plain, round_half_up, total
from reportgen.core.problem import Problem, quoted
from reportgen.core.tieout import tie_out, tie_out_rows, vendor_difference


def statement(
    heading: Heading,
    usage: Usage,
    allocations: Sequence[Allocation],
    mapping: Mapping,
    card: RateCard,
    numbers: MappingOf[str, str],
) -> tuple[Statement, list[Problem]]:
    """Charge the allocations, and set the result against the control total and the vendor's invoice.

    `numbers` gives the invoice number of every cost center, used or not.
    """
    detail = detail_by_cost_center(allocations)
    charges = charge(detail, usage.control, card)
    invoices = tuple(
        invoice(
            center,
            numbers[center.code],
            charges.lines.get(center.code, ()),
            detail.get(center.code, ()),
            card.decimals,
        )
        for center in sorted(mapping.cost_centers, key=lambda center: center.code)
    )
    lines = [line for found in charges.lines.values() for line in found]
    rows = tie_out_rows(usage, allocations)
    vendor_invoice = card.vendor_invoices.get(heading.cycle.start)
    tie = tie_out(
        usage,
        rows,
        invoices,
        chargeable_amount=charges.chargeable_amount,
        unborne_amount=_amount(charges.lines.get(NOBODY, ()), card),
        card=card,
        vendor_invoice=vendor_invoice,
    )
    result = Statement(
        heading=heading,
        control_by_product=sum_by((product, acus) for (_, product), acus in usage.control.items()),
        invoices=invoices,
        unallocated=_unallocated(allocations, lines, mapping, card),
        discrepancies=usage.discrepancies,
        tie_out=tie,
        tie_out_rows=rows,
    )
    return result, [*vendor_difference(tie, vendor_invoice), *_unpriced(lines, card)]


def _unallocated(
    allocations: Iterable[Allocation], lines: Iterable[InvoiceLine], mapping: Mapping, card: RateCard
) -> Unallocated:
    found = [line for line in lines if line.kind == "unallocated"]
    return Unallocated(
        cost_center=mapping.unallocated,
        acus=total(line.acus for line in found),
        amount=_amount(found, card),
        by_product=sum_by((line.product, line.acus) for line in found),
        by_cause=sum_by((item.cause, item.quantity) for item in allocations if item.kind == "unallocated"),
    )


def _amount(lines: Iterable[InvoiceLine], card: RateCard) -> Decimal:
    return add(total(line.amount for line in lines), round_half_up(ZERO, card.decimals))


def _unpriced(lines: Iterable[InvoiceLine], card: RateCard) -> list[Problem]:
    """Warn of products that the rate card has no price for: shown with their ACUs, charged nothing."""
    acus = sum_by((line.product, line.acus) for line in lines if line.unit_price is None)
    return [
        Problem(
            source=card.source,
            message=f"{plain(quantity)} ACUs of product {quoted(product)} have no price in this cycle",
            hint='give it a price, or a price to "*", any other product',
            warning=True,
        )
        for product, quantity in acus.items()
    ]
