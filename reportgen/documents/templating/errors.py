"""What goes wrong while a template is filled -> one Problem: where, and what, in its words.

The line is that of the innermost template; where that is a part which another one calls, the caller
is named too, as the mistake may be in what it handed over. What a value cannot be used for is said
by the sandbox, which has it at hand. What Python itself refuses (to compare, to go through a value,
to share one out among names) is told by the type of its error; of its words, which change from
version to version, only the names of types are read.
"""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any
from urllib.parse import unquote

from jinja2 import TemplateError, TemplateNotFound, TemplatesNotFound, TemplateSyntaxError
from jinja2.filters import FILTERS
from jinja2.tests import TESTS

from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import quoted
from reportgen.documents.templating.filters import Format
from reportgen.documents.templating.kinds import MisuseError, kind_named, suggestion
from reportgen.documents.templating.operators import BY_ZERO, TOO_LARGE
from reportgen.documents.templating.rows import ROW_FILTERS
from reportgen.documents.templating.sandbox import UnknownNameError

TEMPLATE_ERRORS = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What filling a template raises: Jinja's own errors, and Python's from the expressions in it."""

_WITHOUT_FRAMES = (TemplateError, RecursionError, SyntaxError)
"""What compiling a template raises, which runs none of its lines."""
HINT = "mend the template, or remove it to use the built-in one"
SHOWN_CHARACTERS = 100
LEAST_ALIKE = 8
"""Characters of a template's line, besides expressions, by which its output is known."""
_GIVEN = ("document", "heading", "accent", "logo", "locale", "css")
_STORED = re.compile(r"\{%-?\s*(?:set|for|macro|import|from|call|with)\b([^%]*)%\}")
_NAME = re.compile(r"[A-Za-z_]\w*")
_FRAGMENT = re.compile(r"&\w+;|<.*?(?= \(\S+ is open\)$|$)", re.DOTALL)
_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}")
_FILTER = re.compile(r"No (filter|test) named '(.*?)'(?: found)?\.")
_TYPE = re.compile(r"'([A-Za-z_][\w.]*)'|\b(\w+) object")
"""How Python's words name a type."""
_SAID: Mapping[type[Exception], str] = {
    RecursionError: "templates, macros or brackets are nested too deep, or without end",
    SyntaxError: "loops and conditions are nested too deep",
    ZeroDivisionError: BY_ZERO,
    ArithmeticError: TOO_LARGE,
}


def arose_in_template(error: Exception) -> bool:
    """Tell whether an error is that of a template, and not of the code around it."""
    return isinstance(error, _WITHOUT_FRAMES) or any(True for _ in _frames(error))


def template_error(error: Exception, template: str, templates: Mapping[str, str]) -> Rejected:
    """Make the one problem of what a template raised."""
    source, name, called = _place(error, template)
    message = _said(error, templates.get(name, ""), templates)
    if isinstance(error, MisuseError) or not isinstance(error, TemplateError | RecursionError):
        shown = _line(templates.get(name, ""), source)
        message += f", in {shown}" if shown else ""
    return rejected(source, message + called)


def rejected(source: str, message: str, hint: str = HINT) -> Rejected:
    """Make the one problem of a mistake in a template."""
    return Rejected([Problem(source=source, message=" ".join(message.split()), hint=hint)])


def place_of(error: BaseException, template: str) -> str:
    """Name the template and line where an error arose, or the template alone."""
    return _place(error, template)[0]


def markup_error(
    message: str, template: str, templates: Mapping[str, str], fragment: str = ""
) -> Rejected:
    """Make the one problem of ill-formed output, at the line that its fragment comes from.

    Where no fragment is given, the message ends with it.
    """
    if not fragment:
        quoted_markup = _FRAGMENT.search(message)
        fragment = quoted_markup[0] if quoted_markup else message.rpartition(": ")[2]
    return rejected(line_of(fragment, template, templates), message)


def line_of(fragment: str, template: str, templates: Mapping[str, str]) -> str:
    """Name the one line of the templates that makes a fragment, or else the template itself."""
    sought = _plain(fragment.strip().rstrip("/>…"))
    for name in (template, *(name for name in templates if not name.endswith(".po"))):
        lines = list(enumerate(templates[name].split("\n"), start=1))
        for numbers in (
            [number for number, line in lines if sought and sought in _plain(line)],
            [number for number, line in lines if _makes(line, fragment)],
        ):
            if len(numbers) == 1:
                return f"{name}:{numbers[0]}"
    return template


def _plain(text: str) -> str:
    """Write out what stands for characters in markup and in addresses, as either may be used."""
    return unquote(unescape(text))


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
    """Give template and line of every frame that is one of a template, from the outermost on."""
    return (place for place in _places(error) if place)


def _places(error: BaseException) -> Iterator[tuple[str, int] | None]:
    """Give a place for every frame, whether Jinja has rewritten it or not; None for other code."""
    traceback = error.__traceback__
    while traceback is not None:
        seen = traceback.tb_frame.f_globals
        compiled: Any = seen.get("__jinja_template__")
        if compiled is not None:
            yield compiled.name, compiled.get_corresponding_lineno(traceback.tb_lineno)
        elif "__jinja_exception__" in seen:
            yield traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        else:
            yield None
        traceback = traceback.tb_next


def _line(text: str, source: str) -> str:
    lines = text.split("\n")
    number = source.rpartition(":")[2]
    shown = lines[int(number) - 1].strip() if number.isdigit() and int(number) <= len(lines) else ""
    return shown if len(shown) <= SHOWN_CHARACTERS else f"{shown[: SHOWN_CHARACTERS - 1]}…"


def _said(error: Exception, text: str, templates: Mapping[str, str]) -> str:
    if isinstance(error, UnknownNameError):
        return f"nothing is called {quoted(error)}" + suggestion(error, _names(text))
    if isinstance(error, TemplatesNotFound):
        return f"there is none of the templates {', '.join(map(quoted, error.templates))}"
    if isinstance(error, TemplateNotFound):
        near = suggestion(error.name, list(templates))
        return f"there is no template {quoted(error.name)}{near}"
    if isinstance(error, TemplateError):
        return _said_by_jinja(str(error.message))
    return _said_of(error)


def _said_by_jinja(message: str) -> str:
    unknown = _FILTER.match(message)
    if not unknown:
        return message.rstrip(".")
    what, name = unknown.groups()
    known = (
        [*FILTERS, *Format("en", "USD", 2).filters(), *ROW_FILTERS]
        if what == "filter"
        else [*TESTS]
    )
    return f"there is no {what} {quoted(name)}" + suggestion(name, known)


def _said_of(error: Exception) -> str:
    """Say what Python raised, by the type of the error and by where it arose."""
    for kind_of_error, words in _SAID.items():
        if isinstance(error, kind_of_error):
            return words
    if isinstance(error, KeyError):
        return f"no value is given for {quoted(error.args[0] if error.args else '')}"
    if str(error).startswith("macro "):  # Jinja's words, which name the macro and the argument
        return str(error)
    if list(_places(error))[-1] is not None:
        return _refused(error)
    if isinstance(error, TypeError):
        return "this is called with other values than it takes"
    return "this cannot be worked out"


def _refused(error: Exception) -> str:
    """Say what Python refuses in a template's own code; operators and calls are the sandbox's."""
    if isinstance(error, ValueError):
        return "there are more or fewer values than names for them"
    kinds = [kind_named(quoted_ or plain) for quoted_, plain in _TYPE.findall(str(error))]
    match kinds:
        case [value]:
            return f"{value} is not a list"
        case [left, right]:
            return f"{left} and {right} cannot be compared"
    return "this cannot be worked out"


def _names(text: str) -> list[str]:
    """List what a template may call by name: what it is given, and what it sets itself."""
    stored = (name for names in _STORED.findall(text) for name in _NAME.findall(names))
    return [*_GIVEN, *stored]
