"""Every mistake of mistakes.txt, made in the base and told by the real `check`."""

import json
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from reportgen.cli import main
from tests.errors.test_corpus import HERE, keep_evidence
from tests.weight import heavy_but

PARTS = 5
FEWEST = 40
QUICK = 12
"""Every kind has cases of its own in the corpus."""


class Mistake(NamedTuple):
    place: str
    stands: str
    written: str
    message: str
    hint: str


def mistakes() -> list[Mistake]:
    lines = (HERE / "mistakes.txt").read_text(encoding="utf-8").splitlines()
    listed = [line.split(" || ") for line in lines if not line.startswith("#")]
    assert all(len(parts) == PARTS for parts in listed)
    return [Mistake(*map(meant, parts)) for parts in listed]


def meant(part: str) -> str:
    r"""Read \n, \t and \uXXXX as Python would."""
    return re.sub(
        r"\\(n|t|u[0-9a-f]{4})", lambda sign: sign[0].encode().decode("unicode_escape"), part
    )


def told(mistake: Mistake, folder: Path) -> list[dict[str, str]]:
    shutil.copytree(HERE / "base", folder)
    keep_evidence(folder)
    path = folder / mistake.place.partition(":")[0]
    text = path.read_text(encoding="utf-8")
    assert text.count(mistake.stands) == 1, f"{mistake.stands!r} is not there once"
    path.write_text(text.replace(mistake.stands, mistake.written), encoding="utf-8")
    result = CliRunner().invoke(main, ["check", str(folder), "--cycle", "2025-12-05", "--json"])
    assert result.exit_code == 1, result.output
    problems: list[dict[str, str]] = json.loads(result.stdout)["problems"]
    return problems


def test_there_are_enough_of_them_and_each_is_one():
    listed = mistakes()
    assert len(set(listed)) == len(listed) >= FEWEST
    assert {one.place.partition(":")[0] for one in listed} == {
        "chargeback.yaml",
        "hr.csv",
        "mapping.yaml",
        "rates.yaml",
    }


@pytest.mark.parametrize("number", heavy_but(QUICK, range(len(mistakes()))))
def test_a_mistake_is_named_at_its_place_with_what_to_write(number, tmp_path):
    mistake, folder = mistakes()[number], tmp_path / "c"
    problems = told(mistake, folder)
    place = f"{folder}/{mistake.place}"
    assert any(
        one["source"] == place and mistake.message in one["message"] and mistake.hint in one["hint"]
        for one in problems
    ), problems
    file = place.rpartition(":")[0]
    assert {one["source"].rpartition(":")[0] for one in problems} == {file}
