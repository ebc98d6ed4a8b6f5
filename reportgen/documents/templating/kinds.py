"""What values are called in the words of a template: a text, a number, a cost center."""

import re

from jinja2 import TemplateRuntimeError

from reportgen.core.text import did_you_mean, quoted

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_KINDS = {
    **dict.fromkeys(("str", "Markup"), "a text"),
    **dict.fromkeys(("int", "Decimal"), "a number"),
    "float": "an inexact number",
    **dict.fromkeys(("list", "tuple", "range", "dict_keys", "dict_values", "dict_items"), "a list"),
    **dict.fromkeys(("dict", "mappingproxy"), "a table"),
    **dict.fromkeys(("function", "method", "builtin_function_or_method", "Method"), "a method"),
    "NoneType": "none",
    "bool": "true or false",
    "datetime": "a time",
    "type": "a method",
}


class MisuseError(TemplateRuntimeError):
    """What a template does with a value that it cannot be used for, in a sentence of ours."""


def kind(value: object) -> str:
    """Say what a value is, in a template's words.

    >>> kind("x"), kind([]), kind(None)
    ('a text', 'a list', 'none')
    """
    return kind_named(type(value).__name__)


def kind_named(name: str) -> str:
    """Say what the values of a type are, by the name that Python gives it.

    >>> kind_named("decimal.Decimal"), kind_named("InvoiceLine"), kind_named("list_iterator")
    ('a number', 'an invoice line', 'a list iterator')
    """
    name = name.rpartition(".")[2]
    words = " ".join(word.lower() for word in _WORD.findall(name)) or "value"
    return _KINDS.get(name) or f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def suggestion(word: object, known: list[str]) -> str:
    """Ask whether a near word was meant, where there is one."""
    meant = did_you_mean(str(word), known)
    return f"; did you mean {quoted(meant)}?" if meant else ""
