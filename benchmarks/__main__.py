"""One table of ratios, each beside its reference in the same run: `make bench`.

    python -m benchmarks [PART...]

Parts: startup, pdf, workbook, collection; all without a name. The last line says how many are
short of what they are held to; the exit code does not, as a busy machine moves ratios.
"""

import os
import platform
import sys
from collections.abc import Callable, Iterator

from benchmarks import collect, documents, startup, workbook
from benchmarks.table import HEADER, Row


def main(arguments: list[str]) -> None:
    """Print the table, each row as soon as it is known."""
    parts: dict[str, Callable[[], Iterator[Row]]] = {
        "startup": startup.rows,
        "pdf": documents.rows,
        "workbook": workbook.rows,
        "collection": collect.rows,
    }
    chosen = arguments or list(parts)
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
