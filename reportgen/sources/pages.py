"""Lists, followed page by page to their end: by cursor (v3) or by offset (v2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reportgen.sources import bodies
from reportgen.sources.ask import Answer, Answers, Plan, Request

PAGE_SIZE = ("first", "200")
LIMIT = ("limit", "200")
NOT_FOUND = 404


@dataclass(kw_only=True, slots=True)
class Pages:
    """All items of a list, or the refusal that came instead."""

    request: Request
    items: list[Any] = field(default_factory=list)
    refused: Answer | None = None


def all_pages(first: Sequence[Request]) -> Plan[list[Pages]]:
    """Follow every list to its end, in the order asked for.

    A cursor that comes back ends its list, which would never end otherwise. Where a deployment does not know a /v3
    list, its /v3beta1 is asked.
    """
    lists = [Pages(request=request) for request in first]
    pending = list(zip(lists, first, strict=True))
    seen = {request.line for request in first}
    while pending:
        answers = yield [request for _, request in pending]
        following = [(pages, request) for pages, asked in pending for request in _read(pages, asked, answers)]
        pending = [(pages, request) for pages, request in following if request.line not in seen]
        seen |= {request.line for _, request in pending}
    return lists


def _read(pages: Pages, request: Request, answers: Answers) -> Iterator[Request]:
    """Keep the items of a page, and give the request for the next."""
    found = answers[request.line]
    if found.body is None:
        pages.refused = found
        if found.recorded.status == NOT_FOUND and request.endpoint.startswith("/v3/"):
            yield replace(request, endpoint=request.endpoint.replace("/v3/", "/v3beta1/", 1))
        return
    pages.refused = None
    pages.items += found.body.items
    yield from _next_page(request, found.body)


def _next_page(request: Request, page: bodies.Page | bodies.OffsetPage) -> Iterator[Request]:
    if isinstance(page, bodies.OffsetPage):
        following = ("skip", str(page.skip + len(page.items))) if page.has_more and page.items else None
    else:
        following = ("after", page.end_cursor) if page.has_next_page and page.end_cursor else None
    if following:
        yield replace(request, params=tuple((dict(request.params) | dict([following])).items()))
