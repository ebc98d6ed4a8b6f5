"""Collecting over HTTP beside a bare loop of workers: 50 ms per response, on two cores.

    python -m benchmarks.collect [requests] [concurrency]
    python -m benchmarks.collect memory [users] [days]

The server is a process of its own and answers after 50 ms. Both clients ask it for the same
requests in one run, in turn; the ideal is requests x 0.050 / concurrency.

Memory: the whole command collects an enterprise of so many users, each with a role in one of 20
organizations and with usage of two products on so many days. Its peak is that of the process, its
answers are written to the disk.
"""

import asyncio
import json
import multiprocessing
import os
import resource
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from urllib.parse import parse_qs, urlsplit

import httpx

from benchmarks.table import Row
from reportgen.core.model import RecordedResponse
from reportgen.sources.api import bodies
from reportgen.sources.api.client import Connection, drive
from reportgen.sources.api.plan import Plan, Request

Answering = Callable[[str], Awaitable[bytes]]
LATENCY = 0.050
ROUNDS = 3
HELD: dict[int, tuple[int, float | None]] = {8: (1000, None), 16: (2000, 0.85), 32: (2000, None)}
"""By how many requests are under way: how many there are, and what of the limit is reached."""
BODY = (
    b'{"total_acus": 62.0, "consumption_by_date": ['
    + b", ".join(
        b'{"date": %d, "acus": 2.0, '
        b'"acus_by_product": {"devin": 1.5, "cascade": 0.5, "review": null}}'
        % (1764921600 + 86400 * day)
        for day in range(31)
    )
    + b"]}"
)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"


USERS, DAYS, PAGE = 20_000, 20, 200
START, DAY = 1764921600, 86400
CONFIGURATION = {
    "chargeback.yaml": """\
enterprise: Acme
source: {{base_url: "{base_url}"}}
mapping: mapping.yaml
rates: rates.yaml
archive: archive
""",
    "mapping.yaml": 'cost_centers: {{A-1: {{name: A}}}}\nusers: {{"*": A-1}}\n',
    "rates.yaml": 'currency: USD\nprices: {{"*": 2.00}}\n',
}


def main() -> None:
    """Measure what is asked for."""
    if sys.argv[1:2] == ["memory"]:
        memory(*map(int, sys.argv[2:]))
    else:
        speed()


def memory(users: int = USERS, days: int = DAYS) -> None:
    """Collect an enterprise, cut the evidence in half, go on, and print the peak of both."""
    answering = partial(_answer_of_enterprise, users=users, days=days)
    with _server(answering) as base_url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in CONFIGURATION.items():
            (folder / file).write_text(text.format(base_url=base_url), encoding="utf-8")
        print(f"{users} users on {days} days: {_peak(name)}")
        stored = next(folder.rglob("responses.jsonl"))
        size = stored.stat().st_size
        os.truncate(stored, size // 2)
        print(f"gone on from half of the evidence of {size >> 20} MiB: {_peak(name)}")


def _peak(folder: str) -> str:
    """Run the command in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "reportgen",
        "collect",
        folder,
        "--cycle",
        "2025-12-05",
        "--concurrency",
        "16",
    ]
    start = time.perf_counter()
    process = subprocess.Popen(command, env=os.environ | {"DEVIN_API_TOKEN": "cog_benchmark"})
    _, status, usage = os.wait4(process.pid, 0)
    seconds, code = time.perf_counter() - start, os.waitstatus_to_exitcode(status)
    return f"exit {code}, peak {usage.ru_maxrss // 1024} MiB, {seconds:.0f} s"


def speed() -> None:
    """Measure and print the medians."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    concurrency = int(sys.argv[2]) if len(sys.argv) > 2 else 32
    ideal = count * LATENCY / concurrency
    with _server(_answer_late) as base_url:
        walls: dict[str, list[float]] = {"bare loop": [], "reportgen": []}
        for _ in range(ROUNDS):
            walls["bare loop"].append(_timed(_bare(base_url, count, concurrency)))
            walls["reportgen"].append(_timed(_collect(base_url, count, concurrency)))
    load = f"{count} requests, {concurrency} at a time, {LATENCY * 1000:.0f} ms each"
    print(f"{load}: ideal {ideal:.2f} s")
    for name, seconds in walls.items():
        median = statistics.median(seconds)
        print(f"{name:10} {median:6.2f} s  x{median / ideal:.2f} of the ideal")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")


def rows() -> Iterator[Row]:
    """Hold the client against the least that the latency of the server leaves."""
    for concurrency, (count, least) in HELD.items():
        limit = count * LATENCY / concurrency
        with _server(_answer_late) as base_url:
            walls = [_timed(_collect(base_url, count, concurrency)) for _ in range(ROUNDS)]
        median = statistics.median(walls)
        what, reference = (
            f"{count:,} requests, {concurrency} at a time",
            f"{limit:.2f} s, the limit",
        )
        yield Row(what, f"{median:.2f} s", reference, limit / median, least=least)


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
    yield [
        Request(endpoint=endpoint, values=(f"user|{n}",), shape=bodies.Consumption)
        for n in range(count)
    ]


async def _bare(base_url: str, count: int, concurrency: int) -> None:
    """Do no more than the requests, with a client per worker."""
    waiting = iter(range(count))
    context = ssl.create_default_context()

    async def work() -> None:
        async with httpx.AsyncClient(
            verify=context, limits=httpx.Limits(max_connections=1)
        ) as client:
            for number in waiting:
                (
                    await client.get(f"{base_url}/v3/enterprise/consumption/daily/users/{number}")
                ).raise_for_status()

    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work())


async def _answer_late(_target: str) -> bytes:
    await asyncio.sleep(LATENCY)
    return BODY


async def _answer_of_enterprise(target: str, users: int, days: int) -> bytes:
    """Answer lists of users page by page, and everybody's days; no answer is like another."""
    url = urlsplit(target)
    if "/daily" in url.path:
        rng = Random(url.path.rpartition("/")[2])
        buckets = [_bucket(rng, START + DAY * number) for number in range(days)]
        return json.dumps({"total_acus": 0, "consumption_by_date": buckets}).encode()
    items: list[dict[str, object]] = []
    first, more = int(parse_qs(url.query).get("after", ["0"])[0]), False
    if url.path.endswith("/cycles"):
        items = [{"after": START, "before": START + 31 * DAY}]
    elif url.path.endswith("/enterprise/organizations"):
        items = [
            {"org_id": f"org-{number}", "name": f"Organization {number}"} for number in range(20)
        ]
    elif url.path.endswith("/members/users"):
        items, more = (
            [_user(number) for number in range(first, min(first + PAGE, users))],
            first + PAGE < users,
        )
    return json.dumps(
        {"items": items, "end_cursor": str(first + PAGE) if more else None, "has_next_page": more}
    ).encode()


def _user(number: int) -> dict[str, object]:
    roles = [{"role": {"role_name": "Member"}, "org_id": f"org-{number % 20}"}]
    return {
        "user_id": f"okta|acme|{number}",
        "email": f"{number}@acme.example",
        "role_assignments": roles,
    }


def _bucket(rng: Random, date: int) -> dict[str, object]:
    devin, cascade = (round(9 * rng.random(), 2) for _ in range(2))
    products = {"devin": devin, "cascade": cascade, "terminal": 0.0, "review": None}
    return {"date": date, "acus": round(devin + cascade, 2), "acus_by_product": products}


@contextmanager
def _server(answering: Answering) -> Iterator[str]:
    ports: multiprocessing.SimpleQueue[int] = multiprocessing.SimpleQueue()
    process = multiprocessing.Process(target=_serve, args=(ports, answering), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ports.get()}"
    finally:
        process.terminate()
        process.join()


def _serve(ports: "multiprocessing.SimpleQueue[int]", answering: Answering) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                body = await answering(head.split(b" ", 2)[1].decode())
                writer.write(HEAD % (len(body), body))
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
