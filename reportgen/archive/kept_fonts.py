"""ARCHIVE/fonts: each font file that documents were drawn with, once, by the hash of its bytes."""

from hashlib import sha256
from pathlib import Path

from reportgen.archive.closing import GROUP_READS, OWNER_READS
from reportgen.archive.disk import sync, write_through
from reportgen.archive.manifest import FONTS


def keep(archive: Path, content: bytes, *, group: bool) -> str:
    """Keep a font unless it is there already, and give its hash."""
    digest = sha256(content).hexdigest()
    path = archive / FONTS / digest
    if not (path.is_file() and path.read_bytes() == content):
        beside = path.with_name(f".{digest}")
        try:
            beside.unlink(missing_ok=True)
            write_through(beside, content)
            beside.chmod(GROUP_READS if group else OWNER_READS)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        sync(path.parent)
    return digest
