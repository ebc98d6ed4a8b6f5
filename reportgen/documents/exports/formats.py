"""Every format of `export` but the auditor's pack: what is registered here can be asked for.

A new one is a function as `material.Write` has it, a line in `FORMATS`, its name in
`core.model.ExportName`, and its options, if it has any, in `material.Options`.
"""

from collections.abc import Iterable, Iterator, Mapping

from reportgen.core.model import ExportName
from reportgen.documents.exports.focus.files import focus_files
from reportgen.documents.exports.journal import (
    JOURNAL_OPTIONS,
    journal_family,
    journal_files,
    journal_warnings,
)
from reportgen.documents.exports.material import ExportFormat, Material, Options, Piece
from reportgen.documents.exports.parquet import parquet_files
from reportgen.documents.exports.spreadsheet import excel_files
from reportgen.documents.exports.tables import csv_files


def _tables(materials: Iterable[Material], options: Options) -> Iterator[Piece]:
    return (excel_files if options.excel else csv_files)(materials, options)


FORMATS: Mapping[ExportName, ExportFormat] = {
    "csv": ExportFormat(
        write=_tables, family=lambda _: "csv", options=frozenset({"excel", "locale"})
    ),
    "parquet": ExportFormat(write=parquet_files, family=lambda _: "parquet", may_refuse=True),
    "focus": ExportFormat(
        write=focus_files, family=lambda _: "focus", options=frozenset({"focus_version"})
    ),
    "journal": ExportFormat(
        write=journal_files,
        family=journal_family,
        options=JOURNAL_OPTIONS,
        warnings=journal_warnings,
        may_refuse=True,
    ),
}
