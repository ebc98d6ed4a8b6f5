"""All documents of a cycle: core types in, (relative path, bytes) out, in worker processes that stay warm.

Every task carries all it needs, so that any executor gives the same bytes in any order.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Template, TemplateError, TemplateSyntaxError

from reportgen.core.model import Directory, Statement
from reportgen.core.problem import Problem, Rejected
from reportgen.documents.context import InvoiceDocument, invoice_documents
from reportgen.documents.overview import StatementDocument, statement_document
from reportgen.documents.summary import Holding, SummaryDocument, summary_documents
from reportgen.documents.templates import MISTAKES, environment
from reportgen.documents.view import Format

Document = InvoiceDocument | StatementDocument | SummaryDocument


@dataclass(frozen=True, kw_only=True, slots=True)
class Design:
    """How documents look: the templates by name, the accent colour, the note and the locale.

    `summaries` are what gets a document for all its cost centers.
    """

    templates: Mapping[str, str]
    accent: str
    locale: str
    note: str | None = None
    summaries: tuple[Holding, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One file to be rendered: a template over a document."""

    path: str
    template: str
    document: Document
    locale: str


def tasks_of(statement: Statement, directory: Directory, design: Design) -> list[Task]:
    """List every file of a cycle: the statement's first, as they take longest."""
    whole = statement_document(statement, design.note)
    tasks = _pair("statement", "statement", whole, design.locale)
    for document in invoice_documents(statement, directory, design.note):
        locale = document.cost_center.locale or design.locale
        tasks += _pair(f"invoices/{document.invoice.number}", "invoice", document, locale)
    for holding in design.summaries:
        for slug, summary in summary_documents(statement, holding, design.note):
            tasks += _pair(f"summaries/{holding}-{slug}", "summary", summary, design.locale)[:1]
    return tasks


def render(tasks: Iterable[Task], design: Design, executor: Executor) -> Iterator[tuple[str, bytes]]:
    """Yield every document as it is done; raises Rejected with the mistake in a template."""
    futures: dict[Future[bytes], Task] = {executor.submit(draw, task, design): task for task in tasks}
    try:
        for future in as_completed(futures):
            yield futures[future].path, _result(future, futures[future])
    finally:
        for future in futures:
            future.cancel()


def draw(task: Task, design: Design) -> bytes:
    """Render one file; runs in a worker, which imports what it needs once."""
    from reportgen.documents.markup import MarkupError  # noqa: PLC0415
    from reportgen.documents.xhtml import WorkbookError  # noqa: PLC0415

    try:
        markup = _markup(task, design)
        return _workbook(markup, task.document) if task.path.endswith(".xlsx") else _pdf(markup, design, task)
    except TemplateSyntaxError as error:
        raise _mistake(f"{error.name or task.template}:{error.lineno}", str(error.message)) from None
    except MISTAKES as error:
        raise _mistake(_innermost_line(error, task.template), _said(error)) from None
    except (MarkupError, WorkbookError) as error:
        raise _mistake(task.template, str(error)) from None


def _pair(path: str, template: str, document: Document, locale: str) -> list[Task]:
    return [
        Task(path=f"{path}.pdf", template=f"{template}.html.j2", document=document, locale=locale),
        Task(path=f"{path}.xlsx", template=f"{template}.xlsx.j2", document=document, locale=locale),
    ]


def _markup(task: Task, design: Design) -> str:
    heading = task.document.heading
    template = _compiled(
        tuple(sorted(design.templates.items())), task.locale, task.template, heading.currency, heading.decimals
    )
    css = design.templates["workbook.css"]
    return template.render(document=task.document, heading=heading, accent=design.accent, locale=task.locale, css=css)


@lru_cache(maxsize=64)
def _compiled(
    templates: tuple[tuple[str, str], ...], locale: str, name: str, currency: str, decimals: int
) -> Template:
    found = environment(dict(templates), locale)
    found.filters.update(Format(locale, currency, decimals).filters())
    return found.get_template(name)


def _pdf(markup: str, design: Design, task: Task) -> bytes:
    from reportgen.documents.pdf import MissingGlyph, pdf  # noqa: PLC0415 - a worker's business

    try:
        return pdf(markup, design.templates["invoice.css"])
    except MissingGlyph as missing:
        message = f"the fonts cannot draw {missing}"
        hint = "replace the text, and see that Liberation Sans, DejaVu Sans and Droid Sans Fallback are installed"
        raise Rejected([Problem(source=task.path, message=message, hint=hint)]) from None


def _workbook(markup: str, document: Document) -> bytes:
    from reportgen.documents.workbook import workbook  # noqa: PLC0415 - a worker's business

    return workbook(markup, document.slots())


def _result(future: Future[bytes], task: Task) -> bytes:
    try:
        return future.result()
    except BrokenExecutor:
        message = "the process that rendered documents ended unexpectedly"
        hint = "look for loops in the template, and for a machine out of memory"
        raise Rejected([Problem(source=task.template, message=message, hint=hint)]) from None


def _mistake(source: str, message: str) -> Rejected:
    hint = "mend the template, or remove it to use the built-in one"
    return Rejected([Problem(source=source, message=" ".join(message.split()), hint=hint)])


def _said(error: Exception) -> str:
    """Say what Jinja says; what Python says is often but a name, so its kind stands before it."""
    return str(error) if isinstance(error, TemplateError) else f"{type(error).__name__}: {error}"


def _innermost_line(error: BaseException, template: str) -> str:
    """Find the template and line where an error arose: the innermost frame that Jinja compiled."""
    traceback: Any = error.__traceback__
    found = template
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        if name.endswith(".j2"):
            found = f"{name}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return found
