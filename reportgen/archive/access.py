"""Who may do what with an archive: it is tried, as permissions alone do not tell.

A disk may be full or read-only; root gets past what everybody else is stopped by.
"""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from stat import S_IRGRP, S_ISLNK, S_IWUSR, S_IXGRP
from tempfile import TemporaryFile

from reportgen.archive.disk import naming
from reportgen.archive.folder import FOLDER_NAME, MANIFEST

MOST_LOOKED_AT = 50_000
"""Files; a thousand cost centers over two years. The time of a command has an end."""
LISTED_BY_GROUP = S_IRGRP | S_IXGRP
PROBE = b"\0" * 64 * 1024


def standing(folder: Path) -> Path:
    """Give the folder, or the nearest above it that is there, in which it will be made."""
    while not (folder.exists() or folder.is_symlink()) and folder != folder.parent:
        folder = folder.parent
    return folder


def try_to_write(folder: Path) -> None:
    """Write a file into a folder, see it to the disk, and remove it; raises OSError."""
    with naming(folder), TemporaryFile(prefix=".reportgen-", dir=folder) as file:
        file.write(PROBE)
        file.flush()
        os.fsync(file.fileno())


def shut(archive: Path) -> list[Path]:
    """List what a run could not write: the archive, and each cycle in it that is not sealed.

    What its owner may not write counts though root could: it is mostly not root who runs it.
    """
    drafts = (
        path
        for path in archive.iterdir()
        if FOLDER_NAME.fullmatch(path.name) and path.is_dir() and not (path / MANIFEST).exists()
    )
    folders = [archive, *sorted(drafts)]
    return [path for path in folders if not _may_write(path)]


def open_to_others(archive: Path, *, group: bool) -> list[Path]:
    """List what somebody else may read or write: anybody, and with `group` all but the group."""
    mask = 0o007 if group else 0o077
    everything = islice(_everything(archive.resolve()), MOST_LOOKED_AT)
    return [path for path in everything if _mode(path) & mask]


def closed_to_group(archive: Path) -> bool:
    """Tell whether the group cannot list what is in an archive."""
    return archive.stat().st_mode & LISTED_BY_GROUP != LISTED_BY_GROUP


def _everything(folder: Path) -> Iterator[Path]:
    yield folder
    for place, folders, files in os.walk(folder):
        yield from (Path(place, name) for name in sorted((*folders, *files)))


def _mode(path: Path) -> int:
    """Give the mode of what lies there; a link has none of its own."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return 0
    return 0 if S_ISLNK(mode) else mode


def _may_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK) and bool(folder.stat().st_mode & S_IWUSR)
