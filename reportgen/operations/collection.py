"""How a cycle is collected: which one is meant, what is asked, and what is stored already."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from reportgen.archive import evidence, people
from reportgen.archive.draft import staged
from reportgen.archive.fetch import begun, ended
from reportgen.archive.folder import DIRECTORY, EVIDENCE, cycle_folder, locked, refuse_sealed
from reportgen.core.cycle import BillingCycle, is_over
from reportgen.core.directory import joined
from reportgen.core.model import Directory, RecordedResponse
from reportgen.core.problem import Problem
from reportgen.derive import question
from reportgen.operations.connect import Responses, connect, drive
from reportgen.operations.context import Context
from reportgen.operations.cycles import choose_cycle, told_cycles
from reportgen.sources.api import versions as api
from reportgen.sources.api.client import Connection
from reportgen.sources.api.reading import Question
from reportgen.sources.api.restatement import restated
from reportgen.sources.config.configuration import Configuration


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How the API is asked: how many requests at a time, and whether again for what is stored."""

    concurrency: int = 8
    refresh: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """A cycle to collect, and the connection that told of it.

    `responses` are those that named the cycle. What a recording answers is added to them.
    """

    cycle: BillingCycle
    connection: Connection
    responses: Responses


def choose(configuration: Configuration, selector: str, context: Context, effort: Effort) -> Chosen:
    """Ask for the billing cycles and find the one that is meant; it is not closed."""
    connection, responses = connect(configuration, context, effort.concurrency)
    with context.terminal.progress("Asking for the billing cycles") as advance:
        plan = api.cycles(configuration.settings.source)
        told = drive(plan, replace(connection, progress=advance), {})
    cycle = choose_cycle(selector, told_cycles(configuration, told, context), context)
    refuse_sealed(cycle_folder(configuration.archive, cycle.start))
    return Chosen(cycle=cycle, connection=connection, responses=responses)


def held(configuration: Configuration, folder: Path) -> AbstractContextManager[None]:
    """Keep other runs away while evidence grows; that of a recording is written at the end."""
    return (
        nullcontext() if configuration.replay else locked(folder, group=configuration.group_reads)
    )


def collected_anew(
    configuration: Configuration, chosen: Chosen, context: Context, effort: Effort
) -> int:
    """Collect a cycle into the archive; give the number of answers."""
    folder = cycle_folder(configuration.archive, chosen.cycle.start)
    with held(configuration, folder):
        answered, known = gather(configuration, chosen, context, effort)
        with staged(folder, group=configuration.group_reads) as stage:
            stage.write(DIRECTORY, people.encode(known))
            if configuration.replay:
                stage.write(EVIDENCE, evidence.encode(chosen.responses.values()))
    return answered


def gather(
    configuration: Configuration, chosen: Chosen, context: Context, effort: Effort
) -> tuple[int, Directory]:
    """Ask for everything in a cycle; give the number of answers, and everybody who was ever seen.

    What the live API answers is stored the moment it arrives, not asked for again, and not kept in
    memory. What a recording answers is only kept there: it costs nothing to ask again, and nothing
    is to be written should it turn out wrong.
    """
    remembered = people.remembered(configuration.archive, chosen.cycle.start)
    asked = question(configuration, chosen.cycle, remembered)
    if configuration.replay:
        answered, known = _ask(configuration, asked, chosen, {}, context)
    else:
        answered, known = _fetch(configuration, asked, chosen, context, effort)
    return answered, joined(known, remembered)


def _fetch(
    configuration: Configuration, asked: Question, chosen: Chosen, context: Context, effort: Effort
) -> tuple[int, Directory]:
    """Ask the live API for what is not stored, and join it to what was collected before."""
    folder = cycle_folder(configuration.archive, chosen.cycle.start)
    totals = api.control_totals(configuration.settings.source, asked)
    control = {request.target for request in totals}
    fetch = begun(folder, chosen.cycle, control, now=context.now(), refresh=effort.refresh)
    append = evidence.appending(fetch.path, chosen.responses.values())
    storing = replace(chosen, connection=replace(chosen.connection, append=append))
    answer = _ask(configuration, asked, storing, fetch.known, context)
    with ended(folder, fetch) as (path, size):
        context.terminal.problems(_restated(configuration, asked, path, size))
    return answer


def _ask(
    configuration: Configuration,
    asked: Question,
    chosen: Chosen,
    known: Mapping[str, RecordedResponse],
    context: Context,
) -> tuple[int, Directory]:
    """Ask for the consumption that is not `known`; count the answers, and give who is in them."""
    answered = {*chosen.responses, *known}

    def append(response: RecordedResponse) -> None:
        chosen.connection.append(response)
        answered.add(response.request)

    with context.terminal.progress("Collecting consumption") as advance:
        connection = replace(chosen.connection, append=append, progress=advance)
        plan = api.consumption(configuration.settings.source, asked)
        reading = drive(plan, connection, known)
    return len(answered), reading.directory


def _restated(
    configuration: Configuration, asked: Question, path: Path, size: int
) -> list[Problem]:
    """Compare what was fetched again with what was fetched when the cycle was over: it is final."""
    final = (
        (before, after)
        for before, after in evidence.superseded(path, size)
        if api.is_consumption(before.request) and is_over(asked.cycle, before.fetched_at)
    )
    control = api.control_totals(configuration.settings.source, asked)
    return restated(final, control, asked, str(path.with_name(Path(EVIDENCE).name)))
