"""What goes wrong between a server and a client, on demand: seeded, whatever else is asked."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random
from typing import Literal

HTML = b"<html><head><title>%s</title></head><body><h1>%s</h1></body></html>"
PROBLEM = '{"type":"about:blank","title":"%s","status":%d,"detail":"%s","instance":null}'
STATUSES = {
    "408": "Request Timeout",
    "425": "Too Early",
    "429 seconds": "Too Many Requests",
    "429 date": "Too Many Requests",
    "429": "Too Many Requests",
    "500": "Internal Server Error",
    "502": "Bad Gateway",
    "503": "Service Unavailable",
    "504": "Gateway Timeout",
}
WIRE = ("cut before", "reset", "cut middle", "truncated", "slow")
BODIES = {
    "maintenance": ("text/html", HTML % (b"Maintenance", b"We will be back soon")),
    "not json": ("application/json", b"{'detail': <unavailable>}"),
    "other json": ("application/json", b'{"status":"ok"}'),
    "empty": ("application/json", b""),
}
KINDS = (*STATUSES, *WIRE, *BODIES)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What goes onto the wire."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    cut: Literal["", "before", "reset", "middle"] = ""
    delay: float = 0.0


@dataclass
class Faults:
    """A share of all requests, and scripts; no line fails more than `in_a_row` times in turn."""

    share: float = 0.0
    kinds: tuple[str, ...] = tuple(kind for kind in KINDS if kind != "slow")
    in_a_row: int = 2
    seed: int = 1
    retry_after: int = 0
    """The seconds that 429 asks for."""
    slow_seconds: float = 1.0
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    """Tells the server its time; a client that is tested with a clock of its own needs it too."""
    happened: Counter[str] = field(default_factory=Counter)
    _scripts: list[tuple[tuple[str, ...], str | None, Counter[str]]] = field(default_factory=list)
    _attempts: Counter[str] = field(default_factory=Counter)
    _row: Counter[str] = field(default_factory=Counter)

    def script(self, *kinds: str, template: str | None = None) -> None:
        """Let the first attempts at every line, or every line of a template, fail in these ways."""
        self._check(kinds)
        self._scripts.append((kinds, template, Counter()))

    def mend(self) -> None:
        """Forget what was scripted."""
        self._scripts.clear()

    def next(self, line: str, template: str | None) -> str | None:
        """Choose how this attempt fails, if it does."""
        self._attempts[line] += 1
        kind = self._scripted(line, template) or self._drawn(line)
        self._row[line] = self._row[line] + 1 if kind else 0
        if kind:
            self.happened[kind] += 1
        return kind

    def _scripted(self, line: str, template: str | None) -> str | None:
        for kinds, wanted, attempts in self._scripts:
            if wanted in (None, template) and attempts[line] < len(kinds):
                attempts[line] += 1
                return kinds[attempts[line] - 1]
        return None

    def _drawn(self, line: str) -> str | None:
        if not self.share or self._row[line] >= self.in_a_row:
            return None
        self._check(self.kinds)
        rng = Random(f"{self.seed}|{line}|{self._attempts[line]}")  # noqa: S311 - no secret
        return (
            self.kinds[int(rng.random() * len(self.kinds))] if rng.random() < self.share else None
        )

    @staticmethod
    def _check(kinds: tuple[str, ...]) -> None:
        if unknown := {*kinds} - {*KINDS}:
            raise ValueError(f"no such fault: {unknown}")

    def instead(self, kind: str) -> Reply | None:
        """Give the reply that stands for an answer, or None where the answer itself is damaged."""
        if kind in BODIES:
            content_type, body = BODIES[kind]
            return Reply(status=200, body=body, content_type=content_type)
        if kind not in STATUSES:
            return None
        title, status = STATUSES[kind], int(kind[:3])
        if status in (502, 504):
            return Reply(
                status=status, body=HTML % ((title.encode(),) * 2), content_type="text/html"
            )
        body = (PROBLEM % (title, status, title)).encode()
        return Reply(status=status, body=body, headers=self._retry_after(kind))

    def _retry_after(self, kind: str) -> tuple[tuple[str, str], ...]:
        if kind == "429 seconds":
            return (("Retry-After", str(self.retry_after)),)
        if kind == "429 date":
            moment = self.clock() + timedelta(seconds=self.retry_after)
            return (("Retry-After", format_datetime(moment, usegmt=True)),)
        return ()

    def damaged(self, kind: str, reply: Reply) -> Reply:
        """Damage a good reply on its way."""
        if kind == "truncated":
            return replace(reply, body=reply.body[: len(reply.body) // 2])
        if kind == "slow":
            return replace(reply, delay=self.slow_seconds)
        if kind == "reset":
            return replace(reply, cut="reset")
        return replace(reply, cut="before" if kind == "cut before" else "middle")
