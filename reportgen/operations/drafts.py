"""The drafts of a cycle: everything is derived, drawn and checked before the first file is replaced."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread

from reportgen.archive.folder import (
    REPLACED,
    cycle_folder,
    refuse_sealed,
    staged,
)
from reportgen.core.model import Statement
from reportgen.core.money import fixed, plain, shown
from reportgen.core.problem import Problem, Rejected
from reportgen.core.statement_json import statement_values
from reportgen.core.text import quoted
from reportgen.derive import Inputs, derive
from reportgen.documents.limits import limit_this_process
from reportgen.documents.render import Design, Task, render
from reportgen.documents.templating.templates import opened
from reportgen.operations.artifacts import design_of, everybody, stored_files, tasks
from reportgen.operations.context import DONE, NOT_TIED_OUT, Context
from reportgen.sources.api.reading import NOT_ASKED


def produce(inputs: Inputs, context: Context, workers: int) -> int:
    """Derive everything, then write it: nothing appears before all of it is known to be right."""
    folder = cycle_folder(inputs.configuration.archive, inputs.cycle.start)
    refuse_sealed(folder)
    design = design_of(inputs.configuration)
    derived = derive(inputs)
    context.terminal.problems(derived.warnings)
    known = everybody(inputs, derived)
    listed = tasks(derived, known, design)
    with staged(folder, REPLACED) as stage:
        for name, content in stored_files(inputs, derived, known, design):
            stage.write(name, content)
        try:
            for name, content in _documents(listed, design, workers, context):
                stage.write(name, content)
        except Rejected as rejected:
            raise Rejected(opened(rejected.problems, inputs.configuration.templates)) from None
    return _report(derived.statement, folder, context)


def _documents(
    listed: list[Task], design: Design, workers: int, context: Context
) -> Iterator[tuple[str, bytes]]:
    """Render every document in worker processes."""
    with (
        ProcessPoolExecutor(min(workers, len(listed)), initializer=_begin) as executor,
        context.terminal.progress("Rendering documents") as advance,
    ):
        for done, document in enumerate(render(listed, design, executor), start=1):
            advance(done, len(listed))
            yield document


def _begin() -> None:
    """Give a worker its limits, and its end."""
    limit_this_process()
    _end_with_the_command()


def _end_with_the_command() -> None:
    """Let a worker end when the command is killed; it would wait for work for ever."""
    command = parent_process()

    def wait() -> None:
        if command:
            command.join()
            os._exit(1)

    Thread(target=wait, daemon=True).start()


def _report(statement: Statement, folder: Path, context: Context) -> int:
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
    context.terminal.table(columns, rows, numbers=("ACUs", amount), wrap="name")
    for line in _tie_out_lines(statement):
        context.terminal.result(line)
    context.terminal.result(f"Documents in {folder}: open {folder / 'index.html'}")
    context.terminal.values({"folder": str(folder), **statement_values(statement)})
    context.terminal.problems(_disagreements(statement, folder))
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
        found.append(
            Problem(source=source, message=message, hint="the statement lists them; ask the vendor")
        )
    if not statement.tie_out.holds:
        found.append(
            Problem(
                source=source,
                message="the tie-out is not zero",
                hint="report this: it must never happen",
            )
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
