"""inputs/directory.json: every id, e-mail and name ever seen, carried from cycle to cycle.

An e-mail rule can only match somebody who has left if an earlier cycle knew whose e-mail it was.
"""

from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec

from reportgen.archive.folder import (
    DIRECTORY,
    MANIFEST,
    cycle_folder,
    cycles_before,
    standing_folder,
)
from reportgen.core.allocating.directory import by_principal, joined
from reportgen.core.model import Directory, Entry, Principal, PrincipalKind
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import said_by_system
from reportgen.files import content_of

SCHEMA: Literal["reportgen.directory/1"] = "reportgen.directory/1"


class _Principal(msgspec.Struct, omit_defaults=True):
    kind: PrincipalKind
    id: str
    email: str | None
    name: str | None
    number: int | None = None


class _Organization(msgspec.Struct):
    id: str
    name: str


class _File(msgspec.Struct):
    schema: Literal["reportgen.directory/1"]
    principals: list[_Principal]
    organizations: list[_Organization]


_decoder = msgspec.json.Decoder(_File)


def encode(directory: Directory) -> bytes:
    """Write a directory as JSON, sorted; sessions are left out, as they belong to one cycle."""
    written = _File(
        schema=SCHEMA,
        principals=[
            _Principal(
                kind=principal.kind,
                id=principal.id,
                email=entry.email,
                name=entry.name,
                number=entry.number,
            )
            for principal, entry in sorted(directory.entries.items())
        ],
        organizations=[
            _Organization(id=key, name=name)
            for key, name in sorted(directory.organizations.items())
        ],
    )
    return msgspec.json.format(msgspec.json.encode(written), indent=2) + b"\n"


def read(folder: Path) -> Directory:
    """Read who was known in the cycle of a folder, where that is written; raises Rejected."""
    path = folder / DIRECTORY
    try:
        written = _decoder.decode(content_of(path))
    except FileNotFoundError:
        return Directory()
    except OSError as error:
        raise _refused(path, f"cannot be read: {said_by_system(error)}") from error
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _refused(path, f"is not what was written there: a JSON object of {SCHEMA}") from error
    return Directory(
        entries=by_principal(
            Entry(
                principal=Principal(known.kind, known.id),
                email=known.email,
                name=known.name,
                number=known.number,
            )
            for known in written.principals
        ),
        organizations={known.id: known.name for known in written.organizations},
    )


def _refused(path: Path, message: str) -> Rejected:
    hint = "put back the file as it was, or remove it to forget who has left"
    return Rejected([Problem(source=str(path), message=message, hint=hint)])


def known(archive: Path, start: date) -> Directory:
    """Give who is remembered in a collected cycle: as written, else as a new run would."""
    folder = cycle_folder(archive, start)
    return read(folder) if (folder / DIRECTORY).exists() else remembered(archive, start)


def remembered(archive: Path, start: date) -> Directory:
    """Give who was seen in a cycle and those before it; the latest counts.

    Drafts back to the last sealed cycle are read, and that one: it knows whatever was known before.
    A correction of it knows who was seen when it was collected again.
    """
    seen = read(cycle_folder(archive, start))
    for folder in cycles_before(archive, start):
        seen = joined(seen, read(_latest(folder)))
        if (folder / MANIFEST).exists():
            break
    return seen


def _latest(folder: Path) -> Path:
    with suppress(ValueError):
        return standing_folder(folder.parent, date.fromisoformat(folder.name))
    return folder
