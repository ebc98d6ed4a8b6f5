"""The files of a FOCUS export, streamed: charges, and in 1.4 lines and periods; then what they are.

Law: the BilledCost of all charges of an InvoiceId adds up to that invoice or note, and of all that
are charged in a cycle to its statement. Exactly: whoever adds in decimals finds no variance.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter

from reportgen.core.model import FocusVersion
from reportgen.documents.exports.focus.adjustments import corrections, other_charges
from reportgen.documents.exports.focus.columns import (
    BILLING_PERIOD,
    COST_AND_USAGE,
    INVOICE_DETAIL,
    PLACES,
    FocusColumn,
    columns_of,
)
from reportgen.documents.exports.focus.invoices import Periods, invoice_details, made_at
from reportgen.documents.exports.focus.metadata import metadata
from reportgen.documents.exports.focus.usage import roundings, usage_charges
from reportgen.documents.exports.material import Material, Options, Piece
from reportgen.documents.exports.pieces import CsvPieces

PREFIX = "focus-"


class _Dataset:
    """A dataset on its way into a file; counts its rows."""

    def __init__(self, name: str, columns: Sequence[FocusColumn], version: FocusVersion) -> None:
        self.name, self.file = name, f"{PREFIX}{name}.csv"
        self.columns = columns_of(tuple(columns), version)
        self.rows = 0
        header = [one.in_1_2 if version == "1.2" else one.in_1_4 for one in self.columns]
        self._pieces = CsvPieces(self.file, header)

    def of(self, rows: Iterable[Sequence[str]]) -> Iterator[Piece]:
        return self._pieces.of(self._counted(rows))

    def rest(self) -> Piece:
        return self._pieces.rest()

    def _counted(self, rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
        for row in rows:
            self.rows += 1
            yield row


def focus_files(materials: Iterable[Material], options: Options) -> Iterator[Piece]:
    """Write cycles and corrections for the version that is asked for."""
    version = options.focus_version
    charges = _Dataset("CostAndUsage", COST_AND_USAGE, version)
    details = _Dataset("InvoiceDetail", INVOICE_DETAIL, version)
    billed = _Dataset("BillingPeriod", BILLING_PERIOD, version)
    picked = itemgetter(*(PLACES[column.name] for column in charges.columns))
    periods, updated, complete = Periods(), "", True
    for material in materials:
        yield from charges.of(map(picked, _charges(material)))
        periods.meet(material)
        updated = max(updated, made_at(material))
        complete = complete and material.statement.heading.issue is not None
        if version != "1.2":
            yield from details.of(invoice_details(material))
        del material  # before the next is derived
    written = [charges]
    if version != "1.2":
        yield from billed.of(periods.rows())
        written += [details, billed]
    for dataset in written:
        yield dataset.rest()
    described = [(one.file, one.name, one.columns, one.rows) for one in written]
    text = metadata(version, described, complete=complete, updated=updated)
    yield Piece(f"{PREFIX}metadata.json", text.encode())


def _charges(material: Material) -> Iterator[list[str]]:
    """Give all charges of a cycle, or of a correction."""
    if material.notes:
        return corrections(material)
    return chain(usage_charges(material), roundings(material), other_charges(material))
