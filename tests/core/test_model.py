"""The types that come by the million are built by position: their fields keep their order."""

from datetime import date
from decimal import Decimal

from reportgen.core.allocating.allocate import Choice, Timeline, allocate
from reportgen.core.allocating.match import subject_of
from reportgen.core.charging.rate import rate, unrated
from reportgen.core.model import Allocation, DetailRow, Price, RateCard, Share, Split, UsageRecord
from reportgen.core.money import ONE

DAY = date(2025, 12, 5)
RECORD = UsageRecord(
    day=DAY,
    product="devin",
    org_id="org-1",
    principal_kind="user",
    principal_id="u-1",
    session_id="devin-1",
    quantity=Decimal("1.5"),
    requests=("/v3/a",),
)
BARE = Allocation(
    record=RECORD,
    cost_center="CC-1",
    kind="usage",
    cause="",
    rule="mapping.yaml:4",
    share="1",
    quantity=Decimal("1.5"),
)


def test_fields_stand_in_the_order_in_which_they_are_given():
    assert UsageRecord._fields == (
        *("day", "product", "org_id", "principal_kind", "principal_id", "session_id"),
        *("quantity", "requests"),
    )
    assert Allocation._fields == (
        *("record", "cost_center", "kind", "cause", "rule", "share", "quantity"),
        *("unit_price", "rate", "exact_amount"),
    )
    assert DetailRow._fields == (
        *("day", "product", "org_id", "principal_kind", "principal_id", "kind"),
        *("acus", "unit_price", "exact_amount"),
    )


def test_rating_leaves_everything_before_the_price_as_it_was():
    one = BARE
    whose = one.record, one.cost_center, one.kind, one.cause, one.rule, one.share
    assert unrated(one) == (*whose, one.quantity)


def test_a_subject_is_what_rules_look_at():
    assert subject_of(RECORD) == ("org-1", "user", "u-1", "devin-1")


def test_what_is_allocated_and_rated_is_the_same_as_if_it_were_built_by_name():
    split = Split(shares=(Share("CC-1", ONE, "1"),))
    choice = Choice(kind="usage", split=split, rule="mapping.yaml:4")
    resolved = {subject_of(RECORD): Timeline(starts=(date.min,), choices=(choice,))}
    card = RateCard(
        currency="USD",
        decimals=2,
        prices={"devin": (Price(date.min, Decimal("2.00"), "rates.yaml:2"),)},
    )
    (allocated,) = allocate([RECORD], resolved)
    (rated,) = rate([allocated], card)
    assert allocated == BARE
    assert rated == BARE._replace(
        unit_price=Decimal("2.00"), rate="rates.yaml:2", exact_amount=Decimal("3.000")
    )
