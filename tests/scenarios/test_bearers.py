"""Somebody who drops out of the mapping is charged by the next level: everybody is told."""

import csv
import json
import re
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fakeapi.behavior import ENTERPRISE
from tests.fakeapi.sample import CYCLES, DAY
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world
from tests.scenarios.job import DECEMBER, NOVEMBER, Job, once, plain, small

ADA = "  ada@acme.example: A-1\n"
ORGS = "orgs:\n  org-2f8ab6190c4e: B-2\n"
WIDER = f"{ORGS}  org-7c1e04b95d2a: C-3\n"


@pytest.fixture(scope="session")
def dropped(shared: Path) -> Job:
    """Run November; in December Ada has no rule of her own any more."""
    return Job(once(shared, "dropped", run_both))


def run_both(folder: Path) -> None:
    job = plain(small(folder))
    assert job.here("run", cycle=NOVEMBER).returncode == 0
    job.edit("mapping.yaml", ADA, "")
    job.edit("mapping.yaml", ORGS, WIDER)
    done = job.here("run")
    assert done.returncode == 0, done.stderr
    (folder / "stdout").write_text(done.stdout, encoding="utf-8")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ledger_by_organization(job: Job) -> dict[tuple[str, ...], Decimal]:
    """Add up what the lines of `orgs` gave of somebody's usage."""
    lines = (job.folder / "mapping.yaml").read_text(encoding="utf-8").splitlines()
    rules = {f"mapping.yaml:{lines.index(line) + 1}" for line in WIDER.splitlines()[1:]}
    sums: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for row in rows(job.cycle() / "ledger.csv"):
        if row["rule"] in rules and row["principal_id"]:
            key = row["org_id"], row["principal_id"], row["product"], row["cost_center"]
            sums[key] += Decimal(row["quantity"])
    return sums


@pytest.mark.heavy
def test_the_table_has_what_the_ledger_gives_by_organizations(dropped):
    listed = {
        (row["org_id"], row["id"], row["product"], row["cost_center"]): Decimal(row["acus"])
        for row in rows(dropped.cycle() / "by_organization.csv")
    }
    assert listed == ledger_by_organization(dropped)
    assert listed


def test_amounts_foot_with_the_line_that_organizations_alone_make(dropped):
    """C-3 bears one organization's usage; what of it is nobody's is the rest of its invoice."""
    table, ledger = rows(dropped.cycle() / "by_organization.csv"), dropped.cycle() / "ledger.csv"
    (whole,) = [
        Decimal(center["amount"])
        for center in dropped.statement()["cost_centers"]
        if center["code"] == "C-3"
    ]
    people = [Decimal(row["amount"]) for row in table if row["cost_center"] == "C-3"]
    nobodys = [
        Decimal(row["exact_amount"])
        for row in rows(ledger)
        if row["cost_center"] == "C-3" and not row["principal_id"]
    ]
    assert abs(whole - sum(people) - sum(nobodys)) < Decimal("0.02")


def test_who_moved_is_told_with_rule_and_amount(dropped):
    before = {row["cost_center"] for row in of_ada(dropped, NOVEMBER)}
    after = defaultdict(Decimal)
    for row in of_ada(dropped):
        after[row["cost_center"]] += Decimal(row["quantity"])
    moved = [
        row
        for row in dropped.statement()["variance"]["moved"]
        if row["principal_id"] in {row["principal_id"] for row in of_ada(dropped)}
    ]
    assert {row["to"]: Decimal(row["acus"]) for row in moved} == {
        code: acus for code, acus in after.items() if code not in before
    }
    assert {tuple(row["from"]) for row in moved} == {("A-1",)}
    assert {row["to"]: bool(row["rules"]) for row in moved} == {"C-3": True, "Z-9": False}


def of_ada(job: Job, start: str = "2025-12-05") -> list[dict[str, str]]:
    known = json.loads((job.cycle() / "inputs" / "directory.json").read_text(encoding="utf-8"))
    (ada,) = [one["id"] for one in known["principals"] if one.get("email") == "ada@acme.example"]
    return [row for row in rows(job.cycle(start) / "ledger.csv") if row["principal_id"] == ada]


def test_the_terminal_says_how_much_and_check_lists_who(dropped):
    said = (dropped.folder / "stdout").read_text(encoding="utf-8")
    assert "\nNo rule of their own, charged by their organization: " in said
    assert f"\nChanged cost center since the cycle of {NOVEMBER}: " in said
    checked = dropped.here("check", COLUMNS="200")
    assert checked.returncode == 0
    assert "changed cost center" in checked.stdout
    lines = [" ".join(line.split()) for line in checked.stdout.splitlines()]
    moved = [line for line in lines if line.startswith("ada") and " A-1 " in line]
    assert len(moved) == len({"C-3", "Z-9"})
    assert sum(" A-1 C-3 mapping.yaml:" in line for line in moved) == 1
    assert sum(" A-1 Z-9 no rule " in line for line in moved) == 1
    assert "warning: charges who has no rule of their own: " in checked.stderr
    values = json.loads(dropped.here("check", "--json").stdout)
    assert values["moved"]
    assert values["by_organization"]


@pytest.mark.heavy
def test_who_used_nothing_any_more_stands_on_the_page_with_what_they_came_to(tmp_path):
    """The world is of one cycle; it is played a second time without one of its people."""
    world = big_world(users=4, organizations=2, active_days=3)
    before = [atom._replace(day=atom.day - 30 * DAY) for atom in world.atoms]
    gone, *_ = world.people
    after = [atom for atom in world.atoms if atom.principal_id != gone.user_id]
    world = world._replace(cycles=CYCLES, atoms=(*before, *after))
    job = plain(small(tmp_path / "job"), "index.html.j2", "index.css")
    with serving(world) as api:
        replay = f"  replay: {job.recording}\n"
        job.edit("chargeback.yaml", replay, f"  base_url: {api.base_url}\n")
        job.edit("rates.yaml", 'devin: 2.00, "*": 1.75', '"*": 2.00')
        for start in (NOVEMBER, DECEMBER):
            done = job.here("run", cycle=start, DEVIN_API_TOKEN=ENTERPRISE)
            assert done.returncode == 0, done.stderr
    used = sum(Decimal(repr(atom.acus)) for atom in before if atom.principal_id == gone.user_id)
    page = (job.cycle() / "index.html").read_text(encoding="utf-8")
    _, _, section = page.partition('<h2 id="departed">')
    (row,) = re.findall(
        r"<tr>\s*<th scope=\"row\">.*?</tr>", section.partition("</tbody>")[0], re.DOTALL
    )
    assert gone.email in row or gone.name in row
    assert f">{2 * used:,.2f}</td>" in row
    assert f">-{2 * used:,.2f}</td>" in page.partition('<h2 id="review">')[2]
