"""Which billing cycle `--cycle` means: of those the API tells, or those the archive tells."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from reportgen.archive import evidence
from reportgen.archive.folder import collected, correction_folders, cycle_folder, evidence_of
from reportgen.core.cycle import (
    BillingCycle,
    UnknownCycle,
    contract_cycles,
    months_until,
    resolve,
)
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import quoted, some
from reportgen.operations.context import Context, WrongUsage
from reportgen.sources.api import versions as api
from reportgen.sources.api.plan import answer_from
from reportgen.sources.api.reading import KnownCycles
from reportgen.sources.config.configuration import Configuration

MONTHS = 36
"""How far back the contract day is followed where the API tells no cycles."""
CYCLES = "/consumption/cycles"
NOT_FOUND = 404


def choose_cycle(selector: str, cycles: Iterable[BillingCycle], context: Context) -> BillingCycle:
    """Resolve `--cycle` and say the range it means; raises WrongUsage where that is not one."""
    cycle = resolve(selector, cycles, context.today())
    if isinstance(cycle, UnknownCycle):
        raise WrongUsage(_not_one(cycle))
    context.terminal.say(f"Billing cycle {cycle} (the end is not part of it)")
    return cycle


def told_cycles(
    configuration: Configuration, told: KnownCycles, context: Context
) -> list[BillingCycle]:
    """Give the cycles the API tells; where it refuses or has none, those of the contract day.

    Raises Rejected where there is no contract day either.
    """
    context.terminal.problems(told.warnings)
    if told.cycles:
        return list(told.cycles)
    day = configuration.settings.source.cycle_day
    if day is None:
        raise Rejected([_no_cycles(configuration, told)])
    months = months_until(context.today(), MONTHS)
    return [cycle for cycle in contract_cycles(day, months) if cycle.start <= context.today()]


def archived_cycle(configuration: Configuration, selector: str, context: Context) -> BillingCycle:
    """Resolve `--cycle` from the archived evidence, and see that this cycle has been collected.

    Raises WrongUsage where it names none or two, Rejected where nothing was collected.
    """
    paths = collected(configuration.archive)
    if not paths:
        raise _not_collected(configuration.archive, "no billing cycle has been collected yet")
    cycles = _archived_cycles(configuration, paths)
    if isinstance(resolve(selector, cycles, context.today()), UnknownCycle):
        for path in paths:  # a line that cannot be read may be why: it is refused
            evidence.read(path, only=CYCLES)
    cycle = choose_cycle(selector, cycles, context)
    folder = cycle_folder(configuration.archive, cycle.start)
    if not evidence_of(folder).exists():
        raise _not_collected(folder, "this billing cycle has not been collected")
    return cycle


def archived_folder(
    configuration: Configuration, selector: str, context: Context
) -> tuple[BillingCycle, Path]:
    """Resolve `--cycle` to a cycle and its folder, or, as in `2025-12-05.c1`, to a correction's.

    Raises WrongUsage where it names none or two, Rejected where nothing was collected.
    """
    name, mark, number = selector.rpartition(".c")
    if not (mark and number.isdecimal()):
        cycle = archived_cycle(configuration, selector, context)
        return cycle, cycle_folder(configuration.archive, cycle.start)
    cycle = archived_cycle(configuration, name, context)
    folders = correction_folders(configuration.archive, cycle.start)
    wanted = f"{cycle.start}{mark}{int(number)}"
    if folder := next((one for one in folders if one.name == wanted), None):
        return cycle, folder
    known = ", ".join(one.name for one in folders)
    message, hint = f"{quoted(selector)} names no correction", f"known are: {known or 'none'}"
    raise WrongUsage(Problem(source="--cycle", message=message, hint=hint))


def archived_cycles(
    configuration: Configuration, selector: str, context: Context
) -> list[BillingCycle]:
    """Resolve a range `A..B` of cycles, both included.

    Raises WrongUsage where it names none, Rejected where a cycle in it was not collected.
    """
    first, _, last = selector.partition("..")
    begin, end = (archived_cycle(configuration, one, context) for one in (first, last))
    if end.start < begin.start:
        message, hint = f"{quoted(selector)} ends before it begins", "name the earlier cycle first"
        raise WrongUsage(Problem(source="--cycle", message=message, hint=hint))
    known = _archived_cycles(configuration, collected(configuration.archive))
    inside = [cycle for cycle in known if begin.start <= cycle.start <= end.start]
    _refuse_gaps(configuration.archive, inside)
    return inside


def _refuse_gaps(archive: Path, cycles: Iterable[BillingCycle]) -> None:
    """Raise Rejected where a cycle in a range was not collected: its charges would be missing."""
    missing = [
        cycle_folder(archive, cycle.start)
        for cycle in cycles
        if not evidence_of(cycle_folder(archive, cycle.start)).exists()
    ]
    hint = "run `reportgen collect` for it, or name a range without it"
    message = "this billing cycle lies in the range, and has not been collected"
    if missing:
        raise Rejected(Problem(source=str(one), message=message, hint=hint) for one in missing)


def _not_one(cycle: UnknownCycle) -> Problem:
    """Say which cycles there are to choose from."""
    selector, several = quoted(cycle.selector), cycle.candidates
    names = ", ".join(str(known.start) for known in several or cycle.known)
    if not several:
        message = f"{selector} names no billing cycle"
        return Problem(source="--cycle", message=message, hint=f"known are: {names or 'none'}")
    if len({known.start for known in several}) == len(several):
        message = f"{selector} names {len(several)} billing cycles: {names}"
        return Problem(source="--cycle", message=message, hint="give the start date")
    message = (
        f"{selector} names {len(several)} billing cycles, of which the API lets more than one "
        f"start on one day: {some(several, _as_told)}"
    )
    hint = "ask the vendor which of them is right; until then none can be charged"
    return Problem(source="--cycle", message=message, hint=hint)


def _as_told(cycle: BillingCycle) -> str:
    """Write a cycle with the bounds that the API gives, as its days may be those of another."""
    return f"{cycle} (after {cycle.after}, before {cycle.before})"


def _no_cycles(configuration: Configuration, told: KnownCycles) -> Problem:
    hint = "set `source: {cycle_day: …}` to the day of the month your contract began"
    if told.refused == NOT_FOUND:
        message = "the API does not know the list of billing cycles (404)"
        hint = f"check `base_url` and `prefix`; or {hint}"
    elif told.refused:
        message = "the API does not tell this credential the billing cycles"
    else:
        message = "the API knows no billing cycle"
    return Problem(source=configuration.cycles_source, message=message, hint=hint)


def _not_collected(place: Path, message: str) -> Rejected:
    hint = "run `reportgen collect` first"
    return Rejected([Problem(source=str(place), message=message, hint=hint)])


# What the archive tells


class _Told(NamedTuple):
    """What the evidence of a folder tells of cycles; sorts by when it was told."""

    at: datetime
    folder: str
    cycles: tuple[BillingCycle, ...]


def _archived_cycles(configuration: Configuration, paths: Sequence[Path]) -> list[BillingCycle]:
    """Give one cycle per start, as its own evidence tells it, else as it was told last.

    Evidence that does not tell its own cycle was collected by the contract day.
    """
    told = sorted(_told_in(configuration, path) for path in paths)
    last = {cycle.start: cycle for one in told for cycle in one.cycles}
    own = {
        cycle.start: cycle
        for one in told
        for cycle in one.cycles
        if cycle.start.isoformat() == one.folder
    }
    by_contract = {
        cycle.start: cycle for cycle in _of_contract(configuration, [one.folder for one in told])
    }
    return sorted((last | by_contract | own).values())


def _told_in(configuration: Configuration, path: Path) -> _Told:
    """Read from a file of evidence which cycles the API told, and when.

    A torn last line is refused once its own cycle is read.
    """
    folder = path.parent.parent.name
    answers = evidence.read(path, only=CYCLES, skip_torn_end=True)
    if not answers:
        return _Told(datetime.min.replace(tzinfo=UTC), folder, ())
    at = max(datetime.fromisoformat(answer.fetched_at) for answer in answers.values())
    told = answer_from(api.cycles(configuration.settings.source), answers, str(path))
    return _Told(at, folder, told.cycles)


def _of_contract(configuration: Configuration, folders: Iterable[str]) -> list[BillingCycle]:
    """Give the cycles that the contract day implies for collected folders."""
    day = configuration.settings.source.cycle_day
    if day is None:
        return []
    starts = {date.fromisoformat(name) for name in folders}
    months = sorted({(start.year, start.month) for start in starts})
    return [cycle for cycle in contract_cycles(day, months) if cycle.start in starts]
