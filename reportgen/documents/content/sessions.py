"""What a cost center's usage was for: its largest sessions, and everything else of their product.

Titles, tags and addresses are people's words. A title is put on one line, without marks that turn
the direction of what stands around it, and cut on paper; a link is opened only where it is an
address of https, as the API gave it.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from urllib.parse import urlsplit

from reportgen.core.charging.invoice import sum_of
from reportgen.core.model import (
    DEVIN,
    Directory,
    Heading,
    Invoice,
    PullRequest,
    SessionsUnknown,
    SessionUse,
)
from reportgen.core.money import ZERO
from reportgen.documents.content.labels import NO_HOLDER, PULL_REQUEST_STATES, Word
from reportgen.documents.content.slots import CellValue, Link
from reportgen.documents.content.usage import Holder, who

SESSION_FIELDS = (
    *("session", "user", "organization", "first_day", "last_day", "acus", "amount"),
    *("tags", "pull_requests", "merged"),
)
PULL_REQUEST_FIELDS = ("session", "pull_request", "state")
LONGEST_TITLE, LONGEST_TAG = 110, 40
MOST_TAGS, MOST_PULL_REQUESTS = 8, 6
"""So many of a session stand on paper; the others are counted, and stand in the workbook."""
MERGED = "merged"
_LINK = re.compile(r"https://[!#-;=?-~]+")
"""An address that a page can open as it stands: ASCII, without what ends an attribute."""
_PULL_REQUEST = re.compile(
    r"/([^/]+)(?:/-)?/(?:pull|pulls|pull-requests|pullrequests?|merge_requests)/([0-9]{1,12})/?"
)
_TURNS = {*"\u200e\u200f\u061c", *map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))}
"""Marks that turn the direction of a line: what they do not end turns what stands behind it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequestLink:
    """A pull request: how it is called, where it lies (empty where that is no link), its state.

    The state is the API's own word, such as `merged`, and empty where it told none.
    """

    label: str
    href: str
    state: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionRow:
    """A session as it is listed: by its title, else its id; neither where nobody may be recognised.

    `title` is cut to what a page has room for. `more_tags` and `more_pull_requests` count those
    that have no room. Of the pull requests `opened` by it some are `merged`; where nobody may be
    recognised, none of them is named.
    """

    title: str
    href: str
    holder: Holder
    user: str
    organization: str
    first_day: date
    last_day: date
    acus: Decimal
    amount: Decimal
    tags: tuple[str, ...]
    more_tags: int
    pull_requests: tuple[PullRequestLink, ...]
    more_pull_requests: int
    opened: int
    merged: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionList:
    """The largest sessions of an invoice, everything else of their product, and both together.

    `product` is what the product is called, `lines_amount` what the invoice's lines of it come to.
    Where it is not known which sessions are the largest, `unknown` says why; those that are known
    stand here all the same.
    """

    product: str
    rows: tuple[SessionRow, ...]
    other_acus: Decimal
    other_amount: Decimal
    acus: Decimal
    amount: Decimal
    lines_amount: Decimal
    unknown: SessionsUnknown

    @property
    def named(self) -> bool:
        """Tell whether the sessions have titles."""
        return any(row.title for row in self.rows)

    @property
    def tells_pull_requests(self) -> bool:
        """Tell whether any of them opened a pull request."""
        return any(row.opened for row in self.rows)

    @property
    def names_pull_requests(self) -> bool:
        """Tell whether any of these may be named."""
        return any(row.pull_requests for row in self.rows)


def session_list(invoice: Invoice, directory: Directory, heading: Heading) -> SessionList | None:
    """List the sessions of an invoice; None where nobody wants them, or there is nothing of theirs.

    Law: rows and everything else add up to what the invoice has of the product.
    """
    largest, product = invoice.sessions, called(heading)
    of_product = (line for line in invoice.lines if line.of_usage and line.product == product)
    if largest.unknown == "not wanted" or not (largest.sessions or largest.acus):
        return _without_product(product, invoice, heading)
    return SessionList(
        product=product,
        rows=tuple(_row(session, directory) for session in largest.sessions),
        other_acus=largest.other_acus,
        other_amount=largest.other_amount,
        acus=largest.acus,
        amount=largest.amount,
        lines_amount=sum_of(of_product, heading.decimals),
        unknown=largest.unknown,
    )


def _without_product(product: str, invoice: Invoice, heading: Heading) -> SessionList | None:
    """Say of usage that no product is told of that sessions may be part of it."""
    unknown = invoice.sessions.unknown
    if unknown != "no products" or not any(line.of_usage for line in invoice.lines):
        return None
    nothing = sum_of((), heading.decimals)
    return SessionList(
        product=product,
        rows=(),
        other_acus=ZERO,
        other_amount=nothing,
        acus=ZERO,
        amount=nothing,
        lines_amount=nothing,
        unknown=unknown,
    )


def session_cells(
    sessions: Sequence[SessionUse], directory: Directory, word: Word
) -> Iterator[Sequence[CellValue]]:
    """Yield the cells of every session, by SESSION_FIELDS; texts are whole."""
    for session in sessions:
        holder, user, _ = _who(session, directory)
        yield (
            _linked(_title(session), session.url),
            word(NO_HOLDER) if holder == "nobody" else user,
            directory.organizations.get(session.org_id, session.org_id),
            *(session.first_day, session.last_day, session.acus, session.amount),
            ", ".join(map(one_line, session.tags)) or None,
            len(session.pull_requests),
            _merged(session),
        )


def pull_request_cells(sessions: Sequence[SessionUse], word: Word) -> Iterator[Sequence[CellValue]]:
    """Yield the cells of every pull request that may be named, by PULL_REQUEST_FIELDS."""
    for session in sessions:
        for one in filter(lambda one: one.url, session.pull_requests):
            state = PULL_REQUEST_STATES.get(one.state)
            yield (
                _linked(_title(session), session.url),
                _linked(one_line(one.url), one.url),
                word(state) if state else one_line(one.state) or None,
            )


def one_line(text: str) -> str:
    r"""Put a text on one line, without what controls a line or turns its direction.

    >>> one_line("Fix\tthe \u202elogin\x07\n")
    'Fix the login'
    """
    kept = (
        " " if unicodedata.category(sign) == "Cc" else sign for sign in text if sign not in _TURNS
    )
    return " ".join("".join(kept).split())


def cut(text: str, longest: int) -> str:
    """Cut a text that is too long, between words where one ends near by.

    >>> cut("Move the ledger to the new schema", 20), cut("x" * 30, 8)
    ('Move the ledger to…', 'xxxxxxx…')
    """
    if len(text) <= longest:
        return text
    kept = text[: longest - 1]
    near = kept.rfind(" ", longest * 3 // 4)
    return f"{kept[:near] if near > 0 else kept}…"


def link_of(address: str) -> str:
    """Give an address that may be opened, as it was given; nothing for any other.

    >>> link_of("https://app.devin.ai/sessions/1"), link_of("javascript:alert(1)")
    ('https://app.devin.ai/sessions/1', '')
    """
    return address if _LINK.fullmatch(address) else ""


def pull_request_label(address: str) -> str:
    """Call a pull request by its repository and number, else by the end of its address.

    >>> pull_request_label("https://github.com/acme/web/pull/12")
    'web #12'
    >>> pull_request_label("https://git.acme.example/data/etl/-/merge_requests/7")
    'etl #7'
    """
    path = _path(address)
    if named := _PULL_REQUEST.search(path):
        return cut(one_line(f"{named[1]} #{named[2]}"), LONGEST_TAG)
    last = path.rstrip("/").rpartition("/")[2]
    return cut(one_line(f"#{last}" if last.isdecimal() else last or address), LONGEST_TAG)


def _path(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:
        return address


def called(heading: Heading) -> str:
    """Give what documents call the product that sessions use."""
    labels: Mapping[str, str] = {one.product: one.label for one in heading.products}
    return labels.get(DEVIN) or DEVIN


def _row(session: SessionUse, directory: Directory) -> SessionRow:
    holder, user, _ = _who(session, directory)
    tags = [cut(one_line(tag), LONGEST_TAG) for tag in session.tags]
    named = [one for one in session.pull_requests if one.url]
    return SessionRow(
        title=cut(_title(session), LONGEST_TITLE),
        href=link_of(session.url),
        holder=holder,
        user=user,
        organization=directory.organizations.get(session.org_id, session.org_id),
        first_day=session.first_day,
        last_day=session.last_day,
        acus=session.acus,
        amount=session.amount,
        tags=tuple(tags[:MOST_TAGS]),
        more_tags=len(tags[MOST_TAGS:]),
        pull_requests=tuple(map(_pull_request, named[:MOST_PULL_REQUESTS])),
        more_pull_requests=len(named[MOST_PULL_REQUESTS:]),
        opened=len(session.pull_requests),
        merged=_merged(session),
    )


def _title(session: SessionUse) -> str:
    return one_line(session.title) or session.session_id


def _who(session: SessionUse, directory: Directory) -> tuple[Holder, str, str]:
    return who("", session.principal_kind, session.principal_id, directory)


def _merged(session: SessionUse) -> int:
    return sum(1 for one in session.pull_requests if one.state == MERGED)


def _pull_request(one: PullRequest) -> PullRequestLink:
    return PullRequestLink(
        label=pull_request_label(one.url),
        href=link_of(one.url),
        state=cut(one_line(one.state), LONGEST_TAG),
    )


def _linked(text: str, address: str) -> CellValue:
    href = link_of(address)
    return Link(text, href) if href and text else text or None
