"""What all charges of a cost center, and all of a cycle, have in common."""

from collections.abc import Mapping
from dataclasses import dataclass

from reportgen.core.charging.invoice import UNBORNE
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import CostCenter, InvoiceLine, Statement
from reportgen.core.written.tables import guarded
from reportgen.documents.exports.focus import notation
from reportgen.documents.exports.focus.columns import COST_AND_USAGE, PLACES
from reportgen.documents.exports.material import Material

BLANK = [""] * len(PLACES)
NUMBERS = frozenset(column.name for column in COST_AND_USAGE if column.type == "DECIMAL")
Charge = list[str]
"""The values of a charge, by `columns.PLACES`."""


def charge_of(values: Mapping[str, str], base: Charge = BLANK) -> Charge:
    """Put values in their places, over a charge that has some.

    No text can be read as a formula; a number may begin with a minus.
    """
    charge = base.copy()
    for name, value in values.items():
        charge[PLACES[name]] = value if name in NUMBERS else guarded(value)
    return charge


def cycle_charge(material: Material) -> Charge:
    """Give what all charges of a cycle or a correction say alike."""
    heading = material.statement.heading
    return charge_of(
        {
            "BillingCurrency": heading.currency,
            **period_of(material.period),
            "ChargePeriodStart": notation.boundary(heading.cycle.start),
            "ChargePeriodEnd": notation.boundary(heading.cycle.end),
            "HostProviderName": notation.VENDOR,
            "InvoiceIssuerName": heading.enterprise,
            "PricingCurrency": heading.currency,
            "ProviderName": notation.VENDOR,
            "PublisherName": notation.VENDOR,
            "ServiceCategory": notation.CATEGORY,
            "ServiceName": notation.SERVICE,
            "ServiceProviderName": notation.VENDOR,
            "ServiceSubcategory": notation.SUBCATEGORY,
            "x_Cycle": material.folder,
        }
    )


def period_of(cycle: BillingCycle) -> dict[str, str]:
    """Give the bounds of a billing period, the end not part of it."""
    return {
        "BillingPeriodStart": notation.boundary(cycle.start),
        "BillingPeriodEnd": notation.boundary(cycle.end),
    }


def account_of(center: CostCenter, number: str | None) -> dict[str, str]:
    """Say whose charges they are, and on which invoice they stand."""
    return {
        "BillingAccountId": center.code,
        "BillingAccountName": center.name,
        "BillingAccountType": notation.COST_CENTER,
        "InvoiceId": number or "",
        "x_Department": center.department or "",
        "x_Entity": center.entity or "",
        "x_GlAccount": center.gl_account or "",
    }


def account_of_nobody(statement: Statement) -> dict[str, str]:
    """Say that charges stay with the enterprise, and stand on no invoice."""
    return {
        "BillingAccountId": statement.heading.enterprise,
        "BillingAccountName": statement.heading.enterprise,
        "BillingAccountType": notation.ENTERPRISE,
    }


def detail_id(number: str, place: int) -> str:
    """Name a line of an invoice or a note, the first one 1."""
    return f"{number}/{place}"


@dataclass(frozen=True, kw_only=True, slots=True)
class InvoicedLine:
    """A line of an invoice, as its charges name it; what nobody bears stands on none."""

    account: Mapping[str, str]
    name: str
    line: InvoiceLine

    @property
    def borne(self) -> bool:
        """Tell whether anybody is charged."""
        return bool(self.name)


def invoiced_lines(material: Material) -> dict[str, list[InvoicedLine]]:
    """Give the lines of every invoice by the code of its cost center, that of nobody last."""
    lines = {}
    for invoice in material.statement.invoices:
        account = account_of(invoice.cost_center, invoice.number)
        lines[invoice.cost_center.code] = [
            InvoicedLine(account=account, name=detail_id(invoice.number or "", place), line=line)
            for place, line in enumerate(invoice.lines, start=1)
        ]
    nobody = account_of_nobody(material.statement)
    lines[UNBORNE] = [
        InvoicedLine(account=nobody, name="", line=line)
        for line in material.charges.lines.get(UNBORNE, ())
    ]
    return lines
