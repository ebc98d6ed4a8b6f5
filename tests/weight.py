"""What a test costs: the quick run tries a kind once, the heavy run every one of the kind."""

from collections.abc import Iterable
from typing import Any

import pytest


def heavy_but(quick: int, values: Iterable[Any]) -> list[Any]:
    """Leave the first values to the quick run, and mark those after them as heavy."""
    listed = list(values)
    return listed[:quick] + [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.heavy)
        for value in listed[quick:]
    ]
