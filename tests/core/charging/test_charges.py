"""Charging worked by hand: recover, tiers, fees, transfers, pools; all computed on paper."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from reportgen.core.model import (
    Fee,
    Mapping,
    Pool,
    PoolBasis,
    Price,
    RateCard,
    Recover,
    Share,
    Split,
    Tier,
    Transfer,
    VendorInvoice,
)
from reportgen.core.problem import errors
from reportgen.core.written.statement_json import statement_json
from tests.core.reckoning import Part
from tests.core.test_laws import CENTERS, CODES, FIRST, NOBODY, SECOND, Made, World, made, usage_of

CARD = RateCard(currency="USD", decimals=2, source="rates.yaml")


def part(code: str, acus: str, product: str = "devin", who: str = "ada", day: date = FIRST) -> Part:
    return Part(
        day, product, ("", "user", who), code, "usage" if code else "unallocated", Decimal(acus)
    )


def priced(**prices: str) -> RateCard:
    found = {
        product: (Price(date.min, Decimal(price), "rates.yaml:3"),)
        for product, price in prices.items()
    }
    return replace(CARD, prices=found)


def recovering(amount: str, decimals: int = 2, **weights: str) -> RateCard:
    listed = {product: Decimal(weight) for product, weight in weights.items()}
    vendor = VendorInvoice(number="INV-1", amount=Decimal(amount), acus=None, source="rates.yaml:9")
    recover = Recover(weights=listed, source="rates.yaml:5")
    return replace(CARD, decimals=decimals, recover=recover, vendor_invoices={FIRST: vendor})


def pool(code: str, basis: PoolBasis = "proportional", **shares: str) -> Pool:
    found = tuple(
        Share(to.replace("_", "-"), Decimal(share), share) for to, share in shares.items()
    )
    return Pool(
        cost_center=code,
        basis=basis,
        split=Split(shares=found) if found else None,
        source=f"m:{code}",
    )


def charge(
    parts: Iterable[Part], card: RateCard, pools: tuple[Pool, ...] = (), bearer: str | None = None
) -> Made:
    world = World(
        list(parts), card, Mapping(cost_centers=CENTERS, rules=(), unallocated=bearer, pools=pools)
    )
    return made(world, usage_of(world))


def written(found: Made) -> dict[str, str]:
    """Write what stands on each invoice: kind of line and amount."""
    assert found.result.tie_out.holds
    assert not errors(found.problems)
    return {
        invoice.cost_center.code: ", ".join(f"{line.kind} {line.amount}" for line in invoice.lines)
        for invoice in found.result.invoices
        if invoice.lines
    }


def totals(found: Made) -> dict[str, str]:
    assert found.result.tie_out.holds
    return {one.cost_center.code: str(one.amount) for one in found.result.invoices if one.lines}


# Usage


def test_three_cost_centers_and_nobody_with_ten_and_four_thousandths_each():
    # 4 x 10.004 = 40.016, which is 40.02; 40.00 rounded down, so two go up: the first by code
    found = charge(
        [part(code, "5.002") for code in ("CC-1", "CC-2", "CC-3", NOBODY)], priced(devin="2.00")
    )
    assert written(found) == {"CC-1": "usage 10.01", "CC-2": "usage 10.01", "CC-3": "usage 10.00"}
    assert str(found.result.unallocated.amount) == "10.00"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_vendors_invoice_is_recovered_by_acus(order):
    parts = [part("CC-1", "60"), part("CC-2", "30"), part(NOBODY, "10")]
    found = charge([parts[index] for index in order], recovering("1000.00"))
    assert written(found) == {"CC-1": "usage 600.00", "CC-2": "usage 300.00"}
    assert (str(found.result.unallocated.amount), str(found.result.tie_out.unborne_amount)) == (
        "100.00",
        "100.00",
    )
    assert str(found.result.tie_out.over_recovery_amount) == "-100.00"
    borne = charge(
        [*parts[:2], parts[2]._replace(cost_center="CC-9")], recovering("1000.00"), bearer="CC-9"
    )
    assert totals(borne) == {"CC-1": "600.00", "CC-2": "300.00", "CC-9": "100.00"}
    assert str(borne.result.tie_out.over_recovery_amount) == "0.00"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
def test_a_hundred_over_three_equal_products_goes_up_at_the_first_of_them(order):
    parts = [part("CC-1", "7", product) for product in ("cascade", "devin", "review")]
    found = charge([parts[index] for index in order], recovering("100.00"))
    lines = [
        (line.product, str(line.amount), str(line.unit_price))
        for line in found.result.invoices[0].lines
    ]
    # 100 / 21 is 4.76190476190…
    assert lines == [
        ("cascade", "33.34", "4.7619047619"),
        ("devin", "33.33", "4.7619047619"),
        ("review", "33.33", "4.7619047619"),
    ]
    assert totals(found) == {"CC-1": "100.00"}


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_equal_parts_of_a_recovered_invoice_go_by_code_however_many_records_they_are(order):
    # found as a defect: CC-2, made of two halves or named by an earlier record, took the cent from
    # CC-1
    parts = [
        part("CC-1", "1"),
        part("CC-2", "0.5"),
        part("CC-2", "0.5", who="alan"),
        part("CC-3", "1"),
    ]
    found = charge([parts[index] for index in order], recovering("100.00"))
    assert totals(found) == {"CC-1": "33.34", "CC-2": "33.33", "CC-3": "33.33"}
    assert [str(one.lines[0].exact_amount) for one in found.result.invoices[:3]] == [
        "33.333333333334",
        "33.333333333333",
        "33.333333333333",
    ]


def test_what_nobody_bears_is_rounded_last_under_recover():
    nobody = charge([part(NOBODY, "1"), part("CC-1", "1"), part("CC-9", "1")], recovering("100.00"))
    assert totals(nobody) == {"CC-1": "33.34", "CC-9": "33.33"}
    borne = [part("CC-9", "1"), part(NOBODY, "1")._replace(cost_center="CC-1"), part("CC-2", "1")]
    assert totals(charge(borne, recovering("100.00"), bearer="CC-1")) == {
        "CC-1": "33.33",
        "CC-2": "33.34",
        "CC-9": "33.33",
    }


def test_a_product_that_weighs_nothing_is_shown_and_costs_nothing():
    # 10 x 1 + 10 x 0.5 + 10 x 0 = 15: two thirds and a third of 100.00
    parts = [
        part("CC-1", "10", "devin"),
        part("CC-2", "10", "cascade"),
        part("CC-2", "10", "review"),
    ]
    found = charge(parts, recovering("100.00", cascade="0.5", review="0"))
    assert written(found) == {"CC-1": "usage 66.67", "CC-2": "usage 33.33, usage 0.00"}
    assert str(found.result.invoices[1].acus) == "20"
    assert str(found.result.invoices[1].lines[1].unit_price) == "0"


def test_a_weight_for_a_product_that_nobody_used_is_warned_of():
    """Mistyped, it would make every amount another without a word."""
    found = charge([part("A-1", "60")], recovering("10.00", devn="0"))
    (warning,) = [str(problem) for problem in found.problems if "devn" in str(problem)]
    assert warning.startswith(
        'rates.yaml:5: warning: nobody used the product "devn" in this cycle; did you mean "devin"?'
    )


def test_negative_acus_take_their_part_of_a_recovered_invoice_back():
    # 6 - 1 = 5 ACUs for 10.00: 2.00 each
    found = charge([part("CC-1", "6"), part("CC-2", "-1")], recovering("10.00"))
    assert totals(found) == {"CC-1": "12.00", "CC-2": "-2.00"}
    # 10 - 3 = 7 ACUs for 1.00: 1.428571… and -0.428571…; rounded down 0.99; 0.00857 goes before
    # 0.00142
    uneven = charge([part("CC-1", "10"), part("CC-2", "-3")], recovering("1.00"))
    assert totals(uneven) == {"CC-1": "1.43", "CC-2": "-0.43"}


def test_a_vendors_credit_is_recovered_as_its_opposite():
    found = charge([part("CC-1", "2"), part("CC-2", "1")], recovering("-100.00"))
    # -66.666… and -33.333…: -66.67 and -33.34 rounded down; 0.00666… goes up before 0.00333…
    assert totals(found) == {"CC-1": "-66.67", "CC-2": "-33.33"}


def test_equal_parts_of_a_credit_go_by_code():
    thirds = [part(code, "1") for code in ("CC-1", "CC-2", "CC-3")]
    # -33.333… each: -33.34 rounded down makes -100.02, so the first two by code go up
    assert totals(charge(thirds, recovering("-100.00"))) == {
        "CC-1": "-33.33",
        "CC-2": "-33.33",
        "CC-3": "-33.34",
    }


def test_a_vendors_invoice_without_acus_cannot_be_recovered():
    assert [one.source for one in errors(charge([], recovering("1.00")).problems)] == [
        "rates.yaml:5"
    ]
    assert written(charge([], recovering("0.00"))) == {}
    weightless = charge([part("CC-1", "1")], recovering("1.00", devin="0"))
    assert [one.source for one in errors(weightless.problems)] == ["rates.yaml:5"]


@pytest.mark.parametrize(
    ("decimals", "expected"), [(0, ["34", "33", "33"]), (3, ["33.334", "33.333", "33.333"])]
)
def test_a_currency_has_the_decimals_it_has(decimals, expected):
    found = charge(
        [part(code, "1") for code in ("CC-1", "CC-2", "CC-3")], recovering("100", decimals)
    )
    assert list(totals(found).values()) == expected


TIERS = replace(
    CARD,
    tiers=(
        Tier(Decimal(10), Decimal("2.00"), "t:1"),
        Tier(Decimal(15), Decimal("1.50"), "t:2"),
        Tier(None, Decimal(1), "t:3"),
    ),
)


@pytest.mark.parametrize(
    ("volume", "amount"),
    [
        ("0.001", "0.00"),
        ("0.0025", "0.01"),  # 0.005, half-up
        ("9.999", "20.00"),  # 19.998
        ("10", "20.00"),
        ("10.004", "20.01"),  # 20.006
        ("14.99", "27.49"),  # 27.485
        ("15", "27.50"),
        ("15.01", "27.51"),
        ("115", "127.50"),
        ("-1.5", "-3.00"),
    ],
)
def test_a_volume_is_priced_tier_by_tier(volume, amount):
    assert totals(charge([part("CC-1", volume)], TIERS)) == {"CC-1": amount}


def test_all_products_and_cost_centers_share_one_blended_price():
    # 20 ACUs: 20.00 + 7.50 + 5.00 = 32.50, 1.625 each
    parts = [part("CC-1", "5"), part("CC-1", "5", "cascade"), part("CC-2", "9"), part(NOBODY, "1")]
    found = charge(parts, TIERS)
    # 8.125, 8.125, 14.625, 1.625: 32.48 rounded down, the two first by code go up
    assert written(found) == {"CC-1": "usage 8.13, usage 8.13", "CC-2": "usage 14.62"}
    assert str(found.result.unallocated.amount) == "1.62"
    assert {str(line.unit_price) for one in found.result.invoices for line in one.lines} == {
        "1.6250000000"
    }


def test_a_volume_of_nothing_has_no_blended_price():
    nothing = charge([part("CC-1", "5"), part("CC-2", "-5", day=SECOND)], TIERS)
    assert [one.source for one in errors(nothing.problems)] == ["rates.yaml"]
    assert written(charge([], TIERS)) == {}


# Fees


def fee(amount: str | None = None, fraction: str | None = None, *to: str) -> Fee:
    return Fee(
        name="Support",
        amount=None if amount is None else Decimal(amount),
        fraction=None if fraction is None else Decimal(fraction),
        to=to or None,
    )


@pytest.mark.parametrize(
    ("acus", "fraction", "amount"),
    [
        ("0.20", "0.025", "0.01"),  # 0.005
        ("0.199", "0.025", "0.01"),  # of 0.20 as rounded
        ("0.194", "0.025", "0.00"),  # of 0.19: 0.00475
        ("-0.20", "0.025", "-0.01"),  # away from zero
        ("-0.10", "0.025", "0.00"),  # found as a defect: a negative zero
        ("100", "-0.1", "-10.00"),
    ],
)
def test_a_percentage_is_of_the_rounded_usage_half_up(acus, fraction, amount):
    found = charge([part("CC-1", acus)], replace(priced(devin="1"), fees=(fee(None, fraction),)))
    (line,) = [line for line in found.result.invoices[0].lines if line.kind == "fee"]
    assert str(line.amount) == amount
    assert '"-0.00"' not in statement_json(found.result)
    assert str(found.result.tie_out.fees_amount) == amount


def test_a_fee_goes_to_each_cost_center_with_usage_or_to_those_it_names():
    parts = [part("CC-2", "1"), part("CC-1", "1"), part(NOBODY, "5")]
    each = charge(parts, replace(priced(devin="2"), fees=(fee("500.005"),)), bearer="CC-9")
    assert written(each) == {"CC-1": "usage 2.00, fee 500.01", "CC-2": "usage 2.00, fee 500.01"}
    named = charge(
        parts,
        replace(priced(devin="2"), fees=(fee("7", None, "CC-3", "CC-1"), fee(None, "0.5", "CC-3"))),
    )
    assert written(named) == {
        "CC-1": "usage 2.00, fee 7.00",
        "CC-2": "usage 2.00",
        "CC-3": "fee 7.00",
    }
    assert str(named.result.tie_out.fees_amount) == "14.00"


def test_two_fees_of_one_name_stand_in_one_order():
    # found as a defect: they stood in the order of the file
    both = fee("20"), fee("10"), fee(None, "0.5")
    found = [
        charge([part("CC-1", "1")], replace(priced(devin="2"), fees=fees))
        for fees in (both, both[::-1])
    ]
    assert {written(one)["CC-1"] for one in found} == {"usage 2.00, fee 1.00, fee 10.00, fee 20.00"}


def told(found: Made) -> list[str]:
    return [str(problem) for problem in found.problems if problem.warning]


def test_fees_that_charge_nobody_are_told():
    fees = (
        Fee(name="All", fraction=Decimal("0.1"), to=("CC-1", "CC-2"), source="r:1"),
        Fee(name="Idle", fraction=Decimal("0.1"), to=("CC-2",), source="r:2"),
        Fee(name="Idlers", fraction=Decimal("0.1"), to=("CC-2", "CC-3"), source="r:3"),
        Fee(name="Fixed", amount=Decimal(1), to=("CC-2",), source="r:4"),
    )
    found = charge([part("CC-1", "1")], replace(priced(devin="2"), fees=fees))
    partly, one, several = told(found)
    assert partly == (
        'r:1: warning: the fee "All" charges 1 of the 2 that it names in this cycle: '
        '"CC-2" has no usage charges; '
        "name cost centers that have some, or leave it for the cycles to come"
    )
    assert one == (
        'r:2: warning: the fee "Idle" charges nobody in this cycle: "CC-2" has no usage charges; '
        "name cost centers that have some, or leave it for the cycles to come"
    )
    assert several.startswith('r:3: warning: the fee "Idlers" charges nobody in this cycle: ')
    assert 'none of "CC-2" and "CC-3" has usage charges' in several
    each = Fee(name="Each", amount=Decimal(1), source="r:5")
    found = charge([part(NOBODY, "1")], replace(priced(devin="2"), fees=(each,)))
    assert any("no cost center has usage charges" in warning for warning in told(found))


# Transfers


def moved(giver: str, receiver: str, amount: str, cycle: date = FIRST) -> Transfer:
    return Transfer(
        cycle=cycle,
        giver=giver,
        receiver=receiver,
        amount=Decimal(amount),
        reason="Ticket",
        source="r:8",
    )


def test_transfers_net_to_zero():
    transfers = (
        moved("CC-1", "CC-2", "150.00"),
        moved("CC-2", "CC-3", "0.005"),
        moved("CC-1", "CC-3", "9", SECOND),
    )
    found = charge([part("CC-1", "1")], replace(priced(devin="2"), transfers=transfers))
    # half-up to the cent, then once with either sign
    assert written(found) == {
        "CC-1": "usage 2.00, transfer -150.00",
        "CC-2": "transfer 150.00, transfer -0.01",
        "CC-3": "transfer 0.01",
    }
    assert str(found.result.tie_out.invoiced_amount) == "2.00"


# Pools


def test_a_pool_is_shared_in_proportion_to_usage_charges():
    # 100 ACUs at 2.00 and at 1.00: two thirds and a third, though ACUs are equal
    parts = [part("CC-1", "100"), part("CC-2", "100", "cascade"), part("CC-9", "50")]
    found = charge(parts, priced(devin="2.00", cascade="1.00"), (pool("CC-9"),))
    assert written(found) == {
        "CC-1": "usage 200.00, pool 66.67",
        "CC-2": "usage 100.00, pool 33.33",
        "CC-9": "usage 100.00, pool -100.00",
    }


def test_a_pool_is_shared_evenly_the_first_by_code_up():
    parts = [
        part(code, acus)
        for code, acus in (("CC-3", "5"), ("CC-2", "1"), ("CC-1", "0.01"), ("CC-9", "50"))
    ]
    found = charge(parts, priced(devin="2.00"), (pool("CC-9", "even"),))
    pools = {
        one.cost_center.code: str(one.lines[-1].amount)
        for one in found.result.invoices
        if one.lines
    }
    assert pools == {"CC-1": "33.34", "CC-2": "33.33", "CC-3": "33.33", "CC-9": "-100.00"}


def test_a_pool_shares_fees_and_transfers_too():
    rates = replace(
        priced(devin="1"), fees=(fee("10", None, "CC-9"),), transfers=(moved("CC-1", "CC-9", "5"),)
    )
    found = charge(
        [part("CC-1", "1"), part("CC-9", "1")], rates, (pool("CC-9", "shares", CC_2="1"),)
    )
    assert written(found)["CC-2"] == "pool 16.00"
    assert totals(found) == {"CC-1": "-4.00", "CC-2": "16.00", "CC-9": "0.00"}


def test_pools_are_shared_in_stages_without_what_came_from_pools_changing_the_proportions():
    # CC-9 gives 70 % of 100.00 to pool CC-4 and 30 % to CC-1; CC-4 shares 50.00 + 70.00 as usage
    # was: 3 to 1
    parts = [part("CC-1", "30"), part("CC-2", "10"), part("CC-4", "50"), part("CC-9", "100")]
    stages = (pool("CC-4"), pool("CC-9", "shares", CC_1="0.3", CC_4="0.7"))
    found = charge(parts, priced(devin="1.00"), stages)
    assert written(found) == {
        "CC-1": "usage 30.00, pool 90.00, pool 30.00",
        "CC-2": "usage 10.00, pool 30.00",
        "CC-4": "usage 50.00, pool -120.00, pool 70.00",
        "CC-9": "usage 100.00, pool -100.00",
    }
    assert charge(parts, priced(devin="1.00"), stages[::-1]).result == found.result


def test_a_pool_with_a_credit_is_shared_as_its_opposite():
    parts = [part(code, "1") for code in ("CC-1", "CC-2", "CC-3")]
    found = charge([*parts, part("CC-9", "-100")], priced(devin="1.00"), (pool("CC-9"),))
    assert totals(found) == {"CC-1": "-32.34", "CC-2": "-32.33", "CC-3": "-32.33", "CC-9": "0.00"}


def test_neither_pools_nor_the_bearer_of_the_unallocated_nor_a_credit_share_a_pool():
    parts = [
        part("CC-1", "1"),
        part("CC-2", "-1"),
        part("CC-3", "1"),
        part("CC-4", "10"),
        part("CC-9", "10"),
    ]
    found = charge(parts, priced(devin="1.00"), (pool("CC-4"), pool("CC-9", "even")), bearer="CC-3")
    assert written(found) == {
        "CC-1": "usage 1.00, pool 10.00, pool 10.00",
        "CC-2": "usage -1.00",
        "CC-3": "usage 1.00",
        "CC-4": "usage 10.00, pool -10.00",
        "CC-9": "usage 10.00, pool -10.00",
    }


def test_a_pool_that_nobody_shares_is_a_problem_and_stays_on_its_invoice():
    found = charge(
        [part("CC-4", "10"), part("CC-9", "10")], priced(devin="1.00"), (pool("CC-9"), pool("CC-4"))
    )
    assert [problem.source for problem in errors(found.problems)] == ["m:CC-4", "m:CC-9"]
    assert totals(found) == {"CC-4": "10.00", "CC-9": "10.00"}


def test_a_pool_to_which_nothing_was_charged_is_told():
    chained = (pool("CC-3", CC_4="1"), pool("CC-4", CC_1="1"))
    found = charge([part("CC-3", "1"), part("CC-1", "1")], priced(devin="2"), chained)
    assert told(found) == []
    (only,) = told(charge([part("CC-1", "1")], priced(devin="2"), (pool("CC-3"),)))
    assert 'warning: nothing was charged to pool "CC-3" in this cycle; ' in only


def test_a_pool_at_zero_has_no_line_of_its_own():
    empty = charge([part("CC-1", "1")], priced(devin="1.00"), (pool("CC-9"),))
    assert written(empty) == {"CC-1": "usage 1.00"}
    assert [invoice.number for invoice in empty.result.invoices] == [
        "CB-CC-1",
        *[None] * (len(CODES) - 1),
    ]


# Months


def test_a_line_is_apportioned_to_its_months_and_the_rest_stands_last():
    # 1.005 in each month, 2.01 in all: the earlier month goes up
    january = date(2026, 1, 4)
    parts = [part("CC-1", "1.005"), part("CC-1", "1.005", day=january)]
    found = charge(parts, replace(priced(devin="1.00"), fees=(fee("5"),)))
    months = [(one.name, str(one.acus), str(one.amount)) for one in found.result.by_month]
    assert months == [("2025-12", "1.005", "1.01"), ("2026-01", "1.005", "1.00"), ("", "0", "5.00")]
