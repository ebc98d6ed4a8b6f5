"""Whoever has left is in no list; what an earlier cycle knew decides who pays, and what is told.

Lee Aver is listed in November. In December no list and no session has Lee any more, but there is
usage: 3.25 ACUs in an organization and 1.5 outside any. A rule for the e-mail sends them to Z-9.
"""

import json
import shutil

import pytest

from reportgen.core.model import Principal
from tests.fakeapi.api import FakeApi
from tests.fakeapi.sample import CYCLES, Atom, Organization, Person
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world
from tests.scenarios.collecting.live import (
    as_yaml,
    by_center,
    close,
    foots,
    live,
    mapped,
    missing,
    own_credentials,
    truth,
)
from tests.scenarios.figures import figures_of
from tests.scenarios.job import Job, contents, pages
from tests.scenarios.small_world import small_world

WORLD = big_world(users=6, organizations=3, sessions=2)._replace(cycles=CYCLES)
PLACE = WORLD.organizations[0].org_id
EMAIL = "Lee.Aver@big.example"
LEE = Person("okta|big|lee", EMAIL, "Lee Aver", "users", (PLACE,), (), 1.0)
LEE_ID = Principal("user", LEE.user_id)
SPENT = (
    Atom(CYCLES[0][0], "devin", PLACE, LEE.user_id, None, 2.0),
    Atom(CYCLES[1][0], "devin", PLACE, LEE.user_id, None, 3.25),
    Atom(CYCLES[1][0], "cascade", None, LEE.user_id, None, 1.5),
)
NOW_HERE = WORLD._replace(people=(*WORLD.people, LEE), atoms=(*WORLD.atoms, *SPENT))
GONE = NOW_HERE._replace(people=(*WORLD.people, LEE._replace(directory="gone")))
BY_EMAIL, BY_ID = (mapped(WORLD, users={key: "Z-9"}) for key in (EMAIL.lower(), LEE.user_id))
OWN = own_credentials(WORLD)
SOURCES = pytest.mark.parametrize(
    ("source", "behavior", "acus"),
    [
        ("", {}, 4.75),
        ("api: v2", {}, 4.75),
        ("api: v2", {"user_map": False}, 4.75),
        (OWN, {}, 3.25),
    ],
    ids=["v3", "v2", "v2 without users", "organizations"],
)


def told(path):
    """Give who stands in a directory: e-mail and name by kind and id."""
    values = json.loads(path.read_text(encoding="utf-8"))
    return {
        (each["kind"], each["id"]): (each["email"], each["name"]) for each in values["principals"]
    }


def listed(world):
    """Give who is known of a world: e-mail and name by kind and id."""
    robots = ((robot.service_user_id, robot.name) for robot in world.service_users)
    people = ((person.user_id, person.email, person.name) for person in world.people)
    return {("service_user", key): (None, name) for key, name in robots} | {
        ("user", key): (email, name) for key, email, name in people
    }


# Who has left


@pytest.mark.quick(2)
@SOURCES
def test_a_rule_for_the_email_of_somebody_who_has_left_still_charges(
    tmp_path, source, behavior, acus
):
    with serving(NOW_HERE, page_cap=5, **behavior) as api:
        job = live(tmp_path, api, BY_EMAIL, source)
        assert by_center(job.in_november())["Z-9"] == 2.0
        api.show(GONE)
        derived = job.collected()
        assert api.violations == []
    assert by_center(derived)["Z-9"] == acus
    assert close(by_center(derived), truth(GONE, BY_ID, tied=source == OWN))
    assert foots(derived)
    assert not missing(derived)
    entry = derived.directory.entries[LEE_ID]
    assert (entry.email, entry.name) == (EMAIL, "Lee Aver")


@pytest.mark.quick(2)
@SOURCES
def test_without_the_cycle_before_nobody_knows_whose_email_it_was(tmp_path, source, behavior, acus):
    """What the tests above would find if nothing was remembered."""
    with serving(GONE, **behavior) as api:
        derived = live(tmp_path, api, BY_EMAIL, source).collected()
    assert by_center(derived)["Z-9"] == 0
    assert close(by_center(derived), truth(GONE, mapped(WORLD), tied=source == OWN))
    assert foots(derived)


@pytest.mark.quick(1)
@pytest.mark.parametrize("source", ["", "api: v2", OWN], ids=["v3", "v2", "organizations"])
def test_who_is_only_remembered_and_not_found_is_no_missing_view(tmp_path, source):
    with serving(NOW_HERE, gone_users="not found", user_map=False) as api:
        job = live(tmp_path, api, BY_EMAIL, source)
        job.in_november()
        api.show(GONE)
        derived = job.collected()
        assert api.seen.statuses[404]
    assert missing(derived) == ()
    assert close(by_center(derived), truth(GONE, mapped(WORLD), tied=source == OWN))
    assert LEE_ID not in derived.directory.entries
    assert told(job.directory)["user", LEE.user_id] == (
        EMAIL,
        "Lee Aver",
    )  # it may be answered again


def test_a_service_user_that_was_deleted_is_asked_about_and_keeps_its_name(tmp_path):
    robot = WORLD.service_users[0]
    spent = Atom(CYCLES[1][0], "devin", PLACE, robot.service_user_id, None, 2.5)
    world = WORLD._replace(atoms=(*WORLD.atoms, spent))

    class Deleted(FakeApi):
        def view(self, operation, ids, query, who):
            body = super().view(operation, ids, query, who)
            return (
                body | {"items": []}
                if operation.template.endswith("/members/service-users")
                else body
            )

    with serving(WORLD) as api:
        job = live(tmp_path, api, mapped(WORLD))
        job.in_november()
    with serving(Deleted(world)) as api:
        text = (tmp_path / "chargeback.yaml").read_text(encoding="utf-8")
        base_url = next(line for line in text.splitlines() if "base_url" in line)
        (tmp_path / "chargeback.yaml").write_text(
            text.replace(base_url, f"  base_url: {api.base_url}"), "utf-8"
        )
        derived = job.collected()
    assert (
        derived.directory.entries[Principal("service_user", robot.service_user_id)].name
        == robot.name
    )
    used = sum(r.quantity for r in derived.usage.records if r.principal_id == robot.service_user_id)
    assert (
        used
        == sum(atom.acus for atom in world.atoms if atom.principal_id == robot.service_user_id)
        == 2.5
    )


# An organization that was deleted


class WithoutOrganization(FakeApi):
    """An API whose list has an organization no more; it still answers what was used there."""

    deleted = ""

    def view(self, operation, ids, query, who):
        body = super().view(operation, ids, query, who)
        if operation.template == "/v3/enterprise/organizations":
            body = body | {
                "items": [found for found in body["items"] if found["org_id"] != self.deleted]
            }
        return body


CLOSED = Organization("org-closed", "Closed Down")
USED_THERE = Atom(CYCLES[1][0], "review", CLOSED.org_id, None, None, 2.5)
WITH_CLOSED = WORLD._replace(
    organizations=(*WORLD.organizations, CLOSED), atoms=(*WORLD.atoms, USED_THERE)
)
TO_CLOSED = mapped(
    WORLD, orgs=json.loads(mapped(WORLD).split("orgs: ")[1]) | {CLOSED.org_id: "Z-9"}
)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("before", "acus"), [(True, 2.5), (False, 0)], ids=["remembered", "not remembered"]
)
def test_an_organization_that_was_deleted_is_still_asked_about(tmp_path, before, acus):
    with serving(WithoutOrganization(WITH_CLOSED)) as api:
        job = live(tmp_path, api, TO_CLOSED)
        if before:
            job.in_november()
        api.deleted = CLOSED.org_id
        derived = job.collected()
    assert by_center(derived)["Z-9"] == acus
    assert close(by_center(derived), truth(WITH_CLOSED, TO_CLOSED if before else mapped(WORLD)))
    assert derived.directory.organizations.get(CLOSED.org_id) == ("Closed Down" if before else None)
    assert not missing(derived)
    assert foots(derived)


def test_an_organization_that_is_only_remembered_and_not_found_is_no_missing_view(tmp_path):
    with serving(WITH_CLOSED) as api:
        job = live(tmp_path, api, TO_CLOSED)
        job.in_november()
        api.show(WORLD)
        derived = job.collected()
        assert any(
            line.startswith("GET /v3/enterprise/consumption/daily/organizations/org-closed")
            for line in api.seen.lines
        )
    assert missing(derived) == ()
    assert close(by_center(derived), truth(WORLD, mapped(WORLD)))
    assert CLOSED.org_id not in derived.directory.organizations


# The file


def test_the_file_has_everybody_of_both_cycles_sorted(tmp_path):
    nameless = LEE._replace(user_id="anonymous", email=None, name=None)
    late = LEE._replace(user_id="zoe", email="zoe@big.example", name="Zoe")
    with serving(NOW_HERE._replace(people=(*NOW_HERE.people, nameless))) as api:
        job = live(tmp_path, api, BY_EMAIL)
        job.in_november()
        api.show(GONE._replace(people=(*GONE.people, nameless, late)))
        job.collected()
    values = json.loads(job.directory.read_text(encoding="utf-8"))
    everybody = listed(NOW_HERE._replace(people=(*NOW_HERE.people, nameless, late)))
    assert list(told(job.directory).items()) == sorted(everybody.items())
    assert told(job.directory)["user", "anonymous"] == (None, None)
    assert values["schema"] == "reportgen.directory/1"
    assert values["organizations"] == [
        {"id": place.org_id, "name": place.name} for place in WORLD.organizations
    ]


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize("source", ["", "api: v2", OWN], ids=["v3", "v2", "organizations"])
def test_collected_twice_it_is_the_same(tmp_path, source):
    with serving(NOW_HERE) as api:
        job = live(tmp_path, api, BY_EMAIL, source)
        job.in_november()
        api.show(GONE)
        first, found = figures_of(job.collected().statement), job.directory.read_bytes()
        for effort in ({}, {"refresh": True}):
            assert figures_of(job.collected(**effort).statement) == first
            assert job.directory.read_bytes() == found
            assert "differ" not in job.said[-1].stderr


def test_a_new_name_counts_and_an_email_that_was_taken_away_is_kept(tmp_path):
    married = LEE._replace(email=None, name="Lee Moore")
    with serving(NOW_HERE) as api:
        job = live(tmp_path, api, BY_EMAIL)
        job.in_november()
        november = job.directory.parents[2] / "2025-11-05" / "inputs" / "directory.json"
        before = november.read_bytes()
        api.show(NOW_HERE._replace(people=(*WORLD.people, married)))
        derived = job.collected()
    assert told(job.directory)["user", LEE.user_id] == (EMAIL, "Lee Moore")
    assert by_center(derived)["Z-9"] == 4.75
    assert november.read_bytes() == before


@pytest.mark.heavy
def test_two_cycles_later_it_is_still_known(tmp_path):
    """From December's file alone, which carries what November knew."""
    with serving(NOW_HERE) as api:
        job = live(tmp_path, api, BY_EMAIL)
        job.in_november()
        api.show(GONE)
        job.collected()
        shutil.rmtree(tmp_path / "archive" / "2025-11-05")
        assert by_center(job.collected(refresh=True))["Z-9"] == 4.75


@pytest.mark.parametrize("command", ["collect", "refresh"])
def test_a_damaged_file_of_the_cycle_before_ends_the_run_before_anything_is_asked(
    tmp_path, command
):
    with serving(NOW_HERE) as api:
        job = live(tmp_path, api, BY_EMAIL)
        job.in_november()
        path = tmp_path / "archive" / "2025-11-05" / "inputs" / "directory.json"
        path.write_bytes(path.read_bytes()[:-30])
        api.forget()
        said = job.collect(refresh=command == "refresh")
        assert sum(api.seen.lines.values()) == 1  # the billing cycles
    assert said.code == 1
    assert f"{path}: is not what was written there" in said.stderr
    assert "Traceback" not in said.stderr
    assert not job.evidence.exists()


# Interrupted, and without the file


@pytest.mark.heavy
def test_killed_and_run_again_nobody_is_forgotten(tmp_path):
    with serving(NOW_HERE) as api:
        calm, job = (live(tmp_path / name, api, BY_EMAIL) for name in ("calm", "killed"))
        for each in (calm, job):
            each.in_november()
        api.show(GONE)
        expected = figures_of(calm.collected().statement)
        api.behavior.latency = 0.02
        process = job.started()
        job.wait_for_answers(8)
        process.kill()
        process.communicate()
        assert not job.directory.exists()
        api.behavior.latency = 0
        derived = job.collected()
    assert figures_of(derived.statement) == expected
    assert job.directory.read_bytes() == calm.directory.read_bytes()


def test_without_its_own_file_a_cycle_is_built_from_those_before(tmp_path):
    with serving(NOW_HERE) as api:
        job = live(tmp_path, api, BY_EMAIL)
        job.in_november()
        api.show(GONE)
        whole = figures_of(job.collected().statement)
    job.directory.unlink()
    assert figures_of(job.derived().statement) == whole
    (tmp_path / "archive" / "2025-11-05" / "inputs" / "directory.json").unlink()
    forgotten = job.derived()
    assert close(by_center(forgotten), truth(GONE, mapped(WORLD)))
    assert foots(forgotten)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Run both cycles with the command line; in December Lee has left."""
    folder = tmp_path_factory.mktemp("built")
    with serving(NOW_HERE) as api:
        mapping = as_yaml({"cost_centers": {"Z-9": {"name": "Left"}}, "users": {EMAIL: "Z-9"}})
        job = live(folder, api, mapping)
        job.in_november()
        api.show(GONE)
        run = Job(folder).run("run", **job.environment)
    assert run.returncode == 0, run.stderr
    return Job(folder)


@pytest.mark.heavy
def test_the_documents_have_the_name_of_who_has_left(built):
    text = "".join(pages(built.cycle() / "invoices" / "CB-2025-12-05-Z-9.pdf"))
    assert "Lee Aver" in text
    assert LEE.user_id not in text


@pytest.mark.heavy
def test_a_build_after_a_run_gives_the_same_bytes(built):
    before = contents(built.cycle())
    assert "inputs/directory.json" in before
    assert built.run("build").returncode == 0
    assert contents(built.cycle()) == before


# A recording


@pytest.mark.heavy
def test_a_recording_is_remembered_too(small_build, small_job):
    """Collected, or run: everybody of the sample, whose last user is known by a session alone."""
    path = small_build.folder / "inputs" / "directory.json"
    assert list(told(path).items()) == sorted(listed(small_world()).items())
    assert small_job.run("collect").returncode == 0
    assert told(small_job.cycle() / "inputs" / "directory.json") == told(path)
