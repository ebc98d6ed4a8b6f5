"""What travels inside the PDFs: the invoice as JSON and its usage as CSV, to check it by itself.

Law: what is attached to an invoice is made of what that invoice shows, names and numbers alike.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache, partial

from reportgen.core.allocating.directory import principal_of
from reportgen.core.charging.credit_notes import Notes
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
from reportgen.core.written.correction_json import note_values
from reportgen.core.written.statement_json import (
    cost_center_values,
    heading_values,
    statement_json,
    tie_out_values,
)
from reportgen.core.written.tables import csv_text, tie_out_csv
from reportgen.core.written.unit_costs_json import own_unit_costs
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


class Attached(Mapping[str, tuple[Attachment, ...]]):
    """What is attached to each invoice by its cost center, and to the statement by "".

    It is made whenever it is asked for: that of thousands of invoices is held by nobody.
    """

    def __init__(
        self, statement: Statement, directory: Directory, tie_out: TieOutTold = "own"
    ) -> None:
        """Take what may be shown."""
        self._statement, self._directory, self._tie_out = statement, directory, tie_out
        issued = (invoice for invoice in statement.invoices if invoice.number)
        self._invoices = {invoice.cost_center.code: invoice for invoice in issued}
        self._of_statement: tuple[Attachment, ...] = ()

    def __getitem__(self, code: str) -> tuple[Attachment, ...]:
        """Make what is attached to one document."""
        if code:
            invoice = self._invoices[code]
            return _of_invoice(invoice, self._statement, self._directory, self._tie_out)
        self._of_statement = self._of_statement or _of_statement(self._statement)
        return self._of_statement

    def __iter__(self) -> Iterator[str]:
        """Give the codes."""
        return iter(("", *self._invoices))

    def __len__(self) -> int:
        """Count the documents."""
        return 1 + len(self._invoices)


def attachments(
    statement: Statement, directory: Directory, tie_out: TieOutTold = "own"
) -> Mapping[str, tuple[Attachment, ...]]:
    """Give what is attached to each invoice by its cost center, and to the statement by ""."""
    return Attached(statement, directory, tie_out)


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
        "unit_costs": own_unit_costs(statement, invoice.cost_center.code),
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
    named = cache(partial(_named, directory.entries))
    priced = cache(partial(_priced, decimals))
    organizations = directory.organizations
    for day, product, org_id, principal_kind, principal_id, kind, acus, price, amount in detail:
        yield (
            *(day.isoformat(), product, org_id, organizations.get(org_id, "")),
            *(principal_kind, principal_id, *named(principal_kind, principal_id)),
            *(kind, plain(acus), priced(price), plain(amount)),
        )


def _named(entries: Mapping[Principal, Entry], kind: str, principal_id: str) -> tuple[str, str]:
    """Give the address and the name of somebody, as far as they are known."""
    principal = principal_of(kind, principal_id)
    entry = entries.get(principal, Entry(principal=principal))
    return entry.email or "", entry.name or ""


def _priced(decimals: int, unit_price: Decimal | None) -> str:
    return "" if unit_price is None else at_least(unit_price, decimals)
