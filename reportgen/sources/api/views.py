"""Answers of the consumption endpoints read into views, and what is odd about them counted.

The label of a bucket is the UTC date of its instant. Days outside the cycle are dropped, repeated
days summed, null and absent products are zero: none of it silently.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from reportgen.core.allocating.usage import credits_in, products_of_day
from reportgen.core.cycle import BOUNDARY_SECONDS, BillingCycle, billing_day
from reportgen.core.model import Cell, View
from reportgen.core.money import ZERO, add, shown, subtract, total
from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.sources.api.bodies import Bucket, Consumption, DayTotals
from reportgen.sources.api.plan import BeyondBounds

SECONDS_A_DAY = 86400
MOST_REMEMBERED = 50_000
MOST_PRODUCTS, LONGEST_PRODUCT = 200, 100
"""Documents have a column or a line for each product: nobody reads more of them."""
ODDITIES = {
    "outside": (
        "days outside the cycle, {} ACUs in all, which were left out",
        "nothing to do, if the bounds of the cycle are right",
    ),
    "repeated": (
        "a day more than once, which was summed",
        "ask the vendor whether a day may be repeated",
    ),
    "stamp": (
        "days that do not begin at 08:00 UTC",
        "nothing to do: the UTC date names the day",
    ),
    "total": (
        "a total that is off the sum of its days, {} ACUs in all; the days count",
        "ask the vendor which one is right",
    ),
}
"""What can be odd about answers: what they hold, by how many ACUs over all, and what to do."""


class Credit(NamedTuple):
    """What an answer has of a product below zero: on how many days, and on which first."""

    request: str
    acus: Decimal
    days: int
    first: date


class ViewReader:
    """Reads the answers of one cycle; `within_tolerance` is what products leave of days, gross."""

    def __init__(self, cycle: BillingCycle, tolerance: Decimal) -> None:
        """Start with nothing odd seen."""
        self._cycle, self._tolerance = cycle, tolerance
        self._request = ""
        self._odd: dict[str, list[tuple[str, Decimal]]] = defaultdict(list)
        self._credits: dict[str, list[Credit]] = defaultdict(list)
        self._cells: dict[Cell, Cell] = {}  # one tuple per cell, shared by thousands of views
        self._products: set[str] = set()
        self._acus: dict[Decimal, Decimal] = {}  # one number for many days that are alike
        self.within_tolerance = ZERO

    def read(self, request: str, body: Consumption) -> View:
        """Read a body into ACUs per billing day and product."""
        self._request = request
        quantities: dict[Cell, Decimal] = {}
        oddities = dict(self._oddities(body))
        for bucket in body.consumption_by_date:
            day = billing_day(bucket.date)
            if day in self._cycle:
                self._add(quantities, day, bucket)
        for oddity, acus in oddities.items():
            self._odd[oddity].append((request, acus))
        return self._view(request, quantities)

    def read_totals(self, request: str, body: DayTotals, product: str) -> View:
        """Read totals by day, which name no products, as ACUs of one product."""
        self._request = request
        cells = {
            self._cell(day, product): acus for day, acus in body.consumption_by_date.items() if acus
        }
        kept = {cell: acus for cell, acus in cells.items() if cell[0] in self._cycle}
        outside = [acus for (day, _), acus in cells.items() if day not in self._cycle]
        if outside:
            self._odd["outside"].append((request, _gross(outside)))
        if off := self._off(body.total_acus, kept.values(), outside):
            self._odd["total"].append((request, off))
        return self._view(request, kept)

    def split(self, whole: View, part: View, product: str, remainder: str) -> View:
        """Split totals by day, which stand as `remainder`, into what a finer view names, and it.

        A day that the finer view alone tells has its opposite in the remainder: the total stays.
        """
        cells = dict(part.quantities)
        for day in sorted({day for day, _ in (*whole.quantities, *part.quantities)}):
            left = subtract(
                whole.quantities.get((day, remainder), ZERO),
                part.quantities.get((day, product), ZERO),
            )
            if left.copy_abs() > self._tolerance:
                cells[self._cell(day, remainder)] = left
            else:
                self.within_tolerance = add(self.within_tolerance, left.copy_abs())
        return View(requests=whole.requests, quantities=cells)

    def warnings(self) -> Iterator[Problem]:
        """Give a warning per kind of oddity and product below zero, with the first request."""
        for oddity, seen in sorted(self._odd.items()):
            what, hint = ODDITIES[oddity]
            more = f" (and {len(seen) - 1} more)" if len(seen) > 1 else ""
            request, _ = min(seen)
            acus = total(gross for _, gross in seen)
            message = f"the answer holds {what.format(shown(acus))}"
            yield Problem(
                source=f"{request}{more}",
                message=message,
                hint=hint,
                warning=True,
                code=f"answer-{oddity}",
            )
        for product, credited in sorted(self._credits.items()):
            yield _below_zero(product, credited)

    def _view(self, request: str, quantities: dict[Cell, Decimal]) -> View:
        """Make a view, and note what of it is below zero."""
        cells: dict[str, dict[date, Decimal]] = defaultdict(dict)
        if any(acus < 0 for acus in quantities.values()):
            for (day, product), acus in credits_in(quantities).items():
                cells[product][day] = acus
        for product, days in cells.items():
            credit = Credit(request, total(days.values()), len(days), min(days))
            self._credits[product].append(credit)
        return View(requests=(request,), quantities=quantities)

    def _add(self, quantities: dict[Cell, Decimal], day: date, bucket: Bucket) -> None:
        known = {
            product: acus
            for product, acus in (bucket.acus_by_product or {}).items()
            if acus is not None
        }
        products, within = products_of_day(bucket.acus, known, self._tolerance)
        self.within_tolerance = add(self.within_tolerance, within)
        for product, acus in products.items():
            if acus:
                cell = self._cell(day, product)
                quantities[cell] = self._shared(
                    add(quantities[cell], acus) if cell in quantities else acus
                )

    def _cell(self, day: date, product: str) -> Cell:
        """Give the one tuple of a cell; raises BeyondBounds where products have no end."""
        cell = self._cells.get((day, product))
        if cell is None:
            self._products.add(product)
            if len(product) > LONGEST_PRODUCT:
                message = f"the answer names a product of {len(product)} characters"
                raise BeyondBounds(self._request, message)
            if len(self._products) > MOST_PRODUCTS:
                message = f"the answers name more than {MOST_PRODUCTS} products"
                raise BeyondBounds(self._request, message)
            cell = self._cells[day, product] = day, product
        return cell

    def _shared(self, acus: Decimal) -> Decimal:
        """Give a number that was read before: most were, where ACUs have two decimals."""
        if len(self._acus) < MOST_REMEMBERED:
            return self._acus.setdefault(acus, acus)
        return self._acus.get(acus, acus)

    def _oddities(self, body: Consumption) -> Iterator[tuple[str, Decimal]]:
        """Give what is odd about an answer, and by how many ACUs."""
        days = [billing_day(bucket.date) for bucket in body.consumption_by_date]
        kept: list[Decimal] = []
        outside: list[Decimal] = []
        for day, bucket in zip(days, body.consumption_by_date, strict=True):
            (kept if day in self._cycle else outside).append(bucket.acus)
        if outside:
            yield "outside", _gross(outside)
        if len(set(days)) < len(days):
            yield "repeated", ZERO
        if any(
            bucket.date % SECONDS_A_DAY != BOUNDARY_SECONDS for bucket in body.consumption_by_date
        ):
            yield "stamp", ZERO
        if off := self._off(body.total_acus, kept, outside):
            yield "total", off

    def _off(self, whole: Decimal, kept: Iterable[Decimal], outside: Iterable[Decimal]) -> Decimal:
        """Give by how much a total differs from its days, gross, zero within the tolerance.

        It may be that of the days kept, or of all: where it is neither, the days kept count.
        """
        off = subtract(whole, total(kept))
        others = subtract(off, total(outside))
        is_either = min(off.copy_abs(), others.copy_abs()) <= self._tolerance
        return ZERO if is_either else off.copy_abs()


def _gross(quantities: Iterable[Decimal]) -> Decimal:
    return total(acus.copy_abs() for acus in quantities)


def sum_of(views: Collection[View]) -> View:
    """Add up views; what is given back rests on the requests of all of them."""
    quantities: dict[Cell, Decimal] = {}
    for view in views:
        for cell, acus in view.quantities.items():
            quantities[cell] = add(quantities.get(cell, ZERO), acus)
    requests = tuple(request for view in views for request in view.requests)
    return View(requests=requests, quantities=quantities)


def _below_zero(product: str, credited: list[Credit]) -> Problem:
    """Say which product an answer has below zero, by how much and when: a credit, no mistake."""
    more = f" (and {len(credited) - 1} more)" if len(credited) > 1 else ""
    credit = min(credited)
    when = f"on {credit.first}"
    if credit.days > 1:
        when = f"on {credit.days} days from {credit.first} on"
    return Problem(
        source=f"{credit.request}{more}",
        message="the answer holds negative ACUs, which were kept: "
        f"{shown(credit.acus)} of {quoted(product)} {when}",
        hint="they are charged as a credit; ask the vendor whether they are corrections",
        warning=True,
        code="usage-negative",
    )
