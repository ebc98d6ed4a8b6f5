"""A difference as plain values: what `diff --json` writes; decimals are strings."""

from typing import Any

from reportgen.commands.diff.contrast import Contrast
from reportgen.core.comparing.change_parts import ChangeParts, LineChange, sum_of_parts
from reportgen.core.comparing.moves import Move
from reportgen.core.model import CostCenterChange, ProductTotals
from reportgen.core.money import fixed, plain, total
from reportgen.sources.config.configuration import Configuration


def values(difference: Contrast) -> dict[str, Any]:
    """Give a difference; `change` accounts for amounts, and is null where currencies are two."""
    was, becomes = difference.totals
    parts = difference.parts
    whole = sum_of_parts(parts.values()) if difference.one_currency else None
    return {
        "cycle": {"start": str(was.cycle.start), "end": str(was.cycle.end)},
        "currency": {"before": was.currency, "after": becomes.currency},
        "invoiced_amount": {
            "before": fixed(was.invoiced_amount, was.decimals),
            "after": fixed(becomes.invoiced_amount, becomes.decimals),
        },
        "change": whole and _parts(whole, difference.decimals),
        "moved_acus": plain(total(move.acus for move in difference.moved)),
        "cost_centers": [
            {
                **_change(center, was.decimals, becomes.decimals),
                "change": whole
                and _parts(parts.get(center.cost_center, ChangeParts()), difference.decimals),
            }
            for center in difference.changed
        ],
        "moves": [_move(move, *difference.configurations) for move in difference.moved],
        "lines": [_line(line, difference.decimals) for line in difference.lines],
    }


def _parts(parts: ChangeParts, decimals: int) -> dict[str, Any]:
    return {name: fixed(amount, decimals) for name, amount in parts._asdict().items()}


def _change(center: CostCenterChange, old: int, new: int) -> dict[str, Any]:
    return {
        "code": center.cost_center,
        "name": center.name,
        **_sides(center.whole.before, center.whole.after, old, new),
        "by_product": {
            change.product: _sides(change.before, change.after, old, new)
            for change in center.by_product
        },
    }


def _sides(before: ProductTotals, after: ProductTotals, old: int, new: int) -> dict[str, Any]:
    return {
        "before": {"acus": plain(before.acus), "amount": fixed(before.amount, old)},
        "after": {"acus": plain(after.acus), "amount": fixed(after.amount, new)},
    }


def _move(move: Move, before: Configuration, after: Configuration) -> dict[str, Any]:
    return {
        "from": move.giver or None,
        "to": move.receiver or None,
        "acus": plain(move.acus),
        "exact_amount": plain(move.exact_amount),
        "rule_before": _opened(move.rule_before, before) or None,
        "rule_after": _opened(move.rule_after, after) or None,
    }


def _line(line: LineChange, decimals: int) -> dict[str, Any]:
    return {
        "cost_center": line.cost_center,
        "kind": line.kind,
        "name": line.name,
        "counterpart": line.counterpart or None,
        "before": fixed(line.before, decimals),
        "after": fixed(line.after, decimals),
    }


def _opened(rule: str, configuration: Configuration) -> str:
    """Name a rule by the file as the user would open it, with its line."""
    name, _, line = rule.rpartition(":")
    return f"{configuration.paths.get(name, name)}:{line}" if name else ""
