"""inputs/resolved.json: the configuration as it was understood, for whoever reckons a cycle again.

The same configuration and cycle give the same bytes, in a fixed order, without a secret. The form
is that of docs/resolved.md.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from reportgen.core.allocating.match import session_key
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import (
    CostCenter,
    DatedSplit,
    Fee,
    MemoCurrency,
    Pool,
    Price,
    RateCard,
    Rule,
    Split,
    Transfer,
    VendorInvoice,
)
from reportgen.core.text import visible
from reportgen.sources.config.configuration import Configuration

SCHEMA = "reportgen.resolved/1"
RULES_VERSION = 1
"""Of the rules by which usage is allocated, rated and rounded; a change of them raises it."""
Resolved = dict[str, Any]


def resolved_json(configuration: Configuration, cycle: BillingCycle) -> str:
    """Write what a cycle is charged by: decimals as strings, each rule on a line of its own."""
    values = {
        **_settings(configuration, cycle),
        **_mapping(configuration),
        **_rates(configuration.rate_card),
    }
    keys = (f"{_line(key)}: {_block(value)}" for key, value in values.items())
    return "{\n" + ",\n".join(keys) + "\n}\n"


def _settings(configuration: Configuration, cycle: BillingCycle) -> Resolved:
    settings = configuration.settings
    return {
        "schema": SCHEMA,
        "rules_version": RULES_VERSION,
        "enterprise": settings.enterprise,
        "cycle": {
            "start": cycle.start.isoformat(),
            "end": cycle.end.isoformat(),
            "after": cycle.after,
            "before": cycle.before,
        },
        "source": {
            "api": settings.source.api,
            "prefix": settings.source.prefix,
            "organizations": [one.id for one in settings.source.organizations],
        },
        "tolerance": _decimal(settings.tolerance),
        "invoice": {
            "users": settings.invoice.users,
            "detail": settings.invoice.detail,
            "tie_out": settings.invoice.tie_out,
        },
        "fiscal_year": settings.fiscal_year,
        "products": {
            product: {"label": one.label, "meaning": one.meaning}
            for product, one in sorted(settings.products.items())
        },
    }


def _mapping(configuration: Configuration) -> Resolved:
    mapping = configuration.mapping
    return {
        "precedence": list(mapping.precedence),
        "unallocated": mapping.unallocated,
        "unallocated_source": mapping.unallocated_source,
        "cost_centers": {center.code: _cost_center(center) for center in mapping.cost_centers},
        "rules": [_rule(rule) for rule in mapping.rules],
        "pools": [_pool(pool) for pool in mapping.pools],
    }


def _rates(card: RateCard) -> Resolved:
    """Give the rate card; exactly one of `prices`, `tiers` and `recover` holds something."""
    return {
        "currency": card.currency,
        "decimals": card.decimals,
        "contract": card.contract,
        "rates_source": card.source,
        "prices": {product: _prices(prices) for product, prices in sorted(card.prices.items())},
        "tiers": [
            {
                "up_to": _decimal(tier.up_to),
                "unit_price": _decimal(tier.unit_price),
                "source": tier.source,
            }
            for tier in card.tiers
        ],
        "recover": card.recover
        and {"weights": _weights(card.recover.weights), "source": card.recover.source},
        "fees": list(map(_fee, card.fees)),
        "transfers": list(map(_transfer, card.transfers)),
        "memo_currencies": {
            code: _memo(memo) for code, memo in sorted(card.memo_currencies.items())
        },
        "vendor_invoices": {
            start.isoformat(): _vendor_invoice(invoice)
            for start, invoice in sorted(card.vendor_invoices.items())
        },
    }


def _cost_center(center: CostCenter) -> Resolved:
    return {
        "name": center.name,
        "closed": center.closed and center.closed.isoformat(),
        "year_budget": _decimal(center.year_budget),
        "fields": dict(center.fields),
    }


def _rule(rule: Rule) -> Resolved:
    return {
        "section": rule.section,
        "key": _key(rule),
        "source": rule.source,
        "values": [_value(value) for value in rule.values],
    }


def _key(rule: Rule) -> str:
    """Give a key as it is compared: a session with its prefix, a user without what nobody sees."""
    if rule.section == "sessions":
        return session_key(rule.key)
    return visible(rule.key) if rule.section in {"users", "user_file"} else rule.key


def _value(value: DatedSplit) -> Resolved:
    """Give what holds from a day on; no share at all where a row of the HR export says nothing."""
    return {
        "from": _from(value.start),
        "shares": {} if value.silent else _shares(value.split),
        "source": value.source,
    }


def _shares(split: Split | None) -> dict[str, str] | None:
    """Give shares as the ledger has them: 0.6 of a percentage, 1/3 of a weight; None for `none`."""
    return {share.cost_center: share.text for share in split.shares} if split else None


def _pool(pool: Pool) -> Resolved:
    return {
        "cost_center": pool.cost_center,
        "basis": pool.basis,
        "shares": _shares(pool.split),
        "source": pool.source,
    }


def _prices(prices: Iterable[Price]) -> list[Resolved]:
    return [
        {
            "from": _from(price.start),
            "unit_price": _decimal(price.unit_price),
            "source": price.source,
        }
        for price in prices
    ]


def _weights(weights: Mapping[str, Decimal]) -> Resolved:
    return {product: _decimal(weight) for product, weight in sorted(weights.items())}


def _fee(fee: Fee) -> Resolved:
    return {
        "name": fee.name,
        "amount": _decimal(fee.amount),
        "fraction": _decimal(fee.fraction),
        "to": None if fee.to is None else sorted(fee.to),
        "source": fee.source,
    }


def _transfer(transfer: Transfer) -> Resolved:
    return {
        "cycle": transfer.cycle.isoformat(),
        "from": transfer.giver,
        "to": transfer.receiver,
        "amount": _decimal(transfer.amount),
        "reason": transfer.reason,
        "source": transfer.source,
    }


def _memo(memo: MemoCurrency) -> Resolved:
    return {
        "currency": memo.currency,
        "decimals": memo.decimals,
        "rates": {rate.start.isoformat(): _decimal(rate.units) for rate in memo.rates},
        "source": memo.source,
    }


def _vendor_invoice(invoice: VendorInvoice) -> Resolved:
    return {
        "number": invoice.number,
        "amount": _decimal(invoice.amount),
        "acus": _decimal(invoice.acus),
        "source": invoice.source,
    }


def _from(start: date) -> str | None:
    """Give the day from which something holds; None where it holds from the first day on."""
    return None if start == date.min else start.isoformat()


def _decimal(value: Decimal | None) -> str | None:
    """Write a number as it was written, without an exponent."""
    return None if value is None else f"{value:f}"


def _block(value: object) -> str:
    """Write what a key leads to: an element of a list or a map on a line."""
    if isinstance(value, Mapping) and value:
        lines = [f"{_line(key)}: {_line(inner)}" for key, inner in value.items()]
        return "{\n  " + ",\n  ".join(lines) + "\n}"
    if isinstance(value, Sequence) and value and not isinstance(value[0], str):
        return "[\n  " + ",\n  ".join(map(_line, value)) + "\n]"
    return _line(value)


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
