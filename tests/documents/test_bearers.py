"""Who is charged by an organization, and who by another cost center than before, on paper."""

import re
from dataclasses import replace
from decimal import Decimal
from functools import cache
from html import unescape

import pytest

from reportgen.core.allocating.directory import numbered, with_answered
from reportgen.core.model import Directory, Moved, Statement, UsersShown
from reportgen.core.written.privacy import redacted
from reportgen.documents.content.bearers import MOST_BEARERS, moved_since
from reportgen.documents.content.statement import statement_document
from reportgen.documents.render import filled
from reportgen.documents.tasks import tasks_of
from tests.documents import grove

ADA = "ada@beech.example"


@cache
def shown(users: UsersShown) -> tuple[Statement, Directory]:
    """Give what documents may show; whoever has left since has a number as well."""
    derived = grove.derived(dropped=ADA)
    changes = derived.statement.variance.by_cost_center.values()
    left = [one for change in changes for one in change.vanished]
    known = numbered(with_answered(derived.directory, left, ()), "secret")
    return redacted(derived.statement, known, users)


def page(users: UsersShown, path: str) -> str:
    statement, known = shown(users)
    (task,) = [one for one in tasks_of(statement, known, grove.design()) if one.path == path]
    return filled(task, grove.design())


def words(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).split())


@pytest.mark.parametrize("path", ["statement.pdf", "index.html"])
def test_a_page_lists_who_has_no_rule_of_their_own_and_who_has_moved(path):
    text = words(page("names", path))
    assert "Charged by their organization" in text
    assert "Changed cost center" in text
    # Ada's 8.05 ACUs of devin at 2.00 are of the organization Main, which S-2 bears
    if path == "index.html":  # whose review names both lists before
        text = text.partition("Cost centers Compared with")[2]
    part = text.partition("Charged by their organization")[2]
    assert re.search(r"Ada Brennan.*?mapping.yaml:12", part.partition("Changed cost center")[0])
    assert "8.0500" in part
    assert "16.10" in part
    assert re.search(r"Ada Brennan.*?mapping.yaml:12", part.partition("Changed cost center")[2])


@pytest.mark.parametrize("users", ["pseudonyms", "none"])
@pytest.mark.parametrize("path", ["statement.pdf", "index.html"])
def test_nobody_is_recognised_where_names_are_not_shown(users, path):
    text = words(page(users, path))
    assert "Changed cost center" in text
    assert not re.search(r"Ada|ada@|chloe@|u\|ada|Chlo", text)
    assert bool(re.search(r"\buser-\d+\b", text)) == (users == "pseudonyms")


def test_where_nobody_is_told_apart_people_are_counted_and_every_sum_stays():
    named, counted = shown("names")[0], shown("none")[0]
    assert [(row.people, row.cost_center) for row in counted.by_organization] == [(3, "S-2")]
    # Ada and the bot and CI go to S-2, from two cost centers
    ways = {(row.givers, row.receiver): row.people for row in counted.variance.moved}
    assert ways == {
        (("R-1",), "S-2"): 1,
        (("Z-9",), "S-2"): 2,
        (("S-2",), "R-1"): 1,
        (("R-1",), "Z-9"): 1,
    }
    assert not any(row.rules for row in counted.variance.moved)
    for rows, others in (
        (named.by_organization, counted.by_organization),
        (named.variance.moved, counted.variance.moved),
    ):
        assert sum(row.amount for row in rows) == sum(row.amount for row in others)
        assert sum(row.acus for row in rows) == sum(row.acus for row in others)


def test_a_page_shows_the_largest_and_one_row_for_all_others():
    many = tuple(
        Moved("user", f"u{number:03}", ("A",), "B", ("m:1",), Decimal(1), Decimal(number))
        for number in range(1, 101)
    )
    statement = shown("names")[0]
    variance = replace(statement.variance, moved=many)
    bearers = moved_since(replace(statement, variance=variance), Directory())
    assert [row.label for row in bearers.shown] == [
        f"u{number:03}" for number in range(100, 100 - MOST_BEARERS, -1)
    ]
    assert bearers.others.people == 100 - MOST_BEARERS
    assert bearers.whole.amount == Decimal(5050)
    assert bearers.others.amount + sum(row.amount for row in bearers.shown) == Decimal(5050)


def test_the_workbook_has_a_row_for_everybody():
    statement, known = shown("names")
    slots = statement_document(statement, known, None).slots(str)
    listed = [row[:5] for row in slots["by_organization"].rows]
    assert ("Ada Brennan", "Main", "S-2", "mapping.yaml:12", None) in listed
    moved = [row[:4] for row in slots["moved"].rows]
    assert ("Ada Brennan", "R-1", "Z-9", "no rule") in moved


@pytest.mark.parametrize("path", ["statement.pdf", "statement.xlsx", "index.html"])
def test_where_no_vendors_invoice_is_recorded_it_is_said(path):
    statement, known = shown("names")
    tie = replace(
        statement.tie_out,
        vendor_invoice_acus=None,
        vendor_invoice_amount=None,
        over_recovery_amount=None,
    )
    said = "No vendor's invoice is recorded for this cycle."
    for found, is_said in ((statement, False), (replace(statement, tie_out=tie), True)):
        (task,) = [one for one in tasks_of(found, known, grove.design()) if one.path == path]
        assert (said in unescape(filled(task, grove.design()))) == is_said
