"""`collect`: the API's answers become the evidence of a cycle."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from reportgen.archive import directory, evidence
from reportgen.archive.fetch import Fetch, begun, ended
from reportgen.archive.folder import (
    DIRECTORY,
    EVIDENCE,
    cycle_folder,
    locked,
    refuse_sealed,
    refuse_unwritable,
    staged,
)
from reportgen.commands.calendar import told_cycles
from reportgen.commands.connect import Responses, connect
from reportgen.commands.edge import DONE, Edge, choose_cycle
from reportgen.core.cycle import BillingCycle, is_over
from reportgen.core.directory import joined
from reportgen.core.model import Directory, RecordedResponse
from reportgen.core.problem import Problem
from reportgen.derive import question
from reportgen.sources import plans
from reportgen.sources.ask import Plan
from reportgen.sources.client import ApiFailure, Connection, drive
from reportgen.sources.config import Configuration, load
from reportgen.sources.reading import Question
from reportgen.sources.restatement import restated

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
    refuse_unwritable(configuration.archive, configuration.archive_source)
    cycle, connection, responses = choose(configuration, selector, edge, effort)
    folder = cycle_folder(configuration.archive, cycle.start)
    with held(configuration, folder):
        answered, known = gather(configuration, cycle, connection, responses, edge, effort)
        with staged(folder) as stage:
            stage.write(DIRECTORY, directory.encode(known))
            if configuration.replay:
                stage.write(EVIDENCE, evidence.encode(responses.values()))
    edge.terminal.result(f"{answered} responses in {folder / EVIDENCE}")
    edge.terminal.values({"cycle": str(cycle.start), "responses": answered, "file": str(folder / EVIDENCE)})
    return DONE


def cycles(config: Path, edge: Edge) -> int:
    """List the billing cycles that the API knows."""
    configuration = load(config)
    edge.terminal.problems(configuration.warnings)
    connection, _ = connect(configuration, edge, 1)
    told = _drive(plans.cycles(configuration.settings.source), connection, {})
    for line in _credentials(configuration, connection):
        edge.terminal.say(line)
    found = told_cycles(configuration, told, edge)
    rows = [(str(cycle.start), str(cycle.end), str((cycle.end - cycle.start).days)) for cycle in found]
    edge.terminal.table(("start", "end", "days"), rows, numbers=("days",))
    edge.terminal.values([{"start": start, "end": end, "days": int(days)} for start, end, days in rows])
    return DONE


def choose(
    configuration: Configuration, selector: str, edge: Edge, effort: Effort
) -> tuple[BillingCycle, Connection, Responses]:
    """Ask for the billing cycles and find the one that is meant; it is not closed."""
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
) -> tuple[int, Directory]:
    """Ask for everything in a cycle; give the number of answers, and everybody who was ever seen.

    `responses` are those that named the cycle.

    What the live API answers is stored the moment it arrives, not asked for again, and not kept in memory. What a
    recording answers is only added to `responses`: it costs nothing to ask again, and nothing is to be written
    should it turn out wrong.
    """
    folder = cycle_folder(configuration.archive, cycle.start)
    asked = question(configuration, cycle, directory.remembered(configuration.archive, cycle.start))
    fetch = Fetch(path=folder / EVIDENCE)
    if not configuration.replay:
        control = {request.line for request in plans.control_totals(configuration.settings.source, asked)}
        fetch = begun(folder, cycle, control, now=edge.now(), refresh=effort.refresh)
        connection = replace(connection, append=evidence.appending(fetch.path, responses.values()))
    answered = {*responses, *fetch.known}
    connection = replace(connection, append=_counted(connection.append, answered))
    with edge.terminal.progress("Collecting consumption") as advance:
        plan = plans.consumption(configuration.settings.source, asked)
        found = _drive(plan, replace(connection, progress=advance), fetch.known)
    if not configuration.replay:
        with ended(folder, fetch) as (path, size):
            edge.terminal.problems(_restated(configuration, asked, path, size))
    return len(answered), joined(found.directory, asked.remembered)


def _restated(configuration: Configuration, asked: Question, path: Path, size: int) -> list[Problem]:
    """Compare what was fetched again with what had been fetched once the cycle was over: it should be the same."""
    final = (
        (before, after)
        for before, after in evidence.superseded(path, size)
        if plans.is_consumption(before.request) and is_over(asked.cycle, before.fetched_at)
    )
    control = plans.control_totals(configuration.settings.source, asked)
    return restated(final, control, asked, str(path.with_name("responses.jsonl")))


def _credentials(configuration: Configuration, connection: Connection) -> Iterator[str]:
    """Say whose each credential is, if the API tells; nothing depends on it, so nobody waits for it."""
    source = configuration.settings.source
    if configuration.replay:
        return
    for organizations in [[own] for own in source.organizations] or [[]]:
        plan = plans.credentials(source.model_copy(update={"organizations": organizations}))
        with suppress(ApiFailure):
            yield from _drive(plan, replace(connection, attempts=1), {})


def _drive(plan: Plan[T], connection: Connection, known: Mapping[str, RecordedResponse]) -> T:
    return asyncio.run(drive(plan, connection, known))


def _counted(append: Callable[[RecordedResponse], None], answered: set[str]) -> Callable[[RecordedResponse], None]:
    def counted(response: RecordedResponse) -> None:
        append(response)
        answered.add(response.request)

    return counted
