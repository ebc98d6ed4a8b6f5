"""Well-formed XHTML, as the templates emit it, parsed by expat into a tree.

HTML's named entities work as they do in a browser; characters that XML cannot carry become U+FFFD.
"""

import re
from html.entities import html5
from xml.etree.ElementTree import Element, ParseError, XMLParser

from reportgen.documents.sheetxml import legible

FRAGMENT_CHARACTERS = 100
_XML_ENTITIES = {"amp", "lt", "gt", "quot", "apos"}
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")


class MarkupError(Exception):
    """A mistake in a template's markup; the message names it with its fragment."""


def tree(xhtml: str) -> Element:
    """Parse a document; raises MarkupError with line, column and fragment."""
    # Characters that XML cannot carry may come from any name in the data: expat would refuse the whole document.
    text = _ENTITY.sub(_entity, legible(xhtml))
    parser = XMLParser()  # noqa: S314 - the template's own output, escaped by Jinja; never a foreign document
    try:
        parser.feed(text)
        root: Element = parser.close()
    except ParseError as error:
        line, column = error.position
        reason = str(error).partition(":")[0]
        shown = text.split("\n")[line - 1].strip()[:FRAGMENT_CHARACTERS]
        message = f"not well-formed XML, line {line}, column {column + 1}: {reason}: {shown}"
        raise MarkupError(message) from None
    return root


def _entity(match: re.Match[str]) -> str:
    name = match[1]
    if name in _XML_ENTITIES:
        return match[0]
    characters = html5.get(f"{name};")
    if characters is None:
        raise MarkupError(f"unknown entity &{name};")
    # As numbers, because the characters of some (&AMP;, &LT;) are markup.
    return "".join(f"&#{ord(character)};" for character in characters)
