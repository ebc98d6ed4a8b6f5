"""`verify`: an archive proved from its own files alone, without configuration and network."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from secrets import randbelow
from typing import Any

from reportgen.archive.folder import FOLDER_NAME, MANIFEST
from reportgen.archive.inspection import Inspected, any_there, inspected, of_paper, stray_fonts
from reportgen.archive.manifest import SUMS, Fault
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import some
from reportgen.operations.context import DONE, NOT_TIED_OUT, Context, WrongUsage
from reportgen.operations.sealed.verification import (
    Verdict,
    Verified,
    documents,
    unverified,
    verified,
)

SEEDS = 1_000_000
MOST_TOLD = 20
HINT = "restore it from a copy, and find out who changed it"
WORST: Sequence[Verdict] = ("tampered", "differs by version", "intact")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """How much is proved: hashes and chain alone, some documents, or all; and a printed seal."""

    quick: bool = False
    sample: int | None = None
    seed: int | None = None
    seal: str | None = None
    cycle: str | None = None

    @property
    def word(self) -> str:
        """Say how much is proved."""
        if self.quick:
            return "hashes and chain"
        return "a sample" if self.sample else "everything"


def verify(path: Path, scope: Scope, context: Context, workers: int) -> int:
    """Verify an archive, or one cycle of it, and say which of three verdicts holds."""
    archive, only = _archive_and_cycle(path)
    _tell_interrupted(archive, context)
    with context.terminal.progress("Checking hashes and the chain") as advance:
        closed = inspected(archive, only, advance)
    if not closed:
        raise Rejected([_nothing_closed(path)])
    beyond = [*_papers(closed, scope, only), *(() if only else stray_fonts(archive))]
    seed = _seed(scope, context)
    chosen = _sample(closed, scope, seed)
    results = [_checked(one, scope, chosen, context, workers) for one in closed]
    verdict = "tampered" if beyond else _worst(results)
    for result in results:
        _tell(result, archive, context)
    context.terminal.problems(_problem(archive, fault) for fault in beyond)
    context.terminal.result(f"{archive if only is None else only}: {verdict}")
    context.terminal.values(_values(archive, verdict, scope, seed, results, beyond))
    return NOT_TIED_OUT if verdict == "tampered" else DONE


def _archive_and_cycle(path: Path) -> tuple[Path, Path | None]:
    """Tell a cycle of an archive from the archive."""
    if not path.is_dir():
        message = "is not a folder" if path.exists() else "does not exist"
        hint = "name an archive, or a closed cycle in it"
        raise Rejected([Problem(source=str(path), message=message, hint=hint)])
    place = path.resolve() if path.name in {"", ".", ".."} else path
    if any_there(path, (MANIFEST, SUMS)) or FOLDER_NAME.fullmatch(place.name):
        return place.parent, place
    return path, None


def _tell_interrupted(archive: Path, context: Context) -> None:
    """Say that a close was interrupted; nothing is written here, so it stays as it is."""
    context.terminal.problems(
        Problem(
            source=str(path),
            message="a close was interrupted",
            hint="the next command on this archive ends it",
            warning=True,
            code="close-interrupted",
        )
        for path in sorted(archive.glob(".????-??-??*.closing"))
    )


def _nothing_closed(path: Path) -> Problem:
    hint = "`reportgen close` closes a cycle"
    return Problem(source=str(path), message="holds no closed cycle", hint=hint)


def _papers(closed: list[Inspected], scope: Scope, only: Path | None) -> list[Fault]:
    """Hold the seal that was given against its cycle."""
    if scope.seal is None:
        return []
    cycle = scope.cycle or (only.resolve().name if only else None)
    if cycle is None:
        hint = "give the cycle that has the seal, or names it, with --cycle"
        message = "a seal belongs to a cycle"
        raise WrongUsage(Problem(source="--seal", message=message, hint=hint))
    try:
        fault = of_paper(closed, cycle, scope.seal)
    except Rejected as rejected:
        raise WrongUsage(rejected.problems[0]) from rejected
    return [fault] if fault else []


def _seed(scope: Scope, context: Context) -> int | None:
    """Give the seed of a sample, and print it: the same seed chooses the same documents."""
    if scope.sample is None:
        return None
    seed = randbelow(SEEDS) if scope.seed is None else scope.seed
    context.terminal.say(f"Sample of {scope.sample} documents, --seed {seed}")
    return seed


def _sample(
    closed: Iterable[Inspected], scope: Scope, seed: int | None
) -> Mapping[str, frozenset[str]] | None:
    """Choose documents over all cycles, by folder; None where all are drawn."""
    if scope.sample is None:
        return None
    everything = [(one.folder.name, name) for one in closed for name in documents(one.folder)]
    count = min(scope.sample, len(everything))
    chosen: dict[str, set[str]] = defaultdict(set)
    for folder, name in Random(seed).sample(everything, count):  # noqa: S311 - said, no secret
        chosen[folder].add(name)
    return {folder: frozenset(names) for folder, names in chosen.items()}


def _checked(
    one: Inspected,
    scope: Scope,
    chosen: Mapping[str, frozenset[str]] | None,
    context: Context,
    workers: int,
) -> Verified:
    """Derive a folder again as far as it is asked for."""
    if scope.quick or (chosen is not None and one.folder.name not in chosen):
        return unverified(one)
    documents = None if chosen is None else chosen[one.folder.name]
    return verified(one, documents, workers, context)


def _worst(results: Iterable[Verified]) -> Verdict:
    return min((result.verdict for result in results), key=WORST.index)


def _tell(result: Verified, archive: Path, context: Context) -> None:
    """Write a line for a folder, and one for everything that is wrong with it."""
    seal = f", seal {result.seal}" if result.seal else ""
    made = f"{result.compared} files made again" if result.compared else "hashes and chain alone"
    context.terminal.result(f"{result.folder.name}: {result.verdict}, {made}{seal}")
    context.terminal.problems(_problem(archive, fault) for fault in result.faults)
    for difference in result.differences[:MOST_TOLD]:
        source = str(result.folder / difference.file)
        problem = Problem(source=source, message=str(difference), hint=HINT)
        context.terminal.problems([problem])
    more = len(result.differences) - MOST_TOLD
    if more > 0:
        context.terminal.say(f"… and {more} more values that differ; --json has them all")
    context.terminal.problems(_of_bytes(result))


def _of_bytes(result: Verified) -> Iterable[Problem]:
    """Say which files are made in other bytes, and of what that may be."""
    versions = "; ".join(map(str, result.other_versions))
    if result.other_bytes and result.verdict != "tampered":
        yield Problem(
            source=str(result.folder),
            message=f"amounts are proved, but other bytes are made of {some(result.other_bytes)}",
            hint=f"the versions are others: {versions}",
            warning=True,
            code="bytes-differ-by-version",
        )
        return
    for name in result.other_bytes:
        message = "its inputs make it in other bytes"
        hint = f"{HINT}; other versions: {versions}" if versions else HINT
        yield Problem(source=str(result.folder / name), message=message, hint=hint)


def _problem(archive: Path, fault: Fault) -> Problem:
    return Problem(source=str(archive / fault.place), message=fault.message, hint=HINT)


def _values(
    archive: Path,
    verdict: Verdict,
    scope: Scope,
    seed: int | None,
    results: Iterable[Verified],
    beyond: Iterable[Fault],
) -> dict[str, Any]:
    return {
        "archive": str(archive),
        "verdict": verdict,
        "checked": scope.word,
        "seed": seed,
        "faults": [_fault(fault) for fault in beyond],
        "cycles": [_cycle(result) for result in results],
    }


def _cycle(result: Verified) -> dict[str, Any]:
    return {
        "cycle": result.folder.name,
        "verdict": result.verdict,
        "seal": result.seal,
        "files_made_again": result.compared,
        "faults": [_fault(fault) for fault in result.faults],
        "differences": [
            {
                "file": one.file,
                "invoice": one.invoice or None,
                "line": one.line or None,
                "name": one.name,
                "then": one.then,
                "now": one.anew,
            }
            for one in result.differences
        ],
        "other_bytes": list(result.other_bytes),
        "other_versions": [
            {"name": one.name, "then": one.then, "now": one.now} for one in result.other_versions
        ],
    }


def _fault(fault: Fault) -> dict[str, str]:
    return {"file": fault.place, "kind": fault.kind, "message": fault.message}
