"""The v3 API with organization credentials, one per organization: no enterprise path is touched.

There is no enterprise total and no user's total, so the control total is the sum over the
organizations given.
"""

from collections.abc import Iterator, Sequence

from reportgen.core.cycle import BillingCycle
from reportgen.core.match import sessions_named
from reportgen.core.model import Directory, Pair, Principal
from reportgen.core.usage import with_a_rest
from reportgen.sources.api import bodies, directory
from reportgen.sources.api.pages import PAGE_SIZE, Pages, all_pages
from reportgen.sources.api.plan import Plan, Request
from reportgen.sources.api.reading import Asked, Found, Question, Reading
from reportgen.sources.api.v3 import SECTION_OF_KIND, alive_in, ask_in_parts, daily
from reportgen.sources.api.views import ViewReader, sum_of

DAILY = "/v3/organizations/{}/consumption/daily"
USERS = "/v3beta1/organizations/{}/members/users"
IDP_USERS = "/v3beta1/organizations/{}/members/idp-users"
SESSIONS = "/v3/organizations/{}/sessions"


def consumption(question: Question) -> Plan[Reading]:
    """Ask each organization for its members and sessions, its days, and those of everybody in it."""
    found = Found(reader=ViewReader(question.cycle, question.tolerance))
    org_ids = question.organizations
    requests = [request for org_id in org_ids for request in _list_requests(org_id, question.cycle)]
    lists = yield from all_pages(requests)
    found.check_lists(lists)
    known = _directory(org_ids, lists)
    asked = [*_views(question, known, lists)]
    yield from found.keep(asked)
    found.views["enterprise"][""] = sum_of(found.views["organizations"].values())
    yield from _ask_who_else(
        found, question, known, {pair for kind, pair, _ in asked if kind == "pairs"}
    )
    return found.as_reading(
        known, question.remembered, (principal for _, principal in found.views["pairs"])
    )


def control_totals(question: Question) -> list[Request]:
    """Ask for every O: together they are the control total."""
    return [
        daily(question.cycle, DAILY, org_id, required=True, credential=org_id)
        for org_id in question.organizations
    ]


def _list_requests(org_id: str, cycle: BillingCycle) -> list[Request]:
    return [
        Request(
            endpoint=USERS,
            values=(org_id,),
            params=(PAGE_SIZE,),
            shape=bodies.Members,
            credential=org_id,
        ),
        Request(
            endpoint=IDP_USERS,
            values=(org_id,),
            params=(PAGE_SIZE,),
            shape=bodies.Members,
            credential=org_id,
        ),
        Request(
            endpoint=SESSIONS,
            values=(org_id,),
            params=alive_in(cycle),
            shape=bodies.Sessions,
            credential=org_id,
        ),
    ]


def _directory(org_ids: Sequence[str], lists: Sequence[Pages]) -> Directory:
    return directory.assembled(
        entries=(
            entry
            for pages in lists
            if pages.request.endpoint != SESSIONS
            for entry in directory.members(pages.items)
        ),
        sessions=(
            session
            for pages in lists
            if pages.request.endpoint == SESSIONS
            for session in directory.sessions(pages.items)
        ),
        organizations=[(org_id, org_id) for org_id in org_ids],
    )


def _views(question: Question, known: Directory, lists: Sequence[Pages]) -> Iterator[Asked]:
    """Ask for every O, for C of everybody seen in it, and for every S that a rule names."""
    for request in control_totals(question):
        yield "organizations", request.credential, request
    pairs = {*_member_pairs(lists), *directory.session_pairs(known)}
    for pair in sorted(pairs):
        yield _pair(question.cycle, pair, optional=False)
    named = directory.named_principals(question.rules)
    for pair in sorted(
        {(org_id, principal) for org_id in question.organizations for principal in named} - pairs
    ):
        yield _pair(question.cycle, pair, optional=True)
    sessions = sessions_named(question.rules, known.sessions.values())
    for session_id, org_id in sorted(
        {(session.session_id, session.org_id) for _, session in sessions}
    ):
        endpoint = f"{DAILY}/sessions/{{}}"
        yield "sessions", session_id, daily(
            question.cycle, endpoint, org_id, session_id, optional=True, credential=org_id
        )  # fmt: skip


def _ask_who_else(
    found: Found, question: Question, known: Directory, asked: set[Pair]
) -> Plan[None]:
    """Ask for C of everybody else in the organizations whose days are not explained yet.

    Whoever is only remembered comes first: nobody lists them anywhere. The others are listed
    elsewhere.
    """
    gone = question.remembered.entries.keys() - known.entries.keys()
    everybody = (*sorted(gone), *sorted(known.entries))

    def still_open() -> list[Pair]:
        unexplained = with_a_rest(found.as_views(), known, question.tolerance)
        pairs = ((org_id, principal) for principal in everybody for org_id in unexplained)
        return [pair for pair in pairs if pair not in asked]

    yield from ask_in_parts(
        found, still_open, lambda pair: _pair(question.cycle, pair, optional=True), asked
    )


def _member_pairs(lists: Sequence[Pages]) -> Iterator[Pair]:
    for pages in lists:
        if pages.request.endpoint != SESSIONS:
            yield from (
                (pages.request.credential, Principal("user", item.user_id)) for item in pages.items
            )


def _pair(cycle: BillingCycle, pair: Pair, *, optional: bool) -> Asked:
    org_id, principal = pair
    endpoint = f"{DAILY}/{SECTION_OF_KIND[principal.kind]}/{{}}"
    return (
        "pairs",
        pair,
        daily(cycle, endpoint, org_id, principal.id, optional=optional, credential=org_id),
    )
