"""Documents drawn by others: the same bytes, whoever is lost or differs; words for what fails."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import pytest

from reportgen.core.problem import Rejected
from reportgen.operations.building import executors, hand
from tests.scenarios.job import DECEMBER, ROOT, Job, documents, small

FARM = """
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

five = 5

def threads():
    return ThreadPoolExecutor(2)

def processes():
    return ProcessPoolExecutor(2)

def number():
    return 5

def broken():
    raise RuntimeError("the farm is closed")

class Mute(Executor):
    def submit(self, fn, /, *args, **kwargs):
        raise ValueError("no room")

def mute():
    return Mute()
"""
"""A module of somebody who runs reportgen."""
OTHER = "import reportgen\nreportgen.__version__ = '0.1.9'\n"
"""What Python runs as it starts: another version of the program."""
STARTED = 60.0
"""Seconds in which Dask has to have started."""


@pytest.fixture
def farm(tmp_path: Path) -> str:
    """Write the module, and give the folder to put it on Python's path."""
    (tmp_path / "farm.py").write_text(FARM, encoding="utf-8")
    return str(tmp_path)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return small(tmp_path / "job")


# An executor


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["threads", "processes"])
def test_an_executor_of_somebody_else_gives_the_same_bytes(name, job, farm, small_build):
    done = job.run("run", "--executor", f"farm:{name}", PYTHONPATH=farm)
    assert (done.returncode, "warning" in done.stderr) == (0, False), done.stderr
    assert documents(job.cycle()) == documents(small_build.folder)


@pytest.mark.heavy
def test_closing_and_proving_are_done_by_an_executor(job, farm):
    called = {"PYTHONPATH": farm}
    option = "--executor", "farm:threads"
    for name, *arguments in (("run",), ("close", "--accept", "Trial")):
        done = job.run(name, *arguments, *option, **called)
        assert done.returncode == 0, done.stderr
    command = [sys.executable, "-m", "reportgen", "verify", str(job.archive), *option]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | called, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("barn:threads", 'there is no module "barn"; install it beside reportgen'),
        ("farm.west:threads", 'there is no module "farm.west"'),
        ("farm:nobody", '"nobody" is not there in farm; name a function'),
        ("farm:five", '"five" is nothing that can be called in farm'),
        ("farm:number", "number returned an int, and no executor"),
        ("farm:broken", "broken raised RuntimeError: the farm is closed; mend it"),
        ("ruin:threads", "the module ruin raised ZeroDivisionError: division by zero"),
        ("thatch:threads", "the module thatch raised ModuleNotFoundError: No module named 'reed'"),
    ],
)
def test_what_gives_no_executor_is_told(named, said, farm, monkeypatch):
    monkeypatch.chdir(farm)
    Path("ruin.py").write_text("1 / 0\n", encoding="utf-8")
    Path("thatch.py").write_text("import reed\n", encoding="utf-8")
    for name in ("farm", "ruin", "thatch"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(Rejected) as caught:
        executors.made(named)
    (problem,) = caught.value.problems
    assert str(problem).startswith(f"--executor {named}: {said}")
    sys.modules.pop("farm", None)


@pytest.mark.heavy
def test_an_executor_that_takes_no_work_is_told(job, farm):
    done = job.run("run", "--executor", "farm:mute", "--quiet", PYTHONPATH=farm)
    assert done.returncode == 1
    assert "--executor: a worker failed before it drew: ValueError: no room; install" in done.stderr
    assert not (job.cycle() / "invoices").exists()


def processes_in(places: Path) -> list[str]:
    """List the processes whose temporary folder that is."""
    told = f"TMPDIR={places}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # of somebody else, or gone
            found += [path.parent.name] if told in path.read_bytes().split(b"\0") else []
    return found


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["threads", "processes"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_whatever_ends_the_command_leaves_no_process_and_no_folder(
    job, farm, tmp_path, name, number
):
    """A terminal's Ctrl-C is heard by all of its processes; who is killed can tell nobody."""
    places = tmp_path / "temporary"
    places.mkdir()
    called = {"PYTHONPATH": farm, "TMPDIR": str(places)}
    begun = job.start("run", "--quiet", "--executor", f"farm:{name}", **called)
    _until(lambda: any(path.suffix == ".pdf" for path in job.archive.rglob("*")))
    if number == signal.SIGKILL:
        begun.kill()
    else:
        os.killpg(begun.pid, number)
    _, said = begun.communicate(timeout=STARTED)
    interrupted = "interrupted; run it again to go on\n"
    told = {signal.SIGINT: (130, interrupted), signal.SIGKILL: (-9, "")}
    assert (begun.returncode, said) == told[number]
    _until(lambda: not processes_in(places) and not any(places.iterdir()), 10)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--executor", "farm"), "write it as module:callable, such as acme.farm:executor"),
        (("--executor", "a-b:c"), "write it as module:callable"),
        (("--scheduler", "127.0.0.1:8786"), "write it as tcp://host:port, or as tls://host:port"),
        (("--scheduler", "tcp://farm"), "write it as tcp://host:port"),
        (("--scheduler", "tcp://farm:x"), "write it as tcp://host:port"),
        (("--scheduler", "http://farm:80"), "write it as tcp://host:port"),
        (("--scheduler", "tcp://farm:1", "--executor", "a:b"), "both say who draws: name one"),
    ],
)
def test_options_that_say_nothing_are_refused(options, said, job):
    done = job.here("run", *options)
    assert done.returncode == 2
    assert said in done.stderr


# Who is trusted


def test_what_differs_is_named():
    expected = hand.Proof({"pango": "1.50", "python": "3.11"}, {"A.ttf": "0" * 64}, "f" * 64)
    assert executors.differences(expected, expected) == ""
    older = hand.Proof({"pango": "1.48"}, {"A.ttf": "1" * 64}, "e" * 64)
    told = "pango 1.48 instead of 1.50, python missing instead of 3.11, another A.ttf"
    assert executors.differences(older, expected) == told
    same = expected._replace(sample="e" * 64)
    assert executors.differences(same, expected).startswith("a document that both have drawn has")


# A scheduler


@dataclass
class Dask:
    """A scheduler and its workers on this machine, each a process of its own."""

    folder: Path
    workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self) -> None:
        options = "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(self.file)
        self.scheduler = self._process("dask_scheduler", *options)
        _until(self.file.exists)
        self.address = json.loads(self.file.read_text(encoding="utf-8"))["address"]

    def worker(self, **environment: str) -> "subprocess.Popen[bytes]":
        options = "--no-nanny", "--nthreads", "1", "--local-directory", str(self.folder)
        begun = self._process("dask_worker", self.address, *options, **environment)
        log = self.folder / f"{len(self.workers)}.log"
        self.workers.append(begun)
        _until(lambda: "Registered to" in log.read_text(encoding="utf-8"))
        return begun

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    @property
    def file(self) -> Path:
        return self.folder / "scheduler.json"

    def _process(
        self, module: str, *arguments: str, **environment: str
    ) -> "subprocess.Popen[bytes]":
        name = "scheduler.log" if "scheduler" in module else f"{len(self.workers)}.log"
        with (self.folder / name).open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{module}", *arguments, "--no-dashboard"],
                cwd=ROOT,
                env=os.environ | environment,
                stdout=log,
                stderr=log,
            )


def _until(is_so, seconds: float = STARTED) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it has not come to that in time"
        time.sleep(0.1)


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Dask]:
    folder = tmp_path / "dask"
    folder.mkdir()
    made = Dask(folder)
    made.start()
    try:
        yield made
    finally:
        made.end()


@pytest.mark.heavy
def test_two_workers_draw_the_same_bytes_and_one_that_is_killed_loses_nothing(
    job, dask, small_build
):
    first, _ = dask.worker(), dask.worker()
    option = "--scheduler", dask.address
    done = job.run("run", *option)
    assert done.returncode == 0, done.stderr
    assert documents(job.cycle()) == documents(small_build.folder)

    job.archive.rename(job.folder / "before")
    begun = job.start("run", *option)
    draft = job.archive
    _until(lambda: any(path.suffix == ".pdf" for path in draft.rglob("*")))
    first.send_signal(signal.SIGKILL)
    assert begun.poll() is None, "it was killed half-way"
    _, said = begun.communicate(timeout=STARTED)
    assert (begun.returncode, "warning" in said) == (0, False), said
    assert documents(job.cycle()) == documents(small_build.folder)


IMPATIENT = "from reportgen.documents import render\nrender.PATIENCE = 2.0\n"


@pytest.mark.heavy
def test_a_worker_that_is_frozen_is_named_and_waited_for(job, dask, tmp_path, small_build):
    (tmp_path / "sitecustomize.py").write_text(IMPATIENT, encoding="utf-8")
    frozen, _ = dask.worker(), dask.worker()
    named = (dask.folder / "0.log").read_text(encoding="utf-8")
    address = named.partition("Start worker at:")[2].split()[0]
    found = f"{tmp_path}{os.pathsep}{ROOT}"
    begun = job.start("run", "--scheduler", dask.address, PYTHONPATH=found)
    _until(lambda: any(path.suffix == ".pdf" for path in job.archive.rglob("*")))
    frozen.send_signal(signal.SIGSTOP)
    assert begun.stderr is not None
    said = next(line for line in begun.stderr if line.startswith("Waiting for "))
    frozen.send_signal(signal.SIGCONT)
    assert said.endswith(f" for 2 seconds, from {address}\n")
    _, rest = begun.communicate(timeout=STARTED)
    assert begun.returncode == 0, rest
    assert documents(job.cycle()) == documents(small_build.folder)


@pytest.mark.heavy
def test_a_worker_that_differs_gets_no_work(job, dask, tmp_path, small_build):
    (tmp_path / "sitecustomize.py").write_text(OTHER, encoding="utf-8")
    dask.worker(PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    option = "--scheduler", dask.address, "--quiet"
    done = job.run("run", *option)
    told = "is refused: reportgen 0.1.9 instead of "
    assert done.returncode == 1
    assert done.stderr.startswith("tcp://127.0.0.1:")
    assert told in done.stderr

    dask.worker()
    done = job.run("run", *option)
    assert done.returncode == 0
    assert "warning: this worker draws otherwise than this machine, and " + told in done.stderr
    assert documents(job.cycle()) == documents(small_build.folder)


@pytest.mark.heavy
def test_a_scheduler_that_ends_is_told(job, dask):
    dask.worker()
    begun = job.start("run", "--scheduler", dask.address)
    _until(lambda: any(path.suffix == ".pdf" for path in job.archive.rglob("*")))
    dask.scheduler.kill()
    _, said = begun.communicate(timeout=STARTED)
    assert begun.returncode == 1
    assert "the work was let go of before it was done; run the command again" in said
    assert "Traceback" not in said


@contextmanager
def listening(answer: bytes) -> Iterator[str]:
    """Listen and answer that to everybody; nothing is silence."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            kept = []
            while True:
                try:
                    kept.append(server.accept()[0])
                except OSError:
                    return
                if answer:
                    kept[-1].sendall(answer)
                    kept.pop().close()

        Thread(target=serve, daemon=True).start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


def unreached(job: Job, address: str) -> str:
    begun = time.monotonic()
    done = job.run("run", "--scheduler", address, "--quiet")
    assert done.returncode == 4, done.stderr
    assert time.monotonic() - begun < 30
    assert done.stderr.startswith(f"{address}: ")
    assert done.stderr.count("\n") == 1
    return done.stderr.removeprefix(f"{address}: ")


@pytest.mark.heavy
def test_a_scheduler_that_is_not_reached_is_told_in_seconds(job, dask):
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    assert unreached(job, f"tcp://127.0.0.1:{free}").startswith("connection refused; start one:")
    assert unreached(job, "tcp://farm.invalid:8786").startswith(
        "there is no machine farm.invalid; look at the name in --scheduler"
    )
    for answer in (b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"):
        with listening(answer) as address:
            said = unreached(job, address)
            assert said.startswith("somebody listens there who does not answer as a scheduler")
    assert unreached(job, dask.address).startswith("this scheduler has no worker; start one:")
    assert not (job.cycle(DECEMBER) / "invoices").exists()
