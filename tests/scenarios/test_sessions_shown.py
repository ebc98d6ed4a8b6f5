"""Sessions in all that a run writes: shown by name, and in no byte of it otherwise."""

import json
import re
from pathlib import Path

import pytest

from tests.documents.test_sessions import everything
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import working_world
from tests.scenarios.collecting.live import live
from tests.scenarios.collecting.test_largest import as_yaml, rules
from tests.scenarios.job import DECEMBER, Job

WORLD = working_world(users=3, organizations=1, sessions=4)
SHOWN = 'invoice: {sessions: 3, tags: ["project:*", "owner:*"], users: names}\n'
PLANTED = {
    r'"title": ?"Task (\d+)"': r'"title":"TITLEPLANTED \1"',
    r"https://app\.devin\.ai/sessions/": "https://app.devin.ai/URLPLANTED/",
    r"https://git\.acme\.example/pull/": "https://git.acme.example/PULLPLANTED/pull/",
    r'"project:1"': '"project:1","owner:okta|big|2"',
}
WORDS = ("TITLEPLANTED", "URLPLANTED", "PULLPLANTED", "owner:okta")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> Path:
    """Collect a world, and plant words in what it said of sessions."""
    folder = tmp_path_factory.mktemp("sessions")
    with serving(WORLD) as api:
        made = live(folder, api, as_yaml(rules(WORLD)))
        path = folder / "chargeback.yaml"
        path.write_text(path.read_text() + SHOWN)
        assert made.collect().code == 0
    lines = [json.loads(line) for line in made.evidence.read_text().splitlines()]
    for line in lines:
        for sought, planted in PLANTED.items():
            line["body"] = re.sub(sought, planted, line["body"])
    recording = folder / "responses.jsonl"
    recording.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    path.write_text(path.read_text().replace("source:\n", "source:\n  replay: responses.jsonl\n"))
    return folder


def written(recorded: Path, folder: Path, users: str) -> dict[str, bytes]:
    """Run with people shown so; gives all bytes of every file but the inputs."""
    job = Job(recorded).copied(folder)
    job.edit("chargeback.yaml", "users: names", f"users: {users}")
    job.edit("chargeback.yaml", "archive: archive", "archive: written")
    done = Job(folder).here("run")
    assert done.returncode == 0, done.stderr
    done = Job(folder).here("export", "--format", "csv")
    assert done.returncode == 0, done.stderr
    cycle = folder / "written" / DECEMBER
    return {
        path.relative_to(cycle).as_posix(): b"\n".join(everything(path.read_bytes()))
        for path in sorted(cycle.rglob("*"))
        if path.is_file() and not path.relative_to(cycle).as_posix().startswith("inputs/")
    }


def found(files: dict[str, bytes], words: tuple[str, ...]) -> list[tuple[str, str]]:
    return [
        (name, word)
        for name, content in files.items()
        for word in words
        for code in ("utf-8", "utf-16-be", "utf-16-le")
        if word.encode(code) in content or word.encode(code).hex().encode() in content.lower()
    ]


@pytest.mark.quick(1)
@pytest.mark.parametrize("users", ["pseudonyms", "none"])
def test_no_title_link_or_id_of_a_session_is_in_any_byte(recorded, tmp_path, users):
    files = written(recorded, tmp_path / users, users)
    assert {"statement.json", "index.html", "statement.pdf", "exports/ledger.csv"} <= files.keys()
    assert len([name for name in files if name.startswith("invoices/")]) == 8
    ids = tuple(one.session_id for one in WORLD.sessions)
    tables = {"ledger.csv", "unallocated.csv", "by_organization.csv"}  # of the archive's owner
    shown = {name: content for name, content in files.items() if name not in tables}
    assert found(files, WORDS[:3]) == []
    assert found(shown, ids) == []
    documents = {name: content for name, content in shown.items() if name != "statement.json"}
    people = tuple(
        word for one in WORLD.people for word in (one.user_id, one.email, one.name) if word
    )
    assert found(documents, (*people, "owner:okta")) == []
    (first, *_) = json.loads(files["statement.json"].partition(b"\n{")[0])["cost_centers"]
    assert len(first["sessions"]) == 3
    assert first["other_sessions"]["amount"]
    assert [one["title"] for one in first["sessions"]] == [None] * 3


@pytest.mark.heavy
def test_by_name_all_of_it_is_shown_where_it_belongs(recorded, tmp_path):
    files = written(recorded, tmp_path / "names", "names")
    holding = {name.partition("/")[0] for name, _ in found(files, WORDS)}
    assert holding == {"invoices", "statement.json", "statement.pdf"}
    of_invoices = {name: content for name, content in files.items() if name.endswith(".pdf")}
    assert {word for _, word in found(of_invoices, WORDS)} == set(WORDS)
