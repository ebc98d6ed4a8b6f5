"""Tables on terminals of any width: nothing that a table says is cut off."""

import os
import pty
import re
import sys

import pytest

from reportgen.terminal import Terminal

COLUMNS = ("cost center", "document", "to", "state", "the server said")
LINES = (
    ("CC-1001", "CB-2025-12-05-CC-1001-C1", "platform-engineering@acme.example", "sent", "250 OK"),
    ("CC-4001", "CB-2025-12-05-CC-4001", "開発@東京.example", "sent before", "250 2.0.0 queued"),
)


def drawn(monkeypatch: pytest.MonkeyPatch, width: int) -> str:
    """Write the table on a terminal that is so wide; give what came out of it."""
    outer, inner = pty.openpty()
    monkeypatch.setenv("COLUMNS", str(width))
    with os.fdopen(inner, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        Terminal().table(COLUMNS, LINES, wrap="to")
        monkeypatch.undo()
        said = os.read(outer, 100_000).decode()
    os.close(outer)
    return re.sub(r"\x1b\[[0-9;]*m", "", said)


@pytest.mark.parametrize("width", [20, 80, 100, 120, 200])
def test_a_table_says_every_letter_on_any_terminal(monkeypatch, width):
    said = drawn(monkeypatch, width)
    assert "…" not in said
    assert all(cell in said for line in LINES for cell in (line[0], line[1], line[3], line[4]))
    assert all(column in said for column in COLUMNS)


def test_an_address_too_long_for_a_terminal_goes_on_in_the_next_line(monkeypatch):
    lines = drawn(monkeypatch, 80).splitlines()
    (first,) = (at for at, line in enumerate(lines) if "CB-2025-12-05-CC-1001-C1" in line)
    assert "platform-engineering@acm" in lines[first]
    assert lines[first + 1].strip() == "e.example"
    assert "platform-engineering@acme.example" in drawn(monkeypatch, 200)
