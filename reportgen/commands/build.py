"""`build`: the evidence of a cycle becomes ledger, invoices and statement, as drafts, offline."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread

from reportgen.archive import directory, evidence, history
from reportgen.archive.codec import ledger_csv, statement_json, statement_values, tie_out_csv, unallocated_csv
from reportgen.archive.folder import (
    ASSETS,
    DIRECTORY,
    EVIDENCE,
    HISTORY,
    REPLACED,
    cycle_folder,
    locked,
    refuse_sealed,
    refuse_unwritable,
    staged,
)
from reportgen.commands.calendar import archived_cycle
from reportgen.commands.edge import DONE, NOT_TIED_OUT, Edge
from reportgen.commands.inputs import stored_inputs
from reportgen.core.directory import joined
from reportgen.core.model import Statement
from reportgen.core.money import fixed, plain, shown
from reportgen.core.problem import Problem, quoted
from reportgen.core.unallocated import UnallocatedRow, unallocated_rows
from reportgen.derive import Derived, Inputs, derive
from reportgen.documents.render import Design, render, tasks_of
from reportgen.documents.templates import read_templates
from reportgen.sources.config import Configuration, load
from reportgen.sources.reading import NOT_ASKED


def build(config: Path, selector: str, edge: Edge, workers: int) -> int:
    """Build the documents of a collected cycle."""
    configuration = load(config)
    edge.terminal.problems(configuration.warnings)
    refuse_unwritable(configuration.archive, configuration.archive_source)
    cycle = archived_cycle(configuration, selector, edge)
    with locked(cycle_folder(configuration.archive, cycle.start)):
        return produce(stored_inputs(configuration, cycle, edge), edge, workers)


def produce(inputs: Inputs, edge: Edge, workers: int) -> int:
    """Derive everything, then write it: nothing appears before all of it is known to be right."""
    folder = cycle_folder(inputs.configuration.archive, inputs.cycle.start)
    refuse_sealed(folder)
    design = _design(inputs.configuration)
    derived = derive(inputs)
    edge.terminal.problems(derived.warnings)
    with staged(folder, REPLACED) as stage:
        for name, text in (_input_texts(inputs, design) | _tables(inputs, derived)).items():
            stage.write(name, text.encode())
        for name, path in _assets(inputs).items():
            stage.write(name, path.read_bytes())
        stage.write(DIRECTORY, directory.encode(joined(derived.directory, inputs.remembered)))
        stage.write(HISTORY, history.encode(inputs.previous))
        if inputs.configuration.replay:
            stage.write(EVIDENCE, evidence.encode(inputs.responses.values()))
        for name, content in _documents(derived, design, workers, edge):
            stage.write(name, content)
    return _report(derived.statement, folder, edge)


def _design(configuration: Configuration) -> Design:
    settings = configuration.settings.invoice
    templates = read_templates(configuration.templates)
    return Design(
        templates=templates,
        accent=settings.accent,
        locale=settings.locale,
        note=settings.note,
        summaries=settings.summaries,
    )


def _input_texts(inputs: Inputs, design: Design) -> dict[str, str]:
    """Keep configuration and templates as they were used: the documents are a function of them."""
    files = {f"inputs/config/{name}": text for name, text in inputs.configuration.files.items()}
    return files | {f"inputs/templates/{name}": text for name, text in design.templates.items()}


def _assets(inputs: Inputs) -> dict[str, Path]:
    """Give the vendor's invoice itself, where the rate card names the file: it travels with the cycle."""
    invoice = inputs.configuration.rate_card.vendor_invoices.get(inputs.cycle.start)
    document = invoice.document if invoice else None
    return {f"{ASSETS}/{document}": inputs.configuration.assets[document]} if document else {}


def _tables(inputs: Inputs, derived: Derived) -> dict[str, str]:
    return {
        "statement.json": statement_json(derived.statement),
        "ledger.csv": ledger_csv(derived.allocations),
        "tie_out.csv": tie_out_csv(derived.statement.tie_out_rows),
        "unallocated.csv": unallocated_csv(_unallocated(inputs, derived), derived.statement.heading.decimals),
    }


def _unallocated(inputs: Inputs, derived: Derived) -> list[UnallocatedRow]:
    return unallocated_rows(
        derived.allocations,
        (line for lines in derived.charges.lines.values() for line in lines),
        inputs.configuration.mapping,
        derived.directory,
        decimals=derived.statement.heading.decimals,
        day=inputs.cycle.previous_day(),
    )


def _documents(derived: Derived, design: Design, workers: int, edge: Edge) -> Iterator[tuple[str, bytes]]:
    """Render every document in worker processes."""
    tasks = tasks_of(derived.statement, derived.directory, design)
    with (
        ProcessPoolExecutor(min(workers, len(tasks)), initializer=_end_with_the_command) as executor,
        edge.terminal.progress("Rendering documents") as advance,
    ):
        for done, document in enumerate(render(tasks, design, executor), start=1):
            advance(done, len(tasks))
            yield document


def _end_with_the_command() -> None:
    """Let a worker end when the command is killed; it would wait for work for ever."""
    command = parent_process()

    def wait() -> None:
        if command:
            command.join()
            os._exit(1)

    Thread(target=wait, daemon=True).start()


def _report(statement: Statement, folder: Path, edge: Edge) -> int:
    """Print the closing table, the tie-out and what disagrees, and give the exit code."""
    decimals = statement.heading.decimals
    rows = [
        (
            invoice.cost_center.code,
            invoice.cost_center.name,
            shown(invoice.borne_acus),
            fixed(invoice.amount, decimals),
            f"{invoice.number}.pdf" if invoice.number else "",
        )
        for invoice in statement.invoices
    ]
    amount = f"amount {statement.heading.currency}"
    columns = ("cost center", "name", "ACUs", amount, "file")
    edge.terminal.table(columns, rows, numbers=("ACUs", amount), wrap="name")
    for line in _tie_out_lines(statement):
        edge.terminal.result(line)
    edge.terminal.result(f"Documents in {folder}, a PDF and a workbook per cost center in {folder / 'invoices'}")
    edge.terminal.values({"folder": str(folder), **statement_values(statement)})
    edge.terminal.problems(_disagreements(statement, folder))
    sound = statement.tie_out.holds and not statement.discrepancies
    return DONE if sound else NOT_TIED_OUT


def _disagreements(statement: Statement, folder: Path) -> list[Problem]:
    """Say which questions were refused, and where views of the API contradict each other."""
    source = str(folder / "statement.pdf")
    found = [
        Problem(
            source=source,
            message=f"{view}: the decomposition is coarser",
            hint="nobody is charged twice; "
            + (
                "role assignments or sessions that name organizations leave fewer pairs open"
                if view.endswith(NOT_ASKED)
                else "collect with --refresh once it is permitted, or the list is whole"
            ),
            warning=True,
        )
        for view in statement.heading.missing_views
    ]
    if statement.discrepancies:
        worst = max(statement.discrepancies, key=lambda discrepancy: discrepancy.acus.copy_abs())
        count = len(statement.discrepancies)
        message = (
            f"views of the API disagree in {count} {'cell' if count == 1 else 'cells'}, "
            f"most on {worst.day} in {quoted(worst.product)}: {shown(worst.acus)} ACUs"
        )
        found.append(Problem(source=source, message=message, hint="the statement lists them; ask the vendor"))
    if not statement.tie_out.holds:
        found.append(
            Problem(source=source, message="the tie-out is not zero", hint="report this: it must never happen")
        )
    return found


def _tie_out_lines(statement: Statement) -> Iterator[str]:
    """Write both identities, each on a line that ends with its difference."""
    tie, heading = statement.tie_out, statement.heading
    yield (
        f"Tie-out, ACUs: control {shown(tie.control_acus)} − allocated {shown(tie.allocated_acus)} "
        f"− unallocated {shown(tie.unallocated_acus)} = {plain(tie.difference_acus)}"
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
