"""Lists, followed page by page to their end: by cursor (v3) or by offset (v2)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from reportgen.core.model import MissingView
from reportgen.sources.api import bodies
from reportgen.sources.api.plan import Answer, Answers, Plan, Request

PAGE_SIZE = ("first", "200")
LIMIT = ("limit", "200")
NOT_FOUND = 404


@dataclass(kw_only=True, slots=True)
class Pages:
    """All items of a list, or the refusal that came instead.

    `total` is how many there are, where the API says so. `cut` tells that a page promised another
    one and did not lead to it.
    """

    request: Request
    items: list[Any] = field(default_factory=list)
    refused: Answer | None = None
    total: int | None = None
    cut: bool = False

    def broken_off(self) -> MissingView | None:
        """Say after how many items the list ended though there are more; None if it is whole."""
        if self.refused or not (self.cut or (self.total or 0) > len(self.items)):
            return None
        received = len({msgspec.json.encode(listed) for listed in self.items})
        return MissingView(
            request=replace(self.request, params=()).target,
            reason="broken off",
            count=received,
            whole=self.total if self.total and self.total > received else None,
        )


def all_pages(first: Sequence[Request]) -> Plan[list[Pages]]:
    """Follow every list to its end, in the order asked for.

    A cursor that comes back cuts its list, which would never end otherwise. Where a deployment does
    not know a /v3 list, its /v3beta1 is asked.
    """
    lists = [Pages(request=request) for request in first]
    pending = list(zip(lists, first, strict=True))
    seen = {request.target for request in first}
    while pending:
        answers = yield [request for _, request in pending]
        following = [(pages, _read(pages, asked, answers)) for pages, asked in pending]
        pending = []
        for pages, request in following:
            if request and request.target not in seen:
                pending.append((pages, request))
                seen.add(request.target)
            elif request:
                pages.cut = True
    return lists


def _read(pages: Pages, request: Request, answers: Answers) -> Request | None:
    """Keep the items of a page, and give the request for the next."""
    answer = answers[request.target]
    if answer.body is None:
        pages.refused = answer
        if answer.recorded.status == NOT_FOUND and request.endpoint.startswith("/v3/"):
            return replace(request, endpoint=request.endpoint.replace("/v3/", "/v3beta1/", 1))
        return None
    pages.refused = None
    page = answer.body
    pages.items += page.items
    pages.total = pages.total if page.total is None else page.total
    params = dict(request.params)
    following = _next_page(page, params)
    pages.cut = _promises_more(page) and not following
    return replace(request, params=tuple((params | following).items())) if following else None


def _next_page(page: bodies.Page | bodies.OffsetPage, asked: dict[str, str]) -> dict[str, str]:
    """Give the parameters that lead to the next page, none where nothing does.

    Without `has_next_page` a cursor alone leads on; one that stays at an empty page is the end.
    """
    if isinstance(page, bodies.OffsetPage):
        leads_on = page.has_more and page.items
        return {"skip": str(page.skip + len(page.items))} if leads_on else {}
    stays = not page.items and page.end_cursor == asked.get("after")
    at_end = stays if page.has_next_page is None else not page.has_next_page
    return {"after": page.end_cursor} if page.end_cursor and not at_end else {}


def _promises_more(page: bodies.Page | bodies.OffsetPage) -> bool:
    return bool(page.has_more if isinstance(page, bodies.OffsetPage) else page.has_next_page)
