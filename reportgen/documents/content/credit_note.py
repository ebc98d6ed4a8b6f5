"""What the template of a credit or debit note sees: an invoice as it stood, and stands now.

The amounts are given. How the exact differences are rounded, so that an unchanged line never gets a
note, is the law of whoever corrects; a note prints it and only adds up: old + difference = new, and
the lines make the total.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from reportgen.core.charging.credit_notes import totals_of
from reportgen.core.model import (
    CostCenter,
    CreditNoteAmounts,
    Heading,
    Standing,
    StandingInvoice,
    StandingTotals,
    Statement,
    TieOutTold,
)
from reportgen.core.money import ZERO, add, round_half_up, subtract, total
from reportgen.documents.content.invoice import price_decimals
from reportgen.documents.content.labels import Word
from reportgen.documents.content.slots import Slot
from reportgen.documents.content.tie_out import tells_totals


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """What all notes of one correction share; `seal` is that of the cycle that is corrected."""

    reason: str
    issued_on: date
    seal: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CreditNoteDocument:
    """A credit or debit note: what changed on an invoice of a closed cycle, line by line.

    `corrects` is the number of the invoice, where there was one. `before` and `after` are the cycle
    as it stood and as it was restated; `notes_amount` is the total of all notes of the correction,
    `too_small_amount` that of those which are not issued. `tells_totals` says whether what the
    whole cycle comes to stands on it.
    """

    heading: Heading
    cost_center: CostCenter
    corrects: str | None
    amounts: CreditNoteAmounts
    correction: Correction
    before_amount: Decimal
    before: StandingTotals
    after: StandingTotals
    notes_amount: Decimal
    too_small_amount: Decimal = ZERO
    note: str | None = None
    tells_totals: bool = True

    @property
    def kind(self) -> Literal["credit", "debit"]:
        """Tell which it is: a debit note charges something, a credit note does not."""
        return self.amounts.kind

    @property
    def acus(self) -> Decimal:
        """ACUs by which the invoice is corrected."""
        return total(line.acus for line in self.amounts.lines)

    @property
    def after_amount(self) -> Decimal:
        """The invoice with this note."""
        return add(self.before_amount, self.amounts.amount)

    @property
    def lines_before_amount(self) -> Decimal:
        """The lines as they stood."""
        return total(line.before_amount for line in self.amounts.lines)

    @property
    def lines_after_amount(self) -> Decimal:
        """The lines as they stand now."""
        return total(line.after_amount for line in self.amounts.lines)

    @property
    def invoiced_after(self) -> Decimal:
        """All invoices of the cycle with all notes of the correction."""
        return add(self.before.invoiced_amount, self.notes_amount)

    @property
    def control_acus(self) -> Decimal:
        """What the control total changed by."""
        return subtract(self.after.control_acus, self.before.control_acus)

    @property
    def chargeable_amount(self) -> Decimal:
        """What the control total, at our prices, changed by."""
        return subtract(self.after.chargeable_amount, self.before.chargeable_amount)

    @property
    def fees_amount(self) -> Decimal:
        """What the fees of all cost centers changed by."""
        return subtract(self.after.fees_amount, self.before.fees_amount)

    @property
    def unborne_amount(self) -> Decimal:
        """What the amount that nobody bears changed by."""
        return subtract(self.after.unborne_amount, self.before.unborne_amount)

    @property
    def price_decimals(self) -> int:
        """How many decimals the longest unit price is printed with."""
        return price_decimals(line.unit_price for line in self.amounts.lines)

    def slots(self, word: Word) -> dict[str, Slot]:  # noqa: ARG002 - as the other documents have it
        """Give the rows that a workbook streams: there is none."""
        return {}


def credit_note_documents(
    standing: Standing,
    after: Statement,
    amounts: Mapping[str, CreditNoteAmounts],
    correction: Correction,
    note: str | None = None,
    *,
    too_small_amount: Decimal = ZERO,
    tie_out: TieOutTold = "own",
) -> Iterator[CreditNoteDocument]:
    """Give a document per note, `amounts` being by the code of the cost center.

    `standing` is the cycle as it stood, with the corrections made since it was closed; `after` is
    what it is now.
    """
    notes_amount = total(charged.amount for charged in amounts.values())
    for invoice in after.invoices:
        code = invoice.cost_center.code
        if code in amounts:
            before = standing.invoices.get(code, StandingInvoice(number=None))
            yield CreditNoteDocument(
                heading=after.heading,
                cost_center=invoice.cost_center,
                corrects=before.number,
                amounts=amounts[code],
                correction=correction,
                before_amount=_amount(before, standing.decimals),
                before=standing.totals,
                after=totals_of(after),
                notes_amount=notes_amount,
                too_small_amount=too_small_amount,
                note=note,
                tells_totals=tells_totals(after.tie_out, tie_out),
            )


def _amount(before: StandingInvoice, decimals: int) -> Decimal:
    return add(total(line.amount for line in before.lines), round_half_up(ZERO, decimals))
