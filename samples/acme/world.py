"""The sample world: an enterprise with two billing cycles of disjoint usage, behind every view.

    World
      cycles          [start, end) in Unix seconds
      organizations   who works where
      people          users: in the list, known to the identity provider only, or gone
      service_users
      sessions        begun by a user or a service user in one organization
      atoms           what was consumed: the smallest cells, each counted once

Everything follows from the seed. Only `Random.random()` is drawn, which gives the same values in
every Python version. Law: each view the API shows is a sum of atoms, so no view can contradict
another by more than float noise.
"""

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import NamedTuple

SEED = 20251205
DAY = 86_400
CYCLES = ((1762329600, 1764921600), (1764921600, 1767600000))
DAYS = range(CYCLES[0][0], CYCLES[-1][1], DAY)


class Atom(NamedTuple):
    """One cell of consumption; `day` is the instant at which its billing day begins."""

    day: int
    product: str
    org_id: str | None
    principal_id: str | None
    session_id: str | None
    acus: float


class Organization(NamedTuple):
    """One organization of the enterprise."""

    org_id: str
    name: str


class Person(NamedTuple):
    """One user: `roles` are the organizations the API tells, `orgs` those the person works in."""

    user_id: str
    email: str | None
    name: str | None
    directory: str  # users | idp-users | gone
    orgs: tuple[str, ...]
    roles: tuple[str, ...]
    pace: float  # ACUs on a full working day


class ServiceUser(NamedTuple):
    """One service user, which consumes through its sessions only."""

    service_user_id: str
    name: str
    org_id: str | None
    expires_at: int | None


class Session(NamedTuple):
    """One session; what it consumed is told by its atoms."""

    number: int
    session_id: str
    org_id: str
    principal_id: str
    tags: tuple[str, ...]
    created_at: int
    updated_at: int


class World(NamedTuple):
    """The whole truth."""

    cycles: tuple[tuple[int, int], ...]
    organizations: tuple[Organization, ...]
    people: tuple[Person, ...]
    service_users: tuple[ServiceUser, ...]
    sessions: tuple[Session, ...]
    atoms: tuple[Atom, ...]


def at(label: str) -> int:
    """Give the instant at which a billing day begins; the boundary is 08:00 UTC all year."""
    return int(datetime.fromisoformat(f"{label}T08:00:00+00:00").timestamp())


_ORGANIZATIONS = {
    "platform": Organization("org-7c1e04b95d2a", "Platform"),
    "payments": Organization("org-2f8ab6190c4e", "Payments"),
    "data": Organization("org-91d3e57f06ab", "Data & Analytics"),
    "apps": Organization("org-c45b20a8e1f7", "Mobile and Web"),
    "asia": Organization("org-0e6f9137bd58", "Asia Pacific 東京・上海"),
    "sandbox": Organization("org-b83d75c2149e", "Innovation Sandbox"),
}

# Name, mailbox (at acme.example unless it says where), organizations worked in, ACUs on a full
# working day. The row number makes the user id. Order matters: the rows of _IDP_ROWS are known to
# the identity provider only, and the last row has left the enterprise.
_PEOPLE = (
    ("Ada Brennan", "ada", "platform", 26.0),
    ("Alan Whitaker", "alan", "platform data", 22.0),
    ("Grace Oyelaran", "grace", "platform payments", 24.0),
    ("Linus Hedlund", "linus.hedlund", "platform", 18.0),
    ("Margaret Okafor", "margaret.okafor", "platform sandbox", 15.0),
    ("Dennis Halloran", "dennis.halloran", "platform", 12.0),
    ("Radia Pellegrini", "radia.pellegrini", "platform apps", 16.0),
    ("Ken Ashworth", "ken.ashworth", "platform", 9.0),
    ("Barbara Lindqvist", "barbara.lindqvist", "platform", 14.0),
    ("Tomasz Wójcik", "tomasz.wojcik", "platform", 11.0),
    ("Ioana Popescu", "ioana.popescu", "platform data", 13.0),
    ("Søren Kjær", "soren.kjaer", "platform", 7.0),
    ("Priya Raghunathan", "priya.raghunathan", "payments", 21.0),
    ("Rafael Monteiro", "rafael.monteiro", "payments", 17.0),
    ("Chloé Lefèvre", "chloe.lefevre", "payments apps", 19.0),
    ("Jürgen Weiß", "juergen.weiss", "payments", 10.0),
    ("Aoife Ní Bhriain", "aoife.nibhriain", "payments", 15.0),
    ("Mateus Gonçalves", "mateus.goncalves", "payments", 12.0),
    ("Hannah Goldberg", "hannah.goldberg", "payments platform", 14.0),
    ("דנה לוי", "dana.levi", "payments", 9.0),
    ("Carlos Núñez", "carlos.nunez", "payments", 8.0),
    ("Fatima Zahra Benali", "fatima.benali", "payments", 13.0),
    ("Oliver Grant", "oliver.grant", "payments sandbox", 6.0),
    ("Ελένη Παπαδοπούλου", "eleni.papadopoulou", "data", 18.0),
    ("Ольга Петрова", "Olga.Petrova", "data platform", 20.0),
    ("Amara Nwosu", "amara.nwosu", "data", 16.0),
    ("ليلى حداد", "layla.haddad", "data", 12.0),
    ("Björn Ek", "bjorn.ek", "data", 10.0),
    ("Sofia Rossi", "sofia.rossi", "data", 15.0),
    ("Ravi Subramanian", "ravi.subramanian", "data apps sandbox", 23.0),
    ("Nadia Karimi", "nadia.karimi", "data", 0.0),
    ("Ingrid Dahl", "ingrid.dahl", "data", 11.0),
    ("Mehmet Yılmaz", "mehmet.yilmaz", "data", 14.0),
    ("Emily Carter", "emily.carter", "apps", 19.0),
    ("Jack Thornton", "jack.thornton", "apps", 13.0),
    ("Siobhán O'Connor", "siobhan.oconnor", "apps payments", 17.0),
    ("Lucía Fernández-Marín", "lucia.fernandez", "apps", 12.0),
    ("Noah Lindgren", "noah.lindgren", "apps", 9.0),
    ("Zeynep Aydın", "zeynep.aydin", "apps", 15.0),
    ("Peter van den Berg", "peter.vandenberg", "apps", 8.0),
    ("Thandiwe Mokoena", "thandiwe.mokoena", "apps", 11.0),
    ("渡辺 さくら", "sakura.watanabe", "asia payments", 20.0),
    ("田中 由紀", "Yuki.Tanaka", "asia", 18.0),
    ("佐藤 健一", "kenichi.sato", "asia", 14.0),
    ("鈴木 美咲", "misaki.suzuki", "asia platform", 16.0),
    ("高橋 大輔", "daisuke.takahashi", "asia", 10.0),
    ("王小明", "xiaoming.wang", "asia", 17.0),
    ("李娜", "na.li", "asia data", 15.0),
    ("陈静", "jing.chen", "asia", 12.0),
    ("", "release.desk", "apps", 5.0),
    ("Marco Bianchi", "marco.bianchi@contractors.example", "apps", 14.0),
    ("Kateryna Shevchenko", "kateryna.shevchenko@contractors.example", "apps payments", 13.0),
    ("Build Kiosk", "", "platform", 0.8),
    ("Samuel Adeyemi", "samuel.adeyemi", "sandbox", 0.0),
    ("Isabelle Fournier", "isabelle.fournier", "apps", 0.0),
    ("Diego Salazar", "diego.salazar", "payments", 7.0),
    ("Hiroshi Nakamura", "hiroshi.nakamura", "asia platform", 13.0),
    ("Miriam Abel", "miriam.abel", "data", 11.0),
    ("Patrick O'Neill", "patrick.oneill", "platform", 9.0),
    ("Luis Ortega", "luis.ortega@contractors.example", "data", 10.0),
    ("", "", "payments", 3.0),
)
_IDP_ROWS = range(57, 61)
_GONE_SINCE = at("2025-12-12")
# The row of somebody whose one day is 0.1 and 0.2 ACUs: as floats, 0.30000000000000004.
_TRIED_ONCE = 31

_SERVICE_USERS = (
    ServiceUser(
        "service-user-5be1c07a94d3",
        "Continuous integration",
        _ORGANIZATIONS["platform"].org_id,
        None,
    ),
    ServiceUser("service-user-a20f7d46c81b", "Dependency updates", None, at("2026-06-30")),
    ServiceUser(
        "service-user-e6349bd1f05c", "Nightly migrations", _ORGANIZATIONS["data"].org_id, None
    ),
    ServiceUser("service-user-08d2f3ac5e97", "chargeback", None, None),
)

_PRODUCT_SHARES = (("devin", 0.5), ("cascade", 0.31), ("terminal", 0.13), ("review", 0.06))
_AUTOMATION_SINCE = at("2025-12-15")
_ROLL_OUT_DAYS = 33
_HOLIDAYS = {
    at("2025-12-24"): 0.3,
    at("2025-12-25"): 0.04,
    at("2025-12-26"): 0.1,
    at("2025-12-29"): 0.4,
    at("2025-12-30"): 0.4,
    at("2025-12-31"): 0.25,
    at("2026-01-01"): 0.04,
    at("2026-01-02"): 0.45,
}

_SESSION_COUNT = 150
_SESSIONS_OF_THE_GONE = (50, 83)


def build(seed: int = SEED) -> World:
    """Grow the world that belongs to a seed."""
    rng = Random(seed)
    people = tuple(_person(number, *row) for number, row in enumerate(_PEOPLE, start=1))
    work = [_session(rng, number, people) for number in range(_SESSION_COUNT)]
    atoms = [atom for _, spent in work for atom in spent]
    atoms += [*_daily_work(rng, people), *_tried_once(people[_TRIED_ONCE - 1]), *_nobodys(rng)]
    return World(
        cycles=CYCLES,
        organizations=tuple(_ORGANIZATIONS.values()),
        people=people,
        service_users=_SERVICE_USERS,
        sessions=tuple(session for session, _ in work),
        atoms=tuple(sorted(atoms, key=lambda atom: atom.day)),
    )


def _person(number: int, name: str, mailbox: str, orgs: str, pace: float) -> Person:
    org_ids = tuple(_ORGANIZATIONS[org].org_id for org in orgs.split())
    directory = (
        "gone" if number == len(_PEOPLE) else "idp-users" if number in _IDP_ROWS else "users"
    )
    address = mailbox if "@" in mailbox or not mailbox else f"{mailbox}@acme.example"
    return Person(
        user_id=_user_id(number),
        email=address or None,
        name=name or None,
        directory=directory,
        orgs=org_ids,
        # Only the first organization is a role: the rest came by groups, so a client must find
        # those pairs by itself.
        roles=() if number % 5 == 0 else org_ids[:1],
        pace=pace,
    )


def _user_id(number: int) -> str:
    if number % 10 == 7:
        return f"google-oauth2|{113_000_000_000_000_000_000 + number * 7_919_000_000_033}"
    if number % 3 == 1:
        return f"email|64f0{number * 2_654_435_761 % 16**10:010x}{number * 40_503 % 16**6:06x}"
    return f"okta|acme|{number:04}"


def _activity(day: int) -> float:
    """Tell how busy a billing day is: 1 is a full working day once everybody has started."""
    weekend = (day // DAY + 3) % 7 >= 5  # 1970-01-01 was a Thursday
    roll_out = min(1.0, 0.4 + 0.6 * (day - DAYS[0]) / (_ROLL_OUT_DAYS * DAY))
    return roll_out * _HOLIDAYS.get(day, 0.12 if weekend else 1.0)


def _daily_work(rng: Random, people: tuple[Person, ...]) -> Iterator[Atom]:
    """Yield what people consume day by day outside the sessions that are listed."""
    for day in DAYS:
        for person in people:
            if person.pace and (person.directory != "gone" or day < _GONE_SINCE):
                yield from _working_day(rng, person, day)


def _working_day(rng: Random, person: Person, day: int) -> Iterator[Atom]:
    busy = _activity(day)
    for product, share in _PRODUCT_SHARES:
        present, where, how_much = rng.random(), rng.random(), rng.random()
        acus = round(person.pace * share * busy * (0.5 + how_much), 2)
        if acus and present < 0.3 + 0.5 * busy:
            org_id = None if product in ("cascade", "terminal") else _workplace(person, where)
            yield Atom(day, product, org_id, person.user_id, None, acus)


def _workplace(person: Person, where: float) -> str:
    """Choose one of the person's organizations, the first of them mostly."""
    return person.orgs[max(0, int((where - 0.6) / 0.4 * len(person.orgs)))]


def _session(rng: Random, number: int, people: tuple[Person, ...]) -> tuple[Session, list[Atom]]:
    """Let a session work for some days; every sixth is long, and may reach into the next cycle."""
    principal_id, org_id = _owner(rng, number, people)
    session_id = f"{int(rng.random() * 16**8):08x}{int(rng.random() * 16**8):08x}"
    begin = DAYS[number * len(DAYS) // _SESSION_COUNT]
    length = 9 if number % 6 == 0 else 1 + int(rng.random() * 3)
    # The last session is still being created: it has consumed nothing yet.
    days = (
        []
        if number == _SESSION_COUNT - 1
        else range(begin, min(begin + length * DAY, DAYS[-1] + DAY), DAY)
    )
    spent = [
        Atom(
            day,
            "devin",
            org_id,
            principal_id,
            session_id,
            round(0.1 + 16 * rng.random() * _activity(day), 2),
        )
        for day in days
    ]
    tags = {1: ("project:apollo",), 4: ("team:web",), 7: ("team:web", "project:apollo")}.get(
        number % 11, ()
    )
    created_at = begin + 600 + int(rng.random() * 36_000)
    updated_at = max(created_at, spent[-1].day + 40_000) if spent else created_at
    return Session(number, session_id, org_id, principal_id, tags, created_at, updated_at), spent


def _owner(rng: Random, number: int, people: tuple[Person, ...]) -> tuple[str, str]:
    """Choose who begins a session and in which organization."""
    chosen, where = rng.random(), rng.random()
    if number % 7 == 3:
        service_user = _SERVICE_USERS[int(chosen * 3)]  # the fourth only reads
        elsewhere = tuple(_ORGANIZATIONS.values())[int(where * 5)].org_id
        return service_user.service_user_id, service_user.org_id or elsewhere
    working = [person for person in people[:-1] if person.pace >= 5]
    person = people[-1] if number in _SESSIONS_OF_THE_GONE else working[int(chosen * len(working))]
    return person.user_id, _workplace(person, where)


def _tried_once(person: Person) -> Iterator[Atom]:
    for acus in (0.1, 0.2):
        yield Atom(at("2025-12-09"), "devin", person.orgs[0], person.user_id, None, acus)


def _nobodys(rng: Random) -> Iterator[Atom]:
    """Yield what no user stands behind: reviews and automations, and usage of nobody at all."""
    platform, asia, sandbox = (
        _ORGANIZATIONS[name].org_id for name in ("platform", "asia", "sandbox")
    )
    for number, day in enumerate(DAYS):
        acus = round(0.4 + 1.2 * rng.random(), 2)
        if number % 6 == 1:
            yield Atom(day, "devin", None, None, None, acus)
        if number % 4 == 2:
            yield Atom(day, "review", platform if number % 8 == 2 else sandbox, None, None, acus)
        if day >= _AUTOMATION_SINCE and number % 4 == 0:
            yield Atom(
                day,
                "automation",
                (platform, asia, sandbox)[number // 4 % 3],
                None,
                None,
                round(3 * acus, 2),
            )
