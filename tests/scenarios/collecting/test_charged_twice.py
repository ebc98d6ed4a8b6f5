"""Whatever is refused, every ACU is charged once: the ledger is dealt out over the seeded truth."""

import json
import re
from collections import defaultdict
from datetime import UTC, datetime
from itertools import product as combinations

import pytest

from reportgen.commands.build import build
from tests.fakeapi.sample import CYCLES, DAY, Atom, Session
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world
from tests.poppler import text_of
from tests.scenarios.collecting.live import (
    DAILY3,
    amounts,
    foots,
    live,
    mapped,
    missing,
    own_credentials,
)
from tests.scenarios.job import STATEMENT, Job, plain

GRAIN = 1_000_000
PLAIN = big_world(users=12, organizations=3, sessions=8)
FIRST = CYCLES[1][0]
HERE, THERE = (place.org_id for place in PLAIN.organizations[:2])
ROBOT, ADA, BOB = (
    PLAIN.service_users[0].service_user_id,
    PLAIN.people[4].user_id,
    PLAIN.people[1].user_id,
)
WORK = [
    Session(90, "beef", HERE, ROBOT, (), FIRST + 60, FIRST + DAY),
    Session(91, "cafe", THERE, ADA, (), FIRST + 60, FIRST + DAY),
]
WORLD = PLAIN._replace(
    sessions=(*PLAIN.sessions, *WORK),
    atoms=(
        *PLAIN.atoms,
        Atom(FIRST, "devin", HERE, ROBOT, "beef", 3.25),
        Atom(FIRST, "devin", THERE, ROBOT, None, 1.5),
        Atom(FIRST, "devin", THERE, ADA, "cafe", 2.75),
        Atom(FIRST, "devin", HERE, ADA, None, 0.5),
        Atom(FIRST, "devin", HERE, BOB, None, 4.0),
        Atom(FIRST, "devin", HERE, None, None, 0.75),
        Atom(FIRST, "cascade", None, ROBOT, None, 1.0),
    ),
)
"""On the first day most use `devin` in two places, so that views which are refused may overlap."""
RULES = {"sessions": {"beef": "Z-9", "cafe": "Z-9"}, "service_users": {ROBOT: "C-3"}}
RANKS = {"user first": ["session", "user", "org"], "org first": ["session", "org", "user"]}
PAIR = "/v3/organizations/{org_id}/consumption/daily"
LISTS = [
    f"/v3/enterprise/{name}"
    for name in ("organizations", "members/users", "members/idp-users", "sessions")
]
LISTS += ["/v3/enterprise/members/service-users"]
VIEWS = {
    f"{DAILY3}/organizations/{{org_id}}": {"org_id": HERE},
    f"{DAILY3}/users/{{user_id}}": {"user_id": ADA},
    f"{DAILY3}/service-users/{{service_user_id}}": {"service_user_id": ROBOT},
    f"{DAILY3}/sessions/{{session_id}}": {"session_id": "devin-cafe"},
    f"{PAIR}/users/{{user_id}}": {"org_id": HERE, "user_id": ADA},
    f"{PAIR}/service-users/{{service_user_id}}": {"org_id": THERE, "service_user_id": ROBOT},
}
NAMED = VIEWS | {
    f"{PAIR}/users/{{user_id}}": {"org_id": THERE, "user_id": ADA},
    f"{PAIR}/service-users/{{service_user_id}}": {"org_id": HERE, "service_user_id": ROBOT},
}
"""Each is asked for even where the others are refused: sessions show who works where."""
REFUSED = [(template, {}) for template in (*LISTS, *VIEWS)] + [*VIEWS.items()]


def dealt(records, atoms):
    """Deal the atoms of a cell out to its records, each once; give what no atom is left for.

    A record may only take what was used by whom, where and in what it names.
    """
    wants = [round(float(record.quantity) * GRAIN) for record in records]
    left = [round(atom.acus * GRAIN) for atom in atoms]
    fits = [
        [number for number, atom in enumerate(atoms) if may_hold(record, atom)]
        for record in records
    ]
    taken = defaultdict(int)

    def take(record, amount, seen):
        for atom in fits[record]:
            if left[atom]:
                share = min(amount, left[atom])
                left[atom] -= share
                taken[record, atom] += share
                return share
        for atom in fits[record]:
            for other in range(len(records)):
                if other not in seen and taken[other, atom]:
                    share = take(other, min(amount, taken[other, atom]), seen | {other})
                    if share:
                        taken[other, atom] -= share
                        taken[record, atom] += share
                        return share
        return 0

    for record in range(len(records)):
        while wants[record] > 0 and (share := take(record, wants[record], {record})):
            wants[record] -= share
    return sum(wants) / GRAIN


def may_hold(record, atom):
    pairs = [(record.org_id, atom.org_id), (record.principal_id, atom.principal_id)]
    session = (record.session_id.removeprefix("devin-"), atom.session_id)
    return all(told in ("", used) for told, used in [*pairs, session])


def charged_once(derived, world, *, tied=False):
    """See in every cell that what is charged can be dealt out, and that nothing is left over."""
    cells = defaultdict(lambda: ([], []))
    for record in derived.usage.records:
        cells[str(record.day), record.product][0].append(record)
    for atom in world.atoms:
        if CYCLES[1][0] <= atom.day < CYCLES[1][1] and (atom.org_id or not tied):
            cells[str(datetime.fromtimestamp(atom.day, UTC).date()), atom.product][1].append(atom)
    for cell, (records, atoms) in cells.items():
        assert all(record.quantity > -1e-9 for record in records), cell
        used, charged = (
            sum(atom.acus for atom in atoms),
            float(sum(record.quantity for record in records)),
        )
        assert abs(used - charged) < 1e-5, cell
        assert dealt(records, atoms) < 1e-4, (cell, records)
    assert foots(derived)
    assert not derived.usage.discrepancies


def test_the_dealer_finds_what_is_charged_twice(tmp_path):
    """The check itself: two rests that hold the same ACUs do not go into one atom."""
    with serving(WORLD) as api:
        records = live(tmp_path, api, mapped(WORLD)).collected().usage.records
    record = records[0]._replace(org_id="", principal_id=ADA, session_id="", quantity=1)
    here = record._replace(org_id=HERE, principal_id="")
    one = Atom(FIRST, "devin", HERE, ADA, None, 1.0)
    assert dealt([record], [one]) == dealt([here], [one]) == 0
    assert dealt([record, here], [one]) == 1
    elsewhere = one._replace(org_id=THERE)
    assert dealt([record, here], [one, elsewhere]) == dealt([here, record], [one, elsewhere]) == 0
    assert dealt([record, here], [elsewhere, elsewhere]) == 1
    assert dealt([record._replace(principal_id=BOB)], [one]) == 1


@pytest.mark.parametrize("ranks", RANKS)
def test_with_every_view_the_ledger_is_the_truth(tmp_path, ranks):
    with serving(WORLD, page_cap=5) as api:
        derived = live(tmp_path, api, mapped(WORLD, precedence=RANKS[ranks], **RULES)).collected()
    charged_once(derived, WORLD)
    assert not missing(derived)


@pytest.mark.heavy
@pytest.mark.quick(3)
@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize(
    ("template", "ids"), REFUSED, ids=lambda value: str(value).replace("/", "-")
)
def test_without_one_list_or_view_every_acu_is_charged_once(tmp_path, template, ids, ranks):
    with serving(WORLD, page_cap=5) as api:
        api.forbid(template, **ids)
        job = live(tmp_path, api, mapped(WORLD, precedence=RANKS[ranks], **RULES))
        derived = job.collected(accept_refused=True)
    charged_once(derived, WORLD)
    told = re.compile(f"GET {re.sub(r'{.*?}', '[^/]+', template)}: ")
    assert [view for view in missing(derived) if told.match(view)]


@pytest.mark.heavy
@pytest.mark.quick(2)
@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize(("one", "two"), [*combinations(LISTS[:4], VIEWS)])
def test_without_a_list_and_a_view_every_acu_is_charged_once(tmp_path, one, two, ranks):
    with serving(WORLD, page_cap=5) as api:
        api.forbid(one)
        api.forbid(two, 404)
        derived = live(tmp_path, api, mapped(WORLD, precedence=RANKS[ranks], **RULES)).collected()
    charged_once(derived, WORLD)
    assert missing(derived)


OF_ORGANIZATIONS = {
    "/v3beta1/organizations/{org_id}/members/users": {},
    "/v3beta1/organizations/{org_id}/members/idp-users": {},
    "/v3/organizations/{org_id}/sessions": {},
    f"{PAIR}/users/{{user_id}}": {"org_id": HERE, "user_id": ADA},
    f"{PAIR}/service-users/{{service_user_id}}": {"org_id": THERE, "service_user_id": ROBOT},
    f"{PAIR}/sessions/{{session_id}}": {"org_id": THERE, "session_id": "devin-cafe"},
}


@pytest.mark.quick(2)
@pytest.mark.parametrize("template", OF_ORGANIZATIONS)
@pytest.mark.parametrize("whole", [True, False])
def test_organizations_that_refuse_charge_every_acu_once(tmp_path, template, whole):
    with serving(WORLD) as api:
        api.forbid(template, **({} if whole else OF_ORGANIZATIONS[template]))
        job = live(tmp_path, api, mapped(WORLD, **RULES), own_credentials(WORLD))
        derived = job.collected(accept_refused=True)
    charged_once(derived, WORLD, tied=True)


@pytest.mark.heavy
@pytest.mark.parametrize("which", ["lists", "views"])
def test_what_is_missing_is_named_on_the_terminal_and_on_the_statement(tmp_path, which):
    """Exit code 0, a warning for each, and the same words in the statement."""
    with serving(WORLD) as api:
        for template, ids in (
            [(template, {}) for template in LISTS] if which == "lists" else NAMED.items()
        ):
            api.forbid(template, **ids)
        job = live(tmp_path, api, mapped(WORLD, **RULES))
        derived = job.collected(accept_refused=True)
    charged_once(derived, WORLD)
    plain(Job(job.folder), *STATEMENT)
    said = job.command(lambda context: build(job.folder, "2025-12", context, 1))
    folder = tmp_path / "archive" / "2025-12-05"
    words = "".join(text_of((folder / "statement.pdf").read_bytes()).split())
    values = json.loads((folder / "statement.json").read_text(encoding="utf-8"))
    assert said.code == 0, said.stderr
    for template in LISTS if which == "lists" else NAMED:
        path = re.sub(r"{.*?}", "[^/]+", template)
        (told,) = (
            view
            for view in values["missing_views"]
            if re.fullmatch(rf"GET {path}: (1|refused half-way, 1 of \d+) answered 403", view)
        )
        assert f"{told}: the decomposition is coarser; nobody is charged twice" in said.stderr
        assert told.replace(" ", "") in words
    assert amounts(derived)["chargeable"] == values["tie_out"]["chargeable_amount"]
