"""The fake API: both versions agree about one world, and what is switched on is on the wire."""

import json
import re
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from itertools import islice
from itertools import product as combinations

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.fakeapi.api import CONTRACT, FakeApi
from tests.fakeapi.behavior import ADMIN, ENTERPRISE, PERSONAL, organization_token
from tests.fakeapi.contract import FOLDER, Schemas, target_of
from tests.fakeapi.faults import BODIES, KINDS, STATUSES, Faults
from tests.fakeapi.sample import CYCLES, DAY, Atom, build
from tests.fakeapi.server import serving, serving_apart
from tests.fakeapi.truths import DEVIATING, OF_DAYS, TRUTHS
from tests.fakeapi.worlds import EMPTY_CYCLE, HARD_IDS, HARD_NAMES, Index, big_world, hard_world

V3, V2 = "/v3/enterprise/consumption/daily", "/v2/enterprise/consumption/daily"
pytestmark = pytest.mark.heavy  # what the program is tried against changes seldom
USERS, SESSIONS = "/v3/enterprise/members/users", "/v3/enterprise/sessions"
WINDOW = {"time_after": CYCLES[1][0], "time_before": CYCLES[1][1]}
DATES = {"start_date": "2025-12-05T08:00:00Z", "end_date": "2026-01-05T08:00:00Z"}
SAMPLE, HARD = build(), hard_world()
BIG = big_world(users=420, organizations=5, sessions=230)
WORLDS = pytest.mark.parametrize("world", [SAMPLE, HARD, BIG], ids=["sample", "hard", "big"])


def reply(api, template, ids=None, token=None, method="GET", **query):
    """Ask without a network: the answer is the same as over it."""
    token = token or (ADMIN if template.startswith("/v2") else ENTERPRISE)
    return api.reply(
        method, target_of(template, ids, **query), {"authorization": f"Bearer {token}"}
    )


def ask(api, template, ids=None, token=None, **query):
    found = reply(api, template, ids, token, **query)
    assert found.status == 200, found.body
    return json.loads(found.body)


def status(*arguments, **keywords):
    return reply(*arguments, **keywords).status


def items(api, template, ids=None, token=None, **query):
    collected = []
    while True:
        page = ask(api, template, ids, token, **query)
        collected += page["items"]
        if not page.get("has_next_page", page.get("has_more")):
            return collected
        query |= {"skip": page["next_cursor"]} if "skip" in page else {"after": page["end_cursor"]}


def by_date(body):
    """Give ACUs by date; v2 leaves days without usage out."""
    found = Counter()
    for bucket in body["consumption_by_date"]:
        found[datetime.fromtimestamp(bucket["date"], UTC).date().isoformat()] += bucket["acus"]
    return {day: acus for day, acus in found.items() if acus}


def close(found, expected):
    return found.keys() == expected.keys() and all(
        abs(found[key] - expected[key]) < 1e-9 for key in found
    )


# Both versions, one world


@WORLDS
def test_both_versions_tell_the_same_of_the_enterprise(world):
    api = FakeApi(world)
    for start, end in world.cycles:
        bounds = [
            datetime.fromtimestamp(bound, UTC).isoformat().replace("+00:00", "Z")
            for bound in (start, end)
        ]
        new = ask(api, V3, time_after=start, time_before=end)
        old = ask(api, V2, start_date=bounds[0], end_date=bounds[1])
        assert close(
            by_date(new), {day: acus for day, acus in old["consumption_by_date"].items() if acus}
        )
        assert old["total_acus"] == pytest.approx(new["total_acus"], abs=1e-9)
        assert old["total_acus"] == pytest.approx(
            sum(old["consumption_by_date"].values()), abs=1e-9
        )
    assert api.violations == []


@WORLDS
def test_both_versions_tell_the_same_of_organizations(world):
    api = FakeApi(world)
    totals = ask(api, V2, **DATES)["consumption_by_org_id"]
    for organization in world.organizations:
        ids = {"org_id": organization.org_id}
        found = [
            ask(api, f"{V3}/organizations/{{org_id}}", ids, **WINDOW),
            ask(api, "/v3/organizations/{org_id}/consumption/daily", ids, **WINDOW),
        ]
        old = ask(api, V2, org_ids=[organization.org_id], **DATES)
        assert found[0] == found[1]
        assert close(by_date(found[0]), old["consumption_by_date"])
        assert old["total_acus"] == pytest.approx(totals.get(organization.org_id, 0.0), abs=1e-9)
        assert old["consumption_by_org_id"].keys() <= {organization.org_id}


@WORLDS
def test_both_versions_tell_the_same_of_users_in_organizations(world):
    api = FakeApi(world)
    for person in world.people[:60]:
        ids = {"user_id": person.user_id}
        new, old = (
            ask(api, f"{V3}/users/{{user_id}}", ids, **WINDOW),
            ask(api, f"{V2}/{{user_id}}", ids, **DATES),
        )
        assert close(by_date(new), old["consumption_by_date"])
        assert "consumption_by_user" not in old
        for org_id in person.orgs:
            pair = "/v3/organizations/{org_id}/consumption/daily/users/{user_id}"
            new = ask(api, pair, ids | {"org_id": org_id}, **WINDOW)
            assert close(
                by_date(new),
                ask(api, f"{V2}/{{user_id}}", ids, org_ids=org_id, **DATES)["consumption_by_date"],
            )
            assert new["total_acus"] == pytest.approx(
                old["consumption_by_org_id"].get(org_id, 0.0), abs=1e-9
            )


def test_v2_with_organizations_leaves_out_what_is_tied_to_none():
    api = FakeApi(BIG)
    every = [organization.org_id for organization in BIG.organizations]
    whole, tied = ask(api, V2, **DATES), ask(api, V2, org_ids=every, **DATES)
    untied = sum(atom.acus for atom in BIG.atoms if atom.org_id is None)
    assert untied > 100
    assert whole["total_acus"] - tied["total_acus"] == pytest.approx(untied)
    assert sum(whole["consumption_by_org_id"].values()) == pytest.approx(tied["total_acus"])
    assert sum(whole["consumption_by_user"].values()) < whole["total_acus"]


def test_v2_may_lack_the_map_of_users_and_close_its_cycles():
    api = FakeApi(SAMPLE, user_map=False, closed_cycles=True)
    assert "consumption_by_user" not in ask(api, V2, **DATES)
    cycles = ask(api, "/v2/enterprise/consumption/cycles")
    assert cycles[1] == {"start": "2025-12-05T00:00:00Z", "end": "2026-01-04T23:59:59Z"}
    api.behavior.closed_cycles, api.behavior.user_map = False, True
    assert ask(api, "/v2/enterprise/consumption/cycles")[1] == {
        "start": DATES["start_date"],
        "end": DATES["end_date"],
    }
    users = ask(api, V2, **DATES)["consumption_by_user"]
    assert not any(key.startswith("service-user-") for key in users)
    api.behavior.service_users_in_user_map = True
    assert any(
        key.startswith("service-user-") for key in ask(api, V2, **DATES)["consumption_by_user"]
    )


def test_v2_cuts_days_at_bounds_that_are_no_boundary_and_knows_a_current_cycle():
    api = FakeApi(SAMPLE)
    right = ask(api, V2, **DATES)
    assert ask(api, V2) == right
    assert ask(api, V2, start=DATES["start_date"], end=DATES["end_date"]) == right
    plain = ask(api, V2, start_date="2025-12-05", end_date="2026-01-05")
    assert 0 < abs(plain["total_acus"] - right["total_acus"]) < 0.05 * right["total_acus"]
    assert plain["consumption_by_date"]["2025-12-04"] > 0
    api.behavior.now = CYCLES[1][0] + DAY
    assert ask(api, V2)["consumption_by_date"].keys() == {"2025-12-05"}


def test_the_index_is_the_sum_over_all_atoms():
    index, org_id = Index(SAMPLE), SAMPLE.organizations[0].org_id
    found = [
        atom
        for atom in SAMPLE.atoms
        if atom.org_id == org_id and atom.principal_id == "okta|acme|0042"
    ]
    assert index.atoms({"org_id": org_id, "user_id": "okta|acme|0042"}) == found
    assert index.atoms({}) == list(SAMPLE.atoms)


# Lists


@WORLDS
def test_lists_come_in_pages_and_whole(world):
    api = FakeApi(world, page_cap=7)
    users = items(api, USERS, first=200)
    assert [user["user_id"] for user in users] == [
        p.user_id for p in world.people if p.directory == "users"
    ]
    assert len(items(api, "/v3/enterprise/members/idp-users")) == sum(
        p.directory == "idp-users" for p in world.people
    )
    assert len(items(api, "/v3/enterprise/organizations", first=2)) == len(world.organizations)
    present = [person for person in world.people if person.directory != "gone"]
    assert len(items(api, "/v2/enterprise/members", limit=13)) == len(present)
    assert (
        len(items(api, SESSIONS))
        == len(items(api, "/v2/enterprise/sessions", limit=9))
        == len(world.sessions)
    )
    for organization in world.organizations:
        ids, token = {"org_id": organization.org_id}, organization_token(organization.org_id)
        base = "/v3beta1/organizations/{org_id}/members"
        both = items(api, f"{base}/users", ids, token) + items(api, f"{base}/idp-users", ids, token)
        old = items(api, "/v2/enterprise/organizations/{org_id}/members", ids)
        assert Counter(user["user_id"] for user in both) == Counter(user["user_id"] for user in old)
    assert api.violations == []


def test_cursors_are_opaque_and_good_for_their_own_list_only():
    api = FakeApi(SAMPLE)
    cursor = ask(api, USERS, first=5)["end_cursor"]
    assert {"+", "/"} <= set(cursor)
    assert len(ask(api, USERS, first=5, after=cursor)["items"]) == 5
    assert api.violations == []
    assert status(api, SESSIONS, after=cursor) == 422
    assert status(api, USERS, after="2") == 422
    assert len(api.violations) == 2


def test_totals_of_lists():
    api = FakeApi(SAMPLE)
    assert ask(api, USERS)["total"] is None
    api.behavior.totals = "given"
    assert ask(api, USERS, first=1)["total"] == 56
    api.behavior.totals = "absent"
    assert "total" not in ask(api, USERS)


def test_sessions_are_filtered():
    api = FakeApi(SAMPLE)
    alive = items(api, SESSIONS, created_before=CYCLES[1][1], updated_after=CYCLES[1][0])
    assert 0 < len(alive) < len(SAMPLE.sessions)
    tagged = items(api, SESSIONS, tags=["team:web", "project:apollo"])
    assert tagged
    assert all(set(session["tags"]) == {"team:web", "project:apollo"} for session in tagged)
    wanted = [session["session_id"] for session in alive[:3]]
    assert [session["session_id"] for session in items(api, SESSIONS, session_ids=wanted)] == wanted
    old = items(
        api,
        "/v2/enterprise/sessions",
        updated_date_from=DATES["start_date"],
        org_ids=alive[0]["org_id"],
    )
    assert {session["org_id"] for session in old} == {alive[0]["org_id"]}


def test_lists_may_live_below_v3beta1():
    api, beta = FakeApi(SAMPLE), USERS.replace("v3", "v3beta1")
    assert (status(api, USERS), status(api, beta)) == (200, 404)
    api.behavior.beta = "also"
    assert (status(api, USERS), status(api, beta)) == (200, 200)
    api.behavior.beta = "only"
    assert (status(api, USERS), status(api, beta)) == (404, 200)
    assert (status(api, V3, **WINDOW), status(api, "/v3/self")) == (200, 200)
    assert api.violations == []


def test_all_of_v3_may_live_below_v3beta1_and_only_lists_leave_v3():
    api = FakeApi(SAMPLE)
    cycles = "/v3/enterprise/consumption/cycles"
    pair = "/v3/organizations/{org_id}/consumption/daily/users/{user_id}"
    ids = {"org_id": SAMPLE.people[0].orgs[0], "user_id": SAMPLE.people[0].user_id}
    asked = [(cycles, {}, {}), ("/v3/self", {}, {}), (V3, {}, WINDOW), (pair, ids, WINDOW)]

    def answers(version):
        return [
            reply(api, path.replace("v3", version, 1), ids, **query) for path, ids, query in asked
        ]

    stable = answers("v3")
    assert [found.status for found in stable] == [200] * 4
    assert [found.status for found in answers("v3beta1")] == [404] * 4
    for beta, here in (("also", 200), ("only", 404)):
        api.behavior.beta = beta
        assert [found.status for found in answers("v3")] == [here, 200, 200, 200]
        assert [found.body for found in answers("v3beta1")] == [found.body for found in stable]
    assert api.violations == []
    assert status(api, "/v3beta1/nothing") == 422
    api.forbid(cycles)
    api.forbid("/v3/self")
    assert [found.status for found in answers("v3beta1")] == [403, 403, 200, 200]


# The contract


@cache
def official(template):
    version = template.split("/")[1][:2]
    described = json.loads((FOLDER / f"{version}.json").read_text(encoding="utf-8"))
    schema = described["paths"][template]["get"]["responses"]["200"]["content"]["application/json"][
        "schema"
    ]
    return Draft202012Validator(schema | {"components": described["components"]})


@pytest.mark.quick(1)
@WORLDS
def test_every_answer_is_as_documented(world):
    """Ask every documented path; what the quick checks say, jsonschema says as well."""
    api = FakeApi(world)
    known = Index(world).known
    for template in CONTRACT.operations:
        names = re.findall(r"{(\w+)}", template)
        answered = Counter()
        for values in islice(combinations(*(known[name] for name in names)), 30):
            found = reply(api, template, dict(zip(names, values, strict=True)))
            answered[found.status] += 1
            if found.status == 200:
                official(template).validate(json.loads(found.body))
        assert answered[200] or "session_id" in names, template
        assert answered.keys() <= {200, 404}, template
    assert api.violations == []


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 2}, [1, 2], [0, 3, True, "1", None, 1.5]),
        ({"type": "number"}, [1, 1.5, -2], [True, "1", None]),
        ({"type": "string", "enum": ["a"]}, ["a"], ["b", 1]),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, ["", None], [1, []]),
        ({"type": "array", "items": {"type": "string"}}, [[], ["a"]], [["a", 1], {}, "a"]),
        (
            {"type": "object", "required": ["a"], "properties": {"a": {"type": "boolean"}}},
            [{"a": True}, {"a": False, "b": 1}],
            [{}, {"a": 1}, [], {"b": True}],
        ),
        (
            {"type": "object", "additionalProperties": {"type": "number"}},
            [{}, {"a": 1}],
            [{"a": "1"}, {"a": None}],
        ),
    ],
)
def test_the_quick_checks_are_those_of_json_schema(schema, good, bad):
    check, judge = Schemas({}).check(schema), Draft202012Validator(schema)
    assert [value for value in [*good, *bad] if not check(value)] == good
    assert [value for value in [*good, *bad] if judge.is_valid(value)] == good


def test_dates_and_unknown_words_are_checked():
    moments = Schemas({}).check({"type": "string", "format": "date-time"})
    assert not moments("2025-12-05T08:00:00Z")
    assert moments("2025-12-05")
    assert moments("tomorrow")
    days = Schemas({}).check({"type": "object", "propertyNames": {"format": "date"}})
    assert not days({"2025-12-05": 1})
    assert days({"2025-13-05": 1})
    with pytest.raises(ValueError, match="patternProperties"):
        Schemas({}).check({"patternProperties": {}})


@pytest.mark.parametrize(
    "target",
    [
        "/v3/nothing",
        "/v3/enterprise/consumption/daily-organizations",
        "/v3/enterprise/consumption/daily/",
        "/v3/enterprise/consumption/daily/users/okta|acme|0042",
        "/v3/enterprise/consumption/daily/users/okta%7Cacme%7C00%ff",
        "/v3/enterprise/consumption/daily?time_after=yesterday",
        "/v3/enterprise/consumption/daily?time_after=1.5",
        "/v3/enterprise/consumption/daily?time_after=",
        "/v3/enterprise/consumption/daily?time_after",
        "/v3/enterprise/consumption/daily?time_after=1&time_after=2",
        "/v3/enterprise/consumption/daily?start_date=2025-12-05",
        "/v3/enterprise/members/users?first=0",
        "/v3/enterprise/members/users?first=201",
        "/v3/enterprise/members/users?email=a|b",
        "/v2/enterprise/consumption/daily?start_date=5.12.2025",
        "/v2/enterprise/consumption/daily?time_after=1764921600",
        "/v2/enterprise/members?limit=1000",
        "/v2/enterprise/members?skip=-1",
    ],
)
def test_a_wrong_request_is_refused_and_noted(target):
    api = FakeApi(SAMPLE)
    token = ADMIN if target.startswith("/v2") else ENTERPRISE
    found = api.reply("GET", target, {"authorization": f"Bearer {token}"})
    assert found.status == 422
    assert [line.startswith(f"GET {target}: ") for line in api.violations] == [True]


def test_only_get_is_served():
    api = FakeApi(SAMPLE)
    assert status(api, V3, method="POST") == 405
    assert api.violations == [f"POST {V3}: method: only GET is served"]


def test_an_answer_that_is_not_as_documented_is_noted_too():
    world = SAMPLE._replace(cycles=(("soon", 1),))
    api = FakeApi(world)
    ask(api, "/v3/enterprise/consumption/cycles")
    assert ".after is not of type integer" in api.violations[0]


def test_both_shapes_of_errors():
    api = FakeApi(SAMPLE)
    found = reply(api, USERS, first=0)
    assert found.content_type == "application/problem+json"
    body = json.loads(found.body)
    assert (body["status"], body["errors"][0]["loc"]) == (422, ["query", "first"])
    api.behavior.errors = "legacy"
    found = reply(api, USERS, first=0)
    assert found.content_type == "application/json"
    assert json.loads(found.body)["detail"][0]["loc"] == ["query", "first"]
    assert json.loads(reply(api, USERS, token="cog_x").body) == {"detail": "Unauthorized"}
    api.forbid(V2)
    assert json.loads(reply(api, V2).body) == {"detail": "Access denied"}


# Permissions


def test_who_may_see_what():
    api = FakeApi(SAMPLE)
    here, there = ({"org_id": organization.org_id} for organization in SAMPLE.organizations[:2])
    token = organization_token(here["org_id"])
    daily = "/v3/organizations/{org_id}/consumption/daily"
    assert status(api, daily, here, token, **WINDOW) == 200
    assert status(api, daily, there, token, **WINDOW) == 403
    assert status(api, V3, token=token, **WINDOW) == 403
    assert status(api, f"{V3}/organizations/{{org_id}}", here, token, **WINDOW) == 403
    assert status(api, "/v3/organizations/{org_id}/sessions", here, token) == 200
    assert ask(api, "/v3/self", token=token)["org_id"] == here["org_id"]
    api.behavior.wrong_org = 404
    assert status(api, daily, there, token, **WINDOW) == 404
    assert status(api, daily, there, **WINDOW) == 200
    assert ask(api, "/v3/self", token=PERSONAL)["principal_type"] == "pat_user"
    assert status(api, V3, token=ADMIN, **WINDOW) == status(api, V2, token=ENTERPRISE) == 401
    assert status(api, V3, token="nobody", **WINDOW) == 401
    api.behavior.allow_listed = False
    assert status(api, V3, **WINDOW) == 401
    assert api.violations == []


def test_a_credential_is_told_whose_it_is():
    api = FakeApi(SAMPLE)
    enterprise = ask(api, "/v3/self")
    assert enterprise["principal_type"] == "service_user"
    assert enterprise["org_id"] is None
    told = [
        ask(api, "/v3/self", token=organization_token(place.org_id))
        for place in SAMPLE.organizations
    ]
    assert [body["org_id"] for body in told] == [place.org_id for place in SAMPLE.organizations]
    assert len({body["service_user_id"] for body in (enterprise, *told)}) == 1 + len(
        SAMPLE.organizations
    )
    for body in (enterprise, *told, ask(api, "/v3/self", token=PERSONAL)):
        official("/v3/self").validate(body)
    assert api.violations == []
    assert status(api, "/v3/self", first=1) == 422
    assert api.violations == ["GET /v3/self?first=1: first: is not documented"]


def test_whose_a_credential_is_may_be_refused():
    api, token = FakeApi(SAMPLE), organization_token(SAMPLE.organizations[0].org_id)
    assert status(api, "/v3/self", token="nobody") == status(api, "/v3/self", token=ADMIN) == 401
    for refusal in (401, 403, 404):
        api.forbid("/v3/self", refusal)
        assert status(api, "/v3/self") == status(api, "/v3/self", token=token) == refusal
        assert status(api, V3, **WINDOW) == 200
        api.allow_again()
    assert status(api, "/v3/self", token=token) == 200
    assert api.violations == []


def test_any_endpoint_can_be_refused():
    api, template = FakeApi(SAMPLE), f"{V3}/users/{{user_id}}"
    api.forbid(USERS)
    api.lose(template, user_id="okta|acme|0042")
    assert status(api, USERS) == 403
    assert status(api, template, {"user_id": "okta|acme|0042"}, **WINDOW) == 404
    assert status(api, template, {"user_id": "okta|acme|0002"}, **WINDOW) == 200
    api.allow_again()
    assert status(api, USERS) == 200
    with pytest.raises(ValueError, match="no such endpoint"):
        api.forbid("/v3/users")


def test_cycles_may_be_forbidden_or_empty():
    api, template = FakeApi(SAMPLE, cycles="none"), "/v3/enterprise/consumption/cycles"
    assert ask(api, template)["items"] == []
    assert ask(api, "/v2/enterprise/consumption/cycles") == []
    api.forbid(template)
    assert status(api, template) == 403


def test_somebody_gone_may_be_answered_or_not():
    api = FakeApi(SAMPLE)
    (gone,) = [
        {"user_id": person.user_id} for person in SAMPLE.people if person.directory == "gone"
    ]
    assert ask(api, f"{V3}/users/{{user_id}}", gone, **WINDOW)["total_acus"] > 0
    assert (
        status(api, f"{USERS}/{{user_id}}", gone)
        == status(api, "/v2/enterprise/members/{user_id}", gone)
        == 404
    )
    api.behavior.gone_users = "not found"
    assert (
        status(api, f"{V3}/users/{{user_id}}", gone)
        == status(api, f"{V2}/{{user_id}}", gone)
        == 404
    )
    assert status(api, f"{V3}/users/{{user_id}}", {"user_id": "nobody"}) == 404


# Hard worlds, and truths


def test_the_hard_world_is_hard():
    api = FakeApi(HARD)
    listed = items(api, USERS) + items(api, "/v3/enterprise/members/idp-users")
    assert [
        found["user_id"]
        for found in sorted(listed, key=lambda found: HARD_IDS.index(found["user_id"]))
    ] == list(HARD_IDS[:-1])
    assert {found["name"] for found in listed} == {*HARD_NAMES[:-1]}
    assert rb"\ud83d" in reply(api, USERS).body
    used = {
        user: ask(api, f"{V3}/users/{{user_id}}", {"user_id": user}, **WINDOW) for user in HARD_IDS
    }
    assert used["silent|user"] == {"total_acus": 0.0, "consumption_by_date": []}
    assert used["gone|user"]["total_acus"] == 3.3
    days = [bucket for body in used.values() for bucket in body["consumption_by_date"]]
    assert any(bucket["acus"] < 0 for bucket in days)
    pair = {"org_id": HARD.people[0].orgs[0], "user_id": HARD_IDS[0]}
    noisy = reply(
        api, "/v3/organizations/{org_id}/consumption/daily/users/{user_id}", pair, **WINDOW
    )
    assert b"0.30000000000000004" in noisy.body
    empty = ask(api, V3, time_after=EMPTY_CYCLE[0], time_before=EMPTY_CYCLE[1])
    assert empty["total_acus"] == 0


OF_A_USER = (f"{V3}/users/{{user_id}}", {"user_id": "okta|acme|0042"})
VIEW_OF = dict.fromkeys(("zero days", "null zeros", "absent zeros"), OF_A_USER)
VIEW_OF["no zero days"] = (
    f"{V3}/organizations/{{org_id}}",
    {"org_id": SAMPLE.organizations[-1].org_id},
)


@pytest.mark.parametrize("truth", TRUTHS)
def test_a_truth_changes_what_is_told_and_only_vintages_deviate(truth):
    template, ids = VIEW_OF.get(truth, (V3, {})) if truth in OF_DAYS else (SESSIONS, {})
    query = WINDOW if truth in OF_DAYS else {"first": 50}
    api = FakeApi(SAMPLE)
    plain = ask(api, template, ids, **query)
    api.truths.add(truth)
    found = ask(api, template, ids, **query)
    assert found != plain
    assert found == ask(api, template, ids, **query)
    assert api.violations == []
    assert official(template).is_valid(found) is (truth not in DEVIATING)


def test_truths_keep_the_sums():
    api = FakeApi(SAMPLE)
    plain = by_date(ask(api, V3, **WINDOW))
    api.truths |= {*OF_DAYS} - {"days outside", "midnight", "summer", "noise"}
    found = by_date(ask(api, V3, **WINDOW))
    assert close(found, plain)
    api.truths.add("days outside")
    assert by_date(ask(api, V3, **WINDOW)).keys() == plain.keys() | {"2025-12-04", "2026-01-05"}
    api.truths = {"nonsense"}
    with pytest.raises(ValueError, match="no such truth"):
        ask(api, V3, **WINDOW)


def test_another_world_can_be_shown_while_it_serves():
    api = FakeApi(SAMPLE)
    before = ask(api, V3, **WINDOW)["total_acus"]
    api.forbid(USERS)
    later = Atom(CYCLES[1][0], "devin", None, None, None, 2.5)
    api.show(SAMPLE._replace(atoms=(*SAMPLE.atoms, later)))
    assert ask(api, V3, **WINDOW)["total_acus"] == pytest.approx(before + 2.5)
    assert status(api, USERS) == 403


# On the wire


def client(api, **options):
    headers = {"Authorization": f"Bearer {ENTERPRISE}"}
    return httpx.Client(base_url=api.base_url, headers=headers, timeout=5, **options)


@pytest.fixture(scope="module")
def served():
    with serving(SAMPLE) as api:
        yield api


@pytest.fixture
def api(served):
    yield served
    served.faults, served.truths = Faults(), set()
    served.behavior.latency, served.behavior.compressed = 0.0, False
    served.forget()


LINE = target_of("/v3/enterprise/consumption/daily", **WINDOW)


@pytest.mark.parametrize("kind", STATUSES)
def test_statuses_happen_and_then_the_answer_comes(api, kind):
    api.faults.retry_after = 7
    api.faults.script(kind, kind, template=V3)
    with client(api) as http:
        assert http.get("/v3/self").status_code == 200
        failed, again, good = (http.get(LINE) for _ in range(3))
    assert failed.status_code == again.status_code == int(kind[:3])
    assert good.json()["total_acus"] > 10_000
    assert failed.text.startswith("<html>") is (kind in ("502", "504"))
    waited = failed.headers.get("Retry-After")
    if kind == "429 seconds":
        assert waited == "7"
    elif kind == "429 date":
        assert abs(
            parsedate_to_datetime(waited) - datetime.now(UTC) - timedelta(seconds=7)
        ) < timedelta(seconds=3)
    else:
        assert waited is None
    assert api.faults.happened == {kind: 2}


@pytest.mark.parametrize("kind", [*BODIES, "truncated"])
def test_bodies_that_are_no_answer_happen(api, kind):
    api.faults.script(kind)
    with client(api) as http:
        found, good = http.get(LINE), http.get(LINE)
    assert found.status_code == 200
    assert good.json()["total_acus"] > 10_000
    assert int(found.headers["Content-Length"]) == len(found.content)
    if kind == "other json":
        assert found.json() == {"status": "ok"}
    else:
        with pytest.raises(json.JSONDecodeError):
            found.json()
    if kind == "truncated":
        assert good.content.startswith(found.content)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("cut before", httpx.RemoteProtocolError),
        ("reset", httpx.ReadError),
        ("cut middle", httpx.RemoteProtocolError),
        ("slow", httpx.ReadTimeout),
    ],
)
def test_connections_are_cut_and_answers_are_late(api, kind, error):
    api.faults.script(kind)
    api.faults.slow_seconds = 0.3
    with client(api) as http:
        with pytest.raises(error):
            http.get(LINE, timeout=0.15)
        assert http.get(LINE).status_code == 200
    assert api.seen.lines == {f"GET {LINE}": 2}
    assert api.seen.running == 0


def raw(api, *requests):
    """Send requests at once and give everything that comes back."""
    host, _, port = api.base_url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"".join(requests))
        received = b""
        while part := connection.recv(65536):
            received += part
    return received


def head(target, *more):
    lines = [
        f"GET {target} HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {ENTERPRISE}",
        *more,
        "",
        "",
    ]
    return "\r\n".join(lines).encode()


def test_what_a_cut_looks_like_on_the_wire(api):
    api.faults.script("cut before", "cut middle")
    assert raw(api, head(LINE)) == b""
    start, _, body = raw(api, head(LINE)).partition(b"\r\n\r\n")
    length = int(re.search(rb"Content-Length: (\d+)", start)[1])
    assert len(body) == length // 2
    whole = raw(api, head(LINE, "Connection: close")).partition(b"\r\n\r\n")[2]
    assert len(whole) == length
    assert whole.startswith(body)


def test_requests_on_one_connection_are_answered_in_turn(api):
    received = raw(api, head("/v3/self"), head(LINE), head("/v3/self", "Connection: close"))
    assert received.count(b"HTTP/1.1 200 OK") == 3
    assert received.index(b"total_acus") < received.rindex(b"principal_type")


def test_a_share_of_requests_fails_the_same_way_whenever_it_is_asked():
    lines = [f"GET /v3/{number}" for number in range(400)]
    runs = []
    for order in (lines, lines[::-1]):
        faults = Faults(share=0.4, in_a_row=2, seed=7)
        runs.append({line: [faults.next(line, None) for _ in range(12)] for line in order})
    assert runs[0] == runs[1]
    kinds = [kind for attempts in runs[0].values() for kind in attempts]
    assert 0.25 < sum(kind is not None for kind in kinds) / len(kinds) < 0.45
    assert {*kinds} - {None} == {*KINDS} - {"slow"}
    for attempts in runs[0].values():
        assert all(None in attempts[start : start + 3] for start in range(10))
    assert {line: Faults(share=0.4, seed=8).next(line, None) for line in lines} != {
        line: attempts[0] for line, attempts in runs[0].items()
    }
    with pytest.raises(ValueError, match="no such fault"):
        faults.script("418")


def test_whoever_tries_again_gets_everything(api):
    api.faults.share, api.faults.in_a_row = 0.5, 2
    template = f"{V3}/users/{{user_id}}"
    with client(api) as http:
        for person in SAMPLE.people:
            target = target_of(template, {"user_id": person.user_id}, **WINDOW)
            for _ in range(3):
                try:
                    found = http.get(target)
                    if found.status_code == 200 and "total_acus" in found.json():
                        break
                except (httpx.TransportError, json.JSONDecodeError):
                    continue
            else:
                pytest.fail(f"three failures in a row: {target}")
    assert sum(api.faults.happened.values()) > 15
    assert max(api.seen.lines.values()) == 3
    assert api.violations == []


def test_it_counts_lines_tokens_and_what_runs_at_a_time(api):
    api.behavior.latency = 0.1
    with client(api) as http, ThreadPoolExecutor(5) as pool:
        started = time.monotonic()
        assert {found.status_code for found in pool.map(http.get, [LINE] * 4 + ["/v3/self"])} == {
            200
        }
        assert time.monotonic() - started >= 0.1
    assert api.seen.most_running == 5
    assert api.seen.lines == {f"GET {LINE}": 4, "GET /v3/self": 1}
    assert api.seen.templates == {V3: 4, "/v3/self": 1}
    assert api.seen.authorizations == {f"Bearer {ENTERPRISE}": 5}
    assert api.seen.statuses == {200: 5}
    api.forget()
    assert not api.seen.lines


def test_answers_may_be_compressed(api):
    api.behavior.compressed = True
    with client(api) as http:
        found = http.get(LINE)
    assert found.headers["Content-Encoding"] == "gzip"
    assert found.json()["total_acus"] > 10_000


@pytest.mark.heavy
def test_a_process_of_its_own_serves_a_generated_world():
    with serving_apart(
        "--users", "30", "--organizations", "3", "--truth", "unknown fields"
    ) as apart:
        with client(apart) as http:
            assert len(http.get(f"{USERS}?first=200").json()["items"]) > 20
            assert "x_later" in http.get(LINE).json()
        seen = apart.seen()
    assert seen["lines"][f"GET {LINE}"] == 1
    assert seen["violations"] == []


def test_whatever_breaks_in_the_fake_is_noted(api):
    api.truths = {"nonsense"}
    assert raw(api, head(LINE, "Connection: close")).startswith(b"HTTP/1.1 500 ")
    (violation,) = api.violations
    assert violation == f"GET {LINE}: the fake broke: ValueError(\"no such truth: {{'nonsense'}}\")"


def test_a_target_that_is_not_encoded_is_seen_as_it_came(api):
    assert raw(api, head("/v3/enterprise/members/users/a b", "Connection: close")).startswith(
        b"HTTP/1.1 422 "
    )
    assert api.violations == ["GET /v3/enterprise/members/users/a b: path: is not percent-encoded"]
