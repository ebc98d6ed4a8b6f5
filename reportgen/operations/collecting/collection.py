"""How a cycle is collected: which one is meant, what is asked, and what is stored already."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from reportgen.archive import evidence, people
from reportgen.archive.draft import staged
from reportgen.archive.fetch import begun, ended
from reportgen.archive.folder import (
    ACCEPTED,
    DIRECTORY,
    EVIDENCE,
    cycle_folder,
    locked,
    refuse_sealed,
)
from reportgen.core.allocating.directory import joined
from reportgen.core.allocating.usage import decompose
from reportgen.core.cycle import BillingCycle, is_over
from reportgen.core.model import Directory, MissingView, RecordedResponse
from reportgen.core.problem import Problem
from reportgen.derive import question, user_first
from reportgen.operations.collecting.refusals import (
    broken_off,
    coarser,
    encode_accepted,
    refuse_half_way,
    unexplained_in,
)
from reportgen.operations.connect import Responses, connect, drive
from reportgen.operations.context import Context
from reportgen.operations.cycles import choose_cycle, told_cycles
from reportgen.sources.api import versions as api
from reportgen.sources.api.client import Connection
from reportgen.sources.api.reading import Question, Reading
from reportgen.sources.api.refusals import FORBIDDEN, half_way
from reportgen.sources.api.restatement import restated
from reportgen.sources.api.wire import MIB
from reportgen.sources.config.configuration import Configuration

AGAIN = "Asking once more for what was refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How the API is asked: how many requests at a time, and whether again for what is stored.

    With `accept_refused` a fetch that was refused half-way is taken for whole.
    """

    concurrency: int = 8
    refresh: bool = False
    accept_refused: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """A cycle to collect, and the connection that told of it.

    `responses` are those that named the cycle. What a recording answers is added to them. What the
    API answers is stored in `folder`; `remembered` is who was seen before.
    """

    cycle: BillingCycle
    folder: Path
    remembered: Directory
    connection: Connection
    responses: Responses


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    """What was collected: how many answers, everybody who was ever seen, and what is missing.

    `asked_to_show` of the questions were about single sessions, and for nothing else. Who is
    `known` is so without sessions: they belong to one cycle, and there may be very many.
    `unexplained` says how many ACUs are nobody's for want of it.
    """

    answered: int
    asked_to_show: int
    known: Directory
    missing: tuple[MissingView, ...]
    unexplained: str


def choose(configuration: Configuration, selector: str, context: Context, effort: Effort) -> Chosen:
    """Ask for the billing cycles and find the one that is meant; it is not closed."""
    connection, responses = connect(configuration, context, effort.concurrency)
    with context.terminal.progress("Asking for the billing cycles") as advance:
        plan = api.cycles(configuration.settings.source)
        told = drive(plan, replace(connection, progress=advance), {})
    cycle = choose_cycle(selector, told_cycles(configuration, told, context), context)
    folder = cycle_folder(configuration.archive, cycle.start)
    refuse_sealed(folder)
    return Chosen(
        cycle=cycle,
        folder=folder,
        remembered=people.remembered(configuration.archive, cycle.start),
        connection=connection,
        responses=responses,
    )


def collected_anew(
    configuration: Configuration, chosen: Chosen, context: Context, effort: Effort
) -> Gathered:
    """Collect a cycle into the archive."""
    folder = chosen.folder
    with locked(folder, group=configuration.group_reads):
        gathered = gather(configuration, chosen, context, effort)
        with staged(folder, group=configuration.group_reads) as stage:
            stage.write(DIRECTORY, people.encode(gathered.known))
            if kinds := broken_off(gathered.missing):
                stage.write(ACCEPTED, encode_accepted(kinds))
            if configuration.replay:
                told = chosen.responses
                if not evidence.holds(folder / EVIDENCE, told.values()):
                    stage.write_pieces(EVIDENCE, map(evidence.line_of, told.values()))
    return gathered


def tell_shown(gathered: Gathered, context: Context) -> None:
    """Say how much of the asking is for the sessions that documents show, and how to have less."""
    if gathered.asked_to_show:
        context.terminal.say(
            f"Asked about {gathered.asked_to_show:,} single sessions, which documents show; "
            "a smaller number in `invoice: {sessions: …}` asks about fewer, 0 about none"
        )


def gather(
    configuration: Configuration, chosen: Chosen, context: Context, effort: Effort
) -> Gathered:
    """Ask for everything in a cycle; raises ApiFailure where something was refused half-way.

    What the live API answers is stored the moment it arrives, not asked for again, and not kept in
    memory. What a recording answers is only kept there: it costs nothing to ask again, and nothing
    is to be written should it turn out wrong.
    """
    asked = question(configuration, chosen.cycle, chosen.remembered)
    if configuration.replay:
        reading, answered = _ask(configuration, asked, chosen, {}, context)
        _judge(reading, configuration, context, effort)
    else:
        reading, answered = _fetch(configuration, asked, chosen, context, effort)
    return Gathered(
        answered=answered,
        asked_to_show=reading.asked_to_show,
        known=replace(joined(reading.directory, chosen.remembered), sessions={}),
        missing=reading.missing_views,
        unexplained=_unexplained(reading, configuration),
    )


def _fetch(
    configuration: Configuration, asked: Question, chosen: Chosen, context: Context, effort: Effort
) -> tuple[Reading, int]:
    """Ask the live API for what is not stored, and join it to what was collected before.

    What was accepted of an earlier fetch is accepted no more.
    """
    folder = chosen.folder
    totals = api.control_totals(configuration.settings.source, asked)
    control = {request.target for request in totals}
    fetch = begun(folder, chosen.cycle, control, now=context.now(), refresh=effort.refresh)
    most = configuration.settings.source.max_evidence_mib * MIB
    append = evidence.appending(
        fetch.path,
        chosen.responses.values(),
        most,
        lambda answer: fetch.says(answer, chosen.cycle, chosen.responses),
    )
    storing = replace(chosen, connection=replace(chosen.connection, append=append))
    reading, answered = _ask(configuration, asked, storing, fetch.known, context)
    if _ask_again(configuration, asked, storing, reading, effort):
        known = evidence.stored(fetch.path).without(reading.refused.requests)
        reading, answered = _ask(configuration, asked, storing, known, context, AGAIN)
    (folder / ACCEPTED).unlink(missing_ok=True)
    _judge(reading, configuration, context, effort)
    with ended(folder, fetch) as (path, size):
        context.terminal.problems(_restated(configuration, asked, path, size))
    return reading, answered


def _ask_again(
    configuration: Configuration, asked: Question, chosen: Chosen, reading: Reading, effort: Effort
) -> bool:
    """Tell whether refusals have to be asked once more: a credential may have failed for a while.

    What was refused from the first is probed. Raises ApiFailure where the credential has lost what
    it could see before.
    """
    refused = reading.refused
    if refused.half_way or not refused.requests:
        return refused.half_way
    source, totals = configuration.settings.source, not effort.accept_refused
    return drive(api.probe(source, asked, refused, totals=totals), chosen.connection, {})


def _judge(
    reading: Reading, configuration: Configuration, context: Context, effort: Effort
) -> None:
    """List what is missing and raise ApiFailure, where it was refused half-way and unaccepted."""
    if effort.accept_refused or not half_way(reading.missing_views):
        return
    unexplained = _unexplained(reading, configuration)
    context.terminal.problems(
        coarser(view, str(configuration.archive)) for view in reading.missing_views
    )
    refuse_half_way(reading.missing_views, frozenset(), unexplained)


def _unexplained(reading: Reading, configuration: Configuration) -> str:
    """Say how many ACUs are nobody's for want of what is missing."""
    if not reading.missing_views:
        return ""
    usage = decompose(
        reading.views,
        reading.directory,
        user_first=user_first(configuration.mapping),
        tolerance=configuration.settings.tolerance,
    )
    return unexplained_in(usage)


def _ask(
    configuration: Configuration,
    asked: Question,
    chosen: Chosen,
    known: Mapping[str, RecordedResponse],
    context: Context,
    label: str = "Collecting consumption",
) -> tuple[Reading, int]:
    """Ask for the consumption that is not `known`; give what was said, and count the answers."""
    answered = {*chosen.responses, *known}

    def append(response: RecordedResponse) -> None:
        chosen.connection.append(response)
        answered.add(response.request)

    with context.terminal.progress(label) as advance:
        connection = replace(chosen.connection, append=append, progress=advance)
        plan = api.consumption(configuration.settings.source, asked)
        reading = drive(plan, connection, known)
    return reading, len(answered)


def _restated(
    configuration: Configuration, asked: Question, path: Path, size: int
) -> list[Problem]:
    """Compare what was fetched again with what was fetched when the cycle was over: it is final."""
    final = (
        (before, after)
        for before, after in evidence.superseded(path, size)
        if api.is_consumption(before.request)
        and is_over(asked.cycle, before.fetched_at)
        and before.status != FORBIDDEN
    )
    control = api.control_totals(configuration.settings.source, asked)
    return restated(final, control, asked, str(path.with_name(Path(EVIDENCE).name)))
