"""Documents of a closed cycle: final, with their day of issue and the seal of the close before."""

import zipfile
from dataclasses import replace
from email import message_from_bytes
from email.policy import SMTPUTF8
from functools import cache
from io import BytesIO

import openpyxl
import pytest

from reportgen.documents.render import draw, filled
from reportgen.documents.tasks import Task, tasks_of
from tests.documents import correspondence, grove
from tests.documents.correspondence import ISSUE
from tests.poppler import text_of

SEAL = "a7" * 32
DAYS = ("Jan 9, 2026", "2026年1月9日", "2026-01-09")
PATHS = [task.path for task in grove.tasks(grove.derived(is_open=False))]


@cache
def closed(*, first: bool = False) -> dict[str, Task]:
    """Give the tasks of a cycle as a close draws it, by their path."""
    found = grove.derived(is_open=False)
    issue = replace(ISSUE, previous_seal=None) if first else ISSUE
    heading = replace(found.statement.heading, status="closed", issue=issue)
    statement = replace(found.statement, heading=heading)
    return {task.path: task for task in tasks_of(statement, found.directory, grove.design())}


@pytest.mark.quick(5)
@pytest.mark.parametrize("path", PATHS)
def test_every_document_is_final_and_names_its_day_and_the_seal_before(path):
    words = filled(closed()[path], grove.design())
    assert "PRELIMINARY" not in words
    assert "暫定版" not in words
    assert SEAL in words
    assert any(day in words for day in DAYS)


@pytest.mark.parametrize("path", PATHS)
def test_the_first_close_of_an_archive_has_no_seal_before_it(path):
    words = filled(closed(first=True)[path], grove.design())
    assert "Previous seal" not in words
    assert "直前の封印" not in words


@pytest.mark.heavy
def test_the_seal_stands_whole_on_every_page_of_a_pdf():
    pages = text_of(draw(closed()["invoices/CB-2025-12-29-R-1.pdf"], grove.design())).split("\f")
    assert len(pages) > 2
    assert all(f"Previous seal {SEAL}" in page for page in pages[:-1])


def test_a_workbook_has_the_seal_in_a_cell_and_no_stamp():
    content = draw(closed()["statement.xlsx"], grove.design())
    cells = [cell.value for row in openpyxl.load_workbook(BytesIO(content)).active for cell in row]
    assert cells[cells.index("Previous seal") + 1] == SEAL
    assert b"PRELIMINARY" not in zipfile.ZipFile(BytesIO(content)).read("docProps/core.xml")


def test_an_email_of_a_closed_cycle_names_the_seal_before_it():
    mail = message_from_bytes(
        correspondence.mail(correspondence.invoice(closed=True)), policy=SMTPUTF8
    )
    texts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    assert len(texts) == 2
    assert all(SEAL in text and "PRELIMINARY" not in text for text in texts)
