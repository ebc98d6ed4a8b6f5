"""The second reckoning of corrections: they agree on any cycle that is told otherwise later."""

import ast
import importlib.util
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

from reportgen.archive import standing
from reportgen.core.charging.correction import Stood
from reportgen.core.charging.credit_notes import Notes, standing_of
from reportgen.core.model import Correcting
from reportgen.core.money import round_to_total
from reportgen.core.problem import Rejected
from reportgen.core.written.correction_json import correction_json
from reportgen.derive import Derived, derive
from reportgen.resources import templates
from tests.audit.cycles import Told, archived, told
from tests.weight import long_but

PROGRAM = templates() / "audit" / "reckon_notes.py"
START, MOST_LINES = "2025-12-05", 300


def _program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reckon_notes", PROGRAM)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as process:
        process.setattr(sys, "dont_write_bytecode", True)  # beside it lies what goes into the wheel
        spec.loader.exec_module(module)
    return module


differences: Callable[[Path], Iterator[str]] = _program().differences


def restated(seed: int) -> Callable[[str, Any], Any]:
    """Let some answers tell a day otherwise, always alike."""

    def reword(target: str, body: Any) -> Any:
        rng = Random(f"{seed}|{target.partition('?')[0]}")  # noqa: S311 - a world, no secret
        days = body.get("consumption_by_date") if isinstance(body, dict) else None
        if days and rng.random() < 0.5:
            by = rng.choice((1, -1, 0.25, 12.5, 0.003))
            if isinstance(days, dict):
                days[rng.choice(sorted(days))] += by
            else:
                bucket = rng.choice(days)
                bucket["acus"] += by
                products = bucket.get("acus_by_product") or {}
                name = rng.choice(sorted(products) or ["devin"])
                products[name] = (products.get(name) or 0) + by
                bucket["acus_by_product"] = products
        return body

    return reword


def corrections(
    seed: int, folder: Path, minimum: str = "0.01"
) -> list[tuple[Path, Told, Derived]] | None:
    """Close a cycle and correct it twice; None where one of these cannot be charged."""
    made = [told(seed, folder / "configuration")]
    made += [told(seed, folder / "configuration", reword=restated(seed + n)) for n in (1, 2)]
    written: list[tuple[Path, Told, Derived]] = []
    before, names = None, (START, f"{START}.c1", f"{START}.c2")
    for number, (name, one) in enumerate(zip(names, made, strict=True)):
        correcting = before and Correcting(
            number=number, reason="r", minimum=Decimal(minimum), standing=before
        )
        try:
            derived = derive(replace(one.inputs(), correcting=correcting))
        except Rejected:
            return None
        place = folder / "archive" / name
        seal = _write(place, one, derived, correcting)
        before = standing_of(name, seal, derived.statement, derived.charges, derived.notes)
        written.append((place, one, derived))
    return written


def _write(place: Path, one: Told, derived: Derived, correcting: Correcting | None) -> str:
    archived(one, derived, place)
    if correcting and derived.notes:
        (place / "inputs" / "standing.json").write_bytes(standing.encode(correcting.standing))
        text = correction_json(derived.notes, derived.statement)
        (place / "correction.json").write_text(text, encoding="utf-8")
    (place / "manifest.json").write_text(place.name, encoding="utf-8")
    return sha256(place.name.encode()).hexdigest()


def agree(seeds: range, folder: Path, minimum: str = "0.01") -> Counter[str]:
    """See that nothing differs in what can be corrected; count what there was."""
    kinds: Counter[str] = Counter()
    for seed in seeds:
        for place, one, derived in corrections(seed, folder / str(seed), minimum) or ():
            if derived.notes:
                assert list(differences(place)) == [], place
                kinds.update(kinds_of(one, derived.notes))
    return kinds


def kinds_of(one: Told, notes: Notes) -> set[str]:
    card = one.configuration.rate_card
    issued = [*notes.issued.values(), *notes.too_small.values()]
    return {
        "tiers" if card.tiers else "recover" if card.recover else "prices",
        *(note.kind for note in notes.issued.values()),
        *(line.kind for note in issued for line in note.lines),
        *("too small" for _ in notes.too_small),
        *("earlier" for note in issued if note.earlier),
    }


def test_it_is_one_short_file_of_the_standard_library():
    text = PROGRAM.read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 9))
    imported = [node.names[0].name for node in ast.walk(tree) if isinstance(node, ast.Import)]
    imported += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.partition(".")[0] for name in imported} <= {*sys.stdlib_module_names}
    assert len(text.splitlines()) <= MOST_LINES


def test_nothing_differs(tmp_path):
    kinds = agree(range(4), tmp_path)
    assert kinds.keys() >= {"credit", "debit", "usage", "earlier"}


@pytest.mark.heavy
@pytest.mark.parametrize("first", long_but(2, range(4, 204, 50)))
def test_nothing_differs_in_many_more(tmp_path, first):
    kinds = agree(range(first, first + 50), tmp_path)
    assert kinds.keys() >= {"prices", "tiers", "recover", "fee", "pool"}


@pytest.mark.heavy
def test_nothing_differs_where_some_notes_wait(tmp_path):
    assert "too small" in agree(range(300, 340), tmp_path, minimum="3")


# Faults


def anew(stood, exact, target, decimals):
    """Round every line anew, whether it changed or not."""
    return round_to_total(exact, target, decimals)


def evenly(stood, exact, target, decimals):
    """Forget what rounding had left of a line."""
    bare = [Stood(line.exact_amount, line.amount) for line in stood]
    order = sorted(range(len(exact)), key=lambda place: -place)
    from reportgen.core.charging.correction import corrected  # noqa: PLC0415 - the one that is not planted

    turned = corrected([bare[n] for n in order], [exact[n] for n in order], target, decimals)
    return turned[::-1]


@pytest.mark.heavy
@pytest.mark.parametrize(
    "place", ["core.charging.invoice.corrected", "core.charging.pools.corrected"]
)
@pytest.mark.parametrize("fault", [anew, evenly])
def test_a_fault_in_the_rounding_is_found(fault, place, tmp_path, monkeypatch):
    monkeypatch.setattr(f"reportgen.{place}", fault)
    assert any(
        list(differences(folder))
        for seed in range(120)
        for folder, _, derived in corrections(seed, tmp_path / str(seed)) or ()
        if derived.notes
    )


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("old", "new"),
    [('"amount": "', '"amount": "1'), ('"debit"', '"credit"'), ("-D1", "-D2")],
)
def test_what_is_changed_in_a_correction_is_found(old, new, tmp_path):
    folder = next(
        place
        for seed in range(30)
        for place, _, derived in corrections(seed, tmp_path / str(seed)) or ()
        if derived.notes
        and any(note.number.endswith("-D1") for note in derived.notes.issued.values())
    )
    path = folder / "correction.json"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", PROGRAM, folder], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3, done
    assert not done.stdout.startswith("0 differences")
