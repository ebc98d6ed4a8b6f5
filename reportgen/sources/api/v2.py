"""The v2 API with an enterprise admin's key: views put together from totals of one dimension each.

One answer gives ACUs by day, by organization and by user, never two at once, and no products. What
is tied to an organization is `devin`; the rest is `cascade+terminal`. So O and C are asked for with
one organization each; E and U are totals by day, split by what is tied to organizations.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

from reportgen.core.cycle import BOUNDARY_SECONDS, BillingCycle, cycle_between
from reportgen.core.model import (
    CASCADE_TERMINAL,
    DEVIN,
    Directory,
    Principal,
    SessionsUnknown,
    SessionViews,
    View,
)
from reportgen.core.problem import Problem
from reportgen.sources.api import bodies, directory
from reportgen.sources.api.pages import LIMIT, Pages, all_pages
from reportgen.sources.api.plan import Plan, Portion, Request
from reportgen.sources.api.reading import (
    AT_A_TIME,
    Asked,
    Findings,
    KnownCycles,
    Question,
    Reading,
    plausible,
)
from reportgen.sources.api.views import ViewReader, sum_of

CYCLES = "/v2/enterprise/consumption/cycles"
DAILY = "/v2/enterprise/consumption/daily"
DAILY_OF_USER = f"{DAILY}/{{}}"
ORGANIZATIONS = "/v2/enterprise/organizations"
MEMBERS = "/v2/enterprise/members"
SESSIONS = "/v2/enterprise/sessions"
SECOND, A_DAY = timedelta(seconds=1), 86400
FIRST_YEAR, LAST_YEAR = 1970, 2199
MOST_ORGANIZATIONS_NAMED = 100
"""Addresses of more than 8000 characters are refused on the way by many servers."""

UserTotals = dict[Principal, tuple[View, tuple[str, ...]]]
"""A user's total by day, and the organizations it was used in."""


def cycles() -> Plan[KnownCycles]:
    """Ask for the billing cycles, and say where a closed end was read as the boundary after it."""
    request = Request(endpoint=CYCLES, shape=list[bodies.CycleDates])
    answer = (yield [request])[request.target]
    if answer.body is None:
        return KnownCycles(refused=answer.recorded.status)
    readable = [listed for listed in answer.body if _is_of_our_time(listed)]
    closed = (listed.end for listed in readable if _is_closed(listed.end))
    told, odd = plausible(map(_cycle, readable), CYCLES, len(answer.body) - len(readable))
    return KnownCycles(
        cycles=told, warnings=(*(_closed_end(end) for end in islice(closed, 1)), *odd)
    )


def consumption(question: Question) -> Plan[Reading]:
    """Ask for the totals, those of organizations and users, then of the pairs that users' show."""
    cycle = question.cycle
    findings = Findings(reader=ViewReader(cycle, question.tolerance))
    reading = {bodies.SessionsV2: directory.SessionReader().read}
    lists = yield from all_pages(_list_requests(cycle), reading)
    findings.check_lists(lists)
    request = control_total(cycle)
    whole = (yield [request])[request.target]
    known = _directory(lists, whole.body)
    yield from findings.keep(_organization_views(cycle, known))
    users = yield from _user_totals(findings, question, known)
    yield from findings.keep(_pair_views(cycle, users))
    total = findings.reader.read_totals(whole.recorded.request, whole.body, CASCADE_TERMINAL)
    in_all = yield from _tied_to_organizations(findings, cycle, known)
    tied = in_all or sum_of(findings.views["organizations"].values())
    findings.views["enterprise"][""] = findings.reader.split(total, tied, DEVIN, CASCADE_TERMINAL)
    findings.views["principals"] |= dict(_principals(findings, users))
    wholly: SessionsUnknown = "no daily views" if question.largest else "not wanted"
    findings.sessions = SessionViews(wholly=wholly, tagged="no daily views")
    return findings.as_reading(known, question.remembered, users)


def control_total(cycle: BillingCycle) -> Request:
    """Ask for the enterprise's total by day."""
    return _daily(cycle, DAILY, required=True)


def principal_total(cycle: BillingCycle, principal: Principal) -> Request:
    """Ask for what somebody used, by day."""
    return _daily(cycle, DAILY_OF_USER, principal.id)


def _cycle(listed: bodies.CycleDates) -> BillingCycle:
    """Read a cycle; an end at the last second of a day is the boundary that follows it."""
    return cycle_between(_boundary(listed.start), _boundary(listed.end + SECOND))


def _is_of_our_time(listed: bodies.CycleDates) -> bool:
    """Tell whether the dates of a cycle can be reckoned with."""
    return all(FIRST_YEAR <= instant.year <= LAST_YEAR for instant in (listed.start, listed.end))


def _is_closed(end: datetime) -> bool:
    """Tell whether the next second is another billing day."""
    return _boundary(end) == _boundary(end + SECOND) - A_DAY


def _closed_end(end: datetime) -> Problem:
    return Problem(
        source=f"GET {CYCLES}",
        message=f"a cycle ends at {end.isoformat()}, the last second of a day",
        hint="it is read as the boundary that follows, 08:00 UTC",
        warning=True,
        code="cycle-ends-early",
    )


def _boundary(instant: datetime) -> int:
    """Give 08:00 UTC of the day that an instant lies in; a date-time without a zone is UTC."""
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    midnight = aware.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(midnight.timestamp()) + BOUNDARY_SECONDS


def _daily(
    cycle: BillingCycle,
    endpoint: str,
    *values: str,
    organizations: Sequence[str] = (),
    required: bool = False,
    optional: bool = False,
    view: str = "",
) -> Request:
    """Ask for totals with bounds at 08:00 UTC: at midnight they would be other days."""
    bounds = (("start_date", _written(cycle.after)), ("end_date", _written(cycle.before)))
    return Request(
        endpoint=endpoint,
        values=values,
        params=(*bounds, *(("org_ids", org_id) for org_id in organizations)),
        shape=bodies.DayTotals,
        required=required,
        optional=optional,
        view=view,
    )


def _written(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _list_requests(cycle: BillingCycle) -> list[Request]:
    alive = (
        ("created_date_to", _written(cycle.before)),
        ("updated_date_from", _written(cycle.after)),
    )
    return [
        Request(endpoint=ORGANIZATIONS, params=(LIMIT,), shape=bodies.OrganizationsV2),
        Request(endpoint=MEMBERS, params=(LIMIT,), shape=bodies.MembersV2),
        Request(endpoint=SESSIONS, params=(LIMIT, *alive), shape=bodies.SessionsV2),
    ]


def _directory(lists: Sequence[Pages], whole: bodies.DayTotals) -> Directory:
    """Join the lists with the organizations and users of the total, who may have left the lists."""
    organizations, members, sessions = lists
    seen = (bodies.Member(user_id=user_id) for user_id in whole.consumption_by_user)
    return directory.assembled(
        entries=directory.members((*members.items, *seen)),
        sessions=sessions.items,
        organizations=(
            *((org_id, org_id) for org_id in whole.consumption_by_org_id),
            *(
                (listed.org_id, directory.shown_name(listed.org_name))
                for listed in organizations.items
            ),
        ),
    )


def _organization_views(cycle: BillingCycle, known: Directory) -> list[Asked]:
    view = f"{DAILY}?org_ids={{id}}"
    return [
        ("organizations", org_id, _daily(cycle, DAILY, organizations=[org_id], view=view))
        for org_id in known.organizations
    ]


def _user_totals(findings: Findings, question: Question, known: Directory) -> Plan[UserTotals]:
    """Ask for every user's total; it names the organizations, so that no pair has to be guessed."""
    users = _users(question, known)
    totals: UserTotals = {}
    for start in range(0, len(users), AT_A_TIME):
        asked = {
            user: _daily(question.cycle, DAILY_OF_USER, user.id, optional=user not in known.entries)
            for user in users[start : start + AT_A_TIME]
        }
        answers = yield Portion(asked.values(), len(users) - start - len(asked))
        for user, request in asked.items():
            answer = answers.get(request.target)
            if answer and answer.body is None:
                findings.refuse(request, answer)
            elif answer:
                view = findings.reader.read_totals(
                    answer.recorded.request, answer.body, CASCADE_TERMINAL
                )
                totals[user] = view, _worked_in(answer.body)
    return totals


def _users(question: Question, known: Directory) -> list[Principal]:
    """List the users that there are, then those that there were."""
    once_known = directory.once_known(question.rules, question.remembered)
    everybody = [*known.entries, *sorted(once_known - known.entries.keys())]
    return [principal for principal in everybody if principal.kind == "user"]


def _worked_in(totals: bodies.DayTotals) -> tuple[str, ...]:
    by_organization = sorted(totals.consumption_by_org_id.items())
    return tuple(org_id for org_id, acus in by_organization if acus)


def _pair_views(cycle: BillingCycle, users: UserTotals) -> list[Asked]:
    return [
        ("pairs", (org_id, user), _pair(cycle, org_id, user))
        for user, (_, org_ids) in users.items()
        for org_id in org_ids
    ]


def _pair(cycle: BillingCycle, org_id: str, user: Principal) -> Request:
    view = f"{DAILY}/{{id}}?org_ids={org_id}"
    return _daily(cycle, DAILY_OF_USER, user.id, organizations=[org_id], view=view)


def _tied_to_organizations(
    findings: Findings, cycle: BillingCycle, known: Directory
) -> Plan[View | None]:
    """Ask what the enterprise used in all organizations, if one address can name them all."""
    if not 0 < len(known.organizations) <= MOST_ORGANIZATIONS_NAMED:
        return None
    view = f"{DAILY}?org_ids={{id}}"
    request = _daily(cycle, DAILY, organizations=tuple(known.organizations), view=view)
    answer = (yield [request]).get(request.target)
    if answer is None:
        return None
    if answer.body is None:
        findings.refuse(request, answer)
        return None
    return findings.reader.read_totals(answer.recorded.request, answer.body, DEVIN)


def _principals(findings: Findings, users: UserTotals) -> Iterator[tuple[Principal, View]]:
    """Split the users' totals; where a C was refused the split is unknown, and so is U."""
    for user, (total, org_ids) in users.items():
        pairs = [(org_id, user) for org_id in org_ids]
        if findings.views["pairs"].keys() >= set(pairs):
            tied = sum_of([findings.views["pairs"][pair] for pair in pairs])
            yield user, findings.reader.split(total, tied, DEVIN, CASCADE_TERMINAL)
