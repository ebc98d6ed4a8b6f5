"""The v3 API with an enterprise credential: what to ask, in which order, and what the answers mean together."""

from collections.abc import Iterable, Iterator

from reportgen.core.cycle import BillingCycle, cycle_between
from reportgen.core.match import is_pattern, session_key, sessions_named
from reportgen.core.model import Directory, Entry, Principal, PrincipalKind, Rule, Session
from reportgen.core.usage import open_pairs
from reportgen.sources import bodies
from reportgen.sources.ask import Plan, Request
from reportgen.sources.pages import PAGE_SIZE, Pages, all_pages
from reportgen.sources.reading import Asked, Found, Question, Reading
from reportgen.sources.view import ViewReader

CYCLES = "/v3/enterprise/consumption/cycles"
DAILY = "/v3/enterprise/consumption/daily"
ORGANIZATIONS = "/v3/enterprise/organizations"
USERS = "/v3/enterprise/members/users"
IDP_USERS = "/v3/enterprise/members/idp-users"
SERVICE_USERS = "/v3/enterprise/members/service-users"
SESSIONS = "/v3/enterprise/sessions"
SECTION_OF_KIND: dict[PrincipalKind, str] = {"user": "users", "service_user": "service-users"}


def cycles() -> Plan[list[BillingCycle]]:
    """Ask for the billing cycles; the list may be empty, and its order means nothing."""
    lists = yield from all_pages([Request(endpoint=CYCLES, params=(PAGE_SIZE,), shape=bodies.Cycles, required=True)])
    return sorted({cycle_between(item.after, item.before) for item in lists[CYCLES].items})


def consumption(question: Question) -> Plan[Reading]:
    """Ask for everything that the decomposition of a cycle rests on.

    The lists first, then every view of what they name, then C for every pair that is still open.
    """
    found = Found(reader=ViewReader(question.cycle, question.tolerance))
    lists = yield from all_pages(_list_requests(question.cycle))
    for request, refusal in (pair for pages in lists.values() for pair in pages.refused):
        found.refuse(request, refusal)
    directory = _directory(lists)
    pairs = {*_assigned_pairs(lists), *_session_pairs(directory)}
    asked = [*_single_views(question, directory), *(_pair(question.cycle, pair) for pair in sorted(pairs))]
    yield from found.keep(asked)
    open_ = [pair for pair in open_pairs(found.as_views(), directory, question.tolerance) if pair not in pairs]
    yield from found.keep([_pair(question.cycle, pair) for pair in open_])
    return found.as_reading(_with_named(directory, found))


def control_total(cycle: BillingCycle) -> Request:
    """Ask for E, what the vendor itself says was consumed: the figure everything ties out to."""
    return _daily(cycle, DAILY, required=True)


def _list_requests(cycle: BillingCycle) -> list[Request]:
    """Ask who there is, and for the sessions that were alive in the cycle: it may show who has left."""
    alive = (("created_before", str(cycle.before)), ("updated_after", str(cycle.after)))
    return [
        Request(endpoint=ORGANIZATIONS, params=(PAGE_SIZE,), shape=bodies.Organizations),
        Request(endpoint=USERS, params=(PAGE_SIZE,), shape=bodies.Members),
        Request(endpoint=IDP_USERS, params=(PAGE_SIZE,), shape=bodies.Members),
        Request(endpoint=SERVICE_USERS, params=(PAGE_SIZE,), shape=bodies.ServiceUsers),
        Request(endpoint=SESSIONS, params=(PAGE_SIZE, *alive), shape=bodies.Sessions),
    ]


def _directory(lists: dict[str, Pages]) -> Directory:
    entries: dict[Principal, Entry] = {}
    for entry in _listed(lists):
        known = entries.get(entry.principal, entry)
        entries[entry.principal] = Entry(
            principal=entry.principal, email=known.email or entry.email, name=known.name or entry.name
        )
    sessions = [_session(item) for item in lists[SESSIONS].items]
    for session in sessions:
        if session.principal:
            entries.setdefault(session.principal, Entry(principal=session.principal))
    organizations = {session.org_id: session.org_id for session in sessions}
    organizations |= {org_id: org_id for org_id, _ in _assigned_pairs(lists)}
    organizations |= {item.org_id: bodies.clean(item.name) for item in lists[ORGANIZATIONS].items}
    return Directory(
        entries=dict(sorted(entries.items())),
        organizations=dict(sorted(organizations.items())),
        sessions={session.session_id: session for session in sorted(sessions, key=lambda found: found.session_id)},
    )


def _listed(lists: dict[str, Pages]) -> Iterator[Entry]:
    for item in (*lists[USERS].items, *lists[IDP_USERS].items):
        yield _entry("user", item.user_id, item.email, item.name)
    for item in lists[SERVICE_USERS].items:
        yield _entry("service_user", item.service_user_id, None, item.name)


def _entry(kind: PrincipalKind, principal_id: str, email: str | None, name: str | None) -> Entry:
    return Entry(
        principal=Principal(kind, principal_id),
        email=bodies.clean(email) if email else None,
        name=bodies.clean(name) if name else None,
    )


def _session(item: bodies.SessionItem) -> Session:
    principal: Principal | None = None
    if item.user_id:
        principal = Principal("user", item.user_id)
    elif item.service_user_id:
        principal = Principal("service_user", item.service_user_id)
    return Session(
        session_id=session_key(item.session_id), org_id=item.org_id, principal=principal, tags=tuple(item.tags)
    )


def _assigned_pairs(lists: dict[str, Pages]) -> Iterator[tuple[str, Principal]]:
    """Give the pairs that roles name; a role without an organization names none."""
    for item in (*lists[USERS].items, *lists[IDP_USERS].items):
        for role in (*item.role_assignments, *item.idp_role_assignments):
            if role.org_id:
                yield role.org_id, Principal("user", item.user_id)
    for item in lists[SERVICE_USERS].items:
        for role in item.role_assignments:
            if role.org_id:
                yield role.org_id, Principal("service_user", item.service_user_id)


def _session_pairs(directory: Directory) -> Iterator[tuple[str, Principal]]:
    return ((found.org_id, found.principal) for found in directory.sessions.values() if found.principal)


def _single_views(question: Question, directory: Directory) -> Iterator[Asked]:
    """Ask for E, every O and U, and every S that a rule names."""
    cycle = question.cycle
    yield "enterprise", "", control_total(cycle)
    for org_id in directory.organizations:
        yield "organizations", org_id, _daily(cycle, f"{DAILY}/organizations/{{}}", org_id)
    named = _named_principals(question.rules) - directory.entries.keys()
    for kind, principal_id in [*directory.entries, *sorted(named)]:
        principal = Principal(kind, principal_id)
        endpoint = f"{DAILY}/{SECTION_OF_KIND[kind]}/{{}}"
        yield "principals", principal, _daily(cycle, endpoint, principal_id, optional=principal in named)
    for session_id in sorted({session.session_id for _, session in _named_sessions(question, directory)}):
        yield "sessions", session_id, _daily(cycle, f"{DAILY}/sessions/{{}}", session_id, optional=True)


def _named_sessions(question: Question, directory: Directory) -> Iterable[tuple[Rule, Session]]:
    return sessions_named(question.rules, directory.sessions.values())


def _named_principals(rules: Iterable[Rule]) -> set[Principal]:
    """Give the principals whose ids the mapping names: somebody may be in no list any more."""
    users = {
        Principal("user", rule.key)
        for rule in rules
        if rule.section in {"users", "user_file"} and "@" not in rule.key and not is_pattern(rule)
    }
    return users | {Principal("service_user", rule.key) for rule in rules if rule.section == "service_users"}


def _pair(cycle: BillingCycle, pair: tuple[str, Principal]) -> Asked:
    org_id, principal = pair
    endpoint = f"/v3/organizations/{{}}/consumption/daily/{SECTION_OF_KIND[principal.kind]}/{{}}"
    return "pairs", pair, _daily(cycle, endpoint, org_id, principal.id)


def _daily(
    cycle: BillingCycle, endpoint: str, *values: str, required: bool = False, optional: bool = False
) -> Request:
    """Ask with the cycle's own bounds, passed on unchanged."""
    return Request(
        endpoint=endpoint,
        values=values,
        params=(("time_after", str(cycle.after)), ("time_before", str(cycle.before))),
        shape=bodies.Consumption,
        required=required,
        optional=optional,
    )


def _with_named(directory: Directory, found: Found) -> Directory:
    """Add the principals that no list knows, but whose usage was answered."""
    named = {principal: Entry(principal=principal) for principal in found.views["principals"]}
    return Directory(
        entries=dict(sorted((named | dict(directory.entries)).items())),
        organizations=directory.organizations,
        sessions=directory.sessions,
    )
