"""Tables for people who open them in Excel: in the separators of their language, and as it reads.

UTF-8 with a byte order mark, without which Excel takes letters for others. Amounts have the
currency's decimals and add up: those of the ledger are apportioned from their lines. Quantities and
prices are exact. Law: no text becomes a formula, a number or a date; one that would has a leading
apostrophe, as in every CSV of ours.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.dates import get_month_names
from babel.numbers import get_decimal_symbol

from reportgen.core.allocating.unallocated import unallocated_rows
from reportgen.core.model import Allocation, LineKey
from reportgen.core.money import ZERO, fixed, plain, round_half_up, round_to_total
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import quoted
from reportgen.core.written.tables import FORMULA_MARK, guarded
from reportgen.documents.exports.material import Material, Options, Piece
from reportgen.documents.exports.pieces import CsvPieces
from reportgen.documents.exports.tables import (
    CURRENCY,
    CYCLE,
    TABLES,
    ExportColumn,
    ExportRow,
    ExportTable,
    ExportValue,
    ValueKind,
)

BYTE_ORDER_MARK = "\ufeff"
SEMICOLON = {"CH", "LI"}
"""Territories with a decimal point where lists are separated as if it were a comma."""
PROOF = ("exact_amount", "rounding")
"""Columns that prove an amount, to more decimals than a spreadsheet has."""
_AS_IT_IS = re.compile(r"-?(?:0|[1-9]\d{0,14})|(?:19|2[01])\d\d-\d\d-\d\d")
"""Numbers that stay what they are, and days of 1990 to 2199: no code looks like one."""
_WITH_POINT = re.compile(r"-?(?:0|[1-9]\d{0,14})\.\d{1,14}")
_LIKE_NUMBER = re.compile(r"[\d\s.,:/%eE+()$€£¥'-]*\d[\d\s.,:/%eE+()$€£¥'-]*")
_TRUTHS = {"true", "false", "wahr", "falsch", "vrai", "faux", "verdadero", "falso", "vero"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheets:
    """How spreadsheets of a locale read: what separates cells, the decimal sign, and months."""

    separator: str
    decimal: str
    month: re.Pattern[str]


def excel_files(materials: Iterable[Material], options: Options) -> Iterator[Piece]:
    """Write each table as a file of its own; raises Rejected for a locale that nobody knows."""
    sheets = sheets_of(options.locale)
    written = [
        (table, CsvPieces(f"{table.name}.csv", _header(table), sheets.separator, BYTE_ORDER_MARK))
        for table in EXCEL_TABLES
    ]
    for material in materials:
        for table, pieces in written:
            yield from pieces.of(_texts(table, material, sheets))
    for _, pieces in written:
        yield pieces.rest()


def sheets_of(locale: str) -> Sheets:
    """Say how spreadsheets of a locale read; raises Rejected."""
    try:
        known = Locale.parse(locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError) as error:
        message, hint = f"{quoted(locale)} is not a locale", "write a code such as en, de or fr_CH"
        raise Rejected([Problem(source="--locale", message=message, hint=hint)]) from error
    decimal = get_decimal_symbol(known)
    listed = decimal == "," or known.territory in SEMICOLON
    names = {
        name.rstrip(".").casefold()
        for language in (known, Locale("en"))
        for width in ("abbreviated", "wide")
        for name in get_month_names(width, locale=language).values()
    }
    months = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return Sheets(
        separator=";" if listed else ",",
        decimal=decimal,
        month=re.compile(rf"(?:\d{{1,4}}[\s./-]*)?(?:{months})(?:[\s./-]*\d{{1,4}})?"),
    )


def kept_as_text(text: str, sheets: Sheets) -> str:
    """Mark a text that a spreadsheet would make something else of.

    >>> sheets = sheets_of("de")
    >>> [kept_as_text(text, sheets) for text in ("0042", "1/3", "Mai-1", "6420", "a-1", "=1")]
    ["'0042", "'1/3", "'Mai-1", '6420', 'a-1', "'=1"]
    """
    marked = guarded(text)
    if marked != text or _AS_IT_IS.fullmatch(text):
        return marked
    if sheets.decimal == "." and _WITH_POINT.fullmatch(text):
        return text
    becomes = _LIKE_NUMBER.fullmatch(text) or _becomes(text.strip().casefold(), sheets)
    return f"{FORMULA_MARK}{text}" if becomes else text


def _becomes(text: str, sheets: Sheets) -> bool:
    """Tell whether a word becomes a truth, or a month with a number a day."""
    day = any(map(str.isdigit, text)) and sheets.month.fullmatch(text)
    return bool(day) or text in _TRUTHS


def _header(table: ExportTable) -> list[str]:
    return [column.name for column in table.columns if column.name not in PROOF]


def _texts(table: ExportTable, material: Material, sheets: Sheets) -> Iterator[list[str]]:
    places = [
        (place, column.kind)
        for place, column in enumerate(table.columns)
        if column.name not in PROOF
    ]
    decimals = material.statement.heading.decimals
    for row in table.rows(material):
        yield [_text(row[place], kind, decimals, sheets) for place, kind in places]


def _text(cell: ExportValue, kind: ValueKind, decimals: int, sheets: Sheets) -> str:
    if isinstance(cell, str):
        return kept_as_text(cell, sheets)
    if isinstance(cell, Decimal):
        number = fixed(cell, decimals) if kind == "amount" else plain(cell)
        return number.replace(".", sheets.decimal)
    return "" if cell is None else str(cell)


# Rows that a spreadsheet has otherwise, or besides


def _ledger_rows(material: Material) -> Iterator[ExportRow]:
    """Give the rows of the ledger, each with its part of the line that it is on."""
    place = [column.name for column in LEDGER.columns].index("exact_amount")
    for row, amount in zip(LEDGER.rows(material), _amounts(material), strict=False):
        yield (*row[:place], amount, *row[place + 1 :])


def _amounts(material: Material) -> Iterator[Decimal]:
    """Apportion each line to its allocations, largest remainder first."""
    decimals = material.statement.heading.decimals
    exact: dict[tuple[str, LineKey], list[Decimal]] = {}
    for one in material.allocations:
        exact.setdefault(_line_of(one), []).append(one.exact_amount)
    charged = {
        (code, line.line_key): line.amount
        for code, lines in material.charges.lines.items()
        for line in lines
        if line.of_usage
    }
    nothing = round_half_up(ZERO, decimals)
    parts = {
        line: iter(round_to_total(amounts, charged.get(line, nothing), decimals))
        for line, amounts in exact.items()
    }
    return (next(parts[_line_of(one)]) for one in material.allocations)


def _line_of(one: Allocation) -> tuple[str, LineKey]:
    return one.cost_center, (one.kind, one.record.product, one.unit_price)


def _unallocated(material: Material) -> Iterator[ExportRow]:
    """Give what no rule covers; a suggestion names people, so it is for those who may see them."""
    if material.notes:
        return
    heading = material.statement.heading
    rows = unallocated_rows(
        material.allocations,
        (line for lines in material.charges.lines.values() for line in lines),
        material.rules,
        material.directory,
        decimals=heading.decimals,
        day=heading.cycle.previous_day(),
    )
    for one in rows:
        suggestion = one.suggestion if material.users == "names" else None
        place = material.folder, heading.currency, one.cause, one.id, one.product
        yield (*place, one.acus, one.amount, suggestion)


def _by_organization(material: Material) -> Iterator[ExportRow]:
    currency = material.statement.heading.currency
    for one in () if material.notes else material.statement.by_organization:
        used = one.org_id, one.principal_kind, one.principal_id, one.product
        charged = one.cost_center, one.rule, one.passed_on, one.acus, one.amount
        yield (material.folder, currency, *used, *charged)


def _columns(kind: ValueKind, *names: str) -> Sequence[ExportColumn]:
    return [ExportColumn(name, kind) for name in names]


AMOUNT = ExportColumn("amount", "amount")
(LEDGER,) = (table for table in TABLES if table.name == "ledger")
EXCEL_TABLES: tuple[ExportTable, ...] = (
    ExportTable(
        name=LEDGER.name,
        columns=tuple(
            AMOUNT if column.name == "exact_amount" else column for column in LEDGER.columns
        ),
        rows=_ledger_rows,
    ),
    *(table for table in TABLES if table is not LEDGER),
    ExportTable(
        name="unallocated",
        columns=(
            *(CYCLE, CURRENCY),
            *_columns("text", "cause", "id", "product"),
            *_columns("exact", "acus"),
            *(AMOUNT, ExportColumn("suggestion", "text")),
        ),
        rows=_unallocated,
    ),
    ExportTable(
        name="by_organization",
        columns=(
            *(CYCLE, CURRENCY),
            *_columns("text", "org_id", "principal_kind", "id", "product", "cost_center"),
            *_columns("text", "rule", "passed_on"),
            *(ExportColumn("acus", "exact"), AMOUNT),
        ),
        rows=_by_organization,
    ),
)
