"""The recorded sample cycle, built once for all tests, and configurations to try things with."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from fontTools.ttLib import TTFont

from tests.scenarios.job import (
    NOVEMBER,
    RECORDING,
    Job,
    Json,
    decorated,
    example,
    once,
    plain,
    small,
    succeeded,
)

CLOSED_PORT = "https://127.0.0.1:9"


@dataclass(frozen=True)
class Built:
    """A cycle that was built, and what the command said."""

    job: Job
    code: int
    stdout: str
    stderr: str

    @property
    def folder(self) -> Path:
        return self.job.cycle()

    def statement(self) -> Json:
        return self.job.statement()

    def file(self, code: str, suffix: str) -> Path:
        return self.folder / "invoices" / f"CB-2025-12-05-{code}{suffix}"


@pytest.fixture(autouse=True)
def no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read none: no scenario speaks TLS, and they took a third of the time of collecting."""
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    monkeypatch.setenv("SSL_CERT_DIR", os.devnull)


@pytest.fixture(scope="session")
def sample(shared: Path) -> Built:
    """Run the sample cycle with two workers."""
    return _built(shared, "sample", lambda folder: example(folder).run("run", "--workers", "2"))


@pytest.fixture(scope="session")
def small_build(shared: Path) -> Built:
    """Run the small configuration with two workers."""
    return _built(shared, "small", lambda folder: small(folder).run("run", "--workers", "2"))


@pytest.fixture(scope="session")
def small_elsewhere(shared: Path) -> Built:
    """Build the small configuration anew: offline, with one worker, where all else is otherwise."""

    def build(folder: Path) -> CompletedProcess[str]:
        job = small(folder)
        succeeded(job.here("collect"))
        job.edit("chargeback.yaml", f"replay: {RECORDING}", f"base_url: {CLOSED_PORT}")
        return job.run("build", "--workers", "1", "--json", **surroundings(folder / "home"))

    return _built(shared, "small-elsewhere", build)


@pytest.fixture(scope="session")
def small_pair(shared: Path) -> Job:
    """Run both cycles of the small configuration; nobody reads the documents of November."""

    def make(folder: Path) -> None:
        succeeded(plain(small(folder)).here("run", cycle=NOVEMBER))
        succeeded(decorated(Job(folder)).here("run"))

    return Job(once(shared, "small-pair", make))


@pytest.fixture
def drafted(small_build: Built, tmp_path: Path) -> Job:
    """Give a small job whose draft has been built."""
    return small_build.job.copied(tmp_path / "drafted")


@pytest.fixture
def small_job(tmp_path: Path) -> Job:
    return small(tmp_path / "small")


def surroundings(home: Path) -> dict[str, str]:
    """Give another zone, language, seed and date, and a home whose fonts would win."""
    fonts = home / ".local" / "share" / "fonts"
    fonts.mkdir(parents=True)
    (serif,) = Path("/usr/share/fonts").rglob("LiberationSerif-Regular.ttf")
    shutil.copy(serif, fonts)
    font = TTFont(serif)
    for record in font["name"].names:
        name = record.toUnicode().replace("Liberation Serif", "Liberation Sans")
        record.string = name.replace("Serif", "Sans")
    for file in ("Impostor.ttf", "LiberationSans-Regular.ttf", "DejaVuSans.ttf"):
        font.save(fonts / file)
    return {
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "TMPDIR": str(home),
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C",
        "LANG": "tr_TR.UTF-8",
        "PYTHONHASHSEED": "7",
        "SOURCE_DATE_EPOCH": "0",
    }


def _built(shared: Path, name: str, build: Callable[[Path], CompletedProcess[str]]) -> Built:
    def make(folder: Path) -> None:
        result = build(folder)
        said = {"code": result.returncode, "stdout": result.stdout, "stderr": result.stderr}
        (folder / "said.json").write_text(json.dumps(said), encoding="utf-8")

    folder = once(shared, name, make)
    return Built(job=Job(folder), **json.loads((folder / "said.json").read_text(encoding="utf-8")))
