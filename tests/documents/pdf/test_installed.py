"""What draws a PDF is told as it is loaded: held against the files that the process has mapped."""

import re
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from reportgen.documents.pdf import installed

MAPS = Path("/proc/self/maps")


def mapped(name: str) -> str:
    """Give the version that the name of a loaded library ends with."""
    installed.versions()
    found = re.search(
        rf"/{re.escape(name)}\.so\.(\d+)\.(\d+)\.(\d+)$", MAPS.read_text(), re.MULTILINE
    )
    assert found, name
    return found


@pytest.mark.skipif(not MAPS.exists(), reason="no /proc here")
def test_libraries_are_those_that_are_loaded():
    # libpango-1.0.so.0.5000.12 is 1.50.12, libharfbuzz.so.0.60000.0 is 6.0.0
    _, middle, last = mapped("libpango-1.0").groups()
    assert installed.versions()["pango"] == f"1.{int(middle) // 100}.{last}"
    _, middle, _ = mapped("libharfbuzz").groups()
    assert installed.versions()["harfbuzz"].startswith(f"{int(middle) // 10_000}.")


@pytest.mark.skipif(
    not MAPS.exists() or "/libz.so." not in MAPS.read_text(), reason="zlib is a part of Python here"
)
def test_what_packs_every_stream_is_told_as_it_is_loaded():
    assert installed.versions()["zlib"] == ".".join(mapped("libz").groups())


def test_fontconfig_says_the_same_as_its_own_command():
    said = subprocess.run(["fc-list", "--version"], capture_output=True, text=True, check=True)
    assert installed.versions()["fontconfig"] in said.stdout + said.stderr


def test_packages_are_those_that_are_installed():
    assert installed.versions()["weasyprint"] == version("weasyprint")
    assert installed.UNKNOWN not in installed.versions().values()


def test_fonts_are_those_that_our_configuration_lets_through():
    assert {"LiberationSans-Regular.ttf", "DejaVuSans.ttf", "NanumGothic.ttf"} <= set(
        installed.fonts()
    )
    assert all(path.is_file() for path in installed.fonts().values())
    assert not [name for name in installed.fonts() if "Mono" in name]
