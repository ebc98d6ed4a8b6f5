"""A BagIt 1.0 bag (RFC 8493) in a zip: files, their hashes, and a few words about them.

Laws: the same files give the same bytes, where zlib is the same. Paths in the zip are ASCII: any
other byte is written as `=` and two hexadecimal digits. Not with a percent sign: RFC 8493 has it
encoded once more in a manifest, which neither `sha256sum` nor every reader of bags undoes. As no
path has a %, CR or LF, nothing in a manifest is encoded, and all of them read it alike.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from stat import S_IFREG
from typing import IO, BinaryIO, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import printable

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
PAYLOAD = "data"
DECLARED = "bagit.txt"
MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first instant that a zip can tell."""
MODE = S_IFREG | 0o644
ZIPPED = frozenset({".gz", ".jpg", ".pdf", ".png", ".xlsx", ".zip"})
"""Suffixes of what gets no smaller."""
CHUNK = 1 << 20
FileContent = Path | bytes
"""Of a file in a bag: a file on the disk, or its bytes."""
_OTHER = re.compile(rb"[^\w !#$&'()+,.;@{}~-]|^ | \Z")
"""What is not written as it is: a blank at either end is lost in a list."""


class _Sized(NamedTuple):
    """A file with its size (bytes) as it is said beforehand."""

    content: FileContent
    size: int


def write_bag(
    target: BinaryIO,
    name: str,
    payload: Mapping[str, FileContent],
    words: Mapping[str, str],
    advance: Callable[[int, int], None],
) -> None:
    """Write a bag, a folder called `name`, into a zip; `payload` by path, `words` for bag-info.txt.

    Raises Rejected where a file changes meanwhile.
    """
    placed = {f"{PAYLOAD}/{ascii_path(path)}": _sized(one) for path, one in payload.items()}
    octets = sum(size for _, size in placed.values())
    about = {**words, "Payload-Oxum": f"{octets}.{len(placed)}"}
    tags = {"bag-info.txt": _written(about), DECLARED: DECLARATION}
    with ZipFile(target, "w") as bag:
        hashes = dict(_added(bag, name, {path: _sized(one) for path, one in tags.items()}))
        listed = {}
        for done, (path, digest) in enumerate(_added(bag, name, placed), start=1):
            listed[path] = digest
            advance(done, len(placed))
        hashes |= _added(bag, name, {MANIFEST: _sized(_listed(listed))})
        dict(_added(bag, name, {TAG_MANIFEST: _sized(_listed(hashes))}))


def is_bag(path: Path) -> bool:
    """Tell whether a file is a bag in a zip."""
    try:
        with ZipFile(path) as bag:
            return any(name.split("/")[1:] == [DECLARED] for name in bag.namelist())
    except (BadZipFile, ValueError):
        return False


def ascii_path(path: str) -> str:
    """Write a path in ASCII, with nothing that any file system or reader of a list minds.

    >>> ascii_path("invoices/CB-ビル.pdf"), ascii_path("100%=1.svg")
    ('invoices/CB-=E3=83=93=E3=83=AB.pdf', '100=25=3D1.svg')
    """
    return "/".join(map(_ascii, path.split("/")))


def _ascii(part: str) -> str:
    return _OTHER.sub(lambda sign: b"=%02X" % sign[0][0], os.fsencode(part)).decode("ascii")


def _sized(content: FileContent) -> _Sized:
    size = content.stat().st_size if isinstance(content, Path) else len(content)
    return _Sized(content, size)


def _added(bag: ZipFile, name: str, files: Mapping[str, _Sized]) -> Iterator[tuple[str, str]]:
    """Copy files into the zip, sorted, and give the hash of each by its path."""
    for path, (content, size) in sorted(files.items()):
        entry = ZipInfo(f"{name}/{path}", EPOCH)
        entry.external_attr = MODE << 16
        entry.compress_type = ZIP_STORED if Path(path).suffix in ZIPPED else ZIP_DEFLATED
        entry.file_size = size
        source = content.open("rb") if isinstance(content, Path) else BytesIO(content)
        with source, bag.open(entry, "w") as target:
            digest, copied = _copied(source, target)
        if copied != size:
            message, hint = "was changed while it was copied", "run the command again"
            raise Rejected([Problem(source=str(content), message=message, hint=hint)])
        yield path, digest


def _copied(source: BinaryIO, target: IO[bytes]) -> tuple[str, int]:
    """Copy without holding all of it; gives hash and size."""
    digest, size = sha256(), 0
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        size += target.write(chunk)
    return digest.hexdigest(), size


def _listed(hashes: Mapping[str, str]) -> bytes:
    """Write a manifest: hash, two blanks, path; sorted by path."""
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(hashes.items())).encode()


def _written(words: Mapping[str, str]) -> bytes:
    """Write bag-info.txt, a line a label."""
    lines = (f"{label}: {printable(text)}\n" for label, text in sorted(words.items()))
    return "".join(lines).encode()
