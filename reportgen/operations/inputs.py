"""What the archive holds of a collected cycle, put beside the configuration: all that its documents are made of."""

from collections.abc import Mapping

from reportgen.archive import directory, evidence, history
from reportgen.archive.fetch import interrupted
from reportgen.archive.folder import EVIDENCE, cycle_folder
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import Directory, RecordedResponse
from reportgen.core.problem import Problem
from reportgen.derive import Inputs
from reportgen.operations.context import Context
from reportgen.sources.config.configuration import Configuration


def stored_inputs(configuration: Configuration, cycle: BillingCycle, context: Context) -> Inputs:
    """Read the evidence of a cycle, who is remembered in it, and what the cycles before came to."""
    folder = cycle_folder(configuration.archive, cycle.start)
    path = folder / EVIDENCE
    if interrupted(folder):
        message = "a later fetch of this billing cycle was interrupted; what was collected before it is used"
        hint = "run `reportgen collect` to finish it"
        context.terminal.problems(
            [Problem(source=str(folder), message=message, hint=hint, warning=True)]
        )
    known = directory.known(configuration.archive, cycle.start)
    return inputs_of(configuration, cycle, evidence.stored(path), str(path), known, context)


def inputs_of(
    configuration: Configuration,
    cycle: BillingCycle,
    responses: Mapping[str, RecordedResponse],
    source: str,
    known: Directory,
    context: Context,
) -> Inputs:
    """Put responses, which lie in `source`, and who is remembered beside what the cycles before came to."""
    earlier, warnings = history.earlier(
        configuration.archive, cycle, configuration.rate_card.currency
    )
    context.terminal.problems(warnings)
    return Inputs(
        configuration=configuration,
        cycle=cycle,
        responses=responses,
        source=source,
        remembered=known,
        earlier=earlier,
    )
