"""What is asked of a close: time, people, order; figures are tried on whole cycles."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from reportgen.core.model import Statement
from reportgen.core.proving.close import (
    Accepted,
    Close,
    People,
    Terms,
    of_figures,
    of_folder,
    of_order,
    of_people,
    of_time,
)
from tests.documents import beech

DERIVED = beech.derived()
CYCLE = DERIVED.statement.heading.cycle
END = CYCLE.end


def conditions(refusals):
    return [one.condition for one in refusals]


def statement(**heading) -> Statement:
    found = DERIVED.statement
    return replace(found, heading=replace(found.heading, **heading))


@pytest.mark.parametrize(
    ("waited", "settle_days", "refused"),
    [(0, 0, False), (0, 3, True), (2, 3, True), (3, 3, False), (-1, 0, True), (900, 3, False)],
)
def test_a_cycle_settles_for_some_days_after_its_end(waited, settle_days, refused):
    today = date.fromordinal(END.toordinal() + waited)
    found = of_time(statement(cycle_open=False), Terms(settle_days=settle_days), today)
    assert conditions(found) == ["settling"] * refused
    assert all(one.acceptable for one in found)


def test_a_cycle_that_was_running_when_it_was_collected_is_never_closed():
    (refusal,) = of_time(statement(cycle_open=True), Terms(), date(2030, 1, 1))
    assert (refusal.condition, refusal.acceptable) == ("open", False)


@pytest.mark.parametrize(
    ("prepared", "approved", "refused"),
    [
        (None, None, True),
        ("Ada", None, True),
        (None, "Grace", True),
        ("Ada", "Grace", False),
        ("Ada", "ada", True),
        ("Ada  Lovelace", " ada lovelace ", True),
        ("Ａda", "Ada", True),
        ("Stra\u00dfe", "STRASSE", True),
    ],
)
def test_whoever_prepared_it_does_not_approve_it(prepared, approved, refused):
    people = People(prepared_by=prepared, approved_by=approved)
    found = of_people(people, Terms(approval="required"))
    assert conditions(found) == ["approval"] * refused
    assert not any(one.acceptable for one in found)
    assert of_people(people, Terms()) == []


def test_cycles_are_closed_one_after_the_other():
    before, after = date(2025, 1, 5), date(2030, 1, 5)
    assert of_order(CYCLE, [CYCLE.start, after], [before]) == []
    (refusal,) = of_order(CYCLE, [before], [])
    assert "2025-01-05" in refusal.message
    assert conditions(of_order(CYCLE, [], [after])) == ["order"]


def test_what_nobody_wrote_is_moved_away_first():
    assert of_folder([]) == []
    (refusal,) = of_folder(["minutes.txt"])
    assert (refusal.condition, refusal.acceptable) == ("foreign", False)


def figures(**changed):
    """Judge the cycle with some of its tie-out changed, and nothing else to be said."""
    return conditions_of(DERIVED.allocations, Terms(unallocated_limit=Decimal(1)), **changed)


def conditions_of(allocations, terms, **changed):
    found = DERIVED.statement
    tie_out = replace(found.tie_out, **{"unpriced_acus": Decimal(0)} | changed)
    card = replace(beech.configuration().rate_card, vendor_invoices={})
    return of_figures(replace(found, tie_out=tie_out), allocations, card, terms)


def test_an_identity_that_does_not_hold_is_never_accepted():
    (refusal,) = figures(difference_amount=Decimal("0.01"))
    assert (refusal.condition, refusal.acceptable) == ("tie-out", False)
    (refusal,) = figures(difference_acus=Decimal("1e-12"))
    assert (refusal.condition, refusal.acceptable) == ("tie-out", False)


def test_usage_without_a_price_is_never_accepted():
    (refusal,) = figures(unpriced_acus=Decimal(1))
    assert (refusal.condition, refusal.acceptable) == ("unpriced", False)


def test_the_limit_of_what_has_no_rule_is_gross():
    one = next(one for one in DERIVED.allocations if one.kind == "unallocated")
    credit = one._replace(quantity=-one.quantity)
    none = Terms(unallocated_limit=Decimal(0))
    assert conditions(conditions_of([one, credit], none)) == ["unallocated"]
    assert conditions_of([], none) == []


def test_the_issue_says_day_seal_and_reasons():
    close = Close(
        cycle=CYCLE,
        sealed_at=datetime(2026, 1, 9, 23, 59, tzinfo=UTC),
        previous_seal="a7" * 32,
        accepted=(Accepted(condition="vendor", message="…", reason="ticket 4711"),),
    )
    assert close.issue.issued == date(2026, 1, 9)
    assert close.issue.previous_seal == "a7" * 32
    assert close.issue.accepted == {"vendor": "ticket 4711"}
