"""The trend: bars and lines that keep inside, rise with amounts, and hang where one is a credit."""

import inspect
import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.comparing.compare import MOST_EARLIER
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import CostCenterTotals, CycleTotals, Statement
from reportgen.documents.content import trend as module
from reportgen.documents.content.trend import (
    Bar,
    Trend,
    begins,
    invoice_trend,
    sparkline,
    statement_trend,
)
from reportgen.documents.render import filled
from reportgen.documents.tasks import tasks_of
from tests.documents import beech, grove
from tests.weight import heavy_but

CODE = "R-1"
MONTH = timedelta(days=31)
AMOUNTS = st.none() | st.decimals(-(10**6), 10**6, places=2)
SEVERAL = st.lists(AMOUNTS, min_size=1, max_size=MOST_EARLIER)
NOW = st.decimals(-(10**6), 10**6, places=2)
FONT = 8


def told(*amounts: str | Decimal | None, status: str = "closed") -> Statement:
    """Give a statement; the last amount is this cycle's; None where R-1 was no cost center."""
    *before, now = [None if amount is None else Decimal(amount) for amount in amounts]
    base = beech.derived().statement
    start = base.heading.cycle.start
    starts = [start - MONTH * number for number in range(len(before), -1, -1)]
    return replace(
        base,
        earlier=tuple(map(totals, before, pairwise(starts), [status] * len(before))),
        invoices=tuple(
            replace(one, amount=now) if one.cost_center.code == CODE else one
            for one in base.invoices
            if one.cost_center.code != CODE or now is not None
        ),
        tie_out=replace(base.tie_out, invoiced_amount=now or Decimal(0)),
    )


def totals(amount: Decimal | None, days: tuple[date, date], status: str) -> CycleTotals:
    return CycleTotals(
        cycle=BillingCycle(start=days[0], end=days[1], after=0, before=0),
        status=status,
        currency="USD",
        decimals=2,
        control_acus=Decimal(0),
        invoiced_amount=amount or Decimal(0),
        cost_centers={}
        if amount is None
        else {CODE: CostCenterTotals(name="Research", amount=amount)},
    )


def drawn(*amounts: str | Decimal | None) -> Trend:
    found = invoice_trend(told(*amounts), CODE)
    assert found
    return found


def box(bar: Bar) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Read a bar's path: left, right, the zero line, the end."""
    found = re.fullmatch(r"M([\d.]+) ([\d.]+)V([\d.]+)H([\d.]+)V\2z", bar.path)
    assert found
    left, zero, end, right = map(Decimal, found.groups())
    return left, right, zero, end


def points(path: str) -> list[tuple[Decimal, Decimal]]:
    """Read a line: every point with x and y."""
    found = re.findall(r"[ML]([\d.]+) ([\d.]+)", path)
    assert path == "M" + "L".join(f"{x} {y}" for x, y in found)
    return [(Decimal(x), Decimal(y)) for x, y in found]


# Bars


@given(SEVERAL, NOW)
def test_bars_and_labels_keep_inside_the_view_box(before, now):
    found = invoice_trend(told(*before, now), CODE)
    if all(amount is None for amount in before) or not any((*before, now)):
        assert found is None
        return
    assert len(found.bars) == len(before) + 1
    assert (
        0
        <= Decimal(found.left)
        < Decimal(found.bars[0].x)
        <= Decimal(found.bars[-1].x)
        < found.width
    )
    assert FONT <= Decimal(found.cycle_y) <= found.height
    for bar in found.bars:
        if bar.amount is None:
            assert bar.path == ""
            continue
        left, right, zero, end = box(bar)
        assert Decimal(found.left) < left < right < found.width
        assert (left + right) / 2 == Decimal(bar.x)
        assert zero == Decimal(found.zero_y)
        assert 0 <= min(zero, end) <= max(zero, end) <= Decimal(found.cycle_y) - FONT
        baseline = Decimal(bar.amount_y)
        assert (
            FONT <= baseline <= Decimal(found.cycle_y) - FONT
        )  # over the bar, and clear of what names the cycle
        assert baseline - FONT >= end if bar.amount < 0 else baseline < end


@given(SEVERAL, NOW)
def test_a_bar_ends_higher_the_larger_the_amount_and_on_its_side_of_zero(before, now):
    found = invoice_trend(told(*before, now), CODE)
    bars = [bar for bar in found.bars if bar.amount is not None] if found else []
    for one in bars:
        _, _, zero, end = box(one)
        assert (zero - end) * one.amount >= 0
        for other in bars:
            if one.amount >= other.amount:
                assert end <= box(other)[3]


@given(SEVERAL, NOW)
def test_heights_are_in_proportion_to_a_tenth(before, now):
    found = invoice_trend(told(*before, now), CODE)
    bars = [bar for bar in found.bars if bar.amount is not None] if found else []
    span = max([0, *(bar.amount for bar in bars)]) - min([0, *(bar.amount for bar in bars)])
    if span:
        ends = [box(bar)[3] for bar in bars]
        height = max(*ends, Decimal(found.zero_y)) - min(*ends, Decimal(found.zero_y))
        for bar, end in zip(bars, ends, strict=True):
            assert abs((Decimal(found.zero_y) - end) - bar.amount * height / span) <= Decimal("0.1")


def test_a_chart_worked_by_hand():
    """Without credits there are 72 units from 84 up to 12; half of the highest is 36 of them."""
    found = drawn("50.00", "100.00", "25.00")
    assert (found.width, found.height, found.left, found.zero_y) == (360, 96, "180", "84")
    assert [bar.path for bar in found.bars] == [
        "M192 84V48H228V84z",
        "M252 84V12H288V84z",
        "M312 84V66H348V84z",
    ]
    assert [(bar.x, bar.amount_y) for bar in found.bars] == [
        ("210", "45"),
        ("270", "9"),
        ("330", "63"),
    ]


def test_a_credit_hangs_below_the_zero_line():
    """From 60 to -20 are 60 units from 12 to 72: zero lies at 57, the credit ends on the floor."""
    found = drawn("60.00", "-20.00")
    assert found.zero_y == "57"
    assert [box(bar)[3] for bar in found.bars] == [12, 72]
    assert [bar.amount_y for bar in found.bars] == ["9", "81"]


def test_nothing_but_credits_hangs_from_the_top():
    found = drawn("-10.00", "-20.00")
    assert found.zero_y == "12"
    assert [box(bar)[3] for bar in found.bars] == [42, 72]


def test_zeros_lie_on_the_floor():
    found = drawn("0.00", "5.00", "0.00")
    assert [box(bar)[2:] for bar in found.bars][::2] == [(84, 84)] * 2


def test_nothing_but_zeros_is_not_drawn():
    assert invoice_trend(told(Decimal("0.00"), Decimal("0.00")), CODE) is None


def test_this_cycle_stands_last_whatever_came_before():
    places = {drawn(*["1.00"] * count).bars[-1].x for count in range(2, 7)}
    assert places == {"330"}
    assert drawn(*["1.00"] * 6).left == "0"


def test_a_cycle_that_did_not_know_the_cost_center_keeps_its_place_without_a_bar():
    found = drawn(None, "5.00", None, "4.00")
    assert [bar.amount for bar in found.bars] == [None, Decimal(5), None, Decimal(4)]
    assert [bool(bar.path) for bar in found.bars] == [False, True, False, True]
    assert [bar.x for bar in found.bars] == ["150", "210", "270", "330"]


def test_bars_say_which_cycle_they_are():
    found = invoice_trend(told("1.00", "2.00", status="closed"), CODE)
    cycle = beech.derived().statement.heading.cycle
    assert [bar.cycle.start for bar in found.bars] == [cycle.start - MONTH, cycle.start]
    assert [bar.current for bar in found.bars] == [False, True]
    assert [bar.preliminary for bar in found.bars] == [False, True]
    assert [
        bar.preliminary for bar in statement_trend(told("1.00", "2.00", status="draft")).bars
    ] == [True, True]


def test_without_an_earlier_cycle_there_is_no_trend():
    alone = beech.derived().statement
    assert (statement_trend(alone), invoice_trend(alone, CODE), sparkline(alone, CODE)) == (
        None,
        None,
        None,
    )


def test_a_new_cost_center_has_no_trend_and_the_statement_has_one():
    statement = told(None, None, "7.00")
    assert (invoice_trend(statement, CODE), sparkline(statement, CODE)) == (None, None)
    assert [bar.amount for bar in statement_trend(statement).bars] == [0, 0, 7]


def test_every_invoice_has_the_trend_of_its_own_cost_center():
    statement = grove.derived().statement
    shown = {
        code: [bar.amount for bar in invoice_trend(statement, code).bars] for code in ("R-1", "S-2")
    }
    assert shown == {
        "R-1": [Decimal("24.00"), Decimal("22.77"), Decimal("37.30")],
        "S-2": [Decimal("-6.25"), Decimal("30.66"), Decimal("27.91")],
    }
    assert invoice_trend(statement, "T-3") is None
    whole = [bar.amount for bar in statement_trend(statement).bars]
    assert whole == [Decimal("17.75"), Decimal("65.20"), Decimal("72.76")]


def test_fewer_than_three_amounts_are_a_sentence():
    counts = {
        ("1.00", "2.00"): False,
        ("1.00", None, "2.00"): False,
        ("1.00", "3.00", "2.00"): True,
        ("1.00", None, "0.00", "2.00"): True,
    }
    assert {amounts: drawn(*amounts).drawn for amounts in counts} == counts
    assert [bar.amount for bar in drawn("1.00", None, "2.00").known] == [1, 2]


def test_a_trend_begins_where_nothing_earlier_is_known():
    assert begins(told(None, None, "7.00"), CODE)
    assert begins(beech.derived().statement, CODE)
    assert not begins(told("0.00", None, "7.00"), CODE)


def pages(*amounts: str | None, path: str = "R-1.pdf") -> str:
    found = told(*amounts)
    (task,) = [
        one
        for one in tasks_of(found, beech.derived().directory, beech.design())
        if one.path.endswith(path)
    ]
    return " ".join(filled(task, beech.design()).split())


@pytest.mark.parametrize("path", heavy_but(1, ["R-1.pdf", "statement.pdf"]))
def test_the_first_page_says_what_a_short_trend_is(path):
    amounts = "5.00", "9.00", "8.00"
    first, second, third = (pages(*amounts[-count:], path=path) for count in (1, 2, 3))
    assert "Trend: no charges before this billing cycle are on record." in first
    assert "Trend: 9.00 in the billing cycle Nov 4, 2025 – Dec 4, 2025, 8.00 in this one." in second
    for page in (first, second):
        assert page.index("Trend: ") < page.index("<h2>")
        assert "Trend over billing cycles" not in page
    assert "Trend: " not in third
    assert "Trend over billing cycles" in third


def test_what_is_preliminary_is_outlined_as_the_legend_says():
    """The cycle itself is a draft; those before it are closed."""
    page = pages("5.00", "9.00", "8.00")
    drawing = page[page.index("Trend over billing cycles") :]
    *earlier, current = re.findall(r'<path d="M\d[^"]*z" ([^/]*)/>', drawing)[:3]
    assert earlier == ['fill="#b9c3ce"'] * 2
    assert current == 'fill="#fff" stroke="#1f4e79" stroke-width="1.2"'
    assert "Outlined: preliminary." in drawing


def test_a_cost_center_that_is_gone_has_a_line_that_ends_early():
    older, before = grove.earlier()
    lab = CostCenterTotals(name="Closed lab", amount=Decimal("2.50"))
    known = replace(older, cost_centers={**older.cost_centers, "Q-7": lab})
    statement = replace(grove.derived().statement, earlier=(known, before))
    assert sparkline(statement, "Q-7") == "M2 12L50 2"


# Lines


@given(SEVERAL, NOW)
def test_a_line_keeps_inside_with_its_stroke_and_rises_with_the_amounts(before, now):
    amounts = [amount for amount in (*before, now) if amount is not None]
    path = sparkline(told(*before, now), CODE)
    if len(amounts) == 1:
        assert path is None
        return
    found = points(path)
    assert len(found) == len(amounts)
    assert all(2 <= x <= 98 and 2 <= y <= 22 for x, y in found)
    assert all(left < right for (left, _), (right, _) in pairwise(found))
    for (_, one), amount in zip(found, amounts, strict=True):
        assert all(
            one <= other for (_, other), less in zip(found, amounts, strict=True) if amount >= less
        )


@pytest.mark.parametrize(
    ("amounts", "path"),
    [
        (["50.00", "100.00"], "M2 12L98 2"),
        (["0.00", "10.00", "5.00"], "M2 22L50 2L98 12"),
        (["10.00", "-10.00"], "M2 2L98 22"),
        (["0.00", "0.00"], "M2 22L98 22"),
        ([None, "10.00", None, "10.00"], "M34 2L98 2"),
        (["10.00", "10.00", None], "M2 2L50 2"),
        (
            ["1.00", "2.00", "3.00", "4.00", "5.00", "6.00"],
            "M2 18.7L21.2 15.3L40.4 12L59.6 8.7L78.8 5.3L98 2",
        ),
    ],
)
def test_a_line_worked_by_hand(amounts, path):
    assert sparkline(told(*amounts), CODE) == path


# Both


@given(SEVERAL, NOW)
def test_coordinates_are_short_texts(before, now):
    statement = told(*before, now)
    found = statement_trend(statement)
    texts = [found.left, found.zero_y, found.cycle_y, sparkline(statement, CODE) or ""]
    texts += [text for bar in found.bars for text in (bar.path, bar.x, bar.amount_y)]
    for coordinate in re.findall(r"[-\d.eE+]+", " ".join(texts)):
        assert re.fullmatch(r"\d+(\.\d)?", coordinate)


def test_nothing_is_a_float():
    source = inspect.getsource(module)
    assert "float" not in source
    assert "/" not in re.sub(r'""".*?"""', "", source, flags=re.DOTALL)
