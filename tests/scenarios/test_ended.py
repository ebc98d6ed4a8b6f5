"""Processes that are ended while they draw: the work goes on, and what ends two is at fault."""

import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from reportgen.core.problem import Rejected
from reportgen.documents import render
from reportgen.documents.tasks import Design, Listing, Task
from reportgen.operations.building import drawing
from tests.documents import beech
from tests.scenarios.job import ROOT, Job, documents, plain, small
from tests.scenarios.test_elsewhere import FARM

PLAGUE = """
import os, signal
from pathlib import Path
from reportgen.documents import render

whole, mark = render.filled, Path({mark!r})

def filled(task, design):
    if task.path == {path!r}:
        with mark.open("a") as file:
            print(os.getpid(), file=file)
        if len(mark.read_text().split()) <= {times}:
            os.kill(os.getpid(), signal.SIGKILL)
    return whole(task, design)

render.filled = filled
"""
"""What Python runs as it starts: a document that is killed whenever it is drawn, so many times."""
POOR = """
from concurrent.futures import ProcessPoolExecutor

def fail():
    raise OSError("no key")

def barred():
    return ProcessPoolExecutor(2, initializer=fail)
"""
"""An executor whose processes cannot begin."""
MORTAL = """
import os, signal
from pathlib import Path
from reportgen.operations.building import hand

work, mark = hand._Children.one, Path({mark!r})

def one(*given):
    with mark.open("a") as file:
        print(os.getpid(), file=file)
    if len(mark.read_text().split()) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return work(*given)

hand._Children.one = one
"""
"""What Python runs as it starts: whoever hands on the third document is killed."""
HERE, THREADS, PROCESSES = (
    ("--workers", "2"),
    ("--executor", "farm:threads"),
    ("--executor", "farm:processes"),
)


LIMITED = """
from reportgen.documents import limits
limits.limit_this_process.__defaults__ = 3.0, 600 << 20, 1.0
"""
"""What Python runs as it starts: limits that are soon reached."""
HOSTILE = {
    "loop": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "memory": "{{ 'a' | center(2000000000) }}",
    "in C": "{{ ''.ljust(2000000, 'a').rfind('ab' ~ ''.ljust(1000000, 'a')) }}",
    "error": "{{ document.lacking }}",
    "address": '<img src="https://acme.example/logo.png" alt="Logo"/>',
}


# In this process


def letters(count: int) -> list[Task]:
    one = replace(beech.task("R-1.pdf"), template="email.txt.j2")
    return [replace(one, path=f"{number}.txt") for number in range(count)]


def drawn(count: int, workers: int) -> list[str]:
    """Draw letters in processes of this one, which are as it is."""
    done: list[str] = []
    terminal = SimpleNamespace(progress=lambda _: nullcontext(lambda *_: None))
    context = SimpleNamespace(executor="", scheduler="", terminal=terminal)
    drawing.draw(
        Listing.of(letters(count)),
        beech.design(email_txt_j2="{{ heading.enterprise }}"),
        drawing.Studio(workers=workers),
        context,
        lambda name, _: done.append(name),
    )
    return done


@contextmanager
def plague(monkeypatch, mark: Path, path: str, times: int) -> Iterator[None]:
    """Let a document end its process so many times."""
    whole = render.filled

    def filled(task: Task, design: Design) -> str:
        if task.path == path:
            with mark.open("a", encoding="utf-8") as file:
                file.write(f"{os.getpid()}\n")
            if len(mark.read_text(encoding="utf-8").split()) <= times:
                os.kill(os.getpid(), signal.SIGKILL)
        return whole(task, design)

    monkeypatch.setattr(render, "filled", filled)
    yield
    monkeypatch.undo()


@pytest.mark.parametrize("workers", [1, 3])
def test_a_worker_that_is_killed_is_replaced_and_loses_nothing(monkeypatch, tmp_path, workers):
    with plague(monkeypatch, tmp_path / "mark", "4.txt", 1):
        assert sorted(drawn(12, workers)) == sorted(one.path for one in letters(12))


def test_a_document_that_kills_whoever_draws_it_is_named_alone(monkeypatch, tmp_path):
    mark = tmp_path / "mark"
    with plague(monkeypatch, mark, "4.txt", 9), pytest.raises(Rejected) as caught:
        drawn(12, 2)
    (problem,) = caught.value.problems
    assert "the process that rendered 4.txt was ended" in problem.message
    assert len(mark.read_text(encoding="utf-8").split()) == 2


def test_what_ends_before_it_draws_is_no_fault_of_a_document(monkeypatch):
    def end(*_: object) -> None:
        os._exit(1)

    monkeypatch.setattr(drawing, "_begin", end)
    with pytest.raises(Rejected, match="ends before it has begun, and so did a second"):
        drawn(3, 2)


def test_an_executor_that_was_broken_before_is_told_as_that():
    class Broken:
        def submit(self, *_: object) -> None:
            raise BrokenExecutor

    with pytest.raises(Rejected, match="ends before it has begun"):
        drawing._knock(Broken())


# Whole commands


def ran(
    job: Job, option: tuple[str, str], path: str, times: int
) -> "subprocess.CompletedProcess[str]":
    """Run a job in a world where a document is killed."""
    mark = job.folder.parent / "plague" / "mark"
    return begun_with(PLAGUE.format(mark=str(mark), path=path, times=times), job, option)


def begun_with(text: str, job: Job, option: tuple[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a job where Python itself begins with something."""
    folder = job.folder.parent / "plague"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(text, encoding="utf-8")
    (folder / "farm.py").write_text(FARM, encoding="utf-8")
    found = os.pathsep.join((str(folder), str(ROOT)))
    return job.run("run", "--quiet", *option, PYTHONPATH=found)


@pytest.mark.heavy
@pytest.mark.parametrize("option", [HERE, THREADS, PROCESSES])
def test_a_document_that_is_killed_once_is_drawn_as_ever(option, tmp_path, small_build):
    job = small(tmp_path / "job")
    done = ran(job, option, "statement.xlsx", 1)
    assert (done.returncode, done.stderr) == (0, "")
    assert documents(job.cycle()) == documents(small_build.folder)


@pytest.mark.heavy
@pytest.mark.parametrize("option", [HERE, THREADS, PROCESSES])
@pytest.mark.parametrize("path", ["statement.xlsx", "invoices/CB-2025-12-05-A-1.pdf"])
def test_a_document_that_is_killed_whenever_it_is_drawn_is_named(option, path, tmp_path):
    """The invoice is what workers of others are compared by: it is drawn before all else."""
    job = small(tmp_path / "job")
    done = ran(job, option, path, 99)
    template = "statement.xlsx.j2" if path == "statement.xlsx" else "invoice.html.j2"
    assert done.returncode == 1
    assert done.stderr == (
        f"{template}: the process that rendered {path} was ended by the system, and so was a "
        "second, which drew nothing else; look for what takes too much time or memory\n"
    )
    mark = job.folder.parent / "plague" / "mark"
    assert len(mark.read_text(encoding="utf-8").split()) == 2


@pytest.mark.heavy
def test_an_executor_that_loses_a_process_is_made_anew(tmp_path, small_build):
    job = small(tmp_path / "job")
    done = begun_with(MORTAL.format(mark=str(tmp_path / "mark")), job, PROCESSES)
    assert (done.returncode, done.stderr) == (0, "")
    assert documents(job.cycle()) == documents(small_build.folder)


@pytest.mark.heavy
def test_an_executor_whose_processes_cannot_begin_is_told_and_no_document(tmp_path):
    job = plain(small(tmp_path / "job"))
    done = begun_with(POOR, job, ("--executor", "sitecustomize:barred"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "reportgen: whatever is to draw documents ends before it has begun, and so did a second; "
        "look at the memory that is free, and at the log of the system"
    )


@pytest.mark.heavy
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_template_that_attacks_is_told_alike_whoever_draws(kind, tmp_path):
    """In the file and the line where it does, as the user would open them."""
    job = plain(small(tmp_path / "job"))
    text = f'<html lang="en"><head><title>T</title></head>\n<body><p>\n{HOSTILE[kind]}</p>'
    template = job.folder / "templates" / "invoice.html.j2"
    template.write_text(f"{text}</body></html>", encoding="utf-8")
    here, threads = (begun_with(LIMITED, job, option) for option in (HERE, THREADS))
    assert (here.returncode, threads.returncode) == (1, 1)
    assert here.stderr.startswith(f"{template}:3: " if kind != "in C" else f"{template}: ")
    told, *others = here.stderr.splitlines()
    assert threads.stderr.splitlines() == [told]
    assert len(others) == (kind == "in C")  # of which two processes have ended
