"""Every line of every invoice of the sample, back to its records, rules, rates and answers."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from hashlib import sha256
from pathlib import Path
from unicodedata import east_asian_width

import pytest
from click.testing import CliRunner

from reportgen.cli import main
from reportgen.core.written.statement_json import statement_json
from reportgen.operations import completion as completing
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world, working_world
from tests.scenarios.collecting.live import live, mapped, own_credentials
from tests.scenarios.job import DECEMBER, Job, plain
from tests.scenarios.test_sample import ISSUED, rows_of
from tests.weight import heavy_but

WIDTH = 100
WORLD = big_world(users=12, organizations=3, sessions=6)


def asked(job: Job, *arguments: str, exit_code: int = 0) -> str:
    result = CliRunner().invoke(main, ["explain", str(job.folder), "--cycle", DECEMBER, *arguments])
    assert result.exit_code == exit_code, result.stderr
    return result.stdout if exit_code == 0 else result.stderr


@cache
def explained(folder: Path, code: str) -> dict:
    return json.loads(asked(Job(folder), code, "--json"))


@cache
def evidence(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@cache
def text_at(folder: Path, source: str) -> str:
    name, _, line = source.rpartition(":")
    return (folder / name).read_text(encoding="utf-8").splitlines()[int(line) - 1]


def foots(line: dict) -> bool:
    exact = [record["exact_amount"] for record in line["records"]] or [line["exact_amount"]]
    return sum(map(Fraction, exact)) + Fraction(line["rounding"]) == Fraction(line["amount"])


# The sample


@pytest.mark.quick(1)
@pytest.mark.parametrize("code", ISSUED)
def test_the_explanation_is_of_the_lines_that_were_built_and_foots(sample, code):
    (center,) = [one for one in sample.statement()["cost_centers"] if one["code"] == code]
    answer = explained(sample.job.folder, code)
    assert (answer["invoice"], answer["amount"]) == (center["invoice"], center["amount"])
    assert len(answer["lines"]) == len(center["lines"])
    for number, (line, built) in enumerate(
        zip(answer["lines"], center["lines"], strict=True), start=1
    ):
        assert line["number"] == number
        assert all(
            line[key] == built[key] for key in ("kind", "product", "acus", "unit_price", "amount")
        )
        assert foots(line)
        assert line["difference"] == "0"
        assert sum(Fraction(record["quantity"]) for record in line["records"]) == Fraction(
            line["acus"]
        )


@pytest.mark.quick(3)
@pytest.mark.parametrize("code", ISSUED)
def test_the_records_are_those_of_the_ledger(sample, code):
    columns = [
        *(
            "day",
            "product",
            "org_id",
            "principal_kind",
            "principal_id",
            "session_id",
            "share",
            "quantity",
        ),
        *("exact_amount", "rate"),
    ]
    ledger = [row for row in rows_of(sample.folder / "ledger.csv") if row["cost_center"] == code]
    expected = [
        [*(row[key] for key in columns), row["rule"] or None, row["cause"] or None]
        for row in ledger
    ]
    told = [
        [*(record[key] for key in columns), (record["rule"] or {}).get("value"), record["cause"]]
        for line in explained(sample.job.folder, code)["lines"]
        for record in line["records"]
    ]
    assert sorted(map(repr, told)) == sorted(map(repr, expected))


@pytest.mark.quick(3)
@pytest.mark.parametrize("code", ISSUED)
def test_the_line_of_every_rule_and_rate_says_so(sample, code):
    for line in explained(sample.job.folder, code)["lines"]:
        for source, text in line["sources"].items():
            assert text == text_at(sample.job.folder, source).strip()
        for record in line["records"]:
            price = re.split(
                r"[:#]", text_at(sample.job.folder, record["rate"]).partition(": ")[2]
            )[0]
            assert Decimal(price) == Decimal(record["unit_price"])
            assert record["rate"] in line["sources"]
            if rule := record["rule"]:
                assert (
                    rule["key"].casefold() in text_at(sample.job.folder, rule["source"]).casefold()
                )
                assert code in text_at(sample.job.folder, rule["value"])
                assert {rule["source"], rule["value"]} <= line["sources"].keys()
                assert (rule["section"] == "user_file") == rule["source"].startswith("hr.csv")
            else:
                assert (line["kind"], code) == ("unallocated", "CC-9999")


@pytest.mark.quick(3)
@pytest.mark.parametrize("code", ISSUED)
def test_the_rule_is_of_whom_it_decided(sample, code):
    known = json.loads((sample.folder / "inputs" / "directory.json").read_text(encoding="utf-8"))
    emails = {one["id"]: (one["email"] or "").casefold() for one in known["principals"]}
    for line in explained(sample.job.folder, code)["lines"]:
        for record in filter(lambda one: one["rule"], line["records"]):
            section, key = record["rule"]["section"], record["rule"]["key"].casefold()
            if section in {"users", "user_file", "service_users"}:
                email = emails.get(record["principal_id"], "")
                pattern = "*" in key and email.endswith(key.removeprefix("*"))
                assert key in {record["principal_id"], email} or pattern
            elif section == "orgs":
                assert key == record["org_id"]
            else:
                assert record["session_id"]


@pytest.mark.quick(3)
@pytest.mark.parametrize("code", ISSUED)
def test_every_answer_is_in_the_evidence_with_its_fingerprint(sample, code):
    lines = evidence(sample.folder / "inputs" / "responses.jsonl")
    answer = explained(sample.job.folder, code)
    named = {
        request
        for line in answer["lines"]
        for record in line["records"]
        for request in record["requests"]
    }
    assert named == answer["responses"].keys()
    assert all(record["requests"] for line in answer["lines"] for record in line["records"])
    for request, proof in answer["responses"].items():
        stored = lines[proof["line"] - 1]
        assert stored["request"] == proof["request"] == f"GET {request}"
        assert sha256(stored["body"].encode()).hexdigest() == proof["sha256"]
        assert stored["fetched_at"] == proof["fetched_at"]


def test_the_answers_hold_the_acus_of_the_records(sample):
    """A record that rests on one answer is what that answer says of the day and product."""
    lines = evidence(sample.folder / "inputs" / "responses.jsonl")
    answer = explained(sample.job.folder, "CC-1001")
    compared = 0
    for record in (record for line in answer["lines"] for record in line["records"]):
        if len(record["requests"]) == 1 and record["principal_id"] and record["org_id"]:
            body = json.loads(
                lines[answer["responses"][record["requests"][0]]["line"] - 1]["body"],
                parse_float=str,
            )
            days = [
                day for day in body["consumption_by_date"] if day_of(day["date"]) == record["day"]
            ]
            said = sum(Fraction(day["acus_by_product"][record["product"]]) for day in days)
            assert said == Fraction(record["acus"])
            compared += 1
    assert compared > 100


def day_of(instant: int) -> str:
    return str(datetime.fromtimestamp(instant, UTC).date())


@pytest.mark.heavy
def test_groups_are_the_lines_of_all_cost_centers_that_are_rounded_together(sample):
    every = [line for code in ISSUED for line in explained(sample.job.folder, code)["lines"]]
    for line in every:
        key = line["product"], line["unit_price"]
        members = [one for one in every if (one["product"], one["unit_price"]) == key]
        group = line["rounded_together"]
        assert group["lines"] == len(members)
        assert Fraction(group["target"]) == sum(Fraction(one["amount"]) for one in members)
        assert Fraction(group["exact_amount"]) == sum(
            Fraction(one["exact_amount"]) for one in members
        )
        assert group["raised"] == sum(Fraction(one["rounding"]) > 0 for one in members)


# What people read


def cells(line: str) -> int:
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in line)


def numbers_of(footing: str) -> tuple[Fraction, Fraction]:
    """Read a footing: the amount, and all that is taken from it."""
    amount, rest = footing.split(" − (", 1)
    return Fraction(amount), sum(
        map(Fraction, re.findall(r"(?:records?|more|rounding|exactly) (-?[\d.]+)", rest))
    )


def footings(said: str) -> list[str]:
    return re.findall(
        r"^-?[\d.]+ − \(.*?\) = .*?$", re.sub(r"\n  +(?=\S)", " ", said), re.MULTILINE
    )


@pytest.mark.quick(1)
@pytest.mark.parametrize("code", ["CC-1001", "CC-4001", "CC-9999"])
def test_it_is_readable_at_100_columns_and_foots_as_printed(sample, code):
    said = asked(sample.job, code)
    assert max(cells(line) for line in said.splitlines()) <= WIDTH
    values = explained(sample.job.folder, code)
    lines = footings(said)
    assert len(lines) == len(values["lines"])
    for line, footing in zip(values["lines"], lines, strict=True):
        amount, parts = numbers_of(footing)
        assert amount == parts == Fraction(line["amount"])
        assert footing.endswith(") = 0")
        shown, more = min(20, len(line["records"])), max(0, len(line["records"]) - 20)
        assert f"({shown} record" in footing
        assert (f"{more} more " in footing) == (more > 0)


@pytest.mark.heavy
def test_a_line_in_full_shows_all_its_records_and_their_answers(sample):
    lines = explained(sample.job.folder, "CC-1001")["lines"]
    longest = max(lines, key=lambda line: len(line["records"]))
    said = asked(sample.job, "CB-2025-12-05-CC-1001", "--line", str(longest["number"]))
    assert (
        f"Line {longest['number']} of {len(lines)}: {longest['kind']}, {longest['product']}" in said
    )
    exact = [record["exact_amount"] for record in longest["records"]]
    rows = re.findall(r"^ 20\d\d-\d\d-\d\d .*$", said, re.MULTILINE)
    assert len(rows) == len(exact)
    assert all(f" {amount} " in row for amount, row in zip(exact, rows, strict=True))
    requests = {request for record in longest["records"] for request in record["requests"]}
    assert len(re.findall(r"^ +\d+  line \d+ +sha256 [0-9a-f]{64}$", said, re.MULTILINE)) == len(
        requests
    )
    alone = json.loads(asked(sample.job, "CC-1001", "--line", str(longest["number"]), "--json"))
    assert alone["lines"] == [longest]
    assert alone["responses"].keys() == requests


def test_rules_and_rates_are_told_with_their_text(sample):
    said = asked(sample.job, "CC-1001", "--line", "3")
    _, _, sources = said.partition("as they stand in")
    written = dict(
        line.split(maxsplit=1) for line in sources.splitlines() if re.match(r" [\w.]+:\d+ ", line)
    )
    assert any(text.startswith("ada@acme.example: CC-1001") for text in written.values())
    for source, text in written.items():
        assert text_at(sample.job.folder, source).strip().startswith(text)
    assert "Rate rates.yaml:" in said


# Built again, or not


@pytest.fixture
def drafted(drafted) -> Job:
    return plain(drafted)


def test_what_was_changed_since_the_build_is_refused(drafted):
    asked(drafted, "A-1")
    drafted.edit("mapping.yaml", "{A-1: 1, B-2: 2}", "{A-1: 1, B-2: 3}")
    said = asked(drafted, "A-1", exit_code=1)
    assert "come to something else than was built, first in A-1; build again" in said
    drafted.edit("mapping.yaml", "{A-1: 1, B-2: 3}", "{A-1: 1, B-2: 2}  # as agreed")
    asked(drafted, "A-1")


def test_what_was_tampered_with_is_refused(drafted):
    path = drafted.cycle() / "statement.json"
    statement = json.loads(path.read_text(encoding="utf-8"))
    statement["cost_centers"][1]["lines"][0]["amount"] = "0.01"
    path.write_text(json.dumps(statement), encoding="utf-8")
    assert "first in B-2; build again" in asked(drafted, "A-1", exit_code=1)
    for damaged in ("[]", "{", '{"cost_centers": [1]}', '{"cost_centers": {"a": 1}}', "\xff"):
        path.write_text(damaged, encoding="latin-1")
        assert "build again" in asked(drafted, "A-1", exit_code=1)


def test_it_is_offline_and_writes_nothing(drafted):
    before = {path: path.stat().st_mtime_ns for path in drafted.folder.rglob("*")}
    (drafted.folder / "chargeback.yaml").write_text(
        re.sub(
            r"replay: .*",
            "base_url: https://127.0.0.1:9",
            (drafted.folder / "chargeback.yaml").read_text(),
        ),
    )
    asked(drafted, "A-1")
    after = {path: path.stat().st_mtime_ns for path in drafted.folder.rglob("*")}
    assert {path for path in before.keys() | after if before.get(path) != after.get(path)} == {
        drafted.folder / "chargeback.yaml"
    }


@pytest.mark.heavy
def test_an_invoice_is_named_by_its_number_first(drafted):
    number = "{{ 'B-2' if cost_center.code == 'A-1' else cost_center.code ~ 'x' }}"
    path = drafted.folder / "chargeback.yaml"
    path.write_text(f'{path.read_text()}invoice: {{number: "{number}"}}\n')
    assert drafted.here("build").returncode == 0
    assert json.loads(asked(drafted, "B-2", "--json"))["cost_center"] == "A-1"
    assert json.loads(asked(drafted, "B-2x", "--json"))["cost_center"] == "B-2"
    assert "did you mean" in asked(drafted, "b-2", exit_code=2)


# Fees, transfers, pools, and one amount for the cycle

RECOVER = """\
currency: USD
recover: {weights: {cascade: 0.8}}
vendor_invoices:
  2025-12-05: {number: INV-0042, amount: 19713.47}
fees:
  - {name: Support, percent: 2.5%, to: [A-1]}
  - {name: Platform, amount: 10.00, to: each}
transfers:
  - {cycle: 2025-12-05, from: A-1, to: B-2, amount: 150.00, reason: Ticket 4711}
"""
TIERS = """\
currency: USD
tiers:
  - {up_to: 10000, price: 2.00}
  - {price: 2.25}
"""


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("rates", "words"), heavy_but(1, [(RECOVER, "19713.47"), (TIERS, "effective")])
)
def test_one_amount_for_the_cycle_is_told_as_such(drafted, rates, words):
    (drafted.folder / "rates.yaml").write_text(rates)
    assert drafted.here("build").returncode == 0
    for center in drafted.statement()["cost_centers"]:
        if center["invoice"]:
            answer = json.loads(asked(drafted, center["code"], "--json"))
            assert all(foots(line) and line["difference"] == "0" for line in answer["lines"])
            usage = [line for line in answer["lines"] if line["kind"] in {"usage", "unallocated"}]
            assert all(line["effective_price"] for line in usage)
            said = asked(drafted, center["code"])
            assert "The unit price is effective, for display only: rates.yaml:" in re.sub(
                r"\s+", " ", said
            )
            assert words in said
            assert all(footing.endswith(" = 0") for footing in footings(said))


def test_fees_transfers_and_pools_are_told_by_their_source(drafted):
    (drafted.folder / "rates.yaml").write_text(RECOVER)
    path = drafted.folder / "mapping.yaml"
    path.write_text(path.read_text() + "pools: {B-2: {A-1: 60%, C-3: 40%}}\n")
    assert drafted.here("build").returncode == 0
    line_of = {
        word: next(
            f"{name}:{number}"
            for name in ("rates.yaml", "mapping.yaml")
            for number, text in enumerate((drafted.folder / name).read_text().splitlines(), start=1)
            if word in text
        )
        for word in ("Support", "Platform,", "Ticket", "B-2: {A-1: 60%")
    }
    answer = json.loads(asked(drafted, "A-1", "--json"))
    more = {(line["kind"], line["name"]): line for line in answer["lines"] if "name" in line}
    assert {key: line["source"] for key, line in more.items()} == {
        ("fee", "Platform"): line_of["Platform,"],
        ("fee", "Support"): line_of["Support"],
        ("transfer", "Ticket 4711"): line_of["Ticket"],
        ("pool", "Payments"): line_of["B-2: {A-1: 60%"],
    }
    assert all(line["sources"][line["source"]] for line in more.values())
    said = " ".join(asked(drafted, "A-1").split())
    pool = more["pool", "Payments"]
    had = next(center for center in drafted.statement()["cost_centers"] if center["code"] == "B-2")
    before_sharing = sum(Decimal(line["amount"]) for line in had["lines"] if line["kind"] != "pool")
    assert (
        Decimal(pool["behind_amount"])
        == before_sharing
        == Decimal(pool["rounded_together"]["target"])
    )
    assert f"A share 0.6 (shares) of pool B-2, {pool['source']}, which had {before_sharing}" in said
    assert f"The transfer of {line_of['Ticket']}, against B-2" in said
    counter = " ".join(asked(drafted, "B-2").split())
    assert f"gave away what it had; it was taken over by: A-1 Payments {pool['amount']}" in counter


@pytest.mark.heavy
def test_names_cannot_play_with_the_terminal(small_job):
    def rename(lines: list[dict]) -> list[dict]:
        for line in lines:
            line["body"] = line["body"].replace("Build Kiosk", "Build\\u001b[31mKiosk")
        return lines

    small_job.record(rename)
    assert plain(small_job).here("run").returncode == 0
    said = asked(small_job, "Z-9")
    assert "\x1b" not in said
    assert "Kiosk" in said


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize(
    "source", ["api: v3", "api: v2", own_credentials(WORLD)], ids=["v3", "v2", "organizations"]
)
def test_every_source_is_explained_by_its_answers(tmp_path, source):
    with serving(WORLD) as api:
        job = live(tmp_path, api, mapped(WORLD) + "unallocated: Z-9\n", source)
        derived = job.collected()
    (job.evidence.parents[1] / "statement.json").write_text(
        statement_json(derived.statement), encoding="utf-8"
    )
    lines = evidence(job.evidence)
    for code in ("A-1", "B-2", "C-3", "Z-9"):
        answer = json.loads(asked(Job(tmp_path), code, "--json"))
        assert all(foots(line) for line in answer["lines"])
        assert all(record["requests"] for line in answer["lines"] for record in line["records"])
        for request, proof in answer["responses"].items():
            assert lines[proof["line"] - 1]["request"] == f"GET {request}"
            assert sha256(lines[proof["line"] - 1]["body"].encode()).hexdigest() == proof["sha256"]
        assert max(map(cells, asked(Job(tmp_path), code).splitlines())) <= WIDTH


# A session


@pytest.fixture(scope="module")
def worked(tmp_path_factory) -> Job:
    """Build a cycle of sessions; the first user's are shared by two cost centers."""
    world = working_world(users=6, organizations=2, sessions=3)
    folder = tmp_path_factory.mktemp("sessions")
    one, *others = (person.user_id for person in world.people)
    shared = {one: {"A-1": "60%", "B-2": "40%"}} | dict.fromkeys(others, "B-2")
    with serving(world) as api:
        collected = live(folder, api, mapped(world, users=shared))
        assert collected.collect().code == 0
    job = plain(Job(folder))
    result = CliRunner(env=collected.environment).invoke(
        main, ["build", str(folder), "--cycle", DECEMBER]
    )
    assert result.exit_code == 0, result.stderr
    return job


def largest(job: Job, code: str) -> dict:
    centers = json.loads((job.cycle() / "statement.json").read_text())["cost_centers"]
    return next(one for one in centers if one["code"] == code)["sessions"][0]


@pytest.mark.parametrize("prefix", ["devin-", ""])
def test_a_session_is_explained_by_who_bears_it_and_by_day(worked, prefix):
    listed = largest(worked, "A-1")
    session_id = prefix + listed["session_id"].removeprefix("devin-")
    said = json.loads(asked(worked, "--session", session_id, "--json"))
    assert said["session"] == listed["session_id"]
    assert said["title"] == listed["title"]
    first, second = said["cost_centers"]
    assert [first["cost_center"], second["cost_center"]] == ["A-1", "B-2"]
    assert (first["acus"], first["amount"]) == (listed["acus"], listed["amount"])
    assert {day["share"] for day in first["days"]} == {"0.6"}
    assert {day["share"] for day in second["days"]} == {"0.4"}
    parts = [Decimal(day["acus"]) for one in (first, second) for day in one["days"]]
    assert sum(parts) == Decimal(said["acus"])
    days = first["days"]
    assert (days[0]["day"], days[-1]["day"]) == (listed["first_day"], listed["last_day"])
    exact = sum(Decimal(day["exact_amount"]) for day in days)
    assert abs(exact - Decimal(listed["amount"])) < Decimal("0.01")
    assert all(text_at(worked.folder, day["rule"]["value"]) for day in days)
    assert set(said["responses"]) >= {request for day in days for request in day["requests"]}
    assert any("/daily/sessions/devin-" in request for request in said["responses"])


def test_a_session_is_told_in_sentences_that_fit(worked):
    listed = largest(worked, "A-1")
    said = asked(worked, "--session", listed["session_id"])
    assert f"A-1 A-1 bears {listed['acus']} ACUs of it, USD {listed['amount']} of invoice" in said
    assert "B-2 B-2 bears" in said
    assert "sha256" in said


def test_a_session_that_nobody_knows_is_told_with_one_that_is_near(worked):
    known = largest(worked, "A-1")["session_id"]
    said = asked(worked, "--session", f"{known[:-1]}x", exit_code=2)
    assert f'did you mean "{known}"?' in said
    said = asked(worked, "--session", "nothing", exit_code=2)
    assert "no session that was at work in this billing cycle" in said
    said = asked(worked, "--session", known, "--line", "1", exit_code=2)
    assert "leave one out" in said


def test_a_session_that_was_not_asked_about_has_a_bearer_and_no_acus(worked):
    """Of a cycle that was collected without sessions, who bears one is known all the same."""
    known = largest(worked, "A-1")["session_id"]
    path = worked.cycle() / "inputs" / "responses.jsonl"
    whole = path.read_text()
    lines = [line for line in whole.splitlines(keepends=True) if "/daily/sessions/" not in line]
    try:
        path.write_text("".join(lines))
        CliRunner().invoke(main, ["build", str(worked.folder), "--cycle", DECEMBER])
        said = json.loads(asked(worked, "--session", known, "--json"))
        assert "is not known" in asked(worked, "--session", known)
    finally:
        path.write_text(whole)
        CliRunner().invoke(main, ["build", str(worked.folder), "--cycle", DECEMBER])
    assert said["acus"] is None
    assert [one["cost_center"] for one in said["cost_centers"]] == ["A-1", "B-2"]
    assert all(one["sources"] for one in said["cost_centers"])


def test_the_ids_of_sessions_are_completed(worked):
    listed = completing.sessions(worked.folder / "archive", DECEMBER)
    assert (largest(worked, "A-1")["session_id"], largest(worked, "A-1")["title"] or "") in listed
    assert completing.sessions(worked.folder / "nowhere", DECEMBER) == []
