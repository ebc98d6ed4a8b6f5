"""Whose credential is used, as the v3 API tells: a service user's or a person's, and its reach."""

from collections.abc import Iterator, Sequence

from reportgen.core.text import printable
from reportgen.sources.api import bodies
from reportgen.sources.api.plan import Plan, Request

SELF = "/v3/self"


def credentials(organizations: Sequence[str]) -> Plan[list[str]]:
    """Ask about each credential, else about the enterprise's; give a line on each."""
    lines: list[str] = []
    for org_id in organizations or ("",):  # one by one: the same is asked with another token
        request = Request(endpoint=SELF, shape=bodies.Self, optional=True, credential=org_id)
        answer = (yield [request]).get(request.target)
        if answer and answer.body is not None:
            lines += _lines(answer.body, request.credential)
    return lines


def _lines(own: bodies.Self, organization: str) -> Iterator[str]:
    """Say whose it is, and whether it fits what it is configured for."""
    yield whose(own)
    if unfit := misfit(own, organization):
        yield "; ".join(unfit)


def whose(own: bodies.Self) -> str:
    """Say whose a credential is, and how far it reaches."""
    kind = "service user" if own.service_user_id else "user"
    reach = f"organization {own.org_id}" if own.org_id else "the whole enterprise"
    return printable(f"Credential of {kind} {_name(own)}, for {reach}")


def misfit(own: bodies.Self, organization: str) -> tuple[str, str] | None:
    """Say what is wrong with a credential in its place, and what to do; None where it fits.

    `organization` is the one it is configured for, empty for the enterprise.
    """
    if own.org_id and not organization:
        hint = "list it under `source: {organizations: …}`"
        return "It cannot read the enterprise's consumption", hint
    if own.org_id and organization != own.org_id:
        hint = "correct `source: {organizations: …}`"
        return printable(f"It is configured for {organization}"), hint
    return None


def _name(own: bodies.Self) -> str:
    names = (own.service_user_name, own.user_name, own.service_user_id, own.user_id)
    return next(filter(None, names), "somebody")
