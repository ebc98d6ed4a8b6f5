"""`explain`: a line of an invoice back to its records, rules, rate and the API's answers, offline.

Everything is derived once more from evidence and configuration, and must be what the folder of the
cycle says.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from reportgen.archive.draft import refuse_torn
from reportgen.commands.explain.text import MOST_RECORDS, tell
from reportgen.commands.explain.values import Values, invoice_values
from reportgen.core.explain import AuditTrail, explained
from reportgen.core.model import Invoice, Statement
from reportgen.core.problem import Problem, Rejected
from reportgen.core.statement_json import statement_values
from reportgen.core.text import did_you_mean, quoted
from reportgen.derive import Derived, Inputs, derive
from reportgen.files import content_of
from reportgen.operations.context import DONE, Context, WrongUsage
from reportgen.operations.cycles import archived_folder
from reportgen.operations.inputs import built_inputs
from reportgen.operations.opening import recover
from reportgen.sources.config.configuration import load

NOT_COMPARED = ("status", "variance")
"""What a statement may say otherwise without a line being another."""


def explain(config: Path, selector: str, named: str, context: Context, only: int | None) -> int:
    """Explain an invoice, named by number or cost center: all lines in short, or one in full."""
    configuration = load(config)
    recover(configuration, context)
    cycle, folder = archived_folder(configuration, selector, context)
    refuse_torn(folder)
    written = _written(folder)
    inputs = built_inputs(configuration, cycle, folder, context)
    derived = derive(inputs)
    invoice = _chosen(named, only, derived.statement, folder)
    _refuse_changed(folder, written, derived.statement)
    lines = explained(invoice, _audit_trail(inputs, derived))
    told = [line for line in lines if only in {None, line.number}]
    values = invoice_values(invoice, told, inputs, derived)
    context.terminal.values(values)
    if not context.terminal.machine:
        tell(values, folder, context, len(invoice.lines), most=None if only else MOST_RECORDS)
    return DONE


def _written(folder: Path) -> Values:
    """Read what was built, or raise Rejected where nothing was."""
    path = folder / "statement.json"
    try:
        written = json.loads(content_of(path))
    except FileNotFoundError as error:
        message, hint = "this billing cycle has not been built", "run `reportgen build` first"
        raise Rejected([Problem(source=str(folder), message=message, hint=hint)]) from error
    except (ValueError, RecursionError) as error:
        raise _changed(path, "is not what was written there") from error
    return written if isinstance(written, dict) else {}


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


def _refuse_changed(folder: Path, written: Values, statement: Statement) -> None:
    """Raise Rejected where evidence and configuration come to something else than was built."""
    now = _comparable(json.loads(json.dumps(statement_values(statement))))
    then = _comparable(written)
    if now == then:
        return
    built = {center["code"]: center for center in then.get("cost_centers", [])}
    codes = [
        center["code"] for center in now["cost_centers"] if center != built.get(center["code"])
    ]
    first = f", first in {codes[0]}" if codes else ""
    message = f"evidence and configuration come to something else than was built{first}"
    raise _changed(folder / "statement.json", message)


def _changed(path: Path, message: str) -> Rejected:
    hint = "build again with `reportgen build`, then explain what was built"
    return Rejected([Problem(source=str(path), message=message, hint=hint)])


def _comparable(values: Values) -> Values:
    """Leave out what says nothing of this cycle's charges."""
    kept = {key: value for key, value in values.items() if key not in NOT_COMPARED}
    centers = kept.get("cost_centers")
    if isinstance(centers, list) and all(
        isinstance(center, dict) and "code" in center for center in centers
    ):
        kept["cost_centers"] = [_comparable(center) for center in centers]
    else:
        kept.pop("cost_centers", None)
    return kept
