"""The detail of usage as it is printed: person by person, below each what they used, days as bars.

All geometry is computed here, to a tenth of a unit of the view box; templates only place it. Each
row of bars has the scale of its own highest day; what is below zero (a credit) hangs below.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import groupby

from reportgen.core.cycle import BillingCycle
from reportgen.core.model import Principal
from reportgen.core.money import ZERO, add, multiply, ratio, subtract, total
from reportgen.documents.content.chart import length
from reportgen.documents.content.usage import DetailLine, Holder

DAY, BAR = Decimal(4), Decimal(3)
"""Units of a day and of its bar, the rest of which is a gap."""
DAYS = 31
"""So many have room at least, so that the bars of a short cycle are no thicker."""
HEIGHT, LEAST = Decimal(12), Decimal("0.5")
"""Of a row of bars, and of a bar, so that no day with usage looks like one without."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DayBars:
    """A row of bars in a view box, each in the place of its day; zero runs at `zero_y` to `end`."""

    width: str
    height: str
    end: str
    zero_y: str
    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DetailPart:
    """What a person used of a product in an organization at one price.

    `several_prices` says that the product has another price as well, on other days.
    """

    line: DetailLine
    bars: DayBars
    several_prices: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DetailPerson:
    """A person with all that they used; nobody known where there is no `label`, who comes last.

    `identity` tells apart people of one name, and is empty where nobody else has it.
    """

    holder: Holder
    label: str
    identity: str
    parts: tuple[DetailPart, ...]
    acus: Decimal
    exact_amount: Decimal


def detail_people(lines: Iterable[DetailLine], cycle: BillingCycle) -> list[DetailPerson]:
    """Put lines that are sorted by name below whom they are of."""
    listed = list(lines)
    several = _with_several_prices(listed)
    people = [
        _person(list(own), cycle, several) for _, own in groupby(_by_person(listed), key=_whose)
    ]
    return list(_told_apart(people))


def day_bars(days: Iterable[tuple[date, Decimal]], cycle: BillingCycle) -> DayBars:
    """Draw the ACUs of some days of a cycle."""
    acus: dict[date, Decimal] = defaultdict(lambda: ZERO)
    for day, quantity in days:
        acus[day] = add(acus[day], quantity)
    places = {day: place for place, day in enumerate(cycle.days())}
    reached = (ZERO, *acus.values())
    top, bottom = max(reached), min(reached)
    zero = _zero(top, bottom)
    bars = (
        _bar(places[day], _end(quantity, zero, top, bottom), zero)
        for day, quantity in sorted(acus.items())
        if quantity and day in places
    )
    return DayBars(
        width=length(multiply(DAY, Decimal(max(DAYS, len(places))))),
        height=length(HEIGHT),
        end=length(multiply(DAY, Decimal(len(places)))),
        zero_y=length(zero),
        path="".join(bars),
    )


def _with_several_prices(lines: Iterable[DetailLine]) -> set[tuple[str, str]]:
    """Give the kinds of usage of a product that are not all of one price."""
    prices: dict[tuple[str, str], set[Decimal | None]] = defaultdict(set)
    for line in lines:
        prices[line.kind, line.product].add(line.unit_price)
    return {key for key, known in prices.items() if len(known) > 1}


def _by_person(lines: Iterable[DetailLine]) -> list[DetailLine]:
    """Keep the order of people, and put together what is of one."""
    places: dict[Principal | None, int] = {}
    return sorted(lines, key=lambda line: places.setdefault(_whose(line), len(places)))


def _whose(line: DetailLine) -> Principal | None:
    return line.principal


def _person(
    lines: Sequence[DetailLine], cycle: BillingCycle, several: set[tuple[str, str]]
) -> DetailPerson:
    first = lines[0]
    return DetailPerson(
        holder=first.holder,
        label=first.label,
        identity=first.identity,
        parts=tuple(
            DetailPart(
                line=line,
                bars=day_bars(line.days, cycle),
                several_prices=(line.kind, line.product) in several,
            )
            for line in lines
        ),
        acus=total(line.acus for line in lines),
        exact_amount=total(line.exact_amount for line in lines),
    )


def _told_apart(people: Sequence[DetailPerson]) -> Iterator[DetailPerson]:
    """Leave an identity only where others have the same name, and let it be theirs alone."""
    called = Counter(person.label for person in people)
    known: Mapping[tuple[str, str], int] = Counter((one.label, one.identity) for one in people)
    for person in people:
        if called[person.label] == 1:
            yield replace(person, identity="")
        elif known[person.label, person.identity] > 1 and (whose := person.parts[0].line.principal):
            yield replace(person, identity=whose.id)
        else:
            yield person


def _bar(place: int, end: Decimal, zero: Decimal) -> str:
    left, base = length(multiply(DAY, Decimal(place))), length(zero)
    return f"M{left} {base}V{length(end)}h{length(BAR)}V{base}z"


def _zero(top: Decimal, bottom: Decimal) -> Decimal:
    """Place the zero line, with room for the least bar above and below where there is one."""
    zero = _y(ZERO, top, bottom)
    if top > 0:
        zero = max(zero, LEAST)
    return min(zero, subtract(HEIGHT, LEAST)) if bottom < 0 else zero


def _end(quantity: Decimal, zero: Decimal, top: Decimal, bottom: Decimal) -> Decimal:
    """Give where a bar ends, at least a little above zero or below."""
    end = _y(quantity, top, bottom)
    if quantity > 0:
        return min(end, subtract(zero, LEAST))
    return max(end, add(zero, LEAST))


def _y(quantity: Decimal, top: Decimal, bottom: Decimal) -> Decimal:
    """Place a quantity; where there is none but zero, it lies at the foot."""
    depth = ratio(multiply(subtract(top, quantity), HEIGHT), subtract(top, bottom), 1)
    return HEIGHT if depth is None else depth
