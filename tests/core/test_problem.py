"""A problem is one line, whatever is quoted in it."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reportgen.core.problem import Problem, Rejected, errors
from reportgen.core.text import did_you_mean, quoted, said_by_system

PROBLEM = Problem(
    source="mapping.yaml:3",
    message='cost center "CC-2" is not declared',
    hint='did you mean "CC-1"?',
)
WARNING = Problem(
    source="rates.yaml:9", message="a product has no price", hint="give it one", warning=True
)
anything = st.text(st.characters(codec="utf-8"), max_size=120)


def test_a_problem_says_where_what_and_what_to_do():
    assert (
        str(PROBLEM) == 'mapping.yaml:3: cost center "CC-2" is not declared; did you mean "CC-1"?'
    )
    assert str(WARNING) == "rates.yaml:9: warning: a product has no price; give it one"


def test_a_name_of_ten_thousand_characters_leaves_a_line_to_read():
    long = Problem(source="mapping.yaml:1", message=f"{'x' * 10_000} is unknown", hint="y" * 10_000)
    assert str(long) == f"mapping.yaml:1: {'x' * 2000}…; {'y' * 2000}…"


def test_warnings_do_not_stop():
    assert errors([WARNING, PROBLEM, WARNING]) == (PROBLEM,)
    assert errors([WARNING]) == ()


def test_a_rejection_carries_all_its_problems():
    rejected = Rejected(iter([PROBLEM, WARNING]))
    assert rejected.problems == (PROBLEM, WARNING)
    assert str(rejected).splitlines() == [str(PROBLEM), str(WARNING)]


@given(anything)
def test_whatever_is_quoted_the_message_is_one_line(text):
    shown = quoted(text)
    assert len(shown.splitlines()) == 1
    assert shown[0] == shown[-1] == '"'
    assert shown.isprintable()


@given(anything, anything, anything)
def test_a_problem_is_one_line_even_where_nothing_was_quoted(source, message, hint):
    told = str(Problem(source=f"s{source}", message=message, hint=hint))
    assert len(told.splitlines()) == 1
    assert told.isprintable()


@given(anything.filter(lambda text: len(text) <= 80))
@example("\U000e0041")
@example("\ue0041")
def test_what_is_short_is_quoted_whole(text):
    assert json.loads(quoted(text)) == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("CC-1", '"CC-1"'),
        ("", '""'),
        ('say "no"', '"say \\"no\\""'),
        ("a\nb\r\n", '"a\\nb\\r\\n"'),
        ("\u2028\u2029\x85", '"\\u2028\\u2029\\u0085"'),
        ("\x1b[31mred", '"\\u001b[31mred"'),
        ("\u202egnp.exe", '"\\u202egnp.exe"'),  # turns the direction of writing
        ("Zoë 山田", '"Zoë 山田"'),
        (12, '"12"'),
        ("x" * 80, f'"{"x" * 80}"'),
        ("x" * 81, f'"{"x" * 79}…"'),
    ],
)
def test_quoted_by_hand(value, shown):
    assert quoted(value) == shown


@pytest.mark.parametrize("text", ["\U000e0041", "a\U0001f1e6\u200d", "\ud800"])
def test_what_cannot_be_printed_is_escaped(text):
    shown = quoted(text)
    assert shown.isprintable()
    shown.encode()


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("orgz", ["orgs", "users"], "orgs"),
        ("ORGS", ["orgs", "users"], "orgs"),
        ("cc-1001", ["CC-1001", "CC-2002"], "CC-1001"),
        ("acount", ["account", "amount"], "account"),
        ("xyz", ["orgs", "users"], None),
        ("", ["orgs"], None),
        ("orgs", [], None),
    ],
)
def test_did_you_mean(word, known, meant):
    assert did_you_mean(word, known) == meant
    assert did_you_mean(word, reversed(known)) == meant


def test_did_you_mean_does_not_depend_on_the_order_of_what_is_known():
    known = ["cc-1", "CC-1", "cC-1", "Cc-1"]
    assert {did_you_mean("cc1", order) for order in (known, known[::-1], sorted(known))} == {"CC-1"}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(2, "No such file or directory", "/a/Path"), "no such file or directory"),
        (OSError("Cannot mmap"), "cannot mmap"),
        (OSError(), "unknown reason"),
    ],
)
def test_what_the_system_says_ends_a_sentence(error, said):
    assert said_by_system(error) == said
