"""Numbers, days and shares as they are printed, locale by locale."""

from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.cycle import BillingCycle
from reportgen.documents.templating.filters import Format, number_format

CYCLE = BillingCycle(
    start=date(2025, 12, 5), end=date(2026, 1, 5), after=1764921600, before=1767600000
)


def shape(locale: str, decimals: int = 2) -> Format:
    return Format(locale, "USD", decimals)


@pytest.mark.parametrize(
    ("locale", "money", "acus", "short", "price", "share"),
    [
        ("en", "1,234,567.50", "1,234.5000", "1,234.5", "2.00", "12.35%"),
        ("ja", "1,234,567.50", "1,234.5000", "1,234.5", "2.00", "12.35%"),
        ("zh", "1,234,567.50", "1,234.5000", "1,234.5", "2.00", "12.35%"),
        ("de", "1.234.567,50", "1.234,5000", "1.234,5", "2,00", "12,35%"),
    ],
)
def test_numbers_follow_the_locale(locale, money, acus, short, price, share):
    found = shape(locale)
    assert found.money(Decimal("1234567.5")) == money
    assert found.acus(Decimal("1234.5")) == acus
    assert found.acus_short(Decimal("1234.5")) == short
    assert found.price(Decimal(2)) == price
    assert found.share(Decimal("12.346"), Decimal(100)) == share


@pytest.mark.parametrize(
    ("locale", "day", "short", "period"),
    [
        ("en", "Dec 5, 2025", "Dec 5", "Dec 5, 2025 – Jan 4, 2026"),
        ("ja", "2025年12月5日", "12月5日", "2025年12月5日 – 2026年1月4日"),
        ("zh", "2025年12月5日", "12月5日", "2025年12月5日 – 2026年1月4日"),
        ("de", "5. Dez. 2025", "5. Dez.", "5. Dez. 2025 – 4. Jan. 2026"),
        ("en-GB", "5 Dec 2025", "5 Dec", "5 Dec 2025 – 4 Jan 2026"),
        ("pt_BR", "5 de dez. de 2025", "5 de dez.", "5 de dez. de 2025 – 4 de jan. de 2026"),
    ],
)
def test_days_follow_the_locale_and_a_period_ends_on_its_last_day(locale, day, short, period):
    found = shape(locale)
    assert (found.day(CYCLE.start), found.day_short(CYCLE.start), found.period(CYCLE)) == (
        day,
        short,
        period,
    )


@pytest.mark.parametrize(("decimals", "shown"), [(0, "1,235"), (2, "1,234.57"), (3, "1,234.568")])
def test_money_has_the_decimals_of_its_currency(decimals, shown):
    assert shape("en", decimals).money(Decimal("1234.5678")) == shown


@pytest.mark.parametrize("locale", ["en", "ja", "zh", "de", "sv", "ar"])
@pytest.mark.parametrize("zero", ["0", "-0", "-0.00", "-0.0001", "0E+3", "-1e-20"])
def test_there_is_no_negative_zero(locale, zero):
    found = shape(locale)
    for shown in (
        found.money(Decimal(zero)),
        found.acus(Decimal(zero), 2),
        found.price(Decimal("-0")),
    ):
        assert not set(shown) & set("-−–\N{HYPHEN}")


def test_negative_amounts_keep_their_sign():
    assert shape("en").money(Decimal("-1234.5")) == "-1,234.50"
    assert shape("de").money(Decimal("-0.19")) == "-0,19"


def test_halves_go_to_the_even_digit():
    found = shape("en")
    assert [found.acus(Decimal(text)) for text in ("0.00005", "0.00015", "-0.00025")] == [
        "0.0000",
        "0.0002",
        "-0.0002",
    ]
    assert found.price(Decimal("0.12345678905")) == "0.123456789"


def test_a_share_of_nothing_is_a_dash():
    assert shape("en").share(Decimal(0), Decimal(0)) == "–"
    assert shape("en").share(Decimal(5), Decimal(0)) == "–"
    assert shape("en").share(Decimal(0), Decimal(5)) == "0.00%"
    assert shape("en").share(Decimal(-1), Decimal(4)) == "-25.00%"
    assert shape("en").share(Decimal(1), Decimal(3)) == "33.33%"


def test_large_numbers_are_written_in_full():
    most = Decimal("999999999999.9999")
    assert shape("en").acus(most) == "999,999,999,999.9999"
    assert shape("en").money(Decimal("123456789012345678901234567890.12")) == (
        "123,456,789,012,345,678,901,234,567,890.12"
    )
    assert shape("en").money(Decimal("1E+6")) == "1,000,000.00"


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value="-1e15", max_value="1e15", places=2
    ),
    st.sampled_from(["en", "ja", "zh", "de", "sv", "fr"]),
)
def test_an_amount_can_be_read_back(amount, locale):
    symbols = Locale.parse(locale).number_symbols["latn"]
    text = (
        shape(locale).money(amount).replace(symbols["group"], "").replace(symbols["decimal"], ".")
    )
    assert Decimal(text.replace("−", "-")) == amount


@pytest.mark.parametrize(
    ("decimals", "most", "code"),
    [
        (2, 0, "#,##0.00"),
        (0, 0, "#,##0"),
        (3, 0, "#,##0.000"),
        (2, 10, "#,##0.00########"),
        (0, 4, "#,##0.####"),
        (2, 1, "#,##0.00"),
    ],
)
def test_number_formats_are_what_excel_reads(decimals, most, code):
    assert number_format(decimals, most) == code
    cell = openpyxl.Workbook().active["A1"]
    cell.number_format = code
    assert not cell.is_date


@pytest.mark.parametrize(
    ("locale", "name", "arguments", "text"),
    [
        ("en", "price", (Decimal(2), 4), "2.0000"),
        ("en", "effective", (Decimal("1.6347000001"),), "1.6347"),
        ("en", "effective", (Decimal(2),), "2.0000"),
        ("en", "fixed", (Decimal(432471), 0), "432,471"),
        ("en", "rate", (Decimal("155.20"),), "155.20"),
        ("de", "rate", (Decimal("0.8561"),), "0,8561"),
        ("en", "percent", (Decimal("0.025"),), "2.5%"),
        ("en", "percent", (Decimal("0.6667"),), "66.67%"),
        ("en", "used", (Decimal("12.5"),), "1,250.00%"),
        ("en", "month", ("2025-12",), "December 2025"),
        ("ja", "month", ("2025-12",), "2025年12月"),
        ("en", "signed_format", (0,), "+#,##0;-#,##0;0"),
    ],
)
def test_what_is_compared_and_converted_is_written_in_the_locale(locale, name, arguments, text):
    assert shape(locale).filters()[name](*arguments) == text


def test_filters_are_known_by_the_names_templates_use():
    filters = shape("en").filters()
    assert set(filters) == {
        *(
            "money",
            "acus",
            "acus_short",
            "by_day",
            "price",
            "share",
            "day",
            "day_short",
            "period",
            "plain",
        ),
        *(
            "effective",
            "fixed",
            "month",
            "percent",
            "rate",
            "signed",
            "signed_format",
            "used",
            "number_format",
        ),
        *("left", "right", "wrapped", "short", "wide", "fitted", "row_height", "price_format"),
        "script_hash",
    }
    assert filters["plain"](Decimal("-0.00")) == "0"


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("en", "Dec 5: 1.5 · Jan 2: 0.0001 · Jan 3: -2"),
        ("ja", "12/5: 1.5 · 1/2: 0.0001 · 1/3: -2"),
        ("de", "5. Dez.: 1,5 · 2. Jan.: 0,0001 · 3. Jan.: -2"),
    ],
)
def test_days_stand_on_one_line_that_breaks_between_them_only(locale, written):
    days = [(date(2025, 12, 5), "1.5"), (date(2026, 1, 2), "0.0001"), (date(2026, 1, 3), "-2.0000")]
    found = shape(locale).by_day((day, Decimal(acus)) for day, acus in days)
    assert found.replace("\N{NO-BREAK SPACE}", " ") == written
    assert found.count(" ") == 2 * (len(days) - 1)
