"""The laws of the decomposition, held against a truth that exists before any view of it.

The truth is a list of disjoint atoms. The views are summed from the atoms here, any of them is
withheld, and the records are judged by what they could at best have been made of.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.allocating.match import subject_of
from reportgen.core.allocating.usage import credits_in, decompose, open_pairs, products_of_day
from reportgen.core.model import (
    Directory,
    Discrepancy,
    Principal,
    Session,
    Usage,
    UsageRecord,
    View,
    Views,
)
from tests.core.allocating.test_unallocated import place_of
from tests.examples import examples

DAY, NEXT_DAY = date(2025, 12, 5), date(2025, 12, 6)
CELLS = [(DAY, "devin"), (DAY, "cascade"), (NEXT_DAY, "devin")]
ORGANIZATIONS = ("org-1", "org-2")
ADA, ALAN, ROBOT = (
    Principal("user", "ada"),
    Principal("user", "alan"),
    Principal("service_user", "robot"),
)
PRINCIPALS = (ADA, ALAN, ROBOT)
PAIRS = tuple((org_id, principal) for org_id in ORGANIZATIONS for principal in PRINCIPALS)
TOLERANCE = Decimal("0.000001")
NONE = Decimal(0)
UNITS_PER_ACU = 10**7
COARSE, FINE = (Decimal(1), Decimal("0.1")), (Decimal(1), Decimal("1e-7"))

ViewKey = tuple[str, object]


class Atom(NamedTuple):
    """Consumption that happened once: in an organization or none, by somebody or nobody known."""

    cell: tuple[date, str]
    org_id: str
    principal: Principal | None
    session_id: str
    quantity: Decimal


@dataclass(frozen=True)
class Truth:
    atoms: tuple[Atom, ...]
    sessions: tuple[Session, ...]

    @property
    def directory(self) -> Directory:
        return Directory(sessions={session.session_id: session for session in self.sessions})

    def view(self, kind: str, key: object) -> View:
        """Sum the atoms that a view of the API would show."""
        shows: dict[str, Callable[[Atom], bool]] = {
            "enterprise": lambda atom: True,
            "organizations": lambda atom: atom.org_id == key,
            "principals": lambda atom: atom.principal == key,
            "pairs": lambda atom: (atom.org_id, atom.principal) == key,
            "sessions": lambda atom: atom.session_id == key,
        }
        sums: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
        for atom in self.atoms:
            if shows[kind](atom):
                sums[atom.cell] += atom.quantity
        return View(requests=(f"{kind} {key}",), quantities=dict(sums))

    def keys(self) -> list[ViewKey]:
        return [
            *(("organizations", org_id) for org_id in ORGANIZATIONS),
            *(("principals", principal) for principal in PRINCIPALS),
            *(("pairs", pair) for pair in PAIRS),
            *(("sessions", session.session_id) for session in self.sessions),
        ]

    def views(self, keys: Iterable[ViewKey]) -> Views:
        answered: dict[str, dict[object, View]] = defaultdict(dict)
        for kind, key in keys:
            answered[kind][key] = self.view(kind, key)
        return Views(enterprise=self.view("enterprise", None), **answered)  # type: ignore[arg-type]

    def asked(self, views: Views, pairs: Iterable[tuple[str, Principal]]) -> Views:
        return replace(
            views, pairs={**views.pairs, **{pair: self.view("pairs", pair) for pair in pairs}}
        )


@st.composite
def truths(draw: st.DrawFn, sizes: tuple[Decimal, ...] = FINE) -> Truth:
    owner = st.none() | st.sampled_from(PRINCIPALS)
    places = draw(st.lists(st.tuples(st.sampled_from(ORGANIZATIONS), owner), max_size=3))
    sessions = [
        Session(session_id=f"devin-{number}", org_id=org_id, principal=principal)
        for number, (org_id, principal) in enumerate(places)
    ]
    org = st.sampled_from(("", *ORGANIZATIONS))
    place = st.tuples(org, owner, st.just(""))
    if sessions:
        place |= st.sampled_from(
            [(found.org_id, found.principal, found.session_id) for found in sessions]
        )
    drawn = draw(
        st.lists(
            st.tuples(st.sampled_from(CELLS), place, st.integers(1, 12), st.sampled_from(sizes)),
            max_size=14,
        )
    )
    atoms = tuple(Atom(cell, *where, count * size) for cell, where, count, size in drawn)
    return Truth(atoms=atoms, sessions=tuple(sessions))


@st.composite
def half_seen(draw: st.DrawFn, sizes: tuple[Decimal, ...] = FINE) -> tuple[Truth, Views]:
    """Give a truth and what is left of its views when any are refused; low bits withhold least."""
    truth = draw(truths(sizes))
    keys = truth.keys()
    withheld = draw(st.integers(0, 2 ** len(keys) - 1))
    return truth, truth.views(key for index, key in enumerate(keys) if not withheld >> index & 1)


user_first = st.booleans()
tolerances = st.sampled_from((NONE, TOLERANCE))


def sums(records: Iterable[UsageRecord]) -> dict[tuple[date, str], Decimal]:
    found: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for record in records:
        found[record.day, record.product] += record.quantity
    return {cell: acus for cell, acus in found.items() if acus}


def cells(records: Iterable[UsageRecord]) -> dict[tuple[object, ...], Decimal]:
    return {place_of(record): record.quantity for record in records}


# Law: nothing is charged twice. The oracle.


def may_claim(record: UsageRecord, atom: Atom) -> bool:
    """Tell whether an atom can be what a record charges: it says as much of atoms as it names."""
    if (record.day, record.product) != atom.cell:
        return False
    if record.session_id:
        return atom.session_id == record.session_id
    if record.principal_id and atom.principal != (record.principal_kind, record.principal_id):
        return False
    return not record.org_id or atom.org_id == record.org_id


def can_be_carried(records: list[UsageRecord], atoms: list[Atom]) -> bool:
    """Tell whether every record can be filled from atoms it may claim, each spent at most once.

    Maximum flow in whole numbers: fill the records one after the other along shortest paths, which
    move what earlier records took to other atoms of theirs.
    """
    wanted = [units(record.quantity) for record in records]
    left = [units(atom.quantity) for atom in atoms]
    claims = [
        [index for index, atom in enumerate(atoms) if may_claim(record, atom)] for record in records
    ]
    taken = [[0] * len(atoms) for _ in records]
    for number in range(len(records)):
        while wanted[number]:
            path = shortest_path(number, claims, taken, left)
            if wanted[number] < 0 or not path:
                return False
            moved = min(
                wanted[number],
                left[path[0][1]],
                *(taken[taker][index] for taker, index in links(path)),
            )
            wanted[number] -= moved
            left[path[0][1]] -= moved
            for taker, index in path:
                taken[taker][index] += moved
            for taker, index in links(path):
                taken[taker][index] -= moved
    return True


def shortest_path(
    number: int, claims: list[list[int]], taken: list[list[int]], left: list[int]
) -> list[tuple[int, int]]:
    """Find what to take to fill a record: (record, atom) pairs from an atom with something left."""
    taker_of: dict[int, int] = {}
    given_up: dict[int, int] = {}
    queue = [number]
    for taker in queue:
        for index in claims[taker]:
            if index in taker_of:
                continue
            taker_of[index] = taker
            if left[index]:
                path = [(taker, index)]
                while path[-1][0] != number:
                    earlier = given_up[path[-1][0]]
                    path.append((taker_of[earlier], earlier))
                return path
            for other, row in enumerate(taken):
                if row[index] and other not in queue:
                    given_up[other] = index
                    queue.append(other)
    return []


def links(path: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Give what each record on a path gives up: the atom that the next one takes."""
    return [(taker, index) for (taker, _), (_, index) in pairwise(path)]


def units(quantity: Decimal) -> int:
    scaled = quantity * UNITS_PER_ACU
    assert scaled == int(scaled)
    return int(scaled)


def record(
    org_id: str, principal: Principal | None, quantity: int, session_id: str = ""
) -> UsageRecord:
    kind, principal_id = principal or ("", "")
    return UsageRecord(DAY, "devin", org_id, kind, principal_id, session_id, Decimal(quantity), ())


def atom(org_id: str, principal: Principal | None, quantity: int, session_id: str = "") -> Atom:
    return Atom((DAY, "devin"), org_id, principal, session_id, Decimal(quantity))


@pytest.mark.parametrize(
    ("records", "atoms", "possible"),
    [
        ([record("", None, 3)], [atom("org-1", ADA, 3)], True),
        ([record("", ADA, 3)], [atom("org-1", ADA, 3)], True),
        ([record("", ADA, 3)], [atom("org-1", ALAN, 3)], False),
        ([record("org-1", ADA, 3)], [atom("", ADA, 3)], False),
        (
            [record("org-1", None, 3), record("", ADA, 3)],
            [atom("org-1", ADA, 3), atom("", None, 3)],
            False,
        ),
        # filling the first record greedily from the first atom has to be taken back
        ([record("", None, 3), record("", ADA, 3)], [atom("", ADA, 3), atom("", ALAN, 3)], True),
        (
            [record("", None, 2), record("", ADA, 4)],
            [atom("", ADA, 3), atom("org-2", ADA, 1), atom("", None, 2)],
            True,
        ),
        ([record("org-1", ADA, 1, "devin-0")], [atom("org-1", ADA, 1)], False),
        ([record("org-1", ADA, 1)], [atom("org-1", ADA, 1, "devin-0")], True),
        ([record("", ADA, -1), record("", None, 2)], [atom("", ADA, 1)], False),
    ],
)
def test_the_oracle_itself(records, atoms, possible):
    assert can_be_carried(records, atoms) is possible


# The laws.


@given(half_seen(), user_first, tolerances)
@examples(300)
def test_the_records_add_up_and_no_acu_is_charged_twice(seen, user_first, tolerance):
    truth, views = seen
    usage = decompose(views, truth.directory, user_first=user_first, tolerance=tolerance)
    assert sums(usage.records) == truth.view("enterprise", None).quantities == usage.control
    assert not usage.discrepancies
    assert can_be_carried(list(usage.records), list(truth.atoms))


@given(half_seen(), st.integers(0, 7), user_first, tolerances)
@examples(300)
def test_owners_that_are_not_told_are_charged_once(seen, hidden, user_first, tolerance):
    truth, views = seen
    sessions = {
        session.session_id: replace(session, principal=None) if hidden >> number & 1 else session
        for number, session in enumerate(truth.sessions)
    }
    usage = decompose(
        views, Directory(sessions=sessions), user_first=user_first, tolerance=tolerance
    )
    assert sums(usage.records) == truth.view("enterprise", None).quantities
    assert not usage.discrepancies
    assert can_be_carried(list(usage.records), list(truth.atoms))
    unnamed = {
        (one.day, one.product): one.quantity for one in usage.records if not any(subject_of(one))
    }
    assert usage.balancing == unnamed
    assert all(acus > 0 for acus in unnamed.values())


@given(truths(sizes=COARSE), user_first, tolerances)
@examples(300)
def test_with_every_view_the_records_are_the_truth(truth, user_first, tolerance):
    usage = decompose(
        truth.views(truth.keys()), truth.directory, user_first=user_first, tolerance=tolerance
    )
    somebody = {(atom.cell, atom.org_id) for atom in truth.atoms if atom.principal and atom.org_id}
    expected: dict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    for atom in truth.atoms:
        kind, principal_id = atom.principal or ("", "")
        # Beside somebody's ACUs nothing tells that a session without an owner is not that
        # somebody's.
        told = atom.principal or (atom.cell, atom.org_id) not in somebody
        expected[*atom.cell, atom.org_id, kind, principal_id, atom.session_id if told else ""] += (
            atom.quantity
        )
    assert cells(usage.records) == expected
    assert usage.within_tolerance == 0


@given(half_seen())
@examples(100)
def test_who_ranks_first_loses_nothing(seen):
    truth, views = seen
    by_user = decompose(views, truth.directory, user_first=True, tolerance=NONE)
    for principal, view in views.principals.items():
        own = [
            one for one in by_user.records if (one.principal_kind, one.principal_id) == principal
        ]
        assert sums(own) == view.quantities
    by_org = decompose(views, truth.directory, user_first=False, tolerance=NONE)
    for org_id, view in views.organizations.items():
        assert sums(found for found in by_org.records if found.org_id == org_id) == view.quantities


@given(half_seen(), user_first, tolerances, st.randoms(use_true_random=True))
@examples(100)
def test_the_order_of_the_answers_changes_nothing(seen, user_first, tolerance, random):
    truth, views = seen
    shuffled, directory = reordered(views, random), truth.directory
    backwards = replace(directory, sessions=dict(reversed(directory.sessions.items())))
    assert open_pairs(shuffled, backwards, tolerance) == open_pairs(views, directory, tolerance)
    assert decompose(shuffled, backwards, user_first=user_first, tolerance=tolerance) == decompose(
        views, directory, user_first=user_first, tolerance=tolerance
    )


def reordered(views: Views, random: Random) -> Views:
    def mixed(found):
        return dict(random.sample(list(found.items()), len(found)))

    def all_mixed(found):
        return mixed(
            {key: replace(view, quantities=mixed(view.quantities)) for key, view in found.items()}
        )

    return Views(
        enterprise=replace(views.enterprise, quantities=mixed(views.enterprise.quantities)),
        organizations=all_mixed(views.organizations),
        principals=all_mixed(views.principals),
        pairs=all_mixed(views.pairs),
        sessions=all_mixed(views.sessions),
    )


@given(half_seen(), tolerances)
@examples(200)
def test_after_asking_what_is_open_nothing_is(seen, tolerance):
    truth, views = seen
    asked = open_pairs(views, truth.directory, tolerance)
    assert asked == sorted(set(asked))
    assert not set(asked) & set(views.pairs)
    assert open_pairs(truth.asked(views, asked), truth.directory, tolerance) == []


@given(half_seen())
@examples(200)
def test_what_is_open_is_positive_on_both_sides(seen):
    truth, views = seen
    assert open_pairs(views, truth.directory, NONE) == sorted(positive_on_both_sides(truth, views))


def positive_on_both_sides(truth: Truth, views: Views) -> Iterator[tuple[str, Principal]]:
    """Find open pairs straight from the atoms: both sides have some that no C or session shows.

    A session of nobody shows nothing: it may be part of what is not told of anybody's.
    """
    told = [
        atom
        for atom in truth.atoms
        if (atom.org_id, atom.principal) not in views.pairs
        and (atom.session_id not in views.sessions or atom.principal is None)
    ]
    for org_id, principal in PAIRS:
        if (
            org_id in views.organizations
            and principal in views.principals
            and (org_id, principal) not in views.pairs
        ):
            of_org = {atom.cell for atom in told if atom.org_id == org_id}
            of_user = {atom.cell for atom in told if atom.principal == principal}
            if of_org & of_user:
                yield org_id, principal


@given(half_seen(), user_first)
@examples(200)
def test_an_answer_more_never_tells_less(seen, user_first):
    truth, views = seen
    answered = truth.asked(views, open_pairs(views, truth.directory, NONE))
    before = decompose(views, truth.directory, user_first=user_first, tolerance=NONE)
    after = decompose(answered, truth.directory, user_first=user_first, tolerance=NONE)
    for cell in CELLS:
        assert after.balancing.get(cell, NONE) <= before.balancing.get(cell, NONE)
        for index, names in (
            (slice(2, 3), [(org_id,) for org_id in ORGANIZATIONS]),
            (slice(3, 5), PRINCIPALS),
        ):
            for name in names:
                told = [
                    sums(found for found in usage.records if found[index] == name).get(cell, NONE)
                    for usage in (before, after)
                ]
                assert told[0] <= told[1]


@st.composite
def contradictory(draw: st.DrawFn) -> tuple[Truth, Views]:
    """Give views that need not agree with one another, nor be positive."""
    truth = draw(truths())
    acus = st.integers(-30, 30).map(lambda tenth: Decimal(tenth).scaleb(-1)) | st.just(
        Decimal("4e-17")
    )
    quantities = st.dictionaries(st.sampled_from(CELLS), acus)
    answered: dict[str, dict[object, View]] = defaultdict(dict)
    for kind, key in draw(st.lists(st.sampled_from(truth.keys()), unique=True)):
        answered[kind][key] = View(requests=(f"{kind} {key}",), quantities=draw(quantities))
    enterprise = View(requests=("enterprise None",), quantities=draw(quantities))
    return truth, Views(enterprise=enterprise, **answered)  # type: ignore[arg-type]


@given(contradictory(), user_first, tolerances)
@examples(200)
def test_views_that_contradict_each_other_still_add_up_and_are_reported(
    seen, user_first, tolerance
):
    truth, views = seen
    usage = decompose(views, truth.directory, user_first=user_first, tolerance=tolerance)
    assert sums(usage.records) == {
        cell: acus for cell, acus in views.enterprise.quantities.items() if acus
    }
    asked = {
        view.requests[0]: view.quantities
        for view in (
            views.enterprise,
            *(
                view
                for kind in (views.organizations, views.principals, views.pairs, views.sessions)
                for view in kind.values()
            ),
        )
    }
    negative = sorted(
        (found.day, found.product, found.org_id, found.principal_id, found.quantity)
        for found in usage.records
        for owed in [min(NONE, asked[found.requests[0]].get(found[:2], NONE))]
        if found.quantity - owed < -tolerance
    )
    told = usage.discrepancies
    assert (
        sorted((one.day, one.product, one.org_id, one.principal_id, one.acus) for one in told)
        == negative
    )
    assert all(one.acus < 0 and one.views and one.accepted is None for one in told)
    assert len(cells(usage.records)) == len(usage.records)
    assert all(one.quantity for one in usage.records)


# Worked cases, on one day and product.


def view(name: str, acus: str) -> View:
    return View(requests=(name,), quantities={(DAY, "devin"): Decimal(acus)})


def case(
    e: str, o: str | None = None, u: str | None = None, c: str | None = None, s: str | None = None
) -> Views:
    return Views(
        enterprise=view("e", e),
        organizations={"org-1": view("o", o)} if o else {},
        principals={ADA: view("u", u)} if u else {},
        pairs={("org-1", ADA): view("c", c)} if c else {},
        sessions={"devin-0": view("s", s)} if s else {},
    )


DIRECTORY = Directory(
    sessions={"devin-0": Session(session_id="devin-0", org_id="org-1", principal=ADA)}
)


def decomposed(views: Views, *, user_first: bool = True, directory: Directory = DIRECTORY) -> Usage:
    return decompose(views, directory, user_first=user_first, tolerance=TOLERANCE)


def written(usage: Usage) -> dict[tuple[str, str, str], str]:
    """Write the records as (organization, principal, session) -> ACUs."""
    return {
        (one.org_id, one.principal_id, one.session_id): str(one.quantity) for one in usage.records
    }


def test_where_c_is_unknown_nobody_pays_twice():
    views = case(e="20", o="10", u="10")
    assert open_pairs(views, DIRECTORY, TOLERANCE) == [("org-1", ADA)]
    assert written(decomposed(views)) == {("", "", ""): "10", ("", "ada", ""): "10"}
    assert written(decomposed(views, user_first=False)) == {
        ("", "", ""): "10",
        ("org-1", "", ""): "10",
    }


@pytest.mark.parametrize("user_first", [True, False])
@pytest.mark.parametrize(
    ("c", "records"),
    [
        ("0", {("", "ada", ""): "10", ("org-1", "", ""): "10"}),
        (
            "4",
            {
                ("", "", ""): "4",
                ("", "ada", ""): "6",
                ("org-1", "", ""): "6",
                ("org-1", "ada", ""): "4",
            },
        ),
        ("10", {("", "", ""): "10", ("org-1", "ada", ""): "10"}),
    ],
)
def test_where_c_is_known_it_is_never_a_matter_of_rank(user_first, c, records):
    views = case(e="20", o="10", u="10", c=c)
    assert open_pairs(views, DIRECTORY, TOLERANCE) == []
    assert written(decomposed(views, user_first=user_first)) == records


def test_a_session_is_all_that_is_known_of_an_unknown_pair():
    views = case(e="20", o="10", u="10", s="3")
    assert open_pairs(views, DIRECTORY, TOLERANCE) == [("org-1", ADA)]
    assert written(decomposed(views)) == {
        ("", "", ""): "10",
        ("", "ada", ""): "7",
        ("org-1", "ada", "devin-0"): "3",
    }
    of_org = {("", "", ""): "10", ("org-1", "", ""): "7", ("org-1", "ada", "devin-0"): "3"}
    assert written(decomposed(views, user_first=False)) == of_org


@pytest.mark.parametrize("user_first", [True, False])
def test_a_session_whose_owner_is_not_told_is_not_charged_beside_its_user(user_first):
    atoms = [atom("org-1", ADA, 1, "devin-0"), atom("", None, 1)]
    nameless = Directory(sessions={"devin-0": Session(session_id="devin-0", org_id="org-1")})
    usage = decomposed(case(e="2", u="1", s="1"), user_first=user_first, directory=nameless)
    assert can_be_carried(list(usage.records), atoms)


def test_a_session_of_which_nothing_is_known_stays_where_it_was():
    views = case(e="20", o="10", u="10", c="4", s="3")
    assert decomposed(views, directory=Directory()) == decomposed(
        case(e="20", o="10", u="10", c="4")
    )
    split = {("org-1", "ada", ""): "1", ("org-1", "ada", "devin-0"): "3"}
    assert written(decomposed(views)).items() >= split.items()


def test_a_dispute_on_one_day_leaves_the_others_alone():
    o, u, e = (
        View(
            requests=(name,),
            quantities={(DAY, "devin"): Decimal(first), (NEXT_DAY, "devin"): Decimal(second)},
        )
        for name, first, second in (("o", 10, 5), ("u", 10, 0), ("e", 20, 5))
    )
    usage = decomposed(Views(enterprise=e, organizations={"org-1": o}, principals={ADA: u}))
    assert {
        (found.day, found.org_id, found.principal_id): found.quantity for found in usage.records
    } == {
        (DAY, "", "ada"): 10,
        (DAY, "", ""): 10,
        (NEXT_DAY, "org-1", ""): 5,
    }


@pytest.mark.parametrize("user_first", [True, False])
def test_a_pair_above_its_user_is_a_discrepancy(user_first):
    usage = decomposed(case(e="10", o="9", u="3", c="5"), user_first=user_first)
    assert written(usage) == {
        ("", "", ""): "3",
        ("", "ada", ""): "-2",
        ("org-1", "", ""): "4",
        ("org-1", "ada", ""): "5",
    }
    assert usage.discrepancies == (
        Discrepancy(
            day=DAY,
            product="devin",
            org_id="",
            principal_id="ada",
            acus=Decimal(-2),
            views=("u", "c"),
        ),
    )


def test_a_pair_above_its_organization_is_a_discrepancy():
    (found,) = decomposed(case(e="10", o="4", u="5", c="5")).discrepancies
    assert (found.org_id, found.principal_id, found.acus, found.views) == (
        "org-1",
        "",
        -1,
        ("o", "c"),
    )


def test_a_session_above_its_pair_is_a_discrepancy():
    usage = decomposed(case(e="10", o="5", u="5", c="5", s="6"))
    (found,) = usage.discrepancies
    assert (found.org_id, found.principal_id, found.acus, found.views) == (
        "org-1",
        "ada",
        -1,
        ("c", "s"),
    )
    assert sums(usage.records) == {(DAY, "devin"): 10}


def test_views_above_the_enterprise_are_a_discrepancy():
    usage = decomposed(
        Views(enterprise=view("e", "10"), principals={ADA: view("u", "8"), ALAN: view("v", "7")})
    )
    assert written(usage) == {("", "", ""): "-5", ("", "ada", ""): "8", ("", "alan", ""): "7"}
    (found,) = usage.discrepancies
    assert (found.org_id, found.principal_id, found.acus) == ("", "", -5)
    assert "e" in found.views
    assert usage.balancing == {(DAY, "devin"): -5}


def test_a_view_below_zero_is_a_credit():
    usage = decomposed(
        Views(enterprise=view("e", "6"), principals={ADA: view("u", "10"), ALAN: view("v", "-4")})
    )
    assert written(usage) == {("", "ada", ""): "10", ("", "alan", ""): "-4"}
    assert usage.discrepancies == ()


def test_what_goes_further_below_zero_than_the_credit_is_a_discrepancy():
    (found,) = decomposed(case(e="10", u="-1", c="5")).discrepancies
    assert (found.principal_id, found.acus, found.views) == ("ada", -6, ("u", "c"))


@pytest.mark.parametrize(
    ("cells", "owed"),
    [
        ({"devin": "-4", "review": "10"}, {"devin": "-4"}),
        ({"unspecified": "-4"}, {"unspecified": "-4"}),
        ({"devin": "5", "unspecified": "-3"}, {}),
        ({"devin": "5", "unspecified": "-9"}, {"unspecified": "-4"}),
        ({"devin": "3", "cascade+terminal": "-3"}, {}),
    ],
)
def test_the_rest_of_a_total_is_a_credit_only_as_far_as_the_total(cells, owed):
    quantities = {(DAY, product): Decimal(acus) for product, acus in cells.items()}
    assert credits_in(quantities) == {
        (DAY, product): Decimal(acus) for product, acus in owed.items()
    }


@pytest.mark.parametrize("noise", ["0.30000000000000004", "0.29999999999999996"])
def test_float_noise_goes_to_the_balancing_cell_and_is_counted(noise):
    usage = decomposed(case(e="1", o="0.3", u=noise, c="0.3"))
    assert written(usage) == {("", "", ""): "0.7", ("org-1", "ada", ""): "0.3"}
    assert usage.within_tolerance == Decimal("4e-17")
    assert not usage.discrepancies
    one = replace(case(e=noise, u=noise, c="0.3"), unspecified_within_tolerance=Decimal("1e-7"))
    assert written(decomposed(one))[("", "", "")] == str(Decimal(noise) - Decimal("0.3"))
    assert decomposed(one).within_tolerance == Decimal("1.0000000004e-7")


def test_the_tolerance_itself_is_within():
    at, beyond = case(e="1", u="0.300001", c="0.3"), case(e="1", u="0.3000011", c="0.3")
    assert ("", "ada", "") not in written(decomposed(at))
    assert written(decomposed(beyond))["", "ada", ""] == "0.0000011"


def test_a_record_names_the_answers_that_prove_it():
    usage = decomposed(case(e="20", o="10", u="9", c="4", s="3"))
    assert {
        (one.org_id, one.principal_id, one.session_id): one.requests for one in usage.records
    } == {
        ("", "", ""): ("e",),
        ("", "ada", ""): ("u", "c"),
        ("org-1", "", ""): ("o",),
        ("org-1", "ada", ""): ("c", "s"),
        ("org-1", "ada", "devin-0"): ("s",),
    }


@pytest.mark.parametrize(
    ("acus", "products", "kept", "rest"),
    [
        ("5", {"devin": "3", "cascade": "2"}, {"devin": "3", "cascade": "2"}, "0"),
        ("5", {"devin": "3"}, {"devin": "3", "unspecified": "2"}, "0"),
        ("5", {}, {"unspecified": "5"}, "0"),
        ("3", {"devin": "5"}, {"devin": "5", "unspecified": "-2"}, "0"),
        ("5", {"devin": "3", "unspecified": "1"}, {"devin": "3", "unspecified": "2"}, "0"),
        ("0.30000000000000004", {"devin": "0.3"}, {"devin": "0.3"}, "4e-17"),
        ("0.3", {"devin": "0.300001"}, {"devin": "0.300001"}, "0.000001"),
        ("0", {}, {}, "0"),
    ],
)
def test_what_the_products_of_a_day_do_not_explain_is_unspecified(acus, products, kept, rest):
    found = products_of_day(
        Decimal(acus), {name: Decimal(part) for name, part in products.items()}, TOLERANCE
    )
    assert found == ({name: Decimal(part) for name, part in kept.items()}, Decimal(rest))
