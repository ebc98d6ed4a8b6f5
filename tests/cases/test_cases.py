"""Inputs as they are met in the field, and what each must come to, by right.yaml."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.scenarios.job import Job, plain

HERE = Path(__file__).parent
TABLE = (HERE / "right.yaml").read_text(encoding="utf-8")
RIGHT = yaml.load(TABLE, Loader=yaml.BaseLoader)  # noqa: S506 - as text: 20.00 is to the cent
FOLDERS = {
    path.parent.relative_to(HERE).as_posix() for path in sorted(HERE.rglob("chargeback.yaml"))
}


def test_every_folder_has_its_right_value():
    assert RIGHT.keys() == FOLDERS


@pytest.mark.quick(6)
@pytest.mark.parametrize("name", RIGHT)
def test_a_case_comes_to_what_is_right(name, tmp_path, monkeypatch):
    shutil.copytree(HERE / name, tmp_path / "case")
    monkeypatch.chdir(tmp_path / "case")
    right = RIGHT[name]
    done = plain(Job(Path()), *right.get("drawn", ())).here("run")
    assert done.returncode == int(right.get("exit", 0)), done.stderr
    for words in right.get("says", ()):
        assert words in done.stderr
    for words in right.get("silent_on", ()):
        assert words not in done.stderr
    assert "warning" not in done.stderr or "silent" not in right
    if "amounts" in right:
        charged = {
            center["code"]: center["amount"]
            for center in Job(Path()).statement()["cost_centers"]
            if center["invoice"]
        }
        assert charged == right["amounts"]
