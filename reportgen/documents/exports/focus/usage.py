"""Charges of usage: a row for each allocation, which comes by the million, and what was rounded.

Laws: quantities and costs are exact to the last decimal; cost = price x quantity where there is a
price. With the row of its rounding, the charges of a line make its amount. Where a record is split,
the ratios of its parts add up to exactly 1.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal

from reportgen.core.cycle import DAY
from reportgen.core.model import Allocation
from reportgen.core.money import ONE, ZERO, apportion, multiply, plain, subtract
from reportgen.core.written.tables import guarded
from reportgen.documents.exports.focus import notation
from reportgen.documents.exports.focus.accounts import (
    Charge,
    InvoicedLine,
    charge_of,
    cycle_charge,
    invoiced_lines,
)
from reportgen.documents.exports.focus.columns import PLACES
from reportgen.documents.exports.material import Material

PERCENT_METHOD, WEIGHT_METHOD = "record-split-by-percent", "record-split-by-weight"
ONE_ACU = "1.0"
"""What an ACU costs in ACUs; written so that readers who guess at types see a decimal."""
TemplateKey = tuple[str, str, str, Decimal | None, str, str]
"""A cost center's code, the kind, the product and the unit price of a line; organization, cause."""
Template = tuple[Charge, Decimal, bool]
"""What charges share, their price, and whether anybody bears them."""
_START, _END = PLACES["ChargePeriodStart"], PLACES["ChargePeriodEnd"]
_CONSUMED, _PRICED = PLACES["ConsumedQuantity"], PLACES["PricingQuantity"]
_IN_ACUS = PLACES["PricingCurrencyEffectiveCost"]
_BILLED, _EFFECTIVE = PLACES["BilledCost"], PLACES["EffectiveCost"]
_CONTRACTED, _LISTED = PLACES["ContractedCost"], PLACES["ListCost"]
_PRINCIPAL, _PRINCIPAL_KIND = PLACES["x_PrincipalId"], PLACES["x_PrincipalKind"]
_SESSION, _RULE = PLACES["x_SessionId"], PLACES["x_Rule"]


def usage_charges(material: Material) -> Iterator[Charge]:
    """Give a charge for each allocation, in the order of the ledger."""
    writer = _Writer(material)
    for number, parts in enumerate(_records(material.allocations), start=1):
        charges = [writer.charge(one) for one in parts]
        if parts[1:]:
            _split(parts, charges, f"{material.folder}/record/{number}")
        yield from charges


def roundings(material: Material) -> Iterator[Charge]:
    """Give what each line of usage was rounded by, as an adjustment of its invoice."""
    base = cycle_charge(material)
    for lines in invoiced_lines(material).values():
        for one in lines:
            rounding = subtract(one.line.amount, one.line.exact_amount)
            if one.line.of_usage and one.borne and rounding:
                yield _rounding(one, rounding, base)


def _records(allocations: Iterable[Allocation]) -> Iterator[list[Allocation]]:
    """Put the allocations of each record together; they come one after the other."""
    parts: list[Allocation] = []
    for one in allocations:
        if parts and one.record is not parts[0].record:
            yield parts
            parts = []
        parts.append(one)
    if parts:
        yield parts


def _split(parts: list[Allocation], charges: list[Charge], origin: str) -> None:
    """Say of the parts of a record which they are of one whole."""
    weights = [one.quantity.copy_abs() for one in parts]
    ratios = apportion(ONE, weights)
    for one, charge, ratio in zip(parts, charges, ratios, strict=True):
        method = WEIGHT_METHOD if "/" in one.share else PERCENT_METHOD
        charge[PLACES["AllocatedMethodId"]] = method
        charge[PLACES["AllocatedMethodDetails"]] = notation.method_details(ratio, one.share)
        charge[PLACES["AllocatedResourceId"]] = charge[PLACES["BillingAccountId"]]
        charge[PLACES["AllocatedResourceName"]] = charge[PLACES["BillingAccountName"]]
        charge[PLACES["x_OriginChargeId"]] = origin


def _rounding(one: InvoicedLine, rounding: Decimal, base: Charge) -> Charge:
    cost = plain(rounding)
    values = {
        **one.account,
        "InvoiceDetailId": one.name,
        "BilledCost": cost,
        "ChargeCategory": "Adjustment",
        "ChargeDescription": f"Rounding of {one.line.product}",
        "ChargeFrequency": "One-Time",
        "ContractedCost": cost,
        "EffectiveCost": cost,
        "ListCost": cost,
        "PricingCurrencyEffectiveCost": cost,
        "x_LineKind": "rounding",
    }
    return charge_of(values, base)


class _Writer:
    """Writes charges of usage: what many of them share is put together once."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._base = cycle_charge(material)
        self._lines: dict[tuple[str, str, str, Decimal | None], InvoicedLine] = {
            (code, one.line.kind, one.line.product, one.line.unit_price): one
            for code, lines in invoiced_lines(material).items()
            for one in lines
            if one.line.of_usage
        }
        self._templates: dict[TemplateKey, Template] = {}
        self._days: dict[date, tuple[str, str]] = {}
        self._exact = not material.statement.heading.effective_prices

    def charge(self, one: Allocation) -> Charge:
        """Give the charge of an allocation."""
        day, product, org_id, kind, principal, session, _, _ = one.record
        key = one.cost_center, one.kind, product, one.unit_price, org_id, one.cause
        template, price, borne = self._templates.get(key) or self._made(key)
        charge = template.copy()
        period = self._days.get(day) or self._bounds(day)
        quantity, exact = plain(one.quantity), plain(one.exact_amount)
        charge[_START], charge[_END] = period
        charge[_CONSUMED] = charge[_PRICED] = charge[_IN_ACUS] = quantity
        charge[_EFFECTIVE] = exact
        charge[_BILLED] = exact if borne else "0"
        listed = exact if self._exact else plain(multiply(one.quantity, price))
        charge[_CONTRACTED] = charge[_LISTED] = listed
        charge[_PRINCIPAL] = guarded(principal)
        charge[_PRINCIPAL_KIND] = kind
        charge[_SESSION] = guarded(session)
        charge[_RULE] = guarded(one.rule)
        return charge

    def _bounds(self, day: date) -> tuple[str, str]:
        bounds = notation.boundary(day), notation.boundary(day + DAY)
        self._days[day] = bounds
        return bounds

    def _made(self, key: TemplateKey) -> Template:
        code, kind, product, unit_price, org_id, cause = key
        line = self._lines[code, kind, product, unit_price]
        price = max(unit_price or ZERO, ZERO)
        values = {
            **line.account,
            **self._priced(product, price),
            "InvoiceDetailId": line.name,
            "ChargeCategory": "Usage",
            "ChargeDescription": f"ACUs of {product}",
            "ChargeFrequency": "Usage-Based",
            "ConsumedUnit": notation.ACU,
            "SubAccountId": org_id,
            "SubAccountName": self._material.directory.organizations.get(org_id) or org_id,
            "x_Cause": cause,
            "x_LineKind": kind,
        }
        made = charge_of(values, self._base), price, line.borne
        self._templates[key] = made
        return made

    def _priced(self, product: str, price: Decimal) -> Mapping[str, str]:
        unit_price = plain(price)
        category = "Other" if self._material.card.recover else "Standard"
        return {
            "ContractedUnitPrice": unit_price,
            "ListUnitPrice": unit_price,
            "PricingCategory": category,
            "PricingCurrency": notation.ACU,
            "PricingCurrencyContractedUnitPrice": ONE_ACU,
            "PricingCurrencyListUnitPrice": ONE_ACU,
            "PricingUnit": notation.ACU,
            "SkuId": product,
            "SkuMeter": notation.METER,
            "SkuPriceId": f"{product}@{unit_price}",
        }
