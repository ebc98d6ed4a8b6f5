"""The laws of charging, over all policies: a second reading in Fractions gives every line.

Quantities are coarse enough for the second reading to need no intermediate grain: two parts of one
amount are either equal or further apart than 1e-12, so that the largest remainders are those of the
exact shares.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import (
    ROUND_UP,
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    Rounded,
    Subnormal,
    Underflow,
    localcontext,
)
from fractions import Fraction
from random import Random
from typing import NamedTuple

from hypothesis import assume, given
from hypothesis import strategies as st

from reportgen.core.allocating.allocate import allocate, timelines
from reportgen.core.charging.charges import charge_cycle
from reportgen.core.charging.rate import rate, whole_cycle
from reportgen.core.comparing.compare import changes, totals_of
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import (
    Allocation,
    CostCenter,
    CycleTotals,
    DatedSplit,
    Directory,
    Fee,
    Heading,
    Mapping,
    Pool,
    Price,
    RateCard,
    Recover,
    Rule,
    Share,
    Split,
    Statement,
    Tier,
    Transfer,
    Usage,
    UsageRecord,
    VendorInvoice,
)
from reportgen.core.problem import Problem, errors
from reportgen.core.proving.statement import statement
from reportgen.core.written.statement_json import statement_json
from tests.core.reckoning import (
    NOTHING,
    NamedLine,
    Part,
    Reckoned,
    UsageLine,
    half_up,
    reckon,
    whole_amount,
)
from tests.examples import examples

FIRST, SECOND, THIRD = date(2025, 12, 5), date(2025, 12, 15), date(2026, 1, 4)
CYCLE = BillingCycle(start=FIRST, end=date(2026, 1, 5), after=0, before=0)
HOLDERS = {
    "CC-1": ("Engineering", "1000"),
    "CC-2": ("Engineering", None),
    "CC-3": (None, "1000"),
    "CC-4": ("Sales", "2000"),
    "CC-9": (None, None),
}
CODES = tuple(HOLDERS)
CENTERS = tuple(
    CostCenter(code=code, name=f"Name of {code}", department=department, entity=entity)
    for code, (department, entity) in HOLDERS.items()
)
NOBODY = ""


class World(NamedTuple):
    """A cycle to be charged."""

    parts: list[Part]
    card: RateCard
    mapping: Mapping


class Made(NamedTuple):
    """What the code under test makes of it."""

    result: Statement
    problems: list[Problem]


def allocation(part: Part) -> Allocation:
    record = UsageRecord(part.day, part.product, *part.place, "", part.quantity, ("x",))
    cause = "unmapped user" if part.kind == "unallocated" else ""
    return Allocation(
        record, part.cost_center, part.kind, cause, "mapping.yaml:1", "1", part.quantity
    )  # type: ignore[arg-type]


def control_of(quantities: Iterable[tuple[date, str, Decimal]]) -> Usage:
    sums: dict[tuple[date, str], Fraction] = defaultdict(Fraction)
    for day, product, quantity in quantities:
        sums[day, product] += Fraction(quantity)
    exact = {
        cell: Decimal(f"{(acus * 10**12).numerator}e-12") for cell, acus in sums.items() if acus
    }
    return Usage(control=exact, records=(), balancing={})


def usage_of(world: World) -> Usage:
    return control_of((one.day, one.product, one.quantity) for one in world.parts)


def made(world: World, usage: Usage) -> Made:
    return charged([allocation(one) for one in world.parts], world.card, world.mapping, usage)


def charged(
    allocations: Iterable[Allocation], card: RateCard, mapping: Mapping, usage: Usage
) -> Made:
    heading = Heading(
        enterprise="Acme", status="draft", cycle=CYCLE, currency="USD", decimals=card.decimals
    )
    whole, problems = whole_cycle(card, usage.control, FIRST)
    priced = tuple(rate(allocations, card, whole))
    charges, found = charge_cycle(priced, usage.control, mapping, card, whole=whole, cycle=CYCLE)
    numbers = {code: f"CB-{code}" for code in CODES}
    result, warnings = statement(
        heading, usage, priced, charges, mapping, card=card, numbers=numbers
    )
    return Made(result, [*problems, *found, *warnings])


# Worlds

PLACES = [
    ("", "user", "ada"),
    ("org-1", "user", "ada"),
    ("", "user", "alan"),
    ("org-1", "", ""),
    ("", "", ""),
]
PRODUCTS = ("cascade", "devin", "review")
thousandths = (
    st.integers(1, 50_000) | st.sampled_from((1000, 1000, 500, 333)) | st.integers(-5000, -1)
)
quantities = st.builds(lambda steps: Decimal(f"{steps}e-3"), thousandths)
dated_prices = st.dictionaries(
    st.sampled_from((date.min, SECOND)),
    st.sampled_from(("2.00", "1.75", "0", "0.333", "0.001")),
    min_size=1,
)
bounds = st.lists(st.sampled_from(("0.001", "1", "10", "33.5", "60")), max_size=3, unique=True)
codes = st.sampled_from(CODES)
fee_amounts = st.sampled_from(("500.00", "0.004", "0.005", "-3.335", "33.333"))
fee_parts = st.sampled_from(("0.025", "-0.1", "0.0005", "1"))
fees = st.builds(
    lambda name, amount, fraction, to: Fee(
        name=name,
        to=to,
        amount=Decimal(amount) if fraction is None else None,
        fraction=fraction and Decimal(fraction),
    ),
    st.sampled_from(("Support", "Platform team")),
    fee_amounts,
    st.none() | fee_parts,
    st.none() | st.lists(codes, min_size=1, max_size=3, unique=True).map(tuple),
)
transfers = st.builds(
    lambda cycle, both, amount, reason: Transfer(
        cycle=cycle, giver=both[0], receiver=both[1], amount=Decimal(amount), reason=reason
    ),
    st.sampled_from((FIRST, FIRST, FIRST, SECOND)),
    st.lists(codes, min_size=2, max_size=2, unique=True),
    st.sampled_from(("150.00", "0.01", "7.775")),
    st.sampled_from(("Ticket 1", "Ticket 2")),
)


@st.composite
def cards(draw: st.DrawFn) -> RateCard:
    decimals = draw(st.sampled_from((2, 2, 0, 3)))
    bare = RateCard(
        currency="USD",
        decimals=decimals,
        fees=tuple(draw(st.lists(fees, max_size=3))),
        transfers=tuple(draw(st.lists(transfers, max_size=3))),
        source="rates.yaml",
    )
    policy = draw(st.sampled_from(("prices", "tiers", "recover")))
    if policy == "prices":
        drawn = draw(
            st.dictionaries(st.sampled_from(("cascade", "devin", "*")), dated_prices, max_size=3)
        )
        prices = {
            product: tuple(
                Price(start, Decimal(dated[start]), "rates.yaml:3") for start in sorted(dated)
            )
            for product, dated in drawn.items()
        }
        return replace(bare, prices=prices)
    if policy == "tiers":
        ends = [*sorted(map(Decimal, draw(bounds))), None]
        prices_of = draw(
            st.lists(st.sampled_from(("2.00", "1.755", "0", "2.25")), min_size=4, max_size=4)
        )
        tiers = (
            Tier(end, Decimal(price), "rates.yaml:4")
            for end, price in zip(ends, prices_of, strict=False)
        )
        return replace(bare, tiers=tuple(tiers))
    steps = draw(st.integers(1, 10**7) | st.sampled_from((0, 1, 2, 100_000, -50_000)))
    amount = Decimal(f"{steps}e-{decimals}")
    listed = draw(
        st.dictionaries(
            st.sampled_from(PRODUCTS), st.sampled_from(("0", "0.8", "1", "2")), max_size=3
        )
    )
    weights = {product: Decimal(weight) for product, weight in listed.items()}
    vendor = VendorInvoice(number="INV-1", amount=amount, acus=None, source="rates.yaml:9")
    recover = Recover(weights=weights, source="rates.yaml:5")
    return replace(bare, recover=recover, vendor_invoices={FIRST: vendor})


@st.composite
def pooled(draw: st.DrawFn) -> tuple[Pool, ...]:
    """Give pools whose shares lead to later cost centers of some order, so without a circle."""
    order = draw(st.permutations(CODES))
    pools = []
    for place, code in enumerate(order[:-1]):
        if len(pools) < 3 and draw(st.booleans()):
            basis = draw(st.sampled_from(("proportional", "even", "shares")))
            split = draw(splits(order[place + 1 :])) if basis == "shares" else None
            pools.append(
                Pool(cost_center=code, basis=basis, split=split, source=f"mapping.yaml:{code}")
            )
    return tuple(pools)


@st.composite
def splits(draw: st.DrawFn, among: Iterable[str] = CODES) -> Split:
    to = sorted(draw(st.lists(st.sampled_from(list(among)), min_size=1, max_size=3, unique=True)))
    if draw(st.booleans()):
        weights = [draw(st.integers(1, 3)) for _ in to]
        shares = (
            Share(code, Decimal(one), f"{one}/{sum(weights)}")
            for code, one in zip(to, weights, strict=True)
        )
        return Split(shares=tuple(shares), by_weight=True)
    fractions = {1: ("1",), 2: ("0.7", "0.3"), 3: ("0.333", "0.333", "0.334")}[len(to)]
    return Split(
        shares=tuple(
            Share(code, Decimal(one), one) for code, one in zip(to, fractions, strict=True)
        )
    )


bearers = st.sampled_from((None, "CC-1", "CC-9"))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    bearer = draw(bearers)
    to_whom = st.sampled_from(
        [*((code, "usage") for code in CODES), (bearer or NOBODY, "unallocated")]
    )
    drawn = draw(
        st.lists(
            st.tuples(
                st.sampled_from((FIRST, SECOND, THIRD)),
                st.sampled_from(PRODUCTS),
                st.sampled_from(PLACES),
                to_whom,
                quantities,
            ),
            max_size=10,
        )
    )
    parts = [Part(day, product, place, *who, acus) for day, product, place, who, acus in drawn]
    return World(
        parts,
        draw(cards()),
        Mapping(cost_centers=CENTERS, rules=(), unallocated=bearer, pools=draw(pooled())),
    )


@st.composite
def chargeable_worlds(draw: st.DrawFn) -> tuple[World, Made, Reckoned]:
    world = draw(worlds())
    found = made(world, usage_of(world))
    assume(not errors(found.problems))
    return world, found, reckon(*world[:2], world.mapping, FIRST)


# Every line


def lines_of(result: Statement, world: World) -> tuple[Counter[UsageLine], Counter[NamedLine]]:
    """Read the lines of all invoices, exact amounts left to be compared on their own."""
    usage, named = Counter[UsageLine](), Counter[NamedLine]()
    by_share = {pool.cost_center for pool in world.mapping.pools if pool.split}
    for invoice in result.invoices:
        code = invoice.cost_center.code
        for line in invoice.lines:
            amount = Fraction(line.amount)
            if line.of_usage:
                price = None if line.unit_price is None else Fraction(line.unit_price)
                usage[
                    UsageLine(
                        code, line.kind, line.product, price, Fraction(line.acus), NOTHING, amount
                    )
                ] += 1
            else:
                share = line.share if line.kind == "fee" or line.counterpart in by_share else None
                named[
                    NamedLine(code, line.kind, line.name, line.counterpart, share, NOTHING, amount)
                ] += 1
    return usage, named


@given(chargeable_worlds())
@examples(250)
def test_every_line_is_what_a_second_reading_makes_of_it(drawn):
    world, (result, _), expected = drawn
    usage, named = lines_of(result, world)
    assert usage == Counter(
        line._replace(exact=NOTHING) for line in expected.usage if line.code != NOBODY
    )
    assert named == Counter(line._replace(exact=NOTHING) for line in expected.named)
    nobodys = [line for line in expected.usage if line.code == NOBODY]
    assert Fraction(result.tie_out.unborne_amount) == sum(
        (line.amount for line in nobodys), NOTHING
    )


@given(chargeable_worlds())
@examples(120)
def test_no_line_moves_by_a_step_and_exact_amounts_are_exact(drawn):
    world, (result, _), expected = drawn
    step = Fraction(1, 10**world.card.decimals)
    exact = {
        (line.code, line.kind, line.product, line.unit_price): line.exact for line in expected.usage
    }
    grain = Fraction(
        0 if world.card.prices or not (world.card.tiers or world.card.recover) else 1, 10**12
    )
    for invoice in result.invoices:
        for line in invoice.lines:
            assert abs(Fraction(line.amount) - Fraction(line.exact_amount)) < step
            assert -line.amount.as_tuple().exponent == world.card.decimals
            assert not (line.amount.is_signed() and not line.amount)
            if line.of_usage:
                price = None if line.unit_price is None else Fraction(line.unit_price)
                true = exact[invoice.cost_center.code, line.kind, line.product, price]
                error = abs(Fraction(line.exact_amount) - true)
                assert error < grain or not error


# The identities


@given(chargeable_worlds())
@examples(120)
def test_what_is_chargeable_and_the_fees_are_invoiced_or_borne_by_nobody(drawn):
    world, (result, _), expected = drawn
    tie = result.tie_out
    fees_amount = sum((line.amount for line in expected.named if line.kind == "fee"), NOTHING)
    invoiced = sum((expected.amount_of(code) for code in CODES), NOTHING)
    assert tie.holds
    assert Fraction(tie.chargeable_amount) == expected.chargeable
    assert Fraction(tie.fees_amount) == fees_amount
    assert Fraction(tie.invoiced_amount) == invoiced
    assert expected.chargeable + fees_amount == invoiced + expected.amount_of(NOBODY)
    if world.card.recover:
        vendor = Fraction(world.card.vendor_invoices[FIRST].amount)
        assert vendor == Fraction(tie.invoiced_amount) - fees_amount + Fraction(tie.unborne_amount)
        assert Fraction(tie.over_recovery_amount) == invoiced - vendor
    if world.card.tiers:
        assert expected.chargeable == whole_amount(world.parts, world.card, FIRST)


@given(chargeable_worlds())
@examples(120)
def test_a_pool_closes_at_zero_and_transfers_net_to_zero(drawn):
    world, (result, _), _ = drawn
    lines = [
        (invoice.cost_center.code, line) for invoice in result.invoices for line in invoice.lines
    ]
    assert sum(Fraction(line.amount) for _, line in lines if line.kind == "transfer") == 0
    assert sum(Fraction(line.amount) for _, line in lines if line.kind == "pool") == 0
    by_code = {invoice.cost_center.code: invoice for invoice in result.invoices}
    for pool in world.mapping.pools:
        code = pool.cost_center
        assert by_code[code].amount == 0
        had = sum(
            (
                Fraction(line.amount)
                for to, line in lines
                if to == code and (line.kind != "pool" or line.counterpart)
            ),
            NOTHING,
        )
        assert (
            sum(
                (
                    Fraction(line.amount)
                    for _, line in lines
                    if line.kind == "pool" and line.counterpart == code
                ),
                NOTHING,
            )
            == had
        )
        if pool.basis != "shares":
            receiving = {
                to for to, line in lines if line.kind == "pool" and line.counterpart == code
            }
            assert not receiving & {
                world.mapping.unallocated,
                *(one.cost_center for one in world.mapping.pools),
            }


@given(worlds())
@examples(120)
def test_what_cannot_be_charged_is_reported_and_nothing_else_is(world):
    usage = usage_of(world)
    found = {problem.source for problem in errors(made(world, usage).problems)}
    weights = world.card.recover.weights if world.card.recover else {}
    weight = sum(
        (Fraction(one.quantity) * Fraction(weights.get(one.product, 1)) for one in world.parts),
        NOTHING,
    )
    vendor = world.card.vendor_invoices.get(FIRST)
    if world.card.recover and vendor and vendor.amount and not weight:
        assert "rates.yaml:5" in found
    elif world.card.tiers and usage.control and not weight:
        assert "rates.yaml" in found
    else:
        expected = reckon(*world[:2], world.mapping, FIRST)
        assert found == {f"mapping.yaml:{code}" for code in expected.unshared}


# Breakdowns


def foots(parts: Iterable[object], amount: Decimal) -> bool:
    return sum((Fraction(one.amount) for one in parts), NOTHING) == Fraction(amount)  # type: ignore[attr-defined]


@given(chargeable_worlds())
@examples(120)
def test_every_breakdown_foots(drawn):
    world, (result, _), _ = drawn
    assert foots(result.by_month, result.tie_out.invoiced_amount)
    assert sum(Fraction(one.acus) for one in result.by_month) == sum(
        Fraction(one.borne_acus) for one in result.invoices
    )
    for subtotals, place in ((result.by_department, 0), (result.by_entity, 1)):
        assert foots(subtotals, result.tie_out.invoiced_amount)
        held: dict[str, set[str]] = defaultdict(set)
        for code, holder in HOLDERS.items():
            held[holder[place] or ""].add(code)
        assert {one.name: set(one.cost_centers) for one in subtotals} == held
        assert [one.name for one in subtotals] == sorted(held, key=lambda name: (not name, name))
        for one in subtotals:
            assert foots(
                (
                    invoice
                    for invoice in result.invoices
                    if invoice.cost_center.code in held[one.name]
                ),
                one.amount,
            )
    for invoice in result.invoices:
        assert foots(invoice.lines, invoice.amount)
        assert foots(invoice.by_month, invoice.amount)
        assert foots(
            invoice.by_principal,
            sum((line.amount for line in invoice.lines if line.of_usage), Decimal()),
        )
        own = [one for one in world.parts if one.cost_center == invoice.cost_center.code]
        for breakdown in (invoice.by_month, invoice.by_principal, invoice.detail):
            assert sum(Fraction(one.acus) for one in breakdown) == sum(
                Fraction(one.quantity) for one in own
            )


@given(chargeable_worlds())
@examples(120)
def test_a_months_part_of_an_invoice_is_that_of_its_lines(drawn):
    world, (result, _), _ = drawn
    step = Fraction(1, 10**world.card.decimals)
    for invoice in result.invoices:
        near: dict[str, Fraction] = defaultdict(Fraction)
        for row in invoice.detail:
            near[row.day.isoformat()[:7]] += Fraction(row.exact_amount)
        near[""] += sum(
            (Fraction(line.amount) for line in invoice.lines if not line.of_usage), NOTHING
        )
        usage_count = sum(line.of_usage for line in invoice.lines)
        for month in invoice.by_month:
            assert abs(Fraction(month.amount) - near[month.name]) <= step * usage_count


# Order and context

HOSTILE = Context(
    prec=1,
    rounding=ROUND_UP,
    Emin=0,
    Emax=0,
    traps=[
        Clamped,
        DivisionByZero,
        Inexact,
        InvalidOperation,
        Overflow,
        Rounded,
        Subnormal,
        Underflow,
    ],
)


def shuffled(world: World, random: Random) -> World:
    def mixed(values: Iterable[object]) -> tuple:  # type: ignore[type-arg]
        found = list(values)
        random.shuffle(found)
        return tuple(found)

    card, mapping = world.card, world.mapping
    recover = card.recover and replace(
        card.recover, weights=dict(mixed(card.recover.weights.items()))
    )
    pools = [
        replace(pool, split=pool.split and replace(pool.split, shares=mixed(pool.split.shares)))
        for pool in mapping.pools
    ]
    return World(
        list(mixed(world.parts)),
        replace(
            card,
            fees=mixed(replace(fee, to=fee.to and mixed(fee.to)) for fee in card.fees),
            transfers=mixed(card.transfers),
            prices=dict(mixed(card.prices.items())),
            recover=recover,
        ),
        replace(mapping, cost_centers=mixed(mapping.cost_centers), pools=mixed(pools)),
    )


@given(worlds(), st.randoms(use_true_random=False))
@examples(120)
def test_no_order_changes_a_byte(world, random):
    once = made(world, usage_of(world))
    turned = shuffled(world, random)
    again = made(turned, usage_of(turned))
    assert statement_json(again.result) == statement_json(once.result)
    assert sorted(again.problems) == sorted(once.problems)
    assert again.result.invoices == once.result.invoices


@given(worlds())
@examples(60)
def test_the_context_of_the_caller_changes_nothing(world):
    usage = usage_of(world)
    once = made(world, usage)
    with localcontext(HOSTILE):
        again = made(world, usage)
        written = statement_json(again.result)
    assert (again, written) == (once, statement_json(once.result))


@st.composite
def ruled(draw: st.DrawFn) -> tuple[list[UsageRecord], Mapping, RateCard]:
    """Give records and rules, some of them splits, instead of what has been allocated."""
    keys = [("users", "ada"), ("users", "alan"), ("orgs", "org-1")]
    rules = []
    for section, key in keys:
        if draw(st.booleans()):
            values = tuple(
                DatedSplit(
                    start=start, split=draw(splits()), source=f"mapping.yaml:{section}-{key}"
                )
                for start in (date.min, SECOND)[: draw(st.integers(1, 2))]
            )
            rules.append(Rule(section=section, key=key, values=values, source="mapping.yaml:1"))  # type: ignore[arg-type]
    cells = st.tuples(
        st.sampled_from((FIRST, SECOND)), st.sampled_from(PRODUCTS), st.sampled_from(PLACES)
    )
    drawn = draw(st.dictionaries(cells, quantities, max_size=8))
    records = [
        UsageRecord(day, product, *place, "", acus, ("x",))
        for (day, product, place), acus in drawn.items()
    ]
    mapping = Mapping(
        cost_centers=CENTERS, rules=tuple(rules), unallocated=draw(bearers), pools=draw(pooled())
    )
    return records, mapping, draw(cards())


@given(ruled(), st.randoms(use_true_random=False))
@examples(100)
def test_neither_the_order_of_records_nor_of_rules_changes_a_byte(drawn, random):
    records, mapping, card = drawn
    usage = control_of((record.day, record.product, record.quantity) for record in records)

    def written(found: list[UsageRecord], rules: tuple[Rule, ...]) -> str:
        resolved, problems = timelines(found, replace(mapping, rules=rules), Directory())
        assert not problems
        result, failed = charged(allocate(found, resolved), card, mapping, usage)
        assert result.tie_out.difference_acus == 0
        assert errors(failed) or result.tie_out.holds
        return statement_json(result)

    turned = (
        random.sample(records, len(records)),
        tuple(random.sample(mapping.rules, len(mapping.rules))),
    )
    assert written(*turned) == written(records, mapping.rules)


# Comparison


@given(worlds(), worlds())
@examples(80)
def test_before_and_the_change_make_after_and_the_opposite_comparison_the_opposite_change(
    first, second
):
    worlds_of = [replace_decimals(world, 2) for world in (first, second)]
    before, after = (totals_of(made(world, usage_of(world)).result) for world in worlds_of)
    forth, back = changes(before, after), changes(after, before)
    assert list(forth) == sorted(CODES) == list(back)
    for code in CODES:
        held = [principals_of(world, code) for world in worlds_of]
        assert set(forth[code].new) == held[1] - held[0] == set(back[code].vanished)
        assert set(forth[code].vanished) == held[0] - held[1] == set(back[code].new)
        pairs = [
            (forth[code].whole, back[code].whole),
            *zip(forth[code].by_product, back[code].by_product, strict=True),
        ]
        for there, again in pairs:
            assert (there.before, there.after) == (again.after, again.before)
            for figure in ("acus", "amount"):
                old, new = (
                    Fraction(getattr(totals, figure)) for totals in (there.before, there.after)
                )
                assert old + Fraction(getattr(there, figure)) == new
                assert getattr(there, figure) == -getattr(again, figure)
    assert moved(forth) == Fraction(after.invoiced_amount) - Fraction(before.invoiced_amount)
    assert all(
        not change.whole.acus and not change.whole.amount
        for change in changes(before, before).values()
    )


def replace_decimals(world: World, decimals: int) -> World:
    return world._replace(card=replace(world.card, decimals=decimals))


def principals_of(world: World, code: str) -> set[tuple[str, str]]:
    return {one.place[1:] for one in world.parts if one.cost_center == code and one.place[2]}  # type: ignore[misc]


def moved(found: dict) -> Fraction:  # type: ignore[type-arg]
    return sum((Fraction(change.whole.amount) for change in found.values()), NOTHING)


def test_a_cost_center_that_one_statement_does_not_know_came_or_went_as_a_whole():
    part = Part(FIRST, "devin", ("", "user", "ada"), "CC-1", "usage", Decimal("1.5"))
    price = {"*": (Price(date.min, Decimal("2.00"), "rates.yaml:3"),)}
    card = RateCard(currency="USD", decimals=2, prices=price, source="rates.yaml")
    world = World([part], card, Mapping(cost_centers=CENTERS, rules=()))
    after = totals_of(made(world, usage_of(world)).result)
    before = CycleTotals(
        cycle=CYCLE,
        status="draft",
        currency="USD",
        decimals=2,
        control_acus=Decimal(0),
        invoiced_amount=Decimal(0),
        cost_centers={},
    )
    (came,) = [change for change in changes(before, after).values() if change.whole.amount]
    assert (came.cost_center, came.name, str(came.whole.amount), str(came.whole.acus)) == (
        "CC-1",
        "Name of CC-1",
        "3.00",
        "1.5",
    )
    assert [(change.product, str(change.amount)) for change in came.by_product] == [
        ("devin", "3.00")
    ]
    assert came.new == (("user", "ada"),)
    went = changes(after, before)["CC-1"]
    assert (went.name, str(went.whole.amount), went.vanished) == (
        "Name of CC-1",
        "-3.00",
        (("user", "ada"),),
    )


def test_the_second_reading_rounds_as_it_is_written():
    assert half_up(Fraction("0.005"), 2) == Fraction("0.01")
    assert half_up(Fraction("-0.005"), 2) == Fraction("-0.01")
