"""A month as it goes: collected, built again and again, interrupted, sealed; what goes wrong."""

import csv
import json
import re
import shlex
import subprocess
import threading
import time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import openpyxl
import pytest

from tests.scenarios.job import (
    DECEMBER,
    INVOICE,
    NOVEMBER,
    PLAIN,
    STATEMENT,
    Job,
    contents,
    leftovers,
    pages,
    plain,
)

CLOSED_PORT = "https://127.0.0.1:9"
DAILY = "/v3/enterprise/consumption/daily"


def text(pdf: Path) -> str:
    return "\n".join(pages(pdf))


def ties_out(job: Job, start: str = DECEMBER) -> bool:
    """Tell whether both identities hold, computed here once more."""
    statement = job.statement(start)
    tie = statement["tie_out"]
    acus = sum(Fraction(Decimal(center["acus"])) for center in statement["cost_centers"])
    amount = sum(Decimal(center["amount"]) for center in statement["cost_centers"])
    return (
        Fraction(Decimal(tie["control_acus"])) == acus + Fraction(Decimal(tie["unallocated_acus"]))
        and Decimal(tie["invoiced_amount"]) == amount
        and Decimal(tie["chargeable_amount"]) + Decimal(tie["fees_amount"])
        == amount + Decimal(tie["unborne_amount"])
    )


# Collect, then build


def test_build_before_collect_says_what_to_do(small_job):
    result = small_job.here("build")
    assert (result.returncode, result.stdout) == (1, "")
    assert "no billing cycle has been collected yet" in result.stderr
    assert "run `reportgen collect` first" in result.stderr
    assert not small_job.archive.exists()


@pytest.mark.heavy
def test_build_needs_no_network_and_no_recording(small_job, small_build):
    assert small_job.run("collect").returncode == 0
    assert list(contents(small_job.cycle())) == ["inputs/directory.json", "inputs/responses.jsonl"]
    small_job.edit("chargeback.yaml", f"replay: {small_job.recording}", f"base_url: {CLOSED_PORT}")
    result = small_job.run("build")
    assert (result.returncode, result.stderr.count("\n")) == (0, 2)
    actual, expected = contents(small_job.cycle()), contents(small_build.folder)
    assert actual.keys() == expected.keys()
    differing = {name for name in actual if actual[name] != expected[name]}
    assert differing == {"inputs/config/chargeback.yaml", "inputs/draft.json"}


@pytest.mark.heavy
def test_the_cycle_before_works_as_well(small_job):
    assert plain(small_job).here("run", cycle="2025-11").returncode == 0
    assert ties_out(small_job, NOVEMBER)
    assert small_job.statement(NOVEMBER)["cycle"]["end"] == DECEMBER
    assert (small_job.cycle(NOVEMBER) / "invoices" / "CB-2025-11-05-A-1.pdf").exists()
    assert not small_job.cycle().exists()


# A draft, and the draft after it


@pytest.mark.heavy
def test_a_second_build_replaces_the_draft(drafted):
    before = contents(drafted.cycle())
    drafted.edit("mapping.yaml", "{A-1: 1, B-2: 2}", "A-1")
    drafted.edit("mapping.yaml", "  org-2f8ab6190c4e: B-2", "  org-2f8ab6190c4e: A-1")
    assert plain(drafted).here("build").returncode == 0
    after = contents(drafted.cycle())
    gone = {"invoices/CB-2025-12-05-B-2.pdf", "invoices/CB-2025-12-05-B-2.xlsx"}
    assert before.keys() - after.keys() == gone
    assert all(name.startswith("inputs/templates/") for name in after.keys() - before.keys())
    kept = {name for name in after if after[name] == before.get(name)}
    assert "inputs/responses.jsonl" in kept
    assert not kept & {
        "statement.json",
        "statement.pdf",
        "ledger.csv",
        "inputs/config/mapping.yaml",
    }
    assert not list(leftovers(drafted.archive))


def test_a_mistake_in_a_template_leaves_the_draft_alone(drafted):
    before = contents(drafted.folder)
    templates = plain(drafted).folder / "templates"
    (templates / "statement.html.j2").write_text(
        "<html>\n<p>{{ document.nothing }}</p>\n</html>\n", encoding="utf-8"
    )
    result = drafted.here("build", "--quiet")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"{templates}/statement.html.j2:2: ")
    assert result.stderr.count("\n") == 1
    changed = {"chargeback.yaml", *(f"templates/{name}" for name in PLAIN)}
    after = contents(drafted.folder)
    assert {name for name in after if after[name] != before.get(name)} == changed
    assert not list(leftovers(drafted.archive))
    waiting = {thread.name for thread in threading.enumerate()}
    assert "QueueFeederThread" not in waiting, "as a process, the command would never end"


@pytest.mark.long
@pytest.mark.heavy
def test_a_killed_build_leaves_the_draft_alone_and_the_next_one_works(drafted):
    before = contents(drafted.cycle())
    drafted.edit("mapping.yaml", "ada@acme.example: A-1", "ada@acme.example: B-2")
    process = drafted.start("build", "--workers", "2")
    wait_for_staged_documents(drafted)
    process.kill()
    process.communicate(
        timeout=30
    )  # its workers hold the other ends of the pipes: they ended as well
    assert contents(drafted.cycle()) == before
    left = list(leftovers(drafted.archive))
    assert [path.name[0] for path in left] == ["."]
    assert drafted.run("build").returncode == 0
    assert contents(drafted.cycle())["statement.json"] != before["statement.json"]
    assert set(leftovers(drafted.archive)) <= set(left)


def wait_for_staged_documents(job: Job) -> None:
    for _ in range(2000):
        if list(job.archive.glob(".*/ledger.csv")):
            return
        time.sleep(0.005)
    pytest.fail("nothing was staged")


def test_a_sealed_cycle_is_refused_and_nothing_changes(drafted):
    (drafted.cycle() / "manifest.json").write_text("{}\n", encoding="utf-8")
    drafted.edit("mapping.yaml", "ada@acme.example: A-1", "ada@acme.example: B-2")
    before = contents(drafted.folder)
    for command in ("build", "run", "collect"):
        result = drafted.here(command, "--quiet")
        assert (result.returncode, result.stdout) == (1, ""), command
        assert "this billing cycle is closed" in result.stderr
    assert contents(drafted.folder) == before
    assert not list(leftovers(drafted.archive))


# What can be wrong


@pytest.mark.heavy
def test_what_nobody_bears_stays_on_the_statement(small_job):
    plain(small_job, *STATEMENT).edit("mapping.yaml", "unallocated: Z-9\n", "")
    result = small_job.here("run")
    assert result.returncode == 0
    statement = small_job.statement()
    unborne = statement["tie_out"]["unborne_amount"]
    assert Decimal(unborne) > 0
    assert (statement["unallocated"]["cost_center"], statement["unallocated"]["amount"]) == (
        None,
        unborne,
    )
    assert (statement["cost_centers"][-1]["code"], statement["cost_centers"][-1]["invoice"]) == (
        "Z-9",
        None,
    )
    assert ties_out(small_job)
    assert f"unborne {unborne}" in result.stdout
    shown = text(small_job.cycle() / "statement.pdf")
    assert "borne by nobody" in shown
    assert f"{Decimal(unborne):,}" in shown
    with (small_job.cycle() / "ledger.csv").open(encoding="utf-8", newline="") as file:
        nobodys = [row for row in csv.DictReader(file) if not row["cost_center"]]
    assert {row["kind"] for row in nobodys} == {"unallocated"}


def unpriced_acus(job: Job) -> str:
    """Give what stands in the tie-out, once it is what the lines say."""
    statement = job.statement()
    lines = [line for center in statement["cost_centers"] for line in center["lines"]]
    acus = sum(Decimal(line["acus"]) for line in lines if line.get("unit_price", "") is None)
    assert statement["tie_out"]["unpriced_acus"] == f"{acus.normalize():f}"
    return statement["tie_out"]["unpriced_acus"]


@pytest.mark.heavy
def test_a_product_without_a_price_is_shown_as_unpriced(small_job):
    plain(small_job, *INVOICE, *STATEMENT, "statement.xlsx.j2", "index.html.j2").edit(
        "rates.yaml", '{devin: 2.00, "*": 1.75}', "{devin: 2.00, cascade: 1.75}"
    )
    result = small_job.here("run", "--strict")
    assert result.returncode == 3
    assert f"Tie-out, unpriced: {Decimal(unpriced_acus(small_job)):.4f} ACUs" in result.stdout
    assert "review" in result.stderr
    assert "price" in result.stderr
    lines = small_job.statement()["cost_centers"][0]["lines"]
    (unpriced,) = [line for line in lines if line["product"] == "terminal"]
    assert (unpriced["unit_price"], unpriced["exact_amount"], unpriced["amount"]) == (
        None,
        "0.00",
        "0.00",
    )
    assert Decimal(unpriced["acus"]) > 0
    assert ties_out(small_job)
    document = small_job.cycle() / "invoices" / "CB-2025-12-05-A-1"
    row, *_ = [
        line
        for line in text(document.with_suffix(".pdf")).splitlines()
        if line.strip().startswith("terminal ")
    ]
    assert row.split()[2:] == ["unpriced", "0.00"]
    for name in ("invoices/CB-2025-12-05-A-1.pdf", "statement.pdf"):
        assert "Unpriced: charged to nobody" in text(small_job.cycle() / name)
    assert "Unpriced: charged to nobody" in (small_job.cycle() / "index.html").read_text("utf-8")
    book = openpyxl.load_workbook(small_job.cycle() / "statement.xlsx")
    cells = {row[0]: row[2] for row in book["Tie-out"].iter_rows(max_col=3, values_only=True)}
    assert cells["Unpriced: charged to nobody (ACUs)"] == pytest.approx(
        float(unpriced_acus(small_job))
    )
    rows = (
        openpyxl.load_workbook(document.with_suffix(".xlsx"))
        .worksheets[0]
        .iter_rows(max_col=4, values_only=True)
    )
    assert [row[2:] for row in rows if row[0] == "terminal"] == [("unpriced", 0)]


@pytest.mark.heavy
def test_views_that_disagree_are_listed_and_the_drafts_are_written(small_job):
    """Ada is said to have used more in her organization than anywhere."""
    ada, platform = "email%7C64f0009e3779b1009e37", "org-7c1e04b95d2a"
    pair = f"GET /v3/organizations/{platform}/consumption/daily/users/{ada}"

    def tamper(lines: list[dict]) -> list[dict]:
        (line,) = [
            line for line in lines if line["request"].startswith(f"{pair}?time_after=1764921600")
        ]
        body = json.loads(line["body"])
        body["total_acus"] += 1000
        body["consumption_by_date"][0]["acus"] += 1000
        body["consumption_by_date"][0]["acus_by_product"]["devin"] += 1000
        line["body"] = json.dumps(body)
        return lines

    plain(small_job, *STATEMENT).record(tamper)
    result = small_job.here("run")
    assert result.returncode == 3
    statement = small_job.statement()
    assert re.search(
        r"statement.pdf: views of the API disagree in \d+ cells?, most on 2025-", result.stderr
    )
    assert statement["discrepancies"]
    cell = statement["discrepancies"][0]
    assert list(cell) == ["day", "product", "org_id", "principal_id", "acus", "views", "accepted"]
    assert (cell["product"], cell["accepted"]) == ("devin", None)
    assert Decimal(cell["acus"]) < -900
    assert any(view.startswith(pair.removeprefix("GET ")) for view in cell["views"])
    shown = text(small_job.cycle() / "statement.pdf")
    assert "disagree" in shown
    assert "/v3/organizations/org-7c1e04b95d2a/consumption/" in "".join(shown.split())
    assert len(list((small_job.cycle() / "invoices").iterdir())) % 2 == 0
    assert "PRELIMINARY" in shown


@pytest.mark.heavy
def test_refused_views_make_it_coarser_and_nobody_pays_twice(small_job, small_build):
    def refuse(lines: list[dict]) -> list[dict]:
        asked = {line["request"] for line in lines}
        organizations = [
            request for request in asked if request.startswith(f"GET {DAILY}/organizations/")
        ]
        principals = [
            request
            for request in asked
            if re.match(rf"GET {DAILY}/(users|service-users)/", request)
        ]
        pairs = {
            principal.replace(
                "/enterprise/",
                f"/organizations/{organization.rpartition('/')[2].partition('?')[0]}/",
            )
            for organization in organizations
            for principal in principals
        }
        refusal = {
            "status": 403,
            "body": '{"title":"Forbidden","status":403}',
            "fetched_at": lines[0]["fetched_at"],
        }
        kept = [line for line in lines if line["request"] not in pairs]
        assert len(kept) < len(lines)
        return kept + [{"request": pair} | refusal for pair in sorted(pairs)]

    plain(small_job, *STATEMENT).record(refuse)
    result = small_job.here("run")
    assert result.returncode == 0
    assert ties_out(small_job)
    statement, finer = small_job.statement(), small_build.statement()
    assert not statement["discrepancies"]
    assert statement["control"] == finer["control"]
    acus = {center["code"]: Decimal(center["acus"]) for center in statement["cost_centers"]}
    before = {center["code"]: Decimal(center["acus"]) for center in finer["cost_centers"]}
    assert acus["A-1"] == pytest.approx(before["A-1"], abs=Decimal("0.000001"))
    assert acus["B-2"] < before["B-2"]
    shown = " ".join(text(small_job.cycle() / "statement.pdf").split())
    assert "Questions the API refused" in shown
    assert "answered 403" in shown
    assert "Questions the API refused" not in text(small_build.folder / "statement.pdf")


@pytest.mark.heavy
def test_a_reader_who_has_seen_enough_is_no_mistake(small_build):
    """The pipe is closed before anything is written."""
    code = small_build.job.statement()["cost_centers"][0]["code"]
    command = f"{shlex.join(small_build.job.command('explain', code))} --json | head -0"
    shell = ["bash", "-c", f"set -o pipefail; {command}"]
    result = subprocess.run(shell, capture_output=True, text=True, check=False)
    assert result.returncode == 0
    assert "pipe" not in result.stderr
