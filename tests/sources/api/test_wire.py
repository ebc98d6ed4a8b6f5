"""What a server may send: within bounds, in time, unpacked; and where nobody can be reached."""

import asyncio
import gzip
import re
import socket
import time
import zlib
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
import stamina

from reportgen.operations.connect import proxy_of
from reportgen.sources.api import bodies, client, wire
from reportgen.sources.api.client import ApiFailure, Connection, drive
from reportgen.sources.api.plan import Request
from tests.fakeapi.faults import Reply
from tests.sources.api.test_client import EMPTY, ONE, asking, scripted

SMALL = 64 * 1024
NOWHERE = "https://name.invalid"


@pytest.fixture
def no_waiting():
    with stamina.set_testing(True, attempts=3):
        yield


def connected(base_url, **changes):
    connection = Connection(
        base_url=base_url,
        tokens={"": "cog_secret"},
        append=lambda response: None,
        now=lambda: datetime(2026, 1, 9, 10, 0, tzinfo=UTC),
        progress=lambda done, known: None,
        largest_answer=SMALL,
    )
    return replace(connection, **changes)


def failed(base_url, **changes):
    """Ask where no answer can be had; give the one sentence and the lines before it."""
    lines = []
    with pytest.raises(ApiFailure) as caught:
        asyncio.run(drive(asking(ONE), connected(base_url, tell=lines.append, **changes), {}))
    return str(caught.value), lines


def refused(reply, **changes):
    with scripted(lambda *_: reply) as (script, base_url):
        message, lines = failed(base_url, **changes)
    return message.replace(base_url, ""), lines, len(script.paths)


def packed(body, encoding="gzip"):
    return Reply(status=200, body=body, headers=(("Content-Encoding", encoding),))


# Bodies


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=200, body=b" " * (SMALL + 1)),
        packed(gzip.compress(b" " * 40_000_000)),
        packed(gzip.compress(b" " * SMALL) + gzip.compress(b"x")),
        packed(zlib.compress(b" " * 40_000_000), "deflate"),
    ],
    ids=["plain", "bomb", "two members", "zlib"],
)
def test_an_answer_beyond_the_bound_is_refused_at_once(reply):
    message, lines, attempts = refused(reply, largest_answer=SMALL)
    assert (lines, attempts) == ([], 1)
    assert message == (
        "GET /v3/one: the answer has more than 0 MiB; "
        "if that is right, raise `max_answer_mib` under `source`"
    )


@pytest.mark.parametrize(
    "reply",
    [
        packed(gzip.compress(EMPTY.encode())),
        packed(gzip.compress(EMPTY[:9].encode()) + gzip.compress(EMPTY[9:].encode())),
        packed(zlib.compress(EMPTY.encode()), "deflate"),
        packed(gzip.compress(EMPTY.encode() + b" " * (SMALL - len(EMPTY))), "x-gzip"),
        packed(EMPTY.encode(), "identity"),
    ],
    ids=["gzip", "members", "zlib", "at the bound", "identity"],
)
def test_a_packed_answer_within_the_bound_is_read(reply):
    with scripted(lambda *_: reply) as (_, base_url):
        answers = asyncio.run(drive(asking(ONE), connected(base_url), {}))
    assert answers[ONE.target].body.items == []


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (packed(gzip.compress(EMPTY.encode())[:-9]), "the body could not be unpacked"),
        (packed(b"not packed at all"), "the body could not be unpacked"),
        (Reply(status=200, body=b'{"items":[]}\xff'), "the answer is not UTF-8"),
    ],
)
def test_a_torn_answer_is_asked_for_again(reply, words):
    message, lines, attempts = refused(reply)
    assert attempts == 3
    assert words in message
    assert all(f": {words}" in line for line in lines)


def test_an_answer_that_is_packed_as_nobody_asked_is_refused_at_once():
    message, _, attempts = refused(packed(b"\x0b\x02\x80{}\x03", "br"))
    assert attempts == 1
    assert 'the answer is packed as "br", which was not asked for' in message


def test_of_a_long_refusal_the_beginning_is_kept():
    kept = []
    reply = Reply(status=404, body=b"x" * 10_000_000)
    request = Request(endpoint="/v3/one", shape=bodies.Cycles)
    with scripted(lambda *_: reply) as (_, base_url):
        connection = connected(base_url, append=kept.append)
        asyncio.run(drive(asking(request), connection, {}))
    assert [len(response.body) for response in kept] == [wire.LONGEST_REFUSAL]


@pytest.mark.usefixtures("no_waiting")
def test_a_body_that_trickles_is_broken_off(monkeypatch):
    monkeypatch.setattr(wire, "GRACE", 0.1)

    async def trickle(_reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.01)

    message, lines = asyncio.run(served(trickle))
    assert "the connection failed (no answer in time), at every attempt" in message
    assert len(lines) == 3


async def served(handler):
    """Ask a handler of raw connections."""
    lines = []
    async with await asyncio.start_server(handler, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        connection = connected(f"http://127.0.0.1:{port}", tell=lines.append)
        with pytest.raises(ApiFailure) as caught:
            await drive(asking(ONE), connection, {})
    return str(caught.value), lines


# Where nobody can be reached


@pytest.fixture
def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.usefixtures("no_waiting")
def test_where_nobody_listens_every_wait_is_a_line(free_port):
    message, lines = failed(f"http://127.0.0.1:{free_port}")
    assert "the connection failed (connection refused), at every attempt" in message
    assert len(lines) == 3
    shape = r"/v3/one: attempt (\d+), next in \d+ s: connection refused"
    assert [int(re.fullmatch(shape, line)[1]) for line in lines] == [*range(1, len(lines) + 1)]


def test_a_proxy_that_is_dead_is_named_without_its_password(free_port):
    proxy = f"http://ada:hunter2@127.0.0.1:{free_port}"
    message, lines = failed("https://api.acme.example", proxy=proxy, absent_patience=0.7)
    named = f"connection refused, through the proxy http://127.0.0.1:{free_port}"
    assert f"the connection failed ({named}), at every attempt" in message
    assert all(line.endswith(named) for line in lines)
    assert "hunter2" not in message + "".join(lines)


def test_a_proxy_that_never_answers_is_given_up_as_soon():
    async def silent(reader, writer):
        await reader.read()
        writer.close()  # the server of Python 3.12 waits for that

    async def ask():
        lines = []
        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            connection = connected(
                "https://api.acme.example",
                proxy=f"http://127.0.0.1:{port}",
                first_patience=0.7,
                tell=lines.append,
            )
            with pytest.raises(ApiFailure) as caught:
                await drive(asking(ONE), connection, {})
        return str(caught.value)

    assert "(no answer in time, through the proxy http://127.0.0.1:" in asyncio.run(ask())


def test_a_question_that_a_library_gives_up_is_never_left_out():
    def gives_up(_request):
        raise asyncio.CancelledError

    connection = connected(NOWHERE, transport=httpx.MockTransport(gives_up))
    with pytest.raises(RuntimeError, match="gave up a question"):
        asyncio.run(drive(asking(ONE), connection, {}))


def test_where_nobody_is_there_for_sure_patience_is_shortest(free_port):
    begun = time.monotonic()
    failed(f"http://127.0.0.1:{free_port}", absent_patience=0.7)
    assert time.monotonic() - begun < 5


@pytest.mark.heavy
@pytest.mark.parametrize("host", ["http://127.0.0.1:{}", "http://name.invalid:{}"])
def test_a_command_that_nobody_answers_ends_within_five_seconds(free_port, host):
    begun = time.monotonic()
    _, lines = failed(host.format(free_port))
    assert len(lines) >= 2
    assert time.monotonic() - begun < 5


def test_a_server_that_starts_meanwhile_is_reached(free_port, monkeypatch):
    monkeypatch.setattr(client, "FIRST_WAIT", 0.1)
    monkeypatch.setattr(client, "JITTER", 0.0)

    async def reply(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(EMPTY)}\r\nConnection: close\r\n\r\n"
        writer.write(f"{head}{EMPTY}".encode())
        await writer.drain()
        writer.close()

    async def starting():
        await asyncio.sleep(0.2)
        return await asyncio.start_server(reply, "127.0.0.1", free_port)

    async def ask():
        lines = []
        connection = connected(f"http://127.0.0.1:{free_port}", tell=lines.append, patience=5)
        server = asyncio.create_task(starting())
        await drive(asking(ONE), connection, {})
        (await server).close()
        return lines

    lines = asyncio.run(ask())
    assert lines
    assert all(line.endswith("connection refused") for line in lines)


def test_once_somebody_has_answered_patience_is_long(free_port):
    connection = connected(f"http://127.0.0.1:{free_port}", first_patience=0.0, attempts=2)
    connection.reach.answered = True
    lines = []
    with stamina.set_testing(True, attempts=2), pytest.raises(ApiFailure):
        asyncio.run(drive(asking(ONE), replace(connection, tell=lines.append), {}))
    assert len(lines) == 1


@pytest.mark.parametrize(
    ("base_url", "environment", "proxy"),
    [
        ("https://api.example", {}, ""),
        ("https://api.example", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        (
            "https://api.example",
            {"https_proxy": "http://q:1", "HTTPS_PROXY": "http://p:1"},
            "http://q:1",
        ),
        ("https://api.example", {"ALL_PROXY": "p:1"}, "http://p:1"),
        ("https://api.example", {"HTTP_PROXY": "http://p:1"}, ""),
        ("https://api.example", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "other, .example"}, ""),
        ("https://api.example", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, ""),
        (
            "https://api.example:8443",
            {"HTTPS_PROXY": "http://p:1", "no_proxy": "api.example:8443"},
            "",
        ),
        (
            "https://api.example",
            {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "pi.example"},
            "http://p:1",
        ),
        ("http://127.0.0.1:9", {"HTTP_PROXY": "http://p:1"}, ""),
        ("http://127.0.0.1:9", {"HTTP_PROXY": "http://127.0.0.1:1"}, "http://127.0.0.1:1"),
    ],
)
def test_the_proxy_is_the_one_that_the_environment_names(base_url, environment, proxy):
    assert proxy_of(base_url, environment) == proxy
