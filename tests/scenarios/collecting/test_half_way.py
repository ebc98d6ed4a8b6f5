"""A 403 says something of the credential: half-way through a fetch it stops, and never stays."""

import json
from collections import Counter

import pytest

from reportgen.commands.build import build
from reportgen.core.written.statement_json import statement_json
from tests.fakeapi.api import FakeApi
from tests.fakeapi.faults import Reply
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world
from tests.poppler import text_of
from tests.scenarios.collecting.live import DAILY3, live, mapped, own_credentials
from tests.scenarios.job import STATEMENT, Job, plain

WORLD = big_world(users=9, organizations=3, sessions=6)
MAPPING = mapped(WORLD, sessions={WORLD.sessions[0].session_id: "Z-9"})
SOURCES = {"v3": "", "v2": "api: v2", "organizations": own_credentials(WORLD)}
USER = f"{DAILY3}/users/{{user_id}}"
ONE, TWO, *_ = (person.user_id for person in WORLD.people if person.directory != "gone")
SHOWN = "/consumption/daily/sessions/"
"""What is asked last, and only to be shown."""
FORBIDDEN = Reply(status=403, body=b'{"detail":"Forbidden"}')


class Revoked(FakeApi):
    """Refuses everything from one request on, up to another."""

    def __init__(self, first, last=10**9):
        super().__init__(WORLD)
        self.first, self.last, self.count = first, last, 0

    def reply(self, method, target, headers):
        self.count += 1
        found = super().reply(method, target, headers)
        return FORBIDDEN if self.first <= self.count <= self.last else found


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """Give the statement of every source, and how many requests what is charged takes."""
    found = {}
    for name, source in SOURCES.items():
        with serving(WORLD) as api:
            job = live(tmp_path_factory.mktemp("calm"), api, MAPPING, source)
            text = statement_json(job.collected(concurrency=1).statement)
            charged = {line for line in api.seen.lines if SHOWN not in line}
            found[name] = text, sum(api.seen.lines[line] for line in charged)
    return found


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("part", [0.1, 0.4, 0.7, 0.97])
def test_a_credential_that_is_revoked_half_way_is_exit_4_and_healed_by_the_next(
    tmp_path, calm, name, part
):
    text, requests = calm[name]
    with serving(Revoked(max(3, int(requests * part)))) as api:
        job = live(tmp_path, api, MAPPING, SOURCES[name])
        said = job.collect(concurrency=1)
        assert (said.code, said.stdout) == (4, ""), said.stderr
        assert "403" in said.stderr.splitlines()[-1]
        assert not job.directory.exists()
        api.first = 10**9
        derived = job.collected()
    assert statement_json(derived.statement) == text


@pytest.mark.quick(1)
@pytest.mark.parametrize("name", SOURCES)
def test_what_was_refused_for_a_while_is_asked_once_more_at_the_end(tmp_path, calm, name):
    text, requests = calm[name]
    first = int(requests * 0.6)
    with serving(Revoked(first, first + 2)) as api:
        derived = live(tmp_path, api, MAPPING, SOURCES[name]).collected(concurrency=1)
    assert statement_json(derived.statement) == text


def test_a_refusal_is_asked_again_by_the_next_run_and_what_is_not_found_is_not(tmp_path):
    with serving(WORLD) as api:
        api.forbid(USER, user_id=ONE)
        api.lose(USER, user_id=TWO)
        job = live(tmp_path, api, MAPPING)
        assert job.collect(accept_refused=True).code == 0
        api.forget()
        assert job.collect(accept_refused=True).code == 0
    asked = {line for line in api.seen.lines if "/daily/users/" in line}
    assert len(asked) == 1
    assert ONE.replace("|", "%7C") in asked.pop()


def test_a_kind_of_view_that_was_never_answered_is_asked_once_more_and_coarser(tmp_path):
    with serving(WORLD) as api:
        api.forbid(USER)
        job = live(tmp_path, api, MAPPING)
        said = job.collect()
    assert said.code == 0
    assert f"GET {USER.replace('user_id', 'id')}: " in said.stderr
    assert "ACUs without a user" in said.stdout
    asked = Counter(api.seen.lines)
    assert sorted(count for line, count in asked.items() if f"{DAILY3}/users/" in line)[-2:] == [
        1,
        2,
    ]


def built(job, **changes):
    return job.command(lambda context: build(job.folder, "2025-12", context, 1, **changes))


@pytest.mark.heavy
def test_nothing_is_built_of_it_unless_it_is_accepted_and_page_one_says_so(tmp_path):
    with serving(WORLD) as api:
        api.forbid(USER, user_id=ONE)
        job = live(tmp_path, api, MAPPING)
        plain(Job(tmp_path), *STATEMENT)
        refused = job.collect()
        assert (refused.code, refused.stdout) == (4, "")
        assert "refused half-way, 1 of " in refused.stderr
        assert "ACUs without a user" in refused.stderr
        assert refused.stderr.splitlines()[-1].endswith("with --accept-refused")
        offline = built(job)
        assert (offline.code, offline.stdout) == (4, "")
        folder = job.evidence.parents[1]
        assert [path.name for path in folder.iterdir()] == ["inputs"]
        assert job.collect(accept_refused=True).code == 0
        assert built(job).code == 0
        text = " ".join(text_of((folder / "statement.pdf").read_bytes()).split("\f")[0].split())
        assert "The API refused a part of what it was asked" in text
        said = json.loads((folder / "statement.json").read_text(encoding="utf-8"))
        assert any("refused half-way" in view for view in said["missing_views"])
        assert job.collect().code == 4
        assert built(job).code == 4
        api.allow_again()
        assert job.collect().code == 0
        assert built(job).code == 0
    assert not (folder / "inputs" / "accepted.json").exists()
    first = text_of((folder / "statement.pdf").read_bytes())
    assert "The API refused a part" not in " ".join(first.split())
