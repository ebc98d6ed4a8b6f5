"""`explain`: any line of an invoice back to its records, rules, rate and the API's answers, offline.

Everything is derived once more from evidence and configuration, and must be what the cycle's folder says.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from textwrap import wrap
from typing import Any
from unicodedata import east_asian_width

from reportgen.archive.codec import statement_values
from reportgen.archive.folder import EVIDENCE, cycle_folder
from reportgen.commands.calendar import archived_cycle
from reportgen.commands.edge import DONE, USAGE, Edge
from reportgen.commands.inputs import stored_inputs
from reportgen.core.explain import Addressed, Charged, Explanation, Group, Ruled, explained
from reportgen.core.model import (
    Directory,
    Invoice,
    Principal,
    PrincipalKind,
    RecordedResponse,
    Rule,
    Statement,
    UsageRecord,
)
from reportgen.core.money import EXACT, decimals_of, fixed, plain, shown, subtract, total
from reportgen.core.problem import Problem, Rejected, did_you_mean, printable, quoted
from reportgen.core.rate import WholeCycle
from reportgen.derive import Derived, Inputs, derive
from reportgen.sources.config import Configuration, load

Values = dict[str, Any]
MOST_RECORDS = 20
WIDTH = 100
WHO, SLIMMEST, GAP = "who, where", 12, 3
"""The column that gives way, its least width, and what a table puts between two columns."""
NOT_COMPARED = ("status", "variance")
"""What a statement may say otherwise without a line being another: whether it is closed, and the cycle before."""


def explain(config: Path, selector: str, named: str, edge: Edge, only: int | None) -> int:
    """Explain an invoice, named by its number or its cost center: all its lines in short, or one in full."""
    configuration = load(config)
    cycle = archived_cycle(configuration, selector, edge)
    folder = cycle_folder(configuration.archive, cycle.start)
    written = _written(folder)
    inputs = stored_inputs(configuration, cycle, edge)
    derived = derive(inputs)
    invoice = _chosen(named, only, derived.statement, folder)
    if isinstance(invoice, Problem):
        edge.terminal.problems([invoice])
        return USAGE
    _refuse_changed(folder, written, derived.statement)
    lines = [one for one in explained(invoice, _charged(inputs, derived)) if only in {None, one.number}]
    values = _values(invoice, lines, inputs, derived)
    edge.terminal.values(values)
    if not edge.terminal.machine:
        _tell(values, folder, edge, len(invoice.lines), most=None if only else MOST_RECORDS)
    return DONE


def _written(folder: Path) -> Values:
    """Read what was built, or raise Rejected where nothing was."""
    path = folder / "statement.json"
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        message, hint = "this billing cycle has not been built", "run `reportgen build` first"
        raise Rejected([Problem(source=str(folder), message=message, hint=hint)]) from error
    except ValueError as error:
        raise _changed(path, "is not what was written there") from error
    return found if isinstance(found, dict) else {}


def _charged(inputs: Inputs, derived: Derived) -> Charged:
    return Charged(
        statement=derived.statement,
        allocations=derived.allocations,
        control=derived.usage.control,
        mapping=inputs.configuration.mapping,
        directory=derived.directory,
        card=inputs.configuration.rate_card,
    )


def _chosen(name: str, only: int | None, statement: Statement, folder: Path) -> Invoice | Problem:
    """Find an invoice by its number, then by the code of its cost center, or say what is wrong with the choice."""
    issued = {invoice.number: invoice for invoice in statement.invoices if invoice.number}
    by_code = {invoice.cost_center.code: invoice for invoice in statement.invoices}
    found = issued.get(name) or by_code.get(name)
    if found is None:
        near = did_you_mean(name, [*issued, *by_code])
        hint = f"did you mean {quoted(near)}?" if near else "give the number of an invoice, or a cost center's code"
        message = f"no invoice of this billing cycle has the number or the cost center {quoted(name)}"
    elif not found.number:
        message = f"cost center {quoted(name)} has no invoice in this billing cycle"
        hint = "there is nothing to explain: it was charged nothing"
    elif only is not None and only > len(found.lines):
        message = f"invoice {quoted(found.number)} has no line {only}"
        hint = f"choose one of 1 to {len(found.lines)}, or leave out --line"
    else:
        return found
    return Problem(source=str(folder), message=message, hint=hint)


def _refuse_changed(folder: Path, written: Values, statement: Statement) -> None:
    """Raise Rejected where evidence and configuration come to something else than what was built."""
    found = json.loads(json.dumps(statement_values(statement)))
    if _comparable(found) == _comparable(written):
        return
    there = {center["code"]: center for center in _comparable(written).get("cost_centers", [])}
    codes = [center["code"] for center in _comparable(found)["cost_centers"] if center != there.get(center["code"])]
    first = f", first in {codes[0]}" if codes else ""
    message = f"evidence and configuration come to something else than was built{first}"
    raise _changed(folder / "statement.json", message)


def _changed(path: Path, message: str) -> Rejected:
    hint = "build again with `reportgen build`, then explain what was built"
    return Rejected([Problem(source=str(path), message=message, hint=hint)])


def _comparable(values: Values) -> Values:
    """Leave out what says nothing of this cycle's charges."""
    kept = {key: value for key, value in values.items() if key not in NOT_COMPARED}
    centers = kept.get("cost_centers")
    if isinstance(centers, list) and all(isinstance(center, dict) and "code" in center for center in centers):
        kept["cost_centers"] = [_comparable(center) for center in centers]
    else:
        kept.pop("cost_centers", None)
    return kept


# What is explained, as plain values; people and machines are told the same.


def _values(invoice: Invoice, lines: list[Explanation], inputs: Inputs, derived: Derived) -> Values:
    heading = derived.statement.heading
    requests = dict.fromkeys(
        request for line in lines for ruled in line.records for request in _requests(ruled.allocation.record)
    )
    return {
        "invoice": invoice.number,
        "cost_center": invoice.cost_center.code,
        "name": invoice.cost_center.name,
        "cycle": {"start": heading.cycle.start.isoformat(), "end": heading.cycle.end.isoformat()},
        "currency": heading.currency,
        "amount": fixed(invoice.amount, heading.decimals),
        "lines": [_line_values(line, inputs.configuration, derived) for line in lines],
        "responses": {request: _proof(inputs.responses[f"GET {request}"]) for request in requests},
    }


def _proof(response: RecordedResponse) -> Values:
    """Say where an answer stands in the evidence, and what its body's fingerprint is."""
    digest = sha256(response.body.encode("utf-8", "surrogatepass")).hexdigest()
    return {
        "request": response.request,
        "sha256": digest,
        "line": int(response.source.rpartition(":")[2]),
        "fetched_at": response.fetched_at,
    }


def _line_values(found: Explanation, configuration: Configuration, derived: Derived) -> Values:
    line, decimals = found.line, derived.statement.heading.decimals
    records = [_record(ruled, derived.directory, decimals) for ruled in found.records]
    sources = {text: _text(text, configuration) for text in _sources(found, configuration)}
    values = {
        "number": found.number,
        "kind": line.kind,
        **(_of_usage(found, decimals) if line.of_usage else _of_source(found, decimals)),
        "exact_amount": plain(line.exact_amount),
        "rounding": plain(found.rounding),
        "amount": fixed(line.amount, decimals),
        "rounded_together": _group(found.group, decimals),
        "effective_price": _effective(found.whole, line.product, decimals),
        "records": records,
        "sources": sources,
    }
    return {**values, "difference": difference(values)}


def difference(values: Values) -> str:
    """Take the records (the exact amount, where there are none) and the rounding, as written, from the amount."""
    exact = [record["exact_amount"] for record in values["records"]] or [values["exact_amount"]]
    explained = total(map(Decimal, [*exact, values["rounding"]]))
    return plain(subtract(Decimal(values["amount"]), explained))


def _of_usage(found: Explanation, decimals: int) -> Values:
    line = found.line
    return {"product": line.product, "acus": plain(line.acus), "unit_price": _price(line.unit_price, decimals)}


def _price(unit_price: Decimal | None, decimals: int) -> str | None:
    """Write a price exactly, with no fewer decimals than the currency has."""
    if unit_price is None:
        return None
    return plain(unit_price) if decimals_of(unit_price.normalize(EXACT)) > decimals else fixed(unit_price, decimals)


def _of_source(found: Explanation, decimals: int) -> Values:
    line = found.line
    return {
        "name": line.name,
        "counterpart": line.counterpart,
        "share": line.share,
        "basis": line.basis,
        "source": line.source,
        "behind": [_behind(addressed, decimals) for addressed in found.behind],
        "behind_amount": fixed(total(addressed.line.amount for addressed in found.behind), decimals),
    }


def _behind(found: Addressed, decimals: int) -> Values:
    line = found.line
    return {
        "cost_center": found.cost_center,
        "kind": line.kind,
        "name": line.product if line.of_usage else line.name,
        "amount": fixed(line.amount, decimals),
    }


def _group(group: Group | None, decimals: int) -> Values | None:
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
        "rule": _rule(ruled.rule, allocation.rule) if ruled.rule else None,
        "rate": allocation.rate or None,
        "requests": _requests(record),
    }


def _requests(record: UsageRecord) -> list[str]:
    """List the answers that prove a record; where a view was added up from several, they are one text."""
    return " ".join(record.requests).split()


def _rule(rule: Rule, value: str) -> Values:
    """Give a rule by its key, the line of the key, and the line of the value that held on the day."""
    return {"section": rule.section, "key": rule.key, "source": rule.source, "value": value}


def _who(ruled: Ruled, known: Directory) -> str:
    """Name whose usage it is as people know it: by e-mail, name or id, and where it was."""
    record = ruled.allocation.record
    kind: PrincipalKind = "service_user" if record.principal_kind == "service_user" else "user"
    entry = known.entries.get(Principal(kind, record.principal_id))
    person = (entry and (entry.email or entry.name)) or record.principal_id
    place = known.organizations.get(record.org_id, record.org_id)
    return ", ".join(filter(None, (person, place, record.session_id))) or ruled.allocation.cause


def _sources(found: Explanation, configuration: Configuration) -> list[str]:
    """List file:line of every rule, rate and source of a line, in the order of file and line."""
    card = configuration.rate_card
    sources = {found.line.source}
    if found.whole:
        sources |= {found.whole.source, card.recover.source if card.recover else ""}
        sources |= {tier.source for tier in card.tiers}
    if found.line.kind == "unallocated":
        sources.add(configuration.mapping.unallocated_source)
    for allocation, rule in found.records:
        sources |= {allocation.rule, allocation.rate, rule.source if rule else ""}
    return sorted(filter(None, sources), key=_file_and_line)


def _file_and_line(source: str) -> tuple[str, int]:
    name, _, line = source.rpartition(":")
    return name, int(line)


def _text(source: str, configuration: Configuration) -> str:
    """Read a line of the configuration."""
    name, number = _file_and_line(source)
    lines = re.split(r"\r\n|\r|\n", configuration.files.get(name, ""))
    return lines[number - 1].strip() if number <= len(lines) else ""


# What people read


def _tell(values: Values, folder: Path, edge: Edge, count: int, most: int | None) -> None:
    """Tell every line, then the rules, rates and answers that were named; at most so many records of each."""
    told = [record for line in values["lines"] for record in line["records"][:most]]
    requests = dict.fromkeys(request for record in told for request in record["requests"])
    numbers = {request: number for number, request in enumerate(requests, start=1)}
    title = f"{values['invoice']}: {values['cost_center']} {values['name']}, {values['currency']} {values['amount']}"
    _say(edge, title)
    for line in values["lines"]:
        edge.terminal.result("")
        for sentence in _sentences(line, count, values["currency"]):
            _say(edge, sentence)
        _tell_records(line, numbers, edge, most)
        _say(edge, _footing(line, most))
    texts = {source: text for line in values["lines"] for source, text in line["sources"].items()}
    edge.terminal.result("")
    _say(edge, f"The lines named above, as they stand in {folder / 'inputs' / 'config'}:")
    for source in sorted(texts, key=_file_and_line):
        _say(edge, f" {source:<16} {texts[source]}")
    if numbers:
        edge.terminal.result("")
        _tell_answers({number: values["responses"][request] for request, number in numbers.items()}, folder, edge)


def _say(edge: Edge, sentence: str) -> None:
    for line in _wrapped(sentence, WIDTH, indent="  "):
        edge.terminal.result(line)


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return wrap(printable(text), width, break_on_hyphens=False, subsequent_indent=indent)


def _sentences(line: Values, count: int, currency: str) -> Iterator[str]:
    """Say what a line is, where its price comes from, and why it is rounded as it is."""
    what = f"Line {line['number']} of {count}: {line['kind']}"
    if "product" in line:
        price = "without a price" if line["unit_price"] is None else f"at {line['unit_price']}"
        yield f"{what}, {line['product']}, {line['acus']} ACUs {price} = {currency} {line['amount']}"
        if line["kind"] == "unallocated":
            yield "No rule covers these records: the mapping names this cost center to bear them."
        rates = dict.fromkeys(record["rate"] for record in line["records"] if record["rate"])
        yield from (f"Rate {rate}: {line['sources'][rate]}" for rate in rates)
    else:
        yield f"{what}, {line['name']} = {currency} {line['amount']}"
        yield _origin(line)
    if line["effective_price"]:
        yield _effective_sentence(line, line["effective_price"])
    yield _rounding(line, line["rounded_together"])


def _origin(line: Values) -> str:
    """Say where a fee, a transfer or a pool's line comes from."""
    source, counterpart, amount = line["source"], line["counterpart"], line["behind_amount"]
    parts = ", ".join(f"{one['cost_center']} {one['name']} {one['amount']}" for one in line["behind"])
    if line["kind"] == "fee":
        of = f": {line['share']} of the usage amounts {amount} ({parts})" if line["share"] else ""
        return f"The fee of {source}{of}."
    if line["kind"] == "transfer":
        return f"The transfer of {source}, against {counterpart} ({parts})."
    if counterpart is None:
        return f"The pool of {source} gave away what it had; it was taken over by: {parts} (together {amount})."
    return f"A share {line['share']} ({line['basis']}) of pool {counterpart}, {source}, which had {amount}: {parts}."


def _effective_sentence(line: Values, effective: Values) -> str:
    return (
        f"The unit price is effective, for display only: {effective['source']} gives one amount for the cycle, "
        f"{effective['amount']}, spread over {effective['weighted_acus']} ACUs as weighted "
        f"(an ACU of {line['product']} weighs {effective['weight']}); each record has its exact part."
    )


def _rounding(line: Values, group: Values | None) -> str:
    """Say which lines are rounded together, what they come to and must make, and which way this one went."""
    rounding = Decimal(line["rounding"])
    figures = f"Exactly {line['exact_amount']}, rounding {line['rounding']}"
    if group is None:
        return f"{figures}: this line is rounded by itself, half-up." if rounding else f"{figures}."
    way = "is exact" if not rounding else "goes up" if rounding > 0 else "goes down"
    return (
        f"{figures}. Rounded together with {_together(line)}: {group['lines']} in all, which come to "
        f"{group['exact_amount']} exactly and must make {group['target']}. The largest remainders go up "
        f"({group['raised']} of them), this one {way}."
    )


def _together(line: Values) -> str:
    if line["kind"] == "pool":
        return "the lines of all who share this pool"
    if line["effective_price"]:
        return "all lines of the cycle, of every cost center"
    price = "without a price" if line["unit_price"] is None else f"at {line['unit_price']}"
    return f"all lines of {line['product']} {price}, of every cost center"


def _tell_records(line: Values, numbers: Mapping[str, int], edge: Edge, most: int | None) -> None:
    """Draw the records as a table of at most 100 columns, in which only those who used ACUs are folded."""
    if not line["records"]:
        return
    rates = len({record["rate"] for record in line["records"]}) > 1
    columns = ["day", WHO, "ACUs", "share", "exact amount", "rule", *(["rate"] if rates else []), "answers"]
    rows = [_row(record, numbers, rates=rates) for record in line["records"][:most]]
    taken = sum(
        max(map(len, [name, *(row[index] for row in rows)])) + GAP
        for index, name in enumerate(columns)
        if name != WHO
    )
    for row in rows:
        row[1] = "\n".join(_in_cells(row[1], max(SLIMMEST, WIDTH - taken - GAP)))
    edge.terminal.table(columns, rows, numbers=("ACUs", "exact amount"), wrap=WHO)


def _in_cells(text: str, width: int) -> Iterator[str]:
    """Fold a text at its commas, and where it is wider than so many cells of a terminal."""
    for part in printable(text).split(", "):
        line, taken = "", 0
        for char in part:
            cells = 2 if east_asian_width(char) in "WF" else 1
            if taken + cells > width:
                yield line
                line, taken = "", 0
            line, taken = line + char, taken + cells
        yield line


def _row(record: Values, numbers: Mapping[str, int], *, rates: bool) -> list[str]:
    return [
        record["day"],
        record["who"],
        shown(Decimal(record["quantity"])),
        record["share"],
        record["exact_amount"],
        record["rule"]["value"] if record["rule"] else "none",
        *([record["rate"] or "none"] if rates else []),
        _ranges([numbers[request] for request in record["requests"]]),
    ]


def _ranges(numbers: list[int]) -> str:
    """Write numbers in short.

    >>> _ranges([3, 1, 2, 7])
    '1-3,7'
    """
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _footing(line: Values, most: int | None) -> str:
    """Add up what is printed, on a line that ends with the difference to the amount."""
    exact = [record["exact_amount"] for record in line["records"]]
    if exact:
        told, rest = exact[:most], exact[len(exact[:most]) :]
        sums = [f"{len(told)} {'record' if len(told) == 1 else 'records'} {_sum(told)}"]
        sums += [f"+ {len(rest)} more {_sum(rest)} (--line {line['number']} shows them all)"] if rest else []
    else:
        sums = [f"exactly {line['exact_amount']}"]
    return f"{line['amount']} − ({' '.join(sums)} + rounding {line['rounding']}) = {difference(line)}"


def _sum(amounts: Iterable[str]) -> str:
    return plain(total(map(Decimal, amounts)))


def _tell_answers(answers: Mapping[int, Values], folder: Path, edge: Edge) -> None:
    _say(edge, f"The API's answers, by their line in {folder / EVIDENCE}, with the sha256 of the body as stored:")
    for number, proof in answers.items():
        edge.terminal.result(f"{number:>5}  line {proof['line']:<6} sha256 {proof['sha256']}")
        path, mark, query = proof["request"].partition("?")
        whole = [f"{path}{mark}{query}"] if len(proof["request"]) <= WIDTH - 7 else [path, f"{mark}{query}"]
        for part in [piece for text in whole for piece in _wrapped(text, WIDTH - 7)]:
            edge.terminal.result(f"       {part}")
