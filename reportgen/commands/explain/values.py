"""An explanation as plain values: what `explain --json` writes, and what sentences are made of."""

import re
from decimal import Decimal
from typing import Any

from reportgen.archive.evidence import METHOD, fingerprint
from reportgen.core.allocating.directory import principal_of
from reportgen.core.charging.credit_notes import stood
from reportgen.core.charging.rate import WholeCycle
from reportgen.core.model import (
    AddressedLine,
    Correcting,
    Directory,
    Heading,
    Invoice,
    InvoiceLine,
    RecordedResponse,
    Rule,
)
from reportgen.core.money import EXACT, decimals_of, fixed, plain, subtract, total
from reportgen.core.problem import file_and_line
from reportgen.core.proving.explain import Explanation, RoundingGroup, Ruled
from reportgen.derive import Derived, Inputs
from reportgen.sources.config.configuration import Configuration

Values = dict[str, Any]


def invoice_values(
    invoice: Invoice, lines: list[Explanation], inputs: Inputs, derived: Derived
) -> Values:
    """Give an invoice with its explained lines, and the answers that prove it by their requests."""
    heading = derived.statement.heading
    requests = dict.fromkeys(
        request
        for line in lines
        for ruled in line.records
        for request in ruled.allocation.record.requests
    )
    return {
        "invoice": invoice.number,
        "cost_center": invoice.cost_center.code,
        "name": invoice.cost_center.name,
        "cycle": {"start": heading.cycle.start.isoformat(), "end": heading.cycle.end.isoformat()},
        "currency": heading.currency,
        "amount": fixed(invoice.amount, heading.decimals),
        "lines": [
            _line_values(line, inputs.configuration, derived)
            | _stood(invoice.cost_center.code, line.line, inputs.correcting, heading)
            for line in lines
        ],
        "responses": {request: proof(inputs.responses[request]) for request in requests},
    }


def _stood(code: str, line: InvoiceLine, correcting: Correcting | None, heading: Heading) -> Values:
    """Say of a line of a correction what it was before, as the difference is what is rounded."""
    if correcting is None:
        return {}
    before = stood(code, line, correcting, spread=heading.effective_prices)
    changed = subtract(line.amount, before.amount)
    return {
        "stood": {
            "folder": correcting.standing.folder,
            "exact_amount": plain(before.exact_amount),
            "amount": fixed(before.amount, heading.decimals),
            "exact_change": plain(subtract(line.exact_amount, before.exact_amount)),
            "change": fixed(changed, heading.decimals),
        }
    }


def proof(response: RecordedResponse) -> Values:
    """Say where an answer stands in the evidence, and what its body's fingerprint is."""
    return {
        "request": f"{METHOD}{response.request}",
        "sha256": fingerprint(response),
        "line": int(response.source.rpartition(":")[2]),
        "fetched_at": response.fetched_at,
    }


def _line_values(
    explanation: Explanation, configuration: Configuration, derived: Derived
) -> Values:
    line, decimals = explanation.line, derived.statement.heading.decimals
    records = [_record(ruled, derived.directory, decimals) for ruled in explanation.records]
    sources = {text: text_of(text, configuration) for text in _sources(explanation, configuration)}
    values = {
        "number": explanation.number,
        "kind": line.kind,
        **(
            _of_usage(explanation, decimals) if line.of_usage else _of_source(explanation, decimals)
        ),
        "exact_amount": plain(line.exact_amount),
        "rounding": plain(explanation.rounding),
        "amount": fixed(line.amount, decimals),
        "rounded_together": _group(explanation.group, decimals),
        "effective_price": _effective(explanation.whole, line.product, decimals),
        "records": records,
        "sources": sources,
    }
    return {**values, "difference": difference(values)}


def difference(values: Values) -> str:
    """Take the records (or, without any, the exact amount) and the rounding from the amount.

    All as they are written.
    """
    exact = [record["exact_amount"] for record in values["records"]] or [values["exact_amount"]]
    explained = total(map(Decimal, [*exact, values["rounding"]]))
    return plain(subtract(Decimal(values["amount"]), explained))


def _of_usage(explanation: Explanation, decimals: int) -> Values:
    line = explanation.line
    return {
        "product": line.product,
        "acus": plain(line.acus),
        "unit_price": _price(line.unit_price, decimals),
    }


def _price(unit_price: Decimal | None, decimals: int) -> str | None:
    """Write a price exactly, with no fewer decimals than the currency has."""
    if unit_price is None:
        return None
    return (
        plain(unit_price)
        if decimals_of(unit_price.normalize(EXACT)) > decimals
        else fixed(unit_price, decimals)
    )


def _of_source(explanation: Explanation, decimals: int) -> Values:
    line = explanation.line
    return {
        "name": line.name,
        "counterpart": line.counterpart,
        "share": line.share,
        "basis": line.basis,
        "source": line.source,
        "behind": [_behind(addressed, decimals) for addressed in explanation.behind],
        "behind_amount": fixed(
            total(addressed.line.amount for addressed in explanation.behind), decimals
        ),
    }


def _behind(addressed: AddressedLine, decimals: int) -> Values:
    line = addressed.line
    return {
        "cost_center": addressed.cost_center,
        "kind": line.kind,
        "name": line.product if line.of_usage else line.name,
        "amount": fixed(line.amount, decimals),
    }


def _group(group: RoundingGroup | None, decimals: int) -> Values | None:
    if group is None:
        return None
    return {
        "lines": group.lines,
        "exact_amount": plain(group.exact_amount),
        "target": fixed(group.target, decimals),
        "raised": group.raised,
    }


def _effective(whole: WholeCycle | None, product: str, decimals: int) -> Values | None:
    if whole is None:
        return None
    return {
        "amount": fixed(whole.amount, decimals),
        "weighted_acus": plain(whole.weight),
        "weight": plain(whole.weights.get(product, Decimal(1))),
        "source": whole.source,
    }


def _record(ruled: Ruled, known: Directory, decimals: int) -> Values:
    allocation, record = ruled.allocation, ruled.allocation.record
    return {
        "day": record.day.isoformat(),
        "product": record.product,
        "org_id": record.org_id,
        "principal_kind": record.principal_kind,
        "principal_id": record.principal_id,
        "session_id": record.session_id,
        "who": _who(ruled, known),
        "acus": plain(record.quantity),
        "share": allocation.share,
        "quantity": plain(allocation.quantity),
        "unit_price": _price(allocation.unit_price, decimals),
        "exact_amount": plain(allocation.exact_amount),
        "cause": allocation.cause or None,
        "rule": rule_values(ruled.rule, allocation.rule) if ruled.rule else None,
        "rate": allocation.rate or None,
        "requests": list(record.requests),
    }


def rule_values(rule: Rule, value: str) -> Values:
    """Give a rule by its key, the key's line, and the line of the value that held on the day."""
    return {"section": rule.section, "key": rule.key, "source": rule.source, "value": value}


def _who(ruled: Ruled, known: Directory) -> str:
    """Name whose usage it is as people know it: by e-mail, name or id, and where it was."""
    record = ruled.allocation.record
    entry = known.entries.get(principal_of(record.principal_kind, record.principal_id))
    person = (entry and (entry.email or entry.name)) or record.principal_id
    place = known.organizations.get(record.org_id, record.org_id)
    return ", ".join(filter(None, (person, place, record.session_id))) or ruled.allocation.cause


def _sources(explanation: Explanation, configuration: Configuration) -> list[str]:
    """List file:line of every rule, rate and source of a line, in the order of file and line."""
    card = configuration.rate_card
    sources = {explanation.line.source}
    if explanation.whole:
        sources |= {explanation.whole.source, card.recover.source if card.recover else ""}
        sources |= {tier.source for tier in card.tiers}
    if explanation.line.kind == "unallocated":
        sources.add(configuration.mapping.unallocated_source)
    for allocation, rule in explanation.records:
        sources |= {allocation.rule, allocation.rate, rule.source if rule else ""}
    return sorted(filter(None, sources), key=file_and_line)


def text_of(source: str, configuration: Configuration) -> str:
    """Read a line of the configuration."""
    name, number = file_and_line(source)
    lines = re.split(r"\r\n|\r|\n", configuration.texts.get(name, ""))
    return lines[number - 1].strip() if number <= len(lines) else ""
