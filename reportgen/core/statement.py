"""The cycle over all cost centers, assembled from its parts."""

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as MappingOf
from decimal import Decimal

from reportgen.core.cycle import BillingCycle
from reportgen.core.invoice import NOBODY, Charges, charge, detail_by_cost_center, invoice, sum_by
from reportgen.core.model import (
    Allocation,
    Heading,
    Invoice,
    InvoiceLine,
    Mapping,
    RateCard,
    Statement,
    Unallocated,
    Usage,
)
from reportgen.core.money import ZERO, add, fixed, round_half_up, shown, total
from reportgen.core.problem import Problem, quoted
from reportgen.core.rate import price_warnings
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
    charges, invoices = _charged(usage, allocations, mapping, card, numbers)
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
    warnings = [
        *vendor_difference(tie, vendor_invoice),
        *_misplaced_vendor_invoices(card, heading.cycle),
        *price_warnings(card, usage.control),
        *_unpriced(lines, card),
        *_unborne(result, mapping),
    ]
    return result, warnings


def _charged(
    usage: Usage,
    allocations: Iterable[Allocation],
    mapping: Mapping,
    card: RateCard,
    numbers: MappingOf[str, str],
) -> tuple[Charges, tuple[Invoice, ...]]:
    """Charge the allocations, and give every declared cost center its invoice, in the order of the codes."""
    detail = detail_by_cost_center(allocations)
    charges = charge(detail, usage.control, card)
    invoices = (
        invoice(
            center,
            numbers[center.code],
            charges.lines.get(center.code, ()),
            detail.get(center.code, ()),
            card.decimals,
        )
        for center in sorted(mapping.cost_centers, key=lambda center: center.code)
    )
    return charges, tuple(invoices)


def _unallocated(
    allocations: Iterable[Allocation], lines: Iterable[InvoiceLine], mapping: Mapping, card: RateCard
) -> Unallocated:
    found = [line for line in lines if line.kind == "unallocated"]
    return Unallocated(
        cost_center=mapping.unallocated,
        acus=total(line.acus for line in found),
        amount=_amount(found, card),
        by_product=sum_by((line.product, line.acus) for line in found),
        by_cause=sum_by(
            (allocation.cause, allocation.quantity) for allocation in allocations if allocation.kind == "unallocated"
        ),
    )


def _amount(lines: Iterable[InvoiceLine], card: RateCard) -> Decimal:
    return add(total(line.amount for line in lines), round_half_up(ZERO, card.decimals))


def _misplaced_vendor_invoices(card: RateCard, cycle: BillingCycle) -> list[Problem]:
    """Warn of a vendor's invoice that stands under a day inside the cycle: it is only found under the first."""
    return [
        Problem(
            source=found.source,
            message=f"the vendor's invoice {quoted(found.number)} stands under {start}, a day inside this cycle",
            hint=f"write it under {cycle.start}",
            warning=True,
        )
        for start, found in card.vendor_invoices.items()
        if start in cycle and start != cycle.start
    ]


def _unborne(result: Statement, mapping: Mapping) -> list[Problem]:
    """Warn of usage that no rule assigns and nobody pays."""
    if mapping.unallocated or not result.unallocated.acus:
        return []
    amount = f"{result.heading.currency} {fixed(result.tie_out.unborne_amount, result.heading.decimals)}"
    message = f"{shown(result.unallocated.acus)} ACUs ({amount}) are assigned by no rule and borne by nobody"
    hint = "give them rules (`check --cycle` lists them), or name who bears them with `unallocated:`"
    return [Problem(source=mapping.unallocated_source, message=message, hint=hint, warning=True)]


def _unpriced(lines: Iterable[InvoiceLine], card: RateCard) -> list[Problem]:
    """Warn of products that the rate card has no price for: shown with their ACUs, charged nothing."""
    acus = sum_by((line.product, line.acus) for line in lines if line.unit_price is None)
    return [
        Problem(
            source=card.source,
            message=f"{shown(quantity)} ACUs of product {quoted(product)} have no price in this cycle",
            hint='give it a price, or a price to "*", any other product',
            warning=True,
        )
        for product, quantity in acus.items()
    ]
