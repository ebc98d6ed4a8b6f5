"""What the pages of a PDF show: every glyph with its font, its place and its marked content.

An independent reader of the bytes, by pikepdf alone: it interprets content streams and the forms
they draw. Text is read through /ToUnicode, the way a reader that copies or speaks it does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from io import BytesIO

import pikepdf
from fontTools.ttLib import TTFont

PAINTING = {
    "f",
    "F",
    "f*",
    "B",
    "B*",
    "b",
    "b*",
    "S",
    "s",
    "sh",
    "Do",
    "EI",
    "INLINE IMAGE",
    "Tj",
    "TJ",
    "'",
    '"',
}
DEVICE_COLORS = {"g": "/DeviceGray", "rg": "/DeviceRGB", "k": "/DeviceCMYK"}
_IDENTITY = pikepdf.Matrix()
_BFCHAR = re.compile(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]*)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A marked-content sequence: its tag, and its number if it belongs to the structure."""

    tag: str
    mcid: int | None

    @property
    def is_artifact(self) -> bool:
        return self.tag == "/Artifact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Glyphs of one text operator, the first in points from the lower left corner of the page."""

    font: "Font"
    codes: tuple[int, ...]
    x: float
    y: float
    mark: Mark | None

    @property
    def text(self) -> str:
        return "".join(self.font.unicode.get(code, "") for code in self.codes)


@dataclass(slots=True, kw_only=True)
class Content:
    """A page: what it shows, as it is drawn, its marks, and what is wrong with its stream."""

    number: int
    page: pikepdf.Page
    shown: list[Shown] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    colors: set[str] = field(default_factory=set)
    unmarked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def text(self, mcid: int) -> str:
        """Read one marked-content sequence."""
        return "".join(shown.text for shown in self.shown if shown.mark and shown.mark.mcid == mcid)


class Font:
    """A font with what is needed to read and measure it; what cannot be read is empty."""

    def __init__(self, dictionary: pikepdf.Dictionary) -> None:
        self.dictionary = dictionary
        self.name = str(dictionary.get("/BaseFont", "/?")).lstrip("/")

    @cached_property
    def descendant(self) -> pikepdf.Dictionary:
        """The CIDFont of a composite font, and the font itself otherwise."""
        found = self.dictionary.get("/DescendantFonts")
        return found[0] if found else self.dictionary

    @cached_property
    def descriptor(self) -> pikepdf.Dictionary:
        return self.descendant.get("/FontDescriptor", pikepdf.Dictionary())

    @cached_property
    def unicode(self) -> dict[int, str]:
        """What each code stands for, by the one-to-one part of /ToUnicode."""
        if not isinstance(found := self.dictionary.get("/ToUnicode"), pikepdf.Stream):
            return {}
        blocks = re.findall(
            r"beginbfchar(.*?)endbfchar", found.read_bytes().decode("latin-1"), re.DOTALL
        )
        pairs = (pair for block in blocks for pair in _BFCHAR.findall(block))
        return {int(code, 16): bytes.fromhex(text).decode("utf-16-be") for code, text in pairs}

    @cached_property
    def widths(self) -> dict[int, float]:
        """The entries of /W, each a first code and a list, or two codes and one width."""
        found, entries = {}, list(self.descendant.get("/W", []))
        while entries:
            first, second = int(entries.pop(0)), entries.pop(0)
            if isinstance(second, pikepdf.Array):
                found.update({first + place: float(width) for place, width in enumerate(second)})
            else:
                found.update(dict.fromkeys(range(first, int(second) + 1), float(entries.pop(0))))
        return found

    @cached_property
    def advances(self) -> list[float]:
        """The widths that the embedded font program itself gives, in thousandths, by glyph."""
        if not isinstance(file := self.descriptor.get("/FontFile2"), pikepdf.Stream):
            return []
        program = TTFont(BytesIO(file.read_bytes()))
        scale = 1000 / program["head"].unitsPerEm
        metrics = program["hmtx"].metrics
        return [metrics[name][0] * scale for name in program.getGlyphOrder()]


def contents(document: pikepdf.Pdf) -> list[Content]:
    """Interpret every page."""
    fonts = cache(lambda place: Font(document.get_object(place)))
    found = []
    for number, page in enumerate(document.pages, start=1):
        content = Content(number=number, page=page)
        _Interpreter(content, page.obj, _IDENTITY, None, fonts).run()
        found.append(content)
    return found


class _Interpreter:
    """Follows one content stream; a form it draws gets an interpreter that starts from here."""

    def __init__(self, content, source, matrix, mark, fonts) -> None:
        self.content, self.source, self.fonts = content, source, fonts
        self.resources = source.get("/Resources", pikepdf.Dictionary())
        self.matrix, self.saved = matrix, []
        self.marks: list[Mark] = []
        self.outer = mark
        self.font: Font | None = None
        self.line = self.text = _IDENTITY
        self.leading = 0.0

    @property
    def mark(self) -> Mark | None:
        """The innermost mark that says where content belongs."""
        return next(
            (mark for mark in reversed(self.marks) if mark.mcid is not None or mark.is_artifact),
            self.outer,
        )

    def run(self) -> None:
        for operands, operator in pikepdf.parse_content_stream(self.source):
            name = str(operator)
            if name in PAINTING and self.mark is None:
                self.content.unmarked.append(name)
            if name.lower() in DEVICE_COLORS:
                self.content.colors.add(DEVICE_COLORS[name.lower()])
            self._take(name, list(operands))
        if self.saved or self.marks:
            self.content.faults.append(
                "its stream leaves a state or a marked-content sequence open"
            )

    def _take(self, name: str, operands: list) -> None:
        match name:
            case "q" | "Q" | "cm":
                self._state(name, operands)
            case "BMC" | "BDC" | "EMC":
                self._marked(name, operands)
            case "BT" | "Tm" | "Td" | "TD" | "T*" | "TL":
                self._place(name, operands)
            case "Tf":
                entry = self.resources.get("/Font", {}).get(operands[0])
                self.font = None if entry is None else self.fonts(entry.objgen)
            case "Tj" | "TJ" | "'" | '"':
                self._show(name, operands)
            case "cs" | "CS":
                self.content.colors.add(str(operands[0]))
            case "Do":
                self._draw(self.resources.XObject[operands[0]])

    def _state(self, name: str, operands: list) -> None:
        if name == "q":
            self.saved.append((self.matrix, self.font, self.leading))
            if len(self.saved) > 28:
                self.content.faults.append("its stream nests q and Q deeper than 28")
        elif name == "cm":
            self.matrix = pikepdf.Matrix(*operands) @ self.matrix
        elif self.saved:
            self.matrix, self.font, self.leading = self.saved.pop()
        else:
            self.content.faults.append("its stream has a Q without a q")

    def _marked(self, name: str, operands: list) -> None:
        if name == "EMC":
            if self.marks:
                self.marks.pop()
            else:
                self.content.faults.append("its stream has an EMC without a beginning")
            return
        properties = operands[1] if name == "BDC" else {}
        if isinstance(properties, pikepdf.Name):
            properties = self.resources.get("/Properties", {}).get(properties, {})
        mcid = properties.get("/MCID")
        mark = Mark(tag=str(operands[0]), mcid=None if mcid is None else int(mcid))
        if self.mark is not None and (mark.mcid is not None or mark.is_artifact):
            self.content.faults.append(
                f"{mark.tag} stands inside {self.mark.tag}, and only one of both can hold it"
            )
        self.marks.append(mark)
        self.content.marks.append(mark)

    def _place(self, name: str, operands: list) -> None:
        match name:
            case "BT":
                self.line = _IDENTITY
            case "Tm":
                self.line = pikepdf.Matrix(*operands)
            case "TL":
                self.leading = float(operands[0])
            case "T*":
                self.line = self.line.translated(0, -self.leading)
            case _:
                if name == "TD":
                    self.leading = -float(operands[1])
                self.line = self.line.translated(*operands)

    def _show(self, name: str, operands: list) -> None:
        if name in ("'", '"'):
            self._place("T*", [])
        parts = operands[-1] if name == "TJ" else operands[-1:]
        text = b"".join(bytes(part) for part in parts if isinstance(part, pikepdf.String))
        if not text:
            return
        if self.font is None:
            self.content.faults.append("text is shown in a font that is not among the resources")
            return
        x, y = (self.line @ self.matrix).transform((0, 0))
        codes = tuple(int.from_bytes(text[at : at + 2], "big") for at in range(0, len(text), 2))
        self.content.shown.append(Shown(font=self.font, codes=codes, x=x, y=y, mark=self.mark))

    def _draw(self, drawn: pikepdf.Stream) -> None:
        if drawn.get("/Subtype") == "/Form":
            matrix = pikepdf.Matrix(*drawn.get("/Matrix", [1, 0, 0, 1, 0, 0])) @ self.matrix
            _Interpreter(self.content, drawn, matrix, self.mark, self.fonts).run()


def walk(document: pikepdf.Pdf) -> Iterator[tuple[str, pikepdf.Object]]:
    """Give every object, indirect or not, with the way to it from the nearest indirect one."""
    for found in document.objects:
        yield from _inside(f"object {found.objgen[0]}", found)
    yield from _inside("trailer", document.trailer)


def _inside(way: str, found: pikepdf.Object) -> Iterator[tuple[str, pikepdf.Object]]:
    yield way, found
    if isinstance(found, pikepdf.Array):
        children = ((f"{way}[{place}]", child) for place, child in enumerate(found))
    elif isinstance(found, pikepdf.Dictionary | pikepdf.Stream):
        children = ((f"{way}{key}", child) for key, child in found.items())
    else:
        return
    for name, child in children:
        if isinstance(child, pikepdf.Object) and not child.is_indirect:
            yield from _inside(name, child)
        elif not isinstance(child, pikepdf.Object):
            yield name, child
