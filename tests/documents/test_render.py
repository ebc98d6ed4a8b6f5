"""Whose error it is: a template's is told as that, and one of the program never is."""

import errno
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import NoReturn

import pytest

from reportgen.core.problem import Rejected
from reportgen.documents import render as documents
from reportgen.documents.content.invoice import InvoiceDocument
from reportgen.documents.limits import OutOfTime
from reportgen.documents.pdf import culprit, pdf
from reportgen.documents.render import DrawingError, Drawn, Ended, Rendering, draw, render
from reportgen.documents.tasks import Design, Task
from reportgen.documents.xlsx import workbook
from tests.documents.beech import design, task

PLANTED = (AttributeError, KeyError, TypeError, ValueError, ZeroDivisionError, AssertionError)
"""What a bug raises; most of it is what an expression of a template can raise as well."""
PLACES = (
    (pdf, "_check_archivable", "R-1.pdf"),
    (workbook, "_book", "R-1.xlsx"),
    (InvoiceDocument, "slots", "R-1.xlsx"),
    (InvoiceDocument, "acus", "R-1.pdf"),
    (documents, "_compiled", "R-1.xlsx"),
)
"""Where a bug is planted, and the document that it stops: files, rows, a field, the environment."""


def failing(kind: type[Exception]) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise kind("planted")

    return fail


def planted(place: object, name: str, kind: type[Exception]) -> object:
    is_field = isinstance(getattr(place, name), property)
    return property(failing(kind)) if is_field else failing(kind)


def plant(place: int) -> None:
    """Begin a worker that has a bug."""
    where, name, _ = PLACES[place]
    setattr(where, name, planted(where, name, KeyError))


@pytest.mark.quick(2)
@pytest.mark.parametrize("place", range(len(PLACES)))
def test_an_error_of_the_program_comes_out_of_a_worker_with_its_traceback(place):
    path = PLACES[place][2]
    with (
        ProcessPoolExecutor(1, initializer=plant, initargs=(place,)) as executor,
        pytest.raises(DrawingError) as caught,
    ):
        list(render([task(path)], design(), executor))
    error = caught.value
    assert error.path == f"invoices/CB-2025-12-05-{path}"
    assert error.template == f"invoice.{'html' if path.endswith('pdf') else 'xlsx'}.j2"
    assert str(error) == f"{error.path} could not be made from {error.template}"
    assert "KeyError: 'planted'" in error.report
    assert ", in fail\n" in error.report


@pytest.mark.quick(10)
@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize(("place", "name", "path"), PLACES)
def test_an_error_of_the_program_is_never_told_as_one_of_a_template(
    monkeypatch, place, name, path, kind
):
    monkeypatch.setattr(place, name, planted(place, name, kind))
    with pytest.raises(DrawingError) as caught:
        draw(task(path), design())
    assert f"{kind.__name__}: " in caught.value.report
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    "written", ["document['acus']", "[document] | map(attribute='acus') | first"]
)
def test_a_field_that_is_asked_for_in_another_way_is_a_field(monkeypatch, written):
    monkeypatch.setattr(InvoiceDocument, "acus", property(failing(AttributeError)))
    page = f"<html><body>{{{{ {written} }}}}</body></html>"
    with pytest.raises(DrawingError, match=r"R-1\.pdf could not be made"):
        draw(task("R-1.pdf"), design(invoice_html_j2=page))


def full(*_: object) -> NoReturn:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_what_the_system_refuses_is_told_as_that(monkeypatch):
    monkeypatch.setattr(workbook, "package", full)
    with pytest.raises(OSError, match="No space left on device"):
        draw(task("R-1.xlsx"), design())


@pytest.mark.parametrize(
    "line",
    [
        "{{ document.days_of(1) }}",
        "{{ document.acus | money('x') }}",
        "{{ heading.cycle.start.replace(13, 13) }}",
    ],
)
def test_what_a_template_hands_to_the_program_is_the_templates(line):
    with pytest.raises(Rejected, match=r"^invoice\.html\.j2:1: this .*; mend the template"):
        draw(task("R-1.pdf"), design(invoice_html_j2=line))


class Here(Executor):
    """Draws where it stands, and counts what is asked of it at a time."""

    _max_workers = 2

    def __init__(self) -> None:
        self.asked: list[bool] = []

    def submit(self, fn, /, *args, **kwargs):
        self.asked.append(args[2] is not None)
        future: Future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as an executor does
            future.set_exception(error)
        return future


def words(**changed: str) -> Design:
    """Give a design whose pages are a line of text, which is all that is drawn."""
    return design(**{"email_txt_j2": "{{ heading.enterprise }}"} | changed)


def letters(count: int, *, text: str = "email.txt.j2") -> list[Task]:
    return [
        replace(task("R-1.pdf"), path=f"{number}.txt", template=text) for number in range(count)
    ]


def test_a_design_goes_to_a_worker_once():
    executor = Here()
    documents._DESIGNS.clear()
    assert len(dict(render(letters(20), words(), executor))) == 20
    assert executor.asked.count(True) <= 2 * documents.AT_A_TIME
    again = Here()
    assert len(dict(render(letters(20), words(), again))) == 20
    assert not any(again.asked)


def test_tasks_are_taken_as_there_is_room():
    taken = 0

    def counted():
        nonlocal taken
        for one in letters(100):
            taken += 1
            yield one

    for done, _ in enumerate(render(counted(), words(), Here()), start=1):
        assert taken - done <= 2 * documents.AT_A_TIME
    assert done == taken == 100


def test_a_document_that_fails_is_named_and_loses_no_other():
    text = "{{ document.lacking }}"
    tasks = [*letters(3), *letters(1, text="email.html.j2"), *letters(2)]
    tasks = [replace(one, path=f"{place}.txt") for place, one in enumerate(tasks)]
    drawn: list[str] = []
    with pytest.raises(Rejected) as caught:
        drawn.extend(path for path, _ in render(tasks, words(email_html_j2=text), Here()))
    assert drawn == ["0.txt", "1.txt", "2.txt", "4.txt", "5.txt"]
    (problem,) = caught.value.problems
    assert problem.source == "email.html.j2:1"
    assert not problem.message.endswith("3.txt")  # every document of that template failed


def test_where_others_of_a_template_were_drawn_the_document_is_named():
    broken = replace(task("R-1.pdf").document, note="1")
    text = "{% if document.note %}{{ document.lacking }}{% endif %}"
    tasks = [replace(one, document=replace(one.document, note=None)) for one in letters(4)]
    tasks[2] = replace(tasks[2], document=broken)
    with pytest.raises(Rejected, match=r", in 2\.txt; "):
        list(render(tasks, words(email_txt_j2=text), Here()))


@pytest.mark.heavy
def test_so_many_failures_are_enough():
    executor = Here()
    with pytest.raises(Rejected) as caught:
        list(render(letters(500), words(email_txt_j2="{{ lacking }}"), executor))
    assert len(caught.value.problems) == 1
    assert len(executor.asked) <= 2 * documents.MOST_FAILURES


def test_what_is_waited_for_is_told_and_told_again(monkeypatch):
    monkeypatch.setattr(documents, "PATIENCE", 0.01)
    promised: Future[Drawn] = Future()
    told: list[tuple[str, float]] = []

    def late(waiting, seconds):
        told.append((waiting[0].path, round(seconds, 2)))
        if len(told) == 2:
            promised.set_result(Drawn(b"x"))

    executor = SimpleNamespace(submit=lambda *_: promised)
    drawn = Rendering(letters(1), words()).by(executor, late=late)
    assert list(drawn) == [("0.txt", b"x")]
    assert told == [("0.txt", 0.01), ("0.txt", 0.02)]


# What becomes of a document that comes to nothing


class Settled(Executor):
    """Give what was settled before, whatever is to be done."""

    def __init__(self, *ends: Drawn | Exception) -> None:
        self.ends = iter(ends)

    def submit(self, *_: object) -> Future[Drawn]:
        future: Future[Drawn] = Future()
        end = next(self.ends)
        if isinstance(end, Exception):
            future.set_exception(end)
        else:
            future.set_result(end)
        return future


LOST = BrokenExecutor()


def settled(count: int, *rounds: list[Drawn | Exception]) -> tuple[Rendering, list[str]]:
    """Draw letters by one executor after the other, and give what was drawn."""
    rendering = Rendering(letters(count), words())
    drawn: list[str] = []
    for ends in rounds:
        assert not rendering.is_done
        drawn += [path for path, _ in rendering.by(Settled(*ends))]
    assert rendering.is_done
    return rendering, drawn


def test_what_was_under_way_as_a_process_was_ended_is_drawn_once_more_and_alone():
    whole = Drawn(b"x")
    rendering, drawn = settled(4, [whole, LOST, LOST, LOST], [whole, whole, whole])
    assert drawn == ["0.txt", "1.txt", "2.txt", "3.txt"]
    assert rendering.warnings() == []


def test_what_ends_a_second_process_is_named_and_loses_no_other():
    whole = Drawn(b"x")
    rounds = [LOST] * 4, [whole, LOST], [whole, whole]
    rendering, drawn = settled(4, *rounds)
    assert drawn == ["0.txt", "2.txt", "3.txt"]
    with pytest.raises(Rejected) as caught:
        rendering.warnings()
    (problem,) = caught.value.problems
    assert problem.source == "email.txt.j2"
    assert problem.message == (
        "the process that rendered 1.txt was ended by the system, and so was a second, which drew "
        "nothing else"
    )


def test_where_somebody_else_tells_what_was_ended_the_others_go_on():
    whole = Drawn(b"x")
    ended = Ended(letters(1)[0])
    assert settled(3, [whole, ended, whole], [whole])[1] == ["0.txt", "2.txt", "1.txt"]
    rendering, drawn = settled(9, [ended] * 9, [ended, ended])
    assert drawn == []  # two that end every process are enough
    with pytest.raises(Rejected, match=r"0\.txt(.|\n)*1\.txt"):
        rendering.warnings()


def test_where_the_line_cannot_be_told_in_time_the_template_is(monkeypatch):
    def late(*_: object) -> NoReturn:
        raise OutOfTime

    monkeypatch.setattr(culprit, "style_of_page", late)
    assert documents._culprit(task("R-1.pdf"), design(), ["invoice.html.j2"]) == ""
