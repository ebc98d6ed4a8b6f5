"""FOCUS exports against the specification's own rules and queries, and against the invoices."""

import json
import sqlite3
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given

from reportgen.core.model import Allocation, Mapping, Price, RateCard, UsageRecord
from tests.core.test_laws import (
    CENTERS,
    CODES,
    FIRST,
    World,
    chargeable_worlds,
    charged,
    control_of,
)
from tests.documents.exports import focus_rules
from tests.documents.exports.focus_rules import Row, allocated, header_of, rows_of
from tests.documents.exports.materials import material_of, of_grove, written
from tests.examples import examples

CHARGES, DETAILS, PERIODS = (
    f"focus-{name}.csv" for name in ("CostAndUsage", "InvoiceDetail", "BillingPeriod")
)
VERSIONS = ("1.2", "1.4")
BY_INVOICE = """
SELECT COALESCE(ID.InvoiceId, CU.InvoiceId) AS InvoiceId,
  (ID.TotalBilledCost_InvoiceDetail - CU.TotalBilledCost_CostAndUsage) AS Variance
FROM (
  SELECT InvoiceId, SUM(BilledCost) AS TotalBilledCost_InvoiceDetail
  FROM InvoiceDetail WHERE ChargeCategory != 'Tax' GROUP BY InvoiceId
) ID
FULL OUTER JOIN (
  SELECT InvoiceId, SUM(BilledCost) AS TotalBilledCost_CostAndUsage
  FROM CostAndUsage WHERE InvoiceId != '' GROUP BY InvoiceId
) CU ON ID.InvoiceId = CU.InvoiceId
"""
"""Invoice Reconciliation of 1.4; the GROUP BY that the published text forgets is put in."""
BY_DETAIL = BY_INVOICE.replace("InvoiceId", "InvoiceDetailId")
ALIGNMENT = """
SELECT BillingPeriodStart, BillingPeriodEnd, InvoiceId, SUM(BilledCost)
FROM CostAndUsage GROUP BY BillingPeriodStart, BillingPeriodEnd, InvoiceId
"""
"""Billed Cost and Invoice Alignment, since 0.5."""


class ExactSum:
    """SUM, as a data base with decimals has it: sqlite3 adds floats."""

    def __init__(self) -> None:
        self.sum = Decimal(0)

    def step(self, value: str) -> None:
        self.sum += Decimal(value)

    def finalize(self) -> str:
        return f"{self.sum:f}"


def queried(query: str, **tables: list[Row]) -> list[tuple]:
    connection = sqlite3.connect(":memory:")
    connection.create_aggregate("SUM", 1, ExactSum)
    for name, rows in tables.items():
        columns = list(rows[0])
        connection.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
        places = ", ".join("?" for _ in columns)
        values = [tuple(row.values()) for row in rows]
        connection.executemany(f"INSERT INTO {name} VALUES ({places})", values)  # noqa: S608
    return connection.execute(query).fetchall()


def invoiced(material) -> dict[str, Decimal]:
    return {one.number: one.amount for one in material.statement.invoices if one.number}


def billed(rows: list[Row]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for row in rows:
        if row["InvoiceId"]:
            before = sums.get(row["InvoiceId"], Decimal(0))
            sums[row["InvoiceId"]] = before + Decimal(row["BilledCost"])
    return sums


@pytest.fixture(scope="module", params=[{}, {"recover": True}], ids=["prices", "recover"])
def everything(request):
    """Give the enterprise with fees, transfers and a pool, in both versions."""
    material = of_grove(closed=True, **request.param)
    return material, {name: written("focus", material, focus_version=name) for name in VERSIONS}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_rule_of_the_specification_is_kept(everything, version):
    files = everything[1][version]
    rows = rows_of(files[CHARGES])
    assert list(focus_rules.broken_in_charges(rows, version)) == []
    kinds = {row["x_LineKind"] for row in rows}
    assert kinds >= {"usage", "unallocated", "fee", "transfer", "pool", "rounding"}
    if version == "1.4":
        assert list(focus_rules.broken_in_details(rows_of(files[DETAILS]))) == []
        assert list(focus_rules.broken_in_periods(rows_of(files[PERIODS]))) == []


def test_1_2_has_what_1_0_asks_for_and_own_columns_come_last(everything):
    header = header_of(everything[1]["1.2"][CHARGES])
    assert len(focus_rules.MANDATORY_1_0) == 21
    assert {*header} > focus_rules.MANDATORY_1_0 | focus_rules.CONDITIONAL_1_0
    for files in everything[1].values():
        own = [name.startswith("x_") for name in header_of(files[CHARGES])]
        assert own == sorted(own)


def test_acus_are_unit_of_both_quantities_and_a_currency_in_1_2_alone(everything):
    for version, files in everything[1].items():
        usage = [row for row in rows_of(files[CHARGES]) if row["ChargeCategory"] == "Usage"]
        assert {(row["ConsumedUnit"], row["PricingUnit"]) for row in usage} == {("ACU", "ACU")}
        currencies = {row.get("PricingCurrency") for row in usage}
        assert currencies == ({"ACU"} if version == "1.2" else {None})


def test_the_queries_of_the_specification_find_no_variance(everything):
    material, files = everything
    charges, details = (rows_of(files["1.4"][name]) for name in (CHARGES, DETAILS))
    for query in (BY_INVOICE, BY_DETAIL):
        found = queried(query, CostAndUsage=charges, InvoiceDetail=details)
        assert len(found) >= len(invoiced(material))
        assert {variance for _, variance in found} == {0}
    by_invoice = {row[2]: Decimal(row[3]) for row in queried(ALIGNMENT, CostAndUsage=charges)}
    assert by_invoice == invoiced(material)
    whole = sum(Decimal(row["BilledCost"]) for row in charges)
    assert whole == material.statement.tie_out.invoiced_amount


def test_the_parts_of_a_pool_are_one(everything):
    for version, files in everything[1].items():
        rows = rows_of(files[CHARGES])
        ratios = allocated(rows, "x_" if version == "1.2" else "")
        assert ratios
        assert all(sum(some) == 1 for some in ratios.values())


def test_invoice_details_have_22_columns_and_a_row_for_each_line(everything):
    material, files = everything
    assert len(focus_rules.INVOICE_DETAIL) == 22
    header = header_of(files["1.4"][DETAILS])
    assert [name for name in header if not name.startswith("x_")] == [*focus_rules.INVOICE_DETAIL]
    rows = rows_of(files["1.4"][DETAILS])
    assert len(rows) == sum(len(one.lines) for one in material.statement.invoices)
    assert {row["InvoiceIssueStatus"] for row in rows} == {"Issued"}
    assert {row["InvoiceIssueDate"] for row in rows} == {"2026-01-09T00:00:00Z"}
    assert {row["ReferenceInvoiceId"] for row in rows} == {*invoiced(material)}


def test_the_side_car_says_version_columns_and_rows(everything):
    for version, files in everything[1].items():
        told = json.loads(files["focus-metadata.json"])
        assert {one["FocusVersion"] for one in told["Schema"]} == {version}
        for schema, file in zip(told["Schema"], told["x_Files"], strict=True):
            columns = [one["ColumnName"] for one in schema["ColumnDefinition"]]
            assert columns == header_of(files[file["Name"]])
            assert file["Rows"] == len(rows_of(files[file["Name"]]))
        assert {one["Name"] for one in told["x_Files"]} == files.keys() - {"focus-metadata.json"}
    datasets = [one["FocusDataset"] for one in told["DatasetInstance"]]
    assert datasets == ["CostAndUsage", "InvoiceDetail", "BillingPeriod"]


def test_a_draft_is_open():
    files = written("focus", of_grove(), focus_version="1.4")
    assert {row["InvoiceIssueStatus"] for row in rows_of(files[DETAILS])} == {"Open"}
    assert {row["InvoiceIssueDate"] for row in rows_of(files[DETAILS])} == {""}
    (period,) = rows_of(files[PERIODS])
    assert period["BillingPeriodStatus"] == "Open"
    assert period["BillingPeriodStart"] == "2025-12-29T08:00:00Z"
    assert not any(one["Complete"] for one in json.loads(files["focus-metadata.json"])["x_Files"])


@pytest.mark.parametrize("users", ["names", "pseudonyms", "none"])
def test_principals_are_shown_as_documents_show_them(users):
    material = of_grove(users=users)
    numbered = {
        key: replace(entry, number=number)
        for number, (key, entry) in enumerate(sorted(material.directory.entries.items()), start=1)
    }
    shown = replace(material.allocations, directory=replace(material.directory, entries=numbered))
    content = written("focus", replace(material, allocations=shown))[CHARGES]
    principals = {row["x_PrincipalId"] for row in rows_of(content)} - {""}
    ids = {principal.id for principal in material.directory.entries}
    if users == "names":
        assert principals <= ids
    else:
        assert not any(one.encode() in content for one in ids)
    if users == "pseudonyms":
        known = {f"{key.kind.replace('_', '-')}-{entry.number}" for key, entry in numbered.items()}
        assert principals
        assert principals <= known
    assert bool(principals) == (users != "none")


PARTS = {
    "thirds": (
        "10.21",
        (("1/3", "3.403333333334"), ("1/3", "3.403333333333"), ("1/3", "3.403333333333")),
    ),
    "percentages": ("0.007", (("0.6", "0.0042"), ("0.4", "0.0028"))),
    "credit": ("-2", (("1/4", "-0.5"), ("3/4", "-1.5"))),
}


@pytest.mark.parametrize("name", PARTS)
def test_the_parts_of_a_record_are_one(name):
    quantity, parts = PARTS[name]
    record = UsageRecord(FIRST, "devin", "", "user", "ada", "", Decimal(quantity), ("x",))
    split = [
        Allocation(record, code, "usage", "", "mapping.yaml:1", share, Decimal(acus))
        for code, (share, acus) in zip(CODES, parts, strict=False)
    ]
    alone = record._replace(principal_id="alan")
    whole = Allocation(alone, "CC-1", "usage", "", "mapping.yaml:2", "1", Decimal(quantity))
    card = RateCard(
        currency="USD", decimals=2, prices={"*": (Price(date.min, Decimal("2.00"), ""),)}
    )
    world = World([], card, Mapping(cost_centers=CENTERS, rules=()))
    usage = control_of((FIRST, "devin", acus) for acus in (record.quantity, alone.quantity))
    found = charged([*split, whole], card, world.mapping, usage)
    rows = rows_of(written("focus", material_of(world, found, [*split, whole], usage))[CHARGES])
    (ratios,) = allocated(rows, "x_").values()
    assert sum(ratios) == 1
    assert [round(ratio, 9) for ratio in ratios] == [
        round(Decimal(acus) / Decimal(quantity), 9) for _, acus in parts
    ]
    methods = [row["x_AllocatedMethodId"] for row in rows if row["x_AllocatedMethodId"]]
    by = "percent" if name == "percentages" else "weight"
    assert methods == [f"record-split-by-{by}"] * len(parts)


@given(chargeable_worlds())
@examples(20)
def test_charges_make_the_invoices_of_every_world(drawn):
    world, found, _ = drawn
    material = material_of(world, found)
    for version in VERSIONS:
        files = written("focus", material, focus_version=version)
        rows = rows_of(files[CHARGES])
        assert list(focus_rules.broken_in_charges(rows, version)) == []
        assert billed(rows) == invoiced(material)
        by_detail: dict[str, Decimal] = {}
        for row in rows if version == "1.4" else ():
            name = row["InvoiceDetailId"]
            by_detail[name] = by_detail.get(name, Decimal(0)) + Decimal(row["BilledCost"])
        assert all(
            by_detail[row["InvoiceDetailId"]] == Decimal(row["BilledCost"])
            for row in (rows_of(files[DETAILS]) if version == "1.4" else ())
        )
        ratios = allocated(rows, "x_" if version == "1.2" else "")
        assert all(sum(some) == 1 for some in ratios.values())
        whole = sum((Decimal(row["BilledCost"]) for row in rows), Decimal(0))
        assert whole == found.result.tie_out.invoiced_amount
        consumed = sum((Decimal(row["ConsumedQuantity"] or 0) for row in rows), Decimal(0))
        assert consumed == sum(one.quantity for one in world.parts)
