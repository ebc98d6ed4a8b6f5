"""What is booked: debits equal credits in every part, and everything charged is booked once."""

from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.booking.bookable import unbookable
from reportgen.core.booking.journal import Posting, files_of, journal
from reportgen.core.booking.vouchers import Cited, Voucher, accrual, charges, charges_by_month
from reportgen.core.model import CostCenter
from tests.core.test_laws import HOLDERS, chargeable_worlds
from tests.examples import examples

UNTIL = date(2026, 1, 1)
CLOSED = Cited(folder="2025-12-05", stamp="1a2b3c4d", document="2025-12-05/statement.pdf")
DRAFT = replace(CLOSED, stamp="DRAFT")
SOURCES = {"credit_account": "chargeback.yaml:20", "closed_through": "chargeback.yaml:21"}
POSTING = Posting(credit_accounts={"": "2999"}, sources=SOURCES)
ACCOUNTS = {code: f"0{number}" for number, code in enumerate(HOLDERS)}


def center(code, **more):
    given = {"name": f"Name of {code}", "gl_account": "6420", "source": f"mapping.yaml:{code}"}
    return CostCenter(code=code, **given | more)


def voucher(amounts, **more):
    given = {
        "kind": "charge",
        "posting_date": date(2026, 1, 4),
        "amounts": {code: Decimal(amount) for code, amount in amounts.items()},
        "references": {code: f"CB-{code}" for code in amounts},
        "text": "Devin ACUs 2025-12-05",
        "description": "",
    }
    return Voucher(**given | more)


def booked(entries):
    return [
        (
            entry.number,
            entry.entity,
            [
                f"{line.account} {line.cost_center} {line.debit or ''}/{line.credit or ''}"
                for line in entry.lines
            ],
        )
        for entry in entries
    ]


def test_a_debit_for_each_cost_center_and_one_credit():
    centers = [center("CC-1"), center("CC-2", gl_account="06430"), center("CC-3")]
    (entry,) = journal(
        [voucher({"CC-2": "5.00", "CC-1": "1205.25", "CC-3": "0.00"})], centers, CLOSED, POSTING
    )
    assert booked([entry]) == [
        ("JE-2025-12-05", "", ["6420 CC-1 1205.25/", "06430 CC-2 5.00/", "2999  /1210.25"])
    ]
    assert (entry.key, entry.reference) == ("JE-2025-12-05-1a2b3c4d", "2512051a2b3c0001")
    assert [line.key for line in entry.lines] == [
        "CB-CC-1-1a2b3c4d",
        "CB-CC-2-1a2b3c4d",
        "JE-2025-12-05-1a2b3c4d",
    ]
    assert (entry.period, entry.control_total) == ("2026-01", Decimal("1210.25"))


def test_what_is_below_zero_is_on_the_other_side():
    centers = [center("CC-1"), center("CC-2")]
    made = journal([voucher({"CC-1": "-5.00", "CC-2": "2.00"})], centers, CLOSED, POSTING)
    assert booked(made)[0][2] == ["6420 CC-1 /5.00", "6420 CC-2 2.00/", "2999  3.00/"]
    even = journal([voucher({"CC-1": "-2.00", "CC-2": "2.00"})], centers, CLOSED, POSTING)
    assert booked(even)[0][2] == ["6420 CC-1 /2.00", "6420 CC-2 2.00/"]


def test_every_entity_has_an_entry_that_balances_with_its_own_account():
    centers = [center("CC-1", entity="Acme K.K."), center("CC-2"), center("CC-3", entity="1000")]
    posting = replace(POSTING, entity="1000", credit_accounts={"": "2999", "Acme K.K.": "002150"})
    made = journal(
        [voucher({"CC-1": "1.00", "CC-2": "2.00", "CC-3": "4.00"})], centers, CLOSED, posting
    )
    assert booked(made) == [
        ("JE-2025-12-05-1000", "1000", ["6420 CC-2 2.00/", "6420 CC-3 4.00/", "2999  /6.00"]),
        ("JE-2025-12-05-Acme-K-K", "Acme K.K.", ["6420 CC-1 1.00/", "002150  /1.00"]),
    ]


def test_entities_of_one_name_to_a_file_system_have_numbers_of_their_own():
    centers = [center("CC-1", entity="A/B"), center("CC-2", entity="A B")]
    made = journal([voucher({"CC-1": "1.00", "CC-2": "2.00"})], centers, CLOSED, POSTING)
    assert [entry.number for entry in made] == ["JE-2025-12-05-A-B", "JE-2025-12-05-A-B-2"]


def test_an_entry_is_cut_into_parts_that_balance():
    codes = ["CC-1", "CC-2", "CC-3"]
    made = journal([voucher(dict.fromkeys(codes, "1.00"))], map(center, codes), CLOSED, POSTING, 3)
    assert booked(made) == [
        ("JE-2025-12-05", "", ["6420 CC-1 1.00/", "6420 CC-2 1.00/", "2999  /2.00"]),
        ("JE-2025-12-05_2", "", ["6420 CC-3 1.00/", "2999  /1.00"]),
    ]
    assert [len(one) for one in files_of(made, 3)] == [1, 1]
    assert [len(one) for one in files_of(made, 5)] == [2]
    assert files_of([], 3) == [[]]


def test_a_part_is_never_named_like_an_entity():
    centers = [center("CC-1"), center("CC-2"), center("CC-3", entity="2")]
    asked = voucher(dict.fromkeys(("CC-1", "CC-2", "CC-3"), "1.00"))
    made = journal([asked], centers, CLOSED, POSTING, 2)
    assert [(entry.number, entry.reference[-4:]) for entry in made] == [
        ("JE-2025-12-05", "0001"),
        ("JE-2025-12-05_2", "0003"),
        ("JE-2025-12-05-2", "0002"),
    ]


def test_what_cannot_be_booked_is_told_all_at_once():
    centers = [
        center("CC-1", gl_account=None),
        center("CC-2", entity="2000"),
        center("CC-3", gl_account=None),
        center("CC-4", entity="2000"),
    ]
    posting = Posting(
        credit_accounts={"1000": "2999"}, closed_through=date(2026, 1, 31), sources=SOURCES
    )
    asked = voucher({"CC-1": "1.00", "CC-2": "1.00", "CC-3": "0.00", "CC-4": "1.00"})
    told = "\n".join(str(problem) for problem in unbookable([asked], centers, posting))
    assert told == (
        'mapping.yaml:CC-1: cost center "CC-1" has no account that its charges are booked on; '
        'add one, such as `gl_account: "6420"`\n'
        'chargeback.yaml:20: "credit_account": there is none for cost centers without an entity, '
        'such as "CC-1"; '
        "give them an `entity`, or name that of all who have none beside this key\n"
        'chargeback.yaml:20: "credit_account": there is none for entity "2000", such as "CC-2"; '
        'add it, as in `"2000": "2999"`\n'
        "chargeback.yaml:21: nothing can be booked on 2026-01-04: the ledger is closed through "
        "2026-01-31; name a later day with --posting-date, or move `closed_through`"
    )


# For every world that can be charged


def postable(result):
    """Give the cost centers of a statement, each with an account of its own."""
    return [
        replace(one.cost_center, gl_account=ACCOUNTS[one.cost_center.code])
        for one in result.invoices
    ]


def net(lines):
    """Add up what is debited, less what is credited, in fractions."""
    return sum((Fraction(line.debit or 0) - Fraction(line.credit or 0) for line in lines), 0)


def by_code(entries):
    sums = defaultdict(Fraction)
    for entry in entries:
        for line in entry.lines:
            if line.cost_center:
                sums[line.cost_center] += net([line])
                assert line.account == ACCOUNTS[line.cost_center]
                assert entry.entity == (HOLDERS[line.cost_center][1] or "9000")
    return {code: amount for code, amount in sums.items() if amount}


def check(entries, most):
    """Hold entries against the laws that hold for each by itself."""
    for entry in entries:
        assert net(entry.lines) == 0
        against = [line for line in entry.lines if not line.cost_center]
        assert len(against) <= 1
        assert all(line.account == "2999" for line in against)
        assert all((line.debit is None) != (line.credit is None) for line in entry.lines)
        assert all((line.debit or line.credit) > 0 for line in entry.lines)
        assert Fraction(entry.control_total) == sum(Fraction(one.debit or 0) for one in entry.lines)
        assert len(entry.reference) == 16 or entry.kind != "charge"
        assert len(entry.reference) <= 16
        assert len(entry.text) <= 25
        assert most is None or len(entry.lines) <= most
    for names in ("key", "number", "reference"):
        assert len({getattr(entry, names) for entry in entries}) == len(entries)
    keys = [line.key for entry in entries for line in entry.lines]
    assert len(set(keys)) == len(keys)
    files = files_of(entries, most)
    assert [entry for file in files for entry in file] == entries
    assert all(sum(len(one.lines) for one in file) <= most for file in files if most)


posting = replace(POSTING, entity="9000")
mosts = st.sampled_from((None, 2, 3, 4))


def invoiced(result):
    return {one.cost_center.code: Fraction(one.amount) for one in result.invoices if one.amount}


def known(entries):
    """Give what a system knows of the first entry of each entity, and the first line of each."""
    heads, lines = {}, {}
    for entry in entries:
        heads.setdefault(entry.entity, (entry.key, entry.reference))
        for line in entry.lines:
            if line.cost_center:
                lines.setdefault(line.cost_center, line.key)
    return heads, lines


@given(chargeable_worlds(), mosts)
@examples(30)
def test_a_cycle_that_is_booked_twice_is_known_however_it_is_taken_apart(drawn, most):
    _, (result, _), _ = drawn
    centers = postable(result)
    whole = journal(charges(result, CLOSED, None), centers, CLOSED, posting)
    cut = journal(charges(result, CLOSED, UNTIL), centers, CLOSED, posting, most)
    assert known(cut) == known(whole)
    months = journal(charges_by_month(result, CLOSED), centers, CLOSED, posting, most)
    (heads, lines), (heads_of_months, lines_of_months) = known(whole), known(months)
    assert all(heads_of_months[entity][0] == key for entity, (key, _) in heads.items())
    assert lines.items() <= lines_of_months.items()


@given(chargeable_worlds(), mosts)
@examples(120)
def test_all_that_is_invoiced_is_booked_and_every_part_balances(drawn, most):
    _, (result, _), _ = drawn
    centers = postable(result)
    vouchers = charges(result, CLOSED, None)
    assert not list(unbookable(vouchers, centers, posting))
    entries = journal(vouchers, centers, CLOSED, posting, most)
    check(entries, most)
    assert by_code(entries) == invoiced(result)


@given(chargeable_worlds(), mosts)
@examples(120)
def test_what_months_book_is_what_is_invoiced(drawn, most):
    _, (result, _), _ = drawn
    entries = journal(charges_by_month(result, CLOSED), postable(result), CLOSED, posting, most)
    check(entries, most)
    assert by_code(entries) == invoiced(result)
    assert {entry.posting_date for entry in entries} <= {date(2025, 12, 31), date(2026, 1, 4)}


@given(chargeable_worlds(), mosts)
@examples(120)
def test_an_accrual_and_its_reversal_come_to_nothing(drawn, most):
    _, (result, _), _ = drawn
    centers = postable(result)
    entries = journal(accrual(result, DRAFT, UNTIL), centers, DRAFT, posting, most)
    check(entries, most)
    assert not by_code(entries)
    months = journal(charges_by_month(result, CLOSED), centers, CLOSED, posting, most)
    december = [entry for entry in months if entry.period == "2025-12"]
    accrued = [entry for entry in entries if entry.kind == "accrual"]
    assert by_code(accrued) == by_code(december)
    assert all("ACCRUAL" in entry.text and "ACCRUAL" in entry.key for entry in entries)
    assert {entry.posting_date for entry in accrued} <= {date(2025, 12, 31)}
    assert {entry.posting_date for entry in entries} <= {date(2025, 12, 31), UNTIL}
