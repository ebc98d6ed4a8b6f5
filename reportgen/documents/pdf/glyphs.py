"""Characters that no font draws: which they are, and where in a document to look for them.

WeasyPrint draws a box in their place and says so in its log. A box is no part of a name: whoever
renders is told the characters, the text they stand in, and the field that the text comes from.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from logging import LogRecord
from xml.etree.ElementTree import Element

from reportgen.core.model import Entry, Principal
from reportgen.core.problem import Problem
from reportgen.core.text import quoted

BOX = ".notdef"
"""What WeasyPrint calls the box in its warning."""
HINT = (
    "replace the text; of people, `invoice: {users: pseudonyms}` shows numbers; "
    "Liberation Sans, DejaVu Sans, Droid Sans Fallback and NanumGothic must be installed"
)


class MissingGlyph(Exception):  # noqa: N818 - a text that was refused
    """Characters that the fonts cannot draw, each with the text of the page that it stands in."""

    def __init__(self, text_of: Mapping[str, str]) -> None:
        """Take the texts by character."""
        self.text_of = text_of
        super().__init__("; ".join(_points([one], text) for one, text in text_of.items()))


def check_glyphs(warnings: Iterable[LogRecord], root: Element) -> None:
    """Raise MissingGlyph where WeasyPrint has drawn boxes on a page."""
    characters = dict.fromkeys(_drawn_as_boxes(warnings))
    if characters:
        raise MissingGlyph({character: _text_around(character, root) for character in characters})


def not_drawn(
    missing: MissingGlyph, path: str, template: str, document: object
) -> Iterator[Problem]:
    """Give a problem per text that no font draws whole: the file, the text, where it is from."""
    by_text: dict[str, list[str]] = {}
    for character, text in missing.text_of.items():
        by_text.setdefault(text, []).append(character)
    for text, characters in by_text.items():
        origin = field_of(characters[0], document) or f"the template {template}, or the logo"
        shown = _points(sorted(characters), text)
        message = f"the fonts cannot draw {shown}{',' if text else ''} from {origin}"
        yield Problem(source=path, message=message, hint=HINT)


def field_of(character: str, document: object) -> str | None:
    """Give the first field of a document that holds a character, or None where none does."""
    return next((path for path, text in _texts(document, "document") if character in text), None)


def _drawn_as_boxes(warnings: Iterable[LogRecord]) -> Iterator[str]:
    for record in warnings:
        if BOX in str(record.msg):
            named = record.args if isinstance(record.args, tuple) else ()
            yield str(named[0]) if named else "\ufffd"


def _text_around(character: str, root: Element) -> str:
    return next((text.strip() for text in root.itertext() if character in text), "")


def _points(characters: Iterable[str], text: str) -> str:
    """Name characters that may be invisible by their code points, with the text they stand in."""
    points = ", ".join(f"U+{ord(character):04X}" for character in characters)
    return points + (f" in {quoted(text)}" if text else "")


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield every text of a value with the way to it, as a template would write it."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Entry):
        yield from _person(value)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _texts(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, Mapping):
        for key, element in value.items():
            yield from _texts(key, path)
            yield from _texts(element, f"{path}[{_named(key)}]")
    elif isinstance(value, tuple | list) and not isinstance(value, Principal):
        names = getattr(value, "_fields", None)
        for index, element in enumerate(value):
            yield from _texts(element, f"{path}.{names[index]}" if names else f"{path}[{index}]")


def _person(entry: Entry) -> Iterator[tuple[str, str]]:
    """Name the field of somebody as the directory has it, by the id that tells who it is."""
    who = f"{entry.principal.kind.replace('_', ' ')} {entry.principal.id}"
    for name, text in (("name", entry.name), ("e-mail", entry.email), ("id", entry.principal.id)):
        if text:
            yield f"the {name} of {who}", text


def _named(key: object) -> str:
    return key.id if isinstance(key, Principal) else str(key)
