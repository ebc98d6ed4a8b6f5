"""Documents fetch nothing: what they ask for is in them, so that they are the same for ever.

WeasyPrint leaves out what it cannot load and says so in its log. Here that is a mistake: nothing is
lost unseen.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from logging import LogRecord
from typing import Any

from weasyprint.urls import URLFetcher

from reportgen.core.text import LONGEST_QUOTE, quoted
from reportgen.documents.markup import MarkupError

_LOST = re.compile(r"Failed to (?:load|render)|Unsupported stylesheet|Font-face|Relative URI")
_RELATIVE = re.compile(
    r"(?:Relative URI reference without a base URI: |`[^`]*url\(['\"]?)([^'\")]*)"
)
_LONG = re.compile(rf"([^\s'\"]{{{LONGEST_QUOTE - 1}}})[^\s'\"]{{2,}}")
"""An address that is too long to repeat: one of `data:` is a whole picture."""


class NotFetched(Exception):  # noqa: N818 - a document that was refused
    """Something that a document asks for and does not carry; `address` is where it looked."""

    def __init__(self, message: str, address: str = "") -> None:
        super().__init__(message)
        self.address = address


class DataOnly(URLFetcher):  # type: ignore[misc]
    """Fetches nothing but `data:`, which carries its content, and keeps what else one asked for."""

    def __init__(self) -> None:
        super().__init__(allowed_protocols=("data",), allow_redirects=False)
        self.refused: list[str] = []

    def fetch(self, url: str, headers: Any = None) -> Any:  # noqa: ANN401 - WeasyPrint has no types
        """Give what an address carries; raises ValueError for one that leads elsewhere."""
        if not url.lower().startswith("data:"):
            self.refused.append(url)
        return super().fetch(url, headers)


def check_nothing_lost(warnings: Iterable[LogRecord], refused: Sequence[str]) -> None:
    """Raise NotFetched where something that a document asks for is not in it."""
    lost = [said for said in _said(warnings) if _LOST.search(said)]
    relative = [address[1] for address in map(_RELATIVE.search, lost) if address]
    for address in (*refused, *relative):
        raise NotFetched(f"asks for {quoted(address)}, but documents fetch nothing", address)
    if lost:
        raise NotFetched(_shortened(lost[0].partition(": ")[0].replace("F", "f", 1)))


def check_nothing_ignored(warnings: Iterable[LogRecord]) -> None:
    """Raise MarkupError where WeasyPrint ignores something in a style sheet."""
    for said in _said(warnings):
        raise MarkupError(f"has a style sheet with a mistake: {_shortened(said)}")


def _said(warnings: Iterable[LogRecord]) -> Iterator[str]:
    return (record.getMessage() for record in warnings)


def _shortened(said: str) -> str:
    return _LONG.sub(r"\1…", said)
