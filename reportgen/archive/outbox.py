"""The outbox of a billing cycle: what was sent to whom, and what may have been.

    deliveries/2025-12-05.jsonl     an object a line, never rewritten; the last of a delivery counts

Laws: what is recorded is on the disk before anything is done that rests on it. A line that a crash
tore was never rested on, so it is cut off. No two runs write to one outbox, and no secret is in it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import msgspec

from reportgen.archive.disk import naming, sync
from reportgen.archive.folder import private, refuse_links
from reportgen.core.cycle import BillingCycle
from reportgen.core.delivery import Delivery, Dispatch, State, latest
from reportgen.core.problem import Problem, Rejected
from reportgen.files import content_of, refuse_other

DELIVERIES = "deliveries"


class _Line(msgspec.Struct, kw_only=True):
    at: datetime
    state: State
    cost_center: str
    number: str
    recipient: str
    document: str
    seal: str
    message_id: str
    series: int
    dated: datetime
    files: dict[str, str] = {}
    said: str = ""


_decoder = msgspec.json.Decoder(_Line)
_encoder = msgspec.json.Encoder()


def outbox_of(archive: Path, cycle: BillingCycle) -> Path:
    """Give the file of a cycle's outbox, which holds its corrections' too."""
    return archive / DELIVERIES / f"{cycle.start.isoformat()}.jsonl"


def read_outbox(path: Path) -> list[Dispatch]:
    """Read an outbox without touching it; raises Rejected with every line that cannot be read."""
    if not path.exists():
        return []
    return _dispatches(path, content_of(path))


class Outbox:
    """An outbox that this run alone writes to; `known` is the latest of each delivery."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Read it, and cut off what a crash tore."""
        self.path, self._descriptor = path, descriptor
        content = content_of(path)
        self.known = latest(_dispatches(path, content))
        self._size = content.rfind(b"\n") + 1
        if self._size < len(content):
            self._cut_off()

    def record(self, *dispatches: Dispatch, wait: bool = True) -> None:
        """Append what is known, and see it to the disk; a failure leaves nothing in the file.

        Without `wait` it gets there with what is recorded next: until then it may be forgotten, and
        is uncertain to whoever reads what stood before it.
        """
        lines = b"".join(_encoder.encode(_line(one)) + b"\n" for one in dispatches)
        with naming(self.path):
            try:
                _write(self._descriptor, lines)
                if wait:
                    os.fsync(self._descriptor)
            except OSError:
                with suppress(OSError):
                    self._cut_off()
                raise
        self._size += len(lines)
        self.known |= latest(dispatches)

    def _cut_off(self) -> None:
        os.ftruncate(self._descriptor, self._size)
        os.fsync(self._descriptor)


@contextmanager
def opened_outbox(path: Path, *, group: bool = False) -> Iterator[Outbox]:
    """Open an outbox to be written by this run alone; raises Rejected where another one does."""
    refuse_links(path.parent, ())
    refuse_other(path)
    with private(group=group):
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        descriptor = os.open(path, flags, 0o666)  # as `private` allows
    try:
        _lock(descriptor, path)
        sync(path.parent)
        sync(path.parent.parent)
        yield Outbox(path, descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        message = "another run is sending the documents of this billing cycle"
        hint = "wait until it has ended, then try again"
        raise Rejected([Problem(source=str(path), message=message, hint=hint)]) from error


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _dispatches(path: Path, content: bytes) -> list[Dispatch]:
    """Read every line but the last where a crash tore it."""
    dispatches, problems = [], []
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            dispatches.append(_dispatch(_decoder.decode(line)))
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            problems.append(_damaged(path, number))
    if problems:
        raise Rejected(problems)
    return dispatches


def _damaged(path: Path, number: int) -> Problem:
    message = "is no line of an outbox, so nobody can tell what was sent"
    hint = "restore the file from a copy: nothing is sent before"
    return Problem(source=f"{path}:{number}", message=message, hint=hint)


def _line(one: Dispatch) -> _Line:
    delivery = one.delivery
    return _Line(
        at=one.at,
        state=one.state,
        cost_center=delivery.cost_center,
        number=delivery.number,
        recipient=delivery.recipient,
        document=delivery.document,
        seal=delivery.seal,
        message_id=one.message_id,
        series=one.series,
        dated=one.dated,
        files=dict(one.files),
        said=one.said,
    )


def _dispatch(line: _Line) -> Dispatch:
    delivery = Delivery(
        cost_center=line.cost_center,
        number=line.number,
        document=line.document,
        recipient=line.recipient,
        seal=line.seal,
    )
    return Dispatch(
        delivery=delivery,
        state=line.state,
        at=line.at,
        message_id=line.message_id,
        series=line.series,
        dated=line.dated,
        files=line.files,
        said=line.said,
    )
