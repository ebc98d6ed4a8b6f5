"""The marks of drafts: what carries one, and what changes it."""

import json
import re
from dataclasses import replace
from functools import cache
from io import BytesIO

import openpyxl
import pytest

from reportgen.core.model import Statement
from reportgen.documents.content.attachments import attachments
from reportgen.documents.render import draw, filled
from reportgen.documents.tasks import Design, Task, tasks_of
from reportgen.documents.templating.templates import used
from tests.documents import grove

MARK = re.compile(r"draft ([0-9a-f]{8})\b")
R1, S2, Z9 = (f"invoices/CB-2025-12-29-{code}.pdf" for code in ("R-1", "S-2", "Z-9"))


def listed(statement: Statement, design: Design | None = None) -> dict[str, Task]:
    directory = grove.derived().directory
    attached = attachments(statement, directory)
    found = tasks_of(statement, directory, design or grove.design(), attached)
    return {task.path: task for task in found}


@cache
def usual() -> dict[str, Task]:
    return listed(grove.derived().statement)


def marks(tasks: dict[str, Task]) -> dict[str, str]:
    return {path: task.document.heading.mark for path, task in tasks.items()}


def renamed(statement: Statement, code: str) -> Statement:
    """Call a cost center otherwise."""
    invoices = tuple(
        replace(made, cost_center=replace(made.cost_center, name="Renamed"))
        if made.cost_center.code == code
        else made
        for made in statement.invoices
    )
    return replace(statement, invoices=invoices)


def inside(task: Task) -> dict[str, dict]:
    return {
        one.name: json.loads(one.content) for one in task.attachments if one.name.endswith(".json")
    }


# What carries it


def test_page_workbook_and_attachments_of_a_draft_carry_one_mark():
    task, mark = usual()[R1], marks(usual())[R1]
    workbook = usual()[R1.replace(".pdf", ".xlsx")]
    assert re.fullmatch("[0-9a-f]{8}", mark)
    assert set(MARK.findall(filled(task, grove.design()))) == {mark}
    book = openpyxl.load_workbook(BytesIO(draw(workbook, grove.design())))
    assert book.worksheets[0]["D1"].value == f"PRELIMINARY · draft {mark}"
    assert book.properties.category == f"PRELIMINARY · draft {mark}"
    assert inside(task)["invoice.json"]["draft"] == mark
    assert all(one.description.endswith(f", draft {mark}") for one in task.attachments)


def test_statement_and_index_list_all_of_them():
    drawn = marks(usual())
    others = {mark for path, mark in drawn.items() if path != "index.html"}
    assert len(others) == 4 + 4 + 1  # invoices, summaries, the statement
    for path in ("statement.pdf", "index.html"):
        assert set(MARK.findall(filled(usual()[path], grove.design()))) == others
    told = inside(usual()["statement.pdf"])["statement.json"]
    assert told["draft"] == drawn["statement.pdf"]
    assert told["drafts"] == {
        path: mark for path, mark in drawn.items() if "/" in path and path.endswith(".pdf")
    }
    book = openpyxl.load_workbook(BytesIO(draw(usual()["statement.xlsx"], grove.design())))
    (column,) = [
        [cell.value for cell in column]
        for column in book.worksheets[1].iter_cols()
        if column[0].value == "Draft"
    ]
    assert column[:5] == ["Draft", *(drawn[path] for path in drawn if path.startswith("invoices/")
                                     and path.endswith(".pdf"))]  # fmt: skip


def test_what_is_closed_carries_none():
    statement = grove.derived().statement
    closed = replace(statement, heading=replace(statement.heading, status="closed"))
    for path, task in listed(closed).items():
        assert task.document.heading.mark == ""
        assert "draft" not in b"".join(one.content for one in task.attachments).decode()
        if path.endswith((".pdf", ".html")):
            assert not MARK.search(filled(task, grove.design()))


# What changes it


def test_a_document_that_did_not_change_keeps_its_mark():
    before, after = marks(usual()), marks(listed(renamed(grove.derived().statement, "Z-9")))
    changed = {path for path in before if before[path] != after[path]}
    assert {Z9, "statement.pdf", "index.html"} <= changed
    assert changed.isdisjoint({R1, S2, "summaries/department-engineering.pdf"})


def test_the_line_of_a_rule_is_not_shown_and_changes_no_mark():
    statement = grove.derived().statement
    invoices = tuple(
        replace(made, lines=tuple(replace(line, source="rates.yaml:99") for line in made.lines))
        for made in statement.invoices
    )
    assert marks(listed(replace(statement, invoices=invoices))) == marks(usual())


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("invoice.html.j2", ("invoices/", "statement")),  # which lists those of invoices
        ("summary.html.j2", ("summaries/", "statement")),
        ("statement.xlsx.j2", ("statement",)),
        ("parts.html.j2", ("invoices/", "summaries/", "statement")),
        ("index.css", ()),
    ],
)
def test_a_template_changes_the_marks_of_what_is_made_with_it(name, made):
    design = grove.design()
    texts = {**design.templates, name: design.templates[name] + "\n"}
    after = marks(listed(grove.derived().statement, replace(design, templates=texts)))
    before = marks(usual())
    changed = {path for path in before if before[path] != after[path]} - {"index.html"}
    assert changed == {path for path in before if path.startswith(made)}


def test_an_amount_in_the_detail_changes_the_mark():
    statement = grove.derived().statement
    invoice = next(made for made in statement.invoices if made.cost_center.code == "R-1")
    row = invoice.detail[0]._replace(day=invoice.detail[-1].day.replace(day=31))
    moved = replace(invoice, detail=(row, *invoice.detail[1:]))
    invoices = tuple(moved if made is invoice else made for made in statement.invoices)
    after = marks(listed(replace(statement, invoices=invoices)))
    assert after[R1] != marks(usual())[R1]
    assert after[S2] == marks(usual())[S2]


def test_the_templates_that_are_used_are_those_that_are_called():
    texts = {
        "a": '{% import "b" as b %}{%- include "c" %}',
        "b": '{% extends "d" %}',
        "c": "",
        "d": "",
        "e": "",
    }
    assert used(texts, ["a"]).keys() == {"a", "b", "c", "d"}
    assert used({**texts, "c": '{% include "d" if x else "e" %}'}, ["a"]).keys() == texts.keys()
    assert used({**texts, "c": "{% include x %}"}, ["a"]).keys() == texts.keys()
