"""What travels inside the PDFs: the invoice as JSON and its usage as CSV, to check it by itself.

Law: what is attached to an invoice is made of what that invoice shows, names and numbers alike.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from reportgen.core.correction_json import note_values
from reportgen.core.directory import principal_of
from reportgen.core.model import (
    Attachment,
    DetailRow,
    Directory,
    Entry,
    Invoice,
    Principal,
    Statement,
    TieOutTold,
)
from reportgen.core.money import at_least, plain
from reportgen.core.notes import Notes
from reportgen.core.statement_json import (
    cost_center_values,
    heading_values,
    statement_json,
    tie_out_values,
)
from reportgen.core.tables import csv_text, tie_out_csv
from reportgen.documents.content.tie_out import withheld

SCHEMA = "reportgen.invoice/1"
USAGE_COLUMNS = (
    *(
        "day",
        "product",
        "org_id",
        "organization",
        "principal_kind",
        "principal_id",
        "email",
        "name",
    ),
    *("kind", "quantity", "unit_price", "exact_amount"),
)
JSON = "application/json"
INVOICE, USAGE, STATEMENT, TIE_OUT = "invoice.json", "usage.csv", "statement.json", "tie_out.csv"
NOTE = "note.json"


def attachments(
    statement: Statement, directory: Directory, tie_out: TieOutTold = "own"
) -> dict[str, tuple[Attachment, ...]]:
    """Give what is attached to each invoice by its cost center, and to the statement by ""."""
    issued = (invoice for invoice in statement.invoices if invoice.number)
    return {"": _of_statement(statement)} | {
        invoice.cost_center.code: _of_invoice(invoice, statement, directory, tie_out)
        for invoice in issued
    }


def of_note(
    code: str, notes: Notes, statement: Statement, attached: Sequence[Attachment]
) -> tuple[Attachment, ...]:
    """Give what is attached to a note: itself for machines, and the usage as it is told now."""
    note = _as_json(note_values(code, notes, statement))
    usage = (one for one in attached if one.name == USAGE)
    return _json(NOTE, note, "This note, for machines"), *usage


def marked(
    attached: Iterable[Attachment], mark: str, drafts: Mapping[str, str]
) -> tuple[Attachment, ...]:
    """Write the mark of a draft into what is attached to it, and the marks of `drafts` by number.

    A table has no place for it, so it stands in what the PDF says of the file.
    """
    told = {"draft": mark} | ({"drafts": dict(drafts)} if drafts else {})
    return tuple(_marked(attachment, told) for attachment in attached)


def invoice_json(invoice: Invoice, statement: Statement, tie_out: TieOutTold) -> str:
    """Write the cost center's object of the statement, with the cycle and the tie-out beside it.

    Terms of the tie-out that departments are not told are left out.
    """
    untold = withheld(statement.tie_out, tie_out)
    terms = tie_out_values(statement).items()
    issue = statement.heading.issue
    values = {
        **heading_values(statement, SCHEMA),
        "cost_center": cost_center_values(invoice, statement),
        "tie_out": {term: value for term, value in terms if term not in untold},
        "issued": issue.issued.isoformat() if issue else None,
        "contact": statement.heading.contact,
    }
    return _as_json(values)


def usage_csv(invoice: Invoice, directory: Directory, decimals: int) -> str:
    """Write what stands behind an invoice, a row per day, product, organization and principal."""
    return csv_text(USAGE_COLUMNS, _usage_rows(invoice.detail, directory, decimals))


def _of_statement(statement: Statement) -> tuple[Attachment, ...]:
    return (
        _json(STATEMENT, statement_json(statement), "This statement, for machines"),
        _csv(
            TIE_OUT,
            tie_out_csv(statement.tie_out_rows),
            "The control total and what became of it, by day and product",
        ),
    )


def _marked(attachment: Attachment, told: Mapping[str, object]) -> Attachment:
    described = replace(attachment, description=f"{attachment.description}, draft {told['draft']}")
    if attachment.media_type != JSON:
        return described
    values = json.loads(attachment.content) | told
    return replace(described, content=_as_json(values).encode())


def _as_json(values: Mapping[str, object]) -> str:
    return json.dumps(values, ensure_ascii=False, indent=2) + "\n"


def _of_invoice(
    invoice: Invoice, statement: Statement, directory: Directory, tie_out: TieOutTold
) -> tuple[Attachment, ...]:
    usage = usage_csv(invoice, directory, statement.heading.decimals)
    return (
        _json(INVOICE, invoice_json(invoice, statement, tie_out), "This invoice, for machines"),
        _csv(USAGE, usage, "The usage behind this invoice, before rounding"),
    )


def _json(name: str, text: str, description: str) -> Attachment:
    return Attachment(
        name=name,
        media_type=JSON,
        description=description,
        relationship="Alternative",
        content=text.encode(),
    )


def _csv(name: str, text: str, description: str) -> Attachment:
    return Attachment(
        name=name,
        media_type="text/csv",
        description=description,
        relationship="Data",
        content=text.encode(),
    )


def _usage_rows(
    detail: Sequence[DetailRow], directory: Directory, decimals: int
) -> Iterator[tuple[str, ...]]:
    for row in detail:
        entry = _entry(row, directory.entries)
        yield (
            *(
                row.day.isoformat(),
                row.product,
                row.org_id,
                directory.organizations.get(row.org_id, ""),
            ),
            *(row.principal_kind, row.principal_id, entry.email or "", entry.name or ""),
            *(row.kind, plain(row.acus)),
            "" if row.unit_price is None else at_least(row.unit_price, decimals),
            plain(row.exact_amount),
        )


def _entry(row: DetailRow, entries: Mapping[Principal, Entry]) -> Entry:
    principal = principal_of(row.principal_kind, row.principal_id)
    return entries.get(principal, Entry(principal=principal))
