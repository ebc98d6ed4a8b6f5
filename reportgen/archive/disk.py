"""What lies on the disk for good, and what is on its way: nothing counts before it is there."""

import fcntl
import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO


def write_through(path: Path, content: bytes) -> None:
    """Write a file, in folders that are made where they are missing, and see it to the disk.

    Raises OSError with the name of the file, also where the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with naming(path), path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def write_pieces(folder: Path, pieces: Iterable[tuple[str, bytes]]) -> list[str]:
    """Write files side by side, each piece by piece, see them to the disk, and give their names.

    Raises OSError with the name of the file, also where the disk is full.
    """
    written: dict[str, BinaryIO] = {}
    with ExitStack() as files:
        for name, content in pieces:
            with naming(folder / name):
                if name not in written:
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    written[name] = (folder / name).open("wb")
                    files.callback(_close, written[name], folder / name)
                written[name].write(content)
        for name, file in written.items():
            with naming(folder / name):
                file.flush()
                os.fsync(file.fileno())
    return list(written)


def _close(file: BinaryIO, path: Path) -> None:
    """Close a file; what could not be written before is tried once more here."""
    with naming(path):
        file.close()


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let what the system refuses name the file: of a full disk it says only that it is full."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


@contextmanager
def placed(stage: Path, folder: Path) -> Iterator[None]:
    """Let what the system refuses in a stage name the file where it would have come to lie."""
    try:
        yield
    except OSError as error:
        with suppress(TypeError, ValueError):  # it names nothing, or another place
            below = Path(os.fsdecode(error.filename)).relative_to(stage)
            error.filename, error.filename2 = str(folder / below), None
        raise


@contextmanager
def written_beside(path: Path, mode: int) -> Iterator[BinaryIO]:
    """Give a file to write to, which takes its place once it is whole, or leaves nothing behind.

    Raises OSError with the name of the file, also where the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = None
    try:
        descriptor, beside = mkstemp(prefix=".reportgen-", dir=path.parent)
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        Path(beside).replace(path)
        sync(path.parent)
    except OSError as error:
        ours = beside is None or error.filename in {None, beside}
        name = str(path) if ours else error.filename
        raise OSError(error.errno, error.strerror, name) from error
    finally:
        if beside:
            Path(beside).unlink(missing_ok=True)


def sync(folder: Path) -> None:
    """See the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def held(path: Path) -> Iterator[Path]:
    """Lock a folder that is being made, as long as its maker lives, so that nobody clears it away.

    What becomes of it then is the maker's business.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield path
    finally:
        os.close(descriptor)


def abandoned(path: Path) -> bool:
    """Tell whether whoever made a folder is gone: one that is `held` has a lock on it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put Ctrl-C and SIGTERM off to the end of what is to be done in one go, and is short."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
