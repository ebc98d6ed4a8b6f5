"""What docs/auditor.md says is typed, in its order; what is printed is what stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.job import ROOT

pytestmark = pytest.mark.heavy

PAGE = ROOT / "docs" / "auditor.md"
ANYTHING = "…"
MARK = "-- that was it"


def typed() -> list[tuple[str, str]]:
    """Give the commands of the page, each with what it prints."""
    text = PAGE.read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"^```console\n(.*?)^```\n", text, re.MULTILINE | re.DOTALL))
    pairs = re.findall(r"^\$ (.*\n(?:> .*\n)*)((?:(?!\$ ).*\n)*)", blocks, re.MULTILINE)
    return [(re.sub("^> ", "", command, flags=re.MULTILINE), said) for command, said in pairs]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder that has what the page takes from a checkout, and the command."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("configs", "samples"):
        (folder / name).symlink_to(ROOT / name)
    program = folder / "bin" / "reportgen"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m reportgen "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return folder


def test_the_commands_print_what_the_page_says(checkout):
    commands = typed()
    script = checkout / "typed.sh"
    script.write_text(
        "".join(f'{command}echo "$? {MARK}"\n' for command, _ in commands), encoding="utf-8"
    )
    path = f"{checkout / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", script],
        cwd=checkout,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    stdout = re.sub(" +$", "", done.stdout, flags=re.MULTILINE)
    printed = re.findall(rf"(.*?)^(\d+) {MARK}\n", stdout, re.MULTILINE | re.DOTALL)
    assert len(printed) == len(commands) > 15
    for (command, said), (found, code) in zip(commands, printed, strict=True):
        pattern = re.escape(said).replace(re.escape(f"{ANYTHING}\n"), "(?:.*\n)*")
        assert code == "0", f"{command}{done.stderr}"
        assert re.fullmatch(pattern, found), f"{command}{found}"
