"""Everything a cycle is charged: usage, then fees, then transfers; in the end pools are shared."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from reportgen.core.charging.fees import fee_lines, idle_fees, transfer_lines
from reportgen.core.charging.invoice import charge, detail_by_cost_center, line_order, sum_of
from reportgen.core.charging.pools import pool_lines
from reportgen.core.charging.rate import WholeCycle
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import (
    AddressedLine,
    Allocation,
    DetailRow,
    InvoiceLine,
    Quantities,
    RateCard,
    Standing,
)
from reportgen.core.model import Mapping as Rules
from reportgen.core.problem import Problem
from reportgen.core.text import quoted


@dataclass(frozen=True, kw_only=True, slots=True)
class CycleCharges:
    """The lines and detail of every cost center, that of nobody included, by its code.

    `chargeable_amount` rests on the control total alone, `fees_amount` on the rate card and the
    usage charges.
    """

    lines: Mapping[str, tuple[InvoiceLine, ...]]
    detail: Mapping[str, Sequence[DetailRow]]
    chargeable_amount: Decimal
    fees_amount: Decimal


def charge_cycle(
    allocations: Sequence[Allocation],
    control: Quantities,
    rules: Rules,
    card: RateCard,
    *,
    whole: WholeCycle | None,
    cycle: BillingCycle,
    standing: Standing | None = None,
) -> tuple[CycleCharges, list[Problem]]:
    """Charge a cycle, and report what cannot be charged; with `standing` it is corrected."""
    detail = detail_by_cost_center(allocations)
    usage = charge(detail, control, card, whole, standing)
    fees = fee_lines(card.fees, usage.lines, card.decimals)
    transfers = transfer_lines(card.transfers, cycle.start, card.decimals)
    before_sharing = _joined(usage.lines, [*fees, *transfers])
    pools, problems = pool_lines(rules, before_sharing, card.decimals, standing)
    lines = _joined(before_sharing, pools)
    charges = CycleCharges(
        lines={code: tuple(sorted(unsorted, key=line_order)) for code, unsorted in lines.items()},
        detail=detail,
        chargeable_amount=usage.chargeable_amount,
        fees_amount=sum_of((line for _, line in fees), card.decimals),
    )
    return charges, [
        *problems,
        *_after_close([*fees, *transfers, *pools], rules, cycle),
        *idle_fees(card.fees, fees),
    ]


def _joined(
    lines: Mapping[str, Sequence[InvoiceLine]], more: Iterable[AddressedLine]
) -> dict[str, list[InvoiceLine]]:
    joined = defaultdict(list, {code: list(some) for code, some in lines.items()})
    for code, line in more:
        joined[code].append(line)
    return joined


def _after_close(
    lines: Iterable[AddressedLine], rules: Rules, cycle: BillingCycle
) -> list[Problem]:
    """Report what would charge a cost center that was closed before the cycle began."""
    closed = {
        center.code: center.closed
        for center in rules.cost_centers
        if center.closed and center.closed < cycle.start
    }
    late = sorted({(line.source, code, line.kind) for code, line in lines if code in closed})
    return [
        Problem(
            source=source,
            message=f"cost center {quoted(code)} is closed after {closed[code]}, "
            f"but this {kind} charges it",
            hint="name another cost center, or move `closed`",
        )
        for source, code, kind in late
    ]
