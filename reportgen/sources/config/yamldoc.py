"""YAML read as text with line numbers.

Every scalar stays the string that was written, so that `0100`, `no`, `1e3` and `2.10` mean what
they say: no YAML 1.1 typing. Anchors, aliases and tags are refused where they stand, before
anything could be expanded.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TypeGuard

import yaml

from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import quoted, said_by_system
from reportgen.files import opened
from reportgen.sources.config.yaml_syntax import strange_indents, syntax_problem

LARGEST_FILE = 16 * 1024 * 1024
DEEPEST = 20
_DIGITS, _DECIMALS = re.compile(r"-?\d+", re.ASCII), re.compile(r"\d+ ?%?", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scalar:
    """A text as written; `plain` where it stood without quotes."""

    text: str
    line: int
    plain: bool

    @property
    def empty(self) -> bool:
        """Tell whether nothing was written."""
        return self.plain and self.text in {"", "~", "null"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Map:
    """Keys and values in the order of the file; `places` finds the line of a key and its value."""

    entries: tuple[tuple[Scalar, "Node"], ...]
    line: int
    places: Mapping[str, tuple[int, "Node"]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the keys: every rule of a mapping asks for its line."""
        object.__setattr__(
            self, "places", {key.text: (key.line, value) for key, value in self.entries}
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class List:
    """Nodes in the order of the file."""

    nodes: tuple["Node", ...]
    line: int


Node = Scalar | Map | List


@dataclass(frozen=True, kw_only=True, slots=True)
class YamlDocument:
    """A parsed file, under the name that stands in front of its line numbers."""

    root: Map
    name: str

    def line(self, *loc: int | str) -> str:
        """Give file:line of what a path of keys and indexes leads to."""
        return f"{self.name}:{_line_at(self.root, loc)}"


def read_bytes(path: Path, name: str, largest: int = LARGEST_FILE) -> bytes:
    """Read a file of the configuration, or raise Rejected with what is wrong with it."""
    try:
        with opened(path) as file:
            content = file.read(largest + 1)
    except OSError as error:
        message = f"cannot be read: {said_by_system(error)}"
        raise _rejected(name, message, "name an existing, readable file") from error
    if len(content) > largest:
        raise _rejected(
            f"{name}:1",
            f"is larger than {largest // 1024**2} MiB",
            "name a file that holds nothing but what is needed",
        )
    return content


def decoded(content: bytes, name: str) -> str:
    """Give the text of a UTF-8 file, or raise Rejected."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _rejected(f"{name}:{line}", "is not UTF-8 text", "save the file as UTF-8") from error


def parse(text: str, name: str) -> YamlDocument:
    """Read one YAML mapping, or raise Rejected with its duplicate keys or first syntax error."""
    if strange := list(strange_indents(text, name)):
        raise Rejected(strange)
    try:
        document = _document(text, name)
    except yaml.YAMLError as error:
        raise Rejected([syntax_problem(error, text, name)]) from error
    if not isinstance(document, Map):
        hint = "write `key: value` lines, as in the example configuration"
        raise _rejected(f"{name}:{document.line}", "holds no keys with values", hint)
    commas = list(_decimal_commas(document, name))
    places = {problem.source for problem in commas}
    duplicates = [one for one in _duplicates(document, name) if one.source not in places]
    if commas or duplicates:
        raise Rejected([*commas, *duplicates])
    return YamlDocument(root=document, name=name)


def child(node: Node, step: int | str) -> tuple[int, Node] | None:
    """Give the line and the node that a key or an index leads to; None where it leads nowhere."""
    if isinstance(node, Map) and isinstance(step, str):
        return node.places.get(step)
    if isinstance(node, List) and isinstance(step, int) and step < len(node.nodes):
        return node.nodes[step].line, node.nodes[step]
    return None


def _line_at(node: Node, loc: tuple[int | str, ...]) -> int:
    """Find the line of what a path of keys and indexes leads to; a step to nowhere stays put."""
    line = node.line
    for step in loc:
        line, node = child(node, step) or (line, node)
    return line


def _document(text: str, name: str) -> Node:
    events = yaml.parse(text, Loader=yaml.CSafeLoader)
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            document = _node(next(events), events, name, 0)
            next(events)
            _refuse_second_document(next(events), name)
            if isinstance(document, Scalar) and document.empty:
                break
            return document
    raise _rejected(
        f"{name}:1", "is empty", "write the settings, or start from the example configuration"
    )


def _refuse_second_document(event: yaml.Event, name: str) -> None:
    if isinstance(event, yaml.DocumentStartEvent):
        raise _rejected(
            f"{name}:{_line(event)}", "a second YAML document begins", "remove the line `---`"
        )


def _node(event: yaml.Event, events: Iterator[yaml.Event], name: str, depth: int) -> Node:
    where = f"{name}:{_line(event)}"
    if isinstance(event, yaml.NodeEvent):
        _refuse_shorthand(event, where)
    if depth > DEEPEST:
        raise _rejected(where, f"is nested deeper than {DEEPEST} levels", "flatten it")
    if isinstance(event, yaml.ScalarEvent):
        return Scalar(
            text=event.value, line=_line(event), plain=event.style is None or not event.style
        )
    if isinstance(event, yaml.SequenceStartEvent):
        nodes = tuple(_nodes(events, yaml.SequenceEndEvent, name, depth + 1))
        return List(nodes=nodes, line=_line(event))
    return Map(entries=tuple(_entries(events, name, depth + 1)), line=_line(event))


def _refuse_shorthand(event: yaml.NodeEvent, where: str) -> None:
    """Refuse what YAML would expand or type: the value is to be written out."""
    tag = getattr(event, "tag", None)
    if isinstance(event, yaml.AliasEvent):
        mark, char = f"alias *{event.anchor}", "*"
    elif event.anchor:
        mark, char = f"anchor &{event.anchor}", "&"
    elif tag:
        mark, char = f"tag {quoted(tag.replace('tag:yaml.org,2002:', '!!'))}", "!"
    else:
        return
    hint = f"write the value out; a text that begins with {char} must be quoted"
    raise _rejected(where, f"the YAML {mark} is not allowed", hint)


def _nodes(
    events: Iterator[yaml.Event], end: type[yaml.Event], name: str, depth: int
) -> Iterator[Node]:
    for event in events:
        if isinstance(event, end):
            return
        yield _node(event, events, name, depth)


def _entries(events: Iterator[yaml.Event], name: str, depth: int) -> Iterator[tuple[Scalar, Node]]:
    nodes = _nodes(events, yaml.MappingEndEvent, name, depth)
    for key in nodes:
        if not isinstance(key, Scalar):
            raise _rejected(
                f"{name}:{key.line}", "a key is a list or a mapping", "write keys as plain text"
            )
        yield key, next(nodes)


def _decimal_commas(node: Node, name: str) -> Iterator[Problem]:
    """Name numbers with a decimal comma in braces, where a comma begins the next entry."""
    if isinstance(node, Map):
        for (_, value), (key, empty) in pairwise(node.entries):
            if _is_decimal_comma(value, key, empty):
                yield Problem(
                    source=f"{name}:{key.line}",
                    message=f"{quoted(f'{value.text},{key.text}')} has a decimal comma",
                    hint=f"write {value.text}.{key.text}",
                )
        for _, value in node.entries:
            yield from _decimal_commas(value, name)
    elif isinstance(node, List):
        for inner in node.nodes:
            yield from _decimal_commas(inner, name)


def _is_decimal_comma(value: Node, key: Scalar, empty: Node) -> TypeGuard[Scalar]:
    """Tell whether a number ends an entry, and what can be its decimals is one without value."""
    return (
        isinstance(value, Scalar)
        and isinstance(empty, Scalar)
        and empty.empty
        and value.plain
        and key.line == value.line
        and bool(_DIGITS.fullmatch(value.text) and _DECIMALS.fullmatch(key.text))
    )


def _duplicates(node: Node, name: str) -> Iterator[Problem]:
    if isinstance(node, List):
        for inner in node.nodes:
            yield from _duplicates(inner, name)
    if isinstance(node, Map):
        first: dict[str, int] = {}
        for key, value in node.entries:
            if key.text in first:
                message = f"the key {quoted(key.text)} stands here for the second time"
                yield Problem(
                    source=f"{name}:{key.line}",
                    message=message,
                    hint=f"it stood on line {first[key.text]}; keep one",
                )
            first.setdefault(key.text, key.line)
            yield from _duplicates(value, name)


def _line(event: yaml.Event) -> int:
    return int(event.start_mark.line) + 1 if event.start_mark else 1


def _rejected(source: str, message: str, hint: str) -> Rejected:
    return Rejected([Problem(source=source, message=message, hint=hint)])
