"""Usage by the tags of sessions, held against a world that knows each by day."""

from collections import defaultdict
from decimal import Decimal

import pytest

from reportgen.derive import Derived
from tests.fakeapi.sample import CYCLES, World
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import working_world
from tests.scenarios.collecting.live import Live, foots
from tests.scenarios.collecting.test_largest import (
    CENTERS,
    OF_SESSION,
    SOURCES,
    WORLD,
    WithoutProducts,
    asked,
    job,
    rules,
)

START, END = CYCLES[1]
Tagged = dict[str, dict[tuple[str, ...], tuple[int, Decimal]]]
"""By cost center and tags: how many sessions, and their ACUs."""


def with_tags(folder, api, tags: str, source: str = "", count: int = 0, **more: str) -> Live:
    made = job(folder, api, rules(api.world), source, count)
    path = folder / "chargeback.yaml"
    extra = "".join(f", {key}: {value}" for key, value in more.items())
    told = f"sessions: {count}, tags: {tags}{extra}"
    path.write_text(path.read_text().replace(f"sessions: {count}", told))
    return made


def truth(world: World, wanted: dict[int, tuple[str, ...]]) -> Tagged:
    """Add up the atoms of sessions by who bears them, and by their tags that are `wanted`."""
    bearers = rules(world)["users"]
    tags = {one.session_id: wanted.get(one.number, ()) for one in world.sessions}
    sums: dict = defaultdict(lambda: defaultdict(lambda: (set(), Decimal(0))))
    for atom in world.atoms:
        if atom.session_id and tags[atom.session_id] and START <= atom.day < END:
            of_center = sums[bearers.get(atom.principal_id, "Z-9")]
            ids, acus = of_center[tags[atom.session_id]]
            of_center[tags[atom.session_id]] = (
                ids | {atom.session_id},
                acus + Decimal(str(atom.acus)),
            )
    return {
        code: {key: (len(ids), acus) for key, (ids, acus) in groups.items()}
        for code, groups in sums.items()
    }


def shown(derived: Derived) -> Tagged:
    return {
        invoice.cost_center.code: {
            row.tags: (row.sessions, round(row.acus, 6)) for row in invoice.by_tag.rows if row.tags
        }
        for invoice in derived.statement.invoices
        if invoice.by_tag.rows
    }


def add_up(derived: Derived) -> bool:
    """Tell whether the rows come to the lines of `devin`, to the cent."""
    return all(
        (sum(row.acus for row in rows), sum(row.amount for row in rows))
        == (
            sum(line.acus for line in invoice.lines if line.product == "devin"),
            sum(line.amount for line in invoice.lines if line.product == "devin"),
        )
        for invoice in derived.statement.invoices
        if (rows := invoice.by_tag.rows)
    )


def reasons(derived: Derived) -> set[str]:
    return {invoice.by_tag.unknown for invoice in derived.statement.invoices}


PROJECTS = {one.number: one.tags for one in WORLD.sessions if one.tags}


@pytest.mark.parametrize("name", SOURCES)
def test_what_tags_used_is_exact_and_nothing_is_asked_twice(tmp_path, name):
    with serving(WORLD) as api:
        derived = with_tags(tmp_path, api, '"project:*"', SOURCES[name], 10).collected()
        assert not api.violations
        assert max(api.seen.lines[line] for line in asked(api)) == 1
    assert shown(derived) == truth(WORLD, PROJECTS)
    assert reasons(derived) == {""}
    assert add_up(derived)
    assert foots(derived)
    assert {len(one.sessions.sessions) for one in derived.statement.invoices} <= {0, 10}


def test_without_largest_sessions_tags_are_asked_about_alone(tmp_path):
    wanted = {number: tags for number, tags in PROJECTS.items() if tags == ("project:1",)}
    with serving(WORLD) as api:
        derived = with_tags(tmp_path, api, '["project:1", "nobody:*"]').collected()
        assert len(asked(api)) == len(wanted)
    assert shown(derived) == truth(WORLD, wanted)
    assert {one.sessions.unknown for one in derived.statement.invoices} == {"not wanted"}


def test_a_session_of_several_tags_is_counted_once(tmp_path):
    sessions = tuple(
        one._replace(tags=("team:b", "project:x", "team:a")) if one.number % 2 else one
        for one in WORLD.sessions
    )
    world = WORLD._replace(sessions=sessions)
    both = {one.number: ("project:x", "team:a", "team:b") for one in sessions if one.number % 2}
    others = {number: tags for number, tags in PROJECTS.items() if number % 2 == 0}
    with serving(world) as api:
        derived = with_tags(tmp_path, api, '["project:*", "team:*"]').collected()
    assert shown(derived) == truth(world, both | others)
    assert add_up(derived)


def test_no_such_tag_and_nobody_asked(tmp_path):
    with serving(WORLD) as api:
        derived = with_tags(tmp_path, api, '"nobody:*"').collected()
        assert not asked(api)
    assert [one.by_tag.rows for one in derived.statement.invoices] == [()] * len(CENTERS)
    assert reasons(derived) == {""}


def test_without_the_key_nothing_is_asked_or_shown(tmp_path):
    with serving(WORLD) as api:
        derived = job(tmp_path, api, count=0).collected()
        assert not asked(api)
    assert {one.by_tag for one in derived.statement.invoices} == {None}


def test_evidence_that_was_collected_without_tags_says_so(tmp_path):
    with serving(WORLD) as api:
        made = job(tmp_path, api, count=0)
        made.collected()
        path = tmp_path / "chargeback.yaml"
        path.write_text(path.read_text().replace("sessions: 0", 'sessions: 0, tags: "project:*"'))
        derived = made.derived()
    assert reasons(derived) == {"not asked"}
    assert [one.by_tag.rows for one in derived.statement.invoices] == [()] * len(CENTERS)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(2, 10))
def test_what_tags_used_is_exact_in_other_worlds(tmp_path, seed):
    world = working_world(users=30, organizations=3, sessions=seed, seed=seed)
    with serving(world) as api:
        derived = with_tags(tmp_path, api, '"*"', count=3).collected()
    assert shown(derived) == truth(world, {one.number: one.tags for one in world.sessions})
    assert add_up(derived)


@pytest.mark.parametrize("alone", [False, True], ids=["all", "sessions"])
def test_answers_without_products_show_no_tags_and_say_so(tmp_path, alone):
    with serving(WithoutProducts(WORLD, sessions_alone=alone)) as api:
        derived = with_tags(tmp_path, api, '"project:*"').collected()
        assert len(asked(api)) <= (20 if alone else 0)
    assert reasons(derived) == {"no products"}
    assert not shown(derived)
    (warning,) = [one for one in derived.warnings if one.code == "tags-unknown"]
    assert "name no products" in str(warning)


@pytest.mark.parametrize("tags", ['"project:*"', '["project:1", "a", "b", "c"]'])
def test_a_refusal_of_tagged_sessions_is_a_warning(tmp_path, tags):
    with serving(WORLD) as api:
        api.forbid(OF_SESSION)
        derived = with_tags(tmp_path, api, tags).collected()
        assert max(api.seen.lines[line] for line in asked(api)) == 1
    (warning,) = [one for one in derived.warnings if one.code == "tags-unknown"]
    assert f"is not known of {len(asked(api))} out of" in str(warning)
    assert "the API refused what sessions used" in str(warning)
    assert (" … is not known" in str(warning)) == ("c" in tags.split('"'))
