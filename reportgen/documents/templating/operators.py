"""The operators of a template: none makes a value too large, each says what it refuses.

Python's own words for what it refuses change from version to version; here the values are at hand.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from jinja2.exceptions import SecurityError

from reportgen.core.text import quoted
from reportgen.documents.templating.kinds import MisuseError, kind

LONGEST = 100_000
"""Characters or elements that `*` may make, and numbers of a range."""
WIDEST = 1_000
"""Characters that `%` may fill up to."""
LARGEST_BITS = 4_096
BY_ZERO = "a division by zero"
TOO_LARGE = "a number that is too large to work with"
STRAY_PERCENT = "a text holds a % that stands for no value: write %%"
UNFILLED = "a text holds a %s for which no value is given"
OVERFILLED = "a text holds fewer %s than values are given"
_PLACE = re.compile(
    r"%(?:\((?P<name>[^)]*)\))?[-+ #0]*(?P<width>\*|\d*)(?:\.(?P<precision>\*|\d+))?"
    r"(?P<conversion>[diouxXeEfFgGcrsa%]?)"
)
"""A place of a text that `%` fills; without a conversion it stands for no value."""
_OF_ANYTHING = frozenset("rsa")


def calculated(call: Callable[[], object], operator: str, left: object, right: object) -> object:
    """Give what an operator makes of two values by a call.

    Raises SecurityError where it would be huge, and MisuseError where there is nothing to give.
    """
    _check_size(operator, left, right)
    try:
        return call()
    except ArithmeticError as error:
        divided = isinstance(error, ZeroDivisionError) or not right
        raise MisuseError(BY_ZERO if divided else TOO_LARGE) from None
    except (LookupError, TypeError, ValueError):
        raise MisuseError(_refusal(operator, left, right)) from None


def check_widths(text: object) -> None:
    """Raise SecurityError for a text whose places are wider than any page."""
    places = _PLACE.finditer(text) if isinstance(text, str) else ()
    widths = [width for place in places for width in place.group("width", "precision")]
    if any(width == "*" or (width and int(width[:5]) > WIDEST) for width in widths):
        raise SecurityError(f"% may fill up to {WIDEST:,} characters, and no more")


def check_filled_by_name(text: str) -> None:
    """Raise MisuseError for a text of `_()` with a place that is not filled by name."""
    for place in _PLACE.finditer(text):
        if not place["conversion"]:
            raise MisuseError(STRAY_PERCENT)
        if place["conversion"] != "%" and place["name"] is None:
            raise MisuseError(UNFILLED)


def _check_size(operator: str, left: Any, right: Any) -> None:  # noqa: ANN401
    if operator == "%":
        check_widths(left)
    elif isinstance(left, int) and isinstance(right, int):
        _check_bits(operator, left, right)
    elif operator == "*":
        _check_length(left, right)
        _check_length(right, left)


def _check_bits(operator: str, left: int, right: int) -> None:
    bits = {
        "*": left.bit_length() + right.bit_length(),
        "**": left.bit_length() * abs(right),
    }
    if bits.get(operator, 0) > LARGEST_BITS:
        raise SecurityError(f"{operator} would make a number of more than a thousand digits")


def _check_length(repeated: object, times: object) -> None:
    if (
        isinstance(repeated, str | bytes | list | tuple)
        and isinstance(times, int)
        and len(repeated) * times > LONGEST
    ):
        parts = "characters" if isinstance(repeated, str) else "elements"
        raise SecurityError(f"* would make {kind(repeated)} of more than {LONGEST:,} {parts}")


def _refusal(operator: str, left: object, right: object) -> str:
    """Say why an operator gives nothing for two values."""
    unfilled = _unfilled(left, right) if operator == "%" and isinstance(left, str) else None
    joins = "; ~ joins texts" if operator == "+" and isinstance(left, str) else ""
    return unfilled or f"{operator} does not work between {kind(left)} and {kind(right)}{joins}"


def _unfilled(text: str, values: object) -> str | None:
    """Say why values do not fill the places of a text."""
    places = [place for place in _PLACE.finditer(text) if place["conversion"] != "%"]
    if not all(place["conversion"] for place in places):
        return STRAY_PERCENT
    names = [place["name"] for place in places if place["name"] is not None]
    numeric = [place[0] for place in places if place["conversion"] not in _OF_ANYTHING]
    return (
        (_unnamed(names, values) if names else _miscounted(len(places), values))
        or (f"{numeric[0]} needs a number" if numeric else None)
    )  # fmt: skip


def _unnamed(names: list[str], values: object) -> str | None:
    given = values if isinstance(values, Mapping) else {}
    return next(
        (f"no value is given for {quoted(name)}" for name in names if name not in given), None
    )


def _miscounted(places: int, values: object) -> str | None:
    given = len(values) if isinstance(values, tuple) else 1
    if places == given:
        return None
    return UNFILLED if places > given else OVERFILLED
