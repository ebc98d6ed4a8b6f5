"""A bug is told in one line, which names a file with all that is known of it but nothing secret."""

import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reportgen import __version__
from reportgen.documents.render import DrawingError
from reportgen.operations.context import Context
from reportgen.operations.failure import told
from reportgen.terminal import Terminal
from tests.scenarios.job import ROOT

TOKEN = "not'like\\a-key"  # a secret that nothing but its having been read tells
ENVIRONMENT = {"OUR_TOKEN": f"{TOKEN}\n", "OTHER": "of-the-environment"}
FAILING = """
import sys
from reportgen.cli import main
from reportgen.commands import build

def opened(config, context):
    raise LookupError("wherever", config, "cog_abc123")

build.opened = opened
main()
"""


@pytest.fixture(autouse=True)
def room(tmp_path, monkeypatch):
    """Give the temporary folder of this test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def context(*arguments):
    return Context(
        now=lambda: datetime(2026, 1, 9, tzinfo=UTC),
        environment=ENVIRONMENT,
        terminal=Terminal(),
        arguments=arguments,
    )


def stopped_by(error, *arguments):
    """Fail with an error after the token was read."""

    def command(context):
        assert context.secret("OUR_TOKEN") == TOKEN
        raise error

    assert told(command, context(*arguments)) == 1


def the_report(room):
    (path,) = room.iterdir()
    return path.read_text(encoding="utf-8")


def test_the_line_names_the_report_and_shows_nothing_of_what_was_held(room, capsys):
    stopped_by(ValueError(f"what was held: {TOKEN}"))
    (path,) = room.iterdir()
    assert path.name.startswith("reportgen-")
    assert path.stat().st_mode & 0o777 == 0o600
    said = capsys.readouterr()
    assert said.out == ""
    assert re.fullmatch(
        rf"{path}: this is a bug of reportgen {__version__} \(ValueError in failure.py:\d+\); "
        r"read this file, then report the bug with it\n",
        said.err,
    )


def test_the_place_is_the_last_piece_of_our_own_code(capsys):
    def command(context):
        context.terminal.table(("a", "b"), [("only one",), (1, 2)])
        return 0

    assert told(command, context()) == 1
    assert re.search(r"\(\w+Error in terminal\.py:\d+\)", capsys.readouterr().err)


def test_the_report_has_versions_command_and_traceback(room):
    stopped_by(ZeroDivisionError("by nothing"), "run", "my config", "--cycle", "previous")
    report = the_report(room)
    assert report.startswith(f"A bug of reportgen {__version__}.")
    assert "\nCommand    reportgen run 'my config' --cycle previous\n" in report
    assert f"\nPython     {sys.version.split()[0]} on " in report
    assert ", weasyprint " in report
    assert "pytest" not in report.partition("Traceback")[0]
    assert "\nTraceback (most recent call last):\n" in report
    assert ", in stopped_by\n" not in report
    assert ", in command\n    raise error\n" in report
    assert report.endswith("\nZeroDivisionError: by nothing\n")


def drawn():
    """Fail as the drawing of a document does."""
    try:
        {}["what was drawn"]
    except KeyError as error:
        raise DrawingError("invoices/CB-1.pdf", "invoice.html.j2", "") from error


@pytest.mark.parametrize("executor", [ProcessPoolExecutor, ThreadPoolExecutor])
def test_what_stopped_a_worker_is_in_the_report_and_the_line_names_the_document(
    room, executor, capsys
):
    def command(_):
        with executor(1) as workers:
            return workers.submit(drawn).result()

    assert told(command, context()) == 1
    said = capsys.readouterr().err
    assert "(invoices/CB-1.pdf could not be made from invoice.html.j2); read this file" in said
    assert "what was drawn" not in said
    report = the_report(room)
    assert ', in drawn\n    {}["what was drawn"]\n' in report
    assert "\nKeyError: 'what was drawn'\n" in report


@pytest.mark.parametrize(
    "said",
    [
        TOKEN,
        repr(TOKEN),
        f"Bearer {TOKEN}",
        f"before{TOKEN}after",
        "cog_6f1d0c2b",
        "apk_user_6f1d0c2b",
        "http://finance:hunter2@proxy.example:8080/",
    ],
)
def test_no_secret_is_in_the_report(room, said):
    stopped_by(ValueError(said), "run", ".", "--cycle", said)
    report = the_report(room)
    assert report.count("[secret]") == 2
    for secret in (TOKEN, repr(TOKEN)[1:-1], "like", "6f1d0c2b", "hunter2"):
        assert secret not in report


def test_no_part_of_a_secret_is_left_where_a_line_is_cut(room):
    stopped_by(ValueError("-" * 380 + TOKEN))
    assert "not'" not in the_report(room)


def test_nothing_of_the_environment_and_no_whole_answer_is_in_the_report(room, monkeypatch):
    monkeypatch.setenv("OUR_OWN", "of-our-environment")
    stopped_by(ValueError("a" * 1_000_000 + "\ud800\nand \ud800"))
    report = the_report(room)
    assert "of-the-environment" not in report
    assert "of-our-environment" not in report
    assert len(report) < 10_000
    assert report.endswith("…\nand \\ud800\n")


def test_where_no_folder_takes_the_report_the_line_says_what_it_can(room, monkeypatch, capsys):
    monkeypatch.setattr(tempfile, "tempdir", str(room / "missing"))
    stopped_by(ValueError("what was held"))
    said = capsys.readouterr().err
    assert said.startswith(f"reportgen: this is a bug of reportgen {__version__} (ValueError in ")
    assert said.count("\n") == 1


def test_a_report_that_cannot_be_finished_is_not_left_behind(room, monkeypatch, capsys):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("platform.platform", lambda: full(None))
    stopped_by(ValueError("what was held"))
    assert list(room.iterdir()) == []
    assert "report this line" in capsys.readouterr().err


@pytest.mark.heavy
@pytest.mark.quick(1)
@pytest.mark.parametrize("machine", [False, True], ids=["people", "machines"])
def test_a_command_that_fails_by_a_bug(room, machine):
    arguments = ["build", "cog_abc123", "--cycle", "2025-12", *["--json"] * machine]
    done = subprocess.run(
        [sys.executable, "-c", FAILING, *arguments],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(room), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (path,) = room.iterdir()
    assert done.stderr.startswith(f"{path}: this is a bug of reportgen")
    assert done.stderr.count("\n") == 1
    report = the_report(room)
    assert f"reportgen build '[secret]' --cycle 2025-12{' --json' * machine}\n" in report
    assert "LookupError: ('wherever', PosixPath('[secret]'), '[secret]')" in report
    if machine:
        (problem,) = json.loads(done.stdout)["problems"]
        assert Path(problem["source"]) == path
    else:
        assert done.stdout == ""
