"""The fiscal year to date: sums by hand, and the cycles that nobody has figures of."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.comparing.year import year_to_date
from reportgen.core.cycle import BillingCycle, fiscal_year
from reportgen.core.model import CostCenterTotals, CycleTotals, YearToDate
from tests.documents import beech

STATEMENT = beech.derived().statement
NOW = STATEMENT.heading.cycle
"""2025-12-05 to 2025-12-10."""


def cycle(start: date, end: date) -> BillingCycle:
    return BillingCycle(start=start, end=end, after=0, before=0)


def came_to(start: str, end: str, amount: str = "10.00", **changed: object) -> CycleTotals:
    totals = CycleTotals(
        cycle=cycle(date.fromisoformat(start), date.fromisoformat(end)),
        status="closed",
        currency=STATEMENT.heading.currency,
        decimals=2,
        control_acus=Decimal("4.5"),
        invoiced_amount=Decimal(amount),
        cost_centers={
            "R-1": CostCenterTotals(name="", acus=Decimal("1.5"), amount=Decimal("3.25")),
            "GONE": CostCenterTotals(name="", acus=Decimal(3), amount=Decimal("6.75")),
        },
    )
    return replace(totals, **changed)


OCTOBER = came_to("2025-10-05", "2025-11-05")
NOVEMBER = came_to("2025-11-05", "2025-12-05", "20.50")
TOLD = (OCTOBER.cycle, NOVEMBER.cycle, NOW)


def year(
    *earlier: CycleTotals, told: tuple[BillingCycle, ...] = TOLD, month: int = 10
) -> YearToDate:
    return year_to_date(STATEMENT, earlier, told, month)


def test_it_adds_this_cycle_to_those_before_it():
    whole = year(NOVEMBER, OCTOBER)
    own = next(one for one in STATEMENT.invoices if one.cost_center.code == "R-1")
    assert (whole.begins, whole.since) == (date(2025, 10, 1), date(2025, 10, 5))
    assert (whole.cycles, whole.missing, whole.preliminary) == (3, (), False)
    assert whole.amount == Decimal("30.50") + STATEMENT.tie_out.invoiced_amount
    assert whole.acus == 9 + STATEMENT.tie_out.control_acus
    assert whole.by_cost_center["R-1"].amount == Decimal("6.50") + own.amount
    assert whole.by_cost_center["R-1"].acus == 3 + own.borne_acus
    assert whole.by_cost_center["GONE"].amount == Decimal("13.50")


def test_a_year_begins_with_its_first_month_and_a_cycle_lies_in_it_by_its_first_day():
    assert year(OCTOBER, NOVEMBER, month=11).cycles == 2
    assert year(OCTOBER, NOVEMBER, month=12).cycles == 1
    across = came_to("2025-10-05", "2025-11-05")
    assert year(across, NOVEMBER, month=11).amount == year(NOVEMBER, month=11).amount


def test_what_is_missing_is_named_and_nothing_is_summed_up():
    assert year(NOVEMBER).missing == (date(2025, 10, 5),)
    assert year(OCTOBER).missing == (date(2025, 11, 5),)
    assert year().missing == (date(2025, 10, 5), date(2025, 11, 5))
    assert (year().amount, year().acus, year().by_cost_center) == (0, 0, {})


def test_a_gap_is_seen_where_the_api_tells_no_cycles():
    assert year(OCTOBER, told=()).missing == (date(2025, 11, 5),)
    assert year(NOVEMBER, told=()).missing == ()


def test_other_money_cannot_be_added_nor_can_cycles_that_overlap():
    assert year(replace(OCTOBER, currency="CHF"), NOVEMBER).missing == (date(2025, 10, 5),)
    assert year(OCTOBER, replace(NOVEMBER, decimals=3)).missing == (date(2025, 11, 5),)
    longer = came_to("2025-10-05", "2025-11-20")
    assert year(longer, NOVEMBER).missing == (date(2025, 10, 5),)


def test_a_draft_before_makes_it_preliminary():
    assert year(replace(OCTOBER, status="draft"), NOVEMBER).preliminary


def test_cycles_to_come_are_not_missing():
    later = cycle(NOW.end, date(2026, 1, 10))
    assert year(OCTOBER, NOVEMBER, told=(*TOLD, later)).missing == ()


@given(st.dates(date(1990, 1, 1), date(2199, 12, 31)), st.integers(1, 12))
def test_a_day_lies_in_its_fiscal_year(day, month):
    first = fiscal_year(day, month)
    assert (first.month, first.day) == (month, 1)
    assert first <= day < first.replace(year=first.year + 1)
