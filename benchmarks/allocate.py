"""Time and memory of allocating and rating a million records, beside a plain loop: one run, ratios.

    python -m benchmarks.allocate

The world: 5,000 users in 20 organizations, 300 cost centers; of the user rules 6 in 10 name one
cost center, 2 are dated, 1 splits by percentages, 1 by weights; some users have no rule, some
records no user, a few a session. The plain loop groups the same rows, held as dictionaries, by cost
center, product and price: a look-up of each in a dictionary, then quantities and amounts added up
with Decimal's own operators. It knows neither dates nor splits nor patterns, and rounds.

Charging is measured with fees, transfers and two pools, one of which shares with the other. As
invoices show days, organizations and people, it groups by them before it groups by line; the second
plain loop does both, too. Memory is measured in processes of their own, as growth over the records.
"""

import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from random import Random

from reportgen.core.allocating.allocate import allocate, timelines
from reportgen.core.allocating.match import subject_of
from reportgen.core.allocating.usage import decompose, open_pairs
from reportgen.core.charging.charges import charge_cycle
from reportgen.core.charging.rate import rate, whole_cycle
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import (
    Allocation,
    Cell,
    CostCenter,
    DatedSplit,
    Directory,
    Entry,
    Fee,
    Mapping,
    Pool,
    Price,
    Principal,
    Quantities,
    RateCard,
    Recover,
    Rule,
    Session,
    Share,
    Split,
    Tier,
    Transfer,
    Usage,
    UsageRecord,
    VendorInvoice,
    View,
    Views,
)
from reportgen.core.money import add
from reportgen.core.packed import packed

COUNT, ROUNDS = 1_000_000, 5
SIZES = (250_000, 500_000, 1_000_000)
USERS, ORGANIZATIONS, CENTERS, DAYS = 5_000, 20, 300, 31
PRODUCTS = ("devin", "cascade", "terminal")
FIRST = date(2025, 12, 5)
PRICES = {"devin": Decimal("2.00"), "cascade": Decimal("1.75"), "terminal": Decimal("2.25")}
CARD = RateCard(
    currency="USD",
    decimals=2,
    prices={
        product: (Price(date.min, price, "rates.yaml:1"),) for product, price in PRICES.items()
    },
)
CYCLE = BillingCycle(start=FIRST, end=FIRST + timedelta(days=DAYS), after=0, before=0)
CHARGED = replace(
    CARD,
    fees=(
        Fee(name="Platform team", amount=Decimal("500.00")),
        Fee(
            name="Support",
            fraction=Decimal("0.025"),
            to=tuple(f"CC-{number:04d}" for number in range(50)),
        ),
    ),
    transfers=tuple(
        Transfer(
            cycle=FIRST,
            giver=f"CC-{n:04d}",
            receiver=f"CC-{n + 1:04d}",
            amount=Decimal("150.00"),
            reason="Ticket 1",
        )
        for n in range(50)
    ),
)
TIERED = replace(
    CHARGED,
    prices={},
    tiers=(
        Tier(Decimal(10000), Decimal("2.00"), "rates.yaml:1"),
        Tier(None, Decimal("2.25"), "rates.yaml:2"),
    ),
)
RECOVERING = replace(
    CHARGED,
    prices={},
    recover=Recover(weights={"cascade": Decimal("0.8")}, source="rates.yaml:1"),
    vendor_invoices={
        FIRST: VendorInvoice(
            number="INV-1", amount=Decimal("9000000.00"), acus=None, source="rates.yaml:2"
        )
    },
)
DIRECTORY = Directory(
    entries={
        (one := Principal("user", f"user-{number}")): Entry(
            principal=one, email=f"user.{number}@acme.example"
        )
        for number in range(USERS)
    },
    sessions={
        f"devin-{number}": Session(
            session_id=f"devin-{number}", org_id="org-0", principal=Principal("user", "user-0")
        )
        for number in range(50)
    },
)

Row = dict[str, object]


def center(number: int) -> str:
    return f"CC-{number % CENTERS:04d}"


def mapping() -> Mapping:
    rules = [
        rule("users", f"user.{number}@acme.example", targets(number))
        for number in range(USERS)
        if number % 20
    ]
    rules += [
        rule("orgs", f"org-{number}", [(date.min, split(center(number)))])
        for number in range(0, 20, 2)
    ]
    rules += [
        rule("sessions", f"devin-{number}", [(date.min, split(center(number)))])
        for number in range(50)
    ]
    centers = tuple(
        CostCenter(code=center(number), name=center(number)) for number in range(CENTERS)
    )
    pools = (
        Pool(
            cost_center=center(298),
            basis="shares",
            split=split(center(299), center(0), parts=("0.5", "0.5")),
        ),
        Pool(cost_center=center(299), basis="proportional"),
    )
    return Mapping(cost_centers=centers, rules=tuple(rules), pools=pools)


def rule(section: str, key: str, values: list[tuple[date, Split]]) -> Rule:
    dated = tuple(
        DatedSplit(start=start, split=split, source="mapping.yaml:1") for start, split in values
    )
    return Rule(section=section, key=key, values=dated, source="mapping.yaml:1")  # type: ignore[arg-type]


def split(*codes: str, parts: tuple[str, ...] = ("1",), by_weight: bool = False) -> Split:
    shares = zip(codes, parts, strict=True)
    return Split(
        by_weight=by_weight, shares=tuple(Share(code, Decimal(part), part) for code, part in shares)
    )


def targets(number: int) -> list[tuple[date, Split]]:
    here, there, elsewhere = center(number), center(number + 1), center(number + 2)
    match number % 10:
        case 0 | 1:
            return [(date.min, split(here)), (FIRST + timedelta(days=number % DAYS), split(there))]
        case 2:
            return [(date.min, split(here, there, parts=("0.6", "0.4")))]
        case 3:
            return [
                (date.min, split(here, there, elsewhere, parts=("1", "1", "1"), by_weight=True))
            ]
    return [(date.min, split(here))]


def records(count: int) -> Iterator[UsageRecord]:
    """Give records as a cycle has them: mostly users in organizations, one in 200 a session."""
    quantities = [Decimal(number % 9973) / 1024 + Decimal("0.001") for number in range(10_000)]
    days = [FIRST + timedelta(days=number) for number in range(DAYS)]
    for number in _by_day_and_product(count):
        user, org = number % USERS, number % ORGANIZATIONS
        kind, principal = ("", "") if number % 97 == 0 else ("user", f"user-{user}")
        session = f"devin-{number % 50}" if number % 200 == 1 else ""
        product = PRODUCTS[number % 3]
        quantity = quantities[number * 7 % 10_000]
        day = days[number // USERS % DAYS]
        yield UsageRecord(
            day, product, f"org-{org}", kind, principal, session, quantity, ("GET x",)
        )


def _by_day_and_product(count: int) -> Iterator[int]:
    """Number the records in the order in which a cycle has them."""
    for day in range(DAYS):
        begins = range(day * USERS, count, DAYS * USERS)
        numbers = [number for begin in begins for number in range(begin, begin + USERS)]
        for product in sorted(PRODUCTS):
            place = PRODUCTS.index(product)
            yield from (one for one in numbers if one < count and one % 3 == place)


def ours(usage: list[UsageRecord], rules: Mapping) -> int:
    """Resolve the rules, allocate, rate, and group by cost center, product and price."""
    resolved, _ = timelines(usage, rules, DIRECTORY)
    sums: dict[tuple[str, str, Decimal | None], tuple[Decimal, Decimal]] = {}
    for one in rate(allocate(usage, resolved), CARD):
        key = one.cost_center, one.record.product, one.unit_price
        before = sums.get(key)
        sums[key] = (
            (one.quantity, one.exact_amount)
            if before is None
            else (add(before[0], one.quantity), add(before[1], one.exact_amount))
        )
    return len(sums)


def plain(rows: list[Row], centers: dict[object, str]) -> int:
    """Group rows the shortest way that Python has."""
    sums: dict[tuple[str, object, Decimal], list[Decimal]] = {}
    for row in rows:
        product, quantity = row["product"], row["quantity"]
        price = PRICES[product]  # type: ignore[index]
        key = centers[row["principal_id"]], product, price
        if key not in sums:
            sums[key] = [Decimal(0), Decimal(0)]
        sums[key][0] += quantity  # type: ignore[operator]
        sums[key][1] += quantity * price  # type: ignore[operator]
    return len(sums)


def control_of(usage: Iterable[UsageRecord]) -> Quantities:
    sums: dict[Cell, Decimal] = defaultdict(Decimal)
    for one in usage:
        sums[one.day, one.product] = add(sums[one.day, one.product], one.quantity)
    return sums


def charged(usage: list[UsageRecord], rules: Mapping, card: RateCard) -> int:
    """Resolve the rules, allocate, rate and charge, the sum of the control total included."""
    resolved, _ = timelines(usage, rules, DIRECTORY)
    control = control_of(usage)
    whole, _ = whole_cycle(card, control, FIRST)
    priced = packed(Allocation, rate(allocate(usage, resolved), card, whole))
    charges, _ = charge_cycle(priced, control, rules, card, whole=whole, cycle=CYCLE)
    return len(charges.lines)


def plain_detail(rows: list[Row], centers: dict[object, str]) -> int:
    """Group rows the shortest way that Python has, by all that an invoice shows, then by line."""
    sums: dict[tuple[object, ...], list[Decimal]] = {}
    key: tuple[object, ...]
    for row in rows:
        product, quantity, user = row["product"], row["quantity"], row["principal_id"]
        price = PRICES[product]  # type: ignore[index]
        key = centers[user], product, price, row["day"], row["org_id"], row["principal_kind"], user
        if key not in sums:
            sums[key] = [Decimal(0), Decimal(0)]
        sums[key][0] += quantity  # type: ignore[operator]
        sums[key][1] += quantity * price  # type: ignore[operator]
    lines: dict[tuple[object, ...], list[Decimal]] = {}
    for key, (acus, amount) in sums.items():
        if key[:3] not in lines:
            lines[key[:3]] = [Decimal(0), Decimal(0)]
        lines[key[:3]][0] += acus
        lines[key[:3]][1] += amount
    return len(lines)


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def speed() -> None:
    usage, rules = list(records(COUNT)), mapping()
    rows: list[Row] = [one._asdict() for one in usage]
    centers: dict[object, str] = {
        "": "CC-none",
        **{f"user-{number}": center(number) for number in range(USERS)},
    }
    resolved, _ = timelines(usage, rules, DIRECTORY)
    stages: dict[str, Callable[[], object]] = {
        "plain loop over dictionaries": lambda: plain(rows, centers),
        "allocate, rate and the same group-by": lambda: ours(usage, rules),
        "of these: resolving the rules": lambda: timelines(usage, rules, DIRECTORY),
        "of these: allocate": lambda: exhausted(allocate(usage, resolved)),
        "of these: allocate and rate": lambda: exhausted(rate(allocate(usage, resolved), CARD)),
        "plain loop with the detail of invoices": lambda: plain_detail(rows, centers),
        "allocate, rate and charge: prices": lambda: charged(usage, rules, CHARGED),
        "allocate, rate and charge: tiers": lambda: charged(usage, rules, TIERED),
        "allocate, rate and charge: recover": lambda: charged(usage, rules, RECOVERING),
    }
    rounds = [{name: timed(work) for name, work in stages.items()} for _ in range(ROUNDS)]
    medians = {name: statistics.median(one[name] for one in rounds) for name in stages}
    base = medians["plain loop over dictionaries"]
    print(f"| {COUNT:,} records | s (median of {ROUNDS}) | x plain loop |\n|---|---|---|")
    for name, median in medians.items():
        print(f"| {name} | {median:.2f} | {median / base:.1f} |")
    pairs = (
        ("allocate, rate and the same group-by", "plain loop over dictionaries"),
        ("allocate, rate and charge: prices", "plain loop with the detail of invoices"),
    )
    for work, base_name in pairs:
        each = statistics.median(one[work] / one[base_name] for one in rounds)
        print(f"\nMedian of the ratios of each round, {work} to {base_name}: {each:.1f}")
    print()
    by_kind: dict[str, list[UsageRecord]] = {
        "one cost center": [],
        "percentages": [],
        "weights": [],
    }
    for one in usage:
        chosen = resolved[subject_of(one)].on(one.day).split
        kind = (
            "one cost center"
            if len(chosen.shares) == 1
            else "weights"
            if chosen.by_weight
            else "percentages"
        )
        by_kind[kind].append(one)
    print("| allocate alone | records | us a record |\n|---|---|---|")
    for kind, some in by_kind.items():
        seconds = timed(lambda some=some: exhausted(allocate(some, resolved)))  # type: ignore[misc]
        print(f"| {kind} | {len(some):,} | {seconds / len(some) * 1e6:.1f} |")
    print()


def exhausted(allocations: Iterator[Allocation]) -> int:
    return sum(1 for _ in allocations)


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory(count: int, *, kept: bool) -> None:
    """Print the MiB of the records, and what allocating, rating and charging adds to them.

    Streamed: allocated and rated only. Kept: the allocations are, and then charged, as in `derive`.
    """
    usage, rules = packed(UsageRecord, records(count)), mapping()
    before = peak()
    resolved, _ = timelines(usage, rules, DIRECTORY)
    priced = rate(allocate(usage, resolved), CARD)
    if kept:
        control = control_of(usage)
        result = packed(Allocation, priced)
        charge_cycle(result, control, rules, CHARGED, whole=None, cycle=CYCLE)
    else:
        exhausted(priced)
    print(before, peak() - before)


def child(*arguments: str) -> list[float]:
    command = [sys.executable, "-m", "benchmarks.allocate", *arguments]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [float(word) for word in output.split()]


def growth() -> None:
    print("| records | MiB of the records | MiB more, streamed | MiB more, kept and charged |")
    print("|---|---|---|---|")
    for count in SIZES:
        (base, streamed), (_, kept) = child("streamed", str(count)), child("kept", str(count))
        print(f"| {count:,} | {base:.0f} | {streamed:.0f} | {kept:.0f} |")
    print()


def world() -> Views:
    """Give the views of 5,000 users over 31 days, each in one to three of 20 organizations."""
    random = Random(1)
    cells = [(FIRST + timedelta(days=day), product) for day in range(DAYS) for product in PRODUCTS]
    sums: dict[tuple[str, object], dict[Cell, Decimal]] = {}

    def counted(kind: str, key: object, cell: Cell, acus: Decimal) -> None:
        quantities = sums.setdefault((kind, key), {})
        quantities[cell] = quantities.get(cell, Decimal(0)) + acus

    for number in range(USERS):
        principal = Principal("user", f"user-{number}")
        places = [
            "",
            *(f"org-{org}" for org in random.sample(range(ORGANIZATIONS), random.randint(1, 3))),
        ]
        for cell in cells:
            org_id, acus = random.choice(places), Decimal(random.randint(1, 10**6)).scaleb(-5)
            counted("enterprise", "", cell, acus)
            counted("principals", principal, cell, acus)
            if org_id:
                counted("organizations", org_id, cell, acus)
                counted("pairs", (org_id, principal), cell, acus)
    views: dict[str, dict[object, View]] = {}
    for (kind, key), quantities in sums.items():
        views.setdefault(kind, {})[key] = View(requests=(f"{kind} {key}",), quantities=quantities)
    (enterprise,) = views.pop("enterprise").values()
    return Views(enterprise=enterprise, **views)  # type: ignore[arg-type]


def decomposition() -> None:
    told = world()
    some = dict(islice(told.pairs.items(), len(told.pairs) // 2))
    asked = Views(
        enterprise=told.enterprise,
        organizations=told.organizations,
        principals=told.principals,
        pairs=some,
    )
    tolerance = Decimal("0.000001")
    usages: list[Usage] = []
    seconds = timed(
        lambda: usages.append(decompose(told, DIRECTORY, user_first=True, tolerance=tolerance))
    )
    pairs: list[object] = []
    half = timed(lambda: pairs.extend(open_pairs(asked, DIRECTORY, tolerance)))
    print(
        f"| {USERS:,} users x {DAYS} days x {len(PRODUCTS)} products | result | s |\n|---|---|---|"
    )
    print(f"| decompose, every C known | {len(usages[0].records):,} records | {seconds:.2f} |")
    print(f"| open_pairs, half of the C known | {len(pairs):,} pairs | {half:.2f} |")


def main() -> None:
    growth()  # first: a child's peak begins at what its parent held
    speed()
    decomposition()


if __name__ == "__main__":
    if sys.argv[1:]:
        memory(int(sys.argv[2]), kept=sys.argv[1] == "kept")
    else:
        main()
