"""README.txt: what lies in the folder of a cycle, so that it can be read without us.

Law: it depends on the inputs alone. The versions are those that the folder names, so that a later
program writes the same text.
"""

from collections.abc import Iterable, Iterator, Mapping
from textwrap import wrap

from reportgen.core.model import Statement
from reportgen.core.money import quantum_of
from reportgen.core.written.correction_json import NOTE_COLUMNS
from reportgen.core.written.tables import (
    BY_ORGANIZATION_COLUMNS,
    LEDGER_COLUMNS,
    TIE_OUT_COLUMNS,
    UNALLOCATED_COLUMNS,
)

WIDTH = 80
FILES = {
    "index.html": "the page to open first: totals, and a link to every document",
    "statement.pdf, .xlsx": "the cycle over all cost centers: who pays what, and the tie-out",
    "statement.json": "the same for machines; decimals are texts",
    "invoices/": "one PDF and one workbook for each cost center that is charged",
    "summaries/": "a PDF for each department or entity, where the configuration asks for it",
    "exports/": "figures for other programs, where the configuration asks for them",
    "ledger.csv": "a row for each part of the usage that somebody bears, or nobody",
    "tie_out.csv": "that nothing is lost and nothing is counted twice, by day and product",
    "unallocated.csv": "who and what no rule covers, and why",
    "by_organization.csv": "who is charged by the rule of an organization, not one of their own",
    "inputs/": "all that the rest is made of: the answers of the API as they were received "
    "(responses.jsonl), the configuration and the templates as they were used, names "
    "(directory.json), earlier cycles as far as they are shown (history.json), versions",
}
CORRECTED = {
    "correction.json": "what the correction changed, note by note, for machines",
    "notes/": "the credit and debit notes: one PDF and one workbook for each",
    "notes.csv": "what it changed, a row for each line of a note",
}
SEALED = {
    "SHA256SUMS": "the hash of every file: `sha256sum -c SHA256SUMS` says whether one was changed",
    "manifest.json": "the hash of SHA256SUMS, the seal before, and all versions; its own sha256 is "
    "the seal",
}
LEDGER = {
    "day": "the billing day; it begins at 08:00 UTC of that date and ends at 08:00 UTC of the next",
    "product": "the product as the API names it",
    "org_id": "the organization it was used in; empty: in none, or in none that is known",
    "principal_kind": "user or service_user; empty: nobody that is known",
    "principal_id": "the id of whoever used it",
    "session_id": "the session, where a rule speaks of it",
    "cost_center": "who bears it; empty: nobody",
    "kind": "usage, if a rule gave it to the cost center; unallocated, if none did",
    "cause": "why no rule covers it",
    "rule": "file and line in inputs/config of the rule that decided",
    "share": "the cost center's part of the record, such as 0.6 or 1/3",
    "quantity": "ACUs, exactly",
    "unit_price": "what one ACU costs; empty: it has no price",
    "rate": "file and line in inputs/config of the price",
    "exact_amount": "quantity times unit_price, not rounded",
    "requests": "the questions to the API whose answers prove it, separated by a space; they stand "
    'in inputs/responses.jsonl as "GET " and this text. Where one was answered more than once, '
    "#line=N&sha256=H after it names the answer that counts: its line there, and the hash of its "
    "body",
}
TIE_OUT = {
    "day": "the billing day",
    "product": "the product",
    "control_acus": "the enterprise's own total, as the API tells it",
    "allocated_acus": "what rules gave to cost centers",
    "unallocated_acus": "what no rule covers",
    "difference_acus": "the first less the two others: 0",
}
UNALLOCATED = {
    "cause": "why no rule covers it",
    "id": "whose it is: the id of a user, a service user or an organization",
    "product": "the product",
    "acus": "how much, exactly",
    "amount": "what it costs",
    "suggestion": "a line for mapping.yaml, where somebody much alike has one",
}
BY_ORGANIZATION = {
    "org_id": "the organization whose rule charges",
    "principal_kind": "user or service_user",
    "id": "who has no rule of their own",
    "product": "the product",
    "cost_center": "who bears it",
    "rule": "file and line in inputs/config of the organization's rule",
    "passed_on": "the line of a rule of their own that says none: so it is meant",
    "acus": "how much, exactly",
    "amount": "what it costs",
}
NOTES = {
    "note": "the number of the credit or debit note; empty: too small for one",
    "note_kind": "credit or debit",
    "cost_center": "whom it is for",
    "invoice": "the invoice that it corrects",
    "kind": "usage, unallocated, fee, transfer or pool",
    "product": "the product of a line of usage",
    "name": "the name of a fee, a transfer or a pool",
    "counterpart": "the cost center on the other side of it",
    "unit_price": "what one ACU costs",
    "before_acus": "ACUs as the line stood",
    "after_acus": "ACUs as it is now",
    "acus": "the difference of both",
    "before_amount": "the amount as the line stood",
    "after_amount": "the amount as it is now",
    "amount": "the difference of both",
}
TABLES: Mapping[str, tuple[tuple[str, ...], Mapping[str, str]]] = {
    "ledger.csv": (LEDGER_COLUMNS, LEDGER),
    "tie_out.csv": (TIE_OUT_COLUMNS, TIE_OUT),
    "unallocated.csv": (UNALLOCATED_COLUMNS, UNALLOCATED),
    "by_organization.csv": (BY_ORGANIZATION_COLUMNS, BY_ORGANIZATION),
}
CSV = """\
Files .csv are UTF-8, with commas between the columns. Numbers have a decimal point and no
exponent. A text that a spreadsheet would take for a formula has an apostrophe before it.
"""
RESTS = """\
The API tells the same consumption from several sides: of the enterprise, of each
organization, of each person, and of a person in an organization. They are taken apart into
records that share nothing, for each day and product:

- of a person in an organization: as the API tells it;

- of a person in no organization, the person's rest: the person's total less what the person
used in organizations. It is what was used outside of any, as in an editor or a terminal;

- of an organization without a person, the organization's rest: its total less what known
people used in it. It is what people used who have left, or what works by itself;

- of nobody and in no organization: the enterprise's total less all of these.

So the records of a day and product add up to the enterprise's total. Where the API does not
tell what a person used in an organization, one of the two rests is left out: nobody is
charged twice. A rest below zero means that answers contradict each other, and is told. What
is within the tolerance (tie_out in statement.json) counts as zero.
"""
ROUNDING = """\
Quantities and exact amounts are exact, and added up exactly. An amount is rounded once, on
the line of an invoice, to {decimals} decimals of {currency}. All lines of one product and one
price are rounded together: their sum is what the product's total costs, rounded half up; then
each line is rounded down, and those with the largest remainders up, until they add up to it.
So no line is off by {step} or more, and the invoices add up to what is charged. Where one
amount is spread over all ACUs, all lines are such a group. Breakdowns, such as those by user
or by day, are made in the same way from the amount of their line: their columns add up.

In statement.json and on invoices, rounding is what a line's amount differs by from its exact
amount, which is printed with at most 10 decimals.
"""
CORRECTED_ROUNDING = """\
In a correction the exact differences of the lines that changed are rounded in this way; a
line that did not change keeps its amount.
"""
PURPOSE = """\
What ACUs of Devin cost in this billing cycle, and which cost center bears what. It is made of
inputs/ alone, and can be made of it again.
"""
EXPLAIN = """\
`reportgen explain FOLDER INVOICE` traces each line of an invoice in this folder to its
records, rules, prices and answers; it needs no configuration and no network.
"""
VERIFY = """\
`reportgen verify FOLDER` makes every file again from inputs/, and compares the bytes.
"""


def readme(statement: Statement, versions: Mapping[str, str]) -> str:
    """Explain the folder of a cycle; `versions` are those of what made it, by name."""
    checks = f"{EXPLAIN}\n{VERIFY}" if statement.heading.status == "closed" else EXPLAIN
    parts = (
        _head(statement),
        _files(statement),
        _part("How tables are written", _paragraphs(CSV)),
        *map(_table, _tables(statement)),
        _part("How the rests of people and organizations come about", _paragraphs(RESTS)),
        _part("How amounts are rounded", _paragraphs(_rounding(statement))),
        _part("To see for yourself", _paragraphs(checks)),
        _part("What made it", _made_by(versions)),
    )
    text = "\n".join(line for part in parts for line in (*part, ""))
    return f"{text.rstrip()}\n"


def _head(statement: Statement) -> Iterator[str]:
    heading = statement.heading
    yield from _wrapped(heading.enterprise, "", "")
    days = f"Billing cycle {heading.cycle} (the end is not part of it)"
    yield from (days, "".ljust(len(days), "="), "")
    if statement.heading.correction:
        said = f"Correction {heading.correction} of a closed cycle, sealed: {heading.corrected_for}"
    elif heading.status == "closed":
        said = "This cycle is closed: nothing in this folder changes any more."
    else:
        said = "This is a draft: the next build replaces it. Nothing here is for paying yet."
    yield from (*_paragraphs(said), *_paragraphs(PURPOSE))


def _files(statement: Statement) -> Iterator[str]:
    heading = statement.heading
    listed = {
        **FILES,
        **(CORRECTED if heading.correction else {}),
        **(SEALED if heading.status == "closed" else {}),
    }
    return _part("What lies here", _entries(listed))


def _tables(statement: Statement) -> Iterator[tuple[str, tuple[str, ...], Mapping[str, str]]]:
    """Give every table that the folder has: its name, its columns, and what they mean."""
    yield from ((name, *described) for name, described in TABLES.items())
    if statement.heading.correction:
        yield "notes.csv", NOTE_COLUMNS, NOTES


def _table(table: tuple[str, tuple[str, ...], Mapping[str, str]]) -> Iterator[str]:
    name, names, meanings = table
    lines = _entries({column: meanings[column] for column in names})
    return _part(f"The columns of {name}", lines)


def _rounding(statement: Statement) -> str:
    heading = statement.heading
    step = f"{heading.currency} {quantum_of(heading.decimals):f}"
    text = ROUNDING.format(decimals=heading.decimals, currency=heading.currency, step=step)
    return f"{text}\n{CORRECTED_ROUNDING}" if heading.correction else text


def _made_by(versions: Mapping[str, str]) -> Iterator[str]:
    """Name the program first, then what it stands on."""
    program = f"reportgen {versions.get('reportgen', 'of an unknown version')}"
    others = ", ".join(f"{name} {versions[name]}" for name in versions if name != "reportgen")
    yield from _paragraphs(f"{program}; with {others}. inputs/versions.json has the fonts as well.")


def _part(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield title
    yield "".ljust(len(title), "-")
    yield from lines


def _entries(entries: Mapping[str, str]) -> Iterator[str]:
    for name, meaning in entries.items():
        yield from _wrapped(f"{name}: {meaning}", "  ", "      ")


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        indent = "  " if paragraph.startswith("- ") else ""
        yield from _wrapped(paragraph, indent, f"{indent}  " if indent else "")


def _wrapped(text: str, first: str, others: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=first, subsequent_indent=others, break_on_hyphens=False)
