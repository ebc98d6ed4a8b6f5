"""docs/deploy/month.sh, run as a machine runs it: where there is next to nothing."""

import os
import subprocess
from pathlib import Path

from tests.scenarios.job import ROOT, Job, Json, plain, small

SCRIPT = ROOT / "docs" / "deploy" / "month.sh"
NOT_ALMIGHTY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Without these, root may write what anybody else in its place may write, and no more."""


def months(folder: Path, program: Path, job: Job, *cycles: str, **environment: str) -> list[Json]:
    """Run the script for one cycle after the other, and tell code, words and files of each.

    The environment is empty but for PATH, a HOME that cannot be written, and what is named here.
    """
    home = folder / "home"
    home.mkdir(exist_ok=True)
    home.chmod(0o500)
    told = []
    for cycle in cycles:
        results = folder / f"results of {cycle}"
        command = ["env", "-i", f"PATH={program}:/usr/bin:/bin", f"HOME={home}"]
        command += [f"{name}={value}" for name, value in environment.items()]
        command += ["sh", str(SCRIPT), str(job.folder), cycle, str(results)]
        done = subprocess.run(
            [*(NOT_ALMIGHTY if os.geteuid() == 0 else ()), *command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        files = {path.stem: path.read_text(encoding="utf-8") for path in results.glob("*.json")}
        told.append({"code": done.returncode, "stderr": done.stderr, "files": files})
    assert list(home.iterdir()) == []
    return told


def covered(folder: Path) -> Job:
    """Give a job of which a close refuses nothing: what is nobody's has somebody who bears it."""
    job = plain(small(folder))
    job.edit("mapping.yaml", "users:\n", 'users:\n  "*": Z-9\n')
    with (job.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write("close: {unallocated_limit: 20%}\n")
    return job
