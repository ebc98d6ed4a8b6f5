"""The v3 API with an enterprise credential: what to ask, in which order, and what the answers mean together."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from reportgen.core.cycle import BillingCycle, cycle_between
from reportgen.core.match import is_pattern, session_key, sessions_named
from reportgen.core.model import Directory, Entry, Principal, PrincipalKind, Rule, Session, View, Views
from reportgen.core.problem import Problem
from reportgen.core.usage import open_pairs
from reportgen.sources import bodies
from reportgen.sources.ask import Answer, Plan, Request
from reportgen.sources.view import ViewReader

CYCLES = "/v3/enterprise/consumption/cycles"
DAILY = "/v3/enterprise/consumption/daily"
ORGANIZATIONS = "/v3/enterprise/organizations"
USERS = "/v3/enterprise/members/users"
IDP_USERS = "/v3/enterprise/members/idp-users"
SERVICE_USERS = "/v3/enterprise/members/service-users"
SESSIONS = "/v3/enterprise/sessions"
SECTION_OF_KIND: dict[PrincipalKind, str] = {"user": "users", "service_user": "service-users"}
PAGE_SIZE = ("first", "200")

ViewKind = Literal["enterprise", "organizations", "principals", "pairs", "sessions"]
Asked = tuple[ViewKind, Any, Request]
"""A request for a view, and where the view belongs: organization id, principal, pair or session id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is to be found out: a cycle, and the rules that name somebody or something in it."""

    cycle: BillingCycle
    rules: tuple[Rule, ...]
    tolerance: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What the API said of a cycle; `missing_views` are the questions it refused."""

    views: Views
    directory: Directory
    missing_views: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()


@dataclass(kw_only=True, slots=True)
class _Found:
    """The answers so far, sorted by what they are about."""

    reader: ViewReader
    views: dict[ViewKind, dict[Any, View]] = field(default_factory=lambda: defaultdict(dict))
    refused: Counter[tuple[str, int]] = field(default_factory=Counter)

    def keep(self, asked: Sequence[Asked]) -> Plan[None]:
        """Ask for views and keep what comes back."""
        answers = yield [request for _, _, request in asked]
        for kind, key, request in asked:
            found = answers.get(request.line)
            if found and found.body is None:
                self.refuse(request, found)
            elif found:
                self.views[kind][key] = self.reader.read(request.target, found.body)

    def refuse(self, request: Request, found: Answer) -> None:
        """Count a refusal, unless the configuration alone made us ask."""
        if not request.optional:
            self.refused[request.endpoint.replace("{}", "{id}"), found.recorded.status] += 1

    def as_views(self) -> Views:
        """Give the views; the enterprise's is always there, as it is required."""
        return Views(
            enterprise=self.views["enterprise"][""],
            organizations=self.views["organizations"],
            principals=self.views["principals"],
            pairs=self.views["pairs"],
            sessions=self.views["sessions"],
            unspecified_within_tolerance=self.reader.rest,
        )


def cycles() -> Plan[list[BillingCycle]]:
    """Ask for the billing cycles; the list may be empty, and its order means nothing."""
    lists = yield from _all_pages([Request(endpoint=CYCLES, params=(PAGE_SIZE,), shape=bodies.Cycles, required=True)])
    return sorted({cycle_between(item.after, item.before) for item in lists[CYCLES].items})


def consumption(question: Question) -> Plan[Reading]:
    """Ask for everything that the decomposition of a cycle rests on.

    The lists first, then every view of what they name, then C for every pair that is still open.
    """
    found = _Found(reader=ViewReader(question.cycle, question.tolerance))
    lists = yield from _all_pages(_list_requests(question.cycle))
    for request, refusal in (pair for pages in lists.values() for pair in pages.refused):
        found.refuse(request, refusal)
    directory = _directory(lists)
    pairs = {*_assigned_pairs(lists), *_session_pairs(directory)}
    asked = [*_single_views(question, directory), *(_pair(question.cycle, pair) for pair in sorted(pairs))]
    yield from found.keep(asked)
    open_ = [pair for pair in open_pairs(found.as_views(), directory, question.tolerance) if pair not in pairs]
    yield from found.keep([_pair(question.cycle, pair) for pair in open_])
    return Reading(
        views=found.as_views(),
        directory=_with_named(directory, found),
        missing_views=tuple(
            f"GET {path}: {count} answered {status}" for (path, status), count in sorted(found.refused.items())
        ),
        warnings=tuple(found.reader.warnings()),
    )


def control_total(cycle: BillingCycle) -> Request:
    """Ask for E, what the vendor itself says was consumed: the figure everything ties out to."""
    return _daily(cycle, DAILY, required=True)


@dataclass(kw_only=True, slots=True)
class _Pages:
    """All items of a list, or the refusal that came instead."""

    items: list[Any] = field(default_factory=list)
    refused: list[tuple[Request, Answer]] = field(default_factory=list)


def _all_pages(first: Sequence[Request]) -> Plan[dict[str, _Pages]]:
    """Follow every list to its end; a cursor that comes back ends it, as it would never end."""
    lists = {request.endpoint: _Pages() for request in first}
    pending, seen = list(first), {request.line for request in first}
    while pending:
        answers = yield pending
        following: list[Request] = []
        for request in pending:
            found = answers[request.line]
            if found.body is None:
                lists[request.endpoint].refused.append((request, found))
                continue
            lists[request.endpoint].items += found.body.items
            following += _next_page(request, found.body)
        pending = [request for request in following if request.line not in seen]
        seen |= {request.line for request in pending}
    return lists


def _next_page(request: Request, page: bodies.Page) -> Iterator[Request]:
    if page.has_next_page and page.end_cursor:
        params = dict(request.params) | {"after": page.end_cursor}
        yield Request(
            endpoint=request.endpoint, params=tuple(params.items()), shape=request.shape, required=request.required
        )


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


def _directory(lists: dict[str, _Pages]) -> Directory:
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


def _listed(lists: dict[str, _Pages]) -> Iterator[Entry]:
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


def _assigned_pairs(lists: dict[str, _Pages]) -> Iterator[tuple[str, Principal]]:
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


def _with_named(directory: Directory, found: _Found) -> Directory:
    """Add the principals that no list knows, but whose usage was answered."""
    named = {principal: Entry(principal=principal) for principal in found.views["principals"]}
    return Directory(
        entries=dict(sorted((named | dict(directory.entries)).items())),
        organizations=directory.organizations,
        sessions=directory.sessions,
    )
