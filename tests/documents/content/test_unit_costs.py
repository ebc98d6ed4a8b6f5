"""What documents show of what was bought, where credits make up for usage, and in which units."""

from dataclasses import replace
from decimal import Decimal

from reportgen.core.model import Counted, CycleUnitCosts, Statement, UnitCosts
from reportgen.documents.content.unit_costs import by_cost_center, of_all
from tests.documents import grove

NOTHING = UnitCosts()


def bought(enterprise: UnitCosts = NOTHING, **centers: UnitCosts) -> Statement:
    """Give a statement in which cost centers bought this."""
    statement = grove.derived().statement
    costs = CycleUnitCosts(
        as_of="2025-12-29T10:00:00Z",
        by_cost_center={code.replace("_", "-"): one for code, one in centers.items()},
        enterprise=enterprise,
    )
    return replace(statement, unit_costs=costs, variance=None)


def test_credits_of_one_that_make_up_for_what_another_used_are_told():
    used, back = (UnitCosts(acus=Decimal(sign)) for sign in (5, -5))
    netting = bought(R_1=used, S_2=back)
    assert [line.code for line in by_cost_center(netting)] == ["R-1", "S-2"]
    whole = of_all(netting)
    assert whole is not None
    assert whole.costs.acus == 0


def test_where_nobody_used_or_counted_anything_there_is_nothing_to_tell():
    nothing = bought(R_1=UnitCosts(), S_2=UnitCosts())
    assert by_cost_center(nothing) == ()
    assert of_all(nothing) is None
    assert of_all(replace(nothing, unit_costs=None)) is None


def test_every_figure_says_what_it_is_in():
    costs = UnitCosts(sessions=Counted(4, 4), acus=Decimal(10), amount=Decimal("20.00"))
    whole = of_all(bought(costs))
    assert whole is not None
    told = {one.name: (one.unit, one.figure and one.figure.low) for one in whole.measured}
    assert told == {
        "sessions": ("count", 4),
        "pull_requests": ("count", 0),
        "merged_pull_requests": ("count", 0),
        "acus_per_session": ("acus", Decimal("2.5")),
        "amount_per_session": ("amount", Decimal("5.00")),
        "acus_per_merged_pull_request": ("acus", None),
        "amount_per_merged_pull_request": ("amount", None),
    }
    assert {one.change for one in whole.measured} == {None}
