"""What a shell completes: cycles and cost centers that lie in an archive, newest first.

A key was pressed, so nothing is loaded but what reads YAML and JSON, and nothing is ever said: what
cannot be read completes to nothing.
"""

import json
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from reportgen import resources
from reportgen.archive.folder import FOLDER_NAME, MANIFEST, STATEMENT
from reportgen.core.problem import Rejected
from reportgen.sources.config.yamldoc import Scalar, decoded, parse, read_bytes

MAIN_FILE = "chargeback.yaml"
Offer = tuple[str, str]
"""A word, and what a shell shows beside it."""


def archive_of(config: Path) -> Path | None:
    """Give the archive that a configuration names, or that a cycle's folder lies in."""
    if FOLDER_NAME.fullmatch(config.resolve().name):
        return config.resolve().parent
    with suppress(Rejected, OSError):
        path = config / MAIN_FILE if config.is_dir() else config
        document = parse(decoded(read_bytes(path, path.name), path.name), path.name)
        _, named = document.root.places.get("archive", (0, None))
        return path.parent / named.text if isinstance(named, Scalar) else None
    return None


def layouts() -> list[Offer]:
    """Offer the layouts of journals that are built in."""
    names = (path.name for path in (resources.templates() / "journal").glob("*.csv.j2"))
    return sorted((name.removesuffix(".csv.j2"), "") for name in names)


def cycles(archive: Path, *, corrections: bool = False) -> list[Offer]:
    """Offer the cycles of an archive by their first day, and how each stands."""
    return [
        (folder.name, _state(folder))
        for folder in _folders(archive)
        if corrections or ".c" not in folder.name
    ]


def cost_centers(archive: Path, selector: str | None) -> list[Offer]:
    """Offer what has an invoice in the cycle that is meant, else in the newest, with its name.

    Codes that a shell would take apart are not offered.
    """
    for folder in _folders(archive):
        if selector is None or folder.name.startswith(selector) or not selector[:1].isdigit():
            listed = _listed(folder / STATEMENT)
            if listed:
                return [
                    (one["code"], one["name"])
                    for one in listed
                    if one["invoice"] and one["code"] == shlex.quote(one["code"])
                ]
    return []


def sessions(archive: Path, selector: str | None) -> list[Offer]:
    """Offer sessions that invoices list, with their titles, in the cycle meant, else the newest."""
    for folder in _folders(archive):
        if selector is None or folder.name.startswith(selector) or not selector[:1].isdigit():
            return sorted(_sessions(folder / STATEMENT).items())
    return []


def _folders(archive: Path) -> Iterator[Path]:
    with suppress(OSError):
        named = (path for path in archive.iterdir() if FOLDER_NAME.fullmatch(path.name))
        yield from sorted((path for path in named if path.is_dir()), reverse=True)


def _state(folder: Path) -> str:
    if (folder / MANIFEST).is_file():
        return "closed"
    return "draft" if (folder / STATEMENT).is_file() else "collected"


def _listed(statement: Path) -> list[dict[str, Any]]:
    try:
        listed = json.loads(statement.read_bytes())["cost_centers"]
        return [{key: one[key] for key in ("code", "name", "invoice")} for one in listed]
    except (OSError, ValueError, LookupError, TypeError):
        return []


def _sessions(statement: Path) -> dict[str, str]:
    try:
        centers = json.loads(statement.read_bytes())["cost_centers"]
        listed = [one for center in centers for one in center["sessions"]]
        named = {one["session_id"]: one["title"] or "" for one in listed}
    except (OSError, ValueError, LookupError, TypeError):
        return {}
    return {key: title for key, title in named.items() if key and key == shlex.quote(key)}
