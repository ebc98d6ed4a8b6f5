"""Whole jobs with an HR export: who is charged, what is said, what the archive keeps."""

import csv
import shutil
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.scenarios.job import INVOICE, Job, plain
from tests.weight import heavy_but

CASES = Path(__file__).parents[1] / "cases"
HEAD = "email,name,cc,valid_from"
ADA, JUERGEN, MIA = (f"{name}@works.example" for name in ("ada", "juergen", "mia"))


def job(folder: Path, *rows: str, head: str = HEAD, options: str = "", case: str = "") -> Job:
    """Copy a case: Ada uses 10 ACUs and Jürgen 20 on December 5, Mia 30 on December 20."""
    shutil.copytree(CASES / (case or "02-hr-blank-rows"), folder)
    made = plain(Job(folder))
    if rows:
        (folder / "hr.csv").write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    if options:
        made.edit("mapping.yaml", "from: valid_from}", f"from: valid_from, {options}}}")
    return made


def amounts(made: Job) -> dict[str, str]:
    return {one["code"]: one["amount"] for one in made.statement()["cost_centers"]}


def warnings(text: str) -> list[str]:
    return [line for line in text.splitlines() if "warning" in line]


@pytest.mark.heavy
def test_who_has_no_cost_center_in_the_file_is_unallocated_and_named(tmp_path):
    made = job(tmp_path / "job", f"{ADA},Ada,CC-1,", f"{JUERGEN},J,,", f"{MIA},M,,2025-12-01")
    done = made.here("run")
    assert done.returncode == 0
    (line,) = warnings(done.stderr)
    assert line.endswith(
        f'hr.csv:3: warning: "{JUERGEN}" has used ACUs, but has no cost center in the user file, '
        'likewise in line 4 ("mia@works.example"); '
        "the next rule decides, or nobody bears it; name one "
        "there, or map the user under `users`"
    )
    assert amounts(made) == {"CC-1": "20.00", "CC-2": "0.00", "CC-9": "100.00"}


def test_an_undeclared_cost_center_is_a_mistake_where_its_person_used_something(tmp_path):
    made = job(tmp_path / "job", f"{ADA},Ada,CC-1,", f"{MIA},M,CC-77,", "bob@works.example,,CC-8,")
    done = made.here("run")
    assert done.returncode == 1
    (line,) = (line for line in done.stderr.splitlines() if "hr.csv" in line)
    assert 'hr.csv:3: cost center "CC-77" is not declared; ' in line
    assert not made.archive.exists()


@pytest.mark.heavy
def test_check_tells_of_it_without_usage_as_a_warning_and_with_usage_as_a_mistake(tmp_path):
    made = job(tmp_path / "job", f"{ADA},Ada,CC-1,")
    assert made.here("run").returncode == 0
    (made.folder / "hr.csv").write_text(f"{HEAD}\n{ADA},Ada,CC-77,\n", encoding="utf-8")
    check = made.here("check")
    assert check.returncode == 1
    assert 'hr.csv:2: cost center "CC-77" is not declared; ' in check.stderr


@pytest.mark.heavy
def test_an_exact_key_of_the_mapping_wins_over_a_row_that_is_wrong(tmp_path):
    made = job(tmp_path / "job", f"{ADA},Ada,CC-77,", f"{JUERGEN},,CC-2,", f"{MIA},,CC-2,")
    made.edit(
        "mapping.yaml", "unallocated:", f'users: {{"\u200b{ADA.upper()} ": CC-1}}\nunallocated:'
    )
    done = made.here("run")
    assert done.returncode == 0
    (line,) = warnings(done.stderr)
    assert "1 person of the user file has no cost center there that can be charged" in line
    assert amounts(made) == {"CC-1": "20.00", "CC-2": "100.00", "CC-9": "0.00"}


@pytest.mark.heavy
def test_a_mail_address_is_the_same_in_every_place_whatever_nobody_sees_in_it(tmp_path):
    made = job(tmp_path / "job", f"{ADA}\u2060,,CC-1,", f"{JUERGEN},,CC-2,")
    made.edit(
        "mapping.yaml", "unallocated:", 'users: {"*\u00ad@works.example": CC-9}\nunallocated:'
    )
    responses = made.folder / "responses.jsonl"
    text = responses.read_text(encoding="utf-8").replace(ADA, "\u202aA\u00adda@works.example\u202c")
    responses.write_text(text, encoding="utf-8")
    done = made.here("run")
    assert (done.returncode, warnings(done.stderr)) == (0, [])
    assert amounts(made) == {"CC-1": "20.00", "CC-2": "40.00", "CC-9": "60.00"}


def test_shares_and_last_days_are_charged_as_the_rows_say(tmp_path):
    made = job(
        tmp_path / "job",
        f"{ADA},,CC-1,01.07.2025,31.12.2025,60",
        f"{ADA},,CC-2,01.07.2025,31.12.2025,40",
        f"{JUERGEN},,CC-2,01.07.2025,05.12.2025,",
        f"{MIA},,CC-2,01.07.2025,19.12.2025,",
        head=f"{HEAD},valid_to,part",
        options="until: valid_to, share: part",
    )
    done = made.here("run")
    (ended,) = warnings(done.stderr)
    assert done.returncode == 0
    assert "1 person used ACUs when no row of theirs in the user file held any more" in ended
    assert "hr.csv: dates as DD.MM.YYYY\n" in done.stderr
    assert amounts(made) == {"CC-1": "12.00", "CC-2": "48.00", "CC-9": "60.00"}


@pytest.mark.heavy
def test_a_column_of_names_names_who_has_none_in_documents(tmp_path):
    made = plain_but_invoices(tmp_path / "job", "name: name")
    responses = made.folder / "responses.jsonl"
    text = responses.read_text(encoding="utf-8").replace(
        r"\"name\":\"Ada North\"", r"\"name\":null"
    )
    responses.write_text(text, encoding="utf-8")
    assert made.here("run").returncode == 0
    book = load_workbook(made.cycle() / "invoices" / "CB-2025-12-05-CC-1.xlsx")
    texts = {cell.value for sheet in book for row in sheet.iter_rows() for cell in row}
    assert any("Ada North" in str(text) for text in texts)


def plain_but_invoices(folder: Path, options: str) -> Job:
    shutil.copytree(CASES / "02-hr-blank-rows", folder)
    made = plain(Job(folder), *INVOICE)
    made.edit("mapping.yaml", "from: valid_from}", f"from: valid_from, {options}}}")
    return made


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize("name", heavy_but(1, ["01-hr-encoding/xlsx", "01-hr-encoding/utf16-tab"]))
def test_the_archive_keeps_the_file_as_it_was_and_can_be_built_from(name, tmp_path):
    made = job(tmp_path / "job", case=name)
    assert made.here("run").returncode == 0
    kept = made.cycle() / "inputs" / "config"
    (export,) = made.folder.glob("hr.*")
    assert (kept / export.name).read_bytes() == export.read_bytes()
    shutil.copytree(kept, tmp_path / "again")
    shutil.copy(made.folder / "responses.jsonl", tmp_path / "again")
    shutil.copytree(made.folder / "templates", tmp_path / "again" / "templates")
    again = Job(tmp_path / "again")
    assert again.here("run").returncode == 0
    assert again.statement() == made.statement()


@pytest.mark.heavy
def test_a_row_of_a_workbook_can_be_explained(tmp_path):
    made = job(tmp_path / "job", case="01-hr-encoding/xlsx")
    assert made.here("run").returncode == 0
    done = made.here("explain", "CC-1")
    assert "hr.xlsx:2" in done.stdout
    assert f"{ADA},CC-1,2025-07-01" in done.stdout


@pytest.mark.heavy
def test_no_id_is_asked_for_that_only_a_companys_list_holds(tmp_path):
    """A recording refuses what it was never asked."""
    made = job(tmp_path / "job", f"{ADA},,CC-1,", "n/a,,CC-1,", "-,,CC-2,", "4711,,CC-2,")
    assert made.here("run").returncode == 0
    with (made.cycle() / "ledger.csv").open(encoding="utf-8", newline="") as file:
        assert {row["cost_center"] for row in csv.DictReader(file)} == {"CC-1", "CC-9"}
