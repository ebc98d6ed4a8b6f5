"""A mail server as it is reached: where it is, how to sign in, how long it is waited for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from reportgen.core.problem import Problem

Security = Literal["starttls", "tls", "plain"]
PORTS: dict[Security, int] = {"starttls": 587, "tls": 465, "plain": 25}


class MailFailure(Exception):  # noqa: N818 - what the server or the network did, told to the user
    """The mail server refused to be used, or could not be reached; `passing` where that may end."""

    def __init__(self, problem: Problem, *, passing: bool = False) -> None:
        """Hold the one line the user reads."""
        self.problem, self.passing = problem, passing
        super().__init__(str(problem))


@dataclass(frozen=True, kw_only=True, slots=True)
class Password:
    """Sign in by user and password."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessToken:
    """Sign in by a token (XOAUTH2), which is fetched for every connection, as it grows old."""

    user: str
    fetch: Callable[[], str] = field(repr=False)


SignIn = Password | AccessToken | None
"""None where the server knows this machine."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How many seconds a server may take; RFC 5321 (4.5.3.2) asks for as many, but to connect.

    `token` is for whoever gives the token to sign in with.
    """

    connect: float = 30
    command: float = 300
    block: float = 180
    last: float = 600
    token: float = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class MailServer:
    """Where a server is; `source` is the line of the configuration that names it."""

    host: str
    source: str
    security: Security = "starttls"
    port: int | None = None
    sign_in: SignIn = None
    patience: Patience = Patience()

    @property
    def place(self) -> str:
        """Name it as people do."""
        return f"{self.host}:{self.port or PORTS[self.security]}"
