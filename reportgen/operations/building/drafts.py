"""The drafts of a cycle: all is derived, drawn and checked before the first file is replaced."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reportgen.archive import evidence
from reportgen.archive.draft import foreign, redrafted
from reportgen.archive.folder import EVIDENCE, cycle_folder, refuse_sealed
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import quoted
from reportgen.derive import Inputs, derive
from reportgen.documents.templating.templates import opened, read_templates
from reportgen.operations.building.artifacts import design_of, draft_files, everybody, tasks
from reportgen.operations.building.drawing import Studio, draw
from reportgen.operations.building.outcome import tell_outcome
from reportgen.operations.collecting.refusals import refuse_half_way, unexplained_in
from reportgen.operations.context import Context
from reportgen.sources.config.configuration import Configuration

MOST_NAMED = 5


def produce(inputs: Inputs, context: Context, workers: int) -> int:
    """Derive everything, then write it: nothing appears before all of it is known to be right."""
    folder = cycle_folder(inputs.configuration.archive, inputs.cycle.start)
    refuse_sealed(folder)
    templates = read_templates(inputs.configuration.templates)
    design = design_of(inputs.configuration, templates)
    derived = derive(inputs)
    context.terminal.problems(derived.warnings)
    missing = derived.statement.heading.missing_views
    refuse_half_way(missing, inputs.accepted, unexplained_in(derived.usage))
    known = everybody(inputs, derived)
    listed = tasks(derived, known, design)
    with redrafted(folder, group=inputs.configuration.group_reads) as stage:
        for name, content in draft_files(inputs, derived, known, templates):
            if name == EVIDENCE and evidence.holds(folder / name, content):
                stage.leave(name)
            else:
                stage.write(name, content)
        with _templates_named(inputs.configuration):
            warnings = draw(listed, design, Studio(workers=workers), context, stage.write)
    context.terminal.problems(warnings)
    _tell_foreign(folder, context)
    return tell_outcome(derived.statement, folder, context)


def _tell_foreign(folder: Path, context: Context) -> None:
    """Name what lies in the folder and no draft has written: it is left alone."""
    strangers = foreign(folder)
    if not strangers:
        return
    named = ", ".join(map(quoted, strangers[:MOST_NAMED]))
    more = f" and {len(strangers) - MOST_NAMED} more" if len(strangers) > MOST_NAMED else ""
    problem = Problem(
        source=str(folder),
        message=f"holds what no draft has written, and leaves it alone: {named}{more}",
        hint="move it elsewhere: a closed folder holds nothing but what it was closed with",
        warning=True,
        code="foreign-file",
    )
    context.terminal.problems([problem])


@contextmanager
def _templates_named(configuration: Configuration) -> Iterator[None]:
    """Name templates that are refused as the user would open them."""
    try:
        yield
    except Rejected as rejected:
        raise Rejected(opened(rejected.problems, configuration.templates)) from None
