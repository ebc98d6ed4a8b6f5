"""Documents fetch nothing: what they ask for is in them, so that they are the same for ever.

WeasyPrint leaves out what it cannot load and says so in its log. Here that is a mistake: nothing is
lost unseen. Of a picture that a document carries, it leaves out what lies elsewhere and says
nothing at all: so whatever is carried is looked at as the page itself is.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from logging import LogRecord
from typing import Any
from xml.etree.ElementTree import ParseError, fromstring

from weasyprint.urls import URLFetcher, URLFetcherResponse

from reportgen.core.text import LONGEST_QUOTE, quoted
from reportgen.documents.markup import MarkupError
from reportgen.documents.pdf.drawable import first_fault

_LOST = re.compile(r"Failed to (?:load|render)|Unsupported stylesheet|Font-face|Relative URI")
_RELATIVE = re.compile(
    r"(?:Relative URI reference without a base URI: |`[^`]*url\(['\"]?)"
    r"([^'\")]*?)(?: at \d+:\d+)?(?:$|['\")])"
)
_LONG = re.compile(rf"([^\s'\"]{{{LONGEST_QUOTE - 1}}})[^\s'\"]{{2,}}")
"""An address that is too long to repeat: one of `data:` is a whole picture."""


class NotFetched(Exception):  # noqa: N818 - a document that was refused
    """Something that a document asks for and does not carry; `address` is where it looked."""

    def __init__(self, message: str, address: str = "") -> None:
        super().__init__(message)
        self.address = address


class DataOnly(URLFetcher):  # type: ignore[misc]
    """Fetches nothing but `data:`, which carries its content, and keeps what else one asked for.

    `faults` are what carried pictures ask for in vain, each with the address that carries it.
    """

    def __init__(self) -> None:
        super().__init__(allowed_protocols=("data",), allow_redirects=False)
        self.refused: list[str] = []
        self.faults: list[tuple[str, str]] = []

    def forget(self) -> None:
        """Begin a document, for which nothing has been refused yet."""
        self.refused.clear()
        self.faults.clear()

    def fetch(self, url: str, headers: Any = None) -> Any:  # noqa: ANN401 - WeasyPrint has no types
        """Give what an address carries; raises ValueError for one that leads elsewhere."""
        if not url.lower().startswith("data:"):
            self.refused.append(url)
        response = super().fetch(url, headers)
        content = response.read()
        if fault := _fault_within(content):
            self.faults.append((url, fault))
        return URLFetcherResponse(response.url, content, response.headers, response.status)


def check_nothing_lost(warnings: Iterable[LogRecord], fetcher: DataOnly) -> None:
    """Raise NotFetched where something that a document asks for is not in it.

    Raises MarkupError where it is a picture that the document carries which asks.
    """
    for address, fault in fetcher.faults:
        raise MarkupError(f"a picture in an address of data: {fault}", address)
    _check_addresses([said for said in _said(warnings) if is_lost(said)], fetcher.refused)


def is_lost(said: str) -> bool:
    """Tell whether WeasyPrint says that it could not load something."""
    return bool(_LOST.search(said))


def shortened(said: str) -> str:
    """Cut what is too long to repeat in what WeasyPrint says."""
    return _LONG.sub(r"\1…", said)


def _check_addresses(lost: Sequence[str], refused: Sequence[str]) -> None:
    relative = [address[1] for address in map(_RELATIVE.search, lost) if address]
    for address in (*refused, *relative):
        raise NotFetched(f"asks for {quoted(address)}, but documents fetch nothing", address)
    if lost:
        raise NotFetched(shortened(lost[0].partition(": ")[0].replace("F", "f", 1)))


def _fault_within(content: bytes) -> str:
    """Say what a carried picture asks for in vain; one that is no XML is not said anything of."""
    if not content.lstrip().startswith(b"<"):
        return ""
    try:
        return first_fault(fromstring(content))  # noqa: S314 - expat, which bounds entities
    except (ParseError, LookupError, ValueError):
        return ""  # WeasyPrint says that it cannot load it


def _said(warnings: Iterable[LogRecord]) -> Iterator[str]:
    return (record.getMessage() for record in warnings)
