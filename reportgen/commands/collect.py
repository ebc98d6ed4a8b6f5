"""`collect`: the API's answers become the evidence of a cycle."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from reportgen.archive import evidence
from reportgen.archive.folder import EVIDENCE, cycle_folder, refuse_sealed, refuse_unwritable, staged
from reportgen.commands.edge import DONE, Edge, choose_cycle
from reportgen.core.cycle import BillingCycle, is_over
from reportgen.core.model import RecordedResponse
from reportgen.core.problem import Problem, Rejected
from reportgen.derive import question
from reportgen.sources import v3
from reportgen.sources.ask import Plan
from reportgen.sources.client import Connection, drive
from reportgen.sources.config import Configuration, load
from reportgen.sources.replay import ReplayTransport

T = TypeVar("T")
NOWHERE = "http://recording.invalid"
"""Stands for the host of a recording, which knows requests without host, and without a path before theirs."""
Responses = dict[str, RecordedResponse]


def collect(config: Path, selector: str, edge: Edge, concurrency: int) -> int:
    """Collect a cycle into the archive."""
    configuration = load(config)
    edge.terminal.problems(configuration.warnings)
    cycle, responses = gather(configuration, selector, edge, concurrency)
    folder = cycle_folder(configuration.archive, cycle.start)
    if configuration.replay:
        with staged(folder) as stage:
            stage.write(EVIDENCE, evidence.encode(responses.values()))
    edge.terminal.result(f"{len(responses)} responses in {folder / EVIDENCE}")
    edge.terminal.values({"cycle": str(cycle.start), "responses": len(responses), "file": str(folder / EVIDENCE)})
    return DONE


def cycles(config: Path, edge: Edge) -> int:
    """List the billing cycles that the API knows."""
    configuration = load(config)
    connection, _ = _connection(configuration, edge, 1)
    found = asyncio.run(drive(v3.cycles(), connection, {}))
    rows = [(str(cycle.start), str(cycle.end), str((cycle.end - cycle.start).days)) for cycle in found]
    edge.terminal.table(("start", "end", "days"), rows, numbers=("days",))
    edge.terminal.values([{"start": start, "end": end, "days": int(days)} for start, end, days in rows])
    return DONE


def gather(
    configuration: Configuration, selector: str, edge: Edge, concurrency: int
) -> tuple[BillingCycle, Responses]:
    """Ask for the cycle and everything in it.

    What the live API answers is stored the moment it arrives, and not asked for again. What a recording answers is
    only returned: it costs nothing to ask again, and nothing is to be written should it turn out wrong.
    """
    refuse_unwritable(configuration.archive, configuration.archive_source)
    connection, responses = _connection(configuration, edge, concurrency)
    with edge.terminal.progress("Asking for the billing cycles") as advance:
        found = _drive(v3.cycles(), replace(connection, progress=advance), {})
    cycle = choose_cycle(selector, found, edge)
    folder = cycle_folder(configuration.archive, cycle.start)
    refuse_sealed(folder)
    known: Responses = {}
    if not configuration.replay:
        known = _stored(folder / EVIDENCE, cycle)
        keep = evidence.appending(folder / EVIDENCE, responses.values())
        connection = replace(connection, append=_both(connection.append, keep))
    with edge.terminal.progress("Collecting consumption") as advance:
        _drive(v3.consumption(question(configuration, cycle)), replace(connection, progress=advance), known)
    return cycle, known | responses


def _drive(plan: Plan[T], connection: Connection, known: Mapping[str, RecordedResponse]) -> T:
    return asyncio.run(drive(plan, connection, known))


def _connection(configuration: Configuration, edge: Edge, concurrency: int) -> tuple[Connection, Responses]:
    """Connect to the API or to the recording; the responses arrive in the mapping that is returned."""
    responses: Responses = {}

    def append(response: RecordedResponse) -> None:
        responses[response.request] = response

    source = configuration.settings.source
    replay = configuration.replay
    connection = Connection(
        base_url=NOWHERE if replay else source.base_url,
        token="" if replay else _token(configuration, edge),
        append=append,
        now=edge.now,
        progress=lambda done, known: None,  # noqa: ARG005 - shown by the caller
        transport=ReplayTransport(_recorded(configuration, replay), str(replay)) if replay else None,
        concurrency=concurrency,
    )
    return connection, responses


def _recorded(configuration: Configuration, path: Path) -> Responses:
    if not path.exists():
        hint = "correct the path, or remove `replay` to ask the API"
        message = f"the recording {path} does not exist"
        raise Rejected([Problem(source=configuration.replay_source, message=message, hint=hint)])
    return evidence.read(path)


def _token(configuration: Configuration, edge: Edge) -> str:
    """Read the token; a newline that a mounted secret ends with is not part of it."""
    name = configuration.settings.source.token_env
    token = edge.environment.get(name, "").strip()
    if not token or not token.isascii() or not token.isprintable():
        state = "holds characters that no token has" if token else "is not set"
        message, hint = f"the environment variable {name} {state}", "set it to the key of a service user (cog_…)"
        raise Rejected([Problem(source=configuration.token_source, message=message, hint=hint)])
    return token


def _stored(path: Path, cycle: BillingCycle) -> Responses:
    """Give what an earlier run stored, unless the cycle was still running then: its days have grown since."""
    evidence.repair(path)
    found = evidence.read(path) if path.exists() and path.stat().st_size else {}
    return {request: response for request, response in found.items() if is_over(cycle, response.fetched_at)}


def _both(
    first: Callable[[RecordedResponse], None], second: Callable[[RecordedResponse], None]
) -> Callable[[RecordedResponse], None]:
    def append(response: RecordedResponse) -> None:
        second(response)
        first(response)

    return append
