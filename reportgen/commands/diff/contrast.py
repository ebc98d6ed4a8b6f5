"""What two derivations of a cycle differ by, as it is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reportgen.core.comparing.change_parts import ChangeParts, LineChange
from reportgen.core.comparing.moves import Move
from reportgen.core.model import CostCenterChange, CycleTotals
from reportgen.sources.config.configuration import Configuration


@dataclass(frozen=True, kw_only=True, slots=True)
class Contrast:
    """Cost centers that are charged otherwise, and why; both sides of each pair, before first.

    `parts` account for the change of each cost center by code, `lines` are fees, transfers and
    pools that are others. Both are empty where the currencies are two.
    """

    changed: Sequence[CostCenterChange]
    moved: Sequence[Move]
    parts: Mapping[str, ChangeParts]
    lines: Sequence[LineChange]
    totals: tuple[CycleTotals, CycleTotals]
    configurations: tuple[Configuration, Configuration]

    @property
    def one_currency(self) -> bool:
        """Tell whether amounts can be subtracted."""
        return self.totals[0].currency == self.totals[1].currency

    @property
    def decimals(self) -> int:
        """Give the decimals of a difference."""
        return max(one.decimals for one in self.totals)
