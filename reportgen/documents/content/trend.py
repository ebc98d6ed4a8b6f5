"""The trend: what up to six cycles came to, as labelled bars and as a line in a table's row.

All geometry is computed here, to a tenth of a unit of the view box; templates only place it. Both
drawings begin at zero, so that heights compare as amounts do, and what is below zero (a credit)
lies below the zero line. A cycle has the same place in every document: this one stands last, on the
right.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from reportgen.core.comparing.compare import MOST_EARLIER
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import Statement
from reportgen.core.money import ZERO, add, multiply, ratio, subtract
from reportgen.documents.content.breadth import label_size
from reportgen.documents.content.chart import length

SLOTS = MOST_EARLIER + 1
FEWEST = 3
"""Bars of a drawing on paper: two say no more than a sentence does."""
SLOT = Decimal(60)
"""Wide enough for 12,345,678.90 in 8 units."""
WIDTH, HEIGHT = SLOTS * int(SLOT), 96
TOP, FLOOR = Decimal(12), Decimal(84)
"""Bars stand between them; above is room for an amount, below for the name of a cycle."""
LABEL = Decimal(12)
"""The line of a label of 8 units; one more stands below the bars where an amount is below zero."""
LEGIBLE = Decimal(7)
"""Units of a label that can be read where the drawing fills two thirds of a line."""
ABOVE, BELOW = Decimal(3), Decimal(9)
"""From the end of a bar to the baseline of its amount."""
CYCLE_LINE = Decimal(94)
SPARK_LEFT, SPARK_WIDTH = Decimal(2), Decimal(96)
SPARK_TOP, SPARK_FLOOR = Decimal(2), Decimal(22)
"""A view box of 100 x 24 less half a stroke and its caps."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """A cycle's bar; where the cost center was not declared, there is no amount and no `path`.

    `x` is its middle, for labels that are centred; `amount_y` the baseline of the amount at its
    end.
    """

    cycle: BillingCycle
    amount: Decimal | None
    current: bool
    preliminary: bool
    path: str
    x: str
    amount_y: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Trend:
    """The geometry of up to six bars, oldest first, with amounts in `label_size` units.

    The zero line runs at `zero_y` from `left`, where the oldest bar's place begins, to `width`;
    `cycle_y` is the baseline of what names the cycles.
    """

    width: int
    height: int
    left: str
    label_size: str
    zero_y: str
    cycle_y: str
    bars: tuple[Bar, ...]

    @property
    def known(self) -> tuple[Bar, ...]:
        """The cycles of which there is an amount."""
        return tuple(bar for bar in self.bars if bar.amount is not None)

    @property
    def wide(self) -> bool:
        """Tell whether amounts are so long that the drawing needs the whole line to be read."""
        return Decimal(self.label_size) < LEGIBLE

    @property
    def drawn(self) -> bool:
        """Tell whether there are enough amounts for a drawing to say more than a sentence."""
        return len(self.known) >= FEWEST


class _Scale(NamedTuple):
    """Heights of a drawing: the amounts that it reaches up and down to, and where those lie."""

    highest: Decimal
    lowest: Decimal
    top: Decimal
    floor: Decimal

    def y(self, amount: Decimal) -> Decimal:
        """Place an amount; where there is none but zero, it lies on the floor."""
        room = subtract(self.floor, self.top)
        depth = ratio(
            multiply(subtract(self.highest, amount), room),
            subtract(self.highest, self.lowest),
            decimals=1,
        )
        return add(self.top, room if depth is None else depth)


def invoice_trend(statement: Statement, code: str) -> Trend | None:
    """Draw what a cost center was charged; None where nothing earlier is known, or all is zero."""
    amounts = _amounts(statement, code)
    known = any(amount is not None for amount in amounts[:-1])
    return _trend(statement, amounts) if known and any(amounts) else None


def statement_trend(statement: Statement) -> Trend | None:
    """Draw what was invoiced to all cost centers; None where there is no earlier cycle."""
    before = [totals.invoiced_amount for totals in statement.earlier]
    return _trend(statement, [*before, statement.tie_out.invoiced_amount]) if before else None


def begins(statement: Statement, code: str) -> bool:
    """Tell whether nothing earlier is known of what a cost center was charged."""
    return all(amount is None for amount in _amounts(statement, code)[:-1])


def sparkline(statement: Statement, code: str) -> str | None:
    """Give a cost center's amounts as a line in a view box of 100 x 24; None for fewer than two.

    The cycles are spread over the whole width. A cycle that did not know the cost center is passed
    over.
    """
    amounts = _amounts(statement, code)
    known = [(place, amount) for place, amount in enumerate(amounts) if amount is not None]
    if len(known) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    scale = _scale((amount for _, amount in known), SPARK_TOP, SPARK_FLOOR)
    return "M" + "L".join(
        f"{_spark_x(place, len(amounts))} {length(scale.y(amount))}" for place, amount in known
    )


def _amounts(statement: Statement, code: str) -> list[Decimal | None]:
    """Give a cost center's amounts, oldest first; None where it was not declared."""
    before = (totals.cost_centers.get(code) for totals in statement.earlier)
    now = (invoice.amount for invoice in statement.invoices if invoice.cost_center.code == code)
    return [*(center.amount if center else None for center in before), next(now, None)]


def _trend(statement: Statement, amounts: Sequence[Decimal | None]) -> Trend:
    known = [amount for amount in amounts if amount is not None]
    scale = _scale(known, TOP, subtract(FLOOR, LABEL) if min(known) < 0 else FLOOR)
    first = SLOTS - len(amounts)
    return Trend(
        width=WIDTH,
        height=HEIGHT,
        left=length(_slot(first, "0")),
        label_size=label_size(known, statement.heading.decimals),
        zero_y=length(scale.y(ZERO)),
        cycle_y=length(CYCLE_LINE),
        bars=tuple(_bars(statement, amounts, first, scale)),
    )


def _bars(
    statement: Statement, amounts: Sequence[Decimal | None], first: int, scale: _Scale
) -> Iterator[Bar]:
    """Give a bar to each cycle, from the place of the oldest on."""
    heading = statement.heading
    before = ((totals.cycle, totals.status) for totals in statement.earlier)
    cycles = [*before, (heading.cycle, heading.status)]
    for slot, ((cycle, status), amount) in enumerate(zip(cycles, amounts, strict=True), first):
        yield Bar(
            cycle=cycle,
            amount=amount,
            current=slot == SLOTS - 1,
            preliminary=status == "draft",
            path="" if amount is None else _bar(slot, amount, scale),
            x=length(_slot(slot, "0.5")),
            amount_y=length(_label(amount or ZERO, scale)),
        )


def _scale(amounts: Iterable[Decimal], top: Decimal, floor: Decimal) -> _Scale:
    """Span all amounts and zero."""
    reached = [ZERO, *amounts]
    return _Scale(highest=max(reached), lowest=min(reached), top=top, floor=floor)


def _bar(slot: int, amount: Decimal, scale: _Scale) -> str:
    left, right = length(_slot(slot, "0.2")), length(_slot(slot, "0.8"))
    zero, end = length(scale.y(ZERO)), length(scale.y(amount))
    return f"M{left} {zero}V{end}H{right}V{zero}z"


def _label(amount: Decimal, scale: _Scale) -> Decimal:
    """Give the baseline of an amount: over its bar, or under one that hangs below zero."""
    end = scale.y(amount)
    return add(end, BELOW) if amount < 0 else subtract(end, ABOVE)


def _slot(slot: int, offset: str) -> Decimal:
    return multiply(add(Decimal(slot), Decimal(offset)), SLOT)


def _spark_x(place: int, count: int) -> str:
    step = ratio(multiply(Decimal(place), SPARK_WIDTH), Decimal(count - 1), decimals=1)
    return length(add(SPARK_LEFT, step or ZERO))
