"""What the templates of an invoice see: core types, put beside each other for one document."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from reportgen.core.charging.invoice import sum_by, sum_of
from reportgen.core.model import (
    CostCenter,
    DetailRow,
    DetailShown,
    Directory,
    Heading,
    Invoice,
    InvoiceLine,
    LineKey,
    LineKind,
    RunRate,
    SessionUse,
    Statement,
    Subtotal,
    TieOut,
    TieOutTold,
    UsersShown,
)
from reportgen.core.money import (
    ZERO,
    add,
    decimals_of,
    plain,
    printed,
    ratio,
    round_half_up,
    subtract,
    total,
)
from reportgen.documents.content.budget import Budget, budget_of
from reportgen.documents.content.charges import (
    FurtherList,
    FurtherRow,
    across_entities,
    amount_of,
    further_rows,
    listed_further,
)
from reportgen.documents.content.chart import Chart, colors, daily_chart
from reportgen.documents.content.comparison import InvoiceComparison, invoice_comparison
from reportgen.documents.content.detail import DetailPerson, detail_people
from reportgen.documents.content.labels import KINDS, Word
from reportgen.documents.content.paper import MOST_ROWS
from reportgen.documents.content.products import ProductRow, meanings, product_rows, products_of
from reportgen.documents.content.sessions import (
    PULL_REQUEST_FIELDS,
    SESSION_FIELDS,
    SessionList,
    pull_request_cells,
    session_cells,
    session_list,
)
from reportgen.documents.content.slots import CellValue, Slot
from reportgen.documents.content.subtotals import calendar_months, month_slot
from reportgen.documents.content.tags import TAG_FIELDS, TagList, tag_cells, tag_list
from reportgen.documents.content.tie_out import of_departments, tells_totals
from reportgen.documents.content.trend import Trend, begins, invoice_trend
from reportgen.documents.content.unit_costs import BoughtHere, invoice_unit_costs
from reportgen.documents.content.usage import (
    DETAIL_FIELDS,
    USER_FIELDS,
    DayRow,
    DetailLine,
    UsageRow,
    UserList,
    cells_of,
    day_cells,
    day_fields,
    day_rows,
    detail_cells,
    detail_lines,
    label_of,
    listed_users,
    usage_rows,
    user_cells,
)
from reportgen.documents.content.year import Year, year_of_invoice


@dataclass(frozen=True, kw_only=True, slots=True)
class InvoiceDocument:
    """One invoice.

    `users` says how people are shown, `detail` whether their days are; of a detail with more than
    `most_detail_rows` nothing is printed, and no other table on paper has more than `most_rows`.
    `tells_totals` says whether what the whole cycle comes to stands on it.
    """

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
    trend: Trend | None = None
    trend_begins: bool = False
    run_rate: RunRate | None = None
    year: Year | None = None
    unit_costs: BoughtHere | None = None
    users: UsersShown = "names"
    detail: DetailShown = "days"
    most_detail_rows: int = 1500
    most_rows: int = MOST_ROWS
    tells_totals: bool = True
    days_of_lines: Mapping[LineKey, tuple[date, date]] = field(default_factory=dict)

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
        """The lines behind which ACUs stand; those of one product in the order of their days."""
        lines = [line for line in self.invoice.lines if line.of_usage]
        return tuple(
            sorted(
                lines,
                key=lambda line: (line.kind != "usage", line.product, self.days_of(line) or ()),
            )
        )

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
        return price_decimals(line.unit_price for line in self.usage_lines)

    @property
    def several_prices(self) -> bool:
        """Tell whether lines of one product have several prices, which their days tell apart."""
        return any(self.days_of(line) for line in self.usage_lines)

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
    def meanings(self) -> tuple[tuple[str, str], ...]:
        """What its products are, as far as the configuration says."""
        return meanings(self.heading, self.products)

    @property
    def product_rows(self) -> tuple[ProductRow, ...]:
        """Every product with its ACUs on this invoice, and what is charged for it."""
        acus = sum_by((row.product, row.acus) for row in self.invoice.detail)
        return product_rows(self.products, acus, self.invoice.lines, self.palette)

    @property
    def usage_rows(self) -> list[UsageRow]:
        """Usage by user, the largest amount first."""
        return usage_rows(self.invoice.by_principal, self.directory)

    @property
    def listed_users(self) -> UserList:
        """Usage by user as a page lists it."""
        return listed_users(self.usage_rows, self.most_rows)

    @property
    def listed_further(self) -> FurtherList:
        """Fees, transfers and parts of pools as a page lists them."""
        return listed_further(self.further, self.most_rows)

    @property
    def sessions(self) -> SessionList | None:
        """The largest sessions; nothing where nobody wants them, or usage has none."""
        return session_list(self.invoice, self.directory, self.heading)

    @property
    def by_tag(self) -> TagList | None:
        """Usage by the tags of sessions; nothing where nobody wants it, or there is none."""
        return tag_list(self.invoice, self.heading)

    @property
    def prints_detail(self) -> bool:
        """Tell whether the detail is short enough to be printed; the workbook always has it."""
        return len(self.invoice.detail) <= self.most_detail_rows

    @property
    def detail_lines(self) -> list[DetailLine]:
        """Every row of the detail, those that differ in nothing but the day on one line."""
        return detail_lines(self.invoice.detail, self.directory)

    @property
    def detail_people(self) -> list[DetailPerson]:
        """The lines of the detail, below each person their own."""
        return detail_people(self.detail_lines, self.heading.cycle)

    @property
    def day_rows(self) -> list[DayRow]:
        """ACUs of every billing day."""
        return day_rows(self.invoice.detail, self.heading.cycle, self.products)

    @property
    def chart(self) -> Chart:
        """The daily chart."""
        return daily_chart(cells_of(self.invoice.detail), self.heading.cycle, self.palette)

    @property
    def share(self) -> Decimal:
        """The part of the control total that is on this invoice."""
        return ratio(self.acus, self.tie_out.control_acus, 4) or ZERO

    def days_of(self, line: InvoiceLine) -> tuple[date, date] | None:
        """Give the first and last billing day of a line whose product has several prices."""
        same = sum(
            1
            for other in self.invoice.lines
            if (other.kind, other.product) == (line.kind, line.product)
        )
        return self.days_of_lines.get(line.line_key) if same > 1 else None

    def acus_of(self, product: str) -> Decimal:
        """ACUs of a product, over all days."""
        return total(row.acus for row in self.invoice.detail if row.product == product)

    def slots(self, word: Word) -> dict[str, Slot]:
        """Give the rows that the workbook streams, codes as words of its language."""
        return {
            "products": Slot(
                PRODUCT_FIELDS, (self._product_cells(line, word) for line in self.usage_lines)
            ),
            "users": Slot(USER_FIELDS, (user_cells(row, word) for row in self.usage_rows)),
            "months": month_slot(self.months, word),
            "sessions": Slot(
                SESSION_FIELDS, session_cells(self.invoice.sessions.sessions, self.directory, word)
            ),
            "pull_requests": Slot(
                PULL_REQUEST_FIELDS, pull_request_cells(self.invoice.sessions.sessions, word)
            ),
            "tags": Slot(TAG_FIELDS, tag_cells(self.invoice.by_tag, word)),
            "days": Slot(day_fields(self.products), map(day_cells, self.day_rows)),
            "detail": Slot(DETAIL_FIELDS, detail_cells(self.invoice.detail, self.directory, word)),
        }

    def _product_cells(self, line: InvoiceLine, word: Word) -> Sequence[CellValue]:
        exact = printed(line.exact_amount)
        share = ratio(line.acus, self.acus, SHARE_DECIMALS_OF_LINES)
        return (
            *(line.product, word(KINDS[line.kind]), line.acus, share, line.unit_price),
            *(exact, subtract(line.amount, exact), line.amount),
            *(self.days_of(line) or (None, None)),
        )


WORKBOOK_DIGITS = 15
SHARE_DECIMALS_OF_LINES = 10  # so that the column adds up to one as far as it is shown
PRODUCT_FIELDS = (
    *("product", "kind", "acus", "share", "unit_price", "exact_amount", "rounding", "amount"),
    *("first_day", "last_day"),
)


def price_decimals(unit_prices: Iterable[Decimal | None]) -> int:
    """Count the decimals of the longest unit price as printed, up to what a workbook keeps."""
    prices = [price for price in unit_prices if price is not None]
    longest = max((decimals_of(Decimal(plain(printed(price)))) for price in prices), default=0)
    whole = max((price.adjusted() + 1 for price in prices), default=0)
    return min(longest, max(0, WORKBOOK_DIGITS - max(0, whole)))


class InvoiceDocuments:
    """Makes the document of an invoice when it is asked for, with only the names it needs.

    What all of them share is worked out once.
    """

    def __init__(
        self,
        statement: Statement,
        directory: Directory,
        note: str | None,
        *,
        users: UsersShown = "names",
        detail: DetailShown = "days",
        most_detail_rows: int = 1500,
        most_rows: int = MOST_ROWS,
        tie_out: TieOutTold = "own",
    ) -> None:
        """Take the cycle, who is who, and what documents show of it."""
        centers = {invoice.cost_center.code: invoice.cost_center for invoice in statement.invoices}
        lines = (line for invoice in statement.invoices for line in invoice.lines)
        self._statement, self._directory, self._centers = statement, directory, centers
        self._across = across_entities(statement.invoices, centers)
        self._entries = list(directory.entries.items())
        self._places: dict[tuple[str, str], int] = {
            principal: place for place, (principal, _) in enumerate(self._entries)
        }
        self._shared: dict[str, Any] = {
            "heading": statement.heading,
            "tie_out": of_departments(statement.tie_out, tie_out),
            "palette": colors(products_of(statement)),
            "note": note,
            "effective_prices": statement.heading.effective_prices,
            "fees_charged": any(line.kind == "fee" for line in lines),
            "users": users,
            "detail": detail,
            "most_detail_rows": most_detail_rows,
            "most_rows": most_rows,
            "tells_totals": tells_totals(statement.tie_out, tie_out),
        }

    def of(self, invoice: Invoice) -> InvoiceDocument:
        """Make the document of an invoice."""
        statement, code = self._statement, invoice.cost_center.code
        invoice = replace(invoice, detail=tuple(invoice.detail))  # gone through again and again
        label = partial(label_of, self._directory)
        return InvoiceDocument(
            **self._shared,
            invoice=invoice,
            directory=self._excerpt(invoice),
            further=further_rows(invoice, self._centers),
            across_entities=code in self._across,
            comparison=invoice_comparison(statement.variance, code, label),
            trend=invoice_trend(statement, code),
            trend_begins=begins(statement, code),
            run_rate=_own(statement.run_rate, code),
            year=year_of_invoice(statement, invoice.cost_center),
            unit_costs=invoice_unit_costs(statement, invoice),
            days_of_lines=_days_of_lines(invoice.detail),
        )

    def _excerpt(self, invoice: Invoice) -> Directory:
        """Give whoever stands on an invoice, in the order in which the directory has them."""
        rows: list[DetailRow | SessionUse] = [*invoice.detail, *invoice.sessions.sessions]
        names = self._directory.organizations
        principals = {(row.principal_kind, row.principal_id) for row in rows}
        org_ids = {row.org_id for row in rows}
        places = sorted(self._places[one] for one in principals & self._places.keys())
        return Directory(
            entries=dict(self._entries[place] for place in places),
            organizations={key: name for key, name in names.items() if key in org_ids},
        )


def invoice_documents(
    statement: Statement,
    directory: Directory,
    note: str | None,
    **shown: Any,  # noqa: ANN401
) -> Iterator[InvoiceDocument]:
    """Give a document per invoice that is issued; `shown` as `InvoiceDocuments` takes it."""
    documents = InvoiceDocuments(statement, directory, note, **shown)
    return (documents.of(invoice) for invoice in statement.invoices if invoice.number)


def _own(run_rate: RunRate | None, code: str) -> RunRate | None:
    """Give the run rate of one cost center."""
    return (
        replace(run_rate, amount=run_rate.by_cost_center[code], by_cost_center={})
        if run_rate
        else None
    )


def _days_of_lines(detail: Iterable[DetailRow]) -> dict[LineKey, tuple[date, date]]:
    """Give the first and last billing day of each line of usage."""
    days: dict[LineKey, tuple[date, date]] = {}
    for row in detail:
        first, last = days.get(row.line_key, (row.day, row.day))
        days[row.line_key] = min(first, row.day), max(last, row.day)
    return days
