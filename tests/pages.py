"""Pages of the documentation that are made by the program: they have to say what it says."""

from difflib import unified_diff
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


def compare(name: str, made: str, request: pytest.FixtureRequest) -> None:
    """Compare a page with what is made of it, or write it anew where that is asked for."""
    page = DOCS / name
    if request.config.getoption("--update-golden"):
        page.write_text(made, encoding="utf-8")
    written = page.read_text(encoding="utf-8") if page.exists() else ""
    lines = unified_diff(written.splitlines(), made.splitlines(), "written", "made", lineterm="")
    changed = "\n".join(lines)
    test = Path(request.node.path).name
    assert not changed, f"{changed}\n\npytest {test} --update-golden writes it anew"
