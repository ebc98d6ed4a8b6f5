"""What rows of the HR export come to in a cycle: told where usage needs them, counted where not."""

from datetime import date

import pytest

from reportgen.core.allocating.allocate import flaws_met, timelines
from reportgen.core.allocating.user_file import (
    counted,
    ended_rows,
    late_rows,
    not_in_force,
    told_once,
    unneeded,
    with_names,
)
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import (
    CostCenter,
    DatedSplit,
    Directory,
    Entry,
    Flaw,
    Mapping,
    Principal,
    Rule,
    Share,
    Split,
    UsageRecord,
    UserFile,
)
from reportgen.core.money import ONE
from reportgen.core.problem import Problem

CYCLE = BillingCycle(start=date(2025, 12, 5), end=date(2026, 1, 5), after=0, before=0)
FIRST, LAST = CYCLE.start, CYCLE.previous_day()
ADA, BOB = Principal("user", "u-ada"), Principal("user", "u-bob")
KNOWN = Directory(
    entries={
        ADA: Entry(principal=ADA, email="Ada@Acme.Example\u200b "),
        BOB: Entry(principal=BOB, email="bob@acme.example", name="Bob"),
    }
)
TO_A = Split(shares=(Share("A", ONE, "1"),))


def flaw(kind="undeclared", word="Z", line=2, *, warning=False) -> Flaw:
    source = f"hr.csv:{line}"
    problem = Problem(source=source, message=f"{word} is wrong", hint="mend it", warning=warning)
    return Flaw(kind=kind, word=word, problem=problem)


UNTOLD = flaw("untold", "bob", 3, warning=True)


def value(start=date.min, split=TO_A, found=None) -> DatedSplit:
    """Give a value; one with a warning says nothing."""
    silent = found is not None and found.problem.warning
    return DatedSplit(
        start=start, split=None if found else split, source="hr.csv:2", silent=silent, flaw=found
    )


def row(key, *values) -> Rule:
    return Rule(section="user_file", key=key, values=values or (value(),), source="hr.csv:2")


def mapping(*rules, rows=3, names=None) -> Mapping:
    return Mapping(
        cost_centers=(CostCenter(code="A", name="Alpha"), CostCenter(code="CC-1002", name="Beta")),
        rules=rules,
        unallocated="A",
        user_file=UserFile(rows=rows, names=names or {}, source="hr.csv:1"),
    )


def used(*days, principal=ADA) -> list[UsageRecord]:
    return [UsageRecord(day, "devin", "org-1", *principal, "", ONE, ()) for day in days]


def met(records, *rules) -> set[Flaw]:
    return flaws_met(records, timelines(records, mapping(*rules), KNOWN)[0])


# Which rows usage needs


def test_a_flaw_is_met_where_its_person_used_something_on_its_days():
    rule = row("ada@acme.example", value(), value(date(2025, 12, 20), found=flaw()))
    assert met(used(FIRST), rule) == set()
    assert met(used(FIRST, date(2025, 12, 20)), rule) == {flaw()}
    assert met(used(LAST, principal=BOB), rule) == set()


@pytest.mark.parametrize("found", [flaw(), UNTOLD])
def test_a_flaw_that_another_rule_passes_by_is_not_met(found):
    rule = row("ada@acme.example", value(found=found))
    exact = Rule(section="users", key="u-ada", values=(value(),), source="mapping.yaml:2")
    assert met(used(FIRST), rule) == {found}
    assert met(used(FIRST), rule, exact) == set()


def test_where_no_cost_center_is_told_a_pattern_decides_and_where_it_is_wrong_none_does():
    pattern = Rule(section="users", key="*@acme.example", values=(value(),), source="m:2")
    for found, bearer in ((UNTOLD, "usage"), (flaw(), "unallocated")):
        rules = mapping(row("ada@acme.example", value(found=found)), pattern)
        resolved, problems = timelines(used(FIRST), rules, KNOWN)
        (timeline,) = resolved.values()
        assert (problems, timeline.on(FIRST).kind) == ([], bearer)
        assert timeline.on(FIRST).flaws == (found,)


def test_after_a_silent_value_two_patterns_are_rivals_again():
    ended = DatedSplit(start=date(2025, 12, 20), split=None, source="hr.csv:2", silent=True)
    patterns = [
        Rule(section="users", key=key, values=(value(),), source="m:2")
        for key in ("*example", "ada*")
    ]
    for last, count in ((value(date(2025, 12, 20)), 0), (ended, 1)):
        rules = mapping(row("ada@acme.example", value(), last), *patterns)
        assert len(timelines(used(FIRST), rules, KNOWN)[1]) == count


# What is told


def test_each_kind_is_told_once_with_a_few_others():
    flaws = [flaw("rows", f"{number} rows", number) for number in range(101, 1, -1)]
    found = told_once([*flaws, UNTOLD, flaw("shares", "90 %", 7)], mapping())
    assert [str(problem) for problem in found] == [
        (
            "hr.csv:2: 2 rows is wrong, likewise in line 3 (3 rows), line 4 (4 rows), "
            "line 5 (5 rows) and 96 more; mend it"
        ),
        "hr.csv:7: 90 % is wrong; mend it",
        "hr.csv:3: warning: bob is wrong; mend it",
    ]


def test_the_code_that_was_meant_is_asked_for():
    (problem,) = told_once([flaw(word="CC-1020")], mapping())
    assert problem.hint == 'did you mean "CC-1002"? else mend it'


def test_what_nobody_needs_is_one_line():
    rules = [row(f"w{line}@x.example", value(found=flaw(line=line))) for line in range(2, 1202)]
    (problem,) = counted(unneeded(mapping(*rules), set(), CYCLE), ", now", "wait")
    assert str(problem) == (
        "hr.csv:2: warning: 1200 people of the user file have no cost center there that can be "
        'charged, now: "w2@x.example" ("Z" is not declared), "w3@x.example" ("Z" is not declared), '
        '"w4@x.example" ("Z" is not declared) and 1197 more; wait'
    )
    assert counted({}, ", now", "wait") == []


def test_neither_what_was_told_nor_what_is_past_or_to_come_is_counted():
    past = row("a", value(found=flaw()), value(FIRST))
    to_come = row("b", value(), value(CYCLE.end, found=flaw(line=4)))
    now = row("c", value(found=flaw(line=5)), value(date(2025, 12, 6)))
    rules = mapping(past, to_come, now)
    assert unneeded(rules, set(), CYCLE) == {"c": flaw(line=5)}
    assert unneeded(rules, {flaw(line=5)}, CYCLE) == {}
    assert unneeded(rules, set()).keys() == {"a", "b", "c"}


# Whether the file is that of the cycle


def test_a_file_of_another_day_is_told_with_its_rows_and_its_earliest_date():
    rules = [row("a", value(date(2026, 2, 1))), row("b", value(date(2026, 1, 9)))]
    (problem,) = not_in_force(mapping(*rules), CYCLE)
    assert str(problem).startswith(
        "hr.csv:1: warning: the user file does not reach this cycle: none of its 3 rows is in "
        "force in it, the earliest holds from 2026-01-09 on; "
    )


def test_a_file_that_ended_is_told_as_well():
    ended = DatedSplit(start=FIRST, split=None, source="hr.csv:2", silent=True)
    (problem,) = not_in_force(mapping(row("a", value(), ended), rows=1), CYCLE)
    assert problem.message.endswith(
        "its only row is not in force in it, the latest of the past ones ended before 2025-12-05"
    )


@pytest.mark.parametrize("start", [date.min, FIRST, LAST])
def test_a_file_with_a_row_in_force_is_not_told(start):
    assert not_in_force(mapping(row("a", value(start)), row("b", value(CYCLE.end))), CYCLE) == []


def test_a_file_without_a_row_is_told():
    (problem,) = not_in_force(mapping(rows=0), CYCLE)
    assert str(problem).startswith("hr.csv:1: warning: the user file says nothing of anybody; ")
    assert not_in_force(Mapping(cost_centers=(), rules=()), CYCLE) == []


# Who used something before the first row


def test_people_whose_first_row_comes_too_late_are_one_line():
    rules = mapping(
        *(row(key, value(date(2025, 12, 20))) for key in ("ada@acme.example", "u-bob")),
        row("c", value()),
    )
    records = [*used(FIRST, date(2025, 12, 20)), *used(FIRST, LAST, principal=BOB)]
    (problem,) = late_rows(records, rules, KNOWN, CYCLE)
    assert str(problem).startswith(
        "hr.csv:2: warning: 2 people used ACUs before their first row in the user file: "
        '"ada@acme.example" (1.0000 ACUs before 2025-12-20) and "u-bob" (1.0000 ACUs before '
        "2025-12-20); "
    )
    assert late_rows(used(LAST), rules, KNOWN, CYCLE) == []
    exact = Rule(section="users", key="u-ada", values=(value(),), source="mapping.yaml:2")
    assert late_rows(used(FIRST), mapping(*rules.rules, exact), KNOWN, CYCLE) == []


# Who used something after the last row


def ended(day: date) -> DatedSplit:
    return DatedSplit(start=day, split=None, source="hr.csv:2", silent=True)


def test_people_whose_rows_have_ended_are_one_line():
    leaver = row("ada@acme.example", value(), ended(date(2025, 12, 11)))
    returned = row("u-bob", value(), ended(date(2025, 12, 8)), value(LAST))
    rules = mapping(leaver, returned)
    records = [
        *used(FIRST, date(2025, 12, 11), LAST),
        *used(date(2025, 12, 9), LAST, principal=BOB),
    ]
    (problem,) = ended_rows(records, rules, KNOWN)
    assert str(problem).startswith(
        "hr.csv:2: warning: 2 people used ACUs when no row of theirs in the user file held any "
        'more: "ada@acme.example" (2.0000 ACUs after 2025-12-10) and "u-bob" (1.0000 ACUs after '
        "2025-12-07); "
    )
    assert ended_rows(used(FIRST, date(2025, 12, 10)), rules, KNOWN) == []


def test_what_decides_instead_of_an_ended_row_is_no_gap():
    leaver = row("ada@acme.example", value(), ended(FIRST))
    for section, key in (("users", "u-ada"), ("users", "*@acme.example")):
        other = Rule(section=section, key=key, values=(value(),), source="mapping.yaml:2")
        assert ended_rows(used(LAST), mapping(leaver, other), KNOWN) == []
    none = DatedSplit(start=date.min, split=None, source="mapping.yaml:2")
    passed = Rule(section="users", key="u-ada", values=(none,), source="mapping.yaml:2")
    assert ended_rows(used(LAST), mapping(leaver, passed), KNOWN) == []


# Names


def test_names_of_the_file_are_for_those_who_have_none():
    names = {"ada@acme.example": "Ada North", "bob@acme.example": "Robert"}
    named = with_names(KNOWN, mapping(names=names)).entries
    assert (named[ADA].name, named[BOB].name) == ("Ada North", "Bob")
    assert named[ADA].email == KNOWN.entries[ADA].email
    assert with_names(KNOWN, mapping(names={"u-ada": "A."})).entries[ADA].name == "A."
    assert with_names(KNOWN, Mapping(cost_centers=(), rules=())) == KNOWN
