"""What is asked of an API about a billing cycle, and what it said: the same for every version."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal

from reportgen.core.allocating.directory import recalled, with_answered
from reportgen.core.cycle import LONGEST_CYCLE, BillingCycle, is_plausible
from reportgen.core.model import (
    DEVIN,
    Directory,
    Mapping,
    MissingView,
    Principal,
    Rule,
    SessionViews,
    View,
    Views,
)
from reportgen.core.problem import Problem
from reportgen.core.text import some
from reportgen.sources.api.bodies import DayTotals
from reportgen.sources.api.directory import LONGEST_NAME, too_long
from reportgen.sources.api.pages import Pages
from reportgen.sources.api.plan import Answer, Answers, Plan, Portion, Request
from reportgen.sources.api.views import ViewReader

AT_A_TIME = 1000
"""Answers are read and let go in portions, so that memory does not grow with the enterprise."""

ViewKind = Literal["enterprise", "organizations", "principals", "pairs", "sessions"]
Asked = tuple[ViewKind, Any, Request]
"""A request for a view, and whose it is: an organization id, principal, pair or session id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownCycles:
    """The billing cycles an API tells; `refused` is the status of its refusal, else 0."""

    cycles: tuple[BillingCycle, ...] = ()
    refused: int = 0
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is to be found out: a cycle, and the rules that name somebody or something in it.

    `organizations` are those with a credential of their own, where the enterprise has none.
    `remembered` is who was seen in earlier cycles: whoever has left since is asked about as well.
    So many of the `largest` sessions of every cost center of the `mapping` are to be shown, and all
    that have one of the `tags`, which are patterns;
    `user_first` tells whether its user rules outrank those of organizations.
    """

    cycle: BillingCycle
    rules: tuple[Rule, ...]
    tolerance: Decimal
    organizations: tuple[str, ...] = ()
    remembered: Directory = field(default_factory=Directory, repr=False)
    mapping: Mapping | None = field(default=None, repr=False)
    largest: int = 0
    tags: tuple[str, ...] = ()
    user_first: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """What was answered with a 403, by the requests of the evidence.

    `half_way` tells that others of a kind were answered; `wholly` asks the first question of every
    kind of view that was refused from the first to the last.
    """

    requests: frozenset[str] = frozenset()
    half_way: bool = False
    wholly: tuple[Request, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What the API said of a cycle.

    `asked_to_show` counts the questions about single sessions that are only shown.
    `missing_views` are the questions it refused, answered in part, or was not asked. Its `repr`
    leaves the large parts out: asyncio writes that of every result when a run ends.
    """

    views: Views = field(repr=False)
    directory: Directory = field(repr=False)
    sessions: SessionViews = field(default_factory=SessionViews, repr=False)
    asked_to_show: int = 0
    missing_views: tuple[MissingView, ...] = ()
    warnings: tuple[Problem, ...] = ()
    refused: Refused = field(default=Refused(), repr=False)


@dataclass(kw_only=True, slots=True)
class Findings:
    """The answers so far, sorted by what they are about.

    `refused` counts the refusals by endpoint and status, `refused_sessions` has those of sessions
    that rules name; `sessions` are those asked about to be shown, by so many questions
    `asked_to_show`. `incomplete` names what was not
    asked, and lists that broke off; `warnings` say what was cut.
    """

    reader: ViewReader
    views: dict[ViewKind, dict[Any, View]] = field(default_factory=lambda: defaultdict(dict))
    refused: Counter[tuple[str, int]] = field(default_factory=Counter)
    refused_sessions: dict[str, int] = field(default_factory=dict)
    sessions: SessionViews = field(default_factory=SessionViews)
    asked_to_show: int = 0
    incomplete: tuple[MissingView, ...] = ()
    warnings: tuple[Problem, ...] = ()

    def keep(self, asked: Sequence[Asked]) -> Plan[None]:
        """Ask for views and keep what comes back."""
        for start in range(0, len(asked), AT_A_TIME):
            portion = asked[start : start + AT_A_TIME]
            requests = Portion(
                (request for _, _, request in portion), len(asked) - start - len(portion)
            )
            self._keep(portion, (yield requests))

    def _keep(self, portion: Sequence[Asked], answers: Answers) -> None:
        for kind, key, request in portion:
            answer = answers.get(request.target)
            if answer and answer.body is None:
                self._keep_refusal(kind, key, request, answer)
            elif answer:
                self.views[kind][key] = view_of(answer, self.reader)

    def _keep_refusal(self, kind: ViewKind, key: str, request: Request, answer: Answer) -> None:
        """Count a refusal; a session is an empty view then: what it used stays with its owner."""
        if kind == "sessions":
            self.views[kind][key] = View(requests=(answer.recorded.request,), quantities={})
            self.refused_sessions[key] = answer.recorded.status
            request = replace(request, optional=False)
        self.refuse(request, answer)

    def check_lists(self, lists: Iterable[Pages]) -> None:
        """Count the lists that were refused, and name those that broke off."""
        for pages in lists:
            if pages.refused:
                self.refuse(pages.request, pages.refused)
            elif broken_off := pages.broken_off():
                self.incomplete += (broken_off,)
            if count := too_long(pages.items):
                self.warnings += (_cut(pages.request, count),)

    def refuse(self, request: Request, answer: Answer) -> None:
        """Count a refusal, unless the configuration alone made us ask."""
        if not request.optional:
            self.refused[request.endpoint.replace("{}", "{id}"), answer.recorded.status] += 1

    def as_views(self) -> Views:
        """Give the views; the enterprise's is always there, as it is required."""
        return Views(
            enterprise=self.views["enterprise"][""],
            organizations=self.views["organizations"],
            principals=self.views["principals"],
            pairs=self.views["pairs"],
            sessions=self.views["sessions"],
            unspecified_within_tolerance=self.reader.within_tolerance,
        )

    def as_reading(
        self, known: Directory, remembered: Directory, principals: Iterable[Principal]
    ) -> Reading:
        """Close the questions; lists and sessions told of the `known`, `principals` had usage."""
        refused = (
            MissingView(request=path, reason="refused", count=count, status=status)
            for (path, status), count in sorted(self.refused.items())
        )
        return Reading(
            views=self.as_views(),
            directory=recalled(
                with_answered(known, principals, self.views["organizations"]), remembered
            ),
            sessions=self.sessions,
            asked_to_show=self.asked_to_show,
            missing_views=(*refused, *self.incomplete),
            warnings=(*self.warnings, *self.reader.warnings()),
        )


def view_of(answer: Answer, reader: ViewReader) -> View:
    """Read an answer of either version; v2 names no product, and ties `devin` to organizations."""
    if isinstance(answer.body, DayTotals):
        return reader.read_totals(answer.recorded.request, answer.body, DEVIN)
    return reader.read(answer.recorded.request, answer.body)


def plausible(
    cycles: Iterable[BillingCycle], endpoint: str, unreadable: int = 0
) -> tuple[tuple[BillingCycle, ...], list[Problem]]:
    """Give the cycles that can be one, in order, and say how many cannot, and which share days."""
    told = sorted(set(cycles))
    kept = tuple(cycle for cycle in told if is_plausible(cycle))
    left_out = len(told) - len(kept) + unreadable
    return kept, [*_left_out(left_out, endpoint), *_overlapping(kept, endpoint)]


def _left_out(left_out: int, endpoint: str) -> Iterator[Problem]:
    if not left_out:
        return
    are = "1 billing cycle is" if left_out == 1 else f"{left_out} billing cycles are"
    message = f"{are} left out: none ends before it begins, or has more than {LONGEST_CYCLE} days"
    yield Problem(
        source=f"GET {endpoint}",
        message=message,
        hint="ask the vendor",
        warning=True,
        code="cycle-left-out",
    )


def _overlapping(cycles: Sequence[BillingCycle], endpoint: str) -> Iterator[Problem]:
    """Warn of cycles that have days of the one before: charged one by one, they are paid twice."""
    pairs = [pair for pair in pairwise(cycles) if pair[1].start < pair[0].end]
    if not pairs:
        return
    shown = some(pairs, lambda pair: f"{pair[0]} with {pair[1]}")
    yield Problem(
        source=f"GET {endpoint}",
        message=f"billing cycles share days, which both would charge: {shown}",
        hint="ask the vendor which of them is right, and charge that one alone",
        warning=True,
        code="cycles-overlap",
    )


def _cut(request: Request, count: int) -> Problem:
    """Say that names were cut."""
    entries = "1 entry has" if count == 1 else f"{count} entries have"
    return Problem(
        source=f"GET {replace(request, params=()).target}",
        message=f"{entries} a name or an e-mail of more than {LONGEST_NAME} characters",
        hint="it was cut; ask the vendor, if that is no name of yours",
        warning=True,
        code="name-cut",
    )
