"""The page of a cycle: it says what the statement says, leads to all, and loads nothing."""

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from hashlib import sha256
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element, fromstring

import pytest
from tinyhtml5.parser import HTMLParser

from reportgen.core.model import Discrepancy, Invoice, MissingView, Moved, Statement, Unpriced
from reportgen.core.problem import Rejected
from reportgen.core.written.privacy import redacted
from reportgen.documents.content import review
from reportgen.documents.content.statement import CostCenterRow
from reportgen.documents.render import draw
from reportgen.documents.tasks import Design, Task, tasks_of
from tests.core.written import test_privacy
from tests.documents import beech, grove

INDEX = "index.html"
ODD = "CB 2025 #1 – 100 % März?&'+;=x"
HOSTILE = "</title><script>alert(1)</script> & \"'><img src=x onerror=alert(1)>"
SCRIPT_ATTRIBUTE = re.compile("on[a-z]+", re.IGNORECASE)
LOADING = {
    "src",
    "srcset",
    "data",
    "poster",
    "background",
    "action",
    "formaction",
    "ping",
    "manifest",
    "{xlink}href",
}
MARK = re.compile(" draft [0-9a-f]{8}")
"""Of a draft: tests/documents/test_drafts.py looks for them."""


def task(statement: Statement | None = None, design: Design | None = None) -> Task:
    """Find the page among the documents of a cycle."""
    found = tasks_of(
        statement or grove.derived().statement, grove.derived().directory, design or grove.design()
    )
    (one,) = [task for task in found if task.path == "index.html"]
    return one


def drawn(statement: Statement | None = None, design: Design | None = None) -> bytes:
    chosen = design or grove.design()
    return draw(task(statement, chosen), chosen)


@cache
def rich() -> bytes:
    return drawn()


@cache
def first() -> bytes:
    """Draw the page of a cycle before which there is none."""
    derived = beech.derived()
    (found,) = [
        one
        for one in tasks_of(derived.statement, derived.directory, beech.design())
        if one.path == "index.html"
    ]
    return draw(found, beech.design())


def read(page: bytes) -> Element:
    return fromstring(page)  # noqa: S314 - our own


def text_of(element: Element) -> str:
    """Give what is seen and what is read aloud, a space between elements."""
    return MARK.sub("", " ".join(" ".join(element.itertext()).split()))


def text(page: bytes) -> str:
    return text_of(read(page).find("body"))


def rows(page: bytes, table: str = "cost-centers", part: str = "tbody") -> dict[str, list[str]]:
    """Read the rows of a table by what stands in their head."""
    (found,) = [one for one in read(page).iter("table") if one.get("aria-labelledby") == table]
    return {
        text_of(row.find("th")): [text_of(cell) for cell in row.iterfind("td")]
        for row in found.iterfind(f"{part}/tr")
    }


def columns(page: bytes) -> list[str]:
    (found,) = [
        one for one in read(page).iter("table") if one.get("aria-labelledby") == "cost-centers"
    ]
    return [text_of(head) for head in found.iterfind("thead/tr/th")]


def links(page: bytes) -> set[str]:
    return {link.get("href") for link in read(page).iter("a")}


def changed(**changes: object) -> Statement:
    return replace(grove.derived().statement, **changes)


def with_first(change) -> Statement:
    """Change the first invoice."""
    one, *others = grove.derived().statement.invoices
    return changed(invoices=(change(one), *others))


# The page as such


@pytest.mark.parametrize("page", [rich, first])
def test_the_page_is_html_and_xml_and_the_same_in_both(page):
    parser = HTMLParser(namespace_html_elements=False)
    html = parser.parse(page())
    assert parser.errors == []
    assert list(flat(html)) == list(flat(read(page())))


def flat(element: Element) -> Iterator[tuple[str, dict[str, str], str]]:
    """List elements with attributes and what follows; HTML knows no declarations of namespaces."""
    for one in element.iter():
        tag = one.tag.rpartition("}")[2]
        attributes = {name: value for name, value in one.attrib.items() if "xmlns" not in name}
        yield tag, attributes, "".join((one.text or "").split()) + "".join((one.tail or "").split())


def test_the_page_is_the_same_again():
    assert drawn() == rich()
    assert b"\r" not in rich()


def test_the_page_loads_nothing_and_runs_one_script_of_its_own():
    page = read(rich())
    (script,) = page.iter("script")
    assert script.attrib == {}
    assert script.text == grove.design().templates["index.js.j2"]
    assert not re.search(
        r"fetch|XMLHttp|innerHTML|eval|Storage|cookie|https?:|location", script.text
    )
    allowed = b64encode(sha256(script.text.encode()).digest()).decode()
    for element in page.iter():
        if element is script:
            continue
        assert element.tag.rpartition("}")[2] not in {
            "script",
            "iframe",
            "object",
            "embed",
            "form",
            "base",
            "use",
        }
        assert not [
            name for name in element.attrib if SCRIPT_ATTRIBUTE.fullmatch(name) or name in LOADING
        ]
    assert [link.get("href") for link in page.iter("link")] == ["data:,"]
    policy = page.find("head/meta[@http-equiv='Content-Security-Policy']").get("content")
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{allowed}'; style-src 'unsafe-inline'; "
        "img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    style = page.findtext("head/style")
    assert not re.search(r"@import|@font-face|url\(|image-set|src\(", style)
    assert re.findall(r"url\([^)]*\)", rich().decode()) == ["url(#end)"] * 3


def test_the_only_picture_is_the_logo_and_it_is_in_the_page():
    logo = "data:image/png;base64,AAAA"
    pictures = list(read(drawn(design=replace(grove.design(), logo=logo))).iter("img"))
    assert [(one.get("src"), one.get("alt")) for one in pictures] == [(logo, "Beech & Partners")]
    assert not list(read(rich()).iter("img"))


def test_whatever_has_a_name_is_shown_as_text():
    hostile = with_first(
        lambda one: replace(
            one,
            number=None,
            cost_center=replace(one.cost_center, name=HOSTILE, department=HOSTILE, code="R-1"),
        )
    )
    hostile = replace(
        hostile, heading=replace(hostile.heading, enterprise=HOSTILE, contract=HOSTILE)
    )
    page = drawn(hostile, replace(grove.design(), note=HOSTILE, summaries=("department",)))
    assert (
        HTMLParser(namespace_html_elements=False)
        .parse(page)
        .find("head/title")
        .text.endswith(HOSTILE)
    )
    assert [one.tag for one in read(page).iter() if one.tag in {"script", "img"}] == ["script"]
    assert (
        text(page).count(HOSTILE) == 9
    )  # enterprise, name, department, its summary with a link, what they bought, note, contract


def test_characters_that_xml_cannot_carry_are_replaced():
    statement = with_first(
        lambda one: replace(one, cost_center=replace(one.cost_center, name="a\x00b\ud800c"))
    )
    assert "a\ufffdb\ufffdc" in text(drawn(statement))


def test_a_mistake_in_the_users_page_names_it():
    for mistake in ("<html><body><p>\n</body></html>", "<html>{{ document.nothing }}</html>"):
        design = grove.design()
        with pytest.raises(Rejected) as caught:
            drawn(design=replace(design, templates={**design.templates, "index.html.j2": mistake}))
        (problem,) = caught.value.problems
        assert problem.source.startswith("index.html.j2")


# For who cannot see it, or not well


@pytest.mark.parametrize("page", [rich, first])
def test_the_page_can_be_read_aloud(page):
    root = read(page())
    assert [child.tag for child in root.find("body")] == [*("header", "main", "footer", "script")]
    assert [len(list(root.iter(tag))) for tag in ("h1", "h3")] == [1, 0]
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for element in root.iter():
        assert element.get("aria-labelledby") in {None, *ids}
        if element.tag == "section":
            assert element.get("aria-labelledby") or element.get("aria-label")
        if element.tag == "th":
            assert element.get("scope") in {"row", "col", "rowgroup"}
        if element.tag.endswith("svg"):
            named = (
                element.get("role") == "img"
                and element[0].tag.endswith("title")
                and element[0].text.strip()
            )
            assert named or element.get("aria-hidden") == "true"


def test_links_have_names_that_tell_them_apart():
    for page in (rich(), first()):
        names = [text_of(link) for link in read(page).iter("a")]
        assert len(names) == len(set(names))


def test_lines_tell_their_amounts():
    told = [title.text for title in read(rich()).iter("{http://www.w3.org/2000/svg}title")]
    periods = (
        "Oct 29, 2025 – Nov 28, 2025",
        "Nov 29, 2025 – Dec 28, 2025",
        "Dec 29, 2025 – Jan 2, 2026",
    )
    amounts = [
        ("17.75", "65.20", "72.76"),
        ("24.00", "22.77", "37.30"),
        ("-6.25", "30.66", "27.91"),
    ]
    for title, expected in zip(told[:3], amounts, strict=True):
        parts = [
            f"{period} {amount}"
            for period, amount in zip(periods[-len(expected) :], expected, strict=True)
        ]
        assert title == f"Amounts by billing cycle: {'; '.join(parts)} (preliminary)"
    assert len(told) == 4  # the pool's were all zero


SCHEMES = {
    "light": r"^:root \{(.*?)\}",
    "dark": r"@media screen and \(prefers-color-scheme: dark\) \{\s*:root \{(.*?)\}",
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_colours_are_told_apart_by_everybody(scheme):
    css = grove.design().templates["index.css"]
    found = re.search(SCHEMES[scheme], css, re.DOTALL | re.MULTILINE)[1]
    colours = dict(re.findall(r"--(\w+): (#\w+);", found))
    colours.setdefault("tint", grove.design().accent)
    for ink in ("ink", "muted", "alarm", "tint"):
        for paper in ("paper", "panel"):
            assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)


def contrast(one: str, other: str) -> float:
    """Compute the contrast ratio of WCAG 2."""
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


# Links


def test_links_lead_to_every_document_and_nowhere_else():
    statement, design = grove.derived().statement, grove.design()
    documents = {one.path for one in tasks_of(statement, grove.derived().directory, design)} - {
        "index.html"
    }
    tables = {
        "statement.json",
        "ledger.csv",
        "tie_out.csv",
        "unallocated.csv",
        "by_organization.csv",
    }
    inputs = {"config/", "responses.jsonl", "directory.json", "history.json"}
    inputs = {f"inputs/{name}" for name in inputs}
    beside = {"../2025-11-29/index.html", "README.txt"}
    within = {"#unallocated", "#moved"}
    assert {unquote(link) for link in links(rich())} == (
        documents | tables | inputs | beside | within
    )
    ids = {f"#{element.get('id')}" for element in read(rich()).iter() if element.get("id")}
    assert within <= ids
    assert any(path.startswith("summaries/entity-") for path in documents)


def test_a_link_finds_a_file_whatever_its_number_is():
    page = drawn(with_first(lambda one: replace(one, number=ODD)))
    for suffix in (".pdf", ".xlsx"):
        (link,) = [
            link
            for link in links(page)
            if link.startswith("invoices/CB%20") and link.endswith(suffix)
        ]
        assert link.isascii()
        found = urlsplit(f"file:///archive/{link}")
        assert (unquote(found.path), found.query, found.fragment) == (
            f"/archive/invoices/{ODD}{suffix}",
            "",
            "",
        )


def test_without_an_invoice_there_is_no_link():
    page = drawn(with_first(lambda one: replace(one, number=None, lines=())))
    assert rows(page)["Research & Development R-1 · Engineering"][-1] == "no invoice"
    assert not [link for link in links(page) if "R-1" in link]


# What it says


def test_what_there_is_to_look_at_has_its_amount_and_its_line():
    invoices = grove.derived().statement.invoices
    over = replace(
        invoices[0],
        cost_center=replace(
            invoices[0].cost_center, cycle_budget=Decimal("30.00"), source="mapping.yaml:7"
        ),
    )
    statement = grove.derived().statement
    variance, previous = statement.variance, statement.variance.previous
    earlier = {code: was for code, was in previous.cost_centers.items() if code != "S-2"}
    arrived = Moved("user", "u|x", (), "S-2", ("mapping.yaml:9",), Decimal(3), Decimal("6.00"))
    page = drawn(
        changed(
            invoices=(over, *invoices[1:]),
            unpriced=(Unpriced(product="terminal", acus=Decimal("1.5"), source="rates.yaml:4"),),
            unallocated=replace(statement.unallocated, source="mapping.yaml:2"),
            variance=replace(
                variance, arrived=(arrived,), previous=replace(previous, cost_centers=earlier)
            ),
        )
    )
    found = rows(page, "review")
    assert found["Unpriced: charged to nobody terminal"] == ["0.00", "1.5000", "rates.yaml:4"]
    assert found["Unallocated Charged to Z-9"] == [
        *("6.30", "5.6500", "mapping.yaml:2 Listed below : Unallocated")
    ]
    assert found["Beyond its budget Research & Development · R-1"] == [
        "+7.30",
        "",
        "mapping.yaml:7",
    ]
    assert found["New people 1 person"][:2] == ["6.00", "3.0000"]
    assert found["New cost center 上海研发中心 · S-2"][0] == "27.91"
    assert found["no longer a cost center Closed lab · Q-7"] == ["-5.00", "", ""]
    assert rows(page, "arrived") == {"u|x": ["6.00", "3.0000", "S-2 mapping.yaml:9"]}


def test_a_long_list_of_what_there_is_to_look_at_folds_the_smaller_ones():
    held = [
        CostCenterRow(code=f"Q-{n:02}", name="x", change=Decimal(-n), gone=True)
        for n in range(1, 31)
    ]
    found = list(review._some(review._gone(held)))
    assert [one.code for one in found] == [f"Q-{n:02}" for n in range(30, 0, -1)]
    assert [one.folded for one in found] == [False] * 25 + [True] * 5


def test_a_long_list_of_people_can_be_unfolded_and_its_columns_foot_either_way():
    people = tuple(
        Moved("user", f"u|{n:02}", (), "S-2", ("mapping.yaml:9",), Decimal(n), Decimal(2 * n))
        for n in range(1, 31)
    )
    page = drawn(changed(variance=replace(grove.derived().statement.variance, arrived=people)))
    page = read(page)
    (table,) = [one for one in page.iter("table") if one.get("aria-labelledby") == "arrived"]
    shown, folded = ([*body.iterfind("tr")] for body in table.iterfind("tbody"))
    assert (len(shown), len(folded)) == (25, 5)
    (box,) = [one for one in page.iter("input") if one.get("id") == "arrived-all"]
    (label,) = [one for one in page.iter("label") if one.get("for") == "arrived-all"]
    assert (box.get("type"), label.text) == ("checkbox", "Show all 30")
    rest, whole = table.iterfind("tfoot/tr")
    amounts = [Decimal(row.find("td").get("data-value")) for row in (*shown, *folded)]
    assert sum(amounts) == Decimal(whole.find("td").text)
    assert sum(amounts[25:]) == Decimal(rest.find("td").text)


def test_who_is_gone_stands_there_with_what_they_came_to_before():
    gone = Moved("user", "u|x", ("R-1", "S-2"), "", (), Decimal(3), Decimal("6.00"))
    page = drawn(changed(variance=replace(grove.derived().statement.variance, departed=(gone,))))
    assert rows(page, "review")["People who are gone 1 person"][:2] == ["-6.00", "-3.0000"]
    assert rows(page, "departed") == {"u|x": ["6.00", "3.0000", "R-1, S-2"]}


def test_every_cost_center_has_its_figures():
    assert columns(rich()) == [
        *("Cost center", "Amount (EUR)", "Change", "Trend", "ACUs", "Budget used", "Documents"),
    ]
    found = {name: [*cells[:2], *cells[3:]] for name, cells in rows(rich()).items()}
    number = "CB-2025-12-29-{0}"
    files = f"PDF {number} Excel {number} {number}"
    assert found == {
        "Research & Development R-1 · Engineering": [
            "37.30",
            "+14.53",
            "11.5000",
            "93.25%",
            files.format("R-1"),
        ],
        "上海研发中心 S-2 · Engineering": [
            "27.91",
            "-2.75",
            "14.3580",
            "93.03%",
            files.format("S-2"),
        ],
        "Tooling T-3 · Shared services": ["0.00", "0.00", "0.0000", "–", files.format("T-3")],
        "Central Z-9 · bears what no rule assigns": [
            "7.55",
            "+0.78",
            "5.6500",
            "–",
            files.format("Z-9"),
        ],
        "Closed lab Q-7 · no longer a cost center": ["0.00", "-5.00", "0.0000", "–", "no invoice"],
    }


def test_the_columns_foot():
    (total,) = rows(rich(), part="tfoot").values()
    body = list(rows(rich()).values())
    for column in (0, 1, 3):
        assert sum(Decimal(cells[column]) for cells in body) == Decimal(total[column])


def test_a_budget_that_is_exceeded_stands_out():
    exceeded = with_first(
        lambda one: replace(
            one, cost_center=replace(one.cost_center, cycle_budget=Decimal("37.29"))
        )
    )
    alarms = [
        text_of(one) for one in read(drawn(exceeded)).iter("span") if one.get("class") == "alarm"
    ]
    assert alarms[-1:] == ["100.03%"]


def test_summaries_have_their_figures():
    assert rows(rich(), "department") == {
        "Engineering": ["65.21", "+11.78", "25.8580", "2", "PDF Engineering"],
        "Shared services": ["0.00", "0.00", "0.0000", "1", "PDF Shared services"],
    }
    assert list(rows(rich(), "entity")) == ["1000", "2000"]
    assert "By department" not in text(first())


def test_the_totals_stand_on_top():
    shown = text_of(read(rich()).find(".//section[@class='figures']"))
    for figure in (
        "Invoiced EUR 72.76",
        "Control total, ACUs 31.51 -2.50 (-7.35%)",
        "Against the previous cycle +7.56 +11.60%",
        "Against the vendor's invoice +12.76 The vendor's invoice 60.00 0.0000 ACUs",
        "✓ Ties out. Difference to the control total, over all invoices: 0.0000 ACUs · EUR 0.00",
    ):
        assert figure in shown


def test_the_vendors_acus_are_compared_at_their_own_decimals():
    tie = grove.derived().statement.tie_out
    assert round(tie.control_acus, 4) == Decimal("31.5080")
    for acus, said in (
        ("31.51", "0.0000 ACUs"),
        ("32", "0.0000 ACUs"),
        ("31.5", "0.0000 ACUs"),
        ("31", "+1.0000 ACUs"),
    ):
        page = drawn(
            changed(
                tie_out=replace(tie, vendor_invoice_acus=Decimal(acus), over_recovery_amount=None)
            )
        )
        (cell,) = [
            one
            for one in read(page).iterfind(".//dl/div")
            if text_of(one).startswith("Against the vendor")
        ]
        assert text_of(cell) == f"Against the vendor's invoice {said}"
        assert ("alarm" in cell[-1].get("class")) == (acus == "31")


def test_what_does_not_tie_out_is_an_alarm():
    tie = grove.derived().statement.tie_out
    page = drawn(changed(tie_out=replace(tie, difference_amount=Decimal("0.01"))))
    (alarm,) = [one for one in read(page).iter() if one.get("role") == "alert"]
    assert "✗ Does not tie out: do not pass these documents on." in text_of(alarm)
    assert "0.0000 ACUs · EUR 0.01" in text_of(alarm)
    assert "✓" not in text(page)
    assert "Does not tie out" not in text(rich())


def test_a_draft_is_preliminary_and_what_is_closed_never_is():
    heading = grove.derived().statement.heading
    assert "Chargeback statement PRELIMINARY Beech & Partners" in text(rich())
    assert "Status Draft" in text(rich())
    assert "all figures will still grow" in text(rich())
    closed = changed(
        heading=replace(heading, status="closed", cycle_open=False),
        variance=None,
        earlier=tuple(replace(one, status="closed") for one in grove.derived().statement.earlier),
        run_rate=None,
    )
    page = drawn(closed)
    assert "preliminary" not in text(page).casefold()
    assert "Status Closed and sealed These documents are final." in text(page)
    assert "will still grow" not in text(page)


def test_what_nobody_bears_and_what_disagrees_is_told():
    statement = grove.derived().statement
    found = Discrepancy(
        day=date(2025, 12, 30),
        product="devin",
        org_id="",
        principal_id="u|ada",
        acus=Decimal(-1),
        views=(),
    )
    missing = MissingView(request="/v3/a", reason="not asked", count=3)
    page = text(
        drawn(
            changed(
                heading=replace(statement.heading, missing_views=(missing,) * 2),
                discrepancies=(found,) * 3,
                unallocated=replace(statement.unallocated, cost_center=None),
                tie_out=replace(statement.tie_out, unborne_amount=Decimal("6.30")),
            )
        )
    )
    assert "Views of the API that disagree: 3. The statement lists them." in page
    assert "Questions the API refused: 2." in page
    assert "Usage that no rule assigns is borne by nobody. 5.6500 ACUs · EUR 6.30" in page
    assert "Not borne by any cost center: 0.0000 ACUs · EUR 6.30" in page
    assert "disagree" not in text(rich())
    assert rows(rich(), "unallocated") == {
        "no known user or organization": ["0.60", "0.3000"],
        "unmapped organization": ["0.00", "2.5000"],
        "unmapped service user": ["2.50", "1.2500"],
        "unmapped user": ["3.20", "1.6000"],
    }
    assert rows(rich(), "whose-usage") == {
        "=Bot unmapped user": ["3.20", "1.6000", "Z-9"],
        "Continuous integration unmapped service user": ["2.50", "1.2500", "Z-9"],
        "No known user or organization no known user or organization": ["0.60", "0.3000", "Z-9"],
        "Lab 研究 unmapped organization": ["0.00", "2.5000", "Z-9"],
    }


def test_the_first_cycle_is_compared_with_nothing():
    assert columns(first()) == ["Cost center", "Amount (EUR)", "ACUs", "Documents"]
    assert not list(read(first()).iter("{http://www.w3.org/2000/svg}svg"))
    assert "previous cycle" not in text(first())


@pytest.mark.quick(1)
@pytest.mark.parametrize("way", ["pseudonyms", "none"])
def test_nobody_is_named_unless_names_are_shown(way):
    known = test_privacy.everybody()
    names = {
        name
        for one in known.entries.values()
        for name in (one.name, one.email, one.principal.id)
        if name
    }
    assert len(names) > 5
    statement, shown = redacted(grove.derived().statement, known, way)
    page = next(one for one in tasks_of(statement, shown, grove.design()) if one.path == INDEX)
    assert not [name for name in names if name in draw(page, grove.design()).decode()]
    held = task().document.whole.statement.invoices
    assert not any(one.by_principal or one.detail for one in held)


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    ("locale", "lang", "title"),
    [("ja", "ja", "社内配賦集計表"), ("zh_TW", "zh-TW", "内部分摊汇总表")],
)
def test_the_page_speaks_the_language_of_the_enterprise(locale, lang, title):
    page = read(drawn(design=replace(grove.design(), locale=locale)))
    assert page.get("lang") == lang
    assert page.findtext("head/title") == f"{title} 2025年12月29日 · Beech & Partners"
    assert text_of(page.find(".//h1")).startswith(title)


def test_a_long_list_stands_by_department_with_links_to_each():
    one = grove.derived().statement.invoices[0]
    many = tuple(
        replace(
            one,
            number=f"N-{place}",
            cost_center=replace(
                one.cost_center,
                code=f"C-{place:02}",
                department=(None, "Lab & Co", "Änderung")[place % 3],
            ),
        )
        for place in range(30)
    )
    page = read(drawn(changed(invoices=many, variance=None, earlier=(), run_rate=None)))
    leads = {link.get("href"): link.text for link in page.find(".//nav").iter("a")}
    assert leads == {
        "#department-1": "Lab & Co",
        "#department-2": "Änderung",
        "#department-3": "No department",
    }
    heads = {
        f"#{row.get('id')}": text_of(row.find("th")) for row in page.iter("tr") if row.get("id")
    }
    assert heads == {href: f"{name} (10)" for href, name in leads.items()}
    bodies = [body for body in page.iter("tbody") if body.find("tr").get("id")]
    assert [len(body.findall("tr")) for body in bodies] == [11, 11, 11]
    assert read(rich()).find(".//nav") is None


def test_the_vendors_document_is_at_hand_under_its_number():
    page = drawn(changed(vendor_number="INV-2", vendor_document="papers/inv 2.pdf"))
    assert "inputs/assets/inv%202.pdf" in links(page)
    assert "The vendor's invoice INV-2" in text(page)


@pytest.mark.heavy
def test_a_thousand_cost_centers_stand_on_one_page():
    one = grove.derived().statement.invoices[0]
    many: tuple[Invoice, ...] = tuple(
        replace(
            one,
            number=f"N-{place}",
            cost_center=replace(one.cost_center, code=f"C-{place:04}", cycle_budget=None),
        )
        for place in range(1000)
    )
    page = drawn(changed(invoices=many, variance=None, run_rate=None))
    assert len(rows(page)) == 1000
