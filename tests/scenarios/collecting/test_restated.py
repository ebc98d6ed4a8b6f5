"""A finished cycle, asked for again: what was restated since is named, by day and product."""

from datetime import UTC, datetime, timedelta

import pytest

from reportgen.commands.check import check
from reportgen.core.written.statement_json import statement_json
from tests.fakeapi.sample import CYCLES, DAY, Atom
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world
from tests.scenarios.collecting.live import (
    DAILY3,
    by_center,
    close,
    foots,
    live,
    mapped,
    own_credentials,
    truth,
)

WORLD = big_world(users=12, organizations=2, sessions=2)
MAPPING = mapped(WORLD)
FIRST = CYCLES[1][0]
PLACE = WORLD.organizations[0].org_id
ADA, ALAN = [person for person in WORLD.people if person.orgs == person.roles == (PLACE,)][:2]
OTHER = WORLD.organizations[1].org_id
OWN = own_credentials(WORLD)
SINCE = "since 2026-01-09T10:00:00Z"
LATER = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
COUNTS = "the later answers count; build the cycle again"
WHY = f"{COUNTS}, and ask the vendor why"


def more(*changes, world=WORLD):
    """Give the world with changes: (day of the cycle, product, acus, organization, person)."""
    spent = (
        Atom(FIRST + day * DAY, product, org_id, person.user_id if person else None, None, acus)
        for day, product, acus, org_id, person in changes
    )
    return world._replace(atoms=(*world.atoms, *spent))


def warned(acus, days, also=""):
    """Word the warning of a control total that was restated."""
    return f"the vendor restated the control total {SINCE} by {acus} ACUs: {days}; {also}{WHY}"


def refreshed(tmp_path, after, source="", before=WORLD, **effort):
    """Collect a world, and another three weeks later; give its result, and what was said of it."""
    with serving(before) as api:
        job = live(tmp_path, api, MAPPING, source)
        job.collected()
        api.show(after)
        job.now = LATER
        derived = job.collected(**({"refresh": True} | effort))
        assert api.violations == []
    lines = [
        line for line in job.said[-1].stderr.splitlines() if "restated" in line or "differ" in line
    ]
    assert all(line.startswith(f"{job.evidence}: warning: ") for line in lines)
    return derived, [line.removeprefix(f"{job.evidence}: warning: ") for line in lines]


# Of v3: the enterprise's E, and the O, U and C that show the same ACUs


def test_a_day_that_was_restated_is_named_with_product_and_difference(tmp_path):
    after = more((2, "devin", 4.5, PLACE, ADA))
    derived, lines = refreshed(tmp_path, after)
    assert lines == [warned("+4.5000", '2025-12-07 "devin" +4.5000', "3 more answers differ; ")]
    assert close(by_center(derived), truth(after, MAPPING))
    assert foots(derived)


def test_less_of_one_and_more_of_another_are_told_apart(tmp_path):
    after = more(
        (2, "devin", 4.5, None, None),
        (2, "cascade", -1.25, None, None),
        (9, "devin", 0.125, None, None),
    )
    _, lines = refreshed(tmp_path, after)
    assert lines == [
        warned(
            "+3.3750",
            '2025-12-07 "cascade" -1.2500, 2025-12-07 "devin" +4.5000, 2025-12-14 "devin" +0.1250',
        )
    ]


def test_what_moved_from_one_day_to_another_nets_to_nothing_and_is_named(tmp_path):
    after = more((2, "devin", -1, None, None), (3, "devin", 1, None, None))
    _, lines = refreshed(tmp_path, after)
    assert lines == [warned("+0.0000", '2025-12-07 "devin" -1.0000, 2025-12-08 "devin" +1.0000')]


@pytest.mark.heavy
def test_of_many_days_the_largest_are_named_in_their_order(tmp_path):
    after = more(
        *((day, "flux", acus, None, None) for day, acus in enumerate((1, -7, 2, 3, 4, 5, 6)))
    )
    _, lines = refreshed(tmp_path, after)
    assert lines == [
        warned(
            "+14.0000",
            '2025-12-06 "flux" -7.0000, 2025-12-08 "flux" +3.0000, 2025-12-09 "flux" +4.0000, '
            '2025-12-10 "flux" +5.0000, 2025-12-11 "flux" +6.0000 and 2 more',
        )
    ]


def test_one_more_answer_is_one(tmp_path):
    _, lines = refreshed(tmp_path, more((2, "review", 2, PLACE, None)))
    assert lines == [warned("+2.0000", '2025-12-07 "review" +2.0000', "1 more answer differs; ")]


def test_what_moved_from_one_user_to_another_leaves_the_control_total_alone(tmp_path):
    """U and C of both."""
    after = more((2, "devin", 1.5, PLACE, ADA), (2, "devin", -1.5, PLACE, ALAN))
    derived, lines = refreshed(tmp_path, after)
    assert lines == [
        f"4 answers differ from what was fetched {SINCE}; the control total does not; {COUNTS}"
    ]
    assert close(by_center(derived), truth(after, MAPPING))


def test_a_view_that_is_answered_now_is_one_answer_that_differs(tmp_path):
    with serving(WORLD) as api:
        api.lose(f"{DAILY3}/users/{{user_id}}", user_id=ADA.user_id)
        job = live(tmp_path, api, MAPPING)
        job.collected()
        api.allow_again()
        job.collected(refresh=True)
    assert (
        f"1 answer differs from what was fetched {SINCE}; the control total does not"
        in job.said[-1].stderr
    )


@pytest.mark.quick(1)
@pytest.mark.parametrize("source", ["", "api: v2", OWN], ids=["v3", "v2", "organizations"])
def test_equal_answers_are_not_spoken_of(tmp_path, source):
    derived, lines = refreshed(tmp_path, WORLD, source)
    assert lines == []
    assert close(by_center(derived), truth(WORLD, MAPPING, tied=source == OWN))


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize(
    "name", ["shuffled days", "noise", "duplicated days", "unknown fields", "absent zeros"]
)
def test_what_is_only_said_differently_is_no_restatement(tmp_path, name):
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING)
        job.collected()
        api.truths = {name}
        size = job.evidence.stat().st_size
        job.collected(refresh=True)
    assert job.evidence.stat().st_size > size
    assert "restated" not in job.said[-1].stderr
    assert "from what was fetched" not in job.said[-1].stderr


def test_lists_that_grew_are_no_restatement(tmp_path):
    newcomer = ALAN._replace(user_id="new|user", email="new@big.example")
    _, lines = refreshed(tmp_path, WORLD._replace(people=(*WORLD.people, newcomer)))
    assert lines == []


def test_an_answer_damaged_by_hand_is_not_taken_for_zero(tmp_path):
    """Where nobody knows what was said before, nothing is said of a difference in ACUs."""
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING)
        job.collected()
        content = job.evidence.read_text(encoding="utf-8").splitlines()
        damaged = [
            line.replace("total_acus", "total") if f"GET {DAILY3}?" in line else line
            for line in content
        ]
        assert damaged != content
        job.evidence.write_text("".join(f"{line}\n" for line in damaged), encoding="utf-8")
        derived = job.collected()
    assert "restated" not in job.said[-1].stderr
    assert f"1 answer differs from what was fetched {SINCE}" in job.said[-1].stderr
    assert close(by_center(derived), truth(WORLD, MAPPING))


def test_a_line_damaged_by_hand_does_not_break_a_refresh(tmp_path):
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING)
        job.collected()
        with job.evidence.open("a", encoding="utf-8") as file:
            file.write('{"request": "GET /v3/x", "status": "?"}\n')
        api.show(more((2, "devin", 4.5, None, None)))
        said = job.collect(refresh=True)
    assert said.code == 0
    assert '2025-12-07 "devin" +4.5000' in said.stderr


# Cycles that were not over, and runs that were not the second


@pytest.mark.heavy
def test_an_open_cycle_that_grew_is_no_restatement(tmp_path):
    grown = more((2, "devin", 4.5, PLACE, ADA))
    final = more((20, "devin", 2.5, PLACE, ADA), world=grown)
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING)
        for now, world in (
            (datetime(2025, 12, 20, tzinfo=UTC), WORLD),
            (datetime(2025, 12, 28, tzinfo=UTC), grown),
            (datetime(2026, 1, 5, 8, 0, tzinfo=UTC), final),
            (LATER, final),
        ):
            job.now = now
            api.show(world)
            job.collected(refresh=now == LATER)
            assert "restated" not in job.said[-1].stderr
            assert "differ" not in job.said[-1].stderr
        api.show(more((3, "devin", 1, None, None), world=final))
        job.collected(refresh=True)
    assert (
        'since 2026-02-01T12:00:00Z by +1.0000 ACUs: 2025-12-08 "devin" +1.0000'
        in job.said[-1].stderr
    )


def test_without_refresh_nothing_is_asked_and_nothing_is_said(tmp_path):
    derived, lines = refreshed(tmp_path, more((2, "devin", 4.5, PLACE, ADA)), refresh=False)
    assert lines == []
    assert close(by_center(derived), truth(WORLD, MAPPING))


@pytest.mark.heavy
def test_the_third_fetch_is_compared_with_the_second(tmp_path):
    once = more((2, "devin", 4.5, None, None))
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING)
        job.collected()
        job.now = LATER
        api.show(once)
        job.collected(refresh=True)
        job.now = datetime(2026, 3, 1, tzinfo=UTC)
        api.show(more((4, "devin", 0.5, None, None), world=once))
        job.collected(refresh=True)
    (line,) = (line for line in job.said[-1].stderr.splitlines() if "restated" in line)
    assert 'since 2026-02-01T12:00:00Z by +0.5000 ACUs: 2025-12-09 "devin" +0.5000' in line


@pytest.mark.quick(1)
@pytest.mark.parametrize("source", ["", OWN], ids=["v3", "organizations"])
def test_a_refresh_that_stops_halfway_changes_nothing_until_it_is_finished(tmp_path, source):
    """Two fetches never mix: before, during and after, every figure is of one of them."""
    pair = "/v3/organizations/{org_id}/consumption/daily/users/{user_id}"
    after = more((2, "devin", 4.5, PLACE, None))
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING, source)
        before = statement_json(job.collected().statement)
        api.show(after)
        api.faults.script(*["504"] * 4, template=pair)
        assert job.collect(refresh=True, concurrency=1).code == 4
        assert "restated" not in job.said[-1].stderr
        assert statement_json(job.derived().statement) == before
        checked = job.command(lambda context: check(job.folder, "2025-12", context))
        assert (
            "a later fetch of this billing cycle was interrupted; what was collected before it"
            in checked.stderr
        )
        asked = api.seen.lines.total()
        api.faults.mend()
        derived = job.collected()
        assert '+4.5000 ACUs: 2025-12-07 "devin" +4.5000' in job.said[-1].stderr
        assert 1 < api.seen.lines.total() - asked < len(job.stored())
    assert close(by_center(derived), truth(after, MAPPING, tied=source == OWN))
    assert not (job.evidence.parent / "fetching.jsonl").exists()


@pytest.mark.quick(1)
@pytest.mark.parametrize("hours", [0, 2])
def test_a_fetch_of_a_running_cycle_that_stopped_is_gone_on_with_for_an_hour(tmp_path, hours):
    """Later its days have grown, and it begins anew; what was collected stands until then."""
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING)
        job.now = datetime(2025, 12, 20, 12, tzinfo=UTC)
        before = statement_json(job.collected().statement)
        api.faults.script(
            *["504"] * 4, template="/v3/organizations/{org_id}/consumption/daily/users/{user_id}"
        )
        assert job.collect(concurrency=1).code == 4
        assert statement_json(job.derived().statement) == before
        job.now += timedelta(hours=hours)
        api.faults.mend()
        asked = api.seen.lines.total()
        derived = job.collected()
        assert (api.seen.lines.total() - asked < len(job.stored()) / 2) == (hours == 0)
    assert close(by_center(derived), truth(WORLD, MAPPING))


def test_a_first_run_that_gets_no_answer_has_nothing_to_compare(tmp_path):
    with serving(WORLD, allow_listed=False) as api:
        said = live(tmp_path, api, MAPPING, OWN).collect()
    assert said.code == 4
    assert "the API answered 401" in said.stderr
    assert "responses.jsonl" not in said.stderr


# The other ways to read


def test_v2_tells_the_day_and_no_product(tmp_path):
    after = more((2, "cascade", 4.5, None, ADA), (3, "devin", -0.5, PLACE, ADA))
    derived, lines = refreshed(tmp_path, after, "api: v2")
    (line,) = lines
    assert line.startswith(
        f"the vendor restated the control total {SINCE} by +4.0000 ACUs: "
        "2025-12-07 +4.5000, 2025-12-08 -0.5000; "
    )
    assert line.endswith(f" more answers differ; {WHY}")
    assert close(by_center(derived), truth(after, MAPPING))


def test_of_a_single_organization_v2_counts_every_answer_once(tmp_path):
    """Its own days are those of all together: E, O, U and C, of which E is the control total."""
    one = big_world(users=2, organizations=1)
    after = more((2, "devin", 1.5, one.organizations[0].org_id, one.people[0]), world=one)
    _, lines = refreshed(tmp_path, after, "api: v2", before=one)
    assert lines == [warned("+1.5000", "2025-12-07 +1.5000", "3 more answers differ; ")]


def test_with_credentials_of_organizations_their_sum_is_compared(tmp_path):
    """Both organizations on one day; what is tied to none is not seen at all."""
    after = more(
        (2, "devin", 4.5, PLACE, ADA),
        (2, "devin", -1.25, OTHER, None),
        (5, "cascade", 9, None, ADA),
    )
    derived, lines = refreshed(tmp_path, after, OWN)
    assert lines == [warned("+3.2500", '2025-12-07 "devin" +3.2500', "1 more answer differs; ")]
    assert close(by_center(derived), truth(after, MAPPING, tied=True))


@pytest.mark.heavy
def test_one_organization_more_is_no_restatement(tmp_path):
    one = own_credentials(WORLD._replace(organizations=WORLD.organizations[:1]))
    with serving(WORLD) as api:
        live(tmp_path, api, MAPPING, one).collected()
        both = live(tmp_path, api, MAPPING, OWN)
        derived = both.collected(refresh=True)
    assert "restated" not in both.said[-1].stderr
    assert close(by_center(derived), truth(WORLD, MAPPING, tied=True))
