"""`collect`: the API's answers become the evidence of a cycle."""

from pathlib import Path

from reportgen.archive.folder import EVIDENCE, cycle_folder, refuse_unwritable
from reportgen.operations.collecting.collection import Effort, choose, collected_anew, tell_shown
from reportgen.operations.collecting.refusals import tell_missing
from reportgen.operations.context import DONE, Context
from reportgen.operations.opening import opened


def collect(config: Path, selector: str, context: Context, effort: Effort) -> int:
    """Collect a cycle into the archive."""
    configuration = opened(config, context)
    context.terminal.problems(configuration.warnings)
    refuse_unwritable(configuration.archive, configuration.archive_source)
    chosen = choose(configuration, selector, context, effort)
    gathered = collected_anew(configuration, chosen, context, effort)
    path = cycle_folder(configuration.archive, chosen.cycle.start) / EVIDENCE
    tell_missing(gathered.missing, gathered.unexplained, str(path), context)
    tell_shown(gathered, context)
    context.terminal.result(f"{gathered.answered} responses in {path}")
    context.terminal.values(
        {
            "cycle": str(chosen.cycle.start),
            "responses": gathered.answered,
            "sessions_asked": gathered.asked_to_show,
            "file": str(path),
            "missing_views": [view.text for view in gathered.missing],
        }
    )
    return DONE
