"""`run`: collect and build, the main job."""

from pathlib import Path

from reportgen.archive.folder import EVIDENCE, cycle_folder
from reportgen.commands.build import produce
from reportgen.commands.collect import gather
from reportgen.commands.edge import Edge
from reportgen.derive import Inputs
from reportgen.sources.config import load


def run(config: Path, selector: str, edge: Edge, *, concurrency: int, workers: int) -> int:
    """Collect a cycle, then build its documents."""
    configuration = load(config)
    edge.terminal.problems(configuration.warnings)
    cycle, responses = gather(configuration, selector, edge, concurrency)
    folder = cycle_folder(configuration.archive, cycle.start)
    source = str(configuration.replay or folder / EVIDENCE)
    return produce(
        Inputs(configuration=configuration, cycle=cycle, responses=responses, source=source), edge, workers
    )
