"""Where fontconfig looks for fonts: at our own, at those that a configuration adds, nowhere else.

It is told by the environment, and reads that when fonts are first asked for: importing this module
is enough for our own. Nothing here loads a library.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from xml.sax.saxutils import escape

OURS = Path(__file__).with_name("fonts.conf")
VARIABLE = "FONTCONFIG_FILE"
ADDED = "added"

os.environ[VARIABLE] = str(OURS)


def looking_at() -> str:
    """Name the file that says where fontconfig looks."""
    return os.environ[VARIABLE]


def look_at(file: str) -> None:
    """Let a file say where fontconfig looks, from now on."""
    os.environ[VARIABLE] = file


@contextmanager
def fonts_of(added: Mapping[str, bytes]) -> Iterator[None]:
    """Let fontconfig find fonts of a configuration as well, and keep a cache where it may write."""
    cached = _keeps_a_cache()
    if cached and not added:
        yield
        return
    before = looking_at()
    with tempfile.TemporaryDirectory(prefix="reportgen-fonts-") as own:
        file = Path(own, "fonts.conf")
        file.write_text(_configuration(before, own, cached=cached), encoding="utf-8")
        for name, content in added.items():
            path = Path(own, ADDED, name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        look_at(str(file))
        try:
            yield
        finally:
            look_at(before)


def _configuration(ours: str, own: str, *, cached: bool) -> str:
    """Write a configuration that goes on from ours, with a folder of its own."""
    folder, cache = escape(own), "" if cached else f"<cachedir>{escape(own)}/cache</cachedir>"
    return (
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">'
        f"<fontconfig>{cache}<include>{escape(ours)}</include><dir>{folder}/{ADDED}</dir>"
        f"<selectfont><acceptfont><glob>{folder}/{ADDED}/*</glob></acceptfont></selectfont>"
        "</fontconfig>"
    )


def _keeps_a_cache() -> bool:
    """Tell whether fontconfig can write where caches of this user lie.

    It looks at the environment alone: without HOME it has no cache, whoever the user may be.
    """
    home = os.environ.get("HOME")
    caches = os.environ.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else "")
    place = Path(caches, "fontconfig")
    if not place.is_absolute():
        return False
    try:
        place.mkdir(parents=True, exist_ok=True)  # as fontconfig does
    except (OSError, ValueError):
        return False
    return os.access(place, os.W_OK | os.X_OK)
