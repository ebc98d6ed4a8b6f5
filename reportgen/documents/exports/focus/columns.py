"""The columns of the datasets, in the order in which they are written: FOCUS's own first.

A charge is put together once, with a place for every column of either version; a version picks
those it knows. What a later version has of its own is there in 1.2 as well, as a column of ours.
"""

from typing import Literal, NamedTuple

from reportgen.core.model import FocusVersion

DataType = Literal["STRING", "DECIMAL", "DATETIME", "JSON"]


class FocusColumn(NamedTuple):
    """A column by its id and type, and how it is called in each version; empty where it is not."""

    name: str
    type: DataType
    in_1_2: str
    in_1_4: str


def _both(kind: DataType, *names: str) -> tuple[FocusColumn, ...]:
    return tuple(FocusColumn(name, kind, name, name) for name in names)


def _of_1_2(kind: DataType, *names: str) -> tuple[FocusColumn, ...]:
    return tuple(FocusColumn(name, kind, name, "") for name in names)


def _of_1_4(kind: DataType, *names: str) -> tuple[FocusColumn, ...]:
    return tuple(FocusColumn(name, kind, "", name) for name in names)


def _own_before(kind: DataType, *names: str) -> tuple[FocusColumn, ...]:
    """Columns of 1.4 that 1.2 does not know: there they are ours."""
    return tuple(FocusColumn(name, kind, f"x_{name}", name) for name in names)


COST_AND_USAGE: tuple[FocusColumn, ...] = (
    *_own_before("JSON", "AllocatedMethodDetails"),
    *_own_before("STRING", "AllocatedMethodId", "AllocatedResourceId", "AllocatedResourceName"),
    *_of_1_4("JSON", "AllocatedTags"),
    *_both("DECIMAL", "BilledCost"),
    *_both("STRING", "BillingAccountId", "BillingAccountName", "BillingAccountType"),
    *_both("STRING", "BillingCurrency"),
    *_both("DATETIME", "BillingPeriodEnd", "BillingPeriodStart"),
    *_both("STRING", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency"),
    *_both("DATETIME", "ChargePeriodEnd", "ChargePeriodStart"),
    *_both("DECIMAL", "ConsumedQuantity"),
    *_both("STRING", "ConsumedUnit"),
    *_both("DECIMAL", "ContractedCost", "ContractedUnitPrice", "EffectiveCost"),
    *_of_1_4("STRING", "HostProviderName"),
    *_own_before("STRING", "InvoiceDetailId"),
    *_both("STRING", "InvoiceId", "InvoiceIssuerName"),
    *_both("DECIMAL", "ListCost", "ListUnitPrice"),
    *_both("STRING", "PricingCategory"),
    *_of_1_2("STRING", "PricingCurrency"),
    *_of_1_2("DECIMAL", "PricingCurrencyContractedUnitPrice"),
    *_of_1_2("DECIMAL", "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice"),
    *_both("DECIMAL", "PricingQuantity"),
    *_both("STRING", "PricingUnit"),
    *_of_1_2("STRING", "ProviderName", "PublisherName"),
    *_both("STRING", "ServiceCategory", "ServiceName"),
    *_of_1_4("STRING", "ServiceProviderName"),
    *_both("STRING", "ServiceSubcategory", "SkuId", "SkuMeter"),
    *_both("JSON", "SkuPriceDetails"),
    *_both("STRING", "SkuPriceId", "SubAccountId", "SubAccountName"),
    *_both("STRING", "x_Cause", "x_CorrectionStep", "x_Cycle", "x_Department", "x_Entity"),
    *_both("STRING", "x_GlAccount", "x_LineKind", "x_OriginChargeId"),
    *_both("STRING", "x_PrincipalId", "x_PrincipalKind", "x_ReferenceInvoiceId", "x_Rule"),
    *_both("STRING", "x_SessionId"),
)
"""One row per charge. Tags, regions, resources, commitments and reservations: we have none."""
PLACES = {column.name: place for place, column in enumerate(COST_AND_USAGE)}

INVOICE_DETAIL: tuple[FocusColumn, ...] = (
    *_of_1_4("DECIMAL", "BilledCost"),
    *_of_1_4("STRING", "BillingAccountId", "BillingCurrency"),
    *_of_1_4("DATETIME", "BillingPeriodEnd", "BillingPeriodStart"),
    *_of_1_4("STRING", "ChargeCategory"),
    *_of_1_4("DATETIME", "InvoiceDetailCreated"),
    *_of_1_4("STRING", "InvoiceDetailDescription"),
    *_of_1_4("JSON", "InvoiceDetailGrain"),
    *_of_1_4("STRING", "InvoiceDetailId"),
    *_of_1_4("DATETIME", "InvoiceDetailLastUpdated"),
    *_of_1_4("STRING", "InvoiceId"),
    *_of_1_4("DATETIME", "InvoiceIssueDate"),
    *_of_1_4("STRING", "InvoiceIssueStatus", "InvoiceIssuerName", "PaymentCurrency"),
    *_of_1_4("DECIMAL", "PaymentCurrencyBilledCost"),
    *_of_1_4("STRING", "PaymentCurrencyInvoiceDetailId"),
    *_of_1_4("DATETIME", "PaymentDueDate"),
    *_of_1_4("STRING", "PaymentTerms", "PurchaseOrderNumber", "ReferenceInvoiceId"),
    *_of_1_4("DECIMAL", "x_PricingQuantity", "x_ContractedUnitPrice"),
)
"""A row per line of an invoice or a note, in all 22 columns, and the metrics that stand there."""

BILLING_PERIOD: tuple[FocusColumn, ...] = (
    *_of_1_4("DATETIME", "BillingPeriodCreated", "BillingPeriodEnd"),
    *_of_1_4("DATETIME", "BillingPeriodLastUpdated", "BillingPeriodStart"),
    *_of_1_4("STRING", "BillingPeriodStatus", "InvoiceIssuerName"),
)


def columns_of(dataset: tuple[FocusColumn, ...], version: FocusVersion) -> list[FocusColumn]:
    """Give the columns that a version has, FOCUS's before ours, as they are called in it."""
    named = [(column, column.in_1_2 if version == "1.2" else column.in_1_4) for column in dataset]
    ordered = sorted((one for one in named if one[1]), key=lambda one: one[1].startswith("x_"))
    return [column._replace(in_1_2=name, in_1_4=name) for column, name in ordered]
