"""A cycle that is closed: final, sealed, chained, made of its own folder, never rewritten."""

import gzip
import hashlib
import json
import resource
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from time import sleep

import pytest
from click.testing import CliRunner

from reportgen.archive.disk import abandoned
from reportgen.archive.kept_fonts import keep
from reportgen.cli import main
from reportgen.documents.pdf.installed import fonts
from tests.archive.killing import killed, steps_of
from tests.scenarios.closed import PEOPLE, REASON, manifest_of
from tests.scenarios.job import DECEMBER, NOVEMBER, ROOT, Job, contents, pages, plain

RECKON = ROOT / "templates" / "audit" / "reckon.py"


def seal(folder: Path) -> str:
    return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()


def state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Give what must not change: time, mode and content of every file and folder."""
    return {
        path.relative_to(folder).as_posix(): (
            path.stat().st_mtime_ns,
            path.stat().st_mode,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted([folder, *folder.rglob("*")])
    }


# What a closed folder is


def test_what_was_decided_is_recorded(closed_once):
    folder = closed_once.cycle()
    decided = json.loads((folder / "inputs" / "close.json").read_text(encoding="utf-8"))
    assert (decided["prepared_by"], decided["approved_by"]) == (PEOPLE[1], PEOPLE[3])
    assert [(one["condition"], one["reason"]) for one in decided["accepted"]] == [
        ("unallocated", REASON)
    ]
    assert decided["previous_seal"] == seal(closed_once.cycle(NOVEMBER))
    assert closed_once.statement()["status"] == "closed"


def test_the_chain_is_in_the_order_of_sealing(closed_once):
    first, second = (manifest_of(closed_once.cycle(start)) for start in (NOVEMBER, DECEMBER))
    assert (first["sequence"], first["previous"]) == (1, None)
    assert (second["sequence"], second["previous"]) == (2, seal(closed_once.cycle(NOVEMBER)))


def test_sha256sum_checks_it_with_nothing_of_ours(closed_once):
    folder = closed_once.cycle()
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", "SHA256SUMS"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.count(": OK") == len(contents(folder)) - 2
    sums = hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
    assert manifest_of(folder)["sums"] == sums


def test_the_manifest_names_what_can_change_a_byte(closed_once):
    manifest = manifest_of(closed_once.cycle())
    assert {"reportgen", "python", "weasyprint", "openpyxl", "pango", "harfbuzz", "fontconfig"} <= {
        *manifest["versions"]
    }
    assert "not loaded" not in manifest["versions"].values()
    for digest in manifest["fonts"].values():
        font = (closed_once.archive / "fonts" / digest).read_bytes()
        assert hashlib.sha256(font).hexdigest() == digest


@pytest.mark.heavy
def test_no_page_is_preliminary_and_each_names_the_seal_before(closed_drawn):
    before = seal(closed_drawn.cycle(NOVEMBER))
    for path in sorted((closed_drawn.cycle() / "invoices").glob("*.pdf")):
        for page in pages(path):
            assert "PRELIMINARY" not in page
            assert before in page


def test_the_evidence_is_sorted_and_whole(closed_once):
    lines = gzip.decompress(
        (closed_once.cycle() / "inputs" / "responses.jsonl.gz").read_bytes()
    ).splitlines()
    told = [json.loads(line) for line in lines]
    keys = [(one["request"], datetime.fromisoformat(one["fetched_at"])) for one in told]
    assert keys == sorted(keys)
    assert not (closed_once.cycle() / "inputs" / "responses.jsonl").exists()


def test_the_second_reckoning_agrees(closed_once):
    command = [sys.executable, "-I", str(RECKON), str(closed_once.cycle())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "0 differences\n")


def test_whoever_may_write_the_archive_may_not_write_what_is_closed(closed_once):
    files = [path for path in closed_once.cycle().rglob("*") if path.is_file()]
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o400"}
    assert sorted(path.name for path in closed_once.archive.iterdir()) == [
        NOVEMBER,
        DECEMBER,
        "fonts",
    ]


# What is done to it afterwards


@pytest.mark.parametrize("command", ["build", "collect", "run", "close"])
def test_it_refuses_to_be_written_again(closed, command):
    before = state(closed.archive)
    done = closed.here(command, "--quiet")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "this billing cycle is closed" in done.stderr
    assert state(closed.archive) == before


def test_explain_reads_it_as_it_was_configured_then(closed):
    closed.edit("shared/mapping.yaml", "  ada@acme.example: A-1\n", "  ada@acme.example: B-2\n")
    before = state(closed.archive)
    done = closed.here("explain", "A-1", "--json")
    assert done.returncode == 0, done.stderr
    (line, *_) = json.loads(done.stdout)["lines"]
    assert "mapping.yaml" in json.dumps(line)
    assert state(closed.archive) == before


def test_diff_compares_an_edited_mapping_with_what_was_closed(closed):
    edited = closed.folder / "shared" / "edited.yaml"
    text = (closed.folder / "shared" / "mapping.yaml").read_text(encoding="utf-8")
    edited.write_text(
        text.replace("  ada@acme.example: A-1\n", "  ada@acme.example: B-2\n"), encoding="utf-8"
    )
    before = state(closed.archive)
    done = closed.here("diff", "--mapping", str(edited), "--json")
    assert done.returncode == 0, done.stderr
    assert state(closed.archive) == before
    moved = {(one["from"], one["to"]) for one in json.loads(done.stdout)["moves"]}
    assert moved == {("A-1", "B-2")}


def test_the_next_cycle_is_compared_with_it(closed_once):
    history = json.loads(
        (closed_once.cycle() / "inputs" / "history.json").read_text(encoding="utf-8")
    )
    (before,) = history["cycles"]
    assert (before["status"], before["seal"]) == ("closed", seal(closed_once.cycle(NOVEMBER)))
    assert closed_once.statement()["variance"]["previous"]["seal"] == before["seal"]


# What is asked of a close


@pytest.fixture
def collected(small_job) -> Job:
    assert plain(small_job).here("collect").returncode == 0
    return small_job


def test_a_dry_run_writes_nothing(collected):
    before = state(collected.archive)
    refused = collected.here("close", "--dry-run", "--json")
    accepted = collected.here("close", "--dry-run", "--accept", REASON, "--json")
    assert (refused.returncode, accepted.returncode) == (3, 0)
    (refusal,) = json.loads(refused.stdout)["refused"]
    assert (refusal["condition"], refusal["acceptable"]) == ("unallocated", True)
    assert state(collected.archive) == before


@pytest.mark.heavy
def test_a_later_cycle_can_be_closed_first_for_a_reason_that_is_recorded(collected):
    assert collected.here("collect", cycle=NOVEMBER).returncode == 0
    assert "cycles before it are still open: 2025-11-05" in collected.here("close").stderr
    assert collected.here("close", "--accept", REASON).returncode == 0
    decided = json.loads((collected.cycle() / "inputs" / "close.json").read_text(encoding="utf-8"))
    assert [one["condition"] for one in decided["accepted"]] == ["unallocated", "order"]
    later = collected.here("close", cycle=NOVEMBER)
    assert "later cycles are closed already: 2025-12-05" in later.stderr


def test_what_has_drifted_is_closed_once_it_is_collected_again(collected):
    collected.record(restated)
    refused = collected.here("close", "--accept", "")
    assert refused.returncode == 2
    refused = collected.here("close")
    assert refused.returncode == 3
    assert "the vendor restated the control total" in refused.stderr
    assert collected.here("close", "--refresh", "--accept", REASON).returncode == 0
    decided = json.loads((collected.cycle() / "inputs" / "close.json").read_text(encoding="utf-8"))
    assert [one["condition"] for one in decided["accepted"]] == ["unallocated"]


def restated(lines):
    """Let a day's control total be one ACU more."""
    for line in lines:
        if line["request"].startswith("GET /v3/enterprise/consumption/daily?"):
            body = json.loads(line["body"])
            day = body["consumption_by_date"][0]
            product = min(day["acus_by_product"])
            day["acus"] += 1
            day["acus_by_product"][product] += 1
            line["body"] = json.dumps(body)
    return lines


@pytest.mark.heavy
def test_what_differs_from_the_draft_that_was_seen_is_said(collected):
    assert collected.here("build").returncode == 0
    collected.edit("rates.yaml", "devin: 2.00", "devin: 3.00")
    done = collected.here("close", "--dry-run", "--accept", REASON)
    assert "the draft shows other figures than those to be closed; CB-2025-12-05-A-1" in done.stderr


def test_nothing_is_closed_upon_a_broken_chain(closed):
    for path in [closed.cycle(), *closed.cycle().rglob("*")]:
        path.chmod(0o700)
    (closed.cycle() / "manifest.json").unlink()
    (closed.cycle() / "inputs" / "responses.jsonl.gz").unlink()
    folder = closed.cycle(NOVEMBER)
    folder.chmod(0o700)
    (folder / "manifest.json").chmod(0o600)
    (folder / "manifest.json").write_text("{}", encoding="utf-8")
    done = closed.here("collect")
    done = closed.here("close", "--accept", REASON)
    assert done.returncode == 1
    assert "manifest.json: is no manifest" in done.stderr


# What ends it


def kinds(archive: Path) -> tuple[str, ...]:
    """Tell what stands in the place of the cycle, and whether anything lies beside it."""
    folder = archive / DECEMBER
    status = "closed" if (folder / "manifest.json").exists() else "draft"
    return status, *sorted(path.name for path in archive.iterdir() if path.name.startswith("."))


def close_it(folder: Path) -> None:
    assert Job(folder).here("close", "--accept", REASON).returncode == 0


def wait_for_workers(archive: Path) -> None:
    """Wait until processes that drew have missed the command: they hold what it held."""
    for _ in range(100):
        if all(abandoned(path) for path in archive.glob(".*.closing")):
            return
        sleep(0.1)


@pytest.mark.long
def test_a_close_that_is_killed_at_fifty_moments_is_a_draft_or_complete(collected, tmp_path):
    assert collected.here("build").returncode == 0
    draft = contents(collected.cycle())
    steps = steps_of(close_it, collected.copied(tmp_path / "whole").folder)
    outcomes = set()
    for number in range(50):
        job = collected.copied(tmp_path / f"killed-{number}")
        after = number * (steps - 1) // 49
        assert killed(close_it, job.folder, after)
        wait_for_workers(job.archive)
        said = job.here("explain", "A-1", "--quiet")
        status, *left = kinds(job.archive)
        assert left == [], after
        assert said.returncode == 0, (after, said.stderr)
        if status == "draft":
            assert contents(job.cycle()) == draft, after
        else:
            checked = CliRunner().invoke(main, ["verify", str(job.archive), "--quick"])
            assert checked.exit_code == 0, (after, checked.output)
        outcomes.add((status, "had been interrupted" in said.stderr))
    assert {("draft", True), ("closed", True)} <= outcomes


def test_the_next_command_ends_a_close_that_was_interrupted_and_says_so(closed):
    folder = closed.cycle()
    folder.rename(closed.archive / f".{DECEMBER}.closing")
    done = closed.here("explain", "A-1", "--quiet")
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert "the close of 2025-12-05 had been interrupted after its seal; it is complete now" in line
    assert kinds(closed.archive) == ("closed",)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("most", "culprit"), [(100_000, "fonts/."), (40_000, f"/{DECEMBER}/inputs/")]
)
def test_a_full_disk_is_one_line_and_leaves_the_draft(collected, most, culprit):
    """The evidence has more bytes than the second limit, a font more than the first."""
    if culprit != "fonts/.":
        shutil.copytree(fonts_of(collected), collected.archive / "fonts")
    before = contents(collected.archive)
    done = subprocess.run(
        collected.command("close", "--accept", REASON, "--quiet"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert culprit in line
    assert "File too large" in line or "file too large" in line
    assert contents(collected.archive) == before
    assert kinds(collected.archive) == ("draft",)


def fonts_of(job: Job) -> Path:
    """Give a folder with the fonts as a close keeps them."""
    folder = job.folder / "kept"
    for path in fonts().values():
        keep(folder, path.read_bytes(), group=False)
    return folder / "fonts"


def test_what_runs_daily_leaves_a_closed_cycle_and_is_well(closed):
    before = contents(closed.archive)
    refused = closed.here("run", "--strict")
    assert refused.returncode == 1
    assert "this billing cycle is closed" in refused.stderr
    daily = closed.here("run", "--unless-closed")
    assert (daily.returncode, daily.stdout) == (
        0,
        f"{closed.cycle()}: this billing cycle is closed, so nothing was done\n",
    )
    told = json.loads(closed.here("run", "--unless-closed", "--json").stdout)
    assert told["status"] == "closed"
    assert contents(closed.archive) == before


def test_what_runs_daily_is_not_warned_of_the_configuration_of_a_closed_cycle(closed):
    """It would end with 5 every day, for a cycle that nothing is done with."""
    closed.edit("chargeback.yaml", "enterprise: Acme Corporation", "enterprise: Your Enterprise")
    assert closed.here("check", "--strict").returncode == 5
    daily = closed.here("run", "--unless-closed", "--strict")
    assert (daily.returncode, "warning" in daily.stderr) == (0, False)
    assert "so nothing was done" in daily.stdout
