"""The examples in docstrings hold."""

import doctest
from importlib import import_module

import pytest

from tests.test_house import modules

WITH_EXAMPLES = [
    name for name, path in modules().items() if "    >>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_of_a_module_hold(name):
    result = doctest.testmod(import_module(f"reportgen.{name}"))
    assert result.attempted > 0
    assert result.failed == 0
