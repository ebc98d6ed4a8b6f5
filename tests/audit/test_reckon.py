"""The second reckoning against the first: they agree on any cycle, and a fault is found."""

import ast
import json
import re
import runpy
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from reportgen.archive import evidence
from reportgen.core.cycle import cycle_between
from reportgen.core.model import Directory
from reportgen.derive import Derived
from reportgen.resources import templates
from reportgen.sources.config.configuration import load
from tests.audit.cycles import Told, archived, chargeable, told
from tests.audit.faults import FAULTS
from tests.fakeapi.sample import CYCLES
from tests.scenarios.job import EXAMPLE, RECORDING
from tests.weight import long_but

PROGRAM = templates() / "audit" / "reckon.py"
MOST_LINES = 600
AGREED = "0 differences\n"
ADA = "email%7C64f0009e3779b1009e37"
reckon: Callable[[Path], Iterator[str]] = runpy.run_path(str(PROGRAM))["reckon"]


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run the program as an auditor does: by an interpreter that finds nothing else."""
    command = [sys.executable, "-I", PROGRAM, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


# What it promises


def test_it_is_one_short_file_of_the_standard_library():
    text = PROGRAM.read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 9))
    imported = [node.names[0].name for node in ast.walk(tree) if isinstance(node, ast.Import)]
    imported += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.partition(".")[0] for name in imported} <= {*sys.stdlib_module_names}
    assert len(text.splitlines()) <= MOST_LINES


def test_it_has_no_floats():
    tree = ast.parse(PROGRAM.read_text(encoding="utf-8"))
    floats = [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
    ]
    assert not floats


# Cycles of every kind


def agree(seeds: range, folder: Path) -> Counter[str]:
    """See that nothing differs in the cycles of some seeds; count what they were made of."""
    kinds: Counter[str] = Counter()
    for seed in seeds:
        made, derived = chargeable(seed, folder / "configuration")
        found = list(reckon(archived(made, derived, folder / "archive")))
        assert found == [], f"cycle {seed}"
        kinds.update(kinds_of(made, derived))
    return kinds


def kinds_of(made: Told, derived: Derived) -> set[str]:
    source, card = made.configuration.settings.source, made.configuration.rate_card
    lines = [line for invoice in derived.statement.invoices for line in invoice.lines]
    return {
        source.api,
        "organizations" if source.organizations else "enterprise",
        "tiers" if card.tiers else "recover" if card.recover else "prices",
        *(line.kind for line in lines),
        *("unpriced" for line in lines if line.of_usage and line.unit_price is None),
        *("credit" for line in lines if line.acus < 0),
        *("session" for record in derived.usage.records if record.session_id),
        *(f"pool, {line.basis}" for line in lines if line.basis),
        *(one.cause for one in derived.allocations if one.cause),
        *("weights" for one in derived.allocations if "/" in one.share),
        *("discrepancy" for _ in derived.statement.discrepancies),
        *("refused" for _ in derived.statement.heading.missing_views),
        *("borne by nobody" for one in derived.allocations if not one.cost_center),
        *(f"{made.configuration.rate_card.decimals} decimals",),
    }


def test_nothing_differs(tmp_path):
    kinds = agree(range(25), tmp_path)
    assert kinds.keys() >= {"v2", "v3", "organizations", "enterprise", "refused", "discrepancy"}
    assert kinds.keys() >= {"usage", "unallocated", "fee", "transfer", "pool", "session", "credit"}
    assert kinds.keys() >= {"prices", "tiers", "recover", "unpriced", "weights", "borne by nobody"}
    assert kinds.keys() >= {"pool, even", "pool, proportional", "pool, shares"}
    assert kinds.keys() >= {"0 decimals", "2 decimals", "3 decimals"}
    assert {kind for kind in kinds if kind.startswith(("unmapped", "no known"))} == {
        "unmapped user",
        "unmapped service user",
        "unmapped organization",
        "no known user or organization",
    }


@pytest.mark.heavy
@pytest.mark.parametrize("first", long_but(3, range(25, 325, 50)))
def test_nothing_differs_in_many_more(tmp_path, first):
    agree(range(first, first + 50), tmp_path)


# Faults


@cache
def cycle(seed: int, folder: Path) -> Told:
    return told(seed, folder / str(seed))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return tmp_path_factory.mktemp("cycles")


@pytest.mark.heavy
@pytest.mark.quick(2)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__.replace("_", " "))
def test_a_fault_in_the_core_is_found(monkeypatch, tmp_path, shelf, fault):
    """Some cycle shows it; the first cycles suffice for most."""

    def differs(seed: int) -> bool:
        made = cycle(seed, shelf)  # without the fault
        with monkeypatch.context() as planted:
            planted.setattr(f"reportgen.{FAULTS[fault]}", fault)
            derived = made.derived()
        return derived is not None and any(reckon(archived(made, derived, tmp_path)))

    assert any(map(differs, range(60)))


# The sample


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    """Derive the sample, its evidence zipped as it is in a closed cycle."""
    made = Told(
        configuration=load(EXAMPLE),
        cycle=cycle_between(*CYCLES[1]),
        responses=evidence.read(RECORDING),
        remembered=Directory(),
    )
    derived = made.derived()
    assert derived
    return archived(made, derived, tmp_path_factory.mktemp("acme"), zipped=True)


@pytest.mark.heavy
def test_the_sample_is_reckoned_alike(acme):
    done = run(acme)
    assert (done.stdout, done.stderr, done.returncode) == (AGREED, "", 0)


@pytest.mark.heavy
def test_a_digit_in_an_answer_is_named_down_to_the_line_of_the_invoice(acme, tmp_path):
    """A person whom one cost center bears used more cascade on a day, says one answer."""
    lines = RECORDING.read_text(encoding="utf-8").splitlines(keepends=True)
    answer = rf"daily/users/{ADA}\?time_after={CYCLES[1][0]}"
    (number,) = (at for at, line in enumerate(lines) if re.search(rf"enterprise/\S+{answer}", line))
    lines[number] = re.sub(r'(cascade\\":)1\.', r"\g<1>4.", lines[number], count=1)
    folder = shutil.copytree(acme, tmp_path / "acme")
    (folder / "inputs" / "responses.jsonl.gz").unlink()
    (folder / "inputs" / "responses.jsonl").write_text("".join(lines), encoding="utf-8")
    done = run(folder)
    where = "CB-2025-12-05-CC-1001, usage cascade 1.75"
    changed = rf"^{where}, acus: (\S+) is written, (\S+) follows$"
    found = re.search(changed, done.stdout, re.MULTILINE)
    assert found, done.stdout
    assert Decimal(found[2]) - Decimal(found[1]) == 3
    assert re.search(rf"^{where}, amount: \S+ is written, \S+ follows$", done.stdout, re.MULTILINE)
    assert re.search(
        r"^ledger.csv, \S+, cascade, , user, email.*CC-1001", done.stdout, re.MULTILINE
    )
    assert re.search(r"^[1-9][0-9]* differences$", done.stdout.splitlines()[-1])
    assert done.returncode == 3


# What cannot agree


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Give the first cycle that has prices, and somebody whom no rule names."""
    folder = tmp_path_factory.mktemp("small")
    cycles = (chargeable(seed, folder / "configuration") for seed in range(60))
    wanted = {"v3", "enterprise", "prices", "usage", "unallocated", "unmapped user"}
    found = next(both for both in cycles if wanted <= kinds_of(*both))
    return archived(*found, folder / "archive")


def changed(folder: Path, name: str, change: Callable[[dict[str, Any]], object]) -> list[str]:
    """Reckon with a JSON file of the folder changed."""
    values = json.loads((folder / name).read_text(encoding="utf-8"))
    change(values)
    (folder / name).write_text(json.dumps(values), encoding="utf-8")
    return list(reckon(folder))


def test_a_figure_of_the_statement_that_was_written_otherwise_is_named(small, tmp_path):
    def change(statement):
        center = next(one for one in statement["cost_centers"] if one["lines"])
        line = center["lines"][0] | {"unit_price": "77", "kind": "usage", "product": "flux"}
        line |= {"exact_amount": "7.25", "amount": "8", "rounding": "0.75", "acus": "0.5"}
        center["lines"].append(line)
        center["invoice"] = "INV-7"
        statement["unallocated"]["by_cause"]["nothing"] = "7"
        statement["currency"] = "XXX"
        statement["tie_out"]["over_recovery_amount"] = "-1.25"

    found = changed(shutil.copytree(small, tmp_path / "small"), "statement.json", change)
    assert found[:3] == [
        "INV-7, usage flux 77, acus: 0.5 is written, nothing follows",
        "INV-7, usage flux 77, amount: 8 is written, nothing follows",
        "INV-7, usage flux 77, exact_amount: 7.25 is written, nothing follows",
    ]
    assert "unallocated, nothing, by_cause: 7 is written, nothing follows" in found
    assert found[4].startswith("statement, currency: XXX is written, ")
    assert found[5].startswith("tie_out, over_recovery_amount: -1.25 is written, ")


def test_a_row_of_the_ledger_that_was_written_otherwise_is_named(small, tmp_path):
    folder = shutil.copytree(small, tmp_path / "small")
    text = (folder / "ledger.csv").read_bytes().decode()
    (folder / "ledger.csv").write_bytes(text.replace("unmapped user", "unmapped", 1).encode())
    (found,) = reckon(folder)
    told = r"ledger\.csv, 2025.*, cause: unmapped is written, unmapped user follows"
    assert re.fullmatch(told, found)


def test_what_was_understood_otherwise_is_named(small, tmp_path):
    def change(resolved):
        for prices in resolved["prices"].values():
            for price in prices:
                price["unit_price"] = f"{Decimal(price['unit_price']) + 1}"

    found = changed(shutil.copytree(small, tmp_path / "small"), "inputs/resolved.json", change)
    assert any("unit_price: " in line for line in found)
    assert any("chargeable_amount: " in line for line in found)


@pytest.mark.parametrize("arguments", [[], ["nowhere"]])
def test_what_cannot_be_read_is_no_agreement(arguments):
    done = run(*arguments)
    assert done.stdout == ""
    assert done.stderr.startswith("cannot be reckoned, see the head of this file: ")
    assert done.returncode == 2


def test_rules_of_another_version_are_refused(small, tmp_path):
    folder = shutil.copytree(small, tmp_path / "small")
    with pytest.raises(ValueError, match=r"resolved\.json is of another version"):
        changed(folder, "inputs/resolved.json", lambda values: values.update(rules_version=2))
