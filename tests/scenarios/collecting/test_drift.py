"""What a close asks the vendor again: the total and the largest users, over each kind of access."""

import pytest

from reportgen.commands.close import Decision, close
from reportgen.core.proving.close import People
from reportgen.operations.collecting.collection import Effort
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world
from tests.scenarios.collecting.live import live, mapped, own_credentials
from tests.scenarios.collecting.test_restated import ADA, ALAN, LATER, PLACE, WORLD, more

MAPPING = mapped(WORLD)
SOURCES = {"v3": "", "organizations": own_credentials(WORLD), "v2": "api: v2"}
DECISION = Decision(people=People(), reason="the rest is accepted", dry_run=True)


def asked_again(tmp_path, after, source="", world=WORLD):
    """Collect a world, and ask again when it is another; give what was said, and what was asked."""
    with serving(world) as api:
        job = live(tmp_path, api, mapped(world), source)
        assert job.collect().code == 0, job.said[-1].stderr
        api.show(after)
        job.now, before = LATER, api.seen.lines.total()
        said = job.command(
            lambda context: close(
                job.folder, "2025-12-05", context, Effort(concurrency=2), DECISION, 1
            )
        )
        assert api.violations == []
        return said, api.seen.lines.total() - before


@pytest.mark.quick(1)
@pytest.mark.parametrize("source", SOURCES)
def test_what_is_as_it_was_is_no_drift(tmp_path, source):
    said, asked = asked_again(tmp_path, WORLD, SOURCES[source])
    assert said.code == 0, said.stderr
    assert "smaller moves between users are not seen" in said.stderr
    assert asked <= 2 * (1 + 20)


@pytest.mark.quick(1)
@pytest.mark.parametrize("source", SOURCES)
def test_a_total_that_was_restated_is_drift(tmp_path, source):
    after = more((3, "devin", 2.5, PLACE, ADA))
    said, _ = asked_again(tmp_path, after, SOURCES[source])
    assert "the vendor restated the control total" in said.stderr
    assert "+2.5000 ACUs: 2025-12-08" in said.stderr
    product = "" if source == "v2" else '"devin" '
    user = f'of the 20 largest users "{ADA.email}" +2.5000 (2025-12-08 {product}+2.5000)'
    assert user in said.stderr


def test_a_move_between_large_users_is_drift(tmp_path):
    after = more((3, "cascade", 2.5, None, ADA), (3, "cascade", -2.5, None, ALAN))
    said, _ = asked_again(tmp_path, after)
    assert "2 answers differ" in said.stderr
    for person, acus in ((ADA, "+2.5000"), (ALAN, "-2.5000")):
        assert f'"{person.email}" {acus} (2025-12-08 "cascade" {acus})' in said.stderr
    assert "the control total does not" in said.stderr


@pytest.mark.heavy
def test_only_the_largest_are_asked_again(tmp_path):
    world = big_world(users=40, organizations=2, sessions=0)
    said, asked = asked_again(tmp_path, world, world=world)
    assert said.code == 0, said.stderr
    assert asked == 1 + 20


def test_an_api_that_is_not_reached_closes_nothing(tmp_path):
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING)
        assert job.collect().code == 0
    job.now = LATER
    said = job.command(
        lambda context: close(job.folder, "2025-12-05", context, Effort(concurrency=2), DECISION, 1)
    )
    assert said.code == 4
    assert not (job.folder / "archive" / "2025-12-05" / "manifest.json").exists()
