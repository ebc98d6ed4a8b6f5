"""All documents of a cycle: core types in, (relative path, bytes) out, in workers that stay warm.

A task carries all it needs but the design, which a worker is given once: so any executor gives the
same bytes in any order. Few tasks are under way at a time, and what is done is handed on at once:
what is still to be drawn takes no memory.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from traceback import extract_tb, format_exception
from typing import NamedTuple

from jinja2 import Template

from reportgen.core.problem import Problem, Rejected, file_and_line
from reportgen.core.text import legible
from reportgen.documents.limits import (
    MEMORY,
    OutOfTime,
    allowed,
    given_back,
    grown,
    time_for_a_document,
)
from reportgen.documents.markup import MarkupError, StyleSheetError, check
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
AT_A_TIME = 3
"""Tasks of each worker that are under way: one that it is at, and what is ready for it next."""
WORKERS_UNTOLD = 16
"""What an executor is taken to have that does not tell."""
MOST_FAILURES = 20
"""So many documents fail before no further one is begun."""
MOST_ENDED = 2
"""So many documents end the process that draws them before no further one is begun."""
PATIENCE = 60.0
"""Seconds in which nothing is done, after which it is told what is waited for, and so on."""
MOST_DESIGNS = 4
_DESIGNS: dict[str, Design] = {}
"""The designs that this process has been given, by their digest."""


class NotDrawn(Rejected):
    """Texts that no font can draw; other documents may hold more of them."""


class NotBegun(Rejected):
    """Nobody is there to draw: that is no fault of a document."""


class Exhausted(Rejected):
    """A document that took all the memory or time there is: others would do the same."""


class Ended(Rejected):
    """A document whose process was ended, by whatever it was: alone it may be drawn."""

    def __init__(self, task: Task) -> None:
        """Take what was being drawn, alone and for the second time."""
        message = (
            f"the process that rendered {task.path} was ended by the system, and so was a second, "
            "which drew nothing else"
        )
        hint = "look for what takes too much time or memory"
        super().__init__([Problem(source=task.template, message=message, hint=hint)])


class Drawn(NamedTuple):
    """A file, and what there is to be said of it; `grown` is by how much its worker has, bytes."""

    content: bytes
    warnings: tuple[Problem, ...] = ()
    grown: int = 0


Awaited = Future[Drawn | None]
"""What was asked of a worker; it answers with nothing where it lacks the design."""


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


class Rendering:
    """Documents on their way: tasks are taken up one by one, whatever becomes of each is kept.

    The design goes to a worker once: a task names it by its digest, and who does not know it is
    asked again with it. So it is with any executor, on whatever machine.

    Nobody knows at which document a process was ended, nor whether it was at fault: what was under
    way is drawn once more, each alone. Which ends a process then, is named; no other one is lost.
    """

    def __init__(self, tasks: Iterable[Task], design: Design) -> None:
        """Take what is to be drawn, and how it looks."""
        self._tasks = enumerate(tasks)
        self._alone: deque[tuple[int, Task]] = deque()
        self._design, self._digest = design, digest_of_design(design)
        self._failures = Failures()
        self._warnings: dict[int, tuple[Problem, ...]] = {}
        self._are_all_taken = False

    @property
    def is_done(self) -> bool:
        """Tell whether there is nothing more to draw, or no sense in it."""
        return self._failures.too_many or (self._are_all_taken and not self._alone)

    @property
    def is_alone(self) -> bool:
        """Tell whether the next executor is to draw one document at a time."""
        return bool(self._alone)

    def by(
        self,
        executor: Executor,
        enough: Callable[[Drawn], bool] = lambda _: False,
        late: Callable[[Sequence[Task], float], None] = lambda *_: None,
    ) -> Iterator[tuple[str, bytes]]:
        """Yield every document as it is done, until `enough` says that this executor has had it.

        It has had it, too, where a process of it was ended, or where each document was to be drawn
        alone. `late` is told of what is waited for, and for how many seconds, where that is long.
        Raises DrawingError or OSError, and NotBegun.
        """
        alone = self.is_alone
        window = 1 if alone else AT_A_TIME * _workers_of(executor)
        under_way: dict[Awaited, tuple[int, Task]] = {}
        has_enough = False
        while True:
            while len(under_way) < window and not has_enough and (taken := self._next(alone)):
                under_way[self._ask(executor, taken[1])] = taken
            if not under_way:
                return
            for future in _done(under_way, late):
                place, task = under_way.pop(future)
                drawn = self._result(future, place, task, alone=alone)
                if drawn is None:
                    under_way[self._ask(executor, task, self._design)] = place, task
                elif isinstance(drawn, Drawn):
                    has_enough = has_enough or enough(drawn)
                    yield task.path, drawn.content
                else:
                    has_enough = has_enough or isinstance(drawn, BrokenExecutor)

    def warnings(self) -> list[Problem]:
        """Give what there is to be said of what was drawn; raises Rejected with what was not."""
        if problems := self._failures.problems():
            raise Rejected(problems)
        return [warning for place in sorted(self._warnings) for warning in self._warnings[place]]

    def _next(self, alone: bool) -> tuple[int, Task] | None:  # noqa: FBT001 - as of a round
        """Take what is to be drawn next; nothing where this round is over."""
        if self._failures.too_many:
            return None
        if alone:
            return self._alone.popleft() if self._alone else None
        if len(self._alone) >= MOST_ENDED:
            return None
        taken = next(self._tasks, None)
        self._are_all_taken = taken is None
        return taken

    def _ask(self, executor: Executor, task: Task, design: Design | None = None) -> Awaited:
        try:
            return executor.submit(drawn_in, task, self._digest, design)
        except BrokenExecutor as error:
            failed: Awaited = Future()
            failed.set_exception(error)
            return failed

    def _result(
        self, future: Awaited, place: int, task: Task, *, alone: bool
    ) -> Drawn | Rejected | BrokenExecutor | None:
        """Give what became of a task: None where its worker asks for the design."""
        try:
            drawn = future.result()
        except NotBegun:
            raise
        except (Ended, BrokenExecutor) as ended:
            if alone:
                self._failures.add(place, task, Ended(task))
            else:
                self._alone.append((place, task))
            return ended
        except Rejected as rejected:
            self._failures.add(place, task, rejected)
            return rejected
        if drawn is not None:
            self._failures.drawn(task)
            if drawn.warnings:
                self._warnings[place] = drawn.warnings
        return drawn


class Failures:
    """What could not be drawn, and of which documents: all of it is told together."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[Task, Rejected]] = {}
        self._drawn: set[str] = set()
        self.too_many = False

    def add(self, place: int, task: Task, rejected: Rejected) -> None:
        """Take a failure; after one that took all there is, or so many, nothing more is begun."""
        self._of[place] = replace(task, document=None, attachments=()), rejected  # type: ignore[arg-type]
        kinds = [type(one) for _, one in self._of.values()]
        counted = len(kinds) - kinds.count(NotDrawn)
        ended = kinds.count(Ended) >= MOST_ENDED
        self.too_many = ended or counted >= MOST_FAILURES or isinstance(rejected, Exhausted)

    def drawn(self, task: Task) -> None:
        """Take a document that was drawn: its template is not at fault alone."""
        self._drawn.add(task.template)

    def problems(self) -> list[Problem]:
        """Give every problem once, in their order; of a line of a template the first alone."""
        tasks: dict[object, list[Task]] = {}
        first: dict[object, Problem] = {}
        for _, (task, failure) in sorted(self._of.items(), key=lambda one: one[0]):
            for problem in failure.problems:
                is_of_line = file_and_line(problem.source)[1] and not isinstance(failure, NotDrawn)
                same = problem.source if is_of_line else problem
                tasks.setdefault(same, []).append(task)
                first.setdefault(same, problem)
        return [self._told(problem, tasks[same]) for same, problem in first.items()]

    def _told(self, problem: Problem, of: Sequence[Task]) -> Problem:
        """Name the documents, where others of their template were drawn, unless that is said."""
        said = any(task.path in f"{problem.source} {problem.message}" for task in of)
        if said or not self._drawn.intersection(task.template for task in of):
            return problem
        more = f" and {len(of) - 1} more" if len(of) > 1 else ""
        return replace(problem, message=f"{problem.message}, in {of[0].path}{more}")


def render(
    tasks: Iterable[Task], design: Design, executor: Executor, warnings: list[Problem] | None = None
) -> Iterator[tuple[str, bytes]]:
    """Yield every document as it is done; raises Rejected or DrawingError, as `draw` does.

    Tasks are taken from the list as workers ask for them, so that it may be without end. What
    failed is told of all documents together, in their order, and so is what no font can draw: in
    `warnings`, or where it is a template's, as Rejected. What is left undone where it raises is the
    executor's to cancel: it stumbles over what others have cancelled.
    """
    rendering = Rendering(tasks, design)
    while not rendering.is_done:
        yield from rendering.by(executor)
    told = rendering.warnings()
    if warnings is not None:
        warnings += told


def hold(design: Design) -> None:
    """Let this process know a design, so that tasks need only name it."""
    _DESIGNS[digest_of_design(design)] = design
    while len(_DESIGNS) > MOST_DESIGNS:
        _DESIGNS.pop(next(iter(_DESIGNS)))


def drawn_in(task: Task, digest: str, design: Design | None) -> Drawn | None:
    """Render one file of a design that is known here, or comes with it; else ask for it: None."""
    if design is not None:
        hold(design)
    known = _DESIGNS.get(digest)
    return None if known is None else drawn(task, known)


def nothing() -> None:
    """Do nothing, where documents are drawn: so somebody is there."""


def digest_of_design(design: Design) -> str:
    """Give the digest by which a design is known."""
    return sha256(repr(design).encode("utf-8", "surrogatepass")).hexdigest()


def _done(
    under_way: Mapping[Awaited, tuple[int, Task]], late: Callable[[Sequence[Task], float], None]
) -> list[Awaited]:
    """Wait until something is done, and give that in the order of the documents."""
    seconds = 0.0
    while True:
        done, _ = wait(under_way, timeout=PATIENCE, return_when=FIRST_COMPLETED)
        if done:
            return sorted(done, key=lambda future: under_way[future][0])
        seconds += PATIENCE
        waiting = sorted(under_way.values(), key=lambda numbered: numbered[0])
        late([task for _, task in waiting], seconds)


def _workers_of(executor: Executor) -> int:
    """Give how many of its tasks an executor does at a time, as far as it tells."""
    return getattr(executor, "_max_workers", None) or WORKERS_UNTOLD


def draw(task: Task, design: Design) -> bytes:
    """Render one file and give its bytes alone; raises as `drawn` does."""
    return drawn(task, design).content


def drawn(task: Task, design: Design) -> Drawn:
    """Render one file; runs in a worker, which imports what it needs once.

    Raises Rejected with the mistake in a template, OSError, or DrawingError for any other error.
    """
    try:
        with time_for_a_document():
            made = _drawn(filled(task, design), task, design)
        given_back()
        return made._replace(grown=grown())
    except OutOfTime as error:
        message = f"this takes more than {allowed()} of the processor"
        raise _exhausted(error, task, message) from None
    except MemoryError as error:
        message = f"this takes more memory than a document may have, {MEMORY >> 30} GiB"
        raise _exhausted(error, task, message) from None
    except Rejected:
        raise
    except OSError as error:  # large sheets are kept in a file until they are whole
        error.filename = error.filename or gettempdir()
        raise
    except Exception as error:
        _blame_template(error, task, design)
        report = "".join(format_exception(error))
        raise DrawingError(task.path, task.template, report) from error


def _exhausted(error: BaseException, task: Task, message: str) -> Exhausted:
    return Exhausted(rejected(place_of(error, task.template), message).problems)


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
    check(markup)
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
