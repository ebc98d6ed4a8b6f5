"""XHTML as a closed vocabulary: known elements and attributes, mistakes with their fragment.

Closed, so that a misspelt `data-feild` is reported and never becomes an empty column.
"""

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element

from reportgen.documents.markup import FRAGMENT_CHARACTERS, MarkupError, tree

_CELLS = {"td", "th"}
ROW_GROUPS = {"thead", "tbody", "tfoot"}
_CHILDREN: Mapping[str, set[str]] = {
    "html": {"head", "body"},
    "head": {"title", "meta", "style"},
    "body": {"table"},
    "table": {"colgroup"} | ROW_GROUPS,
    "colgroup": {"col"},
    "thead": {"tr"},
    "tbody": {"tr"},
    "tfoot": {"tr"},
    "tr": _CELLS,
    "td": {"data", "time", "output", "a", "br"},
    "th": {"data", "time", "output", "a", "br"},
}
_ATTRIBUTES: Mapping[str, set[str]] = {
    "html": {"lang"},
    "meta": {"name", "content"},
    "table": {
        "title",
        "data-orientation",
        "data-paper",
        "data-freeze",
        "data-table",
        "data-table-style",
        "data-filter",
        "data-gridlines",
        "data-footer",
        "data-chart",
        "data-chart-unit",
    },
    "col": {"style", "class", "data-field", "data-series"},
    "tbody": {"data-rows"},
    "tr": {"style", "class"},
    "td": {"class", "colspan", "id"},
    "th": {"class", "colspan", "id"},
    "data": {"value"},
    "time": {"datetime"},
    "output": {"value", "data-formula"},
    "a": {"href"},
}
_TEXT = _CELLS | {"title", "style", "data", "time", "output", "a"}


class WorkbookError(Exception):
    """A mistake in the template of a workbook; the message names it with its fragment."""


def parse(xhtml: str) -> Element:
    """Parse a document and check every name in it; raises WorkbookError."""
    try:
        root = tree(xhtml)
    except MarkupError as error:
        raise WorkbookError(str(error)) from None
    if root.tag != "html":
        raise WorkbookError(f"the outermost element is not <html>: {fragment(root)}")
    for element in root.iter():
        _check_names(element)
    return root


def fragment(element: Element) -> str:
    """Return the opening tag of an element and the start of its text, for a message."""
    attributes = "".join(f' {name}="{value}"' for name, value in element.attrib.items())
    shown = f"<{element.tag}{attributes}>{(element.text or '').strip()}"
    return shown if len(shown) <= FRAGMENT_CHARACTERS else shown[: FRAGMENT_CHARACTERS - 1] + "…"


def text_of(element: Element | None) -> str:
    """Return the text of an element, with a line feed for each `<br/>`."""
    if element is None:
        return ""
    return (element.text or "") + "".join("\n" + (child.tail or "") for child in element)


def classes_of(element: Element) -> tuple[str, ...]:
    """Return the classes of an element."""
    return tuple(element.get("class", "").split())


def measure(element: Element, name: str, unit: str, most: int) -> str | None:
    """Return the number of the one measure that `style` holds; raises WorkbookError."""
    style = element.get("style")
    if style is None:
        return None
    match = re.fullmatch(rf"\s*{name}:\s*([0-9]+(?:\.[0-9]+)?){unit}\s*;?\s*", style)
    if not match:
        raise WorkbookError(f'style is not "{name}: <number>{unit}": {fragment(element)}')
    if float(match[1]) > most:
        raise WorkbookError(f"{name} is over {most}{unit}: {fragment(element)}")
    return match[1]


def required(element: Element, name: str) -> str:
    """Return an attribute; raises WorkbookError where it is missing."""
    value = element.get(name)
    if value is None:
        raise WorkbookError(f"{name} is missing: {fragment(element)}")
    return value


def choice(element: Element, name: str, default: str, other: str) -> str:
    """Return an attribute that has two values; raises WorkbookError for a third."""
    value = element.get(name, default)
    if value not in {default, other}:
        raise WorkbookError(f"{name} is neither {default} nor {other}: {fragment(element)}")
    return value


def matching(element: Element, name: str, pattern: re.Pattern[str], wanted: str) -> str | None:
    """Return an attribute, or None; raises WorkbookError where it is not what is wanted."""
    value = element.get(name)
    if value is not None and not pattern.fullmatch(value):
        raise WorkbookError(f"{name} is not {wanted}: {fragment(element)}")
    return value


def _check_names(element: Element) -> None:
    for name in sorted(element.attrib.keys() - _ATTRIBUTES.get(element.tag, set())):
        raise WorkbookError(f"unknown attribute {name}: {fragment(element)}")
    known = _CHILDREN.get(element.tag, set())
    for child in element:
        if child.tag not in known:
            raise WorkbookError(f"<{child.tag}> has no place in <{element.tag}>: {fragment(child)}")
    if element.tag not in _TEXT:
        _check_no_text(element)


def _check_no_text(element: Element) -> None:
    for text in (element.text, *(child.tail for child in element)):
        if text and not text.isspace():
            raise WorkbookError(f"text outside a cell, in {fragment(element)}: {text.strip()[:40]}")
