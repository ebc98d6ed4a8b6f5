"""Statements and tables compared value by value, whatever somebody has made of them."""

import copy

import pytest

from reportgen.core.comparing.differences import of_statements, of_tables, of_what_both_know

LINE = {"kind": "usage", "product": "devin", "acus": "10", "unit_price": "2.00", "amount": "20.00"}
FEE = {"kind": "fee", "name": "Support", "counterpart": None, "amount": "5.00"}
CENTER = {"code": "A-1", "invoice": "CB-A-1", "amount": "25.00", "lines": [LINE, FEE]}
STATEMENT = {"status": "closed", "control": {"acus": "10"}, "cost_centers": [CENTER]}


def changed(change):
    """Give a copy of the statement that was changed."""
    written = copy.deepcopy(STATEMENT)
    change(written)
    return written


def told(written, now=STATEMENT):
    return [
        (one.invoice, one.line, one.name, one.then, one.anew)
        for one in of_statements("statement.json", written, now)
    ]


def test_what_is_the_same_differs_in_nothing():
    assert told(copy.deepcopy(STATEMENT)) == []


def test_lines_come_first_by_what_they_charge():
    def change(written):
        written["control"]["acus"] = "11"
        written["cost_centers"][0]["amount"] = "26.00"
        written["cost_centers"][0]["lines"][0]["acus"] = "11"

    assert told(changed(change)) == [
        ("CB-A-1", "usage devin", "acus", "11", "10"),
        ("CB-A-1", "", "amount", "26.00", "25.00"),
        ("", "", "control.acus", "11", "10"),
    ]


def test_a_line_that_was_taken_away_moves_no_other():
    found = told(changed(lambda written: written["cost_centers"][0]["lines"].pop(0)))
    assert {line for _, line, *_ in found} == {"usage devin"}
    assert ("CB-A-1", "usage devin", "amount", None, "20.00") in found


def test_lines_of_one_product_are_told_apart():
    twice = changed(lambda written: written["cost_centers"][0]["lines"].insert(1, LINE))
    assert {line for _, line, *_ in told(twice)} == {"usage devin (2)"}


@pytest.mark.parametrize("written", [None, [], 7, "x", {}, {"cost_centers": [None, {"lines": 1}]}])
def test_whatever_stands_there_is_compared(written):
    assert told(written)


def test_names_of_one_version_alone_are_no_difference_where_both_have_the_line():
    def change(written):
        written["new_name"] = "1"
        written["cost_centers"][0]["lines"][0]["note"] = "x"

    written = changed(change)
    found = of_statements("statement.json", written, STATEMENT)
    assert len(found) == 2
    assert of_what_both_know(found, written, STATEMENT) == []
    less = changed(lambda written: written["cost_centers"][0]["lines"].pop())
    found = of_statements("statement.json", less, STATEMENT)
    assert of_what_both_know(found, less, STATEMENT) == found != []


def test_tables_are_compared_by_row_and_column():
    now = [["day", "acus"], ["2025-12-05", "1"], ["2025-12-06", "2"]]
    (one,) = of_tables("tie_out.csv", [now[0], now[1], ["2025-12-06", "3"]], now)
    assert (one.line, one.name, one.then, one.anew) == ("row 3", "acus", "3", "2")
    assert [one.line for one in of_tables("t", now[:2], now)] == ["row 3", "row 3"]
    assert of_tables("t", [], now)
    assert of_tables("t", now, now) == []


def test_a_column_of_another_version_is_no_difference_by_name():
    now = [["day", "acus"], ["2025-12-05", "1"]]
    then = [["day", "note", "acus"], ["2025-12-05", "x", "1"]]
    assert of_tables("t", then, now)
    assert of_tables("t", then, now, by_name=True) == []
    then[1][2] = "2"
    (one,) = of_tables("t", then, now, by_name=True)
    assert (one.name, one.then, one.anew) == ("acus", "2", "1")
