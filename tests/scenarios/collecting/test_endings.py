"""Lists that end wrongly: what is missing is named, and never taken for complete."""

import json

import pytest

from reportgen.commands.build import build
from reportgen.core.written.statement_json import statement_json
from tests.fakeapi.api import FakeApi
from tests.fakeapi.sample import Atom
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world
from tests.poppler import text_of
from tests.scenarios.collecting.live import (
    CYCLES3,
    DECEMBER,
    by_center,
    close,
    foots,
    live,
    mapped,
    missing,
    of_principals,
    own_credentials,
    truth,
    used_by,
)
from tests.scenarios.job import STATEMENT, Job, plain

WORLD = big_world(users=14, organizations=3, sessions=6)
MAPPING = mapped(WORLD)
USERS, MEMBERS = "/v3/enterprise/members/users", "/v2/enterprise/members"
LISTED = [person.user_id for person in WORLD.people if person.directory == "users"]
ALL = [person.user_id for person in WORLD.people if person.directory != "gone"]
CAP = 3
OWN = own_credentials(WORLD)


class Ending(FakeApi):
    """Lists whose paths end as `of` are changed by `change`, given the body and the query."""

    def __init__(self, of, change, **behavior):
        super().__init__(WORLD, **{"page_cap": CAP, **behavior})
        self.of, self.change = of, change

    def view(self, operation, ids, query, who):
        body = super().view(operation, ids, query, who)
        if isinstance(body, dict) and "items" in body and operation.template.endswith(self.of):
            body = self.change(dict(body), query) or body
        return body


def without_flag(body, _query):
    return {name: value for name, value in body.items() if name != "has_next_page"}


def null_flag(body, _query):
    return body | {"has_next_page": None}


def cursor_that_stays(body, query):
    """Give the last page's cursor too; behind it is an empty page with the same."""
    body = without_flag(body, query)
    if query.get("after") == ["end"]:
        return body | {"items": [], "end_cursor": "end"}
    return body if body["end_cursor"] else body | {"end_cursor": "end"}


class Staying(Ending):
    """Takes the cursor `end`, which the fake itself would refuse."""

    def view(self, operation, ids, query, who):
        if query.get("after") == ["end"]:
            return self.change(super().view(operation, ids, first(query), who), query)
        return super().view(operation, ids, query, who)


def first(query):
    return {name: values for name, values in query.items() if name != "after"}


def no_cursor(body, _query):
    return body | {"has_next_page": True, "end_cursor": None}


def empty_cursor(body, _query):
    return body | {"has_next_page": True, "end_cursor": ""}


def says_it_is_the_end(body, _query):
    return body | {"has_next_page": False, "end_cursor": None}


class Repeating(Ending):
    """Answers every cursor of its list with the first page."""

    def view(self, operation, ids, query, who):
        return super().view(
            operation, ids, first(query) if operation.template.endswith(self.of) else query, who
        )


def unchanged(_body, _query):
    return None


# Lists that go on though a flag is missing


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize("source", ["", OWN], ids=["enterprise", "organizations"])
@pytest.mark.parametrize("change", [without_flag, null_flag, cursor_that_stays])
def test_a_cursor_is_followed_where_no_flag_says_the_end(tmp_path, change, source):
    with serving(FakeApi(WORLD)) as api:
        calm = live(tmp_path / "calm", api, MAPPING, source).collected()
    with serving(Staying("s", change)) as api:
        derived = live(tmp_path / "odd", api, MAPPING, source).collected()
    assert derived.directory.entries.keys() == calm.directory.entries.keys()
    assert statement_json(derived.statement) == statement_json(calm.statement)
    assert missing(derived) == ()
    assert close(by_center(derived), truth(WORLD, MAPPING, tied=source == OWN))


# Lists that break off


def named(derived, *views):
    """See that the result is true for what is known, and that just these views are missing."""
    used = used_by(WORLD)
    assert missing(derived) == views
    assert json.loads(statement_json(derived.statement))["missing_views"] == list(views)
    assert foots(derived)
    assert all(acus <= used[key] + 1e-6 for key, acus in of_principals(derived).items())


@pytest.mark.quick(2)
@pytest.mark.parametrize(
    ("kind", "change", "totals", "after"),
    [
        (Ending, no_cursor, "null", f"{CAP}"),
        (Ending, no_cursor, "given", f"{CAP} of {len(LISTED)}"),
        (Ending, empty_cursor, "absent", f"{CAP}"),
        (Ending, says_it_is_the_end, "given", f"{CAP} of {len(LISTED)}"),
        (Repeating, unchanged, "absent", f"{CAP}"),
        (Repeating, unchanged, "given", f"{CAP} of {len(LISTED)}"),
    ],
)
def test_a_list_of_v3_that_breaks_off_is_named(tmp_path, kind, change, totals, after):
    with serving(kind(USERS, change, totals=totals)) as api:
        derived = live(tmp_path, api, MAPPING).collected()
    named(derived, f"GET {USERS}: the list broke off after {after}")


def test_a_list_that_says_its_end_and_no_total_is_complete(tmp_path):
    with serving(Ending(USERS, unchanged, totals="given")) as api:
        derived = live(tmp_path, api, MAPPING).collected()
    named(derived)


def empty_but_more(body, query):
    return (
        body | {"items": [], "has_more": True}
        if query.get("skip")
        else two(body, query) | {"has_more": True}
    )


def two(body, _query):
    return body | {"items": body["items"][:2], "has_more": False}


@pytest.mark.quick(2)
@pytest.mark.parametrize("change", [empty_but_more, two])
@pytest.mark.parametrize("total", [True, False])
def test_a_list_of_v2_that_breaks_off_is_named(tmp_path, change, total):
    def changed(body, query):
        found = change(body, query)
        return found if total else {name: value for name, value in found.items() if name != "total"}

    with serving(Ending(MEMBERS, changed)) as api:
        derived = live(tmp_path, api, MAPPING, "api: v2").collected()
    of_all = f" of {len(ALL)}" if total else ""
    told = total or change is empty_but_more
    named(derived, *([f"GET {MEMBERS}: the list broke off after 2{of_all}"] if told else []))


def test_a_list_of_an_organization_that_breaks_off_is_named_with_it(tmp_path):
    place = WORLD.organizations[0].org_id
    count = sum(place in person.roles for person in WORLD.people if person.directory == "users")
    assert count > 1
    template = "/v3beta1/organizations/{org_id}/members/users"
    with serving(Ending(template, says_it_is_the_end, page_cap=1, totals="given")) as api:
        derived = live(tmp_path, api, MAPPING, OWN).collected()
    told = (
        f"GET /v3beta1/organizations/{place}/members/users: the list broke off after 1 of {count}"
    )
    assert told in missing(derived)
    assert foots(derived)


def test_broken_cycles_are_warned_of(tmp_path):
    """The newest cycle comes first, so that there is one to collect."""
    with serving(Ending(CYCLES3, no_cursor, page_cap=1)) as api:
        said = live(tmp_path, api, MAPPING).collect()
    assert said.code == 0
    assert f"GET {CYCLES3}: warning: the list broke off after 1" in said.stderr


@pytest.mark.heavy
def test_terminal_and_statement_name_a_list_that_broke_off(tmp_path):
    view = f"GET {USERS}: the list broke off after {CAP} of {len(LISTED)}"
    with serving(Ending(USERS, no_cursor, totals="given")) as api:
        job = live(tmp_path, api, MAPPING)
        job.collected()
    plain(Job(tmp_path), *STATEMENT)
    said = job.command(lambda context: build(tmp_path, DECEMBER.start.isoformat(), context, 1))
    assert said.code == 0
    assert view in said.stderr
    folder = tmp_path / "archive" / "2025-12-05"
    assert json.loads((folder / "statement.json").read_text(encoding="utf-8"))["missing_views"] == [
        view
    ]
    text = text_of((folder / "statement.pdf").read_bytes())
    assert "the list broke off" in " ".join(text.split())


# An address that names every organization

MOST_CHARACTERS = 8000


@pytest.mark.heavy
def test_v2_with_many_organizations_asks_no_address_that_is_too_long(tmp_path):
    """Each has an id of 36 characters, so that all of them together exceed what servers take."""
    grown = big_world(users=8, organizations=300)
    long = {
        place.org_id: f"org-{place.org_id.encode().hex():0>32}" for place in grown.organizations
    }
    lone = [Atom(DECEMBER.after, "devin", org_id, None, None, 1.25) for org_id in long]
    world = grown._replace(
        organizations=tuple(
            place._replace(org_id=long[place.org_id]) for place in grown.organizations
        ),
        service_users=(),
        people=tuple(
            person._replace(
                orgs=tuple(map(long.get, person.orgs)), roles=tuple(map(long.get, person.roles))
            )
            for person in grown.people
        ),
        atoms=tuple(atom._replace(org_id=long.get(atom.org_id)) for atom in (*grown.atoms, *lone)),
    )
    mapping = mapped(world)
    with serving(world) as api:
        derived = live(tmp_path, api, mapping, "api: v2").collected()
        longest = max(len(line) for line in api.seen.lines)
        assert api.violations == []
    assert longest < MOST_CHARACTERS
    assert foots(derived)
    assert not missing(derived)
    assert close(by_center(derived), truth(world, mapping))
