"""Closed folders held against their hashes and the chain: what needs neither fonts nor arithmetic.

Law: whatever was done to a closed folder, a file of it is named. Only the latest close of an
archive can be taken away whole without a trace in it: that takes a seal that was written elsewhere.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from reportgen.archive.close_file import CLOSE, decode, manifest_of
from reportgen.archive.folder import FOLDER_NAME, MANIFEST, STANDING
from reportgen.archive.manifest import (
    FONTS,
    SUMS,
    Fault,
    Sealed,
    faults_of_chain,
    faults_of_files,
    faults_of_fonts,
    hash_of,
    read,
    written,
)
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import quoted

SHORTEST_SEAL = 12
"""Hexadecimal digits that are enough of a seal to compare."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspected:
    """A closed folder, its link of the chain where it can be read, and what is wrong with it."""

    folder: Path
    link: Sealed | None
    faults: tuple[Fault, ...]


def closed_folders(archive: Path) -> list[Path]:
    """List what is a closed folder, or was one: by its name or by what lies in it."""
    marks = (MANIFEST, SUMS, CLOSE)
    return sorted(
        path
        for path in archive.iterdir()
        if path.is_dir() and not path.name.startswith(".") and any_there(path, marks)
    )


def any_there(folder: Path, names: tuple[str, ...]) -> bool:
    """Tell whether a folder has one of some files."""
    return any((folder / name).is_file() for name in names)


def inspected(
    archive: Path, only: Path | None, advance: Callable[[int, int], None]
) -> list[Inspected]:
    """Check every closed folder, or one; the whole chain is read for either."""
    folders = closed_folders(archive)
    links, unreadable = _links(folders)
    ordered = sorted(links.values(), key=lambda one: (one.manifest.sequence, one.folder.name))
    broken = list(faults_of_chain(ordered))
    chosen = [folder for folder in folders if only is None or folder.name == only.name]
    fonts = _faults_of_fonts(archive, (links[one.name] for one in chosen if one.name in links))
    closed = []
    for done, folder in enumerate(chosen, start=1):
        link = links.get(folder.name)
        faults = [
            *unreadable.get(folder.name, ()),
            *(fault for fault in broken if fault.place == f"{folder.name}/{MANIFEST}"),
            *_of_name(folder),
            *(_of_link(link) if link else ()),
            *(fonts[digest] for digest in _fonts_of(link) if digest in fonts),
        ]
        closed.append(Inspected(folder=folder, link=link, faults=tuple(faults)))
        advance(done, len(chosen))
    return closed


def _of_link(link: Sealed) -> Iterator[Fault]:
    """Name what is wrong with a folder whose manifest can be read."""
    yield from faults_of_files(link)
    yield from _of_manifest(link)
    yield from _of_correction(link)


def stray_fonts(archive: Path) -> Iterator[Fault]:
    """Name what lies among the fonts under another name than its hash."""
    folder = archive / FONTS
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        place = f"{FONTS}/{path.name}"
        if not path.is_file() or path.is_symlink():
            yield Fault(place=place, kind="not a file", message="it is no file")
        elif not path.name.startswith(".") and hash_of(path) != path.name:
            yield Fault(place=place, kind="added", message="its name is not the hash of its bytes")


def of_paper(closed: list[Inspected], cycle: str, seal: str) -> Fault | None:
    """Hold a seal that was written elsewhere against a cycle: its own, or the one before it.

    `cycle` is the beginning of the name of one folder. Raises Rejected where none or several are
    meant, or too little of a seal is given.
    """
    digits = re.sub(r"[\s:-]", "", seal).lower()
    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST_SEAL},64}}", digits):
        message = f"{quoted(seal)} is no seal"
        hint = f"write at least {SHORTEST_SEAL} of its 64 hexadecimal digits"
        raise Rejected([Problem(source="--seal", message=message, hint=hint)])
    folder = _meant(closed, cycle)
    place = f"{folder.folder.name}/{MANIFEST}"
    if folder.link is None:
        return Fault(place=place, kind="seal", message="it cannot be held against the seal given")
    own, before = folder.link.seal, folder.link.manifest.previous or ""
    if own.startswith(digits) or before.startswith(digits):
        return None
    message = f"its seal is {own}, and the one before it {before or 'none'}: neither is {digits}"
    return Fault(place=place, kind="seal", message=message)


def _meant(closed: list[Inspected], cycle: str) -> Inspected:
    named = [one for one in closed if one.folder.name == cycle]
    named = named or [one for one in closed if one.folder.name.startswith(cycle)]
    if len(named) == 1:
        return named[0]
    names = ", ".join(one.folder.name for one in named or closed)
    message = f"{quoted(cycle)} names {len(named) or 'no'} closed cycle{'s' * (len(named) > 1)}"
    hint = f"closed are: {names or 'none'}"
    raise Rejected([Problem(source="--cycle", message=message, hint=hint)])


def _faults_of_fonts(archive: Path, links: Iterable[Sealed]) -> dict[str, Fault]:
    """Check each font that any manifest names once, and give what is wrong by its hash."""
    named = {digest: name for link in links for name, digest in link.manifest.fonts.items()}
    return {
        digest: fault
        for digest, name in named.items()
        for fault in faults_of_fonts(archive, {name: digest})
    }


def _fonts_of(link: Sealed | None) -> Iterable[str]:
    return link.manifest.fonts.values() if link else ()


def _links(folders: list[Path]) -> tuple[dict[str, Sealed], dict[str, list[Fault]]]:
    """Read the manifests by the name of their folder, and name those that cannot be read."""
    links, unreadable = {}, {}
    for folder in folders:
        try:
            links[folder.name] = read(folder)
        except Rejected as rejected:
            place, there = f"{folder.name}/{MANIFEST}", (folder / MANIFEST).exists()
            said = rejected.problems[0].message if there else "it is missing"
            fault = Fault(place=place, kind="changed" if there else "missing", message=said)
            unreadable[folder.name] = [fault]
    return links, unreadable


def _of_manifest(link: Sealed) -> Iterator[Fault]:
    """Name what a manifest says otherwise than the inputs do; what they do not say is no close."""
    folder, manifest = link.folder, link.manifest
    try:
        meant = manifest_of(decode(folder), manifest.folder, manifest.sums)
    except Rejected:
        return  # the file is named by its hash
    place = f"{folder.name}/{MANIFEST}"
    for name in manifest.__struct_fields__:
        said, other = getattr(manifest, name), getattr(meant, name)
        if said != other:
            message = f"its {name} is another than {CLOSE} says"
            yield Fault(place=place, kind="inputs", message=message)
    if manifest == meant and written(meant) != (folder / MANIFEST).read_bytes():
        message = "it is not written as it was sealed"
        yield Fault(place=place, kind="changed", message=message)


def _of_correction(link: Sealed) -> Iterator[Fault]:
    """Name a correction that is not upon the seal of what stands before it, where that is there."""
    folder = link.folder
    try:
        correcting = decode(folder).correcting
    except Rejected:
        return  # the file is named by its hash
    start, _, number = folder.name.partition(".c")
    if not number and correcting is None:
        return
    place = f"{folder.name}/{STANDING if correcting else CLOSE}"
    if correcting is None or number != str(correcting.number):
        yield Fault(place=place, kind="inputs", message="it is of another correction")
        return
    before = start if correcting.number == 1 else f"{start}.c{correcting.number - 1}"
    standing = correcting.standing
    if standing.folder != before:
        yield Fault(place=place, kind="inputs", message=f"it corrects {standing.folder}")
    elif (folder.parent / before / MANIFEST).is_file():
        seal = hash_of(folder.parent / before / MANIFEST)
        if seal != standing.seal:
            message = f"it corrects what was sealed as {standing.seal}, but {before} has {seal}"
            yield Fault(place=place, kind="chain", message=message)


def _of_name(folder: Path) -> Iterator[Fault]:
    """Name a folder that no close can have named; the manifest tells any other renaming."""
    if not FOLDER_NAME.fullmatch(folder.name):
        message = "it is no name of a closed cycle: the folder was renamed"
        yield Fault(place=folder.name, kind="changed", message=message)
