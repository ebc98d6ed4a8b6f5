"""Files that a configuration names: the vendor's invoices, left unread, the logo, templates."""

import os
from pathlib import Path

from reportgen.core.problem import Problem
from reportgen.core.text import quoted, said_by_system
from reportgen.files import opened, other_than_file
from reportgen.sources.config.pictures import Undrawable, look_at
from reportgen.sources.config.schema import RatesFile
from reportgen.sources.config.yamldoc import YamlDocument

MOST_LOGO_BYTES = 512 * 1024
FONTS = (".ttf", ".ttc")
TRUETYPE = (b"\0\1\0\0", b"true", b"ttcf")
"""How a TrueType font begins, and a collection of them."""


def find_documents(
    file: RatesFile, document: YamlDocument, folder: Path, assets: Path | None = None
) -> tuple[dict[str, Path], list[Problem]]:
    """Give the files by the name they have in the archive; their paths are relative to `folder`.

    Of an archived configuration they lie in `assets`, as far as their cycle is that of the archive.
    """
    if assets:
        names = {short_name(one.document) for one in file.vendor_invoices.values() if one.document}
        return {name: assets / name for name in sorted(names)}, []
    by_name: dict[str, Path] = {}
    problems = []
    for start, invoice in file.vendor_invoices.items():
        if invoice.document is None:
            continue
        path = Path(os.path.normpath(folder / invoice.document))
        line = document.line("vendor_invoices", start.isoformat(), "document")
        if reason := _not_a_file(path):
            hint = "name the vendor's invoice by its path, relative to this file"
            problems.append(Problem(source=line, message=f"the file {path} {reason}", hint=hint))
        elif problem := of_one_name(path, by_name.get(path.name, path), line):
            problems.append(problem)
        by_name.setdefault(path.name, path)
    return by_name, problems


def find_logo(written: str, line: str, folder: Path) -> tuple[Path | None, list[Problem]]:
    """Give the file of the logo, whose path is relative to `folder`, or what is wrong with it."""
    path = Path(os.path.normpath(folder / written))
    try:
        look_at(path.suffix.lower(), _content(path))
    except Undrawable as error:
        message = f"the logo {path} {error.message}"
        return None, [Problem(source=line, message=message, hint=error.hint)]
    return path, []


def find_fonts(path: Path, line: str) -> tuple[tuple[Path, ...], list[Problem]]:
    """Give the TrueType fonts of a folder by name, or what is wrong with them."""
    hint = "name a folder that holds TrueType fonts (.ttf, .ttc), relative to this file"
    if not path.is_dir():
        reason = "is no folder" if path.exists() else "does not exist"
        message = f"the folder of fonts {path} {reason}"
        return (), [Problem(source=line, message=message, hint=hint)]
    fonts = tuple(sorted(one for one in path.iterdir() if one.suffix.lower() in FONTS))
    problems = [_unfit(font, line) for font in fonts if not _is_truetype(font)]
    if not fonts:
        message = f"the folder {path} holds no TrueType font"
        problems = [Problem(source=line, message=message, hint=hint)]
    return fonts, problems


def find_templates(path: Path, line: str) -> list[Problem]:
    """Give what is wrong with the folder of templates."""
    if path.is_dir():
        return []
    reason = "is no folder" if path.exists() else "does not exist"
    hint = "`reportgen init` writes a folder of templates; "
    hint += "remove the line to use the built-in ones"
    return [Problem(source=line, message=f"the folder {path} {reason}", hint=hint)]


def short_name(written: str) -> str:
    """Give the name that a file has in the archive."""
    return Path(os.path.normpath(written)).name


def of_one_name(path: Path, earlier: Path, line: str) -> Problem | None:
    """Give what is wrong where two files have one name; nothing where they are one file."""
    if path == earlier:
        return None
    message = f"the files {path} and {earlier} are both named {quoted(path.name)}, "
    message += "and the archive keeps one of a name"
    return Problem(source=line, message=message, hint="rename one of them")


def _is_truetype(path: Path) -> bool:
    """Tell whether a file begins as TrueType fonts do."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(4) in TRUETYPE
    except OSError:
        return False


def _unfit(path: Path, line: str) -> Problem:
    message = f"the file {path} is no TrueType font that can be read"
    return Problem(source=line, message=message, hint="replace the file, or remove it")


def _content(path: Path) -> bytes:
    """Read a logo; raises Undrawable if that is not possible, or makes every document large."""
    hint = "name the logo by its path, relative to this file"
    if reason := _not_a_file(path):
        raise Undrawable(reason, hint)
    try:
        with opened(path) as file:
            content = file.read(MOST_LOGO_BYTES + 1)
    except OSError as error:
        raise Undrawable(f"cannot be read: {said_by_system(error)}", hint) from error
    if len(content) > MOST_LOGO_BYTES:
        message = f"is larger than {MOST_LOGO_BYTES // 1024} KiB, and would be in every document"
        raise Undrawable(message, "make it smaller, or use an SVG file")
    return content


def _not_a_file(path: Path) -> str:
    """Say why there is nothing to read; nothing where there is a file."""
    try:
        if path.is_file():
            return "" if os.access(path, os.R_OK) else "cannot be read: permission denied"
        if kind := other_than_file(path):
            return f"is {kind}, not a file"
        return "is a folder" if path.is_dir() else "does not exist"
    except OSError as error:
        return f"cannot be read: {said_by_system(error)}"
