"""README.txt explains the folder; the ledger says which of two answers to a question counts."""

import gzip
import json
import re
from hashlib import sha256

import pytest
from click.testing import CliRunner

from reportgen.cli import main
from reportgen.core.written import readme
from reportgen.core.written.tables import read_rows
from tests.scenarios.job import Job, plain, small


def test_every_column_of_every_table_is_explained_and_every_file_named(drafted):
    text = (drafted.cycle() / "README.txt").read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= 80
    assert text.startswith("Acme Corporation\nBilling cycle 2025-12-05 to 2026-01-05 (")
    for path in sorted(drafted.cycle().iterdir()):
        assert path.name == "README.txt" or path.stem in text
        if path.suffix == ".csv":
            part = text.partition(f"The columns of {path.name}\n")[2].partition("\n\n")[0]
            explained = re.findall(r"^  ([a-z_]+): \S", part, re.MULTILINE)
            assert explained == path.read_text(encoding="utf-8").splitlines()[0].split(",")
    versions = json.loads((drafted.cycle() / "inputs" / "versions.json").read_text("utf-8"))
    assert f"reportgen {versions['versions']['reportgen']}; with python " in text


def test_notes_are_explained_where_there_are_some():
    assert set(readme.NOTES) == set(readme.NOTE_COLUMNS)
    assert "before_acus: ACUs as the line stood" in "\n".join(
        readme._table(("notes.csv", readme.NOTE_COLUMNS, readme.NOTES))
    )


def answered_twice(job: Job) -> tuple[str, dict]:
    """Let Ada's question have had another answer before; gives the request, and what counts."""
    path = job.cycle() / "inputs" / "responses.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    ledger = (job.cycle() / "ledger.csv").read_text(encoding="utf-8")
    row = next(row for row in read_rows(ledger) if row["rule"] == "mapping.yaml:7")
    request = row["requests"].split()[0]
    (counts,) = [json.loads(line) for line in lines if f'"GET {request}"' in line]
    earlier = {**counts, "body": counts["body"] + " ", "fetched_at": "2026-01-08T10:00:00Z"}
    path.write_text("\n".join([json.dumps(earlier), *lines, ""]), encoding="utf-8")
    return request, counts


def test_the_answer_that_counts_is_named_by_line_and_hash(drafted):
    request, counts = answered_twice(plain(drafted))
    drafted.edit("chargeback.yaml", f"source:\n  replay: {drafted.recording}\n", "")
    assert drafted.here("build").returncode == 0
    ledger = (drafted.cycle() / "ledger.csv").read_text(encoding="utf-8")
    rows = [row for row in read_rows(ledger) if request in row["requests"]]
    assert rows
    lines = (drafted.cycle() / "inputs" / "responses.jsonl").read_text("utf-8").splitlines()
    for row in rows:
        (named,) = [one for one in row["requests"].split() if one.partition("#")[0] == request]
        line, digest = re.fullmatch(r".*#line=(\d+)&sha256=([0-9a-f]{64})", named).groups()
        assert json.loads(lines[int(line) - 1]) == counts
        assert digest == sha256(counts["body"].encode()).hexdigest()
    others = {one for row in read_rows(ledger) for one in row["requests"].split()} - {named}
    assert not [one for one in others if "#" in one]
    assert drafted.here("export", "--format", "csv").returncode == 0
    exported = (drafted.cycle() / "exports" / "ledger.csv").read_text(encoding="utf-8")
    assert [row["requests"] for row in read_rows(exported)] == [
        row["requests"] for row in read_rows(ledger)
    ]


@pytest.mark.heavy
def test_a_closed_cycle_names_the_answer_as_sealed_and_is_made_again(tmp_path):
    job = plain(small(tmp_path / "small"))
    assert job.here("run").returncode == 0
    request, counts = answered_twice(job)
    with (job.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write("close: {exports: [csv]}\n")
    closed = job.here("close", "--accept", "Seen")
    assert closed.returncode == 0, closed.stderr
    ledger = (job.cycle() / "ledger.csv").read_text(encoding="utf-8")
    marks = {one for row in read_rows(ledger) for one in row["requests"].split() if "#" in one}
    (mark,) = marks
    assert mark in (job.cycle() / "exports" / "ledger.csv").read_text(encoding="utf-8")
    with gzip.open(job.cycle() / "inputs" / "responses.jsonl.gz") as file:
        lines = file.read().splitlines()
    assert json.loads(lines[int(re.search(r"line=(\d+)", mark)[1]) - 1]) == counts
    assert mark.startswith(f"{request}#")
    text = (job.cycle() / "README.txt").read_text(encoding="utf-8")
    assert "This cycle is closed" in text
    assert "SHA256SUMS:" in text
    sums = (job.cycle() / "SHA256SUMS").read_text("utf-8")
    assert sha256(text.encode()).hexdigest() in sums
    said = verdict(job)
    assert said["verdict"] == "intact", said


@pytest.mark.heavy
def test_a_readme_that_was_changed_or_taken_away_is_told(closed):
    folder = closed.cycle()
    (folder / "README.txt").chmod(0o600)
    assert verdict(closed)["verdict"] == "intact"
    folder.chmod(0o700)
    (folder / "README.txt").write_text("Nothing to see here.", encoding="utf-8")
    assert verdict(closed)["verdict"] == "tampered"
    (folder / "README.txt").unlink()
    assert verdict(closed)["verdict"] == "tampered"


def verdict(job: Job) -> dict:
    result = CliRunner().invoke(main, ["verify", str(job.archive), "--workers", "1", "--json"])
    return json.loads(result.stdout)
