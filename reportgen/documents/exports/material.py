"""What an export is made of, and what it is: pieces of files.

Law: people stand in it as documents may show them; no format looks behind that.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from reportgen.core.charges import CycleCharges
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import Allocation, Directory, RateCard, Statement, UsersShown
from reportgen.core.model import Mapping as Rules
from reportgen.core.notes import Notes

FocusVersion = Literal["1.2", "1.4"]


class Piece(NamedTuple):
    """What comes next of a file; files may come side by side, each in its own order."""

    name: str
    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """What is known of a cycle, or of a correction, which has `notes`.

    `folder` names it in the archive (`2025-12-05`, `2025-12-05.c1`); `period` is the billing cycle
    in which it is charged: of a correction the one in which that was issued. `seal` is None for a
    draft, and at the close itself, as the seal depends on what is made there. `allocations` can be
    gone through again and again; `collected_at` is the moment of its last answer; `templates` are
    texts by name.
    """

    folder: str
    period: BillingCycle
    seal: str | None
    statement: Statement
    allocations: Iterable[Allocation]
    charges: CycleCharges
    directory: Directory
    rules: Rules
    card: RateCard
    users: UsersShown
    collected_at: str
    templates: Mapping[str, str]
    notes: Notes | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What may be chosen of all formats together; each takes those that it names."""

    focus_version: FocusVersion = "1.2"


Write = Callable[[Iterable[Material], Options], Iterator[Piece]]
"""Cycles and corrections in order, one after the other; pieces of files.

Each is let go before the next is derived, so that a year needs no more memory than a cycle. Raises
Rejected where something in them cannot be exported.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportFormat:
    """How a format is written, and the names of the options it takes.

    Where an export is put into a folder, it takes the place of the one before of its `family`.
    """

    write: Write
    family: Callable[[Options], str]
    options: frozenset[str] = frozenset()
