"""A closed cycle collected again, and set against itself by the rules that it was closed with."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from reportgen.archive import evidence
from reportgen.archive.folder import EVIDENCE, MANIFEST
from reportgen.core.charging.credit_notes import Notes
from reportgen.core.model import Correcting, Standing, Statement
from reportgen.core.problem import Problem, Rejected
from reportgen.core.proving.close import Refusal
from reportgen.core.text import quoted, some
from reportgen.derive import Derived, Inputs, derive
from reportgen.operations.building.archived import archived_inputs
from reportgen.operations.collecting.collection import Chosen, Effort, gather
from reportgen.operations.collecting.refusals import broken_off
from reportgen.operations.connect import connect, drive
from reportgen.operations.context import Context
from reportgen.operations.sealed.standing import derived_as_sealed, stands
from reportgen.sources.api import versions as api
from reportgen.sources.config.configuration import Configuration
from reportgen.sources.config.schema import SourceSection


@dataclass(frozen=True, kw_only=True, slots=True)
class Corrected:
    """A cycle as it stood by `before`, and as it is told now: what a correction is made of."""

    before: Path
    inputs: Inputs
    derived: Derived
    notes: Notes
    stood: Statement


@dataclass(frozen=True, kw_only=True, slots=True)
class Ground:
    """What a correction stands on: the folder that a cycle stands by, and two configurations.

    The one in force says how the API is asked. What was charged by is that of the folder, or the
    one that was `edited` for the correction.
    """

    before: Path
    live: Configuration
    edited: Configuration | None = None


def correction_of(
    ground: Ground, reason: str, place: Path, context: Context, effort: Effort
) -> Corrected:
    """Collect a cycle again into `place`, and charge it anew; raises Rejected, or ApiFailure."""
    before, live, edited = ground.before, ground.live, ground.edited
    sealed = archived_inputs(before)
    stood = derived_as_sealed(before, sealed)
    applied = _applied(live, edited or sealed.configuration)
    _refuse_otherwise_asked(live, applied.settings.source)
    _refuse_other_money(sealed.configuration, applied, edited)
    standing = stands(before, sealed, stood)
    _refuse_undeclared(standing, applied, edited)
    fetched = _fetched(live, applied, sealed, place, context, effort)
    inputs = replace(
        fetched,
        correcting=Correcting(
            number=sealed.correcting.number + 1 if sealed.correcting else 1,
            reason=reason,
            minimum=live.settings.corrections.minimum,
            standing=standing,
            edited=_edited(sealed.configuration.files, applied.files),
        ),
    )
    derived = derive(inputs)
    if derived.notes is None:
        raise ValueError("a correction has notes")
    return Corrected(
        before=before, inputs=inputs, derived=derived, notes=derived.notes, stood=stood.statement
    )


def coarser_than_before(stood: Statement, now: Statement) -> list[Refusal]:
    """Judge whether the API gave less than at the close: what is missing would move charges."""
    known = {view.request for view in stood.heading.missing_views}
    missing = [view for view in now.heading.missing_views if view.request not in known]
    hint = "correct once it can be read again, or take what there is with --accept-refused"
    return [
        Refusal(
            condition="coarser",
            message=f"the API gives less than at the close: {view.text}",
            hint=hint,
            acceptable=False,
        )
        for view in missing
    ]


def refuse_open(folder: Path) -> None:
    """Raise Rejected for a cycle that is not closed: a draft is built again."""
    if not (folder / MANIFEST).exists():
        message = "this billing cycle is not closed, so there is nothing to correct"
        hint = "collect and build it again, then close it"
        raise Rejected([Problem(source=str(folder), message=message, hint=hint)])


def _applied(live: Configuration, configuration: Configuration) -> Configuration:
    """Let a configuration write where the one in force does, with its fonts."""
    mode = {"archive_mode": live.settings.archive_mode}
    return replace(
        configuration,
        settings=configuration.settings.model_copy(update=mode),
        archive=live.archive,
        archive_source=live.archive_source,
        fonts=live.fonts,
        fonts_source=live.fonts_source,
    )


def _fetched(
    live: Configuration,
    applied: Configuration,
    sealed: Inputs,
    place: Path,
    context: Context,
    effort: Effort,
) -> Inputs:
    """Ask for the whole cycle again, with the credentials in force."""
    connection, responses = connect(live, context, effort.concurrency)
    with context.terminal.progress("Asking for the billing cycles"):
        drive(api.cycles(live.settings.source), connection, {})
    chosen = Chosen(
        cycle=sealed.cycle,
        folder=place,
        remembered=sealed.remembered,
        connection=connection,
        responses=responses,
    )
    gathered = gather(_asking_as(live, applied), chosen, context, effort)
    path = place / EVIDENCE
    if live.replay:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.writelines(map(evidence.line_of, responses.values()))
    return replace(
        sealed,
        configuration=applied,
        responses=evidence.stored(path),
        source=str(path),
        remembered=gathered.known,
        issue=None,
        accepted=broken_off(gathered.missing),
        corrections=(),
    )


def _asking_as(live: Configuration, applied: Configuration) -> Configuration:
    """Give the configuration that is applied, with the source and the credentials in force."""
    source = {"source": live.settings.source}
    return replace(
        applied,
        settings=applied.settings.model_copy(update=source),
        replay=live.replay,
        replay_source=live.replay_source,
        token_sources=live.token_sources,
    )


def _refuse_otherwise_asked(live: Configuration, source: SourceSection) -> None:
    """Raise Rejected where the API is asked otherwise than the cycle was, so tells other views."""
    now, then = (
        (one.api, one.prefix, tuple(own.id for own in one.organizations))
        for one in (live.settings.source, source)
    )
    if now == then:
        return
    message = "the API is asked otherwise now than the cycle was, so its answers cannot be compared"
    hint = "let api, prefix and organizations under `source` be those of the close"
    raise Rejected([Problem(source=live.cycles_source, message=message, hint=hint)])


def _refuse_other_money(
    sealed: Configuration, applied: Configuration, edited: Configuration | None
) -> None:
    """Raise Rejected where amounts would be in another currency than those to be corrected."""
    then, now = ((one.rate_card.currency, one.rate_card.decimals) for one in (sealed, applied))
    if edited is None or now == then:
        return
    message = (
        f"charges in {now[0]} at {now[1]} decimals what was invoiced in {then[0]} at {then[1]}"
    )
    hint = "a correction stays in the currency of its invoices"
    source = edited.paths.get(edited.keys.get("rates", ""), "--config")
    raise Rejected([Problem(source=source, message=message, hint=hint)])


def _refuse_undeclared(
    standing: Standing, applied: Configuration, edited: Configuration | None
) -> None:
    """Raise Rejected where who was charged is no cost center any more, so gets no note."""
    declared = {center.code for center in applied.mapping.cost_centers}
    missing = sorted(code for code in standing.invoices if code and code not in declared)
    if edited and missing:
        message = f"does not declare who was charged: {some(missing, quoted)}"
        hint = "leave it declared, so that it gets its note; rules need not lead to it"
        source = edited.paths.get(edited.keys.get("mapping", ""), "--config")
        raise Rejected([Problem(source=source, message=message, hint=hint)])


def _edited(sealed: Mapping[str, bytes], applied: Mapping[str, bytes]) -> tuple[str, ...]:
    """Name the files that are others than those the cycle was charged by."""
    return tuple(sorted(name for name in applied if applied[name] != sealed.get(name)))
