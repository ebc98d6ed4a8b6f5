"""What a page that is only looked at is refused for: all that one is that becomes a tree."""

import pytest

from reportgen.documents.markup import DEEPEST, MarkupError, check, tree


def nested(deep: int, innermost: str = "") -> str:
    """Put elements into one another, the outermost at no depth."""
    return "<p>" * deep + f"<b>{innermost}</b>" * 2 + "</p>" * deep


@pytest.mark.parametrize(
    "page",
    [
        nested(1),
        nested(DEEPEST - 1, "&eacute;&AMP;\x01"),
        nested(DEEPEST),
        f"<html>{nested(DEEPEST + 3)}</html>",
        nested(DEEPEST).replace("</p>", "", 1),
        "<p><b></p>",
        "<p>&nosuch;</p>",
        "<p a=1/>",
        "<p/><p/>",
        "",
    ],
)
def test_a_page_is_refused_with_and_without_its_tree_for_the_same_reason(page):
    assert said(check, page) == said(tree, page)


def said(way, page):
    try:
        way(page)
    except MarkupError as error:
        return str(error), error.fragment
    return None


def test_what_can_be_a_tree_is_taken_as_deep_as_that_may_be():
    assert said(check, nested(DEEPEST - 1)) is None
    assert "more than 60 deep: <b>" in said(check, nested(DEEPEST))[0]
