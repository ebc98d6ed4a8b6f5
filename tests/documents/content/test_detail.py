"""The printed detail: each person once, what they used below, and bars that keep inside."""

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportgen.core.cycle import BillingCycle
from reportgen.core.model import DetailRow, Directory, Entry, Principal
from reportgen.documents.content.detail import DetailPerson, day_bars, detail_people
from reportgen.documents.content.usage import detail_lines
from reportgen.documents.render import filled
from tests.documents import beech, grove

START = date(2025, 12, 5)
CYCLE = BillingCycle(start=START, end=START + timedelta(days=5), after=0, before=5 * 86_400)
ADA, EVE, TWIN, SHADE = (Principal("user", f"u|{name}") for name in ("ada", "eve", "twin", "shade"))


def known(*named: tuple[Principal, str, str]) -> Directory:
    return Directory(
        entries={one: Entry(principal=one, name=name, email=email) for one, name, email in named},
        organizations={"org-1": "Main"},
    )


PEOPLE = known(
    (ADA, "Ada", "ada@acme.example"),
    (EVE, "Eve", "eve@acme.example"),
    (TWIN, "Eve", "twin@acme.example"),
    (SHADE, "Eve", "twin@acme.example"),
)


def row(whose: Principal | None, day: int = 0, acus: str = "1", **changed: object) -> DetailRow:
    return DetailRow(
        day=START + timedelta(days=day),
        product="devin",
        org_id="org-1",
        principal_kind=whose.kind if whose else "",
        principal_id=whose.id if whose else "",
        kind="usage",
        acus=Decimal(acus),
        unit_price=Decimal(2),
        exact_amount=2 * Decimal(acus),
    )._replace(**changed)


def people(*rows: DetailRow) -> list[DetailPerson]:
    return detail_people(detail_lines(rows, PEOPLE), CYCLE)


def test_a_person_stands_once_with_all_that_they_used():
    (ada,) = people(row(ADA), row(ADA, 1, "0.5"), row(ADA, product="cascade", org_id=""))
    assert (ada.label, ada.identity, ada.acus, ada.exact_amount) == ("Ada", "", Decimal("2.5"), 5)
    assert [(part.line.product, part.line.organization, part.line.acus) for part in ada.parts] == [
        ("cascade", "", 1),
        ("devin", "Main", Decimal("1.5")),
    ]


def test_people_of_one_name_are_told_apart_and_those_of_one_address_too():
    found = people(row(ADA), row(EVE), row(TWIN), row(SHADE))
    assert [(one.label, one.identity) for one in found] == [
        ("Ada", ""),
        ("Eve", "eve@acme.example"),
        ("Eve", "u|shade"),
        ("Eve", "u|twin"),
    ]


def test_nobody_known_comes_last_with_the_organizations():
    *_, nobody = people(row(None), row(ADA), row(None, org_id=""))
    assert (nobody.label, nobody.holder) == ("", "nobody")
    assert sorted(part.line.organization for part in nobody.parts) == ["", "Main"]


def test_a_price_is_told_where_the_product_has_another():
    later = row(ADA, 3, unit_price=Decimal("2.25"))
    ada, eve = people(row(ADA), later, row(ADA, product="cascade"), row(EVE))
    told = {(part.line.product, part.line.unit_price): part.several_prices for part in ada.parts}
    assert told == {("cascade", 2): False, ("devin", 2): True, ("devin", Decimal("2.25")): True}
    assert eve.parts[0].several_prices, "whoever has used it at one of them"


def bars(*days: str) -> str:
    return day_bars(
        ((START + timedelta(days=place), Decimal(acus)) for place, acus in enumerate(days)), CYCLE
    ).path


@pytest.mark.parametrize(
    ("days", "path"),
    [
        (("6", "0", "3"), "M0 12V0h3V12zM8 12V6h3V12z"),
        (("1000", "0.001"), "M0 12V0h3V12zM4 12V11.5h3V12z"),  # never as if there were none
        (("2", "-1"), "M0 8V0h3V8zM4 8V12h3V8z"),
        (("-5",), "M0 0V12h3V0z"),
        (("0",), ""),
    ],
)
def test_bars_worked_by_hand(days, path):
    assert bars(*days) == path


@settings(max_examples=50)
@given(st.dictionaries(st.integers(0, 4), st.decimals(-(10**9), 10**9, places=4), max_size=5))
def test_bars_keep_inside_and_are_one_for_each_day_with_usage(acus):
    drawn = day_bars(((START + timedelta(days=day), one) for day, one in acus.items()), CYCLE)
    found = re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)h3V\2z", drawn.path)
    assert len(found) == sum(1 for one in acus.values() if one)
    for left, zero, end in found:
        assert zero == drawn.zero_y != end
        assert 0 <= Decimal(end) <= Decimal(drawn.height)
        assert Decimal(left) + 3 <= Decimal(drawn.end) <= Decimal(drawn.width)


def page(**changed: object) -> str:
    task = grove.task("R-1.pdf")
    return filled(replace(task, document=replace(task.document, **changed)), grove.design())


def test_days_are_drawn_with_their_figures_described_or_left_out():
    days, sums = (text[text.index("Detail of usage") :] for text in (page(), page(detail="sums")))
    assert days.count(">Ada Brennan<") == sums.count(">Ada Brennan<") == 1
    assert re.search(r"<title>Dec\s29:\s7.25 · Jan\s1:\s0.8</title>", days)
    assert "<svg" not in sums
    assert "The bars" not in sums
    for total in ("11.5000", "22.5710"):
        assert f">{total}<" in days
        assert f">{total}<" in sums


def test_a_price_that_changed_stands_beside_the_product():
    text = beech.markup("R-1.pdf")
    assert re.findall(r'devin <span class="muted">at ([\d.]+)<', text)[:2] == ["2.00", "2.25"]
