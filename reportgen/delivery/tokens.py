"""Tokens for a mail server: printed by a command, or asked for at a token server.

Law: neither a token nor what was printed or answered is ever shown.
"""

import os
import ssl
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from reportgen.core.problem import Problem
from reportgen.core.text import printable, quoted
from reportgen.delivery.server import MailFailure

LONGEST_TOKEN = 16 * 1024
LONGEST_WORD = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenRequest:
    """What a token server is asked; `source` is the line of the configuration that names it."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str
    proxy: str = ""
    source: str


def from_command(
    command: Sequence[str], environment: Mapping[str, str], source: str, patience: float = 60
) -> str:
    """Run a command, without a shell, and give the token it prints; raises MailFailure.

    It may take so many seconds.
    """
    try:
        done = subprocess.run(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _failed(source, f"gave no token within {patience:g} seconds") from None
    except (OSError, ValueError) as error:
        said = (
            os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else ""
        )
        raise _failed(source, f"cannot be run: {said or 'it holds what no command can'}") from None
    if done.returncode:
        raise _failed(source, f"ended with {done.returncode}")
    token = done.stdout[: LONGEST_TOKEN + 1].decode("utf-8", "replace").strip()
    if not is_token(token):
        raise _failed(source, "printed no token: it has to print it alone, on one line")
    return token


def from_server(request: TokenRequest, patience: float = 60) -> str:
    """Ask a token server by client credentials (RFC 6749, 4.4); raises MailFailure.

    Each step may take so many seconds.
    """
    form = {
        "grant_type": "client_credentials",
        "client_id": request.client_id,
        "client_secret": request.client_secret,
        "scope": request.scope,
    }
    try:
        with httpx.Client(
            proxy=request.proxy or None,
            verify=ssl.create_default_context(),
            trust_env=False,  # it would name another proxy than was chosen
            timeout=patience,
        ) as client:
            answer = client.post(request.url, data=form)
    except (httpx.HTTPError, httpx.InvalidURL, ImportError, ValueError) as error:
        raise _unanswered(request, f"cannot be reached ({type(error).__name__})") from None
    values = _values(answer)
    token = values.get("access_token")
    if answer.is_success and isinstance(token, str) and is_token(token):
        return token
    word = values.get("error")
    named = f" ({printable(word[:LONGEST_WORD])})" if isinstance(word, str) and word else ""
    hidden = named.replace(request.client_secret, "[secret]")
    raise _unanswered(request, f"gave no token: {answer.status_code}{hidden}")


def is_token(text: str) -> bool:
    """Tell whether a text can be a token: nothing that would end a line, and not too long."""
    return (
        0 < len(text) <= LONGEST_TOKEN and text.isascii() and text.isprintable() and " " not in text
    )


def _values(answer: httpx.Response) -> Mapping[str, object]:
    try:
        values = answer.json()
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _failed(source: str, what: str) -> MailFailure:
    hint = "run it by hand; it has to print a token, and nothing else"
    return MailFailure(
        Problem(source=source, message=f"the command for the token {what}", hint=hint)
    )


def _unanswered(request: TokenRequest, what: str) -> MailFailure:
    message = f"the token server {quoted(httpx.URL(request.url).host)} {what}"
    hint = "check token_url, client_id, scope, and the secret in its variable"
    return MailFailure(Problem(source=request.source, message=message, hint=hint))
