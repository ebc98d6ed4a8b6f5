"""What is refused makes the result coarser, never wrong; and who has left is found all the same."""

import re

import pytest

from reportgen.core.model import Principal
from tests.fakeapi.behavior import ADMIN, ENTERPRISE, organization_token
from tests.fakeapi.sample import CYCLES, Atom, Session
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world
from tests.scenarios.collecting.live import (
    DAILY3,
    by_center,
    close,
    foots,
    live,
    mapped,
    missing,
    of_principals,
    own_credentials,
    truth,
    used_by,
)
from tests.scenarios.job import Job, pages

WORLD = big_world(users=12, organizations=3, sessions=6)
FIRST, PLACE = CYCLES[1][0], WORLD.organizations[0].org_id
GONE = WORLD.people[0]._replace(
    user_id="gone|user", email=None, name=None, directory="gone", orgs=(PLACE,), roles=()
)
LISTS = ("organizations", "members/users", "members/idp-users", "members/service-users", "sessions")
VIEWS3 = (
    *(f"/v3/enterprise/{name}" for name in LISTS),
    f"{DAILY3}/organizations/{{org_id}}",
    f"{DAILY3}/users/{{user_id}}",
    f"{DAILY3}/service-users/{{service_user_id}}",
    f"{DAILY3}/sessions/{{session_id}}",
    "/v3/organizations/{org_id}/consumption/daily/users/{user_id}",
)
VIEWS2 = (
    "/v2/enterprise/organizations",
    "/v2/enterprise/members",
    "/v2/enterprise/sessions",
    "/v2/enterprise/consumption/daily/{user_id}",
)
VIEWS_OF_ORGANIZATIONS = (
    "/v3beta1/organizations/{org_id}/members/users",
    "/v3beta1/organizations/{org_id}/members/idp-users",
    "/v3/organizations/{org_id}/sessions",
    "/v3/organizations/{org_id}/consumption/daily/users/{user_id}",
)
ORG_FIRST = {"precedence": ["session", "org", "user"]}


def coarser(world, derived, template, status, *, tied=False):
    """See that a result is still true: it foots, nobody pays for more than was used.

    What is missing is named.
    """
    used = used_by(
        world._replace(atoms=tuple(atom for atom in world.atoms if atom.org_id or not tied))
    )
    told = re.sub(r"\{\w+\}", "{id}", template)
    assert foots(derived)
    assert not derived.usage.discrepancies
    assert all(record.quantity > -1e-9 for record in derived.usage.records)
    assert all(acus <= used[key] + 1e-6 for key, acus in of_principals(derived).items())
    assert [view for view in missing(derived) if f"{told}: " in view], told
    assert all(view.endswith(f"answered {status}") for view in missing(derived))


@pytest.mark.quick(2)
@pytest.mark.parametrize(
    ("status", "ranks"), [(403, {}), (404, ORG_FIRST)], ids=["user first", "org first"]
)
@pytest.mark.parametrize("template", VIEWS3)
def test_a_refused_list_or_view_of_v3_makes_it_coarser(tmp_path, template, status, ranks):
    mapping = mapped(WORLD, sessions={WORLD.sessions[0].session_id: "Z-9"}, **ranks)
    with serving(WORLD, page_cap=5) as api:
        api.forbid(template, status)
        derived = live(tmp_path, api, mapping).collected()
    coarser(WORLD, derived, template, status)


@pytest.mark.quick(2)
@pytest.mark.parametrize("template", VIEWS2)
def test_a_refused_list_or_view_of_v2_makes_it_coarser(tmp_path, template):
    with serving(WORLD, page_cap=5) as api:
        api.forbid(template)
        derived = live(tmp_path, api, mapped(WORLD), "api: v2").collected()
    coarser(WORLD, derived, template, 403)


@pytest.mark.heavy
@pytest.mark.quick(2)
@pytest.mark.parametrize("template", VIEWS_OF_ORGANIZATIONS)
def test_a_refused_list_or_view_of_an_organization_makes_it_coarser(tmp_path, template):
    with serving(WORLD, page_cap=5) as api:
        api.forbid(template)
        derived = live(tmp_path, api, mapped(WORLD), own_credentials(WORLD)).collected()
    coarser(WORLD, derived, template, 403, tied=True)


@pytest.mark.quick(1)
@pytest.mark.parametrize("ranks", [{}, ORG_FIRST], ids=["user first", "org first"])
def test_one_refused_pair_is_nobodys_twice(tmp_path, ranks):
    template = "/v3/organizations/{org_id}/consumption/daily/users/{user_id}"
    person = WORLD.people[4]
    with serving(WORLD) as api:
        api.lose(template, org_id=person.orgs[0], user_id=person.user_id)
        derived = live(tmp_path, api, mapped(WORLD, **ranks)).collected()
    coarser(WORLD, derived, template, 404)


def test_everything_but_the_total_refused_leaves_a_statement_of_nobodys(tmp_path):
    with serving(WORLD) as api:
        for template in VIEWS3:
            api.forbid(template)
        derived = live(tmp_path, api, mapped(WORLD)).collected()
    total = sum(atom.acus for atom in WORLD.atoms)
    assert close(by_center(derived), {"": total})
    assert foots(derived)


def test_a_refused_session_stays_with_its_owner_and_the_statement_says_so(tmp_path):
    session = WORLD.sessions[0].session_id
    with serving(WORLD) as api:
        api.forbid(f"{DAILY3}/sessions/{{session_id}}")
        derived = live(tmp_path, api, mapped(WORLD, sessions={session: "Z-9"})).collected()
    assert close(by_center(derived), truth(WORLD, mapped(WORLD)))
    assert missing(derived) == (f"GET {DAILY3}/sessions/{{id}}: 1 answered 403",)


@pytest.mark.heavy
def test_the_statement_and_the_exit_code_of_a_coarser_run(tmp_path):
    """The whole command: documents are made, the code is 0, and the statement names the list."""
    with serving(WORLD) as api:
        api.forbid("/v3/enterprise/members/idp-users")
        environment = live(tmp_path, api, mapped(WORLD)).environment
        job = Job(tmp_path)
        run = job.run("run", "--workers", "2", cycle="2025-12", **environment)
    assert run.returncode == 0, run.stderr
    text = "".join(pages(job.cycle() / "statement.pdf"))
    assert "/v3/enterprise/members/idp-users: 1 answered 403" in text
    assert not written_tokens(tmp_path, run.stdout, run.stderr)


def written_tokens(folder, *texts):
    written = b"".join(
        path.read_bytes() for path in (folder / "archive").rglob("*") if path.is_file()
    )
    written += "".join(texts).encode()
    return [
        token
        for token in (ENTERPRISE, ADMIN, organization_token(PLACE))
        if token.encode() in written
    ]


# Who has left


def grown(*atoms, people=(GONE,), sessions=()):
    return WORLD._replace(
        people=(*WORLD.people, *people),
        atoms=(*WORLD.atoms, *atoms),
        sessions=(*WORLD.sessions, *sessions),
    )


def left(session_id=None):
    """Let the one who has left use something in an organization, and outside any."""
    return [
        Atom(FIRST, "devin", PLACE, GONE.user_id, session_id, 3.25),
        Atom(FIRST, "cascade", None, GONE.user_id, None, 1.5),
    ]


SESSION = Session(99, "feed0000feed0000", PLACE, GONE.user_id, (), FIRST + 60, FIRST + 9000)


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    "source", ["", "api: v2", own_credentials(WORLD)], ids=["v3", "v2", "organizations"]
)
def test_the_owner_of_a_session_is_found(tmp_path, source):
    world = grown(*left(SESSION.session_id), sessions=[SESSION])
    mapping = mapped(WORLD)
    with serving(world, user_map=False) as api:
        derived = live(tmp_path, api, mapping, source).collected()
    tied = "organizations" in source
    assert abs(of_principals(derived)[GONE.user_id] - (3.25 if tied else 4.75)) < 1e-6
    assert Principal("user", GONE.user_id) in derived.directory.entries
    assert close(by_center(derived), truth(world, mapping, tied=tied))


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    "source", ["", "api: v2", own_credentials(WORLD)], ids=["v3", "v2", "organizations"]
)
def test_somebody_whom_only_the_mapping_names_is_found(tmp_path, source):
    world = grown(*left())
    mapping = mapped(WORLD, users={GONE.user_id: "Z-9"})
    with serving(world, user_map=False) as api:
        derived = live(tmp_path, api, mapping, source).collected()
    tied = "organizations" in source
    assert abs(by_center(derived)["Z-9"] - (3.25 if tied else 4.75)) < 1e-6
    assert close(by_center(derived), truth(world, mapping, tied=tied))


def test_v2_finds_a_user_in_the_total_by_user(tmp_path):
    world = grown(*left())
    with serving(world) as api:
        derived = live(tmp_path, api, mapped(WORLD), "api: v2").collected()
    assert abs(of_principals(derived)[GONE.user_id] - 4.75) < 1e-6


def test_v2_finds_an_organization_in_the_total_by_organization(tmp_path):
    with serving(WORLD) as api:
        api.forbid("/v2/enterprise/organizations")
        derived = live(tmp_path, api, mapped(WORLD), "api: v2").collected()
    assert {place.org_id for place in WORLD.organizations} <= derived.directory.organizations.keys()
    assert close(by_center(derived), truth(WORLD, mapped(WORLD)))


@pytest.mark.heavy
@pytest.mark.parametrize("source", ["", "api: v2"])
def test_without_any_trace_the_organization_pays_for_who_has_left(tmp_path, source):
    world = grown(*left())
    with serving(world, user_map=False) as api:
        derived = live(tmp_path, api, mapped(WORLD), source).collected()
    assert GONE.user_id not in of_principals(derived)
    assert close(by_center(derived), truth(world, mapped(WORLD)))


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    "source", ["", "api: v2", own_credentials(WORLD)], ids=["v3", "v2", "organizations"]
)
def test_who_has_left_may_be_answered_with_not_found(tmp_path, source):
    world = grown(*left(SESSION.session_id), sessions=[SESSION])
    mapping = mapped(WORLD, users={GONE.user_id: "Z-9"})
    with serving(world, gone_users="not found") as api:
        derived = live(tmp_path, api, mapping, source).collected()
    assert foots(derived)
    assert by_center(derived)["Z-9"] == 0
    assert missing(derived)
    assert all(view.endswith("answered 404") for view in missing(derived))


def test_a_service_user_that_only_the_mapping_names_is_found(tmp_path):
    name = WORLD.service_users[0].service_user_id
    world = grown(Atom(FIRST, "devin", PLACE, name, None, 2.5), people=())
    with serving(world) as api:
        api.forbid("/v3/enterprise/members/service-users")
        derived = live(tmp_path, api, mapped(WORLD, service_users={name: "Z-9"})).collected()
    assert foots(derived)
    assert by_center(derived)["Z-9"] == 2.5


def test_a_role_without_an_organization_names_no_pair_but_a_session_does(tmp_path):
    loose = WORLD.people[1]._replace(user_id="loose|user", roles=(), orgs=(PLACE,))
    busy = loose._replace(user_id="busy|user")
    session = SESSION._replace(principal_id=busy.user_id)
    with serving(grown(people=[loose, busy], sessions=[session])) as api:
        live(tmp_path, api, mapped(WORLD)).collected()
    pairs = [line for line in api.seen.lines if line.startswith("GET /v3/organizations/")]
    assert [line for line in pairs if "busy%7Cuser" in line]
    assert not [line for line in pairs if "loose%7Cuser" in line]
    assert any(f"{DAILY3}/users/loose%7Cuser?" in line for line in api.seen.lines)
