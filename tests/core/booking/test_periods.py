"""What invoices come to by period: the parts make the whole, in every world that is charged."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.booking.periods import CyclePeriods, amounts_by_period, calendar_months
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import CostCenter, DetailRow, Invoice, InvoiceLine
from tests.core.test_laws import CYCLE, FIRST, SECOND, chargeable_worlds
from tests.examples import examples

cuts = st.sampled_from(((), (date(2026, 1, 1),), (SECOND, date(2026, 1, 1)), (SECOND,)))


def invoice(code, lines, detail=()):
    return Invoice(
        cost_center=CostCenter(code=code, name=code),
        number=f"CB-{code}",
        lines=tuple(lines),
        amount=sum((line.amount for line in lines), Decimal()),
        detail=tuple(detail),
    )


def usage(amount, exact=None):
    return InvoiceLine(
        kind="usage",
        product="devin",
        unit_price=Decimal(2),
        exact_amount=Decimal(exact or amount),
        amount=Decimal(amount),
    )


def used(day, exact):
    place = day, "devin", "org-1", "user", "ada", "usage"
    return DetailRow(*place, Decimal(exact) / 2, Decimal(2), Decimal(exact))


def pool(amount, counterpart=None):
    return InvoiceLine(
        kind="pool", counterpart=counterpart, exact_amount=Decimal(amount), amount=Decimal(amount)
    )


def texts(amounts):
    return {code: [f"{part:.2f}" for part in parts] for code, parts in amounts.items()}


def test_the_months_of_a_cycle():
    year = BillingCycle(start=date(2025, 11, 30), end=date(2026, 2, 1), after=0, before=0)
    assert calendar_months(year).cuts == (date(2025, 12, 1), date(2026, 1, 1))
    whole = BillingCycle(start=date(2025, 12, 1), end=date(2026, 1, 1), after=0, before=0)
    assert calendar_months(whole).cuts == ()


def test_usage_goes_by_its_days_and_a_fee_by_those_of_the_cycle():
    fee = InvoiceLine(kind="fee", name="Support", exact_amount=Decimal(31), amount=Decimal("31.00"))
    both = [used(FIRST, "10.005"), used(date(2026, 1, 2), "20.005")]
    made = amounts_by_period(
        [invoice("CC-1", [usage("30.01", "30.01"), fee], both)], calendar_months(CYCLE), 2
    )
    # 30.01 is 10.005 + 20.005: equal remainders, so the cent is December's; 27 and 4 days of fee.
    assert texts(made) == {"CC-1": ["37.01", "24.00"]}


def test_a_pool_closes_at_zero_in_every_month():
    invoices = [
        invoice("CC-1", [usage("5.00"), pool("33.34", "CC-9")], [used(FIRST, 5)]),
        invoice("CC-2", [pool("33.33", "CC-9")]),
        invoice("CC-3", [pool("33.33", "CC-9")]),
        invoice(
            "CC-9",
            [usage("100.00"), pool("-100.00")],
            [used(FIRST, 50), used(date(2026, 1, 2), 50)],
        ),
    ]
    made = amounts_by_period(invoices, calendar_months(CYCLE), 2)
    assert texts(made) == {
        "CC-1": ["21.67", "16.67"],
        "CC-2": ["16.67", "16.66"],
        "CC-3": ["16.66", "16.67"],
        "CC-9": ["0.00", "0.00"],
    }


@given(chargeable_worlds(), cuts)
@examples(120)
def test_the_parts_of_every_invoice_make_it_and_pools_have_none(drawn, days):
    world, (result, _), _ = drawn
    decimals = world.card.decimals
    made = amounts_by_period(result.invoices, CyclePeriods(cycle=CYCLE, cuts=days), decimals)
    shared = {
        one.cost_center.code
        for one in result.invoices
        for line in one.lines
        if line.kind == "pool" and line.counterpart is None
    }
    for one in result.invoices:
        parts = made[one.cost_center.code]
        assert len(parts) == len(days) + 1
        assert sum(map(Fraction, parts)) == Fraction(one.amount)
        assert all((part * 10**decimals) % 1 == 0 for part in parts)
        if one.cost_center.code in shared:
            assert not any(parts)


@given(chargeable_worlds(), cuts)
@examples(60)
def test_what_has_days_is_within_a_step_a_line_of_what_was_used_on_them(drawn, days):
    world, (result, _), _ = drawn
    periods = CyclePeriods(cycle=CYCLE, cuts=days)
    step = Fraction(1, 10**world.card.decimals)
    made = amounts_by_period(result.invoices, periods, world.card.decimals)
    for one in result.invoices:
        if any(not line.of_usage for line in one.lines):
            continue
        for place, part in enumerate(made[one.cost_center.code]):
            exact = sum(
                (Fraction(row.exact_amount) for row in one.detail if periods.of(row.day) == place),
                Fraction(),
            )
            assert abs(Fraction(part) - exact) <= step * len(one.lines)
