"""What a user has to know: a mistake to mend, or a warning to read.

A stage that can find mistakes returns them beside its values, so that all are reported together. A
`Problem` is one line: where, what is wrong, what to do.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from reportgen.core.text import printable

LONGEST_SENTENCE = 2000
"""Characters; what is longer holds names that nobody gave by hand."""


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Problem:
    """Something in the input that a person must mend, or (`warning`) should know.

    `source` is `file:line`, or the file, folder or request where there is no line. `code` says for
    machines which warning it is: it stays when the sentences change.
    """

    source: str
    message: str
    hint: str
    warning: bool = False
    code: str = ""

    def __str__(self) -> str:
        """Write the one line a user reads."""
        kind = "warning: " if self.warning else ""
        return printable(f"{self.source}: {kind}{_cut(self.message)}; {_cut(self.hint)}")


def _cut(text: str) -> str:
    """Cut what holds a name of thousands of characters, so that a person can read the line."""
    return text if len(text) <= LONGEST_SENTENCE else f"{text[:LONGEST_SENTENCE]}…"


class Rejected(Exception):  # noqa: N818 - not an error of the program: the input was read and refused
    """Carry problems past code that cannot go on without what they are about."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Hold the problems, at least one."""
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """Write a line per problem."""
        return "\n".join(map(str, self.problems))


def errors(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Keep the problems that stop, in the order of their source."""
    return tuple(problem for problem in problems if not problem.warning)


def file_and_line(source: str) -> tuple[str, int]:
    """Take file:line apart, so that lines sort by their number; 0 where there is no line.

    >>> file_and_line("hr.csv:12"), file_and_line("hr.csv")
    (('hr.csv', 12), ('hr.csv', 0))
    """
    name, _, line = source.rpartition(":")
    return (name, int(line)) if line.isdigit() else (source, 0)
