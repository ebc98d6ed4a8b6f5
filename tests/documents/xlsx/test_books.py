"""The workbooks of the built-in templates: sheets, lists, words, charts, computed formulas."""

import re
import subprocess
import zipfile
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

import openpyxl
import pypdf
import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from reportgen.core.model import Price
from reportgen.core.written.privacy import redacted
from reportgen.derive import Derived, Inputs, derive
from reportgen.documents.render import draw
from reportgen.documents.tasks import Design, tasks_of
from tests.documents import beech, grove
from tests.office import convert, convert_all
from tests.weight import long_but

INVOICES = ("R-1", "S-2", "T-3", "Z-9")
LISTS = {
    "Cost centers",
    "By product",
    "By user",
    "By day",
    "By month",
    "Unallocated",
    "By department",
    "By entity",
    "Changed cost center",
    "What it bought",
}
NATIVE = {"Detail", "Lines", "Tie-out by day"}
HUGE = Decimal("98765432109.0123456789")
WRONG = "1234.5"
MUST_BE_ZERO = "zero|Diff|须为零|差异|ゼロ"


def drawn(path: str, derived: Derived, design: Design | None = None) -> bytes:
    """Draw a workbook found by the end of its path."""
    design = design or grove.design()
    shown = redacted(derived.statement, derived.directory, design.users)
    (task,) = [task for task in tasks_of(*shown, design) if task.path.endswith(f"{path}.xlsx")]
    return draw(task, design)


@cache
def rich(path: str) -> bytes:
    return drawn(path, grove.derived())


def in_language(path: str, language: str) -> bytes:
    centers = tuple(replace(center, locale=None) for center in grove.CENTERS)
    return drawn(path, grove.derived(centers=centers), replace(grove.design(), locale=language))


def without_people(path: str) -> bytes:
    return drawn(path, grove.derived(), replace(grove.design(), users="none"))


@cache
def read(content: bytes) -> Workbook:
    return openpyxl.load_workbook(BytesIO(content))


def rows(sheet: Worksheet) -> list[tuple]:
    return list(sheet.iter_rows(min_row=2, values_only=True))


# Sheets


def test_sheets_come_in_the_order_of_the_contract() -> None:
    after = ["By product", "By user", "By day", "By month", "Change", "Detail"]
    assert read(rich("R-1")).sheetnames == ["Invoice", *after, "What it bought", "Tie-out"]
    plain = drawn("Z-9", beech.derived(), beech.design())
    assert read(plain).sheetnames == [
        "Invoice",
        "By product",
        "By user",
        "By day",
        "Detail",
        "What it bought",
        "Tie-out",
    ]
    subtotals = ["By department", "By entity", "By month"]
    assert read(rich("statement")).sheetnames == [
        *("Statement", "Cost centers", "Lines", *subtotals, "Unallocated"),
        *("Changed cost center", "By day", "Tie-out by day", "What it bought", "Tie-out"),
    ]


@pytest.mark.quick(2)
@pytest.mark.parametrize("path", [*INVOICES, "statement"])
def test_every_list_can_be_filtered_and_keeps_its_header_in_sight_and_in_print(path) -> None:
    book = read(in_language(path, "en"))
    others = {"Invoice", "Change", "Tie-out", "What it bought"}
    if path == "statement":
        others = {"Statement", "Tie-out"}
    lists = [sheet for sheet in book.worksheets if sheet.title not in others]
    assert {sheet.title for sheet in lists} <= LISTS | NATIVE
    assert len(lists) >= len(others)
    for sheet in lists:
        assert (sheet.freeze_panes, sheet.print_title_rows) == ("A2", "$1:$1")
        assert bool(sheet.tables) == (sheet.title in NATIVE)
        assert bool(sheet.auto_filter.ref) == (sheet.title in LISTS)
        assert {table.tableStyleInfo.name for table in sheet.tables.values()} <= {
            "TableStyleLight1"
        }
    for sheet in book.worksheets:
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
    assert book.worksheets[0].freeze_panes is None


def test_products_are_the_lines_of_usage_and_their_totals_are_formulas_over_them() -> None:
    sheet = read(rich("R-1"))["By product"]
    *lines, total = rows(sheet)
    (invoice,) = [
        found for found in grove.derived().statement.invoices if found.cost_center.code == "R-1"
    ]
    expected = [line for line in invoice.lines if line.kind == "usage"]
    assert [(row[0], Decimal(str(row[7]))) for row in lines] == [
        (line.product, line.amount) for line in expected
    ]
    assert [row[5] + row[6] for row in lines] == pytest.approx([row[7] for row in lines])
    assert sum(row[3] for row in lines) == pytest.approx(1, abs=1e-8)
    area = "'By product'!${0}$2:${0}$3"
    assert [total[index] for index in (2, 5, 6)] == [
        f"=SUM({area.format(letter)})" for letter in "CFG"
    ]
    assert total[7] == f"=ROUND(SUM({area.format('H')}),2)"


# Words


def test_lists_say_kinds_in_the_language_of_the_document() -> None:
    book = read(in_language("S-2", "zh"))
    assert {row[2] for row in rows(book["按用户"])[:-1]} == {"用户"}
    assert {row[5] for row in rows(book["用量明细"])} == {"用量"}
    lines = rows(read(in_language("statement", "ja"))["請求明細行"])
    assert {row[2] for row in lines} == {"利用", "未配賦", "手数料", "振替", "共有費用"}
    assert {row[6] for row in lines} == {None, "利用料に比例して配分"}


def test_lines_of_the_statement_name_counterpart_and_share() -> None:
    found = [row[:8] for row in rows(read(rich("statement"))["Lines"])]
    pool = ("Pool", None, "Tooling", "T-3", "in proportion to usage charges", 0.4436)
    assert ("R-1", "Research & Development", *pool) in found
    assert ("S-2", "上海研发中心", "Transfer", None, "Ticket 4711", "R-1", None, None) in found
    assert (
        "R-1",
        "Research & Development",
        "Fee",
        None,
        "Premium support",
        None,
        None,
        0.025,
    ) in found


def test_no_row_leaves_open_whose_it_is() -> None:
    book = read(drawn("Z-9", beech.derived(), beech.design()))
    assert ("No known user or organization", "Unknown") in [
        (row[0], row[2]) for row in rows(book["By user"])
    ]
    assert all(row[2] for row in rows(book["Detail"]))
    users = {row[0] for row in rows(book["By user"])[:-1]}
    assert {row[2] for row in rows(book["Detail"])} == users
    statement = read(rich("statement"))
    assert [row[0] for row in rows(statement["By month"])][-2:] == [
        "Fees, transfers and shared costs",
        "Total",
    ]
    assert [row[0] for row in rows(statement["By department"])][-2:] == ["No department", "Total"]


def test_where_nobody_may_be_recognised_there_is_no_list_of_people() -> None:
    book = read(without_people("R-1"))
    assert "By user" not in book.sheetnames
    headers = [cell.value for cell in book["Detail"][1]]
    assert headers == [
        "Billing day",
        "Product",
        "Organization",
        "Kind",
        "ACUs",
        "Unit price",
        "Exact amount",
    ]
    said = " ".join(
        str(row) for sheet in book.worksheets for row in sheet.iter_rows(values_only=True)
    )
    assert "ada@beech.example" in " ".join(str(row) for row in rows(read(rich("R-1"))["By user"]))
    assert not re.search("ada@|Ada Brennan|Lefèvre", said)


# Charts


COLOURS = {"cascade": "1F4E79", "devin": "9CC5E8", "review": "E0842B"}


def test_days_are_drawn_in_the_colours_of_the_documents() -> None:
    for path, products in (
        ("R-1", ["cascade", "devin"]),
        ("statement", ["cascade", "devin", "review"]),
    ):
        sheet = read(rich(path))["By day"]
        (chart,) = sheet._charts
        assert [cell.value for cell in sheet[1]] == ["Billing day", *products, "ACUs"]
        assert [series.spPr.solidFill.srgbClr for series in chart.series] == [
            COLOURS[product] for product in products
        ]
        assert {series.cat.numRef.f for series in chart.series} == {"'By day'!$A$2:$A$6"}
        assert chart.anchor._from.col > sheet.max_column - 1


def test_an_invoice_without_usage_has_no_chart() -> None:
    book = read(rich("T-3"))
    assert [sheet._charts for sheet in book.worksheets] == [[]] * len(book.worksheets)
    assert [cell.value for cell in book["By day"][1]] == ["Billing day", "ACUs"]


# LibreOffice


def spoiled(content: bytes, target: Path) -> None:
    """Write a workbook with a wrong value beside every formula."""
    with zipfile.ZipFile(BytesIO(content)) as source, zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            wrong = rf"\g<1>{WRONG}\2".encode()
            copy.writestr(name, re.sub(rb"(</f><v>)[^<]*(</v>)", wrong, source.read(name)))


def computed(path: Path) -> dict[str, Worksheet]:
    """Give what stands beside the formulas of a workbook."""
    return {sheet.title: sheet for sheet in openpyxl.load_workbook(path, data_only=True).worksheets}


BOOKS = {
    **{code: lambda code=code: rich(code) for code in (*INVOICES, "statement")},
    "Japanese": lambda: in_language("statement", "ja"),
    "nobody": lambda: without_people("R-1"),
    "recovered": lambda: drawn("R-1", grove.derived(recover=True)),
    "recovered statement": lambda: drawn("statement", grove.derived(recover=True)),
    "beech": lambda: drawn("Z-9", beech.derived(), beech.design()),
    "beech statement": lambda: drawn("statement", beech.derived(), beech.design()),
}


COMPUTED = tuple(BOOKS)[:3]
PLACES = (("Detail", 9), ("By product", 7), ("By product", 8))


@pytest.fixture(scope="module")
def recomputed(tmp_path_factory) -> dict[str | tuple[str, int], dict[str, Worksheet]]:
    """Let LibreOffice compute spoiled workbooks, and those of which one line was changed."""
    folder = tmp_path_factory.mktemp("recomputed")
    names = (*COMPUTED, "line", *PLACES)
    paths = [folder / f"{number}.xlsx" for number, _ in enumerate(names)]
    for name, path in zip(names, paths, strict=True):
        if name in BOOKS:
            spoiled(BOOKS[name](), path)
        else:
            changed(name).save(path)
    made = convert_all(paths, "xlsx", folder / "out")
    return dict(zip(names, map(computed, made), strict=True))


def changed(place: str | tuple[str, int]) -> Workbook:
    """Make one amount another, of a line of the statement or in a place of an invoice."""
    if place == "line":
        book = openpyxl.load_workbook(BytesIO(rich("statement")))
        (row,) = [cell.row for cell in book["Lines"]["E"] if cell.value == "Premium support"]
        book["Lines"].cell(row, 13).value += 1
        return book
    book = openpyxl.load_workbook(BytesIO(rich("R-1")))
    title, column = place
    book[title].cell(2, column).value += 1
    return book


@pytest.mark.heavy
@pytest.mark.parametrize("book", long_but(len(COMPUTED), BOOKS))
def test_libreoffice_corrects_every_wrong_value_and_computes_every_check_to_zero(
    book, recomputed, tmp_path
) -> None:
    content, target = BOOKS[book](), tmp_path / "book.xlsx"
    spoiled(content, target)
    again = recomputed.get(book) or computed(convert(target, "xlsx", tmp_path / "out"))
    wrong = computed(target)
    target.write_bytes(content)
    built = computed(target)
    formulas = [
        (sheet.title, cell.coordinate)
        for sheet in read(content).worksheets
        for row in sheet
        for cell in row
        if cell.data_type == "f"
    ]
    assert len(formulas) > 15
    for title, position in formulas:
        assert wrong[title][position].value == float(WRONG)
        expected = built[title][position].value
        assert again[title][position].value == pytest.approx(expected, abs=1e-6), (title, position)
    proof = list(again.values())[-1]
    checks = [
        row for row in proof.iter_rows(values_only=True) if re.search(MUST_BE_ZERO, str(row[0]))
    ]
    assert [row[1:3] for row in checks] == [(0, 0)] * len(checks)
    assert len(checks) >= 3


@pytest.mark.heavy
def test_a_line_that_is_not_what_was_built_is_found(recomputed) -> None:
    """The checks of the statement are no constants: another amount is a difference in each."""
    proof = recomputed["line"]["Tie-out"]
    wrong = {
        row[0] for row in proof.iter_rows(values_only=True) if "zero" in str(row[0]) and row[1]
    }
    assert {word.split(" ")[0] for word in wrong} == {"Exact", "Departments", "Entities", "Months"}


@pytest.mark.heavy
@pytest.mark.parametrize("place", PLACES)
def test_a_row_of_an_invoice_that_is_not_what_was_built_is_found(place, recomputed) -> None:
    proof = recomputed[place]["Tie-out"]
    checks = {row[0]: row[1] for row in proof.iter_rows(values_only=True)}
    assert abs(checks["Detail + rounding − usage charges: must be zero"]) == 1


@pytest.mark.heavy
@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("path", ["R-1", "statement"])
def test_columns_are_wide_enough_for_amounts_of_twelve_digits(language, path, printed) -> None:
    pages = pypdf.PdfReader(printed[path, language, "expensive"]).pages
    text = " ".join(page.extract_text() for page in pages)
    assert re.search(r"\d{3},\d{3},\d{3},\d{3}\.\d\d", text)
    assert "##" not in text


@cache
def expensive() -> Derived:
    """Derive the cycle with prices that make amounts of twelve digits."""
    centers = tuple(replace(center, locale=None, cycle_budget=HUGE) for center in grove.CENTERS)
    prices = {product: (Price(date.min, HUGE, ""),) for product in ("devin", "cascade")}
    configuration = beech.configuration()
    mapping = replace(configuration.mapping, cost_centers=centers, pools=(grove.POOL,))
    inputs = Inputs(
        configuration=replace(configuration, mapping=mapping, rate_card=grove.card(prices=prices)),
        cycle=grove.CYCLE,
        responses=grove.responses(grove.FOURTH_DAY),
        source="responses.jsonl",
        earlier=grove.earlier(),
    )
    return derive(inputs)


# Long texts, and several prices

NOTE = (
    "Questions on a line of this invoice go to the finance partners of your department, "
    "who know it. " * 5
)[:480]
NOTES = {
    "en": NOTE,
    "capitals": NOTE.upper(),
    "ja": (
        "本請求書の明細に関するご質問は、各部門の経理担当者(EXT. 1234)までお問い合わせください。"
        * 11
    )[:480],
    "ko": ("이 청구서에 대한 문의는 각 부서의 재무 담당자에게 해 주시기 바랍니다. " * 13)[:480],
}
NAME = (
    "東京本社第二開発事業部クラウド基盤技術統括グループ自動化推進室"
    "品質保証および継続的改善担当チーム長期保守運用契約管理一課"
)
PRODUCT = (
    "Cascade Autonomous Refactoring and Migration Assistant for Regulated Enterprise Code, 2026"
)
XHTML = {"h": "http://www.w3.org/1999/xhtml"}


@cache
def long() -> Derived:
    """Derive the cycle with long names, two that differ at their ends, and devin at two prices."""
    centers = tuple(
        replace(found, name=NAME, locale=None) for found in grove.CENTERS if found.code == "R-1"
    )
    devin = (Price(date.min, Decimal(2), ""), Price(date(2026, 1, 1), Decimal("1.6025"), ""))
    other = (Price(date.min, Decimal("1.75"), ""),)
    prices = {"devin": devin, PRODUCT: other, PRODUCT.replace("2026", "2027"): other}
    configuration = beech.configuration()
    mapping = replace(configuration.mapping, cost_centers=(*centers, *grove.CENTERS[1:]))
    card = grove.card(prices=prices, contract="Order form of 2025-11-01", fees=(), transfers=())
    return derive(
        Inputs(
            configuration=replace(configuration, mapping=mapping, rate_card=card),
            cycle=grove.CYCLE,
            responses={
                request: replace(
                    found,
                    body=found.body.replace("cascade", PRODUCT).replace(
                        "review", PRODUCT.replace("2026", "2027")
                    ),
                )
                for request, found in grove.responses(grove.FOURTH_DAY).items()
            },
            source="responses.jsonl",
        )
    )


def drawn_long(path: str, language: str = "en", note: str = NOTE) -> bytes:
    return drawn(path, long(), replace(grove.design(), locale=language, note=note))


LONG = (
    *(("R-1", "en", "en"), ("R-1", "en", "capitals"), ("R-1", "ja", "ja")),
    *(("R-1", "zh", "ko"), ("statement", "en", "en"), ("statement", "ja", "ja")),
)
WIDE = tuple(
    (path, language, "expensive") for path in ("R-1", "statement") for language in ("en", "ja")
)


@pytest.fixture(scope="module")
def printed(tmp_path_factory) -> dict[tuple[str, str, str], Path]:
    """Let LibreOffice print workbooks with long texts, and with amounts of twelve digits."""
    folder = tmp_path_factory.mktemp("printed")
    paths = [folder / f"{number}.xlsx" for number, _ in enumerate((*LONG, *WIDE))]
    for (path, language, note), target in zip((*LONG, *WIDE), paths, strict=True):
        design = replace(grove.design(), locale=language)
        target.write_bytes(
            drawn_long(path, language, NOTES[note])
            if note in NOTES
            else drawn(path, expensive(), design)
        )
    return dict(zip((*LONG, *WIDE), convert_all(paths, "pdf", folder), strict=True))


class Box(NamedTuple):
    """A word of a page and where it stands."""

    word: str
    left: float
    top: float
    right: float
    bottom: float

    def covers(self, other: "Box") -> bool:
        """Tell whether words are printed over each other, by more than a letter that is cut."""
        high = min(self.bottom - self.top, other.bottom - other.top)
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across > high and down > 0.25 * high


def pages_of(pdf: Path) -> list[list[Box]]:
    command = ["pdftotext", "-bbox", str(pdf), "-"]
    told = subprocess.run(command, capture_output=True, check=True).stdout
    sides = ("xMin", "yMin", "xMax", "yMax")
    pages = ET.fromstring(told).iterfind(".//h:page", XHTML)  # noqa: S314
    return [
        [_box(word, [float(word.get(side, "")) for side in sides]) for word in page]
        for page in pages
    ]


def _box(word: ET.Element, sides: list[float]) -> Box:
    left, top, right, bottom = sides
    return Box(word=word.text or "", left=left, top=top, right=right, bottom=bottom)


@pytest.mark.heavy
@pytest.mark.parametrize(("path", "language", "note"), LONG)
def test_long_texts_are_printed_whole_and_over_nothing(path, language, note, printed) -> None:
    pdf = printed[path, language, note]
    for page in pages_of(pdf):
        assert [(one, other) for one, other in combinations(page, 2) if one.covers(other)] == []
    command = ["pdftotext", "-raw", "-l", "1", str(pdf), "-"]
    first = "".join(
        subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
    )
    expected = [NOTES[note], NAME, PRODUCT] if path == "R-1" else [PRODUCT]
    assert [text for text in expected if "".join(text.split()) not in first] == []


def test_products_of_long_names_are_told_apart_by_their_ends() -> None:
    sheet = read(drawn_long("statement"))["By day"]
    names = [cell.value for cell in sheet[1]][1:-1]
    assert names == ["Cascade Aut…e Code, 2026", "Cascade Aut…e Code, 2027", "devin"]
    assert [cell.value for cell in read(drawn_long("statement"))["Statement"]["A"][10:12]] == [
        PRODUCT,
        PRODUCT.replace("2026", "2027"),
    ]


def test_lines_of_one_product_say_from_when_until_when_their_prices_were() -> None:
    book = read(drawn_long("R-1"))
    said = [cell.value for cell in book["Invoice"]["A"]]
    assert said[said.index(PRODUCT) :][:3] == [
        PRODUCT,
        "devin · Dec 29 – Dec 30",
        "devin · Jan 1 – Jan 1",
    ]
    assert "Prices: Order form of 2025-11-01" in said
    listed = [
        (row[0], *(day and str(day)[:10] for day in row[2:4]), row[6])
        for row in rows(book["By product"])[:-1]
    ]
    assert listed == [
        (PRODUCT, None, None, 1.75),
        ("devin", "2025-12-29", "2025-12-30", 2),
        ("devin", "2026-01-01", "2026-01-01", 1.6025),
    ]
    assert "First billing day" not in [cell.value for cell in read(rich("R-1"))["By product"][1]]


@pytest.mark.parametrize(
    ("path", "sheets"), [("R-1", ("Invoice", "By product", "Detail")), ("statement", ("Lines",))]
)
def test_unit_prices_of_a_column_have_as_many_decimals(path, sheets) -> None:
    book = read(drawn_long(path))
    for title in sheets:
        cells = [cell for row in book[title] for cell in row if cell.style == "price"]
        assert {cell.value for cell in cells} == {1.75, 2, 1.6025}, title
        assert {cell.number_format for cell in cells} == {"#,##0.0000"}


HEIGHTS = {
    "R-1": {
        1: 26,  # the title
        5: 42,  # the name of the cost center, on three lines of 14 points
        16: 28,  # headers have two
        17: 28,  # the name of a product, on two
        28: 70,  # the note, on five
    },
    "statement": {1: 26, 10: 28, 11: 28, 12: 28},
}
"""The points of the rows of the first sheet that are not one line; all others have only headers."""


@pytest.mark.quick(2)
@pytest.mark.parametrize("language", ["en", "ja", "zh"])
@pytest.mark.parametrize("path", HEIGHTS)
def test_every_row_is_as_high_as_its_cells_that_wrap(path, language) -> None:
    first, *lists = map(heights, read(drawn_long(path, language)).worksheets)
    assert first == HEIGHTS[path]
    bought = [one for one in lists if one != {1: 28}]  # what is counted stands below it
    if path == "statement":
        long_note = 28 if language in {"en", "zh"} else 42
        assert bought == [{1: 42, 9: long_note}]
    else:
        assert bought == [{1: 28, 6: 28}]


def heights(sheet: Worksheet) -> dict[int, float]:
    return {number: row.height for number, row in sheet.row_dimensions.items() if row.height}


# Who

NOT_PEOPLE = [
    ("No known user or organization", "–", "Unknown"),
    ("Lab 研究", "org-lab", "Organization"),
]
IDENTITIES = {
    "names": [
        ("=Bot", "u|bot", "User"),
        ("Continuous integration", "service-user-ci", "Service user"),
        *NOT_PEOPLE,
    ],
    "pseudonyms": [
        ("user-3", "user-3", "User"),
        ("service-user-1", "service-user-1", "Service user"),
        *NOT_PEOPLE,
    ],
}


@pytest.mark.parametrize("users", ["names", "pseudonyms"])
def test_nobody_is_without_an_identity(users) -> None:
    derived = beech.derived()
    numbered = {
        one: replace(entry, number=number)
        for number, (one, entry) in enumerate(sorted(derived.directory.entries.items()), 1)
    }
    derived = replace(derived, directory=replace(derived.directory, entries=numbered))
    book = read(drawn("Z-9", derived, replace(beech.design(), users=users)))
    listed = [row[:3] for row in rows(book["By user"])[:-1]]
    assert sorted(listed) == sorted(IDENTITIES[users])
    assert {row[2:4] for row in rows(book["Detail"])} == {row[:2] for row in listed}
