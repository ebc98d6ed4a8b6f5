"""The configuration as a whole: what it is read into, by which names; no mistake escapes."""

import copy
import json
import os
import re
import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from reportgen.cli import main
from reportgen.core.model import Rule, Share, Split
from reportgen.core.problem import Rejected
from reportgen.sources.config.configuration import load
from tests.examples import examples

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "configs" / "example"
RECORDING = (ROOT / "tests" / "errors" / "base" / "responses.jsonl").read_bytes()
CHARGEBACK = "enterprise: Acme\nmapping: mapping.yaml\nrates: rates.yaml\narchive: archive\n"
CENTERS = "cost_centers: {A: {name: Alpha}, B: {name: Beta}, C: {name: Gamma}}\n"
RATES = "currency: USD\nprices: {devin: 2.00}\n"


def configured(folder, mapping="", chargeback=CHARGEBACK, rates=RATES, user_file=None):
    texts = {"chargeback.yaml": chargeback, "mapping.yaml": CENTERS + mapping, "rates.yaml": rates}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    if user_file is not None:
        (folder / "hr.csv").write_text(user_file, encoding="utf-8")
    return load(folder)


def problems(folder, *args, **kwargs):
    with pytest.raises(Rejected) as caught:
        configured(folder, *args, **kwargs)
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


def rule(configuration, key) -> Rule:
    (found,) = (rule for rule in configuration.mapping.rules if rule.key == key)
    return found


def split(tmp_path, written):
    (value,) = rule(configured(tmp_path, f"users:\n  ada: {written}\n"), "ada").values
    return value.split


# What a value means


def test_a_code_bears_all(tmp_path):
    assert split(tmp_path, "A") == Split(shares=(Share("A", Decimal(1), "1"),))


def test_none_falls_through(tmp_path):
    assert split(tmp_path, "none") is None


def test_percentages_are_fractions(tmp_path):
    shares = (Share("A", Decimal("0.6"), "0.6"), Share("B", Decimal("0.4"), "0.4"))
    assert split(tmp_path, "{B: 40%, A: 60 %}") == Split(shares=shares)


def test_a_share_of_nothing_is_left_out(tmp_path):
    assert split(tmp_path, "{A: 100%, B: 0%}") == Split(shares=(Share("A", Decimal(1), "1"),))


def test_weights_stay_whole(tmp_path):
    shares = (
        Share("A", Decimal(1), "1/6"),
        Share("B", Decimal(2), "2/6"),
        Share("C", Decimal(3), "3/6"),
    )
    assert split(tmp_path, "{A: 1, B: 2, C: 3}") == Split(shares=shares, by_weight=True)


def test_a_single_weight_is_the_whole(tmp_path):
    assert split(tmp_path, "{A: 7}") == Split(shares=(Share("A", Decimal(1), "1"),))


def test_fine_percentages_add_up_exactly(tmp_path):
    found = split(tmp_path, "{A: 33.333333333333%, B: 33.333333333333%, C: 33.333333333334%}")
    assert sum(share.weight for share in found.shares) == 1
    (problem,) = problems(tmp_path, "users: {ada: {A: 33.33%, B: 33.33%, C: 33.33%}}\n")
    assert problem.startswith('mapping.yaml:2: the shares of "ada" add up to 99.99 %, not 100 %; ')


def test_dated_values_hold_from_their_day_and_know_their_line(tmp_path):
    mapping = (
        "users:\n  ada:\n"
        "    2025-07-01: A\n    2025-12-15: {A: 50%, B: 50%}\n    2026-02-01: none\n"
    )
    values = rule(configured(tmp_path, mapping), "ada").values
    assert [value.start for value in values] == [
        date(2025, 7, 1),
        date(2025, 12, 15),
        date(2026, 2, 1),
    ]
    assert [value.source for value in values] == [
        "mapping.yaml:4",
        "mapping.yaml:5",
        "mapping.yaml:6",
    ]
    assert [len(value.split.shares) if value.split else 0 for value in values] == [1, 2, 0]


def test_dated_prices_hold_from_their_day_and_know_their_line(tmp_path):
    rates = (
        'currency: JPY\nprices:\n  devin:\n    2025-07-01: 1.750\n    2026-01-05: 1.60\n  "*": 2\n'
    )
    card = configured(tmp_path, rates=rates).rate_card
    assert (card.currency, card.decimals) == ("JPY", 0)
    assert card.prices["devin"] == (
        (date(2025, 7, 1), Decimal("1.750"), "rates.yaml:4"),
        (date(2026, 1, 5), Decimal("1.60"), "rates.yaml:5"),
    )
    assert card.prices["*"] == ((date.min, Decimal(2), "rates.yaml:6"),)


def test_codes_that_yaml_would_type_stay_text(tmp_path):
    mapping = (
        "cost_centers: {0100: {name: no}, 1e3: {name: 2.10}}\n"
        "users: {a@x.example: 0100, 007: 1e3}\n"
    )
    (tmp_path / "chargeback.yaml").write_text(CHARGEBACK, encoding="utf-8")
    (tmp_path / "mapping.yaml").write_text(mapping, encoding="utf-8")
    (tmp_path / "rates.yaml").write_text(RATES, encoding="utf-8")
    found = load(tmp_path).mapping
    assert [(center.code, center.name) for center in found.cost_centers] == [
        ("0100", "no"),
        ("1e3", "2.10"),
    ]
    assert [rule.key for rule in found.rules] == ["007", "a@x.example"]


def test_dates_written_with_points_are_dates_but_codes_may_have_points(tmp_path):
    assert problems(tmp_path, "users:\n  ada:\n    01.07.2025: A\n") == [
        'mapping.yaml:4: the key "01.07.2025" is a date in another form; write 2025-07-01'
    ]
    centers = "cost_centers: {10.20.3000: {name: Alpha}, B: {name: Beta}}\n"
    (tmp_path / "mapping.yaml").write_text(
        centers + "users: {ada: {10.20.3000: 60%, B: 40%}}\n", encoding="utf-8"
    )
    assert len(rule(load(tmp_path), "ada").values[0].split.shares) == 2


# The HR export

USER_FILE = "user_file: {path: hr.csv, user: email, cost_center: cc, from: since}\n"


def test_a_row_is_a_rule_and_a_second_row_a_later_date(tmp_path):
    rows = (
        "name,email,cc,since\nAda,Ada@X.example,A,2025-07-01\n"
        "Bob,bob,none,\n\nAda,ADA@x.example,B,2025-12-15\n"
    )
    found = configured(tmp_path, USER_FILE, user_file=rows)
    ada = rule(found, "ada@x.example")
    assert [
        (value.start, value.split.shares[0].cost_center, value.source) for value in ada.values
    ] == [
        (date(2025, 7, 1), "A", "hr.csv:2"),
        (date(2025, 12, 15), "B", "hr.csv:5"),
    ]
    assert (ada.section, ada.source) == ("user_file", "hr.csv:2")
    assert [(value.start, value.split, value.source) for value in rule(found, "bob").values] == [
        (date.min, None, "hr.csv:3")
    ]


def test_a_row_that_spans_lines_is_named_by_its_first(tmp_path):
    rows = 'name,email,cc,since\n"Ada\nLovelace",ada,A,2025-07-01\n"Bob\n",bob,Z,\nEve,eve,A,\n'
    found = configured(tmp_path, USER_FILE, user_file=rows)
    assert [rule(found, key).source for key in ("ada", "bob", "eve")] == [
        *("hr.csv:2", "hr.csv:4", "hr.csv:6")
    ]


def test_an_export_of_a_spreadsheet_is_read(tmp_path):
    found = configured(
        tmp_path, USER_FILE, user_file="\ufeffemail,cc,since\r\n ada , A ,2025-07-01\r\n"
    )
    assert rule(found, "ada").values[0].split.shares[0].cost_center == "A"


# Names and paths


def test_files_are_kept_under_short_names_and_opened_under_long_ones(tmp_path):
    home, shared = tmp_path / "home", tmp_path / "shared"
    (home / "sub").mkdir(parents=True)
    shared.mkdir()
    main_file = CHARGEBACK.replace("mapping.yaml", "sub/mapping.yaml").replace(
        "rates.yaml", "../shared/rates.yaml"
    )
    (home / "chargeback.yaml").write_text(main_file, encoding="utf-8")
    (home / "sub" / "mapping.yaml").write_text(CENTERS, encoding="utf-8")
    (shared / "rates.yaml").write_text(RATES, encoding="utf-8")
    found = load(home)
    assert dict(found.paths) == {
        "chargeback.yaml": str(home / "chargeback.yaml"),
        "sub/mapping.yaml": str(home / "sub" / "mapping.yaml"),
        "rates.yaml": str(shared / "rates.yaml"),
    }
    assert found.files.keys() == found.paths.keys()
    assert found.archive == home / "archive"
    assert found.archive_source == f"{home}/chargeback.yaml:4"


def test_a_file_above_the_working_folder_keeps_no_way_up_in_its_name(tmp_path, monkeypatch):
    """The names are those under which the archive keeps the texts."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "chargeback.yaml").write_text(
        CHARGEBACK.replace("mapping.yaml", "../mapping.yaml"), encoding="utf-8"
    )
    (home / "rates.yaml").write_text(RATES, encoding="utf-8")
    (tmp_path / "mapping.yaml").write_text(CENTERS, encoding="utf-8")
    monkeypatch.chdir(home)
    assert dict(load(Path()).paths) == {
        "chargeback.yaml": "chargeback.yaml",
        "mapping.yaml": "../mapping.yaml",
        "rates.yaml": "rates.yaml",
    }


def test_two_files_of_one_name_are_told_apart(tmp_path):
    for folder, text in (("one", CENTERS), ("two", RATES)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file.yaml").write_text(text, encoding="utf-8")
    home = tmp_path / "home"
    home.mkdir()
    text = CHARGEBACK.replace("mapping.yaml", "../one/file.yaml").replace(
        "rates.yaml", "../two/file.yaml"
    )
    (home / "chargeback.yaml").write_text(text, encoding="utf-8")
    read = load(home)
    assert read.texts == {"chargeback.yaml": text, "file.yaml": CENTERS, "_file.yaml": RATES}
    assert read.files == {name: text.encode() for name, text in read.texts.items()}


def test_the_configuration_is_named_by_its_file_or_its_folder(tmp_path):
    configured(tmp_path)
    (tmp_path / "chargeback.yaml").rename(tmp_path / "other.yaml")
    assert load(tmp_path / "other.yaml").files.keys() == {
        "other.yaml",
        "mapping.yaml",
        "rates.yaml",
    }
    with pytest.raises(Rejected, match=r"chargeback\.yaml: cannot be read"):
        load(tmp_path)


def test_settings_that_name_lines_name_them_as_the_user_opens_them(tmp_path):
    text = f"{CHARGEBACK}source:\n  replay: r.jsonl\n  token_env: TOKEN\n"
    text += "invoice:\n  number: 'X{{ cost_center.code }}'\n"
    found = configured(tmp_path, chargeback=text)
    assert found.replay == tmp_path / "r.jsonl"
    assert (found.replay_source, found.token_sources[""]) == (
        f"{tmp_path}/chargeback.yaml:6",
        f"{tmp_path}/chargeback.yaml:7",
    )
    assert found.invoice_number_source == "chargeback.yaml:9"


def test_problems_of_all_files_come_together_in_the_order_of_their_lines(tmp_path):
    found = problems(
        tmp_path,
        USER_FILE + "users:\n  a: X\n  b: Y\n  c: {A: 1%}\n",
        CHARGEBACK + "colour: red\n",
        "currency: US\nprices: {devin: -1}\n",
        "email,cc\nada,A\n",
    )
    assert [problem.partition(": ")[0] for problem in found] == [
        *("chargeback.yaml:5", "hr.csv:1", "mapping.yaml:4", "mapping.yaml:5", "mapping.yaml:6"),
        *("rates.yaml:1", "rates.yaml:2"),
    ]


def test_tags_that_nothing_uses_are_a_warning(tmp_path):
    (warning,) = configured(tmp_path, 'tags: {"project:x": A}\n').warnings
    assert str(warning).startswith(
        f"{tmp_path}/mapping.yaml:2: warning: the rules for tags are not used; "
    )


@pytest.mark.parametrize(
    ("section", "named", "precedence"),
    [
        ("users: {a: A}", "users", "session, org"),
        ("service_users: {a: A}", "service users", "session, org"),
        ("orgs: {o: A}", "orgs", "session, user"),
        ("sessions: {devin-1: A}", "sessions", "user"),
    ],
)
def test_rules_of_a_level_that_is_never_asked_are_a_warning(tmp_path, section, named, precedence):
    mapping = f"{section}\nprecedence: [{precedence}]\n"
    (warning,) = configured(tmp_path, mapping).warnings
    assert f"mapping.yaml:2: warning: the rules for {named} are not used; add `" in str(warning)
    assert configured(tmp_path, f"{section}\n").warnings == ()


def test_the_example_has_no_problem_and_no_warning():
    assert load(EXAMPLE).warnings == ()


# Whatever is written

SEED = {
    "chargeback.yaml": {
        "enterprise": "Acme",
        "source": {
            "api": "v3",
            "base_url": "https://api.devin.ai",
            "token_env": "TOKEN",
            "replay": "responses.jsonl",
        },
        "mapping": "mapping.yaml",
        "rates": "rates.yaml",
        "archive": "archive",
        "tolerance": "0.000001",
        "invoice": {
            "number": "CB-{{ cost_center.code }}",
            "locale": "en",
            "accent": "#1f4e79",
            "note": "Thanks",
            "summaries": ["department"],
        },
    },
    "mapping.yaml": {
        "cost_centers": {
            "A": {
                "name": "Alpha",
                "contacts": ["a@acme.example"],
                "cycle_budget": "12.00",
                "locale": "ja",
            },
            "B": {"name": "Beta", "closed": "2026-12-31"},
            "C": {"name": "Gamma"},
            "D": {"name": "Delta"},
        },
        "user_file": {"path": "hr.csv", "user": "email", "cost_center": "cc", "from": "valid_from"},
        "users": {
            "ada@acme.example": "A",
            "okta|acme|0042": {"A": "60%", "B": "40%"},
            "alan@acme.example": {
                "2025-07-01": "A",
                "2025-12-15": {"A": "1", "B": "2"},
                "2026-02-01": "none",
            },
            "*@contractors.example": "B",
        },
        "service_users": {"service-user-1": "B"},
        "sessions": {"devin-0a1b": "B"},
        "tags": {"project:apollo": "B"},
        "orgs": {"org-abc123": "A"},
        "pools": {"C": {"A": "70%", "D": "30%"}, "D": "proportional"},
        "unallocated": "B",
        "precedence": ["session", "tag", "user", "org"],
    },
    "rates.yaml": {
        "currency": "USD",
        "contract": "Order form",
        "prices": {
            "devin": "2.00",
            "cascade": {"2025-07-01": "1.75", "2026-01-05": "1.60"},
            "*": "2.00",
        },
        "tiers": [{"up_to": "10000", "price": "2.00"}, {"price": "2.25"}],
        "recover": {"weights": {"devin": "1", "cascade": "0.8"}},
        "vendor_invoices": {
            "2025-12-05": {"number": "INV-0042", "amount": "61.00", "acus": "32.5"}
        },
        "fees": [
            {"name": "Platform team", "amount": "500.00", "to": "each"},
            {"name": "Support", "percent": "2.5%", "to": ["A", "B"]},
        ],
        "transfers": [
            {
                "cycle": "2025-12-05",
                "from": "A",
                "to": "B",
                "amount": "150.00",
                "reason": "Ticket 4711",
            }
        ],
        "memo_currency": {"A": {"currency": "JPY", "2025-12-05": "155.20", "2026-01-05": "156"}},
    },
}
HR = "email,name,cc,valid_from\nalan.t@acme.example,Alan,A,2025-07-01\n"
NASTY = [
    "",
    " ",
    "none",
    "null",
    "~",
    "A",
    "B",
    "Z",
    "*",
    "..",
    "/",
    "1e3",
    "NaN",
    "-1",
    "1_000",
    "60%",
    "100%",
    "0%",
    "=one",
]
NASTY += [
    "[key]",
    "=dated",
    "2025-12-05",
    "2025-02-30",
    "2025-7-1",
    "0001-01-01",
    "9999-12-31",
    "user",
    "v2",
    "{{ x }}",
    "{%",
]
NASTY += [
    "a\nb",
    "a\0b",
    "\u2028",
    "\x7f",
    "é",
    "😀",
    "x" * 200,
    "https://",
    "https://[::",
    "http://a:b@c",
    "hr.csv",
    "mapping.yaml",
]
SCALARS = st.sampled_from(NASTY) | st.text(max_size=8)
NODES = st.none() | st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=3),
    max_leaves=4,
)
PYDANTIC = re.compile(
    r"pydantic|[Ii]nput should|[Ff]ield required|[Ee]xtra inputs|valid (dict|list|str|tup)"
    r"|validation|errors\.",
    re.ASCII,
)


def places(node, at=()):
    """Give the path of every node."""
    yield at
    for key, inner in (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    ):
        yield from places(inner, (*at, key))


PLACES = [place for place in places(SEED) if len(place) > 1]
MUTATIONS = st.tuples(
    st.sampled_from(PLACES), st.sampled_from(["replace", "remove", "rename", "add"]), SCALARS, NODES
)


def led_to(node, step):
    """Tell whether a step leads on from a node."""
    return (
        step in node
        if isinstance(node, dict)
        else isinstance(node, list) and step in range(len(node))
    )


def mutated(mutations, way="prices"):
    """Change the seed here and there; what an earlier change has taken away is left alone."""
    files = copy.deepcopy(SEED)
    for unused in {"prices", "tiers", "recover"} - {way}:
        del files["rates.yaml"][unused]
    for place, kind, key, node in mutations:
        parent = files
        for step in place[:-1]:
            parent = parent[step] if led_to(parent, step) else None
        if not led_to(parent, place[-1]):
            continue
        if isinstance(parent, list):
            parent[place[-1] : place[-1] + (kind != "add")] = [] if kind == "remove" else [node]
            continue
        old = parent[place[-1]] if kind == "add" else parent.pop(place[-1])
        if kind == "replace":
            parent[place[-1]] = node
        elif kind == "rename":
            parent[key] = old
        elif kind == "add":
            parent[key] = node
    return {name: json.dumps(value, ensure_ascii=False, indent=1) for name, value in files.items()}


def told(texts):
    """Check a configuration against usage through the command line; give what it says on stderr."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        evidence = folder / "archive" / "2025-12-05" / "inputs" / "responses.jsonl"
        evidence.parent.mkdir(parents=True)
        evidence.write_bytes(RECORDING)
        for file, text in ({"hr.csv": HR} | texts).items():
            (folder / file).write_text(text, encoding="utf-8", errors="replace", newline="")
        here = os.getcwd()  # noqa: PTH109 - to come back
        os.chdir(folder)
        try:
            result = CliRunner().invoke(main, ["check", ".", "--cycle", "2025-12-05", "--quiet"])
        finally:
            os.chdir(here)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert result.exit_code in ({0, 1, 2} if "--cycle" in result.stderr else {0, 1})
        lengths = {path.name: path.read_bytes().count(b"\n") + 1 for path in folder.glob("*.*")}
    return result.stderr.splitlines(), lengths


def see_that_every_line_helps(texts):
    lines, lengths = told(texts)
    for line in lines:
        assert line.isprintable()
        assert "this is a bug" not in line, line
        assert not PYDANTIC.search(line), line
        place = re.match(r"([\w.-]+):(\d+): .+; .+", line)
        if place:
            assert 1 <= int(place[2]) <= lengths[place[1]], line
        else:
            assert line.startswith(("--cycle", "/v3", "GET ")) or "`reportgen collect`" in line, (
                line
            )


@examples(250)
@given(st.lists(MUTATIONS, min_size=1, max_size=4), st.sampled_from(["prices", "tiers", "recover"]))
def test_a_mutated_configuration_is_read_or_every_line_helps(mutations, way):
    see_that_every_line_helps(mutated(mutations, way))


YAML_TEXTS = {
    name: (ROOT / "tests" / "errors" / "base" / name).read_text(encoding="utf-8") for name in SEED
}
CUTS = st.tuples(
    st.sampled_from(sorted(YAML_TEXTS)),
    st.floats(0, 1),
    st.integers(0, 12),
    st.text("ab:*&!{}[]'\"#-|>%@`,? \t\n\\0é", max_size=6),
)


@examples(150)
@given(st.lists(CUTS, min_size=1, max_size=2))
def test_a_mistyped_configuration_is_read_or_every_line_helps(cuts):
    texts = dict(YAML_TEXTS)
    for name, where, length, typed in cuts:
        at = int(where * len(texts[name]))
        texts[name] = texts[name][:at] + typed + texts[name][at + length :]
    see_that_every_line_helps(
        {"hr.csv": (ROOT / "tests" / "errors" / "base" / "hr.csv").read_text()} | texts
    )
