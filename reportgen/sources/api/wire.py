"""One answer over the wire: read piece by piece, unpacked within bounds, at a pace that ends.

Nothing that a server sends is held beyond the bound: neither a body without end, nor one that is
small until it is unpacked. A refusal needs no more than a few sentences; of a longer one the
beginning is kept.
"""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from reportgen.core.text import quoted

MIB = 1024 * 1024
TIMEOUT = httpx.Timeout(60.0, connect=20.0)
HEAD = 80.0
"""Seconds within which an answer has to begin."""
GRACE, SLOWEST = 30.0, 1024
"""A body may take so many seconds, and one more for each that many bytes."""
LONGEST_REFUSAL = 64 * 1024
PIECE = 64 * 1024
EITHER = zlib.MAX_WBITS | 32
"""Lets zlib tell gzip from its own format."""
CONNECTED = {"connection.start_tls.complete", "proxy.start_tls.complete"}

Trace = Callable[[str, Mapping[str, Any]], Awaitable[None]]


class Unusable(Exception):  # noqa: N818 - an answer that was refused, not a failure
    """An answer that asking again would not mend."""

    def __init__(self, message: str, hint: str) -> None:
        """Hold what is wrong and what to do."""
        self.message, self.hint = message, hint
        super().__init__(message)


class Torn(Exception):  # noqa: N818 - as above
    """A packed body that ends too early, or cannot be unpacked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """An answer: its body in bytes, empty where nobody reads it."""

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    extensions: Mapping[str, Any] = field(default_factory=dict, repr=False)


async def received(
    client: httpx.AsyncClient,
    url: str,
    headers: Mapping[str, str],
    *,
    unread: frozenset[int],
    most: int,
    first: float | None = None,
) -> Received:
    """Ask, and receive all of the answer; of those with a status in `unread` only the head.

    A body has at most `most` bytes, else Unusable is raised. With `first` the connection has to be
    made within so many seconds. Raises TimeoutError, Torn, and what httpx raises.
    """
    request = client.build_request("GET", url, headers=dict(headers))
    async with asyncio.timeout(first or HEAD) as limit:
        request.extensions = {**request.extensions, "trace": _once_connected(request, limit)}
        response = await client.send(request, stream=True)
    try:
        body = b""
        if response.status_code not in unread and "recorded" not in response.extensions:
            body = await _body(response, most)
        return Received(
            status=response.status_code,
            headers=response.headers,
            body=body,
            extensions=response.extensions,
        )
    finally:
        await response.aclose()


def _once_connected(request: httpx.Request, limit: asyncio.Timeout) -> Trace:
    """Give an answer its own time once the connection is made."""
    connected = CONNECTED
    if request.url.scheme == "http":
        connected = {"connection.connect_tcp.complete"}

    async def trace(event: str, _: Mapping[str, Any]) -> None:
        if event in connected:
            limit.reschedule(asyncio.get_running_loop().time() + HEAD)

    return trace


async def _body(response: httpx.Response, most: int) -> bytes:
    """Receive a body unpacked; raises Unusable beyond the bound, TimeoutError where it trickles."""
    is_refusal = response.status_code != httpx.codes.OK
    bound = LONGEST_REFUSAL if is_refusal else most
    unpacked, body, size = _unpacked(response), bytearray(), 0
    begun = asyncio.get_running_loop().time()
    async with asyncio.timeout(GRACE) as limit:
        async for raw in response.aiter_raw(PIECE):
            size += len(raw)
            limit.reschedule(begun + GRACE + size / SLOWEST)
            for piece in unpacked.pieces(raw):
                body += piece
                if len(body) > bound and is_refusal:
                    return bytes(body[:bound])
                if len(body) > bound:
                    hint = "if that is right, raise `max_answer_mib` under `source`"
                    raise Unusable(f"the answer has more than {most // MIB} MiB", hint)
    if not unpacked.is_whole:
        raise Torn
    return bytes(body)


def _unpacked(response: httpx.Response) -> "_Plain | _Packed":
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        return _Plain()
    if encoding in {"gzip", "x-gzip", "deflate"}:
        return _Packed()
    message = f"the answer is packed as {quoted(encoding)}, which was not asked for"
    raise Unusable(message, "ask whoever runs the API, or a proxy before it, for gzip or nothing")


class _Plain:
    """Gives what is not packed as it is."""

    is_whole = True

    def pieces(self, raw: bytes) -> Iterator[bytes]:
        yield raw


class _Packed:
    """Unpacks gzip and zlib in small pieces, so that a bomb is found before it goes off."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=EITHER)
        self.is_whole = False

    def pieces(self, raw: bytes) -> Iterator[bytes]:
        """Unpack what has arrived; what comes after the end of a member is another one."""
        while raw:
            if self.is_whole:
                self._inflate = zlib.decompressobj(wbits=EITHER)
            try:
                yield self._inflate.decompress(raw, PIECE)
            except zlib.error as error:
                raise Torn from error
            self.is_whole = self._inflate.eof
            raw = self._inflate.unused_data if self.is_whole else self._inflate.unconsumed_tail
