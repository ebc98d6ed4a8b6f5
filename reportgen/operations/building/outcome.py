"""What a cycle came to, told in the end: who pays what, both identities, and what is amiss."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from reportgen.core.model import Invoice, Statement
from reportgen.core.money import fixed, plain, shown, total
from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.core.written.statement_json import statement_values
from reportgen.operations.building.bearers import tell_bearers
from reportgen.operations.collecting.refusals import coarser
from reportgen.operations.context import DONE, NOT_TIED_OUT, Context

MANY, MOST_ROWS = 25, 20
"""Of more cost centers than that, so many stand in the closing table: the largest."""


def tell_outcome(
    statement: Statement, made: Mapping[str, int], folder: Path, context: Context
) -> int:
    """Print the closing table, the tie-out and what disagrees, and give the exit code.

    `made` counts documents, as machines are told.
    """
    decimals = statement.heading.decimals
    amount = f"amount {statement.heading.currency}"
    columns = ("cost center", "name", "ACUs", amount, "file")
    told = _largest(statement.invoices)
    rows = [_row(invoice, decimals) for invoice in told]
    context.terminal.table(columns, rows, numbers=("ACUs", amount), wrap=("name", "file"))
    if len(told) < len(statement.invoices):
        context.terminal.result(_rest(statement, told, folder))
    context.terminal.result(_tie_out_in_acus(statement))
    context.terminal.result(_tie_out_in_money(statement))
    if statement.tie_out.unpriced_acus:
        context.terminal.result(_unpriced(statement))
    tell_bearers(statement, context)
    context.terminal.result(f"Documents in {folder}: open {folder / 'index.html'}")
    values = {"folder": str(folder), "documents": dict(made), **statement_values(statement)}
    context.terminal.values(values)
    context.terminal.problems(disagreements(statement, str(folder / "statement.pdf")))
    return DONE if sound(statement) else NOT_TIED_OUT


def _largest(invoices: Sequence[Invoice]) -> Sequence[Invoice]:
    """Give all cost centers, or where they are many those that are charged most."""
    if len(invoices) <= MANY:
        return invoices
    ranked = sorted(invoices, key=lambda one: (-one.amount.copy_abs(), one.cost_center.code))
    return ranked[:MOST_ROWS]


def _rest(statement: Statement, told: Sequence[Invoice], folder: Path) -> str:
    """Say what the others come to, and where they stand."""
    codes = {invoice.cost_center.code for invoice in told}
    others = [one for one in statement.invoices if one.cost_center.code not in codes]
    amount = fixed(total(one.amount for one in others), statement.heading.decimals)
    acus = shown(total(one.borne_acus for one in others))
    return (
        f"These are the largest of {len(statement.invoices):,} cost centers. The other "
        f"{len(others):,}: {acus} ACUs, {statement.heading.currency} {amount}; they stand in "
        f"{folder / 'index.html'} and in the statement."
    )


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
