"""What README and docs/month.md say is typed and printed, done as a newcomer does it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.postoffice import PASSWORD, USER, certified, open_office
from tests.scenarios.job import DECEMBER, ROOT, plain, small

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SET_UP = f"""\
close: {{unallocated_limit: 100%}}
journal: {{credit_account: "200100", credit_cost_center: "9000"}}
email:
  host: localhost
  port: PORT
  from: {USER}
  password_env: MAIL_PASSWORD
"""


def blocks(name: str, language: str) -> list[str]:
    """Give what stands on a page as typed (`sh`) or as printed (no language)."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [block for found, block in BLOCK.findall(text) if found == language]


def test_the_demo_prints_what_the_readme_shows(sample):
    shown, _ = blocks("README.md", "")
    printed = [line.split() for line in sample.stdout.splitlines()]
    rows = [line.split() for line in shown.splitlines() if line.strip() != "…"]
    assert len(rows) == 4
    assert [row for row in rows if row not in printed] == []


def test_a_mistake_is_said_as_the_readme_shows_it(tmp_path):
    """The code is undeclared in the line that is shown: whatever stands there has a cost center."""
    _, shown = blocks("README.md", "")
    name, number = re.match(r"(\S+):(\d+): ", shown).groups()
    for folder in ("configs", "samples"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    lines = (tmp_path / name).read_text(encoding="utf-8").splitlines(keepends=True)
    assert "CC-1001" in lines[int(number) - 1]
    lines[int(number) - 1] = lines[int(number) - 1].replace("CC-1001", "CC-101")
    (tmp_path / name).write_text("".join(lines), encoding="utf-8")
    done = typed("reportgen check configs/example", tmp_path)
    assert (done.returncode, done.stderr) == (1, shown)


@pytest.mark.heavy
def test_the_month_can_be_walked_as_it_is_written(tmp_path):
    authority, key = certified(tmp_path)
    job = plain(small(tmp_path / "my-config"))
    for code, account in (("A-1", 6420), ("B-2", 6430), ("C-3", 6440), ("Z-9", 6450)):
        text = (job.folder / "mapping.yaml").read_text(encoding="utf-8")
        (name,) = re.findall(rf"  {code}: {{name: (\w+)}}", text)
        more = f'contacts: [{name.lower()}@acme.example], gl_account: "{account}"'
        job.edit("mapping.yaml", f"{code}: {{name: {name}}}", f"{code}: {{name: {name}, {more}}}")
    steps = [block.replace("previous", DECEMBER) for block in blocks("docs/month.md", "sh")]
    assert len(steps) == 7
    with open_office((authority, key), sign_in=True) as office:
        with (job.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
            file.write(SET_UP.replace("PORT", str(office.port)))
        for block in steps:
            done = typed(block, tmp_path, MAIL_PASSWORD=PASSWORD, SSL_CERT_FILE=str(authority))
            assert (done.returncode, block, done.stderr[-500:]) == (0, block, done.stderr[-500:])
    assert (job.archive / "exports" / DECEMBER / "journal-generic.csv").exists()
    invoices = len(list((job.cycle() / "invoices").glob("*.pdf")))
    assert len(office.received) == invoices > 2


def typed(block: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Type the lines of a block into a shell, which stops at the first that fails."""
    program = f'reportgen() {{ {sys.executable} -m reportgen "$@"; }}\n'
    return subprocess.run(
        ["bash", "-euc", program + block],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
