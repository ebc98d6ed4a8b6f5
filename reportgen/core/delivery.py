"""A document on its way to somebody: what is known of it, and what is to be done.

    pending ──▶ in flight ──▶ sent
       ▲            │───────▶ failed       the server refused it for good
       │            └───────▶ uncertain    nobody knows whether the server took it
       └── the server put it off, or the connection broke before the message was whole

Laws: what may have been taken is never sent again by itself: a person settles it, or sends it
again. A repeated attempt carries the same name, so that whoever got both can tell; what was sent
and is sent once more on purpose gets another.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Literal

from reportgen.core.text import address

State = Literal["pending", "in_flight", "sent", "failed", "uncertain"]
CUT_OFF = "the run ended before the answer of the server"
BY_HAND = "settled by hand"


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """A document for one address.

    `document` is the sha256 of its PDF, `seal` that of the closed folder, empty for a draft.
    """

    cost_center: str
    number: str
    document: str
    recipient: str
    seal: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Tell it from others: what is sent, and to whom, however that is written."""
        return self.document, address(self.recipient)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dispatch:
    """What is known of a delivery since an instant.

    `message_id` is in angle brackets; `series` counts how often it was sent on purpose, and began
    at `dated`. `files` are the hashes of what is attached, by name; `said` is what the server said.
    """

    delivery: Delivery
    state: State
    at: datetime
    message_id: str
    series: int
    dated: datetime
    files: Mapping[str, str] = field(default_factory=dict)
    said: str = ""


Known = Mapping[tuple[str, str], Dispatch]
"""The latest that is known, by `Delivery.key`."""


def latest(dispatches: Iterable[Dispatch]) -> dict[tuple[str, str], Dispatch]:
    """Keep of each delivery what is known last."""
    return {one.delivery.key: one for one in dispatches}


def queued(
    deliveries: Iterable[Delivery], known: Known, at: datetime, domain: str
) -> list[Dispatch]:
    """Begin whatever nothing is known of yet; each delivery once."""
    new = {one.key: one for one in deliveries if one.key not in known}
    return [_begun(one, 1, at, domain) for one in new.values()]


def interrupted(known: Known, at: datetime) -> list[Dispatch]:
    """Say of what a run left in flight that nobody knows what became of it."""
    return [
        replace(one, state="uncertain", at=at, said=CUT_OFF)
        for one in known.values()
        if one.state == "in_flight"
    ]


def sent_again(
    deliveries: Sequence[Delivery], known: Known, at: datetime, domain: str
) -> list[Dispatch]:
    """Begin again what a person wants sent again, of some deliveries.

    Whatever failed or is uncertain comes first, under the name it had. Where there is neither, and
    nothing is on its way, what was sent is sent once more under another name.
    """
    standing = [known[one.key] for one in deliveries if one.key in known]
    unsettled = [one for one in standing if one.state in {"failed", "uncertain"}]
    if unsettled:
        return [replace(one, state="pending", at=at, said="") for one in unsettled]
    if any(one.state != "sent" for one in standing) or len(standing) < len(deliveries):
        return []
    return [_begun(one.delivery, one.series + 1, at, domain) for one in standing]


def settled(deliveries: Iterable[Delivery], known: Known, at: datetime) -> list[Dispatch]:
    """Take what is uncertain, of some deliveries, for sent: a person says so."""
    return [
        replace(known[one.key], state="sent", at=at, said=BY_HAND)
        for one in deliveries
        if one.key in known and known[one.key].state == "uncertain"
    ]


def message_id(delivery: Delivery, series: int, domain: str) -> str:
    """Name a message by the seal, cost center, recipient and series; a draft has a hash for a seal.

    >>> one = Delivery(cost_center="A", number="N", document="d0", recipient="a@x.example")
    >>> message_id(one, 1, "x.example") == message_id(one, 2, "x.example")
    False
    """
    parts = (
        *(delivery.seal or delivery.document, delivery.document),
        *(delivery.cost_center, address(delivery.recipient), str(series)),
    )
    digest = sha256("\0".join(parts).encode()).hexdigest()
    return f"<{digest[:40]}@{domain}>"


def _begun(delivery: Delivery, series: int, at: datetime, domain: str) -> Dispatch:
    return Dispatch(
        delivery=delivery,
        state="pending",
        at=at,
        message_id=message_id(delivery, series, domain),
        series=series,
        dated=at,
    )
