"""What a style says in vain: WeasyPrint ignores it, says so in its log, and draws the page without.

Here that is a mistake. In the style sheet of all pages it is named by its line; of a page only what
stands in it is known here, by which its template is searched.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from logging import LogRecord
from typing import NamedTuple
from xml.etree.ElementTree import Element

from weasyprint import CSS
from weasyprint.urls import URLFetchingError

from reportgen.documents.markup import MarkupError, StyleSheetError
from reportgen.documents.pdf.fetcher import DataOnly, is_lost, shortened
from reportgen.documents.pdf.log import warnings_heard

SHEET = "has a style sheet with a mistake"
STYLE = "has a style with a mistake"
_PLACE = re.compile(r" at (\d+):\d+\b")
_SELECTOR = re.compile(r"selector, '(.*?)'", re.DOTALL)
_BLANK = re.compile(r"\s(?=[`'](?:,|$))")
"""What is left of a blank before the brace that ends what is repeated."""
_COMPUTED = "Ignored `%s: %s`"
"""How WeasyPrint begins to say that a value makes no sense once variables are put into it."""
_NO_VARIABLE = re.compile(r"no value\.$")
"""How it ends where a variable is not set, as one page need not use all that a sheet provides."""
_SVG = "{http://www.w3.org/2000/svg}"
"""Elements of pictures have properties of their own, which are not looked at as a page's."""


class _Ignored(NamedTuple):
    """Something that is ignored in a style sheet, by its line there."""

    said: str
    line: int


def check_sheet(warnings: Iterable[LogRecord], css: str) -> None:
    """Raise StyleSheetError for the first thing that was ignored as a style sheet was read."""
    for ignored in _ignored(warnings, css):
        raise StyleSheetError(f"{SHEET}: {ignored.said}", ignored.line)


def check_styles(root: Element) -> None:
    """Raise MarkupError for the first thing in the styles of a page that would be ignored."""
    for element in root.iter():
        if element.tag == "style":
            _check_text(element.text or "")
        elif element.tag == "link" and element.get("href", "").lower().startswith("data:"):
            _check_linked(element)
        elif not element.tag.startswith(_SVG) and (style := element.get("style")):
            for said in _ignored_in(style):
                raise MarkupError(f"{STYLE}: {said}", style)


def check_computed(warnings: Iterable[LogRecord]) -> None:
    """Raise MarkupError where a value was ignored as a page was drawn."""
    for record in warnings:
        if str(record.msg).startswith(_COMPUTED) and not _NO_VARIABLE.search(record.getMessage()):
            raise MarkupError(f"{STYLE}: {_said(record)}")


def _check_text(css: str) -> None:
    with warnings_heard() as warnings:
        CSS(string=css, url_fetcher=DataOnly())
    for said, line in _ignored(warnings, css):
        raise MarkupError(f"{SHEET}: {said}", css.split("\n")[line - 1] if line else "")


def _check_linked(link: Element) -> None:
    address = link.get("href", "")
    if "stylesheet" not in link.get("rel", "").lower().split():
        return
    with warnings_heard() as warnings, suppress(URLFetchingError):  # which is told as not fetched
        CSS(url=address, url_fetcher=DataOnly(), _check_mime_type=True)
    for said, _ in _ignored(warnings, ""):
        raise MarkupError(f"{SHEET}: {said}", address)


@lru_cache(maxsize=1024)
def _ignored_in(style: str) -> tuple[str, ...]:
    """Say what is ignored in the style of an element; a page has the same ones many times.

    It is read as a rule that ends with it, as what it leaves open does.
    """
    with warnings_heard() as warnings:
        CSS(string=f"*{{{style}", url_fetcher=DataOnly())
    return tuple(ignored.said for ignored in _ignored(warnings, ""))


def _ignored(warnings: Iterable[LogRecord], css: str) -> Iterator[_Ignored]:
    """Give what is ignored in a style sheet; nothing where it is for want of what is not fetched.

    That is told as the page is drawn.
    """
    records = list(warnings)
    if not any(is_lost(record.getMessage()) for record in records):
        for record in records:
            yield _Ignored(_said(record), _line(record.getMessage(), css))


def _line(said: str, css: str) -> int:
    """Give the line of a mistake as WeasyPrint says it, or that of the selector it names."""
    if place := _PLACE.search(said):
        return int(place[1])
    selector = _SELECTOR.search(said)
    before = css.partition(selector[1].strip())[0] if selector else css
    return before.count("\n") + 1 if before != css else 0


def _said(record: LogRecord) -> str:
    said = _PLACE.sub("", record.getMessage()).rstrip(".")
    return shortened(_BLANK.sub("", " ".join(said.split())))
