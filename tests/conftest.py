"""Settings of all tests."""

import asyncio
import gc
import sys
from asyncio import run
from collections import Counter
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import Any

import pytest
from hypothesis import settings

gc.disable()  # until all is imported and collected: nothing of that is garbage

# httpcore looks for this package at every lock it makes; where there is none, one look will do:
# None says so to the import system.
if find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]


def run_in_a_thread(main: Coroutine[Any, Any, Any], **how: Any) -> Any:
    """Run an event loop in a thread of its own."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(lambda: run(main, **how)).result()


# The tracer of coverage loses its place where an event loop ends on Python 3.11, and with it all
# that follows in the thread.
if sys.gettrace():
    asyncio.run = run_in_a_thread

# The same examples on every machine and in every run, whatever the speed of the machine. `make
# test-long` tries every law again, with seven times as many.
settings.register_profile("thorough", derandomize=True, deadline=None, max_examples=100)
settings.register_profile("quick", parent=settings.get_profile("thorough"), max_examples=15)
settings.load_profile("quick")

DRAWN = {"drawn_sample", "drawn_again"}
"""The fixtures that draw a dozen invoices of the sample."""
FURTHER = 3
"""Where one case is quick, the heavy run tries the third at the latest, the long one all."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let golden files be written anew: what they say is then read in the diff."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files anew from what is found",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as heavy what needs the whole sample drawn, and cases beyond those of `quick`."""
    cases: Counter[str] = Counter()
    for test in items:
        kind = test.nodeid.partition("[")[0]
        quick = test.get_closest_marker("quick")
        cases[kind] += 1
        is_drawn = DRAWN.intersection(getattr(test, "fixturenames", ()))
        if is_drawn or (quick and cases[kind] > quick.args[0]):
            test.add_marker(pytest.mark.heavy)
        if quick and cases[kind] > FURTHER * quick.args[0]:
            test.add_marker(pytest.mark.long)


def pytest_collection_finish() -> None:
    """Take what was imported and collected from what is looked through for garbage."""
    gc.freeze()
    gc.enable()
