"""The page of a cycle in a browser: whole on a phone and in both colour schemes, scriptless.

Chromium is shown pages in frames as wide as the screens that are meant, in which no script runs.
A page of ours around them measures, and leaves what it found in its own text, which Chromium
prints. To start it costs more than to look at a page, so one start looks at many.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from xml.etree.ElementTree import Element, fromstring

import pytest

from reportgen.core.model import MissingView, Moved, Statement
from reportgen.documents.render import draw
from reportgen.documents.tasks import Design, tasks_of
from tests.documents import beech, grove

pytestmark = pytest.mark.heavy

FLAGS = (
    *(
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--hide-scrollbars",
    ),
    *(
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-extensions",
    ),
    *("--force-renderer-accessibility", "--enable-blink-features=ComputedAccessibilityInfo"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
DARK = "--blink-settings=preferredColorScheme=0"
WIDTHS = PHONE, TABLET, _, DESK = 360, 768, 993, 1280
ACCENTS = ("#1f4e79", "#ffd000", "#00ff88", "#000000", "#ffffff")
AA = 4.5
TAP = 24
"""Pixels that a finger needs at least (WCAG 2.5.8)."""

PROBE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Probe</title></head><body>
<pre id="found"></pre>
<script>
const found = {};
const pixel = document.createElement("canvas").getContext("2d", {willReadFrequently: true});

function painted(...colours) {
  for (const colour of ["#fff", ...colours]) {
    pixel.fillStyle = colour;
    pixel.fillRect(0, 0, 1, 1);
  }
  return [...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3);
}
function luminance(colour) {
  const part = colour.map(value => value / 255)
    .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
}
function measured(frame) {
  const view = frame.contentWindow, page = frame.contentDocument, width = view.innerWidth;
  const style = element => view.getComputedStyle(element);
  const box = element => ["left", "top", "right", "bottom"]
    .map(side => element.getBoundingClientRect()[side]);
  const behind = element => element
    ? [...behind(element.parentElement), style(element).backgroundColor] : [];
  const ink = element => style(element)[element.closest("svg") ? "fill" : "color"];
  const contrast = element => {
    const papers = behind(element);
    const [low, high] = [painted(...papers), painted(...papers, ink(element))]
      .map(luminance).sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const told = element => element.outerHTML.slice(0, 200);
  const shown = [...page.body.querySelectorAll("*")].filter(
    element => element.getClientRects().length && !element.closest(".hidden, .definitions"));
  const texts = shown.filter(element => !(width < 992 && element.closest(".cards thead")))
    .filter(element => [...element.childNodes]
      .some(node => node.nodeType == 3 && node.data.trim()));
  const focused = [...page.links].map(link => { link.focus(); return style(link).outlineStyle; });
  return {
    width, scrolls: page.documentElement.scrollWidth,
    beyond: shown.filter(element => box(element)[0] < -0.5 || box(element)[2] > width + 0.5)
      .map(told),
    cut: texts.filter(element => !element.closest("svg") && style(element).display != "inline"
      && element.scrollWidth > element.clientWidth + 1)
      .map(told),
    faint: texts.filter(element => contrast(element) < LEAST)
      .map(element => `${contrast(element)} ${told(element)}`),
    links: [...page.links].map(box), names: [...page.querySelectorAll("tbody th")].map(box),
    texts: texts.length, focused, said: page.body.textContent,
    roles: ["table.cards",
      ".cards thead th", ".cards tbody tr", ".cards tbody th", ".cards tbody td"]
      .map(one => page.querySelector(one)?.computedRole),
    scheme: view.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light",
  };
}
function look(frame) {
  found[frame.getAttribute("src")] = measured(frame);
  document.getElementById("found").textContent = JSON.stringify(found);
}
</script>
FRAMES</body></html>"""
FRAME = """<iframe sandbox="allow-same-origin" src="PATH" onload="look(this)"
  style="border: 0; width: WIDTHpx; height: 900px"></iframe>"""


@dataclass(frozen=True)
class Site:
    """A page on loopback, and every path that was asked for."""

    address: str
    asked: list[str] = field(default_factory=list)


@contextmanager
def served(pages: dict[str, bytes]) -> Iterator[Site]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200 if self.path in pages else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(pages.get(self.path, b""))

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Site(f"http://127.0.0.1:{server.server_port}", asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def dom(address: str, profile: Path, *flags: str) -> str:
    """Let Chromium print what a page has become."""
    command = ["chromium", *FLAGS, *flags, f"--user-data-dir={profile}", "--dump-dom", address]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def measured(screens: Sequence[tuple[bytes, int]], profile: Path, *flags: str) -> list[dict]:
    """Give what the page around them found of pages, each as wide as is said, once they loaded."""
    paths = {f"/{number}.html": screen for number, screen in enumerate(screens)}
    frames = [
        FRAME.replace("PATH", path).replace("WIDTH", str(width))
        for path, (_, width) in paths.items()
    ]
    probe = PROBE.replace("FRAMES", "\n".join(frames)).replace("LEAST", str(AA)).encode()
    with served({"/": probe, **{path: page for path, (page, _) in paths.items()}}) as site:
        printed = dom(f"{site.address}/", profile, *flags)
        assert sorted(path for path in site.asked if path in paths) == sorted(paths)
    (told,) = re.findall(r'<pre id="found">(.*?)</pre>', printed, re.DOTALL)
    found = json.loads(unescape(told))
    return [found[path] for path in paths]


def drawn(statement: Statement, design: Design) -> bytes:
    found = tasks_of(statement, grove.derived().directory, design)
    (task,) = [task for task in found if task.path == "index.html"]
    return draw(task, design)


@cache
def pages() -> dict[str, bytes]:
    """Draw a rich cycle in two languages, a first one, and one in which everything is too long."""
    rich = grove.derived().statement
    return {
        "rich": drawn(rich, grove.design()),
        "ja": drawn(rich, replace(grove.design(), locale="ja")),
        "first": drawn(beech.derived().statement, beech.design()),
        "long": unfolded(drawn(long(rich), replace(grove.design(), note="Without a space" * 30))),
    }


def accented(accent: str) -> bytes:
    return drawn(grove.derived().statement, replace(grove.design(), accent=accent))


@pytest.fixture(scope="module")
def light(tmp_path_factory) -> dict[tuple[str, int], dict]:
    """Look at every page on every screen, and at those of other accents."""
    shown = {(name, width): page for name, page in pages().items() for width in WIDTHS}
    shown |= {(accent, DESK): accented(accent) for accent in ACCENTS}
    return looked_at(shown, tmp_path_factory.mktemp("light"))


@pytest.fixture(scope="module")
def dark(tmp_path_factory) -> dict[tuple[str, int], dict]:
    """Look at the pages of other accents where all is dark."""
    shown = {(accent, DESK): accented(accent) for accent in ACCENTS}
    return looked_at(shown, tmp_path_factory.mktemp("dark"), DARK)


def looked_at(
    shown: dict[tuple[str, int], bytes], profile: Path, *flags: str
) -> dict[tuple[str, int], dict]:
    screens = [(page, width) for (_, width), page in shown.items()]
    return dict(zip(shown, measured(screens, profile, *flags), strict=True))


def unfolded(page: bytes) -> bytes:
    """Ask for all of every list."""
    asked = page.replace(b'class="unfold" id', b'class="unfold" checked="checked" id')
    assert asked != page
    return asked


def long(statement: Statement) -> Statement:
    """Make names, numbers and amounts long, six cycles, and let nothing tie out."""
    more = Decimal("12345678.90")
    invoices = [
        replace(
            invoice,
            number=f"{invoice.number}-{'x' * 70}",
            amount=invoice.amount + more,
            borne_acus=invoice.borne_acus * 100_000,
            cost_center=replace(
                invoice.cost_center, name="Verwaltungsgesellschaft" * 3, department="x" * 80
            ),
        )
        for invoice in statement.invoices
    ]
    older, before = statement.earlier
    earlier = [
        replace(one, invoiced_amount=one.invoiced_amount + more)
        for one in (older, older, older, older, before)
    ]
    tie = replace(
        statement.tie_out,
        invoiced_amount=more,
        difference_acus=Decimal(more),
        difference_amount=more,
    )
    missing = MissingView(request="/v3/x", reason="broken off", count=1)
    heading = replace(statement.heading, enterprise="Enterprise" * 12, missing_views=(missing,))
    people = tuple(
        Moved("user", f"u|{n:02}{'x' * 60}", ("R-1",), "", (), Decimal(n), more) for n in range(40)
    )
    return replace(
        statement,
        invoices=tuple(invoices),
        earlier=tuple(earlier),
        tie_out=tie,
        heading=heading,
        variance=replace(statement.variance, arrived=people, departed=people[:3]),
    )


def test_the_page_around_finds_what_is_wrong(tmp_path):
    wrong = """<p>Good</p><p style="width: 500px">Wide</p>
    <p style="width: 9px; overflow: hidden">Cut</p>
    <p style="color: #999">Faint</p><div style="background: #000"><p>Dark</p></div><a href="#">x</a>
    <script>document.body.textContent = "Run"</script>"""
    page = f'<!DOCTYPE html><html lang="en"><body style="margin: 0">{wrong}</body></html>'.encode()
    (found,) = measured([(page, PHONE)], tmp_path)
    named = {
        key: [re.findall(">(\\w+)<", one)[0] for one in found[key]]
        for key in ("beyond", "cut", "faint")
    }
    assert named == {"beyond": ["Wide"], "cut": ["Cut"], "faint": ["Faint", "Dark"]}
    assert (found["width"], found["scrolls"], found["texts"], len(found["links"])) == (
        PHONE,
        500,
        6,
        1,
    )
    assert found["said"].startswith("Good")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["rich", "ja", "first", "long"])
def test_no_screen_is_too_narrow(name, width, light):
    found = light[name, width]
    assert found["width"] == width
    assert found["scrolls"] == width
    assert found["beyond"] == []
    assert found["cut"] == []


@pytest.mark.parametrize("name", ["rich", "long"])
def test_on_a_phone_everything_can_be_seen_and_touched(name, light):
    found = light[name, PHONE]
    assert len(found["links"]) == pages()[name].count(b"<a ") >= 6 + 2 * 5 + 3
    for left, top, right, bottom in found["links"]:
        assert bottom - top >= TAP
        assert right - left >= TAP
    bodies = re.sub(rb"(?s)<tfoot.*?</tfoot>", b"", pages()[name])
    assert len(found["names"]) == bodies.count(b'<th scope="row"') > 8
    assert all(right > left and bottom > top for left, top, right, bottom in found["names"])


@pytest.mark.parametrize("accent", ACCENTS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_legible_whatever_the_accent_is(accent, scheme, request):
    found = request.getfixturevalue(scheme)[accent, DESK]
    assert found["scheme"] == scheme
    assert found["texts"] > 100
    assert found["faint"] == []


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_table_is_read_aloud_as_one_however_it_looks(width, light):
    assert light["rich", width]["roles"] == [
        "table",
        "columnheader",
        "row",
        "rowheader",
        "cell",
    ]


def test_the_keyboard_is_shown_where_it_is(light):
    assert set(light["rich", DESK]["focused"]) == {"solid"}


@pytest.mark.parametrize("name", ["rich", "first"])
def test_the_page_is_whole_without_scripts(name, light):
    body = read(pages()[name]).find("body")
    assert light[name, DESK]["said"].split() == "".join(body.itertext()).split()


@pytest.mark.parametrize("name", ["rich", "first"])
def test_the_page_asks_for_nothing(name, tmp_path):
    with served({"/index.html": pages()[name]}) as site:
        printed = dom(f"{site.address}/index.html", tmp_path)
    assert site.asked == ["/index.html"]
    assert read(pages()[name]).findtext("head/title") in unescape(printed)


def read(page: bytes) -> Element:
    return fromstring(page)  # noqa: S314 - our own
