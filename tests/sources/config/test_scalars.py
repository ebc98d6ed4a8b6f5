"""Text turned into values: one reading or none."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reportgen.sources.config import scalars
from reportgen.sources.config.scalars import Unreadable

NUMBER_LIKE = st.text("0123456789.-+eE_, %٣２\n", max_size=20)


def is_digits(part):
    return part != "" and all(char in "0123456789" for char in part)


def may_be_number(written):
    """Say again, without a regular expression, what a number looks like."""
    whole, point, decimals = written.removeprefix("-").partition(".")
    if (
        not is_digits(whole)
        or (point and not is_digits(decimals))
        or max(len(whole), len(decimals)) > 40
    ):
        return False
    return len(decimals) <= 12 and len(whole.lstrip("0")) <= 12


@given(NUMBER_LIKE | st.decimals(allow_nan=True).map(str))
@example("0.1234567890123")
@example("999999999999.999999999999")
@example("1000000000000")
@example("-0")
@example("1\n")
@example("00100")
def test_a_number_is_digits_with_a_decimal_point_and_nothing_else(written):
    if may_be_number(written):
        found = scalars.number(written)
        assert found == Decimal(written)
        assert found.as_tuple() == Decimal(written).as_tuple()
    else:
        with pytest.raises(Unreadable):
            scalars.number(written)


@given(st.decimals(-(10**12) + 1, 10**12 - 1, places=6))
def test_every_number_that_is_written_plainly_is_read(value):
    assert scalars.number(f"{value:f}") == value


@given(st.decimals(0, 1000, places=3))
def test_a_percentage_is_a_hundredth(value):
    assert scalars.percentage(f"{value:f}%") * 100 == value
    assert scalars.percentage(f"{value:f} %") * 100 == value


@pytest.mark.parametrize(
    "written", ["60", "%", "-1%", "60%%", "sixty%", "6e1%", "٦٠%", "60 percent"]
)
def test_a_percentage_has_its_sign(written):
    with pytest.raises(Unreadable):
        scalars.percentage(written)


@given(st.integers(1, 999_999_999))
def test_a_weight_is_a_whole_number(value):
    assert scalars.weight(str(value)) == value


@pytest.mark.parametrize("written", ["0", "-1", "1.5", "1e3", "", "one", "١", "1 ", "1234567890"])
def test_a_weight_is_nothing_else(written):
    with pytest.raises(Unreadable):
        scalars.weight(written)


@given(st.dates())
def test_a_day_is_written_in_one_way(value):
    assert scalars.day(value.isoformat()) == value


@pytest.mark.parametrize(
    "written",
    [
        "2025-02-30",
        "2025-13-01",
        "2025-7-1",
        "25-07-01",
        "2025/07/01",
        "01.07.2025",
        "20250701",
        "2025-W27-2",
        "today",
        "2025-07-01T00:00",
        " 2025-07-01",
        "2025-07-01\n",
        "２０２５-07-01",
        "0000-01-01",
        "-2025-07-01",
        "",
    ],
)
def test_a_day_is_nothing_else(written):
    with pytest.raises(Unreadable):
        scalars.day(written)


def test_leap_days_are_days():
    assert scalars.day("2024-02-29") == date(2024, 2, 29)
    with pytest.raises(Unreadable, match="not a day of the calendar"):
        scalars.day("2025-02-29")


@pytest.mark.parametrize(
    "written",
    [
        *("CC-1001", "0100", "a", "A.b_c-d", "x" * 64, "1e3", "no", "...a", "2025-07", "12", "."),
        *(
            "4100-10-01",
            "4711/10",
            "AB 1000",
            "KST-\u00dc1",
            "a\\b",
            "a:b",
            "1-1-1",
            "..",
            "2200-01-01",
        ),
    ],
)
def test_a_code_is_text(written):
    assert scalars.code(written) == written


@pytest.mark.parametrize(
    "written",
    [
        *("", " ", "none", "2025-07-01", "1990-1-1", "2199-12-31", "7/1/2025", "2025/7/1"),
        *("x" * 65, "CC-1001\n", "a\tb", "a\u200bb", " CC-1", "CC-1 ", "CC\u00a01"),
    ],
)
def test_a_code_can_be_seen_and_is_not_mistaken(written):
    with pytest.raises(Unreadable, match=r"cannot be the code of a cost center|holds a"):
        scalars.code(written)


def refused(read, written):
    try:
        read(written)
    except Unreadable as refusal:
        return refusal
    return None


@given(st.text(max_size=20))
def test_every_reader_reads_or_refuses_with_words(written):
    readers = (
        scalars.number,
        scalars.not_negative,
        scalars.percentage,
        scalars.weight,
        scalars.day,
        scalars.line_of_text,
    )
    for read in (*readers, scalars.code, scalars.contact, scalars.color):
        refusal = refused(read, written)
        assert refusal is None or (
            refusal.message and refusal.hint and refusal.message.isprintable()
        )


@pytest.mark.parametrize("written", ["ada@acme.example", "a+b@x", "jürgen@münchen.example"])
def test_a_contact_is_an_address(written):
    assert scalars.contact(written) == written


@pytest.mark.parametrize(
    "written", ["ada", "ada@", "@acme", "a@b@c", "a b@c", "a,b@c", "<a@b>", "a@b\n", ""]
)
def test_a_contact_is_one_address(written):
    with pytest.raises(Unreadable):
        scalars.contact(written)


@pytest.mark.parametrize("written", ["0", "0.00", "-0", "-1", "1,5", ""])
def test_what_must_be_above_zero_is(written):
    with pytest.raises(Unreadable):
        scalars.positive(written)
    assert scalars.positive("0.01") == Decimal("0.01")


def test_a_charge_may_be_a_discount_but_never_nothing():
    assert (scalars.charge("-20.00"), scalars.charged_part("-2.5 %")) == (
        Decimal("-20.00"),
        Decimal("-0.025"),
    )
    for read, written in (
        (scalars.charge, "0.00"),
        (scalars.charged_part, "0%"),
        (scalars.charged_part, "2.5"),
    ):
        with pytest.raises(Unreadable):
            read(written)
