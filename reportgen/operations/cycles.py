"""The billing cycles a command can choose from: what the API tells, or what the contract day implies."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

from reportgen.archive import evidence
from reportgen.archive.folder import EVIDENCE, collected, cycle_folder
from reportgen.core.cycle import BillingCycle, contract_cycles, months_until
from reportgen.core.model import RecordedResponse
from reportgen.core.problem import Problem, Rejected
from reportgen.operations.context import Context, NoSuchCycle, choose_cycle
from reportgen.sources.api import source as api
from reportgen.sources.api.plan import answer_from
from reportgen.sources.api.reading import KnownCycles
from reportgen.sources.config.configuration import Configuration

MONTHS = 36
"""How far back the contract day is followed where the API tells no cycles."""
CYCLES = "/consumption/cycles"
NOT_FOUND = 404
NEWLINE = b"\n"


def told_cycles(
    configuration: Configuration, told: KnownCycles, context: Context
) -> list[BillingCycle]:
    """Give the cycles of the API; where it refuses or has none, those of the contract day, or raise Rejected."""
    context.terminal.problems(told.warnings)
    if told.cycles:
        return list(told.cycles)
    day = configuration.settings.source.cycle_day
    if day is None:
        raise Rejected([_no_cycles(configuration, told)])
    months = months_until(context.today(), MONTHS)
    return [cycle for cycle in contract_cycles(day, months) if cycle.start <= context.today()]


def _no_cycles(configuration: Configuration, told: KnownCycles) -> Problem:
    hint = "set `source: {cycle_day: …}` to the day of the month your contract began"
    if told.refused == NOT_FOUND:
        message, hint = (
            "the API does not know the list of billing cycles (404)",
            f"check `base_url` and `prefix`; or {hint}",
        )
    elif told.refused:
        message = "the API does not tell this credential the billing cycles"
    else:
        message = "the API knows no billing cycle"
    return Problem(source=configuration.cycles_source, message=message, hint=hint)


def archived_cycle(configuration: Configuration, selector: str, context: Context) -> BillingCycle:
    """Resolve `--cycle` from the archived evidence, and see that this cycle has been collected."""
    paths = collected(configuration.archive)
    if not paths:
        raise Rejected(
            [_not_collected(str(configuration.archive), "no billing cycle has been collected yet")]
        )
    try:
        cycle = choose_cycle(selector, _known_cycles(configuration, paths), context)
    except NoSuchCycle:
        for path in paths:  # a line that cannot be read may be why
            evidence.read(path, only=CYCLES)
        raise
    folder = cycle_folder(configuration.archive, cycle.start)
    if not (folder / EVIDENCE).exists():
        raise Rejected([_not_collected(str(folder), "this billing cycle has not been collected")])
    return cycle


def _known_cycles(configuration: Configuration, paths: Sequence[Path]) -> list[BillingCycle]:
    """Give one cycle per start, as its own evidence was collected, else as it was told last.

    Evidence that does not tell its own cycle was collected by the contract day.
    """
    told: dict[date, BillingCycle] = {}
    own: dict[date, BillingCycle] = {}
    for _, path, cycles in sorted(_told_in(configuration, path) for path in paths):
        told |= {cycle.start: cycle for cycle in cycles}
        own |= {
            cycle.start: cycle
            for cycle in cycles
            if cycle.start.isoformat() == path.parent.parent.name
        }
    by_contract = {cycle.start: cycle for cycle in _of_contract(configuration, _folders(paths))}
    return sorted((told | by_contract | own).values())


def _told_in(
    configuration: Configuration, path: Path
) -> tuple[datetime, Path, tuple[BillingCycle, ...]]:
    """Give when a file of evidence was told the cycles, and which: they are sorted."""
    answers = _whole_answers(path)
    if not answers:
        return datetime.min.replace(tzinfo=UTC), path, ()
    fetched = max(datetime.fromisoformat(answer.fetched_at) for answer in answers.values())
    return (
        fetched,
        path,
        answer_from(api.cycles(configuration.settings.source), answers, str(path)).cycles,
    )


def _whole_answers(path: Path) -> dict[str, RecordedResponse]:
    """Read the answers about cycles; a last line that was torn is refused once its own cycle is read."""
    found: dict[str, RecordedResponse] = {}

    def keep(response: RecordedResponse) -> bool:
        if CYCLES in response.request:
            found[response.request] = response
        return False

    try:
        return evidence.read(path, only=CYCLES)
    except Rejected as refusal:
        content = path.read_bytes()
        torn = f"{path}:{content.count(NEWLINE) + 1}"
        if content.endswith(NEWLINE) or [problem.source for problem in refusal.problems] != [torn]:
            raise
    with suppress(Rejected):
        evidence.stored(path, keep)
    return found


def _folders(paths: Iterable[Path]) -> list[str]:
    return [path.parent.parent.name for path in paths]


def _of_contract(configuration: Configuration, folders: Iterable[str]) -> list[BillingCycle]:
    """Give the cycles that the contract day implies for collected folders."""
    day = configuration.settings.source.cycle_day
    if day is None:
        return []
    starts = {date.fromisoformat(name) for name in folders}
    months = sorted({(start.year, start.month) for start in starts})
    return [cycle for cycle in contract_cycles(day, months) if cycle.start in starts]


def _not_collected(source: str, message: str) -> Problem:
    return Problem(source=source, message=message, hint="run `reportgen collect` first")
