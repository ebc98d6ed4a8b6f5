"""The recorded sample cycle from end to end: every document says the same, and it is true."""

import csv
import json
import re
import unicodedata
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import cache
from itertools import accumulate
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from reportgen.documents.templating.catalog import catalog
from reportgen.documents.templating.templates import read_templates
from tests.fakeapi.sample import build
from tests.office import convert
from tests.scenarios.job import EXAMPLE, pages

CODES = [
    "CC-1001",
    "CC-1002",
    "CC-1003",
    "CC-1004",
    "CC-2001",
    "CC-2002",
    "CC-3001",
    "CC-4001",
    "CC-4002",
]
CODES += ["CC-5001", "CC-6001", "CC-9000", "CC-9999"]
ISSUED = [code for code in CODES if code != "CC-6001"]
LOCALES = {"CC-4001": "ja", "CC-4002": "zh"}
PRODUCTS = "automation|cascade|devin|review|terminal"
WIDE = Context(prec=200)
SESSIONS_SHEET = 7
"""Where the sheet of the largest sessions lies in an invoice that has some."""
HEADER_SHEETS = {"invoice": (1, 2, 3, 4, 5), "statement": (1, 2, 3, 4, 5, 6, 7, 8, 9)}
"""The sheets of a workbook that are lists, by position: their names are words of the locale."""


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def fraction(text: str) -> Fraction:
    return Fraction(Decimal(text))


def at_ten_decimals(value: Fraction) -> Decimal:
    """Round half-even to 10 decimals; what comes in has finitely many decimals."""
    exact = WIDE.divide(Decimal(value.numerator), Decimal(value.denominator))
    assert Fraction(exact) == value
    return exact.quantize(Decimal("1e-10"), rounding=ROUND_HALF_EVEN, context=WIDE)


def cost_centers(sample) -> dict[str, dict]:
    return {center["code"]: center for center in sample.statement()["cost_centers"]}


# The command


def test_the_command_succeeds_and_says_what_it_did(sample):
    assert sample.code == 0
    assert "Billing cycle 2025-12-05 to 2026-01-05" in sample.stderr
    assert "Traceback" not in sample.stderr
    lines = sample.stdout.splitlines()
    header = next(line for line in lines if "cost center" in line)
    assert re.split(r"\s{2,}", header.strip()) == [
        "cost center",
        "name",
        "ACUs",
        "amount USD",
        "file",
    ]
    assert str(sample.folder) in lines[-1]


def test_the_table_has_a_row_per_cost_center(sample):
    rows = {
        line.split()[0]: line
        for line in sample.stdout.splitlines()
        if line.strip().startswith("CC-")
    }
    assert list(rows) == CODES
    for code, center in cost_centers(sample).items():
        assert center["name"] in rows[code]
        assert f" {center['amount']} " in f"{rows[code]} "
        assert f"{on_lines(center):.4f}" in rows[code]
        file = f" {center['invoice']}.pdf"
        assert (file in rows[code]) == (center["invoice"] is not None)


def test_the_tie_out_ends_in_zero(sample):
    said = " ".join(line for line in sample.stdout.splitlines() if line.startswith("Tie-out"))
    results = re.findall(r"= (-?[\d.]+)", said)
    assert results == ["0", "0.00"]


@pytest.mark.heavy
def test_json_is_one_object_and_nothing_else(drawn_again):
    assert drawn_again.code == 0
    printed = json.loads(drawn_again.stdout)
    assert printed.pop("folder") == str(drawn_again.folder)
    assert printed.pop("warnings") == []
    assert printed.pop("documents")["kept"] == 0
    assert list(printed.items()) == list(drawn_again.statement().items())


# statement.json

CENTER_KEYS = [
    *("code", "name", "invoice", "acus", "by_product", "amount", "lines"),
    *("budget", "memo", "variance", "run_rate", "fields", "year_to_date"),
    *("sessions", "other_sessions", "sessions_unknown", "by_tag"),
]
LINE_KEYS = ["kind", "product", "acus", "unit_price", "exact_amount", "rounding", "amount"]
KEYS = {
    "": [
        *(
            "schema",
            "enterprise",
            "status",
            "cycle",
            "currency",
            "control",
            "cost_centers",
            "unallocated",
        ),
        *("discrepancies", "tie_out"),
        *("by_department", "by_entity", "by_month", "variance", "run_rate", "missing_views"),
        *("by_organization", "corrections", "year_to_date", "unit_costs"),
    ],
    "cycle": ["start", "end", "boundary"],
    "control": ["acus", "by_product"],
    "unallocated": ["cost_center", "acus", "amount", "by_product", "by_cause", "parts"],
    "tie_out": [
        *(
            "control_acus",
            "allocated_acus",
            "unallocated_acus",
            "difference_acus",
            "within_tolerance_acus",
        ),
        *(
            "balancing_acus",
            "balancing_by_product",
            "chargeable_amount",
            "fees_amount",
            "invoiced_amount",
        ),
        *("unborne_amount", "difference_amount"),
        *("vendor_invoice_acus", "vendor_invoice_amount", "over_recovery_amount"),
        "unpriced_acus",
    ],
}


def test_the_statement_has_the_shape_of_the_contract(sample):
    statement = sample.statement()
    assert list(statement) == KEYS[""]
    assert {part: list(statement[part]) for part in KEYS if part} == {
        part: KEYS[part] for part in KEYS if part
    }
    assert statement["schema"] == "reportgen.statement/1"
    assert statement["status"] == "draft"
    assert statement["cycle"] == {"start": "2025-12-05", "end": "2026-01-05", "boundary": "08:00Z"}
    assert [center["code"] for center in statement["cost_centers"]] == CODES
    for center in statement["cost_centers"]:
        assert list(center) == CENTER_KEYS
        for line in center["lines"]:
            assert list(line) == LINE_KEYS


def test_numbers_of_the_statement_are_plain_text(sample):
    for key, value in leaves(sample.statement()):
        if key == "amount" or (key.endswith("_amount") and key != "exact_amount"):
            assert re.fullmatch(r"-?\d+\.\d\d", value), (key, value)
        elif key in {"exact_amount", "rounding", "unit_price"}:
            assert re.fullmatch(r"-?\d+\.\d\d(\d{0,7}[1-9])?", value), (key, value)
        elif key.endswith("acus") or key in {*PRODUCTS.split("|"), "unmapped user"}:
            assert re.fullmatch(r"0|-?\d+(\.\d*[1-9])?", value), (key, value)


def test_maps_are_in_the_order_of_their_keys_and_lines_in_theirs(sample):
    statement = sample.statement()
    maps = [statement["control"]["by_product"], statement["unallocated"]["by_cause"]]
    maps += [center["by_product"] for center in statement["cost_centers"]]
    assert all(list(keys) == sorted(keys) for keys in maps)
    for center in statement["cost_centers"]:
        order = [
            (line["kind"] != "usage", line["product"], Decimal(line["unit_price"]))
            for line in center["lines"]
        ]
        assert order == sorted(order)


def leaves(value, key="") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, key)
    elif isinstance(value, str):
        yield key, value


# Sums


def test_every_cost_center_adds_up(sample):
    for center in cost_centers(sample).values():
        usage = [line for line in center["lines"] if line["kind"] == "usage"]
        assert sum(Decimal(line["amount"]) for line in center["lines"]) == Decimal(center["amount"])
        assert sum(fraction(line["acus"]) for line in usage) == fraction(center["acus"])
        by_product = defaultdict(Fraction)
        for line in usage:
            by_product[line["product"]] += fraction(line["acus"])
        assert {
            product: fraction(acus) for product, acus in center["by_product"].items()
        } == by_product
        for line in center["lines"]:
            assert Decimal(line["exact_amount"]) + Decimal(line["rounding"]) == Decimal(
                line["amount"]
            )
            assert abs(Decimal(line["rounding"])) < Decimal("0.01")


def test_the_cycle_adds_up(sample):
    statement = sample.statement()
    tie, centers = statement["tie_out"], statement["cost_centers"]
    assert sum(fraction(center["acus"]) for center in centers) == fraction(tie["allocated_acus"])
    assert fraction(tie["allocated_acus"]) + fraction(tie["unallocated_acus"]) == fraction(
        tie["control_acus"]
    )
    assert sum(Decimal(center["amount"]) for center in centers) == Decimal(tie["invoiced_amount"])
    chargeable, fees, invoiced, unborne = (
        Decimal(tie[f"{term}_amount"]) for term in ("chargeable", "fees", "invoiced", "unborne")
    )
    assert chargeable + fees == invoiced + unborne
    assert (tie["difference_acus"], tie["difference_amount"]) == ("0", "0.00")
    assert sum(
        fraction(acus) for acus in statement["unallocated"]["by_cause"].values()
    ) == fraction(tie["unallocated_acus"])
    over = Decimal(tie["invoiced_amount"]) - Decimal(tie["vendor_invoice_amount"])
    assert Decimal(tie["over_recovery_amount"]) == over


def test_the_tie_out_table_is_the_partition(sample):
    tie, sums = sample.statement()["tie_out"], defaultdict(Fraction)
    for row in rows_of(sample.folder / "tie_out.csv"):
        control, allocated, unallocated = (
            fraction(row[f"{c}_acus"]) for c in ("control", "allocated", "unallocated")
        )
        assert (control, row["difference_acus"]) == (allocated + unallocated, "0")
        sums["control"] += control
        sums["allocated"] += allocated
    assert sums == {
        "control": fraction(tie["control_acus"]),
        "allocated": fraction(tie["allocated_acus"]),
    }


def test_the_ledger_holds_every_line_exactly(sample):
    exact, quantities = defaultdict(Fraction), defaultdict(Fraction)
    for row in rows_of(sample.folder / "ledger.csv"):
        key = row["cost_center"], row["kind"], row["product"], Decimal(row["unit_price"])
        assert fraction(row["exact_amount"]) == fraction(row["quantity"]) * fraction(
            row["unit_price"]
        )
        exact[key] += fraction(row["exact_amount"])
        quantities[key] += fraction(row["quantity"])
    lines = {
        (center["code"], line["kind"], line["product"], Decimal(line["unit_price"])): line
        for center in sample.statement()["cost_centers"]
        for line in center["lines"]
    }
    assert exact.keys() == lines.keys()
    for key, line in lines.items():
        assert at_ten_decimals(exact[key]) == Decimal(line["exact_amount"])
        assert quantities[key] == fraction(line["acus"])
    assert sum(quantities.values()) == fraction(sample.statement()["tie_out"]["control_acus"])


def test_each_group_of_lines_adds_up_to_its_rounded_price(sample):
    """The lines of a product and unit price make the half-up price of all its ACUs."""
    acus, amounts = defaultdict(Fraction), defaultdict(Decimal)
    for center in sample.statement()["cost_centers"]:
        for line in center["lines"]:
            acus[line["product"], line["unit_price"]] += fraction(line["acus"])
            amounts[line["product"], line["unit_price"]] += Decimal(line["amount"])
    for (product, unit_price), quantity in acus.items():
        cents = (quantity * fraction(unit_price) * 100 + Fraction(1, 2)).__floor__()
        assert amounts[product, unit_price] * 100 == cents


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, strict=True)


# An independent truth: the atoms of the sample world, and the rules of the example in plain words


WORLD = build()
EXCEPTIONS = {
    "ada@acme.example": [("2025-07-01", {"CC-1001": 1})],
    "grace@acme.example": [("2025-07-01", {"CC-1001": 1, "CC-1002": 1, "CC-9000": 1})],
    "alan@acme.example": [("2025-07-01", {"CC-1001": 1}), ("2025-12-15", {"CC-2001": 1})],
    "soren.kjaer@acme.example": [("2025-07-01", {"CC-1001": 1}), ("2025-12-22", None)],
}
BY_ID = {
    "okta|acme|0042": {"CC-4001": 60, "CC-1002": 40},
    "service-user-5be1c07a94d3": {"CC-9000": 1},
    "service-user-a20f7d46c81b": {"CC-9000": 1, "CC-3001": 1},
}
BY_ORGANIZATION = {
    "org-7c1e04b95d2a": "CC-1001",
    "org-2f8ab6190c4e": "CC-1002",
    "org-91d3e57f06ab": "CC-2001",
    "org-c45b20a8e1f7": "CC-1003",
    "org-0e6f9137bd58": "CC-4001",
}


@cache
def dated_rules() -> dict[str, list]:
    """Give what the HR export and the exceptions say of each address, by their dates."""
    rules = defaultdict(list)
    for row in rows_of(EXAMPLE / "hr.csv"):
        rules[row["email"].casefold()].append((row["valid_from"], {row["cc"]: 1}))
    return {
        email: sorted(dated, key=lambda rule: rule[0])
        for email, dated in (rules | EXCEPTIONS).items()
    }


def of_the_principal(atom, day: str) -> dict[str, int] | None:
    if atom.principal_id in BY_ID:
        return BY_ID[atom.principal_id]
    emails = {
        person.user_id: (person.email or "").casefold()
        for person in WORLD.people
        if person.directory != "gone"
    }
    email = emails.get(atom.principal_id, "")
    if email in dated_rules():
        return [shares for start, shares in dated_rules()[email] if start <= day][-1]
    return {"CC-1003": 1} if email.endswith("@contractors.example") else None


def who_bears(atom, day: str) -> dict[str, int] | None:
    sessions = {session.session_id: session for session in WORLD.sessions}
    if atom.session_id == "a8e6004c1506cf63":
        return {"CC-3001": 1}
    if atom.session_id and "project:apollo" in sessions[atom.session_id].tags:
        return {"CC-5001": 1}
    shares = of_the_principal(atom, day)
    if shares is None and atom.org_id in BY_ORGANIZATION:
        return {BY_ORGANIZATION[atom.org_id]: 1}
    return shares


def test_the_world_itself_gives_the_same_allocation(sample):
    borne, unallocated = Counter(dict.fromkeys(CODES, 0.0)), 0.0
    begin, end = WORLD.cycles[-1]
    for atom in WORLD.atoms:
        if begin <= atom.day < end:
            shares = who_bears(atom, str(datetime.fromtimestamp(atom.day, UTC).date()))
            unallocated += 0 if shares else atom.acus
            for code, weight in (shares or {}).items():
                borne[code] += atom.acus * weight / sum(shares.values())
    charged = {code: float(center["acus"]) for code, center in cost_centers(sample).items()}
    assert charged == pytest.approx(borne, abs=1e-6)
    assert float(sample.statement()["tie_out"]["unallocated_acus"]) == pytest.approx(
        unallocated, abs=1e-6
    )


# PDF


@cache
def pages_of(path: Path) -> tuple[str, ...]:
    return tuple(pages(path))


def pdf_rows(path: Path, pattern: str) -> list[tuple[str, ...]]:
    return re.findall(pattern, "\n".join(pages_of(path)), re.MULTILINE)


@pytest.mark.parametrize("code", ISSUED)
def test_the_pdf_of_an_invoice_agrees_to_the_cent(drawn_sample, code):
    path, center = drawn_sample.file(code, ".pdf"), cost_centers(drawn_sample)[code]
    (total,) = pdf_rows(path, r"USD ([\d,]+\.\d\d)")
    rows = pdf_rows(path, rf"^ *({PRODUCTS})\b.*? ([\d,]+\.\d{{4}}) +([\d.]+) +([\d,]+\.\d\d)$")
    assert number(total) == Decimal(center["amount"])
    printed = [
        (product, number(acus), number(price), number(amount))
        for product, acus, price, amount in rows
    ]
    assert sorted(printed) == [  # on paper, lines of one product stand in the order of their days
        (
            line["product"],
            at_four_decimals(line["acus"]),
            Decimal(line["unit_price"]),
            Decimal(line["amount"]),
        )
        for line in sorted(
            center["lines"], key=lambda line: (line["product"], Decimal(line["acus"]))
        )
    ]
    check_footing(
        [number(amount) for amount in pdf_rows(path, r"[\d,]+\.\d{4} +([\d,]+\.\d\d)$")],
        number(total),
        center,
    )


def check_footing(amounts: list[Decimal], total: Decimal, center: dict) -> None:
    """After the total of the charges come the sessions; then amounts by user, and their total."""
    charges, *rest = amounts
    expected = session_amounts(center)
    shown, rest = rest[: len(expected)], rest[len(expected) :]
    assert shown == expected
    count = list(accumulate(rest)).index(total) + 1
    assert (charges, rest[count]) == (total, total)


def session_amounts(center) -> list[Decimal]:
    """Give what the largest sessions bear, all else, and the lines that both add up to."""
    if not center["sessions"]:
        return []
    rows = [*center["sessions"], center["other_sessions"]]
    lines = sum(Decimal(line["amount"]) for line in center["lines"] if line["product"] == "devin")
    assert sum(Decimal(row["amount"]) for row in rows) == lines
    return [*(Decimal(row["amount"]) for row in rows), lines]


def at_four_decimals(text: str) -> Decimal:
    return Decimal(text).quantize(Decimal("1.0000"), rounding=ROUND_HALF_EVEN)


def on_lines(center) -> Decimal:
    """Everything on an invoice, what is borne for nobody included."""
    return sum((Decimal(line["acus"]) for line in center["lines"]), Decimal(0))


def test_the_pdf_of_the_statement_agrees_to_the_cent(drawn_sample):
    path = drawn_sample.folder / "statement.pdf"
    rows = pdf_rows(
        path, r"^ *(CC-\d{4}) .*? ([\d,]+\.\d{4}) +[\d.]+% +([\d,]+\.\d\d) +(–|[\d,.]+%)$"
    )
    assert [(code, number(acus), number(amount), used) for code, acus, amount, used in rows] == [
        (code, at_four_decimals(on_lines(center)), Decimal(center["amount"]), budget_used(center))
        for code, center in cost_centers(drawn_sample).items()
    ]
    (total,) = pdf_rows(path, r"USD ([\d,]+\.\d\d)")
    products = pdf_rows(path, rf"^ *(?:{PRODUCTS}) +[\d,.]+ +[\d.]+% +([\d,]+\.\d\d)$")
    invoiced = Decimal(drawn_sample.statement()["tie_out"]["invoiced_amount"])
    assert number(total) == sum(map(number, products)) == invoiced
    causes = pdf_rows(
        path, r"^ *(unmapped \w+|no known user or organization) +([\d.]+) +([\d,]+\.\d\d)$"
    )
    unallocated = drawn_sample.statement()["unallocated"]
    assert {cause: number(acus) for cause, acus, _ in causes} == {
        cause: at_four_decimals(acus) for cause, acus in unallocated["by_cause"].items()
    }
    assert sum(number(amount) for *_, amount in causes) == Decimal(unallocated["amount"])


def budget_used(center) -> str:
    return f"{Decimal(center['budget']['used']) * 100:,.2f}%" if center["budget"] else "–"


def every_pdf(drawn_sample) -> list[tuple[Path, str]]:
    return [(drawn_sample.folder / "statement.pdf", "en")] + [
        (drawn_sample.file(code, ".pdf"), LOCALES.get(code, "en")) for code in ISSUED
    ]


def stamp_of(locale: str) -> str:
    return catalog(read_templates(None), locale).gettext("PRELIMINARY")


def test_every_page_says_that_it_is_preliminary(drawn_sample):
    for path, locale in every_pdf(drawn_sample):
        assert all(stamp_of(locale) in page for page in pages_of(path)), path.name


def test_every_page_is_numbered(drawn_sample):
    for path, locale in every_pdf(drawn_sample):
        pages = pages_of(path)
        for position, page in enumerate(pages, start=1):
            footer = page.rstrip().splitlines()[-1]
            numbers = re.split(r"\s{3,}", footer.strip())[-1]
            assert sorted(map(int, re.findall(r"\d+", numbers))) == [position, len(pages)], footer
            assert locale != "en" or numbers == f"Page {position} of {len(pages)}"


NAMES = {
    "CC-4001": "田中 由紀",
    "CC-4002": "王小明",
    "CC-2001": "Ελένη Παπαδοπούλου",
    "CC-2002": "Ольга Петрова",
    "CC-1004": "Zeynep Aydın",
    "CC-1003": "Siobhán O'Connor",
}
NAMES_FROM_RIGHT_TO_LEFT = {"CC-1002": "דנה לוי", "CC-2002": "ليلى حداد"}


@pytest.mark.parametrize("code", NAMES)
def test_names_of_many_scripts_are_in_both_documents(drawn_sample, code):
    assert NAMES[code] in " ".join(pages_of(drawn_sample.file(code, ".pdf")))
    assert NAMES[code] in column(sheets(drawn_sample.file(code, ".xlsx"))[2], 1)


@pytest.mark.parametrize("code", NAMES_FROM_RIGHT_TO_LEFT)
def test_names_from_right_to_left_are_in_both_documents(drawn_sample, code):
    """Their letters may be written in the order seen, and in the shapes drawn."""
    name = NAMES_FROM_RIGHT_TO_LEFT[code]
    text = unicodedata.normalize("NFKC", " ".join(pages_of(drawn_sample.file(code, ".pdf"))))
    words = name.split()
    assert all(word in text or word[::-1] in text for word in words)
    assert name in column(sheets(drawn_sample.file(code, ".xlsx"))[2], 1)


def test_who_used_nothing_gets_no_invoice(sample):
    center = cost_centers(sample)["CC-6001"]
    assert (center["invoice"], center["acus"], center["amount"], center["lines"]) == (
        None,
        "0",
        "0.00",
        [],
    )
    issued = sorted(path.name for path in (sample.folder / "invoices").iterdir())
    expected = [f"CB-2025-12-05-{code}{suffix}" for code in ISSUED for suffix in (".pdf", ".xlsx")]
    assert issued == sorted(expected)


def test_who_used_nothing_has_a_row_on_the_statement(drawn_sample):
    row = next(
        line
        for line in "\n".join(pages_of(drawn_sample.folder / "statement.pdf")).splitlines()
        if "CC-6001" in line
    )
    assert re.split(r"\s{2,}", row.strip()) == [
        "CC-6001",
        "Legal Operations",
        "0.0000",
        "0.00%",
        "0.00",
        "–",
    ]


def test_the_locale_shapes_days_and_the_currency_stays(drawn_sample):
    for code in ("CC-4001", "CC-4002"):
        assert "2025年12月5日" in pages_of(drawn_sample.file(code, ".pdf"))[0]
    assert "Dec 5, 2025" in pages_of(drawn_sample.file("CC-1001", ".pdf"))[0]


# Workbooks


@cache
def sheets(path: Path) -> list[Worksheet]:
    return openpyxl.load_workbook(path).worksheets


@cache
def cached(path: Path) -> list[Worksheet]:
    """Read a workbook with the value that stands beside each formula."""
    return openpyxl.load_workbook(path, data_only=True).worksheets


def column(sheet: Worksheet, position: int) -> list:
    return [row[position - 1] for row in sheet.iter_rows(values_only=True)]


def cents(value: float) -> Decimal:
    amount = Decimal(str(value))
    assert amount == round(amount, 2)
    return round(amount, 2)


@pytest.mark.parametrize("code", ISSUED)
def test_the_workbook_of_an_invoice_agrees_to_the_cent(drawn_sample, code):
    cover, products, users, _, months, detail, _, *more = cached(drawn_sample.file(code, ".xlsx"))
    center = cost_centers(drawn_sample)[code]
    rows = [
        row
        for row in cover.iter_rows(max_col=4, values_only=True)
        if isinstance(row[3], int | float)
    ]
    *lines, total = rows
    assert sorted((row[0].split(" ")[0], cents(row[3])) for row in lines) == sorted(
        (line["product"], Decimal(line["amount"])) for line in center["lines"]
    )
    assert cents(total[3]) == sum(cents(row[3]) for row in lines) == Decimal(center["amount"])
    *amounts, footing = column(products, products.max_column)[1:]
    assert [*map(cents, amounts), cents(footing)] == [cents(row[3]) for row in rows]
    *amounts, footing = column(users, 5)[1:]
    assert sum(map(cents, amounts)) == cents(footing) == Decimal(center["amount"])
    *monthly, footing = column(months, 3)[1:]
    assert sum(map(cents, monthly)) == cents(footing) == Decimal(center["amount"])
    exact = sum(fraction(line["exact_amount"]) for line in center["lines"])
    assert sum(column(detail, 9)[1:]) == pytest.approx(float(exact), abs=1e-6)
    amounts = [amount for amount in column(more[0], 7)[1:] if amount] if center["sessions"] else []
    assert [*map(cents, amounts)] == session_amounts(center)


def test_the_workbook_of_the_statement_agrees_to_the_cent(drawn_sample):
    book = cached(drawn_sample.folder / "statement.xlsx")
    _, centers, lines, *subtotals, unallocated, passed_on, by_day, days, _, _ = book
    rows = [row for row in centers.iter_rows(values_only=True) if str(row[0]).startswith("CC-")]
    assert [(row[0], row[1], row[2], cents(row[4])) for row in rows] == [
        (center["code"], center["name"], center["invoice"], Decimal(center["amount"]))
        for center in drawn_sample.statement()["cost_centers"]
    ]
    assert [
        (row[0], row[2], row[3], cents(row[8]))
        for row in lines.iter_rows(min_row=2, values_only=True)
    ] == [
        (center["code"], line["kind"].capitalize(), line["product"], Decimal(line["amount"]))
        for center in drawn_sample.statement()["cost_centers"]
        for line in center["lines"]
    ]
    control = float(drawn_sample.statement()["tie_out"]["control_acus"])
    assert sum(column(days, 3)[1:]) == pytest.approx(control, abs=1e-6)
    *daily, footing = column(by_day, 7)[1:]
    assert sum(daily) == pytest.approx(footing, abs=1e-6) == pytest.approx(control, abs=1e-6)
    invoiced = Decimal(drawn_sample.statement()["tie_out"]["invoiced_amount"])
    for sheet, part, position in zip(
        subtotals, ("department", "entity", "month"), (4, 4, 3), strict=True
    ):
        expected = [Decimal(group["amount"]) for group in drawn_sample.statement()[f"by_{part}"]]
        shown = [cents(value) for value in column(sheet, position)[1:] if value is not None]
        assert shown == [*expected, invoiced]
    borne = Decimal(drawn_sample.statement()["unallocated"]["amount"])
    *parts, footing = [cents(value) for value in column(unallocated, 4)[1:]]
    assert sum(parts) == footing == borne
    charged = [cents(value) for value in column(passed_on, 7)[1:]]
    assert charged == list(map(Decimal, ("158.44", "67.06", "19.16", "10.62", "255.28")))


@pytest.mark.parametrize("code", [*ISSUED, None])
def test_workbooks_open_with_their_types_and_ready_to_print(drawn_sample, code):
    path = drawn_sample.file(code, ".xlsx") if code else drawn_sample.folder / "statement.xlsx"
    book, stamp = sheets(path), stamp_of(LOCALES.get(code, "en"))
    for sheet in book:
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert stamp in sheet.oddFooter.left.text
        assert "&P" in sheet.oddFooter.right.text
    for position in HEADER_SHEETS["invoice" if code else "statement"]:
        check_list(book[position])
    if code and cost_centers(drawn_sample)[code]["sessions"]:
        check_list(book[SESSIONS_SHEET])
    first_day = book[3 if code else 8].cell(2, 1)
    assert (first_day.is_date, first_day.value.date()) == (True, date(2025, 12, 5))


def check_list(sheet: Worksheet) -> None:
    """A list keeps its header in sight and on every page, can be filtered, and holds numbers."""
    header = int(re.fullmatch(r"A(\d+)", sheet.freeze_panes)[1]) - 1
    assert sheet.print_title_rows == f"${header}:${header}"
    assert sheet.auto_filter.ref or [table.autoFilter.ref for table in sheet.tables.values()]
    first = sheet[header + 1]
    for cell in first:
        if "0" in cell.number_format:
            assert cell.value is None or isinstance(cell.value, int | float), cell
        else:
            assert cell.value is None or isinstance(cell.value, str | datetime), cell
    assert any(isinstance(cell.value, int | float) for cell in first)


# LibreOffice, which computes every formula anew


def plant(path: Path, target: Path) -> tuple[str, str]:
    """Copy a workbook with a wrong value beside the first formula of its last sheet; give both."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as copy:
        numbers = re.findall(r"xl/worksheets/sheet(\d+)\.xml", " ".join(source.namelist()))
        last = f"xl/worksheets/sheet{max(map(int, numbers))}.xml"
        for name in source.namelist():
            content = source.read(name).decode("utf-8", "surrogateescape")
            if name == last:
                cell = re.search(r'<c r="(\w+)"[^>]*><f>[^<]*</f><v>([^<]*)</v>', content)
                content = content.replace(
                    cell[0], cell[0].replace(f"<v>{cell[2]}</v>", "<v>1234.5</v>")
                )
            copy.writestr(name, content.encode("utf-8", "surrogateescape"))
    return cell[1], cell[2]


@pytest.mark.heavy
@pytest.mark.parametrize("code", ["CC-1001", None])
def test_libreoffice_computes_every_check_to_zero(drawn_sample, code, tmp_path):
    path = drawn_sample.file(code, ".xlsx") if code else drawn_sample.folder / "statement.xlsx"
    planted = tmp_path / "planted.xlsx"
    position, value = plant(path, planted)
    assert cached(planted)[-1][position].value == 1234.5
    computed = openpyxl.load_workbook(
        convert(planted, "xlsx", tmp_path / "out"), data_only=True
    ).worksheets
    assert computed[-1][position].value == pytest.approx(float(value), abs=1e-6)
    formulas = {
        (sheet.title, cell.coordinate)
        for sheet in sheets(path)
        for row in sheet
        for cell in row
        if cell.data_type == "f"
    }
    built = {sheet.title: sheet for sheet in cached(path)}
    again = {sheet.title: sheet for sheet in computed}
    assert len(formulas) > 5
    for title, coordinate in formulas:
        expected = built[title][coordinate].value
        assert again[title][coordinate].value == pytest.approx(expected, abs=1e-6), (
            title,
            coordinate,
        )
    checks = [
        row
        for row in computed[-1].iter_rows(values_only=True)
        if "zero" in str(row[0]) or "Diff" in str(row[0])
    ]
    assert len(checks) >= 2
    assert [row[1] for row in checks] == [0] * len(checks)
