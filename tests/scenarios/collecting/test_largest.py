"""The largest sessions of every cost center, held against a world that knows each by day."""

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from reportgen.core.cycle import billing_day
from reportgen.core.model import LargestSessions
from reportgen.core.written.statement_json import statement_json
from reportgen.derive import Derived
from tests.fakeapi.api import FakeApi
from tests.fakeapi.sample import CYCLES, DAY, Atom, Session, World
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import working_world
from tests.scenarios.collecting.live import DAILY3, Live, as_yaml, foots, live, own_credentials

START, END = CYCLES[1]
OF_SESSION = f"{DAILY3}/sessions/{{session_id}}"
SESSION_LINE = "/consumption/daily/sessions/"
CENTERS = ("A-1", "B-2", "C-3", "D-4", "E-5", "Z-9")
WORLD = working_world(users=24, organizations=3, sessions=6)
SOURCES = {"enterprise": "", "organizations": own_credentials(WORLD)}

Bears = Callable[[Atom], dict[str, Decimal]]
"""Says which part of an atom each cost center bears."""
Shown = dict[str, list[tuple[str, Decimal]]]
"""The sessions of every cost center and their ACUs, the largest first."""


def rules(world: World = WORLD, **more: Any) -> dict[str, Any]:
    users = {person.user_id: CENTERS[n % 5] for n, person in enumerate(world.people)}
    centers = {code: {"name": code} for code in CENTERS}
    return {"cost_centers": centers, "users": users, "unallocated": "Z-9"} | more


def by_user(mapping: dict[str, Any]) -> Bears:
    return lambda atom: {mapping["users"].get(atom.principal_id, "Z-9"): Decimal(1)}


def truth(world: World, bears: Bears, count: int = 10) -> Shown:
    """Give the largest sessions from the atoms themselves."""
    used: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for atom in world.atoms:
        if atom.session_id and START <= atom.day < END:
            for code, share in bears(atom).items():
                used[code][f"devin-{atom.session_id}"] += Decimal(str(atom.acus)) * share
    return {
        code: sorted(of_code.items(), key=lambda one: (-round(one[1], 6), one[0]))[:count]
        for code, of_code in used.items()
    }


def shown(derived: Derived) -> Shown:
    return {
        invoice.cost_center.code: [(one.session_id, one.acus) for one in invoice.sessions.sessions]
        for invoice in derived.statement.invoices
        if invoice.sessions.sessions
    }


def same(found: Shown, expected: Shown) -> bool:
    """Compare sessions in their order; ACUs may be float noise apart."""
    return found.keys() == expected.keys() and all(
        [one for one, _ in found[code]] == [one for one, _ in expected[code]]
        and all(
            abs(ours - theirs) < Decimal("1e-6")
            for (_, ours), (_, theirs) in zip(found[code], expected[code], strict=True)
        )
        for code in expected
    )


def reasons(derived: Derived) -> set[str]:
    return {invoice.sessions.unknown for invoice in derived.statement.invoices}


def asked(api: FakeApi) -> list[str]:
    return [line for line in api.seen.lines if SESSION_LINE in line]


def job(
    folder, api, mapping: dict[str, Any] | None = None, source: str = "", count: int = 10
) -> Live:
    made = live(folder, api, as_yaml(mapping or rules()), source)
    path = folder / "chargeback.yaml"
    path.write_text(path.read_text() + f"invoice: {{sessions: {count}}}\n")
    return made


def add_up(derived: Derived) -> bool:
    """Tell whether sessions and all other usage add up to the lines of `devin`, to the cent."""
    return all(
        total_of(invoice.sessions)
        == (
            sum(line.acus for line in invoice.lines if line.product == "devin"),
            sum(line.amount for line in invoice.lines if line.product == "devin"),
        )
        for invoice in derived.statement.invoices
    )


def total_of(largest: LargestSessions) -> tuple[Decimal, Decimal]:
    return (
        largest.other_acus + sum(one.acus for one in largest.sessions),
        largest.other_amount + sum(one.amount for one in largest.sessions),
    )


@pytest.mark.parametrize("name", SOURCES)
def test_the_largest_are_shown_exactly_and_few_are_asked_about(tmp_path, name):
    mapping = rules()
    with serving(WORLD) as api:
        derived = job(tmp_path, api, mapping, SOURCES[name]).collected()
        assert not api.violations
        requests = len(asked(api))
        assert max(api.seen.lines[line] for line in asked(api)) == 1
    assert same(shown(derived), truth(WORLD, by_user(mapping)))
    assert reasons(derived) == {""}
    assert add_up(derived)
    assert foots(derived)
    assert requests <= 5 * 10 * 1.2


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(2, 12))
@pytest.mark.parametrize("count", [1, 10, 100])
def test_the_largest_are_shown_exactly_in_other_worlds(tmp_path, seed, count):
    world = working_world(users=40, organizations=4, sessions=seed, seed=seed)
    mapping = rules(world)
    with serving(world) as api:
        derived = job(tmp_path, api, mapping, count=count).collected()
    assert same(shown(derived), truth(world, by_user(mapping), count))
    assert reasons(derived) == {""}
    assert add_up(derived)


def test_a_lifetime_total_misleads_nobody(tmp_path):
    """One that used nearly everything in the cycle before has the largest total of all."""
    world = planted(
        [("old", START - 5 * DAY, [90.0, 90.0, 0.0, 0.0, 0.0, 0.5]), ("new", START, [3.0, 4.0])]
    )
    with serving(world) as api:
        derived = job(tmp_path, api, rules(world), count=1).collected()
    assert shown(derived) == {"A-1": [("devin-new", Decimal("7.0"))]}
    (own, *_) = derived.statement.invoices
    (use,) = own.sessions.sessions
    assert (use.first_day, use.last_day) == (date(2025, 12, 5), date(2025, 12, 6))
    assert (own.sessions.other_acus, own.sessions.other_amount) == (Decimal("0.5"), Decimal("1.00"))


def test_dates_that_do_not_hold_are_believed_no_more(tmp_path):
    """A list may say that sessions ended before they did: then their totals alone bound them."""
    world = planted([("late", START, [1.0, 1.0, 9.0]), ("other", START, [3.0, 3.0])])
    late = world.sessions[0]._replace(updated_at=START + 700)
    world = world._replace(sessions=(late, *world.sessions[1:]))
    with serving(world) as api:
        derived = job(tmp_path, api, rules(world), count=1).collected()
    assert shown(derived) == {"A-1": [("devin-late", Decimal("11.0"))]}


def planted(sessions: list[tuple[str, int, list[float]]]) -> World:
    """Give a world of one user, with sessions that began at a day and used so much on each."""
    person = WORLD.people[0]
    (place,) = [one for one in WORLD.organizations if one.org_id == person.orgs[0]]
    person = person._replace(orgs=(place.org_id,), roles=(place.org_id,))
    made = [
        Session(
            n, key, place.org_id, person.user_id, (), begin + 60, begin + (len(days) - 1) * DAY + 70
        )
        for n, (key, begin, days) in enumerate(sessions)
    ]
    atoms = [
        Atom(begin + n * DAY, "devin", place.org_id, person.user_id, key, acus)
        for key, begin, days in sessions
        for n, acus in enumerate(days)
        if acus
    ]
    return World(CYCLES[1:], (place,), (person,), (), tuple(made), tuple(sorted(atoms)))


def test_every_cost_center_has_its_part_by_the_rules_of_each_day(tmp_path):
    """Dated and shared rules, a session and a tag of its own, an organization's, and nobody's."""
    one, two, three, four, *_ = WORLD.people
    half = START + 15 * DAY
    own = next(found for found in WORLD.sessions if found.principal_id == four.user_id)
    mapping = rules()
    mapping["users"] = {
        one.user_id: {"2025-01-01": "A-1", str(billing_day(half)): "B-2"},
        two.user_id: {"A-1": "60%", "C-3": "40%"},
        three.user_id: {"A-1": 1, "B-2": 1, "D-4": 1},
    }
    mapping |= {
        "orgs": {WORLD.organizations[0].org_id: "E-5"},
        "sessions": {own.session_id: "D-4"},
        "tags": {"project:1": "C-3"},
        "precedence": ["session", "tag", "user", "org"],
    }
    tagged = {found.session_id for found in WORLD.sessions if "project:1" in found.tags}

    def bears(atom: Atom) -> dict[str, Decimal]:
        if atom.session_id == own.session_id:
            return {"D-4": Decimal(1)}
        if atom.session_id in tagged:
            return {"C-3": Decimal(1)}
        if atom.principal_id == one.user_id:
            return {"A-1" if atom.day < half else "B-2": Decimal(1)}
        if atom.principal_id == two.user_id:
            return {"A-1": Decimal("0.6"), "C-3": Decimal("0.4")}
        if atom.principal_id == three.user_id:
            return dict.fromkeys(("A-1", "B-2", "D-4"), 1 / Decimal(3))
        return {"E-5" if atom.org_id == WORLD.organizations[0].org_id else "Z-9": Decimal(1)}

    with serving(WORLD) as api:
        derived = job(tmp_path, api, mapping).collected()
        assert max(api.seen.lines[line] for line in asked(api)) == 1
    assert same(shown(derived), truth(WORLD, bears))
    assert reasons(derived) == {""}
    assert add_up(derived)


class OfNobody(FakeApi):
    """Tells of the session `free` no owner."""

    def view(self, operation, ids, query, who):
        body = super().view(operation, ids, query, who)
        if not operation.template.endswith("/sessions"):
            return body
        bare = [{**one, "user_id": None} for one in body["items"] if one["session_id"] == "free"]
        return body | {
            "items": [one for one in body["items"] if one["session_id"] != "free"] + bare
        }


def test_a_session_of_nobody_has_a_part_wherever_its_usage_stands(tmp_path):
    """Its rule holds on days on which nobody else was at work there; others are the organization's.

    On those the API does not tell its usage from that of somebody.
    """
    world = planted([("free", START, [3.0, 4.0]), ("own", START, [2.0])])
    atoms = (
        atom._replace(principal_id=None) if atom.session_id == "free" else atom
        for atom in world.atoms
    )
    world = world._replace(atoms=tuple(atoms))
    place = world.organizations[0].org_id
    mapping = rules(world, sessions={"free": "D-4"}, orgs={place: "E-5"})
    with serving(OfNobody(world)) as api:
        derived = job(tmp_path, api, mapping).collected()
    assert shown(derived) == {
        "A-1": [("devin-own", Decimal("2.0"))],
        "D-4": [("devin-free", Decimal("4.0"))],
        "E-5": [("devin-free", Decimal("3.0"))],
    }
    assert add_up(derived)


class OfTwo(FakeApi):
    """Names a service user beside the user of the session `both`."""

    def view(self, operation, ids, query, who):
        body = super().view(operation, ids, query, who)
        for one in body["items"] if operation.template.endswith("/sessions") else ():
            if one["session_id"] == "both":
                one["service_user_id"] = "service-user-1"
        return body


def test_a_session_of_two_leaves_open_whose_largest_it_is(tmp_path):
    """Its usage stands with one of them: who bears that may bear a larger session than is shown."""
    world = planted([("both", START, [9.0, 9.0]), ("own", START, [2.0])])
    with serving(OfTwo(world)) as api:
        derived = job(tmp_path, api, rules(world), count=1).collected()
    own = {one.cost_center.code: one.sessions for one in derived.statement.invoices}
    assert own["A-1"].unknown == "contradicted"
    assert [one.session_id for one in own["A-1"].sessions] == ["devin-own"]
    assert add_up(derived)


def test_what_is_asked_to_be_shown_moves_no_acu_and_no_cent(tmp_path):
    """The same cycle without any session shown has the same ledger and the same statement."""
    with serving(WORLD) as api:
        some = job(tmp_path / "some", api).collected()
        none = job(tmp_path / "none", api, count=0).collected()
    assert some.allocations == none.allocations
    assert bare(some) == bare(none)
    assert reasons(none) == {"not wanted"}
    assert not shown(none)


def bare(derived: Derived) -> Any:
    """Give the statement without what it says of sessions, of which some are known for certain."""
    values = json.loads(statement_json(derived.statement))
    del values["unit_costs"]
    for center in values["cost_centers"]:
        for key in ("sessions", "other_sessions", "sessions_unknown", "by_tag"):
            del center[key]
    return values


class WithoutTotals(FakeApi):
    """Answers 0.0 for what every session consumed in its life."""

    def view(self, operation, ids, query, who):
        body = super().view(operation, ids, query, who)
        if not operation.template.endswith("/sessions"):
            return body
        return body | {"items": [one | {"acus_consumed": 0.0} for one in body["items"]]}


def test_a_list_without_totals_shows_none_and_nobody_is_asked(tmp_path):
    with serving(WithoutTotals(WORLD)) as api:
        derived = job(tmp_path, api).collected()
        assert not asked(api)
    assert reasons(derived) == {"no totals"}
    assert not shown(derived)
    assert add_up(derived)


class WithoutProducts(FakeApi):
    """Tells no products of days: of none, or of those of sessions alone."""

    def __init__(self, world, *, sessions_alone=False):
        super().__init__(world)
        self.sessions_alone = sessions_alone

    def view(self, operation, ids, query, who):
        body = super().view(operation, ids, query, who)
        if "session_id" in ids or not self.sessions_alone:
            for bucket in body.get("consumption_by_date", ()):
                bucket["acus_by_product"] = None
        return body


@pytest.mark.parametrize("alone", [False, True], ids=["all", "sessions"])
def test_answers_without_products_show_none_and_say_so(tmp_path, alone):
    """Where they name some of others, a few sessions are asked about before that is known."""
    with serving(WithoutProducts(WORLD, sessions_alone=alone)) as api:
        derived = job(tmp_path, api).collected()
        assert len(asked(api)) <= (5 * 10 if alone else 0)
    assert reasons(derived) - {""} == {"no products"}
    assert not shown(derived)
    (warning,) = [one for one in derived.warnings if one.code == "sessions-without-products"]
    assert "is not known, nor shown" in str(warning)
    assert foots(derived)


def test_how_many_questions_are_about_sessions_is_told(tmp_path):
    with serving(WORLD) as api:
        work = job(tmp_path, api, count=1)
        said = work.collect()
        assert f"Asked about {len(asked(api))} single sessions" in said.stderr
        assert "`invoice: {sessions: …}`" in said.stderr


def test_the_second_version_has_no_daily_answer_and_shows_none(tmp_path):
    with serving(WORLD) as api:
        derived = job(tmp_path, api, source="api: v2").collected()
    assert reasons(derived) == {"no daily views"}
    assert not shown(derived)


def test_a_refusal_from_the_first_shows_none_says_so_and_ends_the_asking(tmp_path):
    with serving(WORLD) as api:
        api.forbid(OF_SESSION)
        derived = job(tmp_path, api).collected()
        assert len(asked(api)) <= 5 * 10
    assert reasons(derived) == {
        "",
        "refused",
    }  # of a cost center without sessions there is no doubt
    assert not shown(derived)
    (warning,) = [one for one in derived.warnings if one.code == "sessions-refused"]
    assert "answered 403: the largest sessions" in str(warning)
    assert foots(derived)


class Leaving(FakeApi):
    """Refuses sessions after so many answers."""

    def __init__(self, world, answers):
        super().__init__(world)
        self.answers = answers

    def reply(self, method, target, headers):
        if SESSION_LINE in target:
            self.answers -= 1
            self.forbid(OF_SESSION) if self.answers == 0 else None
        return super().reply(method, target, headers)


def test_a_refusal_in_the_middle_is_told_moves_nothing_and_is_healed_by_the_next(tmp_path):
    mapping = rules()
    with serving(Leaving(WORLD, 30)) as api:
        work = job(tmp_path, api, mapping)
        derived = work.collected()
        assert "refused half-way" in reasons(derived)
        assert add_up(derived)
        assert [one.code for one in derived.warnings].count("sessions-refused") == 1
        known = {line for line in asked(api) if work.stored()[line].status == 200}
        api.allow_again()
        api.forget()
        derived = work.collected()
        assert not known & set(asked(api))
    assert same(shown(derived), truth(WORLD, by_user(mapping)))
    assert reasons(derived) == {""}


def test_one_session_that_is_not_found_leaves_the_others(tmp_path):
    mapping = rules()
    largest = truth(WORLD, by_user(mapping))
    (lost, _), *others = largest["A-1"]
    with serving(WORLD) as api:
        api.lose(OF_SESSION, session_id=lost)
        derived = job(tmp_path, api, mapping).collected()
    own = {one.cost_center.code: one.sessions for one in derived.statement.invoices}
    assert own["A-1"].unknown == "refused half-way"
    assert [one.session_id for one in own["A-1"].sessions][: len(others)] == [
        one for one, _ in others
    ]
    assert own["B-2"].unknown == ""


def test_an_interrupted_collection_goes_on_and_asks_nothing_twice(tmp_path):
    mapping = rules()
    with serving(WORLD) as api:
        work = job(tmp_path, api, mapping)
        whole = work.collected()
        lines = work.evidence.read_text().splitlines(keepends=True)
        cut = next(n for n, line in enumerate(lines) if SESSION_LINE in line) + 17
        work.evidence.write_text("".join(lines[:cut]))
        work.directory.unlink()
        known = set(work.stored())
        api.forget()
        again = work.collected()
        assert asked(api)
        assert not known & set(asked(api))
    assert statement_json(again.statement) == statement_json(whole.statement)
    assert shown(again) == shown(whole)


def test_evidence_without_these_answers_shows_none_and_all_else_as_before(tmp_path):
    with serving(WORLD) as api:
        work = job(tmp_path, api)
        whole = work.collected()
    responses = {
        request.removeprefix("GET "): answer
        for request, answer in work.stored().items()
        if SESSION_LINE not in request
    }
    old = work.derived(responses)
    assert reasons(old) == {"", "not asked"}
    assert not shown(old)
    assert bare(old) == bare(whole)
    assert old.warnings == whole.warnings


def test_a_mapping_edited_since_shows_no_list_that_may_be_wrong(tmp_path):
    """Two cost centers change places with a third that nobody was asked for: none is guessed."""
    mapping = rules()
    with serving(WORLD) as api:
        work = job(tmp_path, api, mapping)
        work.collected()
        edited = rules()
        people = list(edited["users"])
        edited["users"] = {user: CENTERS[n // 5 % 5] for n, user in enumerate(people)}
        (tmp_path / "mapping.yaml").write_text(as_yaml(edited))
        built = work.derived()
        exact = truth(WORLD, by_user(edited))
        for invoice in built.statement.invoices:
            code, own = invoice.cost_center.code, invoice.sessions
            if own.unknown == "":
                assert [one.session_id for one in own.sessions] == [
                    one for one, _ in exact.get(code, [])
                ]
            else:
                assert (own.unknown, own.sessions) == ("not asked", ())
        assert "not asked" in reasons(built)
        assert same(shown(work.collected()), exact)


def test_a_month_without_sessions_has_nothing_to_show(tmp_path):
    world = WORLD._replace(
        sessions=(), atoms=tuple(one for one in WORLD.atoms if not one.session_id)
    )
    with serving(world) as api:
        derived = job(tmp_path, api).collected()
        assert not asked(api)
    assert reasons(derived) == {""}
    assert not shown(derived)


def test_sessions_never_come_to_more_than_their_record_has(tmp_path):
    """What the view of a session has beyond its owner's stands on no invoice."""

    class Boasting(FakeApi):
        def view(self, operation, ids, query, who):
            body = super().view(operation, ids, query, who)
            if "session_id" not in ids:
                return body
            for bucket in body["consumption_by_date"]:
                bucket["acus"] *= 1000
                bucket["acus_by_product"]["devin"] *= 1000
            body["total_acus"] *= 1000
            return body

    with serving(Boasting(WORLD)) as api:
        derived = job(tmp_path, api).collected()
    assert add_up(derived)
    assert all(one.sessions.other_acus >= 0 for one in derived.statement.invoices)
    assert all(one.sessions.other_amount >= 0 for one in derived.statement.invoices)
