"""Evidence: written line by line, read back as it was, and honest about what cannot be read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.archive import evidence
from reportgen.core.model import RecordedResponse
from reportgen.core.problem import Rejected


def response(request="GET /v3/a", body="{}", status=200, fetched_at="2026-01-09T10:00:00Z"):
    return RecordedResponse(request=request, status=status, fetched_at=fetched_at, body=body)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "inputs" / "responses.jsonl"


def stored(path, *responses):
    append = evidence.appending(path, ())
    for item in responses:
        append(item)
    return path.read_bytes()


def refused(path, **kwargs):
    with pytest.raises(Rejected) as caught:
        evidence.read(path, **kwargs)
    return [str(problem).removeprefix(str(path)) for problem in caught.value.problems]


def test_a_response_is_on_disk_the_moment_it_is_stored(path):
    append = evidence.appending(path, [response("GET /v3/first")])
    assert evidence.read(path).keys() == {"GET /v3/first"}
    append(response("GET /v3/second"))
    assert evidence.read(path).keys() == {"GET /v3/first", "GET /v3/second"}


def test_a_line_is_the_object_of_the_contract(path):
    (line,) = stored(path, response(body='{"a": "ü\n"}')).splitlines()
    assert list(json.loads(line)) == ["request", "status", "fetched_at", "body"]
    assert json.loads(line)["body"] == '{"a": "ü\n"}'


TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.builds(response, TEXT, TEXT, st.integers(100, 599)), max_size=5))
def test_what_is_written_is_read_back(tmp_path_factory, responses):
    path = tmp_path_factory.mktemp("evidence") / "responses.jsonl"
    path.write_bytes(evidence.encode([*responses, response("last")]))
    found = evidence.read(path)
    expected = {item.request: item for item in [*responses, response("last")]}
    assert evidence.encode(found.values()) == evidence.encode(expected.values())


def test_a_response_knows_its_line(path):
    stored(path, response("a"), response("b"))
    assert [item.source for item in evidence.read(path).values()] == [f"{path}:1", f"{path}:2"]


def test_the_last_answer_to_a_request_counts(path):
    stored(path, response("a", "old"), response("b"), response("a", "new"))
    found = evidence.read(path)
    assert found["a"].body == "new"
    assert found["a"].source == f"{path}:3"
    assert list(found) == ["a", "b"]


@pytest.mark.parametrize("torn", [b'{"request":"c","sta', b"{", b'{"request":"c","status":200}', b"\xff"])
def test_a_torn_last_line_is_cut_off(path, torn):
    whole = stored(path, response("a"), response("b"))
    path.write_bytes(whole + torn)
    evidence.repair(path)
    assert path.read_bytes() == whole


def test_a_whole_file_and_a_missing_one_are_left_alone(path):
    evidence.repair(path)
    assert not path.exists()
    whole = stored(path, response())
    evidence.repair(path)
    assert path.read_bytes() == whole


def test_a_file_that_is_torn_in_its_first_line_is_empty_afterwards(path):
    path.parent.mkdir()
    path.write_bytes(b'{"request":')
    evidence.repair(path)
    assert path.read_bytes() == b""


BAD = [
    b"",
    b"not json",
    b"[]",
    b'{"request":"a","status":200,"fetched_at":"2026-01-09T10:00:00Z"}',
    b'{"request":"a","status":"200","fetched_at":"2026-01-09T10:00:00Z","body":""}',
    b'{"request":"a","status":200,"fetched_at":"yesterday","body":""}',
    b'{"request":"a","status":200,"fetched_at":"2026-01-09T10:00:00","body":""}',
    b'{"request":"a","status":200,"fetched_at":"2026-13-09T10:00:00Z","body":""}',
    b'{"request":"\xff","status":200,"fetched_at":"2026-01-09T10:00:00Z","body":""}',
]


def test_every_line_that_cannot_be_read_is_named(path):
    whole = stored(path, response("a"))
    path.write_bytes(whole + b"\n".join(BAD) + b"\n" + whole)
    found = refused(path)
    assert [problem.partition(": ")[0] for problem in found] == [f":{line}" for line in range(2, len(BAD) + 2)]
    assert all(problem.endswith("; remove the line, then collect the cycle again from the API") for problem in found)


def test_another_kind_of_file_is_named_once(path):
    path.parent.mkdir()
    path.write_text("email,name\n" * 1000, encoding="utf-8")
    assert [problem.partition(": ")[0] for problem in refused(path)] == [":1"]


def test_an_empty_and_a_missing_file_are_problems(path):
    assert refused(path) == [
        ": cannot be read: no such file or directory; collect the cycle first, or correct the path"
    ]
    path.parent.mkdir()
    path.write_bytes(b"")
    assert refused(path) == [": holds no response; collect the cycle from the API"]


def test_only_the_lines_that_matter_are_read(path):
    whole = stored(path, response("GET /v3/cycles"))
    path.write_bytes(b"not json\n" + whole)
    assert evidence.read(path, only="/v3/cycles")["GET /v3/cycles"].source == f"{path}:2"
    assert evidence.read(path, only="/v3/sessions") == {}
