"""Tables and messages on terminals of any width: nothing that they say is cut off."""

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from collections.abc import Callable

import pytest

from reportgen.core.problem import Problem
from reportgen.core.text import columns
from reportgen.terminal import Terminal

COLUMNS = ("cost center", "document", "to", "state", "the server said")
LINES = (
    ("CC-1001", "CB-2025-12-05-CC-1001-C1", "platform-engineering@acme.example", "sent", "250 OK"),
    ("CC-4001", "CB-2025-12-05-CC-4001", "開発@東京.example", "sent before", "250 2.0.0 queued"),
)


def seen(monkeypatch: pytest.MonkeyPatch, width: int, write: Callable[[Terminal], None]) -> str:
    """Write on a terminal that is so wide; give what came out of it."""
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    with os.fdopen(inner, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", stream)
        write(Terminal())
        monkeypatch.undo()
        said = os.read(outer, 100_000).decode()
    os.close(outer)
    return re.sub(r"\x1b\[[0-9;]*m", "", said).replace("\r\n", "\n")


def drawn(monkeypatch: pytest.MonkeyPatch, width: int) -> str:
    return seen(monkeypatch, width, lambda terminal: terminal.table(COLUMNS, LINES, wrap=("to",)))


@pytest.mark.parametrize("width", [20, 70, 80, 100, 120, 200])
def test_a_table_says_every_letter_on_any_terminal(monkeypatch, width):
    said = drawn(monkeypatch, width)
    assert "…" not in said
    assert all(cell in said for line in LINES for cell in (line[0], line[1], line[3], line[4]))
    assert all(word in said for column in COLUMNS for word in column.split())


def test_an_address_too_long_for_a_terminal_goes_on_in_the_next_line(monkeypatch):
    lines = drawn(monkeypatch, 98).splitlines()
    (first,) = (at for at, line in enumerate(lines) if "CB-2025-12-05-CC-1001-C1" in line)
    assert "platform-engineering@acme.examp" in lines[first]
    assert lines[first + 1].strip() == "le"
    assert "platform-engineering@acme.example" in drawn(monkeypatch, 200)


@pytest.mark.parametrize("width", [81, 90, 100, 140])
def test_a_table_that_can_fits_its_terminal(monkeypatch, width):
    said = drawn(monkeypatch, width)
    assert max(map(columns, said.splitlines())) <= width
    assert ("\n center   document" in said) is (width <= 100)


def test_a_table_that_cannot_fit_keeps_a_column_that_can_be_read(monkeypatch):
    assert "platform-engineering@acm" in drawn(monkeypatch, 70)


# Messages

WARNING = Problem(
    source="/srv/chargeback/mapping.yaml:133",
    message='unmapped user "okta|acme|0012" (開発部 Søren Kjær): 9.1000 ACUs that no rule assigns',
    hint="name a cost center in the user file, and look with `reportgen check . --cycle previous`",
    warning=True,
    code="unmapped-user",
)


@pytest.mark.parametrize("width", [40, 80, 100, 140])
def test_a_message_is_folded_to_the_terminal_and_hangs_below_itself(monkeypatch, width):
    said = seen(monkeypatch, width, lambda terminal: terminal.problems([WARNING]))
    first, *more = said.splitlines()
    assert max(map(columns, [first, *more])) <= width
    assert more
    assert all(line.startswith("  ") and line[2:3].strip() for line in more)
    assert " ".join([first, *map(str.strip, more)]) == str(WARNING)
    assert any("`reportgen check . --cycle previous`" in line for line in more)


def test_what_a_sum_comes_to_stays_with_its_sign(monkeypatch):
    line = "Tie-out, ACUs: control 10221.1000 − allocated 10187.7300 − unallocated 33.3700 = 0"
    said = seen(monkeypatch, 80, lambda terminal: terminal.result(line))
    assert said.splitlines()[1] == "  = 0"


def test_a_word_longer_than_the_terminal_is_left_whole(monkeypatch):
    digest = "f" * 64
    said = seen(monkeypatch, 50, lambda terminal: terminal.result(f"Seal {digest}, number 3"))
    assert said.splitlines() == ["Seal", f"  {digest},", "  number 3"]


@pytest.mark.parametrize("width", [0, 20])
def test_a_terminal_that_is_narrow_folds_by_itself_and_one_of_no_width_has_80(monkeypatch, width):
    said = seen(monkeypatch, width, lambda terminal: terminal.problems([WARNING]))
    assert len(said.splitlines()) == (1 if width else 3)


def test_a_file_gets_a_message_on_one_line(capsys):
    Terminal().problems([WARNING])
    assert capsys.readouterr().err == f"{WARNING}\n"


def test_a_text_of_its_own_is_never_folded(monkeypatch):
    text = f'{{"$comment": "{"many words " * 20}"}}'
    said = seen(monkeypatch, 80, lambda terminal: terminal.document(text))
    assert said == f"{text}\n"


def test_columns_give_way_in_turn_and_the_first_the_most(monkeypatch):
    names = ("cost center", "name", "ACUs", "file")
    row = (
        "4711/10-0001",
        "Zahlungsverkehr und 開発部",
        "1,047.29",
        "CB-2025-12-05-4711-10-0001.pdf",
    )

    def write(terminal: Terminal) -> None:
        terminal.table(names, [row], numbers=("ACUs",), wrap=("name", "file"))

    for width, first in ((80, "Zahlungsverkehr und"), (60, "Zahlungsverkehr")):
        said = seen(monkeypatch, width, write)
        assert max(map(columns, said.splitlines())) <= width
        assert f" 4711/10-0001  {first} " in said
    assert row[-1] in seen(monkeypatch, 80, write)
