"""`people`: who used ACUs in a cycle, as a file in which each of them gets a cost center."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from reportgen.archive.disk import written_beside
from reportgen.core.model import CostCenter
from reportgen.core.money import fixed, plain, printed, shown, total
from reportgen.core.problem import Problem, Rejected
from reportgen.core.written.people import ListedPerson, Placement, kept
from reportgen.core.written.people_file import PEOPLE_COLUMNS, TO_FILL, people_csv
from reportgen.derive import Derived, Inputs, derive
from reportgen.operations.building.inputs import stored_inputs
from reportgen.operations.context import DONE, Context
from reportgen.operations.cycles import archived_cycle
from reportgen.operations.opening import looked_at
from reportgen.operations.people import people_file, people_of, user_file_line
from reportgen.operations.sealed.handing_out import refuse_within_closed
from reportgen.sources.config.configuration import Configuration

OWNER, GROUP = 0o600, 0o640


def people(config: Path, selector: str, output: Path | None, context: Context) -> int:
    """List who used ACUs in a collected cycle, on the terminal or into a file; offline."""
    configuration = looked_at(config, context)
    updated = _refuse_in_the_way(output, configuration) if output else False
    cycle = archived_cycle(configuration, selector, context)
    inputs = stored_inputs(configuration, cycle, context)
    derived = derive(inputs)
    listed = people_of(inputs, derived)
    values = _values(listed, derived)
    if output is None:
        context.terminal.document(people_csv(listed, derived.statement.heading.decimals))
        context.terminal.say(_summary(listed, derived))
    else:
        _write(output, listed, inputs, derived, updated=updated)
        _tell(output, listed, (inputs, derived), context, updated=updated)
        values["file"] = str(output)
    context.terminal.values(values)
    return DONE


def _refuse_in_the_way(output: Path, configuration: Configuration) -> bool:
    """Tell whether a file is the user file that is brought up to date.

    Raises Rejected for any other that is there, or where none can be written.
    """
    refuse_within_closed(output, "name a place outside of the cycle")
    if not output.parent.is_dir():
        message, hint = "this folder does not exist", "make it first, or correct the path"
        raise Rejected([Problem(source=str(output.parent), message=message, hint=hint)])
    if not os.path.lexists(output):
        return False
    hint = "name another file, or move it away: only a list that `user_file` names is updated"
    if not _is_user_file(output, configuration):
        raise Rejected([Problem(source=str(output), message="this is there already", hint=hint)])
    if flaws := _unreadable(configuration):
        raise Rejected(configuration.located(flaws))
    return True


def _is_user_file(output: Path, configuration: Configuration) -> bool:
    """Tell whether a file is the mapping's user file, and a list of people that we wrote."""
    name = configuration.keys.get("user_file", "")
    if not name or not output.exists() or not output.samefile(configuration.paths[name]):
        return False
    user_file = configuration.mapping.user_file
    return user_file is not None and user_file.columns == PEOPLE_COLUMNS


def _unreadable(configuration: Configuration) -> list[Problem]:
    """Give what is wrong in rows that could not be written again as they are."""
    return [
        value.flaw.problem
        for rule in configuration.mapping.rules
        if rule.section == "user_file"
        for value in rule.values
        if value.flaw and value.flaw.kind not in {"undeclared", "several", "untold"}
    ]


def _write(
    output: Path, listed: Sequence[ListedPerson], inputs: Inputs, derived: Derived, *, updated: bool
) -> None:
    """Write the file whole; what is updated keeps everybody who is in it."""
    configuration = inputs.configuration
    rest = kept(configuration.mapping, listed) if updated else []
    centers = _chargeable(configuration.mapping.cost_centers, inputs)
    decimals = derived.statement.heading.decimals
    content = people_file(output.name, [*listed, *rest], centers, decimals)
    mode = GROUP if configuration.group_reads else OWNER
    with written_beside(output.resolve(), mode) as file:
        file.write(content)


def _chargeable(centers: Iterable[CostCenter], inputs: Inputs) -> list[CostCenter]:
    """Give the cost centers that can be charged at the end of a cycle."""
    last = inputs.cycle.previous_day()
    return [center for center in centers if center.closed is None or center.closed >= last]


def _tell(
    output: Path,
    listed: Sequence[ListedPerson],
    sources: tuple[Inputs, Derived],
    context: Context,
    *,
    updated: bool,
) -> None:
    """Say what is in the file, and what to do with it."""
    inputs, derived = sources
    configuration, result = inputs.configuration, context.terminal.result
    result(f"{'Updated' if updated else 'Wrote'} {output}: {_summary(listed, derived)}")
    if updated:
        result(f"Fill the column {TO_FILL}, then build again.")
        return
    mapping = configuration.paths[configuration.keys["mapping"]]
    result(f"Fill the column {TO_FILL}; {mapping} takes the file by this line:")
    result(user_file_line(output, Path(mapping)))


def _summary(listed: Sequence[ListedPerson], derived: Derived) -> str:
    heading = derived.statement.heading
    count = sum(not person.own_rule for person in listed)
    acus = shown(total(person.acus for person in listed))
    amount = fixed(total(person.amount for person in listed), heading.decimals)
    people = "1 person" if len(listed) == 1 else f"{len(listed)} people"
    return (
        f"{people}, {acus} ACUs, {heading.currency} {amount}; {count} without a rule of their own"
    )


def _values(listed: Sequence[ListedPerson], derived: Derived) -> dict[str, Any]:
    heading = derived.statement.heading
    return {
        "cycle": {"start": str(heading.cycle.start), "end": str(heading.cycle.end)},
        "currency": heading.currency,
        "people": [_person_values(person, heading.decimals) for person in listed],
    }


def _person_values(person: ListedPerson, decimals: int) -> dict[str, Any]:
    return {
        "user_id": person.key,
        "name": person.name or None,
        "email": person.email or None,
        "organizations": list(person.organizations),
        "acus": plain(printed(person.acus)),
        "amount": fixed(person.amount, decimals),
        "charged_to": list(person.charged_to),
        "rules": list(person.rules),
        "own_rule": person.own_rule,
        "suggestion": person.suggestion or None,
        "placements": list(map(_placement_values, person.placements)),
    }


def _placement_values(said: Placement) -> dict[str, Any]:
    return {
        "cost_center": said.cost_center,
        "share": said.share or None,
        "from": said.start and said.start.isoformat(),
        "until": said.until and said.until.isoformat(),
    }
