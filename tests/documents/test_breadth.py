"""Amounts of any currency stand in their columns, inside the page, and over nothing."""

import re
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from functools import cache

import pytest

from reportgen.core.model import CostCenterTotals, CycleTotals, Price, VendorInvoice
from reportgen.derive import Derived, Inputs, derive
from reportgen.documents.content.breadth import label_size
from reportgen.documents.pdf import pdf as engine
from reportgen.documents.render import draw, filled
from reportgen.documents.tasks import Task
from tests.documents import beech, correspondence, grove
from tests.documents.boxes import clashes, torn

RUPIAHS = Decimal(14) * 10**9
"""How many times the amounts of `grove` are charged: 10^12 in all, of 15 digits."""
QUICK = "summaries/department-engineering.pdf"


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


def drawn(task: Task) -> tuple[bytes, str]:
    return draw(task, grove.design()), filled(task, grove.design())


def note_of_trillions(kind: str) -> Task:
    (task,) = [
        one
        for one in correspondence.tasks()
        if one.path.endswith(".pdf") and one.document.kind == kind
    ]
    return replace(task, document=times_as_much(task.document))


def times_as_much(value: object) -> object:
    """Raise every amount inside of a document."""
    if isinstance(value, tuple):
        return tuple(map(times_as_much, value))
    if not is_dataclass(value):
        return value
    parts = {one.name: getattr(value, one.name) for one in fields(value)}
    return replace(
        value,
        **{
            name: part * RUPIAHS if name.endswith("amount") else times_as_much(part)
            for name, part in parts.items()
            if name.endswith("amount") or is_dataclass(part) or isinstance(part, tuple)
        },
    )


def test_trillions_stand_in_their_columns():
    found = derived()
    assert found.statement.tie_out.invoiced_amount > 10**12
    pdf, text = drawn(grove.task(QUICK, found))
    assert (list(clashes(pdf)), torn(pdf, text)) == ([], {})


@pytest.mark.heavy
@pytest.mark.parametrize("times", [Decimal(1), Decimal(10) ** 5, RUPIAHS])
def test_every_figure_of_the_rich_enterprise_is_a_word_of_its_own_inside_the_page(times):
    for task in grove.tasks(derived(times)):
        if task.path.endswith(".pdf"):
            pdf, text = drawn(task)
            assert (task.path, list(clashes(pdf)), torn(pdf, text)) == (task.path, [], {})


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["credit", "debit"])
def test_notes_of_trillions_stand_in_their_columns(kind):
    pdf, text = drawn(note_of_trillions(kind))
    assert re.search(r"\d{3}(,\d{3}){3}\.\d\d", text)
    assert (list(clashes(pdf)), torn(pdf, text)) == ([], {})


@pytest.mark.heavy
def test_words_that_touch_or_run_together_are_seen(monkeypatch):
    monkeypatch.setattr(engine, "fit_columns", lambda _: None)
    pdf, text = drawn(grove.task(QUICK, derived()))
    assert list(clashes(pdf)) or torn(pdf, text)


def test_the_longest_label_has_room_over_its_bar():
    assert label_size([None, Decimal(0)], 2) == label_size([Decimal("-1234567.89")], 2) == "8"
    assert Decimal(label_size([Decimal(10) ** 12], 2)) >= 5


def test_a_trend_of_trillions_takes_the_whole_line():
    usual, raised = (grove.task("R-1.pdf", one).document.trend for one in (None, derived()))
    assert (usual.wide, usual.label_size) == (False, "8")
    assert raised.wide
