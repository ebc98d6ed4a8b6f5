"""What the templates of an e-mail see: an invoice by its figures, and what travels with it.

Law: an e-mail holds nobody's usage and no contacts, so that no template of it can name people,
whatever documents show. It stands in mailboxes for which no one decides who reads it; the attached
invoice names whom it may.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from reportgen.core.model import Change, CostCenter, Heading, InvoiceLine, Memo
from reportgen.documents.content.charges import FurtherRow
from reportgen.documents.content.comparison import Against
from reportgen.documents.content.invoice import InvoiceDocument
from reportgen.documents.content.labels import Word
from reportgen.documents.content.slots import Slot


@dataclass(frozen=True, kw_only=True, slots=True)
class EmailLine:
    """A line of usage; `days` are its first and last where its product has several prices."""

    line: InvoiceLine
    days: tuple[date, date] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """The logo inside an e-mail: `cid` is how markup asks for it, its size is in pixels."""

    cid: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EmailDocument:
    """The e-mail that an invoice goes out with; `files` are the names of what is attached.

    `answered` says that answers to it are read. `picture` is the logo, where mail programs can show
    it.
    """

    heading: Heading
    cost_center: CostCenter
    number: str
    amount: Decimal
    acus: Decimal
    lines: tuple[EmailLine, ...] = ()
    further: tuple[FurtherRow, ...] = ()
    price_decimals: int = 0
    effective_prices: bool = False
    bears_unallocated: bool = False
    across_entities: bool = False
    memo: Memo | None = None
    change: Change | None = None
    against: Against | None = None
    note: str | None = None
    answered: bool = False
    files: tuple[str, ...] = ()
    picture: Picture | None = None

    def slots(self, word: Word) -> dict[str, Slot]:  # noqa: ARG002 - as the other documents have it
        """Give the rows that a workbook streams: there is none."""
        return {}


def email_document(
    document: InvoiceDocument,
    files: Iterable[str],
    *,
    answered: bool = False,
    picture: Picture | None = None,
) -> EmailDocument:
    """Take from an invoice what its e-mail tells."""
    invoice, compared = document.invoice, document.comparison
    return EmailDocument(
        heading=document.heading,
        cost_center=_without_contacts(document.cost_center),
        number=invoice.number or "",
        amount=invoice.amount,
        acus=document.acus,
        lines=tuple(
            EmailLine(line=line, days=document.days_of(line)) for line in document.usage_lines
        ),
        further=tuple(map(_row, document.further)),
        price_decimals=document.price_decimals,
        effective_prices=document.effective_prices,
        bears_unallocated=document.bears_unallocated,
        across_entities=document.across_entities,
        memo=invoice.memo,
        change=compared.whole if compared else None,
        against=compared.against if compared else None,
        note=document.note,
        answered=answered,
        files=tuple(files),
        picture=picture,
    )


def _row(row: FurtherRow) -> FurtherRow:
    return replace(row, partner=_without_contacts(row.partner)) if row.partner else row


def _without_contacts(center: CostCenter) -> CostCenter:
    return replace(center, contacts=())
