"""Tables over one cycle or many: the ledger, the lines of invoices and notes, the tie-out.

Every row names its cycle, so that a year can lie in one table. What a correction changes are the
lines of its notes; the ledger of the cycle it corrects stands as it was charged, and is not given
twice.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

from reportgen.core.allocating.match import subject_of
from reportgen.core.model import Allocation, Invoice, InvoiceLine
from reportgen.core.money import fixed, plain, subtract
from reportgen.core.written.tables import guarded
from reportgen.documents.exports.material import Material, Options, Piece
from reportgen.documents.exports.pieces import CsvPieces

ExportValue = str | date | int | Decimal | None
ExportRow = Sequence[ExportValue]
ValueKind = Literal["text", "day", "count", "exact", "amount"]
"""What is exact is written to its last decimal, amounts with the currency's."""


class ExportColumn(NamedTuple):
    """A column of a table, and what its cells are; any may be empty."""

    name: str
    kind: ValueKind


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportTable:
    """A table by its name; `rows` gives those of a cycle, or of a correction."""

    name: str
    columns: tuple[ExportColumn, ...]
    rows: Callable[[Material], Iterator[ExportRow]]

    @property
    def header(self) -> list[str]:
        """Name its columns."""
        return [column.name for column in self.columns]


def csv_files(materials: Iterable[Material], _options: Options) -> Iterator[Piece]:
    """Write each table as a file of its own."""
    written = [(table, CsvPieces(f"{table.name}.csv", table.header)) for table in TABLES]
    for material in materials:
        for table, pieces in written:
            yield from pieces.of(_texts(table, material))
        del material  # before the next is derived
    for _, pieces in written:
        yield pieces.rest()


def _texts(table: ExportTable, material: Material) -> Iterator[list[str]]:
    kinds = [column.kind for column in table.columns]
    decimals = material.statement.heading.decimals
    for row in table.rows(material):
        yield [_text(cell, kind, decimals) for cell, kind in zip(row, kinds, strict=True)]


def _text(cell: ExportValue, kind: ValueKind, decimals: int) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return _number(cell, kind, decimals)
    return guarded(cell) if isinstance(cell, str) else str(cell)


def _number(value: Decimal, kind: ValueKind, decimals: int) -> str:
    return fixed(value, decimals) if kind == "amount" else plain(value)


# Rows


def _ledger_rows(material: Material) -> Iterator[ExportRow]:
    if material.notes is None:
        first = material.folder, material.statement.heading.currency
        yield from ((*first, *_of_allocation(one, material.marks)) for one in material.allocations)


def _of_allocation(one: Allocation, marks: Mapping[str, str]) -> ExportRow:
    record = one.record
    priced = (one.unit_price, one.rate, one.exact_amount)
    borne = (one.cost_center, one.kind, one.cause, one.rule, one.share, one.quantity)
    requests = " ".join(marks.get(request, request) for request in record.requests)
    return (record.day, record.product, *subject_of(record), *borne, *priced, requests)


def _line_rows(material: Material) -> Iterator[ExportRow]:
    first = material.folder, material.period.start, material.statement.heading.currency
    if material.notes:
        yield from ((*first, *row) for row in _of_notes(material))
        return
    for invoice in material.statement.invoices:
        for number, line in enumerate(invoice.lines, start=1):
            yield (*first, *_of_invoice(invoice), number, *_of_line(line))


def _of_invoice(invoice: Invoice) -> ExportRow:
    center = invoice.cost_center
    codes = center.department, center.entity, center.gl_account
    return invoice.number, center.code, center.name, *codes


def _of_line(line: InvoiceLine) -> ExportRow:
    rounding = subtract(line.amount, line.exact_amount)
    acus = line.acus if line.of_usage else None
    named = line.kind, line.product or None, line.name or None, line.counterpart, line.share
    return *named, acus, line.unit_price, line.exact_amount, rounding, line.amount


def _of_notes(material: Material) -> Iterator[ExportRow]:
    """Give what each line of a note changes: ACUs and amount, rounded where it was made."""
    centers = {one.cost_center.code: one for one in material.statement.invoices}
    for code, note in material.notes.issued.items() if material.notes else ():
        of_center = _of_invoice(centers[code])[1:]
        for number, line in enumerate(note.lines, start=1):
            named = line.kind, line.product or None, line.name or None, line.counterpart, None
            acus = line.acus if line.of_usage else None
            changed = acus, line.unit_price, None, None, line.amount
            yield note.number, *of_center, number, *named, *changed


def _tie_out_rows(material: Material) -> Iterator[ExportRow]:
    if material.notes is None:
        yield from ((material.folder, *row) for row in material.statement.tie_out_rows)


def _columns(kind: ValueKind, *names: str) -> tuple[ExportColumn, ...]:
    return tuple(ExportColumn(name, kind) for name in names)


CYCLE = ExportColumn("cycle", "text")
CURRENCY = ExportColumn("currency", "text")
TABLES = (
    ExportTable(
        name="ledger",
        columns=(
            *(CYCLE, CURRENCY, ExportColumn("day", "day")),
            *_columns("text", "product", "org_id", "principal_kind", "principal_id", "session_id"),
            *_columns("text", "cost_center", "kind", "cause", "rule", "share"),
            *_columns("exact", "acus", "unit_price"),
            *(ExportColumn("rate", "text"), ExportColumn("exact_amount", "exact")),
            ExportColumn("requests", "text"),
        ),
        rows=_ledger_rows,
    ),
    ExportTable(
        name="invoice_lines",
        columns=(
            *(CYCLE, ExportColumn("billing_period", "day"), CURRENCY),
            *_columns("text", "invoice", "cost_center", "name", "department", "entity"),
            *(ExportColumn("gl_account", "text"), ExportColumn("line", "count")),
            *_columns("text", "kind", "product", "line_name", "counterpart", "share"),
            *_columns("exact", "acus", "unit_price"),
            *(*_columns("exact", "exact_amount", "rounding"), ExportColumn("amount", "amount")),
        ),
        rows=_line_rows,
    ),
    ExportTable(
        name="tie_out",
        columns=(
            *(CYCLE, ExportColumn("day", "day"), ExportColumn("product", "text")),
            *_columns("exact", "control_acus", "allocated_acus", "unallocated_acus"),
            ExportColumn("difference_acus", "exact"),
        ),
        rows=_tie_out_rows,
    ),
)
