"""What there is to make of a cycle: one task a file, which carries all that is needed for it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

from reportgen.core.model import (
    Attachment,
    DetailShown,
    Directory,
    Statement,
    TieOutTold,
    UsersShown,
)
from reportgen.core.notes import Notes
from reportgen.core.product_labels import labelled, labelled_notes
from reportgen.documents.content.attachments import marked, of_note
from reportgen.documents.content.credit_note import (
    Correction,
    CreditNoteDocument,
    credit_note_documents,
)
from reportgen.documents.content.email import EmailDocument
from reportgen.documents.content.index import IndexDocument, index_document
from reportgen.documents.content.invoice import InvoiceDocument, invoice_documents
from reportgen.documents.content.mark import mark_of
from reportgen.documents.content.statement import (
    StatementDocument,
    SummaryDraft,
    statement_document,
    without_usage,
)
from reportgen.documents.content.summary import Holding, SummaryDocument, summary_documents
from reportgen.documents.templating.catalog import catalogs
from reportgen.documents.templating.templates import used

Document = (
    InvoiceDocument
    | StatementDocument
    | SummaryDocument
    | IndexDocument
    | EmailDocument
    | CreditNoteDocument
)
Marked = TypeVar("Marked", InvoiceDocument, SummaryDocument)
STYLES = ("invoice.css", "workbook.css")


@dataclass(frozen=True, kw_only=True, slots=True)
class Design:
    """How documents look: the templates by name, the accent colour, the locale.

    `logo` is an address of `data:`. `summaries` are what gets a document for all its cost centers;
    beyond `most_detail_rows` the detail of usage is left to the workbook and the attachment.
    """

    templates: Mapping[str, str]
    accent: str
    locale: str
    logo: str | None = None
    note: str | None = None
    summaries: tuple[Holding, ...] = ()
    users: UsersShown = "names"
    detail: DetailShown = "days"
    most_detail_rows: int = 1500
    tie_out: TieOutTold = "own"


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One file to be rendered: a template over a document."""

    path: str
    template: str
    document: Document
    locale: str
    attachments: tuple[Attachment, ...] = ()


class _Marks:
    """Gives drafts their marks."""

    def __init__(self, design: Design) -> None:
        self._design = design

    def of(
        self, document: Document, template: str, locale: str, attached: Iterable[Attachment]
    ) -> str:
        """Give the mark of a document with what is attached to it; one that is closed has none."""
        if document.heading.status != "draft":
            return ""
        contents = tuple(attachment.content for attachment in attached)
        return mark_of(_shown(document, contents), contents, self._look(template, locale))

    def _look(self, template: str, locale: str) -> str:
        """Hash the templates, words and colours that a kind of document is made with."""
        design = self._design
        templates = tuple(sorted(design.templates.items()))
        return _look(templates, template, locale, design.accent, design.logo)


@lru_cache(maxsize=64)
def _look(
    templates: tuple[tuple[str, str], ...],
    template: str,
    locale: str,
    accent: str,
    logo: str | None,
) -> str:
    texts = dict(templates)
    names = (f"{template}.html.j2", f"{template}.xlsx.j2", *STYLES)
    return mark_of(used(texts, names), catalogs(texts, locale), accent, logo, locale)


def tasks_of(
    statement: Statement,
    directory: Directory,
    design: Design,
    attachments: Mapping[str, tuple[Attachment, ...]] | None = None,
) -> list[Task]:
    """List every file of a cycle: the statement's first, as they take longest, and the index last.

    Statement and directory are what documents may show (core/privacy.py); `attachments` are those
    of an invoice by the code of its cost center, and of the statement by "".
    """
    statement = labelled(statement)
    attached, marks = attachments or {}, _Marks(design)
    invoices = _invoices(statement, directory, design, attached, marks)
    summaries = _summaries(statement, design, marks)
    whole = _with_drafts(statement_document(statement, directory, design.note), invoices, summaries)
    whole = _statement(whole, marks.of(whole, "statement", design.locale, attached.get("", ())))
    paths = {document.cost_center.code: path for path, document in invoices.items()}
    index = index_document(whole, paths, summaries)
    return [
        *_pair("statement", "statement", whole, design.locale, attached.get("", ()), whole.drafts),
        *_invoice_tasks(invoices, design, attached),
        *(
            _pdf_task(path, "summary", summary, design.locale)
            for path, summary in summaries.items()
        ),
        Task(path="index.html", template="index.html.j2", document=index, locale=design.locale),
    ]


def correction_tasks(
    notes: Notes,
    statement: Statement,
    directory: Directory,
    design: Design,
    attachments: Mapping[str, tuple[Attachment, ...]],
) -> list[Task]:
    """List every file of a correction: the statement as corrected, and a note in each language."""
    shown = labelled(statement)
    whole = statement_document(shown, directory, design.note)
    pairs = [_pair("statement", "statement", whole, design.locale, attachments.get("", ()))]
    for document in _notes(notes, shown, design):
        code, locale = document.cost_center.code, document.cost_center.locale
        attached = of_note(code, notes, statement, attachments.get(code, ()))
        path = f"notes/{document.amounts.number}"
        pairs.append(_pair(path, "credit_note", document, locale or design.locale, attached))
    return [task for pair in pairs for task in pair]


def _notes(notes: Notes, statement: Statement, design: Design) -> Iterator[CreditNoteDocument]:
    """Give the notes of a correction, which is issued when it is sealed."""
    issue, correcting = statement.heading.issue, notes.correcting
    correction = Correction(
        reason=correcting.reason,
        issued_on=issue.issued if issue else statement.heading.cycle.end,
        seal=correcting.standing.seal,
    )
    return credit_note_documents(
        correcting.standing,
        statement,
        labelled_notes(notes, statement),
        correction,
        design.note,
        too_small_amount=notes.too_small_amount,
        tie_out=design.tie_out,
    )


def _invoices(
    statement: Statement,
    directory: Directory,
    design: Design,
    attachments: Mapping[str, tuple[Attachment, ...]],
    marks: _Marks,
) -> dict[str, InvoiceDocument]:
    """Give the invoices by the path of their files, without a suffix."""
    documents = invoice_documents(
        statement,
        directory,
        design.note,
        users=design.users,
        detail=design.detail,
        most_detail_rows=design.most_detail_rows,
        tie_out=design.tie_out,
    )
    invoices = {}
    for document in documents:
        attached = attachments.get(document.cost_center.code, ())
        mark = marks.of(document, "invoice", _locale(document, design), attached)
        invoices[f"invoices/{document.invoice.number}"] = _marked(document, mark)
    return invoices


def _summaries(statement: Statement, design: Design, marks: _Marks) -> dict[str, SummaryDocument]:
    """Give the documents of departments and entities by the path of their file."""
    return {
        f"summaries/{holding}-{slug}.pdf": _marked(
            summary, marks.of(summary, "summary", design.locale, ())
        )
        for holding in design.summaries
        for slug, summary in summary_documents(statement, holding, design.note)
    }


def _with_drafts(
    whole: StatementDocument,
    invoices: Mapping[str, InvoiceDocument],
    summaries: Mapping[str, SummaryDocument],
) -> StatementDocument:
    """Let the statement list the marks of all other documents, where they are drafts."""
    if whole.heading.status != "draft":
        return whole
    drafts = {f"{path}.pdf": document.heading.mark for path, document in invoices.items()}
    drafts |= {path: summary.heading.mark for path, summary in summaries.items()}
    named = (
        SummaryDraft(name=summary.name, mark=summary.heading.mark) for summary in summaries.values()
    )
    return replace(whole, drafts=drafts, summary_drafts=tuple(named))


def _statement(whole: StatementDocument, mark: str) -> StatementDocument:
    """Give the statement its own mark."""
    heading = replace(whole.heading, mark=mark)
    return replace(whole, statement=replace(whole.statement, heading=heading))


def _marked(document: Marked, mark: str) -> Marked:
    return replace(document, heading=replace(document.heading, mark=mark))


def _shown(document: Document, attached: Sequence[bytes]) -> object:
    """Give what a document shows but for the usage, where the attachments have all of it."""
    if isinstance(document, InvoiceDocument) and attached:
        invoice = replace(document.invoice, detail=())
        return replace(document, invoice=invoice, directory=Directory())
    if isinstance(document, StatementDocument):
        return replace(document, statement=without_usage(document.statement))
    return document


def _locale(document: InvoiceDocument, design: Design) -> str:
    return document.cost_center.locale or design.locale


def _invoice_tasks(
    invoices: Mapping[str, InvoiceDocument],
    design: Design,
    attachments: Mapping[str, tuple[Attachment, ...]],
) -> Iterator[Task]:
    """List the files of invoices by path, each in the language of its cost center."""
    for path, document in invoices.items():
        attached = attachments.get(document.cost_center.code, ())
        yield from _pair(path, "invoice", document, _locale(document, design), attached)


def _pair(
    path: str,
    template: str,
    document: Document,
    locale: str,
    attachments: tuple[Attachment, ...] = (),
    drafts: Mapping[str, str] | None = None,
) -> tuple[Task, Task]:
    workbook, mark = f"{template}.xlsx.j2", document.heading.mark
    if mark:
        attachments = marked(attachments, mark, drafts or {})
    return (
        _pdf_task(f"{path}.pdf", template, document, locale, attachments),
        Task(path=f"{path}.xlsx", template=workbook, document=document, locale=locale),
    )


def _pdf_task(
    path: str,
    template: str,
    document: Document,
    locale: str,
    attachments: tuple[Attachment, ...] = (),
) -> Task:
    return Task(
        path=path,
        template=f"{template}.html.j2",
        document=document,
        locale=locale,
        attachments=attachments,
    )
