"""The numbers of invoices, made by a pattern that may read fields and nothing else."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, wraps
from typing import Any

from jinja2 import Template, nodes

from reportgen.core.cycle import BillingCycle
from reportgen.core.model import CostCenter
from reportgen.core.problem import Problem
from reportgen.core.text import quoted, slug, told_apart
from reportgen.documents.templating.errors import TEMPLATE_ERRORS, template_error
from reportgen.documents.templating.templates import environment

CODE_SIGNS = "._-"
"""What a code may have besides letters and digits, and keep where it names a file."""
LONGEST_NUMBER = 100
LONGEST_PATTERN = 500
NUMBER_FILTERS = frozenset(
    {"capitalize", "format", "lower", "replace", "string", "title", "trim", "upper"}
)
NUMBER_METHODS = frozenset({"isoformat", "previous_day", "strftime"})
_NUMBER_NODES = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Tuple),
    *(nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Filter, nodes.Call, nodes.Keyword),
    *(nodes.Concat, nodes.CondExpr, nodes.BinExpr, nodes.UnaryExpr, nodes.Compare),
    *(nodes.Operand, nodes.Test),
)


class NumberError(Exception):
    """An invoice number that cannot be used; the message says why."""


def invoice_numbers(
    pattern: str, cycle: BillingCycle, cost_centers: Sequence[CostCenter], *, source: str
) -> tuple[dict[str, str], list[Problem]]:
    """Give every cost center's invoice a number by its code, and report all that cannot be used.

    A number names files, so a code takes part in it as a slug, which no other code has. `source` is
    where the pattern stands.
    """
    slugs = told_apart({center.code: slug(center.code, CODE_SIGNS) for center in cost_centers})
    numbers: dict[str, str] = {}
    refused: dict[str, list[str]] = {}
    for center in cost_centers:
        named = replace(center, code=slugs[center.code])
        try:
            numbers[center.code] = invoice_number(pattern, cycle, named)
        except NumberError as error:
            refused.setdefault(str(error), []).append(center.code)
    return numbers, [
        *(
            _bad_number(f"{_whose(codes, cost_centers)} be used: {reason}", source)
            for reason, codes in refused.items()
        ),
        *_same_numbers(numbers, source),
    ]


def invoice_number(pattern: str, cycle: BillingCycle, cost_center: CostCenter) -> str:
    """Render the number of an invoice, which names files; raises NumberError.

    A pattern is rendered by the command itself, which has no limits of a worker. So it may read
    fields and put them together, and not loop or call what could take long: its work is bounded by
    its length.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise NumberError(f"the pattern has more than {LONGEST_PATTERN} characters")
    try:
        values: dict[str, Any] = {"cycle": cycle, "cost_center": cost_center}
        number = _compiled(pattern).render(values)
    except TEMPLATE_ERRORS as error:
        (problem,) = template_error(error, "number", {}).problems
        raise NumberError(f"the pattern cannot be rendered: {problem.message}") from error
    _check_number(number)
    return number


@lru_cache(maxsize=1)
def _compiled(pattern: str) -> Template:
    """Read a pattern once for all cost centers; raises NumberError, or what Jinja raises."""
    sandbox = environment({"number": pattern}, "en", autoescape=False)
    sandbox.filters = {
        name: _short(call) for name, call in sandbox.filters.items() if name in NUMBER_FILTERS
    }
    _check_pattern(sandbox.parse(pattern))
    return sandbox.get_template("number")


def _whose(codes: Sequence[str], cost_centers: Sequence[CostCenter]) -> str:
    """Name the cost centers that one reason leaves without a number."""
    if not codes[1:]:
        return f"the invoice number of {codes[0]} cannot"
    if len(codes) == len(cost_centers):
        return "no invoice number can"
    return f"the invoice numbers of {_enumerated(codes)} cannot"


def _same_numbers(numbers: Mapping[str, str], source: str) -> Iterator[Problem]:
    """Report every number that more than one cost center gets, whatever its capitals."""
    holders: dict[str, list[str]] = {}
    for code, number in numbers.items():
        holders.setdefault(number.casefold(), []).append(code)
    for codes in holders.values():
        if len(codes) > 1:
            same = f"the same invoice number {quoted(numbers[codes[0]])}"
            yield _bad_number(f"{_enumerated(codes)} get {same}", source)


def _enumerated(codes: Sequence[str]) -> str:
    return " and ".join((", ".join(codes[:-1]), codes[-1]))


def _bad_number(message: str, source: str) -> Problem:
    pattern = '`invoice: {number: "CB-{{ cycle.start }}-{{ cost_center.code }}"}`'
    return Problem(source=source, message=message, hint=f"write {pattern} or a pattern like it")


def _check_pattern(pattern: nodes.Template) -> None:
    """Raise NumberError for anything whose work is not bounded by the length of the pattern."""
    for node in pattern.find_all(nodes.Node):
        called = (
            node.node.attr
            if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr)
            else ""
        )
        if isinstance(node, nodes.Call) and called not in NUMBER_METHODS:
            raise NumberError(f"it may call nothing but {_listed(NUMBER_METHODS)}")
        if not isinstance(node, _NUMBER_NODES):
            raise NumberError(
                "it may hold {{ … }} with fields, texts, numbers and filters, and nothing else"
            )
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
        result = call(*values, **named)
        if isinstance(result, str) and len(result) > LONGEST_PATTERN:
            raise NumberError(f"a filter makes more than {LONGEST_PATTERN} characters")
        return result

    return called


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
