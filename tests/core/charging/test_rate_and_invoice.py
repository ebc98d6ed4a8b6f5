"""From prices to invoices, computed a second time here in Fractions from the allocations."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction
from math import floor
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.charging.charges import charge_cycle
from reportgen.core.charging.invoice import UNBORNE, charge, detail_by_cost_center
from reportgen.core.charging.rate import price_on, rate, whole_cycle
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import (
    Allocation,
    CostCenter,
    Discrepancy,
    Heading,
    Mapping,
    Price,
    RateCard,
    Statement,
    Usage,
    UsageRecord,
    VendorInvoice,
)
from reportgen.core.problem import Problem
from reportgen.core.proving.statement import statement
from tests.examples import examples

FIRST, SECOND, THIRD = date(2025, 12, 5), date(2025, 12, 15), date(2026, 1, 4)
CYCLE = BillingCycle(start=FIRST, end=date(2026, 1, 5), after=0, before=0)
CODES = ("CC-1", "CC-2", "CC-3", "CC-9")
CAUSE = "unmapped user"


class Part(NamedTuple):
    """What a cost center bears: the world from which everything else is computed, twice."""

    day: date
    product: str
    place: tuple[str, str, str]
    cost_center: str
    kind: str
    quantity: Decimal


def allocation(part: Part) -> Allocation:
    record = UsageRecord(part.day, part.product, *part.place, "", part.quantity, ("x",))
    cause = CAUSE if part.kind == "unallocated" else ""
    return Allocation(
        record, part.cost_center, part.kind, cause, "mapping.yaml:1", "1", part.quantity
    )  # type: ignore[arg-type]


def usage(parts: Iterable[Part]) -> Usage:
    control: dict[tuple[date, str], Fraction] = defaultdict(Fraction)
    for part in parts:
        control[part.day, part.product] += Fraction(part.quantity)
    decimals = {cell: exact_decimal(acus) for cell, acus in control.items() if acus}
    return Usage(control=decimals, records=(), balancing={})


def exact_decimal(value: Fraction) -> Decimal:
    scaled = value * 10**40
    assert scaled.denominator == 1
    return Decimal(f"{scaled.numerator}e-40")


def card(
    prices: dict[str, dict[date, str]], decimals: int = 2, vendor: VendorInvoice | None = None
) -> RateCard:
    return RateCard(
        currency="USD",
        decimals=decimals,
        prices={
            product: tuple(
                Price(start, Decimal(dated[start]), f"rates.yaml:{product}")
                for start in sorted(dated)
            )
            for product, dated in prices.items()
        },
        vendor_invoices={FIRST: vendor} if vendor else {},
        source="rates.yaml",
    )


def made(
    parts: list[Part], rates: RateCard, bearer: str | None = None, control: Usage | None = None
) -> tuple[Statement, list[Problem]]:
    mapping = Mapping(
        cost_centers=tuple(CostCenter(code=code, name=code) for code in CODES),
        rules=(),
        unallocated=bearer,
    )
    heading = Heading(
        enterprise="Acme", status="draft", cycle=CYCLE, currency="USD", decimals=rates.decimals
    )
    total = control or usage(parts)
    whole, problems = whole_cycle(rates, total.control, CYCLE.start)
    priced = tuple(rate(map(allocation, parts), rates, whole))
    charges, found = charge_cycle(priced, total.control, mapping, rates, whole=whole, cycle=CYCLE)
    numbers = {code: f"CB-{code}" for code in CODES}
    result, warnings = statement(
        heading, total, priced, charges, mapping, card=rates, numbers=numbers
    )
    return result, [*problems, *found, *warnings]


def amounts(result: Statement) -> dict[tuple[str, str], list[str]]:
    """Write the amounts of every line: cost center and kind -> amounts."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for invoice in result.invoices:
        for line in invoice.lines:
            found[invoice.cost_center.code, line.kind].append(str(line.amount))
    return dict(found)


def part(
    code: str,
    acus: str,
    *,
    day: date = FIRST,
    product: str = "devin",
    principal: str = "ada",
    org_id: str = "",
    unallocated: bool = False,
) -> Part:
    kind = "user" if principal else ""
    place = (org_id, kind, principal)
    return Part(day, product, place, code, "unallocated" if unallocated else "usage", Decimal(acus))


# Prices


DATED = card(
    {"devin": {date.min: "2.00"}, "cascade": {SECOND: "1.60", FIRST: "1.75"}, "*": {SECOND: "3"}}
)


@pytest.mark.parametrize(
    ("product", "day", "price"),
    [
        ("devin", date(2020, 1, 1), "2.00"),
        ("cascade", FIRST, "1.75"),
        ("cascade", date(2025, 12, 14), "1.75"),
        ("cascade", SECOND, "1.60"),
        ("cascade", date(2030, 1, 1), "1.60"),
        ("cascade", date(2025, 12, 4), None),
        ("review", date(2025, 12, 14), None),
        ("review", SECOND, "3"),
        ("unspecified", THIRD, "3"),
    ],
)
def test_a_price_holds_from_its_day_on(product, day, price):
    source = {"devin": "devin", "cascade": "cascade"}.get(product, "*")
    expected = (Decimal(price), f"rates.yaml:{source}") if price else (None, "")
    assert price_on(DATED, product, day) == expected


def test_before_its_first_price_a_product_costs_what_any_other_does():
    rates = card({"cascade": {SECOND: "1.60"}, "*": {date.min: "3"}})
    assert [price_on(rates, "cascade", day)[0] for day in (FIRST, SECOND)] == [3, Decimal("1.60")]


def test_an_allocation_is_priced_exactly_and_otherwise_unchanged():
    before = [
        allocation(part("CC-1", "0.1234567890123456789", product=product))
        for product in ("cascade", "review")
    ]
    priced, unpriced = rate(before, DATED)
    assert priced == before[0]._replace(
        unit_price=Decimal("1.75"),
        rate="rates.yaml:cascade",
        exact_amount=Decimal("0.216049380771604938075"),
    )
    assert unpriced == before[1]
    assert (unpriced.unit_price, unpriced.exact_amount) == (None, 0)


# The laws, over generated worlds

PLACES = [
    ("", "user", "ada"),
    ("org-1", "user", "ada"),
    ("org-1", "service_user", "robot"),
    ("org-1", "", ""),
    ("", "", ""),
]
PRICES = ["2.00", "1.75", "0", "0.333", "1.600000001", "2.0"]
quantities = st.builds(
    lambda digits, places: Decimal(f"{digits}e-{places}"),
    st.integers(1, 10**6) | st.integers(-1000, -1) | st.integers(10**20, 10**30),
    st.sampled_from((3, 5, 17, 30)),
).filter(lambda acus: abs(acus) < 10**12)
dated_prices = st.dictionaries(
    st.sampled_from((date.min, FIRST, SECOND)), st.sampled_from(PRICES), min_size=1
)
cards = st.builds(
    card,
    st.dictionaries(st.sampled_from(("devin", "cascade", "*")), dated_prices, max_size=3),
    st.sampled_from((2, 2, 0, 3)),
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Part], RateCard, str | None]:
    bearer = draw(st.sampled_from((None, "CC-1", "CC-9")))
    to_whom = st.sampled_from(
        [*((code, "usage") for code in CODES), (bearer or UNBORNE, "unallocated")]
    )
    drawn = draw(
        st.lists(
            st.tuples(
                st.sampled_from((FIRST, SECOND, THIRD)),
                st.sampled_from(("devin", "cascade", "review")),
                st.sampled_from(PLACES),
                to_whom,
                quantities,
            ),
            max_size=14,
        )
    )
    return (
        [Part(day, product, place, *who, acus) for day, product, place, who, acus in drawn],
        draw(cards),
        bearer,
    )


Group = tuple[str, Fraction | None]


def unit_price(rates: RateCard, product: str, day: date) -> Fraction | None:
    """Look a price up the slow way."""
    for key in (product, "*"):
        started = [price for price in rates.prices.get(key, ()) if price.start <= day]
        if started:
            return Fraction(max(started).unit_price)
    return None


def half_up(value: Fraction, decimals: int) -> Fraction:
    steps = floor(abs(value) * 10**decimals + Fraction(1, 2))
    return Fraction(steps if value >= 0 else -steps, 10**decimals)


def expected_lines(
    parts: list[Part], rates: RateCard
) -> dict[Group, dict[tuple[str, str], tuple[Fraction, Fraction]]]:
    """Compute every line a second time: group -> (cost center, kind) -> exact amount and amount."""
    exact: dict[Group, dict[tuple[str, str], Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for one in parts:
        price = unit_price(rates, one.product, one.day)
        exact[one.product, price][one.cost_center, one.kind] += Fraction(one.quantity) * (
            price or 0
        )
    step = Fraction(1, 10**rates.decimals)
    lines: dict[Group, dict[tuple[str, str], tuple[Fraction, Fraction]]] = {}
    for group, members in exact.items():
        floors = {key: floor(value / step) * step for key, value in members.items()}
        missing = (
            half_up(sum(members.values(), Fraction()), rates.decimals) - sum(floors.values())
        ) / step
        order = sorted(
            members, key=lambda key: (floors[key] - members[key], key[1] == "unallocated", key[0])
        )
        lines[group] = {
            key: (members[key], floors[key] + (step if order.index(key) < missing else 0))
            for key in members
        }
    return lines


@given(worlds())
@examples(150)
def test_every_line_is_what_a_second_reading_makes_of_it(world):
    parts, rates, _ = world
    priced = tuple(rate(map(allocation, parts), rates))
    charges = charge(detail_by_cost_center(priced), usage(parts).control, rates)
    found: dict[Group, dict[tuple[str, str], tuple[Fraction, Fraction]]] = defaultdict(dict)
    for code, lines in charges.lines.items():
        for line in lines:
            price = None if line.unit_price is None else Fraction(line.unit_price)
            found[line.product, price][code, line.kind] = (
                Fraction(line.exact_amount),
                Fraction(line.amount),
            )
    assert found == expected_lines(parts, rates)
    step = Fraction(1, 10**rates.decimals)
    for members in found.values():
        assert all(abs(amount - exact) < step for exact, amount in members.values())


@given(worlds())
@examples(150)
def test_the_identities_hold_and_every_breakdown_foots(world):
    parts, rates, bearer = world
    result, _ = made(parts, rates, bearer)
    tie = result.tie_out
    assert tie.holds
    acus = {
        kind: sum(Fraction(one.quantity) for one in parts if one.kind == kind)
        for kind in ("usage", "unallocated")
    }
    assert (
        Fraction(tie.allocated_acus)
        == acus["usage"]
        == sum(Fraction(one.acus) for one in result.invoices)
    )
    assert (
        Fraction(tie.unallocated_acus) == acus["unallocated"] == Fraction(result.unallocated.acus)
    )
    assert Fraction(tie.control_acus) == sum(acus.values())
    groups = expected_lines(parts, rates)
    chargeable = sum(
        (amount for members in groups.values() for _, amount in members.values()), Fraction()
    )
    assert Fraction(tie.chargeable_amount) == chargeable
    assert tie.fees_amount == 0
    nobodys = [
        members[UNBORNE, "unallocated"][1]
        for members in groups.values()
        if (UNBORNE, "unallocated") in members
    ]
    assert Fraction(tie.unborne_amount) == sum(nobodys)
    assert Fraction(tie.invoiced_amount) == chargeable - sum(nobodys)
    assert [one.cost_center.code for one in result.invoices] == list(CODES)
    for invoice in result.invoices:
        own = [one for one in parts if one.cost_center == invoice.cost_center.code]
        assert (invoice.number is not None) == bool(own)
        assert sum(Fraction(line.amount) for line in invoice.lines) == Fraction(invoice.amount)
        assert sum(Fraction(row.amount) for row in invoice.by_principal) == Fraction(invoice.amount)
        assert sum(Fraction(row.acus) for row in invoice.by_principal) == sum(
            Fraction(one.quantity) for one in own
        )
        assert sum(Fraction(row.acus) for row in invoice.detail) == sum(
            Fraction(one.quantity) for one in own
        )
        for written in (invoice.amount, *(line.amount for line in invoice.lines)):
            assert -written.as_tuple().exponent == rates.decimals


@given(worlds(), st.randoms(use_true_random=True))
@examples(60)
def test_neither_order_nor_the_context_of_the_caller_changes_a_statement(world, random):
    parts, rates, bearer = world
    once = made(parts, rates, bearer)
    assert made(random.sample(parts, len(parts)), rates, bearer) == once
    control = usage(parts)
    with localcontext(prec=3):
        assert made(parts, rates, bearer, control) == once


# Worked cases

TWO = card({"*": {date.min: "2.00"}})


def test_the_unallocated_part_rounds_last():
    parts = [part(code, "5.002") for code in ("CC-1", "CC-2", "CC-3")]
    nobody, _ = made([*parts, part("", "5.002", unallocated=True)], TWO)
    assert amounts(nobody) == {
        ("CC-1", "usage"): ["10.01"],
        ("CC-2", "usage"): ["10.01"],
        ("CC-3", "usage"): ["10.00"],
    }
    assert (str(nobody.unallocated.amount), str(nobody.tie_out.unborne_amount)) == (
        "10.00",
        "10.00",
    )
    assert (str(nobody.tie_out.chargeable_amount), str(nobody.tie_out.invoiced_amount)) == (
        "40.02",
        "30.02",
    )
    borne, _ = made([*parts, part("CC-1", "5.002", unallocated=True)], TWO, "CC-1")
    assert amounts(borne) == {**amounts(nobody), ("CC-1", "unallocated"): ["10.00"]}
    assert (str(borne.unallocated.amount), str(borne.tie_out.unborne_amount)) == ("10.00", "0.00")
    assert [str(invoice.acus) for invoice in borne.invoices] == ["5.002", "5.002", "5.002", "0"]


def test_a_currency_without_decimals():
    rates = card({"*": {date.min: "150.5"}}, decimals=0)
    result, _ = made([part("CC-1", "1"), part("CC-2", "1"), part("CC-3", "1")], rates)
    # 150.5 each, 451.5 in all, which is 452: two go up
    assert amounts(result) == {
        ("CC-1", "usage"): ["151"],
        ("CC-2", "usage"): ["151"],
        ("CC-3", "usage"): ["150"],
    }
    assert str(result.tie_out.chargeable_amount) == "452"
    assert str(result.tie_out.unborne_amount) == "0"
    assert str(result.invoices[3].amount) == "0"


def test_one_product_at_two_prices_is_two_lines():
    parts = [part("CC-1", "1", product="cascade"), part("CC-1", "2", product="cascade", day=SECOND)]
    result, problems = made([*parts, part("CC-1", "3", product="devin")], DATED)
    lines = [
        (line.product, str(line.unit_price), str(line.acus), str(line.amount))
        for line in result.invoices[0].lines
    ]
    assert lines == [
        ("cascade", "1.60", "2", "3.20"),
        ("cascade", "1.75", "1", "1.75"),
        ("devin", "2.00", "3", "6.00"),
    ]
    assert problems == []
    assert str(result.invoices[0].amount) == "10.95"


def test_what_has_no_price_is_shown_and_warned_of():
    parts = [
        part("CC-1", "1.5", product="review"),
        part("CC-2", "2", product="review"),
        part("CC-1", "1"),
    ]
    result, problems = made(parts, DATED)
    line = result.invoices[0].lines[1]
    assert (line.product, line.unit_price, line.acus, str(line.amount)) == (
        "review",
        None,
        Decimal("1.5"),
        "0.00",
    )
    assert result.invoices[0].acus == Decimal("2.5")
    (problem,) = [problem for problem in problems if "review" in problem.message]
    assert problem.warning
    assert problem.source == "rates.yaml"
    assert "3.5" in problem.message
    assert result.tie_out.holds


def test_a_price_of_zero_is_a_price():
    result, problems = made([part("CC-1", "1")], card({"devin": {date.min: "0"}}))
    assert amounts(result) == {("CC-1", "usage"): ["0.00"]}
    assert problems == []


def test_usage_by_principal_foots_to_the_cent():
    people = [part("CC-1", "1.665", principal=name) for name in ("alan", "ada", "grace")]
    nobody = part("CC-1", "0.0025", principal="", org_id="org-1")
    elsewhere = part("CC-1", "0.0025", principal="ada", org_id="org-2")
    result, _ = made([*people, nobody, elsewhere], TWO)
    # 3.33 twice, Ada 3.335, the organization 0.005: 10.00 in all; of the two equal remainders the
    # first row goes up
    rows = [
        (row.org_id, row.principal_id, str(row.acus), str(row.amount))
        for row in result.invoices[0].by_principal
    ]
    assert rows == [
        ("", "ada", "1.6675", "3.34"),
        ("", "alan", "1.665", "3.33"),
        ("", "grace", "1.665", "3.33"),
        ("org-1", "", "0.0025", "0.00"),
    ]
    assert str(result.invoices[0].amount) == "10.00"


def test_the_chargeable_amount_does_not_come_from_the_ledger():
    parts = [part("CC-1", "1"), part("CC-2", "2"), part("CC-2", "3", day=SECOND)]
    lost, _ = made(parts[:2], TWO, control=usage(parts))
    assert not lost.tie_out.holds
    assert (lost.tie_out.difference_acus, lost.tie_out.difference_amount) == (3, 6)
    assert [(row.day, row.difference) for row in lost.tie_out_rows] == [(FIRST, 0), (SECOND, 3)]
    twice, _ = made([*parts, parts[0]], TWO, control=usage(parts))
    assert (twice.tie_out.difference_acus, twice.tie_out.difference_amount) == (1, -2)


def test_differences_of_different_days_never_cancel_out():
    parts = [part("CC-1", "1"), part("CC-1", "1", day=SECOND)]
    moved = [parts[0], parts[0]]
    result, _ = made(moved, TWO, control=usage(parts))
    assert result.tie_out.difference_acus == 2
    assert not result.tie_out.holds


def test_the_balancing_cell_is_shown_gross_and_net_and_to_the_last_digit():
    parts = [part("CC-1", "1")]
    long = Decimal(f"12345678.{'1' * 40}")
    balancing = {
        (FIRST, "devin"): long,
        (SECOND, "devin"): Decimal(-2),
        (FIRST, "cascade"): Decimal(3),
    }
    tie = made(parts, TWO, control=replace(usage(parts), balancing=balancing))[0].tie_out
    assert Fraction(tie.balancing_acus) == Fraction(long) + 5
    assert {product: Fraction(acus) for product, acus in tie.balancing_by_product.items()} == {
        "cascade": 3,
        "devin": Fraction(long) - 2,
    }


@pytest.mark.parametrize(
    ("invoiced", "warned"),
    [("3", False), ("3.0", False), ("3.04", False), ("3.05", True), ("3.1", True), ("4", True)],
)
def test_the_vendors_acus_are_compared_at_the_decimals_written(invoiced, warned):
    vendor = VendorInvoice(
        number="INV-1", amount=Decimal("5.00"), acus=Decimal(invoiced), source="rates.yaml:7"
    )
    result, problems = made([part("CC-1", "3.04")], card({"*": {date.min: "2"}}, vendor=vendor))
    assert [(one.source, one.warning) for one in problems] == (
        [("rates.yaml:7", True)] if warned else []
    )
    assert (result.tie_out.vendor_invoice_acus, result.tie_out.vendor_invoice_amount) == (
        Decimal(invoiced),
        5,
    )
    assert result.tie_out.over_recovery_amount == Decimal("1.08")


def test_causes_products_and_discrepancies_reach_the_statement():
    parts = [
        part("", "2", unallocated=True),
        part("CC-1", "1"),
        part("", "3", product="cascade", unallocated=True),
    ]
    found = Discrepancy(
        day=FIRST, product="devin", org_id="", principal_id="", acus=Decimal(-1), views=("e",)
    )
    result, _ = made(parts, TWO, control=replace(usage(parts), discrepancies=(found,)))
    assert result.discrepancies == (found,)
    assert result.unallocated.by_cause == {CAUSE: 5}
    assert result.unallocated.by_product == {"cascade": 3, "devin": 2}
    assert result.control_by_product == {"cascade": 3, "devin": 3}
    assert result.unallocated.cost_center is None


def test_a_cycle_without_usage():
    result, problems = made([], TWO)
    assert result.tie_out.holds
    assert problems == []
    assert {
        (invoice.number, str(invoice.amount), invoice.lines) for invoice in result.invoices
    } == {(None, "0.00", ())}
    assert (result.tie_out.control_acus, str(result.tie_out.invoiced_amount)) == (0, "0.00")


def test_usage_without_a_rule_that_a_credit_cancels_out_is_told_with_both_sides():
    parts = [part("", "5", unallocated=True), part("", "-5", unallocated=True)]
    _, problems = made(parts, TWO)
    (told,) = [str(problem) for problem in problems]
    assert "5.0000 − 5.0000 = 0.0000 ACUs (USD 0.00) are assigned by no rule" in told
