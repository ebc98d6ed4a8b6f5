"""What stands in an archive, read without trust: anybody may have changed it."""

import csv
import json
from io import StringIO

from reportgen.archive.history import LONGEST_CELL


def statement_of(content: bytes) -> object:
    """Read a statement as plain values; None where it is no JSON."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def rows_of(content: bytes) -> list[list[str]]:
    """Read a table, its header first; nothing where it is none."""
    csv.field_size_limit(LONGEST_CELL)
    text = content.decode("utf-8", "replace")
    try:
        return list(csv.reader(StringIO(text, newline=""), strict=True))
    except csv.Error:
        return []
