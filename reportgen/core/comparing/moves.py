"""Two allocations of the same evidence: which ACUs went from whom to whom, and by which rules.

The records need not be the same ones: a rule for a session cuts its own out of its owner's. What
cannot be matched within a record is matched with its sessions, then within its principal, and in
the end within its billing day and product, whose total is the same on both sides.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from reportgen.core.allocating.match import Subject, subject_of
from reportgen.core.model import Allocation, Cell
from reportgen.core.money import (
    SPLIT_QUANTUM,
    ZERO,
    add,
    apportion,
    decimals_of,
    multiply,
    quantum_of,
    subtract,
    total,
)

Parts = dict[str, tuple[str, Decimal, Decimal]]
"""What each cost center has of a record: by its code the rule, ACUs and exact amount."""
WIDER = (slice(4), slice(3), slice(1, 3), slice(0))
"""A record, its sessions, its principal, everything: slices of what the one before left."""


class Move(NamedTuple):
    """ACUs that another cost center bears, and what they cost, exactly; rules are file:line.

    Negative ones are a credit that went from giver to receiver.
    """

    giver: str
    receiver: str
    rule_before: str
    rule_after: str
    acus: Decimal
    exact_amount: Decimal


class _Side(NamedTuple):
    """A cost center that has fewer ACUs than before, or more: by how many, and by which rule."""

    code: str
    rule: str
    acus: Decimal
    exact_amount: Decimal


_Sides = tuple[list[_Side], list[_Side]]
"""Losses and gains."""


def moves(before: Iterable[Allocation], after: Iterable[Allocation]) -> list[Move]:
    """Give who took over ACUs from whom, the largest amount first, both rated by one card."""
    old, new = _by_record(before), _by_record(after)
    sums: dict[tuple[str, str, str, str], Move] = {}
    for cell in sorted({*old, *new}):
        for move in _moves_of_cell(old.get(cell, {}), new.get(cell, {})):
            way = move.giver, move.receiver, move.rule_before, move.rule_after
            sums[way] = _sum(sums[way], move) if way in sums else move
    moved = [move for _, move in sorted(sums.items()) if move.acus or move.exact_amount]
    return sorted(moved, key=lambda move: (move.exact_amount, move.acus), reverse=True)


def _sum(one: Move, more: Move) -> Move:
    return one._replace(
        acus=add(one.acus, more.acus), exact_amount=add(one.exact_amount, more.exact_amount)
    )


def _by_record(allocations: Iterable[Allocation]) -> dict[Cell, dict[Subject, Parts]]:
    by_cell: dict[Cell, dict[Subject, Parts]] = defaultdict(dict)
    for allocation in allocations:
        record = allocation.record
        parts = by_cell[record.day, record.product].setdefault(subject_of(record), {})
        _, acus, exact_amount = parts.get(allocation.cost_center, ("", ZERO, ZERO))
        figures = add(acus, allocation.quantity), add(exact_amount, allocation.exact_amount)
        parts[allocation.cost_center] = (allocation.rule, *figures)
    return by_cell


def _moves_of_cell(
    before: Mapping[Subject, Parts], after: Mapping[Subject, Parts]
) -> Iterator[Move]:
    """Match within each record first, then what is left of it with more and more of the others."""
    left: dict[tuple[str, ...], _Sides] = {}
    for subject in sorted({*before, *after}):
        old, new = before.get(subject, {}), after.get(subject, {})
        if _is_credit(old) and _acus(old) == _acus(new):
            opposite = _matched(*_sides(_negated(old), _negated(new)))
            yield from (_opposite(move) for move in opposite)
        elif any(sides := _sides(old, new)):
            left[subject] = sides
    for wider in WIDER:
        groups: dict[tuple[str, ...], _Sides] = defaultdict(lambda: ([], []))
        for place, (losses, gains) in left.items():
            groups[place[wider]][0].extend(losses)
            groups[place[wider]][1].extend(gains)
        for losses, gains in groups.values():
            yield from _matched(losses, gains)
        left = groups


def _is_credit(parts: Parts) -> bool:
    return any(acus < 0 for _, acus, _ in parts.values())


def _acus(parts: Parts) -> Decimal:
    return total(acus for _, acus, _ in parts.values())


def _negated(parts: Parts) -> Parts:
    return {
        code: (rule, acus.copy_negate(), exact_amount.copy_negate())
        for code, (rule, acus, exact_amount) in parts.items()
    }


def _opposite(move: Move) -> Move:
    return move._replace(acus=move.acus.copy_negate(), exact_amount=move.exact_amount.copy_negate())


def _sides(before: Parts, after: Parts) -> _Sides:
    """Give who has less of a record than before, and who has more, in the order of the codes."""
    losses, gains = [], []
    for code in sorted({*before, *after}):
        old_rule, old, old_amount = before.get(code, ("", ZERO, ZERO))
        new_rule, new, new_amount = after.get(code, ("", ZERO, ZERO))
        if new < old:
            losses.append(
                _Side(code, old_rule, subtract(old, new), subtract(old_amount, new_amount))
            )
        elif new > old:
            gains.append(
                _Side(code, new_rule, subtract(new, old), subtract(new_amount, old_amount))
            )
    return losses, gains


def _matched(losses: list[_Side], gains: list[_Side]) -> Iterator[Move]:
    """Hand what was lost to who gained, in order; what finds no counterpart stays in the lists.

    What a cost center lost in one record and gained in another has not moved.
    """
    for code in sorted({loss.code for loss in losses} & {gain.code for gain in gains}):
        own_losses, own_gains = _parted(losses, code), _parted(gains, code)
        for _ in _paired(own_losses, own_gains):
            pass
        losses.extend(own_losses)
        gains.extend(own_gains)
    yield from _paired(losses, gains)


def _parted(sides: list[_Side], code: str) -> list[_Side]:
    """Take the sides of a cost center out of a list."""
    own = [side for side in sides if side.code == code]
    sides[:] = [side for side in sides if side.code != code]
    return own


def _paired(losses: list[_Side], gains: list[_Side]) -> Iterator[Move]:
    while losses and gains:
        loss, gain = losses[0], gains[0]
        acus = min(loss.acus, gain.acus)
        amount, gains[:1] = _taken(gain, acus)
        _, losses[:1] = _taken(loss, acus)
        yield Move(loss.code, gain.code, loss.rule, gain.rule, acus, amount)


def _taken(side: _Side, acus: Decimal) -> tuple[Decimal, list[_Side]]:
    """Give what so many of a side's ACUs cost, and what is left of it."""
    if acus == side.acus:
        return side.exact_amount, []
    left = subtract(side.acus, acus)
    fine = multiply(quantum_of(decimals_of(left)), SPLIT_QUANTUM)  # ACUs at any price
    amount, rest = apportion(side.exact_amount, [acus, left], fine)
    return amount, [side._replace(acus=left, exact_amount=rest)]
