"""The HTTP client: drives a plan over the network, or over a recording through the same path.

One client per worker task with a single connection, over a shared SSL context: a shared pool is
quadratic in its connections. Transient failures are retried with backoff, or as Retry-After says,
and every wait is told; each response is handed to `append` the moment it arrives. Where nobody has
been reached yet, a wrong address is likelier than one that will answer soon: patience is short, and
shortest where the name is unknown or the host refuses, as both are said at once.
"""

import asyncio
import random
import ssl
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.util import find_spec
from itertools import count
from math import ceil
from typing import TypeVar

import httpx
import stamina
import stamina.instrumentation

from reportgen.core.model import RecordedResponse
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import printable
from reportgen.sources.api.bodies import UnreadableBody
from reportgen.sources.api.pace import Pace
from reportgen.sources.api.plan import (
    Answer,
    BeyondBounds,
    Plan,
    Request,
    answer,
    following,
    unreadable,
)
from reportgen.sources.api.replay import NotRecorded
from reportgen.sources.api.trouble import (
    distrust,
    explanation,
    is_absent,
    is_untrusted,
    reason_of,
    retry_after,
)
from reportgen.sources.api.wire import MIB, TIMEOUT, Received, Torn, Unusable, received

T = TypeVar("T")
TRANSIENT = frozenset({408, 425, 429, *range(500, 600)})
HIDDEN = "[token]"
FIRST_WAIT, LONGEST_WAIT, JITTER = 0.5, 30.0, 0.5
LEAST_TO_CONNECT = 0.5
"""Seconds: a wait between attempts, and what a further attempt would need to connect."""
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
        (300, 301, 302, 303, 307, 308), "correct base_url: this address only leads on to another"
    ),
    422: "report this: the API did not accept the request as it is documented",
}


stamina.instrumentation.set_on_retry_hooks([])  # a retry is not news; the progress bar shows it
if find_spec("sniffio") is None:
    # httpcore looks for this package at every lock it makes, a sixth of the time of an answer:
    # None says to the import system that there is none.
    sys.modules["sniffio"] = None  # type: ignore[assignment]


class ApiFailure(Exception):  # noqa: N818 - what the API or the network did, told to the user
    """The API refused or could not be reached."""

    def __init__(self, problem: Problem, status: int = 0) -> None:
        """Hold the one line the user reads, and the status of the answer; 0 without one."""
        self.problem, self.status = problem, status
        super().__init__(str(problem))


class _Transient(Exception):  # noqa: N818 - retried, never seen
    """A failure that may pass.

    `delay` is what Retry-After asked for, in seconds; `unreached`: no connection was made;
    `absent`: as there is no such host, or nobody listens there.
    """

    def __init__(
        self,
        reason: str,
        *,
        delay: float | None = None,
        unreached: bool = False,
        absent: bool = False,
        of: str = "{}",
    ) -> None:
        self.reason, self.delay, self.unreached, self.absent = reason, delay, unreached, absent
        super().__init__(of.format(reason))


@dataclass(kw_only=True, slots=True)
class Reach:
    """Whether anybody has answered yet: one for all connections of a command."""

    answered: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Worker:
    """One of those who ask: a client with a single connection, and the pace they keep together."""

    client: httpx.AsyncClient
    pace: Pace


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """How to reach the API.

    `tokens` are by organization, the enterprise's under "", and no `repr` shows them; `now` gives
    the instant for `fetched_at`; `append` keeps a response; `tell` hears of every wait; `proxy` is
    asked instead of the host; `transport` replaces the network. An answer has at most
    `largest_answer` bytes. `patience` is in seconds, `first_patience` as long as nobody answered,
    `absent_patience` where it is sure besides that nobody is there.
    `heed` sees the head of every answer the moment it is there.
    """

    base_url: str
    tokens: Mapping[str, str] = field(repr=False)
    append: Callable[[RecordedResponse], None]
    now: Callable[[], datetime]
    progress: Callable[[int, int], None]
    tell: Callable[[str], None] = lambda line: None  # noqa: ARG005 - nobody listens
    proxy: str = ""
    transport: httpx.AsyncBaseTransport | None = None
    largest_answer: int = 64 * MIB
    concurrency: int = 8
    attempts: int = 20
    patience: float = 300.0
    first_patience: float = 12.0
    absent_patience: float = 3.0
    heed: Callable[[httpx.Headers], None] = lambda headers: None  # noqa: ARG005 - nobody looks
    reach: Reach = field(default_factory=Reach)


async def drive(plan: Plan[T], connection: Connection, known: Mapping[str, RecordedResponse]) -> T:
    """Answer a plan: from what is `known`, else over HTTP; raises ApiFailure or Rejected."""
    async with _workers(connection) as workers, _lists_that_end(connection):
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


@asynccontextmanager
async def _lists_that_end(connection: Connection) -> AsyncIterator[None]:
    """Say which list would never end: of a recording it is a mistake, else the API's."""
    try:
        yield
    except BeyondBounds as error:
        if error.source:
            raise Rejected([error.problem(error.source)]) from error
        source = f"GET {connection.base_url}{error.request}"
        raise ApiFailure(error.problem(source)) from error


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
    """Make a client; what the environment says of proxies has been read by whoever connects."""
    try:
        return httpx.AsyncClient(
            headers={"Accept": "application/json", "Accept-Encoding": "gzip"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # none is kept or sent
            timeout=TIMEOUT,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
            proxy=connection.proxy or None,
            transport=connection.transport,
            trust_env=False,
            verify=context,
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        message = f"the proxy that the environment names cannot be used: {printable(str(error))}"
        hint = "name an HTTP proxy in HTTPS_PROXY or ALL_PROXY, or unset them"
        raise ApiFailure(Problem(source=connection.base_url, message=message, hint=hint)) from error


async def _ask_all(
    requests: Sequence[Request],
    workers: Sequence[_Worker],
    connection: Connection,
    known: Mapping[str, RecordedResponse],
) -> dict[str, Answer]:
    """Let every worker take requests from one queue until it is empty.

    A group of tasks says nothing of one that was cancelled: its question would have no answer, as
    if it were one that a recording need not have.
    """
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
            working = [group.create_task(work(worker)) for worker in workers[: len(requests)]]
    except ExceptionGroup as failures:
        raise _told(failures) from None
    if any(task.cancelled() for task in working):
        raise RuntimeError("a library gave up a question, and said so to nobody")
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
    patience = _Patience(request, connection)
    try:
        async for attempt in stamina.retry_context(
            on=patience.until_next, attempts=connection.attempts, timeout=None
        ):
            with attempt:
                return await _ask_once(request, worker, connection, patience)
    except NotRecorded:
        if request.optional:
            return None
        raise
    except Unusable as failure:
        problem = _failure(request, connection, failure.message, failure.hint)
        raise ApiFailure(problem) from failure
    except _Transient as failure:
        hint = "try again later, or check `base_url` and the network; what was collected is kept"
        if failure.unreached:
            through = "the proxy, " if connection.proxy else ""
            hint = f"check {through}`base_url` and the network; what was collected is kept"
        raise ApiFailure(
            _failure(request, connection, f"{failure}, at every attempt", hint)
        ) from failure
    raise AssertionError("stamina ends with a result or an exception")


class _Patience:
    """How long it is worth asking again for one answer, and how long until the next attempt."""

    def __init__(self, request: Request, connection: Connection) -> None:
        self._request, self._connection = request, connection
        self._begun, self._failed = asyncio.get_running_loop().time(), 0

    def first(self) -> float | None:
        """Give the seconds that are left to connect, None where somebody has answered before."""
        connection = self._connection
        if connection.reach.answered or connection.transport:
            return None
        return max(LEAST_TO_CONNECT, connection.first_patience - self._spent())

    def until_next(self, error: Exception) -> bool | float:
        """Give the seconds to wait after a failure, False where it is not asked again."""
        if not isinstance(error, _Transient):
            return False
        self._failed += 1
        connection = self._connection
        short = error.unreached and not connection.reach.answered
        left = self._whole(error, short=short) - self._spent()
        if self._failed >= connection.attempts or left <= (LEAST_TO_CONNECT if short else 0):
            return False
        wait = min(_backoff(self._failed) if error.delay is None else error.delay, left)
        line = f"attempt {self._failed}, next in {ceil(wait)} s: {error.reason}"
        connection.tell(f"{self._request.path}: {line}")
        return wait

    def _whole(self, error: _Transient, *, short: bool) -> float:
        """Give the seconds that such a failure is worth."""
        connection = self._connection
        if not short:
            return connection.patience
        first = connection.first_patience
        return min(connection.absent_patience, first) if error.absent else first

    def _spent(self) -> float:
        return asyncio.get_running_loop().time() - self._begun


def _backoff(failed: int) -> float:
    """Give seconds that double with every failure, none of two workers the same."""
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (failed - 1)) + random.uniform(0, JITTER)  # noqa: S311


async def _ask_once(
    request: Request, worker: _Worker, connection: Connection, patience: _Patience
) -> Answer:
    async with worker.pace.turn() as sent:
        response = await _sent(request, worker.client, connection, patience.first())
        if response.status == httpx.codes.TOO_MANY_REQUESTS:
            worker.pace.slow_down(sent)  # before anybody takes the place of this request
    if response.status in TRANSIENT:
        raise _busy(response, connection)
    recorded = response.extensions.get("recorded") or _recorded(request, response, connection)
    reply = _read(request, recorded, connection)
    connection.append(recorded)
    worker.pace.speed_up(sent)
    return reply


async def _sent(
    request: Request, client: httpx.AsyncClient, connection: Connection, first: float | None
) -> Received:
    """Send a request and receive all of the response, or raise what the connection failed of."""
    try:
        async with asyncio.timeout(connection.patience):
            response = await received(
                client,
                f"{connection.base_url}{request.target}",
                {"Authorization": f"Bearer {connection.tokens[request.credential]}"},
                unread=TRANSIENT,
                most=connection.largest_answer,
                first=first,
            )
    except httpx.InvalidURL as error:
        raise Unusable(f"cannot be asked: {printable(str(error))}", "report this") from error
    except (httpx.TransportError, Torn, TimeoutError) as error:
        if is_untrusted(error):
            hint = "name the authority that signed it in SSL_CERT_FILE, or check `base_url`"
            message = f"the server's certificate is not trusted{distrust(error)}"
            raise Unusable(message, hint) from error
        raise _lost(error, connection) from error
    connection.reach.answered = True
    connection.heed(response.headers)
    return response


def _lost(error: Exception, connection: Connection) -> _Transient:
    """Say why a connection failed, and through which proxy."""
    reason = "the body could not be unpacked" if isinstance(error, Torn) else reason_of(error)
    if connection.proxy:
        reason += f", through the proxy {without_password(connection.proxy)}"
    unreached = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError)
    unreached |= isinstance(error, TimeoutError) and not connection.reach.answered
    return _Transient(
        reason,
        unreached=unreached,
        absent=unreached and is_absent(error),
        of="the connection failed ({})",
    )


def without_password(proxy: str) -> str:
    """Name a proxy as everybody may read it."""
    url = httpx.URL(proxy)
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _recorded(request: Request, response: Received, connection: Connection) -> RecordedResponse:
    """Keep a response as it came; raises _Transient for a body that is no text."""
    errors = "strict" if response.status == httpx.codes.OK else "replace"
    try:
        body = response.body.decode("utf-8-sig", errors)
    except UnicodeDecodeError as error:
        raise _Transient("the answer is not UTF-8") from error
    return RecordedResponse(
        request=request.target,
        status=response.status,
        fetched_at=connection.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        body=_without_tokens(body, connection),
    )


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
        message = f"the API answered {recorded.status}{explanation(recorded.body)}"
        problem = _failure(request, connection, message, hint)
        raise ApiFailure(problem, recorded.status) from error


def _failure(request: Request, connection: Connection, message: str, hint: str) -> Problem:
    return Problem(source=f"GET {connection.base_url}{request.target}", message=message, hint=hint)


def _busy(response: Received, connection: Connection) -> _Transient:
    """Say that the API may answer later: when it says itself, but within our patience."""
    delay = retry_after(response.headers, connection.now())
    return _Transient(f"the API answered {response.status}", delay=delay)
