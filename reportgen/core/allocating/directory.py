"""What is known of people and organizations, joined over lists, sessions and earlier cycles.

Nobody who was ever seen is forgotten: a rule for an e-mail still has to match who has left since.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from itertools import count, islice

from reportgen.core.model import Directory, Entry, Principal


def principal_of(kind: str, principal_id: str) -> Principal:
    """Name the principal of a row whose kind is a text: a service user, or whoever used ACUs."""
    return Principal("service_user" if kind == "service_user" else "user", principal_id)


def joined(first: Directory, second: Directory) -> Directory:
    """Give all that either knows; the first counts, the second fills what it leaves open.

    An organization without a name is called by its id. Sessions are the first's: they belong to one
    cycle.
    """
    unnamed = {org_id for org_id, name in first.organizations.items() if name == org_id}
    named = {org_id: name for org_id, name in first.organizations.items() if org_id not in unnamed}
    organizations = {org_id: org_id for org_id in unnamed} | dict(second.organizations) | named
    return Directory(
        entries=by_principal((*first.entries.values(), *second.entries.values())),
        organizations=dict(sorted(organizations.items())),
        sessions=first.sessions,
    )


def recalled(known: Directory, remembered: Directory) -> Directory:
    """Fill what is remembered of those who are known; who is only remembered is not added."""
    entries = {key: entry for key, entry in remembered.entries.items() if key in known.entries}
    organizations = {
        key: name for key, name in remembered.organizations.items() if key in known.organizations
    }
    return joined(known, Directory(entries=entries, organizations=organizations))


def with_answered(
    known: Directory, principals: Iterable[Principal], organizations: Iterable[str]
) -> Directory:
    """Add who and what no list knows, but whose usage was answered."""
    return joined(
        known,
        Directory(
            entries={principal: Entry(principal=principal) for principal in principals},
            organizations={org_id: org_id for org_id in organizations},
        ),
    )


def by_principal(entries: Iterable[Entry]) -> Mapping[Principal, Entry]:
    """Give one entry per principal, sorted; the first that has an e-mail or a name counts."""
    known: dict[Principal, Entry] = {}
    for entry in entries:
        first = known.get(entry.principal, entry)
        email, name, number = (
            first.email or entry.email,
            first.name or entry.name,
            first.number or entry.number,
        )
        known[entry.principal] = Entry(
            principal=entry.principal, email=email, name=name, number=number
        )
    return dict(sorted(known.items()))


def numbered(known: Directory, secret: str) -> Directory:
    """Give everybody who has no number the next one; no two have the same.

    Newcomers are numbered in an order that only who knows the secret can tell, so that a list of
    ids resolves none.
    """
    taken: dict[int, Principal] = {}
    for principal, entry in known.entries.items():
        if entry.number:
            taken.setdefault(entry.number, principal)
    held = set(taken.values())
    new = (principal for principal in known.entries if principal not in held)
    newcomers = sorted(new, key=lambda principal: _shuffled(principal, secret))
    fresh = dict(zip(newcomers, islice(count(max(taken, default=0)), 1, None), strict=False))
    entries = {
        principal: replace(entry, number=fresh.get(principal, entry.number))
        for principal, entry in known.entries.items()
    }
    return replace(known, entries=entries)


def _shuffled(principal: Principal, secret: str) -> str:
    return sha256("\0".join((secret, *principal)).encode()).hexdigest()
