"""What a template may do: read what it is given and write texts, the same ones every time.

Jinja's sandbox keeps templates from the program behind the values. Added here: a value has open
what is listed for its kind (openings.py), no operator makes a value that fills the memory
(operators.py), nothing that differs from one run to the next can be had, and what goes wrong is
said in the words of the domain. A field that fails is no fault of the template that asks for it.
What no rule can foresee is stopped by the limits of the process (limits.py).
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import partial, wraps
from math import ceil
from types import BuiltinMethodType, FunctionType, MethodType
from typing import Any, NoReturn

from jinja2 import (
    BaseLoader,
    StrictUndefined,
    TemplateRuntimeError,
    Undefined,
    UndefinedError,
    pass_context,
)
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError
from jinja2.runtime import BlockReference, Context, LoopContext, TemplateReference
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from reportgen.core.text import quoted
from reportgen.documents.templating.kinds import MisuseError, kind, suggestion
from reportgen.documents.templating.openings import closed, opened, written_by
from reportgen.documents.templating.operators import (
    LONGEST,
    calculated,
    check_filled_by_name,
    check_widths,
)

_CHANGING = ("lipsum", "cycler", "joiner")
"""Globals of Jinja that are random, or write an address; `loop.cycle` and `join` serve as well."""
_CHANGING_FILTERS = ("random", "pprint")
_UNFIT = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class UnknownNameError(UndefinedError):
    """A name that nothing has, as the whole message: what may be meant depends on the template."""


class FieldError(Exception):
    """A field that a document fails to work out: an error of the program, not of a template."""


class Absent(StrictUndefined):
    """What a template asked for and does not exist: using it in any way is a mistake."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,  # noqa: ANN401 - whatever a template may hold
        name: str | None = None,
        exc: type[TemplateRuntimeError] = UndefinedError,
    ) -> None:
        super().__init__(
            hint, obj, name, UnknownNameError if hint is None and obj is missing else exc
        )

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        if self._undefined_obj is missing:
            return str(self._undefined_name)
        return _lacking(self._undefined_obj, self._undefined_name)


class Method:
    """A method that a template may call, and not write: Python would write where it lies."""

    __slots__ = ("_call", "jinja_pass_arg")

    def __init__(self, call: Callable[..., object]) -> None:
        self._call = call
        if hasattr(call, "jinja_pass_arg"):
            self.jinja_pass_arg = call.jinja_pass_arg

    def __call__(self, *values: object, **named: object) -> object:
        """Call it."""
        return self._call(*values, **named)

    def __str__(self) -> NoReturn:
        raise MisuseError("a method is called with parentheses, and cannot be written")

    __repr__ = __html__ = __str__


class Block(BlockReference):
    """What `super` and `self.name` are: called, and not written."""

    def __str__(self) -> NoReturn:
        raise MisuseError("a block is called with parentheses, and cannot be written")

    __repr__ = __html__ = __str__

    @property
    def super(self) -> Any:  # noqa: ANN401 - a block, or nothing
        """Give the block that this one stands over."""
        return _settled(super().super)


class Surroundings(Context):
    """The names of one template, whose `super` cannot be written."""

    def super(self, name: str, current: Callable[..., Any]) -> Any:  # noqa: ANN401 - as in Jinja
        """Give the block that this one stands over."""
        return _settled(super().super(name, current))


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox with our rules; strict, and with `_()`."""

    context_class = Surroundings
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    intercepted_unops = frozenset({"+", "-"})

    def __init__(self, loader: BaseLoader, *, autoescape: bool) -> None:
        """Take where templates are found, and whether values are escaped."""
        super().__init__(
            loader=loader,
            autoescape=autoescape,
            optimized=False,  # what is worked out while compiling could not be named by its line
            undefined=Absent,
            finalize=_written,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        for name in _CHANGING:
            del self.globals[name]
        self.globals["range"] = Method(_range)
        self.filters = {}
        self.add_filters(
            {name: call for name, call in _jinja_filters().items() if name not in _CHANGING_FILTERS}
        )

    def install_words(
        self, gettext: Callable[[str], str], ngettext: Callable[[str, str, int], str]
    ) -> None:
        """Let templates use `_()` and its kin with these words."""

        def checked(message: str) -> str:
            check_filled_by_name(message)
            return gettext(message) if message else ""  # gettext has the catalog's header there

        def checked_by_count(singular: str, plural: str, count: int | Decimal) -> str:
            check_filled_by_name(singular + plural)
            return ngettext(singular, plural, ceil(count))

        install: Callable[..., None] = self.install_gettext_callables  # type: ignore[attr-defined]
        install(checked, checked_by_count, newstyle=True)
        self.globals.update({name: _callable(value) for name, value in self.globals.items()})

    def add_filters(self, filters: Mapping[str, Callable[..., Any]]) -> None:
        """Let templates use filters, each of which names itself where it is misused."""
        self.filters.update({name: _named(name, call) for name, call in filters.items()})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401
        """Calculate; raises SecurityError or MisuseError."""
        call = partial(super().call_binop, context, operator, left, right)
        return calculated(lambda: _settled(call()), operator, left, right)

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:  # noqa: ANN401
        """Give a value its sign; raises MisuseError for what has none."""
        try:
            return super().call_unop(context, operator, arg)
        except TypeError:
            raise MisuseError(f"{operator} does not work with {kind(arg)}") from None

    def call(self, context: Context, called: Any, /, *values: Any, **named: Any) -> Any:  # noqa: ANN401
        """Call what a template calls; raises MisuseError where it cannot be called."""
        if not callable(called):
            raise MisuseError(f"{kind(called)} cannot be called: leave out the parentheses")
        return _settled(super().call(context, called, *values, **named))

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401
        """Give an attribute or element of a value; raises FieldError."""
        if _is_field(obj, attribute):
            return _field(obj, attribute)
        if isinstance(obj, date) and attribute == "strftime":
            return Method(partial(written_by, obj))
        return _settled(super().getattr(obj, attribute))

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401
        """Give an element or attribute of a value; raises FieldError."""
        if _is_field(obj, argument):
            return _field(obj, argument)
        if isinstance(obj, date) and argument == "strftime":
            return Method(partial(written_by, obj))
        return _settled(super().getitem(obj, argument))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ANN401
        """Tell whether an attribute is open; of a value of the language, only what is listed."""
        names = opened(obj)
        return super().is_safe_attribute(obj, attr, value) and (names is None or attr in names)

    def unsafe_undefined(self, obj: Any, attribute: str) -> Absent:  # noqa: ANN401
        """Say that an attribute is closed, when it is used."""
        if isinstance(obj, Absent):
            return obj
        return Absent(closed(obj, attribute), name=attribute, exc=SecurityError)

    def wrap_str_format(self, value: object) -> None:
        """Refuse `"…".format(…)`, which reaches into values in a language of its own."""
        if super().wrap_str_format(value) is not None:
            raise SecurityError(
                '"format" of a text is closed to templates: write "%s" % value, or join with ~'
            )


def _jinja_filters() -> dict[str, Callable[..., Any]]:
    from jinja2.filters import FILTERS  # noqa: PLC0415 - a name that would be taken for ours

    return FILTERS


def _lacking(holder: object, name: object) -> str:
    if isinstance(holder, TemplateReference):
        return f"this template has no block {quoted(name)}"
    if not isinstance(name, str):
        return f"{kind(holder)} has no element {quoted(name)}"
    if isinstance(holder, Mapping):
        return f"{kind(holder)} has no {quoted(name)}" + suggestion(
            name, [str(key) for key in holder]
        )
    simple = type(holder).__module__ == "builtins"
    names = opened(holder)
    known = [
        word
        for word in (dir(holder) if names is None else sorted(names))
        if not word.startswith("_") and not simple
    ]
    if isinstance(holder, TemplateModule):
        return f"{holder.__name__} has no macro {quoted(name)}" + suggestion(name, known)
    return f"{kind(holder)} has no field {quoted(name)}" + suggestion(name, known)


@pass_context
def _written(_: Context, value: object) -> object:
    """Let through what a document can show; anything else would be shown as Python sees it."""
    if value is None:
        raise MisuseError(
            'there is no value to be written: ask with {% if … %}, or write {{ … or "" }}'
        )
    if isinstance(value, str | int | float | Decimal | date | Undefined | Method):
        return value
    raise MisuseError(f"{kind(value)} cannot be written as a whole")


def _callable(value: object) -> object:
    return (
        Method(value) if isinstance(value, MethodType | BuiltinMethodType | FunctionType) else value
    )


def _settled(value: Any) -> Any:  # noqa: ANN401 - whatever a template may hold
    """Give a value as a template may hold it, the same in every run; raises MisuseError.

    Iterators and blocks would be written as where they lie, and a set has no order of its own.
    """
    if isinstance(value, Iterator) and not isinstance(value, LoopContext):
        return list(value)
    if isinstance(value, BlockReference):
        return Block(value.name, value._context, value._stack, value._depth)  # noqa: SLF001
    if isinstance(value, set | frozenset):
        raise MisuseError("a set has no order in which a document could show it")
    return _callable(value)


def _is_field(holder: object, name: object) -> bool:
    """Tell whether a name is that of a field which our own code works out when it is asked for."""
    holding = type(holder)
    return (
        isinstance(name, str)
        and not name.startswith("_")
        and isinstance(getattr(holding, name, None), property)
        and holding.__module__.startswith("reportgen.")
    )


def _field(holder: object, name: str) -> object:
    """Work out a field; a template gave it nothing, so what it raises is not the template's."""
    try:
        return _settled(getattr(holder, name))
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        raise FieldError(f"{name} of {kind(holder)}") from error


def _named(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """Make a filter name itself when it fails, and give lists, as iterators show where they lie."""
    first = int(hasattr(call, "jinja_pass_arg"))

    @wraps(call)
    def called(*values: Any, **named: Any) -> Any:  # noqa: ANN401
        if name == "format":
            check_widths(values[first])
        try:
            result = call(*values, **named)
            return list(result) if isinstance(result, Iterator) else result
        except _UNFIT:
            value, *given = map(_shown, values[first:])
            given += [f"{key}={_shown(option)}" for key, option in named.items()]
            use = f"{value} | {name}" + (f"({', '.join(given)})" if given else "")
            raise MisuseError(f"this filter cannot be used like this: {use}") from None

    return called


def _shown(value: object) -> str:
    if isinstance(value, str):
        return quoted(value)
    return str(value)[:LONGEST] if isinstance(value, int | float | Decimal | date) else kind(value)


def _range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > LONGEST:
        raise SecurityError(f"a range of more than {LONGEST:,} numbers")
    return numbers
