"""What a mail server said, or how a connection broke, as it can be told.

Law: no secret is in it, even where the server repeats one.
"""

import ssl
from base64 import b64encode
from collections.abc import Iterable
from smtplib import SMTPResponseException

from reportgen.core.text import clipped, legible, printable, said_by_system

LONGEST_ANSWER = 300
HIDDEN = "[secret]"
SHORTEST_SECRET = 4
"""Characters; what is shorter would be found in any text."""


def said(code: int, text: bytes | str, hidden: Iterable[str] = ()) -> str:
    """Write an answer on one line, cut where it is long, without what is hidden."""
    words = text if isinstance(text, str) else text.decode("utf-8", "replace")
    line = printable(legible(" ".join(f"{code} {words}".split())))
    return clipped(without(line, hidden), LONGEST_ANSWER)


def cause(error: Exception) -> str:
    """Say how a connection broke, or was never there."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, SMTPResponseException):
        return said(error.smtp_code, error.smtp_error)
    words = said_by_system(error) if isinstance(error, OSError) else type(error).__name__
    return clipped(printable(words), LONGEST_ANSWER)


def without(text: str, hidden: Iterable[str]) -> str:
    """Hide secrets in a text, as they are and as a message shows them."""
    forms = {form for secret in hidden for form in (secret, printable(secret))}
    for form in sorted(forms, key=len, reverse=True):
        if len(form) >= SHORTEST_SECRET:
            text = text.replace(form, HIDDEN)
    return text


def base64(part: bytes) -> str:
    """Write bytes as a line of a sign-in carries them."""
    return b64encode(part).decode("ascii")
