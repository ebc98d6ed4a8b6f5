"""The fake API: one world, both versions, what a test may switch and what it may look at."""

import gzip
import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from tests.fakeapi import views2, views3
from tests.fakeapi.behavior import Access, Behavior, Credential, usual_tokens
from tests.fakeapi.contract import Contract, Operation, Wrong
from tests.fakeapi.faults import Faults, Reply
from tests.fakeapi.sample import Refusal, World, build
from tests.fakeapi.truths import DEVIATING, told
from tests.fakeapi.worlds import Index

CONTRACT = Contract()
INSPECTION = "/_fake"
TITLES = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    422: "Unprocessable Content",
}
BETA = "/v3beta1"
ENDS_OF_LISTS = (
    "/cycles",
    "/sessions",
    "/organizations",
    "/users",
    "/idp-users",
    "/service-users",
    "/idp-groups",
)


@dataclass
class Seen:
    """What was asked, by line (`GET /path?query`), by template, and by whom; what was answered."""

    lines: Counter[str] = field(default_factory=Counter)
    templates: Counter[str] = field(default_factory=Counter)
    authorizations: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    running: int = 0
    most_running: int = 0

    def begin(self) -> None:
        """Count a request that is being answered."""
        self.running += 1
        self.most_running = max(self.most_running, self.running)

    def end(self) -> None:
        """Count it no more."""
        self.running -= 1

    def as_json(self) -> dict[str, Any]:
        """Give everything as plain values."""
        return {
            "violations": self.violations,
            "running": self.running,
            "most_running": self.most_running,
        } | {
            name: dict(getattr(self, name))
            for name in ("lines", "templates", "authorizations", "statuses")
        }


class FakeApi:
    """Answers requests; every public attribute may be changed while it serves."""

    def __init__(self, world: World | None = None, **behavior: Any) -> None:
        self.behavior = Behavior(**behavior)
        self.faults = Faults()
        self.truths: set[str] = set()
        self.access = Access()
        self.seen = Seen()
        self.base_url = ""
        self.show(world or build())

    def show(self, world: World) -> None:
        """Change to another world, as a restatement would; tokens and refusals stay."""
        self.world = world
        self.access.tokens |= usual_tokens(world)
        index = Index(world)
        self._v3 = views3.Views(index, self.behavior)
        self._v2 = views2.Views(index, self.behavior, self._v3.items)

    @property
    def violations(self) -> list[str]:
        """Give every request and every answer of the fake that was not as documented."""
        return self.seen.violations

    def forbid(self, template: str, status: int = 403, **ids: str) -> None:
        """Refuse an endpoint, or only the requests for some path values."""
        if template not in CONTRACT.operations:
            raise ValueError(f"no such endpoint: {template}")
        self.access.refused.append((template, ids, status))

    def lose(self, template: str, **ids: str) -> None:
        """Let an endpoint not be found."""
        self.forbid(template, 404, **ids)

    def allow_again(self) -> None:
        """Take every refusal back."""
        self.access.refused.clear()

    def forget(self) -> None:
        """Forget what has been seen, so that the next run is counted alone."""
        self.seen = Seen(running=self.seen.running)
        self.faults.happened.clear()

    def reply(self, method: str, target: str, headers: dict[str, str]) -> Reply:
        """Reply to a request; header names are in lower case."""
        if target == INSPECTION:
            seen = self.seen.as_json() | {"faults": dict(self.faults.happened)}
            return Reply(status=200, body=_encoded(seen))
        request = _Request(self, method, target, headers.get("authorization", ""))
        kind = self.faults.next(request.line, request.template)
        found = self.faults.instead(kind) if kind else None
        if found is None:
            found = self._compressed(request.reply(), headers)
            found = self.faults.damaged(kind, found) if kind else found
        self.seen.statuses[found.status] += 1
        return replace(
            found,
            delay=found.delay + self.behavior.latency,
            headers=(*found.headers, *self._date()),
        )

    def _date(self) -> tuple[tuple[str, str], ...]:
        if self.behavior.ahead is None:
            return ()
        told = datetime.now(UTC) + timedelta(seconds=self.behavior.ahead)
        return (("Date", format_datetime(told, usegmt=True)),)

    def _compressed(self, found: Reply, headers: dict[str, str]) -> Reply:
        if not self.behavior.compressed or "gzip" not in headers.get("accept-encoding", ""):
            return found
        encoding = (("Content-Encoding", "gzip"),)
        return replace(
            found, body=gzip.compress(found.body, 1, mtime=0), headers=found.headers + encoding
        )

    def view(
        self,
        operation: Operation,
        ids: dict[str, str],
        query: dict[str, list[str]],
        who: Credential,
    ) -> Any:
        """Answer what has been checked."""
        if operation.template.startswith("/v2/"):
            return self._v2.answer(operation.template, ids, query)
        return self._v3.answer(operation.template, ids, query, who)


class _Request:
    """A request on its way: contract, credential, permission, view, truths, contract again."""

    def __init__(self, api: FakeApi, method: str, target: str, authorization: str) -> None:
        self.api, self.method, self.target = api, method, target
        self.line = f"{method} {target}"
        url = urlsplit(target)
        self.path, self.version = url.path, "v2" if url.path.startswith("/v2/") else "v3"
        self.authorization = authorization
        self.operation: Operation | None = None
        self.ids: dict[str, str] = {}
        self.query: dict[str, list[str]] = {}
        self.wrong = self._contract_fault(url.query)
        self._count()

    @property
    def template(self) -> str | None:
        return self.operation.template if self.operation else None

    def _contract_fault(self, query: str) -> Wrong | None:
        if self.method != "GET":
            return Wrong("only GET is served", "method")
        path, beta = self.path, self.api.behavior.beta
        self.hidden = False
        if path.startswith(f"{BETA}/") and not _is_documented(path):
            path, self.hidden = path.replace(BETA, "/v3", 1), beta == "off"
        elif (
            path.startswith("/v3/")
            and path.endswith(ENDS_OF_LISTS)
            and "/consumption/daily/" not in path
        ):
            self.hidden = beta == "only"
        try:
            self.operation, self.ids = CONTRACT.match(path)
            self.query = self.operation.query(query)
        except Wrong as wrong:
            return wrong
        return None

    def _count(self) -> None:
        seen = self.api.seen
        seen.lines[self.line] += 1
        seen.authorizations[self.authorization] += 1
        if self.template:
            seen.templates[self.template] += 1
        if self.wrong:
            seen.violations.append(f"{self.line}: {self.wrong}")

    def reply(self) -> Reply:
        try:
            return Reply(status=200, body=self._body())
        except Refusal as refusal:
            if refusal.status == 422 and not self.wrong:
                self.api.seen.violations.append(
                    f"{self.line}: {refusal.parameter}: is not a value of this list"
                )
            return self._refused(refusal)

    def _body(self) -> bytes:
        who = self._credential()
        if self.wrong or self.operation is None:
            status = 405 if self.method != "GET" else 422
            raise Refusal(status, TITLES[status], self.wrong.parameter if self.wrong else None)
        self._check_permission(who)
        body = self.api.view(self.operation, self.ids, self.query, who)
        self._check_answer(body, "the answer")
        if self.api.truths:
            body = json.loads(json.dumps(body))
            told(body, self.api.truths, self.query, self.target)
            if not self.api.truths & DEVIATING:
                self._check_answer(body, "the answer with its truths")
        return _encoded(body)

    def _credential(self) -> Credential:
        scheme, _, token = self.authorization.partition(" ")
        who = self.api.access.tokens.get(token) if scheme.lower() == "bearer" else None
        if who is None or who.version != self.version or not self.api.behavior.allow_listed:
            raise Refusal(401, TITLES[401])
        return who

    def _check_permission(self, who: Credential) -> None:
        if self.operation is None or self.hidden:
            raise Refusal(404, TITLES[404])
        template = self.operation.template
        if who.org_id is not None and template != "/v3/self":
            if "/enterprise/" in template:
                raise Refusal(403, TITLES[403])
            if self.ids.get("org_id") != who.org_id:
                raise Refusal(self.api.behavior.wrong_org, TITLES[self.api.behavior.wrong_org])
        if status := self.api.access.refusal(template, self.ids):
            raise Refusal(status, TITLES.get(status, "Refused"))

    def _check_answer(self, body: Any, what: str) -> None:
        fault = self.operation.check(body) if self.operation else ""
        if fault:
            self.api.seen.violations.append(f"{self.line}: {what} is not as documented: {fault}")

    def _refused(self, refusal: Refusal) -> Reply:
        if self.version == "v3" and self.api.behavior.errors == "problem":
            body: Any = refusal.body(self.path)
            return Reply(
                status=refusal.status, body=_encoded(body), content_type="application/problem+json"
            )
        if refusal.status == 422:
            reason = str(self.wrong or "Invalid value")
            body = {
                "detail": [
                    {"loc": ["query", refusal.parameter], "msg": reason, "type": "value_error"}
                ]
            }
        else:
            body = {
                "detail": "Access denied"
                if (self.version, refusal.status) == ("v2", 403)
                else refusal.title
            }
        return Reply(status=refusal.status, body=_encoded(body))


def _is_documented(path: str) -> bool:
    try:
        CONTRACT.match(path)
    except Wrong:
        return False
    return True


def _encoded(body: Any) -> bytes:
    """Write JSON in UTF-8; what UTF-8 cannot carry, a lone surrogate, stands escaped."""
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":")).encode()
