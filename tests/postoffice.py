"""A mail server on this machine that takes messages, and fails at whatever moment a test asks for.

A fault is looked up before each command is answered: an answer (`451 later`) is given instead of
its own, `DROP` breaks the connection without one. `END` is the moment after the final dot, when
the message is whole and not answered yet; `TAKEN_DROP` breaks the connection there, though the
message was taken.
"""

import asyncio
import json
import signal
import ssl
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from threading import Thread
from typing import Any

from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword, Session

DROP, TAKEN_DROP, TAKEN_SILENT = "drop", "taken, then drop", "taken, then silence"
ENDLESS, TRICKLING = "an answer without end", "an answer that trickles without end"
END = "."
USER, PASSWORD, TOKEN = "chargeback@acme.example", "s3cret-päss", "ya29.t0ken-of-the-mailbox"
Fault = Callable[[str, str], str | None]
"""Given a verb and its argument, the answer to give instead, or a kind of break."""


@dataclass(frozen=True)
class Received:
    """A message that was taken."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        found = message_from_bytes(self.content, policy=default)
        assert isinstance(found, EmailMessage)
        return found

    @property
    def name(self) -> tuple[str, str]:
        """Tell it from others: its Message-ID, and who got it."""
        (recipient,) = self.recipients
        return str(self.message["Message-ID"]), recipient


@dataclass
class PostOffice:
    """What a server has taken, and how it fails."""

    host: str = "127.0.0.1"
    port: int = 0
    size: int = 0
    fault: Fault = lambda verb, argument: None
    received: list[Received] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    challenged: list[bytes] = field(default_factory=list)
    connections: int = 0
    keeps: bool = True

    def names(self) -> list[tuple[str, str]]:
        return sorted(one.name for one in self.received)

    # What aiosmtpd asks a handler for

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        kind = self.fault(END, "")
        if kind in {ENDLESS, TRICKLING}:
            await _without_end(server, kind)
        if kind in {DROP, ENDLESS, TRICKLING}:
            server.transport.abort()
            return "250 never heard"
        if kind and kind[0].isdigit():
            return kind
        if not self.keeps:
            return "250 2.0.0 taken"
        content = envelope.original_content or b""
        recipients = tuple(map(str, envelope.rcpt_tos))
        self.received.append(Received(str(envelope.mail_from), recipients, content))
        if kind == TAKEN_SILENT:
            await asyncio.sleep(60)
        if kind == TAKEN_DROP:
            server.transport.abort()
        return f"250 2.0.0 taken as {len(self.received)}"

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        right = f"user={USER}\1auth=Bearer {TOKEN}\1\1".encode()
        if len(args) > 1 and args[1] == b64encode(right).decode():
            return AuthResult(success=True)
        told = json.dumps({"status": "400", "schemes": "bearer"})
        answer = await server.challenge_auth(told, encode_to_b64=True)
        self.challenged.append(b"" if answer is MISSING else answer)
        return AuthResult(success=False, handled=False)

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        right = isinstance(given, LoginPassword) and (given.login, given.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        return AuthResult(success=right, handled=False)


class _Faulty(SMTP):
    """A server that looks for a fault before it answers a command."""

    office: PostOffice

    def connection_made(self, transport: Any) -> None:
        self.office.connections += 1
        super().connection_made(transport)


async def _without_end(server: SMTP, kind: str) -> None:
    """Answer until nobody listens any more."""
    while not server.transport.is_closing():
        await server.push(b"250-more")
        await asyncio.sleep(0.05 if kind == TRICKLING else 0)


def _with_fault(verb: str) -> Callable[..., Any]:
    own = getattr(SMTP, f"smtp_{verb}")

    async def answered(self: _Faulty, argument: str) -> None:
        self.office.commands.append(verb)
        kind = self.office.fault(verb, argument or "")
        if kind == DROP:
            self.transport.abort()
        elif kind in {ENDLESS, TRICKLING}:
            await _without_end(self, kind)
        elif kind:
            await self.push(kind.encode())
            if kind.startswith("421"):
                self.transport.close()
        else:
            await own(self, argument)

    for name in ("__smtp_syntax__", "__smtp_syntax_extended__", "__smtp_syntax_when__"):
        if hasattr(own, name):
            setattr(answered, name, getattr(own, name))
    return answered


for _verb in ("EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "RSET", "QUIT"):
    setattr(_Faulty, f"smtp_{_verb}", _with_fault(_verb))


@contextmanager
def open_office(
    certificate: tuple[Path, Path] | None = None,
    *,
    implicit: bool = False,
    sign_in: bool = False,
    size: int = 0,
    without: tuple[str, ...] = (),
) -> Iterator[PostOffice]:
    """Serve on a free port until the block is left; with a certificate by STARTTLS or at once."""
    office, context = PostOffice(size=size), None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)

    def made() -> SMTP:
        server = _Faulty(
            office,
            hostname="mail.acme.example",
            ident="post office",
            data_size_limit=size or None,
            tls_context=None if implicit else context,
            authenticator=office.authenticate if sign_in else None,
            auth_required=sign_in,
            auth_require_tls=not implicit,
            auth_exclude_mechanism=without,
            loop=loop,
        )
        server.office = office
        return server

    loop = asyncio.new_event_loop()
    opened = loop.create_server(made, "127.0.0.1", 0, ssl=context if implicit else None)
    server = loop.run_until_complete(opened)
    office.port = server.sockets[0].getsockname()[1]
    loop.set_exception_handler(lambda _loop, _context: None)  # what a break leaves behind
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield office
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        with suppress(RuntimeError):
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def certified(folder: Path, names: str = "DNS:localhost,IP:127.0.0.1") -> tuple[Path, Path]:
    """Make a certificate for this machine, or for one of other names, and the key to it."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-keyout", str(key), "-out", str(certificate), "-days", "36500"]
    command += ["-subj", "/CN=localhost", "-addext", f"subjectAltName={names}"]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


if __name__ == "__main__":  # for benchmarks: takes everything and keeps nothing
    with open_office() as serving:
        serving.keeps = False
        sys.stdout.write(f"{serving.port}\n")
        sys.stdout.flush()
        signal.pause()
