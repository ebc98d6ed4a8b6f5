"""Workbooks as five programs read them: every cell alike, and the figures of `statement.json`.

A month is closed and corrected with all that is hard to read: codes of digits, names that look like
formulas, markup or escapes, a logo, a chart, native tables, links and spans.
"""

import csv
import json
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

import pytest

from tests.readers import READERS, Sheets, Value
from tests.scenarios.closed import LOGO
from tests.scenarios.corrected import FEE, closed, correct, replay, restated
from tests.scenarios.job import DECEMBER, Job, Json, small

pytestmark = pytest.mark.heavy

CODES = {"A-1": "1001", "B-2": "0042", "C-3": "7000000000000001", "Z-9": "=1+1"}
PEOPLE = {
    "Ada Brennan": "=cmd|' /C calc'!A0",
    "Grace Oyelaran": "<b>R&D</b> ]]> _x0041_ &amp;",
    "Alan Whitaker": "1e5",
    "Hannah Goldberg": "'0042",
    "Marco Bianchi": "🚀 \u202eab e\u0301 ‰",
}
CENTERS = """\
cost_centers:
  "1001": {name: "=SUM(A1)", department: "-", entity: "1000", gl_account: "006420"}
  "0042": {name: "<i>&lt;</i> {{ 7 * 7 }} 上海", department: "2025-12-05", entity: "0020"}
  "7000000000000001": {name: '"quoted" & ''single''', entity: "1000"}
  "=1+1": {name: "@x _x000D_", entity: "1000"}
"""
REASON = "=1+1 \"restated\" <b> & 'so' _x0041_"
PLACES = {"libreoffice": 8}
"""LibreOffice adds up what stands in the cells, of which a statement prints ten decimals."""
WORKBOOKS = [
    *(f"{DECEMBER}.c1/notes/CB-2025-12-05-1001-D1.xlsx", f"{DECEMBER}.c1/statement.xlsx"),
    *(f"{DECEMBER}/invoices/CB-2025-12-05-{code}.xlsx" for code in ("0042", "1-1", "1001")),
    f"{DECEMBER}/statement.xlsx",
]
KINDS = {"usage": "Usage", "unallocated": "Unallocated"}
LINE = "acus", "exact_amount", "rounding", "amount"
HEADS = "ACUs", "Exact amount", "Rounding", "Amount (USD)"
NOTE = "unit_price", "before_acus", "after_acus", "before_amount", "after_amount", "amount"
NOTE_HEADS = (
    *("Unit price (USD)", "Old ACUs", "New ACUs", "Old amount", "New amount", "Change (USD)"),
)


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> Job:
    job = small(tmp_path_factory.mktemp("readers") / "job")
    mapping = (job.folder / "mapping.yaml").read_text(encoding="utf-8")
    for old, new in CODES.items():
        mapping = mapping.replace(old, f'"{new}"')
    rules = mapping[mapping.index("users:") :]
    (job.folder / "mapping.yaml").write_text(CENTERS + rules, encoding="utf-8")
    (job.folder / "logo.svg").write_text(LOGO, encoding="utf-8")
    for name, more in {
        "chargeback.yaml": "invoice: {logo: logo.svg, summaries: [department, entity]}\n",
        "rates.yaml": FEE.replace("A-1", '"1001"'),
    }.items():
        with (job.folder / name).open("a", encoding="utf-8") as file:
            file.write(more)
    job.record(lambda lines: renamed(restated()(lines)))
    closed(job)
    replay(job, DECEMBER)
    recording = job.folder / "responses.jsonl"
    lines = [json.loads(line) for line in recording.read_text(encoding="utf-8").splitlines()]
    recording.write_text("".join(json.dumps(line) + "\n" for line in renamed(lines)))
    correct(job, reason=REASON)
    return job


def renamed(lines: Iterable[Json]) -> Iterable[Json]:
    for line in lines:
        body = line["body"]
        for old, new in PEOPLE.items():
            body = body.replace(f'"{old}"', json.dumps(new))
        yield line | {"body": body}


@pytest.fixture(scope="module")
def read(corrected: Job, tmp_path_factory) -> dict[str, dict[str, Sheets]]:
    """Read every workbook with every program: by program, then by path."""
    paths = sorted(corrected.archive.rglob("*.xlsx"))
    names = [path.relative_to(corrected.archive).as_posix() for path in paths]
    return {
        name: dict(zip(names, reader(paths, tmp_path_factory.mktemp(name)), strict=True))
        for name, reader in READERS.items()
    }


def statement_of(job: Job, folder: str = DECEMBER) -> Json:
    values: Json = json.loads((job.archive / folder / "statement.json").read_text("utf-8"))
    return values


def table(sheets: Sheets, name: str, *, below: str = "") -> list[dict[str, Value]]:
    """Give the rows below the header of a sheet, or below the first that begins with a word."""
    rows: dict[int, dict[str, Value]] = {}
    for address, value in sheets[name].items():
        letters = address.rstrip("0123456789")
        rows.setdefault(int(address[len(letters) :]), {})[letters] = value
    listed = [row for _, row in sorted(rows.items())]
    start = next(at for at, row in enumerate(listed) if row.get("A") == below or not below)
    heads = listed[start]
    return [
        {str(heads[letters]): value for letters, value in row.items() if letters in heads}
        for row in listed[start + 1 :]
    ]


def columns(rows: Iterable[Mapping[str, Value]], *names: str) -> list[tuple[Value | None, ...]]:
    return [tuple(row.get(name) for name in names) for row in rows]


def figures(values: Mapping[str, str | None], *names: str) -> tuple[float | None, ...]:
    found = (values.get(name) for name in names)
    return tuple(None if value is None else float(value) for value in found)


def kept(rows: Iterable[Iterable[Value | None]], program: str) -> list[tuple[Value | None, ...]]:
    """Round numbers to what a program keeps of them."""
    places = PLACES.get(program, 12)
    return [
        tuple(round(value, places) if isinstance(value, float) else value for value in row)
        for row in rows
    ]


def cells_of(sheets: Sheets) -> list[tuple[Value | None, ...]]:
    return sorted(
        (sheet, address, value)
        for sheet, cells in sheets.items()
        for address, value in cells.items()
    )


@pytest.mark.parametrize("program", READERS)
def test_every_cell_of_every_workbook_is_the_same_to_all(read, program) -> None:
    another = "calamine" if program == "sheetjs" else "sheetjs"
    assert sorted(read[program]) == WORKBOOKS
    for path in WORKBOOKS:
        found, expected = (kept(cells_of(read[one][path]), program) for one in (program, another))
        assert len(found) > 40
        assert found == expected, path


@pytest.mark.parametrize("program", READERS)
@pytest.mark.parametrize("code", ["0042", "1001", "=1+1"])
def test_an_invoice_says_what_the_statement_says(corrected, read, program, code) -> None:
    (center,) = (one for one in statement_of(corrected)["cost_centers"] if one["code"] == code)
    sheets = read[program][f"{DECEMBER}/invoices/{center['invoice']}.xlsx"]
    usage = [line for line in center["lines"] if line["kind"] in KINDS]
    expected = [
        (line["product"], KINDS[line["kind"]], *figures(line, *LINE), line["unit_price"])
        for line in usage
    ]
    *lines, total = table(sheets, "By product")
    found = columns(lines, "Product", "Kind", *HEADS, "Unit price (USD)")
    assert kept(found, program) == kept(((*row[:-1], float(row[-1])) for row in expected), program)
    sums = [sum(Decimal(line[name]) for line in usage) for name in ("acus", "amount")]
    assert kept(columns([total], "ACUs", "Amount (USD)"), program) == kept(
        [map(float, sums)], program
    )
    said = {row.get("Product"): row for row in table(sheets, "Invoice", below="Product")}
    assert said["Total"]["Amount (USD)"] == float(center["amount"])


@pytest.mark.parametrize("program", READERS)
def test_the_detail_of_an_invoice_is_the_ledger(corrected, read, program) -> None:
    sheets = read[program][f"{DECEMBER}/invoices/CB-2025-12-05-1001.xlsx"]
    with (corrected.cycle() / "ledger.csv").open(encoding="utf-8", newline="") as file:
        ledger = [row for row in csv.DictReader(file) if row["cost_center"] == "1001"]
    expected = sorted(
        (date.fromisoformat(row["day"]), row["product"], *figures(row, "quantity", "exact_amount"))
        for row in ledger
    )
    found = columns(table(sheets, "Detail"), "Billing day", "Product", "ACUs", "Exact amount")
    assert kept(sorted(found), program) == kept(expected, program)
    assert {row["User"] for row in table(sheets, "Detail")} == {
        PEOPLE["Ada Brennan"],
        PEOPLE["Grace Oyelaran"],
    }


@pytest.mark.parametrize("program", READERS)
def test_the_statement_says_what_statement_json_says(corrected, read, program) -> None:
    sheets = read[program][f"{DECEMBER}/statement.xlsx"]
    statement = statement_of(corrected)
    centers = [
        (one["code"], one["name"], one["invoice"], float(one["amount"]))
        for one in statement["cost_centers"]
    ]
    *listed, total = table(sheets, "Cost centers")
    assert columns(listed, "Cost center", "Name", "Invoice number", "Amount (USD)") == centers
    assert total["Amount (USD)"] == float(statement["tie_out"]["invoiced_amount"])
    expected = [
        (one["code"], line.get("product"), line.get("name"), *figures(line, *LINE))
        for one in statement["cost_centers"]
        for line in one["lines"]
    ]
    names = ("Cost center", "Product", "Fee, transfer or pool", *HEADS[:-1], "Amount")
    assert kept(columns(table(sheets, "Lines"), *names), program) == kept(expected, program)
    tie = {row.get("Check"): row for row in table(sheets, "Tie-out")}
    terms = [tie["Control total (ACUs)"], tie["Allocated by rules (ACUs)"]]
    assert kept(columns(terms, "Recomputed"), program) == kept(
        [figures(statement["tie_out"], name) for name in ("control_acus", "allocated_acus")],
        program,
    )


@pytest.mark.parametrize("program", READERS)
def test_a_note_says_what_the_correction_says(corrected, read, program) -> None:
    folder = f"{DECEMBER}.c1"
    correction = json.loads((corrected.archive / folder / "correction.json").read_text("utf-8"))
    (note,) = correction["notes"]
    sheets = read[program][f"{folder}/notes/{note['number']}.xlsx"]
    rows = table(sheets, "Note", below="Product")
    expected = [
        (line.get("product") or line["name"], *figures(line, *NOTE)) for line in note["lines"]
    ]
    found = columns(rows[: len(expected)], "Product", *NOTE_HEADS)
    assert kept(found, program) == kept(expected, program)
    assert rows[len(expected)]["Change (USD)"] == float(note["amount"])
    assert REASON in sheets["Note"].values()
    assert {date(2025, 12, 5), date(2026, 1, 4)} <= set(sheets["Note"].values())
