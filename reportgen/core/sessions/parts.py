"""What a cost center's usage was for: the parts that it bears of sessions, and the largest of them.

A session's part of a cost center is what the allocations of the record that holds it give of its
ACUs, day by day: so rules, dates and shares are those of the ledger. On no day do sessions come to
more than the record has: where views contradict each other, the largest come first. An amount is
apportioned from the invoice's line, so that sessions and all other usage add up to it.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple, TypeVar

from reportgen.core.allocating.match import Subject, subject_of
from reportgen.core.model import (
    DEVIN,
    Allocation,
    Invoice,
    InvoiceLine,
    LargestSessions,
    LineKey,
    Session,
    SessionsUnknown,
    SessionUse,
    SessionViews,
    Statement,
)
from reportgen.core.money import (
    ZERO,
    add,
    apportion,
    multiply,
    printed,
    round_half_up,
    round_to_total,
    spread_over_groups,
    subtract,
    total,
)
from reportgen.core.sessions.largest import COMPARED_DECIMALS, days_of

SHOWN: frozenset[SessionsUnknown] = frozenset(
    {"", "no products", "refused half-way", "list incomplete", "contradicted"}
)
"""Where only some sessions are not known, those that are known are shown; else none is."""

K = TypeVar("K")
SubjectDay = tuple[Subject, date]
Held = Mapping[SubjectDay, Sequence[Allocation]]
"""The allocations of `devin` by the subject and the day of their record."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CycleSessions:
    """The sessions of a cycle, the subject of the record that holds each, and what is known."""

    known: Mapping[str, Session]
    subjects: Mapping[str, Subject]
    held: Held
    asked: SessionViews


class SessionPart(NamedTuple):
    """What a cost center bears of a session on a day, as part of an allocation."""

    session_id: str
    day: date
    acus: Decimal
    allocation: Allocation

    @property
    def line_key(self) -> LineKey:
        """Kind, product and unit price of the line that it is part of."""
        return self.allocation.kind, self.allocation.record.product, self.allocation.unit_price


def held_by(allocations: Iterable[Allocation], subjects: Container[Subject]) -> Held:
    """Sort the allocations of the records that hold sessions."""
    held: dict[SubjectDay, list[Allocation]] = defaultdict(list)
    for allocation in allocations:
        record = allocation.record
        if record.product == DEVIN and (subject := subject_of(record)) in subjects:
            held[subject, record.day].append(allocation)
    return held


def parts_of(sessions: CycleSessions) -> list[SessionPart]:
    """Give the parts of sessions whose usage is known, the largest session first, then by day."""
    views = sessions.asked.views.items()
    days = {one: days_of(view) for one, view in views if one in sessions.subjects}
    left: dict[tuple[SubjectDay, str], Decimal] = {}
    parts = []
    acus = {session_id: total(used.values()) for session_id, used in days.items()}
    for session_id in sorted(sorted(days), key=acus.__getitem__, reverse=True):
        for day, used in days[session_id].items():
            place = _place(sessions, sessions.subjects[session_id], day)
            for allocation, part in _split(used, sessions.held.get(place, ())):
                if taken := _taken(part, allocation, place, left):
                    parts.append(SessionPart(session_id, day, taken, allocation))
    return parts


def _place(sessions: CycleSessions, subject: Subject, day: date) -> SubjectDay:
    """Give the record that holds a session on a day.

    One of nobody that a rule names has a record of its own on days alone on which it is nobody
    else's usage; on others it is part of its organization's.
    """
    own = subject, day
    org_id, kind, _, session_id = subject
    return own if kind or not session_id or own in sessions.held else (of_nobody(org_id), day)


def of_nobody(org_id: str) -> Subject:
    """Name the record of what an organization used by nobody who is known."""
    return org_id, "", "", ""


def _split(
    acus: Decimal, allocations: Sequence[Allocation]
) -> Iterator[tuple[Allocation, Decimal]]:
    """Share what a session used on a day as its record is shared."""
    if len(allocations) == 1:
        yield allocations[0], acus
    elif allocations:
        weights = [allocation.quantity.copy_abs() for allocation in allocations]
        yield from zip(allocations, apportion(acus, weights), strict=True)


def _taken(
    part: Decimal,
    allocation: Allocation,
    place: SubjectDay,
    left: dict[tuple[SubjectDay, str], Decimal],
) -> Decimal:
    """Take a part of what others leave of an allocation; a credit leaves them no more."""
    key = place, allocation.cost_center
    room = left.get(key, max(allocation.quantity, ZERO))
    taken = min(part, room)
    left[key] = subtract(room, max(taken, ZERO))
    return taken


def with_sessions(
    statement: Statement, sessions: CycleSessions, parts: Iterable[SessionPart], count: int
) -> Statement:
    """Put the `count` largest sessions of every cost center on its invoice."""
    by_center: dict[str, list[SessionPart]] = defaultdict(list)
    for part in parts:
        by_center[part.allocation.cost_center].append(part)
    invoices = []
    for invoice in statement.invoices:
        code = invoice.cost_center.code
        unknown = sessions.asked.unknown.get(code) or sessions.asked.wholly
        shown = _largest(by_center[code], count) if unknown in SHOWN else {}
        amounts = amounts_of(invoice, shown, statement)
        uses = [_use(sessions.known[one], own, amounts[one]) for one, own in shown.items()]
        largest = _of_invoice(invoice, uses, unknown, statement.heading.decimals)
        invoices.append(replace(invoice, sessions=largest))
    return replace(statement, invoices=tuple(invoices))


def _largest(parts: Iterable[SessionPart], count: int) -> dict[str, list[SessionPart]]:
    """Choose the largest sessions of a cost center, the largest first; a credit is none."""
    by_session: dict[str, list[SessionPart]] = defaultdict(list)
    for part in parts:
        by_session[part.session_id].append(part)
    acus = {one: total(part.acus for part in own) for one, own in by_session.items()}
    ranks = {session_id: printed(own, COMPARED_DECIMALS) for session_id, own in acus.items()}
    ordered = sorted(sorted(ranks), key=ranks.__getitem__, reverse=True)
    return {one: by_session[one] for one in ordered[:count] if ranks[one] > 0}


def amounts_of(
    invoice: Invoice, shown: Mapping[K, Sequence[SessionPart]], statement: Statement
) -> dict[K, Decimal]:
    """Apportion the lines to parts of sessions, and to all else of each, which is not given."""
    decimals = statement.heading.decimals
    amounts = dict.fromkeys(shown, round_half_up(ZERO, decimals))
    for line in lines_of_sessions(invoice) if shown else ():
        acus = [
            total(part.acus for part in parts if part.line_key == line.line_key)
            for parts in shown.values()
        ]
        exact = _exact(line, acus, effective=statement.heading.effective_prices)
        rounded = round_to_total(exact, line.amount, decimals)
        for session_id, amount in zip(shown, rounded, strict=False):
            amounts[session_id] = add(amounts[session_id], amount)
    return amounts


def _exact(line: InvoiceLine, acus: Sequence[Decimal], *, effective: bool) -> list[Decimal]:
    """Give what ACUs of a line cost exactly, and last what is left of it does."""
    quantities = [*acus, subtract(line.acus, total(acus))]
    if not effective:
        return [multiply(quantity, line.unit_price or ZERO) for quantity in quantities]
    if not line.acus:
        return [ZERO for _ in quantities]
    groups = spread_over_groups(line.exact_amount, [[quantity] for quantity in quantities])
    return [part for group in groups for part in group]


def lines_of_sessions(invoice: Invoice) -> list[InvoiceLine]:
    """Give the lines of the product that sessions use."""
    return [line for line in invoice.lines if line.of_usage and line.product == DEVIN]


def _use(session: Session, parts: Sequence[SessionPart], amount: Decimal) -> SessionUse:
    days = [part.day for part in parts]
    kind, principal_id = session.principal or ("", "")
    return SessionUse(
        session_id=session.session_id,
        org_id=session.org_id,
        principal_kind=kind,
        principal_id=principal_id,
        first_day=min(days),
        last_day=max(days),
        acus=total(part.acus for part in parts),
        amount=amount,
        title=session.title,
        tags=session.tags,
        pull_requests=session.pull_requests,
        url=session.url,
    )


def _of_invoice(
    invoice: Invoice, uses: Sequence[SessionUse], unknown: SessionsUnknown, decimals: int
) -> LargestSessions:
    """Give sessions, and all else of the lines that they are part of."""
    lines = lines_of_sessions(invoice)
    whole = add(total(line.amount for line in lines), round_half_up(ZERO, decimals))
    return LargestSessions(
        sessions=tuple(uses),
        other_acus=subtract(total(line.acus for line in lines), total(one.acus for one in uses)),
        other_amount=subtract(whole, total(one.amount for one in uses)),
        unknown=unknown,
    )
