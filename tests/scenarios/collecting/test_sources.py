"""Three ways to read one world: v3 of the enterprise, v3 of its organizations, v2."""

import json
from dataclasses import replace

import pytest

from tests.fakeapi.api import FakeApi
from tests.fakeapi.sample import CYCLES, DAY, Atom, build
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world, hard_world
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

SAMPLE = build()
BIG = big_world(users=30, organizations=4, sessions=12)
WORLDS = pytest.mark.parametrize("world", [SAMPLE, BIG], ids=["sample", "big"])


@pytest.mark.quick(1)
@WORLDS
def test_every_cost_center_bears_what_its_users_and_organizations_used(tmp_path, world):
    mapping = mapped(world)
    with serving(world, page_cap=7) as api:
        derived = live(tmp_path, api, mapping).collected()
    assert close(by_center(derived), truth(world, mapping))
    assert foots(derived)
    assert not missing(derived)
    assert api.violations == []


@pytest.mark.heavy
@pytest.mark.quick(1)
@WORLDS
@pytest.mark.parametrize("closed", [False, True])
def test_v2_charges_every_cost_center_what_v3_does(tmp_path, world, closed):
    mapping = mapped(world)
    with serving(world, page_cap=9, closed_cycles=closed) as api:
        derived = live(tmp_path, api, mapping, "api: v2").collected()
    assert close(by_center(derived), truth(world, mapping))
    assert foots(derived)
    assert {record.product for record in derived.usage.records} == {"devin", "cascade+terminal"}
    assert all(line.startswith("GET /v2/") for line in api.seen.lines)
    assert api.violations == []


def test_a_closed_end_of_v2_is_read_as_the_boundary_after_it_and_said(tmp_path):
    with serving(BIG, closed_cycles=True) as api:
        said = live(tmp_path, api, mapped(BIG), "api: v2").collect()
    assert said.code == 0
    assert "a cycle ends at 2026-01-04T23:59:59+00:00, the last second of a day" in said.stderr
    assert "2025-12-05 to 2026-01-05" in said.stderr


@pytest.mark.heavy
@WORLDS
@pytest.mark.parametrize("wrong_org", [403, 404])
def test_credentials_of_organizations_tie_out_to_their_sum(tmp_path, world, wrong_org):
    mapping = mapped(world)
    with serving(world, page_cap=7, wrong_org=wrong_org) as api:
        derived = live(tmp_path, api, mapping, own_credentials(world)).collected()
    assert close(by_center(derived), truth(world, mapping, tied=True))
    assert foots(derived)
    assert not [line for line in api.seen.lines if "/enterprise/" in line]
    assert {status for status in api.seen.statuses if status != 200} <= {404}
    assert api.violations == []


def test_without_a_contract_day_credentials_of_organizations_know_no_cycle(tmp_path):
    with serving(BIG) as api:
        said = live(tmp_path, api, mapped(BIG), own_credentials(BIG, cycle_day=None)).collect()
    assert said.code == 1
    assert (
        "the API does not tell this credential the billing cycles; set `source: {cycle_day: …}`"
        in said.stderr
    )
    assert not api.seen.lines


def test_only_the_organizations_given_are_asked(tmp_path):
    """One of four: the control total is that organization's."""
    one = BIG._replace(organizations=BIG.organizations[:1])
    mapping = mapped(BIG)
    with serving(BIG) as api:
        derived = live(tmp_path, api, mapping, own_credentials(one)).collected()
    inside = BIG._replace(
        atoms=tuple(atom for atom in BIG.atoms if atom.org_id == one.organizations[0].org_id)
    )
    assert close(by_center(derived), truth(inside, mapping))
    assert len(api.seen.authorizations) == 1


class Forgetful(FakeApi):
    """A v2 whose total leaves a day out that organizations and users tell."""

    def reply(self, method, target, headers):
        found = super().reply(method, target, headers)
        if not target.startswith("/v2/enterprise/consumption/daily?") or "org_ids" in target:
            return found
        body = json.loads(found.body)
        self.left_out = max(body["consumption_by_date"].items(), key=lambda day: day[1])
        del body["consumption_by_date"][self.left_out[0]]
        return replace(found, body=json.dumps(body).encode())


def test_the_control_total_of_v2_is_the_total_it_tells(tmp_path):
    with serving(Forgetful(BIG)) as api:
        derived = live(tmp_path, api, mapped(BIG), "api: v2").collected()
    used = sum(atom.acus for atom in BIG.atoms if CYCLES[1][0] <= atom.day < CYCLES[1][1])
    assert abs(float(derived.statement.tie_out.control_acus) - (used - api.left_out[1])) < 1e-6
    assert foots(derived)
    assert derived.statement.discrepancies


@pytest.mark.heavy
def test_rules_that_v2_cannot_follow_are_warnings_that_name_them(tmp_path):
    session = BIG.sessions[0].session_id
    rules = {
        "sessions": {session: "Z-9"},
        "tags": {"team:web": "Z-9"},
        "service_users": {"service-user-1": "Z-9"},
    }
    with serving(BIG) as api:
        plain = by_center(live(tmp_path / "plain", api, mapped(BIG), "api: v2").collected())
        ruled = live(tmp_path / "ruled", api, mapped(BIG, **rules), "api: v2")
        assert by_center(ruled.collected()) == plain
    for key, section in (
        (session, "sessions"),
        ("team:web", "tags"),
        ("service-user-1", "service users"),
    ):
        assert f'"{key}" is not used: v2 tells nothing of {section}' in ruled.said[-1].stderr


def test_session_and_tag_rules_of_v3_take_what_the_sessions_used(tmp_path):
    tagged = [session for session in BIG.sessions if session.tags]
    chosen = {session.session_id for session in [BIG.sessions[1], *tagged]}
    rules = {"sessions": {BIG.sessions[1].session_id: "Z-9"}, "tags": {"team:web": "Z-9"}}
    rules |= {"precedence": ["session", "tag", "user", "org"]}
    with serving(BIG) as api:
        derived = live(tmp_path, api, mapped(BIG, **rules)).collected()
    expected = sum(atom.acus for atom in BIG.atoms if atom.session_id in chosen)
    assert abs(by_center(derived)["Z-9"] - expected) < 1e-6
    assert foots(derived)


@pytest.mark.parametrize("source", ["", "api: v2"])
def test_hard_ids_names_and_negative_acus_come_through(tmp_path, source):
    world = hard_world()
    mapping = mapped(world)
    with serving(world, page_cap=2) as api:
        job = live(tmp_path, api, mapping, source)
        derived = job.collected()
    assert close(by_center(derived), truth(world, mapping))
    assert foots(derived)
    assert any("negative ACUs" in str(warning) for warning in derived.warnings)
    assert api.violations == []


def test_a_credit_that_every_view_tells_is_charged_and_is_no_discrepancy(tmp_path):
    user = BIG.people[0]
    refund = Atom(CYCLES[1][1] - DAY, "flux", user.orgs[0], user.user_id, None, -7.5)
    world = BIG._replace(atoms=(*BIG.atoms, refund))
    with serving(world) as api:
        derived = live(tmp_path, api, mapped(world)).collected()
    assert derived.usage.discrepancies == ()
    refunds = [one for one in derived.usage.records if one.product == "flux" and one.quantity < 0]
    assert [(one.principal_id, float(one.quantity)) for one in refunds] == [(user.user_id, -7.5)]
    assert [one for one in derived.warnings if "negative ACUs" in one.message]
    assert foots(derived)
