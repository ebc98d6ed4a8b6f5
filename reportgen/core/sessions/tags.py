"""Usage by the tags of sessions: for information, as no tag that is looked for here moves an ACU.

A session stands once, under all of its tags that are looked for together: so what tags come to
adds up, with everything else, to the invoice's lines.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from reportgen.core.model import ByTag, Invoice, InvoiceLine, Session, Statement, TagUse
from reportgen.core.money import ZERO, add, round_half_up, subtract, total
from reportgen.core.sessions.parts import (
    SHOWN,
    CycleSessions,
    SessionPart,
    amounts_of,
    lines_of_sessions,
)


def looked_for(tags: Iterable[str], patterns: Sequence[str]) -> tuple[str, ...]:
    """Give those of some tags that match a pattern, in which `*` stands for any text.

    >>> looked_for(["team:web", "project:b", "project:a"], ["project:*"])
    ('project:a', 'project:b')
    """
    compiled = [
        re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL) for pattern in patterns
    ]
    return tuple(sorted({tag for tag in tags if any(one.fullmatch(tag) for one in compiled)}))


def tagged(sessions: Iterable[Session], patterns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Give the tags that are looked for of each session that has some, by its id."""
    matches: dict[tuple[str, ...], tuple[str, ...]] = {}
    by_id = {}
    for session in sessions if patterns else ():
        if session.tags not in matches:
            matches[session.tags] = looked_for(session.tags, patterns)
        if matches[session.tags]:
            by_id[session.session_id] = matches[session.tags]
    return by_id


def with_tags(
    statement: Statement,
    sessions: CycleSessions,
    parts: Iterable[SessionPart],
    patterns: Sequence[str],
) -> Statement:
    """Break every invoice's usage of sessions down by the tags that are looked for."""
    if not patterns:
        return statement
    tags = tagged(sessions.known.values(), patterns)
    by_center: dict[str, list[SessionPart]] = defaultdict(list)
    for part in parts if sessions.asked.tagged in SHOWN else ():
        if part.session_id in tags:
            by_center[part.allocation.cost_center].append(part)
    invoices = tuple(
        replace(
            invoice,
            by_tag=ByTag(
                patterns=tuple(patterns),
                rows=tuple(_rows(invoice, by_center[invoice.cost_center.code], tags, statement)),
                unknown=sessions.asked.tagged,
            ),
        )
        for invoice in statement.invoices
    )
    return replace(statement, invoices=invoices)


def _rows(
    invoice: Invoice,
    parts: Sequence[SessionPart],
    tags: Mapping[str, tuple[str, ...]],
    statement: Statement,
) -> Iterator[TagUse]:
    """Yield what each group of tags came to, the largest first, and last everything else."""
    groups: dict[tuple[str, ...], list[SessionPart]] = defaultdict(list)
    for part in parts:
        groups[tags[part.session_id]].append(part)
    if not groups:
        return
    amounts = amounts_of(invoice, dict(sorted(groups.items())), statement)
    rows = [
        TagUse(
            tags=key,
            sessions=len({part.session_id for part in own}),
            acus=total(part.acus for part in own),
            amount=amounts[key],
        )
        for key, own in sorted(groups.items())
    ]
    yield from sorted(rows, key=lambda row: (row.amount, row.acus), reverse=True)
    yield _remainder(rows, lines_of_sessions(invoice), statement.heading.decimals)


def _remainder(rows: Sequence[TagUse], lines: Sequence[InvoiceLine], decimals: int) -> TagUse:
    """Give what lines of usage have beyond the groups of tags."""
    whole = add(total(line.amount for line in lines), round_half_up(ZERO, decimals))
    return TagUse(
        tags=(),
        sessions=0,
        acus=subtract(total(line.acus for line in lines), total(row.acus for row in rows)),
        amount=subtract(whole, total(row.amount for row in rows)),
    )
