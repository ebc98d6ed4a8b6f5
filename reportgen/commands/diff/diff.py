"""`diff`: what an edited mapping or rate card would move on a cycle, or what a correction did."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from reportgen.commands.diff.contrast import Contrast
from reportgen.commands.diff.text import tell
from reportgen.commands.diff.values import values
from reportgen.core.charging.credit_notes import SEEN
from reportgen.core.charging.rate import rate, whole_cycle
from reportgen.core.comparing.change_parts import change_parts, line_changes
from reportgen.core.comparing.compare import changes, totals_of
from reportgen.core.comparing.moves import moves
from reportgen.core.model import Allocation, CostCenterChange
from reportgen.core.money import ZERO, add, printed
from reportgen.core.problem import Problem
from reportgen.derive import Derived, Inputs, derive
from reportgen.operations.building.archived import archived_inputs
from reportgen.operations.building.inputs import built_inputs
from reportgen.operations.context import DONE, Context, WrongUsage
from reportgen.operations.cycles import archived_folder
from reportgen.operations.opening import recover
from reportgen.sources.config.configuration import Configuration, load


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
    return _told(old, new, (inputs, replace(inputs, configuration=after)), context)


def _of_correction(inputs: Inputs, folder: Path, context: Context) -> int:
    """Compare a correction with the cycle as it stood; raises WrongUsage where it is none."""
    if inputs.correcting is None:
        message = f"{folder.name} is no correction, so there is nothing to compare it with"
        hint = "name an edited file with --mapping or --rates, or a correction: 2025-12-05.c1"
        raise WrongUsage(Problem(source="--cycle", message=message, hint=hint))
    stood = archived_inputs(folder.parent / inputs.correcting.standing.folder)
    return _told(derive(stood), derive(inputs), (stood, inputs), context)


def _told(old: Derived, new: Derived, inputs: tuple[Inputs, Inputs], context: Context) -> int:
    difference = _difference(old, new, inputs)
    context.terminal.values(values(difference))
    tell(difference, context)
    return DONE


def _difference(old: Derived, new: Derived, inputs: tuple[Inputs, Inputs]) -> Contrast:
    """Compare what each cost center is charged, whose ACUs moved, and what else changes it."""
    before, after = (one.configuration for one in inputs)
    was, becomes = totals_of(old.statement), totals_of(new.statement)
    repriced = list(_rated_anew(old, after, inputs[0]))
    moved = moves(repriced, new.allocations)
    other_money = was.currency != becomes.currency
    centers = changes(was, becomes).values()
    changed = [center for center in centers if other_money or _differs(center)]
    if inputs[1].correcting:  # other evidence: what nobody can see is the noise of its floats
        changed = [center for center in changed if _is_seen(center)]
        moved = [move for move in moved if printed(move.acus, SEEN)]
    lines = old.charges.lines, new.charges.lines
    decimals = max(was.decimals, becomes.decimals)
    parts = {} if other_money else change_parts(*lines, moved, _sums(repriced), decimals)
    return Contrast(
        changed=changed,
        moved=moved,
        parts={code: one for code, one in parts.items() if any(one)},
        lines=[] if other_money else line_changes(*lines),
        totals=(was, becomes),
        configurations=(before, after),
    )


def _sums(allocations: Iterable[Allocation]) -> Mapping[str, Decimal]:
    """Add up what each cost center bears."""
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for allocation in allocations:
        bearer = allocation.cost_center
        sums[bearer] = add(sums[bearer], allocation.exact_amount or ZERO)
    return sums


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
