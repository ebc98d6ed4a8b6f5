"""What an invoice charges besides usage, and what its amounts are set against, as documents show them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from reportgen.core.model import CostCenter, Invoice, InvoiceLine, LineKind, Subtotal
from reportgen.core.money import ONE, ZERO, multiply, ratio, total
from reportgen.documents.content.labels import NO_DAY, Word
from reportgen.documents.content.slots import CellValue

HUNDRED = Decimal(100)
SHARE_DECIMALS = 4
MONTH_FIELDS = ("month", "acus", "amount")


@dataclass(frozen=True, kw_only=True, slots=True)
class FurtherRow:
    """A fee, a transfer or a part of a pool; `part` is a fraction of 1, `partner` the other cost center."""

    line: InvoiceLine
    part: Decimal | None = None
    partner: CostCenter | None = None
    across: bool = False

    @property
    def given(self) -> bool:
        """Tell whether the line takes an amount off the invoice."""
        return self.line.amount < 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """A budget of a cycle and what is used of it; `bar` is how far a bar of 100 is filled."""

    amount: Decimal
    used: Decimal | None
    exceeded: bool
    bar: str


def further_rows(invoice: Invoice, centers: Mapping[str, CostCenter]) -> tuple[FurtherRow, ...]:
    """Give the lines behind which no ACUs stand; `centers` are all cost centers by code."""
    return tuple(
        _further(line, invoice.cost_center, centers) for line in invoice.lines if not line.of_usage
    )


def across_entities(
    invoices: Iterable[Invoice], centers: Mapping[str, CostCenter]
) -> frozenset[str]:
    """Give the codes of those who charge, or are charged by, a cost center of another entity."""
    found = set()
    for invoice in invoices:
        for row in further_rows(invoice, centers):
            if row.across and row.partner:
                found |= {invoice.cost_center.code, row.partner.code}
    return frozenset(found)


def amount_of(lines: Iterable[InvoiceLine], *kinds: LineKind) -> Decimal:
    """Add up the lines of some kinds."""
    return total(line.amount for line in lines if line.kind in kinds)


def budget_of(amount: Decimal, budget: Decimal | None) -> Budget | None:
    """Set an amount against a budget, if there is one."""
    if budget is None:
        return None
    used = ratio(amount, budget, SHARE_DECIMALS)
    filled = min(HUNDRED, max(ZERO, multiply(used or ZERO, HUNDRED)))
    return Budget(amount=budget, used=used, exceeded=amount > budget, bar=f"{filled.normalize():f}")


def calendar_months(subtotals: tuple[Subtotal, ...]) -> tuple[Subtotal, ...]:
    """Give the subtotals where they tell more than the total: by more than one month."""
    return subtotals if sum(1 for found in subtotals if found.name) > 1 else ()


def first_day(month: str) -> date:
    """Give the first day of a calendar month.

    >>> first_day("2025-12")
    datetime.date(2025, 12, 1)
    """
    return date.fromisoformat(f"{month}-01")


def month_cells(subtotal: Subtotal, word: Word) -> Sequence[CellValue]:
    """Write a calendar month by its first day, which a workbook shows as it likes."""
    return (
        first_day(subtotal.name) if subtotal.name else word(NO_DAY),
        subtotal.acus,
        subtotal.amount,
    )


def day_fields(products: Sequence[str]) -> tuple[str, ...]:
    """Name the columns of days by product.

    >>> day_fields(["cascade", "devin"])
    ('day', 'product1', 'product2', 'acus')
    """
    return "day", *(f"product{number}" for number, _ in enumerate(products, start=1)), "acus"


def holders(subtotals: tuple[Subtotal, ...]) -> tuple[Subtotal, ...]:
    """Give the subtotals where there is any department or entity."""
    return subtotals if any(found.name for found in subtotals) else ()


def fraction_of(share: str | None) -> Decimal | None:
    """Read a share as it is written on a line, `0.6` or `1/3`, for display.

    >>> fraction_of("0.6"), fraction_of("2/3")
    (Decimal('0.6'), Decimal('0.6667'))
    """
    if share is None:
        return None
    part, divided, whole = share.partition("/")
    return (
        ratio(Decimal(part), Decimal(whole), SHARE_DECIMALS)
        if divided
        else multiply(Decimal(part), ONE)
    )


def _further(line: InvoiceLine, own: CostCenter, centers: Mapping[str, CostCenter]) -> FurtherRow:
    partner = centers.get(line.counterpart) if line.counterpart else None
    across = bool(partner and partner.entity and own.entity and partner.entity != own.entity)
    return FurtherRow(line=line, part=fraction_of(line.share), partner=partner, across=across)
