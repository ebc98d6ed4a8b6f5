"""Files as they are opened: ordinary ones, which have an end.

Law: nothing that stands in the place of a file is waited for. A pipe may never be written to, and a
device may never end, so both are refused in a sentence, as the system refuses a folder.
"""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

LARGEST = 256 * 1024 * 1024
"""Bytes of a file that is read whole; what this program writes is much smaller."""
PIECE = 1024 * 1024
_OTHERS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def opened(path: Path) -> BufferedReader:
    """Open an ordinary file to be read, or raise OSError with what stands in its place."""
    refuse_other(path)
    return open(path, "rb", opener=_at_once)


def refuse_other(path: Path) -> None:
    """Raise OSError where a pipe, a socket or a device stands in the place of a file."""
    if kind := other_than_file(path):
        raise OSError(errno.EINVAL, f"it is {kind}, not a file", str(path))


def content_of(path: Path, most: int = LARGEST) -> bytes:
    """Read an ordinary file of at most so many bytes, or raise OSError."""
    content = bytearray()
    with opened(path) as file:
        while piece := file.read(PIECE):  # all at once would take the memory of the largest
            content += piece
            if len(content) > most:
                raise OSError(errno.EFBIG, f"it is larger than {most // 1024**2} MiB", str(path))
    return bytes(content)


def other_than_file(path: Path) -> str:
    """Name what stands in a place that is neither file nor folder; nothing where that is not so."""
    try:
        return _OTHERS.get(stat.S_IFMT(path.stat().st_mode), "")
    except FileNotFoundError:
        return ""


def _at_once(name: str, flags: int) -> int:
    """Open without waiting, should a pipe have come into the place by now."""
    return os.open(name, flags | os.O_NONBLOCK)
