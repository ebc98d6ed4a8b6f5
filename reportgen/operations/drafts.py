"""The drafts of a cycle: all is derived, drawn and checked before the first file is replaced."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread

from reportgen.archive.draft import foreign, redrafted
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
from reportgen.operations.interruption import end_workers
from reportgen.operations.outcome import tell_outcome
from reportgen.sources.config.configuration import Configuration

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
            for name, content in _documents(listed, design, workers, context):
                stage.write(name, content)
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


def _documents(
    listed: list[Task], design: Design, workers: int, context: Context
) -> Iterator[tuple[str, bytes]]:
    """Render every document in worker processes."""
    with (
        _workers(min(workers, len(listed))) as executor,
        context.terminal.progress("Rendering documents") as advance,
    ):
        for done, document in enumerate(render(listed, design, executor), start=1):
            advance(done, len(listed))
            yield document


@contextmanager
def _workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """Start processes that draw; when the command is told to end, so are they.

    What waits is cancelled before they are missed: the executor stumbles over work that is gone.
    """
    with ProcessPoolExecutor(count, initializer=_begin) as executor:
        try:
            yield executor
        except KeyboardInterrupt:
            executor.shutdown(wait=False, cancel_futures=True)
            end_workers()
            raise


def _begin() -> None:
    """Give a worker its limits, and its end; signals are the command's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
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
