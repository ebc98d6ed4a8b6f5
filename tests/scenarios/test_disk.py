"""What is done where the disk is full: the file is named, and nothing is left half-written."""

import errno
import os
from tempfile import gettempdir

import pytest

from reportgen.archive.folder import locked
from tests.archive.full_disk import files_no_larger_than
from tests.scenarios.job import DECEMBER, Job, contents
from tests.weight import heavy_but


@pytest.mark.parametrize("command", ["collect", "run"])
def test_a_full_disk_is_named_by_the_file_it_did_not_take(small_job, command):
    with files_no_larger_than(500):
        ended = small_job.here(command, "--quiet")
    place, _, said = ended.stderr.partition(": ")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert place.startswith(str(small_job.cycle() / "inputs"))
    assert said == "file too large; mend that, then run the command again\n"
    assert not small_job.archive.exists()


def test_a_full_disk_leaves_the_draft_before_as_it_was(small_job):
    small_job.here("collect")
    before = contents(small_job.archive)
    with files_no_larger_than(500):
        ended = small_job.here("build", "--quiet")
    assert ended.returncode == 1
    assert ended.stderr.startswith(str(small_job.cycle()))
    assert contents(small_job.archive) == before


@pytest.mark.parametrize("command", ["collect", "build", "run"])
def test_no_two_commands_write_a_cycle_at_once(small_job, command):
    if command == "build":
        small_job.here("collect")
    with locked(small_job.cycle()):
        before = contents(small_job.archive)
        ended = small_job.here(command, "--quiet")
        assert contents(small_job.archive) == before
    assert ended.returncode == 1
    assert ended.stderr == (
        f"{small_job.cycle()}: another run is working on this billing cycle; "
        "wait until it has ended, then try again\n"
    )


@pytest.mark.heavy
@pytest.mark.parametrize("size", [2_000, 6_000, 20_000, 60_000, 200_000])
def test_a_run_is_whole_or_nothing_wherever_the_disk_is_full(small_job, size):
    with files_no_larger_than(size):
        ended = small_job.here("run", "--quiet")
    if ended.returncode == 0:
        assert (small_job.cycle() / "index.html").is_file()
        return
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith(f"{small_job.cycle()}/")
    assert not small_job.archive.exists()


def exported(job: Job, kind: str, *arguments: str) -> tuple[int, str]:
    ended = job.here("export", "--format", kind, *arguments, "--quiet")
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("kind", heavy_but(1, ["csv", "focus", "audit"]))
def test_a_full_disk_leaves_the_export_before_as_it_was(request, tmp_path, kind):
    job = request.getfixturevalue("closed" if kind == "audit" else "drafted")
    place = tmp_path / ("out.zip" if kind == "audit" else "out")
    output = "--output", str(place)
    assert exported(job, kind, *output)[0] == 0
    before, kept = contents(tmp_path), contents(job.archive)
    with files_no_larger_than(700):
        code, said = exported(job, kind, *output)
    *_, last = said.splitlines()
    assert code == 1
    assert last.startswith(str(place))
    assert last.endswith("too large; mend that, then run the command again")
    assert ".export-" not in said
    assert (contents(tmp_path), contents(job.archive)) == (before, kept)


def test_where_evidence_cannot_be_unpacked_the_place_of_temporary_files_is_named(closed, tmp_path):
    with files_no_larger_than(700):
        ended = exported(closed, "csv", "--output", str(tmp_path / "out"))
    assert ended == (1, f"{gettempdir()}: file too large; mend that, then run the command again\n")
    assert not (tmp_path / "out").exists()


def test_where_a_disk_is_full_room_is_to_be_made(small_job, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    ended = small_job.here("collect", "--quiet")
    place, _, said = ended.stderr.partition(": ")
    assert place.startswith(str(small_job.archive / DECEMBER))
    assert said == "no space left on device; make room there, then run the command again\n"
