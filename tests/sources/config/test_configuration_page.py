"""docs/configuration.md has every key, and examples that are right."""

from difflib import unified_diff
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from reportgen.sources.config.json_schema import ROOTS, json_schema, keys
from reportgen.sources.config.meanings import MEANINGS
from tests.sources.config.configuration_page import page

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_the_page_is_what_the_schema_says(request):
    found = page()
    if request.config.getoption("--update-golden"):
        PAGE.write_text(found, encoding="utf-8")
    written = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    changed = "\n".join(
        unified_diff(written.splitlines(), found.splitlines(), "written", "found", lineterm="")
    )
    assert not changed, f"{changed}\n\npytest {Path(__file__).name} --update-golden writes it anew"


@pytest.mark.parametrize("name", ROOTS)
def test_every_key_has_a_meaning_and_an_example_that_is_right_and_no_other_has(name):
    schemas = {path: schema for path, schema, _ in keys(json_schema(name))}
    assert MEANINGS[name].keys() == schemas.keys()
    for path, schema in schemas.items():
        assert schema["description"], path
        (example,) = schema["examples"]
        wrong = [error.message for error in Draft7Validator(schema).iter_errors(example)]
        assert wrong == [], path
