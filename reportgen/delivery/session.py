"""A mail server that is given one message after another.

MAIL, RCPT and DATA are asked one by one, so that it is known at any moment how far a message got.

Law: until its final dot is on the way a message was not taken, whatever happens; from then on the
server's answer alone tells, and without one nobody knows.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from smtplib import SMTPResponseException
from typing import Literal

from reportgen.core.problem import Problem
from reportgen.delivery.answers import cause, said, without
from reportgen.delivery.reach import BROKEN, limits_of, reached
from reportgen.delivery.server import MailFailure, MailServer

GO_ON, LEAVING, TOO_LARGE = 354, 421, 552
TAKEN = frozenset({250, 251, 252})
BLOCK = 64 * 1024
"""Bytes that are waited for together."""
ABOUT_THE_MESSAGE = re.compile(r"\d+ 5\.(2\.3|3\.4)\b")
"""Answers to MAIL that mean this message alone: it is too large."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a message; `lost` says that the connection is of no more use."""

    kind: Literal["accepted", "deferred", "refused", "uncertain"]
    said: str
    lost: bool = False


def _nothing() -> None:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """A message for one recipient; `begin` is called before DATA, `meanwhile` after its last byte.

    What is done meanwhile costs no time: the server is at work then.
    """

    sender: str
    recipient: str
    content: bytes
    begin: Callable[[], None] = _nothing
    meanwhile: Callable[[], None] = _nothing


@contextmanager
def connected(server: MailServer) -> Iterator["MailSession"]:
    """Reach a server, sign in, and take leave in the end; raises MailFailure."""
    session = MailSession(server)
    try:
        yield session
    finally:
        session.close()


class MailSession:
    """A server that was signed in to."""

    def __init__(self, server: MailServer) -> None:
        """Reach it and sign in; raises MailFailure."""
        self._server = server
        self._smtp, self._hidden = reached(server)
        self.limits = limits_of(self._smtp)

    def close(self) -> None:
        """Take leave, where anybody still listens."""
        with suppress(*BROKEN):
            self._smtp.wait_for(self._server.patience.connect)
            self._smtp.quit()
        self._smtp.close()

    def hand_over(self, message: Outgoing) -> Outcome:
        """Give the server a message.

        Raises MailFailure where the server takes nothing from the sender at all.
        """
        early = self._announced(message.sender, message.recipient, len(message.content))
        if early:
            return early
        message.begin()
        return self._written(message.content) or self._ended(message.meanwhile)

    def _announced(self, sender: str, recipient: str, size: int) -> Outcome | None:
        """Say who writes to whom; give what became of it where that is the end."""
        options = (f"size={size}",) if self._smtp.has_extn("size") else ()
        try:
            self._smtp.wait_for(self._server.patience.command)
            code, words = self._answer(self._smtp.mail(sender, options))
            self._refuse_sender(code, words, sender)
            if code in TAKEN:
                code, words = self._answer(self._smtp.rcpt(recipient))
        except BROKEN as error:
            return self._broken(error)
        return None if code in TAKEN else self._declined(code, words)

    def _written(self, content: bytes) -> Outcome | None:
        """Write a message but for its end; give what became of it where that is the end."""
        try:
            code, words = self._answer(self._smtp.docmd("DATA"))
            if code == GO_ON:
                self._smtp.wait_for(self._server.patience.block)
                stuffed = _stuffed(content)
                for start in range(0, len(stuffed), BLOCK):
                    self._smtp.send(stuffed[start : start + BLOCK])
        except BROKEN as error:
            return self._broken(error)
        return None if code == GO_ON else self._declined(code, words)

    def _ended(self, meanwhile: Callable[[], None]) -> Outcome:
        """Write the end of a message, and hear whether it was taken."""
        try:
            self._smtp.wait_for(self._server.patience.last)
            self._smtp.send(b".\r\n")
            meanwhile()
            code, words = self._answer(self._smtp.getreply())
        except BROKEN as error:
            broken = self._broken(error).said
            return Outcome(kind="uncertain", said=f"{broken} after the whole message", lost=True)
        if code in TAKEN:
            return Outcome(kind="accepted", said=words)
        if _is_refusal(code) or _may_pass(code):
            return _judged(code, words)
        return Outcome(kind="uncertain", said=f"the answer has no meaning: {words}", lost=True)

    def _refuse_sender(self, code: int, words: str, sender: str) -> None:
        """Raise MailFailure where a server takes nothing from a sender, however it is made."""
        if not _is_refusal(code) or code == TOO_LARGE or ABOUT_THE_MESSAGE.match(words):
            return
        message = f"the mail server {self._server.place} takes nothing from {sender}: {words}"
        hint = "check `from`, `auth`, and as whom the user who signs in may send"
        raise MailFailure(Problem(source=self._server.source, message=message, hint=hint))

    def _declined(self, code: int, words: str) -> Outcome:
        """Say what an answer means that came before the message, and begin anew."""
        outcome = _judged(code, words)
        if outcome.lost:
            return outcome
        try:
            self._smtp.rset()
        except BROKEN:
            return Outcome(kind=outcome.kind, said=words, lost=True)
        return outcome

    def _broken(self, error: Exception) -> Outcome:
        """Say how a connection broke while a message was not whole yet."""
        words = f"the connection broke: {cause(error)}"
        if isinstance(error, SMTPResponseException):
            words = said(error.smtp_code, error.smtp_error)
        return Outcome(kind="deferred", said=without(words, self._hidden), lost=True)

    def _answer(self, answer: tuple[int, bytes]) -> tuple[int, str]:
        return answer[0], said(*answer, self._hidden)


def _judged(code: int, words: str) -> Outcome:
    if _is_refusal(code):
        return Outcome(kind="refused", said=words)
    return Outcome(kind="deferred", said=words, lost=code == LEAVING or not _may_pass(code))


def _is_refusal(code: int) -> bool:
    return code // 100 == 5  # noqa: PLR2004 - as RFC 5321 has it


def _may_pass(code: int) -> bool:
    return code // 100 == 4  # noqa: PLR2004 - as RFC 5321 has it


def _stuffed(content: bytes) -> bytes:
    """Write a message as DATA carries it: another dot before one that begins a line, CRLF last."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    stuffed = b"." + stuffed if stuffed.startswith(b".") else stuffed
    return stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"
