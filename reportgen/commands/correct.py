"""`correct`: a closed cycle collected again, and what changed issued as credit and debit notes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reportgen.archive.folder import (
    EVIDENCE,
    correction_folder,
    cycle_folder,
    refuse_unwritable,
    standing_folder,
)
from reportgen.archive.manifest import Sealed
from reportgen.archive.refetch import apart
from reportgen.core.charging.credit_notes import Notes
from reportgen.core.model import Standing
from reportgen.core.money import fixed, shown, total
from reportgen.core.problem import Problem
from reportgen.core.proving import close
from reportgen.core.proving.close import Accepted, Close, People, Refusal
from reportgen.core.written.correction_json import correction_values
from reportgen.documents.templating.templates import read_templates
from reportgen.operations.building.exports import refuse_unexportable
from reportgen.operations.building.readiness import ready_to_draw
from reportgen.operations.collecting.collection import Effort
from reportgen.operations.context import DONE, NOT_TIED_OUT, Context
from reportgen.operations.cycles import archived_cycle
from reportgen.operations.opening import opened, warnings_of
from reportgen.operations.sealed.correcting import (
    Corrected,
    Ground,
    coarser_than_before,
    correction_of,
    refuse_open,
)
from reportgen.operations.sealed.sealing import Source, sealed, sealing
from reportgen.sources.config.configuration import Configuration, load
from reportgen.sources.config.resolved import RULES_VERSION

SEALED_RULES = (
    "It was charged by the mapping and rates it was sealed with; --config takes edited ones"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What whoever corrects says: why, who, by which edited configuration, and if in earnest."""

    reason: str
    people: People
    edited: Path | None = None
    dry_run: bool = False


def correct(
    config: Path, selector: str, context: Context, effort: Effort, order: Order, workers: int
) -> int:
    """Issue notes for what a closed cycle comes to otherwise now, or say that nothing changed."""
    live = opened(config, context)
    refuse_unwritable(live.archive, live.archive_source)
    edited = load(order.edited) if order.edited else None
    context.terminal.problems(warnings_of(live))
    cycle = archived_cycle(live, selector, context)
    folder = cycle_folder(live.archive, cycle.start)
    refuse_open(folder)
    group, keep = live.group_reads, not (order.dry_run or live.replay)
    with (
        ready_to_draw(live),
        sealing(live.archive) as chain,
        apart(folder, context.now(), group=group, keep=keep) as place,
    ):
        before = standing_folder(live.archive, cycle.start)
        ground = Ground(before=before, live=live, edited=edited)
        made = correction_of(ground, order.reason, place, context, effort)
        context.terminal.problems(made.derived.warnings)
        refused = _refusals(made, live, order, accept_refused=effort.accept_refused)
        standing = [one for one in refused if not one.acceptable]
        if standing or order.dry_run or not made.notes.issued:
            return _tell_unissued(made, standing, order, context)
        templates = read_templates(live.templates)
        refuse_unexportable(made.inputs, made.derived, templates)
        number = made.notes.correcting.number
        source = Source(
            folder=correction_folder(live.archive, cycle.start, number),
            evidence=place / EVIDENCE,
            templates=templates,
        )
        decided = _decided(made, refused, order, chain, context)
        link = sealed(made.inputs, made.derived, decided, source, context, workers)
    return _tell(link, made, decided, context)


def _refusals(
    made: Corrected, live: Configuration, order: Order, *, accept_refused: bool
) -> list[Refusal]:
    """Judge a correction; what may be accepted is, for the reason that is given anyway."""
    statement, card = made.derived.statement, made.inputs.configuration.rate_card
    coarser = coarser_than_before(made.stood, statement)
    return [
        *close.of_figures(statement, made.derived.allocations, card, live.terms),
        *close.of_people(order.people, live.terms),
        *(replace(one, acceptable=accept_refused) for one in coarser),
    ]


def _decided(
    made: Corrected,
    refused: Sequence[Refusal],
    order: Order,
    chain: Sequence[Sealed],
    context: Context,
) -> Close:
    """Put together what is recorded of the correction."""
    configuration = made.inputs.configuration
    return Close(
        cycle=made.inputs.cycle,
        sealed_at=context.now().replace(microsecond=0),
        enterprise=configuration.settings.enterprise,
        sequence=chain[-1].manifest.sequence + 1,
        previous_seal=chain[-1].seal,
        rules_version=RULES_VERSION,
        people=order.people,
        accepted=tuple(
            Accepted(condition=one.condition, message=one.message, reason=order.reason)
            for one in refused
        ),
        keys=dict(configuration.keys),
        correcting=made.inputs.correcting,
    )


def _tell_unissued(
    made: Corrected, refused: Sequence[Refusal], order: Order, context: Context
) -> int:
    """Say why nothing is issued: it may not be, was not to be, or there is nothing."""
    notes, folder = made.notes, made.before
    context.terminal.problems(
        Problem(source=str(folder), message=f"cannot be corrected: {one.message}", hint=one.hint)
        for one in refused
    )
    if not refused:
        _tell_notes(made, context)
    context.terminal.values(
        _values(made) | {"folder": None, "seal": None, "refused": [one.message for one in refused]}
    )
    if refused:
        return NOT_TIED_OUT
    if order.dry_run and notes.issued:
        context.terminal.result("Nothing was written, as --dry-run was given")
    elif notes.too_small:
        context.terminal.result(
            "Nothing is issued, and nothing was written: what changed is below the minimum"
        )
    elif not notes.issued:
        stands = f"{folder.name} stands as it was sealed"
        context.terminal.result(f"No amount changed, and nothing was written: {stands}")
        if order.edited is None:
            context.terminal.result(SEALED_RULES)
    return DONE


def _tell(link: Sealed, made: Corrected, decided: Close, context: Context) -> int:
    notes, statement = made.notes, made.derived.statement
    heading = statement.heading
    for one in decided.accepted:
        context.terminal.say(f"Accepted: {one.message}: {one.reason}")
    _tell_notes(made, context)
    count = len(notes.issued)
    context.terminal.result(
        f"Corrected {made.before.name}: {count} {'note' if count == 1 else 'notes'}, "
        f"{heading.currency} {fixed(notes.amount, heading.decimals)}; documents in {link.folder}"
    )
    context.terminal.result(f"Seal {link.seal}, number {link.manifest.sequence} in the chain")
    context.terminal.values(
        _values(made)
        | {"folder": str(link.folder), "seal": link.seal, "sequence": link.manifest.sequence}
    )
    return DONE


def _tell_notes(made: Corrected, context: Context) -> None:
    """List every note, those last that are too small to be issued."""
    notes = made.notes
    if not notes.issued and not notes.too_small:
        return
    currency = made.derived.statement.heading.currency
    figures = ("ACUs changed", f"{currency} before", f"{currency} after", "note")
    rows = list(_rows(notes, notes.correcting.standing))
    columns = ("cost center", "note number", *figures)
    context.terminal.table(columns, rows, numbers=figures, wrap=("note number",))


def _rows(notes: Notes, standing: Standing) -> Iterator[tuple[str, ...]]:
    for values in (notes.issued, notes.too_small):
        for code, note in values.items():
            stood = standing.invoices.get(code)
            lines = stood.lines if stood else ()
            before = total(line.amount for line in lines)
            acus = total(line.acus for line in note.lines)
            yield (
                *(code, note.number or "below the minimum, not issued", shown(acus)),
                fixed(before, standing.decimals),
                fixed(total((before, note.amount)), standing.decimals),
                fixed(note.amount, standing.decimals),
            )


def _values(made: Corrected) -> dict[str, Any]:
    return correction_values(made.notes, made.derived.statement)
