"""A second fetch compared with the first: which days of the control total the vendor has restated since."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from reportgen.core.model import Cell, RecordedResponse
from reportgen.core.money import ZERO, add, shown, subtract, total
from reportgen.core.problem import Problem, quoted
from reportgen.sources.ask import Request, answer
from reportgen.sources.bodies import UnreadableBody
from reportgen.sources.reading import view_of
from reportgen.sources.view import ViewReader

MOST_CELLS_NAMED = 5
Superseded = tuple[RecordedResponse, RecordedResponse]
"""An answer, and the one to the same request that was fetched later and differs."""


def restated(
    superseded: Iterable[Superseded], control: Sequence[Request], reader: ViewReader, source: str
) -> list[Problem]:
    """Warn where later answers differ: by day and product for the control total, by their number elsewhere.

    `control` are the requests of the control total; quantities are ACUs.
    """
    totals = {request.line: request for request in control}
    changes: dict[Cell, Decimal] = {}
    also, since = 0, ""
    for before, after in superseded:
        since = min(since, before.fetched_at) if since else before.fetched_at
        change = _change(totals[before.request], before, after, reader) if before.request in totals else {}
        also += not change
        for cell, acus in change.items():
            changes[cell] = add(changes.get(cell, ZERO), acus)
    if not since:
        return []
    return [Problem(source=source, message=_message(changes, also, since), hint=_hint(changes), warning=True)]


def _change(
    request: Request, before: RecordedResponse, after: RecordedResponse, reader: ViewReader
) -> dict[Cell, Decimal]:
    """Give what the later answer has more of; an answer that was a refusal had nothing."""
    old, new = (_quantities(request, recorded, reader) for recorded in (before, after))
    changes = {cell: subtract(new.get(cell, ZERO), old.get(cell, ZERO)) for cell in {*old, *new}}
    return {cell: acus for cell, acus in sorted(changes.items()) if acus}


def _quantities(request: Request, recorded: RecordedResponse, reader: ViewReader) -> dict[Cell, Decimal]:
    try:
        found = answer(request, recorded)
    except UnreadableBody:
        return {}
    return dict(view_of(found, reader).quantities)


def _message(changes: dict[Cell, Decimal], also: int, since: str) -> str:
    others = f"{also} {'answer differs' if also == 1 else 'answers differ'} from what was fetched since {since}"
    if not changes:
        return f"{others}; the control total does not"
    largest = sorted(changes.items(), key=lambda change: (-change[1].copy_abs(), change[0]))
    named = ", ".join(
        f"{day} {quoted(product)} {_signed(acus)}" for (day, product), acus in sorted(largest[:MOST_CELLS_NAMED])
    )
    more = f" and {len(largest) - MOST_CELLS_NAMED} more" if len(largest) > MOST_CELLS_NAMED else ""
    whole = f"the vendor restated the control total since {since} by {_signed(total(changes.values()))} ACUs"
    return f"{whole}: {named}{more}" + (f"; {also} more answers differ" if also else "")


def _signed(acus: Decimal) -> str:
    return shown(acus) if acus < 0 else f"+{shown(acus)}"


def _hint(changes: dict[Cell, Decimal]) -> str:
    return "the later answers count; build the cycle again" + (", and ask the vendor why" if changes else "")
