"""How files get into the folder of a cycle: staged beside it, then renamed in.

    .2025-12-05.draft-…          files on their way; removed whatever happens
    2025-12-05/.replacing        while files are renamed in: a draft with it is half old, half new
    2025-12-05/inputs/draft.json the files of the draft, by which the next one knows its own, and
                                 of what its documents were drawn

Laws: nothing appears before everything is staged. Only what the draft before has listed, or what
was exported from it, is ever removed. Whoever finds a draft torn by a kill is told, and the next
build makes it whole. A document is kept only where the file is, to the last bit, what was drawn.
"""

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from hashlib import sha256
from itertools import takewhile
from pathlib import Path

import msgspec

from reportgen.archive import exported
from reportgen.archive.disk import (
    abandoned,
    held,
    naming,
    sync,
    uninterrupted,
    write_pieces,
    write_through,
)
from reportgen.archive.folder import KEPT, private, refuse_links, refuse_sealed, remove_empty
from reportgen.core.problem import Problem, Rejected
from reportgen.files import content_of

LISTING = "inputs/draft.json"
REPLACING = ".replacing"
EXPORTS = "exports/"


class Noted(msgspec.Struct, frozen=True):
    """A document of a draft: the key of what it was drawn of, and the sha256 of the file."""

    key: str
    sha256: str


class _Listing(msgspec.Struct):
    files: list[str]
    drawn: dict[str, Noted] = {}
    schema: str = "reportgen.draft/1"


class Stage:
    """Files on their way into a folder."""

    def __init__(self, path: Path, folder: Path) -> None:
        """Keep the files under `path` until they are renamed into `folder`."""
        self._path, self._folder = path, folder
        self._names: set[str] = set()
        self._as_they_are: set[str] = set()
        self._drawn: dict[str, Noted] = {}
        self._before = _listing(folder / LISTING).drawn

    def write(self, name: str, content: bytes) -> None:
        """Write a file and see it through to the disk."""
        with naming(self._folder / name):
            write_through(self._path / name, content)
        self._names.add(name)

    def write_pieces(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file piece by piece, and see it through to the disk."""
        with naming(self._folder / name):
            write_pieces(self._path, ((name, piece) for piece in pieces))
        self._names.add(name)

    def leave(self, name: str) -> None:
        """Let a file of the folder be part of the draft as it is: it would be written the same."""
        self._as_they_are.add(name)

    def note(self, name: str, key: str, content: bytes) -> None:
        """Note what a document was drawn of, so that the next draft may keep it."""
        self._drawn[name] = Noted(key=key, sha256=sha256(content).hexdigest())

    def forget(self, name: str) -> None:
        """Have a document drawn again by the next draft, whatever it is drawn of."""
        self._drawn.pop(name, None)

    def keep(self, name: str, key: str) -> bool:
        """Leave a document of the draft before, if it was drawn of the same and is what was drawn.

        Tells whether it is left. A link, or a file that others own or may read otherwise than what
        is written now, is none of ours.
        """
        noted = self._before.get(name)
        if not key or noted is None or noted.key != key:
            return False
        if _hash_of_own(self._folder / name) != noted.sha256:
            return False
        self._drawn[name] = noted
        self.leave(name)
        return True

    def add_to(self, folder: Path) -> None:
        """Rename every file into the folder; what else is in it stays."""
        self._refuse_in_the_way(folder, self._names)
        self._rename_into(folder)

    def replace_draft(self, folder: Path) -> None:
        """Rename every file into the folder, and remove what only the draft before had."""
        before = {*_listed(folder / LISTING), *_listed(folder / REPLACING), *_exported(folder)}
        self.write(LISTING, _encoded({*self._names, *self._as_they_are, LISTING}, self._drawn))
        gone = before - self._names - self._as_they_are - KEPT
        self._refuse_in_the_way(folder, self._names | gone)
        refuse_links(folder, self._as_they_are)
        with self._replacing(folder, before):
            self._rename_into(folder)
            for name in sorted(gone):
                _remove(folder / name)

    def _refuse_in_the_way(self, folder: Path, names: AbstractSet[str]) -> None:
        """Raise Rejected, before the first file is renamed or removed, for what would stop it."""
        refuse_sealed(folder)  # it may have been closed while these were made
        refuse_links(folder, names)
        for name in sorted(self._names):
            _refuse_folder_in_the_way(folder / name)
        for name in sorted(names):
            _refuse_immutable(folder / name)
        for parent in sorted({parent for name in names for parent in Path(name).parents}):
            _refuse_closed(folder / parent, self._path)

    def _rename_into(self, folder: Path) -> None:
        for name in sorted(self._names):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with naming(target):
                (self._path / name).replace(target)
        for parent in {(folder / name).parent for name in self._names}:
            sync(parent)

    @contextmanager
    def _replacing(self, folder: Path, before: Iterable[str]) -> Iterator[None]:
        """Mark a draft while it is half old and half new; what interrupts that leaves the mark."""
        folder.mkdir(parents=True, exist_ok=True)
        mark = folder / REPLACING
        with naming(mark):
            write_through(self._path / REPLACING, _encoded(before))
        (self._path / REPLACING).replace(mark)
        sync(folder)
        yield
        sync(folder)
        mark.unlink()
        sync(folder)


@contextmanager
def staged(folder: Path, *, group: bool = False) -> Iterator[Stage]:
    """Collect files that are added to the folder of a cycle when all went well, or none is."""
    with private(group=group), _beside(folder) as stage:
        yield stage
        with uninterrupted():
            stage.add_to(folder)


@contextmanager
def redrafted(folder: Path, *, group: bool = False) -> Iterator[Stage]:
    """Collect the files of a draft, which replace those of the draft before, or none does."""
    with private(group=group), _beside(folder) as stage:
        yield stage
        with uninterrupted():
            stage.replace_draft(folder)


@contextmanager
def _beside(folder: Path) -> Iterator[Stage]:
    """Make a stage beside a folder, and leave neither it nor an empty archive behind."""
    made = list(takewhile(lambda parent: not parent.exists(), folder.parents))
    path = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(folder)
        with uninterrupted():  # or nobody would know what to remove
            path = Path(tempfile.mkdtemp(prefix=f".{folder.name}.draft-", dir=folder.parent))
        with held(path):
            yield Stage(path, folder)
    finally:
        with uninterrupted():
            if path:
                shutil.rmtree(path, ignore_errors=True)
            remove_empty(made)


def torn(folder: Path) -> list[Problem]:
    """Say that a build was killed while it replaced a draft: half may be of the one before."""
    if not (folder / REPLACING).exists():
        return []
    message = (
        "a build was ended while it replaced this draft, so half of it may be of the one before"
    )
    return [Problem(source=str(folder), message=message, hint="run `reportgen build` again")]


def refuse_torn(folder: Path) -> None:
    """Raise Rejected where a build was killed while it replaced the draft."""
    if problems := torn(folder):
        raise Rejected(problems)


def foreign(folder: Path) -> list[str]:
    """List the files in the folder of a draft that no draft has written, by their path in it."""
    ours = {*_listed(folder / LISTING), *KEPT}
    return sorted(
        name
        for parent, _, names in os.walk(folder)
        for path in names
        if (name := (Path(parent) / path).relative_to(folder).as_posix()) not in ours
        and not name.startswith(EXPORTS)
        and name != REPLACING
    )


def _listed(path: Path) -> list[str]:
    """Read which files a draft has; of one that cannot be read nothing is to be removed."""
    return [name for name in _listing(path).files if _is_inside(name)]


def _listing(path: Path) -> _Listing:
    with suppress(OSError, ValueError, RecursionError):
        return msgspec.json.decode(content_of(path), type=_Listing)
    return _Listing(files=[])


def _hash_of_own(path: Path) -> str:
    """Give the sha256 of a file that is as it would be written now; "" for any other."""
    with suppress(OSError):
        status = path.lstat()
        mode = stat.S_IFREG | (0o666 & ~_umask())
        if (status.st_mode, status.st_uid, status.st_nlink) == (mode, os.geteuid(), 1):
            return sha256(content_of(path)).hexdigest()
    return ""


def _umask() -> int:
    """Give what new files are closed to; it can be read only by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _exported(folder: Path) -> list[str]:
    """List what was exported from the draft before, which says what that came to."""
    return [f"{EXPORTS}{name}" for name in exported.listed(folder / EXPORTS)]


def _is_inside(name: str) -> bool:
    """Tell whether a listed path stays in the folder: somebody may have edited the list."""
    path = Path(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts


def _encoded(names: Iterable[str], drawn: Mapping[str, Noted] | None = None) -> bytes:
    listing = _Listing(files=sorted(names), drawn=dict(sorted((drawn or {}).items())))
    return msgspec.json.format(msgspec.json.encode(listing), indent=1) + b"\n"


def _remove(path: Path) -> None:
    """Remove a file of the draft before; a folder that somebody put in its place is not ours."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)


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


def _refuse_immutable(path: Path) -> None:
    """Raise Rejected for a file that the system protects from whoever may write in its folder.

    To open it says so; nothing is written. One that is only not for writing can be replaced.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW))
    except OSError as error:
        if error.errno == errno.EPERM:
            message = "this file is protected: it can neither be replaced nor removed"
            hint = "take the protection away (`chattr -i -a`), then try again"
            raise Rejected([Problem(source=str(path), message=message, hint=hint)]) from error


def _refuse_closed(parent: Path, stage: Path) -> None:
    """Raise Rejected for a folder that files cannot be renamed into, before the first one is."""
    if not parent.is_dir():
        return
    if not os.access(parent, os.W_OK | os.X_OK):
        message, hint = "this folder cannot be written", "allow it, then try again"
    elif parent.stat().st_dev != stage.stat().st_dev:
        message = "this folder lies in another file system than the archive"
        hint = "move it into the archive: files are put into their place by renaming them"
    else:
        return
    raise Rejected([Problem(source=str(parent), message=message, hint=hint)])


def _remove_abandoned(folder: Path) -> None:
    """Remove what a killed run left beside the folder."""
    for path in folder.parent.glob(f".{folder.name}.draft-*"):
        if abandoned(path):
            shutil.rmtree(path, ignore_errors=True)
