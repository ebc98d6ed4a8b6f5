"""Mapping rules applied to usage records: who bears what, and why.

Each record takes the first rule of the precedence that matches it on its day. A rule outside its dates falls
through to the next rule, `none` to the next level. What no rule covers is unallocated, with its cause; nothing is
ever dropped, so the quantities of a record's allocations add up to the record's.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from reportgen.core.match import Matcher, Subject
from reportgen.core.model import Allocation, DatedSplit, Directory, Level, Mapping, Rule, Share, Split, UsageRecord
from reportgen.core.money import ONE, ZERO, apportion, multiply
from reportgen.core.problem import Problem, quoted

_allocation = tuple.__new__
"""Makes a named tuple without the detour over its own constructor: they come by the million."""
UNRATED = (None, "", ZERO)

CAUSES = {
    "user": "unmapped user",
    "service_user": "unmapped service user",
    "organization": "unmapped organization",
    "": "no known user or organization",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What happens to a subject's records: the split with the rule (file:line), or the cause of its absence."""

    kind: Literal["usage", "unallocated"]
    split: Split
    rule: str = ""
    cause: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """A subject's choices: `choices[i]` holds from the billing day `starts[i]` on; `starts[0]` precedes all days."""

    starts: tuple[date, ...]
    choices: tuple[Choice, ...]

    def on(self, day: date) -> Choice:
        """Give the choice of a billing day."""
        if len(self.choices) == 1:
            return self.choices[0]
        return self.choices[bisect_right(self.starts, day) - 1]


def timelines(
    records: Iterable[UsageRecord], mapping: Mapping, directory: Directory
) -> tuple[dict[Subject, Timeline], list[Problem]]:
    """Resolve the rules once per subject, and report users whom two patterns match."""
    matcher = Matcher(mapping.rules, directory)
    subjects = sorted({record[2:6] for record in records})
    found = {subject: _timeline(matcher, mapping, subject) for subject in subjects}
    return found, _rival_patterns(matcher, sorted({subject[2] for subject in subjects if subject[1] == "user"}))


def allocate(records: Iterable[UsageRecord], resolved: MappingOf[Subject, Timeline]) -> Iterator[Allocation]:
    """Split each record among those who bear it, in the order of the records, then of the cost centers."""
    for record in records:
        day, quantity = record[0], record[6]
        choice = resolved[record[2:6]].on(day)
        what = choice.kind, choice.cause, choice.rule
        shares = choice.split.shares
        if len(shares) == 1:
            code, _, text = shares[0]
            yield _allocation(Allocation, (record, code, *what, text, quantity, *UNRATED))
            continue
        for (code, _, text), part in zip(shares, _parts(quantity, choice.split), strict=True):
            if part:
                yield _allocation(Allocation, (record, code, *what, text, part, *UNRATED))


def charged_after_close(allocations: Iterable[Allocation], mapping: Mapping) -> list[Problem]:
    """Report every rule that brings usage to a cost center after its last day."""
    closed = {center.code: center.closed for center in mapping.cost_centers if center.closed}
    first: dict[tuple[str, str], date] = {}
    for allocation in allocations if closed else ():
        last = closed.get(allocation.cost_center)
        if last and allocation.record.day > last:
            key = allocation.rule or mapping.unallocated_source, allocation.cost_center
            first[key] = min(first.get(key, date.max), allocation.record.day)
    return [
        Problem(
            source=source,
            message=f"cost center {quoted(code)} is closed after {closed[code]}, but has usage on {day}",
            hint="name another cost center from then on, or move `closed`",
        )
        for (source, code), day in sorted(first.items())
    ]


def _timeline(matcher: Matcher, mapping: Mapping, subject: Subject) -> Timeline:
    levels = [(level, matcher.candidates(level, subject)) for level in mapping.precedence]
    starts = {value.start for _, rules in levels for rule in rules for value in rule.values}
    ordered = tuple(sorted({date.min, *starts}))
    unallocated = _unallocated(mapping, subject)
    return Timeline(starts=ordered, choices=tuple(_choose(levels, day) or unallocated for day in ordered))


def _choose(levels: list[tuple[Level, list[Rule]]], day: date) -> Choice | None:
    for level, rules in levels:
        values = [value for rule in rules if (value := value_on(rule, day))]
        if level == "tag" and len({value.split for value in values}) > 1:
            continue
        if values and values[0].split:
            return Choice(kind="usage", split=values[0].split, rule=values[0].source)
    return None


def value_on(rule: Rule, day: date) -> DatedSplit | None:
    """Give what a rule says on a billing day; None before its first date."""
    index = bisect_right(rule.values, day, key=lambda value: value.start)
    return rule.values[index - 1] if index else None


def _unallocated(mapping: Mapping, subject: Subject) -> Choice:
    org_id, kind, _, _ = subject
    bearer = Share(mapping.unallocated or "", ONE, "1")
    cause = CAUSES[kind or ("organization" if org_id else "")]
    return Choice(kind="unallocated", split=Split(shares=(bearer,)), cause=cause)


def _parts(quantity: Decimal, split: Split) -> list[Decimal]:
    weights = [share.weight for share in split.shares]
    if split.by_weight:
        return apportion(quantity, weights)
    return [multiply(quantity, weight) for weight in weights]


def _rival_patterns(matcher: Matcher, users: Iterable[str]) -> list[Problem]:
    """Report patterns that could each decide a user, once for all their users: all patterns rank equal."""
    rivals: dict[tuple[str, str], tuple[Rule, Rule, list[str]]] = {}
    for user in users:
        patterns = matcher.patterns(user)
        if len(patterns) > 1 and not matcher.always_exact(user):
            first, second = sorted(patterns, key=lambda rule: rule.key)[:2]
            rivals.setdefault((first.key, second.key), (first, second, []))[2].append(user)
    return [
        Problem(
            source=second.source,
            message=f"user {quoted(found[0])}{f' (and {len(found) - 1} more)' if found[1:] else ''} "
            f"matches two patterns of equal rank, {quoted(first.key)} ({first.source}) and {quoted(second.key)}",
            hint="map the user by id or e-mail, or narrow one of the patterns",
        )
        for first, second, found in rivals.values()
    ]
