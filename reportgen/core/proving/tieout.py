"""The proof that nothing is lost or counted twice, in figures that come from different places.

The control total comes from the enterprise view, the allocated and unallocated parts from the
allocations, the chargeable amount from the control total and the rate card, the invoiced amount
from the invoices.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from reportgen.core.charging.charges import CycleCharges
from reportgen.core.charging.invoice import UNBORNE, sum_by, sum_of
from reportgen.core.model import (
    Allocation,
    Cell,
    Invoice,
    RateCard,
    TieOut,
    TieOutRow,
    Usage,
    VendorInvoice,
)
from reportgen.core.money import ZERO, add, decimals_of, round_half_up, subtract, total
from reportgen.core.problem import Problem


def tie_out_rows(usage: Usage, allocations: Iterable[Allocation]) -> tuple[TieOutRow, ...]:
    """Compare the allocations with the control total, day by day and product by product."""
    parts: dict[str, dict[Cell, Decimal]] = {"usage": {}, "unallocated": {}}
    for allocation in allocations:
        cell, sums = (allocation.record.day, allocation.record.product), parts[allocation.kind]
        sums[cell] = add(sums.get(cell, ZERO), allocation.quantity)
    cells = sorted({*usage.control, *parts["usage"], *parts["unallocated"]})
    return tuple(
        _row(
            cell,
            usage.control.get(cell, ZERO),
            parts["usage"].get(cell, ZERO),
            parts["unallocated"].get(cell, ZERO),
        )
        for cell in cells
    )


def tie_out(
    usage: Usage,
    rows: Sequence[TieOutRow],
    invoices: Sequence[Invoice],
    charges: CycleCharges,
    *,
    card: RateCard,
    vendor_invoice: VendorInvoice | None,
) -> TieOut:
    """Put the terms of both identities beside each other.

    ACUs: control = allocated + unallocated (`difference_acus` is gross, so that days never cancel
    out). Amounts: chargeable + fees = invoiced + unborne.
    """
    invoiced = add(
        total(invoice.amount for invoice in invoices), round_half_up(ZERO, card.decimals)
    )
    unborne_amount = sum_of(charges.lines.get(UNBORNE, ()), card.decimals)
    vendor_amount = vendor_invoice.amount if vendor_invoice else None
    return TieOut(
        control_acus=total(usage.control.values()),
        allocated_acus=total(row.allocated for row in rows),
        unallocated_acus=total(row.unallocated for row in rows),
        difference_acus=total(row.difference.copy_abs() for row in rows),
        within_tolerance_acus=usage.within_tolerance,
        balancing_acus=total(acus.copy_abs() for acus in usage.balancing.values()),
        balancing_by_product=sum_by(
            (product, acus) for (_, product), acus in usage.balancing.items()
        ),
        chargeable_amount=charges.chargeable_amount,
        fees_amount=charges.fees_amount,
        invoiced_amount=invoiced,
        unborne_amount=unborne_amount,
        difference_amount=subtract(
            add(charges.chargeable_amount, charges.fees_amount), add(invoiced, unborne_amount)
        ),
        vendor_invoice_acus=vendor_invoice.acus if vendor_invoice else None,
        vendor_invoice_amount=vendor_amount,
        over_recovery_amount=None if vendor_amount is None else subtract(invoiced, vendor_amount),
        unpriced_acus=total(unpriced(charges).values()),
    )


def unpriced(charges: CycleCharges) -> dict[str, Decimal]:
    """Add up by product what has no price; gross, as a credit on one line pays for no other."""
    return sum_by(
        (line.product, line.acus.copy_abs())
        for lines in charges.lines.values()
        for line in lines
        if line.of_usage and line.unit_price is None
    )


def vendor_difference(tie: TieOut, vendor_invoice: VendorInvoice | None) -> list[Problem]:
    """Warn where the vendor invoiced other ACUs than the control total, at the decimals written."""
    if vendor_invoice is None or vendor_invoice.acus is None:
        return []
    control = round_half_up(tie.control_acus, decimals_of(vendor_invoice.acus))
    if control == vendor_invoice.acus:
        return []
    return [
        Problem(
            source=vendor_invoice.source,
            message=f"the vendor's invoice {vendor_invoice.number} has {vendor_invoice.acus} ACUs, "
            f"the control total {control}",
            hint="ask the vendor, or collect again: past days may have been restated",
            warning=True,
            code="vendor-acus-differ",
        )
    ]


def _row(cell: Cell, control: Decimal, allocated: Decimal, unallocated: Decimal) -> TieOutRow:
    day, product = cell
    difference = subtract(control, add(allocated, unallocated))
    return TieOutRow(day, product, control, allocated, unallocated, difference)
