"""How exports get into a folder: written apart, then renamed in.

    .export-…       files on their way; removed whatever happens
    exports.json    what was exported into the folder, by which the next export knows its own

Laws: nothing appears before everything is written. Only what an export before has listed is ever
replaced or removed; so no part of an older export of the same family stays beside a newer one. What
comes is listed before it is there: an export that is killed between two files is ended by the next.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import takewhile
from pathlib import Path

import msgspec

from reportgen.archive.disk import (
    abandoned,
    held,
    naming,
    placed,
    sync,
    uninterrupted,
    write_pieces,
    write_through,
)
from reportgen.archive.folder import private, refuse_links, remove_empty
from reportgen.archive.manifest import hash_of
from reportgen.core.problem import Problem, Rejected
from reportgen.files import content_of

LISTING, STAGE = "exports.json", ".export-"
BOTH = ".both.json"
"""In a stage: the listing that holds while files of one export give way to those of another."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A file: its name, and what it belongs to; exports of a family replace each other."""

    name: str
    family: str
    bytes: int
    sha256: str


class _Listing(msgspec.Struct, kw_only=True):
    files: list[Listed]
    schema: str = "reportgen.exports/1"


def listed(folder: Path) -> list[str]:
    """Name what was exported into a folder, the listing included; nothing where there is none."""
    files = _read(folder / LISTING)
    return [*(one.name for one in files), LISTING] if files else []


def export_into(
    folder: Path, family: str, pieces: Iterable[tuple[str, bytes]], *, group: bool
) -> list[Listed]:
    """Write an export and put it into a folder, in the place of the one before.

    Raises Rejected where a file is in the way that no export has listed.
    """
    refuse_links(folder, ())
    with private(group=group), _staged(folder) as stage:
        names = write_pieces(stage, pieces)
        files = [_listed(stage / name, family) for name in names]
        with _alone(folder):
            _put_in(folder, stage, family, files)
    return files


def _listed(path: Path, family: str) -> Listed:
    return Listed(name=path.name, family=family, bytes=path.stat().st_size, sha256=hash_of(path))


def _put_in(folder: Path, stage: Path, family: str, files: list[Listed]) -> None:
    before = _read(folder / LISTING)
    names = {one.name for one in files}
    known = {one.name for one in before}
    _refuse_in_the_way(folder, names - known)
    kept = [one for one in before if one.family != family and one.name not in names]
    gone = known - names - {one.name for one in kept}
    _write_listing(stage / BOTH, {one.name: one for one in [*before, *files]}.values())
    _write_listing(stage / LISTING, [*kept, *files])
    with uninterrupted():
        with naming(folder / LISTING):
            (stage / BOTH).replace(folder / LISTING)
        sync(folder)
        for name in sorted(gone):
            (folder / name).unlink(missing_ok=True)
        for name in (*sorted(names), LISTING):
            with naming(folder / name):
                (stage / name).replace(folder / name)
        sync(folder)


def _write_listing(path: Path, files: Iterable[Listed]) -> None:
    listing = _Listing(files=sorted(files, key=lambda one: one.name))
    write_through(path, msgspec.json.format(msgspec.json.encode(listing), indent=1) + b"\n")


def _refuse_in_the_way(folder: Path, names: Iterable[str]) -> None:
    hint = "move it away, or name another folder with --output"
    problems = [
        Problem(source=str(folder / name), message=message, hint=hint)
        for name in (*sorted(names), LISTING)
        if (message := _in_the_way(folder / name))
    ]
    if problems:
        raise Rejected(problems)


def _in_the_way(path: Path) -> str:
    if path.name == LISTING and _read(path):
        return ""
    there = path.exists() or path.is_symlink()
    return "is there already, and no export has written it, so it is not replaced" if there else ""


@contextmanager
def _staged(folder: Path) -> Iterator[Path]:
    """Make a stage in a folder, and leave neither it nor empty folders behind."""
    made = list(takewhile(lambda place: not place.exists(), (folder, *folder.parents)))
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as holding:
        with _alone(folder):  # until it is held, a stage is like one that was left
            for path in folder.glob(f"{STAGE}*"):
                if abandoned(path):
                    shutil.rmtree(path, ignore_errors=True)
            stage = Path(tempfile.mkdtemp(prefix=STAGE, dir=folder))
            holding.enter_context(held(stage))
        try:
            with placed(stage, folder):
                yield stage
        finally:
            with uninterrupted():
                shutil.rmtree(stage, ignore_errors=True)
                remove_empty(made)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one export at a time change what lies in a folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> list[Listed]:
    """Read a listing; of one that cannot be read nothing is to be replaced."""
    with suppress(OSError, ValueError, RecursionError):
        files = msgspec.json.decode(content_of(path), type=_Listing).files
        return [
            one for one in files if Path(one.name).name == one.name and one.name not in {"", ".."}
        ]
    return []
