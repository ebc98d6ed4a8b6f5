"""What each template sees: core types, put beside each other for one document."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from reportgen.core.invoice import sum_by
from reportgen.core.model import (
    Cell,
    CostCenter,
    DetailRow,
    Directory,
    Heading,
    Invoice,
    InvoiceLine,
    Principal,
    PrincipalKind,
    PrincipalUsage,
    Statement,
    TieOut,
)
from reportgen.core.money import ZERO, add, printed, ratio, subtract, total
from reportgen.documents.chart import Chart, colors, daily_chart
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

    @property
    def cost_center(self) -> CostCenter:
        """Who is charged."""
        return self.invoice.cost_center

    @property
    def acus(self) -> Decimal:
        """Everything on the invoice, what is borne for nobody included."""
        return self.invoice.borne_acus

    @property
    def exact_amount(self) -> Decimal:
        """The lines before rounding, as printed."""
        return printed(total(line.exact_amount for line in self.invoice.lines))

    @property
    def rounding(self) -> Decimal:
        """What rounding added or took."""
        return subtract(self.invoice.amount, self.exact_amount)

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
COST_CENTER_FIELDS = ("code", "name", "invoice", "acus", "amount")
LINE_FIELDS = ("code", "name", "kind", "product", "acus", "unit_price", "exact_amount", "rounding", "amount")
TIE_OUT_FIELDS = ("day", "product", "control", "allocated", "unallocated", "difference")


@dataclass(frozen=True, kw_only=True, slots=True)
class StatementDocument:
    """The statement of a cycle."""

    statement: Statement
    palette: Mapping[str, str]
    note: str | None = None

    @property
    def heading(self) -> Heading:
        """What stands above every document."""
        return self.statement.heading

    @property
    def tie_out(self) -> TieOut:
        """The terms of both identities."""
        return self.statement.tie_out

    @property
    def products(self) -> tuple[str, ...]:
        """The products of the control total, by name."""
        return tuple(self.statement.control_by_product)

    @property
    def borne_acus(self) -> Decimal:
        """ACUs on all invoices."""
        return total(invoice.borne_acus for invoice in self.statement.invoices)

    @property
    def issued(self) -> int:
        """How many invoices there are."""
        return sum(1 for invoice in self.statement.invoices if invoice.number)

    @property
    def allocated_amount(self) -> Decimal:
        """What rules gave, as invoiced: all usage lines."""
        lines = (line for invoice in self.statement.invoices for line in invoice.lines)
        return total(line.amount for line in lines if line.kind == "usage")

    @property
    def invoiced_by_product(self) -> dict[str, Decimal]:
        """Amounts of all lines by product."""
        lines = [line for invoice in self.statement.invoices for line in invoice.lines]
        none = dict.fromkeys(self.products, ZERO)
        return none | sum_by((line.product, line.amount) for line in lines)

    @property
    def chart(self) -> Chart:
        """The control total day by day."""
        cells = {(row.day, row.product): row.control for row in self.statement.tie_out_rows}
        return daily_chart(cells, self.heading.cycle, self.palette)

    def slots(self) -> dict[str, Slot]:
        """Give the rows that the workbook streams."""
        invoices = self.statement.invoices
        return {
            "cost_centers": Slot(COST_CENTER_FIELDS, map(_cost_center_cells, invoices)),
            "lines": Slot(
                LINE_FIELDS, (_line_cells(invoice, line) for invoice in invoices for line in invoice.lines)
            ),
            "tie_out": Slot(TIE_OUT_FIELDS, self.statement.tie_out_rows),
        }


def invoice_documents(statement: Statement, directory: Directory, note: str | None) -> Iterator[InvoiceDocument]:
    """Give a document per invoice that is issued, each with only the names it needs."""
    palette = colors(statement.control_by_product)
    for invoice in statement.invoices:
        if invoice.number:
            yield InvoiceDocument(
                heading=statement.heading,
                invoice=invoice,
                tie_out=statement.tie_out,
                directory=_excerpt(directory, invoice.detail),
                palette=palette,
                note=note,
            )


def statement_document(statement: Statement, note: str | None) -> StatementDocument:
    """Give the document of the whole cycle."""
    return StatementDocument(statement=statement, palette=colors(statement.control_by_product), note=note)


def _user_cells(row: UsageRow) -> Sequence[CellValue]:
    return row.label, row.identity, row.holder, row.usage.acus, row.usage.amount


def _cost_center_cells(invoice: Invoice) -> Sequence[CellValue]:
    center = invoice.cost_center
    return center.code, center.name, invoice.number, invoice.borne_acus, invoice.amount


def _line_cells(invoice: Invoice, line: InvoiceLine) -> Sequence[CellValue]:
    center, exact = invoice.cost_center, printed(line.exact_amount)
    rounding = subtract(line.amount, exact)
    return (
        *(center.code, center.name, line.kind, line.product, line.acus),
        *(line.unit_price, exact, rounding, line.amount),
    )


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
