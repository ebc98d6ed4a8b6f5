"""What somebody fills in by hand between commands, and what it must come to."""

import csv
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

from tests.fakeapi.sample import CYCLES, World
from tests.fakeapi.worlds import big_world

PRICES = {"devin": "2.00", "cascade": "1.50", "terminal": "1.25", "review": "3.00"}
CODES = [f"0{number}00" for number in range(1, 6)]
BEARER = "CC-9999"


def unknown_people() -> World:
    """Give sixty people whom nobody has mapped, in three organizations."""
    world = big_world(users=61, organizations=3, sessions=8, active_days=12)
    return world._replace(cycles=CYCLES)


def rows(path: Path) -> list[dict[str, str]]:
    """Read a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def fill_in(folder: Path) -> dict[str, str]:
    """Fill in the files that `init --discover` has written; gives who belongs where, by id."""
    with (folder / "cost_centers.csv").open("a", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [code, f"Team {code}", "", "", f"{code}@x.example"] for code in CODES
        )
    _replace(folder / "chargeback.yaml", "enterprise: Your Enterprise", "enterprise: Acme")
    contract = "contract: none set yet, every ACU is charged at 1.00"
    _replace(folder / "rates.yaml", contract, "contract: Order form 2025-07")
    for product, price in PRICES.items():
        _replace(folder / "rates.yaml", f"  {product}: 1.00", f"  {product}: {price}")
    people = rows(folder / "people.csv")
    for number, row in enumerate(people):
        row["cost_center"] = CODES[number % len(CODES)]
    with (folder / "people.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, people[0].keys())
        writer.writeheader()
        writer.writerows(people)
    return {row["user_id"]: row["cost_center"] for row in people}


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def truth(world: World, belongs: dict[str, str]) -> dict[str, Decimal]:
    """Reckon what each cost center pays from what was used, atom by atom."""
    after, before = CYCLES[1]
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for atom in world.atoms:
        if after <= atom.day < before:
            code = belongs.get(atom.principal_id or "", BEARER)
            amounts[code] += Decimal(repr(atom.acus)) * Decimal(PRICES[atom.product])
    return amounts
