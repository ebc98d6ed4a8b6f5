"""What draws a PDF besides our own code: the versions as they are loaded, and the font files.

Packages say what was installed; only the libraries themselves say what runs. So they are asked, by
the names under which WeasyPrint loads them.
"""

import ctypes
import platform
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

from reportgen import __version__
from reportgen.documents.pdf import pdf  # noqa: F401 - sets where fontconfig looks, and loads it

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
        **{name: _package(name) for name in PACKAGES},
        **{name: _library(name) for name in LIBRARIES},
    }


@cache
def fonts() -> dict[str, Path]:
    """Give the files of the fonts that documents may be drawn with, by file name."""
    return {path.name: path for path in sorted(_font_files())}


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
    for file in LIBRARIES[name]:
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


def _font_files() -> Iterator[Path]:
    """List what fontconfig offers, as our own fonts.conf lets it."""
    library = _loaded("fontconfig")
    if library is None:
        return
    library.FcConfigGetCurrent.restype = ctypes.c_void_p
    library.FcConfigGetFonts.restype = ctypes.POINTER(_FontSet)
    library.FcConfigGetFonts.argtypes = (ctypes.c_void_p, ctypes.c_int)
    library.FcPatternGetString.argtypes = (
        *(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int),
        ctypes.POINTER(ctypes.c_char_p),
    )
    fonts = library.FcConfigGetFonts(library.FcConfigGetCurrent(), 0)
    for index in range(fonts.contents.nfont if fonts else 0):
        name = ctypes.c_char_p()
        pattern = fonts.contents.fonts[index]
        if not library.FcPatternGetString(pattern, b"file", 0, ctypes.byref(name)):
            yield Path(_text(name.value))


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "surrogateescape")
