"""What draws documents: that it is there before anything is collected, and which it was."""

import json
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pikepdf
import pytest
from click.testing import CliRunner
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from reportgen.cli import main
from reportgen.documents.pdf import fontconfig
from tests.poppler import text_of
from tests.scenarios.closed import PEOPLE, manifest_of
from tests.scenarios.job import DECEMBER, ROOT, Job, plain, small

CASE = ROOT / "tests" / "cases" / "12-names" / "emoji"
LIBERATION = "LiberationSans-Regular.ttf"
STARVED = """
import sys
from pathlib import Path
from reportgen.documents.pdf import {module}
{change}
from reportgen.cli import main
main(sys.argv[1:])
"""
"""The program, where something of the machine is missing."""


def starved(
    job: Job, module: str, change: str, **environment: str
) -> "subprocess.CompletedProcess[str]":
    program = STARVED.format(module=module, change=change)
    return subprocess.run(
        [sys.executable, "-c", program, "run", str(job.folder), "--cycle", DECEMBER, "--quiet"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def job(tmp_path) -> Job:
    return small(tmp_path / "job")


# Missing


@pytest.mark.heavy
def test_missing_fonts_are_told_before_anything_is_collected(job, tmp_path):
    """Those of the machine are all there but Liberation Sans, so that DejaVu would be drawn."""
    ours = fontconfig.OURS.read_text(encoding="utf-8")
    lines = [line for line in ours.splitlines() if "*/LiberationSans" not in line]
    assert len(lines) == len(ours.splitlines()) - 4
    (tmp_path / "fonts.conf").write_text("\n".join(lines), encoding="utf-8")
    result = starved(job, "fontconfig", f"fontconfig.look_at({str(tmp_path / 'fonts.conf')!r})")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "reportgen: the fonts LiberationSans-Regular.ttf, LiberationSans-Bold.ttf, "
        "LiberationSans-Italic.ttf, LiberationSans-BoldItalic.ttf cannot be found, so no PDF can "
        "be drawn as it is elsewhere; on Debian: `apt-get install fonts-liberation`\n"
    )
    assert not job.archive.exists()


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize(
    ("library", "package"),
    [("harfbuzz-subset", "libharfbuzz-subset0"), ("pango", "libpango-1.0-0")],
)
def test_a_missing_library_is_told_before_anything_is_collected(job, library, package):
    result = starved(job, "installed", f"installed.NEEDED[{library!r}] = ('libnowhere.so.9',)")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        f"reportgen: the library {library} cannot be found, so no PDF can be drawn as it is "
        f"elsewhere; on Debian: `apt-get install {package}`\n"
    )
    assert not job.archive.exists()


@pytest.mark.heavy
def test_what_needs_no_library_asks_for_none(job):
    """Neither reading a configuration nor telling it to be right loads Pango."""
    loaded = "print([name for name in sys.modules if name.partition('.')[0] == 'weasyprint'])"
    program = (
        "import sys\nfrom reportgen.documents.pdf import installed\ninstalled.NEEDED.clear()\n"
        "from reportgen.cli import main\n"
        f"try: main(sys.argv[1:])\nfinally: {loaded}\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, "check", str(job.folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.stdout, result.stderr) == ("No problems, 0 warnings\n[]\n", "")


@pytest.mark.heavy
def test_nothing_of_the_libraries_reaches_a_stream(job, tmp_path):
    """Fontconfig has no cache that it may write: it says so, to whoever listens."""
    nowhere = tmp_path / "file"
    nowhere.touch()
    result = plain(job).run("run", "--quiet", XDG_CACHE_HOME=str(nowhere), HOME=str(nowhere))
    assert (result.returncode, result.stderr) == (0, "")
    assert "Fontconfig" not in result.stdout
    assert (job.cycle() / "statement.pdf").exists()


# Nothing more can be started

NO_PROCESS = "os.fork = refused(BlockingIOError(11, 'Resource temporarily unavailable'))"
NO_THREAD = 'threading.Thread.start = refused(RuntimeError("can\'t start new thread"))'
NO_FEEDER = """
from multiprocessing import queues
queues.Queue._start_thread = refused(RuntimeError("can't start new thread"))
"""
LIMITED = """
import os, threading, time
from reportgen.core.problem import Rejected
from reportgen.documents.tasks import Design
from reportgen.operations.building import drawing

def refused(error):
    def refuse(*_):
        raise error
    return refuse

%s
try:
    with drawing._workers(2, None) as executor:
        futures = [executor.submit(len, "x" * 9) for _ in range(3)]
        print([future.result() for future in futures])
except Rejected as error:
    print(error)
"""


@pytest.mark.quick(1)
@pytest.mark.parametrize("limit", [NO_PROCESS, NO_THREAD, NO_FEEDER])
def test_where_nothing_can_be_started_it_ends_with_one_sentence(limit):
    said = subprocess.run(
        [sys.executable, "-c", LIMITED % limit],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.startswith("reportgen: the system lets no process or thread be started")


# Which it was


def test_every_build_keeps_the_versions_and_fonts_that_drew_it(small_build):
    told = json.loads((small_build.folder / "inputs" / "versions.json").read_text())
    assert told["schema"] == "reportgen.versions/1"
    assert {"reportgen", "weasyprint", "openpyxl", "pango", "harfbuzz", "fontconfig"} <= {
        name for name, version in told["versions"].items() if version[0].isdigit()
    }
    assert told["fonts"].keys() >= {LIBERATION, "DejaVuSans.ttf", "NanumGothic.ttf"}
    (file,) = Path("/usr/share/fonts").rglob(LIBERATION)
    assert told["fonts"][LIBERATION] == sha256(file.read_bytes()).hexdigest()


# Fonts of one's own


@pytest.fixture
def rocket(tmp_path) -> Path:
    """Make a folder with a TrueType font that has a rocket, and nothing else."""
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", "rocket"])
    builder.setupCharacterMap({0x1F680: "rocket"})
    pen = TTGlyphPen(None)
    for move, to in ((pen.moveTo, (0, 0)), (pen.lineTo, (500, 900)), (pen.lineTo, (900, 0))):
        move(to)
    pen.closePath()
    glyph = pen.glyph()
    builder.setupGlyf({".notdef": glyph, "rocket": glyph})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "rocket": (1000, 0)})
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": "Rocket", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=900)
    builder.setupPost()
    folder = tmp_path / "own [fonts] & more"
    folder.mkdir()
    builder.save(folder / "Rocket.TTF")
    return folder


@pytest.fixture
def emoji(tmp_path) -> Job:
    """Copy the case of somebody with a rocket in her name."""
    return Job(Path(shutil.copytree(CASE, tmp_path / "emoji")))


@pytest.mark.heavy
def test_a_font_of_ones_own_draws_what_ours_lack_and_is_kept(emoji, rocket):
    with (emoji.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write(f'invoice: {{fonts: "../{rocket.name}"}}\n')
    done = emoji.here("run", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    pdf = emoji.cycle() / "invoices" / "CB-2025-12-05-CC-1.pdf"
    assert "Ada \U0001f680" in text_of(pdf.read_bytes())
    kept = (emoji.cycle() / "inputs" / "fonts" / "Rocket.TTF").read_bytes()
    assert kept == (rocket / "Rocket.TTF").read_bytes()
    told = json.loads((emoji.cycle() / "inputs" / "versions.json").read_text())
    assert told["fonts"]["Rocket.TTF"] == sha256(kept).hexdigest()
    assert emoji.here("check").stderr.count("warning") == 0


@pytest.mark.heavy
def test_a_close_keeps_the_fonts_of_ones_own_and_is_verified_with_them(emoji, rocket):
    """Verified where the folder of fonts is gone, and where what was kept of it is."""
    plain(emoji, "invoice.html.j2", "invoice.css")
    with (emoji.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write(f'invoice: {{fonts: "../{rocket.name}"}}\n')
    assert emoji.here("collect", "--quiet").returncode == 0
    done = emoji.here("close", "--quiet", *PEOPLE)
    assert (done.returncode, done.stderr) == (0, "")
    digest = sha256((rocket / "Rocket.TTF").read_bytes()).hexdigest()
    assert manifest_of(emoji.cycle())["fonts"]["Rocket.TTF"] == digest
    pdf = emoji.cycle() / "invoices" / "CB-2025-12-05-CC-1.pdf"
    assert "Ada \U0001f680" in text_of(pdf.read_bytes())
    shutil.rmtree(rocket)
    command = ["verify", str(emoji.cycle()), "--workers", "1"]
    verified = CliRunner().invoke(main, command)
    assert verified.exit_code == 0, verified.output
    kept = emoji.archive / "fonts" / digest
    kept.chmod(0o600)
    kept.unlink()
    assert CliRunner().invoke(main, command).exit_code != 0


@pytest.mark.heavy
def test_check_says_before_what_no_font_draws(emoji):
    """In the words of the build, and of each document."""
    built = emoji.here("run", "--quiet")
    assert built.returncode == 0
    (warning,) = built.stderr.splitlines()
    assert warning.startswith(
        "invoices/CB-2025-12-05-CC-1.pdf: warning: the fonts cannot draw U+1F680 in "
        '"Ada \U0001f680", the name of user email|0001: U+FFFD stands for it on paper, while '
    )
    assert emoji.here("check").stderr.splitlines()[1:] == [warning]
    pdf = emoji.cycle() / "invoices" / "CB-2025-12-05-CC-1.pdf"
    assert "Ada \ufffd" in text_of(pdf.read_bytes())
    with pikepdf.open(pdf) as document:
        usage = document.attachments["usage.csv"].get_file().read_bytes().decode()
    assert "Ada \U0001f680" in usage
