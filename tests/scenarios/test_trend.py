"""Cycles built in turn: what is shown of those before is computed again from their statements."""

import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from reportgen.archive import history
from reportgen.core.cycle import cycle_between
from reportgen.core.model import Statement
from reportgen.derive import Inputs, derive
from reportgen.documents.content.trend import Trend, invoice_trend, sparkline, statement_trend
from reportgen.operations.building.inputs import stored_inputs
from reportgen.operations.context import Context
from reportgen.sources.config.configuration import load
from reportgen.terminal import Terminal
from tests.scenarios.job import DECEMBER, NOVEMBER, Job, contents, once, plain, small

OCTOBER = "2025-10-05"
STARTS = (OCTOBER, NOVEMBER, DECEMBER)
CODES = ("A-1", "B-2", "C-3", "Z-9")
CYCLE = cycle_between(1764921600, 1767600000)
TWO_CYCLES = 61 * 86_400
"""December, moved back by so much, is October: both have 31 days."""
TRANSFER = (
    f"transfers: [{{cycle: {OCTOBER}, from: A-1, to: B-2, amount: 9000.00, reason: Ticket 1}}]\n"
)


@pytest.fixture(scope="session")
def all_three(shared: Path) -> Job:
    """Run three months; in October there was no kiosk yet, and A-1 got more than it used."""
    return Job(once(shared, "three-cycles", lambda folder: run_in_turn(small(folder))))


@pytest.fixture
def three(all_three: Job, tmp_path: Path) -> Job:
    """Give all three cycles, to be changed and built again."""
    return all_three.copied(tmp_path / "three")


def run_in_turn(job: Job) -> None:
    """Run the cycles; nobody reads their documents."""
    plain(job).record(with_october)
    kiosk = "  C-3: {name: Kiosk}\n"
    job.edit("mapping.yaml", kiosk, "")
    job.edit("rates.yaml", "currency: USD\n", f"currency: USD\n{TRANSFER}")
    runs(job, OCTOBER)
    job.edit("mapping.yaml", "  Z-9: {name: Central}\n", f"{kiosk}  Z-9: {{name: Central}}\n")
    runs(job, NOVEMBER)
    runs(job, DECEMBER)


def with_october(lines: list[dict]) -> Iterator[dict]:
    """Record October as well: December's answers, moved."""
    for line in lines:
        if line["request"].startswith("GET /v3/enterprise/consumption/cycles"):
            body = line["body"].replace(
                '"items":[', '"items":[{"after":1759651200,"before":1762329600},'
            )
            yield {**line, "body": body}
        else:
            yield line
        if str(CYCLE.before) in line["request"]:
            yield {**line, "request": moved(line["request"]), "body": moved(line["body"])}


def moved(text: str) -> str:
    return re.sub(r"\b176\d{7}\b", lambda seconds: str(int(seconds[0]) - TWO_CYCLES), text)


def runs(job: Job, start: str, command: str = "run") -> str:
    result = job.here(command, "--quiet", cycle=start)
    assert result.returncode == 0, result.stderr
    return result.stderr


def amounts(job: Job, code: str, starts: tuple[str, ...] = STARTS) -> list[Decimal | None]:
    """Read from every statement what a cost center was charged."""
    months = [
        {one["code"]: one["amount"] for one in job.statement(start)["cost_centers"]}
        for start in starts
    ]
    return [Decimal(each[code]) if code in each else None for each in months]


def kept(job: Job) -> list[dict]:
    return json.loads((job.cycle() / "inputs/history.json").read_text(encoding="utf-8"))["cycles"]


def inputs(job: Job) -> Inputs:
    """Read what December's documents are made of, as `build` does."""
    context = Context(
        now=lambda: datetime(2026, 1, 9, tzinfo=UTC), environment={}, terminal=Terminal(quiet=True)
    )
    return stored_inputs(load(job.folder), CYCLE, context)


def told(job: Job) -> Statement:
    return derive(inputs(job)).statement


def shown(trend: Trend | None) -> list[Decimal | None]:
    assert trend
    return [bar.amount for bar in trend.bars]


# Three cycles


def test_bars_have_the_amounts_of_the_three_statements(all_three):
    statement = told(all_three)
    for code in CODES:
        if any(amounts(all_three, code)):
            assert shown(invoice_trend(statement, code)) == amounts(all_three, code)
        else:
            assert invoice_trend(statement, code) is None
    assert amounts(all_three, "A-1")[0] < 0
    assert amounts(all_three, "C-3")[0] is None
    whole = [Decimal(all_three.statement(start)["tie_out"]["invoiced_amount"]) for start in STARTS]
    assert shown(statement_trend(statement)) == whole
    assert len(set(whole)) > 1
    assert [code for code in CODES if sparkline(statement, code)] == list(CODES)


def test_history_has_both_cycles_and_only_what_is_shown_of_them(all_three):
    older, before = kept(all_three)
    assert [(one["start"], one["end"], one["status"], one["seal"]) for one in (older, before)] == [
        (OCTOBER, NOVEMBER, "draft", None),
        (NOVEMBER, DECEMBER, "draft", None),
    ]
    for cycle, start in ((older, OCTOBER), (before, NOVEMBER)):
        built = all_three.statement(start)
        assert cycle["invoiced_amount"] == built["tie_out"]["invoiced_amount"]
        assert cycle["control_acus"] == built["control"]["acus"]
        expected = [(one["code"], one["amount"]) for one in built["cost_centers"]]
        assert [(one["code"], one["amount"]) for one in cycle["cost_centers"]] == expected
    assert {(len(one["by_product"]), len(one["principals"])) for one in older["cost_centers"]} == {
        (0, 0)
    }
    assert any(one["principals"] and one["by_product"] for one in before["cost_centers"])


def test_what_was_kept_is_what_was_read(all_three):
    """So the documents can be made again from the folder alone."""
    assert history.decode(all_three.cycle()) == inputs(all_three).earlier


@pytest.mark.heavy
def test_building_again_changes_no_byte(three):
    before = contents(three.cycle())
    runs(three, DECEMBER, "build")
    assert contents(three.cycle()) == before


@pytest.mark.heavy
def test_an_older_cycle_changes_nothing_in_the_statement_or_its_change(three):
    before = contents(three.cycle())
    shutil.rmtree(three.cycle(OCTOBER))
    runs(three, DECEMBER, "build")
    after = contents(three.cycle())
    assert of_this_cycle(after["statement.json"]) == of_this_cycle(before["statement.json"])
    assert after["inputs/history.json"] != before["inputs/history.json"]
    assert [one["start"] for one in kept(three)] == [NOVEMBER]


def of_this_cycle(statement: bytes) -> dict:
    """Leave out the fiscal year to date."""
    values = json.loads(statement)
    for one in (values, *values["cost_centers"]):
        del one["year_to_date"]
    return values


@pytest.mark.heavy
def test_a_cycle_that_was_built_anew_is_read_anew(three):
    before = contents(three.cycle())
    three.edit("rates.yaml", "9000.00", "10.00")
    runs(three, OCTOBER, "build")
    three.edit("rates.yaml", "10.00", "9000.00")
    runs(three, DECEMBER, "build")
    bars = shown(invoice_trend(told(three), "A-1"))
    assert bars == amounts(three, "A-1")
    assert bars[0] > 0
    assert contents(three.cycle())["inputs/history.json"] != before["inputs/history.json"]


@pytest.mark.heavy
def test_closed_cycles_are_named_with_their_seals_and_not_preliminary(three):
    manifest = three.cycle(OCTOBER) / "manifest.json"
    manifest.write_text('{"sequence": 1}\n', encoding="utf-8")
    path = three.cycle(OCTOBER) / "statement.json"
    path.write_text(
        path.read_text("utf-8").replace('"status": "draft"', '"status": "closed"'), "utf-8"
    )
    runs(three, DECEMBER, "build")
    seal = sha256(manifest.read_bytes()).hexdigest()
    assert [(one["status"], one["seal"]) for one in kept(three)] == [
        ("closed", seal),
        ("draft", None),
    ]
    assert [bar.preliminary for bar in statement_trend(told(three)).bars] == [False, True, True]


# A gap


def undone(job: Job) -> None:
    (job.cycle(NOVEMBER) / "statement.json").unlink()


def removed(job: Job) -> None:
    shutil.rmtree(job.cycle(NOVEMBER))


def in_between(job: Job) -> None:
    (job.archive / "2025-11-20" / "inputs").mkdir(parents=True)


@pytest.mark.heavy
@pytest.mark.parametrize("change", [undone, removed, in_between])
def test_over_a_gap_nothing_is_shown(three, change):
    change(three)
    assert runs(three, DECEMBER, "build") == ""
    assert (kept(three), three.statement()["variance"]) == ([], None)
    statement = told(three)
    assert (
        statement_trend(statement),
        invoice_trend(statement, "A-1"),
        sparkline(statement, "A-1"),
    ) == (None,) * 3


@pytest.mark.heavy
def test_a_gap_before_the_cycle_before_shortens_the_trend(three):
    (three.archive / "2025-10-20" / "inputs").mkdir(parents=True)
    assert runs(three, DECEMBER, "build") == ""
    assert shown(invoice_trend(told(three), "A-1")) == amounts(three, "A-1", (NOVEMBER, DECEMBER))


@pytest.mark.heavy
def test_an_older_cycle_in_another_currency_shortens_the_trend(three):
    three.edit("rates.yaml", "USD", "EUR")
    runs(three, OCTOBER, "build")
    three.edit("rates.yaml", "EUR", "USD")
    assert runs(three, DECEMBER, "build") == ""
    assert shown(invoice_trend(told(three), "A-1")) == amounts(three, "A-1", (NOVEMBER, DECEMBER))


@pytest.mark.heavy
def test_the_ledger_of_an_older_cycle_is_not_read(three):
    before = contents(three.cycle())
    (three.cycle(OCTOBER) / "ledger.csv").unlink()
    assert runs(three, DECEMBER, "build") == ""
    assert contents(three.cycle()) == before


def test_an_older_statement_that_is_torn_is_a_warning_and_the_change_is_still_told(three):
    change = three.statement()["variance"]
    path = three.cycle(OCTOBER) / "statement.json"
    path.write_bytes(path.read_bytes()[:-40])
    said = runs(three, DECEMBER, "build")
    assert said.startswith(f"{path}: warning: cannot be read: ")
    assert "build that cycle again; until then the trend begins after it" in said
    assert said.count("\n") == 1
    assert three.statement()["variance"] == change
    assert [one["start"] for one in kept(three)] == [NOVEMBER]


# The fiscal year to date


def test_the_year_adds_up_what_the_statements_of_its_cycles_say(all_three):
    built = all_three.statement()
    whole = [Decimal(all_three.statement(start)["tie_out"]["invoiced_amount"]) for start in STARTS]
    acus = [Decimal(all_three.statement(start)["control"]["acus"]) for start in STARTS]
    assert built["year_to_date"] == {
        "begins": "2025-01-01",
        "since": OCTOBER,
        "cycles": 3,
        "preliminary": True,
        "missing": [],
        "acus": str(sum(acus)),
        "amount": str(sum(whole)),
    }
    own = {one["code"]: one["year_to_date"]["amount"] for one in built["cost_centers"]}
    for code in CODES:
        assert Decimal(own[code]) == sum(one or 0 for one in amounts(all_three, code))
    assert [one["start"] for one in year_kept(all_three)] == [OCTOBER, NOVEMBER]


def year_kept(job: Job) -> list[dict]:
    return json.loads((job.cycle() / "inputs/history.json").read_text(encoding="utf-8"))["year"]


@pytest.mark.heavy
def test_a_year_that_began_since_has_no_older_cycle_and_a_budget_of_its_own(three):
    three.edit("chargeback.yaml", "archive: archive\n", "archive: archive\nfiscal_year: 11\n")
    three.edit("mapping.yaml", "{name: Platform}", "{name: Platform, year_budget: 400}")
    runs(three, DECEMBER, "build")
    year = three.statement()["year_to_date"]
    assert (year["begins"], year["since"], year["cycles"]) == ("2025-11-01", NOVEMBER, 2)
    own = three.statement()["cost_centers"][0]["year_to_date"]
    spent = sum(amounts(three, "A-1", (NOVEMBER, DECEMBER)))
    assert own["amount"] == str(spent)
    assert own["budget"]["amount"] == "400.00"
    assert Decimal(own["budget"]["used"]) == round(spent / 400, 4)


@pytest.mark.quick(1)
@pytest.mark.parametrize("lost", [OCTOBER, NOVEMBER])
def test_a_cycle_that_is_missing_is_named_and_nothing_is_added_up(three, lost):
    shutil.rmtree(three.cycle(lost))
    runs(three, DECEMBER, "build")
    year = three.statement()["year_to_date"]
    assert (year["missing"], year["amount"], year["acus"]) == ([lost], None, None)
    assert {str(one["year_to_date"]) for one in three.statement()["cost_centers"]} == {"None"}
