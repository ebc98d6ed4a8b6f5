"""inputs/history.json: what built cycles came to, from their own files, the same when read back."""

import csv
import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.archive import history
from reportgen.archive.folder import HISTORY, LEDGER, MANIFEST, STATEMENT
from reportgen.core.comparing.compare import set_against
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import (
    CostCenterTotals,
    CycleTotals,
    Directory,
    Principal,
    ProductTotals,
    Rule,
)
from reportgen.core.problem import Rejected
from reportgen.core.written.statement_json import statement_json
from reportgen.core.written.tables import ledger_csv
from tests.core.allocating.test_unallocated import (
    ADA,
    FIRST,
    ROBOT,
    SECOND,
    World,
    charged,
    record,
    rule,
    rules_of,
)

START = 1764921600
CYCLE = BillingCycle(start=FIRST, end=date(2026, 1, 5), after=START, before=START + 31 * 86400)
NEXT = BillingCycle(
    start=CYCLE.end, end=date(2026, 2, 5), after=CYCLE.before, before=CYCLE.before + 31 * 86400
)
HOSTILE = (
    "=1+1",
    "'=1",
    "''",
    "+a",
    "-1",
    "@x",
    "\ttab",
    "\rreturn",
    'a"b',
    "a,b",
    "a\nb",
    "東京 \u202e\x1b",
    "okta|0042",
)
NAMES = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def written(archive: Path, world: World, *, start: date = FIRST) -> Path:
    """Write what a build leaves of a cycle, as far as it is looked at later."""
    folder = archive / start.isoformat()
    folder.mkdir(parents=True)
    (folder / STATEMENT).write_bytes(statement_json(world.statement).encode())
    (folder / LEDGER).write_bytes(ledger_csv(world.allocations).encode())
    return folder


def found_after(archive: Path, cycle: BillingCycle = NEXT) -> CycleTotals:
    (found,) = run_up_to(archive, cycle)
    return found


def run_up_to(archive: Path, cycle: BillingCycle = NEXT) -> tuple[CycleTotals, ...]:
    found, warnings = history.earlier(archive, cycle, "USD")
    assert warnings == []
    return found


def read_again(folder: Path, *earlier: CycleTotals) -> tuple[CycleTotals, ...]:
    path = folder / HISTORY
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(history.encode(earlier))
    return history.decode(folder)


ROBOTS = rule("service_users", "robot", "CC-1", "CC-2")
WORLD = charged(
    [
        *(
            record(("org-1", ADA), "3.0000000000000007"),
            record(("", ROBOT), "0.1"),
            record(("org-2", None), "7"),
        ),
        *(
            record(("", ADA), "5", "cascade", SECOND),
            record(("", ADA), "1", "review"),
            record(("", None), "-0.25"),
        ),
    ],
    rules_of(rule("users", "u-ada", "CC-1"), ROBOTS, bearer="CC-9"),
)

CAME_TO = CycleTotals(
    cycle=CYCLE,
    status="draft",
    currency="USD",
    decimals=2,
    control_acus=Decimal("15.8500000000000007"),
    invoiced_amount=Decimal("28.50"),
    cost_centers={
        "CC-1": CostCenterTotals(
            name="Center CC-1",
            acus=Decimal("9.0500000000000007"),
            amount=Decimal("14.87"),
            by_product={
                "cascade": ProductTotals(acus=Decimal(5), amount=Decimal("8.75")),
                "devin": ProductTotals(acus=Decimal("3.0500000000000007"), amount=Decimal("6.12")),
                "review": ProductTotals(acus=Decimal(1), amount=Decimal("0.00")),  # no price
            },
            principals=tuple(sorted({ADA, ROBOT})),
            used={
                ADA: ProductTotals(
                    acus=Decimal("9.0000000000000007"), amount=Decimal("14.7650000000000014035")
                ),
                ROBOT: ProductTotals(acus=Decimal("0.05"), amount=Decimal("0.10025")),
            },
        ),
        "CC-2": CostCenterTotals(
            name="Center CC-2",
            acus=Decimal("0.05"),
            amount=Decimal("0.10"),
            by_product={"devin": ProductTotals(acus=Decimal("0.05"), amount=Decimal("0.10"))},
            principals=(ROBOT,),
            used={ROBOT: ProductTotals(acus=Decimal("0.05"), amount=Decimal("0.10025"))},
        ),
        "CC-9": CostCenterTotals(  # 7 in an organization without a rule, and a credit of 0.25
            name="Center CC-9",
            acus=Decimal("6.75"),
            amount=Decimal("13.53"),
            by_product={"devin": ProductTotals(acus=Decimal("6.75"), amount=Decimal("13.53"))},
            principals=(),
        ),
    },
)
"""What the world comes to: 3.05 at 2.005 and 5 at 1.75 are CC-1's, and so on."""


# The file

QUANTITIES = st.decimals(-(10**9), 10**9, places=15)
AMOUNTS = st.decimals(-(10**9), 10**9, places=2)
PRODUCTS = st.dictionaries(
    NAMES, st.builds(ProductTotals, acus=QUANTITIES, amount=AMOUNTS), max_size=3
)
PRINCIPALS = st.builds(Principal, st.sampled_from(["user", "service_user"]), NAMES)
CENTERS = st.builds(
    CostCenterTotals,
    name=NAMES,
    acus=QUANTITIES,
    amount=AMOUNTS,
    by_product=PRODUCTS,
    principals=st.frozensets(PRINCIPALS, max_size=4).map(sorted).map(tuple),
)
TOTALS = st.builds(
    CycleTotals,
    cycle=st.just(CYCLE),
    status=st.sampled_from(["draft", "closed"]),
    currency=st.just("USD"),
    decimals=st.just(2),
    control_acus=QUANTITIES,
    invoiced_amount=AMOUNTS,
    cost_centers=st.dictionaries(NAMES, CENTERS, max_size=3),
    seal=st.none() | st.text("0123456789abcdef", min_size=64, max_size=64),
)


@given(st.lists(TOTALS, max_size=3))
def test_what_is_written_is_read_back_whatever_names_and_ids_hold(tmp_path_factory, earlier):
    folder = tmp_path_factory.mktemp("cycle")
    assert read_again(folder, *earlier) == tuple(earlier)
    assert history.encode(history.decode(folder)) == (folder / HISTORY).read_bytes()


@given(TOTALS, st.randoms())
def test_the_order_of_cost_centers_and_people_changes_no_byte(totals, random):
    centers = random.sample(list(totals.cost_centers.items()), len(totals.cost_centers))
    assert history.encode([replace(totals, cost_centers=dict(centers))]) == history.encode([totals])


def test_no_cycle_is_a_file_too(tmp_path):
    assert json.loads(history.encode([])) == {"schema": "reportgen.history/1", "cycles": []}
    assert read_again(tmp_path) == ()


def test_decimals_are_text_and_amounts_keep_those_of_the_currency():
    (cycle,) = json.loads(GOOD)["cycles"]
    (first, *_) = cycle["cost_centers"]
    assert first["by_product"]["cascade"] == {"acus": "5", "amount": "8.75"}
    assert first["by_product"]["review"] == {"acus": "1", "amount": "0.00"}
    assert first["principals"] == [
        {"kind": "service_user", "id": "robot", "acus": "0.05", "exact_amount": "0.10025"},
        {
            "kind": "user",
            "id": "u-ada",
            "acus": "9.0000000000000007",
            "exact_amount": "14.7650000000000014035",
        },
    ]
    assert cycle["control_acus"] == "15.8500000000000007"


GOOD = history.encode([CAME_TO])
BROKEN = {
    "empty": b"",
    "torn": GOOD[:-30],
    "a list": b"[]",
    "not text": b"\xff\xfe",
    "of a later program": GOOD.replace(b"history/1", b"history/2"),
    "not a number": GOOD.replace(b'"8.75"', b'"NaN"'),
    "an exponent": GOOD.replace(b'"8.75"', b'"1e999999"'),
    "words": GOOD.replace(b'"8.75"', b'"much"'),
    "a line more": GOOD.replace(b'"8.75"', b'"8.75\\n"'),
    "no day": GOOD.replace(b"2025-12-05", b"2025-13-05"),
    "a status": GOOD.replace(b'"draft"', b'"final"'),
    "nested": b'{"later": ' + b"[" * 200_000,
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_damaged_file_is_a_problem_of_one_line(tmp_path, content):
    path = tmp_path / HISTORY
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(Rejected) as caught:
        history.decode(tmp_path)
    assert str(caught.value).startswith(f"{path}: cannot be read: ")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_a_problem(tmp_path):
    with pytest.raises(Rejected):
        history.decode(tmp_path)


# What a cycle that was built came to


def read_by_hand(folder: Path) -> dict[str, dict]:
    """Read statement.json and ledger.csv as anybody would, and add up what is compared."""
    statement = json.loads((folder / STATEMENT).read_text(encoding="utf-8"))
    people: dict[str, set[tuple[str, str]]] = defaultdict(set)
    with (folder / LEDGER).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            cells = {column: cell.removeprefix("'") for column, cell in row.items()}
            if cells["principal_id"]:
                people[cells["cost_center"]].add((cells["principal_kind"], cells["principal_id"]))
    found = {}
    for center in statement["cost_centers"]:
        products: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for line in center["lines"]:
            if "product" in line:
                products[line["product"]][0] += Decimal(line["acus"])
                products[line["product"]][1] += Decimal(line["amount"])
        found[center["code"]] = {
            "name": center["name"],
            "acus": sum((acus for acus, _ in products.values()), Decimal(0)),
            "amount": Decimal(center["amount"]),
            "by_product": {name: tuple(figures) for name, figures in products.items()},
            "principals": people[center["code"]],
        }
    return found


def as_plain(totals: CycleTotals) -> dict[str, dict]:
    return {
        code: {
            "name": center.name,
            "acus": center.acus,
            "amount": center.amount,
            "by_product": {name: (one.acus, one.amount) for name, one in center.by_product.items()},
            "principals": {tuple(one) for one in center.principals},
        }
        for code, center in totals.cost_centers.items()
    }


def test_the_files_of_a_build_come_to_what_the_statement_came_to(tmp_path):
    folder = written(tmp_path, WORLD)
    found = found_after(tmp_path)
    assert as_plain(found) == read_by_hand(folder)
    assert found == CAME_TO
    assert read_again(tmp_path / "later", found) == (found,)


def test_what_an_earlier_version_kept_tells_of_people_without_their_usage(tmp_path):
    (told,) = read_again(tmp_path, CAME_TO)
    path = tmp_path / HISTORY
    values = json.loads(path.read_text(encoding="utf-8"))
    for center in values["cycles"][0]["cost_centers"]:
        center["principals"] = [
            {"kind": one["kind"], "id": one["id"]} for one in center["principals"]
        ]
    path.write_text(json.dumps(values), encoding="utf-8")
    (before,) = history.decode(tmp_path)
    assert all(not center.used for center in before.cost_centers.values())
    centers = {code: replace(center, used={}) for code, center in told.cost_centers.items()}
    assert before == replace(told, cost_centers=centers)


def user_rule(key: str, code: str) -> Rule:
    return rule("users", key, code)


@given(st.lists(NAMES, min_size=1, max_size=4, unique=True))
def test_hostile_ids_and_names_are_found_again(tmp_path_factory, ids):
    archive = tmp_path_factory.mktemp("archive")
    places = [(name, Principal(kind, name)) for name in ids for kind in ("user", "service_user")]
    world = charged(
        [record(place, "1", product) for place in places for product in ("devin", "=devin", "'x")],
        rules_of(*(user_rule(name, "CC-1") for name in ids if "*" not in name), bearer="CC-9"),
        directory=Directory(),
    )
    folder = written(archive, world)
    found = found_after(archive)
    assert as_plain(found) == read_by_hand(folder)
    people = [center.principals for center in found.cost_centers.values()]
    assert frozenset().union(*people) == {principal for _, principal in places}
    assert read_again(archive / "later", found) == (found,)


def test_a_code_that_a_spreadsheet_would_take_for_a_formula_keeps_its_people(tmp_path):
    folder = written(
        tmp_path, charged([record(("", ADA), "1")], rules_of(rule("users", "u-ada", "CC-1")))
    )
    for name in (STATEMENT, LEDGER):
        text = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text(
            text.replace('"CC-1"', '"-1"').replace(",CC-1,", ",'-1,"), encoding="utf-8"
        )
    assert found_after(tmp_path).cost_centers["-1"].principals == (ADA,)


def test_a_row_that_names_a_thousand_answers_is_read(tmp_path):
    folder = written(tmp_path, WORLD)
    *others, allocation = sorted(
        WORLD.allocations, key=lambda each: each.record.principal_id == ADA.id
    )
    requests = tuple(f"/v3/{'x' * 150}/{number}" for number in range(1_000))
    long = allocation._replace(record=allocation.record._replace(requests=requests))
    (folder / LEDGER).write_text(ledger_csv([long, *others]), encoding="utf-8")
    assert ADA in found_after(tmp_path).cost_centers[allocation.cost_center].principals


# Which cycle


def test_the_bounds_of_the_cycle_are_those_of_its_days(tmp_path):
    written(tmp_path, WORLD)
    assert found_after(tmp_path).cycle == CYCLE


def test_a_closed_cycle_is_known_by_the_hash_of_its_manifest(tmp_path):
    folder = written(tmp_path, WORLD)
    assert found_after(tmp_path).seal is None
    manifest = b'{"sequence": 4}\n'
    (folder / MANIFEST).write_bytes(manifest)
    path = folder / STATEMENT
    path.write_text(
        path.read_text(encoding="utf-8").replace('"status": "draft"', '"status": "closed"'), "utf-8"
    )
    found = found_after(tmp_path)
    assert (found.status, found.seal) == ("closed", sha256(manifest).hexdigest())
    assert read_again(tmp_path / "later", found) == (found,)


def nothing(archive: Path) -> None:
    """An archive that is still to be made."""


def too_early(archive: Path) -> None:
    folder = written(archive, WORLD)
    folder.rename(archive / "2025-11-05")
    path = archive / "2025-11-05" / STATEMENT
    path.write_text(
        path.read_text(encoding="utf-8").replace("2026-01-05", "2025-12-05"), encoding="utf-8"
    )


def collected_in_between(archive: Path) -> None:
    """The nearest earlier folder is the one that counts, built or not."""
    written(archive, WORLD)
    (archive / "2025-12-20" / "inputs").mkdir(parents=True)


def not_built(archive: Path) -> None:
    (archive / "2025-12-05" / "inputs").mkdir(parents=True)


def later_and_beside(archive: Path) -> None:
    """A correction, a draft in the making, the cycle itself, later ones are not the one before."""
    for name in (
        "2025-12-05.c1",
        ".2025-12-05.draft-x",
        "2026-01-05",
        "2026-02-05",
        "fonts",
        "exports",
    ):
        (archive / name).mkdir(parents=True)
        (archive / name / STATEMENT).write_text("whoever reads this fails", encoding="utf-8")
    (archive / "2025-12-06").write_text("a file", encoding="utf-8")


@pytest.mark.parametrize(
    "prepare", [nothing, too_early, collected_in_between, not_built, later_and_beside]
)
def test_where_the_cycle_before_was_not_built_there_is_nothing_to_compare_with(tmp_path, prepare):
    prepare(tmp_path / "archive")
    assert run_up_to(tmp_path / "archive") == ()


def changed(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def without_last_row(folder: Path) -> None:
    path = folder / LEDGER
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def cut(name: str, at: int) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:at])


DAMAGES: dict[str, Callable[[Path], None]] = {
    "statement torn": cut(STATEMENT, -40),
    "statement empty": cut(STATEMENT, 0),
    "statement a list": lambda folder: (folder / STATEMENT).write_bytes(b"[]"),
    "statement not text": lambda folder: (folder / STATEMENT).write_bytes(b'{"status": "\xff"}'),
    "statement nested": lambda folder: (folder / STATEMENT).write_bytes(
        b'{"later": ' + b"[" * 200_000
    ),
    "amount not a number": changed(STATEMENT, '"amount": "8.75"', '"amount": "NaN"'),
    "amount an exponent": changed(STATEMENT, '"amount": "8.75"', '"amount": "1e999999"'),
    "amount a number": changed(STATEMENT, '"amount": "8.75"', '"amount": 8.75'),
    "line of another kind": changed(STATEMENT, '"kind": "usage"', '"kind": "gift"'),
    "no status": changed(STATEMENT, '"status": "draft"', '"status": "final"'),
    "ledger empty": cut(LEDGER, 0),
    "ledger torn": cut(LEDGER, -20),
    "ledger without its last row": without_last_row,
    "ledger without a number": changed(LEDGER, ",5,1.75,", ",five,1.75,"),
    "ledger torn in a quote": changed(LEDGER, "robot", '"robot'),
    "ledger without a column": changed(LEDGER, "principal_id", "principal"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cycle_is_a_warning_and_compared_with_nothing(tmp_path, damage):
    folder = written(tmp_path, WORLD)
    DAMAGES[damage](folder)
    found, (problem,) = history.earlier(tmp_path, NEXT, "USD")
    assert found == ()
    assert problem.warning
    assert problem.source == str(folder / (LEDGER if "ledger" in damage else STATEMENT))
    assert problem.message.startswith("cannot be read: ")
    assert "\n" not in str(problem)
    assert problem.hint == "build that cycle again; until then this one is compared with nothing"


def test_a_file_that_the_system_cannot_read_is_named(tmp_path):
    ledger = written(tmp_path, WORLD) / LEDGER
    ledger.unlink()
    for said in ("no such file or directory", "is a directory"):
        totals, (problem,) = history.earlier(tmp_path, NEXT, "USD")
        assert totals == ()
        assert problem.source == str(ledger)
        assert problem.message == f"cannot be read: {said}"
        ledger.mkdir(exist_ok=True)


# Several cycles

MONTH = timedelta(days=31)


def chained(archive: Path, count: int) -> list[Path]:
    """Write cycles of 31 days, each up to the next; the latest folder comes first."""
    folders = []
    for number in range(count):
        start, end = FIRST - MONTH * number, CYCLE.end - MONTH * number
        folder = written(archive, WORLD, start=start)
        if number:
            changed(STATEMENT, '"end": "2026-01-05"', f'"end": "{end}"')(folder)
            changed(STATEMENT, '"start": "2025-12-05"', f'"start": "{start}"')(folder)
        folders.append(folder)
    return folders


def chain(archive: Path, count: int) -> tuple[CycleTotals, ...]:
    chained(archive, count)
    return run_up_to(archive)


def starts(earlier: Sequence[CycleTotals]) -> list[date]:
    return [totals.cycle.start for totals in earlier]


def back(*numbers: int) -> list[date]:
    return [FIRST - MONTH * number for number in numbers]


@pytest.mark.parametrize("count", range(8))
def test_at_most_five_cycles_are_read_oldest_first_each_up_to_the_next(tmp_path, count):
    found = chain(tmp_path, count)
    assert starts(found) == back(4, 3, 2, 1, 0)[max(5 - count, 0) :]
    assert [one.cycle.end for one in found] == [*starts(found), NEXT.start][1:]
    assert read_again(tmp_path / "later", *found) == found


def test_of_older_cycles_there_are_amounts_and_acus_alone(tmp_path):
    folders = chained(tmp_path, 3)
    whole = read_by_hand(folders[0])
    less = {
        code: center | {"by_product": {}, "principals": set()} for code, center in whole.items()
    }
    for folder in folders[1:]:
        (folder / LEDGER).unlink()  # nobody reads it
    *older, before = run_up_to(tmp_path)
    assert as_plain(before) == whole
    assert [as_plain(found) for found in older] == [less, less]
    assert {(found.control_acus, found.invoiced_amount) for found in older} == {
        (before.control_acus, before.invoiced_amount)
    }


def test_each_closed_cycle_has_its_own_seal(tmp_path):
    folders = chained(tmp_path, 3)
    for number in (0, 2):
        (folders[number] / MANIFEST).write_text(f'{{"sequence": {number}}}', encoding="utf-8")
    seals = [sha256(b'{"sequence": %d}' % number).hexdigest() for number in (2, 0)]
    assert [found.seal for found in run_up_to(tmp_path)] == [seals[0], None, seals[1]]


def not_read(folder: Path) -> None:
    """A cycle that was collected and never built."""
    (folder / STATEMENT).unlink()


def ends_early(folder: Path) -> None:
    changed(STATEMENT, '"end": "2025-11-04"', '"end": "2025-11-03"')(folder)


def in_between(folder: Path) -> None:
    """The nearest earlier folder is the one that counts."""
    (folder.parent / "2025-10-20" / "inputs").mkdir(parents=True)


ENDS: dict[str, Callable[[Path], None]] = {
    "removed": shutil.rmtree,
    "never built": not_read,
    "ends a day early": ends_early,
    "another in between": in_between,
    "another currency": changed(STATEMENT, '"currency": "USD"', '"currency": "EUR"'),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_a_gap_ends_the_run(tmp_path, end):
    folders = chained(tmp_path, 5)
    end(folders[2])
    assert starts(run_up_to(tmp_path)) == back(1, 0)


def test_an_older_cycle_that_cannot_be_read_ends_the_run_with_a_warning(tmp_path):
    folders = chained(tmp_path, 5)
    cut(STATEMENT, -40)(folders[2])
    found, (problem,) = history.earlier(tmp_path, NEXT, "USD")
    assert starts(found) == back(1, 0)
    assert (problem.source, problem.warning) == (str(folders[2] / STATEMENT), True)
    assert problem.message.startswith("cannot be read: ")
    assert problem.hint == "build that cycle again; until then the trend begins after it"


# Set against each other


def test_amounts_in_different_currencies_are_not_compared(tmp_path):
    written(tmp_path, WORLD)
    before = found_after(tmp_path)
    assert set_against(WORLD.statement, [before]).variance
    assert set_against(WORLD.statement, [replace(before, currency="EUR")]) is WORLD.statement
    assert set_against(WORLD.statement, []) is WORLD.statement
    assert history.earlier(tmp_path, NEXT, "EUR") == ((), [])


def test_the_change_is_that_against_the_last_of_them(tmp_path):
    older, before = chain(tmp_path, 2)
    before = replace(before, invoiced_amount=Decimal("20.00"), control_acus=Decimal("15.35"))
    statement = set_against(WORLD.statement, [older, before])
    assert statement.earlier == (older, before)
    assert statement.variance
    assert statement.variance.previous == before
    assert statement.variance.amount == Decimal("8.50")
    assert statement.variance.acus == Decimal("0.5000000000000007")


def test_a_cycle_against_itself_has_changed_nowhere(tmp_path):
    written(tmp_path, WORLD)
    variance = set_against(WORLD.statement, run_up_to(tmp_path)).variance
    assert variance
    assert (variance.acus, variance.amount) == (0, 0)
    for found in variance.by_cost_center.values():
        assert not found.whole.acus
        assert not found.whole.amount
        assert (found.new, found.vanished) == ((), ())
