"""What paper has room for: the rows of a long list that matter most, and one row for all others.

Law: nothing is lost. What is listed and the row of the others come to the whole in every column;
workbook, attachments and the page of the cycle have every row.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from reportgen.core.money import ZERO, total

MOST_ROWS = 300
"""So many rows a table has, unless the configuration says otherwise."""
OfAList = TypeVar("OfAList")


@dataclass(frozen=True, kw_only=True, slots=True)
class Others:
    """What the rows come to that a page has no room for; what none of them has is nothing."""

    count: int
    acus: Decimal = ZERO
    amount: Decimal = ZERO
    change: Decimal | None = None
    budget: Decimal | None = None
    cost_centers: int = 0


def parted(
    rows: Iterable[OfAList], most: int, rank: Callable[[OfAList], Any]
) -> tuple[tuple[OfAList, ...], tuple[OfAList, ...]]:
    """Give the rows that rank first, as many as have room, and all others, both in their order.

    >>> parted("abcd", 2, lambda letter: letter not in "bd")
    (('b', 'd'), ('a', 'c'))
    """
    listed = tuple(rows)
    if len(listed) <= most:
        return listed, ()
    by_rank = sorted(range(len(listed)), key=lambda place: rank(listed[place]))
    shown = set(by_rank[:most])
    return (
        tuple(row for place, row in enumerate(listed) if place in shown),
        tuple(row for place, row in enumerate(listed) if place not in shown),
    )


def others_of(sums: Sequence[tuple[Decimal, Decimal]]) -> Others | None:
    """Add up ACUs and amounts of rows without room, if there are any."""
    if not sums:
        return None
    return Others(
        count=len(sums),
        acus=total(acus for acus, _ in sums),
        amount=total(amount for _, amount in sums),
    )
