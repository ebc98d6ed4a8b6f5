"""`run`: collect and build, the main job."""

from dataclasses import replace
from pathlib import Path

from reportgen.archive import evidence
from reportgen.archive.folder import EVIDENCE, cycle_folder, locked, refuse_unwritable
from reportgen.operations.building.drafts import produce
from reportgen.operations.building.inputs import inputs_of
from reportgen.operations.building.readiness import ready_to_draw
from reportgen.operations.collecting.collection import Effort, choose, gather
from reportgen.operations.collecting.refusals import broken_off
from reportgen.operations.context import Context
from reportgen.operations.opening import opened, warnings_of
from reportgen.sources.config.configuration import Configuration


def run(config: Path, selector: str, context: Context, effort: Effort, workers: int) -> int:
    """Collect a cycle, then build its documents."""
    configuration = opened(config, context)
    refuse_unwritable(configuration.archive, configuration.archive_source)
    context.terminal.problems(warnings_of(configuration))
    with ready_to_draw(configuration):
        return _run(configuration, selector, context, effort, workers)


def _run(
    configuration: Configuration, selector: str, context: Context, effort: Effort, workers: int
) -> int:
    chosen = choose(configuration, selector, context, effort)
    folder = cycle_folder(configuration.archive, chosen.cycle.start)
    with locked(folder, group=configuration.group_reads):
        gathered = gather(configuration, chosen, context, effort)
        source = configuration.replay or folder / EVIDENCE
        responses = chosen.responses if configuration.replay else evidence.stored(source)
        inputs = inputs_of(
            configuration, chosen.cycle, responses, str(source), gathered.known, context
        )
        accepted = broken_off(gathered.missing)
        return produce(replace(inputs, accepted=accepted), context, workers)
