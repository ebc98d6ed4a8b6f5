"""The vendor's invoices as files: found where rates.yaml names them, and left unread."""

import os
from pathlib import Path

from reportgen.core.problem import Problem, quoted
from reportgen.sources.schema import RatesFile
from reportgen.sources.yamldoc import Document


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
