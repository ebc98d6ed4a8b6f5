"""The fake API on loopback: HTTP/1.1 by hand over asyncio, in a thread or a process of its own."""

import asyncio
import json
import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import responses
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.fakeapi.api import INSPECTION, FakeApi
from tests.fakeapi.faults import Reply
from tests.fakeapi.sample import World

ROOT = Path(__file__).parents[2]
END_OF_HEAD = b"\r\n\r\n"
RESET = struct.pack("ii", 1, 0)


class _Connection(asyncio.Protocol):
    """One connection, kept alive; requests are answered one after the other."""

    def __init__(self, api: FakeApi, open_connections: set["_Connection"]) -> None:
        self._api, self._open = api, open_connections
        self._buffer = b""
        self._waiting: asyncio.Handle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        if self._waiting:
            self._waiting.cancel()
            self._finish()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._next()

    def _next(self) -> None:
        """Take the next request, if it is whole and nothing else is being answered."""
        head, found, rest = self._buffer.partition(END_OF_HEAD)
        if self._waiting or not found or self.transport.is_closing():
            return
        lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines[1:])
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        method, _, rest_of_line = lines[0].partition(" ")
        self._api.seen.begin()
        reply = self._reply(method, rest_of_line.rpartition(" ")[0], headers)
        loop = asyncio.get_running_loop()
        # Even at once means: after the others whose requests are here already, so that all of them
        # are counted.
        later = loop.call_later if reply.delay else lambda _, *rest: loop.call_soon(*rest)
        self._waiting = later(
            reply.delay, self._send, reply, headers.get("connection", "").lower() == "close"
        )

    def _reply(self, method: str, target: str, headers: dict[str, str]) -> Reply:
        """Reply, or note that the fake itself is broken: a client would only try again."""
        try:
            return self._api.reply(method, target, headers)
        except Exception as error:  # noqa: BLE001 - a violation tells it to the test
            self._api.violations.append(f"{method} {target}: the fake broke: {error!r}")
            return Reply(status=500, body=b"{}")

    def _finish(self) -> None:
        self._waiting = None
        self._api.seen.end()

    def _send(self, reply: Reply, last: bool) -> None:
        self._finish()
        if reply.cut in ("before", "reset"):
            if reply.cut == "reset":
                self.transport.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, RESET
                )
            self.transport.abort()
            return
        head = _head(reply, last)
        if reply.cut == "middle":
            self.transport.write(head + reply.body[: len(reply.body) // 2])
            self.transport.close()
            return
        self.transport.write(head + reply.body)
        if last:
            self.transport.close()
        self._next()


def _head(reply: Reply, last: bool) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} {responses.get(reply.status, '')}"]
    lines += [f"Content-Type: {reply.content_type}", f"Content-Length: {len(reply.body)}"]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    lines += ["Connection: close"] if last else []
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def serve(
    api: FakeApi,
    port: int,
    ready: Callable[[], None],
    stopped: asyncio.Event,
    tls: ssl.SSLContext | None = None,
) -> None:
    """Serve until stopped, then drop every connection; call `ready` once there is a `base_url`."""
    connections: set[_Connection] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Connection(api, connections), "127.0.0.1", port, backlog=1024, ssl=tls
    )
    scheme = "https" if tls else "http"
    api.base_url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    ready()
    try:
        await stopped.wait()
    finally:
        server.close()
        for connection in tuple(connections):
            connection.transport.abort()
        await asyncio.sleep(0)


@contextmanager
def serving(
    api: FakeApi | World | None = None,
    *,
    certificate: tuple[Path, Path] | None = None,
    **behavior: Any,
) -> Iterator[FakeApi]:
    """Serve in a thread while the context lasts, and give the API, to switch and to inspect.

    With a certificate and its key it is served over TLS.
    """
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certificate else None
    if tls and certificate:
        tls.load_cert_chain(*certificate)
    api = api if isinstance(api, FakeApi) else FakeApi(api, **behavior)
    ready, stopped, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve(api, 0, ready.set, stopped, tls))

    thread = threading.Thread(target=run, name="fake API", daemon=True)
    thread.start()
    if not ready.wait(10):
        raise RuntimeError("the fake API does not start")
    try:
        yield api
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join()


@dataclass(frozen=True)
class Apart:
    """A fake API in a process of its own."""

    base_url: str

    def seen(self) -> dict[str, Any]:
        """Give what it has seen so far, as `Seen.as_json` does, and the faults that happened."""
        with urlopen(f"{self.base_url}{INSPECTION}") as response:  # noqa: S310 - loopback
            found: dict[str, Any] = json.load(response)
            return found


@contextmanager
def serving_apart(*arguments: str) -> Iterator[Apart]:
    """Serve in a process of its own, with the arguments of `python -m tests.fakeapi`."""
    command = [sys.executable, "-m", "tests.fakeapi", "--port", "0", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            base_url = process.stdout.readline().strip()
            if not base_url:
                raise RuntimeError("the fake API does not start")
            yield Apart(base_url)
        finally:
            process.terminate()
