"""What exports of a cycle are made of, and what is chosen of them by the configuration."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

from reportgen.archive.folder import correction_folder, cycle_folder
from reportgen.core.booking.vouchers import UNSEALED
from reportgen.core.cycle import BillingCycle, contract_cycles
from reportgen.core.model import Directory
from reportgen.core.problem import Rejected
from reportgen.core.written.correction_json import correction_json
from reportgen.core.written.privacy import ShownAllocations, redacted
from reportgen.core.written.statement_json import statement_json
from reportgen.derive import Derived, Inputs, calendar
from reportgen.documents.exports.formats import FORMATS
from reportgen.documents.exports.material import Booking, Material, Options
from reportgen.documents.exports.parquet import pyarrow_version
from reportgen.documents.templating.templates import opened
from reportgen.operations.building.artifacts import everybody, marks_of
from reportgen.sources.config.configuration import Configuration
from reportgen.sources.config.schema import JournalSection

STAMPED = 8
"""Characters of a seal, or of a hash, that a key ends with."""

PYARROW = "pyarrow"


def export_versions(names: Iterable[str]) -> dict[str, str]:
    """Give the versions of what decides the bytes of some formats, or of some such libraries."""
    return {PYARROW: pyarrow_version()} if {"parquet", PYARROW} & set(names) else {}


def options_of(configuration: Configuration) -> Options:
    """Say what the configuration chooses of exports."""
    settings = configuration.settings
    options = Options(
        booking=Booking(configured=configuration.main),
        focus_version=settings.focus.version,
        locale=settings.invoice.locale,
    )
    section = settings.journal
    if section is None:
        return options
    return replace(
        options,
        booking=_booking(configuration, section),
        layout=section.layout,
        split_periods=section.split_periods,
    )


def _booking(configuration: Configuration, section: JournalSection) -> Booking:
    return Booking(
        configured=configuration.main,
        posting=configuration.posting,
        centers={
            center.code: replace(center, source=configuration.opened(center.source))
            for center in configuration.mapping.cost_centers
        },
        ledger=section.ledger,
        source=section.source,
        category=section.category,
        segment_separator=section.segment_separator,
    )


def refuse_unexportable(inputs: Inputs, derived: Derived, templates: Mapping[str, str]) -> None:
    """Raise Rejected where what a close exports cannot be made, before anything is made."""
    configuration = inputs.configuration
    forms = (FORMATS[kind] for kind in configuration.settings.close.exports)
    trials = [form for form in forms if form.may_refuse]
    if not trials:
        return
    material = material_of(inputs, derived, everybody(inputs, derived), templates)
    try:
        for form in trials:
            deque(form.write([material], options_of(configuration)), maxlen=0)
    except Rejected as rejected:
        raise Rejected(opened(rejected.problems, configuration.templates)) from None


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
        stamp=_stamp(inputs, derived, seal),
        statement=statement,
        allocations=ShownAllocations(allocations=derived.allocations, directory=known, users=users),
        charges=derived.charges,
        directory=shown,
        rules=configuration.mapping,
        card=configuration.rate_card,
        users=users,
        collected_at=_collected_at(inputs),
        templates=templates,
        marks=marks_of(inputs.responses),
        notes=derived.notes,
    )


def _collected_at(inputs: Inputs) -> str:
    """Give the moment of the last answer, in UTC to the second."""
    fetched = (datetime.fromisoformat(one.fetched_at) for one in inputs.responses.values())
    return max(fetched).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _stamp(inputs: Inputs, derived: Derived, seal: str | None) -> str:
    """Give what keys end with: the beginning of the seal.

    A journal that is sealed itself cannot have it, and one that is made of the cycle later must
    have the same keys: where the close makes one, they end with the hash of `statement.json`.
    """
    if not inputs.issue:
        return UNSEALED
    if seal and "journal" not in inputs.configuration.settings.close.exports:
        return seal[:STAMPED]
    stated = statement_json(derived.statement)
    if derived.notes:  # what a correction states may be what was stated before another
        stated = correction_json(derived.notes, derived.statement)
    return sha256(stated.encode()).hexdigest()[:STAMPED]


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
