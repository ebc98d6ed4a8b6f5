"""Records, rules and prices of a cycle that is small enough to be counted again."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from reportgen.core.allocating.allocate import allocate, timelines
from reportgen.core.charging.by_organization import by_organization
from reportgen.core.charging.charges import CycleCharges, charge_cycle
from reportgen.core.charging.rate import rate
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import (
    Allocation,
    ByOrganization,
    CostCenter,
    DatedSplit,
    Directory,
    Mapping,
    Price,
    RateCard,
    Rule,
    Share,
    Split,
    UsageRecord,
)

FIRST = date(2025, 12, 5)
CYCLE = BillingCycle(start=FIRST, end=date(2026, 1, 5), after=0, before=0)
CODES = ("A", "B", "C")
BEARER = "Z"
PRICES = {"devin": Decimal("2.00"), "review": Decimal("1.337")}
CARD = RateCard(
    currency="USD",
    decimals=2,
    prices={name: (Price(date.min, price, "r:1"),) for name, price in PRICES.items()},
)


def rule(section: str, key: str, line: int, **shares: str) -> Rule:
    """Give a rule by percentages; without any it says `none`."""
    found = tuple(Share(code, Decimal(share) / 100, f"{share}%") for code, share in shares.items())
    split = Split(shares=found) if found else None
    value = DatedSplit(start=date.min, split=split, source=f"m:{line}")
    return Rule(section=section, key=key, values=(value,), source=value.source)  # type: ignore[arg-type]


def record(who: str, org_id: str, acus: str, product: str = "devin", day: int = 5) -> UsageRecord:
    place = org_id, "user" if who else "", who, ""
    return UsageRecord(date(2025, 12, day), product, *place, Decimal(acus), ("x",))


def mapping_of(*rules: Rule, **changed: object) -> Mapping:
    centers = tuple(CostCenter(code=code, name=code) for code in (*CODES, BEARER))
    return Mapping(cost_centers=centers, rules=rules, unallocated=BEARER, **changed)  # type: ignore[arg-type]


def reckoned(
    records: list[UsageRecord], mapping: Mapping
) -> tuple[tuple[ByOrganization, ...], list[Allocation], CycleCharges]:
    resolved, _ = timelines(records, mapping, Directory())
    allocations = list(rate(allocate(records, resolved), CARD))
    control: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for one in records:
        control[one.day, one.product] += one.quantity
    charges, _ = charge_cycle(allocations, control, mapping, CARD, whole=None, cycle=CYCLE)
    return by_organization(allocations, resolved, charges, mapping, 2), allocations, charges


OWN, PASSED = rule("users", "bob", 2, A="100"), rule("users", "cyd", 3)
MAIN = rule("orgs", "main", 4, B="60", C="40")


WHO = st.sampled_from(("ada", "bob", "cyd", "dan", ""))
RECORDS = st.lists(
    st.builds(
        record,
        WHO,
        st.sampled_from(("main", "lab", "")),
        st.decimals("-3", "9", places=3).map(str),
        st.sampled_from(sorted(PRICES)),
        st.integers(5, 9),
    ),
    min_size=1,
    max_size=14,
    unique_by=lambda one: one[:5],
)
