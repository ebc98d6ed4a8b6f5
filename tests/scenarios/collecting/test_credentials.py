"""Whose credential it is, as `cycles` says on stderr to help: nothing depends on it."""

import time

import pytest
import stamina

from reportgen.commands.cycles import cycles
from tests.fakeapi.api import FakeApi
from tests.fakeapi.behavior import ENTERPRISE, PERSONAL, organization_token
from tests.fakeapi.faults import Reply
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world
from tests.scenarios.collecting.live import CYCLES3, live, mapped, own_credentials
from tests.scenarios.job import NOVEMBER, Job

WORLD = big_world(users=4, organizations=3)
ONE, TWO, THREE = (place.org_id for place in WORLD.organizations)
MAPPING = mapped(WORLD)
OWN = own_credentials(WORLD)
SELF = "/v3/self"
ROBOT = WORLD.service_users[-1].name


def told(job):
    """Ask for the cycles; give what was said, and the lines of it on credentials."""
    said = job.command(lambda context: cycles(job.folder, context))
    words = ("Credential of ", "It ")
    return said, [line for line in said.stderr.splitlines() if line.startswith(words)]


def of_organization(org_id):
    return f"Credential of service user Reader of {org_id}, for organization {org_id}"


def seen_by(tmp_path, api, source="", **environment):
    job = live(tmp_path, api, MAPPING, source)
    job.environment |= environment
    return told(job)


# Whose it is


def test_the_credential_of_the_enterprise_is_a_service_users(tmp_path):
    with serving(WORLD) as api:
        said, lines = seen_by(tmp_path, api)
        assert api.violations == []
    assert lines == [f"Credential of service user {ROBOT}, for the whole enterprise"]
    assert said.code == 0
    assert "2025-12-05" in said.stdout
    assert "Credential" not in said.stdout


def test_it_may_be_a_persons(tmp_path):
    with serving(WORLD) as api:
        _, lines = seen_by(tmp_path, api, DEVIN_API_TOKEN=PERSONAL)
    assert lines == ["Credential of user Pat, for the whole enterprise"]


def test_every_organization_has_its_own(tmp_path):
    with serving(WORLD) as api:
        said, lines = seen_by(tmp_path, api, OWN)
        assert api.seen.lines == {f"GET {SELF}": 3}
        assert api.seen.authorizations == {
            f"Bearer {organization_token(org_id)}": 1 for org_id in (ONE, TWO, THREE)
        }
    assert lines == [of_organization(org_id) for org_id in (ONE, TWO, THREE)]
    assert said.code == 0


def test_where_v3_lies_elsewhere_it_is_asked_there(tmp_path):
    class Elsewhere(FakeApi):
        def reply(self, method, target, headers):
            assert target.startswith("/v3beta1/")
            return super().reply(method, target.replace("/v3beta1/", "/v3/", 1), headers)

    with serving(Elsewhere(WORLD)) as api:
        _, lines = seen_by(tmp_path, api, "prefix: /v3beta1")
    assert lines == [f"Credential of service user {ROBOT}, for the whole enterprise"]


# Where it is the wrong one


def test_an_organizations_credential_cannot_stand_for_the_enterprise(tmp_path):
    with serving(WORLD) as api:
        said, lines = seen_by(tmp_path, api, DEVIN_API_TOKEN=organization_token(TWO))
    assert lines == [
        of_organization(TWO),
        "It cannot read the enterprise's consumption; list it under `source: {organizations: …}`",
    ]
    assert said.code == 1
    assert "the API does not tell this credential the billing cycles" in said.stderr


def test_credentials_that_were_swapped_are_named(tmp_path):
    with serving(WORLD) as api:
        swapped = {"TOKEN_0": organization_token(TWO), "TOKEN_1": organization_token(ONE)}
        said, lines = seen_by(tmp_path, api, OWN, **swapped)
    assert lines == [
        of_organization(TWO),
        f"It is configured for {ONE}; correct `source: {{organizations: …}}`",
        of_organization(ONE),
        f"It is configured for {TWO}; correct `source: {{organizations: …}}`",
        of_organization(THREE),
    ]
    assert said.code == 0


def test_the_enterprises_credential_serves_an_organization(tmp_path):
    with serving(WORLD) as api:
        _, lines = seen_by(tmp_path, api, OWN, TOKEN_1=ENTERPRISE)
    assert lines[1] == f"Credential of service user {ROBOT}, for the whole enterprise"
    assert not [line for line in lines if line.startswith("It ")]


# Where it is not told


@pytest.mark.parametrize("status", [401, 403, 404, 422])
@pytest.mark.parametrize("source", ["", OWN], ids=["enterprise", "organizations"])
def test_where_it_is_refused_nothing_is_said_and_all_else_is_as_before(tmp_path, source, status):
    with serving(WORLD) as api:
        plain, _ = seen_by(tmp_path / "plain", api, source)
        api.forbid(SELF, status)
        said, lines = seen_by(tmp_path / "refused", api, source)
    assert lines == []
    assert (said.code, said.stdout) == (0, plain.stdout)
    assert said.stderr == "".join(
        line for line in plain.stderr.splitlines(True) if "Credential" not in line
    )


@pytest.mark.parametrize(
    "kind", ["500", "504", "429", "maintenance", "empty", "other json", "cut before", "reset"]
)
def test_where_it_fails_it_is_asked_once_and_nobody_waits(tmp_path, kind):
    with stamina.set_testing(False), serving(WORLD) as api:
        api.faults.script(*[kind] * 9, template=SELF)
        began = time.monotonic()
        said, lines = seen_by(tmp_path, api)
        assert time.monotonic() - began < 2
        assert api.seen.lines[f"GET {SELF}"] == 1
    assert said.code == 0
    assert lines in ([], ["Credential of user somebody, for the whole enterprise"])


class Odd(FakeApi):
    """Answers with a body of its own when it is asked whose a credential is."""

    def __init__(self, body):
        super().__init__(WORLD)
        self.body = body

    def reply(self, method, target, headers):
        if target == SELF:
            return Reply(status=200, body=self.body)
        return super().reply(method, target, headers)


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b'{"service_user_id": 5}', b'{"org_id": {}}', b"\xff", b"[" * 99_999]
)
def test_a_body_that_makes_no_sense_is_passed_over(tmp_path, body):
    with serving(Odd(body)) as api:
        said, lines = seen_by(tmp_path, api)
    assert (said.code, lines) == (0, [])


def test_a_hostile_name_stays_on_its_line(tmp_path):
    name = rb"a\n\u001b[31mb\u202e"
    with serving(Odd(b'{"service_user_id":"s","service_user_name":"%s"}' % name)) as api:
        _, lines = seen_by(tmp_path, api)
    assert lines == ["Credential of service user a\\n\\u001b[31mb\\u202e, for the whole enterprise"]


def test_one_bad_token_of_three_hides_nobody_else(tmp_path):
    with serving(WORLD) as api:
        said, lines = seen_by(tmp_path, api, OWN, TOKEN_1="cog_revoked")
    assert lines == [of_organization(org_id) for org_id in (ONE, THREE)]
    assert said.code == 0
    assert "cog_revoked" not in said.stdout + said.stderr


@pytest.mark.parametrize("command", ["cycles", "collect", "run"])
def test_a_wrong_token_is_exit_code_4_and_never_shown(tmp_path, command):
    wrong = "cog_this-is-the-secret"
    with serving(WORLD) as api:
        job = Job(live(tmp_path, api, MAPPING).folder)
        ended = job.here(command, DEVIN_API_TOKEN=f"{wrong}\n")
    assert ended.returncode == 4
    (line,) = (line for line in ended.stderr.splitlines() if line.startswith("GET "))
    assert f'{CYCLES3}?first=200: the API answered 401 ("Unauthorized"); check the token' in line
    assert wrong not in ended.stdout + ended.stderr
    assert api.seen.authorizations.keys() == {f"Bearer {wrong}"}
    assert not job.archive.exists()


@pytest.mark.parametrize(
    ("source", "token", "said"),
    [
        ("", "apk_user_0123", "holds a key of v2, but `api` is v3; set it to the key of a service"),
        ("api: v2", "cog_0123", "holds a key of v3, but `api` is v2; set it to the key of an"),
    ],
)
def test_a_key_of_the_other_version_is_told_at_the_line_that_names_it(
    tmp_path, source, token, said
):
    with serving(WORLD) as api:
        job = Job(live(tmp_path, api, MAPPING, source).folder)
        ended = job.here("run", DEVIN_API_TOKEN=token)
    assert ended.returncode == 1
    assert f"chargeback.yaml:2: the environment variable DEVIN_API_TOKEN {said}" in ended.stderr
    assert token not in ended.stdout + ended.stderr
    assert not api.seen.lines
    assert not job.archive.exists()


# Where it is not asked


@pytest.mark.parametrize("source", ["", OWN], ids=["enterprise", "organizations"])
def test_collecting_does_not_ask_and_keeps_nothing_of_it(tmp_path, source):
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING, source)
        told(job)
        assert not (tmp_path / "archive").exists()
        api.forget()
        job.collected()
        assert f"GET {SELF}" not in api.seen.lines
    assert f"GET {SELF}" not in job.stored()
    assert "Credential" not in job.said[-1].stderr


def test_v2_does_not_tell(tmp_path):
    with serving(WORLD) as api:
        said, lines = seen_by(tmp_path, api, "api: v2")
        assert all(line.startswith("GET /v2/") for line in api.seen.lines)
    assert (said.code, lines) == (0, [])


@pytest.mark.parametrize("status", [200, 403, 500])
def test_a_recording_is_nobodys(small_job, tmp_path, status):
    """Not even where one holds an answer."""
    body = '{"service_user_id": "s", "service_user_name": "Recorder", "org_id": null}'
    answer = {
        "request": f"GET {SELF}",
        "status": status,
        "fetched_at": "2026-01-09T10:00:00Z",
        "body": body,
    }
    small_job.record(lambda lines: [*lines, answer])
    with serving(WORLD) as api:
        job = live(tmp_path / "live", api, MAPPING)
        job.folder = small_job.folder
        said, lines = told(job)
        assert not api.seen.lines
    assert (said.code, lines) == (0, [])
    assert NOVEMBER in said.stdout
