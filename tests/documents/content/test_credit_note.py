"""Credit and debit notes: what is printed is new less old, and makes the total; archivable."""

import re
from decimal import Decimal
from io import BytesIO
from xml.etree.ElementTree import fromstring

import pikepdf
import pytest

from reportgen.core.model import Attachment
from reportgen.core.money import subtract, total
from reportgen.documents.render import draw, filled
from tests.documents import correspondence as sent
from tests.documents.pdf.pdfa import check
from tests.poppler import text_of

TITLES = {
    "en": ("Chargeback credit note", "Chargeback debit note"),
    "ja": ("社内配賦減額通知書", "社内配賦増額通知書"),
    "zh": ("内部分摊贷项通知单", "内部分摊借项通知单"),
}
CODES = ("R-1", "S-2")


def rows(code: str) -> list[list[str]]:
    """Give the cells of every row of the tables with figures, as they are read."""
    root = fromstring(filled(sent.credit_note_task(sent.credit_notes()[code]), sent.design()))  # noqa: S314 - our own
    tables = [table for table in root.iter("table") if table.get("class") == "rows"]
    return [
        [" ".join("".join(cell.itertext()).split()) for cell in row]
        for table in tables
        for row in table.iterfind("tbody/tr")
    ]


def figures(cells: list[str]) -> list[Decimal]:
    return [
        Decimal(cell.replace(",", "")) for cell in cells if re.fullmatch(r"[+-]?[\d,]+\.\d+", cell)
    ]


# Figures


@pytest.mark.parametrize("code", CODES)
def test_every_printed_change_is_new_less_old(code):
    checked = 0
    for cells in rows(code):
        found = figures(cells)
        if found[
            3:
        ]:  # ACUs before amounts; the total has no old and new ones, as not every line does
            found = found[-3:] if len(found) == 4 else found
        for old, new, change in zip(found[0::3], found[1::3], found[2::3], strict=True):
            assert new - old == change, cells
            checked += 1
    assert checked == 6 + len(sent.AMOUNTS[code].lines) + 2


@pytest.mark.parametrize("code", CODES)
def test_the_printed_lines_make_the_printed_total(code):
    *lines, whole = [cells for cells in rows(code) if len(cells) in {4, 5, 7}][
        : len(sent.AMOUNTS[code].lines) + 1
    ]
    assert len(lines) == len(sent.AMOUNTS[code].lines)
    for place in (-3, -2, -1):
        assert sum(figures(cells)[place] for cells in lines) == figures(whole)[place]
    assert figures(whole)[-1] == sent.AMOUNTS[code].amount


@pytest.mark.parametrize("code", CODES)
def test_the_worked_example_holds_by_itself(code):
    """What tests say by hand keeps the laws of a note as well."""
    for line in sent.AMOUNTS[code].lines:
        assert subtract(line.after_amount, line.before_amount) == line.amount
        assert subtract(line.after_acus, line.before_acus) == line.acus
    assert total(line.amount for line in sent.AMOUNTS[code].lines) == sent.AMOUNTS[code].amount


def test_all_notes_of_a_correction_make_what_the_cycle_changed_by():
    before, after = sent.cycle()
    for document in sent.credit_notes().values():
        assert document.invoiced_after == after.tie_out.invoiced_amount
        changed = document.chargeable_amount + document.fees_amount
        assert changed == document.notes_amount + document.unborne_amount
    assert sent.credit_notes()["R-1"].before_amount == next(
        found.amount for found in before.invoices if found.cost_center.code == "R-1"
    )


def test_an_unchanged_cost_center_gets_no_note():
    assert list(sent.credit_notes()) == ["R-1", "S-2"]


@pytest.mark.parametrize(("code", "kind"), [("R-1", "credit"), ("S-2", "debit")])
def test_its_sign_says_what_it_is(code, kind):
    assert sent.credit_notes()[code].kind == kind


# The file


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize("locale", TITLES)
@pytest.mark.parametrize("code", CODES)
def test_it_is_built_as_an_archive_wants_it(code, locale):
    document = sent.credit_notes()[code]
    content = draw(sent.credit_note_task(document, locale), sent.design(logo=sent.png()))
    title = f"{TITLES[locale][code == 'S-2']} {document.amounts.number}"
    check(content, tagged=True, attachments={}, title=title, language=locale)
    text = text_of(content)
    for said in (
        document.amounts.number,
        document.corrects,
        document.correction.reason,
        document.correction.seal,
    ):
        assert said in text
    assert content == draw(sent.credit_note_task(document, locale), sent.design(logo=sent.png()))


def test_it_carries_files_like_an_invoice():
    file = Attachment(
        name="note.json",
        media_type="application/json",
        description="d",
        relationship="Data",
        content=b"{}",
    )
    document = sent.credit_notes()["R-1"]
    task = sent.replace(sent.credit_note_task(document), attachments=(file,))
    title = "Chargeback credit note CB-2025-12-29-R-1-C1"
    content = draw(task, sent.design())
    check(
        content,
        tagged=True,
        attachments={"note.json": "application/json"},
        title=title,
        language="en",
    )
    with pikepdf.open(BytesIO(content)) as pdf:
        assert pdf.attachments["note.json"].get_file().read_bytes() == b"{}"


def test_one_that_is_looked_at_before_it_is_issued_says_so():
    looked_at = text_of(
        draw(sent.credit_note_task(sent.credit_notes("draft")["R-1"]), sent.design())
    )
    issued = text_of(draw(sent.credit_note_task(sent.credit_notes()["R-1"]), sent.design()))
    assert "PRELIMINARY" in looked_at
    assert "PRELIMINARY" not in issued


def test_a_second_correction_names_the_first():
    text = text_of(draw(sent.credit_note_task(sent.credit_notes()["S-2"]), sent.design()))
    assert "after CB-2025-12-29-S-2-C1" in text


def test_where_one_amount_is_spread_no_price_is_named():
    document = sent.credit_notes()["R-1"]
    line, *further = document.amounts.lines
    changed = sent.replace(
        document,
        heading=sent.replace(document.heading, effective_prices=True),
        amounts=sent.replace(
            document.amounts, lines=(sent.replace(line, unit_price=None), *further)
        ),
    )
    text = text_of(draw(sent.credit_note_task(changed), sent.design()))
    assert "What is spread over them" in text
    assert "at 2.00" not in text


def test_texts_stay_texts():
    """A reason is whatever somebody wrote."""
    document = sent.credit_notes()["R-1"]
    reason = "=cmd|' /C calc'!A0 <b>& \u202e"
    changed = sent.replace(document, correction=sent.replace(document.correction, reason=reason))
    assert "=cmd|' /C calc'!A0 <b>&" in text_of(draw(sent.credit_note_task(changed), sent.design()))
