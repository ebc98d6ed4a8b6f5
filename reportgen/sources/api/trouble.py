"""What went wrong on the way to the API, in words: the connection, its proxy, how long to wait."""

import socket
import ssl
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx
import msgspec

from reportgen.core.text import printable, quoted, said_by_system

WORDS: dict[type[BaseException], str] = {
    socket.gaierror: "the name of the host is unknown",
    ConnectionRefusedError: "connection refused",
    ConnectionResetError: "connection reset",
}
LONGEST_REASON = 200
MOST_DIGITS = 12


def reason_of(error: BaseException) -> str:
    """Say why a connection failed, as it can end a sentence."""
    for reason in filter(None, map(_of_the_system, _causes(error))):
        return reason
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.RemoteProtocolError):
        was_closed = "disconnected" in str(error) or "closed" in str(error)
        return "closed before the end of the answer" if was_closed else "the answer is not HTTP"
    if isinstance(error, httpx.HTTPError) and str(error):
        return printable(str(error)[:LONGEST_REASON]).rstrip(".")
    return type(error).__name__


def is_untrusted(error: BaseException) -> bool:
    """Tell whether a connection failed because of the server's certificate: that does not pass."""
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))


def is_absent(error: BaseException) -> bool:
    """Tell whether it is sure that nobody is there: no such name, or a host that refuses."""
    sure = socket.gaierror | ConnectionRefusedError
    return any(isinstance(cause, sure) for cause in _causes(error))


def distrust(error: BaseException) -> str:
    """Give what TLS says of a certificate that is not trusted, in brackets; else nothing."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError) and cause.verify_message:
            return f" ({printable(cause.verify_message.rstrip('.'))})"
    return ""


def explanation(body: str) -> str:
    """Give what an error body says of itself, in either of its two shapes; else nothing."""
    try:
        problem = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""
    if not isinstance(problem, dict):
        return ""
    detail = problem.get("detail") or problem.get("title") or ""
    if isinstance(detail, list):
        detail = "; ".join(str(part.get("msg", "")) for part in detail if isinstance(part, dict))
    return f" ({quoted(detail)})" if isinstance(detail, str) and detail else ""


def retry_after(headers: httpx.Headers, now: datetime) -> float | None:
    """Read Retry-After, seconds or a date; None where it is absent or makes no sense."""
    written = headers.get("Retry-After", "").strip()
    if written.isascii() and written.isdigit() and len(written) < MOST_DIGITS:
        return float(written)
    try:
        return max(0.0, (parsedate_to_datetime(written) - now).total_seconds())
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def _of_the_system(cause: BaseException) -> str:
    """Say what the operating system or TLS says, nothing where it was neither."""
    for kind, reason in WORDS.items():
        if isinstance(cause, kind):
            return reason
    if isinstance(cause, ssl.SSLError):
        reason = (cause.reason or "it was broken off").replace("_", " ").lower()
        return f"no TLS connection can be made: {reason}"
    if isinstance(cause, OSError) and cause.errno and cause.strerror:
        return said_by_system(cause)
    return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and what it came from, those of a group one after the other."""
    waiting, seen = [error], set()
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [one for one in (cause.__cause__, cause.__context__) if one]
        waiting += getattr(cause, "exceptions", ())
