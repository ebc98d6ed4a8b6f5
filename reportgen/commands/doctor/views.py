"""Which views a credential may read: each is asked for once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from reportgen.commands.doctor.asking import Heard, ask, once
from reportgen.commands.doctor.finding import Finding, fine, told, wrong
from reportgen.commands.doctor.way import API
from reportgen.core.cycle import BillingCycle, cycle_between
from reportgen.core.problem import Problem
from reportgen.operations.context import Context
from reportgen.sources.api.client import ADVICE, ApiFailure, Connection
from reportgen.sources.api.permissions import Trial, further_trials, trials
from reportgen.sources.api.plan import Answer
from reportgen.sources.config.schema import SourceSection

VIEWS = "views"
NOT_FOUND = 404
MOST_NAMED = 12


def views(source: SourceSection, connection: Connection, context: Context) -> Iterator[Finding]:
    """Say which kinds of view may be read, then of each that may not what to do."""
    cycle = _a_day(context)
    first = trials(source, cycle)
    heard = ask([trial.request for trial in first], connection)
    answered = {
        trial.view: one.body
        for trial, one in zip(first, heard, strict=True)
        if isinstance(one, Answer) and one.body is not None
    }
    further = further_trials(source, cycle, answered)
    results = ask([trial.request for trial in further], connection) if further else []
    known = [trial.view for trial, one in zip(further, results, strict=True) if _is_known(one)]
    if readable := [*answered, *known]:
        shown, more = ", ".join(readable[:MOST_NAMED]), len(readable) - MOST_NAMED
        yield fine(VIEWS, f"{shown}{f', and {more} more' if more > 0 else ''} may be read")
    elif status := _one_status(heard):
        yield _nothing(status, connection)
        return
    asked = zip((*first, *further), (*heard, *results), strict=True)
    yield from _unread((pair for pair in asked if pair[0].view not in readable), connection)


def _one_status(heard: Sequence[Heard]) -> int:
    """Give the status with which everything was refused, 0 where there were several."""
    statuses = {one.recorded.status if isinstance(one, Answer) else 0 for one in heard}
    return statuses.pop() if len(statuses) == 1 else 0


def _nothing(status: int, connection: Connection) -> Finding:
    """Say that no view may be read: a hundred lines would say no more."""
    message = f"{connection.base_url} answers {status} to every question"
    return wrong(API if status == NOT_FOUND else VIEWS, message, ADVICE[status])


def _is_known(heard: Heard) -> bool:
    """Tell whether a question about one id was answered: that it is unknown is an answer too."""
    return isinstance(heard, Answer) and (
        heard.body is not None or heard.recorded.status == NOT_FOUND
    )


def _unread(asked: Iterable[tuple[Trial, Heard]], connection: Connection) -> Iterator[Finding]:
    """Say which views may not be read, or could not be: those of one remedy together."""
    alike: dict[Problem, list[str]] = {}
    for trial, heard in asked:
        if isinstance(heard, ApiFailure):
            yield told(VIEWS, once(heard.problem))
        else:
            alike.setdefault(_refusal(trial, heard, connection), []).append(trial.view)
    for problem, names in alike.items():
        yield told(VIEWS, replace(problem, message=f"{', '.join(names)}: {problem.message}"))


def _refusal(trial: Trial, heard: Answer, connection: Connection) -> Problem:
    """Say what is answered instead of a view, and what is lost without it."""
    message = f"the API answers {heard.recorded.status} to this credential"
    return Problem(
        source=connection.base_url,
        message=f"{message}, so {trial.loss}" if trial.loss else message,
        hint=ADVICE[NOT_FOUND] if heard.recorded.status == NOT_FOUND else trial.hint,
        warning=bool(trial.loss),
        code="view-refused" if trial.loss else "",
    )


def _a_day(context: Context) -> BillingCycle:
    """Give the last billing day that is over: as short a cycle as there can be."""
    today = context.today()
    midnight = context.now().replace(
        year=today.year, month=today.month, day=today.day, hour=8, minute=0, second=0, microsecond=0
    )
    before = int(midnight.timestamp())
    return cycle_between(before - int(timedelta(days=1).total_seconds()), before)
