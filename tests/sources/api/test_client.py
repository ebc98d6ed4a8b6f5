"""The client over real HTTP on loopback: what it sends, tries again, says when it is refused."""

import asyncio
import json
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
import stamina

from reportgen.archive import evidence
from reportgen.sources.api import bodies, v3
from reportgen.sources.api.client import ApiFailure, Connection, drive
from reportgen.sources.api.plan import Portion, Request, prefixed
from reportgen.sources.api.trouble import retry_after
from tests.fakeapi.api import FakeApi
from tests.fakeapi.faults import Reply
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world

TOKEN = "cog_this-is-the-secret"
NOW = datetime(2026, 1, 9, 10, 0, tzinfo=UTC)
EMPTY = '{"items":[],"end_cursor":null,"has_next_page":false}'


class Script(FakeApi):
    """Replies what `answer(path, attempt)` gives: status, body and headers, or a whole reply."""

    def __init__(self, answer):
        super().__init__(big_world(users=1, organizations=1))
        self.answer, self.calls, self.attempts = answer, [], Counter()

    @property
    def paths(self):
        return [path for path, _ in self.calls]

    def reply(self, method, target, headers):
        self.calls.append((target, headers))
        self.attempts[target] += 1
        given = self.answer(target, self.attempts[target])
        if isinstance(given, Reply):
            return given
        status, body, headers = (*given, {})[:3]
        return Reply(status=status, body=body.encode(), headers=tuple(headers.items()))


@contextmanager
def scripted(answer):
    with serving(Script(answer)) as script:
        yield script, script.base_url


@pytest.fixture
def no_waiting():
    with stamina.set_testing(True, attempts=3):
        yield


def connected(base_url, kept=None, **changes):
    connection = Connection(
        base_url=base_url,
        tokens={"": TOKEN},
        append=(kept if kept is not None else []).append,
        now=lambda: NOW,
        progress=lambda done, known: None,
    )
    return replace(connection, **changes)


def asking(*requests):
    """A plan of one batch."""
    answers = yield requests
    return answers


def ask(answer, *requests, **changes):
    """Ask a scripted server; give the script, the answers and what was kept."""
    kept = []
    with scripted(answer) as (script, base_url):
        answers = asyncio.run(drive(asking(*requests), connected(base_url, kept, **changes), {}))
    return script, answers, kept


def refused(answer, *requests, **changes):
    with scripted(answer) as (script, base_url), pytest.raises(ApiFailure) as caught:
        asyncio.run(drive(asking(*requests), connected(base_url, **changes), {}))
    return script, str(caught.value).replace(base_url, "")


ONE = Request(endpoint="/v3/one", shape=bodies.Cycles, required=True)


def test_lists_are_followed_to_their_end_with_their_cursors_encoded():
    cursors = ["", "a+b/c==&first=1", "ü €"]
    items = [
        [{"after": 1762329600, "before": 1764921600}],
        [],
        [{"after": 1764921600, "before": 1767600000}],
    ]

    def answer(path, _):
        cursor = httpx.URL(path).params.get("after", "")
        number = cursors.index(cursor)
        following = cursors[number + 1] if number < 2 else None
        return 200, json.dumps(
            {"items": items[number], "end_cursor": following, "has_next_page": number < 2}
        )

    with scripted(answer) as (script, base_url):
        found = asyncio.run(drive(v3.cycles(), connected(base_url), {}))
    assert [cycle.start for cycle in found.cycles] == [date(2025, 11, 5), date(2025, 12, 5)]
    assert script.paths == [
        "/v3/enterprise/consumption/cycles?first=200",
        "/v3/enterprise/consumption/cycles?after=a%2Bb%2Fc%3D%3D%26first%3D1&first=200",
        "/v3/enterprise/consumption/cycles?after=%C3%BC+%E2%82%AC&first=200",
    ]


def test_a_cursor_that_comes_back_ends_the_list():
    def answer(*_):
        return 200, '{"items":[],"end_cursor":"again","has_next_page":true}'

    with scripted(answer) as (script, base_url):
        assert asyncio.run(drive(v3.cycles(), connected(base_url), {})).cycles == ()
    assert len(script.paths) == 2


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("okta|acme|0042", "/v3/users/okta%7Cacme%7C0042"),
        ("a/b", "/v3/users/a%2Fb"),
        ("a b?c#d&e=f%", "/v3/users/a%20b%3Fc%23d%26e%3Df%25"),
        ("jürgen", "/v3/users/j%C3%BCrgen"),
    ],
)
def test_ids_are_percent_encoded_on_the_wire_and_in_the_evidence(value, path):
    request = Request(endpoint="/v3/users/{}", values=(value,), shape=bodies.Cycles)
    script, answers, kept = ask(lambda *_: (200, EMPTY), request)
    assert script.paths == [path]
    assert [item.request for item in kept] == [path] == list(answers)


def test_what_arrives_is_kept_as_it_came():
    body = '{ "items": [],  "unknown": 1.50 }'
    _, _, (kept,) = ask(lambda *_: (200, body), ONE)
    assert (kept.body, kept.status, kept.fetched_at) == (body, 200, "2026-01-09T10:00:00Z")
    assert kept.source == ""


def test_the_token_is_sent_and_kept_nowhere():
    script, _, kept = ask(lambda *_: (200, EMPTY), ONE)
    (headers,) = (headers for _, headers in script.calls)
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN.encode() not in evidence.encode(kept)
    assert TOKEN not in repr(connected("http://127.0.0.1"))


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_again(status):
    script, answers, kept = ask(
        lambda _, attempt: (status, "<html>") if attempt < 3 else (200, EMPTY), ONE
    )
    assert len(script.paths) == 3
    assert answers[ONE.target].body.items == []
    assert [item.status for item in kept] == [200]


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(
    "first",
    [
        Reply(status=200, body=EMPTY.encode(), cut="middle"),
        (200, EMPTY[:20]),
        (200, "<html>maintenance</html>"),
        (200, '{"items": 1}'),
        Reply(status=200, body=EMPTY.encode(), cut="before"),
    ],
)
def test_an_answer_that_is_torn_or_another_one_is_asked_for_again(first):
    script, answers, kept = ask(lambda _, attempt: first if attempt == 1 else (200, EMPTY), ONE)
    assert len(script.paths) == 2
    assert [item.body for item in kept] == [EMPTY]
    assert answers[ONE.target].body.items == []


@pytest.mark.usefixtures("no_waiting")
def test_at_the_end_of_patience_the_request_is_named_and_the_token_is_not():
    script, message = refused(lambda *_: (503, TOKEN), ONE)
    assert len(script.paths) == 3
    assert message == (
        "GET /v3/one: the API answered 503, at every attempt; "
        "try again later, or check `base_url` and the network; what was collected is kept"
    )


@pytest.mark.usefixtures("no_waiting")
def test_where_nobody_listens_the_connection_failed():
    with scripted(lambda *_: (200, EMPTY)) as (_, base_url):
        pass
    with pytest.raises(
        ApiFailure, match=r"the connection failed \(connection refused\), at every attempt"
    ):
        asyncio.run(drive(asking(ONE), connected(base_url), {}))


def test_retry_after_is_honoured_in_seconds():
    """Without the header the client waits half a second at least; with it, as long as it says."""
    started = time.monotonic()
    ask(lambda _, attempt: (503, "", {"Retry-After": "0"}) if attempt < 4 else (200, EMPTY), ONE)
    assert time.monotonic() - started < 1.0
    started = time.monotonic()
    ask(lambda _, attempt: (429, "", {"Retry-After": "1"}) if attempt < 2 else (200, EMPTY), ONE)
    assert time.monotonic() - started >= 1.0


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("Fri, 09 Jan 2026 10:01:30", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(written, seconds):
    response = httpx.Response(503, headers=[(b"Retry-After", written.encode())])
    assert retry_after(response.headers, NOW) == seconds


PROBLEM = '{"type":"about:blank","title":"Nope","status":0,"detail":"Because","instance":"/v3/one"}'
LEGACY = (
    '{"detail":[{"loc":["query","first"],"msg":"too many","type":"value_error"},{"msg":"too few"}]}'
)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (
            401,
            PROBLEM,
            'the API answered 401 ("Because"); check the token (a trailing newline is removed),',
        ),
        (
            401,
            '{"detail":"Unauthorized"}',
            'the API answered 401 ("Unauthorized"); check the token',
        ),
        (
            403,
            PROBLEM,
            'the API answered 403 ("Because"); give the credential the permission to read',
        ),
        (
            404,
            '{"title":"Not Found","status":404}',
            'the API answered 404 ("Not Found"); check base_url',
        ),
        (422, LEGACY, 'the API answered 422 ("too many; too few"); report this'),
        (422, PROBLEM, 'the API answered 422 ("Because"); report this'),
        (401, "<html>", "the API answered 401; check the token"),
        (401, "[]", "the API answered 401; check the token"),
        (418, '{"detail":null,"title":null}', "the API answered 418; see the API's status page"),
        (302, "", "the API answered 302; correct base_url: this address only leads on to another"),
        (
            401,
            '{"detail":"a\\nb\\u0007"}',
            'the API answered 401 ("a\\nb\\u0007"); check the token',
        ),
    ],
)
def test_a_refusal_is_explained_and_not_asked_again(status, body, words):
    script, message = refused(lambda *_: (status, body), ONE)
    assert len(script.paths) == 1
    assert message.startswith(f"GET /v3/one: {words}")
    assert message.isprintable()
    assert TOKEN not in message


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_token_that_the_server_repeats_is_hidden(status):
    def echoing(*_):
        return status, '{"detail": "invalid credential Bearer %s"}' % TOKEN  # noqa: UP031 - braces of JSON

    _, message = refused(echoing, ONE)
    assert TOKEN not in message
    assert "Bearer [token]" in message
    if status != 401:
        _, _, kept = ask(echoing, replace(ONE, required=False))
        assert [TOKEN in response.body for response in kept] == [False]


@pytest.mark.parametrize("status", [520, 599])
def test_every_failure_of_the_server_is_asked_again(no_waiting, status):
    script, message = refused(lambda *_: (status, ""), ONE)
    assert len(script.paths) > 1
    assert f"the API answered {status}, at every attempt" in message


@pytest.mark.parametrize("status", [403, 404])
def test_a_view_that_may_be_missing_is_kept_as_refused(status):
    request = replace(ONE, required=False)
    script, answers, kept = ask(lambda *_: (status, PROBLEM), request)
    assert answers[request.target].body is None
    assert [item.status for item in kept] == [status]
    assert len(script.paths) == 1


def test_what_is_known_is_not_asked_again():
    requests = [Request(endpoint=f"/v3/{name}", shape=bodies.Cycles) for name in "abc"]
    _, _, kept = ask(lambda *_: (200, EMPTY), *requests)
    known = {item.request: item for item in kept[:2]} | {
        kept[2].request: replace(kept[2], body="torn {")
    }
    with scripted(lambda *_: (200, EMPTY)) as (script, base_url):
        answers = asyncio.run(drive(asking(*requests), connected(base_url), known))
    assert script.paths == [kept[2].request]
    assert len(answers) == 3


def test_progress_counts_on_over_the_portions_of_a_plan():
    requests = [Request(endpoint=f"/v3/{name}", shape=bodies.Cycles) for name in "abcde"]

    def plan():
        yield [requests[0]]
        yield Portion(requests[1:3], 2)
        yield Portion(requests[3:], 0)

    seen = []
    with scripted(lambda *_: (200, EMPTY)) as (_, base_url):
        connection = connected(base_url, progress=lambda done, known: seen.append((done, known)))
        asyncio.run(drive(prefixed(plan(), "/v3beta1"), connection, {}))
    assert seen == [(1, 1), (2, 5), (3, 5), (4, 5), (5, 5)]


REQUESTS = [Request(endpoint=f"/v3/{number}", shape=bodies.Cycles) for number in range(30)]


def test_only_so_many_requests_run_at_a_time():
    slow = Reply(status=200, body=EMPTY.encode(), delay=0.02)
    script, answers, _ = ask(lambda *_: slow, *REQUESTS, concurrency=3)
    assert len(answers) == len(script.paths) == 30
    assert script.seen.most_running == 3


def test_after_a_burst_of_429s_half_as_many_run_at_a_time():
    """All eight are refused: ten answers long there are four, then five."""
    running, first = [], {request.target for request in REQUESTS[:8]}

    def answer(path, attempt):
        running.append(script.seen.running)
        if attempt == 1 and path in first:
            # The delay is longer than a busy machine needs to start eight.
            again = (("Retry-After", "0"),)
            return Reply(status=429, body=b"", headers=again, delay=0.5)
        return Reply(status=200, body=EMPTY.encode(), delay=0.02)

    with scripted(answer) as (script, base_url):
        answers = asyncio.run(drive(asking(*REQUESTS), connected(base_url), {}))
    assert len(answers) == 30
    assert len(running) == 38
    assert max(running[:8]) == 8
    assert 1 < max(running[8:18]) <= 4
