"""A cycle, read from its own folder alone: no configuration, no network, any machine.

Law: what `close` draws comes from here as well, so that nothing can be in a closed document that is
not in `inputs/`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reportgen.archive import close_file, corrections, cycle_file, evidence, history, people
from reportgen.archive.folder import (
    ASSETS,
    CONFIGURATION,
    DIRECTORY,
    EVIDENCE,
    EXPORTS,
    MANIFEST,
    README,
    RESOLVED,
    SEALED_EVIDENCE,
    TEMPLATES,
    VERSIONS,
)
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import ExportName
from reportgen.derive import Derived, Inputs, derive
from reportgen.documents.exports.formats import FORMATS
from reportgen.documents.exports.material import Material, Options
from reportgen.documents.tasks import Design, Listing
from reportgen.documents.templating.templates import kept_templates
from reportgen.files import content_of
from reportgen.operations.building.artifacts import (
    design_of,
    everybody,
    ledger_of,
    readme_file,
    table_files,
    tasks,
)
from reportgen.operations.building.exports import material_of, options_of
from reportgen.operations.collecting.refusals import read_accepted
from reportgen.sources.config.configuration import load_archived
from reportgen.sources.config.resolved import resolved_json


@dataclass(frozen=True, kw_only=True, slots=True)
class Rederived:
    """What a closed folder comes to: small files by path, and what makes all others."""

    derived: Derived
    files: Mapping[str, bytes]
    listed: Listing
    design: Design
    material: Material
    formats: Sequence[ExportName]
    options: Options

    def pieces(self) -> Iterator[tuple[str, bytes]]:
        """Give the ledger, and what is exported at the close, piece by piece."""
        yield from ledger_of(self.derived.allocations, self.material.marks)
        for kind in self.formats:
            for name, content in FORMATS[kind].write([self.material], self.options):
                yield f"{EXPORTS}/{name}", content


def archived_inputs(folder: Path) -> Inputs:
    """Read what the documents of a closed cycle are made of; raises Rejected."""
    close = close_file.decode(folder)
    inputs = _inputs(folder, close.keys, close.cycle, folder / SEALED_EVIDENCE)
    return replace(inputs, issue=close.issue, correcting=close.correcting)


def draft_inputs(folder: Path) -> Inputs:
    """Read what a draft was built of, as it stands; raises Rejected."""
    draft = cycle_file.decode(folder)
    return _inputs(folder, draft.keys, draft.cycle, folder / EVIDENCE)


def _inputs(folder: Path, keys: Mapping[str, str], cycle: BillingCycle, path: Path) -> Inputs:
    """Read what a cycle's folder keeps, whatever its state; `path` is its evidence."""
    return Inputs(
        configuration=load_archived(folder / CONFIGURATION, keys, folder / ASSETS),
        cycle=cycle,
        responses=evidence.stored(path),
        source=str(path),
        remembered=people.read(folder),
        earlier=history.decode(folder),
        year=history.decode_year(folder),
        accepted=read_accepted(folder),
        corrections=corrections.decode(folder),
    )


def rederived(folder: Path) -> Rederived:
    """Derive a closed cycle from its own inputs; raises Rejected."""
    inputs = archived_inputs(folder)
    derived = derive(inputs)
    known = everybody(inputs, derived)
    templates = kept_templates(folder / TEMPLATES)
    design = design_of(inputs.configuration, templates)
    return Rederived(
        derived=derived,
        files={
            **table_files(inputs, derived),
            DIRECTORY: people.encode(known),
            RESOLVED: resolved_json(inputs.configuration, inputs.cycle).encode(),
            **_readme(folder, derived),
        },
        listed=tasks(derived, known, design),
        design=design,
        material=material_of(inputs, derived, known, templates),
        formats=inputs.configuration.settings.close.exports,
        options=options_of(inputs.configuration),
    )


def _readme(folder: Path, derived: Derived) -> dict[str, bytes]:
    """Explain the folder; not one that was closed before there was such a text."""
    if (folder / MANIFEST).exists() and not (folder / README).exists():
        return {}
    return {README: readme_file(derived, content_of(folder / VERSIONS))}
