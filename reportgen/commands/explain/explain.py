"""`explain`: a line of an invoice back to its records, rules, rate and the API's answers, offline.

Everything is derived once more from evidence and configuration, and must be what the folder of the
cycle says. Where that folder is named instead of a configuration, all is read from it as it stands.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from reportgen.archive.draft import refuse_torn
from reportgen.archive.folder import MANIFEST, cycle_around
from reportgen.commands.explain.session import session_values, tell_session
from reportgen.commands.explain.text import MOST_RECORDS, tell
from reportgen.commands.explain.values import invoice_values
from reportgen.core.allocating.match import session_key
from reportgen.core.cycle import resolve
from reportgen.core.model import Invoice, Session, Statement
from reportgen.core.problem import Problem
from reportgen.core.proving.explain import AuditTrail, explained
from reportgen.core.text import did_you_mean, quoted
from reportgen.derive import Derived, Inputs, derive, session_parts
from reportgen.operations.building.archived import archived_inputs, draft_inputs
from reportgen.operations.building.built import refuse_changed, written_statement
from reportgen.operations.building.inputs import built_inputs
from reportgen.operations.context import DONE, Context, WrongUsage
from reportgen.operations.cycles import archived_folder
from reportgen.operations.opening import recover
from reportgen.sources.config.configuration import load


def explain(
    config: Path, selector: str | None, named: str, context: Context, only: int | None
) -> int:
    """Explain an invoice, named by number or cost center: all lines in short, or one in full.

    `config` may be the folder of a cycle, which needs no `selector`.
    """
    folder, inputs = _opened(config, selector, context)
    written = written_statement(folder)
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


def explain_session(config: Path, selector: str | None, named: str, context: Context) -> int:
    """Explain a session: who bears it, by which rule, and what it cost, by day."""
    folder, inputs = _opened(config, selector, context)
    written = written_statement(folder)
    derived = derive(inputs)
    sessions, parts = session_parts(inputs, derived)
    session = _session(named, sessions.known, folder)
    refuse_changed(folder, written, derived.statement)
    own = [part for part in parts if part.session_id == session.session_id]
    values = session_values(session, own, sessions, _audit_trail(inputs, derived), inputs)
    context.terminal.values(values)
    if not context.terminal.machine:
        tell_session(values, folder, context)
    return DONE


def _opened(config: Path, selector: str | None, context: Context) -> tuple[Path, Inputs]:
    if around := cycle_around(config):
        return around, _of_folder(around, selector, context)
    return _of_configuration(config, selector, context)


def _session(named: str, known: Mapping[str, Session], folder: Path) -> Session:
    """Find a session by its id, with or without its prefix, or raise WrongUsage."""
    if session := known.get(session_key(named)):
        return session
    near = did_you_mean(session_key(named), known)
    hint = f"did you mean {quoted(near)}?" if near else "give the id of a session of this cycle"
    message = f"no session that was at work in this billing cycle has the id {quoted(named)}"
    raise WrongUsage(Problem(source=str(folder), message=message, hint=hint))


def _of_configuration(config: Path, selector: str | None, context: Context) -> tuple[Path, Inputs]:
    """Read a cycle of the archive that a configuration names."""
    if selector is None:
        hint = "say which billing cycle with --cycle, or name its folder as CONFIG"
        raise WrongUsage(Problem(source="--cycle", message="it is missing", hint=hint))
    configuration = load(config)
    recover(configuration, context)
    cycle, folder = archived_folder(configuration, selector, context)
    refuse_torn(folder)
    written_statement(folder)
    return folder, built_inputs(configuration, cycle, folder, context)


def _of_folder(folder: Path, selector: str | None, context: Context) -> Inputs:
    """Read a cycle from its own folder, draft or closed; --cycle can only say the same."""
    refuse_torn(folder)
    written_statement(folder)
    inputs = archived_inputs(folder) if (folder / MANIFEST).exists() else draft_inputs(folder)
    meant = selector is None or selector == folder.name
    if not meant and inputs.correcting is None:
        meant = resolve(str(selector), [inputs.cycle], context.today()) == inputs.cycle
    if not meant:
        message = f"{quoted(selector)} is not the billing cycle of {folder}"
        hint = "leave out --cycle: a folder is of one cycle"
        raise WrongUsage(Problem(source="--cycle", message=message, hint=hint))
    context.terminal.say(f"Billing cycle {inputs.cycle} (the end is not part of it)")
    return inputs


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
