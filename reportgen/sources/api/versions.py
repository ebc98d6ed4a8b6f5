"""Which plan answers for a source: v3 with one credential, v3 with one per organization, or v2."""

from collections.abc import Sequence
from typing import TypeVar

from reportgen.core.model import Principal
from reportgen.sources.api import v2, v3, v3_credentials, v3_organizations
from reportgen.sources.api.plan import Plan, Request, moved, prefixed
from reportgen.sources.api.reading import KnownCycles, Question, Reading, Refused
from reportgen.sources.api.refusals import FORBIDDEN, watched
from reportgen.sources.config.schema import SourceSection

T = TypeVar("T")
CONSUMPTION = "/consumption/daily"


def cycles(source: SourceSection) -> Plan[KnownCycles]:
    """Ask for the billing cycles; credentials of organizations cannot, so they are not tried."""
    if source.organizations:
        return (yield from _without_asking(KnownCycles(refused=FORBIDDEN)))
    return (yield from v2.cycles() if source.api == "v2" else prefixed(v3.cycles(), source.prefix))


def consumption(source: SourceSection, question: Question) -> Plan[Reading]:
    """Ask for everything that the decomposition of a cycle rests on."""
    if source.api == "v2":
        return watched(v2.consumption(question))
    plan = v3_organizations if source.organizations else v3
    return prefixed(watched(plan.consumption(question)), source.prefix)


def probe(
    source: SourceSection, question: Question, refused: Refused, *, totals: bool
) -> Plan[bool]:
    """Ask once more the first question of every kind of view that was refused from the first.

    With `totals` also for the control totals of those credentials, which cannot be refused: who is
    refused them now has lost what he could see before. Tells whether anything is answered now.
    """
    asked = [moved(request, source.prefix) for request in refused.wholly]
    whose = {request.credential for request in asked}
    control = control_totals(source, question) if totals else []
    answers = yield [*asked, *(request for request in control if request.credential in whose)]
    return any(answers[request.target].body is not None for request in asked)


def credentials(source: SourceSection) -> Plan[list[str]]:
    """Ask whose the credentials are; v2 cannot tell."""
    if source.api == "v2":
        return (yield from _without_asking([]))
    organizations = [organization.id for organization in source.organizations]
    return (yield from prefixed(v3_credentials.credentials(organizations), source.prefix))


def is_consumption(request: str) -> bool:
    """Tell whether a request of the evidence asked for consumption, not for a list."""
    return CONSUMPTION in request


def control_totals(source: SourceSection, question: Question) -> list[Request]:
    """Name the requests whose answers are the control total."""
    if source.api == "v2":
        return [v2.control_total(question.cycle)]
    totals = (
        v3_organizations.control_totals(question)
        if source.organizations
        else [v3.control_total(question.cycle)]
    )
    return [moved(request, source.prefix) for request in totals]


def principal_totals(
    source: SourceSection, question: Question, principals: Sequence[Principal]
) -> list[Request]:
    """Name the requests whose answers tell what principals used, by day and product."""
    if source.api == "v2":
        return [v2.principal_total(question.cycle, principal) for principal in principals]
    totals = (
        v3_organizations.principal_totals(question, principals)
        if source.organizations
        else [v3.principal_total(question.cycle, principal) for principal in principals]
    )
    return [moved(request, source.prefix) for request in totals]


def answered(requests: Sequence[Request]) -> Plan[None]:
    """Ask for nothing but some requests; the answers are kept by whoever drives the plan."""
    yield requests


def _without_asking(answer: T) -> Plan[T]:
    yield from ()
    return answer
