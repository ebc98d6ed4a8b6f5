"""Text turned into numbers, days and flags, strictly: what reads in two ways is refused.

Every function takes the text of a scalar and returns a value or raises `Unreadable` with a message
and a hint.
"""

import re
from datetime import date
from decimal import Decimal

from reportgen.core.money import EXACT, decimals_of, plain
from reportgen.core.text import quoted
from reportgen.sources.config.misread import days_meant, number_meant, sign_meant
from reportgen.sources.config.periods import no_day

LARGEST = Decimal("1e12")
MOST_DECIMALS = 12
ALL = Decimal(100)
_YEAR = r"(?:199\d|2[01]\d\d)"
DATE_SHAPE = re.compile(
    rf"{_YEAR}-\d{{1,2}}-\d{{1,2}}|{_YEAR}/\d{{1,2}}/\d{{1,2}}|\d{{1,2}}/\d{{1,2}}/{_YEAR}",
    re.ASCII,
)
"""What is meant for a date of 1990 to 2199, however it is written; a code cannot look like it.

Ledgers have codes such as 4100-10-01.
"""
LONGEST_CODE = 64
HIGHEST_PORT = 65535
LONGEST_TEXT = 1000
NUMBER_HINT = "write digits with a decimal point, such as 1000.50"


class Unreadable(ValueError):  # noqa: N818 - a text that was refused, not a failure
    """A text that is not what its place asks for."""

    def __init__(self, message: str, hint: str) -> None:
        """Hold what is wrong and what to do."""
        super().__init__(message)
        self.message, self.hint = message, hint


def number(text: str, unit: str = "") -> Decimal:
    """Read a number: ASCII digits and a decimal point, no plus, no grouping, no exponent.

    `unit` is what stood behind it, a percent sign.
    """
    if not re.fullmatch(r"-?\d{1,40}(\.\d{1,40})?", text, re.ASCII):
        if meant := number_meant(f"{text}{unit}"):
            raise Unreadable(f"{quoted(f'{text}{unit}')} {meant[0]}", meant[1])
        raise Unreadable(f"{quoted(text)} is not a number", NUMBER_HINT)
    value = Decimal(text)
    if abs(value) >= LARGEST or decimals_of(value) > MOST_DECIMALS:
        raise Unreadable(
            f"{quoted(text)} is out of bounds", "use less than 10^12 and at most 12 decimals"
        )
    return value


def not_negative(text: str, unit: str = "") -> Decimal:
    """Read a number that may be zero."""
    value = number(text, unit)
    if value < 0:
        raise Unreadable(f"{quoted(text)} is negative", "write a number of zero or more")
    return value


def positive(text: str) -> Decimal:
    """Read a number above zero."""
    value = number(text)
    if value <= 0:
        raise Unreadable(f"{quoted(text)} is not above zero", "write a number above zero")
    return value


def row_count(text: str) -> int:
    """Read how many rows there may be, none included."""
    if not re.fullmatch(r"\d{1,6}", text, re.ASCII):
        raise Unreadable(
            f"{quoted(text)} is not a number of rows", "write a whole number from 0 to 999999"
        )
    return int(text)


def session_count(text: str) -> int:
    """Read how many sessions are shown of a cost center, none included."""
    if not re.fullmatch(r"\d{1,2}|100", text, re.ASCII):
        raise Unreadable(
            f"{quoted(text)} is not a number of sessions", "write a whole number from 0 to 100"
        )
    return int(text)


def day_count(text: str) -> int:
    """Read how many days are waited, none included."""
    if not re.fullmatch(r"\d{1,3}", text, re.ASCII):
        raise Unreadable(
            f"{quoted(text)} is not a number of days", "write a whole number from 0 to 999"
        )
    return int(text)


def flag(text: str) -> bool:
    """Read true or false, and nothing that stands for them."""
    if text not in {"true", "false"}:
        raise Unreadable(f"{quoted(text)} is neither true nor false", "write true or false")
    return text == "true"


def mebibytes(text: str) -> int:
    """Read how many MiB something may have."""
    if not re.fullmatch(r"[1-9]\d{0,5}", text, re.ASCII):
        raise Unreadable(
            f"{quoted(text)} is not a number of MiB", "write a whole number from 1 to 999999"
        )
    return int(text)


def port(text: str) -> int:
    """Read the number of a port."""
    if not re.fullmatch(r"[1-9]\d{0,4}", text, re.ASCII) or int(text) > HIGHEST_PORT:
        raise Unreadable(f"{quoted(text)} is not a port", "write a whole number from 1 to 65535")
    return int(text)


def host(text: str) -> str:
    """Read the name or the address of a machine."""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]+", text, re.ASCII):
        hint = "write its name alone, such as smtp.example.com; the port has a key of its own"
        raise Unreadable(f"{quoted(text)} is not the name of a mail server", hint)
    return text


def per_minute(text: str) -> int:
    """Read how many messages a minute may have."""
    if not re.fullmatch(r"[1-9]\d{0,4}", text, re.ASCII):
        raise Unreadable(
            f"{quoted(text)} is not a number of messages", "write a whole number from 1 to 99999"
        )
    return int(text)


def decimal_count(text: str) -> int:
    """Read how many decimals amounts have."""
    if not re.fullmatch(r"[0-6]", text, re.ASCII):
        raise Unreadable(f"{quoted(text)} is not a number of decimals", "write 0 to 6")
    return int(text)


def charge(text: str) -> Decimal:
    """Read an amount that is charged; a negative one is a discount."""
    value = number(text)
    if not value:
        raise Unreadable(f"{quoted(text)} charges nothing", "write an amount, or remove the fee")
    return value


def charged_part(text: str) -> Decimal:
    """Read `2.5%` of what is charged as the fraction 0.025; a negative one is a discount."""
    if not text.endswith("%"):
        raise Unreadable(f"{quoted(text)} is not a percentage", _percent_meant(text, "2.5%"))
    value = number(text.removesuffix("%").rstrip(), "%")
    if not value:
        raise Unreadable(f"{quoted(text)} charges nothing", "write a percentage, or remove the fee")
    return value.scaleb(-2, EXACT)


def part(text: str) -> Decimal:
    """Read `0.5%` of a whole as the fraction 0.005."""
    if not text.endswith("%"):
        raise Unreadable(f"{quoted(text)} is not a percentage", _percent_meant(text, "0.5%"))
    value = not_negative(text.removesuffix("%").rstrip(), "%")
    if value > ALL:
        raise Unreadable(f"{quoted(text)} is more than all", "write a percentage up to 100%")
    return value.scaleb(-2, EXACT)


def _percent_meant(text: str, such: str) -> str:
    """Say what to write for a number without its sign; `such` is what one looks like."""
    if not re.fullmatch(r"\d{1,3}(?:\.\d{1,9})?", text, re.ASCII):
        return f"write it as {such}"
    if (value := Decimal(text)) >= 1:
        return f"write {text}%"
    whole = plain(value.scaleb(2, EXACT))
    return f"write {whole}% if it is meant of one, {text}% if of a hundred"


def percentage(text: str) -> Decimal:
    """Read `60%` as the fraction 0.6."""
    if not text.endswith("%"):
        raise Unreadable(
            f"{quoted(text)} is not a percentage",
            "write all shares as percentages, or none of them",
        )
    return not_negative(text.removesuffix("%").rstrip(), "%").scaleb(-2, EXACT)


def weight(text: str) -> Decimal:
    """Read a whole number above zero."""
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not int(text):
        raise Unreadable(f"{quoted(text)} is no share", _share_meant(text))
    return Decimal(text)


def _share_meant(text: str) -> str:
    """Say what to write for a part of one, and for what is none."""
    if re.fullmatch(r"0?[.,]\d{1,10}", text, re.ASCII):
        part = Decimal(f"0{text.replace(',', '.').lstrip('0')}")
        return f"write {plain(part.scaleb(2, EXACT))}% for a part, or a whole-number weight"
    hint = "write a percentage such as 60%, or a whole-number weight"
    if not text[:1].isdigit() or DATE_SHAPE.fullmatch(text):
        return f"{hint}; for a change write its day first, as {{2025-12-15: CC-1001}}"
    return hint


def day(text: str) -> date:
    """Read a billing day, YYYY-MM-DD."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        if days := days_meant(text):
            hint = f"write {' or '.join(map(str, days))}"
            raise Unreadable(f"{quoted(text)} is a date in another form", hint)
        if period := no_day(text):
            raise Unreadable(f"{quoted(text)} {period[0]}", period[1])
        raise Unreadable(f"{quoted(text)} is not a date", "write it as YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Unreadable(
            f"{quoted(text)} is not a day of the calendar", "correct the date"
        ) from error


def line_of_text(text: str) -> str:
    """Read a text of one line that every document can show."""
    if not text.strip():
        raise Unreadable("is empty", "write a text")
    if len(text) > LONGEST_TEXT:
        raise Unreadable(
            f"is longer than {LONGEST_TEXT} characters",
            "write it shorter: documents have to show it",
        )
    if strange := sign_meant(text):
        raise Unreadable(f"{quoted(text)} {strange[0]}", strange[1])
    return text.strip()


def code(text: str) -> str:
    """Read the code of a cost center, as ledgers have it; files are named by a slug of it."""
    if strange := sign_meant(text):
        raise Unreadable(f"{quoted(text)} {strange[0]}", strange[1])
    if DATE_SHAPE.fullmatch(text) or text == "none":
        hint = "choose another code: dates and `none` have a meaning of their own"
    elif not 0 < len(text) <= LONGEST_CODE or not text.isprintable():
        hint = f"use 1 to {LONGEST_CODE} characters that can be seen"
    elif text != text.strip():
        hint = "remove the blank at its begin or end"
    else:
        return text
    raise Unreadable(f"{quoted(text)} cannot be the code of a cost center", hint)


def contact(text: str) -> str:
    """Read an e-mail address."""
    if strange := sign_meant(text):
        raise Unreadable(f"{quoted(text)} {strange[0]}", strange[1])
    if re.fullmatch(r"[^@\s,;]+@[^@\s,;]+(?:[,;] ?[^@\s,;]+@[^@\s,;]+)+", text):
        hint = f"write each by itself, in brackets: [{', '.join(re.split('[,;] ?', text))}]"
        raise Unreadable(f"{quoted(text)} is more than one address", hint)
    if not re.fullmatch(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+", text) or not text.isprintable():
        raise Unreadable(f"{quoted(text)} is not an e-mail address", "write it as name@domain")
    return text


def color(text: str) -> str:
    """Read a colour, #rrggbb."""
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", text, re.ASCII):
        raise Unreadable(f"{quoted(text)} is not a colour", 'write it as "#1f4e79", in quotes')
    return text.lower()
