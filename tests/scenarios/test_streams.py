"""What is done when a stream is closed or full, the zone is none, or the command is told to end."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.scenarios.job import ROOT, Job
from tests.weight import heavy_but, long_but

FULL = Path("/dev/full")
DRAWING = [
    "Asking for the billing cycles …",
    "Billing cycle 2025-12-05 to 2026-01-05 (the end is not part of it)",
    "Collecting consumption …",
    (
        "Asked about 11 single sessions, which documents show; "
        "a smaller number in `invoice: {sessions: …}` asks about fewer, 0 about none"
    ),
    "Rendering documents …",
]
SLOW = """\
<html lang="en"><head><title>slow</title></head><body>
<table>{% for _ in range(6000) %}<tr><td>{{ heading.enterprise }}</td></tr>{% endfor %}</table>
</body></html>
"""


def program(*arguments: str, redirected: str = "", **environment: str):
    """Run the program by a shell, which closes and redirects its streams."""
    words = " ".join(f"'{word}'" for word in (sys.executable, "-m", "reportgen", *arguments))
    return subprocess.run(
        ["sh", "-c", f"{words} {redirected}"],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize(
    "redirected", heavy_but(1, ["<&- >&- 2>&-", ">&-", "2>&-", "<&-", ">&- 2>&-"])
)
def test_a_stream_that_is_closed_is_no_error(small_job, redirected):
    said = program("check", str(small_job.folder), redirected=redirected)
    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.parametrize("arguments", heavy_but(1, [["--help"], ["run", "--help"]]))
def test_a_python_that_forgets_docstrings_has_the_same_help(arguments):
    said = program(*arguments, PYTHONOPTIMIZE="2")
    assert said.returncode == 0
    assert said.stdout == program(*arguments).stdout


@pytest.mark.heavy
def test_what_is_collected_never_lands_in_the_place_of_a_closed_stream(small_job):
    said = program(
        "collect", str(small_job.folder), "--cycle", "2025-12-05", redirected="<&- >&- 2>&-"
    )
    assert said.returncode == 0
    text = (small_job.cycle() / "inputs" / "responses.jsonl").read_text(encoding="utf-8")
    assert all(line.startswith('{"request"') for line in text.splitlines())


@pytest.mark.heavy
@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
@pytest.mark.parametrize("arguments", [("check", "{folder}"), ("--help",), ("check", "--help")])
def test_a_full_disk_behind_the_result_is_one_sentence(small_job, arguments):
    words = [word.format(folder=small_job.folder) for word in arguments]
    said = program(*words, redirected=">/dev/full")
    assert said.returncode == 1
    assert said.stderr.startswith("standard output: no space left on device")
    assert said.stderr.count("\n") == 1


@pytest.mark.heavy
@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
def test_a_full_disk_behind_the_messages_stops_nothing(small_job):
    said = program("check", str(small_job.folder), redirected="2>/dev/full")
    assert (said.returncode, said.stdout) == (0, "No problems, 0 warnings\n")


@pytest.mark.heavy
@pytest.mark.parametrize("zone", heavy_but(1, ["\u6771\u4eac", "Mars/Phobos", ":/nowhere", ""]))
def test_a_zone_that_is_none_stops_nothing(small_job, zone):
    said = program("check", str(small_job.folder), TZ=zone)
    assert (said.returncode, said.stdout, said.stderr) == (0, "No problems, 0 warnings\n", "")


@pytest.mark.heavy
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_command_that_draws_ends_within_three_seconds_of_a_signal(small_job, number):
    drawing = slow(small_job)
    wait_for_workers(drawing.pid)
    began = time.monotonic()
    os.killpg(drawing.pid, number)  # the workers too, as by a terminal or a service manager
    _, stderr = drawing.communicate(timeout=30)
    while children_of_group(drawing.pid) and time.monotonic() - began < 3:
        time.sleep(0.05)  # a worker that was ended may still be cleared away by the system
    assert time.monotonic() - began < 3
    assert children_of_group(drawing.pid) == []
    assert drawing.returncode == 130
    assert stderr.splitlines() == [*DRAWING, "interrupted; run it again to go on"]
    assert not small_job.archive.exists()


def slow(job: Job) -> "subprocess.Popen[str]":
    """Begin to draw documents of which each takes many seconds."""
    folder = job.folder / "templates"
    folder.mkdir()
    (folder / "statement.html.j2").write_text(SLOW, encoding="utf-8")
    (folder / "invoice.html.j2").write_text(SLOW, encoding="utf-8")
    with (job.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write("templates: templates\n")
    return job.start("run")


def wait_for_workers(group: int) -> None:
    """Wait until a worker has drawn for a while."""
    for _ in range(600):
        if any(processor_seconds(pid) > 1 for pid in children_of_group(group) if pid != group):
            return
        time.sleep(0.05)
    pytest.fail("no worker ever drew")


def children_of_group(group: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def processor_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.quick(1)
@pytest.mark.parametrize("delay", [0, 0.1, 0.4])
def test_an_interruption_at_the_very_beginning_is_as_clean_as_later(small_job, delay):
    check_interrupted(small_job, delay)


@pytest.mark.heavy
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("delay", long_but(6, [11 * step % 32 / 8 for step in range(32)]))
def test_an_interruption_at_any_moment_is_clean(small_job, delay, number):
    check_interrupted(small_job, delay, number)


def wait_for_handler(pid: int) -> None:
    """Wait until Python has begun, which no program can do anything about."""
    for _ in range(3000):
        status = Path(f"/proc/{pid}/status").read_text()
        caught = int(re.search(r"^SigCgt:\s*([0-9a-f]+)$", status, re.MULTILINE)[1], 16)
        if caught >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.005)
    pytest.fail("the program never began")


def check_interrupted(job: Job, delay: float, number: int = signal.SIGINT) -> None:
    running = job.start("run")
    wait_for_handler(running.pid)
    time.sleep(delay)
    began = time.monotonic()
    os.killpg(running.pid, number)
    _, stderr = running.communicate(timeout=30)
    while children_of_group(running.pid) and time.monotonic() - began < 3:
        time.sleep(0.01)  # one that had been told to end may take a moment longer
    assert children_of_group(running.pid) == []
    if running.returncode == 0:  # it had come to its end
        return
    assert time.monotonic() - began < 3
    assert running.returncode == 130
    *before, last = stderr.splitlines()
    assert before == DRAWING[: len(before)]
    assert last.startswith("interrupted")
    assert not list(job.archive.glob(".*"))
    cycle = job.cycle()
    assert (cycle / "statement.json").exists() == (cycle / "index.html").exists()
    assert not (cycle / ".replacing").exists()
