"""Tables for Excel: separators of the language, texts that stay texts, amounts that add up."""

import csv
from collections import defaultdict
from decimal import Decimal
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from reportgen.core.problem import Rejected
from reportgen.documents.exports.spreadsheet import kept_as_text, sheets_of
from tests.core.test_laws import chargeable_worlds
from tests.documents.exports.materials import material_of, of_grove, written
from tests.examples import examples
from tests.office import convert

NAMES = {"ledger", "invoice_lines", "tie_out", "unallocated", "by_organization"}
SIGNS = {
    "en": (",", "."),
    "de": (";", ","),
    "fr_CA": (";", ","),
    "de_CH": (";", "."),
    "ja": (",", "."),
}


def tables(files, separator=",", decimal="."):
    """Read files as Excel does in a language: a mark, its separator, its decimal sign."""
    read = {}
    for name, content in files.items():
        assert content.startswith(b"\xef\xbb\xbf")
        text = content.decode("utf-8-sig")
        rows = list(csv.DictReader(StringIO(text, newline=""), delimiter=separator, strict=True))
        for row in rows:
            assert None not in row
            assert not [cell for cell in row.values() if cell[:1] in {"=", "+", "@", "\t"}]
            for column in ("acus", "amount", "unit_price"):
                if column in row:
                    assert row[column].count(decimal) <= 1
                    row[column] = row[column].replace(decimal, ".")
        read[name.removesuffix(".csv")] = rows
    return read


@pytest.mark.parametrize(("locale", "signs"), SIGNS.items())
def test_separators_are_those_of_the_language(locale, signs):
    read = tables(written("csv", of_grove(), excel=True, locale=locale), *signs)
    assert read.keys() == NAMES
    assert any("." in row["amount"] for row in read["invoice_lines"])
    assert all(Decimal(row["acus"]) != 0 for row in read["ledger"])


def test_everything_is_there_but_the_columns_of_proof():
    excel = tables(written("csv", of_grove(), excel=True))
    plain = written("csv", of_grove())
    for name, content in plain.items():
        rows = list(csv.DictReader(StringIO(content.decode(), newline="")))
        mine = excel[name.removesuffix(".csv")]
        assert len(rows) == len(mine)
        assert not mine[0].keys() & {"exact_amount", "rounding"}
        for row, other in zip(rows, mine, strict=True):
            same = row.keys() & other.keys()
            assert {key: row[key] for key in same} == {
                key: other[key] if other[key] == row[key] else other[key].removeprefix("'")
                for key in same
            }


@pytest.mark.parametrize(
    ("text", "locale", "kept"),
    [
        ("0042", "en", "'0042"),
        ("6420", "en", "6420"),
        ("1234567890123456", "en", "'1234567890123456"),
        ("1/3", "en", "'1/3"),
        ("0.6", "en", "0.6"),
        ("0.6", "de", "'0.6"),
        ("1E5", "en", "'1E5"),
        ("4100-10-01", "en", "'4100-10-01"),
        ("2025-12-05", "de", "2025-12-05"),
        ("5%", "en", "'5%"),
        ("SEP-1", "en", "'SEP-1"),
        ("MAR1", "en", "'MAR1"),
        ("Mai 2", "de", "'Mai 2"),
        ("1-Dez", "de", "'1-Dez"),
        ("TRUE", "en", "'TRUE"),
        ("=cmd|' /C calc'!A0", "en", "'=cmd|' /C calc'!A0"),
        ("@SUM(1)", "en", "'@SUM(1)"),
        ("-2+3", "en", "'-2+3"),
        ("CC-1001", "en", "CC-1001"),
        ("mapping.yaml:12", "en", "mapping.yaml:12"),
        ("Marketing", "en", "Marketing"),
        ("May & Co", "en", "May & Co"),
        ("August", "en", "August"),
        ("", "en", ""),
    ],
)
def test_a_text_stays_what_it_is(text, locale, kept):
    assert kept_as_text(text, sheets_of(locale)) == kept


def test_an_unknown_locale_is_told():
    with pytest.raises(Rejected) as refused:
        written("csv", of_grove(), excel=True, locale="klingon")
    assert str(refused.value).startswith('--locale: "klingon" is not a locale')


def test_suggestions_are_for_those_who_may_see_names():
    shown = {
        users: tables(written("csv", of_grove(users=users), excel=True))["unallocated"]
        for users in ("names", "pseudonyms", "none")
    }
    assert any(row["id"] for row in shown["names"])
    assert not any(row["suggestion"] for users in ("pseudonyms", "none") for row in shown[users])


GERMAN = "Text - txt - csv (StarCalc):59,34,76,1,,1031,false,true"
"""Semicolons, quotes, UTF-8, from the first line on, in German, numbers and days found out."""


@pytest.mark.heavy
def test_a_german_spreadsheet_finds_numbers_days_and_texts(tmp_path):
    path = tmp_path / "invoice_lines.csv"
    path.write_bytes(written("csv", of_grove(), excel=True, locale="de")["invoice_lines.csv"])
    plain = written("csv", of_grove())["invoice_lines.csv"].decode()
    book = load_workbook(convert(path, "xlsx", tmp_path, GERMAN))
    header, *rows = book.active.iter_rows(values_only=True)
    assert header[0] == "cycle"
    expected = list(csv.DictReader(StringIO(plain, newline="")))
    assert len(rows) == len(expected)
    for cells, row in zip(rows, expected, strict=True):
        read = dict(zip(header, cells, strict=True))
        assert Decimal(str(read["amount"])) == Decimal(row["amount"])
        assert read["billing_period"].date().isoformat() == row["billing_period"]
        for column in ("cost_center", "kind", "share", "invoice"):
            assert (read[column] or "").removeprefix("'") == row[column]


@given(chargeable_worlds(), st.sampled_from(("en", "de")))
@examples(60)
def test_amounts_of_the_ledger_make_the_lines_of_usage(drawn, locale):
    world, found, _ = drawn
    material = material_of(world, found)
    read = tables(written("csv", material, excel=True, locale=locale), *SIGNS[locale])
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in read["ledger"]:
        amount = Decimal(row["amount"])
        assert -amount.as_tuple().exponent == world.card.decimals
        sums[row["cost_center"], row["kind"]] += amount
    for row in read["invoice_lines"]:
        if row["kind"] in {"usage", "unallocated"}:
            sums[row["cost_center"], row["kind"]] -= Decimal(row["amount"])
    nobody = sums.pop(("", "unallocated"), Decimal())
    assert nobody == found.result.tie_out.unborne_amount
    assert not any(sums.values())
    assert sum(Decimal(row["acus"]) for row in read["ledger"]) == sum(
        one.quantity for one in world.parts
    )
