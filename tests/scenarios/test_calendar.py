"""Which billing cycle `--cycle` means when the archive tells one of them in two ways."""

from datetime import UTC, datetime

import pytest

from reportgen.commands.build import build
from tests.fakeapi.sample import CYCLES, DAY
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world
from tests.scenarios.collecting.live import CYCLES3, live, mapped
from tests.scenarios.job import Job, plain

WORLD = big_world(users=3, organizations=2)._replace(cycles=CYCLES)
MAPPING = mapped(WORLD)
HOUR = 3600
NOVEMBER, DECEMBER = CYCLES
EARLIER = tuple((start - HOUR, end - HOUR) for start, end in CYCLES)
"""Bounds at 07:00 UTC, of the same billing days."""


@pytest.fixture
def begun(tmp_path):
    """Serve a world with two cycles; give the API, and what makes a configuration beside it."""

    def job(source=""):
        configured = live(tmp_path, api, MAPPING, source)
        plain(Job(configured.folder))
        return configured

    with serving(WORLD) as api:
        yield api, job


def built(job, selector="2025-12-05"):
    return job.command(lambda context: build(job.folder, selector, context, 1))


def succeeded(said):
    assert said.code == 0, said.stderr
    return said


def in_november(job):
    """Collect the cycle before without deriving it."""
    assert job.collect("2025-11-05").code == 0


@pytest.mark.heavy
def test_an_end_that_moved_while_the_cycle_was_running_is_the_end_its_own_folder_tells(begun):
    """November's evidence was fetched while December should have been a day longer."""
    api, job = begun
    job = job()
    api.show(WORLD._replace(cycles=(NOVEMBER, (DECEMBER[0], DECEMBER[1] + DAY))))
    in_november(job)
    api.show(WORLD)
    assert job.collect().code == 0
    said = succeeded(built(job))
    assert "Billing cycle 2025-12-05 to 2026-01-05" in said.stderr


@pytest.mark.heavy
def test_its_own_folder_wins_over_one_that_was_told_later(begun):
    api, job = begun
    job = job()
    assert job.collect().code == 0
    api.show(WORLD._replace(cycles=(NOVEMBER, (DECEMBER[0], DECEMBER[1] + DAY))))
    job.now = datetime(2026, 1, 12, tzinfo=UTC)
    in_november(job)
    said = succeeded(built(job))
    assert "Billing cycle 2025-12-05 to 2026-01-05" in said.stderr


@pytest.mark.heavy
def test_bounds_of_the_api_win_over_those_of_the_contract_day(begun):
    api, job = begun
    api.show(WORLD._replace(cycles=EARLIER))
    job = job("cycle_day: 5")
    assert job.collect().code == 0
    succeeded(built(job))


@pytest.mark.heavy
def test_what_was_collected_by_the_contract_day_is_built_by_it_whatever_other_folders_tell(begun):
    """December was collected when the API told no cycles; November knows it with other bounds."""
    api, job = begun
    job = job("cycle_day: 5")
    api.show(WORLD._replace(cycles=EARLIER))
    in_november(job)
    api.forbid(CYCLES3)
    assert job.collect().code == 0
    succeeded(built(job))


def test_of_two_other_folders_the_one_told_later_is_right(begun):
    """January was not collected, which is said of the range told last; it does not name two."""
    api, job = begun
    job = job()
    later = (DECEMBER[1], DECEMBER[1] + 31 * DAY)
    api.show(WORLD._replace(cycles=(*CYCLES, later)))
    assert job.collect().code == 0
    job.now = datetime(2026, 1, 12, tzinfo=UTC)
    api.show(WORLD._replace(cycles=(*CYCLES, (later[0], later[1] - DAY))))
    in_november(job)
    said = built(job, "2026-01")
    assert said.code == 1
    assert "Billing cycle 2026-01-05 to 2026-02-04" in said.stderr
    assert "this billing cycle has not been collected" in said.stderr


# A torn last line


@pytest.mark.heavy
@pytest.mark.parametrize("whole", [True, False], ids=["after whole lines", "alone"])
def test_a_torn_last_line_of_another_cycle_refuses_no_sound_one(begun, whole):
    _, job = begun
    job = job()
    in_november(job)
    assert job.collect().code == 0
    november = (
        job.folder / "archive" / "2025-11-05" / job.evidence.relative_to(job.evidence.parents[1])
    )
    content = november.read_bytes()
    torn = content[: content.index(b"\n") // 2]
    assert CYCLES3.encode() in torn
    november.write_bytes((content if whole else b"") + torn)
    succeeded(built(job))
    refused = built(job, "2025-11-05")
    assert refused.code == 1
    number = 1 + whole * content.count(b"\n")
    assert f"{november}:{number}: is not a recorded response" in refused.stderr


def test_a_damaged_line_that_was_not_torn_is_still_refused(begun):
    _, job = begun
    job = job()
    in_november(job)
    assert job.collect().code == 0
    november = (
        job.folder / "archive" / "2025-11-05" / job.evidence.relative_to(job.evidence.parents[1])
    )
    november.write_bytes(november.read_bytes().replace(b'{"request"', b'"request"', 1))
    said = built(job)
    assert said.code == 1
    assert f"{november}:1: is not a recorded response" in said.stderr


def test_a_torn_line_is_named_where_it_leaves_nothing_that_tells_the_cycle(begun):
    _, job = begun
    job = job()
    assert job.collect().code == 0
    job.evidence.write_bytes(job.evidence.read_bytes().splitlines()[0][:-9])
    said = built(job)
    assert said.code == 1
    assert f"{job.evidence}:1: is not a recorded response" in said.stderr
