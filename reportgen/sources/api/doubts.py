"""What JSON lets pass and a reader should not: a key twice, and text that stands for a number.

A decoder takes the last of two keys, and reads `"1_2.5"`, `" 12.5 "` and Arabic digits as numbers.
Whoever wrote them may have meant something else.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from reportgen.core.text import quoted

NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
QUANTITIES = frozenset({"total_acus", "acus"})
TOTALS = frozenset(
    {
        "acus_by_product",
        "consumption_by_date",
        "consumption_by_org_id",
        "consumption_by_user",
    }
)
"""Fields that are quantities, and those that map something to quantities."""


class _Twice(Exception):  # noqa: N818 - a key that was met, not a failure
    """A key that an object has more than once."""


def key_twice(text: str) -> str:
    """Say which key an object of a text has twice, nothing where there is none."""
    try:
        _parsed(text)
    except _Twice as twice:
        return f"has the key {twice} more than once in an object"
    return ""


def no_number(text: str) -> str:
    """Say which text stands where consumption has a number; one that is a number is taken."""
    for value in _quantities_of(_parsed(text)):
        if isinstance(value, str) and not NUMBER.fullmatch(value):
            return f"has the text {quoted(value)} where a number belongs"
    return ""


def _parsed(text: str) -> Any:  # noqa: ANN401 - whatever JSON can carry
    """Parse a text that a decoder has accepted; numbers do not matter, however long."""
    return json.loads(text, object_pairs_hook=_once, parse_int=_nothing, parse_float=_nothing)


def _nothing(_: str) -> None:
    """Stand for a number."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        (key, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise _Twice(quoted(key))
    return members


def _quantities_of(body: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
    """Give the values where quantities belong."""
    for key, value in body.items():
        if key in QUANTITIES:
            yield value
        elif key in TOTALS and isinstance(value, dict):
            yield from value.values()
        elif key == "consumption_by_date" and isinstance(value, list):
            for bucket in value:
                yield from _quantities_of(bucket)
