"""Products by their labels: in every document, in no table for machines, and no figure moves."""

from dataclasses import replace

import pytest

from reportgen.core.model import ProductLabel, Statement
from reportgen.core.written.product_labels import labelled, names_of
from reportgen.documents.content.attachments import attachments
from reportgen.documents.render import filled
from reportgen.documents.tasks import tasks_of
from tests.documents import grove

CASCADE = ProductLabel("cascade", "Editor & co", "completions in the editor")


def called(*products: ProductLabel) -> Statement:
    statement = grove.derived().statement
    return replace(statement, heading=replace(statement.heading, products=products))


def test_figures_stand_as_they_were_under_other_names():
    before, after = called(CASCADE), labelled(called(CASCADE))
    assert "cascade" in before.control_by_product
    assert after.control_by_product["Editor & co"] == before.control_by_product["cascade"]
    assert list(after.control_by_product.values()) == list(before.control_by_product.values())
    for was, now in zip(before.invoices, after.invoices, strict=True):
        assert [line.amount for line in now.lines] == [line.amount for line in was.lines]
        assert [row.acus for row in now.detail] == [row.acus for row in was.detail]
        assert len(now.by_product) == len(was.by_product)
    heading = replace(after.heading, products=())
    shown = replace(after, heading=heading, by_organization=(), variance=None, earlier=())
    assert "cascade" not in repr(shown)


def test_without_a_label_nothing_is_touched():
    statement = called(ProductLabel("cascade", "", "completions"))
    assert labelled(statement) is statement


@pytest.mark.parametrize(
    ("products", "expected"),
    [
        ((ProductLabel("cascade", "devin"),), {"cascade": "devin (cascade)", "devin": "devin"}),
        ((ProductLabel("gone", "devin"),), {"cascade": "cascade", "devin": "devin"}),
        (
            (ProductLabel("cascade", "devin"), ProductLabel("devin", "cascade")),
            {"cascade": "devin", "devin": "cascade"},
        ),
    ],
)
def test_no_two_products_get_one_name(products, expected):
    names = names_of(called(*products))
    assert {name: names[name] for name in expected} == expected
    assert len(set(names.values())) == len(names)
    assert len(labelled(called(*products)).control_by_product) == 3


def test_every_document_has_them_and_says_what_they_are_and_machines_have_their_own():
    statement, directory = called(CASCADE), grove.derived().directory
    attached = attachments(statement, directory, "full")
    tasks = tasks_of(statement, directory, grove.design(), attached)
    for task in tasks:
        words = filled(task, grove.design())
        assert "cascade" not in words, task.path
        if "R-1" in task.path or "statement" in task.path:
            assert "Editor &amp; co" in words, task.path
        if task.path in {"statement.pdf", "index.html", "invoices/CB-2025-12-29-R-1.pdf"}:
            assert "Editor &amp; co – completions in the editor" in words
    for task in tasks:
        texts = [attachment.content.decode() for attachment in task.attachments]
        assert not any("Editor" in text for text in texts)
        assert "R-1" not in task.path or not texts or "cascade" in texts[0]
