"""What is done where the disk is full: the file is named, and nothing is left half-written."""

import resource
from contextlib import contextmanager

import pytest

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
