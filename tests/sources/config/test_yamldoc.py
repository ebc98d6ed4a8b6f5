"""YAML is read as text: what was written is what is meant, and every value knows its line."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.problem import Rejected
from reportgen.sources.config.yamldoc import (
    LARGEST_FILE,
    List,
    Map,
    Scalar,
    decoded,
    parse,
    read_bytes,
)

AS_WRITTEN = [
    "0100",
    "no",
    "yes",
    "1e3",
    "2.10",
    "0x1F",
    "1_000",
    "2025-12-05",
    "12:30:45",
    ".inf",
    "0o17",
    "=",
    "y",
    "5.",
]
EMPTY = ["", "~", "null"]


def root(text):
    return parse(text, "file.yaml").root


def value(text, key="key"):
    return root(text).places[key][1]


def refused(text):
    with pytest.raises(Rejected) as caught:
        parse(text, "file.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("written", AS_WRITTEN)
@pytest.mark.parametrize("frame", ["key: {}\n", "key: '{}'\n", 'key: "{}"\n', "key: {}  # why\n"])
def test_a_scalar_stays_what_was_written(written, frame):
    assert value(frame.format(written)).text == written


@pytest.mark.parametrize("written", AS_WRITTEN)
def test_a_key_stays_what_was_written(written):
    assert [key.text for key, _ in root(f"{written}: a\n").entries] == [written]


@pytest.mark.parametrize("written", EMPTY)
def test_nothing_written_is_empty_but_quotes_are_something(written):
    assert value(f"key: {written}\n").empty
    assert not value(f'key: "{written}"\n').empty


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_any_quoted_text_comes_back(written):
    text = yaml.safe_dump({"key": written}, allow_unicode=True, default_style='"', width=10_000)
    assert value(text) == Scalar(text=written, line=1, plain=False)


def test_every_node_knows_its_line():
    text = "# first\n\na: 1\nb:\n  c: 2\n  d:\n    - x\n    - y: z\n'e': {f: 3,\n  g: [4, 5]}\n"
    document = parse(text, "file.yaml")
    lines = {
        ("a",): 3,
        ("b",): 4,
        ("b", "c"): 5,
        ("b", "d", 0): 7,
        ("b", "d", 1, "y"): 8,
        ("e", "f"): 9,
        ("e", "g"): 10,
    }
    assert {loc: document.line(*loc) for loc in lines} == {
        loc: f"file.yaml:{line}" for loc, line in lines.items()
    }


def test_a_path_that_leads_nowhere_ends_where_it_last_was():
    document = parse("a: 1\nb:\n  c: 2\n", "file.yaml")
    assert document.line("b", "x", "y") == "file.yaml:2"
    assert document.line("x") == "file.yaml:1"
    assert document.line("a", 7) == "file.yaml:1"


def test_lists_and_mappings_keep_their_order():
    found = root("b: [2, 1]\na: {d: 1, c: 2}\n")
    assert [key.text for key, _ in found.entries] == ["b", "a"]
    assert isinstance(found.places["b"][1], List)
    assert isinstance(found.places["a"][1], Map)
    assert [node.text for node in found.places["b"][1].nodes] == ["2", "1"]


def test_every_key_that_stands_twice_is_told_with_its_first_line():
    assert refused("a: 1\nb:\n  c: 1\n  c: 2\nd: [{e: 1, e: 2}]\na: 2\n") == [
        'file.yaml:4: the key "c" stands here for the second time; it stood on line 3; keep one',
        'file.yaml:5: the key "e" stands here for the second time; it stood on line 5; keep one',
        'file.yaml:6: the key "a" stands here for the second time; it stood on line 1; keep one',
    ]


@pytest.mark.parametrize("deep", ["[" * 60_000, "{a: " * 60_000, "- " * 60_000, "? " * 60_000])
def test_depth_is_bounded(deep):
    (problem,) = refused(deep)
    assert problem == "file.yaml:1: is nested deeper than 20 levels; flatten it"


def test_an_expansion_is_refused_where_it_begins():
    bomb = "a: &a [x, x]\n" + "".join(
        f"{name}: &{name} [*{before}, *{before}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    (problem,) = refused(bomb)
    assert problem.startswith(
        "file.yaml:1: the YAML anchor &a is not allowed; write the value out; "
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: 'open\nc: 2\n", 2),
        ("a: 1\nb: {c: 1\nd: 2\n", 2),
        ("a: 1\nb: [1, 2\nd: 2\n", 2),
        ("a: 1\nb\nc: 2\n", 2),
        ("a: 1\n\tb: 2\n", 2),
        ("a: 1\nb: `c\n", 2),
        ("ä: 1\nb: \x07\n", 2),
        ("ééééééééééé: 1\nb: 1\nc: \x07\nd: 1\n", 3),
        ('a: 1\nb: "C:\\Users"\n', 2),
        ("a: 1\n  b: 2\n", 2),
        ("a:\n  b: 2\n c: 3\n", 3),
        ("a: 1\n- b\n", 2),
    ],
)
def test_a_syntax_error_has_one_problem_on_its_line(text, line):
    (problem,) = refused(text)
    assert problem.startswith(f"file.yaml:{line}: ")


@given(st.text("ab:*&!{}[]'\"#-|>%@`,? \t\n\\\x07é", max_size=40))
def test_whatever_is_written_is_read_or_refused_on_a_line_of_the_file(text):
    try:
        document = parse(text, "file.yaml")
    except Rejected as rejected:
        for problem in rejected.problems:
            name, _, line = problem.source.rpartition(":")
            assert name == "file.yaml"
            assert 1 <= int(line) <= text.count("\n") + 1
            assert str(problem).isprintable()
    else:
        assert isinstance(document.root, Map)


def test_a_file_is_utf_8_with_or_without_its_mark(tmp_path):
    path = tmp_path / "file.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: Z\xc3\xbcrich\n")
    assert decoded(read_bytes(path, "file.yaml"), "file.yaml") == "name: Zürich\n"
    path.write_bytes(b"name: a\nplace: Z\xfcrich\n")
    with pytest.raises(Rejected, match=r"^file\.yaml:2: is not UTF-8 text; "):
        decoded(read_bytes(path, "file.yaml"), "file.yaml")


def test_a_file_has_a_size(tmp_path):
    path = tmp_path / "file.yaml"
    with path.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    with pytest.raises(Rejected, match=r"^file\.yaml:1: is larger than 16 MiB; "):
        read_bytes(path, "file.yaml")
