"""The close of a cycle on the disk: made whole beside the draft, sealed last, put in its place.

    .2025-12-05.closing    the closed folder while it is made; whole once its manifest stands in it
    .2025-12-05.draft      the draft, out of the way until the closed folder stands in its place

Law: whatever ends a close, what is found afterwards is an open draft or a complete close. The next
command rolls a close that was interrupted back, or forward where its manifest was written.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reportgen.archive import manifest
from reportgen.archive.disk import abandoned, held, placed, sync, write_pieces, write_through
from reportgen.archive.folder import MANIFEST
from reportgen.core.problem import Problem, Rejected

OWNER_READS, OWNER_OPENS = 0o400, 0o500
GROUP_READS, GROUP_OPENS = 0o440, 0o550


class Closing:
    """A closed folder that is being made."""

    def __init__(self, folder: Path, path: Path) -> None:
        """Make the folder `path`, which will stand in the place of `folder`."""
        self.folder, self.path = folder, path

    def write(self, name: str, content: bytes) -> None:
        """Write a file and see it through to the disk."""
        write_through(self.path / name, content)

    def write_pieces(self, pieces: Iterable[tuple[str, bytes]]) -> None:
        """Write files of which pieces come one by one, and see them through to the disk."""
        write_pieces(self.path, pieces)

    def seal(self, content: bytes, *, group: bool = False) -> None:
        """Write the manifest last, forbid to write, and put the folder in its place."""
        for parent, _, _ in os.walk(self.path, topdown=False):
            sync(Path(parent))
        beside = self.path / f".{MANIFEST}"
        self.write(beside.name, content)
        beside.replace(self.path / MANIFEST)
        sync(self.path)
        _put_in_place(self.folder, self.path, group=group)


@contextmanager
def closing(folder: Path) -> Iterator[Closing]:
    """Make a closed folder beside the one it replaces; unless it was sealed, nothing is left of it.

    Raises Rejected where another run is closing it.
    """
    path = _staged(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700)
    try:
        with held(path), placed(path, folder):
            yield Closing(folder, path)
    finally:
        if not (path / MANIFEST).exists():
            _remove(path)


def recovered(archive: Path, *, group: bool = False) -> list[str]:
    """End every close that was interrupted, and say in a sentence each what became of it."""
    return [
        sentence
        for path in sorted(archive.glob(".????-??-??*.closing"))
        if (sentence := _ended(archive / path.name[1 : -len(".closing")], path, group=group))
    ] + [
        sentence
        for path in sorted(archive.glob(".????-??-??*.draft"))
        if (sentence := _put_back(archive / path.name[1 : -len(".draft")], path))
    ]


def refuse_closing(folder: Path) -> None:
    """Raise Rejected where another run is closing the cycle."""
    path = _staged(folder)
    if path.exists() and not abandoned(path):
        message, hint = "another run is closing this billing cycle", "wait until it has ended"
        raise Rejected([Problem(source=str(folder), message=message, hint=hint)])


def _staged(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.closing")


def _set_aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.draft")


def _put_in_place(folder: Path, path: Path, *, group: bool) -> None:
    """Exchange the draft for the closed folder, which is whole."""
    _make_read_only(path, group=group)
    aside = _set_aside(folder)
    if folder.exists():
        folder.rename(aside)
    path.rename(folder)
    sync(folder.parent)
    shutil.rmtree(aside, ignore_errors=True)


def _ended(folder: Path, path: Path, *, group: bool) -> str:
    if not abandoned(path):
        return ""
    if _is_whole(path):
        _put_in_place(folder, path, group=group)
        return f"the close of {folder.name} had been interrupted after its seal; it is complete now"
    shutil.rmtree(path, ignore_errors=True)
    left = "it is a draft as before" if folder.exists() else "nothing is left of it"
    return f"the close of {folder.name} had been interrupted before its seal; {left}"


def _put_back(folder: Path, aside: Path) -> str:
    """Put a draft back that no closed folder stands in for; remove one that is closed by now."""
    if not folder.exists() and not _staged(folder).exists():
        aside.rename(folder)
        sync(folder.parent)
        return f"the draft of {folder.name} stands in its place again"
    if (folder / MANIFEST).exists():
        shutil.rmtree(aside, ignore_errors=True)
    return ""


def _is_whole(path: Path) -> bool:
    """Tell whether a closed folder was sealed and holds what its manifest says."""
    with suppress(Rejected):
        return not any(manifest.faults_of_files(manifest.read(path)))
    return False


def _make_read_only(path: Path, *, group: bool) -> None:
    files, folders = (GROUP_READS, GROUP_OPENS) if group else (OWNER_READS, OWNER_OPENS)
    for parent, _, names in os.walk(path, topdown=False):
        for name in names:
            (Path(parent) / name).chmod(files)
        Path(parent).chmod(folders)


def _remove(path: Path) -> None:
    """Remove a folder that was made for a close, read-only as it may be by now."""
    for parent, _, _ in os.walk(path):
        Path(parent).chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)
