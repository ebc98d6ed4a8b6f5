"""The sample's world, cut to some people and days: its oddities, at a tenth of the work.

`python -m tests.scenarios.small_world` records it: small.jsonl, beside this file.
"""

from pathlib import Path

from tests.fakeapi.sample import World, at, build, record

RECORDED = Path(__file__).with_name("small.jsonl")
DAYS = {
    *("2025-11-05", "2025-11-06", "2025-12-04"),
    *("2025-12-05", "2025-12-09", "2025-12-16", "2026-01-01", "2026-01-04"),
}
NAMES = {
    *("Ada Brennan", "Alan Whitaker", "Grace Oyelaran", "Hannah Goldberg", "Hiroshi Nakamura"),
    *("渡辺 さくら", "Marco Bianchi", "Nadia Karimi", "Build Kiosk"),
}


def small_world() -> World:
    """Keep some who are in the list of users and all who are not, on the days above."""
    world = build()
    days = {at(day) for day in DAYS}
    people = tuple(
        person for person in world.people if person.name in NAMES or person.directory != "users"
    )
    principals = {
        None,
        *(person.user_id for person in people),
        *(service_user.service_user_id for service_user in world.service_users),
    }
    atoms = tuple(
        atom for atom in world.atoms if atom.day in days and atom.principal_id in principals
    )
    begun = {atom.session_id for atom in atoms}
    sessions = tuple(session for session in world.sessions if session.session_id in begun)
    return world._replace(people=people, atoms=atoms, sessions=sessions)


if __name__ == "__main__":
    RECORDED.write_bytes(record(small_world(), sessions=0))
