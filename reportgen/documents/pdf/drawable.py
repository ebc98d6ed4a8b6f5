"""What a page may ask for: WeasyPrint draws a document, and leaves out what a browser is for.

It does so without a word: a film, a form or a second picture for other screens are simply not
there, nor is what a picture takes from another file. Here they are a mistake, as is a picture that
cannot be fetched: nothing is lost unseen.
"""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from reportgen.documents.markup import MarkupError

MOST_SPANNED = 1_000
"""Columns or rows that a cell may span, as browsers have it; each takes memory."""
LONGEST_SHOWN = 60
_UNHELD = "asks for what no page of paper can hold, and it would be left out"
_OUTSIDE = "nothing that lies outside of a picture is drawn in it"
_LEFT_OUT = (
    *("applet", "audio", "canvas", "frame", "frameset", "iframe", "noscript", "portal", "script"),
    *("math", "source", "template", "track", "video"),
    *("area", "base", "bgsound", "fencedframe", "map", "meter", "progress"),
    *("button", "datalist", "fieldset", "form", "input", "optgroup", "option", "select"),
    "textarea",
    *("animate", "animateMotion", "animateTransform", "foreignObject", "set"),
)
"""Elements that a page on paper has no use for, of HTML and of pictures in it."""
_FOR_BROWSERS = {
    "meta": {"http-equiv": {"refresh"}},
    "link": {
        "rel": {
            *("apple-touch-icon", "dns-prefetch", "icon", "manifest", "mask-icon"),
            *("modulepreload", "preconnect", "prefetch", "preload", "prerender"),
        }
    },
}
"""What the head of a page asks for that only a browser goes and gets."""
_ATTRIBUTES = ("background", "dynsrc", "lowsrc", "poster", "srcdoc", "srcset")
_NEEDED = {"embed": "src", "object": "data"}
_SPANS = ("colspan", "rowspan", "span")
_DIGITS = re.compile(r"\s*\+?0*([0-9]+)\s*")
_ELSEWHERE = re.compile(r"(?:url\(\s*['\"]?|@import\s*['\"])(?!#|data:)([^'\")]*)", re.IGNORECASE)
_SVG = "{http://www.w3.org/2000/svg}"
_STYLE_OF_PICTURE = f"{_SVG}style"
_PICTURES = frozenset({"a", "image"})
"""Elements of SVG whose address is told by whoever follows it."""


def check_drawable(root: Element) -> None:
    """Raise MarkupError for the first thing that a page asks for and would not get."""
    if fault := first_fault(root):
        raise MarkupError(fault)


def first_fault(root: Element) -> str:
    """Say the first thing that a page, or a picture, asks for in vain; nothing where all is there.

    It ends with the words by which its line is found.
    """
    return next((fault for element in root.iter() for fault in _faults(element)), "")


def _faults(element: Element) -> Iterator[str]:
    """Say what an element asks for in vain."""
    name = element.tag.rpartition("}")[2]
    if name in _LEFT_OUT:
        yield f"{_UNHELD}: <{name}>"
    for attribute, words in _FOR_BROWSERS.get(name, {}).items():
        text = element.get(attribute, "")
        if not words.isdisjoint(text.lower().split()):
            yield f"{_UNHELD}: {_shown(attribute, text)}"
    if name in _NEEDED and _NEEDED[name] not in element.attrib:
        yield f"has nothing to show, as it has no {_NEEDED[name]}: <{name}>"
    for attribute, text in element.attrib.items():
        plain = attribute.rpartition("}")[2]
        if plain in _ATTRIBUTES or plain.lower().startswith("on"):
            yield f"has an attribute that would be left out: {plain}="
        if plain in _SPANS and (said := _span_fault(text)):
            yield f"{said}: {_shown(plain, text)}"
        if element.tag.startswith(_SVG):
            yield from _outside(name, plain, text)
    if element.tag == _STYLE_OF_PICTURE and (asked := _ELSEWHERE.search(element.text or "")):
        yield f"{_OUTSIDE}: {asked[0][:LONGEST_SHOWN]}"


def _span_fault(text: str) -> str:
    """Say why a text is no number of columns or rows; the length is read before the number is."""
    number = _DIGITS.fullmatch(text)
    if number is None:
        return "spans what is no whole number"
    if len(number[1]) > len(str(MOST_SPANNED)) or int(number[1]) > MOST_SPANNED:
        return f"spans more than {MOST_SPANNED:,} columns or rows"
    return ""


def _outside(name: str, attribute: str, text: str) -> Iterator[str]:
    """Say of an element of a picture what it takes from another one, which nobody fetches."""
    if attribute == "href" and name not in _PICTURES and not text.startswith("#"):
        yield f"{_OUTSIDE}: {_shown(attribute, text)}"
    if address := _ELSEWHERE.search(text):
        yield f"{_OUTSIDE}: {address[0][:LONGEST_SHOWN]}"


def _shown(attribute: str, text: str) -> str:
    shown = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
    return f'{attribute}="{shown}' + ("" if shown != text else '"')
