"""What is said of products in vain: prices, weights and labels of those nobody used."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from reportgen.core.model import ANY_PRODUCT, Quantities, RateCard
from reportgen.core.problem import Problem
from reportgen.core.text import did_you_mean, quoted


def card_warnings(card: RateCard, control: Quantities) -> list[Problem]:
    """Warn of prices and weights that nobody's usage meets."""
    return _price_warnings(card, control) if card.prices else _weight_warnings(card, control)


def label_warnings(
    sources: Mapping[str, str], card: RateCard, control: Quantities
) -> list[Problem]:
    """Warn of products that have a label or a meaning, by its file:line, and that nobody used.

    What the rate card names too is told of by `card_warnings`.
    """
    used = {product for _, product in control}
    weights = card.recover.weights if card.recover else {}
    untold = set(sources).difference(used, card.prices, weights)
    return [_unused(product, used, sources[product], "label-unused") for product in sorted(untold)]


def _weight_warnings(card: RateCard, control: Quantities) -> list[Problem]:
    """Warn of weights for a product nobody used: a name that is mistyped changes every amount."""
    if not card.recover:
        return []
    used = {product for _, product in control}
    return [
        _unused(product, used, card.recover.source)
        for product in sorted(set(card.recover.weights).difference(used))
    ]


def _unused(
    product: str, used: AbstractSet[str], source: str, code: str = "price-unused"
) -> Problem:
    near = did_you_mean(product, sorted(used))
    hint = f"did you mean {quoted(near)}?" if near else "leave it if it is kept for later"
    message = f"nobody used the product {quoted(product)} in this cycle"
    return Problem(source=source, message=message, hint=hint, warning=True, code=code)


def _price_warnings(card: RateCard, control: Quantities) -> list[Problem]:
    """Warn of prices for a product nobody used, and of days on which `*` stands in for its own."""
    used = {product for _, product in control}
    warnings = []
    for product, prices in sorted(card.prices.items()):
        if product != ANY_PRODUCT and product not in used:
            warnings.append(_unused(product, used, prices[0].source))
        elif (
            any(day < prices[0].start for day, name in control if name == product)
            and product != ANY_PRODUCT
        ):
            start = prices[0].start
            message = f"{quoted(product)} has no price of its own before {start}, inside this cycle"
            hint = (
                "days before it take the price of `*`, if there is one; "
                "give the first price an earlier date"
            )
            warnings.append(
                Problem(
                    source=prices[0].source,
                    message=message,
                    hint=hint,
                    warning=True,
                    code="price-begins-late",
                )
            )
    return warnings
