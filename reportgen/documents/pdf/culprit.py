"""Which line of a style, or which element of a page, WeasyPrint fails at.

At a length beyond all sense, or at CSS that it half knows, it raises whatever its arithmetic does
and says nothing of where. But a style sheet is one up to any of its lines, and a page is one where
elements have no attributes: so the least part that it fails at is sought by halves.
"""

from bisect import bisect_left
from collections.abc import Callable
from xml.etree.ElementTree import Element

from weasyprint import CSS

from reportgen.documents.markup import tree
from reportgen.documents.pdf.fetcher import DataOnly
from reportgen.documents.pdf.pdf import XhtmlTree


def line_of_sheet(xhtml: str, css: str) -> int:
    """Give the line of a style sheet at which a page fails; 0 where its sheet is not to blame."""
    return 0 if _fails(tree(xhtml), "") else _line(css, lambda part: _fails(tree(xhtml), part))


def style_of_page(xhtml: str) -> str:
    """Give the style, or the line of a style sheet within, at which a page fails; else nothing."""
    elements = list(tree(xhtml).iter())
    kept = _first(len(elements) + 1, lambda number: _fails(_bare(xhtml, number), ""))
    if kept is None or kept == 0:
        return ""
    guilty = elements[kept - 1]
    if guilty.tag != "style":
        return guilty.get("style", "")
    css = guilty.text or ""
    line = _line(css, lambda part: _fails(_bare(xhtml, kept, part), ""))
    return css.split("\n")[line - 1].strip() if line else ""


def _line(css: str, fails: Callable[[str], bool]) -> int:
    lines = css.split("\n")
    first = _first(len(lines) + 1, lambda number: fails("\n".join(lines[:number])))
    return first or 0


def _first(count: int, fails: Callable[[int], bool]) -> int | None:
    """Give the first number below a count that fails, as all after it do; None where none does."""
    first = bisect_left(range(count), True, key=fails)  # noqa: FBT003 - what the key gives
    return None if first == count else first


def _bare(xhtml: str, kept: int, css: str | None = None) -> Element:
    """Parse a page and leave nothing but words to the elements after the first few.

    `css` takes the place of the text of the last that is kept.
    """
    root = tree(xhtml)
    elements = list(root.iter())
    for element in elements[kept:]:
        element.attrib.clear()
        if element.tag == "style":
            element.text = ""
    if css is not None:
        elements[kept - 1].text = css
    return root


def _fails(root: Element, css: str) -> bool:
    try:
        sheet = CSS(string=css, url_fetcher=DataOnly())
        XhtmlTree(root, DataOnly()).write_pdf(stylesheets=[sheet])
    except Exception:  # noqa: BLE001 - whatever its arithmetic raises
        return True
    return False
