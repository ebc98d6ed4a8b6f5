"""What servers are known or feared to answer though it is no fault: each truth changes a body.

Every truth holds for all views alike, so that what a client finds out of them still adds up.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from tests.fakeapi.sample import DAY

Json = dict[str, Any]
Query = dict[str, list[str]]
Truth = Callable[[Json, Query, Random], None]

SECONDS_TO_MIDNIGHT = 28_800
OUTSIDE_ACUS = 1.25


def _outside(body: Json, query: Query, _rng: Random) -> None:
    """Count a day before the window and the day at its end, as inclusive bounds would."""
    after, before = (query.get(name) for name in ("time_after", "time_before"))
    if after and before:
        for date in (int(after[0]) - DAY, int(before[0])):
            products = {"devin": OUTSIDE_ACUS, "cascade": 0.0, "terminal": 0.0}
            body["consumption_by_date"].append(
                {"date": date, "acus": OUTSIDE_ACUS, "acus_by_product": products}
            )
            body["total_acus"] += OUTSIDE_ACUS


def _shuffled(body: Json, _query: Query, rng: Random) -> None:
    rng.shuffle(body["consumption_by_date"])


def _duplicated(body: Json, _query: Query, rng: Random) -> None:
    """Give some days in two halves; halving a float loses nothing."""
    days = body["consumption_by_date"]
    for bucket in [bucket for bucket in days if rng.random() < 0.3]:
        days.remove(bucket)
        products = bucket["acus_by_product"]
        half = bucket | {"acus": bucket["acus"] / 2}
        half["acus_by_product"] = products and {
            name: acus and acus / 2 for name, acus in products.items()
        }
        days += [half, dict(half)]


def _zero_days(body: Json, query: Query, _rng: Random) -> None:
    """Give every day of the window."""
    after, before = (query.get(name) for name in ("time_after", "time_before"))
    if after and before:
        known = {bucket["date"] for bucket in body["consumption_by_date"]}
        for date in range(int(after[0]), int(before[0]), DAY):
            if date not in known:
                products = {"devin": 0.0, "cascade": 0.0, "terminal": 0.0}
                bucket = {"date": date, "acus": 0.0, "acus_by_product": products}
                body["consumption_by_date"].append(bucket)


def _no_zero_days(body: Json, _query: Query, _rng: Random) -> None:
    body["consumption_by_date"] = [
        bucket for bucket in body["consumption_by_date"] if bucket["acus"]
    ]


def _null_products(body: Json, _query: Query, _rng: Random) -> None:
    for bucket in body["consumption_by_date"]:
        bucket["acus_by_product"] = None


def _absent_products(body: Json, _query: Query, _rng: Random) -> None:
    for bucket in body["consumption_by_date"]:
        bucket.pop("acus_by_product", None)


def _null_zeros(body: Json, _query: Query, _rng: Random) -> None:
    for bucket in body["consumption_by_date"]:
        found = bucket.get("acus_by_product") or {}
        found.update({name: None for name, acus in found.items() if not acus})


def _absent_zeros(body: Json, _query: Query, _rng: Random) -> None:
    for bucket in body["consumption_by_date"]:
        if found := bucket.get("acus_by_product"):
            bucket["acus_by_product"] = {name: acus for name, acus in found.items() if acus}


def _unknown_product(body: Json, _query: Query, _rng: Random) -> None:
    """Call the product `review` by a name nobody has heard of."""
    for bucket in body["consumption_by_date"]:
        found = bucket.get("acus_by_product") or {}
        if found.get("review"):
            found["quantum/tunnel"] = found.pop("review")


def _noise(body: Json, _query: Query, rng: Random) -> None:
    """Let no sum be exact; zero stays zero."""
    for bucket in body["consumption_by_date"]:
        bucket["acus"] += 1e-10 * (rng.random() - 0.5) if bucket["acus"] else 0
        for name, acus in (bucket.get("acus_by_product") or {}).items():
            if acus:
                bucket["acus_by_product"][name] = acus + 1e-10 * (rng.random() - 0.5)
    body["total_acus"] += 1e-10 * (rng.random() - 0.5)


def _midnight(body: Json, _query: Query, _rng: Random) -> None:
    for bucket in body["consumption_by_date"]:
        bucket["date"] -= SECONDS_TO_MIDNIGHT


def _summer(body: Json, _query: Query, _rng: Random) -> None:
    for bucket in body["consumption_by_date"]:
        bucket["date"] -= 3600


def _total_off(body: Json, _query: Query, _rng: Random) -> None:
    body["total_acus"] += 7


def _unknown_fields(body: Json, _query: Query, _rng: Random) -> None:
    for part in (body, *body.get("items", ()), *_buckets(body)):
        part["x_later"] = {"nested": [1, None, {"date": "soon"}]}


def _unknown_enums(body: Json, _query: Query, _rng: Random) -> None:
    for item in body.get("items", ()):
        if "session_id" in item:
            item |= {"status": "hibernating"}
            item |= {
                name: "satellite"
                for name in ("status_detail", "origin", "category")
                if name in item
            }


def _shuffled_items(body: Json, _query: Query, rng: Random) -> None:
    rng.shuffle(body.get("items", []))


def _repeated_items(body: Json, _query: Query, _rng: Random) -> None:
    """Give the first item of a page twice."""
    if body.get("items"):
        body["items"] = [*body["items"], body["items"][0]]


def _buckets(body: Json) -> list[Json]:
    found = body.get("consumption_by_date")
    return found if isinstance(found, list) else []


OF_DAYS: dict[str, Truth] = {
    "days outside": _outside,
    "zero days": _zero_days,
    "no zero days": _no_zero_days,
    "unknown product": _unknown_product,
    "noise": _noise,
    "midnight": _midnight,
    "summer": _summer,
    "total off": _total_off,
    "duplicated days": _duplicated,
    "shuffled days": _shuffled,
    "null zeros": _null_zeros,
    "absent zeros": _absent_zeros,
    "null products": _null_products,
    "absent products": _absent_products,
}
OF_ALL: dict[str, Truth] = {
    "unknown enums": _unknown_enums,
    "repeated items": _repeated_items,
    "shuffled items": _shuffled_items,
    "unknown fields": _unknown_fields,
}
TRUTHS = (*OF_DAYS, *OF_ALL)
DEVIATING = {"null zeros", "absent zeros", "null products", "absent products"}
"""Older vintages of the API, which today's description does not allow."""


def told(body: Any, truths: set[str], query: Query, target: str) -> None:
    """Change a body by every truth that is told; the same request always gets the same answer."""
    if unknown := truths - {*TRUTHS}:
        raise ValueError(f"no such truth: {unknown}")
    if isinstance(body, dict):
        known = OF_DAYS | OF_ALL if isinstance(body.get("consumption_by_date"), list) else OF_ALL
        for name, truth in known.items():
            if name in truths:
                truth(body, query, Random(f"{name}|{target}"))  # noqa: S311 - no secret
