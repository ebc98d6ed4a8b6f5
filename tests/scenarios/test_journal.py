"""Journals of drafts, closed cycles and corrections, read back as systems read them."""

import hashlib
import json
from decimal import Decimal

import pytest
from click.testing import CliRunner

from reportgen.cli import main
from tests.documents.exports.ledgers import READERS
from tests.scenarios.closed import forged
from tests.scenarios.job import DECEMBER, Job, contents, once, plain, small

JOURNAL = 'journal: {credit_account: "2999", entity: "1000", layout: %s}\n'
ACCOUNTS = {
    "A-1: {name: Platform}": 'A-1: {name: Platform, gl_account: "06420"}',
    "B-2: {name: Payments}": 'B-2: {name: Payments, gl_account: "06421"}',
    "C-3: {name: Kiosk}": 'C-3: {name: Kiosk, gl_account: "06422"}',
    "Z-9: {name: Central}": 'Z-9: {name: Central, gl_account: "06423"}',
}


def posted(job: Job, layout: str = "generic", mapping: str = "mapping.yaml") -> Job:
    """Say in a configuration how its cycles are booked."""
    for before, after in ACCOUNTS.items():
        job.edit(mapping, before, after)
    with (job.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write(JOURNAL % layout)
    return job


def export(job: Job, *arguments: str, cycle: str = DECEMBER):
    return job.here("export", "--format", "journal", *map(str, arguments), cycle=cycle)


def booked(folder, layout="generic"):
    """Read all parts of a journal, in their order."""
    paths = sorted(folder.glob(f"journal-{layout}*.csv"))
    return [one for path in paths for one in READERS[layout](path.read_bytes())]


def journal(job: Job, folder, *arguments: str, cycle: str = DECEMBER, layout: str = "generic"):
    result = export(job, "--output", folder, "--layout", layout, *arguments, cycle=cycle)
    assert result.returncode == 0, result.stderr
    return booked(folder, layout)


def by_code(documents):
    sums: dict[str, Decimal] = {}
    for document in documents:
        assert sum(amount for _, _, amount, _ in document.lines) == 0
        for _, code, amount, _ in document.lines:
            if code:
                sums[code] = sums.get(code, Decimal()) + amount
    return sums


def charged(statement):
    amounts = {one["code"]: Decimal(one["amount"]) for one in statement["cost_centers"]}
    return {code: amount for code, amount in amounts.items() if amount}


@pytest.fixture(scope="module")
def posted_once(closed_once, tmp_path_factory) -> Job:
    """Closed cycles whose accounts were named after the close; not to be changed."""
    job = closed_once.copied(tmp_path_factory.mktemp("posted") / "job")
    return posted(job, mapping="shared/mapping.yaml")


def seal_of(job: Job, cycle: str = DECEMBER) -> str:
    return hashlib.sha256((job.cycle(cycle) / "manifest.json").read_bytes()).hexdigest()


# Closed cycles


def test_a_closed_cycle_is_booked_as_it_was_charged(posted_once, tmp_path):
    (document,) = journal(posted_once, tmp_path)
    assert by_code([document]) == charged(posted_once.statement())
    assert document.key == f"JE-2025-12-05-1000-{seal_of(posted_once)[:8]}"
    assert [(line[0], line[1]) for line in document.lines] == [
        ("06420", "A-1"),
        ("06421", "B-2"),
        ("06422", "C-3"),
        ("06423", "Z-9"),
        ("2999", ""),
    ]
    assert (document.day.isoformat(), document.entity) == ("2026-01-04", "1000")
    assert document.control == sum(charged(posted_once.statement()).values())


def test_it_lies_beside_the_cycles_and_replaces_its_own_parts_alone(closed, tmp_path):
    job = posted(closed, mapping="shared/mapping.yaml")
    folder = job.archive / "exports" / DECEMBER
    for options in (("--max-lines", "2"), ("--layout", "sap"), ("--max-lines", "3"), ()):
        assert export(job, *options).returncode == 0
        names = contents(folder).keys() - {"exports.json", "journal-sap.csv"}
        files = {"2": 4, "3": 2}.get(options[-1] if options else "", 1)
        if "sap" not in options:
            numbered = {f"journal-generic-{part}.csv" for part in range(1, files + 1)}
            assert names == (numbered if files > 1 else {"journal-generic.csv"})
            assert by_code(booked(folder)) == charged(job.statement())
    assert by_code(booked(folder, "sap")) == charged(job.statement())


def test_months_are_booked_on_their_last_days(posted_once, tmp_path):
    first, second = journal(posted_once, tmp_path, "--split-periods")
    assert by_code([first, second]) == charged(posted_once.statement())
    assert [one.day.isoformat() for one in (first, second)] == ["2025-12-31", "2026-01-04"]
    assert "2025-12" in first.key
    assert "2026-01" in second.key


def test_a_range_books_each_cycle_once(posted_once, tmp_path):
    documents = journal(posted_once, tmp_path, cycle=f"2025-11-05..{DECEMBER}")
    sums = [charged(posted_once.statement(start)) for start in ("2025-11-05", DECEMBER)]
    assert [by_code([document]) for document in documents] == sums


def test_what_is_closed_is_not_accrued(posted_once, tmp_path):
    result = export(posted_once, "--until", "2026-01-01", "--output", tmp_path / "out")
    assert result.returncode == 1
    assert "2025-12-05: is closed, and --until accrues what is not" in result.stderr
    assert not (tmp_path / "out").exists()


def test_two_days_to_book_on_are_wrong_usage(posted_once):
    result = export(posted_once, "--until", "2026-01-01", "--posting-date", "2026-01-31")
    assert result.returncode == 2
    assert "--posting-date and --until each say when it is booked" in result.stderr


# Drafts


def test_a_draft_is_accrued_and_taken_back(drafted):
    result = export(posted(drafted), "--until", "2026-01-01", "--layout", "sap")
    assert (result.returncode, "book nothing upon it" in result.stderr) == (0, False)
    accrued, reversed_ = booked(drafted.cycle() / "exports", "sap")
    assert (accrued.text, reversed_.text) == ("ACCRUAL ACUs 2025-12-05", "ACCRUAL REV. 2025-12-05")
    assert by_code([accrued, reversed_]) == dict.fromkeys(by_code([accrued]), 0)
    months = journal(drafted, drafted.folder / "out", "--split-periods", layout="sap")
    assert by_code([accrued]) == by_code(months[:1])
    assert all("DRAFT" in one.text and "DRAFT" in one.key for one in months)


# Corrections


def test_the_notes_of_a_correction_are_booked_when_they_were_issued(corrected_once, tmp_path):
    job = posted(corrected_once.copied(tmp_path / "job"))
    (document,) = journal(job, tmp_path / "out", cycle=f"{DECEMBER}.c1")
    folder = job.archive / f"{DECEMBER}.c1"
    notes = json.loads((folder / "correction.json").read_text(encoding="utf-8"))["notes"]
    assert by_code([document]) == {note["cost_center"]: Decimal(note["amount"]) for note in notes}
    issued = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["issued"]
    assert document.day.isoformat() == issued
    numbers = {note["number"] for note in notes}
    stamp = seal_of(job, f"{DECEMBER}.c1")[:8]
    assert {line[3] for line in document.lines if line[1]} == {f"{one}-{stamp}" for one in numbers}


# What is sealed with the close


def sealed_with_journal(folder) -> None:
    job = posted(plain(small(folder)), "sap")
    with (folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write("close: {exports: [journal]}\n")
    assert job.here("collect").returncode == 0
    result = job.here("close", "--accept", "nobody asked")
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="session")
def sealed_once(shared) -> Job:
    """Close December with its journal; not to be changed."""
    return Job(once(shared, "sealed-journal", sealed_with_journal))


def verify(job: Job):
    return CliRunner().invoke(main, ["verify", str(job.archive), "--workers", "1", "--sample", "1"])


@pytest.mark.heavy
def test_a_journal_of_the_close_has_the_keys_of_one_that_is_made_later(sealed_once, tmp_path):
    made = contents(sealed_once.cycle() / "exports")
    assert made.keys() == {"journal-sap.csv"}
    (document,) = booked(sealed_once.cycle() / "exports", "sap")
    statement = (sealed_once.cycle() / "statement.json").read_bytes()
    assert document.key == f"251205{hashlib.sha256(statement).hexdigest()[:6]}0001"
    journal(sealed_once, tmp_path, layout="sap")
    assert contents(tmp_path)["journal-sap.csv"] == made["journal-sap.csv"]


def test_what_cannot_be_booked_is_told_before_anything_is_closed(tmp_path):
    job = Job(tmp_path / "job")
    small(job.folder)
    posted(job, "acme")
    job.edit("mapping.yaml", ', gl_account: "06423"', "")
    with (job.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write("close: {exports: [journal]}\ntemplates: mine\n")
    (job.folder / "mine" / "journal").mkdir(parents=True)
    own = job.folder / "mine" / "journal" / "acme.csv.j2"
    own.write_text("{{ [document.total] | row }}\n", encoding="utf-8")
    assert job.here("collect").returncode == 0
    for options in ((), ("--dry-run",)):
        result = job.here("close", "--accept", "nobody asked", *options)
        assert result.returncode == 1
        told = result.stderr.splitlines()[-1]
        assert told.startswith(f'{job.folder / "mapping.yaml"}:5: cost center "Z-9" has no account')
    job.edit("mapping.yaml", "{name: Central}", '{name: Central, gl_account: "06423"}')
    told = job.here("close", "--accept", "nobody asked").stderr.splitlines()[-1]
    assert told.startswith(f'{own}:1: a journal document has no field "total"')
    assert not (job.cycle() / "manifest.json").exists()
    assert not [path for path in job.archive.iterdir() if path.name.startswith(".")]


@pytest.mark.heavy
def test_whoever_changes_it_and_every_hash_is_found_out(sealed_once, tmp_path):
    job = sealed_once.copied(tmp_path / "sealed")
    name = "exports/journal-sap.csv"
    content = (job.cycle() / name).read_bytes()
    forged(job.cycle(), {name: content.replace(b"2999", b"6666")})
    result = verify(job)
    assert result.exit_code == 3
    assert name in result.stderr
