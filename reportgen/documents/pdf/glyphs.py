"""Characters that no font draws: which they are, and where in a document their reader has to look for them."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from xml.etree.ElementTree import Element

from reportgen.core.model import Entry, Principal
from reportgen.core.text import quoted


class MissingGlyph(Exception):  # noqa: N818 - a text that was refused
    """The characters that the fonts cannot draw; `held` has the text that each is found in."""

    def __init__(self, characters: Sequence[str], root: Element) -> None:
        """Look for the characters in a document."""
        self.held = {
            character: next((text.strip() for text in root.itertext() if character in text), "")
            for character in characters
        }
        super().__init__(
            "; ".join(_shown(character, text) for character, text in self.held.items())
        )


def _shown(character: str, text: str) -> str:
    """Name a character that may be invisible by its code point, with the text it was found in."""
    return f"U+{ord(character):04X}" + (f" in {quoted(text)}" if text else "")


@contextmanager
def missing_glyphs() -> Iterator[list[str]]:
    """Collect what WeasyPrint warns of having drawn as a box."""
    found: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if ".notdef" in str(record.msg):
                found.append(
                    str(record.args[0])
                    if isinstance(record.args, tuple) and record.args
                    else "\ufffd"
                )

    listener = Listener(logging.WARNING)
    logger = logging.getLogger("weasyprint")
    logger.addHandler(listener)
    try:
        yield found
    finally:
        logger.removeHandler(listener)


def field_of(character: str, document: object) -> str | None:
    """Give the first field of a document whose text holds a character, or None where only the template has it."""
    return next((path for path, text in _texts(document, "document") if character in text), None)


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
        for key, found in value.items():
            yield from _texts(key, path)
            yield from _texts(found, f"{path}[{_named(key)}]")
    elif isinstance(value, tuple | list) and not isinstance(value, Principal):
        for index, found in enumerate(value):
            names = getattr(value, "_fields", None)
            yield from _texts(found, f"{path}.{names[index]}" if names else f"{path}[{index}]")


def _person(entry: Entry) -> Iterator[tuple[str, str]]:
    """Name the field of somebody as the directory has it, by the id that tells who it is."""
    who = f"{entry.principal.kind.replace('_', ' ')} {entry.principal.id}"
    for name, text in (("name", entry.name), ("e-mail", entry.email), ("id", entry.principal.id)):
        if text:
            yield f"the {name} of {who}", text


def _named(key: object) -> str:
    return key.id if isinstance(key, Principal) else str(key)
