"""Values that hold from a billing day on: each date once, the earliest first."""

from collections.abc import Sequence
from itertools import pairwise

from reportgen.core.model import DatedSplit, Price
from reportgen.core.problem import Problem, quoted


def out_of_order(values: Sequence[DatedSplit | Price], key: str) -> list[Problem]:
    """Report every value whose date does not come after the one before it."""
    return [
        Problem(
            source=later.source,
            message=f"the dates of {quoted(key)} are out of order: {later.start} comes after {earlier.start}",
            hint="put the earliest date first, each date once",
        )
        for earlier, later in pairwise(values)
        if later.start <= earlier.start
    ]
