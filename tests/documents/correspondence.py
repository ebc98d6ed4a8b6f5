"""What follows on documents: the e-mail of an invoice of `grove`, and notes on two of them.

The notes are a worked example. Of devin at 2.00, R-1 used 0.5 ACUs less than was recorded, and S-2
0.123 more:

    devin     25.683 ACUs, 51.366 -> 51.37      25.306 ACUs, 50.612 -> 50.61      the group: -0.76
    R-1       exactly -1.000 -> -1.00
    S-2       exactly +0.246 -> +0.24             as +0.25 would make -0.75 of the group
    fee       2.5 % of what R-1 is charged for usage, 22.58 -> 21.58: 0.56 -> 0.54
    pool      3.75 in proportion to 22.58 : 28.32 -> 21.58 : 28.56: 1.66 -> 1.61 and 2.09 -> 2.14
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from io import BytesIO

from PIL import Image

from reportgen.core.charging.credit_notes import totals_of
from reportgen.core.model import (
    CreditNoteAmounts,
    CreditNoteLine,
    Issue,
    Standing,
    StandingInvoice,
    Statement,
)
from reportgen.documents import mail as mails
from reportgen.documents.content.credit_note import (
    Correction,
    CreditNoteDocument,
    credit_note_documents,
)
from reportgen.documents.content.email import EmailDocument, email_document
from reportgen.documents.content.invoice import InvoiceDocument
from reportgen.documents.mail import Envelope, Words
from reportgen.documents.render import draw
from reportgen.documents.tasks import Design, Task
from tests.documents import grove

ENVELOPE = Envelope(
    sender="chargeback@beech.example",
    sender_name="Beech & Partners",
    recipients=("research@beech.example", "office@beech.example"),
    reply_to="finance@beech.example",
    message_id="<2025-12-29.R-1.1@beech.example>",
    date=datetime(2026, 1, 9, 10, 0, tzinfo=UTC),
)
FILES = {
    "CB-2025-12-29-R-1.pdf": b"%PDF-1.7 a document",
    "CB-2025-12-29-R-1.xlsx": b"PK\x03\x04 a workbook",
}
ISSUE = Issue(issued=date(2026, 1, 9), previous_seal="a7" * 32)
CORRECTION = Correction(
    reason="Vendor restatement, January 1 (ticket 4713)",
    issued_on=date(2026, 2, 3),
    seal="5e" * 32,
)


def _line(
    product: str, unit_price: str, acus: tuple[str, str, str], amounts: tuple[str, str, str]
) -> CreditNoteLine:
    before_acus, after_acus, change = map(Decimal, acus)
    return replace(
        _further("usage", "", amounts),
        product=product,
        unit_price=Decimal(unit_price),
        before_acus=before_acus,
        after_acus=after_acus,
        acus=change,
    )


def _further(
    kind: str, name: str, amounts: tuple[str, str, str], counterpart: str | None = None
) -> CreditNoteLine:
    before, after, amount = map(Decimal, amounts)
    return CreditNoteLine(
        kind=kind,
        name=name,
        counterpart=counterpart,
        before_amount=before,
        after_amount=after,
        amount=amount,
    )


AMOUNTS = {
    "R-1": CreditNoteAmounts(
        number="CB-2025-12-29-R-1-C1",
        lines=(
            _line(
                "devin",
                "2.00",
                ("9.766666666666", "9.266666666666", "-0.5"),
                ("19.54", "18.54", "-1.00"),
            ),
            _further("fee", "Premium support", ("0.56", "0.54", "-0.02")),
            _further("pool", "Tooling", ("1.66", "1.61", "-0.05"), "T-3"),
        ),
        amount=Decimal("-1.07"),
    ),
    "S-2": CreditNoteAmounts(
        number="CB-2025-12-29-S-2-D2",
        lines=(
            _line(
                "devin",
                "2.00",
                ("12.766333333334", "12.889333333334", "0.123"),
                ("25.53", "25.77", "0.24"),
            ),
            _further("pool", "Tooling", ("2.09", "2.14", "0.05"), "T-3"),
        ),
        amount=Decimal("0.29"),
        earlier=("CB-2025-12-29-S-2-C1",),
    ),
}


def design(**changed: object) -> Design:
    return replace(grove.design(), note="See intranet.beech.example/acus.", **changed)


def png(width: int = 40, height: int = 12) -> str:
    """Give a logo as the address that a design has."""
    target = BytesIO()
    Image.new("RGB", (width, height), "#1f4e79").save(target, "PNG")
    return f"data:image/png;base64,{b64encode(target.getvalue()).decode()}"


def invoice(
    code: str = "R-1", *, closed: bool = True, locale: str | None = None
) -> InvoiceDocument:
    """Give an invoice as it is mailed, in a language."""
    document = grove.task(f"{code}.pdf").document
    own = replace(document.invoice, cost_center=replace(document.cost_center, locale=locale))
    heading = document.heading
    if closed:
        heading = replace(heading, status="closed", cycle_open=False, issue=ISSUE)
    return replace(document, invoice=own, heading=heading, note=design().note)


def mail(document: InvoiceDocument | None = None, **changed: object) -> bytes:
    """Write the e-mail of an invoice."""
    document = document or invoice()
    envelope = replace(ENVELOPE, sender_name=document.heading.enterprise)
    return message(document, design(**changed), envelope, FILES)


def message(
    document: InvoiceDocument | CreditNoteDocument,
    looks: Design,
    envelope: Envelope,
    files: Mapping[str, bytes],
    **told: object,
) -> bytes:
    """Write the e-mail of a document, drawn here."""
    picture, _ = mails.picture_of(looks.logo)
    names = [mails.attachment_name(name) for name in files]
    answered = envelope.reply_to is not None
    email = email_document(document, names, answered=answered, picture=picture, **told)
    return mails.framed(drawn(email, looks), envelope, files, looks.logo).filled(files.values())


def drawn(email: EmailDocument, looks: Design) -> Words:
    locale = email.cost_center.locale or looks.locale
    listed = mails.words_of(email, "1", locale)
    subject, text, page = (draw(task, looks).decode() for task in listed)
    return Words(subject=subject, text=text, page=page, locale=locale)


@cache
def cycle(status: str = "closed") -> tuple[Statement, Statement]:
    """Give the cycle as it stood, and as it was restated by the worked example."""
    before = grove.derived(is_open=False).statement
    before = replace(before, heading=replace(before.heading, status=status))
    restated = replace(
        before.tie_out,
        control_acus=before.tie_out.control_acus - Decimal("0.377"),
        chargeable_amount=Decimal("56.44"),
        fees_amount=Decimal("15.54"),
        invoiced_amount=Decimal("71.98"),
    )
    return before, replace(before, tie_out=restated)


def standing(before: Statement) -> Standing:
    """Give the cycle as it stood; nobody bears nothing in it."""
    return Standing(
        folder="2025-12-29",
        seal=CORRECTION.seal,
        currency=before.heading.currency,
        decimals=before.heading.decimals,
        effective_prices=False,
        totals=totals_of(before),
        invoices={
            one.cost_center.code: StandingInvoice(number=one.number, lines=one.lines)
            for one in before.invoices
        },
    )


def credit_notes(status: str = "closed") -> dict[str, CreditNoteDocument]:
    """Give the notes by the code of the cost center."""
    before, after = cycle(status)
    documents = credit_note_documents(standing(before), after, AMOUNTS, CORRECTION, design().note)
    return {document.cost_center.code: document for document in documents}


def credit_note_task(document: CreditNoteDocument, locale: str = "en") -> Task:
    path = f"notes/{document.amounts.number}.pdf"
    return Task(path=path, template="credit_note.html.j2", document=document, locale=locale)


def email_task(template: str, document: InvoiceDocument | None = None, locale: str = "en") -> Task:
    email = email_document(document or invoice(), FILES, answered=True)
    return Task(path=template.removesuffix(".j2"), template=template, document=email, locale=locale)


def tasks(locale: str = "en") -> list[Task]:
    """List what is not among the documents of a cycle: an e-mail and a note of each kind."""
    emails = [
        email_task(name, locale=locale)
        for name in ("email.html.j2", "email.subject.txt.j2", "email.txt.j2")
    ]
    notes = credit_notes().values()
    of_notes = [
        task
        for note in notes
        for task in mails.words_of(email_document(note, FILES, answered=True), "1", locale)
    ]
    return [*emails, *of_notes, *(credit_note_task(note, locale) for note in notes)]
