"""How values are written as FOCUS has them: moments, numbers, JSON; and who is who."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from reportgen.core.money import plain

VENDOR, SERVICE = "Cognition", "Devin"
CATEGORY, SUBCATEGORY = "AI and Machine Learning", "Generative AI"
ACU, METER = "ACU", "Agent Compute Units"
COST_CENTER, ENTERPRISE = "Cost Center", "Enterprise"
"""Types of billing account: who gets an invoice, and who is left with what nobody bears."""


def boundary(day: date) -> str:
    """Write the moment at which a billing day begins: 08:00 UTC all year."""
    return f"{day.isoformat()}T08:00:00Z"


def midnight(day: date) -> str:
    """Write a calendar day as the moment at which it begins."""
    return f"{day.isoformat()}T00:00:00Z"


def key_values(values: Mapping[str, str]) -> str:
    """Write texts by their keys as FOCUS's Key-Value Format."""
    return json.dumps(dict(values), ensure_ascii=False)


def method_details(ratio: Decimal, share: str) -> str:
    """Write which part of its origin charge a charge is; `share` is how the rule says it.

    The ratio stands there to its last decimal: no float is on the way.
    """
    return f'{{"Elements": [{{"AllocatedRatio": {plain(ratio)}, "x_Share": {json.dumps(share)}}}]}}'
