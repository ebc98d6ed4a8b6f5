"""The v3 API with organization credentials, one per organization: no enterprise path is touched.

There is no enterprise total and no user's total, so the control total is the sum over the
organizations given.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product

from reportgen.core.allocating.match import sessions_named
from reportgen.core.allocating.usage import with_unknown_users
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import Directory, Pair, Principal, Session
from reportgen.sources.api import bodies, directory
from reportgen.sources.api.largest import ask_largest, unknown_of, wholeness
from reportgen.sources.api.pages import PAGE_SIZE, Pages, all_pages
from reportgen.sources.api.plan import Plan, Request
from reportgen.sources.api.reading import Asked, Findings, Question, Reading
from reportgen.sources.api.tagged import ask_tagged
from reportgen.sources.api.v3 import SECTION_OF_KIND, alive_in, ask_in_parts, daily
from reportgen.sources.api.views import ViewReader, sum_of

DAILY = "/v3/organizations/{}/consumption/daily"
USERS = "/v3beta1/organizations/{}/members/users"
IDP_USERS = "/v3beta1/organizations/{}/members/idp-users"
SESSIONS = "/v3/organizations/{}/sessions"


def consumption(question: Question) -> Plan[Reading]:
    """Ask each organization for its members and sessions, its days, and those of all in it."""
    findings = Findings(reader=ViewReader(question.cycle, question.tolerance))
    org_ids = question.organizations
    requests = [request for org_id in org_ids for request in _list_requests(org_id, question.cycle)]
    reading = {bodies.Sessions: directory.SessionReader().read}
    lists = yield from all_pages(requests, reading)
    findings.check_lists(lists)
    known = _directory(org_ids, lists)
    listed = wholeness(filter(_is_of_sessions, lists))
    unknown = unknown_of(question, known, listed)
    asked = [*_views(question, known, lists)]
    del lists  # what they hold is known, and by the hundred thousand
    yield from findings.keep(asked)
    findings.views["enterprise"][""] = sum_of(findings.views["organizations"].values())
    pairs = {pair for kind, pair, _ in asked if kind == "pairs"}
    yield from _ask_who_else(findings, question, known, pairs)
    ask = partial(_session, question.cycle)
    yield from ask_largest(findings, question, known, unknown, ask)
    yield from ask_tagged(findings, question, known, listed, ask)
    answered = (principal for _, principal in findings.views["pairs"])
    return findings.as_reading(known, question.remembered, answered)


def control_totals(question: Question) -> list[Request]:
    """Ask for every O: together they are the control total."""
    return [
        daily(question.cycle, DAILY, org_id, required=True, credential=org_id)
        for org_id in question.organizations
    ]


def principal_totals(question: Question, principals: Sequence[Principal]) -> list[Request]:
    """Ask for C of some in every organization: without an enterprise, nobody has a U."""
    return [
        request
        for pair in product(question.organizations, principals)
        for _, _, request in [_pair(question.cycle, pair, optional=False)]
    ]


def _list_requests(org_id: str, cycle: BillingCycle) -> list[Request]:
    members, sessions = (PAGE_SIZE,), alive_in(cycle)
    asked = (
        (USERS, members, bodies.Members),
        (IDP_USERS, members, bodies.Members),
        (SESSIONS, sessions, bodies.Sessions),
    )
    return [
        Request(
            endpoint=endpoint,
            values=(org_id,),
            params=params,
            shape=shape,
            credential=org_id,
            view=endpoint.format(org_id),
        )
        for endpoint, params, shape in asked
    ]


def _directory(org_ids: Sequence[str], lists: Sequence[Pages]) -> Directory:
    members = (listed for pages in lists if not _is_of_sessions(pages) for listed in pages.items)
    sessions = (listed for pages in lists if _is_of_sessions(pages) for listed in pages.items)
    return directory.assembled(
        entries=directory.members(members),
        sessions=sessions,
        organizations=[(org_id, org_id) for org_id in org_ids],
    )


def _is_of_sessions(pages: Pages) -> bool:
    return pages.request.endpoint == SESSIONS


def _views(question: Question, known: Directory, lists: Sequence[Pages]) -> Iterator[Asked]:
    """Ask for every O, for C of everybody seen in it, and for every S that a rule names."""
    for request in control_totals(question):
        yield "organizations", request.credential, request
    pairs = {*_member_pairs(lists), *directory.session_pairs(known)}
    for pair in sorted(pairs):
        yield _pair(question.cycle, pair, optional=False)
    named = directory.named_principals(question.rules)
    for pair in sorted(set(product(question.organizations, named)) - pairs):
        yield _pair(question.cycle, pair, optional=True)
    sessions = sessions_named(question.rules, known.sessions.values())
    named_sessions = {session.session_id: session for _, session in sessions}
    for session_id, session in sorted(named_sessions.items()):
        yield "sessions", session_id, _session(question.cycle, session)


def _ask_who_else(
    findings: Findings, question: Question, known: Directory, asked: set[Pair]
) -> Plan[None]:
    """Ask for C of everybody else in the organizations whose days are not explained yet.

    Whoever is only remembered comes first, as no list has them; the others are listed elsewhere.
    """
    gone = question.remembered.entries.keys() - known.entries.keys()
    everybody = (*sorted(gone), *sorted(known.entries))

    def still_open() -> list[Pair]:
        unexplained = with_unknown_users(findings.as_views(), known, question.tolerance)
        pairs = ((org_id, principal) for principal in everybody for org_id in unexplained)
        return [pair for pair in pairs if pair not in asked]

    ask = partial(_pair, question.cycle, optional=True)
    yield from ask_in_parts(findings, still_open, ask, asked)


def _member_pairs(lists: Sequence[Pages]) -> Iterator[Pair]:
    for pages in lists:
        if not _is_of_sessions(pages):
            org_id = pages.request.credential
            yield from ((org_id, Principal("user", listed.user_id)) for listed in pages.items)


def _pair(cycle: BillingCycle, pair: Pair, *, optional: bool) -> Asked:
    org_id, principal = pair
    endpoint = f"{DAILY}/{SECTION_OF_KIND[principal.kind]}/{{}}"
    view = endpoint.format(org_id, "{id}")
    request = daily(
        cycle, endpoint, org_id, principal.id, optional=optional, credential=org_id, view=view
    )
    return "pairs", pair, request


def _session(cycle: BillingCycle, session: Session) -> Request:
    endpoint, org_id = f"{DAILY}/sessions/{{}}", session.org_id
    view = endpoint.format(org_id, "{id}")
    return daily(
        cycle, endpoint, org_id, session.session_id, optional=True, credential=org_id, view=view
    )
