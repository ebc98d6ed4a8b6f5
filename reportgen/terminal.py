"""What a person sees: messages and progress on stderr, results on stdout.

The only file that prints. On a terminal a message is folded to its width, and goes on below itself,
indented; a file or another program gets it on one line, so that it can be searched.
"""

import json
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal, Protocol, TextIO

from reportgen.core.problem import Problem
from reportgen.core.text import columns as columns_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

UNKNOWN_WIDTH = 80
"""Columns of a terminal that does not say how wide it is."""
NARROWEST = 40
"""Columns below which a terminal folds by itself what it must."""
HANGING = 2
"""Columns by which what goes on below a message is indented."""
_PIECES = re.compile(r"\s*(?:= )?(?:`[^`]*`|[^\s`]|`)+")
"""A word with the blanks before it; what stands in backticks is one, as it is to be copied, and so
is what a sum comes to."""
_BLANK_END = re.compile(r"(?:\s|\x1b\[1m\s*\x1b\[0m)+$")
"""Blanks at the end of a line, in bold as well."""
FOLDED, SLIM, SLIMMEST = 24, 16, 10
"""Cells that a column which gives way keeps, and fewer where a table fits a terminal by that: what
is longer goes on in the next line."""
IN_A_FILE = 120
"""Cells of a table that nobody looks at yet."""
GAP, TIGHT = 3, 2
"""Cells between two columns of a table, and where it is wider than the terminal."""


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
            _write_folded(line, sys.stderr)

    def problems(self, problems: Iterable[Problem]) -> None:
        """Write every problem on a line of its own."""
        for problem in problems:
            if problem.warning:
                self.warnings.append(problem)
            _write_folded(str(problem), sys.stderr)

    def problem(self, line: str) -> None:
        """Write a problem that has no file and line."""
        _write_folded(line, sys.stderr)

    def result(self, line: str) -> None:
        """Write a line of the result, for people."""
        if not self.machine:
            _write_folded(line, sys.stdout)

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
        return _width(sys.stdout) or IN_A_FILE

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        numbers: Sequence[str] = (),
        wrap: Sequence[str] = (),
    ) -> None:
        """Write a table: `numbers` aligned to the right, `wrap` the columns that give way, in turn.

        Nothing is cut off: where the terminal is too narrow even for columns that are closer
        together and slim ones that give way, lines are longer than it.
        """
        if self.machine:
            return
        shown = list(rows)
        from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - `--help` does not wait for rich
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        console = _console(sys.stdout)
        widths, gap = _laid_out([columns, *shown], wrap, _width(sys.stdout))
        console.width = max(console.width, _whole(widths.values(), gap))
        table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, gap - TIGHT))
        for column in columns:
            side: Literal["left", "right"] = "right" if column in numbers else "left"
            table.add_column(column, justify=side, width=widths[column], overflow="fold")
        for row in shown:
            table.add_row(*map(Text, row))
        with console.capture() as drawn:
            console.print(table)
        lines = (_BLANK_END.sub("", line) for line in drawn.get().splitlines())
        _write("\n".join(lines), sys.stdout)

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


def _widths(lines: Sequence[Sequence[str]], *, tight: bool = False) -> dict[str, int]:
    """Give how many cells each column needs, by its name, which is in the first line.

    Where the table is `tight`, a name goes on in the next line.
    """
    from rich.cells import cell_len  # noqa: PLC0415

    return {
        name: max(
            cell_len(line)
            for cell in ("\n".join(name.split()) if tight else name, *cells)
            for line in cell.split("\n")
        )
        for name, *cells in zip(*lines, strict=True)
    }


def _laid_out(
    lines: Sequence[Sequence[str]], wrap: Sequence[str], terminal: int
) -> tuple[dict[str, int], int]:
    """Give how many cells each column gets, and the gap of columns; `terminal` is 0 in a file."""
    room = terminal + 1 if terminal else IN_A_FILE  # the last cell of a table is always blank
    given, gap = _widths(lines), GAP
    if terminal and _whole(given.values(), gap) > room:
        given, gap = _widths(lines, tight=True), TIGHT
    least = {**given, **{column: min(given[column], SLIMMEST) for column in wrap}}
    can_fit = terminal and _whole(least.values(), gap) <= room
    for bound in (SLIM, SLIMMEST) if can_fit else (FOLDED,):
        for column in wrap if can_fit else wrap[:1]:
            beyond = max(0, _whole(given.values(), gap) - room)
            given[column] -= min(beyond, max(0, given[column] - bound))
    return given, gap


def _whole(widths: Collection[int], gap: int) -> int:
    """Give the width of a table, with a cell at either edge."""
    return sum(widths) + gap * (len(widths) - 1) + 2


def _console(stream: TextIO) -> "Console":
    from rich.console import Console  # noqa: PLC0415

    return Console(file=stream, width=_width(stream) or IN_A_FILE, highlight=False, soft_wrap=False)


def _width(stream: TextIO) -> int:
    """Tell how many columns a terminal has; 0 of what is none."""
    if not stream.isatty():
        return 0
    try:
        return os.get_terminal_size(stream.fileno()).columns or UNKNOWN_WIDTH
    except OSError:
        return UNKNOWN_WIDTH


def _write_folded(text: str, stream: TextIO) -> None:
    """Write a message, folded where somebody looks at it."""
    width = _width(stream)
    lines = text.split("\n")
    if width >= NARROWEST:
        lines = [part for line in lines for part in folded(line, width)]
    _write("\n".join(lines), stream)


def folded(line: str, width: int) -> list[str]:
    """Fold a line between words; what is longer than the width by itself has a line of its own.

    >>> folded("mapping.yaml:3: this has no rule; give `CC-1: {name: One}`", 40)
    ['mapping.yaml:3: this has no rule; give', '  `CC-1: {name: One}`']
    """
    if columns_of(line) <= width:
        return [line]
    margin = " " * (len(line) - len(line.lstrip()) + HANGING)
    lines = [""]
    for piece in _PIECES.findall(line):
        if lines[-1].strip() and columns_of(lines[-1] + piece) > width:
            lines.append(margin + piece.lstrip())
        else:
            lines[-1] += piece
    return lines


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
