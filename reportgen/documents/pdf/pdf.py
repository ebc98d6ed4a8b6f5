"""XHTML -> the bytes of a PDF/A-3, by WeasyPrint, with what costs time done once per process.

The XHTML is handed over as a tree built by expat instead of being parsed as HTML5, the style sheet
and the fonts are kept, and the garbage collector is told to leave them alone. Nothing is fetched: a
document is its template's output.
"""

import gc
import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import cssselect2
import pydyf
import weasyprint
from weasyprint import CSS, HTML
from weasyprint import Attachment as Embedded
from weasyprint.text.fonts import FontConfiguration

from reportgen.core.model import Attachment
from reportgen.core.text import quoted
from reportgen.documents.markup import MarkupError, tree
from reportgen.documents.pdf import fontconfig, tagging
from reportgen.documents.pdf.columns import fit_columns
from reportgen.documents.pdf.drawable import check_drawable
from reportgen.documents.pdf.fetcher import DataOnly, check_nothing_lost
from reportgen.documents.pdf.figures import fit_figures
from reportgen.documents.pdf.glyphs import check_glyphs
from reportgen.documents.pdf.log import warnings_heard
from reportgen.documents.pdf.styles import check_computed, check_sheet, check_styles

ARCHIVABLE = "pdf/a-3a"
"""Tagged, so that it can be read aloud and reflowed; benchmarks/README.md has what that costs."""
OLDEST = "pdf/a-1b"
"""Without attachments, tags or transparency; what its validators find is wrong in ours as well."""
COLLECTED = (200_000, 5, 50)
"""The collector's thresholds: a page makes many objects that all live until it is drawn."""
LANGUAGE = (
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    b"<dc:language><rdf:Bag><rdf:li>%s</rdf:li></rdf:Bag></dc:language></rdf:Description>"
)
OF_ALL_HTML = Path(weasyprint.__file__).parent / "css" / "html5_ua.css"
FOR_ALL = re.compile(r"^::(?:marker|footnote-|note-)[^{]*\{[^}]*\}\n", re.MULTILINE)
MARKED = ("footnote", "note(", "marker", "list-item", "<li", "<summary", "\\")
"""What a page has in which those rules mean something."""
EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001 - WeasyPrint writes what it takes for UTC


class XhtmlTree(HTML):  # type: ignore[misc]
    """WeasyPrint's HTML over a tree that expat has built from well-formed XHTML."""

    def __init__(self, root: Element, fetcher: DataOnly, *, is_plain: bool = False) -> None:
        """Take the tree, what fetches for it, and whether it has neither notes nor markers."""
        self._is_plain = is_plain
        self.base_url = None
        self.url_fetcher = fetcher
        self.media_type = "print"
        self.wrapper_element = cssselect2.ElementWrapper.from_html_root(root, content_language=None)
        self.etree_element = self.wrapper_element.etree_element

    def _ua_stylesheets(self, forms: bool = False) -> list[CSS]:  # noqa: FBT001, FBT002 - WeasyPrint's
        """Give the style sheet of all HTML; a plain page leaves out what every element pays for."""
        if self._is_plain and not forms:
            return [_plain_sheet()]
        usual: list[CSS] = super()._ua_stylesheets(forms)
        return usual


def pdf(
    xhtml: str,
    css: str,
    attachments: Sequence[Attachment] = (),
    *,
    dated: datetime = EPOCH,
    variant: str | None = ARCHIVABLE,
) -> bytes:
    """Return the PDF of a document, with its attachments dated `dated` (UTC, without an offset).

    Raises MarkupError, MissingGlyph where a text cannot be drawn, or NotFetched where it asks for
    what is not in it.
    """
    style, fetcher = _style_sheet(css, fontconfig.looking_at()), _fetcher()
    document = XhtmlTree(tree(xhtml), fetcher, is_plain=is_plain(xhtml, css))
    _check_archivable(document.etree_element)
    check_drawable(document.etree_element)
    check_styles(document.etree_element)
    fit_columns(document.etree_element)
    fit_figures(document.etree_element)
    with warnings_heard() as warnings:
        written: bytes = document.write_pdf(
            font_config=_fonts(),
            stylesheets=[style],
            attachments=[_embedded(attachment, dated, fetcher) for attachment in attachments],
            pdf_variant=variant,
            finisher=partial(_finish, dated=dated, flat=variant == OLDEST),
        )
    check_nothing_lost(warnings, fetcher)
    check_computed(warnings)
    check_glyphs(warnings, document.etree_element)
    return written


def is_plain(xhtml: str, css: str) -> bool:
    """Tell whether nothing on a page can be a note or have a marker, as lists do.

    An escape in a style could spell any word.
    """
    text = f"{css}{xhtml}".lower()
    return not any(word in text for word in MARKED)


@cache
def _plain_sheet() -> CSS:
    """Parse WeasyPrint's own style sheet without its rules for notes and markers.

    They match every element: six further styles for each, a tenth of the time of a document.
    """
    return CSS(string=FOR_ALL.sub("", OF_ALL_HTML.read_text(encoding="utf-8")))


def _check_archivable(root: Element) -> None:
    """Raise MarkupError for a page that lacks what an archive needs, or leads out of it."""
    if not (root.findtext("head/title") or "").strip():
        raise MarkupError("the page has no <title>, by which an archive finds it")
    if not root.get("lang", "").strip():
        raise MarkupError("<html> has no lang, without which nobody can read the page aloud")
    for link in root.iter("a"):
        address = link.get("href", "#")
        if (
            not address.lower().startswith(("#", "http://", "https://", "mailto:"))
            and link.get("rel") != "attachment"
        ):
            raise MarkupError(f"a link leads to {quoted(address)}, which no archived page can open")


def _embedded(attachment: Attachment, dated: datetime, fetcher: DataOnly) -> Embedded:
    """Give WeasyPrint a file to embed; it writes one only once."""
    return Embedded(
        string=attachment.content,
        name=attachment.name,
        description=attachment.description,
        relationship=attachment.relationship,
        created=dated,
        modified=dated,
        url_fetcher=fetcher,
    )


def _finish(_: object, document: Any, *, dated: datetime, flat: bool) -> None:  # noqa: ANN401 - pydyf has no types
    """Mend the structure tree, and what PDF/A forbids: smoothed pictures, files listed twice."""
    for part in document.objects:
        if isinstance(part, pydyf.Stream):
            _mend_stream(part, document.catalog, dated, flat=flat)
    if "AF" in document.catalog:
        document.catalog["AF"] = pydyf.Array(dict.fromkeys(document.catalog["AF"]))
    tagging.mend(document)


def _mend_stream(stream: Any, catalog: Any, dated: datetime, *, flat: bool) -> None:  # noqa: ANN401
    """Mend one stream: the metadata, an attachment, which the clock has dated, or a picture.

    What is `flat` has no groups of transparency, which WeasyPrint makes around every text of an
    SVG.
    """
    if stream.extra.get("Subtype") == "/XML":
        stream.stream[:] = [_with_language(content, catalog) for content in stream.stream]
    if stream.extra.get("Type") == "/EmbeddedFile":
        moment = pydyf.String(f"D:{dated:%Y%m%d%H%M%S}Z")
        stream.extra["Params"] |= dict.fromkeys(("CreationDate", "ModDate"), moment)
    stream.extra.pop("Interpolate", None)
    if flat:
        stream.extra.pop("Group", None)


def _with_language(metadata: bytes, catalog: Any) -> bytes:  # noqa: ANN401
    """Say the language of the document in its metadata as well."""
    language = catalog["Lang"].string if "Lang" in catalog else ""
    return (
        metadata.replace(b"</rdf:RDF>", LANGUAGE % language.encode() + b"</rdf:RDF>")
        if language
        else metadata
    )


def _fetcher() -> DataOnly:
    """Give the fetcher of this process, which has refused nothing yet."""
    fetcher = _new_fetcher()
    fetcher.forget()
    return fetcher


@cache
def _new_fetcher() -> DataOnly:
    return DataOnly()  # a hundredth of a page's time


def _fonts() -> FontConfiguration:
    return _fonts_of(fontconfig.looking_at())


@cache
def _fonts_of(looking_at: str) -> FontConfiguration:  # noqa: ARG001 - WeasyPrint looks there itself
    return FontConfiguration()


@cache
def _style_sheet(css: str, looking_at: str) -> CSS:  # noqa: ARG001 - fonts are part of it
    """Parse a style sheet once, then keep what is there out of all later garbage collections."""
    fetcher = _fetcher()
    with warnings_heard() as warnings:
        parsed = CSS(string=css, font_config=_fonts(), url_fetcher=fetcher)
    check_nothing_lost(warnings, fetcher)
    check_sheet(warnings, css)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED)
    return parsed
