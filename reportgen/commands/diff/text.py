"""A difference told to people, in tables. Every sum is made of what is printed."""

from decimal import Decimal

from reportgen.commands.diff.contrast import Contrast
from reportgen.core.comparing.change_parts import ChangeParts, LineChange, sum_of_parts
from reportgen.core.comparing.moves import Move
from reportgen.core.model import CostCenterChange
from reportgen.core.money import fixed, printed, shown, subtract
from reportgen.operations.context import Context

NO_COST_CENTER = "(nobody)"
ALL = "all"


def tell(difference: Contrast, context: Context) -> None:
    """Tell who is charged otherwise, whose ACUs move, and what the change is made of."""
    if not (difference.changed or difference.moved or difference.parts):
        context.terminal.result("Nothing moves: no cost center bears other ACUs or amounts")
        return
    _tell_changes(difference, context)
    if difference.moved:
        _tell_moves(difference, context)
    if difference.lines:
        _tell_lines(difference, context)
    if difference.parts:
        _tell_parts(difference, context)
    before, after = (
        f"{one.currency} {fixed(one.invoiced_amount, one.decimals)}" for one in difference.totals
    )
    context.terminal.result(f"Invoiced: {before} before, {after} after")


def _tell_changes(difference: Contrast, context: Context) -> None:
    """Draw what each cost center is charged before and after, prices included."""
    was, becomes = difference.totals
    acus = ("ACUs before", "ACUs after")
    amounts = (f"{was.currency} before", f"{becomes.currency} after", "change")
    rows = [_row(center, difference) for center in difference.changed]
    columns = ("cost center", "name", *acus, *amounts)
    context.terminal.table(columns, rows, numbers=(*acus, *amounts), wrap=("name",))


def _tell_moves(difference: Contrast, context: Context) -> None:
    """Draw whose ACUs go from whom to whom, at one price."""
    becomes = difference.totals[1]
    context.terminal.result("What moves, at the prices as they become:")
    figures = ("ACUs", becomes.currency)
    rows = [_moved(move, difference.decimals) for move in difference.moved]
    columns = ("from", "to", *figures, "by the rule", "now")
    context.terminal.table(columns, rows, numbers=figures, wrap=("now",))


def _tell_lines(difference: Contrast, context: Context) -> None:
    """Draw the fees, transfers and pools that are others."""
    context.terminal.result("Fees, transfers and pools that change:")
    figures = ("before", "after", "change")
    rows = [_line(line, difference.decimals) for line in difference.lines]
    columns = ("cost center", "kind", "name", "counterpart", *figures)
    context.terminal.table(columns, rows, numbers=figures, wrap=("name",))


def _tell_parts(difference: Contrast, context: Context) -> None:
    """Draw what the change of each invoice is made of; parts that are nothing have no column."""
    whole = sum_of_parts(difference.parts.values())
    rows = {**difference.parts, ALL: whole}
    kinds = [
        (index, name)
        for index, name in enumerate(ChangeParts._fields)
        if name == "amount" or any(parts[index] for parts in rows.values())
    ]
    context.terminal.result(
        f"What the change is made of, in {difference.totals[1].currency} (each line adds up):"
    )
    figures = [name if name != "amount" else "change" for _, name in kinds]
    written = [
        (code, *(_signed(parts[index], difference.decimals) for index, _ in kinds))
        for code, parts in rows.items()
    ]
    context.terminal.table(("cost center", *figures), written, numbers=figures)


def _row(center: CostCenterChange, difference: Contrast) -> tuple[str, ...]:
    """Amounts in different currencies have no difference."""
    whole, (was, becomes) = center.whole, difference.totals
    return (
        *(center.cost_center, center.name, shown(whole.before.acus), shown(whole.after.acus)),
        *(fixed(whole.before.amount, was.decimals), fixed(whole.after.amount, becomes.decimals)),
        _signed(whole.amount, difference.decimals) if difference.one_currency else "",
    )


def _moved(move: Move, decimals: int) -> tuple[str, ...]:
    """Name rules by file and line alone: paths would take the room of the figures."""
    return (
        *(move.giver or NO_COST_CENTER, move.receiver or NO_COST_CENTER, shown(move.acus)),
        f"{printed(move.exact_amount, decimals):f}",
        *(move.rule_before or "no rule", move.rule_after or "no rule"),
    )


def _line(line: LineChange, decimals: int) -> tuple[str, ...]:
    return (
        *(line.cost_center, line.kind, line.name, line.counterpart),
        *(fixed(line.before, decimals), fixed(line.after, decimals)),
        _signed(subtract(line.after, line.before), decimals),
    )


def _signed(amount: Decimal, decimals: int) -> str:
    text = fixed(amount, decimals)
    return text if text.startswith("-") else f"+{text}"
