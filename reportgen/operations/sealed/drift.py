"""Drift: whether the vendor says something else now than what was collected.

The control total is asked for again, and the days of the largest users. Asking for everybody again
would be collecting again; so what moved between smaller users is not seen, and this is said.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from heapq import nlargest

from reportgen.core.allocating.directory import principal_of
from reportgen.core.model import Cell, Directory, Principal, RecordedResponse, UsageRecord
from reportgen.core.money import ZERO, add, total
from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.derive import Derived, Inputs, question
from reportgen.operations.connect import connect, drive
from reportgen.operations.context import Context
from reportgen.sources.api import versions as api
from reportgen.sources.api.plan import Request
from reportgen.sources.api.restatement import by_cell, changed_answers, restated, signed

LARGEST = 20
"""So many users are looked at again."""
MOST_NAMED, MOST_CELLS = 5, 3
"""So many of them are named, each with so many days and products."""
UNCHANGED = (
    f"The vendor's total and the {LARGEST} largest users are as they were collected; "
    "smaller moves between users are not seen"
)


def drift(inputs: Inputs, derived: Derived, context: Context, concurrency: int) -> list[Problem]:
    """Ask again for what matters most, and give what is told otherwise now."""
    source = inputs.configuration.settings.source
    asked = question(inputs.configuration, inputs.cycle, inputs.remembered)
    control = api.control_totals(source, asked)
    largest = [
        (request, principal)
        for principal in _largest(derived.usage.records)
        for request in api.principal_totals(source, asked, [principal])
        if request.target in inputs.responses
    ]
    owners = {request.target: principal for request, principal in largest}
    requests = [*control, *(request for request, _ in largest)]
    pairs = _asked_again(requests, inputs, context, concurrency)
    told = restated(pairs, control, asked, inputs.source)
    if not told:
        context.terminal.say(UNCHANGED)
        return []
    of_users = [pair for pair in pairs if pair[0].request in owners]
    users = _by_user(changed_answers(of_users, control[0], asked), owners)
    named = _named(users, derived.directory)
    return [replace(one, message=f"{one.message}{named}") for one in told]


def _asked_again(
    requests: Sequence[Request], inputs: Inputs, context: Context, concurrency: int
) -> list[tuple[RecordedResponse, RecordedResponse]]:
    """Put what is answered now beside the answer that is kept."""
    connection, fresh = connect(inputs.configuration, context, concurrency)
    with context.terminal.progress("Asking for the vendor's figures again"):
        drive(api.answered(requests), connection, {})
    return [
        (inputs.responses[target], response)
        for target, response in fresh.items()
        if target in inputs.responses
    ]


def _by_user(
    changed: Iterable[tuple[RecordedResponse, Mapping[Cell, Decimal]]],
    owners: Mapping[str, Principal],
) -> dict[Principal, dict[Cell, Decimal]]:
    """Add up what changed for each of the largest users, over all answers about them."""
    users: dict[Principal, dict[Cell, Decimal]] = {}
    for before, change in changed:
        cells = users.setdefault(owners[before.request], {})
        for cell, acus in change.items():
            cells[cell] = add(cells.get(cell, ZERO), acus)
    return users


def _named(users: Mapping[Principal, Mapping[Cell, Decimal]], directory: Directory) -> str:
    """Say of whom of the largest users how much changed where, the largest change first."""
    if not users:
        return ""
    gross = {
        principal: total(acus.copy_abs() for acus in cells.values())
        for principal, cells in users.items()
    }
    order = nlargest(MOST_NAMED, sorted(users), key=gross.__getitem__)
    parts = [_of_user(principal, users[principal], directory) for principal in order]
    more = f", and {len(users) - MOST_NAMED} more of them" if len(users) > MOST_NAMED else ""
    return f"; of the {LARGEST} largest users {', '.join(parts)}{more}"


def _of_user(principal: Principal, cells: Mapping[Cell, Decimal], directory: Directory) -> str:
    entry = directory.entries.get(principal)
    who = quoted((entry and entry.email) or principal.id)
    if not cells:
        return f"{who} is answered otherwise"
    return f"{who} {signed(total(cells.values()))} ({by_cell(cells, MOST_CELLS)})"


def _largest(records: Iterable[UsageRecord]) -> list[Principal]:
    """Name who used most; gross, as a credit is no less worth a look."""
    acus: dict[Principal, Decimal] = {}
    for record in records:
        if record.principal_id:
            principal = principal_of(record.principal_kind, record.principal_id)
            acus[principal] = add(acus.get(principal, ZERO), record.quantity.copy_abs())
    return nlargest(LARGEST, sorted(acus), key=acus.__getitem__)
