"""A cycle against the one before: what is said of it is computed again from the files of both."""

import json
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import sha256
from pathlib import Path
from subprocess import CompletedProcess
from urllib.parse import quote

import pytest

from tests.scenarios.job import (
    DECEMBER,
    NOVEMBER,
    RECORDING,
    STATEMENT,
    Job,
    contents,
    decorated,
    example,
    once,
    pages,
    plain,
    small,
)
from tests.scenarios.test_sample import CODES, ISSUED, PRODUCTS, rows_of

CENT = Decimal("0.01")
SIGNED = r"[+\-−]?[\d,]+\.\d+"


@pytest.fixture(scope="session")
def two_cycles(shared: Path) -> Job:
    """Run November, then December, of the example."""

    def make(folder: Path) -> None:
        job = plain(example(folder))
        succeeded(job.here("run", cycle=NOVEMBER))
        succeeded(job.here("run"))

    return Job(once(shared, "two-cycles", make))


@pytest.fixture(scope="session")
def all_drawn(shared: Path) -> Job:
    """Run both cycles of the example, the second with all that documents show."""
    return Job(once(shared, "two-cycles-drawn", lambda folder: run_both(example(folder))))


@pytest.fixture(scope="session")
def small_pair(shared: Path) -> Job:
    """Run both cycles of the small configuration; nobody reads their documents."""

    def make(folder: Path) -> None:
        job = plain(small(folder))
        succeeded(job.here("run", cycle=NOVEMBER))
        succeeded(job.here("run"))

    return Job(once(shared, "small-pair", make))


@pytest.fixture
def pair(small_pair: Job, tmp_path: Path) -> Job:
    """Give both small cycles, to be changed."""
    return small_pair.copied(tmp_path / "pair")


def run_both(job: Job) -> None:
    """Run November, whose documents nobody reads, then December."""
    succeeded(plain(job).here("run", cycle=NOVEMBER))
    succeeded(decorated(job).run("run"))


def succeeded(result: CompletedProcess[str]) -> None:
    assert result.returncode == 0, result.stderr


def centers(job: Job, start: str) -> dict[str, dict]:
    return {center["code"]: center for center in job.statement(start)["cost_centers"]}


def by_product(center: dict) -> dict[str, tuple[Decimal, Decimal]]:
    """Add up the lines of usage by product, what is borne for nobody included."""
    sums: dict[str, tuple[Decimal, Decimal]] = defaultdict(lambda: (Decimal(0), Decimal(0)))
    for line in center.get("lines", []):
        if "product" in line:
            acus, amount = sums[line["product"]]
            sums[line["product"]] = acus + Decimal(line["acus"]), amount + Decimal(line["amount"])
    return dict(sums)


def acus_of(center: dict) -> Decimal:
    return sum((acus for acus, _ in by_product(center).values()), Decimal(0))


def people(job: Job, start: str) -> dict[str, set[str]]:
    """Give whose usage stands on each cost center's rows of the ledger."""
    principals = defaultdict(set)
    for row in rows_of(job.cycle(start) / "ledger.csv"):
        if row["principal_id"]:
            principals[row["cost_center"]].add(
                (row["principal_kind"], row["principal_id"].removeprefix("'"))
            )
    return principals


def text(value: Decimal) -> str:
    return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"


def expected(job: Job, code: str) -> dict:
    """Compare a cost center's two statements as the contract has it."""
    old, new = (centers(job, start).get(code, {}) for start in (NOVEMBER, DECEMBER))
    before, after = by_product(old), by_product(new)
    nothing = (Decimal(0), Decimal(0))
    differences = {
        product: [
            a - b
            for a, b in zip(after.get(product, nothing), before.get(product, nothing), strict=True)
        ]
        for product in sorted({*before, *after})
    }
    was, becomes = (people(job, start)[code] for start in (NOVEMBER, DECEMBER))
    return {
        "acus": text(acus_of(new) - acus_of(old)),
        "amount": f"{Decimal(new['amount']) - Decimal(old.get('amount', '0.00')):.2f}",
        "by_product": {
            product: {"acus": text(acus), "amount": f"{amount:.2f}"}
            for product, (acus, amount) in differences.items()
        },
        "new": [name for _, name in sorted(becomes - was)],
        "vanished": [name for _, name in sorted(was - becomes)],
    }


# statement.json


@pytest.mark.heavy
@pytest.mark.parametrize("code", CODES)
def test_every_cost_center_is_compared_with_what_it_was(two_cycles, code):
    assert centers(two_cycles, DECEMBER)[code]["variance"] == expected(two_cycles, code)


@pytest.mark.heavy
def test_the_cycle_is_compared_as_a_whole(two_cycles):
    old, new = (two_cycles.statement(start) for start in (NOVEMBER, DECEMBER))
    variance = new["variance"]
    assert variance["previous"] == {
        "start": NOVEMBER,
        "end": DECEMBER,
        "status": "draft",
        "seal": None,
    }
    assert Decimal(variance["acus"]) == Decimal(new["control"]["acus"]) - Decimal(
        old["control"]["acus"]
    )
    amounts = [Decimal(one["tie_out"]["invoiced_amount"]) for one in (new, old)]
    assert Decimal(variance["amount"]) == amounts[0] - amounts[1]
    each = [Decimal(center["variance"]["amount"]) for center in new["cost_centers"]]
    assert sum(each) == Decimal(variance["amount"])


@pytest.mark.heavy
def test_the_first_cycle_is_compared_with_nothing(two_cycles, sample):
    for folder in (two_cycles.cycle(NOVEMBER), sample.folder):
        first = json.loads((folder / "statement.json").read_bytes())
        assert first["variance"] is None
        assert {center["variance"] for center in first["cost_centers"]} == {None}
        assert json.loads((folder / "inputs/history.json").read_bytes())["cycles"] == []


def test_of_the_first_cycle_no_page_speaks_of_another(drawn_sample):
    said = [
        text for page in pages(drawn_sample.folder / "statement.pdf") for text in page.splitlines()
    ]
    assert not any("previous cycle" in line for line in said)


@pytest.mark.heavy
def test_history_holds_the_cycle_before_and_nothing_else_of_it(two_cycles):
    (kept,) = json.loads((two_cycles.cycle() / "inputs/history.json").read_text(encoding="utf-8"))[
        "cycles"
    ]
    old = two_cycles.statement(NOVEMBER)
    assert (kept["start"], kept["end"], kept["status"], kept["seal"]) == (
        NOVEMBER,
        DECEMBER,
        "draft",
        None,
    )
    assert kept["control_acus"] == old["control"]["acus"]
    assert kept["invoiced_amount"] == old["tie_out"]["invoiced_amount"]
    known = people(two_cycles, NOVEMBER)
    for center, built in zip(kept["cost_centers"], old["cost_centers"], strict=True):
        assert (center["code"], center["name"], center["amount"]) == (
            built["code"],
            built["name"],
            built["amount"],
        )
        figures = {name: (one["acus"], one["amount"]) for name, one in center["by_product"].items()}
        assert figures == {
            name: (text(a), f"{b:.2f}") for name, (a, b) in by_product(built).items()
        }
        assert [(one["kind"], one["id"]) for one in center["principals"]] == sorted(
            known[center["code"]]
        )


# Documents


def numbers(line: str) -> list[Decimal]:
    figures = re.findall(rf"(?<![\w.,]){SIGNED}(?![\d%])", line)
    return [Decimal(one.replace(",", "").replace("−", "-").replace("+", "")) for one in figures]


def changes_shown(pdf: Path) -> dict[str, list[Decimal]]:
    """Read the rows of an invoice with four figures or five: what was before, and changes."""
    shown = {}
    for line in "\n".join(pages(pdf)).splitlines():
        row = re.match(
            rf"\s*({PRODUCTS})((?:\s+{SIGNED}){{4}})(\s+[+\-−]?[\d,.]+%|\s+–)?\s*$", line
        )
        if row:
            shown[row[1]] = numbers(row[2])
    return shown


def at_two(value: Decimal) -> Decimal:
    return value.quantize(CENT, rounding=ROUND_HALF_EVEN)


@pytest.mark.long
@pytest.mark.heavy
@pytest.mark.parametrize("code", ISSUED)
def test_an_invoice_shows_every_product_before_and_its_change(all_drawn, code):
    old, new = (by_product(centers(all_drawn, start)[code]) for start in (NOVEMBER, DECEMBER))
    nothing = (Decimal(0), Decimal(0))
    rows = {}
    for product in {*old, *new}:
        (was, paid), (becomes, pays) = old.get(product, nothing), new.get(product, nothing)
        rows[product] = [at_two(was), at_two(becomes - was), paid, pays - paid]
    shown = changes_shown(all_drawn.cycle() / "invoices" / f"CB-{DECEMBER}-{code}.pdf")
    assert shown == rows


@pytest.mark.long
@pytest.mark.heavy
def test_the_statement_shows_each_change_and_its_total(all_drawn):
    said = "\n".join(pages(all_drawn.cycle() / "statement.pdf"))
    _, _, table = said.partition("Compared with Nov 5, 2025 – Dec 4, 2025 · preliminary")
    assert table
    lines = table.splitlines()
    for code, center in centers(all_drawn, DECEMBER).items():
        row = next(line for line in lines if line.startswith(code))
        assert numbers(row)[-1] == Decimal(center["variance"]["amount"]), row
    total = next(line for line in lines if line.startswith("Total"))
    assert numbers(total)[-1] == Decimal(all_drawn.statement()["variance"]["amount"])


def names_of(job: Job, ids: list[str]) -> Iterator[str]:
    principals = json.loads((job.cycle() / "inputs/directory.json").read_text(encoding="utf-8"))[
        "principals"
    ]
    known = {one["id"]: one["name"] or one["email"] or one["id"] for one in principals}
    return (known[name] for name in ids)


def ltr(said: str) -> str:
    """Leave out Hebrew, which comes in the order of the page, and spaces: a line ends anywhere."""
    return re.sub(r"[\s\u0590-\u05ff\u200e\u200f\u202a-\u202e\u2066-\u2069]+", "", said)


@pytest.mark.long
@pytest.mark.heavy
def test_new_and_vanished_users_are_named(all_drawn):
    seen = set()
    for code in ISSUED:
        change = centers(all_drawn, DECEMBER)[code]["variance"]
        if code in {"CC-4001", "CC-4002"}:
            continue  # in words of their own
        said = re.sub(
            r"\s+",
            " ",
            " ".join(pages(all_drawn.cycle() / "invoices" / f"CB-{DECEMBER}-{code}.pdf")),
        )
        for key, words in (("new", "New users:"), ("vanished", "Without usage now:")):
            expected_names = sorted(
                names_of(all_drawn, change[key]), key=lambda name: (name.casefold(), name)
            )
            more = f" and {len(expected_names[8:])} more" if expected_names[8:] else ""
            assert (words in said) == bool(expected_names), code
            if expected_names:
                seen.add(key)
                assert ltr(f"{words} {', '.join(expected_names[:8])}{more}") in ltr(said), code
    assert seen == {"new", "vanished"}


# What can be otherwise


def built(job: Job) -> tuple[dict, str]:
    result = job.here("build", "--quiet")
    succeeded(result)
    return job.statement(), result.stderr


@pytest.mark.heavy
def test_building_again_changes_no_byte_and_reads_the_cycle_before_again(pair):
    before = contents(pair.cycle())
    succeeded(pair.run("build"))
    assert contents(pair.cycle()) == before
    pair.edit("rates.yaml", "devin: 2.00", "devin: 3.00")
    succeeded(pair.here("build", cycle=NOVEMBER))
    pair.edit("rates.yaml", "devin: 3.00", "devin: 2.00")
    after, _ = built(pair)
    assert all(
        center["variance"] == expected(pair, center["code"]) for center in after["cost_centers"]
    )
    assert after["variance"] != json.loads(before["statement.json"])["variance"]


def pages_of_statement(job: Job) -> str:
    """Build it with the statement that comes with the program, and read that."""
    for name in STATEMENT:
        (job.folder / "templates" / name).unlink()
    built(job)
    return "\n".join(pages(job.cycle() / "statement.pdf"))


def renamed(job: Job) -> Job:
    """Let one cost center come, and another go."""
    job.edit("mapping.yaml", "  A-1: {name: Platform}", "  A-2: {name: New platform}")
    job.edit("mapping.yaml", "ada@acme.example: A-1", "ada@acme.example: A-2")
    job.edit("mapping.yaml", "{A-1: 1, B-2: 2}", "{A-2: 1, B-2: 2}")
    return job


def test_a_cost_center_that_comes_and_one_that_goes(pair):
    after, _ = built(renamed(pair))
    assert [center["code"] for center in after["cost_centers"]] == ["A-2", "B-2", "C-3", "Z-9"]
    new = after["cost_centers"][0]
    assert new["variance"] == expected(pair, "A-2")
    assert new["variance"]["amount"] == new["amount"]
    assert new["variance"]["vanished"] == []
    gone = Decimal(centers(pair, NOVEMBER)["A-1"]["amount"])
    each = sum(Decimal(center["variance"]["amount"]) for center in after["cost_centers"])
    assert each - gone == Decimal(after["variance"]["amount"])


@pytest.mark.heavy
def test_the_statement_shows_which_cost_center_is_gone(pair):
    gone = Decimal(centers(pair, NOVEMBER)["A-1"]["amount"])
    said = pages_of_statement(renamed(pair))
    assert "no longer a cost center" in said
    row = next(line for line in said.splitlines() if line.startswith("A-1 "))
    assert numbers(row)[-1] == -gone


def closed(job: Job) -> Path:
    """Let November be closed, as far as the next cycle can tell; give its manifest."""
    manifest = job.cycle(NOVEMBER) / "manifest.json"
    manifest.write_text('{"sequence": 1}\n', encoding="utf-8")
    path = job.cycle(NOVEMBER) / "statement.json"
    path.write_text(
        path.read_text("utf-8").replace('"status": "draft"', '"status": "closed"'), "utf-8"
    )
    return manifest


def test_a_closed_cycle_is_named_with_its_seal_and_no_longer_preliminary(pair):
    manifest = closed(pair)
    before = contents(pair.cycle(NOVEMBER))
    after, _ = built(pair)
    seal = sha256(manifest.read_bytes()).hexdigest()
    assert after["variance"]["previous"] == {
        "start": NOVEMBER,
        "end": DECEMBER,
        "status": "closed",
        "seal": seal,
    }
    assert contents(pair.cycle(NOVEMBER)) == before


@pytest.mark.heavy
def test_of_a_closed_cycle_the_statement_says_nothing_preliminary(pair):
    closed(pair)
    assert "Compared with Nov 5, 2025 – Dec 4, 2025\n" in pages_of_statement(pair)


def cut_short(folder: Path) -> None:
    path = folder / "ledger.csv"
    path.write_bytes(path.read_bytes()[: -len(path.read_bytes()) // 2])


def undone(folder: Path) -> None:
    (folder / "statement.json").unlink()


def in_between(folder: Path) -> None:
    (folder.parent / "2025-11-20" / "inputs").mkdir(parents=True)


def removed(folder: Path) -> None:
    shutil.rmtree(folder)


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    ("change", "warned"),
    [(cut_short, True), (undone, False), (in_between, False), (removed, False)],
)
def test_where_there_is_nothing_to_compare_with_nothing_is_said(pair, change, warned):
    before = pair.statement()
    change(pair.cycle(NOVEMBER))
    after, stderr = built(pair)
    assert after["variance"] is None
    assert {center["variance"] for center in after["cost_centers"]} == {None}
    assert without_variance(after) == without_variance(before)
    assert json.loads((pair.cycle() / "inputs/history.json").read_bytes())["cycles"] == []
    if warned:
        assert stderr.startswith(f"{pair.cycle(NOVEMBER)}/ledger.csv: warning: cannot be read: ")
        assert "this one is compared with nothing" in stderr
    assert stderr.count("\n") == warned


@pytest.mark.heavy
def test_where_there_is_nothing_to_compare_with_the_statement_says_nothing(pair):
    cut_short(pair.cycle(NOVEMBER))
    assert "previous cycle" not in pages_of_statement(pair)


def without_variance(statement: dict) -> dict:
    """Read a statement without what it says of other cycles."""
    none = dict.fromkeys(("variance", "year_to_date"))
    each = [center | none for center in statement["cost_centers"]]
    bought = re.sub(r"'change': (None|{[^}]*})", "", str(statement["unit_costs"]))
    return statement | none | {"cost_centers": each, "unit_costs": bought}


@pytest.mark.heavy
def test_another_currency_is_not_compared(pair):
    pair.edit("rates.yaml", "USD", "EUR")
    after, stderr = built(pair)
    assert (after["currency"], after["variance"], stderr) == ("EUR", None, "")


@pytest.mark.heavy
def test_ids_and_names_that_a_spreadsheet_would_run_come_through_a_real_build(tmp_path):
    """Formulas and apostrophes are guarded in ledger.csv; they are the same people afterwards."""
    job = small(tmp_path / "hostile")
    principal, hostile = ada_id(), "'=ada|A0"

    def rename(lines: list[dict]) -> Iterator[dict]:
        for line in lines:
            body = (
                line["body"]
                .replace(json.dumps(principal)[1:-1], hostile)
                .replace("Ada Brennan", "=1+1")
            )
            request = line["request"].replace(quote(principal, safe=""), quote(hostile, safe=""))
            yield {**line, "body": body, "request": request}

    plain(job).record(rename)
    succeeded(job.here("run", cycle=NOVEMBER))
    succeeded(job.here("run"))
    assert ("user", hostile) in people(job, NOVEMBER)["A-1"]
    for center in job.statement()["cost_centers"]:
        assert center["variance"] == expected(job, center["code"])
        assert hostile not in center["variance"]["new"]
    kept = json.loads((job.cycle() / "inputs/history.json").read_text(encoding="utf-8"))["cycles"][
        0
    ]
    listed = kept["cost_centers"][0]["principals"]
    assert ("user", hostile) in {(one["kind"], one["id"]) for one in listed}


def ada_id() -> str:
    for line in RECORDING.read_text(encoding="utf-8").splitlines():
        response = json.loads(line)
        if response["request"].startswith("GET /v3/enterprise/members/users?"):
            hers = [
                one
                for one in json.loads(response["body"])["items"]
                if one["email"] == "ada@acme.example"
            ]
            if hers:
                return hers[0]["user_id"]
    raise AssertionError("nobody in the recording is ada")
