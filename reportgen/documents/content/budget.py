"""A budget of a billing cycle, and what an amount uses of it."""

from dataclasses import dataclass
from decimal import Decimal

from reportgen.core.money import ZERO, multiply, ratio

HUNDRED = Decimal(100)
USED_DECIMALS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """A budget of a cycle and what is used of it; `bar` is how far a bar of 100 is filled."""

    amount: Decimal
    used: Decimal | None
    exceeded: bool
    bar: str


def budget_of(amount: Decimal, budget: Decimal | None) -> Budget | None:
    """Set an amount against a budget, if there is one."""
    if budget is None:
        return None
    used = ratio(amount, budget, USED_DECIMALS)
    filled = min(HUNDRED, max(ZERO, multiply(used or ZERO, HUNDRED)))
    return Budget(amount=budget, used=used, exceeded=amount > budget, bar=f"{filled.normalize():f}")
