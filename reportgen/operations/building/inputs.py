"""What the documents of a cycle are made of: the configuration, and what the archive holds."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from reportgen.archive import corrections, evidence, history, people
from reportgen.archive.fetch import interrupted
from reportgen.archive.folder import MANIFEST, cycle_folder, evidence_of, first_days
from reportgen.core.cycle import BillingCycle, fiscal_year
from reportgen.core.model import Directory, RecordedResponse
from reportgen.core.problem import Problem
from reportgen.derive import Inputs
from reportgen.operations.building.archived import archived_inputs
from reportgen.operations.collecting.refusals import read_accepted
from reportgen.operations.context import Context
from reportgen.sources.config.configuration import Configuration


def stored_inputs(configuration: Configuration, cycle: BillingCycle, context: Context) -> Inputs:
    """Read the evidence of a cycle, who is remembered in it, and what the cycles before came to."""
    folder = cycle_folder(configuration.archive, cycle.start)
    path = evidence_of(folder)
    if interrupted(folder):
        context.terminal.problems([_interrupted(folder)])
    known = people.known(configuration.archive, cycle.start)
    inputs = inputs_of(configuration, cycle, evidence.stored(path), str(path), known, context)
    return replace(inputs, accepted=read_accepted(folder))


def built_inputs(
    configuration: Configuration, cycle: BillingCycle, folder: Path, context: Context
) -> Inputs:
    """Read what the documents in a folder were made of: of a sealed one, its own inputs."""
    if (folder / MANIFEST).exists():
        return archived_inputs(folder)
    return stored_inputs(configuration, cycle, context)


def inputs_of(
    configuration: Configuration,
    cycle: BillingCycle,
    responses: Mapping[str, RecordedResponse],
    source: str,
    known: Directory,
    context: Context,
) -> Inputs:
    """Put responses, which lie in `source`, and who is known beside what earlier cycles came to."""
    currency = configuration.rate_card.currency
    earlier, warnings = history.earlier(configuration.archive, cycle, currency)
    begins = fiscal_year(cycle.start, configuration.settings.fiscal_year)
    year, untold = history.earlier_in_year(configuration.archive, cycle, begins)
    told = {warning.source for warning in warnings}
    warnings += [warning for warning in untold if warning.source not in told]
    issued, unread = corrections.issued_since_last_close(configuration.archive)
    context.terminal.problems([*warnings, *unread])
    return Inputs(
        configuration=configuration,
        cycle=cycle,
        responses=responses,
        source=source,
        remembered=known,
        earlier=earlier,
        year=year,
        collected=first_days(configuration.archive),
        corrections=issued,
    )


def _interrupted(folder: Path) -> Problem:
    return Problem(
        source=str(folder),
        message="a later fetch of this billing cycle was interrupted; "
        "what was collected before it is used",
        hint="run `reportgen collect` to finish it",
        warning=True,
        code="fetch-interrupted",
    )
