"""The laws of usage by tag: it adds up to the lines, and counts no session twice."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.allocating.allocate import allocate, timelines
from reportgen.core.model import Directory, Price, RateCard, Statement, UsageRecord
from reportgen.core.sessions.parts import with_sessions
from reportgen.core.sessions.tags import looked_for, with_tags
from tests.core.sessions.test_largest import (
    USERS,
    WHOLE,
    Work,
    World,
    borne,
    cards,
    cells_of,
    charged,
    mapping_of,
    sessions_of,
    valued,
    views_of,
    worlds,
)
from tests.examples import examples

PATTERNS = ("project:*", "team:web")
WORDS = ("project:a", "project:b", "team:web", "team:app", "p")


def broken_down(world, card, tags, *, unknown="") -> Statement:
    """Charge a world whose sessions have tags in turn, and break its invoices down by them."""
    known = {
        key: replace(one, tags=tags[number % len(tags)] if tags else ())
        for number, (key, one) in enumerate(sessions_of(world).items())
    }
    records = sorted(
        UsageRecord(day, "devin", *one, acus, ("x",))
        for one, days in cells_of(world).items()
        for day, acus in days.items()
        if acus
    )
    resolved, _ = timelines(records, mapping_of(world), Directory())
    allocations = tuple(allocate(records, resolved))
    result, sessions, parts = charged(records, allocations, card, world, known, views_of(world))
    asked = replace(sessions.asked, tagged=unknown)
    shown = with_sessions(result, sessions, parts, 3)
    return with_tags(shown, replace(sessions, asked=asked), parts, PATTERNS)


several = st.lists(st.lists(st.sampled_from(WORDS), max_size=4).map(tuple), max_size=5)


@examples(100)
@given(worlds, cards, several)
def test_tags_and_everything_else_add_up_to_the_lines(world, card, tags):
    for invoice in broken_down(world, card, tags).invoices:
        lines = [line for line in invoice.lines if line.product == "devin"]
        rows = invoice.by_tag.rows
        if not rows:
            continue
        assert sum(row.acus for row in rows) == sum(line.acus for line in lines)
        assert sum(row.amount for row in rows) == sum(line.amount for line in lines)
        assert [row.tags for row in rows].index(()) == len(rows) - 1
        assert len({row.tags for row in rows}) == len(rows)
        assert [row.amount for row in rows[:-1]] == sorted(
            (row.amount for row in rows[:-1]), reverse=True
        )


@examples(50)
@given(worlds, cards, several)
def test_every_session_stands_in_one_row(world, card, tags):
    """Reckoned a second time, of what was used and of who bears it."""
    for invoice in broken_down(world, card, tags).invoices:
        code, wanted = invoice.cost_center.code, {}
        for number, work in enumerate(world.works):
            own = tags[number % len(tags)] if tags else ()
            key = tuple(sorted({tag for tag in own if tag[:8] == "project:" or tag == "team:web"}))
            acus = borne(world, work, code, work.in_cycle())
            if key and acus:
                count, sums = wanted.get(key, (0, Fraction(0)))
                wanted[key] = count + 1, sums + acus
        found = {row.tags: (row.sessions, row.acus) for row in invoice.by_tag.rows if row.tags}
        assert found.keys() == wanted.keys()
        for key, (count, acus) in wanted.items():
            assert found[key][0] == count
            assert abs(Fraction(found[key][1]) - acus) < Fraction(1, 10**9)


@pytest.mark.parametrize("unknown", ["not asked", "no daily views", "refused"])
def test_where_nothing_is_known_there_are_no_rows(unknown):
    world = World(
        works=[Work("ada", 0, (100, 200))],
        beside={},
        rules=dict.fromkeys(USERS, (valued(date.min, WHOLE["A"]),)),
    )
    prices = {"*": (Price(date.min, Decimal(2), "rates.yaml:1"),)}
    card = RateCard(currency="USD", decimals=2, prices=prices)
    tags = [("team:web",)]
    for invoice in broken_down(world, card, tags, unknown=unknown).invoices:
        assert (invoice.by_tag.rows, invoice.by_tag.unknown) == ((), unknown)
    (own, *_) = broken_down(world, card, tags, unknown="refused half-way").invoices
    assert [(row.tags, row.amount) for row in own.by_tag.rows] == [
        (("team:web",), Decimal("6.00")),
        ((), Decimal("0.00")),
    ]


def test_a_pattern_is_no_regular_expression():
    tags = ("a.b", "axb", "a*b", "A.B", "xa.b", "a.b\n")
    assert looked_for(tags, ["a.b"]) == ("a.b",)
    assert looked_for(tags, ["a*b"]) == ("a*b", "a.b", "axb")
    assert looked_for(tags, ["*"]) == tuple(sorted(tags))
    assert looked_for(("b", "a", "a"), ["a", "*"]) == ("a", "b")
    assert looked_for((), ["*"]) == ()
