"""`build`: the evidence of a cycle becomes ledger, invoices and statement, as drafts, offline."""

from pathlib import Path

from reportgen.archive.folder import cycle_folder, locked, refuse_unwritable
from reportgen.operations.building.drafts import produce
from reportgen.operations.building.inputs import stored_inputs
from reportgen.operations.building.readiness import ready_to_draw
from reportgen.operations.context import Context
from reportgen.operations.cycles import archived_cycle
from reportgen.operations.opening import opened, warnings_of


def build(
    config: Path, selector: str, context: Context, workers: int, *, fresh: bool = False
) -> int:
    """Build the documents of a collected cycle; `fresh` draws those that could be kept as well."""
    configuration = opened(config, context)
    refuse_unwritable(configuration.archive, configuration.archive_source)
    context.terminal.problems(warnings_of(configuration))
    cycle = archived_cycle(configuration, selector, context)
    folder = cycle_folder(configuration.archive, cycle.start)
    with ready_to_draw(configuration), locked(folder, group=configuration.group_reads):
        return produce(stored_inputs(configuration, cycle, context), context, workers, fresh=fresh)
