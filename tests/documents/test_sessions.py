"""The largest sessions on an invoice: they add up, their words do no harm, and nobody is told."""

import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import cache
from io import BytesIO
from xml.etree.ElementTree import fromstring

import openpyxl
import pikepdf
import pytest

from reportgen.core.model import DEVIN, ByTag, Invoice, ProductLabel, Statement, TagUse, UsersShown
from reportgen.core.money import ZERO
from reportgen.core.written.privacy import redacted
from reportgen.core.written.statement_json import cost_center_values, statement_values
from reportgen.derive import Derived
from reportgen.documents.content.attachments import attachments
from reportgen.documents.content.sessions import one_line, pull_request_label
from reportgen.documents.render import Drawn, drawn, filled
from reportgen.documents.tasks import Task, tasks_of
from tests.core.written.test_privacy import everybody
from tests.documents import grove, harvest
from tests.documents.pdf.pdfa import check
from tests.documents.test_rich import number, tables
from tests.poppler import text_of
from tests.weight import heavy_but

TITLE, BY_TAG = "Largest sessions", "Usage by tag"


def tasks(found: Derived, users: UsersShown = "names") -> dict[str, Task]:
    """List every document by the end of its path, as people may be shown in it."""
    statement, directory = redacted(found.statement, everybody(), users)
    design = replace(grove.design(), users=users)
    attached = attachments(statement, directory)
    return {
        task.path.rpartition("29-")[2]: task
        for task in tasks_of(statement, directory, design, attached)
    }


def markup(code: str, found: Derived, users: UsersShown = "names") -> str:
    return filled(tasks(found, users)[f"{code}.pdf"], replace(grove.design(), users=users))


def draw(name: str, found: Derived, users: UsersShown = "names") -> Drawn:
    return drawn(tasks(found, users)[name], replace(grove.design(), users=users))


@cache
def r_1() -> Drawn:
    """Draw the invoice of ten sessions once."""
    return draw("R-1.pdf", harvest.derived())


def invoice_of(code: str, statement: Statement) -> Invoice:
    return next(one for one in statement.invoices if one.cost_center.code == code)


def with_sessions(found: Derived, **changed: object) -> Derived:
    """Change every session that is shown."""
    invoices = [
        replace(
            made,
            sessions=replace(
                made.sessions,
                sessions=tuple(replace(one, **changed) for one in made.sessions.sessions),  # type: ignore[arg-type]
            ),
        )
        for made in found.statement.invoices
    ]
    return replace(found, statement=replace(found.statement, invoices=tuple(invoices)))


def tagged(found: Derived, by_tag: ByTag) -> Derived:
    """Break the usage of every invoice down by tags, one and the same way."""
    invoices = [replace(made, by_tag=by_tag) for made in found.statement.invoices]
    return replace(found, statement=replace(found.statement, invoices=tuple(invoices)))


# Figures


@pytest.mark.parametrize("count", [1, 10, 100])
@pytest.mark.parametrize("code", ["R-1", "S-2"])
def test_sessions_and_everything_else_make_the_lines(code, count):
    found = harvest.derived(count, centers=harvest.IN_ENGLISH)
    rows = tables(markup(code, found))[TITLE]
    assert len(rows) == count + 2
    lines = [
        line
        for line in invoice_of(code, found.statement).lines
        if line.of_usage and line.product == DEVIN
    ]
    acus, amount = sum(line.acus for line in lines), sum(line.amount for line in lines)
    assert (number(rows[-1][-2]), number(rows[-1][-1])) == (round(acus, 4), amount)
    assert rows[-1][0] == "All usage of devin"
    assert rows[-2][0] == "All other sessions and usage"
    assert sum(number(row[-1]) for row in rows[:-1]) == amount
    assert abs(sum(number(row[-2]) for row in rows[:-1]) - acus) < Decimal("0.01")


def test_the_workbook_has_them_typed_and_whole():
    book = openpyxl.load_workbook(BytesIO(draw("R-1.xlsx", harvest.derived()).content))
    sheet = book["Sessions"]
    head, *rows = sheet.iter_rows(values_only=True)
    assert head[:4] == ("Session", "User", "Organization", "First billing day")
    first = rows[0]
    sessions = invoice_of("R-1", harvest.derived().statement).sessions.sessions
    assert first[0] == sessions[0].title
    assert first[3].date() == sessions[0].first_day
    assert [Decimal(str(row[6])) for row in rows[:10]] == [one.amount for one in sessions]
    assert sheet["A2"].hyperlink.target == sessions[0].url
    assert rows[3][0] == harvest.TITLES[3], "a formula in a title is a text"
    assert sheet["A5"].data_type != "f"
    assert rows[6][0] == harvest.TITLES[6], "on paper alone a title is cut"
    assert rows[9][0] == "🚀 Ship it now"
    assert rows[-1][6].startswith("=ROUND(SUM('Sessions'!")
    pulls = list(book["Pull requests"].iter_rows(values_only=True))
    assert len(pulls) == 1 + sum(len(one.pull_requests) for one in sessions)
    assert pulls[1][1:] == ("https://github.com/acme/web/pull/900", "merged")
    assert book["Pull requests"]["B2"].hyperlink.target == pulls[1][1]


def test_machines_read_the_same():
    found = harvest.derived()
    made = invoice_of("R-1", found.statement)
    values = cost_center_values(made, found.statement)
    told = values["sessions"]
    assert list(told[0]) == [
        *("session_id", "title", "principal_id", "org_id", "first_day", "last_day", "acus"),
        *("amount", "tags", "pull_requests", "url"),
    ]
    amounts = [Decimal(one["amount"]) for one in (*told, values["other_sessions"])]
    assert sum(amounts) == made.sessions.amount
    assert values["sessions_unknown"] is None
    assert all(re.fullmatch(r"-?\d+\.\d\d", one["amount"]) for one in told)
    assert told[5]["title"] is None
    assert told[3]["pull_requests"][3] == {
        "url": "https://github.com/acme/web/pull/903",
        "state": None,
    }
    json.dumps(statement_values(found.statement))


def test_a_product_is_called_by_its_label():
    found = harvest.derived(centers=harvest.IN_ENGLISH)
    heading = replace(found.statement.heading, products=(ProductLabel(DEVIN, "Cloud agent"),))
    statement = replace(found.statement, heading=heading)
    rows = tables(markup("R-1", replace(found, statement=statement)))[TITLE]
    assert rows[-1][0] == "All usage of Cloud agent"


# What is not known


@pytest.mark.parametrize(
    ("unknown", "said"),
    [
        ("not asked", "was not collected"),
        ("no totals", "the API tells no ACUs of sessions"),
        ("no daily views", "this version of the API"),
        ("no products", "the API's answers name no products"),
        ("refused", "the API refused what they used"),
        ("", "none used ACUs in this billing cycle"),
    ],
)
def test_why_there_is_none_is_said(unknown, said):
    found = with_none(unknown)
    text = markup("R-1", found)
    assert TITLE not in tables(text)
    assert re.search(f"Largest sessions: [^<]*{said}", text)
    assert "Sessions" not in openpyxl.load_workbook(BytesIO(draw("R-1.xlsx", found).content))
    values = cost_center_values(invoice_of("R-1", found.statement), found.statement)
    assert (values["sessions"], values["other_sessions"]) == ([], None)
    assert values["sessions_unknown"] == (unknown or None)


def with_none(unknown: str) -> Derived:
    """Say of every invoice why it has no sessions."""
    invoices = []
    for made in grove.derived(centers=harvest.IN_ENGLISH).statement.invoices:
        one = harvest.sessions_of(made, 1, 2)
        other = replace(
            one, sessions=(), other_acus=one.acus, other_amount=one.amount, unknown=unknown
        )
        invoices.append(replace(made, sessions=other))
    found = grove.derived(centers=harvest.IN_ENGLISH)
    return replace(found, statement=replace(found.statement, invoices=tuple(invoices)))


@pytest.mark.parametrize(
    ("unknown", "said"),
    [
        ("refused half-way", "the API refused what others used"),
        ("list incomplete", "list of sessions broke off"),
        ("contradicted", "leave open what others used"),
    ],
)
def test_that_others_may_be_larger_is_said(unknown, said):
    found = harvest.derived(2, unknown, centers=harvest.IN_ENGLISH)
    assert re.search(
        f"Those that are known: [^<]*{said}", markup("R-1", found).replace("&#39;", "'")
    )
    assert "exactly" not in markup("R-1", found).partition(TITLE)[2].partition("<table")[0]


def test_who_wants_none_gets_none():
    found = with_none("not wanted")
    assert TITLE not in markup("R-1", found)
    assert TITLE not in markup("T-3", harvest.derived()), "it has no usage of its own"


# People's words


def test_titles_are_escaped_cut_and_on_one_line():
    text = markup("R-1", harvest.derived())
    page = fromstring(text)  # noqa: S314 - our own
    titles = ["".join(one.itertext()) for one in page.iter("p") if one.get("class") == "title"]
    assert titles[2] == harvest.TITLES[2].replace("\u00ad", "\u00ad")
    assert titles[3] == harvest.TITLES[3]
    assert titles[5] == "devin-0005a1b2c3", "without a title the id tells which it is"
    assert all(len(title) <= 110 for title in titles)
    assert titles[4].endswith("told…")
    assert titles[7] == "evil תיקון באג בכניסה"
    assert titles[9] == "🚀 Ship it now"


@pytest.mark.quick(4)
@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "http://app.devin.ai/sessions/1",
        'https://app.devin.ai/"><b>',
        "",
        "https://app.devin.ai/a b",
        "data:text/html,x",
        "//app.devin.ai/1",
        "https://пример.example/",
    ],
)
def test_no_other_address_is_a_link(address):
    found = with_sessions(harvest.derived(2), url=address, pull_requests=())
    page = fromstring(markup("R-1", found))  # noqa: S314 - our own
    assert [one.get("href") for one in page.iter("a")] == []
    book = openpyxl.load_workbook(BytesIO(draw("R-1.xlsx", found).content))
    assert book["Sessions"]["A2"].hyperlink is None


def test_links_are_as_the_api_gave_them():
    address = "https://app.devin.ai/sessions/1?a=1&b=%22#x"
    found = with_sessions(harvest.derived(2), url=address)
    content = draw("R-1.pdf", found).content
    with pikepdf.open(BytesIO(content)) as document:
        opened = {
            str(note.A.URI)
            for page in document.pages
            for note in page.get("/Annots", ())
            if note.get("/Subtype") == "/Link"
        }
    assert opened == {address, "https://github.com/acme/web/pull/900"}
    book = openpyxl.load_workbook(BytesIO(draw("R-1.xlsx", found).content))
    assert book["Sessions"]["A2"].hyperlink.target == address


def test_a_page_with_links_can_be_archived():
    check(
        r_1().content,
        tagged=True,
        attachments={"invoice.json": "application/json", "usage.csv": "text/csv"},
        title="Chargeback invoice CB-2025-12-29-R-1",
        language="en",
    )


@pytest.mark.parametrize(
    ("address", "label"),
    [
        ("https://bitbucket.org/acme/web/pull-requests/3", "web #3"),
        ("https://dev.azure.com/acme/p/_git/web/pullrequest/12", "web #12"),
        ("https://git.acme.example/pull/903", "#903"),
        ("https://review.acme.example/c/4711", "#4711"),
        ("https://review.acme.example/c/ab-12/", "ab-12"),
        ("https://[::1", "[::1"),
        ("https://acme.example", "https://acme.example"),
        ("https://acme.example/" + "x" * 90, "x" * 39 + "…"),
    ],
)
def test_a_pull_request_has_a_short_name(address, label):
    assert pull_request_label(address) == label


def test_marks_of_joined_letters_stay():
    assert one_line("👩‍💻 می‌خواهم") == "👩‍💻 می‌خواهم"


def test_a_title_that_cannot_be_drawn_stops_nothing():
    """On paper U+FFFD stands for what no font has; the warning says whose title it is."""
    done = r_1()
    (warning,) = done.warnings
    assert "\ufffd Ship it now" in text_of(done.content)
    assert warning.warning
    assert "the fonts cannot draw U+1F680 in " in warning.message
    assert ", the title of session devin-0009a1b2c3: U+FFFD stands for it" in warning.message
    assert "invoice: {fonts: folder}" in warning.hint


# People


def everything(content: bytes) -> Iterator[bytes]:
    """Give all bytes of a file: as they are, and unpacked, with what is inside it."""
    yield content
    if content.startswith(b"%PDF"):
        with pikepdf.open(BytesIO(content)) as document:
            yield repr(document.docinfo).encode()
            for part in document.objects:
                if isinstance(part, pikepdf.Stream):
                    yield part.read_bytes()
                yield part.unparse(resolved=False)
            for file in document.attachments.values():
                yield file.get_file().read_bytes()
        yield text_of(content).encode()
    elif content.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(content)) as book:
            yield from (name.encode() + book.read(name) for name in book.namelist())


PLANTED = ("TITLEPLANTED", "URLPLANTED", "PULLPLANTED", "OWNERPLANTED", "IDPLANTED")


def planted() -> Derived:
    """Plant what leads to people into every session."""
    found = with_sessions(
        harvest.derived(3),
        title="TITLEPLANTED of Ada",
        url="https://app.devin.ai/sessions/URLPLANTED",
        session_id="devin-IDPLANTED",
        tags=("team:web", "owner:OWNERPLANTED@acme.example", "user=u|ada"),
    )
    pulls = tuple(
        one._replace(url=f"{one.url}PULLPLANTED")
        for made in found.statement.invoices
        for session in made.sessions.sessions[1:2]
        for one in session.pull_requests
    )[:1]
    by_tag = ByTag(
        patterns=("*",),
        rows=(
            TagUse(("team:web",), 1, Decimal(3), Decimal("6.00")),
            TagUse(("owner:OWNERPLANTED@acme.example",), 2, Decimal(1), Decimal("2.00")),
            TagUse(("team:web", "user=u|ada"), 1, Decimal(2), Decimal("4.00")),
            TagUse((), 0, ZERO, Decimal("0.00")),
        ),
    )
    return tagged(with_sessions(found, pull_requests=pulls), by_tag)


@pytest.mark.parametrize("users", heavy_but(1, ["pseudonyms", "none"]))
def test_nobody_can_be_found_in_any_byte(users):
    design = replace(grove.design(), users=users)
    shown = tasks(planted(), users)
    assert {"R-1.pdf", "R-1.xlsx", "index.html", "statement.pdf"} <= shown.keys()
    for name in ("R-1.pdf", "R-1.xlsx", "index.html", "statement.pdf", "statement.xlsx"):
        whole = b"\n".join(everything(drawn(shown[name], design).content))
        for sign in (*PLANTED, "Ada Brennan", "u|ada"):
            for code in ("utf-8", "utf-16-be"):
                assert sign.encode(code) not in whole, (name, sign)
                assert sign.encode(code).hex().encode() not in whole.lower(), (name, sign)
    assert b"team:web" in b"".join(everything(drawn(shown["R-1.xlsx"], design).content))


def test_by_name_all_of_it_is_shown():
    """What the search finds nothing of is there to be found."""
    shown = tasks(planted())
    for name in ("R-1.pdf", "R-1.xlsx"):
        whole = b"\n".join(everything(drawn(shown[name], grove.design()).content))
        assert [sign for sign in PLANTED[:4] if sign.encode() not in whole] == [], name


@pytest.mark.parametrize("users", ["pseudonyms", "none"])
def test_no_figure_of_a_session_moves(users):
    before = planted().statement
    after, _ = redacted(before, everybody(), users)
    for was, now in zip(before.invoices, after.invoices, strict=True):
        assert now.sessions.amount == was.sessions.amount
        assert [one.acus for one in now.sessions.sessions] == [
            one.acus for one in was.sessions.sessions
        ]
        rows = now.by_tag.rows
        assert sum(row.amount for row in rows) == sum(row.amount for row in was.by_tag.rows)
        assert [row.tags for row in rows] == [("team:web",), ("…",), ()]


def test_departments_and_the_statement_name_no_session():
    shown = tasks(planted())
    for name, task in shown.items():
        if not name.startswith(("R-1", "S-2", "Z-9")) and name.endswith((".pdf", ".html")):
            assert "TITLEPLANTED" not in filled(task, grove.design()), name


# By tag


def by_tag(rows: int, unknown: str = "") -> ByTag:
    made = [
        TagUse((f"project:{n}", "project:x")[: 1 + n % 2], n + 1, Decimal(n), Decimal(n))
        for n in range(rows, 0, -1)
    ]
    return ByTag(patterns=("project:*",), rows=(*made, TagUse((), 0, ZERO, ZERO)), unknown=unknown)


@pytest.mark.parametrize("rows", [1, 31, 45])
def test_usage_by_tag_adds_up_on_paper(rows):
    found = tagged(harvest.derived(centers=harvest.IN_ENGLISH), by_tag(rows))
    listed = tables(markup("R-1", found))[BY_TAG]
    assert sum(number(row[-1]) for row in listed[:-1]) == number(listed[-1][-1])
    assert number(listed[-1][-1]) == rows * (rows + 1) // 2
    assert (f"Other tags: {rows - 30}" in [row[0] for row in listed]) == (rows > 30)
    assert {row[0] for row in listed} & {"project:1 project:x", "project:31 project:x"}
    sheet = openpyxl.load_workbook(BytesIO(draw("R-1.xlsx", found).content))["By tag"]
    assert len(list(sheet.iter_rows())) == 1 + rows + 2


@pytest.mark.parametrize(
    ("unknown", "said"),
    [
        ("not asked", "was not collected"),
        ("no daily views", "this version of the API"),
        ("no products", "the API's answers name no products"),
        ("refused", "the API refused what sessions used"),
        ("", "no session of this billing cycle has a tag like project:*"),
    ],
)
def test_why_there_is_nothing_by_tag_is_said(unknown, said):
    nothing = ByTag(patterns=("project:*",), unknown=unknown)
    text = markup("R-1", tagged(harvest.derived(centers=harvest.IN_ENGLISH), nothing))
    assert re.search(f"Usage by tag: [^<]*{re.escape(said)}", text)
    assert BY_TAG not in tables(text)


def test_who_asks_for_no_tags_gets_none():
    assert BY_TAG not in markup("R-1", harvest.derived())
    found = harvest.derived()
    assert cost_center_values(invoice_of("R-1", found.statement), found.statement)["by_tag"] is None
