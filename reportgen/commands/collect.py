"""`collect`: the API's answers become the evidence of a cycle."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from reportgen.archive import evidence
from reportgen.archive.folder import EVIDENCE, cycle_folder, locked, refuse_sealed, refuse_unwritable, staged
from reportgen.commands.calendar import told_cycles
from reportgen.commands.connect import Responses, connect
from reportgen.commands.edge import DONE, Edge, choose_cycle
from reportgen.core.cycle import BillingCycle, is_over
from reportgen.core.model import RecordedResponse
from reportgen.derive import question
from reportgen.sources import plans
from reportgen.sources.ask import Plan
from reportgen.sources.client import Connection, drive
from reportgen.sources.config import Configuration, load

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How the API is asked: so many requests at a time, and whether what is stored is asked for again."""

    concurrency: int = 8
    refresh: bool = False


def collect(config: Path, selector: str, edge: Edge, effort: Effort) -> int:
    """Collect a cycle into the archive."""
    configuration = load(config)
    edge.terminal.problems(configuration.warnings)
    cycle, connection, responses = choose(configuration, selector, edge, effort)
    folder = cycle_folder(configuration.archive, cycle.start)
    with held(configuration, folder):
        answered = gather(configuration, cycle, connection, responses, edge, effort)
        if configuration.replay:
            with staged(folder) as stage:
                stage.write(EVIDENCE, evidence.encode(responses.values()))
    edge.terminal.result(f"{answered} responses in {folder / EVIDENCE}")
    edge.terminal.values({"cycle": str(cycle.start), "responses": answered, "file": str(folder / EVIDENCE)})
    return DONE


def cycles(config: Path, edge: Edge) -> int:
    """List the billing cycles that the API knows."""
    configuration = load(config)
    edge.terminal.problems(configuration.warnings)
    connection, _ = connect(configuration, edge, 1)
    found = told_cycles(configuration, _drive(plans.cycles(configuration.settings.source), connection, {}), edge)
    rows = [(str(cycle.start), str(cycle.end), str((cycle.end - cycle.start).days)) for cycle in found]
    edge.terminal.table(("start", "end", "days"), rows, numbers=("days",))
    edge.terminal.values([{"start": start, "end": end, "days": int(days)} for start, end, days in rows])
    return DONE


def choose(
    configuration: Configuration, selector: str, edge: Edge, effort: Effort
) -> tuple[BillingCycle, Connection, Responses]:
    """Ask for the billing cycles and find the one that is meant; it may be written."""
    refuse_unwritable(configuration.archive, configuration.archive_source)
    connection, responses = connect(configuration, edge, effort.concurrency)
    with edge.terminal.progress("Asking for the billing cycles") as advance:
        plan = plans.cycles(configuration.settings.source)
        told = _drive(plan, replace(connection, progress=advance), {})
    cycle = choose_cycle(selector, told_cycles(configuration, told, edge), edge)
    refuse_sealed(cycle_folder(configuration.archive, cycle.start))
    return cycle, connection, responses


def held(configuration: Configuration, folder: Path) -> AbstractContextManager[None]:
    """Keep other runs away from a cycle whose evidence grows; what a recording answers is written at the end."""
    return nullcontext() if configuration.replay else locked(folder)


def gather(
    configuration: Configuration,
    cycle: BillingCycle,
    connection: Connection,
    responses: Responses,
    edge: Edge,
    effort: Effort,
) -> int:
    """Ask for everything in a cycle and count what is known of it; `responses` are those that named it.

    What the live API answers is stored the moment it arrives, not asked for again, and not kept in memory. What a
    recording answers is only added to `responses`: it costs nothing to ask again, and nothing is to be written
    should it turn out wrong.
    """
    known: Responses = {}
    answered = set(responses)
    if not configuration.replay:
        path = cycle_folder(configuration.archive, cycle.start) / EVIDENCE
        known = {} if effort.refresh else _stored(path, cycle)
        answered |= known.keys()
        connection = replace(connection, append=evidence.appending(path, responses.values()))
    connection = replace(connection, append=_counted(connection.append, answered))
    with edge.terminal.progress("Collecting consumption") as advance:
        plan = plans.consumption(configuration.settings.source, question(configuration, cycle))
        _drive(plan, replace(connection, progress=advance), known)
    return len(answered)


def _drive(plan: Plan[T], connection: Connection, known: Mapping[str, RecordedResponse]) -> T:
    return asyncio.run(drive(plan, connection, known))


def _stored(path: Path, cycle: BillingCycle) -> Responses:
    """Give what an earlier run stored, unless the cycle was still running then: its days have grown since."""
    evidence.repair(path)
    found = evidence.read(path) if path.exists() and path.stat().st_size else {}
    return {request: response for request, response in found.items() if is_over(cycle, response.fetched_at)}


def _counted(append: Callable[[RecordedResponse], None], answered: set[str]) -> Callable[[RecordedResponse], None]:
    def counted(response: RecordedResponse) -> None:
        append(response)
        answered.add(response.request)

    return counted
