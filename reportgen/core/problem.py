"""What a user has to know: a mistake to mend, or a warning to read.

A stage that can find mistakes returns them beside its values, so that all are reported together. A `Problem` is
one line: where, what is wrong, what to do.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from json import dumps

LONGEST_QUOTE = 80


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Problem:
    """Something in the input that a person must mend, or (`warning`) should know.

    `source` is `file:line`, or the file, folder or request where there is no line.
    """

    source: str
    message: str
    hint: str
    warning: bool = False

    def __str__(self) -> str:
        """Write the one line a user reads."""
        kind = "warning: " if self.warning else ""
        return printable(f"{self.source}: {kind}{self.message}; {self.hint}")


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


def quoted(value: object) -> str:
    r"""Show a value in a message: in double quotes, on one line, cut where it is long.

    >>> quoted("a\tb")
    '"a\\tb"'
    """
    text = str(value)
    if len(text) > LONGEST_QUOTE:
        text = f"{text[: LONGEST_QUOTE - 1]}…"
    return printable(dumps(text, ensure_ascii=False))


def printable(text: str) -> str:
    r"""Escape what would break a line or cannot be seen, so that a message stays one line.

    >>> printable("a\nb")
    'a\\nb'
    """
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    written = dumps(char)[1:-1]
    return written if written.isprintable() else f"\\u{ord(char):04x}"


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Give the known word that a misspelt one most likely stands for.

    >>> did_you_mean("orgz", ["orgs", "users"])
    'orgs'
    """
    candidates = sorted(set(known))
    folded = {candidate.casefold(): candidate for candidate in reversed(candidates)}
    close = get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None
