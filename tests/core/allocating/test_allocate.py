"""Who bears what: worked cases, and a second, slower reading of the rules against the first."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.allocating.allocate import (
    allocate,
    charged_after_close,
    date_gaps,
    timelines,
    value_on,
)
from reportgen.core.model import (
    Allocation,
    CostCenter,
    DatedSplit,
    Directory,
    Entry,
    Mapping,
    Principal,
    Rule,
    Session,
    Share,
    Split,
    UsageRecord,
)
from tests.examples import examples

FIRST, SECOND, THIRD = date(2025, 12, 5), date(2025, 12, 15), date(2026, 1, 4)
ADA, ALAN, ROBOT = (
    Principal("user", "u-ada"),
    Principal("user", "u-alan"),
    Principal("service_user", "robot"),
)
DIRECTORY = Directory(
    entries={
        ADA: Entry(principal=ADA, email="Ada@Acme.Example"),
        ALAN: Entry(principal=ALAN),
        ROBOT: Entry(principal=ROBOT),
    },
    sessions={
        "devin-1": Session(
            session_id="devin-1", org_id="org-1", principal=ADA, tags=("apollo", "web")
        ),
        "devin-2": Session(session_id="devin-2", org_id="org-2", principal=ROBOT, tags=("web",)),
    },
)
DEFAULT = ("session", "user", "org")
WITH_TAGS = ("session", "tag", "user", "org")


def to(*shares: tuple[str, str]) -> Split:
    return Split(shares=tuple(Share(code, Decimal(part), part) for code, part in shares))


def weighted(*shares: tuple[str, int]) -> Split:
    whole = sum(part for _, part in shares)
    return Split(
        by_weight=True,
        shares=tuple(Share(code, Decimal(part), f"{part}/{whole}") for code, part in shares),
    )


def one(code: str) -> Split:
    return to((code, "1"))


def dated(section: str, key: str, values: dict[date, Split | None], line: int = 1) -> Rule:
    return Rule(
        section=section,  # type: ignore[arg-type]
        key=key,
        source=f"mapping.yaml:{line}",
        values=tuple(
            DatedSplit(start=start, split=split, source=f"mapping.yaml:{line + index}")
            for index, (start, split) in enumerate(values.items())
        ),
    )


def rule(section: str, key: str, split: Split | str | None, line: int = 1) -> Rule:
    return dated(section, key, {date.min: one(split) if isinstance(split, str) else split}, line)


def mapping(
    *rules: Rule, precedence: tuple[str, ...] = DEFAULT, unallocated: str | None = None
) -> Mapping:
    codes = ("CC-1", "CC-2", "CC-3", "CC-4")
    centers = tuple(CostCenter(code=code, name=code) for code in codes)
    return Mapping(
        cost_centers=centers, rules=rules, precedence=precedence, unallocated=unallocated
    )  # type: ignore[arg-type]


def record(
    org_id: str = "",
    principal: Principal | None = None,
    session: str = "",
    acus: str = "1",
    day: date = FIRST,
) -> UsageRecord:
    return UsageRecord(
        day, "devin", org_id, *(principal or ("", "")), session, Decimal(acus), ("x",)
    )


def allocated(
    records: Iterable[UsageRecord], rules: Mapping, directory: Directory = DIRECTORY
) -> list[Allocation]:
    records = list(records)
    resolved, problems = timelines(records, rules, directory)
    assert problems == []
    return list(allocate(records, resolved))


def bearers(records: Iterable[UsageRecord], rules: Mapping) -> list[str]:
    return [found.cost_center for found in allocated(records, rules)]


FULL = record("org-1", ADA, "devin-1")
BY_LEVEL = {
    "session": rule("sessions", "devin-1", "CC-1", 1),
    "tag": rule("tags", "apollo", "CC-2", 2),
    "user": rule("users", "u-ada", "CC-3", 3),
    "org": rule("orgs", "org-1", "CC-4", 4),
}


@pytest.mark.parametrize("precedence", [p for n in range(5) for p in permutations(BY_LEVEL, n)])
def test_the_first_level_of_the_precedence_decides(precedence):
    (found,) = allocated([FULL], mapping(*BY_LEVEL.values(), precedence=precedence))
    if precedence:
        split = BY_LEVEL[precedence[0]].values[0].split
        assert split
        assert (found.cost_center, found.kind, found.cause) == (
            split.shares[0].cost_center,
            "usage",
            "",
        )
        assert found.rule == BY_LEVEL[precedence[0]].source
    else:
        assert (found.cost_center, found.kind, found.cause) == ("", "unallocated", "unmapped user")


def test_without_its_rule_the_next_level_decides():
    rules = [BY_LEVEL[level] for level in WITH_TAGS]
    assert [
        bearers([FULL], mapping(*rules[index:], precedence=WITH_TAGS))[0] for index in range(5)
    ] == [
        "CC-1",
        "CC-2",
        "CC-3",
        "CC-4",
        "",
    ]


def test_dates_hold_from_their_day_on_and_none_falls_through():
    user = dated("users", "u-ada", {FIRST: one("CC-1"), SECOND: one("CC-2"), THIRD: None})
    rules = mapping(user, rule("orgs", "org-1", "CC-3"))
    days = [
        date(2025, 12, 4),
        FIRST,
        date(2025, 12, 14),
        SECOND,
        date(2026, 1, 3),
        THIRD,
        date(2026, 2, 1),
    ]
    found = allocated([record("org-1", ADA, day=day) for day in days], rules)
    assert [one.cost_center for one in found] == [
        "CC-3",
        "CC-1",
        "CC-1",
        "CC-2",
        "CC-2",
        "CC-3",
        "CC-3",
    ]
    assert [one.rule for one in found[1:6]] == [f"mapping.yaml:{line}" for line in (1, 1, 2, 2, 1)]
    assert [value_on(user, day) for day in days[:2]] == [None, user.values[0]]


def test_outside_its_dates_a_rule_falls_to_the_next_of_its_level_but_none_to_the_next_level():
    lower = [rule("user_file", "ada@acme.example", "CC-2"), rule("orgs", "org-1", "CC-3")]
    later = dated("users", "u-ada", {SECOND: one("CC-1")})
    assert bearers([record("org-1", ADA)], mapping(later, *lower)) == ["CC-2"]
    none = rule("users", "u-ada", None)
    assert bearers([record("org-1", ADA)], mapping(none, *lower)) == ["CC-3"]


def test_what_no_rule_covers_has_a_cause():
    records = [
        record("", ADA),
        record("org-1", ADA),
        record("org-1", ADA, "devin-1"),
        record("", ROBOT),
        record("org-1", ROBOT),
        record("org-1"),
        record("org-1", None, "devin-1"),
        record(),
    ]
    causes = [
        *["unmapped user"] * 3,
        *["unmapped service user"] * 2,
        *["unmapped organization"] * 2,
        "no known user or organization",
    ]
    for bearer in (None, "CC-4"):
        found = allocated(records, mapping(unallocated=bearer))
        assert [one.cause for one in found] == causes
        assert {(one.kind, one.cost_center, one.rule, one.share) for one in found} == {
            ("unallocated", bearer or "", "", "1")
        }
        assert [one.quantity for one in found] == [1] * len(records)


def test_percentages_multiply_exactly():
    split = to(("CC-1", "0.6"), ("CC-2", "0.4"))
    quantity = "7.0000000000000000000000000000000000000003"
    found = allocated([record("", ADA, acus=quantity)], mapping(rule("users", "u-ada", split)))
    assert [(one.cost_center, f"{one.quantity:f}", one.share) for one in found] == [
        ("CC-1", "4.20000000000000000000000000000000000000018", "0.6"),
        ("CC-2", "2.80000000000000000000000000000000000000012", "0.4"),
    ]


def test_weights_give_exact_thirds():
    split = weighted(("CC-1", 1), ("CC-2", 1), ("CC-3", 1))
    records = [
        record("", ADA, acus="9"),
        record("", ADA, acus="1"),
        record("", ADA, acus="-1", day=SECOND),
    ]
    found = allocated(records, mapping(rule("users", "u-ada", split)))
    assert [f"{one.quantity:f}" for one in found] == [
        *["3.000000000000"] * 3,
        *["0.333333333334", "0.333333333333", "0.333333333333"],
        *["-0.333333333334", "-0.333333333333", "-0.333333333333"],
    ]
    assert [(one.cost_center, one.share) for one in found[:3]] == [
        ("CC-1", "1/3"),
        ("CC-2", "1/3"),
        ("CC-3", "1/3"),
    ]


def test_who_would_bear_nothing_has_no_part():
    split = weighted(("CC-1", 1), ("CC-2", 1))
    found = allocated([record("", ADA, acus="1e-12")], mapping(rule("users", "u-ada", split)))
    assert [(one.cost_center, one.quantity) for one in found] == [("CC-1", Decimal("1e-12"))]


quantities = st.builds(
    lambda whole, fraction: Decimal(f"{whole}.{fraction}"),
    st.integers(1, 10**12 - 1) | st.integers(-(10**12) + 1, -1),
    st.text("0123456789", max_size=12) | st.text("0123456789", min_size=30, max_size=40),
)


@given(quantities, st.lists(st.integers(1, 50), min_size=1, max_size=4), st.booleans())
def test_the_parts_of_a_record_add_up_to_it(quantity, parts, percent):
    codes = [f"CC-{index + 1}" for index in range(len(parts))]
    if percent:
        rest = 1000 - sum(parts[1:])
        shares = [rest, *parts[1:]]
        split = to(*((code, f"{share}e-3") for code, share in zip(codes, shares, strict=True)))
    else:
        shares = parts
        split = weighted(*zip(codes, shares, strict=True))
    found = allocated([record("", ADA, acus=str(quantity))], mapping(rule("users", "u-ada", split)))
    assert sum(Fraction(one.quantity) for one in found) == Fraction(quantity)
    borne = {one.cost_center: Fraction(one.quantity) for one in found}
    for code, share in zip(codes, shares, strict=True):
        exact = Fraction(quantity) * share / sum(shares)
        assert abs(borne.get(code, Fraction()) - exact) < (
            Fraction(1, 10**12) if not percent else Fraction(1, 10**60)
        )


# Tags


def test_tags_that_lead_apart_match_nothing_on_the_days_they_do():
    apollo = dated("tags", "apollo", {date.min: one("CC-1"), SECOND: one("CC-2")})
    rules = mapping(
        apollo, rule("tags", "web", "CC-1"), rule("users", "u-ada", "CC-3"), precedence=WITH_TAGS
    )
    found = allocated([record("org-1", ADA, "devin-1", day=day) for day in (FIRST, SECOND)], rules)
    assert [one.cost_center for one in found] == ["CC-1", "CC-3"]


def test_one_tag_alone_decides():
    rules = mapping(
        rule("tags", "apollo", "CC-1"), rule("tags", "web", "CC-2"), precedence=WITH_TAGS
    )
    assert bearers([record("org-2", ROBOT, "devin-2")], rules) == ["CC-2"]
    assert bearers([record("org-1", ADA, "devin-1")], rules) == [""]
    assert bearers([record("org-2", ROBOT)], rules) == [""]


# Problems


def test_two_patterns_on_one_user_are_a_problem_unless_an_exact_key_always_decides():
    patterns = [rule("users", "*@acme.example", "CC-1", 5), rule("users", "ada@*", "CC-2", 6)]
    records = [record("", ADA), record("org-1", ADA), record("", ROBOT)]
    _, problems = timelines(records, mapping(*patterns), DIRECTORY)
    (problem,) = problems
    assert (problem.source, problem.warning) == ("mapping.yaml:6", False)
    assert all(
        text in problem.message for text in ("u-ada", "*@acme.example", "mapping.yaml:5", "ada@*")
    )
    exact = rule("users", "ada@acme.example", "CC-3")
    assert timelines(records, mapping(exact, *patterns), DIRECTORY)[1] == []
    later = dated("users", "ada@acme.example", {SECOND: one("CC-3")})
    assert timelines(records, mapping(later, *patterns), DIRECTORY)[1] == problems
    assert timelines([record("", ALAN)], mapping(*patterns), DIRECTORY)[1] == []


def test_usage_after_the_last_day_of_a_cost_center_is_a_problem():
    centers = (
        CostCenter(code="CC-1", name="Old", closed=SECOND),
        CostCenter(code="CC-2", name="New"),
    )
    rules = Mapping(
        cost_centers=centers,
        rules=(rule("users", "u-ada", to(("CC-1", "0.5"), ("CC-2", "0.5")), 9),),
        unallocated="CC-1",
        unallocated_source="mapping.yaml:30",
    )
    in_time = [
        record("", ADA, day=FIRST),
        record("", ADA, day=SECOND),
        record("", ALAN, day=SECOND),
    ]
    assert charged_after_close(allocated(in_time, rules), rules) == []
    late = [
        record("", ADA, day=THIRD),
        record("", ADA, day=date(2025, 12, 16)),
        record("", ALAN, day=THIRD),
    ]
    problems = charged_after_close(allocated([*in_time, *late], rules), rules)
    assert [(one.source, one.warning) for one in problems] == [
        ("mapping.yaml:9", False),
        ("mapping.yaml:30", False),
    ]
    assert "2026-01-04" in problems[1].message
    assert all(text in problems[0].message for text in ("CC-1", "2025-12-15", "2025-12-16"))


# A second reading of the rules

KEYS = [
    ("sessions", "devin-1"),
    ("sessions", "2"),
    ("tags", "apollo"),
    ("tags", "web"),
    ("users", "u-ada"),
    ("users", "ADA@acme.example"),
    ("users", "*@acme.example"),
    ("users", "u-alan"),
    ("user_file", "u-ada"),
    ("user_file", "ada@acme.example"),
    ("service_users", "robot"),
    ("orgs", "org-1"),
    ("orgs", "org-2"),
]
RANKS = {
    ADA.id: [
        ("users", "u-ada"),
        ("users", "ADA@acme.example"),
        ("user_file", "u-ada"),
        ("user_file", "ada@acme.example"),
        ("users", "*@acme.example"),
    ],
    ALAN.id: [("users", "u-alan")],
    ROBOT.id: [("service_users", "robot")],
}
SESSIONS = {"devin-1": ("sessions", "devin-1"), "devin-2": ("sessions", "2")}
TAGS = {"devin-1": ["apollo", "web"], "devin-2": ["web"]}
PLACES = [
    ("org-1", ADA, "devin-1"),
    ("org-2", ROBOT, "devin-2"),
    *(
        (org_id, principal, "")
        for org_id in ("", "org-1", "org-2")
        for principal in (None, ADA, ALAN, ROBOT)
    ),
]
SPLITS = [
    None,
    one("CC-1"),
    one("CC-2"),
    to(("CC-1", "0.25"), ("CC-3", "0.75")),
    weighted(("CC-2", 1), ("CC-4", 2)),
]
values = st.dictionaries(
    st.sampled_from((date.min, FIRST, SECOND, THIRD)),
    st.sampled_from(SPLITS),
    min_size=1,
    max_size=3,
).map(lambda found: dict(sorted(found.items())))
worlds = st.tuples(
    st.dictionaries(st.sampled_from(KEYS), values),
    st.lists(
        st.tuples(
            st.sampled_from(PLACES),
            st.sampled_from((date(2025, 12, 4), FIRST, SECOND, THIRD)),
            st.integers(1, 10**6),
        ),
        max_size=8,
    ),
    st.sampled_from([p for n in (2, 3, 4) for p in permutations(WITH_TAGS, n)]),
    st.sampled_from((None, "CC-4")),
)


def expected_split(found: UsageRecord, rules: dict, precedence: tuple[str, ...]) -> Split | None:
    """Read the rules for one record from the beginning, without any index."""
    for level in precedence:
        keys = {
            "session": [SESSIONS.get(found.session_id)],
            "tag": [("tags", tag) for tag in TAGS.get(found.session_id, [])],
            "user": RANKS.get(found.principal_id, []),
            "org": [("orgs", found.org_id)],
        }[level]
        started = [
            rules[key][max(start for start in rules[key] if start <= found.day)]
            for key in keys
            if key in rules and min(rules[key]) <= found.day
        ]
        if level == "tag" and any(split != started[0] for split in started):
            continue
        if started and started[0]:
            return started[0]
    return None


@given(worlds)
@examples(200)
def test_a_second_reading_of_the_rules_comes_to_the_same(world):
    rules, places, precedence, unallocated = world
    records = [record(*place, acus=str(acus), day=day) for place, day, acus in places]
    written = [dated(section, key, dates) for (section, key), dates in rules.items()]
    found = allocated(records, mapping(*written, precedence=precedence, unallocated=unallocated))
    parts: dict[int, list[Allocation]] = defaultdict(list)
    for allocation in found:
        parts[id(allocation.record)].append(allocation)
    for one_record in records:
        split = expected_split(one_record, rules, precedence)
        codes = [share.cost_center for share in split.shares] if split else [unallocated or ""]
        own = parts[id(one_record)]
        assert [one.cost_center for one in own] == codes
        assert {one.kind for one in own} == {"usage" if split else "unallocated"}
        assert sum(Fraction(one.quantity) for one in own) == Fraction(one_record.quantity)


@given(worlds, st.randoms(use_true_random=True))
@examples(100)
def test_the_order_of_rules_and_records_changes_nothing(world, random):
    rules, places, precedence, unallocated = world
    records = [record(*place, acus=str(acus), day=day) for place, day, acus in places]
    written = [dated(section, key, dates) for (section, key), dates in rules.items()]
    found = allocated(records, mapping(*written, precedence=precedence, unallocated=unallocated))
    random.shuffle(written)
    random.shuffle(records)
    again = allocated(records, mapping(*written, precedence=precedence, unallocated=unallocated))
    assert sorted(again) == sorted(found)


# Gaps between dates


def gaps(
    records: list[UsageRecord], *rules: Rule, precedence: tuple[str, ...] = DEFAULT
) -> list[str]:
    found = date_gaps(records, mapping(*rules, precedence=precedence), DIRECTORY)
    assert all(problem.warning for problem in found)
    assert found == date_gaps(
        list(reversed(records)), mapping(*rules, precedence=precedence), DIRECTORY
    )
    return [f"{problem.source}: {problem.message}" for problem in found]


BEFORE = [
    record("org-1", ADA, acus="1.5"),
    record("", ADA, acus="2"),
    record("", ADA, acus="1", day=SECOND),
]


def test_days_before_the_first_date_of_a_key_are_a_gap():
    later = dated("users", "Ada@acme.example", {SECOND: one("CC-1"), THIRD: one("CC-2")}, 7)
    days = [record("", ADA, acus="0.25", day=date(2025, 12, 7)), *BEFORE]
    (line,) = gaps(days, later)
    assert line == (
        'mapping.yaml:7: "Ada@acme.example" in users holds from 2025-12-15 on: '
        "3.7500 ACUs on 2 days from 2025-12-05 to 2025-12-07 fell through to the next level"
    )
    assert gaps(BEFORE, later)[0].endswith(
        "3.5000 ACUs on 2025-12-05 fell through to the next level"
    )
    assert gaps(BEFORE[2:], later) == []


@pytest.mark.parametrize(
    ("section", "key", "place"),
    [
        ("users", "*@acme.example", ("", ADA, "")),
        ("service_users", "robot", ("", ROBOT, "")),
        ("orgs", "org-1", ("org-1", None, "")),
        ("sessions", "1", ("org-1", ADA, "devin-1")),
    ],
)
def test_every_kind_of_key_can_have_a_gap(section, key, place):
    (line,) = gaps([record(*place)], dated(section, key, {SECOND: one("CC-1")}))
    assert f'"{key}" in {section} holds from 2025-12-15 on' in line


def test_a_key_that_begins_with_none_or_without_a_date_has_no_gap():
    assert gaps(BEFORE, dated("users", "u-ada", {SECOND: None, THIRD: one("CC-1")})) == []
    assert gaps(BEFORE, dated("users", "u-ada", {date.min: None, SECOND: one("CC-1")})) == []
    assert gaps(BEFORE, dated("users", "u-ada", {FIRST: None, SECOND: one("CC-1")})) == []


def test_what_a_level_above_or_a_key_beside_it_decides_is_no_gap():
    later = dated("users", "u-ada", {SECOND: one("CC-1")})
    assert gaps(BEFORE, later, rule("user_file", "ada@acme.example", "CC-2")) == []
    assert gaps(BEFORE, later, rule("user_file", "ada@acme.example", None)) == []
    org = dated("orgs", "org-1", {SECOND: one("CC-3")}, 9)
    assert gaps(BEFORE, rule("users", "u-ada", "CC-1"), org) == []
    assert [line[:14] for line in gaps(BEFORE, rule("users", "u-ada", None), org)] == [
        "mapping.yaml:9"
    ]
    assert gaps(BEFORE, later, org, precedence=("org",)) == gaps(BEFORE[:1], org)


def test_the_level_below_may_bear_it_and_it_is_still_a_gap_told_once_for_each_key():
    later = (
        dated("users", "u-ada", {SECOND: one("CC-1")}, 4),
        dated("user_file", "u-ada", {SECOND: one("CC-1")}, 5),
    )
    assert len(gaps(BEFORE, *later, rule("orgs", "org-1", "CC-2"))) == 1
    pattern = dated("users", "*", {SECOND: one("CC-1")}, 6)
    crowd = [record("", ADA), record("", ALAN, acus="2")]
    (line,) = gaps(crowd, pattern)
    assert "3.0000 ACUs on 2025-12-05" in line
