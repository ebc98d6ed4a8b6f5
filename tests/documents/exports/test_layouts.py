"""Journals in every layout that is shipped, each read as its system would read it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.booking.journal import Posting, files_of, journal
from reportgen.core.booking.vouchers import accrual, charges, charges_by_month
from reportgen.core.model import CostCenter, Heading
from reportgen.core.problem import Rejected
from reportgen.documents.content.journal import JournalDocument
from reportgen.documents.exports.fit import unfit
from reportgen.documents.exports.layouts import (
    SHIPPED,
    filled,
    known_layouts,
    layout_of,
)
from reportgen.documents.templating.templates import read_templates
from tests.core.booking.test_journal import CLOSED, DRAFT, SOURCES, UNTIL, postable, voucher
from tests.core.test_laws import CYCLE, chargeable_worlds
from tests.documents.exports.ledgers import READERS
from tests.examples import examples

TEMPLATES = read_templates(None)
HEADING = Heading(enterprise="Acme", status="closed", cycle=CYCLE, currency="USD", decimals=2)
POSTING = Posting(credit_accounts={"": "2999"}, entity="9000", sources=SOURCES)
EVIL = ['=cmd|" /C calc"!A0', "two\r\nlines; and, \ttabs", "  ", "東京開発部", "\ud800", "'quoted"]
CENTERS = [
    CostCenter(code=f"00{number}", name=name, gl_account=f"0064{number}", entity="1000")
    for number, name in enumerate(EVIL)
]
EVILS = voucher({center.code: "12.50" for center in CENTERS} | {"001": "-0.50"})


def files(entries, layout, most=None):
    shared = files_of(entries, most, by_entity=layout_of(layout).by_entity)
    for part, held in enumerate(shared, start=1):
        document = JournalDocument(
            heading=HEADING, entries=tuple(held), part=part, parts=len(shared)
        )
        yield filled(document, layout, TEMPLATES)


def read(entries, layout, most=None):
    return [one for file in files(entries, layout, most) for one in READERS[layout](file)]


def balance(lines):
    return sum((Fraction(amount) for _, _, amount, _ in lines), Fraction())


def test_every_layout_that_is_shipped_has_a_reader_of_its_own():
    assert sorted(READERS) == sorted(SHIPPED) == known_layouts(TEMPLATES)


@pytest.mark.parametrize("layout", READERS)
def test_each_is_about_ten_lines(layout):
    assert len(TEMPLATES[f"journal/{layout}.csv.j2"].splitlines()) <= 20


@pytest.mark.parametrize("layout", READERS)
def test_codes_stay_as_they_are_and_no_name_breaks_a_record(layout):
    (document,) = read(journal([EVILS], CENTERS, CLOSED, POSTING), layout)
    assert [line[:3] for line in document.lines] == [
        ("00640", "000", Decimal("12.50")),
        ("00641", "001", Decimal("-0.50")),
        *((f"0064{number}", f"00{number}", Decimal("12.50")) for number in range(2, 6)),
        ("2999", "", Decimal("-62.00")),
    ]
    assert document.control in {None, Decimal("62.50")}
    assert (document.entity, document.currency) == ("1000", "USD")
    assert document.day == date(2026, 1, 4)


@pytest.mark.parametrize("layout", READERS)
def test_each_has_the_key_of_document_and_line_and_names_the_proof(layout):
    (document,) = read(journal([EVILS], CENTERS, CLOSED, POSTING), layout)
    short = layout in {"sap", "dynamics365"}
    assert document.key == ("2512051a2b3c0001" if short else "JE-2025-12-05-1000-1a2b3c4d")
    assert all(line[3].startswith(f"CB-{line[1]}-1a2b3c4d") for line in document.lines if line[1])
    assert "2025-12-05" in document.proof
    assert layout == "dynamics365" or "2025-12-05/statement.pdf" in document.proof


@pytest.mark.parametrize("layout", READERS)
def test_an_accrual_is_marked_and_taken_back(layout):
    booked = voucher({"000": "5.00"}, kind="accrual", text="ACCRUAL ACUs 2025-12-05")
    booked = replace(booked, description="ACCRUAL of ACUs used 2025-12-05 to 2025-12-31")
    booked = replace(booked, posting_date=date(2025, 12, 31), mark="ACCRUAL-2026-01-01")
    back = replace(
        booked,
        kind="reversal",
        posting_date=UNTIL,
        amounts={"000": Decimal("-5.00")},
        mark="ACCRUAL-REVERSED-2026-01-01",
    )
    first, second = read(journal([booked, back], CENTERS, DRAFT, POSTING), layout)
    assert "ACCRUAL" in first.text
    assert "ACCRUAL" in second.text
    assert first.key != second.key
    assert (first.day, second.day) == (date(2025, 12, 31), UNTIL)
    assert [(line[0], -line[2]) for line in first.lines] == [
        (line[0], line[2]) for line in second.lines
    ]


def test_sap_takes_999_lines_and_every_part_balances():
    centers = [CostCenter(code=f"C{n:04}", name="x", gl_account="64") for n in range(2000)]
    asked = voucher({center.code: "0.01" for center in centers})
    entries = journal([asked], centers, CLOSED, replace(POSTING, entity="1000"), 999)
    contents = list(files(entries, "sap", 999))
    assert len(contents) == 3
    documents = [one for content in contents for one in READERS["sap"](content)]
    assert [len(one.lines) for one in documents] == [999, 999, 5]
    assert not any(balance(one.lines) for one in documents)
    assert len({one.key for one in documents}) == 3


def test_what_a_system_has_no_room_for_is_told():
    long = [CostCenter(code="CC-1001-BERLIN", name="x", gl_account="64", source="mapping.yaml:3")]
    entries = journal([voucher({"CC-1001-BERLIN": "1.00"})], long, CLOSED, POSTING)
    told = "\n".join(map(str, unfit(entries, {one.code: one for one in long}, "sap", "|")))
    assert told == (
        'mapping.yaml:3: "CC-1001-BERLIN" has 14 characters, and a cost center at most 10 '
        "in the layout sap; write it as the ledger has it, or choose another layout"
    )
    assert unfit(entries, {}, "generic", "-") == unfit(entries, {}, "dynamics365", "|") == []
    (joined,) = unfit(entries, {}, "dynamics365", "-")
    assert '"CC-1001-BERLIN" holds "-", which separates the segments' in joined.message


def test_a_layout_of_ones_own_says_where_it_is_wrong():
    mine = {"journal/mine.csv.j2": "{{ [1, 2] | row }}\n{{ [entry.key] | row }}\n"}
    document = JournalDocument(heading=HEADING, entries=(), part=1, parts=1)
    with pytest.raises(Rejected) as refused:
        filled(document, "mine", mine)
    assert str(refused.value).startswith('journal/mine.csv.j2:2: nothing is called "entry"')
    own = {"journal/mine.csv.j2": "{{ [document.part, 'a'] | row }}\n"}
    assert filled(document, "mine", own) == b"1,a\r\n"


# For every world that can be charged


@given(chargeable_worlds(), st.sampled_from((None, 2, 4)), st.sampled_from(sorted(READERS)))
@examples(24)
def test_what_a_system_reads_is_what_was_invoiced(drawn, most, layout):
    _, (result, _), _ = drawn
    centers = postable(result)
    for vouchers in (charges(result, CLOSED, None), charges_by_month(result, CLOSED)):
        documents = read(journal(vouchers, centers, CLOSED, POSTING, most), layout, most)
        assert not any(balance(one.lines) for one in documents)
        assert len({one.key for one in documents}) == len(documents)
        lines = [line for one in documents for line in one.lines if line[1]]
        for invoice in result.invoices:
            own = [line for line in lines if line[1] == invoice.cost_center.code]
            assert balance(own) == Fraction(invoice.amount)


@given(chargeable_worlds(), st.sampled_from(sorted(READERS)))
@examples(30)
def test_what_a_system_reads_of_an_accrual_comes_to_nothing(drawn, layout):
    _, (result, _), _ = drawn
    entries = journal(accrual(result, DRAFT, UNTIL), postable(result), DRAFT, POSTING)
    documents = read(entries, layout)
    assert not any(balance(one.lines) for one in documents)
    for invoice in result.invoices:
        code = invoice.cost_center.code
        own = [line for one in documents for line in one.lines if line[1] == code]
        assert not balance(own)
