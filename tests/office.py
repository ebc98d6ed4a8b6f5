"""LibreOffice as an independent reader: formulas are computed anew, whatever a file has cached."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

TIMEOUT_SECONDS = 120
# 0 = always recalculate: LibreOffice trusts the cached values of files that others have written.
_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""


def convert(path: Path, to: str, out_dir: Path, read_as: str = "") -> Path:
    """Convert to xlsx, pdf, csv, or by a filter (`csv:Text - txt - csv (StarCalc):44`).

    `read_as` is the filter that the file is opened by.
    """
    (target,) = convert_all([path], to, out_dir, read_as)
    return target


def convert_all(
    paths: Sequence[Path], to: str, out_dir: Path, read_as: str = ""
) -> tuple[Path, ...]:
    """Convert files of different names at once: to start the program costs more than a file."""
    soffice = shutil.which("soffice") or pytest.fail(
        "soffice is not installed (apt: libreoffice-calc-nogui)"
    )
    targets = tuple(out_dir / f"{path.stem}.{to.partition(':')[0]}" for path in paths)
    if len({*targets, *paths}) < 2 * len(paths):
        pytest.fail(f"a file would be overwritten in {out_dir}: choose other names or places")
    # A profile for each call: two processes that share one wait for each other, or end at once.
    with tempfile.TemporaryDirectory(prefix="office-") as profile:
        _write_settings(Path(profile))
        command = [soffice, f"-env:UserInstallation=file://{profile}", "--headless", "--norestore"]
        command += [f"--infilter={read_as}"] if read_as else []
        command += ["--convert-to", to, "--outdir", str(out_dir), *map(str, paths)]
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    missing = [target.name for target in targets if not target.exists()]
    if result.returncode or missing:
        pytest.fail(f"soffice did not write {missing}: {result.stdout}{result.stderr}")
    return targets


def _write_settings(profile: Path) -> None:
    user = profile / "user"
    user.mkdir()
    (user / "registrymodifications.xcu").write_text(_SETTINGS, encoding="utf-8")
