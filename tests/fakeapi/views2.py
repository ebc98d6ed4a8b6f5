"""What v2 answers about the same world: three totals of one dimension, and no product."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.fakeapi.behavior import Behavior
from tests.fakeapi.sample import DAY, Atom, Refusal
from tests.fakeapi.views3 import Items
from tests.fakeapi.worlds import Index

Json = dict[str, Any]
Ids = dict[str, str]
Query = dict[str, list[str]]


class Views:
    """Answers by template; `ids` and `query` have been checked against the contract."""

    def __init__(self, index: Index, behavior: Behavior, items: Items) -> None:
        self.index, self.behavior, self.items = index, behavior, items

    def answer(self, template: str, ids: Ids, query: Query) -> Any:
        """Answer a checked request, or raise Refusal."""
        if any(value not in self.index.known[name] for name, value in ids.items()):
            raise Refusal(404, "Not Found")
        return ROUTES[template](self, ids, query)

    def cycles(self, _ids: Ids, _query: Query) -> list[Json]:
        """Give the cycles, closed or half open."""
        cycles = self.index.world.cycles if self.behavior.cycles == "all" else ()
        return [self._cycle(start, end) for start, end in cycles]

    def _cycle(self, start: int, end: int) -> Json:
        if not self.behavior.closed_cycles:
            return {"start": _written(start), "end": _written(end)}
        first, last = _label(start), _label(end - DAY)
        return {"start": f"{first}T00:00:00Z", "end": f"{last}T23:59:59Z"}

    def daily(self, ids: Ids, query: Query) -> Json:
        """Add up by day, by organization and, without a user in the path, by user."""
        person = self.index.known["user_id"].get(ids.get("user_id", ""))
        if person and person.directory == "gone" and self.behavior.gone_users == "not found":
            raise Refusal(404, "Not Found")
        weighed = list(self._weighed(ids, query))
        body: Json = {
            "total_acus": _added(acus for _, acus in weighed),
            "consumption_by_date": _sums((_label(atom.day), acus) for atom, acus in weighed),
            "consumption_by_org_id": _sums((atom.org_id, acus) for atom, acus in weighed),
        }
        if "user_id" not in ids and self.behavior.user_map:
            body["consumption_by_user"] = _sums(
                (atom.principal_id, acus) for atom, acus in weighed if self._in_user_map(atom)
            )
        return body

    def _in_user_map(self, atom: Atom) -> bool:
        if self.behavior.service_users_in_user_map:
            return True
        return atom.principal_id not in self.index.known["service_user_id"]

    def _weighed(self, ids: Ids, query: Query) -> Iterable[tuple[Atom, float]]:
        """Give the atoms of a window; a day counts in part where a bound is not its boundary."""
        start, end = self._window(query)
        if "org_ids" in query:
            atoms = [
                atom
                for org in dict.fromkeys(query["org_ids"])
                for atom in self.index.atoms(ids | {"org_id": org})
            ]
        else:
            atoms = self.index.atoms(ids)
        for atom in atoms:
            inside = min(end, atom.day + DAY) - max(start, atom.day)
            if inside > 0:
                yield atom, atom.acus if inside == DAY else atom.acus * inside / DAY

    def _window(self, query: Query) -> tuple[int, int]:
        cycles = self.index.world.cycles
        now = cycles[-1][1] if self.behavior.now is None else self.behavior.now
        current = max((start for start, _ in cycles if start < now), default=0)
        return (
            _read(query.get("start_date") or query.get("start"), current),
            _read(query.get("end_date") or query.get("end"), now),
        )

    def organizations(self, _ids: Ids, query: Query) -> Json:
        """Give the organizations with their members counted."""
        people = self.index.world.people
        return _page([_organization(item, people) for item in self.items.organizations], query)

    def members(self, _ids: Ids, query: Query) -> Json:
        """Give everybody who has not left."""
        items = [
            _member(person) for person in self.index.world.people if person.directory != "gone"
        ]
        return _page(
            [item for item in items if item["email"] in query.get("email", [item["email"]])], query
        )

    def member(self, ids: Ids, _query: Query) -> Json:
        """Give one member."""
        person = self.index.known["user_id"][ids["user_id"]]
        if person.directory == "gone":
            raise Refusal(404, "Not Found")
        return _member(person)

    def members_of(self, ids: Ids, query: Query) -> Json:
        """Give the members of an organization, however they came to it."""
        organization = self.index.known["org_id"][ids["org_id"]]
        people = [
            person
            for person in self.index.world.people
            if person.directory != "gone" and ids["org_id"] in (*person.orgs, *person.roles)
        ]
        return _page([_member_of(person, organization) for person in people], query)

    def sessions(self, _ids: Ids, query: Query) -> Json:
        """Give the sessions of v3 in the words of v2."""
        items = [_session(item) for item in self.items.sessions]
        for field in ("created", "updated"):
            after = _read(query.get(f"{field}_date_from"), 0)
            before = _read(query.get(f"{field}_date_to"), 1 << 60)
            items = [item for item in items if after <= _read([item[f"{field}_at"]], 0) < before]
        for parameter in ("org_ids", "user_ids", "session_ids"):
            if parameter in query:
                items = [
                    item for item in items if item[parameter.removesuffix("s")] in query[parameter]
                ]
        return _page(items, query)


ROUTES: dict[str, Callable[[Views, Ids, Query], Any]] = {
    "/v2/enterprise/consumption/cycles": Views.cycles,
    "/v2/enterprise/consumption/daily": Views.daily,
    "/v2/enterprise/consumption/daily/{user_id}": Views.daily,
    "/v2/enterprise/organizations": Views.organizations,
    "/v2/enterprise/organizations/{org_id}/members": Views.members_of,
    "/v2/enterprise/members": Views.members,
    "/v2/enterprise/members/{user_id}": Views.member,
    "/v2/enterprise/sessions": Views.sessions,
}


def _organization(item: Json, people: Iterable[Any]) -> Json:
    count = sum(item["org_id"] in person.orgs for person in people)
    body = {
        "org_id": item["org_id"],
        "org_name": item["name"],
        "created_at": _written(item["created_at"]),
    }
    limits = {name: item[name] for name in ("max_cycle_acu_limit", "max_session_acu_limit")}
    return (
        body | limits | {"org_admin_count": 0, "org_member_count": count, "org_user_count": count}
    )


def _member(person: Any) -> Json:
    return {
        "user_id": person.user_id,
        "email": person.email or "",  # v2 knows no null here
        "name": person.name or "",
        "enterprise_role": "account_member",
        "created_at": "2024-01-15T10:30:00Z",
        "last_login": None,
        "login_count": None,
        "saml_id": None,
        "sessions_created_count": 0,
        "searches_created_count": 0,
    }


def _member_of(person: Any, organization: Any) -> Json:
    body = {
        name: value
        for name, value in _member(person).items()
        if name in ("user_id", "email", "name")
    }
    body |= {"org_id": organization.org_id, "org_name": organization.name, "org_role": "org_member"}
    return body | {"enterprise_role": None, "org_role_name": None}


def _session(item: Json) -> Json:
    kept = ("session_id", "org_id", "user_id", "title", "status", "tags", "acus_consumed", "url")
    body = {name: item[name] for name in kept}
    body |= {name: _written(item[name]) for name in ("created_at", "updated_at")}
    pulls = [{"url": pull["pr_url"], "state": pull["pr_state"]} for pull in item["pull_requests"]]
    return body | {"pull_requests": pulls}


def _page(items: list[Json], query: Query) -> Json:
    skip, limit = int(query.get("skip", ["0"])[0]), int(query.get("limit", ["100"])[0])
    more = skip + limit < len(items)
    return {
        "items": items[skip : skip + limit],
        "total": len(items),
        "skip": skip,
        "limit": limit,
        "has_more": more,
        "next_cursor": skip + limit if more else None,
    }


def _added(quantities: Iterable[float]) -> float:
    total = 0.0
    for quantity in quantities:  # one by one: the noise of floats is wanted
        total += quantity
    return total


def _sums(pairs: Iterable[tuple[str | None, float]]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for key, acus in pairs:
        if key is not None:
            sums[key] = sums.get(key, 0.0) + acus
    return sums


def _label(day: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=day)).date().isoformat()


def _written(instant: int) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(values: list[str] | None, default: int) -> int:
    """Read an instant; a date alone is midnight UTC, which is not the boundary of a billing day."""
    if not values:
        return default
    if len(values[0]) == len("2025-12-05"):
        day = date.fromisoformat(values[0])
        return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    return int(datetime.fromisoformat(values[0]).timestamp())
