"""Serve the fake API by hand: `python -m tests.fakeapi --help`."""

import argparse
import asyncio
import sys
from contextlib import suppress

from tests.fakeapi.api import FakeApi
from tests.fakeapi.behavior import ADMIN, ENTERPRISE
from tests.fakeapi.faults import KINDS
from tests.fakeapi.sample import build
from tests.fakeapi.server import serve
from tests.fakeapi.truths import TRUTHS
from tests.fakeapi.worlds import big_world, hard_world


def main() -> None:
    """Serve until interrupted; the first line of output is the base URL."""
    given = _arguments()
    if given.users:
        world = big_world(
            users=given.users, organizations=given.organizations, sessions=given.sessions
        )
    else:
        world = hard_world() if given.hard else build()
    api = FakeApi(
        world, latency=given.latency, page_cap=given.page_cap, compressed=given.compressed
    )
    api.truths |= {*given.truth}
    api.faults.share, api.faults.seed = given.share, given.seed
    if given.fault:
        api.faults.kinds = tuple(given.fault)
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(api, given.port, lambda: _announce(api), asyncio.Event()))


def _announce(api: FakeApi) -> None:
    sys.stdout.write(f"{api.base_url}\ntokens: {ENTERPRISE} (v3), {ADMIN} (v2)\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests.fakeapi", description="Serve the fake API on loopback."
    )
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--users", type=int, default=0, help="generate a world of so many users")
    parser.add_argument("--organizations", type=int, default=20)
    parser.add_argument("--sessions", type=int, default=0)
    parser.add_argument("--hard", action="store_true", help="the small world of hard cases")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every answer")
    parser.add_argument("--page-cap", type=int, default=200)
    parser.add_argument("--compressed", action="store_true")
    parser.add_argument("--truth", action="append", choices=TRUTHS, default=[])
    parser.add_argument("--share", type=float, default=0.0, help="the share of requests that fail")
    parser.add_argument("--fault", action="append", choices=KINDS)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
