"""How long `reportgen --help` takes beside an interpreter that imports click alone.

    python -m benchmarks.startup

The commands take turns, so that all of them meet the machine at the same speeds.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.table import Row

ROUNDS = 40
SCRIPT = Path(sys.executable).with_name("reportgen")
OURS = "reportgen --help"
BASE = "python -c 'import click'"
COMMANDS = {
    BASE: (sys.executable, "-c", "import click"),
    "python -c pass": (sys.executable, "-c", "pass"),
    OURS: (str(SCRIPT), "--help"),
    "python -m reportgen --help": (sys.executable, "-m", "reportgen", "--help"),
}


def seconds(command: tuple[str, ...]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def measured() -> dict[str, float]:
    """Give the median of each."""
    for command in COMMANDS.values():
        seconds(command)
    rounds = [{name: seconds(command) for name, command in COMMANDS.items()} for _ in range(ROUNDS)]
    return {name: statistics.median(one[name] for one in rounds) for name in COMMANDS}


def rows() -> Iterator[Row]:
    medians = measured()
    ours, base = medians[OURS], medians[BASE]
    yield Row(
        f"`{OURS}`", f"{ours * 1000:.0f} ms", f"{base * 1000:.0f} ms, `{BASE}`", ours / base, most=2
    )


def main() -> None:
    medians = measured()
    print("| command | ms (median) | x import click |\n|---|---|---|")
    for name, median in medians.items():
        print(f"| `{name}` | {median * 1000:.1f} | {median / medians[BASE]:.2f} |")


if __name__ == "__main__":
    main()
