"""What `export` makes of figures: cycles and corrections of an archive, as they were charged.

A closed cycle is derived of its own inputs, and refused where it was changed since. A draft is
derived of its evidence and the configuration, as `build` does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from reportgen.archive import manifest
from reportgen.archive.folder import EXPORTS, STATEMENT, cycle_folder, is_correction
from reportgen.archive.manifest import Fault, Sealed
from reportgen.archive.untrusted import statement_of
from reportgen.core.comparing.differences import of_statements
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import Statement
from reportgen.core.problem import Problem
from reportgen.core.written.statement_json import statement_values
from reportgen.derive import Derived, Inputs, derive
from reportgen.documents.exports.material import Material
from reportgen.documents.templating.templates import read_templates
from reportgen.files import content_of
from reportgen.operations.building.archived import archived_inputs
from reportgen.operations.building.artifacts import everybody
from reportgen.operations.building.exports import material_of
from reportgen.operations.building.inputs import stored_inputs
from reportgen.operations.collecting.refusals import refuse_half_way, unexplained_in
from reportgen.operations.context import Context
from reportgen.operations.cycles import archived_cycles, archived_folder
from reportgen.operations.sealed.handing_out import faults_of
from reportgen.operations.sealed.standing import derived_as_sealed
from reportgen.sources.config.configuration import Configuration


@dataclass(frozen=True, kw_only=True, slots=True)
class Selected:
    """A cycle or a correction to be exported; one that is closed has a link of the chain."""

    cycle: BillingCycle
    folder: Path
    link: Sealed | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """What `--cycle` means, by its name in the archive; `faults` are what was changed since."""

    name: str
    selected: tuple[Selected, ...]
    faults: tuple[Fault, ...]

    @property
    def closed(self) -> bool:
        """Tell whether nothing of it can change any more."""
        return all(one.link for one in self.selected)


def selection_of(configuration: Configuration, selector: str, context: Context) -> Selection:
    """Find what is to be exported: a cycle, a correction, or with `A..B` all that is charged in it.

    That are the cycles that start in the range, and each correction that was issued in it. Raises
    as `archived_folder` does.
    """
    chain = manifest.chain(configuration.archive)
    if ".." in selector:
        cycles = archived_cycles(configuration, selector, context)
        selected = [one for cycle in cycles for one in _charged_in(cycle, configuration, chain)]
        name = f"{cycles[0].start}..{cycles[-1].start}"
    else:
        cycle, folder = archived_folder(configuration, selector, context)
        selected, name = (
            [Selected(cycle=cycle, folder=folder, link=_link(folder, chain))],
            folder.name,
        )
    links = [one.link for one in selected if one.link]
    faults = faults_of(links, chain) if links else ()
    return Selection(name=name, selected=tuple(selected), faults=tuple(faults))


def _charged_in(
    cycle: BillingCycle, configuration: Configuration, chain: Sequence[Sealed]
) -> Iterator[Selected]:
    """Give a cycle, and the corrections that were issued in it, whatever they correct."""
    folder = cycle_folder(configuration.archive, cycle.start)
    yield Selected(cycle=cycle, folder=folder, link=_link(folder, chain))
    for link in chain:
        issued = date.fromisoformat(link.manifest.issued)
        if is_correction(link.folder) and issued in cycle:
            yield Selected(cycle=cycle, folder=link.folder, link=link)


def _link(folder: Path, chain: Sequence[Sealed]) -> Sealed | None:
    return next((link for link in chain if link.folder.name == folder.name), None)


def place_of(selection: Selection, archive: Path) -> Path:
    """Give the folder an export goes to: of a draft its own, else one beside the cycles."""
    only = selection.selected[0] if len(selection.selected) == 1 else None
    if only and not only.link:
        return only.folder / EXPORTS
    return archive / EXPORTS / selection.name


@dataclass(kw_only=True, slots=True)
class Materials:
    """What is exported, derived when it is asked for; `drafts` are those among it.

    `warn` gives what a format tells of each; a draft that is `accrued` may be booked upon.
    """

    configuration: Configuration
    selected: Sequence[Selected]
    context: Context
    warn: Callable[[Material], Iterable[Problem]] = lambda _: ()
    accrued: bool = False
    drafts: list[tuple[Statement, Path]] = field(default_factory=list)

    def __iter__(self) -> Iterator[Material]:
        """Derive one after the other; raises Rejected."""
        templates = read_templates(self.configuration.templates)
        for one in self.selected:
            yield self._material(one, templates)  # nothing here holds it when the next is derived

    def _material(self, one: Selected, templates: Mapping[str, str]) -> Material:
        inputs, derived = self._closed(one) if one.link else self._draft(one)
        seal = one.link.seal if one.link else None
        material = material_of(inputs, derived, everybody(inputs, derived), templates, seal)
        self.context.terminal.problems(self.warn(material))
        return material

    def _closed(self, one: Selected) -> tuple[Inputs, Derived]:
        inputs = archived_inputs(one.folder)
        return inputs, derived_as_sealed(one.folder, inputs)

    def _draft(self, one: Selected) -> tuple[Inputs, Derived]:
        inputs = stored_inputs(self.configuration, one.cycle, self.context)
        derived = derive(inputs)
        statement = derived.statement
        unexplained = unexplained_in(derived.usage)
        refuse_half_way(statement.heading.missing_views, inputs.accepted, unexplained)
        differs = other_than_the_draft(one.folder, statement, "exported")
        told = [] if self.accrued else [_may_change(one)]
        self.context.terminal.problems([*derived.warnings, *told, *differs])
        self.drafts.append((statement, one.folder))
        return inputs, derived


def _may_change(one: Selected) -> Problem:
    """Say that a draft may change."""
    source = str(one.folder)
    message = "this billing cycle is a draft, and may change until it is closed"
    hint = "book nothing upon it"
    return Problem(source=source, message=message, hint=hint, warning=True, code="draft-exported")


def other_than_the_draft(folder: Path, statement: Statement, done: str) -> list[Problem]:
    """Warn where the draft that lies there shows other figures than are to be `done` something."""
    path = folder / STATEMENT
    if not path.exists():
        return []
    written = statement_of(content_of(path))
    changed = of_statements(STATEMENT, written, statement_values(statement))
    if not changed:
        return []
    message = f"the draft shows other figures than those to be {done}; {changed[0]}"
    hint = "`reportgen build` shows them all"
    return [
        Problem(source=str(path), message=message, hint=hint, warning=True, code="draft-differs")
    ]
