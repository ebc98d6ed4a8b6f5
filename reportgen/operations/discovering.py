"""What a collected cycle tells a newcomer, written into the files of a first configuration.

The comments of the files that `init` writes stay; what was an example in them becomes what there
is. Texts of the API stand behind comment signs alone, on one line.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from reportgen.core.allocating.directory import principal_of
from reportgen.core.model import Directory, UsageRecord
from reportgen.core.money import ZERO, add, printed, shown
from reportgen.core.text import clipped, printable
from reportgen.core.written.tables import csv_text
from reportgen.derive import Derived
from reportgen.sources.config.schema import SourceSection

BEARER = "CC-9999"
CENTERS_FILE, PEOPLE_FILE = "cost_centers.csv", "people.csv"
CENTER_COLUMNS = (
    *("code", "name", "department", "entity", "contacts", "gl_account"),
    *("cycle_budget", "year_budget"),
)
FIRST_STEPS = f"""\
#   1. {CENTERS_FILE}: a row for each cost center; {BEARER} bears what nobody else does.
#   2. {PEOPLE_FILE}: the code of a cost center in the column cost_center of each row.
#   3. rates.yaml: currency, contract and prices, as your order form has them; till then an ACU
#      is charged at 1.00.
#   4. `enterprise` below, as it shall stand on every document.
#   5. `reportgen check CONFIG --cycle previous` lists every mistake, and what has no rule yet.
#   6. `reportgen build CONFIG --cycle previous` makes drafts of all documents: they say
#      PRELIMINARY. In later cycles `run` collects and builds, and `people` lists who is new.
"""
WHO_PAYS = f"""\
# Who pays for what: cost centers stand in {CENTERS_FILE}, people in {PEOPLE_FILE}. What no person
# used belongs to organizations, service users and tags: take away the `#` in front of one.
"""
MOST_TAGS = 200
LONGEST_NAME = 60


def configuration_text(start: str, source: SourceSection) -> str:
    """Write chargeback.yaml: where consumption is read from, if that is not the usual place."""
    text = _replaced(start, r"(?ms)^#   1\. Put your token.*?(?=^#   7\. )", FIRST_STEPS)
    for key in ("api", "base_url", "token_env"):
        value = getattr(source, key)
        if value != SourceSection.model_fields[key].default:
            text = _replaced(text, rf"(?m)^  {key}: \S+", f"  {key}: {_written(value)}")
    return text


def mapping_text(start: str, derived: Derived, user_file: str) -> str:
    """Write mapping.yaml: tables for cost centers and people, and who and what else used ACUs."""
    directory, records = derived.directory, derived.usage.records
    text = _replaced(start, r"(?ms)^# Who pays for what.*?(?=^#\n)", WHO_PAYS)
    text = _in_comments(text, "cost_centers:\n", "\n# Hundreds of them")
    text = _replaced(text, r"(?m)^# (cost_center_file: .*)$", r"\1")
    text = _replaced(text, r"(?m)^# user_file: .*$", user_file.replace("\\", r"\\"))
    organizations = _acus(records, lambda record: record.org_id)
    service_users = _acus(records, _service_user)
    listed = {
        "orgs": _lines(organizations, lambda key: directory.organizations.get(key, "")),
        "service_users": _lines(service_users, lambda key: _name(key, directory)),
        "tags": _tags(directory),
    }
    for section, lines in listed.items():
        text = _with_examples(text, section, lines)
    return text


def rates_text(start: str, products: Mapping[str, Decimal], cycle: str) -> str:
    """Write rates.yaml: a line for each product that was used, at the price that is to be set."""
    prices = [
        f"  {f'{_written(product)}: 1.00':<32}# {shown(acus)} ACUs, cycle of {cycle}\n"
        for product, acus in sorted(products.items())
    ]
    lines = "".join(prices).replace("\\", r"\\")
    return _replaced(start, r"(?m)^  # devin: 2\.00\n", lines)


def centers_csv() -> str:
    """Write the table of cost centers: who bears what nobody else does, and room for the others."""
    first = [BEARER, "Central IT", *[""] * (len(CENTER_COLUMNS) - 2)]
    return csv_text(CENTER_COLUMNS, [first])


def _acus(
    records: Iterable[UsageRecord], key_of: Callable[[UsageRecord], str]
) -> dict[str, Decimal]:
    """Add up ACUs by a key, the largest first; what has none is left out."""
    sums: dict[str, Decimal] = {}
    for record in records:
        if key := key_of(record):
            sums[key] = add(sums.get(key, ZERO), record.quantity)
    ordered = sorted(sorted(sums), key=lambda key: sums[key], reverse=True)
    return {key: sums[key] for key in ordered if printed(sums[key])}


def _service_user(record: UsageRecord) -> str:
    return record.principal_id if record.principal_kind == "service_user" else ""


def _name(service_user: str, directory: Directory) -> str:
    entry = directory.entries.get(principal_of("service_user", service_user))
    return (entry.name if entry else None) or ""


def _lines(acus: Mapping[str, Decimal], name_of: Callable[[str], str]) -> list[str]:
    return [
        _example(key, ", ".join(filter(None, (_seen(name_of(key)), f"{shown(used)} ACUs"))))
        for key, used in acus.items()
    ]


def _tags(directory: Directory) -> list[str]:
    """List the tags that sessions of the cycle have, the most frequent first."""
    counts = Counter(tag for one in directory.sessions.values() for tag in {*one.tags})
    ordered = sorted(counts, key=lambda tag: (counts[tag], tag), reverse=True)[:MOST_TAGS]
    return [_example(tag, f"sessions: {counts[tag]}") for tag in ordered]


def _example(key: str, what: str) -> str:
    return f"  # {_written(key)}: {BEARER}   # {what}\n"


def _seen(name: str) -> str:
    return printable(clipped(name, LONGEST_NAME))


def _written(text: str) -> str:
    """Write a text as YAML takes it: bare where it can only be that."""
    if re.fullmatch(r"[A-Za-z][\w-]*|https?://[\w./:-]+", text, re.ASCII) and text != "null":
        return text
    return json.dumps(text)


def _in_comments(text: str, begin: str, end: str) -> str:
    """Put the lines of a section behind comment signs."""
    start = text.index(f"\n{begin}") + 1
    stop = text.index(end, start)
    section = "".join(f"# {line}" for line in text[start:stop].splitlines(keepends=True))
    return text[:start] + section + text[stop:]


def _with_examples(text: str, section: str, lines: Iterable[str]) -> str:
    """Put lines in the place of the one example that a section has, if there are any."""
    listed = "".join(lines).replace("\\", r"\\")
    return _replaced(text, rf"(?m)(^{section}:\n)  # .*\n", rf"\g<1>{listed}") if listed else text


def _replaced(text: str, pattern: str, by: str) -> str:
    """Replace what is there just once: the files are ours."""
    replaced, count = re.subn(pattern, by, text)
    if count != 1:
        raise ValueError(pattern)
    return replaced
