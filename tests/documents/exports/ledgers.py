"""Readers of journals, one for each system, written from what is documented of it alone.

Each gives the documents that the system would book. What a system needs and cannot read raises.
Where the layouts are described: docs/exports.md.
"""

import csv
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from itertools import groupby
from operator import itemgetter


@dataclass
class Booked:
    """A document as a system books it; lines are (account, cost center, amount, text)."""

    key: str
    entity: str
    day: date
    currency: str
    text: str
    lines: list[tuple[str, str, Decimal, str]] = field(default_factory=list)
    control: Decimal | None = None
    proof: str = ""


def records(content):
    """Read RFC 4180: every record ends with CRLF, and no text begins like a formula."""
    text = content.decode("utf-8")
    assert not text.startswith("\ufeff")
    assert text == "" or text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n") == text.count("\r")
    rows = list(csv.reader(StringIO(text, newline=""), strict=True))
    assert not [cell for row in rows for cell in row if cell[:1] in {"=", "+", "-", "@", "\t"}]
    return rows


def table(content):
    header, *rows = records(content)
    assert all(len(row) == len(header) for row in rows)
    return [dict(zip(header, row, strict=True)) for row in rows]


def amount(debit, credit):
    """Give what is debited, less what is credited; exactly one of them is written."""
    assert bool(debit) != bool(credit), (debit, credit)
    value = Decimal(debit or credit)
    assert value > 0
    return value if debit else -value


def gathered(rows, name, head, line):
    """Make a document of rows that lie next to each other and have the same name."""
    groups = [(key, list(held)) for key, held in groupby(rows, itemgetter(name))]
    assert len({key for key, _ in groups}) == len(groups), "a document is in pieces"
    documents = []
    for _, held in groups:
        first = head(held[0])
        assert all(head(row) == first for row in held), "a head differs between rows"
        first.lines = [line(row) for row in held]
        documents.append(first)
    return documents


def generic(content):
    def head(row):
        assert row["period"] == row["posting_date"][:7]
        return Booked(
            row["key"],
            row["entity"],
            date.fromisoformat(row["posting_date"]),
            row["currency"],
            row["text"],
            control=Decimal(row["control_total"]),
            proof=row["supporting_document"],
        )

    def line(row):
        signed = amount(row["debit"], row["credit"])
        return row["account"], row["cost_center"], signed, row["line_key"]

    return gathered(table(content), "key", head, line)


# Oracle: the table GL_INTERFACE, whose columns are loaded by their places. Segments are those of a
# chart of accounts that begins with entity, cost center and account.
ORACLE = {
    "STATUS": 1,
    "LEDGER_ID": 2,
    "ACCOUNTING_DATE": 3,
    "USER_JE_SOURCE_NAME": 4,
    "USER_JE_CATEGORY_NAME": 5,
    "CURRENCY_CODE": 6,
    "DATE_CREATED": 7,
    "ACTUAL_FLAG": 8,
    "SEGMENT1": 9,
    "SEGMENT2": 10,
    "SEGMENT3": 11,
    "SEGMENT30": 38,
    "ENTERED_DR": 39,
    "ENTERED_CR": 40,
    "REFERENCE1": 43,
    "REFERENCE4": 46,
    "REFERENCE5": 47,
    "REFERENCE6": 48,
    "REFERENCE7": 49,
    "REFERENCE10": 52,
    "REFERENCE21": 53,
    "LEDGER_NAME": 92,
}
ORACLE_LENGTHS = {"REFERENCE1": 100, "REFERENCE4": 100, "REFERENCE5": 240, "REFERENCE6": 100}


def oracle_fbdi(content):
    rows = [
        {name: cells[place - 1] for name, place in ORACLE.items()} for cells in records(content)
    ]
    for row in rows:
        assert (row["STATUS"], row["ACTUAL_FLAG"]) == ("NEW", "A")
        assert row["USER_JE_SOURCE_NAME"]
        assert row["USER_JE_CATEGORY_NAME"]
        assert row["REFERENCE1"] == row["REFERENCE4"]
        assert not row["REFERENCE7"], "Oracle would reverse it once more"
        assert not (row["LEDGER_ID"] and row["LEDGER_NAME"])
        assert not row["LEDGER_ID"] or row["LEDGER_ID"].isdigit()
        assert all(len(row[name]) <= longest for name, longest in ORACLE_LENGTHS.items())
        datetime.strptime(row["DATE_CREATED"], "%Y/%m/%d")  # noqa: DTZ007

    def head(row):
        day = datetime.strptime(row["ACCOUNTING_DATE"], "%Y/%m/%d").date()  # noqa: DTZ007
        return Booked(
            row["REFERENCE4"],
            row["SEGMENT1"],
            day,
            row["CURRENCY_CODE"],
            row["REFERENCE5"],
            proof=row["REFERENCE6"],
        )

    def line(row):
        signed = amount(row["ENTERED_DR"], row["ENTERED_CR"])
        return row["SEGMENT3"], row["SEGMENT2"], signed, row["REFERENCE21"]

    return gathered(rows, "REFERENCE4", head, line)


def netsuite(content):
    def head(row):
        day = datetime.strptime(row["Date"], "%m/%d/%Y").date()  # noqa: DTZ007
        memo = row["Memo"]
        return Booked(row["External ID"], row["Subsidiary"], day, row["Currency"], memo, proof=memo)

    def line(row):
        signed = amount(row["Debit"], row["Credit"])
        return row["Account"], row["Department"], signed, row["Line Memo"]

    documents = gathered(table(content), "External ID", head, line)
    assert all(len(document.lines) >= 2 for document in documents), "an entry has two lines"
    return documents


def dynamics365(content):
    """Read the entity "General journal"; the file is imported in one company."""

    def head(row):
        assert row["ACCOUNTTYPE"] == "Ledger"
        assert row["JOURNALNAME"]
        assert len(row["DESCRIPTION"]) <= 60
        assert len(row["VOUCHER"]) <= 20
        assert len(row["DOCUMENT"]) <= 20
        company = row["ACCOUNTDISPLAYVALUE"].split("|")[0]
        day = date.fromisoformat(row["TRANSDATE"])
        return Booked(
            row["VOUCHER"],
            company,
            day,
            row["CURRENCYCODE"],
            row["DESCRIPTION"],
            proof=row["DOCUMENT"],
        )

    def line(row):
        _, cost_center, account = row["ACCOUNTDISPLAYVALUE"].split("|")
        assert len(row["TEXT"]) <= 60
        return account, cost_center, amount(row["DEBITAMOUNT"], row["CREDITAMOUNT"]), row["INVOICE"]

    documents = gathered(table(content), "JOURNALBATCHNUMBER", head, line)
    numbers = [row["LINENUMBER"] for row in table(content)]
    expected = [str(number) for one in documents for number in range(1, len(one.lines) + 1)]
    assert numbers == expected
    assert len({document.entity for document in documents}) <= 1, "one company a file"
    return documents


def workday(content):
    def head(row):
        assert row["CompanyReferenceIDType"] == "Company_Reference_ID"
        assert row["LedgerType"] == "ACTUALS"
        assert row["JournalSource"]
        return Booked(
            row["JournalKey"],
            row["CompanyReferenceID"],
            date.fromisoformat(row["AccountingDate"]),
            row["Currency"],
            row["JournalEntryMemo"],
            control=Decimal(row["ControlTotalAmount"]),
            proof=row["JournalEntryMemo"],
        )

    def line(row):
        assert row["LedgerAccountReferenceIDType"] == "Ledger_Account_ID"
        assert row["LineCurrency"] == row["Currency"]
        return (
            row["LedgerAccountReferenceID"],
            row["Worktag_Cost_Center_Reference_ID"],
            amount(row["DebitAmount"], row["CreditAmount"]),
            row["LineExternalReferenceID"],
        )

    return gathered(table(content), "JournalKey", head, line)


def sap(content):
    """Read the upload of general journal entries: columns by their technical names."""
    rows = iter(records(content))
    assert next(rows) == ["Upload General Journal Entry"]
    assert next(rows) == ["Batch ID"]
    documents = []
    for cells in rows:
        if cells[1:2] == ["Header"]:
            assert cells[0] == str(len(documents) + 1)
            documents.append(_sap_document(rows))
        elif cells[1:2] == ["Line Items"]:
            names = next(rows)
            next(rows)  # the names in words
        elif cells:
            documents[-1].lines.append(_sap_line(dict(zip(names, cells, strict=True)), documents))
    assert all(len(document.lines) <= 999 for document in documents)
    for document in documents:
        document.proof = " ".join(text for *_, text in document.lines)
    return documents


def _sap_document(rows):
    names, _, cells = next(rows), next(rows), next(rows)
    head = dict(zip(names, cells, strict=True))
    assert len(head["BUKRS"]) <= 4
    assert len(head["BLART"]) == 2
    assert len(head["BKTXT"]) <= 25
    assert len(head["XBLNR"]) <= 16
    assert head["BLDAT"] == head["BUDAT"]
    day = datetime.strptime(head["BUDAT"], "%Y%m%d").date()  # noqa: DTZ007
    return Booked(head["XBLNR"], head["BUKRS"], day, head["WAERS"], head["BKTXT"])


def _sap_line(line, documents):
    assert line["BUKRS"] == documents[-1].entity
    assert len(line["HKONT"]) <= 10
    assert len(line["KOSTL"]) <= 10
    assert len(line["SGTXT"]) <= 50
    assert len(line["ZUONR"]) <= 18
    return line["HKONT"], line["KOSTL"], amount(line["WRSOL"], line["WRHAB"]), line["SGTXT"]


READERS = {
    "generic": generic,
    "oracle-fbdi": oracle_fbdi,
    "netsuite": netsuite,
    "dynamics365": dynamics365,
    "workday": workday,
    "sap": sap,
}
