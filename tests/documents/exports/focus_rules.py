"""The rules of FOCUS 1.0, 1.2 and 1.4 as the specification words them, and who asks each of a row.

Written from the texts of the specification (github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec,
columns and attributes of v1.0 and v1.2; the data model of 1.4), never from what we write.
"""

import csv
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO

Row = dict[str, str]
DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
NUMERIC = re.compile(r"-?\d+(\.\d+)?(E-?\d+)?")
CURRENCY = re.compile(r"[A-Z]{3}")

MANDATORY_1_0 = {
    *("BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency"),
    *("BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass"),
    *("ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost"),
    *("EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit"),
    *("ProviderName", "PublisherName", "ServiceCategory", "ServiceName"),
}
CONDITIONAL_1_0 = {
    *("ConsumedQuantity", "ConsumedUnit", "ContractedUnitPrice", "ListUnitPrice", "SkuId"),
    *("SkuPriceId", "SubAccountId", "SubAccountName", "PricingCategory"),
}
"""Those of 1.0 whose condition holds: usage is measured, prices are agreed, accounts are parted."""
MANDATORY = {
    "1.2": MANDATORY_1_0,
    "1.4": MANDATORY_1_0 - {"ProviderName", "PublisherName"}
    | {"HostProviderName", "ServiceProviderName"},
}
NEVER = {
    "1.2": {"HostProviderName", "ServiceProviderName", "InvoiceDetailId", "AllocatedMethodId"},
    "1.4": {
        *("ProviderName", "PublisherName", "PricingCurrency", "PricingCurrencyEffectiveCost"),
        *("PricingCurrencyContractedUnitPrice", "PricingCurrencyListUnitPrice"),
    },
}
"""Columns that a version does not know, or whose condition does not hold for us in it."""
NOT_NULL = {
    *("BilledCost", "BillingAccountId", "BillingCurrency", "BillingPeriodEnd"),
    *("BillingPeriodStart", "ChargeCategory", "ChargePeriodEnd", "ChargePeriodStart"),
    *("ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost", "ProviderName"),
    *("PublisherName", "ServiceCategory", "ServiceName", "ServiceProviderName"),
    *("ServiceSubcategory", "ChargeFrequency", "PricingCurrency", "PricingCurrencyEffectiveCost"),
    *("BillingAccountType", "HostProviderName"),
}
DATETIMES = {
    *("BillingPeriodEnd", "BillingPeriodStart", "ChargePeriodEnd", "ChargePeriodStart"),
    *("InvoiceDetailCreated", "InvoiceDetailLastUpdated", "InvoiceIssueDate", "PaymentDueDate"),
    *("BillingPeriodCreated", "BillingPeriodLastUpdated"),
}
DECIMALS = {
    *("BilledCost", "ConsumedQuantity", "ContractedCost", "ContractedUnitPrice", "EffectiveCost"),
    *("ListCost", "ListUnitPrice", "PricingCurrencyContractedUnitPrice", "PricingQuantity"),
    *("PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice"),
    "PaymentCurrencyBilledCost",
}
NOT_NEGATIVE = {
    *("ContractedUnitPrice", "ListUnitPrice", "PricingCurrencyContractedUnitPrice"),
    "PricingCurrencyListUnitPrice",
}
ALLOWED = {
    "ChargeCategory": {"Usage", "Purchase", "Tax", "Credit", "Adjustment"},
    "ChargeClass": {"Correction"},
    "ChargeFrequency": {"One-Time", "Recurring", "Usage-Based"},
    "PricingCategory": {"Standard", "Dynamic", "Committed", "Other"},
    "ServiceCategory": {
        *("AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases"),
        *("Developer Tools", "Multicloud", "Identity", "Integration", "Internet of Things"),
        *("Management and Governance", "Media", "Migration", "Mobile", "Networking", "Security"),
        *("Storage", "Web", "Other"),
    },
    "InvoiceIssueStatus": {"Open", "Issued", "Voided"},
    "BillingPeriodStatus": {"Open", "Closed"},
}
SUBCATEGORIES = {
    "AI and Machine Learning": {
        *("AI Platforms", "Bots", "Generative AI", "Machine Learning"),
        *("Natural Language Processing", "Other (AI and Machine Learning)"),
    }
}
INVOICE_DETAIL = {
    "BilledCost": False,
    "BillingAccountId": False,
    "BillingCurrency": False,
    "BillingPeriodEnd": False,
    "BillingPeriodStart": False,
    "ChargeCategory": False,
    "InvoiceDetailCreated": False,
    "InvoiceDetailDescription": True,
    "InvoiceDetailGrain": True,
    "InvoiceDetailId": False,
    "InvoiceDetailLastUpdated": False,
    "InvoiceId": False,
    "InvoiceIssueDate": True,
    "InvoiceIssueStatus": False,
    "InvoiceIssuerName": False,
    "PaymentCurrency": False,
    "PaymentCurrencyBilledCost": False,
    "PaymentCurrencyInvoiceDetailId": False,
    "PaymentDueDate": True,
    "PaymentTerms": False,
    "PurchaseOrderNumber": True,
    "ReferenceInvoiceId": False,
}
"""The 22 columns, and whether each may be null."""
BILLING_PERIOD = {
    *("BillingPeriodCreated", "BillingPeriodEnd", "BillingPeriodLastUpdated"),
    *("BillingPeriodStart", "BillingPeriodStatus", "InvoiceIssuerName"),
}


def rows_of(content: bytes) -> list[Row]:
    return list(csv.DictReader(StringIO(content.decode("utf-8"), newline=""), strict=True))


def header_of(content: bytes) -> list[str]:
    return next(csv.reader(StringIO(content.decode("utf-8"), newline="")))


def broken_in_charges(rows: list[Row], version: str) -> Iterator[str]:
    """Name every rule of Cost and Usage that a row breaks."""
    for number, row in enumerate(rows, start=2):
        for rule in (*_of_values(row), *_of_presence(row, version), *_of_charges(row)):
            yield f"row {number}: {rule}"


def broken_in_details(rows: list[Row]) -> Iterator[str]:
    """Name every rule of Invoice Detail that a row breaks."""
    seen = set()
    for row in rows:
        yield from _of_values(row)
        for name, nullable in INVOICE_DETAIL.items():
            if not (nullable or row[name]):
                yield f"{name} must not be null"
        key = row["InvoiceId"], row["InvoiceDetailId"]
        if key in seen:
            yield f"{key} is there twice"
        seen.add(key)
        if row["InvoiceDetailGrain"] and not _is_key_value(row["InvoiceDetailGrain"]):
            yield "InvoiceDetailGrain is no Key-Value"


def broken_in_periods(rows: list[Row]) -> Iterator[str]:
    """Name every rule of Billing Period that a row breaks."""
    starts = [row["BillingPeriodStart"] for row in rows]
    if len(starts) != len(set(starts)):
        yield "a period is there twice"
    for row in rows:
        yield from _of_values(row)
        yield from (f"{name} must not be null" for name in BILLING_PERIOD if not row[name])
        if not row["BillingPeriodStart"] < row["BillingPeriodEnd"]:
            yield "a period ends before it begins"


def _of_values(row: Row) -> Iterator[str]:
    for name, value in row.items():
        if not value:
            continue
        if name in DATETIMES and not DATETIME.fullmatch(value):
            yield f"{name} is no moment: {value}"
        if name in DECIMALS and not NUMERIC.fullmatch(value):
            yield f"{name} is no number: {value}"
        if name in NOT_NEGATIVE and Decimal(value) < 0:
            yield f"{name} is negative: {value}"
        if name in ALLOWED and value not in ALLOWED[name]:
            yield f"{name} is not allowed: {value}"
        if name in {"BillingCurrency", "PaymentCurrency"} and not CURRENCY.fullmatch(value):
            yield f"{name} is no currency: {value}"
        if not value.strip():
            yield f"{name} is made of blanks"


def _of_presence(row: Row, version: str) -> Iterator[str]:
    if missing := MANDATORY[version] - row.keys():
        yield f"there is no {sorted(missing)}"
    if strange := NEVER[version] & row.keys():
        yield f"{sorted(strange)} is no column of it"
    for name in NOT_NULL & row.keys():
        if not row[name]:
            yield f"{name} must not be null"


def _of_charges(row: Row) -> Iterator[str]:
    yield from _of_categories(row)
    yield from _of_quantities(row)
    if row["ChargeCategory"] in {"Usage", "Purchase"} and row["ChargeClass"] != "Correction":
        yield from _of_prices(row)
    if bool(row["SubAccountId"]) != bool(row["SubAccountName"]):
        yield "SubAccountId and SubAccountName must be null together"
    if row["SkuMeter"] and not row["SkuId"]:
        yield "SkuMeter must be null"
    if not row["SkuPriceId"] and row["SkuPriceDetails"]:
        yield "SkuPriceDetails must be null"


def _of_categories(row: Row) -> Iterator[str]:
    category = row["ChargeCategory"]
    if row["ServiceSubcategory"] not in SUBCATEGORIES[row["ServiceCategory"]]:
        yield "ServiceSubcategory has another parent"
    if category == "Purchase" and row["ChargeFrequency"] == "Usage-Based":
        yield "ChargeFrequency must not be Usage-Based of a Purchase"
    if not row["ChargePeriodStart"] < row["ChargePeriodEnd"]:
        yield "the charge period ends before it begins"
    if category == "Adjustment" and len({row["BilledCost"], row["ContractedCost"]}) > 1:
        yield "ContractedCost of an unrelated charge must be BilledCost"


def _of_quantities(row: Row) -> Iterator[str]:
    of_usage, correction = row["ChargeCategory"] == "Usage", row["ChargeClass"] == "Correction"
    if row["ConsumedQuantity"] and not of_usage:
        yield "ConsumedQuantity must be null"
    if of_usage and not (correction or row["ConsumedQuantity"]):
        yield "ConsumedQuantity must not be null"
    for kind in ("Consumed", "Pricing"):
        if bool(row[f"{kind}Unit"]) != bool(row[f"{kind}Quantity"]):
            yield f"{kind}Unit and {kind}Quantity must be null together"


def _of_prices(row: Row) -> Iterator[str]:
    priced = {
        *("ContractedUnitPrice", "ListUnitPrice", "PricingCategory", "PricingQuantity", "SkuId"),
        *("SkuPriceId", "PricingCurrencyContractedUnitPrice", "PricingCurrencyListUnitPrice"),
    }
    yield from (f"{name} must not be null" for name in priced & row.keys() if not row[name])
    for kind in ("Contracted", "List"):
        cost = Decimal(row[f"{kind}UnitPrice"]) * Decimal(row["PricingQuantity"])
        if cost != Decimal(row[f"{kind}Cost"]):
            yield f"{kind}UnitPrice x PricingQuantity must be {kind}Cost"


def allocated(rows: list[Row], prefix: str = "") -> dict[str, list[Decimal]]:
    """Read the ratios of every origin charge; raises ValueError for what is no such object."""
    ratios: dict[str, list[Decimal]] = {}
    for row in rows:
        method, details = (
            row[f"{prefix}Allocated{name}"] for name in ("MethodId", "MethodDetails")
        )
        if bool(method) != bool(details) or bool(method) != bool(row["x_OriginChargeId"]):
            raise ValueError(f"{method} {details}")
        if method:
            found = json.loads(details, parse_float=Decimal, parse_int=Decimal)
            (element,) = found["Elements"]
            if {*found} != {"Elements"} or {*element} - {"AllocatedRatio"} != {"x_Share"}:
                raise ValueError(details)
            if not 0 <= element["AllocatedRatio"] <= 1:
                raise ValueError(details)
            ratios.setdefault(row["x_OriginChargeId"], []).append(element["AllocatedRatio"])
    return ratios


def _is_key_value(text: str) -> bool:
    values = json.loads(text)
    return isinstance(values, dict) and all(
        isinstance(value, str | int | float | bool | None) for value in values.values()
    )
