"""What allocations by the million cost: memory that does not grow, time like that of csv."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FEW, MANY = 20_000, 100_000


def measured(writer: str, count: int) -> tuple[float, float]:
    """Give seconds of processor and peak in MiB, of a process of its own."""
    command = [sys.executable, "-m", "benchmarks.exports", writer, str(count)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, peak, _ = map(float, done.stdout.split())
    return seconds, peak


@pytest.mark.heavy
def test_focus_is_written_in_bounded_memory_within_three_times_of_csv():
    few, many = measured("reportgen", FEW), measured("reportgen", MANY)
    assert many[1] < few[1] + 8
    ratios = (measured("reportgen", MANY)[0] / measured("csv", MANY)[0] for _ in range(3))
    assert any(ratio < 3 for ratio in ratios)
