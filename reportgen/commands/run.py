"""`run`: collect and build, the main job."""

from pathlib import Path

from reportgen.archive import evidence
from reportgen.archive.folder import EVIDENCE, cycle_folder, refuse_unwritable
from reportgen.commands.build import produce
from reportgen.commands.collect import Effort, choose, gather, held
from reportgen.commands.edge import Edge
from reportgen.commands.inputs import inputs_of
from reportgen.commands.locales import warnings_of
from reportgen.sources.config import load


def run(config: Path, selector: str, edge: Edge, effort: Effort, workers: int) -> int:
    """Collect a cycle, then build its documents."""
    configuration = load(config)
    refuse_unwritable(configuration.archive, configuration.archive_source)
    edge.terminal.problems(warnings_of(configuration))
    cycle, connection, responses = choose(configuration, selector, edge, effort)
    folder = cycle_folder(configuration.archive, cycle.start)
    with held(configuration, folder):
        _, known = gather(configuration, cycle, connection, responses, edge, effort)
        source = str(configuration.replay or folder / EVIDENCE)
        stored = responses if configuration.replay else evidence.stored(folder / EVIDENCE)
        inputs = inputs_of(configuration, cycle, stored, source, known, edge)
        return produce(inputs, edge, workers)
