"""Unit costs as plain values: counts as numbers, ratios and amounts as decimal strings.

What is not known exactly is counted up to `…_at_most`; a ratio of it is null, as one that has no
denominator is.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from reportgen.core.model import DEVIN, Counted, Statement
from reportgen.core.money import fixed, plain
from reportgen.core.sessions.unit_costs import (
    Between,
    Bought,
    UnitChanges,
    of_cost_center,
    of_department,
    of_enterprise,
)


def unit_costs_values(statement: Statement) -> dict[str, Any] | None:
    """Give the unit costs of a cycle, or why there are none."""
    costs, decimals = statement.unit_costs, statement.heading.decimals
    if costs is None:
        return None
    centers = ((code, of_cost_center(statement, code)) for code in costs.by_cost_center)
    departments = ((name, of_department(statement, name)) for name in costs.by_department)
    whole = of_enterprise(statement)
    return {
        "product": DEVIN,
        "as_of": costs.as_of or None,
        "not_counted": costs.not_counted,
        "cost_centers": [
            {"code": code, **_values(bought, decimals)} for code, bought in centers if bought
        ],
        "departments": [
            {"department": name or None, **_values(bought, decimals)}
            for name, bought in departments
            if bought
        ],
        "enterprise": _values(whole, decimals) if whole else None,
    }


def own_unit_costs(statement: Statement, code: str) -> dict[str, Any] | None:
    """Give those of one cost center, or why there are none."""
    costs, bought = statement.unit_costs, of_cost_center(statement, code)
    if costs is None:
        return None
    return {
        "product": DEVIN,
        "as_of": costs.as_of or None,
        "not_counted": costs.not_counted,
        **(_values(bought, statement.heading.decimals) if bought else {}),
    }


def _values(bought: Bought, decimals: int) -> dict[str, Any]:
    costs, figures = bought.costs, bought.figures
    return {
        **dict(_counts("sessions", costs.sessions)),
        **dict(_counts("pull_requests", costs.pull_requests)),
        **dict(_counts("merged_pull_requests", costs.merged)),
        "acus": plain(costs.acus),
        "amount": fixed(costs.amount, decimals),
        "acus_per_session": _acus(figures.acus_per_session),
        "amount_per_session": _amount(figures.amount_per_session, decimals),
        "acus_per_merged_pull_request": _acus(figures.acus_per_merged_pull_request),
        "amount_per_merged_pull_request": _amount(figures.amount_per_merged_pull_request, decimals),
        "change": _change(bought.changes, decimals) if bought.changes else None,
    }


def _change(changes: UnitChanges, decimals: int) -> dict[str, Any]:
    def acus(value: Decimal | None) -> str | None:
        return None if value is None else plain(value)

    def amount(value: Decimal | None) -> str | None:
        return None if value is None else fixed(value, decimals)

    def count(value: Decimal | None) -> int | None:
        return None if value is None else int(value)

    return {
        "sessions": count(changes.sessions),
        "pull_requests": count(changes.pull_requests),
        "merged_pull_requests": count(changes.merged_pull_requests),
        "acus_per_session": acus(changes.acus_per_session),
        "amount_per_session": amount(changes.amount_per_session),
        "acus_per_merged_pull_request": acus(changes.acus_per_merged_pull_request),
        "amount_per_merged_pull_request": amount(changes.amount_per_merged_pull_request),
    }


def _counts(name: str, counted: Counted) -> Iterator[tuple[str, int]]:
    yield name, counted.known
    yield f"{name}_at_most", counted.at_most


def _acus(figure: Between | None) -> str | None:
    return plain(figure.low) if figure and figure.exact else None


def _amount(figure: Between | None, decimals: int) -> str | None:
    return fixed(figure.low, decimals) if figure and figure.exact else None
