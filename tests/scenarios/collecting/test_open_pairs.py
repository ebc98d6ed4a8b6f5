"""Who worked where, when no role tells: asked in parts, as answers close others, not forever."""

import json
import re
from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest

from reportgen.commands.build import build
from reportgen.core.allocating.usage import open_pairs
from reportgen.core.model import Directory, Principal, View, Views
from reportgen.core.written.statement_json import statement_json
from reportgen.sources.api import v3
from tests.fakeapi.sample import CYCLES, DAY, Atom
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world
from tests.poppler import text_of
from tests.scenarios.collecting.live import (
    as_yaml,
    by_center,
    close,
    foots,
    live,
    mapped,
    missing,
    of_principals,
    truth,
    used_by,
)
from tests.scenarios.job import STATEMENT, Job, plain

GROWN = big_world(users=30, organizations=5, active_days=6)
WORLD = GROWN._replace(
    people=tuple(person._replace(roles=(), directory="users") for person in GROWN.people)
)
MAPPING = mapped(WORLD)
TEMPLATE = "/v3/organizations/{org_id}/consumption/daily/users/{user_id}"
MISSING = re.compile(
    r"GET /v3/organizations/\{id\}/consumption/daily/users/\{id\}: (\d+) not asked"
)
ORG_FIRST = {"precedence": ["session", "org", "user"]}
RANKS = pytest.mark.parametrize("ranks", [{}, ORG_FIRST], ids=["user first", "org first"])


def where(key):
    """Give who or what used each product of each day."""
    found = defaultdict(set)
    for atom in WORLD.atoms:
        if key(atom):
            found[atom.day, atom.product].add(key(atom))
    return found


def could_be():
    """Give every pair of an organization and a user that used one product on one day."""
    orgs, users = where(lambda atom: atom.org_id), where(lambda atom: atom.principal_id)
    return {
        (org_id, user_id)
        for cell in orgs.keys() & users
        for org_id in orgs[cell]
        for user_id in users[cell]
    }


def are():
    return {
        (atom.org_id, atom.principal_id)
        for atom in WORLD.atoms
        if atom.org_id and atom.principal_id
    }


@pytest.fixture
def small(monkeypatch):
    """Let a part be of four pairs, and no more than so many be asked in all."""

    def bound(most=100_000):
        monkeypatch.setattr(v3, "AT_A_TIME", 4)
        monkeypatch.setattr(v3, "MOST_OPEN_PAIRS", most)

    return bound


# Which come first

ADA, ALAN, EVE = (Principal("user", name) for name in ("ada", "alan", "eve"))


def view(**days):
    """Word quantities: `d5` are the ACUs of 5 December."""
    quantities = {
        (date(2025, 12, int(day[1:])), "devin"): Decimal(acus) for day, acus in days.items()
    }
    return View(requests=("/v3",), quantities=quantities)


def test_pairs_that_share_most_days_come_first_and_then_by_name():
    views = Views(
        enterprise=view(d5=9, d6=9, d7=9),
        organizations={"org-1": view(d5=3, d6=3, d7=3), "org-2": view(d7=2)},
        principals={ADA: view(d7=1), ALAN: view(d5=1, d6=1), EVE: view(d8=1)},
        pairs={},
        sessions={},
    )
    expected = [("org-1", ALAN), ("org-1", ADA), ("org-2", ADA)]
    assert open_pairs(views, Directory(), Decimal("1e-6")) == expected


def test_a_pair_that_is_known_is_not_open_and_closes_what_it_explains():
    """All of Ada's is in org-1, and so nothing can be in org-2."""
    views = Views(
        enterprise=view(d5=9),
        organizations={"org-1": view(d5=4), "org-2": view(d5=2)},
        principals={ADA: view(d5=3), ALAN: view(d5=1)},
        pairs={("org-1", ADA): view(d5=3)},
        sessions={},
    )
    assert open_pairs(views, Directory(), Decimal("1e-6")) == [("org-1", ALAN), ("org-2", ALAN)]


# Rounds


@pytest.mark.heavy
def test_early_answers_close_pairs_that_are_then_not_asked(tmp_path, small):
    with serving(WORLD) as api:
        whole = live(tmp_path / "at once", api, MAPPING).collected()
        at_once = api.seen.templates[TEMPLATE]
        api.forget()
        small()
        derived = live(tmp_path / "in parts", api, MAPPING).collected()
        in_parts = api.seen.templates[TEMPLATE]
        assert max(api.seen.lines.values()) == 1
    assert at_once == len(could_be())
    assert len(are()) <= in_parts < at_once * 3 / 4
    assert not missing(derived)
    assert close(by_center(derived), truth(WORLD, MAPPING))
    assert by_center(derived) == by_center(whole)


@pytest.mark.quick(1)
@RANKS
def test_a_pair_that_is_refused_is_asked_once(tmp_path, small, ranks):
    """All but the first of each organization: whether it is still refused tells of a credential."""
    organizations = {organization for organization, _ in could_be()}
    small()
    with serving(WORLD) as api:
        api.forbid(TEMPLATE)
        derived = live(tmp_path, api, mapped(WORLD, **ranks)).collected()
        assert api.seen.templates[TEMPLATE] == len(could_be()) + len(organizations)
        assert max(api.seen.lines.values()) == 2
    assert foots(derived)
    path = TEMPLATE.replace("{org_id}", "{id}").replace("{user_id}", "{id}")
    assert missing(derived) == (f"GET {path}: {len(could_be())} answered 403",)


@pytest.mark.heavy
def test_interrupted_and_gone_on_with_the_same_is_asked(tmp_path, small):
    small()
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING)
        whole = statement_json(job.collected().statement)
        lines = job.evidence.read_bytes().splitlines(keepends=True)
        asked = {*api.seen.lines}
        for kept in (len(lines) // 2, len(lines) - 5):
            job.evidence.write_bytes(b"".join(lines[:kept]))
            assert statement_json(job.collected().statement) == whole
        assert {*api.seen.lines} == asked


# No more than can be asked


@pytest.mark.quick(1)
@RANKS
@pytest.mark.parametrize("most", [0, 1, 10, 40])
def test_what_is_not_asked_is_named_and_nobody_pays_twice(tmp_path, small, ranks, most):
    mapping = mapped(WORLD, **ranks)
    small(most)
    with serving(WORLD) as api:
        job = live(tmp_path, api, mapping)
        derived = job.collected()
        assert api.seen.templates[TEMPLATE] == most
        api.forget()
        again = job.collected()
        assert api.seen.templates[TEMPLATE] == 0
    (view,) = missing(derived)
    left = int(MISSING.fullmatch(view)[1])
    assert 0 < left <= len(could_be()) - most
    assert most or left == len(could_be())
    assert foots(derived)
    assert not derived.usage.discrepancies
    used, found = used_by(WORLD), of_principals(derived)
    assert all(acus <= used[key] + 1e-6 for key, acus in found.items())
    assert all(record.quantity > -1e-9 for record in derived.usage.records)
    places = defaultdict(float)
    for atom in WORLD.atoms:
        places[atom.org_id] += atom.acus
    for org_id in {record.org_id for record in derived.usage.records} - {""}:
        charged = sum(
            float(record.quantity) for record in derived.usage.records if record.org_id == org_id
        )
        assert charged <= places[org_id] + 1e-6
    assert statement_json(again.statement) == statement_json(derived.statement)


@pytest.mark.heavy
def test_when_all_can_just_be_asked_nothing_is_missing(tmp_path, small):
    small()
    with serving(WORLD) as api:
        live(tmp_path / "first", api, MAPPING).collected()
        needed = api.seen.templates[TEMPLATE]
        small(needed)
        just = live(tmp_path / "just", api, MAPPING).collected()
        small(needed - 1)
        short = live(tmp_path / "short", api, MAPPING).collected()
    assert missing(just) == ()
    assert close(by_center(just), truth(WORLD, MAPPING))
    assert len(missing(short)) == 1


def charged(statement):
    """Read a statement without its fiscal year, which only an archive knows."""
    values = json.loads(statement)
    for each in (values, *values["cost_centers"]):
        del each["year_to_date"]
    return values


@pytest.mark.heavy
def test_terminal_and_statement_name_what_was_not_asked(tmp_path, monkeypatch):
    """Two users, one of them in either organization, and only one question."""
    one, two = GROWN.people[0]._replace(roles=()), GROWN.people[1]._replace(roles=())
    places = GROWN.organizations[:2]
    spent = [
        Atom(CYCLES[1][0] + DAY, "devin", place.org_id, person.user_id, None, 2.0)
        for person, place in zip((one, two), places, strict=True)
    ]
    world = GROWN._replace(people=(one, two), organizations=places, atoms=tuple(spent))
    monkeypatch.setattr(v3, "MOST_OPEN_PAIRS", 1)
    users = dict.fromkeys((one.user_id, two.user_id), "A-1")
    mapping = as_yaml({"cost_centers": {"A-1": {"name": "All"}}, "users": users})
    with serving(world) as api:
        job = live(tmp_path, api, mapping)
        derived = job.collected()
    plain(Job(tmp_path), *STATEMENT)
    said = job.command(lambda context: build(tmp_path, "2025-12-05", context, 1))
    assert said.code == 0
    words = "GET /v3/organizations/{id}/consumption/daily/users/{id}: "
    (left,) = missing(derived)
    assert left.startswith(words)
    assert f"{left}: the decomposition is coarser" in said.stderr
    folder = tmp_path / "archive" / "2025-12-05"
    assert charged((folder / "statement.json").read_text(encoding="utf-8")) == charged(
        statement_json(derived.statement)
    )
    text = text_of((folder / "statement.pdf").read_bytes())
    assert "not asked" in text
    assert words.split(": ", maxsplit=1)[0].removeprefix("GET ") in text
