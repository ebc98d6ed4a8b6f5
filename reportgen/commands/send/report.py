"""What became of every letter, told in the end: to people as a table, to machines as JSON.

Law: nothing is passed over: what was sent before is said to have been, with when.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from reportgen.commands.send.errand import Errand
from reportgen.core.delivery import Delivery, Dispatch, Known
from reportgen.core.problem import Problem
from reportgen.core.text import clipped, printable
from reportgen.operations.context import DONE
from reportgen.operations.mail.mailing import Addressed
from reportgen.operations.undelivered import Undelivered, problems_of

LONGEST_ANSWER = 60
MESSAGES = ".dry-run"
"""Stands behind the name of an outbox in that of the folder with messages not sent."""
COLUMNS = ("cost center", "document", "to", "state", "since", "the server said")
NOT_YET, BEFORE, UNCERTAIN = "not sent yet", "sent before", "uncertain"
WORDS = {
    "pending": "still to be sent",
    "in_flight": UNCERTAIN,
    "sent": "sent",
    "failed": "refused",
    "uncertain": UNCERTAIN,
}
"""States as people read them."""


def tell(errand: Errand, known: Known, before: Known, failure: Problem | None = None) -> int:
    """Say what is known of every delivery; raises Undelivered where anything is left to do.

    `before` is what was known when the command began, `failure` what ended it.
    """
    deliveries = [one.delivery for one in errand.addressed]
    states = [_state(one, known, before) for one in deliveries]
    _show(errand, deliveries, states, known)
    errand.context.terminal.result(f"{_counted(states)}; the outbox is {errand.outbox}")
    left = [*_planned(deliveries, known), *_strangers(errand, known)]
    problems = [*([failure] if failure else []), *problems_of(left, errand.outbox)]
    values = _values(errand, deliveries, known, before)
    if problems or NOT_YET in states:
        raise Undelivered(problems, values)
    errand.context.terminal.values(values)
    return DONE


def tell_messages(errand: Errand, known: Known, paths: Mapping[tuple[str, str], Path]) -> int:
    """Say which messages were written, for whom; nothing was sent."""
    deliveries = [one.delivery for one in errand.addressed]
    states = [
        f"in {paths[one.key].name}" if one.key in paths else _state(one, known, known)
        for one in deliveries
    ]
    _show(errand, deliveries, states, known)
    folder = errand.outbox.with_suffix(MESSAGES)
    written = f"{len(paths)} messages in {folder}" if paths else "No message would be sent"
    errand.context.terminal.result(f"{written}; nothing was sent")
    errand.context.terminal.values(
        {**_values(errand, deliveries, known, known), "folder": str(folder)}
    )
    return DONE


def tell_rehearsal(
    errand: Errand, due: Sequence[Addressed], known: Known, failure: Problem | None
) -> int:
    """Say what became of a rehearsal; raises Undelivered where not all of it was sent."""
    deliveries = [one.delivery for one in due]
    states = [_state(one, known, {}) for one in deliveries]
    _show(errand, deliveries, states, known)
    errand.context.terminal.result(f"{_counted(states)}; a rehearsal, so none of it is recorded")
    problems = [failure] if failure else []
    for one in _planned(deliveries, known):
        if one.state != "sent":
            message = f"{one.delivery.number} was not sent for sure: {one.said or one.state}"
            problems.append(Problem(source="--to", message=message, hint="rehearse it once more"))
    values = _values(errand, deliveries, known, {})
    if problems:
        raise Undelivered(problems, values)
    errand.context.terminal.values(values)
    return DONE


def _show(
    errand: Errand, deliveries: Sequence[Delivery], states: Sequence[str], known: Known
) -> None:
    lines = zip(deliveries, states, strict=True)
    rows = (_row(delivery, state, known) for delivery, state in lines)
    errand.context.terminal.table(COLUMNS, rows, wrap=("to", COLUMNS[-1]))


def _values(
    errand: Errand, deliveries: Iterable[Delivery], known: Known, before: Known
) -> dict[str, object]:
    return {
        "cycle": errand.cycle.start.isoformat(),
        "outbox": str(errand.outbox),
        "deliveries": [_delivery(one, known, before) for one in deliveries],
        "without_contact": [
            letter.center.code for letter in errand.letters if not letter.center.contacts
        ],
    }


def _state(delivery: Delivery, known: Known, before: Known) -> str:
    now = known.get(delivery.key)
    if now is None:
        return NOT_YET
    return BEFORE if now.state == "sent" and now == before.get(delivery.key) else WORDS[now.state]


def _row(delivery: Delivery, state: str, known: Known) -> tuple[str, ...]:
    now = known.get(delivery.key)
    since = f"{now.at:%Y-%m-%d %H:%M}Z" if now else ""
    said = clipped(now.said, LONGEST_ANSWER) if now else ""
    shown = (delivery.cost_center, delivery.number, delivery.recipient, state, since, said)
    return tuple(map(printable, shown))


def _delivery(delivery: Delivery, known: Known, before: Known) -> dict[str, object]:
    now = known.get(delivery.key)
    values = {
        "cost_center": delivery.cost_center,
        "number": delivery.number,
        "document": delivery.document,
        "recipient": delivery.recipient,
    }
    if now is None:
        return {**values, "state": "unsent"}
    return {
        **values,
        "state": "uncertain" if now.state == "in_flight" else now.state,
        "before": now == before.get(delivery.key),
        "at": now.at.isoformat().replace("+00:00", "Z"),
        "message_id": now.message_id,
        "said": now.said,
    }


def _counted(states: Sequence[str]) -> str:
    counts = Counter(states)
    kinds = ", ".join(f"{counts[state]} {state}" for state in sorted(counts))
    return f"{len(states)} {'message' if len(states) == 1 else 'messages'}: {kinds or 'none'}"


def _planned(deliveries: Iterable[Delivery], known: Known) -> list[Dispatch]:
    return [known[one.key] for one in deliveries if one.key in known]


def _strangers(errand: Errand, known: Known) -> list[Dispatch]:
    """Give what is uncertain though nobody would send it now: the contact or the draft changed."""
    planned = {one.delivery.key for one in errand.addressed}
    codes = {letter.center.code for letter in errand.letters}
    return [
        one
        for key, one in known.items()
        if key not in planned
        and one.state in {"in_flight", "uncertain"}
        and (not errand.wish.names_some or one.delivery.cost_center in codes)
    ]
