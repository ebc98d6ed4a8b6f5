"""What the money bought: sessions and their pull requests, and what each of them cost.

Counted are sessions that used ACUs in the cycle. What a session used in its lifetime is no figure
of a cycle, so that is known of those alone that were asked by day, and of those that began in the
cycle and were last active in it. Of any other it is known only that it used nothing where nobody
used anything on the days it may have. What is left may have used ACUs or not: figures are given
within bounds then, and two that are not exact are not compared.

A session counts for each cost center that bears a part of it, by the rules that decide its usage,
and once for their department and the enterprise; so does a pull request, whichever sessions name
it. ACUs and amounts are those of the lines of the product that sessions use. None of this moves an
ACU or a cent.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

from reportgen.core.allocating.allocate import Timeline, timeline_of
from reportgen.core.allocating.match import Matcher, Subject
from reportgen.core.allocating.usage import holder_of
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import (
    DEVIN,
    CostCenter,
    Counted,
    CycleUnitCosts,
    Directory,
    Invoice,
    InvoiceLine,
    Mapping,
    MissingView,
    NotCounted,
    Principal,
    PullRequest,
    Session,
    Statement,
    UnitCosts,
    View,
    Views,
)
from reportgen.core.money import ratio, subtract, total
from reportgen.core.sessions.largest import without_products

ACUS_DECIMALS = 4
MERGED = "merged"


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What the API told of a cycle: who there is, whose sessions, and what was used when.

    `asked` are the days of those sessions that were asked for them and answered. `user_first` tells
    whether a user rule outranks an organization rule. `as_of` is when the sessions were listed.
    """

    directory: Directory
    views: Views
    asked: MappingOf[str, View] = field(default_factory=dict)
    user_first: bool = True
    missing: Sequence[MissingView] = ()
    as_of: str = ""


class Between(NamedTuple):
    """A figure that is not less than `low` and not more than `high`: exact where they are one."""

    low: Decimal
    high: Decimal

    @property
    def exact(self) -> bool:
        """Tell whether the figure is known."""
        return self.low == self.high


class UnitFigures(NamedTuple):
    """What is shown of unit costs; None stands for a ratio that has no denominator."""

    sessions: Between
    pull_requests: Between
    merged_pull_requests: Between
    acus_per_session: Between | None
    amount_per_session: Between | None
    acus_per_merged_pull_request: Between | None
    amount_per_merged_pull_request: Between | None


class UnitChanges(NamedTuple):
    """What changed against the cycle before; None where either is not known exactly."""

    sessions: Decimal | None
    pull_requests: Decimal | None
    merged_pull_requests: Decimal | None
    acus_per_session: Decimal | None
    amount_per_session: Decimal | None
    acus_per_merged_pull_request: Decimal | None
    amount_per_merged_pull_request: Decimal | None


Unit = Literal["count", "acus", "amount"]
UNITS: tuple[Unit, ...] = ("count", "count", "count", "acus", "amount", "acus", "amount")
"""What the figures are in, in their order."""


class Measured(NamedTuple):
    """A figure by its name, such as `acus_per_session`: what it is in, and how it changed."""

    name: str
    unit: Unit
    figure: Between | None
    change: Decimal | None


class Bought(NamedTuple):
    """Unit costs, what is shown of them, and the change, where the cycle before has any."""

    costs: UnitCosts
    figures: UnitFigures
    changes: UnitChanges | None

    @property
    def measured(self) -> tuple[Measured, ...]:
        """Give every figure with what it is in, and its change."""
        changes = self.changes or [None for _ in UNITS]
        return tuple(map(Measured, UnitFigures._fields, UNITS, self.figures, changes))


def unit_costs(
    invoices: Sequence[Invoice],
    told: Told,
    mapping: Mapping,
    cycle: BillingCycle,
) -> CycleUnitCosts:
    """Count for every cost center, department and the enterprise, where sessions can be counted."""
    if why := _not_counted(told):
        return CycleUnitCosts(as_of=told.as_of, not_counted=why)
    borne = list(_borne(_lives(told, cycle), told, mapping))
    merged = _merged(told.directory.sessions.values())
    centers, departments, enterprise = (
        _by(group_of, invoices, borne, merged)
        for group_of in (lambda one: one.code, lambda one: one.department or "", lambda _: "")
    )
    return CycleUnitCosts(
        as_of=told.as_of,
        by_cost_center=centers,
        by_department=departments,
        enterprise=enterprise.get("", UnitCosts()),
    )


def lists_sessions(request: str) -> bool:
    """Tell whether a request asks for a list of sessions."""
    return request.partition("?")[0].endswith("/sessions")


def of_cost_center(statement: Statement, code: str) -> Bought | None:
    """Give what a cost center bought; None where nothing is counted."""
    return _bought(statement, lambda costs: costs.by_cost_center.get(code))


def of_department(statement: Statement, name: str) -> Bought | None:
    """Give what a department bought; None where nothing is counted."""
    return _bought(statement, lambda costs: costs.by_department.get(name))


def of_enterprise(statement: Statement) -> Bought | None:
    """Give what all cost centers bought; None where nothing is counted."""
    return _bought(statement, lambda costs: costs.enterprise)


def figures_of(costs: UnitCosts, decimals: int) -> UnitFigures:
    """Give counts and ratios for display; `decimals` are the currency's."""
    return UnitFigures(
        _count(costs.sessions),
        _count(costs.pull_requests),
        _count(costs.merged),
        _each(costs.acus, costs.sessions, ACUS_DECIMALS),
        _each(costs.amount, costs.sessions, decimals),
        _each(costs.acus, costs.merged, ACUS_DECIMALS),
        _each(costs.amount, costs.merged, decimals),
    )


def changes_of(before: UnitFigures, after: UnitFigures) -> UnitChanges:
    """Set figures against those of the cycle before."""
    return UnitChanges(*map(_change, before, after))


class _Life(NamedTuple):
    """A session that used ACUs in the cycle, for `certain` or maybe, and its days.

    One that was asked used ACUs on all of its days, any other on some of them.
    """

    session: Session
    days: AbstractSet[date]
    certain: bool
    asked: bool = False


class _Borne(NamedTuple):
    """A session and who bears it: the cost centers of one of the `options`."""

    session: Session
    certain: bool
    options: frozenset[frozenset[str]]


@dataclass(kw_only=True, slots=True)
class _Tally:
    """What counts for somebody for certain, and what only may: sessions, addresses of requests."""

    sessions: list[str] = field(default_factory=list)
    possible_sessions: list[str] = field(default_factory=list)
    pull_requests: set[str] = field(default_factory=set)
    possible_pull_requests: set[str] = field(default_factory=set)

    def add(self, session: Session, *, certain: bool) -> None:
        """Count a session, which comes once, and its pull requests, which others may name."""
        (self.sessions if certain else self.possible_sessions).append(session.session_id)
        urls = self.pull_requests if certain else self.possible_pull_requests
        urls.update(_urls(session))

    def costs(self, merged: AbstractSet[str], acus: Decimal, amount: Decimal) -> UnitCosts:
        """Give what is counted, and what it is set against."""
        known, more = self.pull_requests, self.possible_pull_requests.difference(self.pull_requests)
        return UnitCosts(
            sessions=_counted_in(self.sessions, self.possible_sessions),
            pull_requests=_counted_in(known, more),
            merged=_counted_in(
                filter(merged.__contains__, known), filter(merged.__contains__, more)
            ),
            acus=acus,
            amount=amount,
        )


def _counted_in(known: Iterable[str], more: Iterable[str]) -> Counted:
    """Count what is certain, and with it what may be."""
    certain = [*known]
    return Counted(len(certain), len([*certain, *more]))


def _not_counted(told: Told) -> NotCounted | None:
    """Say why sessions cannot be counted, where they cannot."""
    lists = [view for view in told.missing if lists_sessions(view.request)]
    if lists:
        return "broken off" if lists[0].reason == "broken off" else "refused"
    if without_products(told.views.enterprise):
        return "no products"
    used = {product for (_, product), acus in told.views.enterprise.quantities.items() if acus}
    sessions = told.directory.sessions.values()
    if DEVIN in used and sessions and not any(session.lifetime_acus for session in sessions):
        return "no lifetimes"
    return None


def _lives(told: Told, cycle: BillingCycle) -> Iterator[_Life]:
    """Give the sessions that used ACUs in the cycle, and those that may have."""
    active = _Activity(told.views)
    for session in told.directory.sessions.values():
        if session.session_id in told.asked:
            if days := _days(told.asked[session.session_id]):
                yield _Life(session, days, certain=True, asked=True)
        elif session.lifetime_acus:
            alive = _alive(session, cycle)
            days = active.among(alive, session)
            within = session.created in cycle and session.updated in cycle
            if within or days:
                yield _Life(session, days or alive, certain=within)


def _alive(session: Session, cycle: BillingCycle) -> AbstractSet[date]:
    """Give the days of the cycle that a session was alive on."""
    first, last = session.created or cycle.start, session.updated or cycle.end
    return {day for day in cycle.days() if first <= day <= last}


class _Activity:
    """The days on which anything was used where a session may have used it."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._known: dict[tuple[str, Principal | None], AbstractSet[date] | None] = {}

    def among(self, days: AbstractSet[date], session: Session) -> AbstractSet[date]:
        """Keep those of some days; all where no view tells."""
        place = session.org_id, session.principal
        if place not in self._known:
            self._known[place] = self._of(*place)
        active = self._known[place]
        return days if active is None else days & active

    def _of(self, org_id: str, owner: Principal | None) -> AbstractSet[date] | None:
        """Give the days of the finest view that is known of somebody's sessions."""
        views = self._views
        own = (views.pairs.get((org_id, owner)) or views.principals.get(owner)) if owner else None
        finest = own or views.organizations.get(org_id)
        return _days(finest) if finest else None


def _days(view: View) -> AbstractSet[date]:
    return frozenset(day for (day, _), acus in view.quantities.items() if acus)


def _borne(lives: Iterable[_Life], told: Told, mapping: Mapping) -> Iterator[_Borne]:
    """Say who bears sessions: who bears the record that holds each. Equal answers are one."""
    matcher = Matcher(mapping.rules, told.directory)
    resolved: dict[Subject, Timeline] = {}
    met: dict[frozenset[frozenset[str]], frozenset[frozenset[str]]] = {}
    for session, days, certain, asked in lives:
        options: set[frozenset[str]] = set()
        for subject in _subjects(session, told):
            if subject not in resolved:
                resolved[subject] = timeline_of(matcher, mapping, subject)
            bearers = _bearers(resolved[subject], days)
            options |= {frozenset[str]().union(*bearers)} if asked else bearers
        told_once = frozenset(options)
        yield _Borne(session, certain, met.setdefault(told_once, told_once))


def _subjects(session: Session, told: Told) -> Iterator[Subject]:
    """Name the record that holds a session: one of several, where the API names several owners."""
    owners = (session.principal,) if session.principal else session.claimed_by or (None,)
    for owner in owners:
        own = session if owner == session.principal else replace(session, principal=owner)
        yield holder_of(own, told.views, user_first=told.user_first)


def _bearers(timeline: Timeline, days: Iterable[date]) -> set[frozenset[str]]:
    """Give who bears what is used on some days, as many different answers as there are."""
    if len(timeline.choices) == 1:
        days = [date.min]
    splits = (timeline.on(day).split for day in days)
    return {frozenset(one.cost_center for one in split.shares if one.weight) for split in splits}


def _merged(sessions: Iterable[Session]) -> set[str]:
    """Give the pull requests that any session knows as merged: another may have looked earlier."""
    return {
        _url(one)
        for session in sessions
        for one in session.pull_requests
        if one.state.casefold() == MERGED
    }


def _urls(session: Session) -> Iterator[str]:
    return filter(None, map(_url, session.pull_requests))


def _url(pull_request: PullRequest) -> str:
    return pull_request.url.strip().rstrip("/")


def _by(
    group_of: Callable[[CostCenter], str],
    invoices: Sequence[Invoice],
    borne: Iterable[_Borne],
    merged: AbstractSet[str],
) -> dict[str, UnitCosts]:
    """Count for groups of cost centers; what several of a group bear counts once."""
    groups = {one.cost_center.code: group_of(one.cost_center) for one in invoices}
    tallies = {name: _Tally() for name in sorted(set(groups.values()))}
    for session, certain, options in borne:
        named = [{groups[code] for code in option if code in groups} for option in options]
        sure = named[0].intersection(*named) if certain else set()
        for name in set().union(*named):
            tallies[name].add(session, certain=name in sure)
    spent = _spent(invoices, groups)
    return {
        name: tally.costs(
            merged,
            total(line.acus for line in spent[name]),
            total(line.amount for line in spent[name]),
        )
        for name, tally in tallies.items()
    }


def _spent(
    invoices: Iterable[Invoice], groups: MappingOf[str, str]
) -> MappingOf[str, list[InvoiceLine]]:
    """Give the lines that sessions cost, by the group of who bears them."""
    spent: dict[str, list[InvoiceLine]] = defaultdict(list)
    for one in invoices:
        lines = (line for line in one.lines if line.of_usage and line.product == DEVIN)
        spent[groups[one.cost_center.code]].extend(lines)
    return spent


def _bought(
    statement: Statement, pick: Callable[[CycleUnitCosts], UnitCosts | None]
) -> Bought | None:
    """Set what is picked of a cycle's unit costs against the same of the cycle before."""
    costs = _counted(statement.unit_costs, pick)
    if costs is None:
        return None
    figures, variance = figures_of(costs, statement.heading.decimals), statement.variance
    before = _counted(variance.previous.unit_costs, pick) if variance else None
    changes = (
        changes_of(figures_of(before, statement.heading.decimals), figures) if before else None
    )
    return Bought(costs, figures, changes)


def _counted(
    costs: CycleUnitCosts | None, pick: Callable[[CycleUnitCosts], UnitCosts | None]
) -> UnitCosts | None:
    return None if costs is None or costs.not_counted else pick(costs)


def _count(counted: Counted) -> Between:
    return Between(Decimal(counted.known), Decimal(counted.at_most))


def _each(spent: Decimal, counted: Counted, decimals: int) -> Between | None:
    """Divide for display; None where none is known, even if there may be some."""
    by_known = ratio(spent, Decimal(counted.known), decimals)
    by_all = ratio(spent, Decimal(counted.at_most), decimals)
    if by_known is None or by_all is None:
        return None
    return Between(min(by_known, by_all), max(by_known, by_all))


def _change(before: Between | None, after: Between | None) -> Decimal | None:
    if before is None or after is None or not (before.exact and after.exact):
        return None
    return subtract(after.low, before.low)
