"""What the page of a cycle's folder sees: the statement, and where every document lies.

Law: a link is made from the path that a document is rendered to, so that none leads nowhere.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from urllib.parse import quote

from reportgen.core.model import Heading, Statement, TieOut
from reportgen.core.money import ZERO, decimals_of, round_half_up, subtract, total
from reportgen.documents.content.labels import Word
from reportgen.documents.content.review import Concern, concerns
from reportgen.documents.content.slots import Slot
from reportgen.documents.content.statement import CostCenterRow, StatementDocument, without_usage
from reportgen.documents.content.summary import SummaryDocument
from reportgen.documents.content.trend import SLOT, Bar, Trend, invoice_trend, sparkline

LONG_LIST = 25
"""From so many cost centers on they stand by department, with links to each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexRow:
    """A cost center with the links to its invoice, and its amounts as a line, where there is one.

    `bars` are those of the same cycles, for what the line is called where it cannot be seen.
    """

    center: CostCenterRow
    pdf: str | None = None
    workbook: str | None = None
    line: str | None = None
    bars: tuple[Bar, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Cost centers under one heading: a department's in a long list, else all under none.

    `anchor` is what leads to it within the page; the name is empty for those without a department.
    """

    rows: tuple[IndexRow, ...]
    name: str = ""
    anchor: str = ""
    acus: Decimal = ZERO
    amount: Decimal = ZERO


@dataclass(frozen=True, kw_only=True, slots=True)
class SummaryRow:
    """A department or an entity with the link to its summary."""

    summary: SummaryDocument
    pdf: str


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexDocument:
    """The page of a cycle; `paths` are those of the invoices by cost center, without a suffix."""

    whole: StatementDocument
    paths: Mapping[str, str]
    summaries: tuple[SummaryRow, ...] = ()

    @property
    def heading(self) -> Heading:
        """What stands above every document."""
        return self.whole.heading

    @property
    def tie_out(self) -> TieOut:
        """The terms of both identities."""
        return self.whole.tie_out

    @property
    def statement(self) -> Statement:
        """The cycle over all cost centers."""
        return self.whole.statement

    @property
    def rows(self) -> list[IndexRow]:
        """Every cost center, and after them those that are gone."""
        return list(map(self._row, self.whole.rows))

    @property
    def groups(self) -> tuple[Group, ...]:
        """The rows under their headings; one group without an anchor where the list is short."""
        rows = self.rows
        departments = sorted({row.center.department or "" for row in rows})
        if len(rows) < LONG_LIST or len(departments) == 1:
            return (Group(rows=tuple(rows)),)
        names = [*filter(None, departments), *(name for name in departments if not name)]
        return tuple(
            _group(name, f"department-{place}", rows) for place, name in enumerate(names, start=1)
        )

    @property
    def review(self) -> tuple[Concern, ...]:
        """What there is to look at before the cycle is closed."""
        return concerns(self.whole)

    @property
    def before(self) -> str | None:
        """The page of the cycle before, where that was archived."""
        variance = self.statement.variance
        start = variance.previous.cycle.start.isoformat() if variance else None
        return f"../{start}/index.html" if start else None

    @property
    def vendor_document(self) -> str | None:
        """The vendor's invoice as a file, where one travels with the cycle."""
        name = self.statement.vendor_document.rpartition("/")[2]
        return _link(f"inputs/assets/{name}") if name else None

    @property
    def evidence(self) -> str:
        """The answers of the API, zipped once the cycle is closed."""
        closed = self.heading.status == "closed"
        return "inputs/responses.jsonl.gz" if closed else "inputs/responses.jsonl"

    @property
    def trend(self) -> Trend | None:
        """What was invoiced in this cycle and those before it."""
        return self.whole.trend

    @property
    def trend_span(self) -> int:
        """How wide the bars of the trend stand beside each other."""
        return int(SLOT) * len(self.trend.bars) if self.trend else 0

    @property
    def vendor_acus_difference(self) -> Decimal | None:
        """What the control total has beyond the vendor's ACUs, at the decimals of those."""
        invoiced = self.tie_out.vendor_invoice_acus
        if invoiced is None:
            return None
        return subtract(round_half_up(self.tie_out.control_acus, decimals_of(invoiced)), invoiced)

    def slots(self, word: Word) -> dict[str, Slot]:  # noqa: ARG002 - as the other documents have it
        """Give the rows that a workbook streams: there is none."""
        return {}

    def _row(self, center: CostCenterRow) -> IndexRow:
        path = self.paths.get(center.code)
        trend = invoice_trend(self.statement, center.code)
        return IndexRow(
            center=center,
            pdf=_link(f"{path}.pdf") if path else None,
            workbook=_link(f"{path}.xlsx") if path else None,
            line=sparkline(self.statement, center.code) if trend else None,
            bars=trend.bars if trend else (),
        )


def index_document(
    whole: StatementDocument, paths: Mapping[str, str], summaries: Mapping[str, SummaryDocument]
) -> IndexDocument:
    """Give the page of a cycle; `summaries` are by the path of their file."""
    # Who used what is most of what a worker would be sent.
    short = replace(whole, statement=without_usage(whole.statement))
    return IndexDocument(whole=short, paths=paths, summaries=tuple(_summary_rows(summaries)))


def _group(name: str, anchor: str, rows: Iterable[IndexRow]) -> Group:
    own = tuple(row for row in rows if (row.center.department or "") == name)
    return Group(
        rows=own,
        name=name,
        anchor=anchor,
        acus=total(row.center.acus for row in own),
        amount=total(row.center.amount for row in own),
    )


def _summary_rows(summaries: Mapping[str, SummaryDocument]) -> Iterator[SummaryRow]:
    return (SummaryRow(summary=summary, pdf=_link(path)) for path, summary in summaries.items())


def _link(path: str) -> str:
    """Write a path as a relative address.

    >>> _link("invoices/R&D #1 é.pdf")
    'invoices/R%26D%20%231%20%C3%A9.pdf'
    """
    return quote(path)
