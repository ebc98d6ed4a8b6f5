"""Answer the v3 API from the sample world: `answer` is pure, `serve` puts it on loopback.

Run as a script, it serves until it is ended.

Stricter than the real API on purpose: a query parameter that the OpenAPI description does not name
is refused with 422, so that a client's slip is seen. Where the real API is not documented, the
answers take the harder variant (newest cycle first, days without usage given by some views and left
out by others, `review` null or absent).
"""

import argparse
import base64
import binascii
import json
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

sys.path.append(
    str(Path(__file__).parent)
)  # `world` lies beside this file, however this file was loaded

from world import DAY, Atom, Person, ServiceUser, Session, World, build

Json = dict[str, Any]
Query = dict[str, list[str]]
View = Callable[[World, dict[str, str], Query], Json]


class Refusal(Exception):  # noqa: N818 - an answer, not an error of this program
    """A request that is answered with a problem body."""

    def __init__(self, status: int, title: str, parameter: str | None = None) -> None:
        super().__init__(title)
        self.status, self.title, self.parameter = status, title, parameter

    def body(self, path: str) -> Json:
        """Give the RFC 9457 body."""
        body: Json = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.title,
        }
        body["instance"] = path
        if self.parameter is not None:
            body["detail"] = None
            body["errors"] = [
                {"loc": ["query", self.parameter], "msg": "Invalid value", "type": "value_error"}
            ]
        return body


def answer(world: World, path_and_query: str) -> tuple[int, str]:
    """Answer one GET request with a status and a JSON body."""
    url = urlsplit(path_and_query)
    try:
        view, ids, parameters = _route(url.path)
        return 200, _text(view(world, ids, _query(url.query, parameters)))
    except Refusal as refusal:
        return refusal.status, _text(refusal.body(url.path))


@contextmanager
def serve(world: World, port: int = 0) -> Iterator[str]:
    """Serve the world on loopback while the context lasts, and give the base URL."""
    server = _Server(("127.0.0.1", port), _Handler)
    server.world = world
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(
        description="Serve the sample world as the v3 API, on loopback."
    )
    parser.add_argument("--port", type=int, default=8765)
    with serve(build(), parser.parse_args().port) as base_url:
        print(base_url, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("stopped")


def _self(world: World, _ids: dict[str, str], _parameters: Query) -> Json:
    reader = world.service_users[-1]
    body: Json = {"principal_type": "service_user", "service_user_id": reader.service_user_id}
    return body | {"service_user_name": reader.name, "org_id": None}


def _cycles(world: World, _ids: dict[str, str], query: Query) -> Json:
    newest_first = reversed(world.cycles)
    return _page([{"after": start, "before": end} for start, end in newest_first], query)


def _organizations(world: World, _ids: dict[str, str], query: Query) -> Json:
    items: list[Json] = [
        {
            **organization._asdict(),
            "created_at": 1735718400,
            "updated_at": world.cycles[0][0],
            "max_cycle_acu_limit": 5000 if organization is world.organizations[0] else None,
            "max_session_acu_limit": None,
        }
        for organization in world.organizations
    ]
    return _page(items, query, total=True)


def _users(world: World, _ids: dict[str, str], query: Query) -> Json:
    return _page(list(_directory(world, "users", query, _role_assignments)), query)


def _idp_users(world: World, _ids: dict[str, str], query: Query) -> Json:
    return _page(
        list(_directory(world, "idp-users", query, _idp_role_assignments)), query, total=True
    )


def _service_users(world: World, _ids: dict[str, str], query: Query) -> Json:
    return _page([_service_user(service_user) for service_user in world.service_users], query)


def _sessions(world: World, ids: dict[str, str], query: Query) -> Json:
    _check_known(world, ids)
    consumed: dict[str | None, list[float]] = {}
    for atom in world.atoms:
        consumed.setdefault(atom.session_id, []).append(atom.acus)
    items = [_session(session, consumed.get(session.session_id, [])) for session in world.sessions]
    if "org_id" in ids:
        items = [item for item in items if item["org_id"] == ids["org_id"]]
    for field in ("created", "updated"):
        after, before = _window(query, f"{field}_after", f"{field}_before")
        items = [item for item in items if after <= item[f"{field}_at"] < before]
    for parameter, field in _SESSION_LISTS.items():
        if parameter in query:
            items = [item for item in items if item[field] in query[parameter]]
    return _page(items, query)


def _daily(world: World, ids: dict[str, str], query: Query) -> Json:
    """Add up the atoms of an enterprise, organization, principal or session, day by day."""
    _check_known(world, ids)
    after, before = _window(query, "time_after", "time_before")
    days: dict[int, list[Atom]] = {}
    if not ids.keys() - {"org_id"}:
        # Enterprise and organizations show idle days as zero; people and sessions leave them out.
        days = {
            day: []
            for start, end in world.cycles
            for day in range(start, end, DAY)
            if after <= day < before
        }
    for atom in _atoms(world, ids):
        if after <= atom.day < before:
            days.setdefault(atom.day, []).append(atom)
    buckets = [_bucket(day, atoms) for day, atoms in days.items()]
    return {
        "total_acus": _added(bucket["acus"] for bucket in buckets),
        "consumption_by_date": buckets,
    }


_PAGE = ("after", "first")
_BOUNDS = ("time_after", "time_before")
_SESSION_LISTS = {
    "session_ids": "session_id",
    "origins": "origin",
    "user_ids": "user_id",
    "service_user_ids": "service_user_id",
    "org_ids": "org_id",
}
_SESSION_BOUNDS = ("created_after", "created_before", "updated_after", "updated_before")

# The paths as the OpenAPI description writes them, with the query parameters that are understood.
ROUTES: dict[str, tuple[View, tuple[str, ...]]] = {
    "/v3/self": (_self, ()),
    "/v3/enterprise/organizations": (_organizations, _PAGE),
    "/v3/enterprise/members/users": (_users, (*_PAGE, "email")),
    "/v3/enterprise/members/idp-users": (_idp_users, (*_PAGE, "email")),
    "/v3/enterprise/members/service-users": (_service_users, _PAGE),
    "/v3/enterprise/sessions": (_sessions, (*_PAGE, *_SESSION_BOUNDS, *_SESSION_LISTS)),
    "/v3/organizations/{org_id}/sessions": (
        _sessions,
        (*_PAGE, *_SESSION_BOUNDS, *list(_SESSION_LISTS)[:-1]),
    ),
    "/v3/enterprise/consumption/cycles": (_cycles, _PAGE),
    "/v3/enterprise/consumption/daily": (_daily, _BOUNDS),
    "/v3/enterprise/consumption/daily/organizations/{org_id}": (_daily, _BOUNDS),
    "/v3/enterprise/consumption/daily/users/{user_id}": (_daily, _BOUNDS),
    "/v3/enterprise/consumption/daily/service-users/{service_user_id}": (_daily, _BOUNDS),
    "/v3/enterprise/consumption/daily/sessions/{session_id}": (_daily, _BOUNDS),
    "/v3/organizations/{org_id}/consumption/daily": (_daily, _BOUNDS),
    "/v3/organizations/{org_id}/consumption/daily/users/{user_id}": (_daily, _BOUNDS),
    "/v3/organizations/{org_id}/consumption/daily/service-users/{service_user_id}": (
        _daily,
        _BOUNDS,
    ),
    "/v3/organizations/{org_id}/consumption/daily/sessions/{session_id}": (_daily, _BOUNDS),
}


def _route(path: str) -> tuple[View, dict[str, str], tuple[str, ...]]:
    segments = path.split("/")
    for template, (view, parameters) in ROUTES.items():
        pattern = template.split("/")
        if len(pattern) == len(segments) and all(
            p == s or p[:1] == "{" for p, s in zip(pattern, segments, strict=True)
        ):
            # Decoded after the split: an id may hold a slash.
            ids = {
                p[1:-1]: unquote(s) for p, s in zip(pattern, segments, strict=True) if p[:1] == "{"
            }
            return view, ids, parameters
    raise Refusal(404, "Not Found")


def _query(text: str, parameters: tuple[str, ...]) -> Query:
    query = parse_qs(text, keep_blank_values=True)
    for name, values in query.items():
        if (
            name not in parameters
            or not all(values)
            or (len(values) > 1 and name not in _SESSION_LISTS)
        ):
            raise Refusal(422, "Unprocessable Content", name)
    return query


def _number(query: Query, name: str, default: float) -> float:
    text = query.get(name, [""])[0]
    if not text:
        return default
    if not (text.isascii() and text.removeprefix("-").isdigit()):
        raise Refusal(422, "Unprocessable Content", name)
    return int(text)


def _window(query: Query, after: str, before: str) -> tuple[float, float]:
    return _number(query, after, float("-inf")), _number(query, before, float("inf"))


def _check_known(world: World, ids: dict[str, str]) -> None:
    known = {
        "org_id": {organization.org_id for organization in world.organizations},
        "user_id": {person.user_id for person in world.people},
        "service_user_id": {service_user.service_user_id for service_user in world.service_users},
        "session_id": {
            f"devin-{session.session_id}"
            for session in world.sessions
            if ids.get("org_id") in (None, session.org_id)
        },
    }
    if not all(value in known[name] for name, value in ids.items()):
        raise Refusal(404, "Not Found")


def _atoms(world: World, ids: dict[str, str]) -> Iterator[Atom]:
    org_id, principal_id = ids.get("org_id"), ids.get("user_id", ids.get("service_user_id"))
    session_id = ids["session_id"].removeprefix("devin-") if "session_id" in ids else None
    for atom in world.atoms:
        same_place = org_id in (None, atom.org_id) and principal_id in (None, atom.principal_id)
        if same_place and session_id in (None, atom.session_id):
            yield atom


def _bucket(day: int, atoms: list[Atom]) -> Json:
    products: dict[str, float | None] = {"devin": 0.0, "cascade": 0.0, "terminal": 0.0}
    for product in dict.fromkeys([*products, *(atom.product for atom in atoms)]):
        products[product] = _added(atom.acus for atom in atoms if atom.product == product)
    # A review of zero is null one day, absent the next and 0.0 the third: all have been seen.
    if "review" not in products and day // DAY % 3 != 1:
        products["review"] = None if day // DAY % 3 == 0 else 0.0
    return {"date": day, "acus": _added(atom.acus for atom in atoms), "acus_by_product": products}


def _added(quantities: Iterable[float]) -> float:
    """Add one by one: since Python 3.12 the built-in sum hides float noise, and it is wanted."""
    total = 0.0
    for quantity in quantities:
        total += quantity
    return total


def _directory(
    world: World, directory: str, query: Query, assignments: Callable[[int, Person], Json]
) -> Iterator[Json]:
    wanted = query.get("email")
    for number, person in enumerate(world.people):
        if person.directory == directory and (wanted is None or person.email in wanted):
            identity: Json = {"user_id": person.user_id, "email": person.email, "name": person.name}
            yield identity | assignments(number, person)


def _role_assignments(number: int, person: Person) -> Json:
    member: Json = {
        "role": {"role_id": "role-1", "role_name": "Enterprise Member", "role_type": "enterprise"}
    }
    if number % 2:
        member["org_id"] = None  # the same as leaving it out, which is what the other half does
    return {
        "role_assignments": [
            member,
            *({"role": _ORG_MEMBER, "org_id": org_id} for org_id in person.roles),
        ]
    }


def _idp_role_assignments(_number: int, person: Person) -> Json:
    group: Json = {"idp_group_name": "Engineering", "role": _ORG_MEMBER}
    return {
        "idp_role_assignments": [group | {"org_id": org_id} for org_id in person.roles or (None,)]
    }


_ORG_MEMBER: Json = {"role_id": "role-2", "role_name": "Org Member", "role_type": "org"}


def _service_user(service_user: ServiceUser) -> Json:
    role: Json = {"role": _ORG_MEMBER, "org_id": service_user.org_id}
    return {
        "service_user_id": service_user.service_user_id,
        "name": service_user.name,
        "role_assignments": [role] if service_user.org_id else [],
        "expires_at": service_user.expires_at,
        "deleted_at": None,
    }


def _session(session: Session, consumed: list[float]) -> Json:
    number, by_service_user = session.number, session.principal_id.startswith("service-user-")
    return {
        "session_id": session.session_id,
        "url": f"https://app.devin.ai/sessions/{session.session_id}",
        "title": None if number % 13 == 0 else f"Task {4700 + number}",
        "status": ("exit", "suspended", "running")[number % 3] if consumed else "creating",
        "status_detail": (None, "finished", "out_of_quota", "total_session_limit_exceeded")[
            number % 4
        ],
        "tags": list(session.tags),
        "org_id": session.org_id,
        "user_id": None if by_service_user else session.principal_id,
        "service_user_id": session.principal_id if by_service_user else None,
        "created_at": session.created_at,
        "updated_at": session.updated_at,
        "acus_consumed": _added(consumed),
        "pull_requests": [_pull_request(number)] if number % 3 == 0 else [],
        "is_archived": number % 17 == 0,
        "category": None if number % 5 else "migrations_and_upgrades",
        "origin": ("webapp", "slack", "api", "desktop", None, "cli", "automation")[number % 7],
    }


def _pull_request(number: int) -> Json:
    state = ("merged", "open", None)[number // 3 % 3]
    return {"pr_url": f"https://git.acme.example/pull/{900 + number}", "pr_state": state}


def _page(items: Sequence[Json], query: Query, *, total: bool = False) -> Json:
    start, size = _offset(query), int(_number(query, "first", 100))
    if not 1 <= size <= 200:
        raise Refusal(422, "Unprocessable Content", "first")
    end = start + size
    more = end < len(items)
    return {
        "items": list(items[start:end]),
        "end_cursor": base64.b64encode(_text({"offset": end}).encode()).decode() if more else None,
        "has_next_page": more,
        "total": len(items) if total else None,
    }


def _offset(query: Query) -> int:
    if "after" not in query:
        return 0
    try:
        return int(json.loads(base64.b64decode(query["after"][0], validate=True))["offset"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise Refusal(422, "Unprocessable Content", "after") from None


def _text(body: Json) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


class _Server(ThreadingHTTPServer):
    world: World
    request_queue_size = 64


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            status, body = answer(self.server.world, self.path)
        else:
            status, body = 401, _text(Refusal(401, "Unauthorized").body(urlsplit(self.path).path))
        content = body.encode()
        self.send_response(status)
        self.send_header(
            "Content-Type", "application/json" if status == 200 else "application/problem+json"
        )
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the inherited signature
        """Stay silent: the base URL is the only output."""


if __name__ == "__main__":
    main()
