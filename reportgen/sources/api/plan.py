"""A plan asks the API; who answers it is somebody else's business.

A plan is a generator that yields requests in batches, is sent their answers, and returns what it
found out. The client drives it over HTTP, `answer_from` over recorded responses, so that what is
asked and how it is read is written once.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from reportgen.core.model import RecordedResponse
from reportgen.core.problem import Problem, Rejected
from reportgen.sources.api.bodies import UnreadableBody, decode

T = TypeVar("T")
OK = 200
REFUSALS = frozenset({403, 404})
"""An answer that leaves a view unknown where the view is not required."""
NO_STEPS = frozenset({"", ".", ".."})
"""What names nothing in a path, or the folder above."""
LONGEST_ID, LONGEST_QUERY = 400, 6000
"""Characters: addresses of more than 8000 are refused on the way by many servers."""
AGAIN = "collect the cycle again from the API"


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A GET: the endpoint's template with its path values, parameters, and the shape of the answer.

    `required`: nothing can be done without it. `optional`: named by the configuration alone; it may
    never have been asked. `credential` is the organization whose token is used; empty for the
    enterprise's. `view` names the kind of view where the endpoint alone does not: within which
    organization it looks. `shown` is what is asked only to be shown: no ACU rests on the answer.
    `target` is path and query sorted by key, ids percent-encoded, without method, host or token:
    what a request is known by, so it is put together once.
    """

    endpoint: str
    values: tuple[str, ...] = ()
    params: tuple[tuple[str, str], ...] = ()
    shape: type[Any]
    required: bool = False
    optional: bool = False
    credential: str = ""
    view: str = ""
    shown: bool = False
    target: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        query = urlencode(sorted(self.params))
        object.__setattr__(self, "target", f"{self.path}?{query}" if query else self.path)

    @property
    def kind(self) -> str:
        """Name the kind of view that is asked for: its path, with `{id}` for ids."""
        return self.view or self.endpoint.replace("{}", "{id}")

    @property
    def is_askable(self) -> bool:
        """Tell whether an address can hold it: an id may be empty, a step upwards or endless."""
        if any(value in NO_STEPS or len(value) > LONGEST_ID for value in self.values):
            return False
        return sum(len(value) for _, value in self.params) <= LONGEST_QUERY

    @property
    def path(self) -> str:
        """The path alone, ids percent-encoded."""
        parts = self.endpoint.split("{}")
        return "".join(
            a + b
            for a, b in zip(
                parts, [*(quote(value, safe="") for value in self.values), ""], strict=True
            )
        )

    def __str__(self) -> str:
        """Name the request as messages do."""
        return f"GET {self.target}"


class BeyondBounds(Exception):  # noqa: N818 - what an API answered, told to the user
    """More than anybody can use, such as a list without end; `source` is the recorded answer."""

    def __init__(self, request: str, message: str, source: str = "") -> None:
        """Hold what was asked (path and query), and what is wrong with the answer."""
        self.request, self.message, self.source = request, message, source
        super().__init__(message)

    def problem(self, source: str) -> Problem:
        """Say it for a source."""
        hint = AGAIN if self.source else "ask the vendor; what was collected is kept"
        return Problem(source=source, message=self.message, hint=hint)


class Portion(list[Request]):
    """Requests of a plan that knows how many are `following`: people want to see how far it is."""

    def __init__(self, requests: Iterable[Request], following: int) -> None:
        """Take the requests to ask now."""
        super().__init__(requests)
        self.following = following


def following(requests: Sequence[Request]) -> int:
    """Give how many requests are known to come after these."""
    return requests.following if isinstance(requests, Portion) else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A response and its decoded body; a body of None was refused (403, 404)."""

    recorded: RecordedResponse
    body: Any


Answers = Mapping[str, Answer]
Plan = Generator[Sequence[Request], Answers, T]


def answer(request: Request, recorded: RecordedResponse) -> Answer:
    """Read a response; raises UnreadableBody."""
    if recorded.status in REFUSALS and not request.required:
        return Answer(recorded=recorded, body=None)
    if recorded.status != OK:
        raise UnreadableBody(f"has the status {recorded.status}")
    return Answer(recorded=recorded, body=decode(recorded, request.shape))


def unreadable(request: Request, recorded: RecordedResponse, error: UnreadableBody) -> Problem:
    """Say which recorded response cannot be read."""
    return Problem(
        source=recorded.source or str(request),
        message=f"the answer to {request} {error}",
        hint=AGAIN,
    )


def prefixed(plan: Plan[T], prefix: str) -> Plan[T]:
    """Ask a deployment whose v3 lies elsewhere: the /v3/ paths of a plan begin with `prefix`."""
    try:
        requests = next(plan)
        while True:
            asked = {request.target: moved(request, prefix) for request in requests}
            there = Portion(asked.values(), following(requests))
            requests = plan.send(_as_asked(asked, (yield there)))
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


def _as_asked(asked: Mapping[str, Request], answers: Answers) -> Answers:
    """Give the answers by the requests they stand for; no name holds them beyond their portion."""
    return {line: answers[there.target] for line, there in asked.items() if there.target in answers}


def moved(request: Request, prefix: str) -> Request:
    """Put a /v3/ request under another prefix."""
    if not request.endpoint.startswith("/v3/"):
        return request
    return replace(request, endpoint=f"{prefix}/{request.endpoint.removeprefix('/v3/')}")


def answer_from(plan: Plan[T], responses: Mapping[str, RecordedResponse], source: str) -> T:
    """Drive a plan over recorded responses, or raise Rejected with what is missing or unreadable.

    `source` names where the responses come from.
    """
    answers: Answers = {}
    try:
        requests = next(plan)
        while True:
            answers = _answers(requests, responses, source)
            requests = plan.send(answers)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    except BeyondBounds as error:
        raise Rejected([error.problem(error.source or source)]) from error


def _answers(
    requests: Sequence[Request], responses: Mapping[str, RecordedResponse], source: str
) -> dict[str, Answer]:
    answers: dict[str, Answer] = {}
    problems = []
    missing = [
        request for request in requests if request.target not in responses and not request.optional
    ]
    for request in requests:
        recorded = responses.get(request.target)
        if recorded:
            try:
                answers[request.target] = answer(request, recorded)
            except UnreadableBody as error:
                problems.append(unreadable(request, recorded, error))
    if missing:
        problems.append(not_answered(source, missing[0], len(missing) - 1))
    if problems:
        raise Rejected(problems)
    return answers


def not_answered(source: str, request: Request, more: int = 0) -> Problem:
    """Say which request has no answer."""
    also = f", nor to {more} more" if more else ""
    return Problem(source=source, message=f"holds no answer to {request}{also}", hint=AGAIN)
