"""Where fontconfig keeps its cache, whatever the place is that the environment names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reportgen.documents.pdf import fontconfig

LISTED = """
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from reportgen.documents.pdf import installed, fontconfig, kept_fonts
with fontconfig.fonts_of({}):
    machine = installed.fonts()
    print(len(machine))
with TemporaryDirectory() as folder:
    shutil.copy(machine["DejaVuSans.ttf"], Path(folder, "abcd"))
    conf = Path(folder, "fonts.conf")
    conf.write_bytes(kept_fonts.configured(Path(folder), ["abcd"], Path(folder, "cache")))
    fontconfig.look_at(str(conf))
    print(len(installed.fonts()))
"""
"""Lists the fonts of the machine, then those of an archive, with streams as they are."""
HOMES: dict[str, dict[str, str]] = {
    "no home": {},
    "a home that is a file": {"HOME": os.devnull},
    "a home that cannot be written": {"HOME": "/proc"},
    "a home that is relative": {"HOME": "rel"},
    "a cache that is a file": {"HOME": "/tmp", "XDG_CACHE_HOME": os.devnull},  # noqa: S108 - none is made
}


@pytest.mark.heavy
@pytest.mark.quick(2)
@pytest.mark.parametrize("home", HOMES)
def test_fontconfig_has_nothing_to_complain_of(home, tmp_path):
    root = Path(__file__).parents[3]
    told = subprocess.run(
        [sys.executable, "-c", LISTED],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root), "TMPDIR": str(tmp_path), **HOMES[home]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stderr) == (0, "")
    machine, kept = map(int, told.stdout.split())
    assert (machine > 1, kept) == (True, 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["/" + "x" * 300, "/dev/null/caches", "/proc/nowhere/at/all"])
def test_a_place_that_cannot_be_looked_at_is_no_error(monkeypatch, place):
    monkeypatch.setenv("XDG_CACHE_HOME", place)
    before = fontconfig.looking_at()
    with fontconfig.fonts_of({}):
        pass
    assert fontconfig.looking_at() == before
