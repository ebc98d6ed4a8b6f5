"""Which sessions of every cost center are the largest: whom to ask about, until that is known.

What a session used in a cycle is known of those that were asked about. Of the others only a bound
is: what it used in its whole life, and what the records that hold it leave to it. The N largest of
a cost center are known once none of the N largest of all, those bounds among them, is a bound. So
nobody is asked about in vain but sessions whose bound misleads: each that is chosen would be among
the largest if its bound were true.

A session that is at work in this cycle alone is chosen before one that is not, and of one record
one at a time: what it used is taken from what the record leaves to the others. A record leaves a
session only the days on which it was at work, as the list tells. As nobody promises that, one more
than N are asked about where there is one that its whole life would place so high; a session that
was at work on other days ends the belief.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from heapq import heapify, heappop, heappush
from operator import itemgetter

from reportgen.core.allocating.allocate import Timeline, borne
from reportgen.core.allocating.match import Subject
from reportgen.core.cycle import BillingCycle, day_after
from reportgen.core.model import DEVIN, UNSPECIFIED, Session, SessionsUnknown, View
from reportgen.core.money import ONE, ZERO, add, printed, subtract

COMPARED_DECIMALS = 6
"""Sessions are compared at so many decimals: what is finer is noise of the API's numbers."""
SPLIT_SLACK = Decimal("1e-9")
"""By so much a bound is raised where it is split: the parts of days are rounded at 1e-12."""
MOST_QUESTIONS = 1000
"""For a cost center: where bounds mislead more than that, its largest are not worth a night."""
NOBODY = ""

Cells = Mapping[Subject, Mapping[date, Decimal]]
"""ACUs of `devin` by the subject of a record, and by day."""
Ranked = list[tuple[Decimal, str]]
"""A heap of sessions by their bounds, negated: the largest is at the front, then the lower id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Candidate:
    """A session that may be among the largest; `lifetime` bounds what it used, where it is told.

    It was at work from `first` to `last`, and `within` this cycle alone, if the list is right.
    """

    session_id: str
    subject: Subject
    lifetime: Decimal | None
    first: date
    last: date
    within: bool


class Ranking:
    """The sessions of a cycle as far as they are known; `count` of every cost center are wanted."""

    def __init__(
        self,
        sessions: Mapping[Subject, Iterable[Session]],
        cells: Cells,
        bearers: Mapping[Subject, Timeline],
        cycle: BillingCycle,
        count: int,
        torn: Iterable[Subject] = (),
    ) -> None:
        """Take sessions by the record that holds them, with its ACUs by day, and who bears it.

        Records are `torn` that may hold a session of several people, none of whom is told apart.
        """
        self._cycle, self._count, self._cells, self._bearers = cycle, count, cells, bearers
        self._left = {subject: dict(days) for subject, days in cells.items()}
        self._dated = True
        untold = _orgs_without_totals(sessions)
        self._candidates = {
            session.session_id: self._candidate(session, subject, told=session.org_id not in untold)
            for subject, held in sessions.items()
            for session in held
            if subject in cells
        }
        self._used: dict[str, dict[str, Decimal]] = defaultdict(dict)
        self._silent: dict[str, SessionsUnknown] = {}
        self._answered: set[str] = set()
        self._chosen: Counter[str] = Counter()
        self._doubted = {*torn} | _claimed_twice(sessions) | _with_credits(cells)
        self._held: dict[Subject, list[_Candidate]] = defaultdict(list)
        for candidate in self._candidates.values():
            self._held[candidate.subject].append(candidate)
        self._borne_by = self._subjects_by_center()
        self._ranked: dict[tuple[str, bool], Ranked] = {}
        self._tried: set[str] = set()

    def to_ask(self) -> list[str]:
        """Choose whom to ask about next; nobody once the largest of all cost centers are known."""
        chosen: set[str] = set()
        for code in self._borne_by:
            if self._chosen[code] >= MOST_QUESTIONS:
                continue
            likeliest = [*self._likeliest(self._open(code, dated=self._dated))]
            if not likeliest:
                likeliest = self._doubtful(code)
            self._chosen.update({code: len(likeliest)})
            chosen.update(likeliest)
        return sorted(chosen)

    def _doubtful(self, code: str) -> list[str]:
        """Choose the session that its whole life would place among the largest, to try the dates.

        A heap by whole lives is as large as the other, and made for as long as this is open.
        """
        if not self._dated or code in self._tried or self._chosen[code] > self._count:
            return []
        doubtful = self._unsilent(self._open(code, dated=False))[:1]
        if not doubtful or self._chosen[code] == self._count:
            self._tried.add(code)
            del self._ranked[code, False]
        return doubtful

    def answer(self, session_id: str, view: View) -> None:
        """Take what a session used in the cycle."""
        candidate = self._candidates.get(session_id)
        self._answered.add(session_id)
        if candidate is None:
            return
        days = days_of(view)
        left, held = self._left[candidate.subject], self._cells[candidate.subject]
        for day, acus in days.items():
            left[day] = subtract(left.get(day, ZERO), acus)
            if _compared(acus) < 0 or _compared(left[day]) < 0:
                self._doubted.add(candidate.subject)
            self._take(candidate, day, min(acus, max(held.get(day, ZERO), ZERO)))
        if any(not candidate.first <= day <= candidate.last for day in days):
            self._dated = False
            self._ranked.clear()

    def no_answer(self, session_id: str, why: SessionsUnknown) -> None:
        """Take note that what a session used cannot be known."""
        self._silent[session_id] = why

    def unknown(self) -> dict[str, SessionsUnknown]:
        """Give the cost centers whose largest sessions are not known for certain, and why."""
        reasons: dict[str, SessionsUnknown] = {}
        for code in self._borne_by:
            why = {
                self._silent.get(one, "not asked") for one in self._open(code, dated=self._dated)
            }
            if why:
                reasons[code] = "not asked" if "not asked" in why else min(why)
        doubted = (self._bearers[subject] for subject in self._doubted if subject in self._bearers)
        for code in {code for timeline in doubted for code in self._codes(timeline)}:
            reasons.setdefault(code, "contradicted")
        return reasons

    def _codes(self, timeline: Timeline) -> Iterator[str]:
        """Name the cost centers that bear anything of a record in the cycle."""
        for day in self._cycle.days():
            yield from (code for code, _ in borne(ONE, timeline.on(day).split) if code != NOBODY)

    def _candidate(self, session: Session, subject: Subject, *, told: bool) -> _Candidate:
        """Say when a session can have been at work in the cycle; usage may be told a day later."""
        start, last = self._cycle.start, self._cycle.previous_day()
        return _Candidate(
            session_id=session.session_id,
            subject=subject,
            lifetime=session.lifetime_acus if told else None,
            first=max(start, session.created or start),
            last=min(last, _day_after(session.updated) if session.updated else last),
            within=at_work_within(session, self._cycle),
        )

    def _subjects_by_center(self) -> dict[str, list[Subject]]:
        """Give the records that hold sessions by the cost centers that can bear them."""
        by_center: dict[str, list[Subject]] = defaultdict(list)
        for subject in self._held:
            for code in {*self._codes(self._bearers[subject])}:
                by_center[code].append(subject)
        return {code: by_center[code] for code in sorted(by_center)}

    def _heap(self, code: str, *, dated: bool) -> Ranked:
        """Give the sessions of a cost center by their bounds, which were true when it was made."""
        if (code, dated) not in self._ranked:
            heap = [
                (bound.copy_negate(), candidate.session_id)
                for subject in self._borne_by[code]
                for candidate in self._held[subject]
                if candidate.session_id not in self._answered
                and (bound := self._bounds(candidate, dated=dated).get(code, ZERO))
            ]
            heapify(heap)
            self._ranked[code, dated] = heap
        return self._ranked[code, dated]

    def _bounds(self, candidate: _Candidate, *, dated: bool) -> dict[str, Decimal]:
        """Give at most what of a session each cost center can bear, if that is anything."""
        timeline, lifetime = self._bearers[candidate.subject], candidate.lifetime
        of_days: dict[str, Decimal] = {}
        of_life: dict[str, Decimal] = {}
        slack = ZERO
        for day, left in self._left[candidate.subject].items():
            if left <= 0 or (dated and not candidate.first <= day <= candidate.last):
                continue
            split = timeline.on(day).split
            slack = SPLIT_SLACK if len(split.shares) > 1 else slack
            for code, part in borne(left, split):
                of_days[code] = add(of_days.get(code, ZERO), part)
            for code, part in borne(lifetime, split) if lifetime is not None else ():
                of_life[code] = max(of_life.get(code, ZERO), part)
        bounds = {code: min(acus, of_life.get(code, acus)) for code, acus in of_days.items()}
        raised = {code: _compared(add(bound, slack)) for code, bound in bounds.items()}
        return {code: bound for code, bound in raised.items() if bound > 0}

    def _open(self, code: str, *, dated: bool) -> list[str]:
        """Give the sessions among a cost center's largest whose place rests on a bound."""
        used = ((_compared(acus), one) for one, acus in self._used[code].items())
        known = sorted((acus.copy_negate(), session_id) for acus, session_id in used if acus > 0)
        heap = self._heap(code, dated=dated)
        chosen: Ranked = []
        while heap and len([*known[: bisect_left(known, heap[0])], *chosen]) < self._count:
            bound, session_id = heappop(heap)
            if session_id in self._answered:
                continue
            now = self._bounds(self._candidates[session_id], dated=dated).get(code, ZERO)
            if now >= bound.copy_negate():
                chosen.append((bound, session_id))
            elif now:
                heappush(heap, (now.copy_negate(), session_id))
        for one in chosen:
            heappush(heap, one)
        return [session_id for _, session_id in chosen]

    def _likeliest(self, session_ids: Iterable[str]) -> Iterator[str]:
        """Choose of open sessions those whose bounds mislead least, and leave others for later."""
        candidates = [self._candidates[one] for one in self._unsilent(session_ids)]
        if within := [candidate.session_id for candidate in candidates if candidate.within]:
            yield from within
            return
        yield from {one.subject: one.session_id for one in reversed(candidates)}.values()

    def _unsilent(self, session_ids: Iterable[str]) -> list[str]:
        return [session_id for session_id in session_ids if session_id not in self._silent]

    def _take(self, candidate: _Candidate, day: date, acus: Decimal) -> None:
        for code, part in borne(acus, self._bearers[candidate.subject].on(day).split):
            used = self._used[code]
            used[candidate.session_id] = add(used.get(candidate.session_id, ZERO), part)


def at_work_within(session: Session, cycle: BillingCycle) -> bool:
    """Tell whether a session began in a cycle and was not at work after it, as the list tells."""
    if session.created is None or session.updated is None:
        return False
    return session.created in cycle and session.updated in cycle


def days_of(view: View) -> dict[date, Decimal]:
    """Give what a view has of `devin`, by day, in their order."""
    days = ((day, acus) for (day, product), acus in view.quantities.items() if product == DEVIN)
    return {day: acus for day, acus in sorted(days, key=itemgetter(0)) if acus}


def without_products(view: View) -> bool:
    """Tell whether ACUs were used, and no answer says of which product: sessions' may be any."""
    used = {product for (_, product), acus in view.quantities.items() if acus}
    return UNSPECIFIED in used and DEVIN not in used


def without_totals(sessions: Iterable[Session]) -> bool:
    """Tell whether a list has 0.0, or nothing, for every session, though there are some."""
    used = [session.lifetime_acus for session in sessions]
    return bool(used) and not any(used)


@cache
def _day_after(day: date) -> date:
    """Give one value for all sessions that ended on a day."""
    return day_after(day)


def _compared(acus: Decimal) -> Decimal:
    return printed(acus, COMPARED_DECIMALS)


def _claimed_twice(sessions: Mapping[Subject, Iterable[Session]]) -> set[Subject]:
    """Give the records with a session that several people are said to have begun."""
    return {
        subject
        for subject, held in sessions.items()
        if any(len(one.claimed_by) > 1 for one in held)
    }


def _with_credits(cells: Cells) -> set[Subject]:
    """Give the records that take something back on a day."""
    return {subject for subject, days in cells.items() if any(acus < 0 for acus in days.values())}


def _orgs_without_totals(sessions: Mapping[Subject, Iterable[Session]]) -> set[str]:
    """Give the organizations whose sessions all have 0.0: nothing bounds what those used."""
    by_org: dict[str, list[Decimal]] = defaultdict(list)
    for held in sessions.values():
        for session in held:
            by_org[session.org_id].append(session.lifetime_acus or ZERO)
    return {org_id for org_id, used in by_org.items() if not any(used)}
