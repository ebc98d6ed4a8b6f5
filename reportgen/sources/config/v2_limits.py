"""What a source cannot tell, held against what rules and prices ask of it."""

from dataclasses import replace

from reportgen.core.model import CASCADE_TERMINAL, Mapping, RateCard
from reportgen.core.problem import Problem
from reportgen.core.text import quoted

UNKNOWN_TO_V2 = {"sessions": "sessions", "tags": "tags", "service_users": "service users"}


def fit_to_v2(mapping: Mapping, card: RateCard) -> tuple[Mapping, list[Problem]]:
    """Leave out the rules that v2 cannot follow, with a warning each, and ask for the price of its rest product."""
    warnings = [
        Problem(
            source=rule.source,
            message=f"{quoted(rule.key)} is not used: v2 tells nothing of {UNKNOWN_TO_V2[rule.section]}",
            hint="remove the rule, or read v3",
            warning=True,
        )
        for rule in mapping.rules
        if rule.section in UNKNOWN_TO_V2
    ]
    kept = tuple(rule for rule in mapping.rules if rule.section not in UNKNOWN_TO_V2)
    return replace(mapping, rules=kept), [*warnings, *_missing_price(card)]


def _missing_price(card: RateCard) -> list[Problem]:
    """Report a card whose prices leave out the rest; tiers and a recovered invoice need none by product."""
    if not card.prices or CASCADE_TERMINAL in card.prices:
        return []
    message = f"v2 of the API tells all that is tied to no organization as the product {quoted(CASCADE_TERMINAL)}, without a price"
    return [
        Problem(
            source=card.source,
            message=message,
            hint=f'add a price for "{CASCADE_TERMINAL}"; "*" does not cover it',
        )
    ]
