"""The sample world answers as OpenAPI describes, keeps its own law, and contains what is hard."""

import csv
import json
import re
import unicodedata
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from itertools import product as combinations
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.fakeapi.contract import FOLDER, Contract, target_of
from tests.fakeapi.sample import CYCLES, DAY, model

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs" / "example"
OPENAPI = json.loads((FOLDER / "v3.json").read_text(encoding="utf-8"))
OPERATIONS = Contract().operations
NOVEMBER, DECEMBER = CYCLES
pytestmark = pytest.mark.heavy  # it changes when a sample is recorded


WORLD = model.build()
KNOWN = {
    "org_id": [organization.org_id for organization in WORLD.organizations],
    "user_id": [person.user_id for person in WORLD.people],
    "service_user_id": [service_user.service_user_id for service_user in WORLD.service_users],
    "session_id": [f"devin-{session.session_id}" for session in WORLD.sessions],
}


def ask(template, *, ids=None, **query):
    status, text = model.answer(WORLD, target_of(template, ids, **query))
    return status, json.loads(text)


def items(template, **query):
    collected, cursor = [], {}
    while cursor is not None:
        status, page = ask(template, **query, **cursor)
        assert status == 200
        collected += page["items"]
        cursor = {"after": page["end_cursor"]} if page["has_next_page"] else None
    return collected


def daily(cycle, **ids):
    """Ask for consumption; `org_id` with a principal or a session asks within the organization."""
    (kind,) = [name for name in ids if name != "org_id"] or [None]
    path = {
        None: "",
        "user_id": "/users",
        "service_user_id": "/service-users",
        "session_id": "/sessions",
    }[kind]
    path += f"/{{{kind}}}" if kind else ""
    base = "/v3/organizations/{org_id}" if "org_id" in ids else "/v3/enterprise"
    status, body = ask(
        f"{base}/consumption/daily{path}", ids=ids, time_after=cycle[0], time_before=cycle[1]
    )
    assert status == 200
    return body


def cells(body):
    """Give ACUs by (day, product), as floats."""
    return Counter(
        {
            (bucket["date"], product): acus or 0.0
            for bucket in body["consumption_by_date"]
            for product, acus in bucket["acus_by_product"].items()
        }
    )


@cache
def validator(schema):
    root = {"$ref": f"#/components/schemas/{schema}", "components": OPENAPI["components"]}
    return Draft202012Validator(root)


def schema_of(template):
    content = OPENAPI["paths"][template]["get"]["responses"]["200"]["content"]
    return content["application/json"]["schema"]["$ref"].rpartition("/")[2]


@pytest.mark.quick(4)
@pytest.mark.parametrize("template", model.ROUTES)
def test_every_answer_validates(template):
    names = re.findall(r"{(\w+)}", template)
    answered = Counter()
    for values in combinations(*(KNOWN[name] for name in names)):
        status, body = ask(template, ids=dict(zip(names, values, strict=True)))
        validator(schema_of(template) if status == 200 else "ProblemDetail").validate(body)
        answered[status] += 1
    assert answered[200]
    # Only a session that belongs to another organization is not found.
    assert answered.keys() == {200} or names == ["org_id", "session_id"]


@pytest.mark.parametrize("template", model.ROUTES)
def test_only_documented_parameters_are_understood(template):
    assert set(model.ROUTES[template][1]) <= OPERATIONS[template].parameters.keys()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v3/nothing", 404),
        ("/v3/enterprise/consumption/daily/users/nobody", 404),
        ("/v3/enterprise/consumption/daily/service-users/nobody", 404),
        ("/v3/enterprise/consumption/daily/organizations/org-none", 404),
        (f"/v3/enterprise/consumption/daily/sessions/{WORLD.sessions[0].session_id}", 404),
        ("/v3/organizations/org-none/sessions", 404),
        ("/v3/enterprise/consumption/daily?time_after=yesterday", 422),
        ("/v3/enterprise/consumption/daily?time_after=1&time_after=2", 422),
        ("/v3/enterprise/consumption/daily?start_date=2025-12-05", 422),
        ("/v3/enterprise/members/users?first=0", 422),
        ("/v3/enterprise/members/users?first=201", 422),
        ("/v3/enterprise/members/users?after=page-two", 422),
    ],
)
def test_refusals(path, status):
    answered, text = model.answer(WORLD, path)
    assert answered == status
    validator("ProblemDetail").validate(json.loads(text))


def test_a_session_is_only_found_with_its_prefix():
    session_id = WORLD.sessions[0].session_id
    template = "/v3/enterprise/consumption/daily/sessions/{session_id}"
    assert ask(template, ids={"session_id": f"devin-{session_id}"})[0] == 200
    assert ask(template, ids={"session_id": session_id})[0] == 404


def test_pages_join_to_the_whole_list():
    for template in [t for t in model.ROUTES if schema_of(t).startswith("Page") and "{" not in t]:
        whole = items(template, first=200)
        assert items(template, first=7) == whole
        assert items(template) == whole
    assert len(items("/v3/enterprise/sessions")) == 150


def test_total_is_sometimes_null():
    totals = [
        ask(t)[1]["total"] for t in model.ROUTES if schema_of(t).startswith("Page") and "{" not in t
    ]
    assert None in totals
    assert 6 in totals


def test_session_filters_are_half_open():
    sessions = items("/v3/enterprise/sessions")
    for field in ("created", "updated"):
        context = sessions[60][f"{field}_at"]
        later = items("/v3/enterprise/sessions", **{f"{field}_after": context})
        earlier = items("/v3/enterprise/sessions", **{f"{field}_before": context})
        assert sessions[60] in later
        assert sessions[60] not in earlier
        assert len(later) + len(earlier) == len(sessions)
    one = sessions[3]
    assert items("/v3/enterprise/sessions", session_ids=[one["session_id"]]) == [one]
    org_id = KNOWN["org_id"][0]
    in_org = items("/v3/organizations/{org_id}/sessions".replace("{org_id}", org_id))
    assert in_org == [session for session in sessions if session["org_id"] == org_id]
    assert items("/v3/enterprise/sessions", org_ids=[org_id]) == in_org


def test_bounds_are_half_open_and_default_to_everything():
    body = daily((DECEMBER[0], DECEMBER[0] + 2 * DAY))
    assert [bucket["date"] for bucket in body["consumption_by_date"]] == [
        DECEMBER[0],
        DECEMBER[0] + DAY,
    ]
    assert len(ask("/v3/enterprise/consumption/daily")[1]["consumption_by_date"]) == 61


def test_served_over_http_with_bearer_authentication():
    with model.serve(WORLD) as base_url, httpx.Client(base_url=base_url) as client:
        allowed = client.get("/v3/self", headers={"Authorization": "Bearer cog_any"})
        refused = [
            client.get("/v3/self", headers=headers)
            for headers in ({}, {"Authorization": "Basic YTpi"})
        ]
    assert (allowed.status_code, allowed.headers["Content-Type"]) == (200, "application/json")
    assert allowed.text == model.answer(WORLD, "/v3/self")[1]
    for response in refused:
        assert response.status_code == 401
        validator("ProblemDetail").validate(response.json())


@pytest.mark.parametrize("cycle", WORLD.cycles)
def test_atoms_add_up_to_the_enterprise(cycle):
    atoms = Counter()
    for atom in WORLD.atoms:
        if cycle[0] <= atom.day < cycle[1]:
            atoms[atom.day, atom.product] += atom.acus
    enterprise = cells(daily(cycle))
    assert {cell for cell, acus in enterprise.items() if acus} == set(atoms)
    for cell, acus in enterprise.items():
        assert acus == pytest.approx(atoms[cell], abs=1e-9)


@pytest.mark.parametrize("cycle", WORLD.cycles)
def test_buckets_add_up(cycle):
    for ids in [{}, *({"org_id": org_id} for org_id in KNOWN["org_id"])]:
        body = daily(cycle, **ids)
        for bucket in body["consumption_by_date"]:
            assert sum(v or 0 for v in bucket["acus_by_product"].values()) == pytest.approx(
                bucket["acus"], abs=1e-9
            )
        assert sum(bucket["acus"] for bucket in body["consumption_by_date"]) == pytest.approx(
            body["total_acus"]
        )


def test_the_views_partition_the_enterprise():
    """Take view from view: what is left is never negative, and nobody who is known used it."""
    enterprise = cells(daily(DECEMBER))
    orgs = {org_id: cells(daily(DECEMBER, org_id=org_id)) for org_id in KNOWN["org_id"]}
    principals = [(kind, value) for kind in ("user_id", "service_user_id") for value in KNOWN[kind]]
    left_in_org = {org_id: Counter(view) for org_id, view in orgs.items()}
    rest = Counter(enterprise)
    for kind, principal_id in principals:
        outside = cells(daily(DECEMBER, **{kind: principal_id}))
        rest.subtract(outside)
        for org_id in orgs:
            pair = cells(daily(DECEMBER, **{kind: principal_id, "org_id": org_id}))
            outside.subtract(pair)
            left_in_org[org_id].subtract(pair)
        assert min(outside.values(), default=0) > -1e-9
        assert all(
            product in ("cascade", "terminal")
            for (_, product), acus in outside.items()
            if acus > 1e-9
        )
    without_user = dict.fromkeys(("review", "automation"), 0.0)
    for left in left_in_org.values():
        assert min(left.values()) > -1e-9
        for (_, product), acus in left.items():
            if acus > 1e-9:
                without_user[product] += acus
        rest.subtract(left)
    assert min(rest.values()) > -1e-9
    assert sum(rest.values()) > 1  # nobody's at all
    assert min(without_user.values()) > 1


def test_sessions_are_part_of_their_pair_and_know_their_lifetime():
    for session in items("/v3/enterprise/sessions"):
        kind = "user_id" if session["user_id"] else "service_user_id"
        prefixed = {"session_id": f"devin-{session['session_id']}"}
        lifetime = 0.0
        for cycle in WORLD.cycles:
            spent = daily(cycle, **prefixed)
            lifetime += spent["total_acus"]
            pair = cells(daily(cycle, org_id=session["org_id"], **{kind: session[kind]}))
            assert all(acus <= pair[cell] + 1e-9 for cell, acus in cells(spent).items())
        assert lifetime == pytest.approx(session["acus_consumed"])


def people():
    return items("/v3/enterprise/members/users")


def used(**ids):
    return daily(DECEMBER, **ids)["total_acus"]


def test_size():
    assert len(KNOWN["org_id"]) == 6
    assert len(people()) + len(items("/v3/enterprise/members/idp-users")) == 60
    assert len(KNOWN["service_user_id"]) == 4
    november, december = (daily(cycle)["total_acus"] for cycle in (NOVEMBER, DECEMBER))
    assert 9_000 < december < 12_000
    assert 0.7 * december < november < december
    cycles = items("/v3/enterprise/consumption/cycles")
    assert cycles == [{"after": a, "before": b} for a, b in (DECEMBER, NOVEMBER)]


def test_weekends_and_christmas_are_quiet():
    acus = {
        datetime.fromtimestamp(b["date"], UTC): b["acus"]
        for b in daily(DECEMBER)["consumption_by_date"]
    }
    assert all(day.hour == 8 for day in acus)
    weekends = [acus[day] for day in acus if day.weekday() >= 5]
    weekdays = [acus[day] for day in acus if day.weekday() < 5 and day.day in range(5, 24)]
    assert max(weekends) < min(weekdays) / 5
    assert acus[datetime(2025, 12, 25, 8, tzinfo=UTC)] < 30


def test_float_noise_is_shown():
    (tried_once,) = [person["user_id"] for person in people() if person["name"] == "Nadia Karimi"]
    path, bounds = (
        "/v3/enterprise/consumption/daily",
        f"time_after={DECEMBER[0]}&time_before={DECEMBER[1]}",
    )
    _, text = model.answer(WORLD, f"{path}/users/{quote(tried_once)}?{bounds}")
    assert '"devin":0.30000000000000004' in text
    _, text = model.answer(WORLD, f"{path}?{bounds}")
    assert re.search(r"\.\d{12,}", text)


def test_users_work_in_several_organizations():
    pairs = Counter(
        user_id
        for user_id in KNOWN["user_id"]
        for org_id in KNOWN["org_id"]
        if used(org_id=org_id, user_id=user_id)
    )
    assert sum(count > 1 for count in pairs.values()) >= 10
    assert max(pairs.values()) >= 3
    told = {
        (person["user_id"], role["org_id"])
        for person in people()
        for role in person["role_assignments"]
        if role.get("org_id")
    }
    sessions = {
        (session["user_id"], session["org_id"]) for session in items("/v3/enterprise/sessions")
    }
    hidden = [
        (user_id, org_id)
        for user_id in KNOWN["user_id"]
        for org_id in KNOWN["org_id"]
        if (user_id, org_id) not in told | sessions and used(org_id=org_id, user_id=user_id)
    ]
    assert hidden  # a pair that neither a role nor a session tells: only residuals do


def test_a_pair_without_usage_is_empty():
    zero = next(person["user_id"] for person in people() if person["name"] == "Samuel Adeyemi")
    assert daily(DECEMBER, org_id=KNOWN["org_id"][0], user_id=zero) == {
        "total_acus": 0.0,
        "consumption_by_date": [],
    }


def test_somebody_left_and_is_only_seen_in_sessions():
    listed = {person["user_id"] for person in people() + items("/v3/enterprise/members/idp-users")}
    sessions = items(
        "/v3/enterprise/sessions", created_before=DECEMBER[1], updated_after=DECEMBER[0]
    )
    (gone,) = {session["user_id"] for session in sessions if session["user_id"]} - listed
    spent = daily(DECEMBER, user_id=gone)["consumption_by_date"]
    assert spent
    assert spent[-1]["date"] < 1765526400  # 2025-12-12


def test_identity_provider_users_are_in_their_own_list():
    idp_users = items("/v3/enterprise/members/idp-users")
    assert idp_users
    assert not {user["user_id"] for user in idp_users} & {user["user_id"] for user in people()}
    assert all(used(user_id=user["user_id"]) for user in idp_users)


def test_people_are_hard_to_name():
    listed = people() + items("/v3/enterprise/members/idp-users")
    assert any(person["email"] is None and used(user_id=person["user_id"]) for person in listed)
    assert any(person["name"] is None and used(user_id=person["user_id"]) for person in listed)
    assert any(
        person["email"] != person["email"].casefold() for person in listed if person["email"]
    )
    assert "okta|acme|0042" in KNOWN["user_id"]
    assert any(person["user_id"].startswith("email|64f0") for person in listed)
    letters = "".join(person["name"] or "" for person in listed)
    scripts = {unicodedata.name(letter).split()[0] for letter in letters if letter.isalpha()}
    assert {"LATIN", "CJK", "HIRAGANA", "GREEK", "CYRILLIC", "HEBREW", "ARABIC"} <= scripts
    assert "'" in letters
    assert all(organization["name"] for organization in items("/v3/enterprise/organizations"))


def test_roles_may_lack_an_organization():
    roles = [role for person in people() for role in person["role_assignments"]]
    assert any("org_id" not in role for role in roles)
    assert any(role.get("org_id", "") is None for role in roles)
    assert any(role.get("org_id") for role in roles)
    idp_roles = [
        r
        for user in items("/v3/enterprise/members/idp-users")
        for r in user["idp_role_assignments"]
    ]
    assert any(role["org_id"] is None for role in idp_roles)


def test_products_come_go_and_are_null():
    buckets = daily(DECEMBER)["consumption_by_date"]
    products = {product for bucket in buckets for product in bucket["acus_by_product"]}
    assert products == {"devin", "cascade", "terminal", "review", "automation"}
    automated = [bucket["date"] for bucket in buckets if "automation" in bucket["acus_by_product"]]
    assert 2 <= len(automated) <= 10
    assert min(automated) >= 1765785600  # 2025-12-15
    reviews = [
        bucket["acus_by_product"].get("review", "absent")
        for user_id in KNOWN["user_id"]
        for bucket in daily(DECEMBER, user_id=user_id)["consumption_by_date"]
    ]
    assert {None, "absent", 0.0} <= set(reviews)


def test_idle_days_are_zero_in_one_view_and_left_out_in_another():
    org_views = [
        daily(DECEMBER, org_id=org_id)["consumption_by_date"] for org_id in KNOWN["org_id"]
    ]
    assert all(len(view) == 31 for view in org_views)
    assert any(bucket["acus"] == 0 for view in org_views for bucket in view)
    ada = daily(DECEMBER, user_id=KNOWN["user_id"][0])["consumption_by_date"]
    assert 10 < len(ada) < 31
    assert all(bucket["acus"] for bucket in ada)


def test_some_users_used_nothing():
    assert sum(not used(user_id=person["user_id"]) for person in people()) >= 2
    assert not used(service_user_id=KNOWN["service_user_id"][-1])


def test_service_users_work_in_organizations_through_sessions():
    owners = Counter(
        (session["service_user_id"], session["org_id"])
        for session in items("/v3/enterprise/sessions")
        if session["service_user_id"]
    )
    working = {service_user_id for service_user_id, _ in owners}
    assert len(working) == 3
    assert all(used(service_user_id=service_user_id) for service_user_id in working)
    assert len(owners) > 3


def test_sessions_have_tags_odd_values_and_reach_into_the_next_cycle():
    sessions = items("/v3/enterprise/sessions")
    assert all(
        (session["user_id"] is None) != (session["service_user_id"] is None) for session in sessions
    )
    tags = [tag for session in sessions for tag in session["tags"]]
    assert {"project:apollo", "team:web"} == set(tags)
    assert any(not session["tags"] for session in sessions)
    assert {None, "desktop", "automation"} <= {session["origin"] for session in sessions}
    (creating,) = [session for session in sessions if session["status"] == "creating"]
    assert creating["acus_consumed"] == 0
    assert "total_session_limit_exceeded" in {session["status_detail"] for session in sessions}
    reaching = [
        session
        for session in sessions
        if all(
            daily(cycle, session_id=f"devin-{session['session_id']}")["total_acus"]
            for cycle in WORLD.cycles
        )
    ]
    assert len(reaching) >= 3


def test_the_same_seed_grows_the_same_world():
    assert model.build() == WORLD
    assert model.build(1) != WORLD


def configuration(name):
    return yaml.load((CONFIG / name).read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506 - texts only


def test_every_key_of_the_example_mapping_is_somebody():
    mapping = configuration("mapping.yaml")
    emails = {person.email.casefold() for person in WORLD.people if person.email}
    with (CONFIG / "hr.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    hr_emails = {row["email"].casefold() for row in rows}
    assert hr_emails <= emails
    assert not hr_emails & set(mapping["users"])
    assert {row["cc"] for row in rows} <= set(mapping["cost_centers"])
    assert all(key in emails or key in KNOWN["user_id"] or "*" in key for key in mapping["users"])
    assert set(mapping["service_users"]) <= set(KNOWN["service_user_id"])
    assert set(mapping["sessions"]) <= set(KNOWN["session_id"])
    assert set(KNOWN["org_id"]) - set(mapping["orgs"]) == {KNOWN["org_id"][-1]}
    assert set(mapping["orgs"]) <= set(KNOWN["org_id"])


def test_the_vendor_saw_the_same_acus():
    invoices = configuration("rates.yaml")["vendor_invoices"]
    for start, cycle in (("2025-11-05", NOVEMBER), ("2025-12-05", DECEMBER)):
        assert invoices[start]["acus"] == f"{daily(cycle)['total_acus']:.1f}"
