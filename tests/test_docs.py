"""What documentation names is there: files, folders and links, targets of make, commands."""

import re
from pathlib import Path

import pytest

from reportgen.cli import main

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "reportgen"
PACK = ROOT / "templates" / "audit"  # handed out as it lies there
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md"))
)

PATH = re.compile(r"(?<![\w./<:-])\.?[\w-]+(?:/[\w.-]*\w|/)+|(?<![\w./<-])\w+\.py\b")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
FOLDERS = {
    path.name
    for folder in (ROOT, PACKAGE)
    for path in folder.iterdir()
    if path.is_dir() and path.name not in {".git", ".venv"}
}
"""A path that begins with another word lies in an archive, in somebody's home or at the API."""
CYCLE = re.compile(r"archive/(?:\d|$)")


def text(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def named(document: str) -> set[str]:
    """Give the paths of this checkout that a document names."""
    found = {match[0].rstrip("/") for match in PATH.finditer(text(document))}
    return {
        path
        for path in found
        if (path.endswith(".py") or path.partition("/")[0] in FOLDERS) and not CYCLE.match(path)
    }


def exists(path: str) -> bool:
    """Tell whether a path is there, from the root of the checkout, the package or a pack."""
    return any((folder / path).exists() for folder in (ROOT, PACKAGE, PACK))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_exists(document: str) -> None:
    assert [path for path in sorted(named(document)) if not exists(path)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document: str) -> None:
    folder = (ROOT / document).parent
    links = LINK.findall(text(document))
    assert [link for link in links if not (folder / link).exists()] == []


def test_paths_are_looked_for() -> None:
    assert {"core/allocating/usage.py", "sources/config", "tests/test_house.py"} <= named(
        "docs/architecture.md"
    )


def test_every_target_of_make_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    for document in DOCUMENTS:
        assert set(re.findall(r"(?:`|^)make ([a-z-]+)", text(document), re.MULTILINE)) <= targets


def test_the_readme_has_every_command_and_no_other() -> None:
    rows = re.findall(r"^\| `reportgen ([a-z-]+)", text("README.md"), re.MULTILINE)
    assert sorted(rows) == sorted(main.commands)
