"""The billing cycles a command can choose from: what the API tells, or what the contract day implies."""

from collections.abc import Iterable
from datetime import date

from reportgen.archive import evidence
from reportgen.archive.folder import EVIDENCE, collected, cycle_folder
from reportgen.commands.edge import Edge, choose_cycle
from reportgen.core.cycle import BillingCycle, contract_cycles, months_until
from reportgen.core.problem import Problem, Rejected
from reportgen.sources import plans
from reportgen.sources.ask import answer_from
from reportgen.sources.config import Configuration
from reportgen.sources.reading import KnownCycles

MONTHS = 36
"""How far back the contract day is followed where the API tells no cycles."""
CYCLES = "/consumption/cycles"
NOT_FOUND = 404


def told_cycles(configuration: Configuration, told: KnownCycles, edge: Edge) -> list[BillingCycle]:
    """Give the cycles of the API; where it refuses or has none, those of the contract day, or raise Rejected."""
    edge.terminal.problems(told.warnings)
    if told.cycles:
        return list(told.cycles)
    day = configuration.settings.source.cycle_day
    if day is None:
        raise Rejected([_no_cycles(configuration, told)])
    months = months_until(edge.today(), MONTHS)
    return [cycle for cycle in contract_cycles(day, months) if cycle.start <= edge.today()]


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


def archived_cycle(configuration: Configuration, selector: str, edge: Edge) -> BillingCycle:
    """Resolve `--cycle` from the archived evidence, and see that this cycle has been collected."""
    paths = collected(configuration.archive)
    if not paths:
        raise Rejected([_not_collected(str(configuration.archive), "no billing cycle has been collected yet")])
    known: set[BillingCycle] = set(_of_contract(configuration, (path.parent.parent.name for path in paths)))
    for path in paths:
        answers = evidence.read(path, only=CYCLES)
        if answers:
            known |= set(answer_from(plans.cycles(configuration.settings.source), answers, str(path)).cycles)
    cycle = choose_cycle(selector, sorted(known), edge)
    folder = cycle_folder(configuration.archive, cycle.start)
    if not (folder / EVIDENCE).exists():
        raise Rejected([_not_collected(str(folder), "this billing cycle has not been collected")])
    return cycle


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
