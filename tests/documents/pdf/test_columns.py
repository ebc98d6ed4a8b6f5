"""Columns are given the room that their figures need, and never more than the line has."""

from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportgen.documents.pdf.columns import GAP, LINE, fit_columns, length
from reportgen.documents.pdf.figures import fit_figures

USUAL = (40, 20, 20, 20)
"""Percent of the line, 493 points, so that figures have 98.6 each."""
LONG = "1,000,000,000,000,000.00"


def table(*rows: tuple[str, ...], columns: tuple[float, ...] = USUAL) -> Element:
    cols = "".join(f'<col style="width: {width}%"/>' for width in columns)
    cells = (
        "".join(
            f'<td class="number">{text}</td>' if place else f"<td>{text}</td>"
            for place, text in enumerate(row)
        )
        for row in rows
    )
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return fromstring(  # noqa: S314 - our own
        f'<body><table class="rows"><colgroup>{cols}</colgroup><tbody>{body}</tbody></table></body>'
    )


def fitted(page: Element) -> tuple[list[float], float]:
    """Give the percents of the columns of the only table, and the points of its type."""
    fit_columns(page)
    (found,) = page.iter("table")
    style = found.get("style", "font-size: 9pt")
    percents = [float(col.get("style", "").split()[1].rstrip("%")) for col in found.iter("col")]
    return percents, float(style.split()[1].rstrip("pt;"))


def test_a_table_in_which_all_figures_fit_stays_as_it_is():
    assert fitted(table(("devin", "10.0000", "2.00", "12,345,678.90"))) == ([40, 20, 20, 20], 9)


def test_long_figures_take_room_from_figures_that_have_more_than_they_need():
    """18 digits and six marks are 11.676 of the size: 105.1 points and a gap of 8.5, or 23 %."""
    (text, acus, price, amount), size = fitted(table(("a", "1.50", "2.00", LONG)))
    assert (text, size) == (pytest.approx(40, abs=0.1), 9)
    assert acus == price == pytest.approx(18.5, abs=0.1)
    assert amount == pytest.approx(23.0, abs=0.1)


def test_texts_give_room_where_figures_need_it_and_then_the_table_is_smaller():
    """Three are 69 %. Of four, 92 %, and 22 % for the texts: 7.5 points make it 78 %."""
    (text, *figures), size = fitted(table(("a", LONG, LONG, LONG)))
    assert (text, size) == (pytest.approx(30.9, abs=0.1), 9)
    assert len(set(figures)) == 1
    (text, *_), size = fitted(table(("a", *[LONG] * 4), columns=(40, 15, 15, 15, 15)))
    assert (text, size) == (pytest.approx(22, abs=0.2), 7.5)


@settings(max_examples=60)
@given(
    st.lists(
        st.lists(st.decimals(-(10**15), 10**15, places=4), min_size=5, max_size=5),
        min_size=1,
        max_size=3,
    )
)
def test_whatever_the_figures_they_fit_and_the_line_is_not_exceeded(rows):
    written = [("name", *(f"{figure:,}" for figure in row)) for row in rows]
    percents, size = fitted(table(*written, columns=(30, 14, 14, 14, 14, 14)))
    assert sum(percents) <= 100.01
    for row in written:
        for text, percent in zip(row[1:], percents[1:], strict=True):
            assert length(text) * 2 * size + GAP <= (percent + 0.02) * LINE / 100


def test_a_word_longer_than_its_column_is_broken_and_no_other():
    def broken(name: str, *figures: str) -> bool:
        page = table((name, *figures))
        fit_columns(page)
        (cell, *_) = page.iter("td")
        return "wide" in cell.get("class", "").split()

    usual, squeezed = ("1.00", "2.00", "3.00"), (LONG, LONG, LONG)
    assert not broken("Forschungsabteilung und Entwicklung", *usual)
    assert broken("Forschungsabteilungsverwaltungsgesellschaft", *usual)
    assert not broken("Forschungsabteilung-X1234567", *usual)
    assert broken("Forschungsabteilung-X1234567", *squeezed)


def test_the_detail_is_never_larger_than_it_was():
    page = table(("a", "1.0", "2.00", LONG))
    inner = Element("div", {"class": "detail"})
    inner.append(page[0])
    outer = Element("body")
    outer.append(inner)
    fit_columns(outer)
    assert "font-size" not in inner[0].get("style", "")


@pytest.mark.parametrize(
    ("figure", "size"),
    [
        ("USD 1,234.50", None),
        ("IDR 1,000,000,000,000.00", None),  # 12.2 times 15 points are 183, of 189 in the cell
        ("IDR 1,000,000,000,000,000.00", "font-size: 13.5pt"),
    ],
)
def test_a_figure_too_long_for_its_box_is_smaller_with_those_beside_it(figure, size):
    page = fromstring(  # noqa: S314 - our own
        '<body><div class="total"><table><colgroup><col style="width: 44%"/><col/></colgroup><tr>'
        f'<td><p class="figure">{figure}</p></td><td><p class="figure">1.00</p></td>'
        "</tr></table></div></body>"
    )
    fit_figures(page)
    assert [one.get("style") for one in page.iter("p")] == [size, size]
