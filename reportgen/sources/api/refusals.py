"""Views that were refused half-way: some of a kind were answered, others with a 403.

A 404 says something of one id. A 403 is about the credential: where it could see a kind of view
(within an organization: of that organization) and then could not, something has changed while it
was asked. What was charged on that would be wrong without anybody's having been told. What is
asked only to be shown charges nobody, and is told where it would be shown.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter

from reportgen.core.model import MissingView
from reportgen.sources.api.plan import Answers, Plan, Portion, Request, following
from reportgen.sources.api.reading import Reading, Refused

FORBIDDEN = 403


@dataclass(kw_only=True, slots=True)
class _Kind:
    """What became of the questions of one kind; `refused` are those answered with a 403."""

    first: Request
    answered: int = 0
    unaskable: int = 0
    refused: list[str] = field(default_factory=list)


def watched(plan: Plan[Reading]) -> Plan[Reading]:
    """Follow a plan, and say what its API refused half-way."""
    kinds: dict[str, _Kind] = {}
    try:
        requests = next(plan)
        while True:
            askable = _askable(kinds, requests)
            requests = plan.send(_counted(kinds, askable, (yield askable)))
    except StopIteration as stop:
        return _told(stop.value, kinds)


def half_way(views: Iterable[MissingView]) -> list[MissingView]:
    """Give the views that were refused half-way."""
    return [view for view in views if view.reason == "refused half-way"]


def _askable(kinds: dict[str, _Kind], requests: Sequence[Request]) -> Sequence[Request]:
    """Count the questions that no address can hold, and give the others."""
    kept = [request for request in requests if request.is_askable]
    if len(kept) == len(requests):
        return requests
    for request in requests:
        if not request.is_askable:
            kinds.setdefault(request.kind, _Kind(first=request)).unaskable += 1
    return Portion(kept, following(requests))


def _counted(kinds: dict[str, _Kind], requests: Sequence[Request], answers: Answers) -> Answers:
    """Count answers and refusals by kind of view; gives the answers back."""
    for request in requests:
        answer = answers.get(request.target)
        if answer is None or request.shown:
            continue
        kind = kinds.setdefault(request.kind, _Kind(first=request))
        if answer.body is not None:
            kind.answered += 1
        elif answer.recorded.status == FORBIDDEN:
            kind.refused.append(answer.recorded.request)
    return answers


def _told(reading: Reading, kinds: Mapping[str, _Kind]) -> Reading:
    """Put what was refused half-way among what is missing, in place of what says less of it."""
    broken = {name: kind for name, kind in kinds.items() if kind.refused and kind.answered}
    ordered = sorted(kinds.items(), key=itemgetter(0))
    told: Counter[str] = Counter()
    for kind in broken.values():
        told[kind.first.endpoint.replace("{}", "{id}")] += len(kind.refused)
    kept = [
        view
        for view in reading.missing_views
        if not (view.status == FORBIDDEN and view.count <= told[view.request])
    ]
    refused = Refused(
        requests=frozenset(target for kind in kinds.values() for target in kind.refused),
        half_way=bool(broken),
        wholly=tuple(kind.first for kind in kinds.values() if kind.refused and not kind.answered),
    )
    return replace(
        reading,
        missing_views=(
            *(_missing(name, kind) for name, kind in ordered if name in broken),
            *kept,
            *(_unaskable(name, kind) for name, kind in ordered if kind.unaskable),
        ),
        refused=refused,
    )


def _missing(name: str, kind: _Kind) -> MissingView:
    return MissingView(
        request=name,
        reason="refused half-way",
        count=len(kind.refused),
        status=FORBIDDEN,
        whole=kind.answered + len(kind.refused),
    )


def _unaskable(name: str, kind: _Kind) -> MissingView:
    return MissingView(request=name, reason="unaskable", count=kind.unaskable)
