"""An explanation told to people, in sentences and tables that fit 100 columns.

Every sum is made of what is printed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from textwrap import wrap

from reportgen.archive.folder import evidence_of
from reportgen.commands.explain.values import Values, difference
from reportgen.core.money import plain, shown, total
from reportgen.core.problem import file_and_line
from reportgen.core.text import columns, printable
from reportgen.operations.context import Context

MOST_RECORDS = 20
WIDTH = 100
WHO, SLIMMEST, GAP = "who, where", 12, 3
"""The column that gives way, its least width, and what a table puts between two columns."""


def tell(values: Values, folder: Path, context: Context, count: int, most: int | None) -> None:
    """Tell every line, then the rules, rates and answers that were named.

    `count` is the number of lines of the whole invoice, `most` how many records of each are told.
    """
    numbers = _numbered_requests(values, most)
    cost_center = f"{values['cost_center']} {values['name']}"
    amount = f"{values['currency']} {values['amount']}"
    say(context, f"{values['invoice']}: {cost_center}, {amount}")
    for line in values["lines"]:
        context.terminal.result("")
        for sentence in _sentences(line, count, values["currency"]):
            say(context, sentence)
        _tell_records(line, numbers, context, most)
        say(context, _footing(line, most))
    tell_sources(values["lines"], folder, context)
    if numbers:
        answers = {number: values["responses"][request] for request, number in numbers.items()}
        tell_answers(answers, folder, context)


def _numbered_requests(values: Values, most: int | None) -> dict[str, int]:
    """Give every request behind the records that are told a number."""
    told = [record for line in values["lines"] for record in line["records"][:most]]
    requests = dict.fromkeys(request for record in told for request in record["requests"])
    return {request: number for number, request in enumerate(requests, start=1)}


def say(context: Context, sentence: str) -> None:
    """Tell a sentence, folded to the width of a terminal."""
    for line in _wrapped(sentence, _width(context), indent="  "):
        context.terminal.result(line)


def _width(context: Context) -> int:
    """Give how wide a trace is told: no wider than is easily read."""
    return min(WIDTH, context.terminal.columns)


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return wrap(printable(text), width, break_on_hyphens=False, subsequent_indent=indent)


def _sentences(line: Values, count: int, currency: str) -> Iterator[str]:
    """Say what a line is, where its price comes from, and why it is rounded as it is."""
    what = f"Line {line['number']} of {count}: {line['kind']}"
    if "product" in line:
        price = "without a price" if line["unit_price"] is None else f"at {line['unit_price']}"
        usage = f"{line['product']}, {line['acus']} ACUs {price}"
        yield f"{what}, {usage} = {currency} {line['amount']}"
        if line["kind"] == "unallocated":
            yield "No rule covers these records: the mapping names this cost center to bear them."
        rates = dict.fromkeys(record["rate"] for record in line["records"] if record["rate"])
        yield from (f"Rate {rate}: {line['sources'][rate]}" for rate in rates)
    else:
        yield f"{what}, {line['name']} = {currency} {line['amount']}"
        yield _origin(line)
    if line["effective_price"]:
        yield _effective_sentence(line, line["effective_price"])
    yield _corrected(line) if "stood" in line else _rounding(line, line["rounded_together"])


def _corrected(line: Values) -> str:
    """Say what a line of a correction was before, and how its change came to be rounded."""
    before = line["stood"]
    figures = f"Exactly {line['exact_amount']}, rounding {line['rounding']}"
    stood = f"{before['amount']}, exactly {before['exact_amount']}, in {before['folder']}"
    if not Decimal(before["exact_change"]):
        return f"{figures}. It stands as it did: {stood}."
    change = f"the change is exactly {before['exact_change']}"
    if line["rounded_together"] is None:
        return f"{figures}. It was {stood}: {change}, so {before['change']}."
    together = f"rounded together with what else changed of {_together(line)}"
    return f"{figures}. It was {stood}: {change}, {together}: {before['change']}."


def _origin(line: Values) -> str:
    """Say where a fee, a transfer or a pool's line comes from."""
    source, counterpart, amount = line["source"], line["counterpart"], line["behind_amount"]
    parts = ", ".join(
        f"{one['cost_center']} {one['name']} {one['amount']}" for one in line["behind"]
    )
    if line["kind"] == "fee":
        of = f": {line['share']} of the usage amounts {amount} ({parts})" if line["share"] else ""
        return f"The fee of {source}{of}."
    if line["kind"] == "transfer":
        return f"The transfer of {source}, against {counterpart} ({parts})."
    if counterpart is None:
        taken = f"it was taken over by: {parts} (together {amount})"
        return f"The pool of {source} gave away what it had; {taken}."
    pool = f"pool {counterpart}, {source}, which had {amount}: {parts}"
    return f"A share {line['share']} ({line['basis']}) of {pool}."


def _effective_sentence(line: Values, effective: Values) -> str:
    return (
        f"The unit price is effective, for display only: {effective['source']} gives one amount "
        f"for the cycle, {effective['amount']}, spread over {effective['weighted_acus']} ACUs "
        f"as weighted (an ACU of {line['product']} weighs {effective['weight']}); "
        "each record has its exact part."
    )


def _rounding(line: Values, group: Values | None) -> str:
    """Say which lines are rounded together, what they must make, and which way this one went."""
    rounding = Decimal(line["rounding"])
    figures = f"Exactly {line['exact_amount']}, rounding {line['rounding']}"
    if group is None:
        return f"{figures}: this line is rounded by itself, half-up." if rounding else f"{figures}."
    way = "is exact" if not rounding else "goes up" if rounding > 0 else "goes down"
    return (
        f"{figures}. Rounded together with {_together(line)}: {group['lines']} in all, "
        f"which come to {group['exact_amount']} exactly and must make {group['target']}. "
        f"The largest remainders go up ({group['raised']} of them), this one {way}."
    )


def _together(line: Values) -> str:
    if line["kind"] == "pool":
        return "the lines of all who share this pool"
    if line["effective_price"]:
        return "all lines of the cycle, of every cost center"
    price = "without a price" if line["unit_price"] is None else f"at {line['unit_price']}"
    return f"all lines of {line['product']} {price}, of every cost center"


def _tell_records(
    line: Values, numbers: Mapping[str, int], context: Context, most: int | None
) -> None:
    """Draw the records as a table in which only who used ACUs is folded."""
    if not line["records"]:
        return
    rates = len({record["rate"] for record in line["records"]}) > 1
    names = ["day", WHO, "ACUs", "share", "exact amount", "rule"]
    names += [*(["rate"] if rates else []), "answers"]
    rows = [_row(record, numbers, rates=rates) for record in line["records"][:most]]
    room = max(SLIMMEST, _width(context) - _taken(names, rows) - GAP)
    for row in rows:
        row[1] = "\n".join(_in_cells(row[1], room))
    context.terminal.table(names, rows, numbers=("ACUs", "exact amount"), wrap=(WHO,))


def _taken(names: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Give the width of all columns but the one that is folded, with the gaps behind them."""
    return sum(
        max(map(columns, [name, *(row[index] for row in rows)])) + GAP
        for index, name in enumerate(names)
        if name != WHO
    )


def _in_cells(text: str, width: int) -> Iterator[str]:
    """Fold a text at its commas, and where it is wider than so many cells of a terminal."""
    for part in printable(text).split(", "):
        line, taken = "", 0
        for char in part:
            if taken + columns(char) > width:
                yield line
                line, taken = "", 0
            line, taken = line + char, taken + columns(char)
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
        ranges([numbers[request] for request in record["requests"]]),
    ]


def ranges(numbers: list[int]) -> str:
    """Write numbers in short.

    >>> ranges([3, 1, 2, 7])
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
    parts = [f"exactly {line['exact_amount']}"]
    if exact:
        told = exact[:most]
        rest = exact[len(told) :]
        parts = [f"{len(told)} {'record' if len(told) == 1 else 'records'} {_sum(told)}"]
        if rest:
            every = f"--line {line['number']} shows them all"
            parts.append(f"+ {len(rest)} more {_sum(rest)} ({every})")
    explained = f"{' '.join(parts)} + rounding {line['rounding']}"
    return f"{line['amount']} − ({explained}) = {difference(line)}"


def _sum(amounts: Iterable[str]) -> str:
    return plain(total(map(Decimal, amounts)))


def tell_sources(lines: Iterable[Values], folder: Path, context: Context) -> None:
    """Tell the lines of the configuration that were named."""
    texts = {source: text for line in lines for source, text in line["sources"].items()}
    context.terminal.result("")
    say(context, f"The lines named above, as they stand in {folder / 'inputs' / 'config'}:")
    for source in sorted(texts, key=file_and_line):
        say(context, f" {source:<16} {texts[source]}")


def tell_answers(answers: Mapping[int, Values], folder: Path, context: Context) -> None:
    """Tell where the answers stand in the evidence, by their numbers."""
    context.terminal.result("")
    place = f"by their line in {evidence_of(folder)}, with the sha256 of the body as stored"
    say(context, f"The API's answers, {place}:")
    for number, proof in answers.items():
        line, body = f"line {proof['line']:<6}", f"sha256 {proof['sha256']}"
        first = f"{number:>5}  {line} {body}"
        fits = len(first) <= _width(context)
        for part in [first] if fits else [f"{number:>5}  {line}".rstrip(), f"       {body}"]:
            context.terminal.result(part)
        for part in _folded(proof["request"], _width(context) - 7):
            context.terminal.result(f"       {part}")


def _folded(request: str, width: int) -> Iterator[str]:
    """Fold a request at its query, and where that is not enough, to the width of a terminal."""
    path, mark, query = request.partition("?")
    fits = len(request) <= width
    for text in [request] if fits else [path, f"{mark}{query}"]:
        yield from _wrapped(text, width)
