"""XHTML -> the bytes of a PDF, by WeasyPrint, with what costs time done once per process.

The XHTML is handed over as a tree built by expat instead of being parsed as HTML5, the style sheet and the fonts are
kept, and the garbage collector is told to leave them alone. Nothing is fetched: a document is its template's output.
"""

import gc
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from xml.etree.ElementTree import Element

os.environ["FONTCONFIG_FILE"] = str(Path(__file__).with_name("fonts.conf"))  # before WeasyPrint loads fontconfig

import cssselect2
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher

from reportgen.core.problem import quoted
from reportgen.documents.markup import tree


class MissingGlyph(Exception):  # noqa: N818 - a text that was refused
    """A character that the fonts cannot draw, and the text that holds it."""


class XhtmlTree(HTML):  # type: ignore[misc]
    """WeasyPrint's HTML over a tree that expat has built from well-formed XHTML."""

    def __init__(self, xhtml: str) -> None:
        """Parse the document; raises MarkupError."""
        self.base_url = None
        self.url_fetcher = _no_network()
        self.media_type = "print"
        self.wrapper_element = cssselect2.ElementWrapper.from_html_root(tree(xhtml), content_language=None)
        self.etree_element = self.wrapper_element.etree_element


def pdf(xhtml: str, css: str) -> bytes:
    """Return the PDF of a document; raises MarkupError, or MissingGlyph where a text cannot be drawn."""
    fonts = _fonts()
    document = XhtmlTree(xhtml)
    with _missing_glyphs() as missing:
        written: bytes = document.write_pdf(font_config=fonts, stylesheets=[_style_sheet(css)])
    if missing:
        raise MissingGlyph(_shown(missing[0], document.etree_element))
    return written


@cache
def _no_network() -> URLFetcher:
    """Fetch nothing but `data:`, which carries its content itself."""
    return URLFetcher(allowed_protocols=("data",))


@cache
def _fonts() -> FontConfiguration:
    return FontConfiguration()


@cache
def _style_sheet(css: str) -> CSS:
    """Parse a style sheet once, then keep what is there now out of every later garbage collection."""
    parsed = CSS(string=css, font_config=_fonts(), url_fetcher=_no_network())
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    return parsed


def _shown(character: str, root: Element) -> str:
    """Name a character that may be invisible by its code point, with the text it was found in."""
    held = next((text.strip() for text in root.itertext() if character in text), "")
    return f"U+{ord(character):04X}" + (f" in {quoted(held)}" if held else "")


@contextmanager
def _missing_glyphs() -> Iterator[list[str]]:
    """Collect what WeasyPrint warns of having drawn as a box."""
    found: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if ".notdef" in str(record.msg):
                found.append(str(record.args[0]) if isinstance(record.args, tuple) and record.args else "\ufffd")

    listener = Listener(logging.WARNING)
    logger = logging.getLogger("weasyprint")
    logger.addHandler(listener)
    try:
        yield found
    finally:
        logger.removeHandler(listener)
