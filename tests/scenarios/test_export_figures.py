"""Files of a cycle's figures: where they lie, what is sealed, what is never replaced."""

import csv
import hashlib
import json
import sys
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import get_args

import msgspec
import pytest
from click.testing import CliRunner

from reportgen.archive import manifest
from reportgen.cli import main
from reportgen.core.model import ExportName
from reportgen.documents.exports.formats import FORMATS
from reportgen.documents.exports.material import Options
from reportgen.operations.context import Context
from reportgen.operations.sealed.exporting import selection_of
from reportgen.sources.config.configuration import load
from reportgen.terminal import Terminal
from tests.documents.exports.focus_rules import allocated, broken_in_charges, broken_in_details
from tests.scenarios.closed import forged, manifest_of
from tests.scenarios.job import DECEMBER, NOVEMBER, Job, contents, once, plain, small

YEAR = f"{NOVEMBER}..{DECEMBER}"
NAMES = {"ledger.csv", "invoice_lines.csv", "tie_out.csv"}
EXPORTS = "close: {exports: [csv, focus, parquet]}\nfocus: {version: 1.4}\n"
SEALED = (
    NAMES
    | {f"focus-{name}.csv" for name in ("CostAndUsage", "InvoiceDetail", "BillingPeriod")}
    | {"focus-metadata.json"}
    | {name.replace(".csv", ".parquet") for name in NAMES}
)


def export(job: Job, *arguments: str, cycle: str = DECEMBER, kind: str = "csv"):
    return job.here("export", "--format", kind, *map(str, arguments), cycle=cycle)


def done(result):
    assert result.returncode == 0, result.stderr
    return result


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(content.decode().splitlines()))


def sealed_with_exports(folder) -> None:
    job = plain(small(folder))
    with (folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write(EXPORTS)
    done(job.here("collect"))
    done(job.here("close", "--accept", "nobody asked"))


@pytest.fixture(scope="session")
def sealed_once(shared) -> Job:
    """Close December with its tables; not to be changed."""
    return Job(once(shared, "sealed-exports", sealed_with_exports))


@pytest.fixture
def sealed(sealed_once, tmp_path) -> Job:
    return sealed_once.copied(tmp_path / "sealed")


# Where they lie


def test_a_drafts_lie_in_its_folder_and_go_with_it(drafted):
    result = done(export(drafted))
    assert "is a draft, and may change until it is closed" in result.stderr
    folder = drafted.cycle() / "exports"
    assert contents(folder).keys() == {*NAMES, "exports.json"}
    (folder / "mine.csv").write_text("a\n", encoding="utf-8")
    plain(drafted)
    done(drafted.here("build"))
    assert contents(folder).keys() == {"mine.csv"}


def test_those_of_a_closed_cycle_lie_beside_the_cycles(closed):
    before = contents(closed.cycle())
    said = json.loads(done(export(closed, "--json")).stdout)
    folder = closed.archive / "exports" / DECEMBER
    assert (said["folder"], said["closed"], said["cycles"]) == (str(folder), True, [DECEMBER])
    assert contents(closed.cycle()) == before
    assert contents(folder).keys() == {*NAMES, "exports.json"}
    for one in said["files"]:
        content = contents(folder)[one["file"].rpartition("/")[2]]
        assert (one["bytes"], one["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert {(folder / name).stat().st_mode & 0o777 for name in NAMES} == {0o600}


def test_the_same_cycle_gives_the_same_bytes(closed, tmp_path):
    for name in ("one", "two"):
        done(export(closed, "--output", tmp_path / name))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_nothing_is_replaced_that_no_export_has_written(closed, tmp_path):
    mine = tmp_path / "out" / "tie_out.csv"
    mine.parent.mkdir()
    mine.write_text("mine\n", encoding="utf-8")
    result = export(closed, "--output", mine.parent)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith(f"{mine}: is there already, and no export has")
    assert contents(mine.parent) == {"tie_out.csv": b"mine\n"}
    (mine.parent / "tie_out.csv").rename(mine.parent / "exports.json")
    assert export(closed, "--output", mine.parent).returncode == 1
    assert contents(mine.parent) == {"exports.json": b"mine\n"}


def test_a_folder_without_a_name_is_not_this_one(closed_once):
    result = export(closed_once, "--output", "")
    assert (result.returncode, "Invalid value for '--output': it is empty" in result.stderr) == (
        2,
        True,
    )


def test_nothing_is_written_into_a_closed_cycle(closed):
    for place in (closed.cycle(), closed.cycle() / "exports"):
        result = export(closed, "--output", place)
        assert result.returncode == 1
        assert "lies in a closed billing cycle" in result.stderr


def test_what_was_changed_since_the_close_is_not_exported(closed):
    path = closed.cycle(NOVEMBER) / "ledger.csv"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b" ")
    result = export(closed, cycle=YEAR)
    assert result.returncode == 3
    assert f"{path}: its hash is " in result.stderr
    assert not (closed.archive / "exports").exists()


# Ranges


def test_a_range_has_the_rows_of_each_cycle(closed_once, tmp_path):
    for cycle in (NOVEMBER, DECEMBER, YEAR):
        done(export(closed_once, "--output", tmp_path / cycle, cycle=cycle))
    for name in NAMES:
        parts = [rows_of((tmp_path / cycle / name).read_bytes()) for cycle in (NOVEMBER, DECEMBER)]
        assert rows_of((tmp_path / YEAR / name).read_bytes()) == [*parts[0], *parts[1]]


def test_a_range_goes_forward_and_names_what_there_is(closed_once):
    result = export(closed_once, cycle=f"{DECEMBER}..{NOVEMBER}")
    assert (result.returncode, "ends before it begins" in result.stderr) == (2, True)
    result = export(closed_once, cycle=f"{NOVEMBER}..")
    assert (result.returncode, "names no billing cycle" in result.stderr) == (2, True)


def test_a_correction_has_the_lines_of_its_notes_in_the_cycle_of_its_issue(
    corrected_once, tmp_path
):
    done(export(corrected_once, "--output", tmp_path / "note", cycle=f"{DECEMBER}.c1"))
    lines = rows_of((tmp_path / "note" / "invoice_lines.csv").read_bytes())
    notes = json.loads((corrected_once.archive / f"{DECEMBER}.c1" / "correction.json").read_text())
    for note in notes["notes"]:
        mine = [Decimal(row["amount"]) for row in lines if row["invoice"] == note["number"]]
        assert sum(mine) == Decimal(note["amount"])
    assert len({row["invoice"] for row in lines}) == len(notes["notes"])
    assert rows_of((tmp_path / "note" / "ledger.csv").read_bytes()) == []
    (period,) = {row["billing_period"] for row in lines}
    assert period.endswith("-05")
    assert period > DECEMBER


# Figures


def test_lines_make_the_invoices_and_the_ledger_makes_the_control_total(closed_once, tmp_path):
    done(export(closed_once, "--output", tmp_path / "out"))
    statement = closed_once.statement()
    lines = rows_of((tmp_path / "out" / "invoice_lines.csv").read_bytes())
    for center in statement["cost_centers"]:
        mine = [row for row in lines if row["cost_center"] == center["code"]]
        assert sum(Decimal(row["amount"]) for row in mine) == Decimal(center["amount"])
        for row in mine:
            exact = Decimal(row["exact_amount"]) + Decimal(row["rounding"])
            assert exact == Decimal(row["amount"])
    ledger = rows_of((tmp_path / "out" / "ledger.csv").read_bytes())
    assert sum(Decimal(row["acus"]) for row in ledger) == Decimal(statement["control"]["acus"])


def test_people_stand_in_it_as_in_documents(closed_once, tmp_path):
    """Its documents show pseudonyms."""
    done(export(closed_once, "--output", tmp_path / "out"))
    text = (tmp_path / "out" / "ledger.csv").read_text(encoding="utf-8")
    kept = json.loads((closed_once.cycle() / "inputs" / "directory.json").read_text())
    assert [one["id"] for one in kept["principals"] if one["id"] in text] == []
    known = {f"{one['kind'].replace('_', '-')}-{one['number']}" for one in kept["principals"]}
    shown = {row["principal_id"] for row in rows_of(text.encode())} - {""}
    assert shown
    assert shown <= known
    assert {row["requests"] + row["session_id"] for row in rows_of(text.encode())} == {""}


def test_excel_gets_what_it_opens_in_its_language(closed_once, tmp_path):
    done(export(closed_once, "--excel", "--locale", "de", "--output", tmp_path))
    made = contents(tmp_path, ".csv")
    assert made.keys() == NAMES | {"unallocated.csv", "by_organization.csv"}
    assert all(content.startswith(b"\xef\xbb\xbf") for content in made.values())
    lines = csv.DictReader(
        made["invoice_lines.csv"].decode("utf-8-sig").splitlines(), delimiter=";"
    )
    amounts = [Decimal(row["amount"].replace(",", ".")) for row in lines]
    invoiced = closed_once.statement()["tie_out"]["invoiced_amount"]
    assert sum(amounts) == Decimal(invoiced)
    result = export(closed_once, "--locale", "de")
    assert (result.returncode, "add --excel" in result.stderr) == (2, True)


# What is sealed with the close


@pytest.mark.heavy
def test_a_close_with_exports_is_intact(sealed_once):
    assert verify(sealed_once).stdout.splitlines()[-1].endswith(": intact")
    versions = manifest_of(sealed_once.cycle())["versions"]
    assert versions["pyarrow"] == version("pyarrow")


def test_who_cannot_make_an_export_again_is_told_the_remedy_and_no_verdict(
    sealed_once, monkeypatch
):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = verify(sealed_once)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "pyarrow: is not installed, and the format parquet is written" in result.stderr


def test_what_is_made_at_the_close_is_sealed_and_verified(sealed_once, tmp_path):
    made = contents(sealed_once.cycle() / "exports")
    assert made.keys() == SEALED
    sums = (sealed_once.cycle() / "SHA256SUMS").read_text(encoding="utf-8")
    assert sums.count("  exports/") == len(SEALED)
    for kind in ("csv", "focus", "parquet"):
        done(export(sealed_once, "--output", tmp_path / "later", kind=kind))
    later = contents(tmp_path / "later")
    del later["exports.json"]
    assert later == made


def verify(job: Job):
    return CliRunner().invoke(main, ["verify", str(job.archive), "--workers", "1", "--sample", "1"])


def test_who_changes_exports_and_every_hash_is_told_of_each(sealed):
    name = "exports/invoice_lines.csv"
    content = (sealed.cycle() / name).read_bytes()
    amount = rows_of(content)[0]["amount"].encode()
    assert content.count(b"," + amount + b"\r\n") == 1
    changed = content.replace(b"," + amount + b"\r\n", b",0.01\r\n")
    strange = {"exports/tie_out.csv": None, "exports/more.csv": b"a\n"}
    forged(sealed.cycle(), {name: changed, **strange})
    result = verify(sealed)
    assert result.exit_code == 3
    assert f"{name}: row 2, amount: 0.01 is written, {amount.decode()} follows" in result.stderr
    assert "exports/tie_out.csv: it is missing, and the inputs make it" in result.stderr
    assert "exports/more.csv: no input makes it" in result.stderr


def test_every_format_can_be_asked_for_and_sealed():
    (choice,) = (one.type for one in main.commands["export"].params if one.name == "kind")
    assert {*FORMATS} == {*get_args(ExportName)} == {*choice.choices} - {"audit"}
    taken = {name for form in FORMATS.values() for name in form.options}
    assert taken == {field.name for field in fields(Options)} - {"booking"}  # of no option
    assert taken <= {one.name for one in main.commands["export"].params}


# FOCUS of what was corrected


def focus(job: Job, folder, cycle: str) -> list[list[dict[str, str]]]:
    done(export(job, "--output", folder, "--focus-version", "1.4", kind="focus", cycle=cycle))
    names = ("CostAndUsage", "InvoiceDetail", "BillingPeriod")
    return [rows_of((folder / f"focus-{name}.csv").read_bytes()) for name in names]


@pytest.mark.quick(1)
@pytest.mark.parametrize("name", [f"{NOVEMBER}.c1", f"{DECEMBER}.c1", f"{DECEMBER}.c2"])
def test_a_corrected_line_is_a_reversal_and_a_re_entry(corrected_once, tmp_path, name):
    charges, details, (period,) = focus(corrected_once, tmp_path / "out", name)
    assert list(broken_in_charges(charges, "1.4")) == []
    assert list(broken_in_details(details)) == []
    correction = json.loads((corrected_once.archive / name / "correction.json").read_text())
    notes = {note["number"]: note for note in correction["notes"]}
    assert {row["InvoiceId"] for row in charges} == notes.keys()
    for number, note in notes.items():
        mine = [row for row in charges if row["InvoiceId"] == number]
        assert len(mine) == 2 * len(note["lines"])
        assert sum(Decimal(row["BilledCost"]) for row in mine) == Decimal(note["amount"])
        steps = [row["x_CorrectionStep"] for row in mine]
        assert steps == ["Reversal", "Re-entry"] * len(note["lines"])
        for line, reversal, entry in zip(note["lines"], mine[::2], mine[1::2], strict=True):
            assert Decimal(reversal["BilledCost"]) == -Decimal(line["before_amount"])
            assert Decimal(entry["BilledCost"]) == Decimal(line["after_amount"])
        told = [row for row in details if row["InvoiceId"] == number]
        assert sum(Decimal(row["BilledCost"]) for row in told) == Decimal(note["amount"])
    assert {row["ChargeClass"] for row in charges} == {"Correction"}
    start = name[:10]
    assert {row["ChargePeriodStart"] for row in charges} == {f"{start}T08:00:00Z"}
    assert {row["BillingPeriodStart"] for row in charges} == {period["BillingPeriodStart"]}
    assert period["BillingPeriodStart"] > f"{DECEMBER}T08:00:00Z"


def test_a_range_has_the_corrections_that_were_issued_in_it_whatever_they_correct(closed):
    """Of a correction, only the manifest says when it was issued."""
    folder = closed.archive / f"{NOVEMBER}.c1"
    folder.mkdir()
    (folder / "SHA256SUMS").write_bytes(b"")
    december = manifest.read(closed.cycle())
    changed = {
        "folder": folder.name,
        "sequence": december.manifest.sequence + 1,
        "previous": december.seal,
        "sums": hashlib.sha256(b"").hexdigest(),
        "issued": "2025-12-20",
    }
    written = manifest.written(msgspec.structs.replace(december.manifest, **changed))
    (folder / "manifest.json").write_bytes(written)
    context = Context(now=lambda: datetime.now(UTC), environment={}, terminal=Terminal(quiet=True))
    configuration = load(closed.folder / "chargeback.yaml")
    for cycles, names in {
        YEAR: [NOVEMBER, DECEMBER, folder.name],
        f"{NOVEMBER}..{NOVEMBER}": [NOVEMBER],
        f"2025-12..{DECEMBER}": [DECEMBER, folder.name],
    }.items():
        selection = selection_of(configuration, cycles, context)
        assert [one.folder.name for one in selection.selected] == names
        assert selection.closed
        assert selection.faults == ()


def test_what_has_no_price_is_exported_at_nothing_and_told(drafted):
    (drafted.folder / "rates.yaml").write_text("currency: USD\nprices: {devin: 2.00}\n")
    result = export(drafted, "--focus-version", "1.4", kind="focus")
    assert result.returncode == 3
    assert "the draft shows other figures than those to be exported" in result.stderr
    charges = rows_of((drafted.cycle() / "exports" / "focus-CostAndUsage.csv").read_bytes())
    assert list(broken_in_charges(charges, "1.4")) == []
    unpriced = [row for row in charges if row["SkuId"] == "cascade"]
    assert unpriced
    assert {row["BilledCost"] for row in unpriced} == {"0"}


@pytest.mark.heavy
@pytest.mark.parametrize("version", ["1.2", "1.4"])
def test_the_sample_is_charged_to_the_cent(sample, tmp_path, version):
    """Its configuration has everything: an HR export, shares, dated rules and prices, patterns."""
    done(export(sample.job, "--output", tmp_path, "--focus-version", version, kind="focus"))
    charges = rows_of((tmp_path / "focus-CostAndUsage.csv").read_bytes())
    assert list(broken_in_charges(charges, version)) == []
    statement = sample.statement()
    billed: dict[str, Decimal] = {}
    for row in charges:
        before = billed.get(row["InvoiceId"], Decimal(0))
        billed[row["InvoiceId"]] = before + Decimal(row["BilledCost"])
    assert billed == {
        one["invoice"]: Decimal(one["amount"])
        for one in statement["cost_centers"]
        if one["invoice"]
    }
    consumed = sum(Decimal(row["ConsumedQuantity"] or 0) for row in charges)
    assert consumed == Decimal(statement["control"]["acus"])
    ratios = allocated(charges, "x_" if version == "1.2" else "")
    assert len(ratios) > 10
    assert all(sum(some) == 1 for some in ratios.values())
