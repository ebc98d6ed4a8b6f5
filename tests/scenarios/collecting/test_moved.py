"""With a credential per organization: who is listed in one and worked in another is found there.

Mo Ved is listed in the first organization. In the second there is no session of Mo's, but 500 ACUs.
"""

import pytest

from reportgen.core.model import Principal
from reportgen.sources.api import v3
from tests.fakeapi.sample import CYCLES, Atom, Person
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world
from tests.scenarios.collecting.live import (
    by_center,
    close,
    foots,
    live,
    mapped,
    missing,
    own_credentials,
    truth,
)

GROWN = big_world(users=12, organizations=3)._replace(cycles=CYCLES)
LISTED_IN, WORKED_IN, ELSEWHERE = (place.org_id for place in GROWN.organizations)
AT_HOME = tuple(
    person._replace(directory="users", orgs=person.orgs, roles=person.orgs)
    for person in GROWN.people
)
EMAIL = "Mo.Ved@big.example"
MO = Person("okta|big|mo", EMAIL, "Mo Ved", "users", (LISTED_IN,), (LISTED_IN,), 1.0)
SPENT = Atom(CYCLES[1][0], "devin", WORKED_IN, MO.user_id, None, 500.0)
EXPLAINED = tuple(atom for atom in GROWN.atoms if atom.principal_id)
WORLD = GROWN._replace(people=(*AT_HOME, MO), atoms=(*EXPLAINED, SPENT))
BY_EMAIL, BY_ID = (mapped(GROWN, users={key: "Z-9"}) for key in (EMAIL.lower(), MO.user_id))
OWN = own_credentials(WORLD)
TEMPLATE = "/v3/organizations/{org_id}/consumption/daily/users/{user_id}"


def asked_in(api, org_id):
    return sum(
        line.startswith(f"GET /v3/organizations/{org_id}/consumption/daily/users/")
        for line in api.seen.lines
    )


def members_of(org_id):
    return sum(org_id in person.roles for person in WORLD.people)


@pytest.mark.heavy
@pytest.mark.parametrize("source", ["", OWN], ids=["enterprise", "organizations"])
def test_who_is_listed_in_one_organization_is_charged_by_rule_for_another(tmp_path, source):
    with serving(WORLD) as api:
        derived = live(tmp_path, api, BY_EMAIL, source).collected()
        assert api.violations == []
        assert max(api.seen.lines.values()) == 1
    assert by_center(derived)["Z-9"] == 500
    assert close(by_center(derived), truth(WORLD, BY_ID, tied=source == OWN))
    assert foots(derived)
    assert missing(derived) == ()


def test_who_is_remembered_and_listed_elsewhere_is_asked_about_too(tmp_path):
    """Mo was listed and worked in the second organization in November, in the first one since."""
    before = WORLD._replace(people=(*AT_HOME, MO._replace(orgs=(WORKED_IN,), roles=(WORKED_IN,))))
    with serving(before) as api:
        job = live(tmp_path, api, BY_EMAIL, OWN)
        job.in_november()
        api.show(WORLD)
        derived = job.collected()
    assert by_center(derived)["Z-9"] == 500
    assert derived.directory.entries[Principal("user", MO.user_id)].email == EMAIL


def test_only_organizations_with_a_rest_are_asked_about_everybody(tmp_path):
    with serving(WORLD) as api:
        live(tmp_path, api, mapped(GROWN, first=0), OWN).collected()
        assert asked_in(api, LISTED_IN) == members_of(LISTED_IN)
        assert asked_in(api, ELSEWHERE) == members_of(ELSEWHERE)
        assert asked_in(api, WORKED_IN) == len(WORLD.people)


def test_once_a_part_explains_the_rest_nobody_else_is_asked_about(tmp_path, monkeypatch):
    monkeypatch.setattr(v3, "AT_A_TIME", 1)
    first = MO._replace(user_id="a|first")
    world = WORLD._replace(
        people=(*AT_HOME, first), atoms=(*EXPLAINED, SPENT._replace(principal_id=first.user_id))
    )
    mapping = mapped(GROWN, first=0)
    with serving(world) as api:
        derived = live(tmp_path, api, mapping, OWN).collected()
        asked = asked_in(api, WORKED_IN)
    strangers = len(world.people) - members_of(WORKED_IN)
    assert members_of(WORKED_IN) < asked <= members_of(WORKED_IN) + max(1, strangers // 4)
    assert first.user_id in {record.principal_id for record in derived.usage.records}


@pytest.mark.parametrize("most", [0, 2])
def test_no_more_is_asked_than_a_night_takes_and_the_rest_is_named(tmp_path, monkeypatch, most):
    """Nobody's 3 ACUs can never be explained, so that everybody would be asked about."""
    monkeypatch.setattr(v3, "MOST_OPEN_PAIRS", most)
    nobodys = Atom(CYCLES[1][0], "devin", WORKED_IN, None, None, 3.0)
    world = WORLD._replace(people=AT_HOME, atoms=(*EXPLAINED, nobodys))
    mapping = mapped(GROWN, first=0)
    members = sum(len(person.roles) for person in AT_HOME)
    strangers = sum(WORKED_IN not in person.roles for person in AT_HOME)
    with serving(world) as api:
        job = live(tmp_path, api, mapping, OWN)
        derived = job.collected()
        assert api.seen.templates[TEMPLATE] == members + most
    left = strangers - most
    assert missing(derived) == (
        f"GET /v3/organizations/{{id}}/consumption/daily/users/{{id}}: {left} not asked",
    )
    assert close(by_center(derived), truth(world, mapping, tied=True))
    assert foots(derived)


def test_who_was_never_there_and_is_not_found_is_no_missing_view(tmp_path):
    with serving(WORLD) as api:
        for person in AT_HOME:
            if WORKED_IN not in person.roles:
                api.forbid(TEMPLATE, 404, org_id=WORKED_IN, user_id=person.user_id)
        derived = live(tmp_path, api, BY_EMAIL, OWN).collected()
        assert api.seen.statuses[404]
    assert missing(derived) == ()
    assert by_center(derived)["Z-9"] == 500
