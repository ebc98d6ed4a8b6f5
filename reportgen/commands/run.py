"""`run`: collect and build, the main job."""

from dataclasses import replace
from pathlib import Path

from reportgen.archive import evidence
from reportgen.archive.folder import (
    EVIDENCE,
    AlreadyClosed,
    cycle_folder,
    locked,
    refuse_unwritable,
)
from reportgen.derive import Inputs
from reportgen.operations.building.drafts import produce
from reportgen.operations.building.inputs import inputs_of
from reportgen.operations.building.readiness import ready_to_draw
from reportgen.operations.collecting.collection import Chosen, Effort, choose, gather, tell_shown
from reportgen.operations.collecting.refusals import broken_off
from reportgen.operations.context import DONE, Context
from reportgen.operations.opening import opened, warnings_of
from reportgen.sources.config.configuration import Configuration


def run(
    config: Path,
    selector: str,
    context: Context,
    effort: Effort,
    workers: int,
    *,
    fresh: bool = False,
    unless_closed: bool = False,
) -> int:
    """Collect a cycle, then build its documents; `fresh` draws those that could be kept as well.

    A closed cycle is refused, or with `unless_closed` left: who runs it daily did no wrong. What
    the configuration is warned of says nothing of it then.
    """
    configuration = opened(config, context)
    refuse_unwritable(configuration.archive, configuration.archive_source)
    with ready_to_draw(configuration):
        try:
            chosen = choose(configuration, selector, context, effort)
        except AlreadyClosed as closed:
            if unless_closed:
                return _left(closed, context)
            raise
        context.terminal.problems(warnings_of(configuration))
        folder = cycle_folder(configuration.archive, chosen.cycle.start)
        with locked(folder, group=configuration.group_reads):
            return produce(
                _collected(configuration, chosen, context, effort), context, workers, fresh=fresh
            )


def _left(closed: AlreadyClosed, context: Context) -> int:
    """Say that there is nothing to do."""
    (problem,) = closed.problems
    context.terminal.result(f"{problem.source}: {problem.message}, so nothing was done")
    context.terminal.values({"folder": problem.source, "status": "closed"})
    return DONE


def _collected(
    configuration: Configuration, chosen: Chosen, context: Context, effort: Effort
) -> Inputs:
    """Collect a cycle, and put beside its answers what its documents are made of."""
    gathered = gather(configuration, chosen, context, effort)
    tell_shown(gathered, context)
    folder = cycle_folder(configuration.archive, chosen.cycle.start)
    source = configuration.replay or folder / EVIDENCE
    responses = chosen.responses if configuration.replay else evidence.stored(source)
    known = gathered.known
    inputs = inputs_of(configuration, chosen.cycle, responses, str(source), known, context)
    return replace(inputs, accepted=broken_off(gathered.missing))
