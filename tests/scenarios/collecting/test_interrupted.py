"""A network that fails, a run that is killed, two at once: one statement, and no token anywhere."""

import os
import time
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from tests.fakeapi.behavior import ADMIN, ENTERPRISE, PERSONAL, organization_token
from tests.fakeapi.faults import KINDS
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world
from tests.scenarios.collecting.live import CYCLES_LINE, DAILY3, NOW, live, mapped, own_credentials
from tests.scenarios.figures import figures_of

WORLD = big_world(users=16, organizations=3, sessions=8)
MAPPING = mapped(WORLD, sessions={WORLD.sessions[0].session_id: "Z-9"})
SOURCES = {"v3": "", "v2": "api: v2", "organizations": own_credentials(WORLD)}
SEED = 20251205


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """Give the statement of every source, collected without any trouble."""
    with serving(WORLD) as api:
        return {
            name: figures_of(
                live(tmp_path_factory.mktemp("calm"), api, MAPPING, source).collected().statement
            )
            for name, source in SOURCES.items()
        }


# Faults


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("seed", [1, 2])
def test_under_faults_of_every_kind_the_statement_is_the_same(tmp_path, calm, name, seed):
    with serving(WORLD, page_cap=20) as api:
        api.faults.share, api.faults.seed, api.faults.clock = 0.15, seed, lambda: NOW
        api.faults.kinds, api.faults.slow_seconds = KINDS, 0.01
        derived = live(tmp_path, api, MAPPING, SOURCES[name]).collected(concurrency=8)
        happened = sum(api.faults.happened.values())
    assert figures_of(derived.statement) == calm[name]
    assert happened > 5
    assert api.violations == []


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize("kind", KINDS)
def test_under_every_kind_alone_the_statement_is_the_same(tmp_path, calm, kind):
    """Every third request fails, twice in a row where chance wills it."""
    with serving(WORLD) as api:
        api.faults.share, api.faults.kinds, api.faults.clock = 0.3, (kind,), lambda: NOW
        api.faults.slow_seconds = 0.01
        derived = live(tmp_path, api, MAPPING).collected(concurrency=8)
        assert api.faults.happened[kind] > 10
    assert figures_of(derived.statement) == calm["v3"]


def test_no_failed_answer_gets_into_the_evidence(tmp_path):
    with serving(WORLD) as api:
        api.faults.share, api.faults.clock = 0.3, lambda: NOW
        job = live(tmp_path, api, MAPPING)
        job.collected()
        assert {response.status for response in job.stored().values()} == {200}
        assert job.stored().keys() <= set(api.seen.lines)
    assert len(job.evidence.read_text(encoding="utf-8").splitlines()) == len(job.stored())


# Failed, killed, torn, and two at once


def test_after_a_failure_nothing_stored_is_asked_again(tmp_path, calm):
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING)
        api.forbid("/v3/organizations/{org_id}/consumption/daily/users/{user_id}", 401)
        assert job.collect().code == 4
        stored = job.stored()
        assert len(stored) > 20
        api.allow_again()
        api.forget()
        derived = job.collected()
        assert api.seen.lines.keys() & stored.keys() == {CYCLES_LINE}
    assert job.stored().keys() == stored.keys() | api.seen.lines.keys()
    assert figures_of(derived.statement) == calm["v3"]


@pytest.mark.heavy
@pytest.mark.parametrize("refused", [False, True])
def test_what_brings_nothing_new_leaves_the_evidence_as_it_was(tmp_path, refused):
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING)
        if refused:  # which is asked again, and answered as before
            api.forbid("/v3/organizations/{org_id}/consumption/daily/users/{user_id}", 403)
        job.collected()
        os.utime(job.evidence, ns=(1, 1))
        before = job.evidence.read_bytes()
        api.forget()
        job.now += timedelta(days=40)
        job.collected()
        assert (len(api.seen.lines) > 1) == refused
        assert (job.evidence.read_bytes(), job.evidence.stat().st_mtime_ns) == (before, 1)
        if refused:
            api.allow_again()
            job.collected()
            kept = job.evidence.read_bytes()
            assert kept.startswith(before)
            assert len(kept) > len(before)


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize("number", range(4))
def test_killed_at_any_moment_and_run_again_nothing_stored_is_asked_again(tmp_path, calm, number):
    rng = Random(f"{SEED}|{number}")  # noqa: S311 - no secret
    with serving(WORLD, latency=0.01) as api:
        job = live(tmp_path, api, MAPPING)
        process = job.started("--concurrency", "8")
        job.wait_for_answers(1 + int(rng.random() * 40))
        time.sleep(rng.random() * 0.02)
        process.kill()
        process.communicate()
        content = job.evidence.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        stored = {line.split(b'"')[3].decode() for line in whole.splitlines()}
        api.behavior.latency = 0
        api.forget()
        derived = job.collected()
        asked = {*api.seen.lines}
    assert asked & stored <= {CYCLES_LINE}
    assert max(api.seen.lines.values()) == 1
    assert job.evidence.read_bytes().startswith(whole)
    assert figures_of(derived.statement) == calm["v3"]


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize("name", SOURCES)
def test_torn_anywhere_the_rest_is_asked_for(tmp_path, calm, name):
    rng = Random(f"{SEED}|{name}")  # noqa: S311 - no secret
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING, SOURCES[name])
        job.collected()
        everything, content = {*job.stored()}, job.evidence.read_bytes()
        for _ in range(4):
            kept = content[: int(rng.random() * len(content))]
            job.evidence.write_bytes(kept)
            stored = {
                line.split(b'"')[3].decode() for line in kept[: kept.rfind(b"\n") + 1].splitlines()
            }
            api.forget()
            assert figures_of(job.collected().statement) == calm[name]
            assert {line for line in api.seen.lines if "/cycles" not in line} == {
                line for line in everything - stored if "/cycles" not in line
            }


@pytest.mark.heavy
def test_the_second_of_two_runs_refuses(tmp_path, calm):
    with serving(WORLD, latency=0.02) as api:
        job = live(tmp_path, api, MAPPING)
        first = job.started("--concurrency", "2")
        job.wait_for_answers(2)
        before = sum(api.seen.lines.values())
        second = job.collect()
        assert (second.code, second.stdout) == (1, "")
        assert (
            "another run is working on this billing cycle; wait until it has ended" in second.stderr
        )
        assert api.seen.lines[CYCLES_LINE] == 2
        assert sum(api.seen.lines.values()) < before + 40
        api.behavior.latency = 0
        _, said = first.communicate(timeout=20)
        assert first.returncode == 0, said
    assert figures_of(job.derived().statement) == calm["v3"]


@pytest.mark.heavy
def test_an_answer_of_an_open_cycle_is_not_taken_for_the_final_one(tmp_path, calm):
    """Interrupted before the end of the cycle, resumed after it."""
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING)
        job.now = datetime(2026, 1, 5, 7, 59, tzinfo=UTC)
        job.collected()
        job.now = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
        api.forget()
        derived = job.collected()
        assert api.seen.lines.keys() == job.stored().keys()
    assert figures_of(derived.statement) == calm["v3"]
    assert not derived.statement.heading.cycle_open


# Tokens


@pytest.mark.quick(1)
@pytest.mark.parametrize("name", SOURCES)
def test_no_byte_that_is_written_holds_a_token(tmp_path, name):
    tokens = [
        ENTERPRISE,
        PERSONAL,
        ADMIN,
        *(organization_token(place.org_id) for place in WORLD.organizations),
    ]
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING, SOURCES[name])
        template = {"v2": "/v2/enterprise/consumption/daily", "v3": DAILY3}.get(
            name, "/v3/organizations/{org_id}/consumption/daily"
        )
        api.forbid(template)
        assert job.collect().code == 4
        api.allow_again()
        api.behavior.allow_listed = False
        assert job.collect(refresh=True).code == 4
        api.behavior.allow_listed = True
        api.faults.share, api.faults.kinds, api.faults.in_a_row = 1.0, ("504",), 9
        assert job.collect().code == 4
        api.faults.share = 0.0
        job.collected()
        job.environment = {key: f"{token}\u200b" for key, token in job.environment.items()}
        assert job.collect().code == 1
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    written += "".join(said.stdout + said.stderr for said in job.said).encode()
    assert [token for token in tokens if token.encode() in written] == []
