"""The folder of a cycle in the archive, and how files get into it: staged whole, then renamed in."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from itertools import takewhile
from pathlib import Path

from reportgen.core.problem import Problem, Rejected

EVIDENCE = "inputs/responses.jsonl"
FETCHING = "inputs/fetching.jsonl"
"""Answers of a later fetch, kept apart from the evidence until it is whole."""
DIRECTORY = "inputs/directory.json"
ASSETS = "inputs/assets"
HISTORY = "inputs/history.json"
STATEMENT = "statement.json"
LEDGER = "ledger.csv"
MANIFEST = "manifest.json"
REPLACED = ("invoices", "summaries", "inputs/config", "inputs/templates", ASSETS)
"""Folders in which the documents of a draft leave nothing of the draft before it."""


def cycle_folder(archive: Path, start: date) -> Path:
    """Give the folder of the cycle that starts on a day."""
    return archive / start.isoformat()


def collected(archive: Path) -> list[Path]:
    """List the evidence files of the archive, cycle by cycle."""
    return sorted(archive.glob(f"????-??-??/{EVIDENCE}"))


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


def refuse_sealed(folder: Path) -> None:
    """Raise Rejected where the cycle is closed: it is never written again."""
    if (folder / MANIFEST).exists():
        hint = "it is never rewritten: restated usage is corrected by a credit or debit note"
        raise Rejected(
            [Problem(source=str(folder), message="this billing cycle is closed", hint=hint)]
        )


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other runs away from a cycle while it is worked on; raises Rejected where one is at it.

    The folder itself is what is locked, so that nothing is left behind, whatever ends the run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        message, hint = (
            "another run is working on this billing cycle",
            "wait until it has ended, then try again",
        )
        raise Rejected([Problem(source=str(folder), message=message, hint=hint)]) from error
    finally:
        os.close(descriptor)


class Stage:
    """Files on their way into a folder."""

    def __init__(self, path: Path, replaced: Iterable[str]) -> None:
        """Keep the files under `path` until they are renamed in."""
        self._path, self._replaced = path, replaced
        self._names: set[str] = set()

    def write(self, name: str, content: bytes) -> None:
        """Write a file and see it through to the disk."""
        path = self._path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self._names.add(name)

    def move_into(self, folder: Path) -> None:
        """Rename every file into the folder, then remove what the draft before had and this one has not."""
        for name in sorted(self._names):
            _refuse_folder_in_the_way(folder / name)
        for name in sorted(self._names):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (self._path / name).replace(target)
        for replaced in self._replaced:
            for path in sorted((folder / replaced).rglob("*")):
                if path.is_file() and path.relative_to(folder).as_posix() not in self._names:
                    path.unlink()


def _refuse_folder_in_the_way(path: Path) -> None:
    """Raise Rejected where a file cannot be renamed in, before the first one is."""
    for place in (path, *path.parents[:2]):
        if place.exists() and place.is_dir() == (place == path):
            kind = "a folder" if place == path else "a file"
            message, hint = (
                f"{kind} stands where a document of the cycle belongs",
                "move it away, then try again",
            )
            raise Rejected([Problem(source=str(place), message=message, hint=hint)])


@contextmanager
def staged(folder: Path, replaced: Iterable[str] = ()) -> Iterator[Stage]:
    """Collect files beside the folder of a cycle; they appear when all went well, or none does.

    In the folders `replaced` nothing is left but what was staged.
    """
    made = list(takewhile(lambda parent: not parent.exists(), folder.parents))
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(folder)
    path = Path(tempfile.mkdtemp(prefix=f".{folder.name}.draft-", dir=folder.parent))
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        stage = Stage(path, replaced)
        yield stage
        stage.move_into(folder)
    finally:
        os.close(descriptor)
        shutil.rmtree(path, ignore_errors=True)
        _remove_empty(made)


def _remove_empty(folders: Iterable[Path]) -> None:
    """Leave no empty archive behind where nothing was written."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _remove_abandoned(folder: Path) -> None:
    """Remove what a killed run left beside the folder; a run that is alive holds a lock on its own."""
    for path in folder.parent.glob(f".{folder.name}.draft-*"):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(descriptor)
