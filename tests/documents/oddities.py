"""What makes a generated cycle odd: names that nobody tries, and views that know other products.

An answer is changed alike whenever it is asked, in what only the enterprise, only organizations or
only people see, or in all of them. Settings of documents are drawn as well, so that every policy
meets every world.
"""

from collections.abc import Callable
from random import Random
from typing import Any

Json = dict[str, Any]
NAMES = (
    *("Ada Lovelace", "山田 太郎", "Zoë Ångström-Ünal", "Иван Петров", "Νίκη", "김민준", "דוד"),
    *("<b>R&D</b>", "\"quoted\" & 'single'", "{{ 7 * 7 }}", "{% raw %}", "%(name)s 100%", "=1+1"),
    *("+cmd|' /C calc'!A1", "@SUM(A1)", "a\nb", "tab\tbed", "nul\x00l", "\ufffe\uffff", "\u202eab"),
    *("x" * 300, "word " * 60, "https://acme.example/" + "a" * 90, "-", "0", "None", "&amp;"),
    *("देवनागरी", "\ud83d", "e\u0301", "\u200b", "CC-1", "devin", "]]>", "<!--", "🚀 Ops", "‰ ™"),
)
PRODUCTS = (
    *("devin", "cascade", "terminal", "review", "cascade+terminal", "unspecified", "", "*"),
    *("<i>new</i>", "新製品", "=2+3", "product1", "acus", "day", "{{ product }}", "x" * 200),
    *("Devin", "A|B", "🚀"),
)
LEVELS = ("enterprise", "organizations", "users")
"""The views by what their path names first."""


class Oddities:
    """The oddities of one seed: `dress` a configuration with them, `reword` answers."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(f"odd {seed}")  # noqa: S311 - a world, no secret
        self._salt = self._rng.random()
        self._changes = [change for change in CHANGES if self._rng.random() < 0.3]
        self._level = self._rng.choice((*LEVELS, None))
        self._product = self._rng.choice(PRODUCTS)

    def dress(self, files: dict[str, Json]) -> None:
        """Give a configuration names, budgets, holdings and settings of documents."""
        rng = self._rng
        main, mapping = files["chargeback.yaml"], files["mapping.yaml"]
        main["enterprise"] = _name(rng)
        main["invoice"] = {
            "users": rng.choice(("names", "pseudonyms", "none")),
            "locale": rng.choice(("en", "en", "ja", "zh")),
            "max_detail_rows": str(rng.choice((0, 3, 1500))),
            "summaries": rng.choice(([], ["department"], ["department", "entity"])),
            "note": _name(rng),
        }
        for center in mapping["cost_centers"].values():
            center.update(_dressed(rng))
        if rng.random() < 0.3:
            memo = {"currency": rng.choice(("EUR", "KWD", "KRW")), "2025-11-05": "155.20"}
            files["rates.yaml"]["memo_currency"] = {"CC-1": memo}

    def reword(self, target: str, body: Any) -> Any:
        """Change an answer; the same request always gets the same one."""
        rng = Random(f"{self._salt}|{target.partition('?')[0]}")  # noqa: S311
        for one in body.get("items", ()) if isinstance(body, dict) else ():
            for key in ("name", "email", "organization_name", "user_name"):
                if one.get(key) and rng.random() < 0.4:
                    one[key] = rng.choice(NAMES)
        days = body.get("consumption_by_date") if isinstance(body, dict) else None
        if isinstance(days, list) and self._level in {None, _level(target)}:
            for change in self._changes:
                change(rng, days, self._product)
        return body


def _name(rng: Random) -> str:
    """Give a name that a line of YAML may hold; one in two is plain."""
    usable = [name for name in NAMES if name.isprintable() and name.strip()]
    return rng.choice(("Acme", "Platform", *usable))


def _dressed(rng: Random) -> Json:
    """Give what may be said of a cost center, of each key now and then."""
    said = {
        "department": _name(rng),
        "entity": _name(rng),
        "cycle_budget": str(rng.randint(0, 900)),
        "locale": rng.choice(("en", "ja", "zh")),
    }
    return {"name": _name(rng)} | {key: said[key] for key in said if rng.random() < 0.4}


def _level(target: str) -> str:
    path = target.partition("?")[0]
    return next((level for level in reversed(LEVELS) if f"daily/{level}" in path), LEVELS[0])


def _renamed(rng: Random, days: list[Json], product: str) -> None:
    """Call a product otherwise than the other views do."""
    for day in days:
        products = day.get("acus_by_product") or {}
        if "devin" in products:
            products[product] = products.pop("devin")


def _without_breakdown(rng: Random, days: list[Json], product: str) -> None:
    for day in days:
        if rng.random() < 0.5:
            day.pop("acus_by_product", None)


def _without_a_product(rng: Random, days: list[Json], product: str) -> None:
    """Let a product be in the total of a day and in no breakdown."""
    for day in days:
        products = day.get("acus_by_product") or {}
        products.pop(rng.choice(("devin", "cascade", "review")), None)


def _cancelled(rng: Random, days: list[Json], product: str) -> None:
    """Give a product on one day and take as much away on another."""
    if len(days) > 1:
        for day, acus in zip(rng.sample(days, 2), (2.5, -2.5), strict=True):
            products = day.setdefault("acus_by_product", {}) or {}
            products[product] = acus
            day["acus_by_product"] = products
            day["acus"] = (day.get("acus") or 0) + acus


def _credited(rng: Random, days: list[Json], product: str) -> None:
    """Turn the sign of everything on some days."""
    for day in days:
        if rng.random() < 0.3:
            day["acus"] = -(day.get("acus") or 0)
            products = day.get("acus_by_product") or {}
            products |= {name: -(acus or 0) for name, acus in products.items()}


def _nothing(rng: Random, days: list[Json], product: str) -> None:
    """Let there be no day at all."""
    days.clear()


def _two_within_one(rng: Random, days: list[Json], product: str) -> None:
    """Let two products come to nothing together on a day that has nothing else."""
    for day in days[:1]:
        day |= {"acus": 0, "acus_by_product": {product: 1.25, "review": -1.25}}


CHANGES: tuple[Callable[[Random, list[Json], str], None], ...] = (
    *(_renamed, _without_breakdown, _without_a_product, _cancelled, _credited, _nothing),
    _two_within_one,
)
