"""The drafts of a cycle: all is derived, drawn and checked before the first file is replaced.

Law: what is kept of the draft before is, to the last bit, what would be drawn.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path

from reportgen.archive import evidence
from reportgen.archive.draft import Stage, foreign, redrafted
from reportgen.archive.folder import EVIDENCE, VERSIONS, cycle_folder, refuse_sealed
from reportgen.core.model import RecordedResponse, Statement
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import quoted
from reportgen.derive import Inputs, derive
from reportgen.documents.keys import Keys
from reportgen.documents.tasks import Design, Listing, Task
from reportgen.documents.templating.templates import opened, read_templates
from reportgen.operations.building.artifacts import design_of, draft_files, everybody, tasks
from reportgen.operations.building.drawing import Studio, draw
from reportgen.operations.building.outcome import tell_outcome
from reportgen.operations.collecting.refusals import refuse_half_way, unexplained_in
from reportgen.operations.context import Context
from reportgen.sources.config.configuration import Configuration

MOST_NAMED = 5


def produce(inputs: Inputs, context: Context, workers: int, *, fresh: bool = False) -> int:
    """Derive everything, then write it: nothing appears before all of it is known to be right.

    Documents that would be drawn of the same as in the draft before are kept, unless it is to be
    `fresh`.
    """
    configuration = inputs.configuration
    folder = cycle_folder(configuration.archive, inputs.cycle.start)
    refuse_sealed(folder)
    prepared = _prepared(inputs, context)
    with redrafted(folder, group=configuration.group_reads) as stage:
        versions = _staged(prepared.files, stage)
        if configuration.replay:
            _stage_evidence(inputs.responses, stage, folder)
        del inputs  # of which nothing is needed any more, and there is much of it
        wanted = _Wanted(prepared, versions, stage, fresh=fresh)
        studio = Studio(workers=workers)
        with _templates_named(configuration):
            warnings = draw(wanted, prepared.design, studio, context, wanted.write)
        for warning in warnings:  # which is told again the next time
            stage.forget(warning.source)
    context.terminal.problems(warnings)
    _tell_foreign(folder, context)
    if wanted.kept:
        context.terminal.result(f"Kept {_files(wanted.kept)}, drew {wanted.drawn:,}")
    made = {"kept": wanted.kept, "drawn": wanted.drawn}
    return tell_outcome(prepared.statement, made, folder, context)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Prepared:
    """What there is to be written of a cycle: `files` first, which then let go what they are of."""

    statement: Statement
    files: Iterator[tuple[str, bytes]]
    listed: Listing
    design: Design


def _prepared(inputs: Inputs, context: Context) -> _Prepared:
    """Derive a cycle, and say what there is to be written of it."""
    templates = read_templates(inputs.configuration.templates)
    design = design_of(inputs.configuration, templates)
    derived = derive(inputs)
    context.terminal.problems(derived.warnings)
    missing = derived.statement.heading.missing_views
    refuse_half_way(missing, inputs.accepted, unexplained_in(derived.usage))
    known = everybody(inputs, derived)
    return _Prepared(
        statement=derived.statement,
        files=draft_files(inputs, derived, known, templates),
        listed=tasks(derived, known, design),
        design=design,
    )


def _staged(files: Iterator[tuple[str, bytes]], stage: Stage) -> bytes:
    """Stage inputs and tables, and give what names the versions that documents are drawn with."""
    versions = b""
    for name, pieces in groupby(files, key=itemgetter(0)):
        contents = map(itemgetter(1), pieces)
        first = next(contents)
        versions = first if name == VERSIONS else versions
        stage.write_pieces(name, chain([first], contents))
    return versions


def _stage_evidence(told: Mapping[str, RecordedResponse], stage: Stage, folder: Path) -> None:
    """Stage what a recording told, unless it is there already."""
    if evidence.holds(folder / EVIDENCE, told.values()):
        stage.leave(EVIDENCE)
    else:
        stage.write_pieces(EVIDENCE, map(evidence.line_of, told.values()))


class _Wanted(Collection[Task]):
    """The documents that have to be drawn: whether one is kept is asked when its turn comes."""

    def __init__(self, prepared: _Prepared, versions: bytes, stage: Stage, *, fresh: bool) -> None:
        self._listed, self._stage, self._fresh = prepared.listed, stage, fresh
        self._keys = Keys(prepared.design, versions)
        self._key_of: dict[str, str] = {}
        self.kept = self.drawn = 0

    def __iter__(self) -> Iterator[Task]:
        """Keep what can be kept, and give the tasks of all else."""
        for planned in self._listed.planned:
            key = self._keys.of(planned)
            if not self._fresh and self._stage.keep(planned.path, key):
                self.kept += 1
            else:
                self._key_of[planned.path] = key
                yield planned.make()

    def __len__(self) -> int:
        """Count what has not been found to be kept."""
        return len(self._listed) - self.kept

    def __contains__(self, one: object) -> bool:
        """Tell whether a task is listed."""
        return one in self._listed

    def write(self, name: str, content: bytes) -> None:
        """Stage a document, and note what it was drawn of."""
        self._stage.write(name, content)
        self._stage.note(name, self._key_of.pop(name), content)
        self.drawn += 1


def _files(count: int) -> str:
    return f"{count:,} {'file' if count == 1 else 'files'}"


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
