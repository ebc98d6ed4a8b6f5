"""docs/configuration.md has every key, and examples that are right."""

import pytest
from jsonschema import Draft7Validator

from reportgen.sources.config.json_schema import ROOTS, json_schema, keys
from reportgen.sources.config.meanings import MEANINGS
from tests.pages import compare
from tests.sources.config.configuration_page import page


def test_the_page_is_what_the_schema_says(request):
    compare("configuration.md", page(), request)


@pytest.mark.parametrize("name", ROOTS)
def test_every_key_has_a_meaning_and_an_example_that_is_right_and_no_other_has(name):
    schemas = {path: schema for path, schema, _ in keys(json_schema(name))}
    assert MEANINGS[name].keys() == schemas.keys()
    for path, schema in schemas.items():
        assert schema["description"], path
        (example,) = schema["examples"]
        wrong = [error.message for error in Draft7Validator(schema).iter_errors(example)]
        assert wrong == [], path
