"""Time and memory of the Excel engine beside openpyxl and XlsxWriter: one run, ratios.

    python -m benchmarks.workbook

Each measurement has a process of its own. XlsxWriter is not a dependency: where it is not importable, its lines are
left out (`pip install --target /tmp/xlsxwriter XlsxWriter` and PYTHONPATH=/tmp/xlsxwriter bring it in).
"""

import importlib
import importlib.util
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO

import openpyxl
from openpyxl.cell import Cell

FIELDS = ("day", "product", "org", "user", "session", "cost_center", "rule", "quantity", "unit_price", "exact_amount")
SHORT, LONG = 1_500, 200_000
SMALL_SHEETS, SMALL_ROWS = 4, 12
REPEATS = 15

Row = tuple[date | str | Decimal, ...]


def detail(count: int) -> Iterator[Row]:
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


def reportgen(count: int) -> bytes:
    from reportgen.documents.workbook import Slot, workbook  # noqa: PLC0415  - only this child process pays for it

    lines = "".join(
        f'<tr><td>{name}</td><td class="amount"><data value="{amount}"/></td></tr>' for name, amount in small()
    )
    sheets = "".join(f'<table title="Sheet {number}">{lines_in(lines)}</table>' for number in range(SMALL_SHEETS))
    classes = {"day": "day", "quantity": "amount", "unit_price": "amount", "exact_amount": "amount"}
    columns = "".join(
        f'<col style="width: 16ch" class="{classes.get(field, "text")}" data-field="{field}"/>' for field in FIELDS
    )
    header = "".join(f'<th class="head">{field}</th>' for field in FIELDS)
    xhtml = (
        "<html><head><title>Benchmark</title><style>.head { font-weight: bold } .text { vertical-align: top } "
        '.amount { number-format: "#,##0.00" } .day { number-format: "yyyy-mm-dd" }</style></head><body>'
        f'{sheets}<table title="Detail" data-table="Detail"><colgroup>{columns}</colgroup>'
        f'<thead><tr>{header}</tr></thead><tbody data-rows="detail"/></table></body></html>'
    )
    return workbook(xhtml, {"detail": Slot(FIELDS, detail(count))})


def lines_in(lines: str) -> str:
    return f'<thead><tr><th class="head">Product</th><th class="head">Amount</th></tr></thead><tbody>{lines}</tbody>'


def with_openpyxl(count: int) -> bytes:
    """Write with openpyxl's normal mode, its fastest way: styles shared from cell to cell."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for number in range(SMALL_SHEETS):
        sheet = book.create_sheet(f"Sheet {number}")
        sheet.append(("Product", "Amount"))
        for line in small():
            sheet.append(line)
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


def with_xlsxwriter(count: int) -> bytes:
    """Write with XlsxWriter's constant_memory mode and typed calls."""
    target = BytesIO()
    book = importlib.import_module("xlsxwriter").Workbook(target, {"constant_memory": True})
    amount, day = book.add_format({"num_format": "#,##0.00"}), book.add_format({"num_format": "yyyy-mm-dd"})
    for number in range(SMALL_SHEETS):
        sheet = book.add_worksheet(f"Sheet {number}")
        for line, (name, value) in enumerate([("Product", Decimal(0)), *small()]):
            sheet.write_string(line, 0, name)
            sheet.write_number(line, 1, value, amount)
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


WRITERS: dict[str, Callable[[int], bytes]] = {
    "reportgen": reportgen,
    "openpyxl": with_openpyxl,
    "XlsxWriter": with_xlsxwriter,
}


def child(writer: str, count: int) -> None:
    """Print seconds (median), peak MiB and MiB of the file."""
    times, size = [], 0
    for _ in range(REPEATS if count == SHORT else 1):
        start = time.perf_counter()
        size = len(WRITERS[writer](count))
        times.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(statistics.median(times), peak, size / 2**20)


def measure(writer: str, count: int) -> tuple[float, float, float]:
    command = [sys.executable, "-m", "benchmarks.workbook", writer, str(count)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    seconds, peak, size = map(float, output.split())
    return seconds, peak, size


def main() -> None:
    writers = [name for name in WRITERS if name != "XlsxWriter" or importlib.util.find_spec("xlsxwriter")]
    print("| rows x 10 | writer | ms | x reportgen | peak MiB | file MiB |\n|---|---|---|---|---|---|")
    for count in (SHORT, LONG):
        results = {writer: measure(writer, count) for writer in writers}
        for writer, (seconds, peak, size) in results.items():
            ratio = seconds / results["reportgen"][0]
            print(f"| {count:,} | {writer} | {seconds * 1000:,.0f} | {ratio:.1f} | {peak:.0f} | {size:.2f} |")
    if "XlsxWriter" not in writers:
        print("\nXlsxWriter is not importable: not measured.")


if __name__ == "__main__":
    child(sys.argv[1], int(sys.argv[2])) if sys.argv[1:] else main()
