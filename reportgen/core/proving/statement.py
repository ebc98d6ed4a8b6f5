"""The cycle over all cost centers, assembled from its parts."""

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import replace
from decimal import Decimal

from reportgen.core.allocating.unallocated import unallocated_parts
from reportgen.core.charging.charges import CycleCharges
from reportgen.core.charging.invoice import invoice, sum_by, sum_of
from reportgen.core.charging.rollup import by_holder, over_all
from reportgen.core.charging.unused_products import card_warnings
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import (
    Allocation,
    Heading,
    Invoice,
    InvoiceLine,
    Mapping,
    Memo,
    MemoCurrency,
    RateCard,
    RunRate,
    Statement,
    TieOutRow,
    Unallocated,
    Unpriced,
    Usage,
)
from reportgen.core.money import (
    ZERO,
    both_sides,
    fixed,
    multiply,
    ratio,
    round_half_up,
    shown,
    total,
)
from reportgen.core.packed import packed
from reportgen.core.problem import Problem
from reportgen.core.proving.tieout import tie_out, tie_out_rows, unpriced, vendor_difference
from reportgen.core.text import quoted

A_DAY = Decimal(86400)


def statement(
    heading: Heading,
    usage: Usage,
    allocations: Sequence[Allocation],
    charges: CycleCharges,
    mapping: Mapping,
    *,
    card: RateCard,
    numbers: MappingOf[str, str],
) -> tuple[Statement, list[Problem]]:
    """Put the charges on invoices, and set them against the control total and the vendor's invoice.

    `numbers` gives the invoice number of every cost center, used or not.
    """
    invoices = _invoices(charges, mapping, card, numbers, heading.cycle)
    lines = [line for charged in charges.lines.values() for line in charged]
    orphans = packed(Allocation, (one for one in allocations if one.kind == "unallocated"))
    result = _assembled(
        heading,
        usage,
        charges,
        card,
        invoices=invoices,
        rows=tie_out_rows(usage, allocations),
        unallocated=_unallocated(orphans, lines, mapping, card),
    )
    return result, [
        *vendor_difference(result.tie_out, card.vendor_invoices.get(heading.cycle.start)),
        *card_warnings(card, usage.control),
        *_without_price(unpriced(charges), card),
        *_unborne(result, mapping, orphans),
    ]


def _assembled(
    heading: Heading,
    usage: Usage,
    charges: CycleCharges,
    card: RateCard,
    *,
    invoices: tuple[Invoice, ...],
    rows: tuple[TieOutRow, ...],
    unallocated: Unallocated,
) -> Statement:
    """Put the parts of a statement beside each other, and both sides of its tie-out."""
    vendor_invoice = card.vendor_invoices.get(heading.cycle.start)
    tie = tie_out(usage, rows, invoices, charges, card=card, vendor_invoice=vendor_invoice)
    return Statement(
        heading=heading,
        control_by_product=sum_by((product, acus) for (_, product), acus in usage.control.items()),
        invoices=invoices,
        unallocated=unallocated,
        discrepancies=usage.discrepancies,
        tie_out=tie,
        tie_out_rows=rows,
        by_department=by_holder(invoices, lambda center: center.department, card.decimals),
        by_entity=by_holder(invoices, lambda center: center.entity, card.decimals),
        by_month=over_all(invoices),
        run_rate=_run_rate(heading, invoices, tie.invoiced_amount),
        unpriced=_unpriced(charges, card),
        vendor_number=vendor_invoice.number if vendor_invoice else "",
        vendor_document=(vendor_invoice.document or "") if vendor_invoice else "",
    )


def _invoices(
    charges: CycleCharges,
    mapping: Mapping,
    card: RateCard,
    numbers: MappingOf[str, str],
    cycle: BillingCycle,
) -> tuple[Invoice, ...]:
    """Give every declared cost center its invoice, in the order of the codes."""
    invoices = []
    for center in sorted(mapping.cost_centers, key=lambda center: center.code):
        lines, detail = charges.lines.get(center.code, ()), charges.detail.get(center.code, ())
        made = invoice(center, numbers[center.code], lines, detail, card.decimals)
        memo = _memo(made, card.memo_currencies.get(center.code), cycle)
        invoices.append(replace(made, memo=memo))
    return tuple(invoices)


def _memo(made: Invoice, memo: MemoCurrency | None, cycle: BillingCycle) -> Memo | None:
    """Give the total in another currency, at the rate of the cycle's beginning, if there is one."""
    rates = [rate.units for rate in memo.rates if rate.start <= cycle.start] if memo else []
    if not memo or not rates or not made.number:
        return None
    amount = round_half_up(multiply(made.amount, rates[-1]), memo.decimals)
    return Memo(currency=memo.currency, decimals=memo.decimals, rate=rates[-1], amount=amount)


def _run_rate(heading: Heading, invoices: Iterable[Invoice], amount: Decimal) -> RunRate | None:
    """Carry an open cycle to its end at the pace so far; seconds are compared, days are shown."""
    elapsed = heading.elapsed_seconds
    if not heading.cycle_open or not elapsed:
        return None

    def at_the_end(spent: Decimal) -> Decimal:
        whole = multiply(spent, Decimal(heading.cycle.seconds()))
        return ratio(whole, Decimal(elapsed), heading.decimals) or spent

    return RunRate(
        elapsed_days=ratio(Decimal(elapsed), A_DAY, 1) or ZERO,
        days=heading.cycle.length(),
        amount=at_the_end(amount),
        by_cost_center={made.cost_center.code: at_the_end(made.amount) for made in invoices},
    )


def _unallocated(
    allocations: Sequence[Allocation],
    lines: Iterable[InvoiceLine],
    mapping: Mapping,
    card: RateCard,
) -> Unallocated:
    """Say what no rule assigns: these are the allocations of it."""
    unallocated = [line for line in lines if line.kind == "unallocated"]
    return Unallocated(
        cost_center=mapping.unallocated,
        acus=total(line.acus for line in unallocated),
        amount=sum_of(unallocated, card.decimals),
        by_product=sum_by((line.product, line.acus) for line in unallocated),
        by_cause=sum_by((allocation.cause, allocation.quantity) for allocation in allocations),
        parts=unallocated_parts(allocations, unallocated, card.decimals),
        source=mapping.unallocated_source,
    )


def _unborne(
    result: Statement, mapping: Mapping, allocations: Iterable[Allocation]
) -> list[Problem]:
    """Warn of usage that no rule assigns and nobody pays, also where a credit cancels it out."""
    acus = [one.quantity for one in allocations]
    if mapping.unallocated or not any(acus):
        return []
    amount = (
        f"{result.heading.currency} {fixed(result.tie_out.unborne_amount, result.heading.decimals)}"
    )
    message = f"{both_sides(acus)} ACUs ({amount}) are assigned by no rule and borne by nobody"
    hint = (
        "give them rules (`check --cycle` lists them), or name who bears them with `unallocated:`"
    )
    return [
        Problem(
            source=mapping.unallocated_source,
            message=message,
            hint=hint,
            warning=True,
            code="usage-unborne",
        )
    ]


def _unpriced(charges: CycleCharges, card: RateCard) -> tuple[Unpriced, ...]:
    return tuple(
        Unpriced(product=product, acus=acus, source=card.source)
        for product, acus in unpriced(charges).items()
    )


def _without_price(acus: MappingOf[str, Decimal], card: RateCard) -> list[Problem]:
    """Warn of products that have no price: shown with their ACUs, charged nothing."""
    return [
        Problem(
            source=card.source,
            message=f"{shown(quantity)} ACUs of product {quoted(product)} "
            "have no price in this cycle",
            hint='give it a price, or a price to "*", any other product',
            warning=True,
            code="product-unpriced",
        )
        for product, quantity in acus.items()
    ]
