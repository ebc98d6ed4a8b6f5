"""One table of ratios, each beside its reference in the same run: `make bench`.

    python -m benchmarks [--full] [PART...]

Parts: startup, pdf, workbook, collection, cycles; all without a name. --full draws 3,000 cost
centers as well, which takes about ten minutes. The last line says how many are short of what they
are held to; the exit code does not, as a busy machine moves ratios.
"""

import os
import platform
import sys
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks import collect, cycles, documents, startup, workbook
from benchmarks.table import HEADER, Row

FULL = "--full"


def main(arguments: list[str]) -> None:
    """Print the table, each row as soon as it is known."""
    parts: dict[str, Callable[[], Iterator[Row]]] = {
        "startup": startup.rows,
        "pdf": documents.rows,
        "workbook": workbook.rows,
        "collection": collect.rows,
        "cycles": partial(cycles.rows, full=FULL in arguments),
    }
    chosen = [one for one in arguments if one != FULL] or list(parts)
    if strange := set(chosen) - parts.keys():
        sys.exit(f"no such part: {', '.join(sorted(strange))}; there are {', '.join(parts)}")
    print(f"{machine()}\n\n{HEADER}", flush=True)
    short = 0
    for part in chosen:
        for row in parts[part]():
            print(row, flush=True)
            short += row.is_short()
    print(f"\nShort of what it is held to: {short}. Load at the end: {os.getloadavg()[0]:.1f}.")


def machine() -> str:
    """Say what this is measured on."""
    python, cores = platform.python_version(), os.cpu_count()
    return f"{cores} cores, {platform.machine()}, Python {python}, load {os.getloadavg()[0]:.1f}."


if __name__ == "__main__":
    main(sys.argv[1:])
