"""Reckon a correction of a closed billing cycle a second time, from what its folder holds.

    python3 -I reckon_notes.py [FOLDER]      Python 3.9 or later; nothing has to be installed

FOLDER is a correction, such as 2025-12-05.c1: by default, each that lies beside this file. It takes
reckon.py, which must lie beside it, for everything but what is special to a correction:

    inputs/standing.json   the cycle as it stood before, every line exactly and as it was charged

by which lines are rounded otherwise, and from which the notes follow. Compared are statement.json,
ledger.csv and correction.json, and standing.json with the folder that it names, where that lies
beside this one. What differs is printed; the exit code is 0 where nothing does, 3 where something
does, else 2. Nothing is shared with reportgen, which wrote the archive.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction
from hashlib import sha256
from math import floor
from pathlib import Path
from typing import Any

# What was handed out stays as it is: no compiled file is left beside it.
kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True
spec = importlib.util.spec_from_file_location("reckon", Path(__file__).with_name("reckon.py"))
reckon: Any = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reckon)
sys.dont_write_bytecode = kept

Json = dict[str, Any]
Line, ZERO, NOTHING = reckon.Line, Fraction(0), (Fraction(0), Fraction(0), None)
Stood = tuple[Fraction, Fraction, Any]  # what a line came to exactly, what was charged, its price


def corrected(
    stood: list[Stood], exact: list[Fraction], target: Fraction, step: Fraction
) -> list[Fraction]:
    """Give the new amounts of a group of lines, which make the target together.

    Only lines change whose exact amount is another. Their differences are rounded down, then the
    largest remainders up, equal ones in order: before them what has ended if that leaves nothing of
    it, and after them what has ended if it would leave something. What is missing then, as a total
    cannot be made by a step a line, they take evenly.
    """
    amounts = [amount for _, amount, _ in stood]
    moved = [index for index, (was, _, _) in enumerate(stood) if was != exact[index]]
    change = {index: exact[index] - stood[index][0] for index in moved}
    down = {index: floor(change[index] / step) * step for index in moved}
    missing = int((target - sum(amounts) - sum(down.values())) / step)

    def first(index: int) -> tuple[int, Fraction]:
        left = ZERO if exact[index] else amounts[index] - stood[index][0]
        return (left > 0) - (left < 0), down[index] - change[index]

    order = [index for index in sorted(moved, key=first) if down[index] != change[index]]
    raised = order[: max(0, missing)]
    each, more = divmod(abs(missing - len(raised)), len(moved) or 1)
    sign = -step if missing < len(raised) else step
    for place, index in enumerate(moved):
        amounts[index] += down[index] + (step if index in raised else 0)
        amounts[index] += sign * (each + (place < more))
    return amounts


class Standing:
    """The cycle as it stood. Where one amount was spread over it, a price tells no lines apart."""

    def __init__(self, told: Json) -> None:
        self.spread, self.usage, self.pools = told["effective_prices"], {}, defaultdict(dict)
        self.charged, self.invoices = defaultdict(Fraction), {}
        for center in told["cost_centers"]:
            self.invoices[center["code"]] = center["invoice"]
            for line in map(as_line, [center["code"]] * len(center["lines"]), center["lines"]):
                was = line.exact, line.amount, line.price
                if line.kind in reckon.BORNE:
                    group = reckon.ALL if self.spread else (line.product, line.price)
                    self.usage[group, place_of(line)] = was
                elif line.kind == "pool" and line.counterpart:
                    self.pools[line.counterpart][line.code] = was
                self.charged[name_of(line, spread=self.spread)] += line.amount


def as_line(code: str, told: Json) -> Any:
    """Read a line as it is written in an archive."""
    figures = [Fraction(told[name]) for name in ("exact_amount", "amount")]
    price = told.get("unit_price") and Fraction(told["unit_price"])
    named = told["kind"], told.get("name", ""), told.get("counterpart"), None
    what = told.get("product", ""), price, Fraction(told.get("acus", 0))
    return Line(code, *named, *figures, *what)


def place_of(line: Any) -> tuple[bool, str, str]:
    """Tell the lines of a group apart, in the order in which equal remainders go up."""
    return line.kind == "unallocated", line.code, line.product


def name_of(line: Any, *, spread: bool) -> tuple[Any, ...]:
    """Tell the lines of all invoices apart; a pool by its cost center, whatever it is called."""
    if line.kind in reckon.BORNE:
        return line.code, line.kind, line.product, None if spread else line.price, None
    return line.code, line.kind, "" if line.kind == "pool" else line.name, None, line.counterpart


class Card(reckon.Card):
    """What an ACU costs, in a cycle that is corrected."""

    standing: Standing

    def charge(self, parts: Iterable[Any]) -> tuple[list[Any], list[Any], Fraction]:
        """Charge as for the first time, then round the changes of each group to its total."""
        priced, lines, chargeable = super().charge(parts)
        groups, targets, ended = defaultdict(dict), defaultdict(Fraction), []
        for line in lines:
            group = (line.product, line.price) if self._whole is None else reckon.ALL
            groups[group][place_of(line)] = line
            targets[group] += line.amount
        for (group, place), (_, _, price) in self.standing.usage.items():
            unallocated, code, product = place
            kind = "unallocated" if unallocated else "usage"
            if place not in groups[group]:
                line = Line(code, kind, "", None, None, ZERO, ZERO, product, price, ZERO)
                groups[group][place] = line
                ended.append(line)
        found = []
        for group, members in groups.items():
            ordered = [members[place] for place in sorted(members)]
            stood = [self.standing.usage.get((group, place), NOTHING) for place in sorted(members)]
            exact = [line.exact for line in ordered]
            for line, amount in zip(ordered, corrected(stood, exact, targets[group], self.step)):
                if amount or not any(line is one for one in ended):
                    found.append(line._replace(amount=amount))
        return priced, found, chargeable


class Charges:
    """The lines of a cycle that is corrected; what nothing is behind any more is no usage."""

    def __init__(self, standing: Standing) -> None:
        self.standing, self.left, self.lines = standing, [], []
        self.charged = reckon.charged

    def __call__(self, resolved: Json, usage: list[Any], step: Fraction) -> list[Any]:
        """Give the lines of usage, fees, transfers and pools."""
        self.left = [line for line in usage if line.amount and not line.exact]
        real = [line for line in usage if not (line.amount and not line.exact)]
        self.lines = self.charged(resolved, real, step)
        return self.lines

    def share(self, resolved: Json, lines: list[Any], spent: Json, step: Fraction) -> list[Any]:
        """Add the lines of pools; what each cost center's part changes by is rounded."""
        lines = [*lines, *self.left]
        waiting = {pool["cost_center"]: pool for pool in resolved["pools"]}
        left_out = {resolved["unallocated"], *waiting}
        while waiting:
            to_come = {code for one in waiting.values() for code in one["shares"] or ()}
            here = min(waiting.keys() - to_come)
            pool, had = waiting.pop(here), [line.amount for line in lines if line.code == here]
            amount = sum(had)
            by = {code: one for code, one in spent.items() if one > 0 and code not in left_out}
            by = dict.fromkeys(by, 1) if pool["basis"] == "even" else pool["shares"] or by
            if amount:
                name = f"{resolved['cost_centers'][here]['name']}, {pool['basis']}"
                weights = {code: Fraction(by[code]) for code in sorted(by)}
                parts = dict(zip(weights, reckon.spread(amount, [[*weights.values()]])[0]))
                stood = self.standing.pools[here]
                codes = sorted({*parts, *stood})
                was, exact = (
                    [one.get(code, none) for code in codes]
                    for one, none in ((stood, NOTHING), (parts, ZERO))
                )
                lines.append(Line(here, "pool", name, None, None, -amount, -amount))
                for code, part in zip(codes, corrected(was, exact, amount, step)):
                    if code in parts or part:
                        share = weights.get(code, ZERO) / sum(weights.values())
                        figures = parts.get(code, ZERO), part
                        lines.append(Line(code, "pool", name, here, share, *figures))
        return lines


def notes_differ(
    told: Json, standing: Standing, lines: list[Any], *, spread: bool
) -> Iterator[str]:
    """Hold the notes against what was charged and what is charged now."""
    now = defaultdict(Fraction)
    for line in lines:
        now[name_of(line, spread=spread)] += line.amount
    noted, letters = defaultdict(Fraction), {"credit": "C", "debit": "D"}
    for note in [*told["notes"], *told["not_issued"]]:
        code, amounts = note["cost_center"], [Fraction(line["amount"]) for line in note["lines"]]
        for line in note["lines"]:
            one = as_line(code, {**line, "exact_amount": 0})
            noted[name_of(one, spread=spread)] += one.amount
        amount, issued = sum(amounts), bool(note["number"])
        kind = "debit" if amount > 0 else "credit"
        number = f"-{letters[kind]}{told['number']}"
        if (Fraction(note["amount"]), note["kind"]) != (amount, kind):
            yield f"{note['number']}: its lines come to {amount}, a {kind}"
        if issued != (sum(map(abs, amounts)) >= Fraction(told["minimum"])):
            yield f"{code}: {'issued' if issued else 'not issued'}, against the minimum"
        invoice = note["invoice"] or (note["number"] or "")[: -len(number)]
        if issued and note["number"] != f"{invoice}{number}":
            yield f"{note['number']}: no number of a {kind} note on {note['invoice']}"
    for name in sorted({*now, *standing.charged, *noted}, key=repr):
        change = now[name] - standing.charged[name]
        if name[0] and change != noted[name]:
            yield f"{reckon.label(*name)}: {noted[name]} on notes, {change} reckoned"


def standing_differs(folder: Path, told: Json) -> Iterator[str]:
    """Hold how the cycle stood against the folder that it stood by, where that is here."""
    before = folder.parent / told["folder"]
    if not (before / "statement.json").exists():
        return
    seal = sha256((before / "manifest.json").read_bytes()).hexdigest()
    if seal != told["seal"]:
        yield f"{before.name}: its seal is {seal}, the correction is of {told['seal']}"
    path = before / "correction.json"
    waits = json.loads(path.read_text("utf-8"))["not_issued"] if path.exists() else []
    apart = {"", *(note["cost_center"] for note in waits)}  # these stand as they stood before it
    statement = json.loads((before / "statement.json").read_text("utf-8"))["cost_centers"]
    sides = []
    for centers, exactly in ((statement, False), (told["cost_centers"], True)):
        figures = defaultdict(list)
        for center in centers:
            for line in map(as_line, [center["code"]] * len(center["lines"]), center["lines"]):
                named = line.name.rpartition(", ")[0] if line.kind == "pool" and not exactly else ""
                price = line.price and round(line.price, 10)
                name = named or line.name, line.counterpart, line.product, price
                figures[(line.code, line.kind, *name)] += [(round(line.exact, 10), line.amount)]
        sides.append(figures)
    for name in sorted({*sides[0], *sides[1]}, key=repr):
        then, now = (sorted(side[name]) for side in sides)
        if name[0] not in apart and then != now:
            yield f"{before.name}: {reckon.label(*name)}: it stood otherwise"


def differences(folder: Path) -> Iterator[str]:
    """Give every difference between what a correction says and what is reckoned now."""
    names = ("inputs/standing.json", "correction.json", "inputs/resolved.json")
    told, correction, resolved = (json.loads((folder / name).read_text("utf-8")) for name in names)
    standing = Standing(told)
    charges = Charges(standing)
    Card.standing = standing
    kept = reckon.Card, reckon.charged, reckon.shared_out
    reckon.Card, reckon.charged, reckon.shared_out = Card, charges, charges.share
    try:
        yield from reckon.reckon(folder)
    finally:
        reckon.Card, reckon.charged, reckon.shared_out = kept
    spread = standing.spread and not resolved["prices"]
    yield from notes_differ(correction, standing, charges.lines, spread=spread)
    yield from standing_differs(folder, told)


if __name__ == "__main__":
    try:
        here = Path(__file__).parent.glob("*/inputs/standing.json")
        folders = list(map(Path, sys.argv[1:])) or sorted(path.parents[1] for path in here)
        found = [f"{folder.name}: {one}" for folder in folders for one in differences(folder)]
    except Exception as error:  # noqa: BLE001 - whatever it was, it is no agreement
        print(f"cannot be reckoned, see the head of this file: {error!r}", file=sys.stderr)
        sys.exit(2)
    print(*found, f"{len(found)} differences in {len(folders)} corrections", sep="\n")
    sys.exit(3 if found else 0)
