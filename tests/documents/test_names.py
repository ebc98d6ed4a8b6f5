"""Names as an identity provider takes them: each is drawn, read back and kept in a cell."""

import re
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from io import BytesIO

import openpyxl
import pytest

from reportgen.core.model import Entry, Principal
from reportgen.core.problem import Problem, Rejected
from reportgen.documents.render import draw, drawn, render
from reportgen.documents.tasks import tasks_of
from tests.documents import beech
from tests.poppler import text_of

ADA = Principal("user", "u|ada")
RIGHT_TO_LEFT = re.compile("[\u0590-\u06ff]")
CODED = re.compile("_(?=x[0-9A-F]{4}_)")
"""What Excel reads as a character, and openpyxl as it stands."""
NAMES = {
    "combining marks": "Jose\u0301 Nu\u0303n\u0303ez Bj\u00f8rn A\u030angstro\u0308m",
    "a mark without a letter": "\u0301Ada",
    "Vietnamese": "Nguyễn Thị Hồng Ánh",
    "Hebrew": "דנה לוי",
    "Hebrew and Latin": "דנה Levi (QA)",
    "Arabic": "ليلى حداد",
    "Korean": "김민준",
    "Japanese": "渡辺 さくら",
    "Chinese": "陈静",
    "Greek, Cyrillic": "Ελένη Ольга",
    "markup": "<b>&amp;</b> \"Q\" 'A' \\ ]]>",
    "a formula": "=cmd|' /C calc'!A0",
    "a coded letter": "_x0041_ R&D_x000D_",
    "an override that is never closed": "\u202eAda",
    "joiners and marks that take no room": "A\u200bd\u200da\u2060 \ufeffB\u00ad",
    "spaces": "Ada\u00a0\u2009Brennan",
    "long": "Wolfeschlegelsteinhausenbergerdorff " * 3,
    "without a break": "x" * 110,
}
CONTROLS = {
    "a control character": ("Ada\x00\x0b\x1b Brennan", "Ada\ufffd\ufffd\ufffd Brennan"),
    "a lone surrogate": ("Ada \ud83d Brennan", "Ada \ufffd Brennan"),
    "what XML excludes": ("Ada \ufffe Brennan", "Ada \ufffd Brennan"),
}


def documents(name: str) -> dict[str, bytes]:
    """Draw the invoice that shows one person, under a name."""
    derived, design = beech.derived(), beech.design()
    directory = replace(
        derived.directory,
        entries={
            **derived.directory.entries,
            ADA: Entry(principal=ADA, email="ada@beech.example", name=name),
        },
    )
    tasks = tasks_of(derived.statement, directory, design)
    return {task.path[-4:]: draw(task, design) for task in tasks if "R-1" in task.path}


raw = partial(text_of, order="-raw")


def letters(text: str) -> str:
    """Give what is seen, in one form; readers of PDF differ in spaces and composed letters."""
    seen = (
        sign
        for sign in unicodedata.normalize("NFKC", text)
        if unicodedata.category(sign) not in {"Cf", "Zs", "Cc"}
    )
    return "".join(seen)


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize("kind", NAMES)
def test_a_name_is_drawn_and_kept(kind):
    name = NAMES[kind]
    found = documents(name)
    drawn, wanted = letters(raw(found[".pdf"])), letters(name)
    if RIGHT_TO_LEFT.search(wanted):  # readers give it in the order of reading or of the page
        assert all(drawn.count(sign) >= wanted.count(sign) for sign in set(wanted))
    elif kind == "an override that is never closed":
        assert wanted in drawn or wanted[::-1] in drawn
    else:
        assert wanted in drawn
    assert ".notdef" not in drawn
    assert CODED.sub("_x005F_", name).strip() in {cell.strip() for cell in cells(found["xlsx"])}


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize(
    "name", ["Wolfeschlegelsteinhausenbergerdorff " * 300, "x" * 10_000], ids=["words", "one word"]
)
def test_a_name_that_would_fill_pages_is_cut_on_paper_alone(name):
    found = documents(name)
    text = raw(found[".pdf"])
    assert f"{letters(name[:119])}..." in letters(text)
    assert letters(name[:130]) not in letters(text)
    assert text.count("\f") <= 3
    assert name.strip() in {cell.strip() for cell in cells(found["xlsx"])}


@pytest.mark.heavy
def test_what_is_cut_says_nothing_of_what_was(tmp_path):
    """Two names that are cut: what a reader copies of one is no part of the other."""
    names = "Ada " + "Brennan-Schwarzenberg " * 40, "Chloé " + "Apolline de la Tour " * 40
    derived, design = beech.derived(), beech.design()
    people = [
        principal for principal in derived.directory.entries if principal.id in {"u|ada", "u|chloe"}
    ]
    entries = {
        principal: Entry(principal=principal, email=f"{index}@x", name=name)
        for index, (principal, name) in enumerate(zip(people, names, strict=True))
    }
    directory = replace(derived.directory, entries={**derived.directory.entries, **entries})
    task = next(
        task
        for task in tasks_of(derived.statement, directory, design)
        if task.path.endswith("R-1.pdf")
    )
    text = letters(raw(draw(task, design)))
    for name in names:
        assert f"{letters(name[:119])}..." in text
    assert text.count("...") == len(re.findall("[A-Za-z-][.]{3}", text))


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize("kind", CONTROLS)
def test_what_xml_cannot_carry_is_shown_as_such(kind):
    name, shown = CONTROLS[kind]
    found = documents(name)
    assert letters(shown) in letters(raw(found[".pdf"]))
    assert shown in cells(found["xlsx"])


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("name", "shown", "points"),
    [
        ("Adlam \U0001e900", "Adlam \ufffd", "U+1E900"),
        ("Tag \U000e0041 \U0001f1e6", "Tag", "U+1F1E6"),
        ("Private \ue123", "Private \ufffd", "U+E123"),
        ("Unassigned \u0378", "Unassigned \ufffd", "U+0378"),
        ("\U000f0000\U000f0001 Plane", "\ufffd\ufffd Plane", "U+F0000 and U+F0001"),
    ],
)
def test_a_box_never_reaches_a_page(name, shown, points):
    """On paper U+FFFD stands for the character, and a warning says whose it is."""
    (warning,) = documents_told(name)
    assert warning.warning
    assert warning.source == "invoices/CB-2025-12-05-R-1.pdf"
    assert f"the fonts cannot draw {points} in " in warning.message.replace("U+E0041 and ", "")
    assert ", the name of user u|ada: U+FFFD stands for it on paper" in warning.message
    found = documents(name)
    assert shown in raw(found[".pdf"])
    assert name in cells(found["xlsx"])


def documents_told(name: str) -> list[Problem]:
    """Give the warnings about the documents of one person, under a name."""
    return told({"u|ada": name})


def told(names: dict[str, str]) -> list[Problem]:
    """Render a cycle in which people have names, and give the warnings."""
    derived, design = beech.derived(), beech.design()
    entries = {
        principal: replace(entry, name=names.get(principal.id, entry.name))
        for principal, entry in derived.directory.entries.items()
    }
    assert set(names) <= {principal.id for principal in entries}
    tasks = tasks_of(derived.statement, replace(derived.directory, entries=entries), design)
    warnings: list[Problem] = []
    invoices = [task for task in tasks if task.path.startswith("invoices/")]
    with ThreadPoolExecutor(1) as executor:
        assert len(dict(render(invoices, design, executor, warnings))) == len(invoices) == 6
    return warnings


@pytest.mark.heavy
def test_every_text_that_cannot_be_drawn_is_told_of_every_document():
    """Two people in two documents, one of them with two letters that no font has."""
    warnings = told({"u|ada": "Adlam \U0001e900\U0001e901", "u|na": "Unassigned \u0378"})
    assert [(one.source, one.message.partition(" in ")[0]) for one in warnings] == [
        ("invoices/CB-2025-12-05-R-1.pdf", "the fonts cannot draw U+1E900 and U+1E901"),
        ("invoices/CB-2025-12-05-S-2.pdf", "the fonts cannot draw U+0378"),
    ]


def test_products_whose_names_cannot_be_told_apart_stay_apart():
    """Each keeps its row, whatever is drawn for it."""
    statement = beech.derived().statement
    products = sorted(statement.control_by_product)
    names = {product: chr(0x1F680 + number) for number, product in enumerate(products)}
    control = {names[product]: acus for product, acus in statement.control_by_product.items()}
    rows = tuple(row._replace(product=names[row.product]) for row in statement.tie_out_rows)
    changed = replace(statement, control_by_product=control, tie_out_rows=rows, invoices=())
    task, *_ = tasks_of(changed, beech.derived().directory, beech.design())
    text = raw(drawn(task, beech.design()).content)
    assert len(re.findall("^\ufffd [0-9.]+ [0-9.]+%", text, re.MULTILINE)) == len(products)


def cells(workbook: bytes) -> set[str]:
    book = openpyxl.load_workbook(BytesIO(workbook))
    return {
        cell.value
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(cell.value, str)
    }


def test_the_template_is_named_where_no_field_has_it():
    task = beech.task("R-1.pdf")
    template = "<html lang='en'><head><title>T</title></head><body><p>\u0378</p></body></html>"
    design = beech.design(invoice_html_j2=template)
    with pytest.raises(Rejected) as caught:
        draw(task, design)
    assert (
        caught.value.problems[0].message == 'the fonts cannot draw U+0378 in "\\u0378", '
        "from the template invoice.html.j2, or the logo"
    )
