"""A mail server reached: connected to, secured, signed in to.

Law: nothing secret is said before the connection is secured as the configuration asks for it, and
the certificate is one that this machine trusts.
"""

import binascii
import socket
import ssl
from base64 import b64decode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from smtplib import SMTP, SMTPConnectError, SMTPException
from typing import NoReturn

from reportgen.core.problem import Problem
from reportgen.delivery.answers import base64, cause, said
from reportgen.delivery.deadline import Patient, PatientTls
from reportgen.delivery.server import PORTS, MailFailure, MailServer, Password, SignIn

READY, SIGNED_IN, ASKED = 220, 235, 334
BROKEN = (SMTPException, OSError)
"""What is raised where a connection breaks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a server says of itself; `size` is in bytes, 0 where it names no bound."""

    size: int
    secured: str
    sign_ins: tuple[str, ...]
    extensions: tuple[str, ...]


def reached(server: MailServer) -> tuple[Patient, tuple[str, ...]]:
    """Connect and sign in; gives the connection, and what may never be said; raises MailFailure."""
    smtp = _connected(server)
    try:
        _at_once(smtp)
        smtp.wait_for(server.patience.command)
        smtp.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            _secure(server, smtp)
        return smtp, _signed_in(server, smtp, server.sign_in)
    except BaseException as error:
        smtp.close()
        if isinstance(error, BROKEN):
            raise _unreached(server, error) from None
        raise


def limits_of(smtp: SMTP) -> Limits:
    """Read what a server has said of itself."""
    features = {name.upper(): value for name, value in smtp.esmtp_features.items()}
    size = features.get("SIZE", "").strip()
    version = smtp.sock.version() if isinstance(smtp.sock, ssl.SSLSocket) else ""
    return Limits(
        size=int(size) if size.isascii() and size.isdigit() else 0,
        secured=version or "",
        sign_ins=tuple(features.get("AUTH", "").upper().split()),
        extensions=tuple(sorted(features)),
    )


def _connected(server: MailServer) -> Patient:
    port, seconds = server.port or PORTS[server.security], server.patience.connect
    try:
        kind = PatientTls if server.security == "tls" else Patient
        return kind(server.host, port, timeout=seconds)
    except SMTPConnectError as error:
        greeting = said(error.smtp_code, error.smtp_error)
        _refuse(server, f"greets with {greeting}", passing=not _for_good(error.smtp_code))
    except BROKEN as error:
        raise _unreached(server, error) from None


def _at_once(smtp: SMTP) -> None:
    """Let the end of a message go out at once: alone it is too short for a packet."""
    if smtp.sock:
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _secure(server: MailServer, smtp: SMTP) -> None:
    if not smtp.has_extn("starttls"):
        _refuse(server, "does not offer STARTTLS", "write `security: tls`, or the port that has it")
    code, text = smtp.starttls(context=ssl.create_default_context())
    if code != READY:
        _refuse(server, f"begins no TLS: {said(code, text)}", passing=not _for_good(code))
    smtp.ehlo()


def _signed_in(server: MailServer, smtp: SMTP, sign_in: SignIn) -> tuple[str, ...]:
    """Sign in, and give what must never be said of it."""
    if sign_in is None:
        return ()
    secret = sign_in.password if isinstance(sign_in, Password) else sign_in.fetch()
    ways = _ways(sign_in, secret)
    parts = [secret.encode(), *(part for way in ways.values() for part in way[-1:])]
    hidden = (*map(base64, parts), *(part.decode() for part in parts))
    offered = limits_of(smtp).sign_ins
    mechanism = next((name for name in ways if name in offered), "")
    if not mechanism:
        what = f"offers no sign-in by {' or '.join(ways)}, only {', '.join(offered) or 'none'}"
        _refuse(server, what, "check `auth`, `port` and `security`")
    code, text = _authenticated(smtp, mechanism, ways[mechanism])
    if code != SIGNED_IN:
        hint = "check the token, its scope, and the mailbox of the user"
        if isinstance(sign_in, Password):
            hint = "check user and password, and whether the server still takes passwords"
        what = f"does not let {sign_in.user} sign in: {said(code, text, hidden)}"
        _refuse(server, what, hint, passing=not _for_good(code))
    return hidden


def _ways(sign_in: Password | object, secret: str) -> Mapping[str, Sequence[bytes]]:
    """Give what is said to sign in, by mechanism, the better ones first."""
    user = getattr(sign_in, "user", "")
    if isinstance(sign_in, Password):
        return {
            "PLAIN": [f"\0{user}\0{secret}".encode()],
            "LOGIN": [user.encode(), secret.encode()],
        }
    return {"XOAUTH2": [f"user={user}\1auth=Bearer {secret}\1\1".encode()]}


def _authenticated(smtp: SMTP, mechanism: str, parts: Sequence[bytes]) -> tuple[int, bytes]:
    """Answer every challenge; one that comes after all, which tells an error, by an empty line.

    LOGIN is asked for its parts, the others say theirs with the command.
    """
    at_once, asked = (b"", parts) if mechanism == "LOGIN" else (parts[0], parts[1:])
    code, text = smtp.docmd("AUTH", f"{mechanism} {base64(at_once)}".rstrip())
    for part in asked:
        if code == ASKED:
            code, text = smtp.docmd(base64(part))
    if code != ASKED:
        return code, text
    challenge = text
    code, text = smtp.docmd("")
    return code, b"%s %s" % (text, _told(challenge))


def _told(challenge: bytes) -> bytes:
    """Read what a challenge says went wrong: JSON in base64."""
    with suppress(binascii.Error):
        return b64decode(challenge, validate=True)
    return b""


def _for_good(code: int) -> bool:
    return not 400 <= code < 500  # noqa: PLR2004 - what passes, in RFC 5321


def _refuse(
    server: MailServer, what: str, hint: str = "try again later", *, passing: bool = False
) -> NoReturn:
    message = f"the mail server {server.place} {what}"
    problem = Problem(source=server.source, message=message, hint=hint)
    raise MailFailure(problem, passing=passing)


def _unreached(server: MailServer, error: Exception) -> MailFailure:
    message = f"the mail server {server.place} cannot be reached: {cause(error)}"
    hint = "check host, port and the network, or try again later"
    if isinstance(error, ssl.SSLCertVerificationError):
        message = f"the mail server {server.place} cannot be trusted: {cause(error)}"
        hint = "write the host as its certificate has it; SSL_CERT_FILE can name who signed it"
    elif isinstance(error, ssl.SSLError):
        message = f"there is no TLS with the mail server {server.place}: {cause(error)}"
        hint = "check `security` and `port`: tls mostly has 465, starttls 587"
    passing = not isinstance(error, ssl.SSLCertVerificationError)
    return MailFailure(Problem(source=server.source, message=message, hint=hint), passing=passing)
