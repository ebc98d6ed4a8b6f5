"""Every folder here is one bad input, with the exact words it is answered with. See README.md."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from click.testing import CliRunner

import reportgen
from reportgen.cli import main
from tests.scenarios.job import PLAIN, warm_up

HERE = Path(__file__).parent
CHECKOUT = Path(reportgen.__file__).parents[1]
FOLDERS = (path for path in HERE.iterdir() if path.is_dir() and any(path.iterdir()))
CASES = sorted(path.name for path in FOLDERS if path.name not in {"base", "__pycache__"})
USUAL = ["run", ".", "--cycle", "2025-12-05", "--quiet"]
USUAL_PROGRAM = "-m", "reportgen"
NOBODY = 65534

# Files that would only make the checkout large.
MADE = {
    "user-file-too-many-rows": (
        "hr.csv",
        b"email,name,cc,valid_from\n"
        + b"".join(
            b"alan@acme.example,Alan,CC-1001,%d-01-01\n" % year for year in range(1600, 2025)
        ),
    ),
    "logo-too-large": ("logo.svg", b"<svg>" + b" " * 600_000 + b"</svg>"),
    "yaml-nested-brackets": ("mapping.yaml", b"users: " + b"[" * 50_000),
    "yaml-too-large": ("mapping.yaml", b"# " + b"x" * 20_000_000),
}
# Git keeps no pipes; nobody ever writes into these.
PIPES = {
    "config-is-pipe": "chargeback.yaml",
    "directory-is-pipe": "archive/2025-11-05/inputs/directory.json",
    "evidence-is-pipe": "archive/2025-12-05/inputs/responses.jsonl",
    "logo-is-pipe": "logo.svg",
    "mapping-is-pipe": "mapping.yaml",
    "recording-is-pipe": "responses.jsonl",
    "statement-is-pipe": "archive/2025-12-05/statement.json",
    "template-is-pipe": "mine/invoice.html.j2",
    "user-file-is-pipe": "hr-pipe.csv",
    "vendor-document-is-pipe": "inv-0042.pdf",
}
BEFORE_ANY_CLOSE = {"correct-not-collected", "send-not-collected"}
"""What is refused where nothing was collected."""
CHEAP = {name: text for name, text in PLAIN.items() if name.startswith("statement.")}
"""What makes the statement, which is drawn before the invoice that has the mistake."""
kept: list[TemporaryDirectory[str]] = []
"""What lasts as long as the run."""
NOT_READABLE = {
    "templates-not-readable": "mine",
    "vendor-document-not-readable": "inv-0042.pdf",
}
# The rest runs inside the process of the tests, which takes a hundredth of the time and shows the
# same.
REAL_PROCESSES = {
    *(
        "archive-below-file",
        "cycle-unknown",
        "recording-request-unanswered",
        "recording-status-500",
        "several-at-once",
    ),
    *("token-not-set", "yaml-alias-bomb", "yaml-nested-brackets"),
}
# Root may write everywhere, so the command becomes somebody else, after importing what only root
# may be able to read.
AS_NOBODY = f"""
import encodings.utf_8_sig
import os
from pathlib import Path

from reportgen.cli import main
from reportgen.commands import check, init, run
from reportgen.operations import failure
from reportgen.sources.config.configuration import load

load(Path("."))  # reads what Babel knows of currencies and locales
os.setgid({NOBODY})
os.setuid({NOBODY})
main()
"""


def prepared(case, folder):
    """Copy the base and the case into a folder, and give the arguments."""
    shutil.copytree(HERE / "base", folder, dirs_exist_ok=True)
    shutil.copytree(
        HERE / case,
        folder,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("args", "expected.txt"),
    )
    if case in MADE:
        name, content = MADE[case]
        (folder / name).write_bytes(content)
    if case in PIPES:
        pipe = folder / PIPES[case]
        pipe.parent.mkdir(parents=True, exist_ok=True)
        pipe.unlink(missing_ok=True)
        os.mkfifo(pipe)
    if case in BEFORE_ANY_CLOSE:
        pass
    elif case.startswith(("close-", "export-", "send-")) or case == "correct-cycle-open":
        keep_evidence(folder)
    elif case.startswith("correct-"):
        shutil.copytree(closed_base(), folder / "archive", dirs_exist_ok=True)
    if case.startswith("template-"):
        for name in CHEAP.keys() - {path.name for path in (folder / "mine").iterdir()}:
            (folder / "mine" / name).write_text(CHEAP[name], encoding="utf-8")
    args = HERE / case / "args"
    return shlex.split(args.read_text(encoding="utf-8")) if args.exists() else USUAL


@cache
def closed_base():
    """Close the base, with documents of a line; give its archive, for all cases to copy."""
    kept.append(TemporaryDirectory())
    folder = Path(kept[0].name) / "base"
    shutil.copytree(HERE / "base", folder)
    keep_evidence(folder)
    with (folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write("templates: templates\n")
    (folder / "templates").mkdir()
    for name, text in PLAIN.items():
        (folder / "templates" / name).write_text(text, encoding="utf-8")
    args = ["close", str(folder), "--cycle", "2025-12-05", "--workers", "1"]
    warm_up()
    result = CliRunner().invoke(main, args, catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return folder / "archive"


def keep_evidence(folder):
    """Put the recording where `collect` would, unless something else was collected."""
    path = folder / "archive" / "2025-12-05" / "inputs" / "responses.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        shutil.copy(folder / "responses.jsonl", path)


def in_this_process(args, folder, monkeypatch):
    if args[0] == "run" and (folder / "mine").exists():
        warm_up()
    monkeypatch.chdir(folder)
    result = CliRunner(env={"DEVIN_API_TOKEN": None}).invoke(main, args, prog_name="reportgen")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout, result.stderr


def in_a_process(args, folder, program=USUAL_PROGRAM):
    environment = {
        name: value
        for name, value in os.environ.items()
        if name != "DEVIN_API_TOKEN" and not (program != USUAL_PROGRAM and "COVERAGE" in name)
    }  # whoever is nobody cannot write down what was covered
    environment |= {"PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}
    command = [sys.executable, *program, *args]
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return result.returncode, result.stdout, result.stderr


def not_writable(args, folder):
    """Run where the folder `shelf` belongs to somebody else."""
    folder.chmod(0o755)
    if os.geteuid() == 0:
        return in_a_process(args, folder, ("-c", AS_NOBODY))
    (folder / "shelf").chmod(0o555)
    try:
        return in_a_process(args, folder)
    finally:
        (folder / "shelf").chmod(0o755)


def not_readable(args, folder, name):
    """Run where nobody but root can read a file or folder."""
    folder.chmod(0o755)
    (folder / name).chmod(0)
    try:
        return in_a_process(args, folder, ("-c", AS_NOBODY) if os.geteuid() == 0 else USUAL_PROGRAM)
    finally:
        (folder / name).chmod(0o755)


def answered(case, args, folder, monkeypatch):
    if case in {"archive-not-writable", "init-not-writable"}:
        return not_writable(args, folder)
    if case in NOT_READABLE:
        return not_readable(args, folder, NOT_READABLE[case])
    if case in REAL_PROCESSES:
        return in_a_process(args, folder)
    return in_this_process(args, folder, monkeypatch)


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def lines_in(path):
    return path.read_bytes().rstrip(b"\n").count(b"\n") + 1


READ = {"template-catalog-misspelt", "template-is-pipe", "template-not-utf-8"}
DRAWN = [case for case in CASES if case.startswith("template-") and case not in READ]
OF_NOBODY = [case for case in CASES if case.endswith(("-not-readable", "-not-writable"))]
HEAVY = {*DRAWN[1:], *sorted(REAL_PROCESSES)[1:], *OF_NOBODY[1:]}
"""What draws a document, and what takes a process of its own: some of the kind are quick."""


def weighed(case: str) -> Any:
    return pytest.param(case, marks=pytest.mark.heavy) if case in HEAVY else case


@pytest.mark.parametrize("case", [*map(weighed, CASES)])
def test_the_words_of_a_problem(case, tmp_path, monkeypatch, pytestconfig):
    args = prepared(case, tmp_path)
    before = tree(tmp_path)
    exit_code, stdout, stderr = answered(case, args, tmp_path, monkeypatch)
    assert exit_code != 0
    assert stdout == ""
    assert "Traceback" not in stderr
    assert "this is a bug" not in stderr
    assert tree(tmp_path) == before, "a problem in the input was answered by writing something"
    for line in stderr.splitlines():
        place = re.match(r"(?P<file>[^:; ]+):(?P<line>\d+): ", line)
        counted = place is None or place["file"].endswith(".xlsx")  # whose lines are rows
        assert counted or 1 <= int(place["line"]) <= lines_in(tmp_path / place["file"]), line
        assert re.fullmatch(r"[^;]+: .+; .+", line), line

    golden = HERE / case / "expected.txt"
    found = f"{stderr}exit {exit_code}\n"
    if pytestconfig.getoption("--update-golden"):
        golden.write_text(found, encoding="utf-8")
    expected = golden.read_text(encoding="utf-8") if golden.exists() else ""
    assert found == expected, (
        f"read what is said now; if it is right: pytest {golden.parent.parent} --update-golden"
    )


@pytest.mark.heavy
def test_the_base_has_no_problem(tmp_path, monkeypatch):
    shutil.copytree(HERE / "base", tmp_path, dirs_exist_ok=True)
    assert in_this_process(["check", ".", "--quiet"], tmp_path, monkeypatch) == (
        0,
        "No problems, 0 warnings\n",
        "",
    )
    exit_code, stdout, stderr = in_this_process(USUAL, tmp_path, monkeypatch)
    assert (exit_code, stderr) == (0, "")
    assert "difference" not in stdout
    assert (tmp_path / "archive" / "2025-12-05" / "statement.json").exists()


def test_no_message_repeats_a_secret():
    for case in CASES:
        words = (HERE / case / "expected.txt").read_text(encoding="utf-8")
        assert "cog_abc" not in words
        assert "hunter2" not in words


def test_a_case_holds_nothing_that_the_base_already_says():
    base = tree(HERE / "base")
    for case in CASES:
        for name, content in tree(HERE / case).items():
            assert name not in base or content != base[name], f"{case}/{name} is a copy of the base"
