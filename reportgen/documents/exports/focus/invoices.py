"""The datasets beside the charges, of version 1.4: lines of invoices and notes, billing periods."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from reportgen.core.model import CreditNoteLine, InvoiceLine
from reportgen.core.money import fixed, plain
from reportgen.core.written.tables import guarded
from reportgen.documents.exports.focus import notation
from reportgen.documents.exports.focus.accounts import detail_id, period_of
from reportgen.documents.exports.focus.columns import BILLING_PERIOD, INVOICE_DETAIL
from reportgen.documents.exports.material import Material

TERMS = "Internal chargeback: no payment is due"
CATEGORIES = {"usage": "Usage", "unallocated": "Usage", "fee": "Purchase"}
"""Of kinds of line; all others are adjustments."""
Line = InvoiceLine | CreditNoteLine
NUMBERS = frozenset(column.name for column in INVOICE_DETAIL if column.type == "DECIMAL")


def invoice_details(material: Material) -> Iterator[list[str]]:
    """Give a row for each line of every invoice, or of every note of a correction."""
    base = _of_cycle(material)
    for number, code, reference, lines in _documents(material):
        for place, line in enumerate(lines, start=1):
            name = detail_id(number, place)
            values = {
                **base,
                **_of_line(line, material.statement.heading.decimals),
                "BillingAccountId": code,
                "InvoiceDetailId": name,
                "InvoiceId": number,
                "PaymentCurrencyInvoiceDetailId": name,
                "ReferenceInvoiceId": reference,
            }
            yield [_text(column.name, values) for column in INVOICE_DETAIL]


def _text(name: str, values: dict[str, str]) -> str:
    value = values.get(name, "")
    return value if name in NUMBERS else guarded(value)


def _documents(material: Material) -> Iterator[tuple[str, str, str, Sequence[Line]]]:
    """Give the number of each document, whose it is, the number it refers to, and its lines."""
    if material.notes is None:
        for invoice in material.statement.invoices:
            if invoice.number:
                yield invoice.number, invoice.cost_center.code, invoice.number, invoice.lines
        return
    standing = material.notes.correcting.standing.invoices
    for code, note in material.notes.issued.items():
        stood = standing.get(code)
        yield note.number, code, (stood.number if stood else None) or note.number, note.lines


def _of_cycle(material: Material) -> dict[str, str]:
    heading = material.statement.heading
    issued = notation.midnight(heading.issue.issued) if heading.issue else ""
    return {
        "BillingCurrency": heading.currency,
        **period_of(material.period),
        "InvoiceDetailCreated": made_at(material),
        "InvoiceDetailLastUpdated": made_at(material),
        "InvoiceIssueDate": issued,
        "InvoiceIssueStatus": "Issued" if issued else "Open",
        "InvoiceIssuerName": heading.enterprise,
        "PaymentCurrency": heading.currency,
        "PaymentTerms": TERMS,
    }


def made_at(material: Material) -> str:
    """Give the moment of which the figures tell: the day of issue, or a draft's last answer."""
    issue = material.statement.heading.issue
    if issue:
        return notation.midnight(issue.issued)
    return material.collected_at


def _of_line(line: Line, decimals: int) -> dict[str, str]:
    amount = fixed(line.amount, decimals)
    described = line.product if line.of_usage else f"{line.kind.capitalize()}: {line.name}"
    values = {
        "BilledCost": amount,
        "ChargeCategory": CATEGORIES.get(line.kind, "Adjustment"),
        "InvoiceDetailDescription": described,
        "InvoiceDetailGrain": notation.key_values(_grain(line)),
        "PaymentCurrencyBilledCost": amount,
    }
    if line.of_usage:
        values["x_PricingQuantity"] = plain(line.acus)
        values["x_ContractedUnitPrice"] = _optional(line.unit_price)
    return values


def _optional(value: Decimal | None) -> str:
    return "" if value is None else plain(value)


def _grain(line: Line) -> dict[str, str]:
    grain = {"x_LineKind": str(line.kind)}
    if not line.of_usage:
        return grain | {"x_Name": line.name}
    priced = {"x_UnitPrice": plain(line.unit_price)} if line.unit_price is not None else {}
    return {"SkuId": line.product} | grain | priced


class Periods:
    """The billing periods that charges were met of, each once, with the latest that is known."""

    def __init__(self) -> None:
        """Begin with none."""
        self._rows: dict[date, dict[str, str]] = {}

    def meet(self, material: Material) -> None:
        """Take the period of a cycle, or that in which a correction was issued."""
        heading = material.statement.heading
        closed = material.notes is None and heading.issue is not None
        values = {
            **period_of(material.period),
            "BillingPeriodCreated": notation.boundary(material.period.start),
            "BillingPeriodLastUpdated": made_at(material),
            "BillingPeriodStatus": "Closed" if closed else "Open",
            "InvoiceIssuerName": guarded(heading.enterprise),
        }
        before = self._rows.get(material.period.start)
        if before:
            latest = max(before["BillingPeriodLastUpdated"], values["BillingPeriodLastUpdated"])
            values["BillingPeriodLastUpdated"] = latest
            if "Closed" in {before["BillingPeriodStatus"], values["BillingPeriodStatus"]}:
                values["BillingPeriodStatus"] = "Closed"
        self._rows[material.period.start] = values

    def rows(self) -> Iterator[list[str]]:
        """Give a row for each period, the earliest first."""
        for _, values in sorted(self._rows.items()):
            yield [values[column.name] for column in BILLING_PERIOD]
