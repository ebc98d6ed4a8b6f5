"""Documents fetch nothing: what they ask for must be in them, so that they are the same everywhere and for ever.

WeasyPrint leaves out what it cannot load and says so in its log. Here that is a mistake: nothing is
lost unseen.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
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
    """Something that a document asks for and does not carry itself; `address` is where it should have come from."""

    def __init__(self, message: str, address: str = "") -> None:
        super().__init__(message)
        self.address = address


class DataOnly(URLFetcher):  # type: ignore[misc]
    """Fetch nothing but `data:`, which carries its content itself, and remember what else was asked for."""

    def __init__(self) -> None:
        super().__init__(allowed_protocols=("data",), allow_redirects=False)
        self.refused: list[str] = []

    def fetch(self, url: str, headers: Any = None) -> Any:  # noqa: ANN401 - WeasyPrint has no types
        """Give what an address carries; raises ValueError for one that leads elsewhere."""
        if not url.lower().startswith("data:"):
            self.refused.append(url)
        return super().fetch(url, headers)


@contextmanager
def nothing_lost(fetcher: DataOnly, *, strict: bool = False) -> Iterator[None]:
    """Raise NotFetched at the end if anything that was asked for is not in the document.

    A style sheet is read strictly: what WeasyPrint ignores in it counts as well.
    """
    said: list[str] = []
    ignored: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if _LOST.search(record.getMessage()):
                said.append(record.getMessage())
            elif strict:
                ignored.append(record.getMessage())

    listener = Listener(logging.WARNING)
    logger = logging.getLogger("weasyprint")
    logger.addHandler(listener)
    fetcher.refused.clear()
    try:
        yield
    finally:
        logger.removeHandler(listener)
    relative = [found[1] for found in map(_RELATIVE.search, said) if found]
    for address in (*fetcher.refused, *relative):
        raise NotFetched(f"asks for {quoted(address)}, but documents fetch nothing", address)
    if ignored:
        shown = _LONG.sub(r"\1…", ignored[0])
        raise MarkupError(f"has a style sheet with a mistake: {shown}")
    if said:
        raise NotFetched(_LONG.sub(r"\1…", said[0].partition(": ")[0].replace("F", "f", 1)))
