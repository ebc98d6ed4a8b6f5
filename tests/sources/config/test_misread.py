"""What a refused text is said to be; what is told to be written can be read, and means the same."""

import re
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.sources.config import scalars
from reportgen.sources.config.misread import days_meant, in_curly_quotes, number_meant, sign_meant

PIECES = st.sampled_from([*"0123456789", ".", ",", "'", " ", "\u00a0", "-", "+", "%", "€", "USD"])


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("33,3%", "write 33.3%"),
        ("13.100,00", "write 13100.00"),
        ("2.500,00 EUR", "write 2500.00"),
        ("€ 2.500", "write 2.500"),
        ("1.234.567,89", "write 1234567.89"),
        ("-1\u202f234,5", "write -1234.5"),
        ("13'100.00", "write 13100.00"),
        ("0,125", "write 0.125"),
        ("10,000", "write 10000 or 10.000, whichever is meant"),
        ("+2", "write 2"),
    ],
)
def test_a_number_of_another_form_is_written_as_it_is_read_here(text, hint):
    meant = number_meant(text)
    assert meant is not None
    assert meant[1] == hint


@pytest.mark.parametrize("text", ["", "-", "abc", "1e3", "1_000", "٢٫٠٠", "2.00", "2", "NaN", "%"])
def test_what_nobody_can_tell_is_said_to_be_nothing(text):
    assert number_meant(text) is None


@given(st.lists(PIECES, max_size=12).map("".join))
def test_what_is_told_to_be_written_can_be_read(text):
    meant = number_meant(text)
    if meant is None:
        return
    for reading in re.sub(r"^write |, whichever is meant$", "", meant[1]).split(" or "):
        digits = re.sub(r"\D", "", text).lstrip("0")
        number = scalars.number(reading.removesuffix("%"))
        assert re.sub(r"\D", "", f"{number:f}").strip("0") == digits.strip("0")
        assert number in (Decimal(reading.removesuffix("%")), number)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("15.12.2025", [date(2025, 12, 15)]),
        ("07/01/2025", [date(2025, 1, 7), date(2025, 7, 1)]),
        ("12/31/2025", [date(2025, 12, 31)]),
        ("2025-7-1", [date(2025, 7, 1)]),
        ("20251215", [date(2025, 12, 15)]),
        ("15 Dec 2025", [date(2025, 12, 15)]),
        ("December 15, 2025", [date(2025, 12, 15)]),
        ("2025-12", [date(2025, 12, 1)]),
        ("31.02.2025", []),
        ("soon", []),
        ("", []),
    ],
)
def test_a_day_of_another_form_is_found_in_every_order(text, days):
    assert days_meant(text) == days


@given(st.text(alphabet="0123456789-./ DecJan,", max_size=14))
def test_no_text_breaks_it(text):
    days_meant(text)
    sign_meant(text)
    assert text == "" or in_curly_quotes(text) is None


@pytest.mark.parametrize("text", ["“CC-1001”", "„CC-1001“", "«CC-1001»", "‘CC-1001’"])
def test_the_quotes_of_a_word_processor_are_named(text):
    said, hint = in_curly_quotes(text) or ("", "")
    assert "curly quotes" in said
    assert hint == 'write it in straight quotes: "CC-1001"'


def test_a_unit_is_named():
    assert number_meant("12 ACUs") == ("has a unit", "write 12")
