"""The one function that decides all: evidence and configuration in, ledger and statement out.

It reads nothing but its arguments, so that the same inputs give the same documents years later.
"""

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from reportgen.core.allocating.allocate import allocate, charged_after_close, flaws_met, timelines
from reportgen.core.allocating.match import (
    Subject,
    active_rules,
    conflicting_tags,
    uncollected_sessions,
    unmatched_rules,
    unowned_sessions,
)
from reportgen.core.allocating.usage import decompose, holder_of
from reportgen.core.allocating.user_file import (
    counted,
    ended_rows,
    late_rows,
    not_in_force,
    told_once,
    unneeded,
    with_names,
)
from reportgen.core.charging.by_organization import by_organization
from reportgen.core.charging.charges import CycleCharges, charge_cycle
from reportgen.core.charging.credit_notes import Notes, named_by_notes, notes_of
from reportgen.core.charging.misplaced import Calendar, dated_days, misplaced
from reportgen.core.charging.rate import rate, whole_cycle
from reportgen.core.charging.unused_products import label_warnings
from reportgen.core.comparing.compare import set_against
from reportgen.core.comparing.moved import moved
from reportgen.core.comparing.year import year_to_date
from reportgen.core.cycle import (
    BillingCycle,
    contract_cycles,
    day_of_instant,
    elapsed,
    is_over,
    months_until,
)
from reportgen.core.model import (
    Allocation,
    Correcting,
    CycleTotals,
    CycleUnitCosts,
    Directory,
    Flaw,
    Heading,
    Issue,
    IssuedCorrection,
    Mapping,
    ProductLabel,
    RateCard,
    RecordedResponse,
    Statement,
    Usage,
    YearToDate,
)
from reportgen.core.packed import packed
from reportgen.core.problem import Problem, Rejected, errors
from reportgen.core.proving.statement import statement
from reportgen.core.sessions.parts import (
    CycleSessions,
    SessionPart,
    held_by,
    of_nobody,
    parts_of,
    with_sessions,
)
from reportgen.core.sessions.tags import with_tags
from reportgen.core.sessions.unit_costs import Told, lists_sessions, unit_costs
from reportgen.core.written.privacy import without_titles
from reportgen.documents.templating.invoice_number import invoice_numbers
from reportgen.sources.api import versions as api
from reportgen.sources.api.plan import answer_from
from reportgen.sources.api.reading import Question, Reading
from reportgen.sources.config.configuration import Configuration


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """Everything a cycle's documents are made of.

    `source` names where the responses lie; `remembered` is who was seen in earlier cycles,
    `earlier` what those came to that this one follows on (`Statement.earlier`), `year` all those
    before it in the fiscal year, None where nobody asks what that came to. `collected` are the
    first days of all cycles in the archive: they decide what is warned of, and nothing else.
    `issue` is what is said of a close: without it, documents are drafts.
    `accepted` are the kinds of view that may be missing though they were refused half-way.
    `correcting` says what is corrected, where these are the inputs of a correction; `corrections`
    are those of other cycles that the statement names.
    """

    configuration: Configuration
    cycle: BillingCycle
    responses: MappingOf[str, RecordedResponse]
    source: str
    remembered: Directory = field(default_factory=Directory)
    earlier: tuple[CycleTotals, ...] = ()
    year: tuple[CycleTotals, ...] | None = None
    collected: tuple[date, ...] = ()
    issue: Issue | None = None
    accepted: frozenset[str] = frozenset()
    correcting: Correcting | None = None
    corrections: tuple[IssuedCorrection, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Derived:
    """What the inputs come to; `warnings` do not stop it. A correction has `notes`."""

    usage: Usage
    directory: Directory
    allocations: Sequence[Allocation]
    charges: CycleCharges
    statement: Statement
    warnings: tuple[Problem, ...]
    notes: Notes | None = None

    def without_rows(self) -> "Derived":
        """Let go of records and allocations: there are millions, and the statement tells of all."""
        return replace(self, usage=replace(self.usage, records=()), allocations=())


def derive(inputs: Inputs) -> Derived:
    """Decompose, allocate, rate and charge a cycle, or raise Rejected with every mistake."""
    configuration, mapping = inputs.configuration, inputs.configuration.mapping
    reading = _reading(inputs)
    usage = _usage(inputs, reading)
    resolved, problems = timelines(usage.records, mapping, reading.directory)
    met = flaws_met(usage.records, resolved)
    rows = told_once(met, mapping)
    card = configuration.rate_card
    whole, unratable = whole_cycle(card, usage.control, inputs.cycle.start)
    allocations = packed(Allocation, rate(allocate(usage.records, resolved), card, whole))
    correcting = inputs.correcting
    charges, uncharged = charge_cycle(
        allocations,
        usage.control,
        mapping,
        card,
        whole=whole,
        cycle=inputs.cycle,
        standing=correcting.standing if correcting else None,
    )
    numbers, bad_numbers = _numbers(configuration, inputs.cycle)
    problems += [*charged_after_close(allocations, mapping), *_uncollected(mapping, reading)]
    problems += [*bad_numbers, *errors(rows), *unratable, *errors(uncharged)]
    out_of_place = misplaced(card, calendar(inputs))
    if errors(problems):
        raise Rejected(configuration.located([*problems, *out_of_place]))
    heading = _heading(inputs, reading, card)
    result, warnings = statement(
        heading, usage, allocations, charges, mapping, card=card, numbers=numbers
    )
    listed = by_organization(allocations, resolved, charges, mapping, card.decimals)
    result = replace(result, by_organization=listed, corrections=inputs.corrections)
    warnings += [*out_of_place, *(problem for problem in uncharged if problem.warning)]
    warnings += label_warnings(configuration.product_sources, card, usage.control)
    for warn in (conflicting_tags, unowned_sessions):
        warnings += warn(mapping, reading.directory)
    warnings += [*rows, *_of_no_use(mapping, reading.directory, usage, met, inputs.cycle)]
    result = _completed(result, reading, allocations, inputs)
    notes = notes_of(correcting, result, charges, numbers) if correcting else None
    result = named_by_notes(result, notes)
    return Derived(
        usage=usage,
        directory=with_names(reading.directory, mapping),
        allocations=allocations,
        charges=charges,
        statement=_compared(result, inputs.earlier, allocations, charges),
        warnings=(*configuration.located(warnings), *reading.warnings),
        notes=notes,
    )


def _completed(
    result: Statement, reading: Reading, allocations: Sequence[Allocation], inputs: Inputs
) -> Statement:
    """Say what the fiscal year came to, what usage was for, and what it bought.

    What leads to people is left out of sessions, unless documents may name them.
    """
    year, bought = _year_to_date(result, inputs), _unit_costs(result, reading, inputs)
    result = replace(result, year_to_date=year, unit_costs=bought)
    shown = inputs.configuration.settings.invoice
    sessions = _sessions(reading, allocations, inputs)
    parts = parts_of(sessions)
    result = with_sessions(result, sessions, parts, shown.sessions)
    result = with_tags(result, sessions, parts, shown.tag_patterns)
    return without_titles(result, shown.users)


def session_parts(inputs: Inputs, derived: Derived) -> tuple[CycleSessions, list[SessionPart]]:
    """Read once more what the API said of sessions, and give what cost centers bear of them."""
    sessions = _sessions(_reading(inputs), derived.allocations, inputs)
    return sessions, parts_of(sessions)


def _sessions(reading: Reading, allocations: Sequence[Allocation], inputs: Inputs) -> CycleSessions:
    """Find the records that hold the sessions, and who bears them."""
    known, first = reading.directory.sessions, user_first(inputs.configuration.mapping)
    met: dict[Subject, Subject] = {}  # one tuple for the many sessions of a record
    holders = (
        (session_id, holder_of(session, reading.views, user_first=first))
        for session_id, session in known.items()
    )
    subjects = {session_id: met.setdefault(subject, subject) for session_id, subject in holders}
    return CycleSessions(
        known=known,
        subjects=subjects,
        held=held_by(
            allocations, {*subjects.values(), *map(of_nobody, reading.views.organizations)}
        ),
        asked=reading.sessions,
    )


def _compared(
    result: Statement,
    earlier: tuple[CycleTotals, ...],
    allocations: Sequence[Allocation],
    charges: CycleCharges,
) -> Statement:
    """Set a statement against the cycles before, and say who has moved or is new."""
    compared = set_against(result, earlier)
    if compared.variance is None:
        return compared
    decimals = result.heading.decimals
    previous = compared.variance.previous
    moves, arrivals, departures = moved(previous, allocations, charges, decimals)
    variance = replace(compared.variance, moved=moves, arrived=arrivals, departed=departures)
    return replace(compared, variance=variance)


def _unit_costs(result: Statement, reading: Reading, inputs: Inputs) -> CycleUnitCosts:
    """Count sessions: those that were asked for their days by the answers."""
    lists = (inputs.responses[request] for request in inputs.responses if lists_sessions(request))
    by_rule = {key: view for key, view in reading.views.sessions.items() if view.quantities}
    told = Told(
        directory=reading.directory,
        views=reading.views,
        asked={**by_rule, **reading.sessions.views},
        user_first=user_first(inputs.configuration.mapping),
        missing=reading.missing_views,
        as_of=min((listed.fetched_at for listed in lists), default=""),
    )
    return unit_costs(result.invoices, told, inputs.configuration.mapping, inputs.cycle)


def _year_to_date(result: Statement, inputs: Inputs) -> YearToDate | None:
    """Add up the fiscal year, or say which cycles of it are missing."""
    if inputs.year is None:
        return None
    first_month = inputs.configuration.settings.fiscal_year
    return year_to_date(result, inputs.year, _told_cycles(inputs), first_month)


def question(configuration: Configuration, cycle: BillingCycle, remembered: Directory) -> Question:
    """Say what has to be found out about a cycle."""
    rules = active_rules(configuration.mapping)
    return Question(
        cycle=cycle,
        rules=rules,
        tolerance=configuration.settings.tolerance,
        organizations=tuple(
            organization.id for organization in configuration.settings.source.organizations
        ),
        remembered=remembered,
        mapping=configuration.mapping,
        largest=configuration.settings.invoice.sessions,
        tags=configuration.settings.invoice.tag_patterns,
        user_first=user_first(configuration.mapping),
    )


def _reading(inputs: Inputs) -> Reading:
    """Read what the responses tell of consumption, and of who is who."""
    configuration = inputs.configuration
    asked = question(configuration, inputs.cycle, inputs.remembered)
    plan = api.consumption(configuration.settings.source, asked)
    return answer_from(plan, inputs.responses, inputs.source)


def _usage(inputs: Inputs, reading: Reading) -> Usage:
    """Take the views apart; of those that disagree in a closed cycle, say why it was closed."""
    usage = decompose(
        reading.views,
        reading.directory,
        user_first=user_first(inputs.configuration.mapping),
        tolerance=inputs.configuration.settings.tolerance,
    )
    return _accepted(usage, inputs.issue) if inputs.issue else usage


def _numbers(
    configuration: Configuration, cycle: BillingCycle
) -> tuple[dict[str, str], list[Problem]]:
    return invoice_numbers(
        configuration.settings.invoice.number,
        cycle,
        configuration.mapping.cost_centers,
        source=configuration.invoice_number_source,
    )


def calendar(inputs: Inputs) -> Calendar:
    """Give the billing cycles that the evidence tells, or the contract day where it tells none."""
    fetched = [datetime.fromisoformat(one.fetched_at) for one in inputs.responses.values()]
    as_of = day_of_instant(max(fetched))
    told = _told_cycles(inputs) or _contract_cycles(inputs.configuration, as_of)
    return Calendar(cycles=(inputs.cycle, *told), starts=inputs.collected, as_of=as_of)


def _told_cycles(inputs: Inputs) -> tuple[BillingCycle, ...]:
    """Give the cycles of the answer that named this one; evidence need not hold it."""
    plan = api.cycles(inputs.configuration.settings.source)
    try:
        return answer_from(plan, inputs.responses, inputs.source).cycles
    except Rejected:
        return ()


def _contract_cycles(configuration: Configuration, as_of: date) -> tuple[BillingCycle, ...]:
    """Give the cycles by the contract day around every dated entry; none that is still to come."""
    day = configuration.settings.source.cycle_day
    months = {
        month for entry in dated_days(configuration.rate_card) for month in months_until(entry, 2)
    }
    cycles = contract_cycles(day, sorted(months)) if day else []
    return tuple(cycle for cycle in cycles if cycle.start <= as_of)


def _accepted(usage: Usage, issue: Issue) -> Usage:
    """Say of views that disagree for which reason the cycle was closed all the same."""
    reason = issue.accepted.get("discrepancy")
    told = tuple(replace(one, accepted=reason) for one in usage.discrepancies)
    return replace(usage, discrepancies=told)


def user_first(mapping: Mapping) -> bool:
    """Tell whether user rules outrank organization rules; where one kind is used, that does."""
    levels = [level for level in mapping.precedence if level in {"user", "org"}]
    return levels[:1] != ["org"]


def _uncollected(mapping: Mapping, reading: Reading) -> list[Problem]:
    return uncollected_sessions(mapping, reading.directory, reading.views.sessions.keys())


def _of_no_use(
    mapping: Mapping, known: Directory, usage: Usage, met: AbstractSet[Flaw], cycle: BillingCycle
) -> list[Problem]:
    """Warn of what the mapping says in vain; nobody's row is told of twice."""
    useless = unneeded(mapping, met, cycle)
    return [
        *counted(useless, ", and needed none in this cycle", "nothing to do until they use ACUs"),
        *(not_in_force(mapping, cycle) or _out_of_time(mapping, known, usage, cycle)),
        *unmatched_rules(mapping, known, useless.keys()),
    ]


def _out_of_time(
    mapping: Mapping, known: Directory, usage: Usage, cycle: BillingCycle
) -> list[Problem]:
    """Warn of people who used ACUs before or after their rows of the HR export."""
    late = late_rows(usage.records, mapping, known, cycle)
    return [*late, *ended_rows(usage.records, mapping, known)]


def _product_labels(configuration: Configuration) -> tuple[ProductLabel, ...]:
    return tuple(
        ProductLabel(product, written.label or "", written.meaning or "")
        for product, written in sorted(configuration.settings.products.items())
    )


def _heading(inputs: Inputs, reading: Reading, card: RateCard) -> Heading:
    configuration = inputs.configuration
    asked = question(configuration, inputs.cycle, inputs.remembered)
    control = api.control_totals(configuration.settings.source, asked)
    fetched = [
        response.fetched_at
        for request in control
        if (response := inputs.responses.get(request.target))
    ]
    return Heading(
        enterprise=inputs.configuration.settings.enterprise,
        status="closed" if inputs.issue else "draft",
        cycle=inputs.cycle,
        currency=card.currency,
        decimals=card.decimals,
        cycle_open=not all(is_over(inputs.cycle, instant) for instant in fetched),
        elapsed_seconds=min((elapsed(inputs.cycle, instant) for instant in fetched), default=0),
        effective_prices=not card.prices,
        contract=card.contract,
        contact=configuration.settings.invoice.contact,
        products=_product_labels(configuration),
        missing_views=reading.missing_views,
        issue=inputs.issue,
        correction=inputs.correcting.number if inputs.correcting else None,
        corrected_for=inputs.correcting.reason if inputs.correcting else "",
    )
