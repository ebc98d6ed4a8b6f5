"""Which document is drawn anew where something else draws it: all that it may reach, no other."""

import pickle
import subprocess
import sys
from dataclasses import fields, replace
from functools import cache
from importlib.metadata import packages_distributions

import msgspec
import pytest
from babel.messages.pofile import PoFileError
from packaging.utils import canonicalize_name

from reportgen import resources
from reportgen.core.problem import Rejected
from reportgen.derive import Derived
from reportgen.documents.keys import DRAWN_WITH, Keys
from reportgen.documents.pdf import installed
from reportgen.documents.render import SHEET, draw, filled
from reportgen.documents.tasks import Design, Planned, Task, tasks_of
from reportgen.documents.templating.templates import read_templates
from tests.documents import beech, grove
from tests.scenarios.job import ROOT
from tests.weight import heavy_but

FILES = sorted(
    path.relative_to(resources.templates()).as_posix()
    for path in resources.templates().rglob("*")
    if path.is_file()
)
BOOK = "workbook.css"
COMMENTS = {".j2": "{# more #}", ".css": "\n/* more */\n", ".po": "\n# more\n"}
"""What changes a file by its suffix, and says nothing."""
BROKEN = {".j2": "{% more %}", ".css": "{% more %}", ".po": "\nmsgid more\n"}
"""What stops whatever the file is read for."""
APART = {
    *("credit_note.html.j2", "credit_note.xlsx.j2"),
    *("email.html.j2", "email.txt.j2", "email.subject.txt.j2"),
    *(name for name in FILES if name.startswith(("audit/", "journal/")) or name.endswith(".md")),
}
"""What no document of a draft is made with: corrections, mail, exports, an auditor's pack."""
FILES_OF_DRAFTS = [name for name in FILES if name not in APART]
LOADED = """
import pickle, sys
from reportgen.documents.render import draw
design, tasks = pickle.load(sys.stdin.buffer)
for task in tasks:
    draw(task, design)
print(*{name.partition(".")[0] for name in sys.modules})
"""
NAMED_OTHERWISE = {
    "reportgen": "the hash of its code is in every key",
    "cffi": "how libraries are called, and not what they do",
    "brotli": "for fonts of the web, which no page may load",
    "webencodings": "encodings by name; whatever is read is UTF-8",
    "et-xmlfile": "for whoever has no lxml",
    "pycparser": "what cffi reads declarations with",
    "setuptools": "a hook that Python itself loads",
    "typing-extensions": "types alone",
}
"""What is loaded where a document is drawn, and need not be named, and why."""


LANGUAGES = sorted(name[len("locale/") : -len(".po")] for name in FILES if name.endswith(".po"))
"""The first is that of the statement; each other one is a cost center's."""


@cache
def cycle() -> Derived:
    """Derive a cycle in which every language is read by somebody."""
    assert len(LANGUAGES) <= len(grove.CENTERS) + 1, "a language that is new needs a reader"
    spoken = dict(zip((center.code for center in grove.CENTERS), LANGUAGES[1:], strict=False))
    changed = (replace(one, locale=spoken.get(one.code)) for one in grove.CENTERS)
    return grove.derived(centers=tuple(changed))


def listing(looks: Design) -> dict[str, Planned]:
    """List the documents of the cycle by their path."""
    listed = tasks_of(cycle().statement, cycle().directory, looks)
    return {planned.path: planned for planned in listed.planned}


def keys_of(looks: Design, versions: bytes = b"") -> dict[str, str]:
    """Give the key of every document by its path."""
    drawn_with = Keys(looks, versions)
    return {path: drawn_with.of(planned) for path, planned in listing(looks).items()}


@cache
def base() -> Design:
    return replace(grove.design(), locale=LANGUAGES[0], templates=read_templates(None))


def edited(name: str, more: str) -> Design:
    """Give the design with more at the end of one of its files."""
    texts = {**base().templates}
    texts[name] += more
    return replace(base(), templates=texts)


def suffix(name: str) -> str:
    return name[name.rindex(".") :]


def is_reached(task: Task, name: str) -> bool:
    """Tell whether a document comes of a file: by what happens where that cannot be read."""
    if suffix(name) == ".css" and name in (SHEET, BOOK):
        return task.path.endswith(".pdf" if name == SHEET else ".xlsx")
    try:
        filled(task, edited(name, BROKEN[suffix(name)]))
    except (Rejected, PoFileError):
        return True
    return False


@pytest.mark.parametrize("name", heavy_but(1, FILES_OF_DRAFTS))
def test_a_file_of_the_design_has_all_drawn_anew_that_it_reaches_and_nothing_else(name):
    """What it reaches has another mark, too, which the statement and the page show."""
    before, after = listing(base()), listing(edited(name, COMMENTS[suffix(name)]))
    was, becomes = keys_of(base()), keys_of(edited(name, COMMENTS[suffix(name)]))
    anew = {path for path in was if was[path] != becomes[path]}
    reached = {path for path, one in before.items() if is_reached(one.make(), name)}
    shown = {path for path, one in before.items() if one.make() != after[path].make()}
    assert reached
    assert anew == reached | shown


@pytest.mark.parametrize("name", sorted(APART & read_templates(None).keys()))
def test_a_file_that_no_draft_is_made_with_has_nothing_drawn_anew(name):
    assert keys_of(edited(name, COMMENTS[suffix(name)])) == keys_of(base())


def test_a_file_of_ones_own_that_is_called_has_what_calls_it_drawn_anew():
    texts = {**base().templates, "mine.j2": "mine", "other.j2": "other"}
    texts["summary.html.j2"] += '{% include "mine.j2" %}'
    own = replace(base(), templates=texts)
    was, becomes = keys_of(own), keys_of(replace(own, templates={**texts, "mine.j2": "yours"}))
    anew = {path for path in was if was[path] != becomes[path]}
    assert anew == {path for path in was if not path.startswith("invoices/")}
    assert keys_of(replace(own, templates={**texts, "other.j2": "more"})) == was


# What else of a design there is


class Watched:
    """A design that notes what is asked of it."""

    def __init__(self, looks: Design) -> None:
        self.looks, self.asked = looks, set[str]()

    def __getattr__(self, name: str) -> object:
        self.asked.add(name)
        return getattr(self.looks, name)


@pytest.mark.parametrize("path", ["statement.xlsx", "index.html"])
def test_what_drawing_asks_of_a_design_is_in_every_key(path):
    """Whatever else it has decides what a document shows, which is in its key by itself."""
    watched = Watched(base())
    draw(listing(base())[path].make(), watched)  # type: ignore[arg-type]
    assert watched.asked == {"templates", *DRAWN_WITH}


@pytest.mark.parametrize("changed", [{"accent": "#7a1f4e"}, {"logo": "data:image/png;base64,AA=="}])
def test_colour_and_logo_have_everything_drawn_anew(changed):
    was, becomes = keys_of(base()), keys_of(replace(base(), **changed))
    assert not {path for path in was if was[path] == becomes[path]}


OTHERS = {
    "locale": "fr",
    "note": "Questions within 10 days, please.",
    "summaries": ("department",),
    "users": "none",
    "detail": "sums",
    "most_detail_rows": 1,
    "most_rows": 1,
    "tie_out": "own",
}
"""Another value of each field that decides what documents show."""


@pytest.mark.parametrize("name", [field.name for field in fields(Design)])
def test_what_decides_what_is_shown_has_drawn_anew_what_shows_it(name):
    if name in {"templates", *DRAWN_WITH}:
        return
    other = replace(base(), **{name: OTHERS[name]})
    before, after = listing(base()), listing(other)
    was, becomes = keys_of(base()), keys_of(other)
    anew = {path for path in becomes if was.get(path) != becomes[path]}
    assert anew == {
        path for path in becomes if path not in before or before[path].make() != after[path].make()
    }


# What draws


def versions_json(**changed: dict[str, str]) -> bytes:
    return msgspec.json.encode({"versions": installed.versions(), "fonts": FONTS} | changed)


FONTS = {"Sans.ttf": "0" * 64, "Serif.ttf": "1" * 64}


@pytest.mark.parametrize("name", sorted(installed.versions()))
def test_another_version_has_everything_drawn_anew(name):
    newer = {**installed.versions(), name: "999"}
    drawn_with = Keys(base(), versions_json()), Keys(base(), versions_json(versions=newer))
    (was, becomes) = (one._drawn_with for one in drawn_with)
    assert was != becomes


@pytest.mark.parametrize("fonts", [{**FONTS, "Sans.ttf": "2" * 64}, {"Sans.ttf": "0" * 64}])
def test_other_fonts_have_everything_drawn_anew(fonts):
    was, becomes = keys_of(base(), versions_json()), keys_of(base(), versions_json(fonts=fonts))
    assert not {path for path in was if was[path] == becomes[path]}


@pytest.mark.heavy
def test_whatever_is_loaded_to_draw_a_document_is_named():
    """A package that is new among them is named, or said to change no byte."""
    given = pickle.dumps((beech.design(), [beech.task("R-1.pdf"), beech.task("R-1.xlsx")]))
    command = [sys.executable, "-c", LOADED]
    said = subprocess.run(command, input=given, capture_output=True, check=True, cwd=ROOT)
    loaded = said.stdout.decode().split()
    known = packages_distributions()
    found = {canonicalize_name(one) for name in loaded for one in known.get(name, ())}
    assert found >= {"weasyprint", "openpyxl", "babel", "jinja2"}
    assert found - set(installed.PACKAGES) <= NAMED_OTHERWISE.keys()
