"""Two statements turned into changes: shared by all that compares cycles and mappings."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from reportgen.core.allocating.directory import principal_of
from reportgen.core.model import (
    Change,
    CostCenterChange,
    CostCenterTotals,
    CycleTotals,
    Invoice,
    InvoiceLine,
    Principal,
    ProductTotals,
    Statement,
    Variance,
)
from reportgen.core.money import add, subtract

NOTHING = ProductTotals()
MOST_EARLIER = 5
"""So many cycles are looked back upon: a trend has six with the one that is shown."""


def totals_of(statement: Statement) -> CycleTotals:
    """Give what a statement comes to, as far as it can be compared with another."""
    heading = statement.heading
    return CycleTotals(
        cycle=heading.cycle,
        status=heading.status,
        currency=heading.currency,
        decimals=heading.decimals,
        control_acus=statement.tie_out.control_acus,
        invoiced_amount=statement.tie_out.invoiced_amount,
        cost_centers={
            invoice.cost_center.code: _totals_of(invoice) for invoice in statement.invoices
        },
        unit_costs=statement.unit_costs,
    )


def by_product(lines: Iterable[InvoiceLine]) -> dict[str, ProductTotals]:
    """Add up lines of usage by product, whatever their unit price."""
    totals: dict[str, ProductTotals] = {}
    for line in lines:
        if line.of_usage:
            before = totals.get(line.product, NOTHING)
            totals[line.product] = ProductTotals(
                acus=add(before.acus, line.acus), amount=add(before.amount, line.amount)
            )
    return dict(sorted(totals.items()))


def changes(before: CycleTotals, after: CycleTotals) -> dict[str, CostCenterChange]:
    """Give what changed for every cost center that either statement knows, by code."""
    codes = sorted({*before.cost_centers, *after.cost_centers})
    return {
        code: _changed(code, before.cost_centers.get(code), after.cost_centers.get(code))
        for code in codes
    }


def set_against(statement: Statement, earlier: Sequence[CycleTotals]) -> Statement:
    """Set a statement against the cycles before it, oldest first; its change is that on the last.

    Amounts in different currencies cannot be compared: in another one than theirs, it stands alone.
    """
    if not earlier or earlier[-1].currency != statement.heading.currency:
        return statement
    before, after = earlier[-1], totals_of(statement)
    variance = Variance(
        previous=before,
        acus=subtract(after.control_acus, before.control_acus),
        amount=subtract(after.invoiced_amount, before.invoiced_amount),
        by_cost_center=changes(before, after),
    )
    return replace(statement, variance=variance, earlier=tuple(earlier))


def _totals_of(invoice: Invoice) -> CostCenterTotals:
    return CostCenterTotals(
        name=invoice.cost_center.name,
        acus=invoice.borne_acus,
        amount=invoice.amount,
        by_product=by_product(invoice.lines),
        principals=tuple(sorted({*_principals(invoice)})),
    )


def _principals(invoice: Invoice) -> Iterable[Principal]:
    for usage in invoice.by_principal:
        if usage.principal_id:
            yield principal_of(usage.principal_kind, usage.principal_id)


def _changed(
    code: str, before: CostCenterTotals | None, after: CostCenterTotals | None
) -> CostCenterChange:
    old, new = before or CostCenterTotals(name=""), after or CostCenterTotals(name="")
    products = sorted({*old.by_product, *new.by_product})
    return CostCenterChange(
        cost_center=code,
        name=new.name or old.name,
        whole=_change(code, "", _whole(old), _whole(new)),
        by_product=tuple(
            _change(
                code,
                product,
                old.by_product.get(product, NOTHING),
                new.by_product.get(product, NOTHING),
            )
            for product in products
        ),
        new=tuple(sorted({*new.principals}.difference(old.principals))),
        vanished=tuple(sorted({*old.principals}.difference(new.principals))),
    )


def _whole(totals: CostCenterTotals) -> ProductTotals:
    return ProductTotals(acus=totals.acus, amount=totals.amount)


def _change(code: str, product: str, before: ProductTotals, after: ProductTotals) -> Change:
    return Change(
        cost_center=code,
        product=product,
        before=before,
        after=after,
        acus=subtract(after.acus, before.acus),
        amount=subtract(after.amount, before.amount),
    )
