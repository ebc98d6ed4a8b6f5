"""A closed cycle that is corrected: notes for what changed, sealed beside it, proved like it."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from reportgen.archive import history
from reportgen.cli import main
from reportgen.core.cycle import contract_cycles
from tests.archive.killing import killed, steps_of
from tests.scenarios.closed import forged, manifest_of, seal_of, written
from tests.scenarios.corrected import LATER, MISTAKE, TICKET, amount_of, correct
from tests.scenarios.job import (
    DECEMBER,
    NOVEMBER,
    PLAIN,
    ROOT,
    Job,
    Json,
    contents,
    documents,
    once,
    pages,
)
from tests.scenarios.test_close import state, wait_for_workers
from tests.scenarios.test_elsewhere import FARM
from tests.scenarios.test_verify import named, verify

BASE = ROOT / "tests" / "errors" / "base"
FIRST, SECOND = f"{DECEMBER}.c1", f"{DECEMBER}.c2"


def job_of(folder: Path) -> Job:
    """Copy a cycle of three people, with documents of a line but for notes."""
    shutil.copytree(BASE, folder)
    (folder / "templates").mkdir()
    for name, text in PLAIN.items():
        (folder / "templates" / name).write_text(text, encoding="utf-8")
    with (folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write("templates: templates\n")
    return Job(folder)


def restate(job: Job, day: int, product: str, more: float, *who: str) -> None:
    """Let an enterprise's view, and others, tell more of a product on one of the days."""
    path = job.folder / "responses.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        view = line["request"].removeprefix("GET /v3/enterprise/consumption/").partition("?")[0]
        if view in {"daily", *who}:
            body = json.loads(line["body"])
            told = body["consumption_by_date"][day]
            told["acus"] += more
            told["acus_by_product"][product] = told["acus_by_product"].get(product, 0) + more
            body["total_acus"] += more
            line["body"] = json.dumps(body)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def close_and_correct(folder: Path) -> None:
    """Close it; then Ada is told with an ACU more of cascade, and Alan with one of devin less."""
    job = job_of(folder)
    for command in (("collect",), ("close",)):
        done = job.here(*command)
        assert done.returncode == 0, done.stderr
    assert job.here("correct", "--reason", TICKET).stdout.startswith("No amount changed")
    restate(job, 1, "cascade", 1, "daily/users/email%7C0001")
    correct(job)


@pytest.fixture(scope="module")
def once_corrected(tmp_path_factory) -> Job:
    return Job(once(tmp_path_factory.mktemp("correct"), "job", close_and_correct))


@pytest.fixture
def job(once_corrected, tmp_path) -> Job:
    return once_corrected.copied(tmp_path / "job")


def note_of(folder: Path) -> Json:
    values: Json = json.loads((folder / "correction.json").read_text(encoding="utf-8"))
    return values


def everything(job: Job) -> dict[str, dict[str, tuple[int, int, bytes]]]:
    """Give what lies in the archive, hidden or not, with times and modes."""
    return {path.name: state(path) for path in job.archive.iterdir()}


# What is issued


def test_what_changed_is_on_a_note_and_nothing_else(once_corrected):
    """Ada's 3 ACUs of cascade on 6 December become 4, at 1.75: 5.25, and 7.00."""
    values = note_of(once_corrected.archive / FIRST)
    (note,) = values["notes"]
    (line,) = note["lines"]
    assert (note["number"], note["invoice"]) == (
        "CB-2025-12-05-CC-1001-D1",
        "CB-2025-12-05-CC-1001",
    )
    assert (line["product"], line["unit_price"], line["acus"]) == ("cascade", "1.75", "1")
    assert (line["before_amount"], line["after_amount"], line["amount"]) == ("5.25", "7.00", "1.75")
    assert values["not_issued"] == []
    assert values["tie_out"]["difference_amount"] == "0.00"
    assert sorted(path.name for path in (once_corrected.archive / FIRST / "notes").iterdir()) == [
        "CB-2025-12-05-CC-1001-D1.pdf",
        "CB-2025-12-05-CC-1001-D1.xlsx",
    ]


def test_the_fiscal_year_of_the_next_cycle_counts_the_note(once_corrected):
    january = contract_cycles(5, [(2026, 1)])[0]
    year, warnings = history.earlier_in_year(once_corrected.archive, january, date(2025, 7, 1))
    (december,) = year
    assert (warnings, december.status) == ([], "closed")
    closed = {one["code"]: one for one in once_corrected.statement()["cost_centers"]}
    for code, center in closed.items():
        noted = Decimal("1.75") if code == "CC-1001" else 0
        assert december.cost_centers[code].amount == Decimal(center["amount"]) + noted
    assert history.earlier_in_year(once_corrected.archive, january, date(2026, 1, 1)) == ((), [])


def test_it_is_a_link_of_the_chain_upon_the_close(once_corrected):
    folder, cycle = once_corrected.archive / FIRST, once_corrected.cycle()
    manifest = manifest_of(folder)
    assert (manifest["folder"], manifest["sequence"]) == (FIRST, 2)
    assert manifest["previous"] == seal_of(cycle)
    assert note_of(folder)["corrects"] == {"folder": DECEMBER, "seal": seal_of(cycle)}
    modes = {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}
    assert modes == {0o400}


def test_a_correction_of_nothing_writes_nothing(job):
    before = everything(job)
    done = job.here("correct", "--reason", TICKET)
    assert done.returncode == 0
    assert f"No amount changed, and nothing was written: {FIRST} stands" in done.stdout
    assert "it was sealed with; --config takes edited ones" in done.stdout
    assert everything(job) == before


def test_a_dry_run_says_what_would_be_issued(job):
    restate(job, 1, "cascade", 1, "daily/users/email%7C0001")
    before = everything(job)
    done = job.here("correct", "--reason", TICKET, "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert [note["number"] for note in json.loads(done.stdout)["notes"]] == [
        "CB-2025-12-05-CC-1001-D2"
    ]
    assert everything(job) == before


@pytest.mark.heavy
def test_corrections_stack_and_name_those_before(job):
    restate(job, 1, "cascade", -1, "daily/users/email%7C0001")
    values = correct(job, reason="Told back")
    (note,) = values["notes"]
    assert (note["number"], note["earlier"]) == (
        "CB-2025-12-05-CC-1001-C2",
        ["CB-2025-12-05-CC-1001-D1"],
    )
    assert (note["amount"], note["after_amount"]) == ("-1.75", note_amount(job, "before_amount"))
    code, result = verify(job.archive)
    assert (code, result["verdict"]) == (0, "intact")


def note_amount(job: Job, name: str) -> str:
    (note,) = note_of(job.archive / FIRST)["notes"]
    return str(note[name])


@pytest.mark.heavy
def test_what_is_below_the_minimum_is_listed_and_waits(job):
    with (job.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write("corrections: {minimum: 3.00}\n")
    restate(job, 1, "cascade", 1, "daily/users/email%7C0001")
    before = everything(job)
    listed = json.loads(job.here("correct", "--reason", TICKET, "--json").stdout)
    assert (listed["notes"], [one["amount"] for one in listed["not_issued"]]) == ([], ["1.75"])
    assert everything(job) == before
    restate(job, 1, "cascade", 1, "daily/users/email%7C0001")
    (note,) = correct(job)["notes"]
    assert note["amount"] == "3.50"


def test_a_mapping_that_was_wrong_is_corrected_and_recorded(job):
    """Payments had its part of Grace; now Platform has all of her, and Central IT none."""
    folder = job.folder / "edited"
    folder.mkdir()
    for name in ("chargeback.yaml", "mapping.yaml", "rates.yaml", "hr.csv"):
        text = (job.folder / name).read_text(encoding="utf-8")
        text = text.replace("    CC-1001: 60%\n    CC-1002: 40%\n", "    CC-9999: 100%\n")
        text = text.replace("archive: archive", "archive: ../archive")
        (folder / name).write_text(text.replace(": templates", ": ../templates"), encoding="utf-8")
    values = correct(job, "--config", str(folder), reason=MISTAKE)
    assert values["edited"] == ["chargeback.yaml", "mapping.yaml"]
    kinds = {note["cost_center"]: note["kind"] for note in values["notes"]}
    assert kinds == {"CC-1001": "credit", "CC-1002": "credit", "CC-9999": "debit"}
    assert amount_of(values["notes"]) == 0
    kept = job.archive / SECOND / "inputs" / "config" / "mapping.yaml"
    assert kept.read_bytes() == (folder / "mapping.yaml").read_bytes()
    moved = json.loads(job.here("diff", "--json", cycle=SECOND).stdout)["moves"]
    assert {(one["from"], one["to"]) for one in moved} == {
        ("CC-1001", "CC-9999"),
        ("CC-1002", "CC-9999"),
    }
    assert correct(job, reason="again")["notes"] == []  # by the mapping of the correction


# What reads it


def test_explain_says_what_a_line_was_before(once_corrected):
    done = once_corrected.here("explain", "CC-1001", "--json", cycle=FIRST)
    assert done.returncode == 0, done.stderr
    lines = {line["product"]: line for line in json.loads(done.stdout)["lines"]}
    assert lines["cascade"]["stood"] == {
        "folder": DECEMBER,
        "exact_amount": "5.25",
        "amount": "5.25",
        "exact_change": "1.75",
        "change": "1.75",
    }
    said = " ".join(once_corrected.here("explain", "CC-1001", cycle=FIRST).stdout.split())
    assert "the change is exactly 1.75, rounded together with what else changed" in said
    assert "It stands as it did" in said


def test_a_reason_is_asked_for(job):
    for options in ((), ("--reason", " ")):
        done = job.here("correct", *options)
        assert done.returncode == 2
        assert "--reason" in done.stderr


# What proves it


def test_what_is_changed_in_a_correction_is_named_to_note_and_line(job):
    folder = job.archive / FIRST
    text = (folder / "correction.json").read_text(encoding="utf-8")
    forged(folder, {"correction.json": text.replace('"7.00"', '"8.00"').encode()})
    code, result = verify(folder)
    assert (code, result["verdict"]) == (3, "tampered")
    (one,) = result["cycles"][0]["differences"]
    assert (one["file"], one["invoice"], one["line"], one["name"]) == (
        "correction.json",
        "CB-2025-12-05-CC-1001-D1",
        "usage cascade",
        "after_amount",
    )
    assert (one["then"], one["now"]) == ("8.00", "7.00")


@pytest.mark.heavy
def test_another_past_than_was_sealed_is_named_to_invoice_and_line(job):
    """Everything in the folder is made anew of another past: only the close before can tell."""
    folder = job.archive / FIRST
    path = folder / "inputs" / "standing.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    (center,) = [one for one in values["cost_centers"] if one["code"] == "CC-1001"]
    (line,) = [one for one in center["lines"] if one.get("product") == "cascade"]
    line["amount"] = "4.25"
    forged(folder, {"inputs/standing.json": written(values)})
    code, result = verify(folder)
    assert code == 3
    places = {
        (one["file"], one["invoice"], one["line"], one["name"])
        for one in result["cycles"][0]["differences"]
    }
    where = ("inputs/standing.json", "CB-2025-12-05-CC-1001", "usage cascade", "amount")
    assert where in places


def test_a_correction_upon_another_close_is_named(job):
    forged(job.cycle(), {"tie_out.csv": b"day\n"})
    code, result = verify(job.archive, "--quick")
    assert code == 3
    assert f"{FIRST}/inputs/standing.json" in named(result)
    assert {cycle["files_made_again"] for cycle in result["cycles"]} == {0}


def test_it_is_made_again_of_itself_alone(once_corrected, tmp_path):
    archive = tmp_path / "archive"
    shutil.copytree(once_corrected.archive, archive)
    shutil.rmtree(archive / DECEMBER, ignore_errors=True)
    code, result = verify(archive / FIRST)
    assert code == 3  # the chain has lost its first link
    (cycle,) = result["cycles"]
    assert [fault["kind"] for fault in cycle["faults"]] == ["chain"]
    assert (cycle["differences"], cycle["other_bytes"]) == ([], [])


def test_nothing_is_corrected_upon_figures_that_were_changed(job):
    folder = job.archive / FIRST
    text = (folder / "statement.json").read_text(encoding="utf-8")
    forged(folder, {"statement.json": text.replace('"7.00"', '"8.00"').encode()})
    restate(job, 1, "cascade", 1, "daily/users/email%7C0001")
    done = job.here("correct", "--reason", TICKET)
    assert done.returncode == 1
    assert "its inputs come to something else than was sealed; CB-2025-12-05-CC-1001" in done.stderr


# Who may read it, and where it cannot be written


@pytest.mark.heavy
def test_a_group_that_may_read_may_read_what_is_closed_and_corrected(tmp_path):
    job = job_of(tmp_path / "job")
    with (job.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write("archive_mode: group\n")
    for command in (("collect",), ("close",)):
        assert job.here(*command).returncode == 0
    restate(job, 1, "cascade", 1, "daily/users/email%7C0001")
    correct(job)
    for folder in (job.cycle(), job.archive / FIRST, job.archive / "fonts"):
        closed = folder.name != "fonts"
        for path in (folder, *folder.rglob("*")):
            mode = path.stat().st_mode & 0o777
            opens = 0o550 if closed else 0o750
            assert mode == (opens if path.is_dir() else 0o440), path


@pytest.mark.heavy
@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root writes all")
def test_what_is_read_only_is_verified_and_not_corrected(job):
    """An archive on a disk that nobody may write is proved; a correction says that it cannot be."""
    restate(job, 1, "cascade", 1, "daily/users/email%7C0001")
    for path in (job.folder, *job.folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = everything(job)
    checked = as_nobody(job, "verify", str(job.archive), "--workers", "1", "--json")
    assert (checked.returncode, json.loads(checked.stdout)["verdict"]) == (0, "intact")
    refused = as_nobody(
        job, "correct", str(job.folder), "--cycle", DECEMBER, "--reason", TICKET, "--quiet"
    )
    assert refused.returncode == 1, refused.stderr
    assert f"the archive folder {job.archive} cannot be written" in refused.stderr
    assert everything(job) == before


@pytest.mark.heavy
@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root reads all")
def test_a_file_that_may_not_be_read_is_named(job):
    for path in (job.folder, *job.folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (job.archive / FIRST / "ledger.csv").chmod(0)
    done = as_nobody(job, "verify", str(job.archive), "--workers", "1", "--json")
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert named(json.loads(done.stdout)) == {f"{FIRST}/ledger.csv", FIRST}
    assert "Permission denied" in done.stderr or "permission denied" in done.stderr


def as_nobody(job: Job, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as somebody who is not root, where the tests are."""
    for parent in job.folder.parents:
        if parent.stat().st_uid == os.geteuid() and parent.name.startswith(
            ("pytest", "popen", "test")
        ):
            parent.chmod(0o755)
    who = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    command = [sys.executable, "-m", "reportgen", *arguments]
    return subprocess.run(
        command if os.geteuid() else [*who, *command],
        cwd=ROOT,
        env={**os.environ, "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


# What ends it


def correct_it(folder: Path) -> None:
    assert Job(folder).here("correct", "--reason", TICKET).returncode == 0


@pytest.mark.long
def test_a_correction_that_is_killed_at_any_moment_is_there_or_is_not(job, tmp_path):
    restate(job, 1, "cascade", 1, "daily/users/email%7C0001")
    steps = steps_of(correct_it, job.copied(tmp_path / "whole").folder)
    outcomes = set()
    for number in range(25):
        one = job.copied(tmp_path / f"killed-{number}")
        after = number * (steps - 1) // 24
        assert killed(correct_it, one.folder, after)
        wait_for_workers(one.archive)
        said = one.here("explain", "CC-1001", "--quiet")
        assert said.returncode == 0, (after, said.stderr)
        there = (one.archive / SECOND / "manifest.json").exists()
        left = [path.name for path in one.archive.iterdir() if path.name.startswith(".")]
        assert left in ([], [f".{DECEMBER}.fetching"]), after
        code, _ = verify(one.archive, "--quick")
        assert code == 0, after
        outcomes.add(there)
        correct_it(one.folder)
        assert (one.archive / SECOND / "manifest.json").exists()
        assert not list(one.archive.glob(".*"))
    assert outcomes == {True, False}


# What is handed out


@pytest.mark.heavy
def test_the_pack_of_a_cycle_has_its_corrections_and_what_reckons_them(corrected_once, tmp_path):
    path = tmp_path / "pack.zip"
    done = corrected_once.here("export", "--format", "audit", "--output", str(path))
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(path) as file:
        file.extractall(tmp_path)
    data = tmp_path / f"audit-{DECEMBER}" / "data"
    for name in (DECEMBER, FIRST, SECOND):
        assert contents(data / name) == contents(corrected_once.archive / name)
    for program, said in (
        ("reckon.py", "0 differences\n"),
        ("reckon_notes.py", "0 differences in 2 corrections\n"),
    ):
        command = [sys.executable, "-I", "-S", program]
        done = subprocess.run(command, cwd=data, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, said), done.stderr
    text = (data / "README.txt").read_text(encoding="utf-8")
    assert seal_of(corrected_once.archive / SECOND) in text
    code, result = verify(data / SECOND)
    assert (code, result["verdict"]) == (0, "intact")


# Two cycles, with fees, and notes as they are printed


@pytest.mark.heavy
def test_what_others_draw_of_a_correction_are_the_same_bytes(tmp_path, monkeypatch):
    """By hand after hand: it is closed, corrected and proved by executors of somebody else."""
    (tmp_path / "farm_of_notes.py").write_text(FARM, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    option = "--executor", "farm_of_notes:threads"
    there = job_of(tmp_path / "there")
    for command in (("collect",), ("close", *option)):
        done = there.here(*command)
        assert done.returncode == 0, done.stderr
    here = there.copied(tmp_path / "here")
    for job, by in ((here, ()), (there, option)):
        restate(job, 1, "cascade", 1, "daily/users/email%7C0001")
        done = job.here("correct", "--reason", TICKET, *by)
        assert done.returncode == 0, done.stderr
    assert documents(there.archive) == documents(here.archive)
    assert any(name.startswith(f"{FIRST}/notes/") for name in documents(there.archive))
    proved = CliRunner().invoke(main, ["verify", str(there.archive), *option])
    assert proved.exit_code == 0, proved.output


@pytest.mark.heavy
def test_fees_move_with_what_they_are_a_part_of(corrected_once):
    """3.333 ACUs at 1.75 are 5.83275, and 2.5 % of what that is rounded to."""
    (note,) = note_of(corrected_once.archive / f"{NOVEMBER}.c1")["notes"]
    usage, fee = note["lines"]
    assert (usage["kind"], usage["acus"][:5], fee["kind"], fee["name"]) == (
        *("usage", "3.333", "fee", "Support"),
    )
    assert usage["amount"] in {"5.83", "5.84"}
    assert fee["amount"] in {"0.14", "0.15"}


@pytest.mark.heavy
def test_who_had_no_invoice_gets_a_note_of_their_own(corrected_once):
    values = note_of(corrected_once.archive / FIRST)
    first, second = values["notes"]
    assert (first["number"], first["kind"]) == ("CB-2025-12-05-A-1-C1", "credit")
    assert (second["number"], second["invoice"]) == ("CB-2025-12-05-C-3-D1", None)
    assert second["before_amount"] == "0.00"
    centers = json.loads((corrected_once.archive / SECOND / "statement.json").read_text("utf-8"))
    documents = {one["code"]: one["invoice"] for one in centers["cost_centers"]}
    assert documents["C-3"] == second["number"]
    assert documents["A-1"] == first["invoice"]
    assert values["edited"] == ["chargeback.yaml", "mapping.yaml"]
    (later,) = note_of(corrected_once.archive / SECOND)["notes"]
    assert (later["number"], later["earlier"]) == ("CB-2025-12-05-C-3-D2", [second["number"]])


@pytest.mark.heavy
def test_the_printed_note_says_what_it_corrects(corrected_drawn):
    folder = corrected_drawn.archive / SECOND
    (page,) = pages(folder / "notes" / "CB-2025-12-05-C-3-D2.pdf")
    before = seal_of(corrected_drawn.archive / FIRST)
    assert page.count(before) == 2  # the seal before, and that of what is corrected
    for said in ("no invoice", "after CB-2025-12-05-C-3-D1", LATER, "Chargeback debit note"):
        assert said in page
    assert "PRELIMINARY" not in page


@pytest.mark.heavy
def test_the_next_statement_names_it_and_is_compared_with_it(corrected_drawn):
    folder = corrected_drawn.cycle()
    issued = corrected_drawn.archive / f"{NOVEMBER}.c1"
    statement = corrected_drawn.statement()
    (named_,) = statement["corrections"]
    assert (named_["folder"], named_["seal"]) == (issued.name, seal_of(issued))
    assert [note["number"] for note in named_["notes"]] == ["CB-2025-11-05-A-1-D1"]
    text = "".join(pages(folder / "statement.pdf"))
    assert "Corrections issued since the previous close" in text
    assert issued.name in text
    assert statement["variance"]["previous"]["seal"] == seal_of(issued)
    history = json.loads((folder / "inputs" / "history.json").read_text(encoding="utf-8"))
    (before,) = history["cycles"]
    corrected = note_of(issued)["tie_out"]["after"]["invoiced_amount"]
    assert before["invoiced_amount"] == corrected


@pytest.mark.heavy
def test_a_close_that_names_no_correction_any_more_is_named(corrected):
    folder = corrected.cycle()
    statement = (folder / "statement.json").read_text(encoding="utf-8")
    values = json.loads(statement)
    values["corrections"] = []
    forged(folder, {"inputs/corrections.json": None, "statement.json": written(values)})
    code, result = verify(corrected.archive, "--sample", "1", "--seed", "3")
    assert code == 3
    code, result = verify(folder)
    assert f"{DECEMBER}/inputs/corrections.json" in named(result)


@pytest.mark.heavy
def test_all_of_it_is_made_again_byte_for_byte(corrected_drawn):
    code, result = verify(corrected_drawn.archive)
    assert (code, result["verdict"]) == (0, "intact")
    assert [cycle["cycle"] for cycle in result["cycles"]] == [
        *(NOVEMBER, f"{NOVEMBER}.c1", DECEMBER, FIRST, SECOND)
    ]
    code, result = verify(corrected_drawn.archive, "--sample", "3", "--seed", "7")
    assert (code, result["verdict"]) == (0, "intact")
