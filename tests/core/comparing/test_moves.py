"""What moves between two allocations, computed a second time here in Fractions, unmatched."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.charging.rate import rate, whole_cycle
from reportgen.core.comparing.moves import Move, moves
from reportgen.core.model import Allocation, Rule, UsageRecord
from tests.core.allocating.test_unallocated import (
    ADA,
    ALAN,
    CARDS,
    FIRST,
    PRICES,
    ROBOT,
    SECOND,
    World,
    charged,
    place_of,
    record,
    records,
    rule,
    rules_of,
)

CODES = ("", "CC-1", "CC-2", "CC-3")
SUBJECTS = [
    ("", *ADA),
    ("org-1", *ADA),
    ("org-1", *ALAN),
    ("", *ROBOT),
    ("org-1", "", ""),
    ("", "", ""),
]
SIDES = ("mapping.yaml", "edited.yaml")


class Piece(NamedTuple):
    """A record of one side, with what each cost center bears of it in steps."""

    session: str
    rule: str
    steps: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Two allocations whose totals per day and product are equal, at prices of their cells."""

    before: list[Allocation]
    after: list[Allocation]


@st.composite
def pieces(draw: st.DrawFn, steps: int, name: str, *, cut: bool) -> list[Piece]:
    """Cut sessions out of a record, and split each piece among cost centers."""
    sizes = {"": steps}
    for session in (
        draw(st.lists(st.sampled_from(["devin-1", "devin-2"]), unique=True)) if cut else ()
    ):
        sizes[session] = draw(st.integers(1, abs(steps) + 3))  # the rest may go below zero
        sizes[""] -= sizes[session]
    found = []
    for session, size in sizes.items():
        codes = draw(st.lists(st.sampled_from(CODES), min_size=1, max_size=3, unique=True))
        marks = sorted(
            draw(
                st.lists(
                    st.integers(0, abs(size)), min_size=len(codes) - 1, max_size=len(codes) - 1
                )
            )
        )
        parts = [high - low for low, high in zip([0, *marks], [*marks, abs(size)], strict=True)]
        line = f"{name}:{draw(st.integers(1, 4))}"
        shares = {
            code: part if size > 0 else -part
            for code, part in zip(codes, parts, strict=True)
            if part
        }
        found.append(Piece(session, "" if codes == [""] else line, shares))
    return found


@st.composite
def drawn(draw: st.DrawFn, *, cut: bool = True, smallest: int = -50) -> Drawn:
    """Draw cells of records that two mappings split, and decompose, differently."""
    sides: tuple[list[Allocation], list[Allocation]] = ([], [])
    cells = draw(
        st.lists(
            st.tuples(st.sampled_from([FIRST, SECOND]), st.sampled_from(["a", "b"])), unique=True
        )
    )
    for day, product in cells:
        price = draw(st.decimals(0, 9, places=4))
        unit = Decimal(1).scaleb(-draw(st.sampled_from([0, 3, 15])))
        for subject in draw(
            st.lists(st.sampled_from(SUBJECTS), min_size=1, max_size=4, unique=True)
        ):
            steps = draw(st.integers(smallest, 200))
            for side, name in zip(sides, SIDES, strict=True):
                for piece in draw(pieces(steps, name, cut=cut)):
                    place = UsageRecord(
                        day, product, *subject, piece.session, sum(piece.steps.values()) * unit, ()
                    )
                    quantities = {code: steps_of * unit for code, steps_of in piece.steps.items()}
                    side.extend(allocated(place, piece.rule, quantities, price))
    return Drawn(before=sides[0], after=sides[1])


def allocated(
    place: UsageRecord, line: str, quantities: Mapping[str, Decimal], price: Decimal = Decimal(2)
) -> list[Allocation]:
    kind = "usage" if line else "unallocated"
    return [
        Allocation(place, code, kind, "", line, "", acus, price, "rates.yaml:3", acus * price)
        for code, acus in quantities.items()
    ]


Net = dict[str, tuple[Fraction, Fraction]]


def grown(before: Iterable[Allocation], after: Iterable[Allocation]) -> Net:
    """Give by how much each cost center that changed has more than before, in ACUs and money."""
    acus: dict[str, Fraction] = defaultdict(Fraction)
    amounts: dict[str, Fraction] = defaultdict(Fraction)
    for sign, side in ((-1, before), (1, after)):
        for one in side:
            acus[one.cost_center] += sign * Fraction(one.quantity)
            amounts[one.cost_center] += sign * Fraction(one.exact_amount)
    return {code: (acus[code], amounts[code]) for code in acus if acus[code] or amounts[code]}


def received(found: Iterable[Move]) -> Net:
    """Give what each cost center received less what it gave."""
    acus: dict[str, Fraction] = defaultdict(Fraction)
    amounts: dict[str, Fraction] = defaultdict(Fraction)
    for move in found:
        for sign, code in ((-1, move.giver), (1, move.receiver)):
            acus[code] += sign * Fraction(move.acus)
            amounts[code] += sign * Fraction(move.exact_amount)
    return {code: (acus[code], amounts[code]) for code in acus if acus[code] or amounts[code]}


# Laws


@given(drawn())
def test_what_is_received_less_what_is_given_is_what_changed_to_the_last_decimal(world):
    assert received(moves(world.before, world.after)) == grown(world.before, world.after)


@given(drawn())
def test_nobody_gives_to_himself_and_no_line_is_empty_or_told_twice(world):
    found = moves(world.before, world.after)
    assert all(move.giver != move.receiver for move in found)
    assert all(move.acus or move.exact_amount for move in found)
    ways = {(move.giver, move.receiver, move.rule_before, move.rule_after) for move in found}
    assert len(ways) == len(found)
    assert found == sorted(found, key=lambda move: move.exact_amount, reverse=True)


@given(drawn(), st.randoms())
def test_the_order_of_the_allocations_changes_nothing(world, random):
    shuffled = [random.sample(side, len(side)) for side in (world.before, world.after)]
    assert moves(*shuffled) == moves(world.before, world.after)


@given(drawn(), st.randoms())
def test_nothing_moves_where_nothing_changed(world, random):
    assert moves(world.after, random.sample(world.after, len(world.after))) == []
    assert moves([], []) == []


@given(drawn(cut=False))
def test_what_moves_within_records_is_what_each_of_them_lost_and_the_rules_are_its_own(world):
    """No session is cut: every record is on both sides, so its moves can be counted alone."""
    lost: dict[str, Fraction] = defaultdict(Fraction)
    gained: dict[str, Fraction] = defaultdict(Fraction)
    by_record: dict[tuple, tuple[list[Allocation], list[Allocation]]] = defaultdict(
        lambda: ([], [])
    )
    for index, side in enumerate((world.before, world.after)):
        for one in side:
            by_record[place_of(one.record)][index].append(one)
    for before, after in by_record.values():
        credit = -1 if before[0].quantity < 0 else 1
        for code, (acus, _) in grown(before, after).items():
            if acus * credit < 0:
                lost[code] -= acus
            else:
                gained[code] += acus
    found = moves(world.before, world.after)
    assert totals(found, "giver") == {code: acus for code, acus in lost.items() if acus}
    assert totals(found, "receiver") == {code: acus for code, acus in gained.items() if acus}
    told = (
        {(one.cost_center, one.rule) for one in world.before},
        {(one.cost_center, one.rule) for one in world.after},
    )
    assert {(move.giver, move.rule_before) for move in found} <= told[0]
    assert {(move.receiver, move.rule_after) for move in found} <= told[1]


def totals(found: Iterable[Move], end: str) -> dict[str, Fraction]:
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for move in found:
        sums[getattr(move, end)] += Fraction(move.acus)
    return {code: acus for code, acus in sums.items() if acus}


@given(drawn(smallest=1))
def test_a_rule_is_one_of_the_side_it_stands_for(world):
    for move in moves(world.before, world.after):
        assert move.rule_before.partition(":")[0] in {"", SIDES[0]}
        assert move.rule_after.partition(":")[0] in {"", SIDES[1]}


# Mappings and rate cards, as `diff` compares them


def rated_anew(world: World, card) -> list[Allocation]:
    whole, _ = whole_cycle(card, world.control, FIRST)
    bare = [
        one._replace(unit_price=None, rate="", exact_amount=Decimal(0)) for one in world.allocations
    ]
    return list(rate(bare, card, whole))


OLD = rules_of(
    rule("orgs", "org-1", "CC-1"), rule("service_users", "robot", "CC-1", "CC-2"), bearer="CC-9"
)
NEW = rules_of(
    rule("orgs", "org-1", "CC-1", "CC-2"),
    rule("users", "u-ada", "CC-2"),
    rule("service_users", "robot", "CC-1"),
)


@pytest.mark.parametrize("kind", CARDS)
@given(records)
def test_mappings_are_compared_at_the_new_card(kind, found):
    old, new = charged(found, OLD, PRICES), charged(found, NEW, CARDS[kind])
    before = rated_anew(old, CARDS[kind])
    told, expected = received(moves(before, new.allocations)), grown(before, new.allocations)
    if kind == "prices":
        assert told == expected
    else:  # one amount is spread anew over other lines: a part may differ by a step
        nothing, step = (
            (Fraction(), Fraction()),
            Fraction(len(before) + len(new.allocations), 10**12),
        )
        for code in {*told, *expected}:
            left, right = told.get(code, nothing), expected.get(code, nothing)
            assert left[0] == right[0]
            assert abs(left[1] - right[1]) <= step


@pytest.mark.parametrize("kind", CARDS)
@given(records)
def test_a_new_card_alone_moves_nothing(kind, found):
    old, new = charged(found, OLD, PRICES), charged(found, OLD, CARDS[kind])
    assert moves(rated_anew(old, CARDS[kind]), new.allocations) == []


# Decompositions that differ


def side(*parts: tuple[UsageRecord, str, Sequence[str]]) -> list[Allocation]:
    """Give each record to cost centers in equal parts, by a rule."""
    return [
        one
        for place, line, codes in parts
        for one in allocated(place, line, {code: place.quantity / len(codes) for code in codes})
    ]


def plainly(found: Iterable[Move]) -> list[tuple[str, ...]]:
    return [
        (move.giver, move.receiver, move.rule_before, move.rule_after, f"{move.acus:f}")
        for move in found
    ]


AT_ONE, AT_TWO = ("org-1", ADA), ("org-2", ALAN)


def test_a_session_that_goes_elsewhere_is_taken_from_its_owner():
    before = side((record(AT_ONE, "10"), "mapping.yaml:3", ["CC-1"]))
    after = side(
        (record(AT_ONE, "7"), "edited.yaml:3", ["CC-1"]),
        (record(AT_ONE, "3", session="devin-1"), "edited.yaml:9", ["CC-2"]),
    )
    assert plainly(moves(before, after)) == [
        ("CC-1", "CC-2", "mapping.yaml:3", "edited.yaml:9", "3")
    ]
    assert plainly(moves(after, before)) == [
        ("CC-2", "CC-1", "edited.yaml:9", "mapping.yaml:3", "3")
    ]


def test_rules_for_sessions_that_say_what_held_anyway_move_nothing():
    """The sessions lie where C is not known, so they are cut out of what their owners have left."""
    before = side(
        (record(("", ADA), "10"), "mapping.yaml:3", ["CC-1"]),
        (record(("", ALAN), "10"), "mapping.yaml:4", ["CC-2"]),
    )
    after = side(
        (record(("", ADA), "8"), "mapping.yaml:3", ["CC-1"]),
        (record(("", ALAN), "7"), "mapping.yaml:4", ["CC-2"]),
        (record(("org-2", ADA), "2", session="devin-1"), "edited.yaml:9", ["CC-1"]),
        (record(("org-1", ALAN), "3", session="devin-2"), "edited.yaml:10", ["CC-2"]),
    )
    assert moves(before, after) == []


def test_sessions_of_two_owners_are_not_mixed_up():
    before = side(
        (record(("", ADA), "10"), "mapping.yaml:3", ["CC-1"]),
        (record(("", ALAN), "10"), "mapping.yaml:4", ["CC-2"]),
    )
    after = side(
        (record(("", ADA), "9"), "mapping.yaml:3", ["CC-1"]),
        (record(("", ALAN), "8"), "mapping.yaml:4", ["CC-2"]),
        (record(("org-2", ADA), "1", session="devin-1"), "edited.yaml:9", ["CC-3"]),
        (record(("org-1", ALAN), "2", session="devin-2"), "edited.yaml:10", ["CC-9"]),
    )
    assert plainly(moves(before, after)) == [
        ("CC-2", "CC-9", "mapping.yaml:4", "edited.yaml:10", "2"),
        ("CC-1", "CC-3", "mapping.yaml:3", "edited.yaml:9", "1"),
    ]


def test_a_rest_that_changes_its_owner_is_matched_within_the_day_and_product():
    """Where C is not known, the precedence says whether user or organization keeps the rest."""
    before = side((record(("", ADA), "5"), "mapping.yaml:3", ["CC-1"]))
    after = side(
        (record(("org-1", None), "4"), "edited.yaml:7", ["CC-2"]),
        (record(("", None), "1"), "", [""]),
    )
    assert plainly(moves(before, after)) == [
        ("CC-1", "CC-2", "mapping.yaml:3", "edited.yaml:7", "4"),
        ("CC-1", "", "mapping.yaml:3", "", "1"),
    ]


def test_days_and_products_are_never_mixed():
    before = side(
        (record(AT_ONE, "5"), "mapping.yaml:3", ["CC-1"]),
        (record(AT_TWO, "5", day=SECOND), "mapping.yaml:4", ["CC-2"]),
        (record(AT_TWO, "5", "cascade"), "mapping.yaml:4", ["CC-2"]),
    )
    after = side(
        (record(AT_ONE, "5"), "edited.yaml:3", ["CC-2"]),
        (record(AT_TWO, "5", day=SECOND), "edited.yaml:4", ["CC-1"]),
        (record(AT_TWO, "5", "cascade"), "edited.yaml:4", ["CC-1"]),
    )
    assert sorted(plainly(moves(before, after))) == [
        ("CC-1", "CC-2", "mapping.yaml:3", "edited.yaml:3", "5"),
        ("CC-2", "CC-1", "mapping.yaml:4", "edited.yaml:4", "10"),
    ]


# Records below zero


def test_a_credit_goes_with_its_record_and_keeps_its_rules():
    before = side((record(AT_ONE, "-3"), "mapping.yaml:3", ["CC-1"]))
    after = side((record(AT_ONE, "-3"), "edited.yaml:5", ["CC-2"]))
    (move,) = moves(before, after)
    assert move == Move("CC-1", "CC-2", "mapping.yaml:3", "edited.yaml:5", Decimal(-3), Decimal(-6))


def test_a_credit_lessens_what_moves_the_same_way():
    def borne_by(code: str) -> list[Allocation]:
        rest, credit = record(("", None), "10"), record(("", None), "-2", day=SECOND)
        return side((rest, "", [code]), (credit, "", [code]))

    assert plainly(moves(borne_by("CC-9"), borne_by("CC-1"))) == [("CC-9", "CC-1", "", "", "8")]


def test_a_credit_and_as_much_usage_come_to_no_move():
    def borne_by(code: str) -> list[Allocation]:
        return side(
            (record(("", None), "2"), "", [code]),
            (record(("", None), "-2", day=SECOND), "", [code]),
        )

    assert moves(borne_by("CC-9"), borne_by("CC-1")) == []


def test_a_credit_of_the_other_price_is_a_move_of_money_alone():
    def borne_by(code: str) -> list[Allocation]:
        later = side((record(("", None), "-2", day=SECOND), "", [code]))
        return [
            *side((record(("", None), "2"), "", [code])),
            *(replace_amount(one, Decimal(3)) for one in later),
        ]

    assert moves(borne_by("CC-9"), borne_by("CC-1")) == [
        Move("CC-9", "CC-1", "", "", Decimal(0), Decimal(-2)),
    ]


def replace_amount(one: Allocation, price: Decimal) -> Allocation:
    return one._replace(unit_price=price, exact_amount=one.quantity * price)


# Figures by hand


def test_the_exact_amount_is_that_of_the_acus_however_many_decimals_they_have():
    """The API's figures are binary floats: fifteen decimals are nothing unusual."""
    acus = Decimal("9.000000000000001")
    place = record(AT_ONE, str(acus))
    before = allocated(place, "mapping.yaml:3", {"CC-1": acus}, Decimal("1.75"))
    parts = {"CC-2": Decimal("4.000000000000001"), "CC-3": Decimal(5)}
    found = moves(before, allocated(place, "edited.yaml:3", parts, Decimal("1.75")))
    assert [(move.receiver, move.exact_amount) for move in found] == [
        ("CC-3", Decimal("8.75")),
        ("CC-2", Decimal("7.00000000000000175")),
    ]


def test_shares_that_change_move_what_they_differ_by():
    rules = [
        rules_of(
            Rule(
                section="users",
                key="u-ada",
                values=(replace(one.values[0], source=f"{name}:1"),),
                source="",
            )
        )
        for name, one in zip(
            SIDES,
            (rule("users", "u-ada", "CC-1"), rule("users", "u-ada", "CC-1", "CC-2")),
            strict=True,
        )
    ]
    before, after = (charged([record(("", ADA), "10")], one) for one in rules)
    (move,) = moves(before.allocations, after.allocations)
    assert move == (
        "CC-1",
        "CC-2",
        "mapping.yaml:1",
        "edited.yaml:1",
        Decimal(5),
        Decimal("10.025"),
    )


def test_a_price_of_zero_and_no_price_at_all_move_acus_without_money():
    for world in (charged([record(("", ADA), "3", "review")], one) for one in (rules_of(), OLD)):
        assert [one.unit_price for one in world.allocations] == [None]
    before = charged([record(("org-1", ADA), "3", "review")], rules_of())
    after = charged([record(("org-1", ADA), "3", "review")], OLD)
    assert [
        (move.giver, move.receiver, move.acus, move.exact_amount)
        for move in moves(before.allocations, after.allocations)
    ] == [("", "CC-1", Decimal(3), Decimal(0))]


def test_dates_of_a_rule_do_not_matter_to_whom_they_do_not_concern():
    late = rule("users", "u-ada", "CC-2", start=date(2026, 6, 1))
    before = charged([record(("org-1", ADA), "3")], OLD)
    after = charged([record(("org-1", ADA), "3")], rules_of(*OLD.rules, late, bearer="CC-9"))
    assert moves(before.allocations, after.allocations) == []
