"""What the documentation leaves open, question by question, in a world to be worked by hand."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from reportgen.commands.build import build
from reportgen.commands.cycles import cycles
from reportgen.core.cycle import cycle_between
from tests.fakeapi.api import FakeApi
from tests.fakeapi.behavior import PERSONAL
from tests.fakeapi.faults import Faults
from tests.fakeapi.sample import (
    CYCLES,
    DAY,
    Atom,
    Organization,
    Person,
    ServiceUser,
    Session,
    World,
)
from tests.fakeapi.server import serving
from tests.scenarios.collecting.live import (
    CYCLES3,
    CYCLES_LINE,
    DAILY3,
    amounts,
    as_yaml,
    foots,
    live,
    own_credentials,
)
from tests.scenarios.job import Job, plain

FIRST, END = CYCLES[1]
ADA, PLACE, WORK = "okta|ada", "org-a", "5e5510"
WORLD = World(
    cycles=(CYCLES[1],),
    organizations=(Organization(PLACE, "Platform"),),
    people=(Person(ADA, "ada@acme.example", "Ada", "users", (PLACE,), (PLACE,), 1.0),),
    service_users=(ServiceUser("service-user-1", "Nightly", PLACE, None),),
    sessions=(Session(1, WORK, PLACE, ADA, (), FIRST + 60, FIRST + 600),),
    atoms=(
        Atom(FIRST, "devin", PLACE, ADA, WORK, 2.5),
        Atom(FIRST, "cascade", None, ADA, None, 1.25),
        Atom(FIRST + DAY, "review", PLACE, None, None, 0.5),
        Atom(END - DAY, "devin", PLACE, ADA, None, 4.0),
    ),
)
CENTERS = {code: {"name": code} for code in ("A-1", "C-3", "Z-9")}
RULES = {"cost_centers": CENTERS, "users": {ADA: "A-1"}, "orgs": {PLACE: "C-3"}}
MAPPING = as_yaml(RULES)
DAYS = {
    ("2025-12-05", "devin"): "2.5",
    ("2025-12-05", "cascade"): "1.25",
    ("2025-12-06", "review"): "0.5",
    ("2026-01-04", "devin"): "4",
}
PAID = {"A-1": "16.75", "C-3": "1.50", "Z-9": "0.00", "": "0.00", "chargeable": "18.25"}
"""A-1: 6.5 devin at 2.00 and 1.25 cascade at 3.00; C-3: 0.5 review at 3.00."""
CONTRADICTION = 1.5


class Bent(FakeApi):
    """An API whose answers are changed, in place, by `bend(body, template)` before the check."""

    def __init__(self, world: World, bend: Callable) -> None:
        self.bend = bend
        super().__init__(world)

    def view(self, operation, ids, query, who):
        body = json.loads(json.dumps(super().view(operation, ids, query, who)))
        self.bend(body, operation.template)
        return body


def decimals(quantities):
    return {(str(day), product): acus for (day, product), acus in quantities.items()}


def expected(days):
    return {cell: Decimal(acus) for cell, acus in days.items()}


def odd(derived):
    """Give the warnings about answers; that v2's product is priced but not used is none of them."""
    return [str(warning) for warning in derived.warnings if "the answer holds" in str(warning)]


def shifted(world, seconds):
    """Let cycles and days begin at another time of the day; a session lives as before."""
    cycles = tuple((start + seconds, end + seconds) for start, end in world.cycles)
    return world._replace(
        cycles=cycles, atoms=tuple(atom._replace(day=atom.day + seconds) for atom in world.atoms)
    )


def test_the_small_world_costs_what_was_worked_by_hand(tmp_path):
    with serving(WORLD) as api:
        derived = live(tmp_path, api, MAPPING).collected()
    assert decimals(derived.usage.control) == expected(DAYS)
    assert amounts(derived) == PAID
    assert odd(derived) == []
    assert api.violations == []


# At what instant a day sits


@pytest.mark.parametrize(("hour", "warned"), [(0, 1), (7, 1), (8, 0)])
def test_a_day_is_named_by_the_utc_date_of_its_bucket(tmp_path, hour, warned):
    world = shifted(WORLD, (hour - 8) * 3600)
    with serving(world) as api:
        job = live(tmp_path, api, MAPPING)
        job.cycle = cycle_between(*world.cycles[0])
        derived = job.collected()
    assert "Billing cycle 2025-12-05 to 2026-01-05" in job.said[-1].stderr
    assert decimals(derived.usage.control) == expected(DAYS)
    assert {str(record.day) for record in derived.usage.records} == {day for day, _ in DAYS}
    assert amounts(derived) == PAID
    assert ["days that do not begin at 08:00 UTC" in line for line in odd(derived)] == [
        True
    ] * warned


@pytest.mark.parametrize("truth", ["midnight", "summer"])
def test_days_that_begin_before_the_cycle_does_are_still_its_days(tmp_path, truth):
    """The bounds lie at 08:00Z, the first bucket before: none is outside, one warning will do."""
    with serving(WORLD) as api:
        api.truths = {truth}
        derived = live(tmp_path, api, MAPPING).collected()
        asked = sum(charged(line) * count for line, count in api.seen.lines.items())
    assert decimals(derived.usage.control) == expected(DAYS)
    (warning,) = odd(derived)
    assert "the answer holds days that do not begin at 08:00 UTC; nothing to do" in warning
    assert f"(and {asked - 1 - SILENT} more)" in warning


def charged(line: str) -> bool:
    """Tell whether what is charged rests on an answer; a session is only shown."""
    return "/consumption/daily" in line and "/sessions/" not in line


SILENT = 2
"""What is asked of a service user that did nothing: its own days, and those in its organization."""


def test_a_cycle_in_daylight_saving_time_is_named_alike(tmp_path):
    july, august = (int(datetime(2025, month, 5, 7, tzinfo=UTC).timestamp()) for month in (7, 8))
    world = WORLD._replace(
        cycles=((july, august),), atoms=(Atom(july, "devin", PLACE, ADA, None, 2.5),)
    )
    with serving(world) as api:
        job = live(tmp_path, api, MAPPING)
        job.now, job.cycle = datetime(2025, 8, 5, 8, 0, tzinfo=UTC), cycle_between(july, august)
        assert job.collect("previous").code == 0
        derived = job.derived()
    assert (job.cycle.start, job.cycle.end) == (date(2025, 7, 5), date(2025, 8, 5))
    assert decimals(derived.usage.control) == {("2025-07-05", "devin"): Decimal("2.5")}


def test_days_out_of_the_window_are_left_out_and_said_once(tmp_path):
    with serving(WORLD) as api:
        api.truths = {"days outside"}
        derived = live(tmp_path, api, MAPPING).collected()
    asked = [line for line in api.seen.lines if charged(line)]
    assert decimals(derived.usage.control) == expected(DAYS)
    assert amounts(derived) == PAID
    assert [
        f"the answer holds days outside the cycle, {2.5 * len(asked):.4f} ACUs in all," in line
        for line in odd(derived)
    ] == [True]


# Products


def test_what_a_day_has_beyond_its_products_is_unspecified(tmp_path):
    """Cascade is in no breakdown, but in `acus`: 1.25 on the first day, at the price of *."""

    def bend(body, template):
        for bucket in body.get("consumption_by_date", ()):
            bucket["acus_by_product"]["cascade"] = 0.0

    with serving(Bent(WORLD, bend)) as api:
        derived = live(tmp_path, api, MAPPING).collected()
    unnamed = {
        ("2025-12-05", "unspecified" if product == "cascade" else product): 0 for _, product in DAYS
    }
    assert {product for _, product in unnamed} == {"devin", "unspecified", "review"}
    found = decimals(derived.usage.control)
    assert found.pop(("2025-12-05", "unspecified")) == Decimal("1.25")
    assert found == {cell: acus for cell, acus in expected(DAYS).items() if cell[1] != "cascade"}
    assert amounts(derived) == PAID
    assert api.violations == []


def test_products_beyond_their_day_are_taken_back_as_unspecified(tmp_path):
    """A breakdown of 3.75 on a day of 3.5: a negative rest of 0.25, never rescaled."""

    def bend(body, template):
        for bucket in body.get("consumption_by_date", ()):
            if bucket["acus_by_product"]["cascade"] == 1.25:
                bucket["acus"] -= 0.25
                body["total_acus"] -= 0.25

    with serving(Bent(WORLD, bend)) as api:
        derived = live(tmp_path, api, MAPPING).collected()
    wanted = expected(DAYS) | {("2025-12-05", "unspecified"): Decimal("-0.25")}
    assert decimals(derived.usage.control) == wanted
    assert amounts(derived)["chargeable"] == "17.50"
    assert foots(derived)


def test_null_and_absent_are_zero_and_stay_what_they_were_in_the_evidence(tmp_path):
    texts = {}
    for truth in ("null zeros", "absent zeros"):
        with serving(WORLD) as api:
            api.truths = {truth}
            job = live(tmp_path / truth.split()[0], api, MAPPING)
            assert amounts(job.collected()) == PAID
        texts[truth] = next(
            found.body for line, found in job.stored().items() if line.startswith(f"GET {DAILY3}?")
        )
    assert '"terminal":null' in texts["null zeros"]
    assert "terminal" not in texts["absent zeros"]


@pytest.mark.parametrize(
    "acus", ["0.30000000000000004", "1e-07", "1.0000000000000002", "123456.789"]
)
def test_the_text_of_a_number_is_what_counts(tmp_path, acus):
    world = WORLD._replace(atoms=(Atom(FIRST, "devin", PLACE, ADA, None, float(acus)),))
    with serving(world) as api:
        derived = live(tmp_path, api, MAPPING).collected()
    assert decimals(derived.usage.control) == {("2025-12-05", "devin"): Decimal(acus)}
    assert [record.quantity for record in derived.usage.records] == [Decimal(acus)]


def test_a_day_below_zero_is_kept_and_flagged(tmp_path):
    world = WORLD._replace(
        atoms=(*WORLD.atoms, Atom(FIRST + 2 * DAY, "devin", PLACE, ADA, None, -0.75))
    )
    with serving(world) as api:
        derived = live(tmp_path, api, MAPPING).collected()
    assert decimals(derived.usage.control)["2025-12-07", "devin"] == Decimal("-0.75")
    assert amounts(derived) == PAID | {"A-1": "15.25", "chargeable": "16.75"}
    assert ["negative ACUs, which were kept" in line for line in odd(derived)] == [True]
    assert foots(derived)


# One view against another


@pytest.mark.parametrize("change", [CONTRADICTION, -CONTRADICTION])
def test_an_organization_that_differs_from_the_whole_is_never_forced(tmp_path, change):
    """The organization says 1.5 more or less on the first day; the enterprise's 2.5 stand."""

    def bend(body, template):
        if template.endswith("/daily/organizations/{org_id}"):
            bucket = next(found for found in body["consumption_by_date"] if found["date"] == FIRST)
            bucket["acus"] += change
            bucket["acus_by_product"]["devin"] += change
            body["total_acus"] += change

    with serving(Bent(WORLD, bend)) as api:
        derived = live(tmp_path, api, MAPPING).collected()
    assert decimals(derived.usage.control) == expected(DAYS)
    assert amounts(derived)["chargeable"] == PAID["chargeable"]
    assert foots(derived)
    assert derived.usage.discrepancies
    below = {
        (found.org_id, str(found.day), found.product, found.acus)
        for found in derived.usage.discrepancies
    }
    assert below == {
        ("" if change > 0 else PLACE, "2025-12-05", "devin", -abs(Decimal(str(change))))
    }


def test_what_no_organization_explains_is_a_rest_of_nobody(tmp_path):
    world = WORLD._replace(atoms=(*WORLD.atoms, Atom(FIRST, "terminal", None, None, None, 0.25)))
    with serving(world) as api:
        derived = live(tmp_path, api, MAPPING).collected()
    assert amounts(derived) == PAID | {"": "0.75", "chargeable": "19.00"}
    assert not derived.usage.discrepancies


# What changes afterwards


@pytest.mark.heavy
def test_a_second_fetch_is_compared_with_the_first_and_the_change_is_said(tmp_path):
    later = WORLD._replace(atoms=(*WORLD.atoms, Atom(FIRST + DAY, "devin", PLACE, ADA, None, 1.75)))
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING)
        job.collected()
        job.collected(refresh=True)
        assert "restated" not in job.said[-1].stderr
        api.show(later)
        after = job.collected(refresh=True)
    assert amounts(after) == PAID | {"A-1": "20.25", "chargeable": "21.75"}
    (line,) = (
        line for line in job.said[-1].stderr.splitlines() if "restated the control total" in line
    )
    assert "2025-12-06" in line
    assert "+1.75" in line
    kept = [json.loads(line) for line in job.evidence.read_text(encoding="utf-8").splitlines()]
    totals = [found["body"] for found in kept if found["request"].startswith(f"GET {DAILY3}?")]
    assert [json.loads(body)["total_acus"] for body in totals] == [8.25, 8.25, 10.0]
    assert all(found["fetched_at"] for found in kept)


# Ids, prefixes and words nobody knows yet


@pytest.mark.parametrize("rule", [WORK, f"devin-{WORK}"])
@pytest.mark.parametrize("told", ["", "devin-"], ids=["bare", "prefixed"])
def test_a_session_is_asked_for_with_one_prefix_however_it_is_told_and_ruled(tmp_path, told, rule):
    def bend(body, template):
        for listed in body["items"] if template.endswith("/sessions") else ():
            listed["session_id"] = f"{told}{listed['session_id']}"

    with serving(Bent(WORLD, bend)) as api:
        derived = live(tmp_path, api, as_yaml(RULES | {"sessions": {rule: "Z-9"}})).collected()
    asked = [line for line in api.seen.lines if "/daily/sessions/" in line]
    assert [line.partition("?")[0] for line in asked] == [f"GET {DAILY3}/sessions/devin-{WORK}"]
    assert amounts(derived) == PAID | {"A-1": "11.75", "Z-9": "5.00"}


def test_fields_and_words_nobody_has_heard_of_are_kept_in_the_evidence_alone(tmp_path):
    with serving(WORLD) as api:
        api.truths = {"unknown fields", "unknown enums"}
        job = live(tmp_path, api, MAPPING)
        derived = job.collected()
    assert amounts(derived) == PAID
    assert odd(derived) == []
    assert all("x_later" in found.body for found in job.stored().values())
    assert [
        found
        for line, found in job.stored().items()
        if "/sessions?" in line and "hibernating" in found.body
    ]


@pytest.mark.heavy
def test_cycles_that_only_v3beta1_knows_are_found_there_and_read_again_offline(tmp_path):
    with serving(WORLD, beta="only") as api:
        job = live(tmp_path, api, MAPPING)
        assert "2025-12-05" in job.command(lambda context: cycles(job.folder, context)).stdout
        assert amounts(job.collected()) == PAID
    lines = [line for line in api.seen.lines if "/cycles?" in line]
    assert lines == [CYCLES_LINE, CYCLES_LINE.replace("/v3/", "/v3beta1/")]
    assert job.stored().keys() >= {*lines}
    assert api.violations == []
    plain(Job(job.folder))
    assert job.command(lambda context: build(job.folder, "2025-12", context, 1)).code == 0


def test_cycles_that_are_found_in_neither_place_are_not_made_up(tmp_path):
    with serving(WORLD) as api:
        api.lose(CYCLES3)
        job = live(tmp_path, api, MAPPING)
        for said in (job.command(lambda context: cycles(job.folder, context)), job.collect()):
            assert said.code == 1
            assert (
                "the API does not know the list of billing cycles (404); "
                "check `base_url` and `prefix`" in said.stderr
            )
    assert len([line for line in api.seen.lines if "/v3beta1/" in line]) == 1
    assert not (tmp_path / "archive").exists()


def test_with_the_prefix_of_an_older_deployment_nothing_is_asked_elsewhere(tmp_path):
    with serving(WORLD, beta="only") as api:
        derived = live(tmp_path, api, MAPPING, "prefix: /v3beta1").collected()
    assert amounts(derived) == PAID
    assert set(api.seen.statuses) == {200}
    assert all(line.startswith("GET /v3beta1/") for line in api.seen.lines)


# What is no answer


KINDS = (
    "504",
    "502",
    "maintenance",
    "truncated",
    "cut before",
    "reset",
    "cut middle",
    "empty",
    "not json",
)
TEMPLATES = {
    "/v3/enterprise/members/users": "",
    "/v3/enterprise/sessions": "",
    f"{DAILY3}/users/{{user_id}}": "",
    "/v3/organizations/{org_id}/consumption/daily/users/{user_id}": "",
    "/v3/organizations/{org_id}/consumption/daily": own_credentials(WORLD),
    "/v2/enterprise/consumption/daily": "api: v2",
    "/v2/enterprise/consumption/daily/{user_id}": "api: v2",
}


@pytest.mark.quick(4)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("template", TEMPLATES)
def test_no_list_and_no_view_is_ever_taken_for_empty(tmp_path, template, kind):
    """Tried four times, then exit 4 with the URL; nothing can be built of it until it passes."""
    with serving(WORLD) as api:
        api.faults.script(*[kind] * 4, template=template)
        job = live(tmp_path, api, MAPPING, TEMPLATES[template])
        said = job.collect(concurrency=1)
        assert api.seen.templates[template] == 4
        (line,) = (line for line in said.stderr.splitlines() if "at every attempt" in line)
        assert said.code == 4
        path = template.replace("{org_id}", PLACE).replace("{user_id}", "okta%7Cada")
        assert line.startswith(f"GET {api.base_url}{path}?")
        refused = job.command(lambda context: build(job.folder, "2025-12", context, 1))
        assert (refused.code, "holds no answer to" in refused.stderr) == (1, True), refused.stderr
        api.faults = Faults()
        derived = job.collected()
    assert derived.usage.records
    assert foots(derived)
    if not TEMPLATES[template]:
        assert amounts(derived) == PAID


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("template", "source"),
    [
        (DAILY3, ""),
        ("/v3/organizations/{org_id}/consumption/daily", own_credentials(WORLD)),
        ("/v2/enterprise/consumption/daily", "api: v2"),
    ],
)
def test_a_refusal_of_every_source_names_the_endpoint_and_what_to_mend(
    tmp_path, template, source, status
):
    words = {
        401: ("check the token", "trailing newline", "allow list"),
        403: ("ViewAccountConsumption", "ViewOrgConsumption", "ManageBilling"),
    }
    with serving(WORLD) as api:
        api.forbid(template, status)
        said = live(tmp_path, api, MAPPING, source).collect()
        asked = api.seen.templates[template]
    assert (said.code, asked) == (4, 1)
    (line,) = (line for line in said.stderr.splitlines() if f"the API answered {status}" in line)
    assert line.startswith(f"GET {api.base_url}{template.replace('{org_id}', PLACE)}?")
    assert all(word in line for word in words[status])


@pytest.mark.parametrize("ending", ["\n", "\r\n", " \n"])
def test_a_token_is_stripped_and_whoever_sends_it_sees_the_same(tmp_path, ending):
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING)
        job.environment["DEVIN_API_TOKEN"] = f"{PERSONAL}{ending}"
        assert amounts(job.collected()) == PAID
    assert {*api.seen.authorizations} == {f"Bearer {PERSONAL}"}
