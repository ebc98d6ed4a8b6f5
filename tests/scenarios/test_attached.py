"""What the sample's PDFs carry inside: the figures of statement.json, which stand on the pages."""

import csv
import io
import json
import re
from collections.abc import Iterator
from decimal import Decimal

import pikepdf
import pytest
from babel.numbers import format_decimal

from tests.poppler import text_of
from tests.scenarios.test_sample import ISSUED, LOCALES

VENDORS = {"vendor_invoice_acus", "vendor_invoice_amount", "over_recovery_amount"}


def embedded(drawn_sample, code: str) -> dict[str, bytes]:
    with pikepdf.open(drawn_sample.file(code, ".pdf")) as document:
        return {name: file.get_file().read_bytes() for name, file in document.attachments.items()}


def amounts(value: object) -> Iterator[str]:
    """Find every `amount` and `…_amount` of anything; exact amounts are not what is charged."""
    if isinstance(value, dict):
        yield from (
            amount
            for key, amount in value.items()
            if isinstance(amount, str) and key.endswith("amount") and key != "exact_amount"
        )
    for inner in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from amounts(inner)


@pytest.mark.parametrize("code", ISSUED)
def test_every_amount_inside_stands_on_the_pages(drawn_sample, code):
    text = text_of(drawn_sample.file(code, ".pdf").read_bytes())
    for amount in amounts(json.loads(embedded(drawn_sample, code)["invoice.json"])):
        shown = format_decimal(Decimal(amount), format="#,##0.00", locale=LOCALES.get(code, "en"))
        assert re.search(rf"(?<![\d.,]){re.escape(shown)}(?!\d)", text), amount


@pytest.mark.parametrize("code", ISSUED)
def test_the_invoice_inside_is_the_one_of_the_statement(drawn_sample, code):
    inside, statement = (
        json.loads(embedded(drawn_sample, code)["invoice.json"]),
        drawn_sample.statement(),
    )
    assert inside["cost_center"] == next(
        center for center in statement["cost_centers"] if center["code"] == code
    )
    assert inside["tie_out"] == {
        term: value for term, value in statement["tie_out"].items() if term not in VENDORS
    }


def test_the_usage_inside_all_invoices_is_the_ledger(drawn_sample):
    """Quantities by cost center, day and product, from two files that were written apart."""
    ledger = table((drawn_sample.folder / "ledger.csv").read_text(encoding="utf-8"))
    wanted: dict = {}
    for row in ledger:
        key = row["cost_center"], row["day"], row["product"], row["principal_id"]
        wanted[key] = wanted.get(key, Decimal(0)) + Decimal(row["quantity"])
    attached: dict = {}
    for code in ISSUED:
        for row in table(embedded(drawn_sample, code)["usage.csv"].decode()):
            key = code, row["day"], row["product"], row["principal_id"]
            attached[key] = attached.get(key, Decimal(0)) + Decimal(row["quantity"])
    assert attached == wanted


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))
