"""Whether a picture can be drawn from its file alone: an SVG or a PNG, and what an SVG has inside.

Law: what is accepted here asks for nothing outside of its file. Messages name elements and
attributes; what they hold may be a whole picture, and is not repeated.
"""

import warnings
from base64 import b64decode
from collections.abc import Iterator, Mapping
from io import BytesIO
from urllib.parse import unquote_to_bytes
from xml.parsers import expat

from reportgen.core.text import quoted

MOST_PIXELS = 4_000_000
TOO_MANY_PIXELS, SMALLER = (
    f"has more than {MOST_PIXELS:,} pixels",
    "make it smaller, or use an SVG file",
)
PLAIN_SVG = "save it again as plain SVG"
EMBED = "put what it refers to into the file itself, or remove it"
_SVG = "http://www.w3.org/2000/svg"
_FORBIDDEN = {
    "script": ("which no document runs", "remove it"),
    "foreignObject": ("which is not drawn in documents", "draw it with shapes and text"),
}
"""Elements of SVG that documents leave out."""
_UNLIKE = {"I": "16-bit grey", "I;16": "16-bit grey", "I;16B": "16-bit grey", "CMYK": "CMYK"}
"""What Pillow calls colours that WeasyPrint draws wrongly, or that PDF/A does not allow."""


class Undrawable(Exception):  # noqa: N818 - a picture that was refused
    """A file that is no picture which stands alone; the message goes on after the file's name."""

    def __init__(self, message: str, hint: str) -> None:
        """Hold what is wrong and what to do."""
        super().__init__(message)
        self.message, self.hint = message, hint


def look_at(suffix: str, content: bytes) -> None:
    """Raise Undrawable unless a file is the picture that its suffix says it is."""
    if suffix == ".svg":
        _Svg().read(content)
    elif suffix == ".png":
        _look_at_pixels(content, "PNG")
    else:
        raise Undrawable("is named neither .svg nor .png", "use an SVG or a PNG file")


class _Svg:
    """Reads an SVG up to the first thing in it that cannot be drawn from the file alone."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.ProcessingInstructionHandler = self._instruction
        self.parser.StartElementHandler = self._element
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.inside = ""
        self.css: list[str] = []
        self.empty = True
        self.around: list[str] = []
        self.used: list[tuple[str, tuple[str, ...]]] = []

    def read(self, content: bytes) -> None:
        """Raise Undrawable with the first mistake."""
        try:
            self.parser.Parse(content, True)  # noqa: FBT003 - expat takes no keywords
        except expat.ExpatError as error:
            said = f"{expat.ErrorString(error.code)} (line {error.lineno})"
            raise Undrawable(f"is not well-formed: {said}", PLAIN_SVG) from error
        except (LookupError, ValueError) as error:
            raise Undrawable(
                "is in an encoding that is not known", f"{PLAIN_SVG}, in UTF-8"
            ) from error
        targets = {target for target, _ in self.used}
        if any(targets.intersection(around) for _, around in self.used):
            message = "has a <use> within what another <use> draws, which may never end"
            raise Undrawable(message, "draw it without <use>, or save it as PNG")

    def _doctype(self, *_: object) -> None:
        raise Undrawable(
            f"has {self._placed('<!DOCTYPE>')}, which may hold anything", "remove the declaration"
        )

    def _instruction(self, target: str, _: str) -> None:
        if target == "xml-stylesheet":
            raise self._outside("a style sheet", "<?xml-stylesheet?>")

    def _element(self, name: str, attributes: Mapping[str, str]) -> None:
        space, _, local = name.rpartition("}")
        if self.empty and (space, local) != (_SVG, "svg"):
            raise Undrawable(
                f"is not an SVG file: it begins with {quoted(f'<{local}>')}",
                "use an SVG or a PNG file",
            )
        self.empty = False
        self.inside = local
        if local in _FORBIDDEN:
            message, hint = _FORBIDDEN[local]
            raise Undrawable(f"has {self._placed(f'<{local}>')}, {message}", hint)
        self.around.append(attributes.get("id", ""))
        for attribute, value in attributes.items():
            self._attribute(attribute.rpartition("}")[2], value, local)

    def _attribute(self, name: str, value: str, element: str) -> None:
        if name == "href" and element == "use":
            self.used.append((value.strip().removeprefix("#"), tuple(self.around[:-1])))
        if name == "href":
            self._look_at_reference(value.strip(), element)
        elif "\\" in value or "url" in value.lower() or "@" in value:
            self._look_at_css(value, f"{name} of <{element}>")

    def _end(self, _: str) -> None:
        if self.css:
            self._look_at_css("".join(self.css), "<style>")
        self.inside, self.css = "", []
        self.around.pop()

    def _text(self, text: str) -> None:
        if self.inside == "style":
            self.css.append(text)

    def _look_at_css(self, css: str, where: str) -> None:
        for address in _asked_for(css):
            if not address.startswith("#") and not address.lower().startswith("data:"):
                raise self._outside(
                    "a style sheet" if address == "@import" else quoted(address), where
                )

    def _look_at_reference(self, address: str, element: str) -> None:
        where = f"href of <{element}>"
        if address.lower().startswith("data:"):
            try:
                _look_inside(address)
            except Undrawable as error:
                message = f"holds {self._placed('a picture', where)} that {error.message}"
                raise Undrawable(message, "put PNG, JPEG or SVG into it") from error
        elif not address.startswith("#") or element == "image":
            raise self._outside(quoted(address), where)

    def _outside(self, what: str, where: str) -> Undrawable:
        return Undrawable(f"refers to {self._placed(what, where)}, which is not in the file", EMBED)

    def _placed(self, what: str, *where: str) -> str:
        return f"{what} ({', '.join((*where, f'line {self.parser.CurrentLineNumber}'))})"


def _asked_for(css: str) -> Iterator[str]:
    """Yield the addresses that a style asks for, and `@import` for a style sheet."""
    import tinycss2  # noqa: PLC0415 - only where there is a logo

    nodes = tinycss2.parse_component_value_list(css)
    while nodes:
        node = nodes.pop()
        if node.type == "url":
            yield node.value.strip()
        elif node.type == "at-keyword" and node.lower_value == "import":
            yield "@import"
        elif node.type == "function" and node.lower_name in {"url", "src"}:
            yield from (
                argument.value.strip() for argument in node.arguments if argument.type == "string"
            )
        nodes += getattr(node, "arguments", None) or getattr(node, "content", None) or []


def _look_inside(address: str) -> None:
    """Raise Undrawable unless an address carries a picture."""
    media, _, carried = address.partition(",")
    content = unquote_to_bytes(carried)
    try:
        if media.lower().endswith(";base64"):
            content = b64decode(b"".join(content.split()), validate=True)
    except ValueError as error:
        raise Undrawable("is not base64", "") from error
    if content.lstrip()[:1] == b"<":
        _Svg().read(content)
    else:
        _look_at_pixels(content, "PNG", "JPEG")


def _look_at_pixels(content: bytes, *formats: str) -> None:
    """Raise Undrawable unless a picture is whole, of one of the formats, and not too large."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - only where there is a logo

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=formats) as picture:
                _look_at_kind(picture.width * picture.height, picture.mode)
                picture.verify()  # finds a cut-off end: WeasyPrint lets Pillow load without it
            with Image.open(BytesIO(content), formats=formats) as picture:
                picture.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Undrawable(TOO_MANY_PIXELS, SMALLER) from error
    except UnidentifiedImageError as error:
        hint = "open it in a picture editor, and save it as PNG"
        raise Undrawable(f"is not a {' or '.join(formats)} file", hint) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise Undrawable(f"is damaged: {str(error).lower()}", "copy or save it again") from error


def _look_at_kind(pixels: int, mode: str) -> None:
    if pixels > MOST_PIXELS:
        raise Undrawable(TOO_MANY_PIXELS, SMALLER)
    if mode in _UNLIKE:
        raise Undrawable(
            f"is in {_UNLIKE[mode]}, which documents cannot show", "save it as 8-bit grey or RGB"
        )
