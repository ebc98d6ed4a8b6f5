"""The auditor's pack of a closed cycle: one file, which is checked by itself."""

from pathlib import Path

from reportgen.archive import bag, manifest
from reportgen.archive.disk import written_beside
from reportgen.archive.folder import EXPORTS, cycle_folder, private
from reportgen.archive.manifest import Sealed
from reportgen.core.problem import Problem, Rejected
from reportgen.operations.context import DONE, Context
from reportgen.operations.cycles import archived_cycle
from reportgen.operations.sealed import pack
from reportgen.operations.sealed.handing_out import (
    faults_of,
    refuse_open,
    refuse_within_closed,
    tell_changed,
)
from reportgen.sources.config.configuration import Configuration

OWNER, GROUP = 0o600, 0o640


def export_pack(
    configuration: Configuration, selector: str, output: Path | None, context: Context
) -> int:
    """Write the pack of a closed cycle, unless anything in it was changed since the close."""
    cycle = archived_cycle(configuration, selector, context)
    folder = cycle_folder(configuration.archive, cycle.start)
    refuse_open(folder, "run `reportgen close` first")
    target = output or folder.parent / EXPORTS / folder.name / pack.file_name(folder)
    _refuse_target(target)
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
        pack.write_pack(file, link, chain, advance)
    return _tell(target, link, context)


def _refuse_target(target: Path) -> None:
    """Raise Rejected where a file would come into a closed cycle, or in the place of another."""
    refuse_within_closed(target, "name a new file with --output")
    if target.exists() and not (target.is_file() and bag.is_bag(target)):
        message = "is there already, and is no such export, so it is not replaced"
        hint = "name a new file with --output"
        raise Rejected([Problem(source=str(target), message=message, hint=hint)])


def _tell(target: Path, link: Sealed, context: Context) -> int:
    digest = manifest.hash_of(target)
    context.terminal.result(f"Wrote {target}, of the cycle that was closed with seal {link.seal}")
    context.terminal.result(f"The sha256 of the file is {digest}")
    context.terminal.values(
        {
            "file": str(target),
            "format": "audit",
            "cycle": link.folder.name,
            "seal": link.seal,
            "bytes": target.stat().st_size,
            "sha256": digest,
        }
    )
    return DONE
