"""What v2 cannot tell, held against what rules, prices and credentials ask of it."""

from dataclasses import replace

from reportgen.core.model import CASCADE_TERMINAL, Mapping, RateCard, Rule
from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.sources.config.schema import ChargebackFile
from reportgen.sources.config.yamldoc import YamlDocument

UNKNOWN_TO_V2 = {"sessions": "sessions", "tags": "tags", "service_users": "service users"}


def fit_to_v2(mapping: Mapping, card: RateCard) -> tuple[Mapping, list[Problem]]:
    """Leave out the rules that v2 cannot follow, with a warning each; ask for the rest's price."""
    warnings = [_unused(rule) for rule in mapping.rules if rule.section in UNKNOWN_TO_V2]
    kept = tuple(rule for rule in mapping.rules if rule.section not in UNKNOWN_TO_V2)
    return replace(mapping, rules=kept), [*warnings, *_missing_price(card)]


def refuse_organizations(settings: ChargebackFile, document: YamlDocument) -> list[Problem]:
    """Report credentials of organizations."""
    if not settings.source.organizations:
        return []
    line = document.line("source", "organizations")
    message = "v2 of the API has no credentials of organizations"
    return [Problem(source=line, message=message, hint="remove them, or read v3")]


def _unused(rule: Rule) -> Problem:
    unknown = f"v2 tells nothing of {UNKNOWN_TO_V2[rule.section]}"
    return Problem(
        source=rule.source,
        message=f"{quoted(rule.key)} is not used: {unknown}",
        hint="remove the rule, or read v3",
        warning=True,
        code="rule-unknown-to-v2",
    )


def _missing_price(card: RateCard) -> list[Problem]:
    """Report prices that leave out the rest; tiers and a recovered invoice need none by product."""
    if not card.prices or CASCADE_TERMINAL in card.prices:
        return []
    product = quoted(CASCADE_TERMINAL)
    message = f"v2 of the API tells all that is tied to no organization as the product {product}"
    hint = f'add a price for {product}; "*" does not cover it'
    return [Problem(source=card.source, message=f"{message}, without a price", hint=hint)]
