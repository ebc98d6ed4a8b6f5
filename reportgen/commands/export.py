"""`export`: what is made of a closed cycle to be handed out, in one file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from reportgen.archive import bag, manifest
from reportgen.archive.disk import written_beside
from reportgen.archive.folder import EXPORTS, FOLDER_NAME, MANIFEST, cycle_folder, private
from reportgen.archive.manifest import Sealed
from reportgen.core.problem import Problem, Rejected
from reportgen.operations.context import DONE, Context
from reportgen.operations.cycles import archived_cycle
from reportgen.operations.opening import recover, refuse_archived
from reportgen.operations.sealed import pack
from reportgen.operations.sealed.handing_out import faults_of, refuse_open, tell_changed
from reportgen.sources.config.configuration import load

OWNER, GROUP = 0o600, 0o640


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """How a file is called, whether one that is there may be replaced, and how it is written."""

    name: Callable[[Path], str]
    is_one: Callable[[Path], bool]
    write: Callable[[BinaryIO, Sealed, Sequence[Sealed], Callable[[int, int], None]], None]


FORMATS: Mapping[str, Export] = {
    "audit": Export(name=pack.file_name, is_one=bag.is_bag, write=pack.write_pack)
}


def export(config: Path, selector: str, kind: str, output: Path | None, context: Context) -> int:
    """Write one file about a closed cycle, unless anything in it was changed since the close."""
    refuse_archived(config)
    configuration = load(config)
    recover(configuration, context)
    cycle = archived_cycle(configuration, selector, context)
    folder = cycle_folder(configuration.archive, cycle.start)
    refuse_open(folder, "run `reportgen close` first")
    made = FORMATS[kind]
    target = output or folder.parent / EXPORTS / folder.name / made.name(folder)
    _refuse_target(target, made)
    chain = manifest.chain(configuration.archive)
    link = next(one for one in chain if one.folder.name == folder.name)
    handed_out = (link, *pack.corrections(link, chain))
    if faults := list(faults_of(handed_out, chain)):
        return tell_changed(folder.parent, faults, {"file": None}, context)
    group = configuration.group_reads
    with (
        private(group=group),
        written_beside(target.resolve(), GROUP if group else OWNER) as file,
        context.terminal.progress("Packing files") as advance,
    ):
        made.write(file, link, chain, advance)
    return _tell(target, kind, link, context)


def _refuse_target(target: Path, made: Export) -> None:
    """Raise Rejected where a file would come into a closed cycle, or in the place of another."""
    hint = "name a new file with --output"
    if any(map(_is_closed, target.resolve().parents)):
        message = "lies in a closed billing cycle, which is never written again"
    elif target.exists() and not (target.is_file() and made.is_one(target)):
        message = "is there already, and is no such export, so it is not replaced"
    else:
        return
    raise Rejected([Problem(source=str(target), message=message, hint=hint)])


def _is_closed(folder: Path) -> bool:
    return bool(FOLDER_NAME.fullmatch(folder.name)) and (folder / MANIFEST).exists()


def _tell(target: Path, kind: str, link: Sealed, context: Context) -> int:
    digest = manifest.hash_of(target)
    context.terminal.result(f"Wrote {target}, of the cycle that was closed with seal {link.seal}")
    context.terminal.result(f"The sha256 of the file is {digest}")
    context.terminal.values(
        {
            "file": str(target),
            "format": kind,
            "cycle": link.folder.name,
            "seal": link.seal,
            "bytes": target.stat().st_size,
            "sha256": digest,
        }
    )
    return DONE
