"""What a shell completes, what `--version` says, and the variable that names a configuration."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

import reportgen
from reportgen.cli import main
from tests.scenarios.job import DECEMBER, NOVEMBER, ROOT, Job

CODES = ["A-1", "B-2", "C-3", "Z-9"]
SHIM = f"""#!{sys.executable}
import sys
sys.argv[0] = "reportgen"
sys.path.insert(0, {str(ROOT)!r})
from reportgen.__main__ import run
run()
"""
SAYS = """
source <(reportgen completion bash)
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_reportgen_completion reportgen
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(*words: object) -> list[str]:
    """Complete the last word, as click does for every shell."""
    *before, incomplete = map(str, words)
    offers = ShellComplete(main, {}, "reportgen", "X").get_completions(before, incomplete)
    return [one.value if one.type == "plain" else one.type for one in offers]


@pytest.fixture
def archived(drafted: Job) -> Job:
    """Give a draft, a closed cycle before it with a correction, and what is no cycle."""
    for name, sealed in ((NOVEMBER, True), (f"{NOVEMBER}.c1", True), ("exports", False)):
        (drafted.archive / name).mkdir()
        if sealed:
            (drafted.archive / name / "manifest.json").touch()
    return drafted


def test_cycles_come_from_the_archive_the_newest_first(archived: Job) -> None:
    assert completed("build", archived.folder, "--cycle", "") == [
        *(DECEMBER, NOVEMBER, "previous", "current"),
    ]
    assert completed("build", archived.folder, "--cycle", "2025-11") == [NOVEMBER]
    assert completed("run", "--cycle", "p") == ["previous"]
    assert completed("diff", archived.folder, "--cycle", NOVEMBER) == [f"{NOVEMBER}.c1", NOVEMBER]
    assert completed("verify", archived.archive, "--cycle", "2") == [DECEMBER, NOVEMBER]
    offers = ShellComplete(main, {}, "reportgen", "X").get_completions(
        ["build", str(archived.folder), "--cycle"], "2"
    )
    assert [one.help for one in offers] == ["draft", "closed"]


@pytest.mark.parametrize("config", ["", "chargeback.yaml", "archive/2025-12-05"])
def test_cost_centers_come_from_the_statement(archived: Job, config: str) -> None:
    assert completed("explain", archived.folder / config, "") == CODES[:2] + CODES[3:]
    assert completed("explain", "--cycle", DECEMBER, archived.folder / config, "B") == ["B-2"]


def test_whom_to_mail_is_completed(archived: Job) -> None:
    assert completed("send", archived.folder, "--only", "") == CODES[:2] + CODES[3:]
    assert completed("send", archived.folder, "--cycle", "2025-12", "--resend", "Z") == ["Z-9"]
    assert completed("send", archived.folder, "--settle", "A") == ["A-1=sent"]
    assert completed("send", archived.folder, "--cycle", NOVEMBER, "--only", "") == []


def test_sessions_come_from_the_newest_statement(archived: Job) -> None:
    statement = archived.cycle() / "statement.json"
    values = json.loads(statement.read_bytes())
    listed = [one for center in values["cost_centers"] for one in center["sessions"]]
    assert completed("explain", archived.folder, "--session", "") == sorted(
        one["session_id"] for one in listed
    )
    statement.write_text("{")
    assert completed("explain", archived.folder, "--session", "") == []


def test_layouts_of_journals_are_completed() -> None:
    assert completed("export", "--layout", "") == [
        *("dynamics365", "generic", "netsuite", "oracle-fbdi", "sap", "workday")
    ]
    assert completed("export", "--layout", "o") == ["oracle-fbdi"]


def test_the_rest_is_files_commands_and_options(archived: Job, monkeypatch) -> None:
    assert completed("check", "") == ["file"]
    assert completed("comp") == ["completion"]
    assert completed("completion", "") == ["bash", "zsh", "fish"]
    assert "--format" in completed("export", archived.folder, "--")
    monkeypatch.chdir(archived.archive)
    assert completed("explain", "") == ["file"]


def test_the_variable_names_the_configuration(archived: Job, monkeypatch) -> None:
    monkeypatch.setenv("REPORTGEN_CONFIG", str(archived.folder))
    assert completed("build", "--cycle", "2025-12") == [DECEMBER]
    assert completed("explain", "A") == ["A-1"]
    assert CliRunner().invoke(main, ["check"]).exit_code == 0
    explained = CliRunner().invoke(main, ["explain", "A-1", "--cycle", DECEMBER])
    assert explained.exit_code == 0
    named = CliRunner().invoke(main, ["check", str(archived.archive)])
    assert (named.exit_code, "chargeback.yaml" in named.stderr) == (1, True)
    monkeypatch.setenv("REPORTGEN_CONFIG", "nowhere")
    assert "nowhere" in CliRunner().invoke(main, ["check"]).stderr
    monkeypatch.setenv("REPORTGEN_CONFIG", "")
    monkeypatch.chdir(archived.folder)
    assert CliRunner().invoke(main, ["check"]).exit_code == 0


@pytest.mark.parametrize(
    "text",
    ["archive: [", "archive: [a]\n", "- a\n", "archive: nowhere\n", "\x00", "enterprise: Acme\n"],
)
def test_what_cannot_be_read_completes_to_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "chargeback.yaml").write_text(text)
    assert completed("build", tmp_path, "--cycle", "2") == []
    assert completed("send", tmp_path, "--only", "") == []
    assert completed("build", tmp_path / "no such folder", "--cycle", "2") == []


@pytest.mark.parametrize("content", [b"", b"[]", b'{"cost_centers": [1]}', b'{"cost_centers": {}}'])
def test_a_damaged_statement_completes_to_nothing(archived: Job, content: bytes) -> None:
    (archived.cycle() / "statement.json").write_bytes(content)
    assert completed("send", archived.folder, "--only", "") == []


def test_a_code_that_a_shell_would_take_apart_is_not_offered(archived: Job) -> None:
    path = archived.cycle() / "statement.json"
    path.write_text(path.read_text("utf-8").replace('"code": "A-1"', '"code": "$(rm) A"'), "utf-8")
    assert completed("send", archived.folder, "--only", "") == ["B-2", "Z-9"]


@pytest.mark.heavy
def test_bash_completes_by_what_it_is_given(archived: Job, tmp_path: Path) -> None:
    shim = tmp_path / "reportgen"
    shim.write_text(SHIM)
    shim.chmod(0o755)
    words = ["reportgen", "build", str(archived.folder), "--cycle", "2025-1"]
    done = subprocess.run(
        ["bash", "-c", SAYS, "bash", *words],
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout.split(), done.stderr) == ([DECEMBER, NOVEMBER], "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_a_script_that_it_can_read(shell: str, tmp_path: Path) -> None:
    script = CliRunner().invoke(main, ["completion", shell]).stdout
    assert f"_REPORTGEN_COMPLETE={shell}_complete" in script
    if shutil.which(shell):
        path = tmp_path / "script"
        path.write_text(script)
        subprocess.run([shell, "-n", path], check=True)


def test_completing_loads_nothing_that_draws_asks_or_checks(archived: Job) -> None:
    code = (
        "import sys\nfrom reportgen.cli import main\ntry:\n    main(prog_name='reportgen')\n"
        "finally:\n    print(*sys.modules, file=sys.stderr)"
    )
    words = f"reportgen send {archived.folder} --only "
    asked = {"_REPORTGEN_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": "4"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | asked,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["plain,A-1", "plain,B-2", "plain,Z-9"]
    packages = {name.partition(".")[0] for name in done.stderr.split()}
    assert {"click", "yaml", "reportgen"} <= packages
    assert not packages & {"pydantic", "weasyprint", "httpx", "babel", "jinja2", "openpyxl", "rich"}


# Versions


def version_lines(code: str) -> list[str]:
    code = f"import sys\n{code}\nfrom reportgen.cli import main\nmain(['--version'])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_the_version_says_what_draws() -> None:
    program, python, weasyprint, pango = version_lines("")
    assert program == f"reportgen {reportgen.__version__}"
    assert python == f"Python {sys.version.split()[0]}"
    assert weasyprint.startswith("WeasyPrint 70.")
    assert pango.startswith("Pango 1.")


def test_the_version_needs_neither_pango_nor_weasyprint() -> None:
    nothing = (
        "import ctypes\ndef missing(*_): raise OSError('no such file')\n"
        "ctypes.CDLL.__init__ = missing\n"
        "sys.modules['weasyprint'] = None"
    )
    assert version_lines(nothing)[3] == "Pango not loaded"
