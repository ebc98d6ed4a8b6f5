"""Whose usage another cost center bears than in the cycle before, and by which rule.

Somebody has moved where a cost center bears their ACUs that bore none before, and others did. What
moved is what that cost center bears of theirs now, as its invoice shows it by user. Somebody has
arrived where no cost center bore anything of theirs, and departed where none bears anything now:
what moved is then what they came to before, by the exact amounts.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from collections.abc import Mapping as MappingOf
from collections.abc import Set as AbstractSet
from decimal import Decimal

from reportgen.core.allocating.directory import principal_of
from reportgen.core.charging.charges import CycleCharges
from reportgen.core.charging.invoice import by_principal
from reportgen.core.model import Allocation, CycleTotals, Moved, Principal, PrincipalUsage
from reportgen.core.money import round_half_up, total
from reportgen.core.problem import file_and_line

_Borne = dict[Principal, dict[str, PrincipalUsage]]
"""What each cost center bears of somebody, by its code; nobody's is empty."""


def moved(
    before: CycleTotals, allocations: Iterable[Allocation], charges: CycleCharges, decimals: int
) -> tuple[tuple[Moved, ...], tuple[Moved, ...], tuple[Moved, ...]]:
    """Give who moved and who arrived, a row per cost center, and who departed; the largest first.

    Where nobody's usage is known of the cycle before, nobody is told to be new.
    """
    borne, held = _borne(charges, decimals), _held(before)
    new = {
        (principal, code)
        for principal, usages in (borne if held else {}).items()
        for code in set(usages).difference(held.get(principal, ()))
    }
    rules = _rules(allocations, new)
    rows = [
        _moved(
            principal, code, held.get(principal, set()), borne[principal], rules[principal, code]
        )
        for principal, code in sorted(new)
    ]
    rows.sort(key=_size, reverse=True)
    return (
        tuple(row for row in rows if row.givers),
        tuple(row for row in rows if not row.givers),
        tuple(sorted(_departed(before, held, borne, decimals), key=_size, reverse=True)),
    )


def _size(row: Moved) -> tuple[Decimal, Decimal]:
    return row.amount, row.acus


def _departed(
    before: CycleTotals,
    held: MappingOf[Principal, AbstractSet[str]],
    borne: Container[Principal],
    decimals: int,
) -> Iterator[Moved]:
    """Give those of whom there is nothing any more, and what is known of before."""
    for principal, codes in sorted(held.items()):
        if principal in borne:
            continue
        used = [before.cost_centers[code].used.get(principal) for code in sorted(codes)]
        if None not in used:
            amount = round_half_up(total(one.amount for one in used if one), decimals)
            acus = total(one.acus for one in used if one)
            yield Moved(*principal, tuple(sorted(codes)), "", (), acus, amount)


def _borne(charges: CycleCharges, decimals: int) -> _Borne:
    borne: _Borne = defaultdict(dict)
    for code, detail in charges.detail.items():
        for usage in by_principal(charges.lines.get(code, ()), detail, decimals):
            if usage.principal_id and (usage.acus or usage.amount):
                principal = principal_of(usage.principal_kind, usage.principal_id)
                borne[principal][code] = usage
    return borne


def _held(before: CycleTotals) -> dict[Principal, set[str]]:
    """Give the cost centers that bore somebody's usage in the cycle before."""
    held: dict[Principal, set[str]] = defaultdict(set)
    for code, totals in before.cost_centers.items():
        for principal in totals.principals:
            held[principal].add(code)
    return dict(held)


def _rules(
    allocations: Iterable[Allocation], asked: AbstractSet[tuple[Principal, str]]
) -> MappingOf[tuple[Principal, str], set[str]]:
    """Give the rules by which usage came to a cost center; none where no rule assigns it."""
    rules: dict[tuple[Principal, str], set[str]] = defaultdict(set)
    for allocation in allocations if asked else ():
        record = allocation.record
        if record.principal_id:
            principal = principal_of(record.principal_kind, record.principal_id)
            if (principal, allocation.cost_center) in asked and allocation.rule:
                rules[principal, allocation.cost_center].add(allocation.rule)
    return rules


def _moved(
    principal: Principal,
    code: str,
    held: AbstractSet[str],
    borne: MappingOf[str, PrincipalUsage],
    rules: AbstractSet[str],
) -> Moved:
    """Name as givers those that bear nothing any more; all that bore something where none is."""
    givers = set(held).difference(borne) or held
    usage = borne[code]
    return Moved(
        *principal, tuple(sorted(givers)), code, _in_order(rules), usage.acus, usage.amount
    )


def _in_order(rules: AbstractSet[str]) -> tuple[str, ...]:
    return tuple(sorted(rules, key=file_and_line))
