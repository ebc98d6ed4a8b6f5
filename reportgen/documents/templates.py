"""Jinja, sandboxed and strict: templates see what they are given, and nothing else.

Templates are handed over as texts by name, so that rendering reads no file. Words go through `_()`, looked up in
the catalogs `locale/<language>.po`; a word without a translation stands in English.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po
from jinja2 import FunctionLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reportgen import resources
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import CostCenter

LONGEST_NUMBER = 100
SUFFIXES = frozenset({".j2", ".css", ".po"})
MISTAKES = (TemplateError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a template raises when it is rendered: Jinja's own errors, and Python's from the expressions in it."""


class NumberError(Exception):
    """An invoice number that cannot be used; the message says why."""


def read_templates(overriding: Path | None) -> dict[str, str]:
    """Read the built-in templates and catalogs, and over them those of the user's folder, all by name."""
    found: dict[str, str] = {}
    for folder in filter(None, (resources.templates(), overriding)):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix in SUFFIXES:
                found[path.relative_to(folder).as_posix()] = path.read_text(encoding="utf-8")
    return found


def environment(
    templates: Mapping[str, str], locale: str, *, autoescape: bool = True
) -> ImmutableSandboxedEnvironment:
    """Make the environment of one locale over a set of templates."""
    found = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(lambda name: _named(templates, name)),
        autoescape=autoescape,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    words = catalog(templates, locale)

    def gettext(message: str) -> str:
        return words.get(message, message)

    def ngettext(singular: str, plural: str, count: int) -> str:
        return gettext(singular if count == 1 else plural)

    install: Callable[..., None] = found.install_gettext_callables  # type: ignore[attr-defined]
    install(gettext, ngettext, newstyle=True)
    return found


def catalog(templates: Mapping[str, str], locale: str) -> dict[str, str]:
    """Give the translations of a locale, the language's own ones below it."""
    language = locale.replace("-", "_").partition("_")[0]
    return {
        **_messages(templates.get(f"locale/{language}.po", "")),
        **_messages(templates.get(f"locale/{locale}.po", "")),
    }


def invoice_number(pattern: str, cycle: BillingCycle, cost_center: CostCenter) -> str:
    """Render the number of an invoice, or raise NumberError: it names files, so it must be fit for that."""
    try:
        values: dict[str, Any] = {"cycle": cycle, "cost_center": cost_center}
        number = environment({"number": pattern}, "en", autoescape=False).get_template("number").render(values)
    except MISTAKES as error:
        raise NumberError(f"the pattern cannot be rendered: {error}") from error
    if not number.strip(" .") or len(number) > LONGEST_NUMBER or not number.isprintable():
        raise NumberError(f"it must be a printable text of 1 to {LONGEST_NUMBER} characters")
    if any(separator in number for separator in "/\\:"):
        raise NumberError("it holds a path separator")
    return number


def _named(templates: Mapping[str, str], name: str) -> tuple[str, str, None] | None:
    """Give a template with its name as its file, so that an error tells in which of several it arose."""
    return (templates[name], name, None) if name in templates else None


@lru_cache(maxsize=64)
def _messages(text: str) -> Mapping[str, str]:
    found = read_po(BytesIO(text.encode()))
    return {
        str(message.id): str(message.string)
        for message in found
        if isinstance(message.id, str) and message.id and message.string and not message.fuzzy
    }
