"""What pyproject.toml asks for: all that is imported, from the versions on that tests have seen."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUNTIME = {canonicalize_name(r.name): r for r in map(Requirement, PROJECT["dependencies"])}
EXTRA = PROJECT["optional-dependencies"]["dev"]
DEVELOPMENT = {canonicalize_name(r.name): r for r in map(Requirement, EXTRA)}

OPTIONAL = {
    canonicalize_name(Requirement(text).name) for text in PROJECT["optional-dependencies"]["tables"]
}
"""What a format needs, and nobody else has to install; loaded where it is used."""
MEASURED = list(map(Requirement, PROJECT["optional-dependencies"]["bench"]))
"""What documents and workbooks are held against."""
PART_OF = {"pydantic-core": "pydantic"}
"""What another distribution pins to the version that it needs."""
NOT_IMPORTED = {"lxml"}
"""What openpyxl imports where it is there."""
REACHED_INTO = {"jinja2", "openpyxl", "pydyf", "weasyprint"}
"""Behind what they document: each new minor version is looked at before it is let in."""
OURS = {"reportgen", "tests", "benchmarks", "samples", "model", "record", "world"}


def imported(*folders: str) -> set[str]:
    """Give the distributions that the Python files of some folders import."""
    known = packages_distributions()
    paths = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    names = {name for path in paths for name in modules(path)} - sys.stdlib_module_names - OURS
    found = {canonicalize_name(known[name][0]) for name in names}
    return {PART_OF.get(name, name) for name in found}


def modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module).partition(".")[0]


def pinned(name: str) -> dict[str, Version]:
    """Read a file of constraints."""
    lines = (ROOT / "tests" / name).read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(package): Version(version) for package, version in pairs}


def test_what_the_program_imports_is_what_it_asks_for() -> None:
    assert imported("reportgen") == (RUNTIME.keys() - NOT_IMPORTED) | OPTIONAL


@pytest.mark.heavy
def test_what_tests_import_is_asked_for() -> None:
    wanted = imported("tests", "benchmarks", "samples")
    assert wanted - RUNTIME.keys() - DEVELOPMENT.keys() == set()


def test_tests_have_what_is_optional() -> None:
    extras = PROJECT["optional-dependencies"]
    for text in (*extras["tables"], *extras["distributed"]):
        assert str(DEVELOPMENT[canonicalize_name(Requirement(text).name)]) == text


def test_nothing_is_asked_for_twice() -> None:
    assert RUNTIME.keys() & DEVELOPMENT.keys() == set()
    assert len(RUNTIME) == len(PROJECT["dependencies"])


@pytest.mark.parametrize("name", sorted(RUNTIME | DEVELOPMENT))
def test_every_lower_bound_is_the_version_that_is_tested(name: str) -> None:
    specifiers = (RUNTIME | DEVELOPMENT)[name].specifier
    (lowest,) = (s.version for s in specifiers if s.operator == ">=")
    assert pinned("lowest.txt")[name] == Version(lowest), "write tests/lowest.txt anew"


@pytest.mark.parametrize("name", sorted(RUNTIME | DEVELOPMENT))
def test_the_version_that_is_pinned_is_allowed(name: str) -> None:
    assert (RUNTIME | DEVELOPMENT)[name].specifier.contains(pinned("constraints.txt")[name])


@pytest.mark.parametrize("measured", MEASURED, ids=str)
def test_what_is_measured_is_pinned(measured: Requirement) -> None:
    assert measured.specifier.contains(pinned("constraints.txt")[canonicalize_name(measured.name)])


@pytest.mark.parametrize("name", sorted(REACHED_INTO))
def test_what_is_reached_into_has_an_upper_bound(name: str) -> None:
    assert [s for s in RUNTIME[name].specifier if s.operator == "<"]
