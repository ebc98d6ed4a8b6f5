"""The daily chart: ACUs per billing day, stacked by product, as a few SVG paths; and shares.

All geometry is computed here, to a tenth of a unit of the view box; templates only place it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from reportgen.core.cycle import BillingCycle
from reportgen.core.model import Cell
from reportgen.core.money import ZERO, add, decimals_of, multiply, ratio, subtract, total
from reportgen.documents.content.breadth import label_size

WIDTH, HEIGHT = 520, 110
COLORS = (
    *("#1f4e79", "#9cc5e8", "#e0842b", "#5c6168", "#8cbf9f", "#a4508b", "#c7b446", "#c9ced6"),
    *("#112a42", "#edbb8a", "#5b7c67", "#d7e7f5", "#81752d", "#cc9ebf", "#323539", "#839db5"),
    *("#658096", "#f2cdaa", "#5a2c4c", "#a5a8ab", "#82858b", "#d1e5d8"),
)
"""One colour per product, in the order of all products; neighbours differ in grey as well."""
SCALE_STEPS = tuple(map(Decimal, ("1", "1.5", "2", "3", "4", "5", "6", "8", "10")))
LABELLED_DAYS = 7
GRID_LABELS, DAY_LINE, DAY_LABELS, OVERHEAD = 40, 12, 16, 6
"""Room beside, below and above the bars, for labels of 8 units."""
LABEL_GAP, GRID_DECIMALS = 3, 4
SHARE_HEIGHT, SHARE_DECIMALS = 5, 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """A product's bars as one path."""

    product: str
    color: str
    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductShare:
    """A product's part of all ACUs, a fraction of 1, and where it lies on a bar."""

    product: str
    color: str
    fraction: Decimal | None
    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """A line of the grid, or a labelled day: where it is, and what it says."""

    position: str
    value: Decimal | date


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """The geometry of a daily chart; `highest` is the day with the most ACUs."""

    width: int
    height: int
    layers: tuple[Layer, ...]
    shares: tuple[ProductShare, ...]
    grid: tuple[Tick, ...]
    days: tuple[Tick, ...]
    highest: tuple[date, Decimal] | None

    @property
    def label_size(self) -> str:
        """The size of the labels of the grid, the longest of which has room beside the bars."""
        values = [tick.value for tick in self.grid if isinstance(tick.value, Decimal)]
        shown = max(map(decimals_of, values), default=0)
        return label_size(values, min(shown, GRID_DECIMALS), Decimal(GRID_LABELS - LABEL_GAP))

    @property
    def right(self) -> int:
        """Where the labels of the grid end."""
        return self.width + GRID_LABELS

    @property
    def days_y(self) -> int:
        """The baseline of the labels of days."""
        return self.height + DAY_LINE

    @property
    def view_box(self) -> str:
        """The box that holds bars and labels."""
        return f"0 {-OVERHEAD} {self.right} {self.height + OVERHEAD + DAY_LABELS}"


def colors(products: Iterable[str]) -> dict[str, str]:
    """Give every product its colour, the same in all documents of a cycle."""
    return {product: COLORS[index % len(COLORS)] for index, product in enumerate(sorted(products))}


def daily_chart(
    quantities: Mapping[Cell, Decimal], cycle: BillingCycle, palette: Mapping[str, str]
) -> Chart:
    """Stack the products of each billing day; what is below zero cannot be drawn."""
    days = list(cycle.days())
    products = sorted({product for _, product in quantities})
    sums = {
        day: total(max(ZERO, quantities.get((day, product), ZERO)) for product in products)
        for day in days
    }
    top = _nice_top(max(sums.values(), default=ZERO))
    by_product = {product: _whole(quantities, product) for product in products}
    return Chart(
        width=WIDTH,
        height=HEIGHT,
        layers=tuple(_layers(quantities, days, top, palette)),
        shares=tuple(_shares(by_product, palette)),
        grid=tuple(Tick(position=_y(value, top), value=value) for value in _grid(top)),
        days=tuple(_day_ticks(days)),
        highest=max(sums.items(), key=lambda day_sum: day_sum[::-1])
        if any(sums.values())
        else None,
    )


def length(value: Decimal | None) -> str:
    """Write a position of a drawing; nothing lies at zero."""
    return f"{(value or ZERO).normalize():f}"


def _layers(
    quantities: Mapping[Cell, Decimal],
    days: Sequence[date],
    top: Decimal,
    palette: Mapping[str, str],
) -> Iterable[Layer]:
    """Stand the bars of each product on those of the products before it."""
    base = dict.fromkeys(days, ZERO)
    for product in sorted({product for _, product in quantities}):
        path = []
        for index, day in enumerate(days):
            acus = quantities.get((day, product), ZERO)
            if acus > 0:
                path.append(_bar(index, len(days), base[day], acus, top))
                base[day] = add(base[day], acus)
        color = palette.get(product, COLORS[-1])
        yield Layer(product=product, color=color, path="".join(path))


def _whole(quantities: Mapping[Cell, Decimal], product: str) -> Decimal:
    return total(acus for (_, other), acus in quantities.items() if other == product)


def _shares(acus: Mapping[str, Decimal], palette: Mapping[str, str]) -> Iterable[ProductShare]:
    """Put products beside each other; what is below zero has a share, and no place on the bar."""
    whole = total(acus.values())
    drawn = {product: max(ZERO, quantity) for product, quantity in acus.items()}
    room, left = total(drawn.values()), ZERO
    for product, quantity in acus.items():
        right = add(left, drawn[product])
        start, end = (
            length(ratio(multiply(place, Decimal(WIDTH)), room, 1)) for place in (left, right)
        )
        path = f"M{start} 0H{end}V{SHARE_HEIGHT}H{start}z" if start != end else ""
        yield ProductShare(
            product=product,
            color=palette.get(product, COLORS[-1]),
            fraction=ratio(quantity, whole, SHARE_DECIMALS),
            path=path,
        )
        left = right


def _bar(index: int, count: int, base: Decimal, acus: Decimal, top: Decimal) -> str:
    left, right = _x(index, count, "0.14"), _x(index, count, "0.86")
    return f"M{left} {_y(base, top)}V{_y(add(base, acus), top)}H{right}V{_y(base, top)}z"


def _x(index: int, count: int, offset: str) -> str:
    position = add(Decimal(index), Decimal(offset))
    return length(ratio(multiply(position, Decimal(WIDTH)), Decimal(count), 1))


def _y(value: Decimal, top: Decimal) -> str:
    height = ratio(multiply(value, Decimal(HEIGHT)), top, 1) or ZERO
    return length(subtract(Decimal(HEIGHT), height))


def _nice_top(highest: Decimal) -> Decimal:
    """Round up to a step that two lines of a grid divide well."""
    if highest <= 0:
        return Decimal(1)
    power = Decimal(1).scaleb(highest.adjusted())
    return next(top for step in SCALE_STEPS if (top := multiply(power, step)) >= highest)


def _grid(top: Decimal) -> Sequence[Decimal]:
    return [ratio(top, Decimal(2), 10) or ZERO, top]


def _day_ticks(days: Sequence[date]) -> Iterable[Tick]:
    for index in range(0, len(days), LABELLED_DAYS):
        yield Tick(position=_x(index, len(days), "0.5"), value=days[index])
