"""Messages given to the mail server one after another, each recorded before and after.

Laws: what is recorded as in flight is on the disk before the server is asked to take it. What the
server put off, or what broke before it was whole, is tried again; what may have been taken is not.
One message that fails stops no other.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from reportgen.core.delivery import CUT_OFF, Dispatch, Known, State, latest
from reportgen.delivery.reach import Limits
from reportgen.delivery.server import MailFailure, MailServer
from reportgen.delivery.session import MailSession, Outcome, Outgoing
from reportgen.documents.mail import address
from reportgen.operations.context import Context

WAITS = (5.0, 30.0, 120.0, 300.0)
"""Seconds before what was put off is tried again; together more than most greylists ask for."""
MOST_BROKEN = 3
"""Connections that break one after another before the others are left for later; where as many
messages in a row were not answered for, for the next run, as each would be one that nobody knows
of."""
MINUTE = 60.0
STATES: Mapping[str, State] = {
    "accepted": "sent",
    "deferred": "pending",
    "refused": "failed",
    "uncertain": "uncertain",
}
"""What is recorded of each outcome."""


class Ledger(Protocol):
    """Where is kept what is known of each delivery."""

    @property
    def known(self) -> Known:
        """Give the latest of each delivery."""

    def record(self, *dispatches: Dispatch, wait: bool = True) -> None:
        """Keep what is known now; without `wait`, at the latest with what is recorded next."""


class Forgetful:
    """Keeps what is known for the length of a rehearsal."""

    def __init__(self, *dispatches: Dispatch) -> None:
        """Begin with what is to be rehearsed."""
        self.known: Known = latest(dispatches)

    def record(self, *dispatches: Dispatch, wait: bool = True) -> None:  # noqa: ARG002 - no disk
        """Remember it."""
        self.known = {**self.known, **latest(dispatches)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Parcel:
    """A message on its way: `content` puts it together, `files` are the hashes of what is in it.

    `weight` is how many bytes these files have.
    """

    dispatch: Dispatch
    content: Callable[[], bytes]
    files: Mapping[str, str]
    weight: int


class Courier:
    """One who carries messages over a connection that is reached again where it breaks."""

    def __init__(
        self, server: MailServer, sender: str, per_minute: int | None, context: Context
    ) -> None:
        """Reach nobody yet."""
        self._server, self._sender, self._context = server, sender, context
        self._spacing = MINUTE / per_minute if per_minute else 0.0
        self._last: datetime | None = None
        self._unanswered = 0
        self._session: MailSession | None = None

    def limits(self) -> Limits:
        """Reach the server, and give what it says of itself; raises MailFailure."""
        return self._reached().limits

    def close(self) -> None:
        """Take leave of the server."""
        if self._session:
            self._session.close()
        self._session = None

    def deliver(self, parcels: Sequence[Parcel], ledger: Ledger) -> None:
        """Carry every message as far as it gets; raises MailFailure where none gets anywhere."""
        with self._context.terminal.progress("Sending") as advance:

            def left(count: int) -> None:
                advance(len(parcels) - count, len(parcels))

            waiting = self._round(parcels, ledger, left)
            for seconds in WAITS:
                if not waiting or self._unanswered == MOST_BROKEN:
                    break
                ledger.record()
                self._wait(len(waiting), seconds)
                waiting = self._round(waiting, ledger, left)
        ledger.record()

    def _wait(self, count: int, seconds: float) -> None:
        self.close()  # it would be hung up meanwhile
        messages = "1 message was" if count == 1 else f"{count} messages were"
        self._context.terminal.say(f"{messages} put off; trying again in {seconds:.0f} seconds")
        self._context.sleep(seconds)

    def _round(
        self, parcels: Sequence[Parcel], ledger: Ledger, left: Callable[[int], None]
    ) -> list[Parcel]:
        """Try each message once; gives those to be tried again."""
        again: list[Parcel] = []
        broken = 0
        upcoming = _Upcoming(parcels)
        for done, parcel in enumerate(parcels, start=1):
            if MOST_BROKEN in {broken, self._unanswered}:
                return [*again, *parcels[done - 1 :]]
            outcome = self._carried(parcel, upcoming, ledger)
            broken = broken + 1 if outcome.lost else 0
            self._unanswered = self._unanswered + 1 if outcome.kind == "uncertain" else 0
            if outcome.kind == "deferred":
                again.append(parcel)
            left(len(again) + len(parcels) - done)
        return again

    def _carried(self, parcel: Parcel, upcoming: "_Upcoming", ledger: Ledger) -> Outcome:
        """Try a message once, and record what became of it."""
        begun = False

        def begin() -> None:
            nonlocal begun
            ledger.record(self._now(parcel, "in_flight"))
            begun = True

        message = Outgoing(
            sender=self._sender,
            recipient=address(parcel.dispatch.delivery.recipient).addr_spec,
            content=upcoming.take(),
            begin=begin,
            meanwhile=upcoming.prepare,
        )
        try:
            outcome = self._handed_over(message)
        except BaseException:
            if begun:
                with suppress(OSError):
                    ledger.record(self._now(parcel, "uncertain", CUT_OFF))
            raise
        done = self._now(parcel, STATES[outcome.kind], outcome.said)
        ledger.record(done, wait=outcome.kind != "accepted")
        return outcome

    def _handed_over(self, message: Outgoing) -> Outcome:
        """Give the server a message; where it had hung up meanwhile, call it once more."""
        used = self._session is not None
        try:
            session = self._reached()
            self._keep_pace()
            outcome = session.hand_over(message)
        except MailFailure as failure:
            if not failure.passing:
                raise
            return Outcome(kind="deferred", said=failure.problem.message, lost=True)
        if outcome.lost:
            self.close()
        if used and outcome.lost and outcome.kind == "deferred":
            return self._handed_over(message)
        return outcome

    def _reached(self) -> MailSession:
        self._session = self._session or MailSession(self._server)
        return self._session

    def _keep_pace(self) -> None:
        """Wait until the server takes another message."""
        now = self._context.now()
        passed = (now - self._last).total_seconds() if self._last else self._spacing
        if passed < self._spacing:
            self._context.sleep(self._spacing - passed)
        self._last = self._context.now()

    def _now(self, parcel: Parcel, state: State, said: str = "") -> Dispatch:
        at = self._context.now()
        return replace(parcel.dispatch, state=state, at=at, said=said, files=parcel.files)


class _Upcoming:
    """Messages in their order, each put together before it is needed."""

    def __init__(self, parcels: Sequence[Parcel]) -> None:
        self._parcels = iter(parcels)
        self._next: Future[bytes] | None = None

    def prepare(self) -> None:
        """Put the next message together, unless it is; what goes wrong is raised when it is due."""
        parcel = None if self._next else next(self._parcels, None)
        if parcel is None:
            return
        self._next = Future()
        try:
            self._next.set_result(parcel.content())
        except Exception as error:  # noqa: BLE001 - raised in its turn
            self._next.set_exception(error)

    def take(self) -> bytes:
        """Give the next message."""
        self.prepare()
        made, self._next = self._next, None
        return made.result() if made else b""
