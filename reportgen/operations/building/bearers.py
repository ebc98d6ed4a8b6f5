"""Who is charged by an organization's rule, and whom another cost center bears, on the terminal."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from reportgen.core.allocating.directory import principal_of
from reportgen.core.charging.by_organization import over_products
from reportgen.core.model import ByOrganization, Directory, Moved, Statement
from reportgen.core.money import fixed, plain, shown, total
from reportgen.core.problem import Problem
from reportgen.core.text import quoted, some
from reportgen.operations.context import Context

NO_COST_CENTER = "(nobody)"
NO_RULE = "no rule"


def tell_bearers(statement: Statement, context: Context) -> None:
    """Say in a line each how much organizations' rules charge, and how much has moved."""
    rows, variance = statement.by_organization, statement.variance
    if rows:
        told = _sums(rows, statement)
        context.terminal.result(f"No rule of their own, charged by their organization: {told}")
    if variance and variance.moved:
        told, start = _sums(variance.moved, statement), variance.previous.cycle.start
        context.terminal.result(f"Changed cost center since the cycle of {start}: {told}")


def list_bearers(statement: Statement, directory: Directory, context: Context) -> None:
    """Draw a row for each of them, the largest amount first."""
    currency, decimals = statement.heading.currency, statement.heading.decimals
    figures = ("ACUs", currency)
    if statement.by_organization:
        by_organization = ("no rule of their own", "organization", "charged to", "by the rule")
        merged = over_products(statement.by_organization)
        rows = [_by_organization(row, directory, decimals) for row in merged]
        _draw(by_organization, figures, rows, context)
    if statement.variance and statement.variance.moved:
        moved = ("changed cost center", "from", "to", "by the rule")
        rows = [_moved(row, directory, decimals) for row in statement.variance.moved]
        _draw(moved, figures, rows, context)


def _draw(
    columns: Sequence[str],
    figures: Sequence[str],
    rows: Sequence[Sequence[str]],
    context: Context,
) -> None:
    context.terminal.table((*columns, *figures), rows, numbers=figures, wrap=columns[:1])


def without_own_rule(statement: Statement, directory: Directory) -> list[Problem]:
    """Warn of users whom an organization's rule charges, by that rule; `none` is no oversight."""
    by_rule: dict[str, list[ByOrganization]] = {}
    for row in statement.by_organization:
        if not row.passed_on:
            by_rule.setdefault(row.rule, []).append(row)
    return [
        Problem(
            source=rule,
            message=f"charges who has no rule of their own: {_sums(rows, statement)} "
            f"({some(_names(rows, directory), quoted)})",
            hint="give them a rule, or `none` where the organization is meant to decide",
            warning=True,
            code="charged-by-organization",
        )
        for rule, rows in by_rule.items()
    ]


def bearer_values(statement: Statement) -> dict[str, Any]:
    """Give both lists for machines, as `statement.json` has them."""
    decimals = statement.heading.decimals
    moved = statement.variance.moved if statement.variance else ()
    return {
        "by_organization": [
            {
                "principal_id": row.principal_id,
                "org_id": row.org_id,
                "product": row.product,
                "cost_center": row.cost_center,
                "rule": row.rule,
                **_figures(row.acus, row.amount, decimals),
            }
            for row in statement.by_organization
        ],
        "moved": [
            {
                "principal_id": row.principal_id,
                "from": list(row.givers),
                "to": row.receiver or None,
                "rules": list(row.rules),
                **_figures(row.acus, row.amount, decimals),
            }
            for row in moved
        ],
    }


def _figures(acus: Decimal, amount: Decimal, decimals: int) -> dict[str, str]:
    return {"acus": plain(acus), "amount": fixed(amount, decimals)}


def _sums(rows: Sequence[ByOrganization] | Sequence[Moved], statement: Statement) -> str:
    """Count users once each, and add up their ACUs and amounts."""
    count = len({(row.principal_kind, row.principal_id) for row in rows})
    amount = fixed(total(row.amount for row in rows), statement.heading.decimals)
    return (
        f"{'1 user' if count == 1 else f'{count} users'}, "
        f"{shown(total(row.acus for row in rows))} ACUs, {statement.heading.currency} {amount}"
    )


def _names(rows: Iterable[ByOrganization], directory: Directory) -> list[str]:
    """Name everybody once, the largest amount first."""
    called = (_called(row.principal_kind, row.principal_id, directory) for row in rows)
    return list(dict.fromkeys(called))


def _by_organization(row: ByOrganization, directory: Directory, decimals: int) -> tuple[str, ...]:
    return (
        _called(row.principal_kind, row.principal_id, directory),
        *(directory.organizations.get(row.org_id, row.org_id), row.cost_center),
        *(row.rule, shown(row.acus), fixed(row.amount, decimals)),
    )


def _moved(row: Moved, directory: Directory, decimals: int) -> tuple[str, ...]:
    return (
        _called(row.principal_kind, row.principal_id, directory),
        *(", ".join(row.givers), row.receiver or NO_COST_CENTER),
        *(", ".join(row.rules) or NO_RULE, shown(row.acus), fixed(row.amount, decimals)),
    )


def _called(kind: str, principal_id: str, directory: Directory) -> str:
    entry = directory.entries.get(principal_of(kind, principal_id))
    return (entry.email or entry.name if entry else None) or principal_id
