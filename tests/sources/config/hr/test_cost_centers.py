"""Cost centers from a table: the same as those that are written in the mapping."""

from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from reportgen.core.model import CostCenter
from reportgen.core.problem import Rejected
from reportgen.sources.config.configuration import Configuration, load
from tests.scenarios.job import small
from tests.weight import heavy_but

WRITTEN = """\
cost_centers:
  "0064": {name: Platform, department: Eng, entity: "1000", contacts: [a@x.example, b@x.example],
    gl_account: "0640", cycle_budget: 100.50, year_budget: 1200, locale: ja, closed: 2027-12-31,
    fields: {PO: "4711", Approver: Jane}}
  B-2: {name: Payments}
"""
COLUMNS = (
    *("code", "name", "department", "entity", "contacts", "gl_account"),
    *("cycle_budget", "year_budget", "locale", "closed", "PO", "Approver"),
)
FIRST = (
    *("0064", "Platform", "Eng", "1000", "a@x.example; b@x.example", "0640"),
    *("100.50", "1200", "ja", "2027-12-31", "4711", "Jane"),
)
SECOND = ("B-2", "Payments", *[""] * 10)
CSV = "\n".join(map(",".join, (COLUMNS, FIRST, SECOND))) + "\n"


def loaded(folder: Path, mapping: str, **files: str | bytes) -> Configuration:
    job = small(folder)
    (folder / "mapping.yaml").write_text(mapping, encoding="utf-8")
    for name, content in files.items():
        raw = content.encode() if isinstance(content, str) else content
        (folder / name.replace("_", ".")).write_bytes(raw)
    return load(job.folder)


def centers(configuration: Configuration) -> tuple[CostCenter, ...]:
    """Give the cost centers without the places where they are declared, fields in one order."""
    return tuple(
        replace(one, source="", fields=tuple(sorted(one.fields)))
        for one in configuration.mapping.cost_centers
    )


def workbook(path: Path) -> bytes:
    """Write the table as a person would: numbers as numbers, days as days, codes as texts."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["Our cost centers"])
    sheet.append(COLUMNS)
    sheet.append([*FIRST[:6], 100.5, 1200, "ja", None, 4711, "Jane"])
    sheet.cell(3, 10).value = openpyxl.utils.datetime.from_excel(46752)
    sheet.append(SECOND[:2])
    book.save(path)
    return path.read_bytes()


def test_a_table_says_the_same_as_the_mapping_would(tmp_path):
    written = centers(loaded(tmp_path / "yaml", WRITTEN))
    assert written[0].closed is not None
    one = loaded(tmp_path / "csv", "cost_center_file: {path: c.csv}\n", c_csv=CSV)
    assert centers(one) == written
    assert [center.source for center in one.mapping.cost_centers] == ["c.csv:2", "c.csv:3"]
    assert (one.files["c.csv"], one.keys["cost_center_file"]) == (CSV.encode(), "c.csv")
    book = workbook(tmp_path / "c.xlsx")
    other = loaded(tmp_path / "xlsx", "cost_center_file: {path: c.xlsx}\n", c_xlsx=book)
    assert centers(other) == written


@pytest.mark.parametrize(
    ("head", "options"),
    heavy_but(
        1,
        [
            ("Code;NAME;GL Account;Purchase order", ""),
            ("Number;Title;Konto;PO", ", code: Number, name: Title, gl_account: Konto"),
            ("\ufeffcode ;Name;gl-account;Zeile", ""),
        ],
    ),
)
def test_columns_are_found_by_their_names_or_by_those_that_are_written(tmp_path, head, options):
    mapping = f"cost_center_file: {{path: c.csv{options}}}\n"
    one = loaded(tmp_path / "job", mapping, c_csv=f"{head}\nA-1;Platform;0640;4711\n")
    (center,) = centers(one)
    assert (center.code, center.name, center.gl_account) == ("A-1", "Platform", "0640")
    assert center.fields == ((head.split(";")[3], "4711"),)


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ("", {"PO": "4711", "Approver": "Jane"}),
        (", fields: [PO]", {"PO": "4711"}),
        (", fields: []", {}),
    ],
)
def test_fields_are_all_other_columns_or_those_in_the_list(tmp_path, fields, shown):
    mapping = f"cost_center_file: {{path: c.csv{fields}}}\n"
    assert dict(centers(loaded(tmp_path / "job", mapping, c_csv=CSV))[0].fields) == shown


def test_mapping_and_table_fill_what_the_other_leaves_open(tmp_path):
    mapping = 'cost_centers: {"0064": {name: Platform, fields: {Team: X}}, C-3: {name: Kiosk}}\n'
    text = CSV.replace(",ja,", ",,")
    one = loaded(tmp_path / "job", f"{mapping}cost_center_file: {{path: c.csv}}\n", c_csv=text)
    first, second, third = one.mapping.cost_centers
    assert dict(first.fields) == {"Team": "X", "PO": "4711", "Approver": "Jane"}
    assert (first.gl_account, first.source) == ("0640", "mapping.yaml:1")
    assert (second.code, second.source, third.code) == ("B-2", "c.csv:3", "C-3")


@pytest.mark.parametrize(
    ("cell", "said"),
    heavy_but(
        1,
        [
            (("contacts", "x"), '"contacts" (column E): "x" is not an e-mail address'),
            (("cycle_budget", "-1"), '"cycle_budget" (column G): "-1" is negative'),
            (("closed", "soon"), '"closed" (column J): "soon" is not a date'),
            (("locale", "ar"), '"locale" (column I): "ar" is written from right to left'),
            (("name", ""), '"name" (column B) is empty'),
            (("code", "2026-01-05"), '"code" (column A): "2026-01-05" cannot be the code'),
            (("PO", "x" * 1001), '"PO" (column K) is longer than 1000 characters'),
        ],
    ),
)
def test_a_mistake_is_told_by_file_row_and_column(tmp_path, cell, said):
    column, value = cell
    row = [value if name == column else old for name, old in zip(COLUMNS, FIRST, strict=True)]
    text = "\n".join(map(",".join, (COLUMNS, SECOND, row))) + "\n"
    with pytest.raises(Rejected) as refused:
        loaded(tmp_path / "job", "cost_center_file: {path: c.csv}\n", c_csv=text)
    (problem,) = refused.value.problems
    assert problem.source == f"{tmp_path}/job/c.csv:3"
    assert problem.message.startswith(said)


def test_three_hundred_of_them_cost_nothing_to_speak_of(tmp_path):
    rows = "".join(f"CC-{number},Team {number}\n" for number in range(300))
    one = loaded(tmp_path / "job", "cost_center_file: {path: c.csv}\n", c_csv=f"code,name\n{rows}")
    assert len(one.mapping.cost_centers) == 300
