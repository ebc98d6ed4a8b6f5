"""Every condition of a close, judged together, so that all that is missing is told at once."""

from collections.abc import Sequence
from datetime import date

from reportgen.archive.draft import foreign
from reportgen.archive.folder import collected, cycle_folder
from reportgen.archive.manifest import Sealed
from reportgen.core.proving import close
from reportgen.core.proving.close import People, Refusal
from reportgen.derive import Derived, Inputs
from reportgen.operations.context import Context
from reportgen.operations.sealed.drift import drift


def refusals(
    inputs: Inputs,
    derived: Derived,
    chain: Sequence[Sealed],
    people: People,
    context: Context,
    concurrency: int,
) -> list[Refusal]:
    """Give what speaks against a close; asks the vendor's figures again."""
    configuration, statement = inputs.configuration, derived.statement
    terms, folder = configuration.terms, cycle_folder(configuration.archive, inputs.cycle.start)
    return [
        *close.of_figures(statement, derived.allocations, configuration.rate_card, terms),
        *close.of_time(statement, terms, context.today()),
        *close.of_people(people, terms),
        *close.of_order(inputs.cycle, *_open_and_closed(inputs, chain)),
        *close.of_folder(foreign(folder)),
        *close.of_drift(drift(inputs, derived, context, concurrency)),
    ]


def _open_and_closed(inputs: Inputs, chain: Sequence[Sealed]) -> tuple[list[date], list[date]]:
    """Give the first days of the cycles that were collected and are open, and of the closed."""
    closed = {link.manifest.cycle.start for link in chain}
    paths = collected(inputs.configuration.archive)
    starts = {path.parent.parent.name for path in paths}
    return [date.fromisoformat(start) for start in starts - closed], [
        date.fromisoformat(start) for start in closed
    ]
