"""What a correction issues: a credit or debit note for every invoice of which lines changed.

Laws: new = old + change, line by line; a line that stands as it was is on no note; what was
invoiced, with all notes, those that are too small to be issued included, is what is invoiced now.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from reportgen.core.charging.charges import CycleCharges
from reportgen.core.charging.correction import Stood
from reportgen.core.charging.invoice import LINE_KINDS, UNBORNE
from reportgen.core.model import (
    Correcting,
    CreditNoteAmounts,
    CreditNoteLine,
    InvoiceLine,
    Standing,
    StandingInvoice,
    StandingTotals,
    Statement,
)
from reportgen.core.money import ZERO, add, printed, round_half_up, subtract, total

LineName = tuple[int, str, str, str, Decimal | None]
"""What tells the lines of an invoice apart, in their order: kind, product, name, counterpart, and
the unit price where it is one."""
NO_INVOICE = StandingInvoice(number=None)
SEEN = 4
"""Decimals of ACUs on a note: a line of which neither they nor the amount changed is on none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Notes:
    """The notes of a correction by the code of their cost center.

    Those that are `too_small` have no number. `amount` is that of all that are issued.
    """

    correcting: Correcting
    issued: Mapping[str, CreditNoteAmounts]
    too_small: Mapping[str, CreditNoteAmounts]
    after: StandingTotals

    @property
    def before(self) -> StandingTotals:
        """The cycle as it stood."""
        return self.correcting.standing.totals

    @property
    def amount(self) -> Decimal:
        """What all notes that are issued come to."""
        return total(note.amount for note in self.issued.values())

    @property
    def too_small_amount(self) -> Decimal:
        """What those that are not issued come to."""
        return total(note.amount for note in self.too_small.values())

    @property
    def difference_amount(self) -> Decimal:
        """What the identity is off by: invoiced before, with all notes, is what is invoiced now."""
        noted = total((self.before.invoiced_amount, self.amount, self.too_small_amount))
        return subtract(self.after.invoiced_amount, noted)


def notes_of(
    correcting: Correcting, statement: Statement, charges: CycleCharges, numbers: Mapping[str, str]
) -> Notes:
    """Set a corrected cycle against the one that stood; `numbers` are those of all invoices."""
    standing, decimals = correcting.standing, statement.heading.decimals
    spread = standing.effective_prices and statement.heading.effective_prices
    issued, too_small = {}, {}
    for code in sorted({*standing.invoices, *charges.lines}):
        before = standing.invoices.get(code, NO_INVOICE)
        lines = changed_lines(before.lines, charges.lines.get(code, ()), spread=spread)
        gross = total(line.amount.copy_abs() for line in lines)
        if code == UNBORNE or not gross:
            continue
        amount = add(total(line.amount for line in lines), round_half_up(ZERO, decimals))
        note = CreditNoteAmounts(number="", lines=lines, amount=amount, earlier=before.notes)
        if gross < correcting.minimum:
            too_small[code] = note
        else:
            number = before.number or numbers[code]
            sign = "D" if note.kind == "debit" else "C"
            issued[code] = replace(note, number=f"{number}-{sign}{correcting.number}")
    return Notes(
        correcting=correcting, issued=issued, too_small=too_small, after=totals_of(statement)
    )


def named_by_notes(statement: Statement, notes: Notes | None) -> Statement:
    """Name what a corrected cycle charges by documents there are: without an invoice, by a note."""
    if notes is None:
        return statement
    invoices = tuple(
        replace(one, number=_document(one.cost_center.code, notes) if one.number else None)
        for one in statement.invoices
    )
    return replace(statement, invoices=invoices)


def _document(code: str, notes: Notes) -> str | None:
    """Give the invoice of a cost center, else the first note that it got, if it got any."""
    stood = notes.correcting.standing.invoices.get(code, NO_INVOICE)
    issued = (notes.issued[code].number,) if code in notes.issued else ()
    return stood.number or next(iter((*stood.notes, *issued)), None)


def changed_lines(
    before: Iterable[InvoiceLine], after: Iterable[InvoiceLine], *, spread: bool = False
) -> tuple[CreditNoteLine, ...]:
    """Compare the lines of an invoice; where one amount is `spread`, a price tells none apart."""
    old, new = _by_name(before, spread=spread), _by_name(after, spread=spread)
    lines = (
        _changed(name, old.get(name, ()), new.get(name, ()))
        for name in sorted({*old, *new}, key=_order)
    )
    return tuple(line for line in lines if line.amount or printed(line.acus, SEEN))


def stood(code: str, line: InvoiceLine, correcting: Correcting, *, spread: bool) -> Stood:
    """Give what a line of a corrected invoice was before, exactly and as charged."""
    before = correcting.standing.invoices.get(code, NO_INVOICE)
    spread = spread and correcting.standing.effective_prices
    same = _by_name(before.lines, spread=spread).get(_name(line, spread=spread), ())
    return Stood(total(one.exact_amount for one in same), total(one.amount for one in same))


def standing_of(
    folder: str,
    seal: str,
    statement: Statement,
    charges: CycleCharges,
    notes: Notes | None = None,
) -> Standing:
    """Give a cycle as it stands after its close, or after a correction with its notes.

    What was too small to be issued stands as it did before.
    """
    heading = statement.heading
    numbers = {one.cost_center.code: one.number for one in statement.invoices}
    invoices = {
        code: StandingInvoice(number=numbers.get(code), lines=tuple(lines))
        for code, lines in charges.lines.items()
    }
    totals = totals_of(statement)
    if notes:
        invoices = _with_notes(notes.correcting.standing.invoices, invoices, notes)
        invoiced = subtract(totals.invoiced_amount, notes.too_small_amount)
        totals = replace(totals, invoiced_amount=invoiced)
    return Standing(
        folder=folder,
        seal=seal,
        currency=heading.currency,
        decimals=heading.decimals,
        effective_prices=heading.effective_prices,
        totals=totals,
        invoices=dict(sorted(invoices.items())),
    )


def totals_of(statement: Statement) -> StandingTotals:
    """Give the terms of the tie-out that corrections compare."""
    tie = statement.tie_out
    return StandingTotals(
        control_acus=tie.control_acus,
        chargeable_amount=tie.chargeable_amount,
        fees_amount=tie.fees_amount,
        unborne_amount=tie.unborne_amount,
        invoiced_amount=tie.invoiced_amount,
    )


def _with_notes(
    before: Mapping[str, StandingInvoice], after: Mapping[str, StandingInvoice], notes: Notes
) -> dict[str, StandingInvoice]:
    """Keep the numbers of invoices and notes, and the lines of what was too small to be issued."""
    invoices = {}
    for code in {*before, *after}:
        stood = before.get(code, NO_INVOICE)
        lines = after.get(code, NO_INVOICE).lines
        issued = (notes.issued[code].number,) if code in notes.issued else ()
        invoices[code] = StandingInvoice(
            number=stood.number,
            notes=(*stood.notes, *issued),
            lines=stood.lines if code in notes.too_small else lines,
        )
    return invoices


def _by_name(lines: Iterable[InvoiceLine], *, spread: bool) -> dict[LineName, list[InvoiceLine]]:
    by_name: dict[LineName, list[InvoiceLine]] = {}
    for line in lines:
        by_name.setdefault(_name(line, spread=spread), []).append(line)
    return by_name


def _name(line: InvoiceLine, *, spread: bool) -> LineName:
    """Name a line by what it charges; a pool by its cost center, whatever that is called."""
    kind = LINE_KINDS.index(line.kind)
    if line.of_usage:
        return kind, line.product, "", "", None if spread else line.unit_price
    name = "" if line.kind == "pool" else line.name
    return kind, "", name, line.counterpart or "", None


def _order(name: LineName) -> tuple[object, ...]:
    kind, product, text, counterpart, unit_price = name
    return kind, product, unit_price is None, unit_price or ZERO, text, counterpart


def _changed(
    name: LineName, before: Sequence[InvoiceLine], after: Sequence[InvoiceLine]
) -> CreditNoteLine:
    shown = [*after, *before][0]
    old_acus, new_acus = (total(line.acus for line in side) for side in (before, after))
    old, new = (total(line.amount for line in side) for side in (before, after))
    return CreditNoteLine(
        kind=shown.kind,
        product=shown.product,
        name=shown.name,
        counterpart=shown.counterpart,
        unit_price=name[-1],
        before_acus=old_acus,
        after_acus=new_acus,
        acus=subtract(new_acus, old_acus),
        before_amount=old,
        after_amount=new,
        amount=subtract(new, old),
    )
