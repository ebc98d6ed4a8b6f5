"""What an export is made of, and what it is: pieces of files.

Law: people stand in it as documents may show them; no format looks behind that.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from reportgen.core.booking.journal import Posting
from reportgen.core.booking.vouchers import UNSEALED
from reportgen.core.charging.charges import CycleCharges
from reportgen.core.charging.credit_notes import Notes
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import (
    Allocation,
    CostCenter,
    Directory,
    FocusVersion,
    RateCard,
    Statement,
    UsersShown,
)
from reportgen.core.model import Mapping as Rules
from reportgen.core.problem import Problem


class Piece(NamedTuple):
    """What comes next of a file; files may come side by side, each in its own order."""

    name: str
    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """What is known of a cycle, or of a correction, which has `notes`.

    `folder` names it in the archive (`2025-12-05`, `2025-12-05.c1`); `period` is the billing cycle
    in which it is charged: of a correction the one in which that was issued. `seal` is None for a
    draft, and at the close itself, as the seal depends on what is made there; `stamp` is what keys
    of journals end with, the same at the close and ever after. `allocations` can be gone through
    again and again; `collected_at` is the moment of its last answer; `templates` are texts by name.
    `marks` are requests that were answered more than once, each as it names the answer that counts.
    """

    folder: str
    period: BillingCycle
    seal: str | None
    stamp: str = UNSEALED
    statement: Statement
    allocations: Iterable[Allocation]
    charges: CycleCharges
    directory: Directory
    rules: Rules
    card: RateCard
    users: UsersShown
    collected_at: str
    templates: Mapping[str, str]
    marks: Mapping[str, str] = field(default_factory=dict)
    notes: Notes | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Booking:
    """How cycles are booked, and what ledgers want to be told besides: the keys of `journal`.

    `posting` is None where the configuration, which is in the file `configured`, says nothing of
    that. `centers` are the cost centers as they are declared by now: which account a charge is
    booked on is no figure of its cycle.
    """

    configured: str = ""
    posting: Posting | None = None
    centers: Mapping[str, CostCenter] = field(default_factory=dict)
    ledger: str | None = None
    source: str | None = None
    category: str | None = None
    segment_separator: str = "|"


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What may be chosen of all formats together; each takes those that it names.

    Of journals: `booking` is for the configuration alone to say; `max_lines` is that of the layout
    where it is None; `until` asks for an accrual. Tables are for `excel` in the separators of a
    `locale`.
    """

    booking: Booking = field(default_factory=Booking)
    layout: str = "generic"
    max_lines: int | None = None
    posting_date: date | None = None
    split_periods: bool = False
    until: date | None = None
    focus_version: FocusVersion = "1.2"
    excel: bool = False
    locale: str = "en"


Write = Callable[[Iterable[Material], Options], Iterator[Piece]]
"""Cycles and corrections in order, one after the other; pieces of files.

Each is let go before the next is derived, so that a year needs no more memory than a cycle. Raises
Rejected where something in them cannot be exported.
"""


Warn = Callable[[Material, Options], Iterable[Problem]]
"""What should be known of a cycle that is exported."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportFormat:
    """How a format is written, and the names of the options it takes.

    Where an export is put into a folder, it takes the place of the one before of its `family`. One
    that `may_refuse` a cycle is tried before anything is made of it.
    """

    write: Write
    family: Callable[[Options], str]
    options: frozenset[str] = frozenset()
    warnings: Warn = lambda _material, _options: ()
    may_refuse: bool = False
