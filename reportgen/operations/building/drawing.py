"""Documents drawn by worker processes, with the machine's fonts or with those of an archive."""

import gc
import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    InvalidStateError,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, count, islice
from multiprocessing import active_children, parent_process
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, ParamSpec, TypeVar

from reportgen.archive.disk import uninterrupted
from reportgen.core.problem import Problem
from reportgen.documents.limits import give_back, limit_this_process
from reportgen.documents.pdf import fontconfig, installed
from reportgen.documents.render import Drawn, NotBegun, Rendering, hold, nothing
from reportgen.documents.tasks import Design, Task
from reportgen.operations.building.readiness import be_silent, silenced
from reportgen.operations.context import Context

NOT_STARTED = Problem(
    source="reportgen",
    message="the system lets no process or thread be started, so no document can be drawn",
    hint="raise their limit (`ulimit -u`, or the pids of a container), or draw with --workers 1",
)
ENDED_AT_ONCE = Problem(
    source="reportgen",
    message="whatever is to draw documents ends before it has begun, and so did a second",
    hint="look at the memory that is free, and at the log of the system",
)
LOOKED_AT = 8
"""So many documents are looked at for one to compare workers by."""
MOST_GROWTH = 128 << 20
"""Bytes by which a worker may grow before others take its place: a document has what it needs."""
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptFonts:
    """The fonts of an archive: its folder of them, and the hash of each by its file name."""

    folder: Path
    hashes: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Studio:
    """How documents are drawn: by how many processes, with which fonts, under which label."""

    workers: int
    fonts: KeptFonts | None = None
    label: str = "Rendering documents"


def draw(
    listed: Collection[Task],
    design: Design,
    studio: Studio,
    context: Context,
    write: Callable[[str, bytes], None],
) -> list[Problem]:
    """Render every document in worker processes, write each as it is done, and give warnings.

    Where nothing is listed nothing is started; what is listed may become less meanwhile.
    """
    waiting = iter(listed)
    first = list(islice(waiting, LOOKED_AT if _is_elsewhere(context) else 1))
    if not first:
        return []
    rendering, done = Rendering(chain(first, waiting), design), count(1)
    with uninterrupted():  # a signal that comes in a finalizer would be swallowed
        give_back()  # what a cycle was derived of: workers begin with all that the command holds
    with _configured(studio.fonts) as conf, context.terminal.progress(studio.label) as advance:
        while not rendering.is_done:
            most = 1 if rendering.is_alone else min(studio.workers, len(listed))
            now = replace(studio, workers=most)
            with _executor(first, design, now, conf, context) as executor:
                if rendering.is_alone:
                    _knock(executor)
                late = partial(_tell_late, executor, context)
                for name, content in rendering.by(executor, _has_grown, late):
                    write(name, content)
                    advance(next(done), len(listed))
    return rendering.warnings()


def _tell_late(
    executor: Executor, context: Context, waiting: Sequence[Task], seconds: float
) -> None:
    """Say what is waited for, and who has it, as far as that is known."""
    more = f" and {len(waiting) - 1} more" if waiting[1:] else ""
    at = ", ".join(executor.at()) if hasattr(executor, "at") else ""
    told = f"Waiting for {waiting[0].path}{more} for {seconds:.0f} seconds"
    context.terminal.say(f"{told}, from {at}" if at else told)


def _is_elsewhere(context: Context) -> bool:
    return bool(context.executor or context.scheduler)


@contextmanager
def _executor(
    first: Sequence[Task], design: Design, studio: Studio, conf: Path | None, context: Context
) -> Iterator[Executor]:
    """Give whoever draws: processes of this machine, or whom the command line names."""
    if not _is_elsewhere(context):
        with _workers(studio.workers, conf, design) as executor:
            yield executor
        return
    from reportgen.operations.building import dask_scheduler, executors, hand  # noqa: PLC0415 - hardly ever

    kit = hand.Kit(design, _font_files(studio.fonts), executors.sample_of(first))
    if context.executor:
        with executors.of_somebody_else(context.executor, kit) as executor:
            yield executor
        return
    with dask_scheduler.of_scheduler(context.scheduler, kit) as workers:
        yield workers
        context.terminal.problems(workers.refusals())


def _knock(executor: Executor) -> None:
    """Raise NotBegun where whoever draws ends with nothing to draw: no document is at fault."""
    try:
        asked = executor.submit(nothing)
        wait([asked])
        ended = None if asked.cancelled() else asked.exception()
    except BrokenExecutor as error:
        ended = error
    if isinstance(ended, BrokenExecutor):
        raise NotBegun([ENDED_AT_ONCE])


def _font_files(kept: KeptFonts | None) -> dict[str, bytes]:
    """Read the fonts that are drawn with: those of an archive, or what fontconfig has here."""
    if kept is not None:
        return {name: (kept.folder / name).read_bytes() for name in kept.hashes.values()}
    with silenced():
        return {name: path.read_bytes() for name, path in installed.fonts().items()}


def _has_grown(drawn: Drawn) -> bool:
    """Tell whether a worker has become so large that others take the place of all of them."""
    return drawn.grown > MOST_GROWTH


@contextmanager
def _configured(fonts: KeptFonts | None) -> Iterator[Path | None]:
    """Tell fontconfig of an archive's fonts, in a file for as long as they are drawn with."""
    if fonts is None:
        yield None
        return
    from reportgen.documents.pdf.kept_fonts import configured  # noqa: PLC0415 - as PDFs alone need

    with TemporaryDirectory(prefix="reportgen-") as folder:
        conf = Path(folder) / "fonts.conf"
        cache = Path(folder) / "cache"
        conf.write_bytes(configured(fonts.folder, fonts.hashes.values(), cache))
        yield conf


@contextmanager
def _workers(most: int, conf: Path | None, design: Design | None = None) -> Iterator[Executor]:
    """Start processes that draw; an interruption, which ends them, waits for none of them."""
    executor = _Workers(most, str(conf or fontconfig.looking_at()), design)
    before, threading.excepthook = threading.excepthook, executor.give_up
    try:
        yield executor
    except Exception:
        with suppress(RuntimeError):  # the thread that would be waited for was never started
            executor.shutdown(cancel_futures=True)
        raise
    finally:
        threading.excepthook = before
    executor.shutdown()


class _Workers(ProcessPoolExecutor):
    """Processes that hear no signal from their first moment on: those are the command's.

    Where the system lets no process or thread be started, all that was promised ends with that.
    """

    def __init__(self, most: int, fonts: str, design: Design | None) -> None:
        """Draw a design with so many processes, and the fonts that a file tells fontconfig of."""
        super().__init__(most, initializer=_begin, initargs=(fonts, design))
        self._promised: set[Future[Any]] = set()
        self._failed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Take work on, and start what is missing: it inherits that signals are put off here.

        Raises Rejected where the system lets nothing more be started; what was is ended, as nobody
        would tell it that there is no work.
        """
        try:
            with uninterrupted():
                future = super().submit(fn, *args, **kwargs)
        except BrokenExecutor:
            raise
        except (OSError, RuntimeError) as error:
            self.give_up()
            raise NotBegun([NOT_STARTED]) from error
        for process in active_children():  # where one has ended, all are terminated and waited for
            setattr(process, "terminate", process.kill)  # noqa: B010 - which they would not hear
        self._promised.add(future)
        future.add_done_callback(self._promised.discard)
        if self._failed:  # whoever would have handed it on is gone
            self.give_up()
        return future

    def give_up(self, _: object = None) -> None:
        """End the processes, and what is still waited for, as a thread of ours has failed."""
        self._failed = True
        for process in active_children():
            process.kill()
        for future in tuple(self._promised):
            with suppress(InvalidStateError):
                future.set_exception(NotBegun([NOT_STARTED]))


def _begin(fonts: str, design: Design | None) -> None:
    """Give a worker its fonts, its design, its limits, and its end.

    What its libraries say leads nowhere. What the command holds is looked through for garbage by
    nobody here: that would make copies of all of it.
    """
    gc.freeze()
    be_silent()
    if design:
        hold(design)
    fontconfig.look_at(fonts)
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
