"""What a single value looks like to an editor: it takes whatever our readers take."""

from typing import Annotated, get_args, get_origin

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from pydantic_core import PydanticCustomError

from reportgen.sources.config import fields
from reportgen.sources.config.fields import TextReader
from reportgen.sources.config.forms import FORMS
from reportgen.sources.config.json_schema import json_schema
from tests.yaml_core import core

READINGS = {
    name: mark
    for name, kind in sorted(vars(fields).items())
    if get_origin(kind) is Annotated
    for mark in get_args(kind)
    if isinstance(mark, TextReader)
}
WRITTEN = st.text(
    "0123456789.-+%eE_ /:#@aAdDmMyYnNTz[]ä", min_size=1, max_size=12
) | st.sampled_from(
    [
        *("0", "00", "0100", "2.10", "-0.5", "1e3", "0x1F", "60%", "60 %", "100%", "0.5%"),
        *("true", "no", "none", "null", "each", "even", "2025-12-05", "2025-02-30", "4100-10-01"),
        *("https://api.devin.ai", "http://[::1]:8080/v3", "https://host:65536", "ada@acme.example"),
        *("#1f4e79", "/v3beta1", "DD.MM.YYYY", "m/d/yyyy", "USD", "de_CH", "zh-Hant", "TOKEN"),
        *("999999999999.999999", "000000000000001", "smtp.acme.example", "::1", "65535", "31"),
    ]
)


def unquoted(text: str) -> object:
    """Read a text as an editor does where it stands without quotes; as it is where it cannot."""
    try:
        value = core(text)
    except yaml.YAMLError:
        return text
    return value if isinstance(value, str | int | float) else text


def takes(mark: TextReader, text: str) -> bool:
    try:
        mark.func(text)
    except PydanticCustomError:
        return False
    return True


def form_of(mark: TextReader) -> Draft7Validator:
    form = dict(mark.form or FORMS[mark.reader])
    Draft7Validator.check_schema(form)
    return Draft7Validator(form, format_checker=Draft7Validator.FORMAT_CHECKER)


def test_every_reader_has_a_form_and_every_form_a_reader() -> None:
    assert len(READINGS) > 40
    shown = {mark.reader for mark in READINGS.values() if mark.form is None}
    inside = {"each", "line_of_text"}  # of unions
    assert FORMS.keys() == shown | inside


@pytest.mark.parametrize("name", READINGS)
@given(text=WRITTEN)
def test_what_we_take_an_editor_takes(name: str, text: str) -> None:
    mark = READINGS[name]
    if takes(mark, text) and text not in {"null", "~"}:
        assert form_of(mark).is_valid(text), "in quotes"
        assert form_of(mark).is_valid(unquoted(text)), "without quotes"


@pytest.mark.parametrize("name", ["configuration", "mapping", "rates"])
def test_it_is_a_schema_and_names_its_file(name) -> None:
    schema = json_schema(name)
    Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert schema["title"] == {"configuration": "chargeback"}.get(name, name) + ".yaml"


TARGET = [
    ("CC-1", True),
    ("none", True),
    (1001, True),
    ({"CC-1": "60%", "CC-2": "40 %"}, True),
    ({"CC-1": 1, "CC-2": "2"}, True),
    ({"2025-07-01": "CC-1", "2025-12-15": {"CC-1": 1}, "2026-02-01": "none"}, True),
    (None, False),
    ({}, False),
    ([], False),
    ({"CC-1": "60%", "CC-2": 1}, False),
    ({"2025-07-01": "CC-1", "CC-2": "CC-1"}, False),
    ({"2025-07-01": {"2025-08-01": "CC-1"}}, False),
    ({"CC-1": 0}, False),
]


@pytest.mark.parametrize(("value", "right"), TARGET)
def test_who_pays_is_a_code_shares_or_dates(value, right) -> None:
    document = {"cost_centers": {"CC-1": {"name": "One"}}, "users": {"ada@acme.example": value}}
    assert Draft7Validator(json_schema("mapping")).is_valid(document) == right


RATES = [
    ({"prices": {"devin": 2.0, "*": {"2025-07-01": "1.75"}}}, True),
    ({"tiers": [{"up_to": 10000, "price": 2}, {"price": "2.25"}]}, True),
    ({"recover": None}, True),
    ({}, False),
    ({"prices": {"devin": 2}, "recover": {}}, False),
    ({"prices": {}}, False),
    ({"prices": {"devin": 2}, "fees": [{"name": "A", "amount": -5, "to": "each"}]}, True),
    ({"prices": {"devin": 2}, "fees": [{"name": "A", "percent": "2.5%", "to": ["C"]}]}, True),
    ({"prices": {"devin": 2}, "fees": [{"name": "A", "to": "each"}]}, False),
    ({"prices": {"devin": 2}, "fees": [{"name": "A", "amount": 5, "to": ["C", "C"]}]}, False),
    (
        {"prices": {"devin": 2}, "memo_currency": {"C": {"currency": "JPY", "2025-12-05": 155.2}}},
        True,
    ),
    ({"prices": {"devin": 2}, "memo_currency": {"C": {"currency": "JPY"}}}, False),
    ({"prices": {"devin": 2}, "memo_currency": {"C": {"currency": "JPY", "=dates": {}}}}, False),
]


@pytest.mark.parametrize(("values", "right"), RATES)
def test_rates_are_written_in_one_way(values, right) -> None:
    document = {"currency": "USD", **values}
    assert Draft7Validator(json_schema("rates")).is_valid(document) == right
