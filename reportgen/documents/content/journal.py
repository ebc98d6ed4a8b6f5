"""What a layout of a journal sees: entries, and what the ledger wants to be told of all of them."""

from dataclasses import dataclass

from reportgen.core.booking.journal import JournalEntry
from reportgen.core.model import Heading


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalDocument:
    """One file of a journal."""

    heading: Heading
    entries: tuple[JournalEntry, ...]
    part: int
    parts: int
    ledger: str | None = None
    source: str | None = None
    category: str | None = None
    segment_separator: str = "|"
    """`entries` balance one by one, and have at most as many lines as a file may have together.
    `part` of `parts` is which file this is. `ledger`, `source`, `category` and `segment_separator`
    are the keys of `journal` with these names."""
