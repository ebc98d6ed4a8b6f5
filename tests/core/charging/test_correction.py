"""The laws of a correction, over all policies: notes make the new total and touch nothing else."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reportgen.core.charging.charges import CycleCharges, charge_cycle
from reportgen.core.charging.correction import Stood, corrected
from reportgen.core.charging.credit_notes import Notes, changed_lines, notes_of, standing_of
from reportgen.core.charging.rate import rate, whole_cycle
from reportgen.core.model import Correcting, Heading, InvoiceLine, Standing, Statement
from reportgen.core.problem import errors
from reportgen.core.proving.statement import statement
from tests.core.reckoning import Part
from tests.core.test_laws import (
    CODES,
    CYCLE,
    FIRST,
    NOBODY,
    PLACES,
    PRODUCTS,
    World,
    allocation,
    quantities,
    usage_of,
    worlds,
)
from tests.examples import examples

NUMBERS = {code: f"CB-{code}" for code in CODES}
SMALLEST = Decimal("0.01")


def decimals(*texts: str) -> list[Decimal]:
    return list(map(Decimal, texts))


# By hand


@pytest.mark.parametrize(
    ("exact_then", "charged_then", "exact_now", "target", "amounts"),
    [
        # 10.004 + 10.004 = 20.008 -> 20.01; the first falls to 9.998: 20.002 -> 20.00
        (
            ("10.004", "10.004"),
            ("10.01", "10.00"),
            ("9.998", "10.004"),
            "20.00",
            ("10.00", "10.00"),
        ),
        # nothing changed: the cents stay where they are, whatever would be rounded anew
        (("0.004", "0.004"), ("0.00", "0.01"), ("0.004", "0.004"), "0.01", ("0.00", "0.01")),
        # what has ended leaves nothing, though the other has the larger remainder
        (("1.004", "1.0"), ("1.01", "1.00"), ("0", "1.0049"), "1.00", ("0.00", "1.00")),
        # nowhere else for a cent to be: the only line that changed keeps it
        (("0.004", "0.004"), ("0.01", "0.00"), ("0", "0.006"), "0.01", ("0.00", "0.01")),
        (("0.004", "0.006"), ("0.00", "0.01"), ("0.004", "0"), "0.00", ("0.00", "0.00")),
        # a group that crosses zero at halves moves by more than its difference
        (("-0.005",), ("-0.01",), ("0.005",), "0.01", ("0.01",)),
        (("-0.005", "1"), ("-0.01", "1.00"), ("0.005", "1"), "1.02", ("0.02", "1.00")),
    ],
)
def test_by_hand(exact_then, charged_then, exact_now, target, amounts):
    stood = [
        Stood(Decimal(exact), Decimal(amount))
        for exact, amount in zip(exact_then, charged_then, strict=True)
    ]
    found = corrected(stood, decimals(*exact_now), Decimal(target), 2)
    assert [f"{amount:.2f}" for amount in found] == list(amounts)


def test_a_price_that_one_amount_came_to_tells_no_lines_apart():
    then, now = (
        [
            InvoiceLine(
                product="devin",
                kind="usage",
                acus=Decimal(acus),
                unit_price=Decimal(price),
                exact_amount=Decimal(amount),
                amount=Decimal(amount),
            )
        ]
        for acus, price, amount in (("4", "2.5", "10.00"), ("5", "2.4", "12.00"))
    )
    (line,) = changed_lines(then, now, spread=True)
    assert (line.unit_price, line.acus, line.amount) == (None, Decimal(1), Decimal("2.00"))
    assert len(changed_lines(then, now)) == 2


# Over all policies


class Closed(NamedTuple):
    """A cycle as it was charged, or corrected."""

    statement: Statement
    charges: CycleCharges
    standing: Standing
    notes: Notes | None = None


def closed(world: World, before: Closed | None = None, minimum: Decimal = SMALLEST) -> Closed:
    """Charge a world, or correct one that was charged before."""
    usage = usage_of(world)
    card, mapping = world.card, world.mapping
    whole, unratable = whole_cycle(card, usage.control, FIRST)
    priced = tuple(rate([allocation(one) for one in world.parts], card, whole))
    charges, uncharged = charge_cycle(
        priced,
        usage.control,
        mapping,
        card,
        whole=whole,
        cycle=CYCLE,
        standing=before.standing if before else None,
    )
    assume(not errors([*unratable, *uncharged]))
    heading = Heading(
        enterprise="Acme",
        status="closed",
        cycle=CYCLE,
        currency="USD",
        decimals=card.decimals,
        effective_prices=not card.prices,
    )
    result, _ = statement(heading, usage, priced, charges, mapping, card=card, numbers=NUMBERS)
    if before is None:
        return Closed(result, charges, standing_of("2025-12-05", "ab" * 32, result, charges))
    number = int(before.standing.folder.rpartition(".c")[2]) + 1 if before.notes else 1
    correcting = Correcting(number=number, reason="r", minimum=minimum, standing=before.standing)
    notes = notes_of(correcting, result, charges, NUMBERS)
    standing = standing_of(f"2025-12-05.c{number}", "cd" * 32, result, charges, notes)
    return Closed(result, charges, standing, notes)


@st.composite
def restated(draw: st.DrawFn, world: World) -> World:
    """Let the vendor tell some of the usage otherwise, some not at all, and some for others."""
    bearer = world.mapping.unallocated
    parts = []
    for part in world.parts:
        change = draw(st.sampled_from(("stands",) * 4 + ("gone", "more", "moved")))
        if change == "more":
            parts.append(part._replace(quantity=draw(quantities)))
        elif change == "moved" and part.kind == "usage":
            parts.append(part._replace(cost_center=draw(st.sampled_from(CODES))))
        elif change != "gone":
            parts.append(part)
    if draw(st.booleans()):
        code = draw(st.sampled_from((*CODES, NOBODY)))
        who = (code, "usage") if code else (bearer or NOBODY, "unallocated")
        parts.append(
            Part(
                FIRST,
                draw(st.sampled_from(PRODUCTS)),
                draw(st.sampled_from(PLACES)),
                *who,
                draw(quantities),
            )
        )
    return world._replace(parts=parts)


restatements = worlds().flatmap(lambda world: st.tuples(st.just(world), restated(world)))
stacks = restatements.flatmap(lambda both: restated(both[1]).map(lambda third: (*both, third)))


def amounts(invoices: Iterable[tuple[str, Iterable[InvoiceLine]]]) -> Counter[tuple[object, ...]]:
    """Add up what is charged by what a line is, prices left out: fractions, by nothing of ours."""
    sums: Counter[tuple[object, ...]] = Counter()
    for code, lines in invoices:
        for line in lines:
            name = "" if line.kind == "pool" else line.name
            sums[code, line.kind, line.product, name, line.counterpart] += Fraction(line.amount)
    return Counter({key: amount for key, amount in sums.items() if amount})


def issued(notes: Notes) -> Counter[tuple[object, ...]]:
    sums: Counter[tuple[object, ...]] = Counter()
    for code, note in [*notes.issued.items(), *notes.too_small.items()]:
        assert sum(Fraction(line.amount) for line in note.lines) == Fraction(note.amount)
        for line in note.lines:
            assert Fraction(line.after_amount) - Fraction(line.before_amount) == line.amount
            name = "" if line.kind == "pool" else line.name
            sums[code, line.kind, line.product, name, line.counterpart] += Fraction(line.amount)
    return sums


def charged(one: Closed) -> Counter[tuple[object, ...]]:
    return amounts((code, lines) for code, lines in one.charges.lines.items() if code)


@examples(150)
@given(restatements)
def test_what_was_charged_and_the_notes_make_what_is_charged(both):
    first, second = both
    before = closed(first)
    after = closed(second, before)
    sums = charged(before)
    for key, amount in issued(after.notes).items():
        sums[key] += amount
    assert Counter({key: one for key, one in sums.items() if one}) == charged(after)
    assert after.notes.difference_amount == 0
    assert after.statement.tie_out.difference_amount == 0
    fresh = closed(second).statement.tie_out
    assert after.statement.tie_out.chargeable_amount == fresh.chargeable_amount
    assert after.statement.tie_out.difference_acus == 0


def exact(one: Closed) -> Counter[tuple[object, ...]]:
    """Give what each line of usage comes to exactly, by what it is; prices tell lines apart."""
    spread = one.statement.heading.effective_prices
    sums: Counter[tuple[object, ...]] = Counter()
    for code, lines in one.charges.lines.items():
        for line in lines:
            price = None if spread else line.unit_price
            what = line.product, line.kind, price, line.name, line.counterpart
            sums[code, *what] += Fraction(line.exact_amount)
    return sums


@examples(150)
@given(restatements)
def test_a_line_that_stands_as_it_was_is_on_no_note(both):
    first, second = both
    before = closed(first)
    after = closed(second, before)
    then, now = exact(before), exact(after)
    for code, note in [*after.notes.issued.items(), *after.notes.too_small.items()]:
        for line in note.lines:
            if line.kind == "pool" or not line.amount:
                continue  # at 1e-12 a pool's parts change with one another
            key = (code, line.product, line.kind, line.unit_price, line.name, line.counterpart)
            assert then[key] != now[key], line


@examples(100)
@given(restatements)
def test_no_difference_moves_by_a_step(both):
    """Within a step: a total that crosses zero at a half takes a whole one."""
    first, second = both
    before = closed(first)
    after = closed(second, before)
    step = Fraction(1, 10**first.card.decimals)
    then, now = exact(before), exact(after)
    for code, note in after.notes.issued.items():
        for line in note.lines:
            if line.of_usage:
                key = (code, line.product, line.kind, line.unit_price, "", None)
                assert abs(Fraction(line.amount) - (now[key] - then[key])) <= step, line


@examples(60)
@given(worlds())
def test_what_is_told_as_before_is_corrected_by_nothing(world):
    before = closed(world)
    after = closed(world, before)
    assert not after.notes.issued
    assert not after.notes.too_small
    assert after.statement == before.statement


@examples(100)
@given(stacks)
def test_notes_upon_notes_come_to_what_one_correction_would(worlds_):
    first, second, third = worlds_
    before = closed(first)
    one = closed(second, before)
    two = closed(third, one)
    at_once = closed(third, before)
    stacked = Fraction(one.notes.amount) + total_of(two)  # what was too small is in the second
    tie = two.statement.tie_out, at_once.statement.tie_out
    assert two.notes.difference_amount == 0
    assert tie[0].chargeable_amount == tie[1].chargeable_amount
    fees = Fraction(tie[0].fees_amount) - Fraction(tie[1].fees_amount)
    unborne = Fraction(tie[0].unborne_amount) - Fraction(tie[1].unborne_amount)
    assert stacked == total_of(at_once) + fees - unborne
    for code, note in two.notes.issued.items():
        assert note.earlier == tuple(
            earlier.notes.issued[code].number for earlier in (one,) if code in earlier.notes.issued
        )


def total_of(one: Closed) -> Fraction:
    """Add up all notes, those that are too small to be issued included."""
    return sum(
        (
            Fraction(note.amount)
            for note in [*one.notes.issued.values(), *one.notes.too_small.values()]
        ),
        Fraction(),
    )


@examples(60)
@given(stacks)
def test_what_is_too_small_waits_for_the_next_correction(worlds_):
    """Whatever is issued of it later, it is issued once."""
    first, second, third = worlds_
    before = closed(first)
    listed = closed(second, before, minimum=Decimal(10**9))
    assert not listed.notes.issued
    assert amounts(
        (code, one.lines) for code, one in listed.standing.invoices.items() if code
    ) == charged(before)
    later = closed(third, listed)
    sums = charged(before)
    for key, amount in issued(later.notes).items():
        sums[key] += amount
    assert Counter({key: one for key, one in sums.items() if one}) == charged(later)
    assert later.statement.tie_out.difference_amount == 0


@examples(60)
@given(restatements)
def test_a_pool_that_is_corrected_closes_at_zero(both):
    first, second = both
    after = closed(second, closed(first))
    pools = {pool.cost_center for pool in first.mapping.pools}
    for invoice in after.statement.invoices:
        if invoice.cost_center.code in pools:
            assert invoice.amount == 0
