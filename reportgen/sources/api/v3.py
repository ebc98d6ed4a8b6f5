"""The v3 API with an enterprise credential: what to ask, in which order, and what it means."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from typing import NamedTuple

from reportgen.core.allocating.match import sessions_named
from reportgen.core.allocating.usage import open_pairs
from reportgen.core.cycle import BillingCycle, billing_day, cycle_between
from reportgen.core.model import Directory, MissingView, Pair, Principal, PrincipalKind, Session
from reportgen.core.problem import Problem
from reportgen.sources.api import bodies, directory
from reportgen.sources.api.largest import ask_largest, unknown_of, wholeness
from reportgen.sources.api.pages import PAGE_SIZE, Pages, all_pages
from reportgen.sources.api.plan import Plan, Request
from reportgen.sources.api.reading import (
    AT_A_TIME,
    Asked,
    Findings,
    KnownCycles,
    Question,
    Reading,
    plausible,
)
from reportgen.sources.api.tagged import ask_tagged
from reportgen.sources.api.views import ViewReader

CYCLES = "/v3/enterprise/consumption/cycles"
DAILY = "/v3/enterprise/consumption/daily"
ORGANIZATIONS = "/v3/enterprise/organizations"
USERS = "/v3/enterprise/members/users"
IDP_USERS = "/v3/enterprise/members/idp-users"
SERVICE_USERS = "/v3/enterprise/members/service-users"
SESSIONS = "/v3/enterprise/sessions"
DAILY_OF_ORGANIZATION = f"{DAILY}/organizations/{{}}"
DAILY_OF_SESSION = f"{DAILY}/sessions/{{}}"
PAIR = "/v3/organizations/{}/consumption/daily/{}/{}"
MOST_OPEN_PAIRS = 100_000
"""So many questions take a night at eight requests at a time."""
SECTION_OF_KIND: dict[PrincipalKind, str] = {"user": "users", "service_user": "service-users"}
DAILY_OF_KIND = {kind: f"{DAILY}/{section}/{{}}" for kind, section in SECTION_OF_KIND.items()}
PAIR_OF_KIND = {kind: PAIR.format("{}", section, "{}") for kind, section in SECTION_OF_KIND.items()}


class _Lists(NamedTuple):
    """Everything that tells who there is, in the order of `_list_requests`."""

    organizations: Pages
    users: Pages
    idp_users: Pages
    service_users: Pages
    sessions: Pages


def cycles() -> Plan[KnownCycles]:
    """Ask for the billing cycles."""
    request = Request(endpoint=CYCLES, params=(PAGE_SIZE,), shape=bodies.Cycles)
    (pages,) = yield from all_pages([request])
    told, odd = plausible(map(_cycle, pages.items), CYCLES)
    closed = [_closed_end(listed) for listed in pages.items if _is_closed(listed)]
    return KnownCycles(
        cycles=told,
        refused=pages.refused.recorded.status if pages.refused else 0,
        warnings=(*map(_cycles_unknown, filter(None, [pages.broken_off()])), *closed[:1], *odd),
    )


def _cycle(listed: bodies.Cycle) -> BillingCycle:
    """Read a cycle; one that ends at the last second of a day keeps it. Bounds stay as told."""
    cycle = cycle_between(listed.after, listed.before)
    return replace(cycle, end=billing_day(listed.before + 1)) if _is_closed(listed) else cycle


def _is_closed(listed: bodies.Cycle) -> bool:
    """Tell whether a cycle ends at 23:59:59, so that its end is still part of it."""
    return billing_day(listed.before) != billing_day(listed.before + 1)


def _closed_end(listed: bodies.Cycle) -> Problem:
    ended = datetime.fromtimestamp(listed.before, UTC).isoformat()
    return Problem(
        source=f"GET {CYCLES}",
        message=f"a cycle ends at {ended}, the last second of a day",
        hint="that day is taken for its last one",
        warning=True,
        code="cycle-ends-early",
    )


def _cycles_unknown(missing: MissingView) -> Problem:
    hint = "cycles may be missing; ask the vendor"
    return Problem(
        source=f"GET {CYCLES}",
        message=missing.message,
        hint=hint,
        warning=True,
        code="cycles-incomplete",
    )


def consumption(question: Question) -> Plan[Reading]:
    """Ask for everything that the decomposition of a cycle rests on.

    The lists first, then every view of what they name, then C for every pair that is still open.
    """
    findings = Findings(reader=ViewReader(question.cycle, question.tolerance))
    reading = {bodies.Sessions: directory.SessionReader().read}
    lists = _Lists(*(yield from all_pages(_list_requests(question.cycle), reading)))
    findings.check_lists(lists)
    known = _directory(lists)
    listed = wholeness([lists.sessions])
    unknown = unknown_of(question, known, listed)
    pairs = {*_assigned_pairs(lists), *directory.session_pairs(known)}
    del lists  # what they hold is known, and by the hundred thousand
    asked = [
        *_single_views(question, known),
        *(_pair(question.cycle, pair) for pair in sorted(pairs)),
    ]
    yield from findings.keep(asked)
    yield from _ask_open_pairs(findings, question, known, pairs)
    ask = partial(_session, question.cycle)
    yield from ask_largest(findings, question, known, unknown, ask)
    yield from ask_tagged(findings, question, known, listed, ask)
    return findings.as_reading(known, question.remembered, findings.views["principals"])


def _ask_open_pairs(
    findings: Findings, question: Question, known: Directory, asked: set[Pair]
) -> Plan[None]:
    """Ask C for the pairs that are still open, so that no residual has to be left out."""

    def still_open() -> list[Pair]:
        return [
            pair
            for pair in open_pairs(findings.as_views(), known, question.tolerance)
            if pair not in asked
        ]

    yield from ask_in_parts(findings, still_open, partial(_pair, question.cycle), asked)


def ask_in_parts(
    findings: Findings,
    still_open: Callable[[], list[Pair]],
    ask: Callable[[Pair], Asked],
    asked: set[Pair],
) -> Plan[None]:
    """Ask C for the pairs that are still open, a part at a time: every answer may close others.

    Where nobody knows who works where, they may be more than a night can ask; the rest stays
    unknown, and is named. What was asked is added to `asked`, and is open no more.
    """
    left = MOST_OPEN_PAIRS
    while pairs := still_open():
        part = pairs[: min(left, max(AT_A_TIME, len(pairs) // 4))]
        if not part:
            path = PAIR.format("{id}", "users", "{id}")
            left_out = MissingView(request=path, reason="not asked", count=len(pairs))
            findings.incomplete += (left_out,)
            return
        yield from findings.keep([ask(pair) for pair in part])
        asked.update(part)
        left -= len(part)


def control_total(cycle: BillingCycle) -> Request:
    """Ask for E, what the vendor itself says was consumed: the figure everything ties out to."""
    return daily(cycle, DAILY, required=True)


def principal_total(cycle: BillingCycle, principal: Principal) -> Request:
    """Ask for U, what somebody used wherever that was."""
    return daily(cycle, DAILY_OF_KIND[principal.kind], principal.id)


def daily(
    cycle: BillingCycle,
    endpoint: str,
    *values: str,
    required: bool = False,
    optional: bool = False,
    credential: str = "",
    view: str = "",
) -> Request:
    """Ask for a view with the cycle's own bounds, passed on unchanged."""
    return Request(
        endpoint=endpoint,
        values=values,
        params=_bounds(cycle),
        shape=bodies.Consumption,
        required=required,
        optional=optional,
        credential=credential,
        view=view,
    )


@cache
def _bounds(cycle: BillingCycle) -> tuple[tuple[str, str], ...]:
    """Give the bounds once for all requests: there are tens of thousands of them."""
    return ("time_after", str(cycle.after)), ("time_before", str(cycle.before))


def alive_in(cycle: BillingCycle) -> tuple[tuple[str, str], ...]:
    """Give the parameters for sessions that were alive in a cycle: they may show who has left."""
    return PAGE_SIZE, ("created_before", str(cycle.before)), ("updated_after", str(cycle.after))


def _list_requests(cycle: BillingCycle) -> list[Request]:
    return [
        Request(endpoint=ORGANIZATIONS, params=(PAGE_SIZE,), shape=bodies.Organizations),
        Request(endpoint=USERS, params=(PAGE_SIZE,), shape=bodies.Members),
        Request(endpoint=IDP_USERS, params=(PAGE_SIZE,), shape=bodies.Members),
        Request(endpoint=SERVICE_USERS, params=(PAGE_SIZE,), shape=bodies.ServiceUsers),
        Request(endpoint=SESSIONS, params=alive_in(cycle), shape=bodies.Sessions),
    ]


def _directory(lists: _Lists) -> Directory:
    named = ((org_id, org_id) for org_id, _ in _assigned_pairs(lists))
    listed = (
        (listed.org_id, directory.shown_name(listed.name)) for listed in lists.organizations.items
    )
    return directory.assembled(
        entries=(
            *directory.members(lists.users.items),
            *directory.members(lists.idp_users.items),
            *directory.service_users(lists.service_users.items),
        ),
        sessions=lists.sessions.items,
        organizations=(*named, *listed),
    )


def _assigned_pairs(lists: _Lists) -> Iterator[Pair]:
    """Give the pairs that roles name; a role without an organization names none."""
    for listed in (*lists.users.items, *lists.idp_users.items):
        for role in (*listed.role_assignments, *listed.idp_role_assignments):
            if role.org_id:
                yield role.org_id, Principal("user", listed.user_id)
    for listed in lists.service_users.items:
        for role in listed.role_assignments:
            if role.org_id:
                yield role.org_id, Principal("service_user", listed.service_user_id)


def _single_views(question: Question, known: Directory) -> Iterator[Asked]:
    """Ask for E, every O and U, and every S that a rule names."""
    cycle = question.cycle
    yield "enterprise", "", control_total(cycle)
    gone = question.remembered.organizations.keys() - known.organizations.keys()
    for org_id in [*known.organizations, *sorted(gone)]:
        request = daily(cycle, DAILY_OF_ORGANIZATION, org_id, optional=org_id in gone)
        yield "organizations", org_id, request
    named = directory.once_known(question.rules, question.remembered) - known.entries.keys()
    for principal in [*known.entries, *sorted(named)]:
        endpoint = DAILY_OF_KIND[principal.kind]
        request = daily(cycle, endpoint, principal.id, optional=principal in named)
        yield "principals", principal, request
    sessions = sessions_named(question.rules, known.sessions.values())
    named_sessions = {session.session_id: session for _, session in sessions}
    for session_id, session in sorted(named_sessions.items()):
        yield "sessions", session_id, _session(cycle, session)


def _session(cycle: BillingCycle, session: Session) -> Request:
    return daily(cycle, DAILY_OF_SESSION, session.session_id, optional=True)


def _pair(cycle: BillingCycle, pair: Pair) -> Asked:
    org_id, principal = pair
    endpoint = PAIR_OF_KIND[principal.kind]
    view = endpoint.format(org_id, "{id}")
    return "pairs", pair, daily(cycle, endpoint, org_id, principal.id, view=view)
