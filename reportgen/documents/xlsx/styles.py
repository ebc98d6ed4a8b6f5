"""A small CSS subset -> named cell styles.

Selectors are `*`, `.name` and `.name.other`. What applies to one cell merges as in HTML: rules with
more classes win, then those further down the style sheet. Every combination of classes in use
becomes one named style, called by its classes.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tinycss2
from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Side
from openpyxl.styles.builtins import styles as builtin_styles
from openpyxl.utils.indexed_list import IndexedList
from tinycss2.color3 import parse_color

from reportgen.documents.xlsx.dialect import WorkbookError

_SELECTOR = re.compile(r"\*|(?:\.[A-Za-z_][A-Za-z0-9_-]*)+")
_BASE_FONT = {"font-family": "Calibri", "font-size": "11"}
_DATE_FORMAT = "yyyy-mm-dd"
_LINES = {"thin", "medium", "thick", "double", "hair", "dotted"}
_FONT_POINTS = 409
_FORMAT_CHARACTERS = 255
_BUILT_IN = {name.casefold() for name in builtin_styles}

Properties = Mapping[
    str, str
]  # property -> its value in normal form, as the readers below return it


class StyleRule(NamedTuple):
    """The declarations that apply to a cell with all these classes."""

    classes: frozenset[str]
    properties: Properties


def read_rules(css: str) -> tuple[StyleRule, ...]:
    """Read a style sheet into rules, the weakest first; raises WorkbookError."""
    rules: list[StyleRule] = []
    for node in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
        if node.type != "qualified-rule":
            raise WorkbookError(f"not a style rule: {_shown(node)}")
        properties = dict(_declaration(declaration) for declaration in _declarations(node))
        rules += (
            StyleRule(classes, properties)
            for classes in _selectors(tinycss2.serialize(node.prelude))
        )
    _check_capitals(rules)
    return tuple(sorted(rules, key=lambda rule: len(rule.classes)))


class StyleBook:
    """The cell styles of one workbook, registered when first used."""

    def __init__(self, book: Workbook, rules: tuple[StyleRule, ...]) -> None:
        self._rules = rules
        self._scratch = Cell(book.worksheets[0], row=1, column=1)
        self._order = tuple(dict.fromkeys(name for rule in rules for name in sorted(rule.classes)))
        self._indices: dict[tuple[tuple[str, ...], bool], int] = {}
        self._named: set[str] = set()
        # Excel measures columns and empty rows in the font of style 0, which openpyxl offers no way
        # to choose.
        book._fonts = IndexedList([_font(self._properties(()))])  # type: ignore[attr-defined]  # noqa: SLF001

    @property
    def font_family(self) -> str:
        """The font of cells without a class."""
        return self._properties(())["font-family"]

    def index(self, classes: tuple[str, ...], *, is_date: bool = False) -> int:
        """Return the cellXfs index of some classes; a date without a number format gets one."""
        key = classes, is_date
        if key not in self._indices:
            defined = tuple(name for name in self._order if name in classes)
            self._indices[key] = self._register(defined, is_date=is_date)
        return self._indices[key]

    def _register(self, classes: tuple[str, ...], *, is_date: bool) -> int:
        properties = self._properties(classes)
        self._scratch.style = "Normal"
        if classes or properties.keys() - _BASE_FONT.keys():
            self._apply(_style_name(classes), properties)
        if is_date and "number-format" not in properties:
            self._scratch.number_format = _DATE_FORMAT
        return self._scratch.style_id

    def _apply(self, name: str, properties: Properties) -> None:
        self._scratch.style = name if name in self._named else _named_style(name, properties)
        self._named.add(name)

    def _properties(self, classes: tuple[str, ...]) -> Properties:
        merged = dict(_BASE_FONT)
        for rule in self._rules:
            if rule.classes <= set(classes):
                merged.update(rule.properties)
        return merged


def _declarations(rule: Any) -> Any:  # noqa: ANN401  - tinycss2 has no types
    for node in tinycss2.parse_blocks_contents(
        rule.content, skip_comments=True, skip_whitespace=True
    ):
        if node.type != "declaration" or node.important:
            raise WorkbookError(f"not a declaration: {_shown(node)}")
        yield node


def _declaration(node: Any) -> tuple[str, str]:  # noqa: ANN401
    text = tinycss2.serialize(node.value).strip()
    shown = f"{node.lower_name}: {text}"
    if node.lower_name not in _READERS:
        raise WorkbookError(
            f"unknown property in {shown} (there are: {', '.join(sorted(_READERS))})"
        )
    if node.lower_name == "number-format":
        strings = [token.value for token in node.value if token.type == "string"]
        text = strings[0] if len(strings) == 1 else ""
    value = _READERS[node.lower_name](text)
    if value is None:
        raise WorkbookError(f"unknown value in {shown}")
    return node.lower_name, value


def _selectors(prelude: str) -> list[frozenset[str]]:
    selectors = [selector.strip() for selector in prelude.split(",")]
    for selector in selectors:
        if not _SELECTOR.fullmatch(selector):
            raise WorkbookError(f'selector is not *, .name or .name.other: "{selector}"')
    return [frozenset(selector.strip("*").split(".")) - {""} for selector in selectors]


def _shown(node: Any) -> str:  # noqa: ANN401
    text = getattr(node, "message", "") if node.type == "error" else tinycss2.serialize([node])
    return " ".join(text.split())[:100]


def _check_capitals(rules: list[StyleRule]) -> None:
    seen: dict[str, str] = {}
    for name in sorted({name for rule in rules for name in rule.classes}):
        if seen.setdefault(name.casefold(), name) != name:
            raise WorkbookError(
                f"two classes differ in capitals only: .{seen[name.casefold()]} and .{name}"
            )


def _one_of(*keywords: str) -> Callable[[str], str | None]:
    return lambda text: text if text in keywords else None


def _colour(text: str) -> str | None:
    colour = parse_color(text)
    if colour is None or colour == "currentColor" or colour.alpha != 1:
        return None
    if not all(0 <= channel <= 1 for channel in colour[:3]):
        return None
    return "FF" + "".join(f"{round(channel * 255):02X}" for channel in colour[:3])


def _points(text: str) -> str | None:
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)pt", text)
    return match[1] if match and 1 <= float(match[1]) <= _FONT_POINTS else None


def _indent(text: str) -> str | None:
    match = re.fullmatch(r"([0-9]|1[0-5])(?:ch)?", text)
    return match[1] if match else None


def _family(text: str) -> str | None:
    family = text.partition(",")[0].strip().strip("\"'")
    return family if re.fullmatch(r"[\w .-]{1,31}", family) else None


def _line(text: str) -> str | None:
    if text == "none":
        return ""
    style, _, colour = text.partition(" ")
    rgb = _colour(colour.strip() or "black")
    return f"{style} {rgb}" if style in _LINES and rgb else None


def _number_format(text: str) -> str | None:
    return text if 0 < len(text) <= _FORMAT_CHARACTERS else None


_READERS: Mapping[str, Callable[[str], str | None]] = {
    "color": _colour,
    "background-color": _colour,
    "font-weight": _one_of("normal", "bold"),
    "font-style": _one_of("normal", "italic"),
    "font-size": _points,
    "font-family": _family,
    "text-align": _one_of("left", "center", "right", "justify"),
    "text-indent": _indent,
    "vertical-align": _one_of("top", "middle", "bottom"),
    "white-space": _one_of("normal", "wrap"),
    "border-top": _line,
    "border-bottom": _line,
    "border-left": _line,
    "border-right": _line,
    "number-format": _number_format,
}


def _style_name(classes: tuple[str, ...]) -> str:
    name = " ".join(classes) or "(base)"
    # A style called like one of Excel's own (Total, Note) would be taken for that one. No class has
    # parentheses.
    return f"{name} (cell)" if name.casefold() in _BUILT_IN else name


def _named_style(name: str, properties: Properties) -> NamedStyle:
    fill = properties.get("background-color")
    return NamedStyle(
        name=name,
        font=_font(properties),
        fill=PatternFill("solid", fgColor=fill) if fill else PatternFill(),
        border=Border(
            top=_side(properties.get("border-top")),
            bottom=_side(properties.get("border-bottom")),
            left=_side(properties.get("border-left")),
            right=_side(properties.get("border-right")),
        ),
        alignment=_alignment(properties),
        number_format=properties.get("number-format", "General"),
    )


def _font(properties: Properties) -> Font:
    return Font(
        name=properties["font-family"],
        size=float(properties["font-size"]),
        bold=properties.get("font-weight") == "bold",
        italic=properties.get("font-style") == "italic",
        color=properties.get("color"),
    )


def _alignment(properties: Properties) -> Alignment:
    vertical = properties.get("vertical-align")
    return Alignment(
        horizontal=properties.get("text-align"),
        indent=int(properties.get("text-indent", "0")),
        vertical="center" if vertical == "middle" else vertical,
        wrap_text=properties.get("white-space") == "wrap" or None,
    )


def _side(line: str | None) -> Side:
    if not line:
        return Side()
    style, colour = line.split(" ")
    return Side(style=style, color=colour)  # type: ignore[arg-type]  # one of _LINES, see _line
