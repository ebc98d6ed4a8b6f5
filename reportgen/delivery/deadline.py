"""smtplib's connection, with an end to its patience: an answer is whole in time, or there is none.

smtplib waits for each line of an answer anew, and for as many lines as come: a server that trickles
would keep a run for ever, also where it has the message and nobody can know yet.
"""

import ssl
from math import inf
from smtplib import SMTP, SMTP_SSL
from socket import socket
from time import monotonic

MOST_LINES = 1000
"""Lines of one answer, all that a server offers included."""
CHUNK = 4096


class AnswerWithoutEndError(OSError):
    """An answer has more lines than any that means something."""


class Patient(SMTP):
    """A connection whose answers end: `wait_for` says in how many seconds from now."""

    _until, _lines = inf, 0

    def __init__(self, host: str, port: int, *, timeout: float) -> None:
        """Connect, and hear the greeting, within a time."""
        self._until = monotonic() + timeout
        super().__init__(host, port, timeout=timeout)

    def wait_for(self, seconds: float) -> None:
        """Wait so long for whatever is sent or heard from now on."""
        self._until = monotonic() + seconds
        if self.sock:
            self.sock.settimeout(seconds)

    def getreply(self) -> tuple[int, bytes]:
        """Hear an answer."""
        self._lines = 0
        if self.file is None and self.sock:
            self.file = _Lines(self, self.sock)
        return super().getreply()

    def count_line(self) -> None:
        """Count a line of an answer; raises OSError where it is enough."""
        self._lines += 1
        if self._lines > MOST_LINES:
            raise AnswerWithoutEndError("an answer without end")

    def seconds_left(self) -> float:
        """Give the seconds that are left; raises TimeoutError where none is."""
        left = self._until - monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        return left


class PatientTls(Patient, SMTP_SSL):
    """The same, secured from its first byte."""

    def __init__(self, host: str, port: int, *, timeout: float) -> None:
        """Connect, secure the connection, and hear the greeting, within a time."""
        self._until = monotonic() + timeout
        context = ssl.create_default_context()
        SMTP_SSL.__init__(self, host, port, timeout=timeout, context=context)


class _Lines:
    """What a connection says, line by line, read before a time is over."""

    def __init__(self, smtp: Patient, sock: socket) -> None:
        self._smtp, self._sock, self._heard = smtp, sock, b""

    def readline(self, most: int) -> bytes:
        """Give the next line, cut off where it has more bytes than that; nothing at the end."""
        self._smtp.count_line()
        while b"\n" not in self._heard and len(self._heard) < most:
            self._sock.settimeout(self._smtp.seconds_left())
            chunk = self._sock.recv(CHUNK)
            if not chunk:
                break
            self._heard += chunk
        end = self._heard.find(b"\n") + 1 or most
        line, self._heard = self._heard[:end], self._heard[end:]
        return line

    def close(self) -> None:
        """Leave the socket to whoever opened it."""
