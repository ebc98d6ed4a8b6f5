"""How a cycle is collected: which one is meant, what is asked again, and what an earlier run has answered."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from reportgen.archive import directory, evidence
from reportgen.archive.fetch import Fetch, begun, ended
from reportgen.archive.folder import (
    EVIDENCE,
    cycle_folder,
    locked,
    refuse_sealed,
)
from reportgen.core.cycle import BillingCycle, is_over
from reportgen.core.directory import joined
from reportgen.core.model import Directory, RecordedResponse
from reportgen.core.problem import Problem
from reportgen.derive import question
from reportgen.operations.connect import Responses, connect
from reportgen.operations.context import Context
from reportgen.operations.cycles import choose_cycle, told_cycles
from reportgen.sources.api import source as api
from reportgen.sources.api.client import ApiFailure, Connection
from reportgen.sources.api.client import drive as driven
from reportgen.sources.api.plan import Plan
from reportgen.sources.api.reading import Question
from reportgen.sources.api.restatement import restated
from reportgen.sources.config.configuration import Configuration

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How the API is asked: so many requests at a time, and whether what is stored is asked for again."""

    concurrency: int = 8
    refresh: bool = False


def choose(
    configuration: Configuration, selector: str, context: Context, effort: Effort
) -> tuple[BillingCycle, Connection, Responses]:
    """Ask for the billing cycles and find the one that is meant; it is not closed."""
    connection, responses = connect(configuration, context, effort.concurrency)
    with context.terminal.progress("Asking for the billing cycles") as advance:
        plan = api.cycles(configuration.settings.source)
        told = drive(plan, replace(connection, progress=advance), {})
    cycle = choose_cycle(selector, told_cycles(configuration, told, context), context)
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
    context: Context,
    effort: Effort,
) -> tuple[int, Directory]:
    """Ask for everything in a cycle; give the number of answers, and everybody who was ever seen.

    `responses` are those that named the cycle.

    What the live API answers is stored the moment it arrives, not asked for again, and not kept in
    memory. What a recording answers is only added to `responses`: it costs nothing to ask again,
    and nothing is to be written should it turn out wrong.
    """
    folder = cycle_folder(configuration.archive, cycle.start)
    asked = question(configuration, cycle, directory.remembered(configuration.archive, cycle.start))
    fetch = Fetch(path=folder / EVIDENCE)
    if not configuration.replay:
        control = {
            request.line for request in api.control_totals(configuration.settings.source, asked)
        }
        fetch = begun(folder, cycle, control, now=context.now(), refresh=effort.refresh)
        connection = replace(connection, append=evidence.appending(fetch.path, responses.values()))
    answered = {*responses, *fetch.known}
    connection = replace(connection, append=_counted(connection.append, answered))
    with context.terminal.progress("Collecting consumption") as advance:
        plan = api.consumption(configuration.settings.source, asked)
        found = drive(plan, replace(connection, progress=advance), fetch.known)
    if not configuration.replay:
        with ended(folder, fetch) as (path, size):
            context.terminal.problems(_restated(configuration, asked, path, size))
    return len(answered), joined(found.directory, asked.remembered)


def _restated(
    configuration: Configuration, asked: Question, path: Path, size: int
) -> list[Problem]:
    """Compare what was fetched again with what had been fetched once the cycle was over: it should be the same."""
    final = (
        (before, after)
        for before, after in evidence.superseded(path, size)
        if api.is_consumption(before.request) and is_over(asked.cycle, before.fetched_at)
    )
    control = api.control_totals(configuration.settings.source, asked)
    return restated(final, control, asked, str(path.with_name("responses.jsonl")))


def credentials(configuration: Configuration, connection: Connection) -> Iterator[str]:
    """Say whose each credential is, if the API tells; nothing depends on it, so nobody waits for it."""
    source = configuration.settings.source
    if configuration.replay:
        return
    for organizations in [[own] for own in source.organizations] or [[]]:
        plan = api.credentials(source.model_copy(update={"organizations": organizations}))
        with suppress(ApiFailure):
            yield from drive(plan, replace(connection, attempts=1), {})


def drive(plan: Plan[T], connection: Connection, known: Mapping[str, RecordedResponse]) -> T:
    """Follow a plan to its end: from what is `known`, else over the connection."""
    return asyncio.run(driven(plan, connection, known))


def _counted(
    append: Callable[[RecordedResponse], None], answered: set[str]
) -> Callable[[RecordedResponse], None]:
    def counted(response: RecordedResponse) -> None:
        append(response)
        answered.add(response.request)

    return counted
