"""Journals: what cycles and corrections book, in the layout of a ledger, in parts that balance."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from reportgen.core.booking.bookable import unbookable
from reportgen.core.booking.journal import JournalEntry, Posting, files_of, journal
from reportgen.core.booking.vouchers import (
    Cited,
    Voucher,
    accrual,
    charges,
    charges_by_month,
    corrections,
)
from reportgen.core.cycle import BillingCycle, days_between
from reportgen.core.model import CostCenter, Heading
from reportgen.core.money import fixed
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import did_you_mean, quoted
from reportgen.documents.content.journal import JournalDocument
from reportgen.documents.exports.fit import lacking, unfit
from reportgen.documents.exports.layouts import filled_apart, known_layouts, layout_of
from reportgen.documents.exports.material import Booking, Material, Options, Piece

JOURNAL_OPTIONS = frozenset({"layout", "max_lines", "posting_date", "split_periods", "until"})
A_DAY = 86400
NOT_BOOKED = Problem(
    source="",
    message="nothing says how a cycle is booked",
    hint='add `journal: {credit_account: "2999"}`, the account that charges are booked against',
)


def journal_files(materials: Iterable[Material], options: Options) -> Iterator[Piece]:
    """Write one file, or one a part where there are several."""
    booking, posting = options.booking, _posting(options)
    entries: list[JournalEntry] = []
    heading: Heading | None = None
    for material in materials:
        _refuse_unknown_layout(material, options)
        _refuse_another_currency(material, heading)
        heading = heading or material.statement.heading
        templates = material.templates
        entries += _entries(material, posting, options)
    if heading:
        layout = layout_of(options.layout)
        shared = files_of(entries, _most(options), by_entity=layout.by_entity)
        for part, held in enumerate(shared, start=1):
            name = f"{journal_family(options)}{f'-{part}' if shared[1:] else ''}.csv"
            document = _document(heading, held, booking, part, len(shared))
            yield Piece(name, filled_apart(document, options.layout, templates))


def journal_family(options: Options) -> str:
    """Name what belongs together: the parts of one layout."""
    return f"journal-{options.layout}"


def journal_warnings(material: Material, options: Options) -> Iterator[Problem]:
    """Tell what is not booked, and an accrual of days that the evidence does not reach."""
    heading, tie = material.statement.heading, material.statement.tie_out
    if tie.unborne_amount and not material.notes:
        amount = f"{heading.currency} {fixed(tie.unborne_amount, heading.decimals)}"
        yield Problem(
            source=material.folder,
            message=f"{amount} are borne by nobody, and not booked",
            hint="name who bears them with `unallocated:` in the mapping",
            warning=True,
            code="unborne-not-booked",
        )
    until = options.until
    if until and heading.cycle_open:
        known = heading.elapsed_seconds // A_DAY
        if known < days_between(heading.cycle.start, until):
            yield Problem(
                source=material.folder,
                message=f"usage is known of {known} days, and the accrual goes until {until}",
                hint="collect again after that day, or book what is known by now",
                warning=True,
                code="accrual-ahead",
            )


def _posting(options: Options) -> Posting:
    """Give how cycles are booked; raises Rejected where nothing says it."""
    if options.booking.posting is None:
        raise Rejected([replace(NOT_BOOKED, source=options.booking.configured)])
    return options.booking.posting


def _entries(material: Material, posting: Posting, options: Options) -> list[JournalEntry]:
    """Give what is booked of a cycle; raises Rejected with all that speaks against it."""
    vouchers, cited = _vouchers(material, options), _cited(material)
    centers = [_declared(one.cost_center, options.booking) for one in material.statement.invoices]
    if problems := list(unbookable(vouchers, centers, posting)):
        raise Rejected(problems)
    entries = journal(vouchers, centers, cited, posting, _most(options))
    by_code = {center.code: center for center in centers}
    separator = options.booking.segment_separator
    lacks = lacking(entries, posting, options.booking.ledger, options.layout)
    if problems := [*lacks, *unfit(entries, by_code, options.layout, separator)]:
        raise Rejected(problems)
    return entries


def _most(options: Options) -> int | None:
    """Give how many lines a part may have: what is asked for, and what the layout allows."""
    bounds = options.max_lines, layout_of(options.layout).most_lines
    return min((bound for bound in bounds if bound), default=None)


def _vouchers(material: Material, options: Options) -> Sequence[Voucher]:
    """Give what is booked when; raises Rejected where an accrual is asked for of what is no draft.

    A correction is booked when it was issued: what it corrects may lie in a period that is closed.
    """
    cited, heading = _cited(material), material.statement.heading
    if options.until:
        _refuse_accrual(material, options)
        return accrual(material.statement, cited, options.until)
    if material.notes:
        issued = heading.issue.issued if heading.issue else heading.cycle.end
        return corrections(material.notes, cited, options.posting_date or issued)
    if options.split_periods and not options.posting_date:
        return charges_by_month(material.statement, cited)
    return charges(material.statement, cited, options.posting_date)


def _cited(material: Material) -> Cited:
    return Cited(
        folder=material.folder,
        stamp=material.stamp,
        document=f"{material.folder}/statement.pdf",
    )


def _declared(center: CostCenter, booking: Booking) -> CostCenter:
    """Give a cost center with the account and the entity that it has by now."""
    now = booking.centers.get(center.code, center)
    return replace(
        center,
        gl_account=now.gl_account or center.gl_account,
        entity=now.entity or center.entity,
        source=now.source,
    )


def _document(
    heading: Heading, entries: Sequence[JournalEntry], booking: Booking, part: int, parts: int
) -> JournalDocument:
    return JournalDocument(
        heading=heading,
        entries=tuple(entries),
        part=part,
        parts=parts,
        ledger=booking.ledger,
        source=booking.source,
        category=booking.category,
        segment_separator=booking.segment_separator,
    )


def _refuse_accrual(material: Material, options: Options) -> None:
    until, cycle = options.until, material.statement.heading.cycle
    if material.statement.heading.status == "closed":
        message = "is closed, and --until accrues what is not"
        _refuse(material.folder, message, "leave out --until to book what was charged")
    if until and not _is_within(until, cycle):
        message = f"{until} is not in the billing cycle {cycle}"
        _refuse("--until", message, "name a day after its first, the end at most")


def _is_within(until: object, cycle: BillingCycle) -> bool:
    return until == cycle.end or (until in cycle and until != cycle.start)


def _refuse_unknown_layout(material: Material, options: Options) -> None:
    known = known_layouts(material.templates)
    if options.layout not in known:
        near = did_you_mean(options.layout, known)
        hint = f"did you mean {quoted(near)}?" if near else f"choose one of: {', '.join(known)}"
        _refuse("--layout", f"there is none of the name {quoted(options.layout)}", hint)


def _refuse_another_currency(material: Material, heading: Heading | None) -> None:
    currency = material.statement.heading.currency
    if heading and heading.currency != currency:
        message = f"is charged in {currency}, and the cycle before in {heading.currency}"
        _refuse(material.folder, message, "export journals of one currency at a time")


def _refuse(source: str, message: str, hint: str) -> None:
    raise Rejected([Problem(source=source, message=message, hint=hint)])
