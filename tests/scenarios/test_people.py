"""`people`: who used ACUs, as a file that is filled in and read again."""

import csv
import json
import shutil
from collections import defaultdict
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.office import convert
from tests.scenarios.job import Job, Json, plain
from tests.scenarios.test_hr_export import job as with_hr_export

USER_FILE = (
    "user_file: {path: %s, user: user_id, cost_center: cost_center, share: share, from: from, "
    "until: until, name: name}\n"
)
HANNAH, MARCO = "email|64f00bbe1e08230bbe15", "okta|acme|0051"
ADA, GRACE = "email|64f0009e3779b1009e37", "okta|acme|0003"


def listed(job: Job) -> list[dict[str, str]]:
    """Read what the command writes to stdout, by another reader than ours."""
    done = job.here("people", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    return list(csv.DictReader(StringIO(done.stdout, newline="")))


def people(job: Job) -> dict[str, Json]:
    """Give what machines are told of everybody, by id."""
    done = job.here("people", "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    return {person["user_id"]: person for person in json.loads(done.stdout)["people"]}


def written(job: Job, name: str) -> Path:
    path = job.folder / name
    done = job.here("people", "-o", str(path))
    assert done.returncode == 0, done.stderr
    return path


def named(job: Job, name: str) -> None:
    """Make the file the user file of the mapping, as the command says it."""
    mapping = job.folder / "mapping.yaml"
    mapping.write_text(mapping.read_text() + USER_FILE % name, encoding="utf-8")


def filled(path: Path, codes: dict[str, str]) -> None:
    """Fill the column of a CSV file as a person would, and leave the rest."""
    rows = list(csv.reader(path.open(encoding="utf-8", newline="")))
    column = rows[0].index("cost_center")
    for row in rows[1:]:
        row[column] = codes.get(row[0], row[column])
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def without_rules(job: Job) -> Job:
    """Take every rule out of the mapping: cost centers alone are left."""
    text = (job.folder / "mapping.yaml").read_text()
    (job.folder / "mapping.yaml").write_text(text[: text.index("users:")] + "unallocated: Z-9\n")
    return job


# What it shows


def test_who_has_no_rule_comes_first_and_figures_are_those_of_the_ledger(drafted):
    rows = listed(drafted)
    assert [row["user_id"] for row in rows[-2:]] == [ADA, GRACE]
    first = [Decimal(row["amount"]) for row in rows[:-2]]
    assert len(first) == 11
    assert first == sorted(first, reverse=True)
    acus: dict[str, Decimal] = defaultdict(Decimal)
    for row in csv.DictReader((drafted.cycle() / "ledger.csv").open(encoding="utf-8")):
        if row["principal_kind"] == "user":
            acus[row["principal_id"]] += Decimal(row["quantity"])
    assert acus.keys() == {row["user_id"] for row in rows}
    for row in rows:
        assert abs(Decimal(row["acus"]) - acus[row["user_id"]]) <= Decimal("1e-10")


def test_somebody_is_shown_with_organizations_cost_centers_and_the_rules_that_charge(drafted):
    rows = {row["user_id"]: row for row in listed(drafted)}
    assert rows[HANNAH] == {
        "user_id": HANNAH,
        "name": "Hannah Goldberg",
        "email": "hannah.goldberg@acme.example",
        "organizations": "Payments; Platform",
        "acus": "32.26",
        "amount": "60.27",
        "charged_to": "Z-9; B-2",
        "rule": "mapping.yaml:10",
        "suggestion": "",
        "cost_center": "",
        "share": "",
        "from": "",
        "until": "",
    }
    assert (rows[ADA]["rule"], rows[ADA]["cost_center"]) == ("mapping.yaml:7", "A-1")
    # Thirds are no percentages: what the mapping says of her stays there.
    assert (rows[GRACE]["rule"], rows[GRACE]["cost_center"]) == ("mapping.yaml:8", "")


def test_amounts_add_up_to_the_lines_of_usage(drafted):
    """Where all usage is somebody's, the list comes to what is charged."""
    statement = drafted.statement()
    others = sum(
        Decimal(row["amount"])
        for row in csv.DictReader((drafted.cycle() / "unallocated.csv").open(encoding="utf-8"))
        if row["cause"] != "unmapped user"
    )
    by_rule = sum(
        Decimal(row["exact_amount"])
        for row in csv.DictReader((drafted.cycle() / "ledger.csv").open(encoding="utf-8"))
        if row["principal_kind"] != "user" and row["kind"] == "usage"
    )
    whole = sum(Decimal(row["amount"]) for row in listed(drafted))
    charged = Decimal(statement["tie_out"]["chargeable_amount"])
    assert abs(whole + others + by_rule - charged) < Decimal("0.02")


def test_the_cost_center_of_the_name_of_the_only_organization_is_suggested(drafted):
    rows = {row["name"]: row for row in listed(drafted)}
    assert rows["Patrick O'Neill"]["organizations"] == "Platform"
    assert rows["Patrick O'Neill"]["suggestion"] == "A-1"
    assert rows["Marco Bianchi"]["suggestion"] == ""


def test_it_works_before_there_is_any_rule(drafted):
    rows = listed(without_rules(drafted))
    assert {row["charged_to"] for row in rows} == {"Z-9"}
    assert {row["rule"] + row["cost_center"] for row in rows} == {""}


def test_machines_are_told_the_same(drafted):
    ada = people(drafted)[ADA]
    assert (ada["charged_to"], ada["rules"], ada["own_rule"]) == (["A-1"], ["mapping.yaml:7"], True)
    assert ada["placements"] == [{"cost_center": "A-1", "share": None, "from": None, "until": None}]


# Filled in and read again


def test_a_csv_file_that_is_filled_in_decides_the_next_time(drafted):
    path = written(drafted, "people.csv")
    assert path.stat().st_mode & 0o777 == 0o600
    codes = {
        row["user_id"]: "ABC"[n % 3] + f"-{n % 3 + 1}" for n, row in enumerate(listed(drafted))
    }
    filled(path, codes)
    named(without_rules(drafted), "people.csv")
    assert {key: one["charged_to"] for key, one in people(drafted).items()} == {
        key: [code] for key, code in codes.items()
    }
    assert all(one["own_rule"] for one in people(drafted).values())


def test_a_workbook_is_typed_filtered_and_offers_the_cost_centers(drafted):
    path = written(drafted, "people.xlsx")
    book = load_workbook(path)
    sheet, declared = book.worksheets
    head = [cell.value for cell in sheet[1]]
    assert sheet.auto_filter.ref == f"A1:M{sheet.max_row}"
    assert (sheet["E2"].data_type, sheet["F2"].data_type) == ("n", "n")
    assert sheet["J2"].number_format == "@"
    (choice,) = sheet.data_validations.dataValidation
    assert (choice.type, head[9]) == ("list", "cost_center")
    assert "J2:J" in str(choice.sqref)
    assert choice.formula1 == "'Cost centers'!$A$2:$A$5"
    assert [cell.value for cell in declared["A"]] == ["code", "A-1", "B-2", "C-3", "Z-9"]


@pytest.mark.parametrize("office", [False, pytest.param(True, marks=pytest.mark.heavy)])
def test_a_workbook_that_is_filled_in_decides_the_next_time(drafted, office, tmp_path):
    path = written(without_rules(drafted), "people.xlsx")
    book = load_workbook(path)
    sheet = book.worksheets[0]
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, 10).value = "C-3"
    sheet.append([ADA, "Ada", None, *[None] * 6, "A-1", "40%"])  # a second row, a part of the whole
    ada = next(row for row in range(2, sheet.max_row) if sheet.cell(row, 1).value == ADA)
    sheet.cell(ada, 11).value = 0.6
    sheet.cell(ada, 11).number_format = "0%"
    book.save(path)
    if office:
        path.write_bytes(convert(path, "xlsx", tmp_path).read_bytes())
    named(drafted, "people.xlsx")
    found = people(drafted)
    assert sorted(found.pop(ADA)["charged_to"]) == ["A-1", "C-3"]
    assert {code for one in found.values() for code in one["charged_to"]} == {"C-3"}


def test_whoever_is_left_out_is_told_of_and_charged_as_before(drafted):
    path = written(without_rules(drafted), "people.csv")
    filled(path, {ADA: "A-1"})
    named(drafted, "people.csv")
    assert people(drafted)[ADA]["charged_to"] == ["A-1"]
    assert people(drafted)[MARCO]["charged_to"] == ["Z-9"]
    done = drafted.here("check", "--quiet")
    assert f'"{MARCO}" has used ACUs, but has no cost center in the user file' in done.stderr


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_looks_like_a_formula_stays_a_text(drafted, kind):
    evil = '=HYPERLINK("http://x.example")'
    path = drafted.cycle() / "inputs" / "responses.jsonl"
    text = path.read_text(encoding="utf-8")
    assert "Marco Bianchi" in text
    path.write_text(text.replace("Marco Bianchi", json.dumps(evil)[1:-1].replace("\\", "\\\\\\")))
    out = written(drafted, f"people.{kind}")
    if kind == "csv":
        assert f"'{evil}" in {row["name"] for row in listed(drafted)}
    else:
        cells = {cell.value: cell.data_type for cell in load_workbook(out).worksheets[0]["B"]}
        assert cells[evil] == "s"


def test_rows_of_another_export_are_written_as_they_decide(tmp_path):
    """Shares, first and last days: the list says the same as the export it was made by."""
    job = with_hr_export(
        tmp_path / "job",
        "ada@works.example,,CC-1,01.07.2025,31.12.2025,60",
        "ada@works.example,,CC-2,01.07.2025,31.12.2025,40",
        "juergen@works.example,,CC-2,01.07.2025,05.12.2025,",
        "mia@works.example,,CC-2,01.07.2025,19.12.2025,",
        head="email,name,cc,valid_from,valid_to,part",
        options="until: valid_to, share: part",
    )
    assert job.here("collect").returncode == 0
    before = people(job)
    path = written(job, "people.csv")
    text = (job.folder / "mapping.yaml").read_text()
    kept = [line for line in text.splitlines() if not line.startswith("user_file:")]
    (job.folder / "mapping.yaml").write_text("\n".join(kept) + "\n" + USER_FILE % path.name)
    after = people(job)
    assert {key: one["charged_to"] for key, one in after.items()} == {
        key: one["charged_to"] for key, one in before.items()
    }
    assert {key: one["placements"] for key, one in after.items()} == {
        key: one["placements"] for key, one in before.items()
    }


# Where it is written


def test_the_list_that_is_in_force_is_brought_up_to_date(drafted):
    path = written(without_rules(drafted), "people.csv")
    filled(path, {ADA: "A-1", GRACE: "B-2"})
    rows = path.read_text(encoding="utf-8").splitlines()
    left = [row for row in rows if not row.startswith((MARCO, HANNAH))]
    gone = "long-gone@acme.example,Gone,long-gone@acme.example,,,,,,,C-3,,2025-01-01,"
    path.write_text("\n".join([*left, gone]) + "\n", encoding="utf-8")
    named(drafted, "people.csv")
    done = drafted.here("people", "-o", str(path), "--quiet")
    assert (done.returncode, done.stdout[: len("Updated")]) == (0, "Updated")
    found = {row["user_id"]: row for row in csv.DictReader(path.open(encoding="utf-8"))}
    assert found[MARCO]["cost_center"] == found[HANNAH]["cost_center"] == ""
    assert (found[ADA]["cost_center"], found[GRACE]["cost_center"]) == ("A-1", "B-2")
    long_gone = found["long-gone@acme.example"]
    assert (long_gone["cost_center"], long_gone["from"]) == ("C-3", "2025-01-01")
    assert long_gone["name"] == "Gone"


def test_no_other_file_is_overwritten(drafted):
    path = drafted.folder / "people.csv"
    path.write_text("ours")
    done = drafted.here("people", "-o", str(path), "--quiet")
    assert (done.returncode, done.stdout, path.read_text()) == (1, "", "ours")
    assert done.stderr.startswith(f"{path}: this is there already; ")


def test_an_export_with_columns_of_its_own_is_never_rewritten(tmp_path):
    job = with_hr_export(tmp_path / "job", "ada@works.example,Ada,CC-1,")
    assert job.here("collect").returncode == 0
    before = (job.folder / "hr.csv").read_bytes()
    assert job.here("people", "-o", str(job.folder / "hr.csv")).returncode == 1
    assert (job.folder / "hr.csv").read_bytes() == before


def test_the_name_of_the_file_says_what_it_is(drafted):
    done = drafted.here("people", "-o", str(drafted.folder / "people.ods"))
    assert done.returncode == 2
    assert ".csv or .xlsx" in done.stderr


@pytest.mark.heavy
def test_documents_follow_the_list(drafted, tmp_path):
    job = Job(tmp_path / "plain")
    shutil.copytree(drafted.folder, job.folder)
    plain(job)
    path = written(without_rules(job), "people.csv")
    filled(path, {row["user_id"]: "B-2" for row in listed(job)})
    named(job, "people.csv")
    assert job.here("build").returncode == 0
    centers = {one["code"]: one for one in job.statement()["cost_centers"]}
    listed_amount = sum(Decimal(one["amount"]) for one in people(job).values())
    assert Decimal(centers["B-2"]["amount"]) == listed_amount
    assert centers["A-1"]["amount"] == centers["C-3"]["amount"] == "0.00"
    assert (job.cycle() / "inputs/config/people.csv").read_bytes() == path.read_bytes()
