"""What was bought, held against worlds that know each session by day."""

from collections.abc import Iterator
from typing import Any

import pytest

from reportgen.core.model import Counted, CycleUnitCosts, UnitCosts
from reportgen.derive import Derived
from tests.fakeapi.sample import CYCLES, Session, World, build, model
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world, working_world
from tests.scenarios.collecting.live import as_yaml, live, own_credentials

START, END = CYCLES[1]
CENTERS = {"A-1": "Engineering", "B-2": "Engineering", "C-3": "Sales", "Z-9": ""}
RULES: tuple[dict[str, int] | None, ...] = (
    {"A-1": 100},
    {"A-1": 60, "B-2": 40},
    {"C-3": 100},
    None,
)
SOURCES = {"enterprise": "", "v2": "api: v2"}
GROWN = big_world(users=20, organizations=3, sessions=60)


def bearers(world: World) -> dict[str, set[str]]:
    """Give who bears each user's sessions; who has no rule is borne by the last."""
    return {
        person.user_id: {*(RULES[place % 4] or ["Z-9"])}
        for place, person in enumerate(world.people)
    }


def mapping(world: World) -> str:
    shares = {
        person.user_id: {code: f"{part}%" for code, part in rule.items()}
        for place, person in enumerate(world.people)
        if (rule := RULES[place % 4])
    }
    centers = {
        code: {"name": code} | ({"department": department} if department else {})
        for code, department in CENTERS.items()
    }
    return as_yaml({"cost_centers": centers, "users": shares, "unallocated": "Z-9"})


def working(world: World) -> Iterator[tuple[Session, set[str], dict[str, Any]]]:
    """Give the sessions that used ACUs in the cycle, who bears them, and what the API says."""
    borne = bearers(world)
    used = {one.session_id for one in world.atoms if one.acus and START <= one.day < END}
    for session in world.sessions:
        if session.session_id in used:
            yield session, borne.get(session.principal_id, {"Z-9"}), model._session(session, [1.0])


def truth(world: World, codes: set[str]) -> tuple[int, int, int]:
    """Count what cost centers bought."""
    own = [told for _, borne, told in working(world) if borne & codes]
    pulls = {pull["pr_url"]: pull["pr_state"] for told in own for pull in told["pull_requests"]}
    return len(own), len(pulls), sum(state == "merged" for state in pulls.values())


def levels(costs: CycleUnitCosts) -> Iterator[tuple[set[str], UnitCosts]]:
    for code in CENTERS:
        yield {code}, costs.by_cost_center[code]
    for name in ("Engineering", "Sales"):
        yield {code for code, one in CENTERS.items() if one == name}, costs.by_department[name]
    yield {*CENTERS}, costs.enterprise


def counted(costs: UnitCosts) -> tuple[Counted, Counted, Counted]:
    return costs.sessions, costs.pull_requests, costs.merged


def bought(derived: Derived) -> CycleUnitCosts:
    assert derived.statement.unit_costs
    return derived.statement.unit_costs


@pytest.mark.parametrize("source", SOURCES)
def test_sessions_that_stay_within_the_cycle_are_counted_exactly(tmp_path, source):
    with serving(GROWN) as api:
        derived = live(tmp_path, api, mapping(GROWN), SOURCES[source]).collected()
    assert bought(derived).as_of == "2026-01-09T10:00:00Z"
    for codes, costs in levels(bought(derived)):
        assert counted(costs) == tuple(Counted(one, one) for one in truth(GROWN, codes))
    whole = bought(derived).enterprise
    lines = [
        line
        for invoice in derived.statement.invoices
        for line in invoice.lines
        if line.product == "devin"
    ]
    assert whole.acus == sum(line.acus for line in lines)
    assert whole.amount == sum(line.amount for line in lines)


@pytest.mark.parametrize("source", [*SOURCES, "organizations"])
def test_sessions_that_cross_cycles_are_within_the_bounds(tmp_path, source):
    """Half of them are certain; the truth is never outside of what is told."""
    world = build()
    told = SOURCES.get(source, own_credentials(world))
    with serving(world) as api:
        derived = live(tmp_path, api, mapping(world), told).collected()
    crossing = [one for one in world.sessions if one.created_at < START <= one.updated_at < END]
    for codes, costs in levels(bought(derived)):
        for found, expected in zip(counted(costs), truth(world, codes), strict=True):
            assert found.known <= expected <= found.at_most
        assert costs.sessions.at_most - costs.sessions.known <= len(crossing)
    assert bought(derived).enterprise.sessions.known > len(crossing)


@pytest.mark.parametrize("most", [1, 100])
def test_what_was_asked_by_day_is_certain(tmp_path, most):
    """Half of the sessions cross cycles: whoever asks about all of them knows all."""
    world = working_world(users=12, organizations=2, sessions=4)
    with serving(world) as api:
        job = live(tmp_path, api, mapping(world))
        with (tmp_path / "chargeback.yaml").open("a", encoding="utf-8") as file:
            file.write(f"invoice: {{sessions: {most}}}\n")
        costs = bought(job.collected())
    for codes, level in levels(costs):
        for found, expected in zip(counted(level), truth(world, codes), strict=True):
            assert found.known <= expected <= found.at_most
            assert most == 1 or found.known == found.at_most
    if most == 1:
        assert costs.enterprise.sessions.known < costs.enterprise.sessions.at_most
