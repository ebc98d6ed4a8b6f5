"""SHA256SUMS and manifest.json: what a closed folder holds, and its place in the chain of closes.

Laws: SHA256SUMS lists every file of the folder but itself and the manifest, so `sha256sum -c`
checks it with nothing of ours. The manifest has the hash of SHA256SUMS, so its own hash, the seal,
stands for every byte. Each manifest has the seal before it: who changes one cycle has to change all
later ones, and every paper that ever left the house with a later seal tells.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import file_digest, sha256
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from reportgen.archive.folder import FOLDER_NAME, MANIFEST
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import quoted, said_by_system
from reportgen.files import content_of, opened

SUMS = "SHA256SUMS"
FONTS = "fonts"
"""Beside the cycles: each font file once, by its hash."""
Sha256 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
_LINE = re.compile(r"(\\?)([0-9a-f]{64})  (.+)")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_UNESCAPED = re.compile(r"\\([\\nr])")
Kind = Literal["changed", "missing", "added", "not a file", "unreadable", "chain", "seal", "inputs"]
"""How a file is not as it was sealed; or a manifest follows on none, is not the one that a paper
names, or says something else than what the inputs say."""


class SealedDays(msgspec.Struct, frozen=True, kw_only=True):
    """The billing days [start, end) as ISO dates."""

    start: str
    end: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What manifest.json says; `previous` is the seal before it, `sums` the hash of SHA256SUMS.

    `issued` is the day that stands on the documents, `sealed_at` the instant of the close (UTC).
    `versions` are those of the program and of everything that can change a byte, `fonts` the hashes
    of the font files by name.
    """

    schema: Literal["reportgen.manifest/1"] = "reportgen.manifest/1"
    folder: str
    enterprise: str
    cycle: SealedDays
    sequence: Annotated[int, msgspec.Meta(ge=1)]
    previous: Sha256 | None
    sums: Sha256
    issued: str
    sealed_at: str
    rules_version: int
    versions: dict[str, str]
    fonts: dict[str, Sha256]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealed:
    """A closed folder, its manifest, and the seal: the hash of the manifest's bytes."""

    folder: Path
    manifest: Manifest
    seal: str


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Fault:
    """What is not as it was sealed; `place` is a path in the archive."""

    place: str
    kind: Kind
    message: str


_decoder = msgspec.json.Decoder(Manifest)


def sums_of(folder: Path) -> str:
    """Write SHA256SUMS of a folder: hash, two blanks, path; sorted by path."""
    return "".join(
        f"{_line(name, hash_of(folder / name))}\n"
        for name in _files(folder)
        if name not in {SUMS, MANIFEST}
    )


def written(manifest: Manifest) -> bytes:
    """Write manifest.json."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def seal_of(manifest: bytes) -> str:
    """Give the seal: the hash of the bytes of manifest.json."""
    return sha256(manifest).hexdigest()


def hash_of(path: Path) -> str:
    """Hash a file without holding it."""
    with opened(path) as file:
        return file_digest(file, "sha256").hexdigest()


def read(folder: Path) -> Sealed:
    """Read the manifest of a closed folder, or raise Rejected where it is none."""
    path = folder / MANIFEST
    try:
        content = content_of(path)
        return Sealed(folder=folder, manifest=_decoder.decode(content), seal=seal_of(content))
    except (OSError, msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        message, hint = f"is no manifest: {error}", "restore the folder from a copy"
        raise Rejected([Problem(source=str(path), message=message, hint=hint)]) from error


def sealed_folders(archive: Path) -> list[Path]:
    """List the closed cycles and corrections of an archive by name."""
    return sorted(
        path
        for path in archive.glob("????-??-??*")
        if FOLDER_NAME.fullmatch(path.name) and (path / MANIFEST).exists()
    )


def chain(archive: Path) -> list[Sealed]:
    """Read all manifests in the order of sealing, or raise Rejected with what cannot be read."""
    links: list[Sealed] = []
    problems: list[Problem] = []
    for folder in sealed_folders(archive):
        try:
            links.append(read(folder))
        except Rejected as rejected:
            problems += rejected.problems
    if problems:
        raise Rejected(problems)
    return sorted(links, key=lambda link: (link.manifest.sequence, link.folder.name))


def faults_of_chain(links: Iterable[Sealed]) -> Iterator[Fault]:
    """Name every link that does not follow on the one before it, in the order of sealing."""
    ordered = list(links)
    for link in ordered[:1]:
        if link.manifest.sequence != 1 or link.manifest.previous is not None:
            yield _broken(link, "the closes before it are missing")
    for before, link in pairwise(ordered):
        if link.manifest.sequence != before.manifest.sequence + 1:
            count = link.manifest.sequence - before.manifest.sequence - 1
            said = "it has the same number as" if count < 0 else "a close is missing between it and"
            yield _broken(link, f"{said} {before.folder.name}")
        elif link.manifest.previous != before.seal:
            yield _broken(
                link,
                f"it names {_short(link.manifest.previous)} as the seal before it, "
                f"but {before.folder.name} has {_short(before.seal)}",
            )
    for link in ordered:
        if link.manifest.folder != link.folder.name:
            yield _broken(link, f"it was sealed as {link.manifest.folder}")


def faults_of_files(link: Sealed) -> Iterator[Fault]:
    """Name every file of a closed folder that was changed, is missing or was added since."""
    folder = link.folder
    try:
        sums = content_of(folder / SUMS)
    except OSError:
        yield _fault(folder, SUMS, "missing", "it is missing, so no file can be checked")
        return
    if sha256(sums).hexdigest() != link.manifest.sums:
        yield _fault(folder, SUMS, "changed", "it is not the one that was sealed")
    listed = _listed(sums.decode("utf-8", "surrogateescape"))
    there = set(_files(folder)) - {SUMS, MANIFEST}
    for name, expected in listed.items():
        if name not in there:
            yield _fault(folder, name, "missing", "it is missing")
        else:
            yield from _compared(folder, name, expected)
    for name in sorted(there - listed.keys()):
        yield _fault(folder, name, "added", "it was not there when the cycle was closed")
    for name in _not_files(folder):
        yield _fault(folder, name, "not a file", "it is neither a file nor a folder of files")


def hashes_of(folder: Path) -> dict[str, str]:
    """Read the hash of every file of a closed folder, as it was sealed, by its path."""
    return _listed(content_of(folder / SUMS).decode("utf-8", "surrogateescape"))


def faults_of_fonts(archive: Path, fonts: Mapping[str, str]) -> Iterator[Fault]:
    """Name every font that a manifest names and the archive does not keep as it was."""
    for name, expected in fonts.items():
        path = archive / FONTS / expected
        place = f"{FONTS}/{expected}"
        if not path.is_file():
            yield Fault(place=place, kind="missing", message=f"the font {quoted(name)} is missing")
        elif hash_of(path) != expected:
            yield Fault(place=place, kind="changed", message=f"the font {quoted(name)} was changed")


def _compared(folder: Path, name: str, expected: str) -> Iterator[Fault]:
    try:
        actual = hash_of(folder / name)
    except OSError as error:
        yield _fault(folder, name, "unreadable", f"it cannot be read: {said_by_system(error)}")
        return
    if actual != expected:
        yield _fault(folder, name, "changed", f"its hash is {actual}, sealed was {expected}")


def _files(folder: Path) -> list[str]:
    """List the files of a folder by their path in it."""
    return sorted(
        (Path(parent) / name).relative_to(folder).as_posix()
        for parent, _, names in os.walk(folder)
        for name in names
        if _is_file(Path(parent) / name)
    )


def _not_files(folder: Path) -> list[str]:
    """List what is neither a file nor a folder that holds one: links, pipes, empty folders."""
    strange = []
    for parent, folders, names in os.walk(folder):
        at = Path(parent)
        strange += [at / name for name in names if not _is_file(at / name)]
        strange += [at / name for name in folders if (at / name).is_symlink()]
        strange += [at] if not folders and not names else []
    return sorted(path.relative_to(folder).as_posix() for path in strange)


def _is_file(path: Path) -> bool:
    """Tell whether a path is a file itself; a link is none, wherever it leads."""
    return path.is_file() and not path.is_symlink()


def _line(name: str, digest: str) -> str:
    """Write a line as sha256sum does, which marks a name with a break or a backslash in it."""
    escaped = "".join(_ESCAPES.get(sign, sign) for sign in name)
    return f"{'' if escaped == name else chr(92)}{digest}  {escaped}"


def _listed(sums: str) -> dict[str, str]:
    """Read the hashes by path. What is no such line lists nothing: its file counts as added."""
    lines = filter(None, map(_LINE.fullmatch, sums.split("\n")))
    return {
        _UNESCAPED.sub(lambda sign: {"\\": "\\", "n": "\n", "r": "\r"}[sign[1]], line[3])
        if line[1]
        else line[3]: line[2]
        for line in lines
    }


def _fault(folder: Path, name: str, kind: Kind, message: str) -> Fault:
    return Fault(place=f"{folder.name}/{name}", kind=kind, message=message)


def _broken(link: Sealed, message: str) -> Fault:
    return Fault(place=f"{link.folder.name}/{MANIFEST}", kind="chain", message=message)


def _short(seal: str | None) -> str:
    return "none" if seal is None else f"{seal[:12]}…"
