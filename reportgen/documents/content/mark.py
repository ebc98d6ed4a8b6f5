"""The mark of a draft: eight digits that tell two drafts of one number apart.

Law: the mark is a hash of what a document shows and of what it looks like, and of nothing else. So
a document that did not change keeps its mark, wherever its rules stand in a file and in whatever
order they were read.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from hashlib import sha256

DIGITS = 8
UNSEEN = frozenset({"source", "mark"})
"""Where something was written, and the mark itself."""


def mark_of(*shown: object) -> str:
    """Give the mark of what is shown: any values of the domain, texts and bytes.

    >>> mark_of({"a": 1, "b": (2, 3)}) == mark_of({"b": (2, 3), "a": 1}), len(mark_of())
    (True, 8)
    >>> mark_of(("a", "b")) == mark_of(("ab",))
    False
    """
    digest = sha256()
    for part in _parts(shown):
        digest.update(part.encode(errors="surrogatepass"))
    return digest.hexdigest()[:DIGITS]


def _parts(value: object) -> Iterator[str]:
    """Give a value as texts that no other value has; maps and sets whatever their order."""
    if is_dataclass(value):
        named = ((field.name, getattr(value, field.name)) for field in fields(value))
        value = {name: inner for name, inner in named if name not in UNSEEN}
    if isinstance(value, Mapping):
        pairs = ((_whole(key), inner) for key, inner in value.items())
        value = tuple(part for pair in sorted(pairs, key=lambda pair: pair[0]) for part in pair)
    if isinstance(value, AbstractSet):
        value = tuple(sorted(map(_whole, value)))
    if isinstance(value, tuple | list):
        yield "("
        for inner in value:
            yield from _parts(inner)
        yield ")"
    else:
        yield f"{value!r},"


def _whole(value: object) -> str:
    return "".join(_parts(value))
