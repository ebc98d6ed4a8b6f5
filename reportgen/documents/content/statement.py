"""What the templates of the statement see: every cost center, and what they come to together."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from reportgen.core.charging.invoice import sum_by
from reportgen.core.model import (
    CostCenterChange,
    Directory,
    Discrepancy,
    Heading,
    Invoice,
    InvoiceLine,
    Statement,
    Subtotal,
    TieOut,
)
from reportgen.core.money import ZERO, add, printed, round_half_up, subtract, total
from reportgen.core.sessions.unit_costs import Bought
from reportgen.documents.content.bearers import (
    Bearers,
    arrived_since,
    by_organization_slot,
    charged_by_organization,
    departed_since,
    moved_since,
    moved_slot,
    unallocated_slot,
    without_a_rule,
)
from reportgen.documents.content.budget import Budget, budget_of
from reportgen.documents.content.charges import amount_of, fraction_of
from reportgen.documents.content.chart import Chart, colors, daily_chart
from reportgen.documents.content.comparison import StatementComparison, statement_comparison
from reportgen.documents.content.invoice import price_decimals
from reportgen.documents.content.labels import BASES, KINDS, NO_DEPARTMENT, NO_ENTITY, Word
from reportgen.documents.content.paper import MOST_ROWS, Others, others_of, parted
from reportgen.documents.content.products import (
    ProductRow,
    amounts_of,
    meanings,
    product_rows,
    products_of,
)
from reportgen.documents.content.slots import CellValue, Slot
from reportgen.documents.content.subtotals import (
    SubtotalList,
    calendar_months,
    holdings,
    listed_subtotals,
    month_slot,
    subtotal_slot,
)
from reportgen.documents.content.trend import Trend, statement_trend
from reportgen.documents.content.unit_costs import (
    UnitCostsLine,
    UnitCostsList,
    UnitCostsTerms,
    by_cost_center,
    by_department,
    listed_unit_costs,
    of_all,
    uncertain_of,
    unit_costs_slot,
    unit_costs_terms,
)
from reportgen.documents.content.usage import day_fields
from reportgen.documents.content.year import Year, year_of_invoice, year_of_statement

COST_CENTER_FIELDS = (
    *("code", "name", "invoice", "acus", "amount", "gl_account"),
    *("department", "entity", "budget", "used", "change", "draft"),
    *("year", "year_budget", "year_used"),
)
LINE_FIELDS = (
    *("code", "name", "kind", "product", "line", "counterpart", "basis", "share"),
    *("acus", "unit_price", "exact_amount", "rounding", "amount"),
)
TIE_OUT_FIELDS = ("day", "product", "control", "allocated", "unallocated", "difference")


@dataclass(frozen=True, kw_only=True, slots=True)
class CostCenterRow:
    """A cost center in a list; `change` is of its amount; one that is `gone` is not declared.

    `mark` is that of the draft of its invoice.
    """

    code: str
    name: str
    department: str | None = None
    entity: str | None = None
    gl_account: str | None = None
    number: str | None = None
    acus: Decimal = ZERO
    amount: Decimal = ZERO
    mark: str = ""
    budget: Budget | None = None
    year: Year | None = None
    change: Decimal | None = None
    gone: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class CostCenterList:
    """The cost centers that a page lists, and what all `others` come to."""

    rows: tuple[CostCenterRow, ...]
    others: Others | None

    @property
    def count(self) -> int:
        """How many there are in all."""
        return len(self.rows) + (self.others.count if self.others else 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class DiscrepancyList:
    """The views that disagree, as far as a page lists them, and what all `others` come to."""

    rows: tuple[Discrepancy, ...]
    others: Others | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """Why no rule covers usage, and what it comes to; the name is a word to be translated."""

    name: str
    acus: Decimal
    amount: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class SummaryDraft:
    """The draft of a department's or an entity's summary."""

    name: str
    mark: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StatementDocument:
    """The statement of a cycle; `moved`, `arrived` and `departed` are since the cycle before.

    `drafts` are the marks of all other documents by their file, where they are drafts, and
    `summary_drafts` those of the summaries by department and entity. No table on paper has more
    than `most_rows`.
    """

    statement: Statement
    palette: Mapping[str, str]
    by_organization: Bearers
    moved: Bearers
    arrived: Bearers
    departed: Bearers
    unallocated: Bearers
    note: str | None = None
    effective_prices: bool = False
    drafts: Mapping[str, str] = field(default_factory=dict)
    summary_drafts: tuple[SummaryDraft, ...] = ()
    most_rows: int = MOST_ROWS

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
        """The products that are charged or in the control total, by name."""
        return products_of(self.statement)

    @property
    def control_by_product(self) -> dict[str, Decimal]:
        """The control total by product; one that it does not have comes to nothing."""
        return dict.fromkeys(self.products, ZERO) | dict(self.statement.control_by_product)

    @property
    def borne_acus(self) -> Decimal:
        """ACUs on all invoices."""
        return total(invoice.borne_acus for invoice in self.statement.invoices)

    @property
    def unborne_acus(self) -> Decimal:
        """ACUs on no invoice."""
        return subtract(
            add(self.tie_out.allocated_acus, self.tie_out.unallocated_acus), self.borne_acus
        )

    @property
    def issued(self) -> int:
        """How many invoices there are."""
        return sum(1 for invoice in self.statement.invoices if invoice.number)

    @property
    def allocated_amount(self) -> Decimal:
        """What rules gave, as invoiced: all usage lines."""
        return amount_of(self._lines(), "usage")

    @property
    def moved_amount(self) -> Decimal:
        """What transfers and pools come to over all invoices: nothing."""
        return add(
            amount_of(self._lines(), "transfer", "pool"), round_half_up(ZERO, self.heading.decimals)
        )

    @property
    def charges_further(self) -> bool:
        """Tell whether there is any fee, transfer or pool."""
        return any(not line.of_usage for line in self._lines())

    @property
    def invoiced_by_product(self) -> dict[str, Decimal]:
        """Amounts of all lines of usage by product."""
        none = dict.fromkeys(self.products, ZERO)
        return none | amounts_of(self._lines())

    @property
    def meanings(self) -> tuple[tuple[str, str], ...]:
        """What its products are, as far as the configuration says."""
        return meanings(self.heading, self.products)

    @property
    def product_rows(self) -> tuple[ProductRow, ...]:
        """Every product with its ACUs in the control total, and what is invoiced for it."""
        control = self.statement.control_by_product
        return product_rows(self.products, control, self._lines(), self.palette)

    @property
    def price_decimals(self) -> int:
        """How many decimals the longest unit price is printed with, so that the column aligns."""
        return price_decimals(line.unit_price for line in self._lines() if line.of_usage)

    @property
    def chart(self) -> Chart:
        """The control total day by day."""
        cells = {(row.day, row.product): row.control for row in self.statement.tie_out_rows}
        return daily_chart(cells, self.heading.cycle, self.palette)

    @property
    def trend(self) -> Trend | None:
        """What was invoiced in this cycle and those before it."""
        return statement_trend(self.statement)

    @property
    def trend_begins(self) -> bool:
        """Tell whether no earlier cycle is known."""
        return not self.statement.earlier

    @property
    def comparison(self) -> StatementComparison | None:
        """The cycle before."""
        codes = (invoice.cost_center.code for invoice in self.statement.invoices)
        return statement_comparison(self.statement.variance, codes)

    @property
    def rows(self) -> list[CostCenterRow]:
        """Every cost center, and after them those that are gone."""
        gone = self.comparison.gone if self.comparison else ()
        declared = rows_of(self.statement.invoices, self.statement)
        rows = (
            replace(row, mark=self.drafts.get(f"invoices/{row.number}.pdf", "")) for row in declared
        )
        return [*rows, *map(_gone, gone)]

    @property
    def listed(self) -> CostCenterList:
        """The rows of all that a page lists: first those of which there is something to say."""
        statement = self.statement
        unpriced = {made.cost_center.code for made in statement.invoices if _has_unpriced(made)}
        return listed_cost_centers(
            self.rows, self.most_rows, statement.unallocated.cost_center, unpriced
        )

    @property
    def listed_discrepancies(self) -> DiscrepancyList:
        """The views that disagree, those by the most ACUs where there are many."""
        rows, others = parted(
            self.statement.discrepancies, self.most_rows, lambda one: -abs(one.acus)
        )
        sums = others_of([(one.acus, ZERO) for one in others])
        return DiscrepancyList(rows=rows, others=sums)

    @property
    def year(self) -> Year | None:
        """The fiscal year to date."""
        return year_of_statement(self.statement)

    @property
    def unallocated_causes(self) -> tuple[Cause, ...]:
        """What no rule covers, by cause."""
        unallocated = self.statement.unallocated
        amounts = sum_by((part.cause, part.amount) for part in unallocated.parts)
        return tuple(
            Cause(name=cause, acus=acus, amount=amounts.get(cause, ZERO))
            for cause, acus in unallocated.by_cause.items()
        )

    @property
    def has_vendor_invoice(self) -> bool:
        """Tell whether ACUs or an amount of the vendor's invoice are recorded for this cycle."""
        tie = self.tie_out
        return tie.vendor_invoice_acus is not None or tie.vendor_invoice_amount is not None

    @property
    def has_budgets(self) -> bool:
        """Tell whether any cost center has a budget."""
        return _has_budgets(self.statement.invoices)

    @property
    def has_years(self) -> bool:
        """Tell whether any cost center's fiscal year to date is known, and more than this cycle."""
        return any(row.year and not row.year.missing for row in self.rows)

    @property
    def has_year_budgets(self) -> bool:
        """Tell whether any of them is set against a budget."""
        return any(row.year and row.year.budget for row in self.rows)

    @property
    def has_accounts(self) -> bool:
        """Tell whether any cost center has a G/L account."""
        return any(made.cost_center.gl_account for made in self.statement.invoices)

    @property
    def departments(self) -> tuple[Subtotal, ...]:
        """Subtotals by department, where there is one."""
        return holdings(self.statement.by_department)

    @property
    def entities(self) -> tuple[Subtotal, ...]:
        """Subtotals by entity, where there is one."""
        return holdings(self.statement.by_entity)

    @property
    def listed_departments(self) -> SubtotalList:
        """The subtotals by department that a page lists."""
        return listed_subtotals(self.departments, self.most_rows)

    @property
    def listed_entities(self) -> SubtotalList:
        """The subtotals by entity that a page lists."""
        return listed_subtotals(self.entities, self.most_rows)

    @property
    def several_entities(self) -> bool:
        """Tell whether more than one entity is charged or declared."""
        return sum(1 for entity in self.entities if entity.name) > 1

    @property
    def months(self) -> tuple[Subtotal, ...]:
        """Subtotals by calendar month, where the cycle spans more than one."""
        return calendar_months(self.statement.by_month)

    @property
    def unit_costs_terms(self) -> UnitCostsTerms | None:
        """What is counted of sessions, and why not where it is not."""
        return unit_costs_terms(self.statement)

    @property
    def unit_costs(self) -> Bought | None:
        """What all cost centers bought."""
        return of_all(self.statement)

    @property
    def unit_costs_by_cost_center(self) -> tuple[UnitCostsLine, ...]:
        """What every cost center bought that bought something."""
        return by_cost_center(self.statement)

    @property
    def unit_costs_by_department(self) -> tuple[UnitCostsLine, ...]:
        """What every department bought, where there is one."""
        return by_department(self.statement)

    @property
    def listed_unit_costs(self) -> UnitCostsList:
        """What a page lists of either: by department, where there is one."""
        lines = self.unit_costs_by_department or self.unit_costs_by_cost_center
        return listed_unit_costs(lines, self.most_rows)

    @property
    def uncertain_sessions(self) -> Decimal:
        """How many sessions may count or may not."""
        return uncertain_of(self.unit_costs)

    def slots(self, word: Word) -> dict[str, Slot]:
        """Give the rows that the workbook streams, codes as words of its language."""
        invoices = self.statement.invoices
        lines = (_line_cells(invoice, line, word) for invoice in invoices for line in invoice.lines)
        return {
            "cost_centers": Slot(COST_CENTER_FIELDS, map(_cost_center_cells, self.rows)),
            "lines": Slot(LINE_FIELDS, lines),
            "departments": subtotal_slot(self.departments, word(NO_DEPARTMENT)),
            "entities": subtotal_slot(self.entities, word(NO_ENTITY)),
            "months": month_slot(self.months, word),
            "days": Slot(day_fields(self.products), self._day_cells()),
            "by_organization": by_organization_slot(self.by_organization, word),
            "moved": moved_slot(self.moved, word),
            "unallocated": unallocated_slot(self.unallocated, word),
            "tie_out": Slot(TIE_OUT_FIELDS, self.statement.tie_out_rows),
            "unit_costs": unit_costs_slot(self.unit_costs_by_cost_center),
        }

    def _day_cells(self) -> Iterator[Sequence[CellValue]]:
        cells = {(row.day, row.product): row.control for row in self.statement.tie_out_rows}
        for day in self.heading.cycle.days():
            acus = [cells.get((day, product), ZERO) for product in self.products]
            yield day, *acus, total(acus)

    def _lines(self) -> Iterator[InvoiceLine]:
        return (line for invoice in self.statement.invoices for line in invoice.lines)


def statement_document(
    statement: Statement, directory: Directory, note: str | None, most_rows: int = MOST_ROWS
) -> StatementDocument:
    """Give the document of the whole cycle, with tables of at most so many rows on paper."""
    return StatementDocument(
        statement=statement,
        palette=colors(products_of(statement)),
        by_organization=charged_by_organization(statement, directory),
        moved=moved_since(statement, directory),
        arrived=arrived_since(statement, directory),
        departed=departed_since(statement, directory),
        unallocated=without_a_rule(statement, directory),
        note=note,
        effective_prices=statement.heading.effective_prices,
        most_rows=most_rows,
    )


def listed_cost_centers(
    rows: Iterable[CostCenterRow],
    most: int,
    bearer: str | None = None,
    unpriced: Container[str] = (),
) -> CostCenterList:
    """Give what a page lists of cost centers, and what all others come to.

    First comes who bears what no rule assigns, then whoever is beyond a budget, has a credit or
    usage without a price, or is no longer declared, then the largest amounts.
    """

    def rank(row: CostCenterRow) -> tuple[bool, bool, Decimal, Decimal]:
        beyond = row.budget is not None and row.budget.exceeded
        told = beyond or row.gone or row.amount < 0 or row.code in unpriced
        return row.code != bearer, not told, -abs(row.amount), -abs(row.acus)

    shown, others = parted(rows, most, rank)
    return CostCenterList(rows=shown, others=_other_cost_centers(others))


def without_usage(statement: Statement) -> Statement:
    """Leave out who used what, which is on the invoices alone."""
    invoices = tuple(replace(made, by_principal=(), detail=()) for made in statement.invoices)
    return replace(statement, invoices=invoices)


def rows_of(invoices: Iterable[Invoice], statement: Statement) -> list[CostCenterRow]:
    """List cost centers with their budgets, and their changes since the cycle before."""
    changes = statement.variance.by_cost_center if statement.variance else {}
    return [
        replace(
            _row(invoice, changes.get(invoice.cost_center.code)),
            year=year_of_invoice(statement, invoice.cost_center),
        )
        for invoice in invoices
    ]


def _row(invoice: Invoice, changed: CostCenterChange | None) -> CostCenterRow:
    center = invoice.cost_center
    return CostCenterRow(
        code=center.code,
        name=center.name,
        department=center.department,
        entity=center.entity,
        gl_account=center.gl_account,
        number=invoice.number,
        acus=invoice.borne_acus,
        amount=invoice.amount,
        budget=budget_of(invoice.amount, center.cycle_budget),
        change=changed.whole.amount if changed else None,
    )


def _gone(changed: CostCenterChange) -> CostCenterRow:
    return CostCenterRow(
        code=changed.cost_center, name=changed.name, change=changed.whole.amount, gone=True
    )


def _other_cost_centers(rows: Sequence[CostCenterRow]) -> Others | None:
    """Add up what has no room, with its changes and budgets where there are any."""
    sums = others_of([(row.acus, row.amount) for row in rows])
    if sums is None:
        return None
    changes = [row.change for row in rows if row.change is not None]
    budgets = [row.budget.amount for row in rows if row.budget]
    return replace(
        sums,
        change=total(changes) if changes else None,
        budget=total(budgets) if budgets else None,
    )


def _has_unpriced(invoice: Invoice) -> bool:
    return any(line.of_usage and line.unit_price is None for line in invoice.lines)


def _has_budgets(invoices: Iterable[Invoice]) -> bool:
    return any(invoice.cost_center.cycle_budget is not None for invoice in invoices)


def _cost_center_cells(row: CostCenterRow) -> Sequence[CellValue]:
    return (
        *(row.code, row.name, row.number, row.acus, row.amount, row.gl_account),
        *(row.department, row.entity),
        *(*_of_budget(row.budget), row.change),
        row.mark or None,
        *(
            row.year.amount if row.year else None,
            *_of_budget(row.year.budget if row.year else None),
        ),
    )


def _of_budget(budget: Budget | None) -> tuple[Decimal | None, Decimal | None]:
    return (budget.amount, budget.used) if budget else (None, None)


def _line_cells(invoice: Invoice, line: InvoiceLine, word: Word) -> Sequence[CellValue]:
    center, exact = invoice.cost_center, printed(line.exact_amount)
    usage = line.of_usage
    kind, basis = word(KINDS[line.kind]), word(BASES[line.basis]) if line.basis else None
    return (
        *(
            center.code,
            center.name,
            kind,
            line.product or None,
            line.name or None,
            line.counterpart,
        ),
        *(basis, fraction_of(line.share), line.acus if usage else None, line.unit_price),
        *(exact, subtract(line.amount, exact), line.amount),
    )
