"""The drafts of a cycle: all is derived, drawn and checked before the first file is replaced."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread
from typing import ParamSpec, TypeVar

from reportgen.archive.disk import uninterrupted
from reportgen.archive.draft import Stage, foreign, redrafted
from reportgen.archive.folder import cycle_folder, refuse_sealed
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import quoted
from reportgen.derive import Inputs, derive
from reportgen.documents.limits import limit_this_process
from reportgen.documents.render import render
from reportgen.documents.tasks import Design, Task
from reportgen.documents.templating.templates import opened
from reportgen.operations.artifacts import design_of, everybody, stored_files, tasks
from reportgen.operations.context import Context
from reportgen.operations.outcome import tell_outcome
from reportgen.sources.config.configuration import Configuration

P = ParamSpec("P")
T = TypeVar("T")

MOST_NAMED = 5


def produce(inputs: Inputs, context: Context, workers: int) -> int:
    """Derive everything, then write it: nothing appears before all of it is known to be right."""
    folder = cycle_folder(inputs.configuration.archive, inputs.cycle.start)
    refuse_sealed(folder)
    design = design_of(inputs.configuration)
    derived = derive(inputs)
    context.terminal.problems(derived.warnings)
    known = everybody(inputs, derived)
    listed = tasks(derived, known, design)
    with redrafted(folder, group=inputs.configuration.group_reads) as stage:
        for name, content in stored_files(inputs, derived, known, design):
            stage.write(name, content)
        with _templates_named(inputs.configuration):
            _draw(listed, design, stage, context, workers)
    _tell_foreign(folder, context)
    return tell_outcome(derived.statement, folder, context)


def _tell_foreign(folder: Path, context: Context) -> None:
    """Name what lies in the folder and no draft has written: it is left alone."""
    strangers = foreign(folder)
    if not strangers:
        return
    named = ", ".join(map(quoted, strangers[:MOST_NAMED]))
    more = f" and {len(strangers) - MOST_NAMED} more" if len(strangers) > MOST_NAMED else ""
    problem = Problem(
        source=str(folder),
        message=f"holds what no draft has written, and leaves it alone: {named}{more}",
        hint="move it elsewhere: a closed folder holds nothing but what it was closed with",
        warning=True,
    )
    context.terminal.problems([problem])


@contextmanager
def _templates_named(configuration: Configuration) -> Iterator[None]:
    """Name templates that are refused as the user would open them."""
    try:
        yield
    except Rejected as rejected:
        raise Rejected(opened(rejected.problems, configuration.templates)) from None


def _draw(listed: list[Task], design: Design, stage: Stage, context: Context, workers: int) -> None:
    """Render every document in worker processes, and stage each as it is done."""
    with (
        _workers(min(workers, len(listed))) as executor,
        context.terminal.progress("Rendering documents") as advance,
    ):
        for done, (name, content) in enumerate(render(listed, design, executor), start=1):
            stage.write(name, content)
            advance(done, len(listed))


@contextmanager
def _workers(count: int) -> Iterator[Executor]:
    """Start processes that draw; an interruption, which ends them, waits for none of them."""
    executor = _Workers(count, initializer=_begin)
    try:
        yield executor
    except Exception:
        executor.shutdown(cancel_futures=True)
        raise
    executor.shutdown()


class _Workers(ProcessPoolExecutor):
    """Processes that hear no signal from their first moment on: those are the command's."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Take work on, and start what is missing: it inherits that signals are put off here."""
        with uninterrupted():
            return super().submit(fn, *args, **kwargs)


def _begin() -> None:
    """Give a worker its limits, and its end."""
    limit_this_process()
    _end_with_the_command()


def _end_with_the_command() -> None:
    """Let a worker end when the command is killed; it would wait for work for ever."""
    command = parent_process()

    def wait() -> None:
        if command:
            command.join()
            os._exit(1)

    Thread(target=wait, daemon=True).start()
