"""Who used ACUs in a cycle, what that came to, and who is charged for it today.

The rows are what somebody sees who has to say where people belong: whoever has no rule of their own
comes first, the largest amount at the front. A suggestion is only made where nothing speaks for
another cost center.

Law: the amounts are apportioned from the lines of usage, so that they never come to more than the
lines do.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple, TypeVar

from reportgen.core.allocating.allocate import value_on
from reportgen.core.allocating.directory import principal_of
from reportgen.core.allocating.match import Matcher
from reportgen.core.allocating.unallocated import Orphan, Suggestions
from reportgen.core.charging.charges import CycleCharges
from reportgen.core.charging.invoice import apportioned
from reportgen.core.cycle import day_before
from reportgen.core.model import (
    Allocation,
    CostCenter,
    DatedSplit,
    Directory,
    Entry,
    Mapping,
    Rule,
    Split,
)
from reportgen.core.money import EXACT, ZERO, add, plain, round_half_up
from reportgen.core.text import address, legible, visible

SumKey = TypeVar("SumKey", str, tuple[str, str])
NONE = "none"
"""Stands for the cost center where the next level decides."""


class Placement(NamedTuple):
    """Who bears somebody's usage: the whole, or a `share` such as `60%`, between two days.

    `start` and `until` are None where there is no such day; `until` is the last day.
    """

    cost_center: str
    start: date | None = None
    until: date | None = None
    share: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedPerson:
    """Somebody who used ACUs, or who stands in the user file.

    `key` is what the user file calls them by. `charged_to` and `rules` (file:line) are those of the
    cycle, the largest part first; `placements` are what a rule of their own says, as far as a user
    file can say it, and `own_rule` tells whether it decides whenever they used something.
    """

    key: str
    name: str = ""
    email: str = ""
    organizations: tuple[str, ...] = ()
    acus: Decimal = ZERO
    amount: Decimal = ZERO
    charged_to: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    suggestion: str = ""
    own_rule: bool = False
    placements: tuple[Placement, ...] = ()


@dataclass(kw_only=True, slots=True)
class _Used:
    """What somebody's allocations add up to, by what is shown of them."""

    acus: Decimal = ZERO
    days: set[date]
    by_organization: dict[str, Decimal]
    by_way: dict[tuple[str, str], Decimal]
    """By cost center and rule."""


def people(
    allocations: Iterable[Allocation],
    charges: CycleCharges,
    mapping: Mapping,
    directory: Directory,
    *,
    decimals: int,
    day: date,
) -> list[ListedPerson]:
    """List every user of a cycle; suggestions repeat what the mapping says on `day`."""
    used = _used(allocations)
    amounts = _amounts(charges, decimals)
    matcher = Matcher(mapping.rules, directory)
    suggest = _Suggestions(mapping, directory, day)
    nothing = round_half_up(ZERO, decimals)
    rows = [
        _person(user_id, sums, amounts.get(user_id, nothing), matcher, directory, suggest)
        for user_id, sums in used.items()
    ]
    rows.sort(key=lambda row: row.key)
    rows.sort(key=lambda row: (row.amount, row.acus), reverse=True)
    return sorted(rows, key=lambda row: row.own_rule)


def kept(mapping: Mapping, listed: Iterable[ListedPerson]) -> list[ListedPerson]:
    """List who stands in the user file beside those who are listed already, in its order of keys.

    They stay in it: who used nothing in this cycle may do so in the next.
    """
    named = {key for person in listed for key in (person.key, address(person.email))}
    names = mapping.user_file.names if mapping.user_file else {}
    return [
        ListedPerson(
            key=rule.key,
            name=legible(names.get(rule.key, "")),
            email=rule.key if "@" in rule.key else "",
            own_rule=True,
            placements=tuple(_placements(rule)),
        )
        for rule in mapping.rules
        if rule.section == "user_file" and rule.key not in named
    ]


def _used(allocations: Iterable[Allocation]) -> dict[str, _Used]:
    """Add up what users used, by their ids; service users are no people."""
    used: dict[str, _Used] = {}
    for allocation in allocations:
        record = allocation.record
        if record.principal_kind != "user":
            continue
        if record.principal_id not in used:
            sums = _Used(days=set(), by_organization={}, by_way={})
            used[record.principal_id] = sums
        sums, quantity = used[record.principal_id], allocation.quantity
        sums.acus = add(sums.acus, quantity)
        sums.days.add(record.day)
        way = allocation.cost_center, allocation.rule
        sums.by_way[way] = add(sums.by_way.get(way, ZERO), quantity)
        if record.org_id:
            before = sums.by_organization.get(record.org_id, ZERO)
            sums.by_organization[record.org_id] = add(before, quantity)
    return used


def _amounts(charges: CycleCharges, decimals: int) -> dict[str, Decimal]:
    """Add up the part of each user in every line of usage, those of nobody included."""
    amounts: dict[str, Decimal] = defaultdict(lambda: round_half_up(ZERO, decimals))
    for code, lines in charges.lines.items():
        for line in lines:
            for (_, kind, user_id), amount in (
                apportioned(line, charges.detail.get(code, ()), decimals) if line.of_usage else ()
            ):
                if kind == "user":
                    amounts[user_id] = add(amounts[user_id], amount)
    return amounts


def _person(
    user_id: str,
    used: _Used,
    amount: Decimal,
    matcher: Matcher,
    directory: Directory,
    suggest: "_Suggestions",
) -> ListedPerson:
    entry = directory.entries.get(principal_of("user", user_id)) or Entry(
        principal=principal_of("user", user_id)
    )
    rules = matcher.candidates("user", ("", "user", user_id, ""))
    decisive = _decisive(rules, max(used.days))
    own_rule = all(any(value_on(rule, day) for rule in rules) for day in used.days)
    ways = _largest_first(used.by_way)
    return ListedPerson(
        key=key_of(user_id, entry.email or ""),
        name=legible(entry.name or ""),
        email=legible(visible(entry.email or "")),
        organizations=tuple(
            legible(directory.organizations.get(org_id, org_id))
            for org_id in _largest_first(used.by_organization)
        ),
        acus=used.acus,
        amount=amount,
        charged_to=tuple(dict.fromkeys(code for code, _ in ways if code)),
        rules=tuple(dict.fromkeys(rule for _, rule in ways if rule)),
        suggestion="" if own_rule else suggest.code(user_id, used.by_organization),
        own_rule=own_rule,
        placements=tuple(_placements(decisive)) if decisive else (),
    )


def key_of(user_id: str, email: str) -> str:
    """Give what a user file calls somebody by: the id, as long as it reads back as the same.

    An id with an @ is read as an address, in one case.
    """
    read_back = legible(address(user_id) if "@" in user_id else visible(user_id))
    return user_id if read_back == user_id or not email else legible(visible(email))


def _largest_first(sums: MappingOf[SumKey, Decimal]) -> list[SumKey]:
    return sorted(sorted(sums), key=lambda key: sums[key], reverse=True)


def _decisive(rules: Sequence[Rule], day: date) -> Rule | None:
    """Give the rule of their own that speaks on a day, else the first that is there."""
    return next((rule for rule in rules if value_on(rule, day)), next(iter(rules), None))


# What a rule says, as rows of a user file


def _placements(rule: Rule) -> Iterator[Placement]:
    """Give the values of a rule; nothing of one whose shares are weights, as rows have percent."""
    if any(value.split and _by_weight(value.split) for value in rule.values):
        return
    ends = [*(value.start for value in rule.values[1:]), None]
    silent = [*(value.silent for value in rule.values[1:]), False]
    for value, end, ended in zip(rule.values, ends, silent, strict=True):
        until = day_before(end) if end and ended else None
        start = None if value.start == date.min else value.start
        for code, share in _parts(value):
            yield Placement(code, start, until, share)


def _parts(value: DatedSplit) -> Iterator[tuple[str, str]]:
    """Give the cost centers of a value, each with its share; one that bears the whole has none."""
    if value.flaw:
        yield from [(value.flaw.word, "")] if value.flaw.kind in {"undeclared", "several"} else ()
    elif value.split is None:
        yield from () if value.silent else [(NONE, "")]
    elif len(value.split.shares) == 1:
        yield value.split.shares[0].cost_center, ""
    else:
        for code, weight, _ in value.split.shares:
            yield code, f"{plain(weight.scaleb(2, EXACT))}%"


def _by_weight(split: Split) -> bool:
    return split.by_weight and len(split.shares) > 1


# What is suggested


class _Suggestions:
    """What can be said of whoever has no rule of their own, where nothing speaks against it."""

    def __init__(self, mapping: Mapping, directory: Directory, day: date) -> None:
        self._suggestions = Suggestions(mapping, directory, day)
        self._directory = directory
        self._open = {
            center.code
            for center in mapping.cost_centers
            if center.closed is None or center.closed >= day
        }
        self._by_name = _by_name(mapping.cost_centers)

    def code(self, user_id: str, organizations: Iterable[str]) -> str:
        """Give the cost center of who is called the same, or of the organization's name.

        Where the two differ, nothing is certain.
        """
        same = self._suggestions.code(Orphan("", "user", user_id))
        named = self._named(list(organizations))
        told = {code for code in (same, named) if code in self._open}
        return told.pop() if len(told) == 1 else ""

    def _named(self, organizations: Sequence[str]) -> str:
        """Give the cost center that is called like the only organization somebody worked in."""
        if len(organizations) != 1:
            return ""
        name = self._directory.organizations.get(organizations[0], "")
        return self._by_name.get(_words(name), "")


def _by_name(centers: Iterable[CostCenter]) -> dict[str, str]:
    """Give the code of each cost center by its name, as far as no other has the same."""
    codes: dict[str, list[str]] = defaultdict(list)
    for center in centers:
        codes[_words(center.name)].append(center.code)
    return {name: own[0] for name, own in codes.items() if name and len(own) == 1}


def _words(name: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", name.casefold()))
