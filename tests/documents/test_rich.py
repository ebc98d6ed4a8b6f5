"""Documents with all that can be charged and compared: they add up, in the right words."""

import re
from dataclasses import replace
from decimal import Decimal
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.model import Pool, Share, Split
from reportgen.documents.content.budget import budget_of
from reportgen.documents.content.charges import fraction_of
from reportgen.documents.content.summary import slugs, summary_documents
from reportgen.documents.render import draw
from tests.documents import grove
from tests.documents.templating.test_templates import beech as copied
from tests.documents.templating.test_templates import run

CODES = ("R-1", "S-2", "T-3", "Z-9")


def tables(markup: str) -> dict[str, list[list[str]]]:
    """Read the tables of a document by their heading, row by row."""
    found: dict[str, list[list[str]]] = {}
    heading = ""
    for element in fromstring(markup).iter():  # noqa: S314 - our own
        if element.tag == "h2":
            heading = text_of(element)
        elif element.tag == "table" and "rows" in element.get("class", ""):
            found[heading] = [
                [text_of(cell) for cell in row] for row in element.iterfind("tbody/tr")
            ]
    return found


def text_of(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def invoice_tables(code: str, **changed: object) -> dict[str, list[list[str]]]:
    return tables(grove.markup(f"{code}.pdf", grove.derived(**changed)))


# Charges


def test_what_is_charged_besides_usage_is_named():
    charges = [row[0] for row in invoice_tables("R-1")["Charges"]]
    assert charges == [
        "cascade",
        "devin",
        "Usage charges",
        "Platform team",
        "Premium support 2.5% of usage charges",
        "Ticket 4711 from S-2, entity 2000",
        "Tooling (T-3) in proportion to usage charges, 44.36%",
        "Total",
    ]
    assert "Ticket 4711 to R-1, entity 1000" in [
        row[0] for row in tables_in_english("S-2")["Charges"]
    ]


def tables_in_english(code: str) -> dict[str, list[list[str]]]:
    centers = tuple(replace(center, locale=None) for center in grove.CENTERS)
    return invoice_tables(code, centers=centers)


@pytest.mark.parametrize(
    ("pool", "receiver", "own"),
    [
        (Pool(cost_center="T-3", basis="even"), "in equal parts, 50%", "in equal parts"),
        (
            Pool(
                cost_center="T-3",
                basis="shares",
                split=Split(
                    shares=(
                        Share("R-1", Decimal("0.7"), "0.7"),
                        Share("Z-9", Decimal("0.3"), "0.3"),
                    )
                ),
            ),
            "by fixed shares, 70%",
            "by fixed shares",
        ),
    ],
)
def test_a_pool_says_by_what_it_is_shared(pool, receiver, own):
    assert invoice_tables("R-1", pool=pool)["Charges"][-2][0] == f"Tooling (T-3) {receiver}"
    assert (
        invoice_tables("T-3", pool=pool)["Charges"][-2][0]
        == f"Shared among other cost centers {own}"
    )


def test_the_pools_own_invoice_closes_at_zero():
    rows = invoice_tables("T-3")["Charges"]
    assert [row[-1] for row in rows] == ["5.00", "-1.25", "-3.75", "0.00"]
    assert set(invoice_tables("T-3")) == {"Charges", "How this invoice ties out"}


BOUGHT = {"What it bought", "使用成果"}
"""The table without a sum."""


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("recover", [False, True])
def test_an_invoice_foots_in_every_table(code, recover):
    """Charges, users, months and the tie-out make the amount of the invoice, or say what else."""
    (invoice,) = [
        found
        for found in grove.derived(recover=recover).statement.invoices
        if found.cost_center.code == code
    ]
    headed = tables(grove.markup(f"{code}.pdf", grove.derived(recover=recover)))
    found = [table for heading, table in headed.items() if heading not in BOUGHT]
    usage = sum((line.amount for line in invoice.lines if line.of_usage), Decimal(0))
    charges = [number(row[-1]) for row in found[0]]
    further = sum(line.amount for line in invoice.lines if not line.of_usage)
    assert charges[-1] == invoice.amount == usage + further
    if usage:
        _, _, users, *_ = found
        assert sum(number(row[-1]) for row in users[:-1]) == number(users[-1][-1]) == usage
        *_, months, proof, detail = found
        assert (
            sum(number(row[-1]) for row in months[:-1]) == number(months[-1][-1]) == invoice.amount
        )
        rows = [row for row in detail[:-1] if len(row) > 3]  # below their names
        assert sum(number(row[-1]) for row in rows) == pytest.approx(
            number(detail[-1][-1]), abs=Decimal("0.001")
        )
        assert number(detail[-1][-1]) == number(proof[0][-1])
    else:
        proof = found[-1]
    proof = [row for row in proof if row[-1]]  # what is unpriced comes to no amount
    terms = [number(row[-1]) for row in proof]
    own = next(
        index for index, row in enumerate(proof) if row[0].startswith(("This invoice,", "本账单 ("))
    )
    assert sum(terms[:own]) == pytest.approx(invoice.amount, abs=Decimal("0.0001"))
    chargeable, fees, invoiced, unborne, difference, vendor, recovered = terms[own + 1 :]
    assert (chargeable + fees - invoiced - unborne, difference) == (0, 0)
    assert recovered == invoiced - vendor


def test_effective_prices_are_marked_and_short():
    text = grove.markup("R-1.pdf", grove.derived(recover=True))
    assert "Effective unit price (EUR)" in text
    assert "for information" in text
    prices = [row[2] for row in tables(text)["Charges"][:2]]
    assert all(re.fullmatch(r"\d+\.\d{4}", price) for price in prices)
    assert "Effective" not in grove.markup("R-1.pdf")


def test_charges_across_entities_are_told_once_and_only_to_those_they_concern():
    sentence = "For charges across entities a tax invoice must come from the ERP."
    assert [
        grove.markup(f"{path}.pdf").count(sentence) for path in ("R-1", "T-3", "Z-9", "statement")
    ] == [
        1,
        1,
        0,
        1,
    ]
    one_entity = tuple(replace(center, entity="1000", locale=None) for center in grove.CENTERS)
    for path in ("S-2.pdf", "statement.pdf"):
        assert sentence not in grove.markup(path, grove.derived(centers=one_entity))


def test_the_total_in_another_currency_is_for_information():
    text = grove.markup("R-1.pdf")
    (amount,) = [found.memo.amount for found in grove.derived().statement.invoices if found.memo]
    assert f"JPY {amount:,} at 184.50 per EUR, for information" in text


# Budgets, changes, estimates


@pytest.mark.parametrize(
    ("amount", "budget", "used", "exceeded", "bar"),
    [
        ("50.00", "200.00", "0.2500", False, "25"),
        ("200.00", "200.00", "1.0000", False, "100"),
        ("200.01", "200.00", "1.0000", True, "100"),
        ("-5.00", "200.00", "-0.0250", False, "0"),
        ("5.00", "0.00", None, True, "0"),
    ],
)
def test_a_budget_is_exceeded_above_all_of_it(amount, budget, used, exceeded, bar):
    found = budget_of(Decimal(amount), Decimal(budget))
    assert (found.used, found.exceeded, found.bar) == (used and Decimal(used), exceeded, bar)


def test_a_budget_that_is_exceeded_alarms():
    tight = tuple(
        replace(center, cycle_budget=Decimal("10.00"), locale=None) for center in grove.CENTERS
    )
    for path in ("R-1.pdf", "statement.pdf"):
        assert re.search(
            r'class="[^"]*alarm">37[23]\.\d\d%', grove.markup(path, grove.derived(centers=tight))
        )
    assert re.search(r'class="calm">93\.\d\d%', grove.markup("R-1.pdf"))


def test_changes_add_up_to_that_of_the_whole():
    for code in ("R-1", "S-2", "Z-9"):
        *rows, whole = invoice_tables(code)["Change against the previous cycle"]
        assert sum(number(row[4]) for row in rows) == number(whole[4])
    *rows, whole = tables(grove.markup("statement.pdf"))["Cost centers"]
    assert (
        sum(number(row[-1]) for row in rows)
        == number(whole[-1])
        == grove.derived().statement.variance.amount
    )
    assert rows[-1][:2] == ["Q-7", "Closed labno longer a cost center"]


def test_some_of_those_who_came_and_went_are_named():
    text = " ".join(text_of(fromstring(grove.markup("R-1.pdf"))).split())  # noqa: S314 - our own
    assert "New users: Chloé <Lefèvre> & Sons" in text
    assert re.search(r"Without usage now: (u\|left-\d+, ){7}u\|left-\d+ and 2 more", text)


def test_an_estimate_is_there_only_while_the_cycle_is_open():
    assert "at the pace of the first 3.5 of 5 days; charged nowhere" in grove.markup("R-1.pdf")
    for path in ("R-1.pdf", "statement.pdf"):
        assert "Estimate" in grove.markup(path)
        assert "Estimate" not in grove.markup(path, grove.derived(is_open=False))


@pytest.mark.parametrize(
    ("share", "fraction"), [("0.025", "0.025"), ("1/3", "0.3333"), ("37.30/50", "0.7460")]
)
def test_a_share_is_read_as_it_is_written(share, fraction):
    assert fraction_of(share) == Decimal(fraction)


# Summaries


def test_summaries_and_those_without_a_department_make_the_statement():
    statement = grove.derived().statement
    for holding, left in (("department", {"Z-9"}), ("entity", set())):
        found = [summary for _, summary in summary_documents(statement, holding, None)]
        codes = [row.code for summary in found for row in summary.rows]
        assert sorted(codes) == sorted(set(CODES) - left)
        rest = sum(
            invoice.amount for invoice in statement.invoices if invoice.cost_center.code in left
        )
        assert sum(summary.amount for summary in found) + rest == statement.tie_out.invoiced_amount


@given(st.lists(st.text(min_size=1, max_size=80), unique=True, max_size=8))
def test_every_summary_has_a_file_of_its_own(names):
    found = slugs(sorted(names))
    assert list(found) == sorted(names)
    assert len({slug.casefold() for slug in found.values()}) == len(names)
    assert all(slug and not set("/\\:. ") & set(slug) for slug in found.values())
    assert all(len(f"department-{slug}.pdf".encode()) <= 255 for slug in found.values())


@pytest.mark.long
@pytest.mark.heavy
def test_the_command_writes_summaries_and_takes_them_away_again(tmp_path):
    folder = copied(tmp_path / "beech")
    path = folder / "chargeback.yaml"
    plain = path.read_text(encoding="utf-8")
    path.write_text(
        plain.replace("invoice: {", "invoice: {summaries: [entity, department], "), encoding="utf-8"
    )
    assert run(folder).returncode == 3, "a product of the recording has no price"
    summaries = folder / "archive" / "2025-12-05" / "summaries"
    assert sorted(file.name for file in summaries.iterdir()) == [
        "department-engineering.pdf",
        "entity-1000.pdf",
    ]
    path.write_text(plain, encoding="utf-8")
    assert run(folder).returncode == 3
    assert not list(summaries.iterdir())


@pytest.mark.heavy
def test_every_document_can_be_drawn_and_is_the_same_again():
    for task in grove.tasks(grove.derived(recover=True)):
        if task.path.endswith(".pdf"):
            assert draw(task, grove.design()) == draw(task, grove.design())
