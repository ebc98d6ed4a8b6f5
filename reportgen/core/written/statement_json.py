"""statement.json: the statement as plain values and JSON, decimals as strings, no exponent."""

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any

from reportgen.core.cycle import BOUNDARY
from reportgen.core.model import (
    ByOrganization,
    ByTag,
    CostCenter,
    CostCenterChange,
    Discrepancy,
    Invoice,
    InvoiceLine,
    IssuedCorrection,
    LargestSessions,
    Memo,
    Moved,
    RunRate,
    SessionUse,
    Statement,
    Subtotal,
    UnallocatedPart,
    Variance,
    YearToDate,
)
from reportgen.core.money import at_least, fixed, plain, printed, ratio, subtract
from reportgen.core.written.unit_costs_json import unit_costs_values

SCHEMA = "reportgen.statement/1"


def statement_json(statement: Statement) -> str:
    """Write the statement as the contract has it, keys in its order."""
    return f"{json.dumps(statement_values(statement), ensure_ascii=False, indent=2)}\n"


def statement_values(statement: Statement) -> dict[str, Any]:
    """Give the statement as plain values, decimals as strings."""
    heading, decimals = statement.heading, statement.heading.decimals
    unallocated = statement.unallocated
    return {
        **heading_values(statement, SCHEMA),
        "control": {
            "acus": plain(statement.tie_out.control_acus),
            "by_product": _quantities(statement.control_by_product),
        },
        "cost_centers": [cost_center_values(invoice, statement) for invoice in statement.invoices],
        "unallocated": {
            "cost_center": unallocated.cost_center,
            "acus": plain(unallocated.acus),
            "amount": fixed(unallocated.amount, decimals),
            "by_product": _quantities(unallocated.by_product),
            "by_cause": _quantities(unallocated.by_cause),
            "parts": [_part(part, decimals) for part in unallocated.parts],
        },
        "discrepancies": [_discrepancy(discrepancy) for discrepancy in statement.discrepancies],
        "tie_out": tie_out_values(statement),
        "by_department": [
            _subtotal("department", subtotal, decimals) for subtotal in statement.by_department
        ],
        "by_entity": [_subtotal("entity", subtotal, decimals) for subtotal in statement.by_entity],
        "by_month": [_month(subtotal, decimals) for subtotal in statement.by_month],
        "variance": _variance(
            statement.variance, {invoice.cost_center.code for invoice in statement.invoices}
        ),
        "run_rate": _run_rate(statement.run_rate, decimals),
        "missing_views": [view.text for view in heading.missing_views],
        "by_organization": [_by_organization(row, decimals) for row in statement.by_organization],
        "corrections": list(map(_correction, statement.corrections)),
        "year_to_date": _year(statement.year_to_date, decimals),
        "unit_costs": unit_costs_values(statement),
    }


def heading_values(statement: Statement, schema: str) -> dict[str, Any]:
    """Give what every document of a cycle begins with."""
    heading = statement.heading
    return {
        "schema": schema,
        "enterprise": heading.enterprise,
        "status": heading.status,
        "cycle": {
            "start": heading.cycle.start.isoformat(),
            "end": heading.cycle.end.isoformat(),
            "boundary": BOUNDARY,
        },
        "currency": heading.currency,
        **({"correction": heading.correction} if heading.correction else {}),
    }


def cost_center_values(invoice: Invoice, statement: Statement) -> dict[str, Any]:
    """Give a cost center's object of the statement."""
    code, decimals = invoice.cost_center.code, statement.heading.decimals
    variance = statement.variance.by_cost_center[code] if statement.variance else None
    return {
        "code": invoice.cost_center.code,
        "name": invoice.cost_center.name,
        "invoice": invoice.number,
        "acus": plain(invoice.acus),
        "by_product": _quantities(invoice.by_product),
        "amount": fixed(invoice.amount, decimals),
        "lines": [_line(line, decimals) for line in invoice.lines],
        "budget": _budget(invoice, decimals),
        "memo": _memo(invoice.memo),
        "variance": _changes(variance, decimals) if variance else None,
        "run_rate": fixed(statement.run_rate.by_cost_center[code], decimals)
        if statement.run_rate
        else None,
        "fields": dict(invoice.cost_center.fields),
        "year_to_date": _own_year(invoice.cost_center, statement),
        **_sessions(invoice.sessions, decimals),
        "by_tag": _by_tag(invoice.by_tag, decimals),
    }


def tie_out_values(statement: Statement) -> dict[str, Any]:
    """Give the terms of both identities."""
    tie, decimals = statement.tie_out, statement.heading.decimals
    return {
        "control_acus": plain(tie.control_acus),
        "allocated_acus": plain(tie.allocated_acus),
        "unallocated_acus": plain(tie.unallocated_acus),
        "difference_acus": plain(tie.difference_acus),
        "within_tolerance_acus": plain(tie.within_tolerance_acus),
        "balancing_acus": plain(tie.balancing_acus),
        "balancing_by_product": _quantities(tie.balancing_by_product),
        "chargeable_amount": fixed(tie.chargeable_amount, decimals),
        "fees_amount": fixed(tie.fees_amount, decimals),
        "invoiced_amount": fixed(tie.invoiced_amount, decimals),
        "unborne_amount": fixed(tie.unborne_amount, decimals),
        "difference_amount": fixed(tie.difference_amount, decimals),
        "vendor_invoice_acus": None
        if tie.vendor_invoice_acus is None
        else plain(tie.vendor_invoice_acus),
        "vendor_invoice_amount": _amount(tie.vendor_invoice_amount, decimals),
        "over_recovery_amount": _amount(tie.over_recovery_amount, decimals),
        "unpriced_acus": plain(tie.unpriced_acus),
    }


def _line(line: InvoiceLine, decimals: int) -> dict[str, Any]:
    exact_amount = printed(line.exact_amount)
    return {
        "kind": line.kind,
        **(_usage(line, decimals) if line.of_usage else _named(line)),
        "exact_amount": at_least(exact_amount, decimals),
        "rounding": at_least(subtract(line.amount, exact_amount), decimals),
        "amount": fixed(line.amount, decimals),
    }


def _usage(line: InvoiceLine, decimals: int) -> dict[str, Any]:
    return {
        "product": line.product,
        "acus": plain(line.acus),
        "unit_price": None if line.unit_price is None else at_least(line.unit_price, decimals),
    }


def _named(line: InvoiceLine) -> dict[str, Any]:
    """Name a fee by its name, a transfer by its reason, a pool by its name and its basis."""
    name = f"{line.name}, {line.basis}" if line.basis else line.name
    return {"name": name, "counterpart": line.counterpart, "share": line.share}


def _year(year: YearToDate | None, decimals: int) -> dict[str, Any] | None:
    """Give the fiscal year to date; no sums where the figures of a cycle are missing."""
    if year is None:
        return None
    return {
        "begins": year.begins.isoformat(),
        "since": year.since.isoformat(),
        "cycles": year.cycles,
        "preliminary": year.preliminary,
        "missing": [start.isoformat() for start in year.missing],
        "acus": None if year.missing else plain(year.acus),
        "amount": None if year.missing else fixed(year.amount, decimals),
    }


def _own_year(center: CostCenter, statement: Statement) -> dict[str, Any] | None:
    """Give what a cost center's fiscal year came to so far, where all its cycles are known."""
    year, decimals = statement.year_to_date, statement.heading.decimals
    if year is None or year.missing:
        return None
    own = year.by_cost_center[center.code]
    budget = _of_budget(own.amount, center.year_budget, decimals)
    return {"acus": plain(own.acus), "amount": fixed(own.amount, decimals), "budget": budget}


def _budget(invoice: Invoice, decimals: int) -> dict[str, Any] | None:
    return _of_budget(invoice.amount, invoice.cost_center.cycle_budget, decimals)


def _of_budget(amount: Decimal, budget: Decimal | None, decimals: int) -> dict[str, Any] | None:
    if budget is None:
        return None
    used = ratio(amount, budget, 4)
    return {"amount": at_least(budget, decimals), "used": None if used is None else plain(used)}


def _memo(memo: Memo | None) -> dict[str, Any] | None:
    if memo is None:
        return None
    return {
        "currency": memo.currency,
        "rate": plain(memo.rate),
        "amount": fixed(memo.amount, memo.decimals),
    }


def _subtotal(key: str, subtotal: Subtotal, decimals: int) -> dict[str, Any]:
    return {
        key: subtotal.name or None,
        "cost_centers": list(subtotal.cost_centers),
        "acus": plain(subtotal.acus),
        "amount": fixed(subtotal.amount, decimals),
    }


def _month(subtotal: Subtotal, decimals: int) -> dict[str, Any]:
    """Give a calendar month; null stands for what has no billing day: fees, transfers, pools."""
    return {
        "month": subtotal.name or None,
        "acus": plain(subtotal.acus),
        "amount": fixed(subtotal.amount, decimals),
    }


def _variance(variance: Variance | None, declared: AbstractSet[str]) -> dict[str, Any] | None:
    """Give the change of the whole, and of the cost centers that are not declared any more."""
    if variance is None:
        return None
    previous = variance.previous
    return {
        "previous": {
            "start": previous.cycle.start.isoformat(),
            "end": previous.cycle.end.isoformat(),
        }
        | {"status": previous.status, "seal": previous.seal},
        "acus": plain(variance.acus),
        "amount": fixed(variance.amount, previous.decimals),
        "removed": [
            {"code": code, "name": change.name, **_changes(change, previous.decimals)}
            for code, change in variance.by_cost_center.items()
            if code not in declared
        ],
        "moved": [_moved(row, previous.decimals) for row in variance.moved],
    }


def _sessions(largest: LargestSessions, decimals: int) -> dict[str, Any]:
    """Give the largest sessions, what all other usage of their product comes to, and what is amiss.

    Where no session is told, everything else is no more than the lines.
    """
    other = {"acus": plain(largest.other_acus), "amount": fixed(largest.other_amount, decimals)}
    return {
        "sessions": [_session(session, decimals) for session in largest.sessions],
        "other_sessions": other if largest.sessions else None,
        "sessions_unknown": largest.unknown or None,
    }


def _session(session: SessionUse, decimals: int) -> dict[str, Any]:
    """Give a session; what leads to people is null where they are not shown."""
    return {
        "session_id": session.session_id or None,
        "title": session.title or None,
        "principal_id": session.principal_id or None,
        "org_id": session.org_id or None,
        "first_day": session.first_day.isoformat(),
        "last_day": session.last_day.isoformat(),
        "acus": plain(session.acus),
        "amount": fixed(session.amount, decimals),
        "tags": list(session.tags),
        "pull_requests": [
            {"url": one.url or None, "state": one.state or None} for one in session.pull_requests
        ],
        "url": session.url or None,
    }


def _by_tag(by_tag: ByTag | None, decimals: int) -> dict[str, Any] | None:
    """Give usage by tag where that is asked for; a row without tags is everything else."""
    if by_tag is None:
        return None
    rows = [
        {
            "tags": list(row.tags),
            "sessions": row.sessions if row.tags else None,
            "acus": plain(row.acus),
            "amount": fixed(row.amount, decimals),
        }
        for row in by_tag.rows
    ]
    unknown = by_tag.unknown or None
    return {"patterns": list(by_tag.patterns), "rows": rows, "unknown": unknown}


def _changes(change: CostCenterChange, decimals: int) -> dict[str, Any]:
    return {
        "acus": plain(change.whole.acus),
        "amount": fixed(change.whole.amount, decimals),
        "by_product": {
            one.product: {"acus": plain(one.acus), "amount": fixed(one.amount, decimals)}
            for one in change.by_product
        },
        "new": [principal.id for principal in change.new],
        "vanished": [principal.id for principal in change.vanished],
    }


def _moved(row: Moved, decimals: int) -> dict[str, Any]:
    return {
        "principal_id": row.principal_id or None,
        "people": row.people,
        "from": list(row.givers),
        "to": row.receiver or None,
        "rules": list(row.rules),
        "acus": plain(row.acus),
        "amount": fixed(row.amount, decimals),
    }


def _by_organization(row: ByOrganization, decimals: int) -> dict[str, Any]:
    return {
        "org_id": row.org_id,
        "principal_id": row.principal_id or None,
        "people": row.people,
        "product": row.product or None,
        "cost_center": row.cost_center,
        "rule": row.rule,
        "passed_on": row.passed_on or None,
        "acus": plain(row.acus),
        "amount": fixed(row.amount, decimals),
    }


def _part(part: UnallocatedPart, decimals: int) -> dict[str, Any]:
    return {
        "cause": part.cause,
        "org_id": part.org_id or None,
        "principal_id": part.principal_id or None,
        "people": part.people,
        "acus": plain(part.acus),
        "amount": fixed(part.amount, decimals),
    }


def _correction(correction: IssuedCorrection) -> dict[str, Any]:
    return {
        "folder": correction.folder,
        "seal": correction.seal,
        "issued": correction.issued.isoformat(),
        "reason": correction.reason,
        "currency": correction.currency,
        "amount": fixed(correction.amount, correction.decimals),
        "notes": [
            {
                "number": note.number,
                "cost_center": note.cost_center,
                "amount": fixed(note.amount, correction.decimals),
            }
            for note in correction.notes
        ],
    }


def _run_rate(run_rate: RunRate | None, decimals: int) -> dict[str, Any] | None:
    if run_rate is None:
        return None
    return {
        "elapsed_days": plain(run_rate.elapsed_days),
        "days": run_rate.days,
        "amount": fixed(run_rate.amount, decimals),
    }


def _discrepancy(discrepancy: Discrepancy) -> dict[str, Any]:
    return {
        "day": discrepancy.day.isoformat(),
        "product": discrepancy.product,
        "org_id": discrepancy.org_id or None,
        "principal_id": discrepancy.principal_id or None,
        "acus": plain(discrepancy.acus),
        "views": list(discrepancy.views),
        "accepted": discrepancy.accepted,
    }


def _quantities(quantities: Mapping[str, Decimal]) -> dict[str, str]:
    return {key: plain(quantity) for key, quantity in sorted(quantities.items())}


def _amount(value: Decimal | None, decimals: int) -> str | None:
    return None if value is None else fixed(value, decimals)
