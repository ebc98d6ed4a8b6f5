"""The rate card applied to allocations: what each costs, exactly."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from reportgen.core.model import ANY_PRODUCT, Allocation, Price, Quantities, RateCard
from reportgen.core.money import multiply
from reportgen.core.problem import Problem, did_you_mean, quoted

PriceAt = tuple[Decimal | None, str]
_rated = tuple.__new__
"""Makes a named tuple without the detour over its own constructor: they come by the million."""
UNPRICED: PriceAt = (None, "")


def price_on(card: RateCard, product: str, day: date) -> PriceAt:
    """Give the price per ACU and its file:line: the product's own, else that of `*`, else none.

    A product's dated prices say nothing of the days before the first of them.
    """
    for key in (product, ANY_PRODUCT):
        if price := _in_force(card.prices.get(key, ()), day):
            return price.unit_price, price.source
    return UNPRICED


def rate(allocations: Iterable[Allocation], card: RateCard) -> Iterator[Allocation]:
    """Price each allocation; where the card has no price it stays unpriced, at an exact amount of zero."""
    known: dict[tuple[date, str], PriceAt] = {}
    for allocation in allocations:
        cell = allocation[0][:2]
        if cell not in known:
            known[cell] = price_on(card, cell[1], cell[0])
        unit_price, source = known[cell]
        if unit_price is None:
            yield allocation
        else:
            amount = multiply(allocation[6], unit_price)
            yield _rated(Allocation, (*allocation[:7], unit_price, source, amount))


def price_warnings(card: RateCard, control: Quantities) -> list[Problem]:
    """Warn of prices for a product nobody used, and of days on which `*` stands in for a product's own price."""
    used = {product for _, product in control}
    found = []
    for product, prices in sorted(card.prices.items()):
        if product != ANY_PRODUCT and product not in used:
            near = did_you_mean(product, sorted(used))
            hint = f"did you mean {quoted(near)}?" if near else "leave it if it is kept for later"
            message = f"nobody used the product {quoted(product)} in this cycle"
            found.append(Problem(source=prices[0].source, message=message, hint=hint, warning=True))
        elif any(day < prices[0].start for day, name in control if name == product) and product != ANY_PRODUCT:
            message = f"{quoted(product)} has no price of its own before {prices[0].start}, inside this cycle"
            hint = "days before it take the price of `*`, if there is one; give the first price an earlier date"
            found.append(Problem(source=prices[0].source, message=message, hint=hint, warning=True))
    return found


def _in_force(prices: tuple[Price, ...], day: date) -> Price | None:
    index = bisect_right(prices, day, key=lambda price: price.start)
    return prices[index - 1] if index else None
