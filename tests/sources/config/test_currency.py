"""Decimals of currencies are ISO 4217's minor units, not the digits that CLDR displays."""

import doctest

import pytest
from babel.numbers import get_currency_precision

from reportgen.sources.config import currency

ISO = {
    **dict.fromkeys(("AFN", "ALL", "IRR", "LAK", "LBP", "MMK", "RSD", "SOS", "SYP", "YER"), 2),
    **dict.fromkeys(("KPW", "MGA", "COP", "HUF", "IDR", "PKR", "TWD", "CRC", "UZS"), 2),
    **dict.fromkeys(("IQD", "KWD"), 3),
    **dict.fromkeys(("JPY", "KRW", "CLP", "ISK"), 0),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
"""Read off ISO 4217 list one by hand; CLDR displays the first row and IQD otherwise."""


def test_the_examples_hold():
    assert doctest.testmod(currency) == (0, 1)


@pytest.mark.parametrize("code", ISO)
def test_a_currency_has_its_minor_unit(code):
    assert currency.minor_unit(code) == ISO[code]


def test_what_is_displayed_is_something_else():
    displayed = {code for code in ISO if get_currency_precision(code) != ISO[code]}
    assert {"RSD", "IQD", "YER", "LBP"} <= displayed
