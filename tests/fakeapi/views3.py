"""What v3 answers, over any world: the sample's model of it, and the paths that it leaves out."""

import base64
import json
import zlib
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from tests.fakeapi.behavior import Behavior, Credential
from tests.fakeapi.sample import Refusal, World, model
from tests.fakeapi.worlds import Index

Json = dict[str, Any]
Ids = dict[str, str]
Query = dict[str, list[str]]
SALT = b"\xfb\xff\xbe"  # makes every cursor hold the characters + and /
LISTS = {
    "session_ids": "session_id",
    "org_ids": "org_id",
    "user_ids": "user_id",
    "origins": "origin",
}
LISTS["service_user_ids"] = "service_user_id"


class Items:
    """The items of every list, made once."""

    def __init__(self, index: Index) -> None:
        self._index, self._world = index, index.world

    @cached_property
    def cycles(self) -> list[Json]:
        """Give the newest cycle first."""
        return [{"after": start, "before": end} for start, end in reversed(self._world.cycles)]

    @cached_property
    def organizations(self) -> list[Json]:
        """Give the organizations as the sample tells them."""
        return [
            found for part in self._parts() for found in model._organizations(part, {}, {})["items"]
        ]

    def _parts(self) -> Iterator[World]:
        places = self._world.organizations
        return (
            self._world._replace(organizations=places[n : n + 100])
            for n in range(0, len(places), 100)
        )

    @cached_property
    def users(self) -> list[Json]:
        """Give users with direct roles."""
        return list(model._directory(self._world, "users", {}, model._role_assignments))

    @cached_property
    def idp_users(self) -> list[Json]:
        """Give users that only the identity provider knows."""
        return list(model._directory(self._world, "idp-users", {}, model._idp_role_assignments))

    @cached_property
    def service_users(self) -> list[Json]:
        """Give service users."""
        return [model._service_user(found) for found in self._world.service_users]

    @cached_property
    def sessions(self) -> list[Json]:
        """Give sessions with what they consumed in their lifetime."""
        return [
            model._session(
                found,
                [atom.acus for atom in self._index.atoms({"session_id": f"devin-{found[1]}"})],
            )
            for found in self._world.sessions
        ]

    def direct_members(self, org_id: str) -> list[Json]:
        """Give users with a direct role in an organization."""
        return [
            user
            | {
                "role_assignments": [
                    role for role in user["role_assignments"] if role.get("org_id") == org_id
                ]
            }
            for user in self.users
            if any(role.get("org_id") == org_id for role in user["role_assignments"])
        ]

    def derived_members(self, org_id: str) -> list[Json]:
        """Give users who belong to an organization by a group of the identity provider."""
        role: Json = {"idp_group_name": "Engineering", "role": model._ORG_MEMBER, "org_id": org_id}
        return [
            {
                "user_id": found.user_id,
                "email": found.email,
                "name": found.name,
                "idp_role_assignments": [role],
            }
            for found in self._world.people
            if org_id in found.orgs
            and found.directory != "gone"
            and (found.directory == "idp-users" or org_id not in found.roles)
        ]


class Views:
    """Answers by template; `ids` and `query` have been checked against the contract."""

    def __init__(self, index: Index, behavior: Behavior) -> None:
        self.index, self.behavior, self.items = index, behavior, Items(index)
        self._kept: dict[tuple[object, ...], Json] = {}

    def answer(self, template: str, ids: Ids, query: Query, who: Credential) -> Any:
        """Answer a checked request, or raise Refusal."""
        if template == "/v3/self":
            return self._self(who)
        self._check_known(ids)
        if "/consumption/daily" in template:
            return self._daily(ids, query)
        if template in OTHERS:
            return OTHERS[template](self, ids)
        filters = sorted((k, v) for k, v in query.items() if k not in ("after", "first"))
        kind = f"{template}|{ids}|{filters}"
        return self._page(kind, self._filtered(template, ids, query), query)

    def _check_known(self, ids: Ids) -> None:
        if any(value not in self.index.known[name] for name, value in ids.items()):
            raise Refusal(404, "Not Found")
        person = self.index.known["user_id"].get(ids.get("user_id", ""))
        if person and person.directory == "gone" and self.behavior.gone_users == "not found":
            raise Refusal(404, "Not Found")

    def _self(self, who: Credential) -> Json:
        if who.principal == "pat_user":
            body = {"principal_type": "pat_user", "user_id": "email|pat", "user_name": "Pat"}
            return body | {"api_key_id": "key-1", "api_key_name": "laptop", "org_id": who.org_id}
        body = model._self(self.index.world, {}, {}) | {"org_id": who.org_id}
        if who.org_id is None:
            return body
        own = {
            "service_user_id": f"service-user-of-{who.org_id}",
            "service_user_name": f"Reader of {who.org_id}",
        }
        return body | own

    def _daily(self, ids: Ids, query: Query) -> Json:
        """Let the sample's model add up; enterprise and organizations used much, which is kept."""
        if ids.keys() - {"org_id"}:
            return model._daily(self.index.narrowed(ids), ids, query)
        key = (
            ids.get("org_id"),
            *(query.get(bound, [""])[0] for bound in ("time_after", "time_before")),
        )
        if key not in self._kept:
            self._kept[key] = model._daily(self.index.narrowed(ids), ids, query)
        return self._kept[key]

    def _filtered(self, template: str, ids: Ids, query: Query) -> list[Json]:
        items = LIST_OF[template](self, ids)
        if template.endswith("/sessions"):
            return self._sessions(items, query)
        if "email" in query:
            items = [item for item in items if item["email"] == query["email"][0]]
        return items

    def _sessions(self, items: list[Json], query: Query) -> list[Json]:
        for field in ("created", "updated"):
            after, before = model._window(query, f"{field}_after", f"{field}_before")
            items = [item for item in items if after <= item[f"{field}_at"] < before]
        for parameter, field in LISTS.items():
            if parameter in query:
                wanted = set(query[parameter])
                items = [item for item in items if item[field] in wanted]
        if "tags" in query:
            items = [item for item in items if set(query["tags"]) <= set(item["tags"])]
        return [] if query.keys() & {"playbook_id", "schedule_id"} else items

    def _page(self, kind: str, items: list[Json], query: Query) -> Json:
        start = _offset(kind, query)
        end = start + min(int(query.get("first", ["100"])[0]), self.behavior.page_cap)
        more = end < len(items)
        page: Json = {"items": items[start:end], "end_cursor": _cursor(kind, end) if more else None}
        page["has_next_page"] = more
        if self.behavior.totals != "absent":
            page["total"] = len(items) if self.behavior.totals == "given" else None
        return page

    def organization(self, ids: Ids) -> Json:
        """Give one organization."""
        return next(item for item in self.items.organizations if item["org_id"] == ids["org_id"])

    def user(self, ids: Ids) -> Json:
        """Give one user with direct and derived roles; somebody who has left is not found."""
        for item in (*self.items.users, *self.items.idp_users):
            if item["user_id"] == ids["user_id"]:
                return {"role_assignments": [], "idp_role_assignments": []} | item
        raise Refusal(404, "Not Found")

    def cycles(self) -> list[Json]:
        """Give the cycles, unless there shall be none."""
        return self.items.cycles if self.behavior.cycles == "all" else []


def _cursor(kind: str, offset: int) -> str:
    content = json.dumps(
        {"offset": offset, "list": zlib.crc32(kind.encode("utf-8", "surrogatepass"))}
    )
    return base64.b64encode(SALT + content.encode()).decode()


def _offset(kind: str, query: Query) -> int:
    """Read a cursor, which is good for the list it came from and for nothing else."""
    if "after" not in query:
        return 0
    try:
        content = json.loads(base64.b64decode(query["after"][0], validate=True).removeprefix(SALT))
        offset = int(content["offset"])
    except (ValueError, KeyError, TypeError):
        raise Refusal(422, "Unprocessable Content", "after") from None
    if query["after"][0] != _cursor(kind, offset):
        raise Refusal(422, "Unprocessable Content", "after")
    return offset


def _without_type(items: list[Json], roles: str) -> list[Json]:
    """Leave `role_type` out, as the organization-scoped lists do."""

    def bare(assignment: Json) -> Json:
        role = {name: value for name, value in assignment["role"].items() if name != "role_type"}
        return assignment | {"role": role}

    return [item | {roles: [bare(assignment) for assignment in item[roles]]} for item in items]


_MEMBERS = "/v3/enterprise/members"
_ORG_MEMBERS = "/v3/enterprise/organizations/{org_id}/members"
_BETA_MEMBERS = "/v3beta1/organizations/{org_id}/members"
LIST_OF: dict[str, Callable[[Views, Ids], list[Json]]] = {
    "/v3/enterprise/consumption/cycles": lambda views, _: views.cycles(),
    "/v3/enterprise/consumption/acu-limits/devin": lambda *_: [
        {"cycle_acu_limit": 20_000, "scope": "enterprise"}
    ],
    "/v3/enterprise/organizations": lambda views, _: views.items.organizations,
    f"{_MEMBERS}/users": lambda views, _: views.items.users,
    f"{_MEMBERS}/idp-users": lambda views, _: views.items.idp_users,
    f"{_MEMBERS}/service-users": lambda views, _: views.items.service_users,
    f"{_MEMBERS}/idp-groups": lambda *_: [
        {"idp_group_name": "Engineering", "role_assignments": []}
    ],
    f"{_ORG_MEMBERS}/users": lambda views, ids: views.items.direct_members(ids["org_id"]),
    f"{_ORG_MEMBERS}/service-users": lambda views, ids: [
        item
        for item in views.items.service_users
        if any(role["org_id"] == ids["org_id"] for role in item["role_assignments"])
    ],
    f"{_BETA_MEMBERS}/users": lambda views, ids: _without_type(
        views.items.direct_members(ids["org_id"]), "role_assignments"
    ),
    f"{_BETA_MEMBERS}/idp-users": lambda views, ids: _without_type(
        views.items.derived_members(ids["org_id"]), "idp_role_assignments"
    ),
    "/v3/enterprise/sessions": lambda views, _: views.items.sessions,
    "/v3/organizations/{org_id}/sessions": lambda views, ids: [
        item for item in views.items.sessions if item["org_id"] == ids["org_id"]
    ],
}
OTHERS: dict[str, Callable[[Views, Ids], Json]] = {
    "/v3/enterprise/organizations/{org_id}": Views.organization,
    f"{_MEMBERS}/users/{{user_id}}": Views.user,
    "/v3beta1/enterprise/organizations/{org_id}/consumption/acu-limits": lambda *_: {},
    "/v3beta1/enterprise/users/{user_id}/consumption/acu-limits": lambda *_: {},
    "/v3beta1/enterprise/users/consumption/acu-limits": lambda *_: {
        "local_agent": {"cycle_acu_limit": 500}
    },
    "/v3/enterprise/metrics/usage": lambda views, _: {
        "sessions_count": len(views.items.sessions),
        "searches_count": 0,
        "prs_created_count": 0,
        "prs_merged_count": 0,
    },
}
