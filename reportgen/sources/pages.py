"""Lists of the v3 API, followed page by page to their end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reportgen.sources import bodies
from reportgen.sources.ask import Answer, Plan, Request

PAGE_SIZE = ("first", "200")


@dataclass(kw_only=True, slots=True)
class Pages:
    """All items of a list, or the refusal that came instead."""

    items: list[Any] = field(default_factory=list)
    refused: list[tuple[Request, Answer]] = field(default_factory=list)


def all_pages(first: Sequence[Request]) -> Plan[dict[str, Pages]]:
    """Follow every list to its end; a cursor that comes back ends it, as it would never end."""
    lists = {request.endpoint: Pages() for request in first}
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
        yield replace(request, params=tuple(params.items()))
