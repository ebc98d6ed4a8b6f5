"""What the rows of the HR export come to in a cycle, once it is known who used something.

The export is another system's list of a whole company, which nobody here can mend: what is wrong in
a row matters where usage needs the row. There it is a mistake, or a warning where the rest of the
mapping can decide; all other rows are counted in one line. Each kind is told once, with a few rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

from reportgen.core.allocating.allocate import ended_rules, late_rules
from reportgen.core.cycle import BillingCycle, day_before
from reportgen.core.model import DatedSplit, Directory, Entry, Flaw, Mapping, Rule, UsageRecord
from reportgen.core.money import shown, total
from reportgen.core.problem import Problem, file_and_line
from reportgen.core.text import address, did_you_mean, quoted, some


def told_once(flaws: Iterable[Flaw], mapping: Mapping) -> list[Problem]:
    """Give a problem per kind of flaw: the first row's, which names a few of the others."""
    codes = [center.code for center in mapping.cost_centers]
    ordered = sorted(flaws, key=lambda flaw: (flaw.kind, _line(flaw), flaw.word))
    return [_told(list(alike), codes) for _, alike in groupby(ordered, key=lambda flaw: flaw.kind)]


def unneeded(
    mapping: Mapping, met: AbstractSet[Flaw], cycle: BillingCycle | None = None
) -> dict[str, Flaw]:
    """Give a flaw by the key of each rule whose rows cannot be used and usage did not meet.

    With a cycle, only rows that are in force in it count.
    """
    flaws = {rule.key: _flaws_of(rule, cycle) for rule in _rules(mapping)}
    return {key: own[0] for key, own in flaws.items() if own and met.isdisjoint(own)}


def counted(flaws: MappingOf[str, Flaw], when: str, hint: str) -> list[Problem]:
    """Warn in one line of people whose rows cannot be used; `when` ends the sentence about them."""
    if not flaws:
        return []
    ordered = sorted(flaws.items(), key=lambda keyed: (_line(keyed[1]), keyed))
    named = some(ordered, lambda keyed: f"{quoted(keyed[0])} ({_reason(keyed[1])})")
    people = "1 person of the user file has" if len(flaws) == 1 else _people(len(flaws))
    message = f"{people} no cost center there that can be charged{when}: {named}"
    return [
        Problem(
            source=ordered[0][1].problem.source,
            message=message,
            hint=hint,
            warning=True,
            code="user-file-row-unusable",
        )
    ]


def not_in_force(mapping: Mapping, cycle: BillingCycle) -> list[Problem]:
    """Warn of an HR export of which no row is in force in a cycle: it may be of another day."""
    file = mapping.user_file
    values = [(value, end) for rule in _rules(mapping) for value, end in _held(rule)]
    if not file or any(_in_force(*held, cycle) for held in values):
        return []
    if not values:
        message, hint = "the user file says nothing of anybody", "export it again"
        return [
            Problem(
                source=file.source,
                message=message,
                hint=hint,
                warning=True,
                code="user-file-without-rows",
            )
        ]
    begun = sorted(value.start for value, _ in values if value.start >= cycle.end)
    ended = sorted(end for _, end in values if end <= cycle.start)
    rows = "its only row is not" if file.rows == 1 else f"none of its {file.rows} rows is"
    message = ", ".join(
        (
            f"the user file does not reach this cycle: {rows} in force in it",
            *(f"the earliest holds from {day} on" for day in begun[:1]),
            *(f"the latest of the past ones ended before {day}" for day in ended[-1:]),
        )
    )
    hint = "leave out `from` if it names the day of the export, else export the days of this cycle"
    return [
        Problem(
            source=file.source,
            message=message,
            hint=hint,
            warning=True,
            code="user-file-not-in-force",
        )
    ]


def late_rows(
    records: Sequence[UsageRecord], mapping: Mapping, directory: Directory, cycle: BillingCycle
) -> list[Problem]:
    """Warn in one line of people who used ACUs on days before their first row."""
    if all(rule.values[0].start <= cycle.start for rule in _rules(mapping)):
        return []
    late = [
        (rule, total(days.values()))
        for rule, days in late_rules(records, mapping, directory)
        if rule.section == "user_file"
    ]
    return _in_one_line(
        [(rule.source, _too_late(rule, acus)) for rule, acus in late],
        "before their first row in the user file",
        "export the days before as well, or leave out `from`; the next rule decides till then",
        "user-file-begins-late",
    )


def ended_rows(
    records: Sequence[UsageRecord], mapping: Mapping, directory: Directory
) -> list[Problem]:
    """Warn in one line of people who used ACUs when a row had ended and no other had begun."""
    ended = [
        (rule, days)
        for rule, days in ended_rules(records, mapping, directory)
        if rule.section == "user_file"
    ]
    return _in_one_line(
        [(rule.source, _ended(rule, days)) for rule, days in ended],
        "when no row of theirs in the user file held any more",
        "export the rows that follow, or map them under `users`; till then the next rule decides",
        "user-file-ended",
    )


def _in_one_line(told: Sequence[tuple[str, str]], when: str, hint: str, code: str) -> list[Problem]:
    """Warn in one line of people who used ACUs on such days: each by the row and in words."""
    if not told:
        return []
    people = "1 person" if len(told) == 1 else f"{len(told)} people"
    named = some(told, itemgetter(1))
    message = f"{people} used ACUs {when}: {named}"
    return [Problem(source=told[0][0], message=message, hint=hint, warning=True, code=code)]


def with_names(known: Directory, mapping: Mapping) -> Directory:
    """Fill in the names that the HR export tells of users who have none."""
    names = mapping.user_file.names if mapping.user_file else {}
    if not names:
        return known
    entries = {
        principal: replace(entry, name=_name(entry, names))
        if principal.kind == "user" and not entry.name
        else entry
        for principal, entry in known.entries.items()
    }
    return replace(known, entries=entries)


def _too_late(rule: Rule, acus: Decimal) -> str:
    return f"{quoted(rule.key)} ({shown(acus)} ACUs before {rule.values[0].start})"


def _ended(rule: Rule, days: MappingOf[date, Decimal]) -> str:
    begun = (value.start for value in rule.values if value.start <= min(days))
    last = day_before(max(begun))
    return f"{quoted(rule.key)} ({shown(total(days.values()))} ACUs after {last})"


def _name(entry: Entry, names: MappingOf[str, str]) -> str | None:
    return names.get(entry.principal.id) or names.get(address(entry.email or ""))


def _rules(mapping: Mapping) -> Iterator[Rule]:
    return (rule for rule in mapping.rules if rule.section == "user_file")


def _held(rule: Rule) -> Iterator[tuple[DatedSplit, date]]:
    """Give the values that rows stand behind, each with the day on which another begins."""
    ends = [*(value.start for value in rule.values[1:]), date.max]
    for value, end in zip(rule.values, ends, strict=True):
        if value.flaw or not value.silent:
            yield value, end


def _in_force(value: DatedSplit, end: date, cycle: BillingCycle | None) -> bool:
    return cycle is None or (value.start < cycle.end and end > cycle.start)


def _flaws_of(rule: Rule, cycle: BillingCycle | None) -> list[Flaw]:
    return [value.flaw for value, end in _held(rule) if value.flaw and _in_force(value, end, cycle)]


def _told(flaws: Sequence[Flaw], codes: Sequence[str]) -> Problem:
    """Name the first row, a few of the others, and the code that was likely meant."""
    first, others = flaws[0], flaws[1:]
    problem = first.problem
    if others:
        named = some(others, lambda flaw: f"line {_line(flaw)} ({_word(flaw)})")
        problem = replace(problem, message=f"{problem.message}, likewise in {named}")
    near = did_you_mean(first.word, codes) if first.kind == "undeclared" else None
    return (
        replace(problem, hint=f"did you mean {quoted(near)}? else {problem.hint}")
        if near
        else problem
    )


def _word(flaw: Flaw) -> str:
    return quoted(flaw.word) if flaw.kind in {"undeclared", "several", "untold"} else flaw.word


def _reason(flaw: Flaw) -> str:
    """Say what is wrong with somebody's rows."""
    if flaw.kind == "untold":
        return "no cost center"
    if flaw.kind == "several":
        return f"{_word(flaw)} is more than one code"
    return f"{_word(flaw)} is not declared" if flaw.kind == "undeclared" else flaw.word


def _people(count: int) -> str:
    return f"{count} people of the user file have"


def _line(flaw: Flaw) -> int:
    return file_and_line(flaw.problem.source)[1]
