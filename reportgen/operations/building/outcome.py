"""What a cycle came to, told in the end: who pays what, both identities, and what is amiss."""

from collections.abc import Iterator
from pathlib import Path

from reportgen.core.model import Invoice, Statement
from reportgen.core.money import fixed, plain, shown
from reportgen.core.problem import Problem
from reportgen.core.statement_json import statement_values
from reportgen.core.text import quoted
from reportgen.operations.building.bearers import tell_bearers
from reportgen.operations.collecting.refusals import coarser
from reportgen.operations.context import DONE, NOT_TIED_OUT, Context


def tell_outcome(statement: Statement, folder: Path, context: Context) -> int:
    """Print the closing table, the tie-out and what disagrees, and give the exit code."""
    decimals = statement.heading.decimals
    amount = f"amount {statement.heading.currency}"
    columns = ("cost center", "name", "ACUs", amount, "file")
    rows = [_row(invoice, decimals) for invoice in statement.invoices]
    context.terminal.table(columns, rows, numbers=("ACUs", amount), wrap="name")
    context.terminal.result(_tie_out_in_acus(statement))
    context.terminal.result(_tie_out_in_money(statement))
    if statement.tie_out.unpriced_acus:
        context.terminal.result(_unpriced(statement))
    tell_bearers(statement, context)
    context.terminal.result(f"Documents in {folder}: open {folder / 'index.html'}")
    context.terminal.values({"folder": str(folder), **statement_values(statement)})
    context.terminal.problems(disagreements(statement, str(folder / "statement.pdf")))
    return DONE if sound(statement) else NOT_TIED_OUT


def sound(statement: Statement) -> bool:
    """Tell whether everything was priced, views agree and both identities hold."""
    tie = statement.tie_out
    return tie.holds and not tie.unpriced_acus and not statement.discrepancies


def _row(invoice: Invoice, decimals: int) -> tuple[str, ...]:
    return (
        invoice.cost_center.code,
        invoice.cost_center.name,
        shown(invoice.borne_acus),
        fixed(invoice.amount, decimals),
        f"{invoice.number}.pdf" if invoice.number else "",
    )


def _tie_out_in_acus(statement: Statement) -> str:
    """Write the first identity; the line ends with its difference."""
    tie = statement.tie_out
    return (
        f"Tie-out, ACUs: control {shown(tie.control_acus)} − allocated {shown(tie.allocated_acus)} "
        f"− unallocated {shown(tie.unallocated_acus)} = {plain(tie.difference_acus)}"
    )


def _tie_out_in_money(statement: Statement) -> str:
    """Write the second identity; the line ends with its difference."""
    tie, decimals = statement.tie_out, statement.heading.decimals
    return (
        f"Tie-out, {statement.heading.currency}: "
        f"chargeable {fixed(tie.chargeable_amount, decimals)} "
        f"+ fees {fixed(tie.fees_amount, decimals)} "
        f"− invoiced {fixed(tie.invoiced_amount, decimals)} "
        f"− unborne {fixed(tie.unborne_amount, decimals)} "
        f"= {fixed(tie.difference_amount, decimals)}"
    )


def _unpriced(statement: Statement) -> str:
    """Write how much is charged to nobody, as it has no price."""
    return f"Tie-out, unpriced: {shown(statement.tie_out.unpriced_acus)} ACUs, charged to nobody"


def disagreements(statement: Statement, source: str) -> Iterator[Problem]:
    """Say which questions were refused, and where views of the API contradict each other."""
    for view in statement.heading.missing_views:
        yield coarser(view, source)
    if statement.discrepancies:
        yield _contradiction(statement, source)
    if not statement.tie_out.holds:
        hint = "report this: it must never happen"
        yield Problem(source=source, message="the tie-out is not zero", hint=hint)


def _contradiction(statement: Statement, source: str) -> Problem:
    count = len(statement.discrepancies)
    worst = max(statement.discrepancies, key=lambda discrepancy: discrepancy.acus.copy_abs())
    message = (
        f"views of the API disagree in {count} {'cell' if count == 1 else 'cells'}, "
        f"most on {worst.day} in {quoted(worst.product)}: {shown(worst.acus)} ACUs, "
        f"{_between(*worst.views)}"
    )
    return Problem(source=source, message=message, hint="the statement lists them; ask the vendor")


def _between(coarser: str, *finer: str) -> str:
    """Name the views: one, and those that are more than it together."""
    if not finer:
        return f"within {coarser}"
    more = f" and {len(finer) - 1} more" if len(finer) > 1 else ""
    return f"left of {coarser} by {finer[0]}{more}"
