"""The HTTP client: drives a plan over the network, or over a recording through the same path.

One client per worker task with a single connection, over a shared SSL context: a shared pool is
quadratic in its connections. Transient failures are retried with backoff, or as Retry-After says;
each response is handed to `append` the moment it arrives.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import TypeVar

import httpx
import msgspec
import stamina
import stamina.instrumentation

from reportgen.core.model import RecordedResponse
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import printable, quoted
from reportgen.sources.api.bodies import UnreadableBody
from reportgen.sources.api.pace import Pace
from reportgen.sources.api.plan import Answer, Plan, Request, answer, following, unreadable
from reportgen.sources.api.replay import NotRecorded

T = TypeVar("T")
TIMEOUT = httpx.Timeout(60.0, connect=20.0)
TRANSIENT = frozenset({408, 425, 429, *range(500, 600)})
HIDDEN = "[token]"
PERMISSION_HINT = (
    "give the credential the permission to read consumption "
    "(ViewAccountConsumption or ViewOrgConsumption, on older pages ManageBilling)"
)
ADVICE = {
    401: "check the token (a trailing newline is removed), "
    "and whether this machine's address is on the allow list",
    403: PERMISSION_HINT,
    404: "check base_url; older deployments still serve /v3beta1",
    **dict.fromkeys(
        (301, 302, 307, 308), "correct base_url: this address only leads on to another"
    ),
    422: "report this: the API did not accept the request as it is documented",
}


stamina.instrumentation.set_on_retry_hooks([])  # a retry is not news; the progress bar shows it


class ApiFailure(Exception):  # noqa: N818 - what the API or the network did, told to the user
    """The API refused or could not be reached."""

    def __init__(self, problem: Problem) -> None:
        """Hold the one line the user reads."""
        self.problem = problem
        super().__init__(str(problem))


class _Transient(Exception):  # noqa: N818 - retried, never seen
    """A failure that may pass; `delay` is what Retry-After asked for, in seconds."""

    def __init__(self, reason: str, delay: float | None = None) -> None:
        self.reason, self.delay = reason, delay
        super().__init__(reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Worker:
    """One of those who ask: a client with a single connection, and the pace they keep together."""

    client: httpx.AsyncClient
    pace: Pace


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """How to reach the API.

    `tokens` are by organization, the enterprise's under "", and no `repr` shows them; `now` gives
    the instant for `fetched_at`; `append` keeps a response; `transport` replaces the network.
    """

    base_url: str
    tokens: Mapping[str, str] = field(repr=False)
    append: Callable[[RecordedResponse], None]
    now: Callable[[], datetime]
    progress: Callable[[int, int], None]
    transport: httpx.AsyncBaseTransport | None = None
    concurrency: int = 8
    attempts: int = 20
    patience: float = 300.0


async def drive(plan: Plan[T], connection: Connection, known: Mapping[str, RecordedResponse]) -> T:
    """Answer a plan: from what is `known`, else over HTTP; raises ApiFailure or Rejected."""
    async with _workers(connection) as workers:
        try:
            requests, done = next(plan), 0
            while True:
                showing = replace(
                    connection, progress=_further(connection.progress, done, following(requests))
                )
                done += len(requests)
                requests = plan.send(await _ask_all(requests, workers, showing, known))
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]


def _further(
    progress: Callable[[int, int], None], before: int, after: int
) -> Callable[[int, int], None]:
    """Tell the progress of a portion as that of all that is known."""
    return lambda done, known: progress(before + done, before + known + after)


@asynccontextmanager
async def _workers(connection: Connection) -> AsyncIterator[list[_Worker]]:
    context, pace = _trusted(connection), Pace(connection.concurrency)
    async with AsyncExitStack() as stack:
        yield [
            _Worker(
                pace=pace,
                client=await stack.enter_async_context(_client(connection, context)),
            )
            for _ in range(connection.concurrency)
        ]


def _trusted(connection: Connection) -> ssl.SSLContext:
    """Give the authorities that are trusted: none where nobody is met, as reading takes long."""
    if connection.transport:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context()


def _client(connection: Connection, context: ssl.SSLContext) -> httpx.AsyncClient:
    try:
        return httpx.AsyncClient(
            headers={"Accept": "application/json"},
            timeout=TIMEOUT,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
            transport=connection.transport,
            verify=context,
        )
    except (ImportError, ValueError) as error:
        message = f"the proxy that the environment names cannot be used: {printable(str(error))}"
        hint = "name an HTTP proxy in HTTPS_PROXY or ALL_PROXY, or unset them"
        raise ApiFailure(Problem(source=connection.base_url, message=message, hint=hint)) from error


async def _ask_all(
    requests: Sequence[Request],
    workers: Sequence[_Worker],
    connection: Connection,
    known: Mapping[str, RecordedResponse],
) -> dict[str, Answer]:
    """Let every worker take requests from one queue until it is empty."""
    answers: dict[str, Answer] = {}
    waiting, done = deque(requests), count(1)

    async def work(worker: _Worker) -> None:
        while waiting:
            request = waiting.popleft()
            if response := _known(request, known) or await _ask(request, worker, connection):
                answers[request.target] = response
            connection.progress(next(done), len(requests))

    try:
        async with asyncio.TaskGroup() as group:
            for worker in workers[: len(requests)]:
                group.create_task(work(worker))
    except ExceptionGroup as failures:
        raise _told(failures) from None
    return answers


def _told(failures: ExceptionGroup[Exception]) -> Exception:
    """Give what the workers failed of as one: all that is wrong with a recording, else the first.

    Not by `except*`: early versions of Python 3.11 wrap what is raised there into a group again.
    """
    refused = [error for error in failures.exceptions if isinstance(error, Rejected)]
    if refused:
        return Rejected(sorted({problem for error in refused for problem in error.problems}))
    return failures.exceptions[0]


def _known(request: Request, known: Mapping[str, RecordedResponse]) -> Answer | None:
    """Give the answer that an earlier run stored; one that cannot be read is asked for again."""
    recorded = known.get(request.target)
    try:
        return answer(request, recorded) if recorded else None
    except UnreadableBody:
        return None


async def _ask(request: Request, worker: _Worker, connection: Connection) -> Answer | None:
    """Ask until an answer can be read, or patience ends; None if a recording need not have one."""
    retries = stamina.retry_context(
        on=_backoff,
        attempts=connection.attempts,
        timeout=connection.patience,
        wait_initial=0.5,
        wait_max=30.0,
        wait_jitter=0.5,
    )
    try:
        async for attempt in retries:
            with attempt:
                return await _ask_once(request, worker, connection)
    except NotRecorded:
        if request.optional:
            return None
        raise
    except _Transient as failure:
        hint = "try again later, or check `base_url` and the network; what was collected is kept"
        raise ApiFailure(
            _failure(request, connection, f"{failure.reason}, at every attempt", hint)
        ) from failure
    raise AssertionError("stamina ends with a result or an exception")


def _backoff(error: Exception) -> bool | float:
    """Retry what may pass, when Retry-After says so if it says anything."""
    if not isinstance(error, _Transient):
        return False
    return True if error.delay is None else error.delay


async def _ask_once(request: Request, worker: _Worker, connection: Connection) -> Answer:
    async with worker.pace.turn() as sent:
        response = await _sent(request, worker.client, connection)
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            worker.pace.slow_down(sent)  # before anybody takes the place of this request
    if response.status_code in TRANSIENT:
        raise _busy(response, connection)
    recorded = response.extensions.get("recorded") or _recorded(request, response, connection)
    reply = _read(request, recorded, connection)
    connection.append(recorded)
    worker.pace.speed_up(sent)
    return reply


async def _sent(
    request: Request, client: httpx.AsyncClient, connection: Connection
) -> httpx.Response:
    """Send a request and receive all of the response, or raise what the connection failed of."""
    authorization = {"Authorization": f"Bearer {connection.tokens[request.credential]}"}
    try:
        async with asyncio.timeout(connection.patience):
            return await client.get(f"{connection.base_url}{request.target}", headers=authorization)
    except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
        if _untrusted(error):
            hint = "name the authority that signed it in SSL_CERT_FILE, or check `base_url`"
            message = "the server's certificate is not trusted"
            raise ApiFailure(_failure(request, connection, message, hint)) from error
        raise _Transient(f"the connection failed ({type(error).__name__})") from error


def _recorded(
    request: Request, response: httpx.Response, connection: Connection
) -> RecordedResponse:
    body = response.content.decode("utf-8-sig", "replace")
    return RecordedResponse(
        request=request.target,
        status=response.status_code,
        fetched_at=connection.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        body=_without_tokens(body, connection),
    )


def _untrusted(error: BaseException | None) -> bool:
    """Tell whether a connection failed because of the server's certificate: that does not pass."""
    while error:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _without_tokens(body: str, connection: Connection) -> str:
    """Hide a token that the server repeats: it belongs in no evidence and in no message."""
    for token in connection.tokens.values():
        body = body.replace(token, HIDDEN) if token else body
    return body


def _read(request: Request, recorded: RecordedResponse, connection: Connection) -> Answer:
    """Read a response; a wrong one is refused in a recording, and asked for again live."""
    try:
        return answer(request, recorded)
    except UnreadableBody as error:
        if recorded.source:
            raise Rejected([unreadable(request, recorded, error)]) from error
        if recorded.status == httpx.codes.OK:
            raise _Transient(f"the answer {error}") from error
        hint = ADVICE.get(recorded.status, "see the API's status page, then try again")
        message = f"the API answered {recorded.status}{_explanation(recorded.body)}"
        raise ApiFailure(_failure(request, connection, message, hint)) from error


def _explanation(body: str) -> str:
    """Give what an error body says of itself, in either of its two shapes."""
    try:
        problem = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return ""
    if not isinstance(problem, dict):
        return ""
    detail = problem.get("detail") or problem.get("title") or ""
    if isinstance(detail, list):
        detail = "; ".join(str(part.get("msg", "")) for part in detail if isinstance(part, dict))
    return f" ({quoted(detail)})" if detail else ""


def _failure(request: Request, connection: Connection, message: str, hint: str) -> Problem:
    return Problem(source=f"GET {connection.base_url}{request.target}", message=message, hint=hint)


def _busy(response: httpx.Response, connection: Connection) -> _Transient:
    """Say that the API may answer later: when it says itself, but within our patience."""
    asked = _retry_after(response, connection.now())
    delay = None if asked is None else min(asked, connection.patience)
    return _Transient(f"the API answered {response.status_code}", delay)


def _retry_after(response: httpx.Response, now: datetime) -> float | None:
    """Read Retry-After, seconds or a date; None where it is absent or makes no sense."""
    written = response.headers.get("Retry-After", "").strip()
    if written.isascii() and written.isdigit():
        return float(written)
    try:
        return max(0.0, (parsedate_to_datetime(written) - now).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None
