"""What `invoice:` in chargeback.yaml decides, from the key to the bytes that are handed out.

Nobody is looked for by what the program holds to be a secret: the words are those of the world
that was recorded.
"""

import csv
import io
import json
import re
import subprocess
import zipfile
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from html import escape
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from samples.acme import world
from tests.poppler import text_of
from tests.scenarios.job import (
    DECEMBER,
    INVOICE,
    NOVEMBER,
    Job,
    contents,
    decorated,
    once,
    pages,
    plain,
    small,
)
from tests.scenarios.small_world import small_world
from tests.weight import heavy_but

CONTACT = "owner.of.platform@acme.example"
TABLES = "ledger.csv", "unallocated.csv", "by_organization.csv"
INTERNAL = ("inputs/", *TABLES, "statement.json")
"""What stays with whoever charges; everything else in a cycle's folder is handed out."""
LOGOS = {
    "logo.svg": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 30">'
    '<path d="M0 0H90V30H0" fill="#0af"/></svg>',
    "logo.png": "",
}
CHARGED = ("A-1", "B-2", "Z-9")


# Jobs


def with_setting(folder: Path, setting: str) -> Job:
    """Write the small configuration with one setting of documents."""
    job = small(folder)
    with (job.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write(f"invoice: {{{setting}}}\n")
    return job


def shown_as(users: str) -> Callable[[Path], None]:
    """Run November, whose documents but the invoices have a line, then December beside it."""

    def make(folder: Path) -> None:
        job = with_setting(folder, f"users: {users}")
        job.edit("mapping.yaml", "{name: Platform}", f"{{name: Platform, contacts: [{CONTACT}]}}")
        assert plain(job, *INVOICE).here("run", cycle=NOVEMBER).returncode == 0
        assert decorated(job).here("run").returncode == 0

    return make


@pytest.fixture(scope="module")
def names(shared: Path) -> Job:
    return Job(once(shared, "settings-names", shown_as("names")))


@pytest.fixture(scope="module", params=["pseudonyms", "none"])
def nameless(request: pytest.FixtureRequest, shared: Path) -> Job:
    return Job(once(shared, f"settings-{request.param}", shown_as(request.param)))


@pytest.fixture(scope="module")
def pseudonyms(shared: Path) -> Job:
    return Job(once(shared, "settings-pseudonyms", shown_as("pseudonyms")))


# Who can be recognised


@cache
def truth() -> world.World:
    return small_world()


def secrets() -> set[str]:
    """List every id, e-mail and name of somebody; one is called what these documents are called."""
    people = {
        word for person in truth().people for word in (person.user_id, person.email, person.name)
    }
    services = {word for one in truth().service_users for word in (one.service_user_id, one.name)}
    return {word for word in people | services if word} - {"chargeback"} | {CONTACT}


def handed_out(cycle: Path) -> dict[str, bytes]:
    return {
        name: content for name, content in contents(cycle).items() if not name.startswith(INTERNAL)
    }


def parts(name: str, content: bytes) -> Iterator[bytes]:
    """Yield every byte of a file: as it lies there, unpacked, and as it is read."""
    yield from (name.encode(), content)
    if name.endswith(".xlsx"):
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            yield from (member.encode() for member in package.namelist())
            yield from map(package.read, package.namelist())
    elif name.endswith(".pdf"):
        for order in ("-layout", "-raw"):
            text = text_of(content, order).encode()
            yield from (text, b"".join(text.split()))
        with pikepdf.open(io.BytesIO(content)) as document:
            for piece in document.objects:
                yield piece.unparse(resolved=True)
                if isinstance(piece, pikepdf.Stream):
                    yield piece.read_bytes()


def spellings(word: str) -> set[bytes]:
    """Give the ways in which a word can be written in a file, or broken into lines on a page."""
    ways = {word, "".join(word.split()), escape(word), escape(word, quote=False)}
    ways |= {
        json.dumps(way, ensure_ascii=ascii_only)[1:-1]
        for way in tuple(ways)
        for ascii_only in (True, False)
    }
    wide = word.encode("utf-16-be")
    return (
        {way.encode() for way in ways}
        | {wide}
        | {text.hex().encode() for text in (wide, word.encode())}
    )


def told(cycle: Path) -> dict[str, set[str]]:
    """Give the secrets that are told, each with the files that tell it."""
    told_in: dict[str, set[str]] = defaultdict(set)
    sought = [(word, way) for word in secrets() for way in spellings(word)]
    for name, content in handed_out(cycle).items():
        whole = b"\n".join(parts(name, content))
        folded = whole.lower()
        for word, way in sought:
            if way in whole or way.lower() in folded:
                told_in[word].add(name)
    return told_in


def users_of(start: str) -> set[str]:
    """Name who has used anything in a cycle, from the world itself."""
    first, end = next(cycle for cycle in truth().cycles if cycle[0] == world.at(start))
    return {
        atom.principal_id for atom in truth().atoms if first <= atom.day < end and atom.principal_id
    }


@pytest.mark.heavy
def test_what_is_handed_out_tells_nobody(nameless):
    assert len(secrets()) > 40
    assert {f"invoices/CB-{DECEMBER}-{code}.pdf" for code in CHARGED} <= handed_out(
        nameless.cycle()
    ).keys()
    assert {"statement.pdf", "statement.xlsx", "index.html", "tie_out.csv"} <= handed_out(
        nameless.cycle()
    ).keys()
    assert told(nameless.cycle()) == {}


@pytest.mark.heavy
def test_the_same_search_finds_everybody_by_name(names):
    """Everybody is found in an invoice and in a workbook, by name, e-mail or id."""
    places = told(names.cycle())
    called = {
        person.user_id: person.name or person.email or person.user_id for person in truth().people
    }
    called |= {service.service_user_id: service.name for service in truth().service_users}
    users = users_of(DECEMBER)
    assert len(users) > 8
    kinds = {user: {Path(name).suffix for name in places[called[user]]} for user in users}
    assert {called[user] for user in users if not kinds[user] >= {".pdf", ".xlsx"}} == set()
    assert all(places[user] for user in users)
    assert places[CONTACT]


@pytest.mark.long
@pytest.mark.heavy
def test_figures_are_the_same_whoever_is_shown(names, nameless):
    assert nameless.statement() == names.statement()
    for name in ("ledger.csv", "unallocated.csv", "tie_out.csv"):
        assert (nameless.cycle() / name).read_bytes() == (names.cycle() / name).read_bytes()


# Pseudonyms


def numbers(job: Job, start: str) -> dict[str, str]:
    """Give the pseudonym of everybody, as the archive keeps it."""
    kept = json.loads((job.cycle(start) / "inputs" / "directory.json").read_text(encoding="utf-8"))[
        "principals"
    ]
    return {entry["id"]: f"{entry['kind'].replace('_', '-')}-{entry['number']}" for entry in kept}


def attached_usage(job: Job, start: str, code: str) -> list[dict[str, str]]:
    with pikepdf.open(job.cycle(start) / "invoices" / f"CB-{start}-{code}.pdf") as document:
        content = document.attachments["usage.csv"].get_file().read_bytes()
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def added_up(rows: list[dict[str, str]], name: Callable[[str], str]) -> Mapping[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[name(row["principal_id"])] += Decimal(row["quantity"])
    return {who: acus for who, acus in sums.items() if acus}


@pytest.mark.heavy
@pytest.mark.parametrize("start", [NOVEMBER, DECEMBER])
def test_pseudonyms_stand_for_who_used_what(pseudonyms, start):
    """The archive resolves them: what they used is what the ledger says of those behind them."""
    known = numbers(pseudonyms, start)
    assert len(set(known.values())) == len(known)
    ledger = list(
        csv.DictReader(
            (pseudonyms.cycle(start) / "ledger.csv").read_text(encoding="utf-8").splitlines()
        )
    )
    for code in CHARGED:
        own = [row for row in ledger if row["cost_center"] == code]
        attached = added_up(attached_usage(pseudonyms, start, code), lambda shown: shown)
        assert attached == added_up(own, lambda principal_id: known.get(principal_id, ""))
        assert sum(attached.values()) > 0


@pytest.mark.heavy
def test_pseudonyms_are_on_the_pages_and_in_the_workbooks(pseudonyms):
    known = numbers(pseudonyms, DECEMBER)
    ada = next(person.user_id for person in truth().people if person.email == "ada@acme.example")
    invoice = pseudonyms.cycle() / "invoices" / f"CB-{DECEMBER}-A-1"
    assert re.search(
        rf"\b{known[ada]}\b", " ".join(pages(invoice.with_name(f"{invoice.name}.pdf")))
    )
    with zipfile.ZipFile(invoice.with_name(f"{invoice.name}.xlsx")) as package:
        assert any(known[ada].encode() in package.read(member) for member in package.namelist())


@pytest.mark.heavy
def test_pseudonyms_stay_from_cycle_to_cycle_and_build_to_build(shared, pseudonyms):
    november, december = numbers(pseudonyms, NOVEMBER), numbers(pseudonyms, DECEMBER)
    assert len(november.keys() & december.keys()) > 10
    assert {who: december[who] for who in november} == november
    before = contents(pseudonyms.cycle())

    def again(folder: Path) -> None:
        assert pseudonyms.here("build").returncode == 0
        folder.mkdir()

    once(shared, "settings-pseudonyms-again", again)
    assert contents(pseudonyms.cycle()) == before


@pytest.mark.long
@pytest.mark.heavy
def test_without_users_the_figures_are_there_and_nobody_beside_them(shared):
    job = Job(once(shared, "settings-none", shown_as("none")))
    for code in CHARGED:
        rows = attached_usage(job, DECEMBER, code)
        assert {
            row["principal_kind"] + row["principal_id"] + row["email"] + row["name"] for row in rows
        } == {""}
        own = next(center for center in job.statement()["cost_centers"] if center["code"] == code)
        acus = sum(Decimal(line["acus"]) for line in own["lines"] if "acus" in line)
        assert sum(Decimal(row["quantity"]) for row in rows) == acus > 0


# Rows of the detail

MANY = re.compile(r"The detail has ([\d,]+) rows, more than are printed\.")


def printed(job: Job, code: str) -> tuple[int | None, str]:
    """Give how many rows an invoice says that it does not print, and its text."""
    text = " ".join(" ".join(pages(job.cycle() / "invoices" / f"CB-{DECEMBER}-{code}.pdf")).split())
    number = MANY.search(text)
    return (int(number[1].replace(",", "")) if number else None), text


def bounded(folder: Path, bound: int) -> Job:
    job = plain(with_setting(folder, f"max_detail_rows: {bound}"), *INVOICE)
    assert job.here("run").returncode == 0
    return job


@pytest.fixture(scope="module")
def nothing_printed(tmp_path_factory: pytest.TempPathFactory) -> Job:
    return bounded(tmp_path_factory.mktemp("bound") / "zero", 0)


@pytest.mark.heavy
def test_no_row_is_printed_where_none_may_be_and_attachments_have_them_all(
    nothing_printed, small_build
):
    for code in CHARGED:
        rows, _ = printed(nothing_printed, code)
        attached = attached_usage(nothing_printed, DECEMBER, code)
        assert rows == len(attached) > 0
        assert attached == attached_usage(small_build.job, DECEMBER, code)


@pytest.mark.long
@pytest.mark.heavy
def test_a_bound_leaves_out_the_detail_that_exceeds_it_alone(nothing_printed, tmp_path):
    rows = {code: len(attached_usage(nothing_printed, DECEMBER, code)) for code in CHARGED}
    second, most = sorted(rows.values())[-2:]
    assert second < most == rows["Z-9"]
    job = bounded(tmp_path / "second", second)
    assert {code: printed(job, code)[0] for code in CHARGED} == {
        "A-1": None,
        "B-2": None,
        "Z-9": most,
    }


# The logo


def branded(folder: Path, logo: str) -> Job:
    """Write a configuration whose logo lies in a folder beside it."""
    job = plain(
        with_setting(folder, f"logo: brand/{logo}"), *INVOICE, "index.html.j2", "statement.html.j2"
    )
    (job.folder / "brand").mkdir()
    path = job.folder / "brand" / logo
    if LOGOS[logo]:
        path.write_text(LOGOS[logo], encoding="utf-8")
    else:
        Image.new("RGB", (90, 30), "#00aaff").save(path)
    return job


def blue_on(pdf: Path) -> int:
    """Count the pixels of the logo's colour on the first page, drawn at a point a pixel."""
    command = ["pdftoppm", "-r", "72", "-l", "1", "-png", str(pdf)]
    page = Image.open(
        io.BytesIO(subprocess.run(command, capture_output=True, check=True).stdout)
    ).convert("RGB")
    return sum(
        count
        for count, color in page.getcolors(page.width * page.height)
        if color == (0, 0xAA, 0xFF)
    )


@pytest.mark.heavy
@pytest.mark.parametrize("logo", heavy_but(1, LOGOS))
def test_a_logo_is_drawn_and_kept_and_changes_no_figure(logo, tmp_path, small_build):
    job = branded(tmp_path / "job", logo)
    assert job.here("run").returncode == 0
    content = (job.folder / "brand" / logo).read_bytes()
    first = contents(job.cycle())
    assert first[f"inputs/assets/{logo}"] == content
    assert {name for name in first if name.startswith("inputs/assets/")} == {
        f"inputs/assets/{logo}"
    }
    assert first["statement.json"] == (small_build.folder / "statement.json").read_bytes()
    assert first["ledger.csv"] == (small_build.folder / "ledger.csv").read_bytes()
    assert b64encode(content) in first["index.html"]
    for pdf in ("statement.pdf", *(f"invoices/CB-{DECEMBER}-{code}.pdf" for code in CHARGED)):
        assert blue_on(job.cycle() / pdf) > 500, f"the logo is not on {pdf}"
        assert blue_on(small_build.folder / pdf) == 0

    assert job.here("build").returncode == 0
    assert contents(job.cycle()) == first


# Languages

LOCALES = """\
cost_centers:
  A-1: {name: Platform, locale: it_CH}
  B-2: {name: Payments, locale: ja}
  C-3: {name: Kiosk, locale: nl}
  Z-9: {name: Central, locale: it_CH}"""


@pytest.mark.parametrize("command", heavy_but(1, ["check", "run", "build"]))
def test_a_language_without_words_is_warned_of_once_at_its_first_line(command, tmp_path):
    job = plain(with_setting(tmp_path / "job", "locale: en_GB"))
    mapping = (job.folder / "mapping.yaml").read_text(encoding="utf-8")
    job.edit("mapping.yaml", mapping[: mapping.index("\nusers:")], LOCALES)
    if command != "run":
        assert job.here("collect").returncode == 0
    result = job.here(command)
    assert result.returncode == 0
    warnings = [line for line in result.stderr.splitlines() if "catalog of words" in line]
    assert [line.partition(" has no")[0] for line in warnings] == [
        f'{job.folder / "mapping.yaml"}:2: warning: "it_CH"',
        f'{job.folder / "mapping.yaml"}:4: warning: "nl"',
    ]


@pytest.mark.heavy
@pytest.mark.parametrize("catalog", heavy_but(1, ["nl_BE.po", "nl.po"]))
def test_words_in_the_folder_of_templates_are_enough(catalog, tmp_path):
    job = plain(with_setting(tmp_path / "job", "locale: nl_BE"))
    assert job.here("run").stderr.count("catalog of words") == 1
    words = job.folder / "templates" / "locale" / catalog
    words.parent.mkdir()
    words.write_text(
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n', encoding="utf-8"
    )
    assert "catalog of words" not in job.here("build").stderr
