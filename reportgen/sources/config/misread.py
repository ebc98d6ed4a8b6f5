"""What a text that was refused is in fact: a decimal comma, another form of date, a strange blank.

People write what their spreadsheet, locale or word processor writes. Whoever reads a message has to
be told what stands there, and what to write in its place. Nothing is read in this way: it is asked
only where a text was refused.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from reportgen.core.money import EXACT, plain
from reportgen.core.text import quoted
from reportgen.sources.config.periods import LEAST_LETTERS, MONTHS

BLANKS = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
"""Wider and narrower blanks, which YAML and codes take for letters."""
_BLANK = re.compile(f"[{BLANKS}]")
_SIGN = r"(?P<{0}>[A-Z]{{3}}|[$€£¥₹])?"
_NUMBER = re.compile(
    rf"{_SIGN.format('before')} ?(?P<plus>\+)?(?P<digits>-?[\d.,'’ ]*\d[.,]?)"
    r"(?: ?(?P<scale>k|K|[Tt]sd|MM?|[Mm]n|[Mm]io|bn|[Mm]rd)\b\.?)? ?(?P<percent>%)? ?"
    rf"{_SIGN.format('after')}(?P<unit> ?(?:/|per)? ?ACUs?)?",
    re.ASCII,
)
_SCALES = {
    **dict.fromkeys(("k", "tsd"), ("thousands", 3)),
    **dict.fromkeys(("m", "mm", "mn", "mio"), ("millions", 6)),
    **dict.fromkeys(("bn", "mrd"), ("billions", 9)),
}
"""What stands for a number of zeros, and for how many."""
_MONTHS = tuple(month[:LEAST_LETTERS].lower() for month in MONTHS)
OPENING, CLOSING = "“„‟«‹‘‚", "”“»›’"
DAY_LIKE = re.compile(
    r"\d{1,4}[-./ ]\d{1,2}(?:[-./ ]\d{1,4})?|\d{8}"
    r"|\d{1,2}\.? [A-Za-z]{3,9}\.?,? \d{4}|[A-Za-z]{3,9}\.? \d{1,2},? \d{4}",
    re.ASCII,
)
"""What is meant for a date, however it is written."""


def number_meant(text: str) -> tuple[str, str] | None:
    """Say what stands where a number is wanted, and what to write; None where nobody can tell.

    >>> number_meant("2500,00 EUR")
    ('has a decimal comma and a currency', 'write 2500.00')
    """
    match = _NUMBER.fullmatch(_BLANK.sub(" ", text).strip())
    if match is None:
        return None
    digits, percent = match["digits"], match["percent"] or ""
    named = list(_oddities(digits, text))
    if match["scale"]:
        named.append(f"{_SCALES[match['scale'].lower()][0]} written as {quoted(match['scale'])}")
    if match["plus"]:
        named.append("a plus sign")
    if match["before"] or match["after"]:
        named.append("a currency")
    if match["unit"]:
        named.append("a unit")
    if not named:
        return None
    said = f"has {', '.join(named[:-1])}{' and ' if named[1:] else ''}{named[-1]}"
    scaled = (_scaled(reading, match["scale"]) for reading in _readings(digits))
    readings = [f"{reading}{percent}" for reading in dict.fromkeys(scaled)]
    return said, f"write {' or '.join(readings)}" + (", whichever is meant" if readings[1:] else "")


def _oddities(digits: str, text: str) -> Iterator[str]:
    """Name what is unusual about the digits of a number."""
    if len(_readings(digits)) > 1:
        yield "a comma, which may stand before decimals or between thousands"
    elif _decimal_mark(digits) == ",":
        yield "a decimal comma"
    elif digits.startswith((".", "-.")) or digits.endswith("."):
        yield "a decimal point without a digit on either side"
    if len(_readings(digits)) == 1 and re.search("[.,'’ ]", _whole(digits)):
        yield "marks between its thousands"
    if blank := _BLANK.search(text):
        yield named_sign(blank[0])


def _scaled(reading: str, scale: str | None) -> str:
    """Write a number of thousands or millions with all its digits."""
    if not scale:
        return reading
    return plain(Decimal(reading).scaleb(_SCALES[scale.lower()][1], EXACT))


def _decimal_mark(digits: str) -> str:
    """Give the mark before the decimals: the last one, unless it stands there more than once."""
    marks = re.findall(r"[.,]", digits)
    if not marks or marks.count(marks[-1]) > 1:
        return ""
    return str(marks[-1])


def _whole(digits: str) -> str:
    """Give what stands before the decimals."""
    mark = _decimal_mark(digits)
    return digits.rpartition(mark)[0] if mark else digits


def _readings(digits: str) -> list[str]:
    """Give the numbers that some digits and marks can mean, without marks between thousands."""
    mark = _decimal_mark(digits)
    whole, _, decimals = digits.rpartition(mark) if mark else (digits, "", "")
    bare = re.sub(r"[.,'’ ]", "", whole)
    bare = bare if bare.strip("-") else f"{bare}0"
    as_decimals = f"{bare}.{decimals}" if decimals else bare
    one_comma = re.fullmatch(r"-?[1-9]\d{0,2},\d{3}", digits, re.ASCII)
    return [f"{bare}{decimals}", as_decimals] if one_comma else [as_decimals]


def days_meant(text: str) -> list[date]:
    """Give the days that a text of another form can mean, the first of a month for a month.

    >>> [str(day) for day in days_meant("15.12.2025")]
    ['2025-12-15']
    """
    days: dict[date, None] = {}
    for year, month, day in _parts_of_days(text.strip()):
        full = 2000 + year if year < 100 else year  # noqa: PLR2004 - 25 is 2025
        try:
            days.setdefault(date(full, month, day))
        except ValueError:
            continue
    return list(days)


def month_meant(text: str) -> int | None:
    """Give the number of a month that is written as a name, a day or with a zero before it.

    >>> [month_meant(text) for text in ("April", "04", "2026-04-01", "soon")]
    [4, 4, 4, None]
    """
    word = text.strip().lower()
    named = [at for at, month in enumerate(_MONTHS, start=1) if word[:3] == month]
    bare = [int(word)] if re.fullmatch(r"0[1-9]", word, re.ASCII) else []
    return next(iter([*named, *bare, *(day.month for day in days_meant(word))]), None)


def _parts_of_days(text: str) -> Iterator[tuple[int, int, int]]:
    """Give years, months and days in every order that a form has."""
    if re.fullmatch(r"\d{8}", text, re.ASCII):
        yield int(text[:4]), int(text[4:6]), int(text[6:])
        return
    text = re.sub(r"(?<=\d)(?:st|nd|rd|th)\b", "", text)
    parts = [part for part in re.split(r"[-./ ,]+", text) if part]
    named = [part for part in parts if part[:3].lower() in _MONTHS]
    numbers = [int(part) for part in parts if re.fullmatch(r"\d{1,4}", part, re.ASCII)]
    if named and len(numbers) == len(parts) - 1 == 2:  # noqa: PLR2004 - a day and a year
        yield max(numbers), _MONTHS.index(named[0][:3].lower()) + 1, min(numbers)
    elif len(numbers) == len(parts) == 3 and len(parts[0]) == 4:  # noqa: PLR2004
        yield numbers[0], numbers[1], numbers[2]
    elif len(numbers) == len(parts) == 3:  # noqa: PLR2004
        yield numbers[2], numbers[1], numbers[0]
        if "." not in text:
            yield numbers[2], numbers[0], numbers[1]
    elif len(numbers) == len(parts) == 2 and len(parts[0]) == 4:  # noqa: PLR2004
        yield numbers[0], numbers[1], 1


def sign_meant(text: str) -> tuple[str, str] | None:
    r"""Name the first character of a text that cannot be seen for what it is, and what to write.

    >>> sign_meant("CC\u00a01001")
    ('holds a no-break space (U+00A0)', 'write a plain blank in its place, or none')
    """
    strange = next((sign for sign in text if not sign.isprintable()), None)
    if strange is None:
        return None
    if strange == "\t" or _BLANK.match(strange):
        return f"holds {named_sign(strange)}", "write a plain blank in its place, or none"
    return f"holds {named_sign(strange)}, which cannot be seen", "remove it"


def named_sign(sign: str) -> str:
    r"""Name a character that looks like another, or like none.

    >>> named_sign("\t"), named_sign("\u00a0")
    ('a tab', 'a no-break space (U+00A0)')
    """
    if sign == "\t":
        return "a tab"
    name = unicodedata.name(sign, "control character").lower()
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name} (U+{ord(sign):04X})"


def in_curly_quotes(text: str) -> tuple[str, str] | None:
    """Say of a text in curly quotes that these are letters, and what to write; None for others.

    >>> in_curly_quotes("“CC-1001”")
    ('is in curly quotes, which are letters here', 'write it in straight quotes: "CC-1001"')
    """
    inner = unquoted(text)
    if not inner or text[0] not in OPENING or text[-1] not in CLOSING:
        return None
    hint = f"write it in straight quotes: {quoted(inner)}"
    return "is in curly quotes, which are letters here", hint


def unquoted(text: str) -> str:
    """Give a text without the curly quotes around it."""
    return text.strip(OPENING + CLOSING)
