"""Mapping rules applied to usage records: who bears what, and why.

Each record takes the first rule of the precedence that matches it on its day. A rule outside its
dates falls through to the next rule, `none` to the next level. What no rule covers is unallocated,
with its cause; nothing is ever dropped, so the quantities of a record's allocations add up to the
record's.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from reportgen.core.allocating.directory import principal_of
from reportgen.core.allocating.match import Matcher, Subject, subject_of
from reportgen.core.model import (
    Allocation,
    DatedSplit,
    Directory,
    Flaw,
    Level,
    Mapping,
    Rule,
    Share,
    Split,
    UsageRecord,
)
from reportgen.core.money import ONE, ZERO, add, apportion, both_sides, multiply, shown, total
from reportgen.core.problem import Problem, file_and_line
from reportgen.core.text import quoted, some

Levels = list[tuple[Level, list[Rule]]]
"""The rules that match a subject, by the levels of the precedence, the first at the front."""

CAUSES = {
    "user": "unmapped user",
    "service_user": "unmapped service user",
    "organization": "unmapped organization",
    "": "no known user or organization",
}
MAP_IT = "map it, or leave it to who bears the unallocated"
FILL_IN = "name a cost center in the user file, or leave it to who bears the unallocated"
NOT_TO_BE_MAPPED = "no rule can name it: `unallocated` says who bears it"
MOST_TOLD = 12
"""So many without a rule are told one by one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What happens to a subject's records: the split with the rule (file:line), or why none is.

    `level` is that of the rule; where a `none` for the user left it to that level, `passed_on` is
    its file:line. `flaws` are of the rows of the HR export that were needed for it.
    """

    kind: Literal["usage", "unallocated"]
    split: Split
    rule: str = ""
    level: Level | None = None
    passed_on: str = ""
    cause: str = ""
    flaws: tuple[Flaw, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """A subject's choices: `choices[i]` holds from day `starts[i]` on; `starts[0]` precedes all."""

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
    first_use: dict[Subject, date] = {}
    for record in records:
        subject = subject_of(record)
        if record.day < first_use.get(subject, date.max):
            first_use[subject] = record.day
    resolved = {subject: _timeline(matcher, mapping, subject) for subject in sorted(first_use)}
    return resolved, _rival_patterns(matcher, first_use) if "user" in mapping.precedence else []


def allocate(
    records: Iterable[UsageRecord], resolved: MappingOf[Subject, Timeline]
) -> Iterator[Allocation]:
    """Split each record among those who bear it, in the order of records, then cost centers."""
    for record in records:
        choice = resolved[subject_of(record)].on(record.day)
        shares = choice.split.shares
        if len(shares) == 1:
            yield _allocation(record, choice, shares[0], record.quantity)
            continue
        for share, part in zip(shares, _parts(record.quantity, choice.split), strict=True):
            if part:
                yield _allocation(record, choice, share, part)


def timeline_of(matcher: Matcher, mapping: Mapping, subject: Subject) -> Timeline:
    """Resolve the rules for one subject."""
    return _timeline(matcher, mapping, subject)


def borne(acus: Decimal, split: Split) -> Iterator[tuple[str, Decimal]]:
    """Give each cost center of a split its part."""
    if len(split.shares) == 1:
        yield split.shares[0].cost_center, acus
        return
    for share, part in zip(split.shares, _parts(acus, split), strict=True):
        yield share.cost_center, part


def _allocation(record: UsageRecord, choice: Choice, share: Share, quantity: Decimal) -> Allocation:
    """Give a part of a record; `tuple.__new__` spares a constructor: there are millions."""
    what = choice.kind, choice.cause, choice.rule
    whose = record, share.cost_center, *what, share.text, quantity
    return tuple.__new__(Allocation, (*whose, None, "", ZERO))


def flaws_met(records: Iterable[UsageRecord], resolved: MappingOf[Subject, Timeline]) -> set[Flaw]:
    """Give the flaws of those rows of the HR export that usage needs."""
    flawed = {
        subject: timeline
        for subject, timeline in resolved.items()
        if any(choice.flaws for choice in timeline.choices)
    }
    met: set[Flaw] = set()
    for record in records if flawed else ():
        if timeline := flawed.get(subject_of(record)):
            met.update(timeline.on(record.day).flaws)
    return met


def unmapped(
    allocations: Iterable[Allocation], directory: Directory, mapping: Mapping
) -> list[Problem]:
    """Warn of everybody and everything that used ACUs which no rule assigns, the largest first.

    Of very many the smaller ones are told in one line.
    """
    acus: dict[tuple[str, str, str, str], list[Decimal]] = defaultdict(list)
    for allocation in allocations:
        if allocation.kind == "unallocated":
            org_id, kind, principal_id, _ = subject_of(allocation.record)
            key = allocation.cause, kind, principal_id, "" if principal_id else org_id
            acus[key].append(allocation.quantity)
    ordered = sorted(acus.items(), key=lambda one: (_gross(one[1]), one[0]), reverse=True)
    alone = [
        (_named(*key, directory), quantities, _remedy(*key[1:], mapping))
        for key, quantities in ordered[:MOST_TOLD]
    ]
    if rest := ordered[MOST_TOLD:]:
        quantities = [quantity for _, own in rest for quantity in own]
        hint = "`reportgen people` lists people, `unallocated.csv` of a draft all of them"
        alone.append((f"and {len(rest)} more without a rule", quantities, hint))
    return [
        Problem(
            source=mapping.unallocated_source,
            message=f"{name}: {both_sides(quantities)} ACUs that no rule assigns",
            hint=hint,
            warning=True,
            code="usage-unmapped",
        )
        for name, quantities, hint in alone
    ]


def _remedy(kind: str, principal_id: str, org_id: str, mapping: Mapping) -> str:
    """Say what brings usage to a cost center: people stand in the user file, where there is one."""
    if not (principal_id or org_id):
        return NOT_TO_BE_MAPPED
    return FILL_IN if kind == "user" and mapping.user_file else MAP_IT


def _gross(quantities: Iterable[Decimal]) -> Decimal:
    """Add up sizes, so that a credit never hides what it is set against."""
    return total(quantity.copy_abs() for quantity in quantities)


def date_gaps(
    records: Sequence[UsageRecord], mapping: Mapping, directory: Directory
) -> list[Problem]:
    """Warn of each key that is late; those of the HR export are told together, and elsewhere."""
    missed = late_rules(records, mapping, directory)
    return [_gap(rule, days) for rule, days in missed if rule.section != "user_file"]


def late_rules(
    records: Sequence[UsageRecord], mapping: Mapping, directory: Directory
) -> list[tuple[Rule, MappingOf[date, Decimal]]]:
    """Give the keys whose first date comes after days on which those they match used ACUs.

    The ACUs of those days, which so fell through, are beside them. What a level above or a key
    beside it decides is no gap, nor is a key that begins with `none`.
    """
    first = min((record.day for record in records), default=date.max)
    return _missed(
        records, mapping, directory, lambda levels: _with_late_keys(levels, first), _not_begun
    )


def ended_rules(
    records: Sequence[UsageRecord], mapping: Mapping, directory: Directory
) -> list[tuple[Rule, MappingOf[date, Decimal]]]:
    """Give the keys that say nothing any more on days on which those they match used ACUs.

    As with `late_rules`, what a level above or a key beside it decides is no gap.
    """
    return _missed(records, mapping, directory, _with_ends, _silent)


def _missed(
    records: Sequence[UsageRecord],
    mapping: Mapping,
    directory: Directory,
    narrowed: Callable[[Levels], Levels],
    missing: Callable[[Levels, date], Iterable[Rule]],
) -> list[tuple[Rule, MappingOf[date, Decimal]]]:
    """Add up the ACUs of the days on which a key is `missing`, by key, in their order.

    The levels of a subject are `narrowed` once, so that most records cost nothing.
    """
    matcher = Matcher(mapping.rules, directory)
    levels: dict[Subject, Levels] = {}
    missed: dict[tuple[str, str], tuple[Rule, dict[date, Decimal]]] = {}
    for record in records:
        subject = subject_of(record)
        if subject not in levels:
            levels[subject] = narrowed(_levels(matcher, mapping, subject))
        for rule in missing(levels[subject], record.day):
            _, days = missed.setdefault((rule.section, rule.key), (rule, {}))
            days[record.day] = add(days.get(record.day, ZERO), record.quantity)
    return [missed[key] for key in sorted(missed)]


def _with_late_keys(levels: Levels, first: date) -> Levels:
    """Keep the levels where some key begins after the first day of usage; else none can be late."""
    late = any(rule.values[0].start > first for _, rules in levels for rule in rules)
    return levels if late else []


def _not_begun(levels: Levels, day: date) -> Iterator[Rule]:
    """Give the key of each level that would have decided, had it begun by then."""
    for level, rules in levels:
        if _choose([(level, rules)], day):
            return
        if all(day < rule.values[0].start for rule in rules):
            yield from [rule for rule in rules if rule.values[0].split][:1]


def _with_ends(levels: Levels) -> Levels:
    """Keep the levels where some key ends; else there is nothing to miss."""
    ends = any(_is_end(value) for _, rules in levels for rule in rules for value in rule.values)
    return levels if ends else []


def _silent(levels: Levels, day: date) -> Iterator[Rule]:
    """Give the key of each level that has ended by a day, where no other of the level speaks."""
    for level, rules in levels:
        if _choose([(level, rules)], day):
            return
        if not any(value_on(rule, day) for rule in rules):
            written = ((rule, _written_on(rule, day)) for rule in rules)
            yield from [rule for rule, value in written if value and _is_end(value)][:1]


def _is_end(value: DatedSplit) -> bool:
    """Tell whether a value is where what a key said has ended."""
    return value.silent and value.flaw is None


def _gap(rule: Rule, days: MappingOf[date, Decimal]) -> Problem:
    first, last = min(days), max(days)
    when = f"on {first}" if first == last else f"on {len(days)} days from {first} to {last}"
    return Problem(
        source=rule.source,
        message=f"{quoted(rule.key)} in {rule.section} holds from {rule.values[0].start} on: "
        f"{shown(total(days.values()))} ACUs {when} fell through to the next level",
        hint="give its first value an earlier date, "
        "or write `none` from an earlier date if that is meant",
        warning=True,
        code="rule-begins-late",
    )


def _named(cause: str, kind: str, principal_id: str, org_id: str, directory: Directory) -> str:
    """Name an orphan by its cause, its id and what else is known of it."""
    if org_id:
        return f"{cause} {quoted(org_id)} ({directory.organizations.get(org_id, org_id)})"
    if not principal_id:
        return cause
    entry = directory.entries.get(principal_of(kind, principal_id))
    known = ", ".join(filter(None, (entry.name, entry.email))) if entry else ""
    return f"{cause} {quoted(principal_id)}{f' ({known})' if known else ''}"


def charged_after_close(allocations: Iterable[Allocation], mapping: Mapping) -> list[Problem]:
    """Report every rule that brings usage to a cost center after its last day."""
    closed = {center.code: center.closed for center in mapping.cost_centers if center.closed}
    first: dict[tuple[str, str], date] = {}
    for allocation in allocations if closed else ():
        last = closed.get(allocation.cost_center)
        if last and allocation.record.day > last:
            key = allocation.rule or mapping.unallocated_source, allocation.cost_center
            first[key] = min(first.get(key, date.max), allocation.record.day)
    told: dict[tuple[str, str], list[tuple[str, date]]] = {}
    for (source, code), day in sorted(
        first.items(), key=lambda charged: file_and_line(charged[0][0])
    ):
        told.setdefault((code, _once_told(source, mapping)), []).append((source, day))
    return [_charged_late(code, closed[code], rules) for (code, _), rules in told.items()]


def _once_told(source: str, mapping: Mapping) -> str:
    """Give what is told once: each rule of the mapping, but the HR export as a whole."""
    name, _ = file_and_line(mapping.user_file.source) if mapping.user_file else ("", 0)
    return name if source.startswith(f"{name}:") else source


def _charged_late(code: str, last: date, rules: Sequence[tuple[str, date]]) -> Problem:
    (source, day), others = rules[0], [source for source, _ in rules[1:]]
    likewise = f", likewise by {some(others)}" if others else ""
    message = f"cost center {quoted(code)} is closed after {last}, but has usage on {day}"
    return Problem(
        source=source,
        message=f"{message}{likewise}",
        hint="name another cost center from then on, or move `closed`",
    )


def _timeline(matcher: Matcher, mapping: Mapping, subject: Subject) -> Timeline:
    levels = _levels(matcher, mapping, subject)
    starts = {value.start for _, rules in levels for rule in rules for value in rule.values}
    ordered = tuple(sorted({date.min, *starts}))
    unallocated = _unallocated(mapping, subject)
    choices = [_choose(levels, day) or unallocated for day in ordered]
    if any(value.flaw for _, rules in levels for rule in rules for value in rule.values):
        choices = [
            replace(choice, flaws=_flaws(levels, day))
            for day, choice in zip(ordered, choices, strict=True)
        ]
    return Timeline(starts=ordered, choices=tuple(choices))


def _levels(matcher: Matcher, mapping: Mapping, subject: Subject) -> Levels:
    return [(level, matcher.candidates(level, subject)) for level in mapping.precedence]


def _choose(levels: Levels, day: date) -> Choice | None:
    passed_on = ""
    for level, rules in levels:
        values = [value for rule in rules if (value := value_on(rule, day))]
        if level == "tag" and len({value.split for value in values}) > 1:
            continue
        if values and values[0].split:
            split, rule = values[0].split, values[0].source
            return Choice(kind="usage", split=split, rule=rule, level=level, passed_on=passed_on)
        if values and level == "user":
            passed_on = values[0].source
    return None


def _flaws(levels: Levels, day: date) -> tuple[Flaw, ...]:
    """Give the flaws of the values that are asked on a billing day before one decides."""
    flaws: list[Flaw] = []
    for level, rules in levels:
        for value in filter(None, (_written_on(rule, day) for rule in rules)):
            if value.flaw:
                flaws.append(value.flaw)
            if not value.silent:
                break
        if _choose([(level, rules)], day):
            break
    return tuple(flaws)


def value_on(rule: Rule, day: date) -> DatedSplit | None:
    """Give what a rule says on a day; None where it says nothing, as before its first date."""
    value = _written_on(rule, day)
    return None if value is None or value.silent else value


def _written_on(rule: Rule, day: date) -> DatedSplit | None:
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


def _rival_patterns(matcher: Matcher, first_use: MappingOf[Subject, date]) -> list[Problem]:
    """Report patterns that could each decide a user, once for all: patterns rank equal."""
    rivals: dict[tuple[str, str], tuple[Rule, Rule, list[str]]] = {}
    users: dict[str, date] = {}
    for (_, kind, user, _), day in first_use.items():
        if kind == "user":
            users[user] = min(day, users.get(user, day))
    for user, day in sorted(users.items()):
        patterns = matcher.patterns(user)
        if len(patterns) > 1 and not matcher.exact_since(user, day):
            first, second = sorted(patterns, key=lambda rule: rule.key)[:2]
            rivals.setdefault((first.key, second.key), (first, second, []))[2].append(user)
    return [
        Problem(
            source=second.source,
            message=f"user {quoted(users_of_both[0])}{_and_more(users_of_both)} "
            f"matches two patterns of equal rank, {quoted(first.key)} ({first.source}) "
            f"and {quoted(second.key)}",
            hint="map the user by id or e-mail, or narrow one of the patterns",
        )
        for first, second, users_of_both in rivals.values()
    ]


def _and_more(users: Sequence[str]) -> str:
    return f" (and {len(users) - 1} more)" if len(users) > 1 else ""
