"""What of a journal does not fit into its layout, and what its layout lacks.

A code that is cut would be somebody else's, and what a system asks for is refused when it is empty.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reportgen.core.booking.journal import JournalEntry, JournalLine, Posting
from reportgen.core.model import CostCenter
from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.core.written.tables import FORMULA_STARTS
from reportgen.documents.exports.layouts import Layout, layout_of

Unfit = tuple[str, str, str]
"""A code, what is wrong with it, and what to do."""
NEEDED = {
    "ledger": (
        "needs the ledger",
        'add `ledger: "300000046975971"` to `journal`: its id or its name',
    ),
    "entity": (
        "needs the legal entity of every cost center",
        'add `entity: "1000"` to `journal`, for all that name none',
    ),
    "credit_cost_center": (
        "needs a cost center in every line",
        'add `credit_cost_center: "0000"` to `journal`, for lines against the credit account',
    ),
}
"""What a key says that a system cannot do without, and what to write, by the key."""


def unfit(
    entries: Iterable[JournalEntry], centers: Mapping[str, CostCenter], name: str, separator: str
) -> list[Problem]:
    """Report each code once, where its cost center is declared."""
    layout, first = layout_of(name), dict[Unfit, str]()
    for entry in entries:
        for line in entry.lines:
            center = centers.get(line.cost_center)
            for one in _unfit(entry, line, layout, separator):
                first.setdefault(one, center.source if center else f"--layout {name}")
    return [
        Problem(source=source, message=f"{quoted(code)} {wrong} in the layout {name}", hint=hint)
        for (code, wrong, hint), source in first.items()
    ]


def lacking(
    entries: Sequence[JournalEntry], posting: Posting, ledger: str | None, name: str
) -> list[Problem]:
    """Report what the system asks for and nothing says, each at the key to write."""
    needed = layout_of(name).needed
    combined = posting.segments if "segments" in needed else ()
    lines = [line for entry in entries for line in entry.lines]
    lacks = {
        "ledger": "ledger" in needed and lines and not ledger,
        "entity": "entity" in {*needed, *combined} and not all(one.entity for one in entries),
        "credit_cost_center": "cost_center" in combined
        and not all(line.cost_center for line in lines),
    }
    return [
        Problem(source=posting.sources[key], message=f"the layout {name} {wrong}", hint=hint)
        for key, (wrong, hint) in NEEDED.items()
        if lacks[key]
    ]


def _unfit(
    entry: JournalEntry, line: JournalLine, layout: Layout, separator: str
) -> Iterator[Unfit]:
    for what, code in _codes(entry, line):
        if code.startswith(FORMULA_STARTS):
            yield code, "begins like a formula", "choose a code that begins with a letter or digit"
        room = layout.widths.get(what, len(code))
        if len(code) > room:
            wrong = f"has {len(code)} characters, and {what} at most {room}"
            yield code, wrong, "write it as the ledger has it, or choose another layout"
        if what == "a segment" and layout.joined and separator in code:
            wrong = f"holds {quoted(separator)}, which separates the segments"
            yield code, wrong, "choose another `segment_separator`, in the ledger as well"


def _codes(entry: JournalEntry, line: JournalLine) -> Iterator[tuple[str, str]]:
    yield "an entity", entry.entity
    yield "an account", line.account
    yield "a cost center", line.cost_center
    yield from (("a segment", segment) for segment in line.segments)
