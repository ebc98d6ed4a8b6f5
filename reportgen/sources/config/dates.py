"""Values that hold from a billing day on: each date once, the earliest first."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Protocol

from reportgen.core.problem import Problem
from reportgen.core.text import quoted

HINT = "put the earliest date first, each date once"


class Dated(Protocol):
    """What holds from a billing day on, and where that is written."""

    @property
    def start(self) -> date:
        """Give the billing day."""

    @property
    def source(self) -> str:
        """Give file:line."""


def out_of_order(values: Sequence[Dated], key: str) -> list[Problem]:
    """Report every value whose date does not come after the one before it."""
    return [
        Problem(
            source=later.source,
            message=_contradiction(earlier.start, later.start, quoted(key)),
            hint=HINT,
        )
        for earlier, later in pairwise(values)
        if later.start <= earlier.start
    ]


def _contradiction(earlier: date, later: date, key: str) -> str:
    if earlier == later:
        return (
            f"{key} has two values {f'from {later} on' if later != date.min else 'without a date'}"
        )
    comes = "a value without a date" if later == date.min else str(later)
    return f"the dates of {key} are out of order: {comes} comes after {earlier}"
