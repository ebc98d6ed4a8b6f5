"""Lists, followed page by page to their end: by cursor (v3) or by offset (v2).

A list that would never end is none: pages that bring nothing new, more entries than it says it has.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from reportgen.core.model import MissingView
from reportgen.sources.api import bodies
from reportgen.sources.api.plan import Answer, Answers, BeyondBounds, Plan, Request

PAGE_SIZE = ("first", "200")
LIMIT = ("limit", "200")
NOT_FOUND = 404
MOST_IDLE_PAGES = 10
"""Pages in a row without a new entry: a filter may leave some empty, but not for ever."""
Readings = Mapping[type[Any], Callable[[list[Any]], Iterable[Any]]]
"""How the entries of pages are read as they arrive, by the shape of the page; others stay so."""
LONGEST_CURSOR = 4000
"""Addresses of more than 8000 characters are refused on the way by many servers."""


@dataclass(kw_only=True, slots=True)
class Pages:
    """All items of a list, or the refusal that came instead.

    `read` makes of the entries of a page what is kept of them. `total` is how many there are, where
    the API says so. `cut` tells that a page promised another one and did not lead to it. `known`
    has a digest of every entry, `names` one of every name; `idle` counts the last pages that
    brought none.
    """

    request: Request
    read: Callable[[list[Any]], Iterable[Any]] = iter
    items: list[Any] = field(default_factory=list)
    refused: Answer | None = None
    total: int | None = None
    cut: bool = False
    known: set[int] = field(default_factory=set, repr=False)
    names: set[int] = field(default_factory=set, repr=False)
    idle: int = 0

    def broken_off(self) -> MissingView | None:
        """Say after how many items the list ended though there are more; None if it is whole."""
        if self.refused or not (self.cut or (self.total or 0) > len(self.known)):
            return None
        received = len(self.known)
        return MissingView(
            request=replace(self.request, params=()).target,
            reason="broken off",
            count=received,
            whole=self.total if self.total and self.total > received else None,
        )

    def add(self, page: bodies.Page | bodies.OffsetPage) -> str:
        """Take the entries of a page; says what is wrong with a list that goes on like this."""
        before = len(self.known)
        self.items += self.read(page.items)
        self.known |= {hash(msgspec.json.encode(listed)) for listed in page.items}
        self.names |= {hash(_name(listed)) for listed in page.items}
        self.idle = 0 if len(self.known) > before else self.idle + 1
        if page.total is not None:
            self.total = max(page.total, self.total or 0)
        if self.total is not None and len(self.names) > self.total:
            return f"the list holds {len(self.names)} entries, but its total is {self.total}"
        if self.idle >= MOST_IDLE_PAGES:
            return f"the list goes on, but its last {self.idle} pages brought nothing new"
        return ""


def all_pages(first: Sequence[Request], readings: Readings | None = None) -> Plan[list[Pages]]:
    """Follow every list to its end, in the order asked for.

    A cursor that comes back cuts its list, which would never end otherwise. Where a deployment does
    not know a /v3 list, its /v3beta1 is asked.
    """
    how = readings or {}
    lists = [Pages(request=request, read=how.get(request.shape, iter)) for request in first]
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


def _name(listed: msgspec.Struct) -> str:
    """Give what an entry is of: the first field of everything that is listed."""
    return str(getattr(listed, listed.__struct_fields__[0]))


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
    wrong = pages.add(page)
    params = dict(request.params)
    following = _next_page(page, params)
    if len(following.get("after", "")) > LONGEST_CURSOR:
        wrong = f"the list leads on by a cursor of {len(following['after'])} characters"
    if wrong:
        raise BeyondBounds(pages.request.target, wrong, answer.recorded.source)
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
