"""Bytes on their way to the disk, and the names of files too: nothing counts before it is there."""

import os
from pathlib import Path


def write_through(path: Path, content: bytes) -> None:
    """Write a file, in folders that are made where they are missing, and see it to the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """See the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
