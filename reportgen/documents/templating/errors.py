"""What goes wrong while a template is rendered -> one Problem: template, line, and what is wrong in its words.

The line is that of the innermost template; where that is a part which another one calls, the caller
is named too, as the mistake may be in what it handed over. Python's own words name its types, so
each is put into ours.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import TemplateError, TemplateNotFound, TemplatesNotFound, TemplateSyntaxError
from jinja2.filters import FILTERS
from jinja2.tests import TESTS

from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import quoted
from reportgen.documents.templating.filters import Format
from reportgen.documents.templating.sandbox import UnknownName, kind_named, suggestion

MISTAKES = (
    *(
        TemplateError,
        ArithmeticError,
        AttributeError,
        LookupError,
        RuntimeError,
        SyntaxError,
        TypeError,
        ValueError,
    ),
)
"""What a template raises when it is rendered: Jinja's own errors, and Python's from the expressions in it."""

HINT = "mend the template, or remove it to use the built-in one"
SHOWN_CHARACTERS = 100
LEAST_ALIKE = 8
"""Characters of a template's line, besides expressions, by which it can be known again in the output."""
_GIVEN = ("document", "heading", "accent", "logo", "locale", "css")
_STORED = re.compile(r"\{%-?\s*(?:set|for|macro|import|from|call|with)\b([^%]*)%\}")
_NAME = re.compile(r"[A-Za-z_]\w*")
_FRAGMENT = re.compile(r"&\w+;|<.*?(?= \(\S+ is open\)$|$)", re.DOTALL)
_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}")
_FILTER = re.compile(r"No (filter|test) named '(.*?)'(?: found)?\.")
_WORDS: tuple[tuple[str, str], ...] = (
    (
        r"unsupported operand type\(s\) for (\S+?):? '(.+)' and '(.+)'",
        "{0} does not work between {1} and {2}",
    ),
    (
        r"'(\S+)' not supported between instances of '(.+)' and '(.+)'",
        "{0} does not work between {1} and {2}",
    ),
    (
        r'can only concatenate (\w+) \(not "(.+)"\) to',
        "+ does not work between {0} and {1}; ~ joins texts",
    ),
    (r"bad operand type for unary (\S+): '(.+)'", "{0} does not work with {1}"),
    (r"'(.+)' object is not callable", "{0} cannot be called: leave out the parentheses"),
    (r"'(.+)' object is not (?:iterable|subscriptable)", "{0} is not a list"),
    (r"cannot unpack non-iterable (\S+) object", "{0} is not a list"),
    (
        r"too many values to unpack|not enough values to unpack",
        "there are more or fewer values than names for them",
    ),
    (
        r"not enough arguments for format|format requires a mapping",
        "a text holds a %s for which no value is given",
    ),
    (r"not all arguments converted", "a text holds fewer %s than values are given"),
    (r"(%\w) format: .*(?:required|not) .*", "{0} needs a number"),
    (
        r"unsupported format character|incomplete format",
        "a text holds a % that stands for no value: write %%",
    ),
    (r"(macro '\w+' .*)", "{0}"),
    (r"argument|keyword", "this is called with other values than it takes"),
)


def mistake(error: BaseException, template: str, templates: Mapping[str, str]) -> Rejected:
    """Make the one problem of what a template raised."""
    source, name, called = _place(error, template)
    placed = source != template or isinstance(error, RecursionError | SyntaxError | TemplateError)
    message = (
        _said(error, templates.get(name, ""), templates)
        if placed
        else f"this cannot be drawn: {error}"
    )
    shown = (
        _line(templates.get(name, ""), source)
        if not isinstance(error, TemplateError | RecursionError)
        else ""
    )
    return rejected(source, message + (f", in {shown}" if shown else "") + called)


def rejected(source: str, message: str, hint: str = HINT) -> Rejected:
    """Make the one problem of a mistake in a template."""
    return Rejected([Problem(source=source, message=" ".join(message.split()), hint=hint)])


def place_of(error: BaseException, template: str) -> str:
    """Name the template and line where an error arose, or the template alone where it was not in one."""
    return _place(error, template)[0]


def markup_mistake(message: str, template: str, templates: Mapping[str, str]) -> Rejected:
    """Make the one problem of ill-formed output, at the line of a template that its fragment comes from."""
    found = _FRAGMENT.search(message)
    return rejected(
        line_of(found[0] if found else message.rpartition(": ")[2], template, templates), message
    )


def line_of(fragment: str, template: str, templates: Mapping[str, str]) -> str:
    """Name the one line of the templates that makes a fragment, or else the template that is rendered."""
    sought = fragment.strip().rstrip("/>…")
    for name in (template, *(name for name in templates if not name.endswith(".po"))):
        lines = list(enumerate(templates[name].split("\n"), start=1))
        for found in (
            [number for number, line in lines if sought and sought in line],
            [number for number, line in lines if _makes(line, fragment)],
        ):
            if len(found) == 1:
                return f"{name}:{found[0]}"
    return template


def _place(error: BaseException, template: str) -> tuple[str, str, str]:
    """Give `template:line`, the template, and who called it where that is another one."""
    if isinstance(error, TemplateSyntaxError):
        name = error.name or template
        return f"{name}:{error.lineno}", name, ""
    frames = list(_frames(error))
    if not frames:
        return template, template, ""
    name, line = frames[-1]
    callers = [f"{caller}:{number}" for caller, number in frames if caller != name]
    return f"{name}:{line}", name, f" (called in {callers[-1]})" if callers else ""


def _makes(line: str, fragment: str) -> bool:
    """Tell whether a line of a template can have made a line of the output."""
    fixed = _EXPRESSION.split(line.strip())
    pattern = ".*".join(re.escape(part) for part in fixed)
    return (
        len(fixed) > 1
        and len("".join(fixed)) >= LEAST_ALIKE
        and bool(re.fullmatch(pattern, fragment))
    )


def _frames(error: BaseException) -> Iterator[tuple[str, int]]:
    """Give template and line of every frame that is one, those that Jinja has already rewritten and those not."""
    traceback = error.__traceback__
    while traceback is not None:
        seen = traceback.tb_frame.f_globals
        compiled: Any = seen.get("__jinja_template__")
        if compiled is not None:
            yield compiled.name, compiled.get_corresponding_lineno(traceback.tb_lineno)
        elif "__jinja_exception__" in seen:
            yield traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next


def _line(text: str, source: str) -> str:
    lines = text.split("\n")
    number = source.rpartition(":")[2]
    shown = lines[int(number) - 1].strip() if number.isdigit() and int(number) <= len(lines) else ""
    return shown if len(shown) <= SHOWN_CHARACTERS else f"{shown[: SHOWN_CHARACTERS - 1]}…"


def _said(error: BaseException, text: str, templates: Mapping[str, str]) -> str:
    if isinstance(error, UnknownName):
        return f"nothing is called {quoted(error)}" + suggestion(error, _names(text))
    if isinstance(error, TemplatesNotFound):
        return f"there is none of the templates {', '.join(map(quoted, error.templates))}"
    if isinstance(error, TemplateNotFound):
        return f"there is no template {quoted(error.name)}" + suggestion(
            error.name, list(templates)
        )
    if isinstance(error, TemplateError):
        unknown = _FILTER.match(str(error.message))
        if unknown:
            known = (
                [*FILTERS, *Format("en", "USD", 2).filters()]
                if unknown[1] == "filter"
                else [*TESTS]
            )
            return f"there is no {unknown[1]} {quoted(unknown[2])}" + suggestion(unknown[2], known)
        return str(error.message).rstrip(".")
    return _translated(error)


def _translated(error: BaseException) -> str:
    """Put Python's words into ours."""
    if isinstance(error, RecursionError):
        return "templates, macros or brackets are nested too deep, or without end"
    if isinstance(error, SyntaxError):
        return "loops and conditions are nested too deep"
    if isinstance(error, KeyError):
        return f"no value is given for {quoted(error.args[0] if error.args else '')}"
    if isinstance(error, ArithmeticError):
        divided = isinstance(error, ZeroDivisionError) or "Undefined" in str(error)
        return "a division by zero" if divided else "a number that is too large to work with"
    for pattern, words in _WORDS:
        found = re.search(pattern, str(error))
        if found:
            return words.format(
                *(kind_named(part) if _is_type(part) else part for part in found.groups())
            )
    return "this cannot be worked out"


def _is_type(part: str) -> bool:
    return re.fullmatch(r"[A-Za-z_][\w.]*", part) is not None


def _names(text: str) -> list[str]:
    """List what a template may call by name: what it is given, and what it sets itself."""
    stored = (name for found in _STORED.findall(text) for name in _NAME.findall(found))
    return [*_GIVEN, *stored]
