"""What there is to make of a cycle: one task a file, which carries all that is needed for it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reportgen.core.model import Attachment, Directory, Statement, UsersShown
from reportgen.documents.content.credit_note import CreditNoteDocument
from reportgen.documents.content.email import EmailDocument
from reportgen.documents.content.index import IndexDocument, index_document
from reportgen.documents.content.invoice import InvoiceDocument, invoice_documents
from reportgen.documents.content.statement import StatementDocument, statement_document
from reportgen.documents.content.summary import Holding, SummaryDocument, summary_documents

Document = (
    InvoiceDocument
    | StatementDocument
    | SummaryDocument
    | IndexDocument
    | EmailDocument
    | CreditNoteDocument
)


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
    most_detail_rows: int = 1500


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One file to be rendered: a template over a document."""

    path: str
    template: str
    document: Document
    locale: str
    attachments: tuple[Attachment, ...] = ()


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
    attached = attachments or {}
    whole = statement_document(statement, directory, design.note)
    invoices = {
        f"invoices/{document.invoice.number}": document
        for document in invoice_documents(
            statement,
            directory,
            design.note,
            users=design.users,
            most_detail_rows=design.most_detail_rows,
        )
    }
    summaries = _summaries(statement, design)
    paths = {document.cost_center.code: path for path, document in invoices.items()}
    index = index_document(whole, paths, summaries)
    return [
        *_pair("statement", "statement", whole, design.locale, attached.get("", ())),
        *_invoice_tasks(invoices, design, attached),
        *(
            _pdf_task(path, "summary", summary, design.locale)
            for path, summary in summaries.items()
        ),
        Task(path="index.html", template="index.html.j2", document=index, locale=design.locale),
    ]


def _invoice_tasks(
    invoices: Mapping[str, InvoiceDocument],
    design: Design,
    attachments: Mapping[str, tuple[Attachment, ...]],
) -> Iterator[Task]:
    """List the files of invoices by path, each in the language of its cost center."""
    for path, document in invoices.items():
        center = document.cost_center
        locale, attached = center.locale or design.locale, attachments.get(center.code, ())
        yield from _pair(path, "invoice", document, locale, attached)


def _summaries(statement: Statement, design: Design) -> dict[str, SummaryDocument]:
    """Give the documents of departments and entities by the path of their file."""
    return {
        f"summaries/{holding}-{slug}.pdf": summary
        for holding in design.summaries
        for slug, summary in summary_documents(statement, holding, design.note)
    }


def _pair(
    path: str,
    template: str,
    document: Document,
    locale: str,
    attachments: tuple[Attachment, ...] = (),
) -> tuple[Task, Task]:
    workbook = f"{template}.xlsx.j2"
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
