"""docs/deploy/month.sh, as it stands there: two months in a row where there is next to nothing."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.job import DECEMBER, NOVEMBER, ROOT, Job
from tests.scenarios.pipeline import SCRIPT, covered, months

STEPS = ["check", "close", "doctor", "export", "run"]

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(
        os.geteuid() == 0 and not shutil.which("setpriv"), reason="root writes everywhere"
    ),
]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Give a folder with a `reportgen` that runs this checkout."""
    folder = tmp_path / "bin"
    folder.mkdir()
    file = folder / "reportgen"
    file.write_text(f"#!/bin/sh\nPYTHONPATH='{ROOT}' exec '{sys.executable}' -m reportgen \"$@\"\n")
    file.chmod(0o755)
    return folder


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return covered(tmp_path / "a job")


def test_it_has_ten_lines() -> None:
    lines = SCRIPT.read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line and not line.startswith("#")]) == 10
    subprocess.run(["sh", "-n", SCRIPT], check=True)


def test_two_months_in_a_row_in_an_empty_environment(job, program, tmp_path):
    told = months(tmp_path, program, job, "2025-11", "2025-12", APPROVED_BY="Grace Hopper")
    for month, start in zip(told, (NOVEMBER, DECEMBER), strict=True):
        assert month["code"] == 0, month["stderr"]
        assert sorted(month["files"]) == STEPS
        values = {name: json.loads(text) for name, text in month["files"].items()}
        assert all(value["warnings"] == [] for value in values.values())
        manifest = json.loads((job.cycle(start) / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["sequence"] == (1 if start == NOVEMBER else 2)
    again = months(tmp_path, program, job, "2025-12", APPROVED_BY="Grace Hopper")[0]
    assert again["code"] == 1
    assert "this billing cycle is closed" in again["stderr"]


def test_without_a_person_there_are_drafts(job, program, tmp_path):
    (month,) = months(tmp_path, program, job, "2025-12")
    assert month["code"] == 0, month["stderr"]
    assert sorted(month["files"]) == ["check", "doctor", "run"]
    assert not (job.cycle() / "manifest.json").exists()
    assert (job.cycle() / "statement.pdf").exists()


@pytest.mark.parametrize(
    ("fault", "code", "last"),
    [("warning", 5, "check"), ("configuration", 1, "doctor"), ("archive", 1, "doctor")],
)
def test_what_is_wrong_ends_it_with_its_code(job, program, tmp_path, fault, code, last):
    if fault == "warning":
        with (job.folder / "mapping.yaml").open("a", encoding="utf-8") as file:
            file.write('tags: {"project:*": Z-9}\n')
    elif fault == "configuration":
        job.edit("rates.yaml", "currency: USD", "currency: US")
    else:
        job.archive.mkdir(mode=0o500)
    (month,) = months(tmp_path, program, job, "2025-12", APPROVED_BY="Grace Hopper")
    assert month["code"] == code, month["stderr"]
    assert last in month["files"]
    assert "run" not in month["files"]
    assert json.loads(month["files"][last])[("problems", "warnings")[code == 5]]
    assert month["stderr"]
