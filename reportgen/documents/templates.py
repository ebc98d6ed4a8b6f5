"""Templates by name, and the words of a locale; what may stand in them is the sandbox's business.

Templates are handed over as texts by name, so that rendering reads no file. Words go through `_()`, looked up in
the catalogs `locale/<language>.po`; a word without a translation stands in English.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache, wraps
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.pofile import PoFileError, read_po
from jinja2 import FunctionLoader, nodes

from reportgen import resources
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import CostCenter
from reportgen.core.problem import Problem, Rejected, quoted
from reportgen.documents.mistakes import MISTAKES, mistake
from reportgen.documents.sandbox import Sandbox

ENGLISH = "en"
LONGEST_NUMBER = 100
_QUOTING = re.compile(r'\s*(?:msgid|msgstr|msgctxt|")')
_QUOTED = re.compile(r'(?:msg\w+(?:\[\d\])?\s+)?"(?:[^"\\]|\\.)*"')
"""Lines of a catalog that hold a text; one that is not closed would be read without its last letter."""
_PLACE = re.compile(r"%\(\w+\)s")
_UNFIT_FOR_MARKUP = re.compile(r'[<>&"\\\x00-\x1f\x7f]')
LONGEST_PATTERN = 500
LARGEST_FILE = 1_000_000
SUFFIXES = frozenset({".j2", ".css", ".po"})
NUMBER_FILTERS = frozenset({"capitalize", "format", "lower", "replace", "string", "title", "trim", "upper"})
NUMBER_METHODS = frozenset({"isoformat", "previous_day", "strftime"})
_NUMBER_NODES = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Tuple, nodes.Getattr),
    *(nodes.Getitem, nodes.Slice, nodes.Filter, nodes.Call, nodes.Keyword, nodes.Concat, nodes.CondExpr),
    *(nodes.BinExpr, nodes.UnaryExpr, nodes.Compare, nodes.Operand, nodes.Test),
)


class NumberError(Exception):
    """An invoice number that cannot be used; the message says why."""


def read_templates(overriding: Path | None) -> dict[str, str]:
    """Read the built-in templates and catalogs, and over them those of the user's folder, all by name.

    Raises Rejected with every file that cannot be a template.
    """
    found = {name: _text(path) for name, path in _files(resources.templates())}
    problems: list[Problem] = []
    for name, path in _files(overriding) if overriding else ():
        try:
            found[name] = _text(path)
            _check_catalog(path, found[name])
        except Rejected as rejected:
            problems += rejected.problems
    if problems:
        raise Rejected(problems)
    return found


def opened(problems: Iterable[Problem], overriding: Path | None) -> list[Problem]:
    """Name the user's own templates as an editor opens them."""
    return [_opened(problem, overriding) if overriding else problem for problem in problems]


def environment(templates: Mapping[str, str], locale: str, *, autoescape: bool = True) -> Sandbox:
    """Make the environment of one locale over a set of templates."""
    found = Sandbox(FunctionLoader(lambda name: _named(templates, name)), autoescape=autoescape)
    words = catalog(templates, locale)

    def gettext(message: str) -> str:
        return words.get(message, message)

    def ngettext(singular: str, plural: str, count: int) -> str:
        return gettext(singular if count == 1 else plural)

    found.install_words(gettext, ngettext)
    return found


def catalog(templates: Mapping[str, str], locale: str) -> dict[str, str]:
    """Give the translations of a locale, the language's own ones below it."""
    return {
        **_messages(templates.get(f"locale/{_language(locale)}.po", "")),
        **_messages(templates.get(f"locale/{locale}.po", "")),
    }


def untranslated(templates: Mapping[str, str], locales: Mapping[str, str]) -> list[Problem]:
    """Warn of every locale without a catalog, at the line that `locales` lead to."""
    return [
        Problem(
            source=source,
            message=f"{quoted(locale)} has no catalog of words: its documents stay English but for numbers and dates",
            hint=f"write the words into locale/{_language(locale)}.po in the folder that `templates` names",
            warning=True,
        )
        for locale, source in locales.items()
        if _language(locale) != ENGLISH
        and not {f"locale/{_language(locale)}.po", f"locale/{locale}.po"} & templates.keys()
    ]


def invoice_number(pattern: str, cycle: BillingCycle, cost_center: CostCenter) -> str:
    """Render the number of an invoice, or raise NumberError: it names files, so it must be fit for that.

    A pattern is rendered by the command itself, which has no limits of a worker. So it may read fields and put them
    together, and not loop or call what could take long: its work is bounded by its length.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise NumberError(f"the pattern has more than {LONGEST_PATTERN} characters")
    found = environment({"number": pattern}, "en", autoescape=False)
    found.filters = {name: _short(call) for name, call in found.filters.items() if name in NUMBER_FILTERS}
    try:
        _check_pattern(found.parse(pattern))
        values: dict[str, Any] = {"cycle": cycle, "cost_center": cost_center}
        number = found.get_template("number").render(values)
    except MISTAKES as error:
        (problem,) = mistake(error, "number", {}).problems
        raise NumberError(f"the pattern cannot be rendered: {problem.message}") from error
    _check_number(number)
    return number


def _language(locale: str) -> str:
    return locale.replace("-", "_").partition("_")[0]


def _check_pattern(pattern: nodes.Template) -> None:
    """Raise NumberError for anything whose work is not bounded by the length of the pattern."""
    for node in pattern.find_all(nodes.Node):
        called = node.node.attr if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr) else ""
        if isinstance(node, nodes.Call) and called not in NUMBER_METHODS:
            raise NumberError(f"it may call nothing but {_listed(NUMBER_METHODS)}")
        if not isinstance(node, _NUMBER_NODES):
            raise NumberError("it may hold {{ … }} with fields, texts, numbers and filters, and nothing else")
        if isinstance(node, nodes.Filter) and node.name not in NUMBER_FILTERS:
            raise NumberError(f"its filters are {_listed(NUMBER_FILTERS)}")


def _check_number(number: str) -> None:
    if not number.strip(" .") or len(number) > LONGEST_NUMBER or not number.isprintable():
        raise NumberError(f"it must be a printable text of 1 to {LONGEST_NUMBER} characters")
    if any(separator in number for separator in "/\\:"):
        raise NumberError("it holds a path separator")


def _short(call: Callable[..., Any]) -> Callable[..., Any]:
    """Keep what filters hand on to each other from growing."""

    @wraps(call)
    def called(*values: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever a filter gives
        given = (value for value in (*values, *named.values()) if isinstance(value, str))
        if any(len(value) > LONGEST_PATTERN for value in given):
            raise NumberError(f"a filter is given more than {LONGEST_PATTERN} characters")
        found = call(*values, **named)
        if isinstance(found, str) and len(found) > LONGEST_PATTERN:
            raise NumberError(f"a filter makes more than {LONGEST_PATTERN} characters")
        return found

    return called


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Give what is named like a template, whatever it may be."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in SUFFIXES or (path.is_symlink() and path.is_dir()):
            yield path.relative_to(folder).as_posix(), path


def _text(path: Path) -> str:
    """Read a template; raises Rejected with what it is instead."""
    try:
        if path.is_dir():
            kind = "a link to a folder, which is not followed" if path.is_symlink() else "a folder"
            raise _unfit(path, f"is {kind}", "put the templates themselves into the folder of templates")
        size = path.stat().st_size
        if size > LARGEST_FILE or not path.is_file():
            raise _unfit(path, "is no text of at most 1 MB", "remove it from the folder of templates")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _unfit(path, f"is not UTF-8 from byte {error.start + 1} on", "save it as UTF-8") from None
    except OSError as error:
        reason = "is a link that leads nowhere" if path.is_symlink() and not path.exists() else "cannot be read"
        said = f"{reason}: {(error.strerror or str(error)).lower()}"
        raise _unfit(path, said, "mend it, or remove it to use the built-in one") from None


def _check_catalog(path: Path, text: str) -> None:
    if path.suffix != ".po":
        return
    try:
        for line, fault in _faults(text):
            raise _unfit(f"{path}:{line}", fault, "mend the line, or remove it to have the word in English")
    except PoFileError as error:
        said = f"is not a catalog of words: {str(error).rpartition(' on ')[0].lower()}"
        raise _unfit(
            f"{path}:{error.lineno + 1}", said, "mend the line, or check the file with `msgfmt -c`"
        ) from None
    except (LookupError, TypeError, ValueError):
        raise _unfit(path, "is not a catalog of words", "check it with `msgfmt -c`") from None


def _faults(text: str) -> Iterator[tuple[int, str]]:
    """Give the line of every word whose translation would break a document, and how."""
    for number, line in enumerate(text.splitlines(), start=1):
        if _QUOTING.match(line) and not _QUOTED.fullmatch(line.strip()):
            yield number, "has a text that is not between two quotes"
    for message in read_po(BytesIO(text.encode()), abort_invalid=True):
        wanted, found = str(message.id), str(message.string)
        if not message.id or not found:
            continue
        if set(_PLACE.findall(found)) != set(_PLACE.findall(wanted)):
            yield message.lineno or 1, f"translates {quoted(wanted)} with other places to fill in than it has"
        elif "%" in _PLACE.sub("", found).replace("%%", "") and "%" in wanted:
            yield message.lineno or 1, f"translates {quoted(wanted)} with a percent sign that is not written %%"
        elif _UNFIT_FOR_MARKUP.search(found):
            yield (
                message.lineno or 1,
                f'translates {quoted(wanted)} with one of < > & " \\ or a character that cannot be seen',
            )


def _unfit(source: Path | str, message: str, hint: str) -> Rejected:
    return Rejected([Problem(source=str(source), message=message, hint=hint)])


def _opened(problem: Problem, folder: Path) -> Problem:
    name, colon, line = problem.source.rpartition(":")
    path = folder / (name if line.isdigit() else problem.source)
    if path.suffix not in SUFFIXES or not path.is_file():
        return problem
    return replace(problem, source=f"{path}{colon}{line}" if line.isdigit() else str(path))


def _named(templates: Mapping[str, str], name: str) -> tuple[str, str, None] | None:
    """Give a template with its name as its file, so that an error tells in which of several it arose."""
    return (templates[name], name, None) if name in templates else None


@lru_cache(maxsize=64)
def _messages(text: str) -> Mapping[str, str]:
    found = read_po(BytesIO(text.encode()), abort_invalid=True)
    return {
        str(message.id): str(message.string)
        for message in found
        if isinstance(message.id, str) and message.id and message.string and not message.fuzzy
    }
