"""A closed cycle collected again: apart from it, as nothing is ever written into what is closed.

    .2025-12-05.fetching    the answers of a correction, until it is sealed or comes to nothing

What an interrupted run left there is gone on with for an hour, as a fetch of a draft is.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from reportgen.archive.fetch import STALE
from reportgen.archive.folder import EVIDENCE, private
from reportgen.core.problem import Problem, Rejected


@contextmanager
def apart(folder: Path, now: datetime, *, group: bool, keep: bool) -> Iterator[Path]:
    """Give a folder to collect a closed cycle in; it is gone afterwards.

    With `keep` it stays if what is done with it is interrupted, or the API fails. Raises Rejected
    where another run is at it.
    """
    path = folder.with_name(f".{folder.name}.fetching")
    with private(group=group):
        path.mkdir(exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not keep or _is_stale(path / EVIDENCE, now):
                shutil.rmtree(path / Path(EVIDENCE).parent, ignore_errors=True)
            yield path
            keep = False
        except Rejected:
            keep = False
            raise
        except BlockingIOError as error:
            keep = True
            message, hint = (
                "another run is correcting this billing cycle",
                "wait until it has ended",
            )
            raise Rejected([Problem(source=str(folder), message=message, hint=hint)]) from error
        finally:
            if not (keep and (path / EVIDENCE).exists()):
                shutil.rmtree(path, ignore_errors=True)
            os.close(descriptor)


def _is_stale(path: Path, now: datetime) -> bool:
    """Tell whether answers are too old to be gone on with."""
    return path.exists() and now.timestamp() - path.stat().st_mtime > STALE.total_seconds()
