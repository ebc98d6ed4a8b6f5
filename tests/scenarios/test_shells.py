"""Completion as zsh and fish do it: each is started, given the script, and a key is pressed.

What there is to be completed, and bash, is in test_completion.py.
"""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.scenarios.job import DECEMBER, NOVEMBER, ROOT, Job

pytestmark = pytest.mark.heavy

PROGRAM = f"""#!{sys.executable}
import sys
sys.argv[0] = "reportgen"
sys.path.insert(0, {str(ROOT)!r})
from reportgen.__main__ import run
run()
"""
READY, TAB = "now type", "\t"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|[\r\x07]")
ZSH = f"""\
autoload -Uz compinit && compinit -u -D
setopt no_beep no_list_ambiguous
eval "$(reportgen completion zsh)"
bindkey '^I' list-choices
PS1=''; print '{READY[:3]}''{READY[3:]}'
"""
"""Lists what there is, and puts nothing on the line."""
CASES = [
    ("reportgen bu", ["build"], ["close"]),
    ("reportgen completion ", ["bash", "zsh", "fish"], []),
    ("reportgen export CONFIG --form", ["--format"], ["--layout"]),
    ("reportgen export CONFIG --format f", ["focus"], ["journal"]),
    ("reportgen build CONFIG --cycle 2025-1", [DECEMBER, NOVEMBER], ["previous"]),
    ("reportgen explain CONFIG --cycle 2025-12-05 ", ["A-1", "B-2", "Z-9"], ["C-3"]),
    ("reportgen send CONFIG --only B", ["B-2"], ["A-1"]),
]


@pytest.fixture
def folder(drafted: Job, tmp_path: Path) -> Path:
    """Give a folder with the program, and with a job that has two cycles."""
    (drafted.archive / NOVEMBER).mkdir()
    program = tmp_path / "bin" / "reportgen"
    program.parent.mkdir()
    program.write_text(PROGRAM, encoding="utf-8")
    program.chmod(0o755)
    drafted.folder.rename(tmp_path / "CONFIG")
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    return os.environ | {"PATH": path, "HOME": str(folder), "TERM": "dumb", "COLUMNS": "200"}


def offered_by_fish(line: str, folder: Path) -> str:
    ask = "reportgen completion fish | source; complete --do-complete $argv[1]"
    done = subprocess.run(
        ["fish", "--no-config", "--command", ask, line],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def offered_by_zsh(line: str, folder: Path) -> str:
    """Type into a terminal, as zsh completes nowhere else."""
    child, terminal = pty.fork()
    if not child:  # pragma: no cover - another program from here on
        os.chdir(folder)
        os.execvpe("zsh", ["zsh", "-f", "-i"], environment(folder))  # noqa: S606
    try:
        os.write(terminal, ZSH.encode())
        heard(terminal, READY)
        os.write(terminal, f"{line}{TAB}".encode())
        return heard(terminal, "", seconds=10)
    finally:
        os.write(terminal, b"\x03\x04")
        os.close(terminal)
        os.waitpid(child, 0)


def heard(terminal: int, wanted: str, seconds: float = 30) -> str:
    """Read until something was said; without that, until nothing more is said for a while."""
    end, text = time.monotonic() + seconds, ""
    while time.monotonic() < end:
        quiet = 3.0 if not wanted and "\n" in text else end - time.monotonic()
        if not select.select([terminal], [], [], max(quiet, 0))[0]:
            break
        text += os.read(terminal, 65536).decode(errors="replace")
        if wanted and wanted in text:
            return text
    assert not wanted, text
    return ESCAPES.sub("", text)


@pytest.mark.parametrize(("line", "offered", "others"), CASES)
@pytest.mark.parametrize(("shell", "ask"), [("zsh", offered_by_zsh), ("fish", offered_by_fish)])
def test_it_completes(shell, ask, line, offered, others, folder):
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell} here")
    words = ask(line, folder).replace(line, "", 1).split()
    assert [word for word in offered if word not in words] == [], words
    assert [word for word in others if word in words] == [], words
