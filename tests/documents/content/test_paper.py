"""What paper has room for: of a long list the rows that matter most; every column still foots."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import cache
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.model import Subtotal
from reportgen.documents.content.budget import budget_of
from reportgen.documents.content.paper import MOST_ROWS, others_of, parted
from reportgen.documents.content.statement import CostCenterRow, listed_cost_centers
from reportgen.documents.content.subtotals import listed_subtotals
from reportgen.documents.markup import tree
from reportgen.documents.render import filled
from reportgen.documents.tasks import tasks_of
from tests.documents import grove

FIGURE = re.compile(r"^[+−-]?[\d,]+(\.\d+)?$")
BOUNDS = (0, 1, 2, 3)


@cache
def page(path: str, most: int = MOST_ROWS) -> str:
    """Fill the template of a document that lists so many rows."""
    found, design = grove.derived(), replace(grove.design(), most_rows=most)
    (task,) = [
        one for one in tasks_of(found.statement, found.directory, design) if one.path.endswith(path)
    ]
    return without_mark(filled(task, design))


def without_mark(text: str) -> str:
    return re.sub(r"\b[0-9a-f]{8}\b", "", text)


def tables(markup: str) -> Iterator[Element]:
    """Give the tables of a page that have a total."""
    for table in tree(markup).iter("table"):
        if any(row.get("class") == "sum" for row in table.iter("tr")):
            yield table


def figures(row: Element) -> dict[int, Decimal]:
    """Read the figures of a row by their column."""
    read, column = {}, 0
    for cell in row.iter("td"):
        text = "".join(cell.itertext()).strip()
        if FIGURE.match(text):
            read[column] = Decimal(text.replace(",", "").replace("−", "-").lstrip("+"))
        column += int(cell.get("colspan", "1"))
    return read


def sums(table: Element) -> tuple[dict[int, Decimal], dict[int, Decimal]]:
    """Add up the columns of a table above its total, and give what the total says."""
    rows = list(table.iter("tr"))
    (place,) = [place for place, row in enumerate(rows) if row.get("class") == "sum"]
    said = figures(rows[place])
    added = dict.fromkeys(said, Decimal(0))
    for row in rows[:place]:
        if row.get("class") != "subtotal":
            for column, figure in figures(row).items():
                if column in added:
                    added[column] += figure
    return added, said


def listing(markup: str, heading: str) -> Element:
    """Find the table below a heading."""
    body = list(tree(markup).iter())
    (place,) = [
        place
        for place, element in enumerate(body)
        if element.tag == "h2" and "".join(element.itertext()).strip() == heading
    ]
    return next(element for element in body[place:] if element.tag == "table")


@pytest.mark.parametrize("most", BOUNDS)
@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("statement.pdf", "Cost centers"),
        ("statement.pdf", "By department"),
        ("statement.pdf", "By entity"),
        ("engineering.pdf", "Cost centers"),
        ("R-1.pdf", "Usage by user"),
        ("R-1.pdf", "Charges"),
    ],
)
def test_every_column_of_a_table_foots_however_few_of_its_rows_are_listed(path, heading, most):
    added, said = sums(listing(page(path, most), heading))
    assert added == said == sums(listing(page(path), heading))[1]
    assert said


@pytest.mark.parametrize("path", ["statement.pdf", "engineering.pdf", "R-1.pdf"])
def test_a_table_that_has_room_is_what_it_was(path):
    rows = max(
        len([row for row in table.iter("tr") if not row.get("class")])
        for table in tables(page(path))
    )
    assert page(path, rows) == page(path)
    assert "further" not in page(path)


def test_a_page_says_how_many_it_lists_of_how_many_and_where_the_others_stand():
    words = " ".join(re.sub(r"<[^>]+>", " ", page("statement.pdf", 2)).split())
    assert "Listed are 2 of 5 cost centers: those with something to look at" in words
    assert "statement.xlsx has every one." in words
    assert "3 further cost centers" in words
    assert "Listed are" not in page("statement.pdf", 5)
    (one,) = re.findall(r"1 further row, in the workbook", page("R-1.pdf", 1))
    assert one


def test_workbook_and_attachments_have_every_row():
    found, design = grove.derived(), replace(grove.design(), most_rows=1)
    for few, all_of_them in zip(
        tasks_of(found.statement, found.directory, design), grove.tasks(), strict=True
    ):
        assert few.path == all_of_them.path
        assert few.attachments == all_of_them.attachments
        if few.path.endswith((".xlsx", ".html")):
            slots = [
                {name: list(slot.rows) for name, slot in one.document.slots(str).items()}
                for one in (few, all_of_them)
            ]
            assert without_drafts(slots[0]) == without_drafts(slots[1])


def without_drafts(slots: dict[str, list[tuple[object, ...]]]) -> object:
    """Leave out the marks of drafts, which tell that documents look another way."""
    return {
        name: [[without_mark(str(cell)) for cell in row] for row in rows]
        for name, rows in slots.items()
    }


def centers(count: int) -> list[CostCenterRow]:
    return [
        CostCenterRow(code=f"CC-{number}", name="", acus=Decimal(1), amount=Decimal(number))
        for number in range(1, count + 1)
    ]


def test_those_of_which_there_is_something_to_say_are_listed_before_the_largest():
    rows = centers(100)
    rows[3] = replace(rows[3], budget=budget_of(rows[3].amount, Decimal(1)))
    rows[4] = replace(rows[4], budget=budget_of(rows[4].amount, Decimal(1000)))
    rows[5] = replace(rows[5], amount=Decimal("-0.01"))
    rows[6] = replace(rows[6], gone=True, amount=Decimal(0), change=Decimal(-7))
    listed = listed_cost_centers(rows, 7, bearer="CC-1", unpriced={"CC-3"})
    told = ["CC-1", "CC-3", "CC-4", "CC-6", "CC-7"]
    assert [row.code for row in listed.rows] == [*told, "CC-99", "CC-100"]
    assert listed.others.count == 93
    assert listed.count == 100
    assert listed_cost_centers(rows, 1, bearer="CC-1", unpriced={"CC-3"}).rows == (rows[0],)


def test_changes_and_budgets_of_the_others_are_nothing_where_none_has_one():
    assert listed_cost_centers(centers(3), 2).others.change is None
    assert listed_cost_centers(centers(3), 2).others.budget is None
    assert listed_cost_centers(centers(3), 3).others is None


def test_departments_without_room_count_their_cost_centers():
    subtotals = [
        Subtotal(name=name, cost_centers=codes, acus=Decimal(1), amount=Decimal(amount))
        for name, codes, amount in (("A", ("1", "2"), 1), ("B", ("3",), 9), ("C", ("4",), 2))
    ]
    listed = listed_subtotals(subtotals, 1)
    assert [one.name for one in listed.rows] == ["B"]
    assert (listed.others.count, listed.others.cost_centers) == (2, 3)


@given(
    st.lists(st.tuples(st.decimals(-99, 99, places=2), st.decimals(-99, 99, places=2))),
    st.integers(0, 9),
)
def test_what_is_listed_and_the_others_are_all_of_it_in_its_order(rows, most):
    numbered = list(enumerate(rows))
    shown, others = parted(numbered, most, lambda row: -abs(row[1][1]))
    assert sorted([*shown, *others]) == numbered
    assert list(shown) == sorted(shown)
    assert list(others) == sorted(others)
    assert len(shown) == min(most, len(rows))
    assert all(abs(one[1][1]) >= abs(other[1][1]) for one in shown for other in others)
    sums = others_of([row for _, row in others])
    assert bool(sums) == bool(others)
    if sums:
        assert sums.acus + sum(acus for _, (acus, _) in shown) == sum(acus for acus, _ in rows)
        assert sums.amount + sum(one for _, (_, one) in shown) == sum(one for _, one in rows)
