"""The tables, as Parquet read by DuckDB, which shares no code with who wrote them, and as CSV."""

import csv
import re
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import duckdb
import pytest

from reportgen.core.model import Allocation, Mapping, Price, RateCard, UsageRecord
from reportgen.core.problem import Rejected
from tests.core.test_laws import CENTERS, FIRST, World, charged, control_of
from tests.documents.exports.materials import material_of, of_grove, written

DOCS = Path(__file__).parents[3] / "docs" / "exports.md"
NAMES = ("ledger", "invoice_lines", "tie_out")
LEFT_OUT = re.compile(r"\.?0+$")


def read(folder: Path, name: str) -> tuple[list[str], list[tuple]]:
    """Give types and rows of a table, as DuckDB reads it."""
    relation = duckdb.read_parquet(f"{folder / name}.parquet")
    return [str(kind) for kind in relation.types], relation.fetchall()


def text(value: object) -> str:
    """Write a value as the CSV has it: exact numbers without the zeros behind."""
    if isinstance(value, Decimal) and -value.as_tuple().exponent == 24:
        return LEFT_OUT.sub("", f"{value:f}") if value else "0"
    return "" if value is None else str(value)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Write the enterprise with fees, transfers and a pool as Parquet and as CSV."""
    folder, material = tmp_path_factory.mktemp("tables"), of_grove(closed=True)
    for kind in ("parquet", "csv"):
        for name, content in written(kind, material).items():
            (folder / name).write_bytes(content)
    return folder, material


@pytest.mark.parametrize("name", NAMES)
def test_parquet_says_what_the_csv_says(both, name):
    folder, _ = both
    _, rows = read(folder, name)
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        told = list(csv.reader(file))[1:]
    assert rows
    assert [[text(value) for value in row] for row in rows] == [
        [cell.removeprefix("'") for cell in row] for row in told
    ]


def test_numbers_are_decimals_and_days_are_dates(both):
    types, _ = read(both[0], "invoice_lines")
    assert types.count("DECIMAL(38,24)") == 4
    assert types[-1] == "DECIMAL(38,2)"
    assert types[1] == "DATE"
    assert not any(kind in {"DOUBLE", "FLOAT"} for kind in types)


def test_the_line_of_the_documentation_adds_up_to_the_statement(both, monkeypatch):
    folder, material = both
    (query,) = re.findall(r'duckdb -c "(.*)"', DOCS.read_text(encoding="utf-8"))
    monkeypatch.chdir(folder)
    found = {
        code: amount for _, code, amount in duckdb.sql(query.replace("'year/", "'")).fetchall()
    }
    invoices = material.statement.invoices
    assert found == {one.cost_center.code: one.amount for one in invoices if one.number}


def test_the_same_cycle_gives_the_same_bytes(both):
    again = written("parquet", both[1])
    assert {name: (both[0] / name).read_bytes() for name in again} == again


def of_quantity(acus: str, price: str = "2"):
    """Give a cycle in which one person used so much."""
    record = UsageRecord(FIRST, "devin", "", "user", "=ada", "", Decimal(acus), ("x",))
    one = Allocation(record, "CC-1", "usage", "", "mapping.yaml:1", "1", Decimal(acus))
    prices = {"*": (Price(date.min, Decimal(price), ""),)}
    card = RateCard(currency="USD", decimals=2, prices=prices)
    world = World([], card, Mapping(cost_centers=CENTERS, rules=()))
    usage = replace(control_of([]), control={(FIRST, "devin"): record.quantity})
    found = charged([one], card, world.mapping, usage)
    return material_of(world, found, [one], usage)


def test_what_has_more_decimals_is_wider_and_not_rounded(tmp_path):
    acus = "0.1234567890123456789012345678901234567891"
    content = written("parquet", of_quantity(acus))["ledger.parquet"]
    (tmp_path / "ledger.parquet").write_bytes(content)
    query = "SELECT type, precision, scale FROM parquet_schema($path)"
    schema = duckdb.execute(query, {"path": str(tmp_path / "ledger.parquet")}).fetchall()
    assert ("FIXED_LEN_BYTE_ARRAY", 76, 50) in schema
    steps = int(acus.removeprefix("0.") + "0" * 10)
    assert steps.to_bytes(32, "big").lstrip(b"\0") in content


def test_what_is_too_large_for_a_decimal_is_told():
    with pytest.raises(Rejected) as rejected:
        written("parquet", of_quantity("999999999999", "1000000"))
    (problem,) = rejected.value.problems
    assert "does not fit" in problem.message


def test_csv_has_every_decimal_and_no_formula():
    acus = "0.1234567890123456789012345678901234567891"
    ledger = written("csv", of_quantity(acus))["ledger.csv"].decode()
    (row,) = csv.DictReader(StringIO(ledger, newline=""))
    assert (row["acus"], row["principal_id"]) == (acus, "'=ada")


def test_without_pyarrow_the_remedy_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Rejected) as rejected:
        written("parquet", of_grove())
    (problem,) = rejected.value.problems
    assert "pip install 'reportgen[tables]'" in problem.hint
