"""What the templates of an e-mail see: a document by its figures, and what travels with it.

Law: an e-mail holds nobody's usage, no contacts and no fields, so that no template of it can name
people, whatever documents show. It stands in mailboxes for which no one decides who reads it; the
attached document names whom it may.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from reportgen.core.charging.invoice import sum_of
from reportgen.core.model import Change, CostCenter, CreditNoteLine, Heading, InvoiceLine, Memo
from reportgen.core.money import total
from reportgen.documents.content.budget import Budget
from reportgen.documents.content.charges import FurtherRow
from reportgen.documents.content.comparison import Against
from reportgen.documents.content.credit_note import CreditNoteDocument
from reportgen.documents.content.invoice import InvoiceDocument
from reportgen.documents.content.labels import Word
from reportgen.documents.content.slots import Slot

MOST_LINES = 8
"""Of more lines of usage the largest are shown, and the others as one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EmailLine:
    """A line of usage; `days` are its first and last where its product has several prices."""

    line: InvoiceLine
    days: tuple[date, date] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OtherLines:
    """The lines of usage that are not shown one by one."""

    count: int
    acus: Decimal
    amount: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class EmailCorrection:
    """What a credit or debit note changes; `corrects` is the invoice, where there was one."""

    corrects: str | None
    reason: str
    before_amount: Decimal
    after_amount: Decimal
    lines: tuple[CreditNoteLine, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """The logo inside an e-mail: `cid` is how markup asks for it, its size is in pixels."""

    cid: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EmailDocument:
    """The e-mail that a document goes out with; `files` are the names of what is attached.

    `kind` says what the document is: of a note there is a `correction`, and no lines. `seal` is
    that of the closed cycle, empty for a draft. `left_out` are files that the mail server takes no
    message with. `answered` says that answers to it are read. `picture` is the logo, where mail
    programs can show it.
    """

    kind: Literal["invoice", "credit", "debit"] = "invoice"
    heading: Heading
    cost_center: CostCenter
    number: str
    amount: Decimal
    acus: Decimal
    lines: tuple[EmailLine, ...] = ()
    others: OtherLines | None = None
    further: tuple[FurtherRow, ...] = ()
    price_decimals: int = 0
    effective_prices: bool = False
    bears_unallocated: bool = False
    across_entities: bool = False
    memo: Memo | None = None
    change: Change | None = None
    against: Against | None = None
    budget: Budget | None = None
    correction: EmailCorrection | None = None
    note: str | None = None
    seal: str = ""
    answered: bool = False
    files: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    picture: Picture | None = None

    def slots(self, word: Word) -> dict[str, Slot]:  # noqa: ARG002 - as the other documents have it
        """Give the rows that a workbook streams: there is none."""
        return {}


def email_document(
    document: InvoiceDocument | CreditNoteDocument,
    files: Iterable[str],
    *,
    left_out: Iterable[str] = (),
    seal: str = "",
    answered: bool = False,
    picture: Picture | None = None,
) -> EmailDocument:
    """Take from a document what its e-mail tells."""
    of_document = _of_invoice if isinstance(document, InvoiceDocument) else _of_note
    return replace(
        of_document(document),  # type: ignore[arg-type]
        files=tuple(files),
        left_out=tuple(left_out),
        seal=seal,
        answered=answered,
        picture=picture,
    )


def _of_invoice(document: InvoiceDocument) -> EmailDocument:
    invoice, compared = document.invoice, document.comparison
    lines, others = _largest(document)
    return EmailDocument(
        heading=document.heading,
        cost_center=_without_contacts(document.cost_center),
        number=invoice.number or "",
        amount=invoice.amount,
        acus=document.acus,
        lines=tuple(EmailLine(line=line, days=document.days_of(line)) for line in lines),
        others=others,
        further=tuple(map(_row, document.further)),
        price_decimals=document.price_decimals,
        effective_prices=document.effective_prices,
        bears_unallocated=document.bears_unallocated,
        across_entities=document.across_entities,
        memo=invoice.memo,
        change=compared.whole if compared else None,
        against=compared.against if compared else None,
        budget=document.budget,
        note=document.note,
    )


def _of_note(document: CreditNoteDocument) -> EmailDocument:
    return EmailDocument(
        kind=document.kind,
        heading=document.heading,
        cost_center=_without_contacts(document.cost_center),
        number=document.amounts.number,
        amount=document.amounts.amount,
        acus=document.acus,
        price_decimals=document.price_decimals,
        correction=EmailCorrection(
            corrects=document.corrects,
            reason=document.correction.reason,
            before_amount=document.before_amount,
            after_amount=document.after_amount,
            lines=document.amounts.lines,
        ),
        note=document.note,
    )


def _largest(document: InvoiceDocument) -> tuple[tuple[InvoiceLine, ...], OtherLines | None]:
    """Give the lines of usage in their order; of many, the largest, and what the others come to."""
    lines = document.usage_lines
    if len(lines) <= MOST_LINES:
        return lines, None
    by_amount = sorted(lines, key=lambda line: line.amount.copy_abs(), reverse=True)
    shown, others = by_amount[: MOST_LINES - 1], by_amount[MOST_LINES - 1 :]
    return tuple(line for line in lines if line in shown), OtherLines(
        count=len(others),
        acus=total(line.acus for line in others),
        amount=sum_of(others, document.heading.decimals),
    )


def _row(row: FurtherRow) -> FurtherRow:
    return replace(row, partner=_without_contacts(row.partner)) if row.partner else row


def _without_contacts(center: CostCenter) -> CostCenter:
    return replace(center, contacts=(), fields=())
