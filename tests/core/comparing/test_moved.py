"""What has moved to another cost center: counted again from records and rules."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.charging.invoice import by_principal
from reportgen.core.comparing.moved import moved
from reportgen.core.model import (
    CostCenterTotals,
    CycleTotals,
    Moved,
    Principal,
    ProductTotals,
)
from tests.core.small_cycle import (
    BEARER,
    CODES,
    CYCLE,
    MAIN,
    OWN,
    PASSED,
    RECORDS,
    WHO,
    mapping_of,
    reckoned,
    record,
)
from tests.examples import examples


def before(**people: str) -> CycleTotals:
    """Give a cycle before by the codes that bore each person, one letter each."""
    centers = {
        code: CostCenterTotals(
            name=code,
            principals=tuple(
                Principal("user", who) for who, codes in sorted(people.items()) if code in codes
            ),
        )
        for code in (*CODES, BEARER)
    }
    return CycleTotals(
        cycle=CYCLE,
        status="draft",
        currency="USD",
        decimals=2,
        control_acus=Decimal(0),
        invoiced_amount=Decimal(0),
        cost_centers=centers,
    )


def test_who_was_borne_by_others_has_moved_and_who_is_new_has_not():
    records = [record(who, "main", "10") for who in ("ada", "bob", "cyd")]
    _, allocations, charges = reckoned(records, mapping_of(OWN, PASSED, MAIN))
    rows, arrived, _ = moved(before(ada="A", cyd="BC"), allocations, charges, 2)
    assert [(row.principal_id, row.givers, row.receiver, row.rules) for row in arrived] == [
        ("bob", (), "A", ("m:2",))
    ]
    assert rows == (
        Moved("user", "ada", ("A",), "B", ("m:4",), Decimal("6.0"), Decimal("12.00")),
        Moved("user", "ada", ("A",), "C", ("m:4",), Decimal("4.0"), Decimal("8.00")),
    )


def test_who_used_nothing_any_more_has_departed_with_what_they_came_to():
    """By the exact amounts, rounded once; of whom they are not known nothing is told."""
    _, allocations, charges = reckoned([record("ada", "main", "10")], mapping_of(OWN, PASSED, MAIN))
    held = before(ada="A", bob="AC", cyd="B", dan="C")
    used = {
        ("A", "bob"): ("1.5", "3.0025"),
        ("C", "bob"): ("1.25", "2.5025"),
        ("B", "cyd"): ("9", "18"),
        ("A", "ada"): ("4", "8"),
    }
    centers = {
        code: replace(
            center,
            used={
                Principal("user", who): ProductTotals(acus=Decimal(acus), amount=Decimal(amount))
                for (of, who), (acus, amount) in used.items()
                if of == code
            },
        )
        for code, center in held.cost_centers.items()
    }
    _, _, departed = moved(replace(held, cost_centers=centers), allocations, charges, 2)
    assert departed == (
        Moved("user", "cyd", ("B",), "", (), Decimal(9), Decimal("18.00")),
        Moved("user", "bob", ("A", "C"), "", (), Decimal("2.75"), Decimal("5.51")),
    )


def test_what_no_rule_assigns_has_moved_to_its_bearer_or_to_nobody():
    records = [record("ada", "", "10"), record("bob", "", "1")]
    for bearer in (BEARER, None):
        mapping = (
            replace(mapping_of(OWN, MAIN), unallocated=None)
            if not bearer
            else mapping_of(OWN, MAIN)
        )
        _, allocations, charges = reckoned(records, mapping)
        ((row,), _, _) = moved(before(ada="A", bob="AB"), allocations, charges, 2)
        assert row[1:5] == ("ada", ("A",), bearer or "", ())
        assert (row.acus, row.amount) == (Decimal(10), Decimal("20.00"))


@given(RECORDS, st.dictionaries(WHO.filter(bool), st.text("ABCZ", min_size=1), max_size=4))
@examples(50)
def test_what_moved_foots_with_the_invoices_by_user(records, people):
    _, allocations, charges = reckoned(records, mapping_of(OWN, PASSED, MAIN))
    held = {who: set(codes) for who, codes in people.items()}
    expected = {
        (usage.principal_id, code): (usage.acus, usage.amount)
        for code, detail in charges.detail.items()
        for usage in by_principal(charges.lines.get(code, ()), detail, 2)
        if code not in held.get(usage.principal_id, {code}) and (usage.acus or usage.amount)
    }
    rows, arrived, _ = moved(before(**people), allocations, charges, 2)
    assert {(row[1], row.receiver): (row.acus, row.amount) for row in rows} == expected
    assert all(set(row.givers) <= held[row.principal_id] and row.givers for row in rows)
    assert not {row.principal_id for row in arrived} & set(held)
