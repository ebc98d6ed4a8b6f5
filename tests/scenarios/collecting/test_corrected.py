"""A closed cycle collected again from an API: what it is told otherwise, refused, or broken off."""

import json
from pathlib import Path
from typing import Any

import pytest

from reportgen.commands.close import Decision, close
from reportgen.commands.correct import Order, correct
from reportgen.core.proving.close import People
from reportgen.operations.collecting.collection import Effort
from tests.fakeapi.api import FakeApi
from tests.fakeapi.server import serving
from tests.scenarios.collecting.live import DAILY3, Live, Said, live, mapped, own_credentials
from tests.scenarios.collecting.test_restated import ADA, ALAN, LATER, OTHER, PLACE, WORLD, more
from tests.scenarios.job import PLAIN, Json

pytestmark = pytest.mark.heavy

MAPPING = mapped(WORLD, users={ADA.user_id: "A-1", ALAN.user_id: "B-2"})
SOURCES = {"v3": "", "organizations": own_credentials(WORLD), "v2": "api: v2"}
START, FIRST = "2025-12-05", "2025-12-05.c1"


def closed(folder: Path, api: FakeApi, source: str = "") -> Live:
    """Collect a cycle and close it, with documents of a line."""
    job = live(folder, api, MAPPING, source)
    (folder / "templates").mkdir()
    for name, text in PLAIN.items():
        (folder / "templates" / name).write_text(text, encoding="utf-8")
    with (folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write("templates: templates\n")
    assert job.collect().code == 0, job.said[-1].stderr
    decision = Decision(people=People(), reason="the rest is accepted")
    said = job.command(lambda context: close(folder, START, context, Effort(), decision, 1))
    assert said.code == 0, said.stderr
    job.now = LATER
    return job


def corrected(job: Live, **order: Any) -> Said:
    wanted = Order(reason="Restated", people=People(), **order)
    return job.command(lambda context: correct(job.folder, START, context, Effort(), wanted, 1))


def notes(job: Live, name: str = FIRST) -> dict[str, str]:
    """Give what each note charges, by its number."""
    path = job.folder / "archive" / name / "correction.json"
    values: Json = json.loads(path.read_text(encoding="utf-8"))
    assert values["tie_out"]["difference_amount"] == "0.00"
    return {note["number"]: note["amount"] for note in values["notes"]}


def hidden(job: Live) -> list[str]:
    return [path.name for path in (job.folder / "archive").iterdir() if path.name[0] == "."]


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_told_otherwise_is_charged(tmp_path, source):
    """2.5 ACUs of devin at 2.00 more of Ada's, and 1.25 less of Alan's."""
    with serving(WORLD) as api:
        job = closed(tmp_path / "job", api, SOURCES[source])
        assert "No amount changed" in corrected(job).stdout
        api.show(more((3, "devin", 2.5, PLACE, ADA), (4, "devin", -1.25, PLACE, ALAN)))
        said = corrected(job)
        assert api.violations == []
    assert said.code == 0, said.stderr
    assert notes(job) == {"CB-2025-12-05-A-1-D1": "5.00", "CB-2025-12-05-B-2-C1": "-2.50"}
    assert hidden(job) == []


def test_usage_that_moved_to_somebody_else_moves_its_amount(tmp_path):
    with serving(WORLD) as api:
        job = closed(tmp_path / "job", api)
        api.show(more((3, "cascade", 2, None, ADA), (3, "cascade", -2, None, ALAN)))
        assert corrected(job).code == 0
    assert notes(job) == {"CB-2025-12-05-A-1-D1": "6.00", "CB-2025-12-05-B-2-C1": "-6.00"}


def test_what_an_organization_uses_for_the_first_time_is_charged(tmp_path):
    """Its organization has no rule, so it is usage that no rule assigns: borne by nobody."""
    with serving(WORLD) as api:
        job = closed(tmp_path / "job", api)
        api.show(more((6, "review", 10, OTHER, None)))
        said = corrected(job)
    assert said.code == 0, said.stderr
    assert "No amount changed" in said.stdout  # nobody is charged for it, so nobody gets a note


def test_a_permission_that_was_lost_corrects_nothing(tmp_path):
    """Half of what is known would move to who bears what nobody is known for."""
    with serving(WORLD) as api:
        job = closed(tmp_path / "job", api)
        api.forbid("/v3/organizations/{org_id}/consumption/daily/users/{user_id}")
        said = corrected(job)
    assert said.code in {3, 4}
    assert "refused" in said.stderr or "gives less than at the close" in said.stderr
    assert not (job.folder / "archive" / FIRST).exists()


def test_who_is_gone_from_the_api_is_not_corrected_away(tmp_path):
    """Their usage would become somebody else's; that is accepted or it is not."""
    with serving(WORLD) as api:
        job = closed(tmp_path / "job", api)
        api.lose(f"{DAILY3}/users/{{user_id}}", user_id=ALAN.user_id)
        said = corrected(job)
        assert said.code == 3
        assert "gives less than at the close" in said.stderr
        assert "--accept-refused" in said.stderr
        effort, order = Effort(accept_refused=True), Order(reason="He left", people=People())
        said = job.command(lambda context: correct(job.folder, START, context, effort, order, 1))
        assert said.code == 0, said.stderr
    assert "CB-2025-12-05-B-2-C1" in notes(job)


def test_a_fetch_that_broke_off_is_gone_on_with(tmp_path):
    """What was answered is kept apart for an hour, and asked again after that."""
    with serving(WORLD) as api:
        job = closed(tmp_path / "job", api)
        api.show(more((3, "devin", 2.5, PLACE, ADA)))
        api.forbid(f"{DAILY3}/users/{{user_id}}", user_id=ADA.user_id)
        said = corrected(job)
        assert said.code == 4, said.stdout
        assert hidden(job) == [f".{START}.fetching"]
        assert not (job.folder / "archive" / FIRST).exists()
        api.allow_again()
        before = api.seen.lines.total()
        assert corrected(job, dry_run=False).code == 0
        assert hidden(job) == []
        gone_on_with = api.seen.lines.total() - before
        api.show(more((3, "devin", 5, PLACE, ADA)))
        before = api.seen.lines.total()
        assert corrected(job).code == 0
        assert api.seen.lines.total() - before > gone_on_with
    assert notes(job) == {"CB-2025-12-05-A-1-D1": "5.00"}
    assert notes(job, f"{START}.c2") == {"CB-2025-12-05-A-1-D2": "5.00"}
