"""`diff`: what an edited mapping or rate card would move on a cycle, or what a correction did."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from reportgen.core.compare import changes, totals_of
from reportgen.core.model import Allocation, CostCenterChange, CycleTotals, ProductTotals
from reportgen.core.money import ZERO, fixed, plain, printed, shown, total
from reportgen.core.moves import Move, moves
from reportgen.core.notes import SEEN
from reportgen.core.problem import Problem
from reportgen.core.rate import rate, whole_cycle
from reportgen.derive import Derived, Inputs, derive
from reportgen.operations.building.archived import archived_inputs
from reportgen.operations.building.inputs import built_inputs
from reportgen.operations.context import DONE, Context, WrongUsage
from reportgen.operations.cycles import archived_folder
from reportgen.operations.opening import recover
from reportgen.sources.config.configuration import Configuration, load

NO_COST_CENTER = "(nobody)"


def diff(config: Path, selector: str, edited: Mapping[str, Path], context: Context) -> int:
    """Compare a cycle with the same evidence under edited files, or a correction with before it."""
    live = load(config)
    after = load(config, edited) if edited else None
    recover(live, context)
    cycle, folder = archived_folder(live, selector, context)
    inputs = built_inputs(live, cycle, folder, context)
    if after is None:
        return _of_correction(inputs, folder, context)
    before = inputs.configuration
    old, new = derive(inputs), derive(replace(inputs, configuration=after))
    context.terminal.problems(
        _only_new([*before.warnings, *old.warnings], [*after.warnings, *new.warnings])
    )
    _compare(old, new, (inputs, replace(inputs, configuration=after)), context)
    return DONE


def _of_correction(inputs: Inputs, folder: Path, context: Context) -> int:
    """Compare a correction with the cycle as it stood; raises WrongUsage where it is none."""
    if inputs.correcting is None:
        message = f"{folder.name} is no correction, so there is nothing to compare it with"
        hint = "name an edited file with --mapping or --rates, or a correction: 2025-12-05.c1"
        raise WrongUsage(Problem(source="--cycle", message=message, hint=hint))
    stood = archived_inputs(folder.parent / inputs.correcting.standing.folder)
    _compare(derive(stood), derive(inputs), (stood, inputs), context)
    return DONE


def _compare(old: Derived, new: Derived, inputs: tuple[Inputs, Inputs], context: Context) -> None:
    before, after = (one.configuration for one in inputs)
    was, becomes = totals_of(old.statement), totals_of(new.statement)
    moved = moves(_rated_anew(old, after, inputs[0]), new.allocations)
    other_money = was.currency != becomes.currency
    centers = changes(was, becomes).values()
    changed = [center for center in centers if other_money or _differs(center)]
    if inputs[1].correcting:  # other evidence: what nobody can see is the noise of its floats
        changed = [center for center in changed if _is_seen(center)]
        moved = [move for move in moved if printed(move.acus, SEEN)]
    _tell(changed, moved, (was, becomes), (before, after), context)


def _is_seen(center: CostCenterChange) -> bool:
    either = (center.whole, *center.by_product)
    return any(change.amount or printed(change.acus, SEEN) for change in either)


def _only_new(before: Iterable[Problem], after: Iterable[Problem]) -> list[Problem]:
    """Leave out what was warned of before, in whatever file and line it stood then."""
    known = {(problem.message, problem.hint) for problem in before}
    return [problem for problem in after if (problem.message, problem.hint) not in known]


def _rated_anew(old: Derived, after: Configuration, inputs: Inputs) -> Iterable[Allocation]:
    """Price the allocations as they were by the card as it becomes: a price moves nothing."""
    whole, _ = whole_cycle(after.rate_card, old.usage.control, inputs.cycle.start)
    bare = (
        allocation._replace(unit_price=None, rate="", exact_amount=ZERO)
        for allocation in old.allocations
    )
    return rate(bare, after.rate_card, whole)


def _differs(center: CostCenterChange) -> bool:
    return any(change.acus or change.amount for change in (center.whole, *center.by_product))


def _tell(
    changed: list[CostCenterChange],
    moved: list[Move],
    totals: tuple[CycleTotals, CycleTotals],
    configurations: tuple[Configuration, Configuration],
    context: Context,
) -> None:
    context.terminal.values(_values(changed, moved, totals, configurations))
    if not changed and not moved:
        context.terminal.result("Nothing moves: no cost center bears other ACUs or amounts")
        return
    _tell_changes(changed, *totals, context)
    if moved:
        _tell_moves(moved, totals[1], context)
    before, after = (f"{one.currency} {fixed(one.invoiced_amount, one.decimals)}" for one in totals)
    context.terminal.result(f"Invoiced: {before} before, {after} after")


def _tell_changes(
    changed: list[CostCenterChange], was: CycleTotals, becomes: CycleTotals, context: Context
) -> None:
    """Draw what each cost center is charged before and after, prices included."""
    acus = ("ACUs before", "ACUs after")
    amounts = (f"{was.currency} before", f"{becomes.currency} after", "change")
    rows = [_row(center, was, becomes) for center in changed]
    columns = ("cost center", "name", *acus, *amounts)
    context.terminal.table(columns, rows, numbers=(*acus, *amounts), wrap="name")


def _tell_moves(moved: list[Move], becomes: CycleTotals, context: Context) -> None:
    """Draw whose ACUs go from whom to whom, at one price."""
    context.terminal.result("What moves, at the prices as they become:")
    figures = ("ACUs", becomes.currency)
    rows = [_moved(move, becomes.decimals) for move in moved]
    columns = ("from", "to", *figures, "by the rule", "now")
    context.terminal.table(columns, rows, numbers=figures, wrap="now")


def _row(center: CostCenterChange, was: CycleTotals, becomes: CycleTotals) -> tuple[str, ...]:
    """Amounts in different currencies have no difference."""
    whole, decimals = center.whole, max(was.decimals, becomes.decimals)
    return (
        *(center.cost_center, center.name, shown(whole.before.acus), shown(whole.after.acus)),
        *(fixed(whole.before.amount, was.decimals), fixed(whole.after.amount, becomes.decimals)),
        _signed(fixed(whole.amount, decimals)) if was.currency == becomes.currency else "",
    )


def _moved(move: Move, decimals: int) -> tuple[str, ...]:
    """Name rules by file and line alone: paths would take the room of the figures."""
    return (
        *(move.giver or NO_COST_CENTER, move.receiver or NO_COST_CENTER, shown(move.acus)),
        f"{printed(move.exact_amount, decimals):f}",
        *(move.rule_before or "no rule", move.rule_after or "no rule"),
    )


def _opened(rule: str, configuration: Configuration) -> str:
    """Name a rule by the file as the user would open it, with its line."""
    name, _, line = rule.rpartition(":")
    return f"{configuration.paths.get(name, name)}:{line}" if name else ""


def _signed(text: str) -> str:
    return text if text.startswith("-") else f"+{text}"


def _values(
    changed: list[CostCenterChange],
    moved: list[Move],
    totals: tuple[CycleTotals, CycleTotals],
    configurations: tuple[Configuration, Configuration],
) -> dict[str, Any]:
    was, becomes = totals
    return {
        "cycle": {"start": str(was.cycle.start), "end": str(was.cycle.end)},
        "currency": {"before": was.currency, "after": becomes.currency},
        "invoiced_amount": {
            "before": fixed(was.invoiced_amount, was.decimals),
            "after": fixed(becomes.invoiced_amount, becomes.decimals),
        },
        "moved_acus": plain(total(move.acus for move in moved)),
        "cost_centers": [
            _change_values(center, was.decimals, becomes.decimals) for center in changed
        ],
        "moves": [_move_values(move, *configurations) for move in moved],
    }


def _change_values(center: CostCenterChange, old: int, new: int) -> dict[str, Any]:
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


def _move_values(move: Move, before: Configuration, after: Configuration) -> dict[str, Any]:
    return {
        "from": move.giver or None,
        "to": move.receiver or None,
        "acus": plain(move.acus),
        "exact_amount": plain(move.exact_amount),
        "rule_before": _opened(move.rule_before, before) or None,
        "rule_after": _opened(move.rule_after, after) or None,
    }
