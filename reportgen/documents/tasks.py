"""What there is to make of a cycle: one task a file, which carries all that is needed for it.

Law: what is listed is light. A task comes into being when it is asked for, and nobody holds those
of thousands of cost centers.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TypeVar, overload

from reportgen.core.charging.credit_notes import Notes
from reportgen.core.model import (
    Attachment,
    DetailShown,
    Directory,
    Invoice,
    Statement,
    TieOutTold,
    UsersShown,
)
from reportgen.core.written.product_labels import labelled, labelled_notes
from reportgen.documents.content.attachments import marked, of_note
from reportgen.documents.content.credit_note import (
    Correction,
    CreditNoteDocument,
    credit_note_documents,
)
from reportgen.documents.content.email import EmailDocument
from reportgen.documents.content.index import IndexDocument, index_document
from reportgen.documents.content.invoice import InvoiceDocument, InvoiceDocuments
from reportgen.documents.content.mark import mark_of
from reportgen.documents.content.paper import MOST_ROWS
from reportgen.documents.content.statement import (
    StatementDocument,
    SummaryDraft,
    statement_document,
    without_usage,
)
from reportgen.documents.content.summary import Holding, SummaryDocument, summary_documents
from reportgen.documents.digest import digest_of
from reportgen.documents.templating.catalog import catalogs
from reportgen.documents.templating.templates import changed, used

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
SUFFIXES = (".pdf", ".xlsx")
INVOICE = ("invoice.html.j2", "invoice.xlsx.j2")
"""What makes a PDF, and a workbook."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Design:
    """How documents look: the templates by name, the accent colour, the locale.

    `logo` is an address of `data:`. `summaries` are what gets a document for all its cost centers;
    beyond `most_detail_rows` the detail of usage is left to the workbook and the attachment, and
    beyond `most_rows` the lesser rows of any other table.
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
    most_rows: int = MOST_ROWS
    tie_out: TieOutTold = "own"


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One file to be rendered: a template over a document."""

    path: str
    template: str
    document: Document
    locale: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """A file that is to be made; `digest` is that of all it shows, where that is known already."""

    path: str
    template: str
    locale: str
    make: Callable[[], Task]
    digest: str = ""

    def shown(self) -> str:
        """Give the digest of what it shows, with all that is attached to it."""
        if self.digest:
            return self.digest
        task = self.make()
        return digest_of(task.document, task.attachments)


class Listing(Sequence[Task]):
    """What is planned, in the order in which it is made; each task is made when it is asked for."""

    def __init__(self, planned: Iterable[Planned]) -> None:
        """Take what is to be made."""
        self.planned = tuple(planned)

    @classmethod
    def of(cls, tasks: Iterable[Task]) -> "Listing":
        """List tasks that are there."""
        return cls(map(_as_planned, tasks))

    def __len__(self) -> int:
        """Count the files."""
        return len(self.planned)

    @overload
    def __getitem__(self, place: int) -> Task: ...
    @overload
    def __getitem__(self, place: slice) -> list[Task]: ...
    def __getitem__(self, place: int | slice) -> Task | list[Task]:
        """Make a task, or some."""
        if isinstance(place, slice):
            return [planned.make() for planned in self.planned[place]]
        return self.planned[place].make()

    @property
    def paths(self) -> list[str]:
        """The files, as they lie in the folder of the cycle."""
        return [planned.path for planned in self.planned]

    def only(self, paths: Container[str]) -> "Listing":
        """List those of some paths."""
        return Listing(planned for planned in self.planned if planned.path in paths)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Issued:
    """An invoice that gets documents, at a path without a suffix."""

    invoice: Invoice
    path: str
    locale: str
    mark: str = ""
    digest: str = ""


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
) -> Listing:
    """List every file of a cycle: the statement's first, as they take longest, and the index last.

    Statement and directory are what documents may show (core/written/privacy.py); `attachments`
    are those of an invoice by the code of its cost center, and of the statement by "".
    """
    statement, locale = labelled(statement), design.locale
    attached, marks = attachments or {}, _Marks(design)
    invoices = _Invoices(statement, directory, design, attached)
    issued = [invoices.marked(one, marks) for one in invoices.issued()]
    summaries = _summaries(statement, design, marks)
    document = statement_document(statement, directory, design.note, design.most_rows)
    whole = _with_drafts(document, issued, summaries)
    whole = _statement(whole, marks.of(whole, "statement", locale, attached.get("", ())))
    paths = {one.invoice.cost_center.code: one.path for one in issued}
    index = index_document(whole, paths, summaries)
    short = replace(whole, statement=without_usage(whole.statement))
    files = attached.get("", ())
    return Listing(
        (
            *_planned(_pair("statement", "statement", short, locale, files, whole.drafts)),
            *(planned for one in issued for planned in invoices.planned(one)),
            *_planned(_pdf_task(path, "summary", one, locale) for path, one in summaries.items()),
            *_planned([_index_task(index, locale)]),
        )
    )


def correction_tasks(
    notes: Notes,
    statement: Statement,
    directory: Directory,
    design: Design,
    attachments: Mapping[str, tuple[Attachment, ...]],
) -> Listing:
    """List every file of a correction: the statement as corrected, and a note in each language."""
    shown = labelled(statement)
    whole = statement_document(shown, directory, design.note, design.most_rows)
    pairs = [_pair("statement", "statement", whole, design.locale, attachments.get("", ()))]
    for document in _notes(notes, shown, design):
        code, locale = document.cost_center.code, document.cost_center.locale
        attached = of_note(code, notes, statement, attachments.get(code, ()))
        path = f"notes/{document.amounts.number}"
        pairs.append(_pair(path, "credit_note", document, locale or design.locale, attached))
    return Listing.of(task for pair in pairs for task in pair)


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


class _Invoices:
    """Plans the files of invoices, each in the language of its cost center."""

    def __init__(
        self,
        statement: Statement,
        directory: Directory,
        design: Design,
        attachments: Mapping[str, tuple[Attachment, ...]],
    ) -> None:
        self._documents = InvoiceDocuments(
            statement,
            directory,
            design.note,
            users=design.users,
            detail=design.detail,
            most_detail_rows=design.most_detail_rows,
            most_rows=design.most_rows,
            tie_out=design.tie_out,
        )
        self._invoices = [invoice for invoice in statement.invoices if invoice.number]
        self._design, self._attachments = design, attachments
        self._is_draft = statement.heading.status == "draft"
        self._places_shown = bool(changed(design.templates, INVOICE))
        self._last: tuple[str, Sequence[Task]] = "", ()

    def issued(self) -> Iterator[_Issued]:
        """Give the invoices that get documents."""
        for invoice in self._invoices:
            locale = invoice.cost_center.locale or self._design.locale
            yield _Issued(invoice=invoice, path=f"invoices/{invoice.number}", locale=locale)

    def marked(self, one: _Issued, marks: _Marks) -> _Issued:
        """Give the draft of an invoice its mark, and the digest by which it is known again."""
        if not self._is_draft:
            return one
        document, attached = self._documents.of(one.invoice), self._attached(one)
        mark = marks.of(document, "invoice", one.locale, attached)
        shown = document if self._places_shown else _without_places(document)
        return replace(one, mark=mark, digest=digest_of((mark, shown), attached))

    def planned(self, one: _Issued) -> Iterator[Planned]:
        """Plan the files of an invoice."""
        for place, (suffix, template) in enumerate(zip(SUFFIXES, INVOICE, strict=True)):
            yield Planned(
                path=f"{one.path}{suffix}",
                template=template,
                locale=one.locale,
                make=partial(self._task, one, place),
                digest=one.digest,
            )

    def _task(self, one: _Issued, place: int) -> Task:
        """Make one of the two tasks of an invoice; the other one is mostly asked for next."""
        path, pair = self._last
        if path != one.path:
            document = self._documents.of(one.invoice)
            document = _marked(document, one.mark) if one.mark else document
            pair = _pair(one.path, "invoice", document, one.locale, self._attached(one))
            self._last = one.path, pair
        return pair[place]

    def _attached(self, one: _Issued) -> tuple[Attachment, ...]:
        return self._attachments.get(one.invoice.cost_center.code, ())


def _summaries(statement: Statement, design: Design, marks: _Marks) -> dict[str, SummaryDocument]:
    """Give the documents of departments and entities by the path of their file."""
    return {
        f"summaries/{holding}-{slug}.pdf": _marked(
            summary, marks.of(summary, "summary", design.locale, ())
        )
        for holding in design.summaries
        for slug, summary in summary_documents(statement, holding, design.note, design.most_rows)
    }


def _with_drafts(
    whole: StatementDocument,
    issued: Iterable[_Issued],
    summaries: Mapping[str, SummaryDocument],
) -> StatementDocument:
    """Let the statement list the marks of all other documents, where they are drafts."""
    if whole.heading.status != "draft":
        return whole
    drafts = {f"{one.path}.pdf": one.mark for one in issued}
    drafts |= {path: summary.heading.mark for path, summary in summaries.items()}
    named = (
        SummaryDraft(name=summary.name, mark=summary.heading.mark) for summary in summaries.values()
    )
    return replace(whole, drafts=drafts, summary_drafts=tuple(named))


def _statement(whole: StatementDocument, mark: str) -> StatementDocument:
    """Give the statement its own mark."""
    heading = replace(whole.heading, mark=mark)
    return replace(whole, statement=replace(whole.statement, heading=heading))


def _without_places(document: InvoiceDocument) -> InvoiceDocument:
    """Leave out at which line of a file things are written: no template of ours shows that."""
    invoice, further = document.invoice, document.further
    center = replace(invoice.cost_center, source="")
    lines = tuple(replace(line, source="") for line in invoice.lines)
    rows = (
        replace(
            row,
            line=replace(row.line, source=""),
            partner=replace(row.partner, source="") if row.partner else None,
        )
        for row in further
    )
    invoice = replace(invoice, cost_center=center, lines=lines)
    return replace(document, invoice=invoice, further=tuple(rows))


def _planned(tasks: Iterable[Task]) -> Iterator[Planned]:
    """Plan tasks that are there."""
    return map(_as_planned, tasks)


def _as_planned(task: Task) -> Planned:
    return Planned(path=task.path, template=task.template, locale=task.locale, make=lambda: task)


def _index_task(index: IndexDocument, locale: str) -> Task:
    return Task(path="index.html", template="index.html.j2", document=index, locale=locale)


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
