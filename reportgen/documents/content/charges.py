"""What an invoice charges besides usage: fees, transfers and parts of pools, as shown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from reportgen.core.model import CostCenter, Invoice, InvoiceLine, LineKind
from reportgen.core.money import ONE, ZERO, multiply, ratio, total
from reportgen.documents.content.paper import Others, others_of, parted

SHARE_DECIMALS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class FurtherRow:
    """A fee, a transfer or a part of a pool; `part` is of 1, `partner` the other cost center."""

    line: InvoiceLine
    part: Decimal | None = None
    partner: CostCenter | None = None
    across: bool = False

    @property
    def given(self) -> bool:
        """Tell whether the line takes an amount off the invoice."""
        return self.line.amount < 0


@dataclass(frozen=True, kw_only=True, slots=True)
class FurtherList:
    """The fees, transfers and parts of pools that a page lists, and what all `others` come to."""

    rows: tuple[FurtherRow, ...]
    others: Others | None


def listed_further(rows: Iterable[FurtherRow], most: int) -> FurtherList:
    """Give the rows of the largest amounts in their order, and what all others come to."""
    shown, others = parted(rows, most, lambda row: -abs(row.line.amount))
    return FurtherList(rows=shown, others=others_of([(ZERO, row.line.amount) for row in others]))


def further_rows(invoice: Invoice, centers: Mapping[str, CostCenter]) -> tuple[FurtherRow, ...]:
    """Give the lines behind which no ACUs stand; `centers` are all cost centers by code."""
    return tuple(
        _further(line, invoice.cost_center, centers) for line in invoice.lines if not line.of_usage
    )


def across_entities(
    invoices: Iterable[Invoice], centers: Mapping[str, CostCenter]
) -> frozenset[str]:
    """Give the codes of those who charge, or are charged by, a cost center of another entity."""
    codes = set()
    for invoice in invoices:
        for row in further_rows(invoice, centers):
            if row.across and row.partner:
                codes |= {invoice.cost_center.code, row.partner.code}
    return frozenset(codes)


def amount_of(lines: Iterable[InvoiceLine], *kinds: LineKind) -> Decimal:
    """Add up the lines of some kinds."""
    return total(line.amount for line in lines if line.kind in kinds)


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
