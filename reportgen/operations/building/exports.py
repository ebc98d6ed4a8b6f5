"""What exports of a cycle are made of, and what is chosen of them by the configuration."""

from collections.abc import Mapping
from datetime import UTC, datetime

from reportgen.archive.folder import correction_folder, cycle_folder
from reportgen.core.cycle import BillingCycle, contract_cycles
from reportgen.core.model import Directory
from reportgen.core.privacy import ShownAllocations, redacted
from reportgen.derive import Derived, Inputs, calendar
from reportgen.documents.exports.material import Material, Options
from reportgen.sources.config.configuration import Configuration


def options_of(_configuration: Configuration) -> Options:
    """Say what the configuration chooses of exports."""
    return Options()


def material_of(
    inputs: Inputs,
    derived: Derived,
    known: Directory,
    templates: Mapping[str, str],
    seal: str | None = None,
) -> Material:
    """Give what is exported of a cycle or a correction; `known` is everybody."""
    configuration = inputs.configuration
    users = configuration.settings.invoice.users
    statement, shown = redacted(derived.statement, known, users)
    return Material(
        folder=_folder_name(inputs),
        period=_period(inputs),
        seal=seal,
        statement=statement,
        allocations=ShownAllocations(allocations=derived.allocations, directory=known, users=users),
        charges=derived.charges,
        directory=shown,
        rules=configuration.mapping,
        card=configuration.rate_card,
        users=users,
        collected_at=_collected_at(inputs),
        templates=templates,
        notes=derived.notes,
    )


def _collected_at(inputs: Inputs) -> str:
    """Give the moment of the last answer, in UTC to the second."""
    fetched = (datetime.fromisoformat(one.fetched_at) for one in inputs.responses.values())
    return max(fetched).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _folder_name(inputs: Inputs) -> str:
    archive, start = inputs.configuration.archive, inputs.cycle.start
    if inputs.correcting:
        return correction_folder(archive, start, inputs.correcting.number).name
    return cycle_folder(archive, start).name


def _period(inputs: Inputs) -> BillingCycle:
    """Give the billing cycle in which it is charged: of a correction the one of its day of issue.

    Where the evidence tells none for that day, cycles are taken to go on as the corrected one does.
    """
    if not (inputs.correcting and inputs.issue):
        return inputs.cycle
    issued = inputs.issue.issued
    if known := calendar(inputs).around(issued):
        return known
    month = issued.year * 12 + issued.month - 1
    months = [(number // 12, number % 12 + 1) for number in (month - 1, month)]
    contract = contract_cycles(inputs.cycle.start.day, months)
    return next(cycle for cycle in reversed(contract) if cycle.start <= issued)
