"""`close`: the conditions, the final documents, the seal; read-only from then on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reportgen.archive.folder import cycle_folder, locked, refuse_unwritable
from reportgen.archive.manifest import Sealed
from reportgen.core.money import fixed
from reportgen.core.problem import Problem
from reportgen.core.proving.close import Accepted, Close, People, Refusal
from reportgen.derive import Derived, Inputs, derive
from reportgen.operations.building.exports import refuse_unexportable
from reportgen.operations.building.inputs import stored_inputs
from reportgen.operations.building.readiness import ready_to_draw
from reportgen.operations.collecting.collection import Effort, choose, collected_anew
from reportgen.operations.collecting.refusals import refuse_half_way, unexplained_in
from reportgen.operations.context import DONE, NOT_TIED_OUT, Context
from reportgen.operations.cycles import archived_cycle
from reportgen.operations.opening import opened, warnings_of
from reportgen.operations.sealed.conditions import refusals
from reportgen.operations.sealed.exporting import other_than_the_draft
from reportgen.operations.sealed.sealing import sealed, sealing, source_of
from reportgen.sources.config.resolved import RULES_VERSION


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What whoever closes says: who, for which reason in spite of what, and whether in earnest."""

    people: People
    reason: str | None = None
    dry_run: bool = False


def close(
    config: Path, selector: str, context: Context, effort: Effort, decision: Decision, workers: int
) -> int:
    """Close a collected cycle, or say what speaks against it."""
    configuration = opened(config, context)
    refuse_unwritable(configuration.archive, configuration.archive_source)
    context.terminal.problems(warnings_of(configuration))
    if effort.refresh:
        collected_anew(
            configuration, choose(configuration, selector, context, effort), context, effort
        )
    cycle = archived_cycle(configuration, selector, context)
    folder = cycle_folder(configuration.archive, cycle.start)
    with (
        ready_to_draw(configuration),
        sealing(configuration.archive) as chain,
        locked(folder, group=configuration.group_reads),
    ):
        inputs = stored_inputs(configuration, cycle, context)
        derived = derive(inputs)
        missing = derived.statement.heading.missing_views
        refuse_half_way(missing, inputs.accepted, unexplained_in(derived.usage))
        context.terminal.problems(
            [*derived.warnings, *other_than_the_draft(folder, derived.statement, "closed")]
        )
        source = source_of(inputs)
        refuse_unexportable(inputs, derived, source.templates)
        refused = refusals(inputs, derived, chain, decision.people, context, effort.concurrency)
        standing = [one for one in refused if not (one.acceptable and decision.reason)]
        if standing or decision.dry_run:
            return _tell_refused(folder, refused, decision, context)
        decided = _decided(inputs, refused, decision, chain, context)
        derived = derived.without_rows()
        made = sealed(inputs, derived, decided, source, context, workers)
    return _tell(made, derived, decided, context)


def _decided(
    inputs: Inputs,
    refused: Iterable[Refusal],
    decision: Decision,
    chain: Sequence[Sealed],
    context: Context,
) -> Close:
    """Put together what is recorded of the close."""
    reason = decision.reason or ""
    return Close(
        cycle=inputs.cycle,
        sealed_at=context.now().replace(microsecond=0),
        enterprise=inputs.configuration.settings.enterprise,
        sequence=chain[-1].manifest.sequence + 1 if chain else 1,
        previous_seal=chain[-1].seal if chain else None,
        rules_version=RULES_VERSION,
        people=decision.people,
        accepted=tuple(
            Accepted(condition=one.condition, message=one.message, reason=reason) for one in refused
        ),
        keys=dict(inputs.configuration.keys),
    )


def _tell_refused(
    folder: Path, refused: Sequence[Refusal], decision: Decision, context: Context
) -> int:
    """Say what speaks against a close, and what does not any more as a reason was given."""
    standing = [one for one in refused if not (one.acceptable and decision.reason)]
    context.terminal.problems(_problem(folder, one, decision) for one in refused)
    context.terminal.values(
        {
            "folder": str(folder),
            "closed": False,
            "refused": [
                {
                    "condition": one.condition,
                    "message": one.message,
                    "hint": one.hint,
                    "acceptable": one.acceptable,
                    "accepted": decision.reason if one.acceptable else None,
                }
                for one in refused
            ],
        }
    )
    if not standing:
        context.terminal.result("It can be closed; nothing was written, as --dry-run was given")
    return NOT_TIED_OUT if standing else DONE


def _problem(folder: Path, refusal: Refusal, decision: Decision) -> Problem:
    if refusal.acceptable and decision.reason:
        hint = f"accepted: {decision.reason}"
        return Problem(
            source=str(folder),
            message=refusal.message,
            hint=hint,
            warning=True,
            code="refusal-accepted",
        )
    way_out = f'{refusal.hint}; or --accept "reason"' if refusal.acceptable else refusal.hint
    message = f"cannot be closed: {refusal.message}"
    return Problem(source=str(folder), message=message, hint=way_out)


def _tell(made: Sealed, derived: Derived, decided: Close, context: Context) -> int:
    statement, manifest = derived.statement, made.manifest
    amount = fixed(statement.tie_out.invoiced_amount, statement.heading.decimals)
    count = sum(1 for invoice in statement.invoices if invoice.number)
    for one in decided.accepted:
        context.terminal.say(f"Accepted: {one.message}: {one.reason}")
    context.terminal.result(
        f"Closed {statement.heading.cycle}: {count} invoices, "
        f"{statement.heading.currency} {amount}; documents in {made.folder}"
    )
    context.terminal.result(f"Seal {made.seal}, number {manifest.sequence} in the chain")
    context.terminal.values(
        {
            "folder": str(made.folder),
            "closed": True,
            "seal": made.seal,
            "sequence": manifest.sequence,
            "previous": manifest.previous,
            "issued": manifest.issued,
            "accepted": [
                {"condition": one.condition, "message": one.message, "reason": one.reason}
                for one in decided.accepted
            ],
        }
    )
    return DONE
