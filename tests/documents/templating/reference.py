"""docs/templates.md: what every template can use, read from the program itself.

The types come from annotations and the meanings from docstrings, followed from what a template is
rendered with; the examples of the filters are what they write. Only the introduction and the words
for the context stand here.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Collection, Iterable, Iterator
from collections.abc import Mapping as MappingOf
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from jinja2 import nodes
from jinja2.runtime import LoopContext

from reportgen.core.cycle import BillingCycle, cycle_between
from reportgen.documents.render import filled
from reportgen.documents.tasks import Design
from reportgen.documents.templating.filters import Format
from reportgen.documents.templating.openings import OPEN
from reportgen.documents.templating.templates import environment, read_templates
from tests.documents import correspondence, grove

INTRODUCTION = """\
# Templates

Every PDF and every workbook is written by a Jinja template. This page lists what a template can
use. It is made from the program by `pytest tests/documents/templating/test_reference.py
--update-golden`, and a test keeps it true.

**To change a document**, put the one file that is to be different into a folder, and name the
folder in chargeback.yaml: `templates: templates`. A file there wins over the built-in one of its
name; all others stay built in. `reportgen init` copies all of them as a start: remove those you did
not change, or they hide what later versions do better. A mistake in a template is told with its
name and line, and nothing is written. What was used is kept with the cycle, in `inputs/templates`.

**Which file is which.** `<document>.html.j2` becomes the PDF, styled by `invoice.css`;
`<document>.xlsx.j2` becomes the workbook, a `<table>` for each sheet, styled by `workbook.css`.
`index.html.j2` is the page of a cycle itself, with `index.css` in it. `email.subject.txt.j2`,
`email.txt.j2` and `email.html.j2` make one e-mail: a `.txt.j2` is plain text, in which `left`,
`right` and `wrapped` set columns and take line breaks out of names. What they share are the macros
at the end of this page.

**Words** stand in English in `_("…")`, and in other languages in `locale/<language>.po`; a word
that a catalog does not have stays English. To change one word, write it into a catalog instead of a
template: `locale/en.po` does so for English, in PDF, workbook and page alike. [The folder of the
catalogs](../templates/locale/README.md) says how to add a language.

**What a template cannot do.** It reckons with no money: every figure it prints is made by the
program, and formatted by a filter. It reads no file, no address and no clock. A name that does not
exist is a mistake, not an empty text. In a workbook, formulas are text of the template, never made
from what the API said.

**Types.** A number is an exact decimal, and a day a date: a filter writes them as people of the
document's language do. *Nothing* is `none`: a template asks for it before it writes what may be
nothing. *Number by text* is a mapping: `document.invoice.by_product["devin"]`. Names in brackets
are called: `document.amount_of("fee")`.
"""
CONTEXT = {
    "document": ("see below", "What this document is about; each template has its own."),
    "heading": (
        "[`Heading`](#heading)",
        "What all documents of the cycle begin with: `document.heading`.",
    ),
    "accent": ("text", "The colour of `invoice: {accent: …}`, such as `#1f4e79`."),
    "logo": (
        "text or nothing",
        "The picture of `invoice: {logo: …}`, as an address that begins with `data:`.",
    ),
    "locale": ("text", "The language of this document, such as `en`."),
    "css": ("text", "`workbook.css`, for the `<style>` of a workbook."),
}
"""What the variables of a template are; one that is not listed is shown without words."""
PLAIN = dict(
    zip(
        (str, int, Decimal, bool, date, datetime, bytes),
        ("text", "whole number", "number", "yes or no", "day", "moment", "bytes"),
        strict=True,
    )
)
CYCLE = cycle_between(1764921600, 1767600000)
SAMPLES = {
    "amount": Decimal("1234.5"),
    "rate": Decimal("155.20"),
    "fraction": Decimal("0.025"),
    "part": Decimal(1),
    "whole": Decimal(8),
    "month": "2025-12",
    "text": "1.50",
    "width": 8,
    "value": Decimal("2.50"),
    Decimal: Decimal("1234.5678"),
    int: 2,
    date: CYCLE.start,
    BillingCycle: CYCLE,
}
"""What the filters are shown with, by the name of a parameter or by its type."""
MEMBERS = ("name", "type", "meaning")


def reference() -> str:
    """Write the whole page."""
    documents = _documents()
    reached = _reached(documents)
    names = _headings(reached)
    sections = [
        INTRODUCTION,
        _context(),
        *(_document(*one, names) for one in documents.items()),
        "## Types\n",
    ]
    others = sorted((found for found in reached if found not in documents), key=names.__getitem__)
    sections += [_type(found, names) for found in others]
    return "\n".join([*sections, _openings(), _filters(), _macros(), _slots()])


def reached_hints() -> Iterator[tuple[type, str, Any]]:
    """Give every type that a template can reach, with its members and their annotations."""
    for found in _reached(_documents()):
        yield from ((found, name, hint) for name, hint, _ in members(found))


def context_names() -> list[str]:
    """List the variables that a template is rendered with, as the program hands them over."""
    calls = [node for node in ast.walk(_parsed(filled)) if isinstance(node, ast.Call)]
    render = next(
        call
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "render"
    )
    return [str(keyword.arg) for keyword in render.keywords]


def _documents() -> dict[type, list[str]]:
    """Give the type behind `document` with its templates, in the order of the documents."""
    found: dict[type, list[str]] = {}
    for task in sorted([*grove.tasks(), *correspondence.tasks()], key=lambda task: task.template):
        templates = found.setdefault(type(task.document), [])
        if task.template not in templates:
            templates.append(task.template)
    return found


def _context() -> str:
    hints = get_type_hints(Design)
    rows = []
    for name in context_names():
        kind = _worded(hints[name], {}) if name in hints else "text"
        rows.append((f"`{name}`", *CONTEXT.get(name, (kind, ""))))
    return f"## Every template\n\n{_table(MEMBERS, rows)}"


# Types


def members(found: type) -> Iterator[tuple[str, Any, str]]:
    """Give what can be asked of a type: name, annotation and meaning, fields first."""
    meanings = _field_docstrings(found)
    hints = get_type_hints(found)
    names = (
        [field.name for field in fields(found)]
        if is_dataclass(found)
        else getattr(found, "_fields", ())
    )
    for name in names:
        yield name, hints[name], meanings.get(name, "")
    for name, member in vars(found).items():
        called = member.fget if isinstance(member, property) else member
        if (
            name.startswith("_")
            or name in names
            or not inspect.isfunction(called)
            or name == "slots"
        ):
            continue
        arguments = [
            argument for argument in inspect.signature(called).parameters if argument != "self"
        ]
        shown = name if isinstance(member, property) else f"{name}({', '.join(arguments)})"
        yield shown, get_type_hints(called).get("return", str), _first_paragraph(called)


def _field_docstrings(found: type) -> dict[str, str]:
    """Give the text that stands below a field in the source, where there is one."""
    (body,) = (node.body for node in ast.walk(_parsed(found)) if isinstance(node, ast.ClassDef))
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def _reached(documents: Iterable[type]) -> list[type]:
    """Give the documents and every type of ours that they lead to."""
    found: list[type] = []
    waiting = list(documents)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.append(one)
            waiting += [inner for _, hint, _ in members(one) for inner in _ours(hint)]
    return found


def _ours(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and hint.__module__.startswith("reportgen.") and not get_args(hint):
        yield hint
    for part in get_args(hint):
        yield from _ours(part)


def _headings(found: Collection[type]) -> dict[type, str]:
    """Name every type, with its module where two have one name."""
    names = [one.__name__ for one in found]
    return {
        one: one.__name__
        if names.count(one.__name__) == 1
        else f"{one.__name__} ({one.__module__.split('.')[-1]})"
        for one in found
    }


def _worded(hint: Any, names: MappingOf[type, str]) -> str:
    """Say a type in plain words; a type of ours is a link."""
    if hint in PLAIN or hint in names:
        return PLAIN.get(hint) or f"[`{names[hint]}`](#{_anchor(names[hint])})"
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(f"`{part}`" for part in parts)
    inner = [_worded(part, names) for part in parts if part not in {NoneType, Ellipsis}]
    if origin in {Union, UnionType}:
        return " or ".join([*inner, *(["nothing"] if NoneType in parts else [])])
    if not (isinstance(origin, type) and inner):
        return getattr(hint, "__name__", str(hint))
    if issubclass(origin, MappingOf):
        return f"{inner[1]} by {inner[0]}"
    return (
        f"({', '.join(inner)})"
        if origin is tuple and Ellipsis not in parts
        else f"list of {inner[0]}"
    )


def _document(found: type, templates: list[str], names: MappingOf[type, str]) -> str:
    """Write what a template is about: every member on a line of its own."""
    title = ", ".join(f"`{template}`" for template in templates)
    rows = [(f"`{name}`", _worded(hint, names), meaning) for name, hint, meaning in members(found)]
    return f"## {title}\n\n`document`: {_docstring(found)}\n\n{_table(MEMBERS, rows)}"


def _type(found: type, names: MappingOf[type, str]) -> str:
    """Write a type: its fields in a row, and below them what has words of its own."""
    rows = [
        (f"`{name}` ({_worded(hint, names)})", meaning) for name, hint, meaning in members(found)
    ]
    bare = ", ".join(shown for shown, meaning in rows if not meaning)
    told = [f"- {shown}: {meaning}" for shown, meaning in rows if meaning]
    words = f"{_docstring(found)}\\\n{bare}." if bare else _docstring(found)
    return "\n".join([f"### {names[found]}\n", words, *told, ""])


# What else there is


def _openings() -> str:
    """List what is open on values that are none of our types."""
    rows = [
        (word, ", ".join(f"`{name}`" for name in sorted(OPEN[one])))
        for one, word in {
            date: "a day",
            datetime: "a time",
            str: "a text",
            list: "a list",
            dict: "a table",
            LoopContext: "`loop`",
        }.items()
    ]
    note = (
        "Everything else is closed: a document is a function of its inputs, and the same on every "
        "day and machine. A number has nothing open, as filters write it."
    )
    return f"## Values\n\n{note}\n\n{_table(('of', 'is open'), rows)}"


def _filters() -> str:
    form = Format("en", "USD", 2)
    surrounding = environment({}, "en")
    surrounding.filters.update(form.filters())
    rows = []
    for name, function in form.filters().items():
        value, *more = _samples(function)
        call = f"{name}({', '.join(map(str, more))})" if more else name
        written = (
            ""
            if value is None
            else surrounding.from_string(f"{{{{ value | {call} }}}}").render(value=value)
        )
        example = (f"`{value} \\| {call}`", f"`{written}`") if written else ("", "")
        rows.append((f"`{name}`", _first_paragraph(function), *example))
    table = _table(("filter", "what it does", "example", "writes"), rows)
    note = "Beside those of Jinja. The examples are in English, with an amount in USD."
    return f"## Filters\n\n{note}\n\n{table}"


def _samples(function: Any) -> list[Any]:
    """Choose what a filter is shown with, a value for each parameter; none where one is unknown."""
    hints = get_type_hints(function)
    required = [
        key
        for key, one in inspect.signature(function).parameters.items()
        if one.default is one.empty
    ]
    found = [SAMPLES.get(key, SAMPLES.get(hints.get(key))) for key in required]
    return found if None not in found else [None]


def _macros() -> str:
    """List the macros of each template that has some, below what the template says of itself."""
    sections = [
        '## Macros\n\nA template begins with `{% import "parts.html.j2" as parts %}` to use them.\n'
    ]
    for name, text in sorted(read_templates(None).items()):
        macros = (
            list(environment({}, "en").parse(text).find_all(nodes.Macro))
            if name.endswith(".j2")
            else []
        )
        if macros:
            about = re.match(r"\{#-?(.+?)-?#\}", text, re.DOTALL)
            called = (
                f"`{macro.name}({', '.join(argument.name for argument in macro.args)})`"
                for macro in macros
            )
            listed = textwrap.fill(
                ", ".join(called), 118, break_long_words=False, break_on_hyphens=False
            )
            told = f"{' '.join(about[1].split())}\n\n" if about else ""
            sections.append(f"### {name}\n\n{told}{listed}\n")
    return "\n".join(sections)


def _slots() -> str:
    """List the rows that a workbook's template only names, and the program streams in."""
    rows = {}
    for task in grove.tasks():
        if task.template.endswith(".xlsx.j2"):
            given = inspect.signature(task.document.slots).parameters
            for name, slot in task.document.slots(*(str for _ in given)).items():
                rows[f"`{task.template}`", f"`{name}`"] = ", ".join(
                    dict.fromkeys(map(_column, slot.fields))
                )
    table = _table(
        ("template", "rows", "columns"), [(*key, columns) for key, columns in sorted(rows.items())]
    )
    return (
        '## Rows of workbooks\n\n`<tbody data-rows="days"/>` is where the rows of `days` go, and '
        '`<col data-field="acus"/>` says which of\ntheir columns stands there. '
        f"A formula names a column of them as `{{days.acus}}`.\n\n{table}"
    )


def _column(field: str) -> str:
    """Name a column; of numbered ones there are as many as products."""
    name = field.rstrip("0123456789")
    return f"`{field}`" if name == field else f"`{name}1`, `{name}2`, …"


# Text


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Write a table; the last column is left out where it is empty in every row."""
    filled = list(rows)
    if filled and not any(row[-1] for row in filled):
        return _table(heads[:-1], [row[:-1] for row in filled])
    return "".join(
        f"| {' | '.join(row)} |\n".replace("|  |", "| |")
        for row in (heads, ("---",) * len(heads), *filled)
    )


def _docstring(found: Any) -> str:
    return " ".join((inspect.getdoc(found) or "").split())


def _first_paragraph(found: Any) -> str:
    return " ".join((inspect.getdoc(found) or "").partition("\n\n")[0].split())


def _parsed(found: Any) -> ast.Module:
    return ast.parse(textwrap.dedent(inspect.getsource(found)))


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
