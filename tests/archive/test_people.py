"""inputs/directory.json: sorted, readable, the same when read back, found as far back as needed."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.archive import people
from reportgen.archive.folder import DIRECTORY, MANIFEST
from reportgen.core.model import Directory, Entry, Principal, Session
from reportgen.core.problem import Rejected

SEPTEMBER, OCTOBER, NOVEMBER, DECEMBER = (date(2025, month, 5) for month in (9, 10, 11, 12))
ADA, ROBOT = Principal("user", "email|ada"), Principal("service_user", "service-user-1")
ACME = Directory(
    entries={
        ADA: Entry(principal=ADA, email="ada@acme.example", name='Ada "東京" \u202e\x1b<b>'),
        ROBOT: Entry(principal=ROBOT, name="Nightly"),
    },
    organizations={"org-2": "Platform", "org-1": "org-1"},
    sessions={"devin-1": Session(session_id="devin-1", org_id="org-1", principal=ADA)},
)


def somebody(user_id, email=None, name=None):
    principal = Principal("user", user_id)
    return Directory(entries={principal: Entry(principal=principal, email=email, name=name)})


def put(archive, start, content, *, sealed=False):
    """Write what a cycle remembers: a directory, or bytes that are none."""
    path = archive / start.isoformat() / DIRECTORY
    path.parent.mkdir(parents=True)
    path.write_bytes(content if isinstance(content, bytes) else people.encode(content))
    if sealed:
        (archive / start.isoformat() / MANIFEST).write_text("{}", encoding="utf-8")
    return path


def ids(found):
    return {principal.id for principal in found.entries}


# The file


def test_the_file_is_the_object_of_the_contract():
    assert people.encode(ACME).decode() == (
        '{\n  "schema": "reportgen.directory/1",\n'
        '  "principals": [\n'
        '    {\n      "kind": "service_user",\n      "id": "service-user-1",\n'
        '      "email": null,\n      "name": "Nightly"\n    },\n'
        '    {\n      "kind": "user",\n      "id": "email|ada",\n'
        '      "email": "ada@acme.example",\n'
        '      "name": "Ada \\"東京\\" \u202e\\u001b<b>"\n    }\n  ],\n'
        '  "organizations": [\n'
        '    {\n      "id": "org-1",\n      "name": "org-1"\n    },\n'
        '    {\n      "id": "org-2",\n      "name": "Platform"\n    }\n  ]\n}\n'
    )


def test_nobody_is_a_file_too():
    values = json.loads(people.encode(Directory()))
    assert values == {"schema": "reportgen.directory/1", "principals": [], "organizations": []}


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PRINCIPALS = st.builds(Principal, st.sampled_from(["user", "service_user"]), TEXT)


@given(
    st.dictionaries(PRINCIPALS, st.tuples(st.none() | TEXT, st.none() | TEXT)),
    st.dictionaries(TEXT, TEXT),
    st.randoms(),
)
def test_what_is_written_is_read_back_whatever_names_hold(
    tmp_path_factory, persons, places, random
):
    entries = {
        key: Entry(principal=key, email=email, name=name) for key, (email, name) in persons.items()
    }
    shuffled = random.sample(list(entries.items()), len(entries))
    folder = tmp_path_factory.mktemp("cycle")
    (folder / DIRECTORY).parent.mkdir()
    (folder / DIRECTORY).write_bytes(
        people.encode(Directory(entries=dict(shuffled), organizations=places))
    )
    found = people.read(folder)
    assert (found.entries, found.organizations) == (entries, places)
    assert people.encode(found) == (folder / DIRECTORY).read_bytes()


BROKEN = {
    "empty": b"",
    "torn": people.encode(ACME)[:-20],
    "a list": b"[]",
    "not text": b"\xff\xfe",
    "not json": b"principals: []",
    "without organizations": b'{"schema": "reportgen.directory/1", "principals": []}',
    "of a later program": people.encode(ACME).replace(b"directory/1", b"directory/2"),
    "of another kind": people.encode(ACME).replace(b'"service_user"', b'"ro\\u001b\\nbot"'),
    "id a number": people.encode(ACME).replace(b'"email|ada"', b"7"),
    "nested": b'{"later": ' + b"[" * 200_000,
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_damaged_file_is_a_problem_of_one_line(tmp_path, content):
    path = put(tmp_path, DECEMBER, content)
    with pytest.raises(Rejected) as caught:
        people.known(tmp_path, DECEMBER)
    assert str(caught.value) == (
        f"{path}: is not what was written there: a JSON object of reportgen.directory/1; "
        "put back the file as it was, or remove it to forget who has left"
    )


def test_a_folder_in_its_place_is_a_problem(tmp_path):
    path = tmp_path / "2025-12-05" / DIRECTORY
    path.mkdir(parents=True)
    with pytest.raises(Rejected) as caught:
        people.read(tmp_path / "2025-12-05")
    assert str(caught.value).startswith(f"{path}: cannot be read: is a directory; ")


# How far back


def test_an_empty_archive_remembers_nobody(tmp_path):
    assert people.remembered(tmp_path / "nowhere", DECEMBER) == Directory()
    assert people.known(tmp_path, DECEMBER) == Directory()


def test_drafts_are_joined_back_to_the_last_closed_cycle_and_nothing_before_is_read(tmp_path):
    put(tmp_path, SEPTEMBER, b"damaged: whoever reads this fails")
    put(tmp_path, OCTOBER, somebody("october"), sealed=True)
    put(tmp_path, NOVEMBER, somebody("november"))
    put(tmp_path, DECEMBER, somebody("december"))
    assert ids(people.remembered(tmp_path, DECEMBER)) == {"october", "november", "december"}
    assert ids(people.remembered(tmp_path, NOVEMBER)) == {"october", "november"}
    assert ids(people.known(tmp_path, DECEMBER)) == {"december"}


def test_without_a_closed_cycle_all_drafts_count_the_latest_first(tmp_path):
    put(tmp_path, SEPTEMBER, somebody("ada", "ada@acme.example", "Ada Byron"))
    put(tmp_path, NOVEMBER, somebody("ada", None, "Ada King"))
    (entry,) = people.remembered(tmp_path, DECEMBER).entries.values()
    assert (entry.email, entry.name) == ("ada@acme.example", "Ada King")


def test_a_closed_cycle_without_the_file_ends_the_search_too(tmp_path):
    put(tmp_path, OCTOBER, somebody("october"))
    put(tmp_path, NOVEMBER, somebody("november"), sealed=True).unlink()
    assert people.remembered(tmp_path, DECEMBER) == Directory()


def test_later_cycles_corrections_and_drafts_in_the_making_are_not_read(tmp_path):
    for name in ("2026-01-05", "2025-10-05.c1", ".2025-10-05.draft-x", "fonts"):
        (tmp_path / name / "inputs").mkdir(parents=True)
        (tmp_path / name / DIRECTORY).write_bytes(b"whoever reads this fails")
    (tmp_path / "2025-11-05").write_text("a file", encoding="utf-8")
    assert people.remembered(tmp_path, DECEMBER) == Directory()


def test_where_a_collected_cycle_has_none_the_cycles_before_stand_in(tmp_path):
    put(tmp_path, NOVEMBER, somebody("november"))
    (tmp_path / "2025-12-05").mkdir()
    assert ids(people.known(tmp_path, DECEMBER)) == {"november"}
