"""A second fetch compared with the first: which days of the control total were restated since."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from reportgen.core.model import Cell, Quantities, RecordedResponse
from reportgen.core.money import ZERO, add, shown, subtract, total
from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.sources.api.bodies import DayTotals, UnreadableBody
from reportgen.sources.api.plan import Request, answer
from reportgen.sources.api.reading import Question, view_of
from reportgen.sources.api.views import ViewReader

MOST_CELLS_NAMED = 5
Superseded = tuple[RecordedResponse, RecordedResponse]
"""An answer, and the one to the same request that was fetched later and differs."""


def restated(
    superseded: Iterable[Superseded], control: Sequence[Request], question: Question, source: str
) -> list[Problem]:
    """Warn where later answers differ: by day and product of the control total, else by number.

    `control` are the requests of the control total, whose answers have the shape of all; quantities
    are ACUs. What is said in another order, or differs within the tolerance, is the same.
    """
    totals = {request.target for request in control}
    changes: dict[Cell, Decimal] = {}
    also, since = 0, ""
    for before, change in changed_answers(superseded, control[0], question):
        since = min(since, before.fetched_at) if since else before.fetched_at
        also += not (change and before.request in totals)
        for cell, acus in change.items() if before.request in totals else ():
            changes[cell] = add(changes.get(cell, ZERO), acus)
    if not since:
        return []
    message, hint = _message(changes, also, since), _hint(changes)
    return [Problem(source=source, message=message, hint=hint, warning=True, code="usage-restated")]


def changed_answers(
    superseded: Iterable[Superseded], shape: Request, question: Question
) -> Iterator[tuple[RecordedResponse, dict[Cell, Decimal]]]:
    """Give the answers that a later one differs from, and by what, nothing beside a refusal.

    All have the shape of the answer to `shape`; quantities are ACUs by day and product.
    """
    reader = ViewReader(question.cycle, question.tolerance)
    for before, after in superseded:
        old, new = (_quantities(shape, recorded, reader) for recorded in (before, after))
        change = _change(old or {}, new or {}, question.tolerance)
        if change or (old is None, before.status) != (new is None, after.status):
            yield before, {} if old is None else change


def _change(old: Quantities, new: Quantities, tolerance: Decimal) -> dict[Cell, Decimal]:
    """Give what the later answer has more of."""
    changes = {cell: subtract(new.get(cell, ZERO), old.get(cell, ZERO)) for cell in {*old, *new}}
    return {cell: acus for cell, acus in sorted(changes.items()) if acus.copy_abs() > tolerance}


def _quantities(
    request: Request, recorded: RecordedResponse, reader: ViewReader
) -> Quantities | None:
    """Read an answer, None where there is nothing to read; v2 tells days without a product."""
    try:
        reply = answer(request, recorded)
    except UnreadableBody:
        return None
    if isinstance(reply.body, DayTotals):
        return reader.read_totals(reply.recorded.request, reply.body, "").quantities
    return view_of(reply, reader).quantities


def _message(changes: dict[Cell, Decimal], also: int, since: str) -> str:
    answers, differ = ("answer", "differs") if also == 1 else ("answers", "differ")
    if not changes:
        fetched = f"from what was fetched since {since}"
        return f"{also} {answers} {differ} {fetched}; the control total does not"
    whole = f"{signed(total(changes.values()))} ACUs"
    restated = f"the vendor restated the control total since {since} by {whole}"
    return f"{restated}: {by_cell(changes)}" + (f"; {also} more {answers} {differ}" if also else "")


def by_cell(changes: Mapping[Cell, Decimal], most: int = MOST_CELLS_NAMED) -> str:
    """Name the days and products that changed most, in their order, and count the others."""
    largest = sorted(changes.items(), key=lambda change: (-change[1].copy_abs(), change[0]))
    named = ", ".join(
        f"{day} {quoted(product) + ' ' if product else ''}{signed(acus)}"
        for (day, product), acus in sorted(largest[:most])
    )
    return f"{named} and {len(largest) - most} more" if len(largest) > most else named


def signed(acus: Decimal) -> str:
    """Write a change of ACUs with its sign."""
    written = shown(acus.copy_abs())
    return f"{'-' if acus < 0 and written.strip('0.') else '+'}{written}"


def _hint(changes: dict[Cell, Decimal]) -> str:
    return "the later answers count; build the cycle again" + (
        ", and ask the vendor why" if changes else ""
    )
