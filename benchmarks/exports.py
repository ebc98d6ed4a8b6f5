"""How long a FOCUS export takes beside Python's csv module writing the same rows, and its memory.

    python -m benchmarks.exports

The allocations are made while they are written, so that the peak is that of the writer alone. Every
tenth record is split in two. The csv module is given rows that are ready: the first of ours, over
and over, as many as there are.
"""

import csv
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from itertools import chain, cycle, islice
from pathlib import Path
from statistics import median

from reportgen.core.charging.charges import CycleCharges
from reportgen.core.cycle import cycle_between
from reportgen.core.model import (
    Allocation,
    CostCenter,
    Directory,
    Heading,
    Invoice,
    InvoiceLine,
    Mapping,
    RateCard,
    Statement,
    TieOut,
    Unallocated,
    UsageRecord,
)
from reportgen.core.money import ZERO, add, multiply, round_half_up
from reportgen.documents.exports.formats import FORMATS
from reportgen.documents.exports.material import Material, Options

SIZES = (250_000, 1_000_000)
ROUNDS = 3
CYCLE = cycle_between(1764921600, 1767600000)
CENTERS = tuple(CostCenter(code=f"CC-{n}", name=f"Cost center {n}") for n in range(100))
PRODUCTS = ("cascade", "devin", "review", "terminal")
PRICE = Decimal("1.75")
TEN = 10
SAMPLE = 20_000


@dataclass(frozen=True)
class Ledger:
    """So many allocations, made whenever they are gone through."""

    count: int

    def __iter__(self) -> Iterator[Allocation]:
        return islice(chain.from_iterable(map(_of_record, range(self.count))), self.count)


def _of_record(number: int) -> Iterator[Allocation]:
    quantity = Decimal(number % 9973 + 1).scaleb(-3)
    record = UsageRecord(
        date(2025, 12, 5) + timedelta(days=number % 31),
        PRODUCTS[number % len(PRODUCTS)],
        f"org-{number % 20}",
        "user",
        f"email|{number % 5000:024x}",
        "",
        quantity,
        ("/v3/x",),
    )
    shares = (("0.6", "0.6"), ("0.4", "0.4")) if number % TEN == 0 else (("1", "1"),)
    for place, (share, part) in enumerate(shares):
        acus = multiply(quantity, Decimal(part))
        code = CENTERS[(number + place) % len(CENTERS)].code
        amount = multiply(acus, PRICE)
        rest = "usage", "", f"mapping.yaml:{number % 500}", share, acus, PRICE, "rates.yaml:1"
        yield Allocation(record, code, *rest, amount)  # type: ignore[arg-type]


def material(count: int) -> Material:
    """Put invoices around the allocations."""
    sums: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    for one in Ledger(count):
        key = one.cost_center, one.record.product
        acus, exact = sums.get(key, (ZERO, ZERO))
        sums[key] = add(acus, one.quantity), add(exact, one.exact_amount)
    invoices = tuple(
        Invoice(
            cost_center=center,
            number=f"CB-2025-12-05-{center.code}",
            lines=tuple(
                InvoiceLine(
                    kind="usage",
                    product=product,
                    acus=sums[center.code, product][0],
                    unit_price=PRICE,
                    exact_amount=sums[center.code, product][1],
                    amount=round_half_up(sums[center.code, product][1], 2),
                )
                for product in PRODUCTS
                if (center.code, product) in sums
            ),
        )
        for center in CENTERS
    )
    heading = Heading(enterprise="Acme", status="draft", cycle=CYCLE, currency="USD", decimals=2)
    statement = Statement(
        heading=heading,
        control_by_product={},
        invoices=invoices,
        unallocated=Unallocated(
            cost_center=None, acus=ZERO, amount=ZERO, by_product={}, by_cause={}
        ),
        discrepancies=(),
        tie_out=_tie_out(),
        tie_out_rows=(),
    )
    return Material(
        folder="2025-12-05",
        period=CYCLE,
        seal=None,
        statement=statement,
        allocations=Ledger(count),
        charges=CycleCharges(lines={}, detail={}, chargeable_amount=ZERO, fees_amount=ZERO),
        directory=Directory(organizations={f"org-{n}": f"Organization {n}" for n in range(20)}),
        rules=Mapping(cost_centers=CENTERS, rules=()),
        card=RateCard(currency="USD", decimals=2),
        users="names",
        collected_at="2026-01-09T10:00:00Z",
        templates={},
    )


def _tie_out() -> TieOut:
    names = TieOut.__dataclass_fields__
    empty = {name: None if name.startswith(("vendor", "over")) else ZERO for name in names}
    return TieOut(**(empty | {"balancing_by_product": {}}))  # type: ignore[arg-type]


def exported(count: int, path: Path) -> float:
    """Write an export, and give the seconds of processor it took, the making of rows left out."""
    made = material(count)
    start = time.process_time()
    for _ in Ledger(count):
        pass
    making = time.process_time() - start
    start = time.process_time()
    with path.open("wb") as file:
        for _, content in FORMATS["focus"].write([made], Options()):
            file.write(content)
    return time.process_time() - start - making


def by_csv(count: int, path: Path) -> float:
    """Write as many rows with the csv module alone, and give the seconds of processor it took."""
    pieces = FORMATS["focus"].write([material(SAMPLE)], Options())
    content = b"".join(content for name, content in pieces if name.endswith(".csv"))
    rows = list(csv.reader(StringIO(content.decode(), newline="")))[1 : SAMPLE + 1]
    start = time.process_time()
    with path.open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file).writerow
        for row in islice(cycle(rows), count):
            write(row)
    return time.process_time() - start


WRITERS = {"reportgen": exported, "csv": by_csv}


def main() -> None:
    """Print a table; each figure comes from a process of its own."""
    if sys.argv[1:]:
        _child(sys.argv[1], int(sys.argv[2]))
        return
    print("| allocations | writer | s of CPU | x csv | peak MiB | file MiB |")
    print("|---|---|---|---|---|---|")
    for count in SIZES:
        rounds = [{name: _measured(name, count) for name in WRITERS} for _ in range(ROUNDS)]
        for name in WRITERS:
            seconds = median(one[name][0] for one in rounds)
            ratio = median(one[name][0] / one["csv"][0] for one in rounds)
            peak, size = (median(one[name][place] for one in rounds) for place in (1, 2))
            print(f"| {count:,} | {name} | {seconds:.1f} | {ratio:.1f} | {peak:.0f} | {size:.0f} |")


def _measured(name: str, count: int) -> tuple[float, float, float]:
    command = [sys.executable, "-m", "benchmarks.exports", name, str(count)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    seconds, peak, size = map(float, said.split())
    return seconds, peak, size


def _child(name: str, count: int) -> None:
    descriptor, path = tempfile.mkstemp(suffix=".csv")
    os.close(descriptor)
    try:
        seconds = WRITERS[name](count, Path(path))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(seconds, peak, Path(path).stat().st_size / 2**20)
    finally:
        Path(path).unlink()


if __name__ == "__main__":
    main()
