"""What a person sees: messages and progress on stderr, results on stdout.

The only file that prints.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal, Protocol, TextIO

from reportgen.core.problem import Problem

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

FOLDED = 24
"""Cells that a column which gives way keeps: what is longer goes on in the next line."""


class Advance(Protocol):
    """Tells a progress bar how much is done, of how much is known."""

    def __call__(self, done: int, known: int) -> None:
        """Move the bar."""


class Terminal:
    """The two streams of a command.

    `machine` puts JSON on stdout, `quiet` leaves only problems on stderr; `warnings` are those that
    were told.
    """

    def __init__(self, *, machine: bool = False, quiet: bool = False) -> None:
        """Write to the streams of the process."""
        self.machine, self.quiet = machine, quiet
        self.warnings: list[Problem] = []
        self._values: Mapping[str, Any] | None = None

    def say(self, line: str) -> None:
        """Write a line about what is going on."""
        if not self.quiet:
            _write(line, sys.stderr)

    def problems(self, problems: Iterable[Problem]) -> None:
        """Write every problem on a line of its own."""
        for problem in problems:
            if problem.warning:
                self.warnings.append(problem)
            _write(str(problem), sys.stderr)

    def problem(self, line: str) -> None:
        """Write a problem that has no file and line."""
        _write(line, sys.stderr)

    def result(self, line: str) -> None:
        """Write a line of the result, for people."""
        if not self.machine:
            _write(line, sys.stdout)

    def document(self, text: str) -> None:
        """Write a text that is a file of its own to stdout, for people and other programs."""
        if not self.machine:
            _write(text.removesuffix("\n"), sys.stdout)

    def values(self, values: Mapping[str, Any]) -> None:
        """Take the result for machines; it is written at the end, with all warnings there were."""
        self._values = values

    def end(self) -> None:
        """Write the result for machines, if there is one: its values, then the warnings."""
        if self.machine and self._values is not None:
            warnings = [_warning(problem) for problem in dict.fromkeys(self.warnings)]
            values = {**self._values, "warnings": warnings}
            _write(json.dumps(values, ensure_ascii=False, indent=2), sys.stdout)

    @property
    def columns(self) -> int:
        """Tell how long a line may be: as wide as a terminal is, else what is easily read."""
        return _console(sys.stdout).width

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        numbers: Sequence[str] = (),
        wrap: str = "",
    ) -> None:
        """Write a table: `numbers` aligned to the right, `wrap` the column that gives way.

        Nothing is cut off: where the terminal is too narrow, lines are longer than it.
        """
        if self.machine:
            return
        shown = list(rows)
        from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - `--help` does not wait for rich
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for column in columns:
            side: Literal["left", "right"] = "right" if column in numbers else "left"
            table.add_column(column, justify=side, no_wrap=column != wrap, overflow="fold")
        for row in shown:
            table.add_row(*map(Text, row))
        console = _console(sys.stdout)
        console.width = max(console.width, _narrowest([columns, *shown], columns, wrap))
        with console.capture() as drawn:
            console.print(table)
        _write(drawn.get().rstrip("\n"), sys.stdout)

    @contextmanager
    def progress(self, label: str) -> Iterator[Advance]:
        """Show a bar on a terminal; elsewhere only a line when it begins."""
        if self.quiet or not sys.stderr.isatty():
            self.say(f"{label} …")
            yield lambda done, known: None  # noqa: ARG005 - nothing to move
            return
        with _bar() as bar:
            task = bar.add_task(label, total=None)
            yield lambda done, known: bar.update(task, completed=done, total=known)


def _warning(problem: Problem) -> dict[str, str]:
    return {
        "code": problem.code,
        "source": problem.source,
        "message": problem.message,
        "hint": problem.hint,
    }


def _bar() -> "Progress":
    """Draw how many are done of how many, how many a second, and how long the rest will take."""
    from rich.progress import (  # noqa: PLC0415 - as above
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text  # noqa: PLC0415

    class Rate(ProgressColumn):
        """How many are done a second."""

        def render(self, task: Task) -> Text:
            """Write the rate once there is one."""
            return Text(f"{task.speed:.0f}/s" if task.speed else "")

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=_console(sys.stderr),
        transient=True,
    )


def _narrowest(lines: Sequence[Sequence[str]], columns: Sequence[str], wrap: str) -> int:
    """Give the width in cells below which a table would lose letters, or fold into a thread."""
    from rich.cells import cell_len  # noqa: PLC0415

    widths = [max(map(cell_len, cells)) for cells in zip(*lines, strict=True)]
    kept = [
        min(width, FOLDED) if column == wrap else width
        for column, width in zip(columns, widths, strict=True)
    ]
    return sum(kept) + 3 * len(columns) - 1  # three between two columns, one at either edge


def _console(stream: TextIO) -> "Console":
    from rich.console import Console  # noqa: PLC0415

    width = None if stream.isatty() else 120
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


def _write(line: str, stream: TextIO) -> None:
    """Write a line; what the stream cannot encode is escaped, never an error."""
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _to_nowhere(stream)
        if stream is sys.stdout:  # what goes wrong with the other there is nobody to tell
            raise OSError(error.errno, error.strerror, "standard output") from error


def _to_nowhere(stream: TextIO) -> None:
    """Let what a stream still holds go nowhere: it would be written once more at the end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
