"""The recorded sample cycle, built once for all tests, and configurations to try things with."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.scenarios.closed import close_both, scattered
from tests.scenarios.corrected import NOTE, correct_all
from tests.scenarios.job import Job, Json, example, once, plain, small


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
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder that all workers of this test run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def sample(shared: Path) -> Built:
    """Run the sample cycle; but for the index, its documents have a line."""
    return _built(shared, "sample", configuration=_outlined)


@pytest.fixture(scope="session")
def drawn_sample(shared: Path) -> Built:
    """Run the sample cycle with two workers, and draw its documents."""
    return _built(shared, "drawn-sample", "--workers", "2")


@pytest.fixture(scope="session")
def drawn_again(shared: Path) -> Built:
    """Do that with one worker, and print the result as JSON."""
    return _built(shared, "drawn-again", "--workers", "1", "--json")


@pytest.fixture(scope="session")
def small_build(shared: Path) -> Built:
    """Run the small configuration."""
    return _built(shared, "small-build", configuration=small)


@pytest.fixture
def drafted(small_build: Built, tmp_path: Path) -> Job:
    """Give a small job whose draft has been built."""
    return small_build.job.copied(tmp_path / "drafted")


@pytest.fixture(scope="session")
def closed_once(shared: Path) -> Job:
    """Close November and December of a small configuration; nobody reads their documents."""
    return Job(once(shared, "closed", lambda folder: close_both(scattered(folder))))


@pytest.fixture(scope="session")
def closed_drawn(shared: Path) -> Job:
    """Do that, and draw the invoices of December; not to be changed."""
    drawn = ("invoice.html.j2", "invoice.css")
    return Job(once(shared, "closed-drawn", lambda folder: close_both(scattered(folder), *drawn)))


@pytest.fixture
def closed(closed_once: Job, tmp_path: Path) -> Job:
    """Give both closed cycles, to be changed."""
    return closed_once.copied(tmp_path / "closed")


@pytest.fixture(scope="session")
def corrected_once(shared: Path) -> Job:
    """Close two small cycles and correct both; nobody reads the documents of this."""
    return Job(once(shared, "corrected", correct_all))


@pytest.fixture(scope="session")
def corrected_drawn(shared: Path) -> Job:
    """Do that, and draw statements and notes; not to be changed."""
    return Job(once(shared, "corrected-drawn", lambda folder: correct_all(folder, *NOTE)))


@pytest.fixture
def corrected(corrected_once: Job, tmp_path: Path) -> Job:
    """Give the corrected cycles, to be changed."""
    return corrected_once.copied(tmp_path / "corrected")


@pytest.fixture
def small_job(tmp_path: Path) -> Job:
    return small(tmp_path / "small")


def _outlined(folder: Path) -> Job:
    return plain(example(folder), "index.html.j2", "index.css")


def _built(
    shared: Path, name: str, *arguments: str, configuration: Callable[[Path], Job] = example
) -> Built:
    def make(folder: Path) -> None:
        job = configuration(folder)
        result = job.run("run", *arguments) if arguments else job.here("run")
        said = {"code": result.returncode, "stdout": result.stdout, "stderr": result.stderr}
        (folder / "said.json").write_text(json.dumps(said), encoding="utf-8")

    folder = once(shared, name, make)
    return Built(job=Job(folder), **json.loads((folder / "said.json").read_text(encoding="utf-8")))
