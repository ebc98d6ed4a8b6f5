"""A table of cost centers goes all the way: documents, seal, correction, and proof of both."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.corrected import FEE, MISTAKE, closed, correct, restated
from tests.scenarios.job import DECEMBER, INVOICE, ROOT, Job, pages, plain, small

TABLE = """\
code;name;contacts;PO
0064;Platform;a@x.example;4711
B-2;Payments;;
C-3;Kiosk;;
Z-9;Central;;
"""
RECKON = ROOT / "templates" / "audit" / "reckon.py"


def tabled(folder: Path) -> Job:
    """Write the small configuration with a table, in a folder of its own, for cost centers."""
    job = plain(small(folder), *INVOICE)
    text = (folder / "mapping.yaml").read_text(encoding="utf-8").replace("A-1", '"0064"')
    mapping = "cost_center_file: {path: finance/centers.csv}\n" + text[text.index("users:") :]
    (folder / "mapping.yaml").write_text(mapping, encoding="utf-8")
    (folder / "finance").mkdir()
    (folder / "finance" / "centers.csv").write_text(TABLE, encoding="utf-8")
    with (folder / "rates.yaml").open("a", encoding="utf-8") as file:
        file.write(FEE.replace("A-1", '"0064"'))
    job.record(restated())
    return job


@pytest.mark.heavy
def test_it_is_sealed_verified_reckoned_again_and_corrected(tmp_path):
    job = tabled(tmp_path / "job")
    closed(job)
    folder = job.cycle()
    kept = list((folder / "inputs" / "config").rglob("*.csv"))
    assert [path.read_text(encoding="utf-8") for path in kept] == [TABLE]
    resolved = json.loads((folder / "inputs" / "resolved.json").read_text(encoding="utf-8"))
    assert resolved["cost_centers"]["0064"]["fields"] == {"PO": "4711"}
    assert "4711" in pages(folder / "invoices" / f"CB-{DECEMBER}-0064.pdf")[0]

    away = (job.folder / "finance").rename(tmp_path / "away")  # the archive needs nothing of it
    verified = _verify(job)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    reckoned = subprocess.run(
        [sys.executable, "-I", str(RECKON), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert reckoned.returncode == 0, reckoned.stdout

    shutil.copytree(away, job.folder / "finance")
    other = tmp_path / "job" / "edited"
    other.mkdir()
    for name in ("chargeback.yaml", "mapping.yaml", "rates.yaml"):
        text = (job.folder / name).read_text(encoding="utf-8")
        text = text.replace('ada@acme.example: "0064"', "ada@acme.example: C-3")
        text = text.replace(": archive", ": ../archive").replace(": templates", ": ../templates")
        (other / name).write_text(text, encoding="utf-8")
    shutil.copytree(away, other / "finance")
    correct(job, "--config", str(other), reason=MISTAKE)
    assert _verify(job).returncode == 0


def _verify(job: Job) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "reportgen", "verify", str(job.archive), "--workers", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
