"""Bulk rows of a workbook: which fields they have, and the rows themselves, made as they are read.

A template chooses columns, order and headers; a slot only names what there is.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple


class Link(NamedTuple):
    """A text that opens an address."""

    text: str
    href: str


CellValue = str | Decimal | int | date | Link | None
"""What a cell can hold; text stays text whatever it begins with."""


class Slot(NamedTuple):
    """Bulk rows: the names of their columns, and the rows, which are read once."""

    fields: tuple[str, ...]
    rows: Iterable[Sequence[CellValue]]
