"""What stands on the wire byte for byte: read where HTTP allows it, else told in one sentence."""

import asyncio
import gzip
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from email.utils import format_datetime

import pytest
import stamina

from reportgen.sources.api import wire
from reportgen.sources.api.client import ApiFailure, drive
from tests.sources.api.test_client import EMPTY, NOW, ONE, asking
from tests.sources.api.test_wire import connected
from tests.weight import heavy_but

BODY = EMPTY.encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % len(BODY)
PLAIN = HEAD + b"\r\n" + BODY
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
WHOLE = b"%x\r\n%s\r\n" % (len(BODY), BODY)
PACKED = gzip.compress(BODY)

TWO = replace(ONE, endpoint="/v3/two")

READ = {
    "cookies": HEAD + b"Set-Cookie: a=b\r\nSet-Cookie: c=" + b"x" * 9000 + b"\r\n\r\n" + BODY,
    "cookies that are no text": HEAD + b"Set-Cookie: \xff\xfe;;;=\r\n\r\n" + BODY,
    "100": b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN,
    "103": b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n" + PLAIN,
    "many of 102": b"HTTP/1.1 102 Processing\r\n\r\n" * 50 + PLAIN,
    "a second answer": PLAIN + PLAIN,
    "garbage after it": PLAIN + b"garbage\r\n",
    "chunks": CHUNKED + WHOLE + b"0\r\n\r\n",
    "trailers": CHUNKED + WHOLE + b"0\r\nContent-Length: 3\r\n\r\n",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY,
    "line feeds alone": PLAIN.replace(b"\r\n", b"\n"),
    "a mark of UTF-8": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n\xef\xbb\xbf"
    % (len(BODY) + 3)
    + BODY,
}
"""Whole answers, with what may stand around them."""
REFUSED = {
    "chunks of no length": (CHUNKED + b"zz\r\nabc\r\n", "the answer is not HTTP"),
    "chunks of a negative length": (CHUNKED + b"-5\r\nabc\r\n", "the answer is not HTTP"),
    "another protocol": (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nxyz",
        "the answer is not HTTP",
    ),
    "no protocol": (BODY + b"\r\n\r\n", "the answer is not HTTP"),
    "a head without end": (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 40_000, "the answer is not HTTP"),
    "a length of letters": (
        b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n" + BODY,
        "the answer is not HTTP",
    ),
    "two lengths": (HEAD + b"Content-Length: 3\r\n\r\n" + BODY, "the answer is not HTTP"),
    "UTF-16": (
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * len(BODY) + 2)
        + EMPTY.encode("utf-16"),
        "the answer is not UTF-8",
    ),
    "garbage after what is packed": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
        % (len(PACKED) + 7)
        + PACKED
        + b"garbage",
        "the body could not be unpacked",
    ),
}
RETRY = [
    *(b"-5", b"1e3", b"inf", b"nan", b"0x10", b"1.5", b"garbage", b"", b"\xff\xfe", b"1, 2"),
    *(b"9" * 400, b"Wed, 21 Oct 99999 07:28:00 GMT", b"Wed, 21 Oct 2015 07:28:00"),
]
"""What Retry-After may say that is neither seconds nor a date to come."""


@pytest.fixture
def no_waiting():
    with stamina.set_testing(True, attempts=2):
        yield


@asynccontextmanager
async def answering(reply):
    """Answer every request on a connection with some bytes; give the address and what was asked."""
    asked = []

    async def handle(reader, writer):
        try:
            while True:
                asked.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


async def answers_to(reply, *requests, **changes):
    """Ask one after the other over one connection; give the answers and what went over the wire."""
    async with answering(reply) as (base_url, asked):
        connection = connected(base_url, concurrency=1, largest_answer=1 << 20, **changes)
        return await drive(asking(*requests), connection, {}), asked


@pytest.mark.parametrize("way", heavy_but(4, READ))
def test_what_stands_around_an_answer_changes_nothing(way):
    answers, asked = asyncio.run(answers_to(READ[way], ONE, TWO))
    assert [answers[one.target].body.items for one in (ONE, TWO)] == [[], []]
    assert not any(b"\r\nCookie:" in head for head in asked)


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("way", heavy_but(3, REFUSED))
def test_what_is_no_answer_is_one_sentence(way):
    reply, words = REFUSED[way]
    with pytest.raises(ApiFailure) as caught:
        asyncio.run(answers_to(reply, ONE))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("head", [b"HTTP/1.1 103 x\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: y\r\n"])
def test_a_head_that_never_ends_is_broken_off(head, monkeypatch):
    monkeypatch.setattr(wire, "HEAD", 0.2)
    with pytest.raises(ApiFailure) as caught:
        asyncio.run(answers_to(head, ONE))
    assert "no answer in time" in str(caught.value)


@pytest.mark.parametrize("said", heavy_but(3, RETRY))
def test_a_pause_that_makes_no_sense_is_our_own(said):
    busy = b"HTTP/1.1 429 x\r\nContent-Length: 0\r\nRetry-After: %s\r\n\r\n" % said
    lines = []
    with stamina.set_testing(True, attempts=2), pytest.raises(ApiFailure):
        asyncio.run(answers_to(busy, ONE, tell=lines.append, attempts=2))
    assert lines == ["/v3/one: attempt 1, next in 1 s: the API answered 429"]


@pytest.mark.parametrize("far", ["999999999", format_datetime(NOW.replace(year=9999), usegmt=True)])
def test_a_pause_beyond_all_patience_ends_with_it(far):
    busy = b"HTTP/1.1 429 x\r\nContent-Length: 0\r\nRetry-After: %s\r\n\r\n" % far.encode()
    lines = []
    with stamina.set_testing(True, attempts=2), pytest.raises(ApiFailure):
        asyncio.run(answers_to(busy, ONE, tell=lines.append, patience=7))
    assert re.search("attempt 1, next in [567] s: the API answered 429$", lines[0])
