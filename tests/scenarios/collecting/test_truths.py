"""What servers may answer though it is no fault: it must not move a cent."""

import json
import re
from datetime import UTC, datetime

import pytest

from reportgen.core.cycle import cycle_between
from tests.fakeapi.api import FakeApi
from tests.fakeapi.behavior import ENTERPRISE
from tests.fakeapi.sample import CYCLES, Atom
from tests.fakeapi.server import serving
from tests.fakeapi.truths import OF_ALL, OF_DAYS
from tests.fakeapi.worlds import EMPTY_CYCLE, big_world, hard_world
from tests.scenarios.collecting.live import (
    CYCLES3,
    CYCLES_LINE,
    DAILY3,
    amounts,
    by_center,
    close,
    foots,
    live,
    mapped,
    missing,
    own_credentials,
    truth,
)
from tests.scenarios.figures import figures_of

WORLD = big_world(users=12, organizations=3, sessions=6)
MAPPING = mapped(WORLD)
ONE_PRICE = {"*": "2.00"}
WITHOUT_PRODUCTS = ("null products", "absent products")
WARNED = {
    "days outside": "days outside the cycle,",
    "duplicated days": "a day more than once, which was summed",
    "midnight": "days that do not begin at 08:00 UTC",
    "summer": "days that do not begin at 08:00 UTC",
    "total off": "a total that is off the sum of its days,",
}


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """Derive the world as an API without any oddity tells it."""
    with serving(WORLD) as api:
        return live(tmp_path_factory.mktemp("calm"), api, MAPPING).collected()


def told(tmp_path, truths, source="", rates=None, **behavior):
    with serving(WORLD, **behavior) as api:
        api.truths = set(truths)
        derived = live(tmp_path, api, MAPPING, source, rates=rates).collected()
    assert foots(derived)
    assert api.violations == []
    return derived


@pytest.mark.heavy
@pytest.mark.quick(2)
@pytest.mark.parametrize(
    "name", [name for name in (*OF_DAYS, *OF_ALL) if name not in WITHOUT_PRODUCTS]
)
def test_an_oddity_of_the_server_moves_no_cent(tmp_path, calm, name):
    derived = told(tmp_path, [name])
    assert amounts(derived) == amounts(calm)
    assert close(by_center(derived), truth(WORLD, MAPPING))
    found = " ".join(map(str, derived.warnings))
    assert {oddity for oddity, words in WARNED.items() if words in found} == {
        oddity for oddity in WARNED if WARNED[oddity] == WARNED.get(name)
    }


def test_all_oddities_together_move_no_cent_either(tmp_path, calm):
    names = {*OF_DAYS, *OF_ALL} - {*WITHOUT_PRODUCTS, "midnight"}
    derived = told(tmp_path, names, page_cap=3, totals="absent", compressed=True)
    assert amounts(derived) == amounts(calm)


@pytest.mark.parametrize("name", WITHOUT_PRODUCTS)
def test_without_a_breakdown_all_is_unspecified_and_nothing_is_lost(tmp_path, name):
    derived = told(tmp_path, [name], rates=ONE_PRICE)
    assert close(by_center(derived), truth(WORLD, MAPPING))
    assert {record.product for record in derived.usage.records} == {"unspecified"}


@pytest.mark.quick(2)
@pytest.mark.parametrize("name", OF_ALL)
def test_oddities_of_lists_move_no_cent_of_v2(tmp_path, name):
    derived = told(tmp_path, [name], "api: v2", page_cap=3)
    assert close(by_center(derived), truth(WORLD, MAPPING))


@pytest.mark.heavy
@pytest.mark.quick(2)
@pytest.mark.parametrize(
    "behavior",
    [
        {"page_cap": 1},
        {"page_cap": 4, "totals": "given"},
        {"page_cap": 4, "totals": "absent"},
        {"compressed": True},
    ],
    ids=["one a page", "totals given", "totals absent", "compressed"],
)
def test_pages_and_encodings_change_no_byte(tmp_path, calm, behavior):
    assert figures_of(told(tmp_path, [], **behavior).statement) == figures_of(calm.statement)


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize("beta", ["also", "only"])
@pytest.mark.parametrize(
    "source", ["", own_credentials(WORLD)], ids=["enterprise", "organizations"]
)
def test_lists_that_are_only_there_as_beta_are_found(tmp_path, source, beta):
    stable, moved = (
        told(tmp_path / name, [], source, beta=name, page_cap=5) for name in ("off", beta)
    )
    assert figures_of(moved.statement) == figures_of(stable.statement)
    assert not missing(moved)


class Elsewhere(FakeApi):
    """A deployment whose v3 lies under another path."""

    def reply(self, method, target, headers):
        assert target.startswith("/v3beta1/")
        return super().reply(method, target.replace("/v3beta1/", "/v3/", 1), headers)


def test_a_deployment_with_a_prefix_of_its_own_is_asked_nowhere_else(tmp_path, calm):
    with serving(Elsewhere(WORLD)) as api:
        job = live(tmp_path, api, MAPPING, "prefix: /v3beta1")
        assert amounts(job.collected()) == amounts(calm)
    assert api.violations == []
    assert all(line.startswith("GET /v3beta1/") for line in job.stored())


def test_both_bounds_of_the_cycle_are_passed_on_unchanged(tmp_path):
    with serving(WORLD) as api:
        live(tmp_path, api, MAPPING).collected()
    asked = [line for line in api.seen.lines if "/consumption/daily" in line]
    assert asked
    assert {line.partition("?")[2] for line in asked} == {
        f"time_after={CYCLES[1][0]}&time_before={CYCLES[1][1]}"
    }  # fmt: skip


def test_sessions_are_asked_for_with_their_prefix(tmp_path):
    session = WORLD.sessions[0].session_id
    with serving(WORLD) as api:
        live(tmp_path, api, mapped(WORLD, sessions={session: "Z-9"})).collected()
    assert any(f"/daily/sessions/devin-{session}?" in line for line in api.seen.lines)


def test_float_noise_is_kept_in_the_evidence_and_rounds_away(tmp_path):
    noisy = [
        Atom(CYCLES[1][0], "devin", None, WORLD.people[0].user_id, None, acus)
        for acus in (0.1, 0.2)
    ]
    world = WORLD._replace(atoms=tuple(noisy))
    with serving(world) as api:
        job = live(tmp_path, api, mapped(world))
        derived = job.collected()
    assert any("0.30000000000000004" in response.body for response in job.stored().values())
    assert [str(record.quantity) for record in derived.usage.records] == ["0.30000000000000004"]
    assert amounts(derived)["chargeable"] == "0.60"
    assert foots(derived)


@pytest.mark.parametrize("source", ["", "api: v2"])
def test_an_empty_cycle_is_a_statement_of_zeros(tmp_path, source):
    with serving(hard_world()) as api:
        job = live(tmp_path, api, mapped(hard_world()), source)
        job.now, job.cycle = datetime(2026, 3, 1, tzinfo=UTC), cycle_between(*EMPTY_CYCLE)
        derived = job.collected()
    assert {*amounts(derived).values()} == {"0.00"}
    assert foots(derived)
    assert not derived.usage.records


@pytest.mark.quick(1)
@pytest.mark.parametrize("source", ["", "api: v2", own_credentials(WORLD)])
def test_a_user_without_usage_costs_nothing(tmp_path, source):
    silent = WORLD.people[2]._replace(user_id="silent|one", roles=())
    world = WORLD._replace(people=(*WORLD.people, silent))
    mapping = mapped(WORLD, users={"silent|one": "Z-9"})
    with serving(world) as api:
        derived = live(tmp_path, api, mapping, source).collected()
    assert amounts(derived)["Z-9"] == "0.00"
    assert close(by_center(derived), truth(world, mapping, tied="organizations" in source))


@pytest.mark.heavy
def test_a_session_whose_status_nobody_has_heard_of_still_counts(tmp_path):
    owner = WORLD.sessions[0].principal_id
    with serving(WORLD) as api:
        api.truths = {"unknown enums", "unknown fields"}
        derived = live(
            tmp_path, api, mapped(WORLD, sessions={WORLD.sessions[0].session_id: "Z-9"})
        ).collected()
    spent = sum(
        atom.acus for atom in WORLD.atoms if atom.session_id == WORLD.sessions[0].session_id
    )
    assert abs(by_center(derived)["Z-9"] - spent) < 1e-6
    assert owner in {record.principal_id for record in derived.usage.records}


# Refusals that end the run, and what they say


@pytest.mark.quick(3)
@pytest.mark.parametrize("errors", ["problem", "legacy"])
@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_a_refused_control_total_ends_the_run_and_explains_itself(tmp_path, status, errors):
    words = {
        401: "is removed), and whether this machine's address is on the allow list",
        403: "(ViewAccountConsumption or ViewOrgConsumption, on older pages ManageBilling)",
        404: "check base_url; older deployments still serve /v3beta1",
        422: "the API did not accept the request as it is documented",
    }
    with serving(WORLD, errors=errors) as api:
        api.forbid(DAILY3, status)
        said = live(tmp_path, api, MAPPING).collect()
        asked = api.seen.templates[DAILY3]
    assert (said.code, asked) == (4, 1)
    (line,) = (line for line in said.stderr.splitlines() if line.startswith("GET "))
    assert f"{DAILY3}?time_after={CYCLES[1][0]}" in line
    assert f"the API answered {status}" in line
    assert words[status] in line


def test_an_address_that_is_not_on_the_allow_list_is_explained(tmp_path):
    with serving(WORLD, allow_listed=False) as api:
        said = live(tmp_path, api, MAPPING).collect()
    assert said.code == 4
    assert "whether this machine's address is on the allow list" in said.stderr
    assert sum(api.seen.lines.values()) == 1


def test_a_newline_after_a_mounted_token_is_no_part_of_it(tmp_path):
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING)
        job.environment["DEVIN_API_TOKEN"] += "\n"
        job.collected()
    assert {*api.seen.authorizations} == {f"Bearer {ENTERPRISE}"}


@pytest.mark.quick(6)
@pytest.mark.parametrize(
    "kind", ["504", "maintenance", "truncated", "cut middle", "empty", "other json"]
)
@pytest.mark.parametrize("template", [CYCLES3, DAILY3, f"{DAILY3}/organizations/{{org_id}}"])
def test_what_is_no_answer_is_never_read_as_zero(tmp_path, kind, template):
    """Every attempt fails: the run ends and names the request."""
    with serving(WORLD) as api:
        api.faults.script(*[kind] * 9, template=template)
        said = live(tmp_path, api, MAPPING).collect()
    assert said.code == 4, said.stderr
    assert re.search(
        rf"GET {api.base_url}/v3/enterprise/consumption/\S+: .*, at every attempt; try again later",
        said.stderr,
    )
    assert template != CYCLES3 or not (tmp_path / "archive").exists()


# Cycles


@pytest.mark.heavy
@pytest.mark.quick(2)
@pytest.mark.parametrize(
    ("source", "template"), [("", CYCLES3), ("api: v2", "/v2/enterprise/consumption/cycles")]
)
@pytest.mark.parametrize("state", ["forbidden", "lost", "none"])
def test_the_contract_day_stands_in_for_cycles_that_are_not_told(tmp_path, source, template, state):
    with serving(WORLD, cycles="none" if state == "none" else "all") as api:
        if state != "none":
            api.forbid(template, 403 if state == "forbidden" else 404)
        said = live(tmp_path / "without", api, MAPPING, source).collect()
        derived = live(tmp_path / "with", api, MAPPING, f"{source}\ncycle_day: 5").collected()
    reasons = {
        "forbidden": "does not tell this credential the billing cycles",
        "lost": "does not know the list of billing cycles (404)",
        "none": "knows no billing cycle",
    }
    assert said.code == 1
    assert f"the API {reasons[state]}" in said.stderr
    assert "set `source: {cycle_day: …}`" in said.stderr
    assert close(by_center(derived), truth(WORLD, MAPPING))
    assert foots(derived)


def test_the_order_of_cycles_means_nothing(tmp_path, calm):
    with serving(hard_world()) as api:
        api.truths = {"shuffled items", "repeated items"}
        job = live(tmp_path, api, mapped(hard_world()))
        job.now = datetime(2026, 1, 9, tzinfo=UTC)
        said = job.collect("previous")
    assert said.code == 0
    assert "Billing cycle 2025-12-05 to 2026-01-05" in said.stderr


@pytest.mark.heavy
def test_an_open_cycle_is_asked_again_and_its_statement_is_preliminary(tmp_path, calm):
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING)
        job.now = datetime(2025, 12, 20, tzinfo=UTC)
        assert job.collected().statement.heading.cycle_open
        first = dict(api.seen.lines)
        job.now = datetime(2025, 12, 28, tzinfo=UTC)
        assert job.collected().statement.heading.cycle_open
        assert api.seen.lines == dict.fromkeys(first, 2)
        job.now = datetime(2026, 1, 9, tzinfo=UTC)
        derived = job.collected()
        assert api.seen.lines == dict.fromkeys(first, 3)
        job.collected()
    assert api.seen.lines == {line: 4 if line == CYCLES_LINE else 3 for line in first}
    assert figures_of(derived.statement) == figures_of(calm.statement)


def test_refresh_asks_again_and_the_last_answer_counts(tmp_path):
    restated = WORLD._replace(
        atoms=tuple(atom._replace(acus=atom.acus * 2) for atom in WORLD.atoms)
    )
    with serving(WORLD) as api:
        job = live(tmp_path, api, MAPPING)
        before = job.collected()
        lines = len(job.evidence.read_text(encoding="utf-8").splitlines())
        api.show(restated)
        assert figures_of(job.collected().statement) == figures_of(before.statement)
        after = job.collected(refresh=True)
    assert close(by_center(after), truth(restated, MAPPING))
    kept = [json.loads(line) for line in job.evidence.read_text(encoding="utf-8").splitlines()]
    # as received: the first answers are still there; the run between brought nothing new
    assert len(kept) == 2 * lines
