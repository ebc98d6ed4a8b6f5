"""Whole cycles of made-up enterprises: what a command costs with all processes that it starts.

The command is the one that people call, in a process of its own, over recorded answers.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.processes import Cost, cost
from benchmarks.synthetic import CYCLE, move, synthetic
from benchmarks.table import Row

SMALL, USUAL, LARGE = 12, 300, 3_000
USERS = 20_000
"""Of the large enterprise; the others have as many to a cost center."""
FRESH = ("--fresh",)


def rows(*, full: bool) -> Iterator[Row]:
    """Hold one and two workers, building again, proving and growing against one another."""
    with TemporaryDirectory(prefix="reportgen-bench-") as name:
        folder, runs = Path(name), {}
        for count in (SMALL, USUAL):
            made = enterprise(folder / str(count), count)
            runs[count] = command("run", made, "--workers", "2")
        yield from grown(runs, SMALL, USUAL)
        yield from usual(folder / str(USUAL))
        if full:
            runs[LARGE] = command("run", enterprise(folder / "large", LARGE), "--workers", "2")
            yield from grown(runs, USUAL, LARGE, most=(10.5, 1.2))
        else:
            what, note = (
                f"{LARGE:,} cost centers, collected and drawn",
                "left out: `FULL=1` draws them",
            )
            yield Row(what, "", f"{USUAL} cost centers", None, note=note)


def enterprise(folder: Path, cost_centers: int) -> Path:
    return synthetic(folder, cost_centers, cost_centers * USERS // LARGE)


def command(name: str, folder: Path, *options: str) -> Cost:
    """Call a command over a cycle."""
    call = [sys.executable, "-m", "reportgen", name, str(folder), "--cycle", CYCLE, "--quiet"]
    return cost([*call, *options])


def usual(folder: Path) -> Iterator[Row]:
    """Build, with one worker and with two; build again, also with a user moved; close and prove."""
    two, one = (command("build", folder, *FRESH, "--workers", count) for count in "21")
    yield Row(
        f"{USUAL} cost centers, build by two workers, clock",
        *(f"{two.clock:.1f} s", f"{one.clock:.1f} s, one worker"),
        *(one.clock / two.clock, 1.85),
    )
    nothing = command("build", folder, "--workers", "2")
    yield _again("nothing changed", nothing, two, most=0.08)
    move(folder, user=0, center=1)
    yield _again("one user moved", command("build", folder, "--workers", "2"), two, most=0.15)
    command("close", folder, "--workers", "2")
    proving = [sys.executable, "-m", "reportgen", "verify", str(folder / "archive"), "--quiet"]
    proved = cost([*proving, "--workers", "2"])
    ours, reference = _of_processor(proved), f"{_of_processor(two)}, `build`"
    ratio = proved.processor / two.processor
    yield Row(f"{USUAL} cost centers, `verify`, processor", ours, reference, ratio)


def _again(what: str, again: Cost, first: Cost, most: float) -> Row:
    ratio, reference = again.processor / first.processor, f"{_of_processor(first)}, `--fresh`"
    what = f"{USUAL} cost centers, `build` again, {what}, processor"
    return Row(what, _of_processor(again), reference, ratio, most=most)


def grown(
    runs: Mapping[int, Cost], fewer: int, more: int, most: tuple[float, float] | None = None
) -> Iterator[Row]:
    """Hold a larger enterprise against a smaller one."""
    small, large, (time, memory) = runs[fewer], runs[more], most or (None, None)
    what, beside = f"{more:,} cost centers, collected and drawn", f"{fewer:,} cost centers"
    reference, ratio = f"{_of_processor(small)}, {beside}", large.processor / small.processor
    yield Row(f"{what}, processor", _of_processor(large), reference, ratio, most=time)
    reference, ratio = f"{small.peak:.0f} MiB, {beside}", large.peak / small.peak
    ours = f"{large.peak:.0f} MiB"
    yield Row(f"{what}, peak of all processes", ours, reference, ratio, most=memory)


def _of_processor(spent: Cost) -> str:
    return f"{spent.processor:.1f} s"
