"""What draws a PDF besides our own code: is it there, in which versions, with which fonts.

Packages say what was installed; only the libraries themselves say what runs. So they are asked, by
the names under which WeasyPrint loads them, and without WeasyPrint: where one is missing, it says
so on the streams of the command.
"""

import ctypes
import platform
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from unicodedata import category
from xml.parsers import expat

from reportgen import __version__
from reportgen.core.problem import Problem
from reportgen.documents.pdf import fontconfig

PACKAGES = (
    *(
        "weasyprint",
        "pydyf",
        "tinycss2",
        "cssselect2",
        "tinyhtml5",
        "fonttools",
        "pyphen",
        "pillow",
    ),
    *("openpyxl", "lxml", "jinja2", "markupsafe", "babel", "msgspec"),
)
"""Each can change a byte of a document."""
LIBRARIES = {
    "pango": ("libpango-1.0.so.0", "libpango-1.0.dylib", "libpango-1.0-0"),
    "harfbuzz": ("libharfbuzz.so.0", "libharfbuzz.0.dylib", "libharfbuzz-0"),
    "harfbuzz-subset": ("libharfbuzz-subset.so.0", "libharfbuzz-subset.0.dylib"),
    "fontconfig": ("libfontconfig.so.1", "libfontconfig.1.dylib", "libfontconfig-1"),
    "freetype": ("libfreetype.so.6", "libfreetype.6.dylib", "libfreetype-6"),
}
NEEDED = LIBRARIES | {
    "pangoft2": ("libpangoft2-1.0.so.0", "libpangoft2-1.0.dylib", "libpangoft2-1.0-0"),
    "gobject": ("libgobject-2.0.so.0", "libgobject-2.0.dylib", "libgobject-2.0-0"),
}
"""What WeasyPrint loads, and what those load."""
PACKAGES_OF_LIBRARIES = {
    "harfbuzz-subset": "libharfbuzz-subset0",
    "pangoft2": "libpangoft2-1.0-0",
    "fontconfig": "libfontconfig1",
    "gobject": "libglib2.0-0",
}
"""Debian's; whatever else is missing comes with Pango."""
PANGO = "libpango-1.0-0"
FONTS = {
    "fonts-liberation": (
        ("LiberationSans-Regular.ttf",),
        ("LiberationSans-Bold.ttf",),
        ("LiberationSans-Italic.ttf",),
        ("LiberationSans-BoldItalic.ttf",),
    ),
    "fonts-dejavu-core": (("DejaVuSans.ttf",), ("DejaVuSans-Bold.ttf",)),
    "fonts-droid-fallback": (("DroidSansFallbackFull.ttf", "DroidSansFallback.ttf"),),
    "fonts-nanum": (("NanumGothic.ttf",), ("NanumGothicBold.ttf",)),
}
"""The fonts of our documents by Debian's package: of each, one of these files."""
UNKNOWN = "not loaded"


class _FontSet(ctypes.Structure):
    """FcFontSet of fontconfig."""

    _fields_ = (
        ("nfont", ctypes.c_int),
        ("sfont", ctypes.c_int),
        ("fonts", ctypes.POINTER(ctypes.c_void_p)),
    )


@cache
def versions() -> dict[str, str]:
    """Give the versions of the program, Python, packages and system libraries, by name."""
    return {
        "reportgen": __version__,
        "python": platform.python_version(),
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
        "expat": expat.EXPAT_VERSION.removeprefix("expat_"),
        **{name: _package(name) for name in PACKAGES},
        **{name: _library(name) for name in LIBRARIES},
    }


def drawn_with() -> dict[str, str]:
    """Give the versions that whoever asks for help is asked for, whether all are there or not."""
    return {
        "Python": platform.python_version(),
        "WeasyPrint": _package("weasyprint"),
        "Pango": _library("pango"),
    }


def fonts() -> dict[str, Path]:
    """Give the files of the fonts that documents may be drawn with, by file name."""
    return dict(_fonts(fontconfig.looking_at()))


def fingerprints() -> dict[str, str]:
    """Give the sha256 of every font that documents may be drawn with, by file name."""
    return {name: _fingerprint(path, path.stat().st_mtime_ns) for name, path in fonts().items()}


def lacking(texts: Iterable[str]) -> frozenset[str]:
    """Give the characters of some texts that no font has, as far as can be told without drawing."""
    library = _loaded("fontconfig")
    if library is None:
        return frozenset()
    charsets = _charsets(fontconfig.looking_at())
    return frozenset(
        character
        for text in texts
        if not text.isascii()
        for character in text
        if category(character)[0] not in "CZ"
        and not any(library.FcCharSetHasChar(charset, ord(character)) for charset in charsets)
    )


def missing() -> list[Problem]:
    """Give a problem for the libraries, or one for the fonts, without which nothing is drawn."""
    return missing_libraries() or missing_fonts()


def missing_libraries() -> list[Problem]:
    """Give a problem for the libraries that cannot be loaded."""
    libraries = [name for name in NEEDED if _loaded(name) is None]
    packages = [PACKAGES_OF_LIBRARIES.get(name, PANGO) for name in libraries]
    return [_missing("libraries", "library", libraries, packages)] if libraries else []


def missing_fonts() -> list[Problem]:
    """Give a problem for the fonts that are not there; without fontconfig, none can be told."""
    there = fonts().keys()
    lacking = {
        files[0]: package
        for package, needed in FONTS.items()
        for files in needed
        if not there & {*files}
    }
    return [_missing("fonts", "font", list(lacking), lacking.values())] if lacking else []


def _missing(several: str, one: str, names: Sequence[str], packages: Iterable[str]) -> Problem:
    count = one if len(names) == 1 else several
    return Problem(
        source="reportgen",
        message=f"the {count} {', '.join(names)} cannot be found, so no PDF can be drawn as it "
        "is elsewhere",
        hint=f"on Debian: `apt-get install {' '.join(sorted({*packages}))}`",
    )


@cache
def _fonts(looking_at: str) -> tuple[tuple[str, Path], ...]:  # noqa: ARG001 - what it depends on
    return tuple((path.name, path) for path in sorted(_font_files()))


@lru_cache(maxsize=64)
def _fingerprint(path: Path, changed: int) -> str:  # noqa: ARG001 - what it depends on
    return sha256(path.read_bytes()).hexdigest()


def _package(name: str) -> str:
    try:
        return version(name)
    except ModuleNotFoundError:
        return UNKNOWN


def _library(name: str) -> str:
    """Ask a library for its version."""
    library = _loaded(name)
    return UNKNOWN if library is None else _ASKED[name](library)


def _loaded(name: str) -> ctypes.CDLL | None:
    for file in NEEDED[name]:
        try:
            return ctypes.CDLL(file)
        except OSError:
            continue
    return None


def _pango(library: ctypes.CDLL) -> str:
    library.pango_version_string.restype = ctypes.c_char_p
    return _text(library.pango_version_string())


def _harfbuzz(library: ctypes.CDLL) -> str:
    library.hb_version_string.restype = ctypes.c_char_p
    return _text(library.hb_version_string())


def _subset(library: ctypes.CDLL) -> str:
    """Tell whether it is there: it has no version but HarfBuzz's."""
    return "loaded" if hasattr(library, "hb_subset_or_fail") else UNKNOWN


def _fontconfig(library: ctypes.CDLL) -> str:
    number = library.FcGetVersion()
    return f"{number // 10_000}.{number // 100 % 100}.{number % 100}"


def _freetype(library: ctypes.CDLL) -> str:
    handle = ctypes.c_void_p()
    numbers = [ctypes.c_int() for _ in range(3)]
    if library.FT_Init_FreeType(ctypes.byref(handle)):
        return UNKNOWN
    library.FT_Library_Version(handle, *map(ctypes.byref, numbers))
    library.FT_Done_FreeType(handle)
    return ".".join(str(number.value) for number in numbers)


_ASKED: dict[str, Callable[[ctypes.CDLL], str]] = {
    "pango": _pango,
    "harfbuzz": _harfbuzz,
    "harfbuzz-subset": _subset,
    "fontconfig": _fontconfig,
    "freetype": _freetype,
}


@cache
def _charsets(looking_at: str) -> tuple[ctypes.c_void_p, ...]:  # noqa: ARG001 - what it depends on
    """Give the characters that fonts have, as fontconfig keeps them."""
    charsets = []
    for library, pattern in _patterns():
        charset = ctypes.c_void_p()
        if not library.FcPatternGetCharSet(pattern, b"charset", 0, ctypes.byref(charset)):
            charsets.append(charset)
    return tuple(charsets)


def _font_files() -> Iterator[Path]:
    """List what fontconfig offers, as our own fonts.conf lets it."""
    for library, pattern in _patterns():
        name = ctypes.c_char_p()
        if not library.FcPatternGetString(pattern, b"file", 0, ctypes.byref(name)):
            yield Path(_text(name.value))


def _patterns() -> Iterator[tuple[ctypes.CDLL, ctypes.c_void_p]]:
    """Give what fontconfig knows of each font; it keeps that as long as the process lives."""
    library = _loaded("fontconfig")
    if library is None:
        return
    library.FcInitLoadConfigAndFonts.restype = ctypes.c_void_p
    library.FcConfigGetFonts.restype = ctypes.POINTER(_FontSet)
    library.FcConfigGetFonts.argtypes = (ctypes.c_void_p, ctypes.c_int)
    for read, kind in (
        (library.FcPatternGetString, ctypes.c_char_p),
        (library.FcPatternGetCharSet, ctypes.c_void_p),
    ):
        read.argtypes = (
            *(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int),
            ctypes.POINTER(kind),
        )
    library.FcCharSetHasChar.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    listed = library.FcConfigGetFonts(library.FcInitLoadConfigAndFonts(), 0)
    for index in range(listed.contents.nfont if listed else 0):
        yield library, listed.contents.fonts[index]


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "surrogateescape")
