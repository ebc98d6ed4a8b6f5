"""What a test costs: the quick run tries a kind once, the heavy run every one of the kind."""

from collections.abc import Iterable
from typing import Any

import pytest


def heavy_but(quick: int, values: Iterable[Any]) -> list[Any]:
    """Leave the first values to the quick run, and mark those after them as heavy."""
    return _marked_but(quick, values, pytest.mark.heavy)


def long_but(heavy: int, values: Iterable[Any]) -> list[Any]:
    """Leave the first values to the heavy run, and mark those after them as long."""
    return _marked_but(heavy, values, pytest.mark.long)


def _marked_but(count: int, values: Iterable[Any], mark: pytest.MarkDecorator) -> list[Any]:
    listed = list(values)
    return listed[:count] + [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=mark)
        for value in listed[count:]
    ]
