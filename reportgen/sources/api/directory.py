"""Who is who: what lists and sessions say of principals, whichever version of the API said it."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from sys import intern

from reportgen.core.allocating.directory import by_principal
from reportgen.core.allocating.match import is_pattern, session_key
from reportgen.core.cycle import day_of_instant
from reportgen.core.model import (
    Directory,
    Entry,
    Pair,
    Principal,
    PrincipalKind,
    PullRequest,
    Rule,
    Session,
)
from reportgen.core.money import is_quantity
from reportgen.core.text import clipped, legible, visible
from reportgen.sources.api import bodies

LONGEST_NAME = 320
"""Characters, as many as an e-mail may have."""
LONGEST_TITLE, LONGEST_URL, LONGEST_STATE = 200, 2000, 40
"""Characters of what is shown of a session; a cut address would lead elsewhere, so it is left out.
"""


def assembled(
    entries: Iterable[Entry], sessions: Iterable[Session], organizations: Iterable[tuple[str, str]]
) -> Directory:
    """Join what is known: owners of sessions are somebody, even where no list has them any more.

    `organizations` are ids and names; the last name of an id counts.
    """
    by_id = {session.session_id: session for session in sessions}
    owners = (Entry(principal=owner) for session in by_id.values() for owner in session.claimed_by)
    names = {session.org_id: session.org_id for session in by_id.values()} | dict(organizations)
    return Directory(
        entries=by_principal((*entries, *owners)),
        organizations=dict(sorted(names.items())),
        sessions=dict(sorted(by_id.items())),
    )


def members(items: Iterable[bodies.Member]) -> Iterator[Entry]:
    """Read users."""
    return (_entry("user", listed.user_id, listed.email, listed.name) for listed in items)


def service_users(items: Iterable[bodies.ServiceUser]) -> Iterator[Entry]:
    """Read service users."""
    return (_entry("service_user", listed.service_user_id, None, listed.name) for listed in items)


class SessionReader:
    """Reads sessions as they are listed; what many have in common is held once.

    There may be very many, so none is held as it was listed.
    """

    def __init__(self) -> None:
        """Start with nothing read."""
        self._principals: dict[Principal, Principal] = {}
        self._claims: dict[tuple[Principal, ...], tuple[Principal, ...]] = {}
        self._tags: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._days: dict[date | None, date | None] = {}
        self._acus: dict[Decimal | None, Decimal | None] = {}

    def read(self, items: Iterable[bodies.ListedSession]) -> Iterator[Session]:
        """Read sessions and their owners."""
        for listed in items:
            owners = self._owners(listed)
            tags = tuple(map(intern, listed.tags))
            acus = _quantity(listed.acus_consumed)
            yield Session(
                session_id=session_key(listed.session_id),
                org_id=intern(listed.org_id),
                principal=owners[0] if len(owners) == 1 else None,
                tags=self._tags.setdefault(tags, tags),
                claimed_by=owners,
                title=clipped(legible(listed.title or ""), LONGEST_TITLE),
                url=_address(listed.url),
                status=_state(listed.status),
                pull_requests=_pull_requests(listed.pull_requests or ()),
                lifetime_acus=self._acus.setdefault(acus, acus),
                created=self._day(_began(listed.created_at)),
                updated=self._day(_ended(listed.updated_at)),
            )

    def _owners(self, listed: bodies.ListedSession) -> tuple[Principal, ...]:
        told = (self._principals.setdefault(owner, owner) for owner in _owners(listed))
        owners = tuple(told)
        return self._claims.setdefault(owners, owners)

    def _day(self, day: date | None) -> date | None:
        return self._days.setdefault(day, day)


def shown_name(name: str) -> str:
    """Give a name as documents can carry it: of one without end the beginning."""
    return clipped(legible(name), LONGEST_NAME)


def too_long(items: Iterable[object]) -> int:
    """Count the entries of a list whose name or e-mail is cut."""
    fields = ("name", "email", "org_name")
    return sum(
        any(len(getattr(listed, field, None) or "") > LONGEST_NAME for field in fields)
        for listed in items
    )


def session_pairs(known: Directory) -> Iterator[Pair]:
    """Give the pairs that sessions show."""
    for session in known.sessions.values():
        yield from ((session.org_id, owner) for owner in session.claimed_by)


def named_principals(rules: Iterable[Rule]) -> set[Principal]:
    """Give the principals whose ids the mapping names: somebody may be in no list any more.

    Of the HR export only what has the form of a user's id: a whole company's list holds personnel
    numbers and dashes as well, and each would be asked for.
    """
    named = set()
    for rule in rules:
        if rule.section == "service_users":
            named.add(Principal("service_user", rule.key))
        elif _is_id(rule):
            named.add(Principal("user", visible(rule.key)))
    return named


def once_known(rules: Iterable[Rule], remembered: Directory) -> set[Principal]:
    """Give the principals that the mapping names or earlier cycles knew; some of them have left."""
    return named_principals(rules) | remembered.entries.keys()


def _owners(listed: bodies.ListedSession) -> Iterator[Principal]:
    if listed.user_id:
        yield Principal("user", listed.user_id)
    if listed.service_user_id:
        yield Principal("service_user", listed.service_user_id)


def _pull_requests(listed: Iterable[bodies.ListedPullRequest]) -> tuple[PullRequest, ...]:
    """Read what a session opened, once each; without an address there is nothing to show."""
    by_url = {}
    for one in listed:
        if url := _address(one.pr_url or one.url):
            by_url[url] = PullRequest(url, _state(one.pr_state or one.state))
    return tuple(by_url.values())


def _address(url: str | None) -> str:
    """Give an address as documents can carry it; one without end is none."""
    address = legible(url or "")
    return address if len(address) <= LONGEST_URL else ""


def _state(state: str | None) -> str:
    """Give a word for a state; a few of them stand for thousands of sessions."""
    return intern(clipped(legible(state or ""), LONGEST_STATE))


def _quantity(acus: Decimal | None) -> Decimal | None:
    """Give a number of ACUs that can be reckoned with."""
    return acus if acus is not None and is_quantity(acus) else None


def _began(instant: int | datetime | None) -> date | None:
    """Give the billing day that was running."""
    return None if instant is None else day_of_instant(_aware(instant))


def _ended(instant: int | datetime | None) -> date | None:
    """Give the last billing day that can have been running: its label is no later than the date."""
    return None if instant is None else _aware(instant).astimezone(UTC).date()


def _aware(instant: int | datetime) -> datetime:
    if isinstance(instant, int):
        return datetime.fromtimestamp(instant, UTC)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _is_id(rule: Rule) -> bool:
    """Tell whether a rule names a user by the id, which holds a bar, such as `email|0a1b`."""
    if rule.section == "user_file":
        return "@" not in rule.key and "|" in rule.key
    return rule.section == "users" and "@" not in rule.key and not is_pattern(rule)


def _entry(kind: PrincipalKind, principal_id: str, email: str | None, name: str | None) -> Entry:
    return Entry(
        principal=Principal(kind, principal_id),
        email=shown_name(email) if email else None,
        name=shown_name(name) if name else None,
    )
