"""Subtotals over invoices: by department, entity, and calendar month of the billing days."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from reportgen.core.model import CostCenter, DetailRow, Invoice, InvoiceLine, LineKey, Subtotal
from reportgen.core.money import ZERO, add, round_half_up, round_to_total, total

NO_BILLING_DAY = ""
"""Stands where a month would, for fees, transfers and pools."""
_Months = dict[str, tuple[Decimal, Decimal]]
"""ACUs and an exact amount by calendar month."""


def by_holder(
    invoices: Iterable[Invoice], name_of: Callable[[CostCenter], str | None], decimals: int
) -> tuple[Subtotal, ...]:
    """Add up invoices by what `name_of` says of their cost centers, by name, none last."""
    groups: dict[str, list[Invoice]] = defaultdict(list)
    for invoice in invoices:
        groups[name_of(invoice.cost_center) or ""].append(invoice)
    return tuple(
        Subtotal(
            name=name,
            acus=total(invoice.borne_acus for invoice in held),
            amount=add(total(invoice.amount for invoice in held), round_half_up(ZERO, decimals)),
            cost_centers=tuple(invoice.cost_center.code for invoice in held),
        )
        for name, held in sorted(groups.items(), key=lambda group: (not group[0], group[0]))
    )


def by_month(
    lines: Sequence[InvoiceLine], detail: Sequence[DetailRow], decimals: int
) -> tuple[Subtotal, ...]:
    """Apportion each line of usage to the calendar months (2025-12) of its days: the column foots.

    Whatever has no billing day comes last.
    """
    rows = _months_of(detail)
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for line in lines:
        months = rows.get(line.line_key, {}) if line.of_usage else {}
        parts = sorted(months.items()) or [(NO_BILLING_DAY, (ZERO, line.exact_amount))]
        amounts = round_to_total([exact for _, (_, exact) in parts], line.amount, decimals)
        for (month, (acus, _)), amount in zip(parts, amounts, strict=True):
            before = sums.get(month, (ZERO, round_half_up(ZERO, decimals)))
            sums[month] = add(before[0], acus), add(before[1], amount)
    return _subtotals(sums)


def _months_of(detail: Iterable[DetailRow]) -> Mapping[LineKey, _Months]:
    """Add up the ACUs and exact amounts of each line by calendar month."""
    rows: dict[LineKey, _Months] = defaultdict(dict)
    for row in detail:
        months, month = rows[row.line_key], row.day.isoformat()[:7]
        acus, exact = months.get(month, (ZERO, ZERO))
        months[month] = add(acus, row.acus), add(exact, row.exact_amount)
    return rows


def over_all(invoices: Iterable[Invoice]) -> tuple[Subtotal, ...]:
    """Add up the months of all invoices."""
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for subtotal in (subtotal for invoice in invoices for subtotal in invoice.by_month):
        acus, amount = sums.get(subtotal.name, (ZERO, ZERO))
        sums[subtotal.name] = add(acus, subtotal.acus), add(amount, subtotal.amount)
    return _subtotals(sums)


def _subtotals(sums: dict[str, tuple[Decimal, Decimal]]) -> tuple[Subtotal, ...]:
    ordered = sorted(sums.items(), key=lambda named: (not named[0], named[0]))
    return tuple(Subtotal(name=name, acus=acus, amount=amount) for name, (acus, amount) in ordered)
