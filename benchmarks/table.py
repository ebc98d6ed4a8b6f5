"""A row of the table of ratios: what, ours, its reference in the same run, and what it is held to.

Where a ratio is held to at least something, it is the reference over ours; to at most, ours over
the reference.
"""

from typing import NamedTuple

HEADER = "| what | ours | reference | ratio | held to | |\n|---|---|---|---|---|---|"


class Row(NamedTuple):
    """One line; a bound is kept or not, one without a bound stands there to be seen."""

    what: str
    ours: str
    reference: str
    ratio: float | None
    least: float | None = None
    most: float | None = None
    note: str = ""

    def __str__(self) -> str:
        """Write it as Markdown."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        cells = (self.what, self.ours, self.reference, ratio, self.bound(), self.verdict())
        return f"| {' | '.join(cells)} |"

    def bound(self) -> str:
        """Say what the ratio is held to."""
        if self.least is not None:
            return f"at least {self.least:.2f}"
        return "" if self.most is None else f"at most {self.most:.2f}"

    def verdict(self) -> str:
        """Say whether it is kept, or why it is not known."""
        if self.note or self.ratio is None or self.bound() == "":
            return self.note
        return "**short**" if self.is_short() else "ok"

    def is_short(self) -> bool:
        """Tell whether a bound is not kept."""
        if self.ratio is None:
            return False
        below = self.least is not None and self.ratio < self.least
        return below or (self.most is not None and self.ratio > self.most)


def left_out(what: str, reference: str, remedy: str) -> Row:
    """Give the row of what cannot be measured here, and what would mend that."""
    return Row(what, "", reference, None, note=f"left out, not installed: `{remedy}`")
