"""Time and memory of the Excel engine beside openpyxl and XlsxWriter: one run, ratios.

    python -m benchmarks.workbook

Each measurement has a process of its own and counts its CPU time, which other work on the machine
changes least. XlsxWriter is not a dependency: where it is not importable, its lines are left out
(the extra `bench` brings it in).
"""

import importlib
import importlib.util
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any, NamedTuple

import openpyxl
from openpyxl.cell import Cell
from openpyxl.chart import BarChart, Reference
from openpyxl.worksheet.worksheet import Worksheet

from benchmarks.processes import peak
from benchmarks.table import Row, left_out

FIELDS = (
    "day",
    "product",
    "org",
    "user",
    "session",
    "cost_center",
    "rule",
    "quantity",
    "unit_price",
    "exact_amount",
)
SHORT, LONG = 1_500, 200_000
SMALL_SHEETS, SMALL_ROWS = 4, 12
PRODUCTS = ("cascade", "devin", "terminal")
DAYS = 31
XLSXWRITER = "XlsxWriter"
STYLES = (
    ".head { font-weight: bold } .text { vertical-align: top } "
    '.amount { number-format: "#,##0.00" } .day { number-format: "yyyy-mm-dd" }'
)
REPEATS = 15

Line = tuple[date | str | Decimal, ...]


def detail(count: int) -> Iterator[Line]:
    """Yield rows as a ledger has them, none of them kept."""
    first, price = date(2025, 12, 5), Decimal("2.00")
    for number in range(count):
        quantity = Decimal(number % 9973) / 1024
        yield (
            first + timedelta(days=number % 31),
            ("devin", "cascade", "terminal")[number % 3],
            f"org-{number % 7:04d}",
            f"user-{number % 300:04d}@acme.example",
            f"devin-{number:012x}",
            f"CC-{1000 + number % 40}",
            f"mapping.yaml:{number % 90}",
            quantity,
            price,
            quantity * price,
        )


def small() -> list[tuple[str, Decimal]]:
    return [(f"Product {number}", Decimal(number) / 4) for number in range(SMALL_ROWS)]


def days() -> list[tuple[date, *tuple[Decimal, ...]]]:
    """Give the rows that the chart stacks."""
    first = date(2025, 12, 5)
    return [
        (
            first + timedelta(days=day),
            *(Decimal(day * 7 + number) for number in range(len(PRODUCTS))),
        )
        for day in range(DAYS)
    ]


def reportgen(count: int) -> bytes:
    from reportgen.documents.content.slots import Slot  # noqa: PLC0415  - only this child process pays for it
    from reportgen.documents.xlsx.workbook import workbook  # noqa: PLC0415  - only this child process pays for it

    lines = "".join(
        f'<tr><td>{name}</td><td class="amount"><data value="{amount}"/></td></tr>'
        for name, amount in small()
    )
    sheets = "".join(
        f'<table title="Sheet {number}">{lines_in(lines)}</table>' for number in range(SMALL_SHEETS)
    )
    classes = {"day": "day", "quantity": "amount", "unit_price": "amount", "exact_amount": "amount"}
    columns = "".join(
        f'<col style="width: 16ch" class="{classes.get(field, "text")}" data-field="{field}"/>'
        for field in FIELDS
    )
    header = "".join(f'<th class="head">{field}</th>' for field in FIELDS)
    xhtml = (
        f"<html><head><title>Benchmark</title><style>{STYLES}</style></head><body>{sheets}{by_day()}"
        f'<table title="Detail" data-table="Detail"><colgroup>{columns}</colgroup>'
        f'<thead><tr>{header}</tr></thead><tbody data-rows="detail"/></table></body></html>'
    )
    slots = {"detail": Slot(FIELDS, detail(count)), "days": Slot(("day", *PRODUCTS), days())}
    return workbook(xhtml, slots)


def by_day() -> str:
    columns = "".join(
        f'<col data-field="{product}" data-series="#1f4e79"/>' for product in PRODUCTS
    )
    header = "".join(f'<th class="head">{name}</th>' for name in ("Day", *PRODUCTS))
    return (
        '<table title="By day" data-orientation="landscape" '
        'data-chart="ACUs by day" data-chart-unit="ACUs">'
        f'<colgroup><col class="day" data-field="day"/>{columns}</colgroup>'
        f'<thead><tr>{header}</tr></thead><tbody data-rows="days"/></table>'
    )


def lines_in(lines: str) -> str:
    header = '<th class="head">Product</th><th class="head">Amount</th>'
    return f"<thead><tr>{header}</tr></thead><tbody>{lines}</tbody>"


def with_openpyxl(count: int) -> bytes:
    """Write with openpyxl's normal mode, its fastest way: styles shared from cell to cell."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for number in range(SMALL_SHEETS):
        sheet = book.create_sheet(f"Sheet {number}")
        sheet.append(("Product", "Amount"))
        for line in small():
            sheet.append(line)
    with_chart(book.create_sheet("By day"))
    sheet = book.create_sheet("Detail")
    sheet.append(FIELDS)
    amount, day = Cell(sheet, row=1, column=1), Cell(sheet, row=1, column=1)
    amount.number_format, day.number_format = "#,##0.00", "yyyy-mm-dd"
    styles = {0: day._style, 7: amount._style, 8: amount._style, 9: amount._style}  # type: ignore[attr-defined]  # noqa: SLF001
    for number, row in enumerate(detail(count), 2):
        for column, value in enumerate(row):
            cell = sheet.cell(number, column + 1, value)
            if column in styles:
                cell._style = styles[column]  # noqa: SLF001
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def with_chart(sheet: Worksheet) -> None:
    """Write the days and the chart with openpyxl's own objects."""
    sheet.append(("Day", *PRODUCTS))
    for row in days():
        sheet.append(row)
    chart = BarChart()
    chart.grouping, chart.overlap, chart.title = "stacked", 100, "ACUs by day"
    last = len(PRODUCTS) + 1
    chart.add_data(
        Reference(sheet, min_col=2, max_col=last, min_row=1, max_row=DAYS + 1),
        titles_from_data=True,
    )
    chart.set_categories(Reference(sheet, min_col=1, min_row=2, max_row=DAYS + 1))
    sheet.add_chart(chart, "F1")


def with_xlsxwriter(count: int) -> bytes:
    """Write with XlsxWriter's constant_memory mode and typed calls."""
    target = BytesIO()
    book = importlib.import_module("xlsxwriter").Workbook(target, {"constant_memory": True})
    amount, day = (
        book.add_format({"num_format": "#,##0.00"}),
        book.add_format({"num_format": "yyyy-mm-dd"}),
    )
    for number in range(SMALL_SHEETS):
        sheet = book.add_worksheet(f"Sheet {number}")
        for line, (name, value) in enumerate([("Product", Decimal(0)), *small()]):
            sheet.write_string(line, 0, name)
            sheet.write_number(line, 1, value, amount)
    with_xlsxwriter_chart(book, day)
    sheet = book.add_worksheet("Detail")
    for column, field in enumerate(FIELDS):
        sheet.write_string(0, column, field)
    for number, row in enumerate(detail(count), 1):
        sheet.write_datetime(number, 0, row[0], day)
        for column in range(1, 7):
            sheet.write_string(number, column, row[column])
        for column in range(7, 10):
            sheet.write_number(number, column, row[column], amount)
    book.close()
    return target.getvalue()


def with_xlsxwriter_chart(book: Any, day: Any) -> None:  # noqa: ANN401 - XlsxWriter is not a dependency
    """Write the days and the chart with XlsxWriter's own objects."""
    sheet, chart = (
        book.add_worksheet("By day"),
        book.add_chart({"type": "column", "subtype": "stacked"}),
    )
    chart.set_title({"name": "ACUs by day"})
    sheet.write_string(0, 0, "Day")
    for column, name in enumerate(PRODUCTS, 1):
        sheet.write_string(0, column, name)
        area, categories = ["By day", 1, column, DAYS, column], ["By day", 1, 0, DAYS, 0]
        chart.add_series({"name": ["By day", 0, column], "categories": categories, "values": area})
    for line, (date_, *quantities) in enumerate(days(), 1):
        sheet.write_datetime(line, 0, date_, day)
        for column, quantity in enumerate(quantities, 1):
            sheet.write_number(line, column, quantity)
    sheet.insert_chart("F1", chart)


WRITERS: dict[str, Callable[[int], bytes]] = {
    "reportgen": reportgen,
    "openpyxl": with_openpyxl,
    XLSXWRITER: with_xlsxwriter,
}


def child(writer: str, count: int) -> None:
    """Print seconds of CPU (median), peak MiB and MiB of the file."""
    times, size = [], 0
    for _ in range(REPEATS if count == SHORT else 1):
        start = time.process_time()
        size = len(WRITERS[writer](count))
        times.append(time.process_time() - start)
    print(statistics.median(times), peak(), size / 2**20)


def measure(writer: str, count: int) -> "Measured":
    command = [sys.executable, "-m", "benchmarks.workbook", writer, str(count)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Measured(*map(float, output.split()))


class Measured(NamedTuple):
    """Seconds of processor, and MiB: at the peak, and of the file."""

    seconds: float
    peak: float
    size: float


def all_measured(count: int) -> dict[str, Measured]:
    """Let every writer that is there write so many rows."""
    there = [
        name for name in WRITERS if name != XLSXWRITER or importlib.util.find_spec("xlsxwriter")
    ]
    return {writer: measure(writer, count) for writer in there}


def rows() -> Iterator[Row]:
    """Hold time and memory against those of others."""
    for count in (SHORT, LONG):
        what, results = f"workbook, {count:,} rows", all_measured(count)
        ours = results["reportgen"]
        for name, least in (("openpyxl", 3), (XLSXWRITER, 1)):
            if name not in results:
                yield left_out(what, name, "pip install 'reportgen[bench]'")
                continue
            theirs, own = results[name].seconds, f"{ours.seconds * 1000:,.0f} ms"
            reference = f"{theirs * 1000:,.0f} ms, {name}"
            yield Row(f"{what}, processor", own, reference, theirs / ours.seconds, least=least)
        if other := results.get(XLSXWRITER):
            reference, ratio = f"{other.peak:.0f} MiB, {XLSXWRITER}", ours.peak / other.peak
            yield Row(f"{what}, peak memory", f"{ours.peak:.0f} MiB", reference, ratio, most=1.2)


def main() -> None:
    print(
        "| rows x 10 | writer | ms | x reportgen | peak MiB | file MiB |\n|---|---|---|---|---|---|"
    )
    for count in (SHORT, LONG):
        results = all_measured(count)
        for writer, (seconds, most, size) in results.items():
            ratio = seconds / results["reportgen"].seconds
            speed = f"{seconds * 1000:,.0f} | {ratio:.1f}"
            print(f"| {count:,} | {writer} | {speed} | {most:.0f} | {size:.2f} |")
    if XLSXWRITER not in results:
        print("\nXlsxWriter is not importable: not measured.")


if __name__ == "__main__":
    child(sys.argv[1], int(sys.argv[2])) if sys.argv[1:] else main()
