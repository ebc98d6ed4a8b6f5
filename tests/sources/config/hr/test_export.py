"""The HR export as other systems save it, and what the rows of one person come to, day by day."""

from datetime import date, datetime, timedelta
from io import BytesIO
from itertools import product
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from reportgen.core.model import Rule, Share, Split
from reportgen.core.money import ONE
from reportgen.core.problem import Rejected
from reportgen.sources.config.hr import workbook
from reportgen.sources.config.hr.export import HrExport, read_user_file
from reportgen.sources.config.hr.table_file import read_grid
from reportgen.sources.config.schema import UserFileSection

ADA, JUERGEN = "ada@acme.example", "jürgen@acme.example"
HEAD = ["email", "name", "cc", "since"]
ROWS = [
    [ADA, "Ada North", "A", "2025-07-01"],
    [JUERGEN, "Jürgen Weiß – Süd", "B", "2025-12-15"],
]


def section(**options: str) -> UserFileSection:
    keys = {"path": "hr.csv", "user": "email", "cost_center": "cc", "from": "since"} | options
    return UserFileSection.model_validate({key: text for key, text in keys.items() if text})


def export(content: bytes | str, **options: str) -> HrExport:
    """Read an export that has no problem as a whole."""
    read, problems = attempt(content, **options)
    assert [problem for problem in problems if not problem.warning] == []
    assert read is not None
    return read


def attempt(content, **options):
    keys = section(**options)
    data = content if isinstance(content, bytes) else content.encode()
    grid = read_grid(data, "hr.csv", keys.columns(), keys.sheet, "mapping.yaml:9")
    return read_user_file(keys, grid, ["A", "B", "C", "0100"])


def problem(content, **options) -> str:
    """Give the one problem that an export has as a whole."""
    (found,) = attempt(content, **options)[1]
    return str(found)


def text(*rows, head=HEAD, separator=",", end="\r\n") -> str:
    return end.join(separator.join(row) for row in [head, *rows]) + end


def book(*rows, title="Staff", **formats) -> bytes:
    """Save a workbook; `formats` are number formats by the column's letter."""
    saved = Workbook()
    sheet = saved.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for letter, number_format in formats.items():
        for cell in sheet[letter][1:]:
            cell.number_format = number_format
    return stored(saved)


def stored(saved: Workbook) -> bytes:
    target = BytesIO()
    saved.save(target)
    return target.getvalue()


def said(rule: Rule) -> list[tuple[date, str]]:
    """Give what a rule says by day: shares, `none`, nothing (-), or the kind of a flaw."""

    def word(value):
        if value.flaw:
            return value.flaw.kind
        if value.silent:
            return "-"
        shares = value.split.shares if value.split else ()
        return " ".join(f"{share.cost_center}:{share.text}" for share in shares) or "none"

    return [(value.start, word(value)) for value in rule.values]


def of(key: str, read: HrExport) -> list[tuple[date, str]]:
    (rule,) = (rule for rule in read.rules if rule.key == key)
    return said(rule)


def everything(read: HrExport):
    """Give all that does not depend on the order of rows."""
    return {rule.key: said(rule) for rule in read.rules}, dict(read.summary.names)


# How it was saved

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": "cp1252",
}
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
AS_SAID = everything(export(text(*ROWS), name="name"))


@pytest.mark.parametrize(("codec", "separator"), list(product(ENCODINGS, SEPARATORS)))
def test_encoding_and_separator_do_not_matter_and_are_said(codec, separator):
    read = export(text(*ROWS, separator=separator).encode(codec), name="name")
    assert everything(read) == AS_SAID
    usual = codec in {"utf-8", "utf-8-sig"} and separator == ","
    words = f"read as {ENCODINGS[codec]}, separated by {SEPARATORS[separator]}"
    assert read.taken == ("" if usual else words)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("separator", [";", "\t", ":"])
def test_a_first_line_may_name_the_separator(mark, separator):
    first = f"{mark}sep={separator}\r\n"
    read = export(first + text(*ROWS, separator=separator), name="name")
    assert everything(read) == AS_SAID
    assert [rule.source for rule in read.rules] == ["hr.csv:3", "hr.csv:4"]


def test_big_endian_utf_16_with_its_mark():
    content = b"\xfe\xff" + text(*ROWS, separator="\t").encode("utf-16-be")
    assert everything(export(content, name="name")) == AS_SAID


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_separator_in_quotes_separates_nothing(end):
    rows = [ADA, '"North, Ada; the ""first"""', "A", "2025-07-01"]
    for separator in SEPARATORS:
        read = export(text(rows, separator=separator, end=end), name="name")
        assert read.summary.names == {ADA: 'North, Ada; the "first"'}


def test_headings_and_cells_lose_what_nobody_sees():
    head = ["\u200bemail\xa0", "na\u00adme", " cc ", "since\u200e"]
    row = ["\u200bAda\u00ad@Acme.Example \u2060", "Ada", "\ufeffA\xa0", " 2025-07-01"]
    content = text(row, head=head)
    assert of(ADA, export(content)) == [(date(2025, 7, 1), "A:1")]


def test_a_heading_may_be_written_over_two_lines():
    content = 'email,cc,"valid\nfrom"\nada@acme.example,A,2025-07-01\n'
    assert of(ADA, export(content, **{"from": "valid from"})) == [(date(2025, 7, 1), "A:1")]


def test_rows_without_a_value_and_titles_do_not_count():
    content = 'Staff list,,,\n,,,\n"As of 9 January",,,\n\n' + text(*ROWS) + ",,,\n , ,\u200b,\n\n"
    read = export(content, name="name")
    assert everything(read) == AS_SAID
    assert read.taken == "columns named on line 5"
    assert read.summary.rows == 2


def test_rows_of_nobody_are_one_warning():
    rows = [["", f"Worker {number}", "A", ""] for number in range(1200)]
    read, (warning,) = attempt(text(*ROWS, *rows))
    assert len(read.rules) == 2
    assert str(warning).startswith(
        'hr.csv:4: warning: the column "email" is empty in lines 4, 5, 6 and 1197 more; '
    )


def test_what_keeps_excel_from_reading_a_formula_is_undone():
    content = 'email,cc,name\nada@acme.example,="0100",\'=Ada\n'
    read = export(content, name="name", **{"from": ""})
    assert of(ADA, read) == [(date.min, "0100:1")]
    assert read.summary.names == {ADA: "=Ada"}


# Workbooks

NOON = datetime(2025, 7, 1, 12)  # noqa: DTZ001 - a workbook knows no zones


def test_a_workbook_is_read_as_excel_shows_it():
    content = book(
        [*HEAD, "part"],
        [ADA, "Ada", 100, NOON, 0.6],
        [ADA, "Ada", "B", 45839, 0.4],
        C="0000",
        E="0%",
    )
    read = export(content, share="part")
    assert of(ADA, read) == [(date(2025, 7, 1), "0100:0.6 B:0.4")]
    assert read.taken == 'read as a workbook, sheet "Staff"'
    assert read.summary.source == "hr.csv:1"


def test_numbers_and_texts_in_date_columns_of_a_workbook():
    days = [45839, 45839.75, "2025-07-01", "01.07.2025", date(2025, 7, 1), 20250701]
    for written in days:
        assert of(ADA, export(book(HEAD, [ADA, "", "A", written]))) == [(date(2025, 7, 1), "A:1")]


def test_a_workbook_may_count_its_days_from_1904():
    saved = Workbook()
    saved.epoch = CALENDAR_MAC_1904
    saved.active.append(HEAD)
    saved.active.append([ADA, "", "A", 45839 - 1462])
    assert of(ADA, export(stored(saved))) == [(date(2025, 7, 1), "A:1")]


def test_the_first_sheet_that_is_shown_is_read_or_the_one_that_is_named():
    saved = Workbook()
    saved.active.sheet_state = "hidden"
    for title, code in (("Staff", "A"), ("Leavers ", "B")):
        sheet = saved.create_sheet(title)
        sheet.append(HEAD)
        sheet.append([ADA, "", code, ""])
    read = export(stored(saved))
    assert of(ADA, read) == [(date.min, "A:1")]
    assert read.taken == 'read as a workbook, sheet "Staff" (it has 2 more)'
    assert of(ADA, export(stored(saved), sheet="leavers")) == [(date.min, "B:1")]
    with pytest.raises(Rejected, match=r'^mapping\.yaml:9: the workbook has no sheet "Left"; '):
        export(stored(saved), sheet="Left")


def test_what_a_sheet_says_of_its_own_size_is_not_believed():
    changed = rewritten(book(HEAD, [ADA, "", "A", "2025-07-01"]), b'ref="A1:D2"', b'ref="A1:A1"')
    assert of(ADA, export(changed)) == [(date(2025, 7, 1), "A:1")]


@pytest.mark.heavy
def test_a_row_far_below_costs_nothing_and_has_its_number():
    changed = rewritten(
        book(HEAD, [ADA, "", "A", "2025-07-01"]), b'<row r="2"', b'<row r="1000000"'
    )
    (rule,) = export(changed).rules
    assert rule.source == "hr.csv:1000000"


def rewritten(content: bytes, old: bytes, new: bytes) -> bytes:
    """Replace a text in the first sheet of a workbook."""
    target = BytesIO()
    with ZipFile(BytesIO(content)) as read, ZipFile(target, "w", ZIP_DEFLATED) as written:
        for name in read.namelist():
            part = read.read(name)
            if name == "xl/worksheets/sheet1.xml":
                assert old in part
                part = part.replace(old, new)
            written.writestr(name, part)
    return target.getvalue()


@pytest.mark.quick(2)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"</sheetData>", b""),
        (b'<row r="2"', b'<row r="two"'),
        (b'<row r="2"', b'<row r="99999999"'),
        (b"<worksheet", b'<!DOCTYPE x [<!ENTITY a SYSTEM "/etc/hostname">]>&a;<worksheet'),
    ],
)
def test_a_damaged_workbook_is_one_problem(old, new):
    damaged = rewritten(book(HEAD, [ADA, "", "A", ""]), old, new)
    with pytest.raises(Rejected, match=r"^hr\.csv: cannot be read as an \.xlsx workbook; "):
        export(damaged)


def test_a_workbook_that_unpacks_to_too_much_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(workbook, "MOST_UNPACKED", 1000)
    with pytest.raises(Rejected, match=r"^hr\.csv: unpacks to more than 0 MiB; "):
        export(book(HEAD))


# Dates


@pytest.mark.parametrize(
    ("first", "second", "form"),
    [
        ("2025-07-01", "2025-12-15", ""),
        ("2025-7-1", "2025-12-15", ""),
        ("01.07.2025", "15.12.2025", "DD.MM.YYYY"),
        ("1.7.2025", "15.12.2025", "DD.MM.YYYY"),
        ("01/07/2025", "15/12/2025", "DD/MM/YYYY"),
        ("7/1/2025", "12/15/2025", "MM/DD/YYYY"),
        ("01-07-2025", "15-12-2025", "DD-MM-YYYY"),
        ("2025/07/01", "2025/12/15", "YYYY/MM/DD"),
        ("2025.07.01", "2025.12.15", "YYYY.MM.DD"),
        ("20250701", "20251215", "YYYYMMDD"),
    ],
)
@pytest.mark.parametrize(
    "time",
    ["", " 00:00:00", " 0:00", " 12:00:00 AM", "T00:00:00", "T23:59:59.999Z", " 00:00+01:00"],
)
def test_dates_are_read_in_the_form_they_have_without_a_time(first, second, form, time):
    read = export(text([ADA, "", "A", first + time], [ADA, "", "B", second + time]))
    assert of(ADA, read) == [(date(2025, 7, 1), "A:1"), (date(2025, 12, 15), "B:1")]
    assert read.taken == (f"dates as {form}" if form else "")


def test_one_row_tells_the_form_of_all():
    rows = [[f"{name}@acme.example", "", "A", "05/07/2025"] for name in ("bob", "eve")]
    read = export(text(*rows, [ADA, "", "A", "13/12/2025"]))
    assert of("bob@acme.example", read) == [(date(2025, 7, 5), "A:1")]


def test_two_forms_that_agree_on_every_row_are_one():
    assert of(ADA, export(text([ADA, "", "A", "07/07/2025"]))) == [(date(2025, 7, 7), "A:1")]


def test_a_form_that_nothing_tells_is_asked_for_and_obeyed():
    content = text([ADA, "", "A", "07/07/2025"], [ADA, "", "B", "05/12/2025"])
    assert problem(content) == (
        'hr.csv:3: "05/12/2025" is 2025-12-05 as DD/MM/YYYY, but 2025-05-12 as MM/DD/YYYY, '
        "and no row tells which is meant; write `date_format: DD/MM/YYYY` or "
        "`date_format: MM/DD/YYYY` under `user_file`"
    )
    for form, day in (("dd/mm/yyyy", date(2025, 12, 5)), ("M/D/YYYY", date(2025, 5, 12))):
        assert (day, "B:1") in of(ADA, export(content, date_format=form))


def test_the_column_of_last_days_tells_the_form_as_well():
    content = text([ADA, "", "A", "05/07/2025", "13/12/2025"], head=[*HEAD, "to"])
    assert of(ADA, export(content, until="to")) == [
        (date(2025, 7, 5), "A:1"),
        (date(2025, 12, 14), "-"),
    ]


def test_zeros_are_no_date_and_the_year_9999_is_no_end():
    rows = [["a", "A", "00.00.0000", "31.12.9999"], ["b", "A", "", ""]]
    read = export(text(*rows, head=["email", "cc", "since", "to"]), until="to")
    assert of("a", read) == of("b", read) == [(date.min, "A:1")]


def test_a_date_that_is_none_is_a_flaw_of_its_person_alone():
    read = export(text([ADA, "", "A", "2025-07-01"], [ADA, "", "B", "soon"], *ROWS[1:]))
    assert of(ADA, read) == [(date.min, "unreadable")]
    assert of(JUERGEN, read) == [(date(2025, 12, 15), "B:1")]


# The rows of one person

HISTORY = ["email", "cc", "since", "to", "part"]


def history(*rows: str) -> list[tuple[date, str]]:
    """Read rows of a person: cost center, first day, last day, share; `.` is an empty cell."""
    cells = [[ADA, *("" if word == "." else word for word in row.split())] for row in rows]
    return of(ADA, export(text(*cells, head=HISTORY, separator="\t"), until="to", share="part"))


def days(*said_from: str) -> list[tuple[date, str]]:
    """Write what is expected: `2025-07-01 A:1`, and `ever` for the first day there is."""
    split = (one.split(" ", 1) for one in said_from)
    return [(date.min if day == "ever" else date.fromisoformat(day), word) for day, word in split]


PERSONS = {
    "newest first": (
        ["B 2025-12-20 . .", "A 2025-07-01 . ."],
        ["2025-07-01 A:1", "2025-12-20 B:1"],
    ),
    "said again": (["A 2025-07-01 . .", "A 2025-07-01 . ."], ["2025-07-01 A:1"]),
    "without a date, then dated": (["B 2025-12-20 . .", "A . . ."], ["ever A:1", "2025-12-20 B:1"]),
    "a last day counts": (["A 2025-07-01 2025-12-20 ."], ["2025-07-01 A:1", "2025-12-21 -"]),
    "one after the other": (
        ["A 2025-07-01 2025-12-20 .", "B 2025-12-21 . ."],
        ["2025-07-01 A:1", "2025-12-21 B:1"],
    ),
    "a time elsewhere": (
        ["A 2025-07-01 . .", "B 2025-12-10 2025-12-19 ."],
        ["2025-07-01 A:1", "2025-12-10 B:1", "2025-12-20 A:1"],
    ),
    "a gap": (
        ["A 2025-07-01 2025-07-31 .", "B 2025-09-01 . ."],
        ["2025-07-01 A:1", "2025-08-01 -", "2025-09-01 B:1"],
    ),
    "two ends overlap": (
        ["A 2025-07-01 2025-12-20 .", "B 2025-12-20 . ."],
        ["2025-07-01 A:1", "2025-12-20 contradiction", "2025-12-21 B:1"],
    ),
    "two from one day": (["A 2025-07-01 . .", "B 2025-07-01 . ."], ["2025-07-01 contradiction"]),
    "ends before it begins": (["A 2025-07-01 2025-06-30 ."], ["ever unreadable"]),
    "shares": (["A . . 60%", "B . . 40%"], ["ever A:0.6 B:0.4"]),
    "shares without a sign": (["A . . 62,5", "B . . 37.5"], ["ever A:0.625 B:0.375"]),
    "shares of one cost center": (["A . . 30%", "A . . 70%"], ["ever A:1"]),
    "shares said again": (
        ["A . . 60%", "B . . 40%", "A . . 60%", "B . . 40%"],
        ["ever A:0.6 B:0.4"],
    ),
    "shares until the next": (
        ["A 2025-07-01 . 60%", "B 2025-07-01 . 40%", "C 2025-12-20 . 100%"],
        ["2025-07-01 A:0.6 B:0.4", "2025-12-20 C:1"],
    ),
    "shares of 90 %": (["A . . 60%", "B . . 30%"], ["ever shares"]),
    "a share of nothing": (["A . . 100%", "B . . 0%"], ["ever A:1"]),
    "a share that is none": (["A . . half"], ["ever unreadable"]),
    "a share and a whole": (["A . . 60%", "B . . ."], ["ever shares"]),
    "a share for none": (["A . . 60%", "none . . 40%"], ["ever contradiction"]),
    "none": (["none . . ."], ["ever none"]),
    "no cost center": ([". . . ."], ["ever untold"]),
    "no cost center any more": (
        ["A 2025-07-01 . .", ". 2025-12-20 . ."],
        ["2025-07-01 A:1", "2025-12-20 untold"],
    ),
    "a cost center beside none that is told": (["A . . .", ". . . ."], ["ever A:1"]),
    "not declared": (["Z 2025-07-01 . ."], ["2025-07-01 undeclared"]),
    "not declared beside a share": (["A . . 60%", "Z . . 40%"], ["ever undeclared"]),
}


@pytest.mark.parametrize("name", PERSONS)
def test_the_rows_of_a_person(name):
    rows, expected = PERSONS[name]
    assert history(*rows) == days(*expected)
    assert history(*reversed(rows)) == days(*expected)
    assert history(*rows, *rows) == days(*expected)


FIRST = date(2025, 12, 1)
DAY = st.integers(0, 12).map(lambda index: FIRST + timedelta(days=index))
TENURE = st.tuples(st.sampled_from("ABC"), DAY, st.none() | DAY).filter(
    lambda tenure: tenure[2] is None or tenure[1] <= tenure[2]
)


def by_hand(tenures, day):
    """Ask what holds on one day, as docs/configuration tells it."""
    held = [row for row in tenures if row[1] <= day and (row[2] is None or day <= row[2])]
    later = {row[1] for row in held}
    held = [row for row in held if row[2] is not None or row[1] == max(later)]
    codes = {row[0] for row in held}
    return "-" if not codes else "contradiction" if len(codes) > 1 else f"{codes.pop()}:1"


@given(st.lists(TENURE, min_size=1, max_size=5))
def test_every_day_says_what_the_rows_in_force_say(tenures):
    rows = (f"{code} {start} {end or '.'} ." for code, start, end in tenures)
    values = history(*rows)
    for index in range(-1, 15):
        day = FIRST + timedelta(days=index)
        word = next((word for start, word in reversed(values) if start <= day), "-")
        assert word == by_hand(tenures, day), day


def test_two_rows_that_contradict_name_each_other():
    (rule,) = export(text([ADA, "", "A", "2025-07-01"], [ADA, "", "B", "2025-07-01"])).rules
    found = rule.values[0].flaw.problem
    assert (found.source, '"B" here and "A" in hr.csv:2' in found.message) == ("hr.csv:3", True)


def test_a_person_may_be_named_by_id_and_a_split_is_that_of_the_mapping():
    read = export(text([" okta|acme|0042\u200b", "", "A", ""]))
    (rule,) = read.rules
    assert rule.key == "okta|acme|0042"
    assert rule.values[0].split == Split(shares=(Share("A", ONE, "1"),))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("=A1", '"=A1" is a formula or its error, not a cost center'),
        ("#REF!", '"#REF!" is a formula or its error, not a cost center'),
        ("Z", 'cost center "Z" is not declared'),
    ],
)
def test_what_is_no_code_is_said_to_be_what_it_is(code, message):
    (rule,) = export(text([ADA, "", code, "2025-07-01"])).rules
    assert rule.values[0].flaw.problem.message == message


def test_rows_that_are_too_long_are_one_problem():
    longer = [ADA, "", "A", "2025-07-01", "more"]
    told = problem(text(longer, longer, longer))
    assert told.startswith("hr.csv:2: has 5 cells, but there are 4 columns, likewise in lines 3")
