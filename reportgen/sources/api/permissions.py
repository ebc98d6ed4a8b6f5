"""Which views a credential may read: one question of each kind, as small as it can be.

A role is put together of permissions, so one view may be answered and the next refused. A refusal
is a 403; a 404 of somebody's view says something of that id alone.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reportgen.core.cycle import BillingCycle
from reportgen.core.model import Principal
from reportgen.sources.api import bodies, v2, v3, v3_organizations
from reportgen.sources.api.client import PERMISSION_HINT
from reportgen.sources.api.plan import Request, moved
from reportgen.sources.api.v3_credentials import SELF
from reportgen.sources.config.schema import SourceSection

ONE, ONE_OF_V2 = (("first", "1"),), (("limit", "1"),)
"""A page of a single entry is enough to see whether there is an answer."""
MEMBERS_HINT = "give the credential the permission to read members"
LISTS_HINT = "give the credential the permission to read organizations, members and sessions"
CYCLES_HINT = (
    "give the credential the permission to read the billing cycles, or write the day of the "
    "contract: `source: {cycle_day: 5}`"
)
USERS, IDP_USERS, ORGANIZATIONS = "users", "users of the identity provider", "organizations"
SERVICE_USERS, SESSIONS, CYCLES = "service users", "sessions", "billing cycles"
TOTAL = "consumption of the enterprise"
Bodies = Mapping[str, Any]
"""The bodies of what was answered, by the view in words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """A question of a kind of view, named in words; `hint` says how to be answered.

    `loss` is what a run does without it; where it is empty, no run is right without it.
    """

    view: str
    request: Request
    hint: str = PERMISSION_HINT
    loss: str = ""


def whose(source: SourceSection) -> list[Request]:
    """Ask whose each credential is; v2 cannot tell, so it is asked for what costs it nothing."""
    if source.api == "v2":
        return [Request(endpoint=v2.CYCLES, shape=list[bodies.CycleDates])]
    credentials = [organization.id for organization in source.organizations] or [""]
    own = (Request(endpoint=SELF, shape=bodies.Self, credential=one) for one in credentials)
    return [moved(request, source.prefix) for request in own]


def of_the_other_version(source: SourceSection) -> Request:
    """Ask the other version of the API, to see whether a key that was refused is one of its."""
    if source.api == "v2":
        return moved(Request(endpoint=SELF, shape=bodies.Self), source.prefix)
    return Request(endpoint=v2.CYCLES, shape=list[bodies.CycleDates])


def trials(source: SourceSection, cycle: BillingCycle) -> list[Trial]:
    """Name the questions that need to know nobody: lists, and totals of a few days."""
    if source.api == "v2":
        return list(_of_v2(source, cycle))
    if source.organizations:
        return [
            trial
            for organization in source.organizations
            for trial in _of_organization(source, organization.id, cycle)
        ]
    return list(_of_enterprise(source, cycle))


def further_trials(source: SourceSection, cycle: BillingCycle, answered: Bodies) -> list[Trial]:
    """Name the questions about the first organization and person that the lists have named."""
    if source.organizations:
        return []
    user = _first(answered, (USERS, IDP_USERS), lambda listed: listed.user_id)
    if source.api == "v2":
        total = [v2.principal_total(cycle, Principal("user", user))] if user else []
        return [Trial(view="consumption of users", request=request) for request in total]
    asked = _of_whom(
        cycle,
        _first(answered, (ORGANIZATIONS,), lambda listed: listed.org_id),
        user,
        _first(answered, (SERVICE_USERS,), lambda listed: listed.service_user_id),
    )
    return [_placed(trial, source) for trial in asked]


def _of_whom(cycle: BillingCycle, org_id: str, user_id: str, service_user: str) -> Iterator[Trial]:
    if org_id:
        request = v3.daily(cycle, v3.DAILY_OF_ORGANIZATION, org_id)
        yield Trial(view="consumption of organizations", request=request)
    if user_id:
        request = v3.principal_total(cycle, Principal("user", user_id))
        yield Trial(view="consumption of users", request=request)
    if service_user:
        request = v3.principal_total(cycle, Principal("service_user", service_user))
        yield Trial(view="consumption of service users", request=request)
    if org_id and user_id:
        yield Trial(
            view="consumption of users within an organization",
            request=v3.daily(cycle, v3.PAIR_OF_KIND["user"], org_id, user_id),
            loss="who used what in which organization is charged by the user or the organization "
            "alone",
        )


def _of_enterprise(source: SourceSection, cycle: BillingCycle) -> Iterator[Trial]:
    listed = (
        Trial(
            view=CYCLES,
            request=Request(endpoint=v3.CYCLES, params=ONE, shape=bodies.Cycles),
            hint=CYCLES_HINT,
            loss=_by_contract(source),
        ),
        Trial(view=TOTAL, request=v3.daily(cycle, v3.DAILY)),
        _list(ORGANIZATIONS, v3.ORGANIZATIONS, bodies.Organizations),
        _list(USERS, v3.USERS, bodies.Members),
        _list(IDP_USERS, v3.IDP_USERS, bodies.Members, "whoever has roles from there is unknown"),
        _list(SERVICE_USERS, v3.SERVICE_USERS, bodies.ServiceUsers, "they stay unknown"),
        _list(SESSIONS, v3.SESSIONS, bodies.Sessions, _without_sessions()),
    )
    return (_placed(trial, source) for trial in listed)


def _of_organization(source: SourceSection, org_id: str, cycle: BillingCycle) -> Iterator[Trial]:
    """Ask with an organization's own credential."""
    total = v3.daily(cycle, v3_organizations.DAILY, org_id, credential=org_id)
    yield _placed(Trial(view=f"consumption of {org_id}", request=total), source)
    for view, endpoint, shape, loss in (
        (USERS, v3_organizations.USERS, bodies.Members, "they are known by their sessions alone"),
        (SESSIONS, v3_organizations.SESSIONS, bodies.Sessions, _without_sessions()),
    ):
        request = Request(
            endpoint=endpoint, values=(org_id,), params=ONE, shape=shape, credential=org_id
        )
        trial = Trial(view=f"{view} of {org_id}", request=request, hint=MEMBERS_HINT, loss=loss)
        yield _placed(trial, source)


def _of_v2(source: SourceSection, cycle: BillingCycle) -> Iterator[Trial]:
    yield Trial(
        view=CYCLES,
        request=Request(endpoint=v2.CYCLES, shape=list[bodies.CycleDates]),
        hint=CYCLES_HINT,
        loss=_by_contract(source),
    )
    yield Trial(view=TOTAL, request=v2.control_total(cycle))
    for view, endpoint, shape, loss in (
        (ORGANIZATIONS, v2.ORGANIZATIONS, bodies.OrganizationsV2, ""),
        (USERS, v2.MEMBERS, bodies.MembersV2, ""),
        (SESSIONS, v2.SESSIONS, bodies.SessionsV2, _without_sessions()),
    ):
        request = Request(endpoint=endpoint, params=ONE_OF_V2, shape=shape)
        yield Trial(view=view, request=request, hint=LISTS_HINT, loss=loss)


def _list(view: str, endpoint: str, shape: type[Any], loss: str = "") -> Trial:
    request = Request(endpoint=endpoint, params=ONE, shape=shape)
    return Trial(view=view, request=request, hint=LISTS_HINT, loss=loss)


def _by_contract(source: SourceSection) -> str:
    return "`cycle_day` says when a cycle begins" if source.cycle_day else ""


def _without_sessions() -> str:
    return "whoever has left is not found by them, and rules for sessions and tags match nothing"


def _placed(trial: Trial, source: SourceSection) -> Trial:
    """Ask where the deployment has its v3. The question is needed by nobody: a 403 is an answer."""
    request = moved(trial.request, source.prefix)
    return Trial(view=trial.view, request=request, hint=trial.hint, loss=trial.loss)


def _first(answered: Bodies, views: tuple[str, ...], read: Callable[[Any], str]) -> str:
    """Give the first id that some lists have, empty where they have none."""
    listed = (one for view in views if view in answered for one in answered[view].items)
    return next(filter(None, map(read, listed)), "")
