"""index.html of the built sample, held against statement.json and the files beside it."""

from decimal import Decimal
from pathlib import Path
from urllib.parse import unquote
from xml.etree.ElementTree import Element, parse

import pytest

from tests.scenarios.job import Job, contents, plain

INPUTS = ("inputs/", "index.html")


def page(folder: Path) -> Element:
    return parse(folder / "index.html").getroot()  # noqa: S314 - our own


def text_of(element: Element) -> str:
    return " ".join(" ".join(element.itertext()).split())


def money(amount: str) -> str:
    return f"{Decimal(amount):,.2f}"


def acus(quantity: str, decimals: int = 4) -> str:
    return f"{Decimal(quantity):,.{decimals}f}"


@pytest.fixture(scope="module")
def table(sample) -> dict[str, dict[str, str]]:
    """Read the table of cost centers by code, each cell by the head of its column."""
    (element,) = [
        one
        for one in page(sample.folder).iter("table")
        if one.get("aria-labelledby") == "cost-centers"
    ]
    heads = [text_of(head) for head in element.iterfind("thead/tr/th")]
    read = [
        dict(zip(heads, map(text_of, row), strict=True)) for row in element.iterfind("tbody/tr")
    ]
    total = dict(zip(heads, map(text_of, element.find("tfoot/tr")), strict=True))
    by_code = {
        next(word for word in row["Cost center"].split() if word.startswith("CC-")): row
        for row in read
    }
    return {**by_code, "": total}


def test_links_lead_to_every_file_and_to_the_inputs(sample):
    linked = {unquote(link.get("href")) for link in page(sample.folder).iter("a")}
    within = {name for name in linked if name.startswith("#")}
    ids = {f"#{one.get('id')}" for one in page(sample.folder).iter() if one.get("id")}
    assert within <= ids
    linked -= within
    inputs = {name for name in linked if name.startswith(INPUTS)}
    assert linked - inputs == {
        name for name in contents(sample.folder) if not name.startswith(INPUTS)
    }
    assert len(linked - inputs) == 3 + 5 + 2 * 12
    assert all((sample.folder / name).exists() for name in inputs)
    assert {"inputs/config/", "inputs/responses.jsonl"} <= inputs


def test_every_amount_is_that_of_the_statement(sample, table):
    statement = sample.statement()
    for center in statement["cost_centers"]:
        row = table.pop(center["code"])
        borne = sum(Decimal(line["acus"]) for line in center["lines"])
        assert row["Cost center"].startswith(f"{center['name']} {center['code']}")
        assert (row["Amount (USD)"], row["ACUs"]) == (money(center["amount"]), acus(str(borne)))
        assert (center["invoice"] or "no invoice") in row["Documents"]
    total = table.pop("")
    tie = statement["tie_out"]
    assert (total["Amount (USD)"], total["ACUs"]) == (
        money(tie["invoiced_amount"]),
        acus(tie["control_acus"]),
    )
    assert not table


def test_the_totals_are_those_of_the_statement(sample):
    shown = text_of(page(sample.folder).find("body"))
    statement = sample.statement()
    tie, unallocated = statement["tie_out"], statement["unallocated"]
    over, vendor = money(tie["over_recovery_amount"]), money(tie["vendor_invoice_amount"])
    difference = f"{acus(tie['difference_acus'])} ACUs · USD {money(tie['difference_amount'])}"
    for words in (
        f"Invoiced USD {money(tie['invoiced_amount'])}",
        f"Control total, ACUs {acus(tie['control_acus'], 2)}",
        f"Against the vendor's invoice {over} The vendor's invoice {vendor} 0.0000 ACUs",
        f"over all invoices: {difference}",
        f"borne by CC-9999. {acus(unallocated['acus'])} ACUs · USD {money(unallocated['amount'])}",
        f"Not borne by any cost center: 0.0000 ACUs · USD {money(tie['unborne_amount'])}",
        "Chargeback statement PRELIMINARY Acme Corporation Billing cycle Dec 5, 2025 – Jan 4, 2026",
    ):
        assert words in shown
    for cause, quantity in unallocated["by_cause"].items():
        amounts = [Decimal(one["amount"]) for one in unallocated["parts"] if one["cause"] == cause]
        assert f"{cause} {money(sum(amounts))} {acus(quantity)}" in shown


@pytest.mark.heavy
def test_the_page_is_the_same_with_any_number_of_workers(drawn_sample, drawn_again):
    pages = [(built.folder / "index.html").read_bytes() for built in (drawn_sample, drawn_again)]
    assert pages[0] == pages[1]


def test_the_command_says_which_file_to_open(sample):
    assert f"open {sample.folder / 'index.html'}" in sample.stdout


@pytest.mark.heavy
def test_links_hold_whatever_numbers_are_like(small_job: Job):
    with (small_job.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write(
            'invoice: {number: "CB {{ cycle.start }} #1 – 100 % März?&{{ cost_center.code }}"}\n'
        )
    assert plain(small_job, "index.html.j2").here("run").returncode == 0
    folder = small_job.cycle()
    links = [link.get("href") for link in page(folder).iter("a")]
    links = [link for link in links if not link.startswith("#")]
    assert all((folder / unquote(link)).exists() for link in links)
    assert sum("%23" in link for link in links) == 2 * 3
