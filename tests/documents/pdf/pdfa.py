"""A structural check of PDF/A-3, by an independent reader: the rules that bytes can show.

It reads the whole object graph by pikepdf, the metadata by an XML parser, the fonts by fontTools,
and what the pages show by `pdfcontent`. It is no validator, and a file without findings has not
been validated.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO

import pikepdf
from lxml import etree

from tests.documents.pdf import pdftags
from tests.documents.pdf.pdfcontent import Content, Font, contents, walk

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
XML_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
PREFIXES = {
    "http://www.aiim.org/pdfa/ns/id/": "pdfaid",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/pdf/1.3/": "pdf",
}
"""The schemas that need no description of their own in the file."""
SAME = {
    "/Title": "dc:title",
    "/Author": "dc:creator",
    "/Subject": "dc:description",
    "/Keywords": "pdf:Keywords",
    "/Creator": "xmp:CreatorTool",
    "/Producer": "pdf:Producer",
}
"""What the document information dictionary and the metadata both say."""
DATES = {"/CreationDate": "xmp:CreateDate", "/ModDate": "xmp:ModifyDate"}
ACTIONS = {"/GoTo", "/URI"}
FORBIDDEN_KEYS = {
    "/AA": "an action that starts by itself",
    "/JS": "JavaScript",
    "/JavaScript": "JavaScript",
    "/XFA": "an XFA form",
    "/Alternates": "alternate images",
    "/OPI": "a picture that is kept elsewhere (OPI)",
    "/Ref": "a page of another file",
    "/FFilter": "a stream that is kept in another file",
    "/FDecodeParms": "a stream that is kept in another file",
    "/PresSteps": "presentation steps",
    "/AlternatePresentations": "alternate presentations",
    "/Requirements": "requirements on the viewer",
    "/TR": "a transfer function",
    "/HTP": "a halftone phase",
}
LONGEST_CLUSTER = 8
"""Characters that one glyph can stand for: a letter with its marks, a ligature."""
FORBIDDEN_ANNOTATIONS = {"/3D", "/Sound", "/Screen", "/Movie"}
_BLEND_MODES = """
Normal Compatible Multiply Screen Overlay Darken Lighten ColorDodge ColorBurn HardLight SoftLight
Difference Exclusion Hue Saturation Color Luminosity
"""
BLEND_MODES = frozenset(f"/{mode}" for mode in _BLEND_MODES.split())
RELATIONS = {"/Source", "/Data", "/Alternative", "/Supplement"}
WIDTH_TOLERANCE = 1.0  # thousandths of the font size


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a file is asked to be."""

    tagged: bool
    attachments: Mapping[str, str]
    title: str
    language: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A file, opened, with what several rules look at read once."""

    content: bytes
    document: pikepdf.Pdf
    wanted: Wanted

    @property
    def catalog(self) -> pikepdf.Dictionary:
        return self.document.Root

    @cached_property
    def pages(self) -> list[Content]:
        return contents(self.document)

    @cached_property
    def graph(self) -> list[tuple[str, pikepdf.Object]]:
        return list(walk(self.document))

    @cached_property
    def dictionaries(self) -> list[tuple[str, pikepdf.Object]]:
        return [
            (way, found)
            for way, found in self.graph
            if isinstance(found, pikepdf.Dictionary | pikepdf.Stream)
        ]

    @cached_property
    def embedded(self) -> list[tuple[str, pikepdf.Dictionary]]:
        """The attachments by name, as the name tree lists them."""
        names = self.catalog.get("/Names", pikepdf.Dictionary())
        return (
            list(pikepdf.NameTree(names.EmbeddedFiles).items()) if "/EmbeddedFiles" in names else []
        )


def check(
    content: bytes, *, tagged: bool, attachments: Mapping[str, str], title: str, language: str
) -> None:
    """Fail with a sentence for each rule that is not kept; attachments are MIME types by name."""
    found = findings(
        content, tagged=tagged, attachments=attachments, title=title, language=language
    )
    assert not found, "\n".join(found)


def findings(
    content: bytes, *, tagged: bool, attachments: Mapping[str, str], title: str, language: str
) -> list[str]:
    """List the rules that a PDF does not keep."""
    wanted = Wanted(tagged=tagged, attachments=attachments, title=title, language=language)
    with pikepdf.open(BytesIO(content)) as document:
        reading = Reading(content=content, document=document, wanted=wanted)
        found = [sentence for rule in RULES for sentence in rule(reading)]
        if tagged:
            found += pdftags.findings(document, reading.pages)
    return found


def _file(reading: Reading) -> Iterator[str]:
    if not re.match(rb"%PDF-1\.7\r?\n%[\x80-\xff]{4,}", reading.content):
        yield "The file does not begin with %PDF-1.7 and a comment of four bytes above 127."
    if not re.search(rb"%%EOF\r?\n?\Z", reading.content):
        yield "The file does not end with %%EOF."
    if "/Encrypt" in reading.document.trailer:
        yield "The file is encrypted."
    identifier = reading.document.trailer.get("/ID", [])
    if len(identifier) != 2 or not all(bytes(part) for part in identifier):
        yield "The trailer has no /ID of two strings."


# Metadata


def _metadata(reading: Reading) -> Iterator[str]:
    stream = reading.catalog.get("/Metadata")
    if (
        not isinstance(stream, pikepdf.Stream)
        or stream.get("/Type") != "/Metadata"
        or stream.get("/Subtype") != "/XML"
    ):
        yield "The catalog has no /Metadata stream of /Type /Metadata and /Subtype /XML."
        return
    packet = stream.read_bytes()
    header = re.search(rb"<\?xpacket begin=[^>]*\?>", packet)
    if not header or re.search(rb"bytes=|encoding=", header[0]):
        yield "The metadata has no xpacket header, or one that names bytes or encoding."
    try:
        stated = properties(packet)
    except etree.XMLSyntaxError as error:
        yield f"The metadata cannot be parsed: {error}."
        return
    for name in sorted(stated):
        if name.startswith("{"):
            yield f"The metadata says {name}, whose schema the file does not describe."
    yield from _identification(reading, stated)
    yield from _information(reading, stated)


def _identification(reading: Reading, stated: Mapping[str, list[str]]) -> Iterator[str]:
    conformance = "A" if reading.wanted.tagged else "U"
    if (stated.get("pdfaid:part"), stated.get("pdfaid:conformance")) != (["3"], [conformance]):
        yield f"The metadata does not say PDF/A part 3, conformance {conformance}."
    if stated.get("dc:title") != [reading.wanted.title]:
        title = stated.get("dc:title")
        yield f"The metadata's title for any language is {title}, not {reading.wanted.title!r}."
    for name in ("pdf:Producer", "xmp:CreatorTool"):
        if not any(stated.get(name, [])):
            yield f"The metadata has no {name}."
    language = str(reading.catalog.get("/Lang", ""))
    if language != reading.wanted.language:
        yield f"The catalog's /Lang is {language!r}, not {reading.wanted.language!r}."
    if stated.get("dc:language") != [language]:
        said = stated.get("dc:language")
        yield f"The metadata's dc:language is {said}, the catalog's /Lang {language!r}."


def _information(reading: Reading, stated: Mapping[str, list[str]]) -> Iterator[str]:
    """The document information dictionary says nothing else than the metadata."""
    information = reading.document.trailer.get("/Info", pikepdf.Dictionary())
    for key, name in SAME.items():
        if key in information and [str(information[key])] != stated.get(name):
            said = f"{key} is {str(information[key])!r} among the document's information"
            yield f"{said}, {name} {stated.get(name)}."
    for key, name in DATES.items():
        if key in information and [_digits(str(information[key]))] != [
            _digits(d) for d in stated.get(name, [])
        ]:
            said = f"{key} is {str(information[key])!r} among the document's information"
            yield f"{said}, {name} {stated.get(name)}."


def _digits(date: str) -> str:
    """Reduce both ways to write a date to what they share; a zone of zero is no zone."""
    return re.sub(r"\D", "", re.sub(r"([+-]00[:']?00'?|Z)$", "", date))


def properties(packet: bytes) -> dict[str, list[str]]:
    """Read an XMP packet: each property by prefix and name, an attribute, a text or a list."""
    found: dict[str, list[str]] = {}
    for description in etree.fromstring(packet).iter(f"{RDF}Description"):
        for name, value in description.attrib.items():
            if not name.startswith(RDF):
                found.setdefault(_prefixed(name), []).append(value)
        for child in description:
            found.setdefault(_prefixed(child.tag), []).extend(_values(child))
    return found


def _values(element: etree._Element) -> Iterator[str]:
    if (alternatives := element.find(f"{RDF}Alt")) is not None:
        yield from (
            entry.text or "" for entry in alternatives if entry.get(XML_LANGUAGE) == "x-default"
        )
    elif entries := [entry.text or "" for entry in element.iter(f"{RDF}li")]:
        yield from entries
    else:
        yield element.text or ""


def _prefixed(name: str) -> str:
    namespace, _, local = name[1:].partition("}")
    return f"{PREFIXES[namespace]}:{local}" if namespace in PREFIXES else name


# Colors


def _colors(reading: Reading) -> Iterator[str]:
    intents = [i for i in reading.catalog.get("/OutputIntents", []) if i.get("/S") == "/GTS_PDFA1"]
    if len(intents) != 1 or not isinstance(
        profile := intents[0].get("/DestOutputProfile"), pikepdf.Stream
    ):
        yield "The catalog has not one output intent GTS_PDFA1 with a profile."
        return
    if not str(intents[0].get("/OutputConditionIdentifier", "")):
        yield "The output intent does not name its condition (/OutputConditionIdentifier)."
    header = profile.read_bytes()
    kind = header[12:16], header[16:20], header[36:40]
    sized = int.from_bytes(header[:4], "big") == len(header)
    if (
        kind[0] not in (b"mntr", b"prtr")
        or kind[1:] != (b"RGB ", b"acsp")
        or not sized
        or header[8] not in (2, 4)
    ):
        yield f"The profile of the output intent is no whole ICC profile of RGB: {kind}."
    if profile.get("/N") != 3:
        yield f"The profile of the output intent has /N {profile.get('/N')}, not 3."
    drawn = {color for page in reading.pages for color in page.colors}
    named = {str(found) for _, found in reading.graph if isinstance(found, pikepdf.Name)}
    for color in sorted((drawn | named) & {"/DeviceCMYK", "/Separation", "/DeviceN"}):
        yield f"{color} is used, which an RGB output intent does not cover."


# Fonts


def _fonts(reading: Reading) -> Iterator[str]:
    for _, found in reading.dictionaries:
        if found.get("/Type") == "/Font" and found.get("/Subtype") not in (
            "/CIDFontType0",
            "/CIDFontType2",
        ):
            yield from _font(Font(found))


def _font(font: Font) -> Iterator[str]:
    if (
        font.dictionary.get("/Subtype") != "/Type0"
        or font.descendant.get("/Subtype") != "/CIDFontType2"
    ):
        yield f"Font {font.name} is no composite TrueType font."
        return
    names = {
        font.name,
        str(font.descendant.get("/BaseFont"))[1:],
        str(font.descriptor.get("/FontName"))[1:],
    }
    if len(names) != 1 or not re.match(r"[A-Z]{6}\+.", font.name):
        yield f"Font {font.name} has no name of a subset, or several names: {sorted(names)}."
    if font.dictionary.get("/Encoding") != "/Identity-H":
        yield f"Font {font.name} has another encoding than Identity-H, as for missing glyphs."
    system = font.descendant.get("/CIDSystemInfo", pikepdf.Dictionary())
    if (str(system.get("/Registry")), str(system.get("/Ordering"))) != ("Adobe", "Identity"):
        yield f"Font {font.name} has a /CIDSystemInfo that does not fit Identity-H."
    if font.descendant.get("/CIDToGIDMap") != "/Identity":
        yield f"Font {font.name} has no /CIDToGIDMap."
    if not font.advances:
        yield f"Font {font.name} is not embedded."
    if "/ToUnicode" not in font.dictionary:
        yield f"Font {font.name} has no /ToUnicode: its text can be seen, but not read."


def _glyphs(reading: Reading) -> Iterator[str]:
    used: dict[tuple[int, int], tuple[Font, set[int]]] = {}
    for shown in (shown for page in reading.pages for shown in page.shown):
        used.setdefault(shown.font.dictionary.objgen, (shown.font, set()))[1].update(shown.codes)
    for font, codes in used.values():
        for code in sorted(codes):
            yield from (
                f"Font {font.name}, glyph {code}: {fault}."
                for fault in _glyph(font, code, reading.wanted)
            )
        yield from _set_of_glyphs(font, codes)


def _glyph(font: Font, code: int, wanted: Wanted) -> Iterator[str]:
    text = font.unicode.get(code, "")
    if not text or {"\0", "\ufffe", "\ufeff"} & set(text):
        yield "/ToUnicode does not say what it stands for"
    if wanted.tagged and any(
        "\ue000" <= character <= "\uf8ff" or character >= "\U000f0000" for character in text
    ):
        yield f"it stands for U+{ord(text[0]):04X}, to which only private agreement gives a meaning"
    if len(text) > LONGEST_CLUSTER:
        yield f"it stands for {len(text)} characters, of which a reader copies every one"
    if code == 0:
        yield ".notdef is shown"
    if font.advances and code >= len(font.advances):
        yield "the embedded font has no such glyph"
    elif font.advances and abs(font.widths.get(code, 1000) - font.advances[code]) > WIDTH_TOLERANCE:
        width = font.widths.get(code)
        yield f"its width is {width} in /W, {font.advances[code]:.1f} in the embedded font"


def _set_of_glyphs(font: Font, codes: set[int]) -> Iterator[str]:
    """A /CIDSet is not needed; one that is there names every glyph."""
    if isinstance(found := font.descriptor.get("/CIDSet"), pikepdf.Stream):
        bits = found.read_bytes()
        if missing := [
            code
            for code in codes
            if code // 8 >= len(bits) or not bits[code // 8] >> 7 - code % 8 & 1
        ]:
            yield f"Font {font.name} has a /CIDSet without glyph {missing[0]}, which is shown."


# What a file may not hold


def _forbidden(reading: Reading) -> Iterator[str]:
    for way, found in reading.dictionaries:
        for key, meaning in FORBIDDEN_KEYS.items():
            if key in found:
                yield f"{way} has {key}, {meaning}."
        if found.get("/TR2", "/Default") != "/Default":
            yield f"{way} has /TR2, a transfer function."
        if found.get("/BM", "/Normal") not in BLEND_MODES:
            yield f"{way} has the blend mode {found.BM}."
        if found.get("/Type") == "/Filespec" and "/EF" not in found:
            yield f"{way} refers to a file outside this one."
        if "/NeedAppearances" in found and found.NeedAppearances:
            yield f"{way} asks the viewer to draw its fields (/NeedAppearances)."
        if isinstance(found, pikepdf.Stream):
            yield from _stream(way, found)
    for page in reading.pages:
        yield from (f"Page {page.number}: {fault}." for fault in page.faults)


def _stream(way: str, stream: pikepdf.Stream) -> Iterator[str]:
    if "/F" in stream:
        yield f"{way} is a stream that is kept in another file."
    filters = stream.get("/Filter", [])
    for name in filters if isinstance(filters, pikepdf.Array) else [filters]:
        if name in ("/LZWDecode", "/Crypt"):
            yield f"{way} is packed by {name}."
    if "/PS" in (stream.get("/Subtype"), stream.get("/Subtype2")) or "/PS" in stream:
        yield f"{way} is PostScript."
    if stream.get("/Subtype") == "/Image" and stream.get("/Interpolate", False):
        yield f"{way} is an image that asks to be smoothed (/Interpolate)."


def _actions(reading: Reading) -> Iterator[str]:
    for way, found in reading.dictionaries:
        for key in ("/A", "/OpenAction", "/Next"):
            value = found.get(key)
            for action in value if isinstance(value, pikepdf.Array) else [value]:
                # Attributes of a structure element have the key /A, too, but no kind of action.
                if isinstance(action, pikepdf.Dictionary) and "/S" in action:
                    yield from _action(f"{way}{key}", action)


def _action(way: str, action: pikepdf.Dictionary) -> Iterator[str]:
    if action.S not in ACTIONS or (way.endswith("/OpenAction") and action.S != "/GoTo"):
        yield f"{way} is an action {action.S}."
    if action.S == "/URI" and not re.match(r"https?://|mailto:", str(action.get("/URI", ""))):
        address = str(action.get("/URI"))
        yield f"{way} leads to {address!r}, not to a page of the web or an e-mail address."


def _annotations(reading: Reading) -> Iterator[str]:
    for page in reading.pages:
        for annotation in page.page.obj.get("/Annots", []):
            kind, flags = annotation.get("/Subtype"), int(annotation.get("/F", 0))
            if kind in FORBIDDEN_ANNOTATIONS:
                yield f"Page {page.number} has an annotation {kind}."
            # Bits: 1 invisible, 2 hidden, 3 print, 6 no view, 9 toggle no view.
            if kind != "/Popup" and flags & 0b1_0010_0111 != 0b100:
                named = f"Page {page.number}: an annotation {kind}"
                yield f"{named} is not printed, or is hidden (/F {flags})."
            if kind not in ("/Popup", "/Link") and "/AP" not in annotation:
                yield f"Page {page.number}: an annotation {kind} has no appearance."


# Attachments


def _attachments(reading: Reading) -> Iterator[str]:
    names = [name for name, _ in reading.embedded]
    if names != sorted(reading.wanted.attachments):
        yield f"Attached is {names}, not {sorted(reading.wanted.attachments)} in order."
    listed = [found.objgen for found in reading.catalog.get("/AF", [])]
    specs = {
        found.objgen: found
        for _, found in reading.dictionaries
        if found.get("/Type") == "/Filespec"
    }
    if set(specs) != {found.objgen for _, found in reading.embedded}:
        yield "The file has attachments that its list (/Names /EmbeddedFiles) does not name."
    for place in set(listed) - set(specs):
        yield f"The catalog's /AF lists object {place[0]}, which is no attachment."
    dates = set()
    for name, found in reading.embedded:
        if (times := listed.count(found.objgen)) != 1:
            yield f"Attachment {name} is listed {times} times in the catalog's /AF, not once."
        yield from (
            f"Attachment {name} {fault}." for fault in _attachment(name, found, reading.wanted)
        )
        dates.add(str(_stream_of(found).get("/Params", pikepdf.Dictionary()).get("/ModDate", "")))
    if len(dates) > 1:
        yield f"The attachments of one build have several dates: {sorted(dates)}."


def _stream_of(found: pikepdf.Dictionary) -> pikepdf.Object:
    return found.get("/EF", pikepdf.Dictionary()).get("/F", pikepdf.Dictionary())


def _attachment(name: str, found: pikepdf.Dictionary, wanted: Wanted) -> Iterator[str]:
    if found.get("/Type") != "/Filespec":
        yield "is no /Filespec"
    if {str(found.get("/F")), str(found.get("/UF"))} != {name}:
        yield f"has other names in /F ({found.get('/F')}) and /UF ({found.get('/UF')})"
    if not str(found.get("/Desc", "")).strip():
        yield "has no description (/Desc)"
    if str(found.get("/AFRelationship")) not in RELATIONS:
        yield f"has the relation {found.get('/AFRelationship')} to the document (/AFRelationship)"
    if isinstance(stream := _stream_of(found), pikepdf.Stream):
        yield from _embedded(stream, wanted.attachments.get(name, "?"))
    else:
        yield "has no content (/EF)"


def _embedded(stream: pikepdf.Stream, mime_type: str) -> Iterator[str]:
    if stream.get("/Type", "/EmbeddedFile") != "/EmbeddedFile":
        yield f"has the type {stream.Type}"
    if (stated := str(stream.get("/Subtype", "/"))[1:]) != mime_type:
        yield f"has the MIME type {stated!r}, not {mime_type!r}"
    parameters, content = stream.get("/Params", pikepdf.Dictionary()), stream.read_bytes()
    if parameters.get("/Size") != len(content):
        yield f"has {len(content)} bytes, not the {parameters.get('/Size')} it says"
    if (
        bytes(parameters.get("/CheckSum", b""))
        != hashlib.md5(content, usedforsecurity=False).digest()
    ):
        yield "has another checksum than it says"
    for key in ("/CreationDate", "/ModDate"):
        if not re.fullmatch(r"D:\d{14}Z", str(parameters.get(key, ""))):
            yield f"has no {key} in UTC"


RULES = (
    _file,
    _metadata,
    _colors,
    _fonts,
    _glyphs,
    _forbidden,
    _actions,
    _annotations,
    _attachments,
)
