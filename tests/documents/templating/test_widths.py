"""Plain text in columns: as wide as it is meant to be, whatever its letters, nothing lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.text import columns
from reportgen.documents.templating.widths import left, one_line, right, wrapped


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("請求書", "請求書  |"),
        ("a very long name", "a very\nlong\nname    |"),
        ("Ａｂ\n\tc", "Ａｂ c  |"),
        ("", "        |"),
    ],
)
def test_a_column_is_as_wide_as_it_says(text, shown):
    assert left(text, 8) + "|" == shown


def test_figures_end_below_each_other():
    shown = [right(text, 12) for text in ("1,234.50", "-0.25", "10.00")]
    assert {line.index(".") for line in shown} == {9}
    assert right("1,234,567.00", 5) == " 1,234,567.00"


def test_lines_of_japanese_break_anywhere_but_before_a_point():
    found = wrapped("請求期間を締めるまで、数値は変わることがあります。", 20)
    assert all(line[0] not in "、。" for line in found.split("\n"))
    assert found.count("\n") == 2
    assert found.replace("\n", "") == "請求期間を締めるまで、数値は変わることがあります。"


def test_what_turns_the_direction_of_writing_turns_nothing_behind_it():
    assert one_line("abc\u202edcba\u2066x") == "abcdcbax"


@given(st.text(), st.integers(4, 40), st.integers(0, 2))
def test_no_line_is_longer_than_allowed_and_nothing_is_lost(text, width, indent):
    found = wrapped(text, width, indent).split("\n")
    assert all(columns(line) <= width for line in found)
    assert "".join("".join(found).split(" ")) == one_line(text).replace(" ", "")
    assert left(text, width).count("\n") < max(1, len(text))


@given(st.text())
def test_one_line_is_one_line_for_every_reader(text):
    found = one_line(text)
    assert found.splitlines() in ([], [found])
    assert found == one_line(found)
