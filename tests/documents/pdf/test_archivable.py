"""What an archive keeps: files that say the same to people and machines, and show no secret."""

import base64
import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import cache
from io import BytesIO
from xml.sax.saxutils import escape

import pikepdf
import pytest
from babel.numbers import format_decimal
from PIL import Image

from reportgen.core.allocating.directory import numbered, with_answered
from reportgen.core.model import Directory
from reportgen.core.written.privacy import redacted
from reportgen.documents.content.attachments import attachments
from reportgen.documents.render import draw
from reportgen.documents.tasks import Task, tasks_of
from tests.documents import grove
from tests.documents.pdf.pdfa import check
from tests.poppler import text_of
from tests.weight import heavy_but

CODES = {"R-1": "en", "S-2": "zh", "T-3": "ja", "Z-9": "en"}
"""Every cost center, and the locale of its documents."""
CONTACT = "office@beech.example"
SVG_LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 60">'
    '<rect width="200" height="60" rx="8" fill="#1f4e79" fill-opacity="0.5"/>'
    '<text x="20" y="40" font-size="30" fill="#fff" font-family="Liberation Sans">Beech</text>'
    "</svg>"
)


def png_logo() -> bytes:
    """Draw a picture of 40 x 12 pixels, half of it half transparent."""
    picture = Image.new("RGBA", (40, 12), (31, 78, 121, 255))
    picture.paste((224, 132, 43, 128), (20, 0, 40, 12))
    target = BytesIO()
    picture.save(target, "PNG")
    return target.getvalue()


@cache
def derived():
    centers = tuple(
        replace(center, locale=CODES[center.code], contacts=(CONTACT,)) for center in grove.CENTERS
    )
    return grove.derived(centers=centers)


@cache
def everybody() -> Directory:
    changes = derived().statement.variance.by_cost_center.values()
    left = {principal for found in changes for principal in (*found.new, *found.vanished)}
    return numbered(with_answered(derived().directory, left, ()), "secret")


def tasks(users: str = "names", **changed: object) -> Iterator[tuple[Task, object]]:
    statement, known = redacted(derived().statement, everybody(), users)
    design = replace(grove.design(), users=users, **changed)
    return (
        (task, design)
        for task in tasks_of(
            statement, known, design, attachments(statement, known, design.tie_out)
        )
    )


@cache
def documents(users: str = "names") -> dict[str, bytes]:
    """Draw everything, people shown in one of the ways."""
    return {task.path: draw(task, design) for task, design in tasks(users)}


def drawn(code: str, **changed: object) -> bytes:
    return next(
        draw(task, design) for task, design in tasks(**changed) if task.path.endswith(f"{code}.pdf")
    )


def invoice(code: str) -> bytes:
    (found,) = [content for path, content in documents().items() if path.endswith(f"{code}.pdf")]
    return found


def embedded(content: bytes) -> dict[str, bytes]:
    with pikepdf.open(BytesIO(content)) as document:
        return {name: found.get_file().read_bytes() for name, found in document.attachments.items()}


# Archivable


@pytest.mark.heavy
@pytest.mark.parametrize("path", [task.path for task, _ in tasks() if task.path.endswith(".pdf")])
def test_every_pdf_is_built_as_an_archive_wants_it(path):
    (task,) = [task for task, _ in tasks() if task.path == path]
    kind = path.partition("/")[0]
    names = {
        "invoices": ("invoice.json", "usage.csv"),
        "statement.pdf": ("statement.json", "tie_out.csv"),
    }.get(kind, ())
    media = {".json": "application/json", ".csv": "text/csv"}
    with pikepdf.open(BytesIO(documents()[path])) as document:
        title = str(document.docinfo["/Title"])
        assert str(document.docinfo["/Author"]) == "Beech & Partners"
    assert re.search("R-1|S-2|T-3|Z-9|Dec 29, 2025", title)
    check(
        documents()[path],
        tagged=True,
        attachments={name: media[name[name.index(".") :]] for name in names},
        title=title,
        language=task.locale,
    )


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize(
    "logo",
    [
        f"data:image/svg+xml;base64,{base64.b64encode(SVG_LOGO.encode()).decode()}",
        f"data:image/png;base64,{base64.b64encode(png_logo()).decode()}",
    ],
    ids=["svg", "png"],
)
def test_a_logo_is_drawn_and_described(logo):
    content = drawn("R-1", logo=logo)
    media = {"invoice.json": "application/json", "usage.csv": "text/csv"}
    title = "Chargeback invoice CB-2025-12-29-R-1"
    check(content, tagged=True, attachments=media, title=title, language="en")
    with pikepdf.open(BytesIO(content)) as document:
        figures = [
            item
            for item in document.objects
            if isinstance(item, pikepdf.Dictionary) and item.get("/S") == "/Figure"
        ]
        assert str(figures[0].Alt) == "Beech & Partners"


# People and machines


def amounts(value: object) -> Iterator[str]:
    """Find every `amount` and `…_amount`; exact amounts are not what is charged."""
    if isinstance(value, dict):
        for key, found in value.items():
            if isinstance(found, str) and key.endswith("amount") and key != "exact_amount":
                yield found
            yield from amounts(found)
    elif isinstance(value, list):
        for found in value:
            yield from amounts(found)


@pytest.mark.heavy
@pytest.mark.parametrize(("code", "locale"), CODES.items())
def test_every_amount_of_the_attachment_is_read_on_the_pages(code, locale):
    values = json.loads(embedded(invoice(code))["invoice.json"])
    text = text_of(invoice(code))
    found = list(amounts(values))
    assert len(found) > 10
    for amount in found:
        decimals = len(amount.partition(".")[2])
        pattern = "#,##0" + (f".{'0' * decimals}" if decimals else "")
        shown = format_decimal(Decimal(amount), format=pattern, locale=locale)
        assert re.search(rf"(?<![\d.,]){re.escape(shown)}(?![\d])", text), (
            f"{amount} is not on {code}"
        )


@pytest.mark.heavy
@pytest.mark.parametrize("code", CODES)
def test_the_attachment_is_the_cost_centers_object_of_the_statement(code):
    own = json.loads(embedded(invoice(code))["invoice.json"])
    whole = json.loads(embedded(documents()["statement.pdf"])["statement.json"])
    assert own["cost_center"] == next(
        found for found in whole["cost_centers"] if found["code"] == code
    )
    assert own["tie_out"] == whole["tie_out"], "as `tie_out: full` has it"
    assert {key: own[key] for key in ("enterprise", "status", "cycle", "currency")} == {
        key: whole[key] for key in ("enterprise", "status", "cycle", "currency")
    }


@pytest.mark.heavy
@pytest.mark.parametrize("code", CODES)
def test_the_attached_usage_makes_the_lines(code):
    content = embedded(invoice(code))
    lines = json.loads(content["invoice.json"])["cost_center"]["lines"]
    sums: dict = {}
    for row in csv.DictReader(io.StringIO(content["usage.csv"].decode(), newline="")):
        key = row["kind"], row["product"], row["unit_price"] or None
        acus, exact = sums.get(key, (Decimal(0), Decimal(0)))
        sums[key] = acus + Decimal(row["quantity"]), exact + Decimal(row["exact_amount"])
    wanted = {
        (line["kind"], line["product"], line["unit_price"]): (line["acus"], line["exact_amount"])
        for line in lines
        if line["kind"] in {"usage", "unallocated"}
    }
    assert sums.keys() == wanted.keys()
    for key, (acus, exact) in wanted.items():
        assert (sums[key][0], round(sums[key][1], 10)) == (Decimal(acus), Decimal(exact))


# Long details


@pytest.mark.heavy
def test_a_detail_beyond_the_bound_is_left_to_attachment_and_workbook():
    long, short = drawn("R-1", most_detail_rows=1), drawn("R-1", most_detail_rows=0)
    rows = len(embedded(long)["usage.csv"].splitlines()) - 1
    for content in (long, short):
        text = " ".join(text_of(content).split())
        assert f"The detail has {rows} rows, more than are printed." in text
        assert "Dec 29: " not in text
        assert embedded(content)["usage.csv"] == embedded(invoice("R-1"))["usage.csv"]
    assert any("Dec 29: 7.25" in described for described in descriptions(invoice("R-1")))
    assert without_mark(drawn("R-1", most_detail_rows=rows)) == without_mark(invoice("R-1"))


def descriptions(content: bytes) -> list[str]:
    """Give what pictures say to those who cannot see them."""
    with pikepdf.open(BytesIO(content)) as document:
        parts = [part for part in document.objects if isinstance(part, pikepdf.Dictionary)]
        told = [str(part["/Alt"]) for part in parts if "/Alt" in part]
    return [one.replace("\N{NO-BREAK SPACE}", " ") for one in told]


def without_mark(content: bytes) -> str:
    """Give the text of a draft but for its mark, which stands for what it is drawn with as well."""
    return " ".join(re.sub(r"\bdraft [0-9a-f]{8}\b", "draft", text_of(content)).split())


# Privacy


def secrets() -> set[str]:
    """List every name, e-mail and id of somebody, and who receives the documents."""
    entries = everybody().entries.items()
    words = {
        word
        for principal, entry in entries
        for word in (principal.id, entry.email, entry.name)
        if word
    }
    return words | {CONTACT}


def everything(path: str, content: bytes) -> Iterator[bytes]:
    """Yield every byte of a document: packed and unpacked, and as it is read."""
    yield content
    if path.endswith(".xlsx"):
        with zipfile.ZipFile(BytesIO(content)) as package:
            yield from map(package.read, package.namelist())
    elif path.endswith(".pdf"):
        yield text_of(content).encode()
        with pikepdf.open(BytesIO(content)) as document:
            for item in document.objects:
                if isinstance(item, pikepdf.Stream):
                    yield item.read_bytes()
                yield item.unparse(resolved=True)


def written(word: str) -> set[bytes]:
    """Give the ways in which a word can be written in a file."""
    ways = {word, escape(word), json.dumps(word)[1:-1], json.dumps(word, ensure_ascii=False)[1:-1]}
    plain = {way.encode() for way in ways}
    wide = word.encode("utf-16-be")
    return plain | {
        wide,
        wide.hex().encode(),
        wide.hex().upper().encode(),
        word.encode().hex().encode(),
    }


def told(users: str) -> set[str]:
    """Give the secrets that any document of an enterprise tells."""
    return {
        word
        for path, content in documents(users).items()
        for part in everything(path, content)
        for word in secrets()
        if any(way in part for way in written(word))
    }


@pytest.mark.heavy
@pytest.mark.parametrize("users", heavy_but(1, ["pseudonyms", "none"]))
def test_redacted_documents_tell_nobody(users):
    assert told(users) == set()


@pytest.mark.heavy
def test_the_search_finds_what_is_there():
    used = {
        entry.name or principal.id
        for found in derived().statement.invoices
        for row in found.detail
        for principal, entry in everybody().entries.items()
        if principal.id == row.principal_id
    }
    assert used | {CONTACT} <= told("names")


@pytest.mark.heavy
def test_pseudonyms_are_the_same_in_all_parts_of_an_invoice():
    content = next(
        found for path, found in documents("pseudonyms").items() if path.endswith("R-1.pdf")
    )
    parts = embedded(content)
    rows = list(csv.DictReader(io.StringIO(parts["usage.csv"].decode(), newline="")))
    ids = {row["principal_id"] for row in rows if row["principal_id"]}
    assert ids
    assert all(re.fullmatch(r"(service-)?user-\d+", found) for found in ids)
    assert all(found in text_of(content) for found in ids)
    assert {found for row in rows for found in (row["email"], row["name"])} == {""}


@pytest.mark.heavy
def test_nobody_at_all_leaves_the_figures():
    content = next(found for path, found in documents("none").items() if path.endswith("R-1.pdf"))
    text = text_of(content)
    assert "Usage by user" not in text
    assert "Detail of usage" in text
    rows = list(csv.DictReader(io.StringIO(embedded(content)["usage.csv"].decode(), newline="")))
    assert {row["principal_kind"] + row["principal_id"] for row in rows} == {""}
    own = json.loads(embedded(content)["invoice.json"])["cost_center"]
    assert sum(Decimal(row["quantity"]) for row in rows) == Decimal(own["acus"])
    assert own["variance"]["new"] == own["variance"]["vanished"] == []
