"""Where in a document a character comes from: what its reader has to look for, instead of a line of the output."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

from reportgen.core.model import Entry, Principal


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
