"""Texts as messages and documents can carry them: on one line, visible, cut where they are long.

What comes from people or from the API may hold anything; here is decided what of it can be shown.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import count
from json import dumps
from typing import TypeVar
from unicodedata import category, east_asian_width, normalize

T = TypeVar("T")
LONGEST_QUOTE = 80
NAMED = 3
"""How many of a list a message names."""
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""What shows nothing: Unicode's Default_Ignorable_Code_Point."""
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


def slug(text: str, kept: str = "") -> str:
    """Make a name fit for a file: letters and digits of every script, `kept`, and dashes between.

    >>> slug("R&D / Berlin"), slug("4711/10", "._-"), slug("///")
    ('R-D-Berlin', '4711-10', 'unnamed')
    """
    signs = unicodedata.normalize("NFC", text)
    words = "".join(sign if sign.isalnum() or sign in kept else " " for sign in signs).split()
    return "-".join(words).strip(".-") or "unnamed"


def told_apart(names: Mapping[str, str]) -> dict[str, str]:
    """Tell apart what would be one to a file system without regard to capitals, by a number.

    A name that is its own value keeps it.

    >>> told_apart({"4711/10": "4711-10", "4711-10": "4711-10", "A": "A"})
    {'4711/10': '4711-10-2', '4711-10': '4711-10', 'A': 'A'}
    """
    taken: set[str] = set()
    apart: dict[str, str] = {}
    for name, value in sorted(names.items(), key=lambda pair: pair[0] != pair[1]):
        numbered = (f"{value}-{number}" if number > 1 else value for number in count(1))
        apart[name] = next(one for one in numbered if one.casefold() not in taken)
        taken.add(apart[name].casefold())
    return {name: apart[name] for name in names}


def legible(text: str) -> str:
    """Replace what XML 1.0 cannot carry, lone surrogates included, by U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)


def clipped(text: str, longest: int) -> str:
    """Cut a text where it is too long.

    >>> clipped("abcdef", 4)
    'abcd…'
    """
    return text if len(text) <= longest else f"{text[:longest]}…"


def said_by_system(error: OSError) -> str:
    """Give what the operating system says is wrong with a file, as it can end a sentence.

    >>> said_by_system(FileNotFoundError(2, "No such file or directory"))
    'no such file or directory'
    """
    return (error.strerror or str(error) or "unknown reason").lower()


def visible(text: str) -> str:
    r"""Leave out characters that nobody sees, and blanks at either side.

    >>> visible("\u200b ada@x.example\xa0")
    'ada@x.example'
    """
    return text.strip() if text.isascii() else _UNSEEN.sub("", text).strip()


def address(text: str) -> str:
    r"""Write an e-mail as it is compared: without what nobody sees, in one case, composed (NFC).

    >>> address("Ada\u00ad@X.example ")
    'ada@x.example'
    """
    if text.isascii():
        return text.strip().casefold()
    return normalize("NFC", normalize("NFC", visible(text)).casefold())


def columns(text: str) -> int:
    """Count the columns of a text in plain type: two for a wide letter, none for a mark on one.

    >>> columns("abc"), columns("請求"), columns("e\u0301")
    (3, 4, 1)
    """
    return sum(map(_columns_of, text))


def some(values: Sequence[T], write: Callable[[T], str] = str) -> str:
    """List a few values, as `write` gives them, and count the others.

    >>> some([1, 2, 3, 4, 5]), some(["a", "b"], quoted)
    ('1, 2, 3 and 2 more', '"a" and "b"')
    """
    named = [write(value) for value in values[:NAMED]]
    if others := len(values[NAMED:]):
        named.append(f"{others} more")
    return " and ".join(filter(None, (", ".join(named[:-1]), *named[-1:])))


def _columns_of(char: str) -> int:
    if category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def _escaped(char: str) -> str:
    written = dumps(char)[1:-1]
    return written if written.isprintable() else f"\\u{ord(char):04x}"


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Give the known word that a misspelt one most likely stands for.

    >>> did_you_mean("orgz", ["orgs", "users"]), did_you_mean("CC-1 Platform", ["CC-1"])
    ('orgs', 'CC-1')
    """
    candidates = sorted(set(known))
    begun = [candidate for candidate in candidates if word.startswith(f"{candidate} ")]
    if begun:
        return begun[-1]
    folded = {candidate.casefold(): candidate for candidate in reversed(candidates)}
    close = get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None
