"""`check`: every problem of a configuration at once; with a cycle, also against real usage."""

from pathlib import Path

from reportgen.archive import evidence
from reportgen.archive.folder import EVIDENCE, cycle_folder
from reportgen.commands.calendar import archived_cycle
from reportgen.commands.edge import DONE, Edge
from reportgen.core.problem import Problem
from reportgen.derive import Inputs, derive
from reportgen.sources.config import load


def check(config: Path, selector: str | None, edge: Edge) -> int:
    """Report problems and warnings; raises Rejected where there is a problem."""
    configuration = load(config)
    warnings: list[Problem] = list(configuration.warnings)
    if selector is not None:
        cycle = archived_cycle(configuration, selector, edge)
        path = cycle_folder(configuration.archive, cycle.start) / EVIDENCE
        responses = evidence.read(path)
        inputs = Inputs(configuration=configuration, cycle=cycle, responses=responses, source=str(path))
        warnings += derive(inputs).warnings
    edge.terminal.problems(warnings)
    edge.terminal.result(f"No problems, {len(warnings)} warnings")
    edge.terminal.values({"warnings": [str(warning) for warning in warnings]})
    return DONE
