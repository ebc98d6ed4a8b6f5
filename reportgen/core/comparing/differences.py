"""Where two statements or tables say something else: the invoice, the line, both values.

What was written may have been changed by anybody, so nothing is taken for granted of its shape.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Any

Where = tuple[str, str, str]
"""An invoice, a line of it, and the name of a value; empty where it is of the whole."""
TableRows = Sequence[Sequence[str]]
INVOICED = ("cost_centers", "notes", "not_issued")
"""What lists invoices, or notes on them, with their lines."""
MOST_ROWS = 20
"""Of a table; whatever is wrong with more of them is seen in these."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A value that is another; `then` or `anew` is None where there is none."""

    file: str
    invoice: str = ""
    line: str = ""
    name: str
    then: str | None
    anew: str | None

    def __str__(self) -> str:
        """Write it as people read it."""
        place = ", ".join(filter(None, (self.invoice, self.line, self.name)))
        return f"{place}: {_shown(self.then)} is written, {_shown(self.anew)} follows"


def of_statements(file: str, then: object, now: Mapping[str, Any]) -> list[Difference]:
    """Compare two statements, or two corrections, as their JSON is read."""
    before, after = dict(_values(then)), dict(_values(now))
    differences = [
        Difference(
            file=file,
            invoice=place[0],
            line=place[1],
            name=place[2],
            then=before.get(place),
            anew=after.get(place),
        )
        for place in dict.fromkeys((*after, *before))
        if before.get(place) != after.get(place)
    ]
    return sorted(differences, key=lambda one: (not one.line, not one.invoice))


def of_what_both_know(
    differences: Iterable[Difference], then: object, now: Mapping[str, Any]
) -> list[Difference]:
    """Leave out names that only one version of the program writes, of lines that both have."""
    old, new = ({place[:2] for place, _ in _values(one)} for one in (then, now))
    both = old & new
    return [
        one
        for one in differences
        if None not in {one.then, one.anew} or (one.invoice, one.line) not in both
    ]


def of_tables(
    file: str, then: TableRows, now: TableRows, *, by_name: bool = False
) -> list[Difference]:
    """Compare two tables row by row and cell by cell, header first; gives the first that differ.

    With `by_name` only columns that both have are compared.
    """
    if by_name and then and now:
        then, now = (_columns(rows, set(then[0]) & set(now[0])) for rows in (then, now))
    columns = now[0] if now else ()
    numbered = enumerate(zip_longest(then, now, fillvalue=()), start=1)
    other = ((number, old, new) for number, (old, new) in numbered if list(old) != list(new))
    return [
        Difference(file=file, line=f"row {number}", name=str(column), then=before, anew=after)
        for number, old, new in islice(other, MOST_ROWS)
        for column, before, after in zip_longest(columns, old, new)
        if before != after
    ]


def _columns(rows: TableRows, names: AbstractSet[str]) -> TableRows:
    """Keep some columns of a table."""
    kept = [place for place, name in enumerate(rows[0]) if name in names]
    return [[row[place] for place in kept if place < len(row)] for row in rows]


def _values(statement: object) -> Iterator[tuple[Where, str]]:
    """Give every value of a statement by its place."""
    if not isinstance(statement, Mapping):
        return
    for name, inner in statement.items():
        if name in INVOICED and isinstance(inner, list):
            for center in inner:
                yield from _of_cost_center(center)
        else:
            yield from ((("", "", path), text) for path, text in _flat(name, inner))


def _of_cost_center(center: object) -> Iterator[tuple[Where, str]]:
    if not isinstance(center, Mapping):
        return
    names = (center.get(name) for name in ("number", "invoice", "code", "cost_center"))
    invoice = str(next(filter(None, names), None))
    for name, inner in center.items():
        if name == "lines" and isinstance(inner, list):
            yield from _of_lines(invoice, inner)
        else:
            yield from (((invoice, "", path), text) for path, text in _flat(name, inner))


def _of_lines(invoice: str, lines: Sequence[object]) -> Iterator[tuple[Where, str]]:
    """Name a line by what it charges, not by its number, which others move."""
    seen: Counter[str] = Counter()
    for line in lines:
        if isinstance(line, Mapping):
            label = _charged(line)
            seen.update([label])
            told = label if seen[label] == 1 else f"{label} ({seen[label]})"
            for name, inner in line.items():
                yield from (((invoice, told, path), text) for path, text in _flat(name, inner))


def _charged(line: Mapping[str, object]) -> str:
    """Say what a line charges: `usage devin`, `pool Shared tooling CC-9000`."""
    words = (line.get("kind"), line.get("product") or line.get("name"), line.get("counterpart"))
    return " ".join(str(word) for word in words if word)


def _flat(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Give the values within a value, each by its path."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}", inner)
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value, start=1):
            yield from _flat(f"{name}.{number}", inner)
    else:
        yield name, value if isinstance(value, str) else json.dumps(value)


def _shown(value: str | None) -> str:
    return "nothing" if value is None else value
