"""YAML read as text with line numbers.

Every scalar stays the string that was written, so that `0100`, `no`, `1e3` and `2.10` mean what
they say: no YAML 1.1 typing. Anchors, aliases and tags are refused where they stand, before
anything could be expanded.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import did_you_mean, quoted, said_by_system
from reportgen.files import opened
from reportgen.sources.config.misread import in_curly_quotes, number_meant
from reportgen.sources.config.yaml_syntax import strange_indents, syntax_problem

LARGEST_FILE = 16 * 1024 * 1024
DEEPEST = 20
_FIRST = re.compile(r"([A-Z]{3}|[$€£¥])? ?-?\d[\d.,'’\u00a0\u202f ]*")
_PIECE = re.compile(r"[\d.'’ ]*\d[\u00a0\u202f ]?(%|[A-Z]{3}|[$€£¥])?")
"""What of a number stands before a comma that took it apart, and after it."""


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
        raise _rejected(name, message, _there_is(path)) from error
    if len(content) > largest:
        raise _rejected(
            f"{name}:1",
            f"is larger than {largest // 1024**2} MiB",
            "name a file that holds nothing but what is needed",
        )
    return content


def _there_is(path: Path) -> str:
    """Name a file beside one that cannot be read, if it has almost its name."""
    near = None
    with suppress(OSError):
        there = {one.stem: one.name for one in path.parent.iterdir() if one.is_file()}
        near = None if path.exists() else there.get(did_you_mean(path.stem, there) or "")
    return f"did you mean {quoted(near)}?" if near else "name an existing, readable file"


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
    misread = [*_split_numbers(document, name), *_curly_quotes(document, name)]
    places = {problem.source for problem in misread}
    duplicates = [one for one in _duplicates(document, name) if one.source not in places]
    if misread or duplicates:
        raise Rejected([*misread, *duplicates])
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


def _split_numbers(node: Node, name: str) -> Iterator[Problem]:
    """Name numbers that a comma took apart in braces, where one begins the next entry."""
    if isinstance(node, Map):
        for written, line in _taken_apart(node.entries):
            if meant := number_meant(written):
                source = f"{name}:{line}"
                yield Problem(source=source, message=f"{quoted(written)} {meant[0]}", hint=meant[1])
        for _, value in node.entries:
            yield from _split_numbers(value, name)
    elif isinstance(node, List):
        for inner in node.nodes:
            yield from _split_numbers(inner, name)


def _taken_apart(entries: tuple[tuple[Scalar, Node], ...]) -> Iterator[tuple[str, int]]:
    """Give values with the keys without value that follow in their line, where all are digits."""
    pieces: list[str] = []
    line = 0
    for key, value in (*entries, (Scalar(text="", line=0, plain=False), None)):
        lone = isinstance(value, Scalar) and value.empty
        if pieces and lone and key.line == line and _PIECE.fullmatch(key.text):
            pieces.append(key.text)
            continue
        if pieces[1:]:
            yield ",".join(pieces), line
        pieces = []
        if isinstance(value, Scalar) and value.plain and _FIRST.fullmatch(value.text):
            pieces, line = [value.text], value.line


def _curly_quotes(node: Node, name: str) -> Iterator[Problem]:
    """Name texts in the quotes of a word processor: YAML takes them for letters."""
    if isinstance(node, Scalar):
        curly = in_curly_quotes(node.text) if node.plain and not node.empty else None
        if curly:
            message = f"{quoted(node.text)} {curly[0]}"
            yield Problem(source=f"{name}:{node.line}", message=message, hint=curly[1])
    elif isinstance(node, List):
        for inner in node.nodes:
            yield from _curly_quotes(inner, name)
    else:
        for key, value in node.entries:
            yield from _curly_quotes(key, name)
            yield from _curly_quotes(value, name)


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
