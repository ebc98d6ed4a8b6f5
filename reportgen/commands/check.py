"""`check`: every problem of a configuration at once; with a cycle, also against real usage."""

from pathlib import Path

from reportgen.archive import directory, evidence
from reportgen.archive.folder import EVIDENCE, cycle_folder
from reportgen.commands.calendar import archived_cycle
from reportgen.commands.connect import refuse_missing_recording
from reportgen.commands.edge import DONE, Edge
from reportgen.core.allocate import unmapped
from reportgen.core.problem import Problem
from reportgen.derive import Inputs, derive
from reportgen.sources.config import load


def check(config: Path, selector: str | None, edge: Edge) -> int:
    """Report problems and warnings; raises Rejected where there is a problem."""
    configuration = load(config)
    refuse_missing_recording(configuration)
    warnings: list[Problem] = list(configuration.warnings)
    if selector is not None:
        cycle = archived_cycle(configuration, selector, edge)
        path = cycle_folder(configuration.archive, cycle.start) / EVIDENCE
        responses = evidence.read(path)
        known = directory.known(configuration.archive, cycle.start)
        inputs = Inputs(
            configuration=configuration, cycle=cycle, responses=responses, source=str(path), remembered=known
        )
        derived = derive(inputs)
        orphans = unmapped(derived.allocations, derived.directory, configuration.mapping)
        warnings += [*derived.warnings, *configuration.located(orphans)]
    edge.terminal.problems(warnings)
    edge.terminal.result(f"No problems, {len(warnings)} {'warning' if len(warnings) == 1 else 'warnings'}")
    edge.terminal.values({"warnings": [str(warning) for warning in warnings]})
    return DONE
