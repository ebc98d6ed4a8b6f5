"""What is done where the disk is full: the file is named, and nothing is left half-written."""

import resource
from contextlib import contextmanager

import pytest

from reportgen.archive.folder import locked
from tests.scenarios.job import contents


@contextmanager
def files_no_larger_than(size):
    """Refuse what goes beyond that size (bytes), as a disk does that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


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
