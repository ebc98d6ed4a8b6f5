"""`check`: every problem of a configuration at once; with a cycle, also against real usage."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from reportgen.archive.draft import torn
from reportgen.archive.folder import cycle_folder
from reportgen.core.allocating.allocate import date_gaps, unmapped
from reportgen.core.allocating.user_file import counted, unneeded
from reportgen.core.model import Invoice, Mapping
from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.derive import Derived, derive
from reportgen.documents.templating.templates import read_templates
from reportgen.operations.building.artifacts import design_of, everybody, tasks
from reportgen.operations.building.bearers import bearer_values, list_bearers, without_own_rule
from reportgen.operations.building.inputs import stored_inputs
from reportgen.operations.building.readiness import undrawable
from reportgen.operations.connect import refuse_missing_recording
from reportgen.operations.context import DONE, Context
from reportgen.operations.cycles import archived_cycle
from reportgen.operations.mail.letters import contacts_in
from reportgen.operations.opening import looked_at, warnings_of
from reportgen.sources.config.configuration import Configuration


def check(config: Path, selector: str | None, context: Context) -> int:
    """Report problems and warnings; raises Rejected where there is a problem."""
    configuration = looked_at(config, context)
    refuse_missing_recording(configuration)
    warnings = warnings_of(configuration)
    lists: dict[str, Any] = {}
    if selector is None:
        warnings += configuration.located(_unusable_rows(configuration.mapping))
    else:
        cycle = archived_cycle(configuration, selector, context)
        inputs = stored_inputs(configuration, cycle, context)
        derived = derive(inputs)
        warnings += _against_usage(
            configuration, derived, cycle_folder(configuration.archive, cycle.start)
        )
        design = design_of(configuration, read_templates(configuration.templates))
        listed = tasks(derived, everybody(inputs, derived), design)
        warnings += undrawable(listed, configuration)
        list_bearers(derived.statement, derived.directory, context)
        lists = bearer_values(derived.statement)
    warnings = list(dict.fromkeys(warnings))
    context.terminal.problems(warnings)
    context.terminal.result(
        f"No problems, {len(warnings)} {'warning' if len(warnings) == 1 else 'warnings'}"
    )
    context.terminal.values(lists)
    return DONE


def _unusable_rows(mapping: Mapping) -> list[Problem]:
    """Warn of rows of the HR export that would be mistakes, did usage need them."""
    flaws = unneeded(mapping, frozenset())
    grave = any(not flaw.problem.warning for flaw in flaws.values())
    hint = "`check --cycle` tells who of them has used ACUs" + ", which makes it a mistake" * grave
    return counted(flaws, "", hint)


def _against_usage(configuration: Configuration, derived: Derived, folder: Path) -> list[Problem]:
    """Hold the configuration against a collected cycle.

    Gives warnings by file and line, then who and what has no rule, the largest first.
    """
    gaps = date_gaps(derived.usage.records, configuration.mapping, derived.directory)
    silent = _without_contacts(derived.statement.invoices)
    passed = without_own_rule(derived.statement, derived.directory)
    orphans = unmapped(derived.allocations, derived.directory, configuration.mapping)
    return [
        *_torn_draft(folder),
        *configuration.located([*derived.warnings, *gaps, *silent, *passed]),
        *(located for orphan in orphans for located in configuration.located([orphan])),
    ]


def _torn_draft(folder: Path) -> list[Problem]:
    """Warn of a draft that a kill left half old and half new."""
    return [replace(problem, warning=True, code="draft-torn") for problem in torn(folder)]


def _without_contacts(invoices: Iterable[Invoice]) -> list[Problem]:
    """Warn of cost centers that get an invoice, but name nobody to send it to."""
    return [
        Problem(
            source=invoice.cost_center.source,
            message=f"cost center {quoted(invoice.cost_center.code)} gets invoice "
            f"{quoted(invoice.number)}, but has no contacts",
            hint=f"write {contacts_in(invoice.cost_center.source)}, so that it can be sent",
            warning=True,
            code="contacts-missing",
        )
        for invoice in invoices
        if invoice.number and not invoice.cost_center.contacts
    ]
