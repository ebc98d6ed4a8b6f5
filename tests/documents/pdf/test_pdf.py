"""The PDF engine: WeasyPrint's own bytes, the fonts meant, no glyph missing, nothing fetched."""

import base64
import re
import threading
from collections.abc import Iterator
from datetime import datetime
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from pypdf import PdfReader
from weasyprint import CSS, HTML

from reportgen.core.problem import Problem, Rejected
from reportgen.documents.markup import MarkupError
from reportgen.documents.pdf.fetcher import NotFetched
from reportgen.documents.pdf.glyphs import MissingGlyph
from reportgen.documents.pdf.pdf import FOR_ALL, OF_ALL_HTML, _fonts, is_plain, pdf
from reportgen.documents.render import draw
from tests.documents.beech import design, markup, task

FONTS = {
    "Liberation-Sans",
    "Liberation-Sans-Bold",
    "DejaVu-Sans",
    "Droid-Sans-Fallback",
    "NanumGothic",
}
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


SCRIPTS = (
    "Ελένη Ольга Łódź",
    "דנה לוי",
    "ليلى حداد",
    "田中 由紀 さくら",
    "王小明 陈静",
    "김민준 朴",
    "e\u0301 € – × − → ☎ �",
)
"""What names are written in, and signs of documents."""


def page(body: str, head: str = "") -> str:
    return f'<html lang="en"><head><title>T</title>{head}</head><body>{body}</body></html>'


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize("path", ["R-1.pdf", "S-2.pdf", "statement.pdf"])
def test_a_tree_from_expat_gives_the_bytes_of_weasyprints_own_parser(path):
    css = design().templates["invoice.css"]
    document = as_html(markup(path))
    stock = HTML(string=document).write_pdf(
        font_config=_fonts(), stylesheets=[CSS(string=css, font_config=_fonts())]
    )
    assert pdf(document, css, variant=None) == stock


def test_rules_that_match_every_element_are_left_out_of_a_plain_page():
    """A new version of WeasyPrint may write them otherwise: then nothing would be left out."""
    left = re.findall(
        r"^::[\w-]+", "\n".join(FOR_ALL.findall(OF_ALL_HTML.read_text())), re.MULTILINE
    )
    notes = (
        "::footnote-call",
        "::footnote-marker",
        "::note-call",
        "::note-marker",
        "::note-callback",
    )
    assert left == ["::marker", *notes]
    assert is_plain(markup("R-1.pdf"), design().templates["invoice.css"])


@pytest.mark.parametrize(
    ("body", "style"),
    [
        ("<ol><li>One</li></ol>", ""),
        ('<p class="x">One</p>', ".x { display: list-item; list-style: decimal inside }"),
        ("<p>A<span>Aside</span></p>", "span { float: footnote }"),
        ("<p>A<span>Aside</span></p>", "span { float: foot\\6eote }"),
    ],
)
def test_a_page_with_lists_or_notes_has_their_markers(body, style):
    content = pdf(page(body), f"@page {{ size: A4 }} {style}")
    assert "1." in text_of(content)


def as_html(xhtml: str) -> str:
    """Resolve entities in the style element, which HTML reads as it stands."""
    return re.sub("<style>.*?</style>", lambda style: unescape(style[0]), xhtml, flags=re.DOTALL)


@pytest.mark.heavy
def test_drawing_twice_gives_the_same_bytes():
    assert draw(task("R-1.pdf"), design()) == draw(task("R-1.pdf"), design())


def test_entities_and_markup_in_the_data_are_text():
    shown = text_of(pdf(page("<p>Chlo&eacute; &lt;b&gt; &amp;amp; R&amp;D</p>"), ""))
    assert "Chloé <b> &amp; R&D" in shown


def text_of(content: bytes) -> str:
    return "\n".join(found.extract_text() for found in PdfReader(BytesIO(content)).pages)


def test_markup_that_is_not_well_formed_is_refused():
    with pytest.raises(MarkupError, match="mismatched tag"):
        pdf(page("<p>one<br></p>"), "")


# Glyphs


@pytest.mark.parametrize(("character", "point"), [("\U0001e900", "U+1E900"), ("\ue123", "U+E123")])
def test_a_missing_glyph_stops_with_its_text(character, point):
    with pytest.raises(MissingGlyph) as caught:
        pdf(page(f"<p>Somebody</p><p>Adlam {character} Bah</p>"), "")
    assert str(caught.value).startswith(f'{point} in "Adlam ')
    assert str(caught.value).endswith(' Bah"')


def test_a_missing_glyph_names_the_document():
    template = page("<p>{{ document.cost_center.name }} \U0001e900</p>")
    with pytest.raises(Rejected) as caught:
        draw(task("R-1.pdf"), design(invoice_html_j2=template))
    (problem,) = caught.value.problems
    assert problem.source == "invoices/CB-2025-12-05-R-1.pdf"
    assert "U+1E900" in problem.message
    assert "Research & Development" in problem.message
    assert problem.message.endswith("from the template invoice.html.j2, or the logo")


def test_the_next_document_does_not_inherit_a_missing_glyph():
    with pytest.raises(MissingGlyph):
        pdf(page("<p>\U0001e900</p>"), "")
    assert pdf(page("<p>Adlam</p>"), "").startswith(b"%PDF")


@pytest.mark.parametrize("text", SCRIPTS)
def test_the_scripts_of_names_can_be_drawn(text):
    assert fonts_of(pdf(page(f"<p>{text}</p>"), design().templates["invoice.css"])) <= FONTS


# Fonts


def fonts_of(content: bytes) -> set[str]:
    """Name the fonts of a PDF, each of which is embedded as TrueType; raises AssertionError."""
    found = set()
    with pikepdf.open(BytesIO(content)) as document:
        for font in (item for item in document.objects if isinstance(item, pikepdf.Dictionary)):
            if font.get("/Type") == "/Font" and "/FontDescriptor" in font:
                assert font.Subtype == "/CIDFontType2"
                assert "/FontFile2" in font.FontDescriptor
                found.add(str(font.BaseFont).partition("+")[2])
    assert found
    return found


@pytest.mark.quick(2)
@pytest.mark.parametrize("path", ["R-1.pdf", "S-2.pdf", "Z-9.pdf", "statement.pdf"])
def test_only_our_fonts_are_there_and_all_are_embedded_truetype(path):
    assert fonts_of(draw(task(path), design())) <= FONTS


def test_a_font_that_a_template_asks_for_is_not_taken_from_the_machine():
    style = "<style>p { font-family: 'Liberation Serif', 'DejaVu Sans Mono', serif }</style>"
    assert fonts_of(pdf(page("<p>Serif</p>", style), "")) <= FONTS


# Nothing is fetched


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """Serve a picture on loopback; give the address and what has been asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(PIXEL)

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        threading.Thread(target=found.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}", asked
        found.shutdown()


WAYS = {
    "image": '<img src="{0}/a.png"/>',
    "background": '<p style="background: url({0}/a.png)">x</p>',
    "style sheet": '<link rel="stylesheet" href="{0}/a.css"/>',
    "import": "<style>@import url({0}/a.css);</style>",
    "font": "<style>@font-face {{ font-family: X; src: url({0}/a.ttf) }}</style>"
    "<p style='font-family: X'>x</p>",
    "object": '<object data="{0}/a.png"></object>',
    "picture in a picture": '<svg xmlns="http://www.w3.org/2000/svg">'
    '<image href="{0}/a.png"/></svg>',
    "attachment": '<a rel="attachment" href="{0}/a.png">x</a>',
}


def refused(**changed: str) -> Problem:
    """Draw a document with changed templates, and give the one problem that comes of it."""
    with pytest.raises(Rejected) as caught:
        draw(task("R-1.pdf"), design(**changed))
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_fetched_from_the_network_and_nothing_is_lost_unseen(way, server):
    base, asked = server
    problem = refused(invoice_html_j2=page("\n" + WAYS[way].format(base)))
    assert problem.source == "invoice.html.j2:2"
    assert f'asks for "{base}/a.' in problem.message
    assert 'begins with "data:"' in problem.hint
    assert asked == []


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_read_from_the_disk(way, tmp_path: Path):
    (tmp_path / "a.png").write_bytes(PIXEL)
    (tmp_path / "a.css").write_text("p { color: red }", encoding="utf-8")
    problem = refused(invoice_html_j2=page("\n" + WAYS[way].format(tmp_path.as_uri())))
    assert problem.source == "invoice.html.j2:2"
    assert f'asks for "{tmp_path.as_uri()}/a.'[:78] in problem.message


@pytest.mark.parametrize("way", sorted(WAYS.keys() - {"import"}))
def test_an_address_that_is_relative_leads_nowhere_either(way):
    problem = refused(invoice_html_j2=page("\n" + WAYS[way].format(".")))
    assert problem.source == "invoice.html.j2:2"
    assert 'asks for "./a.' in problem.message


@pytest.mark.heavy
def test_what_a_style_sheet_asks_for_names_the_style_sheet_every_time():
    css = "@import 'http://x.example/a.css';\np { background: url(http://x.example/b.png) }"
    for _ in range(2):
        problem = refused(invoice_css=css)
        assert problem.source == "invoice.css:1"
        assert '"http://x.example/a.css"' in problem.message
    assert (
        refused(invoice_css="\nbody { background: url(http://x.example/b.png) }").source
        == "invoice.css:2"
    )


def test_a_picture_that_cannot_be_read_is_not_lost_unseen():
    assert (
        "failed to load image"
        in refused(invoice_html_j2=page('<img src="data:image/png;base64,AAAA"/>')).message
    )


@pytest.mark.parametrize("address", ["data:image/png;base64,", "data:", "https://acme.example/"])
@pytest.mark.parametrize(
    "markup",
    [
        '<img src="%s"/>',
        '<link rel="stylesheet" href="%s"/>',
        '<p style="background: url(%s)">x</p>',
    ],
)
def test_a_long_address_is_not_repeated_whole(markup, address):
    with pytest.raises(NotFetched) as raised:
        pdf(page(markup % (address + "eHh4" * 900)), "")
    assert address in str(raised.value)
    assert "eHh4eHh4" in str(raised.value)
    assert len(str(raised.value)) < 130


def test_the_next_document_does_not_inherit_what_was_refused():
    with pytest.raises(NotFetched):
        pdf(page('<img src="http://x.example/a.png"/>'), "")
    assert pdf(page("<p>Nothing</p>"), "").startswith(b"%PDF")


def test_links_lead_where_they_say():
    links = '<p id="here"><a href="https://example.com/">there</a> <a href="#here">here</a></p>'
    with pikepdf.open(BytesIO(pdf(page(links), ""))) as document:
        found = [
            item.A.URI
            for item in document.objects
            if isinstance(item, pikepdf.Dictionary) and "/A" in item
        ]
    assert found == ["https://example.com/"]


def test_what_a_template_carries_itself_is_drawn():
    data = f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"
    assert b"/Image" in pdf(page(f'<img src="{data}"/>'), "")


# What an archive asks of every page


@pytest.mark.parametrize(
    ("markup", "message"),
    [
        ("<html lang='en'><head><title> </title></head><body/></html>", "has no <title>"),
        ("<html><head><title>T</title></head><body/></html>", "has no lang"),
        (page('<a href="javascript:alert(1)">x</a>'), 'leads to "javascript:alert(1)"'),
        (page('<a href="file:///etc/passwd">x</a>'), 'leads to "file:///etc/passwd"'),
        (page('<a href="other.html">x</a>'), 'leads to "other.html"'),
    ],
)
def test_a_page_that_no_archive_can_keep_is_refused(markup, message):
    with pytest.raises(MarkupError, match=re.escape(message)):
        pdf(markup, "")


def test_links_that_can_be_followed_are_kept():
    links = (
        '<a href="https://a.example/">a</a><a href="mailto:a@b.example">b</a>'
        '<a href="#c">c</a><p id="c">c</p>'
    )
    assert pdf(page(links), "").startswith(b"%PDF")


def test_a_template_may_attach_what_it_carries_dated_like_everything_else():
    way = '<link rel="attachment" href="data:text/plain,hi" title="x"/>'
    dated = datetime(2026, 1, 5, 8)  # noqa: DTZ001
    with pikepdf.open(BytesIO(pdf(page("<p>x</p>", way), "", dated=dated))) as document:
        (found,) = document.attachments.values()
        params = found.get_file().obj.Params
        assert {str(params.CreationDate), str(params.ModDate)} == {"D:20260105080000Z"}


@pytest.mark.parametrize("css", ["p { colour: red }", "p { width: 5quux }", "@bogus x {}"])
def test_a_style_sheet_with_a_mistake_is_refused(css):
    template = page("<p>x</p>")
    with pytest.raises(Rejected) as caught:
        draw(task("R-1.pdf"), design(invoice_html_j2=template, invoice_css=css))
    assert "has a style sheet with a mistake: " in caught.value.problems[0].message
