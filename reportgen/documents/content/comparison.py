"""A cycle set against the one before it, as documents show it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from reportgen.core.cycle import BillingCycle
from reportgen.core.model import Change, CostCenterChange, Principal, ProductTotals, Variance
from reportgen.core.money import subtract, total

MOST_NAMES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """Some names, and how many more there are."""

    shown: tuple[str, ...]
    more: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Against:
    """The cycle that is compared with; `preliminary` where it is a draft."""

    cycle: BillingCycle
    preliminary: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class InvoiceComparison:
    """An invoice against that of the cycle before: by product, besides usage, and as a whole."""

    against: Against
    by_product: tuple[Change, ...]
    further: Change | None
    whole: Change
    new: Names
    vanished: Names


@dataclass(frozen=True, kw_only=True, slots=True)
class StatementComparison:
    """The cycle against the one before: totals, and cost centers that are no longer declared."""

    against: Against
    before_acus: Decimal
    before_amount: Decimal
    acus: Decimal
    amount: Decimal
    gone: tuple[CostCenterChange, ...]


def invoice_comparison(
    variance: Variance | None, code: str, label_of: Callable[[Principal], str]
) -> InvoiceComparison | None:
    """Give what changed for a cost center; people are named by `label_of`."""
    if variance is None:
        return None
    change = variance.by_cost_center[code]
    further = _further(change)
    return InvoiceComparison(
        against=_against(variance),
        by_product=change.by_product,
        further=further if further.before.amount or further.after.amount else None,
        whole=change.whole,
        new=_names(change.new, label_of),
        vanished=_names(change.vanished, label_of),
    )


def statement_comparison(
    variance: Variance | None, declared: Iterable[str]
) -> StatementComparison | None:
    """Give what changed over all cost centers; `declared` are the codes of this cycle."""
    if variance is None:
        return None
    codes = set(declared)
    return StatementComparison(
        against=_against(variance),
        before_acus=variance.previous.control_acus,
        before_amount=variance.previous.invoiced_amount,
        acus=variance.acus,
        amount=variance.amount,
        gone=tuple(
            change for code, change in sorted(variance.by_cost_center.items()) if code not in codes
        ),
    )


def _against(variance: Variance) -> Against:
    return Against(cycle=variance.previous.cycle, preliminary=variance.previous.status == "draft")


def _further(changed: CostCenterChange) -> Change:
    """Give what the whole has beyond its products: fees, transfers and shared costs."""
    before = subtract(
        changed.whole.before.amount, total(change.before.amount for change in changed.by_product)
    )
    after = subtract(
        changed.whole.after.amount, total(change.after.amount for change in changed.by_product)
    )
    return Change(
        cost_center=changed.cost_center,
        product="",
        before=ProductTotals(amount=before),
        after=ProductTotals(amount=after),
        acus=subtract(changed.whole.acus, total(change.acus for change in changed.by_product)),
        amount=subtract(after, before),
    )


def _names(principals: Iterable[Principal], label_of: Callable[[Principal], str]) -> Names:
    labels = sorted(map(label_of, principals), key=lambda label: (label.casefold(), label))
    return Names(shown=tuple(labels[:MOST_NAMES]), more=len(labels[MOST_NAMES:]))
