"""Pages of documentation as they are typed: their blocks, run by a shell."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.scenarios.job import ROOT

BLOCK = re.compile(r"^ *(?:\d+\. )?```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
ELSEWHERE = ("aws", "docker", "duckdb")
"""Programs of others, which tests/scenarios/elsewhere.py stands in for."""


def blocks(name: str, language: str) -> list[str]:
    """Give what stands on a page in a language: typed is `sh`, printed is none."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [textwrap.dedent(block) for found, block in BLOCK.findall(text) if found == language]


def typed(block: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Type the lines of a block into a shell, which stops at the first that fails."""
    python = f"'{sys.executable}'"
    programs = {"reportgen": f"{python} -m reportgen"}
    programs |= {name: f"{python} -m tests.scenarios.elsewhere {name}" for name in ELSEWHERE}
    functions = "".join(f'{name}() {{ {call} "$@"; }}\n' for name, call in programs.items())
    return subprocess.run(
        ["bash", "-euc", functions + block],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def walked(block: str, folder: Path, **environment: str) -> str:
    """Type a block in which nothing fails, and give what it prints."""
    done = typed(block, folder, **environment)
    assert done.returncode == 0, f"{block}\n{done.stdout[-500:]}\n{done.stderr[-1000:]}"
    return done.stdout


ANYTHING, MARK = "…", "-- that was it"


def dialogue(name: str) -> list[tuple[str, str]]:
    """Give the commands of a page's console, each with what it prints."""
    lines = "".join(blocks(name, "console"))
    pairs = re.findall(r"^\$ (.*\n(?:> .*\n)*)((?:(?!\$ ).*\n)*)", lines, re.MULTILINE)
    return [(re.sub("^> ", "", command, flags=re.MULTILINE), said) for command, said in pairs]


def held(name: str, folder: Path, **environment: str) -> None:
    """Type what a page's console has, in one shell; each command prints what stands there.

    Three dots stand for anything, for any lines where they stand in one of their own.
    """
    expected = dialogue(name)
    script = "".join(f'{command}echo "$? {MARK}"\n' for command, _ in expected)
    done = typed(f"set +eu\n{script}", folder, **environment)
    stdout = re.sub(" +$", "", done.stdout, flags=re.MULTILINE)
    printed = re.findall(rf"(.*?)^(\d+) {MARK}\n", stdout, re.MULTILINE | re.DOTALL)
    assert len(printed) == len(expected) > 5, done.stderr
    for (command, said), (found, code) in zip(expected, printed, strict=True):
        pattern = re.escape(said).replace(re.escape(f"{ANYTHING}\n"), "(?:.*\n)*")
        pattern = pattern.replace(ANYTHING, ".*")
        assert code == "0", f"{command}{done.stderr}"
        assert re.fullmatch(pattern, found), f"{command}{found}"


def commands(block: str) -> list[str]:
    """Give the commands of a block, one a line."""
    lines = block.replace("\\\n", " ").splitlines()
    return [line for line in lines if line and not line.startswith("#")]
