"""Who is charged by the rule of an organization, though rules for people rank first.

Somebody who drops out of the HR export is not unallocated: the next level decides, and charges
another cost center. So whoever has no rule of their own is listed, with what that comes to.

Law: a principal's amount on an invoice line is apportioned among its organizations and what their
own rules gave, so that rows of a line never come to more than the line says of the principal.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as MappingOf
from decimal import Decimal
from typing import NamedTuple

from reportgen.core.allocating.allocate import Choice, Timeline
from reportgen.core.allocating.match import Subject, subject_of
from reportgen.core.charging.charges import CycleCharges
from reportgen.core.charging.invoice import apportioned
from reportgen.core.model import Allocation, ByOrganization, InvoiceLine, LineKey, Mapping
from reportgen.core.money import ZERO, add, round_half_up, round_to_total

OWN_SECTIONS = {"users", "user_file", "service_users"}

Timelines = MappingOf[Subject, Timeline]


class _Way(NamedTuple):
    """How usage reached a cost center; all empty: by a rule of its principal's own."""

    org_id: str = ""
    rule: str = ""
    passed_on: str = ""


_OWN = _Way()
_Place = tuple[str, str, str, str, str, str, str]
"""The fields of a row before its figures."""
_Figures = tuple[Decimal, Decimal]
"""ACUs and exact amount, later the amount charged."""
_Ways = dict[_Way, _Figures]
_Lines = dict[tuple[str, LineKey], dict[tuple[str, str], _Ways]]
"""By cost center and line, whose usage came there by which ways: by kind and id."""


def by_organization(
    allocations: Iterable[Allocation],
    resolved: Timelines,
    charges: CycleCharges,
    mapping: Mapping,
    decimals: int,
) -> tuple[ByOrganization, ...]:
    """Give a row per principal, organization, product and cost center: largest amount first.

    None where organizations rank first, or where nobody at all has a rule of their own.
    """
    if not _meant_to_decide(mapping):
        return ()
    sums: dict[_Place, _Figures] = {}
    for key, (acus, amount) in _charged(_by_line(allocations, resolved), charges, decimals):
        before = sums.get(key, (ZERO, round_half_up(ZERO, decimals)))
        sums[key] = add(before[0], acus), add(before[1], amount)
    rows = [ByOrganization(*key, *figures) for key, figures in sorted(sums.items())]
    return tuple(sorted(rows, key=lambda row: (row.amount, row.acus), reverse=True))


def over_products(rows: Iterable[ByOrganization]) -> list[ByOrganization]:
    """Add up the products of each principal, organization and cost center: largest amount first."""
    sums: dict[tuple[str, ...], ByOrganization] = {}
    for row in rows:
        key = (*row[:3], *row[4:7])
        before = sums.get(key)
        sums[key] = (
            before._replace(acus=add(before.acus, row.acus), amount=add(before.amount, row.amount))
            if before
            else row._replace(product="")
        )
    merged = [row for _, row in sorted(sums.items())]
    return sorted(merged, key=lambda row: (row.amount, row.acus), reverse=True)


def _meant_to_decide(mapping: Mapping) -> bool:
    """Tell whether rules for people rank above those of organizations, and there are any."""
    levels = [level for level in mapping.precedence if level in {"user", "org"}]
    written = any(rule.section in OWN_SECTIONS for rule in mapping.rules)
    return levels == ["user", "org"] and (written or mapping.user_file is not None)


def _by_line(allocations: Iterable[Allocation], resolved: Timelines) -> _Lines:
    """Add up what whoever is charged by an organization used, on each line and by each way."""
    passing = {
        subject[1:3]
        for subject, timeline in resolved.items()
        if subject[2] and any(choice.level == "org" for choice in timeline.choices)
    }
    lines: _Lines = defaultdict(lambda: defaultdict(dict))
    for allocation in allocations:
        record = allocation.record
        who = record.principal_kind, record.principal_id
        if who not in passing or allocation.kind != "usage":
            continue
        way = _way(allocation, resolved[subject_of(record)].on(record.day))
        ways = lines[allocation.cost_center, _line_key(allocation)][who]
        acus, exact = ways.get(way, (ZERO, ZERO))
        ways[way] = add(acus, allocation.quantity), add(exact, allocation.exact_amount)
    return lines


def _way(allocation: Allocation, choice: Choice) -> _Way:
    if choice.level != "org":
        return _OWN
    return _Way(allocation.record.org_id, choice.rule, choice.passed_on)


def _line_key(allocation: Allocation) -> LineKey:
    return allocation.kind, allocation.record.product, allocation.unit_price


def _charged(
    lines: _Lines, charges: CycleCharges, decimals: int
) -> Iterator[tuple[_Place, _Figures]]:
    """Give each way of an organization what it bears of the lines: by the fields of a row."""
    for code, charged in charges.lines.items():
        for line in charged:
            people = lines.get((code, line.line_key))
            if people and line.of_usage:
                amounts = dict(apportioned(line, charges.detail[code], decimals))
                yield from _of_line(code, line, people, amounts, decimals)


def _of_line(
    code: str,
    line: InvoiceLine,
    people: MappingOf[tuple[str, str], _Ways],
    amounts: MappingOf[tuple[str, str, str], Decimal],
    decimals: int,
) -> Iterator[tuple[_Place, _Figures]]:
    for (kind, principal_id), ways in people.items():
        ordered = sorted(ways.items())
        exact = [figures[1] for _, figures in ordered]
        rounded = round_to_total(exact, amounts["", kind, principal_id], decimals)
        for (way, (acus, _)), amount in zip(ordered, rounded, strict=True):
            if way != _OWN:
                place = line.product, code, way.rule, way.passed_on
                yield (way.org_id, kind, principal_id, *place), (acus, amount)
