"""Worlds to serve: the sample's, one of any size, a small one of hard cases; and an index."""

from collections import defaultdict
from random import Random
from typing import Any

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

PRODUCTS = ("devin", "cascade", "terminal", "review")
UNTIED = ("cascade", "terminal")
EMPTY_CYCLE = (1767600000, 1770278400)


class Index:
    """A world, with the atoms of every view at hand."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.known: dict[str, dict[str, Any]] = {
            "org_id": {organization.org_id: organization for organization in world.organizations},
            "user_id": {person.user_id: person for person in world.people},
            "service_user_id": {found.service_user_id: found for found in world.service_users},
            "session_id": {f"devin-{session.session_id}": session for session in world.sessions},
        }
        self._atoms: dict[tuple[str | None, ...], list[Atom]] = defaultdict(list)
        for atom in world.atoms:
            org, principal, session = atom.org_id, atom.principal_id, atom.session_id
            views = {
                (None, None, None),
                (org, None, None),
                (None, principal, None),
                (org, principal, None),
            }
            for view in views | {(None, None, session), (org, None, session)}:
                self._atoms[view].append(atom)

    def atoms(self, ids: dict[str, str]) -> list[Atom]:
        """Give the atoms of the view that path values name."""
        session = ids["session_id"].removeprefix("devin-") if "session_id" in ids else None
        principal = ids.get("user_id", ids.get("service_user_id"))
        return self._atoms.get((ids.get("org_id"), principal, session), [])

    def narrowed(self, ids: dict[str, str]) -> World:
        """Give the world as far as path values name it: the sample's model is quick with less."""
        picked = {
            kind: (found[ids[kind]],) if ids.get(kind) in found else ()
            for kind, found in self.known.items()
            if kind in ids
        }
        return self.world._replace(
            organizations=picked.get("org_id", ()),
            people=picked.get("user_id", ()),
            service_users=picked.get("service_user_id", ()),
            sessions=picked.get("session_id", ()),
            atoms=tuple(self.atoms(ids)),
        )


def big_world(
    *, users: int, organizations: int, sessions: int = 0, active_days: int = 10, seed: int = 1
) -> World:
    """Grow an enterprise in one cycle; users work on `active_days` days in one or two places."""
    rng = Random(seed)  # noqa: S311 - a world, no secret
    places = tuple(
        Organization(f"org-{number:06x}", f"Organization {number}")
        for number in range(organizations)
    )
    people = tuple(_person(rng, number, places) for number in range(users))
    work = [_session(rng, number, people) for number in range(sessions)]
    atoms = [atom for person in people for atom in _work(rng, person, active_days)]
    atoms += [atom for session in work for atom in _spent(rng, session)]
    atoms += [
        Atom(day, "review", places[0].org_id, None, None, 0.75) for day in range(*CYCLES[1], DAY)
    ]
    return World(
        cycles=CYCLES[1:],
        organizations=places,
        people=people,
        service_users=(ServiceUser("service-user-000001", "Nightly", places[0].org_id, None),),
        sessions=tuple(work),
        atoms=tuple(sorted(atoms, key=lambda atom: atom.day)),
    )


def _person(rng: Random, number: int, places: tuple[Organization, ...]) -> Person:
    own = [places[int(rng.random() * len(places))].org_id for _ in range(1 + (number % 4 == 0))]
    orgs = tuple(dict.fromkeys(own))
    return Person(
        user_id=f"email|{number:024x}" if number % 2 else f"okta|big|{number}",
        email=f"user{number}@big.example",
        name=f"User {number}",
        directory="gone" if number % 50 == 49 else "idp-users" if number % 10 == 7 else "users",
        orgs=orgs,
        roles=() if number % 7 == 5 else orgs[:1],
        pace=1.0,
    )


def _work(rng: Random, person: Person, active_days: int) -> list[Atom]:
    start, end = CYCLES[1]
    days = {start + int(rng.random() * (end - start) / DAY) * DAY for _ in range(active_days)}
    return [
        Atom(
            day=day,
            product=product,
            org_id=None if product in UNTIED else person.orgs[int(rng.random() * len(person.orgs))],
            principal_id=person.user_id,
            session_id=None,
            acus=round(0.05 + 8 * rng.random(), 2),
        )
        for day in sorted(days)
        for product in PRODUCTS[: 1 + int(rng.random() * 4)]
    ]


def _session(rng: Random, number: int, people: tuple[Person, ...]) -> Session:
    person = people[int(rng.random() * len(people))]
    begun = CYCLES[1][0] + int(rng.random() * 30) * DAY + 3600
    tags = ("team:web",) if number % 5 == 0 else ()
    return Session(
        number, f"{number:016x}", person.orgs[0], person.user_id, tags, begun, begun + DAY
    )


def _spent(rng: Random, session: Session) -> list[Atom]:
    day = session.created_at - 3600
    acus = round(0.1 + 5 * rng.random(), 2)
    return [Atom(day, "devin", session.org_id, session.principal_id, session.session_id, acus)]


HARD_IDS = (
    "email|64f0c0ffee",
    "okta|Org/One|x",
    "50%25 off",
    "with space",
    "jürgen|渡辺",
    "a?b#c&d=e+f;g",
    "quote'\"<>\\^`{}",
    "silent|user",
    "gone|user",
)
HARD_NAMES = (
    "lone \ud83d surrogate",
    "control \x00\x07\x0b\x1b\x7f characters",
    "=cmd|' /C calc'!A0",
    "<b>&amp;</b>",
    "\u202eright to left",
    " ",
    None,
    "e\u0301 \ufffe \U0001f680",
    "Gone",
)


def hard_world() -> World:
    """Give hard ids and names, negative ACUs, float noise, a silent user and an empty cycle."""
    places = (
        Organization("org-a/b|c %", "Slash \udc00 & Pipe"),
        Organization("org-b", "b\x0b\x00"),
        Organization("org-ü", "東京"),
    )
    people = tuple(_hard_person(number, places) for number in range(len(HARD_IDS)))
    gone, org = people[-1], places[0].org_id
    begun = CYCLES[1][0] + 3600
    session = Session(1, "0123 /|%ü", org, gone.user_id, ("cc:\ud800", "a b"), begun, begun + DAY)
    atoms = [atom for person in people[:-2] for atom in _hard_work(person)]
    atoms += [
        Atom(CYCLES[1][0], "devin", org, gone.user_id, session.session_id, 3.3),
        Atom(CYCLES[1][0] + DAY, "devin", org, people[0].user_id, None, -1.7),
        Atom(CYCLES[1][0] + 2 * DAY, "devin", None, None, None, -0.3),
        Atom(CYCLES[1][0] + 3 * DAY, "flux capacitor", org, None, None, 1e-7),
    ]
    return World(
        cycles=(*CYCLES, EMPTY_CYCLE),
        organizations=places,
        people=people,
        service_users=(ServiceUser("service-user-|/% ü", "robot \ud83d", None, None),),
        sessions=(session,),
        atoms=tuple(sorted(atoms, key=lambda atom: atom.day)),
    )


def _hard_person(number: int, places: tuple[Organization, ...]) -> Person:
    orgs = (places[number % 3].org_id, places[(number + 1) % 3].org_id)
    return Person(
        user_id=HARD_IDS[number],
        email=None if number == 1 else f"Hard.User+{number}@bücher.example",
        name=HARD_NAMES[number],
        directory="gone"
        if number == len(HARD_IDS) - 1
        else "idp-users"
        if number % 3 == 2
        else "users",
        orgs=orgs,
        roles=orgs[: number % 3],
        pace=1.0,
    )


def _hard_work(person: Person) -> list[Atom]:
    return [
        Atom(day, product, org_id, person.user_id, None, acus)
        for start, _ in CYCLES
        for day in range(start, start + 5 * DAY, DAY)
        for product, org_id, acus in (
            ("devin", person.orgs[0], 0.1),
            ("devin", person.orgs[0], 0.2),
            ("devin", person.orgs[1], 1 / 3),
            ("cascade", None, 1e-9),
        )
    ]


def working_world(
    *, users: int, organizations: int, sessions: int, crossing: float = 0.5, seed: int = 1
) -> World:
    """Grow an enterprise by its sessions: what each used by day comes first, and is added up.

    Of so many `sessions` of every user a part is `crossing`: begun before December's cycle or going
    on after it, with days of work on either side. Beside them users consume a little without one.
    """
    rng = Random(seed)  # noqa: S311 - a world, no secret
    places = tuple(
        Organization(f"org-{number:06x}", f"Organization {number}")
        for number in range(organizations)
    )
    people = tuple(_person(rng, number, places) for number in range(users))
    work = [
        _working_session(rng, number * sessions + turn, person, crossing=rng.random() < crossing)
        for number, person in enumerate(people)
        for turn in range(sessions)
    ]
    atoms = [atom for _, spent in work for atom in spent]
    atoms += [
        Atom(day, "devin", person.orgs[0], person.user_id, None, round(0.3 * rng.random(), 2))
        for person in people
        for day in range(*CYCLES[1], 3 * DAY)
    ]
    return World(
        cycles=CYCLES[1:],
        organizations=places,
        people=people,
        service_users=(),
        sessions=tuple(session for session, _ in work),
        atoms=tuple(sorted((atom for atom in atoms if atom.acus), key=lambda atom: atom.day)),
    )


def _working_session(
    rng: Random, number: int, person: Person, *, crossing: bool
) -> tuple[Session, list[Atom]]:
    """Let a session work on some days in a row, and draw what it used on each."""
    start, end = CYCLES[1]
    length = 2 + int(rng.random() * 5) if crossing else 1 + int(rng.random() * 3)
    before = 1 + int(rng.random() * (length - 1)) if crossing else 0
    if not crossing:
        begin = start + int(rng.random() * ((end - start) / DAY - length + 1)) * DAY
    elif rng.random() < 0.5:
        begin = start - before * DAY
    else:
        begin = end - before * DAY
    scale = 1 + 30 * rng.random() ** 4
    org_id = person.orgs[int(rng.random() * len(person.orgs))]
    session_id = f"{int(rng.random() * 16**8):08x}{number:08x}"
    spent = [
        Atom(day, "devin", org_id, person.user_id, session_id, round(scale * rng.random(), 2))
        for day in range(begin, begin + length * DAY, DAY)
    ]
    tags = (f"project:{number % 3}",) if number % 4 else ()
    last = begin + (length - 1) * DAY
    created_at, updated_at = begin + 600, last + 40_000
    return Session(number, session_id, org_id, person.user_id, tags, created_at, updated_at), spent
