"""The rows of one person in the HR export, put in the order of their days.

On a day those rows hold that have begun and not ended. One without an end gives way to one that
begins later. Rows that hold together must say the same, or be shares that add up to 100 %. What is
said twice is said once, and the order of the rows does not matter.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from reportgen.core.model import DatedSplit, Flaw, Share, Split
from reportgen.core.money import EXACT, ONE, plain, total
from reportgen.core.problem import Problem
from reportgen.core.text import quoted, some
from reportgen.sources.config.shares import several_codes

NEXT_DAY = timedelta(days=1)
NOBODY = "none"
FORMULA = re.compile(r"=|#(?:REF!|N/A|VALUE!|NAME\?|NULL!|DIV/0!)")
"""How a cell begins that holds what a spreadsheet reckons, or could not reckon."""
MOST_ROWS = 366
"""So many different rows of one person are a history; more are a column that names no persons."""
BESIDE = "or map the user under `users`, which wins over the file"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tenure:
    """What a row says: who bears a person's usage from a day on, until a last day if there is one.

    An empty `code` tells no cost center. A `share` is a fraction of 1; None stands for the whole.
    """

    start: date
    end: date | None
    code: str
    share: Decimal | None
    source: str

    @property
    def said(self) -> tuple[date, date | None, str, Decimal | None]:
        """Give what makes a row the same as another."""
        return self.start, self.end, self.code, self.share


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Whose rows they are, where the first stands, and the cost centers that are declared."""

    key: str
    source: str
    codes: Collection[str]


def values_of(person: Person, rows: Sequence[Tenure | Flaw]) -> list[DatedSplit]:
    """Give what a person's rows come to, by day, at least one value.

    Where one row cannot be read, none of them counts: it could hold on any day.
    """
    flaws = [row for row in rows if isinstance(row, Flaw)]
    distinct: dict[object, Tenure] = {}
    for row in rows:
        if isinstance(row, Tenure):
            distinct.setdefault(row.said, row)
    if len(distinct) > MOST_ROWS:
        flaws.append(_too_many(person, len(distinct)))
    if flaws:
        return [_refused(date.min, flaws[0])]
    days = {row.start for row in distinct.values()}
    days |= {row.end + NEXT_DAY for row in distinct.values() if row.end}
    return [_value(person, day, _holding(distinct.values(), day)) for day in sorted(days)]


def unreadable(source: str, message: str, hint: str) -> Flaw:
    """Give the flaw of a row that cannot be read."""
    problem = Problem(source=source, message=message, hint=hint)
    return Flaw(kind="unreadable", word=message, problem=problem)


def _holding(rows: Iterable[Tenure], day: date) -> list[Tenure]:
    """Give the rows that hold on a day; those that tell no cost center only where no other does."""
    begun = [row for row in rows if row.start <= day and (row.end is None or day <= row.end)]
    newest = max((row.start for row in begun), default=day)
    holding = [row for row in begun if row.end or row.start == newest]
    return [row for row in holding if row.code] or holding


def _value(person: Person, day: date, holding: Sequence[Tenure]) -> DatedSplit:
    if not holding:
        return DatedSplit(start=day, split=None, source=person.source, silent=True)
    source = holding[0].source
    if not holding[0].code:
        untold = _untold(person.key, source)
        return DatedSplit(start=day, split=None, source=source, silent=True, flaw=untold)
    parts = _parts(holding)
    flaw = (
        _contradiction(person, day, holding)
        or _not_whole(person, day, holding, total(parts.values()))
        or _undeclared(person, holding)
    )
    if flaw:
        return _refused(day, flaw)
    shares = tuple(Share(code, part, plain(part)) for code, part in sorted(parts.items()) if part)
    return DatedSplit(
        start=day, split=None if NOBODY in parts else Split(shares=shares), source=source
    )


def _refused(day: date, flaw: Flaw) -> DatedSplit:
    return DatedSplit(start=day, split=None, source=flaw.problem.source, flaw=flaw)


def _parts(holding: Sequence[Tenure]) -> dict[str, Decimal]:
    """Add up what each cost center bears; rows without a share say the same of the whole."""
    if all(row.share is None for row in holding):
        return {row.code: ONE for row in holding}
    return {
        code: total(ONE if row.share is None else row.share for row in holding if row.code == code)
        for code in {row.code for row in holding}
    }


def _contradiction(person: Person, day: date, holding: Sequence[Tenure]) -> Flaw | None:
    """Tell of two rows that cannot both be right: wholes for two, or a share for `none`."""
    whole = all(row.share is None for row in holding)
    first = holding[0]
    other = next((row for row in holding if row.code != first.code), None)
    if other is None or not (whole or NOBODY in {row.code for row in holding}):
        return None
    when = "without a date" if day == date.min else f"on {day}"
    both = f"{quoted(other.code)} here and {quoted(first.code)} in {first.source}, both {when}"
    message = f"{quoted(person.key)} has {both}"
    hint = f"keep one of them, tell them apart by dates or shares, {BESIDE}"
    problem = Problem(source=other.source, message=message, hint=hint)
    return Flaw(
        kind="contradiction", word=f"{quoted(first.code)} and {quoted(other.code)}", problem=problem
    )


def _not_whole(person: Person, day: date, holding: Sequence[Tenure], whole: Decimal) -> Flaw | None:
    if whole == ONE or all(row.share is None for row in holding):
        return None
    percent = f"{plain(whole.scaleb(2, EXACT))} %"
    others = some(holding[1:], lambda row: row.source)
    message = f"the shares of {quoted(person.key)} add up to {percent}, not 100 %"
    when = f", from {day} on" if day > date.min else ""
    beside = f", with {others}" if others else ""
    problem = Problem(
        source=holding[0].source,
        message=f"{message}{when}{beside}",
        hint=f"write percentages that add up to 100 %, {BESIDE}",
    )
    return Flaw(kind="shares", word=f"shares of {percent}", problem=problem)


def _undeclared(person: Person, holding: Sequence[Tenure]) -> Flaw | None:
    for row in holding:
        if row.code not in person.codes and row.code != NOBODY:
            hint = f"declare it under `cost_centers` in the mapping, {BESIDE}"
            message = f"cost center {quoted(row.code)} is not declared"
            if FORMULA.match(row.code):
                message = f"{quoted(row.code)} is a formula or its error, not a cost center"
                hint = f"export the values of cells, {BESIDE}"
            if several_codes(row.code, person.codes):
                return _several(row)
            problem = Problem(source=row.source, message=message, hint=hint)
            return Flaw(kind="undeclared", word=row.code, problem=problem)
    return None


def _several(row: Tenure) -> Flaw:
    message = f"{quoted(row.code)} is more than one code"
    hint = f"write a row for each, with a share in a column that `share` names, {BESIDE}"
    problem = Problem(source=row.source, message=message, hint=hint)
    return Flaw(kind="several", word=row.code, problem=problem)


def _untold(key: str, source: str) -> Flaw:
    message = f"{quoted(key)} has used ACUs, but has no cost center in the user file"
    hint = (
        "the next rule decides, or nobody bears it; name one there, or map the user under `users`"
    )
    problem = Problem(
        source=source,
        message=message,
        hint=hint,
        warning=True,
        code="user-file-without-cost-center",
    )
    return Flaw(kind="untold", word=key, problem=problem)


def _too_many(person: Person, count: int) -> Flaw:
    message = f"{quoted(person.key)} has {count} different rows"
    hint = f"name the column of user ids or e-mail addresses as `user`, {BESIDE}"
    problem = Problem(source=person.source, message=message, hint=hint)
    return Flaw(kind="rows", word=f"{count} different rows", problem=problem)
