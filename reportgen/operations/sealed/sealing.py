"""A cycle on its way to its seal: inputs first, everything else made of them, the manifest last."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from reportgen.archive import close_file, evidence, kept_fonts, manifest
from reportgen.archive.close_file import CLOSE, manifest_of
from reportgen.archive.closing import Closing, closing
from reportgen.archive.disk import uninterrupted
from reportgen.archive.folder import (
    RESOLVED,
    SEALED_EVIDENCE,
    STATEMENT,
    cycle_folder,
    evidence_of,
)
from reportgen.archive.manifest import FONTS, SUMS, Sealed
from reportgen.core.comparing.differences import of_statements
from reportgen.core.problem import Problem, Rejected
from reportgen.core.proving.close import Close
from reportgen.core.written.statement_json import statement_json
from reportgen.derive import Derived, Inputs
from reportgen.documents.templating.templates import read_templates
from reportgen.operations.building.archived import rederived
from reportgen.operations.building.artifacts import everybody, input_files
from reportgen.operations.building.drawing import KeptFonts, Studio, draw
from reportgen.operations.building.exports import export_versions
from reportgen.operations.context import Context
from reportgen.sources.config.resolved import resolved_json


class NotReproducedError(Exception):
    """A closed cycle would come to something else than what was judged: an error of the program."""


@contextmanager
def sealing(archive: Path) -> Iterator[list[Sealed]]:
    """Give the chain of closes, which no other run goes on with meanwhile; raises Rejected."""
    descriptor = os.open(archive, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        links = manifest.chain(archive)
        if broken := list(manifest.faults_of_chain(links)):
            hint = "nothing is closed upon a broken chain: see `reportgen verify`"
            raise Rejected(
                Problem(source=str(archive / fault.place), message=fault.message, hint=hint)
                for fault in broken
            )
        yield links
    except BlockingIOError as error:
        message = "another run is closing or correcting a billing cycle"
        hint = "wait until it has ended, then try again"
        raise Rejected([Problem(source=str(archive), message=message, hint=hint)]) from error
    finally:
        os.close(descriptor)


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """What is sealed as which folder beside the inputs: their evidence, and templates by name."""

    folder: Path
    evidence: Path
    templates: Mapping[str, str]


def sealed(
    inputs: Inputs,
    derived: Derived,
    close: Close,
    source: Source,
    context: Context,
    workers: int,
) -> Sealed:
    """Make a closed folder beside the place it gets, seal it, and put it there."""
    folder, archive = source.folder, source.folder.parent
    group = inputs.configuration.group_reads
    fonts = _keep_fonts(archive, group=group)
    close = replace(close, versions=_versions(inputs), fonts=fonts.hashes)
    with closing(folder) as stage:
        _write_inputs(stage, inputs, derived, close, source)
        again = rederived(stage.path)
        _check_same(derived, again.derived)
        for name, content in again.files.items():
            stage.write(name, content)
        stage.write_pieces(again.pieces())
        listed, design, studio = again.listed, again.design, Studio(workers=workers, fonts=fonts)
        del again  # of which nothing else is needed, and there is much of it
        context.terminal.problems(draw(listed, design, studio, context, stage.write))
        stage.write(SUMS, manifest.sums_of(stage.path).encode("utf-8", "surrogateescape"))
        sums = manifest.hash_of(stage.path / SUMS)
        content = manifest.written(manifest_of(close, folder.name, sums))
        with uninterrupted():
            stage.seal(content, group=group)
    return manifest.read(folder)


def source_of(inputs: Inputs) -> Source:
    """Give what a draft is closed with."""
    folder = cycle_folder(inputs.configuration.archive, inputs.cycle.start)
    templates = read_templates(inputs.configuration.templates)
    return Source(folder=folder, evidence=evidence_of(folder), templates=templates)


def _write_inputs(
    stage: Closing, inputs: Inputs, derived: Derived, close: Close, source: Source
) -> None:
    """Write what the closed documents are made of."""
    known = everybody(inputs, derived)
    for name, content in input_files(inputs, known, source.templates):
        stage.write(name, content)
    stage.write(CLOSE, close_file.encode(close))
    stage.write(RESOLVED, resolved_json(inputs.configuration, inputs.cycle).encode())
    stage.write(SEALED_EVIDENCE, evidence.sealed(source.evidence))


def _check_same(derived: Derived, again: Derived) -> None:
    """Raise where the archive comes to something else than was judged: it would lack an input."""
    was, becomes = (json.loads(statement_json(one.statement)) for one in (derived, again))
    other = [
        difference
        for difference in of_statements(STATEMENT, was, becomes)
        if difference.name != "status" and not difference.name.startswith("discrepancies.")
    ]
    if other:
        raise NotReproducedError(str(other[0]))


def _keep_fonts(archive: Path, *, group: bool) -> KeptFonts:
    """Keep the fonts that documents are drawn with; gives their hashes by file name."""
    from reportgen.documents.pdf.installed import fonts  # noqa: PLC0415 - loads Pango

    hashes = {
        name: kept_fonts.keep(archive, path.read_bytes(), group=group)
        for name, path in fonts().items()
    }
    return KeptFonts(folder=archive / FONTS, hashes=hashes)


def _versions(inputs: Inputs) -> dict[str, str]:
    from reportgen.documents.pdf.installed import versions  # noqa: PLC0415 - loads Pango

    return versions() | export_versions(inputs.configuration.settings.close.exports)
