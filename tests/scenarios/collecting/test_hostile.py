"""Answers that nobody can use: one sentence, the right exit code, and nothing half-written."""

import json
import re
from dataclasses import replace

import pytest

from tests.fakeapi.api import FakeApi
from tests.fakeapi.faults import Reply
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world
from tests.scenarios.collecting.live import CYCLES3, DAILY3, foots, live, mapped, missing

WORLD = big_world(users=5, organizations=2, sessions=3)
MAPPING = mapped(WORLD)
PLACE = WORLD.organizations[0].org_id
USERS, PLACES, SESSIONS = (
    f"/v3/enterprise/{name}" for name in ("members/users", "organizations", "sessions")
)
DEEP = b"[" * 200_000 + b"]" * 200_000
STEPS = ("", ".", "..", "x" * 10_000)


class Hostile(FakeApi):
    """Changes every answer of one endpoint that is a 200."""

    def __init__(self, where, change):
        super().__init__(WORLD)
        self.where, self.change, self.asked = where, change, []

    def reply(self, method, target, headers):
        self.asked.append(target)
        found = super().reply(method, re.sub("(?<=[?&])after=[^&]*&?", "", target), headers)
        if not target.startswith(self.where) or found.status != 200:
            return found
        changed = self.change(found.body.decode())
        return changed if isinstance(changed, Reply) else replace(found, body=changed.encode())


def first_acus(written):
    return lambda body: re.sub(r'"acus":[\d.]+', f'"acus":{written}', body, count=1)


def more(**fields):
    """Add fields to a page, or one entry to its items."""

    def change(body):
        page = json.loads(body)
        items = page["items"] + fields.pop("items", [])
        return json.dumps(page | {"items": items} | fields)

    return change


def products(count, name="p{}"):
    def change(body):
        answer = json.loads(body)
        days = answer["consumption_by_date"]
        days[0]["acus_by_product"] = {name.format(n): 0.01 for n in range(count)}
        return json.dumps(answer)

    return change


def endless(items, **fields):
    count = iter(range(10**9))

    def change(_):
        number = next(count)
        listed = [{"user_id": item.format(number)} for item in items]
        page = {"items": listed, "end_cursor": f"c{number}", "has_next_page": True} | fields
        return json.dumps(page)

    return change


def refusal(body):
    return lambda _: Reply(status=401, body=body)


NO_NUMBER = "where a number belongs, at every attempt"
HOSTILE = {
    "underscore": (DAILY3, first_acus('"1_2.5"'), f'has the text "1_2.5" {NO_NUMBER}'),
    "blanks": (DAILY3, first_acus('" 12.5 "'), f'has the text " 12.5 " {NO_NUMBER}'),
    "Arabic": (DAILY3, first_acus('"١٢"'), f'has the text "١٢" {NO_NUMBER}'),
    "NaN": (DAILY3, first_acus('"NaN"'), f'has the text "NaN" {NO_NUMBER}'),
    "key twice": (DAILY3, first_acus('1,"acus":2'), 'has the key "acus" more than once'),
    "list twice": (USERS, lambda body: '{"items":[],' + body[1:], 'has the key "items" more'),
    "deep error": (DAILY3, refusal(b'{"detail":' + DEEP + b"}"), "the API answered 401; check"),
    "huge error": (DAILY3, refusal(b'{"detail":"' + b"x" * 2_000_000), "the API answered 401;"),
    "deep": (DAILY3, lambda body: f'{{"x":{DEEP.decode()},{body[1:]}', "is nested too deeply"),
    "cursor": (
        USERS,
        more(end_cursor="c" * 200_000, has_next_page=True),
        "the list leads on by a cursor of 200000 characters",
    ),
    "same entries": (USERS, endless(["u"]), "its last 10 pages brought nothing new"),
    "no entries": (USERS, endless([]), "its last 10 pages brought nothing new"),
    "beyond its total": (
        USERS,
        endless(["u{}", "v{}"], total=5),
        "the list holds 6 entries, but its total is 5",
    ),
    "total of one": (USERS, more(total=1), "entries, but its total is 1"),
    "100,000 products": (
        f"{DAILY3}?",
        products(100_000),
        "the answers name more than 200 products",
    ),
    "long product": (
        f"{DAILY3}?",
        products(1, "x" * 9999 + "{}"),
        "names a product of 10000 characters",
    ),
}


@pytest.mark.quick(6)
@pytest.mark.parametrize("name", HOSTILE)
def test_what_nobody_can_use_is_one_sentence_and_exit_4(tmp_path, name):
    where, change, words = HOSTILE[name]
    with serving(Hostile(where, change)) as api:
        job = live(tmp_path, api, MAPPING)
        said = job.collect(concurrency=1)
    assert (said.code, said.stdout) == (4, "")
    assert words in said.stderr.splitlines()[-1]
    assert said.stderr.count(words) == 1 or "at every attempt" in said.stderr
    assert not job.directory.exists()
    assert len(api.asked) < 60


@pytest.mark.quick(2)
@pytest.mark.parametrize("step", STEPS, ids=["empty", "dot", "dots", "long"])
@pytest.mark.parametrize(
    ("where", "entry"),
    [
        (USERS, lambda step: {"user_id": step, "role_assignments": [{"org_id": PLACE}]}),
        (USERS, lambda step: {"user_id": "a|1", "role_assignments": [{"org_id": step}]}),
        (PLACES, lambda step: {"org_id": step, "name": "A place"}),
        (SESSIONS, lambda step: {"session_id": "1", "org_id": step, "user_id": step}),
    ],
    ids=["user", "role", "organization", "session"],
)
def test_an_id_that_no_address_can_hold_is_never_asked_for_and_said(tmp_path, step, where, entry):
    with serving(Hostile(where, more(items=[entry(step)]))) as api:
        derived = live(tmp_path, api, MAPPING).collected()
    steps = {segment for target in api.asked for segment in target.partition("?")[0].split("/")[1:]}
    assert not steps & {*STEPS}
    assert foots(derived)
    role_that_names_nothing = "role_assignments" in entry(step) and entry(step)["user_id"] == "a|1"
    told = any("as no address can hold the id" in view for view in missing(derived))
    assert told or (role_that_names_nothing and not step)


def test_a_name_without_end_is_cut_and_said(tmp_path):
    entry = {"user_id": "a|1", "name": "n" * 10_000, "email": "e" * 10_000}
    with serving(Hostile(USERS, more(items=[entry]))) as api:
        derived = live(tmp_path, api, MAPPING).collected()
    (known,) = (one for one in derived.directory.entries.values() if one.principal.id == "a|1")
    assert (len(known.name), len(known.email)) == (321, 321)
    (told,) = (one for one in derived.warnings if "more than 320 characters" in one.message)
    assert told.source == f"GET {USERS}"


@pytest.mark.parametrize(
    "cycle", [(1767600000, 1764921600), (0, 1764921600), (7258032000, 7258118399)]
)
def test_a_cycle_that_is_none_is_left_out_and_said(tmp_path, cycle):
    listed = [{"after": cycle[0], "before": cycle[1]}]
    with serving(Hostile(CYCLES3, more(items=listed))) as api:
        said = live(tmp_path, api, MAPPING).collect()
    assert said.code == 0
    assert ("1 billing cycle is left out" in said.stderr) == (cycle[0] < 7258032000)
