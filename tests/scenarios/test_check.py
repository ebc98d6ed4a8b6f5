"""`check --cycle`: a configuration held against real usage, all at file and line, once."""

import csv
import json
import re

import pytest
from click.testing import CliRunner

from reportgen.cli import main
from reportgen.core.allocating.allocate import MOST_TOLD
from tests.scenarios.job import DECEMBER, Job, plain


def warned(job: Job, *arguments: str) -> list[str]:
    """Give the warnings, files named as they lie in the job's folder."""
    result = CliRunner().invoke(
        main, ["check", str(job.folder), "--cycle", DECEMBER, *arguments, "--quiet"]
    )
    assert result.exit_code == 0, result.stderr
    lines = result.stderr.splitlines()
    assert len(lines) == len(set(lines))
    for line in lines:
        place = re.match(
            rf"{re.escape(str(job.folder))}/(?P<file>[\w.]+):(?P<line>\d+): warning: .+; .+", line
        )
        assert place, line
        assert int(place["line"]) <= (job.folder / place["file"]).read_text().count("\n")
    assert f"No problems, {len(lines)} warning" in result.stdout
    return [line.removeprefix(f"{job.folder}/") for line in lines]


def line_of(job: Job, text: str) -> str:
    lines = (job.folder / "mapping.yaml").read_text().splitlines()
    (number,) = [number for number, line in enumerate(lines, start=1) if text in line]
    return f"mapping.yaml:{number}"


def test_the_sample_has_orphans_and_those_of_organizations_and_nothing_else(sample):
    warnings = warned(sample.job)
    by_organizations, lines = warnings[:3], warnings[3:]
    for line in by_organizations:
        assert re.match(
            r"mapping.yaml:\d+: warning: charges who has no rule of their own: 1 u", line
        )
    assert [re.sub(r".*?warning: ([^:(\"]+) .*", r"\1", line) for line in lines[:-1]] == [
        *("unmapped organization", "unmapped user", "unmapped user", "unmapped user"),
    ]
    assert "no known user or organization: " in lines[-1]


def test_orphans_come_last_the_largest_first(drafted):
    orphans = [line for line in warned(drafted) if "that no rule assigns" in line]
    assert orphans == warned(drafted)[-len(orphans) :]
    acus = [float(re.search(r": ([\d.]+) ACUs", line)[1]) for line in orphans]
    assert len(acus) == MOST_TOLD + 1
    assert acus[:-1] == sorted(acus[:-1], reverse=True)
    number = int(re.search(r": warning: and (\d+) more without a rule: ", orphans[-1])[1])
    with (drafted.cycle() / "unallocated.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert number == len({(row["cause"], row["id"]) for row in rows}) - MOST_TOLD
    assert sum(acus) == pytest.approx(sum(float(row["acus"]) for row in rows), abs=1e-3)
    assert {line.partition(": ")[0] for line in orphans} == {line_of(drafted, "unallocated:")}


def test_cost_centers_with_an_invoice_need_contacts(drafted):
    silent = [line for line in warned(drafted) if "has no contacts" in line]
    assert [line.partition(";")[0] for line in silent] == [
        f'{line_of(drafted, f"  {code}: {{name")}: warning: cost center "{code}" gets invoice '
        f'"CB-2025-12-05-{code}", but has no contacts'
        for code in ("A-1", "B-2", "Z-9")
    ]
    drafted.edit(
        "mapping.yaml",
        "  A-1: {name: Platform}",
        "  A-1:\n    name: Platform\n    contacts: [a@acme.example]",
    )
    assert [line[-60:] for line in warned(drafted) if "has no contacts" in line] == [
        line[-60:] for line in silent[1:]
    ]


def test_days_before_the_first_date_of_a_key_are_told(drafted):
    drafted.edit("mapping.yaml", "ada@acme.example: A-1", "ada@acme.example: {2025-12-10: A-1}")
    (gap,) = [line for line in warned(drafted) if "fell through" in line]
    holds = '"ada@acme.example" in users holds from 2025-12-10 on'
    assert gap.startswith(f"{line_of(drafted, 'ada@acme.example')}: warning: {holds}: ")
    assert re.search(
        r": [\d.]+ ACUs on [2-5] days from 2025-12-0\d to 2025-12-0\d fell through", gap
    )
    drafted.edit("mapping.yaml", "{2025-12-10: A-1}", "{2025-07-01: none, 2025-12-10: A-1}")
    assert not [line for line in warned(drafted) if "fell through" in line]


def test_keys_that_match_nothing_and_tags_that_disagree_are_told(drafted):
    drafted.edit("mapping.yaml", "orgs:\n", "orgs:\n  org-2f8ab6190c4f: A-1\n")
    lines = warned(drafted)
    assert (
        f'{line_of(drafted, "4f: A-1")}: warning: "org-2f8ab6190c4f" in orgs matches nothing'
        in "\n".join(lines)
    )
    order = [int(line.split(":")[1]) for line in lines if "that no rule assigns" not in line]
    assert order == sorted(order)


def test_the_same_is_said_in_the_same_order_every_time_and_as_json(drafted):
    first = warned(drafted)
    assert warned(drafted) == first
    result = CliRunner().invoke(
        main, ["check", str(drafted.folder), "--cycle", DECEMBER, "--json", "--quiet"]
    )
    said = json.loads(result.stdout)["warnings"]
    lines = [f"{one['source']}: warning: {one['message']}; {one['hint']}" for one in said]
    assert [line.removeprefix(f"{drafted.folder}/") for line in lines] == first
    assert all(list(one) == ["code", "source", "message", "hint"] and one["code"] for one in said)


@pytest.mark.heavy
def test_a_suggestion_is_pasted_and_the_orphan_is_gone(drafted):
    def orphans() -> dict[str, str]:
        with (drafted.cycle() / "unallocated.csv").open(encoding="utf-8", newline="") as file:
            return {row["id"]: row["suggestion"] for row in csv.DictReader(file)}

    before, known = drafted.statement(), orphans()
    assert known
    assert not any(known.values())
    plain(drafted).edit("mapping.yaml", "ada@acme.example: A-1", "adda@acme.example: A-1")
    assert drafted.here("build").returncode == 0
    (suggestion,) = [text for key, text in orphans().items() if key not in known]
    assert suggestion == '"ada@acme.example": A-1'
    drafted.edit("mapping.yaml", "  adda@acme.example: A-1\n", f"  {suggestion}\n")
    assert drafted.here("build").returncode == 0
    assert orphans() == known
    assert drafted.statement() == before


def test_without_a_cycle_usage_is_not_looked_at(drafted):
    result = CliRunner().invoke(main, ["check", str(drafted.folder), "--quiet"])
    assert (result.exit_code, result.stderr, result.stdout) == (0, "", "No problems, 0 warnings\n")


def test_a_label_of_a_product_that_nobody_used_is_told_at_its_line(drafted):
    with (drafted.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write("products:\n  devin: {label: Sessions}\n  cascde: {meaning: The editor}\n")
    number = (drafted.folder / "chargeback.yaml").read_text(encoding="utf-8").count("\n")
    said = 'nobody used the product "cascde" in this cycle; did you mean "cascade"?'
    assert [line for line in warned(drafted) if line.startswith("chargeback.yaml")] == [
        f"chargeback.yaml:{number}: warning: {said}"
    ]


def test_a_key_with_something_around_its_address_is_told_to_be_the_address_alone(drafted):
    drafted.edit("mapping.yaml", "  ada@acme.example: A-1", '  "Ada <ada@acme.example>": A-1')
    (line,) = [line for line in warned(drafted) if "matches nothing" in line]
    assert line.endswith('in this cycle; write the address alone: "ada@acme.example"')
