"""The folder of a cycle in the archive: its names, who works on it, whether it may be written."""

import fcntl
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from itertools import takewhile
from pathlib import Path

from reportgen.core.problem import Problem, Rejected

FOLDER_NAME = re.compile(r"\d{4}-\d\d-\d\d(\.c[1-9]\d*)?", re.ASCII)
"""A cycle by its start, a correction of it by the same and its number."""
EVIDENCE = "inputs/responses.jsonl"
SEALED_EVIDENCE = "inputs/responses.jsonl.gz"
"""The evidence of a closed cycle."""
FETCHING = "inputs/fetching.jsonl"
"""Answers of a later fetch, kept apart from the evidence until it is whole."""
DIRECTORY = "inputs/directory.json"
ACCEPTED = "inputs/accepted.json"
"""The kinds of view that may be missing though others of them were answered."""
CONFIGURATION = "inputs/config"
TEMPLATES = "inputs/templates"
ASSETS = "inputs/assets"
FONTS = "inputs/fonts"
HISTORY = "inputs/history.json"
RESOLVED = "inputs/resolved.json"
"""The configuration as it was understood, of a closed cycle."""
VERSIONS = "inputs/versions.json"
README = "README.txt"
STANDING = "inputs/standing.json"
"""In a correction: the cycle as it stood before it."""
ISSUED = "inputs/corrections.json"
"""The corrections of other cycles that a statement names."""
STATEMENT = "statement.json"
LEDGER = "ledger.csv"
TIE_OUT = "tie_out.csv"
CORRECTION = "correction.json"
NOTES = "notes.csv"
UNALLOCATED = "unallocated.csv"
MANIFEST = "manifest.json"
EXPORTS = "exports"
"""What was made of a cycle for others: in its folder that of a draft, and what was sealed with it;
beside the cycles what was made since."""
KEPT = frozenset({EVIDENCE, FETCHING, DIRECTORY})
"""What no draft takes away, whoever wrote it."""


def cycle_around(path: Path) -> Path | None:
    """Give the folder of a cycle that a path is or lies in, as it was written; None outside of one.

    A folder of another kind may have a day for its name: evidence or configuration tells ours.
    """
    real = path.resolve()
    for place in (path, *path.parents, real, *real.parents):
        marks = (EVIDENCE, SEALED_EVIDENCE, CONFIGURATION)
        if FOLDER_NAME.fullmatch(place.name) and any((place / mark).exists() for mark in marks):
            return place
    return None


def cycle_folder(archive: Path, start: date) -> Path:
    """Give the folder of the cycle that starts on a day."""
    return archive / start.isoformat()


def correction_folder(archive: Path, start: date, number: int) -> Path:
    """Give the folder of a correction of the cycle that starts on a day."""
    return archive / f"{start.isoformat()}.c{number}"


def correction_folders(archive: Path, start: date) -> list[Path]:
    """List the sealed corrections of a cycle, the first one first."""
    numbered = (
        (int(path.name.rpartition(".c")[2]), path)
        for path in archive.glob(f"{start.isoformat()}.c*")
        if path.name.rpartition(".c")[2].isdecimal() and (path / MANIFEST).exists()
    )
    return [path for _, path in sorted(numbered)]


def is_correction(folder: Path) -> bool:
    """Tell by its name whether a sealed folder is a correction."""
    return ".c" in folder.name


def standing_folder(archive: Path, start: date) -> Path:
    """Give the folder that a cycle stands by: its last correction, else its own."""
    return [cycle_folder(archive, start), *correction_folders(archive, start)][-1]


def collected(archive: Path) -> list[Path]:
    """List the evidence files of the archive, cycle by cycle."""
    folders = {path.parent.parent for path in archive.glob(f"????-??-??/{EVIDENCE}*")}
    paths = map(evidence_of, sorted(folders))
    return [path for path in paths if path.exists()]


def evidence_of(folder: Path) -> Path:
    """Give the file of a cycle's evidence: the zipped one where the cycle is closed."""
    sealed = folder / SEALED_EVIDENCE
    return sealed if sealed.exists() else folder / EVIDENCE


def first_days(archive: Path) -> tuple[date, ...]:
    """Give the first days of the cycles in the archive, as their folders name them."""
    days = []
    for path in collected(archive):
        with suppress(ValueError):
            days.append(date.fromisoformat(path.parent.parent.name))
    return tuple(days)


def cycles_before(archive: Path, start: date) -> list[Path]:
    """List the folders of earlier cycles, the latest first."""
    folders = (
        path
        for path in archive.glob("????-??-??")
        if path.is_dir() and path.name < start.isoformat()
    )
    return sorted(folders, reverse=True)


def refuse_unwritable(archive: Path, source: str) -> None:
    """Raise Rejected where the archive cannot be written, before anything is done for it."""
    existing = archive
    while not (existing.exists() or existing.is_symlink()) and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        message = f"the archive folder {archive} cannot be made: {existing} is not a folder"
    elif not os.access(existing, os.W_OK | os.X_OK):
        message = f"the archive folder {archive} cannot be written"
    else:
        return
    raise Rejected(
        [Problem(source=source, message=message, hint="name a folder that you may write to")]
    )


class AlreadyClosed(Rejected):
    """The cycle is closed: it is never written again."""


def refuse_sealed(folder: Path) -> None:
    """Raise AlreadyClosed where the cycle is closed."""
    if (folder / MANIFEST).exists():
        hint = "it is never rewritten: `reportgen correct` issues credit and debit notes"
        raise AlreadyClosed(
            [Problem(source=str(folder), message="this billing cycle is closed", hint=hint)]
        )


@contextmanager
def locked(folder: Path, *, group: bool = False) -> Iterator[None]:
    """Keep other runs away from a cycle while it is worked on; raises Rejected where one is at it.

    The folder itself is what is locked, so that nothing is left behind, whatever ends the run: one
    that was made for it and stays empty goes as well.
    """
    refuse_links(folder, ())
    made = list(takewhile(lambda place: not place.exists(), (folder, *folder.parents)))
    with private(group=group):
        folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(descriptor, folder)
        with private(group=group):
            refuse_sealed(folder)
            yield
    finally:
        remove_empty(made)
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    """Lock a folder that is open, or raise Rejected where another run has."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        message, hint = (
            "another run is working on this billing cycle",
            "wait until it has ended, then try again",
        )
        raise Rejected([Problem(source=str(folder), message=message, hint=hint)]) from error


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders, the inner one first, up to the first that holds something."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


@contextmanager
def private(*, group: bool = False) -> Iterator[None]:
    """Let what is made be read by its owner alone, or by his group too, whatever the umask says."""
    before = os.umask(0o027 if group else 0o077)
    try:
        yield
    finally:
        os.umask(before)


def refuse_links(folder: Path, names: Iterable[str]) -> None:
    """Raise Rejected if a link stands for a folder of the cycle: what is behind it is not ours."""
    places = {folder} | {folder / parent for name in names for parent in Path(name).parents}
    for place in sorted(places):
        if place.is_symlink():
            message = "a link stands where a folder of the cycle belongs"
            hint = "put a folder in its place: nothing is written or removed behind a link"
            raise Rejected([Problem(source=str(place), message=message, hint=hint)])
