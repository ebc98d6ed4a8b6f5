"""Which terms of the tie-out stand on the documents that departments get; the statement has all.

Law: what is withheld stands nowhere on a department's documents: neither under its own name, nor
under another, as the amount that is spread over all ACUs where the vendor's invoice is recovered.
"""

from dataclasses import replace

from reportgen.core.model import TieOut, TieOutTold

VENDORS = frozenset({"vendor_invoice_acus", "vendor_invoice_amount", "over_recovery_amount"})
TOTALS = frozenset({"chargeable_amount", "fees_amount", "invoiced_amount", "unborne_amount"})
"""The amounts of the whole cycle, of which the vendor's total follows where they come to it."""


def withheld(tie: TieOut, told: TieOutTold) -> frozenset[str]:
    """Name the terms that departments are not told."""
    if told == "full":
        return frozenset()
    recovers = tie.chargeable_amount == tie.vendor_invoice_amount
    return VENDORS | TOTALS if recovers else VENDORS


def tells_totals(tie: TieOut, told: TieOutTold) -> bool:
    """Tell whether departments are told what the whole cycle comes to."""
    return not TOTALS & withheld(tie, told)


def of_departments(tie: TieOut, told: TieOutTold) -> TieOut:
    """Give the terms for documents of departments, the vendor's as not recorded if withheld."""
    if told == "full":
        return tie
    return replace(
        tie, vendor_invoice_acus=None, vendor_invoice_amount=None, over_recovery_amount=None
    )
