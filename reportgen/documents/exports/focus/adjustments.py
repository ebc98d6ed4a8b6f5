"""Charges besides usage: fees, transfers, pools; and what a correction takes back and enters anew.

Laws: one row for each line of an invoice. The parts of a pool have ratios that add up to exactly 1.
A line of a note is two rows, the reversal of what stood and the re-entry of what stands, in the
billing period of the note and the charge period of the usage: together they make the line.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from reportgen.core.model import CreditNoteLine, InvoiceLine
from reportgen.core.money import EXACT, ONE, ZERO, apportion, fixed, plain
from reportgen.documents.exports.focus import notation
from reportgen.documents.exports.focus.accounts import (
    Charge,
    InvoicedLine,
    account_of,
    charge_of,
    cycle_charge,
    detail_id,
    invoiced_lines,
)
from reportgen.documents.exports.material import Material

POOL_METHOD = "pool-{basis}"
UNITS, FEES = "Units", "Fees"


def other_charges(material: Material) -> Iterator[Charge]:
    """Give a charge for each fee, transfer and part of a pool, by cost centers and lines."""
    base = cycle_charge(material)
    lines = invoiced_lines(material)
    parts = _parts_of_pools(material.folder, lines)
    heading = material.statement.heading
    for invoiced in lines.values():
        for one in invoiced:
            if not one.line.of_usage:
                amount = fixed(one.line.amount, heading.decimals)
                described = _described(one.line, amount, heading.enterprise)
                described |= parts.get(one.name, {})
                named = {"InvoiceDetailId": one.name, "x_LineKind": one.line.kind}
                yield charge_of({**one.account, **named, **described}, base)


def _described(line: InvoiceLine, amount: str, enterprise: str) -> dict[str, str]:
    """Say what a line charges: a fee is bought of the enterprise itself, all else is adjusted."""
    words_of = {"transfer": "Transfer", "pool": "Pool"}
    if line.kind == "fee":
        return _bought(line, amount, enterprise)
    return {
        **_costs(amount),
        "ChargeCategory": "Adjustment",
        "ChargeDescription": f"{words_of[line.kind]}: {line.name}",
        "ChargeFrequency": "Recurring" if line.kind == "pool" else "One-Time",
    }


def _bought(line: InvoiceLine, amount: str, enterprise: str) -> dict[str, str]:
    """Write a fee as a unit of what has its name; of one that is given back, as minus a unit."""
    price = amount.removeprefix("-")
    return {
        **_costs(amount),
        "ChargeCategory": "Purchase",
        "ChargeDescription": f"Fee: {line.name}",
        "ChargeFrequency": "Recurring",
        "ContractedUnitPrice": price,
        "HostProviderName": enterprise,
        "ListUnitPrice": price,
        "PricingCategory": "Standard",
        "PricingCurrencyContractedUnitPrice": price,
        "PricingCurrencyListUnitPrice": price,
        "PricingQuantity": "-1" if line.amount < 0 else "1",
        "PricingUnit": UNITS,
        "ProviderName": enterprise,
        "PublisherName": enterprise,
        "ServiceProviderName": enterprise,
        "SkuId": line.name,
        "SkuMeter": FEES,
        "SkuPriceId": f"{line.name}@{price}",
    }


def _costs(amount: str) -> dict[str, str]:
    names = ("BilledCost", "ContractedCost", "EffectiveCost", "ListCost")
    return dict.fromkeys((*names, "PricingCurrencyEffectiveCost"), amount)


def _parts_of_pools(
    folder: str, lines: Mapping[str, Sequence[InvoicedLine]]
) -> dict[str, dict[str, str]]:
    """Say of each part of a pool, by the name of its line, which it is of the pool's amount."""
    pools: dict[str, list[InvoicedLine]] = {}
    for invoiced in lines.values():
        for one in invoiced:
            if one.line.kind == "pool" and one.line.counterpart:
                pools.setdefault(one.line.counterpart, []).append(one)
    return {
        one.name: _part(one, ratio, f"{folder}/pool/{code}")
        for code, parts in pools.items()
        for one, ratio in zip(parts, _ratios(parts), strict=True)
    }


def _ratios(parts: Sequence[InvoicedLine]) -> list[Decimal]:
    weights = [one.line.exact_amount.copy_abs() for one in parts]
    return apportion(ONE, weights if any(weights) else [ONE for _ in parts])


def _part(one: InvoicedLine, ratio: Decimal, origin: str) -> dict[str, str]:
    return {
        "AllocatedMethodId": POOL_METHOD.format(basis=one.line.basis),
        "AllocatedMethodDetails": notation.method_details(ratio, one.line.share or ""),
        "AllocatedResourceId": one.account["BillingAccountId"],
        "AllocatedResourceName": one.account["BillingAccountName"],
        "x_OriginChargeId": origin,
    }


# Corrections


def corrections(material: Material) -> Iterator[Charge]:
    """Give two charges for each line of every note that is issued."""
    notes = material.notes
    if notes is None:
        return
    base, decimals = cycle_charge(material), material.statement.heading.decimals
    centers = {one.cost_center.code: one.cost_center for one in material.statement.invoices}
    for code, note in notes.issued.items():
        stood = notes.correcting.standing.invoices.get(code)
        known = {
            **account_of(centers[code], note.number),
            "ChargeClass": "Correction",
            "x_ReferenceInvoiceId": (stood.number if stood else None) or note.number,
        }
        for place, line in enumerate(note.lines, start=1):
            named = known | {"InvoiceDetailId": detail_id(note.number, place)}
            yield charge_of(named | _reversal(line, decimals), base)
            yield charge_of(named | _re_entry(line, decimals), base)


def _reversal(line: CreditNoteLine, decimals: int) -> dict[str, str]:
    acus, amount = EXACT.minus(line.before_acus), EXACT.minus(line.before_amount)
    return {**_corrected(line, acus, fixed(amount, decimals)), "x_CorrectionStep": "Reversal"}


def _re_entry(line: CreditNoteLine, decimals: int) -> dict[str, str]:
    return {
        **_corrected(line, line.after_acus, fixed(line.after_amount, decimals)),
        "x_CorrectionStep": "Re-entry",
    }


def _corrected(line: CreditNoteLine, acus: Decimal, amount: str) -> dict[str, str]:
    described = {**_costs(amount), "x_LineKind": line.kind}
    if not line.of_usage:
        purchase = line.kind == "fee"
        return described | {
            "ChargeCategory": "Purchase" if purchase else "Adjustment",
            "ChargeDescription": f"Correction of {line.name}",
            "ChargeFrequency": "Recurring" if purchase else "One-Time",
        }
    price = "" if line.unit_price is None else plain(max(line.unit_price, ZERO))
    return described | {
        "ChargeCategory": "Usage",
        "ChargeDescription": f"Correction of ACUs of {line.product}",
        "ChargeFrequency": "Usage-Based",
        "ConsumedQuantity": plain(acus),
        "ConsumedUnit": notation.ACU,
        "ContractedUnitPrice": price,
        "ListUnitPrice": price,
        "PricingCategory": "Standard",
        "PricingCurrency": notation.ACU,
        "PricingCurrencyEffectiveCost": plain(acus),
        "PricingQuantity": plain(acus),
        "PricingUnit": notation.ACU,
        "SkuId": line.product,
        "SkuMeter": notation.METER,
        "SkuPriceId": f"{line.product}@{price}" if price else line.product,
    }
