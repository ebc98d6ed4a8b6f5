"""statement.json, ledger.csv and tie_out.csv as the contract has them, made by the program."""

import csv
import json
import re
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reportgen.core.model import Allocation, TieOutRow, UsageRecord
from reportgen.core.written.tables import ledger_csv, read_rows, tie_out_csv
from tests.scenarios.job import example as example_job
from tests.scenarios.job import plain

ROOT = Path(__file__).parents[3]

TOP = [
    "schema",
    "enterprise",
    "status",
    "cycle",
    "currency",
    "control",
    "cost_centers",
    "unallocated",
]
TOP += ["discrepancies", "tie_out"]
COST_CENTER = ["code", "name", "invoice", "acus", "by_product", "amount", "lines"]
LINE = ["kind", "product", "acus", "unit_price", "exact_amount", "rounding", "amount"]
UNALLOCATED = ["cost_center", "acus", "amount", "by_product", "by_cause", "parts"]
TIE_OUT = [
    "control_acus",
    "allocated_acus",
    "unallocated_acus",
    "difference_acus",
    "within_tolerance_acus",
]
TIE_OUT += [
    "balancing_acus",
    "balancing_by_product",
    "chargeable_amount",
    "fees_amount",
    "invoiced_amount",
]
TIE_OUT += ["unborne_amount", "difference_amount", "vendor_invoice_acus", "vendor_invoice_amount"]
TIE_OUT += ["over_recovery_amount", "unpriced_acus"]
LEDGER = [
    "day",
    "product",
    "org_id",
    "principal_kind",
    "principal_id",
    "session_id",
    "cost_center",
    "kind",
    "cause",
]
LEDGER += ["rule", "share", "quantity", "unit_price", "rate", "exact_amount", "requests"]
TIE_OUT_CSV = [
    "day",
    "product",
    "control_acus",
    "allocated_acus",
    "unallocated_acus",
    "difference_acus",
]

QUANTITY = r"-?(0|[1-9]\d*)(\.\d*[1-9])?"
AMOUNT = r"-?(0|[1-9]\d*)\.\d\d"
FINE = r"-?(0|[1-9]\d*)\.\d\d(\d{0,7}[1-9])?"


@pytest.fixture(scope="module")
def cycle(tmp_path_factory):
    """Run the sample, without its documents, and give the folder of the cycle."""
    job = plain(example_job(tmp_path_factory.mktemp("codec") / "sample"))
    result = job.here("run", "--quiet")
    assert result.returncode == 0, result.stderr
    return job.cycle()


@pytest.fixture(scope="module")
def statement(cycle):
    return json.loads((cycle / "statement.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def ledger(cycle):
    return list(read_rows((cycle / "ledger.csv").read_text(encoding="utf-8")))


def test_the_statement_has_the_keys_of_the_contract_in_their_order(statement):
    assert list(statement)[: len(TOP)] == TOP
    assert list(statement)[len(TOP) :] == [
        *("by_department", "by_entity", "by_month", "variance", "run_rate", "missing_views"),
        "by_organization",
        "corrections",
        "year_to_date",
        "unit_costs",
    ]
    assert list(statement["cycle"]) == ["start", "end", "boundary"]
    assert list(statement["control"]) == ["acus", "by_product"]
    assert list(statement["unallocated"]) == UNALLOCATED
    assert list(statement["tie_out"]) == TIE_OUT
    for center in statement["cost_centers"]:
        assert list(center)[: len(COST_CENTER)] == COST_CENTER
        assert list(center)[len(COST_CENTER) :] == [
            *("budget", "memo", "variance", "run_rate", "fields", "year_to_date"),
            *("sessions", "other_sessions", "sessions_unknown", "by_tag"),
        ]
        for line in center["lines"]:
            assert list(line) == LINE


def test_the_statement_says_which_cycle_it_is(statement):
    assert (statement["schema"], statement["status"]) == ("reportgen.statement/1", "draft")
    assert statement["cycle"] == {"start": "2025-12-05", "end": "2026-01-05", "boundary": "08:00Z"}


def test_numbers_are_texts_without_exponent_and_as_long_as_they_must_be(statement):
    tie = statement["tie_out"]
    quantities = [value for key, value in tie.items() if key.endswith("_acus")] + [
        statement["control"]["acus"]
    ]
    amounts = [value for key, value in tie.items() if key.endswith("_amount")] + [
        statement["unallocated"]["amount"]
    ]
    fine = []
    maps = [
        statement["control"]["by_product"],
        statement["unallocated"]["by_cause"],
        tie["balancing_by_product"],
    ]
    for center in statement["cost_centers"]:
        quantities.append(center["acus"])
        amounts.append(center["amount"])
        maps.append(center["by_product"])
        for line in center["lines"]:
            quantities.append(line["acus"])
            amounts.append(line["amount"])
            fine += [line["unit_price"], line["exact_amount"], line["rounding"]]
    quantities += [value for found in maps for value in found.values()]
    for shape, values in ((QUANTITY, quantities), (AMOUNT, amounts), (FINE, fine)):
        assert values
        assert [
            value for value in values if not re.fullmatch(shape, value) or value in {"-0", "-0.00"}
        ] == []


def test_everything_stands_in_order(statement):
    codes = [center["code"] for center in statement["cost_centers"]]
    assert codes == sorted(codes)
    maps = [statement["control"]["by_product"], statement["unallocated"]["by_cause"]]
    for found in [*maps, *(center["by_product"] for center in statement["cost_centers"])]:
        assert list(found) == sorted(found)
    kinds = ["usage", "unallocated", "fee", "transfer", "pool"]
    for center in statement["cost_centers"]:
        keys = [
            (kinds.index(line["kind"]), line["product"], Decimal(line["unit_price"]))
            for line in center["lines"]
        ]
        assert keys == sorted(keys)


def test_every_declared_cost_center_is_there_and_the_idle_one_has_no_invoice(statement):
    idle = {center["code"]: center for center in statement["cost_centers"]}["CC-6001"]
    assert idle == {
        "code": "CC-6001",
        "name": "Legal Operations",
        "invoice": None,
        "acus": "0",
        "by_product": {},
        "amount": "0.00",
        "lines": [],
        "budget": None,
        "memo": None,
        "variance": None,
        "run_rate": None,
        "fields": {},
        "year_to_date": {"acus": "0", "amount": "0.00", "budget": None},
        "sessions": [],
        "other_sessions": None,
        "sessions_unknown": None,
        "by_tag": None,
    }


def test_the_laws_of_the_statement_hold(statement):
    tie = {
        key: Decimal(value) for key, value in statement["tie_out"].items() if isinstance(value, str)
    }
    centers = statement["cost_centers"]
    assert sum(Decimal(center["acus"]) for center in centers) == tie["allocated_acus"]
    assert sum(Decimal(center["amount"]) for center in centers) == tie["invoiced_amount"]
    for center in centers:
        assert sum(Decimal(line["amount"]) for line in center["lines"]) == Decimal(center["amount"])
        for line in center["lines"]:
            assert Decimal(line["rounding"]) == Decimal(line["amount"]) - Decimal(
                line["exact_amount"]
            )
    assert (
        tie["control_acus"] - tie["allocated_acus"] - tie["unallocated_acus"]
        == tie["difference_acus"]
        == 0
    )
    assert (
        tie["chargeable_amount"] + tie["fees_amount"]
        == tie["invoiced_amount"] + tie["unborne_amount"]
    )


def test_the_tables_have_the_columns_of_the_contract(cycle):
    for name, columns in (("ledger.csv", LEDGER), ("tie_out.csv", TIE_OUT_CSV)):
        with (cycle / name).open(encoding="utf-8", newline="") as file:
            assert next(csv.reader(file)) == columns


def test_the_ledger_adds_up_to_the_control_total_cell_by_cell(cycle, ledger):
    sums = defaultdict(Decimal)
    for row in ledger:
        sums[row["day"], row["product"]] += Decimal(row["quantity"])
    tie_out = list(read_rows((cycle / "tie_out.csv").read_text(encoding="utf-8")))
    control = {(row["day"], row["product"]): Decimal(row["control_acus"]) for row in tie_out}
    assert {cell: acus for cell, acus in sums.items() if acus} == {
        cell: acus for cell, acus in control.items() if acus
    }
    assert {row["difference_acus"] for row in tie_out} == {"0"}


def test_the_ledger_and_the_statement_are_two_views_of_one_thing(ledger, statement):
    used = defaultdict(Decimal)
    for row in ledger:
        used[row["cost_center"], row["kind"]] += Decimal(row["quantity"])
        assert Decimal(row["exact_amount"]) == Decimal(row["quantity"]) * Decimal(row["unit_price"])
    for center in statement["cost_centers"]:
        assert used[center["code"], "usage"] == Decimal(center["acus"])
    assert sum(acus for (_, kind), acus in used.items() if kind == "unallocated") == Decimal(
        statement["unallocated"]["acus"]
    )


def test_a_row_says_why_it_is_there(ledger):
    requests = {
        line["request"]
        for line in map(json.loads, (ROOT / "samples/acme/responses.jsonl").open("rb"))
    }
    for row in ledger:
        assert (row["rule"] == "") == (row["kind"] == "unallocated")
        assert (row["cause"] == "") == (row["kind"] == "usage")
        assert re.fullmatch(r"(hr\.csv|mapping\.yaml):\d+|", row["rule"])
        assert re.fullmatch(r"rates\.yaml:\d+", row["rate"])
        assert re.fullmatch(r"1|0\.\d+|\d+/\d+", row["share"])
        assert row["requests"]
        assert {f"GET {request}" for request in row["requests"].split()} <= requests


def allocation(text="x", quantity=Decimal(1), **changes):
    record = UsageRecord(
        date(2025, 12, 5), text, text, "user", text, text, quantity, ("/v3/a", "/v3/b")
    )
    found = Allocation(
        record, text, "usage", text, text, text, quantity, Decimal("2.00"), text, Decimal(2)
    )
    return found._replace(**changes)


FORMULAS = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@x",
    "'x",
    "''",
    "\tx",
    "=",
    "a,b",
    'a"b',
    "a\nb",
    "ö",
    "",
]
TEXT_COLUMNS = [
    "product",
    "org_id",
    "principal_id",
    "session_id",
    "cost_center",
    "cause",
    "rule",
    "share",
    "rate",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_stays_a_text_and_comes_back(text):
    written = ledger_csv([allocation(text)])
    (row,) = csv.DictReader(written.splitlines(keepends=True))
    (read,) = read_rows(written)
    for column in TEXT_COLUMNS:
        assert row[column][:1] not in {"=", "+", "-", "@", "\t", "\r"} or row[column] == ""
        assert row[column] == (f"'{text}" if text[:1] in tuple("=+-@\t\r'") and text else text)
        assert read[column] == text


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")))
@example("\0")
def test_any_text_comes_back(text):
    (read,) = read_rows(ledger_csv([allocation(text)]))
    assert [read[column] for column in TEXT_COLUMNS] == [text] * len(TEXT_COLUMNS)


@pytest.mark.parametrize("text", ["a\rb", "\rx"])
def test_a_carriage_return_comes_back(text):
    (read,) = read_rows(ledger_csv([allocation(text)]))
    assert read["cause"] == text


@given(st.decimals(-(10**12), 10**12, allow_nan=False), st.decimals(0, 100, places=5))
def test_any_number_comes_back_exactly(quantity, price):
    found = allocation(quantity=quantity, unit_price=price, exact_amount=quantity)
    (read,) = read_rows(ledger_csv([found]))
    for column, value in (
        ("quantity", quantity),
        ("unit_price", price),
        ("exact_amount", quantity),
    ):
        assert Decimal(read[column]) == value
        assert re.fullmatch(QUANTITY, read[column])


def test_an_allocation_is_a_row_and_an_unpriced_one_has_no_price():
    rows = list(
        read_rows(ledger_csv([allocation("a"), allocation("a"), allocation("b", unit_price=None)]))
    )
    assert [row["cause"] for row in rows] == ["a", "a", "b"]
    assert [row["unit_price"] for row in rows] == ["2", "2", ""]
    assert rows[0]["requests"] == "/v3/a /v3/b"


def test_the_tie_out_comes_back():
    row = TieOutRow(
        date(2025, 12, 5), "=devin", Decimal("1E+3"), Decimal("-1.50"), Decimal(0), Decimal("-0.0")
    )
    assert list(read_rows(tie_out_csv([row]))) == [
        dict(zip(TIE_OUT_CSV, ["2025-12-05", "=devin", "1000", "-1.5", "0", "0"], strict=True))
    ]
