"""Evidence: written line by line, read back as it was, and honest about what cannot be read."""

import gzip
import json
import os
import tracemalloc
from itertools import starmap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.archive import evidence
from reportgen.core.model import RecordedResponse
from reportgen.core.problem import Rejected


def response(request="/v3/a", body="{}", status=200, fetched_at="2026-01-09T10:00:00Z"):
    return RecordedResponse(request=request, status=status, fetched_at=fetched_at, body=body)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "inputs" / "responses.jsonl"


def stored(path, *responses):
    append = evidence.appending(path, (), evidence.MIB)
    for item in responses:
        append(item)
    return path.read_bytes()


def refused(path, **kwargs):
    with pytest.raises(Rejected) as caught:
        evidence.read(path, **kwargs)
    return [str(problem).removeprefix(str(path)) for problem in caught.value.problems]


def test_a_response_is_on_disk_the_moment_it_is_stored(path):
    append = evidence.appending(path, [response("/v3/first")], evidence.MIB)
    assert evidence.read(path).keys() == {"/v3/first"}
    append(response("/v3/second"))
    assert evidence.read(path).keys() == {"/v3/first", "/v3/second"}


def test_no_more_is_stored_than_the_evidence_of_a_cycle_may_have(path):
    append = evidence.appending(path, [response("/v3/first")], 200)
    before = path.read_bytes()
    with pytest.raises(Rejected) as caught:
        append(response("/v3/second", body="{" * 100))
    assert path.read_bytes() == before
    (problem,) = caught.value.problems
    assert (problem.source, "max_evidence_mib" in problem.hint) == (str(path), True)


def test_what_is_known_is_not_stored_again_unless_something_else_was_answered_meanwhile(path):
    refusal, answer = response(status=403), response(body='{"a": 1}')
    stored(path, refusal)
    append = evidence.appending(path, [refusal], evidence.MIB, lambda one: one == refusal)
    append(refusal)
    assert path.read_bytes() == evidence.encode([refusal])
    append(answer)
    append(refusal)
    assert path.read_bytes() == evidence.encode([refusal, answer, refusal])


def test_where_there_is_nothing_to_repair_a_file_keeps_its_time(path):
    stored(path, response())
    os.utime(path, ns=(1, 1))
    assert evidence.repair(path) == path.stat().st_size
    assert path.stat().st_mtime_ns == 1
    with path.open("ab") as file:
        file.write(b'{"request"')
    assert evidence.repair(path) == path.stat().st_size
    assert path.stat().st_mtime_ns != 1


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


@pytest.mark.parametrize(
    "torn", [b'{"request":"c","sta', b"{", b'{"request":"c","status":200}', b"\xff"]
)
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
    assert [problem.partition(": ")[0] for problem in found] == [
        f":{line}" for line in range(2, len(BAD) + 2)
    ]
    assert all(
        problem.endswith("; remove the line, then collect the cycle again from the API")
        for problem in found
    )


def test_a_torn_last_line_is_passed_over_on_demand_alone(path):
    whole = stored(path, response("a"))
    path.write_bytes(whole + b"damaged\n" + whole + b'{"request":"b')
    assert [problem.partition(": ")[0] for problem in refused(path)] == [":2", ":4"]
    (damaged,) = refused(path, skip_torn_end=True)
    assert damaged.startswith(":2: is not a recorded response")
    path.write_bytes(whole + b'{"request":"b')
    assert list(evidence.read(path, skip_torn_end=True)) == ["a"]
    path.write_bytes(whole.rstrip(b"\n"))
    assert list(evidence.read(path, skip_torn_end=True)) == ["a"]


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
    whole = stored(path, response("/v3/cycles"))
    path.write_bytes(b"not json\n" + whole)
    assert evidence.read(path, only="/v3/cycles")["/v3/cycles"].source == f"{path}:2"
    assert evidence.read(path, only="/v3/sessions") == {}


# What a second fetch answered


def compared(path, before, after):
    """Store answers, then others, and give the bodies that `superseded` tells by request."""
    size = len(stored(path, *before)) if before else 0
    stored(path, *after)
    pairs = list(evidence.superseded(path, size))
    assert all(old.request == new.request for old, new in pairs)
    return {old.request: (old.body, new.body) for old, new in pairs}


def test_only_answers_that_differ_are_told(path):
    before = [response("a", "1"), response("b", "1"), response("gone", "1")]
    after = [
        response("a", "2"),
        response("b", "1", fetched_at="2026-02-01T10:00:00Z"),
        response("new", "1"),
    ]
    assert compared(path, before, after) == {"a": ("1", "2")}


def test_of_several_answers_the_last_before_and_the_last_after_are_compared(path):
    before = [response("a", "1"), response("a", "2"), response("b", "1"), response("c", "1")]
    after = [
        response("b", "2"),
        response("a", "3"),
        response("b", "1"),
        response("a", "4"),
        response("c", "1"),
    ]
    assert compared(path, before, after) == {"a": ("2", "4")}


def test_another_status_is_another_answer(path):
    assert compared(path, [response("a", "{}", 403)], [response("a", "{}", 200)]) == {
        "a": ("{}", "{}")
    }


def test_with_nothing_before_or_nothing_after_nothing_differs(path):
    whole = stored(path, response("a", "1"), response("a", "2"))
    assert list(evidence.superseded(path, 0)) == []
    assert list(evidence.superseded(path, len(whole))) == []


@pytest.mark.parametrize("bad", [line for line in BAD if line])
def test_lines_that_cannot_be_read_do_not_end_the_comparison(path, bad):
    whole = stored(path, response("a", "1"))
    path.write_bytes(whole + bad + b"\n" + whole.replace(b'"1"', b'"2"') + bad + b"\n")
    size = len(whole) + len(bad) + 1
    ((old, new),) = evidence.superseded(path, size)
    assert (old.body, new.body) == ("1", "2")


@given(
    st.lists(st.tuples(st.sampled_from("abc"), TEXT)),
    st.lists(st.tuples(st.sampled_from("abc"), TEXT)),
)
def test_what_differs_is_what_two_readers_would_see(tmp_path_factory, before, after):
    path = tmp_path_factory.mktemp("evidence") / "inputs" / "responses.jsonl"
    stored(path, response("always"))
    first, second = dict(before), dict(after)
    expected = {
        key: (first[key], body) for key, body in second.items() if first.get(key, body) != body
    }
    found = compared(
        path, [response("always"), *starmap(response, before)], list(starmap(response, after))
    )
    assert found == expected


def test_the_evidence_is_never_held_in_memory(path):
    """Three hundred answers of 40 kB, twice, of which two at a time are held in all their forms."""
    path.parent.mkdir()
    answers = [
        [response(f"/v3/{n}", f"{time}{'x' * 40_000}") for n in range(300)] for time in (1, 2)
    ]
    first, second = (evidence.encode(found) for found in answers)
    path.write_bytes(first + second)
    size = len(first)
    del answers, first, second
    tracemalloc.start()
    assert sum(1 for _ in evidence.superseded(path, size)) == 300
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize("line", [b'{"request": ' + b"[" * 9_000, b'{"more": ' + b"[" * 9_000])
def test_a_line_that_is_nested_without_end_is_not_a_response(path, line):
    whole = stored(path, response())
    path.write_bytes(whole + line + b"\n" + whole)
    (said,) = refused(path)
    assert said.startswith(":2: is not a recorded response")


def test_a_line_without_end_is_not_read_on(path, monkeypatch):
    monkeypatch.setattr(evidence, "LONGEST_LINE", 1024**2)
    whole = stored(path, response())
    path.write_bytes(whole + b"x" * (3 * 1024**2))
    (said,) = refused(path)
    assert said.startswith(":2: is longer than 1 MiB, and no recorded response; ")


@pytest.mark.parametrize("write", [lambda path: stored(path, response()), evidence.repair])
def test_a_pipe_in_the_place_of_evidence_is_not_waited_for(path, write):
    path.parent.mkdir()
    os.mkfifo(path)
    with pytest.raises(OSError, match="it is a pipe, not a file"):
        write(path)


# Of a closed cycle


def answered(request: str, fetched_at: str, body: str = "{}") -> RecordedResponse:
    return RecordedResponse(request=request, status=200, fetched_at=fetched_at, body=body)


def sealed_file(tmp_path, *responses):
    plain, sealed = tmp_path / "responses.jsonl", tmp_path / "responses.jsonl.gz"
    plain.write_bytes(evidence.encode(responses))
    sealed.write_bytes(evidence.sealed(plain))
    return sealed


def test_sealed_evidence_is_sorted_by_request_and_instant_and_the_last_counts(tmp_path):
    path = sealed_file(
        tmp_path,
        answered("/b", "2026-01-09T10:00:00Z"),
        answered("/a", "2026-01-09T12:00:00+02:00", "first, though its text is the later"),
        answered("/a", "2026-01-09T11:00:00Z", "second"),
        answered("/a", "2026-01-09T11:00:00Z", "third, of the same instant"),
    )
    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert [line["request"] for line in lines] == ["GET /a", "GET /a", "GET /a", "GET /b"]
    assert [line["body"][:5] for line in lines[:3]] == ["first", "secon", "third"]
    assert evidence.stored(path)["/a"].body.startswith("third")
    assert path.read_bytes()[4:8] == bytes(4), "the clock is not in it"


def test_sealed_evidence_is_read_in_any_order(tmp_path):
    names = [f"/{number:03}" for number in range(50)]
    path = sealed_file(tmp_path, *(answered(name, "2026-01-09T10:00:00Z", name) for name in names))
    found = evidence.stored(path)
    assert [found[name].body for name in reversed(names)] == list(reversed(names))
    assert found["/007"].source == f"{path}:8"


@pytest.mark.parametrize("left", [0, 1, 10, -1, -9])
def test_sealed_evidence_that_is_torn_is_refused_in_one_line(tmp_path, left):
    path = sealed_file(tmp_path, answered("/a", "2026-01-09T10:00:00Z"))
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(Rejected) as refused:
        evidence.stored(path)
    assert str(path) in str(refused.value)
