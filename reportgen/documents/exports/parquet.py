"""The same tables as Parquet, whose numbers are decimals: for data bases and tools that count.

pyarrow writes it, which is asked for by an extra (`reportgen[tables]`), and loaded here alone. Rows
are written in groups, so that no more than a group is ever held.

Law: no number is rounded. What is exact has 24 decimals, or, where a cycle needs more, 50 in a
wider type; what fits neither is a problem.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from reportgen.core.money import decimals_of
from reportgen.core.problem import Problem, Rejected
from reportgen.documents.exports.material import Material, Options, Piece
from reportgen.documents.exports.tables import TABLES, ExportRow, ExportTable

if TYPE_CHECKING:
    import pyarrow as pa

GROUP = 50_000
"""Rows of a group."""
WIDTH, SCALE = 38, 24
WIDER, FINER = 76, 50
"""Digits of a decimal, and those behind its point: 128 bits, which all readers know, and 256."""
MISSING = Problem(
    source="pyarrow",
    message="is not installed, and the format parquet is written with it",
    hint="install it with `pip install 'reportgen[tables]'`, or `pip install pyarrow`",
)


class LibraryMissing(Rejected):
    """What an export needs is not installed; it says nothing of what is exported."""


def parquet_files(materials: Iterable[Material], _options: Options) -> Iterator[Piece]:
    """Write each table as a file of its own; raises LibraryMissing, or Rejected."""
    _arrow()
    writers: list[_Writer] = []
    for material in materials:
        writers = writers or [_Writer(table, material) for table in TABLES]
        for writer in writers:
            yield from writer.of(material)
        del material  # before the next is derived
    for writer in writers:
        yield writer.rest()


def pyarrow_version() -> str:
    """Give the version of what decides the bytes, or say that it is not there."""
    try:
        return str(_arrow().__version__)
    except LibraryMissing:
        return "not installed"


def _arrow() -> Any:  # noqa: ANN401 - a module
    """Load pyarrow, or raise LibraryMissing."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra, and slow to load
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError as error:
        raise LibraryMissing([MISSING]) from error
    return pa


class _Sink:
    """What pyarrow writes to, as a file that only grows; what it has taken is given away."""

    closed = False

    def __init__(self) -> None:
        self._taken, self._length = bytearray(), 0

    def write(self, content: Any) -> int:  # noqa: ANN401 - any buffer
        self._taken += content
        self._length += len(content)
        return len(content)

    def tell(self) -> int:
        return self._length

    def flush(self) -> None:
        """Have nothing to do."""

    def close(self) -> None:
        """Have nothing to do."""

    def given(self) -> bytes:
        content, self._taken = bytes(self._taken), bytearray()
        return content


class _Writer:
    """A table on its way into a file; types are those that its first cycle needs."""

    def __init__(self, table: ExportTable, first: Material) -> None:
        self._table, self._name = table, f"{table.name}.parquet"
        self._schema = _schema(table, first)
        self._sink = _Sink()
        self._file = _arrow().parquet.ParquetWriter(self._sink, self._schema)

    def of(self, material: Material) -> Iterator[Piece]:
        """Add the rows of a cycle, and give what makes whole groups."""
        rows = self._table.rows(material)
        while group := list(islice(rows, GROUP)):
            self._file.write_table(self._batch(group, material))
            yield Piece(self._name, self._sink.given())

    def rest(self) -> Piece:
        """End the file."""
        self._file.close()
        return Piece(self._name, self._sink.given())

    def _batch(self, rows: list[ExportRow], material: Material) -> pa.Table:
        arrow = _arrow()
        try:
            columns = [
                arrow.array([_cell(value) for value in values], type=field.type)
                for values, field in zip(zip(*rows, strict=True), self._schema, strict=True)
            ]
        except (arrow.ArrowInvalid, arrow.ArrowTypeError) as error:
            message = f"a number of {self._table.name} does not fit the decimals of the table"
            hint = "export this cycle apart from others, or as csv, which has every decimal"
            raise Rejected([Problem(source=material.folder, message=message, hint=hint)]) from error
        return arrow.Table.from_arrays(columns, schema=self._schema)


def _cell(value: Any) -> Any:  # noqa: ANN401 - whatever a cell is
    """Give nothing for an empty text: there is none."""
    return None if value == "" else value


def _schema(table: ExportTable, first: Material) -> pa.Schema:
    arrow = _arrow()
    exact = arrow.decimal128(WIDTH, SCALE)
    if _finest(table, first) > SCALE:
        exact = arrow.decimal256(WIDER, FINER)
    types = {
        "text": arrow.string(),
        "day": arrow.date32(),
        "count": arrow.int32(),
        "exact": exact,
        "amount": arrow.decimal128(WIDTH, first.statement.heading.decimals),
    }
    return arrow.schema([(column.name, types[column.kind]) for column in table.columns])


def _finest(table: ExportTable, material: Material) -> int:
    """Give the most decimals of any exact number of a table."""
    places = [place for place, column in enumerate(table.columns) if column.kind == "exact"]
    numbers = (row[place] for row in table.rows(material) for place in places)
    return max((decimals_of(one) for one in numbers if isinstance(one, Decimal)), default=0)
