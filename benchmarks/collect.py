"""Collecting over HTTP beside a bare loop of workers: 50 ms per response, as the machine's two cores allow.

    python -m benchmarks.collect [requests] [concurrency]

The server is a process of its own and answers after 50 ms. Both clients ask it for the same requests in one run, in
turn; the ideal is requests x 0.050 / concurrency.
"""

import asyncio
import multiprocessing
import resource
import ssl
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx

from reportgen.core.model import RecordedResponse
from reportgen.sources import bodies
from reportgen.sources.ask import Plan, Request
from reportgen.sources.client import Connection, drive

LATENCY = 0.050
ROUNDS = 3
BODY = (
    b'{"total_acus": 62.0, "consumption_by_date": ['
    + b", ".join(
        b'{"date": %d, "acus": 2.0, "acus_by_product": {"devin": 1.5, "cascade": 0.5, "review": null}}'
        % (1764921600 + 86400 * day)
        for day in range(31)
    )
    + b"]}"
)
RESPONSE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)


def main() -> None:
    """Measure and print the medians."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    concurrency = int(sys.argv[2]) if len(sys.argv) > 2 else 32
    ideal = count * LATENCY / concurrency
    with _server() as base_url:
        walls: dict[str, list[float]] = {"bare loop": [], "reportgen": []}
        for _ in range(ROUNDS):
            walls["bare loop"].append(_timed(_bare(base_url, count, concurrency)))
            walls["reportgen"].append(_timed(_collect(base_url, count, concurrency)))
    print(f"{count} requests, {concurrency} at a time, {LATENCY * 1000:.0f} ms each: ideal {ideal:.2f} s")
    for name, found in walls.items():
        print(f"{name:10} {statistics.median(found):6.2f} s  x{statistics.median(found) / ideal:.2f} of the ideal")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")


def _timed(work: "asyncio.Future[None] | object") -> float:
    start = time.perf_counter()
    asyncio.run(work)  # type: ignore[arg-type]
    return time.perf_counter() - start


async def _collect(base_url: str, count: int, concurrency: int) -> None:
    kept: list[RecordedResponse] = []
    connection = Connection(
        base_url=base_url,
        tokens={"": "cog_benchmark"},
        append=kept.append,
        now=lambda: datetime.now(UTC),
        progress=lambda done, known: None,  # noqa: ARG005
        concurrency=concurrency,
    )
    await drive(_plan(count), connection, {})
    assert len(kept) == count  # noqa: S101


def _plan(count: int) -> Plan[None]:
    endpoint = "/v3/enterprise/consumption/daily/users/{}"
    yield [Request(endpoint=endpoint, values=(f"user|{n}",), shape=bodies.Consumption) for n in range(count)]


async def _bare(base_url: str, count: int, concurrency: int) -> None:
    """Do no more than the requests, with a client per worker."""
    waiting = iter(range(count))
    context = ssl.create_default_context()

    async def work() -> None:
        async with httpx.AsyncClient(verify=context, limits=httpx.Limits(max_connections=1)) as client:
            for number in waiting:
                (await client.get(f"{base_url}/v3/enterprise/consumption/daily/users/{number}")).raise_for_status()

    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work())


@contextmanager
def _server() -> Iterator[str]:
    ports: multiprocessing.SimpleQueue[int] = multiprocessing.SimpleQueue()
    process = multiprocessing.Process(target=_serve, args=(ports,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ports.get()}"
    finally:
        process.terminate()
        process.join()


def _serve(ports: "multiprocessing.SimpleQueue[int]") -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(LATENCY)
                writer.write(RESPONSE)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=256)
        ports.put(server.sockets[0].getsockname()[1])
        async with server:
            await server.serve_forever()

    asyncio.run(run())


if __name__ == "__main__":
    main()
