"""All documents of a cycle: core types in, (relative path, bytes) out, in workers that stay warm.

Every task carries all it needs, so that any executor gives the same bytes in any order.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed, wait
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import gettempdir
from traceback import extract_tb, format_exception
from typing import NamedTuple

from jinja2 import Template

from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import legible
from reportgen.documents.limits import MEMORY, OutOfTime, allowed, time_for_a_document
from reportgen.documents.markup import MarkupError, StyleSheetError, tree
from reportgen.documents.pdf.glyphs import (
    STAND_IN,
    MissingGlyph,
    held,
    not_drawn,
    placeholders,
    replaced,
    stood_in_for,
)
from reportgen.documents.tasks import Design, Task
from reportgen.documents.templating.catalog import catalog
from reportgen.documents.templating.compiled import CompiledTemplates
from reportgen.documents.templating.errors import (
    TEMPLATE_ERRORS,
    arose_in_template,
    line_of,
    markup_error,
    place_of,
    rejected,
    template_error,
)
from reportgen.documents.templating.filters import Format
from reportgen.documents.templating.templates import changed, environment
from reportgen.documents.xlsx.dialect import WorkbookError

PLAIN = ".txt.j2"
"""How a template of plain text ends, in which nothing is escaped."""
SHEET = "invoice.css"
"""The style sheet of all pages."""
ENGINE = frozenset({"weasyprint", "tinycss2", "cssselect2", "pydyf", "fontTools", "PIL"})
"""The folders of what draws a page."""
_COMPILED = CompiledTemplates()


class NotDrawn(Rejected):
    """Texts that no font can draw; other documents may hold more of them."""


class Drawn(NamedTuple):
    """A file, and what there is to be said of it."""

    content: bytes
    warnings: tuple[Problem, ...] = ()


class DrawingError(Exception):
    """An error of the program, and not of a template, that stopped the drawing of a document.

    `report` is its traceback as text, which crosses processes; it may quote what was drawn.
    """

    def __init__(self, path: str, template: str, report: str) -> None:
        """Take the file that was being made, its template, and the formatted traceback."""
        super().__init__(path, template, report)
        self.path, self.template, self.report = path, template, report

    def __str__(self) -> str:
        """Name the file and its template, and nothing of what was drawn."""
        return f"{self.path} could not be made from {self.template}"


def render(
    tasks: Iterable[Task], design: Design, executor: Executor, warnings: list[Problem] | None = None
) -> Iterator[tuple[str, bytes]]:
    """Yield every document as it is done; raises Rejected or DrawingError, as `draw` does.

    What no font can draw is told of all documents together, in their order: in `warnings`, or where
    it is a template's, as Rejected. What is left undone where it raises is the executor's to
    cancel: it stumbles over what others have cancelled.
    """
    futures: dict[Future[Drawn], Task] = {
        executor.submit(drawn, task, design): task for task in tasks
    }
    undrawn: dict[Future[Drawn], NotDrawn] = {}
    try:
        for future in as_completed(futures):
            try:
                content = future.result().content
            except NotDrawn as missing:
                undrawn[future] = missing
                continue
            yield futures[future].path, content
    except BrokenExecutor:
        wait(futures)  # it fails them one by one
        raise _ended(futures, executor) from None
    if undrawn:
        raise Rejected(
            problem
            for future in futures
            if future in undrawn
            for problem in undrawn[future].problems
        )
    if warnings is not None:
        warnings += [warning for future in futures for warning in future.result().warnings]


def draw(task: Task, design: Design) -> bytes:
    """Render one file and give its bytes alone; raises as `drawn` does."""
    return drawn(task, design).content


def drawn(task: Task, design: Design) -> Drawn:
    """Render one file; runs in a worker, which imports what it needs once.

    Raises Rejected with the mistake in a template, OSError, or DrawingError for any other error.
    """
    try:
        with time_for_a_document():
            return _drawn(filled(task, design), task, design)
    except OutOfTime as error:
        message = f"this takes more than {allowed()} of the processor"
        raise rejected(place_of(error, task.template), message) from None
    except MemoryError as error:
        message = f"this takes more memory than a document may have, {MEMORY >> 30} GiB"
        raise rejected(place_of(error, task.template), message) from None
    except Rejected:
        raise
    except OSError as error:  # large sheets are kept in a file until they are whole
        error.filename = error.filename or gettempdir()
        raise
    except Exception as error:
        _blame_template(error, task, design)
        report = "".join(format_exception(error))
        raise DrawingError(task.path, task.template, report) from error


def _blame_template(error: Exception, task: Task, design: Design) -> None:
    """Raise Rejected where WeasyPrint itself fails at a page whose template or style was changed.

    It does so at lengths and numbers beyond all sense, and at forms of CSS that it half knows. The
    built-in ones have none, so that an error there is the program's.
    """
    innermost = extract_tb(error.__traceback__)[-1:]
    if not any(set(Path(frame.filename).parts) & ENGINE for frame in innermost):
        return
    mine = changed(design.templates, (task.template, SHEET))
    if mine:
        message = "the page, or a style sheet of it, asks for what cannot be drawn"
        hint = "look for a length or a number that makes no sense, or CSS that is cut off"
        source = _culprit(task, design, mine) or " or ".join(mine)
        raise rejected(source, message, hint) from error


def _culprit(task: Task, design: Design, mine: Sequence[str]) -> str:
    """Name the line at which WeasyPrint fails, or nothing where that cannot be told in time."""
    from reportgen.documents.pdf import culprit  # noqa: PLC0415 - a worker's business

    markup = filled(task, design)
    try:
        with time_for_a_document():
            line = culprit.line_of_sheet(markup, design.templates[SHEET]) if SHEET in mine else 0
            style = "" if line else culprit.style_of_page(markup)
    except (OutOfTime, MemoryError):
        return ""
    if line:
        return f"{SHEET}:{line}"
    return line_of(style, task.template, design.templates) if style else ""


def filled(task: Task, design: Design) -> str:
    """Fill the template of a document: of all steps the only one whose errors are a template's.

    Raises Rejected with the mistake in it.
    """
    heading = task.document.heading
    try:
        template = _compiled(
            tuple(sorted(design.templates.items())),
            task.locale,
            task.template,
            heading.currency,
            heading.decimals,
        )
        return template.render(
            document=task.document,
            heading=heading,
            accent=design.accent,
            logo=design.logo,
            locale=task.locale,
            css=design.templates["workbook.css"],
        )
    except TEMPLATE_ERRORS as error:
        if not arose_in_template(error):
            raise
        raise template_error(error, task.template, design.templates) from None


@lru_cache(maxsize=64)
def _compiled(
    templates: tuple[tuple[str, str], ...], locale: str, name: str, currency: str, decimals: int
) -> Template:
    sandbox = environment(dict(templates), locale, autoescape=not name.endswith(PLAIN))
    sandbox.add_filters(Format(locale, currency, decimals).filters())
    sandbox.bytecode_cache = _COMPILED
    return sandbox.get_template(name)


def _drawn(markup: str, task: Task, design: Design) -> Drawn:
    """Make a file of a filled template; raises Rejected where its markup is not fit for that."""
    try:
        if task.template.endswith(PLAIN):
            return Drawn(legible(markup).encode())
        if task.path.endswith(".html"):
            return Drawn(_page(markup))
        if task.path.endswith(".xlsx"):
            return Drawn(_workbook(markup, task, design))
        return _with_stand_ins(markup, task, design)
    except MarkupError as error:
        raise _marked_up(error, task, design) from None
    except WorkbookError as error:
        raise markup_error(str(error), task.template, design.templates) from None


def _marked_up(error: MarkupError, task: Task, design: Design) -> Rejected:
    """Make the problem of what is wrong with a page, at the line of its template or style sheet."""
    if isinstance(error, StyleSheetError):
        return rejected(f"{SHEET}:{error.line}" if error.line else SHEET, str(error))
    return markup_error(str(error), task.template, design.templates, error.fragment)


def _page(markup: str) -> bytes:
    """Give a page as it stands; raises MarkupError where it is not well-formed."""
    tree(markup)
    return legible(markup).encode()


def _with_stand_ins(markup: str, task: Task, design: Design) -> Drawn:
    """Draw a page, and U+FFFD for whatever no font draws; raises NotDrawn where a template has it.

    What is in the data becomes a placeholder before the template is filled again, so that what is
    found a second time is the template's own.
    """
    characters: frozenset[str] = frozenset()
    shown = markup
    while True:
        try:
            content = _pdf(shown, task, design)
            break
        except MissingGlyph as missing:
            more = held(missing.text_of.keys() - characters, task.document)
            if not more:
                raise NotDrawn(not_drawn(missing, task.path, task.template)) from None
        characters |= more
        placeholder = placeholders(characters, markup)
        document = replaced(task.document, placeholder)
        shown = filled(replace(task, document=document), design)
        for one in placeholder.values():
            shown = shown.replace(one, STAND_IN)
    if not characters:
        return Drawn(content)
    return Drawn(content, (stood_in_for(characters, task.path, task.document),))


def _pdf(markup: str, task: Task, design: Design) -> bytes:
    from reportgen.documents.pdf.fetcher import NotFetched  # noqa: PLC0415 - a worker's business
    from reportgen.documents.pdf.pdf import pdf  # noqa: PLC0415

    try:
        dated = task.document.heading.cycle.ended_at()
        return pdf(markup, design.templates[SHEET], task.attachments, dated=dated)
    except NotFetched as error:
        source = line_of(error.address, task.template, design.templates)
        hint = 'embed it in the template, as an address that begins with "data:"'
        raise rejected(source, str(error), hint) from None


def _workbook(markup: str, task: Task, design: Design) -> bytes:
    from reportgen.documents.xlsx.workbook import workbook  # noqa: PLC0415 - a worker's business

    word = catalog(design.templates, task.locale).gettext
    return workbook(markup, task.document.slots(word))


def _ended(futures: Mapping[Future[Drawn], Task], executor: Executor) -> Rejected:
    """Say which templates can have ended a worker: tasks begin in order, the first undone ran."""
    undone = [task for future, task in futures.items() if not future.done() or _is_broken(future)]
    running = undone[: getattr(executor, "_max_workers", len(undone))]
    source = " or ".join(dict.fromkeys(task.template for task in running))
    paths = " or ".join(task.path for task in running)
    message = f"the process that rendered {paths} was ended by the system"
    hint = "look for what takes too much time or memory" + (
        "; --workers 1 tells which it is" if running[1:] else ""
    )
    return Rejected([Problem(source=source, message=message, hint=hint)])


def _is_broken(future: Future[Drawn]) -> bool:
    return isinstance(future.exception(), BrokenExecutor)
