"""The auditor's pack: a closed cycle, and all that a stranger needs to check it by that alone.

Law: its payload is an archive in which one cycle is whole, with every correction of it. Of the
others it has the manifests, as every seal stands upon those before it.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import BinaryIO

from reportgen import __version__, resources
from reportgen.archive.bag import FileContent, ascii_path, write_bag
from reportgen.archive.folder import MANIFEST
from reportgen.archive.manifest import FONTS, Sealed
from reportgen.core.text import printable

READ_ME, RENAMED, CORRECTED = "README.txt", "renamed.txt", "corrected.txt"
RECKON, RECKON_NOTES = "reckon.py", "reckon_notes.py"


def file_name(folder: Path) -> str:
    """Name the file of a closed cycle's pack."""
    return f"{_name(folder)}.zip"


def write_pack(
    target: BinaryIO, link: Sealed, chain: Sequence[Sealed], advance: Callable[[int, int], None]
) -> None:
    """Write the pack of a closed cycle; `chain` are all closes of its archive."""
    manifest = link.manifest
    words = {
        "Bag-Software-Agent": f"reportgen {__version__}",
        "External-Description": f"Billing cycle {_days(link)} (the end is not part of it), "
        f"closed on {manifest.issued}",
        "External-Identifier": link.seal,
        "Source-Organization": manifest.enterprise,
    }
    write_bag(target, _name(link.folder), _payload(link, chain), words, advance)


def corrections(link: Sealed, chain: Sequence[Sealed]) -> list[Sealed]:
    """Give the corrections of a closed cycle in the order of sealing."""
    return [one for one in chain if one.folder.name.startswith(f"{link.folder.name}.c")]


def _name(folder: Path) -> str:
    return f"audit-{folder.name}"


def _payload(link: Sealed, chain: Sequence[Sealed]) -> dict[str, FileContent]:
    archive, whole = link.folder.parent, [link, *corrections(link, chain)]
    kept: dict[str, FileContent] = {
        path.relative_to(archive).as_posix(): path
        for one in whole
        for path in one.folder.rglob("*")
        if path.is_file()
    }
    for digest in {digest for one in whole for digest in one.manifest.fonts.values()}:
        kept[f"{FONTS}/{digest}"] = archive / FONTS / digest
    for other in chain:
        kept[f"{other.folder.name}/{MANIFEST}"] = other.folder / MANIFEST
    programs = (RECKON, RECKON_NOTES) if whole[1:] else (RECKON,)
    return (
        kept
        | {READ_ME: _read_me(link, chain, kept).encode()}
        | {name: (resources.audit() / name).read_bytes() for name in programs}
    )


def _read_me(link: Sealed, chain: Sequence[Sealed], kept: Mapping[str, FileContent]) -> str:
    """Say what the pack is and how it is checked; names are explained where one had to change."""
    manifest = link.manifest
    corrected = corrections(link, chain)
    renamed = any(ascii_path(path) != path for path in kept)
    text = _filled(
        READ_ME,
        enterprise=printable(manifest.enterprise),
        cycle=link.folder.name,
        days=_days(link),
        issued=manifest.issued,
        seal=link.seal,
        sequence=str(manifest.sequence),
        closes=str(len(chain)),
        version=manifest.versions.get("reportgen", __version__),
        renamed=_filled(RENAMED, cycle=link.folder.name) if renamed else "",
        corrected=_corrected(corrected) if corrected else "",
    )
    return f"{text.rstrip()}\n"


def _corrected(links: Sequence[Sealed]) -> str:
    """Say how corrections are checked, with the name and seal of each."""
    seals = "\n".join(f"  {one.folder.name}  {one.seal}" for one in links)
    return _filled(CORRECTED, seals=seals, last=links[-1].folder.name)


def _filled(name: str, **words: str) -> str:
    return Template((resources.audit() / name).read_text(encoding="utf-8")).substitute(words)


def _days(link: Sealed) -> str:
    return f"{link.manifest.cycle.start} to {link.manifest.cycle.end}"
