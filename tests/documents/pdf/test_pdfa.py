"""Every sample document is PDF/A-3 by a structural check, each rule of which finds a breach."""

import re
import subprocess
from collections import Counter
from collections.abc import Callable
from functools import cache
from html import unescape
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from reportgen.archive import evidence
from reportgen.core.cycle import cycle_between
from reportgen.core.model import Attachment
from reportgen.derive import Derived, Inputs, derive
from reportgen.documents.content.attachments import attachments
from reportgen.documents.pdf.pdf import pdf
from reportgen.documents.render import draw, filled
from reportgen.documents.tasks import Design, Task, tasks_of
from reportgen.documents.templating.templates import read_templates
from reportgen.sources.config.configuration import load
from tests.documents import beech, grove
from tests.documents.pdf.pdfa import check, findings
from tests.documents.pdf.pdfcontent import contents
from tests.documents.pdf.pdftags import Structure
from tests.documents.pdf.test_pdf import SCRIPTS

ROOT = Path(__file__).resolve().parents[3]


# Every sample document


def pdfs(derived: Derived, design: Design) -> dict[str, Task]:
    """List the PDFs of a cycle, with what is attached to them."""
    attached = attachments(derived.statement, derived.directory)
    found = tasks_of(derived.statement, derived.directory, design, attached)
    return {task.path: task for task in found if task.path.endswith(".pdf")}


def tasks(enterprise) -> dict[str, Task]:
    return pdfs(enterprise.derived(), enterprise.design())


SAMPLES = [(enterprise, path) for enterprise in (beech, grove) for path in tasks(enterprise)]


@cache
def drawn(enterprise, path: str) -> bytes:
    return draw(tasks(enterprise)[path], enterprise.design())


def check_document(content: bytes, task: Task, design: Design) -> None:
    """Check a document against its template's own title and what is attached to it."""
    (title,) = re.findall(r"(?s)<title>(.*?)</title>.*<body\b", filled(task, design))
    attached = {attachment.name: attachment.media_type for attachment in task.attachments}
    check(content, tagged=True, attachments=attached, title=unescape(title), language=task.locale)


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    ("enterprise", "path"), SAMPLES, ids=[f"{e.__name__[-5:]}-{path}" for e, path in SAMPLES]
)
def test_a_sample_document_is_archivable(enterprise, path):
    check_document(drawn(enterprise, path), tasks(enterprise)[path], enterprise.design())


@pytest.mark.heavy
def test_every_document_of_the_demo_is_archivable():
    configuration = load(ROOT / "configs" / "example")
    recorded = ROOT / "samples" / "acme" / "responses.jsonl"
    cycle = cycle_between(1764921600, 1767600000)
    inputs = Inputs(
        configuration=configuration,
        cycle=cycle,
        responses=evidence.read(recorded),
        source="responses.jsonl",
    )
    settings = configuration.settings.invoice
    templates = read_templates(None)
    design = Design(
        templates=templates, accent=settings.accent, locale=settings.locale, note=settings.note
    )
    found = pdfs(derive(inputs), design)
    assert len(found) > 10
    for task in found.values():
        check_document(draw(task, design), task, design)


def test_an_invoice_carries_its_own_json_and_usage():
    task = tasks(beech)["invoices/CB-2025-12-05-R-1.pdf"]
    with pikepdf.open(BytesIO(drawn(beech, task.path))) as document:
        held = {name: found.get_file().read_bytes() for name, found in document.attachments.items()}
    assert held == {attached.name: attached.content for attached in task.attachments}
    assert set(held) == {"invoice.json", "usage.csv"}


# The reader of the structure, against two others


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("enterprise", "path"), [(beech, "statement.pdf"), (grove, "invoices/CB-2025-12-29-S-2.pdf")]
)
def test_poppler_finds_the_same_words_on_the_page_and_in_the_structure(enterprise, path, tmp_path):
    file = tmp_path / "document.pdf"
    file.write_bytes(drawn(enterprise, path))
    seen = said(["pdftotext", str(file), "-"])
    told = said(["pdfinfo", "-struct-text", str(file)])
    with pikepdf.open(file) as document:
        pages = contents(document)
        structure = "".join(
            element.text for element in Structure(document, pages) if element.tag == "Document"
        )
        artifacts = "".join(
            shown.text for page in pages for shown in page.shown if shown.mark.is_artifact
        )
    quoted = "".join(
        line.strip()[1:-1] for line in told.splitlines() if line.strip().startswith('"')
    )
    assert letters(structure) == letters(quoted)
    assert letters(structure + artifacts) == letters(seen)


def said(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode()


def letters(text: str) -> Counter[str]:
    return Counter("".join(text.split()).replace("\f", ""))


@pytest.mark.quick(3)
@pytest.mark.parametrize("text", SCRIPTS)
def test_the_scripts_of_names_can_be_read(text):
    content = pdf(GOOD.replace("Hello", text), grove.design().templates["invoice.css"], ATTACHED)
    assert findings(content, tagged=True, **WANTED) == []
    with pikepdf.open(BytesIO(content)) as document:
        read = "".join(shown.text for page in contents(document) for shown in page.shown)
    assert letters(text) <= letters(read)


# Each rule finds what breaks it

GOOD = """<html lang="en"><head><title>A good one</title><meta name="author" content="Beech"/>
<meta name="generator" content="reportgen"/>
<style>@page { @bottom-left { content: "Page " counter(page) } }</style></head>
<body><h1>First</h1><p>Hello <a href="https://beech.example/a">there</a></p><h2>Second</h2>
<table><thead><tr><th>Product</th><th>ACUs</th></tr></thead>
<tbody><tr><td>devin</td><td>12.5</td></tr><tr><td>cascade</td><td>1.25</td></tr></tbody></table>
<ul><li>One</li><li>Two</li></ul>
<p><svg xmlns="http://www.w3.org/2000/svg" width="40" height="20" viewBox="0 0 40 20">
<title>A bar</title>
<path d="M0 0H40V20H0z" fill="#123456"/>
<text x="4" y="12" font-size="8" font-family="Liberation Sans">x</text></svg></p></body></html>"""
ATTACHED = (
    Attachment(
        name="invoice.json",
        media_type="application/json",
        description="It",
        relationship="Data",
        content=b"{}",
    ),
    Attachment(
        name="usage.csv",
        media_type="text/csv",
        description="Usage",
        relationship="Data",
        content=b"a,b\r\n",
    ),
)
WANTED = {
    "attachments": {"invoice.json": "application/json", "usage.csv": "text/csv"},
    "title": "A good one",
    "language": "en",
}


@cache
def good(variant: str = "pdf/a-3a") -> bytes:
    return pdf(GOOD, "", ATTACHED, variant=variant)


def changed(change: Callable[[pikepdf.Pdf], None]) -> bytes:
    """Change a good file, and write it anew."""
    with pikepdf.open(BytesIO(good())) as document:
        change(document)
        written = BytesIO()
        # As it is: pikepdf would mend metadata and pack streams anew.
        document.save(
            written, deterministic_id=True, fix_metadata_version=False, compress_streams=False
        )
    return written.getvalue()


@pytest.mark.parametrize(("variant", "tagged"), [("pdf/a-3a", True), ("pdf/a-3u", False)])
def test_a_good_file_has_no_findings(variant, tagged):
    check(good(variant), tagged=tagged, **WANTED)


def test_a_good_file_written_anew_has_no_findings():
    check(changed(lambda _: None), tagged=True, **WANTED)


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"tagged": False}, "conformance U"),
        ({"title": "Another"}, "not 'Another'"),
        ({"language": "ja"}, "not 'ja'"),
        ({"attachments": {"invoice.json": "application/json"}}, "Attached is"),
        ({"attachments": WANTED["attachments"] | {"usage.csv": "text/plain"}}, "not 'text/plain'"),
    ],
)
def test_another_wish_is_a_finding(wanted, sentence):
    with pytest.raises(AssertionError, match=sentence):
        check(good(), **{"tagged": True, **WANTED, **wanted})


def test_a_file_without_tags_is_not_tagged():
    found = findings(good("pdf/a-3u"), tagged=True, **WANTED)
    assert "The file has no structure tree." in found


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (lambda: good().replace(b"%PDF-1.7", b"%PDF-1.4", 1), "does not begin with %PDF-1.7"),
        (lambda: good() + b"and more\n", "does not end with %%EOF"),
    ],
)
def test_what_stands_before_and_after_the_objects_is_checked(content, sentence):
    assert sentence in "\n".join(findings(content(), tagged=True, **WANTED))


# What the changes below change


def page(document):
    return document.pages[0].obj


def font(document):
    return next(
        f for f in document.objects if isinstance(f, Dictionary) and f.get("/Subtype") == "/Type0"
    )


def spec(document):
    return pikepdf.NameTree(document.Root.Names.EmbeddedFiles)["usage.csv"]


def elements(document, tag):
    return [
        found
        for found in document.objects
        if isinstance(found, Dictionary)
        and found.get("/Type") == "/StructElem"
        and str(found.S) == f"/{tag}"
    ]


def element(document, tag):
    return elements(document, tag)[0]


def link(document):
    return page(document).Annots[0]


def in_metadata(old: str, new: str):
    def change(document):
        packet = document.Root.Metadata.read_bytes()
        assert old.encode() in packet
        document.Root.Metadata.write(packet.replace(old.encode(), new.encode()))

    return change


def in_page(old: bytes, new: bytes):
    def change(document):
        document.pages[0].contents_coalesce()
        content = page(document).Contents.read_bytes()
        assert old in content
        page(document).Contents = document.make_stream(content.replace(old, new, 1))

    return change


def append(drawing: bytes):
    """Draw something after what the page draws."""

    def change(document):
        document.pages[0].contents_add(drawing)

    return change


def put(find, key: str, value):
    """Set an entry of what `find` finds; without a value, take it away."""

    def change(document):
        found = find(document)
        if value is None:
            assert key in found
            del found[key]
        else:
            found[key] = value

    return change


def root(document):
    return document.Root


def make(stream: bytes, **entries):
    def change(document):
        document.Root.Extra = document.make_indirect(document.make_stream(stream, **entries))

    return change


def unlist(document):
    document.Root.AF = Array(list(document.Root.AF)[:1])


def list_twice(document):
    document.Root.AF.append(document.Root.AF[0])


def hide_attachment(document):
    document.Root.Names.EmbeddedFiles.Names = Array(
        list(document.Root.Names.EmbeddedFiles.Names)[:2]
    )


def swap_children(tag):
    def change(document):
        found = element(document, tag)
        found.K = Array(list(reversed(list(found.K))))

    return change


def narrow(document):
    widths = font(document).DescendantFonts[0].W
    widths[1] = Array([100 for _ in widths[1]])


def forget_letter(document):
    to_unicode = font(document).ToUnicode
    to_unicode.write(to_unicode.read_bytes().replace(b"> <0065>", b"> <0000>"))


def private_letter(document):
    to_unicode = font(document).ToUnicode
    to_unicode.write(to_unicode.read_bytes().replace(b"> <0065>", b"> <e123>"))


def cmyk_image(document):
    image = document.make_stream(
        b"\0\0\0\0", Type=Name.XObject, Subtype=Name.Image, Width=1, Height=1
    )
    image.ColorSpace, image.BitsPerComponent = Name.DeviceCMYK, 8
    document.Root.Extra = document.make_indirect(image)


def packed_by_lzw(document):
    stream = document.make_stream(b"")
    stream.write(b"\x80\x0b\x60\x50", filter=Name.LZWDecode, type_check=False)
    document.Root.Extra = document.make_indirect(stream)


def transparent(document):
    document.Root.Extra = document.make_indirect(
        Dictionary(Type=Name.ExtGState, BM=Name("/Sparkle"))
    )


def encrypted(document):
    written = BytesIO()
    document.save(written, encryption=pikepdf.Encryption(owner="", user=""))
    return written.getvalue()


def params(document):
    return spec(document).EF.F.Params


def script(**more):
    return Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"), **more)


FILE = {
    "no profile": (put(root, "/OutputIntents", None), "not one output intent"),
    "no number of components": (
        put(lambda d: d.Root.OutputIntents[0].DestOutputProfile, "/N", 4),
        "has /N 4",
    ),
    "another profile": (
        lambda d: d.Root.OutputIntents[0].DestOutputProfile.write(b"\0" * 128),
        "no whole ICC profile",
    ),
    "gray is covered, CMYK is not": (
        append(b"/Artifact BMC 0 0 0 1 k 0 0 5 5 re f EMC"),
        "/DeviceCMYK is used",
    ),
    "an image in CMYK": (cmyk_image, "/DeviceCMYK is used"),
    "another part": (in_metadata('part="3"', 'part="2"'), "does not say PDF/A part 3"),
    "no title for every language": (in_metadata("x-default", "en"), "title for any language is []"),
    "another producer": (in_metadata("WeasyPrint", "Somebody"), "/Producer is 'WeasyPrint"),
    "another author": (in_metadata("<rdf:li>Beech<", "<rdf:li>Birch<"), "/Author is 'Beech'"),
    "another date": (
        lambda d: d.docinfo.__setitem__("/ModDate", String("D:20251205080000Z")),
        "xmp:ModifyDate None",
    ),
    "a schema that nobody knows": (
        in_metadata('rdf:about="" pdf:', 'rdf:about="" xmlns:u="urn:u" u:x="1" pdf:'),
        "{urn:u}x",
    ),
    "metadata that is not XML": (in_metadata("</rdf:RDF>", ""), "cannot be parsed"),
    "metadata with an encoding": (
        in_metadata('begin=""', 'begin="" encoding="UTF-8"'),
        "bytes or encoding",
    ),
    "no metadata": (put(root, "/Metadata", None), "no /Metadata stream"),
    "no language": (put(root, "/Lang", None), "/Lang is ''"),
}
FONTS = {
    "no /ToUnicode": (put(font, "/ToUnicode", None), "has no /ToUnicode"),
    "a letter that stands for nothing": (forget_letter, "does not say what it stands for"),
    "a letter of private use": (private_letter, "U+E123"),
    "a font that is not embedded": (
        put(lambda d: font(d).DescendantFonts[0].FontDescriptor, "/FontFile2", None),
        "is not embedded",
    ),
    "no map of glyphs": (
        put(lambda d: font(d).DescendantFonts[0], "/CIDToGIDMap", None),
        "no /CIDToGIDMap",
    ),
    "other widths": (narrow, "in the embedded font"),
    "a glyph that is missing": (in_page(b"TJ", b"TJ [<0000>] TJ"), ".notdef is shown"),
    "a glyph beyond the font": (in_page(b"TJ", b"TJ [<fff0>] TJ"), "has no such glyph"),
    "no name of a subset": (
        put(font, "/BaseFont", Name("/Liberation-Sans")),
        "no name of a subset",
    ),
    "another encoding": (put(font, "/Encoding", Name("/Identity-V")), "another encoding"),
    "a font of another kind": (put(font, "/Subtype", Name.Type3), "no composite TrueType font"),
    "a set of glyphs with gaps": (
        lambda d: (
            font(d).DescendantFonts[0].FontDescriptor.__setitem__("/CIDSet", d.make_stream(b"\x80"))
        ),
        "/CIDSet without glyph",
    ),
}
CONTENT = {
    "a state left open": (append(b"q"), "leaves a state"),
    "deep nesting": (append(b"q " * 29 + b"Q " * 29), "deeper than 28"),
    "an end without beginning": (append(b"EMC"), "EMC without a beginning"),
    "an artifact inside a text": (in_page(b"BDC", b"BDC /Artifact BMC EMC"), "stands inside"),
    "JavaScript on opening": (put(root, "/OpenAction", script()), "is an action /JavaScript"),
    "JavaScript on closing": (put(root, "/AA", Dictionary(WC=script())), "starts by itself"),
    "a link that runs a program": (
        put(link, "/A", Dictionary(S=Name.Launch, F=String("a.exe"))),
        "action /Launch",
    ),
    "a link into another file": (
        put(link, "/A", Dictionary(S=Name.GoToR, F=String("b.pdf"))),
        "action /GoToR",
    ),
    "a second action": (
        lambda d: link(d).A.__setitem__("/Next", Array([Dictionary(S=Name.Named, N=Name.Print)])),
        "action /Named",
    ),
    "a link to a file": (
        put(lambda d: link(d).A, "/URI", String("file:///etc/passwd")),
        "not to a page of the web",
    ),
    "a link that opens at once": (
        put(root, "/OpenAction", Dictionary(S=Name.URI, URI=String("https://beech.example"))),
        "OpenAction is an action /URI",
    ),
    "an annotation that is not printed": (put(link, "/F", 0), "is not printed"),
    "an annotation that is hidden": (put(link, "/F", 6), "or is hidden"),
    "a film": (put(link, "/Subtype", Name.Movie), "an annotation /Movie"),
    "a stamp without a look": (put(link, "/Subtype", Name.Stamp), "has no appearance"),
    "a file elsewhere": (
        put(root, "/Extra", Dictionary(Type=Name.Filespec, F=String("http://beech.example/x"))),
        "refers to a file outside",
    ),
    "a stream elsewhere": (make(b"", F=String("x.bin")), "kept in another file"),
    "PostScript": (make(b"", Type=Name.XObject, Subtype=Name.PS), "is PostScript"),
    "LZW": (packed_by_lzw, "is packed by /LZWDecode"),
    "a smoothed image": (make(b"", Subtype=Name.Image, Interpolate=True), "/Interpolate"),
    "a transfer function": (put(root, "/Extra", Dictionary(TR=Name.Identity)), "transfer function"),
    "a blend mode nobody knows": (transparent, "blend mode /Sparkle"),
    "a form that the viewer draws": (
        put(root, "/AcroForm", Dictionary(NeedAppearances=True)),
        "/NeedAppearances",
    ),
    "an XFA form": (put(root, "/AcroForm", Dictionary(XFA=String("x"))), "an XFA form"),
    "an image that is kept elsewhere": (put(root, "/Extra", Dictionary(OPI=Dictionary())), "OPI"),
}
ATTACHMENTS = {
    "not listed for the document": (unlist, "listed 0 times"),
    "listed twice": (list_twice, "listed 2 times"),
    "not listed for viewers": (hide_attachment, "does not name"),
    "something else listed": (lambda d: d.Root.AF.append(page(d)), "which is no attachment"),
    "another size": (put(params, "/Size", 6), "has 5 bytes, not the 6"),
    "another content": (lambda d: spec(d).EF.F.write(b"c,d\r\n"), "another checksum"),
    "no date": (put(params, "/ModDate", None), "has no /ModDate"),
    "another date": (put(params, "/ModDate", String("D:20260101000000Z")), "several dates"),
    "a local date": (
        put(params, "/CreationDate", String("D:20260101000000+01'00")),
        "has no /CreationDate in UTC",
    ),
    "no MIME type": (put(lambda d: spec(d).EF.F, "/Subtype", None), "has the MIME type ''"),
    "no relation": (put(spec, "/AFRelationship", None), "has the relation None"),
    "any relation": (
        put(spec, "/AFRelationship", Name.Unspecified),
        "has the relation /Unspecified",
    ),
    "no description": (put(spec, "/Desc", String("")), "has no description"),
    "two names": (put(spec, "/UF", String("other.csv")), "other names"),
    "no content": (put(spec, "/EF", Dictionary()), "has no content"),
}
STRUCTURE = {
    "not marked": (put(root, "/MarkInfo", Dictionary(Marked=False)), "/MarkInfo"),
    "the file's name as title": (put(root, "/ViewerPreferences", None), "for a title"),
    "no order of links": (put(page, "/Tabs", None), "/Tabs /S"),
    "no way back": (
        put(lambda d: d.Root.StructTreeRoot, "/ParentTree", None),
        "has no /ParentTree",
    ),
    "another way back": (put(page, "/StructParents", 99), "does not lead from MCID 0"),
    "a link without a way back": (put(link, "/StructParent", 99), "from an annotation"),
    "a link without words": (put(link, "/Contents", String("")), "has no words"),
    "a link outside": (
        lambda d: element(d, "Link").__setitem__("/S", Name.Span),
        "belongs to no Link",
    ),
    "text outside": (
        append(b"BT 10 10 Td ET 0 0 9 9 re f"),
        "neither structure nor artifact",
    ),
    "text that nobody holds": (put(lambda d: element(d, "H2"), "/K", Array()), "'Second' (MCID"),
    "text that nobody draws": (in_page(b"/MCID 0", b"/MCID 77"), "holds MCID 0, which"),
    "text twice in the structure": (
        lambda d: element(d, "H2").__setitem__("/K", element(d, "H1").K),
        "more than one element",
    ),
    "an unknown type": (
        put(lambda d: element(d, "P"), "/S", Name("/Paragraph")),
        "Paragraph is no standard",
    ),
    "another parent": (
        lambda d: element(d, "H2").__setitem__("/P", element(d, "H1")),
        "H2 names another parent",
    ),
    "two first headings": (put(lambda d: element(d, "H2"), "/S", Name.H1), "the only H1"),
    "a level skipped": (put(lambda d: element(d, "H2"), "/S", Name.H3), "skips a level"),
    "a header without scope": (
        lambda d: element(d, "TH").A.__delitem__("/Scope"),
        "TH 'Product' does not say",
    ),
    "a table without headers": (
        lambda d: [th.__setitem__("/S", Name.TD) for th in elements(d, "TH")],
        "has no header",
    ),
    "rows of different lengths": (
        lambda d: elements(d, "TD")[0].A.__setitem__("/ColSpan", 2),
        "[2, 3, 2]",
    ),
    "a cell outside a row": (put(lambda d: element(d, "TR"), "/S", Name.P), "does not stand in TR"),
    "an item outside a list": (
        put(lambda d: element(d, "L"), "/S", Name.Div),
        "does not stand in L",
    ),
    "a picture without words": (
        put(lambda d: element(d, "Figure"), "/Alt", None),
        "who cannot see it",
    ),
    "a picture without a frame": (put(lambda d: element(d, "Figure"), "/A", None), "has no frame"),
    "a picture outside its frame": (
        lambda d: element(d, "Figure").A.__setitem__("/BBox", Array([0, 0, 9, 9])),
        "is drawn outside its frame",
    ),
    "a frame outside the page": (
        lambda d: element(d, "Figure").A.__setitem__("/BBox", Array([0, 0, 999, 9999])),
        "beyond page 1",
    ),
    "a header that is not there": (
        lambda d: elements(d, "TD")[0].A.__setitem__("/Headers", Array([String("h")])),
        "names a header that is not there",
    ),
    "a name that is not listed": (
        put(lambda d: element(d, "TH"), "/ID", String("h")),
        "/IDTree does not list",
    ),
    "blocks in another order": (swap_children("Document"), "but stands above it"),
    "rows in another order": (swap_children("TBody"), "is read after TR"),
}
CHANGES = {
    "file": FILE,
    "fonts": FONTS,
    "content": CONTENT,
    "attachments": ATTACHMENTS,
    "structure": STRUCTURE,
}


@pytest.mark.quick(32)
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param(*found, id=f"{kind}: {name}")
        for kind, changes in CHANGES.items()
        for name, found in changes.items()
    ],
)
def test_a_change_is_found(change, sentence):
    assert sentence in "\n".join(findings(changed(change), tagged=True, **WANTED))


def test_encryption_is_found():
    with pikepdf.open(BytesIO(good())) as document:
        content = encrypted(document)
    assert "The file is encrypted." in findings(content, tagged=True, **WANTED)


def test_an_ellipsis_of_the_layout_is_found():
    """It is mapped to the text that it hides, and to the same one wherever it stands again."""
    style = "p { width: 40mm; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }"
    hidden = "Chloé Bérengère Marguerite Apolline de la Tour d'Auvergne"
    body = f"<h1>T</h1><p>{hidden}</p>"
    markup = f'<html lang="en"><head><title>T</title></head><body>{body}</body></html>'
    found = findings(pdf(markup, style), tagged=True, attachments={}, title="T", language="en")
    assert any("characters, of which a reader copies every one" in sentence for sentence in found)
