"""A session explained: who bears it, by which rule, and what it cost, by day."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path

from reportgen.commands.explain.text import ranges, say, tell_answers, tell_sources
from reportgen.commands.explain.values import Values, proof, rule_values, text_of
from reportgen.core.allocating.match import Subject, subject_of
from reportgen.core.model import Allocation, Invoice, Session
from reportgen.core.money import fixed, multiply, plain, printed, ratio, shown, total
from reportgen.core.proving.explain import AuditTrail, Ruled, ruled
from reportgen.core.sessions.parts import CycleSessions, SessionPart
from reportgen.core.text import quoted
from reportgen.derive import Inputs
from reportgen.operations.context import Context

NOBODY = ""


def session_values(
    session: Session,
    parts: Sequence[SessionPart],
    sessions: CycleSessions,
    trail: AuditTrail,
    inputs: Inputs,
) -> Values:
    """Give a session with the parts that cost centers bear, and the answers that prove them.

    Where it was not asked about, only who bears the record that holds it is known, and no ACUs.
    """
    heading, view = trail.statement.heading, sessions.asked.views.get(session.session_id)
    of_parts = (request for part in parts for request in part.allocation.record.requests)
    requests = dict.fromkeys([*(view.requests if view else ()), *of_parts])
    return {
        "session": session.session_id,
        "title": session.title or None,
        "url": session.url or None,
        "org_id": session.org_id,
        "principal_id": session.principal.id if session.principal else None,
        "who": _who(session, trail),
        "tags": list(session.tags),
        "pull_requests": [
            {"url": one.url, "state": one.state or None} for one in session.pull_requests
        ],
        "cycle": {"start": heading.cycle.start.isoformat(), "end": heading.cycle.end.isoformat()},
        "currency": heading.currency,
        "acus": plain(total(part.acus for part in parts)) if view else None,
        "cost_centers": [
            _of_center(code, session, parts, trail, inputs)
            for code in sorted({part.allocation.cost_center for part in parts})
        ]
        if view
        else _bearers(session, sessions.subjects[session.session_id], trail, inputs),
        "responses": {one: proof(inputs.responses[one]) for one in requests},
    }


def _who(session: Session, trail: AuditTrail) -> str:
    """Name whose session it is as people know it, and where it was."""
    known = trail.directory
    entry = known.entries.get(session.principal) if session.principal else None
    owner = session.principal.id if session.principal else "nobody that the API tells"
    place = known.organizations.get(session.org_id, session.org_id)
    return f"{(entry and (entry.email or entry.name)) or owner}, {place}"


def _of_center(
    code: str,
    session: Session,
    parts: Iterable[SessionPart],
    trail: AuditTrail,
    inputs: Inputs,
) -> Values:
    """Give a cost center's part by day; its amount is that of its invoice, if that lists it."""
    own = [part for part in parts if part.allocation.cost_center == code]
    decided = list(ruled([part.allocation for part in own], trail))
    invoice = _invoice(code, trail)
    listed = {one.session_id: one.amount for one in invoice.sessions.sessions} if invoice else {}
    amount = listed.get(session.session_id)
    effective = trail.statement.heading.effective_prices
    return {
        **_named(code, invoice),
        "acus": plain(total(part.acus for part in own)),
        "amount": None if amount is None else fixed(amount, trail.card.decimals),
        "days": [
            _day(part, one, effective=effective) for part, one in zip(own, decided, strict=True)
        ],
        "sources": _sources(decided, inputs),
    }


def _invoice(code: str, trail: AuditTrail) -> Invoice | None:
    return next((one for one in trail.statement.invoices if one.cost_center.code == code), None)


def _named(code: str, invoice: Invoice | None) -> Values:
    return {
        "cost_center": code or None,
        "name": invoice.cost_center.name if invoice else None,
        "invoice": invoice.number if invoice else None,
    }


def _day(part: SessionPart, one: Ruled, *, effective: bool) -> Values:
    allocation = part.allocation
    return {
        "day": part.day.isoformat(),
        "acus": plain(part.acus),
        "share": allocation.share,
        "unit_price": None if allocation.unit_price is None else plain(allocation.unit_price),
        "exact_amount": plain(_exact(part, effective=effective)),
        "cause": allocation.cause or None,
        "rule": rule_values(one.rule, allocation.rule) if one.rule else None,
        "rate": allocation.rate or None,
        "requests": list(allocation.record.requests),
    }


def _exact(part: SessionPart, *, effective: bool) -> Decimal:
    """Give what ACUs of an allocation cost: at its price, or as its own part of one amount."""
    allocation = part.allocation
    if not effective:
        return multiply(part.acus, allocation.unit_price or Decimal(0))
    of_both = multiply(allocation.exact_amount, part.acus)
    return ratio(of_both, allocation.quantity, 10) or Decimal(0)


def _bearers(session: Session, subject: Subject, trail: AuditTrail, inputs: Inputs) -> list[Values]:
    """Give who bears the record that holds a session, as far as it was at work then."""
    held = [one for one in trail.allocations if _may_hold(one, session, subject)]
    return [
        {
            **_named(code, _invoice(code, trail)),
            "acus": None,
            "amount": None,
            "days": [],
            "sources": _sources(
                ruled([one for one in held if one.cost_center == code], trail), inputs
            ),
        }
        for code in sorted({one.cost_center for one in held})
    ]


def _may_hold(allocation: Allocation, session: Session, subject: Subject) -> bool:
    day = allocation.record.day
    begun = session.created is None or day >= session.created
    ended = session.updated is not None and day > session.updated
    return subject_of(allocation.record) == subject and begun and not ended


def _sources(decided: Iterable[Ruled], inputs: Inputs) -> dict[str, str]:
    """Give the lines of the configuration that are named, by their file:line."""
    sources = {
        source
        for allocation, rule in decided
        for source in (allocation.rule, allocation.rate, rule.source if rule else "")
        if source
    }
    return {source: text_of(source, inputs.configuration) for source in sorted(sources)}


def tell_session(values: Values, folder: Path, context: Context) -> None:
    """Tell a session, who bears it, and each day with its rule and answers."""
    requests = enumerate(values["responses"], start=1)
    numbers = {request: number for number, request in requests}
    title = f": {quoted(values['title'])}" if values["title"] else ""
    say(context, f"{values['session']}{title}, {values['who']}")
    say(context, _used(values))
    for center in values["cost_centers"]:
        context.terminal.result("")
        say(context, _borne(center, values["currency"]))
        rows = [
            [
                day["day"],
                shown(Decimal(day["acus"])),
                day["share"],
                plain(printed(Decimal(day["exact_amount"]))),
                day["rule"]["value"] if day["rule"] else "none",
                ranges([numbers[request] for request in day["requests"]]),
            ]
            for day in center["days"]
        ]
        names = ["day", "ACUs", "share", "exact amount", "rule", "answers"]
        if rows:
            context.terminal.table(names, rows, numbers=("ACUs", "exact amount"), wrap=("rule",))
    tell_sources(values["cost_centers"], folder, context)
    if numbers:
        answers = {number: values["responses"][request] for request, number in numbers.items()}
        tell_answers(answers, folder, context)


def _used(values: Values) -> str:
    cycle = f"{values['cycle']['start']} to {values['cycle']['end']}"
    if values["acus"] is None:
        return (
            f"What it used in the billing cycle {cycle} is not known: the API was not asked, as it "
            "cannot be among the largest sessions of a cost center, or they were not collected."
        )
    return (
        f"It used {values['acus']} ACUs in the billing cycle {cycle} (the end is not part of it)."
    )


def _borne(center: Values, currency: str) -> str:
    if center["cost_center"] is None:
        name = "Nobody"
    else:
        name = f"{center['cost_center']} {center['name']}"
    if center["acus"] is None:
        return f"{name} bears what it used on the days on which it was at work."
    on_invoice = f", {currency} {center['amount']}" if center["amount"] else ""
    number = f" of invoice {center['invoice']}" if center["invoice"] else ""
    return f"{name} bears {center['acus']} ACUs of it{on_invoice}{number}."
