"""Texts as messages and documents can carry them: on one line, visible, cut where they are long.

What comes from people or from the API may hold anything; here is decided what of it can be shown.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from json import dumps

LONGEST_QUOTE = 80
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


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


def legible(text: str) -> str:
    """Replace what XML 1.0 cannot carry, lone surrogates included, by U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)


def said_by_system(error: OSError) -> str:
    """Give what the operating system says is wrong with a file, as it can end a sentence.

    >>> said_by_system(FileNotFoundError(2, "No such file or directory"))
    'no such file or directory'
    """
    return (error.strerror or str(error) or "unknown reason").lower()


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
