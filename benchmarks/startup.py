"""How long `reportgen --help` takes beside an interpreter that imports click alone.

    python -m benchmarks.startup

The commands take turns, so that all of them meet the machine at the same speeds.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 40
SCRIPT = Path(sys.executable).with_name("reportgen")
BASE = "python -c 'import click'"
COMMANDS = {
    BASE: (sys.executable, "-c", "import click"),
    "python -c pass": (sys.executable, "-c", "pass"),
    "reportgen --help": (str(SCRIPT), "--help"),
    "python -m reportgen --help": (sys.executable, "-m", "reportgen", "--help"),
}


def seconds(command: tuple[str, ...]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    for command in COMMANDS.values():
        seconds(command)
    rounds = [{name: seconds(command) for name, command in COMMANDS.items()} for _ in range(ROUNDS)]
    medians = {name: statistics.median(one[name] for one in rounds) for name in COMMANDS}
    print("| command | ms (median) | x import click |\n|---|---|---|")
    for name, median in medians.items():
        print(f"| `{name}` | {median * 1000:.1f} | {median / medians[BASE]:.2f} |")


if __name__ == "__main__":
    main()
