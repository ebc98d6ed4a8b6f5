"""Journals as files: what is told of them, and what a template of somebody's own may do."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from reportgen.core.booking.journal import Posting
from reportgen.core.model import CostCenter
from reportgen.core.problem import Rejected
from reportgen.documents.content.journal import JournalDocument
from reportgen.documents.exports.fit import unfit
from reportgen.documents.exports.formats import FORMATS
from reportgen.documents.exports.layouts import filled_apart
from reportgen.documents.exports.material import Booking, Options
from reportgen.documents.templating.templates import read_templates
from tests.core.booking.test_journal import CLOSED, POSTING, SOURCES, journal, voucher
from tests.documents.exports.ledgers import READERS
from tests.documents.exports.materials import of_grove, written
from tests.documents.exports.test_layouts import HEADING

TEMPLATES = read_templates(None)
EMPTY = JournalDocument(heading=HEADING, entries=(), part=1, parts=1)


def booking(material) -> Booking:
    """Give every cost center of an enterprise an account."""
    centers = {
        one.cost_center.code: replace(one.cost_center, gl_account="6420", entity="1000")
        for one in material.statement.invoices
    }
    return Booking(posting=Posting(credit_accounts={"": "2999"}, sources=SOURCES), centers=centers)


def grown(**changed):
    return replace(of_grove(), templates=TEMPLATES, **changed)


def test_sap_is_never_given_more_than_it_takes():
    material = grown()
    asked = {"layout": "sap", "booking": booking(material)}
    whole = written("journal", material, **asked, max_lines=5000)
    assert whole == written("journal", material, **asked)
    assert whole.keys() == {"journal-sap.csv"}
    parts = written("journal", material, **asked, max_lines=2)
    assert len(parts) > 1
    assert all(len(one.lines) == 2 for content in parts.values() for one in READERS["sap"](content))


def test_a_journal_of_nothing_has_a_header():
    material = grown()
    statement = replace(material.statement, invoices=())
    made = written("journal", replace(material, statement=statement), booking=booking(material))
    assert READERS["generic"](made["journal-generic.csv"]) == []


def test_an_accrual_of_days_that_are_not_known_is_told():
    material = grown()
    heading = replace(material.statement.heading, cycle_open=True, elapsed_seconds=86400 * 3)
    material = replace(material, statement=replace(material.statement, heading=heading))
    start = heading.cycle.start
    for days, told in ((3, []), (4, ["accrual-ahead"])):
        options = Options(until=start + timedelta(days))
        assert [one.code for one in FORMATS["journal"].warnings(material, options)] == told
    assert not list(FORMATS["journal"].warnings(material, Options()))


def test_what_nobody_bears_is_told():
    material = grown()
    tie = replace(material.statement.tie_out, unborne_amount=material.statement.tie_out.fees_amount)
    material = replace(material, statement=replace(material.statement, tie_out=tie))
    (told,) = FORMATS["journal"].warnings(material, Options())
    assert told.code == "unborne-not-booked"
    assert "are borne by nobody, and not booked" in told.message


def test_a_code_like_a_formula_is_refused():
    centers = {"-100": CostCenter(code="-100", name="x", gl_account="64", source="mapping.yaml:3")}
    entries = journal([voucher({"-100": "1.00"})], centers.values(), CLOSED, POSTING)
    (problem,) = unfit(entries, centers, "generic", "|")
    assert str(problem).startswith('mapping.yaml:3: "-100" begins like a formula')


@pytest.mark.parametrize(
    ("template", "told"),
    [
        (
            "{% for a in range(99999) %}\n{% for b in range(99999) %}{% endfor %}\n{% endfor %}",
            "journal/mine.csv.j2:2: this takes more than 0.1 seconds of the processor",
        ),
        (
            "{{ [1] | row }}\n{{ document.heading.__class__ }}",
            'journal/mine.csv.j2:2: "__class__" of',
        ),
    ],
)
def test_a_layout_of_ones_own_has_limits(template, told):
    mine = TEMPLATES | {"journal/mine.csv.j2": template}
    with pytest.raises(Rejected) as refused:
        filled_apart(EMPTY, "mine", mine, seconds=0.1)
    assert str(refused.value).startswith(told)


def test_the_day_of_an_accrual_lies_in_the_cycle():
    material = grown()
    cycle = material.statement.heading.cycle
    for until in (cycle.start, date(2030, 1, 1)):
        with pytest.raises(Rejected) as refused:
            written("journal", material, until=until, booking=booking(material))
        assert str(refused.value).startswith(f"--until: {until} is not in the billing cycle")
    assert written("journal", material, until=cycle.end, booking=booking(material))
