"""`diff`: its figures against two separate builds, its moves against the ledgers they wrote."""

import json
import re
import shutil
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner

from reportgen.cli import main
from tests.scenarios.job import DECEMBER, Job, contents, plain
from tests.scenarios.test_explain import asked as explained
from tests.scenarios.test_sample import rows_of
from tests.weight import heavy_but

Edits = dict[str, list[tuple[str, str]]]


def asked(job: Job, *arguments: str, exit_code: int = 0) -> str:
    result = CliRunner().invoke(main, ["diff", str(job.folder), "--cycle", DECEMBER, *arguments])
    assert result.exit_code == exit_code, result.stderr
    return result.stdout if exit_code == 0 else result.stderr


def edited(job: Job, folder: Path, edits: Edits) -> list[str]:
    """Write edited copies elsewhere, with what they name, and give the options that name them."""
    folder.mkdir(parents=True, exist_ok=True)
    for export in job.folder.glob("*.csv"):
        shutil.copy(export, folder)
    options = []
    for name, changes in edits.items():
        text = (job.folder / name).read_text(encoding="utf-8")
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (folder / name).write_text(text, encoding="utf-8")
        options += [f"--{name.removesuffix('.yaml')}", str(folder / name)]
    return options


def rebuilt(job: Job, folder: Path, edits: Edits) -> Job:
    """Build the cycle with the edited files in place, in a copy; nobody reads its documents."""
    copy = job.copied(folder)
    if not (folder / "templates").exists():
        plain(copy)
    for name, changes in edits.items():
        for old, new in changes:
            copy.edit(name, old, new)
    result = copy.here("build", "--quiet")
    assert result.returncode == 0, result.stderr
    return copy


def whole(rates: str) -> list[tuple[str, str]]:
    return [('prices: {devin: 2.00, "*": 1.75}\n', rates)]


RECOVER = whole(
    "recover: {weights: {cascade: 0.8}}\n"
    "vendor_invoices: {2025-12-05: {number: I, amount: 19713.47}}\n"
)
TIERS = whole("tiers: [{up_to: 10000, price: 2.00}, {price: 2.25}]\n")
FEES = whole(
    'prices: {devin: 2.00, "*": 1.75}\nfees: [{name: Support, percent: 2.5%, to: [A-1]}, '
    "{name: Each, amount: 10.00, to: each}]\n"
    "transfers: [{cycle: 2025-12-05, from: A-1, to: B-2, amount: 150.00, reason: Ticket}]\n"
)
CHANGES: dict[str, Edits] = {
    "user": {"mapping.yaml": [("ada@acme.example: A-1", "ada@acme.example: C-3")]},
    "weights": {"mapping.yaml": [("{A-1: 1, B-2: 2}", "{A-1: 1, B-2: 1, C-3: 5}")]},
    "percent": {"mapping.yaml": [("{A-1: 1, B-2: 2}", "{A-1: 33.3%, B-2: 66.7%}")]},
    "none": {"mapping.yaml": [("ada@acme.example: A-1", "ada@acme.example: none")]},
    "dated": {"mapping.yaml": [("ada@acme.example: A-1", "ada@acme.example: {2025-12-20: C-3}")]},
    "bearer": {"mapping.yaml": [("unallocated: Z-9", "unallocated: C-3")]},
    "nobody": {"mapping.yaml": [("unallocated: Z-9\n", "")]},
    "precedence": {
        "mapping.yaml": [
            ("unallocated: Z-9\n", "unallocated: Z-9\nprecedence: [org, user]\n"),
            ("org-2f8ab6190c4e: B-2", "org-7c1e04b95d2a: B-2"),  # where Ada works
        ]
    },
    "pool": {
        "mapping.yaml": [
            ("unallocated: Z-9\n", "unallocated: Z-9\npools: {B-2: {A-1: 1, C-3: 2}}\n")
        ]
    },
    "new": {
        "mapping.yaml": [
            ("  C-3: {name: Kiosk}", "  D-4: {name: Drones}"),
            ("ada@acme.example: A-1", "ada@acme.example: D-4"),
        ]
    },
    "prices": {"rates.yaml": [("devin: 2.00", "devin: {2025-07-01: 2.00, 2025-12-20: 1.995}")]},
    "currency": {"rates.yaml": [("USD", "JPY"), ("2.00", "300"), ("1.75", "262.5")]},
    "recover": {"rates.yaml": RECOVER},
    "tiers": {"rates.yaml": TIERS},
    "fees": {"rates.yaml": FEES},
    "both": {
        "mapping.yaml": [("ada@acme.example: A-1", "ada@acme.example: B-2")],
        "rates.yaml": [("devin: 2.00", "devin: 3.00")],
    },
}


def borne(center: dict) -> Decimal:
    return sum((Decimal(line["acus"]) for line in center["lines"] if "acus" in line), Decimal(0))


def of_products(center: dict | None) -> dict[str, tuple[Decimal, Decimal]]:
    totals: dict[str, tuple[Decimal, Decimal]] = defaultdict(lambda: (Decimal(0), Decimal(0)))
    for line in center["lines"] if center else ():
        if "product" in line:
            acus, amount = totals[line["product"]]
            totals[line["product"]] = acus + Decimal(line["acus"]), amount + Decimal(line["amount"])
    return dict(totals)


def compared_by_hand(before: dict, after: dict) -> dict[str, dict]:
    """Give what each cost center that differs bears in two statements, in all and by product."""
    olds, news = (
        {one["code"]: one for one in statement["cost_centers"]} for statement in (before, after)
    )
    differing = {}
    for code in sorted({*olds, *news}):
        old, new = olds.get(code), news.get(code)
        sides = [
            (borne(one), Decimal(one["amount"])) if one else (Decimal(0), Decimal(0))
            for one in (old, new)
        ]
        products = of_products(old), of_products(new)
        if (
            sides[0] != sides[1]
            or products[0] != products[1]
            or before["currency"] != after["currency"]
        ):
            differing[code] = {"whole": sides, "products": products}
    return differing


def figures(side: dict) -> tuple[Decimal, Decimal]:
    return Decimal(side["acus"]), Decimal(side["amount"])


Net = dict[str, tuple[Fraction, Fraction]]


def grown(before: list[dict], after: list[dict]) -> Net:
    """Give by how much each cost center's rows of the ledger grew, at the prices after."""
    prices = {(row["day"], row["product"]): Fraction(row["unit_price"] or 0) for row in after}
    acus: dict[str, Fraction] = defaultdict(Fraction)
    amounts: dict[str, Fraction] = defaultdict(Fraction)
    for sign, rows in ((-1, before), (1, after)):
        for row in rows:
            acus[row["cost_center"]] += sign * Fraction(row["quantity"])
            amounts[row["cost_center"]] += (
                sign * Fraction(row["quantity"]) * prices[row["day"], row["product"]]
            )
    return {code: (acus[code], amounts[code]) for code in acus if acus[code] or amounts[code]}


def received(moves: Iterable[dict]) -> Net:
    acus: dict[str, Fraction] = defaultdict(Fraction)
    amounts: dict[str, Fraction] = defaultdict(Fraction)
    for move in moves:
        for sign, code in ((-1, move["from"] or ""), (1, move["to"] or "")):
            acus[code] += sign * Fraction(move["acus"])
            amounts[code] += sign * Fraction(move["exact_amount"])
    return {code: (acus[code], amounts[code]) for code in acus if acus[code] or amounts[code]}


def check_against_builds(job: Job, folder: Path, edits: Edits, *, priced: bool = True) -> dict:
    """Compare the JSON of `diff` with what two builds wrote, and give it."""
    answer = json.loads(asked(job, *edited(job, folder / "edited", edits), "--json"))
    after = rebuilt(job, folder / "rebuilt", edits)
    statements = job.statement(), after.statement()
    assert answer["cycle"] == {key: statements[0]["cycle"][key] for key in ("start", "end")}
    for key, statement in zip(("before", "after"), statements, strict=True):
        assert answer["currency"][key] == statement["currency"]
        assert answer["invoiced_amount"][key] == statement["tie_out"]["invoiced_amount"]
    expected = compared_by_hand(*statements)
    assert [center["code"] for center in answer["cost_centers"]] == list(expected)
    for center in answer["cost_centers"]:
        by_hand = expected[center["code"]]
        assert [figures(center[key]) for key in ("before", "after")] == by_hand["whole"]
        for key, products in zip(("before", "after"), by_hand["products"], strict=True):
            shown = {name: figures(one[key]) for name, one in center["by_product"].items()}
            assert {name: pair for name, pair in shown.items() if any(pair)} == {
                name: pair for name, pair in products.items() if any(pair)
            }
    accounted_for(answer, statements)
    ledgers = [list(rows_of(one.cycle() / "ledger.csv")) for one in (job, after)]
    told, changed = received(answer["moves"]), grown(*ledgers)
    assert {code: acus for code, (acus, _) in told.items()} == {
        code: acus for code, (acus, _) in changed.items()
    }
    if priced:
        assert told == changed
    assert Fraction(answer["moved_acus"]) == sum(Fraction(move["acus"]) for move in answer["moves"])
    assert all(move["from"] != move["to"] for move in answer["moves"])
    return answer


def accounted_for(answer: dict, statements: tuple[dict, dict]) -> None:
    """See that the parts add up, to what two builds say: by kind, cost center and over all."""
    if statements[0]["currency"] != statements[1]["currency"]:
        assert (answer["change"], answer["lines"]) == (None, [])
        return
    whole: dict[str, Decimal] = defaultdict(Decimal)
    for center in answer["cost_centers"]:
        parts = {name: Decimal(amount) for name, amount in center["change"].items()}
        change = parts.pop("amount")
        assert sum(parts.values()) == change
        assert change == -sum(
            sign * Decimal(center[side]["amount"]) for sign, side in ((1, "before"), (-1, "after"))
        )
        by_kind: dict[str, Decimal] = defaultdict(Decimal)
        for sign, statement in zip((-1, 1), statements, strict=True):
            for built in statement["cost_centers"]:
                for line in built["lines"] if built["code"] == center["code"] else ():
                    by_kind[line["kind"]] += sign * Decimal(line["amount"])
        for kind, name in (("fee", "fees"), ("transfer", "transfers"), ("pool", "pools")):
            assert parts[name] == by_kind[kind]
            told = [
                Decimal(line["after"]) - Decimal(line["before"])
                for line in answer["lines"]
                if (line["cost_center"], line["kind"]) == (center["code"], kind)
            ]
            assert sum(told, Decimal(0)) == by_kind[kind]
        lines = sum(
            len(built["lines"]) for statement in statements for built in statement["cost_centers"]
        )
        assert abs(parts["rounding"]) < Decimal("0.01") * (lines + len(answer["moves"]) + 2)
        assert parts["usage"] == 0
        for name, amount in center["change"].items():
            whole[name] += Decimal(amount)
    assert (
        whole == {name: Decimal(amount) for name, amount in answer["change"].items()} or not whole
    )
    invoiced = answer["invoiced_amount"]
    assert whole["amount"] == Decimal(invoiced["after"]) - Decimal(invoiced["before"])


# The small configuration


@pytest.mark.heavy
@pytest.mark.parametrize("change", heavy_but(1, reversed(CHANGES)))
def test_the_figures_are_those_of_two_builds(small_build, tmp_path, change):
    answer = check_against_builds(
        small_build.job, tmp_path, CHANGES[change], priced=change not in {"recover", "tiers"}
    )
    moved = {"mapping.yaml"} & CHANGES[change].keys() and change != "pool"
    assert bool(answer["moves"]) == bool(moved)
    assert answer["cost_centers"]


def test_one_user_who_moves_takes_along_what_the_ledger_has_of_him(small_build, tmp_path):
    """The case by hand: Ada goes from A-1 to C-3, which had nothing."""
    job = small_build.job
    options = edited(job, tmp_path, CHANGES["user"])
    hers = [
        row for row in rows_of(job.cycle() / "ledger.csv") if row["rule"] == "mapping.yaml:7"
    ]  # ada's
    assert {row["cost_center"] for row in hers} == {"A-1"}
    acus = sum(Decimal(row["quantity"]) for row in hers)
    amount = sum(Decimal(row["exact_amount"]) for row in hers)
    answer = json.loads(asked(job, *options, "--json"))
    (move,) = answer["moves"]
    assert (move["from"], move["to"]) == ("A-1", "C-3")
    assert (Decimal(move["acus"]), Decimal(move["exact_amount"])) == (acus, amount)
    assert move["rule_before"] == f"{job.folder / 'mapping.yaml'}:7"
    assert (
        Path(move["rule_after"].rpartition(":")[0]).resolve()
        == (tmp_path / "mapping.yaml").resolve()
    )
    assert move["rule_after"].endswith(":7")
    said = asked(job, *options)
    rows = [line.split() for line in said.splitlines()]
    figures_told = [f"{acus:.4f}", f"{amount.quantize(Decimal('0.01')):f}"]
    assert ["A-1", "C-3", *figures_told, "mapping.yaml:7", "mapping.yaml:7"] in rows
    kiosk, made_of = (row for row in rows if row[:1] == ["C-3"])
    assert kiosk[2:5] == ["0.0000", figures_told[0], "0.00"]
    assert kiosk[6] == made_of[-1] == f"+{kiosk[5]}"
    assert made_of[1] == f"+{figures_told[1]}"
    assert abs(Decimal(kiosk[5]) - amount) < Decimal("0.01")  # that of one of its two lines


def test_what_nobody_bore_or_will_bear_is_told_in_words(small_build, tmp_path):
    said = asked(small_build.job, *edited(small_build.job, tmp_path, CHANGES["nobody"]))
    (row,) = [line for line in said.splitlines() if "(nobody)" in line]
    assert re.match(r"\s*Z-9\s+\(nobody\)\s+[\d.]+\s+[\d.]+\s+no rule\s+no rule\s*$", row)
    (move,) = json.loads(
        asked(small_build.job, "--mapping", str(tmp_path / "mapping.yaml"), "--json")
    )["moves"]
    assert (move["to"], move["rule_before"], move["rule_after"]) == (None, None, None)


@pytest.mark.parametrize("change", heavy_but(2, ["fees", "pool", "both", "user", "nobody"]))
def test_what_is_printed_adds_up_to_what_is_invoiced(small_build, tmp_path, change):
    said = asked(small_build.job, *edited(small_build.job, tmp_path, CHANGES[change]))
    head, _, table = said.partition("What the change is made of, in USD (each line adds up):\n")
    rows = [line.split() for line in table.splitlines() if re.search(r" [+-]\d", line)]
    assert rows[-1][0] == "all"
    for row in rows:
        *parts, whole = map(Decimal, row[1:])
        assert sum(parts) == whole
    columns = [list(map(Decimal, column)) for column in list(zip(*rows, strict=True))[1:]]
    assert all(sum(column[:-1]) == column[-1] for column in columns)
    before, after = re.search(r"Invoiced: USD (\S+) before, USD (\S+) after", table).groups()
    assert columns[-1][-1] == Decimal(after) - Decimal(before)
    changes = {
        row[0]: row[-1]
        for row in map(str.split, re.split("(What|Fees)", head)[0].splitlines())
        if row
    }
    assert all(changes[row[0]] == row[-1] for row in rows[:-1])


def test_another_price_changes_amounts_and_moves_nothing(small_build, tmp_path):
    said = asked(small_build.job, *edited(small_build.job, tmp_path, CHANGES["prices"]))
    assert "What moves" not in said
    assert re.search(r"Invoiced: USD 851\.49 before, USD \d+\.\d\d after", said)


@pytest.mark.heavy
def test_amounts_in_two_currencies_have_no_difference(small_build, tmp_path):
    said = asked(small_build.job, *edited(small_build.job, tmp_path, CHANGES["currency"]))
    assert "USD before" in said
    assert "JPY after" in said
    assert not re.search(r" [+-]\d", said)
    same = edited(small_build.job, tmp_path / "same", {"rates.yaml": [("USD", "EUR")]})
    assert "EUR after" in asked(small_build.job, *same)


def test_identical_files_move_nothing(small_build, tmp_path):
    job = small_build.job
    both = [f"--{name}={job.folder / name}.yaml" for name in ("mapping", "rates")]
    for options in (both[:1], both[1:], both):
        assert asked(job, *options) == "Nothing moves: no cost center bears other ACUs or amounts\n"
    answer = json.loads(asked(job, *both, "--json"))
    assert (answer["moves"], answer["cost_centers"], answer["moved_acus"]) == ([], [], "0")
    assert answer["invoiced_amount"]["before"] == answer["invoiced_amount"]["after"]


def test_other_words_and_another_order_move_nothing(small_build, tmp_path):
    reordered = [("users:\n", "# as agreed\n\nusers:\n"), ("{A-1: 1, B-2: 2}", "{B-2: 4, A-1: 2}")]
    options = edited(small_build.job, tmp_path, {"mapping.yaml": reordered})
    assert asked(small_build.job, *options).startswith("Nothing moves")


def test_the_cost_centers_name_may_change(small_build, tmp_path):
    options = edited(
        small_build.job, tmp_path, {"mapping.yaml": [("name: Platform", "name: Engine room")]}
    )
    assert asked(small_build.job, *options).startswith("Nothing moves")


# The example: sessions, tags, an HR export


@pytest.mark.heavy
def test_a_session_rule_that_goes_gives_the_session_back(sample, tmp_path):
    session = "devin-a8e6004c1506cf63"
    edits: Edits = {"mapping.yaml": [(f"sessions:\n  {session}: CC-3001", "# none:")]}
    hers = [row for row in rows_of(sample.folder / "ledger.csv") if row["session_id"] == session]
    assert hers
    answer = check_against_builds(sample.job, tmp_path, edits)
    assert {move["from"] for move in answer["moves"]} == {"CC-3001"}
    assert Fraction(answer["moved_acus"]) == sum(Fraction(row["quantity"]) for row in hers)


@pytest.mark.heavy
def test_a_precedence_without_tags_moves_what_they_had(sample, tmp_path):
    edits: Edits = {
        "mapping.yaml": [
            ("precedence: [session, tag, user, org]", "precedence: [session, user, org]")
        ]
    }
    answer = check_against_builds(sample.job, tmp_path, edits)
    assert {move["from"] for move in answer["moves"]} == {"CC-5001"}
    assert not next(one for one in answer["cost_centers"] if one["code"] == "CC-5001")["after"][
        "acus"
    ].strip("0")


@pytest.mark.heavy
def test_an_edited_mapping_reads_the_hr_export_beside_it(sample, tmp_path):
    options = edited(sample.job, tmp_path, {"mapping.yaml": []})
    assert asked(sample.job, *options).startswith("Nothing moves")
    export = tmp_path / "hr.csv"
    export.write_text(
        export.read_text(encoding="utf-8").replace("CC-1003", "CC-1004"), encoding="utf-8"
    )
    answer = json.loads(asked(sample.job, *options, "--json"))
    assert {(move["from"], move["to"]) for move in answer["moves"]} == {("CC-1003", "CC-1004")}
    assert all("hr.csv:" in move["rule_after"] for move in answer["moves"])
    export.unlink()
    assert "hr.csv" in asked(sample.job, *options, exit_code=1)


# What can be wrong, and what stays as it is


def test_a_mistake_in_the_edited_file_names_that_file(small_build, tmp_path):
    job = small_build.job
    options = edited(
        job, tmp_path, {"mapping.yaml": [("ada@acme.example: A-1", "ada@acme.example: A-9")]}
    )
    said = asked(job, *options, exit_code=1)
    place, _, words = said.partition(": ")
    assert Path(place.rpartition(":")[0]).resolve() == (tmp_path / "mapping.yaml").resolve()
    assert place.endswith(":7")
    assert words.startswith('cost center "A-9" is not declared')
    result = CliRunner().invoke(
        main, ["diff", str(job.folder), "--cycle", DECEMBER, *options, "--json"]
    )
    (problem,) = json.loads(result.stdout)["problems"]
    assert (result.exit_code, problem["source"]) == (1, place)


def test_a_file_that_is_not_there_is_named(small_build, tmp_path):
    said = asked(small_build.job, "--mapping", str(tmp_path / "gone.yaml"), exit_code=1)
    assert "gone.yaml" in said
    assert said.count("\n") == 1


def test_a_session_that_was_not_collected_cannot_be_shown(small_build, tmp_path):
    known = "devin-ccee9cbc38aa3596"
    options = edited(
        small_build.job,
        tmp_path,
        {"mapping.yaml": [("orgs:\n", f"sessions: {{{known}: C-3}}\norgs:\n")]},
    )
    said = asked(small_build.job, *options, exit_code=1)
    assert known in said
    assert "collect" in said
    assert "mapping.yaml:9: " in said


def test_without_an_edited_file_there_is_nothing_to_compare(small_build):
    said = asked(small_build.job, exit_code=2)
    assert "name the edited file with --mapping, --rates or both" in said


def test_a_cycle_that_was_not_collected_is_refused(small_job):
    said = asked(small_job, "--mapping", str(small_job.folder / "mapping.yaml"), exit_code=1)
    assert "run `reportgen collect` first" in said
    assert not small_job.archive.exists()


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        name: (content, (folder / name).stat().st_mtime_ns)
        for name, content in contents(folder).items()
    }


@pytest.mark.heavy
def test_neither_diff_nor_explain_touches_the_archive(small_build, tmp_path):
    job = small_build.job.copied(tmp_path / "kept")
    options = edited(job, tmp_path / "edited", CHANGES["both"])
    before, folders = state(job.folder), sorted(job.folder.rglob("*"))
    said = asked(job, *options)
    assert asked(job, *options) == said
    explained(job, "A-1")
    asked(job, "--mapping", str(tmp_path / "gone.yaml"), exit_code=1)
    assert state(job.folder) == before
    assert sorted(job.folder.rglob("*")) == folders


@pytest.mark.heavy
def test_an_archive_that_was_collected_and_never_built_is_enough(small_job, small_build, tmp_path):
    assert small_job.here("collect").returncode == 0
    before = state(small_job.archive)
    options = edited(small_job, tmp_path / "edited", CHANGES["user"])
    said = asked(small_job, *options)
    assert state(small_job.archive) == before
    assert said.splitlines()[-1] == "Invoiced: USD 851.49 before, USD 851.49 after"
    expected = asked(small_build.job, *options).splitlines()
    assert said.splitlines() == expected
