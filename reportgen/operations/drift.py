"""Drift: whether the vendor says something else now than what was collected.

The control total is asked for again, and the days of the largest users. Asking for everybody again
would be collecting again; so what moved between smaller users is not seen, and this is said.
"""

from collections.abc import Iterable
from decimal import Decimal
from heapq import nlargest

from reportgen.core.directory import principal_of
from reportgen.core.model import Principal, UsageRecord
from reportgen.core.money import ZERO, add
from reportgen.core.problem import Problem
from reportgen.derive import Derived, Inputs, question
from reportgen.operations.connect import connect, drive
from reportgen.operations.context import Context
from reportgen.sources.api import versions as api
from reportgen.sources.api.restatement import restated

LARGEST = 20
"""So many users are looked at again."""
UNCHANGED = (
    f"The vendor's total and the {LARGEST} largest users are as they were collected; "
    "smaller moves between users are not seen"
)


def drift(inputs: Inputs, derived: Derived, context: Context, concurrency: int) -> list[Problem]:
    """Ask again for what matters most, and give what is told otherwise now."""
    configuration = inputs.configuration
    source = configuration.settings.source
    asked = question(configuration, inputs.cycle, inputs.remembered)
    control = api.control_totals(source, asked)
    largest = api.principal_totals(source, asked, _largest(derived.usage.records))
    requests = [*control, *(one for one in largest if one.target in inputs.responses)]
    connection, fresh = connect(configuration, context, concurrency)
    with context.terminal.progress("Asking for the vendor's figures again"):
        drive(api.answered(requests), connection, {})
    pairs = (
        (inputs.responses[target], response)
        for target, response in fresh.items()
        if target in inputs.responses
    )
    told = restated(pairs, control, asked, inputs.source)
    if not told:
        context.terminal.say(UNCHANGED)
    return told


def _largest(records: Iterable[UsageRecord]) -> list[Principal]:
    """Name who used most; gross, as a credit is no less worth a look."""
    acus: dict[Principal, Decimal] = {}
    for record in records:
        if record.principal_id:
            principal = principal_of(record.principal_kind, record.principal_id)
            acus[principal] = add(acus.get(principal, ZERO), record.quantity.copy_abs())
    return nlargest(LARGEST, sorted(acus), key=acus.__getitem__)
