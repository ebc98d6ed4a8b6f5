"""Mistakes in the templates of workbooks: each is an error that names it with its fragment."""

import pytest

from reportgen.documents.content.slots import Slot
from reportgen.documents.xlsx.dialect import WorkbookError
from reportgen.documents.xlsx.workbook import workbook
from tests.documents.xlsx.sheets import ROW, page, slot_table, table

HEADER = "<tr><th>A</th><th>B</th></tr>"
CHART, SERIES = 'data-chart="T" data-chart-unit="ACUs"', 'data-series="#1f4e79"'


def chart_table(
    attributes: str, first: str = "", series: str = SERIES, header: str = HEADER
) -> str:
    columns = f'<colgroup><col data-field="a" {first}/><col data-field="b" {series}/></colgroup>'
    return table(f'{columns}<tbody>{header}</tbody><tbody data-rows="detail"/>', f" {attributes}")


MISTAKES = [
    ("<html><head></html>", "not well-formed XML, line 1, column 15: mismatched tag"),
    ("", "not well-formed XML, line 1, column 1: no element found"),
    ("<p/>", "the outermost element is not <html>: <p>"),
    (page("&nosuch;"), "unknown entity"),
    (page(""), "a workbook needs at least one <table>"),
    (page("<p>x</p>"), "<p> has no place in <body>: <p>x"),
    (page(table(ROW.format("<td><b>x</b></td>"))), "<b> has no place in <td>: <b>x"),
    (page(table("stray")), 'text outside a cell, in <table title="S">stray: stray'),
    (page(table(ROW.format('<td clas="a"/>'))), 'unknown attribute clas: <td clas="a">'),
    (
        page(table("", ' data-orientation="across"')),
        "data-orientation is neither portrait nor landscape: ",
    ),
    (page(table("", ' data-freeze="7"')), 'data-freeze is not a cell such as "A7", or "none": '),
    (page(table("", ' data-table="My table"')), "data-table is not a letter followed by letters, "),
    (page(table("", ' data-table="Q42"')), "data-table looks like a cell reference: "),
    (page(table("", f' data-footer="{"x" * 256}"')), "data-footer is longer than 255 characters: "),
    (page("<table/>"), "title is missing: <table>"),
    (page(f'<table title="{"x" * 32}"/>'), "a sheet name is longer than 31 characters: "),
    (page('<table title="a/b"/>'), 'a sheet name holds one of [ ] : * ? / \\: <table title="a/b">'),
    (page('<table title="History"/>'), "Excel does not allow this sheet name: "),
    (
        page('<table title="a"/><table title="A"/>'),
        'two sheets are called "A" (capitals do not count)',
    ),
    (page(table("<thead/><thead/>")), "more than one <thead>: "),
    (
        page(table('<colgroup><col style="width: 3em"/></colgroup>')),
        'style is not "width: <number>ch": ',
    ),
    (page(table('<colgroup><col style="width: 300ch"/></colgroup>')), "width is over 254ch: "),
    (page(table('<tbody><tr style="height: 500pt"/></tbody>')), "height is over 409pt: "),
    (page(table(ROW.format('<td colspan="0"/>'))), "colspan is not a number of columns: "),
    (
        page(table(ROW.format('<td colspan="9999"/>' * 2))),
        "a row has more than 16384 columns: <tr>",
    ),
    (page(table(ROW.format("<td><data/></td>"))), "value is missing: <data>"),
    (
        page(table(ROW.format('<td><data value="1,5"/></td>'))),
        "value is not a plain decimal number: ",
    ),
    (
        page(table(ROW.format('<td><data value="1e5"/></td>'))),
        "value is not a plain decimal number: ",
    ),
    (
        page(table(ROW.format('<td>x<data value="1"/></td>'))),
        "<data> is not alone in its cell: <td>x",
    ),
    (
        page(table(ROW.format('<td><time datetime="5.12.2025"/></td>'))),
        "datetime is not a date such as 2025-12-05",
    ),
    (
        page(table(ROW.format('<td><time datetime="1899-12-31"/></td>'))),
        "Excel has no dates before 1900: ",
    ),
    (
        page(table(ROW.format('<td><output value="0" data-formula="=A1"/></td>'))),
        "data-formula is written without",
    ),
    (page(table(ROW.format('<td><output data-formula="A1"/></td>'))), "value is missing: <output "),
    (
        page(table(ROW.format('<td><a href="javascript:x">y</a></td>'))),
        "href is not an http, https or mailto ",
    ),
    (
        page(table(ROW.format('<td><output value="0" data-formula="SUM({a.b})"/></td>'))),
        "unknown reference {a.b} ",
    ),
    (
        page(table('<tbody data-rows="nosuch"/>')),
        'unknown slot (there are: detail): <tbody data-rows="nosuch">',
    ),
    (
        page(table('<tbody data-rows="detail"/>' * 2)),
        'a slot is used twice: <tbody data-rows="detail">',
    ),
    (page(table('<tbody data-rows="detail"><tr/></tbody>')), "a slot holds rows of its own: "),
    (page(table('<tbody data-rows="detail"/>')), "no <col> has a data-field for the rows of "),
    (
        page(slot_table(("c",))),
        'slot "detail" has no such field (there are: a, b): <col data-field="c">',
    ),
    (
        page(slot_table(("a",), ' data-table="T"')),
        "a native table, filter or chart needs a header row ",
    ),
    (
        page(
            table(HEADER, "")
            .replace("<tr>", "<thead><tr>")
            .replace("</tr>", "</tr></thead>")
            .replace('title="S"', 'title="S" data-filter="on"')
        ),
        "a native table, filter or chart needs exactly one slot: ",
    ),
    (
        page(slot_table(("a", "b"), ' data-table="T"', "<tr><th>A</th></tr>")),
        "column B of a native table has no",
    ),
    (
        page(slot_table(("a", "b"), ' data-table="T"', "<tr><th>A</th><th>a</th></tr>")),
        "two columns of a native",
    ),
    (
        page(
            slot_table(("a", "b"), ' data-table="T"', HEADER).replace(
                '<col data-field="b"/>', '<col/><col data-field="b"/>'
            )
        ),
        "the columns with a data-field are not side by side: ",
    ),
    (
        page(chart_table('data-chart="T"')),
        "a chart needs both data-chart, its title, and data-chart-unit: <table ",
    ),
    (
        page(chart_table('data-chart-unit="ACUs"')),
        "a chart needs both data-chart, its title, and data-chart-unit: ",
    ),
    (
        page(chart_table('data-chart="" data-chart-unit="ACUs"')),
        "a chart needs both data-chart, its title, and ",
    ),
    (page(chart_table("")), "a chart needs both data-chart, its title, and data-chart-unit: "),
    (page(chart_table(CHART, series="")), "a chart needs a <col> with data-series: "),
    (
        page(chart_table(CHART, series='data-series="blue"')),
        "data-series is not a colour such as #1f4e79: <col ",
    ),
    (
        page(chart_table(CHART, first=SERIES)),
        "the first data-field of a chart is its categories, no series: ",
    ),
    (
        page(chart_table(CHART, header="")),
        "a native table, filter or chart needs a header row above its slot: ",
    ),
    (
        page(chart_table(CHART, header="<tr><th> </th><th>B</th></tr>")),
        "the first column of a chart has no header: ",
    ),
    (
        page(chart_table(CHART).replace('<col data-field="b" ', "<col ")),
        "data-series stands without a data-field: ",
    ),
    (
        page(table(ROW.format('<td id="a.b"/>'))),
        "id is not a letter followed by letters, digits or _: <td id=",
    ),
    (
        page(table(ROW.format('<td id="a">1</td><td id="a">2</td>'))),
        'two cells have the id "a": <table title="S">',
    ),
    (
        page(table(ROW.format('<td><output value="0" data-formula="{a}"/></td>'))),
        "unknown reference {a} ",
    ),
    (
        page(table(""), head='<meta name="autor" content="x"/>'),
        "meta name is not one of author, category, created",
    ),
    (
        page(table(""), head='<meta name="created" content="now"/>'),
        'meta created is not an ISO date and time: "now"',
    ),
    (
        page(table(""), head='<meta name="created" content="0001-01-01T00:00+23:00"/>'),
        "meta created is not an ISO",
    ),
    (page(table(""), "td { color: red }"), 'selector is not *, .name or .name.other: "td"'),
    (
        page(table(""), ".a { colour: red }"),
        "unknown property in colour: red (there are: background-color, ",
    ),
    (page(table(""), ".a { color: reddish }"), "unknown value in color: reddish"),
    (
        page(table(""), ".a { color: rgba(0, 0, 0, 0.5) }"),
        "unknown value in color: rgba(0, 0, 0, 0.5)",
    ),
    (page(table(""), ".a { color: rgb(300, 0, 0) }"), "unknown value in color: rgb(300, 0, 0)"),
    (page(table(""), ".a { font-size: 12px }"), "unknown value in font-size: 12px"),
    (page(table(""), ".a { number-format: #,##0 }"), "unknown value in number-format: #,##0"),
    (
        page(table(""), ".a { border-top: 1px solid red }"),
        "unknown value in border-top: 1px solid red",
    ),
    (page(table(""), ".a { color: red !important }"), "not a declaration: "),
    (page(table(""), "@media print { }"), "not a style rule: @media print { }"),
    (page(table(""), ".a"), "not a style rule: EOF reached"),
    (
        page(table(""), ".Sum { color: red } .sum { color: red }"),
        "two classes differ in capitals only: .Sum and ",
    ),
]


@pytest.mark.parametrize(
    ("xhtml", "message"), MISTAKES, ids=[message[:40] for _, message in MISTAKES]
)
def test_a_mistake_is_named_with_its_fragment(xhtml: str, message: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        workbook(xhtml, {"detail": Slot(("a", "b"), [])})
    assert str(caught.value).startswith(message)


def test_two_native_tables_of_one_name_are_refused() -> None:
    sheets = (f'<table title="{name}" data-table="{name.lower()}T"/>' for name in ("Aa", "AA"))
    with pytest.raises(WorkbookError, match="two sheets are called"):
        workbook(page("".join(sheets)), {})
    sheets = (f'<table title="{name}" data-table="T"/>' for name in "ab")
    with pytest.raises(WorkbookError, match='two native tables are called "T"'):
        workbook(page("".join(sheets)), {})


def test_more_rows_than_a_sheet_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reportgen.documents.xlsx.layout._ROWS", 10)
    with pytest.raises(WorkbookError, match="11 rows do not fit on a sheet of 10"):
        workbook(page(slot_table(("a",))), {"detail": Slot(("a",), [("x",)] * 11)})
