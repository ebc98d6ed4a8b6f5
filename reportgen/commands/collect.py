"""`collect`: the API's answers become the evidence of a cycle."""

from pathlib import Path

from reportgen.archive import evidence, people
from reportgen.archive.draft import staged
from reportgen.archive.folder import DIRECTORY, EVIDENCE, cycle_folder, refuse_unwritable
from reportgen.operations.collection import Effort, choose, gather, held
from reportgen.operations.context import DONE, Context
from reportgen.operations.opening import opened


def collect(config: Path, selector: str, context: Context, effort: Effort) -> int:
    """Collect a cycle into the archive."""
    configuration = opened(config, context)
    context.terminal.problems(configuration.warnings)
    refuse_unwritable(configuration.archive, configuration.archive_source)
    chosen = choose(configuration, selector, context, effort)
    folder = cycle_folder(configuration.archive, chosen.cycle.start)
    path = folder / EVIDENCE
    with held(configuration, folder):
        answered, known = gather(configuration, chosen, context, effort)
        with staged(folder, group=configuration.group_reads) as stage:
            stage.write(DIRECTORY, people.encode(known))
            if configuration.replay:
                stage.write(EVIDENCE, evidence.encode(chosen.responses.values()))
    context.terminal.result(f"{answered} responses in {path}")
    context.terminal.values(
        {"cycle": str(chosen.cycle.start), "responses": answered, "file": str(path)}
    )
    return DONE
