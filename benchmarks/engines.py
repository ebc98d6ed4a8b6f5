"""Other engines over the page of our documents: Chromium with Ghostscript, and Typst.

Chromium is kept running and told over a pipe what to print; what it prints is tagged but no PDF/A,
so that Ghostscript converts it. Typst is given the same content, translated element by element:
texts, tables with the widths of their columns, charts as they are, attachments.
"""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from random import Random
from typing import IO, Any
from xml.etree.ElementTree import Element, tostring

from reportgen.core.model import Attachment
from reportgen.documents.markup import tree
from reportgen.documents.pdf import installed

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)
PIPED = 'exec "$@" 3</dev/fd/{0} 4>/dev/fd/{1}'
"""Chromium reads at 3 and writes at 4."""
PRINTED = {"generateTaggedPDF": True, "preferCSSPageSize": True, "printBackground": True}
PROFILES = ("/usr/share/color/icc/ghostscript", "/opt/homebrew/share/ghostscript/iccprofiles")
ARCHIVABLE = """%!
[/_objdef {{icc}} /type /stream /OBJ pdfmark
[{{icc}} << /N 3 >> /PUT pdfmark
[{{icc}} ({profile}) (r) file /PUT pdfmark
[/_objdef {{intent}} /type /dict /OBJ pdfmark
[{{intent}} << /Type /OutputIntent /S /GTS_PDFA1 /DestOutputProfile {{icc}}
 /OutputConditionIdentifier (sRGB) >> /PUT pdfmark
[{{Catalog}} << /OutputIntents [ {{intent}} ] >> /PUT pdfmark
"""
CONVERTED = (
    *("gs", "-q", "-dPDFA=3", "-dBATCH", "-dNOPAUSE", "-dPDFACompatibilityPolicy=1"),
    *("-sDEVICE=pdfwrite", "-sColorConversionStrategy=RGB"),
)
FONTS = ("Liberation Sans", "DejaVu Sans", "Droid Sans Fallback")
PREAMBLE = f"""\
#set document(title: "Chargeback invoice")
#set page(paper: "a4", margin: (x: 18mm, top: 22mm, bottom: 20mm),
  header: context if here().page() > 1 [Acme Corporation],
  footer: context [Page #counter(page).display() of #counter(page).final().first()])
#set text(font: ({", ".join(f'"{name}"' for name in FONTS)}), size: 9pt, lang: "en")
#set table(stroke: (x: none, top: none, bottom: 0.4pt + rgb("#dfe3e8")))
#set table(inset: (left: 0pt, right: 2mm, y: 0.75mm))
"""
BLOCKS = {"div", "p", "table", "svg", "h1", "h2", "h3", "ul"}
FIGURE = 0xE000
"""Stands for the digit 0 of a text, the nine after it for the others."""
FIGURES = {ord("0") + digit: FIGURE + digit for digit in range(10)}


def missing() -> dict[str, str]:
    """Name the engines that are not to be had here, each with what brings it in."""
    lacking = {}
    if browser() is None:
        lacking["Chromium"] = "apt-get install chromium"
    if shutil.which("gs") is None:
        lacking["Ghostscript"] = "apt-get install ghostscript"
    if find_spec("typst") is None:
        lacking["Typst"] = "pip install 'reportgen[bench]'"
    return lacking


def browser() -> str | None:
    """Find Chromium under one of its names."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


class Chromium:
    """A browser that is kept running, with Ghostscript behind it."""

    def __init__(self, folder: Path) -> None:
        """Start it, with whatever it keeps in a folder."""
        self._folder, self._numbers = folder, count(1)
        read, its_write = os.pipe()
        its_read, write = os.pipe()
        self._process = subprocess.Popen(
            [
                *("sh", "-c", PIPED.format(its_read, its_write), "sh"),
                *(str(browser()), *FLAGS, f"--user-data-dir={folder / 'profile'}"),
            ],
            pass_fds=(its_read, its_write),
            stderr=subprocess.DEVNULL,
        )
        os.close(its_read)
        os.close(its_write)
        self._answers: IO[bytes] = os.fdopen(read, "rb", buffering=0)
        self._orders: IO[bytes] = os.fdopen(write, "wb", buffering=0)
        self._waiting = b""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self._ask("Page.enable")
        self._frame = self._ask("Page.getFrameTree")["frameTree"]["frame"]["id"]
        self._definition = folder / "archivable.ps"
        self._profile = _profile()
        self._definition.write_text(ARCHIVABLE.format(profile=self._profile), encoding="utf-8")

    def print_page(self, html: str) -> bytes:
        """Print a page, tagged."""
        self._ask("Page.setDocumentContent", frameId=self._frame, html=html)
        return base64.b64decode(self._ask("Page.printToPDF", **PRINTED)["data"])

    def archivable(self, html: str) -> bytes:
        """Print a page, and let Ghostscript make a PDF/A of it."""
        printed, converted = self._folder / "printed.pdf", self._folder / "converted.pdf"
        printed.write_bytes(self.print_page(html))
        command = [*CONVERTED, f"--permit-file-read={self._profile}", f"-sOutputFile={converted}"]
        subprocess.run([*command, self._definition, printed], check=True, stderr=subprocess.DEVNULL)
        return converted.read_bytes()

    def _ask(self, method: str, **params: object) -> dict[str, Any]:
        number = next(self._numbers)
        order: dict[str, object] = {"id": number, "method": method, "params": params}
        if session := getattr(self, "_session", None):
            order["sessionId"] = session
        self._orders.write(json.dumps(order).encode() + b"\0")
        while True:
            answer = self._answer()
            if answer.get("id") == number:
                result: dict[str, Any] = answer["result"]
                return result

    def _answer(self) -> dict[str, Any]:
        while b"\0" not in self._waiting:
            piece = self._answers.read(1 << 20)
            if not piece:
                raise ChildProcessError("Chromium has ended")
            self._waiting += piece
        text, _, self._waiting = self._waiting.partition(b"\0")
        answer: dict[str, Any] = json.loads(text)
        return answer


def styled(xhtml: str, css: str) -> str:
    """Put the style sheet into a page, for a program that is given one file."""
    page = xhtml.replace("&#34;", '"').replace("</head>", f"<style>{css}</style></head>")
    return f"<!DOCTYPE html>{page}"


class Typst:
    """Typst's compiler with the fonts of our documents, over the content of one page."""

    def __init__(self, xhtml: str, attached: Sequence[Attachment], folder: Path) -> None:
        """Translate a page, and lay what is attached to it into a folder."""
        typst = import_module("typst")  # it need not be there
        self._folder, self._numbers = folder, count()
        for attachment in attached:
            (folder / attachment.name).write_bytes(attachment.content)
        fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(_fonts(folder))])
        self._compiler = typst.Compiler(root=str(folder), font_paths=fonts)
        self._source = source(xhtml, attached)

    def draw(self) -> bytes:
        """Compile the page with other figures each time, as Typst remembers what it has drawn."""
        text = self._source.translate(_other_figures(next(self._numbers)))
        written: bytes = self._compiler.compile(input=text.encode(), pdf_standards=["a-3a"])
        return written


def source(xhtml: str, attached: Sequence[Attachment]) -> str:
    """Translate a page into Typst's markup."""
    body = tree(xhtml).find("body")
    attachments = "".join(
        f'#pdf.attach("{one.name}", relationship: "{one.relationship.lower()}",'
        f' mime-type: "{one.media_type}", description: "{one.description}")\n'
        for one in attached
    )
    return PREAMBLE + attachments + (_content(body) if body is not None else "")


def _content(element: Element) -> str:
    """Translate what is in an element: blocks one after another, anything else as one paragraph."""
    if any(child.tag in BLOCKS for child in element):
        return "".join(map(_block, element))
    return f"#block[{_words(element)}]\n" if "".join(element.itertext()).strip() else ""


def _block(element: Element) -> str:
    if "running" in element.get("class", ""):
        return ""  # the header and the footer of the page
    if element.tag in {"h1", "h2", "h3"}:
        return f"#heading(level: {element.tag[1]})[{_words(element)}]\n"
    if element.tag == "table":
        return _table(element)
    if element.tag.endswith("svg"):
        return _picture(element)
    return _content(element)


def _words(element: Element) -> str:
    """Translate a text; each run is a string, in which nothing has a meaning."""
    parts = [_text(element.text)]
    for child in element:
        inner = _words(child)
        parts += [f"#strong[{inner}]" if child.tag in {"b", "strong"} else inner, _text(child.tail)]
    return "".join(parts)


def _text(text: str | None) -> str:
    words = " ".join((text or "").split())
    if not words:
        return " " if text else ""
    quoted = words.translate(FIGURES).replace("\\", "\\\\").replace('"', '\\"')
    before, after = (" " if edge.isspace() else "" for edge in (str(text)[0], str(text)[-1]))
    return f'{before}#"{quoted}"{after}'


def _table(element: Element) -> str:
    widths = [column.get("style", "").partition("width: ")[2] for column in element.iter("col")]
    columns = ", ".join(f"{width.rstrip('%') or 1}fr" for width in widths)
    header = "".join(map(_cell, element.iter("th")))
    cells = "".join(map(_cell, element.iter("td")))
    headed = f"table.header({header})," if header else ""
    return f"#table(columns: ({columns},), {headed} {cells})\n"


def _cell(element: Element) -> str:
    aligned = "right" if "number" in element.get("class", "") else "left"
    across, content = element.get("colspan", "1"), _content(element)
    return f"table.cell(align: {aligned}, colspan: {across})[{content}],"


def _picture(element: Element) -> str:
    drawn = tostring(element, encoding="unicode", default_namespace=None)
    text = drawn.replace("\\", "\\\\").replace('"', '\\"')
    said = element.get("aria-label", "").replace('"', "")
    return f'#image(bytes("{text}"), format: "svg", width: 100%, alt: "{said or "shares"}")\n'


def _other_figures(number: int) -> dict[int, str]:
    """Give digits for those of the texts, hardly ever the same for two numbers."""
    digits = list("0123456789")
    Random(number).shuffle(digits)
    return dict(enumerate(digits, start=FIGURE))


def _fonts(folder: Path) -> Path:
    """Lay the fonts of our documents into a folder: an engine may look there and nowhere else."""
    place = folder / "fonts"
    place.mkdir()
    for name, path in installed.fonts().items():
        (place / name).symlink_to(path)
    return place


def _profile() -> str:
    """Name the colour profile that Ghostscript brings."""
    paths = (Path(folder, "srgb.icc") for folder in PROFILES)
    return str(next((path for path in paths if path.exists()), "%rom%iccprofiles/srgb.icc"))
