"""`explain`: a line of an invoice back to its records, rules, rate and the API's answers, offline.

Everything is derived once more from evidence and configuration, and must be what the folder of the
cycle says.
"""

from collections.abc import Iterable
from pathlib import Path

from reportgen.archive.draft import refuse_torn
from reportgen.commands.explain.text import MOST_RECORDS, tell
from reportgen.commands.explain.values import invoice_values
from reportgen.core.explain import AuditTrail, explained
from reportgen.core.model import Invoice, Statement
from reportgen.core.problem import Problem
from reportgen.core.text import did_you_mean, quoted
from reportgen.derive import Derived, Inputs, derive
from reportgen.operations.building.built import refuse_changed, written_statement
from reportgen.operations.building.inputs import built_inputs
from reportgen.operations.context import DONE, Context, WrongUsage
from reportgen.operations.cycles import archived_folder
from reportgen.operations.opening import recover
from reportgen.sources.config.configuration import load


def explain(config: Path, selector: str, named: str, context: Context, only: int | None) -> int:
    """Explain an invoice, named by number or cost center: all lines in short, or one in full."""
    configuration = load(config)
    recover(configuration, context)
    cycle, folder = archived_folder(configuration, selector, context)
    refuse_torn(folder)
    written = written_statement(folder)
    inputs = built_inputs(configuration, cycle, folder, context)
    derived = derive(inputs)
    invoice = _chosen(named, only, derived.statement, folder)
    refuse_changed(folder, written, derived.statement)
    lines = explained(invoice, _audit_trail(inputs, derived))
    told = [line for line in lines if only in {None, line.number}]
    values = invoice_values(invoice, told, inputs, derived)
    context.terminal.values(values)
    if not context.terminal.machine:
        tell(values, folder, context, len(invoice.lines), most=None if only else MOST_RECORDS)
    return DONE


def _audit_trail(inputs: Inputs, derived: Derived) -> AuditTrail:
    return AuditTrail(
        statement=derived.statement,
        lines=derived.charges.lines,
        allocations=derived.allocations,
        control=derived.usage.control,
        mapping=inputs.configuration.mapping,
        directory=derived.directory,
        card=inputs.configuration.rate_card,
    )


def _chosen(name: str, only: int | None, statement: Statement, folder: Path) -> Invoice:
    """Find an invoice by its number, then by its cost center, or raise WrongUsage."""
    issued = {invoice.number: invoice for invoice in statement.invoices if invoice.number}
    by_code = {invoice.cost_center.code: invoice for invoice in statement.invoices}
    invoice = issued.get(name) or by_code.get(name)
    if invoice is None:
        known = "number or the cost center"
        message = f"no invoice of this billing cycle has the {known} {quoted(name)}"
        hint = _suggested(name, [*issued, *by_code])
    elif not invoice.number:
        message = f"cost center {quoted(name)} has no invoice in this billing cycle"
        hint = "there is nothing to explain: it was charged nothing"
    elif only is not None and only > len(invoice.lines):
        message = f"invoice {quoted(invoice.number)} has no line {only}"
        hint = f"choose one of 1 to {len(invoice.lines)}, or leave out --line"
    else:
        return invoice
    raise WrongUsage(Problem(source=str(folder), message=message, hint=hint))


def _suggested(name: str, known: Iterable[str]) -> str:
    near = did_you_mean(name, known)
    if near:
        return f"did you mean {quoted(near)}?"
    return "give the number of an invoice, or a cost center's code"
