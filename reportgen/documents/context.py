"""What the templates of an invoice see: core types, put beside each other for one document."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Literal

from reportgen.core.invoice import sum_of
from reportgen.core.model import (
    Cell,
    CostCenter,
    DetailRow,
    Directory,
    Heading,
    Invoice,
    InvoiceLine,
    LineKind,
    Principal,
    PrincipalKind,
    PrincipalUsage,
    RunRate,
    Statement,
    Subtotal,
    TieOut,
)
from reportgen.core.money import ZERO, add, decimals_of, plain, printed, ratio, round_half_up, subtract, total
from reportgen.documents.charges import (
    MONTH_FIELDS,
    Budget,
    FurtherRow,
    across_entities,
    amount_of,
    budget_of,
    calendar_months,
    further_rows,
    month_cells,
)
from reportgen.documents.chart import Chart, colors, daily_chart
from reportgen.documents.comparison import InvoiceComparison, invoice_comparison
from reportgen.documents.layout import Slot
from reportgen.documents.sheetxml import CellValue

Holder = Literal["user", "service_user", "organization", "nobody"]


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageRow:
    """Who used how much: a person by name, with what tells them apart from others of that name."""

    holder: Holder
    label: str
    identity: str
    usage: PrincipalUsage


@dataclass(frozen=True, kw_only=True, slots=True)
class DayRow:
    """A billing day's ACUs by product, in the order of the document's products, and their sum."""

    day: date
    by_product: tuple[Decimal, ...]
    acus: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class InvoiceDocument:
    """One invoice."""

    heading: Heading
    invoice: Invoice
    tie_out: TieOut
    directory: Directory
    palette: Mapping[str, str]
    note: str | None = None
    further: tuple[FurtherRow, ...] = ()
    across_entities: bool = False
    effective_prices: bool = False
    fees_charged: bool = False
    comparison: InvoiceComparison | None = None
    run_rate: RunRate | None = None

    @property
    def cost_center(self) -> CostCenter:
        """Who is charged."""
        return self.invoice.cost_center

    @property
    def acus(self) -> Decimal:
        """Everything on the invoice, what is borne for nobody included."""
        return self.invoice.borne_acus

    @property
    def usage_lines(self) -> tuple[InvoiceLine, ...]:
        """The lines behind which ACUs stand."""
        return tuple(line for line in self.invoice.lines if line.of_usage)

    @property
    def usage_amount(self) -> Decimal:
        """What is charged for ACUs."""
        return sum_of(self.usage_lines, self.heading.decimals)

    @property
    def exact_amount(self) -> Decimal:
        """The lines of usage before rounding, as printed."""
        return printed(total(line.exact_amount for line in self.usage_lines))

    @property
    def rounding(self) -> Decimal:
        """What rounding added to usage, or took."""
        return subtract(self.usage_amount, self.exact_amount)

    @property
    def price_decimals(self) -> int:
        """How many decimals the longest unit price is printed with, so that the column aligns."""
        prices = (line.unit_price for line in self.usage_lines if line.unit_price is not None)
        return max((decimals_of(Decimal(plain(printed(price)))) for price in prices), default=0)

    @property
    def bears_unallocated(self) -> bool:
        """Tell whether usage that no rule assigns is on the invoice."""
        return any(line.kind == "unallocated" for line in self.usage_lines)

    @property
    def budget(self) -> Budget | None:
        """The budget of the cycle and what is used of it."""
        return budget_of(self.invoice.amount, self.cost_center.cycle_budget)

    @property
    def months(self) -> tuple[Subtotal, ...]:
        """ACUs and amount by calendar month, where the cycle spans more than one."""
        return calendar_months(self.invoice.by_month)

    def amount_of(self, kind: LineKind) -> Decimal:
        """Add up the lines of a kind."""
        return add(amount_of(self.invoice.lines, kind), round_half_up(ZERO, self.heading.decimals))

    @property
    def products(self) -> tuple[str, ...]:
        """The products of the invoice, by name."""
        return tuple(sorted({row.product for row in self.invoice.detail}))

    @property
    def usage_rows(self) -> list[UsageRow]:
        """Usage by user, the largest amount first."""
        rows = [_usage_row(usage, self.directory) for usage in self.invoice.by_principal]
        return sorted(rows, key=lambda row: (-row.usage.amount, -row.usage.acus, row.label, row.identity))

    @property
    def day_rows(self) -> list[DayRow]:
        """ACUs of every billing day."""
        cells = self._cells()
        products = self.products
        rows = []
        for day in self.heading.cycle.days():
            acus = tuple(cells.get((day, product), ZERO) for product in products)
            rows.append(DayRow(day=day, by_product=acus, acus=total(acus)))
        return rows

    @property
    def chart(self) -> Chart:
        """The daily chart."""
        return daily_chart(self._cells(), self.heading.cycle, self.palette)

    @property
    def share(self) -> Decimal:
        """The part of the control total that is on this invoice."""
        return ratio(self.acus, self.tie_out.control_acus, 4) or ZERO

    def days_of(self, line: InvoiceLine) -> tuple[date, date] | None:
        """Give the first and last billing day of a line whose product has lines at other prices too."""
        same = [found for found in self.invoice.lines if (found.kind, found.product) == (line.kind, line.product)]
        days = [
            row.day
            for row in self.invoice.detail
            if (row.kind, row.product, row.unit_price) == (line.kind, line.product, line.unit_price)
        ]
        return (min(days), max(days)) if len(same) > 1 and days else None

    def acus_of(self, product: str) -> Decimal:
        """ACUs of a product, over all days."""
        return total(row.acus for row in self.invoice.detail if row.product == product)

    def slots(self) -> dict[str, Slot]:
        """Give the rows that the workbook streams."""
        products = tuple(f"product{number}" for number, _ in enumerate(self.products, start=1))
        return {
            "users": Slot(USER_FIELDS, map(_user_cells, self.usage_rows)),
            "months": Slot(MONTH_FIELDS, map(month_cells, self.months)),
            "days": Slot(("day", *products, "acus"), ((row.day, *row.by_product, row.acus) for row in self.day_rows)),
            "detail": Slot(DETAIL_FIELDS, self._detail()),
        }

    def _detail(self) -> Iterator[Sequence[CellValue]]:
        for row in self.invoice.detail:
            holder, label, identity = _who(row.org_id, row.principal_kind, row.principal_id, self.directory)
            known = holder in {"user", "service_user"}
            organization = self.directory.organizations.get(row.org_id, row.org_id)
            yield (
                *(row.day, row.product, label if known else "", identity if known else "", organization),
                *(row.kind, row.acus, row.unit_price, row.exact_amount),
            )

    def _cells(self) -> dict[Cell, Decimal]:
        return _summed(self.invoice.detail)


USER_FIELDS = ("user", "identity", "kind", "acus", "amount")
DETAIL_FIELDS = ("day", "product", "user", "user_id", "organization", "kind", "acus", "unit_price", "exact_amount")


def invoice_documents(statement: Statement, directory: Directory, note: str | None) -> Iterator[InvoiceDocument]:
    """Give a document per invoice that is issued, each with only the names it needs."""
    palette = colors(statement.control_by_product)
    centers = {invoice.cost_center.code: invoice.cost_center for invoice in statement.invoices}
    across = across_entities(statement.invoices, centers)
    fees = any(line.kind == "fee" for invoice in statement.invoices for line in invoice.lines)
    for invoice in statement.invoices:
        if invoice.number:
            code = invoice.cost_center.code
            yield InvoiceDocument(
                heading=statement.heading,
                invoice=invoice,
                tie_out=statement.tie_out,
                directory=_excerpt(directory, invoice.detail),
                palette=palette,
                note=note,
                further=further_rows(invoice, centers),
                across_entities=code in across,
                effective_prices=statement.heading.effective_prices,
                fees_charged=fees,
                comparison=invoice_comparison(statement.variance, code, partial(_label, directory)),
                run_rate=_own(statement.run_rate, code),
            )


def _own(run_rate: RunRate | None, code: str) -> RunRate | None:
    """Give the run rate of one cost center."""
    return replace(run_rate, amount=run_rate.by_cost_center[code], by_cost_center={}) if run_rate else None


def _label(directory: Directory, principal: Principal) -> str:
    """Name somebody by a name, else an address, else the id."""
    entry = directory.entries.get(principal)
    return (entry.name or entry.email if entry else None) or principal.id


def _user_cells(row: UsageRow) -> Sequence[CellValue]:
    return row.label, row.identity, row.holder, row.usage.acus, row.usage.amount


def _summed(detail: Iterable[DetailRow]) -> dict[Cell, Decimal]:
    cells: dict[Cell, Decimal] = {}
    for row in detail:
        cells[row.day, row.product] = add(cells.get((row.day, row.product), ZERO), row.acus)
    return cells


def _excerpt(directory: Directory, detail: Iterable[DetailRow]) -> Directory:
    rows = list(detail)
    principals = {(row.principal_kind, row.principal_id) for row in rows}
    org_ids = {row.org_id for row in rows}
    return Directory(
        entries={key: entry for key, entry in directory.entries.items() if key in principals},
        organizations={key: name for key, name in directory.organizations.items() if key in org_ids},
    )


def _usage_row(usage: PrincipalUsage, directory: Directory) -> UsageRow:
    holder, label, identity = _who(usage.org_id, usage.principal_kind, usage.principal_id, directory)
    return UsageRow(holder=holder, label=label, identity=identity, usage=usage)


def _who(org_id: str, kind: str, principal_id: str, directory: Directory) -> tuple[Holder, str, str]:
    """Name a principal, or the organization where nobody is known."""
    if not principal_id:
        name = directory.organizations.get(org_id, org_id)
        return ("organization", name, org_id) if org_id else ("nobody", "", "")
    holder: PrincipalKind = "service_user" if kind == "service_user" else "user"
    entry = directory.entries.get(Principal(holder, principal_id))
    if entry is None:
        return holder, principal_id, ""
    identity = entry.email or principal_id
    return holder, entry.name or identity, identity if entry.name else ""
