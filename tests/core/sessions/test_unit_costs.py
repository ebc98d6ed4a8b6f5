"""Unit costs: what is known of sessions, counted again by trying everything that may have been."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import chain, combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.cycle import cycle_between, day_of_instant
from reportgen.core.model import (
    CostCenter,
    Counted,
    CycleUnitCosts,
    DatedSplit,
    Directory,
    Invoice,
    InvoiceLine,
    Mapping,
    MissingView,
    Principal,
    PullRequest,
    Rule,
    Session,
    Share,
    Split,
    UnitCosts,
    View,
    Views,
)
from reportgen.core.sessions.unit_costs import Between, Told, changes_of, figures_of, unit_costs
from tests.examples import examples

AFTER, BEFORE = (
    int(datetime(*day, 8, tzinfo=UTC).timestamp()) for day in ((2025, 12, 5), (2026, 1, 5))
)
CYCLE = cycle_between(AFTER, BEFORE)
ADA, BOB, EVE = (Principal("user", name) for name in ("ada", "bob", "eve"))
CENTERS = (
    CostCenter(code="A", name="A", department="Engineering"),
    CostCenter(code="B", name="B", department="Engineering"),
    CostCenter(code="C", name="C", department="Sales"),
    CostCenter(code="Z", name="Z"),
)
ENDED = "https://git.example/pull/"


def value(start: date, **shares: int) -> DatedSplit:
    split = Split(
        shares=tuple(
            Share(code, Decimal(weight) / 100, f"{weight}%") for code, weight in shares.items()
        )
    )
    return DatedSplit(start=start, split=split, source="m:1")


def rule(key: str, *values: DatedSplit, section: Any = "users") -> Rule:
    return Rule(section=section, key=key, values=values, source="m:1")


MAPPING = Mapping(
    cost_centers=CENTERS,
    rules=(
        rule("ada", value(date.min, A=100)),
        rule("bob", value(date.min, A=60, B=40)),
        rule("eve", value(date.min, B=100), value(date(2025, 12, 20), C=100)),
    ),
    unallocated="Z",
)


def at(month: int, day: int, hour: int = 12) -> int:
    year = 2026 if month == 1 else 2025
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


def session(
    key: str,
    owner: Principal | None = ADA,
    begun: int = at(12, 10),
    ended: int = at(12, 11),
    acus: str = "1",
    pulls: Iterable[tuple[str, str]] = (),
) -> Session:
    return Session(
        session_id=key,
        org_id="org",
        principal=owner,
        created=day_of_instant(datetime.fromtimestamp(begun, UTC)),
        updated=day_of_instant(datetime.fromtimestamp(ended, UTC)),
        lifetime_acus=Decimal(acus),
        pull_requests=tuple(PullRequest(f"{ENDED}{url}", state) for url, state in pulls),
    )


def used(*days: date, acus: str = "1", product: str = "devin") -> View:
    return View(requests=("r",), quantities={(day, product): Decimal(acus) for day in days})


DAYS = [date(2025, 12, 5) + timedelta(days=number) for number in range(31)]
EVERY_DAY = Views(
    enterprise=used(*DAYS), pairs={("org", owner): used(*DAYS) for owner in (ADA, BOB, EVE)}
)


def told(*sessions: Session, **more: Any) -> Told:
    views = more.pop("views", EVERY_DAY)
    known = Directory(sessions={one.session_id: one for one in sessions})
    return Told(directory=known, views=views, **more)


def invoices(mapping: Mapping = MAPPING) -> list[Invoice]:
    """Give an invoice of 10 ACUs at 2.00 for each cost center, and what is no session's beside."""

    def line(product: str, acus: str, amount: str, kind: Any = "usage") -> InvoiceLine:
        value = Decimal(amount)
        return InvoiceLine(
            kind=kind, product=product, acus=Decimal(acus), exact_amount=value, amount=value
        )

    lines = (line("cascade", "7", "7.00"), line("devin", "10", "20.00"), line("", "0", "5", "fee"))
    return [Invoice(cost_center=one, number=one.code, lines=lines) for one in mapping.cost_centers]


def counted(*sessions: Session, **more: Any) -> CycleUnitCosts:
    mapping = more.pop("mapping", MAPPING)
    return unit_costs(invoices(mapping), told(*sessions, **more), mapping, CYCLE)


def sessions_of(costs: CycleUnitCosts) -> dict[str, Counted]:
    return {code: one.sessions for code, one in costs.by_cost_center.items() if any(one.sessions)}


def test_a_month_reckoned_by_hand():
    """Ada's two sessions are A's, Bob's is of A and B, and one pull request is of two sessions."""
    costs = counted(
        session("one", pulls=[("1", "merged"), ("2", "open")]),
        session("two", pulls=[("1", "open"), ("3", "")]),
        session("three", BOB, pulls=[("4/", "Merged"), ("3", "open")]),
        session("idle", acus="0", pulls=[("5", "merged")]),
    )
    twenty = {"acus": Decimal(10), "amount": Decimal("20.00")}
    assert costs.by_cost_center == {
        "A": UnitCosts(
            sessions=Counted(3, 3), pull_requests=Counted(4, 4), merged=Counted(2, 2), **twenty
        ),
        "B": UnitCosts(
            sessions=Counted(1, 1), pull_requests=Counted(2, 2), merged=Counted(1, 1), **twenty
        ),
        "C": UnitCosts(**twenty),
        "Z": UnitCosts(**twenty),
    }
    forty = {"acus": Decimal(20), "amount": Decimal("40.00")}
    assert costs.by_department == {
        "": UnitCosts(**twenty),
        "Engineering": UnitCosts(
            sessions=Counted(3, 3), pull_requests=Counted(4, 4), merged=Counted(2, 2), **forty
        ),
        "Sales": UnitCosts(**twenty),
    }
    assert costs.enterprise == UnitCosts(
        sessions=Counted(3, 3),
        pull_requests=Counted(4, 4),
        merged=Counted(2, 2),
        acus=Decimal(40),
        amount=Decimal("80.00"),
    )
    shown = figures_of(costs.by_cost_center["A"], 2)
    assert [one and one.low for one in shown] == [
        *(3, 4, 2),
        *(Decimal("3.3333"), Decimal("6.67"), 5, 10),
    ]
    assert figures_of(costs.by_cost_center["C"], 2)[3:] == (None,) * 4


@pytest.mark.parametrize(
    ("begun", "ended", "expected"),
    [
        (AFTER, BEFORE - 1, Counted(1, 1)),
        (AFTER - 1, BEFORE - 1, Counted(0, 1)),
        (AFTER, BEFORE, Counted(0, 1)),
        (at(11, 10), at(12, 6), Counted(0, 1)),
    ],
)
def test_a_session_that_crosses_the_cycle_is_not_known_to_have_used_anything_in_it(
    begun, ended, expected
):
    assert sessions_of(counted(session("one", begun=begun, ended=ended))) == {"A": expected}


def test_a_lifetime_total_is_no_figure_of_the_cycle_where_the_days_are_known():
    crossing = session("one", begun=at(11, 10), ended=at(12, 6), acus="1000")
    assert sessions_of(counted(crossing, asked={"one": used()})) == {}
    assert sessions_of(counted(crossing, asked={"one": used(date(2025, 12, 5), acus="0")})) == {}
    asked = {"one": used(date(2025, 12, 5))}
    assert sessions_of(counted(crossing, asked=asked)) == {"A": Counted(1, 1)}
    assert sessions_of(counted(session("one", acus="0"), session("two"), asked=asked)) == {
        "A": Counted(2, 2)
    }


@pytest.mark.parametrize("finest", ["pairs", "principals", "organizations"])
def test_a_session_whose_owner_used_nothing_while_it_was_alive_used_nothing(finest):
    crossing = session("one", begun=at(11, 10), ended=at(12, 6))
    key: dict[str, Any] = {"pairs": ("org", ADA), "principals": ADA, "organizations": "org"}
    late, early = used(date(2025, 12, 7)), used(date(2025, 12, 6))
    enterprise = used(date(2025, 12, 10))
    idle = Views(enterprise=enterprise, **{finest: {key[finest]: late}})
    busy = Views(enterprise=enterprise, **{finest: {key[finest]: early}})
    assert sessions_of(counted(crossing, views=idle)) == {}
    bearer = "Z" if finest == "organizations" else "A"
    assert sessions_of(counted(crossing, views=busy)) == {bearer: Counted(0, 1)}


def test_a_session_of_two_rules_counts_where_its_days_are():
    across = session("one", EVE, begun=at(12, 18), ended=at(12, 22))
    assert sessions_of(counted(across)) == {"B": Counted(0, 1), "C": Counted(0, 1)}
    costs = counted(across)
    assert costs.enterprise.sessions == Counted(1, 1)
    assert {name: one.sessions for name, one in costs.by_department.items()} == {
        "": Counted(),
        "Engineering": Counted(0, 1),
        "Sales": Counted(0, 1),
    }
    asked = {"one": used(date(2025, 12, 19), date(2025, 12, 21))}
    assert sessions_of(counted(across, asked=asked)) == {"B": Counted(1, 1), "C": Counted(1, 1)}
    views = Views(
        enterprise=used(date(2025, 12, 19)), pairs={("org", EVE): used(date(2025, 12, 19))}
    )
    assert sessions_of(counted(across, views=views)) == {"B": Counted(1, 1)}


def test_a_rule_of_a_session_counts_where_it_was_split_off():
    own = rule("one", value(date.min, C=100), section="sessions")
    mapping = Mapping(cost_centers=CENTERS, rules=(*MAPPING.rules, own), unallocated="Z")
    named = session("devin-one")
    split_off = replace(EVERY_DAY, sessions={"devin-one": used(date(2025, 12, 10))})
    assert sessions_of(counted(named, mapping=mapping, views=split_off)) == {"C": Counted(1, 1)}
    assert sessions_of(counted(named, mapping=mapping)) == {"A": Counted(1, 1)}


def test_sessions_of_nobody_are_whose_their_organization_is():
    assert sessions_of(counted(session("one", None))) == {"Z": Counted(1, 1)}
    nobody = Mapping(cost_centers=CENTERS, rules=MAPPING.rules)
    assert counted(session("one", None), mapping=nobody).enterprise.sessions == Counted()
    torn = Session(
        session_id="one",
        org_id="org",
        claimed_by=(ADA, EVE),
        created=date(2025, 12, 10),
        updated=date(2025, 12, 11),
        lifetime_acus=Decimal(1),
    )
    costs = counted(torn)
    assert sessions_of(costs) == {"A": Counted(0, 1), "B": Counted(0, 1)}
    assert costs.by_department["Engineering"].sessions == Counted(1, 1)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, None),
        (
            {
                "missing": [
                    MissingView(request="/v3/enterprise/sessions", reason="refused", count=1)
                ]
            },
            "refused",
        ),
        (
            {
                "missing": [
                    MissingView(
                        request="/v3/organizations/{id}/sessions", reason="broken off", count=9
                    )
                ]
            },
            "broken off",
        ),
        (
            {
                "missing": [
                    MissingView(
                        request="/v3/enterprise/consumption/daily/sessions/{id}",
                        reason="refused",
                        count=1,
                    )
                ]
            },
            None,
        ),
        (
            {"views": Views(enterprise=used(date(2025, 12, 10), product="unspecified"))},
            "no products",
        ),
    ],
)
def test_why_sessions_are_not_counted(more, expected):
    costs = counted(session("one"), **more)
    assert costs.not_counted == expected
    assert bool(costs.by_cost_center) == (expected is None)


def test_lifetimes_that_are_all_zero_say_nothing_where_something_was_used():
    assert counted(session("one", acus="0.0")).not_counted == "no lifetimes"
    unused = Views(enterprise=used())
    costs = counted(session("one", acus="0.0"), views=unused)
    assert costs.not_counted is None
    assert costs.enterprise.sessions == Counted()


def test_a_month_without_sessions_has_no_ratio():
    costs = counted()
    assert costs.not_counted is None
    assert figures_of(costs.enterprise, 2)[3:] == (None,) * 4


def test_what_may_be_gives_bounds_and_no_change():
    exact = counted(*(session(str(number), pulls=[("1", "merged")]) for number in range(4)))
    before = figures_of(exact.by_cost_center["A"], 2)
    loose = counted(session("one", pulls=[("1", "merged")]), session("two", begun=at(11, 1)))
    after = figures_of(loose.by_cost_center["A"], 2)
    assert after.sessions == Between(Decimal(1), Decimal(2))
    assert after.acus_per_session == Between(Decimal(5), Decimal(10))
    assert changes_of(before, after) == (None, 0, 0, None, None, 0, 0)
    assert changes_of(after, before) == (None, 0, 0, None, None, 0, 0)


def test_a_credit_has_its_bounds_the_right_way_round():
    costs = UnitCosts(sessions=Counted(1, 2), acus=Decimal(-10), amount=Decimal(-20))
    assert figures_of(costs, 2).acus_per_session == Between(Decimal(-10), Decimal(-5))


# What follows tries everything that may have been, with rules of its own.

BEARERS = {
    ADA: [{"A"}] * 31,
    BOB: [{"A", "B"}] * 31,
    EVE: [{"B"}] * 15 + [{"C"}] * 16,
    None: [{"Z"}] * 31,
}


@st.composite
def lives(draw: st.DrawFn) -> tuple[Session, set[int] | None]:
    """Give a session that lives a few days, and the days it was asked for, by their place."""
    first = draw(st.integers(-3, 30))
    last = draw(st.integers(max(first, 0), min(first + 4, 33)))
    owner = draw(st.sampled_from([ADA, BOB, EVE, None]))
    pulls = draw(
        st.lists(st.tuples(st.sampled_from("1234"), st.sampled_from(["merged", "open", ""])))
    )
    one = session(
        "",
        owner,
        begun=AFTER + first * 86400 + 3600,
        ended=AFTER + last * 86400 + 7200,
        acus=draw(st.sampled_from(["0", "1", "2.5"])),
        pulls=pulls,
    )
    alive = range(max(first, 0), min(last, 30) + 1)
    asked = st.none() | (st.sets(st.sampled_from(alive)) if alive else st.just(set()))
    return one, draw(asked)


def worlds(one: Session, asked: set[int] | None) -> list[set[str]]:
    """Give every set of cost centers that may have borne a session."""
    if asked is not None:
        return [set().union(*(BEARERS[one.principal][day] for day in asked))]
    if not one.lifetime_acus:
        return [set()]
    first, last = max(one.created, DAYS[0]), min(one.updated, DAYS[-1])
    first, last = (first - DAYS[0]).days, (last - DAYS[0]).days
    days = range(first, last + 1)
    some = chain.from_iterable(combinations(days, count) for count in range(1, len(days) + 1))
    found = [set[str]().union(*(BEARERS[one.principal][day] for day in chosen)) for chosen in some]
    inside = one.created in DAYS and one.updated in DAYS
    return found if inside else [*found, set()]


def bounds(
    sessions: list[tuple[Session, list[set[str]]]], codes: set[str], merged: set[str]
) -> Iterator[Counted]:
    """Count what a group of cost centers has in every world, and in some."""
    sure = [one for one, found in sessions if all(world & codes for world in found)]
    may = [one for one, found in sessions if any(world & codes for world in found)]
    yield Counted(len(sure), len(may))
    least, most = ({pull.url for one in some for pull in one.pull_requests} for some in (sure, may))
    yield Counted(len(least), len(most))
    yield Counted(len(least & merged), len(most & merged))


@examples(300)
@given(st.lists(lives(), max_size=6))
def test_every_level_agrees_with_what_can_have_been(found):
    named = [(replace(one, session_id=str(n)), days) for n, (one, days) in enumerate(found)]
    asked = {
        one.session_id: used(*(DAYS[day] for day in days))
        for one, days in named
        if days is not None
    }
    costs = counted(*(one for one, _ in named), asked=asked)
    if costs.not_counted:
        assert named
        assert not any(one.lifetime_acus for one, _ in named)
        return
    all_worlds = [(one, worlds(one, days)) for one, days in named]
    merged = {p.url for one, _ in named for p in one.pull_requests if p.state == "merged"}
    levels = [({code}, one) for code, one in costs.by_cost_center.items()]
    levels += [
        ({"A", "B"}, costs.by_department["Engineering"]),
        ({"C"}, costs.by_department["Sales"]),
    ]
    levels += [({"Z"}, costs.by_department[""]), ({*"ABCZ"}, costs.enterprise)]
    for codes, level in levels:
        expected = list(bounds(all_worlds, codes, merged))
        assert [level.sessions, level.pull_requests, level.merged] == expected
        assert level.acus == 10 * len(codes)
