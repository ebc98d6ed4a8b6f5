"""Well-formed XHTML, as the templates emit it, parsed by expat into a tree.

HTML's named entities work as they do in a browser; characters that XML cannot carry become U+FFFD.
"""

import re
from contextlib import suppress
from html.entities import html5
from typing import Any
from xml.etree.ElementTree import Element, ParseError, XMLParser

from reportgen.core.text import did_you_mean, legible

FRAGMENT_CHARACTERS = 100
DEEPEST = 60
"""Elements in each other; what is nested deeper, Python's stack may not let WeasyPrint lay out."""
_XML_ENTITIES = {"amp", "lt", "gt", "quot", "apos"}
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")


class MarkupError(Exception):
    """A mistake in a template's markup; the message names it with its fragment.

    `fragment` is what stands in the template, where the message does not end with it.
    """

    def __init__(self, message: str, fragment: str = "") -> None:
        super().__init__(message)
        self.fragment = fragment


class StyleSheetError(MarkupError):
    """A mistake in the style sheet of all pages; `line` is 0 where it is not known."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def tree(xhtml: str) -> Element:
    """Parse a document; raises MarkupError with its fragment."""
    root: Element = _parsed(xhtml, XMLParser())  # noqa: S314 - the template's own output, escaped by Jinja; never a foreign document
    level = [root]
    for _ in range(DEEPEST):
        level = [child for element in level for child in element]
    _check_depth(level[0].tag if level else "")
    return root


def check(xhtml: str) -> None:
    """Raise what `tree` raises, without the tree: that of 3,000 cost centers takes 40 MiB."""
    depth = _Depth()
    _parsed(xhtml, XMLParser(target=depth))  # noqa: S314 - as above
    _check_depth(depth.beyond)


class _Depth:
    """Follows elements into each other, and keeps the first that is too deep."""

    def __init__(self) -> None:
        self.beyond = ""
        self._depth = 0

    def start(self, tag: str, _: object) -> None:
        if self._depth == DEEPEST and not self.beyond:
            self.beyond = tag
        self._depth += 1

    def end(self, _: str) -> None:
        self._depth -= 1


def _parsed(xhtml: str, parser: "XMLParser[Any]") -> Any:  # noqa: ANN401 - what its target gives
    # Characters that XML cannot carry may come from any name in the data: expat would refuse the
    # whole document.
    text = _ENTITY.sub(_entity, legible(xhtml))
    try:
        parser.feed(text)
        return parser.close()
    except ParseError as error:
        raise MarkupError(_said(error, text)) from None


def _said(error: ParseError, text: str) -> str:
    """Say where it is not well-formed and what is open there, with the fragment up to it."""
    line, column = error.position
    reason = str(error).partition(":")[0]
    opened = _open(text) if reason in {"mismatched tag", "no element found"} else ""
    written = text.split("\n")[line - 1]
    # A long line is shown from where its end is the mistake; expat stands before the tag or
    # character.
    start = (
        max(0, column - FRAGMENT_CHARACTERS // 2)
        if len(written.strip()) > FRAGMENT_CHARACTERS
        else 0
    )
    shown = (
        written[start : start + FRAGMENT_CHARACTERS].strip()
        if start
        else written.strip()[:FRAGMENT_CHARACTERS]
    )
    return f"not well-formed XML, line {line}, column {column + 1}: {reason}: {shown}" + (
        f" ({opened} is open)" if opened else ""
    )


def _check_depth(beyond: str) -> None:
    """Refuse an element that is too deep, by its tag."""
    if beyond:
        raise MarkupError(f"elements are nested more than {DEEPEST} deep: <{beyond}>")


def _open(text: str) -> str:
    """Name the innermost element that is open where the parser gives up."""
    names: list[str] = []

    class Names:
        def start(self, tag: str, _: object) -> None:
            names.append(tag)

        def end(self, _: str) -> None:
            names.pop()

    with suppress(ParseError):
        XMLParser(target=Names()).feed(text)  # noqa: S314 - as above
    return names[-1] if names else ""


def _entity(match: re.Match[str]) -> str:
    name = match[1]
    if name in _XML_ENTITIES:
        return match[0]
    characters = html5.get(f"{name};")
    if characters is None:
        meant = did_you_mean(
            name, (known[:-1] for known in html5 if known.endswith(";") and known.islower())
        )
        raise MarkupError(
            f"unknown entity &{name};" + (f" (did you mean &{meant};?)" if meant else "")
        )
    # As numbers, because the characters of some (&AMP;, &LT;) are markup.
    return "".join(f"&#{ord(character)};" for character in characters)
