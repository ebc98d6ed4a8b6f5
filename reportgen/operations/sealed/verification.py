"""A closed cycle derived again from its own inputs, and held against what was sealed.

Law: an archive is intact where every byte is made again. Where bytes differ and the program, a
library or a rule is another than the manifest names, the amounts are what is proved. Whatever else
differs was changed after the close.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

from reportgen.archive import corrections, standing
from reportgen.archive.folder import (
    CORRECTION,
    EXPORTS,
    ISSUED,
    LEDGER,
    MANIFEST,
    STANDING,
    STATEMENT,
)
from reportgen.archive.inspection import Inspected
from reportgen.archive.manifest import FONTS, SUMS, Fault, Manifest, Sealed
from reportgen.archive.untrusted import rows_of, statement_of
from reportgen.core.comparing.differences import (
    Difference,
    of_statements,
    of_tables,
    of_what_both_know,
)
from reportgen.core.problem import Rejected
from reportgen.core.text import said_by_system
from reportgen.derive import Derived, derive
from reportgen.documents.exports.parquet import LibraryMissing
from reportgen.operations.building.archived import Rederived, archived_inputs, rederived
from reportgen.operations.building.drawing import KeptFonts, Studio, draw
from reportgen.operations.building.exports import export_versions
from reportgen.operations.context import Context
from reportgen.operations.sealed.standing import stands
from reportgen.sources.config.resolved import RULES_VERSION

Verdict = Literal["intact", "differs by version", "tampered"]
TABLE, JOURNALS = ".csv", f"{EXPORTS}/journal-"
STATEMENTS = (STATEMENT, CORRECTION)
"""Values by invoice or note, and line."""
DOCUMENTS = (".pdf", ".xlsx", ".html")
PROGRAM, RULES = "reportgen", "rules"


@dataclass(frozen=True, kw_only=True, slots=True)
class OtherVersion:
    """A program, library or rule that is another than it was at the close."""

    name: str
    then: str
    now: str

    def __str__(self) -> str:
        """Write it as people read it."""
        return f"{self.name} {self.then} then, {self.now} now"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """What was found in a closed folder.

    `differences` are values that differ, `other_bytes` files that are made in other bytes and say
    nothing else that we could tell, `compared` counts the files that were made again.
    """

    folder: Path
    seal: str | None
    faults: tuple[Fault, ...] = ()
    differences: tuple[Difference, ...] = ()
    other_bytes: tuple[str, ...] = ()
    other_versions: tuple[OtherVersion, ...] = ()
    compared: int = 0

    @property
    def verdict(self) -> Verdict:
        """Judge it in one of three words."""
        unexplained = self.other_bytes and not self.other_versions
        if self.faults or self.differences or unexplained:
            return "tampered"
        return "differs by version" if self.other_bytes else "intact"


@dataclass(kw_only=True, slots=True)
class _Comparison:
    """What was made again so far, against what lies in the folder."""

    folder: Path
    compared: int = 0
    other_bytes: list[str] = field(default_factory=list)
    in_pieces: list[str] = field(default_factory=list)

    def write(self, name: str, content: bytes) -> None:
        """Take a file that was made again; what is not there is named elsewhere."""
        self.compared += 1
        path = self.folder / name
        if path.is_file() and path.read_bytes() != content:
            self.other_bytes.append(name)

    def write_pieces(self, pieces: Iterable[tuple[str, bytes]]) -> None:
        """Take ledger and exports that are made again, piece by piece."""
        with ExitStack() as files:
            then: dict[str, BinaryIO | None] = {}
            other: dict[str, None] = {}
            for name, content in pieces:
                if name not in then:
                    path = self.folder / name
                    then[name] = files.enter_context(path.open("rb")) if path.is_file() else None
                if (file := then[name]) and file.read(len(content)) != content:
                    other[name] = None
            other |= {name: None for name, file in then.items() if file and file.read(1)}
        self.in_pieces += then
        self.compared += len(then)
        self.other_bytes += other


def verified(
    one: Inspected, chosen: frozenset[str] | None, workers: int, context: Context
) -> Verified:
    """Derive a closed folder again, and draw its documents, or those that are chosen."""
    if one.link is None:
        return unverified(one)
    versions = tuple(_other_versions(one.link.manifest))
    try:
        again = rederived(one.folder)
        comparison = _compared(one, again, chosen, workers, context)
        elsewhere = tuple(_of_standing(one.folder, again.derived, versions))
    except LibraryMissing:
        raise  # which says nothing of the archive
    except (Rejected, OSError) as error:
        return _not_derived(one, _said(error))
    except Exception as error:
        if not one.faults:
            raise
        return _not_derived(one, f"{type(error).__name__} {error}")
    differences = (
        *_differences(one.folder, again, comparison.other_bytes, versions),
        *elsewhere,
    )
    told = {difference.file for difference in differences}
    return Verified(
        folder=one.folder,
        seal=one.link.seal,
        faults=(
            *one.faults,
            *_of_files(one, again, comparison.in_pieces),
            *_of_issued(one.link, again.derived),
        ),
        differences=differences,
        other_bytes=tuple(name for name in comparison.other_bytes if name not in told),
        other_versions=versions,
        compared=comparison.compared,
    )


def documents(folder: Path) -> list[str]:
    """List the documents of a closed folder by their path in it."""
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    return sorted(
        name for name in paths if name.endswith(DOCUMENTS) and not name.startswith("inputs/")
    )


def unverified(one: Inspected) -> Verified:
    """Give what hashes and chain tell alone."""
    return Verified(folder=one.folder, seal=one.link.seal if one.link else None, faults=one.faults)


def _compared(
    one: Inspected,
    again: Rederived,
    chosen: frozenset[str] | None,
    workers: int,
    context: Context,
) -> _Comparison:
    """Make everything again, documents with the fonts of the archive, and compare it."""
    comparison = _Comparison(folder=one.folder)
    for name, content in again.files.items():
        comparison.write(name, content)
    comparison.write_pieces(again.pieces())
    listed = again.listed if chosen is None else again.listed.only(chosen)
    if listed and one.link:
        fonts = KeptFonts(folder=one.folder.parent / FONTS, hashes=one.link.manifest.fonts)
        studio = Studio(workers=workers, fonts=fonts, label=f"Drawing {one.folder.name} again")
        draw(listed, again.design, studio, context, comparison.write)
    told = {fault.place.partition("/")[2] for fault in one.faults}
    comparison.other_bytes = sorted(set(comparison.other_bytes) - told) + [
        name for name in comparison.other_bytes if name in told and _has_values(name)
    ]
    return comparison


def _differences(
    folder: Path, again: Rederived, other: Collection[str], versions: Collection[OtherVersion]
) -> Iterator[Difference]:
    """Name every value that is another, the statement's first: it has the invoices and lines."""
    another_program = _another_program(versions)
    named = [name for name in other if _has_values(name)]
    anew = {**again.files, **_written_again(again, named)}
    for name in sorted(named, key=lambda name: (name != STATEMENT, name != LEDGER, name)):
        then, now = (folder / name).read_bytes(), anew[name]
        if name in STATEMENTS:
            written, made = statement_of(then), json.loads(now)
            values = of_statements(name, written, made)
            yield from of_what_both_know(values, written, made) if another_program else values
        else:
            yield from of_tables(name, rows_of(then), rows_of(now), by_name=another_program)


def _written_again(again: Rederived, named: Iterable[str]) -> dict[str, bytes]:
    """Give ledger and exports whose values are to be compared, as they are made now."""
    wanted = set(named) - again.files.keys()
    made: dict[str, bytearray] = {name: bytearray() for name in wanted}
    for name, content in again.pieces() if wanted else ():
        if name in wanted:
            made[name] += content
    return {name: bytes(content) for name, content in made.items()}


def _of_standing(
    folder: Path, derived: Derived, versions: Collection[OtherVersion]
) -> Iterator[Difference]:
    """Name what a correction says otherwise of what it corrects than that comes to itself."""
    if derived.notes is None:
        return
    before = folder.parent / derived.notes.correcting.standing.folder
    if not (before / MANIFEST).is_file():
        return
    inputs = archived_inputs(before)
    made = json.loads(standing.encode(stands(before, inputs, derive(inputs))))
    written = statement_of((folder / STANDING).read_bytes())
    values = of_statements(STANDING, written, made)
    values = [one for one in values if one.name != "seal"]  # which the chain is held against
    yield from of_what_both_know(values, written, made) if _another_program(versions) else values


def _of_issued(link: Sealed, derived: Derived) -> Iterator[Fault]:
    """Say that a close names other corrections than were sealed before it, where these are here."""
    if derived.notes:
        return
    try:
        sealed = corrections.issued_before(link)
    except Rejected:
        return  # what is not here cannot be compared, and what is damaged is named by its hash
    if corrections.encode(sealed) != corrections.encode(derived.statement.corrections):
        message = "it names other corrections than were sealed since the close before"
        yield Fault(place=f"{link.folder.name}/{ISSUED}", kind="inputs", message=message)


def _another_program(versions: Collection[OtherVersion]) -> bool:
    return any(version.name in {PROGRAM, RULES} for version in versions)


def _has_values(name: str) -> bool:
    """Tell whether it can be said which values of a file are others; a journal is no table."""
    journal = name.startswith(JOURNALS)
    return name in STATEMENTS or (name.endswith(TABLE) and not journal)


def _of_files(one: Inspected, again: Rederived, in_pieces: Iterable[str]) -> Iterator[Fault]:
    """Name files that the inputs make and that are not there, and files that nothing makes."""
    made = {*again.files, *in_pieces, *again.listed.paths}
    there = {
        path.relative_to(one.folder).as_posix() for path in one.folder.rglob("*") if path.is_file()
    }
    told = {fault.place.partition("/")[2] for fault in one.faults}
    strange = {name for name in there - made if not name.startswith("inputs/")} - {SUMS, MANIFEST}
    for name in sorted(made - there - told):
        place, message = f"{one.folder.name}/{name}", "it is missing, and the inputs make it"
        yield Fault(place=place, kind="missing", message=message)
    for name in sorted(strange - told):
        place, message = f"{one.folder.name}/{name}", "no input makes it"
        yield Fault(place=place, kind="added", message=message)


def _other_versions(manifest: Manifest) -> Iterator[OtherVersion]:
    """Name what runs in another version than the manifest names."""
    from reportgen.documents.pdf.installed import versions  # noqa: PLC0415 - loads Pango

    if manifest.rules_version != RULES_VERSION:
        yield OtherVersion(name=RULES, then=str(manifest.rules_version), now=str(RULES_VERSION))
    now = versions() | export_versions(manifest.versions)
    for name in sorted({*manifest.versions, *now}):
        then, current = (known.get(name, "unknown") for known in (manifest.versions, now))
        if then != current:
            yield OtherVersion(name=name, then=then, now=current)


def _not_derived(one: Inspected, said: str) -> Verified:
    """Say that the inputs make nothing any more."""
    fault = Fault(place=one.folder.name, kind="inputs", message=f"cannot be derived again: {said}")
    seal = one.link.seal if one.link else None
    return Verified(folder=one.folder, seal=seal, faults=(*one.faults, fault))


def _said(error: Rejected | OSError) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {said_by_system(error)}"
    first, *others = error.problems
    more = f" (and {len(others)} more)" if others else ""
    return f"{first.source}: {first.message}{more}"
