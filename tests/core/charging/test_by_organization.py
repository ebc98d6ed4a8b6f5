"""Who is charged by an organization: counted again from records and rules."""

from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.charging.by_organization import over_products
from reportgen.core.charging.invoice import by_principal
from tests.core.small_cycle import (
    CODES,
    MAIN,
    OWN,
    PASSED,
    RECORDS,
    mapping_of,
    reckoned,
    record,
    rule,
)
from tests.examples import examples


def test_who_has_no_rule_is_listed_and_who_passes_on_says_by_what():
    records = [record(who, "main", "10") for who in ("ada", "bob", "cyd", "")]
    rows, _, _ = reckoned([*records, record("ada", "", "5")], mapping_of(OWN, PASSED, MAIN))
    assert {tuple(map(str, row)) for row in rows} == {
        ("main", "user", "ada", "devin", "B", "m:4", "", "6.0", "12.00", "1"),
        ("main", "user", "ada", "devin", "C", "m:4", "", "4.0", "8.00", "1"),
        ("main", "user", "cyd", "devin", "B", "m:4", "m:3", "6.0", "12.00", "1"),
        ("main", "user", "cyd", "devin", "C", "m:4", "m:3", "4.0", "8.00", "1"),
    }


@pytest.mark.parametrize(
    "mapping",
    [
        mapping_of(MAIN),
        mapping_of(OWN, MAIN, precedence=("org", "user")),
        mapping_of(OWN, MAIN, precedence=("org",)),
    ],
)
def test_nobody_is_listed_where_organizations_are_meant_to_decide(mapping):
    assert reckoned([record("ada", "main", "1")], mapping)[0] == ()


@given(RECORDS, st.integers(0, 2))
@examples(50)
def test_rows_foot_with_the_allocations_and_the_invoices(records, extra):
    lab = rule("orgs", "lab", 5, A="100")
    mapping = mapping_of(*(OWN, PASSED, MAIN, lab)[: 3 + min(extra, 1)])
    rows, _, charges = reckoned(records, mapping)
    shares = {"main": {"B": Decimal("0.6"), "C": Decimal("0.4")}}
    shares["lab"] = {"A": Decimal(1)} if extra else {}
    expected: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for one in records:
        if one.principal_id and one.principal_id != "bob":
            for code, share in shares.get(one.org_id, {}).items():
                expected[one.org_id, one.principal_id, one.product, code] += one.quantity * share
    found = {(row.org_id, row.principal_id, row.product, row.cost_center): row for row in rows}
    assert {key: row.acus for key, row in found.items() if row.acus} == {
        key: acus for key, acus in expected.items() if acus
    }
    # whoever is charged by organizations alone pays on an invoice what their rows come to
    for code in CODES:
        detail, lines = charges.detail.get(code, ()), charges.lines.get(code, ())
        for usage in by_principal(lines, detail, 2):
            if usage.principal_id and usage.principal_id != "bob":
                own = [
                    row.amount
                    for row in rows
                    if (row.principal_id, row.cost_center) == (usage.principal_id, code)
                ]
                assert sum(own, Decimal()) == usage.amount
    merged = over_products(rows)
    assert sum(row.amount for row in merged) == sum(row.amount for row in rows)
    assert len({row[:3] + row[4:7] for row in merged}) == len(merged)
