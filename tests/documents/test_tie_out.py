"""What departments are told of the vendor's total: nothing, unless `tie_out: full` says so."""

import json
from dataclasses import replace
from decimal import Decimal
from io import BytesIO

import openpyxl
import pytest

from reportgen.core.charging.credit_notes import totals_of
from reportgen.core.model import Standing, StandingInvoice
from reportgen.documents.content.attachments import attachments
from reportgen.documents.content.credit_note import credit_note_documents
from reportgen.documents.render import draw, filled
from reportgen.documents.tasks import Task, tasks_of
from tests.documents import correspondence, grove

VENDOR, OVER = "60.00", "12.76"  # grove.card; 72.76 invoiced
TOTALS = ("chargeable_amount", "fees_amount", "invoiced_amount", "unborne_amount")
VENDORS = ("vendor_invoice_acus", "vendor_invoice_amount", "over_recovery_amount")


def told(suffix: str, extent: str, *, recover: bool = False) -> Task:
    found = grove.derived(recover=recover)
    design = replace(grove.design(), tie_out=extent)
    attached = attachments(found.statement, found.directory, extent)
    tasks = tasks_of(found.statement, found.directory, design, attached)
    (task,) = [one for one in tasks if one.path.endswith(f"R-1{suffix}")]
    return task


def text(extent: str, *, recover: bool = False) -> str:
    return filled(told(".pdf", extent, recover=recover), grove.design())


def inside(extent: str, *, recover: bool = False) -> dict[str, str | None]:
    attached = {one.name: one.content for one in told(".pdf", extent, recover=recover).attachments}
    return json.loads(attached["invoice.json"])["tie_out"]


def numbers(extent: str, *, recover: bool = False) -> set[Decimal]:
    """Read every number of the workbook's last sheet."""
    book = openpyxl.load_workbook(
        BytesIO(draw(told(".xlsx", extent, recover=recover), grove.design())), data_only=True
    )
    cells = (cell for row in book["Tie-out"].iter_rows(values_only=True) for cell in row)
    return {Decimal(str(cell)) for cell in cells if isinstance(cell, int | float)}


def test_departments_are_not_told_the_vendors_total_unless_it_is_said():
    own, full = text("own"), text("full")
    assert f">{VENDOR}<" in full
    assert f">{OVER}<" in full
    assert f">{VENDOR}<" not in own
    assert f">{OVER}<" not in own
    assert "vendor's invoice" not in own
    assert ">72.76<" in own, "what all invoices come to, at our own prices"


def test_the_attachment_tells_no_more_than_the_page():
    assert not set(VENDORS) & set(inside("own"))
    assert inside("full")["over_recovery_amount"] == OVER
    assert set(inside("full")) - set(inside("own")) == set(VENDORS)


def test_where_the_vendors_invoice_is_spread_its_total_stands_under_no_other_name():
    own = text("own", recover=True)
    assert f">{VENDOR}<" not in own
    assert ">72.50<" not in own, "60.00 and fees of 12.50 would tell it as well"
    assert "what is spread over them" not in own
    assert "Difference to the control total, over all invoices" in own
    assert f">{VENDOR}<" in text("full", recover=True)
    assert not {*VENDORS, *TOTALS} & set(inside("own", recover=True))


@pytest.mark.parametrize("recover", [False, pytest.param(True, marks=pytest.mark.heavy)])
def test_the_workbook_tells_no_more_than_the_page(recover):
    own = numbers("own", recover=recover)
    assert not {Decimal(VENDOR), Decimal(OVER)} & own
    assert (Decimal("72.76") in own) is not recover


@pytest.mark.heavy
def test_the_workbook_tells_all_where_the_page_does():
    assert {Decimal(VENDOR), Decimal(OVER)} <= numbers("full")


def test_the_share_of_the_control_total_says_of_what():
    assert "of the ACUs of the control total" in text("own")


def test_a_note_tells_no_total_that_its_invoice_did_not():
    statement = grove.derived(recover=True).statement
    standing = Standing(
        folder="2025-12-29",
        seal="5e" * 32,
        currency="EUR",
        effective_prices=True,
        decimals=2,
        invoices={"R-1": StandingInvoice(number="R-1")},
        totals=totals_of(statement),
    )
    notes = {"R-1": correspondence.credit_notes()["R-1"].amounts}
    pages = {}
    for extent in ("own", "full"):
        (note,) = credit_note_documents(
            standing, statement, notes, correspondence.CORRECTION, tie_out=extent
        )
        made = Task(path="n.pdf", template="credit_note.html.j2", document=note, locale="en")
        pages[extent] = filled(made, grove.design())
    assert f">{VENDOR}<" in pages["full"]
    assert f">{VENDOR}<" not in pages["own"]
    assert "This invoice, with this note (EUR)" in pages["own"]
