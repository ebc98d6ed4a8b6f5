"""Characters that no font draws: which they are, where they come from, what stands for them.

WeasyPrint draws a box in their place and says so in its log. A box is no part of a name: where the
data has such a character, U+FFFD is drawn and a warning names it, with the text and whose it is; in
a template's own text it is a mistake. The two are told apart by taking the character out of the
data before the template is filled again: what is still there afterwards is the template's.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from logging import LogRecord
from typing import Any, TypeVar, cast
from xml.etree.ElementTree import Element

from reportgen.core.model import CostCenter, DetailRow, Directory, Entry, Principal, SessionUse
from reportgen.core.problem import Problem
from reportgen.core.text import quoted, some

V = TypeVar("V")
_PRODUCT = re.compile(r"document\b.*\.product")
BOX = ".notdef"
"""What WeasyPrint calls the box in its warning."""
STAND_IN = "\ufffd"
HINT = "replace the text, or add a TrueType font that has it: `invoice: {fonts: folder}`"
FIRST_PRIVATE = 0xF0000
"""Where characters lie that nobody has a meaning for: each takes the place of one in the data."""


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


def not_drawn(missing: MissingGlyph, path: str, template: str) -> Iterator[Problem]:
    """Give a problem per text of a template that no font draws whole."""
    by_text: dict[str, list[str]] = {}
    for character, text in missing.text_of.items():
        by_text.setdefault(text, []).append(character)
    for text, characters in by_text.items():
        shown = _points(sorted(characters), text)
        origin = f"the template {template}, or the logo"
        message = f"the fonts cannot draw {shown}{',' if text else ''} from {origin}"
        yield Problem(source=path, message=message, hint=HINT)


def stood_in_for(characters: Iterable[str], path: str, document: object) -> Problem:
    """Warn of characters of a document that U+FFFD stands for: which, in what, and whose."""
    sought = set(characters)
    texts = {text: origin for origin, text in texts_of(document) if not sought.isdisjoint(text)}
    told = [
        f"{_points(sorted(sought & {*text}), text)}, {origin}" for text, origin in texts.items()
    ]
    message = (
        f"the fonts cannot draw {some(told)}: U+FFFD stands for it on paper, "
        "while workbook and attachments keep it"
    )
    return Problem(
        source=path, message=message, hint=HINT, warning=True, code="character-not-drawn"
    )


def held(characters: Iterable[str], document: object) -> frozenset[str]:
    """Give those of some characters that the texts of a document hold."""
    sought, there = set(characters), set()
    for _, text in texts_of(document):
        there |= sought.intersection(text)
    return frozenset(there)


def placeholders(characters: Iterable[str], markup: str) -> dict[str, str]:
    """Give each character one of its own that is nowhere in a document."""
    unused = (
        chr(number) for number in range(FIRST_PRIVATE, sys.maxunicode) if chr(number) not in markup
    )
    return dict(zip(sorted(characters), unused, strict=False))


def replaced(value: V, placeholder: Mapping[str, str]) -> V:
    """Put placeholders into every text of a value; no two texts become one."""
    return cast("V", _replaced(value, str.maketrans(dict(placeholder))))


def _drawn_as_boxes(warnings: Iterable[LogRecord]) -> Iterator[str]:
    for record in warnings:
        if BOX in str(record.msg):
            named = record.args if isinstance(record.args, tuple) else ()
            yield str(named[0]) if named else "\ufffd"


def _text_around(character: str, root: Element) -> str:
    return next((text.strip() for text in root.itertext() if character in text), "")


def _points(characters: Iterable[str], text: str) -> str:
    """Name characters that may be invisible by their code points, with the text they stand in."""
    points = some([f"U+{ord(character):04X}" for character in characters])
    return points + (f" in {quoted(text)}" if text else "")


def texts_of(document: object) -> Iterator[tuple[str, str]]:
    """Yield where a text of a document is from, or the way to it in a template, and the text."""
    return _texts(document, "document")


def _replaced(value: object, table: Mapping[int, str]) -> object:
    if isinstance(value, str):
        return value.translate(table)
    if isinstance(value, Mapping):
        return {_replaced(key, table): _replaced(inner, table) for key, inner in value.items()}
    if isinstance(value, frozenset):
        return frozenset(_replaced(inner, table) for inner in value)
    if isinstance(value, tuple | list):
        inner: list[Any] = [_replaced(one, table) for one in value]
        return type(value)(*inner) if hasattr(value, "_fields") else type(value)(inner)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
        return replace(value, **{name: _replaced(part, table) for name, part in parts.items()})
    return value


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield _PRODUCT.sub("the name of a product", path), value
    elif isinstance(value, Entry):
        yield from _person(value)
    elif isinstance(value, CostCenter):
        yield from _cost_center(value)
    elif isinstance(value, SessionUse):
        yield from _session(value)
    elif isinstance(value, Directory):
        yield from _who_is_who(value)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _texts(getattr(value, field.name), f"{path}.{field.name}")
    else:
        yield from _inner_texts(value, path)


def _inner_texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Give the texts of a map, of a list, or of neither; who used what stands elsewhere as well."""
    if isinstance(value, Mapping):
        for key, element in value.items():
            yield from _texts(key, path)
            yield from _texts(element, f"{path}[{_named(key)}]")
    elif isinstance(value, tuple | list) and not isinstance(value, Principal | DetailRow):
        names = getattr(value, "_fields", None)
        for index, element in enumerate(value):
            yield from _texts(element, f"{path}.{names[index]}" if names else f"{path}[{index}]")


def _cost_center(center: CostCenter) -> Iterator[tuple[str, str]]:
    for field in fields(center):
        for way, text in _texts(getattr(center, field.name), field.name.replace("_", " ")):
            yield f"the {way} of cost center {center.code}", text


def _session(session: SessionUse) -> Iterator[tuple[str, str]]:
    """Name the field of a session, by the id where documents have it."""
    whose = f"of session {session.session_id}" if session.session_id else "of a session"
    for name, texts in (("title", (session.title,)), ("tag", session.tags)):
        yield from ((f"the {name} {whose}", text) for text in texts)
    for field in ("session_id", "org_id", "principal_id", "url", "pull_requests"):
        yield from _texts(getattr(session, field), f"the {field.replace('_', ' ')} {whose}")


def _who_is_who(directory: Directory) -> Iterator[tuple[str, str]]:
    for entry in directory.entries.values():
        yield from _person(entry)
    for org_id, name in directory.organizations.items():
        yield f"the name of organization {org_id}", name
        yield f"the id of organization {org_id}", org_id


def _person(entry: Entry) -> Iterator[tuple[str, str]]:
    """Name the field of somebody as the directory has it, by the id that tells who it is."""
    who = f"{entry.principal.kind.replace('_', ' ')} {entry.principal.id}"
    for name, text in (("name", entry.name), ("e-mail", entry.email), ("id", entry.principal.id)):
        if text:
            yield f"the {name} of {who}", text


def _named(key: object) -> str:
    return key.id if isinstance(key, Principal) else str(key)
