"""What was bought, over two cycles: changes are reckoned again from the statements of both."""

import json
import re
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.job import NOVEMBER, STATEMENT, Job, once, pages, plain, small

COUNTS = ("sessions", "pull_requests", "merged_pull_requests")
RATIOS = {
    "acus_per_session": ("acus", "sessions", "0.0001"),
    "amount_per_session": ("amount", "sessions", "0.01"),
    "acus_per_merged_pull_request": ("acus", "merged_pull_requests", "0.0001"),
    "amount_per_merged_pull_request": ("amount", "merged_pull_requests", "0.01"),
}


@pytest.fixture(scope="session")
def both(shared: Path) -> Job:
    """Run November, then December; the statement alone is drawn."""

    def make(folder: Path) -> None:
        job = plain(small(folder), *STATEMENT)
        job.edit("mapping.yaml", "{name: Platform}", "{name: Platform, department: Engineering}")
        job.edit("mapping.yaml", "{name: Payments}", "{name: Payments, department: Engineering}")
        for result in (job.here("run", cycle=NOVEMBER), job.here("run")):
            assert result.returncode == 0, result.stderr

    return Job(once(shared, "bought", make))


def levels(job: Job, start: str) -> dict[str, dict[str, Any]]:
    """Give every cost center, department and all of them by a name."""
    costs = job.statement(start)["unit_costs"]
    found = {f"code {one['code']}": one for one in costs["cost_centers"]}
    found |= {f"department {one['department']}": one for one in costs["departments"]}
    return found | {"all": costs["enterprise"]}


def reckoned(level: dict[str, Any]) -> dict[str, Decimal | None]:
    """Give what is known exactly of a level, from its counts alone."""
    known = {
        name: Decimal(level[name]) if level[name] == level[f"{name}_at_most"] else None
        for name in COUNTS
    }
    ratios = {
        name: (Decimal(level[spent]) / count).quantize(Decimal(step), ROUND_HALF_EVEN)
        if (count := known[counted])
        else None
        for name, (spent, counted, step) in RATIOS.items()
    }
    return known | ratios


def as_numbers(values: dict[str, Any], names: Any) -> dict[str, Decimal | None]:
    return {name: None if values[name] is None else Decimal(values[name]) for name in names}


def test_ratios_and_changes_follow_from_the_counts_of_both_cycles(both):
    before, after = levels(both, NOVEMBER), levels(both, "2025-12-05")
    assert before.keys() == after.keys()
    assert after.keys() >= {"code A-1", "department Engineering", "department None", "all"}
    for name, level in after.items():
        old, new = reckoned(before[name]), reckoned(level)
        assert as_numbers(level, RATIOS) == {key: new[key] for key in RATIOS}
        assert as_numbers(level["change"], new) == {
            key: None if old[key] is None or value is None else value - old[key]
            for key, value in new.items()
        }
    assert any(reckoned(level)["sessions"] for level in after.values())
    assert {str(level["change"]) for level in before.values()} == {"None"}


def test_a_level_counts_no_more_than_its_cost_centers_and_no_less_than_each(both):
    costs = both.statement()["unit_costs"]
    own = {one["code"]: one for one in costs["cost_centers"]}
    (engineering,) = (one for one in costs["departments"] if one["department"])
    for name in COUNTS:
        parts = [own[code][name] for code in ("A-1", "B-2")]
        assert max(parts) <= engineering[name] <= sum(parts)
        assert costs["enterprise"][name] <= sum(one[name] for one in own.values())
    for spent in ("acus", "amount"):
        assert Decimal(engineering[spent]) == sum(Decimal(own[c][spent]) for c in ("A-1", "B-2"))


def test_the_statement_shows_them_on_paper(both):
    text = "\n".join(pages(both.cycle() / "statement.pdf"))
    assert "What it bought" in text
    assert "Merged as of Jan 9, 2026." in text
    rows = [line for line in text.splitlines() if line.startswith("Engineering")]
    (row,) = [line for line in rows if "–" in line]
    engineering = levels(both, "2025-12-05")["department Engineering"]
    assert re.split(r"\W+", row)[1] == str(engineering["sessions"])


def test_a_statement_from_before_there_were_any_shows_no_change(both, tmp_path):
    job = both.copied(tmp_path / "older")
    path = job.cycle(NOVEMBER) / "statement.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    del values["unit_costs"]
    path.write_text(json.dumps(values), encoding="utf-8")
    result = job.here("build")
    assert result.returncode == 0, result.stderr
    assert {str(one["change"]) for one in levels(job, "2025-12-05").values()} == {"None"}
    kept = json.loads((job.cycle() / "inputs/history.json").read_text(encoding="utf-8"))
    assert "unit_costs" not in kept["cycles"][-1]
    assert job.statement()["variance"]
