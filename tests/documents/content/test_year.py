"""The fiscal year in the head of documents: where its figures are missing, who is told."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from reportgen.core.comparing.year import year_to_date
from reportgen.documents.content.year import year_of_invoice, year_of_statement
from tests.core.comparing.test_year import NOVEMBER, STATEMENT, TOLD

LACKING = replace(STATEMENT, year_to_date=year_to_date(STATEMENT, (NOVEMBER,), TOLD, 10))
CENTER = STATEMENT.invoices[0].cost_center


def test_missing_cycles_are_told_on_the_statement_and_where_a_budget_of_the_year_waits():
    missing = (date(2025, 10, 5),)
    assert year_of_statement(LACKING).missing == missing
    assert year_of_invoice(LACKING, replace(CENTER, year_budget=None)) is None
    told = year_of_invoice(LACKING, replace(CENTER, year_budget=Decimal("500.00")))
    assert (told.missing, told.budget) == (missing, None)
