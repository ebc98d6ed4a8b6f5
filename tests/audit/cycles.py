"""Cycles to be reckoned twice: a world, a configuration, and what the plan is answered about it.

Everything follows from a seed. The fake API is asked in this process; its answers may contradict
each other, refuse, or tell no owner, as those of a real one may.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from reportgen.archive import evidence, people
from reportgen.core.cycle import BillingCycle, cycle_between
from reportgen.core.model import Directory, Entry, Principal, RecordedResponse
from reportgen.core.problem import Rejected
from reportgen.core.text import visible
from reportgen.core.written.statement_json import statement_json
from reportgen.core.written.tables import ledger_csv
from reportgen.derive import Derived, Inputs, derive, question
from reportgen.operations.building.artifacts import everybody
from reportgen.sources.api import versions as api_plans
from reportgen.sources.api.plan import Plan, answer
from reportgen.sources.config.configuration import Configuration, load
from reportgen.sources.config.resolved import resolved_json
from reportgen.sources.config.schema import SourceSection
from tests.fakeapi.api import FakeApi
from tests.fakeapi.behavior import ADMIN, ENTERPRISE, organization_token
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
from tests.fakeapi.truths import TRUTHS
from tests.fakeapi.worlds import big_world, hard_world
from tests.scenarios.collecting.live import as_yaml

CODES = ("CC-1", "CC-2", "CC-3", "CC-4", "CC-9")
FIRST, MIDDLE = "2025-07-01", ("2025-12-06", "2025-12-07", "2025-12-08")
START = CYCLES[1][0]
DAYS = range(START, START + 5 * DAY, DAY)
TAGS = ("apollo", "gemini", "team:web")
PRODUCTS = ("devin", "cascade", "terminal", "review")
PRECEDENCES = (
    ("session", "user", "org"),
    ("session", "tag", "user", "org"),
    ("org", "user"),
    ("tag", "org", "session"),
    ("user",),
    ("user", "org"),
)
REFUSABLE = (
    ("/v3/enterprise/consumption/daily/organizations/{org_id}", ("org_id",)),
    ("/v3/enterprise/consumption/daily/users/{user_id}", ("user_id",)),
    ("/v3/enterprise/consumption/daily/sessions/{session_id}", ("session_id",)),
    ("/v3/organizations/{org_id}/consumption/daily/users/{user_id}", ("org_id", "user_id")),
    ("/v2/enterprise/consumption/daily/{user_id}", ("user_id",)),
    ("/v3/enterprise/members/users", ()),
    ("/v3/enterprise/sessions", ()),
)


Dress = Callable[[dict[str, dict[str, Any]]], object]
"""Changes the values of the three files of a configuration before they are written."""
Rewording = Callable[[str, Any], Any]
"""Changes the body of an answer to a request; always alike."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """A cycle as it was collected, with its configuration."""

    configuration: Configuration
    cycle: BillingCycle
    responses: dict[str, RecordedResponse]
    remembered: Directory

    def inputs(self) -> Inputs:
        return Inputs(
            configuration=self.configuration,
            cycle=self.cycle,
            responses=self.responses,
            source="responses.jsonl",
            remembered=self.remembered,
        )

    def derived(self) -> Derived | None:
        """Derive the cycle; None where it cannot be charged."""
        try:
            return derive(self.inputs())
        except Rejected:
            return None


def archived(told: Told, derived: Derived, folder: Path, *, zipped: bool = False) -> Path:
    """Write of a cycle's folder what is reckoned from, and what is compared."""
    inputs = folder / "inputs"
    inputs.mkdir(parents=True, exist_ok=True)
    lines = evidence.encode(told.responses.values())
    (inputs / "responses.jsonl").write_bytes(lines)
    if zipped:
        (inputs / "responses.jsonl").unlink()
        (inputs / "responses.jsonl.gz").write_bytes(gzip.compress(lines, mtime=0))
    (inputs / "directory.json").write_bytes(people.encode(everybody(told.inputs(), derived)))
    texts = {
        "inputs/resolved.json": resolved_json(told.configuration, told.cycle),
        "statement.json": statement_json(derived.statement),
        "ledger.csv": ledger_csv(derived.allocations),
    }
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())
    return folder


def chargeable(seed: int, folder: Path) -> tuple[Told, Derived]:
    """Make a cycle from a seed, or from another where a pool or an invoice could not be spread."""
    for number in range(seed, seed + 100_000, 1000):
        made = told(number, folder)
        if derived := made.derived():
            return made, derived
    raise AssertionError(seed)


def told(
    seed: int,
    folder: Path,
    dress: Dress | None = None,
    reword: Rewording | None = None,
    *,
    remember: bool = True,
) -> Told:
    """Make a world, a configuration and the evidence of one cycle from a seed."""
    rng = Random(seed)  # noqa: S311 - a world, no secret
    world = _world(rng)
    kind = rng.choice(("v3", "v3", "v3", "organizations", "v2"))
    configuration = _configuration(rng, world, kind, folder, dress)
    cycle = cycle_between(*CYCLES[1])
    remembered = _remembered(rng, world) if remember else Directory()
    api = _api(rng, world)
    source = configuration.settings.source
    plan = api_plans.consumption(source, question(configuration, cycle, remembered))
    responses = _responses(rng, api, source, plan, reword)
    responses |= _responses(rng, api, source, api_plans.cycles(source), None)
    return Told(
        configuration=configuration, cycle=cycle, responses=responses, remembered=remembered
    )


# Worlds


def _world(rng: Random) -> World:
    kind = rng.random()
    if kind < 0.1:
        return hard_world()
    if kind < 0.2:
        seed = rng.randrange(99)
        return big_world(users=8, organizations=3, sessions=6, active_days=4, seed=seed)
    places = tuple(Organization(f"org-{n}", f"Place {n}") for n in range(rng.randint(1, 3)))
    people = tuple(_person(rng, n, places) for n in range(rng.randint(2, 6)))
    robots = tuple(
        ServiceUser(f"service-user-{n}", f"Robot {n}", rng.choice((None, places[0].org_id)), None)
        for n in range(rng.randint(0, 2))
    )
    sessions = tuple(_session(rng, n, people, robots) for n in range(rng.randint(0, 5)))
    atoms = [_atom(rng, people, robots, places) for _ in range(rng.randint(0, 30))]
    atoms += [_of_session(rng, session) for session in sessions for _ in range(rng.randint(0, 3))]
    if rng.random() < 0.4:
        atoms = [atom._replace(acus=1.0) for atom in atoms]  # remainders are equal
    return World(
        cycles=CYCLES,
        organizations=places,
        people=people,
        service_users=robots,
        sessions=sessions,
        atoms=tuple(sorted(atoms, key=lambda atom: atom.day)),
    )


def _person(rng: Random, number: int, places: tuple[Organization, ...]) -> Person:
    orgs = tuple(place.org_id for place in rng.sample(places, rng.randint(1, len(places))))
    domain = rng.choice(("acme.example", "contractors.example"))
    return Person(
        user_id=rng.choice((f"email|{number}", f"okta|acme|{number}", f"u{number}@{domain}")),
        email=rng.choice((f"User{number}@{domain}", f"user\u200b{number}@{domain} ", None)),
        name=f"User {number}",
        directory=rng.choice(("users", "users", "idp-users", "gone")),
        orgs=orgs,
        roles=orgs[: rng.randint(0, len(orgs))],
        pace=1.0,
    )


def _session(rng: Random, number: int, people: Any, robots: Any) -> Session:
    owner = rng.choice((*people, *robots))
    orgs = owner.orgs if isinstance(owner, Person) else (owner.org_id or people[0].orgs[0],)
    tags = tuple(rng.sample(TAGS, rng.randint(0, 2)))
    begun = rng.choice(DAYS) + 60
    return Session(number, f"{number:016x}", rng.choice(orgs), owner[0], tags, begun, begun + DAY)


def _acus(rng: Random) -> float:
    return rng.choice(
        (
            round(rng.uniform(0.01, 20), 2),
            round(rng.uniform(0.01, 20), 2),
            rng.uniform(0, 3),
            1 / 3,
            1e-7,
            -round(rng.uniform(0.01, 4), 2),
        )
    )


def _atom(rng: Random, people: Any, robots: Any, places: Any) -> Atom:
    product = rng.choice(PRODUCTS)
    person = rng.choice((*people, *people, *robots, None))
    orgs = person.orgs if isinstance(person, Person) else [place.org_id for place in places]
    org_id = None if product in ("cascade", "terminal") or rng.random() < 0.1 else rng.choice(orgs)
    return Atom(rng.choice(DAYS), product, org_id, person and person[0], None, _acus(rng))


def _of_session(rng: Random, session: Session) -> Atom:
    day = rng.choice(DAYS)
    return Atom(day, "devin", session.org_id, session.principal_id, session.session_id, _acus(rng))


def _remembered(rng: Random, world: World) -> Directory:
    """Remember some who have left, with their addresses."""
    seen = [person for person in world.people if rng.random() < 0.4]
    entries = [
        Entry(principal=Principal("user", person.user_id), email=person.email) for person in seen
    ]
    return Directory(entries={entry.principal: entry for entry in entries})


# What the API answers


def _api(rng: Random, world: World) -> FakeApi:
    api = FakeApi(
        world,
        page_cap=rng.choice((1, 3, 200)),
        gone_users=rng.choice(("answered", "not found")),
        user_map=rng.random() < 0.8,
        beta=rng.choice(("off", "also", "only")),
    )
    api.truths = set(rng.sample(TRUTHS, rng.choice((0, 1, 3, 6))))
    for template, names in REFUSABLE:
        for _ in range(2 if rng.random() < 0.35 else 0):
            ids = {
                "org_id": rng.choice(world.organizations).org_id,
                "user_id": rng.choice(world.people).user_id,
                "session_id": f"devin-{rng.randrange(5):016x}",
            }
            api.forbid(template, rng.choice((403, 404)), **{name: ids[name] for name in names})
    return api


def _responses(
    rng: Random,
    api: FakeApi,
    source: SourceSection,
    plan: Plan[Any],
    reword: Rewording | None,
) -> dict[str, RecordedResponse]:
    """Follow the plan of a source to its end; the answer to a request is always changed alike."""
    restless, unowned, salt = rng.random() < 0.3, rng.random() < 0.3, rng.random()
    responses: dict[str, RecordedResponse] = {}
    try:
        requests = next(plan)
        while True:
            for request in requests:
                token = ADMIN if source.api == "v2" else ENTERPRISE
                token = organization_token(request.credential) if request.credential else token
                reply = api.reply("GET", request.target, {"authorization": f"Bearer {token}"})
                body, own = reply.body.decode(), Random(f"{salt}|{request.target}")  # noqa: S311
                if reply.status == 200 and (restless or unowned):
                    body = _changed(own, json.loads(body), restless=restless, unowned=unowned)
                if reply.status == 200 and reword:
                    body = json.dumps(reword(request.target, json.loads(body)))
                responses[request.target] = RecordedResponse(
                    request=request.target,
                    status=reply.status,
                    fetched_at="2026-01-09T10:00:00Z",
                    body=body,
                )
            requests = plan.send(
                {one.target: answer(one, responses[one.target]) for one in requests}
            )
    except StopIteration:
        return responses


def _changed(rng: Random, body: Any, *, restless: bool, unowned: bool) -> str:
    """Let an answer contradict others, and sessions have no owner, or two."""
    if isinstance(body, list):
        return json.dumps(body)
    for item in body.get("items", ()):
        if unowned and "session_id" in item and rng.random() < 0.6:
            item["user_id"] = None
            if rng.random() < 0.3:
                item |= {"user_id": "email|0", "service_user_id": "service-user-0"}
    days = body.get("consumption_by_date")
    if restless and days and rng.random() < 0.3:
        by = rng.choice((0.5, -0.25, 3, 1e-6))
        if isinstance(days, dict):
            day = rng.choice(sorted(days))
            days[day] += by
        else:
            bucket = rng.choice(days)
            bucket["acus"] += by
            products = bucket.get("acus_by_product")
            if products and rng.random() < 0.7:
                products["devin"] = (products.get("devin") or 0) + by
    return json.dumps(body)


# Configurations


def _configuration(
    rng: Random, world: World, source: str, folder: Path, dress: Dress | None
) -> Configuration:
    folder.mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = {"api": "v2" if source == "v2" else "v3"}
    if source == "organizations":
        settings["organizations"] = [
            {"id": place.org_id, "token_env": f"TOKEN_{number}"}
            for number, place in enumerate(world.organizations)
        ]
    main = {
        "enterprise": "Acme",
        "source": settings,
        "mapping": "mapping.yaml",
        "rates": "rates.yaml",
        "archive": "archive",
        "tolerance": rng.choice(("0.000001", "0.000001", "0", "0.01")),
    }
    mapping, rows = _mapping(rng, world)
    files = {"chargeback.yaml": main, "mapping.yaml": mapping, "rates.yaml": _rates(rng)}
    if dress:
        dress(files)
    for name, values in files.items():
        (folder / name).write_text(as_yaml(values), encoding="utf-8")
    table = io.StringIO(newline="")
    csv.writer(table).writerows([("email", "cc", "from", "until"), *rows])
    (folder / "hr.csv").write_text(table.getvalue(), encoding="utf-8", newline="")
    return load(folder)


def _mapping(rng: Random, world: World) -> tuple[dict[str, Any], list[tuple[str, ...]]]:
    """Give mapping.yaml, and the rows of the HR export beside it."""

    def some(keys: Iterable[str | None], chance: float) -> dict[str, Any]:
        found = sorted({key for key in keys if key and key.strip() and key.isprintable()})
        return {key: _target(rng) for key in found if rng.random() < chance}

    users = some([one.user_id for one in world.people], 0.4)
    users |= some([one.email and visible(one.email.lower()) for one in world.people], 0.4)
    users |= some(["*@contractors.example"], 0.4)
    rows = [
        (one.email, rng.choice((*CODES, "none")), *days)
        for one in world.people
        if one.email and rng.random() < 0.5
        for days in ((FIRST, MIDDLE[0]), (MIDDLE[1], rng.choice(("", MIDDLE[1]))))
    ]
    ids = [rng.choice((one[1], f"devin-{one[1]}")) for one in world.sessions]
    values = {
        "cost_centers": {code: {"name": f"Name of {code}"} for code in CODES},
        "users": users,
        "user_file": {"path": "hr.csv", "user": "email", "cost_center": "cc"}
        | {"from": "from", "until": "until"},
        "service_users": some([one.service_user_id for one in world.service_users], 0.5),
        "sessions": some([key for key in ids if key.isascii()], 0.4),
        "tags": some(TAGS, 0.5),
        "orgs": some([one.org_id for one in world.organizations], 0.6),
        "pools": _pools(rng),
        "precedence": list(rng.choice(PRECEDENCES)),
        "unallocated": rng.choice((None, "CC-1", "CC-9")),
    }
    return {name: value for name, value in values.items() if value}, rows


def _target(rng: Random) -> Any:
    """Give a value of a rule: a code, shares, or either from a day on."""
    if rng.random() < 0.4:
        days = (FIRST, *MIDDLE)[rng.randint(0, 1) :: rng.randint(1, 2)]
        return {day: rng.choice(("none", _shares(rng, CODES))) for day in days}
    return _shares(rng, CODES)


def _shares(rng: Random, among: Any) -> Any:
    codes = rng.sample(among, rng.randint(1, min(3, len(among))))
    kind = rng.random()
    if kind < 0.4:
        return codes[0]
    if kind < 0.7:
        return {code: str(rng.randint(1, 7)) for code in codes}
    parts = {1: ("100%",), 2: ("33.3%", "66.7%"), 3: ("12.5%", "50%", "37.5%")}[len(codes)]
    return dict(zip(codes, parts, strict=True))


def _pools(rng: Random) -> dict[str, Any]:
    """Give pools whose shares lead to later cost centers of some order, so never in a circle."""
    order, pools = rng.sample(CODES, len(CODES)), {}
    for place, code in enumerate(order[:-1]):
        if rng.random() < 0.25:
            shares = _shares(rng, order[place + 1 :])
            written = {shares: "1"} if isinstance(shares, str) else shares
            pools[code] = rng.choice(("proportional", "even", written))
    return pools


def _rates(rng: Random) -> dict[str, Any]:
    values: dict[str, Any] = {"currency": rng.choice(("USD", "USD", "JPY", "BHD"))}
    way = rng.choice(("prices", "prices", "prices", "tiers", "recover"))
    if way == "prices":
        values["prices"] = {
            product: _price(rng) for product in ("devin", "cascade", "*") if rng.random() < 0.8
        } or {"devin": "2.00"}
        values["prices"]["cascade+terminal"] = _price(rng)
    elif way == "tiers":
        bounds = sorted({rng.randint(1, 100) for _ in range(rng.randint(0, 2))})
        values["tiers"] = [{"up_to": str(bound), "price": _amount(rng)} for bound in bounds]
        values["tiers"].append({"price": _amount(rng)})
    else:
        weighed = [product for product in PRODUCTS if rng.random() < 0.5]
        values["recover"] = {"weights": {one: rng.choice(("0.8", "1", "3")) for one in weighed}}
    invoice = {"number": "INV-1", "amount": str(rng.randint(0, 9999)), "acus": "12.5"}
    if way == "recover" or rng.random() < 0.5:
        values["vendor_invoices"] = {"2025-12-05": invoice}
    if rng.random() < 0.5:
        values["fees"] = [_fee(rng, n) for n in range(rng.randint(1, 3))]
    if rng.random() < 0.5:
        values["transfers"] = [_transfer(rng) for _ in range(rng.randint(1, 3))]
    return values


def _amount(rng: Random) -> str:
    return rng.choice(("2.00", "1.755", "0", "0.005", "3.333333", f"{rng.uniform(0, 4):.3f}"))


def _price(rng: Random) -> Any:
    if rng.random() < 0.3:
        days = (FIRST, *MIDDLE)[rng.randint(0, 1) : rng.randint(2, 4)]
        return {day: _amount(rng) for day in days}
    return _amount(rng)


def _fee(rng: Random, number: int) -> dict[str, Any]:
    to = rng.choice(("each", rng.sample(CODES, 2)))
    key, of = rng.choice((("amount", str(rng.randint(1, 500))), ("percent", "-33.333%")))
    return {"name": f"Fee {number}", "to": to, key: of}


def _transfer(rng: Random) -> dict[str, Any]:
    giver, receiver = rng.sample(CODES, 2)
    return {
        "cycle": rng.choice(("2025-12-05", "2025-12-05", "2025-11-05")),
        "from": giver,
        "to": receiver,
        "amount": str(rng.randint(1, 400)),
        "reason": rng.choice(("Ticket 1", "Ticket 2")),
    }
