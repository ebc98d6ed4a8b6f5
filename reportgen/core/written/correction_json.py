"""correction.json and notes.csv: what a correction issued, line by line, for machines."""

import json
from collections.abc import Iterator
from typing import Any

from reportgen.core.charging.credit_notes import Notes
from reportgen.core.model import (
    CreditNoteAmounts,
    CreditNoteLine,
    StandingInvoice,
    StandingTotals,
    Statement,
)
from reportgen.core.money import add, at_least, fixed, plain, total
from reportgen.core.written.statement_json import heading_values
from reportgen.core.written.tables import csv_text

SCHEMA, NOTE_SCHEMA = "reportgen.correction/1", "reportgen.note/1"
NOTE_COLUMNS = (
    *("note", "note_kind", "cost_center", "invoice"),
    *("kind", "product", "name", "counterpart", "unit_price"),
    *("before_acus", "after_acus", "acus", "before_amount", "after_amount", "amount"),
)


def correction_values(notes: Notes, statement: Statement) -> dict[str, Any]:
    """Give a correction as plain values, decimals as strings; keys in their order."""
    correcting, decimals = notes.correcting, statement.heading.decimals
    return {
        **heading_values(statement, SCHEMA),
        "number": correcting.number,
        "corrects": {"folder": correcting.standing.folder, "seal": correcting.standing.seal},
        "reason": correcting.reason,
        "edited": list(correcting.edited),
        "minimum": plain(correcting.minimum),
        "notes": [_note(code, note, notes, statement) for code, note in notes.issued.items()],
        "not_issued": [
            _note(code, note, notes, statement) for code, note in notes.too_small.items()
        ],
        "tie_out": {
            "before": _totals(notes.before, decimals),
            "after": _totals(notes.after, decimals),
            "notes_amount": fixed(notes.amount, decimals),
            "not_issued_amount": fixed(notes.too_small_amount, decimals),
            "difference_amount": fixed(notes.difference_amount, decimals),
        },
    }


def correction_json(notes: Notes, statement: Statement) -> str:
    """Write a correction."""
    return f"{json.dumps(correction_values(notes, statement), ensure_ascii=False, indent=2)}\n"


def note_values(code: str, notes: Notes, statement: Statement) -> dict[str, Any]:
    """Give what is attached to a note: its object of the correction, with what it corrects."""
    correcting = notes.correcting
    return {
        **heading_values(statement, NOTE_SCHEMA),
        "corrects": {"folder": correcting.standing.folder, "seal": correcting.standing.seal},
        "reason": correcting.reason,
        "note": _note(code, notes.issued[code], notes, statement),
    }


def notes_csv(notes: Notes, statement: Statement) -> str:
    """Write every line of every note, those that are not issued last, without a number."""
    return csv_text(NOTE_COLUMNS, _rows(notes, statement))


def _note(code: str, note: CreditNoteAmounts, notes: Notes, statement: Statement) -> dict[str, Any]:
    decimals = statement.heading.decimals
    stood = _stood(code, notes)
    before = total(line.amount for line in stood.lines)
    return {
        "number": note.number or None,
        "kind": note.kind,
        "cost_center": code,
        "name": _names(statement).get(code, ""),
        "invoice": stood.number,
        "earlier": list(note.earlier),
        "before_amount": fixed(before, decimals),
        "after_amount": fixed(add(before, note.amount), decimals),
        "amount": fixed(note.amount, decimals),
        "lines": [_line(line, decimals) for line in note.lines],
    }


def _line(line: CreditNoteLine, decimals: int) -> dict[str, Any]:
    named: dict[str, Any] = {"name": line.name, "counterpart": line.counterpart}
    if line.of_usage:
        price = None if line.unit_price is None else at_least(line.unit_price, decimals)
        named = {
            "product": line.product,
            "unit_price": price,
            "before_acus": plain(line.before_acus),
            "after_acus": plain(line.after_acus),
            "acus": plain(line.acus),
        }
    return {
        "kind": line.kind,
        **named,
        "before_amount": fixed(line.before_amount, decimals),
        "after_amount": fixed(line.after_amount, decimals),
        "amount": fixed(line.amount, decimals),
    }


def _totals(totals: StandingTotals, decimals: int) -> dict[str, str]:
    return {
        "control_acus": plain(totals.control_acus),
        "chargeable_amount": fixed(totals.chargeable_amount, decimals),
        "fees_amount": fixed(totals.fees_amount, decimals),
        "unborne_amount": fixed(totals.unborne_amount, decimals),
        "invoiced_amount": fixed(totals.invoiced_amount, decimals),
    }


def _rows(notes: Notes, statement: Statement) -> Iterator[tuple[str, ...]]:
    decimals = statement.heading.decimals
    for code, note in [*notes.issued.items(), *notes.too_small.items()]:
        number = _stood(code, notes).number or ""
        for line in note.lines:
            cells = _line(line, decimals)
            yield (
                *(note.number, note.kind, code, number),
                *(str(cells.get(column) or "") for column in NOTE_COLUMNS[4:]),
            )


def _stood(code: str, notes: Notes) -> StandingInvoice:
    return notes.correcting.standing.invoices.get(code, StandingInvoice(number=None))


def _names(statement: Statement) -> dict[str, str]:
    return {one.cost_center.code: one.cost_center.name for one in statement.invoices}
