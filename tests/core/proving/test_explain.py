"""A line taken back to what it was made of, computed a second time from the allocations."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given

from reportgen.core.model import Fee, Pool, Price, Rule, Share, Split, Transfer, UsageRecord
from reportgen.core.model import Mapping as Rules
from reportgen.core.proving.explain import AuditTrail, Explanation, explained
from tests.core.allocating.test_unallocated import (
    ADA,
    ALAN,
    CARDS,
    DIRECTORY,
    FIRST,
    PRICES,
    ROBOT,
    SECOND,
    World,
    charged,
    record,
    records,
    rule,
    rules_of,
)
from tests.examples import examples

THREE = [record(("", ADA), "7"), record(("org-1", ALAN), "5.0025"), record(("org-2", None), "3.3")]
RULES = rules_of(
    rule("users", "u-ada", "CC-1", line=5),
    rule("orgs", "org-1", "CC-2", line=6),
    rule("orgs", "org-2", "CC-9"),
)


def lines_of(world: World, code: str) -> list[Explanation]:
    bundle = AuditTrail(
        statement=world.statement,
        lines=world.lines,
        allocations=world.allocations,
        control=world.control,
        mapping=world.rules,
        directory=DIRECTORY,
        card=world.card,
    )
    (invoice,) = [one for one in world.statement.invoices if one.cost_center.code == code]
    return explained(invoice, bundle)


def everything(world: World) -> list[tuple[str, Explanation]]:
    codes = [invoice.cost_center.code for invoice in world.statement.invoices]
    return [(code, found) for code in codes for found in lines_of(world, code)]


def foots(found: Explanation) -> bool:
    """Tell whether records and rounding make the amount, in Fractions."""
    exact = [Fraction(one.allocation.exact_amount) for one in found.records] or [
        Fraction(found.line.exact_amount)
    ]
    return sum(exact) + Fraction(found.rounding) == Fraction(found.line.amount)


@pytest.mark.parametrize("bearer", [None, "CC-9"])
@pytest.mark.parametrize("kind", CARDS)
@given(records)
@examples(40)
def test_the_records_of_every_line_add_up_to_it(kind, bearer, found):
    rules = rules_of(
        rule("orgs", "org-1", "CC-1"), rule("service_users", "robot", "CC-1", "CC-2"), bearer=bearer
    )
    world = charged(found, rules, CARDS[kind])
    explanations = everything(world)
    assert [one.line for _, one in explanations] == [
        line for made in world.statement.invoices for line in made.lines
    ]
    assert all(foots(one) for _, one in explanations)
    explained_once = [ruled.allocation for _, one in explanations for ruled in one.records]
    assert sorted(explained_once, key=repr) == sorted(
        (a for a in world.allocations if a.cost_center), key=repr
    )
    for _, one in explanations:
        assert sum(Fraction(ruled.allocation.quantity) for ruled in one.records) == Fraction(
            one.line.acus
        )
        assert one.group
        assert abs(Fraction(one.group.exact_amount) - Fraction(one.group.target)) <= Fraction(1, 2)
        assert (one.whole is None) == (kind == "prices")


@pytest.mark.parametrize("kind", CARDS)
def test_a_group_is_all_lines_that_are_rounded_together_nobodys_included(kind):
    world = charged([*THREE, record(("", ROBOT), "0.003")], RULES, CARDS[kind])
    groups = {one.group for _, one in everything(world) if one.line.product == "devin"}
    (group,) = groups
    assert group
    assert group.lines == 4
    assert group.target == world.statement.tie_out.chargeable_amount
    exact = sum(Fraction(one.exact_amount) for one in world.allocations)
    assert Fraction(group.exact_amount) == exact
    lines = [one.line for _, one in everything(world)]
    nobodys = Fraction(world.statement.unallocated.amount)
    assert sum(Fraction(line.amount) for line in lines) + nobodys == Fraction(group.target)


def test_groups_are_of_one_product_and_unit_price():
    found = [*THREE, record(("", ADA), "1", day=SECOND), record(("", ADA), "2", "cascade")]
    groups = {
        (one.line.product, str(one.line.unit_price)): one.group
        for one in lines_of(charged(found, RULES), "CC-1")
    }
    assert {key: (group.lines, str(group.target)) for key, group in groups.items() if group} == {
        ("cascade", "1.75"): (1, "3.50"),
        ("devin", "1.9"): (1, "1.90"),
        ("devin", "2.005"): (3, "30.68"),  # 15.3025 ACUs, 30.6815125
    }
    assert groups["devin", "2.005"]
    assert (
        groups["devin", "2.005"].raised == 1
    )  # 14.035, 10.0300125, 6.6165: down to 30.67, so one goes up


def test_equal_prices_of_two_dates_are_one_line_with_both_rates():
    prices = (
        Price(date.min, Decimal("2.0"), "rates.yaml:3"),
        Price(SECOND, Decimal("2.00"), "rates.yaml:4"),
    )
    card = replace(PRICES, prices={"devin": prices})
    found = [record(("", ADA), "1"), record(("", ADA), "1", day=SECOND)]
    (one,) = lines_of(charged(found, RULES, card), "CC-1")
    assert [ruled.allocation.rate for ruled in one.records] == ["rates.yaml:3", "rates.yaml:4"]
    assert foots(one)


def test_an_unpriced_line_comes_to_nothing():
    (one,) = lines_of(charged([record(("", ADA), "3", "review")], RULES), "CC-1")
    assert one.line.unit_price is None
    assert one.group
    assert (one.group.lines, one.group.exact_amount, one.group.target) == (1, 0, 0)
    assert foots(one)


# Rules


def ruled(found: Iterable[UsageRecord], *rules: Rule) -> list[tuple[str, str] | None]:
    world = charged(found, rules_of(*rules))
    return [
        one.rule and (one.rule.section, one.rule.key)
        for _, line in everything(world)
        for one in line.records
    ]


def test_a_key_is_found_even_where_others_stand_on_its_line():
    same_line = [
        rule("users", "u-ada", "CC-1", line=3),
        rule("users", "u-alan", "CC-1", line=3),
        rule("orgs", "org-1", "CC-1", line=3),
    ]
    found = [record(("", ADA), "1"), record(("org-1", ALAN), "1"), record(("org-1", ROBOT), "1")]
    assert ruled(found, *same_line) == [("users", "u-ada"), ("orgs", "org-1"), ("users", "u-alan")]


def test_the_key_of_a_dated_value_is_the_one_that_held_on_the_day():
    later = rule("users", "u-ada", "CC-1", line=3, start=SECOND)
    export = rule("user_file", "ada.byron@acme.example", "CC-1", line=3)
    found = [record(("", ADA), "1"), record(("", ADA), "1", day=SECOND)]
    assert ruled(found, later, export) == [
        ("users", "u-ada"),  # 1.9 comes before 2.005
        ("user_file", "ada.byron@acme.example"),
    ]


def test_what_no_rule_covers_has_no_key():
    world = charged([record(("", ADA), "1")], rules_of(bearer="CC-9"))
    (one,) = lines_of(world, "CC-9")
    assert [(found.rule, found.allocation.cause) for found in one.records] == [
        (None, "unmapped user")
    ]


# Fees, transfers, pools


def changed(rules: Rules = RULES, pools: tuple[Pool, ...] = (), **card) -> World:
    return charged(THREE, replace(rules, pools=pools), replace(PRICES, **card))


def test_a_percentage_rests_on_the_usage_lines():
    fees = (Fee(name="Support", fraction=Decimal("0.025"), to=("CC-1",), source="rates.yaml:20"),)
    one = lines_of(changed(fees=fees), "CC-1")[-1]
    assert (one.line.kind, one.group, one.records) == ("fee", None, ())
    assert [(found.cost_center, str(found.line.amount)) for found in one.behind] == [
        ("CC-1", "14.03")
    ]
    assert Fraction(one.line.exact_amount) == Fraction("14.03") * Fraction("0.025")
    assert foots(one)


def test_an_amount_rests_on_nothing_and_is_rounded_by_itself():
    fees = (Fee(name="Platform", amount=Decimal("10.005"), source="rates.yaml:20"),)
    one = lines_of(changed(fees=fees), "CC-1")[-1]
    assert (one.behind, one.group, str(one.rounding)) == ((), None, "0.005")
    assert foots(one)


def test_a_transfer_stands_against_its_opposite():
    transfers = tuple(
        Transfer(
            cycle=FIRST,
            giver="CC-1",
            receiver="CC-2",
            amount=Decimal(amount),
            reason="Ticket",
            source=source,
        )
        for amount, source in ((5, "rates.yaml:21"), (7, "rates.yaml:22"))
    )
    world = changed(transfers=transfers)
    for code, opposite in (("CC-1", "CC-2"), ("CC-2", "CC-1")):
        moved = [one for one in lines_of(world, code) if one.line.kind == "transfer"]
        assert len(moved) == 2
        for one in moved:
            (found,) = one.behind
            assert (found.cost_center, found.line.amount) == (opposite, -one.line.amount)
            assert found.line.source == one.line.source
            assert foots(one)


@pytest.mark.parametrize("basis", ["proportional", "even", "shares"])
def test_a_pool_shows_what_it_had_and_who_took_it_over(basis):
    shares = Split(
        shares=(Share("CC-1", Decimal("0.3"), "0.3"), Share("CC-2", Decimal("0.7"), "0.7"))
    )
    split = shares if basis == "shares" else None
    pool = Pool(cost_center="CC-9", basis=basis, split=split, source="mapping.yaml:30")
    fees = (Fee(name="Platform", amount=Decimal("0.335"), to=("CC-9",), source="rates.yaml:20"),)
    world = changed(pools=(pool,), fees=fees)
    had = [
        (found.line.kind, str(found.line.amount)) for found in lines_of(world, "CC-1")[-1].behind
    ]
    assert had == [("usage", "6.62"), ("fee", "0.34")]
    for code in ("CC-1", "CC-2"):
        one = lines_of(world, code)[-1]
        assert one.group
        assert (one.line.kind, one.line.counterpart, one.line.source) == (
            "pool",
            "CC-9",
            "mapping.yaml:30",
        )
        assert (one.group.lines, str(one.group.target), one.group.exact_amount) == (
            2,
            "6.96",
            Decimal("6.96"),
        )
        assert foots(one)
    counter = lines_of(world, "CC-9")[-1]
    assert (str(counter.line.amount), counter.group) == ("-6.96", None)
    assert [found.cost_center for found in counter.behind] == ["CC-1", "CC-2"]
    assert sum(found.line.amount for found in counter.behind) == Decimal("6.96")


def test_a_pool_that_shares_another_has_what_it_took_over():
    pools = (
        Pool(
            cost_center="CC-9",
            basis="shares",
            split=Split(shares=(Share("CC-2", Decimal(1), "1"),)),
            source="mapping.yaml:30",
        ),
        Pool(cost_center="CC-2", basis="even", source="mapping.yaml:31"),
    )
    world = changed(pools=pools)
    one = lines_of(world, "CC-1")[-1]
    assert [(found.line.kind, str(found.line.amount)) for found in one.behind] == [
        ("usage", "10.03"),
        ("pool", "6.62"),
    ]
    assert one.group
    assert str(one.group.target) == "16.65"
    assert all(foots(found) for _, found in everything(world))
