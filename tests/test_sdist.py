"""The sdist is the whole checkout: who unpacks it can build, test and change the program."""

import subprocess
import sys
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

import reportgen

pytestmark = pytest.mark.heavy

ROOT = Path(__file__).resolve().parent.parent
NAME = f"reportgen-{reportgen.__version__}"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("sdist")
    build("sdist", ROOT, target)
    with tarfile.open(target / f"{NAME}.tar.gz") as archive:
        archive.extractall(target, filter="data")
    return target / NAME


def build(kind: str, source: Path, target: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", target]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def git(*arguments: str) -> set[str]:
    command = ["git", "-C", ROOT, "ls-files", "-z", *arguments]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {name for name in listed.split("\0") if name and (ROOT / name).exists()}


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.heavy
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="an unpacked sdist has no list of files")
def test_the_sdist_carries_every_file_of_the_checkout_and_nothing_else(unpacked: Path) -> None:
    carried = files(unpacked) - {"PKG-INFO"}
    assert git() - carried == set(), "name it in pyproject.toml, under targets.sdist"
    assert carried - git("--cached", "--others", "--exclude-standard") == set()


def test_the_scripts_of_the_sdist_can_be_run(unpacked: Path) -> None:
    for name in (".ci/run", ".ci/setup"):
        assert (unpacked / name).stat().st_mode & 0o111


@pytest.mark.heavy
def test_the_sdist_makes_the_wheel_of_the_checkout(unpacked: Path, tmp_path: Path) -> None:
    for source, target in ((ROOT, "checkout"), (unpacked, "sdist")):
        build("wheel", source, tmp_path / target)
    first, second = (
        {name: wheel.read(name) for name in wheel.namelist()}
        for wheel in map(zipfile.ZipFile, sorted(tmp_path.glob("*/*.whl")))
    )
    assert first == second


def test_the_sdist_says_whose_it_is_and_under_which_license(unpacked: Path) -> None:
    about = HeaderParser().parsestr((unpacked / "PKG-INFO").read_text(encoding="utf-8"))
    assert about["License-Expression"] == "Apache-2.0"
    assert about["License-File"] == "LICENSE"
    assert about["Author"] == "reportgen developers"
    assert (unpacked / "LICENSE").read_text(encoding="utf-8").split()[:2] == ["Apache", "License"]
