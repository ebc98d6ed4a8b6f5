"""Whose credential is used, as the v3 API tells: a service user's or a person's, and how far it reaches."""

from collections.abc import Iterator, Sequence

from reportgen.core.text import printable
from reportgen.sources.api import bodies
from reportgen.sources.api.plan import Plan, Request

SELF = "/v3/self"


def credentials(organizations: Sequence[str]) -> Plan[list[str]]:
    """Ask about each credential, that of the enterprise where no organization has its own; give a line on each."""
    lines: list[str] = []
    for org_id in organizations or ("",):  # one by one: the same is asked with another token
        request = Request(endpoint=SELF, shape=bodies.Self, optional=True, credential=org_id)
        answers = yield [request]
        found = answers.get(request.line)
        if found and found.body is not None:
            lines += _lines(found.body, request.credential)
    return lines


def _lines(found: bodies.Self, organization: str) -> Iterator[str]:
    """Say whose it is, and whether it fits what it is configured for."""
    name = (
        found.service_user_name
        or found.user_name
        or found.service_user_id
        or found.user_id
        or "somebody"
    )
    kind = "service user" if found.service_user_id else "user"
    reach = f"organization {found.org_id}" if found.org_id else "the whole enterprise"
    yield printable(f"Credential of {kind} {name}, for {reach}")
    if found.org_id and not organization:
        hint = "list it under `source: {organizations: …}`"
        yield printable(f"It cannot read the enterprise's consumption; {hint}")
    elif found.org_id and organization != found.org_id:
        yield printable(
            f"It is configured for {organization}; correct `source: {{organizations: …}}`"
        )
