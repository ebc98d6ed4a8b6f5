"""Documents drawn by worker processes, with the machine's fonts or with those of an archive."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import parent_process
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import ParamSpec, TypeVar

from reportgen.archive.disk import uninterrupted
from reportgen.core.problem import Problem
from reportgen.documents.limits import limit_this_process
from reportgen.documents.pdf import fontconfig
from reportgen.documents.render import render
from reportgen.documents.tasks import Design, Task
from reportgen.operations.context import Context
from reportgen.operations.readiness import be_silent

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
    listed: Sequence[Task],
    design: Design,
    studio: Studio,
    context: Context,
    write: Callable[[str, bytes], None],
) -> list[Problem]:
    """Render every document in worker processes, write each as it is done, and give warnings."""
    warnings: list[Problem] = []
    with (
        _configured(studio.fonts) as conf,
        _workers(min(studio.workers, len(listed)), conf) as executor,
        context.terminal.progress(studio.label) as advance,
    ):
        finished = render(listed, design, executor, warnings)
        for done, (name, content) in enumerate(finished, start=1):
            write(name, content)
            advance(done, len(listed))
    return warnings


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
def _workers(count: int, conf: Path | None) -> Iterator[Executor]:
    """Start processes that draw; an interruption, which ends them, waits for none of them."""
    executor = _Workers(count, initializer=_begin, initargs=(str(conf or fontconfig.looking_at()),))
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


def _begin(fonts: str) -> None:
    """Give a worker its fonts, its limits, and its end; what its libraries say leads nowhere."""
    be_silent()
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
