"""Whole jobs: the command line as a process of its own, over copies of example and sample."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

from reportgen.cli import main
from reportgen.documents import render
from reportgen.documents.pdf.pdf import pdf
from reportgen.documents.templating.templates import read_templates
from reportgen.documents.xlsx.workbook import workbook
from tests.poppler import text_of

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "configs" / "example"
RECORDING = ROOT / "samples" / "acme" / "responses.jsonl"
SMALL_RECORDING = Path(__file__).with_name("small.jsonl")
DECEMBER, NOVEMBER = "2025-12-05", "2025-11-05"

SMALL = {
    "chargeback.yaml": f"""\
enterprise: Acme Corporation
source:
  replay: {SMALL_RECORDING}
mapping: mapping.yaml
rates: rates.yaml
archive: archive
""",
    "mapping.yaml": """\
cost_centers:
  A-1: {name: Platform}
  B-2: {name: Payments}
  C-3: {name: Kiosk}
  Z-9: {name: Central}
users:
  ada@acme.example: A-1
  grace@acme.example: {A-1: 1, B-2: 2}
orgs:
  org-2f8ab6190c4e: B-2
unallocated: Z-9
""",
    "rates.yaml": """\
currency: USD
prices: {devin: 2.00, "*": 1.75}
""",
}
"""Three cost centers with an invoice and one without, in documents of a page or two."""

HEAD = "<head><title>{{ heading.enterprise }}</title></head>"
BODY = f'<html lang="{{{{ locale }}}}">{HEAD}<body>%s</body></html>\n'
TABLE = '<table title="Plain"><tbody><tr><td>{{ heading.enterprise }}</td></tr></tbody></table>'
PAGE = """\
<html lang="en"><head><title>Warm-up</title></head><body><h1>Text</h1><p><b>Bold</b> 1.00</p>
<table><thead><tr><th>Text</th></tr></thead><tbody><tr><td>1.00</td></tr></tbody></table></body>
</html>"""
PLAIN = {
    f"{name}.{kind}.j2": BODY % body
    for name in ("invoice", "statement", "summary", "credit_note")
    for kind, body in (
        ("html", "<p>{{ heading.enterprise }}</p>"),
        ("xlsx", TABLE),
    )
} | {
    "index.html.j2": BODY % "<p>{{ heading.enterprise }}</p>",
    "invoice.css": "@page { size: A4 }\n",
}
"""Templates that cost nothing: every document is there and is rendered, with a line in it."""
TEMPLATES = "templates: templates\n"
DRAWING = {"build", "run", "close", "correct"}
STATEMENT = "statement.html.j2", "invoice.css"
INVOICE = "invoice.html.j2", "invoice.xlsx.j2", "invoice.css"
"""What makes the statement, and the invoices, for tests that read nothing else."""


@dataclass(frozen=True)
class Job:
    """A configuration in a folder of its own; its archive lies beside it."""

    folder: Path

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    @property
    def recording(self) -> Path:
        """Find what the configuration replays."""
        text = (self.folder / "chargeback.yaml").read_text(encoding="utf-8")
        return Path(yaml.safe_load(text)["source"]["replay"])

    def copied(self, folder: Path) -> "Job":
        """Copy the configuration and its archive, to be changed."""
        shutil.copytree(self.folder, folder)
        return Job(folder)

    def cycle(self, start: str = DECEMBER) -> Path:
        return self.archive / start

    def statement(self, start: str = DECEMBER) -> Json:
        text = (self.cycle(start) / "statement.json").read_text(encoding="utf-8")
        values: Json = json.loads(text)
        return values

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that is there, once."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} is not there once in {path}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def command(self, name: str, *arguments: str, cycle: str = DECEMBER) -> list[str]:
        """Word a command; one worker suffices where nothing else is said."""
        if name in DRAWING and "--workers" not in arguments:
            arguments = (*arguments, "--workers", "1")
        if name != "cycles":
            arguments = ("--cycle", cycle, *arguments)
        return [sys.executable, "-m", "reportgen", name, str(self.folder), *arguments]

    def start(self, name: str, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        """Begin a command in a process group of its own."""
        return subprocess.Popen(
            self.command(name, *arguments),
            cwd=ROOT,
            env=_environment(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(
        self, name: str, *arguments: str, cycle: str = DECEMBER, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(name, *arguments, cycle=cycle),
            cwd=ROOT,
            env=_environment(environment),
            capture_output=True,
            text=True,
            check=False,
        )

    def here(
        self, name: str, *arguments: str, cycle: str = DECEMBER, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command in this process: the same code, where nothing is asked of the process."""
        if name in DRAWING:
            warm_up()
        command = self.command(name, *arguments, cycle=cycle)[3:]
        runner = CliRunner(env={"DEVIN_API_TOKEN": None, **environment})
        result = runner.invoke(main, command, catch_exceptions=False)
        return subprocess.CompletedProcess(command, result.exit_code, result.stdout, result.stderr)

    def record(self, change: Callable[[list[Json]], Iterable[Json]]) -> None:
        """Replay a changed copy of the recording from now on."""
        recording = self.recording
        lines = [json.loads(line) for line in recording.read_text(encoding="utf-8").splitlines()]
        copy = self.folder / "responses.jsonl"
        copy.write_text(
            "".join(json.dumps(line) + "\n" for line in change(lines)), encoding="utf-8"
        )
        self.edit("chargeback.yaml", str(recording), str(copy))


@cache
def warm_up() -> None:
    """Draw a page and a workbook here, for workers that are forked: they find all of it done.

    Compiling templates, reading the style sheet and meeting the fonts take longer than a page.
    """
    built_in = read_templates(None)
    key = tuple(sorted(built_in.items()))
    for name in built_in:
        if name.endswith((".html.j2", ".xlsx.j2")):
            render._compiled(key, "en", name, "USD", 2)
    for style in (built_in["invoice.css"], PLAIN["invoice.css"]):
        pdf(PAGE, style)
    workbook(BODY % TABLE.replace("{{ heading.enterprise }}", "Text"), {})


def example(folder: Path) -> Job:
    """Copy the example; the recording is named where it lies, the archive comes into the folder."""
    shutil.copytree(EXAMPLE, folder)
    job = Job(folder)
    job.edit("chargeback.yaml", "../../samples/acme/responses.jsonl", str(RECORDING))
    job.edit("chargeback.yaml", "archive: ../../archive", "archive: archive")
    return job


def small(folder: Path) -> Job:
    """Write a configuration of three invoices."""
    folder.mkdir(parents=True)
    for name, text in SMALL.items():
        (folder / name).write_text(text, encoding="utf-8")
    return Job(folder)


def plain(job: Job, *but: str) -> Job:
    """Give a job documents of a line, all but those of some templates, for tests that read none."""
    folder = job.folder / "templates"
    folder.mkdir()
    for name in PLAIN.keys() - set(but):
        (folder / name).write_text(PLAIN[name], encoding="utf-8")
    with (job.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write(TEMPLATES)
    return job


def decorated(job: Job) -> Job:
    """Give a plain job the documents of the templates that come with the program again."""
    job.edit("chargeback.yaml", TEMPLATES, "")
    shutil.rmtree(job.folder / "templates")
    return job


def once(shared: Path, name: str, make: Callable[[Path], None]) -> Path:
    """Make a folder for all workers of a test run: the first to ask makes it, the others wait."""
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = shared / name
        if not folder.exists():
            make(folder)
    return folder


def contents(folder: Path, *suffixes: str) -> dict[str, bytes]:
    """Read all files below a folder by their path, or those that end in one of the suffixes."""
    paths = (
        path
        for path in folder.rglob("*")
        if path.is_file() and path.name.endswith(suffixes or ("",))
    )
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(paths)}


def documents(folder: Path) -> dict[str, bytes]:
    """Read what must be the same byte for byte whatever the order of the inputs was."""
    return contents(folder, ".pdf", ".xlsx", "statement.json", "tie_out.csv")


def pages(pdf: Path) -> list[str]:
    """Read the text of a PDF page by page, laid out as it stands."""
    return text_of(pdf.read_bytes()).split("\f")[:-1]


def leftovers(archive: Path) -> Iterator[Path]:
    """Find the folders that lie in the archive beside those of the cycles."""
    return (
        path
        for path in archive.iterdir()
        if path.is_dir() and path.name not in {DECEMBER, NOVEMBER}
    )


def _environment(changes: dict[str, str]) -> dict[str, str]:
    own = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DEVIN_API_TOKEN", "FONTCONFIG_FILE"}
    }
    return own | changes
