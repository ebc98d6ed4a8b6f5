"""The daily chart: bars on each other, an axis that ends on a round number, and no float."""

import inspect
import re
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.cycle import BillingCycle
from reportgen.documents.content import chart as module
from reportgen.documents.content.chart import COLORS, Chart, colors, daily_chart
from reportgen.documents.content.invoice import invoice_documents
from reportgen.documents.content.statement import statement_document
from tests.documents.beech import derived

START = date(2025, 12, 5)
PALETTE = {"a": "#1f4e79", "b": "#9cc5e8", "c": "#e0842b"}
WIDTH, HEIGHT = 520, 110  # of the view box
STEPS = {"1", "1.5", "2", "3", "4", "5", "6", "8"}


def cycle(days: int = 5) -> BillingCycle:
    return BillingCycle(
        start=START, end=START + timedelta(days=days), after=0, before=86_400 * days
    )


def day(number: int) -> date:
    return START + timedelta(days=number)


def drawn(quantities: dict[tuple[int, str], str], days: int = 5) -> Chart:
    cells = {
        (day(number), product): Decimal(acus) for (number, product), acus in quantities.items()
    }
    return daily_chart(cells, cycle(days), PALETTE)


def bars(path: str) -> list[tuple[Decimal, Decimal, Decimal, Decimal]]:
    """Read the bars of a path: left, bottom, top, right."""
    found = re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)H([\d.]+)V([\d.]+)z", path)
    assert "".join(f"M{a} {b}V{c}H{d}V{e}z" for a, b, c, d, e in found) == path
    assert all(bar[1] == bar[4] for bar in found)
    return [tuple(map(Decimal, bar[:4])) for bar in found]


def test_products_stand_on_each_other():
    found = drawn({(0, "a"): "30", (0, "b"): "20", (0, "c"): "50", (2, "b"): "25"})
    (a,), (b_first, b_later), (c,) = (bars(layer.path) for layer in found.layers)
    assert (a[1], a[2]) == (110, 77)
    assert (b_first[1], b_first[2]) == (77, 55)
    assert (c[1], c[2]) == (55, 0)
    assert (b_later[1], b_later[2]) == (110, Decimal("82.5"))
    assert [layer.product for layer in found.layers] == ["a", "b", "c"]


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 30), st.sampled_from("abc")),
        st.decimals(min_value="0", max_value="100000", places=4),
        min_size=1,
    )
)
def test_bars_keep_inside_and_their_heights_add_up(quantities):
    cells = {(day(number), product): acus for (number, product), acus in quantities.items()}
    found = daily_chart(cells, cycle(31), PALETTE)
    columns: dict[Decimal, list[tuple[Decimal, Decimal]]] = {}
    for layer in found.layers:
        for left, bottom, top, right in bars(layer.path):
            assert 0 <= left < right <= WIDTH
            assert 0 <= top <= bottom <= HEIGHT
            columns.setdefault(left, []).append((bottom, top))
    for stack in columns.values():
        assert stack[0][0] == HEIGHT
        assert all(lower[1] == upper[0] for lower, upper in pairwise(stack))
    if found.highest:
        tallest = HEIGHT - min(
            (top for stack in columns.values() for _, top in stack), default=Decimal(HEIGHT)
        )
        assert abs(tallest - found.highest[1] * HEIGHT / found.grid[-1].value) <= Decimal("0.1")


@pytest.mark.parametrize(
    ("highest", "top"),
    [
        *(
            ("0", "1"),
            ("0.03", "0.03"),
            ("0.031", "0.04"),
            ("1", "1"),
            ("1.01", "1.5"),
            ("9.1", "10"),
            ("10", "10"),
        ),
        *(
            ("99", "100"),
            ("101", "150"),
            ("733.6", "800"),
            ("6000.01", "8000"),
            ("999999", "1000000"),
        ),
    ],
)
def test_the_axis_ends_on_a_round_number(highest, top):
    found = drawn({(0, "a"): highest})
    assert [tick.value for tick in found.grid] == [Decimal(top) / 2, Decimal(top)]
    assert [tick.position for tick in found.grid] == ["55", "0"]


@given(st.decimals(min_value="0.0001", max_value="1e12", places=4))
def test_the_axis_is_never_much_too_high(highest):
    found = drawn({(0, "a"): str(highest)})
    top = found.grid[-1].value
    assert highest <= top <= highest * 2
    assert str(top.scaleb(-top.adjusted()).normalize()) in STEPS


def test_days_below_zero_are_left_out():
    found = drawn({(0, "a"): "-5", (0, "b"): "10", (1, "a"): "-3"})
    assert found.layers[0].path == ""
    assert bars(found.layers[1].path)[0][1] == HEIGHT
    assert found.highest == (day(0), Decimal(10))


def test_without_usage_there_is_an_empty_chart():
    for found in (drawn({}), drawn({(0, "a"): "0"}), drawn({(0, "a"): "-1"})):
        assert found.highest is None
        assert all(not layer.path for layer in found.layers)
        assert found.grid[-1].value == 1


def test_days_are_labelled_week_by_week_under_their_bars():
    found = drawn({(number, "a"): "1" for number in range(31)}, days=31)
    assert [tick.value for tick in found.days] == [day(number) for number in (0, 7, 14, 21, 28)]
    lefts = {str(tick.value): Decimal(tick.position) for tick in found.days}
    for number in (0, 7, 14, 21, 28):
        left, _, _, right = bars(found.layers[0].path)[number]
        assert abs((left + right) / 2 - lefts[str(day(number))]) <= Decimal("0.1")


def test_the_highest_day_is_the_later_of_two_equals():
    assert drawn({(1, "a"): "2", (3, "b"): "2"}).highest == (day(3), Decimal(2))


def test_coordinates_are_short_texts_and_nothing_is_a_float():
    found = drawn({(number, "a"): f"{number}.123456789" for number in range(5)})
    for coordinate in re.findall(r"[\d.]+", "".join(layer.path for layer in found.layers)):
        assert re.fullmatch(r"\d+(\.\d)?", coordinate)
    assert "float" not in inspect.getsource(module)
    assert "/" not in re.sub(r'""".*?"""', "", inspect.getsource(module), flags=re.DOTALL)


# Colours


def test_products_have_colours_of_their_own():
    found = colors(["terminal", "devin", "cascade"])
    assert found == {"cascade": "#1f4e79", "devin": "#9cc5e8", "terminal": "#e0842b"}
    assert len(set(COLORS)) == len(COLORS)
    many = colors(f"product {number:02}" for number in range(22))
    assert len(set(many.values())) == 22


def test_colours_differ_in_grey_from_their_neighbours():
    """Rec. 709 luma: what is printed in grey can still be told apart."""
    greys = []
    for color in COLORS:
        red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
        greys.append(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    assert all(abs(first - second) > 25 for first, second in pairwise(greys))


def test_a_product_has_the_same_colour_in_every_document():
    statement = derived().statement
    whole = statement_document(statement, derived().directory, None).chart
    palette = {layer.product: layer.color for layer in whole.layers}
    assert list(palette) == ["cascade", "devin", "review"]
    invoices = list(invoice_documents(statement, derived().directory, None))
    assert len(invoices) == 3
    for invoice in invoices:
        assert {
            layer.product: layer.color for layer in invoice.chart.layers
        }.items() <= palette.items()


def parts(chart: Chart) -> list[tuple[Decimal, Decimal]]:
    """Read where the products lie on the bar of shares."""
    found = [
        re.fullmatch(r"M([\d.]+) 0H([\d.]+)V5H([\d.]+)z", share.path)
        for share in chart.shares
        if share.path
    ]
    assert all(match and match[1] == match[3] for match in found)
    return [(Decimal(match[1]), Decimal(match[2])) for match in found if match]


def test_shares_lie_beside_each_other():
    found = drawn({(0, "a"): "30", (1, "b"): "20", (2, "c"): "45", (3, "c"): "5"})
    assert [share.fraction for share in found.shares] == [
        Decimal("0.3"),
        Decimal("0.2"),
        Decimal("0.5"),
    ]
    assert parts(found) == [(0, 156), (156, 260), (260, 520)]


def test_a_product_below_zero_has_a_share_and_no_place():
    found = drawn({(0, "a"): "-10", (0, "b"): "50"})
    assert [share.fraction for share in found.shares] == [Decimal("-0.25"), Decimal("1.25")]
    assert [bool(share.path) for share in found.shares] == [False, True]
    assert parts(found) == [(0, 520)]


def test_nothing_has_no_shares():
    found = drawn({(0, "a"): "0", (1, "b"): "0"})
    assert [(share.fraction, share.path) for share in found.shares] == [(None, ""), (None, "")]


@given(st.lists(st.decimals(min_value="0", max_value="100000", places=4), min_size=1, max_size=3))
def test_the_bar_of_shares_is_full(acus):
    found = parts(
        drawn({(0, product): str(quantity) for product, quantity in zip("abc", acus, strict=False)})
    )
    assert not any(acus) or (found[0][0], found[-1][1]) == (0, WIDTH)
    assert all(before[1] == after[0] for before, after in pairwise(found))
