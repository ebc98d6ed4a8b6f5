"""What a command holds of a cycle: little for each usage record, and less once it is derived."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks.synthetic import synthetic

DERIVING = """
import json, sys
from pathlib import Path
from benchmarks.processes import peak
from benchmarks.synthetic import END, START
from reportgen.archive import evidence
from reportgen.core.cycle import cycle_between
from reportgen.derive import Inputs, derive
from reportgen.documents.limits import give_back
from reportgen.sources.config.configuration import load

def held():
    give_back()
    told = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(told[1]) * 4096

folder = Path(sys.argv[1])
inputs = Inputs(
    configuration=load(folder),
    cycle=cycle_between(START, END),
    responses=evidence.stored(folder / "responses.jsonl"),
    source="",
)
begun = held()
derived = derive(inputs)
records, derived = len(derived.usage.records), derived.without_rows()
print(json.dumps([records, int(peak() * 1024 * 1024) - begun, held() - begun]))
"""
ROOT = Path(__file__).resolve().parents[2]


class Cost(NamedTuple):
    """How many records were derived, and bytes: at the peak, and for as long as is drawn."""

    records: int
    peak: int
    held: int


def derived(folder: Path, cost_centers: int) -> Cost:
    """Derive a made-up cycle in a process of its own."""
    synthetic(folder, cost_centers)
    command = [sys.executable, "-c", DERIVING, str(folder)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return Cost(*json.loads(told.stdout))


@pytest.mark.heavy
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells")
def test_a_record_takes_little_memory_while_it_is_derived_and_less_while_it_is_drawn(tmp_path):
    small, large = derived(tmp_path / "150", 150), derived(tmp_path / "600", 600)
    more = large.records - small.records
    assert more > 100_000
    assert (large.peak - small.peak) / more < 300, (small, large)
    assert (large.held - small.held) / more < 150, (small, large)
