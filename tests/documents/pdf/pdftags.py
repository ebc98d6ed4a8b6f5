"""The structure of a tagged PDF as a screen reader finds it, and what is wrong with it.

Rules of ISO 32000-1 14.7 and 14.8 and of ISO 19005-3 6.7, with those of good practice that the
project asks for: one heading of the first level, none skipped, headers with a scope, pictures with
words and a frame, an order that follows the page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pikepdf

from tests.documents.pdf.pdfcontent import Content, Shown

_STANDARD = """
Document Part Art Sect Div BlockQuote Caption TOC TOCI Index NonStruct Private
P H H1 H2 H3 H4 H5 H6 L LI Lbl LBody Table TR TH TD THead TBody TFoot
Span Quote Note Reference BibEntry Code Link Annot Ruby RB RT RP Warichu WT WP Figure Formula Form
"""
STANDARD = frozenset(_STANDARD.split())
INLINE = {"Span", "Link", "Quote", "Lbl"}
CHILDREN = {
    "Table": {"Caption", "THead", "TBody", "TFoot", "TR"},
    "THead": {"TR"},
    "TBody": {"TR"},
    "TFoot": {"TR"},
    "TR": {"TH", "TD"},
    "L": {"Caption", "LI", "L"},
    "LI": {"Lbl", "LBody"},
}
PARENTS = {
    "TR": {"Table", "THead", "TBody", "TFoot"},
    "TH": {"TR"},
    "TD": {"TR"},
    "LI": {"L"},
    "LBody": {"LI"},
}
SCOPES = {"/Column", "/Row", "/Both"}
TOLERANCE = 2.0  # points, of places


@dataclass(slots=True, kw_only=True)
class Element:
    """A structure element, with its children, and the marked contents that are directly its own."""

    tag: str
    dictionary: pikepdf.Dictionary
    parent: "Element | None"
    children: list["Element"] = field(default_factory=list)
    marked: list[tuple[Content, int]] = field(default_factory=list)
    annotations: list[pikepdf.Dictionary] = field(default_factory=list)

    def __iter__(self) -> Iterator["Element"]:
        """Give this element and all inside it, in reading order."""
        yield self
        for child in self.children:
            yield from child

    @property
    def attributes(self) -> dict[str, pikepdf.Object]:
        """All attributes, whoever their owner is."""
        found = self.dictionary.get("/A", pikepdf.Array())
        owners = found if isinstance(found, pikepdf.Array) else [found]
        return {key: value for owner in owners for key, value in owner.items()}

    @property
    def text(self) -> str:
        """Read what stands in this element and inside it."""
        return "".join(content.text(mcid) for element in self for content, mcid in element.marked)

    @property
    def shown(self) -> list[tuple[int, Shown]]:
        """Give what is drawn for this element, with the number of its page."""
        found = [(content, mcid) for element in self for content, mcid in element.marked]
        return [
            (c.number, shown)
            for c, mcid in found
            for shown in c.shown
            if shown.mark and shown.mark.mcid == mcid
        ]

    def named(self) -> str:
        """Name the element for a finding, by its tag and its first words."""
        text = self.text.strip()
        return f"{self.tag} {text[:40]!r}" if text else self.tag


class Structure:
    """The tree of a file, and the findings that reading it gave."""

    def __init__(self, document: pikepdf.Pdf, pages: Sequence[Content]) -> None:
        self.root = document.Root.get("/StructTreeRoot", pikepdf.Dictionary())
        self.roles = {
            str(key)[1:]: str(role)[1:] for key, role in self.root.get("/RoleMap", {}).items()
        }
        self.pages = {content.page.objgen: content for content in pages}
        self.faults: list[str] = []
        kids = self.root.get("/K", pikepdf.Array())
        self.top = [
            self._element(kid, None, None)
            for kid in (kids if isinstance(kids, pikepdf.Array) else [kids])
        ]

    def __iter__(self) -> Iterator[Element]:
        for element in self.top:
            yield from element

    def _element(
        self, found: pikepdf.Dictionary, parent: Element | None, page: Content | None
    ) -> Element:
        name = str(found.get("/S", "/"))[1:]
        element = Element(tag=self.roles.get(name, name), dictionary=found, parent=parent)
        above = parent.dictionary if parent else self.root
        if found.get("/P", pikepdf.Dictionary()).objgen != above.objgen:
            self.faults.append(f"{element.tag} names another parent than the one it stands in")
        if "/Pg" in found:
            page = self.pages.get(found.Pg.objgen, page)
        kids = found.get("/K", pikepdf.Array())
        for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
            self._kid(element, kid, page)
        return element

    def _kid(self, element: Element, kid: object, page: Content | None) -> None:
        if isinstance(kid, pikepdf.Dictionary) and kid.get("/Type") in (None, "/StructElem"):
            element.children.append(self._element(kid, element, page))
        elif isinstance(kid, pikepdf.Dictionary) and kid.Type == "/OBJR":
            element.annotations.append(kid.Obj)
        else:
            if isinstance(kid, pikepdf.Dictionary):
                page, kid = self.pages.get(kid.Pg.objgen, page) if "/Pg" in kid else page, kid.MCID
            if page is None:
                self.faults.append(f"{element.tag} holds content of no page")
            else:
                element.marked.append((page, int(kid)))


def findings(document: pikepdf.Pdf, pages: Sequence[Content]) -> Iterator[str]:
    """Say what is wrong with the structure."""
    if "/StructTreeRoot" not in document.Root:
        yield "The file has no structure tree."
        return
    structure = Structure(document, pages)
    yield from structure.faults
    for element in structure:
        if element.tag not in STANDARD:
            yield f"{element.tag} is no standard structure type, nor is it one by a role map."
    yield from _catalog(document)
    yield from _marks(structure, pages)
    yield from _numbers(document, structure, pages)
    yield from _identifiers(structure)
    yield from _headings(structure)
    yield from _nesting(structure)
    yield from _tables(structure)
    yield from _figures(structure)
    yield from _links(structure)
    yield from _order(structure)


def _catalog(document: pikepdf.Pdf) -> Iterator[str]:
    marks = document.Root.get("/MarkInfo", pikepdf.Dictionary())
    if marks.get("/Marked") is not True or marks.get("/Suspects", False):
        yield "The catalog's /MarkInfo does not say /Marked true, or says that marks are suspect."
    if (
        document.Root.get("/ViewerPreferences", pikepdf.Dictionary()).get("/DisplayDocTitle")
        is not True
    ):
        yield "A viewer will show the file name for a title (/ViewerPreferences /DisplayDocTitle)."
    for number, page in enumerate(document.pages, start=1):
        if page.obj.get("/Tabs") != "/S":
            yield f"Page {number} does not move between links as the structure does (/Tabs /S)."


def _marks(structure: Structure, pages: Sequence[Content]) -> Iterator[str]:
    """Everything drawn belongs to the structure, once, or is an artifact."""
    held = [(content.number, mcid) for element in structure for content, mcid in element.marked]
    drawn = [
        (content.number, mark.mcid)
        for content in pages
        for mark in content.marks
        if mark.mcid is not None
    ]
    for page in pages:
        if page.unmarked:
            painted = ", ".join(sorted(set(page.unmarked)))
            yield f"Page {page.number} draws ({painted}) what is neither structure nor artifact."
    for number, mcid in sorted(set(drawn) - set(held)):
        text = next(page.text(mcid) for page in pages if page.number == number)
        yield f"Page {number}: {text!r} (MCID {mcid}) is neither in the structure nor an artifact."
    for number, mcid in sorted(set(held) - set(drawn)):
        yield f"Page {number}: the structure holds MCID {mcid}, which the page does not draw."
    for number, mcid in sorted({place for place in held if held.count(place) > 1}):
        yield f"Page {number}: MCID {mcid} belongs to more than one element."
    for number, mcid in sorted({place for place in drawn if drawn.count(place) > 1}):
        yield f"Page {number}: MCID {mcid} is drawn more than once."


def _numbers(
    document: pikepdf.Pdf, structure: Structure, pages: Sequence[Content]
) -> Iterator[str]:
    """The parent tree leads from every mark, and from every annotation, to its element."""
    if "/ParentTree" not in structure.root:
        yield "The structure has no /ParentTree."
        return
    tree = dict(pikepdf.NumberTree(structure.root.ParentTree).items())
    parents = {page.number: tree.get(page.page.obj.get("/StructParents", -1)) for page in pages}
    for element in structure:
        for content, mcid in element.marked:
            found = parents[content.number]
            listed = found is not None and mcid < len(found) and found[mcid] is not None
            if not listed or found[mcid].objgen != element.dictionary.objgen:
                way = f"from MCID {mcid} to {element.named()}"
                yield f"Page {content.number}: the parent tree does not lead {way}."
        for annotation in element.annotations:
            found = tree.get(annotation.get("/StructParent", -1))
            if found is None or found.objgen != element.dictionary.objgen:
                yield f"The parent tree does not lead from an annotation to {element.named()}."
    used = {element.dictionary.objgen for element in structure}
    for page in pages:
        for place, entry in enumerate(parents[page.number] or []):
            if entry is not None and entry.objgen not in used:
                way = f"from MCID {place} out of the structure"
                yield f"Page {page.number}: the parent tree leads {way}."


def _identifiers(structure: Structure) -> Iterator[str]:
    known = [str(element.dictionary.ID) for element in structure if "/ID" in element.dictionary]
    if len(known) != len(set(known)):
        yield "Two elements have the same /ID."
    listed = set(pikepdf.NameTree(structure.root.IDTree)) if "/IDTree" in structure.root else set()
    if missing := set(known) - listed:
        yield f"The structure's /IDTree does not list {len(missing)} of the /ID that elements have."
    for element in structure:
        for header in element.attributes.get("/Headers", []):
            if str(header) not in known:
                yield f"{element.named()} names a header that is not there."


def _headings(structure: Structure) -> Iterator[str]:
    found = [
        element for element in structure if element.tag in {"H1", "H2", "H3", "H4", "H5", "H6"}
    ]
    levels = [int(element.tag[1]) for element in found]
    if levels[:1] != [1] or levels.count(1) != 1:
        yield f"The headings do not begin with the only H1, but are {levels}."
    for before, after in pairwise(found):
        if int(after.tag[1]) > int(before.tag[1]) + 1:
            yield f"{after.named()} skips a level after {before.named()}."
    for element in found:
        if not element.text.strip():
            yield f"{element.tag} has no text."


def _nesting(structure: Structure) -> Iterator[str]:
    for element in structure:
        allowed = CHILDREN.get(element.tag)
        for child in element.children:
            if allowed and child.tag not in allowed:
                yield f"{child.named()} stands directly in {element.tag}, which may not hold it."
        above = PARENTS.get(element.tag)
        if above and (element.parent is None or element.parent.tag not in above):
            yield f"{element.named()} does not stand in {' or '.join(sorted(above))}."


def _tables(structure: Structure) -> Iterator[str]:
    for table in (element for element in structure if element.tag == "Table"):
        headers = [element for element in table if element.tag == "TH"]
        if not headers:
            yield f"{table.named()} has no header: what is a table only in looks is no Table."
        for header in headers:
            if str(header.attributes.get("/Scope")) not in SCOPES:
                yield f"{header.named()} does not say whether it heads a column or a row (/Scope)."
        spans = any(int(cell.attributes.get("/RowSpan", 1)) > 1 for cell in table)
        lengths = [_length(row) for row in table if row.tag == "TR"]
        if not spans and len(set(lengths)) > 1:
            yield f"{table.named()} has rows of different lengths: {lengths}."


def _length(row: Element) -> int:
    return sum(int(cell.attributes.get("/ColSpan", 1)) for cell in row.children)


def _figures(structure: Structure) -> Iterator[str]:
    for figure in (element for element in structure if element.tag == "Figure"):
        words = str(figure.dictionary.get("/Alt", "")).strip()
        if not words:
            yield f"{figure.named()} has no words for who cannot see it (/Alt)."
        frame = [float(context) for context in figure.attributes.get("/BBox", [])]
        if len(frame) != 4 or frame[0] >= frame[2] or frame[1] >= frame[3]:
            yield f"{figure.named()} has no frame (/BBox)."
            continue
        for content, _ in figure.marked:
            if not _inside(frame, [float(context) for context in content.page.mediabox]):
                yield f"{figure.named()} has a frame that reaches beyond page {content.number}."
        if any(not _inside([shown.x, shown.y] * 2, frame) for _, shown in figure.shown):
            yield f"{figure.named()} is drawn outside its frame."


def _inside(inner: Sequence[float], outer: Sequence[float]) -> bool:
    left, bottom, right, top = outer
    return (
        left - TOLERANCE <= inner[0]
        and bottom - TOLERANCE <= inner[1]
        and inner[2] <= right + TOLERANCE
        and inner[3] <= top + TOLERANCE
    )


def _links(structure: Structure) -> Iterator[str]:
    held = {
        annotation.objgen
        for element in structure
        for annotation in element.annotations
        if element.tag == "Link"
    }
    for content in structure.pages.values():
        for annotation in content.page.obj.get("/Annots", []):
            if annotation.get("/Subtype") == "/Link":
                if annotation.objgen not in held:
                    yield f"Page {content.number}: a link belongs to no Link of the structure."
                if not str(annotation.get("/Contents", "")).strip():
                    yield f"Page {content.number}: a link has no words (/Contents)."


def _order(structure: Structure) -> Iterator[str]:
    """Pages follow one another, and a block begins below the one before it, or to its right."""
    pages = [content.number for element in structure for content, _ in element.marked]
    if pages != sorted(pages):
        yield "The structure goes back to an earlier page."
    for element in structure:
        blocks = [child for child in element.children if child.tag not in INLINE and child.shown]
        for before, after in pairwise(blocks):
            (page, upper), (other, lower) = before.shown[0], after.shown[0]
            right = max(shown.x for _, shown in before.shown)
            if page == other and lower.y > upper.y + TOLERANCE and lower.x < right:
                yield f"{after.named()} is read after {before.named()}, but stands above it."
