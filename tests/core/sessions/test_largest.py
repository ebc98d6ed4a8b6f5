"""The laws of the largest sessions: found by few questions, and footing with all other usage."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.allocating.allocate import allocate, timeline_of, timelines
from reportgen.core.allocating.match import Matcher, Subject
from reportgen.core.charging.charges import charge_cycle
from reportgen.core.charging.rate import rate, whole_cycle
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import (
    CostCenter,
    DatedSplit,
    Directory,
    Heading,
    Mapping,
    Price,
    Principal,
    PullRequest,
    RateCard,
    Rule,
    Session,
    SessionViews,
    Share,
    Split,
    Statement,
    Tier,
    Usage,
    UsageRecord,
    View,
)
from reportgen.core.proving.statement import statement
from reportgen.core.sessions import largest as ranking_module
from reportgen.core.sessions.largest import Ranking
from reportgen.core.sessions.parts import CycleSessions, held_by, parts_of, with_sessions
from tests.examples import examples

FIRST = date(2025, 12, 5)
DAYS = [FIRST + timedelta(days=n) for n in range(5)]
CYCLE = BillingCycle(start=FIRST, end=DAYS[-1] + timedelta(days=1), after=0, before=0)
PLACE = "org-1"
USERS = ("ada", "alan", "grace")
CODES = ("A", "B", "C")


def shares(*written: tuple[str, str], by_weight: bool = False) -> Split:
    return Split(
        shares=tuple(Share(code, Decimal(weight), weight) for code, weight in written),
        by_weight=by_weight,
    )


def valued(start: date, split: Split) -> DatedSplit:
    return DatedSplit(start=start, split=split, source="mapping.yaml:1")


WHOLE = {code: shares((code, "1")) for code in CODES}
SPLITS = (
    *WHOLE.values(),
    shares(("A", "0.6"), ("B", "0.4")),
    shares(("A", "1"), ("B", "1"), ("C", "1"), by_weight=True),
)
dated = st.builds(
    lambda first, day, second: (valued(date.min, first), valued(day, second)),
    st.sampled_from(SPLITS),
    st.sampled_from(DAYS[1:]),
    st.sampled_from(SPLITS),
)
values = st.sampled_from(SPLITS).map(lambda split: (valued(date.min, split),)) | dated
hundredths = st.integers(0, 400) | st.sampled_from((100, 100, 50))


class Work(NamedTuple):
    """A session: whose it is, on which day of the cycle it began, and what it used from then on."""

    user: str
    begun: int
    acus: tuple[int, ...]

    def days(self) -> dict[date, Decimal]:
        days = (FIRST + timedelta(days=n) for n in range(self.begun, self.begun + len(self.acus)))
        return {
            day: Decimal(f"{acus}e-2") for day, acus in zip(days, self.acus, strict=True) if acus
        }

    def in_cycle(self) -> dict[date, Decimal]:
        return {day: acus for day, acus in self.days().items() if day in CYCLE}


works = st.builds(
    Work,
    st.sampled_from(USERS),
    st.integers(-3, 4),
    st.lists(hundredths, min_size=1, max_size=6).map(tuple),
)


class World(NamedTuple):
    """What sessions used, what users used beside them, and who bears whom."""

    works: list[Work]
    beside: dict[tuple[str, date], int]
    rules: dict[str, tuple[DatedSplit, ...]]


worlds = st.builds(
    World,
    st.lists(works, max_size=14),
    st.dictionaries(st.tuples(st.sampled_from(USERS), st.sampled_from(DAYS)), hundredths),
    st.fixed_dictionaries(dict.fromkeys(USERS, values)),
)


def mapping_of(world: World) -> Mapping:
    return Mapping(
        cost_centers=tuple(CostCenter(code=code, name=code) for code in CODES),
        rules=tuple(
            Rule(section="users", key=user, values=split, source="mapping.yaml:1")
            for user, split in world.rules.items()
        ),
    )


def subject(user: str) -> Subject:
    return PLACE, "user", user, ""


def sessions_of(world: World) -> dict[str, Session]:
    """List the sessions as the API does."""
    return {
        f"devin-{n}": Session(
            session_id=f"devin-{n}",
            org_id=PLACE,
            principal=Principal("user", work.user),
            title=f"Task {n}",
            pull_requests=(PullRequest("https://git.example/1", "open"),),
            lifetime_acus=sum(work.days().values(), Decimal(0)),
            created=FIRST + timedelta(days=work.begun),
            updated=FIRST + timedelta(days=work.begun + len(work.acus) - 1),
        )
        for n, work in enumerate(world.works)
    }


def cells_of(world: World) -> dict[Subject, dict[date, Decimal]]:
    cells: dict[Subject, dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for (user, day), acus in world.beside.items():
        cells[subject(user)][day] += Decimal(f"{acus}e-2")
    for work in world.works:
        for day, acus in work.in_cycle().items():
            cells[subject(work.user)][day] += acus
    return cells


def view(days: dict[date, Decimal]) -> View:
    return View(requests=("x",), quantities={(day, "devin"): acus for day, acus in days.items()})


def views_of(world: World) -> dict[str, View]:
    return {f"devin-{n}": view(work.in_cycle()) for n, work in enumerate(world.works)}


def ranking_of(world: World, count: int, sessions: dict[str, Session] | None = None) -> Ranking:
    held: dict[Subject, list[Session]] = defaultdict(list)
    for session in (sessions or sessions_of(world)).values():
        assert session.principal
        held[subject(session.principal.id)].append(session)
    mapping, cells = mapping_of(world), cells_of(world)
    matcher = Matcher(mapping.rules, Directory())
    bearers = {one: timeline_of(matcher, mapping, one) for one in cells}
    return Ranking(held, cells, bearers, CYCLE, count)


def asked(ranking: Ranking, views: dict[str, View]) -> list[str]:
    """Answer until there is no question, and give the questions."""
    questions: list[str] = []
    while chosen := ranking.to_ask():
        questions += chosen
        for session_id in chosen:
            ranking.answer(session_id, views[session_id])
    return questions


def part(split: Split, code: str, acus: Fraction) -> Fraction:
    weights = {share.cost_center: Fraction(share.weight) for share in split.shares}
    return acus * weights.get(code, Fraction(0)) / sum(weights.values())


def borne(world: World, work: Work, code: str, days: dict[date, Decimal]) -> Fraction:
    used = Fraction(0)
    for day, acus in days.items():
        (*_, value) = [one for one in world.rules[work.user] if one.start <= day]
        assert value.split
        used += part(value.split, code, Fraction(acus))
    return used


def largest(world: World, code: str, count: int) -> list[tuple[Fraction, str]]:
    """Look at every session: by its ACUs in the cycle, then by its id."""
    used = [
        (borne(world, work, code, work.in_cycle()), f"devin-{n}")
        for n, work in enumerate(world.works)
    ]
    ordered = sorted(((acus, one) for acus, one in used if acus), key=lambda x: (-x[0], x[1]))
    return ordered[:count]


@examples(100)
@given(worlds, st.integers(1, 4))
def test_the_largest_of_every_cost_center_are_asked_about_and_nobody_twice(world, count):
    ranking = ranking_of(world, count)
    questions = asked(ranking, views_of(world))
    assert len(questions) == len(set(questions))
    assert {one for code in CODES for _, one in largest(world, code, count)} <= set(questions)
    assert ranking.unknown() == {}


@examples(50)
@given(worlds, st.integers(1, 4))
def test_nobody_is_asked_about_who_can_be_none_of_the_largest(world, count):
    """What a session used in its whole life would place it, in some cost center."""
    sessions = sessions_of(world)
    for session_id in asked(ranking_of(world, count), views_of(world)):
        work = world.works[int(session_id.removeprefix("devin-"))]
        lifetime = sessions[session_id].lifetime_acus
        assert lifetime is not None
        assert any(
            len(top := largest(world, code, count)) < count
            or max(part(split, code, Fraction(lifetime)) for split in splits) >= top[-1][0]
            for code in CODES
            for splits in [[one.split for one in world.rules[work.user] if one.split]]
        )


@examples(50)
@given(worlds, st.integers(1, 4), st.data())
def test_without_some_answers_it_is_told_where_they_are_wanted(world, count, data):
    """A cost center that is said to be known is known, whatever was not answered."""
    views = views_of(world)
    answered = data.draw(st.sets(st.sampled_from(sorted(views)))) if views else set()
    ranking = ranking_of(world, count)
    while chosen := ranking.to_ask():
        for session_id in chosen:
            if session_id in answered:
                ranking.answer(session_id, views[session_id])
            else:
                ranking.no_answer(session_id, "not asked")
    unknown = ranking.unknown()
    for code in CODES:
        if code not in unknown:
            assert {one for _, one in largest(world, code, count)} <= answered


def test_a_list_of_zeros_in_one_organization_bounds_nothing_there():
    world = World(
        [Work("ada", 0, (300,)), Work("ada", 0, (500,))], {}, dict.fromkeys(USERS, whole("A"))
    )
    sessions = {
        key: replace(session, lifetime_acus=Decimal("0.0"))
        for key, session in sessions_of(world).items()
    }
    assert set(asked(ranking_of(world, 1, sessions), views_of(world))) == {"devin-0", "devin-1"}


def whole(code: str) -> tuple[DatedSplit, ...]:
    return (valued(date.min, WHOLE[code]),)


def test_who_was_at_work_on_other_days_than_the_list_tells_is_found():
    """One question more than is needed is asked, and its answer ends the belief in dates."""
    world = World(
        [Work("ada", 0, (300, 300)), Work("ada", 0, (100, 0, 900)), Work("ada", 3, (100, 400))],
        {},
        dict.fromkeys(USERS, whole("A")),
    )
    sessions = sessions_of(world)
    late = replace(sessions["devin-1"], updated=FIRST)
    questions = asked(ranking_of(world, 1, sessions | {"devin-1": late}), views_of(world))
    assert "devin-1" in questions


def test_where_bounds_mislead_beyond_measure_the_asking_ends_and_is_told(monkeypatch):
    """Every session used nearly everything in the cycle before."""
    monkeypatch.setattr(ranking_module, "MOST_QUESTIONS", 5)
    works = [Work("ada", -1, (400, n)) for n in range(30)]
    world = World(works, {}, dict.fromkeys(USERS, whole("A")))
    ranking = ranking_of(world, 1)
    assert 5 <= len(asked(ranking, views_of(world))) < 30
    assert ranking.unknown() == {"A": "not asked"}


def test_a_credit_leaves_open_which_are_the_largest():
    """It takes from what a record has on its day, so that no bound holds there."""
    world = World([Work("ada", 0, (300,)), Work("alan", 0, (500,))], {}, {})
    world.rules.update({"ada": whole("A"), "alan": whole("B")})
    ranking = ranking_of(world, 1)
    for session_id, seen in views_of(world).items():
        ranking.answer(session_id, seen)
    assert ranking.unknown() == {}
    ranking.answer("devin-0", view({FIRST: Decimal("-0.5")}))
    assert ranking.unknown() == {"A": "contradicted"}


def test_a_session_of_two_people_leaves_open_which_are_the_largest():
    world = World([Work("ada", 0, (300,))], {}, {"ada": whole("A"), "alan": whole("B")})
    (session,) = sessions_of(world).values()
    both = (Principal("user", "ada"), Principal("service_user", "bot"))
    ranking = ranking_of(world, 1, {"devin-0": replace(session, claimed_by=both)})
    asked(ranking, views_of(world))
    assert ranking.unknown() == {"A": "contradicted"}


# Footing

cards = st.sampled_from(
    (
        RateCard(
            currency="USD",
            decimals=2,
            prices={
                "devin": (
                    Price(date.min, Decimal("1.333"), "rates.yaml:1"),
                    Price(DAYS[2], Decimal("2.00"), "rates.yaml:2"),
                )
            },
        ),
        RateCard(currency="JPY", decimals=0, prices={"*": (Price(date.min, Decimal(9), "r:1"),)}),
        RateCard(currency="USD", decimals=2, tiers=(Tier(None, Decimal("2.005"), "rates.yaml:1"),)),
        RateCard(currency="USD", decimals=2),
    )
)
credited_days = st.dictionaries(
    st.tuples(st.sampled_from(USERS), st.sampled_from(DAYS)), st.integers(-900, -1), max_size=4
)


@examples(100)
@given(worlds, cards, st.integers(0, 5), credited_days, st.integers(1, 3))
def test_sessions_and_all_other_usage_add_up_to_the_lines(world, card, count, credited, boast):
    """Also where credits take usage away, where views boast, and where nothing has a price."""
    result = with_largest(world, card, count, credited, boast)
    for invoice in result.invoices:
        lines = [line for line in invoice.lines if line.product == "devin"]
        shown = invoice.sessions.sessions
        assert sum((one.acus for one in shown), invoice.sessions.other_acus) == sum(
            line.acus for line in lines
        )
        assert sum((one.amount for one in shown), invoice.sessions.other_amount) == sum(
            line.amount for line in lines
        )
        assert invoice.sessions.acus == sum(line.acus for line in lines)
        assert [one.acus for one in shown] == sorted((one.acus for one in shown), reverse=True)
        assert all(one.acus > 0 and one.first_day <= one.last_day for one in shown)
        assert len(shown) <= count
        if not credited:
            assert invoice.sessions.other_acus >= 0


@examples(50)
@given(worlds, st.integers(1, 5))
def test_a_session_costs_what_its_acus_cost_but_for_less_than_a_cent_a_line(world, count):
    card = RateCard(
        currency="USD", decimals=2, prices={"devin": (Price(date.min, Decimal("1.77"), "r:1"),)}
    )
    result = with_largest(world, card, count, {}, 1)
    for invoice in result.invoices:
        code = invoice.cost_center.code
        expected = largest(world, code, count)
        shown = invoice.sessions.sessions
        assert [one.session_id for one in shown] == [one for _, one in expected]
        for one, (acus, _) in zip(shown, expected, strict=True):
            assert abs(Fraction(one.acus) - acus) < Fraction(1, 10**10)
            assert abs(Fraction(one.amount) - acus * Fraction("1.77")) < Fraction(101, 10000)


def with_largest(
    world: World,
    card: RateCard,
    count: int,
    credited: dict[tuple[str, date], int],
    boast: int,
) -> Statement:
    """Charge a world, and put its sessions on the invoices; each view `boast`s by a factor."""
    cells = cells_of(world)
    for (user, day), acus in credited.items():
        cells[subject(user)][day] += Decimal(f"{acus}e-2")
    records = sorted(
        UsageRecord(day, "devin", *one, acus, ("x",))
        for one, days in cells.items()
        for day, acus in days.items()
        if acus
    )
    views = {
        key: replace(one, quantities={cell: acus * boast for cell, acus in one.quantities.items()})
        for key, one in views_of(world).items()
    }
    known = sessions_of(world)
    resolved, _ = timelines(records, mapping_of(world), Directory())
    allocations = tuple(allocate(records, resolved))
    return with_sessions(*charged(records, allocations, card, world, known, views), count)


def charged(
    records: Iterable[UsageRecord],
    allocations: tuple,
    card: RateCard,
    world: World,
    known: dict[str, Session],
    views: dict[str, View],
) -> tuple:
    control: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for record in records:
        control[record.day, record.product] += record.quantity
    control = {cell: acus for cell, acus in control.items() if acus}
    whole, _ = whole_cycle(card, control, FIRST)
    mapping = mapping_of(world)
    priced = tuple(rate(allocations, card, whole))
    charges, _ = charge_cycle(priced, control, mapping, card, whole=whole, cycle=CYCLE)
    heading = Heading(
        enterprise="Acme",
        status="draft",
        cycle=CYCLE,
        currency=card.currency,
        decimals=card.decimals,
        effective_prices=not card.prices,
    )
    usage = Usage(control=control, records=tuple(records), balancing={})
    numbers = {code: f"CB-{code}" for code in CODES}
    result, _ = statement(heading, usage, priced, charges, mapping, card=card, numbers=numbers)
    subjects = {key: subject(one.principal.id) for key, one in known.items() if one.principal}
    sessions = CycleSessions(
        known=known,
        subjects=subjects,
        held=held_by(priced, set(subjects.values())),
        asked=SessionViews(views=views, wholly=""),
    )
    return result, sessions, parts_of(sessions)
