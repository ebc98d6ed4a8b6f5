"""`build`: the evidence of a cycle becomes ledger, invoices and statement, as drafts, offline."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from pathlib import Path

from reportgen.archive import evidence
from reportgen.archive.codec import ledger_csv, statement_json, statement_values, tie_out_csv
from reportgen.archive.folder import (
    EVIDENCE,
    collected,
    cycle_folder,
    refuse_sealed,
    refuse_unwritable,
    staged,
)
from reportgen.commands.edge import DONE, NOT_TIED_OUT, Edge, choose_cycle
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import Statement
from reportgen.core.money import fixed, plain, printed
from reportgen.core.problem import Problem, Rejected
from reportgen.derive import Derived, Inputs, derive
from reportgen.documents.render import Design, render, tasks_of
from reportgen.documents.templates import read_templates
from reportgen.sources import v3
from reportgen.sources.ask import answer_from
from reportgen.sources.config import Configuration, load


def build(config: Path, selector: str, edge: Edge, workers: int) -> int:
    """Build the documents of a collected cycle."""
    configuration = load(config)
    edge.terminal.problems(configuration.warnings)
    refuse_unwritable(configuration.archive, configuration.archive_source)
    cycle = archived_cycle(configuration, selector, edge)
    path = cycle_folder(configuration.archive, cycle.start) / EVIDENCE
    responses = evidence.read(path)
    inputs = Inputs(configuration=configuration, cycle=cycle, responses=responses, source=str(path))
    return produce(inputs, edge, workers)


def produce(inputs: Inputs, edge: Edge, workers: int) -> int:
    """Derive everything, then write it: nothing appears before all of it is known to be right."""
    folder = cycle_folder(inputs.configuration.archive, inputs.cycle.start)
    refuse_sealed(folder)
    design = _design(inputs.configuration)
    derived = derive(inputs)
    edge.terminal.problems(derived.warnings)
    with staged(folder) as stage:
        for name, text in (_input_texts(inputs, design) | _tables(derived)).items():
            stage.write(name, text.encode())
        if inputs.configuration.replay:
            stage.write(EVIDENCE, evidence.encode(inputs.responses.values()))
        for name, content in _documents(derived, design, workers, edge):
            stage.write(name, content)
    return _report(derived.statement, folder, edge)


def archived_cycle(configuration: Configuration, selector: str, edge: Edge) -> BillingCycle:
    """Resolve `--cycle` from the archived evidence, and see that this cycle has been collected."""
    known: set[BillingCycle] = set()
    for path in collected(configuration.archive):
        answers = evidence.read(path, only=v3.CYCLES)
        known |= set(answer_from(v3.cycles(), answers, str(path)))
    if not known:
        raise Rejected([_not_collected(str(configuration.archive), "no billing cycle has been collected yet")])
    cycle = choose_cycle(selector, sorted(known), edge)
    folder = cycle_folder(configuration.archive, cycle.start)
    if not (folder / EVIDENCE).exists():
        raise Rejected([_not_collected(str(folder), "this billing cycle has not been collected")])
    return cycle


def _not_collected(source: str, message: str) -> Problem:
    return Problem(source=source, message=message, hint="run `reportgen collect` first")


def _design(configuration: Configuration) -> Design:
    settings = configuration.settings.invoice
    templates = read_templates(configuration.templates)
    return Design(templates=templates, accent=settings.accent, locale=settings.locale, note=settings.note)


def _input_texts(inputs: Inputs, design: Design) -> dict[str, str]:
    """Keep configuration and templates as they were used: the documents are a function of them."""
    files = {f"inputs/config/{name}": text for name, text in inputs.configuration.files.items()}
    return files | {f"inputs/templates/{name}": text for name, text in design.templates.items()}


def _tables(derived: Derived) -> dict[str, str]:
    return {
        "statement.json": statement_json(derived.statement),
        "ledger.csv": ledger_csv(derived.allocations),
        "tie_out.csv": tie_out_csv(derived.statement.tie_out_rows),
    }


def _documents(derived: Derived, design: Design, workers: int, edge: Edge) -> Iterator[tuple[str, bytes]]:
    """Render every document in worker processes."""
    tasks = tasks_of(derived.statement, derived.directory, design)
    with (
        ProcessPoolExecutor(min(workers, len(tasks))) as executor,
        edge.terminal.progress("Rendering documents") as advance,
    ):
        for done, document in enumerate(render(tasks, design, executor), start=1):
            advance(done, len(tasks))
            yield document


def _report(statement: Statement, folder: Path, edge: Edge) -> int:
    """Print the closing table and the tie-out, and give the exit code."""
    decimals = statement.heading.decimals
    rows = [
        (
            invoice.cost_center.code,
            invoice.cost_center.name,
            _shown(invoice.acus),
            fixed(invoice.amount, decimals),
            f"invoices/{invoice.number}.pdf" if invoice.number else "",
        )
        for invoice in statement.invoices
    ]
    amount = f"amount {statement.heading.currency}"
    edge.terminal.table(("cost center", "name", "ACUs", amount, "file"), rows, numbers=("ACUs", amount))
    for line in _tie_out_lines(statement):
        edge.terminal.result(line)
    edge.terminal.result(f"Documents in {folder}")
    edge.terminal.values({"folder": str(folder), **statement_values(statement)})
    sound = statement.tie_out.holds and not statement.discrepancies
    return DONE if sound else NOT_TIED_OUT


def _tie_out_lines(statement: Statement) -> Iterator[str]:
    """Write both identities, each on a line that ends with its difference."""
    tie, heading = statement.tie_out, statement.heading
    yield (
        f"Tie-out, ACUs: control {_shown(tie.control_acus)} − allocated {_shown(tie.allocated_acus)} "
        f"− unallocated {_shown(tie.unallocated_acus)} = {plain(tie.difference_acus)}"
    )
    chargeable, fees, invoiced, unborne, difference = (
        fixed(amount, heading.decimals)
        for amount in (
            *(tie.chargeable_amount, tie.fees_amount),
            *(tie.invoiced_amount, tie.unborne_amount, tie.difference_amount),
        )
    )
    yield (
        f"Tie-out, {heading.currency}: chargeable {chargeable} + fees {fees} "
        f"− invoiced {invoiced} − unborne {unborne} = {difference}"
    )


def _shown(acus: Decimal) -> str:
    """Write ACUs for a terminal; statement.json has them exactly."""
    return f"{printed(acus, 4):f}"
