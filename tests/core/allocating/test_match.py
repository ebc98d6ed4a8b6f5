"""Which rules match whom, worked by hand."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.allocating.match import (
    Matcher,
    active_rules,
    conflicting_tags,
    is_pattern,
    session_key,
    sessions_named,
    uncollected_sessions,
    unmatched_rules,
)
from reportgen.core.model import (
    DatedSplit,
    Directory,
    Entry,
    Mapping,
    Principal,
    Rule,
    Session,
    Share,
    Split,
)
from reportgen.core.money import ONE

ADA, NAMELESS, ROBOT = (
    Principal("user", "u-ada"),
    Principal("user", "Okta|X"),
    Principal("service_user", "robot"),
)
DIRECTORY = Directory(
    entries={
        ADA: Entry(principal=ADA, email="Ada@Acme.Example"),
        NAMELESS: Entry(principal=NAMELESS),
        ROBOT: Entry(principal=ROBOT, name="CI"),
    },
    organizations={"org-1": "One", "org-2": "Two"},
    sessions={
        "devin-1": Session(
            session_id="devin-1", org_id="org-1", principal=ADA, tags=("apollo", "web")
        ),
        "devin-2": Session(session_id="devin-2", org_id="org-2", principal=ROBOT, tags=("web",)),
        "devin-3": Session(session_id="devin-3", org_id="org-2"),
    },
)
ADA_ALONE = ("", "user", "u-ada", "")


def rule(section: str, key: str, code: str = "CC-1", line: int = 1) -> Rule:
    split = Split(shares=(Share(code, ONE, "1"),))
    source = f"mapping.yaml:{line}"
    values = (DatedSplit(start=date.min, split=split, source=source),)
    return Rule(section=section, key=key, values=values, source=source)  # type: ignore[arg-type]


def mapping(*rules: Rule, tags: bool = True) -> Mapping:
    precedence = ("session", "tag", "user", "org") if tags else ("session", "user", "org")
    return Mapping(cost_centers=(), rules=rules, precedence=precedence)


def found(
    rules: Iterable[Rule], level: str, subject: tuple[str, str, str, str]
) -> list[tuple[str, str]]:
    matcher = Matcher(rules, DIRECTORY)
    return [(one.section, one.key) for one in matcher.candidates(level, subject)]  # type: ignore[arg-type]


RANKED = [
    ("users", "u-ada"),
    ("users", "ada@acme.example"),
    ("user_file", "u-ada"),
    ("user_file", "ada@acme.example"),
    ("users", "*@acme.example"),
    ("users", "ada*"),
]


@given(st.permutations(RANKED))
def test_the_id_beats_the_e_mail_beats_the_user_file_beats_a_pattern(keys):
    rules = [rule(section, key) for section, key in keys]
    assert found(rules, "user", ADA_ALONE) == RANKED


@pytest.mark.parametrize(
    "key", ["ada@acme.example", "ADA@ACME.EXAMPLE", "Ada@Acme.Example", "*@ACME.example", "A*"]
)
def test_e_mails_are_compared_case_folded(key):
    assert found([rule("users", key)], "user", ADA_ALONE) == [("users", key)]


def test_case_folding_is_more_than_lower_case():
    directory = Directory(entries={ADA: Entry(principal=ADA, email="STRASSE@acme.example")})
    matcher = Matcher([rule("users", "straße@acme.example")], directory)
    assert [one.key for one in matcher.candidates("user", ADA_ALONE)] == ["straße@acme.example"]


@pytest.mark.parametrize(
    "key", ["U-ADA", "okta|x", "u-ad", "ada@acme.exampl", "acme.example", "ada"]
)
def test_ids_are_compared_exactly_and_keys_match_whole(key):
    rules = [rule("users", key), rule("user_file", key)]
    assert found(rules, "user", ADA_ALONE) == found(rules, "user", ("", "user", "Okta|X", "")) == []


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("okta|*", True),  # without an e-mail a pattern sees the case-folded id
        ("OKTA|X*", True),
        ("*", True),
        ("*x", True),
        ("o*a*x", True),
        ("okta.x*", False),  # only the asterisk stands for something
        ("*@acme.example", False),
    ],
)
def test_a_pattern_sees_the_id_where_there_is_no_e_mail(pattern, matches):
    assert bool(found([rule("users", pattern)], "user", ("", "user", "Okta|X", ""))) is matches


def test_a_pattern_sees_the_id_only_where_there_is_no_e_mail():
    assert found([rule("users", "u-a*")], "user", ADA_ALONE) == []


def test_only_users_have_patterns():
    assert is_pattern(rule("users", "*@acme.example"))
    assert not any(
        is_pattern(rule(section, "*")) for section in ("user_file", "service_users", "orgs", "tags")
    )
    rules = [
        rule("service_users", "*"),
        rule("orgs", "*"),
        rule("sessions", "*"),
        rule("user_file", "*"),
    ]
    for level in ("session", "tag", "user", "org"):
        assert found(rules, level, ("org-1", "service_user", "robot", "devin-2")) == []
        assert found(rules, level, ("org-1", "user", "u-ada", "devin-1")) == []


def test_users_and_service_users_are_told_apart():
    rules = [
        rule("users", "robot"),
        rule("users", "ro*"),
        rule("service_users", "robot"),
        rule("service_users", "x"),
    ]
    assert found(rules, "user", ("", "service_user", "robot", "")) == [("service_users", "robot")]
    assert found(rules, "user", ("", "user", "robot", "")) == [("users", "robot"), ("users", "ro*")]


def test_levels_ask_for_their_own_part_of_a_subject():
    rules = [
        rule("sessions", "1"),
        rule("tags", "apollo"),
        rule("orgs", "org-1"),
        rule("users", "u-ada"),
    ]
    subject = ("org-1", "user", "u-ada", "devin-1")
    assert [found(rules, level, subject) for level in ("session", "tag", "user", "org")] == [
        [("sessions", "1")],
        [("tags", "apollo")],
        [("users", "u-ada")],
        [("orgs", "org-1")],
    ]
    assert [
        found(rules, level, ("", "", "", "")) for level in ("session", "tag", "user", "org")
    ] == [[], [], [], []]


def test_an_empty_key_matches_nobody():
    rules = [rule("orgs", ""), rule("sessions", ""), rule("users", ""), rule("service_users", "")]
    for level in ("session", "tag", "user", "org"):
        assert found(rules, level, ("", "", "", "")) == []
        assert found(rules, level, ("", "user", "nobody", "")) == []


def test_a_session_may_be_written_without_its_prefix():
    assert session_key("0a1b") == session_key("devin-0a1b") == "devin-0a1b"
    for key in ("1", "devin-1"):
        assert found([rule("sessions", key)], "session", ("org-1", "user", "u-ada", "devin-1")) == [
            ("sessions", key)
        ]


def test_what_a_rule_names_of_the_sessions():
    rules = [
        rule("sessions", "3"),
        rule("tags", "web"),
        rule("users", "u-ada"),
        rule("tags", "devin-1"),
    ]
    named = sessions_named(rules, DIRECTORY.sessions.values())
    assert [(one.key, session.session_id) for one, session in named] == [
        ("web", "devin-1"),
        ("web", "devin-2"),
        ("3", "devin-3"),
    ]


def test_tag_rules_are_idle_where_the_precedence_leaves_them_out():
    rules = (rule("tags", "web"), rule("orgs", "org-1"))
    assert active_rules(mapping(*rules)) == rules
    assert active_rules(mapping(*rules, tags=False)) == rules[1:]


def test_a_named_session_has_to_be_collected():
    rules = rule("sessions", "1", line=4), rule("tags", "web", line=5)
    assert uncollected_sessions(mapping(*rules), DIRECTORY, {"devin-1", "devin-2"}) == []
    assert uncollected_sessions(mapping(rules[1], tags=False), DIRECTORY, set()) == []
    problems = uncollected_sessions(mapping(*rules), DIRECTORY, {"devin-2"})
    assert [(one.source, one.warning) for one in problems] == [
        ("mapping.yaml:4", False),
        ("mapping.yaml:5", False),
    ]
    assert all("devin-1" in one.message and "collect" in one.hint for one in problems)


def test_tags_that_lead_apart_are_reported_once_a_session():
    apart = rule("tags", "web", "CC-2", line=7), rule("tags", "apollo", "CC-1", line=8)
    (problem,) = conflicting_tags(mapping(*apart), DIRECTORY)
    assert (problem.source, problem.warning) == ("mapping.yaml:8", True)
    assert all(text in problem.message for text in ("devin-1", '"apollo"', '"web"'))
    assert conflicting_tags(mapping(*apart, tags=False), DIRECTORY) == []
    together = rule("tags", "web", "CC-1"), rule("tags", "apollo", "CC-1")
    assert conflicting_tags(mapping(*together), DIRECTORY) == []


def test_keys_that_match_nobody_are_warnings():
    known = [
        *(rule("users", key) for key in ("u-ada", "ADA@acme.example", "*@acme.example", "Okta|X")),
        *(rule("user_file", key) for key in ("ada@acme.example", "u-ada")),
        rule("service_users", "robot"),
        *(rule("orgs", key) for key in ("org-1", "org-2")),
        *(rule("sessions", key) for key in ("devin-1", "2")),
        *(rule("tags", key) for key in ("apollo", "web")),
    ]
    assert unmatched_rules(mapping(*known), DIRECTORY) == []
    unknown = [
        rule("users", "robot", line=1),
        rule("users", "gone@acme.example", line=2),
        rule("users", "*@elsewhere.example", line=3),
        rule("user_file", "gone@acme.example", line=4),
        rule("service_users", "u-ada", line=5),
        rule("orgs", "org-3", line=6),
        rule("sessions", "4", line=7),
        rule("tags", "saturn", line=8),
    ]
    problems = unmatched_rules(mapping(*known, *unknown), DIRECTORY)
    told = [
        *(one for one in unknown if one.section != "user_file"),
        unknown[3],
    ]  # rows of the export come last
    assert [(one.source, one.warning) for one in problems] == [(one.source, True) for one in told]
    assert all(one.key in problem.message for one, problem in zip(told, problems, strict=True))


def test_thousands_of_keys_that_match_nobody_are_one_warning():
    unknown = [rule("orgs", f"org-none-{number}", line=number) for number in range(2, 20_002)]
    (problem,) = unmatched_rules(mapping(rule("orgs", "org-1"), *reversed(unknown)), DIRECTORY)
    assert (problem.source, problem.warning) == ("mapping.yaml:2", True)
    assert problem.message == (
        '20000 keys match nothing in this cycle: "org-none-2" in orgs, "org-none-3" in orgs, '
        '"org-none-4" in orgs and 19997 more'
    )


def test_sessions_are_found_among_any_number_of_rules():
    """Pair by pair, thirty million comparisons would take a minute."""
    rules = [rule("sessions", f"none-{number}") for number in range(5_000)]
    sessions = [
        replace(session, session_id=f"{session.session_id}-{number}")
        for session in DIRECTORY.sessions.values()
        for number in range(2_000)
    ]
    assert sessions_named([*rules, rule("sessions", "3-7")], sessions) == [
        (rule("sessions", "3-7"), one) for one in sessions if one.session_id == "devin-3-7"
    ]


def test_rows_of_the_user_file_that_match_nobody_are_one_line():
    rows = [rule("user_file", f"gone-{number}@acme.example", line=number) for number in range(1, 6)]
    (problem,) = unmatched_rules(mapping(*rows), DIRECTORY)
    assert (problem.source, problem.warning) == (rows[0].source, True)
    assert "matches nobody" in problem.message
    assert '"gone-3@acme.example" and 2 more' in problem.message
    (problem,) = unmatched_rules(mapping(*rows, rule("user_file", "u-ada")), DIRECTORY)
    assert '"gone-3@acme.example" and 2 more of the user file match nobody' in problem.message
