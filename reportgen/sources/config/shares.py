"""Shares of a rule or a pool: percentages that add up to 100 %, or whole-number weights."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal

from reportgen.core.model import Share, Split
from reportgen.core.money import EXACT, ONE, plain, total
from reportgen.core.problem import Problem
from reportgen.core.text import did_you_mean, quoted
from reportgen.sources.config import scalars
from reportgen.sources.config.misread import days_meant


def read_shares(
    written: Mapping[str, str], key: str, line: Callable[..., str]
) -> tuple[Split | None, list[Problem]]:
    """Read what `key` is split into; `line` leads to a share by its code, else to the whole."""
    percent = any(share.endswith("%") for share in written.values())
    shares: dict[str, Decimal] = {}
    problems = []
    for code, share in sorted(written.items()):
        try:
            shares[code] = scalars.percentage(share) if percent else scalars.weight(share)
        except scalars.Unreadable as error:
            message = f"{quoted(key)}: {error.message}"
            problems.append(Problem(source=line(code), message=message, hint=error.hint))
    if problems:
        return None, problems
    return _fractions(shares, key, line()) if percent else (_weights(shares), [])


def undeclared(code: str, codes: Iterable[str], line: str) -> Problem:
    """Report a cost center that is named and not declared."""
    codes = list(codes)
    if several := several_codes(code, codes):
        hint = f"to share it among them, write {{{', '.join(f'{part}: 1' for part in several)}}}"
        return Problem(source=line, message=f"{quoted(code)} is more than one code", hint=hint)
    message = f"cost center {quoted(code)} is not declared"
    hint = "declare it under `cost_centers` in the mapping"
    if near := did_you_mean(code, codes):
        hint = f"did you mean {quoted(near)}? else {hint}"
    elif days := [str(one) for one in days_meant(code) if scalars.DATE_SHAPE.fullmatch(str(one))]:
        message = f"{message}, and looks like a date in another form"
        hint = f"if it is a date, write {' or '.join(days)}; else {hint}"
    return Problem(source=line, message=message, hint=hint)


def several_codes(text: str, codes: Collection[str]) -> list[str]:
    """Give the declared codes that one text names, none where it names one or something else."""
    parts = [part for part in re.split(r"\s*[,;/+&|]\s*|\s+(?:and|or)\s+", text) if part]
    return parts if parts[1:] and set(parts) <= set(codes) else []


def _fractions(
    fractions: dict[str, Decimal], key: str, line: str
) -> tuple[Split | None, list[Problem]]:
    if (whole := total(fractions.values())) != ONE:
        message = (
            f"the shares of {quoted(key)} add up to {plain(whole.scaleb(2, EXACT))} %, not 100 %"
        )
        hint = "correct them, or write whole-number weights such as 1, 1, 1"
        return None, [Problem(source=line, message=message, hint=hint)]
    shares = tuple(Share(code, part, plain(part)) for code, part in fractions.items() if part)
    return Split(shares=shares), []


def _weights(weights: dict[str, Decimal]) -> Split:
    whole = total(weights.values())
    if len(weights) == 1:
        return Split(shares=tuple(Share(code, ONE, "1") for code in weights))
    return Split(
        by_weight=True,
        shares=tuple(Share(code, part, f"{part}/{whole}") for code, part in weights.items()),
    )
