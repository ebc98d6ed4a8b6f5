"""Amounts of any currency stand in their columns, inside the page, and over nothing."""

from dataclasses import replace
from decimal import Decimal
from functools import cache

import pytest

from reportgen.core.model import CostCenterTotals, CycleTotals, Price, VendorInvoice
from reportgen.derive import Derived, Inputs, derive
from reportgen.documents.content.breadth import breadth, label_size
from reportgen.documents.render import draw
from tests.documents import beech, grove
from tests.documents.boxes import clashes

RUPIAHS = Decimal(14) * 10**9
"""How many times the amounts of `grove` are charged: 10^12 in all, of 15 digits."""
PATHS = ("R-1.pdf", "S-2.pdf", "statement.pdf", "summaries/department-engineering.pdf")


@cache
def derived(times: Decimal = RUPIAHS) -> Derived:
    """Derive the cycle of `grove` at prices so many times as high."""
    configuration = beech.configuration()
    centers = tuple(
        replace(center, cycle_budget=center.cycle_budget and center.cycle_budget * times)
        for center in grove.CENTERS
    )
    card = grove.card(
        prices={
            product: tuple(Price(one.start, one.unit_price * times, "") for one in prices)
            for product, prices in grove.card().prices.items()
        },
        transfers=tuple(replace(one, amount=one.amount * times) for one in grove.TRANSFERS),
        vendor_invoices={
            grove.CYCLE.start: VendorInvoice(
                number="INV-2", amount=60 * times, acus=Decimal("31.5"), source=""
            )
        },
        fees=tuple(replace(one, amount=one.amount and one.amount * times) for one in grove.FEES),
        memo_currencies={},
    )
    mapping = replace(configuration.mapping, cost_centers=centers, pools=(grove.POOL,))
    return derive(
        Inputs(
            configuration=replace(configuration, mapping=mapping, rate_card=card),
            cycle=grove.CYCLE,
            responses=grove.responses(grove.AFTERWARDS),
            source="responses.jsonl",
            earlier=tuple(_raised(one, times) for one in grove.earlier()),
        )
    )


def _raised(before: CycleTotals, times: Decimal) -> CycleTotals:
    def raised(center: CostCenterTotals) -> CostCenterTotals:
        products = {
            name: replace(totals, amount=totals.amount * times)
            for name, totals in center.by_product.items()
        }
        return replace(center, amount=center.amount * times, by_product=products)

    return replace(
        before,
        invoiced_amount=before.invoiced_amount * times,
        cost_centers={code: raised(center) for code, center in before.cost_centers.items()},
    )


@pytest.mark.heavy
@pytest.mark.parametrize("path", PATHS)
def test_trillions_stand_in_their_columns(path):
    found = derived()
    assert found.statement.tie_out.invoiced_amount > 10**12
    pdf = draw(grove.task(path, found), grove.design())
    assert list(clashes(pdf)) == []


def test_words_that_touch_are_seen():
    pages = grove.design()
    crowded = pages.templates["invoice.css"] + "\n.broad table.rows td.number { font-size: 12pt; }"
    crowded = replace(pages, templates={**pages.templates, "invoice.css": crowded})
    found = list(clashes(draw(grove.task("statement.pdf", derived()), crowded)))
    assert found


def test_amounts_as_most_are_change_nothing():
    for path in PATHS:
        assert grove.task(path).document.breadth == ""
        assert grove.task(path, derived()).document.breadth == "broad"


def test_decimals_take_room_as_well():
    assert breadth([Decimal("12345678.90")], 2) == ""
    assert breadth([Decimal("-123456789.01")], 2) == "broad"
    assert breadth([Decimal("12345678.901")], 3) == "broad"
    assert breadth([Decimal(1234567890)], 0) == ""
    assert breadth([None, Decimal(0)], 2) == ""


def test_the_longest_label_has_room_over_its_bar():
    assert label_size([None, Decimal(0)], 2) == label_size([Decimal("-1234567.89")], 2) == "8"
    assert Decimal(label_size([Decimal(10) ** 12], 2)) >= 5
