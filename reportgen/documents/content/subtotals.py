"""Subtotals by department, entity and calendar month, where they tell more than the total."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from reportgen.core.model import Subtotal
from reportgen.documents.content.labels import NO_DAY, Word
from reportgen.documents.content.paper import Others, others_of, parted
from reportgen.documents.content.slots import CellValue, Slot

SUBTOTAL_FIELDS = ("name", "cost_centers", "acus", "amount")
MONTH_FIELDS = ("month", "acus", "amount")


@dataclass(frozen=True, kw_only=True, slots=True)
class SubtotalList:
    """The subtotals that a page lists, and what all `others` come to."""

    rows: tuple[Subtotal, ...]
    others: Others | None


def holdings(subtotals: tuple[Subtotal, ...]) -> tuple[Subtotal, ...]:
    """Give the subtotals where there is any department or entity."""
    return subtotals if any(subtotal.name for subtotal in subtotals) else ()


def calendar_months(subtotals: tuple[Subtotal, ...]) -> tuple[Subtotal, ...]:
    """Give the subtotals where they tell more than the total: by more than one month."""
    return subtotals if sum(1 for subtotal in subtotals if subtotal.name) > 1 else ()


def listed_subtotals(subtotals: Iterable[Subtotal], most: int) -> SubtotalList:
    """Give the largest subtotals in their order, and what all others come to."""
    rows, others = parted(subtotals, most, lambda one: (-abs(one.amount), -abs(one.acus)))
    sums = others_of([(one.acus, one.amount) for one in others])
    held = sum(len(one.cost_centers) for one in others)
    return SubtotalList(rows=rows, others=replace(sums, cost_centers=held) if sums else None)


def first_day(month: str) -> date:
    """Give the first day of a calendar month.

    >>> first_day("2025-12")
    datetime.date(2025, 12, 1)
    """
    return date.fromisoformat(f"{month}-01")


def subtotal_slot(subtotals: Iterable[Subtotal], unnamed: str) -> Slot:
    """Give the rows of subtotals by name; `unnamed` is what has none."""
    rows = (
        (subtotal.name or unnamed, len(subtotal.cost_centers), subtotal.acus, subtotal.amount)
        for subtotal in subtotals
    )
    return Slot(SUBTOTAL_FIELDS, rows)


def month_slot(months: Iterable[Subtotal], word: Word) -> Slot:
    """Give the rows of calendar months."""
    return Slot(MONTH_FIELDS, (_month_cells(month, word) for month in months))


def _month_cells(subtotal: Subtotal, word: Word) -> Sequence[CellValue]:
    """Write a calendar month by its first day, which a workbook shows as it likes."""
    return (
        first_day(subtotal.name) if subtotal.name else word(NO_DAY),
        subtotal.acus,
        subtotal.amount,
    )
