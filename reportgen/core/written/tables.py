"""ledger.csv, tie_out.csv, unallocated.csv and by_organization.csv, written as text and read back.

Decimals are written without an exponent. A text that a spreadsheet would take for a formula gets a
leading apostrophe, which the reader removes.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from itertools import islice

from reportgen.core.allocating.unallocated import UnallocatedRow
from reportgen.core.model import Allocation, ByOrganization, TieOutRow
from reportgen.core.money import ZERO, fixed, plain

LEDGER_COLUMNS = (
    "day",
    "product",
    "org_id",
    "principal_kind",
    "principal_id",
    "session_id",
    "cost_center",
    "kind",
    "cause",
    "rule",
    "share",
    "quantity",
    "unit_price",
    "rate",
    "exact_amount",
    "requests",
)
TIE_OUT_COLUMNS = (
    "day",
    "product",
    "control_acus",
    "allocated_acus",
    "unallocated_acus",
    "difference_acus",
)
UNALLOCATED_COLUMNS = ("cause", "id", "product", "acus", "amount", "suggestion")
BY_ORGANIZATION_COLUMNS = (
    *("org_id", "principal_kind", "id", "product", "cost_center"),
    *("rule", "passed_on", "acus", "amount"),
)
NUMBER_COLUMNS = {"quantity", "unit_price", "acus", "amount"}
ROWS_OF_A_PIECE = 10_000
FORMULA_MARK = "'"
FORMULA_STARTS = tuple("=+-@\t\r'")


def ledger_csv(allocations: Iterable[Allocation], marked: Mapping[str, str] | None = None) -> str:
    """Write one row per allocation; amounts are exact, to the last decimal.

    Requests that were answered more than once are written as `marked` has them, so that each names
    one answer.
    """
    return "".join(ledger_pieces(allocations, marked))


def ledger_pieces(
    allocations: Iterable[Allocation], marked: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Write the same piece by piece: a ledger may be larger than all that it is made of."""
    marks = marked or {}
    rows = (_ledger_row(allocation, marks) for allocation in allocations)
    return csv_pieces(LEDGER_COLUMNS, rows)


def read_rows(text: str) -> Iterator[dict[str, str]]:
    """Read a table back, cell by cell as it was before it was written."""
    for row in csv.DictReader(StringIO(text, newline=""), strict=True):
        yield {column: value.removeprefix(FORMULA_MARK) for column, value in row.items()}


def tie_out_csv(rows: Iterable[TieOutRow]) -> str:
    """Write the partition, a row per day and product."""
    return csv_text(TIE_OUT_COLUMNS, map(_tie_out_row, rows))


def unallocated_csv(rows: Iterable[UnallocatedRow], decimals: int) -> str:
    """Write what no rule covers, a row per orphan and product."""
    written = (
        (
            row.cause,
            row.id,
            row.product,
            plain(row.acus),
            fixed(row.amount, decimals),
            row.suggestion,
        )
        for row in rows
    )
    return csv_text(UNALLOCATED_COLUMNS, written)


def by_organization_csv(rows: Iterable[ByOrganization], decimals: int) -> str:
    """Write who is charged by an organization, a row per principal, product and cost center."""
    written = ((*row[:7], plain(row.acus), fixed(row.amount, decimals)) for row in rows)
    return csv_text(BY_ORGANIZATION_COLUMNS, written)


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write rows of texts; what is not a number is kept from being read as a formula."""
    return "".join(csv_pieces(columns, rows))


def csv_pieces(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Write rows of texts piece by piece."""
    target = StringIO(newline="")
    # Lines end as RFC 4180 has it, so that a carriage return in a text is quoted.
    writer = csv.writer(target)
    writer.writerow(columns)
    texts = [
        index
        for index, column in enumerate(columns)
        if not (column in NUMBER_COLUMNS or _is_sum(column))
    ]
    left = iter(rows)
    while True:
        for row in islice(left, ROWS_OF_A_PIECE):
            cells = [*row]
            for index in texts:
                if cells[index].startswith(FORMULA_STARTS):
                    cells[index] = guarded(cells[index])
            writer.writerow(cells)
        if not target.tell():
            return
        yield target.getvalue()
        target.seek(0)
        target.truncate()


def guarded(text: str) -> str:
    """Keep a text from being read as a formula by a spreadsheet."""
    return f"{FORMULA_MARK}{text}" if text.startswith(FORMULA_STARTS) else text


def _ledger_row(allocation: Allocation, marked: Mapping[str, str]) -> Sequence[str]:
    record = allocation.record
    return (
        record.day.isoformat(),
        record.product,
        record.org_id,
        record.principal_kind,
        record.principal_id,
        record.session_id,
        allocation.cost_center,
        allocation.kind,
        allocation.cause,
        allocation.rule,
        allocation.share,
        plain(allocation.quantity),
        "" if allocation.unit_price is None else plain(allocation.unit_price),
        allocation.rate,
        plain(allocation.exact_amount or ZERO),
        " ".join(marked.get(request, request) for request in record.requests),
    )


def _tie_out_row(row: TieOutRow) -> Sequence[str]:
    quantities = row.control, row.allocated, row.unallocated, row.difference
    return row.day.isoformat(), row.product, *map(plain, quantities)


def _is_sum(column: str) -> bool:
    return column.endswith(("_acus", "_amount"))
