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


def commands(block: str) -> list[str]:
    """Give the commands of a block, one a line."""
    lines = block.replace("\\\n", " ").splitlines()
    return [line for line in lines if line and not line.startswith("#")]
