"""What leaves the house is as it was sealed, or it stays: what is asked of it before."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from reportgen.archive import manifest
from reportgen.archive.folder import FOLDER_NAME, MANIFEST
from reportgen.archive.manifest import Fault, Sealed
from reportgen.core.problem import Problem, Rejected
from reportgen.operations.context import NOT_TIED_OUT, Context


def refuse_open(folder: Path, hint: str) -> None:
    """Raise Rejected for a draft: what is handed out must not change any more."""
    if not (folder / MANIFEST).exists():
        message = "this billing cycle is a draft, and what is handed out must not change any more"
        raise Rejected([Problem(source=str(folder), message=message, hint=hint)])


def refuse_within_closed(target: Path, hint: str) -> None:
    """Raise Rejected where a file would come into a closed cycle."""
    resolved = target.resolve()
    if any(map(_is_closed, (resolved, *resolved.parents))):
        message = "lies in a closed billing cycle, which is never written again"
        raise Rejected([Problem(source=str(target), message=message, hint=hint)])


def faults_of(links: Iterable[Sealed], chain: Sequence[Sealed]) -> Iterator[Fault]:
    """Name what is not as it was sealed: closed folders, their fonts, the chain; each once."""
    faults = [*manifest.faults_of_chain(chain)]
    for link in links:
        faults += manifest.faults_of_files(link)
        faults += manifest.faults_of_fonts(link.folder.parent, link.manifest.fonts)
    yield from dict.fromkeys(faults)


def tell_changed(
    archive: Path, faults: Sequence[Fault], values: Mapping[str, object], context: Context
) -> int:
    """Say what is not as it was sealed, for machines beside some values; gives the exit code."""
    hint = "restore it from a copy, then try again"
    problems = [
        Problem(source=str(archive / fault.place), message=fault.message, hint=hint)
        for fault in faults
    ]
    context.terminal.problems(problems)
    told = [{"source": one.source, "message": one.message, "hint": one.hint} for one in problems]
    context.terminal.values({**values, "problems": told})
    return NOT_TIED_OUT


def _is_closed(folder: Path) -> bool:
    return bool(FOLDER_NAME.fullmatch(folder.name)) and (folder / MANIFEST).exists()
