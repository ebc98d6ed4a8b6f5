"""What of a text YAML cannot read, in our words, about the line to mend."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace

import yaml

from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.sources.config.misread import BLANKS, named_sign

UNCLOSED = (
    "the bracket that opens here is not closed, or a comma is missing after it",
    (
        "close it with the same kind of bracket, put a comma between two entries, "
        'and put a text that holds ": " or " #" in quotes'
    ),
)
COLON = (
    "a colon stands where none can be",
    (
        'put a text that holds ": " in quotes, begin the lines of one level in the same column, '
        "or mend the line above"
    ),
)
INDENTATION = (
    "does not continue what stands above it",
    (
        "begin the lines of one level in the same column, "
        "and write nothing after a closing quote or bracket"
    ),
)
SYNTAX = {
    "mapping values are not allowed in this context": COLON,
    "did not find expected key": INDENTATION,
    "did not find expected '-' indicator": INDENTATION,
    "did not find expected <document start>": INDENTATION,
    "found unknown escape character": (
        "a backslash in double quotes has a meaning of its own",
        "use single quotes, or write / in paths",
    ),
}
"""What libyaml's sentences mean to the user, about the line where it stopped: message and hint."""
SYNTAX_BEGUN = {
    "did not find expected ',' or '}'": UNCLOSED,
    "did not find expected ',' or ']'": UNCLOSED,
    "found unexpected end of stream": (
        "the quote that opens here is not closed",
        "close it with the same quote",
    ),
    "could not find expected ':'": ("a colon and a value are missing here", "write `key: value`"),
}
"""The same, about the line where the unfinished part begins."""
OTHER_SYNTAX = (
    "is not valid YAML",
    "compare the line, and the one above it, with the example configuration",
)
_INDENT = re.compile("[ \u00a0\u00ad\u1680\u2000-\u200f\u202a-\u202f\u205f\u2060\u3000\ufeff]*")


_AFTER_COLON = re.compile(
    rf"""[ ]*(?:- )?("[^"]*"|'[^']*'|[^\s#"':{{\[-][^\s"':#]*) ?:([{BLANKS}])"""
)
"""A key, and a colon with a blank behind it that YAML takes for a letter."""
_LONELY = re.compile(r"[ ]*(?:- )?([^\s#\"'{\[][^#]*?)(?:[ ]+#.*)?")
_APART = re.compile(r"(.+?)(?: *[=;→] *|:(?=\S)| +)(\S.*)")


def strange_indents(text: str, name: str) -> Iterator[Problem]:
    """Name what looks like a blank before a line and is none: YAML takes it for a letter."""
    for number, line in enumerate(text.split("\n"), start=1):
        if after := _AFTER_COLON.match(line):
            yield Problem(
                source=f"{name}:{number}",
                message=f"the colon after {quoted(after[1])} is followed by {named_sign(after[2])}",
                hint="write a plain blank after the colon; it may have come by copy and paste",
            )
        signs = dict.fromkeys(_INDENT.match(line)[0].replace(" ", ""))  # type: ignore[index]
        if signs:
            named = ", ".join(f"U+{ord(sign):04X} ({_named(sign)})" for sign in signs)
            yield Problem(
                source=f"{name}:{number}",
                message=f"the line begins with {named}, which looks like a blank and is none",
                hint="write plain blanks in its place; it may have come by copy and paste",
            )


def syntax_problem(error: yaml.YAMLError, text: str, name: str) -> Problem:
    """Say in our words, and about the line to mend, what libyaml could not read."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return _foreign_character(error, text, name)
    mark, problem = error.problem_mark, str(error.problem)
    if begun := SYNTAX_BEGUN.get(problem):
        mark, (message, hint) = error.context_mark or mark, begun
    elif error.context in {"while scanning an alias", "while scanning an anchor"}:
        mark = error.context_mark or mark
        message, hint = _bare_mark(_rest_of_line(text, mark))
    elif problem == "found character that cannot start any token":
        message, hint = _bare_mark(_rest_of_line(text, mark))
    else:
        message, hint = SYNTAX.get(problem, OTHER_SYNTAX)
    line = min(mark.line + 1, text.count("\n") + 1)
    if (message, hint) == COLON and (above := _without_colon(text.split("\n"), line - 2)):
        return replace(above, source=f"{name}:{above.source}")
    if (message, hint) == INDENTATION and (opens := _opens_a_quote(text.split("\n")[:line])):
        message = "the quote that opens here is not closed in its line"
        line, hint = opens, "close it with the same quote"
    return Problem(source=f"{name}:{line}", message=message, hint=hint)


def _foreign_character(error: yaml.YAMLError, text: str, name: str) -> Problem:
    position = getattr(error, "position", 0)
    line = text.encode()[: position if isinstance(position, int) else 0].count(b"\n") + 1
    message = "holds a character that YAML does not allow"
    return Problem(source=f"{name}:{line}", message=message, hint="remove it")


def _opens_a_quote(lines: Sequence[str]) -> int:
    """Give the number of the first line with an odd quote: another one has closed it; else 0."""
    plain = (line.split(" #")[0].replace('\\"', "") for line in lines)
    odd = (number for number, line in enumerate(plain, start=1) if line.count('"') % 2)
    return next(odd, 0)


def _without_colon(lines: Sequence[str], index: int) -> Problem | None:
    """Blame the line above, where it has no colon with a blank: YAML goes on with it in the next.

    `source` of the problem is its line alone.
    """
    while index >= 0 and not lines[index].split("#")[0].strip():
        index -= 1
    lonely = _LONELY.fullmatch(lines[index].rstrip()) if index >= 0 else None
    if lonely is None or re.search(r":(\s|$)", lonely[1]):
        return None
    apart = _APART.fullmatch(lonely[1])
    hint = f"write `{apart[1]}: {apart[2]}`" if apart else f"write `{lonely[1]}: value`"
    message = f"{quoted(lonely[1])} has no colon with a blank after it"
    return Problem(source=str(index + 1), message=message, hint=hint)


def _named(sign: str) -> str:
    return unicodedata.name(sign, "a character that cannot be seen").lower()


def _rest_of_line(text: str, mark: yaml.Mark) -> str:
    return text.split("\n")[mark.line][mark.column :] if mark.line <= text.count("\n") else ""


def _bare_mark(rest: str) -> tuple[str, str]:
    """Explain a word that begins with a character which means something else in YAML."""
    if rest.startswith("\t"):
        return "is indented with a tab", "use spaces"
    word = re.split(r"[\s,}\]]", rest)[0].rstrip(":")
    means = (
        ", which is YAML's alias mark"
        if rest.startswith("*")
        else ", which no text without quotes can begin with"
    )
    return (
        f"{quoted(word)} begins with {word[:1]}{means}",
        f"put it in double quotes: {quoted(word)}",
    )
