"""Who is charged by an organization, and what has moved: counted again from records and rules."""

from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.allocating.allocate import allocate, timelines
from reportgen.core.charging.charges import CycleCharges, charge_cycle
from reportgen.core.charging.invoice import by_principal
from reportgen.core.charging.rate import rate
from reportgen.core.comparing.moved import moved
from reportgen.core.comparing.next_level import by_organization, over_products
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import (
    Allocation,
    ByOrganization,
    CostCenter,
    CostCenterTotals,
    CycleTotals,
    DatedSplit,
    Directory,
    Mapping,
    Moved,
    Price,
    Principal,
    ProductTotals,
    RateCard,
    Rule,
    Share,
    Split,
    UsageRecord,
)
from tests.examples import examples

FIRST = date(2025, 12, 5)
CYCLE = BillingCycle(start=FIRST, end=date(2026, 1, 5), after=0, before=0)
CODES = ("A", "B", "C")
BEARER = "Z"
PRICES = {"devin": Decimal("2.00"), "review": Decimal("1.337")}
CARD = RateCard(
    currency="USD",
    decimals=2,
    prices={name: (Price(date.min, price, "r:1"),) for name, price in PRICES.items()},
)


def rule(section: str, key: str, line: int, **shares: str) -> Rule:
    """Give a rule by percentages; without any it says `none`."""
    found = tuple(Share(code, Decimal(share) / 100, f"{share}%") for code, share in shares.items())
    split = Split(shares=found) if found else None
    value = DatedSplit(start=date.min, split=split, source=f"m:{line}")
    return Rule(section=section, key=key, values=(value,), source=value.source)  # type: ignore[arg-type]


def record(who: str, org_id: str, acus: str, product: str = "devin", day: int = 5) -> UsageRecord:
    place = org_id, "user" if who else "", who, ""
    return UsageRecord(date(2025, 12, day), product, *place, Decimal(acus), ("x",))


def mapping_of(*rules: Rule, **changed: object) -> Mapping:
    centers = tuple(CostCenter(code=code, name=code) for code in (*CODES, BEARER))
    return Mapping(cost_centers=centers, rules=rules, unallocated=BEARER, **changed)  # type: ignore[arg-type]


def reckoned(
    records: list[UsageRecord], mapping: Mapping
) -> tuple[tuple[ByOrganization, ...], list[Allocation], CycleCharges]:
    resolved, _ = timelines(records, mapping, Directory())
    allocations = list(rate(allocate(records, resolved), CARD))
    control: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for one in records:
        control[one.day, one.product] += one.quantity
    charges, _ = charge_cycle(allocations, control, mapping, CARD, whole=None, cycle=CYCLE)
    return by_organization(allocations, resolved, charges, mapping, 2), allocations, charges


OWN, PASSED = rule("users", "bob", 2, A="100"), rule("users", "cyd", 3)
MAIN = rule("orgs", "main", 4, B="60", C="40")


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


WHO = st.sampled_from(("ada", "bob", "cyd", "dan", ""))
RECORDS = st.lists(
    st.builds(
        record,
        WHO,
        st.sampled_from(("main", "lab", "")),
        st.decimals("-3", "9", places=3).map(str),
        st.sampled_from(sorted(PRICES)),
        st.integers(5, 9),
    ),
    min_size=1,
    max_size=14,
    unique_by=lambda one: one[:5],
)


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
