"""Files that travel with a cycle: the vendor's invoices, which are left unread, and the logo, which is looked at."""

import os
from io import BytesIO
from pathlib import Path
from xml.etree.ElementTree import ParseError, XMLParser

from reportgen.core.problem import Problem, quoted
from reportgen.sources.schema import RatesFile
from reportgen.sources.yamldoc import Document

MOST_LOGO_BYTES = 512 * 1024
MOST_LOGO_PIXELS = 4_000_000


def find_documents(file: RatesFile, document: Document, folder: Path) -> tuple[dict[str, Path], list[Problem]]:
    """Give the files by the name they have in the archive; their paths are relative to `folder`."""
    found: dict[str, Path] = {}
    problems = []
    for start, invoice in file.vendor_invoices.items():
        if invoice.document is None:
            continue
        path = Path(os.path.normpath(folder / invoice.document))
        line = document.line("vendor_invoices", start.isoformat(), "document")
        if problem := _not_a_file(path, line) or _of_one_name(path, found.get(path.name, path), line):
            problems.append(problem)
        found.setdefault(path.name, path)
    return found, problems


def find_logo(written: str, line: str, folder: Path) -> tuple[Path | None, list[Problem]]:
    """Give the file of the logo, whose path is relative to `folder`, or what is wrong with it."""
    path = Path(os.path.normpath(folder / written))
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = "is a folder" if path.is_dir() else (error.strerror or "cannot be read").lower()
        hint = "name the logo by its path, relative to this file"
        return None, [Problem(source=line, message=f"the logo {path}: {reason}", hint=hint)]
    if len(content) > MOST_LOGO_BYTES:
        message = f"the logo {path} is larger than {MOST_LOGO_BYTES // 1024} KiB, and would be in every document"
        return None, [Problem(source=line, message=message, hint="make it smaller, or use an SVG file")]
    if reason := _not_drawable(path.suffix.lower(), content):
        return None, [Problem(source=line, message=f"the logo {path} {reason}", hint="use an SVG or a PNG file")]
    return path, []


def _not_drawable(suffix: str, content: bytes) -> str:
    """Say why a file is no picture that stands alone; nothing where it is one."""
    if suffix == ".png":
        return _not_a_picture(content)
    if suffix != ".svg":
        return "is neither SVG nor PNG"
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        return "has a document type declaration, which may hold anything"
    parser = XMLParser()  # noqa: S314 - without a declaration there are no entities to expand
    try:
        parser.feed(content)
        root = parser.close()
    except (ParseError, ValueError) as error:
        return f"is not well-formed: {error}"
    if root.tag != "{http://www.w3.org/2000/svg}svg":
        return "is not an SVG file"
    outside = {
        value
        for element in root.iter()
        for name, value in element.attrib.items()
        if name.rpartition("}")[2] == "href" and not value.startswith(("#", "data:"))
    }
    return f"refers to {quoted(min(outside))}, which would not be drawn" if outside else ""


def _not_a_picture(content: bytes) -> str:
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - only where there is a logo

    try:
        with Image.open(BytesIO(content), formats=("PNG",)) as picture:
            if picture.width * picture.height > MOST_LOGO_PIXELS:
                return f"has more than {MOST_LOGO_PIXELS:,} pixels"
            picture.load()
    except UnidentifiedImageError:
        return "is not a PNG file"
    except (OSError, SyntaxError, ValueError) as error:
        return f"is damaged: {str(error).lower()}"
    return ""


def short_name(written: str) -> str:
    """Give the name that a file has in the archive."""
    return Path(os.path.normpath(written)).name


def _not_a_file(path: Path, line: str) -> Problem | None:
    try:
        if path.is_file():
            return None
        reason = "is a folder" if path.is_dir() else "does not exist"
    except OSError as error:
        reason = f"cannot be read: {(error.strerror or 'unknown reason').lower()}"
    hint = "name the vendor's invoice by its path, relative to this file"
    return Problem(source=line, message=f"the file {path} {reason}", hint=hint)


def _of_one_name(path: Path, earlier: Path, line: str) -> Problem | None:
    if path == earlier:
        return None
    message = (
        f"the files {path} and {earlier} are both named {quoted(path.name)}, and the archive keeps one of a name"
    )
    return Problem(source=line, message=message, hint="rename one of them")
