"""The API: the way to it, the clock, whose the token is, and which views it may read.

Law: nothing is kept of what is answered, each question is asked once, and nobody waits long.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from reportgen.commands.doctor.asking import CONCURRENCY, Heard, ask, once
from reportgen.commands.doctor.clock import Clock
from reportgen.commands.doctor.finding import Finding, fine, told, untried, wrong
from reportgen.commands.doctor.views import VIEWS, views
from reportgen.commands.doctor.way import API, authorities, way
from reportgen.core.problem import Rejected
from reportgen.operations.connect import (
    connect,
    of_other_version,
    refuse_missing_recording,
    variables,
)
from reportgen.operations.context import Context
from reportgen.sources.api.client import ApiFailure, Connection
from reportgen.sources.api.permissions import of_the_other_version, whose
from reportgen.sources.api.plan import Answer, Request
from reportgen.sources.api.v3_credentials import misfit
from reportgen.sources.api.v3_credentials import whose as whose_it_is
from reportgen.sources.config.configuration import Configuration

TOKEN = "token"  # noqa: S105 - the name of a part
PATIENCE = 2.5
"""Seconds for one answer; three follow each other."""
UNKNOWN_KEY = 401


def prepared(
    configuration: Configuration, context: Context
) -> tuple[Connection | None, list[Finding]]:
    """Read the tokens; gives how the API is reached, or why it is not asked."""
    try:
        refuse_missing_recording(configuration)
        if configuration.replay:
            return None, [untried(API, f"the recording {configuration.replay} stands in for it")]
        connection, _ = connect(configuration, context, CONCURRENCY)
    except Rejected as rejected:
        part = API if configuration.replay else TOKEN
        return None, [
            *(told(part, problem) for problem in rejected.problems),
            *([] if configuration.replay else [untried(API, "there is no key to ask with")]),
        ]
    connection = replace(
        connection,
        attempts=1,
        patience=PATIENCE,
        first_patience=PATIENCE,
        tell=lambda line: None,  # noqa: ARG005 - what fails is told at the end
    )
    return connection, []


def api(
    configuration: Configuration, connection: Connection, context: Context
) -> Iterator[Finding]:
    """Follow the way to the API, then ask it about the token, then once for every kind of view."""
    reached = way(connection)
    yield reached
    if reached.health == "problem":
        if reached.part != API:
            yield untried(API, "it can only be asked through the proxy")
        return
    if connection.base_url.startswith("https:"):
        yield authorities(context.environment)
    clock = Clock(context.now)
    connection = replace(connection, heed=clock.hear)
    asked = whose(configuration.settings.source)
    heard = ask(asked, connection)
    failed = next((one for one in heard if _is_out_of_reach(one)), None)
    if isinstance(failed, ApiFailure):
        yield told(API, once(failed.problem))
    else:
        yield fine(API, f"{connection.base_url} answers")
    yield clock.finding()
    if failed:
        return
    keys = list(_refused(asked, heard, configuration, connection))
    keys = keys or list(_whose(asked, heard, configuration))
    yield from keys
    if any(key.health == "problem" for key in keys):
        yield untried(VIEWS, "they are asked for once the key is the right one")
    else:
        yield from views(configuration.settings.source, connection, context)


def _is_out_of_reach(heard: Heard) -> bool:
    """Tell whether nobody answered, or not the API: nothing more is worth asking then."""
    return isinstance(heard, ApiFailure) and heard.status != UNKNOWN_KEY


def _refused(
    asked: Sequence[Request],
    heard: Sequence[Heard],
    configuration: Configuration,
    connection: Connection,
) -> Iterator[Finding]:
    """Say which keys the API does not know, and whether its other version knows them."""
    names, version = variables(configuration), configuration.settings.source.api
    for request, failure in zip(asked, heard, strict=True):
        if not isinstance(failure, ApiFailure):
            continue
        source, name = configuration.token_sources[request.credential], names[request.credential]
        if _is_of_other_version(request.credential, configuration, connection):
            yield told(TOKEN, of_other_version(name, version, source))
        else:
            message = f"{failure.problem.message} to the key in {name}"
            yield wrong(TOKEN, message, failure.problem.hint, source)


def _is_of_other_version(
    credential: str, configuration: Configuration, connection: Connection
) -> bool:
    """Ask the other version of the API; keys tell by their beginning, but not all."""
    asked = replace(of_the_other_version(configuration.settings.source), credential=credential)
    (heard,) = ask([asked], connection)
    return isinstance(heard, Answer) and heard.body is not None


def _whose(
    asked: Sequence[Request], heard: Sequence[Heard], configuration: Configuration
) -> Iterator[Finding]:
    """Say whose the credentials are, and where one stands in a wrong place."""
    if configuration.settings.source.api == "v2":
        yield fine(TOKEN, "the API knows the key; v2 does not tell whose it is")
        return
    for request, one in zip(asked, heard, strict=True):
        if not isinstance(one, Answer) or one.body is None:
            yield untried(TOKEN, "the API does not tell whose it is")
        elif unfit := misfit(one.body, request.credential):
            message = f"{whose_it_is(one.body)}. {unfit[0]}"
            yield wrong(TOKEN, message, unfit[1], configuration.token_sources[request.credential])
        else:
            yield fine(TOKEN, whose_it_is(one.body))
